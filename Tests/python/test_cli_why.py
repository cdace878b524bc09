"""Why steps ran, told afterwards, before and while they do: each explanation, on real runs."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from cli import ENVIRONMENT, MISTAKE, SUCCESS, danube, environment
from ran import Runs

BUILD = 'step.run("cat *.txt > out", name="Build", inputs=["*.txt"], outputs=["out"])'


@pytest.fixture
def runs(tmp_path: Path, danube_program: Path) -> Runs:
    """A repository with one file."""
    made = Runs(tmp_path)
    made.write(BUILD, **{"a.txt": "1\n"})
    return made


def short(text: str) -> str:
    """The digits of a content's digest that are shown."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def test_a_step_that_never_ran_before(runs: Runs) -> None:
    job = runs.run()
    assert runs.why("Build") == f"`Build` ran in job {job} because it never ran before\n"
    assert runs.why_json("Build")["why"] == "first"


def test_a_changed_file_with_both_digests_and_the_job_since(runs: Runs) -> None:
    first = runs.run()
    runs.write(BUILD, **{"a.txt": "2\n"})
    second = runs.run()
    change = f"`a.txt` changed ({short(f'1{chr(10)}')} → {short(f'2{chr(10)}')})"
    assert runs.why("Build") == (
        f"`Build` ran in job {second} because, since job {first}:\n  {change}\n"
    )
    told = runs.why_json("Build")
    assert (told["why"], told["job"], told["since_job"]) == ("changed", second, first)
    (only,) = told["changes"]
    assert only["path"] == "a.txt" and only["text"] == change
    assert only["old"] == hashlib.sha256(b"1\n").hexdigest()
    assert only["new"] == hashlib.sha256(b"2\n").hexdigest()
    # The first job is still told as it was.
    assert "never ran before" in runs.why("Build", "--job", first)


def test_files_that_came_went_and_became_something_else(runs: Runs) -> None:
    runs.write(BUILD, **{"b.txt": "b\n", "c.txt": "c\n", "d.txt": "d\n"})
    runs.run()
    (runs.repo / "b.txt").unlink()
    (runs.repo / "c.txt").chmod(0o755)
    (runs.repo / "d.txt").unlink()
    (runs.repo / "d.txt").symlink_to("a.txt")
    (runs.repo / "e.txt").write_text("e\n")
    runs.run()
    told = runs.why("Build")
    for line in (
        f"`b.txt` is gone ({short(f'b{chr(10)}')})",
        "`c.txt` became executable",
        "`d.txt` was a file, and is a symbolic link now",
        f"`e.txt` is new ({short(f'e{chr(10)}')})",
    ):
        assert f"  {line}\n" in told


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('"cp a.txt out"', '"cat a.txt > out"',
         "the command changed: `cp a.txt out` → `cat a.txt > out`"),
        ('["cp", "a.txt", "out"]', '["cp", "-p", "a.txt", "out"]',
         "the command changed: `a.txt out` → `-p a.txt out`"),
        ('["cp", "a.txt", "out"]', '"cp a.txt out"', "the command changed:"),
        ('"cp a.txt out", env={"CC": "gcc"}', '"cp a.txt out", env={"CC": "clang"}',
         "variable `CC` changed: `gcc` → `clang`"),
        ('"cp a.txt out"', '"cp a.txt out", env={"CC": "clang"}', "variable `CC` is new: `clang`"),
        ('"cp a.txt out", env={"CC": "gcc"}', '"cp a.txt out"',
         "variable `CC` is gone; it was `gcc`"),
    ],
)  # fmt: skip
def test_a_changed_definition(runs: Runs, old: str, new: str, line: str) -> None:
    rest = 'name="Build", inputs=["a.txt"], outputs=["out"]'
    runs.write(f"step.run({old}, {rest})")
    first = runs.run()
    runs.write(f"step.run({new}, {rest})")
    runs.run()
    told = runs.why("Build")
    assert f"because, since job {first}:\n  {line}" in told


