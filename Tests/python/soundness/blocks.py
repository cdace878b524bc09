"""Compound statements of generated danubefiles: branches, loops, failures, parallel blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cells import CELLS
from expressions import Scope
from statements import Place, Statements

Kind = Callable[[Scope, Place], "bool | None"]


class Blocks(Statements):
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
        return [kind for kind, _ in table], [weight for _, weight in table]

    def callables(self) -> list[object]:
        """Routines that may be called."""
        return []

    def do_call(self, scope: Scope, place: Place) -> bool | None:
        """Calls a helper."""
        raise NotImplementedError

    # Simple statements.

    def do_step(self, scope: Scope, place: Place) -> None:
        self.emit(place, self.step_call(scope, place))

    def do_bound_step(self, scope: Scope, place: Place) -> None:
        kind = self.rng.choice(("code", "code", "output", ""))
        self.emit(place, self.step_call(scope, place, bind=True, kind=kind))

    def do_print(self, scope: Scope, place: Place) -> None:
        rng = self.rng
        self.number += 1
        roll = rng.random()
        if roll < 0.4 and (scope.outputs or scope.codes):
            value = rng.choice(scope.outputs + scope.texts + scope.codes)
            self.emit(
                place,
                rng.choice(
                    (
                        f'print(f"note {self.number} {{{value}}}")',
                        f'print("note {self.number}", {value})',
                    )
                ),
            )
        elif roll < 0.7 and scope.cells:
            self.emit(place, f'print("note {self.number}", {self.observation(scope, place)})')
        else:
            self.emit(place, f'print("note {self.number}")')

    def do_upload(self, scope: Scope, place: Place) -> None:
        rng = self.rng
        self.number += 1
        path = f'"out/{self.number}"'
        if (scope.outputs or scope.texts) and rng.random() < 0.3:
            path = f'f"out/{self.number}-{{{rng.choice(scope.outputs + scope.texts)}}}"'
        name = rng.choice(("", f', name="a{self.number}"', ", junit=True"))
        self.emit(place, f"artifacts.upload({path}{name})")

    def do_change(self, scope: Scope, place: Place) -> None:
        cell, name = self.rng.choice(scope.cells)
        change = self.rng.choice(CELLS[cell].change)
        self.emit(place, change.format(n=name, v=self.rng.randint(1, 9)))

    def do_plain(self, scope: Scope, place: Place) -> None:
        name = self.fresh("p")
        self.emit(place, f"{name} = {self.observation(scope, place)}")
        scope.plain.append(name)

    def do_text(self, scope: Scope, place: Place) -> None:
        name = self.fresh("t")
        self.emit(place, f"{name} = {self.made_text(scope)}")
        scope.texts.append(name)

    def do_assign(self, scope: Scope, place: Place) -> None:
        """A local that has one value or another."""
        test = self.test(scope, place, 1)
        if test is None:
            return
        rng = self.rng
        name = self.fresh("p")
        values: list[str] = [
            rng.choice(("'x'", "1", "None", "[]", "True", "'main'")) for _ in range(2)
        ]
        if scope.outputs and rng.random() < 0.3:
            values[0] = self.text_of(scope)
        if rng.random() < 0.5:
            self.emit(place, f"{name} = {values[0]}")
            self.emit(place, f"if {test}:")
            self.emit(place.inner(), f"{name} = {values[1]}")
        else:
            self.emit(place, f"if {test}:")
            self.emit(place.inner(), f"{name} = {values[0]}")
            self.emit(place, "else:")
            self.emit(place.inner(), f"{name} = {values[1]}")
        scope.plain.append(name)

    def do_ternary(self, scope: Scope, place: Place) -> None:
        test = self.test(scope, place, 2)
        if test is None:
            return
        name = self.fresh("p")
        other = self.rng.choice(scope.outputs + scope.texts + ["'no'"])
        self.emit(place, f"{name} = 'yes' if {test} else {other}")
        scope.plain.append(name)

    def do_assert(self, scope: Scope, place: Place) -> None:
        test = self.test(scope, place, 1)
        if test is not None:
            self.emit(place, f"assert {test}, 'asserted'")

    def do_partial(self, scope: Scope, place: Place) -> None:
        """An index that may not be there, caught."""
        if not scope.outputs:
            return
        rng = self.rng
        self.pay(place, 1)
        name = self.fresh("t")
        o = rng.choice(scope.outputs)
        part = rng.choice((".split(',')[1]", ".splitlines()[1]", ".split()[1]", ".split()[-1]"))
        self.emit(place, "try:")
        self.emit(place.inner(), f"{name} = {o}{part}")
        self.emit(
            place,
            rng.choice(("except IndexError:", "except LookupError:", "except Exception:")),
        )
        self.emit(place.inner(), f"{name} = 'none'")
        scope.texts.append(name)

    def do_leave(self, scope: Scope, place: Place) -> bool:
        rng = self.rng
        choices = []
        if place.loop:
            choices += ["break", "continue"] * 2
        if place.function:
            choices += [f"return {place.returns}".rstrip()] * 3
            choices += [
                "raise RuntimeError('stop')",
                "sys.exit(1)",
                "sys.exit()",
                "raise SystemExit(0)",
            ]
        self.emit(place, rng.choice(choices))
        return True

    def do_dynamic(self, scope: Scope, place: Place) -> None:
        rng = self.rng
        inner = place.inner()
        if scope.outputs:
            o = rng.choice(scope.outputs)
            self.dynamic = rng.choice(
                ("for line", "len", "unpack", "slice", "sorted", "poll", "key")
            )
            if self.dynamic == "for line":
                self.emit(place, f"for line in {o}.splitlines():")
                self.emit(inner, 'step.run(f"line {line}")')
            elif self.dynamic == "len":
                self.emit(place, f"if len({o}) > 3:")
                self.emit(inner, 'step.run("long")')
            elif self.dynamic == "unpack":
                self.emit(place, f"first, *rest = [*{o}.split(','), '']")
                self.emit(place, 'step.run(f"first {first} {len(rest)}")')
            elif self.dynamic == "slice":
                self.emit(place, f"short = {o}[:2]")
                self.emit(place, 'step.run(f"short {short}")')
            elif self.dynamic == "sorted":
                self.emit(place, f"for x in sorted([{o}, 'm']):")
                self.emit(inner, 'step.run(f"sorted {x}")')
            elif self.dynamic == "key":
                self.emit(place, f"step.run({{'main': 'deploy'}}.get({o}, 'nothing'))")
            else:
                self.emit(place, 'while step.run("poll", check=False) != 0:')
                self.emit(inner, "pass")
        else:
            self.dynamic = "arithmetic"
            self.emit(place, f'step.run(f"sum {{{rng.choice(scope.codes)} + 1}}")')

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
        if roll < 0.15 and (place.function or place.loop) and not place.parallel:
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

    # Loops.

    def loop_head(self, scope: Scope, place: Place) -> tuple[str, int, str]:
        """A `for` clause, how often it runs, and what to call its value."""
        rng = self.rng
        x = self.fresh("x")
        roll = rng.random()
        if roll < 0.25:
            return f"for {x} in range({rng.choice((2, 3))})", 3, x
        if roll < 0.5:
            return f"for {x} in ['amd64', 'arm64']", 2, x
        if roll < 0.6:
            return f"for {x}, _ in enumerate(['p', 'q'])", 2, x
        if roll < 0.7:
            return f"for {x} in sorted({{'b': 1, 'a': 2}})", 2, x
        if roll < 0.75 and scope.lists:
            codes = rng.choice(scope.lists)
            scope.codes.append(x)
            return f"for {x} in {codes}", 3, "1"
        if roll < 0.8:
            return f"for {x} in (y * 2 for y in range(2))", 2, x
        if rng.random() < 0.5:
            return f"for {x} in matrix(os=['a', 'b'], v=[1, 2])", 4, f"{x}.os"
        return (
            f"for {x} in matrix(os=['a', 'b'], exclude=[{{'os': 'b'}}], include=[{{'os': 'c'}}])",
            2,
            f"{x}.os",
        )

    def do_for(self, scope: Scope, place: Place) -> None:
        rng = self.rng
        own = scope.child()
        head, times, value = self.loop_head(own, place)
        inner = place.inner(times=place.times * times, loop=not place.parallel)
        if value != "1":
            own.plain.append(value)
        self.emit(place, f"{head}:")
        if rng.random() < 0.5:
            self.emit(inner, self.step_call(own, inner, bind=True))
        self.block(own, inner, rng.choice((1, 1, 2, 3)))
        if rng.random() < 0.15 and not place.parallel:
            self.emit(place, "else:")
            self.block(scope.child(), place.inner(), 1)

    def do_retry(self, scope: Scope, place: Place) -> None:
        """A loop that ends at the latest after a few rounds."""
        rng = self.rng
        n = self.fresh("n")
        rounds = rng.choice((2, 3))
        if not self.affordable(place, rounds) or place.parallel:
            return self.do_step(scope, place)
        self.pay(place, rounds, rounds)
        c, inner = self.fresh("c"), place.inner(times=place.times * rounds, loop=True)
        command = self.command(scope, replace(inner, depth=place.depth))
        roll = rng.random()
        if roll < 0.35:
            self.emit(place, f"{c}, {n} = step.run({command}, check=False), 0")
            self.emit(place, f"while {c} != 0 and {n} < {rounds - 1}:")
            self.emit(inner, f"{n} += 1")
            self.emit(inner, f"{c} = step.run({command}, check=False)")
        elif roll < 0.7:
            self.emit(place, f"for {n} in range({rounds}):")
            self.emit(inner, f"{c} = step.run({command}, check=False)")
            self.emit(inner, f"if {c} == 0:")
            self.emit(inner.inner(), "break")
            if rng.random() < 0.6:
                self.emit(place, "else:")
                self.block(scope.child(), place.inner(), 1)
        else:
            self.emit(place, f"{n} = 0")
            self.emit(place, "while True:")
            self.emit(inner, f"{c} = step.run({command}, check=False)")
            self.emit(inner, f"{n} += 1")
            self.emit(inner, f"if not {c} or {n} >= {rounds}:")
            self.emit(inner.inner(), "break")
        scope.codes.append(c)
        if rng.random() < 0.3:
            scope.plain.append(n)
        return None

    def do_collect(self, scope: Scope, place: Place) -> None:
        """A list of exit codes, tested later."""
        rng = self.rng
        name, x = self.fresh("codes"), self.fresh("x")
        self.pay(place, 0, 3)
        self.number += 1
        call = f'step.run(f"part {self.number} {{{x}}}", check=False)'
        form = rng.randrange(4)
        if form == 0:
            self.emit(place, f"{name} = [{call} for {x} in range(3)]")
        elif form == 1:
            self.emit(place, f"{name} = []")
            self.emit(place, f"for {x} in ['a', 'b', 'c']:")
            self.emit(place.inner(), f"{name}.append({call})")
        elif form == 2:
            self.emit(place, f"{name} = list({{{x}: {call} for {x} in 'ab'}}.values())")
        else:
            self.emit(place, f"{name} = [*map(lambda {x}: {call}, range(2))]")
        scope.lists.append(name)

    def do_collect_plain(self, scope: Scope, place: Place) -> None:
        """A list that depends on results."""
        if not self.affordable(place, 3):
            return self.do_step(scope, place)
        rng = self.rng
        name, x = self.fresh("p"), self.fresh("x")
        if scope.lists and rng.random() < 0.5:
            self.pay(place, 3)
            codes = rng.choice(scope.lists)
            self.emit(
                place,
                f"{name} = "
                + rng.choice(
                    (
                        f"[i for i, c in enumerate({codes}) if c != 0]",
                        f"sum(1 for c in {codes} if c)",
                        f"len([c for c in {codes} if c == 0])",
                        f"next((i for i, c in enumerate({codes}) if c), None)",
                    )
                ),
            )
        else:
            self.pay(place, 2, 2)
            self.number += 1
            self.emit(
                place,
                f"{name} = [{x} for {x} in ['a', 'b'] "
                f'if step.run(f"probe {self.number} {{{x}}}", check=False) == 0]',
            )
        scope.plain.append(name)
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
        inner = place.inner(parallel=True, function=False, loop=False)
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
