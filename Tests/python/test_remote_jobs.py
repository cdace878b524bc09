"""`danube login`, `trigger`, `jobs`, `logs`, `cancel` against a master, as it answers and fails."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path

import played_master
import pytest
from cli import ENVIRONMENT, MISTAKE, SUCCESS, commit, danube, environment, git, on_terminal
from played_master import JOB, TOKEN, Master, Reply, job, line, step

FAILED = 1


@pytest.fixture
def repository(tmp_path: Path) -> tuple[Path, str]:
    """A repository with a commit, and the commit's id."""
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "danubefile.py").write_text("from danube import *\n")
    return folder, commit(folder)


def stored(master: Master) -> Path:
    return master.home / ".config/danube/login.json"


def login(master: Master, *more: str, token: str = TOKEN) -> None:
    ended = danube("login", master.url, *more, env=home(master), stdin=token.encode())
    assert ended.status == SUCCESS, ended.err


def home(master: Master, **variables: str) -> dict[str, str]:
    """An environment that names no master."""
    return environment(HOME=str(master.home), TZ="UTC", **variables)


def logs(*events: object, end: dict[str, object] | None = None) -> played_master.Answer:
    """A log that is sent at once and ends with the job."""

    def answer(reply: Reply) -> None:
        reply.head(Content_Type="text/event-stream")
        for number, event in enumerate(events, 1):
            reply.event(event, number * 10)
        reply.event(end or job(), name="end")

    return answer


# Who is asked.


def test_a_login_is_kept_for_its_owner_and_used(master: Master) -> None:
    ended = danube("login", master.url + "/", env=home(master), stdin=f" {TOKEN}\n".encode())
    assert (ended.status, ended.err) == (SUCCESS, "")
    assert ended.out == f"Logged in to {master.url} as ada (read, write) until 2030-01-01 00:00:00.\n"
    assert stored(master).stat().st_mode & 0o777 == 0o600
    assert stored(master).parent.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in stored(master).parent.iterdir()] == ["login.json"]
    master.answers["GET jobs"] = lambda reply: reply.json({"jobs": [job()], "next": None})
    listed = danube("jobs", "--remote", env=home(master))
    assert (listed.status, listed.err) == (SUCCESS, "") and JOB in listed.out
    assert danube("logout", env=home(master)).status == SUCCESS
    assert not stored(master).exists()
    assert danube("jobs", "--remote", env=home(master)).status == MISTAKE


def test_a_token_that_is_refused_is_not_kept(master: Master) -> None:
    ended = danube("login", master.url, env=home(master), stdin=b"dnb_other")
    assert ended.status == ENVIRONMENT
    assert "this token is not known" in ended.err and "dnb_other" not in ended.err
    assert not stored(master).exists()


@pytest.mark.parametrize("token", ["", "  \n", "dnb_a b", "dnb_\x00a", "dnb_a\r\nX-Evil: 1", "dnb_é"])
def test_what_is_no_token_is_not_sent(token: str, master: Master) -> None:
    ended = danube("login", master.url, env=home(master), stdin=token.encode())
    assert ended.status == MISTAKE and not master.requests
    if token.strip():
        ended = master.danube("status", DANUBE_TOKEN="dnb_a\tb")
        assert ended.status == MISTAKE and not master.requests


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o606])
def test_a_login_that_others_may_read_is_not_used(mode: int, master: Master) -> None:
    login(master)
    stored(master).chmod(mode)
    asked = len(master.requests)
    ended = danube("jobs", "--remote", env=home(master))
    assert ended.status == ENVIRONMENT and f"its mode is {mode:o}" in ended.err
    assert ended.hints and len(master.requests) == asked


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url":1,"token":"t"}', '{"url":"x","token":"t"}'])
def test_a_damaged_login_is_said(text: str, master: Master) -> None:
    login(master)
    stored(master).write_text(text)
    ended = danube("jobs", "--remote", env=home(master))
    assert ended.status in (MISTAKE, ENVIRONMENT) and ended.hints
    # Who names the master and the token does not need it.
    master.answers["GET jobs"] = lambda reply: reply.json({"jobs": [], "next": None})
    assert master.danube("jobs", "--remote").status == SUCCESS


