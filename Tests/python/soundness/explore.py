"""Every outcome of a plan's decisions: scripts that lead a walk down each way, up to a bound."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from order import Plan, mentioned
from script import OUTPUTS, Call, Script
from templates import Unsound
from walk import PlanWalk, Result, Walked

Outcome = tuple[int, str]
_MOST_OUTPUTS = 6


class Candidates:
    """For each step the outcomes that the plan tells apart, and one more."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.codes: dict[str, set[int]] = {}
        self.leaves: dict[str, list[int]] = {}
        self.literals: set[str] = {"x"}
        for number, condition in enumerate(plan.get("conditions", [])):
            [(kind, value)] = condition.items()
            if kind == "code":
                found = self.codes.setdefault(value["step"], set())
                for low, high in value["in"]:
                    found.update(one for one in (low - 1, low, high, high + 1) if 0 <= one < 256)
            elif kind in ("compare", "defined"):
                self._leaf(
                    number,
                    [value] if kind == "defined" else [value["left"], value["right"]],
                )
        self.steps = {step["id"]: step for step in plan.get("steps", [])}
        self._known: dict[str, list[Outcome]] = {}

    def _leaf(self, number: int, texts: list[Any]) -> None:
        ids = {one for text in texts for one in mentioned(text)}
        for one in ids:
            self.leaves.setdefault(one, []).append(number)
        for text in texts:
            pieces = [text] if isinstance(text, str) else [p for p in text if isinstance(p, str)]
            for piece in pieces:
                self.literals.update((piece, piece + "x", "x" + piece, piece.lower(), f"v{piece}"))

    def of(self, id: str) -> list[Outcome]:
        """The outcomes of a step to try, success first."""
        if id not in self._known:
            step = self.steps[id]
            codes = sorted({0, 1} | self.codes.get(id, set()))[:8]
            outputs = self._outputs(id) if step.get("capture") else [""]
            found = [(code, outputs[0]) for code in codes]
            self._known[id] = found[:1] + [(0, one) for one in outputs[1:]] + found[1:]
        return self._known[id]

    def _outputs(self, id: str) -> list[str]:
        """Outputs that conditions on this step alone tell apart, and a second one anyway."""
        alone = [n for n in self.leaves.get(id, ()) if self._ids(n) == {id}]
        seen: dict[tuple[bool, ...], str] = {}
        walk = PlanWalk(self.plan, Script(0))
        for text in [*OUTPUTS[1:], *sorted(self.literals), ""]:
            walk.results[walk.index[id]] = Result("ran", 0, text.rstrip("\n"))
            seen.setdefault(tuple(walk.holds(n) for n in alone), text)
        return [*dict.fromkeys([*seen.values(), "two words"])][:_MOST_OUTPUTS]

    def _ids(self, number: int) -> set[str]:
        [(kind, value)] = self.plan["conditions"][number].items()
        texts = [value] if kind == "defined" else [value["left"], value["right"]]
        return {one for text in texts for one in mentioned(text)}


class _Choosing(Script):
    """Answers with candidates, by the choices given and then by the first, or at random."""

    def __init__(
        self, candidates: Candidates, choices: list[int], rng: random.Random | None
    ) -> None:
        super().__init__(0)
        self.candidates, self.choices, self.rng = candidates, choices, rng
        self.made: list[tuple[int, int]] = []
        self.walk: PlanWalk | None = None

    def __call__(self, call: Call) -> Outcome:
        assert self.walk is not None
        options = self.candidates.of(self.walk.plan["steps"][self.walk.walked.steps[-1]]["id"])
        depth = len(self.made)
        choice = self.choices[depth] if depth < len(self.choices) else 0
        if self.rng is not None:
            choice = self.rng.randrange(len(options)) if self.rng.random() < 0.5 else 0
        self.made.append((choice, len(options)))
        outcome = options[choice]
        self.fixed[(call.text, call.ordinal)] = outcome
        return outcome


def explore(plan: Plan, most: int) -> Iterator[tuple[Script, Walked | Unsound]]:
    """Scripts and what the plan does with them: every one, or `most`, half of them at random."""
    candidates = Candidates(plan)
    choices: list[int] | None = []
    for _ in range(most // 2):
        if choices is None:
            return
        chosen, walked = _walk(candidates, choices, None)
        yield Script(0, chosen.fixed), walked
        made = chosen.made
        while made and made[-1][0] + 1 >= made[-1][1]:
            made.pop()
        choices = [one for one, _ in made[:-1]] + [made[-1][0] + 1] if made else None
    if choices is None:
        return
    for seed in range(most - most // 2):
        chosen, walked = _walk(candidates, [], random.Random(seed))
        yield Script(0, chosen.fixed), walked


def _walk(
    candidates: Candidates, choices: list[int], rng: random.Random | None
) -> tuple[_Choosing, Walked | Unsound]:
    script = _Choosing(candidates, choices, rng)
    walk = PlanWalk(candidates.plan, script)
    script.walk = walk
    try:
        return script, walk.walk()
    except Unsound as error:
        return script, error
