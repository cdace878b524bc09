"""Results of steps as opaque values that record what is done with them.

They are never `str` or `int`: an operation that is not recorded raises, so it cannot be wrong in
silence. `__class__` answers what a live run would have, so that `isinstance` tells the truth.
"""

from __future__ import annotations

from . import _predicates as P
from . import _rt
from ._opaque import Symbolic, dynamic
from ._opaque import needs_value as _needs_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterable

    Part = Any
    Wire = Any


# The text as an exact `str`, whatever a subclass says of itself.
exact = str.__str__


def parts_of(value: Any) -> tuple[Part, ...] | None:
    """Template parts of a text or exit code; None when it is neither."""
    kind = type(value)
    if kind is str:
        return (value,)
    if kind is Text:
        if _rt.recorder.pending:
            _rt.recorder.touch(value._parts)
        return value._parts  # type: ignore[no-any-return]
    if kind is Code:
        return value._as_parts()  # type: ignore[no-any-return]
    if isinstance(value, str):
        if kind.__name__ == "Untrusted" and kind.__module__.startswith("danube."):
            return (("u", exact(value)),)
        return (exact(value),)
    return None


def join_parts(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Joins neighbouring literals."""
    out: list[Part] = []
    for part in parts:
        if type(part) is str:
            if not part:
                continue
            if out and type(out[-1]) is str:
                out[-1] = out[-1] + part
                continue
        out.append(part)
    return tuple(out)


def text(parts: Iterable[Part]) -> Any:
    """A `str` when nothing in it is symbolic, else a `Text`."""
    joined = join_parts(parts)
    if not joined:
        return ""
    if len(joined) == 1 and type(joined[0]) is str:
        return joined[0]
    if all(type(part) is str or part[0] == "u" for part in joined):
        from danube._values import Untrusted

        return Untrusted("".join(part if type(part) is str else part[1] for part in joined))
    return Text(joined)


def wire(value: Any) -> Wire:
    """The template of a text: a `str` when literal."""
    kind = type(value)
    if kind is str:
        return value
    parts = parts_of(value)
    if parts is None:
        raise TypeError(f"not a text: {kind.__name__}")
    if not parts:
        return ""
    if len(parts) == 1 and type(parts[0]) is str:
        return parts[0]
    return ("t",) + parts


_NUMBER = (
    "add radd sub rsub mul rmul truediv rtruediv floordiv rfloordiv mod rmod divmod rdivmod pow "
    "rpow lshift rlshift rshift rrshift and rand or ror xor rxor neg pos abs invert int float "
    "index complex round trunc floor ceil"
).split()


class Code(Symbolic):
    """Exit code of a step.

    A `zero` one is that of a `check=True` step, where it is 0; None: that of a failure, which is
    there even where using the result of the step raises.
    """

    __slots__ = ("_n", "_label", "_zero")

    def __init__(self, n: int, label: str, zero: bool | None) -> None:
        self._n = n
        self._label = label
        self._zero = zero

    @property
    def __class__(self) -> Any:
        return int

    def _name(self) -> str:
        return f"the exit code of `{self._label}`"

    def _handle(self) -> int:
        return self._n

    def _as_parts(self) -> tuple[Part, ...]:
        if self._zero:
            return ("0",)
        if self._zero is not None and _rt.recorder.pending:
            _rt.recorder.use(self._n)
        mask = _rt.recorder.facts.mask(self._n)
        if mask & (mask - 1) == 0:
            return (str(mask.bit_length() - 1),)
        return (("c", self._n),)

    def _truth(self) -> Any:
        return self._pred(P.FAILED)

    def _pred(self, mask: int) -> Any:
        if self._zero:
            return bool(mask & 1)
        if self._zero is not None and _rt.recorder.pending:
            _rt.recorder.use(self._n)
        return pred(("k", self._n, mask))

    def _compare(self, op: str, other: Any) -> Any:
        kind = type(other)
        if kind is Code:
            return self._compare_code(op, other)
        if kind is Predicate:
            other = bool(other)
            kind = bool
        if kind is float and other != other // 1:
            if op == "==":
                return False
            if op == "!=":
                return True
        elif kind is complex:
            if op not in ("==", "!="):
                return NotImplemented
            return self._compare(op, other.real) if other.imag == 0 else op == "!="
        elif kind is not int and kind is not bool and kind is not float:
            if isinstance(other, int) and not isinstance(other, Symbolic):
                other = int(other)
            else:
                return NotImplemented
        return self._pred(P.mask_of(op, other))

    def _compare_code(self, op: str, other: Code) -> Any:
        a, b = self._as_parts()[0], other._as_parts()[0]
        if type(b) is str:
            return self._compare(op, int(b))
        if type(a) is str:
            return other._compare(P.MIRRORED[op], int(a))
        if self._n == other._n:
            return op in ("==", "<=", ">=")
        left, right = ("t", a), ("t", b)
        if op in ("==", "!="):
            if other._n < self._n:
                left, right = right, left
            found = ("cmp", "==", left, right)
            return pred(found if op == "==" else ("not", found))
        if op in (">", ">="):
            found = ("cmp", "code<=" if op == ">" else "code<", left, right)
            return pred(("not", found))
        return pred(("cmp", "code" + op, left, right))

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

    def __bool__(self) -> bool:
        return bool(self._truth())

    def __getattr__(self, name: str) -> Any:
        if hasattr(int, name):
            dynamic(
                "DNB205",
                f"`.{name}` of {self._name()} needs its value",
                "Compare the exit code with a constant.",
            )
        raise AttributeError(f"'int' object has no attribute '{name}'")


for _op in _NUMBER:
    setattr(
        Code,
        f"__{_op}__",
        _needs_value(
            "arithmetic",
            "Compare each exit code with a constant; for a list of codes keep the codes "
            "and ask `any(code != 0 for code in codes)`.",
        ),
    )


class Predicate(Symbolic):
    """A comparison of results; asked for its truth, it makes a decision."""

    __slots__ = ("_p",)

    def __init__(self, p: P.Pred) -> None:
        self._p = p

    @property
    def __class__(self) -> Any:
        return bool

    def _name(self) -> str:
        return "a comparison"

    def _truth(self) -> Predicate:
        return self

    def __bool__(self) -> bool:
        return _rt.recorder.decide(self._p)

    # In every other place the value is decided, then Python does what it always does.
    def __index__(self) -> int:
        return int(bool(self))

    __int__ = __index__

    def __float__(self) -> float:
        return float(bool(self))

    def __eq__(self, other: Any) -> Any:
        if type(other) is Predicate:
            return bool(self) == bool(other)
        if type(other) is bool or type(other) is int:
            if other == 1:
                return self
            if other == 0:
                return negate(self)
            return False
        return NotImplemented

    def __ne__(self, other: Any) -> Any:
        found = self.__eq__(other)
        return found if found is NotImplemented else negate(found)

    def __hash__(self) -> int:
        return hash(bool(self))

    def __and__(self, other: Any) -> Any:
        return self._logic(other, True)

    def __or__(self, other: Any) -> Any:
        return self._logic(other, False)

    __rand__ = __and__
    __ror__ = __or__

    def _logic(self, other: Any, both: bool) -> Any:
        if type(other) is bool:
            return (self if other else False) if both else (True if other else self)
        if type(other) is Predicate:
            return combine(both, [self, other])
        value = bool(self)
        return (value & other) if both else (value | other)

    def __str__(self) -> str:
        return str(bool(self))

    __repr__ = __str__

    def __format__(self, spec: str) -> str:
        return format(bool(self), spec)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return (bool, (bool(self),))

    def __getattr__(self, name: str) -> Any:
        return getattr(bool(self), name)


def _decided(name: str) -> Any:
    def method(self: Predicate, *args: Any) -> Any:
        plain = [bool(one) if type(one) is Predicate else one for one in args]
        return getattr(bool(self), name)(*plain)

    return method


for _op in _NUMBER:
    if f"__{_op}__" not in Predicate.__dict__:
        setattr(Predicate, f"__{_op}__", _decided(f"__{_op}__"))
for _op in ("lt", "le", "gt", "ge"):
    setattr(Predicate, f"__{_op}__", _decided(f"__{_op}__"))


def pred(p: P.Pred) -> Any:
    """A predicate, or a bool when it is the same whatever happens."""
    p = P.simplify(p)
    return p if type(p) is bool else Predicate(p)


def negate(value: Any) -> Any:
    """`not value` without deciding."""
    if type(value) is Predicate:
        return pred(("not", value._p))
    return not value


def combine(both: bool, values: list[Any]) -> Any:
    """`and` (both) or `or` of predicates and bools, without deciding."""
    found: list[P.Pred] = []
    for value in values:
        if type(value) is bool:
            if value != both:
                return value
            continue
        found.append(value._p)
    if not found:
        return both
    return pred(("and" if both else "or",) + tuple(found))


def truth(value: Any) -> Any:
    """Truth of a value: a bool, or a predicate."""
    kind = type(value)
    if kind is bool or kind is Predicate:
        return value
    if kind is Text or kind is Code:
        return value._truth()
    return bool(value)


from ._text import Text  # noqa: E402
