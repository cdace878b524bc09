"""The real compiler against an evaluator that is played: mutated recordings, and heavy ones.

An evaluator that a danubefile has taken over can send anything. Here another program stands in its
place (DANUBE_PYBRIDGE) and sends a file of prepared bytes; `danube plan` must end in time, within
its memory, with a plan or an error that is its own.
"""

from __future__ import annotations

import marshal
import os
import random
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import escape_adapter
import measured
import pytest

# Takes the configuration, sends the bytes beside it while answers are dropped, and ends or stays.
PLAYER = """#!/usr/bin/python3 -ISB
import os, pathlib, select, socket, sys, time
end = socket.socket(fileno=3)
head = end.recv(4, socket.MSG_WAITALL)
end.recv(int.from_bytes(head, "little"), socket.MSG_WAITALL)
place = pathlib.Path(sys.argv[0])
data = memoryview(place.with_suffix(".bytes").read_bytes())
end.setblocking(False)
try:
    while data:
        readable, writable, _ = select.select([end], [end], [])
        if readable and not end.recv(1 << 20): break
        if writable: data = data[end.send(data):]
    if place.with_suffix(".stays").exists(): time.sleep(60)
except OSError:
    pass
"""
GREETING = marshal.dumps(("3.11.2", (("system calls", True, "played"),)), 2)


def frame(kind: bytes, payload: bytes) -> bytes:
    """A frame as it goes over the channel."""
    return struct.pack("<I", len(payload) + 1) + kind + payload


def tokens(*values: tuple[Any, ...]) -> bytes:
    """A frame of tokens."""
    return frame(b"T", marshal.dumps(values, 2))


def recording(*frames: bytes) -> bytes:
    """A whole recording of one path."""
    done = (True, (("p", "p", ""),), "p", "p", "", "", (), "", "")
    return b"".join([
        frame(b"H", GREETING), frame(b"P", marshal.dumps((-1,), 2)), *frames,
        tokens((12, 0, "", 0, "", "")), frame(b"G", marshal.dumps((), 2)),
        frame(b"D", marshal.dumps(done, 2)),
    ])


def step(number: int, command: object = "true", *options: tuple[str, object]) -> tuple[Any, ...]:
    """The token of a step."""
    return (0, 0, f"s{number}", command, 1, tuple(options))


@pytest.fixture
def play(tmp_path: Path, danube: Path) -> Callable[..., measured.Run]:
    """Runs `danube plan` with a player of the given bytes for an evaluator."""
    player = tmp_path / "player"
    player.write_text(PLAYER)
    player.chmod(0o755)
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / "danubefile.py").write_text("from danube import pipeline, step\n")
    with (checkout / "large").open("wb") as file:
        file.truncate((16 << 20) - 4096)

    def run(data: bytes, *options: str, stays: bool = False) -> measured.Run:
        player.with_suffix(".bytes").write_bytes(data)
        if stays:
            player.with_suffix(".stays").touch()
        return measured.run(
            [danube, "plan", "-C", checkout, "--no-memo", "--format", "json", *options],
            environment={**os.environ, "DANUBE_PYBRIDGE": str(player)})

    return run


def test_a_played_recording_is_compiled(play: Callable[..., measured.Run]) -> None:
    done = play(recording(tokens(step(1), step(2))), stays=True)
    assert done.status == 0 and done.output.count(b'"run":"true"') == 2, done.errors


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """What the real evaluator sends for the fixtures."""
    folder = tmp_path_factory.mktemp("frames")
    recorder = Path(__file__).with_name("record_frames.py")
    subprocess.run([sys.executable, recorder, folder], check=True)
    return [path.read_bytes() for path in sorted(folder.iterdir())]


