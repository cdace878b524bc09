"""Compound statements of generated danubefiles: branches, failures, parallel blocks."""

from __future__ import annotations

from collections.abc import Callable

from cells import CELLS
from expressions import Scope
from oddities import Oddities
from statements import Place

Kind = Callable[[Scope, Place], "bool | None"]


class Blocks(Oddities):
    """Chooses statements and writes their blocks."""

    def kinds(self, scope: Scope, place: Place) -> tuple[list[Kind], list[float]]:
        """The statements that may stand here, and their weights."""
        room = self.decisions_left >= place.times
        deep = place.depth > 4
        table: list[tuple[Kind, float]] = [
            (self.do_step, 7), (self.do_bound_step, 6), (self.do_print, 1.2),
            (self.do_upload, 0.6),
        ]  # fmt: skip
        if scope.cells:
            table += [(self.do_change, 4), (self.do_plain, 1)]
        if self.pool and not place.parallel:
            table.append((self.declare_cell, 0.7))
        if scope.outputs:
            table.append((self.do_text, 1.5))
        if self.may_be_dynamic and not self.dynamic and (scope.outputs or scope.codes):
            table.append((self.do_dynamic, 3))
        if self.callables():
            table.append((self.do_call, 4))
        if not deep:
            table += [
                (self.do_parallel, 1.2),
                (self.do_for, 1.5),
                (self.do_collect, 1.2),
                (self.do_with, 0.5),
                (self.do_local_function, 0.4),
            ]
        if room and not deep:
            table += [
                (self.do_if, 9),
                (self.do_try, 3),
                (self.do_retry, 1),
                (self.do_match, 0.7),
                (self.do_ternary, 1),
                (self.do_assign, 2),
                (self.do_guarded_with, 1),
                (self.do_collect_plain, 0.7),
            ]
            if not place.parallel:
                table.append((self.do_assert, 0.3))
                table.append((self.do_partial, 0.5))
            if place.function and place.depth > 1 or place.loop:
                table.append((self.do_leave, 1))
        table += self.odd_kinds(scope, place)
        return [kind for kind, _ in table], [weight for _, weight in table]

    def callables(self) -> list[object]:
        """Routines that may be called."""
        return []

    def do_call(self, scope: Scope, place: Place) -> bool | None:
        """Calls a helper."""
        raise NotImplementedError

    # Branches.

    def do_if(self, scope: Scope, place: Place) -> bool:
        rng = self.rng
        test = self.test(scope, place)
        if test is None and not scope.codes and self.affordable(place):
            if rng.random() < 0.3:
                self.pay(place, 1, 1)
                name = self.fresh("c")
                test = f"({name} := step.run({self.command(scope, place)}, check=False)) != 0"
                scope.codes.append(name)
            else:
                self.emit(place, self.step_call(scope, place, bind=True, kind="code"))
                test = self.test(scope, place)
        if test is None:
            self.do_step(scope, place)
            return False
        inner = place.inner()
        self.emit(place, f"if {test}:")
        lefts = [self.branch(scope, inner)]
        while rng.random() < 0.15 and (again := self.test(scope, place, 1)) is not None:
            self.emit(place, f"elif {again}:")
            lefts.append(self.branch(scope, inner))
        if rng.random() < 0.4:
            self.emit(place, "else:")
            lefts.append(self.branch(scope, inner))
            return all(lefts)
        return False

    def branch(self, scope: Scope, place: Place) -> bool:
        rng = self.rng
        own = scope.child()
        roll = rng.random()
        if roll < 0.15 and (place.function or place.loop):
            if rng.random() < 0.6:
                self.do_step(own, place)
            return self.do_leave(own, place)
        if roll < 0.35 and scope.cells:
            self.do_change(own, place)
            if rng.random() < 0.4:
                return False
        return self.block(own, place, rng.choice((1, 1, 1, 2, 3)))

    def do_match(self, scope: Scope, place: Place) -> None:
        rng = self.rng
        if not self.affordable(place, 2) or not (scope.codes or scope.outputs):
            return self.do_step(scope, place)
        self.pay(place, 2)
        inner, body = place.inner(), place.inner().inner()
        if scope.codes and (not scope.outputs or rng.random() < 0.5):
            self.emit(place, f"match {rng.choice(scope.codes)}:")
            cases = [
                rng.choice(("0", "1", "0 | 2", "2 | 3")),
                rng.choice(("1", "127", "3 | 10")),
            ]
        else:
            self.emit(place, f"match {self.text_of(scope, risky=0)}:")
            cases = [self.word(), rng.choice(("'prod'", "'v1.2' | 'main'", "''"))]
        if rng.random() < 0.7:
            cases.append("_")
        for case in dict.fromkeys(cases):
            self.emit(inner, f"case {case}:")
            self.block(scope.child(), body, rng.choice((1, 1, 2)))
        return None

    # Failures.

    def do_try(self, scope: Scope, place: Place) -> bool:
        rng = self.rng
        form = rng.choices(("except", "finally", "both", "else"), (5, 3, 2, 1))[0]
        inner = place.inner(guarded=True)
        self.emit(place, "try:")
        body = scope.child()
        self.emit(
            inner,
            self.step_call(
                body,
                inner,
                bind=rng.random() < 0.4,
                kind=rng.choice(("check", "output")),
            ),
        )
        left = False
        if rng.random() < 0.5:
            left = self.block(body, inner, rng.choice((1, 1, 2)))
        lefts = [left]
        if form != "finally":
            lefts.append(self.handler(scope.child(), place))
        if form == "else" and not left:
            self.emit(place, "else:")
            lefts[0] = self.block(body, place.inner(), 1)
        if form in ("finally", "both"):
            self.emit(place, "finally:")
            self.block(scope.child(), place.inner(function=False, loop=False), 1)
            return all(lefts) if form == "both" else left
        return all(lefts)

    def handler(self, scope: Scope, place: Place) -> bool:
        rng = self.rng
        inner = place.inner()
        named = rng.random() < 0.5
        kind = rng.choice(
            (
                "StepFailed",
                "StepFailed",
                "StepFailed",
                "(StepFailed, OSError)",
                "Exception",
            )
        )
        e = self.fresh("e")
        self.emit(place, f"except {kind}{f' as {e}' if named else ''}:")
        if named and kind in ("StepFailed", "(StepFailed, OSError)") and rng.random() < 0.6:
            self.number += 1
            use = rng.choice(("code", "code", "code", "step", "test", "test", "again"))
            if use == "test" and self.affordable(place):
                self.pay(place, 1)
                self.emit(
                    inner,
                    f"if {e}.code {rng.choice(('== 1', '!= 1', '> 2', 'in (1, 2)'))}:",
                )
                self.emit(inner.inner(), self.step_call(scope, inner.inner(), kind="code"))
            elif use == "step":
                # Of a step without a name whose command has a result in it, this needs the value.
                self.dynamic = self.dynamic or "step of a failure"
                self.emit(
                    inner,
                    f'step.run(f"handle {self.number} {{{e}.step}}", check=False)',
                )
            elif use == "again":
                self.emit(inner, f"print('failed', {e}.code)")
            else:
                self.emit(
                    inner,
                    f'step.run(f"handle {self.number} {{{e}.code}}", check=False)',
                )
            self.pay(place, 0, 1)
        roll = rng.random()
        if roll < 0.2:
            if rng.random() < 0.5:
                self.do_step(scope, inner)
            self.emit(inner, "raise")
            return True
        if roll < 0.27 and named:
            self.emit(inner, f"raise RuntimeError('wrapped') from {e}")
            return True
        if roll < 0.4 and (place.function or place.loop) and not place.parallel:
            return self.do_leave(scope, inner)
        return self.block(scope, inner, 1)

    def do_guarded_with(self, scope: Scope, place: Place) -> None:
        """`with` something that handles failures."""
        rng = self.rng
        self.number += 1
        inner = place.inner(guarded=True)
        if rng.random() < 0.4:
            self.emit(place, "with contextlib.suppress(StepFailed):")
        else:
            stack = self.fresh("stack")
            self.emit(place, f"with contextlib.ExitStack() as {stack}:")
            self.emit(inner, f'{stack}.callback(step.run, "undo {self.number}", check=False)')
            self.pay(place, 0, 1)
        self.block(scope.child(), inner, rng.choice((1, 2)))

    # Parallel.

    def do_with(self, scope: Scope, place: Place) -> None:
        self.emit(place, f"with sequence({self.rng.choice(('', repr('s')))}):")
        self.block(scope.child(), place.inner(), self.rng.choice((1, 2)))

    def do_parallel(self, scope: Scope, place: Place) -> None:
        rng = self.rng
        head = rng.choice(("parallel()", "parallel('all')", "parallel(fail_fast=False)"))
        self.emit(place, f"with {head}:")
        # Now and then something may leave the block.
        leaving = rng.random() < 0.25
        inner = place.inner(
            parallel=True, function=place.function and leaving, loop=place.loop and leaving
        )
        for _ in range(rng.choice((2, 2, 3))):
            roll = rng.random()
            if roll < 0.5:
                kind = rng.choice(("check", "code", "code", "output"))
                self.emit(inner, self.step_call(scope, inner, bind=True, kind=kind))
            elif roll < 0.75:
                self.emit(inner, "with sequence():")
                self.block(scope.child(), inner.inner(), rng.choice((1, 2, 3)))
            elif roll < 0.85 and place.depth < 4:
                self.do_for(scope.child(), inner)
            elif roll < 0.9 and place.depth < 3:
                self.do_parallel(scope.child(), inner)
            else:
                self.block(scope.child(), inner, 1)

    def do_local_function(self, scope: Scope, place: Place) -> None:
        """A closure that is called here, and perhaps again."""
        rng = self.rng
        name = self.fresh("local")
        self.emit(place, f"def {name}(x='d'):")
        own = scope.child()
        own.plain.append("x")
        own.cells = [
            c
            for c in own.cells
            if CELLS[c[0]].kind
            not in (
                "counter",
                "kind",
                "zero",
                "text",
                "set",
                "tuple",
                "alias",
                "unset",
                "strings",
                "lambda",
                "partial",
                "enum",
                "dataclass",
                "list",
                "order",
                "buckets",
            )
        ]  # rebinding
        calls = rng.choice((1, 1, 2))
        inner = place.inner(times=place.times * calls, function=True, loop=False, returns="")
        rebound = self.rebinding
        self.rebinding = False
        self.block(own, inner, rng.choice((1, 2)))
        self.rebinding = rebound
        for i in range(calls):
            self.emit(place, f"{name}({rng.choice(('', repr(str(i))))})")
