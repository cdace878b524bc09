"""Hostile pipelines through a real master: they see nothing of it, and others run meanwhile."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest
from faults import left, soak
from fixture_cases import ROOT
from master import Master, commit, repository

ESCAPES = Path(os.environ.get("DANUBE_SHARED", ROOT.parent / "shared")) / "hostile" / "escapes"
CASES = json.loads((ESCAPES / "manifest.json").read_text()) if ESCAPES.exists() else []
CANARY = "canary-5d0c9b71ae"
MOST_GROWTH = 64 << 20


def _submit(master: Master, place: Path, team: str) -> str:
    order = {"repository": str(place), "pipeline": "p", "team": team}
    return str(master.ask("POST", "/api/v1/jobs", order).json["id"])


@pytest.mark.skipif(not CASES, reason="the hostile danubefiles are not here")
def test_hostile_danubefiles(tmp_path: Path) -> None:
    """Each is only planned: what a plan then runs is a step, of which another test is."""
    place = repository(tmp_path / "r")
    commits = []
    for case in CASES[:: soak(5, 1)]:
        (place / "danubefile.py").write_bytes((ESCAPES / case["file"]).read_bytes())
        commits.append((case, commit(place)))
    innocent = repository(tmp_path / "innocent")
    with Master(tmp_path / "data", variables={"NOT_FOR_JOBS": CANARY}) as master:
        assert master.process is not None
        process = master.process.pid
        put = master.ask("PUT", "/api/v1/secrets/global/TOKEN", {"value": CANARY})
        assert put.status == 200
        before = master.memory()
        bad: list[str] = []

        def plan(case: dict[str, str], revision: str) -> None:
            order = {"repository": str(place), "revision": revision}
            answer = master.ask("POST", "/api/v1/plans", order)
            if answer.status not in (200, 422, 500):
                bad.append(f"{case['id']}: {answer.status} {answer.body[:300]!r}")
            if answer.status == 200 and case["expect"] == "error":
                bad.append(f"{case['id']}: has a plan")
            shown = answer.body.decode(errors="replace")
            if CANARY in shown or master.token in shown or "CANARY-" in shown.split(" | ")[0]:
                bad.append(f"{case['id']}: {shown[:300]}")

        def all_plans() -> None:
            for case, revision in commits:
                plan(case, revision)

        planning = threading.Thread(target=all_plans)
        planning.start()
        count = 0
        while planning.is_alive():
            job = master.run(innocent)
            assert job["state"] == "success", job
            count += 1
            planning.join(0.5)
        assert not bad, "\n".join(bad)
        assert master.process.pid == process and master.process.poll() is None
        assert master.memory() - before < MOST_GROWTH
        print(f"{len(commits)} hostile danubefiles, {count} jobs beside them")


def test_a_step_sees_nothing_of_the_master(tmp_path: Path) -> None:
    data = tmp_path / "data"
    master = Master(data, variables={"NOT_FOR_JOBS": CANARY})
    with master:
        assert master.process is not None
        number = master.process.pid
        assert master.ask("PUT", "/api/v1/secrets/global/TOKEN", {"value": CANARY}).status == 200
        other = master.run(repository(tmp_path / "other", "step.run('echo of another job')"))["id"]
        looks = [
            f"cat {data}/{name}" for name in
            ("admin.token", "secret.key", "danube.db", "danube.db-wal", "lock")
        ] + [
            f"cat {data}/jobs/{other}/log", f"find {data}/jobs -name order.json -path '*{other}*'",
            f"ls {data}/shared-cache", f"cat /proc/{number}/environ",
            f"head -c 100 /proc/{number}/mem", f"ls /proc/{number}/fd",
            f"kill -0 {number}", f"echo x > {data}/danube.db", f"touch {data}/planted",
            "env", "ls -l /proc/self/fd", "cat /proc/[0-9]*/environ | tr '\\0' '\\n'",
        ]  # fmt: skip
        script = "\n".join(f"({look}) 2>/dev/null && echo did {n}" for n, look in enumerate(looks))
        place = repository(
            tmp_path / "r", "step.run('sh look; true')", look=script.encode() + b"\n"
        )
        job = master.run(place)
        assert job["state"] == "success", job
        log = master.logs(job["id"]).decode(errors="replace")
        key = (data / "secret.key").read_bytes()
        assert CANARY not in log and master.token not in log and "of another job" not in log
        assert key[:16] not in log.encode()
        did = [looks[int(line.split()[1])] for line in log.splitlines() if line.startswith("did ")]
        harmless = {"env", "ls -l /proc/self/fd", looks[6], looks[-1]}
        assert set(did) <= harmless, did
        assert f"{other}/order.json" not in log
        assert not (data / "planted").exists()
        assert master.ask("GET", "/api/v1/health").status == 200


def test_a_danubefile_does_not_reach_the_masters_folder(tmp_path: Path) -> None:
    data = tmp_path / "data"
    body = (
        "found = []",
        f"for name in ['{data}/admin.token', '{data}/secret.key', '../../admin.token']:",
        "    try:",
        "        found.append(open(name).read())",
        "    except Exception as error:",
        "        found.append(type(error).__name__)",
        "step.run('echo ' + ' '.join(found))",
    )
    place = repository(tmp_path / "r", *body)
    with Master(data) as master:
        job = master.run(place)
        shown = master.logs(job["id"]).decode() + str(job)
        assert master.token not in shown and (data / "secret.key").read_text()[:8] not in shown


def test_a_job_that_takes_everything_delays_no_other(tmp_path: Path) -> None:
    """It forks, fills memory and prints without end; another team's job runs meanwhile."""
    body = (
        "step.run('while :; do echo y; done')",
        "step.run('for n in 1 2 3 4 5 6 7 8; do sh -c \"while :; do :; done\" & done; sleep 600')",
    )
    hostile = repository(tmp_path / "hostile", "with parallel():", *(f"    {b}" for b in body))
    with Master(tmp_path / "data", "[jobs]\nlimit = 3\n") as master:
        job = _submit(master, hostile, "hostile")
        master.wait_for(lambda: len(master.ask("GET", f"/api/v1/jobs/{job}/logs").body) > 1000)
        for n in range(3):
            other = repository(tmp_path / f"o{n}")
            assert master.ended(_submit(master, other, "other"))["state"] == "success"
        assert master.ask("POST", f"/api/v1/jobs/{job}/cancel").status == 202
        assert master.ended(job)["state"] == "cancelled"
        master.wait_for(lambda: not left(master))
