"""A master that is killed, at any change of a file or at random under load, loses nothing.

A sample of the points is tried; `make soak` tries all.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from acknowledged import GONE, Acknowledged, check_all, place_of_steps, play
from faults import check_database, check_ledger, fault, left, soak
from master import Master, repository

def _point(folder: Path, shim: Path, at: int, mode: str) -> str:
    """Kills a master at a change of a file; gives the call that it was in."""
    folder.mkdir()
    ledger = folder / "ledger"
    place = place_of_steps(folder / "r", ledger)
    told = folder / "told"
    master = Master(folder / "data")
    seen = Acknowledged()
    fault(shim, master, told, at, mode)
    try:
        master.start()
        play(master, place, seen)
        master.stop()
    except GONE:
        pass
    except AssertionError:
        if master.process is None or master.process.poll() is None:
            raise
    if master.process is not None:
        assert master.process.wait(60) == 137
        master.process = None
    hit = told.read_text() if told.exists() else "nothing"
    master.variables = {}
    with master:
        try:
            check_all(master, place, ledger, seen)
        except AssertionError as error:
            raise AssertionError(f"point {at} ({hit}), {mode}: {error}") from error
    shutil.rmtree(folder)
    return hit


@pytest.mark.parametrize("mode", ["kill", "tear"])
def test_a_kill_at_any_change_of_a_file_loses_nothing(
    tmp_path: Path, shim: Path, mode: str
) -> None:
    told = tmp_path / "told"
    master = Master(tmp_path / "data")
    fault(shim, master, told, 0, mode)
    with master:
        play(master, place_of_steps(tmp_path / "r", tmp_path / "ledger"), Acknowledged())
    count = int(told.read_text())
    assert count > 40
    # Those of the other kind lie between those of this one.
    sample = soak(6, count)
    stride = max(1, count // sample)
    first = 1 if mode == "kill" else 1 + stride // 2
    points = range(first, count + 1, stride)
    hits = [_point(tmp_path / f"p{at}", shim, at, mode) for at in points]
    print(f"{mode}: {len(points)} of {count} points, {len(set(hits))} kinds of calls")
    assert sum(hit != "nothing" for hit in hits) >= len(points) * 2 // 3


def test_a_kill_while_the_data_folder_is_made_leaves_one_that_can_be_used(
    tmp_path: Path, shim: Path
) -> None:
    found = set()
    for at in range(4, 200, soak(4, 1)):
        folder = tmp_path / f"p{at}"
        folder.mkdir()
        master = Master(folder / "data")
        fault(shim, master, folder / "told", at, "kill")
        try:
            master.start()
        except AssertionError:
            pass
        if master.process is not None and master.process.poll() is None:
            # It is ready: all that it makes at its start is there.
            master.stop()
            break
        master.process, master.variables = None, {}
        found.add((folder / "told").read_text())
        with master:
            assert master.ask("GET", "/api/v1/health/ready").status == 200
            assert master.stop() == 0
        check_database(master)
        shutil.rmtree(folder)
    assert len(found) > 3, found


class Load:
    """Several who ask a master for jobs, whether it is there or not, and one who follows logs."""

    def __init__(self, master: Master, place: Path, jobs: int) -> None:
        self.master, self.place, self.jobs = master, place, jobs
        self.accepted: dict[str, str] = {}
        self.read: dict[str, bytes] = {}
        self.ending = threading.Event()
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._ask, args=(n,)) for n in range(4)]
        self.threads.append(threading.Thread(target=self._follow))
        for thread in self.threads:
            thread.start()

    def _ask(self, number: int) -> None:
        order = {"repository": str(self.place), "pipeline": "p"}
        for key in (f"{n}" for n in range(number, self.jobs, 4)):
            while key not in self.accepted and not self.ending.is_set():
                try:
                    answer = self.master.ask(
                        "POST", "/api/v1/jobs", order, headers={"Idempotency-Key": key}
                    )
                except GONE:
                    time.sleep(0.02)
                    continue
                if answer.status in (200, 201):
                    with self.lock:
                        self.accepted[key] = answer.json["id"]

    def _follow(self) -> None:
        """What was read of a log stays its beginning."""
        while not self.ending.is_set():
            with self.lock:
                jobs = list(self.accepted.values())
            for job in random.sample(jobs, min(4, len(jobs))):
                try:
                    answer = self.master.ask("GET", f"/api/v1/jobs/{job}/logs")
                except GONE:
                    continue
                if answer.status == 200:
                    self.read[job] = max(self.read.get(job, b""), answer.body, key=len)
            time.sleep(0.02)

    def end(self) -> None:
        """Waits for those who ask."""
        for thread in self.threads[:-1]:
            thread.join(600)
        self.ending.set()
        for thread in self.threads:
            thread.join()


@pytest.mark.parametrize("seed", range(soak(1, 20)))
def test_kills_at_random_under_load_lose_and_double_nothing(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    ledger = tmp_path / "ledger"
    lines = 20
    place = repository(
        tmp_path / "r",
        *[
            f"step.run('echo $DANUBE_JOB {step} >> {ledger};"
            f" for n in $(seq {lines}); do echo {step} line $n; done; sleep 0.1')"
            for step in range(3)
        ],
    )
    jobs = 50
    with Master(tmp_path / "data", "[jobs]\nlimit = 4\nactive = 12\n") as master:
        load = Load(master, place, jobs)
        try:
            for _ in range(soak(5, 25)):
                time.sleep(chance.uniform(0, 0.6))
                master.stop(signal.SIGKILL)
                time.sleep(chance.uniform(0, 0.3))
                master.start()
        finally:
            load.end()
        accepted = sorted(load.accepted.values())
        assert len(accepted) == len(set(accepted)) == jobs
        listed = master.ask("GET", "/api/v1/jobs?limit=500").json["jobs"]
        assert sorted(job["id"] for job in listed) == accepted
        ends = {job: master.ended(job) for job in accepted}
        first = {job: end["state"] for job, end in ends.items()}
        whole = "".join(f"{s} line {n}\n" for s in range(3) for n in range(1, lines + 1)).encode()
        for job, state in first.items():
            log = master.logs(job)
            assert log.startswith(load.read.get(job, b""))
            # No kill of the master is one of an engine.
            assert (state, log) == ("success", whole), str(ends[job])
        master.stop(signal.SIGKILL)
        master.start()
        for job in accepted:
            assert master.ask("GET", f"/api/v1/jobs/{job}").json["state"] == first[job]
        master.wait_for(lambda: not left(master))
        assert master.ask("GET", "/api/v1/health/ready").json["ready"] is True
        assert master.stop() == 0
    check_database(master)
    done = check_ledger(master, ledger)
    assert len(done) == 3 * jobs and set(done.values()) == {1}


def test_kills_of_engines_and_the_master_end_each_job_once(tmp_path: Path) -> None:
    """Where the machine fails under jobs, nothing is done more often than was recorded."""
    ledger = tmp_path / "ledger"
    place = repository(
        tmp_path / "r",
        f"step.run('echo $DANUBE_JOB 0 >> {ledger}; sleep 0.1', retries=1)",
        f"step.run('echo $DANUBE_JOB 1 >> {ledger}; sleep 0.1')",
    )
    with Master(tmp_path / "data", "[jobs]\nlimit = 4\nactive = 8\n") as master:
        load = Load(master, place, soak(24, 200))
        try:
            for _ in range(soak(3, 25)):
                time.sleep(0.3)
                master.stop(signal.SIGKILL)
                for entry in left(master):
                    try:
                        os.kill(int(entry.split()[0]), signal.SIGKILL)
                    except ProcessLookupError:
                        pass
                master.start()
        finally:
            load.end()
        states = {job: master.ended(job)["state"] for job in load.accepted.values()}
        assert set(states.values()) <= {"success", "failure"}
        assert "success" in states.values()
        master.wait_for(lambda: not left(master))
        assert master.stop() == 0
    check_database(master)
    done = check_ledger(master, ledger)
    for job, state in states.items():
        if state == "success":
            assert f"{job} 0" in done and f"{job} 1" in done


def test_a_job_is_not_lost_for_masters_that_ended_before_it_began(tmp_path: Path) -> None:
    with Master(tmp_path / "data", "[jobs]\nactive = 1\n") as master:
        order = {"pipeline": "p", "team": "t"}
        blocking = {"repository": str(repository(tmp_path / "b", "step.run('sleep 600')"))}
        waiting = {"repository": str(repository(tmp_path / "w"))}
        first, second = (
            str(master.ask("POST", "/api/v1/jobs", {**order, **of}).json["id"])
            for of in (blocking, waiting)
        )
        master.wait_for(
            lambda: master.ask("GET", f"/api/v1/jobs/{first}").json["state"] == "running"
        )
        master.stop(signal.SIGKILL)
        # As many masters ended while its source was fetched.
        with sqlite3.connect(master.data / "danube.db") as database:
            changed = database.execute(
                "UPDATE jobs SET state = 'scheduling', attempt = 9 WHERE id = ?", (second,)
            )
            assert changed.rowcount == 1
        database.close()
        master.start()
        assert master.ask("POST", f"/api/v1/jobs/{first}/cancel").status == 202
        ended = master.ended(second)
        assert ended["state"] == "success", ended
        master.ended(first)


def _history(master: Master, jobs: int) -> None:
    """Copies a job that has ended, with its steps, attempts and events."""
    with sqlite3.connect(master.data / "danube.db") as database:
        digits = "0123456789abcdefghjkmnpqrstvwxyz"
        last, name, ended = database.execute(
            "SELECT max(number), min(id), max(ended) FROM jobs"
        ).fetchone()
        columns = {
            table: [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
            for table in ("jobs", "steps", "attempts", "job_events")
        }
        for number in range(last + 1, last + jobs + 1):
            rest, text = number, ""
            while rest:
                rest, digit = divmod(rest, 32)
                text = digits[digit] + text
            new = {"number": str(number), "id": f"'{name[:4]}{text:0>5}'", "job": str(number)}
            for table, names in columns.items():
                kept = [n for n in names if n not in ("sequence", "idempotency_key")]
                values = ", ".join(new.get(n, n) for n in kept)
                where = "number" if table == "jobs" else "job"
                database.execute(
                    f"INSERT INTO {table} ({', '.join(kept)}) SELECT {values} FROM {table}"
                    f" WHERE {where} = {last}"
                )
    database.close()


def test_a_start_with_many_jobs(tmp_path: Path, record_property: Any) -> None:
    place = repository(tmp_path / "r", "for n in range(5): step.run(f'echo {n}')")
    slow = repository(tmp_path / "slow", "step.run('sleep 600')")
    with Master(tmp_path / "data", "[jobs]\nactive = 8\nper_team = 8\n") as master:
        master.run(place)
        master.stop()
        _history(master, 10_000)
        master.start()
        order = {"repository": str(slow), "pipeline": "p"}
        jobs = [master.ask("POST", "/api/v1/jobs", order).json["id"] for _ in range(soak(20, 500))]
        running = "/api/v1/jobs?state=running&limit=100"
        master.wait_for(lambda: len(master.ask("GET", running).json["jobs"]) == 8)
        master.stop(signal.SIGKILL)
        start = time.monotonic()
        master.start()
        assert master.ask("GET", "/api/v1/health/ready").status == 200
        seconds = time.monotonic() - start
        print(f"ready {seconds:.3f} s after kill -9, with 10,000 jobs, 8 of them running")
        record_property("restart_seconds", f"{seconds:.3f}")
        assert master.ask("GET", "/api/v1/status").json["jobs"]["success"] == 10_001
        for job in reversed(jobs):
            master.ask("POST", f"/api/v1/jobs/{job}/cancel")
        assert {master.ended(job)["state"] for job in jobs} == {"cancelled"}
        master.wait_for(lambda: not left(master))
        master.stop()
    check_database(master)
