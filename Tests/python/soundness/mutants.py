"""Wrong plans made of right ones: each differs in what some run does, so it must be found."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from live import Trace
from order import ancestors
from script import Script
from walk import PlanWalk, Walked

Plan = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """A live run with what the right plan does."""

    script: Script
    live: Trace
    walked: Walked
    states: dict[int, str]
    """What became of each step."""


def observed(plan: Plan, script: Script, live: Trace) -> Run:
    """The run of a script."""
    walk = PlanWalk(plan, script)
    walked = walk.walk()
    return Run(script, live, walked, {number: one.state for number, one in walk.results.items()})


def mutants(plan: Plan, runs: Sequence[Run]) -> Iterator[tuple[str, Plan]]:
    """Plans that are wrong in one place, with what was done to them."""
    states = [{run.states.get(number) for run in runs} for number in range(len(plan["steps"]))]
    for number, step in enumerate(plan["steps"]):
        if "when" in step and states[number] & {"ran", "skipped"}:
            yield f"step {number} runs where it should not", _negated(plan, number)
        if "ran" not in states[number]:
            continue
        yield f"step {number} never runs", _never(plan, number)
        if step.get("kind") == "upload":
            other: dict[str, Any] = {"upload": {**step["upload"], "path": "other"}}
        else:
            other = {"run": "other"}
            yield f"step {number} has another image", _changed(plan, number, image="other:1")
            yield f"step {number} has a variable", _changed(plan, number, env={"NEW": "1"})
        yield f"step {number} does something else", _changed(plan, number, **other)
        if "skipped" in states[number]:
            yield f"step {number} always runs", _changed(plan, number, when=None)
        if any(_follows_plainly(plan, number, run) for run in runs):
            yield f"step {number} follows nothing", _changed(plan, number, after=None)
    for number in sorted({number for run in runs if (number := _culprit(plan, run)) is not None}):
        ignored = _changed(plan, number, fatal=False)
        # Where nothing follows the step but a failure, nobody can tell.
        if any(_goes_on(ignored, run) for run in runs):
            yield f"the failure of step {number} is ignored", ignored
    exits = [
        {**one, "kind": "failure" if one["kind"] == "success" else "success"}
        for one in plan.get("exits", [])
    ]
    if any(_culprit(plan, run) is None for run in runs):
        yield "every exit is the other", {**plan, "exits": exits}
    if any(one.kind == "note" for run in runs for one in run.live.events):
        yield "notes are lost", {**plan, "notes": []}


def _changed(plan: Plan, number: int, **fields: Any) -> Plan:
    mutant = copy.deepcopy(plan)
    step = mutant["steps"][number]
    for key, value in fields.items():
        if value is None:
            step.pop(key, None)
        else:
            step[key] = value
    return mutant


def _with_condition(plan: Plan, number: int, condition: dict[str, Any]) -> Plan:
    mutant = _changed(plan, number, when=len(plan.get("conditions", [])))
    mutant["conditions"] = [*plan.get("conditions", []), condition]
    return mutant


def _never(plan: Plan, number: int) -> Plan:
    return _with_condition(plan, number, {"any": []})


def _negated(plan: Plan, number: int) -> Plan:
    return _with_condition(plan, number, {"not": plan["steps"][number]["when"]})


def _follows_plainly(plan: Plan, number: int, run: Run) -> bool:
    """Whether nothing but `after` says that a step follows the one that ran before it."""
    if number not in run.walked.steps:
        return False
    place = run.walked.steps.index(number)
    if place == 0:
        return False
    before = run.walked.steps[place - 1]
    freed = ("group", "needs", "inputs", "upload")
    if any(key in plan["steps"][one] for one in (number, before) for key in freed):
        return False
    rest = _changed(plan, number, after=None)
    return not ancestors(rest, ("after", "needs", "data", "conditional"))[number] >> before & 1


def _goes_on(mutant: Plan, run: Run) -> bool:
    walked = PlanWalk(mutant, run.script).walk()
    return (walked.events, walked.outcome) != (run.walked.events, run.walked.outcome)


def _culprit(plan: Plan, run: Run) -> int | None:
    """The step outside of blocks whose failure ended a run, if one did."""
    if run.walked.outcome != "failure" or not run.walked.steps:
        return None
    number = run.walked.steps[-1]
    step = plan["steps"][number]
    failed = run.live.message.startswith("step ")
    free = "group" not in step and step.get("kind") != "upload"
    return number if failed and free and step.get("fatal", True) else None