def mutated(data: bytes, chance: random.Random) -> bytes:
    """A recording with some bytes changed, taken out, doubled, or its end missing."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(out))
        kind = chance.randrange(5)
        if kind == 0:
            out[at] = chance.randrange(256)
        elif kind == 1:
            del out[at : at + chance.randint(1, 9)]
        elif kind == 2:
            out[at:at] = out[at : at + chance.randint(1, 300)]
        elif kind == 3:
            out[at : at + 4] = struct.pack("<i", chance.choice((0, -1, 1, 1 << 24, 0x7FFFFFFF)))
        else:
            del out[at + 1 :]
    return bytes(out)


@pytest.mark.parametrize("seed", range(48))
def test_mutated_recordings_end_well(
    seed: int, play: Callable[..., measured.Run], recordings: list[bytes]
) -> None:
    chance = random.Random(seed)
    stays = chance.random() < 0.2
    done = play(mutated(chance.choice(recordings), chance), "--timeout", "2s", stays=stays)
    found = escape_adapter.verdict(done, 2.0)
    assert found in ("ok", "error", "timeout"), f"{found}: {done.errors[:2000]!r}"


# What once brought the compiler down, or looks as if it could.
ODD: dict[str, tuple[Any, ...]] = {
    "an unknown resource": step(1, "true", ("resources", (("x", ("L", str(8 << 30))),))),
    "a resource beyond its field": step(1, "true", ("resources", (("gpu", ("L", "9" * 60)),))),
    "an index of no step": step(1, ("t", ("o", -1))),
    "a need that is itself": step(1, "true", ("needs", (0,))),
    "an empty token": (),
    "an operation of no step": step(1, ("t", ("m", "split", "x", (), 1 << 30, -(1 << 31)))),
    "no number": step(1, "true", ("timeout", float("nan")), ("retries", float("-inf"))),
    "ports": step(1, "true", ("services", ((None, "x", None, (-1, ("L", "9" * 40)), None, None),))),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_tokens_end_in_an_error(name: str, play: Callable[..., measured.Run]) -> None:
    done = play(recording(tokens(ODD[name])))
    assert escape_adapter.verdict(done) == "error", done.errors


def _steps(count: int, *options: tuple[str, object]) -> bytes:
    return b"".join(
        tokens(*(step(n, "true", *options) for n in range(start, min(start + 2048, count))))
        for start in range(0, count, 2048))


def _every(request: tuple[str, str], count: int) -> bytes:
    return frame(b"Q", marshal.dumps(request, 2)) * count


# What is heavy in one way each, up to what the bounds let through.
HEAVY: dict[str, Callable[[], bytes]] = {
    "steps": lambda: recording(_steps(99_000)),
    "reads of a large file": lambda: recording(_every(("read", "large"), 50)),
    "listings": lambda: recording(_every(("list", ""), 100_000)),
    "absent paths": lambda: recording(*(
        _every(("stat", f"{n:06}/" + "p" * 3000), 1) for n in range(20_000))),
    "empty conditions": lambda: recording(
        tokens(step(0)), *[tokens(*(((4, ("k", 0, (0, 0))), (5,), (6,)) * 20_000))] * 15),
    "decisions answered once": lambda: recording(
        tokens(step(0)), tokens(*((3, ("k", 0, (n, n)), True, 0) for n in range(250)))),
    "a wide condition": lambda: recording(
        _steps(3000),
        tokens((4, ("and", *(("k", n, (n % 256, n % 256)) for n in range(3000)))),
               *(step(n) for n in range(3000, 5000)), (5,), (6,))),
    "conditions that share nothing": lambda: recording(
        _steps(60), tokens((4, ("or", *(
            ("and", ("k", n, (0, 0)), ("k", 59 - n, (1, 1))) for n in range(30)))),
            step(61), (5,), (6,))),
    "a deep diagram": lambda: recording(
        _steps(3900), tokens((4, ("or", *(
            ("and", ("k", n, (0, 0)), ("k", n + 1, (1, 1))) for n in range(0, 3900, 2)))),
            step(3901), (5,), (6,))),
    "parallel within parallel": lambda: recording(
        tokens(*[(7, 0, "", True)] * 60), _steps(20_000), tokens(*[(8,)] * 60)),
    "sequences in parallel": lambda: recording(
        tokens((7, 0, "", True)),
        *(tokens((9, 0, ""), (0, 0, f"s{n}", "true", 5, ()), (0, 0, f"t{n}", "true", 5, ()), (10,))
          for n in range(3000)),
        tokens((8,), step(1))),
    "needs of all before": lambda: recording(
        *(tokens(step(n, "true", ("needs", tuple(range(n))))) for n in range(1500))),
    "globs": lambda: recording(*(
        tokens(step(n, "true", ("inputs", tuple(f"*{n}{i}" for i in range(500))),
                    ("outputs", tuple(f"?{n}{i}" for i in range(500))))) for n in range(300))),
    "one long text after the other": lambda: recording(*(
        tokens(step(n, "x" * (1 << 20))) for n in range(4))),
    "empty frames": lambda: recording(tokens() * 1_000_000),
}


@pytest.mark.parametrize("name", HEAVY)
def test_heavy_recordings_end_in_time(name: str, play: Callable[..., measured.Run]) -> None:
    # A machine that does other work as well may be late; what takes long is late each time.
    for _ in range(3):
        done = play(HEAVY[name]())
        found = escape_adapter.verdict(done, escape_adapter.WALL_SECONDS)
        if not found.startswith("late"):
            break
    assert found in ("ok", "error", "timeout"), f"{found}: {done.errors[:2000]!r}"
