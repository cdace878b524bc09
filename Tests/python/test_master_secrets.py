"""Secrets of a real master: who gets them, and that nobody else sees a value."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from master import Master, commit, git, repository

CANARY = "canary-7f3a91d2c4"


@pytest.fixture
def master(tmp_path: Path) -> Iterator[Master]:
    with Master(tmp_path / "data") as running:
        yield running


def put(master: Master, name: str, value: str = CANARY, scope: str = "global", **rest: object):
    answer = master.ask("PUT", f"/api/v1/secrets/{scope}/{name}", {"value": value, **rest})
    assert answer.status == 200, answer.body
    return answer


SHOWS = (
    "token = secrets.get('TOKEN')",
    "step.run('echo \"[$TOKEN]\"; test -n \"$TOKEN\"', env={'TOKEN': token})",
)


def gets_it(master: Master, place: Path, **members: object) -> bool:
    """Whether a job gets the secret."""
    job = master.run(place, **members)
    if job["state"] == "success":
        return True
    steps = master.ask("GET", f"/api/v1/jobs/{job['id']}/steps").json["steps"]
    assert [step["reason"] for step in steps] == ["secret `TOKEN` was not given"], job
    return False


def test_a_value_goes_to_the_job_and_nowhere_else(master: Master, tmp_path: Path) -> None:
    place = repository(tmp_path / "repository", *SHOWS)
    answers = [put(master, "TOKEN").body]
    job = master.run(place)
    assert job["state"] == "success", job
    log = master.logs(job["id"])
    assert log == b"[***]\n" and CANARY.encode() not in log
    for path in (
        "/api/v1/secrets", f"/api/v1/jobs/{job['id']}", f"/api/v1/jobs/{job['id']}/steps",
        f"/api/v1/jobs/{job['id']}/plan", "/api/v1/jobs", "/api/v1/status", "/metrics",
    ):  # fmt: skip
        answer = master.ask("GET", path)
        assert answer.status == 200, path
        answers.append(answer.body)
    forms = [CANARY.encode(), base64.b64encode(CANARY.encode()), CANARY.encode().hex().encode()]
    # Its engine removes its workspace after it has said how it ended.
    work = master.data / "cache" / "work"
    master.wait_for(lambda: not any(work.iterdir()))
    files = [file for file in master.data.rglob("*") if file.is_file()]
    assert len(files) > 5
    for bytes_ in [file.read_bytes() for file in files] + answers + [master.log.read_bytes()]:
        assert not any(form in bytes_ for form in forms)
    assert master.stop() == 0
    for file in master.data.rglob("*"):
        assert not file.is_file() or CANARY.encode() not in file.read_bytes(), file


def test_every_change_and_every_reading_is_audited(master: Master, tmp_path: Path) -> None:
    place = repository(tmp_path / "repository", *SHOWS)
    put(master, "TOKEN")
    job = master.run(place)
    assert master.ask("POST", "/api/v1/secrets/rotate-key", {}).status == 204
    assert gets_it(master, place)
    assert master.ask("DELETE", "/api/v1/secrets/global/TOKEN").status == 204
    assert master.ask("DELETE", "/api/v1/secrets/global/TOKEN").status == 404
    with sqlite3.connect(f"file:{master.data}/danube.db?mode=ro", uri=True) as database:
        rows = database.execute("SELECT actor, action, subject FROM audit_log").fetchall()
    admin = "local administrator"
    assert rows[:3] == [
        (admin, "secret.set", "global/TOKEN"),
        (f"job {job['id']}", "secret.read", "global/TOKEN"),
        (admin, "secret.rotate-key", "all"),
    ]
    assert [row[1] for row in rows[3:]] == ["secret.read", "secret.remove"]


def test_the_list_tells_all_but_the_value(master: Master) -> None:
    put(master, "A", scope="team:core", branches=["main", "release/*"], events=["push"])
    put(master, "B")
    found = put(master, "B", "other").json
    assert found["version"] == 2 and "value" not in found
    listed = master.ask("GET", "/api/v1/secrets").json["secrets"]
    assert [(one["scope"], one["name"]) for one in listed] == [("global", "B"), ("team:core", "A")]
    assert listed[1]["branches"] == ["main", "release/*"] and listed[1]["events"] == ["push"]
    only = master.ask("GET", "/api/v1/secrets?scope=team:core").json["secrets"]
    assert [one["name"] for one in only] == ["A"]
    kept = master.ask("PUT", "/api/v1/secrets/global/B", {"branches": ["main"]}).json
    assert kept["version"] == 3 and kept["branches"] == ["main"]


def test_a_removed_secret_is_set_again_under_the_next_version(
    master: Master, tmp_path: Path
) -> None:
    place = repository(tmp_path / "repository", *SHOWS)
    put(master, "TOKEN")
    assert master.ask("DELETE", "/api/v1/secrets/global/TOKEN").status == 204
    assert not gets_it(master, place)
    assert put(master, "TOKEN").json["version"] == 2
    assert gets_it(master, place)


def test_scopes_and_events(master: Master, tmp_path: Path) -> None:
    place = repository(tmp_path / "repository", *SHOWS)
    put(master, "TOKEN", scope="team:core", events=["push"])
    assert not gets_it(master, place, team="core")
    assert not gets_it(master, place, event="push")
    assert gets_it(master, place, team="core", event="push")
    # The nearest decides, also where it denies.
    put(master, "TOKEN", scope="pipeline:p", events=["cron"])
    assert not gets_it(master, place, team="core", event="push")
    assert gets_it(master, place, event="cron")


def test_a_job_that_may_be_of_a_fork_gets_none(master: Master, tmp_path: Path) -> None:
    place = repository(tmp_path / "repository", *SHOWS)
    put(master, "TOKEN")
    assert gets_it(master, place, event="push", branch="main")
    assert not gets_it(master, place, event="pull_request", branch="main")


def test_a_branch_counts_only_for_its_own_commits(master: Master, tmp_path: Path) -> None:
    place = repository(tmp_path / "repository", *SHOWS)
    good = git(place, "rev-parse", "HEAD")
    git(place, "checkout", "--quiet", "-b", "evil")
    evil = commit(place)
    put(master, "TOKEN", branches=["main"])
    assert gets_it(master, place, branch="main")
    assert gets_it(master, place, branch="main", revision=good)
    assert not gets_it(master, place, branch="main", revision=evil)
    assert not gets_it(master, place, branch="evil")
    assert not gets_it(master, place)
    # A tag that is called like a branch is none.
    git(place, "checkout", "--quiet", "main")
    put(master, "TOKEN", branches=["v1"])
    git(place, "tag", "v1")
    assert not gets_it(master, place, branch="v1")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("global/a-b", {"value": "x"}, 422),
        ("team:/A", {"value": "x"}, 422),
        ("other/A", {"value": "x"}, 422),
        ("global/A", {"value": ""}, 422),
        ("global/A", {"value": "x" * (1 << 17)}, 422),
        ("global/A", {"value": 7}, 422),
        ("global/A", {"value": "x", "branches": "main"}, 422),
        ("global/A", {"value": "x", "branches": ["a b"]}, 422),
        ("global/A", {"value": "x", "events": [None]}, 422),
        ("global/A", {"value": "x", "more": 1}, 400),
        ("global/A", {}, 404),
        ("global/%ff", {"value": "x"}, 400),
        ("global/%00", {"value": "x"}, 400),
    ],
)
def test_what_is_refused(
    master: Master, path: str, body: dict[str, object], status: int
) -> None:
    answer = master.ask("PUT", f"/api/v1/secrets/{path}", body)
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    assert master.ask("GET", "/api/v1/secrets").json == {"secrets": []}
