"""`matrix`: the combinations of several axes, as cells that steps belong to."""

from __future__ import annotations

from danube import _runtime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any, NoReturn


class Cell:
    """One combination of a matrix: an attribute per axis. It cannot be changed.

    Example:
        for cell in matrix(python=["3.11", "3.12"]):
            step.run(f"tox -e py{cell.python}", name=f"tox {cell.python}")
    """

    __slots__ = ("__dict__", "_items")
    _items: tuple[tuple[str, object], ...]

    def __init__(
        self, items: tuple[tuple[str, object], ...], others: Sequence[str] = ()
    ) -> None:
        """Makes a cell.

        Args:
            items: Keys and values, in the order of the axes.
            others: Keys that only other cells have; they read as None here.
        """
        object.__setattr__(self, "_items", items)
        self.__dict__.update(dict.fromkeys(others))
        self.__dict__.update(items)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a matrix cell cannot be changed: {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a matrix cell cannot be changed: {name!r}")

    def __eq__(self, other: object) -> bool:
        return self._items == other._items if type(other) is Cell else NotImplemented

    def __hash__(self) -> int:
        return hash(self._items)

    def __repr__(self) -> str:
        return f"Cell({', '.join([f'{key}={value!r}' for key, value in self._items])})"


class matrix:  # noqa: N801 - reads as a function in danubefiles
    """The combinations of axes: `for cell in matrix(os=[…], python=[…]):`.

    Axes vary in the order given, the last fastest. Steps that run while a cell is current carry
    its values as coordinates, which makes their ids distinct. `len(…)` is the number of cells, and
    the loop can be left early.

    Args:
        include: Further cells, each a dict with a value for every axis. Keys that are no axis may
            be added; they read as None in the other cells.
        exclude: Dicts of axis values; a cell that agrees with every key of one of them is left
            out. Cells of `include` never are.
        axes: The values of each axis: a list, or anything that can be iterated but a string.

    Raises:
        TypeError: An axis is a string or cannot be iterated.
        ValueError: `exclude` names no axis of the matrix, or `include` lacks one.

    Example:
        for cell in matrix(
            os=["debian", "alpine"],
            python=["3.11", "3.12"],
            exclude=[{"os": "alpine", "python": "3.11"}],
            include=[{"os": "debian", "python": "3.13", "experimental": True}],
        ):
            step.run("tox", image=f"python:{cell.python}-{cell.os}", check=not cell.experimental)
    """

    __slots__ = ("_cells",)

    def __init__(
        self,
        *,
        include: Iterable[Mapping[str, object]] = (),
        exclude: Iterable[Mapping[str, object]] = (),
        **axes: Iterable[object],
    ) -> None:
        combinations: list[tuple[tuple[str, object], ...]] = [()] if axes else []
        for name, values in axes.items():
            choices = [(name, value) for value in _axis(name, values)]
            combinations = [head + (choice,) for head in combinations for choice in choices]
        for pattern in exclude:
            _check_exclude(pattern, axes)
            combinations = [one for one in combinations if not _matches(one, pattern)]
        for cell in include:
            _check_include(cell, axes)
            combinations.append(_ordered(cell, axes))
        others = dict.fromkeys(key for one in combinations for key, _ in one if key not in axes)
        self._cells = [Cell(one, tuple(others)) for one in combinations]

    def __len__(self) -> int:
        return len(self._cells)

    def __iter__(self) -> Iterator[Cell]:
        # A generator: leaving the loop early drops it, and `finally` runs.
        for cell in self._cells:
            backend = _runtime.backend
            if backend is None:
                raise _runtime.missing()
            token = backend.enter_cell(cell._items)
            try:
                yield cell
            finally:
                backend.leave_cell(token)

    def __repr__(self) -> str:
        return f"matrix({self._cells!r})"


def _axis(name: str, values: Iterable[object]) -> tuple[object, ...]:
    if name.startswith("_"):
        raise ValueError(f"axis {name!r} of a matrix must not begin with an underscore")
    if isinstance(values, (str, bytes)):
        raise TypeError(f"axis {name!r} of a matrix is one text: write {name}=[{values!r}]")
    return tuple(values)


def _matches(items: tuple[tuple[str, object], ...], pattern: Mapping[str, object]) -> bool:
    return all(key not in pattern or pattern[key] == value for key, value in items)


def _ordered(
    cell: Mapping[str, object], axes: Mapping[str, object]
) -> tuple[tuple[str, object], ...]:
    extra = [(key, value) for key, value in cell.items() if key not in axes]
    return (*((name, cell[name]) for name in axes), *extra)


def _check_exclude(pattern: Mapping[str, object], axes: Mapping[str, object]) -> None:
    for key in pattern:
        if key not in axes:
            raise ValueError(f"exclude of a matrix names {key!r}, which is not one of its axes")


def _check_include(cell: Mapping[str, object], axes: Mapping[str, object]) -> None:
    for name in axes:
        if name not in cell:
            raise ValueError(f"include of a matrix has no value for the axis {name!r}")
    for key in cell:
        if type(key) is not str or not key.isidentifier() or key.startswith("_"):
            raise ValueError(f"include of a matrix has the key {key!r}, which names no attribute")
