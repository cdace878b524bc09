"""300 jobs of 100 steps at once, of engines that are played: what the master itself costs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import figures
import master_own

JOBS, STEPS = 300, 100
HERE = Path(__file__).resolve().parent
DEADLINE = 900


def programs(folder: Path) -> Path:
    """A folder with the master and, as `danube`, an engine that executes nothing."""
    folder.mkdir(parents=True)
    master = Path(os.environ["DANUBE"]).with_name("danube-master")
    shutil.copy(master, folder / "danube-master")
    engine = [os.environ.get("CC", "cc"), "-O2", "-o", folder / "danube", HERE / "played_engine.c"]
    subprocess.run(engine, check=True)
    return folder


def quantile(text: str, share: float) -> tuple[float, int]:
    """The bound of the class in which a share of all decisions was, and how many there were."""
    name = "danube_scheduler_decision_seconds"
    found = re.findall(rf'^{name}_bucket{{le="([^"]*)"}} (\d+)$', text, re.M)
    count = int(found[-1][1])
    bound = next(bound for bound, sum_ in found if int(sum_) >= share * count)
    return float(bound.replace("+Inf", "inf")), count


def measure(folder: Path) -> list[figures.Figure]:
    """Runs them, and looks at the master all the time."""
    shutil.rmtree(folder, ignore_errors=True)
    order = master_own.repository(folder / "repository", "step.run('true')")
    before = os.environ["DANUBE"]
    os.environ["DANUBE"] = str(programs(folder / "programs") / "danube")
    settings = ("DANUBE_JOBS_ACTIVE", "DANUBE_JOBS_PER_TEAM")
    for name in settings:
        os.environ[name] = str(JOBS)
    try:
        master = master_own.Master(folder)
        try:
            return _measure(master, order)
        finally:
            master.stop()
    finally:
        os.environ["DANUBE"] = before
        for name in settings:
            del os.environ[name]


def _measure(master: master_own.Master, order: dict) -> list[figures.Figure]:
    begun = time.monotonic()
    for index in range(JOBS):
        master.ask("POST", "/api/v1/jobs", {**order, "team": f"t{index % 10}"})
    asked = time.monotonic() - begun
    memory, most = 0.0, 0
    while time.monotonic() - begun < DEADLINE:
        text = master.raw("GET", "/metrics").decode()
        states = dict(re.findall(r'^danube_jobs{state="(\w+)"} (\d+)$', text, re.M))
        most = max(most, int(states["running"]))
        memory = max(memory, master.memory())
        if sum(int(states[state]) for state in master_own.STATES) == JOBS:
            break
        time.sleep(0.25)
    if int(states["success"]) != JOBS:
        raise RuntimeError(f"not all jobs succeeded: {states}")
    seconds = time.monotonic() - begun
    ended = sum(
        step["state"] == "succeeded"
        for job in master.ask("GET", f"/api/v1/jobs?limit={JOBS}")["jobs"]
        for step in master.ask("GET", f"/api/v1/jobs/{job['id']}/steps")["steps"]
    )
    if ended != JOBS * STEPS:
        raise RuntimeError(f"{ended} steps are recorded of {JOBS * STEPS}")
    p99, count = quantile(text, 0.99)
    what = f"{most} jobs at once, {ended} steps in {seconds:.0f} s, asked for in {asked:.1f} s"
    return [
        figures.at_most(
            "300 jobs of 100 steps: a decision, p99", " ms", 5, p99 * 1e3, f"{count} of them"),
        figures.at_most("300 jobs of 100 steps: memory", " MB", 400, memory, what),
    ]  # fmt: skip


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        print(figures.table(measure(Path(scratch) / "running")))
