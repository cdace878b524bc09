"""The evaluator's compiled modules beside the program: used when they fit, and never needed."""

from __future__ import annotations

import os
import shutil
import struct
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


# Magic, digest of the sources, interpreter, number of modules, state of the library's files.
HEADER = struct.Struct("<8sQIIQ")
LIBRARY_MODULES = 3


def entries(content: bytes) -> list[tuple[int, int]]:
    """Offset and length of each module's code, of all early ones, and of the library's."""
    count = HEADER.unpack_from(content)[3] + 1 + LIBRARY_MODULES
    return [struct.unpack_from("<II", content, HEADER.size + 8 * index) for index in range(count)]


def spoilt(content: bytes, parts: list[tuple[int, int]]) -> bytes:
    """What nobody could load: to be used, it would be noticed."""
    changed = bytearray(content)
    for start, length in parts:
        changed[start : start + length] = bytes(length)
    return bytes(changed)


def cut(content: bytes) -> bytes:
    """Its last entries lie outside of it."""
    return content[: entries(content)[0][0] + 10]


def other_sources(content: bytes) -> bytes:
    changed = spoilt(content, entries(content))
    return changed[:8] + bytes([changed[8] ^ 1]) + changed[9:]


def other_interpreter(content: bytes) -> bytes:
    changed = spoilt(content, entries(content))
    return changed[:16] + bytes([changed[16] ^ 1]) + changed[17:]


def other_library(content: bytes) -> bytes:
    """As if the standard library had changed since."""
    changed = spoilt(content, entries(content)[-LIBRARY_MODULES:])
    return changed[:24] + bytes([changed[24] ^ 1]) + changed[25:]


@pytest.mark.parametrize(
    "change",
    [lambda _: b"", lambda _: b"nonsense", cut, other_sources, other_interpreter, other_library],
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


def test_modules_that_fit_are_used(programs: Path) -> None:
    subprocess.run([programs / "danube-pybridge", "--compile"], check=True)
    compiled = programs / "danube-pybridge.pyc"
    content = compiled.read_bytes()
    compiled.write_bytes(spoilt(content, entries(content)))
    with pytest.raises(subprocess.CalledProcessError):
        plan(programs)


def test_modules_that_others_may_write_are_not_used(programs: Path) -> None:
    expected = plan(programs)
    subprocess.run([programs / "danube-pybridge", "--compile"], check=True)
    compiled = programs / "danube-pybridge.pyc"
    content = compiled.read_bytes()
    compiled.write_bytes(spoilt(content, entries(content)))
    compiled.chmod(0o666)
    assert plan(programs) == expected
