"""Records one path of a danubefile: the back end of `danube` in a dry run."""

from __future__ import annotations

import sys

from . import _predicates as P
from . import _rt
from . import _tokens as T
from ._blocks import Block, Fallible, article, label_of, outputs, shown
from ._command import command_of, name_of, refuse_empty
from ._facts import Facts
from ._frames import Frames
from ._options import options_of
from ._symbolic import Code, Predicate, Text, exact, wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from ._session import Session


# What a line of the log cannot go across: something else happens there.
_ENDS_LINE = frozenset((T.STEP, T.UPLOAD, T.EXIT))


class Recorder:
    """What one evaluation does, as tokens."""

    def __init__(self, session: Session, prefix: tuple[bool, ...]) -> None:
        self.session = session
        self.frames: Frames = session.frames
        self.facts = Facts()
        self.prefix = prefix
        # Answers given so far, with the index of their token.
        self.answers: list[tuple[bool, int]] = []
        # Steps so far, and tokens so far.
        self.n = 0
        self.i = 0
        self.dead: _rt.Abandon | None = None
        # Open two-sided branches, innermost last.
        self.open_ifs: list[Any] = []
        # Open `with parallel()` and `with sequence()` blocks.
        self.groups: list[Block] = []
        # How many handlers would see an exception that is raised now.
        self.observers = 0
        # Open `finally` blocks, innermost last: whether the recording tells of them.
        self.finals: list[bool] = []
        # Steps of the open block without a result should one of these fail: their use raises it.
        self.pending: dict[int, tuple[Fallible, ...]] = {}
        # For steps of parallel blocks, whose failure stops what needs them.
        self._stoppers: dict[int, tuple[Fallible, ...]] = {}
        # Matrix cells whose loop body runs, and their coordinates.
        self._open_cells: dict[object, tuple[tuple[str, str], ...]] = {}
        self.cells: tuple[tuple[str, str], ...] = ()
        # Something ran whose effects on Python's state cannot be known from its source.
        self.impure = False
        # For each open sequence, whether it stands in a parallel block.
        self.sequences: list[bool] = []
        # What was printed of a line that has not ended yet.
        self.line: list[Any] = []
        self.line_frame = 0

    # Tokens.

    def emit(self, token: tuple[Any, ...]) -> None:
        if self.dead is not None:
            raise self.dead
        if self.line and token[0] in _ENDS_LINE:
            self.end_line()
        self.session.emit(self.i, token)
        self.i += 1

    def end_line(self) -> None:
        """Makes a note of what was printed without a newline."""
        parts, self.line = self.line, []
        _rt.note(parts, self.line_frame)

    def abandon(self, reason: _rt.Abandon) -> NoReturn:
        if self.dead is None:
            self.dead = reason
        raise self.dead

    def dynamic(self, code: str, message: str, hint: str) -> NoReturn:
        """Ends the path: what follows needs a value."""
        frame = self.frames.here(sys._getframe(1))
        self.abandon(_rt.Dynamic(code, message, hint, frame, self.frames.expression(frame)))

    def problem(self, code: str, level: str, message: str, hint: str | None = None) -> None:
        """Reports a problem at the user's call and goes on."""
        self.session.problem(code, level, message, hint, self.frames.here(sys._getframe(1)))

    # Decisions.

    def decide(self, p: P.Pred) -> bool:
        """The answer to a predicate on this path."""
        if self.dead is not None:
            raise self.dead
        known = self.facts.check(p)
        if known is not None:
            return known
        if self.open_ifs:
            self.abandon(_rt.Restart(tuple(one.site for one in self.open_ifs)))
        where = self.frames.here(sys._getframe(1))
        if self.session.give_up is not None:
            at = self.session.give_up or where
            self.abandon(
                _rt.Dynamic(
                    "DNB202",
                    f"the pipeline has more than {self.session.max_paths} dependent paths",
                    "Keep results in variables only where the branches need them; for a list of "
                    "codes ask `any(code != 0 for code in codes)`; let a step's script loop.",
                    where,
                    self.frames.expression(at),
                )
            )
        self.session.last_decision = where
        k = len(self.answers)
        if k < len(self.prefix):
            answer = self.prefix[k]
        else:
            answer = P.first_answer(p)
            if k >= self.session.max_decisions:
                self.abandon(self.session.too_many_paths(where))
        self.answers.append((answer, self.i))
        self.emit((T.DECIDE, P.to_wire(p), answer, where))
        self.facts.assume(p, answer)
        return answer

    # The back end of `danube`.

    # fmt: off
    def run_step(
        self, command: Any, name: Any, image: Any, env: Any, check: Any, capture: Any,
        timeout: Any, inputs: Any, outputs: Any, cache: Any, needs: Any, retries: Any,
        resources: Any, workdir: Any, services: Any,
    ) -> Any:
        # fmt: on
        if self.dead is not None:
            raise self.dead
        n = self.n
        if n >= self.session.max_steps:
            self.abandon(self.session.too_many_steps(self.frames.here(sys._getframe(2))))
        frame = self.frames.here(sys._getframe(2))
        kind = type(command)
        if kind is not str:
            refuse_empty(command)
            command = command_of(self, command, frame)
        if name is not None and type(name) is not str:
            name = name_of(self, name, frame)
        if type(check) is not bool or type(capture) is not bool:
            check, capture = self._flags(check, capture, frame)
        # fmt: off
        if (image is None and env is None and timeout is None and inputs is None
                and outputs is None and cache is None and needs is None and not retries
                and resources is None and workdir is None and not services and not self.cells):
            # fmt: on
            options: tuple[Any, ...] = ()
        else:
            # fmt: off
            options = options_of(
                self, frame, image, env, timeout, inputs, outputs, cache, needs, retries,
                resources, workdir, services)
            # fmt: on
        flags = (T.CHECK if check else 0) | (T.CAPTURE if capture else 0)
        block = self.groups[0] if self.groups else None
        handled = check and (
            (self.observers if block is None else block.observers) > 0
            or frame in self.session.handled
        )
        if handled:
            flags |= T.HANDLED
        self.emit((T.STEP, frame, name, command, flags, options))
        self.n = n + 1
        label = name if type(name) is str else label_of(command)
        if block is not None:
            self._in_block(Fallible(n, label, frame, handled, capture), check, needs)
        elif handled:
            self._fail_or_go_on(Fallible(n, label, frame, handled, capture))
        if capture:
            return Text((("o", n),), n, shown(label))
        # The code of a check=True step is 0 where evaluation goes on; in a block its call gives
        # a handle at once, and only the block's end raises.
        return Code(n, shown(label), check)

    def _in_block(self, own: Fallible, check: bool, needs: Any) -> None:
        """What may stop a step of a parallel block, and what it may stop."""
        stoppers: list[Fallible] = []
        if needs is None:
            for block in self.groups:
                if not block.is_parallel:
                    stoppers += block.seen
        else:
            # `needs` replaces program order, also for what an earlier failure stops.
            for one in needs if isinstance(needs, (list, tuple)) else ():
                handle = one._handle() if type(one) in (Code, Text) else -1
                stoppers += self._stoppers.get(handle, ())
        if check:
            self.groups[-1].seen.append(own)
            if own.handled:
                self.groups[0].fallible.append(own)
            if own.capture:
                self.pending[own.n] = (*stoppers, own)
            stoppers.append(own)
        elif stoppers:
            self.pending[own.n] = tuple(stoppers)
        if stoppers:
            self._stoppers[own.n] = tuple(stoppers)

    def _flags(self, check: Any, capture: Any, frame: int) -> tuple[bool, bool]:
        if type(check) is Predicate:
            check = bool(check)
        if type(capture) is Predicate:
            capture = bool(capture)
        for what, value in (("check", check), ("capture", capture)):
            if type(value) is not bool:
                self.session.problem(
                    "DNB312", "error", f"`{what}` is {article(value)}, not bool",
                    f"Write {what}=True or {what}=False.", frame)  # fmt: skip
        return bool(check), bool(capture)

    def _fail_or_go_on(self, one: Fallible) -> None:
        """A handler would see this step fail: both outcomes are paths."""
        if self.decide(("k", one.n, P.FAILED)):
            raise self.session.step_failed(one.label, one.code(), one.output())

    def touch(self, parts: tuple[Any, ...]) -> None:
        """A text is used: in a block, steps after this need its producer to have succeeded."""
        if not self.pending:
            return
        for n in outputs(parts):
            self.use(n)

    def use(self, n: int) -> None:
        """The result of a step is used, which raises when there is none."""
        for one in self.pending.get(n, ()):
            if self.facts.mask(one.n) == 1:
                continue
            if self.groups and not one.handled and self.observers > self.groups[0].observers:
                # A handler inside the block sees this failure: the step's outcome is a decision.
                self.session.handled.add(one.frame)
                self.abandon(_rt.Restart(()))
            if not self.groups or one.handled:
                self._fail_or_go_on(one)
            else:
                if self.line:
                    self._where_failed([one], lambda: None)
                self.facts.restrict(one.n, 1)
                self.emit((T.RESOLVE, one.n))
        self.pending.pop(n, None)

    def will_use(self, value: Any, before: Any) -> None:
        """A result is about to be used; where that ends the path, `before` happens first."""
        used = outputs(value._parts) if type(value) is Text else [value._n]
        waiting = [one for n in used for one in self.pending.get(n, ()) if not one.handled]
        if waiting and self.groups:
            self._where_failed(waiting, before)

    def _where_failed(self, waiting: list[Fallible], before: Any) -> None:
        line = list(self.line)
        failed = P.simplify(("or",) + tuple(("k", one.n, P.FAILED) for one in waiting))
        self.emit((T.IF, P.to_wire(failed)))
        before()
        if self.line:
            self.end_line()
        self.emit((T.ELSE,))
        self.emit((T.END_IF,))
        self.line = line

    def enter_parallel(self, name: Any, fail_fast: Any) -> None:
        frame = self.frames.here(sys._getframe(2))
        self.emit((T.PARALLEL, frame, self._group_name(name), bool(fail_fast)))
        self.groups.append(
            Block(True, self.groups[0].observers if self.groups else self.observers)
        )

    def exit_parallel(self, exc: Any) -> None:
        if self.dead is not None:
            return
        block = self.groups.pop()
        raises = exc is None or isinstance(exc, SystemExit)
        fatal = [one for one in block.seen if not one.handled]
        if self.line and not self.groups and raises and fatal:
            # Where the block's end ends the pipeline, nobody ends the line.
            self._where_failed(fatal, lambda: None)
        self.emit((T.END_PARALLEL,))
        if self.groups:
            self.groups[-1].seen += block.seen
            return
        # `sys.exit()` does not turn a failed step into a success.
        if not raises:
            return
        if not block.fallible:
            self.pending.clear()
            return
        # Captures stay pending: the use of one that failed raises, also after the block.
        failed = P.simplify(("or",) + tuple(("k", one.n, P.FAILED) for one in block.fallible))
        if self.decide(failed):
            raise self.session.some_step_failed(tuple(block.fallible))
        self.pending.clear()

    def enter_sequence(self, name: Any) -> None:
        frame = self.frames.here(sys._getframe(2))
        self.emit((T.SEQUENCE, frame, self._group_name(name)))
        self.sequences.append(bool(self.groups))
        if self.groups:
            self.groups.append(Block(False, self.groups[0].observers))

    def exit_sequence(self, exc: Any) -> None:
        if self.dead is not None:
            return
        if self.sequences.pop():
            block = self.groups.pop()
            self.groups[-1].seen += block.seen
        self.emit((T.END_SEQUENCE,))

    def _group_name(self, name: Any) -> str:
        return exact(name) if isinstance(name, str) and type(name) is not Text else ""

    def enter_cell(self, items: Any) -> Any:
        token = object()
        self._open_cells[token] = tuple(
            (exact(str(key)), exact(value) if isinstance(value, str) else str(value))
            for key, value in items
        )
        self.cells = tuple(pair for cell in self._open_cells.values() for pair in cell)
        return token

    def leave_cell(self, token: Any) -> None:
        self._open_cells.pop(token, None)
        self.cells = tuple(pair for cell in self._open_cells.values() for pair in cell)

    def context(self, name: str) -> Any:
        return self.session.context(name)

    def secret(self, key: Any) -> Any:
        if not isinstance(key, str) or type(key) is Text:
            raise TypeError(f"a secret's key is {article(key)}, not str")
        return Text((("x", exact(key)),))

    def upload(self, path: Any, name: Any, junit: Any) -> None:
        frame = self.frames.here(sys._getframe(2))
        if not isinstance(path, str):
            self.session.problem(
                "DNB312",
                "error",
                f"The path of an artifact is {article(path)}, not str",
                "Pass the path as str.",
                frame,
            )
            return
        if name is not None and (type(name) is Text or not isinstance(name, str)):
            self.session.problem(
                "DNB402" if type(name) is Text and name._has("x") else "DNB312",
                "error",
                "The name of an artifact is not a constant str",
                "Name it with a constant.",
                frame,
            )
            name = None
        self.emit((T.UPLOAD, frame, wire(path), None if name is None else exact(name), bool(junit)))

    def note(self, text: Any, frame: int) -> None:
        self.emit((T.NOTE, frame, text))

    def read_bytes(self, path: Any) -> bytes:
        return self.session.repository.read_bytes(path)  # type: ignore[no-any-return]

    def glob(self, pattern: Any) -> list[str]:
        return self.session.repository.glob(pattern)  # type: ignore[no-any-return]

    def exists(self, path: Any) -> bool:
        return self.session.repository.exists(path)  # type: ignore[no-any-return]
