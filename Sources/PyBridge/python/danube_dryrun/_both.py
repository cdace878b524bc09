"""Branches on results: both sides in one pass where Python's state allows it."""

from __future__ import annotations

import sys

from . import _predicates as P
from . import _rt
from . import _tokens as T
from ._liveness import Names, names_of
from ._operands import as_python, early
from ._snapshot import Snapshot, Unknown, roots, same
from ._symbolic import Code, Predicate, truth
from ._text import Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterable, Iterator

_TRUE = (True,)
_FALSE = (False,)
_ABSENT = object()


class Site:
    """An `if` of the source: what is needed to know whether its sides leave the same state."""

    __slots__ = ("branch", "function", "simple", "_names")

    def __init__(self, branch: Any, function: Any, simple: bool) -> None:
        self.branch = branch
        self.function = function
        # Nothing in it can change Python's state but its assignments to names.
        self.simple = simple
        self._names: Names | None = None

    @property
    def names(self) -> Names:
        found = self._names
        if found is None:
            found = self._names = names_of(self.function, self.branch)
        return found


sites: list[Site] = []
# 1: the danubefile uses modules with state that no snapshot sees; 2: even the life of an object
# can be observed. Branches that may touch it are evaluated one side at a time.
fragile: set[int] = set()


def test(value: Any, site: int) -> Iterable[bool]:
    """The sides of an `if` to evaluate, in order."""
    kind = type(value)
    if kind is bool:
        return _TRUE if value else _FALSE
    if kind is not Predicate and kind is not Text and kind is not Code:
        return _TRUE if value else _FALSE
    asked = truth(value)
    if type(asked) is bool:
        return _TRUE if asked else _FALSE
    recorder = _rt.recorder
    if recorder.dead is not None:
        raise recorder.dead
    known = recorder.facts.check(asked._p)
    if known is None and fragile and (2 in fragile or not sites[site].simple):
        return _TRUE if recorder.decide(asked._p) else _FALSE
    if known is None and site not in recorder.session.apart and not recorder.line:
        return Both(asked._p, site, sys._getframe(1))
    return _TRUE if (recorder.decide(asked._p) if known is None else known) else _FALSE


class Both:
    """Yields True, then False, and sees to it that state is the same after each."""

    def __init__(self, p: P.Pred, site: int, frame: Any) -> None:
        self.p = p
        self.site = site
        self._frame = frame
        self._phase = 0
        self._mark = 0
        self._i = 0
        self._heap: Snapshot | None = None
        self._before: dict[str, Any] = {}
        self._after: dict[str, Any] = {}
        self._world: tuple[Any, ...] = ()

    def __iter__(self) -> Iterator[bool]:
        return self

    def __next__(self) -> bool:
        recorder = _rt.recorder
        if recorder.dead is not None:
            raise recorder.dead
        self._phase += 1
        if self._phase == 1:
            self._begin(recorder)
            return True
        self._verify(recorder)
        recorder.facts.undo(self._mark)
        if self._phase == 2:
            recorder.emit((T.ELSE,))
            recorder.facts.assume(self.p, False)
            return False
        recorder.open_ifs.pop()
        recorder.emit((T.END_IF,))
        self._frame = None
        raise StopIteration

    def _begin(self, recorder: Any) -> None:
        site = sites[self.site]
        self._world = self._world_now(recorder)
        if not self._simple(recorder, site):
            try:
                self._heap = Snapshot(roots(self._frame))
            except Unknown:
                recorder.abandon(_rt.Restart((self.site,)))
        self._before = self._locals(site.names.before_else)
        recorder.impure = False
        recorder.open_ifs.append(self)
        recorder.emit((T.IF, P.to_wire(self.p)))
        self._mark = recorder.facts.mark()
        recorder.facts.assume(self.p, True)

    def _simple(self, recorder: Any, site: Site) -> bool:
        return site.simple and self.site not in recorder.session.not_simple and _usual(self._frame)

    def _world_now(self, recorder: Any) -> tuple[Any, ...]:
        return (
            len(recorder.groups),
            len(recorder.sequences),
            recorder.observers,
            len(recorder.finals),
            recorder.cells,
            len(sys.modules),
            tuple(recorder.pending),
            len(recorder.session.registry),
            tuple(recorder.line),
        )

    def _verify(self, recorder: Any) -> None:
        """Goes on when the side that just ended left state alone; else starts again."""
        if not recorder.open_ifs or recorder.open_ifs[-1] is not self:
            inner = [one.site for one in recorder.open_ifs]
            recorder.abandon(_rt.Restart((self.site, *inner)))
        site = sites[self.site]
        if recorder.impure and self._simple(recorder, site):
            recorder.session.not_simple.add(self.site)
            recorder.abandon(_rt.Restart(()))
        fine = self._world == self._world_now(recorder) and (
            self._heap is None or self._heap.unchanged()
        )
        if fine and self._phase == 2:
            names = site.names
            fine = self._equal(self._before, self._locals(names.before_else))
            self._after = self._locals(names.after)
        elif fine:
            fine = self._equal(self._after, self._locals(site.names.after))
        if not fine:
            recorder.abandon(_rt.Restart((self.site,)))

    def _locals(self, names: frozenset[str]) -> dict[str, Any]:
        if not names:
            return {}
        space = self._frame.f_locals
        return {name: space.get(name, _ABSENT) for name in names}

    @staticmethod
    def _equal(a: dict[str, Any], b: dict[str, Any]) -> bool:
        return all(same(value, b[name]) for name, value in a.items())


