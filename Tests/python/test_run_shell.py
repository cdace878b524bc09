"""`danube shell STEP`: the workspace of a step as it left it, of one that failed above all."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cli import DEADLINE, ENVIRONMENT, MISTAKE, SUCCESS, Ended, danube, on_terminal
from fixture_cases import executable
from runs import Bell, Marker, Place, engine, wait_for_end

FAILS = """
step.run("echo built > out; mkdir deep; echo two > deep/two; rm given", name="build")
step.run("echo half > partial; rm -r deep; mkdir deep; exit 7", name="test", env={"A": "b 'c'"})
step.run("echo never", name="later")
"""


@pytest.fixture(params=["mount", "copy"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A repository whose runs make workspaces in one of the two ways."""
    variables = {"DANUBE_WORKSPACES": "copy"} if request.param == "copy" else {}
    place = Place(tmp_path, variables)
    place.put("given", "given\n")
    place.put("kept", "kept\n")
    return place


@pytest.fixture
def plain(tmp_path: Path) -> Place:
    """A repository with mounted workspaces."""
    place = Place(tmp_path)
    place.put("given", "given\n")
    return place


def fail(place: Place, body: str, *arguments: str, mode: str = "isolated") -> str:
    """Runs a pipeline that fails; gives the job."""
    place.write(body)
    ended = place.run(mode, *arguments)
    assert ended.status == 1, ended.out + ended.err
    return re.findall(r"\bjob (\w{9})\b", ended.out + ended.err)[-1]


def shell(place: Place, *arguments: str, **variables: str) -> Ended:
    """Runs danube shell."""
    return danube("shell", *arguments, cwd=place.repository, env={**place.env, **variables})


def said(place: Place, step: str, command: str, *arguments: str) -> str:
    """What a command prints in the workspace of a step."""
    ended = shell(place, step, "-c", command, *arguments)
    assert ended.status == SUCCESS, ended
    return ended.out


def kept(place: Place) -> list[str]:
    """The jobs of which workspaces are kept."""
    folder = place.cache / "failed"
    return sorted(os.listdir(folder)) if folder.exists() else []


def jobs_kept(place: Place) -> list[str]:
    """Names without those of locks."""
    return [name for name in kept(place) if "." not in name]


def test_the_workspace_is_as_the_step_left_it(place: Place) -> None:
    fail(place, FAILS.replace("exit 7", "pwd > where; exit 7"))
    found = said(
        place, "test", "pwd; cat where; cat out partial kept; ls deep | wc -l; ls; echo $A; env"
    ).splitlines()
    assert found[0] == found[1] and found[0].startswith(str(place.cache))
    assert found[2:6] == ["built", "half", "kept", "0"]
    assert found[6:12] == ["danubefile.py", "deep", "kept", "out", "partial", "where"]
    assert found[12] == "b 'c'"
    assert f"DANUBE_WORKSPACE={found[0]}" in found and "CI=true" in found
    assert place.left == []


def test_what_is_changed_is_thrown_away_and_it_opens_again(place: Place) -> None:
    fail(place, FAILS)
    for _ in range(2):
        assert said(place, "test", "cat out; rm -r *; echo mine > mine; ls") == "built\nmine\n"
    assert (place.repository / "kept").read_text() == "kept\n"
    assert place.left == []
    # The cache was not written to either.
    place.write('step.run("cat kept given", name="again")')
    assert place.run("isolated").status == SUCCESS


def test_the_command_runs_again_and_its_code_is_given(place: Place) -> None:
    body = """
step.run('test -e twice && exit 3; touch twice; echo "$A" $0; read line; exit 7',
         name="script", workdir="sub", env={"A": "x"}, check=False)
step.run(["sh", "-c", "echo \\"$1\\"; exit 4", "it's", "a 'b' c"], name="words")
"""
    place.put("sub/file")
    fail(place, body)
    again = shell(place, "script", "-c", 'pwd; rm twice; cd /; "$DANUBE_STEP_SCRIPT"')
    assert again.status == 7 and again.out.endswith("/sub\nx sh\n"), again
    assert shell(place, "script", "-c", '"$DANUBE_STEP_SCRIPT"').status == 3
    words = shell(place, "words", "-c", '"$DANUBE_STEP_SCRIPT"')
    assert (words.status, words.out) == (4, "a 'b' c\n"), words


