"""The process that runs the steps."""

from __future__ import annotations

from pathlib import Path

import pytest

from runs import MODES, Place

# A folder of each thread of the process that started the step, with the processes it started.
CHILDREN = """
step.run('for thread in /proc/$PPID/task/*; do'
    ' echo "${thread##*/} $PPID $(cat "$thread/children")"; done > threads')
artifacts.upload('threads')
"""


@pytest.mark.parametrize("mode", MODES)
def test_steps_are_run_by_a_thread_that_was_made_after_the_fork(tmp_path: Path, mode: str) -> None:
    """The first thread of a forked process cannot wait for the locks of Swift's run-time."""
    place = Place(tmp_path)
    place.write(CHILDREN)
    ended = place.run(mode)
    assert ended.status == 0, ended.err + ended.out
    lines = (place.repository / "danube-out/threads").read_text().splitlines()
    started = {}
    for line in lines:
        thread, process, *children = line.split()
        started[thread == process] = started.get(thread == process, 0) + len(children)
    assert started[True] == 0, lines
    assert started[False] > 0, lines
