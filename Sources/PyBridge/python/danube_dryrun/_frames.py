"""Call stacks of the user's code, numbered as they first occur."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable


def is_user(code: Any) -> bool:
    """Whether code belongs to the repository: its file name is relative."""
    return code.co_filename[:1] not in ("/", "<")


class Frames:
    """Stacks are chains of (code, instruction); each gets a number once per evaluation."""

    def __init__(
        self, emit: Callable[[tuple[Any, ...]], None], source: Callable[[str], str]
    ) -> None:
        self._emit = emit
        self._source = source
        # By id(code), which hashes faster than code; `_alive` keeps the ids from being reused.
        self._user: dict[int, bool] = {}
        self._alive: list[Any] = []
        self._positions: dict[int, list[Any]] = {}
        self._ids: dict[tuple[int, int, int], int] = {}
        self._by_place: dict[tuple[int, tuple[Any, ...]], int] = {}
        self._places: list[tuple[int, str, int, int, int, int, str]] = [(0, "", 0, 0, 0, 0, "")]
        self._base: Any = None

    def start(self, frame: Any) -> None:
        """Stacks end below this frame."""
        self._base = frame

    def here(self, frame: Any) -> int:
        """Number of the user's stack at a Python frame; 0 when there is none."""
        user = self._user
        base = self._base
        ids = self._ids
        chain: list[tuple[Any, int]] = []
        while frame is not None and frame is not base:
            code = frame.f_code
            mine = user.get(id(code))
            if mine is None:
                mine = user[id(code)] = is_user(code)
                self._alive.append(code)
            if mine:
                chain.append((code, frame.f_lasti))
            frame = frame.f_back
        number = 0
        for code, at in reversed(chain):
            found = ids.get((number, id(code), at))
            number = self._new(number, code, at) if found is None else found
        return number

    def of_chain(self, chain: list[tuple[Any, int]]) -> int:
        """Number of a stack given as (code, instruction), outermost first."""
        number = 0
        for code, at in chain:
            found = self._ids.get((number, id(code), at))
            if found is None:
                self._alive.append(code)
                found = self._new(number, code, at)
            number = found
        return number

    def _new(self, parent: int, code: Any, at: int) -> int:
        positions = self._positions.get(id(code))
        if positions is None:
            positions = self._positions[id(code)] = list(code.co_positions())
        line, end_line, column, end_column = (
            positions[at // 2] if 0 <= at // 2 < len(positions) else (0, 0, 0, 0)
        )
        line = line or code.co_firstlineno
        place = (
            parent,
            code.co_filename,
            line,
            (column or 0) + 1,
            end_line or line,
            (end_column or 0) + 1,
            code.co_name,
        )
        # Once Python has specialised the code, another instruction may report the same call.
        number = self._by_place.setdefault((id(code), place), len(self._places))
        self._ids[(parent, id(code), at)] = number
        if number == len(self._places):
            self._places.append(place)
            self._emit((13, number) + place)
        return number

    def at(self, file: str, line: int, column: int, end_line: int, end_column: int) -> int:
        """A stack of one place that is known from the source."""
        number = len(self._places)
        place = (0, file, line, column, end_line, end_column, "<module>")
        self._places.append(place)
        self._emit((13, number) + place)
        return number

    def place(self, number: int) -> tuple[int, str, int, int, int, int, str]:
        """(parent, file, line, column, end line, end column, function) of a stack."""
        return self._places[number]

    def expression(self, number: int) -> str:
        """Source text of the innermost expression of a stack, on one line, shortened."""
        _, file, line, column, end_line, end_column, _ = self._places[number]
        if not file or not line:
            return ""
        lines = self._source(file).split("\n")
        if line > len(lines):
            return ""
        found = lines[line - 1].encode()
        found = found[column - 1 : end_column - 1] if end_line == line else found[column - 1 :]
        return found.decode("utf-8", "replace").strip()[:200]
