"""Evaluates a danubefile and sends what it would do to the compiler.

`run` is called once, sealed by the operating system, with a channel to the compiler and its
configuration. Nothing that is sent is trusted there.
"""

from __future__ import annotations

import builtins
import gc
import marshal
import sys

from danube import _params, _registry, _runtime

from . import _both, _builtins, _formatting, _instrument, _operands, _patches, _report, _rt
from . import _snapshot, _suspect
from . import _tokens as T
from ._check import check
from ._session import Session
from ._source import SourceError, decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._recorder import Recorder

_MODULE = type(sys)
_HELPERS = {
    "__d_test__": _both.test,
    "__d_logic__": _both.both_or_either,
    "__d_attr__": _operands.attribute,
    "__d_leaf__": _operands.leaf,
    "__d_receiver__": _operands.receiver,
    "__d_rows__": _operands.rows,
    "__d_names__": _builtins.names,
    "__d_not__": _builtins.not_,
    "__d_in__": _builtins.contains,
    "__d_notin__": _builtins.not_contains,
    "__d_is__": _builtins.is_,
    "__d_isnot__": _builtins.is_not,
    "__d_join__": _builtins.join,
    "__d_format__": _builtins.format_,
    "__d_call__": _builtins.call,
    "__d_mod__": _builtins.mod,
    "__d_fstr__": _formatting.fstr,
    "__d_formatted__": _formatting.formatted,
    "__d_cm__": _patches.context_manager,
    "__d_try__": _patches.enter_try,
    "__d_untry__": _patches.leave_try,
    "__d_since__": _patches.since,
    "__d_finally__": _patches.enter_finally,
    "__d_endfinally__": _patches.leave_finally,
    "print": _builtins.print_,
}


