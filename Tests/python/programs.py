"""Programs that tests use beside Danube's own."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def program(name: str, source: str) -> str:
    """Where a program is, of which `source` says how it is got."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:{ROOT}/.build/programs")
    if found is None:
        if "CI" in os.environ:
            pytest.fail(f"there is no {name}: {source}")
        pytest.skip(f"there is no {name}: {source}")
    return found
