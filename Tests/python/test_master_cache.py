"""The cache that a real master serves to others, as Bazel asks for it."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from master import Master


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Master]:
    with Master(tmp_path_factory.mktemp("cache") / "data") as running:
        yield running


def name(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("root", ["/cas", "/api/v1/cas"])
@pytest.mark.parametrize("size", [0, 1, 256 << 10, (256 << 10) + 1, 5_000_000])
def test_a_content_comes_back(master: Master, root: str, size: int) -> None:
    content = os.urandom(size)
    path = f"{root}/{name(content)}"
    if size > 1:
        assert master.ask("GET", path).status == 404
    for _ in range(2):
        assert master.ask("PUT", path, content).status == 204
    answer = master.ask("GET", path)
    assert (answer.status, answer.body) == (200, content)
    assert answer.headers["content-length"] == str(size)
    head = master.ask("HEAD", path)
    assert (head.status, head.headers["content-length"]) == (200, str(size))


def test_what_is_no_such_content_is_refused_and_not_kept(master: Master) -> None:
    path = f"/cas/{name(b'what was promised')}"
    assert master.ask("PUT", path, b"what came").status == 422
    assert master.ask("GET", path).status == 404
    store = master.data / "shared-cache"
    assert not [file for file in (store / "new").rglob("*") if file.is_file()]


@pytest.mark.parametrize("digest", ["x", "0" * 63, "0" * 65, "A" * 64, "..%2f" * 10, "%00" * 64])
@pytest.mark.parametrize("root", ["/cas", "/ac", "/api/v1/cas"])
def test_what_is_no_digest_is_refused(master: Master, root: str, digest: str) -> None:
    assert master.ask("GET", f"{root}/{digest}").status == 400
    assert master.ask("PUT", f"{root}/{digest}", b"x").status == 400


def test_a_damaged_content_is_never_taken_for_whole(master: Master) -> None:
    for size in (100, 1_000_000):
        content = os.urandom(size)
        digest = name(content)
        assert master.ask("PUT", f"/cas/{digest}", content).status == 204
        file = master.data / "shared-cache" / "sha256" / digest[:2] / digest
        file.chmod(0o600)
        file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(Exception) as caught:
            master.ask("GET", f"/cas/{digest}")
        assert "IncompleteRead" in repr(caught.value) or "Remote" in repr(caught.value)
        assert master.ask("GET", f"/cas/{digest}").status == 404
        assert master.ask("PUT", f"/cas/{digest}", content).status == 204
        assert master.ask("GET", f"/cas/{digest}").body == content


def test_what_is_said_of_an_action_is_kept_over_a_restart(tmp_path: Path) -> None:
    with Master(tmp_path / "data") as master:
        path = f"/ac/{name(b'an action')}"
        assert master.ask("GET", path).status == 404
        assert master.ask("PUT", path, b"first").status == 204
        assert master.ask("PUT", path, b"second").status == 204
        assert master.ask("PUT", path, bytes((4 << 20) + 1)).status == 413
        master.stop(9)
        master.start()
        assert master.ask("GET", path).body == b"second"


def test_a_reader_does_not_write(master: Master) -> None:
    reader = master.ask("POST", "/api/v1/tokens", {"name": "r", "scope": "read"}).json["token"]
    content = b"from a reader"
    for root in ("/cas", "/ac", "/api/v1/cas"):
        path = f"{root}/{name(content)}"
        assert master.ask("PUT", path, content, token=reader).status == 403
        assert master.ask("GET", path, token=reader).status == 404
        assert master.ask("GET", path, token="").status == 401


def test_a_token_may_be_the_password_of_basic(master: Master) -> None:
    def basic(text: str) -> dict[str, str]:
        return {"Authorization": f"Basic {base64.b64encode(text.encode()).decode()}"}

    path = f"/cas/{name(b'')}"
    assert master.ask("PUT", path, b"", headers=basic(f"any:{master.token}")).status == 204
    for wrong in ("any:x", master.token, f"{master.token}:", ""):
        assert master.ask("GET", path, token="", headers=basic(wrong)).status == 401
    for header in ("Basic !", "Basic", "Digest x", "Bearer", f"bearer {master.token} x"):
        assert master.ask("GET", path, token="", headers={"Authorization": header}).status == 401


def test_the_size_of_a_content_is_bounded(tmp_path: Path) -> None:
    with Master(tmp_path / "data", '[http]\nmax_body = "1Mi"\n') as master:
        content = bytes((1 << 20) + 1)
        assert master.ask("PUT", f"/cas/{name(content)}", content).status == 413
        fits = bytes(1 << 20)
        assert master.ask("PUT", f"/cas/{name(fits)}", fits).status == 204
        assert master.memory() < 200 << 20