def test_a_declared_step_sees_its_inputs_only(place: Place) -> None:
    fail(
        place,
        """
step.run("cat kept > made; echo x > other", name="make")
step.run("cat made; echo half > partial; exit 1", name="declared",
         inputs=["made", "given"], outputs=["result"])
""",
    )
    assert said(place, "declared", "cat *; ls") == "given\nkept\nhalf\ngiven\nmade\npartial\n"
    # Its contents stay, although nothing else needs them.
    collected = danube("cache", "gc", "--max-size", "1Gi", cwd=place.repository, env=place.env)
    assert collected.status == SUCCESS, collected
    shutil.rmtree(place.cache / "sources")
    assert said(place, "declared", "cat *") == "given\nkept\nhalf\n"


def test_steps_of_which_each_ends_in_its_own_way(place: Place) -> None:
    marker = Marker()
    fail(
        place,
        f"""
allowed = step.run("echo 1 > one; exit 2", name="allowed", check=False)
step.run("echo 2 > two; rm one", name="next")
with parallel(fail_fast=False):
    step.run("echo l > left; exit 3", name="left")
    step.run("echo r > right; {marker.command}", name="right", timeout="200ms")
""",
    )
    assert said(place, "allowed", "ls").split() == ["danubefile.py", "given", "kept", "one"]
    assert "one" not in said(place, "left", "ls").split()
    assert {"left", "two"} < set(said(place, "left", "ls").split())
    found = set(said(place, "right", "ls").split())
    assert "right" in found and "left" not in found


def test_the_last_of_several_attempts_is_kept(place: Place, tmp_path: Path) -> None:
    count = tmp_path / "count"
    fail(
        place,
        f"""
step.run("echo x >> {count}; cp {count} attempt; test -e before && exit 9; touch before; exit 5",
         name="flaky", retries=2)
""",
    )
    assert said(place, "flaky", "cat attempt") == "x\nx\nx\n"


def test_a_success_keeps_nothing_and_old_failures_go(plain: Place) -> None:
    plain.write('step.run("echo fine", name="fine")\nstep.run("true", name="test")')
    assert plain.run("isolated").status == SUCCESS
    assert kept(plain) == []
    jobs = [fail(plain, f'step.run("echo {n} > n; exit 1", name="test")') for n in range(4)]
    assert jobs_kept(plain) == jobs[1:]
    gone = shell(plain, "test", "--job", jobs[0], "-c", "true")
    assert gone.status == MISTAKE and "is not kept" in gone.err and "last 3 jobs" in gone.err
    assert gone.hints == [f"Run it again: danube rerun {jobs[0]}."]
    assert said(plain, "test", "cat n") == "3\n"
    assert said(plain, "test", "cat n", "--job", jobs[1]) == "1\n"
    stats = json.loads(
        danube("cache", "stats", "--json", cwd=plain.repository, env=plain.env).out
    )
    assert stats["failed_jobs"] == 3 and stats["failed_bytes"] > 0
    for expected in (3, 0):
        ended = danube("cache", "gc", "--max-size", "0", "--json", env=plain.env)
        assert json.loads(ended.out)["failed_jobs"] == expected
    assert kept(plain) == []


def test_a_job_that_takes_too_much_is_not_kept(plain: Place) -> None:
    body = 'step.run("head -c 3000000 /dev/urandom > big; exit 1", name="test")'
    fail(plain, body, "--cache-size", "10Mi")
    assert jobs_kept(plain) == []
    assert "is not kept" in shell(plain, "test", "-c", "true").err
    fail(plain, body, "--cache-size", "100Mi")
    assert len(jobs_kept(plain)) == 1


SECRET = "hunter2-and-more"


def test_secrets_are_not_there_unless_they_are_given(place: Place) -> None:
    job = fail(
        place,
        """
told = step.run("printf %s \\"$T\\"", name="tell", env={"T": secrets.get("TOKEN")}, capture=True)
step.run(f"test -n '{secrets.get('TOKEN')}'; echo ran; exit 1", name="use",
         env={"T": secrets.get("TOKEN"), "P": f"pre-{secrets.get('TOKEN')}", "TOLD": told,
              "PLAIN": "1"})
""",
        "--secret",
        f"TOKEN={SECRET}",
    )
    show = 'env; "$DANUBE_STEP_SCRIPT"; echo $?'
    without = shell(place, "use", "-c", show)
    assert without.status == SUCCESS and SECRET not in without.out + without.err
    assert "no secret TOKEN" in without.err and "--secret" in without.err
    assert "TOLD" in without.err and "ran" not in without.out.splitlines()
    assert not re.search(r"^(T|P|TOLD)=", without.out, re.MULTILINE)
    assert "PLAIN=1" in without.out
    with_it = shell(place, "use", "--secret", f"TOKEN={SECRET}", "-c", show)
    assert f"T={SECRET}" in with_it.out and f"P=pre-{SECRET}" in with_it.out
    assert with_it.out.endswith("ran\n1\n"), with_it
    from_environment = shell(place, "use", "-c", "echo $T", DANUBE_SECRET_TOKEN=SECRET)
    assert from_environment.out == f"{SECRET}\n"
    # Nothing of it is on the disk, while it is open either.
    assert said(place, "use", f"grep -r {SECRET} {place.cache} {place.state} || echo none",
                "--secret", f"TOKEN={SECRET}") == "none\n"  # fmt: skip
    assert job in jobs_kept(place)


