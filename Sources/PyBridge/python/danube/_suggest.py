"""Did you mean …? Not needed, so not loaded, until something is wrong."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def closest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that is most likely meant.

    Args:
        name: What was written.
        candidates: What could have been meant.

    Returns:
        The nearest candidate, the first of equals, when at most a third of it (and at least one
        letter) has to change; else None.
    """
    best, limit = None, max(1, len(name[:64]) // 3) + 1
    for candidate in candidates:
        distance = _distance(name[:64].lower(), candidate[:64].lower())
        if distance < limit:
            best, limit = candidate, distance
    return best


def _distance(left: str, right: str) -> int:
    """Letters to insert, delete, replace, or swap with their neighbour."""
    before: list[int] = []
    above = list(range(len(right) + 1))
    for row, letter in enumerate(left, 1):
        current = [row]
        for column, other in enumerate(right, 1):
            cost = min(above[column] + 1, current[-1] + 1, above[column - 1] + (letter != other))
            if row > 1 and column > 1 and letter == right[column - 2] and left[row - 2] == other:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        before, above = above, current
    return above[-1]
