"""Hostile danubefiles of our own against the real program: Tests/containment/payloads.

The header of each says what contained means there: what it may end in, words that must not come
out, what lies beside it. All are held to what escape_adapter holds any file to.
"""

from __future__ import annotations

import os
import re
import shlex
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import escape_adapter
import pytest

PAYLOADS = sorted((escape_adapter.ROOT / "Tests" / "containment" / "payloads").glob("*.py"))
TRIPWIRES = Path("/tmp")


def _header(payload: Path) -> dict[str, str]:
    lines = payload.read_text().splitlines()
    found = (re.fullmatch(r"# ([a-z]+): (.+)", line) for line in lines[:8])
    return {match[1]: match[2] for match in found if match}


def _wall(options: list[str]) -> float:
    """Seconds that an evaluation may take: what `--timeout` says, or the default."""
    if "--timeout" not in options:
        return escape_adapter.WALL_SECONDS
    return float(options[options.index("--timeout") + 1].removesuffix("s"))


def _sparse(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)


def _special_files(folder: Path) -> None:
    (folder / "out").symlink_to("/etc")
    (folder / "zero").symlink_to("/dev/zero")
    (folder / "loop").symlink_to("loop")
    (folder / "magic").symlink_to("/proc/self/cwd")
    (folder / "git").symlink_to(".git")
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("root:x\n")
    (folder.parent / "secret").write_text("root:x\n")
    os.mkfifo(folder / "pipe")
    _sparse(folder / "sparse", 10 << 30)
    # A socket's own path may only be short.
    here = os.getcwd()
    os.chdir(folder)
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("socket")
    finally:
        os.chdir(here)


def _large_files(folder: Path) -> None:
    for number in range(40):
        _sparse(folder / f"large{number}", 15 << 20)


def _many_files(folder: Path) -> None:
    many = folder / "many"
    many.mkdir()
    place = os.open(many, os.O_RDONLY)
    for number in range(100_001):
        os.close(os.open(str(number), os.O_CREAT | os.O_WRONLY, dir_fd=place))
    os.close(place)


def _newlines(folder: Path) -> None:
    with (folder / "danubefile.py").open("ab") as file:
        file.write(b"\n" * (15 << 20))


REPOSITORIES: dict[str, Callable[[Path], None]] = {
    "special-files": _special_files, "large-files": _large_files, "many-files": _many_files,
    "newlines": _newlines,
}


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Path]:
    """A folder for the repository; what stands in it goes with the test."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    yield folder
    for path in TRIPWIRES.glob("danube-tripwire*"):
        path.unlink()


@pytest.mark.parametrize("audit", ["audit", "no-audit"])
@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda path: path.stem)
def test_hostile_files_are_contained(
    payload: Path, audit: str, checkout: Path, danube: Path
) -> None:
    header = _header(payload)
    (checkout / "danubefile.py").write_bytes(payload.read_bytes())
    if "repository" in header:
        REPOSITORIES[header["repository"]](checkout)
    options = shlex.split(header.get("options", ""))
    options += ["--no-audit"] if audit == "no-audit" else []
    status, done = escape_adapter.judge(checkout, *options, wall=_wall(options))
    assert status in header["expect"].split("|"), done.errors[:3000].decode(errors="replace")
    if "forbidden" in header:
        said = done.output + done.errors
        assert not re.search(header["forbidden"].encode(), _unquoted(said))
    assert list(TRIPWIRES.glob("danube-tripwire*")) == []


def _unquoted(said: bytes) -> bytes:
    """What was said without lines of the source, which name what was only tried."""
    return b"\n".join(line for line in said.splitlines() if not re.match(rb" +\d* \| ", line))


def test_every_payload_says_what_contained_means() -> None:
    assert len(PAYLOADS) > 25
    for payload in PAYLOADS:
        header = _header(payload)
        assert {"contained", "expect"} <= set(header), payload
        assert set(header["expect"].split("|")) <= {"ok", "error", "timeout"}, payload
        assert header.get("repository") in {None, *REPOSITORIES}, payload
