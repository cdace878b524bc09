"""What `parallel` and `sequence` mean when a danubefile runs live."""

from __future__ import annotations

from pathlib import Path

import pytest
from sdk_live import live

FAILED = "step 'bad' failed with exit code 3"
BAD = {"bad": 3, "worse": 4}


def test_a_failure_does_not_stop_the_other_branches_but_what_follows(tmp_path: Path) -> None:
    body = """
        with parallel():
            step.run("bad")
            step.run("worse")
            step.run("good")
        step.run("after")
    """
    run = live(tmp_path, body, BAD)
    assert run.commands == ["bad", "worse", "good"]
    assert run.outcome.message == FAILED


def test_a_code_in_the_block_can_be_branched_on(tmp_path: Path) -> None:
    body = """
        with parallel():
            code = step.run("bad", check=False)
            zero = step.run("worse")
        if code != 0 and zero == 0:
            step.run("never, the block raised")
    """
    assert live(tmp_path, body, BAD).outcome.message.startswith("step 'worse'")


def test_a_failure_stops_its_own_sequence_only(tmp_path: Path) -> None:
    body = """
        with parallel():
            with sequence():
                step.run("1")
                code = step.run("bad")
                text = step.run("2", capture=True)
                assert code == 0 and text is not None
                artifacts.upload("log")
                step.run("3")
            with sequence():
                step.run("4")
                step.run("5")
                artifacts.upload("report", "r", junit=True)
            step.run("6")
    """
    run = live(tmp_path, body, BAD)
    assert run.commands == ["1", "bad", "4", "5", "6"]
    assert run.uploads == [("report", "r", True)]
    assert run.outcome.message == FAILED


@pytest.mark.parametrize("use", ["if seen == 0: pass", "print(seen)", "step.run(f'7 {seen}')"])
def test_the_result_of_a_step_that_was_stopped_cannot_be_used(tmp_path: Path, use: str) -> None:
    body = f"""
        with parallel():
            with sequence():
                step.run("bad")
                seen = step.run("2", check=False)
            step.run("3")
            {use}
            step.run("4")
    """
    run = live(tmp_path, body, BAD)
    assert run.commands == ["bad", "3"]
    assert run.outcome.message == FAILED


def test_a_nested_block_is_one_branch_and_stops_its_sequence(tmp_path: Path) -> None:
    body = """
        with parallel():
            with sequence():
                with parallel():
                    step.run("bad")
                    step.run("sibling")
                step.run("after the nested block")
            step.run("other")
    """
    run = live(tmp_path, body, BAD)
    assert run.commands == ["bad", "sibling", "other"]
    assert run.outcome.message == FAILED


def test_a_nested_sequence_stops_the_outer_one(tmp_path: Path) -> None:
    body = """
        with parallel():
            with sequence():
                with sequence():
                    step.run("bad")
                step.run("stopped")
                with parallel():
                    step.run("stopped too")
    """
    assert live(tmp_path, body, BAD).commands == ["bad"]


def test_the_outermost_block_raises_and_can_be_caught(tmp_path: Path) -> None:
    body = """
        try:
            with parallel():
                with parallel():
                    step.run("bad")
                step.run("next")
        except StepFailed as failure:
            step.run(f"roll back {failure.step}")
    """
    run = live(tmp_path, body, BAD)
    assert run.commands == ["bad", "next", "roll back bad"]
    assert run.outcome.kind == "success"


def test_outside_a_parallel_block_a_sequence_changes_nothing(tmp_path: Path) -> None:
    body = """
        with sequence("s"):
            try:
                step.run("bad")
            except StepFailed:
                step.run("caught")
            step.run("on")
    """
    assert live(tmp_path, body, BAD).commands == ["bad", "caught", "on"]


def test_another_exception_goes_before_the_failure(tmp_path: Path) -> None:
    body = """
        with parallel():
            step.run("bad")
            raise ValueError("odd")
    """
    assert live(tmp_path, body, BAD).outcome.message.endswith("ValueError: odd")


@pytest.mark.parametrize("leave", ["return", "break"])
def test_leaving_the_block_early_still_raises(tmp_path: Path, leave: str) -> None:
    body = f"""
        for _ in range(2):
            with parallel():
                step.run("bad")
                {leave}
        step.run("after")
    """
    run = live(tmp_path, body, BAD)
    assert run.commands == ["bad"] and run.outcome.message == FAILED


@pytest.mark.parametrize(
    "use",
    ['f"{v}"', "v.strip()", 'v + "x"', '"x" + v', '"%s" % v', 'v == "x"', 'v != "x"', "str(v)",
     "len(v)", "v[0]", "bool(v)", "not v", '"x" in v', "list(v)", "{v: 1}", "repr(v)", "v % 1",
     'v < "x"', "int(v)", 'step.run(["echo", v])', 'step.run("x", env={"V": v})',
     "step.run(v)"],
)  # fmt: skip
def test_using_the_output_of_a_failed_step_raises_its_failure(tmp_path: Path, use: str) -> None:
    body = f"""
        with parallel():
            v = step.run("bad", capture=True)
            step.run("sibling")
            try:
                {use}
            except StepFailed as failure:
                step.run(f"caught {{failure.code}}")
    """
    run = live(tmp_path, body, BAD)
    assert run.commands == ["bad", "sibling", "caught 3"]
    assert run.outcome.message == FAILED


def test_needs_replace_program_order_for_what_a_failure_stops(tmp_path: Path) -> None:
    body = """
        with parallel():
            good = step.run("good")
            bad = step.run("bad", capture=True)
            stopped = step.run("stopped", needs=[good, bad])
            step.run("stopped too", needs=[stopped])
            with sequence():
                step.run("worse")
                step.run("needs nothing", needs=[])
                step.run("needs good", needs=[good])
                step.run("in order")
    """
    run = live(tmp_path, body, BAD)
    assert run.commands == ["good", "bad", "worse", "needs nothing", "needs good"]


def test_branches_say_which_steps_are_not_ordered(tmp_path: Path) -> None:
    body = """
        step.run("a")
        with parallel():
            step.run("b")
            with sequence():
                step.run("c")
                with parallel():
                    step.run("d")
                    step.run("e")
                step.run("f")
            with parallel():
                step.run("g")
        with parallel():
            step.run("h")
    """
    run = live(tmp_path, body)
    assert {str(call.command): call.branch for call in run.calls} == {
        "a": (),
        "b": ((0, 0),),
        "c": ((0, 1),),
        "d": ((0, 1), (1, 0)),
        "e": ((0, 1), (1, 1)),
        "f": ((0, 1),),
        "g": ((0, 2), (2, 0)),
        "h": ((3, 0),),
    }


def test_a_block_forgets_the_failures_of_one_before(tmp_path: Path) -> None:
    body = """
        for _ in range(2):
            try:
                with parallel():
                    step.run("bad")
            except StepFailed:
                pass
            with parallel():
                step.run("good")
    """
    run = live(tmp_path, body, BAD)
    assert run.commands == ["bad", "good"] * 2 and run.outcome.kind == "success"
