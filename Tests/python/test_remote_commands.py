"""`danube rerun`, `why`, `artifacts`, `secret`, `status`, `drain` and `master`."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from cli import ENVIRONMENT, MISTAKE, SUCCESS, danube, environment, on_terminal
from fixture_cases import executable
from played_master import JOB, Master, Reply, job, step

CONTENT = os.urandom(300_000)


def artifact(name: str, content: bytes = CONTENT, **changes: object) -> dict[str, object]:
    """An artifact as a master lists it."""
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    return {"name": name, "size": len(content), "digest": digest, "folder": False, **changes}


def keeps(master: Master, *artifacts: dict[str, object]) -> None:
    """Has the master list these."""
    master.answers[f"GET artifacts/{JOB}"] = lambda reply: reply.json(
        {"artifacts": list(artifacts)}
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder to fetch into."""
    path = tmp_path / "here"
    path.mkdir()
    return path


# Running again, and why.


def test_a_job_runs_again_there(master: Master) -> None:
    master.answers["POST jobs/4k/rerun"] = lambda reply: reply.json(job(rerun_of=JOB), 201)
    assert master.danube("rerun", "4k", "--remote").out == f"{JOB}\n"
    as_json = master.danube("rerun", "4k", "--remote", "--failed", "--json")
    assert json.loads(as_json.out)["id"] == JOB
    assert [one.json for one in master.requests] == [{"failed": False}, {"failed": True}]
    for local in (["--secret", "A=b"], ["-j", "2"], ["--quiet"], ["--explain"]):
        ended = master.danube("rerun", "4k", "--remote", *local)
        assert ended.status == MISTAKE and ended.hints
    assert len(master.requests) == 2


def test_a_job_is_not_run_again_twice(master: Master) -> None:
    """Who lost the answer does not know whether it runs."""
    master.answers["POST jobs/4k/rerun"] = lambda reply: None
    assert master.danube("rerun", "4k", "--remote").status == ENVIRONMENT
    master.answers["POST jobs/4k/rerun"] = lambda reply: reply.problem(503, "x", Retry_After="0")
    assert master.danube("rerun", "4k", "--remote").status == ENVIRONMENT
    assert len(master.requests) == 2


def test_why_tells_what_the_master_recorded(master: Master) -> None:
    steps = [
        step(0, "Build", reason="src/a.c changed"), step(1, "Test", state="cached", attempts=0,
                                                         cached_from="zzz"),
        step(2, "Ship", state="blocked", attempts=0, reason="`Build` failed"),
    ]  # fmt: skip
    master.answers["GET jobs"] = lambda reply: reply.json({"jobs": [job()], "next": None})
    master.answers[f"GET jobs/{JOB}/steps"] = lambda reply: reply.json({"steps": steps})
    said = [master.danube("why", one, "--remote").out for one in ("Build", "Test", "Ship")]
    assert said == [
        f"`Build` ran in job {JOB}: src/a.c changed\n",
        f"`Test` was taken from the cache in job {JOB}: job zzz made it\n",
        f"`Ship` did not run in job {JOB}: `Build` failed\n",
    ]
    wrong = master.danube("why", "Biuld", "--remote")
    assert wrong.status == MISTAKE and wrong.hints == ["Did you mean `Build`?"]
    (value,) = json.loads(master.danube("why", "Ship", "--remote", "--json").out)["steps"]
    assert (value["state"], value["job"]) == ("blocked", JOB)


# Artifacts.


def test_artifacts_are_listed_and_fetched(master: Master, folder: Path) -> None:
    keeps(master, artifact("a b/é.bin"), artifact("dist", folder=True, digest="sha256:tree"))
    master.answers[f"GET artifacts/{JOB}/a%20b%2F%C3%A9.bin"] = lambda r: r.whole(CONTENT)
    master.answers[f"GET artifacts/{JOB}/dist"] = lambda reply: reply.whole(b"tar")
    listed = master.danube("artifacts", JOB)
    assert "a b/é.bin" in listed.out and "dist/" in listed.out and "293 KiB" in listed.out
    assert len(json.loads(master.danube("artifacts", JOB, "--json").out)["artifacts"]) == 2
    assert master.danube("artifacts", JOB, "a b/é.bin", cwd=folder).status == SUCCESS
    assert master.danube("artifacts", JOB, "dist", cwd=folder).status == SUCCESS
    assert (folder / "é.bin").read_bytes() == CONTENT
    assert (folder / "dist.tar.gz").read_bytes() == b"tar"
    assert sorted(os.listdir(folder)) == ["dist.tar.gz", "é.bin"]


