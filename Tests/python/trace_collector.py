"""A collector of OpenTelemetry, played by a thread: it reads requests strictly by the schema."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

IDS = ("traceId", "spanId", "parentSpanId")


def parsed(body: bytes) -> ExportTraceServiceRequest:
    """A body by the schema. Ids are hexadecimal in OTLP, where protobuf's JSON has base64."""
    value = json.loads(body)
    for resource in value["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for name in IDS:
                    if name in span:
                        digits = bytes.fromhex(span[name])
                        assert len(digits) == (16 if name == "traceId" else 8) and any(digits)
                        span[name] = base64.b64encode(digits).decode()
    return json_format.ParseDict(value, ExportTraceServiceRequest())


@dataclass
class Collector:
    """A collector that runs.

    Attributes:
        port: Where it listens.
        answers: What the next requests are answered: a status and fields. Then it takes them.
        stall: While it is not set, requests are not answered.
        requests: Paths and headers, in order.
        taken: What it took.
        wrong: Why a body was none.
    """

    port: int = 0
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    stall: threading.Event = field(default_factory=threading.Event)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    taken: list[ExportTraceServiceRequest] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def spans(self) -> list[Span]:
        """All spans, as they came."""
        return [
            span
            for request in list(self.taken)
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def of(self, job: str) -> list[Span]:
        """The spans of the trace of a job; each once, since one may be sent again."""
        spans = {span.span_id: span for span in self.spans}.values()
        traces = {s.trace_id for s in spans if facts(s).get("cicd.pipeline.run.id") == job}
        return [span for span in spans if span.trace_id in traces]


def facts(span: Span) -> dict[str, Any]:
    """The attributes of a span."""
    return {
        one.key: getattr(one.value, one.value.WhichOneof("value") or "") for one in span.attributes
    }


@contextmanager
def collector(port: int = 0) -> Iterator[Collector]:
    """Runs a collector until the block ends."""
    playing = Collector()
    playing.stall.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            playing.requests.append((self.path, headers))
            playing.stall.wait()
            status, fields = playing.answers.pop(0) if playing.answers else (200, {})
            if status == 200:
                try:
                    playing.taken.append(parsed(body))
                except (ValueError, KeyError, AssertionError, json_format.ParseError) as error:
                    playing.wrong.append(f"{error!r}: {body[:2000]!r}")
            try:
                self.send_response(status)
                for name, value in {"Content-Length": "2", **fields}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"{}")
            except (BrokenPipeError, ConnectionResetError):
                pass  # it did not wait

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    playing.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield playing
    finally:
        playing.stall.set()
        server.shutdown()
        thread.join()
        server.server_close()
    assert not playing.wrong
