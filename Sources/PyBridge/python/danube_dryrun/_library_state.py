"""State that the standard library keeps for itself, out of sight of a snapshot.

A path must not see what another left there, nor one side of a branch what the other did.
"""

from __future__ import annotations

import _ast as A
import sys

from . import _both

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Modules with registries and settings that functions of theirs change.
_STATEFUL = frozenset(
    (
        "atexit", "codecs", "copyreg", "csv", "decimal", "gettext", "linecache", "locale",
        "logging", "mimetypes", "threading", "warnings",
    )
)  # fmt: skip
# Of these a fresh one is made for each path.
_RENEWED = ("decimal", "_pydecimal", "logging", "mimetypes", "csv", "_csv", "warnings")
# With these it shows when an object dies.
_WATCHING = frozenset(("weakref", "_weakref", "gc"))
_MODULE = type(sys)

imported: set[str] = set()
"""Top-level modules that the repository imports."""

_saved: dict[str, dict[str, Any]] = {}


def note_import(node: Any) -> None:
    """Notes which modules a module of the repository imports, and what can be seen through them."""
    if type(node) is A.Import:
        names = [alias.name.partition(".")[0] for alias in node.names]
    else:
        names = [(node.module or "").partition(".")[0]] if not node.level else []
    for name in names:
        imported.add(name)
        if name in _STATEFUL:
            _both.fragile.add(1)
        elif name in _WATCHING:
            note_finalizer()


def note_finalizer() -> None:
    """The danubefile can tell when an object dies."""
    _both.fragile.add(2)


def save(module: Any) -> None:
    """Remembers what a module of the library binds, before the user's code can change it."""
    name = getattr(module, "__name__", "")
    if type(module) is _MODULE and not name.startswith("danube") and name != "__main__":
        _saved[name] = dict(vars(module))


def restore() -> None:
    """Before each path: modules of the library bind what they did when they were loaded."""
    if not _saved:
        for module in list(sys.modules.values()):
            save(module)
    for name in imported:
        module = sys.modules.get(name)
        before = _saved.get(name)
        if module is None or before is None:
            continue
        now = vars(module)
        for key in [key for key in now if key not in before]:
            if type(now[key]) is not _MODULE:
                del now[key]
        for key, value in before.items():
            if now.get(key) is not value:
                now[key] = value
    if _both.fragile:
        for name in _RENEWED:
            if name.lstrip("_") in imported or name == "_pydecimal":
                sys.modules.pop(name, None)
