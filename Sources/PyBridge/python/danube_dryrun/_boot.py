"""The first Python code of the evaluator's process: everything else is imported through it.

It runs in three parts: `warm_up` while the host's standard library can still be read, `hello` and
`run` once the process is sealed.
"""

from __future__ import annotations

import marshal
import sys
from _frozen_importlib import ModuleSpec

import _danube_channel as channel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, ModuleType
    from typing import Any

_MARSHAL_VERSION = 2

configuration: dict[str, Any] = {}


class EmbeddedFinder:
    """Finds `danube` and the evaluator, whose code is part of the program."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name.partition(".")[0] not in ("danube", "danube_dryrun"):
            return None
        found: tuple[CodeType, bool] | None = channel.load(name)
        if found is None:
            return None
        code, is_package = found
        loader: Any = self
        spec = ModuleSpec(name, loader, origin=code.co_filename, is_package=is_package)
        spec.loader_state = code
        return spec

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        spec = module.__spec__
        assert spec is not None
        code = spec.loader_state
        spec.loader_state = None
        exec(code, module.__dict__)


embedded = EmbeddedFinder()


def warm_up(payload: bytes) -> None:
    """Loads what an evaluation needs, while files can still be opened."""
    configuration.update(marshal.loads(payload))
    sys.meta_path.insert(0, embedded)  # type: ignore[arg-type]
    sys.stdin = sys.stdout = sys.stderr = None  # type: ignore[assignment]
    sys.__stdin__ = sys.__stdout__ = sys.__stderr__ = None  # type: ignore[misc]
    sys.executable = ""
    sys.argv[:] = []
    from danube_dryrun import _guard, _imports, _vfs  # noqa: F401

    if "selftest" in configuration:
        from danube_dryrun import _selftest  # noqa: F401
    elif configuration.get("mode") != "doctor":
        import danube_dryrun.main  # noqa: F401


def hello(layers: tuple[tuple[str, bool, str], ...]) -> None:
    """Tells the parent which Python this is and which layers of the sandbox hold."""
    version = sys.version.partition(" ")[0].rstrip("+")
    channel.send(b"H", marshal.dumps((version, layers), _MARSHAL_VERSION))


def run(_: None) -> int:
    """Evaluates. The result is the exit code."""
    if configuration.get("mode") == "doctor":
        return 0
    if "selftest" in configuration:
        from danube_dryrun import _selftest

        _selftest.run(channel, configuration)
        return 0
    from danube_dryrun import main

    main.run(channel, configuration)
    return 0
