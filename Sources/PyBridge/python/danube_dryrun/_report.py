"""Exceptions of the user's code as problems with a place and a next action."""

from __future__ import annotations

import sys

from . import _tokens as T
from ._frames import is_user
from ._source import SourceError
from ._suggest import closest
from ._symbolic import Code, Predicate, Symbolic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_RAISE = 130  # RAISE_VARARGS of CPython 3.11
_RERAISE = 119
_KEYWORDS = (
    "and as assert async await break class continue def del elif else except finally for from "
    "global if import in is lambda nonlocal not or pass raise return try while with yield"
).split()


def of_syntax(error: Any, filename: str) -> tuple[Any, ...]:
    """What `Session.problem_at` takes, for a file that cannot be parsed."""
    if isinstance(error, SourceError):
        place = (filename, error.line, error.column, error.line, error.column)
        return (error.code, "error", str(error), error.hint, place)
    if isinstance(error, SyntaxError):
        line, column = error.lineno or 1, error.offset or 1
        end_line = getattr(error, "end_lineno", None) or line
        end_column = getattr(error, "end_offset", None) or column
        if error.text and not error.text.isascii():
            # Python counts characters, diagnostics count bytes.
            if end_line == line:
                end_column = _in_bytes(error.text, end_column)
            column = _in_bytes(error.text, column)
        message = error.msg or "invalid syntax"
        deep = "too many nested" in message or "too deeply" in message
        return (
            "DNB117" if deep else "DNB101",
            "error",
            message[:1].upper() + message[1:],
            "Flatten the nesting." if deep else _mended(error),
            (error.filename or filename, line, column, end_line, max(end_column, column)),
        )
    return ("DNB101", "error", str(error), None, (filename, 1, 1, 1, 1))


def _in_bytes(text: str, column: int) -> int:
    return len(text[: max(column, 1) - 1].encode("utf-8", "replace")) + 1


def _mended(error: SyntaxError) -> str:
    """A hint for a file that cannot be parsed: the keyword that a word near the place may be."""
    text, at = error.text or "", (error.offset or 1) - 1
    start = at
    while start > 0 and not _is_word(text[start - 1 : start]):
        start -= 1
    for place in (at, start - 1):
        begin = end = max(place, 0)
        while _is_word(text[end : end + 1]):
            end += 1
        while begin > 0 and _is_word(text[begin - 1 : begin]):
            begin -= 1
        word = text[begin:end]
        if len(word) < 2 or word in _KEYWORDS:
            continue
        letters = sorted(word)
        swapped = [one for one in _KEYWORDS if sorted(one) == letters]
        near = swapped[0] if swapped else closest(word, _KEYWORDS)
        if near:
            return f"Did you mean `{near}` in place of `{word}`?"
    return "Correct the syntax; Python stops here."


def _is_word(text: str) -> bool:
    return text.isalnum() or text == "_"


def of_exception(session: Any, recorder: Any, error: BaseException, where: str) -> tuple[Any, ...]:
    """The exit token of an uncaught exception; reports it when it is a mistake."""
    frame, explicit, inner_user = _frame_of(session, error)
    if isinstance(error, SystemExit):
        return _system_exit(session, error, frame, where)
    kind = type(error).__name__
    if kind == "StepFailed":
        return (T.EXIT, T.FAILURE, "a step failed", frame, "", "")
    text = _text_of(error)
    if isinstance(error, SyntaxError) and not explicit:
        session.problem_at(*of_syntax(error, error.filename or "danubefile.py"))
        return (T.EXIT, T.FAILURE, text, frame, "", "")
    code, message, hint = _classified(error, kind, text, where)
    level = "error"
    if (explicit or hasattr(error, "danube_expected")) and where == "pipeline":
        # The danubefile says itself that this ends in failure.
        return (T.EXIT, T.FAILURE, f"{kind}: {text}" if text else kind, frame, "", "")
    if (recorder.answers or recorder.open_ifs) and where == "pipeline":
        level = "warning"
        if code == "DNB115":
            hint = "On this path the pipeline ends here. Correct it, or catch the exception."
    _, file, line, *_rest = session.frames.place(frame)
    if (
        not (code in ("DNB107", "DNB109") and session.has("DNB109", file, line))
        and not (code == "DNB110" and session.has("DNB110", file, line))
        and not (code in ("DNB111", "DNB115") and session.has("DNB111", file, line))
    ):
        session.problem(code, level, message, hint, frame)
    return (T.EXIT, T.FAILURE, f"{kind}: {text}" if text else kind, frame, "", "")


