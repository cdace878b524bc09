"""The values of the package, `ctx`, `files`, `secrets`, and what a danubefile may look like."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from fixture_cases import SDK
from sdk_live import live

import danube
from danube import Resources, Retry, Service, StepFailed, step
from danube._glob import glob, matches
from danube._live import LiveBackend, Outcome, run_file
from danube._suggest import closest
from danube._units import cpu_milli, seconds, size_bytes
from danube._values import Untrusted


def test_an_import_loads_little() -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(SDK)!r}); before = set(sys.modules)\n"
        "import danube; print(*sorted(set(sys.modules) - before))"
    )
    found = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True
    )
    loaded = [name for name in found.stdout.split() if name != "__future__"]
    assert loaded == [
        "danube", "danube._api", "danube._context", "danube._registry", "danube._runtime",
        "danube._step", "danube._values",
    ]  # fmt: skip


def test_every_public_name_is_there_and_documented() -> None:
    for name in danube.__all__:
        assert type(getattr(danube, name)).__doc__ or getattr(danube, name).__doc__, name
    with pytest.raises(AttributeError):
        getattr(danube, "no_such_name")


def test_a_step_outside_of_danube_says_how_to_run() -> None:
    with pytest.raises(RuntimeError, match="run with danube"):
        step.run("x")


def test_settings_are_compared_and_shown_by_value() -> None:
    assert Retry(2, on=[1]) == Retry(2, 1.0, 2.0, (1,)) != Retry(3)
    assert Resources(cpu=2) == Resources(2) != Retry(2)
    assert repr(Resources(cpu="1")) == "Resources(cpu='1', disk=None, gpu=0, memory=None)"
    assert Service("pg", env={"A": "b"}) == Service("pg", env={"A": "b"}) != Service("pg")
    assert str(StepFailed("Test", 3)) == "step 'Test' failed with exit code 3"


def test_what_is_made_of_untrusted_text_is_untrusted() -> None:
    title = Untrusted(" Fix; rm -rf / ")
    made: list[object] = [
        title + "x", "x" + title, title * 2, "a %s" % title, title % (), title[1:], f"{title}",
        str(title), title.strip(), title.lower(), title.upper(), title.replace("F", "f"),
        title.split(";")[0], title.splitlines()[0], title.removeprefix(" "),
        title.removesuffix(" "), title.lstrip(), title.rstrip(),
    ]  # fmt: skip
    assert [type(one) for one in made] == [Untrusted] * len(made)
    assert "x" + title == "x Fix; rm -rf / " and title == " Fix; rm -rf / "


FORK = {"number": 7, "title": "T", "head_branch": "evil", "fork": True}


@pytest.mark.parametrize(("request_", "kind"), [(FORK, "Untrusted"), (None, "str")])
def test_a_fork_chooses_no_trusted_text(
    tmp_path: Path, request_: dict[str, object] | None, kind: str
) -> None:
    body = """
        names = [type(ctx.branch), type(ctx.trigger_ref), type(ctx.changed_files[0])]
        step.run([kind.__name__ for kind in names])
        step.run([type(ctx.event["a"]["b"][0]).__name__, type(ctx.repo).__name__])
        if ctx.pull_request is not None:
            request = ctx.pull_request
            assert request == ctx.pull_request and request.number == 7 and request.fork
            step.run([type(request.title).__name__, type(request.head_branch).__name__])
    """
    context: dict[str, object] = {
        "branch": "b", "trigger_ref": "r", "changed_files": ("f",), "repo": "acme/x",
        "event": {"a": {"b": ["c"]}}, "pull_request": request_,
    }  # fmt: skip
    run = live(tmp_path, body, context=context)
    assert run.outcome.message == ""
    assert run.commands[:2] == [[kind] * 3, ["Untrusted", "str"]]
    assert run.commands[2:] == ([["Untrusted", "Untrusted"]] if request_ else [])


def test_the_context_is_empty_where_nothing_is_known(tmp_path: Path) -> None:
    body = """
        assert ctx.tag is None and ctx.pull_request is None and ctx.changed_files == ()
        assert ctx.event == {} and ctx.params == {} and ctx.branch == ctx.job_id == ""
        ctx.brunch
    """
    message = live(tmp_path, body).outcome.message
    assert message.endswith(":7: AttributeError: ctx has no 'brunch'")


def test_secrets_and_artifacts(tmp_path: Path) -> None:
    body = """
        step.run("x", env={"T": secrets.get("TOKEN")})
        artifacts.upload("out/")
        artifacts.upload("r.xml", "results", junit=True)
        secrets.get("TOKNE")
    """
    run = live(tmp_path, body, secrets={"TOKEN": "s3cret"})
    assert run.calls[0].env == {"T": "s3cret"}
    assert run.uploads == [("out/", None, False), ("r.xml", "results", True)]
    assert "there is no secret 'TOKNE' for this job" in run.outcome.message


def test_files_are_read_from_the_repository(tmp_path: Path) -> None:
    for path in ("a/x.txt", "a/b/y.txt", "a/.hidden/z.txt", ".git/config", "top.txt"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(path)
    body = """
        from pathlib import Path
        step.run(files.glob("**/*.txt"))
        step.run(files.glob("a/*/"))
        step.run(files.read_text("top.txt") + files.read_text(Path("a") / "x.txt"))
        step.run(open("top.txt").read())
        assert files.exists("a") and not files.exists("nope") and not files.exists("/etc/passwd")
        assert files.read_bytes("top.txt") == b"top.txt"
        files.read_text("../" * 20 + "etc/passwd")
    """
    run = live(tmp_path, body)
    assert run.commands == [
        ["a/b/y.txt", "a/x.txt", "top.txt"], ["a/b"], "top.txta/x.txt", "top.txt"
    ]  # fmt: skip
    assert "lies outside of the repository" in run.outcome.message


TREE = {"": [".ci", "README", "src"], "src": ["a.py", "ab.py", "sub"], "src/sub": ["c.py"],
        ".ci": ["x"]}  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*", ["README", "src"]),
        ("*/", ["src"]),
        (".*", [".ci"]),
        ("**", ["src", "src/sub"]),
        ("**/*.py", ["src/a.py", "src/ab.py", "src/sub/c.py"]),
        ("src/**/*.py", ["src/a.py", "src/ab.py", "src/sub/c.py"]),
        ("src/?.py", ["src/a.py"]),
        ("./src/[!b-z]*.py", ["src/a.py", "src/ab.py"]),
        ("README", ["README"]),
        ("nope/*", []),
        ("nope/**", []),
        ("README/**", []),
        ("nope/src/", []),
    ],
)
def test_a_glob_finds_sorted_paths(pattern: str, expected: list[str]) -> None:
    assert glob(pattern, lambda path: TREE.get(path, []), lambda path: path in TREE) == expected


@pytest.mark.parametrize(
    ("pattern", "listed"),
    [
        ("src/*.py", ["src"]),
        ("src/sub/c.py", ["src/sub"]),
        ("src/**/c.py", ["src", "src/sub"]),
        ("s*/sub/*", ["", "src/sub"]),
    ],
)
def test_a_glob_lists_only_folders_that_it_must(pattern: str, listed: list[str]) -> None:
    asked: list[str] = []

    def names(path: str) -> list[str]:
        asked.append(path)
        return TREE.get(path, [])

    assert glob(pattern, names, lambda path: path in TREE)
    assert sorted(set(asked)) == listed


@pytest.mark.parametrize("pattern", ["", "/etc/*", "../*", "a/../b", "."])
def test_a_glob_stays_in_the_repository(pattern: str) -> None:
    with pytest.raises(ValueError, match="bad pattern"):
        glob(pattern, lambda path: [], lambda path: False)


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        ("abc", "a*c", True), ("abc", "*b*", True), ("abc", "a*b", False), ("a", "[]]", False),
        ("]", "[]]", True), ("-", "[a-]", True), ("b", "[a-c]", True), ("b", "[!a-c]", False),
        ("[x", "[x", True), ("", "*", True), ("a" * 60, "*a" * 30 + "b", False),
    ],
)  # fmt: skip
def test_a_name_matches_a_pattern(name: str, pattern: str, expected: bool) -> None:
    assert matches(name, pattern) is expected


def test_durations_and_quantities() -> None:
    assert [seconds(one) for one in (90, 1.5, "90s", "10m", "1h30m", "250ms", "1.5h", "2d")] == [
        90, 1.5, 90, 600, 5400, 0.25, 5400, 172800]  # fmt: skip
    assert [cpu_milli(one) for one in (2, 0.5, "500m", "2", "0.25")] == [2000, 500, 500, 2000, 250]
    assert [size_bytes(one) for one in (7, "512Mi", "1G", "1.5k")] == [7, 2**29, 10**9, 1500]
    for bad in ("", "90", "1m1h", "1s1s", "-1s", "1.2.3s", "s", "٣s"):
        with pytest.raises(ValueError):
            seconds(bad)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("biuld", "build"), ("Build", "build"), ("tst", "test"), ("deploy", None), ("x", None)],
)
def test_the_closest_name_is_suggested(name: str, expected: str | None) -> None:
    assert closest(name, ["build", "test"]) == expected


TWO = """
    from danube import pipeline, step
    @pipeline
    def first() -> None:
        step.run("1")
    @pipeline(name="Second")
    def second() -> None:
        step.run("2")
