"""Steps that are cached without saying what they read or write (`cache=True`)."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from cli import danube
from runs import Place
from test_run_workspaces import CHANGES, PREPARE
from test_watch import SCHEMA

# A result has contents and whether they can be executed, no other modes and no times.
KEPT = {name: change for name, change in CHANGES.items() if name not in {"mode", "time"}}


@pytest.fixture(params=["mount", "copy"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    variables = {"DANUBE_WORKSPACES": "copy"} if request.param == "copy" else {}
    return Place(tmp_path, variables)


def counted(place: Place, script: str) -> str:
    """A script that says outside each time it runs."""
    return f"echo x >> {place.root}/ran; {script}"


def ran(place: Place) -> int:
    """How often it ran."""
    file = place.root / "ran"
    return len(file.read_text().split()) if file.exists() else 0


def passes(place: Place, *arguments: str) -> str:
    """Runs, and gives what was printed."""
    ended = place.run("isolated", *arguments)
    assert ended.status == 0, ended.out + ended.err
    return ended.out


# A working copy has no empty folder, and its names are tested elsewhere.
ORIGINS = [(change, "step") for change in KEPT] + [
    (change, "repository") for change in KEPT if change not in {"names", "nothing"}
]


@pytest.mark.parametrize(("change", "source"), ORIGINS)
def test_what_a_step_changed_is_there_again(place: Place, change: str, source: str) -> None:
    script, check = KEPT[change]
    prepare = f'step.run({PREPARE!r}, name="prepare")'
    if source == "repository":
        place.repository.mkdir()
        for name in ("full/one", "full/deep/two", "full/kept", "gone", "same"):
            place.put(name, {"same": "same"}.get(name, f"{name.rsplit('/')[-1]}\n"))
        place.put("file", "file\n").chmod(0o755)
        (place.repository / "link").symlink_to("file")
        prepare = ""
    place.write(
        f"""
{prepare}
step.run({counted(place, script)!r}, name="change", cache=True)
step.run({check!r}, name="check", retries=1)
with parallel():
    step.run({check!r}, name="left")
    step.run({check!r} + "; echo 1 > right", name="right")
step.run({check!r} + "; test -f right", name="joined")
"""
    )
    for _ in range(3):
        passes(place)
    # What `prepare` leaves has other times each time, which is nobody's business.
    assert ran(place) == 1


def test_everything_that_a_step_could_see_is_in_its_key(place: Place) -> None:
    place.put("a", "1")
    place.put("deep/b", "1")
    place.write(f'step.run({counted(place, "cat a deep/* > sum")!r}, cache=True)')
    passes(place)
    passes(place)
    assert ran(place) == 1
    place.put("deep/c", "2")
    assert "deep/c" in passes(place, "--explain")
    assert ran(place) == 2
    (place.repository / "deep/c").unlink()
    passes(place)
    assert ran(place) == 2


def test_inputs_alone_are_all_that_is_seen_and_all_changes_are_kept(place: Place) -> None:
    place.put("a", "1")
    place.put("b", "1")
    script = counted(place, "test ! -e b && mv a c && mkdir d && echo 2 > d/e")
    place.write(
        f"""
step.run({script!r}, name="move", inputs=["a"], cache=True)
step.run("test ! -e a && test -f b && test -f c && test -f d/e", name="check")
"""
    )
    passes(place)
    place.put("b", "2")
    passes(place)
    assert ran(place) == 1
    place.put("a", "2")
    passes(place)
    assert ran(place) == 2


def test_outputs_alone_are_all_that_is_kept(place: Place) -> None:
    place.put("a", "1")
    script = counted(place, "cp a out && echo 1 > other && rm a")
    place.write(
        f"""
step.run({script!r}, name="copy", outputs=["out"], cache=True)
step.run("test -f out && test ! -e other && test -f a", name="check")
"""
    )
    for _ in range(2):
        passes(place)
    assert ran(place) == 1
    # The same without the cache.
    passes(place, "--no-cache")
    assert ran(place) == 2
    place.put("b", "1")
    passes(place)
    assert ran(place) == 3


def test_a_branch_that_removes_conflicts_as_ever(place: Place) -> None:
    place.put("a", "1")
    place.write(
        """
with parallel():
    step.run("rm a", name="remove", cache=True)
    step.run("echo 2 > a", name="write")
step.run("true", name="join")
"""
    )
    for _ in range(2):
        ended = place.run("isolated")
        assert ended.status == 1
        assert "changed `a`" in ended.out + ended.err


def test_what_a_failed_attempt_left_is_found_by_what_follows(place: Place) -> None:
    place.put("a", "1")
    place.write(
        """
step.run("rm a; echo 1 > report; exit 3", name="fail", cache=True, check=False)
step.run("test ! -e a && test -f report", name="check")
"""
    )
    for _ in range(2):
        passes(place)


def test_in_place_it_says_why_it_runs_every_time(place: Place) -> None:
    place.put("a", "1")
    place.write(f'step.run({counted(place, "true")!r}, name="all", cache=True, inputs=["a"])')
    for _ in range(2):
        assert place.run("in-place").status == 0
    assert ran(place) == 2
    ended = place.run("in-place", "--dry-run")
    assert "it does not declare its outputs, and runs in place" in ended.out


def test_a_dry_run_knows_what_is_gone(place: Place) -> None:
    place.put("a/b", "1")
    place.put("c", "1")
    place.write(
        """
step.run("rm -r a; echo 1 > d", name="remove", cache=True)
step.run("echo a d; ls a d > out || true", name="list", inputs=["**"], outputs=["out"])
"""
    )
    passes(place)
    dry = passes(place, "--dry-run", "--json")
    assert dry.count('"cache":"hit"') == 2, dry


def test_an_isolated_job_that_would_do_nothing_is_known_by_its_files(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.put("a", "1")
    place.put("other", "1")
    place.write(
        f"""
step.run({counted(place, "cp a out")!r}, name="make", inputs=["a"], outputs=["out"])
artifacts.upload("out")
"""
    )
    artifact = place.repository / "danube-out/out"

    def nothing() -> bool:
        out = passes(place)
        assert artifact.read_text() == (place.repository / "a").read_text()
        return "Nothing to do" in out

    assert not nothing()
    # Where an artifact was written just now, a later change might not show.
    assert nothing() or nothing()
    event = json.loads(passes(place, "--json"))
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(event)
    assert (event["event"], event["steps"]) == ("unchanged", 2)
    (place.repository / "a").touch()
    assert nothing()
    assert "isolated" in danube("jobs", "--json", cwd=place.repository, env=place.env).out
    artifact.write_text("by hand")
    assert not nothing()
    assert nothing() or nothing()
    artifact.unlink()
    assert not nothing()
    assert nothing() or nothing()
    assert ran(place) == 1
    # Another file: everything is looked up, and comes from the cache.
    place.put("other", "2")
    assert not nothing()
    assert nothing() or nothing()
    assert ran(place) == 1
    place.put("a", "2")
    assert not nothing()
    assert ran(place) == 2
    assert nothing() or nothing()
    assert "Nothing to do" not in passes(place, "--no-cache")
    assert ran(place) == 3


def test_a_job_with_a_step_that_runs_every_time_is_never_nothing(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.put("a", "1")
    place.write(
        f"""
step.run("cp a out", name="make", inputs=["a"], outputs=["out"])
step.run({counted(place, "true")!r}, name="every time")
"""
    )
    for _ in range(3):
        assert "Nothing to do" not in passes(place)
    assert ran(place) == 3
