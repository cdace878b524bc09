"""Whether Python's state is the same before and after one side of a branch.

A snapshot lists every mutable object that the user's code can reach from a frame, with its content
by identity. It errs on the side of "changed": then both sides are evaluated apart, which is
always right and only costs time.
"""

from __future__ import annotations

import _operator
import _thread
import sys

from ._symbolic import Code, Predicate, Symbolic
from ._text import Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Iterable

_VALUES = frozenset((int, str, bool, float, bytes, complex, type(None)))
_ATOMS = _VALUES | frozenset(
    (
        type(Ellipsis),
        type(NotImplemented),
        range,
        slice,
        object,
        Code,
        Predicate,
        Text,
        type((lambda: 0).__code__),
        type(int.__add__),
        type(str.join),
        type(dict.__dict__["get"]),
        type(type.__dict__["__name__"]),
        type([].__len__),
        type(_thread.allocate_lock()),
        _thread.RLock,
    )
)
# Classes whose instances never change in a way that a user can see.
_FROZEN_MODULES = frozenset(
    (
        "datetime",
        "decimal",
        "_pydecimal",
        "fractions",
        "pathlib",
        "re",
        "uuid",
        "typing",
        "numbers",
        "ipaddress",
        "string",
        "zoneinfo",
    )
)
# Classes in them whose instances do change.
_CHANGING = frozenset(("Context", "SRE_Scanner"))
_FUNCTION = type(lambda: 0)
_BUILTIN = type(len)
_METHOD = type(Symbolic().__copy__)
_MODULE = type(sys)
_CELL = type((lambda x: lambda: x)(0).__closure__[0])  # type: ignore[index]
_GENERATOR = type((lambda: (yield))())
_PROXY = type(type.__dict__)


class Unknown(Exception):
    """Something is reachable whose state cannot be read."""


def same(a: Any, b: Any) -> bool:
    """Identical, or plain values of one type that nothing can tell apart."""
    if a is b:
        return True
    kind = type(a)
    if kind is not type(b) or kind not in _VALUES:
        return False
    # 0.0 and -0.0 are equal and are not the same.
    return repr(a) == repr(b) if kind is float or kind is complex else bool(a == b)


def all_same(a: tuple[Any, ...], b: tuple[Any, ...]) -> bool:
    """Element by element."""
    return len(a) == len(b) and (all(map(_operator.is_, a, b)) or all(map(same, a, b)))


def _mapping(value: Any) -> tuple[Any, ...]:
    return tuple(dict.keys(value)) + tuple(dict.values(value))


def _function(value: Any) -> tuple[Any, ...]:
    return (value.__code__, value.__defaults__, value.__kwdefaults__, value.__closure__) + _mapping(
        value.__dict__
    )


def _cell(value: Any) -> tuple[Any, ...]:
    try:
        return (value.cell_contents,)
    except ValueError:
        return ()


def _generator(value: Any) -> tuple[Any, ...]:
    frame = value.gi_frame
    if frame is None:
        return ()
    return (frame.f_lasti, *frame.f_locals.values())


def _class(value: Any) -> tuple[Any, ...]:
    names = vars(value)
    return tuple(names.keys()) + tuple(names.values()) + value.__bases__


def _instance(value: Any) -> tuple[Any, ...]:
    found: tuple[Any, ...] = ()
    own = getattr(value, "__dict__", None)
    if type(own) is dict:
        found += _mapping(own)
    for base in type(value).__mro__:
        slots = base.__dict__.get("__slots__", ())
        for name in (slots,) if type(slots) is str else slots:
            if name not in ("__dict__", "__weakref__"):
                descriptor = base.__dict__.get(name)
                if descriptor is not None:
                    try:
                        found += (descriptor.__get__(value),)
                    except AttributeError:
                        found += (None, None)
    if isinstance(value, dict):
        found += _mapping(value)
    elif isinstance(value, (list, tuple, set, frozenset)):
        found += tuple(value.__iter__())
    return found


def _reduced(value: Any) -> tuple[Any, ...]:
    """Content of an iterator by what it would pickle to, which does not advance it."""
    try:
        found = value.__reduce__()
    except Exception as error:
        raise Unknown from error
    flat: list[Any] = []
    todo: list[Any] = [found]
    while todo:
        one = todo.pop()
        if type(one) in (tuple, list):
            flat.append(len(one))
            todo += one
        else:
            flat.append(one)
    return tuple(flat)


def _random(value: Any) -> tuple[Any, ...]:
    return tuple(value.getstate()[1])


_READERS: dict[Any, Callable[[Any], tuple[Any, ...]]] = {
    list: tuple,
    tuple: tuple,
    set: tuple,
    frozenset: tuple,
    dict: _mapping,
    bytearray: tuple,
    _FUNCTION: _function,
    _CELL: _cell,
    _GENERATOR: _generator,
    _METHOD: lambda value: (value.__self__, value.__func__),
    property: lambda value: (value.fget, value.fset, value.fdel),
    staticmethod: lambda value: (value.__func__,),
    classmethod: lambda value: (value.__func__,),
    _PROXY: lambda value: tuple(value.keys()) + tuple(value.values()),
}


