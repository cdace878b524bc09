"""Statements of generated danubefiles."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from cells import CELLS
from expressions import Expressions, Scope
from script import SECRETS


@dataclass(frozen=True)
class Place:
    """Where a statement stands."""

    depth: int = 1
    times: int = 1
    """How often it is executed at most, by the loops around it."""
    function: bool = False
    """`return` may stand here."""
    loop: bool = False
    """`break` and `continue` may stand here."""
    parallel: bool = False
    guarded: bool = False
    """A failure of a checked step is a decision here: something around it handles it."""
    returns: str = ""
    """What `return` gives back."""

    def inner(self, **changes: object) -> Place:
        """One level deeper."""
        return replace(self, depth=self.depth + 1, **changes)  # type: ignore[arg-type]


class Statements(Expressions):
    """Writes statements into `lines`, paying for steps and decisions."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng)
        self.lines: list[str] = []
        self.module: list[str] = []
        self.shared: set[int] = set()
        self.pool: list[int] = []
        self.number = 0
        self.steps_left = 10
        self.decisions_left = 4
        self.may_be_dynamic = False
        self.dynamic = ""
        self.rebinding = True
        self.named = False
        self.commands: list[str] = []
        self.folders: list[str] = []

    # Writing and paying.

    def emit(self, place: Place, *text: str) -> None:
        """Writes one line."""
        self.lines.append("    " * place.depth + "".join(text).lstrip(" "))

    def take(self) -> list[str]:
        """The lines written so far, which are dropped here."""
        lines, self.lines = self.lines, []
        return lines

    def fresh(self, prefix: str) -> str:
        """A new name."""
        self.number += 1
        return f"{prefix}{self.number}"

    def affordable(self, place: Place, decisions: int = 1) -> bool:
        """Whether so many decisions may still be made here."""
        return self.decisions_left >= decisions * place.times

    def pay(self, place: Place, decisions: int = 0, steps: int = 0) -> None:
        """Pays for decisions and steps."""
        self.decisions_left -= decisions * place.times
        self.steps_left -= steps * place.times

    # Steps.

    def simple(self, place: Place, expression: str) -> str:
        """A name for the value of an expression, so that it can stand in an f-string."""
        if expression.replace(".", "_").isidentifier():
            return expression
        name = self.fresh("t")
        self.emit(place, f"{name} = {expression}")
        return name

    def observation(self, scope: Scope, place: Place) -> str:
        """A plain value that tells of a cell's state."""
        cell, name = self.rng.choice(scope.cells)
        return self.rng.choice(CELLS[cell].observe).format(n=name, v=self.rng.randint(1, 9))

    def command(self, scope: Scope, place: Place, at_least_plain: bool = False) -> str:
        """A command, as the source text of an expression."""
        rng = self.rng
        if self.commands and not at_least_plain and rng.random() < 0.08:
            return rng.choice(self.commands)
        self.number += 1
        verb = rng.choice(("run", "make", "test", "build", "lint", "./x.sh"))
        text = f"{verb} {self.number}"
        roll = rng.random()
        if (scope.outputs or scope.texts) and roll < 0.3:
            value = self.simple(place, self.text_of(scope, risky=0.02))
            return rng.choice(
                (
                    f'f"{text} {{{value}}}"',
                    f'"{text} " + {value}',
                    f'["{verb}", "{self.number}", {value}]',
                )
            )
        if scope.codes and roll < 0.38:
            return f'f"{text} code={{{rng.choice(scope.codes)}}}"'
        if scope.cells and roll < 0.5:
            value = self.simple(place, self.observation(scope, place))
            return f'f"{text} {{{value}}}"'
        if scope.plain and (roll < 0.62 or at_least_plain or place.times > 1):
            return f'f"{text} {{{rng.choice(scope.plain)}}}"'
        if roll > 0.98:
            return f"f\"{text} {{secrets.get('KEY')}}\""
        if roll > 0.95:
            return f'["{verb}", "{self.number}", "a b"]'
        command = f'"{text}"'
        self.commands.append(command)
        return command

    def step_call(self, scope: Scope, place: Place, bind: bool = False, kind: str = "") -> str:
        """A statement that runs one step; with `bind` its result gets a name in the scope."""
        rng = self.rng
        kind = kind or rng.choices(("check", "code", "output", "lenient output"), (4, 5, 4, 1))[0]
        if kind != "code" and kind != "lenient output" and place.guarded:
            if self.affordable(place):
                self.pay(place, 1)
            else:
                kind = "code" if kind == "check" else "lenient output"
        command = self.command(scope, place)
        options = self.options(scope, place)
        if kind in ("code", "lenient output"):
            options.append("check=False")
        if kind in ("output", "lenient output"):
            options.append("capture=True")
        rng.shuffle(options)
        self.pay(place, 0, 1)
        call = f"step.run({', '.join([command, *options])})"
        if not bind and kind == "check":
            return call
        names = scope.codes if kind == "code" else scope.outputs
        if kind == "check":
            name = self.fresh("h")
        elif names and self.rebinding and rng.random() < 0.2 and not place.parallel:
            name = rng.choice([*names, self.fresh("c" if kind == "code" else "o")])
            if not name.isidentifier():
                name = self.fresh("c")
        else:
            name = self.fresh("c" if kind == "code" else "o")
        if kind != "check" and name not in names:
            names.append(name)
        if name not in scope.handles and not place.parallel:
            scope.handles.append(name)
        return f"{name} = {call}"

    def options(self, scope: Scope, place: Place) -> list[str]:
        """Further arguments of a step."""
        rng = self.rng
        options: list[str] = []
        if rng.random() < 0.15:
            value = "'1'"
            if scope.outputs or scope.texts:
                value = self.simple(place, self.text_of(scope, risky=0.02))
            elif scope.codes:
                value = f"f'{{{rng.choice(scope.codes)}}}'"
            other = rng.choice(
                ("'x'", f"secrets.get({rng.choice(sorted(SECRETS))!r})", "ctx.branch")
            )
            options.append(f"env={{'A': {value}, 'B': {other}}}")
        if scope.handles and rng.random() < 0.06 and not place.parallel:
            chosen = rng.sample(scope.handles, min(len(scope.handles), rng.randint(0, 2)))
            options.append(f"needs=[{', '.join(chosen)}]")
        if rng.random() < 0.06:
            folders = ["in1/", "in2/", *self.folders]
            reads, writes = rng.choice(folders), f"out{self.number}/"
            if rng.random() < 0.2 and self.folders:
                writes = rng.choice(self.folders)
            self.folders.append(writes)
            options.append(f"inputs=[{reads!r}], outputs=[{writes!r}]")
        if rng.random() < 0.05 and place.times == 1:
            self.number += 1
            # A name must not be given twice, so a function that may be called again gives none.
            if self.named and self.rebinding:
                options.append(f"name='Step {self.number}'")
        if rng.random() < 0.04:
            options.append("timeout='10m', retries=2")
        if rng.random() < 0.03:
            options.append("image='node:22'")
        return options

    # Tests.

    def test(self, scope: Scope, place: Place, most: int = 3) -> str | None:
        """A condition that depends on a result (or on state), paid for. None if unaffordable."""
        rng = self.rng
        if scope.cells and rng.random() < 0.2:
            return self.observation(scope, place)
        count = min(most, rng.choices((1, 2, 3), (8, 2, 1))[0])
        if not self.affordable(place, count):
            count = 1
        if not self.affordable(place):
            return self.observation(scope, place) if scope.cells else None
        atoms = [found for _ in range(count) if (found := self.atom(scope))]
        if not atoms:
            return None
        self.pay(place, len(atoms))
        text = atoms[0]
        for atom in atoms[1:]:
            text = rng.choice(
                (
                    "({a}) and ({b})",
                    "({a}) or ({b})",
                    "not ({a} or {b})",
                    "({a}) and not ({b})",
                )
            ).format(a=text, b=atom)
        return text

    def atom(self, scope: Scope) -> str | None:
        """One test of results."""
        rng = self.rng
        forms: list[str] = []
        if scope.codes:
            forms += [self.code_test(scope)] * 3
        if scope.outputs or scope.texts:
            forms.append(self.output_test(scope))
        if scope.lists:
            codes = rng.choice(scope.lists)
            forms += [f"any(c != 0 for c in {codes})", f"all(c == 0 for c in {codes})",
                      f"any({codes})", f"not any([c == 1 for c in {codes}])",
                      f"{codes}[0] != 0", f"0 in {codes}"]  # fmt: skip
        return rng.choice(forms) if forms else None

    # Blocks.

    def block(self, scope: Scope, place: Place, count: int) -> bool:
        """Writes statements. Returns whether the block leaves (return, break, raise, …)."""
        before = len(self.lines)
        left = False
        for _ in range(count):
            if self.steps_left <= 0:
                break
            left = self.statement(scope, place)
            if left:
                break
        if len(self.lines) == before:
            if self.steps_left > -3:
                self.emit(place, self.step_call(scope, place))
            else:
                self.emit(place, "pass")
        return left

    def statement(self, scope: Scope, place: Place) -> bool:
        """Writes one statement; true when what follows it cannot be reached."""
        found = self.rng.choices(*self.kinds(scope, place))[0](scope, place)
        return bool(found)

    def kinds(
        self, scope: Scope, place: Place
    ) -> tuple[list[Callable[[Scope, Place], bool | None]], list[float]]:
        """The statements that may stand here, and their weights."""
        raise NotImplementedError

    def declare_cell(self, scope: Scope, place: Place) -> bool | None:
        """Declares state."""
        cell = self.rng.choice(self.pool)
        kind = CELLS[cell]
        if kind.shared and cell not in self.shared:
            self.shared.add(cell)
            self.module += [
                "",
                *(line.replace("{{", "{").replace("}}", "}") for line in kind.shared),
            ]
        name = self.fresh("s")
        for line in kind.declare:
            self.emit(place, line.format(n=name, v=0))
        scope.cells.append((cell, name))
        return False
