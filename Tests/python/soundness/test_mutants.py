"""The comparison finds plans that are wrong, whatever is wrong about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from check import Settings, compare, compile_plan, context_of, runs_of
from generate import generate
from live import run_live
from mutants import Run, mutants, observed
from order import check_edges
from templates import Undefined, Unsound
from walk import PlanWalk, Walked


def _found(plan: dict[str, Any], runs: list[Run]) -> bool:
    try:
        check_edges(plan)
    except Unsound:
        return True
    for run in runs:
        try:
            walked: Walked | Exception = PlanWalk(plan, run.script).walk()
        except (Unsound, Undefined, KeyError) as error:
            walked = error
        if compare(plan, run.live, walked, run.script) is not None:
            return True
    return False


@pytest.mark.parametrize("seed", range(200, 240))
@pytest.mark.usefixtures("danube")
def test_every_wrong_plan_is_found(tmp_path: Path, seed: int) -> None:
    program = generate(seed)
    path = tmp_path / "danubefile.py"
    path.write_text(program.text, encoding="utf-8")
    settings = Settings(scripts=6, explored=24)
    plan = dict(compile_plan(str(tmp_path), settings.arguments))
    runs = []
    for script, walked in runs_of(plan, settings, seed):
        assert isinstance(walked, Walked)
        live = run_live(str(path), script, context_of(plan))
        runs.append(observed(plan, script, live))
    if any(run.walked.outcome == "live" for run in runs):
        return  # of these only the beginning is compared
    missed = [name for name, mutant in mutants(plan, runs) if not _found(mutant, runs)]
    assert missed == []
