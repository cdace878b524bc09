"""Walks a plan with a script: does what an executor does, one step at a time, in plan order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from live import Event, Trace
from order import Json, Plan, condition_steps, edges, mentioned, references, relaxed
from script import Machine, Script, command_text, secret
from templates import Undefined, Unsound, compare, operate


@dataclass
class Result:
    """What became of a step."""

    state: str
    """`ran`, `skipped` or `blocked`."""
    code: int = 0
    output: str = ""

    @property
    def ran(self) -> bool:
        """Whether it has a result."""
        return self.state == "ran"


@dataclass
class Walked(Trace):
    """What walking a plan did."""

    steps: list[int] = field(default_factory=list)
    """For each action the index of its step."""
    doubtful: set[str] = field(default_factory=set)
    """Notes after a failure in the parallel block that is still open: said or not."""


class PlanWalk:
    """One walk of a plan."""

    def __init__(self, plan: Plan, script: Script) -> None:
        self.plan = plan
        self.steps: Sequence[Json] = plan.get("steps", [])
        self.conditions: Sequence[Json] = plan.get("conditions", [])
        self.machine = Machine(script)
        self.index = {step["id"]: number for number, step in enumerate(self.steps)}
        if len(self.index) != len(self.steps):
            raise Unsound("two steps have one id")
        self.results: dict[int, Result] = {}
        self.stopping: set[int] = set()
        """Steps that failed fatally or are blocked."""
        self.fatal: set[int] = set()
        """Those of them that ran and failed."""
        self.failed: int | None = None
        """The first fatal failure."""
        self.walked = Walked()
        self.notes: dict[int, list[Json]] = {}
        for note in plan.get("notes", []):
            self.notes.setdefault(note.get("after", 0), []).append(note)

    def walk(self) -> Walked:
        """What the job does.

        Raises:
            Unsound: The plan needs what this run does not have.
        """
        self._say(0)
        for number, step in enumerate(self.steps):
            if self._ended(number):
                self._check_stopped(number, step)
            else:
                self._take(number, step)
            self._say(number + 1)
        self._finish()
        return self.walked

    # Steps.

    def _take(self, number: int, step: Json) -> None:
        before = [self.index[one] for one in edges(step)]
        if any(one >= number for one in before):
            raise Unsound(f"step {step['id']!r} has an edge to a later one")
        if self._is_blocked(step):
            self.results[number] = Result("blocked")
            self.stopping.add(number)
        elif not self.holds(step.get("when")):
            self.results[number] = Result("skipped")
        elif step.get("kind") == "upload":
            given = step["upload"]
            path = self.text(given["path"])
            detail = (given.get("name") or path, given.get("junit", False))
            self._did(number, Event("upload", path, (), detail))
            self.results[number] = Result("ran")
        else:
            self._run(number, step)

    def _run(self, number: int, step: Json) -> None:
        command = step["run"]
        if isinstance(command, dict):
            text = command_text([self.text(word) for word in command["argv"]])
        else:
            text = self.text(command)
        env = sorted((key, self.text(value)) for key, value in step.get("env", {}).items())
        check, capture = step.get("check", True), step.get("capture", False)
        how = (
            check, capture, step.get("image"), step.get("workdir"), _listed(step, "inputs"),
            _listed(step, "outputs"), step.get("timeout_ms"),
            step.get("retry", {}).get("attempts", 0),
        )  # fmt: skip
        self._did(number, Event("run", text, tuple(env), how))
        code, output = self.machine.run(text, check, capture)
        self.results[number] = Result("ran", code, output.rstrip("\n") if capture else "")
        if code != 0 and check and step.get("fatal", True):
            self.stopping.add(number)
            self.fatal.add(number)
            if self.failed is None:
                self.failed = number

    def _is_blocked(self, step: Json) -> bool:
        """Whether what a step follows ended the job, or its condition's step did so itself.

        A declared step may overtake an earlier one of its sequence, whose failure it then does not
        see; a live run, which overtakes nothing, stops there. The job fails either way.
        """
        if any(self.index[one] in self.stopping for one in edges(step, conditional=False)):
            return True
        if any(self.index[one] in self.fatal for one in step.get("conditional", ())):
            return True
        if "needs" in step or not relaxed(step):
            return False
        return any(self._one_sequence(step, self.steps[one]) for one in self.fatal)

    def _one_sequence(self, step: Json, other: Json) -> bool:
        """Whether the innermost block around both is a sequence inside a parallel block."""
        mine, its = self._blocks(step), self._blocks(other)
        common = [one for one in mine if one in its]
        kinds = [self.plan["groups"][one]["kind"] for one in common]
        return kinds[:1] == ["sequence"] and "parallel" in kinds

    def _blocks(self, step: Json) -> list[int]:
        """The blocks around a step, innermost first."""
        found: list[int] = []
        group = step.get("group")
        while group is not None:
            found.append(group)
            group = self.plan["groups"][group].get("parent")
        return found

    def _did(self, number: int, event: Event) -> None:
        self.walked.events.append(event)
        self.walked.steps.append(number)

    def _ended(self, number: int) -> bool:
        """Whether a fatal failure ended the job before this step was reached.

        In a parallel block the other branches go on: the failure surfaces where it ends.
        """
        if self.failed is None:
            return False
        block = self.outermost(self.failed)
        return block is None or self.outermost(number) != block

    def _check_stopped(self, number: int, step: Json) -> None:
        """What follows the end of the job must be blocked, unless it may overtake the failure."""
        before = [self.index[one] for one in edges(step)]
        referred = [self.index[one] for one in references(self.plan, step)]
        blocked = self._is_blocked(step)
        if blocked:
            self.stopping.add(number)
        known = all(one in self.results for one in [*before, *referred])
        if not blocked and known and not relaxed(step) and self.holds(step.get("when")):
            raise Unsound(f"step {step['id']!r} runs although the job failed before it")

    def outermost(self, number: int) -> int | None:
        """The outermost parallel block around a step."""
        around = self._blocks(self.steps[number])
        parallel = [one for one in around if self.plan["groups"][one]["kind"] == "parallel"]
        return parallel[-1] if parallel else None

    def _say(self, after: int) -> None:
        for note in self.notes.get(after, ()):
            if self.failed is not None and self.outermost(self.failed) is None:
                continue
            if after and self._ended(after - 1) or not self.holds(note.get("when")):
                continue
            text = self.text(note["text"])
            if self.failed is not None:
                self.walked.doubtful.add(text)
            self.walked.note(text)

    def _finish(self) -> None:
        walked = self.walked
        if self.failed is not None:
            walked.outcome = "live" if self._goes_on_live() else "failure"
            return
        exits = self.plan.get("exits", [])
        for exit in exits:
            if self.holds(exit.get("when")):
                walked.outcome, walked.message = exit["kind"], exit.get("message", "")
                return
        if exits:
            raise Unsound("no exit of the plan holds")
        walked.outcome = "success"

    def _goes_on_live(self) -> bool:
        """Whether the plan is cut off inside the parallel block in which a step failed.

        The other branches of that block are not in the plan, and a live run would go on with them.
        """
        assert self.failed is not None
        block = self.outermost(self.failed)
        taken = [number for number, result in self.results.items() if result.state != "skipped"]
        if block is None or any(self.outermost(number) != block for number in taken[-1:]):
            return False
        for exit in self.plan.get("exits", []):
            asked = condition_steps(self.plan, exit.get("when"))
            if all(self.index[one] in self.results for one in asked) and self.holds(
                exit.get("when")
            ):
                return bool(exit["kind"] == "live")
        return False

    # Conditions and templates.

    def holds(self, when: int | None) -> bool:
        """Whether a condition holds now."""
        return when is None or self._holds(when, {})

    def _holds(self, number: int, memo: dict[int, bool]) -> bool:
        if number not in memo:
            memo[number] = self._evaluate(number, self.conditions[number], memo)
        return memo[number]

    def _evaluate(self, number: int, condition: Json, memo: dict[int, bool]) -> bool:
        [(kind, value)] = condition.items()
        if kind in ("all", "any", "not"):
            operands = [value] if kind == "not" else value
            if any(one >= number for one in operands):
                raise Unsound(f"condition {number} refers to a later one")
            found = (self._holds(one, memo) for one in operands)
            return any(found) if kind == "any" else all(found) if kind == "all" else not all(found)
        if kind == "code":
            result = self._result(value["step"])
            return result.ran and any(low <= result.code <= high for low, high in value["in"])
        if kind == "ok":
            result = self._result(value)
            return result.ran and result.code == 0
        texts = [value] if kind == "defined" else [value["left"], value["right"]]
        if not all(self._result(one).ran for text in texts for one in mentioned(text)):
            return False
        try:
            found_texts = [self.text(text) for text in texts]
        except Undefined:
            return False
        return kind == "defined" or compare(value["operator"], *found_texts)

    def _result(self, id: str) -> Result:
        number = self.index[id]
        if number not in self.results:
            raise Unsound(f"the result of {id!r} is asked for before it is there")
        return self.results[number]

    def text(self, template: Json) -> str:
        """The text of a template."""
        if isinstance(template, str):
            return template
        return "".join(self._part(part) for part in template)

    def _part(self, part: Json) -> str:
        if isinstance(part, str):
            return part
        if "secret" in part:
            return secret(part["secret"])
        if "op" in part:
            base = self.text(part["base"])
            return operate(
                part["op"],
                base,
                part.get("args", []),
                part.get("index", 0),
                part.get("limit", -1),
            )
        id = part["output"] if "output" in part else part["code"]
        result = self._result(id)
        if result.state == "skipped":
            raise Unsound(f"uses the result of {id!r}, which was skipped")
        # A blocked step gives live what a success without output gives.
        return result.output if "output" in part else str(result.code)


def _listed(step: Json, key: str) -> tuple[str, ...] | None:
    """Paths of a step; None when it declares none."""
    return tuple(step[key]) if key in step else None
