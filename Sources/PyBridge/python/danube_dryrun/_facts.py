"""What is already decided on a path, so that it is never asked again, in any form."""

from __future__ import annotations

from . import _predicates as P

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Composite facts are unit-propagated; more of them than this are only looked up.
MAX_COMPOSITES = 64


class Facts:
    """A stack of assumptions with what follows from them."""

    def __init__(self) -> None:
        self._masks: dict[int, int] = {}
        self._atoms: dict[Any, bool] = {}
        self._by_text: dict[Any, list[Any]] = {}
        self._known: dict[Any, str] = {}
        self._composites: list[tuple[Any, bool]] = []
        # Undo log: (table, key, value before or _ABSENT).
        self._trail: list[tuple[Any, Any, Any]] = []

    def mark(self) -> int:
        """A point to go back to."""
        return len(self._trail)

    def undo(self, mark: int) -> None:
        """Forgets what was assumed since."""
        while len(self._trail) > mark:
            table, key, before = self._trail.pop()
            if type(table) is list:
                table.pop()
            elif before is _ABSENT:
                del table[key]
            else:
                table[key] = before

    def mask(self, n: int) -> int:
        """Exit codes that step n may have."""
        return self._masks.get(n, P.ALL)

    def restrict(self, n: int, mask: int) -> None:
        """Step n's exit code lies in the mask."""
        self._set(self._masks, n, self.mask(n) & mask)

    def _set(self, table: dict[Any, Any], key: Any, value: Any) -> None:
        self._trail.append((table, key, table.get(key, _ABSENT)))
        table[key] = value

    def _append(self, table: list[Any], value: Any) -> None:
        self._trail.append((table, None, None))
        table.append(value)

    def check(self, p: Any) -> bool | None:
        """True or False when it follows; None when either may be."""
        if type(p) is bool:
            return p
        kind = p[0]
        if kind == "k":
            possible = self._masks.get(p[1], P.ALL)
            if not possible & p[2]:
                return False
            return True if not possible & ~p[2] else None
        if kind == "not":
            found = self.check(p[1])
            return None if found is None else not found
        if kind == "and" or kind == "or":
            stop = kind == "or"
            answer: bool | None = not stop
            for one in p[1:]:
                found = self.check(one)
                if found is stop:
                    return stop
                if found is None:
                    answer = None
            return self._atoms.get(p) if answer is None else answer
        found = self._atoms.get(p)
        if found is not None:
            return found
        return self._check_text(p)

    def _check_text(self, p: Any) -> bool | None:
        known = self._known
        try:
            if p[0] == "def":
                if not known:
                    return None
                return None if P.evaluate_template(p[1], known) is None else True
            left = P.evaluate_template(p[2], known)
            right = P.evaluate_template(p[3], known)
        except IndexError:
            return False
        except LookupError:
            return None
        if left is not None and right is not None:
            return P.compare(p[1], left, right)
        if right is not None and type(p[2]) is tuple:
            return self._implied(p[1], p[2], right)
        return None

    def _implied(self, op: str, template: Any, const: str) -> bool | None:
        """What facts on the same text say of `template op const`."""
        for fact in self._by_text.get(template, ()):
            fact_op, fact_const, holds = fact
            if op == "==":
                # Would the value satisfy the fact?
                if P.compare(fact_op, const, fact_const) != holds:
                    return False
            elif op == fact_op == "startswith":
                if holds and fact_const.startswith(const):
                    return True
                if holds and not const.startswith(fact_const):
                    return False
                if not holds and const.startswith(fact_const):
                    return False
            elif op == fact_op == "endswith":
                if holds and fact_const.endswith(const):
                    return True
                if holds and not const.endswith(fact_const):
                    return False
                if not holds and const.endswith(fact_const):
                    return False
        return None

    def assume(self, p: Any, holds: bool) -> None:
        """Remembers an answer and what follows from it."""
        todo = [(p, holds)]
        while todo:
            p, holds = todo.pop()
            if type(p) is bool:
                continue
            kind = p[0]
            if kind == "not":
                todo.append((p[1], not holds))
            elif kind == "k":
                mask = p[2] if holds else P.ALL & ~p[2]
                possible = self._masks.get(p[1], P.ALL)
                if possible & mask != possible:
                    self._set(self._masks, p[1], possible & mask)
            elif (kind == "and") is holds and kind in ("and", "or"):
                todo += [(one, holds) for one in p[1:]]
            elif kind in ("and", "or"):
                self._set(self._atoms, p, holds)
                if len(self._composites) < MAX_COMPOSITES:
                    self._append(self._composites, (p, holds))
            else:
                self._assume_text(p, holds)
            if not todo:
                todo += self._propagate()

    def _assume_text(self, p: Any, holds: bool) -> None:
        self._set(self._atoms, p, holds)
        if p[0] == "cmp" and type(p[3]) is str and type(p[2]) is tuple:
            if p[2] not in self._by_text:
                self._set(self._by_text, p[2], [])
            self._append(self._by_text[p[2]], (p[1], p[3], holds))
            if p[1] == "==" and holds and p[2] not in self._known:
                self._set(self._known, p[2], p[3])

    def _propagate(self) -> list[tuple[Any, bool]]:
        """A composite all of whose parts but one are decided decides the last."""
        for p, holds in self._composites:
            # ("or" true) or ("and" false): some part differs from the kind's unit.
            open_parts = []
            for one in p[1:]:
                found = self.check(one)
                if found is None:
                    open_parts.append(one)
                elif found is holds:
                    break
            else:
                if len(open_parts) == 1:
                    return [(open_parts[0], holds)]
        return []


class _Absent:
    pass


_ABSENT = _Absent()
