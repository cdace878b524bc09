"""What a step printed is printed again when its result is taken from the cache."""

from __future__ import annotations

import base64
import json
import uuid
from pathlib import Path

import pytest

import cli
from runs import MODES, NOTE, STDERR, STDOUT, Frame, Place, frames

# The bound of LogRecording, and what a piece and its marks may add.
BOUND = 16 << 20
NASTY = bytes(range(256)) + b"\x1b]0;title\x07\x1b[1;31mred\x1b[0m\xff\xfe\xc3"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.repository.mkdir()
    return place


def _change(place: Place) -> None:
    """Changes the working copy, so that there is something to do, and nothing to execute."""
    for output in place.repository.glob("out*"):
        output.unlink()
    place.put("other", str(uuid.uuid4()))


def _again(place: Place, mode: str, *more: str) -> cli.Ended:
    """Runs it once more, when the outputs of the working copy are gone."""
    _change(place)
    ended = place.run(mode, *more)
    assert ended.status == 0, ended
    return ended


def _program(place: Place, text: str) -> str:
    """A step's command: a program that prints, and the step's output."""
    path = place.root / "program.py"
    path.write_text(
        "import os, sys\n"
        "def put(number, data):\n"
        "    while data: data = data[os.write(number, data):]\n" + text
    )
    return f"/usr/bin/python3 -S '{path}'; echo 1 > out"


def _write(place: Place, command: str, more: str = "") -> None:
    place.write(f"step.run({command!r}, name='Loud', inputs=[], outputs=['out']{more})")


def _joined(found: list[Frame]) -> list[tuple[int, bytes]]:
    """Frames of one stream that follow each other as one; all of the first attempt."""
    joined: list[tuple[int, bytes]] = []
    for frame in found:
        assert frame.attempt == 1
        if joined and joined[-1][0] == frame.kind != NOTE:
            joined[-1] = (frame.kind, joined[-1][1] + frame.content)
        else:
            joined.append((frame.kind, frame.content))
    return joined


def _kept(place: Place) -> list[Path]:
    """The logs in the content store."""
    contents = (place.cache / "cas/sha256").glob("*/*")
    return [path for path in contents if path.read_bytes().startswith(b"danube-output 1\n")]


def _events(ended: cli.Ended) -> list[dict]:
    return [json.loads(line) for line in ended.out.splitlines()]


def _output(events: list[dict], stream: str) -> bytes:
    return b"".join(
        event["text"].encode() if "text" in event else base64.b64decode(event["base64"])
        for event in events
        if event["event"] == "output" and event["stream"] == stream
    )


@pytest.mark.parametrize("mode", MODES)
def test_bytes_and_streams_and_their_order(place: Place, mode: str) -> None:
    _write(place, _program(place, f"put(1, {NASTY!r}); put(2, b'no\\n'); put(1, b'end')\n"))
    first = _events(place.run(mode, "--json"))
    printed = _joined(list(frames(place, 0)))
    assert b"".join(text for kind, text in printed if kind == STDOUT) == NASTY + b"end"
    job = first[0]["job"]
    for _ in range(2):
        events = _events(_again(place, mode, "--json"))
        (ended,) = [event for event in events if event["event"] == "step_ended"]
        assert ended["result"] == "cached" and ended["attempts"] == 0
        output = [event for event in events if event["event"] == "output"]
        assert output and all(event["cached"] is True for event in output)
        for stream in ("stdout", "stderr"):
            assert _output(events, stream) == _output(first, stream)
        note = (NOTE, f"cached, from job {job}".encode())
        assert _joined(list(frames(place, 0))) == [note, *printed]
    assert not any("cached" in event for event in first)


