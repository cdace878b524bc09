"""A master that refuses, fails, breaks off, says too much or nothing."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

import played_master
import pytest
from cli import ENVIRONMENT, MISTAKE, SUCCESS
from played_master import JOB, TOKEN, Master, Reply, job


@pytest.mark.parametrize(
    ("status", "expected"),
    [(400, MISTAKE), (401, ENVIRONMENT), (403, ENVIRONMENT), (404, MISTAKE), (409, MISTAKE),
     (422, MISTAKE), (500, ENVIRONMENT), (507, ENVIRONMENT)],
)  # fmt: skip
def test_a_refusal_is_shown_with_its_hint(status: int, expected: int, master: Master) -> None:
    master.answers["POST jobs"] = lambda reply: reply.problem(
        status, "it cannot \x1b[2J be", "do otherwise"
    )
    ended = master.danube("trigger", "b", "--repository", "/r")
    assert ended.status == expected and ended.hints == ["do otherwise"]
    assert "it cannot" in ended.err and "\x1b" not in ended.err
    assert len(master.asked("POST jobs")) == 1


def test_a_refusal_without_words_is_shown(master: Master) -> None:
    status = 0
    master.answers["GET jobs"] = lambda reply: reply.whole(b"<html>", status)
    for status, expected in ((401, ENVIRONMENT), (404, MISTAKE), (500, ENVIRONMENT)):
        ended = master.danube("jobs", "--remote")
        assert ended.status == expected and ended.hints and master.url in ended.err


def test_a_redirect_is_told_and_not_followed(master: Master, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with played_master.master(tmp_path / "other") as other:
        status = 0
        master.answers["GET jobs"] = lambda reply: reply.whole(
            b"", status, Location=other.url + "/api/v1/jobs"
        )
        for status in (301, 302, 307, 308):
            ended = master.danube("jobs", "--remote")
            assert ended.status == ENVIRONMENT and other.url in ended.err
        assert not other.requests


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"\xff\xfe", b'{"jobs":1}', b'{"jobs":[1]}', b'{"jobs":[{"id":""}]}',
     b'{"jobs":[{"id":1,"state":"x"}]}', b"[" * 100_000, b'{"jobs":[],"jobs":[]}'],
    ids=range(10),
)  # fmt: skip
def test_an_answer_that_is_none_is_said(body: bytes, master: Master) -> None:
    master.answers["GET jobs"] = lambda reply: reply.whole(body)
    ended = master.danube("jobs", "--remote")
    assert ended.status == ENVIRONMENT and "is not the" in ended.err and ended.hints


def test_values_of_the_wrong_kind_harm_nothing(master: Master) -> None:
    strange = job(
        number="x", steps=[], started="yesterday", ended="2026-99-99T99:99:99Z",
        duration_ms=-(2**63), parameters=[1], ref=3, priority=2**63, reason={}, plan=None,
    )  # fmt: skip
    far = job(
        started="9999-12-31T23:59:59.999999999Z", ended="0000-01-01T00:00:00Z",
        duration_ms=2**63 - 1, steps={"total": 2**63 - 1, "done": -5, "failed": 2**62},
    )  # fmt: skip
    master.answers["GET jobs"] = lambda reply: reply.json({"jobs": [strange, far], "next": None})
    for form in ([], ["--json"]):
        assert master.danube("jobs", "--remote", *form).status == SUCCESS


def test_an_answer_of_100_megabytes_is_not_kept(master: Master) -> None:
    sent = 0

    def answer(reply: Reply) -> None:
        nonlocal sent
        reply.head(Content_Type="application/json")
        reply.write(b'{"jobs":["')
        for _ in range(100):
            reply.write(b"x" * (1 << 20))
            sent += 1

    master.answers["GET jobs"] = answer
    ended = master.danube("jobs", "--remote")
    assert ended.status == ENVIRONMENT and "larger than 32 MiB" in ended.err
    assert sent < 60


def test_a_master_that_says_nothing_is_given_up(master: Master) -> None:
    def answer(reply: Reply) -> None:
        reply.stopping.wait(60)

    master.answers["GET jobs"] = answer
    begun = time.monotonic()
    ended = master.danube("jobs", "--remote", DANUBE_MASTER_TIMEOUT="1s")
    assert ended.status == ENVIRONMENT and "did not answer in time" in ended.err
    assert time.monotonic() - begun < 20


def test_a_master_that_drips_is_given_up(master: Master) -> None:
    def answer(reply: Reply) -> None:
        reply.head()
        while not reply.stopping.wait(0.1):
            reply.write(b" ")

    master.answers["GET jobs"] = answer
    ended = master.danube("jobs", "--remote", DANUBE_MASTER_TIMEOUT="1s")
    assert ended.status == ENVIRONMENT and "did not answer in time" in ended.err


def test_an_answer_that_breaks_off_is_asked_for_again(master: Master) -> None:
    def answer(reply: Reply) -> None:
        if len(master.asked("GET jobs")) == 1:
            reply.head(Content_Length="1000")
            reply.write(b'{"jobs":')
        else:
            reply.json({"jobs": [job()], "next": None})

    master.answers["GET jobs"] = answer
    ended = master.danube("jobs", "--remote")
    assert ended.status == SUCCESS and JOB in ended.out


def test_something_that_speaks_no_http_is_said(master: Master) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def speak() -> None:
            for _ in range(3):
                connection, _ = listener.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(b"SSH-2.0-x\r\n")

        thread = threading.Thread(target=speak, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        ended = master.danube("jobs", "--master", url)
    assert ended.status == ENVIRONMENT and url in ended.err


def test_a_certificate_that_nobody_vouches_for_is_refused(master: Master, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-keyout", key, "-out", certificate, "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                try:
                    with context.wrap_socket(connection, server_side=True) as secured:
                        received.append(secured.recv(4096))
                except OSError:
                    pass  # the client ends the connection when it sees the certificate

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"https://localhost:{listener.getsockname()[1]}"
        ended = master.danube("jobs", "--master", url)
        thread.join()
    assert ended.status == ENVIRONMENT and "is not trusted" in ended.err and ended.hints
    assert TOKEN.encode() not in b"".join(received)


@pytest.mark.parametrize("content", [b"", b"text"])
def test_a_missing_library_is_named(content: bytes, master: Master, tmp_path: Path) -> None:
    for name in ("libcurl.so.4", "libcurl-gnutls.so.4"):
        (tmp_path / name).write_bytes(content)
    ended = master.danube("jobs", "--remote", LD_LIBRARY_PATH=str(tmp_path))
    assert ended.status == ENVIRONMENT and "libcurl is not installed" in ended.err
    assert any("libcurl4" in hint for hint in ended.hints)
