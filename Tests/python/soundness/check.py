"""A plan never lies: danubefiles run live and their plans walked must do the same.

    python3 check.py --seeds 0:2000 -j2        random danubefiles
    python3 check.py --fixtures                every fixture, every outcome of its decisions
    python3 check.py --seeds 17 --minimize     one, shrunk

The compiler is `$DANUBE`, by default .build/debug/danube.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fixture_cases import Case, cases

from explore import explore
from generate import generate
from live import REPOSITORY, Event, Trace, run_apart, run_live
from minimize import minimize
from order import Plan, check_edges, check_order
from script import RanTooLong, Script
from templates import Undefined, Unsound
from walk import PlanWalk, Walked

# Too many dependent paths are the program's own doing; all else that is live must say so.
ALWAYS_DYNAMIC = frozenset({"DNB202"})
MOST_LIVE = 0.05


@dataclass(frozen=True)
class Finding:
    """Something wrong with a danubefile's plan."""

    kind: str
    detail: str


@dataclass
class Verdict:
    """What checking one danubefile found."""

    name: str
    text: str = ""
    finding: Finding | None = None
    live: str = ""
    """Why the plan is live: code and expression."""
    runs: int = 0


@dataclass(frozen=True)
class Settings:
    """How much is tried."""

    scripts: int = 10
    explored: int = 24
    arguments: tuple[str, ...] = ("--branch", "main", "--event", "push")
    apart: bool = False
    """Live runs change the interpreter, so each has one of its own."""


def danube() -> str:
    """The compiler's path."""
    return os.environ.get("DANUBE", os.path.join(REPOSITORY, ".build", "debug", "danube"))


