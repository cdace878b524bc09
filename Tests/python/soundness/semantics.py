"""Danubefiles written by hand where an evaluator that is not quite Python would lie.

`semantics/*.txt` holds cases: `## name`, or `## name (live)` when the case needs a value, then the
body of the pipeline. Lines before a line `--` stand at the level of the module.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "semantics"
_HEAD = """\
import collections, contextlib, copy, dataclasses, enum, functools, io, itertools, json, operator
import shlex, sys, textwrap, types
from danube import StepFailed, artifacts, ctx, matrix, parallel, pipeline, secrets, sequence, step
"""


@dataclass(frozen=True)
class Example:
    """One danubefile."""

    name: str
    text: str
    live: bool
    """It needs a value that only a run can give."""


def examples() -> list[Example]:
    """All cases, by file and then as they stand there."""
    return [one for path in sorted(FOLDER.glob("*.txt")) for one in _read(path)]


def _read(path: Path) -> list[Example]:
    found = []
    for section in f"\n{path.read_text(encoding='utf-8')}".split("\n## ")[1:]:
        name, _, content = section.partition("\n")
        head, divider, body = content.rpartition("\n--\n")
        lines = [_HEAD, head, "", "@pipeline", "def build() -> None:"]
        lines += [f"    {line}".rstrip() for line in (body if divider else content).split("\n")]
        title = name.removesuffix(" (live)")
        text = "\n".join(lines).rstrip() + "\n"
        found.append(Example(f"{path.stem}: {title}", text, title != name))
    return found