def test_a_login_that_is_a_link_is_not_followed(master: Master) -> None:
    login(master)
    stored(master).rename(master.home / "elsewhere")
    stored(master).symlink_to(master.home / "elsewhere")
    assert danube("jobs", "--remote", env=home(master)).status == ENVIRONMENT


def test_a_stored_token_is_for_its_master_alone(master: Master, tmp_path: Path) -> None:
    login(master)
    (tmp_path / "other").mkdir()
    with played_master.master(tmp_path / "other") as other:
        ended = danube("jobs", "--master", other.url, env=home(master))
        assert ended.status == ENVIRONMENT and "no token" in ended.err
        assert not other.requests


def test_the_option_goes_before_the_variable_and_that_before_the_login(
    master: Master, tmp_path: Path
) -> None:
    login(master)
    nowhere = "http://127.0.0.1:1"
    master.answers["GET jobs"] = lambda reply: reply.json({"jobs": [], "next": None})
    by_option = master.danube("jobs", "--master", master.url, DANUBE_MASTER=nowhere)
    assert by_option.status == SUCCESS
    by_variable = danube(
        "jobs", "--remote", env=home(master, DANUBE_MASTER=nowhere, DANUBE_TOKEN=TOKEN)
    )
    assert by_variable.status == ENVIRONMENT and "127.0.0.1:1 cannot be reached" in by_variable.err
    assert danube("jobs", "--remote", env=home(master)).status == SUCCESS


def test_without_asking_for_a_master_this_machine_is_asked(master: Master) -> None:
    login(master)
    asked = len(master.requests)
    for command in (["jobs"], ["logs"], ["why", "x"], ["rerun"]):
        ended = master.danube(*command)
        assert ended.status == MISTAKE and "no job was recorded yet" in ended.err
    assert len(master.requests) == asked


def test_the_typed_token_is_not_shown(master: Master) -> None:
    import pty
    import select
    import subprocess

    from fixture_cases import executable

    program = executable()
    assert program is not None
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [program, "login", master.url], env=home(master),
        stdin=follower, stdout=follower, stderr=follower, close_fds=True,
    )  # fmt: skip
    os.close(follower)
    shown = b""
    try:
        while b"Token for" not in shown:
            assert select.select([leader], [], [], 30)[0]
            shown += os.read(leader, 4096)
        os.write(leader, b"x\x7f" + TOKEN.encode() + b"\r")
        while select.select([leader], [], [], 30)[0]:
            try:
                shown += os.read(leader, 4096)
            except OSError:
                break
        assert process.wait(30) == SUCCESS
    finally:
        process.kill()
        process.wait()
        os.close(leader)
    assert TOKEN.encode() not in shown and b"Logged in" in shown


@pytest.mark.parametrize(
    "url",
    ["", "localhost:8420", "ftp://a", "http://", "http://a:0", "http://a:65536", "http://a:x",
     "http://u:p@a", "http://a?b", "http://a#b", "http://a/../b", "http://a//b", "http://a b",
     "http://[::1", "http://ä", "http://a\\b", "https://" + "a" * 2000],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str, master: Master) -> None:
    ended = danube("login", url, env=home(master), stdin=TOKEN.encode())
    assert ended.status == MISTAKE and ended.hints
    assert "u:p" not in ended.err


def test_a_token_goes_nowhere_unencrypted_unless_agreed(master: Master) -> None:
    env = home(master, DANUBE_TOKEN=TOKEN, http_proxy=master.url)
    for command in (["login", "http://ci.invalid"], ["jobs", "--master", "http://ci.invalid"]):
        ended = danube(*command, env=env, stdin=TOKEN.encode())
        assert ended.status == MISTAKE and "without encryption" in ended.err
        assert any("--insecure-http" in hint for hint in ended.hints)
    assert not master.requests
    agreed = danube("jobs", "--master", "http://ci.invalid", "--insecure-http", env=env)
    assert "without encryption" not in agreed.err and master.requests


