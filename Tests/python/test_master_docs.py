"""docs/api.md: every example works to the letter, and every route has one."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from fixture_cases import ROOT
from master import Master, repository

TEXT = (ROOT / "docs" / "api.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def test_every_route_has_an_example(tmp_path: Path) -> None:
    commands = re.findall(r"curl (?:\\\n|[^\n])*", "".join(BLOCKS))
    shown = set()
    for command in commands:
        match = re.search(r'"\$MASTER([^"?]*)', command)
        assert match is not None, command
        given = re.search(r"-X ([A-Z]+)", command)
        method = given[1] if given else "PUT" if "-T -" in command else "GET"
        shown.add(("POST" if " -d " in command and not given else method, match[1]))
    with Master(tmp_path / "data") as master:
        paths = master.ask("GET", "/api/v1/openapi.json", token="").json["paths"]
    for path, operations in paths.items():
        pattern = re.compile(re.sub(r"\{\w+\}", "[^/]+", path))
        for method in operations:
            assert any(
                one == method.upper() and pattern.fullmatch(place) for one, place in shown
            ), (method, path)


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_the_examples_work(tmp_path: Path) -> None:
    place = repository(
        tmp_path / "repository",
        "step.run('mkdir site && echo hello >site/index.html && seq 100 >report.txt')",
        "artifacts.upload('site/')",
        "artifacts.upload('report.txt')",
    )
    with Master(tmp_path / "data") as master:
        job = master.run(place)
        assert job["state"] == "success", job
        settings = {
            "DATA": str(master.data), "REPOSITORY": str(place), "JOB": job["id"],
            "PATH": "/usr/local/bin:/usr/bin:/bin",
        }  # fmt: skip
        first = re.sub(
            r"export MASTER=.*", f"export MASTER=http://127.0.0.1:{master.port}", BLOCKS[0]
        )
        for block in BLOCKS:
            script = first if block is BLOCKS[0] else first + block
            ended = subprocess.run(
                ["sh", "-euc", script], cwd=tmp_path, env=settings, capture_output=True, timeout=60
            )
            assert ended.returncode == 0, (block, ended.stdout[-2000:], ended.stderr)
            assert b"s3cret-value" not in ended.stdout
        assert master.process is not None and master.process.wait(30) == 0
    assert (tmp_path / "part").read_bytes() == b"1\n2\n3\n4\n5\n"
