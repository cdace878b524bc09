"""What a dry run refuses to do, as exceptions that carry a diagnostic."""

from __future__ import annotations

_SEEN_MOST = 100

seen: list[Refused] = []
"""Every refusal of this evaluation, also those that the user's code has swallowed."""


class Refused(Exception):
    """Something that a dry run cannot do. The evaluator adds the user's file and line."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        self.code = self.danube_code = code
        self.message = message
        self.hint = hint
        Exception.__init__(self, message)
        if len(seen) < _SEEN_MOST:
            seen.append(self)

    def __str__(self) -> str:
        return self.message


def reset() -> None:
    """Forgets what was seen: a new evaluation begins."""
    seen.clear()
