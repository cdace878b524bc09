"""Workspaces of isolated runs, made by overlay mounts and by copying: both do the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli import Ended, danube, environment

PREPARE = """
mkdir -p full/deep empty
echo one > full/one; echo two > full/deep/two; echo file > file; echo gone > gone
ln -s file link; chmod 755 file; printf 'same' > same; echo kept > full/kept
printf 'bytes' > "$(printf 'na\\377me')"; echo 'space' > 'a b'
"""
# Each change with what the step after it finds.
CHANGES = {
    "nothing": ("true", "test -f gone && test -L link && test -x file && test -d empty"),
    "deleted file": ("rm gone", "! test -e gone && test -f file"),
    "deleted folder": ("rm -r full", "! test -e full && test -f gone"),
    "deleted in folder": ("rm full/deep/two", "! test -e full/deep/two && test -f full/one"),
    "file to folder": (
        "rm file && mkdir file && echo in > file/in",
        'test "$(ls file)" = in',
    ),
    "folder to file": ("rm -r full && echo now > full", 'test "$(cat full)" = now'),
    "folder anew": (
        "rm -r full && mkdir full && echo new > full/new",
        'test "$(ls full)" = new',
    ),
    "folder to link": ("rm -r full && ln -s . full", "test -L full && test -f full/gone"),
    "renamed folder": (
        "mv full moved",
        "! test -e full && test -f moved/deep/two && test -f moved/one",
    ),
    "renamed file": ("mv gone there", '! test -e gone && test "$(cat there)" = gone'),
    "swapped": (
        "mv file x && mv gone file && mv x gone",
        'test "$(cat file)" = gone && test "$(cat gone)" = file',
    ),
    "same size and time": (
        "touch -r same t && printf 'emas' > same && touch -r t same && rm t",
        'test "$(cat same)" = emas',
    ),
    "mode": (
        "chmod 600 file && chmod 700 full",
        'test "$(stat -c %a file)" = 600 && test "$(stat -c %a full)" = 700',
    ),
    "appended": ("echo more >> full/one", 'test "$(tail -n 1 full/one)" = more'),
    "names": (
        "rm \"$(printf 'na\\377me')\" && echo x > 'line\nbreak' && rm 'a b'",
        "test -f 'line\nbreak' && ! test -e 'a b' && test \"$(ls | wc -c)\" -lt 70",
    ),
    "link": ("ln -sfn full link", 'test "$(readlink link)" = full'),
    "time": ("touch -d 2001-01-01 gone", 'test "$(stat -c %Y gone)" = 978307200'),
}


@pytest.fixture(params=["mount", "copy"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def run(folder: Path, way: str, body: str, *arguments: str) -> Ended:
    """Runs a pipeline with a body, in workspaces of a kind."""
    root = folder / "repository"
    root.mkdir(exist_ok=True)
    indented = "".join(f"    {line}\n" for line in body.strip().splitlines())
    (root / "danubefile.py").write_text(
        f"from danube import *\n\n@pipeline\ndef p():\n{indented}"
    )
    home = {"HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache")}
    chosen = {"DANUBE_WORKSPACES": way} if way == "copy" else {}
    return danube("run", *arguments, cwd=root, env=environment(**home, **chosen))


def test_workspaces_are_made_as_asked(tmp_path: Path, way: str) -> None:
    expected = 0 if way == "mount" else 1
    ended = run(
        tmp_path, way, f'step.run("grep -q \\" $PWD overlay\\" /proc/mounts; test $? = {expected}")'
    )
    assert ended.status == 0, ended.out + ended.err


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("fork", [False, True], ids=["chain", "fork"])
def test_the_next_step_sees_what_a_step_changed(
    tmp_path: Path, way: str, change: str, fork: bool
) -> None:
    script, check = CHANGES[change]
    # Beside another branch the change has a layer of its own.
    branches = f"""
with parallel():
    step.run({script!r}, name="change")
    step.run("echo other > other", name="other")
"""
    alone = f'step.run({script!r}, name="change", retries=1)'
    ended = run(
        tmp_path,
        way,
        f"""
step.run({PREPARE!r}, name="prepare")
step.run("true", name="again", retries=1)
{branches if fork else alone}
step.run({check!r}, name="check", retries=1)
step.run({check!r}, name="check later")
""",
    )
    assert ended.status == 0, ended.out + ended.err


def test_branches_do_not_see_each_other_and_conflicts_are_named(tmp_path: Path, way: str) -> None:
    body = """
step.run("echo 0 > shared; mkdir d", name="prepare")
with parallel(fail_fast=False):
    step.run("echo 1 > {first}; sleep 0; ! test -e d/b", name="first")
    step.run("echo 2 > {second}; ! test -e d/a", name="second")
step.run("cat d/a d/b", name="join")
"""
    apart = run(tmp_path, way, body.format(first="d/a", second="d/b"))
    assert apart.status == 0, apart.out + apart.err
    same = run(tmp_path, way, body.format(first="shared", second="shared"))
    assert same.status == 1
    text = same.out + same.err
    assert "changed `shared` to different contents" in text
    assert "`first`" in text and "`second`" in text


def test_another_attempt_begins_with_the_same_workspace(tmp_path: Path, way: str) -> None:
    script = "test -e tried && exit 9; touch tried; rm kept; exit 1"
    counted = f"cat kept; echo x >> {tmp_path}/tries; {script}"
    ended = run(
        tmp_path,
        way,
        f"""
step.run("echo 1 > kept", name="prepare")
step.run({counted!r}, retries=Retry(1, delay=0), check=False)
step.run("test -e tried && ! test -e kept", name="after")
""",
    )
    assert (tmp_path / "tries").read_text() == "x\nx\n"
    # What the last attempt did is what stays.
    assert ended.status == 0, ended.out + ended.err


def test_outputs_of_declared_steps_are_joined_and_cached(tmp_path: Path, way: str) -> None:
    body = """
step.run("echo a > a; mkdir -p out; echo old > out/stale", name="prepare")
step.run(
        "! test -e out && mkdir out && cat a > out/b",
        name="declared", inputs=["a"], outputs=["out/"])
step.run("test -f out/b && test -f out/stale", name="after")
artifacts.upload("out/b")
"""
    for _ in range(2):
        ended = run(tmp_path, way, body)
        assert ended.status == 0, ended.out + ended.err
        assert (tmp_path / "repository" / "danube-out" / "b").read_text() == "a\n"
    assert "1 from cache" in ended.out or "cached" in ended.out


def test_nothing_is_left_in_the_cache_of_workspaces(tmp_path: Path, way: str) -> None:
    ended = run(tmp_path, way, 'step.run("mkdir -p a/b; chmod 500 a/b; chmod 500 a")')
    assert ended.status == 0
    assert list((tmp_path / "cache" / "danube" / "work").iterdir()) == []
