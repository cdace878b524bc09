"""Traces of a real master, sent to a collector that has faults on purpose."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest
from master import Master, repository, submit
from opentelemetry.proto.trace.v1.trace_pb2 import Status
from trace_collector import Collector, collector, facts

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
BODY = (
    "step.run('echo x >o', name='good', inputs=['danubefile.py'], outputs=['o'])",
    "step.run('test -e /nowhere/$RANDOM || exit 7', name='bad', retries=1, check=False)",
    "step.run('env', name='environment')",
)


def traced(folder: Path, port: int, *lines: str, **variables: str) -> Master:
    text = "\n".join([f'endpoint = "http://127.0.0.1:{port}"', *lines])
    return Master(folder / "data", f"[traces]\n{text}\n", variables)


def wait(master: Master, collected: Collector, job: str) -> None:
    master.wait_for(lambda: collected.of(job))


def figure(master: Master, name: str) -> int:
    found = re.search(rb"^%s (\d+)$" % name.encode(), master.ask("GET", "/metrics").body, re.M)
    assert found is not None
    return int(found[1])


def test_a_job_is_a_trace(tmp_path: Path) -> None:
    place = repository(tmp_path / "repository", *BODY)
    with collector() as collected, traced(tmp_path, collected.port) as master:
        header = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
        order = {"repository": str(place), "pipeline": "p"}
        job = master.ask("POST", "/api/v1/jobs", order, headers=header).json["id"]
        master.ended(job)
        wait(master, collected, job)
        spans = {span.name: span for span in collected.of(job)}
        root = spans["job p"]
        assert (root.trace_id.hex(), root.parent_span_id.hex()) == (TRACE, PARENT)
        assert facts(root)["cicd.pipeline.result"] == "success"
        assert {span.parent_span_id for span in spans.values()} - {root.parent_span_id} == {
            root.span_id
        }
        assert {"queue", "compile", "step good", "step bad", "step environment"} <= set(spans)
        assert spans["step good"].status.code == Status.STATUS_CODE_OK
        tries = [span for span in collected.of(job) if span.name == "step bad"]
        assert sorted(facts(one)["danube.step.attempt"] for one in tries) == [1, 2]
        assert all(one.status.code == Status.STATUS_CODE_ERROR for one in tries)
        assert {facts(one).get("process.exit.code") for one in tries} >= {7}
        for span in spans.values():
            assert root.start_time_unix_nano <= span.start_time_unix_nano
            assert span.start_time_unix_nano <= span.end_time_unix_nano
        path, headers = collected.requests[0]
        assert (path, headers["content-type"]) == ("/v1/traces", "application/json")
        resource = collected.taken[0].resource_spans[0].resource
        assert {"service.name", "service.version"} <= {one.key for one in resource.attributes}
        # What a step is given does not depend on who asked, or no result could be taken again.
        assert b"TRACEPARENT" not in master.logs(job) and TRACE.encode() not in master.logs(job)
        again = master.run(place)["id"]
        wait(master, collected, again)
        good = next(span for span in collected.of(again) if span.name == "step good")
        assert facts(good)["danube.step.cached"] and good.trace_id.hex() != TRACE
        assert figure(master, "danube_traces_sent_total") == 2


@pytest.mark.parametrize(
    "header",
    [
        "", "x", f"00-{TRACE}-{PARENT}", f"ff-{TRACE}-{PARENT}-01", f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01-more", f"00-{TRACE}-{PARENT}-0g", "0" * 5000,
    ],
)  # fmt: skip
def test_a_bad_traceparent_is_ignored(tmp_path: Path, header: str) -> None:
    with collector() as collected, traced(tmp_path, collected.port) as master:
        order = {"repository": str(tmp_path / "none"), "pipeline": "p"}
        answer = master.ask("POST", "/api/v1/jobs", order, headers={"traceparent": header})
        assert answer.status == 201
        master.ended(answer.json["id"])
        wait(master, collected, answer.json["id"])
        root = collected.of(answer.json["id"])[0]
        assert root.trace_id.hex() != TRACE and not root.parent_span_id
        assert root.status.code == Status.STATUS_CODE_ERROR and root.status.message


def test_sampling_is_as_the_caller_says_and_by_share(tmp_path: Path) -> None:
    place = repository(tmp_path / "repository")
    with collector() as collected, traced(tmp_path, collected.port, "sample = 0.0") as master:
        order = {"repository": str(place), "pipeline": "p"}
        for header in (None, f"00-{TRACE}-{PARENT}-00", f"00-{TRACE}-{PARENT}-01"):
            headers = {} if header is None else {"traceparent": header}
            job = master.ask("POST", "/api/v1/jobs", order, headers=headers).json["id"]
            master.ended(job)
        wait(master, collected, job)
        assert len({span.span_id for span in collected.spans if span.name == "job p"}) == 1


def test_headers_are_a_secret_of_a_file(tmp_path: Path) -> None:
    place = repository(tmp_path / "repository")
    file = tmp_path / "headers"
    file.write_text("Authorization: Bearer s3cr3t-value\n\nX-Scope: a b\n")
    file.chmod(0o600)
    with collector() as collected:
        line = f'headers = "{file}"'
        with traced(tmp_path, collected.port, line, DANUBE_LOG_LEVEL="debug") as master:
            collected.answers = [(503, {"Retry-After": "0"}), (401, {})]
            first = master.run(place)["id"]
            master.wait_for(lambda: figure(master, "danube_traces_dropped_total") == 1)
            second = master.run(place)["id"]
            wait(master, collected, second)
            assert not collected.of(first)
            sent = collected.requests[0][1]
            assert (sent["authorization"], sent["x-scope"]) == ("Bearer s3cr3t-value", "a b")
        assert b"s3cr3t" not in master.log.read_bytes()
        file.chmod(0o644)
        with pytest.raises(AssertionError, match="others than its owner"):
            master.start()


def test_a_collector_that_is_away_delays_nothing_and_gets_all_later(tmp_path: Path) -> None:
    place = repository(tmp_path / "repository")
    with collector() as gone:
        port = gone.port
    with traced(tmp_path, port) as master:
        jobs = [master.run(place)["id"] for _ in range(3)]
        master.wait_for(lambda: figure(master, "danube_traces_retries_total") > 0)
        with collector(port) as collected:
            collected.answers = [
                (429, {"Retry-After": "1"}), (502, {}), (504, {"Retry-After": "nonsense"}),
            ]  # fmt: skip
            for job in jobs:
                wait(master, collected, job)
            assert figure(master, "danube_traces_dropped_total") == 0


def test_what_waits_is_sent_when_the_master_ends(tmp_path: Path) -> None:
    place = repository(tmp_path / "repository")
    with collector() as collected, traced(tmp_path, collected.port) as master:
        collected.answers = [(503, {"Retry-After": "30"})]
        job = master.run(place)["id"]
        master.wait_for(lambda: not collected.answers)
        assert master.stop() == 0
        assert collected.of(job)


def test_a_collector_that_hangs_does_not_keep_the_master(tmp_path: Path) -> None:
    place = repository(tmp_path / "repository")
    with collector() as collected, traced(tmp_path, collected.port) as master:
        collected.stall.clear()
        for _ in range(3):
            master.run(place)
        master.wait_for(lambda: collected.requests)
        assert master.stop() == 0
        assert b"traces of jobs were not sent" in master.log.read_bytes()


def test_a_killed_master_doubles_no_trace(tmp_path: Path) -> None:
    place = repository(tmp_path / "repository", "step.run('sleep 2', name='slow')")
    with collector() as collected, traced(tmp_path, collected.port) as master:
        before = submit(master, place)
        master.wait_for(
            lambda: master.ask("GET", f"/api/v1/jobs/{before}").json["state"] == "running"
        )
        master.stop(signal.SIGKILL)
        master.start()
        master.ended(before)
        wait(master, collected, before)
        master.stop(signal.SIGKILL)
        master.start()
        after = master.run(place)["id"]
        wait(master, collected, after)
        for job in (before, after):
            roots = [span for span in collected.of(job) if span.name == "job p"]
            assert len(roots) == 1 and len({span.trace_id for span in collected.of(job)}) == 1
