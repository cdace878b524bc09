"""What a danubefile does when it runs live: order, failures, results."""

from __future__ import annotations

from pathlib import Path

import pytest
from sdk_live import live

FAILED = "step 'bad' failed with exit code 3"
BAD = {"bad": 3}


def test_steps_run_in_program_order_and_the_run_succeeds(tmp_path: Path) -> None:
    run = live(tmp_path, 'step.run("a")\nstep.run(["b", "c"])')
    assert run.commands == ["a", ["b", "c"]]
    assert (run.outcome.kind, run.outcome.message) == ("success", "")


def test_an_uncaught_failure_ends_the_run(tmp_path: Path) -> None:
    run = live(tmp_path, 'step.run("bad")\nstep.run("after")', BAD)
    assert run.commands == ["bad"]
    assert (run.outcome.kind, run.outcome.message) == ("failure", FAILED)


def test_a_failure_can_be_caught(tmp_path: Path) -> None:
    body = """
        try:
            step.run("bad", name="Deploy", capture=True)
        except StepFailed as failure:
            step.run(f"{failure.step} {failure.code} {failure.output}")
    """
    run = live(tmp_path, body, BAD, {"bad": "text\n"})
    assert run.commands == ["bad", "Deploy 3 text"]
    assert run.outcome.kind == "success"


def test_a_finally_runs_and_the_failure_goes_on(tmp_path: Path) -> None:
    body = """
        try:
            step.run("bad")
        finally:
            step.run("clean up")
    """
    run = live(tmp_path, body, BAD)
    assert run.commands == ["bad", "clean up"]
    assert run.outcome.kind == "failure"


def test_without_check_the_code_is_a_number(tmp_path: Path) -> None:
    body = """
        code = step.run("bad", check=False)
        if code == 3 and code != 0 and code > 2:
            step.run(f"code {code}")
        assert step.run("good") == 0 and isinstance(code, int)
    """
    assert live(tmp_path, body, BAD).commands == ["bad", "code 3", "good"]


@pytest.mark.parametrize(
    ("printed", "expected"),
    [("v1\n", "v1"), ("v1\n\n\n", "v1"), (" v1 ", " v1 "), ("a\nb\n", "a\nb"), ("\n", "")],
)
def test_an_output_has_no_trailing_newlines(tmp_path: Path, printed: str, expected: str) -> None:
    body = 'v = step.run("version", capture=True)\nstep.run(["echo", v])'
    run = live(tmp_path, body, outputs={"version": printed})
    assert run.commands == ["version", ["echo", expected]]


def test_an_output_is_a_text(tmp_path: Path) -> None:
    body = """
        v = step.run("version", capture=True)
        step.run(f"tag {v}" + v.upper() + "%s" % v + "-".join([v, v]), env={"V": v, "C": v[0]})
    """
    run = live(tmp_path, body, outputs={"version": "v1"})
    assert run.commands[1] == "tag v1V1v1v1-v1"
    assert run.calls[1].env == {"V": "v1", "C": "v"}


def test_an_argument_list_takes_codes(tmp_path: Path) -> None:
    run = live(tmp_path, 'c = step.run("bad", check=False)\nstep.run(["echo", c])', BAD)
    assert run.commands[1] == ["echo", "3"]


