"""Bounds of a real master: the disk, the size of bodies, and answers that are compressed."""

from __future__ import annotations

import gzip
import os
import subprocess
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from master import Master, repository


@contextmanager
def _disk(folder: Path, size: str) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def _grow(folder: Path, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", "tmpfs", folder], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_below_the_reserve_no_job_is_taken_and_all_else_goes_on(tmp_path: Path) -> None:
    place = repository(tmp_path / "repository")
    order = {"repository": str(place), "pipeline": "p"}
    with (
        _disk(tmp_path / "disk", "64m"),
        Master(tmp_path / "disk" / "data", '[disk]\nreserve = "16Mi"\n') as master,
    ):
        done = master.run(place)
        assert done["state"] == "success"
        full = tmp_path / "disk" / "full"
        full.write_bytes(bytes(56 << 20))
        master.wait_for(lambda: master.ask("POST", "/api/v1/jobs", order).status == 507)
        answer = master.ask("POST", "/api/v1/jobs", order)
        assert answer.json["title"] == "Insufficient Storage"
        assert "disk.reserve" in answer.json["hint"]
        assert master.ask("POST", f"/api/v1/jobs/{done['id']}/rerun", {}).status == 507
        for path in ("jobs", f"jobs/{done['id']}", f"jobs/{done['id']}/logs", "status"):
            assert master.ask("GET", f"/api/v1/{path}").status == 200
        full.unlink()
        master.wait_for(lambda: master.ask("POST", "/api/v1/jobs", order).status == 201)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_refuses_and_recovers(tmp_path: Path) -> None:
    place = repository(tmp_path / "repository")
    order = {"repository": str(place), "pipeline": "p"}
    with (
        _disk(tmp_path / "disk", "32m"),
        Master(tmp_path / "disk" / "data", "[disk]\nreserve = 0\n") as master,
    ):
        done = master.run(place)
        with (tmp_path / "disk" / "full").open("wb", buffering=0) as full:
            try:
                while True:
                    full.write(bytes(4096))
            except OSError:
                pass
        statuses = {master.ask("POST", "/api/v1/jobs", order).status for _ in range(200)}
        assert 507 in statuses and statuses <= {201, 507}
        assert master.ask("GET", f"/api/v1/jobs/{done['id']}").json["state"] == "success"
        assert master.ask("GET", "/api/v1/status").status == 200
        (tmp_path / "disk" / "full").unlink()

        def taken() -> str | None:
            answer = master.ask("POST", "/api/v1/jobs", order)
            return str(answer.json["id"]) if answer.status == 201 else None

        assert master.ended(master.wait_for(taken))["state"] == "success"


def test_a_body_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with Master(tmp_path / "data", '[http]\nmax_body = "4Ki"\n') as master:
        body = b'{"repository":"/x","pipeline":"' + b"p" * 5000 + b'"}'
        answer = master.ask("POST", "/api/v1/jobs", body)
        assert answer.status == 413 and "http.max_body" in answer.json["hint"]
        assert master.ask("POST", "/api/v1/jobs", body[:3000]).status == 400
        # Without a length, and without an end.
        with master.connect() as connection:
            connection.sendall(
                b"POST /api/v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                + master.token.encode()
                + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
            answered = b""
            try:
                for _ in range(2000):
                    connection.sendall(chunk)
                raise AssertionError("a body without an end was taken")
            except (BrokenPipeError, ConnectionResetError):
                pass
            try:
                answered = connection.recv(1000)
            except ConnectionResetError:
                pass
            assert answered in (b"",) or answered.startswith(b"HTTP/1.1 413")
        assert master.memory() < 200 << 20
        assert master.ask("GET", "/api/v1/health").status == 200


def test_long_answers_are_compressed_for_who_asks(tmp_path: Path) -> None:
    with Master(tmp_path / "data") as master:
        path = "/api/v1/openapi.json"
        plain = master.ask("GET", path)
        assert "content-encoding" not in plain.headers
        assert plain.headers["vary"] == "Accept-Encoding"
        packed = master.ask("GET", path, headers={"Accept-Encoding": "br, gzip;q=0.5"})
        assert packed.headers["content-encoding"] == "gzip"
        assert int(packed.headers["content-length"]) == len(packed.body) < len(plain.body) // 4
        assert gzip.decompress(packed.body) == plain.body
        with pytest.raises(zlib.error):
            zlib.decompress(packed.body)
        for refused in ("identity", "gzip;q=0", "br", "*;q=0, br"):
            answer = master.ask("GET", path, headers={"Accept-Encoding": refused})
            assert answer.body == plain.body, refused
        short = master.ask("GET", "/api/v1/health", headers={"Accept-Encoding": "gzip"})
        assert "content-encoding" not in short.headers


def test_a_plan_that_is_known_is_not_sent_again(tmp_path: Path) -> None:
    place = repository(tmp_path / "repository", "for i in range(50): step.run(f'echo {i}')")
    with Master(tmp_path / "data") as master:
        path = f"/api/v1/jobs/{master.run(place)['id']}/plan"
        packed = master.ask("GET", path, headers={"Accept-Encoding": "gzip"})
        assert packed.status == 200 and packed.headers["etag"].startswith('W/"')
        for tag in (packed.headers["etag"], master.ask("GET", path).headers["etag"], "*"):
            again = master.ask("GET", path, headers={"If-None-Match": tag})
            assert (again.status, again.body) == (304, b"")
