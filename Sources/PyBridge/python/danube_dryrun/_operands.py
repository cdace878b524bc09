"""Operands that are evaluated although Python might not: they must have no effects.

`code == 0 and value == 1` is one predicate only if nobody can tell whether the second comparison
took place. What is bound to the names shows that, so it is looked at when they are read.
"""

from __future__ import annotations

import sys

from . import _rt
from ._symbolic import Code, Predicate
from ._text import Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator

_PLAIN = frozenset(
    (int, str, bool, float, complex, bytes, type(None), type(Ellipsis), range, Code, Text,
     Predicate)
)  # fmt: skip
_ROWS = frozenset((list, tuple, set, frozenset, dict))
_MOST = 1000
_DEEP = 8
# Descriptors that only look.
_FUNCTION = type(lambda: 0)
_LOOKING = frozenset(
    (
        _FUNCTION,
        staticmethod,
        classmethod,
        type(len),
        type(int.__add__),
        type(str.join),
        type(dict.__dict__["fromkeys"]),
        type(type.__dict__["__name__"]),
        type(_FUNCTION.__dict__["__globals__"]),
    )
)
_LOOKUPS = (object.__getattribute__, type.__getattribute__, type(sys).__getattribute__)
_SPECIAL = ("__contains__", "__iter__", "__getitem__", "__bool__", "__len__")


class Effects(Exception):
    """The operand may have effects: it must not be evaluated unless Python does."""


def leaf(value: Any) -> Any:
    """The value of an operand, when using it changes nothing.

    Raises:
        Effects: It may.
    """
    if type(value) not in _PLAIN and _doubting():
        _look(value, _DEEP)
    return value


def receiver(value: Any) -> Any:
    """The same for an object whose method is called.

    Raises:
        Effects: It is no text.
    """
    if type(value) not in _PLAIN and _doubting() and not _is_plain(type(value)):
        raise Effects
    return value


def as_python(operand: Any) -> Any:
    """Evaluates an operand where Python does: it may have effects."""
    global _trusting
    saved, _trusting = _trusting, True
    try:
        return operand()
    finally:
        _trusting = saved


def early(operand: Any) -> Any:
    """Evaluates an operand that Python might not.

    Raises:
        Effects: It may have effects; it had none so far.
    """
    global _trusting
    saved, _trusting = _trusting, False
    try:
        return operand()
    finally:
        _trusting = saved


_trusting = False


def _doubting() -> bool:
    return not _trusting and not _rt.recorder.session.plain_logic


def _is_plain(kind: Any) -> bool:
    return kind in _PLAIN or bool(kind.__module__.startswith("danube"))


def _look(value: Any, depth: int) -> None:
    kind = type(value)
    if _is_plain(kind):
        return
    if kind in _ROWS and depth and len(value) <= _MOST:
        for one in value:
            _look(one, depth - 1)
        if kind is dict:
            for one in value.values():
                _look(one, depth - 1)
        return
    # Enumerations and objects without operators of their own.
    for name in ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"):
        if getattr(kind, name) not in [getattr(one, name) for one in (object, int, str)]:
            raise Effects
    if not issubclass(kind, (int, str)) and any(hasattr(kind, name) for name in _SPECIAL):
        raise Effects


def rows(values: Any, single: bool) -> Iterator[Any]:
    """The elements of what a generator expression iterates over.

    Raises:
        Effects: Iterating may change something. `single`: no element is unpacked.
    """
    kind = type(values)
    if _doubting():
        if kind not in _ROWS and kind is not range and kind is not str:
            raise Effects
        if not single and any(type(one) not in (tuple, list) for one in values):
            raise Effects
    yield from values


def attribute(value: Any, name: str) -> Any:
    """An attribute inside an operand.

    Raises:
        Effects: It is computed.
    """
    kind = type(value)
    if _is_plain(kind) or not _doubting():
        return getattr(value, name)
    if kind.__getattribute__ not in _LOOKUPS or hasattr(kind, "__getattr__"):
        raise Effects
    owners = [kind, value] if isinstance(value, type) else [kind]
    for owner in owners:
        for base in type.mro(owner) if owner is not type else (type, object):
            if name in vars(base):
                _descriptor(vars(base)[name])
                break
    if kind is type(sys) and "__getattr__" in vars(value):
        raise Effects
    return getattr(value, name)


def _descriptor(found: Any) -> None:
    kind = type(found)
    if not hasattr(kind, "__get__") or kind in _LOOKING:
        return
    # `name` and `value` of enumerations.
    get = getattr(found, "fget", None)
    if kind.__module__ in ("enum", "types") and getattr(get, "__module__", "") == "enum":
        return
    raise Effects
