"""Figures of a real master, as Prometheus reads them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from fixture_cases import ROOT
from master import Master, repository
from programs import program

# Of the description of the master: what dashboards are built on.
NAMES = {
    "danube_jobs_total", "danube_job_duration_seconds", "danube_active_jobs",
    "danube_job_queue_size", "danube_scheduler_decision_seconds", "danube_jobs",
    "danube_db_size_bytes", "danube_db_waiting_writes",
    "danube_log_size_bytes", "danube_cache_size_bytes", "danube_cache_requests_total",
    "danube_disk_free_bytes", "danube_disk_size_bytes", "danube_reaper_runs_total",
    "danube_reaper_failures_total", "danube_reaper_last_run_timestamp_seconds",
    "danube_reaper_removed_total", "danube_reaper_removed_bytes_total",
    "danube_config_last_reload_successful", "danube_build_info", "danube_start_time_seconds",
}  # fmt: skip


def _figures(master: Master) -> dict[str, float]:
    lines = master.ask("GET", "/metrics").body.decode().splitlines()
    pairs = [line.rsplit(" ", 1) for line in lines if not line.startswith("#")]
    return {name: float(value) for name, value in pairs}


def _of_jobs(figures: dict[str, float]) -> dict[str, float]:
    return {
        name: value
        for name, value in figures.items()
        if name.startswith(("danube_jobs_total", "danube_job_duration"))
    }


def test_promtool_has_nothing_to_say(tmp_path: Path) -> None:
    place = repository(tmp_path / "repository")
    promtool = program("promtool", "scripts/unpack-programs")
    with Master(tmp_path / "data") as master:
        master.run(place)
        order = {"repository": str(place), "pipeline": 'wrong"\\\n{}'}
        master.ended(master.ask("POST", "/api/v1/jobs", order).json["id"])
        assert master.ask("GET", f"/cas/{'0' * 64}").status == 404
        text = master.ask("GET", "/metrics").body
        ended = subprocess.run(
            [promtool, "check", "metrics"], input=text, capture_output=True, timeout=60
        )
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")
        # It would have, if there were something.
        wrong = subprocess.run(
            [promtool, "check", "metrics"], input=text + b"x{ 1\n", capture_output=True
        )
        assert wrong.returncode != 0


def test_all_figures_are_there_and_described(tmp_path: Path) -> None:
    with Master(tmp_path / "data") as master:
        text = master.ask("GET", "/metrics").body.decode()
    assert set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE)) == NAMES
    page = (ROOT / "docs" / "master.md").read_text()
    assert all(re.search(rf"`{name}[`{{]", page) for name in NAMES)


def test_counters_go_on_over_restarts(tmp_path: Path) -> None:
    place = repository(tmp_path / "repository")
    data = tmp_path / "data"
    with Master(data) as master:
        master.run(place)
        master.run(place, pipeline="nothing")
        before = _of_jobs(master.wait_for(lambda: _counted(master, 2)))
    with Master(data) as master:
        assert _of_jobs(_figures(master)) == before
        master.run(place)
        after = master.wait_for(lambda: _counted(master, 3))
        assert after['danube_jobs_total{status="success",pipeline="p"}'] == 2
        assert after["danube_cache_size_bytes{cache=\"shared\"}"] == 0


def _counted(master: Master, jobs: int) -> dict[str, float] | None:
    figures = _figures(master)
    return figures if figures["danube_job_duration_seconds_count"] == jobs else None
