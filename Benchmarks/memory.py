"""The peak memory of a command and of everything that it starts."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Peak:
    """Megabytes. `bound_mb` adds up each process's own peak, so the truth is at most that."""

    together_mb: float
    bound_mb: float


def peak(command: list[str], folder: Path, environment: dict[str, str]) -> Peak:
    """Runs the command and watches its processes about a thousand times a second."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=dict(os.environ, **environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    together, own = 0, dict[int, int]()
    while process.poll() is None:
        now = 0
        for pid in tree(process.pid):
            resident, high = memory(pid)
            now += resident
            own[pid] = max(own.get(pid, 0), high)
        together = max(together, now)
        time.sleep(0.0005)
    if process.returncode != 0:
        raise RuntimeError(f"{command} ended with {process.returncode}")
    return Peak(together / 1e6, sum(own.values()) / 1e6)


def tree(root: int) -> list[int]:
    """The process and all that descend from it."""
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                children = Path(f"/proc/{pid}/task/{task}/children").read_text()
                todo += [int(child) for child in children.split()]
        except OSError:
            continue
    return found


def memory(pid: int) -> tuple[int, int]:
    """Bytes that are resident now, and the most that ever were."""
    resident = high = 0
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                resident = int(line.split()[1]) * 1024
            elif line.startswith("VmHWM:"):
                high = int(line.split()[1]) * 1024
    except OSError:
        pass
    return resident, high
