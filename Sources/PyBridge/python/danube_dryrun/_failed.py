"""The failure of a parallel block of which several steps may have failed.

Which one it was is asked when an attribute is read. Until then the exception, which is of the
class `StepFailed` itself, has none.
"""

from __future__ import annotations

from . import _predicates as P
from . import _rt
from ._blocks import Fallible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ATTRIBUTES = ("step", "code", "output")
_prepared = False


def failed_block(fallible: tuple[Fallible, ...]) -> BaseException:
    """The exception at the end of a parallel block in which one of these steps failed."""
    from danube import StepFailed

    _prepare(StepFailed)
    error = StepFailed.__new__(StepFailed)
    error._fallible = fallible  # type: ignore[attr-defined]
    return error


def _first(fallible: tuple[Fallible, ...]) -> Fallible:
    # The first in program order; that one of them failed is known.
    for one in fallible[:-1]:
        if _rt.recorder.decide(("k", one.n, P.FAILED)):
            return one
    return fallible[-1]


def _attribute(self: Any, name: str) -> Any:
    fallible = self.__dict__.get("_fallible")
    if fallible is None or name not in _ATTRIBUTES:
        raise AttributeError(f"'StepFailed' object has no attribute '{name}'", name=name, obj=self)
    one = _first(fallible)
    if name == "step":
        return one.label
    if name == "code":
        return one.code()
    return one.output()


def _args(self: Any) -> Any:
    given = _own_args(self)
    if given or "_fallible" not in self.__dict__:
        return given
    return tuple(getattr(self, name) for name in _ATTRIBUTES)


def _repr(self: Any) -> str:
    return f"{type(self).__name__}{self.args!r}"


_own_args: Any = BaseException.__dict__["args"].__get__


def _prepare(kind: Any) -> None:
    global _prepared
    if not _prepared:
        _prepared = True
        kind.__getattr__ = _attribute
        kind.__repr__ = _repr
        kind.args = property(_args, BaseException.__dict__["args"].__set__)
