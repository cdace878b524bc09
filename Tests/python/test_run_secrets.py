"""No secret's value is ever in an argument, a log, the history, the cache or a key."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

import cli
from runs import MODES, Bell, Place

CANARY = 'c4n-ary"' + "0123456789-secret/+?é"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path / "place")
    place.root.mkdir()
    (tmp_path / "secrets").write_text(f"# of a test\nS={CANARY}\n")
    return place


def _holds(text: bytes) -> bool:
    """Whether a text holds the secret, as it is or in a form that is easily read."""
    value = CANARY.encode()
    forms = [value, value.hex().encode(), value.split(b'"')[1]]
    # Each alignment of base64, without the ends that depend on what stands beside.
    forms += [base64.b64encode(b"x" * lead + value)[4:-4] for lead in range(3)]
    return any(form in text for form in forms)


def _found(folder: Path) -> list[str]:
    found = []
    for path, _, names in os.walk(folder):
        for name in names:
            file = Path(path, name)
            if _holds(name.encode()) or (file.is_file() and _holds(file.read_bytes())):
                found.append(str(file))
    return found


def _arguments() -> list[str]:
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            text = Path("/proc", entry, "cmdline").read_bytes()
        except OSError:  # it has ended
            continue
        if _holds(text):
            found.append(text.decode(errors="replace"))
    return found


@pytest.mark.parametrize("mode", MODES)
def test_a_secret_is_nowhere(place: Place, tmp_path: Path, mode: str) -> None:
    bell, hold = Bell(tmp_path / "bell"), Bell(tmp_path / "hold")
    secret = tmp_path / "seen"
    place.write(
        "s = secrets.get('S')\n"
        "step.run('printf %s \"$X\"; printf %s \"$X\" | base64 -w0; printf %s \"$X\" | xxd -p -c0',"
        " env={'X': s}, name='Print')\n"
        "step.run('printf %s \"$X\"; echo 1 > o; exit 0', env={'X': s}, inputs=[], outputs=['o'],"
        " name='Kept')\n"
        "text = step.run('printf %s \"$X\"', env={'X': s}, capture=True, inputs=[], outputs=[],"
        " name='Captured')\n"
        f"step.run(f\"cat > '{secret}' <<'EOF'\\n{{s}}\\nEOF\\n"
        f"{bell.ring}; read x < '{hold.path}'\","
        " name='Script')\n"
        f"step.run(f\"cat >> '{secret}' <<'EOF'\\n{{text}}\\nEOF\", name='Result')\n"
        "step.run('printf %s \"$X\" >&2; exit 3', env={'X': s}, name='Fails')\n"
    )
    with place.running(mode, "--secret-file", str(tmp_path / "secrets"), "--explain") as process:
        bell.listen()
        assert _arguments() == []
        with hold.path.open("wb") as file:
            file.write(b"\n")
        said = process.communicate(timeout=cli.DEADLINE)[0]
        assert process.returncode == 1, said.decode()
    assert not _holds(said), said.decode()
    assert secret.read_text() == f"{CANARY}\n{CANARY}\n"
    assert _found(place.root) == []
    # The next run finds the step that prints a secret, and not the one whose result is one.
    with place.running(mode, "--secret-file", str(tmp_path / "secrets"), "--json") as process:
        bell.listen()
        with hold.path.open("wb") as file:
            file.write(b"\n")
        said = process.communicate(timeout=cli.DEADLINE)[0]
    assert said.count(b'"result":"cached"') == 1, said.decode()
    assert _found(place.root) == []


@pytest.mark.parametrize("mode", MODES)
def test_secrets_can_come_from_a_pipe(place: Place, mode: str) -> None:
    place.write("step.run('test \"$S\" = word-4711', env={'S': secrets.get('S')})\n")
    arguments = place.arguments(mode, "--secret-file", "/dev/stdin")
    ended = cli.danube(
        *arguments, cwd=place.repository, env=place.env, stdin=b"S=word-4711\n"
    )
    assert ended.status == 0, ended.out + ended.err


@pytest.mark.parametrize("mode", MODES)
def test_a_secret_in_an_argument_is_refused(place: Place, tmp_path: Path, mode: str) -> None:
    place.write(
        "s = secrets.get('S')\n"
        "text = step.run('printf %s \"$X\"', env={'X': s}, capture=True, name='Get')\n"
        "step.run(['echo', text], name='Indirect')\n"
    )
    ended = place.run(mode, "--secret-file", str(tmp_path / "secrets"))
    assert ended.status == 1
    assert "Indirect: The step cannot run: a secret is in an argument of the program" in ended.out
    assert "hint: Hand it over with env={…}" in ended.out
    assert not _holds((ended.out + ended.err).encode())