def test_a_changed_secret_without_its_value(runs: Runs) -> None:
    runs.write(
        'step.run("cp a.txt out", name="Build", inputs=["a.txt"], outputs=["out"],'
        ' env={"TOKEN": secrets.get("TOKEN")})'
    )
    runs.run("--secret", "TOKEN=first-value-1")
    runs.run("--secret", "TOKEN=other-value-2")
    for told in (runs.why("Build"), runs.why("Build", "--json")):
        assert "secret `TOKEN` has another value" in told
        assert "first-value" not in told and "other-value" not in told


def test_a_machine_whose_tools_are_looked_up_elsewhere(runs: Runs) -> None:
    runs.run()
    runs.run(PATH=os.environ["PATH"] + ":/nowhere")
    assert "this machine changed (its system, C library or PATH)" in runs.why("Build")


def test_a_long_command_is_shown_around_what_changed(runs: Runs) -> None:
    filler = "true && " * 30
    rest = 'name="Build", inputs=["a.txt"], outputs=["out"]'
    runs.write(f'step.run("{filler}cp a.txt out", {rest})')
    runs.run()
    runs.write(f'step.run("{filler}cat a.txt > out", {rest})')
    runs.run()
    (line,) = [line for line in runs.why("Build").splitlines() if "the command" in line]
    assert "cp a.txt out`" in line and "cat a.txt > out`" in line and len(line) < 140


def test_a_hit_and_the_job_that_made_it(runs: Runs) -> None:
    first = runs.run()
    (runs.repo / "out").unlink()
    second = runs.run()
    told = runs.why("Build")
    assert told.startswith(f"`Build` was taken from the cache in job {second}")
    assert f"job {first} made it" in told
    assert runs.why_json("Build")["source_job"] == first


def test_a_job_in_which_nothing_had_to_be_done(runs: Runs) -> None:
    first = runs.run()
    assert "Nothing to do" in runs.danube("run", "--in-place").out
    told = runs.why_json("Build")
    assert told["state"] == "cached" and told["source_job"] == first


def test_a_hit_compared_with_another_job(runs: Runs) -> None:
    first = runs.run()
    runs.write(BUILD, **{"a.txt": "2\n"})
    second = runs.run()
    runs.write(BUILD, **{"a.txt": "1\n"})
    third = runs.run()
    assert f"job {first} made it" in runs.why("Build")
    told = runs.why("Build", "--against", second)
    assert told.startswith(f"`Build` differs in job {third} from job {second}:\n")
    assert "\n  `a.txt` changed (" in told
    assert "is the same in job" in runs.why("Build", "--job", third, "--against", first)


def test_what_failed_is_compared_too(runs: Runs) -> None:
    body = 'step.run("grep -q 2 a.txt", name="Build", inputs=["a.txt"], outputs=["out"])'
    runs.write(body)
    first = runs.run(status=1)
    again = runs.run(status=1)
    assert runs.why("Build") == (
        f"`Build` ran in job {again} because it failed in job {first}, and only successes are kept;"
        " nothing had changed\n"
    )
    runs.write(body, **{"a.txt": "3\n"})
    runs.run(status=1)
    assert f"because, since job {again}:\n  `a.txt` changed (" in runs.why("Build")


def test_a_result_that_was_removed(runs: Runs) -> None:
    first = runs.run()
    assert runs.danube("cache", "gc", "--max-size", "0").status == SUCCESS
    (runs.repo / "out").unlink()
    second = runs.run()
    assert runs.why("Build") == (
        f"`Build` ran in job {second} because its result of job {first}"
        " was not in the cache any more\n"
    )
    runs.write(BUILD, **{"a.txt": "2\n"})
    runs.run()
    assert runs.danube("cache", "gc", "--max-size", "0").status == SUCCESS
    assert "what it was made of is not in the cache any more" in runs.why("Build")


def test_what_is_not_cacheable(runs: Runs) -> None:
    declared = 'inputs=["a.txt"], outputs=["out"]'
    runs.write(
        'step.run("echo", name="Plain")\n'
        'step.run("echo", name="Reads", inputs=["a.txt"])\n'
        f'step.run("cp a.txt out", name="Never", {declared}, cache=False)\n'
        f'step.run("cp a.txt out", name="Off", {declared})\n'
        'artifacts.upload("a.txt", name="Text")'
    )
    runs.run("--no-cache")
    assert "not cacheable because it does not declare its inputs and outputs" in runs.why("Plain")
    assert "not cacheable because it does not declare its outputs" in runs.why("Reads")
    assert "not cacheable because it says cache=False" in runs.why("Never")
    assert "because the cache was off (--no-cache)" in runs.why("Off")
    assert "it keeps files for people, which every run does" in runs.why("Text")
    assert runs.why_json("Plain")["why"] == "uncacheable"


