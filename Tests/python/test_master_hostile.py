"""Hostile bytes sent to a real master: answered or closed, bounded, and others are served."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fixture_cases import ROOT
from master import Master, repository

INPUTS = Path(os.environ.get("DANUBE_SHARED", ROOT.parent / "shared")) / "hostile" / "inputs"
CASES = (
    [
        case
        for case in json.loads((INPUTS / "manifest.json").read_text())
        if case["surface"] == "http" and case["file"].endswith(".bin")
    ]
    if INPUTS.exists()
    else []
)
MOST_GROWTH = 32 << 20


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Master, str, str]]:
    folder = tmp_path_factory.mktemp("hostile")
    place = repository(
        folder / "repository", "step.run('echo x >f')", "artifacts.upload('f', name='f')"
    )
    with Master(folder / "data") as master:
        job = master.run(place)["id"]
        reader = master.ask("POST", "/api/v1/tokens", {"name": "reader", "scope": "read"})
        yield master, job, reader.json["token"]


def answer(connection: socket.socket, seconds: float = 3) -> bytes:
    """What comes back until the other end closes, or nothing more comes."""
    found = b""
    connection.settimeout(seconds)
    try:
        while part := connection.recv(1 << 16):
            found += part
            if b"\r\n\r\n" in found:
                connection.settimeout(0.3)
    except (TimeoutError, ConnectionResetError):
        pass
    return found


@pytest.mark.skipif(not CASES, reason="the hostile inputs are not here")
@pytest.mark.parametrize("case", CASES, ids=lambda case: Path(case["file"]).stem)
def test_a_hostile_request(running: tuple[Master, str, str], case: dict[str, str]) -> None:
    master, job, reader = running
    bytes_ = (INPUTS / case["file"]).read_bytes()
    bytes_ = bytes_.replace(b"JOB", job.encode()).replace(b"READER", reader.encode())
    before = master.memory()
    with master.connect() as connection:
        try:
            connection.sendall(bytes_)
        except (BrokenPipeError, ConnectionResetError):
            pass
        found = answer(connection)
    assert master.memory() - before < MOST_GROWTH
    status = int(found.split()[1]) if found.startswith(b"HTTP/1.1 ") else None
    assert b"root:" not in found and b"danube secret keys" not in found
    expect = case["expect"]
    if "accept" in expect and "reject" not in expect:
        assert status is not None and status < 500
    elif "neutral" in expect:
        assert status is None or status < 500
    else:
        assert status is None or 400 <= status < 500, found[:500]
    if "ACAO" in expect:
        assert b"access-control-allow-origin" not in found.lower()
    assert found.count(b"HTTP/1.1 ") <= 2
    assert master.ask("GET", "/api/v1/status").status == 200


@pytest.mark.parametrize(
    "bytes_",
    [
        b"\x00" * 100_000, b"\xff" * 100_000, b"GET " + b"/" * 1_000_000, b"GET / HTTP/9.9\r\n\r\n",
        b"GET /api/v1/health HTTP/1.1\r\n" + b"X: y\r\n" * 10_000 + b"\r\n",
        b"GET /api/v1/health HTTP/1.1\r\nX: " + b"y" * 10_000_000 + b"\r\n\r\n",
        b"POST /api/v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST /api/v1/jobs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"ffffffffffffffffff\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00" * 1000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500,
        b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\n\r\n" * 5000,
    ],
    ids=[
        "zeros", "ones", "path", "version", "headers", "header", "length", "chunk", "http2", "tls",
        "pipelined",
    ],
)  # fmt: skip
def test_other_bytes(running: tuple[Master, str, str], bytes_: bytes) -> None:
    master = running[0]
    before = master.memory()
    with master.connect() as connection:
        connection.settimeout(5)
        try:
            connection.sendall(bytes_)
        except (TimeoutError, BrokenPipeError, ConnectionResetError):
            pass
        answer(connection)
    assert master.memory() - before < MOST_GROWTH
    assert master.ask("GET", "/api/v1/health").status == 200


def test_idle_and_slow_connections_cost_little(running: tuple[Master, str, str]) -> None:
    master = running[0]
    before = master.memory()
    held = [master.connect() for _ in range(500)]
    for index, connection in enumerate(held):
        if index % 2:
            connection.sendall(b"GET /api/v1/health HTTP/1.1\r\nX-Slow: ")
    start = time.monotonic()
    for _ in range(20):
        for connection in held[1::50]:
            connection.sendall(b"y")
        assert master.ask("GET", "/api/v1/status").status == 200
    assert time.monotonic() - start < 10
    assert master.memory() - before < MOST_GROWTH
    for connection in held:
        connection.close()


def test_followers_that_stall_harm_nobody(running: tuple[Master, str, str]) -> None:
    master, job, reader = running
    before = master.memory()
    held = []
    for index in range(100):
        path = "/api/v1/events?after=0" if index % 2 else f"/api/v1/jobs/{job}/logs/stream"
        connection = master.connect()
        connection.sendall(
            f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {reader}\r\n\r\n".encode()
        )
        held.append(connection)
    for _ in range(20):
        assert master.ask("GET", "/api/v1/status").status == 200
    assert master.memory() - before < MOST_GROWTH
    for connection in held:
        connection.close()
