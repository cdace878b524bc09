"""The command and the name of a step, as they are recorded."""

from __future__ import annotations

from ._blocks import article, is_written
from ._symbolic import Symbolic, exact, wire
from ._text import Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._recorder import Recorder


def command_of(recorder: Recorder, command: Any, frame: int) -> Any:
    if type(command) is Text:
        return wire(command)
    if isinstance(command, str):
        return wire(command)
    if isinstance(command, (list, tuple)) and type(command) is not Symbolic:
        out = []
        for one in command:
            if not isinstance(one, str):
                recorder.session.problem(
                    "DNB312",
                    "error",
                    f"An argument of a command is {article(one)}, not str",
                    "Convert it: str(…).",
                    frame,
                )
                continue
            out.append(wire(one))
        return ("argv",) + tuple(out)
    recorder.session.problem(
        "DNB312",
        "error",
        f"A command is {article(command)}, not str or a list of str",
        "Pass a shell script as str, or an argv as list.",
        frame,
    )
    return "false"


def refuse_empty(command: Any) -> None:
    """A command made of results alone may turn out to be none."""
    kind = type(command)
    first = command[0] if kind in (list, tuple) and command else None
    found = command if kind is Text else first if type(first) is Text else None
    if found is None or any(is_written(part, found is command) for part in found._parts):
        return
    if found._has("x"):
        # To look at a secret would make the plan depend on it.
        return
    if not (found.strip() if found is command else found):
        empty = ValueError("the command of a step is empty")
        empty.danube_expected = True  # type: ignore[attr-defined]
        raise empty


def name_of(recorder: Recorder, name: Any, frame: int) -> Any:
    if type(name) is Text:
        secret = name._has("x")
        recorder.session.problem(
            "DNB402" if secret else "DNB312",
            "error",
            "A secret is part of a step's name"
            if secret
            else "A step's name depends on a result, which only a run can give",
            "Name the step with a constant.",
            frame,
        )
        return None
    if isinstance(name, str):
        return exact(name)
    recorder.session.problem(
        "DNB312",
        "error",
        f"A step's name is {article(name)}, not str",
        'Pass name="…".',
        frame,
    )
    return None
