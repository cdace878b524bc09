"""What a person sees: tables that fit the terminal, and colours only where they belong."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from cli import (
    MISTAKE,
    SUCCESS,
    commit,
    danube,
    environment,
    on_terminal,
    repository,
    uncoloured,
    width,
)
from fixture_cases import Case, cases

WIDTHS = [40, 80, 200]
CODES = re.compile(r"\x1b\[[0-9;]*m")

STRANGE = """\
print("a note that is longer than any terminal is wide, " * 6)
with parallel("builds, all of them, with a name that goes on and on and on"):
    with sequence("häuser und straßen 東京都 and more of it"):
        step.run("make " + "x" * 300, name="東京都" * 30)
        step.run("y", name="n" * 200, image="registry.example.com/a/b/c/" + "d" * 90 + ":1")
    for m in matrix(system=["debian", "alpine"], experimental=[True, False]):
        step.run("z", name=f"test {m.system}", image="python:3.12-slim-bookworm")
t = step.run("t", name="a step whose name is long, and which is asked for", check=False)
u = step.run("u", name="another", capture=True)
if t != 0 and (u == "one" or u.startswith("two" * 40)):
    step.run("echo\\tx", timeout="1h30m", retries=3,
             resources=Resources(cpu=2, memory="4Gi", disk="10Gi"),
             services=[Service("postgres:16-alpine", name="db")])
artifacts.upload("a/very/long/path/" * 12)
"""


def projects() -> list[Case]:
    """The realistic pipelines."""
    return cases("projects")


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("case", projects(), ids=lambda case: case.id)
def test_no_line_of_a_table_is_wider_than_the_terminal(
    case: Case, columns: int, tmp_path: Path, danube_program: Path
) -> None:
    root = case.stage(tmp_path / "r")
    shown = on_terminal("plan", "-C", root, *case.arguments, columns=columns)
    assert shown.status == SUCCESS
    table = uncoloured(shown.out)
    # Diagnostics are sentences, which the terminal wraps.
    table = table[table.rindex("\n", 0, table.index("  sha256:")) + 1 if "\n" in
                  table[: table.index("  sha256:")] else 0 :]  # fmt: skip
    assert [line for line in table.splitlines() if width(line) > columns] == []
    assert re.search(r"^ *1  .+", table, re.MULTILINE), table


@pytest.mark.parametrize("columns", [20, 30, *WIDTHS])
def test_strange_names_fit_as_well(columns: int, tmp_path: Path, danube_program: Path) -> None:
    root = repository(tmp_path / "r", STRANGE)
    shown = uncoloured(on_terminal("plan", "-C", root, "--all", columns=columns).out)
    wide = [line for line in shown.splitlines() if width(line) > max(columns, 40)]
    assert wide == []
    assert "\t" not in shown
    commit(root)
    repository(root, STRANGE.replace('"y"', '"y" + "longer " * 60').replace("t != 0", "t == 0"))
    changes = uncoloured(on_terminal("plan", "-C", root, "--against", "HEAD", columns=columns).out)
    assert [line for line in changes.splitlines() if width(line) > max(columns, 40)] == []
    matrix = on_terminal("plan", "-C", root, "--event", "push", "--event", "tag", columns=columns)
    lines = uncoloured(matrix.out).splitlines()
    assert [line for line in lines if width(line) > max(columns, 40)] == []


def test_a_table_shows_the_tree_the_image_and_why(tmp_path: Path, danube_program: Path) -> None:
    root = repository(tmp_path / "r", """\
step.run("make", name="build")
with parallel("checks"):
    step.run("lint", name="lint", image="node:22")
    with sequence("tests"):
        t = step.run("unit", name="unit", check=False)
        step.run("e2e", name="e2e")
if t != 0:
    step.run("report", name="report")
""")  # fmt: skip
    shown = on_terminal("plan", "-C", root, columns=80, env=environment(NO_COLOR="1")).out
    expected = """\
   STEP                 IMAGE    AFTER
1  build                alpine
   parallel checks
2  ├ lint               node:22  1
   └ sequence tests
