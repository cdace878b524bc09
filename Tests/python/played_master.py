"""A master as the documents describe it, played by a thread: answers, and faults on purpose.

Each request is kept. What is answered to a method and a path is a function that a test gives, so
that a test shows what it depends on.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import cli

TOKEN = "dnb_0123456789abcdef"
JOB = "4k2m9x0aa"


@dataclass(frozen=True)
class Request:
    """What was asked.

    Attributes:
        method: The method.
        path: The path below `/api/v1`, as it was sent.
        query: The query, decoded.
        headers: By names in small letters.
        body: The bytes of the body.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, object]:
        """The body as JSON."""
        value = json.loads(self.body)
        assert isinstance(value, dict)
        return value


class Reply:
    """Writes an answer, whole or in pieces.

    Attributes:
        request: What is answered.
        stopping: Set when the test ends; what waits must wait for it.
    """

    def __init__(
        self, handler: BaseHTTPRequestHandler, request: Request, stopping: threading.Event
    ) -> None:
        self.request = request
        self.stopping = stopping
        self._handler = handler

    def head(self, status: int = 200, **fields: str) -> None:
        """Begins an answer whose body ends with the connection."""
        self._handler.send_response(status)
        for name, value in fields.items():
            self._handler.send_header(name.replace("_", "-"), value)
        self._handler.end_headers()

    def write(self, piece: bytes) -> None:
        """Sends a piece of the body."""
        self._handler.wfile.write(piece)
        self._handler.wfile.flush()

    def whole(self, body: bytes, status: int = 200, **fields: str) -> None:
        """Sends a whole answer."""
        self.head(status, Content_Length=str(len(body)), **fields)
        self.write(body)

    def json(self, value: object, status: int = 200, **fields: str) -> None:
        """Answers with JSON."""
        self.whole(json.dumps(value).encode(), status, Content_Type="application/json", **fields)

    def problem(self, status: int, detail: str, hint: str = "", **fields: str) -> None:
        """Refuses, by RFC 9457."""
        body = {"type": "about:blank", "title": "t", "status": status, "detail": detail}
        if hint:
            body["hint"] = hint
        fields["Content_Type"] = "application/problem+json"
        self.whole(json.dumps(body).encode(), status, **fields)

    def event(self, data: object, number: int | None = None, name: str = "") -> None:
        """Sends a server-sent event; `head` comes before."""
        text = f"id: {number}\n" if number is not None else ""
        text += f"event: {name}\n" if name else ""
        self.write((text + f"data: {json.dumps(data)}\n\n").encode())


Answer = Callable[[Reply], None]


@dataclass
class Master:
    """A master that runs.

    Attributes:
        url: Its address.
        home: A folder of the test's own, the HOME of those who ask.
        requests: What was asked, in order.
        answers: What is answered, by method and path: `GET jobs`.
    """

    url: str
    home: Path
    requests: list[Request] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)

    def environment(self, **variables: str) -> dict[str, str]:
        """The variables of somebody who may ask this master."""
        return cli.environment(
            **{"HOME": str(self.home), "DANUBE_MASTER": self.url, "DANUBE_TOKEN": TOKEN,
               "DANUBE_MASTER_TIMEOUT": "5s", **variables}
        )  # fmt: skip

    def danube(
        self, *arguments: str, cwd: Path | None = None, stdin: bytes = b"", **variables: str
    ) -> cli.Ended:
        """Runs danube as such a person."""
        env = self.environment(**variables)
        return cli.danube(*arguments, cwd=cwd or self.home, env=env, stdin=stdin)

    def asked(self, place: str) -> list[Request]:
        """The requests of a method and a path."""
        return [one for one in self.requests if f"{one.method} {one.path}" == place]


@contextmanager
def master(home: Path) -> Iterator[Master]:
    """Runs a master until the block ends."""
    playing = Master("", home)

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            parts = urlsplit(self.path)
            request = Request(
                self.command,
                parts.path.removeprefix("/api/v1/"),
                dict(parse_qsl(parts.query, keep_blank_values=True)),
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(int(self.headers.get("Content-Length") or 0)),
            )
            playing.requests.append(request)
            reply = Reply(self, request, playing.stopping)
            answer = playing.answers.get(f"{request.method} {request.path}")
            try:
                if request.headers.get("authorization") != f"Bearer {TOKEN}":
                    reply.problem(401, "this token is not known")
                elif answer is None:
                    reply.problem(404, f"there is no {request.path}")
                else:
                    answer(reply)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the client had enough

        do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    playing.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield playing
    finally:
        playing.stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()


def job(**changes: object) -> dict[str, object]:
    """A job as a master describes it."""
    return {
        "id": JOB, "number": 7, "pipeline": "build", "team": "core", "repository": "/srv/r",
        "ref": "refs/heads/main", "revision": "a" * 40, "file": "danubefile.py",
        "parameters": {"n": "1"}, "trigger": "manual", "state": "success", "reason": "",
        "priority": 0, "created": "2026-01-02T03:04:05.000Z",
        "started": "2026-01-02T03:04:05.100Z", "ended": "2026-01-02T03:04:07.600Z",
        "duration_ms": 2500, "steps": {"total": 2, "done": 2, "failed": 0}, "plan": "sha256:ab",
        "rerun_of": None, **changes,
    }  # fmt: skip


def step(index: int, name: str, **changes: object) -> dict[str, object]:
    """A step as a master describes it."""
    return {
        "index": index, "name": name, "state": "succeeded", "attempts": 1, "exit_code": 0,
        "reason": "", "started": "2026-01-02T03:04:05.200Z", "ended": "2026-01-02T03:04:06.200Z",
        "duration_ms": 1000, "cached_from": None, **changes,
    }  # fmt: skip


def line(step: str | None, text: str, stream: str = "stdout") -> dict[str, object]:
    """A piece of a log as a master sends it."""
    return {"step": step, "stream": stream, "time": "2026-01-02T03:04:05.300Z", "text": text}


def logs(*events: object, end: dict[str, object] | None = None) -> Answer:
    """A log that is sent at once and ends with the job."""

    def answer(reply: Reply) -> None:
        reply.head(Content_Type="text/event-stream")
        for number, event in enumerate(events, 1):
            reply.event(event, number * 10)
        reply.event(end or job(), name="end")

    return answer
