"""The cells of a matrix, and when they are current."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sdk_live import live

from danube import _runtime, matrix
from danube._live import LiveBackend


@pytest.fixture(autouse=True)
def backend(monkeypatch: pytest.MonkeyPatch) -> LiveBackend:
    found = LiveBackend(lambda call: (0, ""))
    monkeypatch.setattr(_runtime, "backend", found)
    return found


any_value: Any = 3


def items(found: matrix) -> list[str]:
    return [repr(cell) for cell in found]


def test_the_last_axis_varies_fastest() -> None:
    found = matrix(b=[1, 2], a=["x", "y"])
    assert len(found) == 4
    assert [(cell.b, cell.a) for cell in found] == [(1, "x"), (1, "y"), (2, "x"), (2, "y")]


def test_exclude_drops_cells_that_agree_with_all_its_keys() -> None:
    found = matrix(a=[1, 2], b=[1, 2, 3], exclude=[{"a": 1, "b": 2}, {"b": 3}])
    assert items(found) == ["Cell(a=1, b=1)", "Cell(a=2, b=1)", "Cell(a=2, b=2)"]


def test_include_adds_cells_at_the_end_that_exclude_keeps() -> None:
    found = matrix(a=[1], b=[2], exclude=[{"a": 1}], include=[{"b": 2, "a": 1, "extra": True}])
    assert items(found) == ["Cell(a=1, b=2, extra=True)"]


def test_a_key_that_only_some_cells_have_reads_as_none_in_the_others() -> None:
    found = matrix(a=[1], include=[{"a": 2, "extra": True}])
    assert [(cell.a, cell.extra) for cell in found] == [(1, None), (2, True)]


def test_a_matrix_can_be_of_includes_only() -> None:
    assert items(matrix(include=[{"os": "a"}, {"os": "b"}])) == ["Cell(os='a')", "Cell(os='b')"]


def test_a_matrix_without_axes_or_with_an_empty_one_has_no_cells() -> None:
    assert len(matrix()) == 0 and len(matrix(a=[], b=[1])) == 0


def test_an_axis_can_be_any_iterable_and_the_matrix_iterated_again() -> None:
    found = matrix(a=(number * 2 for number in range(2)))
    assert items(found) == items(found) == ["Cell(a=0)", "Cell(a=2)"]


def test_cells_are_values() -> None:
    one, same = list(matrix(a=[1])) + list(matrix(a=[1]))
    assert one == same and hash(one) == hash(same) and one != 1
    with pytest.raises(AttributeError, match="cannot be changed"):
        one.a = 2
    with pytest.raises(AttributeError, match="cannot be changed"):
        del one.a
    with pytest.raises(AttributeError):
        one.b


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: matrix(python="3.11"), TypeError, r"write python=\['3.11'\]"),
        (lambda: matrix(**{"a": any_value}), TypeError, "iterable"),
        (lambda: matrix(a=[1], exclude=[{"b": 1}]), ValueError, "'b', which is not one of"),
        (lambda: matrix(a=[1], include=[{"b": 1}]), ValueError, "no value for the axis 'a'"),
        (lambda: matrix(include=[{"a b": 1}]), ValueError, "'a b', which names no attribute"),
        (lambda: matrix(_a=[1]), ValueError, "must not begin with an underscore"),
    ],
)
def test_mistakes_are_explained(
    make: Callable[[], Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make()


def test_a_cell_is_current_in_its_iteration_only(tmp_path: Path) -> None:
    body = """
        for cell in matrix(a=[1, 2]):
            for inner in matrix(b=[3]):
                step.run("both")
            step.run("outer")
        step.run("none")
        for cell in matrix(a=[1, 2]):
            break
        step.run("none")
        try:
            for cell in matrix(a=[1]):
                step.run("bad")
        except StepFailed:
            step.run("none")
        for left, right in zip(matrix(a=[1]), matrix(b=[2])):
            step.run("both")
    """
    run = live(tmp_path, body, {"bad": 1})
    outer, inner = (("a", 1),), (("b", 3),)
    assert [(call.command, call.cells) for call in run.calls] == [
        ("both", (outer, inner)),
        ("outer", (outer,)),
        ("both", ((("a", 2),), inner)),
        ("outer", ((("a", 2),),)),
        ("none", ()),
        ("none", ()),
        ("bad", (outer,)),
        ("none", ()),
        ("both", (outer, (("b", 2),))),
    ]
