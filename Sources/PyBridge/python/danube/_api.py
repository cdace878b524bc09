"""The names of `from danube import …`. Each asks the back end in `danube._runtime`."""

from __future__ import annotations

from danube import _registry, _runtime
from danube._context import Context, PullRequest
from danube._step import Step
from danube._values import Code, Output, Resources, Retry, Service, StepFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike
    from typing import Any, TypeVar, overload

    Function = TypeVar("Function", bound=Callable[..., object])

if TYPE_CHECKING:

    @overload
    def pipeline(name: Function, /) -> Function: ...
    @overload
    def pipeline(
        name: str | None = None,
        *,
        image: str | None = None,
        concurrency: str | None = None,
        concurrency_rule: str | None = None,
    ) -> Callable[[Function], Function]: ...


def pipeline(
    name: Any = None,
    *,
    image: str | None = None,
    concurrency: str | None = None,
    concurrency_rule: str | None = None,
) -> Any:
    """Declares the function below as a pipeline: `@pipeline` or `@pipeline(name="Build")`.

    The function's parameters are the pipeline's: typed `str`, `int`, `float`, `bool`, a `Literal`,
    an `Enum`, or a list of one of these, and given by `--param name=value`. Its docstring is the
    pipeline's description. The function itself stays as it is.

    Args:
        name: What people see and `danube plan NAME` takes. By default the function's name.
        image: Container image of the steps that name none. Without one they run on the host.
        concurrency: A group of jobs of which a master runs one at a time, such as `"deploy"`.
        concurrency_rule: What a job does when its group is taken: `"serialize"` (it waits, which
            is also what happens without a rule), `"replace"` (it ends those before it) or
            `"queue(2)"` (it waits unless so many wait already).

    Returns:
        The function, unchanged.

    Raises:
        TypeError: The function has `yield` or is `async`.

    Example:
        @pipeline(name="Frontend", image="node:22-alpine")
        def build(target: str = "production") -> None:
            step.run(f"npm run build -- --mode {target}")
    """
    if callable(name):
        _registry.register(name, None, None)
        return name

    def register(function: Function) -> Function:
        _registry.register(function, name, image, concurrency, concurrency_rule)
        return function

    return register


class parallel:  # noqa: N801 - reads as a function in danubefiles
    """A block whose steps run at the same time: `with parallel():`.

    Each step called in it is a branch; `with sequence():` inside makes one branch of several
    steps. All start from the same workspace, which the end of the block joins again: two branches
    that changed one path to different contents fail the join. The block ends when all its branches
    have; then the first failure in program order is raised as `StepFailed`.

    Args:
        name: Label of the group in the plan.
        fail_fast: Cancel the other branches when one fails. With False they run to their ends.

    Example:
        with parallel("checks"):
            step.run("ruff check .")
            step.run("mypy .")
            with sequence("tests"):
                step.run("pip install -e .")
                step.run("pytest")
    """

    __slots__ = ("_fail_fast", "_name")

    def __init__(self, name: str | None = None, *, fail_fast: bool = True) -> None:
        self._name = name
        self._fail_fast = fail_fast

    def __enter__(self) -> None:
        backend = _runtime.backend
        if backend is None:
            raise _runtime.missing()
        backend.enter_parallel(self._name, self._fail_fast)

    def __exit__(self, kind: object, exc: BaseException | None, traceback: object) -> None:
        backend = _runtime.backend
        if backend is None:
            raise _runtime.missing()
        backend.exit_parallel(exc)


class sequence:  # noqa: N801 - reads as a function in danubefiles
    """Steps that run one after the other: inside `parallel()`, one branch of several steps.

    A failure stops the rest of the sequence, not the other branches. Outside of `parallel()` it
    only labels a group in the plan.

    Args:
        name: Label of the group in the plan.

    Example:
        with parallel():
            step.run("npm run lint")
            with sequence("end to end"):
                step.run("npx playwright install chromium")
                step.run("npx playwright test")
    """

    __slots__ = ("_name",)

    def __init__(self, name: str | None = None) -> None:
        self._name = name

    def __enter__(self) -> None:
        backend = _runtime.backend
        if backend is None:
            raise _runtime.missing()
        backend.enter_sequence(self._name)

    def __exit__(self, kind: object, exc: BaseException | None, traceback: object) -> None:
        backend = _runtime.backend
        if backend is None:
            raise _runtime.missing()
        backend.exit_sequence(exc)


