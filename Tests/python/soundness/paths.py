"""Compares what the evaluator alone records with live runs, without sandbox and compiler.

The recording of every path is compared: for a script, exactly the paths whose decisions agree are
walked, and each must do what the live run does. `paths.py --seeds 0:500`.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import dataclass, replace
from typing import Any

from evaluator import Recording, Token, evaluate, warm_up
from generate import generate
from live import Event, Trace, run_live
from script import Machine, Script, command_text, secret
from templates import Undefined, Unsound, compare, operate

STEP, UPLOAD, NOTE, DECIDE, IF, ELSE, END_IF = range(7)
PARALLEL, END_PARALLEL, SEQUENCE, END_SEQUENCE, RESOLVE, EXIT = range(7, 13)
CHECK, CAPTURE, HANDLED = 1, 2, 4


class Disagree(Exception):
    """A decision of the path is not the script's."""


@dataclass
class _Result:
    """What a step of the path gave; a skipped one is None in `code`."""

    code: int | None
    output: str = ""
    stopped: bool = False
    """It failed where nothing handles it, or was not executed because of one that did."""


class PathWalk:
    """Walks one recorded path with a script."""

    def __init__(self, tokens: list[Token], script: Script) -> None:
        self.tokens = tokens
        self.machine = Machine(script)
        self.trace = Trace()
        self.results: list[_Result] = []
        self.sides: list[bool] = []
        self.asked: list[bool] = []
        self.blocks: list[tuple[str, bool]] = []
        self.pending = False
        """A step that nothing handles failed in the open parallel block."""

    def walk(self) -> Trace:
        """The trace of the path.

        Raises:
            Disagree: The script decides otherwise.
            Unsound: The path asks for what no run has.
        """
        for token in self.tokens:
            if self._done(token):
                return self.trace
        self.trace.outcome = "unfinished"
        return self.trace

    def _done(self, token: Token) -> bool:
        kind = token[0]
        if kind == IF:
            value = all(self.sides) and self.truth(token[1])
            self.asked.append(value)
            self.sides.append(value)
        elif kind == ELSE:
            self.sides[-1] = not self.asked[-1]
        elif kind == END_IF:
            self.sides.pop()
            self.asked.pop()
        elif kind == STEP:
            return self._step(token)
        elif not all(self.sides):
            return False
        elif kind == DECIDE:
            if self.truth(token[1]) != token[2]:
                raise Disagree
        elif kind in (PARALLEL, SEQUENCE):
            self.blocks.append(("parallel" if kind == PARALLEL else "sequence", False))
        elif kind in (END_PARALLEL, END_SEQUENCE):
            return self._close()
        elif kind == UPLOAD:
            path = self.text(token[2])
            if not self._blocked():
                self.trace.events.append(Event("upload", path, (), (token[3] or path, token[4])))
        elif kind == NOTE:
            self.trace.note(self.text(token[2]))
        elif kind == RESOLVE:
            if self.results[token[1]].code != 0:
                return self._ends("failure")
        elif kind == EXIT:
            return self._ends(("success", "failure", "live")[token[1]], str(token[2:]))
        return False

    def _ends(self, outcome: str, message: str = "") -> bool:
        self.trace.outcome, self.trace.message = outcome, message
        return True

    def _step(self, token: Token) -> bool:
        _, _, _, command, flags, options = token
        if not all(self.sides):
            self.results.append(_Result(None))
            return False
        given = dict(options)
        needs = given.get("needs")
        # `needs` replaces program order, also for what an earlier failure stops.
        if self._blocked() if needs is None else any(self.results[n].stopped for n in needs):
            self.results.append(_Result(0, "", True))
            return False
        env = given.get("env", ())
        values = tuple(sorted((key, self.text(value)) for key, value in env))
        if isinstance(command, tuple) and command[0] == "argv":
            text = command_text([self.text(word) for word in command[1:]])
        else:
            text = self.text(command)
        self.trace.events.append(Event("run", text, values))
        code, output = self.machine.run(text, bool(flags & CHECK), bool(flags & CAPTURE))
        self.results.append(_Result(code, output.rstrip("\n") if flags & CAPTURE else ""))
        if code != 0 and flags & CHECK:
            if any(kind == "parallel" for kind, _ in self.blocks):
                self.blocks[-1] = (self.blocks[-1][0], True)
                self.results[-1].stopped = True
                self.pending |= not flags & HANDLED
            elif not flags & HANDLED:
                return self._ends("failure")
        return False

    def _blocked(self) -> bool:
        kinds = [kind for kind, _ in self.blocks]
        if "parallel" not in kinds:
            return False
        outermost = kinds.index("parallel")
        return any(failed and kind == "sequence" for kind, failed in self.blocks[outermost:])

    def _close(self) -> bool:
        _, failed = self.blocks.pop()
        if any(kind == "parallel" for kind, _ in self.blocks):
            self.blocks[-1] = (self.blocks[-1][0], self.blocks[-1][1] or failed)
            return False
        pending, self.pending = self.pending, False
        return self._ends("failure") if pending else False

    # Predicates and templates.

    def truth(self, p: Any) -> bool:
        """The value of a predicate."""
        kind = p[0]
        if kind == "k":
            # A step that was skipped did not fail.
            code = self.results[p[1]].code or 0
            return any(low <= code <= high for low, high in zip(p[2][::2], p[2][1::2], strict=True))
        if kind == "cmp":
            try:
                return compare(p[1], self.text(p[2]), self.text(p[3]))
            except Undefined as error:
                raise Unsound(f"compares what is not there: {error}") from None
        if kind == "def":
            try:
                self.text(p[1])
            except Undefined:
                return False
            return True
        if kind == "and":
            return all(self.truth(one) for one in p[1:])
        if kind == "or":
            return any(self.truth(one) for one in p[1:])
        if kind == "not":
            return not self.truth(p[1])
        raise Unsound(f"no predicate {p!r}")

    def _code(self, n: int) -> int:
        code = self.results[n].code
        if code is None:
            raise Unsound(f"asks for the code of step {n}, which was skipped")
        return code

    def text(self, template: Any) -> str:
        """The text of a template."""
        if isinstance(template, str):
            return template
        if template[0] != "t":
            raise Unsound(f"no template {template!r}")
        return "".join(self._part(part) for part in template[1:])

    def _part(self, part: Any) -> str:
        if isinstance(part, str):
            return part
        kind = part[0]
        if kind == "o":
            self._code(part[1])
            return str(self.results[part[1]].output)
        if kind == "c":
            return str(self._code(part[1]))
        if kind == "x":
            return secret(str(part[1]))
        if kind == "u":
            return str(part[1])
        if kind == "m":
            return operate(part[1], self.text(part[2]), part[3], part[4], part[5])
        raise Unsound(f"no part {part!r}")