"""


@pytest.mark.parametrize(
    ("source", "pipeline", "message"),
    [
        (TWO, "Second", ""),
        (TWO, None, "the file defines several pipelines, name one: first, Second"),
        (TWO, "Secnod", "the file defines no pipeline 'Secnod': did you mean 'Second'?"),
        ("x = 1", None, "the file defines no pipeline: put @pipeline above a function"),
        ("exit(0)", None, "the file exits while it is loaded, before a pipeline runs"),
        ("import nope", None, ":1: ModuleNotFoundError: No module named 'nope'"),
        ("def f(:", None, ":1: SyntaxError: "),
        ("from danube import pipeline\n@pipeline\ndef p(): yield", None, "must be a plain"),
        ("from danube import pipeline\n@pipeline\nasync def p(): ...", None, "must be a plain"),
    ],
)
def test_a_file_is_loaded_and_its_pipeline_found(
    tmp_path: Path, source: str, pipeline: str | None, message: str
) -> None:
    run = live(tmp_path, source, whole=True, pipeline=pipeline)
    assert message in run.outcome.message
    assert run.outcome.kind == ("failure" if message else "success")


def test_two_runs_do_not_share_modules_or_state(tmp_path: Path) -> None:
    before = (list(sys.path), set(sys.modules))
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "helper.py").write_text(f"NAME = {name!r}\n")
        (folder / "danubefile.py").write_text(
            "import helper\nfrom danube import pipeline, step\n"
            "@pipeline\ndef p() -> None:\n    step.run(helper.NAME)\n"
        )
        calls: list[object] = []

        def execute(call: object, into: list[object] = calls) -> tuple[int, str]:
            into.append(getattr(call, "command"))
            return 0, ""

        backend = LiveBackend(execute, root=str(folder))
        assert run_file(str(folder / "danubefile.py"), backend=backend) == Outcome("success")
        assert calls == [name]
        assert not list(folder.glob("__pycache__"))
    assert "helper" not in sys.modules and (sys.path, before[1] - set(sys.modules)) == (
        before[0], set())  # fmt: skip


def test_a_decorated_function_stays_callable() -> None:
    from danube import _registry, pipeline

    before = list(_registry.pipelines)
    try:

        @pipeline(name="Build", image="debian:12")
        def build(target: str = "x") -> str:
            """Builds it.

            And more:
                indented
            """
            return target

        assert build("y") == "y"
        found = _registry.pipelines[-1]
        assert (found.name, found.image, found.function) == ("Build", "debian:12", build)
        assert found.doc == "Builds it.\n\nAnd more:\n    indented"
    finally:
        _registry.pipelines[:] = before
