"""The failure of a parallel block of which several steps may have failed."""

from __future__ import annotations

from . import _predicates as P
from . import _rt
from ._symbolic import Code
from ._text import Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_class: Any = None


def lazy_class() -> Any:
    """A `StepFailed` that decides which step it was when one of its attributes is read."""
    global _class
    if _class is None:
        from danube import StepFailed as Failed

        class StepFailed(Failed):
            def __init__(self, fallible: tuple[tuple[int, Any], ...]) -> None:
                Exception.__init__(self)
                self._fallible = fallible

            def _first(self) -> tuple[int, Any]:
                # The first in program order; that one of them failed is known.
                for n, label in self._fallible[:-1]:
                    if _rt.recorder.decide(("k", n, P.FAILED)):
                        return n, label
                return self._fallible[-1]

            @property
            def step(self) -> Any:  # type: ignore[override]
                return self._first()[1]

            @property
            def code(self) -> Any:  # type: ignore[override]
                n, label = self._first()
                return Code(n, label if type(label) is str else "step", False)

            @property
            def output(self) -> Any:  # type: ignore[override]
                n, label = self._first()
                return Text((("o", n),), n, label if type(label) is str else "step")

        _class = StepFailed
    return _class
