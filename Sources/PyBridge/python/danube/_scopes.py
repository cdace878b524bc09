"""The parallel blocks and sequences around a step in live mode, and what a failure stops.

A failure inside the outermost parallel block is remembered, not raised: it stops what comes after
it in its own sequence, and is raised where the outermost block ends.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from danube._values import StepFailed


class _Scope:
    """One open block.

    Attributes:
        number: Number of a parallel block, counted from 0 in the order they open; -1: a sequence.
        branch: Number of its branch that runs now.
        failed: The first failure directly in it, or in a block that ended in it.
    """

    __slots__ = ("branch", "failed", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self.branch = -1
        self.failed: StepFailed | None = None


class Scopes:
    """The stack of open blocks."""

    __slots__ = ("_failures", "_open", "_opened", "_outermost")

    def __init__(self) -> None:
        self._open: list[_Scope] = []
        self._opened = 0
        # Index of the outermost parallel block in `_open`; -1: none is open.
        self._outermost = -1
        self._failures: list[StepFailed] = []

    def enter_parallel(self) -> None:
        """Opens a parallel block, which is one branch of the block around it."""
        self._begin_branch()
        if self._outermost < 0:
            self._outermost = len(self._open)
        self._open.append(_Scope(self._opened))
        self._opened += 1

    def enter_sequence(self) -> None:
        """Opens a sequence, which is one branch of the block around it."""
        self._begin_branch()
        self._open.append(_Scope(-1))

    def leave(self) -> StepFailed | None:
        """Closes the innermost block.

        Returns:
            The first failure in program order, when this was the outermost parallel block.
        """
        closed = self._open.pop()
        if len(self._open) != self._outermost:
            if self._open and self._outermost >= 0:
                self._open[-1].failed = self._open[-1].failed or closed.failed
            return None
        self._outermost = -1
        failures, self._failures = self._failures, []
        return failures[0] if failures else None

    def begin_step(self) -> tuple[tuple[int, int], ...]:
        """The branches that a step called now is in: block and branch number, outermost first."""
        self._begin_branch()
        return tuple([(scope.number, scope.branch) for scope in self._open if scope.number >= 0])

    @property
    def in_parallel(self) -> bool:
        """Whether a parallel block is open."""
        return self._outermost >= 0

    @property
    def blocked_by(self) -> StepFailed | None:
        """The earlier failure in a sequence around this point that stops what comes now."""
        if self._outermost < 0:
            return None
        for scope in self._open[self._outermost :]:
            if scope.failed is not None and scope.number < 0:
                return scope.failed
        return None

    def fail(self, failure: StepFailed) -> None:
        """Remembers the failure of a step that stands directly in the innermost block."""
        self._open[-1].failed = self._open[-1].failed or failure
        self._failures.append(failure)

    def _begin_branch(self) -> None:
        if self._open and self._open[-1].number >= 0:
            self._open[-1].branch += 1
