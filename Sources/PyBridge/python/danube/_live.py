"""Live mode: steps run when they are called, one after the other.

Whoever runs a danubefile live brings an `Execute`; `LiveBackend` knows what `parallel`,
`sequence`, failures and matrix cells mean. The plan of a file is right if running it does what
this does.
"""

from __future__ import annotations

import os

from danube._call import FailedOutput, StepCall
from danube._context import marked
from danube._file import Outcome, run_file
from danube._glob import glob
from danube._scopes import Scopes
from danube._values import Code, Output, StepFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    from danube._values import Handle, Resources, Retry, Service

    class Execute(Protocol):
        """Performs one step: returns its exit code, after its retries, and standard output.

        It may have a method `uploaded(path, name, junit)`, which is told of artifacts.
        """

        def __call__(self, call: StepCall, /) -> tuple[int, str]: ...


__all__ = ["FailedOutput", "LiveBackend", "Outcome", "StepCall", "run_file"]

_DEFAULTS: dict[str, object] = {
    "event": {}, "pull_request": None, "changed_files": (), "params": {}, "tag": None,
}  # fmt: skip


class LiveBackend:
    """Runs steps through `execute`, in program order.

    Attributes:
        root: Absolute path of the repository.
    """

    def __init__(
        self,
        execute: Execute,
        context: Mapping[str, object] | None = None,
        secrets: Mapping[str, str] | None = None,
        root: str = ".",
    ) -> None:
        """Makes a back end for one run.

        Args:
            execute: Performs a step.
            context: Values of `ctx`. What is missing reads as empty.
            secrets: The secrets that the job may read.
            root: The repository, for `files`.
        """
        self.root = os.path.realpath(root)
        self._execute = execute
        self._context = dict(context or {})
        self._secrets = dict(secrets or {})
        self._scopes = Scopes()
        self._cells: list[_Current] = []
        self._calls = 0

    def run_step(
        self,
        command: str | Sequence[str],
        name: str | None,
        image: str | None,
        env: Mapping[str, str] | None,
        check: bool,
        capture: bool,
        timeout: float | str | None,
        inputs: Sequence[str] | None,
        outputs: Sequence[str] | None,
        cache: bool | None,
        needs: Sequence[Handle] | None,
        retries: int | Retry,
        resources: Resources | Mapping[str, object] | None,
        workdir: str | None,
        services: Sequence[Service],
        /,
    ) -> Code | Output:
        """Runs one step, unless an earlier failure of its branch stops it.

        Raises:
            StepFailed: It failed, `check` is True, and no parallel block is open.
            TypeError: An argument has a wrong type.
            ValueError: An argument has a value that no step can have.
        """
        call = StepCall(
            command, name, image, env, check, capture, timeout, inputs, outputs,
            cache, needs, retries, resources, workdir, services,
        )  # fmt: skip
        call.branch = self._scopes.begin_step()
        call.cells = tuple([cell.items for cell in self._cells])
        call.index = self._calls
        self._calls += 1
        call.failure = self._stopped_by(call)
        if call.failure is not None:
            if call.check and not call.capture:
                return Code(0, call)
            # There is no result, so whoever asks for it learns why.
            missing: Output = FailedOutput(call.failure, call)  # type: ignore[assignment]
            return missing
        code, text = self._execute(call)
        text = text.rstrip("\n") if call.capture else ""
        if code != 0 and call.check:
            return self._fail(call, code, text)
        return Output(text, call) if call.capture else Code(code, call)

    def _stopped_by(self, call: StepCall) -> StepFailed | None:
        # `needs` replaces program order, also for what an earlier failure stops.
        if call.needs is None:
            return self._scopes.blocked_by
        return next((step.failure for step in call.needs if step.failure is not None), None)

    def _fail(self, call: StepCall, code: int, text: str) -> Code | Output:
        failure = StepFailed(call.label, code, text)
        if not self._scopes.in_parallel:
            raise failure
        call.failure = failure
        self._scopes.fail(failure)
        failed: Output = FailedOutput(failure, call)  # type: ignore[assignment]
        return failed if call.capture else Code(0, call)

    def enter_parallel(self, name: str | None, fail_fast: bool, /) -> None:
        """Opens a parallel block."""
        self._scopes.enter_parallel()

    def exit_parallel(self, exc: BaseException | None, /) -> None:
        """Closes it.

        Raises:
            StepFailed: It is the outermost, a step in it failed, and no other error propagates.
                `sys.exit()` is none: it does not turn a failed step into a success.
        """
        failure = self._scopes.leave()
        if failure is not None and (exc is None or isinstance(exc, SystemExit)):
            raise failure

    def enter_sequence(self, name: str | None, /) -> None:
        """Opens a sequence."""
        self._scopes.enter_sequence()

    def exit_sequence(self, exc: BaseException | None, /) -> None:
        """Closes it."""
        self._scopes.leave()

    def enter_cell(self, items: tuple[tuple[str, object], ...], /) -> object:
        """Adds a matrix cell to the coordinates of the steps that follow."""
        token = _Current(items)
        self._cells.append(token)
        return token

    def leave_cell(self, token: object, /) -> None:
        """Takes it away again."""
        self._cells = [cell for cell in self._cells if cell is not token]

    def context(self, name: str, /) -> object:
        """Value of `ctx.<name>`."""
        value = self._context.get(name, _DEFAULTS.get(name, ""))
        request = self._context.get("pull_request")
        return marked(name, value, isinstance(request, dict) and bool(request.get("fork")))

    def set_params(self, values: Mapping[str, object]) -> None:
        """Sets what `ctx.params` gives: the values that the pipeline is called with."""
        self._context["params"] = dict(values)

    def secret(self, key: str, /) -> str:
        """Value of a secret.

        Raises:
            LookupError: The job has no such secret.
        """
        if key not in self._secrets:
            raise LookupError(f"there is no secret {key!r} for this job")
        return self._secrets[key]

    def upload(self, path: str, name: str | None, junit: bool, /) -> None:
        """Tells `execute.uploaded`, if there is one, unless an earlier failure stops it."""
        self._scopes.begin_step()
        uploaded = getattr(self._execute, "uploaded", None)
        if uploaded is not None and self._scopes.blocked_by is None:
            uploaded(path, name, junit)

    def read_bytes(self, path: str, /) -> bytes:
        """Content of a file of the repository.

        Raises:
            OSError: It is not there, or lies outside of the repository.
        """
        with open(self._inside(path), "rb") as file:
            return file.read()

    def glob(self, pattern: str, /) -> list[str]:
        """Sorted paths of the repository that match."""
        return glob(pattern, self._names, self._is_folder)

    def exists(self, path: str, /) -> bool:
        """Whether the repository has this path."""
        try:
            return os.path.exists(self._inside(path))
        except PermissionError:
            return False

    def _names(self, folder: str) -> list[str]:
        if ".git" in folder.split("/"):
            return []
        try:
            names = os.listdir(os.path.join(self.root, folder))
        except OSError:
            return []
        return [name for name in names if name != ".git"]

    def _is_folder(self, path: str) -> bool:
        full = os.path.join(self.root, path)
        return os.path.isdir(full) and not os.path.islink(full)

    def _inside(self, path: str) -> str:
        full = os.path.realpath(os.path.join(self.root, path))
        if full != self.root and not full.startswith(self.root.rstrip("/") + "/"):
            raise PermissionError(f"{path!r} lies outside of the repository")
        return full


class _Current:
    """A matrix cell that is current; its identity is the token."""

    __slots__ = ("items",)

    def __init__(self, items: tuple[tuple[str, object], ...]) -> None:
        self.items = items
