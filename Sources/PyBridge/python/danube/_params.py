"""A pipeline's parameters: those of its function, given as text and parsed by annotation."""

from __future__ import annotations

from danube import _kinds
from danube._suggest import closest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Diagnostic codes.
UNKNOWN, MISSING, WRONG_TYPE, UNSUPPORTED = "DNB601", "DNB602", "DNB603", "DNB604"

_VARIABLE_POSITIONAL, _VARIABLE_KEYWORD = 0x04, 0x08
_NO_DEFAULT = object()


class ParameterError(Exception):
    """A parameter was given wrongly, or is declared in a way that text cannot be parsed for.

    Attributes:
        message: What is wrong, with the parameter's name.
        hint: What to do about it, or None.
        code: Diagnostic code, DNB601 to DNB604.
        parameter: Name of the parameter.
        others: The further problems of the same call.
    """

    def __init__(
        self, message: str, hint: str | None = None, code: str = WRONG_TYPE, parameter: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
        self.parameter = parameter
        self.others: tuple[ParameterError, ...] = ()


class Parameter:
    """A parameter of a pipeline.

    Attributes:
        name: Its name.
        kind: How its text is parsed.
        is_required: It has no default.
        default: The default as the function has it, or None.
    """

    __slots__ = ("default", "is_required", "kind", "name")

    def __init__(self, name: str, kind: _kinds.Kind, default: object) -> None:
        self.name = name
        self.kind = kind
        self.is_required = default is _NO_DEFAULT
        self.default = None if default is _NO_DEFAULT else default


def bind(
    function: Callable[..., object], given: Mapping[str, str]
) -> tuple[dict[str, object], list[tuple[str, str, object]]]:
    """The arguments to call a pipeline with.

    Args:
        function: The function under `@pipeline`.
        given: Parameters as text, by name.

    Returns:
        The keyword arguments, defaults included, and for each parameter in the order of the
        signature its name, its type word (`str`, `int`, `float`, `bool`, `literal`, `enum`, or
        `list[…]` of one of these) and its value as JSON knows it.

    Raises:
        ParameterError: The first problem, in the order of the signature; unknown names come last.
            The further ones are in its `others`.
    """
    errors: list[ParameterError] = []
    arguments: dict[str, object] = {}
    values: list[tuple[str, str, object]] = []
    declared = _declared(function, errors)
    for parameter in declared:
        try:
            value = _value(parameter, given, function)
            values.append((parameter.name, parameter.kind.word, parameter.kind.encode(value)))
            arguments[parameter.name] = value
        except ParameterError as error:
            errors.append(error)
        except _kinds.Mismatch as error:
            if parameter.name in given:
                errors.append(_bad_value(parameter.name, error))
            else:
                errors.append(_bad_default(parameter, error))
    names = [parameter.name for parameter in declared]
    known = {*names, *(error.parameter for error in errors)}
    errors += [_unknown(name, names) for name in given if name not in known]
    if errors:
        errors[0].others = tuple(errors[1:])
        raise errors[0]
    return arguments, values


def signature(function: Callable[..., object]) -> list[Parameter]:
    """The parameters of a pipeline, for help texts.

    Args:
        function: The function under `@pipeline`.

    Raises:
        ParameterError: One is declared in a way that text cannot be parsed for.
    """
    errors: list[ParameterError] = []
    found = _declared(function, errors)
    if errors:
        errors[0].others = tuple(errors[1:])
        raise errors[0]
    return found


def _declared(function: Callable[..., object], errors: list[ParameterError]) -> list[Parameter]:
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    code = getattr(function, "__code__", None)
    if code is None:
        return []
    positional = code.co_varnames[: code.co_argcount]
    keywords = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    defaults: tuple[object, ...] = getattr(function, "__defaults__", None) or ()
    by_name = dict(zip(positional[len(positional) - len(defaults) :], defaults, strict=True))
    by_name.update(getattr(function, "__kwdefaults__", None) or {})
    found: list[Parameter] = []
    for position, name in enumerate(positional + keywords):
        default = by_name.get(name, _NO_DEFAULT)
        try:
            if position < code.co_posonlyargcount:
                raise _kinds.Mismatch("is positional-only", "remove the `/` from the signature")
            kind = _kinds.of(_annotation(function, name, default))
            found.append(Parameter(name, kind, default))
        except _kinds.Mismatch as error:
            message = f"parameter `{name}` {error.message}"
            errors.append(ParameterError(message, error.hint, UNSUPPORTED, name))
    return found


def _annotation(function: Callable[..., object], name: str, default: object) -> object:
    annotations = getattr(function, "__annotations__", None) or {}
    if name not in annotations:
        return str if default is _NO_DEFAULT or default is None else _type_of(default)
    found = annotations[name]
    if not isinstance(found, str):
        return found
    try:
        return eval(found, getattr(function, "__globals__", {}))
    except Exception as error:
        raise _kinds.Mismatch(
            f"has the annotation `{found}`, which cannot be evaluated: {error}",
            "import what it names at the top of the file, not under `if TYPE_CHECKING:`",
        ) from None


def _type_of(default: object) -> object:
    if isinstance(default, (list, tuple)):
        item = type(default[0]) if default else str
        return list[item]  # type: ignore[valid-type]
    return type(default)


def _described(function: Callable[..., object], name: str) -> str:
    """What the docstring says of a parameter, on the line that begins with its name."""
    for line in (getattr(function, "__doc__", None) or "").split("\n"):
        before, colon, text = line.strip().partition(":")
        if colon and before.split(" ")[0] == name and text.strip():
            return f" ({text.strip()})"
    return ""


def _value(
    parameter: Parameter, given: Mapping[str, str], function: Callable[..., object]
) -> object:
    name, kind = parameter.name, parameter.kind
    if name in given:
        try:
            return kind.parse(given[name])
        except _kinds.Mismatch as error:
            raise _bad_value(name, error) from None
    if parameter.is_required:
        raise ParameterError(
            f"parameter `{name}` is missing",
            f"give it: `--param {name}={kind.example}`{_described(function, name)}, or give it a "
            "default in the signature",
            MISSING,
            name,
        )
    default = parameter.default
    # A list belongs to the call: changing it must not change the default of the next.
    return list(default) if isinstance(default, list) else default


def _bad_value(name: str, error: _kinds.Mismatch) -> ParameterError:
    return ParameterError(f"parameter `{name}` {error.message}", error.hint, WRONG_TYPE, name)


def _bad_default(parameter: Parameter, error: _kinds.Mismatch) -> ParameterError:
    return ParameterError(
        f"the default of parameter `{parameter.name}` {error.message}",
        f"make it {parameter.kind.noun}, as the annotation says",
        WRONG_TYPE,
        parameter.name,
    )


def _unknown(name: str, names: list[str]) -> ParameterError:
    nearest = closest(name, names)
    if nearest is not None:
        hint = f"did you mean `{nearest}`?"
    elif names:
        hint = f"it has: {', '.join(names)}"
    else:
        hint = "add it to the signature of the pipeline's function"
    return ParameterError(f"the pipeline has no parameter `{name}`", hint, UNKNOWN, name)
