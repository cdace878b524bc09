"""`danube logs` of a job on a master, whole and followed."""

from __future__ import annotations

import json
import subprocess

import pytest
from cli import ENVIRONMENT, SUCCESS, on_terminal
from fixture_cases import executable
from played_master import JOB, Master, Reply, job, line, logs, step


def test_a_log_is_printed_as_on_this_machine(master: Master) -> None:
    master.answers["GET jobs"] = lambda reply: reply.json({"jobs": [job()], "next": None})
    master.answers[f"GET jobs/{JOB}"] = lambda reply: reply.json(job())
    master.answers[f"GET jobs/{JOB}/steps"] = lambda reply: reply.json(
        {"steps": [step(0, "Build"), step(1, "Long name")]}
    )
    master.answers[f"GET jobs/{JOB}/logs/stream"] = logs(
        line("Build", "one\n"), line("Long name", "two"), line("Build", "three\n")
    )
    ended = master.danube("logs", "--remote")
    assert (ended.status, ended.err) == (SUCCESS, "")
    assert ended.out == "Build     | one\nBuild     | three\nLong name | two\n"
    timed = master.danube("logs", JOB, "Long", "--remote", "--timestamps")
    assert timed.out == "2026-01-02T03:04:05.300Z two\n"


def test_the_bytes_of_a_step_are_printed(master: Master) -> None:
    content = bytes(range(256)) * 50
    master.answers[f"GET jobs/{JOB}"] = lambda reply: reply.json(job())
    master.answers["GET jobs"] = lambda reply: reply.json({"jobs": [job()], "next": None})
    steps = {"steps": [step(0, "A/B é")]}
    master.answers[f"GET jobs/{JOB}/steps"] = lambda reply: reply.json(steps)

    def answer(reply: Reply) -> None:
        if len(master.asked(f"GET jobs/{JOB}/logs")) == 1:
            reply.head(Content_Length=str(len(content)))
            reply.write(content[:777])  # and the connection breaks off
        else:
            reply.whole(content)

    master.answers[f"GET jobs/{JOB}/logs"] = answer
    for words in ([JOB, "A/B"], ["A/B"]):
        program = executable()
        assert program is not None
        ended = subprocess.run(
            [program, "logs", *words, "--remote"], env=master.environment(), capture_output=True
        )
        assert ended.returncode == SUCCESS and ended.stdout == content
    assert master.asked(f"GET jobs/{JOB}/logs")[0].query == {"step": "A/B é"}
    terminal = on_terminal("logs", "A/B", "--remote", columns=80, env=master.environment())
    assert "\x1b" not in terminal.out and "\x07" not in terminal.out


def test_a_follower_goes_on_where_the_connection_was_lost(master: Master) -> None:
    """The connection is cut in the middle of an event, and again between two."""

    def answer(reply: Reply) -> None:
        last = int(reply.request.headers.get("last-event-id", "0"))
        reply.head(Content_Type="text/event-stream", Transfer_Encoding="chunked")

        def chunk(text: str) -> None:
            piece = text.encode()
            reply.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")

        for number in range(last + 1, last + 4):
            if number > 9:
                chunk(f"event: end\ndata: {json.dumps(job())}\n\n")
                reply.write(b"0\r\n\r\n")
                return
            data = json.dumps(line("S", f"{number}\n"))
            chunk(f": alive\nid: {number}\ndata: {data}\n\n")
        chunk(f"id: {last + 4}\ndata: " + '{"step":"S","te')

    master.answers[f"GET jobs/{JOB}"] = lambda reply: reply.json(job(state="running"))
    master.answers[f"GET jobs/{JOB}/steps"] = lambda reply: reply.json({"steps": [step(0, "S")]})
    master.answers[f"GET jobs/{JOB}/logs/stream"] = answer
    ended = master.danube("logs", JOB, "-f", "--remote")
    assert ended.status == SUCCESS, ended.err
    assert ended.out == "".join(f"S | {number}\n" for number in range(1, 10))
    asked = master.asked(f"GET jobs/{JOB}/logs/stream")
    assert [one.headers.get("last-event-id") for one in asked] == [None, "3", "6", "9"]


def test_a_follower_that_gets_nothing_gives_up(master: Master) -> None:
    master.answers[f"GET jobs/{JOB}"] = lambda reply: reply.json(job(state="running"))
    master.answers[f"GET jobs/{JOB}/steps"] = lambda reply: reply.json({"steps": []})
    master.answers[f"GET jobs/{JOB}/logs/stream"] = lambda reply: reply.head()
    ended = master.danube("logs", JOB, "-f", "--remote")
    assert ended.status == ENVIRONMENT and "ends the log" in ended.err
    assert any("logs -f" in hint for hint in ended.hints)
    assert len(master.asked(f"GET jobs/{JOB}/logs/stream")) == 8


@pytest.mark.parametrize(
    "body",
    [b"data: {\n\n", b"data: x\n\n", b"event: end\ndata: {}\n\n", b"data: " + b"x" * (5 << 20)],
    ids=range(4),
)
def test_a_stream_that_is_none_is_said(body: bytes, master: Master) -> None:
    master.answers[f"GET jobs/{JOB}"] = lambda reply: reply.json(job())
    master.answers[f"GET jobs/{JOB}/steps"] = lambda reply: reply.json({"steps": []})
    master.answers[f"GET jobs/{JOB}/logs/stream"] = lambda reply: reply.whole(body)
    ended = master.danube("logs", JOB, "--remote")
    assert ended.status == ENVIRONMENT and "is not the" in ended.err


def test_a_quiet_stream_is_not_given_up(master: Master) -> None:
    def answer(reply: Reply) -> None:
        reply.head()
        reply.event(line("S", "first\n"), 1)
        reply.stopping.wait(3)
        reply.event(job(), name="end")

    master.answers[f"GET jobs/{JOB}"] = lambda reply: reply.json(job(state="running"))
    master.answers[f"GET jobs/{JOB}/steps"] = lambda reply: reply.json({"steps": []})
    master.answers[f"GET jobs/{JOB}/logs/stream"] = answer
    ended = master.danube("logs", JOB, "-f", "--remote", DANUBE_MASTER_TIMEOUT="1s")
    assert (ended.status, ended.out) == (SUCCESS, "S | first\n")
    assert len(master.asked(f"GET jobs/{JOB}/logs/stream")) == 1
