"""Drives danube-pybridge as the compiler does, for tests: spawns it, answers its requests.

The process is started by the project's own C code (Sources/CSandbox/spawn.c), built here as a
shared
library, so that namespaces and descriptors are those of the real thing.
"""

from __future__ import annotations

import ctypes
import functools
import marshal
import os
import pathlib
import select
import signal
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBRARY = pathlib.Path("/usr/lib/python3.11")


def bridge_path() -> pathlib.Path:
    """The built bridge: DANUBE_PYBRIDGE, or that of the newest build."""
    if "DANUBE_PYBRIDGE" in os.environ:
        return pathlib.Path(os.environ["DANUBE_PYBRIDGE"])
    found = [ROOT / ".build" / kind / "danube-pybridge" for kind in ("debug", "release")]
    return max((p for p in found if p.exists()), key=lambda p: p.stat().st_mtime)


@functools.cache
def _spawn_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="danube-spawn-")


@functools.cache
def spawn_library_file() -> pathlib.Path:
    """Sources/CSandbox/spawn.c as a shared library; it goes with the process."""
    built = pathlib.Path(_spawn_folder().name) / "spawn.so"
    source = ROOT / "Sources/CSandbox/spawn.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", built, source], check=True)
    return built


@functools.cache
def spawn_library() -> ctypes.CDLL:
    """The same, loaded."""
    return ctypes.CDLL(str(spawn_library_file()), use_errno=True)


def run_program(program: pathlib.Path) -> tuple[str, int]:
    """Starts a program as the bridge is started: what it wrote to the channel, its wait status."""
    ours, theirs = socket.socketpair()
    pid = ctypes.c_int()
    error = spawn_library().danube_spawn_on(
        os.fsencode(program), theirs.fileno(), ctypes.byref(pid))
    theirs.close()
    if error != 0:
        raise OSError(-error, os.strerror(-error))
    output = b""
    with ours:
        while data := ours.recv(65536):
            output += data
    return output.decode(), os.waitpid(pid.value, 0)[1]


class Result:
    """How an evaluation ended."""

    def __init__(self) -> None:
        self.hello: Any = None
        self.frames: list[tuple[bytes, Any]] = []
        self.requests: list[Any] = []
        # Every frame that came, as it came.
        self.raw: list[bytes] = []
        self.exit: int | None = None
        self.signal: int | None = None
        self.timed_out = False
        self.seconds = 0.0

    def last(self, kind: bytes) -> Any:
        """Payload of the last frame of a kind."""
        return [payload for name, payload in self.frames if name == kind][-1]


def stdlib_answer(name: str) -> tuple[Any, ...]:
    """What the compiler answers to ("stdlib", name)."""
    for stem, package in ((name, False), (name + "/__init__", True)):
        source = LIBRARY / (stem + ".py")
        if source.exists():
            pyc = source.parent / "__pycache__" / (source.stem + ".cpython-311.pyc")
            if pyc.exists():
                return ("ok", "pyc", pyc.read_bytes(), package)
            return ("ok", "py", source.read_bytes(), package)
    return ("absent",)


def _repository_answer(files: Mapping[str, bytes], verb: str, path: str) -> tuple[Any, ...]:
    prefix = path + "/" if path else ""
    names = {p[len(prefix) :].partition("/")[0] for p in files if p.startswith(prefix)}
    if verb == "list":
        return ("ok", tuple(sorted(names))) if names or not path else ("absent",)
    if path in files:
        if verb == "read":
            return ("ok", files[path])
        return ("ok", "file", len(files[path]), False)
    if names or not path:
        return ("error", 21, "Is a directory") if verb == "read" else ("ok", "dir", 0, False)
    return ("absent",)


def answer(files: Mapping[str, bytes], request: tuple[Any, ...]) -> tuple[Any, ...]:
    """Serves a request from files in memory."""
    verb, name = request
    if verb == "stdlib":
        return stdlib_answer(name)
    if verb in ("read", "stat", "list"):
        return _repository_answer(files, verb, name)
    return ("absent",)


def _frame(kind: bytes, value: Any) -> bytes:
    payload = marshal.dumps(value, 2)
    return struct.pack("<I", len(payload) + 1) + kind + payload


def evaluate(
    configuration: Mapping[str, Any],
    files: Mapping[str, bytes] = {},
    *,
    wall: float = 10,
    respond: Callable[[Mapping[str, bytes], Any], Any] = answer,
    bridge: pathlib.Path | None = None,
    during: Callable[[int], None] | None = None,
) -> Result:
    """Runs one evaluation to its end. `during(pid)` is called at the greeting."""
    ours, theirs = socket.socketpair()
    pid = ctypes.c_int()
    start = time.monotonic()
    path = os.fsencode(bridge or bridge_path())
    error = spawn_library().danube_spawn_on(path, theirs.fileno(), ctypes.byref(pid))
    theirs.close()
    if error != 0:
        ours.close()
        raise OSError(-error, os.strerror(-error))
    result = Result()
    ours.setblocking(False)
    pairs = tuple(configuration.items())
    to_send, received = bytearray(_frame(b"C", pairs)), bytearray()
    try:
        while True:
            left = start + wall - time.monotonic()
            readable, writable, _ = select.select(
                [ours], [ours] if to_send else [], [], max(0, left)
            )
            if not readable and not writable:
                result.timed_out = True
                break
            try:
                if writable:
                    del to_send[: ours.send(to_send)]
                if readable:
                    data = ours.recv(1 << 18)
                    if not data:
                        break
                    received += data
            except (BrokenPipeError, ConnectionResetError):
                break
            while len(received) >= 5:
                length = struct.unpack_from("<I", received)[0]
                if len(received) < 4 + length:
                    break
                kind, payload = bytes(received[4:5]), bytes(received[5 : 4 + length])
                result.raw.append(bytes(received[: 4 + length]))
                del received[: 4 + length]
                value = marshal.loads(payload)
                if kind == b"Q":
                    result.requests.append(value)
                    to_send += _frame(b"A", respond(files, value))
                elif kind == b"H":
                    result.hello = value
                    if during is not None:
                        during(pid.value)
                else:
                    result.frames.append((kind, value))
    finally:
        if result.timed_out:
            os.kill(pid.value, signal.SIGKILL)
        ours.close()
        _, status = os.waitpid(pid.value, 0)
        result.seconds = time.monotonic() - start
        result.exit = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
        result.signal = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
    return result


__all__ = [
    "Result", "answer", "bridge_path", "evaluate", "run_program", "spawn_library",
    "spawn_library_file", "stdlib_answer",
]
