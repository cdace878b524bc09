"""`danube plan` as a person and a script use it: options, formats, events, revisions, statuses."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import jsonschema
import pytest
from cli import ENVIRONMENT, MISTAKE, SUCCESS, commit, danube, git, repository
from fixture_cases import FIXTURES, ROOT, canonical

FORMATS = ["table", "json", "dot", "mermaid", "markdown", "sarif"]
BRANCH = FIXTURES / "projects" / "frontend"
TWO = """\
from danube import pipeline, step

@pipeline
def one() -> None:
    step.run("./one", name="one")

@pipeline(name="The Second")
def two() -> None:
    step.run("./two", name="two")
"""


def steps(root: Path, *arguments: str) -> list[str]:
    """The names of the planned steps."""
    ended = danube("plan", "-C", root, "--format", "json", *arguments)
    assert ended.status == SUCCESS, ended.err
    return [one["name"] for one in json.loads(ended.out)["steps"]]


# What is planned.


def test_the_only_pipeline_needs_no_name(tmp_path: Path, danube_program: Path) -> None:
    root = repository(tmp_path / "r", 'step.run("true", name="a")')
    assert steps(root) == ["a"]


def test_one_of_several_pipelines_is_named(tmp_path: Path, danube_program: Path) -> None:
    (tmp_path / "danubefile.py").write_text(TWO)
    assert steps(tmp_path, "one") == ["one"]
    assert steps(tmp_path, "The Second") == steps(tmp_path, "two") == ["two"]
    unnamed = danube("plan", "-C", tmp_path)
    assert unnamed.status == MISTAKE
    assert "`one`, `The Second`" in unnamed.err and "danube plan NAME" in unnamed.hints[0]
    misspelt = danube("plan", "-C", tmp_path, "The Secnod")
    assert misspelt.status == MISTAKE and "Did you mean `The Second`?" in misspelt.hints


def test_a_file_of_another_name_is_planned(tmp_path: Path, danube_program: Path) -> None:
    root = repository(tmp_path / "r", 'step.run("true", name="a")')
    (root / "ci").mkdir()
    (root / "danubefile.py").rename(root / "ci" / "release.py")
    assert steps(root, "-f", "ci/release.py") == ["a"]
    outside = danube("plan", "-C", root / "ci", "-f", "../ci/release.py")
    assert outside.status == MISTAKE and "outside the repository" in outside.err
    assert "-C" in outside.hints[0]


def test_a_plan_is_the_same_from_any_folder(tmp_path: Path, danube_program: Path) -> None:
    root = repository(tmp_path / "r", 'step.run("true", name="a")')
    inside = danube("plan", "--format", "json", cwd=root)
    assert danube("plan", "--format", "json", "-C", "r", cwd=tmp_path).out == inside.out


# Formats.


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_says_the_plan_and_nothing_else(
    name: str, tmp_path: Path, danube_program: Path
) -> None:
    root = repository(tmp_path / "r", 'print("a note")\nstep.run("true", name="the step")')
    ended = danube("plan", "-C", root, "--format", name)
    assert (ended.status, ended.err) == (SUCCESS, "")
    assert "the step" in ended.out or name == "sarif"
    starts = {"table": "P  sha256:", "json": "{", "dot": "digraph", "mermaid": "flowchart TD",
              "markdown": "<h3>Plan of", "sarif": '{"$schema"'}  # fmt: skip
    assert ended.out.startswith(starts[name])


def test_json_is_canonical_and_follows_the_schema(tmp_path: Path, danube_program: Path) -> None:
    root = repository(tmp_path / "r", 'step.run("true", name="☃")')
    ended = danube("plan", "-C", root, "--format", "json")
    plan = json.loads(ended.out)
    assert ended.out.encode() == canonical(plan)
    assert danube("plan", "-C", root, "--json").out == ended.out
    schema = json.loads(danube("schema").out)
    assert schema == json.loads((ROOT / "proto/danube/plan/v1/plan.schema.json").read_text())
    jsonschema.validate(plan, schema)
    broken = {**plan, "surplus": 1}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, schema)


def test_two_formats_exclude_each_other(tmp_path: Path, danube_program: Path) -> None:
    ended = danube("plan", "-C", tmp_path, "--json", "--format", "dot")
    assert ended.status == MISTAKE and "--json and --format dot" in ended.err
    unknown = danube("plan", "-C", tmp_path, "--format", "yaml")
    assert unknown.status == MISTAKE and "mermaid" in unknown.err


def ways(mermaid: str) -> dict[str, dict[str, list[str]]]:
    """Where the answers to each question of a flowchart lead."""
    labels = dict(re.findall(r'^ *(n\d+)[{(\["]+(.*?)"?[\])}]+$', mermaid, re.MULTILINE))
    found: dict[str, dict[str, list[str]]] = {}
    for start, answer, end in re.findall(r"(n\d+) -- (\w+) --> (n\d+)", mermaid):
        question = found.setdefault(labels[start].strip('"'), {})
        question.setdefault(answer, []).append(labels[end].strip('"'))
    return found


def test_the_graph_of_the_readme_shows_both_ways(tmp_path: Path, danube_program: Path) -> None:
    """The branch of the design's first example: publish, or end."""
    shutil.copytree(BRANCH, tmp_path / "r")
    ended = danube("plan", "-C", tmp_path / "r", "--branch", "main", "--format", "mermaid")
    (question,) = ways(ended.out).items()
    assert question[0] == "Test exited 0?"
    assert set(question[1]) == {"yes", "no"}, ended.out
    assert question[1]["yes"][0].startswith("node -p") and question[1]["no"] == ["success"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            'if step.run("t", name="t", check=False) != 0:\n    step.run("a", name="a")\n'
            'step.run("b", name="b")',
            {"t exited 0?": {"no": ["a"], "yes": ["b"]}},
        ),
        (
            'if step.run("t", name="t", check=False) == 3:\n    step.run("a", name="a")\n'
            'else:\n    step.run("b", name="b")',
            {"t exited 3?": {"yes": ["a"], "no": ["b"]}},
        ),
        (
            'if step.run("t", name="t", check=False) == 0:\n'
            '    if step.run("u", name="u", check=False) == 0:\n'
            '        step.run("a", name="a")\n    step.run("b", name="b")\n'
            'step.run("c", name="c")',
            {
                "t exited 0?": {"yes": ["u", "u exited 0?"], "no": ["c"]},
                "u exited 0?": {"yes": ["a"], "no": ["b"]},
            },
        ),
        (
            'if step.run("t", name="t", check=False) != 0:\n    raise SystemExit(1)\n'
            'step.run("b", name="b")',
            {"t exited 0?": {"yes": ["b"], "no": ["failure: exit status 1"]}},
        ),
    ],
)  # fmt: skip
def test_a_decision_has_two_ways_out(
    body: str, expected: dict[str, dict[str, list[str]]], tmp_path: Path, danube_program: Path
) -> None:
    root = repository(tmp_path / "r", body)
    ended = danube("plan", "-C", root, "--format", "mermaid")
    assert ways(ended.out) == expected, ended.out


