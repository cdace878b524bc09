"""`danube trigger`, `jobs` and `cancel` on a master."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from cli import ENVIRONMENT, MISTAKE, SUCCESS, commit, danube, git
from played_master import JOB, Master, Reply, job, line, logs, step

FAILED = 1


@pytest.fixture
def repository(tmp_path: Path) -> tuple[Path, str]:
    """A repository with a commit, and the commit's id."""
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "danubefile.py").write_text("from danube import *\n")
    return folder, commit(folder)


def test_a_trigger_names_what_is_checked_out(
    master: Master, repository: tuple[Path, str]
) -> None:
    folder, head = repository
    git(folder, "checkout", "--quiet", "-b", "topic")
    (folder / "below").mkdir()
    master.answers["POST jobs"] = lambda reply: reply.json(job(state="pending"), 201)
    ended = master.danube("trigger", "build", "-p", "a=1", "-p", "b=x=y", "--event", "push",
                          "--priority", "5", "-f", "ci.py", cwd=folder / "below")  # fmt: skip
    assert (ended.status, ended.out, ended.err) == (SUCCESS, f"{JOB}\n", "")
    (asked,) = master.asked("POST jobs")
    assert asked.json == {
        "pipeline": "build", "repository": str(folder), "revision": head,
        "ref": "refs/heads/topic", "branch": "topic", "file": "ci.py", "event": "push",
        "priority": 5, "parameters": {"a": "1", "b": "x=y"},
    }  # fmt: skip
    assert asked.headers["content-type"] == "application/json"
    assert len(asked.headers["idempotency-key"]) > 16


def test_a_trigger_makes_a_revision_of_here_an_id(
    master: Master, repository: tuple[Path, str]
) -> None:
    folder, first = repository
    commit(folder, "second")
    master.answers["POST jobs"] = lambda reply: reply.json(job(), 201)
    assert master.danube("trigger", "b", "--rev", "HEAD~1", "-C", str(folder)).status == SUCCESS
    wrong = master.danube("trigger", "b", "--rev", "nowhere", cwd=folder)
    assert wrong.status == MISTAKE and wrong.hints
    far = master.danube("trigger", "b", "--repository", "https://x.example/r", "--rev", "main")
    assert far.status == SUCCESS
    by_id = master.danube("trigger", "b", "--repository", "/srv/r", "--rev", first)
    assert by_id.status == SUCCESS
    bodies = [one.json for one in master.asked("POST jobs")]
    assert [body.get("revision") for body in bodies] == [first, None, first]
    assert bodies[1] == {"pipeline": "b", "repository": "https://x.example/r", "ref": "main"}


