"""Patterns of `match` that are tests for constants."""

from __future__ import annotations

import _ast as A

from ._nodes import constant as _constant
from ._nodes import copy as _copy
from ._nodes import name as _name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def constant_pattern(pattern: Any) -> bool:
    kind = type(pattern)
    if kind is A.MatchValue:
        return type(pattern.value) in (A.Constant, A.UnaryOp, A.Attribute)
    if kind is A.MatchSingleton:
        return True
    if kind is A.MatchOr:
        return all(constant_pattern(one) for one in pattern.patterns)
    return kind is A.MatchAs and pattern.pattern is None and pattern.name is None


def pattern_test(pattern: Any, name: str) -> Any:
    """The condition of a constant pattern; None when it always matches."""
    kind = type(pattern)
    if kind is A.MatchAs:
        return None
    subject = _name(name, pattern)
    if kind is A.MatchValue:
        return _copy(A.Compare(subject, [A.Eq()], [pattern.value]), pattern)
    if kind is A.MatchSingleton:
        return _copy(A.Compare(subject, [A.Is()], [_constant(pattern.value, pattern)]), pattern)
    tests = [pattern_test(one, name) for one in pattern.patterns]
    if any(one is None for one in tests):
        return None
    return _copy(A.BoolOp(A.Or(), tests), pattern)
