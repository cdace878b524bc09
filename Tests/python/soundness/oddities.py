"""Statements of generated danubefiles that people write now and then, each a trap of its own."""

from __future__ import annotations

from collections.abc import Callable

from expressions import Scope
from loops import Loops
from statements import Place

Kind = Callable[[Scope, Place], "bool | None"]


class Oddities(Loops):
    """Writes the less usual ways to use results."""

    def odd_kinds(self, scope: Scope, place: Place) -> list[tuple[Kind, float]]:
        """Those of them that may stand here, and their weights."""
        room = self.affordable(place)
        table: list[tuple[Kind, float]] = [(self.do_print_piece, 0.3), (self.do_star, 0.3)]
        if scope.outputs:
            table.append((self.do_sorted_json, 0.4))
        if scope.codes:
            table += [(self.do_lambda, 0.3), (self.do_swap, 0.2)]
        if room and scope.codes:
            table += [
                (self.do_stored, 1), (self.do_or_else, 0.6), (self.do_match_capture, 0.6),
                (self.do_check_option, 0.4), (self.do_delete, 0.3), (self.do_zip, 0.4),
                (self.do_operands, 0.5),
            ]  # fmt: skip
        if room and scope.outputs:
            table += [(self.do_bare_command, 0.3), (self.do_or_default, 0.4)]
        if room and place.depth < 4:
            table += [(self.do_finally_leaves, 0.5), (self.do_two_managers, 0.4)]
        return table

    def do_print_piece(self, scope: Scope, place: Place) -> None:
        self.number += 1
        values = [*scope.outputs, *scope.codes, "'x'"]
        value = self.rng.choice(values)
        end = self.rng.choice(("''", "' '", "'\\n\\n'", "'!\\n'"))
        self.emit(place, f"print('piece {self.number}', {value}, sep='=', end={end})")

    def do_star(self, scope: Scope, place: Place) -> None:
        name = self.fresh("c")
        command = self.command(scope, place)
        self.pay(place, 0, 1)
        self.emit(place, f"{name} = step.run(*[{command}], **{{'check': False}})")
        scope.codes.append(name)

    def do_sorted_json(self, scope: Scope, place: Place) -> None:
        name = self.fresh("t")
        one, two = self.text_of(scope, risky=0), self.rng.choice(scope.outputs)
        form = self.rng.choice(("sort_keys=True", "indent=1", "separators=(',', ':')"))
        self.emit(place, f"{name} = json.dumps({{'z': {one}, 'a': [{two}, 1]}}, {form})")
        scope.texts.append(name)

    def do_lambda(self, scope: Scope, place: Place) -> None:
        code = self.rng.choice(scope.codes)
        name = self.fresh("late")
        self.emit(place, f"{name} = lambda: {code}")
        self.emit(place, f'step.run(f"late {self.number} {{{name}()}}", check=False)')
        self.pay(place, 0, 1)

    def do_swap(self, scope: Scope, place: Place) -> None:
        names = [one for one in scope.codes if one.isidentifier()]
        if len(names) > 1 and self.rebinding and not place.parallel:
            one, two = self.rng.sample(names, 2)
            self.emit(place, f"{one}, {two} = {two}, {one}")
        else:
            self.do_step(scope, place)

    def do_stored(self, scope: Scope, place: Place) -> None:
        """A comparison that is kept and tested later."""
        test = self.test(scope, place, 2)
        if test is None:
            return
        rng = self.rng
        name = self.fresh("p")
        self.emit(place, f"{name} = {rng.choice(('bool({t})', '{t}', 'not ({t})')).format(t=test)}")
        self.emit(place, rng.choice((f"if {name}:", f"if not {name}:", f"if {name} is True:")))
        self.block(scope.child(), place.inner(), 1)
        scope.plain.append(name)

    def do_or_else(self, scope: Scope, place: Place) -> None:
        rng = self.rng
        self.pay(place, 1)
        name = self.fresh("c")
        one, two = rng.choice(scope.codes), rng.choice([*scope.codes, "7"])
        form = rng.choice(("{a} or {b}", "{a} and {b}", "{a} if {a} > 1 else {b}"))
        self.emit(place, f"{name} = {form.format(a=one, b=two)}")
        scope.codes.append(name)

    def do_or_default(self, scope: Scope, place: Place) -> None:
        self.pay(place, 1)
        name = self.fresh("t")
        output = self.text_of(scope, risky=0)
        self.emit(place, f"{name} = {output} or {self.rng.choice((repr('none'), 'ctx.branch'))}")
        scope.texts.append(name)

    def do_match_capture(self, scope: Scope, place: Place) -> None:
        rng = self.rng
        self.pay(place, 3)
        code, n = rng.choice(scope.codes), self.fresh("n")
        inner, body = place.inner(), place.inner().inner()
        self.emit(place, f"match {code}:")
        cases = [f"{n} if {n} > 9", f"(1 | 2) as {n}", f"int({n}) if {n} == 3"]
        for case in rng.sample(cases, rng.choice((1, 2))):
            self.emit(inner, f"case {case}:")
            self.emit(body, f'step.run(f"matched {self.number} {{{n}}}", check=False)')
        self.emit(inner, "case _:")
        self.block(scope.child(), body, 1)
        self.pay(place, 0, 2)

    def do_check_option(self, scope: Scope, place: Place) -> None:
        self.pay(place, 2 if place.guarded else 1, 1)
        test = self.code_test(scope)
        self.emit(place, f"step.run({self.command(scope, place)}, check=bool({test}))")

    def do_delete(self, scope: Scope, place: Place) -> None:
        self.pay(place, 1)
        name = self.fresh("gone")
        inner = place.inner()
        self.emit(place, f"{name} = 1")
        self.emit(place, f"if {self.code_test(scope)}:")
        self.emit(inner, f"del {name}")
        self.emit(place, "try:")
        self.emit(inner, f"print('there', {name})")
        self.emit(place, "except NameError:")
        self.emit(inner, f'step.run("gone {self.number}", check=False)')

    def do_zip(self, scope: Scope, place: Place) -> None:
        codes = [self.rng.choice(scope.codes) for _ in range(2)]
        if not self.affordable(place, 2):
            return self.do_step(scope, place)
        self.pay(place, 2, 2)
        n, c = self.fresh("n"), self.fresh("z")
        self.emit(place, f"for {n}, {c} in zip('ab', [{', '.join(codes)}]):")
        self.emit(place.inner(), f"if {c} == {self.rng.choice((0, 1, 2))}:")
        self.emit(place.inner().inner(), f'step.run(f"zip {{{n}}} {{{c}}}", check=False)')
        return None

    def do_operands(self, scope: Scope, place: Place) -> None:
        """`and` and `or` with an operand that has effects."""
        if scope.cells:
            self.pay(place, 1)
            operand = self.observation(scope, place)
            form = self.rng.choice(("{t} and {o}", "{t} or {o}", "not {t} and not {o}"))
            test = f"({self.code_test(scope)})"
            self.emit(place, f"if {form.format(t=test, o=f'({operand})')}:")
            self.block(scope.child(), place.inner(), 1)
        else:
            self.do_step(scope, place)

    def do_bare_command(self, scope: Scope, place: Place) -> None:
        self.pay(place, 1, 1)
        inner = place.inner()
        output = self.text_of(scope, risky=0)
        self.emit(place, "try:")
        command = self.rng.choice((output, f"[{output}, 'x']"))
        self.emit(inner, f"step.run({command}, check=False)")
        self.emit(place, "except ValueError:")
        self.emit(inner, f'print("nothing to run {self.number}")')

    def do_finally_leaves(self, scope: Scope, place: Place) -> None:
        """A `finally` that may replace what goes on."""
        if place.parallel or not (place.function or place.loop) or not self.affordable(place, 2):
            return self.do_step(scope, place)
        self.pay(place, 2, 2)
        rng = self.rng
        inner = place.inner(guarded=True)
        leave = f"return {place.returns}".rstrip()
        if place.loop:
            leave = rng.choice(("break", "continue"))
        code = self.fresh("c")
        self.emit(place, "try:")
        self.emit(inner, self.step_call(scope.child(), inner, kind="check"))
        self.emit(place, "finally:")
        self.emit(inner, f'{code} = step.run("finally {self.number}", check=False)')
        self.emit(inner, f"if {code} {rng.choice(('!= 0', '== 1', '> 1'))}:")
        self.emit(inner.inner(), leave)
        return None

    def do_two_managers(self, scope: Scope, place: Place) -> None:
        self.number += 1
        stack = self.fresh("stack")
        inner = place.inner(guarded=True)
        self.emit(
            place,
            f"with contextlib.ExitStack() as {stack}, contextlib.suppress(StepFailed, KeyError):",
        )
        self.emit(inner, f'{stack}.callback(step.run, "last {self.number}", check=False)')
        self.pay(place, 0, 1)
        self.block(scope.child(), inner, self.rng.choice((1, 2)))