def test_a_proxy_does_not_see_what_stays_on_this_machine(master: Master) -> None:
    master.answers["GET jobs"] = lambda reply: reply.json({"jobs": [], "next": None})
    ended = master.danube("jobs", "--remote", http_proxy="http://127.0.0.1:1")
    assert ended.status == SUCCESS, ended.err


# Starting jobs.


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


# Refusals and faults.


@pytest.mark.parametrize(
    ("status", "expected"),
    [(400, MISTAKE), (401, ENVIRONMENT), (403, ENVIRONMENT), (404, MISTAKE), (409, MISTAKE),
     (422, MISTAKE), (500, ENVIRONMENT), (507, ENVIRONMENT)],
)  # fmt: skip
def test_a_refusal_is_shown_with_its_hint(status: int, expected: int, master: Master) -> None:
    master.answers["POST jobs"] = lambda reply: reply.problem(
        status, "it cannot \x1b[2J be", "do otherwise"
    )
    ended = master.danube("trigger", "b", "--repository", "/r")
    assert ended.status == expected and ended.hints == ["do otherwise"]
    assert "it cannot" in ended.err and "\x1b" not in ended.err
    assert len(master.asked("POST jobs")) == 1


def test_a_refusal_without_words_is_shown(master: Master) -> None:
    for status, expected in ((401, ENVIRONMENT), (404, MISTAKE), (500, ENVIRONMENT)):
        master.answers["GET jobs"] = lambda reply, status=status: reply.whole(b"<html>", status)
        ended = master.danube("jobs", "--remote")
        assert ended.status == expected and ended.hints and master.url in ended.err


def test_a_redirect_is_told_and_not_followed(master: Master, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with played_master.master(tmp_path / "other") as other:
        for status in (301, 302, 307, 308):
            master.answers["GET jobs"] = lambda reply, status=status: reply.whole(
                b"", status, Location=other.url + "/api/v1/jobs"
            )
            ended = master.danube("jobs", "--remote")
            assert ended.status == ENVIRONMENT and other.url in ended.err
        assert not other.requests


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"\xff\xfe", b'{"jobs":1}', b'{"jobs":[1]}', b'{"jobs":[{"id":""}]}',
     b'{"jobs":[{"id":1,"state":"x"}]}', b"[" * 100_000, b'{"jobs":[],"jobs":[]}'],
    ids=range(10),
)  # fmt: skip
def test_an_answer_that_is_none_is_said(body: bytes, master: Master) -> None:
    master.answers["GET jobs"] = lambda reply: reply.whole(body)
    ended = master.danube("jobs", "--remote")
    assert ended.status == ENVIRONMENT and "is not the" in ended.err and ended.hints


def test_values_of_the_wrong_kind_harm_nothing(master: Master) -> None:
    strange = job(
        number="x", steps=[], started="yesterday", ended="2026-99-99T99:99:99Z",
        duration_ms=-(2**63), parameters=[1], ref=3, priority=2**63, reason={}, plan=None,
    )  # fmt: skip
    far = job(started="9999-12-31T23:59:59.999999999Z", ended="0000-01-01T00:00:00Z",
              duration_ms=2**63 - 1, steps={"total": 2**63 - 1, "done": -5, "failed": 2**62})  # fmt: skip
    master.answers["GET jobs"] = lambda reply: reply.json({"jobs": [strange, far], "next": None})
    for form in ([], ["--json"]):
        assert master.danube("jobs", "--remote", *form).status == SUCCESS


def test_an_answer_of_100_megabytes_is_not_kept(master: Master) -> None:
    sent = 0

    def answer(reply: Reply) -> None:
        nonlocal sent
        reply.head(Content_Type="application/json")
        reply.write(b'{"jobs":["')
        for _ in range(100):
            reply.write(b"x" * (1 << 20))
            sent += 1

    master.answers["GET jobs"] = answer
    ended = master.danube("jobs", "--remote")
    assert ended.status == ENVIRONMENT and "larger than 32 MiB" in ended.err
    assert sent < 60


