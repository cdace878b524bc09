"""What a real master removes because it is too old or too much, and what it never does."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from cli import MISTAKE, SUCCESS, danube, environment
from fixture_cases import executable
from master import Master, commit, repository

DAY = 86_400_000
STEPS = ("step.run('echo hello >report; echo printed')", "artifacts.upload('report')")
KINDS = ("logs", "artifacts", "jobs")


def _sql(data: Path, *statements: str) -> list[Any]:
    with sqlite3.connect(data / "danube.db") as database:
        return [database.execute(statement).fetchall() for statement in statements][-1]


def _age(data: Path, job: str, days: float) -> None:
    """Lets a job have ended so long ago. Nobody else may have the database open."""
    _sql(data, f"UPDATE jobs SET ended = ended - {int(days * DAY)} WHERE id = '{job}'")


def _metric(master: Master, name: str) -> float:
    text = master.ask("GET", "/metrics").body.decode()
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    assert found is not None, text
    return float(found[1])


def _reap(master: Master) -> None:
    """Lets the master remove what it may, and waits for it."""
    before = _metric(master, "danube_reaper_runs_total")
    assert master.process is not None
    master.process.send_signal(signal.SIGUSR1)
    master.wait_for(lambda: _metric(master, "danube_reaper_runs_total") > before)


def _removed(master: Master, kind: str) -> float:
    return _metric(master, f'danube_reaper_removed_total{{kind="{kind}"}}')


def _dry(data: Path, *flags: str) -> list[tuple[str, str, str]]:
    program = executable()
    assert program is not None
    ended = danube(
        "reap", "--dry-run", "--json", "--data", data, *flags,
        program=program.with_name("danube-master"), env=environment(HOME=str(data.parent)),
    )  # fmt: skip
    assert (ended.status, ended.err) == (SUCCESS, ""), ended
    found = json.loads(ended.out)
    assert found["bytes"] == sum(item["bytes"] for item in found["items"])
    return [(item["kind"], item["name"], item["reason"]) for item in found["items"]]


def _folder(data: Path, job: str) -> list[str]:
    folder = data / "jobs" / job
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def _is_whole(data: Path) -> None:
    """No row points to what is not there."""
    ended = danube(
        "db", "check", "--files", "--data", data, env=environment(HOME=str(data.parent))
    )
    assert ended.status == SUCCESS, ended
    for (job,) in _sql(data, "SELECT id FROM jobs WHERE ended > 0 AND logs_removed IS NULL"):
        assert "log" in _folder(data, job), job


def _four_ages(tmp_path: Path) -> tuple[Path, list[str]]:
    """A data folder with a job that is new, and others that ended long ago."""
    place = repository(tmp_path / "repository", *STEPS)
    data = tmp_path / "data"
    with Master(data) as master:
        jobs = []
        for _ in range(4):
            # Another plan for each.
            file = place / "danubefile.py"
            file.write_text(file.read_text() + f"    step.run('true', name='n{len(jobs)}')\n")
            commit(place)
            jobs.append(master.run(place)["id"])
    for job, days in zip(jobs, (0, 31, 31, 400), strict=True):
        _age(data, job, days)
    return data, jobs


def test_what_is_too_old_goes_and_is_said_to_be_gone(tmp_path: Path) -> None:
    data, (new, old, other, oldest) = _four_ages(tmp_path)
    keep = ("--retention-artifacts", "40d")
    found = _dry(data, *keep)
    assert found == [
        ("jobs", oldest, "age"), ("logs", old, "age"), ("logs", other, "age"),
    ]  # fmt: skip
    with Master(data, '[retention]\nartifacts = "40d"\n') as master:
        assert _dry(data, *keep) == found
        _reap(master)
        assert _dry(data, *keep) == []
        assert _folder(data, old) == _folder(data, other) == ["artifacts"]
        assert _folder(data, oldest) == [] and "log" in _folder(data, new)
        for path in (f"jobs/{old}/logs", f"jobs/{old}/logs/stream", f"jobs/{oldest}",
                     f"jobs/{oldest}/logs", f"jobs/{oldest}/plan",
                     f"artifacts/{oldest}"):  # fmt: skip
            answer = master.ask("GET", f"/api/v1/{path}")
            assert answer.status == 410 and "retention" in answer.json["hint"], path
        for path in (f"jobs/{new}/logs", f"jobs/{old}", f"jobs/{old}/plan", f"jobs/{old}/steps",
                     f"artifacts/{old}/report"):  # fmt: skip
            assert master.ask("GET", f"/api/v1/{path}").status == 200, path
        assert master.ask("GET", "/api/v1/jobs/zzzzzzzzz").status == 404
        assert [_removed(master, kind) for kind in KINDS] == [2, 0, 1]
        assert _metric(master, 'danube_reaper_removed_bytes_total{kind="logs"}') > 0
        last = _metric(master, "danube_reaper_last_run_timestamp_seconds")
        assert abs(last - time.time()) < 600
        # It is run again as it was asked for, though its log is gone.
        again = master.ask("POST", f"/api/v1/jobs/{old}/rerun", {})
        assert master.ended(again.json["id"])["state"] == "success"
    _is_whole(data)
    audited = _sql(
        data, "SELECT action, detail FROM audit_log WHERE actor = 'reaper' ORDER BY sequence"
    )
    assert [(action, json.loads(detail)["names"]) for action, detail in audited] == [
        ("reap.jobs", [oldest]), ("reap.logs", [old, other]),
    ]  # fmt: skip
    # What a master before it removed is remembered.
    with Master(data) as master:
        assert _metric(master, "danube_reaper_last_run_timestamp_seconds") == last
        _reap(master)
        answer = master.ask("GET", f"/api/v1/artifacts/{old}/report")
        assert answer.status == 410 and "retention.artifacts" in answer.json["hint"]
        listed = master.ask("GET", f"/api/v1/artifacts/{old}").json["artifacts"]
        assert [one["name"] for one in listed] == ["report"] and listed[0]["removed"]
    assert _folder(data, old) == []
    _is_whole(data)
    assert _sql(data, "SELECT count(*) FROM plans WHERE NOT EXISTS"
                      " (SELECT 1 FROM jobs WHERE plan = digest)") == [(0,)]  # fmt: skip


def test_the_oldest_go_first_where_there_is_too_much(tmp_path: Path) -> None:
    place = repository(
        tmp_path / "repository",
        "step.run('head -c 100000 /dev/zero >report; head -c 50000 /dev/zero | tr \"\\\\0\" x')",
        "artifacts.upload('report')",
    )
    data = tmp_path / "data"
    limits = '[retention]\nartifacts_size = "250K"\nlogs_size = "150K"\n'
    with Master(data, limits) as master:
        jobs = [master.run(place)["id"] for _ in range(4)]
        _reap(master)
        kept = [master.ask("GET", f"/api/v1/artifacts/{job}/report").status for job in jobs]
        assert kept == [410, 410, 200, 200]
        logs = [master.ask("GET", f"/api/v1/jobs/{job}/logs").status for job in jobs]
        assert logs == [410, 410, 200, 200]
        assert (_removed(master, "artifacts"), _removed(master, "logs")) == (2, 2)
    _is_whole(data)


def test_what_has_not_ended_stays_however_old_it_is(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    place = repository(
        tmp_path / "repository", *STEPS, f"step.run('until test -e {flag}; do sleep 0.1; done')"
    )
    data = tmp_path / "data"
    short = '[retention]\nlogs = "1m"\nartifacts = "1m"\njobs = "1m"\n'
    with Master(data, short) as master:
        order = {"repository": str(place), "pipeline": "p"}
        job = master.ask("POST", "/api/v1/jobs", order).json["id"]
        master.wait_for(lambda: b"printed" in master.logs(job))
        master.stop(signal.SIGKILL)
    # Its engine lives; the database takes it for ended, as a restored one may.
    _sql(data, f"UPDATE jobs SET created = created - {500 * DAY}")
    saved = data / "saved"
    _sql(data, f"VACUUM INTO '{saved}'")
    _sql(data, "UPDATE jobs SET state = 'failure', ended = created + 1")
    assert _dry(data, "--retention-jobs", "1m", "--retention-logs", "1m") == []
    with Master(data, short) as master:
        _reap(master)
        assert "log" in _folder(data, job) and "journal" in _folder(data, job)
    for suffix in ("", "-wal", "-shm"):
        (data / f"danube.db{suffix}").unlink(missing_ok=True)
    saved.rename(data / "danube.db")
    with Master(data, short) as master:
        _reap(master)
        path = f"/api/v1/jobs/{job}"
        master.wait_for(lambda: master.ask("GET", path).json["state"] == "running")
        flag.touch()
        assert master.ended(job)["state"] in ("success", "timeout")
        # It ended just now.
        _reap(master)
        assert b"printed" in master.logs(job)
    _is_whole(data)


def test_a_folder_of_no_job_goes_once_it_is_old(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with Master(data) as master:
        for name in ("aaaaaaaaa", "bbbbbbbbb.replaced-1"):
            (data / "jobs" / name / "artifacts").mkdir(parents=True)
            (data / "jobs" / name / "artifacts" / "x").write_bytes(b"x")
        (data / "jobs" / "ccccccccc").mkdir()
        long_ago = time.time() - 40 * 86_400
        for name in ("aaaaaaaaa", "bbbbbbbbb.replaced-1"):
            os.utime(data / "jobs" / name, (long_ago, long_ago))
        _reap(master)
        assert [path.name for path in (data / "jobs").iterdir()] == ["ccccccccc"]
        assert _removed(master, "leftovers") == 2


@pytest.mark.parametrize("below", ["jobs", "danube.db"])
def test_a_crash_in_the_middle_leaves_no_row_that_points_to_nothing(
    tmp_path: Path, shim: Path, below: str
) -> None:
    data, (new, *_) = _four_ages(tmp_path)
    points = (2, 5, 9, 14) if below == "jobs" else (6, 9, 12, 15)
    hit = 0
    for at in points:
        faults = {
            "LD_PRELOAD": str(shim), "FAULT_BELOW": str(data / below), "FAULT_AT": str(at),
            "FAULT_MODE": "kill",
        }  # fmt: skip
        master = Master(data, variables=faults)
        try:
            master.start()
            _reap(master)
        except (AssertionError, OSError, ValueError):
            hit += 1
        finally:
            if master.process is not None:
                master.process.kill()
                master.process.wait()
        _is_whole(data)
    assert hit > 0
    with Master(data) as master:
        _reap(master)
        assert master.ask("GET", f"/api/v1/jobs/{new}/logs").status == 200
    _is_whole(data)
    assert _sql(data, "SELECT * FROM doomed") == []
    assert [path.name for path in (data / "jobs").iterdir()] == [new]


def test_the_cache_for_others_forgets_what_nobody_asks_for(tmp_path: Path) -> None:
    data = tmp_path / "data"
    contents = [os.urandom(100_000) for _ in range(5)]
    names = [hashlib.sha256(content).hexdigest() for content in contents]
    tree = b"\x0a\x40" + names[1].encode()
    tree_name = hashlib.sha256(tree).hexdigest()

    def digest(name: str) -> bytes:
        return b"\x0a\x40" + name.encode()

    folder = b"\x1a" + bytes([len(digest(tree_name))]) + digest(tree_name)
    # An ActionResult with a file, and a folder whose tree names another content.
    file = b"\x12" + bytes([len(digest(names[0]))]) + digest(names[0])
    result = b"\x12" + bytes([len(file)]) + file + b"\x1a" + bytes([len(folder)]) + folder
    keys = [hashlib.sha256(bytes([n])).hexdigest() for n in range(2)]
    with Master(data) as master:
        for name, content in [*zip(names, contents, strict=True), (tree_name, tree)]:
            assert master.ask("PUT", f"/cas/{name}", content).status == 204
        assert master.ask("PUT", f"/ac/{keys[0]}", result).status == 204
        assert master.ask("PUT", f"/ac/{keys[1]}", b"\x12\x40" + names[2].encode()).status == 204
        _reap(master)
        assert _removed(master, "contents") == _removed(master, "results") == 0
    # Time goes on for the result whose content is the third, and for all contents.
    _sql(data, f"UPDATE cache_entries SET used = used - {31 * DAY} WHERE key = x'{keys[1]}'")
    faked = _sql(data, "SELECT count(*) FROM cache_entries")
    assert faked == [(2,)]
    assert _dry(data) == [("results", f"http {keys[1]}", "age")]
    with Master(data) as master:
        _reap(master)
        assert master.ask("GET", f"/ac/{keys[1]}").status == 404
        assert master.ask("GET", f"/ac/{keys[0]}").status == 200
        for name in (names[0], names[1], tree_name):
            assert master.ask("GET", f"/cas/{name}").status == 200


def test_a_mirror_of_many_packs_gets_one_and_an_old_one_goes(tmp_path: Path) -> None:
    place = repository(tmp_path / "repository")
    other = repository(tmp_path / "other")
    data = tmp_path / "data"
    with Master(data) as master:
        first = master.run(place)
        mirror = next((data / "mirrors").glob("*.git"))
        master.run(other)
        unused = next(path for path in (data / "mirrors").glob("*.git") if path != mirror)
        for number in range(52):
            subprocess.run(
                ["git", "--git-dir", mirror, "hash-object", "-w", "--stdin"],
                input=b"%d" % number, check=True, capture_output=True,
            )  # fmt: skip
            made = subprocess.run(
                ["git", "--git-dir", mirror, "pack-objects", "-q", mirror / "objects/pack/pack"],
                input=b"%s\n" % hashlib.sha1(b"blob %d\0%d" % (len(str(number)), number))
                .hexdigest().encode(),
                check=True, capture_output=True,
            )  # fmt: skip
            assert made.stdout
        orphan = commit(place)
        assert master.run(place, ref="main")["revision"] == orphan
        # Nobody has the commit any more but the job that names it.
        subprocess.run(
            ["git", "-C", place, "commit", "--amend", "--allow-empty", "-qm", "y"], check=True,
            env={**os.environ, "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.com",
                 "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.com"},
        )  # fmt: skip
        assert master.run(place, ref="main")["revision"] != orphan
        packs = mirror / "objects" / "pack"
        assert len(list(packs.glob("*.pack"))) > 50
        long_ago = time.time() - 100 * 86_400
        os.utime(unused, (long_ago, long_ago))
        _reap(master)
        assert len(list(packs.glob("*.pack"))) <= 2
        assert [path.name for path in (data / "mirrors").glob("*.git")] == [mirror.name]
        assert (_removed(master, "packs"), _removed(master, "mirrors")) == (1, 1)
        for revision in (first["revision"], orphan):
            assert master.run(place, revision=revision)["state"] == "success"
        assert master.run(other)["state"] == "success"


def test_the_cache_of_its_own_jobs_is_kept_below_its_size(tmp_path: Path) -> None:
    line = "step.run('head -c 300000 /dev/urandom >o', inputs=['n'], outputs=['o'])"
    place = repository(tmp_path / "repository", line, n=b"0")
    data = tmp_path / "data"
    with Master(data, '[cache]\nsize = "500K"\n') as master:
        for number in range(3):
            (place / "n").write_bytes(b"%d" % number)
            commit(place)
            assert master.run(place)["state"] == "success"
        blobs = data / "cache" / "cas" / "sha256"

        def size() -> int:
            return sum(path.stat().st_size for path in blobs.rglob("*") if path.is_file())

        assert size() > 900_000
        _reap(master)
        assert size() <= 400_000
        assert _removed(master, "cache") > 0
        # The latest one is still there.
        assert master.run(place)["steps"]["total"] == 1


def test_only_a_master_removes_something(tmp_path: Path) -> None:
    program = executable()
    assert program is not None
    ended = danube(
        "reap", "--data", tmp_path, program=program.with_name("danube-master"),
        env=environment(HOME=str(tmp_path)),
    )  # fmt: skip
    assert ended.status == MISTAKE and "USR1" in ended.hints[0]
