"""Danube as a tool of the peers' harness: W2 to W4, running steps in the working copy.

Like `build.ninja`, the plan is made beforehand; the danubefile is still looked at in every run, as
ninja looks at its file. What a phase resets is all but the plan cache.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from tools import J, Tool, sh_version

HEAD = """\
from dag import make
from danube import pipeline, step


@pipeline
def bench() -> None:
"""

GRAPH = """\
    handles = []
    for index, needs, _ in make({shape!r}, {count}):
        handles.append(step.run({command}, name=f"s{{index}}", needs=[handles[k] for k in needs]))
"""

FILES = """\
    for index in range({count}):
        step.run(
            {command},
            name=f"s{{index}}",
            inputs=[f"in/{{index}}"],
            outputs=[f"out/{{index}}"],
        )
"""


class DanubeRun(Tool):
    """`danube run --in-place`, with logs captured and history recorded."""

    name = "danube-run"
    caps = {"W2": 10_000, "W3": 10_000, "W4": 10_000}
    keys = (
        "content digests of declared inputs + command + env + host (action key); "
        "stat memory on size, mtime, ctime, inode, mode"
    )
    note = "in place; declared steps in W3 and W4"
    mode = ["--in-place"]

    @property
    def program(self) -> str:
        """The released program."""
        return os.environ["DANUBE"]

    def available(self) -> bool:
        return os.access(self.program, os.X_OK)

    def version(self) -> str:
        return sh_version([self.program, "--version"])

    def setup(self, d: Path, steps: list, wl: str, log: str | None = None) -> None:
        self.copy_dag(d, steps, None)
        if wl == "W2":
            command = f'f"echo {{index}} >> {log}"' if log else '":"'
            body = GRAPH.format(shape=self._shape, count=len(steps), command=command)
        else:
            text = "cat in/{index} > out/{index}" + (f" && echo {{index}} >> {log}" if log else "")
            body = FILES.format(count=len(steps), command=f'f"{text}"')
        (d / "danubefile.py").write_text(HEAD + body)
        self.env = {"XDG_CACHE_HOME": str(d / "cache"), "XDG_STATE_HOME": str(d / "state")}
        self._plan(d)

    def _plan(self, d: Path) -> None:
        subprocess.run(
            [self.program, "plan", "--format", "proto"], cwd=d, env=dict(os.environ, **self.env),
            stdout=subprocess.DEVNULL, check=True,
        )

    def before(self, d: Path, steps: list, wl: str, phase: str) -> None:
        if phase not in ("run", "full"):
            return
        # Put aside, not deleted: for seconds after a deletion ext4 without a journal searches long
        # for inodes that were not free a moment ago, which would be measured.
        aside = Path(tempfile.mkdtemp(dir=d, prefix="dropped-"))
        dropped = ("cas", "jobs", "digests", "work", "sources")
        for kept in [d / "state", *(d / "cache" / "danube").glob("*")]:
            known = kept.name in ("state", *dropped) or kept.name.startswith("results.db")
            if known and kept.exists():
                kept.rename(aside / kept.name)
        self._plan(d)
        # The inputs of all tools were just made: the first one would run while they are written.
        os.sync()

    def argv(self, d: Path, wl: str, phase: str) -> list[str]:
        return [self.program, "run", *self.mode, "--quiet", f"-j{J}"]


TOOLS = (DanubeRun,)
