"""The soundness tests test themselves: what they must accept, and what they must find."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from check import Settings, check_seed, compare, compile_plan
from explore import explore
from generate import generate
from live import Event, run_live
from minimize import minimize
from order import check_edges, check_order
from script import OUTPUTS, Call, Machine, Script
from templates import Undefined, Unsound, operate
from templates import compare as compare_texts
from walk import PlanWalk, Walked

Outcomes = dict[tuple[str, int], tuple[int, str]]

BRANCH: dict[str, Any] = {
    "version": 1,
    "pipeline": "p",
    "conditions": [{"code": {"step": "a", "in": [[1, 255]]}}, {"not": 0}],
    "steps": [
        {"id": "a", "run": "a", "check": False, "fatal": False, "capture": True},
        {"id": "b", "run": ["b ", {"op": "strip", "base": [{"output": "a"}]}], "when": 1,
         "after": ["a"], "data": ["a"], "conditional": ["a"]},
        {"id": "c", "run": "c", "after": ["b"]},
    ],
    "notes": [{"text": "done", "after": 3}],
    "exits": [{"kind": "failure", "when": 0}, {"kind": "success"}],
}  # fmt: skip


def walked(plan: dict[str, Any], outcomes: Outcomes) -> Walked:
    return PlanWalk(plan, Script(0, outcomes)).walk()


def texts(trace: Walked) -> list[str]:
    return [event.text for event in trace.events]


def test_a_walk_takes_the_branch_that_the_script_decides() -> None:
    ok: Outcomes = {("a", 0): (0, " x \n"), ("b x", 0): (0, ""), ("c", 0): (0, "")}
    found = walked(BRANCH, ok)
    assert (texts(found), found.outcome) == (["a", "b x", "c", "done"], "success")
    found = walked(BRANCH, {**ok, ("a", 0): (3, "")})
    assert (texts(found), found.outcome) == (["a", "c", "done"], "failure")


def test_a_fatal_failure_ends_the_job() -> None:
    found = walked(BRANCH, {("a", 0): (0, ""), ("b ", 0): (9, ""), ("c", 0): (0, "")})
    assert (texts(found), found.outcome) == (["a", "b "], "failure")


def test_a_failure_in_a_parallel_block_stops_its_sequence_and_what_follows() -> None:
    plan = {
        "groups": [{"kind": "parallel"}, {"kind": "sequence", "parent": 0}],
        "steps": [
            {"id": "a", "run": "a", "group": 1},
            {"id": "b", "run": "b", "group": 1, "after": ["a"]},
            {"id": "c", "run": "c", "group": 0},
            {"id": "d", "run": "d", "after": ["b", "c"]},
        ],
    }
    found = walked(plan, {("a", 0): (1, ""), ("c", 0): (0, "")})
    assert (texts(found), found.outcome) == (["a", "c"], "failure")


def _three_steps(fatal: bool) -> dict[str, Any]:
    return {
        "conditions": [{"code": {"step": "a", "in": [[0, 0]]}}],
        "steps": [
            {"id": "a", "run": "a", "fatal": fatal},
            {"id": "b", "run": "b", "after": ["a"], "capture": True},
            {"id": "c", "run": [{"output": "b"}]},
        ],
    }


@pytest.mark.parametrize(
    ("fatal", "change", "message"),
    [
        (True, lambda plan: plan["steps"][1].pop("after"), "runs although"),
        (False, lambda plan: plan["steps"][1].update(when=0), "skipped"),
        (
            False,
            lambda plan: plan.update(exits=[{"kind": "success", "when": 0}]),
            "no exit",
        ),
    ],
)
def test_a_walk_refuses_what_no_run_has(
    fatal: bool, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    plan = _three_steps(fatal)
    change(plan)
    with pytest.raises(Unsound, match=message):
        walked(plan, {("a", 0): (1, ""), ("b", 0): (0, "o"), ("o", 0): (0, "")})


def test_missing_edges_are_found() -> None:
    check_edges(BRANCH)
    plan = copy.deepcopy(BRANCH)
    for kind in ("after", "data", "conditional"):
        del plan["steps"][1][kind]
    with pytest.raises(Unsound, match="no edge"):
        check_edges(plan)


def test_operations_are_pythons() -> None:
    assert operate("split", "a b  c", [], -1, -1) == "c"
    assert operate("split", "a,b,c", [","], 1, 1) == "b,c"
    assert operate("replace", "aaa", ["a", "b"], 0, 2) == "bba"
    assert operate("json", 'a"b', [], 0, -1) == '"a\\"b"'
    assert compare_texts("code<", "9", "10")
    assert not compare_texts("<", "9", "10")
    with pytest.raises(Undefined):
        operate("splitlines", "", [], 0, -1)


def test_scripts_are_repeatable_and_varied() -> None:
    calls = [Call(f"run {n}", 0, False, n % 2 == 0) for n in range(200)]
    assert [Script(1)(call) for call in calls] == [Script(1)(call) for call in calls]
    assert len({Script(1)(call)[0] for call in calls}) > 3
    assert {Script(1)(call)[1].rstrip("\n") for call in calls} > set(OUTPUTS[2:6])
    machine = Machine(Script(1))
    machine.run("a", True, False)
    machine.run("a", True, False)
    assert [call.ordinal for call, _, _ in machine.said] == [0, 1]


def test_generated_danubefiles_run_live(tmp_path: Path) -> None:
    known = (
        "failed with exit code",
        "IndexError",
        "AssertionError",
        "exit status",
        "RuntimeError",
    )
    path = tmp_path / "danubefile.py"
    executed = 0
    for seed in range(150):
        path.write_text(generate(seed).text, encoding="utf-8")
        for number in range(2):
            trace = run_live(str(path), Script(seed * 10 + number))
            message = trace.message
            fine = trace.outcome == "success" or any(one in message for one in known)
            assert fine or "UnboundLocalError" in message, (seed, message)
            executed += len(trace.actions())
    assert executed > 600


def test_few_generated_danubefiles_may_be_dynamic() -> None:
    programs = [generate(seed) for seed in range(600)]
    assert 0 < sum(bool(program.dynamic) for program in programs) < 30
    assert len({program.text for program in programs}) == 600
    assert generate(5) == programs[5]


def test_exploring_takes_every_way() -> None:
    found = {tuple(texts(trace)) for _, trace in explore(BRANCH, 200) if isinstance(trace, Walked)}
    assert ("a", "c", "done") in found
    assert {len(one) for one in found} >= {2, 3, 4}


def test_a_failing_program_is_shrunk() -> None:
    text = generate(3).text
    small = minimize(text, lambda one: "step.run" in one)
    assert small.count("step.run") == 1
    assert len(ast.parse(small).body) <= 2


PROGRAM = """
from danube import StepFailed, parallel, pipeline, step