@pytest.mark.parametrize("mode", MODES)
def test_who_watches_lines_sees_it_and_nobody_else(place: Place, mode: str) -> None:
    _write(place, "echo one; echo two >&2; printf three; echo 1 > out")
    place.run(mode)
    ended = _again(place, mode)
    shown = [line for line in ended.out.splitlines() if "Loud" in line]
    assert [line.split()[-1] for line in shown[:-1]] == ["one", "two", "three"]
    assert "cached" in shown[-1]
    assert "one" not in _again(place, mode, "--quiet").out
    _change(place)
    tree = cli.on_terminal(
        *place.arguments(mode), columns=80, cwd=place.repository, env=place.env
    )
    assert tree.status == 0 and "cached" in tree.out and "one" not in tree.out


@pytest.mark.parametrize("mode", MODES)
def test_logs_of_the_new_job_have_it(place: Place, mode: str) -> None:
    _write(place, "printf 'one\\n'; echo 1 > out")
    place.run(mode)
    (job,) = [path.name for path in (place.state / "jobs").iterdir()]
    _again(place, mode)

    def logs(*arguments: str) -> cli.Ended:
        return cli.danube("logs", *arguments, cwd=place.repository, env=place.env)

    plain = logs("last", "Loud")
    assert plain.out == "one\n"
    assert plain.err.count(f"job {job}") == 1
    named = logs()
    assert [line.split(maxsplit=2)[2] for line in named.out.splitlines()] == [
        f"cached, from job {job}",
        "one",
    ]
    told = [json.loads(line) for line in logs("last", "--json").out.splitlines()]
    assert [(line["stream"], line["cached"]) for line in told] == [("note", True), ("stdout", True)]
    before = [json.loads(line) for line in logs(job, "--json").out.splitlines()]
    assert [line.get("cached") for line in before] == [None]


@pytest.mark.parametrize("mode", MODES)
def test_only_the_attempt_that_succeeded_is_printed_again(
    place: Place, mode: str, tmp_path: Path
) -> None:
    marker = tmp_path / "marker"
    _write(
        place,
        f"if test -e '{marker}'; then echo good; echo 1 > out; else : > '{marker}'; echo bad;"
        " exit 1; fi",
        ", retries=1",
    )
    place.run(mode)
    assert {frame.content for frame in frames(place, 0)} == {b"bad\n", b"good\n"}
    _again(place, mode)
    assert [text for kind, text in _joined(list(frames(place, 0))) if kind != NOTE] == [b"good\n"]


@pytest.mark.parametrize("mode", MODES)
def test_what_is_secret_stays_out_and_what_becomes_it_as_well(place: Place, mode: str) -> None:
    place.write(
        "s = secrets.get('S')\n"
        "step.run('echo $X word-4711-word; echo 1 > out', name='Loud', env={'X': s}, inputs=[],"
        " outputs=['out'])\n"
        "step.run('echo word-4711-word; echo 1 > out2', name='Open', inputs=[],"
        " outputs=['out2'])\n"
    )
    first = place.run(mode, "--secret", "S=canary-0815-canary")
    assert "canary" not in first.out and first.out.count("word-4711-word") == 2
    again = _again(place, mode, "--secret", "S=canary-0815-canary")
    assert "*** word-4711-word" in again.out and again.out.count("word-4711-word") == 2
    # A word that was printed then, and is a secret now.
    later = _again(place, mode, "--secret", "S=word-4711-word")
    assert "cached" in later.out and "Open │ ***\n" in later.out and "4711" not in later.out
    for path in place.root.rglob("*"):
        if path.is_file():
            assert b"canary" not in path.read_bytes(), path


