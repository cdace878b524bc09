"""The smaller commands: lint, doctor, schema, completion, help, version."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import jsonschema
import pytest
from cli import MISTAKE, SUCCESS, commit, danube, environment, repository
from fixture_cases import ROOT

from danube import __version__

COMMANDS = [
    "run", "rerun", "plan", "why", "jobs", "logs", "shell", "cache", "lint", "init", "trigger",
    "cancel", "pause", "resume", "artifacts", "secret", "login", "logout", "status", "drain",
    "master", "doctor", "schema", "completion", "version",
]  # fmt: skip
SHELLS = {"bash": ["bash", "-n"], "zsh": ["zsh", "--no-exec"], "fish": ["fish", "--no-execute"]}

# What SARIF 2.1.0 (OASIS, section 3) requires of what we write, as a JSON Schema.
REGION = {
    "type": "object",
    "required": ["startLine"],
    "additionalProperties": False,
    "properties": {
        name: {"type": "integer", "minimum": 1}
        for name in ("startLine", "startColumn", "endLine", "endColumn")
    },
}
LOCATION = {
    "type": "object",
    "required": ["physicalLocation"],
    "additionalProperties": False,
    "properties": {
        "message": {"type": "object", "required": ["text"]},
        "physicalLocation": {
            "type": "object",
            "required": ["artifactLocation"],
            "additionalProperties": False,
            "properties": {
                "artifactLocation": {
                    "type": "object",
                    "required": ["uri"],
                    "properties": {"uri": {"type": "string", "pattern": "^[!-~]+$"}},
                },
                "region": REGION,
            },
        },
    },
}
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"const": "https://json.schemastore.org/sarif-2.1.0.json"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "additionalProperties": False,
                "properties": {
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name", "rules", "semanticVersion"],
                                "properties": {
                                    "semanticVersion": {"pattern": r"^\d+\.\d+\.\d+$"},
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": {
                                            "type": "object",
                                            "required": ["id", "shortDescription"],
                                        },
                                    },
                                },
                            }
                        },
                    },
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["message", "ruleId", "ruleIndex", "level", "locations"],
                            "additionalProperties": False,
                            "properties": {
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "locations": {
                                    "type": "array", "minItems": 1, "items": LOCATION},
                                "relatedLocations": {"type": "array", "items": LOCATION},
                                "message": {
                                    "type": "object",
                                    "required": ["text"],
                                    "properties": {"text": {"type": "string", "minLength": 1}},
                                },
                                "ruleId": {"type": "string", "pattern": r"^DNB\d{3}$"},
                                "ruleIndex": {"type": "integer", "minimum": 0},
                            },
                        },
                    },
                },
            },
        },
    },
}  # fmt: skip

BROKEN = """\
step.run("", name="a")
é = step.run("x", name="a", image="no good", timeout="soon")
def deeper():
    step.run("y", env={"1": "x"})
