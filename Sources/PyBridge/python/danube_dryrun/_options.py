"""Options of `step.run` as the recording carries them."""

from __future__ import annotations

from ._symbolic import Code, Predicate, Symbolic, Text, exact, wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._recorder import Recorder


def number(value: Any) -> Any:
    """A number on the wire: int32, else a decimal string."""
    if type(value) is bool:
        return int(value)
    if type(value) is int:
        return value if -(1 << 31) <= value < 1 << 31 else ("L", str(value)[:64])
    return value


def options_of(
    recorder: Recorder,
    frame: int,
    image: Any,
    env: Any,
    timeout: Any,
    inputs: Any,
    outputs: Any,
    cache: Any,
    needs: Any,
    retries: Any,
    resources: Any,
    workdir: Any,
    services: Any,
) -> tuple[Any, ...]:
    """The given options as (key, value) pairs."""
    read = _Reader(recorder, frame)
    out: list[tuple[str, Any]] = []
    if image is not None:
        out.append(("image", read.constant("image", image)))
    if env is not None:
        out.append(("env", read.env(env)))
    if timeout is not None:
        out.append(("timeout", read.quantity("timeout", timeout)))
    if inputs is not None:
        out.append(("inputs", read.paths("inputs", inputs)))
    if outputs is not None:
        out.append(("outputs", read.paths("outputs", outputs)))
    if cache is not None:
        if type(cache) is bool:
            out.append(("cache", cache))
        else:
            read.wrong("cache", cache, "bool")
    if needs is not None:
        out.append(("needs", read.needs(needs)))
    if retries:
        out.append(("retries", read.retries(retries)))
    if resources is not None:
        out.append(("resources", read.resources(resources)))
    if workdir is not None:
        out.append(("workdir", read.constant("workdir", workdir)))
    if services:
        out.append(("services", read.services(services)))
    if recorder.cells:
        out.append(("matrix", recorder.cells))
    return tuple(pair for pair in out if pair[1] is not None)


class _Reader:
    def __init__(self, recorder: Recorder, frame: int) -> None:
        self._recorder = recorder
        self._frame = frame

    def problem(self, code: str, message: str, hint: str) -> None:
        self._recorder.session.problem(code, "error", message, hint, self._frame)

    def wrong(self, what: str, value: Any, wanted: str) -> None:
        kind = type(value).__name__ if not isinstance(value, Symbolic) else "result of a step"
        self.problem("DNB312", f"`{what}` is a {kind}, not {wanted}", f"Pass {wanted}.")

    def constant(self, what: str, value: Any) -> str | None:
        if type(value) is Text:
            self.problem(
                "DNB402" if value._has("x") else "DNB312",
                f"`{what}` depends on a {'secret' if value._has('x') else 'result of a step'}",
                "Use a constant: it is part of the plan.",
            )
            return None
        if not isinstance(value, str):
            self.wrong(what, value, "str")
            return None
        return exact(value)

    def env(self, env: Any) -> Any:
        try:
            pairs = list(env.items())
        except AttributeError:
            self.wrong("env", env, "a mapping of str to str")
            return None
        out = []
        for key, value in pairs:
            if type(key) is Text or not isinstance(key, str):
                self.wrong("env", key, "a mapping whose names are constant str")
                continue
            if not isinstance(value, str):
                if type(value) is Code:
                    value = wire(value)
                else:
                    self.wrong(f"env[{exact(key)!r}]", value, "str")
                    continue
            out.append((exact(key), wire(value)))
        return tuple(out)

    def quantity(self, what: str, value: Any) -> Any:
        if isinstance(value, Symbolic):
            self.wrong(what, value, "a number or a str")
            return None
        if isinstance(value, str):
            return exact(value)
        if type(value) in (int, float):
            return number(value)
        self.wrong(what, value, "a number or a str")
        return None

    def paths(self, what: str, value: Any) -> Any:
        if isinstance(value, str):
            self.problem("DNB312", f"`{what}` is one str, not a list", f"Write {what}=[…].")
            return None
        try:
            items = list(value)
        except TypeError:
            self.wrong(what, value, "a list of str")
            return None
        out = []
        for one in items:
            found = self.constant(what, one)
            if found is not None:
                out.append(found)
        return tuple(out)

    def needs(self, value: Any) -> Any:
        if type(value) in (Code, Text):
            value = [value]
        try:
            items = list(value)
        except TypeError:
            self.wrong("needs", value, "a list of what step.run returned")
            return None
        out = []
        for one in items:
            handle = one._handle() if type(one) in (Code, Text) else -1
            if handle < 0:
                shown = (
                    f"`{exact(one)}`"
                    if isinstance(one, str) and type(one) is not Text
                    else ("a comparison" if type(one) is Predicate else f"a {type(one).__name__}")
                )
                self.problem(
                    "DNB302",
                    f"`needs` names {shown}, which is not a step",
                    "Pass what step.run returned: `built = step.run(…)`, then needs=[built].",
                )
                continue
            out.append(handle)
        return tuple(sorted(set(out)))

    def retries(self, value: Any) -> Any:
        if type(value) is int:
            return number(value)
        if type(value).__name__ == "Retry" and not isinstance(value, Symbolic):
            codes = tuple(number(one) for one in value.on)
            return (
                number(value.attempts),
                self.quantity("retries.delay", value.delay),
                self.quantity("retries.backoff", value.backoff),
                codes,
            )
        self.wrong("retries", value, "an int or Retry(…)")
        return None

    def resources(self, value: Any) -> Any:
        names = ("cpu", "memory", "disk", "gpu")
        if hasattr(value, "items"):
            given = dict(value)
            unknown = [key for key in given if key not in names]
            if unknown:
                self.problem(
                    "DNB307",
                    f"`resources` has no `{unknown[0]}`",
                    "Known are cpu, memory, disk, gpu.",
                )
        elif type(value).__name__ == "Resources":
            given = {name: getattr(value, name) for name in names}
        else:
            self.wrong("resources", value, "Resources(…) or a dict")
            return None
        out = []
        for name in names:
            one = given.get(name)
            if one is not None and one != 0:
                out.append((name, self.quantity(f"resources.{name}", one)))
        return tuple(out)

    def services(self, value: Any) -> Any:
        out = []
        for one in list(value):
            if type(one).__name__ != "Service":
                self.wrong("services", one, "a list of Service(…)")
                continue
            ports = tuple(number(port) for port in one.ports)
            out.append(
                (
                    self.constant("service.name", one.name) if one.name is not None else None,
                    self.constant("service.image", one.image),
                    self.env(one.env or {}),
                    ports,
                    wire(one.ready) if one.ready is not None else None,
                    self.quantity("service.ready_timeout", one.ready_timeout),
                )
            )
        return tuple(out)