class Secrets:
    """The type of `secrets`."""

    __slots__ = ()

    def get(self, key: str) -> str:
        """A secret of the project, for the environment of a step.

        In a plan it is a reference: its value is in no plan, key, log or argument list.

        Args:
            key: Name of the secret.

        Returns:
            The value when the step runs; while compiling, an opaque stand-in.

        Raises:
            LookupError: In live mode, no such secret can be read by this job.

        Example:
            step.run("npm publish", env={"NPM_TOKEN": secrets.get("NPM_TOKEN")})
        """
        backend = _runtime.backend
        if backend is None:
            raise _runtime.missing()
        return backend.secret(key)


class Artifacts:
    """The type of `artifacts`."""

    __slots__ = ()

    def upload(self, path: str, name: str | None = None, *, junit: bool = False) -> None:
        """Keeps a file or folder of the workspace after the job, as it is at this point.

        Args:
            path: Path or glob in the workspace. A folder is kept whole.
            name: Name of the artifact. By default the last component of the path.
            junit: The files are JUnit reports: their tests are shown with the job.

        Example:
            artifacts.upload("coverage/", name="coverage-report")
            artifacts.upload("reports/junit.xml", junit=True)
        """
        backend = _runtime.backend
        if backend is None:
            raise _runtime.missing()
        backend.upload(path, name, junit)


class Files:
    """The type of `files`."""

    __slots__ = ()

    def read_text(self, path: str | PathLike[str], encoding: str = "utf-8") -> str:
        """Content of a file of the repository, at the commit that is built.

        Args:
            path: Path from the root of the repository.
            encoding: How its bytes are decoded. Line ends stay as they are.

        Raises:
            FileNotFoundError: The repository has no such file.
            UnicodeDecodeError: It is not written in this encoding.

        Example:
            version = files.read_text("VERSION").strip()
        """
        backend = _runtime.backend
        if backend is None:
            raise _runtime.missing()
        return backend.read_bytes(_fspath(path)).decode(encoding)

    def read_bytes(self, path: str | PathLike[str]) -> bytes:
        """Content of a file of the repository, as bytes.

        Args:
            path: Path from the root of the repository.

        Raises:
            FileNotFoundError: The repository has no such file.
        """
        backend = _runtime.backend
        if backend is None:
            raise _runtime.missing()
        return backend.read_bytes(_fspath(path))

    def glob(self, pattern: str) -> list[str]:
        """Paths of the repository that match, sorted.

        Args:
            pattern: `*`, `?` and `[a-z]` match within a name, `**` any number of folders; names
                that begin with a dot only when the pattern's does. A trailing `/` asks for folders.

        Returns:
            Paths from the root of the repository, with `/`, without a trailing one.

        Example:
            for package in files.glob("packages/*/"):
                step.run("npm test", workdir=package, name=f"test {package}")
        """
        backend = _runtime.backend
        if backend is None:
            raise _runtime.missing()
        return backend.glob(pattern)

    def exists(self, path: str | PathLike[str]) -> bool:
        """Whether the repository has a file or folder.

        Args:
            path: Path from the root of the repository.

        Example:
            if files.exists("Cargo.toml"):
                step.run("cargo test")
        """
        backend = _runtime.backend
        if backend is None:
            raise _runtime.missing()
        return backend.exists(_fspath(path))


def _fspath(path: Any) -> str:
    """The text of a `pathlib` path; everything else as it is, for the back end to judge."""
    convert = getattr(type(path), "__fspath__", None)
    found: str = path if convert is None else convert(path)
    return found


step = Step()
ctx = Context()
secrets = Secrets()
artifacts = Artifacts()
files = Files()

__all__ = [
    "Code", "Output", "PullRequest", "Resources", "Retry", "Service", "StepFailed",
    "artifacts", "ctx", "files", "parallel", "pipeline", "secrets", "sequence", "step",
]  # fmt: skip
