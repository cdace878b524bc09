"""Engines that were asked for by a master that ended before they began."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from acknowledged import GONE
from faults import check_database, check_ledger, left
from master import Master, repository


def _host(master: Master) -> int:
    (host,) = master.hosts
    return host


def _ask_the_stopped(master: Master, place: Path) -> tuple[str, int]:
    """Kills a master that has asked for an engine of a job, and gives the job and who was asked.

    The one who was asked for it is stopped, and hears of it later.
    """
    master.run(place)
    host = _host(master)
    os.kill(host, signal.SIGSTOP)
    order = {"repository": str(place), "pipeline": "p"}
    job = master.ask("POST", "/api/v1/jobs", order).json["id"]
    error = master.data / "jobs" / job / "engine.err"
    try:
        master.wait_for(error.exists)
        # It is opened, and then the host is asked.
        time.sleep(0.3)
    finally:
        master.stop(signal.SIGKILL)
    return job, host


@pytest.fixture
def hosts() -> Iterator[list[int]]:
    """Processes that were stopped, and that end with the test."""
    stopped: list[int] = []
    yield stopped
    for process in stopped:
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            pass


@pytest.mark.parametrize("recorded", ["scheduling", "pending"])
@pytest.mark.parametrize("when", ["before", "while", "after"])
def test_an_engine_that_begins_late_doubles_nothing(
    tmp_path: Path, when: str, recorded: str, hosts: list[int]
) -> None:
    ledger = tmp_path / "ledger"
    seconds = 1 if when == "while" else 0
    place = repository(
        tmp_path / "r", f"step.run('echo $DANUBE_JOB 0 >> {ledger}; sleep {seconds}')"
    )
    with Master(tmp_path / "data") as master:
        job, host = _ask_the_stopped(master, place)
        hosts.append(host)
        # That a job is begun need not be on the disk before its engine is asked for.
        with sqlite3.connect(master.data / "danube.db") as database:
            database.execute("UPDATE jobs SET state = ? WHERE id = ?", (recorded, job))
        database.close()
        if when == "before":
            os.kill(host, signal.SIGCONT)
            master.wait_for(lambda: f"{job} 0" in ledger.read_text())
        master.start()
        if when == "while":
            master.wait_for(lambda: f"{job} 0" in ledger.read_text())
            os.kill(host, signal.SIGCONT)
        ended = master.ended(job)
        assert ended["state"] == "success", ended
        if when == "after":
            os.kill(host, signal.SIGCONT)
        # It has heard, and has nobody left to hear from.
        master.wait_for(lambda: not Path(f"/proc/{host}").exists())
        hosts.clear()
        master.wait_for(lambda: len(left(master)) <= 1)
        assert master.stop() == 0
        master.wait_for(lambda: not left(master))
    journal = (master.data / "jobs" / job / "journal").read_text()
    assert journal.count('"engine_started"') == 1
    check_database(master)
    done = check_ledger(master, ledger)
    assert done[f"{job} 0"] == 1 and len(done) == 2
