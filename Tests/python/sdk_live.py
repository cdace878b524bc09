"""Runs the text of a danubefile live, with a script that decides what steps return."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Mapping
from pathlib import Path

from danube._live import LiveBackend, Outcome, StepCall, run_file

_numbers = itertools.count()

HEADER = "from danube import *\n@pipeline\ndef p() -> None:\n"


class Run:
    """What a live run did.

    Attributes:
        calls: The steps that were executed, in order.
        uploads: What was uploaded, as (path, name, junit).
        outcome: How it ended.
    """

    def __init__(self, codes: Mapping[str, int], outputs: Mapping[str, str]) -> None:
        self.calls: list[StepCall] = []
        self.uploads: list[tuple[str, str | None, bool]] = []
        self.outcome = Outcome("success")
        self._codes = codes
        self._outputs = outputs

    def __call__(self, call: StepCall, /) -> tuple[int, str]:
        self.calls.append(call)
        command = call.command if isinstance(call.command, str) else " ".join(call.command)
        return self._codes.get(command, 0), self._outputs.get(command, "")

    def uploaded(self, path: str, name: str | None, junit: bool) -> None:
        self.uploads.append((path, name, junit))

    @property
    def commands(self) -> list[str | list[str]]:
        """The commands that were executed, in order."""
        return [call.command for call in self.calls]


def live(
    tmp_path: Path,
    body: str,
    codes: Mapping[str, int] | None = None,
    outputs: Mapping[str, str] | None = None,
    *,
    whole: bool = False,
    pipeline: str | None = None,
    params: Mapping[str, str] | None = None,
    context: Mapping[str, object] | None = None,
    secrets: Mapping[str, str] | None = None,
) -> Run:
    """Runs a danubefile.

    Args:
        tmp_path: Where it is written.
        body: The body of its only pipeline, or with `whole` the file.
        codes: Exit codes by command; others end with 0.
        outputs: Standard outputs by command; others print nothing.
        whole: `body` is the whole file.
        pipeline: The pipeline to run.
        params: Parameters as text.
        context: Values of `ctx`.
        secrets: Values of secrets.
    """
    text = textwrap.dedent(body)
    source = text if whole else HEADER + textwrap.indent(text, "    ")
    file = tmp_path / f"danubefile{next(_numbers)}.py"
    file.write_text(source)
    run = Run(codes or {}, outputs or {})
    backend = LiveBackend(run, context, secrets, root=str(tmp_path))
    run.outcome = run_file(str(file), pipeline, params, backend=backend)
    return run