def test_a_condition_in_words_with_what_it_asked(runs: Runs) -> None:
    runs.write(
        'code = step.run("exit 0", name="Test", check=False)\n'
        "if code != 0:\n"
        '    step.run("echo bad", name="Report")'
    )
    job = runs.run()
    assert runs.why("Report") == (
        f"`Report` was skipped in job {job}: it runs only if Test failed\n  `Test` succeeded\n"
    )
    assert runs.why_json("Report")["condition"] == "Test failed"


def test_the_step_that_blocked_another(runs: Runs) -> None:
    runs.write('step.run("exit 4", name="Test")\nstep.run("echo", name="Deploy")')
    job = runs.run(status=1)
    assert runs.why("Deploy") == (
        f"`Deploy` did not run in job {job} because `Test` failed (exit code 4) before it\n"
    )


def test_a_cancelled_job(runs: Runs) -> None:
    runs.write('step.run("echo ready; exec sleep 600", name="Long")\nstep.run("echo", name="Next")')
    process = subprocess.Popen(
        [os.environ["DANUBE"], "run", "--in-place"],
        cwd=runs.repo, stdout=subprocess.PIPE, text=True,
        env=environment(
            HOME=str(runs.folder),
            XDG_CACHE_HOME=str(runs.folder / "cache"),
            XDG_STATE_HOME=str(runs.folder / "state"),
        ),
    )  # fmt: skip
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if "ready" in line:
                break
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        process.wait(60)
    finally:
        process.kill()
        process.wait()
    assert "did not run in job" in runs.why("Next") and "cancelled" in runs.why("Next")


def test_steps_and_jobs_that_are_not_there(runs: Runs) -> None:
    nothing = runs.danube("why", "Build")
    assert nothing.status == MISTAKE and nothing.hints
    job = runs.run()
    wrong = runs.danube("why", "Biuld")
    assert wrong.status == MISTAKE and wrong.out == ""
    assert f"job {job} has no step `Biuld`" in wrong.err
    assert wrong.hints == ["Did you mean `Build`?"]
    for option in ("--job", "--against"):
        missing = runs.danube("why", "Build", option, "zzzzzzzzz")
        assert missing.status == MISTAKE and "there is no job zzzzzzzzz" in missing.err


def test_steps_of_one_name_are_all_explained(runs: Runs) -> None:
    runs.write(
        'def one():\n    step.run("echo 1", name="Same")\n'
        'def two():\n    step.run("echo 2", name="Same")\none()\ntwo()'
    )
    runs.run()
    assert runs.why("Same").count("`Same` ran in job") == 2


# While they run.


def test_reasons_while_steps_run(runs: Runs) -> None:
    runs.write(BUILD + '\nstep.run("echo", name="Plain")')
    first = runs.danube("run", "--in-place", "--explain").out
    assert "Build runs: it never ran before" in first
    assert "Plain runs: not cacheable: it does not declare its inputs and outputs" in first
    job = re.findall(r"job (\w{9})", first)[-1]
    (runs.repo / "a.txt").write_text("2\n")
    second = runs.danube("run", "--in-place", "--explain").out
    assert re.search(rf"Build runs: `a.txt` changed \(.{{8}} → .{{8}}\) since job {job}\n", second)
    (runs.repo / "a.txt").write_text("3\n")
    assert '"reasons":["`a.txt` changed (' in runs.danube("run", "--in-place", "--json").out
    (runs.repo / "a.txt").write_text("4\n")
    assert "changed (" not in runs.danube("run", "--in-place").out


# Before they run.


def snapshot(folder: Path) -> dict[str, bytes | None]:
    """All that is in a folder but what SQLite puts beside a database while it is open."""
    return {
        str(path): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
        if not path.name.endswith(("-wal", "-shm"))
    }


