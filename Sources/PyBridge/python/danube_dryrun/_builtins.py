"""What instrumented code calls in place of an operator or a builtin."""

from __future__ import annotations

import sys

from . import _rt
from ._both import both_or_either
from ._formatting import as_str, is_open, join_text, piece
from ._formatting import format_text as _format_text
from ._formatting import percent as _percent
from ._symbolic import Code, Predicate, Symbolic, combine, dynamic, negate, parts_of, text, truth
from ._symbolic import wire as _wire
from ._text import Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable


def not_(value: Any) -> Any:
    kind = type(value)
    if kind is Predicate:
        return negate(value)
    if kind is Text or kind is Code:
        return negate(truth(value))
    return not value


def contains(item: Any, container: Any) -> Any:
    """`item in container`, without deciding."""
    if type(container) is Text:
        return container._contains(item)
    if isinstance(item, Symbolic) or type(item) in (Text, Code):
        if type(container) in (list, tuple, set, frozenset, dict):
            return _among(item, container)
        if type(container) is str and type(item) is Text:
            from ._symbolic import pred

            return pred(("cmp", "in", item._ask(), container))
        if type(container) is range and type(item) is Code:
            return _among(item, [value for value in range(256) if value in container])
    return item in container


def _among(item: Any, container: Any) -> Any:
    found: list[Any] = []
    for one in container:
        if one is item:
            return True
        asked = item == one
        if type(asked) is bool or type(asked) is Predicate:
            found.append(asked)
        else:
            found.append(bool(asked))
    return combine(False, found)


def not_contains(item: Any, container: Any) -> Any:
    return negate(contains(item, container))


def is_(a: Any, b: Any) -> Any:
    if type(a) is Predicate and type(b) is bool:
        return a == b
    if type(b) is Predicate and type(a) is bool:
        return b == a
    if type(a) is Predicate and type(b) is Predicate:
        return bool(a) is bool(b)
    return a is b


def is_not(a: Any, b: Any) -> Any:
    return negate(is_(a, b))


def join(receiver: Any, items: Any) -> Any:
    if type(receiver) is str or type(receiver) is Text or isinstance(receiver, str):
        return join_text(receiver, items)
    return receiver.join(items)


def mod(left: Any, right: Any) -> Any:
    """`left % right`."""
    if isinstance(left, str) and type(left) is not Predicate:
        return _percent(left, right)
    return left % right


def format_(receiver: Any, *args: Any, **kwargs: Any) -> Any:
    if isinstance(receiver, str):
        if (
            type(receiver) is str
            and not any(map(_special, args))
            and not any(map(_special, kwargs.values()))
        ):
            return receiver.format(*args, **kwargs)
        return _format_text(receiver, args, kwargs)
    return receiver.format(*args, **kwargs)


def _special(value: Any) -> bool:
    return type(value) not in (str, int, float, bool, type(None))


def call(function: Any, value: Any, pure: bool = False) -> Any:
    """`str(x)`, `int(x)`, `bool(x)`, `repr(x)`, `any(x)`, `all(x)`, or whatever has the name."""
    if function is str:
        return as_str(value)
    if function is int and type(value) is Code:
        return value
    if function is bool and type(value) in (Code, Text, Predicate):
        return truth(value)
    if function is repr and type(value) is Code:
        return text(parts_of(value) or ())
    if function is any:
        return _any_all(False, value, pure)
    if function is all:
        return _any_all(True, value, pure)
    return function(value)


def _any_all(is_all: bool, items: Any, pure: bool) -> Any:
    if not pure and type(items) not in (list, tuple, set, frozenset, dict):
        return all(items) if is_all else any(items)
    found: list[Any] = []
    for one in items:
        kind = type(one)
        if kind is Predicate or kind is Text or kind is Code:
            asked = truth(one)
        else:
            asked = bool(one)
        if type(asked) is bool:
            if asked is not is_all:
                if not found:
                    return asked
                # What stands before may have ended the search, with the same answer.
                return asked
            continue
        found.append(asked)
    return combine(is_all, found)


def print_(
    *values: Any, sep: Any = " ", end: Any = "\n", file: Any = None, flush: Any = False
) -> None:
    """`print`: a note in the plan and a line in the job's log."""
    recorder = _rt.recorder
    if file is not None and file is not sys.stdout and file is not sys.stderr:
        raise ValueError("print(file=…) has nowhere to write in a danubefile")
    frame = recorder.frames.here(sys._getframe(1))
    between = " " if sep is None else sep
    parts: list[Any] = []
    for index, value in enumerate(values):
        if index:
            parts += parts_of(between) or ()
        parts += piece(value) if is_open(value) else (parts_of(str(value)) or ())
    if end is not None and end != "\n":
        parts += parts_of(end) or ()
    joined = text(parts)
    if type(joined) is Text and joined._has("x"):
        recorder.session.problem(
            "DNB401",
            "error",
            "A secret would be printed",
            "Hand the secret to a step in env={…}; never print it.",
            frame,
        )
        return
    recorder.session.count_output(joined, frame)
    recorder.note(_wire(joined), frame)


def unsupported(what: str, hint: str) -> Callable[..., Any]:
    """A builtin that a danubefile cannot use."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        dynamic("DNB201", what, hint)

    return refuse


__all__ = [
    "both_or_either",
    "call",
    "contains",
    "format_",
    "is_",
    "is_not",
    "join",
    "mod",
    "not_",
    "not_contains",
    "print_",
    "unsupported",
]
