"""Artifacts of a real master: what is listed, parts of files, folders as archives."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from master import Master, repository

BODY = (
    "step.run('mkdir -p tree/sub && printf 0123456789 >tree/a && printf x >tree/sub/run"
    " && chmod +x tree/sub/run && ln -s ../a tree/sub/good && ln -s /etc/passwd tree/bad"
    " && ln -s ../../../../../../../etc tree/up && mkfifo tree/pipe"
    " && printf 0123456789 >file && ln -s file link && ln -s /etc/passwd out')",
    "artifacts.upload('tree/', name='tree')",
    "artifacts.upload('file', name='a file \"ä\".txt')",
    "artifacts.upload('out', name='out')",
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Master, str]]:
    folder = tmp_path_factory.mktemp("artifacts")
    place = repository(folder / "repository", *BODY)
    with Master(folder / "data") as master:
        job = master.run(place)
        assert job["state"] == "success", job
        yield master, job["id"]


def get(running: tuple[Master, str], name: str = "", **headers: str):
    master, job = running
    tail = f"/{name}" if name else ""
    return master.ask("GET", f"/api/v1/artifacts/{job}{tail}", headers=headers)


FILE = "a%20file%20%22%C3%A4%22.txt"
CONTENT = b"0123456789"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def test_the_list_has_what_was_kept(running: tuple[Master, str]) -> None:
    listed = get(running).json["artifacts"]
    assert [(one["name"], one["size"], one["folder"]) for one in listed] == [
        ('a file "ä".txt', 10, False),
        ("tree", 11, True),
    ]
    assert listed[0]["digest"] == f"sha256:{DIGEST}"


def test_a_file_is_read_whole_and_in_parts(running: tuple[Master, str]) -> None:
    whole = get(running, FILE)
    assert (whole.status, whole.body) == (200, CONTENT)
    assert whole.headers["etag"] == f'"{DIGEST}"'
    assert whole.headers["content-length"] == "10"
    assert whole.headers["content-disposition"].startswith("attachment;")
    assert whole.headers["x-content-type-options"] == "nosniff"
    part = get(running, FILE, Range="bytes=2-4")
    assert (part.status, part.body) == (206, b"234")
    assert part.headers["content-range"] == "bytes 2-4/10"
    assert get(running, FILE, Range="bytes=-3").body == b"789"
    beyond = get(running, FILE, Range="bytes=10-")
    assert (beyond.status, beyond.headers["content-range"]) == (416, "bytes */10")
    stale = get(running, FILE, **{"Range": "bytes=2-4", "If-Range": '"other"'})
    assert (stale.status, stale.body) == (200, CONTENT)
    same = get(running, FILE, **{"If-None-Match": f'"other", W/"{DIGEST}"'})
    assert (same.status, same.body) == (304, b"")


def test_a_folder_is_an_archive_that_leads_nowhere_else(running: tuple[Master, str]) -> None:
    answer = get(running, "tree")
    assert answer.status == 200 and answer.headers["content-type"] == "application/gzip"
    with tarfile.open(fileobj=io.BytesIO(answer.body), mode="r:gz") as archive:
        found = {one.name: one for one in archive.getmembers()}
        assert list(found) == ["tree", "tree/a", "tree/sub", "tree/sub/good", "tree/sub/run"]
        opened = archive.extractfile("tree/a")
        assert opened is not None and opened.read() == CONTENT
    assert found["tree/sub/run"].mode & 0o111 and not found["tree/a"].mode & 0o111
    assert found["tree/sub/good"].linkname == "../a"
    assert get(running, "tree").body == answer.body
    tag = answer.headers["etag"]
    assert get(running, "tree", **{"If-None-Match": tag}).status == 304


@pytest.mark.parametrize(
    "name",
    [
        "..", "%2e%2e", "%2e%2e%2forder.json", "..%2f..%2fdanube.db", "tree%2fa", "tree/a", "out",
        "link", "tree%00", "%ff", ".", "nothing", "order.json", "tree/../../order.json",
        "%252e%252e%252forder.json",
    ],
)  # fmt: skip
def test_nothing_else_is_reached(running: tuple[Master, str], name: str) -> None:
    answer = get(running, name)
    assert answer.status in (400, 404), (name, answer.body)
    assert b"root:" not in answer.body


def test_what_was_removed_is_gone(tmp_path: Path) -> None:
    place = repository(
        tmp_path / "repository", "step.run('printf x >f')", "artifacts.upload('f', name='f')"
    )
    with Master(tmp_path / "data") as master:
        job = master.run(place)["id"]
        kept = master.data / "jobs" / job / "artifacts" / "f"
        kept.unlink()
        assert master.ask("GET", f"/api/v1/artifacts/{job}/f").status == 410
        kept.symlink_to("/etc/passwd")
        answer = master.ask("GET", f"/api/v1/artifacts/{job}/f")
        assert answer.status in (410, 500) and b"root:" not in answer.body


def test_a_reader_that_stalls_costs_no_memory(tmp_path: Path) -> None:
    place = repository(
        tmp_path / "repository",
        "step.run('mkdir d && head -c 200000000 /dev/urandom >d/big')",
        "artifacts.upload('d/', name='d')",
        "step.run('cp d/big f')",
        "artifacts.upload('f', name='f')",
    )
    with Master(tmp_path / "data") as master:
        job = master.run(place)
        assert job["state"] == "success", job
        before = master.memory()
        stalled = []
        for name in ("d", "f") * 10:
            connection = master.connect()
            connection.sendall(
                f"GET /api/v1/artifacts/{job['id']}/{name} HTTP/1.1\r\nHost: x\r\n"
                f"Authorization: Bearer {master.token}\r\n\r\n".encode()
            )
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
            stalled.append(connection)
        assert master.ask("GET", "/api/v1/status").status == 200
        assert master.memory() - before < 120 << 20
        for connection in stalled:
            connection.close()
        assert len(master.ask("GET", f"/api/v1/artifacts/{job['id']}/f").body) == 200_000_000
        assert master.memory() - before < 120 << 20
