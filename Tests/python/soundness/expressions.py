"""Expressions of generated danubefiles: tests of results, and texts made of them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from script import OUTPUTS

CODES = (0, 0, 0, 1, 1, 2, 3, 10, 127, 255)


@dataclass
class Scope:
    """The names that are certainly bound at a point, by what they hold."""

    codes: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    """`str` made of results."""
    lists: list[str] = field(default_factory=list)
    """Non-empty lists of exit codes."""
    plain: list[str] = field(default_factory=list)
    """Values without results in them."""
    cells: list[tuple[int, str]] = field(default_factory=list)
    handles: list[str] = field(default_factory=list)

    def child(self) -> Scope:
        """What a block sees; what it binds does not leave it."""
        return Scope(
            list(self.codes), list(self.outputs), list(self.texts), list(self.lists),
            list(self.plain), list(self.cells), list(self.handles),
        )  # fmt: skip


class Expressions:
    """Writes expressions."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def pick(self, *choices: str) -> str:
        """One of the choices."""
        return self.rng.choice(choices)

    def word(self) -> str:
        """A literal to compare an output with."""
        return repr(self.rng.choice(OUTPUTS))

    def code_test(self, scope: Scope) -> str:
        """A test of one exit code; one decision."""
        rng = self.rng
        c = rng.choice(scope.codes)
        k, k2 = rng.choice(CODES), rng.choice(CODES)
        forms = [
            f"{c} != 0", f"{c} == 0", f"{c}", f"not {c}", f"{c} == {k}", f"{c} != {k}",
            f"{c} < {k}", f"{c} <= {k}", f"{c} > {k}", f"{c} >= {k}", f"{k} == {c}", f"{k} < {c}",
            f"{c} in ({k}, {k2})", f"{c} not in [{k}, {k2}]", f"{c} in {{1, 2}}", f"0 < {c} < 3",
            f"0 <= {c} <= {k}", f"not {c} == {k}", f"bool({c})", f"({c} == 0) == True",
            f"{c} in range(1, 4)", f"{c} is not None", f"isinstance({c}, int) and {c} > 1",
        ]  # fmt: skip
        if len(scope.codes) > 1:
            other = rng.choice(scope.codes)
            forms += [
                f"{c} == {other}",
                f"{c} != {other}",
                f"{c} < {other}",
                f"{c} in ({other}, {k})",
            ]
        weights = [6] * 4 + [3] * 2 + [2] * (len(forms) - 6)
        return rng.choices(forms, weights)[0]

    def output_test(self, scope: Scope) -> str:
        """A test of one output; one decision."""
        rng = self.rng
        o = self.text_of(scope, risky=0.05)
        w, w2 = self.word(), self.word()
        prefix = rng.choice(("v", "ma", "release/", "", "a", "v1."))
        suffix = rng.choice(("2", "n", ".0", "", "second", "words"))
        forms = [
            f"{o} == {w}", f"{o} != {w}", f"{o} == {w}", f"{w} == {o}", f"{o}", f"not {o}",
            f"{o} in ({w}, {w2})", f"{o} not in [{w}, {w2}]", f"{prefix!r} in {o}",
            f"{prefix!r} not in {o}", f"{o}.startswith({prefix!r})", f"{o}.endswith({suffix!r})",
            f"{o}.startswith(({prefix!r}, 'x'))", f"not {o}.endswith({suffix!r})", f"{o} < {w}",
            f"{o} >= {w}", f"'a' < {o} <= 'n'", f"{o} in 'main prod'", f"{o} == ctx.branch",
            f"f'{{{o}}}-x' == 'main-x'" if "'" not in o else f"{o} == 'main'",
        ]  # fmt: skip
        if len(scope.outputs) > 1:
            forms += [
                f"{o} == {rng.choice(scope.outputs)}",
                f"{rng.choice(scope.outputs)} in {o}",
            ]
        return rng.choice(forms)

    def text_of(self, scope: Scope, risky: float = 0.2) -> str:
        """A `str` expression made of an output. `risky`: the chance of a partial operation."""
        rng = self.rng
        o = rng.choice(scope.outputs + scope.texts)
        if rng.random() < 0.5:
            return o
        if rng.random() < risky:
            return rng.choice(
                (f"{o}.split()[0]", f"{o}.split(',')[1]", f"{o}.splitlines()[0]",
                 f"{o}.splitlines()[1]", f"{o}.split('=')[-1]", f"{o}.split()[-2]",
                 f"{o}.split('.', 1)[1]")
            )  # fmt: skip
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            o += rng.choice(
                (".strip()", ".strip()", ".lower()", ".upper()", ".lstrip('v')", ".rstrip()",
                 ".removeprefix('v')", ".removesuffix('.0')", ".replace('a', 'b')",
                 ".replace('.', '-', 1)", ".split(',')[0]", ".split('.')[-1]", ".split(' ', 1)[0]",
                 ".strip('v ')", ".replace('\\n', ' ')")
            )  # fmt: skip
        return o

    def made_text(self, scope: Scope) -> str:
        """A `str` expression that formats or joins results."""
        rng = self.rng
        o = self.text_of(scope)
        c = rng.choice(scope.codes) if scope.codes else "1"
        p = self.plain(scope)
        return rng.choice(
            (
                f"{o} + '-x'", f"'x-' + {o}", f"'{{}}-{{}}'.format({o}, {c})",
                f"'%s:%s' % ({o}, {c})", f"', '.join([{o}, 'end'])", f"json.dumps({o})",
                f"json.dumps({{'v': {o}, 'p': {p}}})", f"shlex.quote({o})", f"str({o})",
                f"'{{a}}/{{b}}'.format(a={o}, b='k')", f"({o} + '/' + {o}).upper()",
                f"'-'.join(x for x in ['p', {o}])", f"textwrap.dedent('  a\\n  b ' + {o})",
                f"json.dumps([{o}, 'x'])", f"'%(k)s!' % {{'k': {o}}}", f"''.join(['a', {o}, 'b'])",
                f"{o}.split(',')[0] + 'x'", f"f'<{{{o}}}>'" if "'" not in o else o,
            )
        )  # fmt: skip

    def plain(self, scope: Scope) -> str:
        """An expression whose value does not come from a result (but may depend on one)."""
        rng = self.rng
        forms = ["'k'", "7", "ctx.branch"]
        if scope.plain:
            forms += [rng.choice(scope.plain)] * 4
        return rng.choice(forms)
