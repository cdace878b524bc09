"""Runs a danubefile live, under this interpreter, with a scripted back end."""

from __future__ import annotations

import io
import os
import pickle
import random
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

REPOSITORY = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
SDK = os.path.join(REPOSITORY, "Sources", "PyBridge", "python")
if SDK not in sys.path:
    sys.path.insert(0, SDK)

from danube import _runtime
from danube._live import LiveBackend, StepCall, run_file

from script import Machine, RanTooLong, Script, command_text, secret

CONTEXT: Mapping[str, object] = {
    "branch": "main", "repo": "soundness", "trigger_type": "push", "job_id": "local",
    "pipeline": "build", "commit_sha": "0" * 40, "trigger_ref": "refs/heads/main",
}  # fmt: skip


@dataclass(frozen=True)
class Event:
    """Something that a run did, in the order it did it."""

    kind: str
    """`run`, `upload` or `note`."""
    text: str
    env: tuple[tuple[str, str], ...] = ()
    detail: tuple[object, ...] = ()
    """Of an upload: its name and whether it is a JUnit report. Of a step: how it is executed."""

    def show(self) -> str:
        """One line for a report."""
        env = f" env={dict(self.env)}" if self.env else ""
        return f"{self.kind} {self.text!r}{env}{f' {self.detail}' if self.detail else ''}"


@dataclass(frozen=True)
class Position:
    """Where a live step stood: the open blocks, outermost first."""

    blocks: tuple[tuple[str, int], ...]
    """(`parallel` or `sequence`, number) and last its own (`step`, number)."""
    needs: tuple[int, ...] | None
    """Indices of the events that it needs explicitly."""
    footprint: tuple[frozenset[str], frozenset[str]] | None
    """What it reads and writes, when that is declared; then it may overtake."""

    def touches(self, other: Position) -> bool:
        """Whether the order of the two matters to their files."""
        if self.footprint is None or other.footprint is None:
            return True
        (reads, writes), (its_reads, its_writes) = self.footprint, other.footprint
        return bool(reads & its_writes or writes & its_reads or writes & its_writes)

    def beside(self, other: Position) -> bool:
        """Whether the two are branches of one parallel block."""
        container = ""
        for mine, its in zip(self.blocks, other.blocks, strict=False):
            if mine != its:
                return container == "parallel"
            container = mine[0]
        return False


@dataclass
class Trace:
    """What a live run did."""

    events: list[Event] = field(default_factory=list)
    positions: list[Position | None] = field(default_factory=list)
    outcome: str = ""
    message: str = ""

    def note(self, text: str) -> None:
        """Adds a note to the one before it, or else as an event."""
        if self.events and self.events[-1].kind == "note":
            text = f"{self.events.pop().text}\n{text}"
        self.events.append(Event("note", text))

    def actions(self) -> list[Event]:
        """Steps and uploads."""
        return [event for event in self.events if event.kind != "note"]


