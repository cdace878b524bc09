"""A run that is killed, or whose disk fails, at any change of a file: the next one is as if cold.

A sample of the points is tried; DANUBE_CRASH_SWEEP=n tries every n-th one.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

import cli
from runs import Place

FAULTS = ["kill", "tear", "EIO", "ENOSPC"]
SAMPLE = 6
# Exit codes of a run that fails in order; 137 is the fault's own.
ORDERLY = {0, 1, 3}

BODY = """
step.run('rm -f sum word; echo prepared > base; mkdir -p sub/empty; ln -sf base link')
for n in range(8):
    step.run(f'cat in{n % 3} > made{n}; echo {n} >> made{n}; chmod +x made{n}; echo text',
        name=f'Make {n}', inputs=[f'in{n % 3}'], outputs=[f'made{n}'])
with parallel():
    for n in range(6):
        step.run(f'cat made{n} base > branch{n}', name=f'Branch {n}')
    with sequence():
        step.run('mkdir -p tree/deep; cp made* tree/deep', name='Tree', inputs=['made*'],
            outputs=['tree/'])
        word = step.run('cat made0 | head -1', capture=True, name='Word', inputs=['made0'],
            outputs=[])
step.run(f'echo {word} > word; rm -f link', name='Use')
step.run('head -c 3000000 /dev/zero > large', inputs=[], outputs=['large'], name='Large')
for n in range(8):
    step.run(f'cat branch{n % 6} word >> sum', name=f'Sum {n}')
step.run('find . -path ./danube-out -prune -o -type f -not -name danubefile.py'
    ' -not -name listing -print'
    ' | LC_ALL=C sort | xargs sha256sum > listing', name='List')
artifacts.upload('listing')
artifacts.upload('tree/', name='tree')
"""

# Only steps whose results are kept, so that the job itself is remembered.
KEPT = """
for n in range(10):
    step.run(f'cat in{n % 3} > a{n}', name=f'A{n}', inputs=[f'in{n % 3}'], outputs=[f'a{n}'])
for n in range(10):
    step.run(f'mkdir -p b{n}/e; cat a{n} a{(n + 1) % 10} > b{n}/f; ln -sf f b{n}/l', name=f'B{n}',
        inputs=[f'a{n}', f'a{(n + 1) % 10}'], outputs=[f'b{n}/'])
step.run('cat b*/f > all', name='All', inputs=['b*/**'], outputs=['all'])
artifacts.upload('all')
"""
CASES = [("in-place", BODY), ("isolated", BODY), ("in-place", KEPT)]


def _place(root: Path, body: str) -> Place:
    place = Place(root)
    place.write(body)
    for n in range(3):
        place.put(f"in{n}", f"{n}\n" * 100)
    return place


def _outputs(place: Place) -> dict[str, bytes]:
    folder = place.repository
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _faulty(place: Place, mode: str, shim: Path, told: Path, at: int, fault: str) -> cli.Ended:
    env = {
        **place.env,
        "LD_PRELOAD": str(shim),
        "FAULT_BELOW": str(place.root),
        "FAULT_AT": str(at),
        "FAULT_MODE": fault,
        "FAULT_TOLD": str(told),
    }
    return cli.danube(*place.arguments(mode), cwd=place.repository, env=env)


def _check_databases(place: Place) -> None:
    for path in [*place.cache.rglob("*.db"), *place.state.rglob("*.db")]:
        with sqlite3.connect(path) as database:
            assert database.execute("pragma integrity_check").fetchone() == ("ok",), path


def _check_point(
    place: Place, mode: str, shim: Path, at: int, fault: str, cold: dict[str, bytes]
) -> None:
    root = place.root
    told = root.with_suffix(".told")
    ended = _faulty(place, mode, shim, told, at, fault)
    hit = told.read_text() if told.exists() else "nothing"
    about = f"point {at} ({hit}), {fault}: status {ended.status}\n{ended.err}{ended.out}"
    if ended.status == 0:
        assert _outputs(place) == cold, about
    elif fault not in ("kill", "tear"):
        assert ended.status in ORDERLY, about
        words = ("Input/output error", "I/O error", "space", "device of the file system")
        assert any(word in ended.err + ended.out for word in words), about
    else:
        assert ended.status == 137, about
    following = place.run(mode)
    assert following.status == 0, f"{about}\nthen\n{following.err}{following.out}"
    assert _outputs(place) == cold, about
    assert place.left == [], about
    _check_databases(place)
    # Nothing that was half written is taken for a result afterwards.
    again = place.run(mode)
    assert again.status == 0, f"{about}\nthen\n{again.err}{again.out}"
    assert _outputs(place) == cold, about
    shutil.rmtree(root)


@pytest.mark.parametrize(("mode", "body"), CASES, ids=["in-place", "isolated", "remembered"])
@pytest.mark.parametrize("fault", FAULTS)
def test_the_next_run_is_as_if_cold(
    tmp_path: Path, shim: Path, mode: str, body: str, fault: str
) -> None:
    place = _place(tmp_path / "cold", body)
    told = tmp_path / "count"
    ended = _faulty(place, mode, shim, told, 0, "kill")
    assert ended.status == 0, ended.err + ended.out
    cold = _outputs(place)
    assert "danube-out/all" in cold or "danube-out/tree/deep/made7" in cold
    count = int(told.read_text())
    assert count > 100
    stride = int(os.environ.get("DANUBE_CRASH_SWEEP", 0))
    # The sample shifts with the kind of fault, so that together they see more points.
    first = 1 + FAULTS.index(fault) * (count // SAMPLE // len(FAULTS))
    points = range(1, count + 1, stride) if stride else range(first, count + 1, count // SAMPLE)
    bad = []
    for at in points:
        try:
            _check_point(_place(tmp_path / f"p{at}", body), mode, shim, at, fault, cold)
        except AssertionError as error:
            if not stride:
                raise
            bad.append(str(error).split("\nassert ")[0][:1500])
    assert not bad, f"{len(bad)} of {len(points)} points\n" + "\n---\n".join(bad)
