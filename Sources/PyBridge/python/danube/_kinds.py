"""The kinds of parameters: how an annotation says that text is parsed.

Annotations are taken apart by the attributes that `typing` documents (`__origin__`, `__args__`),
because importing `typing` costs more than evaluating a small pipeline.
"""

from __future__ import annotations

from danube._suggest import closest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_NONE = type(None)
_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")
_INFINITY = float("inf")
# JSON carries integers below this without loss.
_EXACT = 1 << 53


class Mismatch(Exception):
    """A text, default or annotation does not fit. The message continues "parameter `x` …"."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Kind:
    """How values of a parameter are parsed and shown.

    Attributes:
        word: The type word of the plan.
        noun: The type in a sentence: "a whole number".
        example: Text that would be accepted.
        choices: The accepted texts when they are few, else ().
        parse: The value of a text. Raises `Mismatch`.
        encode: A value as JSON knows it. Raises `Mismatch` when it is not of this kind.
    """

    __slots__ = ("choices", "encode", "example", "noun", "parse", "word")

    def __init__(
        self,
        word: str,
        noun: str,
        example: str,
        parse: Callable[[str], object],
        encode: Callable[[Any], object],
        choices: tuple[str, ...] = (),
    ) -> None:
        self.word = word
        self.noun = noun
        self.example = example
        self.parse = parse
        self.encode = encode
        self.choices = choices


def of(annotation: object) -> Kind:
    """The kind that an annotation asks for.

    Args:
        annotation: `str`, `int`, `float`, `bool`, a `Literal`, an `Enum`, a list, sequence or
            tuple of one of these, or one of these or None.

    Raises:
        Mismatch: It is something else.
    """
    arguments: tuple[Any, ...] = getattr(annotation, "__args__", ())
    if hasattr(annotation, "__metadata__"):
        return of(getattr(annotation, "__origin__", None))
    constructor = _constructor(annotation)
    if constructor == "Literal":
        return _literal(arguments)
    if constructor in ("Union", "UnionType"):
        inner = [one for one in arguments if one is not _NONE]
        if len(inner) == 1:
            return _optional(of(inner[0]))
    elif constructor in ("list", "List", "Sequence"):
        return _list(of(arguments[0] if arguments else str), list)
    elif constructor in ("tuple", "Tuple") and (not arguments or arguments[1:] == (...,)):
        return _list(of(arguments[0] if arguments else str), tuple)
    elif isinstance(annotation, type):
        if hasattr(annotation, "__members__"):
            return _enum(annotation)
        if annotation in _SCALARS:
            return _SCALARS[annotation]
    name = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    raise Mismatch(
        f"has the type `{name}`, which cannot be given as text",
        "use str, int, float, bool, Literal, an Enum, or a list of one of these",
    )


def _constructor(annotation: object) -> str:
    """`list` of `list[int]`, `Literal` of `Literal["a"]`, `Union` of `Optional[int]`."""
    origin = getattr(annotation, "__origin__", None)
    if origin is None:
        plain = annotation in (list, tuple)
        return annotation.__name__ if plain else type(annotation).__name__  # type: ignore
    return str(getattr(origin, "_name", None) or getattr(origin, "__name__", ""))


def _scalar(kind: type, noun: str, example: str, parse: Callable[[str], object]) -> Kind:
    def encode(value: Any) -> object:
        # A whole number is a number, but a truth value is not.
        if kind is float and type(value) in (int, float) and -_INFINITY < value < _INFINITY:
            return value
        if kind is not float and type(value) is kind:
            if kind is int and isinstance(value, int) and not -_EXACT < value < _EXACT:
                raise Mismatch("is beyond 2^53, which JSON cannot carry", "take it as a str")
            return value
        raise Mismatch(f"is {value!r}, not {noun}")

    return Kind(kind.__name__, noun, example, parse, encode)


def _parsed_int(text: str) -> object:
    try:
        if text.isascii() and "_" not in text:
            return int(text, 10)
    except ValueError:
        pass
    raise Mismatch(f"is {_shown(text)}, not a whole number", "write digits, such as 42")


def _parsed_float(text: str) -> object:
    try:
        value = float(text) if text.isascii() and "_" not in text else _INFINITY
        if -_INFINITY < value < _INFINITY:
            return value
    except ValueError:
        pass
    raise Mismatch(f"is {_shown(text)}, not a number", "write digits, such as 1.5 or 2")


def _parsed_bool(text: str) -> object:
    word = text.strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise Mismatch(f"is {_shown(text)}, not a truth value", "write true or false")


_SCALARS: dict[type, Kind] = {
    str: _scalar(str, "text", "TEXT", lambda text: text),
    int: _scalar(int, "a whole number", "1", _parsed_int),
    float: _scalar(float, "a number", "1.5", _parsed_float),
    bool: _scalar(bool, "a truth value", "true", _parsed_bool),
}


def _chosen(texts: list[str], text: str) -> int:
    """Position of the text among the choices."""
    if text in texts:
        return texts.index(text)
    nearest = closest(text, texts)
    hint = f"did you mean `{nearest}`?" if nearest else f"one of: {', '.join(texts)}"
    raise Mismatch(f"is {_shown(text)}, which is none of its choices", hint)


def _literal(values: tuple[Any, ...]) -> Kind:
    shown = [value.value if hasattr(type(value), "__members__") else value for value in values]
    texts = ["" if value is None else _as_text(value) for value in shown]

    def encode(value: Any) -> object:
        for one, json in zip(values, shown, strict=True):
            if type(one) is type(value) and one == value:
                return json
        raise Mismatch(f"is {value!r}, which is none of its choices")

    return Kind(
        "literal", f"one of {', '.join(texts)}", texts[0],
        lambda text: values[_chosen(texts, text)], encode, tuple(texts),
    )  # fmt: skip


def _enum(kind: Any) -> Kind:
    members = list(kind)
    if not members:
        raise Mismatch(f"has the type `{kind.__name__}`, an Enum without members")
    simple = all(isinstance(member.value, (str, int, float)) for member in members)
    texts = [_as_text(member.value) if simple else member.name for member in members]

    def parse(text: str) -> object:
        if text not in texts and text in kind.__members__:
            member: object = kind.__members__[text]
            return member
        return members[_chosen(texts, text)]

    def encode(value: Any) -> object:
        if isinstance(value, kind) and value in members:
            return value.value if simple else value.name
        raise Mismatch(f"is {value!r}, not a {kind.__name__}")

    noun = f"one of {', '.join(texts)}"
    return Kind("enum", noun, texts[0], parse, encode, tuple(texts))


def _list(item: Kind, make: Callable[[list[object]], object]) -> Kind:
    if item.word.startswith("list"):
        raise Mismatch("is a list of lists, which cannot be given as text", "use a flat list")

    def encode(value: Any) -> object:
        if isinstance(value, (list, tuple)):
            return [item.encode(one) for one in value]
        raise Mismatch(f"is {value!r}, not a list")

    def parse(text: str) -> object:
        return make([item.parse(one) for one in _items(text)])

    example = f"{item.example},{item.example}"
    return Kind(f"list[{item.word}]", f"a list, each {item.noun}", example, parse, encode)


def _items(text: str) -> list[str]:
    """The items of `a,b,c`, or of a JSON list, which can hold commas."""
    if not text.lstrip().startswith("["):
        return [one.strip() for one in text.split(",")] if text.strip() else []
    import json

    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or any(isinstance(one, (list, dict)) for one in found):
        raise Mismatch(f"is {_shown(text)}, not a list", 'write a,b,c or ["a", "b", "c"]')
    return [_as_text(one) for one in found]


def _optional(inner: Kind) -> Kind:
    """The same, with None as a default, and given by empty text where that means nothing else."""

    def parse(text: str) -> object:
        return None if text == "" and inner.word != "str" else inner.parse(text)

    def encode(value: Any) -> object:
        return None if value is None else inner.encode(value)

    return Kind(inner.word, inner.noun, inner.example, parse, encode, inner.choices)


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:77] + "...")
