"""New nodes of a syntax tree, at the place of an old one."""

from __future__ import annotations

import _ast as A

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LOAD = A.Load()


def name(text: str, at: Any) -> Any:
    return copy(A.Name(text, _LOAD), at)


def copy(node: Any, at: Any) -> Any:
    node.lineno = at.lineno
    node.col_offset = at.col_offset
    node.end_lineno = at.end_lineno
    node.end_col_offset = at.end_col_offset
    return node


def call(function: str, args: list[Any], at: Any) -> Any:
    return copy(A.Call(name(function, at), args, []), at)


def constant(value: Any, at: Any) -> Any:
    return copy(A.Constant(value), at)
