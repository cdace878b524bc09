"""Which names matter after a branch: live variables of one function.

Backward analysis on the syntax tree (Aho, Lam, Sethi, Ullman, 9.2.5), conservative: what it
calls dead is never read before it is written.
"""

from __future__ import annotations

import _ast as A

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator

    Set = frozenset[str]

_NONE: frozenset[str] = frozenset()
_LEAVES = (A.Return, A.Raise, A.Yield, A.YieldFrom, A.Await)
# Functions that read names which the source does not show.
_SPIES = frozenset(("locals", "vars", "eval", "exec", "dir", "_getframe"))


class Names:
    """Names whose value decides whether a branch's sides may be evaluated in one pass."""

    __slots__ = ("before_else", "after")

    def __init__(self, before_else: Set, after: Set) -> None:
        # Written by the first side and read from there by the second or what follows it.
        self.before_else = before_else
        # Written by either side and read afterwards.
        self.after = after


# Fields that never hold an expression or a statement.
_BARE = frozenset(
    ("ctx", "op", "ops", "id", "attr", "arg", "names", "name", "module", "level", "kind")
    + ("conversion", "type_comment", "simple", "is_async", "rest", "kwd_attrs")
)
_parts: dict[type[Any], tuple[str, ...]] = {}


def parts(kind: type[Any]) -> tuple[str, ...]:
    """The fields of a kind of node that may hold expressions and statements."""
    found = _parts.get(kind)
    if found is None:
        found = _parts[kind] = tuple(field for field in kind._fields if field not in _BARE)
    return found


def children(node: Any) -> Iterator[Any]:
    """The nodes directly below a node that are, or may hold, expressions or statements."""
    for field in parts(type(node)):
        value = getattr(node, field, None)
        if type(value) is list:
            for one in value:
                if isinstance(one, A.AST):
                    yield one
        elif isinstance(value, A.AST):
            yield value


def walk(node: Any) -> Iterator[Any]:
    """The node and everything below it."""
    todo = [node]
    while todo:
        one = todo.pop()
        yield one
        todo.extend(children(one))


def leaves(body: list[Any]) -> bool:
    """Whether statements may leave a block other than by its end or an exception of a call."""
    todo = [(node, False) for node in body]
    while todo:
        node, looped = todo.pop()
        kind = type(node)
        if isinstance(node, _LEAVES):
            return True
        if kind in (A.Break, A.Continue) and not looped:
            return True
        if kind in (A.FunctionDef, A.AsyncFunctionDef, A.Lambda, A.ClassDef, A.GeneratorExp):
            continue
        if kind in (A.For, A.While, A.AsyncFor) and not hasattr(node, "_danube_branch"):
            todo += [(one, True) for one in node.body]
            todo += [(one, looped) for one in node.orelse]
            continue
        todo += [(one, looped) for one in children(node)]
    return False


def written(nodes: list[Any]) -> set[str]:
    """Names that statements bind in their own scope."""
    found: set[str] = set()
    todo = list(nodes)
    while todo:
        node = todo.pop()
        if isinstance(node, A.Name):
            if not isinstance(node.ctx, A.Load):
                found.add(node.id)
        elif isinstance(node, (A.FunctionDef, A.AsyncFunctionDef, A.ClassDef)):
            found.add(node.name)
            todo.extend(node.decorator_list)
            continue
        elif isinstance(node, A.Lambda):
            continue
        elif isinstance(node, (A.Import, A.ImportFrom)):
            found.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
        elif isinstance(node, A.ExceptHandler) and node.name:
            found.add(node.name)
        elif isinstance(node, (A.MatchAs, A.MatchStar)) and node.name:
            found.add(node.name)
        elif isinstance(node, A.MatchMapping) and node.rest:
            found.add(node.rest)
        elif isinstance(node, A.comprehension):
            # Its target is the comprehension's own; a walrus inside is not.
            todo += [node.iter, *node.ifs]
            continue
        todo.extend(children(node))
    return {name for name in found if name[:4] != "__d_"}


def reads(node: Any) -> set[str]:
    """Names that an expression or statement may read, nested functions included."""
    return {one.id for one in walk(node) if isinstance(one, A.Name) and isinstance(one.ctx, A.Load)}


def names_of(function: Any, branch: Any) -> Names:
    """The names that matter for a branch (the rewritten `for`) of a function or module."""
    body, orelse = sides(branch)
    first, second = written(body), written(orelse)
    if function is None or isinstance(function, A.Module):
        return Names(frozenset(first), frozenset(first | second))
    analysis = _Analysis(function, branch)
    analysis.run()
    always = analysis.always
    if _SPIES & reads(function):
        return Names(frozenset(first), frozenset(first | second))
    into_else = analysis.block(orelse, analysis.found)
    return Names(
        frozenset(first & (into_else | always)),
        frozenset((first | second) & (analysis.found | always)),
    )


