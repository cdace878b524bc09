"""What the documents show is true: danubefiles plan, commands run, output is ours."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from cli import MISTAKE, SUCCESS, commit, danube, environment, git
from fixture_cases import FIXTURES, ROOT, Case

# What these show is run by other tests.
ELSEWHERE = {ROOT / "docs" / "api.md"}  # test_master_docs.py
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "ARCHITECTURE.md",
         *sorted({*(ROOT / "docs").glob("**/*.md")} - ELSEWHERE)]  # fmt: skip
EXAMPLE = Case(FIXTURES / "projects" / "frontend")
TYPO = """\
# The deployment of the service.
from danube import pipeline, step


@pipeline(image="node:18-alpine")
def ship() -> None:
    # Build first; what follows needs it.
    print("shipping")
    build = step.run("npm run build", name="build")
    step.run("npm test", name="test", needs=[build])
    step.run("npm run lint", name="lint", needs=[build])
    # The deployment waits for the build alone.

    step.run("./deploy", needs=[biuld])
"""


# What the commands of a page are run in that speaks of jobs which ran: of these steps.
RAN = """\
from danube import pipeline, step


@pipeline(name="Example")
def example() -> None:
    step.run("cp README.md out", name="Build", inputs=["README.md"], outputs=["out"])
"""
PAGES_OF_JOBS = ["docs/cache.md"]


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of a language on a page."""
    found: list[str] = re.findall(
        rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL
    )
    return found


def named(language: str) -> list[tuple[str, str]]:
    """All blocks of a language, with a name for reports."""
    return [
        (f"{page.relative_to(ROOT)}#{number}", block)
        for page in PAGES
        for number, block in enumerate(blocks(page, language), 1)
    ]


PIPELINES = [one for one in named("python") if "@pipeline" in one[1]]
COMMANDS = [
    (name, line.partition(" #")[0].strip())
    for name, block in named("sh")
    for line in block.splitlines()
    if line.strip() and not line.startswith("#")
]


@pytest.mark.parametrize("block", [one[1] for one in PIPELINES], ids=[one[0] for one in PIPELINES])
def test_a_danubefile_of_the_documents_plans(
    block: str, tmp_path: Path, danube_program: Path
) -> None:
    root = EXAMPLE.stage(tmp_path / "r")
    (root / "danubefile.py").write_text(block)
    commit(root)
    functions = re.findall(r"^@pipeline.*\ndef (\w+)", block, re.MULTILINE)
    assert functions
    for function in functions:
        for event in ("push", "tag", "pull_request"):
            ended = danube("plan", function, "--event", event, "--format", "json", cwd=root)
            assert ended.status == SUCCESS, ended.err
            assert "error" not in ended.err


def test_there_are_danubefiles_and_commands() -> None:
    assert len(PIPELINES) >= 10 and len(COMMANDS) >= 12
    assert {name.partition("#")[0] for name, _ in PIPELINES} >= {"README.md", "docs/danubefile.md"}
    assert {name.partition("#")[0] for name, _ in COMMANDS} >= {"README.md", *PAGES_OF_JOBS}


def test_the_example_of_the_readme_is_the_fixture(tmp_path: Path, danube_program: Path) -> None:
    (block,) = [one for one in blocks(ROOT / "README.md", "python") if "@pipeline" in one]
    root = EXAMPLE.stage(tmp_path / "r")
    git(root, "init", "--quiet")
    commit(root)
    (root / "danubefile.py").write_text(block)
    ended = danube("plan", "--against", "HEAD", "--branch", "main", cwd=root)
    assert (ended.status, ended.err) == (SUCCESS, "") and "The plan is the same." in ended.out


@pytest.mark.parametrize(
    ("name", "command"), COMMANDS, ids=[f"{name}:{line}" for name, line in COMMANDS]
)
def test_a_command_of_the_documents_runs(
    name: str, command: str, tmp_path: Path, danube_program: Path
) -> None:
    first = shlex.split(command)[0]
    if first == "make":
        target = shlex.split(command)[1]
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
        return
    if first.startswith("scripts/"):
        assert (ROOT / first).stat().st_mode & 0o111
        return
    assert first == "danube", f"{name} shows a command that no test runs: {command}"
    root = EXAMPLE.stage(tmp_path / "r")
    commit(root)
    git(root, "checkout", "--quiet", "-b", "topic")
    (root / "plan.json").write_bytes((FIXTURES / "compile" / "matrix" / "plan.json").read_bytes())
    if command == "danube init":
        (root / "danubefile.py").unlink()
    words = command.partition("|")[0].partition(">")[0]
    env = environment(PATH=f"{danube_program.parent}:/usr/bin:/bin")
    if name.partition("#")[0] in PAGES_OF_JOBS:
        env["HOME"] = str(tmp_path)
        (root / "danubefile.py").write_text(RAN)
        for text in ("first", "second"):
            (root / "README.md").write_text(text)
            assert danube("run", cwd=root, env=env).status == SUCCESS
    ended = subprocess.run(words, shell=True, cwd=root, env=env, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stderr
    assert ended.stdout


def test_the_message_of_the_documents_is_printed(tmp_path: Path, danube_program: Path) -> None:
    (tmp_path / "danubefile.py").write_text(TYPO)
    ended = danube("plan", cwd=tmp_path)
    assert ended.status == MISTAKE
    for page in ("README.md", "docs/diagnostics.md"):
        assert ended.err in blocks(ROOT / page, "text"), ended.err


def test_the_plan_of_the_documents_is_a_plan(danube_program: Path) -> None:
    found = [block for _, block in named("json") if '"steps"' in block]
    assert found
    for block in found:
        json.loads(block)
        ended = danube("plan", "--check", "-", stdin=block.encode())
        assert ended.status == SUCCESS, ended.err


def test_every_document_is_written_in_languages_that_are_tested() -> None:
    tested = {"python", "sh", "json", "text", "mermaid", "toml", ""}
    for page in PAGES:
        fences = re.findall(r"^```(\w*)$", page.read_text(), re.MULTILINE)
        assert set(fences) <= tested, page
