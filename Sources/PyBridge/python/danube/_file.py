"""Runs a danubefile live, under the interpreter that calls this."""

from __future__ import annotations

import os
import sys

from danube import _params, _registry, _runtime
from danube._suggest import closest
from danube._values import StepFailed, _Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from danube._live import LiveBackend

_MODULE = "__danubefile__"


class Outcome(_Record):
    """How a live run ended.

    Attributes:
        kind: `success` or `failure`.
        message: Why it failed, else "".
    """

    __slots__ = ("kind", "message")

    def __init__(self, kind: str, message: str = "") -> None:
        self.kind = kind
        self.message = message


def run_file(
    path: str,
    pipeline: str | None = None,
    params: Mapping[str, str] | None = None,
    *,
    backend: LiveBackend,
) -> Outcome:
    """Executes a danubefile and one of its pipelines.

    The file's folder is importable and the back end's root is the working directory while it runs;
    interpreter state that the run needs is put back afterwards.

    Args:
        path: The danubefile.
        pipeline: Name of the pipeline; may be left out when there is only one.
        params: Parameters as text.
        backend: Performs what the file asks for.

    Returns:
        `success`, also after `sys.exit(0)`; else `failure`: an uncaught `StepFailed`, another
        exception, a file that cannot be loaded, a wrong parameter.
    """
    path = os.path.abspath(path)
    folder = os.path.dirname(path)
    saved = (_runtime.backend, list(_registry.pipelines), list(sys.path), os.getcwd())
    known, no_bytecode = set(sys.modules), sys.dont_write_bytecode
    try:
        _registry.pipelines.clear()
        _runtime.backend = backend
        sys.path.insert(0, folder)
        # Compiled files of a folder that is being edited could be out of date.
        sys.dont_write_bytecode = True
        os.chdir(backend.root)
        return _run(path, pipeline, params or {}, backend)
    finally:
        _runtime.backend, _registry.pipelines[:], sys.path[:], directory = saved
        os.chdir(directory)
        sys.dont_write_bytecode = no_bytecode
        _forget_modules(folder, known)


def _run(
    path: str, pipeline: str | None, params: Mapping[str, str], backend: LiveBackend
) -> Outcome:
    loaded = _ended(lambda: _load(path), path, exits=False)
    if loaded.kind != "success":
        return loaded
    try:
        function = _selected(pipeline)
        arguments, _ = _params.bind(function, dict(params))
    except (LookupError, _params.ParameterError) as error:
        return Outcome("failure", str(error.args[0]))
    backend.set_params(arguments)
    return _ended(lambda: function(**arguments), path, exits=True)


def _ended(call: Callable[[], object], path: str, exits: bool) -> Outcome:
    """How a call ends. Whatever its frames hold is released before this returns.

    Generators that are suspended in those frames are closed then, and their `finally` may run
    steps: the outcome stands already.
    """
    try:
        call()
        return Outcome("success")
    except SystemExit as exit:
        outcome = _exit_outcome(exit.code) if exits else _exit_while_loading()
        exit.__traceback__ = None
    except KeyboardInterrupt:
        raise
    except StepFailed as error:
        outcome = Outcome("failure", str(error))
        error.__traceback__ = None
    except BaseException as error:
        outcome = Outcome("failure", _described(error, path))
        error.__traceback__ = None
    return outcome


def _exit_outcome(code: object) -> Outcome:
    if code is None or (isinstance(code, int) and code == 0):
        return Outcome("success")
    return Outcome("failure", f"exit status {code}" if isinstance(code, int) else str(code))


def _exit_while_loading() -> Outcome:
    return Outcome("failure", "the file exits while it is loaded, before a pipeline runs")


def _load(path: str) -> None:
    with open(path, "rb") as file:
        source = file.read()
    module = type(sys)(_MODULE)
    module.__file__ = path
    sys.modules[_MODULE] = module
    exec(compile(source, path, "exec", dont_inherit=True), module.__dict__)


def _selected(name: str | None) -> Callable[..., object]:
    found = _registry.pipelines
    names = [pipeline.name for pipeline in found]
    if not found:
        raise LookupError("the file defines no pipeline: put @pipeline above a function")
    if name is None:
        if len(found) > 1:
            raise LookupError(f"the file defines several pipelines, name one: {', '.join(names)}")
        return found[0].function
    if names.count(name) > 1:
        raise LookupError(f"the file defines several pipelines named {name!r}")
    if name not in names:
        nearest = closest(name, names) or names[0]
        raise LookupError(f"the file defines no pipeline {name!r}: did you mean {nearest!r}?")
    return found[names.index(name)].function


def _described(error: BaseException, path: str) -> str:
    text = f"{type(error).__name__}: {error}".removesuffix(": ")
    if isinstance(error, SyntaxError):
        return f"{os.path.basename(error.filename or path)}:{error.lineno or 1}: {text}"
    frame: TracebackType | None = error.__traceback__
    folder, where = os.path.dirname(path), ""
    while frame is not None:
        file = frame.tb_frame.f_code.co_filename
        if file.startswith(folder + os.sep):
            where = f"{os.path.relpath(file, folder)}:{frame.tb_lineno}: "
        frame = frame.tb_next
    return where + text


def _forget_modules(folder: str, known: set[str]) -> None:
    """Takes the repository's modules away, so that the next run loads its own."""
    for name in set(sys.modules) - known:
        module = sys.modules[name]
        places = [getattr(module, "__file__", None), *list(getattr(module, "__path__", ()))]
        inside = any(str(place or "").startswith(folder + os.sep) for place in places)
        if inside or name == _MODULE:
            del sys.modules[name]
    sys.path_importer_cache.pop(folder, None)
