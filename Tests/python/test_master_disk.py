"""A master whose disk, database or clock fails: it stops or waits, says so, and loses nothing."""

from __future__ import annotations

import os
import signal
import sqlite3
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from acknowledged import GONE, Acknowledged, check_all, place_of_steps, play
from faults import build_library, check_database, check_ledger, fault, left, soak
from master import Master, repository

SYNCS = "fsync fdatasync syncfs"
WORDS = ("I/O", "Input/output", "disk", "device of the file system")
YEAR = 365 * 86_400


def _fail(folder: Path, shim: Path, at: int, **more: str) -> tuple[str, int | None]:
    """Has a change of a file fail; gives its call, and the status where the master has ended."""
    folder.mkdir()
    ledger, told = folder / "ledger", folder / "told"
    place = place_of_steps(folder / "r", ledger)
    master = Master(folder / "data")
    seen = Acknowledged()
    fault(shim, master, told, at, "EIO", **more)
    status: int | None = None
    ends = False
    try:
        master.start()
        play(master, place, seen)
        assert master.process is not None
        # Closing, it copies the log into the database, which the next one would do as well.
        ends = not told.exists()
        master.process.send_signal(signal.SIGTERM)
    except GONE:
        pass
    except AssertionError as error:
        assert master.process is not None
        try:
            # It may have answered that it ends, and not have ended yet.
            master.process.wait(10)
        except subprocess.TimeoutExpired:
            raise error from None
    assert master.process is not None
    status = master.process.wait(60)
    master.process = None
    hit = told.read_text() if told.exists() else "nothing"
    said = master.log.read_text()
    if status != 0:
        assert status == 3 and any(w in said for w in WORDS), said
    master.variables = {}
    with master:
        try:
            check_all(master, place, ledger, seen, may_fail=True)
        except AssertionError as error:
            raise AssertionError(f"point {at} ({hit}): {error}\n{said}") from error
    return f"{hit} at its end" if ends else hit, status


