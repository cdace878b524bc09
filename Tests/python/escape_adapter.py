"""Prints what became of the danubefile in a folder, as one line of JSON.

For hostile danubefiles: `escape_adapter.py FOLDER [--no-audit]` plans the folder with the real
program and holds it to what an evaluation promises, whatever the file does. The status is "ok",
"error" or "timeout", or names the promise that was broken.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import measured

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "fixtures" / "compile" / "branch-both-sides"
WALL_SECONDS = 5.0
# What the compiler may take beyond the evaluation's limit.
GRACE_SECONDS = 0.5
PEAK_KIB = 100 << 10
ERRORS_BYTES = 1 << 20


def program() -> Path:
    """The program under test."""
    return Path(os.environ.get("DANUBE", ROOT / ".build" / "debug" / "danube"))


def plan(folder: str | Path, *options: str) -> measured.Run:
    """Plans a folder, nothing memoised."""
    command = [program(), "plan", "-C", folder, "--no-memo", "--format", "json", *options]
    return measured.run(command, seconds=30)


def _canonical(plan: bytes) -> object:
    return json.loads(plan)


def golden_holds(*options: str) -> bool:
    """Whether an innocent danubefile still gives its plan."""
    done = plan(GOLDEN, *options)
    if done.status != 0:
        return False
    return bool(_canonical(done.output) == _canonical((GOLDEN / "plan.json").read_bytes()))


def verdict(done: measured.Run, wall: float = WALL_SECONDS) -> str:
    """Status of a run, or the promise that it broke."""
    if done.seconds > wall + GRACE_SECONDS + done.stalled:
        return f"late: {done.seconds:.2f} s, {done.stalled:.2f} s of them stalled"
    if done.peak_kib > PEAK_KIB:
        return f"large: {done.peak_kib} KiB"
    if done.status not in (0, 2):
        return f"broken: exit {done.status}"
    if len(done.errors) > ERRORS_BYTES:
        return f"loud: {len(done.errors)} bytes"
    if set(done.errors) & set(range(32)) - {10} or set(done.output) & set(range(32)) - {10}:
        return "raw: a control character was written"
    if done.status == 0:
        return "ok" if done.output else "empty: no plan"
    if done.output:
        return "both: a plan and an error"
    return "timeout" if b"DNB801" in done.errors else "error"


def judge(
    folder: str | Path, *options: str, wall: float = WALL_SECONDS
) -> tuple[str, measured.Run]:
    """Plans a folder, and an innocent one after it."""
    done = plan(folder, *options)
    status = verdict(done, wall)
    if status == "ok" and plan(folder, *options).output != done.output:
        status = "unsteady: two plans of one file differ"
    if not golden_holds(*[one for one in options if one == "--no-audit"]):
        status = "poisoned: the next evaluation failed"
    return status, done


def _without_source(errors: bytes) -> str:
    """Diagnostics without the lines of source they quote: those say what was tried, not done."""
    lines = errors.decode(errors="replace").splitlines()
    return "\n".join(line for line in lines if not re.match(r" +\d* \| ", line))


def main() -> None:
    status, done = judge(sys.argv[1], *sys.argv[2:])
    found = {
        "status": status,
        "ir": done.output[:4000].decode(errors="replace"),
        "error": _without_source(done.errors)[:2000],
        "seconds": round(done.seconds, 3),
        "peak_kib": done.peak_kib,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
