"""Evaluates a danubefile with the evaluator alone, in a child process, without sandbox."""

from __future__ import annotations

import marshal
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from live import CONTEXT, SDK

FRAME = 13

Token = tuple[Any, ...]

_STDLIB = os.path.dirname(os.__file__)
# As they are before the evaluator takes their place.
_OPEN, _READ, _CLOSE, _WRITE, _EXIT = os.open, os.read, os.close, os.write, os._exit


@dataclass
class Recording:
    """What the evaluator said of a danubefile."""

    paths: list[list[Token]] = field(default_factory=list)
    problems: list[Token] = field(default_factory=list)
    error: str = ""


class _Channel:
    """Answers the evaluator as the compiler would, in this process."""

    def __init__(self, folder: str, context: Mapping[str, object]) -> None:
        # Read now: the evaluator takes the place of the host's files.
        self.files: dict[str, bytes] = {}
        for place, _, names in os.walk(folder):
            for name in names:
                with open(os.path.join(place, name), "rb") as file:
                    self.files[os.path.relpath(file.name, folder)] = file.read()
        self.context = context
        self.sent: list[tuple[bytes, bytes]] = []
        self.answer = b""

    def send(self, kind: bytes, payload: bytes) -> None:
        if kind != b"Q":
            self.sent.append((kind, payload))
            return
        request = marshal.loads(payload)
        self.answer = marshal.dumps(self._answer(*request), 2)

    def recv(self) -> tuple[bytes, bytes]:
        return b"A", self.answer

    def _answer(self, what: str, name: str) -> tuple[Any, ...]:
        if what == "ctx":
            return ("ok", self.context.get(name))
        if what == "stdlib":
            return _standard_library(name)
        name = "" if name == "." else name
        inside = [one for one in self.files if not name or one.startswith(name + "/")]
        if what == "list" and inside:
            start = len(name) + 1 if name else 0
            return (
                "ok",
                tuple(sorted({one[start:].partition("/")[0] for one in inside})),
            )
        if name in self.files and what in ("read", "stat"):
            data = self.files[name]
            return ("ok", data) if what == "read" else ("ok", "file", len(data), False)
        if what == "stat" and inside:
            return ("ok", "dir", 0, False)
        return ("absent",)


def _standard_library(name: str) -> tuple[object, ...]:
    for path, package in ((f"{name}/__init__.py", True), (f"{name}.py", False)):
        try:
            descriptor = _OPEN(f"{_STDLIB}/{path}", os.O_RDONLY)
        except OSError:
            continue
        data = b""
        while piece := _READ(descriptor, 1 << 20):
            data += piece
        _CLOSE(descriptor)
        return ("ok", "py", data, package)
    return ("absent",)


def warm_up() -> None:
    """Imports what evaluations need, so that none of them has to ask for it."""
    from importlib import import_module
    from pkgutil import iter_modules

    from generate import IMPORTS

    # What the bridge brings of its own.
    bridge: Any = ModuleType("_danube_channel")
    bridge.load = bridge.audit = lambda *_: None
    sys.modules["_danube_channel"] = bridge
    for package in ("danube", "danube_dryrun"):
        for module in iter_modules([os.path.join(SDK, package)]):
            if module.name != "_selftest":
                import_module(f"{package}.{module.name}")
    for name in IMPORTS:
        import_module(name)


def evaluate(folder: str) -> Recording:
    """Evaluates `danubefile.py` in a child process, which is spoiled by it."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            data = _evaluate_here(folder)
            while data:
                data = data[_WRITE(writer, data) :]
            status = 0
        finally:
            _EXIT(status)
    os.close(writer)
    with os.fdopen(reader, "rb") as source:
        data = source.read()
    os.waitpid(child, 0)
    if not data:
        return Recording(error="the evaluator died")
    return _decode(marshal.loads(data))


def _evaluate_here(folder: str) -> bytes:
    import traceback

    channel = _Channel(folder, CONTEXT)
    config = {
        "file": "danubefile.py", "pipeline": None, "params": (), "time": 0.0, "seed": 0,
        "max_paths": 256, "max_steps": 100_000, "max_output": 1 << 20, "max_depth": 64,
        "audit": False,
    }  # fmt: skip
    error = ""
    try:
        from danube_dryrun import _boot, main

        _boot.configuration.update(config)
        main.run(channel, tuple(config.items()))
    except BaseException:
        error = traceback.format_exc()
    return marshal.dumps((channel.sent, error), 2)


def _decode(data: tuple[list[tuple[bytes, bytes]], str]) -> Recording:
    recording = Recording(error=data[1])
    current: list[Token] = []
    for kind, payload in data[0]:
        value = marshal.loads(payload)
        if kind == b"P":
            shared = value[0]
            if shared < 0:
                recording.paths.clear()
                current = []
            else:
                current = current[:shared]
            recording.paths.append(current)
        elif kind == b"T":
            current.extend(token for token in value if token[0] != FRAME)
        elif kind == b"G":
            recording.problems.extend(value)
    return recording
