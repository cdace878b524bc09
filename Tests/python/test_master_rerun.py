"""Jobs that run again: all of it, or what failed and what depends on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli import danube, environment
from master import Master, commit, repository


@pytest.fixture
def master(tmp_path: Path) -> Iterator[Master]:
    with Master(tmp_path / "data") as running:
        yield running


def states(master: Master, job: str) -> dict[str, tuple[str, str | None]]:
    """The state of each step, and the job that its result is from."""
    steps = master.ask("GET", f"/api/v1/jobs/{job}/steps").json["steps"]
    return {step["name"]: (step["state"], step["cached_from"]) for step in steps}


def rerun(master: Master, job: str, **members: Any) -> Any:
    """Runs a job again to its end."""
    answer = master.ask("POST", f"/api/v1/jobs/{job}/rerun", members)
    assert answer.status == 201, answer.body
    return master.ended(answer.json["id"])


def flaky(tmp_path: Path) -> Path:
    """A repository whose step `test` fails until a file is there."""
    ledger = tmp_path / "ledger"
    return repository(
        tmp_path / "r",
        f"step.run('echo base >> {ledger}; echo b > base', name='base')",
        "with parallel(fail_fast=False):",
        "    with sequence('lint'):",
        f"        step.run('echo lint >> {ledger}; mkdir out; echo l > out/l', name='lint')",
        "        artifacts.upload('out', name='lint [1]')",
        "    with sequence('test'):",
        f"        step.run('echo test >> {ledger}; cat f; test -e {tmp_path}/fixed', name='test')",
        f"        step.run('cat base; echo ship >> {ledger}', name='ship')",
        f=b"old",
    )


def test_what_failed_runs_again_and_the_rest_is_taken_over(
    master: Master, tmp_path: Path
) -> None:
    place = flaky(tmp_path)
    first = master.run(place)
    assert first["state"] == "failure"
    (tmp_path / "fixed").touch()
    (place / "f").write_bytes(b"new")
    (place / "danubefile.py").write_text("nothing")
    commit(place)
    again = rerun(master, first["id"], failed=True)
    assert again["state"] == "success", again
    assert (again["rerun_of"], again["rerun_mode"], again["revision"]) == (
        first["id"], "failed", first["revision"],
    )  # fmt: skip
    assert {name: found[0] for name, found in states(master, first["id"]).items()} == {
        "base": "succeeded", "lint": "succeeded", "upload lint [1]": "succeeded", "test": "failed",
        "ship": "blocked",
    }  # fmt: skip
    # What comes before a step that runs gives it its files, so it runs too.
    assert states(master, again["id"]) == {
        "base": ("succeeded", None), "lint": ("cached", first["id"]),
        "upload lint [1]": ("cached", first["id"]), "test": ("succeeded", None),
        "ship": ("succeeded", None),
    }  # fmt: skip
    assert Counter((tmp_path / "ledger").read_text().split()) == {
        "base": 2, "lint": 1, "test": 2, "ship": 1,
    }  # fmt: skip
    assert master.logs(again["id"]).startswith(b"old")
    listed = master.ask("GET", f"/api/v1/artifacts/{again['id']}").json["artifacts"]
    assert [one["name"] for one in listed] == ["lint [1]"]
    third = rerun(master, again["id"], failed=False)
    assert third["state"] == "success" and third["rerun_mode"] == "all"
    assert states(master, third["id"])["lint"] == ("succeeded", None)


def test_what_did_not_fail_is_not_run_again(master: Master, tmp_path: Path) -> None:
    done = master.run(repository(tmp_path / "r", "step.run('true')"))
    answer = master.ask("POST", f"/api/v1/jobs/{done['id']}/rerun", {"failed": True})
    assert answer.status == 409 and "No step" in answer.json["detail"]
    bad = master.run(repository(tmp_path / "bad", "step.run(7)"))
    assert rerun(master, bad["id"], failed=True)["state"] == "failure"


def test_a_job_that_was_lost_is_run_again_from_the_command_line(
    master: Master, tmp_path: Path
) -> None:
    place = flaky(tmp_path)
    first = master.run(place)
    (tmp_path / "fixed").touch()
    variables = {"DANUBE_MASTER": f"http://127.0.0.1:{master.port}", "DANUBE_TOKEN": master.token}
    ended = danube(
        "rerun", "--remote", first["id"], "--failed", cwd=place,
        env=environment(HOME=str(tmp_path), **variables),
    )  # fmt: skip
    assert ended.status == 0, ended.err
    again = master.ended(ended.out.strip())
    assert (again["state"], again["rerun_of"]) == ("success", first["id"])