def test_dot_draws_both_ways_as_well(tmp_path: Path, danube_program: Path) -> None:
    shutil.copytree(BRANCH, tmp_path / "r")
    drawn = danube("plan", "-C", tmp_path / "r", "--branch", "main", "--format", "dot").out
    (question,) = re.findall(r'(n\d+) \[label="Test exited 0\?"', drawn)
    assert set(re.findall(rf'{question} -> n\d+ \[label="(\w+)"', drawn)) == {"yes", "no"}


def test_markdown_holds_a_diagram_and_escapes(tmp_path: Path, danube_program: Path) -> None:
    root = repository(tmp_path / "r", 'step.run("true", name="<b> | `x` @user")')
    shown = danube("plan", "-C", root, "--format", "markdown").out
    assert "```mermaid" in shown
    table = shown[: shown.index("<details>")]
    assert "&lt;b&gt;" in table and "<b>" not in table and "@user" not in table


# Events, branches, tags.

EVENTS = """\
if ctx.trigger_type == "tag":
    step.run("true", name="release")
if ctx.pull_request:
    step.run("true", name="preview")
if ctx.branch == "main":
    step.run("true", name="deploy")
if step.run("t", name="t", check=False) != 0:
    step.run("true", name="repair")
"""


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--event", "push", "--branch", "main"], ["deploy", "t", "repair"]),
        (["--event", "push", "--branch", "topic"], ["t", "repair"]),
        (["--event", "tag", "--tag", "v1"], ["release", "t", "repair"]),
        (["--tag", "v1"], ["release", "t", "repair"]),
        (["--event", "pull_request"], ["preview", "t", "repair"]),
        (["--event", "cron", "--branch", "main"], ["deploy", "t", "repair"]),
        (["--event", "manual", "--branch", "x"], ["t", "repair"]),
    ],
)
def test_an_event_decides_what_runs(
    arguments: list[str], expected: list[str], tmp_path: Path, danube_program: Path
) -> None:
    assert steps(repository(tmp_path / "r", EVENTS), *arguments) == expected


