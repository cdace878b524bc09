"""What a run looks like on a terminal, by an emulator; and that its event stream is as described.

The Swift tests compare the bytes of `tree.frames` with what the program makes; here they are
played, so that each golden screen is what a person sees.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pyte
import pytest
from fixture_cases import ROOT

CASES = sorted(path.parent for path in (ROOT / "fixtures" / "watch").glob("*/case"))
SCHEMA = ROOT / "proto" / "danube" / "run" / "v1" / "events.schema.json"
ESCAPES = {"e": "\x1b", "n": "\n", "r": "\r", "\\": "\\"}


def unescaped(text: str) -> str:
    """The bytes of a line of `tree.frames`."""
    return re.sub(
        r"\\(?:x([0-9a-f]{2})|(.))",
        lambda match: chr(int(match[1], 16)) if match[1] else ESCAPES[match[2]],
        text,
    )


def script(case: Path) -> Iterator[list[str]]:
    """The words of the lines of a case."""
    for line in (case / "case").read_text().splitlines():
        yield line.split()


def played(case: Path) -> tuple[pyte.Screen, list[str]]:
    """The terminal after the last write, and what its screen was after each."""
    columns, rows = 80, 24
    resizes = any(words[:1] == ["resize"] for words in script(case))
    for words in script(case):
        if words[:1] == ["screen"]:
            columns, rows = (int(number) for number in words[1].split("x"))
    assert not resizes, "the emulator does not wrap lines anew"
    terminal = pyte.Screen(columns, rows)
    stream = pyte.Stream(terminal)
    screens: list[str] = []
    for number, line in enumerate((case / "tree.frames").read_text().splitlines()):
        stream.feed(unescaped(line))
        shown = "\n".join(row.rstrip() for row in terminal.display).rstrip()
        screens.append(f"--- write {number + 1}\n{shown}\n")
    return terminal, screens


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_screen_is_as_its_golden_says(case: Path, update_goldens: bool) -> None:
    _, screens = played(case)
    golden = case / "tree.screens"
    if update_goldens:
        golden.write_text("".join(screens))
    assert "".join(screens) == golden.read_text()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_terminal_is_left_as_it_was(case: Path) -> None:
    text = unescaped((case / "tree.frames").read_text())
    for line in text.split("\x1b[?2026l"):
        # Each frame ends what it began, so that nothing is left when the program is killed.
        for mode in ("\x1b[?25", "\x1b[?7"):
            assert line.count(f"{mode}l") == line.count(f"{mode}h")
    terminal, _ = played(case)
    assert pyte.modes.DECAWM in terminal.mode
    assert pyte.modes.DECTCEM in terminal.mode
    assert not terminal.cursor.hidden
    assert terminal.cursor.x == 0


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_event_is_as_the_schema_says(case: Path) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
    events = [json.loads(line) for line in (case / "events.jsonl").read_text().splitlines()]
    for event in events:
        validator.validate(event)
    assert events[0]["event"] == "run_started"
    assert events[-1]["event"] == "run_ended"
    times = [event["at_ns"] for event in events]
    assert times == sorted(times)


def test_the_schema_refuses_what_is_no_event() -> None:
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
    good = {"v": 1, "event": "note", "text": "a", "at_ns": 0}
    assert validator.is_valid(good)
    assert validator.is_valid({**good, "added_later": True})
    for change in ({"v": 2}, {"event": "other"}, {"text": 1}, {"at_ns": -1}):
        assert not validator.is_valid({**good, **change}), change
    assert not validator.is_valid({"v": 1, "event": "note", "at_ns": 0})


def test_every_event_and_field_is_described() -> None:
    page = (ROOT / "docs" / "run-events.md").read_text()
    schema = json.loads(SCHEMA.read_text())
    for event in schema["oneOf"]:
        name = event["properties"]["event"]["const"]
        section = page.partition(f"## `{name}`")[2].partition("\n## ")[0]
        assert section, name
        for field in event["properties"]:
            if field != "event":
                assert f"`{field}`" in section + page.partition("\n## ")[0], (name, field)
