"""Predicates as tuples: their normal form, and their value when operands are known.

Forms: `("k", n, mask)` the exit code of step n is a bit of the 256-bit mask; `("cmp", op, l, r)`;
`("def", t)`; `("and", …)`, `("or", …)`, `("not", p)`; or a bool.
"""

from __future__ import annotations

import _operator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    Pred = Any

ALL = (1 << 256) - 1
# Every exit code but 0.
FAILED = ALL & ~1
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": _operator.eq,
    "!=": _operator.ne,
    "<": _operator.lt,
    "<=": _operator.le,
    ">": _operator.gt,
    ">=": _operator.ge,
}
MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def simplify(p: Pred) -> Pred:
    """Normal form of a predicate whose operands are in normal form."""
    if type(p) is bool:
        return p
    kind = p[0]
    if kind == "k":
        return False if p[2] == 0 else True if p[2] == ALL else p
    if kind == "not":
        inner = p[1]
        if type(inner) is bool:
            return not inner
        if inner[0] == "not":
            return inner[1]
        # `not (code in mask)` is not `code in ~mask`: a skipped step has no code. Where a
        # predicate is asked the step has run, so there the two are the same.
        if inner[0] == "k":
            return simplify(("k", inner[1], ALL & ~inner[2]))
        if inner[0] == "and":
            return _join("or", [simplify(("not", one)) for one in inner[1:]])
        if inner[0] == "or":
            return _join("and", [simplify(("not", one)) for one in inner[1:]])
        return p
    if kind == "and" or kind == "or":
        return _join(kind, list(p[1:]))
    return p


def _join(kind: str, parts: list[Pred]) -> Pred:
    """Flattens, merges exit codes of one step, drops what is repeated."""
    unit = kind == "and"
    flat: list[Pred] = []
    masks: dict[int, int] = {}
    place: dict[int, int] = {}
    for part in parts:
        for one in part[1:] if type(part) is tuple and part[0] == kind else (part,):
            if type(one) is bool:
                if one != unit:
                    return one
                continue
            if one[0] == "k":
                n = one[1]
                if n in masks:
                    masks[n] = masks[n] & one[2] if unit else masks[n] | one[2]
                    flat[place[n]] = ("k", n, masks[n])
                    continue
                masks[n] = one[2]
                place[n] = len(flat)
            elif one in flat:
                continue
            flat.append(one)
    if masks:
        checked: list[Pred] = []
        for one in flat:
            if one[0] == "k":
                one = simplify(one)
                if type(one) is bool:
                    if one != unit:
                        return one
                    continue
            checked.append(one)
        flat = checked
    if not flat:
        return unit
    return flat[0] if len(flat) == 1 else (kind,) + tuple(flat)


_RANGES: dict[int, tuple[int, ...]] = {}
_MASKS: dict[tuple[str, int | float], int] = {}


def mask_of(op: str, constant: int | float) -> int:
    """Exit codes for which `code op constant` holds."""
    found = _MASKS.get((op, constant))
    if found is None:
        compare_ = OPERATORS[op]
        found = sum(1 << value for value in range(256) if compare_(value, constant))
        if len(_MASKS) < 4096:
            _MASKS[(op, constant)] = found
    return found


def ranges(mask: int) -> tuple[int, ...]:
    """A mask as low, high, low, high, …"""
    known = _RANGES.get(mask)
    if known is None:
        known = _ranges(mask)
        if len(_RANGES) < 4096:
            _RANGES[mask] = known
    return known


def _ranges(mask: int) -> tuple[int, ...]:
    out: list[int] = []
    value = 0
    while mask:
        if mask & 1:
            if out and out[-1] == value - 1:
                out[-1] = value
            else:
                out += (value, value)
        mask >>= 1
        value += 1
    return tuple(out)


def to_wire(p: Pred) -> Pred:
    """The predicate as the compiler reads it."""
    kind = p[0]
    if kind == "k":
        return ("k", p[1], ranges(p[2]))
    if kind in ("and", "or", "not"):
        return (kind,) + tuple(to_wire(one) for one in p[1:])
    return p


def evaluate_template(template: Any, known: dict[Any, str]) -> str | None:
    """The text of a template, when it follows from the known ones; raises IndexError."""
    if type(template) is str:
        return template
    if template in known:
        return known[template]
    out = []
    for part in template[1:]:
        if type(part) is str:
            out.append(part)
            continue
        if part[0] == "u":
            out.append(part[1])
            continue
        if ("t", part) in known:
            out.append(known[("t", part)])
            continue
        if part[0] != "m":
            return None
        base = evaluate_template(part[2], known)
        if base is None:
            return None
        out.append(operate(part, base))
    return "".join(out)


def operate(part: Any, base: str) -> str:
    """Applies a string operation; raises IndexError as Python does."""
    _, name, _, args, index, limit = part
    if name == "replace":
        return base.replace(args[0], args[1], limit)
    if name == "split":
        return base.split(args[0] if args else None, limit)[index]
    if name == "splitlines":
        return base.splitlines()[index]
    if name == "json":
        return _json(base)
    if name == "quote":
        return _quote(base)
    if name == "dedent":
        raise LookupError
    method = getattr(base, name)
    return method(*args)  # type: ignore[no-any-return]


def _json(base: str) -> str:
    raise LookupError


def _quote(base: str) -> str:
    safe = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./-_")
    if not base:
        return "''"
    return base if all(c in safe for c in base) else "'" + base.replace("'", "'\"'\"'") + "'"


def compare(op: str, left: str, right: str) -> bool:
    """A comparison of two known texts."""
    if op == "==":
        return left == right
    if op == "<":
        return left < right
    if op == "<=":
        return left <= right
    if op == "in":
        return left in right
    if op == "startswith":
        return left.startswith(right)
    if op == "endswith":
        return left.endswith(right)
    if op == "code<":
        return int(left) < int(right)
    return int(left) <= int(right)


def first_answer(p: Pred) -> bool:
    """The answer that is tried first: that nothing fails."""
    if p[0] == "k":
        return bool(p[2] & 1)
    if p[0] == "not":
        return not first_answer(p[1])
    if p[0] == "and":
        return all(first_answer(one) for one in p[1:])
    if p[0] == "or":
        return any(first_answer(one) for one in p[1:])
    return True
