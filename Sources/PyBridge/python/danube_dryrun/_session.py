"""One evaluation: every path of a pipeline, and what is sent to the compiler."""

from __future__ import annotations

import marshal

from . import _rt
from . import _tokens as T
from ._frames import Frames
from ._recorder import Recorder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

# Tokens are sent when so many have gathered.
_BATCH = 2048
# What one frame carries (`DANUBE_FRAME_MAX`), without its kind.
_FRAME = (16 << 20) - 1


class Session:
    """What the paths of one evaluation share."""

    def __init__(
        self,
        send: Callable[[bytes, bytes], None],
        config: dict[str, Any],
        source: Callable[[str], str],
        ask: Callable[[str], Any],
        repository: Any,
        registry: list[Any],
    ) -> None:
        self._send = send
        self._ask = ask
        self.registry = registry
        self.repository = repository
        self.max_steps = int(config.get("max_steps", 100_000))
        self.max_paths = int(config.get("max_paths", 256))
        self.max_decisions = self.max_paths
        self._max_output = int(config.get("max_output", 1 << 20))
        self._output = 0
        self._source = source
        # Branches whose sides leave different states: evaluated one side at a time.
        self.apart: set[int] = set()
        # Branches whose bodies did more than their source shows.
        self.not_simple: set[int] = set()
        # An operand of `and` or `or` had effects: they are decided one by one.
        self.plain_logic = False
        # Steps in parallel blocks whose failure a handler inside the block sees, by their frame.
        self.handled: set[int] = set()
        # Only the prefix up to the first decision is wanted: there are too many paths.
        self.give_up: int | None = None
        self._hashes: list[int] = []
        self._shared = 0
        self._tokens: list[tuple[Any, ...]] = []
        self._places: list[tuple[Any, ...]] = []
        self.frames = Frames(self._places.append, source)
        self._problems: dict[Any, tuple[Any, ...]] = {}
        self._context: dict[str, Any] = {}
        # Where the last decision was asked.
        self.last_decision = 0

    # Sending.

    def emit(self, i: int, token: tuple[Any, ...]) -> None:
        """A token of the path; what an earlier path already sent is only compared."""
        # Where a decision is asked may differ by instruction once Python has specialised the code.
        mark = hash(token[:3]) if token[0] == T.DECIDE else hash(token)
        if i < self._shared:
            if mark != self._hashes[i]:
                recorder = _rt.recorder
                recorder.abandon(
                    _rt.Dynamic(
                        "DNB207",
                        "the danubefile did not do the same when evaluated again",
                        "Something in it depends on more than its inputs.",
                        token[1] if token[0] <= T.NOTE else 0,
                        "",
                    )
                )
            return
        self._hashes.append(mark)
        tokens = self._tokens
        tokens.append(token)
        if len(tokens) >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        if self._places or self._tokens:
            items = tuple(self._places) + tuple(self._tokens)
            self._places.clear()
            self._tokens.clear()
            self._send_tokens(items)

    def _send_tokens(self, items: tuple[tuple[Any, ...], ...]) -> None:
        """Sends tokens in as many frames as they need."""
        data = marshal.dumps(items, 2)
        if len(data) < _FRAME:
            self._send(b"T", data)
        elif len(items) > 1:
            half = len(items) // 2
            self._send_tokens(items[:half])
            self._send_tokens(items[half:])
        else:
            token = items[0]
            self.problem(
                "DNB804",
                "error",
                f"The step has more than {_FRAME >> 20} MiB of text",
                "Keep it in a file of the repository, which the step's script reads.",
                token[1] if token[0] == T.STEP else 0,
            )
            if token[0] == T.STEP:
                # There will be no plan, but the steps after this one keep their numbers.
                self._send(b"T", marshal.dumps(((*token[:2], None, "true", token[4], ()),), 2))

    def _begin(self, shared: int) -> None:
        """A path that shares so many tokens with the one before it; -1 forgets them all."""
        if shared < 0:
            self._tokens.clear()
            self._hashes.clear()
            self._shared = 0
        else:
            self._flush()
            del self._hashes[shared:]
            self._shared = shared
        self._send(b"P", marshal.dumps((shared,), 2))

    # Problems and limits.

    def problem(self, code: str, level: str, message: str, hint: str | None, frame: int) -> None:
        """Reports a problem once, wherever and however often it is met."""
        places = []
        number = frame
        while number:
            parent, file, line, column, end_line, end_column, function = self.frames.place(number)
            places.append((file, line, column, end_line, end_column, function))
            number = parent
        first = places[0][:5] if places else (None, 0, 0, 0, 0)
        key = (code, first, message)
        if key not in self._problems and len(self._problems) < 1000:
            self._problems[key] = (code, level, message, hint, *first, tuple(places))

    def problem_at(
        self,
        code: str,
        level: str,
        message: str,
        hint: str | None,
        place: tuple[str, int, int, int, int],
        everywhere: bool = False,
    ) -> None:
        """Reports a problem at a place of the source, once a line unless `everywhere`."""
        same_place = [key for key in self._problems if key[0] == code and key[1][:2] == place[:2]]
        if everywhere or not same_place:
            self._problems[(code, place, message)] = (code, level, message, hint, *place, ())

    def has(self, code: str, file: str, line: int) -> bool:
        """Whether a problem was already reported on a line."""
        return any(key[0] == code and key[1][:2] == (file, line) for key in self._problems)

    @property
    def problems(self) -> list[tuple[Any, ...]]:
        return list(self._problems.values())

    def too_many_steps(self, frame: int) -> _rt.Limit:
        return _rt.Limit(
            "DNB803",
            f"The pipeline has more than {self.max_steps} steps",
            "Raise --max-steps, or do the work of many steps in one.",
            frame,
        )

    def too_many_paths(self, frame: int) -> _rt.Abandon:
        return _rt.Overflow(frame)

    def count_output(self, text: Any, frame: int) -> None:
        """Counts what is printed against the limit."""
        if type(text) is not str:
            self._output += 64
        elif text.isascii():
            self._output += len(text)
        else:
            self._output += len(text.encode("utf-8", "replace"))
        if self._output > self._max_output:
            _rt.recorder.abandon(
                _rt.Limit(
                    "DNB806",
                    f"The danubefile prints more than {self._max_output} bytes",
                    "Print less, or raise --max-output.",
                    frame,
                )
            )

    # What back ends of `danube` answer.

    def context(self, name: str) -> Any:
        """Value of `ctx.<name>`, asked of the compiler once."""
        if name not in self._context:
            self._context[name] = self._ask(name)
        return self._context[name]

    def step_failed(self, label: Any, code: Any, output: Any) -> BaseException:
        """The exception of a failed step."""
        from danube import StepFailed

        return StepFailed(label, code, output)

    def some_step_failed(self, fallible: tuple[Any, ...]) -> BaseException:
        """The exception at the end of a parallel block; which step it was is asked when used."""
        from ._failed import failed_block

        return failed_block(fallible)

    # Paths.

    def explore(self, run: Callable[[Recorder], tuple[Any, ...]]) -> bool:
        """Evaluates every path; False when a limit ended the evaluation.

        `run` evaluates one path and returns its exit token.
        """
        while True:
            try:
                return self._explore(run)
            except _Again:
                continue

    def _explore(self, run: Callable[[Recorder], tuple[Any, ...]]) -> bool:
        self._output = 0
        todo: list[tuple[tuple[bool, ...], int]] = [((), -1)]
        paths = 0
        while todo:
            prefix, shared = todo.pop()
            paths += 1
            recorder = Recorder(self, prefix)
            self._begin(shared)
            exit_token = self._path(run, recorder)
            if exit_token is None:
                return False
            recorder.dead = None
            if self.give_up is None:
                answers = [answer for answer, _ in recorder.answers]
                for k in range(len(prefix), len(answers)):
                    todo.append((tuple(answers[:k]) + (not answers[k],), recorder.answers[k][1]))
                if paths + len(todo) > self.max_paths:
                    self._overflow(self.last_decision)
            else:
                todo.clear()
            try:
                recorder.emit(exit_token)
            except _rt.Dynamic as dead:
                # The path ended before it reached what it shares with the one before it.
                self.problem(dead.code, "error", dead.message, dead.hint, dead.frame)
                return False
        self._flush()
        return True

    def _overflow(self, frame: int) -> None:
        self.give_up = frame
        raise _Again

    def _path(self, run: Any, recorder: Recorder) -> tuple[Any, ...] | None:
        """One path; None when a limit ended it."""
        _rt.recorder = recorder
        exit_token = run(recorder)
        dead = recorder.dead
        if (
            isinstance(dead, _rt.Restart)
            or (dead is None and recorder.open_ifs)
            or (recorder.open_ifs and not isinstance(dead, (_rt.Limit, _rt.Overflow)))
        ):
            sites = {one.site for one in recorder.open_ifs}
            if isinstance(dead, _rt.Restart):
                sites |= set(dead.sites)
            self.apart |= sites
            raise _Again
        if isinstance(dead, _rt.Overflow):
            self._overflow(dead.frame)
        if isinstance(dead, _rt.Limit):
            self.problem(dead.code, "error", dead.message, dead.hint, dead.frame)
            return None
        if isinstance(dead, _rt.Dynamic):
            level = "error" if dead.code == "DNB405" else "warning"
            self.problem(dead.code, level, _sentence(dead.message), dead.hint, dead.frame)
            return (T.EXIT, T.LIVE, dead.message, dead.frame, dead.code, dead.expression)
        return exit_token


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


class _Again(Exception):
    """The evaluation begins again, with what was learnt."""