def test_a_file_that_is_there_is_replaced_only_by_name(master: Master, folder: Path) -> None:
    keeps(master, artifact("x"))
    master.answers[f"GET artifacts/{JOB}/x"] = lambda reply: reply.whole(CONTENT)
    (folder / "x").write_text("mine")
    ended = master.danube("artifacts", JOB, "x", cwd=folder)
    assert ended.status == MISTAKE and ended.hints and (folder / "x").read_text() == "mine"
    assert master.danube("artifacts", JOB, "x", "-o", "x", cwd=folder).status == SUCCESS
    assert (folder / "x").read_bytes() == CONTENT and os.listdir(folder) == ["x"]
    program = executable()
    assert program is not None
    piped = subprocess.run(
        [program, "artifacts", JOB, "x", "-o", "-"], env=master.environment(), capture_output=True
    )
    assert (piped.returncode, piped.stdout, piped.stderr) == (SUCCESS, CONTENT, b"")


@pytest.mark.parametrize("name", ["..", "a/..", "a/.", "/", "x" * 300])
def test_a_master_cannot_name_a_place(name: str, master: Master, folder: Path) -> None:
    keeps(master, artifact(name))
    ended = master.danube("artifacts", JOB, name, cwd=folder)
    assert ended.status == MISTAKE and ended.hints and not os.listdir(folder)


@pytest.mark.parametrize(
    "sent", [CONTENT[:-1], CONTENT + b"x", b"y" + CONTENT[1:], b""], ids=range(4)
)
def test_what_arrives_otherwise_is_not_kept(sent: bytes, master: Master, folder: Path) -> None:
    keeps(master, artifact("x"))
    master.answers[f"GET artifacts/{JOB}/x"] = lambda reply: reply.whole(sent)
    ended = master.danube("artifacts", JOB, "x", cwd=folder)
    assert ended.status == ENVIRONMENT and "did not arrive" in ended.err
    assert not os.listdir(folder)


def test_an_artifact_of_no_end_is_left(master: Master, folder: Path) -> None:
    def answer(reply: Reply) -> None:
        reply.head()
        while True:
            reply.write(b"z" * (1 << 20))

    keeps(master, artifact("x"))
    master.answers[f"GET artifacts/{JOB}/x"] = answer
    assert master.danube("artifacts", JOB, "x", cwd=folder).status == ENVIRONMENT
    assert not os.listdir(folder)


def test_an_artifact_that_breaks_off_is_fetched_anew(master: Master, folder: Path) -> None:
    def answer(reply: Reply) -> None:
        if len(master.asked(f"GET artifacts/{JOB}/x")) < 3:
            reply.head(Content_Length=str(len(CONTENT)))
            reply.write(CONTENT[:1000])
        else:
            reply.whole(CONTENT)

    keeps(master, artifact("x"))
    master.answers[f"GET artifacts/{JOB}/x"] = answer
    assert master.danube("artifacts", JOB, "x", cwd=folder).status == SUCCESS
    assert (folder / "x").read_bytes() == CONTENT


def test_an_artifact_that_is_not_there_is_said(master: Master, folder: Path) -> None:
    keeps(master, artifact("report"))
    ended = master.danube("artifacts", JOB, "rep", cwd=folder)
    assert ended.status == MISTAKE and "`report`" in ended.hints[0]
    keeps(master)
    assert "no artifacts" in master.danube("artifacts", JOB).err
    assert master.danube("artifacts", JOB, "-o", "x").status == MISTAKE
    keeps(master, artifact("report"))
    full = master.danube("artifacts", JOB, "report", "-o", str(folder / "no/where"))
    assert full.status == MISTAKE and "cannot write" in full.err


# Secrets.


@pytest.mark.parametrize(
    ("given", "options", "sent"),
    [(b"s3cret\n", [], "s3cret"), (b"s3cret\r\n", [], "s3cret"), (b"a\nb\n\n", [], "a\nb\n"),
     (b"s3cret\n", ["--exact"], "s3cret\n"), (' "ä"\t\x1b'.encode(), [], ' "ä"\t\x1b')],
    ids=range(5),
)  # fmt: skip
def test_a_value_comes_from_standard_input(
    given: bytes, options: list[str], sent: str, master: Master
) -> None:
    master.answers["PUT secrets/global/TOKEN"] = lambda reply: reply.whole(b"", 204)
    ended = master.danube("secret", "set", "TOKEN", *options, stdin=given)
    assert (ended.status, ended.out) == (SUCCESS, "")
    assert master.requests[0].json == {"value": sent, "branches": [], "events": []}


