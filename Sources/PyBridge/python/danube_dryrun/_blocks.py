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
        self.fallible: list[Fallible] = []
        # Steps directly in it, or in blocks that ended in it, whose failure stops a sequence.
        self.seen: list[Fallible] = []


class Fallible:
    """A `check=True` step of a parallel block: it may fail, and then stops what follows it."""

    __slots__ = ("capture", "frame", "handled", "label", "n")

    def __init__(self, n: int, label: Any, frame: int, handled: bool, capture: bool) -> None:
        self.n = n
        self.label = label
        self.frame = frame
        self.handled = handled
        self.capture = capture

    def code(self) -> Code:
        """The exit code that its failure carries."""
        return Code(self.n, shown(self.label), None)

    def output(self) -> Any:
        """The output that its failure carries, which may be used freely."""
        if not self.capture:
            return ""
        part = ("m", "removesuffix", ("t", ("o", self.n)), ("",), 0, -1)
        return Text((part,), self.n, shown(self.label))


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
    """The steps whose captured output is used in a text."""
    found = []
    for part in parts:
        if type(part) is tuple:
            if part[0] == "o":
                found.append(part[1])
            elif part[0] == "m" and part[1:4:2] != ("removesuffix", ("",)):
                # Removing nothing is how the output of a failure is written.
                found += outputs(part[2][1:])
    return found


def is_written(part: Any, strip: bool) -> bool:
    """Whether a part of a text is there whatever steps give; with `strip` in more than space."""
    if type(part) is str:
        return bool(part.strip() if strip else part)
    if part[0] == "u":
        return is_written(part[1], strip)
    if part[0] != "m":
        return bool(part[0] == "c")
    name, base = part[1], part[2]
    if name in ("json", "quote"):
        return True
    kept = name in ("lower", "upper") or name == "dedent" and strip
    kept |= name in ("strip", "lstrip", "rstrip") and not part[3]
    if not kept:
        return False
    return any(is_written(one, True) for one in (base[1:] if type(base) is tuple else (base,)))


def article(value: Any) -> str:
    name = type(value).__name__ if not isinstance(value, Symbolic) else "a result"
    if isinstance(value, (Code, Text, Predicate)):
        return "a result of a step"
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"
