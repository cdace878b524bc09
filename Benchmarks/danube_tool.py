"""Danube as a tool of the peers' harness: W1, planning a graph of steps from Python.

The harness's lib/tools.py is told to import this module once its own classes are defined; so this
file is only ever imported with that folder on the path.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from tools import Tool, sh_version

DANUBEFILE = """\
from dag import make
from danube import pipeline, step


@pipeline(image="alpine:3.20")
def bench() -> None:
    handles = []
    for index, needs, cell in make({shape!r}, {count}):
        handles.append(
            step.run(
                f"echo step {{index}} {{cell}}",
                name=f"s{{index}}",
                needs=[handles[k] for k in needs],
            )
        )
"""


class Danube(Tool):
    """`danube plan` as a user types it, with nothing remembered."""

    name = "danube"
    caps = {"W1": 100_000}
    arguments: list[str] = []
    note = "evaluated, sealed, planned; the table is printed"

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
        source = DANUBEFILE.format(shape=self._shape, count=len(steps))
        (d / "danubefile.py").write_text(source)
        self.env = {"XDG_CACHE_HOME": str(d / "cache")}
        check_plan(self.program, d, steps, self.env)

    def before(self, d: Path, steps: list, wl: str, phase: str) -> None:
        shutil.rmtree(d / "cache", ignore_errors=True)

    def argv(self, d: Path, wl: str, phase: str) -> list[str]:
        return [self.program, "plan", *self.arguments]


class DanubeProto(Danube):
    """The same in the form that programs read."""

    name = "danube-proto"
    arguments = ["--format", "proto"]
    note = "evaluated, sealed, planned; the plan is written as protobuf"


class DanubeMemoised(DanubeProto):
    """The same once more: nothing that was read has changed."""

    name = "danube-memoised"
    note = "from the plan cache; no Python runs"

    def before(self, d: Path, steps: list, wl: str, phase: str) -> None:
        if (d / "cache").exists():
            return
        self._prove(d, self.argv(d, wl, phase))
        run = dict(cwd=d, stdout=subprocess.DEVNULL, check=True)
        subprocess.run(self.argv(d, wl, phase), env=dict(os.environ, **self.env), **run)

    def _prove(self, d: Path, command: list[str]) -> None:
        """Plans again with a bridge that looks the same and is no program any more: only the plan
        cache can answer."""
        bridge = d / "bridge"
        shutil.copy2(Path(self.program).with_name("danube-pybridge"), bridge)
        env = dict(os.environ, **self.env, DANUBE_PYBRIDGE=str(bridge))
        run = dict(cwd=d, env=env, stdout=subprocess.DEVNULL)
        subprocess.run(command, check=True, **run)
        before = bridge.stat()
        with bridge.open("r+b") as file:
            file.write(b"\0" * 64)
        os.utime(bridge, ns=(before.st_atime_ns, before.st_mtime_ns))
        subprocess.run(command, check=True, **run)
        fresh = subprocess.run([*command, "--no-memo"], stderr=subprocess.DEVNULL, **run)
        if fresh.returncode == 0:
            raise RuntimeError("the bridge was not broken")


class PythonPass(Tool):
    """An interpreter that starts and ends: the unit in which Danube's start is measured."""

    name = "python-pass"
    caps = {"W1": 100_000}
    note = "/usr/bin/python3 -I -S -c pass"

    def version(self) -> str:
        return sh_version(["/usr/bin/python3", "-V"])

    def setup(self, d: Path, steps: list, wl: str, log: str | None = None) -> None:
        pass

    def argv(self, d: Path, wl: str, phase: str) -> list[str]:
        return ["/usr/bin/python3", "-I", "-S", "-c", "pass"]


def check_plan(program: str, folder: Path, steps: list, environment: dict[str, str]) -> None:
    """Refuses to measure a plan that is not the graph that was asked for."""
    command = [program, "plan", "--format", "json"]
    merged = dict(os.environ, **environment)
    result = subprocess.run(command, cwd=folder, env=merged, capture_output=True, check=False)
    if result.returncode != 0:
        raise RuntimeError(f"danube plan: {result.stderr.decode(errors='replace')}")
    plan = json.loads(result.stdout)
    edges = sum(len(step.get("needs", [])) for step in plan["steps"])
    wanted = sum(len(needs) for _, needs, _ in steps)
    if len(plan["steps"]) != len(steps) or edges != wanted:
        found = f"{len(plan['steps'])} steps, {edges} edges"
        raise RuntimeError(f"the plan has {found}, not {len(steps)} and {wanted}")


TOOLS = (Danube, DanubeProto, DanubeMemoised, PythonPass)
