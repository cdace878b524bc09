"""docs/danubefile.md: its examples run, and it leaves nothing out."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fixture_cases import ROOT, SDK
from sdk_live import live

import danube
from danube._context import _NAMES, PullRequest

TEXT = (ROOT / "docs" / "danubefile.md").read_text()
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)

# What the captured steps of the examples print.
OUTPUTS = {"git describe --tags": "v1.2.3-rc1\n", "./list-shards": "one\ntwo\n"}

SIGNATURES: dict[str, Callable[..., Any]] = {
    "step.run": danube.step.run,
    "pipeline": danube.pipeline,
    "parallel": danube.parallel,
    "sequence": danube.sequence,
    "artifacts.upload": danube.artifacts.upload,
    "secrets.get": danube.secrets.get,
    "files.read_text": danube.files.read_text,
    "files.glob": danube.files.glob,
    "Retry": danube.Retry,
    "Resources": danube.Resources,
    "Service": danube.Service,
}


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 15


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
@pytest.mark.parametrize("event", ["push", "tag", "pull_request"])
def test_an_example_runs(tmp_path: Path, number: int, event: str) -> None:
    names = re.findall(r"^@pipeline.*\ndef (\w+)", EXAMPLES[number], re.MULTILINE)
    titles = re.findall(r"@pipeline\(name=\"(\w+)\"", EXAMPLES[number])
    request = {"number": 7, "title": "T"} if event == "pull_request" else None
    context: dict[str, object] = {
        "branch": "main", "trigger_type": event, "changed_files": ("docs/x.md",),
        "pull_request": request,
    }  # fmt: skip
    secrets = {"NPM_TOKEN": "s", "REGISTRY_TOKEN": "s"}
    chosen = names[0] if len(names) > 1 else (titles or names)[0]
    run = live(tmp_path, EXAMPLES[number], None, OUTPUTS, whole=True, pipeline=chosen,
               context=context, secrets=secrets)  # fmt: skip
    assert run.outcome.message == "" and run.calls


@pytest.mark.parametrize("name", SIGNATURES)
def test_every_argument_is_described(name: str) -> None:
    function = SIGNATURES[name]
    for parameter in inspect.signature(function).parameters:
        assert re.search(rf"`[^`\n]*\b{parameter}\b", TEXT), f"{parameter} of {name}"


def test_every_public_name_and_context_value_is_described() -> None:
    for name in danube.__all__:
        assert re.search(rf"`[^`\n]*\b{name}\b", TEXT), name
    for name in _NAMES:
        assert f"`ctx.{name}`" in TEXT, name
    for name in PullRequest.__slots__:
        assert f"`{name}`" in TEXT, name


def test_the_modules_that_can_be_imported_are_those_of_the_evaluator() -> None:
    sys.path.insert(0, str(SDK / "danube_dryrun"))
    try:
        from _allowed import ALLOWED  # type: ignore[import-not-found]
    finally:
        sys.path.pop(0)
    listed = re.findall(r"`([\w.]+)`", "".join(re.findall(r"^> .*", TEXT, re.MULTILINE)))
    # Modules that others are made of need no mention.
    internal = re.compile(r"_(?!_future__)|sre_")
    assert listed == sorted(name for name in ALLOWED if not internal.match(name))
