"""What tests of a master under faults share: the shim, what is left, and what a database says."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Sequence
from pathlib import Path

from fixture_cases import ROOT
from master import TERMINAL, Master

# Larger numbers for `make soak`: 0 is what every run of the tests does.
SOAK = int(os.environ.get("DANUBE_SOAK", "0"))


def soak(short: int, long: int) -> int:
    """A number of the short form, or of the long one."""
    return long if SOAK else short


def build_library(folder: Path, name: str) -> Path:
    """A library of Tests/crash."""
    target = folder / f"{name}.so"
    source = ROOT / "Tests" / "crash" / f"{name}.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", target, source, "-ldl"], check=True)
    return target


def fault(shim: Path, master: Master, told: Path, at: int, mode: str, **more: str) -> None:
    """Has the next start of a master meet a fault at its n-th change of a file of its data."""
    master.variables = {
        "LD_PRELOAD": str(shim), "FAULT_BELOW": str(master.data), "FAULT_AT": str(at),
        "FAULT_MODE": mode, "FAULT_TOLD": str(told), **more,
    }  # fmt: skip


def processes(folder: Path, but: Sequence[int] = ()) -> list[str]:
    """Processes which were started with a path below a folder, or which are in it."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) in but:
            continue
        try:
            words = Path(f"/proc/{entry}/cmdline").read_bytes()
            place = os.readlink(f"/proc/{entry}/cwd")
        except OSError:  # it has ended
            continue
        if f"{folder}/".encode() in words or f"{place}/".startswith(f"{folder}/"):
            found.append(f"{entry} in {place}: {words.replace(bytes(1), b' ')[:300]!r}")
    return found


def left(master: Master) -> list[str]:
    """Processes of jobs of a master, itself not counted."""
    own = [master.process.pid] if master.process is not None else []
    return processes(master.data, own)


def reading(master: Master) -> sqlite3.Connection:
    """A connection that reads the database."""
    return sqlite3.connect(f"file:{master.data}/danube.db?mode=ro", uri=True)


def check_database(master: Master) -> dict[str, list[str]]:
    """Checks the rules that hold whatever happens; gives the states of each job, in order."""
    with reading(master) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        rows = database.execute(
            "SELECT jobs.id, body ->> 'to' FROM job_events JOIN jobs ON job = number"
            " WHERE kind = 'state' ORDER BY sequence"
        ).fetchall()
        now = dict(database.execute("SELECT id, state FROM jobs").fetchall())
    states: dict[str, list[str]] = {job: [] for job in now}
    for job, state in rows:
        states[job].append(state)
    for job, passed in states.items():
        ends = [state for state in passed if state in TERMINAL]
        assert passed and passed[0] == "pending" and passed[-1] == now[job], (job, passed)
        assert len(ends) == (1 if now[job] in TERMINAL else 0), (job, passed)
    return states


def check_ledger(master: Master, ledger: Path) -> dict[str, int]:
    """Checks that no step was executed more often than was recorded.

    Each line of the ledger is `JOB STEP`, written by the step itself.

    Returns:
        How often each job and step was executed.
    """
    done: dict[str, int] = {}
    for line in ledger.read_text().splitlines() if ledger.exists() else []:
        done[line] = done.get(line, 0) + 1
    with reading(master) as database:
        rows = database.execute(
            "SELECT jobs.id || ' ' || step, attempts,"
            " (SELECT count(*) FROM attempts WHERE attempts.job = number"
            " AND attempts.step = steps.step)"
            " FROM steps JOIN jobs ON job = number"
        ).fetchall()
    recorded = {name: attempts for name, attempts, _ in rows}
    assert all(attempts == counted for _, attempts, counted in rows), rows
    for name, count in done.items():
        assert count <= recorded.get(name, 0), (name, count, recorded.get(name))
    return done
