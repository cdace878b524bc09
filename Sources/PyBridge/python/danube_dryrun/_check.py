"""What the source alone shows: misspelt names, attributes and keywords, unreachable steps."""

from __future__ import annotations

import _ast as A
import builtins

from ._liveness import walk, written
from ._suggest import closest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    Report = Callable[[str, str, str, str | None, Any], None]

_MODULE_NAMES = frozenset(
    (
        "__name__",
        "__file__",
        "__doc__",
        "__builtins__",
        "__spec__",
        "__package__",
        "__loader__",
        "__annotations__",
        "__class__",
        "__qualname__",
        "__module__",
    )
)
_ENDS = (A.Return, A.Raise, A.Break, A.Continue)
KEYWORDS = {
    ("step", "run"): (
        "name",
        "image",
        "env",
        "check",
        "capture",
        "timeout",
        "inputs",
        "outputs",
        "cache",
        "needs",
        "retries",
        "resources",
        "workdir",
        "services",
        "command",
    ),
    ("artifacts", "upload"): ("path", "name", "junit"),
    ("secrets", "get"): ("key",),
}
_CALLABLES = {
    "pipeline": ("name", "image", "concurrency", "concurrency_rule"),
    "parallel": ("name", "fail_fast"),
    "sequence": ("name",),
    "Retry": ("attempts", "delay", "backoff", "on"),
    "Resources": ("cpu", "memory", "disk", "gpu"),
    "Service": ("image", "name", "env", "ports", "ready", "ready_timeout"),
}
ATTRIBUTES = {
    "step": ("run",),
    "artifacts": ("upload",),
    "secrets": ("get",),
    "files": ("read_text", "read_bytes", "glob", "exists"),
    "ctx": (
        "job_id",
        "pipeline",
        "repo",
        "branch",
        "commit_sha",
        "trigger_type",
        "trigger_ref",
        "workspace",
        "event",
        "pull_request",
        "changed_files",
        "params",
        "tag",
    ),
}


def check(tree: Any, report: Report) -> None:
    """Reports what is wrong with a parsed danubefile, before anything is evaluated.

    `report(code, level, message, hint, node)` is called for each problem.
    """
    nodes = list(walk(tree))
    _imports(nodes, report)
    imported = _imported(nodes)
    _names(tree, nodes, report)
    _unread(nodes, imported, report)
    for node in nodes:
        kind = type(node)
        if kind is A.Attribute:
            _attribute(node, imported, report)
        elif kind is A.Call:
            _keywords(node, imported, report)
        elif kind is A.Expr:
            _unused(node, imported, report)
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if type(block) is list:
                _unreachable(block, imported, report)


def _imports(nodes: list[Any], report: Report) -> None:
    import danube

    for node in nodes:
        if type(node) is A.ImportFrom and node.module == "danube" and not node.level:
            for alias in node.names:
                if alias.name != "*" and not hasattr(danube, alias.name):
                    near = closest(alias.name, danube.__all__)
                    report(
                        "DNB109",
                        "error",
                        f"`danube` has no `{alias.name}`",
                        f"Did you mean `{near}`?"
                        if near
                        else "See docs/danubefile.md for what there is.",
                        alias,
                    )


def _imported(nodes: list[Any]) -> dict[str, str]:
    """Local names of what was imported from `danube`, and of the module itself."""
    found: dict[str, str] = {}
    for node in nodes:
        if type(node) is A.ImportFrom and node.module == "danube":
            for alias in node.names:
                if alias.name == "*":
                    found.update((name, name) for name in _exported())
                else:
                    found[alias.asname or alias.name] = alias.name
        elif type(node) is A.Import:
            for alias in node.names:
                if alias.name == "danube":
                    found[alias.asname or alias.name] = "danube"
    for node in nodes:
        if isinstance(node, (A.FunctionDef, A.ClassDef)):
            found.pop(node.name, None)
        elif type(node) is A.arg:
            found.pop(node.arg, None)
        elif type(node) is A.Name and type(node.ctx) is A.Store:
            found.pop(node.id, None)
    return found


def _exported() -> list[str]:
    import danube

    return list(danube.__all__)


def _origin(node: Any, imported: dict[str, str]) -> str:
    """What of `danube` a name or `danube.name` is; empty when it is nothing of it."""
    if type(node) is A.Name:
        return imported.get(node.id, "")
    if type(node) is A.Attribute and type(node.value) is A.Name:
        return node.attr if imported.get(node.value.id) == "danube" else ""
    return ""


def _dotted(node: Any) -> str:
    """The source of a name, or of an attribute of one."""
    return f"{_dotted(node.value)}.{node.attr}" if type(node) is A.Attribute else str(node.id)


