"""Which master is asked, and who gets the token."""

from __future__ import annotations

import os
import pty
import select
import subprocess
from pathlib import Path

import played_master
import pytest
from cli import ENVIRONMENT, MISTAKE, SUCCESS, danube, environment
from fixture_cases import executable
from played_master import JOB, TOKEN, Master, job


def stored(master: Master) -> Path:
    return master.home / ".config/danube/login.json"


def login(master: Master, *more: str, token: str = TOKEN) -> None:
    ended = danube("login", master.url, *more, env=home(master), stdin=token.encode())
    assert ended.status == SUCCESS, ended.err


def home(master: Master, **variables: str) -> dict[str, str]:
    """An environment that names no master."""
    return environment(HOME=str(master.home), TZ="UTC", **variables)


def test_a_login_is_kept_for_its_owner_and_used(master: Master) -> None:
    ended = danube("login", master.url + "/", env=home(master), stdin=f" {TOKEN}\n".encode())
    assert (ended.status, ended.err) == (SUCCESS, "")
    who = "ada (read, write) until 2030-01-01 00:00:00"
    assert ended.out == f"Logged in to {master.url} as {who}.\n"
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


@pytest.mark.parametrize(
    "token", ["", "  \n", "dnb_a b", "dnb_\x00a", "dnb_a\r\nX-Evil: 1", "dnb_é"]
)
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


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"url":1,"token":"t"}', '{"url":"x","token":"t"}']
)
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