def test_a_master_that_says_nothing_is_given_up(master: Master) -> None:
    master.answers["GET jobs"] = lambda reply: reply.stopping.wait(60) and None
    begun = time.monotonic()
    ended = master.danube("jobs", "--remote", DANUBE_MASTER_TIMEOUT="1s")
    assert ended.status == ENVIRONMENT and "did not answer in time" in ended.err
    assert time.monotonic() - begun < 20


def test_a_master_that_drips_is_given_up(master: Master) -> None:
    def answer(reply: Reply) -> None:
        reply.head()
        while not reply.stopping.wait(0.1):
            reply.write(b" ")

    master.answers["GET jobs"] = answer
    ended = master.danube("jobs", "--remote", DANUBE_MASTER_TIMEOUT="1s")
    assert ended.status == ENVIRONMENT and "did not answer in time" in ended.err


def test_an_answer_that_breaks_off_is_asked_for_again(master: Master) -> None:
    def answer(reply: Reply) -> None:
        if len(master.asked("GET jobs")) == 1:
            reply.head(Content_Length="1000")
            reply.write(b'{"jobs":')
        else:
            reply.json({"jobs": [job()], "next": None})

    master.answers["GET jobs"] = answer
    ended = master.danube("jobs", "--remote")
    assert ended.status == SUCCESS and JOB in ended.out