def _names(tree: Any, nodes: list[Any], report: Report) -> None:
    bound = written(tree.body) | _MODULE_NAMES | set(dir(builtins))
    for node in nodes:
        kind = type(node)
        if kind is A.ImportFrom and any(alias.name == "*" for alias in node.names):
            if node.module != "danube":
                return
            bound.update(_exported())
        if kind is A.Name:
            if type(node.ctx) is not A.Load:
                bound.add(node.id)
            elif node.id in ("globals", "exec", "eval", "vars", "locals"):
                return
        elif kind is A.arg:
            bound.add(node.arg)
        elif isinstance(node, (A.FunctionDef, A.AsyncFunctionDef, A.ClassDef)):
            bound.add(node.name)
        elif kind is A.ExceptHandler and node.name:
            bound.add(node.name)
        elif kind in (A.MatchAs, A.MatchStar) and node.name:
            bound.add(node.name)
        elif kind is A.MatchMapping and node.rest:
            bound.add(node.rest)
        elif kind in (A.Import, A.ImportFrom):
            bound.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
    defined: dict[str, int] = {}
    for node in nodes:
        line = getattr(node, "lineno", 0)
        name = (
            node.id
            if type(node) is A.Name and type(node.ctx) is not A.Load
            else getattr(node, "name", None)
        )
        if type(name) is str and line:
            defined[name] = min(line, defined.get(name, line))
    for node in nodes:
        if type(node) is A.Name and type(node.ctx) is A.Load and node.id not in bound:
            near = closest(node.id, bound)
            where = f" (line {defined[near]})" if near in defined else ""
            report(
                "DNB109",
                "error",
                f"`{node.id}` is not defined",
                f"Did you mean `{near}`{where}?"
                if near
                else f"Define `{node.id}` before this line, or import it.",
                node,
            )


def _attribute(node: Any, imported: dict[str, str], report: Report) -> None:
    origin = _origin(node.value, imported)
    known = _exported() if origin == "danube" else ATTRIBUTES.get(origin)
    if known is None or node.attr in known or node.attr.startswith("__"):
        return
    near = closest(node.attr, known)
    report(
        "DNB110",
        "error",
        f"`{_dotted(node.value)}` has no attribute `{node.attr}`",
        f"Did you mean `{near}`?" if near else f"It has {', '.join(known)}.",
        node,
    )


def _keywords(node: Any, imported: dict[str, str], report: Report) -> None:
    function = node.func
    known = _CALLABLES.get(_origin(function, imported))
    if known is None and type(function) is A.Attribute:
        known = KEYWORDS.get((_origin(function.value, imported), function.attr))
    if known is None:
        return
    shown = _dotted(function)
    for keyword in node.keywords:
        if keyword.arg is None or keyword.arg in known:
            continue
        near = closest(keyword.arg, known)
        report(
            "DNB111",
            "error",
            f"`{shown}` has no parameter `{keyword.arg}`",
            f"Did you mean `{near}`?" if near else f"It takes {', '.join(known)}.",
            keyword,
        )


def _unread(nodes: list[Any], imported: dict[str, str], report: Report) -> None:
    """Captured output that is given a name which nothing reads."""
    read = {one.id for one in nodes if type(one) is A.Name and type(one.ctx) is A.Load}
    for node in nodes:
        if type(node) is A.Assign and len(node.targets) == 1 and type(node.targets[0]) is A.Name:
            name = node.targets[0].id
            if name not in read and not name.startswith("_") and _captures(node.value, imported):
                report(
                    "DNB501",
                    "warning",
                    f"The captured output `{name}` is not used",
                    "Use it, or leave out capture=True.",
                    node.value,
                )


def _captures(call: Any, imported: dict[str, str]) -> bool:
    return _is_step(call, imported) and any(
        one.arg == "capture" and type(one.value) is A.Constant and one.value.value is True
        for one in call.keywords
    )


def _is_step(node: Any, imported: dict[str, str]) -> bool:
    return (
        type(node) is A.Call
        and type(node.func) is A.Attribute
        and node.func.attr == "run"
        and _origin(node.func.value, imported) == "step"
    )


def _unused(node: Any, imported: dict[str, str], report: Report) -> None:
    call = node.value
    if _is_step(call, imported) and any(
        one.arg == "capture" and type(one.value) is A.Constant and one.value.value is True
        for one in call.keywords
    ):
        report(
            "DNB501",
            "warning",
            "The captured output is not used",
            "Assign it to a name, or leave out capture=True.",
            call,
        )


def _unreachable(block: list[Any], imported: dict[str, str], report: Report) -> None:
    for index, node in enumerate(block[:-1]):
        code = None
        if type(node) is A.Raise or _exits(node):
            code, why = "DNB503", "the failure before it ends the pipeline"
        elif isinstance(node, _ENDS):
            code, why = "DNB502", f"the `{type(node).__name__.lower()}` before it leaves the block"
        if code is None:
            continue
        for later in block[index + 1 :]:
            for one in walk(later):
                if _is_step(one, imported):
                    report(
                        code,
                        "warning",
                        f"This step never runs: {why}",
                        f"Remove it, or the statement on line {node.lineno}.",
                        one,
                    )
                    return


def _exits(node: Any) -> bool:
    return (
        type(node) is A.Expr
        and type(node.value) is A.Call
        and type(node.value.func) is A.Attribute
        and node.value.func.attr == "exit"
        and type(node.value.func.value) is A.Name
        and node.value.func.value.id == "sys"
    )