3    ├ unit             alpine   1      may fail
4    └ e2e              alpine   3
5  report               alpine   2–4    if unit failed
"""
    squeezed = [re.sub(" +", " ", line).rstrip() for line in shown.splitlines()]
    for line in expected.splitlines():
        assert re.sub(" +", " ", line).rstrip() in squeezed, shown
    wide = on_terminal("plan", "-C", root, columns=200, env=environment(NO_COLOR="1")).out
    assert "COMMAND" in wide and "COMMAND" not in shown


def test_columns_are_aligned(tmp_path: Path, danube_program: Path) -> None:
    root = repository(tmp_path / "r", STRANGE)
    lines = uncoloured(on_terminal("plan", "-C", root, columns=100).out).splitlines()
    titles = next(line for line in lines if "STEP" in line and "IMAGE" in line)
    at = titles.index("IMAGE")
    rows = [line for line in lines if "python:3.12" in line]
    assert len(rows) == 4
    assert {width(line[: line.index("python:3.12")]) for line in rows} == {at}


def test_colour_is_for_terminals(tmp_path: Path, danube_program: Path) -> None:
    root = repository(
        tmp_path / "r", 'step.run("", name="a")\nstep.run("b", name="b", image="a b")'
    )
    good = repository(tmp_path / "g", 'step.run("x", name="a")')
    for command in (["plan"], ["lint"]):
        assert CODES.search(on_terminal(*command, "-C", root, columns=80).out)
        piped = danube(*command, "-C", root)
        assert not CODES.search(piped.out + piped.err)
    assert CODES.search(on_terminal("plan", "-C", good, columns=80).out)
    assert not CODES.search(danube("plan", "-C", good).out)


@pytest.mark.parametrize(
    ("arguments", "variables", "coloured"),
    [
        ([], {"NO_COLOR": "1"}, False),
        ([], {"NO_COLOR": ""}, True),
        ([], {"TERM": "dumb"}, False),
        (["--color", "never"], {}, False),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
    ],
)
def test_colour_on_a_terminal_can_be_left_out(
    arguments: list[str], variables: dict[str, str], coloured: bool,
    tmp_path: Path, danube_program: Path,
) -> None:  # fmt: skip
    root = repository(tmp_path / "r", 'step.run("x", name="a")')
    env = environment(**variables)
    shown = on_terminal("plan", "-C", root, *arguments, columns=80, env=env)
    assert bool(CODES.search(shown.out)) == coloured


def test_colour_in_a_pipe_can_be_asked_for(tmp_path: Path, danube_program: Path) -> None:
    root = repository(tmp_path / "r", 'step.run("x", name="a")')
    assert CODES.search(danube("plan", "-C", root, "--color", "always").out)
    forced = environment(CLICOLOR_FORCE="1")
    assert CODES.search(danube("plan", "-C", root, env=forced).out)
    for name in ("json", "dot", "mermaid", "markdown", "sarif"):
        assert not CODES.search(danube("plan", "-C", root, "--format", name, env=forced).out)


def test_errors_are_coloured_only_on_terminals(danube_program: Path) -> None:
    assert CODES.search(on_terminal("plan", "-C", "/missing", columns=80).out)
    assert not CODES.search(danube("plan", "-C", "/missing").err)


def test_a_hostile_name_moves_no_cursor(tmp_path: Path, danube_program: Path) -> None:
    name = "\\x1b[2Jgone\\rover\\u202etxt\\x07\\x9b"
    root = repository(
        tmp_path / "r", f'step.run("x", name="a", env={{"A": "{name}"}})\nprint("{name}")'
    )
    shown = on_terminal("plan", "-C", root, columns=80, env=environment(NO_COLOR="1")).out
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", shown), repr(shown)
    assert "gone" in shown
    broken = repository(tmp_path / "b", f'{{}}["{name}"]')
    said = on_terminal("plan", "-C", broken, columns=80, env=environment(NO_COLOR="1"))
    assert said.status == MISTAKE
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", said.out), repr(said.out)


def test_a_terminal_without_unicode_gets_ascii(tmp_path: Path, danube_program: Path) -> None:
    root = repository(tmp_path / "r", """\
print("note")
with parallel("p"):
    step.run("x", name="a", timeout=5, retries=2)
    step.run("x" * 300, name="b" * 100)
step.run("y", name="c")
out = step.run("ls", name="d", capture=True)
for one in out.splitlines():
    pass
""")  # fmt: skip
    shown = on_terminal("plan", "-C", root, columns=80, env=environment(LC_ALL="C", NO_COLOR="1"))
    assert shown.status == SUCCESS and shown.out.isascii(), shown.out
    matrix = on_terminal("plan", "-C", root, "--event", "push", "--event", "tag", columns=80,
                         env=environment(LC_ALL="C", NO_COLOR="1"))  # fmt: skip
    assert matrix.out.isascii(), matrix.out


def test_long_runs_are_folded_on_a_terminal_only(tmp_path: Path, danube_program: Path) -> None:
    root = repository(tmp_path / "r", 'for n in range(400):\n    step.run("x", name=f"s {n}")')
    folded = on_terminal("plan", "-C", root, columns=80)
    assert len(folded.out.splitlines()) < 20 and "more like these" in folded.out
    assert "--all" in folded.out
    for whole in (on_terminal("plan", "-C", root, "--all", columns=80), danube("plan", "-C", root)):
        assert len(whole.out.splitlines()) > 400


def test_a_folder_is_planned_the_same_on_a_narrow_terminal(
    tmp_path: Path, danube_program: Path
) -> None:
    """Cutting text is for people: no other form loses any of it."""
    root = tmp_path / "r"
    shutil.copytree(projects()[0].folder, root)
    for name in ("json", "mermaid", "dot", "markdown"):
        narrow = environment(COLUMNS="20")
        assert danube("plan", "-C", root, "--format", name, env=narrow).out \
            == danube("plan", "-C", root, "--format", name).out  # fmt: skip