def test_something_that_speaks_no_http_is_said(master: Master) -> None:
    import socket
    import threading

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def speak() -> None:
            for _ in range(3):
                connection, _ = listener.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(b"SSH-2.0-x\r\n")

        thread = threading.Thread(target=speak, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        ended = master.danube("jobs", "--master", url)
    assert ended.status == ENVIRONMENT and url in ended.err


@pytest.mark.parametrize("content", [b"", b"text"])
def test_a_missing_library_is_named(content: bytes, master: Master, tmp_path: Path) -> None:
    for name in ("libcurl.so.4", "libcurl-gnutls.so.4"):
        (tmp_path / name).write_bytes(content)
    ended = master.danube("jobs", "--remote", LD_LIBRARY_PATH=str(tmp_path))
    assert ended.status == ENVIRONMENT and "libcurl is not installed" in ended.err
    assert any("libcurl4" in hint for hint in ended.hints)


# Jobs.


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


# Logs.


def test_a_log_is_printed_as_on_this_machine(master: Master) -> None:
    master.answers["GET jobs"] = lambda reply: reply.json({"jobs": [job()], "next": None})
    master.answers[f"GET jobs/{JOB}"] = lambda reply: reply.json(job())
    master.answers[f"GET jobs/{JOB}/steps"] = lambda reply: reply.json(
        {"steps": [step(0, "Build"), step(1, "Long name")]}
    )
    master.answers[f"GET jobs/{JOB}/logs/stream"] = logs(
        line("Build", "one\n"), line("Long name", "two"), line("Build", "three\n")
    )
    ended = master.danube("logs", "--remote")
    assert (ended.status, ended.err) == (SUCCESS, "")
    assert ended.out == "Build     | one\nBuild     | three\nLong name | two\n"
    timed = master.danube("logs", JOB, "Long", "--remote", "--timestamps")
    assert timed.out == "2026-01-02T03:04:05.300Z two\n"


def test_the_bytes_of_a_step_are_printed(master: Master) -> None:
    content = bytes(range(256)) * 50
    master.answers[f"GET jobs/{JOB}"] = lambda reply: reply.json(job())
    master.answers["GET jobs"] = lambda reply: reply.json({"jobs": [job()], "next": None})
    master.answers[f"GET jobs/{JOB}/steps"] = lambda reply: reply.json({"steps": [step(0, "A/B é")]})

    def answer(reply: Reply) -> None:
        if len(master.asked(f"GET jobs/{JOB}/logs")) == 1:
            reply.head(Content_Length=str(len(content)))
            reply.write(content[:777])  # and the connection breaks off
        else:
            reply.whole(content)

    master.answers[f"GET jobs/{JOB}/logs"] = answer
    import subprocess

    from fixture_cases import executable

    for words in ([JOB, "A/B"], ["A/B"]):
        program = executable()
        assert program is not None
        ended = subprocess.run(
            [program, "logs", *words, "--remote"], env=master.environment(), capture_output=True
        )
        assert ended.returncode == SUCCESS and ended.stdout == content
    assert master.asked(f"GET jobs/{JOB}/logs")[0].query == {"step": "A/B é"}
    terminal = on_terminal("logs", "A/B", "--remote", columns=80, env=master.environment())
    assert "\x1b" not in terminal.out and "\x07" not in terminal.out


def test_a_follower_goes_on_where_the_connection_was_lost(master: Master) -> None:
    """The connection is cut in the middle of an event, and again between two."""

    def answer(reply: Reply) -> None:
        last = int(reply.request.headers.get("last-event-id", "0"))
        reply.head(Content_Type="text/event-stream", Transfer_Encoding="chunked")

        def chunk(text: str) -> None:
            data = text.encode()
            reply.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

        for number in range(last + 1, last + 4):
            if number > 9:
                chunk(f"event: end\ndata: {json.dumps(job())}\n\n")
                reply.write(b"0\r\n\r\n")
                return
            chunk(f": alive\nid: {number}\ndata: {json.dumps(line('S', f'{number}' + chr(10)))}\n\n")
        chunk(f"id: {last + 4}\ndata: " + '{"step":"S","te')

    master.answers[f"GET jobs/{JOB}"] = lambda reply: reply.json(job(state="running"))
    master.answers[f"GET jobs/{JOB}/steps"] = lambda reply: reply.json({"steps": [step(0, "S")]})
    master.answers[f"GET jobs/{JOB}/logs/stream"] = answer
    ended = master.danube("logs", JOB, "-f", "--remote")
    assert ended.status == SUCCESS, ended.err
    assert ended.out == "".join(f"S | {number}\n" for number in range(1, 10))
    asked = master.asked(f"GET jobs/{JOB}/logs/stream")
    assert [one.headers.get("last-event-id") for one in asked] == [None, "3", "6", "9"]


def test_a_follower_that_gets_nothing_gives_up(master: Master) -> None:
    master.answers[f"GET jobs/{JOB}"] = lambda reply: reply.json(job(state="running"))
    master.answers[f"GET jobs/{JOB}/steps"] = lambda reply: reply.json({"steps": []})
    master.answers[f"GET jobs/{JOB}/logs/stream"] = lambda reply: reply.head()
    ended = master.danube("logs", JOB, "-f", "--remote")
    assert ended.status == ENVIRONMENT and "ends the log" in ended.err
    assert any("logs -f" in hint for hint in ended.hints)
    assert len(master.asked(f"GET jobs/{JOB}/logs/stream")) == 8


@pytest.mark.parametrize(
    "body",
    [b"data: {\n\n", b"data: x\n\n", b"event: end\ndata: {}\n\n", b"data: " + b"x" * (5 << 20)],
    ids=range(4),
)
def test_a_stream_that_is_none_is_said(body: bytes, master: Master) -> None:
    master.answers[f"GET jobs/{JOB}"] = lambda reply: reply.json(job())
    master.answers[f"GET jobs/{JOB}/steps"] = lambda reply: reply.json({"steps": []})
    master.answers[f"GET jobs/{JOB}/logs/stream"] = lambda reply: reply.whole(body)
    ended = master.danube("logs", JOB, "--remote")
    assert ended.status == ENVIRONMENT and "is not the" in ended.err


def test_a_quiet_stream_is_not_given_up(master: Master) -> None:
    def answer(reply: Reply) -> None:
        reply.head()
        reply.event(line("S", "first\n"), 1)
        reply.stopping.wait(3)
        reply.event(job(), name="end")

    master.answers[f"GET jobs/{JOB}"] = lambda reply: reply.json(job(state="running"))
    master.answers[f"GET jobs/{JOB}/steps"] = lambda reply: reply.json({"steps": []})
    master.answers[f"GET jobs/{JOB}/logs/stream"] = answer
    ended = master.danube("logs", JOB, "-f", "--remote", DANUBE_MASTER_TIMEOUT="1s")
    assert (ended.status, ended.out) == (SUCCESS, "S | first\n")
    assert len(master.asked(f"GET jobs/{JOB}/logs/stream")) == 1
