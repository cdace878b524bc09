"""Every fixture compiles to its golden plan, the same bytes wherever and whenever it is compiled.

`DANUBE_UPDATE_GOLDENS=1` writes the goldens instead; read their difference before committing it.
"""

from __future__ import annotations

import ast
import hashlib
import json
import subprocess
from pathlib import Path

import jsonschema
import pytest
from fixture_cases import (
    MAX_GOLDEN_BYTES,
    ROOT,
    Case,
    Surroundings,
    canonical,
    cases,
    golden,
    plan,
)

ELSEWHERE = Surroundings(hash_seed="4711", time_zone="Asia/Kathmandu", locale="C.UTF-8")
ALL = cases("compile") + cases("projects")


def compiled(case: Case, root: Path, surroundings: Surroundings = Surroundings()) -> bytes:
    """The canonical plan of a fixture that was put into `root`."""
    ended = plan(root, case.arguments, surroundings=surroundings)
    assert ended.returncode == 0, ended.stderr.decode()
    return ended.stdout


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.id)
def test_a_fixture_compiles_to_its_golden(
    case: Case, tmp_path: Path, danube: Path, update_goldens: bool
) -> None:
    output = compiled(case, case.stage(tmp_path / "repository")).removesuffix(b"\n")
    found = json.loads(output)
    assert output == canonical(found), "the plan is not in its canonical form"
    text = golden(found)
    digest = f"sha256:{hashlib.sha256(output).hexdigest()}\n"
    files = {"plan.json": text} if len(text.encode()) <= MAX_GOLDEN_BYTES else {}
    if case.folder.parent.name == "projects":
        files["plan.digest"] = digest
    assert files, f"{case.id} is too large for a golden"
    for name, content in files.items():
        path = case.folder / name
        if update_goldens:
            path.write_text(content)
        assert path.exists(), f"no golden {path}: write it with DANUBE_UPDATE_GOLDENS=1"
        assert content == path.read_text()


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.id)
def test_the_surroundings_do_not_change_a_plan(case: Case, tmp_path: Path, danube: Path) -> None:
    here = compiled(case, case.stage(tmp_path / "repository"))
    other = tmp_path / "a much longer path" / "with ünïcode" / "repository"
    other.parent.mkdir(parents=True)
    assert compiled(case, case.stage(other), ELSEWHERE) == here


def with_another_step(source: str, place: str) -> str:
    """The danubefile with one more step in every block of a kind, before what is there."""
    lines = source.split("\n")
    firsts = set()
    for node in ast.walk(ast.parse(source)):
        if place == "branch" and isinstance(node, ast.If):
            firsts |= {body[0] for body in (node.body, node.orelse) if body}
        elif isinstance(node, ast.FunctionDef):
            names = " ".join(ast.unparse(one) for one in node.decorator_list)
            if ("pipeline" in names) == (place == "pipeline") and place != "branch":
                documented = ast.get_docstring(node) is not None and len(node.body) > 1
                firsts.add(node.body[1 if documented else 0])
    for first in sorted(firsts, key=lambda node: -node.lineno):
        number = min([first.lineno, *(one.lineno for one in getattr(first, "decorator_list", ()))])
        start = lines[number - 1]
        # What stands behind an `if …:` or is an `elif` has no line of its own.
        if start[: first.col_offset].strip() or start.lstrip().startswith("elif"):
            continue
        call = '__import__("danube").step.run("./unrelated", check=False)'
        lines.insert(number - 1, " " * first.col_offset + call)
    return "\n".join(lines)


@pytest.mark.parametrize("place", ["pipeline", "branch", "helper"])
@pytest.mark.parametrize("case", ALL, ids=lambda case: case.id)
def test_an_unrelated_step_changes_no_id(
    case: Case, place: str, tmp_path: Path, danube: Path
) -> None:
    root = case.stage(tmp_path / "repository")
    before = [one["id"] for one in json.loads(compiled(case, root))["steps"]]
    file = root / "danubefile.py"
    text = with_another_step(file.read_text(), place)
    if text == file.read_text():
        return  # there is no such block
    file.write_text(text)
    after = [one["id"] for one in json.loads(compiled(case, root))["steps"]]
    after = [one for one in after if "unrelated" not in one]
    if place == "branch" and len(set(before)) != len({one.partition("~")[0] for one in before}):
        # Of a step that stands on several paths there may be more copies, or fewer.
        assert {one.partition("~")[0] for one in after} == {one.partition("~")[0] for one in before}
    elif place == "branch":
        assert {one for one in after if "~" not in one} == set(before)
    else:
        assert after == before


def test_every_golden_is_accepted_as_a_plan(danube: Path) -> None:
    for case in ALL:
        path = case.folder / "plan.json"
        if path.exists():
            ended = subprocess.run(
                [danube, "plan", "--check", path], capture_output=True, stdin=subprocess.DEVNULL
            )
            assert ended.returncode == 0, ended.stderr.decode()


def test_goldens_follow_the_schema() -> None:
    schema = json.loads((ROOT / "proto/danube/plan/v1/plan.schema.json").read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)
    validator.check_schema(schema)
    goldens = [case.folder / "plan.json" for case in ALL if (case.folder / "plan.json").exists()]
    assert goldens
    for path in goldens:
        problems = [f"{path}: {error.json_path}: {error.message}"
                    for error in validator.iter_errors(json.loads(path.read_text()))]  # fmt: skip
        assert problems == []


def test_projects_are_of_many_kinds() -> None:
    assert len(cases("projects")) >= 15
    assert len(cases("compile")) >= 40


def test_no_fixture_is_orphaned() -> None:
    """Every file that belongs to a test belongs to a case that is run."""
    for case in ALL:
        assert case.danubefile.exists(), f"{case.id} has no danubefile.py"
        assert case.danubefile.read_text().startswith("# "), f"{case.id} does not say what it shows"
        assert (case.folder / "plan.json").exists() or (case.folder / "plan.digest").exists()