def sides(branch: Any) -> tuple[list[Any], list[Any]]:
    """Both sides of a rewritten branch."""
    inner = branch.body[0]
    return inner.body, inner.orelse


class _Analysis:
    def __init__(self, function: Any, branch: Any) -> None:
        self._function = function
        self._branch = branch
        # Names live right after the branch.
        self.found: Set = _NONE
        # Names that nested functions or `global` make live everywhere.
        self.always: set[str] = set()
        self._handlers: Set = _NONE
        self._breaks: Set = _NONE
        self._continues: Set = _NONE

    def run(self) -> None:
        for node in walk(self._function):
            if node is self._function:
                continue
            if isinstance(node, (A.FunctionDef, A.AsyncFunctionDef, A.ClassDef)):
                self.always |= reads(node) | _all_written(node)
            elif isinstance(node, A.Lambda) and not hasattr(node, "_danube"):
                self.always |= reads(node)
            elif isinstance(node, (A.GeneratorExp,)):
                # Evaluated later than where it stands.
                self.always |= reads(node)
            elif isinstance(node, (A.Global, A.Nonlocal)):
                self.always |= set(node.names)
        self.block(self._function.body, _NONE)

    def block(self, body: list[Any], out: Set) -> Set:
        live = out
        for node in reversed(body):
            live = self.statement(node, live) | self._handlers
        return live

    def statement(self, node: Any, out: Set) -> Set:
        kind = type(node)
        if kind is A.For and hasattr(node, "_danube_branch"):
            if node is self._branch:
                self.found = self.found | out
            body, orelse = sides(node)
            return frozenset(reads(node.iter)) | self.block(body, out) | self.block(orelse, out)
        if kind is A.If:
            return (
                frozenset(reads(node.test))
                | self.block(node.body, out)
                | self.block(node.orelse, out)
            )
        if kind in (A.For, A.AsyncFor, A.While):
            return self._loop(node, out)
        if kind in (A.Try, getattr(A, "TryStar", A.Try)):
            return self._try(node, out)
        if kind in (A.With, A.AsyncWith):
            return self._with(node, out)
        if kind is A.Return or kind is A.Raise:
            return frozenset(reads(node)) | self._handlers
        if kind is A.Break:
            return self._breaks
        if kind is A.Continue:
            return self._continues
        if kind is A.Assign and all(isinstance(t, A.Name) for t in node.targets):
            return (out - {t.id for t in node.targets}) | reads(node.value)
        if kind is A.AnnAssign and isinstance(node.target, A.Name) and node.value is not None:
            return (out - {node.target.id}) | reads(node.value)
        if kind is A.AugAssign and isinstance(node.target, A.Name):
            return out | {node.target.id} | reads(node.value)
        if kind is A.Delete:
            return out | {one.id for one in walk(node) if isinstance(one, A.Name)}
        if kind is A.Match:
            live = out
            for case in node.cases:
                live = live | self.block(case.body, out) | reads(case.pattern)
                if case.guard is not None:
                    live = live | reads(case.guard)
            return live | reads(node.subject)
        return out | reads(node)

    def _loop(self, node: Any, out: Set) -> Set:
        saved = self._breaks, self._continues
        test = node.test if isinstance(node, A.While) else node.iter
        target: set[str] = set()
        if not isinstance(node, A.While):
            target = {node.target.id} if isinstance(node.target, A.Name) else set()
            if not target:
                target = {
                    one.id
                    for one in walk(node.target)
                    if isinstance(one, A.Name) and isinstance(one.ctx, A.Store)
                }
        after = self.block(node.orelse, out) | out
        head = after
        while True:
            self._breaks, self._continues = out, head
            body = self.block(node.body, head) - target
            if isinstance(node, A.While):
                body = body | reads(test)
            wider = head | body
            if wider == head:
                break
            head = wider
        self._breaks, self._continues = saved
        return head | reads(test)

    def _try(self, node: Any, out: Set) -> Set:
        saved = self._handlers
        final = self.block(node.finalbody, out) if node.finalbody else out
        if node.finalbody:
            self._handlers = saved | self.block(node.finalbody, _NONE)
        handlers: Set = _NONE
        for handler in node.handlers:
            live = self.block(handler.body, final)
            if handler.type is not None:
                live = live | reads(handler.type)
            handlers = handlers | live
        orelse = self.block(node.orelse, final)
        self._handlers = self._handlers | handlers
        live = self.block(node.body, orelse) | self._handlers
        self._handlers = saved
        return live

    def _with(self, node: Any, out: Set) -> Set:
        saved = self._handlers
        # A context manager may swallow an exception of any statement inside.
        self._handlers = saved | out
        live = self.block(node.body, out)
        self._handlers = saved
        for item in node.items:
            live = live | reads(item.context_expr)
        return live | out


def _all_written(node: Any) -> set[str]:
    return {
        one.id for one in walk(node) if isinstance(one, A.Name) and not isinstance(one.ctx, A.Load)
    }
