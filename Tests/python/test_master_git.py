"""Fetching from repositories that fail: locks that were left, and a git that does not end."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from master import Master, commit, git, repository, submit


@pytest.fixture
def master(tmp_path: Path) -> Iterator[Master]:
    with Master(tmp_path / "data") as running:
        yield running


def hanging(folder: Path) -> Path:
    """A repository of which a fetch does not end: a file of it is a pipe that nobody writes."""
    place = repository(folder)
    os.mkfifo(place / ".git" / "packed-refs")
    return place


def gits(master: Master) -> list[int]:
    """Processes of git that work for a master."""
    found = []
    place = bytes(master.data / "mirrors")
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and place in Path(f"/proc/{entry}/cmdline").read_bytes():
                found.append(int(entry))
        except OSError:  # it has ended
            continue
    return found


def test_locks_that_a_killed_git_left_are_removed(master: Master, tmp_path: Path) -> None:
    place = repository(tmp_path / "r", "step.run('cat f')", f=b"one")
    git(place, "branch", "gone")
    assert master.run(place)["state"] == "success"
    mirror = next((master.data / "mirrors").glob("*.git"))
    git(place, "branch", "-D", "gone")
    git(place, "pack-refs", "--all")
    (place / "f").write_bytes(b"two")
    commit(place)
    for name in ("packed-refs.lock", "HEAD.lock", "config.lock", "refs/heads/main.lock"):
        (mirror / name).touch()
    (mirror / "objects" / "pack" / "tmp_pack_x").touch()
    ended = master.run(place)
    assert ended["state"] == "success", ended
    assert master.logs(ended["id"]) == b"two"
    assert not list(mirror.rglob("*.lock")) and not list(mirror.rglob("tmp_*"))


def test_a_fetch_that_hangs_ends_with_its_job(master: Master, tmp_path: Path) -> None:
    place = hanging(tmp_path / "r")
    first, second = submit(master, place), submit(master, place)
    master.wait_for(lambda: gits(master))
    # One waits for the other's git, and neither holds up a job of another repository.
    assert master.run(repository(tmp_path / "other"))["state"] == "success"
    for name in (second, first):
        assert master.ask("POST", f"/api/v1/jobs/{name}/cancel").status == 202
        assert master.ended(name)["state"] == "cancelled"
    master.wait_for(lambda: not gits(master))


def test_a_fetch_that_hangs_does_not_hold_up_the_end(master: Master, tmp_path: Path) -> None:
    place = hanging(tmp_path / "r")
    job = submit(master, place)
    master.wait_for(lambda: gits(master))
    assert master.process is not None
    master.process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    assert master.stop() == 0
    assert not gits(master)
    (place / ".git" / "packed-refs").unlink()
    master.start()
    assert master.ended(job)["state"] == "success"


def test_a_git_that_outlives_its_master_is_waited_for(master: Master, tmp_path: Path) -> None:
    place = hanging(tmp_path / "r")
    job = submit(master, place)
    master.wait_for(lambda: gits(master))
    time.sleep(0.5)
    left = master.wait_for(lambda: gits(master))
    master.stop(signal.SIGKILL)
    master.start()
    time.sleep(0.5)
    assert gits(master) == left
    (place / ".git" / "packed-refs").unlink()
    for process in left:
        os.killpg(os.getpgid(process), signal.SIGKILL)
    assert master.ended(job)["state"] == "success"


def test_a_host_of_this_machine_is_not_fetched_from(tmp_path: Path) -> None:
    # Its name is in /etc/hosts or a resolver's answer; only what it resolves to matters.
    host = "localhost.localdomain.example"
    configuration = f'[repositories]\nallow = ["https://{host}"]\n'
    with Master(tmp_path / "data", configuration=configuration) as master:
        order = {"repository": f"https://{host}/x", "pipeline": "p"}
        job = master.ask("POST", "/api/v1/jobs", order).json["id"]
        ended = master.ended(job)
        assert ended["state"] == "failure" and f"the host {host}" in ended["reason"]
