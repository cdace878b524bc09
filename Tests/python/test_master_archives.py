"""Hostile archives that reach a real master over HTTP, or are made of what its jobs have kept."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest
from master import Master, commit, repository

INPUTS = Path(__file__).resolve().parents[3] / "shared" / "hostile" / "inputs"
CASES = (
    [
        case["file"]
        for case in json.loads((INPUTS / "manifest.json").read_text())
        if case["surface"] == "archive"
    ]
    if INPUTS.exists()
    else []
)
MOST_GROWTH = 64 << 20
# What a careless step would do with one: unpack what can be unpacked. It may write to its own
# workspace only; what it makes there is what the master is given.
UNPACK = """
import sys, tarfile, zipfile
for name in sys.argv[1:]:
    place = 'tree/' + name
    try:
        if zipfile.is_zipfile(name):
            with zipfile.ZipFile(name) as archive:
                for one in archive.infolist():
                    if one.file_size < 1 << 20:
                        archive.extract(one, place)
        else:
            with tarfile.open(name) as archive:
                for one in archive:
                    if one.size < 1 << 20 and not one.isdev():
                        try:
                            archive.extract(one, place, filter='tar')
                        except (tarfile.TarError, OSError, ValueError) as error:
                            print(name, one.name[:80], error)
    except (OSError, EOFError, ValueError, RuntimeError, tarfile.TarError,
            zipfile.BadZipFile, NotImplementedError) as error:
        print(name, error)
"""

pytestmark = pytest.mark.skipif(not CASES, reason="the hostile inputs are not here")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Master, str]]:
    folder = tmp_path_factory.mktemp("archives")
    names = [Path(case).name for case in CASES]
    kept = [f"artifacts.upload('{name}', name='{name}')" for name in names]
    place = repository(
        folder / "repository",
        "step.run('mkdir tree && python3 unpack.py *.gz *.tar *.zip; ln -s / tree/root')",
        "artifacts.upload('tree/', name='tree')",
        *kept,
    )
    for case in CASES:
        shutil.copy(INPUTS / case, place / Path(case).name)
    (place / "unpack.py").write_text(UNPACK)
    commit(place)
    with Master(folder / "data") as master:
        job = master.run(place)
        assert job["state"] == "success", (job, master.logs(job["id"]))
        yield master, job["id"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: Path(case).name)
def test_an_archive_is_bytes(running: tuple[Master, str], case: str) -> None:
    """It is kept, given back and shared as it is; nothing of the master looks into it."""
    master, job = running
    sent = (INPUTS / case).read_bytes()
    before = master.memory()
    digest = hashlib.sha256(sent).hexdigest()
    answer = master.ask("GET", f"/api/v1/artifacts/{job}/{Path(case).name}")
    assert (answer.status, answer.headers["etag"]) == (200, f'"{digest}"')
    assert answer.body == sent
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert master.ask("PUT", f"/cas/{digest}", sent).status in (200, 201, 204)
    assert master.ask("GET", f"/cas/{digest}").body == sent
    wrong = hashlib.sha256(sent + b"x").hexdigest()
    refused = master.ask("PUT", f"/cas/{wrong}", sent)
    assert 400 <= refused.status < 500 and refused.json["detail"], refused.body
    assert master.ask("GET", f"/cas/{wrong}").status == 404
    assert master.memory() - before < MOST_GROWTH


@pytest.mark.parametrize("case", CASES, ids=lambda case: Path(case).name)
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_an_archive_is_no_request(running: tuple[Master, str], case: str, encoding: str) -> None:
    """As a body where JSON is wanted it is refused, and said why; nothing unpacks it."""
    master, _ = running
    before = master.memory()
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    for path in ("/api/v1/jobs", "/api/v1/plans"):
        answer = master.ask("POST", path, (INPUTS / case).read_bytes(), headers=headers)
        assert 400 <= answer.status < 500, answer.body
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert answer.json["detail"]
    assert master.memory() - before < MOST_GROWTH
    assert master.ask("GET", "/api/v1/status").status == 200


def test_what_was_unpacked_leads_nowhere(running: tuple[Master, str]) -> None:
    """The archive that the master makes of what a step has unpacked is one to be trusted."""
    master, job = running
    answer = master.ask("GET", f"/api/v1/artifacts/{job}/tree")
    assert answer.status == 200
    with tarfile.open(fileobj=io.BytesIO(answer.body), mode="r:gz") as archive:
        members = archive.getmembers()
    names = [member.name for member in members]
    assert len(names) > 10 and len(set(names)) == len(names)
    for member in members:
        path = PurePosixPath(member.name)
        assert path.parts[0] == "tree" and ".." not in path.parts
        assert member.isreg() or member.isdir() or member.issym(), member.name
        assert not member.mode & 0o7000
        if member.issym():
            target = [part for part in path.parts[:-1]]
            assert not member.linkname.startswith("/")
            for part in PurePosixPath(member.linkname).parts:
                if part == "..":
                    target.pop()
                else:
                    target.append(part)
                assert target[:1] == ["tree"], (member.name, member.linkname)
    assert "tree/root" not in names and b"root:" not in answer.body
