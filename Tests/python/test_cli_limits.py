"""Every bound on an evaluation, at the bound and one past it, set by its flag and by default."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli import MISTAKE, SUCCESS, Ended, danube, repository
from fixture_cases import ROOT

LOOP = "for i in range({}):\n    step.run('x', name=f's {{i}}')"


def plan(root: Path, *arguments: str) -> Ended:
    """Plans, nothing remembered, with time enough on a busy machine."""
    time = [] if any("--timeout" in one for one in arguments) else ["--timeout", "60s"]
    return danube("plan", "-C", root, "--no-memo", "--format", "json", *time, *arguments)


def refused(ended: Ended, code: str, flag: str) -> None:
    """Asserts that a bound was reported, with the flag that raises it."""
    assert ended.status == MISTAKE and ended.out == "", ended
    assert f"[{code}]" in ended.err, ended.err
    assert any(flag in hint for hint in ended.hints), ended.err


def test_the_bound_on_steps(tmp_path: Path, danube_program: Path) -> None:
    root = repository(tmp_path / "r", LOOP.format(10))
    assert len(json.loads(plan(root, "--max-steps", "10").out)["steps"]) == 10
    refused(plan(root, "--max-steps", "9"), "DNB803", "--max-steps")


def test_by_default_there_are_100_000_steps(tmp_path: Path, danube_program: Path) -> None:
    body = "for i in range({}):\n    step.run('x')"
    at = plan(repository(tmp_path / "at", body.format(100_000)))
    assert at.status == SUCCESS, at.err
    past = plan(repository(tmp_path / "past", body.format(100_001)))
    refused(past, "DNB803", "--max-steps")


def dependent(decisions: int) -> str:
    """A pipeline of so many decisions of which each doubles the paths."""
    checks = "".join(
        f"if step.run('c{i}', name='c{i}', check=False) != 0:\n    seen.append({i})\n"
        for i in range(decisions)
    )
    return f"seen = []\n{checks}step.run('echo ' + repr(seen), name='end')"


def test_the_bound_on_paths(tmp_path: Path, danube_program: Path) -> None:
    root = repository(tmp_path / "r", dependent(3))
    assert "live" not in plan(root, "--max-paths", "8").out
    past = plan(root, "--max-paths", "7")
    # More paths than that are not a mistake: what follows is decided live.
    assert past.status == SUCCESS and "[DNB202]" in past.err, past.err
    assert any(one["kind"] == "live" for one in json.loads(past.out)["exits"])
    strict = plan(root, "--max-paths", "7", "--require-static")
    assert strict.status == MISTAKE and "error" in strict.err


def test_by_default_there_are_256_paths(tmp_path: Path, danube_program: Path) -> None:
    at = plan(repository(tmp_path / "at", dependent(8)))
    assert (at.status, at.err) == (SUCCESS, "")
    assert "[DNB202]" in plan(repository(tmp_path / "past", dependent(9))).err


def test_the_bound_on_nesting(tmp_path: Path, danube_program: Path) -> None:
    def blocks(depth: int) -> str:
        lines = ["from contextlib import ExitStack", "with ExitStack() as stack:"]
        lines += [f"    for i in range({depth}):"]
        lines += ["        stack.enter_context(parallel() if i % 2 == 0 else sequence(f's{i}'))"]
        return "\n".join([*lines, "    step.run('x', name='inside')"])

    root = repository(tmp_path / "r", blocks(6))
    assert plan(root, "--max-nesting", "6").status == SUCCESS
    refused(plan(root, "--max-nesting", "5"), "DNB805", "--max-nesting")
    assert plan(repository(tmp_path / "at", blocks(64))).status == SUCCESS
    refused(plan(repository(tmp_path / "past", blocks(65))), "DNB805", "--max-nesting")


def test_the_bound_on_output(tmp_path: Path, danube_program: Path) -> None:
    root = repository(tmp_path / "r", "print('a' * 99)\nstep.run('x', name='a')")
    assert plan(root, "--max-output", "99").status == SUCCESS
    refused(plan(root, "--max-output", "98"), "DNB806", "--max-output")
    accents = repository(tmp_path / "a", "print('é' * 50)\nstep.run('x', name='a')")
    assert plan(accents, "--max-output", "100").status == SUCCESS
    refused(plan(accents, "--max-output", "99"), "DNB806", "--max-output")
    # No single text of a plan is longer than 1 MiB.
    body = "for i in range(16):\n    print('a' * (1 << 16))\nprint('{}')\nstep.run('x', name='a')"
    assert plan(repository(tmp_path / "at", body.format(""))).status == SUCCESS
    refused(plan(repository(tmp_path / "past", body.format("a"))), "DNB806", "--max-output")


def test_the_bound_on_the_result(tmp_path: Path, danube_program: Path) -> None:
    body = "for i in range({}):\n    step.run('x' * 1000, name=f's {{i}}')"
    root = repository(tmp_path / "r", body.format(1000))
    assert plan(root, "--max-result", "2Mi").status == SUCCESS
    refused(plan(root, "--max-result", "512Ki"), "DNB804", "--max-result")
    large = "for i in range({}):\n    step.run('x' * 1000000, name=f's {{i}}')"
    refused(plan(repository(tmp_path / "past", large.format(68))), "DNB804", "--max-result")
    # A step whose texts fill more than a frame, each of them short enough.
    one = "step.run(['echo'] + ['x' * 1000000] * 20, name='a')\nstep.run('x', name='b')"
    ended = plan(repository(tmp_path / "one", one))
    assert ended.status == MISTAKE and "[DNB804]" in ended.err and "[DNB807]" not in ended.err


def test_the_bound_on_time(tmp_path: Path, danube_program: Path) -> None:
    root = repository(tmp_path / "r", "while True:\n    pass")
    refused(plan(root, "--timeout", "200ms"), "DNB801", "--timeout")
    by_default = danube("plan", "-C", root)
    refused(by_default, "DNB801", "--timeout")
    assert "5 s" in by_default.err
    quick = repository(tmp_path / "q", "step.run('x', name='a')")
    assert plan(quick, "--timeout", "1h").status == SUCCESS


def test_the_bound_on_memory(tmp_path: Path, danube_program: Path) -> None:
    body = "held = [bytes(1 << 20) for _ in range({})]\nstep.run('x', name=str(len(held)))"
    within = repository(tmp_path / "w", body.format(40))
    assert plan(within, "--memory", "256Mi").status == SUCCESS
    past = repository(tmp_path / "p", body.format(400))
    refused(plan(past, "--memory", "256Mi"), "DNB802", "--memory")
    assert plan(past, "--memory", "1Gi").status == SUCCESS
    refused(plan(repository(tmp_path / "d", body.format(600))), "DNB802", "--memory")


@pytest.mark.parametrize(
    ("flag", "wrong"),
    [
        ("--timeout", ["soon", "0", "-1s", "1e999", "nan", "inf", "2h", "5 s", "", "s"]),
        ("--memory", ["much", "0", "-1", "1Ti", "99999999999999999999", "1.5Gi", "512MB", "Mi"]),
        ("--max-output", ["0", "x"]),
        ("--max-result", ["0", "x"]),
        ("--max-steps", ["0", "-1", "x", "1.5", "99999999999999999999", "10000001"]),
        ("--max-paths", ["0", "x"]),
        ("--max-nesting", ["0", "x"]),
    ],
)  # fmt: skip
def test_a_wrong_bound_is_named(
    flag: str, wrong: list[str], tmp_path: Path, danube_program: Path
) -> None:
    root = repository(tmp_path / "r", "step.run('x', name='a')")
    for value in wrong:
        ended = plan(root, f"{flag}={value}")
        assert ended.status == MISTAKE and ended.out == "", (value, ended)
        assert flag in ended.err, (value, ended.err)


def test_the_help_names_every_bound_and_its_default() -> None:
    page = (ROOT / "docs" / "cli.md").read_text()
    limits = [part.split("\n\n")[0] for part in page.split("\nLIMITS:\n")[1:]]
    assert len(limits) >= 3
    lines = {line for part in limits for line in part.splitlines()}
    for flag, default in {"timeout": "5s", "memory": "512Mi", "max-steps": "100000",
                          "max-paths": "256", "max-output": "1Mi", "max-result": "64Mi",
                          "max-nesting": "64"}.items():  # fmt: skip
        (line,) = {line for line in lines if line.strip().startswith(f"--{flag} ")}
        assert f"(default: {default})" in line