def test_everything_given_reaches_the_executor(tmp_path: Path) -> None:
    body = """
        first = step.run("first")
        step.run("x", name="n", image="i", env={"A": "b"}, check=False, capture=True,
                 timeout="1h30m", inputs=["a"], outputs=["b"], cache=True, needs=[first],
                 retries=2, resources={"cpu": "500m"}, workdir="w", services=[Service("pg:1")])
    """
    first, call = live(tmp_path, body).calls
    assert (call.name, call.image, call.env, call.check, call.capture) == (
        "n", "i", {"A": "b"}, False, True)  # fmt: skip
    assert (call.timeout, call.inputs, call.outputs, call.cache) == (5400.0, ("a",), ("b",), True)
    assert call.needs == (first,)
    assert (call.retries.attempts, call.resources.cpu, call.workdir) == (2, "500m", "w")
    assert call.services[0].image == "pg:1"
    assert (first.index, call.index, first.needs, first.retries.attempts) == (0, 1, None, 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ('""', "ValueError: the command of a step is empty"),
        ("[]", "ValueError: the command of a step is empty"),
        ("3", "TypeError: command of a step takes text, not int"),
        ('"x", env={"A": 1}', "TypeError: env of a step takes text, not int"),
        ('"x", inputs="src"', "TypeError: inputs of a step takes a list: write inputs=['src']"),
        ('"x", needs=["build"]', "TypeError: needs of a step takes what `step.run` returned"),
        ('"x", needs="build"', "TypeError: expected a list, not str"),
        ('"x", timeout="soon"', "ValueError: bad duration 'soon'"),
        ('"x", timeout=0', "ValueError: a duration must be more than 0: 0"),
        ('"x", retries=-1', "ValueError: retries must not be negative: -1"),
        ('"x", retries=True', "TypeError: retries takes a number or a Retry, not bool"),
        ('"x", resources={"cpu": "much"}', "ValueError: bad cpu 'much'"),
        ('"x", resources=Resources(memory="1GB")', "ValueError: bad size '1GB'"),
        ('"x", resources=7', "TypeError: resources takes a Resources, not int"),
        ('"x", comand="y"', "TypeError: Step.run() got an unexpected keyword argument"),
    ],
)
def test_wrong_arguments_are_named_with_their_line(
    tmp_path: Path, arguments: str, message: str
) -> None:
    run = live(tmp_path, f"step.run({arguments})")
    assert run.commands == [] and run.outcome.kind == "failure"
    where, _, said = run.outcome.message.partition(":4: ")
    assert where.startswith("danubefile") and said.startswith(message)


@pytest.mark.parametrize(
    ("ending", "kind", "message"),
    [
        ("return", "success", ""),
        ("sys.exit()", "success", ""),
        ("sys.exit(0)", "success", ""),
        ("sys.exit(2)", "failure", "exit status 2"),
        ('sys.exit("no token")', "failure", "no token"),
        ('raise ValueError("odd")', "failure", ":5: ValueError: odd"),
        ("raise SystemExit(step.run('bad', check=False))", "failure", "exit status 3"),
    ],
)
def test_a_pipeline_ends_early(tmp_path: Path, ending: str, kind: str, message: str) -> None:
    run = live(tmp_path, f'import sys\n{ending}\nstep.run("after")', BAD)
    assert "after" not in run.commands
    assert run.outcome.kind == kind and run.outcome.message.endswith(message)


def test_suspended_generators_close_after_a_failure(tmp_path: Path) -> None:
    body = """
        def resource():
            step.run("acquire")
            try:
                yield "r"
            finally:
                step.run("release")
        for name in resource():
            step.run("bad")
    """
    run = live(tmp_path, body, BAD)
    assert run.commands == ["acquire", "bad", "release"]
    assert run.outcome.message == FAILED


def test_a_failure_while_a_generator_closes_does_not_change_the_outcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # CPython reports what is raised there to this hook, and goes on.
    monkeypatch.setattr("sys.unraisablehook", lambda _: None)
    body = """
        def resource():
            try:
                yield "r"
            finally:
                step.run("bad")
        for name in resource():
            return
    """
    run = live(tmp_path, body, BAD)
    assert run.commands == ["bad"] and run.outcome.kind == "success"


def test_a_context_manager_of_the_user_cleans_up(tmp_path: Path) -> None:
    body = """
        from contextlib import contextmanager
        @contextmanager
        def cluster():
            step.run("up")
            try:
                yield
            finally:
                step.run("down")
        with cluster():
            step.run("bad")
    """
    assert live(tmp_path, body, BAD).commands == ["up", "bad", "down"]
