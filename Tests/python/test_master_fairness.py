"""How many steps run at once in all jobs together, and whose are next."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from master import Master, repository, submit


def most_at_once(ledger: Path) -> int:
    """How many steps ran at once, by what they said when they began and ended."""
    alive = most = 0
    for line in ledger.read_text().splitlines():
        alive += 1 if line.startswith("+") else -1
        most = max(most, alive)
    return most


def wide(folder: Path, ledger: Path, steps: int, seconds: float = 0.05) -> Path:
    """A repository of which many steps could run at once."""
    return repository(
        folder,
        "with parallel():",
        f"    for n in range({steps}):",
        f"        step.run('echo + >> {ledger}; sleep {seconds}; echo - >> {ledger}',"
        " name=f's{n}')",
    )


def test_all_jobs_together_run_no_more_steps_than_the_limit(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    place = wide(tmp_path / "r", ledger, 8)
    with Master(tmp_path / "data", configuration="[jobs]\nlimit = 3\nactive = 8\n") as master:
        jobs = [submit(master, place, team=f"t{n % 3}") for n in range(6)]
        assert [master.ended(job)["state"] for job in jobs] == ["success"] * 6
        assert ledger.read_text().count("+") == 48
        assert 2 <= most_at_once(ledger) <= 3


def test_a_slot_is_free_again_when_its_engine_is_killed(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    with Master(tmp_path / "data", configuration="[jobs]\nlimit = 1\nactive = 4\n") as master:
        begun = tmp_path / "begun"
        held = submit(
            master, repository(tmp_path / "held", f"step.run('touch {begun}; sleep 300')")
        )
        master.wait_for(begun.exists)
        waiting = submit(master, wide(tmp_path / "r", ledger, 3))
        master.wait_for(
            lambda: master.ask("GET", f"/api/v1/jobs/{waiting}").json["state"] == "running"
        )
        time.sleep(0.5)
        assert not ledger.exists()
        line = master.data / "slots" / "line"
        assert len(list(line.iterdir())) == 1
        for entry in os.listdir("/proc"):
            words = Path(f"/proc/{entry}/cmdline")
            try:
                if entry.isdigit() and f"jobs/{held}".encode() in words.read_bytes():
                    os.kill(int(entry), signal.SIGKILL)
            except OSError:  # it has ended
                continue
        assert master.ended(waiting)["state"] == "success"
        assert most_at_once(ledger) == 1
        assert master.ended(held)["state"] == "failure"
        assert not list(line.iterdir())


def engine_of(master: Master, job: str) -> int:
    """The process of a job's engine."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            words = Path(f"/proc/{entry}/cmdline").read_bytes()
        except OSError:  # it has ended, or is none
            continue
        if f"{master.data}/jobs/{job}".encode() in words:
            found.append(int(entry))
    (engine,) = found
    return engine


def test_a_line_goes_on_when_the_one_who_watches_for_it_is_killed(tmp_path: Path) -> None:
    ledger, end, begun = tmp_path / "ledger", tmp_path / "end", tmp_path / "begun"
    hold = repository(
        tmp_path / "hold", f"step.run('touch {begun}; until test -e {end}; do sleep 0.05; done')"
    )
    place = wide(tmp_path / "r", ledger, 2)
    with Master(tmp_path / "data", configuration="[jobs]\nlimit = 1\nactive = 8\n") as master:
        line = master.data / "slots" / "line"
        holding = submit(master, hold, team="hold")
        master.wait_for(begun.exists)
        waiting = []
        for number in range(4):
            waiting.append(submit(master, place, team=f"t{number}"))
            master.wait_for(lambda: len(list(line.iterdir())) == len(waiting))
        # The first of the line is told of slots; the last sees that nobody is.
        for job in waiting[:2]:
            os.kill(engine_of(master, job), signal.SIGKILL)
        end.touch()
        for job in [holding, *waiting]:
            assert master.ended(job)["state"] == "success"
        assert most_at_once(ledger) == 1
        assert not list(line.iterdir())


def test_many_steps_of_one_team_delay_another_by_one_step(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    many = wide(tmp_path / "many", ledger, 40, 0.2)
    one = repository(tmp_path / "one", f"step.run('echo mine >> {ledger}')")
    with Master(tmp_path / "data", configuration="[jobs]\nlimit = 2\nactive = 4\n") as master:
        hog = [submit(master, many, team="many") for _ in range(8)]
        master.wait_for(lambda: ledger.exists() and ledger.read_text().count("-") >= 2)
        job = submit(master, one, team="one")
        # From when its engine wants a slot, no more than those that run end before it has one.
        line = master.data / "slots" / "line"

        def stands() -> bool:
            return any(path.read_text().endswith(" one") for path in line.iterdir())

        try:
            master.wait_for(lambda: stands() or "mine" in ledger.read_text())
        except FileNotFoundError:  # it left the line while it was looked at
            pass
        before = ledger.read_text().count("+")
        assert master.ended(job)["state"] == "success"
        begun = ledger.read_text().split("mine")[0].count("+")
        assert begun - before <= 2
        for name in hog:
            master.ask("POST", f"/api/v1/jobs/{name}/cancel")
        for name in hog:
            assert master.ended(name)["state"] == "cancelled"
