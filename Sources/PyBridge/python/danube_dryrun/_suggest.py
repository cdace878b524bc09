"""Did you mean …?"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable


def distance(a: str, b: str, limit: int) -> int:
    """Edit distance with transpositions (optimal string alignment), at most limit + 1."""
    if abs(len(a) - len(b)) > limit:
        return limit + 1
    before: list[int] = []
    previous: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, previous, row = row if not before else previous, row, [i]
        for j, y in enumerate(b, 1):
            cost = min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return row[-1]


def closest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate most like a name, or None when none is near."""
    limit = max(1, min(3, len(name) // 3))
    best: tuple[int, str] | None = None
    for one in sorted(set(candidates)):
        if one == name or one.startswith("__"):
            continue
        found = distance(name.lower(), one.lower(), limit)
        if found <= limit and (best is None or found < best[0]):
            best = (found, one)
    return best[1] if best else None
