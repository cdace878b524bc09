"""The values that steps take and give: results, failures, and the settings of a step."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    from danube._untrusted import Untrusted as Untrusted

    Handle: TypeAlias = "Code | Output"
else:

    def __getattr__(name):
        # Few pipelines meet untrusted text, so its many methods are made when one does.
        if name != "Untrusted":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from danube._untrusted import Untrusted

        return Untrusted


class Code(int):
    """The exit code of a step, an `int`: `step.run(…)` without `capture=True`.

    A step with `check=True` (the default) that did not raise has the code 0. With `check=False`
    it is 0…255, and a branch on it (`if code != 0:`) is compiled into the plan. It can stand in
    `needs=[…]`.
    """

    step: object

    def __new__(cls, value: int, step: object = None) -> Code:
        """Makes a code.

        Args:
            value: The exit code.
            step: The back end's record of the step.
        """
        self = super().__new__(cls, value)
        self.step = step
        return self


class Output(str):
    """The standard output of a step, a `str`: `step.run(…, capture=True)`.

    The trailing newlines are removed, as the shell's `$(…)` does. It can stand in `needs=[…]`.
    """

    __slots__ = ("step",)
    step: object

    def __new__(cls, value: str, step: object = None) -> Output:
        """Makes an output.

        Args:
            value: The text.
            step: The back end's record of the step.
        """
        self = super().__new__(cls, value)
        self.step = step
        return self


class StepFailed(Exception):
    """A step with `check=True` ended with an exit code other than 0, after its retries.

    It is raised by `step.run`; for steps inside `parallel()` at the end of the outermost block,
    for the first in program order. Uncaught, it ends the job as a failure.

    Attributes:
        step: Name of the step.
        code: Its exit code.
        output: What it printed when `capture=True`, else "".

    Example:
        try:
            step.run("./deploy.sh production", name="Deploy")
        except StepFailed:
            step.run("./rollback.sh", name="Roll back")
            raise
    """

    step: str
    code: int
    output: str

    def __init__(self, step: str, code: int, output: str = "") -> None:
        # Nothing is formatted here: in a dry run the code is a symbolic value.
        super().__init__(step, code, output)
        self.step = step
        self.code = code
        self.output = output

    def __str__(self) -> str:
        return f"step {self.step!r} failed with exit code {self.code}"


class _Record:
    """Equality and representation of the plain value types below, by their slots."""

    __slots__: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
        return f"{type(self).__name__}({fields})"


class Retry(_Record):
    """How a failing step is tried again: `retries=Retry(3, delay=5)`; `retries=3` is `Retry(3)`.

    Args:
        attempts: How many times at most it is tried again after the first failure.
        delay: Seconds before the second try.
        backoff: Factor by which the delay grows from one try to the next.
        on: Exit codes that are worth another try; empty means every code but 0.

    Example:
        step.run("./fetch.sh", retries=Retry(4, delay=2, backoff=3, on=(7, 28)))
    """

    __slots__ = ("attempts", "backoff", "delay", "on")

    def __init__(
        self, attempts: int, delay: float = 1.0, backoff: float = 2.0, on: Sequence[int] = ()
    ) -> None:
        self.attempts = attempts
        self.delay = delay
        self.backoff = backoff
        self.on = tuple(on)


class Resources(_Record):
    """What a step reserves: `resources=Resources(cpu=2, memory="4Gi")`.

    Args:
        cpu: Cores as a number (`0.5`) or thousandths as text (`"500m"`).
        memory: Bytes, or text with a unit: `"512Mi"`, `"2Gi"`, `"1G"`.
        disk: Bytes of scratch space, written like memory.
        gpu: Number of GPUs.

    Example:
        step.run("cargo build --release", resources=Resources(cpu=4, memory="8Gi", disk="20Gi"))
    """

    __slots__ = ("cpu", "disk", "gpu", "memory")

    def __init__(
        self,
        cpu: float | str | None = None,
        memory: int | str | None = None,
        disk: int | str | None = None,
        gpu: int = 0,
    ) -> None:
        self.cpu = cpu
        self.memory = memory
        self.disk = disk
        self.gpu = gpu


class Service(_Record):
    """A container that runs beside a step, such as a database, reachable by its name.

    Args:
        image: Container image.
        name: Host name under which the step finds it; by default the image's last path component
            without its tag, `postgres` for `docker.io/library/postgres:16`.
        env: Environment of the service.
        ports: Ports it listens on. Without `ready`, the service is ready when they accept.
        ready: Script run in the service until it ends with 0, before the step starts.
        ready_timeout: Seconds after which a service that is not ready fails the step.

    Example:
        database = Service("postgres:16", env={"POSTGRES_PASSWORD": "test"}, ports=[5432],
                           ready="pg_isready -U postgres")
        step.run("pytest tests/integration", services=[database])
    """

    __slots__ = ("env", "image", "name", "ports", "ready", "ready_timeout")

    def __init__(
        self,
        image: str,
        *,
        name: str | None = None,
        env: Mapping[str, str] | None = None,
        ports: Sequence[int] = (),
        ready: str | None = None,
        ready_timeout: float = 60,
    ) -> None:
        self.image = image
        self.name = name
        self.env = {} if env is None else dict(env)
        self.ports = tuple(ports)
        self.ready = ready
        self.ready_timeout = ready_timeout
