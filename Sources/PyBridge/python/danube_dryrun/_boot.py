"""The first Python code of the evaluator's process: everything else is imported through it.

It runs in three parts: `warm_up` while the host's standard library can still be read, `hello` and
`run` once the process is sealed.
"""

from __future__ import annotations

import gc
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


def new_module(name: str, code: CodeType, is_package: bool) -> ModuleType:
    """An empty module as the import system would have made it."""
    loader: Any = embedded
    spec = ModuleSpec(name, loader, origin=code.co_filename, is_package=is_package)
    module = type(sys)(name)
    module.__loader__ = loader
    module.__package__ = spec.parent
    module.__spec__ = spec
    if is_package:
        module.__path__ = spec.submodule_search_locations or []
    sys.modules[name] = module
    return module


def load_early() -> None:
    """Loads the evaluator in the order that its imports ask for, so that they find all there.

    The import system would take a millisecond more for what is known beforehand. What imports each
    other is left to it.
    """
    early = channel.early()
    packages = {
        name: new_module(name, code, is_package) for name, code, is_package in early if is_package
    }
    for name, code, is_package in early:
        module = packages[name] if is_package else new_module(name, code, is_package)
        exec(code, module.__dict__)
        parent, _, leaf = name.rpartition(".")
        if parent:
            setattr(packages[parent], leaf, module)


def warm_up(payload: bytes) -> None:
    """Loads what an evaluation needs, while files can still be opened."""
    configuration.update(marshal.loads(payload))
    sys.meta_path.insert(0, embedded)  # type: ignore[arg-type]
    sys.stdin = sys.stdout = sys.stderr = None  # type: ignore[assignment]
    sys.__stdin__ = sys.__stdout__ = sys.__stderr__ = None  # type: ignore[misc]
    sys.executable = ""
    sys.argv[:] = []
    if "selftest" in configuration:
        from danube_dryrun import _guard, _imports, _selftest, _vfs  # noqa: F401
    elif configuration.get("mode") == "doctor":
        from danube_dryrun import _guard, _imports, _vfs  # noqa: F401
    else:
        # What is loaded now stays to the end: looking for garbage in it is time lost.
        gc.disable()
        load_early()
        gc.freeze()
        gc.enable()


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
