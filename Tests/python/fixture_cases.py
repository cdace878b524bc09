"""The fixtures of the repository, and how one is put on disk, compiled and compared."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "fixtures"
SDK = ROOT / "Sources" / "PyBridge" / "python"

# Files of a fixture that are about the test and not part of the user's repository.
TEST_FILES = ("args", "changed", "expect", "plan.digest", "plan.json")

# How the canonical form writes what json.dumps writes by a letter.
_ESCAPES = {
    "\\n": "\\u000a",
    "\\r": "\\u000d",
    "\\t": "\\u0009",
    "\\b": "\\u0008",
    "\\f": "\\u000c",
}

# A larger golden is kept as its digest only.
MAX_GOLDEN_BYTES = 200_000

_GIT = {
    "GIT_AUTHOR_NAME": "Fixture",
    "GIT_AUTHOR_EMAIL": "fixture@example.com",
    "GIT_AUTHOR_DATE": "2026-01-31T12:00:00+00:00",
    "GIT_COMMITTER_NAME": "Fixture",
    "GIT_COMMITTER_EMAIL": "fixture@example.com",
    "GIT_COMMITTER_DATE": "2026-01-31T12:00:00+00:00",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "HOME": "/nonexistent",
    "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
}


@dataclass(frozen=True)
class Case:
    """A fixture that compiles: a folder with a danubefile.py.

    Attributes:
        folder: The fixture.
    """

    folder: Path

    @property
    def id(self) -> str:
        """The name in test reports, such as `compile/needs`."""
        return self.folder.relative_to(FIXTURES).as_posix()

    @property
    def danubefile(self) -> Path:
        """The pipeline."""
        return self.folder / "danubefile.py"

    @property
    def arguments(self) -> list[str]:
        """Arguments of `danube plan`, from the file `args`."""
        file = self.folder / "args"
        return shlex.split(file.read_text()) if file.exists() else []

    @property
    def changed(self) -> list[str]:
        """Files that the last commit touched, from the file `changed`."""
        file = self.folder / "changed"
        return file.read_text().split() if file.exists() else []

    def stage(self, target: Path) -> Path:
        """Makes the user's repository from the fixture.

        Args:
            target: The folder to make. It becomes a git repository with two commits when the
                fixture says for what event it is planned.

        Returns:
            `target`.
        """
        shutil.copytree(self.folder, target, ignore=shutil.ignore_patterns("__pycache__", ".mypy*"))
        for name in TEST_FILES:
            (target / name).unlink(missing_ok=True)
        if "--event" in self.arguments:
            self._commit(target)
        return target

    def _commit(self, target: Path) -> None:
        changed = {path: (target / path).read_bytes() for path in self.changed}
        for path in changed:
            (target / path).write_bytes(b"")
        _git(target, "init", "--quiet", "--initial-branch", "main")
        _git(target, "add", "--all")
        _git(target, "commit", "--quiet", "--message", "Before")
        for path, content in changed.items():
            (target / path).write_bytes(content)
        _git(target, "add", "--all")
        _git(target, "commit", "--quiet", "--allow-empty", "--message", "After")


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, env=_GIT, check=True)


def cases(kind: str) -> list[Case]:
    """The fixtures of `compile` or `projects`, in the order of their names."""
    return [Case(folder) for folder in sorted((FIXTURES / kind).iterdir()) if folder.is_dir()]


def executable() -> Path | None:
    """The program under test, from `DANUBE` or the debug build; None when it is not built."""
    path = Path(os.environ.get("DANUBE", ROOT / ".build" / "debug" / "danube")).resolve()
    return path if path.exists() else None


@dataclass(frozen=True)
class Surroundings:
    """What must not have an influence on a plan."""

    hash_seed: str = "0"
    time_zone: str = "UTC"
    locale: str = "C"

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that say so."""
        return {
            **{key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ},
            "PYTHONHASHSEED": self.hash_seed,
            "TZ": self.time_zone,
            "LC_ALL": self.locale,
            "LANG": self.locale,
        }


def plan(
    folder: Path,
    arguments: list[str],
    output: str = "json",
    surroundings: Surroundings = Surroundings(),
) -> subprocess.CompletedProcess[bytes]:
    """Runs `danube plan` on a folder, nothing memoised."""
    program = executable()
    assert program is not None
    # A machine that does much else at once is slow; a fixture that means the limit gives its own.
    command = [program, "plan", "-C", folder, "--no-memo", "--format", output, "--timeout", "50s"]
    return subprocess.run(
        [*command, *arguments],
        env=surroundings.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )


def canonical(value: object) -> bytes:
    """The canonical JSON of a plan: sorted keys, no white space, few escapes."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[0], found[0]), text).encode()


def golden(value: object) -> str:
    """How a plan is kept in the repository, to be read by people."""
    return json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False) + "\n"
