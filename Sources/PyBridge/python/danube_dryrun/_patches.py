"""Functions of the standard library that put values into text, for symbolic values too."""

from __future__ import annotations

import sys

from . import _rt, _suspect
from . import _tokens as T
from ._formatting import join_text
from ._symbolic import Code, Predicate, dynamic, text, wire
from ._text import Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable


def _operation(name: str, value: Text) -> Any:
    template = wire(value)
    return Text((("m", name, template, (), 0, -1),), -1, value._label)


def patch_shlex(module: Any) -> None:
    quote = module.quote

    def quote_any(s: Any) -> Any:
        return _operation("quote", s) if type(s) is Text else quote(s)

    def join_any(split_command: Any) -> Any:
        return join_text(" ", [quote_any(arg) for arg in split_command])

    module.quote = quote_any
    module.join = join_any


def patch_textwrap(module: Any) -> None:
    dedent = module.dedent

    def dedent_any(text: Any) -> Any:
        return _operation("dedent", text) if type(text) is Text else dedent(text)

    module.dedent = dedent_any


def patch_json(module: Any) -> None:
    dumps = module.dumps

    def dumps_any(obj: Any, **options: Any) -> Any:
        found: list[Any] = []
        plain = _replaced(obj, found, 0)
        default = options.get("default")
        if default is not None:
            options["default"] = lambda value: _replaced(default(value), found, 0)
        encoder = options.get("cls")
        if encoder is not None:
            options["cls"] = _marking(encoder, found)
        written = dumps(plain if found else obj, **options)
        if not found:
            return written
        if not options.get("ensure_ascii", True):
            dynamic(
                "DNB205",
                "json.dumps(ensure_ascii=False) of a result is not recorded",
                "Leave out ensure_ascii.",
            )
        out: list[Any] = []
        # They need not be written in the order they were found: keys may be sorted.
        first, *rest = written.split(f'"{_MARK}')
        out.append(first)
        for one in rest:
            number, _, after = one.partition(f'{_MARK}"')
            value = found[int(number)]
            if type(value) is Text:
                out.append(("m", "json", wire(value), (), 0, -1))
            else:
                out += value._as_parts()
            out.append(after)
        return text(out)

    module.dumps = dumps_any


def _marking(encoder: Any, found: list[Any]) -> Any:
    """A user's encoder whose `default` gives marks for results."""

    class Encoder(encoder):  # type: ignore[misc]
        def default(self, value: Any) -> Any:
            return _replaced(super().default(value), found, 0)

    return Encoder


def patch_operator(module: Any) -> None:
    from ._builtins import is_, is_not

    module.is_ = lambda a, b: bool(is_(a, b))
    module.is_not = lambda a, b: bool(is_not(a, b))


_MARK = "@@0b7c5e@@danube@@"


def _mark(index: int) -> str:
    return f"{_MARK}{index}{_MARK}"


def _replaced(value: Any, found: list[Any], depth: int) -> Any:
    """A copy with symbolic leaves replaced by marks."""
    kind = type(value)
    if kind is Text or kind is Code:
        found.append(value)
        return _mark(len(found) - 1)
    if kind is Predicate:
        return bool(value)
    if depth > 64:
        return value
    if isinstance(value, dict):
        return {key: _replaced(one, found, depth + 1) for key, one in value.items()}
    if isinstance(value, (list, tuple)) and kind is not Text:
        return [_replaced(one, found, depth + 1) for one in value]
    return value


def patch_contextlib(module: Any) -> None:
    """A context manager used as a decorator sees failures as `with` does."""

    def decorate(self: Any, func: Any) -> Any:
        def inner(*args: Any, **kwds: Any) -> Any:
            with Observed(self._recreate_cm()):
                return func(*args, **kwds)

        for name in ("__module__", "__name__", "__qualname__", "__doc__"):
            try:
                setattr(inner, name, getattr(func, name))
            except AttributeError:
                pass
        inner.__wrapped__ = func  # type: ignore[attr-defined]
        return inner

    module.ContextDecorator.__call__ = decorate


class Observed:
    """A context manager of the user's: what happens inside is seen by its `__exit__`."""

    __slots__ = ("_manager", "_exit", "_recorder", "_since")

    def __init__(self, manager: Any) -> None:
        self._manager = manager

    def __enter__(self) -> Any:
        kind = type(self._manager)
        enter = kind.__enter__
        self._exit = kind.__exit__
        value = enter(self._manager)
        self._recorder = _rt.recorder
        self._recorder.observers += 1
        self._since = since()
        return value

    def __exit__(self, *details: Any) -> Any:
        try:
            _suspect.look(details[1])
            enter_finally(self._since)
            return self._exit(self._manager, *details)
        finally:
            leave_finally()
            self._recorder.observers -= 1


def context_manager(value: Any) -> Any:
    """What a `with` statement of the user's enters."""
    module = type(value).__module__
    if module.startswith("danube.") or module == "danube" or not hasattr(type(value), "__exit__"):
        return value
    return Observed(value)


def enter_try() -> None:
    _rt.recorder.observers += 1


def leave_try() -> None:
    _rt.recorder.observers -= 1
    # In a `finally`: what is propagating, if anything is.
    error = sys.exc_info()[1]
    if error is not None:
        _suspect.look(error)


def since() -> int:
    """Where a `try` begins; -1 in a parallel block, whose end alone sees what fails in it."""
    recorder = _rt.recorder
    return -1 if recorder.groups else recorder.i


def enter_finally(since: int) -> None:
    recorder = _rt.recorder
    recorder.finals.append(since >= 0)
    if since >= 0 and recorder.dead is None:
        recorder.emit((T.FINALLY, since))


def leave_finally() -> None:
    recorder = _rt.recorder
    if recorder.finals and recorder.finals.pop() and recorder.dead is None:
        recorder.emit((T.END_FINALLY,))


TABLE: dict[str, Callable[[Any], None]] = {
    "json": patch_json,
    "operator": patch_operator,
    "shlex": patch_shlex,
    "textwrap": patch_textwrap,
    "contextlib": patch_contextlib,
}
