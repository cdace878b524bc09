"""Clients of a real master that stall, drip or only hold connections: bounded, and others go on."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults import soak
from master import Master, repository

QUICK = '[http]\nidle_timeout = "1s"\nstall_timeout = "1s"\n'
MOST_GROWTH = 32 << 20


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Master]:
    """A master that waits for a second only."""
    with Master(tmp_path_factory.mktemp("quick") / "data", QUICK) as master:
        yield master


def closed(connection: socket.socket) -> bool:
    """Whether the other end has closed, after whatever it sent."""
    connection.settimeout(0.05)
    try:
        while connection.recv(1 << 16):
            pass
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True
    return True


def stalled(master: Master, path: str) -> socket.socket:
    """A connection that asks for something and takes nothing of it."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", master.port))
    connection.sendall(
        f"GET /api/v1/{path} HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {master.token}\r\n\r\n".encode()
    )
    return connection


def drip(master: Master, head: bytes) -> None:
    """Sends one byte after the other until the master has had enough."""
    with master.connect() as connection:
        connection.sendall(head)

        def over() -> bool:
            try:
                connection.sendall(b" ")
            except (BrokenPipeError, ConnectionResetError):
                return True
            return closed(connection)

        master.wait_for(over)


@pytest.mark.parametrize(
    "head",
    [
        b"", b"GET /api/v1/health HTTP/1.1\r\nX: ",
        b"POST /api/v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n%s\r\n",
        b"PUT /cas/" + b"0" * 64 + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n%s\r\n",
        b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n",
    ],
    ids=["nothing", "head", "json", "content", "ignored"],
)  # fmt: skip
def test_what_only_drips_is_closed(quick: Master, head: bytes) -> None:
    if b"%s" in head:
        head = head % f"Authorization: Bearer {quick.token}\r\n".encode()
    drip(quick, head)
    assert quick.ask("GET", "/api/v1/health").status == 200


def test_a_connection_without_a_request_is_closed(quick: Master) -> None:
    with quick.connect() as connection:
        connection.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\n\r\n")
        quick.wait_for(lambda: closed(connection))


def test_a_body_that_comes_in_time_is_taken(quick: Master) -> None:
    """It takes longer than the time-out in all."""
    body = b'{"name": "slow", "scope": "read"}' + b" " * 9967
    with quick.connect() as connection:
        connection.sendall(
            b"POST /api/v1/tokens HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n"
            b"Authorization: Bearer %s\r\n\r\n" % quick.token.encode()
        )
        for start in range(0, 10000, 1000):
            connection.sendall(body[start : start + 1000])
            time.sleep(0.25)
        connection.settimeout(60)
        assert connection.recv(1000).startswith(b"HTTP/1.1 201")


def test_who_takes_nothing_of_an_answer_is_closed(quick: Master, tmp_path: Path) -> None:
    place = repository(
        tmp_path / "r", "step.run('head -c 30000000 /dev/zero | tr \"\\\\0\" x | fold')"
    )
    job = quick.run(place)["id"]
    with quick.connect() as connection:
        connection.sendall(
            b"GET /api/v1/jobs/%s/logs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n"
            % (job.encode(), quick.token.encode())
        )
        time.sleep(3)
        found = 0
        connection.settimeout(60)
        try:
            while part := connection.recv(1 << 20):
                found += len(part)
        except ConnectionResetError:
            pass
        assert found < 30_000_000
    assert len(quick.logs(job)) > 30_000_000


def test_a_thousand_idle_connections(tmp_path: Path) -> None:
    with Master(tmp_path / "data") as master:
        master.ask("GET", "/api/v1/status")
        before = master.memory()
        held = [master.connect() for _ in range(1000)]
        for connection in held:
            connection.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\n\r\n")
        for connection in held:
            assert connection.recv(1000).startswith(b"HTTP/1.1 200")
        grown = master.memory() - before
        print(f"1,000 idle connections: {grown >> 10} KiB")
        assert grown < 2 * MOST_GROWTH
        for _ in range(20):
            assert master.ask("GET", "/api/v1/status").status == 200
        for connection in held:
            connection.close()


