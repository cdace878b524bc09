"""The API of a real master: what its description says, who may do what, and bad requests."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from master import Master, repository

# Routes that end the master, or that never end.
NOT_TRIED = ("/api/v1/drain", "/api/v1/events")
FILLED = {
    "step": "0", "id": "000000000", "name": "x", "scope": "global", "token": "999999",
    "digest": "0" * 64,
}  # fmt: skip
LEVELS = ["read", "write", "admin"]


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Master]:
    with Master(tmp_path_factory.mktemp("api") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def description(master: Master) -> Any:
    answer = master.ask("GET", "/api/v1/openapi.json", token="")
    assert answer.status == 200
    return answer.json


def routes(description: Any) -> list[tuple[str, str, str | None]]:
    """Method, path and level of every route."""
    return [
        (method.upper(), path, operation["x-danube-level"])
        for path, operations in description["paths"].items()
        for method, operation in operations.items()
    ]


def token(master: Master, scope: str, **members: object) -> Any:
    answer = master.ask("POST", "/api/v1/tokens", {"name": scope, "scope": scope, **members})
    assert answer.status == 201, answer.body
    return answer.json


def test_every_route_at_every_level(master: Master, description: Any) -> None:
    short = token(master, "admin", expires_seconds=1)
    revoked = token(master, "admin")
    assert master.ask("DELETE", f"/api/v1/tokens/{revoked['id']}").status == 204
    texts = {scope: token(master, scope)["token"] for scope in LEVELS}
    useless = {
        "none": "", "unknown": "dnb_" + "a" * 52, "short": "dnb_", "word": "x",
        "revoked": revoked["token"], "expired": short["token"],
    }  # fmt: skip
    time.sleep(1.1)
    tried = 0
    for method, template, level in routes(description):
        path = re.sub(r"\{(\w+)\}", lambda match: FILLED[match[1]], template)
        for name, text in useless.items():
            answer = master.ask(method, path, token=text)
            if level is None:
                assert answer.status not in (401, 403), (method, path, name)
            else:
                assert answer.status == 401, (method, path, name)
                assert answer.headers["www-authenticate"] == "Bearer"
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.json["hint"]
        for index, scope in enumerate(LEVELS):
            allowed = level is None or index >= LEVELS.index(level)
            if template in NOT_TRIED and allowed:
                continue
            answer = master.ask(method, path, token=texts[scope])
            assert (answer.status == 403) == (not allowed), (method, path, scope, answer)
            assert answer.status != 401
            tried += 1
    assert tried > 60


def test_only_these_routes_need_no_token(description: Any) -> None:
    assert {path for _, path, level in routes(description) if level is None} == {
        "/api/v1/health", "/api/v1/health/ready", "/api/v1/openapi.json",
    }  # fmt: skip


def test_a_token_does_not_revoke_itself(master: Master) -> None:
    own = next(
        one["id"]
        for one in master.ask("GET", "/api/v1/tokens").json["tokens"]
        if one["name"] == "local administrator"
    )
    assert master.ask("DELETE", f"/api/v1/tokens/{own}").status == 409
    assert master.ask("GET", "/api/v1/whoami").json["scopes"] == LEVELS


def test_an_unknown_method_or_path_is_a_problem(master: Master) -> None:
    answer = master.ask("PATCH", "/api/v1/jobs/000000000")
    assert answer.status == 405 and answer.headers["allow"] == "GET, HEAD"
    assert master.ask("QUERY", "/api/v1/jobs").status == 405
    answer = master.ask("GET", "/api/v1/nothing")
    assert answer.status == 404 and answer.json["title"] == "Not Found"
    head = master.ask("HEAD", "/api/v1/status")
    assert (head.status, head.body) == (200, b"")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400), (b"[]", 400), (b"7", 400), (b'"x"', 400), (b"\xff", 400), (b"{}", 422),
        (b'{"repository":"/x","pipeline":"p","more":1}', 400),
        (b'{"repository":"/x"}', 422), (b'{"pipeline":"p"}', 422),
        (b'{"repository":7,"pipeline":"p"}', 422),
        (b'{"repository":"/x","pipeline":"p","revision":"HEAD~1"}', 422),
        (b'{"repository":"/x","pipeline":"p","file":"../x"}', 422),
        (b'{"repository":"/x","pipeline":"p","file":"/x"}', 422),
        (b'{"repository":"/x","pipeline":"p","priority":1001}', 422),
        (b'{"repository":"/x","pipeline":"p","priority":1.5}', 422),
        (b'{"repository":"/x","pipeline":"p","priority":1e400}', 400),
        (b'{"repository":"/x","pipeline":"p","parameters":[]}', 422),
        (b'{"repository":"/x","pipeline":"p\\u0000"}', 422),
        (b'{"repository":"/x","pipeline":"' + b"p" * 300 + b'"}', 422),
        (b'{"a":' * 5000, 400), (b"[" * 100_000, 400),
    ],
)  # fmt: skip
def test_a_bad_order_is_told_and_not_taken(master: Master, body: bytes, status: int) -> None:
    before = master.ask("GET", "/api/v1/jobs").json["jobs"]
    answer = master.ask("POST", "/api/v1/jobs", body)
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["detail"]
    assert master.ask("GET", "/api/v1/jobs").json["jobs"] == before


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=501", "limit=x", "limit=", "limit=1&limit=2", "state=", "state=done",
        "state=running,", "cursor=", "cursor=1", "cursor=1.2.3", "more=1", "pipeline=%00",
        "limit=99999999999999999999",
    ],
)  # fmt: skip
def test_a_bad_query_is_told(master: Master, query: str) -> None:
    assert master.ask("GET", f"/api/v1/jobs?{query}").status == 400, query


def test_asking_twice_with_one_key_gives_one_job(master: Master, tmp_path: Path) -> None:
    order = {"repository": str(repository(tmp_path / "repository")), "pipeline": "p"}
    headers = {"Idempotency-Key": "one"}
    first = master.ask("POST", "/api/v1/jobs", order, headers=headers)
    second = master.ask("POST", "/api/v1/jobs", order, headers=headers)
    assert (first.status, second.status) == (201, 200)
    assert first.json["id"] == second.json["id"]
    other = token(master, "write")["token"]
    third = master.ask("POST", "/api/v1/jobs", order, headers=headers, token=other)
    assert third.status == 201 and third.json["id"] != first.json["id"]
    for key in ("", "a b", "x" * 201):
        answer = master.ask("POST", "/api/v1/jobs", order, headers={"Idempotency-Key": key})
        assert answer.status == 400
    master.ended(first.json["id"])


def test_drain_ends_it(tmp_path: Path) -> None:
    with Master(tmp_path / "data") as running:
        assert running.ask("POST", "/api/v1/drain", {"timeout_seconds": -1}).status == 422
        assert running.ask("POST", "/api/v1/drain", {}).status == 202
        assert running.process is not None
        assert running.process.wait(30) == 0


def test_the_server_is_what_its_description_says(tmp_path: Path) -> None:
    place = repository(
        tmp_path / "repository", "step.run('echo x >f')", "artifacts.upload('f', name='f')"
    )
    settings = Path(__file__).with_name("schemathesis.toml")
    with Master(tmp_path / "data") as running:
        assert running.run(place)["state"] == "success"
        excluded = [word for path in NOT_TRIED for word in ("--exclude-path", path)]
        ended = subprocess.run(
            [
                Path(sys.executable).with_name("schemathesis"), "--config-file", settings,
                "--no-color", "run", f"http://127.0.0.1:{running.port}/api/v1/openapi.json",
                "--header", f"Authorization: Bearer {running.token}", "--checks", "all",
                "--seed", "1", "--request-timeout", "10", "--max-time", "60", *excluded,
            ],
            cwd=tmp_path, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stdout[-8000:]
        tried = re.search(r"(\d+) generated", ended.stdout)
        assert tried is not None and int(tried[1]) > 500
        assert running.memory() < 250 << 20
        assert " error " not in running.log.read_text()


def test_the_description_is_one_of_openapi(description: Any) -> None:
    assert description["openapi"] == "3.1.0"
    known = set(description["components"]["schemas"])
    used = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(description)))
    assert used == known
