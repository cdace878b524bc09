"""A step as live mode hands it to whoever executes it."""

from __future__ import annotations

from danube import _units
from danube._values import Code, Output, Resources, Retry, Service, StepFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn

    from danube._values import Handle


class StepCall:
    """One step as it was called, checked and with every result filled in.

    Attributes:
        index: How many steps were called before it, including those that were not executed.
        command: The script, or the list of program and arguments.
        name: The name given, or None; `label` is never None.
        timeout: Seconds, or None.
        needs: The steps that it names; None when `needs` was not given.
        cells: Items of each matrix cell around it, the outermost loop's first.
        branch: For each parallel block around it, outermost first, the number of the block and of
            the branch in it. Two steps that differ in the branch of one block are not ordered.
        failure: Its own failure where that is fatal, or that of the step because of which it was
            not executed; else None.
    """

    __slots__ = (
        "branch", "cache", "capture", "cells", "check", "command", "env", "failure", "image",
        "index", "inputs", "name", "needs", "outputs", "resources", "retries", "services",
        "timeout", "workdir",
    )  # fmt: skip

    index: int
    branch: tuple[tuple[int, int], ...]
    cells: tuple[tuple[tuple[str, object], ...], ...]

    def __init__(
        self,
        command: str | Sequence[str],
        name: str | None = None,
        image: str | None = None,
        env: Mapping[str, str] | None = None,
        check: bool = True,
        capture: bool = False,
        timeout: float | str | None = None,
        inputs: Sequence[str] | None = None,
        outputs: Sequence[str] | None = None,
        cache: bool | None = None,
        needs: Sequence[Handle] | None = None,
        retries: int | Retry = 0,
        resources: Resources | Mapping[str, object] | None = None,
        workdir: str | None = None,
        services: Sequence[Service] = (),
    ) -> None:
        """Checks the arguments of `step.run`.

        Raises:
            TypeError: One has a wrong type.
            ValueError: One has a value that no step can have.
            StepFailed: One is the output of a step that failed.
        """
        self.command = _command(command)
        self.name = _optional_text("name", name)
        self.image = _optional_text("image", image)
        self.env = {_text("env", key): _text("env", value) for key, value in (env or {}).items()}
        self.check = bool(check)
        self.capture = bool(capture)
        self.timeout = None if timeout is None else _units.seconds(timeout)
        self.inputs = _texts("inputs", inputs)
        self.outputs = _texts("outputs", outputs)
        self.cache = cache
        self.needs = None if needs is None else tuple([_needed(one) for one in _list(needs)])
        self.retries = _retry(retries)
        self.resources = _resources(resources)
        self.workdir = _optional_text("workdir", workdir)
        self.services = tuple(services)
        self.failure: StepFailed | None = None

    @property
    def label(self) -> str:
        """The name, or else the first line of the command."""
        if self.name is not None:
            return self.name
        text = self.command if isinstance(self.command, str) else " ".join(self.command)
        return next((line.strip() for line in text.split("\n") if line.strip()), "")

    def __repr__(self) -> str:
        return f"StepCall({self.command!r}, name={self.name!r})"


class FailedOutput:
    """The result inside `parallel()` of a step that has none.

    It failed with `capture=True`, or an earlier failure in its sequence stopped it. Whatever is
    done with the result raises that `StepFailed`; it may only be passed around and stand in
    `needs`.
    """

    __slots__ = ("_failure", "step")
    _failure: StepFailed
    step: StepCall

    def __init__(self, failure: StepFailed, step: StepCall) -> None:
        self._failure = failure
        self.step = step

    def __getattr__(self, name: str) -> NoReturn:
        raise self._failure

    def _use(self, *arguments: object, **keywords: object) -> NoReturn:
        raise self._failure

    __add__ = __bool__ = __bytes__ = __call__ = __contains__ = __float__ = __format__ = _use
    __ge__ = __getitem__ = __gt__ = __hash__ = __index__ = __int__ = __iter__ = __le__ = _use
    __len__ = __lt__ = __mod__ = __mul__ = __radd__ = __repr__ = __rmod__ = __rmul__ = _use
    __str__ = __eq__ = __ne__ = __sub__ = __rsub__ = __neg__ = __pos__ = __abs__ = _use
    __and__ = __or__ = __xor__ = __rand__ = __ror__ = __rxor__ = __invert__ = _use
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __pow__ = __rpow__ = _use
    __divmod__ = __lshift__ = __rshift__ = __round__ = _use


def _command(command: object) -> str | list[str]:
    if isinstance(command, (list, tuple)):
        argv = [_text("command", argument) for argument in command]
        if not argv or not argv[0]:
            raise ValueError("the command of a step is empty")
        return argv
    script = _text("command", command)
    if not script.strip():
        raise ValueError("the command of a step is empty")
    return script


def _text(field: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Code):
        return str(int(value))
    if type(value) is FailedOutput:
        raise value._failure
    raise TypeError(f"{field} of a step takes text, not {type(value).__name__}")


def _optional_text(field: str, value: object) -> str | None:
    return None if value is None else _text(field, value)


def _texts(field: str, values: object) -> tuple[str, ...] | None:
    if values is None:
        return None
    if isinstance(values, str):
        raise TypeError(f"{field} of a step takes a list: write {field}=[{values!r}]")
    return tuple([_text(field, value) for value in _list(values)])


def _list(values: object) -> list[object]:
    if isinstance(values, (list, tuple)):
        return list(values)
    raise TypeError(f"expected a list, not {type(values).__name__}")


def _needed(handle: object) -> StepCall:
    if type(handle) in (Code, Output, FailedOutput):
        step: object = getattr(handle, "step", None)
        if isinstance(step, StepCall):
            return step
    raise TypeError("needs of a step takes what `step.run` returned")


def _retry(retries: object) -> Retry:
    if isinstance(retries, Retry):
        return retries
    if not isinstance(retries, int) or isinstance(retries, bool):
        raise TypeError(f"retries takes a number or a Retry, not {type(retries).__name__}")
    if retries < 0:
        raise ValueError(f"retries must not be negative: {retries}")
    return Retry(retries)


def _resources(resources: object) -> Resources:
    if resources is None:
        return Resources()
    found = resources if isinstance(resources, Resources) else None
    if isinstance(resources, dict):
        found = Resources(**resources)
    if found is None:
        raise TypeError(f"resources takes a Resources, not {type(resources).__name__}")
    if found.cpu is not None:
        _units.cpu_milli(found.cpu)
    for size in (found.memory, found.disk):
        if size is not None:
            _units.size_bytes(size)
    return found