class Host:
    """What an evaluation asks of the compiler, over the channel."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel

    def send(self, kind: bytes, payload: bytes) -> None:
        self._channel.send(kind, payload)

    def ask(self, *request: Any) -> Any:
        """Sends a request and returns its answer."""
        self._channel.send(b"Q", marshal.dumps(request, 2))
        _, payload = self._channel.recv()
        return marshal.loads(payload)

    def context(self, name: str) -> Any:
        answer = self.ask("ctx", name)
        if answer[0] != "ok":
            raise AttributeError(f"`ctx` has no value for `{name}`")
        return unpacked(answer[1])


def unpacked(value: Any) -> Any:
    """A context value as Python has it: dictionaries travel as ("dict", ((key, value), …))."""
    if type(value) is tuple:
        if len(value) == 2 and value[0] == "dict" and type(value[1]) is tuple:
            return {key: unpacked(one) for key, one in value[1]}
        return tuple(unpacked(one) for one in value)
    return value


class Evaluation:
    """One danubefile, one pipeline, every path."""

    def __init__(self, host: Any, config: dict[str, Any], reset: Any, repository: Any) -> None:
        self._host = host
        self._config = config
        self._file: str = config["file"]
        self._wanted: str | None = config.get("pipeline")
        self._given: dict[str, str] = dict(config.get("params", ()))
        # Forgets modules of the repository, so that each path starts anew.
        self._reset = reset
        self._sources: dict[str, str] = {}
        self._code: Any = None
        self._described = False
        self._arguments: dict[str, Any] = {}
        self._done: tuple[Any, ...] = ()
        self.session = Session(
            host.send, config, self._source, self._context, repository, _registry.pipelines
        )

    def _source(self, file: str) -> str:
        if file not in self._sources:
            answer = self._host.ask("read", file)
            text = answer[1].decode("utf-8", "replace") if answer[0] == "ok" else ""
            self._sources[file] = text
        return self._sources[file]

    def _context(self, name: str) -> Any:
        if name == "params":
            return dict(self._arguments)
        if name == "pipeline":
            return self._done[1] if len(self._done) > 1 else ""
        value = self._host.context(name)
        fork = False
        if name in ("branch", "trigger_ref", "changed_files"):
            request = self.session.context("pull_request")
            fork = bool(isinstance(request, dict) and request.get("fork"))
        from danube._context import marked

        return marked(name, value, fork)

    def run(self) -> None:
        """Evaluates and sends everything, ending with `D`."""
        finished = False
        try:
            if self._compile():
                finished = self.session.explore(self._path)
        except MemoryError:
            self.session.problem(
                "DNB802",
                "error",
                "The evaluation needs more memory than its limit",
                "Build smaller data structures, or raise --memory.",
                0,
            )
        except RecursionError:
            self.session.problem(
                "DNB117",
                "error",
                "The danubefile nests too deeply",
                "Flatten it: use a loop in place of nesting.",
                0,
            )
        self._host.send(b"G", marshal.dumps(tuple(self.session.problems), 2))
        self._host.send(b"D", marshal.dumps((finished, *self._done), 2))

    def _compile(self) -> bool:
        answer = self._host.ask("read", self._file)
        if answer[0] != "ok":
            self.session.problem_at(
                "DNB103",
                "error",
                f"There is no `{self._file}`",
                "Run `danube init` to write one, or name it with -f.",
                (self._file, 0, 0, 0, 0),
            )
            return False
        try:
            text = decode(answer[1], self._file)
            self._sources[self._file] = text
            tree = compile(text, self._file, "exec", _instrument.ONLY_AST, True)
        except (SourceError, SyntaxError, ValueError) as error:
            self.session.problem_at(*_report.of_syntax(error, self._file))
            return False
        check(tree, self._found)
        try:
            self._code = _instrument.compile_tree(tree, self._file)
        except (SyntaxError, ValueError) as error:
            # Such as `return` outside a function: worded for the source, not for what it became.
            self.session.problem_at(*_report.of_syntax(self._worded(text, error), self._file))
            return False
        return True

    def _worded(self, text: str, error: Exception) -> Exception:
        try:
            compile(text, self._file, "exec", 0, True)
        except (SyntaxError, ValueError) as found:
            return found
        return error

    def _found(self, code: str, level: str, message: str, hint: str | None, node: Any) -> None:
        self.session.problem_at(
            code,
            level,
            message,
            hint,
            (
                self._file,
                node.lineno,
                node.col_offset + 1,
                node.end_lineno,
                node.end_col_offset + 1,
            ),
        )

    # One path.

    def _path(self, recorder: Recorder) -> tuple[Any, ...]:
        _runtime.backend = recorder  # type: ignore[assignment]
        _registry.pipelines.clear()
        self._reset()
        sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = _builtins.Log()  # type: ignore
        self.session.frames.start(sys._getframe(0))
        where = "module"
        ended: tuple[Any, ...]
        try:
            module = _MODULE("__danubefile__")
            module.__file__ = f"/workspace/{self._file}"
            sys.modules["__danubefile__"] = module
            exec(self._code, module.__dict__)
            pipeline = self._select()
            if pipeline is None:
                return (T.EXIT, T.FAILURE, "", 0, "", "")
            where = "pipeline"
            arguments = self._bind(pipeline)
            if arguments is None:
                return (T.EXIT, T.FAILURE, "", 0, "", "")
            pipeline.function(**arguments)
            ended = (T.EXIT, T.SUCCESS, "", 0, "", "")
        except _rt.Abandon:
            ended = (T.EXIT, T.FAILURE, "", 0, "", "")
        except BaseException as error:
            try:
                _suspect.look(error)
                ended = _report.of_exception(self.session, recorder, error, where)
            except _rt.Abandon:
                ended = (T.EXIT, T.FAILURE, "", 0, "", "")
            # Frames are let go, so that generators close now, as they do in a live run.
            error.__traceback__ = None
            error.__context__ = None
            error.__cause__ = None
            del error
        return ended

    def _select(self) -> Any:
        found = _registry.pipelines
        self._describe(found)
        if self._wanted is not None:
            for one in found:
                if one.name == self._wanted or one.function.__name__ == self._wanted:
                    return one
        if len(found) == 1 and self._wanted is None:
            return found[0]
        names = ", ".join(f"`{one.name}`" for one in found[:12])
        if len(found) > 12:
            names += f" and {len(found) - 12} more"
        if not found:
            self._file_problem(
                "DNB105",
                f"`{self._file}` defines no pipeline",
                "Put @pipeline on a function: `from danube import pipeline, step`.",
            )
        elif self._wanted is None:
            self._file_problem(
                "DNB106",
                f"`{self._file}` defines several pipelines: {names}",
                "Name the one you mean: `danube plan NAME`.",
            )
        else:
            from ._suggest import closest

            near = closest(self._wanted, [one.name for one in found])
            self._file_problem(
                "DNB106",
                f"There is no pipeline `{self._wanted}`",
                f"Did you mean `{near}`?" if near else f"There are {names}.",
            )
        return None

    def _text_of(self, name: str, value: Any) -> str:
        """An argument of `@pipeline` that is a str or None."""
        if value is None or type(value) is str:
            return value or ""
        self._file_problem("DNB317", f"`{name}` of @pipeline is not a str", "Pass a str.")
        return ""

    def _file_problem(self, code: str, message: str, hint: str) -> None:
        self.session.problem_at(code, "error", message, hint, (self._file, 1, 1, 1, 1))

    def _describe(self, found: list[Any]) -> None:
        if not self._described:
            self._described = True
            self._done = (tuple((one.name, one.function.__name__, one.doc) for one in found),)

    def _bind(self, pipeline: Any) -> dict[str, Any] | None:
        function = pipeline.function
        try:
            arguments, described = _params.bind(function, self._given)
        except _params.ParameterError as error:
            line = _def_line(self._sources[self._file], function)
            for one in (error, *error.others):
                self.session.problem_at(
                    one.code,
                    "error",
                    str(one),
                    one.hint,
                    (function.__code__.co_filename, line, 1, line, 1),
                    everywhere=True,
                )
            return None
        self._arguments = arguments
        if len(self._done) == 1:
            image = pipeline.image
            if image is not None and type(image) is not str:
                self._file_problem("DNB305", "`image` of @pipeline is not a str", "Pass a str.")
                image = None
            group, rule = (
                self._text_of("concurrency", pipeline.concurrency),
                self._text_of("concurrency_rule", pipeline.concurrency_rule),
            )
            self._done += (
                pipeline.name,
                function.__name__,
                pipeline.doc,
                image or "",
                tuple((name, kind, packed(value)) for name, kind, value in described),
                group,
                rule,
            )
        return arguments  # type: ignore[no-any-return]


def _def_line(source: str, function: Any) -> int:
    """Line of the `def` of a function, below its decorators."""
    first: int = function.__code__.co_firstlineno
    for number, line in enumerate(source.split("\n")[first - 1 :], first):
        if line.lstrip().startswith("def "):
            return number
    return first


def packed(value: Any) -> Any:
    """A parameter's value on the wire: lists travel as ("list", …), large ints as ("L", …)."""
    if isinstance(value, (list, tuple)):
        return ("list",) + tuple(packed(one) for one in value)
    if type(value) is int and not -(1 << 31) <= value < 1 << 31:
        return ("L", str(value))
    return value


def install() -> None:
    """Puts what instrumented code calls where it finds it."""
    vars(builtins).update(_HELPERS)


def run(channel: Any, config: Any) -> None:
    """Evaluates as `config` says; called by the bridge once it is sealed."""
    from . import _guard, _imports, _vfs

    settings = dict(config)
    host = Host(channel)
    install()
    _imports.patches.update(_patches.TABLE)
    for name, patch in _patches.TABLE.items():
        if name in sys.modules:
            patch(sys.modules[name])
    files = _vfs.install(host.ask)
    _imports.install(host.ask)
    _guard.install(settings)
    gc.set_threshold(200_000, 20, 100)
    _snapshot.repository = _imports.is_repository
    Evaluation(host, settings, _imports.reset, files).run()
