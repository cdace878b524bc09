"""Runs the real `danube` as a person does: in a folder, in a pipe or on a terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from fixture_cases import executable

SUCCESS, MISTAKE, ENVIRONMENT, BUG = 0, 2, 3, 70
DEADLINE = 60

_GIT = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.com",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
}


@dataclass(frozen=True)
class Ended:
    """What a command left.

    Attributes:
        status: Its exit status.
        out: Its standard output, or all that the terminal showed.
        err: Its standard error; empty on a terminal.
    """

    status: int
    out: str
    err: str = ""

    @property
    def hints(self) -> list[str]:
        """The next actions that it named."""
        return re.findall(r"hint: (.*)", self.err + self.out)


def environment(**variables: str) -> dict[str, str]:
    """A plain environment with these variables; without HOME, nothing is remembered."""
    kept = {key: os.environ[key] for key in ("PATH",) if key in os.environ}
    return {"LC_ALL": "C.UTF-8", "TERM": "xterm", **kept, **variables}


def danube(
    *arguments: str | Path,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    stdin: bytes = b"",
    program: Path | None = None,
) -> Ended:
    """Runs it with pipes."""
    ended = subprocess.run(
        [program or executable() or "danube", *arguments],
        cwd=cwd,
        env=env or environment(),
        input=stdin,
        capture_output=True,
        timeout=DEADLINE,
    )
    return Ended(ended.returncode, ended.stdout.decode(), ended.stderr.decode())


def on_terminal(
    *arguments: str | Path, columns: int, cwd: Path | None = None, env: dict[str, str] | None = None
) -> Ended:
    """Runs it on a terminal of so many columns, where both outputs are one."""
    program = executable()
    assert program is not None
    leader, follower = pty.openpty()
    try:
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        process = subprocess.Popen(
            [program, *arguments], cwd=cwd, env=env or environment(),
            stdin=follower, stdout=follower, stderr=follower, close_fds=True,
        )  # fmt: skip
    finally:
        os.close(follower)
    shown = b""
    try:
        while select.select([leader], [], [], DEADLINE)[0]:
            try:
                piece = os.read(leader, 1 << 16)
            except OSError:  # EIO: nobody holds the other end
                break
            if not piece:
                break
            shown += piece
        status = process.wait(DEADLINE)
    finally:
        process.kill()
        process.wait()
        os.close(leader)
    return Ended(status, shown.decode().replace("\r\n", "\n"))


def uncoloured(text: str) -> str:
    """The text without its colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def width(line: str) -> int:
    """The columns that a line takes."""
    wide = sum(unicodedata.east_asian_width(one) in "WF" for one in line)
    narrow = sum(unicodedata.combining(one) != 0 for one in line)
    return len(line) + wide - narrow


def git(folder: Path, *arguments: str) -> str:
    """Runs git in a folder."""
    ended = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**environment(), **_GIT},
        check=True,
        capture_output=True,
        text=True,
    )
    return ended.stdout.strip()


def commit(folder: Path, message: str = "x") -> str:
    """Commits everything in a folder, which becomes a repository; gives the commit's id."""
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(folder, "rev-parse", "HEAD")


def repository(folder: Path, body: str, head: str = "", arguments: str = "") -> Path:
    """Makes a folder with a danubefile of one pipeline with this body.

    Args:
        folder: The folder to make, or in which the danubefile is replaced.
        body: Statements of the pipeline, not indented.
        head: Lines above the pipeline.
        arguments: Parameters of the pipeline's function.
    """
    folder.mkdir(exist_ok=True, parents=True)
    indented = "".join(f"    {line}\n" if line else "\n" for line in body.splitlines())
    text = (
        "from danube import *\n"
        f"{head}\n"
        '@pipeline(name="P", image="alpine")\n'
        f"def p({arguments}):\n{indented}"
    )
    (folder / "danubefile.py").write_text(text)
    return folder
