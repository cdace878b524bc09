"""Starts the real `danube-master` and talks to it as `curl` would."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli import environment
from fixture_cases import executable

DEADLINE = 60
TERMINAL = {"success", "failure", "timeout", "cancelled"}


@dataclass(frozen=True)
class Answer:
    """What the master answered.

    Attributes:
        status: The status code.
        headers: Names in small letters.
        body: The bytes.
    """

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass
class Master:
    """A master with a data folder and a port of its own; a context that ends it."""

    data: Path
    configuration: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    port: int = 0
    token: str = ""
    process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Master:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def log(self) -> Path:
        """What it printed."""
        return self.data.parent / f"{self.data.name}.log"

    def start(self) -> None:
        """Starts it and waits until it is ready."""
        program = executable()
        assert program is not None
        self.data.mkdir(parents=True, exist_ok=True)
        file = self.data.parent / f"{self.data.name}.toml"
        file.write_text(self.configuration)
        before = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [
                    program.with_name("danube-master"), "--config", file, "--data", self.data,
                    "--http-listen", "127.0.0.1:0",
                ],
                env=environment(HOME=str(self.data.parent), **self.variables),
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        ready = self.wait_for(
            lambda: re.search(rb"ready on http://[^:]*:(\d+)", self.log.read_bytes()[before:])
        )
        self.port = int(ready[1])
        self.token = (self.data / "admin.token").read_text().strip()

    @property
    def hosts(self) -> list[int]:
        """Those of its children that fork engines."""
        assert self.process is not None
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        children = [child for task in tasks for child in (task / "children").read_text().split()]
        return [
            int(child) for child in children
            if b"--host" in Path(f"/proc/{child}/cmdline").read_bytes()
        ]  # fmt: skip

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ends it and gives its exit status."""
        if self.process is None:
            return 0
        self.process.send_signal(number)
        try:
            return self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.process = None

    def wait_for(self, condition: Any, seconds: float = DEADLINE) -> Any:
        """What a condition gives once it is true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := condition():
                return found
            assert self.process is None or self.process.poll() is None, self.log.read_text()
            time.sleep(0.02)
        raise AssertionError(f"not within {seconds} s\n{self.log.read_text()}")

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Sends a request: bytes as they are, anything else as JSON."""
        sent = {"Authorization": f"Bearer {self.token if token is None else token}"}
        if token == "":
            sent = {}
        data = body
        if body is not None and not isinstance(body, bytes):
            data = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        try:
            connection.request(method, path, body=data, headers={**sent, **(headers or {})})
            response = connection.getresponse()
            return Answer(
                response.status,
                {name.lower(): value for name, value in response.getheaders()},
                response.read(),
            )
        finally:
            connection.close()

    def run(self, repository: Path, **members: Any) -> Any:
        """Runs a job to its end and gives it."""
        order = {"repository": str(repository), "pipeline": "p", **members}
        answer = self.ask("POST", "/api/v1/jobs", order)
        assert answer.status == 201, answer.body
        return self.ended(answer.json["id"])

    def ended(self, job: str) -> Any:
        """Waits for the end of a job and gives it."""

        def found() -> Any:
            answer = self.ask("GET", f"/api/v1/jobs/{job}").json
            return answer if answer["state"] in TERMINAL else None

        return self.wait_for(found)

    def logs(self, job: str) -> bytes:
        """All that a job printed."""
        return self.ask("GET", f"/api/v1/jobs/{job}/logs").body

    def memory(self) -> int:
        """Bytes of it that are in memory."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        match = re.search(r"VmRSS:\s*(\d+) kB", status)
        assert match is not None
        return int(match[1]) << 10

    def connect(self) -> socket.socket:
        """A connection for bytes that no library sends."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE)


def submit(master: Master, place: Path, **members: Any) -> str:
    """Asks for a job and gives its name."""
    order = {"repository": str(place), "pipeline": "p", **members}
    answer = master.ask("POST", "/api/v1/jobs", order)
    assert answer.status == 201, answer.body
    return str(answer.json["id"])


def repository(folder: Path, *lines: str, **files: bytes) -> Path:
    """A repository with a pipeline `p` whose body these lines are."""
    folder.mkdir(parents=True)
    body = "\n".join(f"    {line}" for line in lines or ("step.run('true')",))
    head = "from danube import *\n\n@pipeline(name='p')\ndef p(word: str = ''):\n"
    (folder / "danubefile.py").write_text(head + body + "\n")
    for name, content in files.items():
        (folder / name).write_bytes(content)
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder)
    return folder


def commit(folder: Path) -> str:
    """Commits everything in a folder and gives the commit."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message=x")
    return git(folder, "rev-parse", "HEAD")


def git(folder: Path, *arguments: str) -> str:
    """Runs git there."""
    identity = {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "A"), ("EMAIL", "a@example.com"))
    }
    ended = subprocess.run(
        ["git", "-C", folder, *arguments],
        env={**os.environ, **identity, "GIT_CONFIG_GLOBAL": "/dev/null"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return ended.stdout.strip()
