"""Each mistake of the diagnostics fixtures is reported at its line, and nothing else is."""

from __future__ import annotations

import ast
import keyword
import re
import shutil
from pathlib import Path

import fixture_cases
import pytest
from diagnostic_cases import README_EXAMPLE, DiagnosticCase, cases, reported, typos
from fixture_cases import ROOT, Case

USERS_MISTAKE = 2


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.id)
def test_each_mistake_is_reported_at_its_line(
    case: DiagnosticCase, tmp_path: Path, danube: Path
) -> None:
    root = case.stage(tmp_path / "repository")
    status, found, errors = reported(root, case.arguments)
    expected = case.expected
    assert expected, f"{case.id} expects nothing"
    missing = [str(one) for one in expected if not any(one.matches(it) for it in found)]
    # A note explains; only warnings and errors must be asked for.
    surplus = [
        str(one)
        for one in found
        if one.level != "note" and not any(it.matches(one) for it in expected)
    ]
    assert (missing, surplus) == ([], []), errors
    is_mistake = any(one.level == "error" for one in expected)
    assert status == (USERS_MISTAKE if is_mistake else 0), errors


@pytest.mark.parametrize("typo", typos(), ids=lambda typo: typo["by"].strip().replace("\n", " "))
def test_a_typo_in_the_example_of_the_readme_says_how_to_mend_it(
    typo: dict[str, str], tmp_path: Path, danube: Path
) -> None:
    root = Case(README_EXAMPLE).stage(tmp_path / "repository")
    file = root / "danubefile.py"
    text = file.read_text()
    assert typo["replace"] in text
    changed = text.replace(typo["replace"], typo["by"], 1)
    file.write_text(changed)
    place = text.index(typo["replace"]) if "line_of" not in typo else text.index(typo["line_of"])
    line = changed.count("\n", 0, place) + 1
    lines = range(_statement(changed, line), line + typo["by"].rstrip("\n").count("\n") + 1)

    ended = fixture_cases.plan(root, Case(README_EXAMPLE).arguments, output="table")
    shown = ended.stderr.decode()
    assert ended.returncode == USERS_MISTAKE, shown
    level = typo.get("level", "error")
    pattern = re.compile(rf"danubefile\.py:(\d+):\d+: {level}[^\n]*{re.escape(typo['message'])}")
    found = [int(number) for number in pattern.findall(shown)]
    assert [number for number in found if number in lines], shown
    _, in_sarif, _ = reported(root, Case(README_EXAMPLE).arguments)
    assert any(one.code == typo["code"] and one.line in lines for one in in_sarif), in_sarif
    hints = re.findall(r"hint: (.*)", shown)
    assert any(typo.get("hint", "") in hint for hint in hints), shown


def test_every_name_of_the_example_of_the_readme_has_a_typo() -> None:
    """Names, attributes, arguments and words of the language; what is inside texts is free."""
    source = (README_EXAMPLE / "danubefile.py").read_text()
    words: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.alias):
            words.add(node.name)
        elif isinstance(node, ast.Name):
            words.add(node.id)
        elif isinstance(node, ast.Attribute):
            words.add(node.attr)
        elif isinstance(node, ast.keyword) and node.arg:
            words.add(node.arg)
    words |= {one for one in keyword.kwlist if re.search(rf"^[^#\"]*\b{one}\b", source, re.M)}
    mistaken = {
        word
        for typo in typos()
        for word in re.findall(r"\w+", typo["replace"])
        if len(re.findall(rf"\b{word}\b", typo["replace"]))
        > len(re.findall(rf"\b{word}\b", typo["by"]))
    }
    assert sorted(words - mistaken) == []


def _statement(source: str, line: int) -> int:
    """The line where the statement on a line begins: a call is reported at its first line."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return line
    simple = [node for node in ast.walk(tree) if isinstance(node, (ast.Expr, ast.Assign))]
    around = [one.lineno for one in simple if one.lineno <= line <= (one.end_lineno or 0)]
    return max(around, default=line)


def test_every_code_that_a_fixture_can_show_has_one() -> None:
    """The codes of docs/diagnostics.md are those of the fixtures, and the few named here."""
    # Limits of the machine, revisions and faults of the environment are shown by the tests of the
    # bridge and the command line, and no danubefile is known that does not do the same twice.
    elsewhere = re.compile(r"DNB(207|605|802|804|805|807|9\d\d)")
    listed = set(re.findall(r"\bDNB\d{3}\b", (ROOT / "docs" / "diagnostics.md").read_text()))
    shown = {one.code for case in cases() for one in case.expected}
    shown |= {typo["code"] for typo in typos()}
    assert shown <= listed, "a code of a fixture is not documented"
    missing = sorted(code for code in listed - shown if not elsewhere.fullmatch(code))
    assert missing == []


def test_all_problems_are_reported_in_the_form_of_a_compiler(tmp_path: Path, danube: Path) -> None:
    root = tmp_path / "repository"
    shutil.copytree(README_EXAMPLE, root, ignore=shutil.ignore_patterns("plan.*", "args"))
    file = root / "danubefile.py"
    file.write_text(file.read_text().replace("tests != 0", "test != 0"))
    shown = fixture_cases.plan(root, [], output="table").stderr.decode()
    number = 1 + file.read_text()[: file.read_text().index("if test ")].count("\n")
    head, source, marks, hint = shown.splitlines()[:4]
    assert re.match(rf"danubefile\.py:{number}:8: error\b.*`test`", head), shown
    assert source.split() == [str(number), "|", "if", "test", "!=", "0:"], shown
    assert marks.strip(" |") == "^^^^", shown
    assert hint.strip().startswith("hint: ") and "`tests`" in hint, shown


def test_no_diagnostics_fixture_is_orphaned() -> None:
    for case in cases():
        is_case = case.path.suffix == ".py" or (case.path / "expect").exists()
        assert is_case, f"{case.id} is neither a danubefile nor a folder with `expect`"