def agreeing(recording: Recording, script: Script) -> list[Trace]:
    """The traces of the paths that agree with a script."""
    found = []
    for tokens in recording.paths:
        try:
            found.append(PathWalk(tokens, script).walk())
        except Disagree:
            continue
    return found


def difference(live: Trace, planned: Trace) -> str:
    """How a path differs from the live run; empty when it does not."""
    if planned.outcome == "unfinished":
        return "the path has no end"
    # How a step is executed is for the compiler to say.
    events = [replace(one, detail=()) if one.kind == "run" else one for one in live.events]
    if planned.outcome == "live":
        if events[: len(planned.events)] != planned.events:
            return "what comes before the live part is no prefix of the live run"
        return ""
    if events != planned.events:
        return "events differ"
    return "" if live.outcome == planned.outcome else "outcomes differ"


@dataclass(frozen=True)
class Finding:
    """Something wrong with the evaluation of a program."""

    kind: str
    script: int = -1
    detail: str = ""


def check_text(text: str, folder: str, scripts: range) -> tuple[Finding | None, str]:
    """Compares the paths of a danubefile with live runs. Second: why it is live, or empty."""
    path = os.path.join(folder, "danubefile.py")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    recording = evaluate(folder)
    if recording.error:
        return Finding("evaluator raised", -1, recording.error), ""
    errors = [p for p in recording.problems if p[1] == "error"]
    if errors:
        return Finding("refused", -1, "\n".join(str(p[:7]) for p in errors)), ""
    dynamic = next(
        (p[-1][2:] for p in recording.paths if p and p[-1][0] == EXIT and p[-1][1] == 2),
        None,
    )
    for seed in scripts:
        script = Script(seed)
        live = run_live(path, script)
        try:
            found = agreeing(recording, script)
        except (Unsound, IndexError, TypeError, KeyError) as error:
            return Finding(
                "path unsound", seed, f"{type(error).__name__}: {error}\n{shown(live)}"
            ), ""
        if not found:
            return Finding("no path agrees", seed, shown(live)), ""
        for planned in found:
            wrong = difference(live, planned)
            if wrong:
                return Finding(wrong, seed, f"live:\n{shown(live)}\nplan:\n{shown(planned)}"), ""
    return None, str(dynamic) if dynamic else ""


def shown(trace: Trace) -> str:
    """A trace for a report."""
    lines = [f"  {event.show()}" for event in trace.events]
    return "\n".join([*lines, f"  = {trace.outcome} {trace.message}"])


def main() -> int:
    """Checks a range of seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0:200")
    parser.add_argument("--scripts", type=int, default=12)
    parser.add_argument("--stop", type=int, default=10, help="stop after so many findings")
    parser.add_argument("--file", help="check this danubefile instead")
    parser.add_argument("--minimize", action="store_true")
    options = parser.parse_args()
    warm_up()
    with tempfile.TemporaryDirectory() as folder:
        if options.file:
            with open(options.file, encoding="utf-8") as file:
                finding, dynamic = check_text(file.read(), folder, range(options.scripts))
            print(finding.kind + "\n" + finding.detail if finding else f"ok {dynamic}")
            return 1 if finding else 0
        return _check_seeds(options, folder)


def _check_seeds(options: argparse.Namespace, folder: str) -> int:
    first, _, last = options.seeds.partition(":")
    found = live = 0
    seeds = range(int(first), int(last or int(first) + 1))
    for seed in seeds:
        program = generate(seed)
        scripts = range(seed * 100, seed * 100 + options.scripts)
        finding, dynamic = check_text(program.text, folder, scripts)
        if dynamic:
            live += 1
            if not program.dynamic:
                print(f"seed {seed}: live, but has no dynamic construct: {dynamic}")
        if finding is None:
            continue
        found += 1
        text = program.text
        if options.minimize:
            from minimize import minimize

            wanted = finding
            text = minimize(text, lambda t: _same(check_text(t, folder, scripts)[0], wanted))
            finding = check_text(text, folder, scripts)[0] or finding
        print(
            f"=== seed {seed}: {finding.kind} (script {finding.script})\n{text}\n{finding.detail}\n"
        )
        if found >= options.stop:
            break
    print(f"{len(seeds)} seeds, {found} findings, {live} live")
    return 1 if found else 0


def _same(one: Finding | None, other: Finding) -> bool:
    return (
        one is not None
        and one.kind == other.kind
        and (one.kind != "refused" or one.detail[:10] == other.detail[:10])
    )


if __name__ == "__main__":
    sys.exit(main())