def _points(folder: Path, shim: Path, sample: int, **more: str) -> range:
    """A sample of the changes of files which a master makes."""
    told = folder / "told"
    master = Master(folder / "data")
    fault(shim, master, told, 0, "EIO", **more)
    with master:
        play(master, place_of_steps(folder / "r", folder / "ledger"), Acknowledged())
    count = int(told.read_text())
    assert count > sample
    return range(1, count + 1, max(1, count // sample))


@pytest.mark.parametrize("calls", ["writes", "syncs"])
def test_a_database_that_fails_ends_the_master(tmp_path: Path, shim: Path, calls: str) -> None:
    more = {"FAULT_BELOW": str(tmp_path / "all" / "data" / "danube.db")}
    if calls == "syncs":
        more["FAULT_CALLS"] = SYNCS
    (tmp_path / "all").mkdir()
    points = _points(tmp_path / "all", shim, soak(5, 10_000), **more)
    found = []
    for at in points:
        folder = tmp_path / f"p{at}"
        found.append(_fail(folder, shim, at, **{**more, "FAULT_BELOW": f"{folder}/data/danube.db"}))
    # What is left of a log that is not needed, or memory that cannot grow, is no doubt.
    stopped = [hit for hit, status in found if status == 3]
    assert all(status == 3 for hit, status in found if hit in SYNCS.split()), found
    assert len(stopped) >= len([hit for hit, _ in found if "its end" not in hit]) // 2, found


def test_a_file_that_fails_is_told_and_loses_nothing(tmp_path: Path, shim: Path) -> None:
    (tmp_path / "all").mkdir()
    for at in _points(tmp_path / "all", shim, soak(5, 10_000)):
        _fail(tmp_path / f"p{at}", shim, at)


@contextmanager
def _disk(folder: Path, size: str) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_while_jobs_run(tmp_path: Path) -> None:
    """Reads go on, everything new is refused, and what ran meanwhile is recorded afterwards."""
    disk, gate, ledger = tmp_path / "disk", tmp_path / "gate", tmp_path / "ledger"
    place = repository(
        tmp_path / "r",
        f"step.run('echo $DANUBE_JOB 0 >> {ledger}; echo begun;"
        f" while ! test -e {gate}; do sleep 0.05; done')",
        f"step.run('echo $DANUBE_JOB 1 >> {ledger}')",
    )
    order = {"repository": str(place), "pipeline": "p"}
    settings = "[disk]\nreserve = 0\n[jobs]\nlimit = 2\n"
    with _disk(disk, "64m"), Master(disk / "data", settings) as master:
        jobs = [master.ask("POST", "/api/v1/jobs", order).json["id"] for _ in range(3)]
        # Which of them have a slot is nobody's promise.
        master.wait_for(lambda: sum(b"begun" in master.logs(job) for job in jobs) >= 2)
        with (disk / "full").open("wb", buffering=0) as full:
            for size in (1 << 20, 4096):
                try:
                    while True:
                        full.write(bytes(size))
                except OSError:
                    pass
        content = os.urandom(100_000)
        refused = {
            "job": master.ask("POST", "/api/v1/jobs", order).status,
            "content": master.ask("PUT", f"/cas/{'0' * 64}", content).status,
        }
        for _ in range(200):
            refused["token"] = master.ask(
                "POST", "/api/v1/tokens", {"name": "n" * 200, "scope": "read"}
            ).status
            assert refused["token"] in (201, 507)
        for path in (f"jobs/{jobs[0]}", f"jobs/{jobs[0]}/logs", "jobs", "status", "tokens"):
            assert master.ask("GET", f"/api/v1/{path}").status == 200
        assert refused["token"] == 507 and refused["content"] == 507, refused
        gate.touch()
        time.sleep(0.5)
        assert master.process is not None and master.process.poll() is None
        (disk / "full").unlink()
        for job in jobs:
            ended = master.ended(job)
            assert ended["state"] in ("success", "failure") and (
                ended["state"] == "success" or "space" in ended["reason"] or ended["steps"]
            ), ended
        done = master.wait_for(
            lambda: (
                answer.json["id"]
                if (answer := master.ask("POST", "/api/v1/jobs", order)).status == 201
                else None
            )
        )
        assert master.ended(done)["state"] == "success"
        master.wait_for(lambda: not left(master))
        assert master.stop() == 0
        check_database(master)
        check_ledger(master, ledger)


def test_a_database_that_another_process_holds(tmp_path: Path) -> None:
    """A write waits within bounds and is refused for now; what runs is recorded afterwards."""
    ledger = tmp_path / "ledger"
    place = repository(
        tmp_path / "r", *[f"step.run('echo $DANUBE_JOB {n} >> {ledger}')" for n in range(3)]
    )
    gate = tmp_path / "gate"
    slow = repository(
        tmp_path / "slow", f"step.run('echo begun; while ! test -e {gate}; do sleep 0.05; done')"
    )
    order = {"repository": str(place), "pipeline": "p"}
    with Master(tmp_path / "data") as master:
        running = master.ask("POST", "/api/v1/jobs", {**order, "repository": str(slow)}).json["id"]
        path = f"/api/v1/jobs/{running}"
        master.wait_for(lambda: master.ask("GET", path).json["state"] == "running")
        reader = master.ask("POST", "/api/v1/tokens", {"name": "r", "scope": "read"}).json["token"]
        holder = sqlite3.connect(master.data / "danube.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        held = time.monotonic()
        answers = []

        def ask(number: int) -> None:
            answers.append(
                master.ask("POST", "/api/v1/jobs", order, headers={"Idempotency-Key": f"{number}"})
            )

        asking = [threading.Thread(target=ask, args=(n,)) for n in range(20)]
        for thread in asking:
            thread.start()
        gate.touch()
        # Who only reads does not wait for the lock, whose first use of a token it may be.
        while not answers:
            assert master.ask("GET", f"/api/v1/jobs/{running}", token=reader).status == 200
            assert time.monotonic() - held < 60
        for thread in asking:
            thread.join(60)
        time.sleep(max(0.0, soak(6, 60) - (time.monotonic() - held)))
        assert [answer.status for answer in answers] == [503] * 20
        for answer in answers:
            assert 1 <= int(answer.headers["retry-after"]) <= 60
            assert "another process" in answer.json["detail"], answer.json
        assert master.ask("GET", f"/api/v1/jobs/{running}").json["state"] == "running"
        holder.execute("ROLLBACK")
        holder.close()
        assert master.ended(running)["state"] == "success"
        jobs = set()
        for number in range(20):
            key = {"Idempotency-Key": f"{number}"}
            answer = master.ask("POST", "/api/v1/jobs", order, headers=key)
            assert answer.status == 201, answer.body
            jobs.add(answer.json["id"])
        assert {master.ended(job)["state"] for job in jobs} == {"success"}
        assert len(jobs) == 20
        assert master.stop() == 0
    check_database(master)
    assert set(check_ledger(master, ledger).values()) == {1}


class Clock:
    """The clock of the day of a master, which a test moves."""

    def __init__(self, folder: Path, master: Master) -> None:
        self.file = folder / "offset"
        self.set(0)
        library = build_library(folder, "clock")
        master.variables = {"LD_PRELOAD": str(library), "CLOCK_OFFSET": str(self.file)}

    def set(self, seconds: int) -> None:
        with self.file.open("r+b" if self.file.exists() else "w+b", buffering=0) as file:
            file.write(struct.pack("=q", seconds))


@pytest.mark.parametrize("jump", [YEAR, -YEAR], ids=["forward", "back"])
def test_a_clock_that_jumps(tmp_path: Path, jump: int) -> None:
    gate = tmp_path / "gate"
    slow = repository(
        tmp_path / "slow", f"step.run('echo begun; while ! test -e {gate}; do sleep 0.05; done')"
    )
    long = repository(tmp_path / "long", "step.run('sleep 600')")
    place = repository(tmp_path / "r")
    master = Master(tmp_path / "data")
    clock = Clock(tmp_path, master)
    with master:
        before = master.run(place)
        order = {"repository": str(slow), "pipeline": "p", "max_duration_seconds": 600}
        running = master.ask("POST", "/api/v1/jobs", order).json["id"]
        master.wait_for(lambda: b"begun" in master.logs(running))
        short = {"name": "hour", "scope": "read", "expires_seconds": 3600}
        token = master.ask("POST", "/api/v1/tokens", short).json["token"]
        clock.set(jump)
        # The clock that is asked has jumped; time limits did not.
        made = master.run(place)
        assert abs(int(made["created"][:4]) - int(before["created"][:4])) == 1
        assert made["state"] == "success" and made["id"] > before["id"]
        limited = {"repository": str(long), "pipeline": "p", "max_duration_seconds": 1}
        assert master.ended(master.ask("POST", "/api/v1/jobs", limited).json["id"])[
            "state"
        ] == "timeout"  # fmt: skip
        assert master.ask("GET", f"/api/v1/jobs/{running}").json["state"] == "running"
        # Tokens end by the clock of the day.
        assert master.ask("GET", "/api/v1/jobs", token=token).status == (401 if jump > 0 else 200)
        # So it is over a restart, of which one sees the jump only in what is written.
        master.stop(signal.SIGKILL)
        master.start()
        time.sleep(0.5)
        assert master.ask("GET", f"/api/v1/jobs/{running}").json["state"] == "running"
        clock.set(0)
        assert master.ask("GET", "/api/v1/jobs", token=token).status == 200
        after = master.run(place)
        assert after["state"] == "success" and after["id"] > made["id"]
        gate.touch()
        assert master.ended(running)["state"] == "success"
        listed = master.ask("GET", "/api/v1/jobs?limit=1")
        pages = [job["id"] for job in listed.json["jobs"]]
        while cursor := listed.json.get("next"):
            listed = master.ask("GET", f"/api/v1/jobs?limit=1&cursor={cursor}")
            pages += [job["id"] for job in listed.json["jobs"]]
        assert len(pages) == len(set(pages)) == 5
        assert master.stop() == 0
    check_database(master)
