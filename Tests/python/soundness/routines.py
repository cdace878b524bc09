"""What generated danubefiles define beside the pipeline: functions, classes, generators, …"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from blocks import Blocks
from cells import CELLS
from expressions import Scope
from statements import Place


@dataclass(frozen=True)
class Routine:
    """Something that the pipeline may use several times."""

    name: str
    steps: int
    decisions: int
    use: Callable[[Scope, Place], None]


class Routines(Blocks):
    """Writes helpers at module level and their uses."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng)
        self.helpers: list[Routine] = []

    def callables(self) -> list[object]:
        return list(self.helpers)

    def do_call(self, scope: Scope, place: Place) -> bool | None:
        helper = self.rng.choice(self.helpers)
        if not self.affordable(place, helper.decisions) or self.steps_left < helper.steps - 4:
            self.do_step(scope, place)
            return None
        self.pay(place, helper.decisions, helper.steps)
        helper.use(scope, place)
        return False

    def add_helper(self) -> None:
        """Defines one more helper."""
        steps, decisions = self.steps_left, self.decisions_left
        kept = self.take()
        # Routines see no cells but those of the module.
        make = self.rng.choices(
            (self.function, self.generator, self.decorated, self.class_, self.manager,
             self.manager_function, self.recursive, self.cached), (4, 1.5, 1, 1.5, 1.5, 1.5, 1, 1)
        )[0]  # fmt: skip
        self.decisions_left = min(2, self.decisions_left)
        use = make(self.fresh("f"))
        cost = (
            max(1, steps - self.steps_left),
            max(0, min(2, decisions) - self.decisions_left),
        )
        self.steps_left, self.decisions_left = steps, decisions
        self.module += ["", *self.take()]
        self.lines = kept
        self.helpers.append(Routine("f", cost[0], cost[1], use))

    def shared_scope(self) -> Scope:
        """What a helper's body sees."""
        scope = Scope()
        for cell in self.pool:
            if CELLS[cell].everywhere and self.rng.random() < 0.7:
                self.lines, kept = [], self.lines
                self.pool, pool = [cell], self.pool
                self.declare_cell(scope, Place())
                self.lines, self.pool = kept, pool
        return scope

    def argument(self, scope: Scope) -> str:
        """An argument for a helper's parameter."""
        rng = self.rng
        if scope.plain and rng.random() < 0.4:
            return rng.choice(scope.plain)
        if scope.outputs and rng.random() < 0.25:
            return rng.choice(scope.outputs)
        return repr(rng.choice(("api", "web", "db")))

    def function(self, name: str) -> Callable[[Scope, Place], None]:
        rng = self.rng
        returns = rng.choice(("code", "code", "output", "plain", "none", "flag"))
        early = {
            "code": "1",
            "output": "'early'",
            "plain": "'left'",
            "none": "",
            "flag": "False",
        }[returns]
        place = Place(function=True, returns=early)
        scope = self.shared_scope()
        scope.plain.append("x")
        self.emit(Place(0), f"def {name}(x):")
        if returns in ("code", "output"):
            self.emit(place, self.step_call(scope, place, bind=True, kind=returns))
        result = (
            (scope.codes if returns == "code" else scope.outputs)[-1:]
            if returns in ("code", "output")
            else []
        )
        self.block(scope, place, rng.choice((1, 2, 3)))
        if returns == "flag":
            self.emit(place, "return True")
        elif returns == "plain":
            self.emit(place, "return f'done {x}'")
        elif result:
            self.emit(place, f"return {result[0]}")
        return lambda scope, place: self.call(name, returns, scope, place)

    def call(self, name: str, returns: str, scope: Scope, place: Place) -> None:
        """A call of a function helper, in one of several forms."""
        rng = self.rng
        call = f"{name}({self.argument(scope)})"
        if returns == "none" or rng.random() < 0.3:
            self.emit(place, call)
            return
        bound = self.fresh({"code": "c", "output": "o"}.get(returns, "p"))
        if returns == "flag" and rng.random() < 0.5:
            self.emit(place, f"if {rng.choice(('', 'not '))}{call}:")
            self.block(scope.child(), place.inner(), 1)
            return
        self.emit(place, f"{bound} = {call}")
        # An early return gives no handle, so the result is in no `needs`.
        {"code": scope.codes, "output": scope.texts}.get(returns, scope.plain).append(bound)

    def generator(self, name: str) -> Callable[[Scope, Place], None]:
        rng = self.rng
        self.number += 1
        place = Place(0)
        number = self.number
        form = rng.randrange(3)
        self.emit(place, f"def {name}(n):")
        one, two, three = Place(1), Place(2), Place(3)
        if form == 0:
            self.emit(one, "for i in range(n):")
            self.emit(two, f'yield step.run(f"gen {number} {{i}}", check=False)')
        elif form == 1:
            self.emit(one, "for i in range(n):")
            self.emit(two, f'c = step.run(f"gen {number} {{i}}", check=False)')
            self.emit(two, "if c == 2:")
            self.emit(three, "return")
            self.emit(two, "yield c")
        else:
            self.emit(one, "try:")
            self.emit(two, "for i in range(n):")
            self.emit(three, f'yield step.run(f"gen {number} {{i}}", check=False)')
            self.emit(one, "finally:")
            self.emit(two, f'step.run("close {number}", check=False)')
        self.pay(place, 2 if form else 0, 3)

        def use(scope: Scope, place: Place) -> None:
            x = self.fresh("x")
            shape = rng.randrange(4)
            if shape == 0 and form != 1:
                self.emit(place, f"{x} = list({name}(2))")
                scope.lists.append(x)
            elif shape == 1 and form != 1:
                self.emit(place, f"{x} = next({name}(2))")
                scope.codes.append(x)
            elif shape == 2 and self.affordable(place, 2):
                self.pay(place, 2)
                self.emit(
                    place,
                    f"if any(c {rng.choice(('!= 0', '== 1', '> 1'))} for c in {name}(2)):",
                )
                self.block(scope.child(), place.inner(), 1)
            else:
                self.emit(place, f"for {x} in {name}(2):")
                own = scope.child()
                own.codes.append(x)
                inner = place.inner(times=place.times * 2, loop=not place.parallel)
                self.block(own, inner, rng.choice((1, 2)))

        return use

    def decorated(self, name: str) -> Callable[[Scope, Place], None]:
        rng = self.rng
        self.number += 1
        n = self.number
        top, one, two, three = Place(0), Place(1), Place(2), Place(3)
        self.emit(top, f"def deco{n}(function):")
        self.emit(one, "@functools.wraps(function)")
        self.emit(one, "def inner(*args, **named):")
        self.emit(two, f'step.run(f"before {n} {{function.__name__}}")')
        if rng.random() < 0.5:
            self.emit(two, "try:")
            self.emit(three, "return function(*args, **named)")
            self.emit(two, "finally:")
            self.emit(three, f'step.run("after {n}", check=False)')
            self.pay(top, 1)
        else:
            self.emit(two, "result = function(*args, **named)")
            self.emit(two, f'step.run(f"after {n} {{result}}")')
            self.emit(two, "return result")
        self.emit(one, "return inner")
        self.pay(top, 0, 2)
        self.emit(top, "")
        self.emit(top, f"@deco{n}")
        return self.function(name)

    def class_(self, name: str) -> Callable[[Scope, Place], None]:
        rng = self.rng
        self.number += 1
        n = self.number
        self.pay(Place(0), 1, 2)
        strict = rng.random() < 0.5
        self.module += [
            "", f"class Suite{n}:", "    def __init__(self, name):", "        self.name = name",
            "        self.codes = []", "        self.failed = 0", "    def run(self, what):",
            f'        c = step.run(f"suite {n} {{self.name}} {{what}}", check=False)',
            "        self.codes.append(c)",
            *(["        if c != 0:", "            self.failed += 1"] if strict else []),
            "        return c", "    @property", "    def ok(self):",
            "        return self.failed == 0"
            if strict
            else "        return all(c == 0 for c in self.codes)",
        ]  # fmt: skip

        def use(scope: Scope, place: Place) -> None:
            if not self.affordable(place, 3):
                return self.do_step(scope, place)
            self.pay(place, 2, 1)
            s = self.fresh("suite")
            self.emit(place, f"{s} = Suite{n}({self.argument(scope)})")
            for what in ("unit", "e2e")[: rng.choice((1, 2))]:
                self.emit(place, f"{s}.run({what!r})")
            if rng.random() < 0.8:
                self.emit(place, f"if {rng.choice(('', 'not '))}{s}.ok:")
                self.block(scope.child(), place.inner(), rng.choice((1, 2)))
            scope.lists.append(f"{s}.codes")
            return None

        return use

    def manager(self, name: str) -> Callable[[Scope, Place], None]:
        rng = self.rng
        self.number += 1
        n = self.number
        leave = rng.choice((
            [f'        step.run("down {n}", check=False)'],
            [f'        step.run("down {n}", check=False)', "        return kind is StepFailed"],
            ["        if kind is not None:", f'            step.run("rescue {n}", check=False)'],
            [
                f'        step.run(f"down {n} {{kind is None}}", check=False)',
                "        return False",
            ],
            ["        if isinstance(error, StepFailed) and error.code == 1:",
             f'            step.run(f"one {n}", check=False)', "            return True"],
        ))  # fmt: skip
        self.module += [
            "", f"class Env{n}:", "    def __enter__(self):", f'        step.run("up {n}")',
            "        return self", "    def __exit__(self, kind, error, trace):", *leave,
        ]  # fmt: skip
        self.pay(Place(0), 1, 2)
        return lambda scope, place: self.use_manager(f"Env{n}()", scope, place)

    def manager_function(self, name: str) -> Callable[[Scope, Place], None]:
        rng = self.rng
        self.number += 1
        n = self.number
        top, one, two = Place(0), Place(1), Place(2)
        self.emit(top, "@contextlib.contextmanager")
        self.emit(top, f"def {name}(what='it'):")
        self.emit(one, f'up = step.run(f"up {n} {{what}}", check=False)')
        form = rng.randrange(3)
        self.emit(one, "try:")
        self.emit(two, "yield up")
        if form == 0:
            self.emit(one, "finally:")
            self.emit(two, f'step.run("down {n}", check=False)')
        elif form == 1:
            self.emit(one, "except StepFailed as error:")
            self.emit(two, f'step.run(f"rescue {n} {{error.code}}", check=False)')
            if rng.random() < 0.5:
                self.emit(two, "raise")
        else:
            self.emit(one, "except StepFailed:")
            self.emit(two, f'step.run("rescue {n}", check=False)')
            self.emit(one, "else:")
            self.emit(two, f'step.run("fine {n}", check=False)')
        self.pay(top, 1, 2)
        return lambda scope, place: self.use_manager(
            f"{name}({self.argument(scope)})", scope, place
        )

    def use_manager(self, call: str, scope: Scope, place: Place) -> None:
        """A `with` over a context manager of the file."""
        inner = place.inner(guarded=True)
        self.emit(place, f"with {call}:")
        self.block(scope.child(), inner, self.rng.choice((1, 1, 2)))

    def recursive(self, name: str) -> Callable[[Scope, Place], None]:
        rng = self.rng
        self.number += 1
        top, one, two = Place(0), Place(1), Place(2)
        self.emit(top, f"def {name}(n):")
        self.emit(one, "if n == 0:")
        self.emit(two, "return 'bottom'")
        self.emit(one, f'c = step.run(f"level {self.number} {{n}}", check=False)')
        if rng.random() < 0.6:
            self.emit(one, f"if c {rng.choice(('== 0', '!= 0', '== 2'))}:")
            self.emit(two, "return f'stopped {n}'")
            self.pay(top, 2)
        self.pay(top, 0, 2)
        self.emit(one, f"return {name}(n - 1)" + rng.choice(("", " + '!'")))

        def use(scope: Scope, place: Place) -> None:
            p = self.fresh("p")
            self.emit(place, f"{p} = {name}(2)")
            scope.plain.append(p)

        return use

    def cached(self, name: str) -> Callable[[Scope, Place], None]:
        self.number += 1
        top, one = Place(0), Place(1)
        self.emit(top, "@functools.lru_cache(maxsize=None)")
        self.emit(top, f"def {name}(what):")
        how = self.rng.choice(("capture=True", "check=False", ""))
        self.emit(one, f'return step.run(f"once {self.number} {{what}}", {how})')
        self.pay(top, 0, 1)

        def use(scope: Scope, place: Place) -> None:
            kind = {"capture=True": "o", "check=False": "c"}.get(how, "p")
            bound = self.fresh(kind)
            self.emit(place, f"{bound} = {name}({self.rng.choice(('1', '2', repr('a')))})")
            {"o": scope.outputs, "c": scope.codes, "p": scope.plain}[kind].append(bound)

        return use
