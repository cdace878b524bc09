"""The figures that must hold, and the table that says whether they do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

COMPILERS = ("kfp", "hera", "flytekit", "airflow", "dagster", "snakemake")


@dataclass(frozen=True)
class Figure:
    """One limit. `value` is None where a peer or a measurement is missing."""

    what: str
    limit: str
    value: float | None
    holds: bool | None
    detail: str

    def row(self) -> str:
        """The figure as a line of a Markdown table."""
        verdict = {True: "pass", False: "**FAIL**", None: "not measured"}[self.holds]
        shown = "–" if self.value is None else f"{self.value:.3g}"
        return f"| {self.what} | {self.limit} | {shown} | {verdict} | {self.detail} |"


class Measured:
    """Medians of wall time in seconds, by tool and number of steps."""

    def __init__(self, results: Iterable[dict]) -> None:
        self._wall = {
            (result["tool"], result["n"]): result["wall_s"]
            for result in results
            if result["workload"] == "W1" and not result["failed"]
        }

    def wall(self, tool: str, steps: int) -> float | None:
        """The median, if the tool was measured at this size."""
        return self._wall.get((tool, steps))

    def fastest(self, tools: Iterable[str], steps: int) -> str | None:
        """The tool of the smallest median."""
        known = [tool for tool in tools if self.wall(tool, steps) is not None]
        return min(known, key=lambda tool: self._wall[tool, steps], default=None)

    def ratio(self, above: str | None, below: str, steps: int) -> float | None:
        """How many times longer the first takes."""
        a, b = self.wall(above or "", steps), self.wall(below, steps)
        return a / b if a is not None and b else None

    def times(self, steps: int, *tools: str | None) -> str:
        """The medians for the last column, in milliseconds."""
        parts = []
        for tool in tools:
            wall = self.wall(tool or "", steps)
            parts.append(f"{tool} {wall * 1e3:.1f} ms" if wall is not None else f"{tool}: none")
        return ", ".join(parts)


def at_most(what: str, unit: str, limit: float, value: float | None, detail: str) -> Figure:
    """A figure that must not exceed its limit."""
    holds = None if value is None else value <= limit
    return Figure(what, f"≤ {limit:g}{unit}", value, holds, detail)


def at_least(what: str, unit: str, limit: float, value: float | None, detail: str) -> Figure:
    """A figure that must reach its limit."""
    holds = None if value is None else value >= limit
    return Figure(what, f"≥ {limit:g}{unit}", value, holds, detail)


def against_peers(measured: Measured) -> list[Figure]:
    """The figures that are ratios to other tools."""
    m = measured
    fastest = m.fastest(COMPILERS, 10)
    thousand = m.wall("danube", 1000)
    return [
        at_most(
            "10 steps, against `python3 -I -S -c pass`",
            " ×",
            6,
            m.ratio("danube", "python-pass", 10),
            m.times(10, "danube", "danube-proto", "python-pass"),
        ),
        at_least(
            "10 steps, against the fastest pipeline compiler",
            " ×",
            15,
            m.ratio(fastest, "danube", 10),
            m.times(10, *[tool for tool in COMPILERS if m.wall(tool, 10) is not None]),
        ),
        at_least(
            "10 steps, against `doit list`",
            " ×",
            2,
            m.ratio("doit", "danube", 10),
            m.times(10, "doit"),
        ),
        at_most(
            "1,000 steps",
            " ms",
            80,
            thousand * 1e3 if thousand is not None else None,
            m.times(1000, "danube", "danube-proto"),
        ),
        at_least(
            "1,000 steps, against hera",
            " ×",
            9,
            m.ratio("hera", "danube", 1000),
            m.times(1000, "hera"),
        ),
        at_least(
            "10,000 steps, against hera",
            " ×",
            12,
            m.ratio("hera", "danube", 10_000),
            m.times(10_000, "danube", "danube-proto", "hera"),
        ),
        at_most(
            "10,000 steps unchanged, against `ninja -n`",
            " ×",
            1,
            m.ratio("danube-memoised", "ninja", 10_000),
            m.times(10_000, "danube-memoised", "ninja", "make"),
        ),
    ]


def table(figures: Iterable[Figure]) -> str:
    """The Markdown table."""
    head = ["| figure | must | is | | medians |", "|---|---|---|---|---|"]
    return "\n".join(head + [figure.row() for figure in figures])
