"""What the parts of the evaluator share: the recorder of the path under evaluation."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._recorder import Recorder

# Set by `_paths` before user code runs, so that every use may rely on it.
recorder: Recorder = None  # type: ignore[assignment]
# Writes a note of some parts; set by `_builtins`.
note: Any = None


class Abandon(BaseException):
    """Ends a path. User code may swallow it, so the recorder remembers it too."""


class Dynamic(Abandon):
    """The pipeline needs a value that only a run can give."""

    def __init__(self, code: str, message: str, hint: str, frame: int, expression: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.frame = frame
        self.expression = expression


class Restart(Abandon):
    """Evaluation begins again with these branches evaluated one side at a time."""

    def __init__(self, sites: tuple[int, ...]) -> None:
        super().__init__("restart")
        self.sites = sites


class Limit(Abandon):
    """A limit was reached."""

    def __init__(self, code: str, message: str, hint: str, frame: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.frame = frame


class Overflow(Abandon):
    """More paths than the limit allows; `frame` is where the last decision was asked."""

    def __init__(self, frame: int) -> None:
        super().__init__("too many paths")
        self.frame = frame
