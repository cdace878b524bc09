"""What must come before what: the edges of a plan, and whether they say it all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from live import Position, Trace
from templates import Unsound

Json = Any
Plan = Mapping[str, Json]


def edges(step: Json, conditional: bool = True) -> Iterator[str]:
    """Ids of what a step waits for."""
    for kind in ("after", "needs", "data", *(("conditional",) if conditional else ())):
        yield from step.get(kind, ())


def relaxed(step: Json) -> bool:
    """Whether a step is freed from program order."""
    return "needs" in step or "upload" in step or ("inputs" in step and "outputs" in step)


def mentioned(template: Json) -> Iterator[str]:
    """Ids of the steps in a template."""
    if isinstance(template, str):
        return
    for part in template:
        if isinstance(part, dict):
            yield from (part[key] for key in ("output", "code") if key in part)
            if "base" in part:
                yield from mentioned(part["base"])


def condition_steps(plan: Plan, when: int | None) -> set[str]:
    """Ids of the steps that a condition looks at."""
    found: set[str] = set()
    todo, seen = [] if when is None else [when], set[int]()
    while todo:
        number = todo.pop()
        if number in seen:
            continue
        seen.add(number)
        [(kind, value)] = plan["conditions"][number].items()
        if kind in ("all", "any"):
            todo += value
        elif kind == "not":
            todo.append(value)
        elif kind == "ok":
            found.add(value)
        elif kind == "code":
            found.add(value["step"])
        else:
            for text in [value] if kind == "defined" else [value["left"], value["right"]]:
                found.update(mentioned(text))
    return found


def data_steps(step: Json) -> set[str]:
    """Ids of the steps in what a step executes."""
    command = step.get("run", "")
    texts = [*(command["argv"] if isinstance(command, dict) else [command])]
    texts += step.get("env", {}).values()
    if "upload" in step:
        texts.append(step["upload"]["path"])
    return {one for text in texts for one in mentioned(text)}


def references(plan: Plan, step: Json) -> set[str]:
    """Ids of every step whose result a step needs."""
    return data_steps(step) | condition_steps(plan, step.get("when"))


def ancestors(plan: Plan, kinds: Sequence[str]) -> list[int]:
    """For each step the steps before it by edges of some kinds, as a bit set."""
    index = {step["id"]: number for number, step in enumerate(plan.get("steps", []))}
    found: list[int] = []
    for step in plan.get("steps", []):
        bits = 0
        for one in (id for kind in kinds for id in step.get(kind, ())):
            bits |= found[index[one]] | 1 << index[one]
        found.append(bits)
    return found


def check_edges(plan: Plan) -> None:
    """Every result that a step needs must be there when it starts.

    Raises:
        Unsound: An edge is missing.
    """
    before = ancestors(plan, ("after", "needs", "data", "conditional"))
    index = {step["id"]: number for number, step in enumerate(plan.get("steps", []))}
    for number, step in enumerate(plan.get("steps", [])):
        for one in references(plan, step):
            if not before[number] >> index[one] & 1:
                raise Unsound(f"step {step['id']!r} needs {one!r}, but no edge says so")


def check_order(plan: Plan, live: Trace, steps: Sequence[int], most: int = 300) -> None:
    """The order of a live run must follow from the plan's edges, and no more than it.

    `steps`: for each action the index of its step.

    Raises:
        Unsound: An order is missing, or branches of a parallel block are ordered.
    """
    before = ancestors(plan, ("after", "needs", "data", "conditional"))
    ordered = ancestors(plan, ("after",))
    actions = [(at, p) for at, p in enumerate(live.positions) if p is not None]
    place = {at: number for (at, _), number in zip(actions, steps, strict=False)}
    for later, (at, position) in enumerate(actions[: len(steps)]):
        number = place[at]
        for earlier in range(max(0, later - most), later):
            at_other, other = actions[earlier]
            if position.beside(other):
                if ordered[number] >> place[at_other] & 1:
                    raise Unsound(_pair(plan, place[at_other], number, "are parallel but ordered"))
            elif _required(position, at_other, other) and not before[number] >> place[at_other] & 1:
                raise Unsound(_pair(plan, place[at_other], number, "have an order, but no edges"))


def _required(later: Position, at: int, earlier: Position) -> bool:
    if later.needs is not None:
        return at in later.needs
    return later.touches(earlier)


def _pair(plan: Plan, one: int, other: int, what: str) -> str:
    return f"{plan['steps'][one]['id']!r} and {plan['steps'][other]['id']!r} {what}"