class _Recorder(io.TextIOBase):
    """Execute, uploads, blocks and standard output of one run."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.trace = Trace()
        self.open: list[tuple[str, int]] = []
        self.opened = 0
        self.by_call: dict[int, int] = {}
        self.calls: list[StepCall] = []
        self.printed = ""

    def __call__(self, call: StepCall) -> tuple[int, str]:
        text = command_text(call.command)
        needs = None
        if call.needs is not None:
            # A step that did not run is no event.
            needs = tuple(self.by_call[id(one)] for one in call.needs if id(one) in self.by_call)
        footprint = None
        if call.inputs is not None and call.outputs is not None:
            footprint = (frozenset(call.inputs), frozenset(call.outputs))
        self.by_call[id(call)] = len(self.trace.events) + (1 if self.printed else 0)
        self.calls.append(call)  # keeps its identity
        how = (
            call.check, call.capture, call.image, call.workdir, call.inputs, call.outputs,
            None if call.timeout is None else round(call.timeout * 1000), call.retries.attempts,
        )  # fmt: skip
        self._add(Event("run", text, tuple(sorted(call.env.items())), how), needs, footprint)
        return self.machine.run(text, call.check, call.capture)

    def uploaded(self, path: str, name: str | None, junit: bool) -> None:
        """Records an artifact."""
        self._add(
            Event("upload", str(path), (), (name or str(path), junit)),
            None,
            (frozenset((str(path),)), frozenset()),
        )

    def write(self, text: str) -> int:
        self.printed += text
        return len(text)

    def flush_notes(self) -> None:
        """Makes one note of what was printed since the last step."""
        if self.printed:
            text = self.printed.removesuffix("\n")
            self.trace.events.append(Event("note", text))
            self.trace.positions.append(None)
            self.printed = ""

    def _add(
        self,
        event: Event,
        needs: tuple[int, ...] | None,
        footprint: tuple[frozenset[str], frozenset[str]] | None,
    ) -> None:
        self.flush_notes()
        own = ("step", len(self.trace.events))
        self.trace.positions.append(Position((*self.open, own), needs, footprint))
        self.trace.events.append(event)


class _Backend(LiveBackend):
    """The live back end, which also tells the recorder of blocks."""

    recorder: _Recorder

    def secret(self, key: str, /) -> str:
        return secret(key)

    def enter_parallel(self, name: str | None, fail_fast: bool, /) -> None:
        self._open("parallel")
        super().enter_parallel(name, fail_fast)

    def exit_parallel(self, exc: BaseException | None, /) -> None:
        self.recorder.open.pop()
        super().exit_parallel(exc)

    def enter_sequence(self, name: str | None, /) -> None:
        self._open("sequence")
        super().enter_sequence(name)

    def exit_sequence(self, exc: BaseException | None, /) -> None:
        self.recorder.open.pop()
        super().exit_sequence(exc)

    def _open(self, kind: str) -> None:
        self.recorder.opened += 1
        self.recorder.open.append((kind, self.recorder.opened))


@contextmanager
def _standard_output(target: io.TextIOBase) -> Iterator[None]:
    saved, sys.stdout = sys.stdout, target
    # A generator that is thrown away may fail in its `finally`, which ends nothing.
    hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        yield
    finally:
        sys.stdout, sys.unraisablehook = saved, hook


def run_live(
    path: str,
    script: Script,
    context: Mapping[str, object] | None = None,
    params: Mapping[str, str] | None = None,
    pipeline: str | None = None,
) -> Trace:
    """Runs a danubefile with a script.

    Raises:
        RanTooLong: It executed more steps than any generated program should.
    """
    recorder = _Recorder(Machine(script))
    folder = os.path.dirname(os.path.abspath(path))
    backend = _Backend(recorder, {**CONTEXT, **(context or {})}, {}, folder)
    backend.recorder = recorder
    # As the evaluator seeds it.
    random.seed(0)
    with _standard_output(recorder):
        outcome = run_file(path, pipeline, params or {}, backend=backend)
        recorder.flush_notes()
    _runtime.backend = None
    trace = recorder.trace
    trace.outcome, trace.message = outcome.kind, outcome.message
    if "RanTooLong" in outcome.message:
        raise RanTooLong(outcome.message)
    return trace


def run_apart(*arguments: Any) -> Trace:
    """`run_live` in a child: what a danubefile does to the interpreter ends with it."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            with os.fdopen(writer, "wb") as target:
                pickle.dump(run_live(*arguments), target)
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as source:
        data = source.read()
    os.waitpid(child, 0)
    trace: Trace = pickle.loads(data)
    return trace


def main() -> None:
    """`live.py FILE [SCRIPT SEED]` prints what a run does."""
    script = Script(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    trace = run_live(sys.argv[1], script)
    for event in trace.events:
        print(event.show())
    print(trace.outcome, trace.message)


if __name__ == "__main__":
    main()
