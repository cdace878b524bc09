"""The figures of running steps that are not ratios to other tools."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from pathlib import Path

import figures

FILES = 20_000
DANUBEFILE = """\
from danube import parallel, pipeline, step


@pipeline
def chain(count: int = 1) -> None:
    for index in range(count):
        step.run(":", name=f"s{index}")


@pipeline
def fork(count: int = 8) -> None:
    step.run(":", name="first")
    with parallel():
        for index in range(count):
            step.run(":", name=f"b{index}")


@pipeline
def wide() -> None:
    with parallel():
        for index in range(10_000):
            step.run(":", name=f"w{index}")
"""


class Project:
    """A repository of 20,000 small files, and Danube run in it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "project"
        self.root.mkdir()
        for index in range(FILES):
            place = self.root / f"d{index // 200}"
            place.mkdir(exist_ok=True)
            (place / f"f{index}").write_text(f"{index}\n" * 20)
        (self.root / "danubefile.py").write_text(DANUBEFILE)
        self.environment = dict(
            os.environ,
            XDG_CACHE_HOME=str(folder / "cache"),
            XDG_STATE_HOME=str(folder / "state"),
        )
        self.environment |= {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@localhost"}
        self.environment |= {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@localhost"}
        for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "files"]):
            subprocess.run(["git", *command], cwd=self.root, env=self.environment, check=True)

    def once(self, *arguments: str) -> float:
        """Seconds of one command."""
        start = time.perf_counter()
        subprocess.run(
            [os.environ["DANUBE"], *arguments],
            cwd=self.root,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        return time.perf_counter() - start

    def medians(self, times: int, *commands: tuple[str, ...]) -> list[float]:
        """Median seconds of each command; they take turns."""
        walls: list[list[float]] = [[] for _ in commands]
        for _ in range(times):
            for command, wall in zip(commands, walls):
                wall.append(self.once(*command))
        return [statistics.median(wall) for wall in walls]


def spawn_floor(count: int) -> float:
    """Seconds that `sh -c :` takes."""
    start = time.perf_counter()
    for _ in range(count):
        os.waitpid(os.posix_spawn("/bin/sh", ["sh", "-c", ":"], {}), 0)
    return (time.perf_counter() - start) / count


def measure(folder: Path, times: int) -> list[figures.Figure]:
    """Measures in a new project beneath the folder."""
    project = Project(folder)

    def run(pipeline: str, count: int) -> tuple[str, ...]:
        return ("run", pipeline, "--param", f"count={count}", "-j8", "--quiet", "--no-cache")

    project.once(*run("chain", 1))
    one, two_hundred, forked = project.medians(
        times, run("chain", 1), run("chain", 200), run("fork", 8)
    )
    floor = spawn_floor(500)
    each = ((two_hundred - one) / 199 - floor) * 1e3
    detail = f"1 step {one * 1e3:.0f} ms, 200 steps {two_hundred * 1e3:.0f} ms, "
    detail += f"`sh -c :` {floor * 1e3:.2f} ms"
    found = [
        figures.at_most(
            f"isolated, each of 200 undeclared steps on {FILES:,} files, over the spawn floor",
            " ms", 1, each, detail,
        ),
        figures.at_most(
            f"isolated, a step and a fork of 8 on {FILES:,} files, over that step alone",
            " ms", 50, (forked - one) * 1e3, f"{one * 1e3:.0f} ms, {forked * 1e3:.0f} ms",
        ),
    ]
    project.once("run", "wide", "--in-place", "--quiet", "-j2")
    helped, why = project.medians(times, ("run", "--help"), ("why", "w5000"))
    found.append(figures.at_most("`danube run --help`", " ms", 15, helped * 1e3, ""))
    what = "`danube why` on a job of 10,000 steps"
    found.append(figures.at_most(what, " ms", 60, why * 1e3, ""))
    return found
