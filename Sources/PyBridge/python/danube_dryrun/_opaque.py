"""What every symbolic value refuses, since it needs the value itself."""

from __future__ import annotations

from . import _rt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn


def dynamic(code: str, message: str, hint: str) -> NoReturn:
    """Records that the pipeline needs a value here, and raises."""
    _rt.recorder.dynamic(code, message, hint)


def needs_value(what: str, hint: str = "", code: str = "DNB201") -> Any:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        _rt.recorder.dynamic(
            code,
            f"{what} needs the value of {self._name()}, which only a run can give",
            hint or "Compare the result with a constant, or move this into a step's script.",
        )

    return method


class Symbolic:
    """What all symbolic values refuse."""

    __slots__ = ()

    def _name(self) -> str:
        return "the result of a step"

    def __hash__(self) -> int:
        dynamic(
            "DNB206",
            f"hashing {self._name()} needs its value",
            "Use the step's name as the key, and keep results in a list.",
        )

    def __format__(self, spec: str) -> str:
        dynamic(
            "DNB205",
            f"formatting {self._name()} here is not recorded",
            "Use an f-string or + in the danubefile itself.",
        )

    def __str__(self) -> str:
        dynamic(
            "DNB205",
            f"str() of {self._name()} is not recorded here",
            "Use an f-string or str(…) in the danubefile itself.",
        )

    def __repr__(self) -> str:
        dynamic("DNB205", f"repr() of {self._name()} needs its value", "Use an f-string.")

    def __copy__(self, memo: Any = None) -> Symbolic:
        return self

    __deepcopy__ = __copy__

    def __reduce_ex__(self, protocol: Any) -> Any:
        dynamic("DNB205", f"pickling {self._name()} needs its value", "Keep the result itself.")
