"""What operations and comparisons of a plan mean: what Python does."""

from __future__ import annotations

import json
import shlex
import textwrap
from collections.abc import Sequence


class Unsound(Exception):
    """A plan or a recording asks for something that no run could give."""


class Undefined(Exception):
    """A partial operation, `split()[i]`, has no value."""


def operate(name: str, base: str, args: Sequence[str], index: int, limit: int) -> str:
    """A string operation, by Python itself.

    Raises:
        Undefined: There is no such element.
        Unsound: There is no such operation.
    """
    if name in (
        "strip",
        "lstrip",
        "rstrip",
        "lower",
        "upper",
        "removeprefix",
        "removesuffix",
    ):
        found: str = getattr(base, name)(*args)
        return found
    if name == "replace":
        return base.replace(args[0], args[1], limit)
    if name in ("split", "splitlines"):
        separator = args[0] if args else None
        pieces = base.splitlines() if name == "splitlines" else base.split(separator, limit)
        try:
            return pieces[index]
        except IndexError:
            raise Undefined(f"{name}()[{index}] of {base!r}") from None
    if name == "json":
        return json.dumps(base)
    if name == "quote":
        return shlex.quote(base)
    if name == "dedent":
        return textwrap.dedent(base)
    raise Unsound(f"no operation {name!r}")


def compare(operator: str, left: str, right: str) -> bool:
    """A comparison of two texts; `code<` and `code<=` compare numbers."""
    if operator == "==":
        return left == right
    if operator == "<":
        return left < right
    if operator == "<=":
        return left <= right
    if operator == "in":
        return left in right
    if operator == "startswith":
        return left.startswith(right)
    if operator == "endswith":
        return left.endswith(right)
    if operator == "code<":
        return int(left) < int(right)
    if operator == "code<=":
        return int(left) <= int(right)
    raise Unsound(f"no comparison {operator!r}")
