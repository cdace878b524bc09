"""A danubefile, or a host, that is not what it should be: what is wrong, where, what next."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cli import ENVIRONMENT, MISTAKE, SUCCESS, Ended, danube, environment, repository

GOOD = 'step.run("x", name="a")'


def mistake(ended: Ended, code: str, said: str, hint: str, place: str = "danubefile.py") -> None:
    """Asserts one clear diagnostic with place and hint."""
    assert ended.status == MISTAKE and ended.out == "", ended
    assert ended.err.count("error: ") == 1, ended.err
    assert re.match(rf"{re.escape(place)}\b[^\n]*: error: [^\n]*\[{code}\]\n", ended.err), ended.err
    assert said in ended.err, ended.err
    assert ended.hints and hint in ended.hints[0], ended.err


# The danubefile.


def test_a_missing_danubefile(tmp_path: Path, danube_program: Path) -> None:
    mistake(danube("plan", cwd=tmp_path), "DNB103", "There is no", "danube init")
    mistake(danube("plan", "-f", "ci/a.py", cwd=tmp_path), "DNB103", "ci/a.py", "-f", "ci/a.py")


def test_a_danubefile_that_is_a_directory(tmp_path: Path, danube_program: Path) -> None:
    (tmp_path / "danubefile.py").mkdir()
    mistake(danube("plan", cwd=tmp_path), "DNB104", "is a directory", "-f")


@pytest.mark.parametrize(
    ("content", "code", "said", "hint", "line"),
    [
        (b"", "DNB105", "is empty", "danube init", ""),
        (b"\n\n# nothing\n", "DNB105", "defines no pipeline", "@pipeline", ":1:1"),
        (b"from danube import step\n", "DNB105", "defines no pipeline", "@pipeline", ":1:1"),
        (b"from danube import pipeline\ndef p():\n    pass\n", "DNB105", "no pipeline",
         "@pipeline", ":1:1"),
        (b"# fine\nx = '\xff'\n", "DNB102", "is not UTF-8", "UTF-8", ":2:6"),
        (b"x = 1\0\n", "DNB101", "NUL", "Remove", ":1"),
        (b"import nowhere\n", "DNB107", "`nowhere`", "beside the danubefile", ":1:1"),
        (b"import numpy.linalg\n", "DNB107", "`numpy", "not installed", ":1:1"),
        (b"import socket\nimport ctypes\n", "DNB108", "ctypes", "", ":2:1"),
        (b"def p(:\n", "DNB101", "", "Correct", ":1:7"),
        (b"import sys\nsys.exit(3)\n", "DNB113", "exit", "", ":2"),
        (b"\n\n1 / 0\n", "DNB112", "ZeroDivisionError", "Correct", ":3:1"),
        (b"\xef\xbb\xbf" + b"x = (\n", "DNB101", "", "", ":1"),
        (b"if True:\nx = 1\n", "DNB101", "indented", "", ":2"),
        (b"from __future__ import nothing\n", "DNB101", "nothing", "", ":1"),
        (b"x = 1\nreturn x\n", "DNB101", "outside function", "", ":2:1"),
        (b"break\n", "DNB101", "outside loop", "", ":1:1"),
        (b"def f(a, a):\n    pass\n", "DNB101", "uplicate argument", "", ":1"),
        (b"def f():\n    nonlocal x\n", "DNB101", "nonlocal", "", ":2:5"),
    ],
)  # fmt: skip
def test_a_danubefile_that_cannot_be_used(
    content: bytes, code: str, said: str, hint: str, line: str,
    tmp_path: Path, danube_program: Path,
) -> None:  # fmt: skip
    (tmp_path / "danubefile.py").write_bytes(content)
    mistake(danube("plan", cwd=tmp_path), code, said, hint, f"danubefile.py{line}")


def test_a_danubefile_of_windows(tmp_path: Path, danube_program: Path) -> None:
    """A byte order mark and carriage returns are no mistake."""
    text = "from danube import pipeline, step\r\n\r\n@pipeline\r\ndef p() -> None:\r\n" \
           '    step.run("x", name="a")\r\n'  # fmt: skip
    (tmp_path / "danubefile.py").write_bytes(b"\xef\xbb\xbf" + text.encode())
    ended = danube("plan", cwd=tmp_path)
    assert (ended.status, ended.err) == (SUCCESS, "")


def test_what_leads_out_of_the_repository(tmp_path: Path, danube_program: Path) -> None:
    root = repository(tmp_path / "r", GOOD)
    shutil.move(root / "danubefile.py", tmp_path / "outside.py")
    (root / "danubefile.py").symlink_to("../outside.py")
    mistake(danube("plan", cwd=root), "DNB103", "outside the repository", "-C")
    (root / "danubefile.py").unlink()
    os.mkfifo(root / "danubefile.py")
    mistake(danube("plan", cwd=root), "DNB103", "not a regular file", "")


def test_a_danubefile_that_is_too_large(tmp_path: Path, danube_program: Path) -> None:
    (tmp_path / "danubefile.py").write_bytes(b"#" * (17 << 20))
    ended = danube("plan", cwd=tmp_path)
    assert (
        ended.status == MISTAKE and "danubefile.py" in ended.err and "is larger than" in ended.err
    )


def test_all_problems_are_reported_at_once(tmp_path: Path, danube_program: Path) -> None:
    root = repository(tmp_path / "r", """\