def _reader(value: Any, kind: Any) -> Callable[[Any], tuple[Any, ...]] | None:
    """How to read the content of an object; None when it has none that can change."""
    if kind is _BUILTIN:
        owner = value.__self__
        return None if owner is None or type(owner) is _MODULE else lambda v: (v.__self__,)
    if kind is _MODULE:
        return _module if is_repository(value) else _library
    if issubclass(kind, type):
        module = sys.modules.get(value.__module__)
        return _class if module is not None and is_repository(module) else None
    module_name = kind.__module__
    name = kind.__name__
    if module_name in _FROZEN_MODULES and name not in _CHANGING:
        return None
    if module_name.startswith("danube"):
        return None
    if module_name == "functools" and name == "_lru_cache_wrapper":
        return lambda v: tuple(v.cache_info()) + (v.__wrapped__,) + _mapping(v.__dict__)
    if module_name == "functools" and name == "partial":
        return lambda v: (v.func, v.args, v.keywords)
    if module_name == "random":
        return _random
    if module_name == "collections" and name == "deque":
        return tuple
    if module_name in sys.builtin_module_names or not _is_class_of_python(kind):
        if _says_nothing(kind):
            raise Unknown
        return _reduced
    # A class written in Python: its state is its dictionary, its slots, its base's content.
    return _instance


def _is_class_of_python(kind: Any) -> bool:
    """Whether a type was made by a `class` statement, so that its state can be read."""
    own = [vars(base) for base in kind.__mro__[:-1]]
    return any("__dict__" in one or "__slots__" in one for one in own)


def _says_nothing(kind: Any) -> bool:
    """Whether a type in C would pickle to nothing, whatever its instances hold."""
    return (
        kind.__reduce__ is object.__reduce__
        and kind.__reduce_ex__ is object.__reduce_ex__
        and kind.__getstate__ is object.__getstate__
    )


def _library(value: Any) -> tuple[Any, ...]:
    """What a module of the library binds. What is deeper than that is not looked at."""
    own = vars(value)
    found = tuple(own.keys()) + tuple(map(id, own.values()))
    return (*found, own["environ"]) if "environ" in own else found


_HIDDEN = ("__builtins__", "__d_s__")


def _module(value: Any) -> tuple[Any, ...]:
    items = [item for item in vars(value).items() if item[0] not in _HIDDEN]
    return tuple(name for name, _ in items) + tuple(found for _, found in items)


# Tells modules of the repository; set with the importer.
repository: Callable[[Any], bool] = lambda module: False  # noqa: E731


def is_repository(module: Any) -> bool:
    """Whether a module is the danubefile or one of the repository's own."""
    return getattr(module, "__name__", None) == "__danubefile__" or repository(module)


class Snapshot:
    """Everything mutable that can be reached from some objects."""

    def __init__(self, roots: Iterable[Any]) -> None:
        seen: dict[int, Any] = {}
        self._objects: list[tuple[Any, Any, tuple[Any, ...]]] = []
        todo = list(roots)
        while todo:
            value = todo.pop()
            kind = type(value)
            if kind in _ATOMS or id(value) in seen:
                continue
            reader = _READERS.get(kind)
            if reader is None:
                reader = _reader(value, kind)
            seen[id(value)] = value
            if reader is None:
                continue
            content = reader(value)
            if kind is not tuple and kind is not frozenset:
                self._objects.append((value, reader, content))
            if not _ATOMS.issuperset(map(type, content)):
                todo += content

    def unchanged(self) -> bool:
        """Whether every one of them still has the content it had."""
        for value, reader, content in self._objects:
            if not all_same(content, reader(value)):
                return False
        return True


class _Variables:
    """The values of context variables, read anew each time."""

    __slots__ = ("_module",)

    def __init__(self, module: Any) -> None:
        self._module = module

    def content(self) -> tuple[Any, ...]:
        return tuple(one for pair in self._module.copy_context().items() for one in pair)


_READERS[_Variables] = _Variables.content


def roots(frame: Any) -> list[Any]:
    """What user code can reach from a frame: its locals, and modules of the repository."""
    found = [value for name, value in frame.f_locals.items() if name[:4] != "__d_"]
    found += [
        one for one in list(sys.modules.values()) if type(one) is _MODULE and is_repository(one)
    ]
    variables = sys.modules.get("contextvars")
    if variables is not None:
        found += [one for pair in variables.copy_context().items() for one in pair]
        found.append(_Variables(variables))
    random = sys.modules.get("random")
    if random is not None:
        found.append(getattr(random, "_inst", None))
    return found


__all__ = ["Snapshot", "Unknown", "roots", "same", "all_same", "is_repository"]
