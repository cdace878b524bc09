"""The protobuf form of plans, held against protoc, which knows nothing of this program."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from fixture_cases import ROOT, cases

GOLDENS = [
    case.folder / "plan.json"
    for case in cases("compile") + cases("projects")
    if (case.folder / "plan.json").exists()
]
SCHEMA = ["-I", str(ROOT / "proto"), "danube/plan/v1/plan.proto"]


def run(command: list[str | Path], given: bytes = b"") -> bytes:
    """Runs a program that must succeed."""
    ended = subprocess.run(command, input=given, capture_output=True, timeout=60)
    assert ended.returncode == 0, ended.stderr.decode()
    return ended.stdout


@pytest.mark.parametrize("golden", GOLDENS, ids=lambda path: path.parent.name)
def test_protoc_reads_and_writes_the_same_bytes(golden: Path, danube: Path) -> None:
    proto = run([danube, "plan", "--check", golden, "--format", "proto"])
    text = run(["protoc", "--decode=danube.plan.v1.Plan", *SCHEMA], proto)
    again = run(
        ["protoc", "--encode=danube.plan.v1.Plan", "--deterministic_output", *SCHEMA], text
    )
    assert again == proto
    back = run([danube, "plan", "--check", "-", "--format", "json"], proto)
    assert json.loads(back) == json.loads(golden.read_text())
    digests = {run([danube, "plan", "--check", path], given)
               for path, given in ((golden, b""), (Path("-"), proto))}  # fmt: skip
    assert len(digests) == 1


def test_a_file_that_is_neither_form_is_refused(danube: Path) -> None:
    for given in (b"\x08", b"\x08\x02", b"\x08\x01", b"\x00\x01", b"\xff" * 99, b"\x1f\x8b\x08"):
        ended = subprocess.run(
            [danube, "plan", "--check", "-"], input=given, capture_output=True, timeout=60
        )
        assert ended.returncode == 2, (given, ended.stderr)
        assert b"danube: error: standard input" in ended.stderr
