"""Imports in a sealed process: the repository's modules and a stated part of the standard library.

Names of the standard library and of `danube` come first, so a file of the repository never takes
their place. `ALLOWED` is the list of docs/danubefile.md.
"""

from __future__ import annotations

import marshal
import sys
from _frozen_importlib import BuiltinImporter, FrozenImporter, ModuleSpec
from _imp import is_builtin

from . import _library_state, _vfs
from ._allowed import ALLOWED, BUILTIN, hint_for
from ._refused import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import CodeType, ModuleType
    from typing import Any

# What the compiler sends of a .pyc file is the file: magic, flags, two words about the source.
_HEADER = 16
_LIBRARY = "/python/"

patches: dict[str, Callable[[Any], None]] = {}
"""What is done to a module of the standard library after it was imported, by its name."""

guards: dict[str, Callable[[Any], None]] = {}
"""The same, for the determinism guards; they come first."""

stubs: dict[str, Callable[[Any], None]] = {}
"""Modules that are there only to refuse: filled in by these."""


class NotFound(Refused, ModuleNotFoundError):
    """No such module, in the repository or elsewhere."""

    def __init__(self, name: str, hint: str) -> None:
        Refused.__init__(self, "DNB107", f"No module named `{name}`", hint)
        ModuleNotFoundError.__init__(self, self.message, name=name)


class NotAllowed(Refused, ModuleNotFoundError):
    """A module that a danubefile may not import."""

    def __init__(self, name: str, hint: str) -> None:
        Refused.__init__(self, "DNB108", f"`{name}` cannot be imported by a danubefile", hint)
        ModuleNotFoundError.__init__(self, self.message, name=name)


def _is_allowed(name: str) -> bool:
    while name:
        if name in ALLOWED:
            return True
        name = name.rpartition(".")[0]
    return False


def _patched(module: Any) -> None:
    name = module.__name__
    for table in (guards, patches):
        if name in table:
            table[name](module)
    _library_state.save(module)


class _Library:
    """Loads a module of the standard library from what the compiler sent."""

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        spec = module.__spec__
        assert spec is not None
        form, content = spec.loader_state
        spec.loader_state = None
        if form == "pyc":
            code = marshal.loads(memoryview(content)[_HEADER:])
        else:
            code = compile(content, spec.origin or module.__name__, "exec", 0, True)
        exec(code, module.__dict__)
        _patched(module)