@pipeline
def build():
    c = step.run("a", check=False)
    o = step.run("b", capture=True)
    if c == 1:
        step.run(f"c {o.strip()}")
    else:
        step.run("d")
    try:
        step.run("e", env={"V": o})
    except StepFailed as error:
        step.run(f"f {error.code}")
        raise
    with parallel():
        step.run("g")
        step.run("h")
    print("end")
"""


def _first(plan: dict[str, Any], key: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in plan["steps"] if key in one)
    return found


MUTATIONS: dict[str, Callable[[dict[str, Any]], object]] = {
    "a condition is lost": lambda plan: _first(plan, "when").pop("when"),
    "a condition is another": lambda plan: _first(plan, "when").update(
        when=_first(plan, "when")["when"] - 1 or 1
    ),
    "codes are others": lambda plan: next(
        one["code"] for one in plan["conditions"] if "code" in one
    ).update({"in": [[2, 2]]}),
    "a command is another": lambda plan: plan["steps"][0].update(run="x"),
    "a variable is lost": lambda plan: _first(plan, "env").pop("env"),
    "a step is lost": lambda plan: plan["steps"].pop(),
    "order is lost": lambda plan: [step.pop("after", None) for step in plan["steps"]],
    "branches are ordered": lambda plan: (
        plan["steps"][-1].setdefault("after", []).append(plan["steps"][-2]["id"])
    ),
    "a failure does not end the job": lambda plan: plan["steps"][1].update(fatal=False),
    "every exit is a success": lambda plan: plan.update(exits=[{"kind": "success"}]),
    "a note is lost": lambda plan: plan.pop("notes"),
}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory, danube: Path) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("mutated")
    (folder / "danubefile.py").write_text(PROGRAM, encoding="utf-8")
    return folder / "danubefile.py", dict(compile_plan(str(folder), ()))


def _wrong(path: Path, plan: dict[str, Any]) -> str:
    """What comparing live runs with a plan finds."""
    try:
        check_edges(plan)
    except (Unsound, KeyError) as error:
        return str(error)
    for seed in range(40):
        script = Script(seed)
        live = run_live(str(path), script)
        try:
            found: Walked | Exception = PlanWalk(plan, script).walk()
        except (Unsound, KeyError) as error:
            found = error
        finding = compare(plan, live, found, script)
        if finding is not None:
            return finding.kind
    return ""


def test_a_right_plan_is_accepted(compiled: tuple[Path, dict[str, Any]]) -> None:
    assert _wrong(*compiled) == ""


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_wrong_plan_is_found(compiled: tuple[Path, dict[str, Any]], name: str) -> None:
    path, plan = compiled
    plan = copy.deepcopy(plan)
    MUTATIONS[name](plan)
    assert _wrong(path, plan)


@pytest.mark.parametrize("first", range(0, 100, 20))
@pytest.mark.usefixtures("danube")
def test_plans_of_generated_danubefiles_do_not_lie(first: int) -> None:
    for seed in range(first, first + 20):
        finding = check_seed(seed, Settings(scripts=6, explored=10)).finding
        assert finding is None, f"seed {seed}: {finding}"


def test_events_say_what_differs() -> None:
    assert Event("run", "a", (("K", "v"),)).show() == "run 'a' env={'K': 'v'}"
    order = Walked()
    check_order({"steps": []}, order, [])
