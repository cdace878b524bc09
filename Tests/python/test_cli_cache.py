"""Looking at the cache and tidying it up, with the real program on real results."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from cli import ENVIRONMENT, MISTAKE, SUCCESS, environment, width
from ran import Runs

BODY = (
    'step.run("cp a.txt one", name="One", inputs=["a.txt"], outputs=["one"], env={"X": "1"})\n'
    'step.run(["cp", "a.txt", "two"], name="Two", inputs=["a.txt"], outputs=["two"])'
)


@pytest.fixture
def runs(tmp_path: Path, danube_program: Path) -> Runs:
    """A repository whose pipeline has run."""
    made = Runs(tmp_path)
    made.write(BODY, **{"a.txt": "x" * 3000 + "\n"})
    made.run()
    return made


def key(runs: Runs, step: str) -> str:
    """The key of the only result of a step."""
    (found,) = [result["key"] for result in runs.keys() if result["step"] == step]
    return found


def test_the_list(runs: Runs) -> None:
    ended = runs.danube("cache", "ls", COLUMNS="80")
    lines = ended.out.splitlines()
    assert ended.status == SUCCESS and len(lines) == 3
    assert lines[0].split() == ["KEY", "SIZE", "USED", "MADE", "JOB", "STEP"]
    assert all(width(line) <= 80 for line in lines)
    for step in ("p/one", "p/two"):
        (line,) = [line for line in lines if line.endswith(step)]
        assert line.split()[0] == key(runs, step)[:8] and "2.9 KiB" in line
    limited = runs.danube("cache", "ls", "--limit", "1").out
    assert limited.endswith("… and 1 more (--limit)\n")


def test_a_cache_that_was_never_used(tmp_path: Path, danube_program: Path) -> None:
    runs = Runs(tmp_path)
    runs.write(BODY)
    listed = runs.danube("cache", "ls")
    assert listed.status == SUCCESS and listed.out == "" and "empty" in listed.err
    assert runs.keys() == []
    assert json.loads(runs.danube("cache", "stats", "--json").out)["results"] == 0
    for command in ("gc", "verify"):
        assert runs.danube("cache", command).status == SUCCESS
    shown = runs.danube("cache", "show", "aa")
    assert shown.status == MISTAKE and shown.hints
    assert not runs.cache.exists()


def test_one_result(runs: Runs) -> None:
    one = key(runs, "p/one")
    ended = runs.danube("cache", "show", one[:8])
    assert ended.status == SUCCESS
    for said in (one, "p/one", "command   cp a.txt one", "variable  X=1", "a.txt", "one"):
        assert said in ended.out
    told = json.loads(runs.danube("cache", "show", one, "--json").out)
    assert told["key"] == one and told["size"] == 3001 and not told["pinned"]
    assert [entry["path"] for entry in told["inputs"]] == ["a.txt"]
    assert [entry["path"] for entry in told["outputs"]] == ["one"]
    assert {"kind": "variable", "name": "X", "value": "1"} in told["facts"]


def test_keys_that_are_wrong(runs: Runs) -> None:
    for wrong in ("zz", "", "0" * 64, "a" * 65):
        ended = runs.danube("cache", "show", wrong)
        assert ended.status == MISTAKE and "there is no result with the key" in ended.err
        assert ended.hints


def test_a_beginning_that_several_keys_have(runs: Runs) -> None:
    # Seventeen results: two begin with one digit.
    body = "\n".join(
        f'step.run("echo {n} > o{n}", name="S{n}", inputs=["a.txt"], outputs=["o{n}"])'
        for n in range(17)
    )
    runs.write(body)
    runs.run()
    firsts = [result["key"][0] for result in runs.keys()]
    digit = next(one for one in firsts if firsts.count(one) > 1)
    ended = runs.danube("cache", "show", digit)
    assert ended.status == MISTAKE and "several keys begin with" in ended.err
    (hint,) = ended.hints
    assert hint.startswith(f"Name one of {digit}")


def test_the_difference_of_two_results(runs: Runs) -> None:
    one, two = key(runs, "p/one"), key(runs, "p/two")
    ended = runs.danube("cache", "diff", one[:10], two[:10])
    assert ended.status == 1
    assert "the command changed: `cp a.txt one` → `cp a.txt two`\n" in ended.out
    assert "variable `X` is gone; it was `1`\n" in ended.out
    told = json.loads(runs.danube("cache", "diff", one, two, "--json").out)
    assert {change["kind"] for change in told["changes"]} == {
        "script", "argument", "variable", "output",
    }  # fmt: skip
    same = runs.danube("cache", "diff", one, one)
    assert same.status == SUCCESS and same.out == "nothing differs\n"


def test_why_stands_here_too(runs: Runs) -> None:
    assert runs.danube("cache", "why", "One").out == runs.why("One")


def test_how_much_there_is(runs: Runs) -> None:
    told = json.loads(runs.danube("cache", "stats", "--json").out)
    assert (told["results"], told["pinned"], told["bytes"]) == (2, 0, 3001)
    assert told["budget"] == 10 << 30 and told["folder"] == str(runs.cache)
    text = runs.danube("cache", "stats", DANUBE_CACHE_SIZE="5Mi").out
    assert "2.9 KiB of 5.0 MiB" in text


def test_damage_is_found_and_made_again(runs: Runs) -> None:
    whole = runs.danube("cache", "verify")
    assert whole.status == SUCCESS and "all are whole" in whole.out
    (blob,) = [path for path in (runs.cache / "cas" / "sha256").rglob("*") if path.is_file()]
    stamp = blob.stat()
    blob.chmod(0o600)
    blob.write_bytes(b"y" * stamp.st_size)
    os.utime(blob, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    damaged = runs.danube("cache", "verify", "--json")
    assert damaged.status == 1
    assert json.loads(damaged.out)["damaged"] == [blob.name.removesuffix(".x")]
    assert runs.danube("cache", "verify").status == SUCCESS
    (runs.repo / "one").unlink()
    runs.run()
    assert (runs.repo / "one").read_text() == "x" * 3000 + "\n"


def test_collecting(runs: Runs) -> None:
    told = json.loads(runs.danube("cache", "gc", "--dry-run", "--max-size", "0", "--json").out)
    assert told["dry_run"] and told["results"] == 2 and told["bytes"] == 3001
    assert len(runs.keys()) == 2
    assert "removed 0 results" in runs.danube("cache", "gc").out
    done = json.loads(runs.danube("cache", "gc", "--max-size", "0", "--json").out)
    assert (done["results"], done["blobs"], done["kept_bytes"]) == (2, 1, 0)
    assert runs.keys() == []
    wrong = runs.danube("cache", "gc", "--max-size", "much")
    assert wrong.status == MISTAKE and "--max-size much is not a size" in wrong.err


def test_pinned_results_stay(runs: Runs) -> None:
    one = key(runs, "p/one")
    assert runs.danube("cache", "pin", one[:8]).out == f"{one[:12]} is pinned\n"
    assert "pinned" in runs.danube("cache", "ls").out
    assert runs.danube("cache", "gc", "--max-size", "0").status == SUCCESS
    assert [result["key"] for result in runs.keys()] == [one]
    assert json.loads(runs.danube("cache", "unpin", one, "--json").out)["pinned"] is False
    assert runs.danube("cache", "gc", "--max-size", "0").status == SUCCESS
    assert runs.keys() == []


def test_a_run_collects_what_is_over_the_budget(runs: Runs) -> None:
    # Each run keeps one new content of 3 KiB; four fifths of 10 KiB hold two of them.
    for number in range(6):
        (runs.repo / "a.txt").write_text(f"{number}" * 3000)
        runs.run("--cache-size", "10Ki")
    told = json.loads(runs.danube("cache", "stats", "--json").out)
    assert 0 < told["bytes"] <= 10 << 10
    # What was used last is what is left.
    (runs.repo / "one").unlink()
    runs.run("--cache-size", "10Ki")
    assert runs.why_json("One")["state"] == "cached"


def test_nothing_is_collected_while_a_run_lives(runs: Runs) -> None:
    runs.write('step.run("echo ready; exec sleep 600", name="Long")')
    env = environment(
        HOME=str(runs.folder),
        XDG_CACHE_HOME=str(runs.folder / "cache"),
        XDG_STATE_HOME=str(runs.folder / "state"),
    )
    process = subprocess.Popen(
        [os.environ["DANUBE"], "run", "--in-place"],
        cwd=runs.repo, env=env, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if "ready" in line:
                break
        ended = runs.danube("cache", "gc", "--max-size", "0")
        assert ended.status == ENVIRONMENT and "a run uses the cache" in ended.err
        assert ended.hints and len(runs.keys()) == 2
    finally:
        process.terminate()
        process.stdout.read()
        process.wait(60)
    assert runs.danube("cache", "gc", "--max-size", "0").status == SUCCESS
    assert runs.keys() == []
