"""Runs a program and measures it alone: its time, and its peak memory without that of children.

`wait4` adds what children used, and the evaluator is a child of `danube`. So the program is traced
for its exit, where the kernel still has its own figure.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_TRACEME, _CONT, _SETOPTIONS = 0, 7, 0x4200
_TRACE_EXIT, _EVENT_EXIT = 0x40, 6
_KEPT = 16 << 20

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


@dataclass(frozen=True)
class Run:
    """What became of a program.

    Attributes:
        status: Its exit code, or a negative signal.
        seconds: Wall clock from before its start to its end.
        peak_kib: The most memory that it had itself, in KiB.
        stalled: Seconds of these that it, or a process of ours, waited for a processor.
    """

    status: int
    output: bytes
    errors: bytes
    seconds: float
    peak_kib: int
    stalled: float


class _Stalls(threading.Thread):
    """How long the machine itself was late meanwhile: what a sleeper oversleeps in all."""

    _STEP = 0.02

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._ended = threading.Event()
        self.seconds = 0.0
        self.start()

    def run(self) -> None:
        last = time.monotonic()
        while not self._ended.wait(self._STEP):
            now = time.monotonic()
            late = now - last - self._STEP
            last = now
            if late > self._STEP / 4:
                self.seconds += late

    def end(self) -> float:
        """Ends the measurement and gives it."""
        self._ended.set()
        self.join()
        return self.seconds


class _Drain(threading.Thread):
    """Reads a pipe to its end and keeps the beginning."""

    def __init__(self, pipe: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self._pipe = pipe
        self.kept = bytearray()
        self.start()

    def run(self) -> None:
        with self._pipe:
            while data := self._pipe.read(1 << 16):
                self.kept += data[: max(0, _KEPT - len(self.kept))]


def _peak_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return 0


def _waited(pid: int) -> float:
    """Seconds that the threads of a process were ready to run and did not, as the kernel counts."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[1]) for task in tasks) / 1e9


def _trace(pid: int) -> tuple[int, int, float]:
    """Lets a traced process run to its end; its wait status, peak memory and time of waiting."""
    peak = 0
    waited = 0.0
    started = False
    while True:
        _, status = os.waitpid(pid, 0)
        if not os.WIFSTOPPED(status):
            return status, peak, waited
        number = os.WSTOPSIG(status)
        if status >> 16 == _EVENT_EXIT:
            peak = max(peak, _peak_kib(pid))
            waited = max(waited, _waited(pid))
            number = 0
        elif not started and number == signal.SIGTRAP:
            started = True
            _libc.ptrace(_SETOPTIONS, pid, None, _TRACE_EXIT)
            number = 0
        _libc.ptrace(_CONT, pid, None, number)


def run(
    command: Sequence[str | Path],
    *,
    stdin: bytes | None = None,
    seconds: float = 60,
    cwd: str | Path | None = None,
    environment: dict[str, str] | None = None,
) -> Run:
    """Runs a program to its end; it is killed when it takes longer than `seconds`."""
    stalls = _Stalls()
    start = time.monotonic()
    process = subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=cwd,
        env=environment,
        preexec_fn=lambda: _libc.ptrace(_TRACEME, 0, None, None),
    )
    assert process.stdout is not None and process.stderr is not None
    output, errors = _Drain(process.stdout), _Drain(process.stderr)
    if stdin is not None:
        assert process.stdin is not None
        feeder = threading.Thread(target=_feed, args=(process.stdin, stdin), daemon=True)
        feeder.start()
    killer = threading.Timer(seconds, os.kill, (process.pid, signal.SIGKILL))
    killer.start()
    try:
        status, peak, waited = _trace(process.pid)
    finally:
        killer.cancel()
    taken = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    output.join()
    errors.join()
    stalled = max(waited, stalls.end())
    return Run(
        process.returncode, bytes(output.kept), bytes(errors.kept), taken, peak, stalled)


def _feed(pipe: IO[bytes], data: bytes) -> None:
    try:
        with pipe:
            pipe.write(data)
    except BrokenPipeError:
        pass
