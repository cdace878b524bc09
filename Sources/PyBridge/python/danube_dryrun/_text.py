"""Captured output, secrets and texts made of them."""

from __future__ import annotations

from . import _rt
from ._symbolic import Symbolic, _needs_value, dynamic, exact, negate, parts_of, pred, text, wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator

    Part = Any


def _const(value: Any, what: str) -> str:
    if type(value) is Text:
        dynamic(
            "DNB205",
            f"{what} of a text that only a run can give",
            "Use a constant here, or move this into a step's script.",
        )
    if isinstance(value, str):
        return exact(value)
    raise TypeError(f"{what} must be str, not {type(value).__name__}")


class Text(Symbolic):
    """A text with parts that only a run can give."""

    __slots__ = ("_parts", "_step", "_label")

    def __init__(self, parts: tuple[Part, ...], step: int = -1, label: str = "") -> None:
        self._parts = parts
        self._step = step
        self._label = label

    @property
    def __class__(self) -> Any:
        return str

    def _name(self) -> str:
        for part in self._parts:
            if type(part) is tuple and part[0] == "x":
                return f"the secret `{part[1]}`"
        return f"the output of `{self._label}`" if self._label else "a captured text"

    def _handle(self) -> int:
        return self._step

    def _has(self, kind: str) -> bool:
        return any(_mentions(part, kind) for part in self._parts)

    def _ask(self) -> tuple[Any, ...]:
        """The template for use in a predicate."""
        if self._has("x"):
            _rt.recorder.dynamic(
                "DNB405",
                f"comparing {self._name()} would make the plan depend on it",
                "Let the step's script look at the secret.",
            )
        _rt.recorder.touch(self._parts)
        return ("t",) + self._parts

    def _touch(self) -> None:
        """In a parallel block, using the output of a step that failed raises here."""
        if _rt.recorder.pending:
            _rt.recorder.touch(self._parts)

    def _truth(self) -> Any:
        self._touch()
        if any(type(part) is str for part in self._parts):
            return True
        return negate(pred(("cmp", "==", self._ask(), "")))

    def __bool__(self) -> bool:
        return bool(self._truth())

    def _compare(self, op: str, other: Any) -> Any:
        self._touch()
        if not isinstance(other, str):
            return NotImplemented
        left: Any = self._ask()
        right: Any = other._ask() if type(other) is Text else exact(other)
        if left == right:
            return op in ("==", "<=", ">=")
        if op in (">", ">="):
            left, right, op = right, left, "<" if op == ">" else "<="
        if op in ("==", "!="):
            if type(right) is tuple and (type(left) is str or repr(right) < repr(left)):
                left, right = right, left
            found = pred(("cmp", "==", left, right))
            return found if op == "==" else negate(found)
        return pred(("cmp", op, left, right))

    def __eq__(self, other: Any) -> Any:
        return self._compare("==", other)

    def __ne__(self, other: Any) -> Any:
        return self._compare("!=", other)

    def __lt__(self, other: Any) -> Any:
        return self._compare("<", other)

    def __le__(self, other: Any) -> Any:
        return self._compare("<=", other)

    def __gt__(self, other: Any) -> Any:
        return self._compare(">", other)

    def __ge__(self, other: Any) -> Any:
        return self._compare(">=", other)

    __hash__ = Symbolic.__hash__

    def _contains(self, other: Any) -> Any:
        self._touch()
        if not isinstance(other, str):
            raise TypeError(
                f"'in <string>' requires string as left operand, not {type(other).__name__}"
            )
        if type(other) is not Text and not other:
            return True
        left: Any = other._ask() if type(other) is Text else exact(other)
        return pred(("cmp", "in", left, self._ask()))

    def __contains__(self, other: Any) -> bool:
        return bool(self._contains(other))

    def _affix(self, op: str, affix: Any, args: tuple[Any, ...]) -> Any:
        self._touch()
        if args:
            dynamic("DNB205", f"{op} with a range needs the value", "Compare without a range.")
        if isinstance(affix, tuple):
            from ._symbolic import combine

            return combine(False, [self._affix(op, one, ()) for one in affix])
        text_ = _const(affix, op)
        return True if not text_ else pred(("cmp", op, self._ask(), text_))

    def startswith(self, prefix: Any, *args: Any) -> Any:
        return self._affix("startswith", prefix, args)

    def endswith(self, suffix: Any, *args: Any) -> Any:
        return self._affix("endswith", suffix, args)

    def _operate(
        self, name: str, args: tuple[str, ...] = (), index: int = 0, limit: int = -1
    ) -> Any:
        self._touch()
        part = ("m", name, ("t",) + self._parts, args, index, limit)
        return Text((part,), -1, self._label)

    def _strip(self, name: str, chars: Any) -> Any:
        return self._operate(name, () if chars is None else (_const(chars, name),))

    def strip(self, chars: Any = None) -> Any:
        return self._strip("strip", chars)

    def lstrip(self, chars: Any = None) -> Any:
        return self._strip("lstrip", chars)

    def rstrip(self, chars: Any = None) -> Any:
        return self._strip("rstrip", chars)

    def lower(self) -> Any:
        return self._operate("lower")

    def upper(self) -> Any:
        return self._operate("upper")

    def replace(self, old: Any, new: Any, count: int = -1) -> Any:
        return self._operate(
            "replace", (_const(old, "replace"), _const(new, "replace")), 0, _small(count)
        )

    def removeprefix(self, prefix: Any) -> Any:
        return self._operate("removeprefix", (_const(prefix, "removeprefix"),))

    def removesuffix(self, suffix: Any) -> Any:
        return self._operate("removesuffix", (_const(suffix, "removesuffix"),))

    def split(self, sep: Any = None, maxsplit: int = -1) -> Any:
        self._touch()
        args = () if sep is None else (_const(sep, "split"),)
        if args == ("",):
            raise ValueError("empty separator")
        return Pieces(self, "split", args, _small(maxsplit))

    def splitlines(self, keepends: bool = False) -> Any:
        self._touch()
        if keepends:
            dynamic("DNB205", "splitlines(keepends=True) is not recorded", "Use splitlines().")
        return Pieces(self, "splitlines", (), -1)

    def __add__(self, other: Any) -> Any:
        parts = parts_of(other) if isinstance(other, str) else None
        if parts is None:
            return NotImplemented
        return text(self._parts + parts)

    def __radd__(self, other: Any) -> Any:
        parts = parts_of(other) if isinstance(other, str) else None
        if parts is None:
            return NotImplemented
        return text(parts + self._parts)

    def __mod__(self, other: Any) -> Any:
        from ._formatting import percent

        return percent(self, other)

    def format(self, *args: Any, **kwargs: Any) -> Any:
        from ._formatting import format_text

        return format_text(self, args, kwargs)

    def join(self, items: Any) -> Any:
        from ._formatting import join_text

        return join_text(self, items)

    def __iter__(self) -> Iterator[Any]:
        dynamic(
            "DNB203",
            f"iterating over {self._name()} needs its value",
            "Read the list from a file of the repository, or loop inside the step's script.",
        )

    def __getattr__(self, name: str) -> Any:
        if hasattr(str, name):
            dynamic(
                "DNB205",
                f"`.{name}` of {self._name()} is not recorded",
                "Recorded are strip, lower, upper, replace, removeprefix, removesuffix, "
                "split()[i], splitlines()[i]; do the rest in the step's script.",
            )
        raise AttributeError(f"'str' object has no attribute '{name}'")


