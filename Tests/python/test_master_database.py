"""Backup, restore and check of a real master's database, by the command line."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
from pathlib import Path

import pytest
from cli import ENVIRONMENT, MISTAKE, SUCCESS, Ended, danube, environment
from master import Master, repository

FOUND = 1
SECRET = "hunter2-of-the-backup"


def _command(*words: str | Path, data: Path) -> Ended:
    return danube(*words, "--data", data, env=environment(HOME=str(data.parent)))


def _set_secret(master: Master) -> None:
    answer = master.ask("PUT", "/api/v1/secrets/global/TOKEN", {"value": SECRET})
    assert answer.status < 300, answer.body


def _uses_secret(folder: Path) -> Path:
    return repository(
        folder, "key = secrets.get('TOKEN')", "step.run('test -n \"$T\"', env={'T': key})"
    )


def test_a_backup_of_a_running_master_is_restored_elsewhere(tmp_path: Path) -> None:
    place = _uses_secret(tmp_path / "repository")
    backup, key = tmp_path / "danube.backup", tmp_path / "danube.key"
    with Master(tmp_path / "data") as master:
        _set_secret(master)
        first = master.run(place)
        assert first["state"] == "success", master.logs(first["id"])
        stop = threading.Event()

        def load() -> None:
            while not stop.is_set():
                master.ask("POST", "/api/v1/jobs", {"repository": str(place), "pipeline": "p"})

        writer = threading.Thread(target=load)
        writer.start()
        try:
            made = _command("backup", backup, "--key", key, data=master.data)
        finally:
            stop.set()
            writer.join()
        assert (made.status, made.err) == (SUCCESS, ""), made
        token = master.token
    assert backup.stat().st_mode & 0o777 == 0o600 and key.stat().st_mode & 0o777 == 0o600
    assert SECRET.encode() not in backup.read_bytes()

    other = tmp_path / "other"
    # Without the key its secrets would be lost, which is said before anything is there.
    refused = _command("restore", backup, data=other)
    assert refused.status == ENVIRONMENT and "--key" in refused.hints[0], refused
    assert not (other / "danube.db").exists()
    restored = _command("restore", backup, "--key", key, data=other)
    assert (restored.status, restored.err) == (SUCCESS, ""), restored
    checked = _command("db", "check", "--json", data=other)
    assert checked.status == SUCCESS, checked
    assert json.loads(checked.out)["ok"] is True and json.loads(checked.out)["plans"] == 1
    (other / "admin.token").write_text(token)
    with Master(other) as master:
        assert master.ask("GET", f"/api/v1/jobs/{first['id']}").json["state"] == "success"
        again = master.run(place)
        assert again["state"] == "success", master.logs(again["id"])


def test_a_restore_replaces_nothing_that_would_be_lost(tmp_path: Path) -> None:
    place = repository(tmp_path / "repository")
    backup = tmp_path / "danube.backup"
    with Master(tmp_path / "data") as master:
        master.run(place)
        assert _command("backup", backup, data=master.data).status == SUCCESS
        later = master.run(place)
        running = _command("restore", backup, "--force", data=master.data)
        assert running.status == ENVIRONMENT and "in use" in running.err
    data = tmp_path / "data"
    before = (data / "danube.db").read_bytes()
    refused = _command("restore", backup, data=data)
    assert refused.status == ENVIRONMENT and "events" in refused.err and "--force" in refused.err
    assert (data / "danube.db").read_bytes() == before

    damaged = tmp_path / "damaged"
    damaged.write_bytes(backup.read_bytes()[:-4096])
    assert _command("restore", damaged, "--force", data=data).status == ENVIRONMENT
    text = tmp_path / "text"
    text.write_text("no database")
    assert _command("restore", text, "--force", data=data).status == ENVIRONMENT
    assert (data / "danube.db").read_bytes() == before

    forced = _command("restore", backup, "--force", data=data)
    assert forced.status == SUCCESS and "danube.db.replaced-1" in forced.out
    # But for its header: it has no write-ahead log any more.
    assert (data / "danube.db.replaced-1").read_bytes()[100:] == before[100:]
    assert not list(data.glob("*.new"))
    with Master(data) as master:
        assert master.ask("GET", f"/api/v1/jobs/{later['id']}").status == 404
        assert master.run(place)["state"] == "success"


def test_a_job_that_waits_in_the_backup_runs_again(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    place = repository(tmp_path / "repository", f"step.run('echo ran >>{ledger}')")
    backup = tmp_path / "danube.backup"
    data = tmp_path / "data"
    with Master(data, "[jobs]\nactive = 1\n") as master:
        # It holds the only place, so that the next one waits.
        slow = repository(tmp_path / "slow", "step.run('sleep 60')")
        order = {"repository": str(slow), "pipeline": "p", "team": "a"}
        first = master.ask("POST", "/api/v1/jobs", order).json["id"]
        running = f"/api/v1/jobs/{first}"
        master.wait_for(lambda: master.ask("GET", running).json["state"] == "running")
        second = master.ask("POST", "/api/v1/jobs", {**order, "repository": str(place)}).json["id"]
        assert master.ask("GET", f"/api/v1/jobs/{second}").json["state"] == "pending"
        assert _command("backup", backup, data=data).status == SUCCESS
        master.ask("POST", f"{running}/cancel")
        master.ended(first)
        assert master.ended(second)["state"] == "success"
    assert ledger.read_text() == "ran\n"
    assert _command("restore", backup, "--force", data=data).status == SUCCESS
    assert (data / "jobs" / f"{second}.replaced-1" / "log").exists()
    with Master(data) as master:
        assert master.ended(second)["state"] == "success"
        # Its engine ran, and was not taken for the one from before.
        assert ledger.read_text() == "ran\nran\n"


def test_a_check_finds_what_is_wrong(tmp_path: Path) -> None:
    place = repository(
        tmp_path / "repository", "step.run('echo hello >report')", "artifacts.upload('report')"
    )
    data = tmp_path / "data"
    with Master(data) as master:
        job = master.run(place)
        running = _command("db", "check", "--files", data=data)
        assert running.status == SUCCESS and "all is well" in running.out, running
    artifact = data / "jobs" / job["id"] / "artifacts" / "report"
    artifact.write_text("forged")
    found = _command("db", "check", "--files", "--json", data=data)
    assert found.status == FOUND
    assert json.loads(found.out)["problems"] == [
        f"the artifact report of job {job['id']} is another than it was"
    ]
    with sqlite3.connect(data / "danube.db") as database:
        database.execute("UPDATE plans SET bytes = x'00'")
    found = _command("db", "check", data=data)
    assert found.status == FOUND and "plan sha256:" in found.out and "hint: " in found.out
    whole = (data / "danube.db").read_bytes()
    (data / "danube.db").write_bytes(whole[:4096] + b"\xff" * 4096 + whole[8192:])
    found = _command("db", "check", data=data)
    assert found.status == FOUND and "danube.db" in found.out, found
    shutil.rmtree(data)
    assert _command("db", "check", data=data).status == ENVIRONMENT


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("backup",), "FILE is missing"),
        (("backup", "a", "b"), "`b`"),
        (("restore", "x", "--key"), "--key has no value"),
        (("restore", "x", "--forse"), "no such flag"),
        (("db", "check", "--retention-logs", "soon"), "retention.logs"),
    ],
)
def test_mistakes_are_said(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    ended = danube(*words, cwd=tmp_path, env=environment(HOME=str(tmp_path)))
    assert ended.status == MISTAKE and said in ended.err and ended.hints, ended
    help = danube(*words[: 2 if words[0] == "db" else 1], "--help")
    assert help.status == SUCCESS and help.out.startswith("OVERVIEW: ")
