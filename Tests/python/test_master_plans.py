"""Plans without a run, pipelines and metrics of a real master."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from master import Master, git, repository


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Master]:
    with Master(tmp_path_factory.mktemp("plans") / "data") as running:
        yield running


def plan(master: Master, place: Path, **members: object):
    return master.ask("POST", "/api/v1/plans", {"repository": str(place), **members})


def test_a_plan_is_compiled_and_nothing_runs(master: Master, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    place = repository(tmp_path / "repository", f"step.run('touch {mark} && echo ' + word)")
    answer = plan(master, place, parameters={"word": "x; $(--y)"}, branch="main")
    assert answer.status == 200, answer.body
    assert answer.json["revision"] == git(place, "rev-parse", "HEAD")
    assert answer.json["plan"]["pipeline"] == "p"
    assert answer.json["plan"]["parameters"][0]["value"] == "x; $(--y)"
    assert not mark.exists()
    assert all(
        job["repository"] != str(place) for job in master.ask("GET", "/api/v1/jobs").json["jobs"]
    )


def test_errors_are_told_as_the_compiler_tells_them(master: Master, tmp_path: Path) -> None:
    place = repository(tmp_path / "repository", "step.rum('x')")
    answer = plan(master, place)
    assert answer.status == 422 and answer.headers["content-type"] == "application/problem+json"
    assert "danubefile.py:5" in answer.json["diagnostics"]
    assert "\x1b" not in answer.json["diagnostics"]


@pytest.mark.parametrize(
    ("members", "status"),
    [
        ({"revision": "0" * 40}, 422), ({"ref": "nothing"}, 422), ({"pipeline": "--version"}, 422),
        ({"pipeline": "other"}, 422), ({"file": "--help"}, 422), ({"file": "nothing.py"}, 422),
        ({"event": "other"}, 422), ({"parameters": {"word": "x" * 70_000}}, 422),
        ({"parameters": {"--help": "x"}}, 422), ({"branch": "--help"}, 422),
        ({"repository": "/nothing"}, 422), ({"repository": "ext::sh -c id"}, 422),
        ({"priority": 1}, 400),
    ],
)  # fmt: skip
def test_what_is_refused(
    master: Master, tmp_path: Path, members: dict[str, object], status: int
) -> None:
    place = repository(tmp_path / "repository")
    answer = plan(master, place, **members)
    assert answer.status == status, answer.body
    assert b"USAGE" not in answer.body or answer.status == 422


def test_what_takes_too_much_is_ended(master: Master, tmp_path: Path) -> None:
    place = repository(tmp_path / "repository", "while True: pass")
    answer = plan(master, place)
    assert answer.status == 422, answer.body
    assert master.ask("GET", "/api/v1/health").status == 200


def test_pipelines_are_told_with_their_last_job(master: Master, tmp_path: Path) -> None:
    place = repository(tmp_path / "repository", "step.run('test ' + word)", other=b"")
    first = master.run(place, pipeline="p", parameters={"word": "1"})
    last = master.run(place, pipeline="p", parameters={"word": ""})
    assert (first["state"], last["state"]) == ("success", "failure")
    one = master.ask("GET", "/api/v1/pipelines/p").json
    assert one["last"]["id"] == last["id"] and one["jobs"]["failure"] >= 1
    master.run(place, pipeline="q/ä")
    listed = master.ask("GET", "/api/v1/pipelines").json
    assert [entry["name"] for entry in listed["pipelines"]] == ["p", "q/ä"]
    assert listed["next"] is None
    page = master.ask("GET", "/api/v1/pipelines?limit=1").json
    assert [entry["name"] for entry in page["pipelines"]] == ["p"] and page["next"] == "p"
    rest = master.ask("GET", "/api/v1/pipelines?limit=1&after=p").json
    assert [entry["name"] for entry in rest["pipelines"]] == ["q/ä"]
    assert master.ask("GET", "/api/v1/pipelines/q%2F%C3%A4").json["name"] == "q/ä"
    assert master.ask("GET", "/api/v1/pipelines/none").status == 404


def figures(text: str) -> dict[str, float]:
    """The figures with their labels; every line has to be one."""
    found: dict[str, float] = {}
    for line in text.splitlines():
        if line.startswith("#"):
            assert re.fullmatch(r"# (HELP|TYPE) [a-z_]+ .+", line), line
            continue
        match = re.fullmatch(r'([a-z_]+(?:\{(?:[a-z]+="(?:[^"\\]|\\.)*",?)+\})?) (\S+)', line)
        assert match, line
        assert match[1] not in found, line
        found[match[1]] = float(match[2])
    return found


def test_metrics_count_what_ended(tmp_path: Path) -> None:
    place = repository(tmp_path / "repository", "step.run('test ' + word)")
    with Master(tmp_path / "data") as master:
        master.run(place, parameters={"word": "1"})
        master.run(place, parameters={"word": "1"})
        master.run(place, parameters={"word": ""})
        master.run(place, pipeline='q"\\\n')
        answer = master.wait_for(
            lambda: (
                found
                if 'pipeline="q' in (found := master.ask("GET", "/metrics").body.decode())
                else None
            )
        )
        found = figures(answer)
        assert found['danube_jobs_total{status="success",pipeline="p"}'] == 2
        assert found['danube_jobs_total{status="failure",pipeline="p"}'] == 1
        assert found['danube_jobs_total{status="failure",pipeline="q\\"\\\\\\n"}'] == 1
        assert found["danube_job_duration_seconds_count"] == 4
        assert found['danube_job_duration_seconds_bucket{le="+Inf"}'] == 4
        assert found["danube_db_size_bytes"] > 4096 and found["danube_log_size_bytes"] > 0
        assert 0 < found["danube_disk_free_bytes"] <= found["danube_disk_size_bytes"]
        assert found["danube_active_jobs"] == 0 and found["danube_job_queue_size"] == 0
        assert master.ask("GET", "/metrics", token="").status == 401


def test_metrics_are_open_when_that_is_configured(tmp_path: Path) -> None:
    with Master(tmp_path / "data", "[metrics]\nopen = true\n") as master:
        answer = master.ask("GET", "/metrics", token="")
        assert answer.status == 200 and answer.headers["content-type"].startswith("text/plain")
        assert master.ask("GET", "/api/v1/status", token="").status == 401


def test_a_plan_is_compiled_without_the_warm_host_as_well(
    master: Master, tmp_path: Path
) -> None:
    place = repository(tmp_path / "repository")
    first = plan(master, place).json
    for _ in range(3):
        for process in master.hosts:
            os.kill(process, signal.SIGKILL)
        assert plan(master, place).json == first
    # The next request begins a new one.
    assert plan(master, place).json == first
    assert len(master.hosts) == 1
