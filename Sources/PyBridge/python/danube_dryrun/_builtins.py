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
from ._operands import Effects, leaf
from ._text import Pieces, Text

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
            try:
                leaf(container)
            except Effects:
                return item in container
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
    if pure:
        pure = not _rt.recorder.session.plain_logic
    if function is any or function is all:
        try:
            return _any_all(function is all, value, pure)
        except Effects:
            _decide_one_by_one()
    if function is type:
        return _type_of(value)
    if pure:
        # Another function has the name, and must not meet what the rewritten generator raises.
        _decide_one_by_one()
    return function(value)


def _decide_one_by_one() -> None:
    recorder = _rt.recorder
    recorder.session.plain_logic = True
    recorder.abandon(_rt.Restart(()))


def _type_of(value: Any) -> Any:
    """The type that a live run sees."""
    kind = type(value)
    if kind is Predicate or kind is Pieces:
        return value.__class__
    if kind is Code or kind is Text:
        import danube

        if kind is Code:
            return danube.Code
        return danube.Output if value._handle() >= 0 else str
    return kind


def names(found: Any) -> Any:
    """`locals()`, `vars()` or `dir()` without names that only the rewriting made."""
    if type(found) is dict:
        return {name: value for name, value in found.items() if name[:4] != "__d_"}
    if type(found) is list:
        return [name for name in found if not (type(name) is str and name[:4] == "__d_")]
    return found


def _any_all(is_all: bool, items: Any, pure: bool) -> Any:
    if not pure and type(items) not in (list, tuple, set, frozenset, dict):
        return all(items) if is_all else any(items)
    found: list[Any] = []
    for one in items:
        kind = type(one)
        if kind is Predicate or kind is Text or kind is Code:
            asked = truth(one)
        else:
            # After an open one Python might not come this far.
            asked = bool(leaf(one) if found else one)
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
    """`print`."""
    recorder = _rt.recorder
    target = sys.stdout if file is None else file
    if not isinstance(target, Log):
        _print(*values, sep=sep, end=end, file=file, flush=flush)
        return
    frame = recorder.frames.here(sys._getframe(1))
    between = " " if sep is None else sep
    parts: list[Any] = []
    for index, value in enumerate(values):
        if index:
            parts += parts_of(between) or ()
        if type(value) in (Text, Code) and recorder.pending and (parts or recorder.line):
            recorder.will_use(value, lambda: write(list(parts), frame))
        # A failure that shows here has written it already.
        line, recorder.line = recorder.line, []
        try:
            parts += piece(value) if is_open(value) else (parts_of(str(value)) or ())
        except Exception:
            # What stands before it was written.
            recorder.line = line
            write(parts, frame)
            raise
        recorder.line = line
    parts += parts_of("\n" if end is None else end) or ()
    write(parts, frame)


class Log:
    """`sys.stdout` and `sys.stderr`: the job's log."""

    encoding = "utf-8"
    errors = "strict"
    closed = False

    def write(self, data: Any) -> int:
        if not isinstance(data, str):
            raise TypeError(f"write() argument must be str, not {type(data).__name__}")
        frame = _rt.recorder.frames.here(sys._getframe(1))
        write(list(parts_of(data) or ()), frame)
        return 0 if type(data) is Text else len(data)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False

    def writable(self) -> bool:
        return True


def write(parts: list[Any], frame: int) -> None:
    """Adds to the log: a note for what ends a line, the rest waits for its end."""
    recorder = _rt.recorder
    parts = recorder.line + parts
    recorder.line = []
    if not parts:
        return
    last = parts[-1]
    if type(last) is not str or not last.endswith("\n"):
        recorder.line, recorder.line_frame = parts, frame
        return
    parts[-1] = last[:-1]
    note(parts, frame)


def note(parts: list[Any], frame: int) -> None:
    """A note in the plan and a line in the job's log."""
    recorder = _rt.recorder
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


_print = print
_rt.note = note

__all__ = [
    "Log",
    "both_or_either",
    "call",
    "contains",
    "format_",
    "is_",
    "is_not",
    "join",
    "mod",
    "names",
    "not_",
    "not_contains",
    "print_",
    "unsupported",
]
