"""Prints what became of the danubefile in a folder, as one line of JSON.

For hostile danubefiles: the bridge alone, without the compiler.
`escape_adapter.py FOLDER [--audit]`.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import bridge_driver


def files_of(folder: pathlib.Path) -> dict[str, bytes]:
    """Regular files beneath a folder; links are left out."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def compiled(folder: str) -> tuple[str, str]:
    """What the compiler says of a danubefile that the bridge alone accepts."""
    root = pathlib.Path(__file__).resolve().parent.parent.parent
    danube = os.environ.get("DANUBE", str(root / ".build" / "debug" / "danube"))
    command = [danube, "plan", "-C", folder, "--no-memo", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=15, check=False)
    return ("ok" if done.returncode == 0 else "error"), done.stderr


def main() -> None:
    configuration = {
        "file": "danubefile.py",
        "time": 1.7e9,
        "seed": 1,
        "audit": "--audit" in sys.argv,
    }
    result = bridge_driver.evaluate(configuration, files_of(pathlib.Path(sys.argv[1])), wall=5)
    error, status = "", "error"
    plan: object = None
    if result.timed_out:
        status = "timeout"
    elif result.exit != 0 or not any(kind == b"D" for kind, _ in result.frames):
        error = f"evaluator died: exit {result.exit}, signal {result.signal}"
    else:
        errors = [one for one in result.last(b"G") if one[1] == "error"]
        status = "error" if errors or not result.last(b"D")[0] else "ok"
        error = "; ".join(f"{one[0]} {one[2]} ({one[4]}:{one[5]})" for one in errors)
        plan = [payload for kind, payload in result.frames if kind == b"T"]
    if status == "ok":
        status, error = compiled(sys.argv[1])
    print(json.dumps({"status": status, "ir": repr(plan)[:4000], "error": error[:2000]}))


if __name__ == "__main__":
    main()
