"""Errors that a live run would not raise: code in C, or of the library, met a symbolic value.

`re.match(pattern, output)` raises a TypeError here, for the output is no `str`. Live it works. So
an error that tells of a symbolic operand makes the pipeline live where it is about to be seen.
"""

from __future__ import annotations

from . import _rt
from ._frames import is_user
from ._symbolic import Code, Predicate, Symbolic
from ._text import Pieces, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_KINDS = (TypeError, ValueError, AttributeError, LookupError)
_SYMBOLIC = (Text, Code, Predicate, Pieces)
# What messages call them; no other type has these names.
_NAMES = {kind: f"{kind.__name__.lower()} of a step" for kind in _SYMBOLIC}
for _kind, _name in _NAMES.items():
    _kind.__name__ = _name
# Messages of errors that `str`, `int`, `bool` and `list` give rise to as well.
_GENUINE = (
    "is not callable", "is not iterable", "non-iterable", "does not support", "has no len()",
    "is not subscriptable", "can only concatenate", "can't multiply", "context manager protocol",
)  # fmt: skip
_PLAIN = ("'int'", "'str'", "'float'", "'bool'", "'NoneType'", "'list'", "'tuple'", "'dict'",
          "'set'", "'bytes'", *(f"'{name}'" for name in _NAMES.values()))  # fmt: skip
# A C function's word for "not a str" that does not name the type.
_WORDLESS = ("encoding without a string argument", "decoding to str: need a bytes-like object")


def look(error: BaseException | None) -> None:
    """Makes the pipeline live when the error comes of a symbolic value; else does nothing."""
    if not isinstance(error, _KINDS) or _rt.recorder.dead is not None:
        return
    if not _is_suspect(error):
        return
    recorder = _rt.recorder
    frames = recorder.frames
    chain = []
    trace = error.__traceback__
    while trace is not None:
        if is_user(trace.tb_frame.f_code):
            chain.append((trace.tb_frame.f_code, trace.tb_lasti))
        trace = trace.tb_next
    # A handler deeper in the stack than the evaluation's start sees only the end of the chain.
    frame = frames.of_chain(chain)
    recorder.abandon(
        _rt.Dynamic(
            "DNB205",
            "a result of a step is handed to code that needs its value",
            "Interpolate it or compare it in the danubefile itself, or do this in a step's script.",
            frame,
            frames.expression(frame),
        )
    )


def _is_suspect(error: BaseException) -> bool:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return False
    frame = trace.tb_frame
    module = frame.f_globals.get("__name__", "")
    if module.partition(".")[0] in ("danube", "danube_dryrun"):
        return False
    text = _message(error)
    if any(name in text for name in _NAMES.values()):
        return not _is_genuine(text)
    if text in _WORDLESS:
        return True
    if is_user(frame.f_code):
        return False
    # A function of the library refused its argument.
    return any(isinstance(one, Symbolic) or type(one) in _SYMBOLIC for one in _locals(frame))


def _message(error: BaseException) -> str:
    found = error.args[0] if error.args else ""
    return found if type(found) is str else ""


def _is_genuine(text: str) -> bool:
    if any(part in text for part in _GENUINE):
        return True
    # Operators, with an operand that leaves no other answer.
    for start in ("unsupported operand type(s) for ", "'<' not ", "'>' not ", "'<=' not ",
                  "'>=' not "):  # fmt: skip
        if text.startswith(start):
            operands = text.rpartition(": " if start[0] == "u" else " of ")[2].split(" and ")
            return len(operands) == 2 and all(one.strip() in _PLAIN for one in operands)
    return False


def _locals(frame: Any) -> list[Any]:
    return list(frame.f_locals.values())