def test_several_events_give_one_matrix(tmp_path: Path, danube_program: Path) -> None:
    root = repository(tmp_path / "r", EVENTS)
    events = ["--event", "push", "--event", "tag", "--event", "pull_request"]
    shown = danube("plan", "-C", root, "--branch", "main", *events)
    assert (shown.status, shown.err) == (SUCCESS, "")
    lines = [line for line in shown.out.splitlines() if line.strip()]
    titles = lines[1].split() if lines[0].split() == ["P"] else lines[0].split()
    assert titles == ["STEP", "push", "tag", "pull_request"]
    cells = {line.split()[0]: re.findall("[●◐]| (?= )", line) for line in lines}
    assert {"release", "preview", "deploy", "t", "repair"} <= set(cells)
    assert "●" in cells["t"] and "◐" in cells["repair"]
    assert any("runs if" in line for line in lines), "there is a legend"

    data = json.loads(danube("plan", "-C", root, "--branch", "main", "--json", *events).out)
    assert data["events"] == ["push", "tag", "pull_request"]
    table = {one["name"]: one["cells"] for one in data["steps"]}
    assert table["t"] == ["always"] * 3 and table["repair"] == ["conditional"] * 3
    assert table["release"] == ["absent", "always", "absent"]
    assert table["preview"] == ["absent", "absent", "always"]


def test_a_matrix_reports_a_problem_once(tmp_path: Path, danube_program: Path) -> None:
    root = repository(tmp_path / "r", 'step.run("", name="a")')
    ended = danube("plan", "-C", root, "--event", "push", "--event", "tag")
    assert ended.status == MISTAKE
    assert ended.err.count("[DNB304]") == 1, ended.err


def test_an_unknown_event_is_refused(tmp_path: Path, danube_program: Path) -> None:
    ended = danube("plan", "-C", tmp_path, "--event", "pusch")
    assert ended.status == MISTAKE
    assert "pusch" in ended.err and "pull_request" in ended.err


# Revisions.


def test_a_revision_needs_no_checkout(tmp_path: Path, danube_program: Path) -> None:
    root = repository(tmp_path / "r", 'step.run(files.read_text("cmd"), name="a")')
    (root / "cmd").write_text("old")
    old = commit(root)
    git(root, "tag", "v1")
    (root / "cmd").write_text("new")
    commit(root)
    (root / "cmd").write_text("unsaved")

    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "--quiet", "--bare", "r", "bare.git")
    for place in (root, bare):
        for revision, text in [(old, "old"), (old[:9], "old"), ("v1", "old"), ("main", "new"),
                               ("HEAD", "new"), ("HEAD~1", "old")]:  # fmt: skip
            ended = danube("plan", "-C", place, "--rev", revision, "--format", "json")
            assert ended.status == SUCCESS, ended.err
            assert json.loads(ended.out)["steps"][0]["run"] == text
    assert '"unsaved"' in danube("plan", "-C", root, "--format", "json").out
    assert git(root, "status", "--porcelain") == "M cmd", "nothing is written"


@pytest.mark.parametrize("option", ["--rev", "--against"])
def test_a_revision_that_is_not_there_is_named(
    option: str, tmp_path: Path, danube_program: Path
) -> None:
    root = repository(tmp_path / "r", 'step.run("true", name="a")')
    no_git = danube("plan", "-C", root, option, "HEAD")
    assert no_git.status == MISTAKE and "is not a git repository" in no_git.err
    git(root, "init", "--quiet")
    empty = danube("plan", "-C", root, option, "HEAD")
    assert empty.status == MISTAKE and "`HEAD` is not a commit" in empty.err
    commit(root)
    for wrong in ["nope", "0" * 40, "--upload-pack=x", "HEAD:danubefile.py", "a\nb", "HEAD~9"]:
        ended = danube("plan", "-C", root, f"{option}={wrong}")
        assert ended.status == MISTAKE, (wrong, ended)
        assert "is not a commit" in ended.err and "git log" in ended.hints[0], (wrong, ended.err)


def test_a_commit_without_danubefile_says_so(tmp_path: Path, danube_program: Path) -> None:
    root = tmp_path / "r"
    root.mkdir()
    first = commit(root)
    repository(root, 'step.run("true", name="a")')
    commit(root)
    ended = danube("plan", "-C", root, "--rev", first)
    assert ended.status == MISTAKE and "There is no `danubefile.py`" in ended.err


# Statuses.