MODES = pytest.mark.parametrize("mode", [["--in-place"], []], ids=["in-place", "isolated"])
CHAIN = (
    'step.run("cat src.txt > mid", name="Make", inputs=["src.txt"], outputs=["mid"])\n'
    'step.run("cat mid > end", name="Use", inputs=["mid"], outputs=["end"])\n'
    'step.run("cat oth.txt > o", name="Other", inputs=["oth.txt"], outputs=["o"])\n'
    'code = step.run("echo x", name="Plain", check=False)\n'
    "if code != 0:\n"
    '    step.run("echo", name="Maybe")\n'
    'step.run("cat end > last", name="After", inputs=["end"], outputs=["last"])'
)


@MODES
def test_a_dry_run_says_what_a_run_does(runs: Runs, mode: list[str]) -> None:
    runs.write(CHAIN, **{"src.txt": "1\n", "oth.txt": "1\n"})
    before = snapshot(runs.folder)
    cold = runs.forecast(*mode)
    assert snapshot(runs.folder) == before
    assert {name: step["cache"] for name, step in cold.items()} == {
        "Make": "miss", "Use": "unknown", "Other": "miss", "Plain": "uncacheable",
        "Maybe": "unknown", "After": "unknown",
    }  # fmt: skip
    assert cold["Make"]["reasons"] == ["it never ran before"]
    assert cold["Use"]["reasons"] == ["not known until Make has run"]
    assert cold["Use"]["until"] == cold["Make"]["id"]
    assert cold["Maybe"]["reasons"] == ["not known until Plain has run"]

    assert runs.danube("run", *mode).status == SUCCESS
    before = snapshot(runs.folder)
    warm = runs.forecast(*mode)
    assert snapshot(runs.folder) == before
    assert [warm[name]["cache"] for name in ("Make", "Use", "Other")] == ["hit"] * 3

    (runs.repo / "src.txt").write_text("2\n")
    before = snapshot(runs.folder)
    touched = runs.forecast(*mode)
    assert snapshot(runs.folder) == before
    assert touched["Make"]["cache"] == "miss" and touched["Use"]["cache"] == "unknown"
    assert touched["Make"]["reasons"][0].startswith("`src.txt` changed (")
    # It reads nothing that Make writes, so it is known.
    assert touched["Other"]["cache"] == "hit"
    ended = runs.danube("run", "--explain", *mode)
    assert "Make runs: `src.txt` changed (" in ended.out
    assert re.search(r"Other  cached from", ended.out)


@MODES
def test_a_dry_run_follows_outputs_that_would_be_restored(runs: Runs, mode: list[str]) -> None:
    runs.write(CHAIN, **{"src.txt": "1\n", "oth.txt": "1\n"})
    assert runs.danube("run", *mode).status == SUCCESS
    for name in ("mid", "end"):
        (runs.repo / name).unlink(missing_ok=True)
    told = runs.forecast(*mode)
    assert told["Make"]["cache"] == "hit" and told["Use"]["cache"] == "hit"


def test_a_dry_run_of_a_commit(runs: Runs) -> None:
    from cli import commit

    runs.write(BUILD)
    revision = commit(runs.repo)
    assert runs.danube("run", "--rev", revision).status == SUCCESS
    (runs.repo / "a.txt").write_text("2\n")
    assert runs.forecast("--rev", revision)["Build"]["cache"] == "hit"
    assert runs.forecast()["Build"]["cache"] == "miss"


def test_a_dry_run_as_a_table(runs: Runs) -> None:
    runs.write(BUILD + '\nstep.run("echo", name="Plain")')
    ended = runs.danube("run", "--dry-run", "--in-place")
    assert ended.status == SUCCESS and ended.err == ""
    assert ended.out == (
        "STEP   CACHE        WHY\n"
        "Build  miss         it never ran before\n"
        "Plain  uncacheable  it does not declare its inputs and outputs\n"
        "\n1 to run, 1 to run every time\n"
    )


def test_a_dry_run_without_a_secret(runs: Runs) -> None:
    runs.write(
        'step.run("cp a.txt out", name="Build", inputs=["a.txt"], outputs=["out"],'
        ' env={"TOKEN": secrets.get("TOKEN")})'
    )
    told = runs.forecast("--in-place")["Build"]
    assert told["cache"] == "impossible"
    assert told["reasons"] == ["secret `TOKEN` was not given"]


