"""Plans of danubefiles at the edges of Python's semantics do what Python does, or are live."""

from __future__ import annotations

from pathlib import Path

import pytest

from check import Settings, check_text
from semantics import Example, examples


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
@pytest.mark.usefixtures("danube")
def test_a_plan_does_what_python_does(example: Example, tmp_path: Path) -> None:
    settings = Settings(scripts=8, explored=16, apart=True)
    verdict = check_text(example.text, 0, settings, example.live, str(tmp_path))
    assert verdict.finding is None, f"{verdict.finding.kind}: {verdict.finding.detail}"
    assert bool(verdict.live) == example.live, verdict.live or "it is static now: mark it so"
