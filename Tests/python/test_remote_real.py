"""The command line against a real master, as a person would use it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli import Ended, danube, environment
from master import Master, repository


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Master]:
    with Master(tmp_path_factory.mktemp("real") / "data") as running:
        yield running


def run(master: Master, place: Path, *arguments: str) -> Ended:
    """Runs `danube`, which knows the master."""
    variables = {"DANUBE_MASTER": f"http://127.0.0.1:{master.port}", "DANUBE_TOKEN": master.token}
    return danube(*arguments, cwd=place, env=environment(HOME=str(place.parent), **variables))


def test_a_job_is_triggered_and_followed(master: Master, tmp_path: Path) -> None:
    place = repository(tmp_path / "r", "step.run('echo said', name='Say')")
    for _ in range(5):
        ended = run(master, place, "trigger", "p", "--follow")
        assert (ended.status, "said" in ended.out) == (0, True), ended.out + ended.err
    repository(tmp_path / "bad", "step.run('exit 3', name='Bad')")
    failed = run(master, tmp_path / "bad", "trigger", "p", "--follow")
    assert failed.status == 1, failed.out + failed.err


def test_jobs_logs_and_cancel(master: Master, tmp_path: Path) -> None:
    place = repository(tmp_path / "r", "step.run('echo begun; sleep 300', name='Long')")
    job = run(master, place, "trigger", "p").out.strip()
    master.wait_for(lambda: b"begun" in master.logs(job))
    path = f"/api/v1/jobs/{job}"
    master.wait_for(lambda: master.ask("GET", path).json["state"] == "running")
    listed = run(master, place, "jobs", "--remote")
    assert job in listed.out and "running" in listed.out
    now = run(master, place, "logs", "--remote", job)
    assert now.status == 0 and "begun" in now.out, now.out + now.err
    assert run(master, place, "cancel", job).status == 0
    assert master.ended(job)["state"] == "cancelled"
    again = run(master, place, "cancel", job)
    assert again.status == 2 and "has ended" in again.err
    status = json.loads(run(master, place, "status", "--json").out)
    assert status["ready"] is True
