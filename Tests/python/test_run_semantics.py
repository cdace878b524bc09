"""What `danube run` does with a pipeline, in both modes, against what its file says."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import cli
from runs import MODES, Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def _trail(place: Place) -> list[str]:
    """The lines that steps wrote outside of their workspaces, in that order."""
    path = place.root / "trail"
    return path.read_text().split() if path.exists() else []


def _note(place: Place, word: str) -> str:
    return f"echo {word} >> '{place.root}/trail'"


@pytest.mark.parametrize("mode", MODES)
def test_a_workspace_goes_from_step_to_step(place: Place, mode: str) -> None:
    place.write(
        "step.run('echo 1 > a')\n"
        "step.run('cat a; echo 2 >> a; mkdir -p d/e; touch d/e/f')\n"
        "step.run('rm -r d; echo 3 >> a')\n"
        "step.run('test ! -e d && cat a > all')\n"
        "artifacts.upload('all')\n"
    )
    ended = place.run(mode)
    assert ended.status == 0, ended.err + ended.out
    assert place.artifact("all") == "1\n2\n3\n"
    assert (place.repository / "a").exists() == (mode == "in-place")


@pytest.mark.parametrize("mode", MODES)
def test_what_follows_a_failure_sees_what_was_there(place: Place, mode: str) -> None:
    place.write(
        "try:\n"
        "    step.run('echo 1 > a', name='A')\n"
        "    step.run('echo 2 > b; exit 3', name='B')\n"
        "    step.run('echo never > c', name='C')\n"
        "    step.run('echo never > c', name='D')\n"
        "finally:\n"
        "    step.run('cat a b > all; test ! -e c', name='F')\n"
        "    artifacts.upload('all')\n"
    )
    ended = place.run(mode)
    assert ended.status == 1
    assert place.artifact("all") == "1\n2\n", ended.out


@pytest.mark.parametrize("mode", MODES)
def test_what_follows_a_step_that_could_not_start_sees_what_was_there(
    place: Place, mode: str
) -> None:
    place.write(
        "step.run('echo 1 > a', name='A')\n"
        "try:\n"
        "    step.run('true', name='B', env={'X': secrets.get('NONE')})\n"
        "except StepFailed:\n"
        "    try:\n"
        "        step.run(['./none'], name='C')\n"
        "    finally:\n"
        "        step.run('cat a > all', name='D')\n"
        "        artifacts.upload('all')\n"
    )
    ended = place.run(mode)
    assert place.artifact("all") == "1\n", ended.err
    assert "B: The step cannot run: secret `NONE` was not given" in ended.out
    assert "Give it with --secret NONE" in ended.out
    assert "C: The step cannot run: there is no program `./none`" in ended.out


@pytest.mark.parametrize("mode", MODES)
def test_a_step_that_danube_cannot_run_is_never_allowed_to_fail(place: Place, mode: str) -> None:
    place.write(
        "step.run(['./none'], name='A', check=False)\n"
        f"step.run({_note(place, 'never')!r}, name='B')\n"
    )
    ended = place.run(mode)
    assert ended.status == 1
    assert "allowed" not in ended.out
    assert _trail(place) == []


def test_parallel_branches_begin_alike_and_are_joined(place: Place) -> None:
    place.write(
        "step.run('echo 0 > a; mkdir d; echo 0 > d/x; echo 0 > d/y; mkdir -p gone/deep')\n"
        "with parallel():\n"
        "    step.run('test ! -e b && test $(cat a) = 0 && echo 1 > b')\n"
        "    step.run('test ! -e b && echo 2 > c && rm d/x && rm -r gone')\n"
        "    with sequence():\n"
        "        step.run('echo 3 > d/y')\n"
        "        step.run('test $(cat d/y) = 3 && test -e d/x && echo 4 > d/z')\n"
        "        with parallel():\n"
        "            step.run('test -e d/z && mkdir -p new && echo 5 > new/5')\n"
        "            step.run('test -e d/z && mkdir -p new && echo 6 > new/6')\n"
        "step.run('find . -type f -not -name danubefile.py | sort | xargs grep . > /tmp/$$;"
        " mv /tmp/$$ all; ! test -e gone')\n"
        "artifacts.upload('all')\n"
    )
    ended = place.run("isolated")
    assert ended.status == 0, ended.err + ended.out
    assert place.artifact("all").split() == [
        "./a:0", "./b:1", "./c:2", "./d/y:3", "./d/z:4", "./new/5:5", "./new/6:6",
    ]  # fmt: skip


CONFLICTS = {
    "two contents": ("echo 1 > d/x", "echo 2 > d/x", "d/x"),
    "content and removal": ("echo 1 > d/x", "rm d/x", "d/x"),
    "content and removal of the folder": ("echo 1 > d/x", "rm -r d", "d"),
    "new file and removal of the folder": ("echo 1 > d/new", "rm -r d", "d"),
    "file and folder": ("rm -r d; echo 1 > d", "echo 1 > d/x", "d"),
    "file and link": ("echo 1 > l", "ln -s d l", "l"),
    "two links": ("ln -s a l", "ln -s b l", "l"),
    "executable or not": ("echo 1 > p", "echo 1 > p; chmod +x p", "p"),
    "same size": ("printf 12 > p", "printf 21 > p", "p"),
    "replaced folder, kept file": (
        "rm -r d; mkdir d; echo 0 > d/x", "rm -r d; mkdir d; echo 0 > d/y", "d/"),
}  # fmt: skip


@pytest.mark.parametrize("case", CONFLICTS)
def test_a_conflict_at_the_end_is_one_too(place: Place, case: str) -> None:
    first, second, path = CONFLICTS[case]
    place.write(
        "step.run('mkdir d; echo 0 > d/x; echo 0 > d/y', name='Make')\n"
        "with parallel():\n"
        f"    step.run({first!r}, name='First')\n"
        "    with sequence():\n"
        f"        step.run({second!r}, name='Second')\n"
        "        artifacts.upload('danubefile.py')\n"
        "    step.run('true', name='Third')\n"
    )
    ended = place.run("isolated")
    assert ended.status == 1
    said = cli.uncoloured(ended.err + ended.out)
    assert "`First` and `Second` ran at the same time and changed `" + path in said, said
    assert "what parallel branches left cannot be joined" in said
    jobs = cli.danube("jobs", cwd=place.repository, env=place.env)
    assert "failed" in jobs.out


@pytest.mark.parametrize("cached", [True, False])
def test_declared_outputs_that_differ_at_the_end_are_a_conflict(
    place: Place, cached: bool
) -> None:
    for name in ("a", "b"):
        place.put(name, name)
    body = "".join(
        f"    step.run('cat {name} > out', name='{name}', inputs=['{name}'], outputs=['out'])\n"
        for name in "ab"
    )
    place.write("with parallel():\n" + body)
    for _ in range(2 if cached else 1):
        ended = place.run("isolated")
        assert ended.status == 1
        assert "`a` and `b` ran at the same time and changed `out`" in ended.out + ended.err
    place.put("b", "a")
    assert place.run("isolated").status == 0


@pytest.mark.parametrize("case", CONFLICTS)
def test_a_conflict_names_both_steps_and_the_path(place: Place, case: str) -> None:
    first, second, path = CONFLICTS[case]
    place.write(
        "step.run('mkdir d; echo 0 > d/x; echo 0 > d/y', name='Make')\n"
        "try:\n"
        "    with parallel():\n"
        f"        step.run({first!r}, name='First')\n"
        f"        step.run({second!r}, name='Second')\n"
        "    step.run('true', name='After')\n"
        "finally:\n"
        "    step.run('ls > all', name='Clean')\n"
        "    artifacts.upload('all')\n"
    )
    ended = place.run("isolated")
    assert ended.status == 1
    said = cli.uncoloured(ended.err + ended.out)
    assert "`First` and `Second` ran at the same time and changed `" + path in said, said
    assert "danubefile.py" in place.artifact("all")


AGREEMENTS = {
    "same content": ("echo 1 > x", "echo 1 > x", "x"),
    "same removal": ("rm -r d", "rm -r d", ""),
    "same link": ("ln -s d l", "ln -s d l", "l"),
    "own files in one new folder": ("mkdir n; echo 1 > n/a", "mkdir n; echo 2 > n/b", "n/a n/b"),
    "own files in a folder that both replaced": (
        "rm -r d; mkdir d; echo 1 > d/a", "rm -r d; mkdir d; echo 2 > d/b", "d/a d/b"),
    "a temporary file": ("echo 1 > t; rm t; echo 1 > x", "echo 2 > t; rm t", "x"),
    "a pipe": ("mkfifo pipe; echo 1 > x", "echo 2 > y", "x y"),
    "both a pipe": ("mkfifo pipe; echo 1 > x", "mkfifo pipe", "x"),
}  # fmt: skip


@pytest.mark.parametrize("followed", [True, False])
@pytest.mark.parametrize("case", AGREEMENTS)
def test_what_branches_agree_on_is_joined(place: Place, case: str, followed: bool) -> None:
    first, second, files = AGREEMENTS[case]
    there = " && ".join(f"test -e {name} -o -L {name}" for name in files.split()) or "test ! -e d"
    place.write(
        "step.run('mkdir d; echo 0 > d/x', name='Make')\n"
        "with parallel():\n"
        f"    step.run({first!r}, name='First')\n"
        f"    step.run({second!r}, name='Second')\n"
        + (f"step.run({there!r}, name='After')\n" if followed else "")
    )
    ended = place.run("isolated")
    assert ended.status == 0, ended.err + ended.out


def test_many_layers_are_no_conflict(place: Place) -> None:
    # More layers than are mounted on each other, below a fork, in a branch, and above.
    chain = "for n in range({0}, {1}):\n    step.run(f'echo {{n}} > f{{n}}', retries=1)\n"
    inner = chain.format(100, 170).replace("\n    ", "\n            ").replace("for", "        for")
    place.write(
        chain.format(0, 60)
        + "with parallel():\n"
        + "    step.run('echo changed > f3')\n"
        + "    with sequence():\n"
        + inner
        + "    step.run('rm f4')\n"
        + chain.format(200, 270)
        + "step.run('cat f3 f169 f269; test ! -e f4; ls | grep -c ^f > all')\n"
        + "artifacts.upload('all')\n"
    )
    ended = place.run("isolated")
    assert ended.status == 0, ended.err + ended.out
    assert place.artifact("all") == "199\n"


@pytest.mark.parametrize("mode", MODES)
def test_conditions_on_codes_and_output(place: Place, mode: str) -> None:
    place.write(
        "code = step.run('exit 3', name='Code', check=False)\n"
        "text = step.run('echo v1.2-rc1', name='Text', capture=True)\n"
        "if code == 3:\n"
        f"    step.run({_note(place, 'three')!r}, name='Three')\n"
        "else:\n"
        f"    step.run({_note(place, 'other')!r}, name='Other')\n"
        "version = text.removeprefix('v').split('-')[0]\n"
        "if '-rc' in text:\n"
        f"    step.run(f\"echo {{version}} >> '{place.root}/trail'\", name='Version')\n"
        "if text == 'x':\n"
        f"    step.run({_note(place, 'never')!r}, name='Never')\n"
        f"step.run({_note(place, 'end')!r}, name='End')\n"
    )
    ended = place.run(mode)
    assert ended.status == 0, ended.err + ended.out
    assert _trail(place) == ["three", "1.2", "end"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("fail_fast", [True, False])
def test_a_failure_in_a_branch(place: Place, mode: str, fail_fast: bool) -> None:
    # The slow branch waits for the failing one, so that it is in the middle when it is cancelled.
    fifo = place.root / "fifo"
    os.mkfifo(fifo)
    slow = f"read x < '{fifo}'; {_note(place, 'slow')}" if not fail_fast else f"read x < '{fifo}'"
    fail = "exit 1" if fail_fast else f"echo > '{fifo}'; exit 1"
    place.write(
        f"with parallel(fail_fast={fail_fast}):\n"
        f"    step.run({fail!r}, name='Fail')\n"
        "    with sequence():\n"
        f"        step.run({slow!r}, name='Slow')\n"
        f"        step.run({_note(place, 'next')!r}, name='Next')\n"
        f"step.run({_note(place, 'never')!r}, name='Never')\n"
    )
    ended = place.run(mode, "-j", "2")
    assert ended.status == 1
    assert _trail(place) == ([] if fail_fast else ["slow", "next"])


@pytest.mark.parametrize("mode", MODES)
def test_retries_end_with_success_and_begin_afresh(place: Place, mode: str) -> None:
    place.write(
        "step.run('echo 0 > a', name='Make')\n"
        "step.run(\n"
        f"    \"echo try >> '{place.root}/trail'; cat a >> '{place.root}/trail'; echo 1 > a;\"\n"
        f"    \" test $(grep -c try '{place.root}/trail') = 3 || exit 7\",\n"
        "    name='Flaky', retries=Retry(5, delay=0.01, on=[7]))\n"
        "step.run('exit 7', name='Hopeless', retries=Retry(2, delay=0.01), check=False)\n"
        f"step.run('echo once >> \"{place.root}/trail\"; exit 8', name='Other code', check=False,\n"
        "    retries=Retry(5, delay=0.01, on=[7]))\n"
    )
    ended = place.run(mode)
    assert ended.status == 0, ended.err + ended.out
    seen = "0" if mode == "isolated" else "1"
    assert _trail(place) == ["try", "0", "try", seen, "try", seen, "once"]


@pytest.mark.parametrize("mode", MODES)
def test_what_a_later_attempt_gives_is_kept(place: Place, mode: str) -> None:
    place.put("in", "1")
    count = f"echo try >> '{place.root}/trail'"
    place.write(
        f"step.run(\"{count}; cat in > out; test $(grep -c try '{place.root}/trail') -ge 3\",\n"
        "    name='Flaky', inputs=['in'], outputs=['out'], retries=Retry(3, delay=0.01))\n"
        "step.run('cat out > all', name='All')\n"
        "artifacts.upload('all')\n"
    )
    assert place.run(mode).status == 0
    ended = place.run(mode)
    assert ended.status == 0 and "Flaky  cached" in ended.out, ended.out + ended.err
    assert place.artifact("all") == "1"
    assert _trail(place) == ["try"] * 3
    place.put("in", "2")
    assert place.run(mode).status == 0
    assert place.artifact("all") == "2"


@pytest.mark.parametrize("mode", MODES)
def test_except_and_else(place: Place, mode: str) -> None:
    place.write(
        "for code in ('exit 0', 'exit 4'):\n"
        "    try:\n"
        "        step.run(code, name=code)\n"
        "    except StepFailed as failure:\n"
        f"        step.run(f\"echo {{failure.code}} >> '{place.root}/trail'\", name='E ' + code)\n"
        "    else:\n"
        f"        step.run({_note(place, 'else')!r}, name='L ' + code)\n"
        "    finally:\n"
        f"        step.run({_note(place, 'finally')!r}, name='F ' + code)\n"
    )
    ended = place.run(mode)
    assert ended.status == 0, ended.err + ended.out
    assert _trail(place) == ["else", "finally", "4", "finally"]


def test_a_declared_step_sees_its_inputs_and_gives_its_outputs(place: Place) -> None:
    place.write(
        "step.run('echo 1 > other; echo 2 > seen')\n"
        "step.run('x=$(find . -mindepth 1 | sort); echo \"$x\" > out;"
        " echo 3 > undeclared; echo 4 > seen',\n"
        "    inputs=['seen', 'src/**'], outputs=['out', 'made/'], name='Declared')\n"
        "step.run('cat out; test ! -e undeclared && cat seen >> out')\n"
        "artifacts.upload('out')\n"
    )
    place.put("src/a b/c.txt", "x")
    place.put("hidden.txt", "x")
    ended = place.run("isolated")
    assert ended.status == 0, ended.err + ended.out
    assert place.artifact("out").split("\n") == [
        "./seen", "./src", "./src/a b", "./src/a b/c.txt", "2", "",
    ]  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
def test_outputs_come_back_as_they_were(place: Place, mode: str) -> None:
    make = (
        "mkdir -p o/empty o/deep; echo 1 > o/plain; echo 2 > o/run; chmod 755 o/run;"
        " echo 3 > o/secret; chmod 4755 o/secret; echo 4 > o/locked; chmod 444 o/locked;"
        " ln -s ../o/plain o/link; ln -s nowhere o/dangling; ln -s . o/loop;"
        " printf x > 'o/with space'; printf y > \"$(printf 'o/new\\nline')\";"
        " printf z > \"$(printf 'o/byte\\377')\""
    )
    show = (
        "(cd o && find . -mindepth 1 -printf '%p %y %l ' "
        "\\( -perm -100 -printf 'x\\n' -o -printf -- '-\\n' \\) | LC_ALL=C sort) > all;"
        " test ! -u o/secret || echo setuid >> all"
    )
    place.write(
        f"step.run({make!r}, name='Make', inputs=[], outputs=['o/'])\n"
        f"step.run({show!r}, name='Show')\n"
        "artifacts.upload('all')\n"
        "artifacts.upload('o/', name='o')\n"
    )
    first = place.run(mode)
    assert first.status == 0, first.err
    shown = place.artifact("all")
    before = sorted(os.listdir(os.fsencode(place.repository / "danube-out/o")))
    if mode == "in-place":
        cli.subprocess.run(["rm", "-r", place.repository / "o"], check=True)
    second = place.run(mode, "--explain")
    assert second.status == 0, second.err
    expected = shown.replace("setuid\n", "")
    assert place.artifact("all") == expected
    assert sorted(os.listdir(os.fsencode(place.repository / "danube-out/o"))) == before
    assert b"byte\xff" in before and b"new\nline" in before and b"empty" in before
    if mode == "isolated":
        assert shown == expected


def test_names_of_any_bytes_are_in_the_workspace(place: Place) -> None:
    names = [b"with space", b"new\nline", b"byte\xff", b"'\"$x", "é😀".encode(), b"-n"]
    names.append(b"a:b,c\\d")
    place.write(
        "step.run('find src -type f -print0 | LC_ALL=C sort -z > all')\nartifacts.upload('all')"
    )
    folder = os.fsencode(place.repository / "src")
    os.makedirs(folder)
    for name in names:
        os.makedirs(folder + b"/" + name)
        Path(os.fsdecode(folder + b"/" + name + b"/" + name)).write_bytes(name)
    os.symlink(".", folder + b"/loop")
    os.symlink("../src", folder + b"/loop2")
    expected = sorted(b"src/" + name + b"/" + name for name in names)
    for commit in (False, True):
        if commit:
            cli.commit(place.repository)
        for arguments in [(), ("--rev", "HEAD")] if commit else [()]:
            ended = place.run("isolated", *arguments)
            assert ended.status == 0, ended.err + ended.out
            shown = (place.repository / "danube-out/all").read_bytes()
            assert shown.rstrip(b"\0").split(b"\0") == expected


def test_a_run_of_a_commit(place: Place) -> None:
    place.write("step.run('cat a > all; test ! -e new')\nartifacts.upload('all')")
    place.put("a", "committed")
    cli.commit(place.repository)
    place.put("a", "edited")
    place.put("new", "x")
    ended = place.run("isolated", "--rev", "HEAD")
    assert ended.status == 0, ended.err + ended.out
    assert place.artifact("all") == "committed"
    place.write("step.run('cat a new > all')\nartifacts.upload('all')")
    assert place.run("isolated").status == 0
    assert place.artifact("all") == "editedx"


def test_ignored_files_stay_out_even_when_git_refuses(place: Place) -> None:
    place.write("step.run('ls -A > all')\nartifacts.upload('all')")
    place.put(".gitignore", "ignored\n")
    place.put("ignored", "secret")
    cli.commit(place.repository)
    assert place.run("isolated").status == 0
    assert "ignored\n" not in place.artifact("all").replace(".gitignore\n", "")
    (place.repository / ".git/index").write_bytes(b"damaged")
    ended = place.run("isolated")
    assert ended.status == 3
    assert "git cannot list the files" in ended.err


def test_unreadable_and_odd_files_of_the_working_copy(place: Place) -> None:
    place.write("step.run('ls -A > all; cat locked >> all')\nartifacts.upload('all')")
    place.put("locked", "readable").chmod(0o400)
    place.put("tool", "#!/bin/sh\n").chmod(0o4755)
    os.mkfifo(place.repository / "pipe")
    ended = place.run("isolated")
    assert ended.status == 0, ended.err + ended.out
    assert "readable" in place.artifact("all")


def test_an_input_that_changes_meanwhile_gives_no_result(place: Place) -> None:
    place.put("in", "1")
    place.write(
        "step.run('cat in > out; printf 2 > in', name='Racy', inputs=['in'], outputs=['out'])"
    )
    assert place.run("in-place").status == 0
    place.put("in", "1")
    place.put("out", "gone")
    place.run("in-place")
    assert (place.repository / "out").read_text() == "1"


@pytest.mark.parametrize("mode", MODES)
def test_two_runs_at_once_share_a_cache(place: Place, mode: str) -> None:
    # Each one waits for the other in its first step, so they do run at once.
    os.mkfifo(place.root / "a")
    os.mkfifo(place.root / "b")
    meet = "if mkdir '{0}/first' 2> /dev/null; then echo > '{0}/a'; read x < '{0}/b';" \
        " else read x < '{0}/a'; echo > '{0}/b'; fi"  # fmt: skip
    place.write(
        f"step.run({meet.format(place.root)!r}, name='Meet')\n"
        "for n in range(20):\n"
        "    step.run(f'cat in{n % 3} > out{n}; echo {n} >> out{n}', name=f'S{n}',\n"
        "        inputs=[f'in{n % 3}'], outputs=[f'out{n}'])\n"
        "step.run('cat out*', name='End')\n"
    )
    for n in range(3):
        place.put(f"in{n}", str(n))
    with place.running(mode) as one, place.running(mode) as two:
        told = [process.communicate(timeout=cli.DEADLINE)[0].decode() for process in (one, two)]
    assert [one.returncode, two.returncode] == [0, 0], told
    assert place.left == []


@pytest.mark.parametrize("git", [True, False])
@pytest.mark.parametrize("pattern", ["src/*.c", "**/*.c", "src/*"])
@pytest.mark.parametrize("folder", ["", "src/"])
def test_outputs_in_a_folder_that_was_listed_do_not_run_it_again(
    place: Place, git: bool, pattern: str, folder: str
) -> None:
    place.write(
        f"for one in files.glob({pattern!r}):\n"
        "    name = one[4:].removesuffix('.c')\n"
        "    if one.endswith('.c'):\n"
        f"        step.run(f'cat {{one}} > {folder}{{name}}.out', name=name,\n"
        f"            inputs=[one], outputs=[f'{folder}{{name}}.out'])\n"
    )
    for name in "abc":
        place.put(f"src/{name}.c", name)
    if git:
        cli.commit(place.repository)
    assert "3 ran" in place.run("in-place").out
    for _ in range(2):
        assert "Nothing to do: 3 steps" in place.run("in-place").out
    place.put("src/a.c", "changed")
    assert "1 ran, 2 cached" in place.run("in-place").out
    assert (place.repository / f"{folder}a.out").read_text() == "changed"
    assert "Nothing to do: 3 steps" in place.run("in-place").out
    place.put("src/d.c", "new")
    assert "1 ran, 3 cached" in place.run("in-place").out


def test_outputs_beside_what_a_glob_names_leave_the_plan_remembered(place: Place) -> None:
    place.write(
        "step.run('cat ' + ' '.join(files.glob('src/*.c')) + ' > all', name='A',\n"
        "    inputs=['src/*.c'], outputs=['all'])\n"
    )
    place.put("src/a.c", "a")

    def listings() -> list[str]:
        ended = cli.danube("plan", "--format", "json", cwd=place.repository, env=place.env)
        return [one["path"] for one in json.loads(ended.out)["sources"] if one["kind"] == "listing"]

    assert listings() == ["src"]
    assert place.run("in-place").status == 0
    assert listings() == ["src"]


def test_every_step_sees_its_workspace_at_one_path(place: Place) -> None:
    tool = "printf '#!/bin/sh\\ncat a\\n' > tool && chmod +x tool && echo $PWD/tool > path"
    place.write(
        f"step.run({tool!r}, name='Make', inputs=['none'], outputs=['tool', 'path'])\n"
        "step.run('echo 0 > a', name='Write')\n"
        "with parallel():\n"
        "    for n in '12':\n"
        "        with sequence():\n"
        "            step.run(f'echo {n} > a', name=f'W{n}')\n"
        "            step.run(f'test $($(cat path)) = {n}; r=$?; rm a; exit $r',\n"
        "                name=f'R{n}')\n"
        "step.run('test $PWD = $DANUBE_WORKSPACE && pwd > all', name='All', workdir='.')\n"
        "artifacts.upload('all')\n"
    )
    for _ in range(2):
        ended = place.run("isolated", "-j", "2")
        assert ended.status == 0, ended.err + ended.out
        assert place.artifact("all").strip() == str(place.cache / "workspace")
    assert os.listdir(place.cache / "workspace") == []
    assert place.left == []


def test_what_a_failure_blocks_is_one_line(place: Place) -> None:
    place.write("step.run('exit 3', name='Fail')\n" + "".join(
        f"step.run('true', name='S{n}')\n" for n in range(50)
    ))
    ended = place.run("isolated")
    assert ended.status == 1
    assert ended.out.count("blocked") == 2, ended.out
    assert "S0, S1, S2 and 47 more  blocked  [51/51]" in ended.out


@pytest.mark.parametrize(
    ("mode", "command", "hinted"),
    [
        ("isolated", "cat src/other > out", True),
        ("isolated", "cp src/in made/out", True),
        ("isolated", "echo wrong; exit 1", False),
        ("in-place", "cp src/in made/out", False),
    ],
)
def test_a_declared_step_that_lacks_something_says_what_it_began_with(
    place: Place, mode: str, command: str, hinted: bool
) -> None:
    place.put("src/in")
    place.put("src/other")
    place.write(f"step.run({command!r}, inputs=['src/in'], outputs=['out', 'made/'])\n")
    ended = place.run(mode)
    assert ended.status == 1
    hint = "hint: It began with the files of its inputs= and nothing else"
    assert (hint in ended.out + ended.err) == hinted, ended.out


@pytest.mark.parametrize("sequence", [True, False])
def test_an_upload_beside_what_makes_it_is_told_of_sequence(place: Place, sequence: bool) -> None:
    head, indent = ("    with sequence():\n", "        ") if sequence else ("", "    ")
    place.write(
        f"with parallel():\n{head}{indent}step.run('echo 1 > all', name='Make')\n"
        f"{indent}artifacts.upload('all')\n"
    )
    ended = place.run("isolated")
    assert ended.status == (0 if sequence else 1)
    assert ("put it into a sequence() with what makes it" in ended.out) != sequence
    assert "It wrote nothing" not in ended.out


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("end", ["exit 3", "kill -9 $$", "sleep 600"])
def test_outputs_of_a_failed_declared_step_are_there(place: Place, mode: str, end: str) -> None:
    place.put("in", "1")
    place.put("report", "stale")
    place.write(
        f"code = step.run('cat in > report; mkdir d; echo 2 > d/e; {end}', name='Test',\n"
        "    check=False, inputs=['in'], outputs=['report', 'd/', 'none'], timeout=3)\n"
        "artifacts.upload('report')\n"
        "step.run('cat d/e > all', name='All')\n"
        "artifacts.upload('all')\n"
        "if code != 0:\n"
        "    step.run('exit 1', name='Fail')\n"
    )
    for _ in range(2):
        ended = place.run(mode)
        assert ended.status == 1 and "Fail  exit code 1" in ended.out, ended.out + ended.err
        assert place.artifact("report") == "1"
        assert place.artifact("all") == "2\n"
        if mode == "in-place":
            (place.repository / "d/e").unlink()
            (place.repository / "d").rmdir()
