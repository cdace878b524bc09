"""Groups of jobs of which one runs at a time, pipelines that are paused, and time limits."""

from __future__ import annotations

import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli import danube, environment
from master import Master, commit, repository, submit


@pytest.fixture
def master(tmp_path: Path) -> Iterator[Master]:
    with Master(tmp_path / "data") as running:
        yield running


def grouped(tmp_path: Path, rule: str, gate: Path) -> Path:
    """A repository whose pipeline names the group `deploy`, and waits for a file."""
    place = repository(tmp_path / f"r-{len(list(tmp_path.glob('r-*')))}")
    (place / "danubefile.py").write_text(
        "from danube import *\n\n"
        f"@pipeline(name='p', concurrency='deploy', concurrency_rule='{rule}')\n"
        "def p():\n"
        f"    step.run('echo begun >> {tmp_path}/ledger;"
        f" while ! test -e {gate}; do sleep 0.05; done')\n"
    )
    commit(place)
    return place


def job(master: Master, name: str) -> Any:
    """A job as it is."""
    return master.ask("GET", f"/api/v1/jobs/{name}").json


def reaches(master: Master, name: str, state: str) -> Any:
    """Waits until a job is in a state."""
    return master.wait_for(lambda: (found := job(master, name))["state"] == state and found)


def test_a_job_waits_for_the_group_of_its_danubefile(master: Master, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    place = grouped(tmp_path, "serialize", gate)
    other = grouped(tmp_path, "serialize", gate)
    first = submit(master, place)
    reaches(master, first, "running")
    second = submit(master, other)
    waiting = reaches(master, second, "waiting")
    assert "`deploy`" in waiting["reason"]
    # It has given its place back: more than the limit of jobs may wait, and others run.
    more = [submit(master, place) for _ in range(6)]
    for name in more:
        reaches(master, name, "waiting")
    assert master.run(repository(tmp_path / "free"))["state"] == "success"
    free = submit(master, other, concurrency={"group": "another"})
    reaches(master, free, "running")
    ledger = tmp_path / "ledger"
    master.wait_for(lambda: ledger.exists() and ledger.read_text().count("begun") == 2)
    # Who waits does so under the next master too.
    master.stop(signal.SIGKILL)
    master.start()
    assert job(master, second)["state"] == "waiting"
    assert master.ask("POST", f"/api/v1/jobs/{more[-1]}/cancel").status == 202
    assert master.ended(more[-1])["state"] == "cancelled"
    gate.touch()
    for name in [first, second, *more[:-1], free]:
        assert master.ended(name)["state"] == "success"
    assert ledger.read_text().count("begun") == 8


def test_a_newer_job_of_a_danubefile_replaces_those_before_it(
    master: Master, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    place = grouped(tmp_path, "replace", gate)
    first = submit(master, place)
    reaches(master, first, "running")
    second = submit(master, place)
    assert master.ended(first)["reason"] == "replaced by a newer job"
    reaches(master, second, "running")
    gate.touch()
    assert master.ended(second)["state"] == "success"


def test_a_job_is_replaced_although_its_master_ended_before_that(
    master: Master, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    place = grouped(tmp_path, "serialize", gate)
    first = submit(master, place)
    reaches(master, first, "running")
    second, third = submit(master, place), submit(master, place)
    reaches(master, second, "waiting")
    reaches(master, third, "waiting")
    master.stop(signal.SIGKILL)
    # The newest is recorded, and nothing of what that means for the others.
    with sqlite3.connect(master.data / "danube.db") as database:
        database.execute("UPDATE jobs SET concurrency_rule = 'replace' WHERE id = ?", (third,))
    database.close()
    master.start()
    for name in (first, second):
        ended = master.ended(name)
        assert (ended["state"], ended["reason"]) == ("cancelled", "replaced by a newer job")
    gate.touch()
    assert master.ended(third)["state"] == "success"


def test_a_queue_of_a_danubefile_has_so_many_places(master: Master, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    place = grouped(tmp_path, "queue(1)", gate)
    first = submit(master, place)
    reaches(master, first, "running")
    second = submit(master, place)
    reaches(master, second, "waiting")
    third = master.ended(submit(master, place))
    assert third["state"] == "cancelled" and "waiting already" in third["reason"]
    gate.touch()
    assert [master.ended(name)["state"] for name in (first, second)] == ["success", "success"]


def test_a_rule_that_there_is_not_is_told_with_its_place(master: Master, tmp_path: Path) -> None:
    ended = master.run(grouped(tmp_path, "queue", tmp_path / "gate"))
    assert ended["state"] == "failure" and "DNB317" in ended["reason"]


def test_jobs_of_a_paused_pipeline_wait(master: Master, tmp_path: Path) -> None:
    place = repository(tmp_path / "r")
    master.run(place)
    variables = {"DANUBE_MASTER": f"http://127.0.0.1:{master.port}", "DANUBE_TOKEN": master.token}
    env = environment(HOME=str(tmp_path), **variables)
    assert danube("pause", "p", cwd=place, env=env).out == "pipeline p is paused\n"
    assert master.ask("GET", "/api/v1/pipelines/p").json["paused"] is True
    waiting = submit(master, place)
    found = job(master, waiting)
    assert (found["state"], found["reason"]) == ("waiting", "its pipeline is paused")
    other = repository(tmp_path / "other")
    body = (other / "danubefile.py").read_text()
    (other / "danubefile.py").write_text(body.replace("name='p'", "name='q'"))
    commit(other)
    assert master.run(other, pipeline="q")["state"] == "success"
    master.stop(signal.SIGKILL)
    master.start()
    env["DANUBE_MASTER"] = f"http://127.0.0.1:{master.port}"
    assert job(master, waiting)["state"] == "waiting"
    assert danube("resume", "p", cwd=place, env=env).out == "pipeline p goes on\n"
    assert master.ended(waiting)["state"] == "success"
    assert danube("pause", "nothing", cwd=place, env=env).status == 2


def test_the_time_limit_counts_what_ran_under_other_masters(
    master: Master, tmp_path: Path
) -> None:
    place = repository(tmp_path / "r", "step.run('echo begun; sleep 300')")
    name = submit(master, place, max_duration_seconds=12)
    master.wait_for(lambda: b"begun" in master.logs(name))
    for _ in range(3):
        master.stop(signal.SIGKILL)
        time.sleep(3)
        last = time.monotonic()
        master.start()
    ended = master.ended(name)
    assert ended["state"] == "timeout"
    # Counted anew by the last master, it would have run for twelve seconds from its start, and not
    # for the three that were left.
    assert time.monotonic() - last < 11.5
