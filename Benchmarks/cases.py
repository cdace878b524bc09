"""Pipelines that only Danube can plan: branches on the results of steps."""

from __future__ import annotations

from pathlib import Path

INDEPENDENT_BRANCHES = """\
from danube import pipeline, step


@pipeline
def bench() -> None:
    for i in range(1000):
        if step.run(f"check {i}", name=f"check {i}", check=False) != 0:
            step.run(f"mend {i}", name=f"mend {i}")
"""

DEPENDENT_BRANCHES = """\
from danube import pipeline, step


@pipeline
def bench() -> None:
    failed = []
    for i in range(6):
        if step.run(f"probe {i}", name=f"probe {i}", check=False) != 0:
            failed.append(i)
    for i in range(193):
        step.run(f"work {i}", name=f"work {i}")
    if failed:
        step.run(["mend", *map(str, failed)], name="mend")
"""


def write(folder: Path, source: str) -> None:
    """Makes a folder with the danubefile."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "danubefile.py").write_text(source)