def compile_plan(folder: str, arguments: Sequence[str]) -> Plan:
    """The plan of the danubefile in a folder.

    Raises:
        Unsound: There is none.
    """
    command = [
        danube(),
        "plan",
        "-C",
        folder,
        "--format",
        "json",
        "--no-memo",
        *arguments,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0 or not done.stdout:
        raise Unsound(f"refused with exit code {done.returncode}: {done.stderr.strip()}")
    plan: Plan = json.loads(done.stdout)
    return plan


def live_reason(plan: Plan) -> str:
    """Why a part of the plan is decided live; empty when none is."""
    for one in plan.get("exits", []):
        if one["kind"] == "live":
            return f"{one.get('code', '')} {one.get('expression', '')} ({one.get('message', '')})"
    return ""


def check_folder(
    name: str, folder: str, settings: Settings, seed: int = 0, dynamic: bool = True
) -> Verdict:
    """Checks the danubefile in a folder. `dynamic`: its plan may be live."""
    path = os.path.join(folder, "danubefile.py")
    with open(path, encoding="utf-8") as file:
        verdict = Verdict(name, file.read())
    try:
        plan = compile_plan(folder, settings.arguments)
        verdict.live = live_reason(plan)
        if verdict.live and not dynamic and verdict.live[:6] not in ALWAYS_DYNAMIC:
            verdict.finding = Finding("live without reason", verdict.live)
            return verdict
        check_edges(plan)
    except (Unsound, KeyError, ValueError) as error:
        kind = "refused" if str(error).startswith("refused") else "plan unsound"
        verdict.finding = Finding(kind, f"{type(error).__name__}: {error}")
        return verdict
    context = context_of(plan)
    arguments = _parameters(settings.arguments)
    for script, walked in runs_of(plan, settings, seed):
        verdict.runs += 1
        run = run_apart if settings.apart else run_live
        live = run(path, script, context, arguments, _pipeline(settings.arguments))
        verdict.finding = compare(plan, live, walked, script)
        if verdict.finding is not None:
            return verdict
    return verdict


def context_of(plan: Plan) -> dict[str, object]:
    """The values of `ctx` that a plan was made with."""
    return {one["name"]: one.get("value") for one in plan.get("context", [])}


def runs_of(
    plan: Plan, settings: Settings, seed: int
) -> Iterator[tuple[Script, Walked | Exception]]:
    """Scripts, random and explored, with what the plan does."""
    for number in range(settings.scripts):
        script = Script(seed * 100 + number)
        try:
            yield script, PlanWalk(plan, script).walk()
        except (Unsound, Undefined, KeyError) as error:
            yield script, error
    yield from explore(plan, settings.explored)


def compare(plan: Plan, live: Trace, walked: Walked | Exception, script: Script) -> Finding | None:
    """What differs between a live run and the plan's walk."""
    if not isinstance(walked, Walked):
        detail = f"{type(walked).__name__}: {walked}"
        return Finding("walk unsound", f"{_named(script)}\n{detail}\nlive:\n{shown(live)}")
    wrong = _difference(live, walked)
    if not wrong:
        try:
            check_order(plan, live, walked.steps)
        except Unsound as error:
            wrong = f"order: {error}"
    if not wrong:
        return None
    kind = wrong.partition(":")[0]
    return Finding(kind, f"{wrong}\n{_named(script)}\nlive:\n{shown(live)}\nplan:\n{shown(walked)}")


def _difference(live: Trace, walked: Walked) -> str:
    if walked.outcome == "live":
        done = _as_named(walked.actions(), live.actions())
        if live.actions()[: len(done)] != done:
            return "what comes before the live part is no prefix of the live run"
        return ""
    if live.actions() != _as_named(walked.actions(), live.actions()):
        return "steps differ"
    if live.outcome != walked.outcome:
        return "outcomes differ"
    if walked.doubtful:
        live_notes, walked_notes = _notes(live), _notes(walked)
        extra = [one for one in walked_notes if one not in live_notes]
        sure = all(any(one in d.split("\n") for d in walked.doubtful) for one in extra)
        return "" if sure and all(one in walked_notes for one in live_notes) else "notes differ"
    same = live.events == _as_named(walked.events, live.events)
    return "" if same else "notes differ"


def _as_named(planned: list[Event], live: list[Event]) -> list[Event]:
    """The planned events with the default names of uploads left out, as a live run has them."""
    found = []
    for number, event in enumerate(planned):
        if event.kind == "upload" and number < len(live) and live[number].detail[:1] == ("",):
            event = replace(event, detail=("", *event.detail[1:]))
        found.append(event)
    return found


def _notes(trace: Trace) -> list[str]:
    return [line for one in trace.events if one.kind == "note" for line in one.text.split("\n")]


def _named(script: Script) -> str:
    if script.fixed:
        said = "\n".join(f"  {key!r} -> {value!r}" for key, value in script.fixed.items())
        return f"script (explored):\n{said}"
    return f"script {script.seed}"


def shown(trace: Trace) -> str:
    """A trace for a report."""
    lines = [f"  {event.show()}" for event in trace.events]
    return "\n".join([*lines, f"  = {trace.outcome} {trace.message}"])


# Random danubefiles.


def check_text(text: str, seed: int, settings: Settings, dynamic: bool, folder: str) -> Verdict:
    """Checks a danubefile given as text."""
    with open(os.path.join(folder, "danubefile.py"), "w", encoding="utf-8") as file:
        file.write(text)
    return check_folder(f"seed {seed}", folder, settings, seed, dynamic)


def check_seed(seed: int, settings: Settings, minimizing: bool = False) -> Verdict:
    """Checks the generated danubefile of a seed."""
    program = generate(seed)
    dynamic = bool(program.dynamic)
    with tempfile.TemporaryDirectory(prefix="danube-soundness-") as folder:
        verdict = check_text(program.text, seed, settings, dynamic, folder)
        finding = verdict.finding
        if finding is None or not minimizing:
            return verdict

        def fails(text: str) -> bool:
            try:
                again = check_text(text, seed, settings, dynamic, folder).finding
            except RanTooLong:
                return False
            return again is not None and _alike(again, finding)

        small = minimize(program.text, fails)
        return check_text(small, seed, settings, dynamic, folder)


def _alike(one: Finding, other: Finding) -> bool:
    if one.kind != other.kind:
        return False
    if one.kind in ("refused", "live without reason"):
        return _code(one.detail) == _code(other.detail)
    return True


def _code(text: str) -> str:
    at = text.find("DNB")
    return text[at : at + 6] if at >= 0 else text[:40]


def _check_chunk(seeds: Sequence[int], settings: Settings, minimizing: bool) -> list[Verdict]:
    return [check_seed(seed, settings, minimizing) for seed in seeds]


def check_seeds(
    seeds: Sequence[int], settings: Settings, jobs: int, minimizing: bool
) -> Iterator[Verdict]:
    """Verdicts of many seeds, in order."""
    if jobs == 1:
        yield from (check_seed(seed, settings, minimizing) for seed in seeds)
        return
    chunks = [seeds[at : at + 20] for at in range(0, len(seeds), 20)]
    with ProcessPoolExecutor(jobs) as pool:
        for found in pool.map(
            _check_chunk, chunks, [settings] * len(chunks), [minimizing] * len(chunks)
        ):
            yield from found


# Fixtures.


def _parameters(arguments: Sequence[str]) -> dict[str, str]:
    found = {}
    for flag, value in zip(arguments, arguments[1:], strict=False):
        if flag in ("--param", "-p"):
            key, _, text = value.partition("=")
            found[key] = text
    return found


def _pipeline(arguments: Sequence[str]) -> str | None:
    if arguments and not arguments[0].startswith("-"):
        return arguments[0]
    return None


def check_fixture(case: Case, explored: int) -> Verdict:
    """Checks a fixture with every outcome of its decisions, up to a bound."""
    settings = Settings(scripts=10, explored=explored, arguments=tuple(case.arguments))
    with tempfile.TemporaryDirectory(prefix="danube-soundness-") as folder:
        root = case.stage(Path(folder) / "repository")
        return check_folder(case.id, str(root), settings, 0, "dynamic" in case.id)


def check_fixtures(explored: int, jobs: int) -> Iterator[Verdict]:
    """Verdicts of all fixtures."""
    found = cases("compile") + cases("projects")
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(check_fixture, found, [explored] * len(found))


# The command.


@dataclass
class Summary:
    """Counts over many verdicts."""

    checked: int = 0
    runs: int = 0
    findings: Counter[str] = field(default_factory=Counter)
    live: Counter[str] = field(default_factory=Counter)

    def add(self, verdict: Verdict) -> None:
        """Counts one, and prints what it found."""
        self.checked += 1
        self.runs += verdict.runs
        if verdict.live:
            self.live[verdict.live[:6]] += 1
        if verdict.finding is not None:
            self.findings[verdict.finding.kind] += 1
            print(
                f"=== {verdict.name}: {verdict.finding.kind}\n"
                f"{verdict.text}\n{verdict.finding.detail}\n"
            )

    def judge(self, bound: bool) -> int:
        """Prints the totals. 0 when all is well."""
        live, wrong = self.live.total(), self.findings.total()
        share = live / max(self.checked, 1)
        print(
            f"{self.checked} danubefiles, {self.runs} runs, "
            f"{live} live ({share:.1%}) {dict(self.live)}"
        )
        if self.findings:
            print(f"findings: {dict(self.findings)}")
        if bound and share > MOST_LIVE:
            print(f"more than {MOST_LIVE:.0%} are live")
            wrong += 1
        print(f"{self.checked - self.findings.total()} passed, {wrong} failed")
        return 1 if wrong else 0


def main(arguments: Iterable[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", default="0:2000", help="FIRST:LAST, or one")
    parser.add_argument("--fixtures", action="store_true", help="check the fixtures instead")
    parser.add_argument("--file", help="check one folder or danubefile instead")
    parser.add_argument("--scripts", type=int, default=10, help="random scripts for each")
    parser.add_argument("--explore", type=int, default=0, help="explored scripts for each")
    parser.add_argument("-j", "--jobs", type=int, default=1)
    parser.add_argument("--stop", type=int, default=20, help="stop after so many findings")
    parser.add_argument("--minimize", action="store_true")
    options: Any = parser.parse_args(None if arguments is None else list(arguments))
    summary = Summary()
    settings = Settings(options.scripts, options.explore or 24)
    verdicts: Iterator[Verdict]
    if options.fixtures:
        verdicts = check_fixtures(options.explore or 400, options.jobs)
    elif options.file:
        folder = options.file if os.path.isdir(options.file) else os.path.dirname(options.file)
        verdicts = iter([check_folder(options.file, folder or ".", settings)])
    else:
        first, _, last = options.seeds.partition(":")
        seeds = range(int(first), int(last or int(first) + 1))
        verdicts = check_seeds(seeds, settings, options.jobs, options.minimize)
    for verdict in verdicts:
        summary.add(verdict)
        if summary.findings.total() >= options.stop:
            break
    return summary.judge(bound=not options.fixtures and not options.file and summary.checked >= 100)


if __name__ == "__main__":
    sys.exit(main())
