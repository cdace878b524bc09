"""What a cancelled job still runs: the steps that Python would, had it been interrupted there."""

from __future__ import annotations

import random
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from danube import _runtime
from danube._live import LiveBackend, StepCall, run_file
from runs import MODES, Bell, Place

HEAD = """\
from contextlib import contextmanager

@contextmanager
def environment(up, down):
    step.run(up, check=False)
    try:
        yield
    finally:
        step.run(down, check=False)

class Lock:
    def __init__(self, release):
        self.release = release
    def __enter__(self):
        return self
    def __exit__(self, *details):
        step.run(self.release, check=False)
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def bell(tmp_path: Path) -> Bell:
    return Bell(tmp_path / "bell")


class Program:
    """A pipeline of steps that write their numbers down, and stop at one of them.

    Attributes:
        body: The statements.
        files: The artifacts that it may keep.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._steps = 0
        self.files: list[str] = []
        self.body = "\n".join([*self._run(), *self._block(0, self._random.randint(1, 3))])

    def _step(self) -> str:
        self._steps += 1
        return f"'{{}} {self._steps}'"

    def _run(self) -> list[str]:
        check = self._random.choice(["", ", check=False", ", check=False"])
        return [f"step.run({self._step()}{check})"]

    def _upload(self) -> list[str]:
        self.files.append(f"file-{len(self.files)}")
        return [f"artifacts.upload('{self.files[-1]}')"]

    def _try(self, depth: int) -> list[str]:
        body = self._block(depth, self._random.randint(1, 3))
        final = self._block(depth, self._random.randint(1, 2))
        return ["try:", *_indented(body), "finally:", *_indented(final)]

    def _with(self, depth: int) -> list[str]:
        manager = self._random.choice(
            [f"environment({self._step()}, {self._step()})", f"Lock({self._step()})"]
        )
        return [f"with {manager}:", *_indented(self._block(depth, self._random.randint(1, 2)))]

    def _parallel(self) -> list[str]:
        return ["with parallel():", *_indented([*self._run(), *self._run()])]

    def _if(self, depth: int) -> list[str]:
        return [
            f"if step.run({self._step()}, check=False) == 0:",
            *_indented(self._block(depth, self._random.randint(1, 2))),
        ]

    def _block(self, depth: int, length: int) -> list[str]:
        kinds: list[Callable[[], list[str]]] = [self._run, self._run, self._upload, self._parallel]
        if depth < 3:
            nested = [self._try, self._try, self._with, self._if]
            kinds += [lambda one=one: one(depth + 1) for one in nested]  # type: ignore[misc]
        return [line for _ in range(length) for line in self._random.choice(kinds)()]


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


class Interrupted:
    """Steps under CPython, of which one is interrupted."""

    def __init__(self, at: str | None) -> None:
        self._at = at
        self.did: list[str] = []

    def __call__(self, call: StepCall) -> tuple[int, str]:
        number = str(call.command).split()[-1]
        self.did.append(number)
        if number == self._at:
            raise KeyboardInterrupt
        return 0, ""

    def uploaded(self, path: str, name: str | None, junit: bool) -> None:
        """Records an artifact."""
        self.did.append(path)


def live(place: Place, at: str | None) -> list[str]:
    """What CPython does with the danubefile when it is interrupted at a step."""
    steps = Interrupted(at)
    backend = LiveBackend(steps, {}, {}, str(place.repository))
    try:
        run_file(str(place.repository / "danubefile.py"), None, {}, backend=backend)
    except KeyboardInterrupt:
        pass
    finally:
        _runtime.backend = None
    return steps.did


def prepared(place: Place, bell: Bell, body: str, files: list[str]) -> None:
    """Writes a danubefile whose steps are `{} NUMBER`."""
    script = place.root / "mark"
    script.write_text(
        f"#!/bin/sh\necho $1 >> '{place.root}/trail'\n"
        f"if [ $1 = \"$(cat '{place.root}/at')\" ]; then {bell.ring}; exec sleep 3600; fi\n"
    )
    script.chmod(0o755)
    for name in files:
        place.put(name, name)
    place.write(body.replace("{}", str(script)), HEAD)


def cancelled(place: Place, bell: Bell, mode: str, at: str, files: list[str]) -> list[str]:
    """What danube does when it is told to end while that step runs."""
    # What is known of earlier jobs decides which branch of a block starts first.
    shutil.rmtree(place.state, ignore_errors=True)
    (place.root / "at").write_text(at)
    (place.root / "trail").write_text("")
    for name in files:
        (place.repository / "danube-out" / name).unlink(missing_ok=True)
    with place.running(mode, "-j", "1") as process:
        bell.listen()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 1
    kept = [name for name in files if (place.repository / "danube-out" / name).exists()]
    return (place.root / "trail").read_text().split() + kept


def compared(place: Place, bell: Bell, mode: str, body: str, files: list[str]) -> None:
    """Cancels at each step, in turn, and compares."""
    prepared(place, bell, body, files)
    steps = [one for one in live(place, None) if one not in files]
    assert steps
    for at in steps:
        expected = live(place, at)
        # Artifacts are compared as a set: no file says when it was kept.
        wanted = [one for one in expected if one not in files]
        wanted += [one for one in files if one in expected]
        found = cancelled(place, bell, mode, at, files)
        assert found == wanted, f"cancelled at {at}:\n{body}"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "body",
    [
        # Steps whose failure raises nothing.
        "step.run('{} 1', check=False)\n"
        "try:\n"
        "    step.run('{} 2', check=False)\n"
        "    step.run('{} 3', check=False)\n"
        "finally:\n"
        "    step.run('{} 4', check=False)\n"
        "    step.run('{} 5')\n"
        "step.run('{} 6', check=False)\n",
        # Each `finally` of its own `try`, one of them inside a `finally`.
        "try:\n"
        "    step.run('{} 1', check=False)\n"
        "    try:\n"
        "        step.run('{} 2', check=False)\n"
        "    finally:\n"
        "        step.run('{} 3')\n"
        "finally:\n"
        "    try:\n"
        "        step.run('{} 4', check=False)\n"
        "    finally:\n"
        "        step.run('{} 5', check=False)\n"
        "    step.run('{} 6', check=False)\n",
        "try:\n"
        "    with parallel():\n"
        "        step.run('{} 1', check=False)\n"
        "        step.run('{} 2', check=False)\n"
        "finally:\n"
        "    with parallel():\n"
        "        step.run('{} 3', check=False)\n"
        "        step.run('{} 4', check=False)\n",
        "with environment('{} 1', '{} 2'), Lock('{} 3'):\n"
        "    step.run('{} 4', check=False)\n",
        # Nothing but an artifact in the `try`, which is not entered when it is cancelled before.
        "step.run('{} 1', check=False)\n"
        "try:\n"
        "    artifacts.upload('file')\n"
        "    step.run('{} 2', check=False)\n"
        "finally:\n"
        "    step.run('{} 3', check=False)\n"
        "    artifacts.upload('other')\n",
    ],
)
def test_a_finally_runs_when_its_try_was_entered(
    place: Place, bell: Bell, mode: str, body: str
) -> None:
    compared(place, bell, mode, body, ["file", "other"] if "artifacts" in body else [])


@pytest.mark.parametrize("seed", range(12))
def test_random_programs_end_as_python_ends_them(place: Place, bell: Bell, seed: int) -> None:
    program = Program(seed)
    compared(place, bell, MODES[seed % 6 == 0], program.body, program.files)
