"""What the syntax alone says of effects on Python's state."""

from __future__ import annotations

import _ast as A

from ._nodes import call as _call
from ._nodes import constant as _constant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PURE_METHODS = frozenset(
    (
        "startswith",
        "endswith",
        "strip",
        "lstrip",
        "rstrip",
        "lower",
        "upper",
        "replace",
        "removeprefix",
        "removesuffix",
    )
)


def pure(node: Any) -> bool:
    """Whether evaluating an expression has no effects, whatever its names are bound to.

    What is bound to a name may still have effects when it is compared, and an attribute may be
    computed: `guarded` refuses these at run time.
    """
    kind = type(node)
    if kind in (A.Name, A.Constant):
        return True
    if kind is A.Compare:
        return pure(node.left) and all(pure(one) for one in node.comparators)
    if kind is A.BoolOp:
        return all(pure(one) for one in node.values)
    if kind is A.UnaryOp:
        return type(node.op) is A.Not and pure(node.operand)
    if kind is A.Attribute:
        return type(node.ctx) is A.Load and pure(node.value)
    if kind in (A.Tuple, A.List, A.Set):
        return all(pure(one) for one in node.elts)
    if kind is A.Call and type(node.func) is A.Attribute and node.func.attr in _PURE_METHODS:
        return pure(node.func.value) and not node.keywords and all(map(pure, node.args))
    return False


def guarded(node: Any) -> Any:
    """A pure expression, rewritten so that operands with effects of their own are refused."""
    kind = type(node)
    if kind is A.Name and node.id[:4] != "__d_" or kind is A.Attribute:
        return _call("__d_leaf__", [_access(node)], node)
    if kind is A.Lambda:
        # An operand of an inner `and` or `or`, which is guarded already.
        return node
    if kind is A.Call and type(node.func) is A.Attribute:
        value = node.func.value
        if type(value) is not A.Constant:
            value = _access(value) if type(value) in (A.Name, A.Attribute) else guarded(value)
            node.func.value = _call("__d_receiver__", [value], value)
        node.args = [guarded(one) for one in node.args]
        return node
    for field in node._fields:
        value = getattr(node, field, None)
        if type(value) is list:
            setattr(
                node, field, [guarded(one) if isinstance(one, A.expr) else one for one in value]
            )
        elif isinstance(value, A.expr):
            setattr(node, field, guarded(value))
    return node


def _access(node: Any) -> Any:
    if type(node) is A.Attribute:
        return _call("__d_attr__", [_access(node.value), _constant(node.attr, node)], node)
    return node if type(node) is A.Name else guarded(node)


def guarded_generator(node: Any) -> Any:
    """A pure generator expression, rewritten so that it refuses what has effects of its own."""
    node.elt = guarded(node.elt)
    for one in node.generators:
        single = _constant(type(one.target) is A.Name, one.iter)
        found = one.iter if type(one.iter) is A.Name else guarded(one.iter)
        one.iter = _call("__d_rows__", [found, single], one.iter)
        one.ifs = [guarded(test) for test in one.ifs]
    return node


def pure_generator(node: Any) -> bool:
    return pure(node.elt) and all(
        pure(one.iter) and all(map(pure, one.ifs)) and not one.is_async for one in node.generators
    )


def simple_block(body: list[Any]) -> bool:
    """Whether statements only run steps: their one effect on Python's state is names they bind."""
    return all(map(_simple, body))


def _simple(node: Any) -> bool:
    kind = type(node)
    if kind is A.Pass:
        return True
    if kind is A.Expr:
        return type(node.value) is A.Constant or _step_call(node.value)
    if kind is A.Assign:
        return (
            len(node.targets) == 1
            and type(node.targets[0]) is A.Name
            and (_step_call(node.value) or _plain(node.value))
        )
    if kind is A.If:
        return _plain(node.test) and simple_block(node.body) and simple_block(node.orelse)
    if kind is A.For:
        return (
            type(node.target) is A.Name
            and not node.orelse
            and simple_block(node.body)
            and (
                type(node.iter) in (A.Tuple, A.List)
                and _plain(node.iter)
                or _named_call(node.iter, ("range",))
            )
        )
    if kind is A.With:
        return simple_block(node.body) and all(
            _named_call(item.context_expr, ("parallel", "sequence")) and item.optional_vars is None
            for item in node.items
        )
    return False


def _named_call(node: Any, names: tuple[str, ...]) -> bool:
    return (
        type(node) is A.Call
        and type(node.func) is A.Name
        and node.func.id in names
        and all(map(_plain, node.args))
        and all(_plain(one.value) for one in node.keywords)
    )


def _step_call(node: Any) -> bool:
    if type(node) is not A.Call:
        return False
    function = node.func
    named = (
        type(function) is A.Name
        and function.id == "print"
        or (
            type(function) is A.Attribute
            and type(function.value) is A.Name
            and (function.value.id, function.attr) in (("step", "run"), ("artifacts", "upload"))
        )
    )
    return (
        named
        and all(map(_plain, node.args))
        and all(one.arg is not None and _plain(one.value) for one in node.keywords)
    )


def _plain(node: Any) -> bool:
    kind = type(node)
    if kind in (A.Name, A.Constant):
        return True
    if kind is A.JoinedStr:
        return all(_plain(one) for one in node.values)
    if kind is A.FormattedValue:
        return _plain(node.value) and (node.format_spec is None or _plain(node.format_spec))
    if kind in (A.Tuple, A.List):
        return all(_plain(one) for one in node.elts)
    if kind is A.Dict:
        return all(one is not None and _plain(one) for one in node.keys) and all(
            map(_plain, node.values)
        )
    if kind is A.Compare:
        return _plain(node.left) and all(map(_plain, node.comparators))
    if kind is A.BoolOp:
        return all(map(_plain, node.values))
    return kind is A.UnaryOp and type(node.op) is A.Not and _plain(node.operand)
