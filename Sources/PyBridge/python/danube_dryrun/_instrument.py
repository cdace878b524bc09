"""Rewrites the user's syntax tree so that results of steps can be followed.

Every rewrite means the same to Python when no result of a step is involved. Positions are kept,
so tracebacks and step positions are those of the source.
"""

from __future__ import annotations

import _ast as A

from . import _both
from ._liveness import leaves, parts
from ._library_state import note_finalizer, note_import
from ._nodes import call as _call
from ._nodes import constant as _constant
from ._nodes import copy as _copy
from ._nodes import name as _name
from ._patterns import constant_pattern, pattern_test
from ._purity import guarded, guarded_generator, pure, pure_generator, simple_block

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ONLY_AST = 0x400
_CALLS = frozenset(("str", "int", "bool", "repr", "any", "all", "type"))
_NAMESPACES = frozenset(("locals", "vars", "dir"))


def compile_module(source: str, filename: str) -> Any:
    """Code of a module of the repository.

    Raises SyntaxError, ValueError (NUL bytes), RecursionError, MemoryError.
    """
    return compile_tree(compile(source, filename, "exec", ONLY_AST, True), filename)


def compile_tree(tree: Any, filename: str) -> Any:
    """Code of a parsed module; the tree is rewritten in place."""
    _Rewriter(tree).module()
    return compile(tree, filename, "exec", 0, True)


