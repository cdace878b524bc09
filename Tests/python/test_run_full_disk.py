"""A full disk ends a run in order, is named, and the next run recovers by itself."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runs import MODES, Place

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")

MAKE = "head -c 8388608 /dev/urandom"
BODIES = {
    "cache": f"step.run('{MAKE} > made', name='Make', inputs=[], outputs=['made'])",
    "state": f"step.run('{MAKE} | base64', name='Make')",
    "repository/danube-out": f"step.run('{MAKE} > made', name='Make')\nartifacts.upload('made')",
}


@contextmanager
def _small_disk(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("full", BODIES)
def test_a_full_disk_is_named_and_recovered_from(tmp_path: Path, full: str, mode: str) -> None:
    place = Place(tmp_path)
    place.write("step.run('echo 1 > first', name='First')\n" + BODIES[full])
    with _small_disk(tmp_path / full):
        ended = place.run(mode)
        said = ended.out + ended.err
        if full == "state":
            # What a step did is worth more than what it printed.
            assert ended.status == 0, said
            assert "The log is incomplete" in said
        else:
            assert ended.status in (1, 3), said
        if full != "cache" or mode == "in-place":
            assert str(tmp_path / full) in said
        assert "o space" in said, said
        small = place.run(mode)
        assert small.status in (0, 1, 3), small.out + small.err
        subprocess.run(
            ["mount", "-o", "remount,size=64m", "tmpfs", tmp_path / full], check=True
        )
        ended = place.run(mode)
        assert ended.status == 0, ended.out + ended.err
        assert "o space" not in ended.out + ended.err
        if full == "repository/danube-out":
            assert (place.repository / "danube-out/made").stat().st_size == 8388608
        assert place.left == []
