"""`danube rerun` and `danube run --watch`, on the real program."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from pathlib import Path

import pytest
from cli import DEADLINE, MISTAKE, Ended, commit, danube, environment
from fixture_cases import executable


class Place:
    """A repository and the folders of one user."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "repository"
        self.root.mkdir()
        self.env = environment(
            HOME=str(folder),
            XDG_CACHE_HOME=str(folder / "cache"),
            XDG_STATE_HOME=str(folder / "state"),
        )

    def write(self, body: str, head: str = "@pipeline", arguments: str = "") -> None:
        """Writes the danubefile."""
        lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
        text = f"from danube import *\n\n{head}\ndef p({arguments}):\n{lines}"
        (self.root / "danubefile.py").write_text(text)

    def run(self, *arguments: str, cwd: Path | None = None) -> Ended:
        """Runs danube."""
        return danube(*arguments, cwd=cwd or self.root, env=self.env)

    def logs(self) -> str:
        """What the latest job printed."""
        return self.run("logs", "last").out


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_job_runs_again_as_it_was_asked_for(place: Place, tmp_path: Path) -> None:
    place.write(
        'step.run(f"echo size {size} {ctx.branch}; cat given")',
        arguments="size: int = 1",
    )
    (place.root / "given").write_text("old\n")
    commit(place.root)
    first = place.run("run", "-p", "size=7", "--event", "push", "--branch", "x", "--rev", "HEAD~0")
    assert first.status == 0, first.out + first.err
    (place.root / "given").write_text("new\n")
    job = json.loads(place.run("jobs", "last", "--json").out)["id"]
    # From anywhere, as the folder is recorded.
    again = place.run("rerun", job, cwd=tmp_path)
    assert again.status == 0, again.out + again.err
    assert "size 7 x" in place.logs() and "old" in place.logs()


def test_in_place_stays_in_place(place: Place) -> None:
    place.write('step.run("echo x >> count")')
    assert place.run("run", "--in-place").status == 0
    assert place.run("rerun").status == 0
    assert (place.root / "count").read_text() == "x\nx\n"


def states(place: Place) -> dict[str, str]:
    """What became of each step of the latest job."""
    steps = json.loads(place.run("jobs", "last", "--json").out)["steps"]
    return {step["name"]: step["state"] for step in steps}


def test_only_what_failed_runs_in_the_working_copy(place: Place) -> None:
    place.write(
        """
step.run("echo x >> built", name="build")
step.run("test -e fixed", name="test")
step.run("echo x >> shipped", name="ship")
"""
    )
    assert place.run("run", "--in-place").status == 1
    (place.root / "fixed").touch()
    again = place.run("rerun", "--failed")
    assert again.status == 0, again.out + again.err
    assert (place.root / "built").read_text() == "x\n"
    assert (place.root / "shipped").read_text() == "x\n"
    assert states(place) == {"build": "cached", "test": "succeeded", "ship": "succeeded"}


def test_only_what_a_failure_needs_runs_in_workspaces(place: Place, tmp_path: Path) -> None:
    place.write(
        f"""
step.run("echo x >> {tmp_path}/prepared; echo 1 > base", name="prepare")
with parallel(fail_fast=False):
    step.run("echo x >> {tmp_path}/linted", name="lint")
    step.run("test -e base && test -e {tmp_path}/fixed", name="test")
"""
    )
    assert place.run("run").status == 1
    (tmp_path / "fixed").touch()
    again = place.run("rerun", "last", "--failed")
    assert again.status == 0, again.out + again.err
    assert (tmp_path / "prepared").read_text() == "x\nx\n"
    assert (tmp_path / "linted").read_text() == "x\n"
    assert states(place) == {"prepare": "succeeded", "lint": "cached", "test": "succeeded"}


def test_a_job_without_failures_has_none_to_run(place: Place) -> None:
    place.write('step.run("true")')
    assert place.run("run").status == 0
    ended = place.run("rerun", "--failed")
    assert ended.status == MISTAKE
    assert "no step of job" in ended.err and ended.hints


def test_secrets_are_not_recorded_and_given_again(place: Place, tmp_path: Path) -> None:
    place.write('step.run("test ${#T} = 12", env={"T": secrets.get("TOKEN")})')
    assert place.run("run", "--secret", "TOKEN=s3cr3t-value").status == 0
    found = subprocess.run(["grep", "-r", "s3cr3t-value", str(tmp_path / "state")])
    assert found.returncode == 1
    assert place.run("rerun").status == 1
    assert place.run("rerun", "--secret", "TOKEN=s3cr3t-value").status == 0


@pytest.mark.parametrize("job", ["zzz", "000000000"])
def test_a_job_that_is_not_there_is_named(place: Place, job: str) -> None:
    place.write('step.run("true")')
    place.run("run")
    ended = place.run("rerun", job)
    assert ended.status == MISTAKE and job in ended.err


class Watching:
    """A run that watches, and the events that it prints."""

    def __init__(self, place: Place, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [executable() or "danube", "run", "--watch", "--json", *arguments],
            cwd=place.root, env=place.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        # Ends what waits for a run that does not come.
        self.timer = threading.Timer(DEADLINE, self.process.kill)
        self.timer.start()

    def __enter__(self) -> "Watching":
        return self

    def __exit__(self, *_: object) -> None:
        self.timer.cancel()
        self.process.kill()
        self.process.communicate(timeout=DEADLINE)

    def until_end(self) -> str:
        """Waits for the end of a run; gives what its steps printed."""
        printed = ""
        assert self.process.stdout
        for line in self.process.stdout:
            event = json.loads(line)
            if event.get("event") == "output":
                printed += event.get("text", "")
            if event["event"] in ("run_ended", "unchanged"):
                # Only then are changes another run's.
                assert self.process.stderr
                assert b"watching" in self.process.stderr.readline()
                return printed
        raise AssertionError("the watch has ended")


@pytest.mark.parametrize("mode", [[], ["--in-place"]], ids=["isolated", "in-place"])
def test_a_change_runs_again(place: Place, mode: list[str]) -> None:
    place.write('step.run("cat given sub/*; echo x > made")')
    (place.root / "sub").mkdir()
    (place.root / "sub" / "one").write_text("one\n")
    (place.root / "given").write_text("first\n")
    with Watching(place, *mode) as watching:
        assert "first" in watching.until_end()
        (place.root / "given").write_text("second\n")
        assert "second" in watching.until_end()
        (place.root / "sub" / "new").write_text("third\n")
        assert "third" in watching.until_end()
        watching.process.send_signal(signal.SIGINT)
        watching.process.communicate(timeout=DEADLINE)
        assert watching.process.returncode == 0


def test_interrupting_a_watched_run_ends_it_and_the_watch(place: Place) -> None:
    place.write('step.run("echo begun; sleep 1000")')
    with Watching(place) as watching:
        assert watching.process.stdout
        for line in watching.process.stdout:
            if json.loads(line).get("event") == "output":
                break
        watching.process.send_signal(signal.SIGINT)
        watching.process.communicate(timeout=DEADLINE)
        assert watching.process.returncode == 1
    assert os.path.exists(place.root)


def test_watching_a_revision_is_refused(place: Place) -> None:
    place.write('step.run("true")')
    assert place.run("run", "--watch", "--rev", "HEAD").status == MISTAKE
