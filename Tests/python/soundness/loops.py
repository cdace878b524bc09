"""Loops of generated danubefiles, and lists that are made in them."""

from __future__ import annotations

from dataclasses import replace

from expressions import Scope
from simple import Simple
from statements import Place


class Loops(Simple):
    """Writes loops."""

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