@pytest.mark.parametrize("mode", MODES)
def test_of_much_the_beginning_and_the_end_are_kept(place: Place, mode: str) -> None:
    _write(
        place,
        _program(place, "for n in range(0, 700000, 1000):\n"
                 "    put(1, b''.join(b'%049d\\n' % m for m in range(n, n + 1000)))\n"),
    )  # fmt: skip
    first = place.run(mode, "--quiet")
    assert first.status == 0 and first.err == "", first
    events = _events(_again(place, mode, "--explain", "--json"))
    others = [event for event in events if event["event"] != "output"]
    assert "cached" in [event.get("result") for event in events], others
    found = _joined(list(frames(place, 0)))
    assert [kind for kind, _ in found] == [NOTE, STDOUT, NOTE, STDOUT]
    begin, end = found[1][1], found[3][1]
    assert begin.startswith(b"%049d\n" % 0) and begin.endswith(b"\n")
    assert end.endswith(b"%049d\n" % 699999) and len(end.splitlines()[0]) == 49
    left = 700000 * 50 - len(begin) - len(end)
    assert found[2][1] == b"%d of the %d bytes that were printed are not kept" % (left, 700000 * 50)
    assert BOUND - (1 << 18) < len(begin) + len(end) <= BOUND
    (log,) = _kept(place)
    assert log.stat().st_size <= BOUND + (1 << 16)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("damage", [True, False], ids=["damaged", "gone"])
def test_a_log_that_is_gone_is_no_miss(place: Place, mode: str, damage: bool) -> None:
    _write(place, "echo something; echo 1 > out")
    place.run(mode)
    (log,) = _kept(place)
    log.chmod(0o644)
    log.write_bytes(log.read_bytes().replace(b"some", b"many")) if damage else log.unlink()
    events = _events(_again(place, mode, "--json"))
    assert [event["result"] for event in events if event["event"] == "step_ended"] == ["cached"]
    assert not [event for event in events if event["event"] == "output"]
    (said,) = [event["text"] for event in events if event["event"] == "message"]
    assert "no longer in the cache" in said
    assert [frame.content.decode() for frame in frames(place, 0)] == [said]


def test_a_collection_takes_the_log_with_the_result(place: Place) -> None:
    _write(place, "echo something; echo 1 > out")
    _change(place)
    place.run("isolated")
    listed = cli.danube("cache", "stats", "--json", cwd=place.repository, env=place.env)
    full = json.loads(listed.out)
    gone = cli.danube("cache", "gc", "--max-size", "0", cwd=place.repository, env=place.env)
    assert gone.status == 0
    events = _events(_again(place, "isolated", "--json"))
    assert [event["result"] for event in events if event["event"] == "step_ended"] == ["succeeded"]
    listed = cli.danube("cache", "stats", "--json", cwd=place.repository, env=place.env)
    assert json.loads(listed.out) == full


@pytest.mark.parametrize("mode", MODES)
def test_a_step_that_prints_nothing_keeps_nothing(place: Place, mode: str) -> None:
    _write(place, "echo 1 > out")
    place.run(mode)
    assert _kept(place) == []
    _again(place, mode)
    assert list(frames(place, 0)) == []


def test_a_job_in_place_that_does_nothing_prints_nothing(place: Place) -> None:
    _write(place, "echo something; echo 1 > out")
    place.run("in-place")
    ended = place.run("in-place")
    assert ended.status == 0 and "something" not in ended.out
    shown = cli.danube("logs", "last", "Loud", cwd=place.repository, env=place.env)
    assert shown.out == "" and "has what it printed then" in shown.err


def test_reports_of_tests_are_counted_once(place: Place) -> None:
    report = '<testsuite tests="1"><testcase name="a"/></testsuite>'
    _write(place, f"echo running; echo '{report}' > out")
    body = (place.repository / "danubefile.py").read_text().rstrip()
    (place.repository / "danubefile.py").write_text(
        f"{body}\n    artifacts.upload('out', junit=True)\n"
    )
    summaries = []
    for ended in (place.run("isolated", "--json"), _again(place, "isolated", "--json")):
        assert ended.status == 0, ended
        summaries.append([e for e in _events(ended) if e["event"] == "run_ended"][0]["tests"])
    assert summaries[0] == summaries[1] == {"total": 1, "failed": 0, "skipped": 0}
    assert STDERR not in {frame.kind for frame in frames(place, 0)}
