"""Plans from strangers through `danube plan --check`, from a file and from a pipe."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import measured
import pytest
from fixture_cases import ROOT

INPUTS = Path(os.environ.get("DANUBE_SHARED", ROOT.parent / "shared")) / "hostile" / "inputs"
MANIFEST = INPUTS / "manifest.json"
PEAK_KIB = 200 << 10
LIMIT = 64 << 20


def _entries() -> list[Any]:
    if not MANIFEST.exists():
        absent = pytest.mark.skip(reason=f"there is no {MANIFEST}")
        return [pytest.param({"id": "none"}, marks=absent, id="none")]
    found = [one for one in json.loads(MANIFEST.read_text()) if one["surface"] == "ir"]
    assert len(found) > 15
    return [pytest.param(one, id=one["id"].removesuffix(".json")) for one in found]


def verdict(done: measured.Run) -> str:
    """What was said of a plan, in the manifest's words."""
    assert done.peak_kib < PEAK_KIB
    if done.status == 0:
        assert done.output.startswith(b"sha256:") and not done.errors
        return "accept"
    assert done.status == 2, done.errors
    assert done.errors.startswith(b"danube: error: ") and not done.output
    assert len(done.errors) < 10_000 and b"\x1b" not in done.errors and b"\0" not in done.errors
    return "reject:ir"


@pytest.mark.parametrize("way", ["file", "pipe"])
@pytest.mark.parametrize("entry", _entries())
def test_each_gets_what_the_manifest_says(entry: dict[str, str], way: str, danube: Path) -> None:
    file = INPUTS / entry["file"]
    if way == "file":
        done = measured.run([danube, "plan", "--check", file])
    else:
        done = measured.run([danube, "plan", "--check", "-"], stdin=file.read_bytes())
    assert verdict(done) in entry["expect"].split("|"), done.errors


STEP = '{"id":"a%d","name":"a","run":"x"}'
OWN = {
    "zeros": b"\0" * 1000,
    "spaces": b" " * (1 << 20),
    "brackets": b"[" * (1 << 20),
    "objects": b'{"a":' * (1 << 20),
    "values": b'{"steps":[' + b"0," * 9_000_000 + b"0]}",
    "keys": b'{"steps":[{' + b",".join(b'"k%d":0' % n for n in range(300_000)) + b"}]}",
    "steps": b'{"pipeline":"p","version":1,"steps":['
    + b",".join((STEP % n).encode() for n in range(100_001)) + b"]}",
    "number": b'{"version":' + b"9" * (1 << 20) + b"}",
    "exponent": b'{"version":1e999999999}',
    "escapes": b'{"pipeline":"' + b"\\u0061" * (1 << 19) + b'"}',
    "surrogates": b'{"pipeline":"\\ud800\\udc00\\ud800"}',
    "overlong": b'{"pipeline":"\xc0\xaf"}',
    "mark": b"\xef\xbb\xbf{}",
    "too large": b" " * (LIMIT + 1),
}


@pytest.mark.parametrize("name", OWN)
def test_what_is_no_plan_is_refused_within_bounds(name: str, danube: Path) -> None:
    done = measured.run([danube, "plan", "--check", "-"], stdin=OWN[name])
    assert verdict(done) == "reject:ir"


@pytest.mark.parametrize("path", ["/dev/zero", "/proc/self/mem", "/", "/nonexistent"])
def test_what_is_no_file_ends_within_bounds(path: str, danube: Path) -> None:
    done = measured.run([danube, "plan", "--check", path])
    assert done.status in (2, 3) and done.errors.startswith(b"danube: error: ")
    assert done.peak_kib < PEAK_KIB
