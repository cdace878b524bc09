"""Runs of `danube run` on the real binary: places to run in, processes that are waited for."""

from __future__ import annotations

import os
import select
import struct
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import cli

MODES = ["in-place", "isolated"]


@dataclass
class Place:
    """A repository, and folders of its own for what Danube keeps.

    Attributes:
        root: Where everything is.
    """

    root: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def repository(self) -> Path:
        """The repository."""
        return self.root / "repository"

    @property
    def cache(self) -> Path:
        """Danube's cache folder."""
        return self.root / "cache/danube"

    @property
    def state(self) -> Path:
        """Danube's state folder."""
        return self.root / "state/danube"

    @property
    def env(self) -> dict[str, str]:
        """The environment that danube is started in."""
        return cli.environment(
            HOME=str(self.root),
            XDG_CACHE_HOME=str(self.cache.parent),
            XDG_STATE_HOME=str(self.state.parent),
            **self.variables,
        )

    def write(self, body: str, head: str = "") -> None:
        """Writes the danubefile."""
        cli.repository(self.repository, body, head)

    def put(self, name: str, text: str = "") -> Path:
        """Writes a file of the repository."""
        path = self.repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def arguments(self, mode: str, *more: str) -> list[str]:
        """The arguments of a run."""
        return ["run", "--host", *(["--in-place"] if mode == "in-place" else []), *more]

    def run(self, mode: str, *more: str) -> cli.Ended:
        """Runs the pipeline to its end."""
        return cli.danube(*self.arguments(mode, *more), cwd=self.repository, env=self.env)

    @contextmanager
    def running(self, mode: str, *more: str) -> Iterator[subprocess.Popen[bytes]]:
        """Starts a run, which is ended with the block."""
        program = cli.executable()
        assert program is not None
        process = subprocess.Popen(
            [program, *self.arguments(mode, *more)],
            cwd=self.repository,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate(timeout=cli.DEADLINE)

    @property
    def left(self) -> list[str]:
        """What runs have left in the folder for workspaces."""
        work = self.cache / "work"
        return sorted(os.listdir(work)) if work.exists() else []

    def artifact(self, name: str) -> str:
        """The text of an artifact."""
        return (self.repository / "danube-out" / name).read_text()


class Marker:
    """A command that runs for long and is told from all others on this machine.

    Attributes:
        command: What a step starts.
    """

    def __init__(self) -> None:
        self.seconds = f"{3600 + uuid.uuid4().int % 10**6}.{uuid.uuid4().int % 10**9:09}"
        self.command = f"sleep {self.seconds}"

    def processes(self) -> list[int]:
        """Those that run."""
        found = []
        for entry in os.listdir("/proc"):
            if entry.isdigit() and self.seconds.encode() in _read(f"/proc/{entry}/cmdline"):
                found.append(int(entry))
        return found

    def wait_for_end(self) -> None:
        """Waits until all of them have ended."""
        for process in self.processes():
            wait_for_end(process)
        assert not self.processes()


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:  # it has ended
        return b""


def wait_for_end(process: int) -> None:
    """Waits until a process, which need not be a child, has ended."""
    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        return
    try:
        assert select.select([handle], [], [], cli.DEADLINE)[0], f"{process} does not end"
    finally:
        os.close(handle)


def _children(process: int) -> list[int]:
    # Each thread has a list of its own.
    lists = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for one in lists for child in _read(str(one)).split()]


def engine(guard: int) -> int:
    """The child of the front process of a run, once steps run."""
    (child,) = _children(guard)
    return child


def wait_for_evaluator(guard: int) -> None:
    """Waits until the danubefile is being evaluated."""
    deadline = time.monotonic() + cli.DEADLINE
    while time.monotonic() < deadline:
        for child in _children(guard):
            if any(b"pybridge" in _read(f"/proc/{one}/cmdline") for one in _children(child)):
                return
    raise AssertionError("nothing is evaluated")


@dataclass
class Bell:
    """A pipe with a name by which a step tells the test where it is.

    Attributes:
        path: The pipe.
    """

    path: Path

    def __post_init__(self) -> None:
        os.mkfifo(self.path)

    @property
    def ring(self) -> str:
        """What a step does: it waits until the test listens."""
        return f"echo > '{self.path}'"

    def listen(self) -> None:
        """Waits until a step rings."""
        file = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            assert select.select([file], [], [], cli.DEADLINE)[0], f"nobody rang {self.path}"
            os.read(file, 1)
        finally:
            os.close(file)


_HEAD = struct.Struct("<IIIHBBQq")


NOTE, STDOUT, STDERR = 0, 1, 2


@dataclass(frozen=True)
class Frame:
    """A piece of a log.

    Attributes:
        attempt: From 1.
        kind: `NOTE`, `STDOUT` or `STDERR`.
        content: What was printed.
    """

    attempt: int
    kind: int
    content: bytes


def frames(place: Place, step: int) -> Iterator[Frame]:
    """What the last job's log holds of a step, piece by piece; the format is LogFrame's."""
    job = max((place.state / "jobs").iterdir())
    with (job / "log").open("rb") as log:
        assert log.read(16) == b"danube-log 1\n\0\0\0"
        while head := log.read(_HEAD.size):
            _, length, number, attempt, kind, _, _, _ = _HEAD.unpack(head)
            content = log.read(length)
            assert len(content) == length
            if number == step and kind in (NOTE, STDOUT, STDERR):
                yield Frame(attempt, kind, content)


def logged(place: Place, step: int) -> Iterator[bytes]:
    """What a step of the last job printed, piece by piece."""
    return (frame.content for frame in frames(place, step) if frame.kind != NOTE)