def test_a_secret_has_a_scope_and_bounds(master: Master) -> None:
    master.answers["PUT secrets/pipeline%3Aa%2Fb/T"] = lambda reply: reply.json({})
    ended = master.danube(
        "secret", "set", "T", "--scope", "pipeline:a/b", "--branch", "main", "--branch", "r/*",
        "--event", "push", stdin=b"v",
    )  # fmt: skip
    assert ended.status == SUCCESS, ended.err
    assert master.requests[0].json == {
        "value": "v", "branches": ["main", "r/*"], "events": ["push"]
    }  # fmt: skip
    master.answers["DELETE secrets/team%3Acore/T"] = lambda reply: reply.whole(b"", 204)
    assert master.danube("secret", "rm", "T", "--scope", "team:core").status == SUCCESS
    for wrong in (["--scope", "all"], ["--scope", "team:"], ["--event", "x"]):
        assert master.danube("secret", "set", "T", *wrong, stdin=b"v").status == MISTAKE
    assert len(master.requests) == 2


@pytest.mark.parametrize("value", [b"", b"\n", b"\xff\xfe", b"a\x00b", b"x" * ((1 << 20) + 1)])
def test_a_value_that_cannot_be_kept_is_refused(value: bytes, master: Master) -> None:
    ended = master.danube("secret", "set", "T", stdin=value)
    assert ended.status == MISTAKE and not master.requests


def test_secrets_are_listed_without_values(master: Master) -> None:
    secrets = [
        {"name": "A", "scope": "global", "branches": [], "events": []},
        {"name": "B", "scope": "team:x", "branches": ["main", "r/*"], "events": ["push"]},
    ]
    master.answers["GET secrets"] = lambda reply: reply.json({"secrets": secrets})
    ended = master.danube("secret", "ls")
    assert [one.split() for one in ended.out.splitlines()] == [
        ["NAME", "SCOPE", "BRANCHES", "EVENTS"], ["A", "global", "all", "all"],
        ["B", "team:x", "main", "r/*", "push"],
    ]  # fmt: skip
    (one,) = json.loads(master.danube("secret", "ls", "--scope", "team:x", "--json").out)["secrets"]
    assert one["name"] == "B"


# The master itself.


def test_the_status_is_shown(master: Master) -> None:
    status = {"version": "0.1.0", "ready": True, "draining": False,
              "jobs": {"pending": 3, "running": 2}, "x": None, "y\x1b[2J": ["z"]}  # fmt: skip
    master.answers["GET status"] = lambda reply: reply.json(status)
    ended = master.danube("status")
    rows = dict(one.rsplit("  ", 1) for one in ended.out.splitlines())
    values = {name.strip(): value.strip() for name, value in rows.items()}
    assert values["master"] == master.url and values["ready"] == "yes"
    assert values["jobs pending"] == "3" and values["draining"] == "no"
    terminal = on_terminal("status", columns=80, env=master.environment(NO_COLOR="1"))
    assert terminal.status == SUCCESS and "\x1b" not in terminal.out
    assert json.loads(master.danube("status", "--json").out) == status


def test_a_master_is_drained(master: Master) -> None:
    master.answers["POST drain"] = lambda reply: reply.json({}, 202)
    assert master.danube("drain").status == SUCCESS
    assert master.danube("drain", "--timeout", "1500ms", "--force").status == SUCCESS
    assert [one.json for one in master.requests] == [
        {"force": False}, {"force": True, "timeout_seconds": 2}
    ]  # fmt: skip
    wrong = master.danube("drain", "--timeout", "soon")
    assert wrong.status == MISTAKE and len(master.requests) == 2


def test_the_master_beside_the_program_is_given_every_argument(
    tmp_path: Path, danube_program: Path
) -> None:
    program = tmp_path / "danube"
    shutil.copy(danube_program, program)
    missing = subprocess.run([program, "master"], env=environment(), capture_output=True, text=True)
    assert missing.returncode == ENVIRONMENT
    assert f"{tmp_path}/danube-master is not installed" in missing.stderr
    assert "hint: " in missing.stderr
    beside = tmp_path / "danube-master"
    beside.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\nexit 7\n")
    beside.chmod(0o755)
    words = [b"--help", b"-h", b"--version", b"--http-listen=x", b"--", b"a b", b"", b"\xff", b"-"]
    ended = subprocess.run(
        [bytes(program), b"master", *words], env=environment(), capture_output=True
    )
    assert (ended.returncode, ended.stderr) == (7, b"")
    assert ended.stdout == b"".join(word + b"\n" for word in words)


def test_a_command_for_masters_alone_says_that_none_is_known(
    tmp_path: Path, danube_program: Path
) -> None:
    for command in (["status"], ["drain"], ["cancel", "x"], ["artifacts", "x"], ["secret", "ls"]):
        ended = danube(*command, env=environment(HOME=str(tmp_path)))
        assert ended.status == MISTAKE and "no master is known" in ended.err
        assert any("danube login" in hint for hint in ended.hints)