def test_a_live_part_is_marked_and_may_be_forbidden(tmp_path: Path, danube_program: Path) -> None:
    body = 'out = step.run("ls", name="a", capture=True)\nfor one in out.splitlines():\n    pass'
    root = repository(tmp_path / "r", body)
    ended = danube("plan", "-C", root)
    assert ended.status == SUCCESS
    assert "warning" in ended.err and "[DNB203]" in ended.err and "live from line 6" in ended.out
    forbidden = danube("plan", "-C", root, "--require-static")
    assert forbidden.status == MISTAKE and "error" in forbidden.err and forbidden.out == ""
    assert danube("lint", "-C", root).status == SUCCESS
    assert danube("lint", "-C", root, "--require-static").status == MISTAKE


@pytest.mark.parametrize("command", ["plan", "lint"])
def test_a_code_may_be_denied(command: str, tmp_path: Path, danube_program: Path) -> None:
    root = repository(tmp_path / "r", 'step.run("ls", name="a", capture=True)')
    assert danube(command, "-C", root).status == SUCCESS
    assert danube(command, "-C", root, "--deny", "DNB404").status == SUCCESS
    denied = danube(command, "-C", root, "--deny", "DNB404", "--deny", "DNB501")
    assert denied.status == MISTAKE and "error: " in denied.err + denied.out
    unknown = danube(command, "-C", root, "--deny", "DNB499")
    assert unknown.status == MISTAKE and "DNB499" in unknown.err and unknown.hints


def test_sarif_says_errors_with_the_same_status(tmp_path: Path, danube_program: Path) -> None:
    root = repository(tmp_path / "r", 'step.run("ls", name="a", capture=True)')
    denied = danube("plan", "-C", root, "--format", "sarif", "--deny", "DNB501")
    assert denied.status == MISTAKE
    (result,) = json.loads(denied.out)["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == ("DNB501", "error")


@pytest.mark.parametrize(
    "arguments",
    [["plann"], ["plan", "--nope"], ["plan", "a", "b"], ["plan", "--event"],
     ["plan", "--param", "a"],
     ["plan", "--timeout", "soon"], ["completion", "tcsh"], ["lint", "--format", "xml"]],
    ids=" ".join,
)  # fmt: skip
def test_wrong_arguments_end_with_a_mistake_and_usage(
    arguments: list[str], danube_program: Path
) -> None:
    ended = danube(*arguments)
    assert ended.status == MISTAKE and ended.out == ""
    assert arguments[-1] in ended.err or "--event" in ended.err


def test_a_missing_folder_is_named(tmp_path: Path, danube_program: Path) -> None:
    missing = danube("plan", "-C", tmp_path / "missing")
    assert missing.status == MISTAKE and "missing: No such file" in missing.err
    file = tmp_path / "file"
    file.write_text("")
    assert "is not a directory" in danube("plan", "-C", file).err


def test_an_output_that_is_full_is_the_environments_failure(
    tmp_path: Path, danube_program: Path
) -> None:
    root = repository(tmp_path / "r", 'step.run("true", name="a")')
    ended = danube(
        "-c", '"$0" plan -C "$1" > /dev/full', danube_program, root, program=Path("/bin/sh")
    )
    assert ended.status == ENVIRONMENT and "No space left" in ended.err


def test_a_reader_that_goes_away_ends_it_quietly(tmp_path: Path, danube_program: Path) -> None:
    root = repository(tmp_path / "r", 'for i in range(20000):\n    step.run("true", name=f"s {i}")')
    script = '"$0" plan -C "$1" --timeout 60s | head -n 1'
    ended = danube("-c", script, danube_program, root, program=Path("/bin/sh"))
    assert (ended.status, ended.err) == (SUCCESS, "") and ended.out.startswith("P  sha256:")


# Plans that somebody else wrote.


def test_a_plan_is_checked_from_a_file_and_a_pipe(tmp_path: Path, danube_program: Path) -> None:
    golden = FIXTURES / "compile" / "matrix" / "plan.json"
    file = danube("plan", "--check", golden)
    assert file.status == SUCCESS and re.fullmatch(r"sha256:[0-9a-f]{64}\n", file.out)
    piped = danube("plan", "--check", "-", stdin=golden.read_bytes())
    assert piped.out == file.out
    assert "flowchart" in danube("plan", "--check", golden, "--format", "mermaid").out
    missing = danube("plan", "--check", tmp_path / "x")
    assert missing.status == MISTAKE and "No such file" in missing.err
    broken = danube("plan", "--check", "-", stdin=b'{"version":1,\n"steps":[{"id":1}]}')
    assert broken.status == MISTAKE
    assert re.search(r"standard input:2:\d+: \$\.steps\[0\]", broken.err), broken.err
