"""Jobs of a real master: how they run, end and are taken up again after `kill -9`."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fixture_cases import executable
from master import Master, commit, git, repository, submit


@pytest.fixture
def master(tmp_path: Path) -> Iterator[Master]:
    with Master(tmp_path / "data") as running:
        yield running


def steps(master: Master, job: str) -> list[Any]:
    """The steps of a job."""
    return list(master.ask("GET", f"/api/v1/jobs/{job}/steps").json["steps"])


def state(master: Master, job: str) -> str:
    """The state of a job."""
    return str(master.ask("GET", f"/api/v1/jobs/{job}").json["state"])


def engines(master: Master) -> list[int]:
    """Processes of engines of a master's jobs."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            words = Path(f"/proc/{entry}/cmdline").read_bytes().split(b"\0")
        except OSError:  # it has ended
            continue
        if b"engine" in words and any(word.startswith(bytes(master.data)) for word in words):
            found.append(int(entry))
    return found


def parent(process: int) -> int:
    """The parent of a process."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("\nPPid:\t")[2].split()[0])


def test_a_job_runs_to_success(master: Master, tmp_path: Path) -> None:
    place = repository(tmp_path / "r", "step.run('echo one', name='One')", "step.run('echo two')")
    job = master.run(place)
    assert job["state"] == "success", job
    assert job["steps"] == {"total": 2, "done": 2, "failed": 0}
    assert master.logs(job["id"]) == b"one\ntwo\n"
    first = steps(master, job["id"])[0]
    assert (first["name"], first["state"], first["attempts"], first["exit_code"]) == (
        "One", "succeeded", 1, 0,
    )  # fmt: skip
    plan = master.ask("GET", f"/api/v1/jobs/{job['id']}/plan")
    assert plan.json["pipeline"] == "p"
    same = master.ask(
        "GET", f"/api/v1/jobs/{job['id']}/plan", headers={"If-None-Match": plan.headers["etag"]}
    )
    assert same.status == 304


def test_a_failure_says_which_step(master: Master, tmp_path: Path) -> None:
    place = repository(tmp_path / "r", "step.run('exit 7', name='Bad', retries=1)")
    job = master.run(place)
    assert job["state"] == "failure"
    only = steps(master, job["id"])[0]
    assert (only["state"], only["exit_code"], only["attempts"]) == ("failed", 7, 2)


def test_a_bad_danubefile_is_told_with_its_place(master: Master, tmp_path: Path) -> None:
    place = repository(tmp_path / "r", "step.run(7)")
    job = master.run(place)
    assert job["state"] == "failure"
    assert "danubefile.py" in job["reason"]


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"ref": "nothing"}, "no branch or tag nothing"),
        ({"revision": "2" * 40}, "no commit 2222"),
        ({"repository": "/nowhere"}, "may not be built from"),
        ({"repository": "https://127.0.0.1/x"}, "not fetched from"),
    ],
)
def test_a_source_that_is_not_there(
    master: Master, tmp_path: Path, members: dict[str, str], words: str
) -> None:
    place = repository(tmp_path / "r")
    job = master.ended(submit(master, place, **members))
    assert job["state"] == "failure"
    assert words in job["reason"]


def test_what_is_built_is_a_commit(master: Master, tmp_path: Path) -> None:
    place = repository(tmp_path / "r", "step.run('cat f')", f=b"old")
    first = master.run(place)
    (place / "f").write_bytes(b"new")
    newer = commit(place)
    assert master.logs(first["id"]) == b"old"
    second = master.run(place, ref="main")
    assert (second["revision"], master.logs(second["id"])) == (newer, b"new")
    again = master.run(place, revision=first["revision"])
    assert master.logs(again["id"]) == b"old"


def test_a_running_job_is_cancelled(master: Master, tmp_path: Path) -> None:
    place = repository(tmp_path / "r", "step.run('echo begun; sleep 300')")
    job = submit(master, place)
    master.wait_for(lambda: b"begun" in master.logs(job))
    assert master.ask("POST", f"/api/v1/jobs/{job}/cancel").status == 202
    ended = master.ended(job)
    assert (ended["state"], steps(master, job)[0]["state"]) == ("cancelled", "cancelled")
    assert "cancelled by" in ended["reason"]
    assert master.ask("POST", f"/api/v1/jobs/{job}/cancel").status == 409
    master.wait_for(lambda: not engines(master))


def test_a_job_that_takes_too_long_is_ended(master: Master, tmp_path: Path) -> None:
    place = repository(tmp_path / "r", "step.run('sleep 300')")
    job = master.ended(submit(master, place, max_duration_seconds=1))
    assert job["state"] == "timeout"


def test_the_same_key_gives_the_same_job(master: Master, tmp_path: Path) -> None:
    place = repository(tmp_path / "r")
    order = {"repository": str(place), "pipeline": "p"}
    answers = [
        master.ask("POST", "/api/v1/jobs", order, headers={"Idempotency-Key": "k"})
        for _ in range(2)
    ]
    assert [answer.status for answer in answers] == [201, 200]
    assert answers[0].json["id"] == answers[1].json["id"]


def test_jobs_of_a_group(master: Master, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    body = f"step.run('while ! test -e {gate}; do sleep 0.05; done')"
    place = repository(tmp_path / "r", body)

    def asked(rule: str) -> dict[str, str]:
        return {"group": "g", "rule": rule}

    first = submit(master, place, concurrency=asked("serialize"))
    master.wait_for(lambda: state(master, first) == "running")
    second = submit(master, place, concurrency=asked("queue(1)"))
    order = {"repository": str(place), "pipeline": "p", "concurrency": asked("queue(1)")}
    assert master.ask("POST", "/api/v1/jobs", order).status == 409
    assert state(master, second) == "pending"
    third = submit(master, place, concurrency=asked("replace"))
    assert master.ended(second)["state"] == master.ended(first)["state"] == "cancelled"
    gate.touch()
    assert master.ended(third)["state"] == "success"


@pytest.mark.parametrize(("rule", "most"), [("replace", 1), ("queue(2)", 3)])
def test_a_group_keeps_its_rule_when_many_ask_at_once(
    master: Master, tmp_path: Path, rule: str, most: int
) -> None:
    place = repository(tmp_path / "r", "step.run('sleep 300')")
    order = {
        "repository": str(place), "pipeline": "p", "concurrency": {"group": "g", "rule": rule},
    }  # fmt: skip
    answers: list[int] = []

    def ask() -> None:
        answers.append(master.ask("POST", "/api/v1/jobs", order).status)

    asking = [threading.Thread(target=ask) for _ in range(12)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert set(answers) <= {201, 409}
    alive = "pending,scheduling,running"

    def living() -> list[str]:
        jobs = master.ask("GET", f"/api/v1/jobs?state={alive}").json["jobs"]
        return [str(job["id"]) for job in jobs]

    master.wait_for(lambda: len(living()) <= most)
    assert answers.count(201) == (12 if rule == "replace" else 3)
    for job in living():
        master.ask("POST", f"/api/v1/jobs/{job}/cancel")
    master.wait_for(lambda: not engines(master))


def test_the_same_key_does_not_replace_its_own_job(master: Master, tmp_path: Path) -> None:
    place = repository(tmp_path / "r", "step.run('sleep 0.5')")
    order = {
        "repository": str(place), "pipeline": "p",
        "concurrency": {"group": "g", "rule": "replace"},
    }  # fmt: skip
    answers = [
        master.ask("POST", "/api/v1/jobs", order, headers={"Idempotency-Key": "k"})
        for _ in range(2)
    ]
    assert [answer.status for answer in answers] == [201, 200]
    assert master.ended(answers[0].json["id"])["state"] == "success"


def test_a_ref_that_is_no_branch_is_fetched(master: Master, tmp_path: Path) -> None:
    place = repository(tmp_path / "r", "step.run('cat f')", f=b"main")
    (place / "f").write_bytes(b"proposed")
    proposed = commit(place)
    git(place, "update-ref", "refs/pull/1/merge", proposed)
    git(place, "reset", "--quiet", "--hard", "HEAD~1")
    job = master.run(place, ref="refs/pull/1/merge")
    assert (job["revision"], master.logs(job["id"])) == (proposed, b"proposed"), job
    missing = master.run(place, ref="refs/pull/2/merge")
    assert "refs/pull/2/merge" in missing["reason"]


def test_another_teams_job_does_not_wait_for_many(master: Master, tmp_path: Path) -> None:
    body = f"step.run('echo x >> {tmp_path}/done; sleep 0.7')"
    many = repository(tmp_path / "many", body)
    for _ in range(100):
        submit(master, many, team="many")
    one = repository(tmp_path / "one")
    assert master.ended(submit(master, one, team="one"))["state"] == "success"
    assert len((tmp_path / "done").read_text().splitlines()) < 100
    for job in master.ask("GET", "/api/v1/jobs?state=pending&limit=200").json["jobs"]:
        master.ask("POST", f"/api/v1/jobs/{job['id']}/cancel")
    master.wait_for(lambda: not engines(master))


def test_a_log_is_followed_and_taken_up(master: Master, tmp_path: Path) -> None:
    place = repository(tmp_path / "r", "step.run('for n in 1 2 3; do echo $n; sleep 0.3; done')")
    job = submit(master, place)
    followed = master.ask("GET", f"/api/v1/jobs/{job}/logs?follow=1").body
    assert followed == b"1\n2\n3\n"
    events = master.ask("GET", f"/api/v1/jobs/{job}/logs/stream").body.decode()
    ids = [int(number) for number in re.findall(r"^id: (\d+)$", events, re.MULTILINE)]
    assert ids == sorted(set(ids))
    rest = master.ask(
        "GET", f"/api/v1/jobs/{job}/logs/stream", headers={"Last-Event-ID": str(ids[0])}
    ).body.decode()
    assert rest == events.split("\n\n", 1)[1]
    assert events.rstrip().splitlines()[-2] == "event: end"


def test_what_a_step_printed_before_it_fell_silent_is_seen(master: Master, tmp_path: Path) -> None:
    body = "step.run('for n in $(seq 300); do echo $n; done; sleep 300')"
    place = repository(tmp_path / "r", body)
    job = submit(master, place)
    whole = "".join(f"{n}\n" for n in range(1, 301)).encode()
    master.wait_for(lambda: master.logs(job) == whole)
    assert master.ask("POST", f"/api/v1/jobs/{job}/cancel").status == 202
    master.wait_for(lambda: not engines(master))


def test_a_second_master_refuses_the_folder(master: Master) -> None:
    program = executable()
    assert program is not None
    ended = subprocess.run(
        [program.with_name("danube-master"), "--data", master.data, "--http-listen", "127.0.0.1:0"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 3
    assert "another master uses" in ended.stderr


def test_a_killed_master_is_followed_by_another(master: Master, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    lines = "for n in $(seq 30); do echo line $n; sleep 0.1; done"
    place = repository(
        tmp_path / "r", f"step.run('{lines}; echo x >> {ledger}')", "step.run('echo after')"
    )
    job = submit(master, place)
    for _ in range(3):
        master.wait_for(lambda: b"line" in master.logs(job))
        master.stop(signal.SIGKILL)
        time.sleep(0.2)
        master.start()
    assert master.ended(job)["state"] == "success"
    expected = "".join(f"line {n}\n" for n in range(1, 31)) + "after\n"
    assert master.logs(job).decode() == expected
    assert ledger.read_text() == "x\n"
    assert [step["attempts"] for step in steps(master, job)] == [1, 1]
    master.wait_for(lambda: not engines(master))


def test_a_job_whose_engine_is_gone_is_lost_and_not_done_twice(
    master: Master, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger"
    place = repository(tmp_path / "r", f"step.run('echo x >> {ledger}; sleep 300')")
    job = submit(master, place)
    master.wait_for(ledger.exists)
    master.stop(signal.SIGKILL)
    for process in engines(master):
        os.kill(process, signal.SIGKILL)
    master.start()
    ended = master.ended(job)
    assert (ended["state"], steps(master, job)[0]["state"]) == ("failure", "lost")
    assert ended["reason"].startswith("lost")
    assert ledger.read_text() == "x\n"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_job_that_was_taken_up_is_cancelled(
    master: Master, tmp_path: Path, number: signal.Signals
) -> None:
    """Its step says nothing, so nothing in its journal wakes the master."""
    place = repository(tmp_path / "r", "step.run('echo begun; sleep 300')")
    job = submit(master, place)
    master.wait_for(lambda: b"begun" in master.logs(job))
    assert master.process is not None
    if number == signal.SIGTERM:
        master.process.send_signal(number)
        time.sleep(0.2)
    master.stop(number)
    master.start()
    master.wait_for(lambda: state(master, job) == "running")
    assert master.ask("POST", f"/api/v1/jobs/{job}/cancel").status == 202
    assert master.ended(job)["state"] == "cancelled"
    master.wait_for(lambda: not engines(master))


def test_a_job_whose_guard_is_killed_was_not_cancelled(master: Master, tmp_path: Path) -> None:
    place = repository(tmp_path / "r", "step.run('echo begun; sleep 300')")
    job = submit(master, place)
    master.wait_for(lambda: b"begun" in master.logs(job))
    running = engines(master)
    guards = [process for process in running if parent(process) not in running]
    assert len(guards) == 1
    os.kill(guards[0], signal.SIGKILL)
    ended = master.ended(job)
    assert ended["state"] == "failure" and ended["reason"].startswith("lost")
    master.wait_for(lambda: not engines(master))


def host(master: Master) -> int:
    """The process from which the engines of a master are forked."""
    assert master.process is not None
    for child in _children(master.process.pid):
        if b"--host" in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0"):
            return int(child)
    raise AssertionError("the master has no host of engines")


def _children(process: int) -> list[str]:
    """Children of all threads of a process."""
    tasks = Path(f"/proc/{process}/task")
    return [name for task in tasks.iterdir() for name in (task / "children").read_text().split()]


def test_a_host_that_is_killed_is_followed_by_another(master: Master, tmp_path: Path) -> None:
    place = repository(tmp_path / "r", "step.run('echo begun; sleep 1.5; echo done')")
    job = submit(master, place)
    master.wait_for(lambda: b"begun" in master.logs(job))
    first = host(master)
    os.kill(first, signal.SIGKILL)
    assert master.run(place)["state"] == "success"
    assert master.ended(job)["state"] == "success" and b"done" in master.logs(job)
    assert master.run(place)["state"] == "success"
    assert host(master) != first
    assert master.stop() == 0
    master.wait_for(lambda: not Path(f"/proc/{first}").exists())


def test_the_host_ends_with_a_master_that_is_killed(master: Master, tmp_path: Path) -> None:
    place = repository(tmp_path / "r", "step.run('true')")
    assert master.run(place)["state"] == "success"
    process = host(master)
    master.stop(signal.SIGKILL)
    master.wait_for(lambda: not Path(f"/proc/{process}").exists())


def test_a_job_is_cancelled_while_its_danubefile_is_evaluated(
    master: Master, tmp_path: Path
) -> None:
    place = repository(tmp_path / "r", "[x for x in iter(int, 1)]")
    job = submit(master, place)
    master.wait_for(lambda: engines(master))
    assert master.ask("POST", f"/api/v1/jobs/{job}/cancel").status == 202
    assert master.ended(job)["state"] == "cancelled"
    master.wait_for(lambda: not engines(master))


def test_a_job_that_cannot_be_recorded_fails_and_is_ended(master: Master, tmp_path: Path) -> None:
    place = repository(tmp_path / "r", "step.run('sleep 300', name='x' * 5000)")
    ended = master.run(place)
    assert ended["state"] == "failure", ended
    master.wait_for(lambda: not engines(master))


def test_sigterm_waits_and_hands_over(master: Master, tmp_path: Path) -> None:
    place = repository(tmp_path / "r", "step.run('echo begun; sleep 1.5')")
    job = submit(master, place)
    master.wait_for(lambda: b"begun" in master.logs(job))
    assert master.stop() == 0
    master.start()
    assert state(master, job) == "success"
    gate = tmp_path / "gate"
    body = f"step.run('echo begun; while ! test -e {gate}; do sleep 0.05; done')"
    job = submit(master, repository(tmp_path / "long", body))
    master.wait_for(lambda: b"begun" in master.logs(job))
    assert master.process is not None
    master.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert master.stop() == 0
    master.start()
    master.wait_for(lambda: state(master, job) == "running")
    gate.touch()
    assert master.ended(job)["state"] == "success"
