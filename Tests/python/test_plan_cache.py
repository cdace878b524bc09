"""An unchanged pipeline is planned without Python, and a changed one never is.

The evaluator of these tests is a copy that can be broken so that the program cannot tell: with the
same path, size and time, but no longer a program. What is planned then was remembered.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

DANUBEFILE = """\
import os
from enum import Enum
from danube import ctx, files, pipeline, step
import parts.names

@pipeline(image="debian:12")
def build(target: str = "debug"):
    step.run(f"make {target} {parts.names.NAME}", name="Make")
    step.run(f"echo {open('data.txt').read()} {ctx.branch}", name="Say")
    for name in sorted(os.listdir("packages")):
        step.run(f"make {name}", name=name)
    if files.exists("Dockerfile"):
        step.run("docker build .", name="Image")
"""
FORMATS = ["table", "json", "proto", "dot", "mermaid", "markdown", "sarif"]


class Bench:
    """A repository, an empty cache and an evaluator that can be broken.

    Attributes:
        root: The repository.
        cache: The folder of the cache.
        bridge: The evaluator.
    """

    def __init__(self, folder: Path, danube: Path) -> None:
        self.danube = danube
        self.root = folder / "repository"
        self.cache = folder / "cache"
        self.bridge = folder / "bridge"
        shutil.copy2(danube.with_name("danube-pybridge"), self.bridge)
        self.write("danubefile.py", DANUBEFILE)
        self.write("parts/__init__.py", "")
        self.write("parts/names.py", "NAME = 'all'\n")
        self.write("data.txt", "data")
        self.write("other.txt", "nobody reads this")
        self.write("packages/one/a", "")
        self.write("packages/two/a", "")

    def write(self, name: str, text: str) -> None:
        """Writes a file of the repository."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def plan(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """Runs `danube plan`."""
        environment = {
            "PATH": os.environ["PATH"],
            "DANUBE_PYBRIDGE": str(self.bridge),
            "XDG_CACHE_HOME": str(self.cache),
        }
        return subprocess.run(
            [self.danube, "plan", "-C", self.root, *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
        )

    def planned(self, *arguments: str) -> bytes:
        """What `danube plan` prints, which must succeed."""
        ended = self.plan(*arguments)
        assert ended.returncode == 0, ended.stderr.decode()
        return ended.stdout

    def break_bridge(self) -> None:
        """Makes the evaluator one that cannot be started."""
        before = self.bridge.stat()
        with self.bridge.open("r+b") as file:
            file.write(b"\0" * 64)
        os.utime(self.bridge, ns=(before.st_atime_ns, before.st_mtime_ns))
        ended = self.plan("--no-memo")
        assert ended.returncode != 0, "the evaluator still starts"


@pytest.fixture
def bench(tmp_path: Path, danube: Path) -> Bench:
    """A repository that was not planned yet."""
    return Bench(tmp_path, danube)


def steady(output: bytes) -> bytes:
    """A table without what it says of this run alone."""
    return re.sub(rb"(compiled in|memoised,) [0-9.]+ m?s\b", b"", output)


@pytest.mark.parametrize("output", FORMATS)
def test_an_unchanged_pipeline_runs_no_python(bench: Bench, output: str) -> None:
    first = bench.planned("--format", output)
    bench.break_bridge()
    second = bench.planned("--format", output)
    assert steady(second) == steady(first)
    if output == "table":
        assert b"memoised" not in first
        assert b"memoised" in second


def test_a_plan_is_remembered_for_every_format(bench: Bench) -> None:
    formats = {output: bench.planned("--no-memo", "--format", output) for output in FORMATS}
    assert not bench.cache.exists(), "--no-memo keeps something"
    bench.planned("--format", "proto")
    bench.break_bridge()
    for output, before in formats.items():
        assert steady(bench.planned("--format", output)) == steady(before), output


CHANGES: dict[str, Callable[[Bench], list[str]]] = {
    "the danubefile": lambda bench: change(bench, "danubefile.py", DANUBEFILE + "# more\n"),
    "a file that it reads": lambda bench: change(bench, "data.txt", "other"),
    "a module that it imports": lambda bench: change(bench, "parts/names.py", "NAME = 'b'\n"),
    "a listing": lambda bench: change(bench, "packages/three/a", ""),
    "what was missing": lambda bench: change(bench, "Dockerfile", "FROM scratch\n"),
    "a parameter": lambda _: ["--param", "target=release"],
    "a context value": lambda _: ["--branch", "other"],
    "the event": lambda _: ["--event", "push"],
    "a limit": lambda _: ["--max-steps", "99"],
    "the cache is not to be used": lambda _: ["--no-memo"],
}


def change(bench: Bench, name: str, text: str) -> list[str]:
    """Writes a file, which takes no argument."""
    bench.write(name, text)
    return []


@pytest.mark.parametrize("what", CHANGES)
def test_what_a_plan_was_made_of_is_never_stale(bench: Bench, what: str) -> None:
    bench.planned("--branch", "main")
    arguments = CHANGES[what](bench)
    if what != "a context value":
        arguments = ["--branch", "main", *arguments]
    fresh = bench.planned("--no-memo", "--format", "json", *arguments)
    table = bench.planned(*arguments)
    assert b"memoised" not in table, f"{what} was overlooked"
    assert bench.planned("--format", "json", *arguments) == fresh


def test_what_was_not_read_changes_nothing(bench: Bench) -> None:
    bench.planned()
    bench.write("other.txt", "changed")
    bench.write("packages/one/b", "a listing has names, not what is beneath them")
    bench.break_bridge()
    assert b"memoised" in bench.planned()


def test_both_states_of_a_file_are_remembered(bench: Bench) -> None:
    first = bench.planned("--format", "json")
    bench.write("data.txt", "other")
    second = bench.planned("--format", "json")
    assert first != second
    bench.break_bridge()
    assert bench.planned("--format", "json") == second
    bench.write("data.txt", "data")
    assert bench.planned("--format", "json") == first


def test_another_evaluator_is_asked_again(bench: Bench) -> None:
    bench.planned()
    os.utime(bench.bridge, ns=(1, 1))
    assert b"memoised" not in bench.planned()


def test_what_was_said_of_the_danubefile_is_remembered(bench: Bench) -> None:
    bench.write(
        "danubefile.py",
        "from danube import pipeline, step\n\n\n@pipeline\ndef build():\n"
        "    lines = step.run('ls', capture=True)\n    for line in lines.splitlines():\n"
        "        step.run(line)\n",
    )
    first = bench.plan()
    assert first.returncode == 0
    assert b"danubefile.py:7:" in first.stderr
    bench.break_bridge()
    second = bench.plan("--format", "proto")
    assert (second.returncode, second.stderr) == (0, first.stderr)
    strict = bench.plan("--format", "proto", "--require-static")
    assert (strict.returncode, strict.stdout) == (2, b"")


def test_a_danubefile_with_mistakes_is_remembered(bench: Bench) -> None:
    bench.write(
        "danubefile.py",
        "from danube import pipeline, step\n\n\n@pipeline\ndef build():\n    step.run('')\n",
    )
    first = bench.plan()
    assert first.returncode == 2
    bench.break_bridge()
    second = bench.plan()
    assert (second.returncode, second.stderr) == (2, first.stderr)


def test_a_torn_cache_is_not_believed(bench: Bench) -> None:
    fresh = bench.planned("--format", "proto")
    results = list(bench.cache.glob("danube/plans/*.result"))
    assert results
    for path in results:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    assert bench.planned("--format", "proto") == fresh