class _Rewriter:
    """One pass over a module."""

    def __init__(self, tree: Any) -> None:
        self._tree = tree
        # The function whose body is being rewritten; None in a module, a class body is marked.
        self._function: Any = None
        self._in_class = False
        self._temporaries = 0

    def module(self) -> None:
        self._tree.body = self.body(self._tree.body)

    def body(self, statements: list[Any]) -> list[Any]:
        return [self.statement(node) for node in statements]

    def statement(self, node: Any) -> Any:
        kind = type(node)
        if kind is A.If:
            return self._if(node)
        if kind is A.FunctionDef or kind is A.AsyncFunctionDef:
            return self._def(node)
        if kind is A.ClassDef:
            node.decorator_list = [self.expression(one) for one in node.decorator_list]
            node.bases = [self.expression(one) for one in node.bases]
            for keyword in node.keywords:
                keyword.value = self.expression(keyword.value)
            saved, self._in_class = self._in_class, True
            node.body = self.body(node.body)
            self._in_class = saved
            return node
        if kind is A.Try or kind.__name__ == "TryStar":
            return self._try(node)
        if kind is A.With:
            for item in node.items:
                found = self.expression(item.context_expr)
                item.context_expr = _call("__d_cm__", [found], item.context_expr)
                item.optional_vars = self._any(item.optional_vars)
            node.body = self.body(node.body)
            return node
        if kind is A.Match:
            return self._match(node)
        if kind is A.While:
            node.test = self.test(node.test)
            node.body = self.body(node.body)
            node.orelse = self.body(node.orelse)
            return node
        if kind is A.Assert:
            node.test = self.test(node.test)
            node.msg = self._any(node.msg)
            return node
        if kind is A.Import or kind is A.ImportFrom:
            note_import(node)
            return node
        return self._generic(node)

    def _generic(self, node: Any) -> Any:
        for field in parts(type(node)):
            value = getattr(node, field, None)
            if type(value) is list:
                if value:
                    setattr(node, field, [self._any(one) for one in value])
            elif isinstance(value, A.AST):
                setattr(node, field, self._any(value))
        return node

    def _any(self, node: Any) -> Any:
        if isinstance(node, A.stmt):
            return self.statement(node)
        if isinstance(node, A.expr):
            return self.expression(node)
        if isinstance(node, A.AST):
            return self._generic(node)
        return node

    def _def(self, node: Any) -> Any:
        node.decorator_list = [self.expression(one) for one in node.decorator_list]
        arguments = node.args
        arguments.defaults = [self.expression(one) for one in arguments.defaults]
        arguments.kw_defaults = [
            one if one is None else self.expression(one) for one in arguments.kw_defaults
        ]
        if node.name == "__del__":
            note_finalizer()
        saved = self._function, self._in_class
        self._function, self._in_class = node, False
        node.body = self.body(node.body)
        self._function, self._in_class = saved
        return node

    def _if(self, node: Any) -> Any:
        plain = self._in_class or leaves(node.body) or leaves(node.orelse)
        simple = not plain and simple_block(node.body) and simple_block(node.orelse)
        node.test = self.test(node.test)
        node.body = self.body(node.body)
        node.orelse = self.body(node.orelse)
        if plain:
            return node
        site = len(_both.sites)
        iterated = _call("__d_test__", [node.test, _constant(site, node.test)], node.test)
        inner = _copy(A.If(_name("__d_s__", node.test), node.body, node.orelse), node)
        target = _copy(A.Name("__d_s__", A.Store()), node.test)
        branch = _copy(A.For(target, iterated, [inner], [], None), node)
        branch._danube_branch = True
        _both.sites.append(_both.Site(branch, self._function or self._tree, simple))
        return branch

    def _try(self, node: Any) -> Any:
        """`__d_try__` counts the handlers that would see an exception raised in the body."""
        node.body = self._observed(self.body(node.body), node)
        for handler in node.handlers:
            if handler.type is not None:
                handler.type = self.expression(handler.type)
            handler.body = self.body(handler.body)
        node.orelse = self.body(node.orelse)
        if not node.finalbody:
            return node
        first = node.finalbody[0]
        close = _copy(A.Expr(_call("__d_endfinally__", [], first)), first)
        self._temporaries += 1
        since = f"__d_t{self._temporaries}__"
        enter = _copy(A.Expr(_call("__d_finally__", [_name(since, first)], first)), first)
        final = [enter, _copy(A.Try(self.body(node.finalbody), [], [], [close]), first)]
        node.finalbody = []
        inner = [node] if node.handlers else node.body
        outer = A.Try(self._observed(inner, node) if node.handlers else inner, [], [], final)
        start = _copy(A.Assign([_copy(A.Name(since, A.Store()), node)], None), node)
        start.value = _call("__d_since__", [], node)
        return _copy(A.If(_constant(True, node), [start, _copy(outer, node)], []), node)

    def _observed(self, body: list[Any], at: Any) -> list[Any]:
        first = body[0]
        enter = _copy(A.Expr(_call("__d_try__", [], first)), first)
        leave = _copy(A.Expr(_call("__d_untry__", [], first)), first)
        return [enter, _copy(A.Try(body, [], [], [leave]), at)]

    def _match(self, node: Any) -> Any:
        chain = None if self._in_class else self._match_chain(node)
        if chain is not None:
            return chain
        node.subject = self.expression(node.subject)
        for case in node.cases:
            if case.guard is not None:
                case.guard = self.test(case.guard)
            case.body = self.body(case.body)
        return node

    def _match_chain(self, node: Any) -> Any:
        """A `match` on constants as `if` and `elif`."""
        if not all(constant_pattern(case.pattern) for case in node.cases):
            return None
        self._temporaries += 1
        name = f"__d_m{self._temporaries}__"
        store = _copy(
            A.Assign([_copy(A.Name(name, A.Store()), node.subject)], node.subject), node.subject
        )
        rest: list[Any] = []
        for case in reversed(node.cases):
            test = pattern_test(case.pattern, name)
            if case.guard is not None:
                test = (
                    case.guard
                    if test is None
                    else _copy(A.BoolOp(A.And(), [test, case.guard]), case.guard)
                )
            if test is None:
                rest = case.body
            else:
                chained = A.If(test, case.body, rest)
                rest = [_copy(chained, case.pattern)]
                rest[0].end_lineno = case.body[-1].end_lineno
                rest[0].end_col_offset = case.body[-1].end_col_offset
        wrapper = _copy(A.If(_constant(True, node.subject), [store, *rest], []), node)
        wrapper.body = self.body(wrapper.body)
        return wrapper

    # Expressions.

    def test(self, node: Any) -> Any:
        """An expression of which only the truth matters."""
        if type(node) is A.BoolOp:
            return self._boolop(node, True)
        if type(node) is A.UnaryOp and type(node.op) is A.Not:
            return _call("__d_not__", [self.test(node.operand)], node)
        return self.expression(node)

    def expression(self, node: Any) -> Any:
        kind = type(node)
        if kind is A.Name or kind is A.Constant:
            return node
        rewrite = _EXPRESSIONS.get(kind)
        return self._generic(node) if rewrite is None else rewrite(self, node)

    def _unary(self, node: Any) -> Any:
        if type(node.op) is A.Not:
            return _call("__d_not__", [self.test(node.operand)], node)
        return self._generic(node)

    def _binary(self, node: Any) -> Any:
        node = self._generic(node)
        return _call("__d_mod__", [node.left, node.right], node) if type(node.op) is A.Mod else node

    def _choice(self, node: Any) -> Any:
        node.test = self.test(node.test)
        node.body = self.expression(node.body)
        node.orelse = self.expression(node.orelse)
        return node

    def _lambda(self, node: Any) -> Any:
        saved = self._function, self._in_class
        self._in_class = False
        node = self._generic(node)
        self._function, self._in_class = saved
        return node

    def _comprehension(self, node: Any) -> Any:
        for one in node.generators:
            one.iter = self.expression(one.iter)
            one.ifs = [self.test(test) for test in one.ifs]
        if type(node) is A.DictComp:
            node.key = self.expression(node.key)
            node.value = self.expression(node.value)
        else:
            node.elt = self.expression(node.elt)
        return node

    def _fstring(self, node: Any) -> Any:
        args: list[Any] = []
        for part in node.values:
            if type(part) is A.Constant:
                args.append(part)
                continue
            value = self.expression(part.value)
            if part.conversion == -1 and part.format_spec is None:
                args.append(value)
                continue
            conversion = "" if part.conversion == -1 else chr(part.conversion)
            spec = (
                _constant("", part) if part.format_spec is None else self._fstring(part.format_spec)
            )
            args.append(_call("__d_formatted__", [value, _constant(conversion, part), spec], part))
        if all(type(one) is A.Constant for one in args):
            return _constant("".join(one.value for one in args), node)
        return _call("__d_fstr__", args, node)

    def _boolop(self, node: Any, in_test: bool = False) -> Any:
        is_pure = not self._in_class and all(pure(one) for one in node.values[1:])
        if not is_pure:
            node.values = [
                self.test(one) if in_test else self.expression(one) for one in node.values
            ]
            return node
        rest = []
        for one in node.values[1:]:
            body = guarded(self.test(one) if in_test else self.expression(one))
            function = _copy(A.Lambda(A.arguments([], [], None, [], [], None, []), body), one)
            function._danube = True
            rest.append(function)
        first = self.test(node.values[0]) if in_test else self.expression(node.values[0])
        is_and = type(node.op) is A.And
        return _call(
            "__d_logic__", [_constant(is_and, node), _constant(in_test, node), first, *rest], node
        )

    def _compare(self, node: Any) -> Any:
        if len(node.ops) > 1:
            middle = node.comparators[:-1]
            if self._in_class or not all(type(one) in (A.Name, A.Constant) for one in middle):
                return self._generic(node)
            links = []
            left = node.left
            for op, right in zip(node.ops, node.comparators):
                links.append(_copy(A.Compare(left, [op], [right]), node))
                left = right
            if not all(pure(one) for one in links[1:]):
                return self._generic(node)
            return self._boolop(_copy(A.BoolOp(A.And(), links), node), False)
        op = type(node.ops[0])
        left = self.expression(node.left)
        right = self.expression(node.comparators[0])
        name = {A.In: "__d_in__", A.NotIn: "__d_notin__"}.get(op)
        if (
            name is None
            and op in (A.Is, A.IsNot)
            and not (type(right) is A.Constant and right.value is None)
        ):
            name = "__d_is__" if op is A.Is else "__d_isnot__"
        if name is not None:
            return _call(name, [left, right], node)
        node.left = left
        node.comparators = [right]
        return node

    def _call(self, node: Any) -> Any:
        function = node.func
        if (
            type(function) is A.Name
            and function.id in _NAMESPACES
            and self._function is not None
            and not (node.args or node.keywords)
        ):
            return _call("__d_names__", [node], node)
        if (
            type(function) is A.Name
            and function.id in _CALLS
            and len(node.args) == 1
            and not node.keywords
            and type(node.args[0]) is not A.Starred
        ):
            argument = node.args[0]
            pure = (
                function.id in ("any", "all")
                and not self._in_class
                and type(argument) is A.GeneratorExp
                and pure_generator(argument)
            )
            argument = self.expression(argument)
            if pure:
                argument = guarded_generator(argument)
            return _call("__d_call__", [function, argument, _constant(pure, node)], node)
        if type(function) is A.Attribute and function.attr in ("join", "format"):
            if function.attr == "format" or (len(node.args) == 1 and not node.keywords):
                receiver = self.expression(function.value)
                args = [receiver] + [self.expression(one) for one in node.args]
                for keyword in node.keywords:
                    keyword.value = self.expression(keyword.value)
                name = "__d_join__" if function.attr == "join" else "__d_format__"
                return _copy(A.Call(_name(name, node), args, node.keywords), node)
        return self._generic(node)


_EXPRESSIONS: dict[Any, Any] = {
    A.JoinedStr: _Rewriter._fstring,
    A.BoolOp: _Rewriter._boolop,
    A.UnaryOp: _Rewriter._unary,
    A.Compare: _Rewriter._compare,
    A.Call: _Rewriter._call,
    A.BinOp: _Rewriter._binary,
    A.IfExp: _Rewriter._choice,
    A.Lambda: _Rewriter._lambda,
}
for _kind in (A.ListComp, A.SetComp, A.GeneratorExp, A.DictComp):
    _EXPRESSIONS[_kind] = _Rewriter._comprehension
