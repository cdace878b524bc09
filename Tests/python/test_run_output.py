"""What steps print: nothing is lost, memory stays bounded, the terminal is not touched."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

import cli
from runs import MODES, Bell, Place, engine, logged

MIB = 1 << 20
# More than what the engine takes over its idle size is a leak of what is printed.
BOUND = 64 * MIB


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.repository.mkdir()
    return place


def _program(place: Place, text: str) -> str:
    """A Python program that a step runs."""
    path = place.root / "program.py"
    path.write_text("import sys\nout = sys.stdout.buffer\n" + text)
    return f"/usr/bin/python3 -S '{path}'"


def _peak(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


LONG = "out.write(b'x' * (50 << 20) + b'\\n')"
MUCH = "for n in range(20): out.write(b'%099d\\n' % n * 104858)"
SHORT = "for n in range(300000): out.write(b'%d\\n' % n)"


@pytest.mark.parametrize(
    ("text", "size", "show", "declared"),
    [
        (MUCH, 20 * 104858 * 100, "--json", ""),
        (MUCH, 20 * 104858 * 100, "--quiet", ""),
        (MUCH, 20 * 104858 * 100, "--quiet", ", inputs=[], outputs=[]"),
        (LONG, 50 * MIB + 1, "--json", ""),
        (LONG, 50 * MIB + 1, "--quiet", ""),
        (LONG, 50 * MIB + 1, "--quiet", ", inputs=[], outputs=[]"),
        (SHORT, 1988890, "--json", ""),
        (SHORT, 1988890, "--explain", ""),
    ],
    ids=[
        "much json", "much quiet", "much kept", "long json", "long quiet", "long kept",
        "short json", "short lines",
    ],
)
def test_nothing_is_lost_and_memory_is_bounded(
    place: Place, tmp_path: Path, text: str, size: int, show: str, declared: str
) -> None:
    before, after, hold = (Bell(tmp_path / name) for name in ("before", "after", "hold"))
    program = _program(place, text)
    place.write(
        f"step.run({before.ring!r})\n"
        f"step.run({program!r}, check=False{declared})\n"
        f"step.run(\"{after.ring}; read x < '{hold.path}'\")"
    )
    with (tmp_path / "shown").open("wb") as shown:
        process = cli.subprocess.Popen(
            [cli.executable() or "", *place.arguments("in-place", show)],
            cwd=place.repository, env=place.env, stdout=shown, stderr=shown,
        )  # fmt: skip
        before.listen()
        inner = engine(process.pid)
        idle = _peak(inner)
        after.listen()
        peak = _peak(inner)
        hold.path.write_text("\n")
        assert process.wait(timeout=cli.DEADLINE) == 0
    assert peak - idle < BOUND, f"{(peak - idle) / MIB:.1f} MiB"
    expected = hashlib.sha256(cli.subprocess.check_output(program, shell=True)).digest()
    found, count = hashlib.sha256(), 0
    for piece in logged(place, 1):
        found.update(piece)
        count += len(piece)
    assert count == size
    assert found.digest() == expected


NASTY = (
    bytes(range(256))
    + b"\x1b]0;title\x07\x1b[2J\x1b[1;31mred\x1b[0m\x9b5n\r\n\xe2\x80\xae\xff\xfe\n"
)


@pytest.mark.parametrize("mode", MODES)
def test_bytes_of_all_kinds_are_kept_and_none_reaches_the_terminal(
    place: Place, mode: str
) -> None:
    program = _program(place, f"out.write({NASTY!r} * 50)\nout.flush()\nsys.exit(1)")
    place.write(f"step.run({program!r})")
    ended = cli.on_terminal(
        *place.arguments(mode), columns=100, cwd=place.repository, env=place.env
    )
    assert ended.status == 1
    assert b"".join(logged(place, 0)) == NASTY * 50
    for harm in ("\x1b]", "\x07", "\x1b[5n", "\x9b", "\u202e", "\0"):
        assert harm not in ended.out, repr(harm)


def test_a_reader_that_goes_away_harms_nobody(place: Place, tmp_path: Path) -> None:
    bell = Bell(tmp_path / "bell")
    place.write(
        f"step.run({bell.ring!r})\n"
        "for n in range(5):\n"
        "    step.run(f'echo {n} >> done; echo text')\n"
    )
    with place.running("in-place") as process:
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        bell.listen()
        assert process.wait(timeout=cli.DEADLINE) == 0
    assert (place.repository / "done").read_text().split() == list("01234")


def test_output_that_is_captured_has_its_bounds(place: Place) -> None:
    place.write(
        "full = step.run('head -c 1048576 /dev/zero | tr \"\\\\0\" x; echo; echo', capture=True)\n"
        "step.run(f'printf %s {full} | wc -c > all')\n"
        "artifacts.upload('all')\n"
        "try:\n"
        "    step.run('head -c 1048577 /dev/zero | tr \"\\\\0\" x', capture=True, name='Long')\n"
        "finally:\n"
        "    step.run(\"printf 'a\\\\000b'\", capture=True, name='Nul')\n"
    )
    ended = place.run("isolated")
    assert ended.status == 1
    assert place.artifact("all").strip() == "1048576", ended.out
    assert "1048577 bytes, more than 1048576" in ended.out
    assert "captured output has a NUL byte" in ended.out


SLICE = """
import ctypes, os
number = {"x86_64": 315, "aarch64": 275}[os.uname().machine]
attributes = ctypes.create_string_buffer(48)
assert ctypes.CDLL(None).syscall(number, 0, attributes, 48, 0) == 0
print(attributes.raw.hex())
"""


def test_steps_are_scheduled_like_any_program(place: Place) -> None:
    """The engine asks for short slices (sched_setattr(2)), which no step inherits."""
    command = _program(place, SLICE)
    place.write(f'step.run({command!r}, name="a", cache=False)')
    ended = place.run("in-place", "--quiet")
    assert ended.status == 0, ended.err
    plain = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True)
    assert b"".join(logged(place, 0)) == plain.stdout.encode()
