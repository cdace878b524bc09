"""`danube plan --against`: what a change means, and nothing of what it does not mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli import MISTAKE, SUCCESS, commit, danube, git, repository

BEFORE = """\
first = step.run("make first", name="first", timeout=60)
second = step.run("make second", name="second", env={"A": "1"})
if step.run("./check", name="check", check=False) != 0:
    step.run("./repair", name="repair")
step.run("make last", name="last", inputs=["src/**"], outputs=["out/"])
artifacts.upload("out/", name="out")
"""
SAME = "The plan is the same."


def difference(tmp_path: Path, before: str, after: str, *arguments: str, **kinds: str) -> Any:
    """What `--against` says of a change, as JSON."""
    root = repository(tmp_path / "r", before, **kinds)
    commit(root)
    repository(root, after, **kinds)
    ended = danube("plan", "-C", root, "--against", "HEAD", "--json", *arguments)
    assert (ended.status, ended.err) == (SUCCESS, "")
    return json.loads(ended.out)


def fields(found: Any) -> dict[str, tuple[str, str]]:
    """The fields of the only step that changed."""
    (step,) = found["changed"]
    return {one["field"]: (one["old"], one["new"]) for one in step["fields"]}


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(BEFORE, id="nothing"),
        pytest.param(BEFORE.replace("first =", "renamed ="), id="a renamed variable"),
        pytest.param("\n# moved\n" + BEFORE.replace("second =", "\nsecond ="), id="moved lines"),
        pytest.param(BEFORE.replace('{"A": "1"}', 'dict(A=str(1))'), id="other words for a value"),
        pytest.param(BEFORE.replace("timeout=60", 'timeout="1m"'), id="another unit"),
        pytest.param(BEFORE.replace('run("make first",', 'run(command="make first",'),
                     id="a named argument"),
    ],
)  # fmt: skip
def test_what_means_the_same_is_no_difference(
    after: str, tmp_path: Path, danube_program: Path
) -> None:
    root = repository(tmp_path / "r", BEFORE)
    commit(root)
    repository(root, after)
    ended = danube("plan", "-C", root, "--against", "HEAD")
    assert (ended.status, ended.err) == (SUCCESS, "")
    assert ended.out == f"P  since HEAD\n\n{SAME}\n"


def test_added_and_removed_steps_are_named(tmp_path: Path, danube_program: Path) -> None:
    after = BEFORE.replace('artifacts.upload("out/", name="out")', 'step.run("x", name="new")')
    found = difference(tmp_path, BEFORE, after)
    assert (found["added"], found["changed"]) == (["p/new"], [])
    assert found["removed"] == ["p/upload-out"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("make first", "make 1", {"run": ("make first", "make 1")}),
        ("timeout=60", "timeout=90", {"timeout": ("1m", "1m30s")}),
        ("timeout=60", "", {"timeout": ("1m", "")}),
        ('{"A": "1"}', '{"A": "2"}', {"env.A": ('"1"', '"2"')}),
        ('{"A": "1"}', '{"B": "1"}', {"env.A": ('"1"', ""), "env.B": ("", '"1"')}),
        ('name="second"', 'name="second", image="debian:12"', {"image": ("alpine", "debian:12")}),
        ('name="second"', 'name="second", workdir="a"', {"workdir": ("", "a")}),
        ('name="second"', 'name="second", cache=True', {"cache": ("auto", "always")}),
        ('name="second"', 'name="second", check=False', None),
        ('name="second"', 'name="second",resources=Resources(gpu=1)', {"resources": ("", "1 GPU")}),
        ('"src/**"', '"src/**", "Makefile"', None),
        ("!= 0", "== 3", {"when": ("if check failed", "if check exited 3")}),
    ],
)  # fmt: skip
def test_a_changed_field_is_said_with_both_values(
    old: str, new: str, expected: dict[str, tuple[str, str]] | None,
    tmp_path: Path, danube_program: Path,
) -> None:  # fmt: skip
    assert old in BEFORE
    found = difference(tmp_path, BEFORE, BEFORE.replace(old, new, 1))
    assert (found["added"], found["removed"]) == ([], [])
    if expected is None:
        assert len(fields(found)) == 1
    else:
        assert fields(found) == expected


def test_a_step_that_waits_for_others_is_rewired(tmp_path: Path, danube_program: Path) -> None:
    after = BEFORE.replace('name="second"', 'name="second", needs=[]')
    root = repository(tmp_path / "r", BEFORE)
    commit(root)
    repository(root, after)
    shown = danube("plan", "-C", root, "--against", "HEAD").out
    lines = shown.splitlines()
    assert "↳ second" in lines, shown
    start = lines.index("↳ second")
    assert lines[start + 1].strip() in ("after", "needs") and "- first" in shown
    assert "re-wired" in lines[-1]


def test_the_difference_is_printed_for_people(tmp_path: Path, danube_program: Path) -> None:
    root = repository(tmp_path / "r", BEFORE)
    commit(root)
    repository(root, BEFORE.replace("timeout=60", "timeout=90").replace("make last", "make all")
               + 'step.run("x", name="new")')  # fmt: skip
    shown = danube("plan", "-C", root, "--against", "HEAD").out.splitlines()
    assert shown[0] == "P  since HEAD"
    assert "+ new" in shown and "~ first" in shown and "~ last" in shown
    at = shown.index("~ first")
    assert [line.strip() for line in shown[at + 1 : at + 4]] == ["timeout", "- 1m", "+ 1m30s"]
    assert shown[-1].startswith("steps: 1 added, 2 changed")


def test_the_image_and_parameters_of_the_pipeline_differ(
    tmp_path: Path, danube_program: Path
) -> None:
    root = repository(tmp_path / "r", BEFORE)
    commit(root)
    file = root / "danubefile.py"
    file.write_text(file.read_text().replace('image="alpine"', 'image="debian:12"'))
    shown = danube("plan", "-C", root, "--against", "HEAD").out
    assert "alpine" in shown and "debian:12" in shown and SAME not in shown


def test_two_revisions_are_compared_in_a_bare_repository(
    tmp_path: Path, danube_program: Path
) -> None:
    root = repository(tmp_path / "r", BEFORE)
    commit(root)
    repository(root, BEFORE.replace("make first", "make 1"))
    commit(root)
    git(tmp_path, "clone", "--quiet", "--bare", "r", "bare.git")
    shown = danube("plan", "-C", tmp_path / "bare.git", "--rev", "main", "--against", "main~1")
    assert shown.status == SUCCESS and "- make first" in shown.out and "+ make 1" in shown.out


def test_an_old_danubefile_that_is_broken_is_reported(tmp_path: Path, danube_program: Path) -> None:
    root = repository(tmp_path / "r", 'step.run("", name="a")')
    commit(root)
    repository(root, 'step.run("x", name="a")')
    ended = danube("plan", "-C", root, "--against", "HEAD")
    assert ended.status == MISTAKE and "[DNB304]" in ended.err and ended.out == ""


def test_against_takes_one_event(tmp_path: Path, danube_program: Path) -> None:
    ended = danube("plan", "-C", tmp_path, "--against", "HEAD", "--event", "push", "--event", "tag")
    assert ended.status == MISTAKE and "--against compares one event" in ended.err
