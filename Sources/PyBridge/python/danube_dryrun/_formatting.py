"""Python's ways of putting values into text, for texts that only a run can give."""

from __future__ import annotations

import _string

from ._symbolic import Code, Predicate, Symbolic, dynamic, exact, parts_of, text
from ._text import Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterable

_PLAIN = (str, int, float, bool, type(None))


def is_open(value: Any) -> bool:
    """Whether formatting the value needs care: it is symbolic, or marked as untrusted."""
    kind = type(value)
    return kind not in _PLAIN and (
        kind is Text
        or kind is Code
        or kind is Predicate
        or kind.__name__ in ("Untrusted", "StepFailed")
    )


def piece(value: Any) -> Any:
    """Parts of `str(value)` as a tuple."""
    parts = parts_of(value)
    if parts is not None:
        return parts
    if type(value) is Predicate:
        return (str(bool(value)),)
    if type(value).__name__ == "StepFailed" and hasattr(value, "step"):
        return (
            "step ",
            *parts_of(formatted(value.step, "r", "")),
            " failed with exit code ",
            *piece(value.code),
        )
    found = str(value)
    return parts_of(found) or ("",)


def fstr(*values: Any) -> Any:
    """An f-string whose values have neither conversion nor specification."""
    parts: list[Any] = []
    plain = True
    for value in values:
        kind = type(value)
        if kind is str:
            parts.append(value)
        elif kind is int:
            parts.append(str(value))
        elif is_open(value):
            plain = False
            parts += piece(value)
        else:
            found = format(value, "")
            _touched(kind)
            parts.append(found)
    return "".join(parts) if plain else text(parts)


def _touched(kind: Any) -> None:
    """A user's own `__format__` or `__str__` may have changed Python's state."""
    if kind not in _PLAIN:
        from . import _rt

        _rt.recorder.impure = True


def formatted(value: Any, conversion: str, spec: Any) -> Any:
    """One value of an f-string with a conversion or a specification."""
    if is_open(value) or is_open(spec):
        if type(value) is Predicate:
            value = bool(value)
        elif conversion in ("", "s") and not spec:
            return text(piece(value))
        elif (
            type(value) is Code
            and (spec == "d" or conversion in ("r", "a"))
            and (spec in ("", "d"))
        ):
            return text(piece(value))
        elif (
            isinstance(value, Symbolic)
            or isinstance(spec, Symbolic)
            or type(value) in (Text, Code)
            or type(spec) in (Text, Code)
        ):
            dynamic(
                "DNB205",
                "a format specification or `!r` on a result needs its value",
                "Interpolate it plainly, or format it in the step's script.",
            )
    if conversion == "r":
        value = repr(value)
    elif conversion == "s":
        value = str(value)
    elif conversion == "a":
        value = ascii(value)
    else:
        _touched(type(value))
    return format(value, spec)


def join_text(separator: Any, items: Iterable[Any]) -> Any:
    """`separator.join(items)`."""
    values = list(items)
    if not is_open(separator) and not any(is_open(value) for value in values):
        return separator.join(values)
    between = parts_of(separator)
    parts: list[Any] = []
    for index, value in enumerate(values):
        if not isinstance(value, str) or type(value) is Code:
            raise TypeError(f"sequence item {index}: expected str instance, {_kind(value)} found")
        if index:
            parts += between or ()
        parts += parts_of(value) or ()
    return text(parts)


def _kind(value: Any) -> str:
    return "int" if type(value) is Code else type(value).__name__


def format_text(template: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`template.format(*args, **kwargs)`."""
    if type(template) is Text:
        dynamic(
            "DNB205",
            "a format template that only a run can give needs its value",
            "Use a constant template.",
        )
    template = exact(template)
    return text(_expand(template, args, kwargs, [0]))


def _expand(
    template: str, args: tuple[Any, ...], kwargs: dict[str, Any], auto: list[int]
) -> list[Any]:
    parts: list[Any] = []
    for literal, field, spec, conversion in _string.formatter_parser(template):
        parts.append(literal)
        if field is None:
            continue
        first, rest = _string.formatter_field_name_split(field)
        if first == "":
            first = auto[0]
            auto[0] += 1
        value = args[first] if isinstance(first, int) else kwargs[first]
        for is_attribute, name in rest:
            value = getattr(value, name) if is_attribute else value[name]
        inner = text(_expand(spec, args, kwargs, auto)) if spec and "{" in spec else spec or ""
        found = formatted(value, conversion or "", inner)
        parts += parts_of(found) or ()
    return parts


def percent(template: Any, values: Any) -> Any:
    """`template % values`."""
    if type(template) is Text:
        dynamic(
            "DNB205",
            "a % template that only a run can give needs its value",
            "Use a constant template.",
        )
    supplied = values if type(values) is tuple else (values,)
    named = values if hasattr(values, "keys") else None
    opened = any(is_open(value) for value in supplied) or (
        named is not None and any(is_open(value) for value in named.values())
    )
    if not opened and not is_open(template):
        return template % values
    template = exact(template)
    parts: list[Any] = []
    used = 0
    at = 0
    while True:
        mark = template.find("%", at)
        if mark < 0:
            parts.append(template[at:])
            break
        parts.append(template[at:mark])
        end = mark + 1
        key = None
        if template[end : end + 1] == "(":
            close = template.index(")", end)
            key = template[end + 1 : close]
            end = close + 1
        flags = end
        while end < len(template) and template[end] in "#0- +123456789.*hlL":
            end += 1
        if end >= len(template):
            raise ValueError("incomplete format")
        kind = template[end]
        at = end + 1
        if kind == "%":
            parts.append("%")
            continue
        if key is not None:
            if named is None:
                raise TypeError("format requires a mapping")
            value = named[key]
        else:
            if used >= len(supplied):
                raise TypeError("not enough arguments for format string")
            value = supplied[used]
            used += 1
        parts += _percent_one(template[flags:end], kind, value)
    if named is None and used < len(supplied):
        raise TypeError("not all arguments converted during string formatting")
    return text(parts)


def _percent_one(flags: str, kind: str, value: Any) -> Any:
    if type(value) is Predicate:
        value = bool(value)
    if not is_open(value):
        found = ("%" + flags + kind) % (value,)
        return parts_of(found) or ("",)
    if not flags and (kind == "s" or (type(value) is Code and kind in "dir")):
        return piece(value)
    if type(value) is Text and kind in "di":
        raise TypeError(f"%{kind} format: a real number is required, not str")
    dynamic(
        "DNB205",
        f"`%{flags}{kind}` of a result needs its value",
        "Use %s, or format it in the step's script.",
    )


def as_str(value: Any) -> Any:
    """`str(value)`."""
    return text(piece(value)) if is_open(value) else str(value)