def test_a_job_is_compared_with_one_that_ran_in_the_same_way(runs: Runs) -> None:
    assert runs.danube("run").status == SUCCESS
    first = runs.run()
    runs.write(BUILD, **{"a.txt": "2\n"})
    change = f"`a.txt` changed ({short(f'1{chr(10)}')} → {short(f'2{chr(10)}')})"
    assert runs.forecast("--in-place")["Build"]["reasons"] == [
        f"{change} since job {first}"
    ]
    told = runs.danube("run", "--explain").out
    assert change in told and "in place" not in told
    assert "in place" not in runs.why("Build")


def test_the_log_of_a_step_from_the_cache_says_where_it_ran(runs: Runs) -> None:
    runs.write('step.run("cat a.txt", name="Say", inputs=["a.txt"], outputs=[])')
    first = runs.run()
    (runs.repo / "a.txt").write_text("2\n")
    runs.run()
    (runs.repo / "a.txt").write_text("1\n")
    runs.run()
    ended = runs.danube("logs", "Say")
    assert (ended.status, ended.out) == (SUCCESS, "1\n")
    assert ended.err == f"danube: note: `Say` is from the cache: job {first} printed this\n"


def test_a_step_that_writes_its_own_inputs_is_told_so(runs: Runs) -> None:
    runs.write('step.run("date +%N > seen.txt", name="Self", inputs=["*.txt"], outputs=["out"])')
    ended = runs.danube("run", "--in-place")
    assert "Self: Its result is not kept, as inputs changed while it ran: `seen.txt` is new" in (
        ended.out
    )
    assert "hint: Leave what it writes itself out of inputs=." in ended.out
    runs.run()
    assert "`seen.txt` is new" in runs.why("Self")
    # Another run of the same: nothing has changed, and still it runs.
    runs.write('step.run("date > seen.txt; rm seen.txt; echo >> a.txt; exit 0", name="Self",'
               ' inputs=["*.txt"], outputs=["out"])')  # fmt: skip
    (runs.repo / "seen.txt").unlink()
    runs.run()
    (runs.repo / "a.txt").write_text("1\n")
    runs.run()
    assert "was not kept: inputs changed while it ran" in runs.why("Self")
    assert runs.why_json("Self")["why"] == "not_kept"


def test_jobs_are_found_from_elsewhere(runs: Runs, tmp_path: Path) -> None:
    runs.write('step.run("cp a.txt out", name="Build", inputs=["a.txt"], outputs=["out"])')
    assert runs.danube("run", "--in-place").status == SUCCESS
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "danubefile.py").write_text(
        'from danube import *\n@pipeline\ndef other():\n    step.run("true", name="Other")\n'
    )
    assert danube("run", cwd=elsewhere, env=runs.env).status == SUCCESS
    for words in (["why", "Build"], ["jobs"], ["logs"], ["rerun"]):
        ended = danube(*words, "-C", str(runs.repo), cwd=elsewhere, env=runs.env)
        assert ended.status == SUCCESS, ended.err
        assert "other" not in ended.out.lower()
        ended = danube(*words, "-C", str(tmp_path / "none"), env=runs.env)
        assert (ended.status, ended.out) == (MISTAKE, "")
        assert "none: No such file or directory" in ended.err


def test_a_dry_run_of_what_is_no_pipeline(runs: Runs) -> None:
    runs.write("step.run(1)")
    ended = runs.danube("run", "--dry-run")
    assert ended.status in (MISTAKE, ENVIRONMENT) and ended.out == "" and "error" in ended.err


def test_a_dry_run_of_a_step_in_an_image(runs: Runs) -> None:
    runs.write(
        'step.run("cp a.txt out", name="Build", inputs=["a.txt"], outputs=["out"],'
        ' image="example.invalid/tools")'
    )
    told = runs.forecast("--in-place")["Build"]
    assert told["cache"] == "unknown" and told["reasons"] == [
        "the image `example.invalid/tools` is not on this machine:"
        " what it is, is known once it is fetched"
    ]
    assert runs.forecast("--in-place", "--host")["Build"]["cache"] == "miss"
