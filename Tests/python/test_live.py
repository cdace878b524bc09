"""Every fixture runs live under plain CPython, when all is well and when any one step fails."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixture_cases import Case, cases

from danube._live import LiveBackend, Outcome, StepCall, run_file

MAX_CALLS = 2_000

# What steps print whose output the pipeline needs as a number.
OUTPUTS = {"count": "42\n", "width": "80\n"}


class Script:
    """Answers steps: one of them fails, captured outputs are always the same text."""

    def __init__(self, failing: int | None = None) -> None:
        self.failing = failing
        self.calls: list[str] = []

    def __call__(self, call: StepCall, /) -> tuple[int, str]:
        self.calls.append(call.label)
        assert len(self.calls) < MAX_CALLS, "the pipeline does not end"
        failed = self.failing == len(self.calls) - 1
        return int(failed), OUTPUTS.get(call.label, "7.1.2-3-gabcdef healthy\nsecond line\n")


def _run(case: Case, root: Path, script: Script) -> Outcome:
    options = dict(zip(case.arguments[::2], case.arguments[1::2], strict=False))
    event = options.get("--event", "push")
    branch = options.get("--branch", "main")
    context: dict[str, object] = {
        "job_id": "local",
        "repo": "acme/fixture",
        "branch": branch,
        "tag": options.get("--tag"),
        "commit_sha": "0123456789abcdef0123456789abcdef01234567",
        "trigger_type": event,
        "changed_files": tuple(case.changed),
    }
    if event == "pull_request":
        context["pull_request"] = {"number": 7, "title": "A title", "head_branch": branch}
    pairs = zip(case.arguments, case.arguments[1:], strict=False)
    params = dict(value.split("=", 1) for flag, value in pairs if flag == "--param")
    names = case.arguments[:1] if case.arguments and case.arguments[0][0] != "-" else [None]
    backend = _Backend(script, context, root=str(root))
    return run_file(str(root / "danubefile.py"), names[0], params, backend=backend)


class _Backend(LiveBackend):
    """Knows every secret."""

    def secret(self, key: str, /) -> str:
        return f"value-of-{key}"


@pytest.mark.parametrize("case", cases("compile") + cases("projects"), ids=lambda case: case.id)
def test_a_fixture_runs_live(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = case.stage(tmp_path / "repository")
    script = Script()
    outcome = _run(case, root, script)
    assert "Error" not in outcome.message, outcome
    assert script.calls, outcome
    count = min(len(script.calls), 30)
    for failing in range(count):
        again = Script(failing)
        outcome = _run(case, root, again)
        known = ("Error", "Exception", "Traceback")
        assert not any(word in outcome.message for word in known), outcome
        assert len(again.calls) > failing
    capsys.readouterr()