def test_the_number_of_connections_is_bounded(tmp_path: Path) -> None:
    settings = '[http]\nmax_connections = 20\nidle_timeout = "1s"\n'
    with Master(tmp_path / "data", settings) as master:
        held = [master.connect() for _ in range(60)]
        # Those beyond wait, and have their turn when others are closed for saying nothing.
        assert master.ask("GET", "/api/v1/health").status == 200
        for connection in held:
            connection.close()


@pytest.mark.parametrize(
    ("forms", "most"),
    [
        (["?follow=1"], 48 << 20),
        (["/stream"], 48 << 20),
        (["?follow=1", "/stream"], MOST_GROWTH),
    ],
    ids=["text", "events", "both"],
)
def test_followers_that_stall_do_not_slow_steps(
    tmp_path: Path, forms: list[str], most: int
) -> None:
    """A hundred that take nothing of the log of a job that prints much."""
    size = soak(20_000_000, 500_000_000)
    place = repository(
        tmp_path / "r",
        f"step.run('head -c {size} /dev/zero | tr \"\\\\0\" x | fold; echo; echo the end')",
    )
    order = {"repository": str(place), "pipeline": "p"}
    with Master(tmp_path / "data") as master:
        start = time.monotonic()
        master.run(place)
        alone = time.monotonic() - start
        job = master.ask("POST", "/api/v1/jobs", order).json["id"]
        before = master.memory()
        held = []
        for index in range(100):
            path = f"jobs/{job}/logs" + forms[index % len(forms)]
            held.append(stalled(master, path))
        start = time.monotonic()
        assert master.ended(job)["state"] == "success"
        beside = time.monotonic() - start
        time.sleep(1)
        grown = master.memory() - before
        print(f"{beside:.2f} s beside 100 that stall, {alone:.2f} s alone; {grown >> 10} KiB")
        assert grown < most
        assert master.logs(job).endswith(b"the end\n")
        # Nor does the master's end wait for them.
        assert master.stop() == 0
        for connection in held:
            connection.close()


@pytest.mark.parametrize(
    ("what", "count", "settings"),
    [
        ("plan", 30, QUICK),
        ("steps", 60, QUICK),
        # Nobody would be closed for stalling, but others wait.
        ("plan", 20, ""),
    ],
    ids=["plan", "steps", "others wait"],
)
def test_large_answers_share_a_bounded_room(
    tmp_path: Path, what: str, count: int, settings: str
) -> None:
    """Many who ask for much at once, and take nothing of it; others are answered meanwhile."""
    place = repository(
        tmp_path / "r",
        "step.run('exit 1')",
        f"for n in range({soak(3000, 30_000)}):\n        step.run(f'x{{n}} ' + 'x' * 2000)",
    )
    with Master(tmp_path / "data", settings) as master:
        ended = master.run(place)
        job = ended["id"]
        whole = master.ask("GET", f"/api/v1/jobs/{job}/{what}")
        assert whole.status == 200 and len(whole.body) > 500_000, (whole.status, ended)
        before = master.memory()
        held = [stalled(master, f"jobs/{job}/{what}") for _ in range(count)]
        most = 0
        for _ in range(20):
            assert master.ask("GET", "/api/v1/status").status == 200
            most = max(most, master.memory() - before)

        def is_told() -> bool:
            again = master.ask("GET", f"/api/v1/jobs/{job}/{what}")
            assert again.status == 503 or again.body == whole.body, again.status
            return again.status == 200

        # Those who take nothing are cut, and make room.
        master.wait_for(is_told)
        most = max(most, master.memory() - before)
        print(f"{what} of {len(whole.body) >> 10} KiB for {count}: {most >> 20} MiB")
        assert most < 200 << 20
        for connection in held:
            connection.close()
