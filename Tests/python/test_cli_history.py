"""`danube jobs` and `danube logs` show what `danube run` did, and no secret is kept."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from cli import ENVIRONMENT, MISTAKE, SUCCESS, danube, environment, git, on_terminal
from fixture_cases import executable

SECRET = "sword/fish+1"
FILE = """\
from danube import parallel, pipeline, secrets, step


@pipeline
def build() -> None:
    step.run("printf '\\\\033[31mred\\\\033[0m\\\\033[2J\\\\n'; echo oops >&2", name="greet")
    with parallel():
        step.run(
            "echo is $T; printf %s $T | base64; printf %s $T | od -An -tx1 | tr -d ' \\\\n'",
            name="leak", env={"T": secrets.get("TOKEN")},
        )
        step.run("exit 3", name="bad", check=False)
    step.run("printf 'half a line'; false", name="fails")
    step.run("echo never", name="never")
"""
WAITING = """\
from danube import pipeline, step


@pipeline
def build() -> None:
    step.run("echo begun; cat {fifo}; echo done", name="waits")
"""


@pytest.fixture
def home(tmp_path: Path, danube: Path) -> Path:
    """A folder with a repository in `repo`."""
    (tmp_path / "repo").mkdir()
    git(tmp_path / "repo", "init", "-q")
    return tmp_path


def variables(home: Path) -> dict[str, str]:
    """Where the program keeps things in a test."""
    return environment(
        XDG_STATE_HOME=str(home / "state"), XDG_CACHE_HOME=str(home / "cache"), HOME=str(home)
    )


def write(home: Path, text: str) -> None:
    (home / "repo" / "danubefile.py").write_text(text)


def ran(home: Path) -> None:
    """Runs the pipeline of `FILE`, which fails."""
    write(home, FILE)
    ended = danube(
        "run", "--secret", f"TOKEN={SECRET}", cwd=home / "repo", env=variables(home)
    )
    assert ended.status == 1, ended.err


def test_a_run_is_listed_with_its_steps(home: Path) -> None:
    ran(home)
    listed = danube("jobs", "--json", cwd=home / "repo", env=variables(home))
    assert listed.status == SUCCESS
    (job,) = json.loads(listed.out)["jobs"]
    assert (job["state"], job["pipeline"], job["mode"]) == ("failed", "build", "isolated")
    shown = json.loads(
        danube("jobs", job["id"], "--json", cwd=home / "repo", env=variables(home)).out
    )
    steps = {step["name"]: step for step in shown["steps"]}
    assert {name: step["state"] for name, step in steps.items()} == {
        "greet": "succeeded", "leak": "succeeded", "bad": "failed", "fails": "failed",
        "never": "blocked",
    }  # fmt: skip
    assert steps["bad"]["exit_code"] == 3
    table = danube("jobs", "last", cwd=home / "repo", env=variables(home)).out
    assert f"job {job['id']}  failed" in table


def test_a_step_is_printed_byte_for_byte_and_harmless_on_a_terminal(home: Path) -> None:
    ran(home)
    piped = danube("logs", "greet", cwd=home / "repo", env=variables(home))
    assert sorted(piped.out.splitlines()) == ["\x1b[31mred\x1b[0m\x1b[2J", "oops"]
    shown = on_terminal("logs", "greet", columns=80, cwd=home / "repo", env=variables(home))
    assert "\x1b[31mred\x1b[0m" in shown.out
    assert "\x1b[2J" not in shown.out
    assert danube("logs", "fails", cwd=home / "repo", env=variables(home)).out == "half a line"
    never = danube("logs", "never", cwd=home / "repo", env=variables(home))
    assert never.out == "" and "`never` did not run (blocked)" in never.err


def test_no_file_that_danube_keeps_has_the_secret(home: Path) -> None:
    ran(home)
    assert danube("logs", "leak", cwd=home / "repo", env=variables(home)).out == (
        "is ***\n***\n***"
    )
    forms = [
        SECRET.encode(), base64.b64encode(SECRET.encode()).rstrip(b"="),
        SECRET.encode().hex().encode(),
    ]  # fmt: skip
    kept = [path for path in home.rglob("*") if path.is_file()]
    assert any(path.name == "log" for path in kept)
    for path in kept:
        content = path.read_bytes()
        assert not any(form in content for form in forms), path


def test_a_running_job_is_followed_to_its_end(home: Path) -> None:
    fifo = home / "fifo"
    os.mkfifo(fifo)
    write(home, WAITING.format(fifo=fifo))
    running = subprocess.Popen(
        [executable() or "danube", "run", "--in-place"], cwd=home / "repo", env=variables(home),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        # Opening it waits for the step, whose log therefore exists.
        with fifo.open("w") as pipe:
            while not json.loads(
                danube("jobs", "--json", cwd=home / "repo", env=variables(home)).out or "{}"
            ).get("jobs"):
                pass
            following = subprocess.Popen(
                [executable() or "danube", "logs", "-f", "waits"], cwd=home / "repo",
                env=variables(home), stdout=subprocess.PIPE,
            )  # fmt: skip
            assert following.stdout is not None
            assert following.stdout.readline() == b"begun\n"
            pipe.write("through\n")
        assert following.stdout.read() == b"through\ndone\n"
        assert following.wait(60) == SUCCESS
        assert running.wait(60) == SUCCESS
    finally:
        running.kill()
        running.wait()


def test_a_job_whose_process_is_killed_is_lost_and_keeps_its_log(home: Path) -> None:
    fifo = home / "fifo"
    os.mkfifo(fifo)
    write(home, WAITING.format(fifo=fifo))
    running = subprocess.Popen(
        [executable() or "danube", "run", "--in-place"], cwd=home / "repo", env=variables(home),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        with fifo.open("w"):
            while "running" not in danube("jobs", cwd=home / "repo", env=variables(home)).out:
                pass
            while not danube("logs", "waits", cwd=home / "repo", env=variables(home)).out:
                pass
            # The process in front would be missed, and the job cancelled in order.
            children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text()
            for engine in children.split():
                os.kill(int(engine), signal.SIGKILL)
            running.wait(60)
    finally:
        running.kill()
        running.wait()
    listed = danube("jobs", "--json", "-n", "1", cwd=home / "repo", env=variables(home))
    assert json.loads(listed.out)["jobs"][0]["state"] == "lost"
    followed = danube("logs", "-f", "waits", cwd=home / "repo", env=variables(home))
    assert followed.out.startswith("begun\n")
    assert "the process that ran the job is gone" in followed.err


def test_mistakes_say_what_to_do_next(home: Path) -> None:
    nothing = danube("jobs", cwd=home / "repo", env=variables(home))
    assert nothing.status == MISTAKE and nothing.hints
    ran(home)
    unknown = danube("logs", "nope", cwd=home / "repo", env=variables(home))
    assert unknown.status == MISTAKE
    assert "has no step `nope`" in unknown.err and "`greet`" in unknown.hints[0]
    homeless = danube("jobs", cwd=home / "repo", env=environment())
    assert homeless.status == ENVIRONMENT and homeless.hints


def test_jobs_and_steps_complete(home: Path) -> None:
    ran(home)
    (job,) = json.loads(danube("jobs", "--json", cwd=home / "repo", env=variables(home)).out)[
        "jobs"
    ]
    script = danube("completion", "bash").out
    assert "---completion" in script and "logs" in script
    answer = danube(
        "---completion", "logs", "--", "positional@0", "2", "0", "danube", "logs", "",
        cwd=home / "repo", env={**variables(home), "SAP_SHELL": "bash"},
    )  # fmt: skip
    assert job["id"] in answer.out and "greet" in answer.out
