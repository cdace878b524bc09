"""What the tests of this folder share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import played_master
import pytest
from faults import build_library
from fixture_cases import SDK, executable

sys.path.insert(0, str(SDK))
sys.dont_write_bytecode = True


@pytest.fixture(scope="session")
def danube() -> Path:
    """The program under test.

    A test that needs it is skipped where it was not built, but never in CI.
    """
    program = executable()
    if program is None:
        if "CI" in os.environ or "DANUBE" in os.environ:
            pytest.fail("there is no danube program: build it, or say where it is with DANUBE")
        pytest.skip("danube is not built: run `swift build`")
    return program


@pytest.fixture(scope="session")
def danube_program(danube: Path) -> Path:
    """The same, for tests in which `danube` is the function that runs it."""
    return danube


@pytest.fixture
def master(tmp_path: Path, danube_program: Path) -> Iterator[played_master.Master]:
    """A master that plays; `tmp_path` is the home of those who ask it."""
    with played_master.master(tmp_path) as playing:
        playing.answers["GET whoami"] = lambda reply: reply.json(
            {"name": "ada", "scopes": ["read", "write"], "expires": "2030-01-01T00:00:00.000Z"}
        )
        yield playing


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that makes calls fail."""
    return build_library(tmp_path_factory.mktemp("shim"), "shim")


@pytest.fixture(scope="session")
def update_goldens() -> bool:
    """Whether goldens are written instead of compared."""
    return os.environ.get("DANUBE_UPDATE_GOLDENS") == "1"