step.run("", name="a")
step.run("x", name="b", imgae="y")
step.run("x", name="c", timeout="soon", retries=-1)
step.run("x", name="c")
step.run("x", needs=[missing])
artifacts.uplaod("x")
""")  # fmt: skip
    ended = danube("plan", "-C", root)
    assert ended.status == MISTAKE
    found = set(re.findall(r"^danubefile.py:(\d+):\d+: error: .*\[(DNB\d+)\]", ended.err, re.M))
    assert found >= {("6", "DNB111"), ("9", "DNB109"), ("10", "DNB110")}, ended.err
    # What only evaluation shows comes as far as evaluation gets.
    assert ("5", "DNB304") in found, ended.err


# The host.


@pytest.fixture
def installed(tmp_path: Path, danube_program: Path) -> Path:
    """A folder with `danube`, where its evaluator can be spoilt."""
    folder = tmp_path / "bin"
    folder.mkdir()
    shutil.copy(danube_program, folder / "danube")
    shutil.copy(danube_program.parent / "danube-pybridge", folder / "danube-pybridge")
    return folder


def _renamed(library: bytes) -> Callable[[Path], None]:
    """Makes the evaluator look for another library in the place of libpython."""

    def spoil(bridge: Path) -> None:
        content = bridge.read_bytes()
        (name,) = set(re.findall(rb"libpython3\.\d+\.so\.1\.0", content))
        assert len(library) <= len(name)
        bridge.write_bytes(content.replace(name + b"\0", library.ljust(len(name) + 1, b"\0")))

    return spoil


def _script(text: str) -> Callable[[Path], None]:
    def spoil(bridge: Path) -> None:
        bridge.write_text(text)

    return spoil


HOSTS: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "no evaluator": (Path.unlink, "DNB901", "DANUBE_PYBRIDGE"),
    "an evaluator that may not be executed": (lambda one: one.chmod(0o644), "DNB901", "Install"),
    "no libpython": (_renamed(b"libpython0.0.so.1.0"), "DNB901", "libpython"),
    "an evaluator that is no program": (_script("nothing"), "DNB901", "Install"),
    "an evaluator that ends at once": (_script("#!/bin/sh\nexit 0\n"), "", ""),
    "an evaluator that says nothing": (_script("#!/bin/sh\nexec sleep 60\n"), "DNB801", ""),
    "an evaluator that talks nonsense": (
        _script("#!/bin/sh\necho nonsense >&3\n"),
        "DNB80[47]",
        "",
    ),
}


@pytest.mark.parametrize("name", HOSTS)
def test_a_host_that_cannot_evaluate(name: str, installed: Path, tmp_path: Path) -> None:
    spoil, code, hint = HOSTS[name]
    spoil(installed / "danube-pybridge")
    root = repository(tmp_path / "r", GOOD)
    program = installed / "danube"
    for command in ("plan", "lint"):
        ended = danube(command, "-C", root, "--timeout", "1s", program=program)
        assert ended.status in (MISTAKE, ENVIRONMENT), ended
        said = ended.err + ended.out
        assert re.search(rf"error: [A-Z`].*\[{code or 'DNB[89]'}", said), said
        assert any(hint in one for one in ended.hints), said
        if code == "DNB901":
            assert ended.status == ENVIRONMENT and "danubefile.py" not in said, said
    doctor = danube("doctor", program=program)
    assert doctor.status == ENVIRONMENT and re.search("^no ", doctor.out, re.MULTILINE)


def test_a_libpython_that_is_broken(installed: Path, tmp_path: Path) -> None:
    """A name with a slash is a path to the loader, so that it finds this file."""
    broken = Path("/tmp") / f"b{os.getpid() % 10**8}.so"
    try:
        broken.write_bytes(b"not a library")
        _renamed(str(broken).encode())(installed / "danube-pybridge")
        root = repository(tmp_path / "r", GOOD)
        ended = danube("plan", "-C", root, program=installed / "danube")
    finally:
        broken.unlink(missing_ok=True)
    assert ended.status == ENVIRONMENT and "[DNB901]" in ended.err
    assert any("libpython" in one for one in ended.hints)


def test_the_evaluator_may_be_named(installed: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    (installed / "danube-pybridge").rename(moved)
    root = repository(tmp_path / "r", GOOD)
    program = installed / "danube"
    env = environment(DANUBE_PYBRIDGE=str(moved))
    assert danube("plan", "-C", root, program=program, env=env).status == SUCCESS
    gone = environment(DANUBE_PYBRIDGE=str(tmp_path / "gone"))
    ended = danube("plan", "-C", root, program=program, env=gone)
    assert ended.status == ENVIRONMENT and str(tmp_path / "gone") in ended.err


def test_an_installed_evaluator_is_found(installed: Path, tmp_path: Path) -> None:
    """As `make install` lays it out: bin/danube and libexec/danube/danube-pybridge."""
    libexec = tmp_path / "libexec" / "danube"
    libexec.mkdir(parents=True)
    (installed / "danube-pybridge").rename(libexec / "danube-pybridge")
    root = repository(tmp_path / "r", GOOD)
    assert danube("plan", "-C", root, program=installed / "danube").status == SUCCESS
    link = tmp_path / "link"
    link.symlink_to(installed / "danube")
    assert danube("plan", "-C", root, program=link).status == SUCCESS


def test_a_repository_that_git_cannot_read(tmp_path: Path, danube_program: Path) -> None:
    root = repository(tmp_path / "r", GOOD)
    (root / ".git").write_text("gitdir: /nowhere")
    assert danube("plan", "-C", root).status == SUCCESS, "git is only asked for what is used"
    ended = danube("plan", "-C", root, "--rev", "HEAD")
    assert ended.status in (MISTAKE, ENVIRONMENT) and ended.hints and "error: " in ended.err


@pytest.mark.parametrize("command", ["run", "plan", "why", "jobs", "logs"])
def test_a_wrong_option_is_said_of_the_whole_program(command: str, danube_program: Path) -> None:
    """A mistake names the command as it is written."""
    ended = danube(command, *(["x"] if command == "why" else []), "--no-such-option")
    assert ended.status == MISTAKE and ended.out == ""
    assert "--no-such-option" in ended.err and f"danube {command}" in ended.err
    helped = danube(command, "--help")
    assert helped.status == SUCCESS and f"USAGE: danube {command}" in helped.out