def test_a_trigger_without_a_repository_or_commit_says_so(master: Master, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    ended = master.danube("trigger", "b", cwd=folder)
    assert ended.status == MISTAKE and "no git repository" in ended.err and ended.hints
    git(folder, "init", "--quiet")
    ended = master.danube("trigger", "b", cwd=folder)
    assert ended.status == MISTAKE and "no commit" in ended.err and ended.hints
    for wrong in (["-p", "a"], ["-p", "=b"], ["--event", "never"], ["--priority", "x"]):
        assert master.danube("trigger", "b", "--repository", "/r", *wrong).status == MISTAKE
    assert not master.requests


@pytest.mark.parametrize(
    ("state", "status"),
    [("success", SUCCESS), ("failure", FAILED), ("timeout", FAILED), ("cancelled", FAILED)],
)
def test_a_trigger_that_follows_ends_as_the_job(state: str, status: int, master: Master) -> None:
    master.answers["POST jobs"] = lambda reply: reply.json(job(state="pending"), 201)
    master.answers[f"GET jobs/{JOB}/logs/stream"] = logs(
        line("Build", "one\ntw"), line("Test", "other\n", "stderr"), line("Build", "o\n"),
        line(None, "a word of the master"), end=job(state=state, reason="because"),
    )  # fmt: skip
    ended = master.danube("trigger", "b", "--repository", "/r", "--follow")
    assert ended.status == status
    assert ended.out == "Build | one\nTest  | other\nBuild | two\ndanube · a word of the master\n"
    assert ended.err == f"{JOB}\njob {JOB} {state} after 2.5 s: because\n"
    as_json = master.danube("trigger", "b", "--repository", "/r", "--follow", "--json")
    values = [json.loads(one) for one in as_json.out.splitlines()]
    assert as_json.status == status and as_json.err == ""
    assert [value.get("state") for value in values] == ["pending", *[None] * 4, state]
    assert values[1] == {
        "attempt": 1, "name": "Build", "stream": "stdout", "text": "one",
        "time": "2026-01-02T03:04:05.300Z",
    }  # fmt: skip


def test_a_busy_master_is_asked_again_for_the_same_job(master: Master) -> None:
    def answer(reply: Reply) -> None:
        if len(master.asked("POST jobs")) < 3:
            reply.problem(503, "starting", Retry_After="0")
        else:
            reply.json(job(), 201)

    master.answers["POST jobs"] = answer
    ended = master.danube("trigger", "b", "--repository", "/r")
    assert (ended.status, ended.out) == (SUCCESS, f"{JOB}\n")
    keys = {one.headers["idempotency-key"] for one in master.asked("POST jobs")}
    assert len(master.asked("POST jobs")) == 3 and len(keys) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_master_that_stays_busy_is_left_alone(status: int, master: Master) -> None:
    master.answers["POST jobs"] = lambda reply: reply.problem(status, "full", Retry_After="0")
    ended = master.danube("trigger", "b", "--repository", "/r")
    assert ended.status == ENVIRONMENT and "full" in ended.err
    assert len(master.asked("POST jobs")) == 5


@pytest.mark.parametrize("after", ["31", "999999999999999999999", "-1", "Thu, 01 Jan 2099", ""])
def test_nobody_waits_for_long_or_for_nonsense(after: str, master: Master) -> None:
    master.answers["POST jobs"] = lambda reply: reply.problem(503, "full", Retry_After=after)
    assert master.danube("trigger", "b", "--repository", "/r").status == ENVIRONMENT
    assert len(master.asked("POST jobs")) == 1


def test_a_connection_lost_before_the_answer_is_made_again(master: Master) -> None:
    def answer(reply: Reply) -> None:
        if len(master.asked("POST jobs")) > 1:
            reply.json(job(), 201)

    master.answers["POST jobs"] = answer
    assert master.danube("trigger", "b", "--repository", "/r").status == SUCCESS
    master.answers["POST jobs"] = lambda reply: None
    ended = master.danube("trigger", "b", "--repository", "/r")
    assert ended.status == ENVIRONMENT and "broke off" in ended.err
    assert len(master.asked("POST jobs")) == 2 + 3


def test_jobs_are_listed_as_on_this_machine(master: Master) -> None:
    pages = {
        None: {"jobs": [job(), job(id="b" * 9, state="running", ended=None)], "next": "c1"},
        "c1": {"jobs": [job(id="c" * 9, state="failure",
                            steps={"total": 9, "done": 4, "failed": 1})], "next": None},
    }  # fmt: skip
    master.answers["GET jobs"] = lambda reply: reply.json(pages[reply.request.query.get("cursor")])
    ended = master.danube("jobs", "--remote", "--pipeline", "a&b", "--state", "running", TZ="UTC")
    assert (ended.status, ended.err) == (SUCCESS, "")
    rows = [re.split(r"  +", one) for one in ended.out.splitlines()]
    assert rows[0] == ["JOB", "STATE", "PIPELINE", "STARTED", "TOOK", "STEPS"]
    assert rows[1] == [JOB, "success", "build", "2026-01-02 03:04:05", "2.5 s", "2"]
    assert rows[3][0::5] == ["c" * 9, "4 of 9, 1 failed"]
    first, second = master.asked("GET jobs")
    assert first.query == {"pipeline": "a&b", "state": "running", "limit": "20"}
    assert second.query["cursor"] == "c1" and second.query["limit"] == "18"
    as_json = json.loads(master.danube("jobs", "--remote", "--json").out)["jobs"]
    assert as_json[0]["started"] == "2026-01-02T03:04:05.100Z"
    assert (as_json[0]["branch"], as_json[0]["step_count"]) == ("main", 2)


def test_a_list_without_an_end_is_left(master: Master) -> None:
    master.answers["GET jobs"] = lambda reply: reply.json({"jobs": [job()], "next": "same"})
    ended = master.danube("jobs", "--remote", "-n", "100000", "--json")
    assert ended.status == SUCCESS and len(master.requests) == 2
    master.answers["GET jobs"] = lambda reply: reply.json(
        {"jobs": [], "next": str(len(master.requests))}
    )
    assert master.danube("jobs", "--remote").status == SUCCESS
    assert len(master.requests) == 3


def test_a_job_is_shown_with_its_steps(master: Master) -> None:
    master.answers["GET jobs/4k"] = lambda reply: reply.json(job(reason="r\x1b[31m"))
    master.answers[f"GET jobs/{JOB}/steps"] = lambda reply: reply.json(
        {"steps": [step(0, "Build", attempts=3), step(1, "Test", state="failed", exit_code=2),
                   step(2, "Lint", state="cached", cached_from="zzz")]}
    )  # fmt: skip
    ended = master.danube("jobs", "4k", "--remote")
    assert (ended.status, ended.err) == (SUCCESS, "") and "\x1b" not in ended.out
    assert re.search(r"^Build +succeeded +0 +1.0 s +3$", ended.out, re.MULTILINE)
    assert re.search(r"^Test +failed +2 ", ended.out, re.MULTILINE)
    assert "result of job zzz" in ended.out and "manual on main" in ended.out
    shown = json.loads(master.danube("jobs", "4k", "--remote", "--json").out)
    assert [one["name"] for one in shown["steps"]] == ["Build", "Test", "Lint"]
    assert shown["steps"][2]["source"] == "zzz"


def test_the_name_of_a_job_leads_nowhere_else(master: Master) -> None:
    for name in ("../secrets", "a/b?c#d", "..", "%2e%2e", "ä"):
        assert master.danube("jobs", name, "--remote").status == MISTAKE
    paths = [one.path for one in master.requests]
    assert paths == ["jobs/..%2Fsecrets", "jobs/a%2Fb%3Fc%23d", "jobs/..", "jobs/%252e%252e",
                     "jobs/%C3%A4"]  # fmt: skip
    assert master.danube("jobs", "", "--remote").status == MISTAKE


def test_a_job_is_cancelled(master: Master) -> None:
    master.answers["POST jobs/4k/cancel"] = lambda reply: reply.json(job(state="running"), 202)
    ended = master.danube("cancel", "4k")
    assert (ended.status, ended.out) == (SUCCESS, f"job {JOB} is being cancelled\n")
    assert master.requests[0].headers["content-length"] == "0"
    master.answers["POST jobs/4k/cancel"] = lambda reply: reply.problem(409, "it has ended")
    ended = master.danube("cancel", "4k")
    assert ended.status == MISTAKE and "it has ended" in ended.err
