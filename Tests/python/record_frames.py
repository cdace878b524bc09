"""Writes what the evaluator sends for each small fixture, as inputs for fuzzing.

`record_frames.py FOLDER`: one file per fixture, its frames as they go over the channel.
"""

from __future__ import annotations

import marshal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bridge_driver
import fixture_cases

# A larger recording takes long to read and has nothing that a smaller one lacks.
_MOST = 64 << 10
_CONTEXT: dict[str, Any] = {
    "branch": "main", "event": "push", "job_id": "j", "repo": "r", "commit_sha": "0" * 40,
    "trigger_type": "push", "trigger_ref": "refs/heads/main", "workspace": "/workspace",
    "changed_files": ("a/b.py",), "pull_request": ("dict", (("fork", True), ("title", "t"))),
}


def _respond(files: Mapping[str, bytes], request: tuple[Any, ...]) -> tuple[Any, ...]:
    verb, name = request
    if verb == "ctx" and name in _CONTEXT:
        return ("ok", _CONTEXT[name])
    return bridge_driver.answer(files, request)


def _is_library(frame: bytes) -> bool:
    """Whether a frame asks for a module of the standard library, which reads a real file."""
    return frame[4:5] == b"Q" and marshal.loads(frame[5:])[0] == "stdlib"


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for case in fixture_cases.cases("compile") + fixture_cases.cases("projects"):
        files = {
            path.relative_to(case.folder).as_posix(): path.read_bytes()
            for path in sorted(case.folder.rglob("*"))
            if path.is_file()
        }
        settings = {"file": "danubefile.py", "time": 1.7e9, "seed": 1, "audit": True}
        result = bridge_driver.evaluate(settings, files, respond=_respond)
        raw = b"".join(frame for frame in result.raw if not _is_library(frame))
        if len(raw) <= _MOST:
            (folder / case.id.replace("/", "-")).write_bytes(raw)


if __name__ == "__main__":
    main()
