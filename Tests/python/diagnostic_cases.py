"""The diagnostics fixtures: what is expected on which line, and what `danube` reports."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path

import fixture_cases
from fixture_cases import FIXTURES

FOLDER = FIXTURES / "diagnostics"
TYPOS = FOLDER / "readme-typos.toml"
README_EXAMPLE = FIXTURES / "projects" / "frontend"

_EXPECTED = re.compile(r"(DNB\d{3}): (note|warning|error):([^;\n]*)")
_HEADER = re.compile(r"# (pipeline|params|event|args): (.*)")


@dataclass(frozen=True)
class Reported:
    """A diagnostic as `danube` reported it."""

    code: str
    level: str
    message: str
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.code}: {self.level}: {self.message}"


@dataclass(frozen=True)
class Expected:
    """A diagnostic that a fixture expects.

    Attributes:
        message: Part of the message.
        line: 0 for any line.
    """

    code: str
    level: str
    message: str
    file: str
    line: int

    def matches(self, found: Reported) -> bool:
        """Whether a reported diagnostic is this one."""
        return (
            (self.code, self.level, self.file) == (found.code, found.level, found.file)
            and self.line in (0, found.line)
            and self.message.lower() in found.message.lower()
        )

    def __str__(self) -> str:
        return f"{self.file}:{self.line or '*'}: {self.code}: {self.level}: …{self.message}…"


@dataclass(frozen=True)
class DiagnosticCase:
    """A file or folder of fixtures/diagnostics."""

    path: Path

    @property
    def id(self) -> str:
        """The name in test reports."""
        return self.path.name

    def stage(self, target: Path) -> Path:
        """Makes the user's repository from the fixture."""
        if self.path.is_dir():
            shutil.copytree(self.path, target, ignore=shutil.ignore_patterns("expect"))
        else:
            target.mkdir()
            shutil.copy(self.path, target / "danubefile.py")
        return target

    @property
    def arguments(self) -> list[str]:
        """Arguments of `danube plan`, from the header comments."""
        if self.path.is_dir():
            return []
        arguments: list[str] = []
        for key, value in _HEADER.findall(self.path.read_text()):
            words = value.split()
            if key == "params":
                arguments += [word for one in words for word in ("--param", one)]
            elif key == "event":
                arguments += ["--event", *words]
            else:
                arguments += words
        return arguments

    @property
    def expected(self) -> list[Expected]:
        """What the trailing comments, or the lines of `expect`, ask for."""
        found: list[Expected] = []
        if self.path.is_dir():
            for line in (self.path / "expect").read_text().splitlines():
                place, _, rest = line.partition(": ")
                file, _, where = place.partition(":")
                for code, level, message in _EXPECTED.findall(rest):
                    found.append(Expected(code, level, message.strip(), file, int(where or 0)))
            return found
        for number, line in enumerate(self.path.read_text().split("\n"), 1):
            # A comment in a line of its own is about the file.
            anchor = 0 if line.startswith("# ") and "coding" not in line else number
            comment = line[line.find("# ") :] if "# " in line else ""
            for code, level, message in _EXPECTED.findall(comment):
                found.append(Expected(code, level, message.strip(), "danubefile.py", anchor))
        return found


def cases() -> list[DiagnosticCase]:
    """All of them, in the order of their names."""
    return [
        DiagnosticCase(path)
        for path in sorted(FOLDER.iterdir())
        if path != TYPOS and path.name not in ("__pycache__", ".mypy_cache")
    ]


def typos() -> list[dict[str, str]]:
    """The typos of the README's example."""
    found: list[dict[str, str]] = tomllib.loads(TYPOS.read_text())["typo"]
    return found


def reported(folder: Path, arguments: list[str]) -> tuple[int, list[Reported], str]:
    """The exit status of `danube plan`, its diagnostics from SARIF, and its standard error."""
    ended = fixture_cases.plan(folder, arguments, output="sarif")
    errors = ended.stderr.decode()
    assert ended.stdout, f"no SARIF, exit status {ended.returncode}: {errors}"
    (run,) = json.loads(ended.stdout)["runs"]
    found = []
    for result in run["results"]:
        place = result["locations"][0]["physicalLocation"] if result.get("locations") else {}
        found.append(
            Reported(
                result["ruleId"],
                result["level"],
                result["message"]["text"],
                place.get("artifactLocation", {}).get("uri", "danubefile.py"),
                place.get("region", {}).get("startLine", 0),
            )
        )
    return ended.returncode, found, errors