def _usual(frame: Any) -> bool:
    """Whether `step`, `print` and the others are what they usually are, as `simple` assumes."""
    code = frame.f_code
    if not _SIMPLE_NAMES.isdisjoint(code.co_varnames + code.co_cellvars + code.co_freevars):
        return False
    space = frame.f_globals
    if "print" in space or "range" in space:
        return False
    sdk = sys.modules["danube"]
    for name in ("step", "artifacts", "parallel", "sequence"):
        if space.get(name, _ABSENT) not in (_ABSENT, getattr(sdk, name)):
            return False
    return True


_SIMPLE_NAMES = frozenset(("step", "artifacts", "parallel", "sequence", "print", "range"))


def both_or_either(is_and: bool, in_test: bool, first: Any, *rest: Any) -> Any:
    """`first and …` or `first or …`; the rest are functions without effects."""
    value = first
    for index, later in enumerate(rest):
        kind = type(value)
        if kind is not Predicate and not (in_test and (kind is Text or kind is Code)):
            # Known: as Python does it.
            if bool(value) is not is_and:
                return value
            value = as_python(later)
            continue
        asked = truth(value)
        if type(asked) is bool:
            if asked is not is_and:
                return value
            value = as_python(later)
            continue
        known = _rt.recorder.facts.check(asked._p)
        if known is not None:
            if known is not is_and:
                return value
            value = as_python(later)
            continue
        combined = _combined(is_and, in_test, asked, rest[index:])
        if combined is not None:
            return combined
        if bool(asked) is not is_and:
            return value
        value = as_python(later)
    return value


def _combined(is_and: bool, in_test: bool, first: Any, rest: tuple[Any, ...]) -> Any:
    """One predicate for the whole, or None when an operand is not one or cannot be evaluated."""
    from ._symbolic import combine

    recorder = _rt.recorder
    if recorder.session.plain_logic:
        return None
    before = (recorder.i, recorder.n, len(recorder.answers), len(recorder.pending))
    values = [first]
    try:
        for later in rest:
            value = early(later)
            kind = type(value)
            if kind is bool or kind is Predicate:
                values.append(value)
            elif in_test and (kind is Text or kind is Code):
                values.append(truth(value))
            elif in_test and kind in (int, str, list, tuple, dict, set, type(None)):
                values.append(bool(value))
            else:
                return None
    except Exception:
        return None
    if before != (recorder.i, recorder.n, len(recorder.answers), len(recorder.pending)):
        recorder.session.plain_logic = True
        recorder.abandon(_rt.Restart(()))
    return combine(is_and, values)
