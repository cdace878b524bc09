"""`--param`: every type that a pipeline's function may ask for, and wrong values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli import MISTAKE, SUCCESS, Ended, danube, repository

HEAD = """\
from enum import Enum
from typing import Literal

class Colour(Enum):
    RED = "red"
    BLUE = "blue"
"""


def plan(tmp_path: Path, parameters: str, *given: str, body: str = "") -> Ended:
    """Plans a pipeline with these parameters, of which `p` is looked at."""
    body = body or 'step.run(f"echo {p!r}", name="a")'
    root = repository(tmp_path / "r", body, head=HEAD, arguments=parameters)
    arguments = [word for one in given for word in ("--param", one)]
    return danube("plan", "-C", root, "--no-memo", "--format", "json", *arguments)


def value(ended: Ended) -> tuple[str, Any, str]:
    """Type and value of the parameter in the plan, and how Python sees it."""
    assert (ended.status, ended.err) == (SUCCESS, "")
    plan = json.loads(ended.out)
    (parameter,) = plan["parameters"]
    return parameter["type"], parameter["value"], plan["steps"][0]["run"].removeprefix("echo ")


@pytest.mark.parametrize(
    ("annotation", "given", "kind", "expected", "seen"),
    [
        ("str", "x y=z", "str", "x y=z", "'x y=z'"),
        ("str", "", "str", "", "''"),
        ("int", "42", "int", 42, "42"),
        ("int", "-7", "int", -7, "-7"),
        ("float", "1.5", "float", 1.5, "1.5"),
        ("float", "2", "float", 2, "2.0"),
        ("float", "1e300", "float", 1e300, "1e+300"),
        ("int", str(2**53 - 1), "int", 2**53 - 1, str(2**53 - 1)),
        ("bool", "true", "bool", True, "True"),
        ("bool", "false", "bool", False, "False"),
        ('Literal["a", "b"]', "b", "literal", "b", "'b'"),
        ("Literal[1, 2]", "2", "literal", 2, "2"),
        ("Colour", "blue", "enum", "blue", "<Colour.BLUE: 'blue'>"),
        ("list[str]", "a,b", "list[str]", ["a", "b"], "['a', 'b']"),
        ("list[str]", "", "list[str]", [], "[]"),
        ("list[int]", "1,2,3", "list[int]", [1, 2, 3], "[1, 2, 3]"),
        ("list[float]", "1,2.5", "list[float]", [1.0, 2.5], "[1.0, 2.5]"),
        ("list[bool]", "true,false", "list[bool]", [True, False], "[True, False]"),
        ('list[Literal["a", "b"]]', "b,a", "list[literal]", ["b", "a"], "['b', 'a']"),
        ("list[Colour]", "red", "list[enum]", ["red"], "[<Colour.RED: 'red'>]"),
    ],
)
def test_a_value_is_taken_as_the_declared_type(
    annotation: str, given: str, kind: str, expected: Any, seen: str,
    tmp_path: Path, danube_program: Path,
) -> None:  # fmt: skip
    assert value(plan(tmp_path, f"p: {annotation}", f"p={given}")) == (kind, expected, seen)


@pytest.mark.parametrize(
    ("parameter", "kind", "expected"),
    [
        ('p: str = "x"', "str", "x"),
        ("p: int = 3", "int", 3),
        ("p: float = 0.5", "float", 0.5),
        ("p: bool = True", "bool", True),
        ('p: Literal["a", "b"] = "a"', "literal", "a"),
        ("p: Colour = Colour.RED", "enum", "red"),
        ('p: list[str] = ["x", "y"]', "list[str]", ["x", "y"]),
        ('p="untyped"', "str", "untyped"),
        ('*, p: str = "x"', "str", "x"),
    ],
)
def test_a_default_is_used(
    parameter: str, kind: str, expected: Any, tmp_path: Path, danube_program: Path
) -> None:
    assert value(plan(tmp_path, parameter))[:2] == (kind, expected)


@pytest.mark.parametrize(
    ("annotation", "wrong", "said", "hint"),
    [
        ("int", ["x", "1.5", "", "0x", "1e3", "٣", "1_0", "9" * 5000], "a whole number", "digits"),
        ("int", [str(2**53), "-" + "9" * 60, "9" * 4000], "2^53", "str"),
        ("float", ["x", "", "1,5", "nan", "inf", "1e999"], "a number", "digits"),
        ("bool", ["maybe", "", "2"], "bool", "true"),
        ('Literal["debug", "release"]', ["relaese", ""], "p", "release"),
        ("Colour", ["RDE", "green", ""], "p", "red"),
        ("list[int]", ["1,x", "a"], "a whole number", "digits"),
        ("list[Colour]", ["red,green"], "p", "red"),
    ],
)
def test_a_wrong_value_is_named_with_what_would_be_right(
    annotation: str, wrong: list[str], said: str, hint: str, tmp_path: Path, danube_program: Path
) -> None:
    for given in wrong:
        ended = plan(tmp_path, f"p: {annotation}", f"p={given}")
        assert ended.status == MISTAKE and ended.out == "", (given, ended)
        assert "[DNB603]" in ended.err and "`p`" in ended.err, (given, ended.err)
        assert said in ended.err and ended.hints and hint in ended.hints[0], (given, ended.err)


def test_an_unknown_parameter_gets_a_suggestion(tmp_path: Path, danube_program: Path) -> None:
    ended = plan(tmp_path, 'target: str = "x"', "taregt=y", body='step.run("x", name="a")')
    assert ended.status == MISTAKE
    assert "[DNB601]" in ended.err and "`taregt`" in ended.err
    assert any("target" in hint for hint in ended.hints)
    none = plan(tmp_path, "", "a=b", body='step.run("x", name="a")')
    assert none.status == MISTAKE and "[DNB601]" in none.err and none.hints


def test_a_missing_parameter_says_how_to_give_it(tmp_path: Path, danube_program: Path) -> None:
    ended = plan(tmp_path, "p: str, q: int")
    assert ended.status == MISTAKE
    assert ended.err.count("[DNB602]") == 2, "both are reported at once"
    assert any("--param p=" in hint for hint in ended.hints), ended.err


def test_the_docstring_says_what_a_missing_parameter_is(
    tmp_path: Path, danube_program: Path
) -> None:
    body = '"""Releases.\n\nArgs:\n    p (str): The version: 1.2.3.\n"""\nstep.run("x", name="a")'
    ended = plan(tmp_path, "p: str", body=body)
    assert ended.status == MISTAKE and "(The version: 1.2.3.)" in ended.hints[0], ended.err


def test_lint_asks_for_no_parameters(tmp_path: Path, danube_program: Path) -> None:
    root = repository(tmp_path / "r", 'step.run("x", name="a")', arguments="p: str")
    ended = danube("lint", "-C", root)
    assert ended.status == SUCCESS, ended.out


def test_a_type_that_is_not_supported_is_named(tmp_path: Path, danube_program: Path) -> None:
    for annotation in ("dict[str, str]", "bytes", "list[list[str]]", "set[int]", "object"):
        ended = plan(tmp_path, f"p: {annotation}", "p=x")
        assert ended.status == MISTAKE and "[DNB604]" in ended.err, (annotation, ended.err)
        assert ended.hints


def test_the_last_of_two_values_counts(tmp_path: Path, danube_program: Path) -> None:
    ended = plan(tmp_path, "p: str", "p=one", "p=two")
    if ended.status == SUCCESS:
        assert value(ended)[1] == "two"
    else:
        assert "given twice" in ended.err


def test_a_parameter_is_written_with_an_equals_sign(tmp_path: Path, danube_program: Path) -> None:
    ended = plan(tmp_path, "p: str", "p")
    assert ended.status == MISTAKE and "p=VALUE" in ended.err
    unnamed = plan(tmp_path, "p: str = 'x'", "=x")
    assert unnamed.status == MISTAKE


def test_the_values_are_in_the_table_and_the_docstring_too(
    tmp_path: Path, danube_program: Path
) -> None:
    root = repository(tmp_path / "r", '"""Builds it all.\n\nArgs:\n    p: What to build.\n"""\n'
                      'step.run("x", name="a")', arguments="p: str, q: int = 3")  # fmt: skip
    shown = danube("plan", "-C", root, "--param", "p=x").out
    assert 'p="x"' in shown and "q=3" in shown and "Builds it all." in shown


def test_another_value_is_another_plan(tmp_path: Path, danube_program: Path) -> None:
    one = plan(tmp_path, "p: str", "p=one")
    assert one.out != plan(tmp_path, "p: str", "p=two").out
    assert one.out == plan(tmp_path, "p: str", "p=one").out