def _system_exit(session: Any, error: SystemExit, frame: int, where: str) -> tuple[Any, ...]:
    if where == "module":
        session.problem(
            "DNB113",
            "error",
            "The danubefile exits before its pipeline was called",
            "Remove sys.exit() at module level; a pipeline may call it.",
            frame,
        )
    status = error.code
    if isinstance(status, Symbolic):
        # A text or a list is a message, so a failure; of a number only 0 is a success.
        fails = type(status) not in (Code, Predicate) or bool(status)
        if not fails:
            return (T.EXIT, T.SUCCESS, "", frame, "", "")
        return (T.EXIT, T.FAILURE, "exit with a step's result", frame, "", "")
    if status is None or (isinstance(status, int) and status == 0):
        return (T.EXIT, T.SUCCESS, "", frame, "", "")
    text = f"exit status {status}" if isinstance(status, int) else _text_of(status)
    return (T.EXIT, T.FAILURE, text[:2000], frame, "", "")


def _text_of(error: Any) -> str:
    try:
        return str(error)[:2000]
    except BaseException:
        return ""


def _frame_of(session: Any, error: BaseException) -> tuple[int, bool, bool]:
    """Number of the user's innermost stack, and whether a `raise` of the user's is its end."""
    chain: list[Any] = []
    trace = error.__traceback__
    explicit = False
    while trace is not None:
        code = trace.tb_frame.f_code
        explicit = False
        if is_user(code):
            chain.append((code, trace.tb_lasti))
            explicit = code.co_code[trace.tb_lasti] in (_RAISE, _RERAISE)
        trace = trace.tb_next
    number = session.frames.of_chain(chain)
    return number, explicit, bool(chain)


def _classified(
    error: BaseException, kind: str, text: str, where: str
) -> tuple[str, str, str | None]:
    refused = getattr(error, "danube_code", None) or (
        getattr(error, "code", None) if kind == "Refused" else None
    )
    if type(refused) is str:
        return refused, text or kind, getattr(error, "hint", None)
    if kind == "KeyError" and _innermost(error) == "<frozen os>":
        return (
            "DNB708",
            f"The environment of whoever plans has no {text} here",
            "Take a parameter of the pipeline, or a value of `ctx`.",
        )
    if "context manager protocol" in text:
        return "DNB115", f"{kind}: `parallel` and `sequence` are called ({text})", (
            "Write `with parallel():`, `with sequence():`."
        )
    if isinstance(error, ImportError):
        return "DNB107", text, "Modules of the repository are found beside the danubefile."
    if isinstance(error, NameError):
        name = getattr(error, "name", None) or ""
        near = closest(name, list(_names_at(error)))
        return (
            "DNB109",
            f"`{name}` is not defined" if name else text,
            (f"Did you mean `{near}`?" if near else "Define it first, or import it."),
        )
    if isinstance(error, AttributeError) and getattr(error, "name", None):
        near = closest(error.name, [one for one in _dir(error.obj)])
        return "DNB110", text, f"Did you mean `{near}`?" if near else None
    if isinstance(error, RecursionError):
        return "DNB117", "The danubefile recurses too deeply", "End the recursion, or use a loop."
    if isinstance(error, MemoryError):
        return (
            "DNB802",
            "The evaluation needs more memory than its limit",
            "Build smaller data structures, or raise --memory.",
        )
    code = "DNB112" if where == "module" else "DNB115"
    if "unexpected keyword argument" in text:
        code = "DNB111"
    elif "required positional argument" in text or "required keyword-only" in text:
        code = "DNB116"
    return (
        code,
        f"{kind}: {text}" if text else kind,
        (
            "The pipeline always ends here. Correct it, or catch the exception."
            if where == "pipeline"
            else "Correct it: nothing can be planned while the file cannot be imported."
        ),
    )


def _innermost(error: BaseException) -> str:
    trace, name = error.__traceback__, ""
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        trace = trace.tb_next
    return name


def _names_at(error: BaseException) -> set[str]:
    found: set[str] = set()
    trace = error.__traceback__
    while trace is not None:
        if is_user(trace.tb_frame.f_code):
            found |= set(trace.tb_frame.f_locals) | set(trace.tb_frame.f_globals)
        trace = trace.tb_next
    return {name for name in found if not name.startswith("__")}


def _dir(value: Any) -> list[str]:
    try:
        return [name for name in dir(value) if not name.startswith("_")]
    except BaseException:
        return []


__all__ = ["of_exception", "of_syntax", "sys"]