def test_in_place_it_is_the_working_copy(plain: Place) -> None:
    fail(plain, 'step.run("echo half > partial; exit 1", name="test", env={"A": "b"})',
         mode="in-place")  # fmt: skip
    plain.put("since", "since\n")
    found = said(plain, "test", "pwd; cat partial since; echo $A; rm since; ls -d $TMPDIR")
    assert found.splitlines()[:4] == [str(plain.repository), "half", "since", "b"]
    assert not (plain.repository / "since").exists()
    assert plain.left == []


class Screen:
    """A program on a terminal of its own, as a person has it.

    Attributes:
        process: The program.
    """

    def __init__(self, place: Place, *words: str | Path) -> None:
        self.leader, follower = pty.openpty()
        self.shown = ""
        self.process = subprocess.Popen(
            words, cwd=place.repository, env={**place.env, "SHELL": "/bin/sh"},
            stdin=follower, stdout=follower, stderr=follower, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(follower)

    def until(self, text: str) -> str:
        """Reads until a text is shown; gives what was before it."""
        while text not in self.shown:
            assert select.select([self.leader], [], [], DEADLINE)[0], self.shown
            self.shown += os.read(self.leader, 1 << 16).decode()
        before, _, self.shown = self.shown.partition(text)
        return before

    def type(self, text: str) -> None:
        """Types it."""
        os.write(self.leader, text.encode())


@contextmanager
def opened(place: Place, *words: str | Path) -> Iterator[Screen]:
    """A program on a terminal, which is ended with the block."""
    screen = Screen(place, *words)
    try:
        yield screen
    finally:
        screen.process.kill()
        screen.process.wait(DEADLINE)
        os.close(screen.leader)


def program() -> Path:
    """The danube that is tested."""
    found = executable()
    assert found is not None
    return found


def test_a_shell_for_a_person_has_the_terminal(place: Place, tmp_path: Path) -> None:
    job = fail(place, FAILS)
    bell = Bell(tmp_path / "bell")
    waits = f'sh -c "{bell.ring}; exec cat"\n'
    with opened(place, program(), "shell", "test") as screen:
        head = screen.until("DANUBE_STEP_SCRIPT")
        assert f"step `test` of job {job} failed: exit code 7" in head
        assert "thrown away" in head
        screen.type("PS1=rea''dy\n")
        screen.until("ready")
        screen.type("cat out\n")
        assert "built" in screen.until("ready")
        # Ctrl-C ends what runs, and neither the shell nor danube.
        screen.type(waits)
        bell.listen()
        screen.type("\x03")
        screen.until("ready")
        # Ctrl-Z stops it, and it goes on when it is asked to.
        screen.type(waits)
        bell.listen()
        screen.type("\x1a")
        screen.until("Stopped")
        screen.until("ready")
        screen.type("fg\n")
        screen.until("exec cat")
        screen.type("a li''ne\n")
        screen.until("a li''ne\r\na li''ne\r\n")
        screen.type("\x04")
        screen.until("ready")
        # A shell that stops itself is woken.
        screen.type("kill -STOP $$; echo aw''ake\n")
        screen.until("awake")
        # A second one would take its folder away.
        other = shell(place, "test", "-c", "true")
        assert other.status == MISTAKE and "another danube shell" in other.err
        screen.type("exit 5\n")
        assert screen.process.wait(DEADLINE) == 5
    assert place.left == []


def test_the_terminal_is_given_back(place: Place) -> None:
    fail(place, FAILS)
    script = f"'{program()}' shell test; echo code $?; read line; echo got-$line"
    with opened(place, "/bin/sh", "-c", script) as screen:
        screen.until("DANUBE_STEP_SCRIPT")
        screen.type("stty -echo; exit 3\n")
        screen.until("code 3\r\n")
        screen.type("this\n")
        # What is typed is shown again.
        screen.until("this\r\ngot-this")
        assert screen.process.wait(DEADLINE) == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_nothing_is_left_when_it_is_killed(
    place: Place, number: signal.Signals, tmp_path: Path
) -> None:
    fail(place, FAILS)
    marker = Marker()
    bells = [Bell(tmp_path / "one"), Bell(tmp_path / "two")]
    with opened(place, program(), "shell", "test") as screen:
        screen.until("DANUBE_STEP_SCRIPT")
        for bell, prefix in zip(bells, ("", "setsid "), strict=True):
            screen.type(f"{prefix}sh -c \"{bell.ring}; exec {marker.command}\" &\n")
            bell.listen()
        behind = engine(screen.process.pid)
        screen.process.send_signal(number)
        screen.process.wait(DEADLINE)
        marker.wait_for_end()
        wait_for_end(behind)
    # Whatever a kill left is gone with the next one.
    assert said(place, "test", "cat out") == "built\n"
    assert place.left == []
    assert str(place.cache) not in Path("/proc/self/mounts").read_text()


def test_a_command_needs_no_terminal_and_is_ended_with_danube(place: Place, tmp_path: Path) -> None:
    fail(place, FAILS)
    bell, marker = Bell(tmp_path / "bell"), Marker()
    process = subprocess.Popen(
        [program(), "shell", "test", "-c", f"{marker.command} & {bell.ring}; wait"],
        cwd=place.repository, env=place.env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    bell.listen()
    process.terminate()
    process.communicate(timeout=DEADLINE)
    assert process.returncode != 0
    marker.wait_for_end()
    piped = danube("shell", "test", "-c", "cat", cwd=place.repository, env=place.env, stdin=b"in")
    assert (piped.status, piped.out) == (SUCCESS, "in")


def test_mistakes_are_named_with_what_to_do(plain: Place) -> None:
    plain.write('step.run("true", name="good")')
    nothing = shell(plain, "good", "-c", "true")
    assert nothing.status == MISTAKE and "no job was recorded" in nothing.err
    plain.run("isolated")
    fine = shell(plain, "good", "-c", "true")
    assert fine.status == MISTAKE and "nothing is kept of `good`" in fine.err and fine.hints
    job = fail(plain, FAILS)
    unknown = shell(plain, "tset", "-c", "true")
    assert unknown.status == MISTAKE and unknown.hints == ["Did you mean `test`?"]
    passed = shell(plain, "build", "-c", "true", "--job", job)
    assert passed.status == MISTAKE and "not one for the cache" in passed.err
    never = shell(plain, "later", "-c", "true", "--job", job)
    assert never.status == MISTAKE and never.hints == ["What failed is `test`."]
    silent = shell(plain, "test")
    assert silent.status == MISTAKE and silent.hints == ["Run one command with -c COMMAND."]
    assert shell(plain, "test", "-c", "true", "--job", "nothing00").status == MISTAKE
    assert shell(plain, "test", "-C", "/nowhere", "-c", "true").status == MISTAKE
    elsewhere = danube(
        "shell", "test", "-C", plain.repository, "-c", "cat out", cwd=plain.root, env=plain.env
    )
    assert elsewhere.out == "built\n", elsewhere


def test_what_is_damaged_is_said(plain: Place) -> None:
    job = fail(plain, FAILS)
    folder = plain.cache / "failed" / job
    shutil.rmtree(plain.cache / "sources")
    for blob in (plain.cache / "cas").rglob("*"):
        if blob.is_file():
            blob.unlink()
    lost = shell(plain, "test", "-c", "true")
    assert lost.status == ENVIRONMENT and "cannot be made again" in lost.err
    assert lost.hints == [f"Run it again: danube rerun {job}."]
    (folder / "steps" / "1").write_bytes(b"\xff" * 100)
    damaged = shell(plain, "test", "-c", "true")
    assert damaged.status == MISTAKE and "damaged" in damaged.err
    assert plain.left == []


def test_no_record_makes_it_crash(plain: Place) -> None:
    job = fail(plain, FAILS)
    record = plain.cache / "failed" / job / "steps" / "1"
    whole = record.read_bytes()
    for cut in range(0, len(whole), max(1, len(whole) // 12)):
        for bytes in (whole[:cut], whole[:cut] + b"\xff\xff" + whole[cut + 2 :]):
            record.write_bytes(bytes)
            ended = shell(plain, "test", "-c", "true")
            assert ended.status in (SUCCESS, MISTAKE, ENVIRONMENT), ended
            assert ended.status == SUCCESS or ended.hints, ended
    assert plain.left == []


def test_a_failed_run_names_the_next_action(plain: Place) -> None:
    plain.write(FAILS)
    shown = on_terminal("run", "--host", columns=100, cwd=plain.repository, env=plain.env)
    assert "danube shell test" in shown.out
    assert "danube shell" not in plain.run("isolated").out


def test_nothing_is_left_when_its_engine_is_killed(place: Place) -> None:
    fail(place, FAILS)
    with opened(place, program(), "shell", "test") as screen:
        screen.until("DANUBE_STEP_SCRIPT")
        screen.type("echo op''en\n")
        screen.until("open")
        os.kill(engine(screen.process.pid), signal.SIGKILL)
        assert screen.process.wait(DEADLINE) == 128 + signal.SIGKILL
    assert said(place, "test", "cat out") == "built\n"
    assert place.left == []


CACHED = r"""
step.run("echo made > made; rm given", name="before")
step.run(
    "cat kept > out; ls; echo '\\\\n' >> out; printenv A >> out", name="declared",
    inputs=["kept", "made"], outputs=["out"], env={"A": "b \\ 'c'"})
step.run("rm made; echo all > all", name="whole", cache=True)
step.run("cat $A", name="secret", inputs=["kept"], outputs=[], env={"A": secrets.get("S")},
         check=False)
"""


def test_a_step_that_succeeded_opens_from_the_cache(place: Place) -> None:
    place.write(CACHED.replace('secrets.get("S")', '"kept"'))
    for number in range(2):
        ran = place.run("isolated")
        assert ran.status == SUCCESS, ran.out + ran.err
        found = said(place, "declared", 'ls; cat out; echo "$A"; pwd').splitlines()
        # What it declares to read, and what it wrote.
        assert found[:3] == ["kept", "made", "out"], number
        # Its own command does the same again, whatever signs it has.
        assert found[3:-2] == ["kept", r"\n", r"b \ 'c'"] and found[-2] == r"b \ 'c'"
        assert found[-1].startswith(str(place.cache))
        again = said(place, "declared", 'rm out; "$DANUBE_STEP_SCRIPT" >&2; cat out')
        assert again.splitlines() == found[3:-2]
        assert said(place, "whole", "ls").split() == ["all", "danubefile.py", "kept", "out"]
    assert place.left == []
    # Without its contents there is nothing to show.
    for blob in (place.cache / "cas/sha256").rglob("*"):
        if blob.is_file():
            blob.unlink()
    gone = shell(place, "declared", "-c", "ls")
    assert gone.status == 3 and gone.hints[0].startswith("Run it again: danube rerun")


def test_a_failed_step_is_preferred_to_one_that_succeeded(plain: Place) -> None:
    body = """
step.run("cat given > out; test $(cat given) = given", name="x", inputs=["given"], outputs=["out"])
"""
    plain.put("given", "other")
    fail(plain, body)
    plain.put("given", "given")
    ran = plain.run("isolated")
    assert ran.status == SUCCESS
    assert said(plain, "x", "cat out") == "other"
    job = re.findall(r"\bjob (\w{9})\b", ran.out)[-1]
    assert said(plain, "x", "cat out", "--job", job) == "given"
    assert "not in the cache any more" in _after_clearing(plain, job)


def _after_clearing(place: Place, job: str) -> str:
    cleared = danube("cache", "gc", "--max-size", "0", cwd=place.repository, env=place.env)
    assert cleared.status == SUCCESS, cleared
    ended = shell(place, "x", "-c", "true", "--job", job)
    assert ended.status == MISTAKE
    return ended.err


def test_a_secret_of_a_cached_step_has_to_be_given_again(plain: Place) -> None:
    plain.put("kept", "kept")
    plain.write(CACHED.replace("rm given", "true").replace('"cat $A"', '"test -n \\"$A\\""'))
    ran = plain.run("isolated", "--secret", "S=value")
    assert ran.status == SUCCESS, ran.out + ran.err
    ended = shell(plain, "secret", "-c", "echo ${A-none}")
    assert ended.out == "none\n" and "S" in ended.err
    assert said(plain, "secret", "echo $A", "--secret", "S=value") == "value\n"


def test_in_place_it_is_the_working_copy_for_a_cached_step_too(plain: Place) -> None:
    plain.write('step.run("cat given > out", name="x", inputs=["given"], outputs=["out"])')
    assert plain.run("in-place").status == SUCCESS
    assert said(plain, "x", "pwd; cat out") == f"{plain.repository}\ngiven\n"
