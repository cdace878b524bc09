"""Random danubefiles: `python3 generate.py SEED` prints one.

A program is small (3–15 steps and about six decisions) with a tail of larger ones, ends, and is
compiled statically unless it says `dynamic` of itself: a few hold one construct that needs a value.
"""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass

from cells import CELLS, RARE
from expressions import Scope
from routines import Routines
from statements import Place

IMPORTS = (
    "collections", "contextlib", "contextvars", "dataclasses", "enum", "functools", "heapq", "io",
    "itertools", "json", "shlex", "sys", "textwrap", "types",
)  # fmt: skip


@dataclass(frozen=True)
class Program:
    """A generated danubefile."""

    seed: int
    text: str
    dynamic: str
    """The construct that may need a value, or empty."""


class Generator(Routines):
    """Writes one program."""

    def __init__(self, seed: int) -> None:
        super().__init__(random.Random(f"danubefile {seed}"))
        self.seed = seed

    def program(self) -> Program:
        """The danubefile of the seed."""
        rng = self.rng
        self.steps_left = rng.choices((5, 9, 15, 40), (3, 5, 3, 1))[0]
        self.decisions_left = rng.choices((2, 4, 6, 8), (2, 4, 4, 1))[0]
        self.may_be_dynamic = rng.random() < 0.025
        self.pool = [
            cell
            for cell in rng.sample(range(len(CELLS)), 6)
            if CELLS[cell].kind not in RARE or rng.random() < 0.3
        ]
        for _ in range(rng.choices((0, 1, 2, 3), (4, 5, 3, 1))[0]):
            self.add_helper()
        body = self.pipeline_body()
        head = self.module_head("\n".join(self.module + body))
        lines = [*head, "", *self.module, "", *body]
        return Program(self.seed, "\n".join(lines) + "\n", self.dynamic)

    def pipeline_body(self) -> list[str]:
        """The pipeline function."""
        rng = self.rng
        self.named = True
        scope = Scope(plain=["target"])
        for _ in range(rng.randint(1, 3)):
            self.pool and self.declare_cell(scope, Place())
        if rng.random() < 0.9:
            self.emit(Place(), "    ", self.step_call(scope, Place(), bind=True))
        left = self.block(scope, Place(function=True), rng.randint(2, 7))
        if left:
            return self.wrapped()
        for cell, name in scope.cells:
            if rng.random() < 0.6:
                scope.cells = [(cell, name)]
                value = self.simple(Place(), self.observation(scope, Place()))
                form = rng.choice(('step.run(f"seen {n} {{{v}}}")', 'print("seen {n}", {v})',
                                   'if {v}: step.run("seen {n}")'))  # fmt: skip
                self.emit(Place(), form.format(n=self.fresh(""), v=value))
        return self.wrapped()

    def wrapped(self) -> list[str]:
        name = self.rng.choice(("", "(name='Build')", "(image='debian:12')"))
        lines = self.take()
        return [
            f"@pipeline{name}",
            "def build(target: str = 'production') -> None:",
            *lines,
        ]

    def module_head(self, text: str) -> list[str]:
        """Imports of what the text uses."""
        names = [
            name
            for name in ("StepFailed", "artifacts", "ctx", "matrix", "parallel", "pipeline",
                         "secrets", "sequence", "step")
            if name in text
        ]  # fmt: skip
        used = [name for name in IMPORTS if f"{name}." in text]
        head = ["from __future__ import annotations"] if self.rng.random() < 0.5 else []
        return [
            *head,
            *(f"import {name}" for name in used),
            f"from danube import {', '.join(names)}",
        ]


def generate(seed: int) -> Program:
    """The program of a seed."""
    return Generator(seed).program()


if __name__ == "__main__":
    print(generate(int(sys.argv[1])).text, end="")
