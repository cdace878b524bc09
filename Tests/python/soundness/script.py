"""What steps do, decided beforehand: a script gives each step an exit code and an output.

Live runs and walks of a plan ask the same script. A step is named by what both can compute: its
command after substitution, and how many times that command ran before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# What captured steps print, before the trailing newlines. The generator compares with the same.
OUTPUTS = (
    "", "main", "v1.2", "v1.2.3", "two words", "a,b,c", "first\nsecond", "release/1.0", " padded ",
    "MAIN", "prod", "0", "it's", "a=b", "x\n\ny", "main\n main", "tab\there", "ünïcode", "v", "1.2",
)  # fmt: skip
CODES = (0, 1, 2, 3, 10, 127, 255)
SECRETS = {"TOKEN": "t0ken-Value", "KEY": "k3y value"}


@dataclass(frozen=True)
class Call:
    """A step about to run, as a script sees it."""

    text: str
    ordinal: int
    check: bool
    capture: bool

    def show(self) -> str:
        """One line for a report."""
        flags = ("" if self.check else " check=False") + (" capture" if self.capture else "")
        return f"{self.text!r} #{self.ordinal}{flags}"


def secret(key: str) -> str:
    """The value of a secret in every run of these tests."""
    return SECRETS.get(key, f"value-of-{key}")


def command_text(command: str | Sequence[str]) -> str:
    """The text that identifies a command."""
    if isinstance(command, str):
        return str(command)
    return "argv " + json.dumps([str(word) for word in command])


class Script:
    """Outcomes from a seed. `fixed` outcomes, by (text, ordinal), win."""

    def __init__(self, seed: int, fixed: Mapping[tuple[str, int], tuple[int, str]] = {}) -> None:
        self.seed = seed
        self.fixed = dict(fixed)
        # A script is calm or stormy, so that both long runs and early failures are seen.
        self.failing = (0, 10, 30, 90)[seed % 4]
        self.favourite = OUTPUTS[self._number("favourite", 0) % len(OUTPUTS)]

    def __call__(self, call: Call) -> tuple[int, str]:
        """The exit code and the standard output of a call."""
        given = self.fixed.get((call.text, call.ordinal))
        if given is not None:
            return given
        number = self._number(call.text, call.ordinal)
        kind, pick, lines = number & 0xFF, (number >> 8) & 0xFFFF, (number >> 24) & 0xFF
        if call.ordinal >= 4:
            code = 0  # whoever polls gets an answer
        elif call.check or call.capture:
            code = CODES[1 + pick % (len(CODES) - 1)] if kind < self.failing else 0
        else:
            code = 0 if kind < 110 else (1, 1, 1, 2, 2, 3, 3, 10, 127, 255)[pick % 10]
        text = self.favourite if kind % 3 == 0 else OUTPUTS[(pick >> 4) % len(OUTPUTS)]
        return code, text + "\n" * (0, 1, 1, 2)[lines % 4]

    def _number(self, text: str, ordinal: int) -> int:
        data = f"{self.seed}\0{text}\0{ordinal}".encode("utf-8", "surrogatepass")
        return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")


class RanTooLong(BaseException):
    """A run executed more steps than any generated danubefile should."""


@dataclass
class Machine:
    """Executes calls by a script, counting ordinals."""

    script: Script
    limit: int = 20_000
    seen: dict[str, int] = field(default_factory=dict)
    said: list[tuple[Call, int, str]] = field(default_factory=list)

    def run(self, text: str, check: bool, capture: bool) -> tuple[int, str]:
        """Runs one step."""
        ordinal = self.seen.get(text, 0)
        self.seen[text] = ordinal + 1
        if len(self.said) >= self.limit:
            raise RanTooLong(f"more than {self.limit} steps")
        call = Call(text, ordinal, check, capture)
        code, output = self.script(call)
        self.said.append((call, code, output))
        return code, output
