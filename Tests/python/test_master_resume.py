"""Jobs whose engines are killed: what was done stays, what was lost is tried again or told."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from master import TERMINAL, Master, repository, submit


@pytest.fixture
def master(tmp_path: Path) -> Iterator[Master]:
    with Master(tmp_path / "data") as running:
        yield running


def engines(master: Master, job: str = "") -> list[int]:
    """Processes of engines and their guards, of one job or of all."""
    found = []
    place = bytes(master.data / "jobs" / job)
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            words = Path(f"/proc/{entry}/cmdline").read_bytes().split(b"\0")
        except OSError:  # it has ended
            continue
        if b"engine" in words and any(word.startswith(place) for word in words):
            found.append(int(entry))
    return sorted(found)


def kill(processes: list[int]) -> None:
    """Ends processes that may have ended."""
    for process in processes:
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            pass


def states(master: Master, job: str) -> dict[str, tuple[str, int]]:
    """The state of each step and how often it was tried."""
    steps = master.ask("GET", f"/api/v1/jobs/{job}/steps").json["steps"]
    return {step["name"]: (step["state"], step["attempts"]) for step in steps}


def attempts(master: Master, job: str, step: int) -> list[str]:
    """How each attempt at a step ended."""
    answer = master.ask("GET", f"/api/v1/jobs/{job}/steps/{step}").json
    return [attempt["state"] for attempt in answer["tries"]]


# When the engine is killed: while its master looks on, and while there is none.
WAYS = ["engine", "away"]


@pytest.mark.parametrize("way", WAYS)
def test_a_step_that_was_lost_is_tried_again_where_the_last_engine_ended(
    master: Master, tmp_path: Path, way: str
) -> None:
    ledger, gate = tmp_path / "ledger", tmp_path / "gate"
    place = repository(
        tmp_path / "r",
        f"step.run('echo first >> {ledger}; echo made > made', name='first')",
        f"word = step.run('echo kept; echo captured >> {ledger}', name='word', capture=True)",
        "with parallel():",
        f"    step.run('echo side >> {ledger}; echo s > side', name='side')",
        f"    step.run('cat made; test ! -e half; echo half > half; echo lost >> {ledger};"
        f" while ! test -e {gate}; do sleep 0.05; done', name='lost', retries=1)",
        "if word == 'kept':",
        f"    step.run(f'cat made side half; echo {{word}} >> {ledger}', name='last')",
        "else:",
        "    step.run('false', name='never')",
    )
    job = submit(master, place)
    master.wait_for(lambda: ledger.exists() and "lost" in ledger.read_text())
    master.wait_for(lambda: states(master, job).get("side") == ("succeeded", 1))
    if way == "away":
        master.stop(signal.SIGKILL)
    running = engines(master, job)
    assert running
    kill(running)
    if way == "away":
        master.start()
    master.wait_for(lambda: states(master, job)["lost"][1] == 2)
    gate.touch()
    ended = master.ended(job)
    assert ended["state"] == "success", ended
    assert states(master, job) == {
        "first": ("succeeded", 1), "word": ("succeeded", 1), "side": ("succeeded", 1),
        "lost": ("succeeded", 2), "last": ("succeeded", 1), "never": ("skipped", 0),
    }  # fmt: skip
    steps = master.ask("GET", f"/api/v1/jobs/{job}/steps").json["steps"]
    lost = next(step["index"] for step in steps if step["name"] == "lost")
    assert attempts(master, job, lost) == ["lost", "succeeded"]
    assert Counter(ledger.read_text().split()) == {
        "first": 1, "captured": 1, "side": 1, "lost": 2, "kept": 1,
    }  # fmt: skip
    assert master.logs(job).decode().endswith("made\nmade\ns\nhalf\n")
    master.wait_for(lambda: not engines(master))
    assert not list((master.data / "cache" / "work").iterdir())


def test_a_step_that_may_not_be_tried_again_is_lost_and_named(
    master: Master, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger"
    place = repository(
        tmp_path / "r",
        "step.run('true', name='before')",
        "try:",
        f"    step.run('echo x >> {ledger}; sleep 300', name='deploy')",
        "finally:",
        f"    step.run('echo cleaned >> {ledger}', name='clean')",
        "step.run('true', name='after')",
    )
    job = submit(master, place)
    master.wait_for(ledger.exists)
    kill(engines(master, job))
    ended = master.ended(job)
    assert ended["state"] == "failure"
    assert ended["reason"].startswith("lost") and "`deploy`" in ended["reason"]
    assert states(master, job) == {
        "before": ("succeeded", 1), "deploy": ("lost", 1), "clean": ("succeeded", 1),
        "after": ("skipped", 0),
    }  # fmt: skip
    assert ledger.read_text().split() == ["x", "cleaned"]
    assert attempts(master, job, 1) == ["lost"]


def test_declared_steps_and_uploads_are_not_done_again(master: Master, tmp_path: Path) -> None:
    ledger, gate = tmp_path / "ledger", tmp_path / "gate"
    place = repository(
        tmp_path / "r",
        f"step.run('cat in > out; echo made >> {ledger}', name='make', inputs=['in'],"
        " outputs=['out'])",
        f"step.run('cat in in > twice; echo twice >> {ledger}', name='twice', inputs=['in'],"
        " outputs=['twice'], cache=False)",
        "artifacts.upload('out', name='result')",
        f"step.run('cat out twice > all; echo wait >> {ledger};"
        f" while ! test -e {gate}; do sleep 0.05; done', name='wait', retries=2)",
        "artifacts.upload('all', name='all')",
        **{"in": b"i\n"},
    )
    job = submit(master, place)
    for count in (1, 2):
        master.wait_for(
            lambda count=count: ledger.exists() and ledger.read_text().count("wait") == count
        )
        kill(engines(master, job))
    gate.touch()
    ended = master.ended(job)
    assert ended["state"] == "success", ended
    assert states(master, job)["wait"] == ("succeeded", 3)
    assert Counter(ledger.read_text().split()) == {"made": 1, "twice": 1, "wait": 3}
    assert master.ask("GET", f"/api/v1/artifacts/{job}/all").body == b"i\ni\ni\n"
    assert master.ask("GET", f"/api/v1/artifacts/{job}/result").body == b"i\n"


def test_a_job_that_ends_its_engines_does_so_no_more_than_a_few_times(
    master: Master, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger"
    place = repository(
        tmp_path / "r",
        f"step.run('echo x >> {ledger}; sleep 300', name='bad', retries=100)",
        "step.run('true', name='after')",
    )
    job = submit(master, place)
    ending = threading.Event()

    def end_engines() -> None:
        seen = 0
        while not ending.is_set():
            lines = ledger.read_text().count("x") if ledger.exists() else 0
            if lines > seen:
                seen = lines
                kill(engines(master, job))
            time.sleep(0.02)

    thread = threading.Thread(target=end_engines)
    thread.start()
    try:
        ended = master.ended(job)
    finally:
        ending.set()
        thread.join()
    assert (ended["state"], ended["reason"]) == (
        "failure", "lost: its engine was ended from outside",
    )  # fmt: skip
    assert states(master, job) == {"bad": ("lost", 5), "after": ("blocked", 0)}
    assert ledger.read_text().count("x") == 5
    assert attempts(master, job, 0) == ["lost"] * 5


def test_a_job_that_is_to_end_is_not_gone_on_with(master: Master, tmp_path: Path) -> None:
    place = repository(
        tmp_path / "r",
        "step.run('trap : TERM; echo begun; sleep 300 & wait; wait', name='long', retries=5)",
        "step.run('true', name='after')",
    )
    job = submit(master, place)
    master.wait_for(lambda: b"begun" in master.logs(job))
    assert master.ask("POST", f"/api/v1/jobs/{job}/cancel").status == 202
    kill(engines(master, job))
    assert master.ended(job)["state"] == "cancelled"
    assert states(master, job)["after"] == ("cancelled", 0)


def test_a_result_that_holds_a_secret_is_not_kept_for_another_engine(
    master: Master, tmp_path: Path
) -> None:
    secret = "canary-5ecre7-value"
    gate = tmp_path / "gate"
    place = repository(
        tmp_path / "r",
        "key = step.run('echo $KEY', name='tell', capture=True, env={'KEY': secrets.get('KEY')})",
        f"step.run(f'test -n {{key}}; touch {gate}; sleep 300', name='use', retries=3)",
    )
    assert master.ask("PUT", "/api/v1/secrets/global/KEY", {"value": secret}).status == 200
    job = submit(master, place)
    master.wait_for(gate.exists)
    kill(engines(master, job))
    ended = master.ended(job)
    assert ended["state"] == "failure"
    assert "`tell` holds a secret" in ended["reason"]
    for path in (master.data / "jobs" / job).rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes(), path


def test_random_kills_never_do_more_than_is_recorded(master: Master, tmp_path: Path) -> None:
    """An outside ledger: entries ≤ recorded attempts, and never two attempts at once."""
    seed = int(os.environ.get("DANUBE_SEED", "7"))
    chance = random.Random(seed)
    ledger = tmp_path / "ledger"
    ledger.mkdir()

    def body(name: str, retries: int) -> str:
        # The kernel frees the lock when the last process of an attempt is gone.
        file = f"{ledger}/$DANUBE_JOB.{name}"
        return (
            f"step.run('exec 9>{file}.lock; flock --nonblock 9 || echo x >> {ledger}/twice;"
            f" echo + >> {file}; sleep 0.15; echo - >> {file}.done', name='{name}',"
            f" retries={retries})"
        )

    place = repository(
        tmp_path / "r", body("a", 9), "with parallel():", "    " + body("b", 9),
        "    " + body("c", 9), body("d", 9),
    )  # fmt: skip
    jobs = [submit(master, place) for _ in range(int(os.environ.get("DANUBE_RESUME_JOBS", "6")))]
    end = time.monotonic() + 60
    for _ in range(int(os.environ.get("DANUBE_RESUME_KILLS", "12"))):
        time.sleep(chance.uniform(0.05, 0.4))
        if chance.random() < 0.25:
            master.stop(signal.SIGKILL)
            if chance.random() < 0.5:
                alive = engines(master)
                kill(chance.sample(alive, min(len(alive), 2)))
            master.start()
        elif alive := engines(master):
            kill([chance.choice(alive)])
        if time.monotonic() > end:
            break
    for job in jobs:
        ended = master.ended(job)
        assert ended["state"] in TERMINAL
    assert not (ledger / "twice").exists(), seed
    for job in jobs:
        for name, (state, tried) in states(master, job).items():
            file = ledger / f"{job}.{name}"
            entries = file.read_text().count("+") if file.exists() else 0
            done = Path(f"{file}.done")
            assert entries <= tried, (seed, job, name, entries, tried)
            assert state in {"succeeded", "lost", "blocked", "cancelled"}, (seed, job, name, state)
            if state == "succeeded":
                # One that came to its end just before its engine did was tried again.
                assert 1 <= done.read_text().count("-") <= tried, (seed, job, name)
        if master.ask("GET", f"/api/v1/jobs/{job}").json["state"] == "success":
            assert all(state == "succeeded" for state, _ in states(master, job).values())
    assert any(master.ask("GET", f"/api/v1/jobs/{job}").json["state"] == "success" for job in jobs)
    master.wait_for(lambda: not engines(master))