deeper()
print(secrets.get("KEY"))
"""


# lint


def test_lint_finds_no_fault_in_a_good_file(tmp_path: Path, danube_program: Path) -> None:
    root = repository(tmp_path / "r", 'step.run("x", name="a")')
    ended = danube("lint", "-C", root)
    assert (ended.status, ended.out, ended.err) == (SUCCESS, "danubefile.py: no problems\n", "")


def test_lint_reports_all_problems_of_all_pipelines_once(
    tmp_path: Path, danube_program: Path
) -> None:
    (tmp_path / "danubefile.py").write_text(
        "from danube import pipeline, step\n\n@pipeline\ndef one() -> None:\n"
        '    step.run("", name="a")\n    shared()\n\n@pipeline\ndef two() -> None:\n'
        '    step.run("x", image="a b")\n    shared()\n\ndef shared() -> None:\n'
        '    step.run("x", timeout="soon")\n'
    )
    ended = danube("lint", cwd=tmp_path)
    assert ended.status == MISTAKE
    found = re.findall(r"^danubefile.py:(\d+):\d+: error.*\[(DNB\d+)\]", ended.out, re.MULTILINE)
    assert found == [("5", "DNB304"), ("10", "DNB305"), ("14", "DNB306")], ended.out
    assert "3 errors" in ended.out


def test_lint_takes_a_folder_or_a_file(tmp_path: Path, danube_program: Path) -> None:
    root = repository(tmp_path / "r", 'step.run("", name="a")')
    (root / "danubefile.py").rename(root / "ci.py")
    for arguments in (["-C", root, "-f", "ci.py"], [root / "ci.py"], [root, "-f", "ci.py"]):
        ended = danube("lint", *arguments)
        assert ended.status == MISTAKE and "ci.py:5:5: error" in ended.out, ended
    assert "ci.py:5:5" in danube("lint", "ci.py", cwd=root).out
    missing = danube("lint", root / "missing.py")
    assert missing.status == MISTAKE and "missing.py" in missing.err
    commit(root)
    (root / "ci.py").write_text("")
    assert "[DNB304]" in danube("lint", "-C", root, "-f", "ci.py", "--rev", "HEAD").out


def test_sarif_is_sarif(tmp_path: Path, danube_program: Path) -> None:
    root = repository(tmp_path / "r", BROKEN)
    jsonschema.Draft202012Validator.check_schema(SARIF)
    for command in ("plan", "lint"):
        ended = danube(command, "-C", root, "--format", "sarif")
        assert ended.status == MISTAKE
        log = json.loads(ended.out)
        jsonschema.validate(log, SARIF)
        (run,) = log["runs"]
        rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        assert rules == sorted({one["ruleId"] for one in run["results"]}) and len(rules) >= 4
        assert all(rules[one["ruleIndex"]] == one["ruleId"] for one in run["results"])
        for one in run["results"]:
            region = one["locations"][0]["physicalLocation"]["region"]
            if "endColumn" in region and region["startLine"] == region["endLine"]:
                assert region["endColumn"] > region["startColumn"]
        # Columns count characters: `é = ` is four.
        bad = next(one for one in run["results"] if one["ruleId"] == "DNB305")
        assert bad["locations"][0]["physicalLocation"]["region"]["startColumn"] == 9
        assert any(one.get("relatedLocations") for one in run["results"]), "the call of `deeper`"
    clean = danube("lint", "-C", repository(root, 'step.run("x")'), "--format", "sarif")
    assert clean.status == SUCCESS
    jsonschema.validate(json.loads(clean.out), SARIF)


def test_rules_of_sarif_mean_what_the_page_of_codes_says(
    tmp_path: Path, danube_program: Path
) -> None:
    page = (ROOT / "docs" / "diagnostics.md").read_text()
    meanings = dict(re.findall(r"^\| (DNB\d{3}) \| (.*) \|$", page, re.MULTILINE))
    root = repository(tmp_path / "r", BROKEN)
    log = json.loads(danube("lint", "-C", root, "--format", "sarif").out)
    for rule in log["runs"][0]["tool"]["driver"]["rules"]:
        assert rule["shortDescription"]["text"] == meanings[rule["id"]]
    # Every documented code is known to the program, whose text is this page's.
    source = (ROOT / "Sources" / "CLI" / "DiagnosticCodes.swift").read_text()
    assert dict(re.findall(r'"(DNB\d{3})":\s*"([^"]*)"', source)) == meanings


def test_lint_writes_json_and_annotations(tmp_path: Path, danube_program: Path) -> None:
    root = repository(tmp_path / "r", 'step.run("", name="50%, a:b")')
    (one,) = json.loads(danube("lint", "-C", root, "--format", "json").out)
    assert one["code"] == "DNB304" and one["level"] == "error" and one["hint"]
    assert one["place"]["line"] == 5 and one["place"]["text"].strip().startswith("step.run")
    line = danube("lint", "-C", root, "--format", "github").out
    assert re.match(r"::error file=danubefile\.py,line=5,col=5,.*title=DNB304::", line)
    assert line.count("\n") == 1


# doctor


def test_doctor_says_what_holds(danube_program: Path) -> None:
    shown = danube("doctor")
    assert shown.status == SUCCESS, shown.out
    found = json.loads(danube("doctor", "--json").out)
    assert found["usable"] is True
    names = {one["name"]: one for one in found["findings"]}
    for name in ("danube-pybridge", "libpython", "libgit2", "sandbox: system calls"):
        assert names[name]["holds"], names[name]
        assert re.search(rf"^yes +{re.escape(name)} +\S", shown.out, re.MULTILINE)
    # Every layer of the security model has a line.
    assert len([name for name in names if name.startswith("sandbox: ")]) >= 10
    for line in shown.out.splitlines():
        assert re.match(r"(yes|no ) ", line)


def test_doctor_on_a_host_without_the_evaluator(danube_program: Path) -> None:
    ended = danube("doctor", "--json", env=environment(DANUBE_PYBRIDGE="/nonexistent"))
    assert ended.status == 3
    found = json.loads(ended.out)
    assert found["usable"] is False
    (bridge,) = [one for one in found["findings"] if one["name"] == "danube-pybridge"]
    assert not bridge["holds"] and "/nonexistent" in bridge["detail"]


# completion


@pytest.mark.parametrize("shell", SHELLS)
def test_a_completion_script_is_written(shell: str, danube_program: Path) -> None:
    script = danube("completion", shell)
    assert script.status == SUCCESS and script.err == ""
    for word in ("danube", *COMMANDS, "require-static", "max-paths"):
        assert word in script.out, word
    checked = subprocess.run(
        SHELLS[shell], input=script.out, text=True, capture_output=True, timeout=60
    )
    assert (checked.returncode, checked.stderr) == (0, "")


def test_bash_completes_commands_and_options(danube_program: Path) -> None:
    script = danube("completion", "bash").out

    def complete(*words: str) -> list[str]:
        quoted = " ".join(f"'{word}'" for word in words)
        driver = (
            f"{script}\nCOMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}\n"
            'COMP_LINE="${COMP_WORDS[*]}"; COMP_POINT=${#COMP_LINE}\n'
            '_danube danube "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"\n'
            'printf "%s\\n" "${COMPREPLY[@]}"\n'
        )
        env = environment(PATH=f"{danube_program.parent}:/usr/bin:/bin")
        ended = subprocess.run(["bash", "-c", driver], env=env, capture_output=True, text=True)
        return ended.stdout.split()

    assert complete("danube", "pl") == ["plan"]
    assert complete("danube", "plan", "--require") == ["--require-static"]
    assert "mermaid" in complete("danube", "plan", "--format", "m")


# help


# `danube master` hands `--help` on as well.
@pytest.mark.parametrize("command", [one for one in COMMANDS if one != "master"])
def test_help_says_what_a_command_does(command: str, danube_program: Path) -> None:
    ended = danube(command, "--help")
    assert (ended.status, ended.err) == (SUCCESS, "")
    assert ended.out.startswith("OVERVIEW: ") and f"USAGE: danube {command}" in ended.out
    assert danube("help", command).out == ended.out
    assert danube(command, "-h").out == ended.out


def test_every_command_and_option_is_in_the_page(danube_program: Path) -> None:
    page = (ROOT / "docs" / "cli.md").read_text()
    listed = danube("--help").out
    shown = re.findall(r"^  (\w+)  ", listed[listed.index("SUBCOMMANDS") :], re.MULTILINE)
    assert set(shown) == set(COMMANDS)
    for command in COMMANDS:
        assert f"## `danube {command}`" in page
    generated = subprocess.run(
        [ROOT / "scripts" / "generate-cli-docs", "--check"],
        env=environment(DANUBE=str(danube_program)), capture_output=True, text=True,
    )  # fmt: skip
    assert generated.returncode == 0, generated.stderr


def test_without_a_command_the_help_is_shown(danube_program: Path) -> None:
    ended = danube()
    assert ended.status == SUCCESS and "SUBCOMMANDS" in ended.out


def test_the_version_is_that_of_the_python_package(danube_program: Path) -> None:
    shown = danube("version")
    assert shown.out == f"danube {__version__}\n"
    assert danube("--version").out.strip() == __version__
