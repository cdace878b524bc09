"""Simple statements of generated danubefiles: steps, notes, values, what leaves a block."""

from __future__ import annotations

from cells import CELLS
from expressions import Scope
from statements import Place, Statements


class Simple(Statements):
    """Writes statements without blocks, or with a small one."""

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
            if scope.codes and self.affordable(place):
                self.pay(place, 1)
                code = rng.choice(scope.codes)
                choices += [f"sys.exit({code})", f"sys.exit({code} != 0)"]
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