for _op in ("getitem", "mul", "rmul", "len", "int", "float", "index", "reversed"):
    setattr(
        Text,
        f"__{_op}__",
        _needs_value(
            {"len": "`len()`", "int": "`int()`", "float": "`float()`", "getitem": "indexing"}.get(
                _op, _op
            ),
            "",
            "DNB204" if _op in ("len", "int", "float") else "DNB201",
        ),
    )


def _mentions(part: Any, kind: str) -> bool:
    if type(part) is str:
        return False
    return part[0] == kind or part[0] == "m" and any(_mentions(one, kind) for one in part[2][1:])


def _small(value: Any) -> int:
    number = int(value)
    return -1 if number < 0 else min(number, 1 << 30)


class Pieces(Symbolic):
    """What `split` and `splitlines` return: only one element can be taken."""

    __slots__ = ("_text", "_method", "_args", "_limit")

    def __init__(self, text_: Text, method: str, args: tuple[str, ...], limit: int) -> None:
        self._text = text_
        self._method = method
        self._args = args
        self._limit = limit

    @property
    def __class__(self) -> Any:
        return list

    def _name(self) -> str:
        return f"the {self._method}() of {self._text._name()}"

    def __getitem__(self, index: Any) -> Any:
        if type(index) is not int or not -(1 << 30) < index < 1 << 30:
            dynamic(
                "DNB205",
                f"only one element of {self._name()} can be taken",
                "Index it with a constant number.",
            )
        found = self._text._operate(self._method, self._args, index, self._limit)
        if not (self._args and index in (0, -1)):
            self._text._ask()
            if not pred_true(("def", ("t",) + found._parts)):
                missing = IndexError("list index out of range")
                missing.danube_expected = True  # type: ignore[attr-defined]
                raise missing
        return found

    def __iter__(self) -> Iterator[Any]:
        dynamic(
            "DNB203",
            f"iterating over {self._name()} needs its value",
            "Read the list from a file of the repository, or loop inside the step's script.",
        )

    def __bool__(self) -> bool:
        if self._method == "split" and self._args:
            return True
        found = self._text._operate(self._method, self._args, 0, self._limit)
        self._text._ask()
        return pred_true(("def", ("t",) + found._parts))

    def __getattr__(self, name: str) -> Any:
        if hasattr(list, name):
            dynamic(
                "DNB205",
                f"`.{name}` of {self._name()} needs its value",
                "Take one element with a constant index.",
            )
        raise AttributeError(f"'list' object has no attribute '{name}'")


for _op in (
    "len",
    "contains",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "add",
    "radd",
    "mul",
    "reversed",
):
    setattr(Pieces, f"__{_op}__", _needs_value(f"{_op} on pieces of a text"))
Pieces.__hash__ = Symbolic.__hash__  # type: ignore[method-assign]


def pred_true(p: Any) -> bool:
    """Decides a predicate."""
    return bool(pred(p))


__all__ = ["Pieces", "Text", "wire"]
