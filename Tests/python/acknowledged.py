"""What a master has answered for, asked of it under faults, and looked for after them."""

from __future__ import annotations

import hashlib
import http.client
import time
from dataclasses import dataclass, field
from pathlib import Path

from faults import check_database, check_ledger, left
from master import TERMINAL, Answer, Master, repository

GONE = (OSError, http.client.HTTPException)
LINES = 300
CONTENT = b"a content that is kept"
CAS = f"/cas/{hashlib.sha256(CONTENT).hexdigest()}"
AC = f"/ac/{hashlib.sha256(b'an action').hexdigest()}"


def place_of_steps(folder: Path, ledger: Path) -> Path:
    """Each step says in the ledger that it was executed, and numbers what it prints."""
    line = f"echo $DANUBE_JOB %d >> {ledger}"
    return repository(
        folder,
        f"step.run('{line % 0}; for n in $(seq {LINES}); do echo line $n; done')",
        "if word == 'bad':",
        f"    step.run('{line % 1}; exit 3')",
        "elif word == 'long':",
        f"    step.run('{line % 1}; echo begun; sleep 600')",
        "else:",
        f"    step.run('{line % 1}; echo made > f')",
        "    artifacts.upload('f')",
    )


NUMBERED = "".join(f"line {n}\n" for n in range(1, LINES + 1)).encode()
WANTED = {"good": "success", "bad": "failure", "long": "cancelled"}


@dataclass
class Acknowledged:
    """What a master has answered for."""

    jobs: dict[str, str] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)
    logs: dict[str, bytes] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    token: str = ""


def submit(master: Master, place: Path, word: str) -> Answer:
    """Asks for a job, under a key."""
    order = {"repository": str(place), "pipeline": "p", "parameters": {"word": word}}
    return master.ask("POST", "/api/v1/jobs", order, headers={"Idempotency-Key": word})


def play(master: Master, place: Path, seen: Acknowledged) -> None:
    """Everything that a master is asked to keep, until it is gone.

    What it refuses for a fault of its disk is not acknowledged, and is left out.
    """
    asked: list[tuple[str, str, str, object]] = [
        ("secret", "PUT", "/api/v1/secrets/global/TOKEN", {"value": "a value"}),
        ("cas", "PUT", CAS, CONTENT),
        ("ac", "PUT", AC, b"its result"),
        ("token", "POST", "/api/v1/tokens", {"name": "t", "scope": "read"}),
    ]
    for name, method, path, body in asked:
        answer = master.ask(method, path, body)
        assert answer.status in (200, 201, 204, 500, 507), (name, answer)
        if answer.status < 300:
            seen.done.add(name)
        if answer.status == 201:
            seen.token = answer.json["token"]
    for word in WANTED:
        answer = submit(master, place, word)
        assert answer.status in (201, 500, 507), answer.body
        if answer.status == 201:
            seen.jobs[word] = answer.json["id"]
    if long := seen.jobs.get("long"):
        while b"begun" not in seen.logs.get("long", b"") and not _end(master, long):
            seen.logs["long"] = master.logs(long)
            time.sleep(0.01)
        if master.ask("POST", f"/api/v1/jobs/{long}/cancel").status == 202:
            seen.done.add("cancel")
    for word, job in seen.jobs.items():
        while not (state := _end(master, job)):
            time.sleep(0.01)
        seen.ended[word] = state
        seen.logs[word] = master.logs(job)


def _end(master: Master, job: str) -> str | None:
    answer = master.ask("GET", f"/api/v1/jobs/{job}")
    assert answer.status == 200, answer.body
    state = str(answer.json["state"])
    return state if state in TERMINAL else None


def check_all(
    master: Master, place: Path, ledger: Path, seen: Acknowledged, may_fail: bool = False
) -> None:
    """After a start without faults: all that was acknowledged is there, and ends once.

    Args:
        may_fail: Whether a fault of the disk may have failed a job.
    """
    paths = {"secret": "/api/v1/secrets", "cas": CAS, "ac": AC}
    bodies = {name: master.ask("GET", path).body for name, path in paths.items()}
    assert "secret" not in seen.done or b'"TOKEN"' in bodies["secret"]
    assert "cas" not in seen.done or bodies["cas"] == CONTENT
    assert "ac" not in seen.done or bodies["ac"] == b"its result"
    assert not seen.token or master.ask("GET", "/api/v1/jobs", token=seen.token).status == 200
    listed = [job["id"] for job in master.ask("GET", "/api/v1/jobs").json["jobs"]]
    assert len(listed) <= len(WANTED)
    for word, job in seen.jobs.items():
        assert job in listed
        answer = master.ask("GET", f"/api/v1/jobs/{job}/logs")
        assert word not in seen.logs or answer.body.startswith(seen.logs[word])
        if word in seen.ended:
            assert master.ask("GET", f"/api/v1/jobs/{job}").json["state"] == seen.ended[word]
    # What was not acknowledged is asked for again, under the same key.
    for word in WANTED:
        answer = submit(master, place, word)
        assert answer.status == (200 if word in seen.jobs else answer.status), answer.body
        assert answer.status in (200, 201)
        assert answer.json["id"] == seen.jobs.setdefault(word, answer.json["id"])
    if "cancel" not in seen.done and "long" not in seen.ended:
        job = seen.jobs["long"]
        master.wait_for(lambda: b"begun" in master.logs(job))
        assert master.ask("POST", f"/api/v1/jobs/{job}/cancel").status in (202, 409)
    whole = True
    for word, job in seen.jobs.items():
        ended = master.ended(job)
        if may_fail and ended["state"] == "failure" and word != "bad":
            assert ended["reason"], ended
            whole = False
            continue
        assert ended["state"] == WANTED[word], ended
        assert master.logs(job) == NUMBERED + (b"begun\n" if word == "long" else b"")
    if whole:
        assert master.ask("GET", f"/api/v1/artifacts/{seen.jobs['good']}/f").body == b"made\n"
    master.wait_for(lambda: not left(master))
    assert master.stop() == 0
    check_database(master)
    done = check_ledger(master, ledger)
    if whole:
        assert sorted(done) == sorted(f"{job} {n}" for job in seen.jobs.values() for n in (0, 1))
    assert set(done.values()) <= {1}
    assert not list(master.data.glob("*.new"))
