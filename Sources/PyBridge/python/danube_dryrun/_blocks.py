"""Parallel blocks that are open, and what steps are called."""

from __future__ import annotations

from ._symbolic import Code, Predicate, Symbolic
from ._symbolic import wire
from ._text import Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Block:
    """An open `with parallel()` or a sequence inside one."""

    def __init__(self, is_parallel: bool, observers: int) -> None:
        self.is_parallel = is_parallel
        # Handlers around the outermost block: who would see its end raise.
        self.observers = observers
        self.fallible: list[tuple[int, Any]] = []


def label_of(command: Any) -> Any:
    """What a failure calls a step without a name: the first line of its command."""
    if type(command) is tuple and command[0] == "argv":
        parts: list[Any] = []
        for index, one in enumerate(command[1:]):
            parts += [" "] if index else []
            parts += [one] if type(one) is str else one[1:]
        command = "".join(parts) if all(type(one) is str for one in parts) else ("t", *parts)
    if type(command) is str:
        for line in command.split("\n"):
            if line.strip():
                return line.strip()
        return ""
    # The first line that is not blank, as operations on the text.
    stripped = Text((("m", "strip", command, (), 0, -1),))
    first = ("m", "split", wire(stripped), ("\n",), 0, -1)
    return Text((("m", "strip", ("t", first), (), 0, -1),))


def shown(label: Any) -> str:
    return label if type(label) is str else "step"


def outputs(parts: tuple[Any, ...]) -> list[int]:
    found = []
    for part in parts:
        if type(part) is tuple:
            if part[0] == "o":
                found.append(part[1])
            elif part[0] == "m":
                found += outputs(part[2][1:])
    return found


def article(value: Any) -> str:
    name = type(value).__name__ if not isinstance(value, Symbolic) else "a result"
    if isinstance(value, (Code, Text, Predicate)):
        return "a result of a step"
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"
