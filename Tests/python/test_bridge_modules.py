"""The evaluator's compiled modules beside the program: used when they fit, and never needed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

DANUBE = Path(os.environ["DANUBE"]).resolve()
DANUBEFILE = """\
from danube import pipeline, step


@pipeline
def one() -> None:
    step.run("true", name="a")
"""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """Copies of both programs in a folder that everybody may enter, without compiled modules."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for place in (tmp_path, *tmp_path.parents):
        if place.stat().st_uid == os.getuid() and place.is_relative_to("/tmp"):
            place.chmod(place.stat().st_mode | 0o055)
    for name in ("danube", "danube-pybridge"):
        shutil.copy(DANUBE.parent / name, folder / name)
    (tmp_path / "danubefile.py").write_text(DANUBEFILE)
    return folder


def plan(programs: Path) -> bytes:
    done = subprocess.run(
        [programs / "danube", "plan", "--format", "proto", "--no-memo"],
        cwd=programs.parent,
        env={"XDG_CACHE_HOME": str(programs.parent / "cache"), "HOME": "/nonexistent"},
        capture_output=True,
        check=True,
    )
    return done.stdout


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flipped(content: bytes) -> bytes:
    return content[:9] + bytes([content[9] ^ 1]) + content[10:]


def another_library(content: bytes) -> bytes:
    """As if the standard library had changed since: its state stands after 24 bytes."""
    return content[:24] + bytes(8) + content[32:]


@pytest.mark.parametrize(
    "change", [lambda _: b"", lambda _: b"nonsense", cut, flipped, another_library]
)
def test_modules_that_do_not_fit_are_not_used(
    programs: Path, change: Callable[[bytes], bytes]
) -> None:
    expected = plan(programs)
    subprocess.run([programs / "danube-pybridge", "--compile"], check=True)
    compiled = programs / "danube-pybridge.pyc"
    assert plan(programs) == expected
    compiled.write_bytes(change(compiled.read_bytes()))
    assert plan(programs) == expected


def test_modules_that_others_may_write_are_not_used(programs: Path) -> None:
    expected = plan(programs)
    compiled = programs / "danube-pybridge.pyc"
    compiled.write_bytes(b"nonsense")
    compiled.chmod(0o666)
    assert plan(programs) == expected