class _Wrapped:
    """Loads through one of Python's own importers, then patches."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)  # type: ignore[no-any-return]

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        _patched(module)

    def is_package(self, name: str) -> bool:
        return self._loader.is_package(name)  # type: ignore[no-any-return]


class _Stub:
    """Makes a module whose use is refused."""

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        stubs[module.__name__](module)


class _Module:
    """Loads a module of the repository."""

    def __init__(self, importer: Importer, path: str, content: bytes) -> None:
        self._importer = importer
        self.path = path
        self._content = content

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        self._importer.loaded.add(module.__name__)
        exec(self._importer.code(self.path, self._content), module.__dict__)

    def get_source(self, _: str) -> str:
        return self._content.decode("utf-8", "replace")

    def get_data(self, path: str) -> bytes:
        return self._importer.files.read(path)

    def is_package(self, _: str) -> bool:
        return self.path.endswith("/__init__.py")


class Importer:
    """The only finder of a sealed process, but for that of `danube`."""

    def __init__(self, ask: Callable[..., Any], files: _vfs.Repository) -> None:
        self._ask = ask
        self.files = files
        self.loaded: set[str] = set()
        self._codes: dict[str, CodeType] = {}
        self._library = _Library()
        self._stub = _Stub()

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: Any = None
    ) -> ModuleSpec | None:
        top = name.partition(".")[0]
        if name in stubs:
            return ModuleSpec(name, self._stub)  # type: ignore[arg-type]
        if name in BUILTIN or _is_allowed(name):
            return self._standard(name)
        if top in sys.stdlib_module_names:
            # Accelerators, which the library itself can do without.
            if top[0] == "_":
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            if any(one.startswith(name + ".") for one in ALLOWED):
                return self._standard(name)
            raise NotAllowed(name, hint_for(name))
        spec = self._own(name, sys.path if path is None else path)
        if spec is None and path is None:
            raise NotFound(name, hint_for(name))
        return spec

    def _standard(self, name: str) -> ModuleSpec | None:
        if is_builtin(name):
            if name not in BUILTIN:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            spec = BuiltinImporter.find_spec(name)
        else:
            spec = FrozenImporter.find_spec(name)
        if spec is not None:
            if name in guards or name in patches or name in _library_state.imported:
                spec.loader = _Wrapped(spec.loader)  # type: ignore[assignment]
            return spec
        answer = self._ask("stdlib", name.replace(".", "/"))
        if answer[0] != "ok":
            return None
        _, form, content, is_package = answer
        place = _LIBRARY + name.replace(".", "/")
        spec = ModuleSpec(
            name,
            self._library,  # type: ignore[arg-type]
            origin=f"{place}/__init__.py" if is_package else f"{place}.py",
            is_package=is_package,
        )
        if is_package:
            spec.submodule_search_locations = [place]
        spec.has_location = True
        spec.loader_state = (form, content)
        return spec

    def _own(self, name: str, folders: Sequence[str]) -> ModuleSpec | None:
        tail = name.rpartition(".")[2]
        portions: list[str] = []
        for folder in folders:
            try:
                place = self.files.locate(folder or ".")
            except OSError:
                continue
            if type(place) is not str:
                continue
            stem = f"{place}/{tail}" if place else tail
            for path in (stem + "/__init__.py", stem + ".py"):
                content = self.files.content(path)
                if content is not None:
                    return self._found(name, path, content)
            if self.files.kind(stem) == "dir":
                portions.append(f"{_vfs.ROOT}/{stem}")
        if not portions:
            return None
        self.loaded.add(name)
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = portions
        return spec

    def _found(self, name: str, path: str, content: bytes) -> ModuleSpec:
        loader = _Module(self, path, content)
        origin = f"{_vfs.ROOT}/{path}"
        spec = ModuleSpec(name, loader, origin=origin)  # type: ignore[arg-type]
        if loader.is_package(name):
            spec.submodule_search_locations = [origin.rpartition("/")[0]]
        spec.has_location = True
        return spec

    def code(self, path: str, content: bytes) -> CodeType:
        """Code of a file of the repository, compiled once for all paths."""
        found = self._codes.get(path)
        if found is None:
            from ._instrument import compile_module
            from ._source import SourceError, decode

            try:
                text = decode(content, path)
            except SourceError as error:
                raise Refused(error.code, f"{path}:{error.line}: {error}", error.hint) from None
            found = self._codes[path] = compile_module(text, path)
        return found


_importer: Importer | None = None
_base: list[str] = []


def install(ask: Callable[..., Any]) -> None:
    """Puts the importer in the place of Python's own. The repository must be installed before."""
    global _importer
    from ._boot import configuration, embedded

    files = _vfs.installed()
    _importer = Importer(ask, files)
    folder = str(configuration.get("file", "")).rpartition("/")[0]
    _base[:] = [f"{_vfs.ROOT}/{folder}" if folder else _vfs.ROOT]
    sys.meta_path[:] = [embedded, _importer]  # type: ignore[list-item]
    sys.path[:] = _base
    sys.path_hooks.clear()
    sys.path_importer_cache.clear()


def reset() -> None:
    """Before each path: modules of the repository are forgotten, guards start anew."""
    from . import _guard

    if _importer is not None:
        for name in _importer.loaded:
            sys.modules.pop(name, None)
        _importer.loaded.clear()
        sys.path[:] = _base
    _vfs.reset()
    _library_state.restore()
    _guard.reset()


def is_repository(module: Any) -> bool:
    """Whether a module is one of the repository's own."""
    return _importer is not None and getattr(module, "__name__", None) in _importer.loaded
