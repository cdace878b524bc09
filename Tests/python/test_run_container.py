"""Steps in images and services, by the real podman, with an image that is made here."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli import DEADLINE, Ended, danube, environment

TOOLS = ["cat", "env", "httpd", "id", "kill", "ls", "pwd", "sh", "sleep", "touch", "true", "wget"]


def podman(*arguments: str, stdin: bytes = b"") -> str:
    """Runs podman and gives what it says."""
    ended = subprocess.run(
        ["podman", *arguments], input=stdin, capture_output=True, timeout=DEADLINE
    )
    assert ended.returncode == 0, ended.stderr.decode()
    return ended.stdout.decode().strip()


def import_image(folder: Path, reference: str, release: str) -> str:
    """Makes an image of busybox and one file; gives its id."""
    root = folder / release
    for name in ("bin", "tmp", "etc"):
        (root / name).mkdir(parents=True, exist_ok=True)
    busybox = shutil.which("busybox")
    assert busybox, "busybox-static is not installed: scripts/install-prerequisites test"
    shutil.copy(busybox, root / "bin" / "busybox")
    for tool in TOOLS:
        link = root / "bin" / tool
        if not link.is_symlink():
            link.symlink_to("busybox")
    (root / "etc" / "release").write_text(release)
    archive = folder / f"{release}.tar"
    subprocess.run(["tar", "-C", root, "-cf", archive, "."], check=True)
    podman("import", "--quiet", str(archive), reference)
    return podman("image", "inspect", "--format", "{{.Id}}", reference)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image of this run's own."""
    if shutil.which("podman") is None:
        pytest.fail("podman is not installed: scripts/install-prerequisites test")
    reference = f"localhost/danube-test-{os.getpid()}:1"
    import_image(tmp_path_factory.mktemp("image"), reference, "one")
    yield reference
    podman("rmi", "--force", reference)


class Place:
    """A repository with one pipeline, and the folders of one user."""

    def __init__(self, folder: Path, image: str) -> None:
        self.root = folder / "repository"
        self.root.mkdir()
        self.image = image
        self.env = environment(
            HOME=str(folder),
            XDG_CACHE_HOME=str(folder / "cache"),
            XDG_STATE_HOME=str(folder / "state"),
        )

    def write(self, body: str, image: str | None = None) -> None:
        """Writes the danubefile."""
        lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
        (self.root / "danubefile.py").write_text(
            "from danube import *\n\n"
            f"@pipeline(image={(self.image if image is None else image)!r})\n"
            f"def p():\n{lines}"
        )

    def run(self, *arguments: str, **variables: str) -> Ended:
        """Runs it."""
        return danube("run", *arguments, cwd=self.root, env={**self.env, **variables})

    def job(self, ended: Ended) -> str:
        """The job of a run that failed."""
        assert ended.status == 1, ended
        return re.findall(r"\bjob (\w{9})\b", ended.out + ended.err)[-1]

    def left(self) -> list[str]:
        """Containers of this user's jobs that are there."""
        jobs = os.listdir(Path(self.env["XDG_STATE_HOME"]) / "danube" / "jobs")
        names = [f"danube-{job}-{step}-1{service}" for job in jobs for step in range(3)
                 for service in ("", "-0")]  # fmt: skip
        # Listing all of them asks for those of other tests, which come and go.
        return [
            name
            for name in names
            if subprocess.run(["podman", "container", "exists", name]).returncode == 0
        ]

    def cached(self, ended: Ended) -> list[str]:
        """Names of the steps that a run with --json took from the cache."""
        events = [json.loads(line) for line in ended.out.splitlines()]
        return [str(e.get("step")) for e in events if e.get("result") == "cached"]


@pytest.fixture
def place(tmp_path: Path, image: str) -> Place:
    return Place(tmp_path, image)


@pytest.mark.parametrize("mode", [[], ["--in-place"]], ids=["isolated", "in-place"])
def test_a_step_runs_in_its_image_and_workspace(place: Place, mode: list[str]) -> None:
    (place.root / "given").write_text("given")
    (place.root / "sub").mkdir()
    (place.root / "sub" / "kept").write_text("")
    place.write(
        """
step.run("cat /etc/release given && id -u && pwd && echo $DANUBE_WORKSPACE && touch made")
step.run(["env"], workdir="sub", env={"A": "two\\nlines", "PATH": "/bin:/x"})
step.run("test -f made && ! test -e /usr/bin/python3 && exit 0; exit 9")
"""
    )
    ended = place.run(*mode)
    assert ended.status == 0, ended.out + ended.err
    logs = danube("logs", "last", cwd=place.root, env=place.env).out
    for text in ["onegiven0", "/workspace", "PWD=/workspace/sub", "A=two", "PATH=/bin:/x"]:
        assert text in logs
    # Nothing of the environment that danube runs in.
    assert str(place.env["HOME"]) not in logs
    if mode:
        assert (place.root / "made").stat().st_uid == os.getuid()
    assert place.left() == []


def test_exit_codes_are_the_steps_own(place: Place) -> None:
    place.write('if step.run("exit 125", check=False) == 125:\n    step.run("exit 37")')
    ended = place.run()
    assert ended.status == 1
    assert "37" in ended.out + ended.err
    assert place.left() == []


def test_what_the_image_does_not_have_is_named(place: Place) -> None:
    place.write('step.run(["no-such-program"])')
    ended = place.run()
    assert ended.status == 1
    assert place.left() == []
    # Said by the container's first process, where there is one, else by danube.
    assert "no-such-program" in danube("logs", "last", cwd=place.root, env=place.env).out


def test_a_missing_image_is_an_outcome_of_its_own(place: Place) -> None:
    missing = "localhost/danube-there-is-none:1"
    place.write('step.run("true", check=False)', image=missing)
    ended = place.run()
    assert ended.status == 1
    assert f"the image `{missing}` is not here and cannot be fetched" in ended.out + ended.err
    assert any("--host" in hint for hint in ended.hints)


def test_without_podman_the_step_and_host_are_named(place: Place) -> None:
    place.write('step.run("true", name="Build")')
    only_git = place.root.parent / "bin"
    only_git.mkdir()
    for program in ("git", "sh"):
        (only_git / program).symlink_to(shutil.which(program) or program)
    ended = place.run(PATH=str(only_git))
    assert ended.status == 1
    text = ended.out + ended.err
    assert "Build" in text and place.image in text and "podman is not installed" in text
    assert any("--host" in hint for hint in ended.hints)
    assert place.run("--host").status == 0


def test_secrets_reach_a_step_in_no_argument(place: Place) -> None:
    value = "s3cr3t-value"
    place.write(
        """
token = secrets.get("TOKEN")
step.run(f"test {token} = $TOKEN && test ${{#TOKEN}} = 12 && echo begun && sleep 1000",
         env={"TOKEN": token})
"""
    )
    with started(place, DANUBE_SECRET_TOKEN=value) as process:
        arguments = [
            name.read_bytes() for name in Path("/proc").glob("[0-9]*/cmdline") if name.exists()
        ]
        assert any(b"podman" in line for line in arguments)
        assert not any(value.encode() in line for line in arguments)
        process.terminate()
        process.communicate(timeout=DEADLINE)
    assert value not in danube("logs", "last", cwd=place.root, env=place.env).out
    place.write('step.run("true", env={"PATH": secrets.get("TOKEN")})')
    refused = place.run("--secret", f"TOKEN={value}")
    assert refused.status == 1
    assert "the variable `PATH` holds a secret" in refused.out + refused.err


def test_an_image_with_other_content_is_another_key(place: Place, tmp_path: Path) -> None:
    reference = f"localhost/danube-test-{os.getpid()}:changing"
    import_image(tmp_path, reference, "first")
    try:
        place.write(
            'step.run("cat /etc/release > out", inputs=["danubefile.py"], outputs=["out"])\n'
            'artifacts.upload("out")',
            image=reference,
        )
        assert place.cached(place.run("--json")) == []
        assert len(place.cached(place.run("--json"))) == 1
        import_image(tmp_path, reference, "second")
        assert place.cached(place.run("--json")) == []
        assert (place.root / "danube-out" / "out").read_text() == "second"
    finally:
        podman("rmi", "--force", reference)


def test_a_time_limit_ends_the_container(place: Place) -> None:
    place.write('step.run("sleep 1000", timeout=1)')
    ended = place.run()
    assert ended.status == 1
    assert "timed out" in ended.out + ended.err
    assert place.left() == []


@pytest.mark.parametrize("interrupts", [1, 2])
def test_cancelling_ends_the_container(place: Place, interrupts: int) -> None:
    # The second signal ends what ignores the first one.
    trap = "trap : TERM; " if interrupts == 2 else ""
    place.write(f"step.run({(trap + 'echo begun; while :; do sleep 1; done')!r})")
    with started(place) as process:
        for _ in range(interrupts):
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=DEADLINE)
    assert process.returncode == 1
    assert place.left() == []


class started:
    """A run whose step has begun to print."""

    def __init__(self, place: Place, **variables: str) -> None:
        program = os.environ.get("DANUBE") or shutil.which("danube") or "danube"
        self.process = subprocess.Popen(
            [program, "run", "--json"], cwd=place.root, env={**place.env, **variables},
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def __enter__(self) -> subprocess.Popen[bytes]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            event = json.loads(line)
            if event.get("event") == "output":
                return self.process
        raise AssertionError("the step printed nothing")

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(DEADLINE)
        if self.process.stdout:
            self.process.stdout.close()


def test_a_killed_danube_leaves_no_container_behind(place: Place) -> None:
    place.write('step.run("echo begun; sleep 1000")')
    with started(place) as process:
        process.kill()
        process.wait(DEADLINE)
    # Whatever is left in podman's list goes when danube runs the next time.
    place.write('step.run("true")')
    ended = place.run()
    assert ended.status == 0, ended.out + ended.err
    assert place.left() == []


@pytest.fixture(scope="module")
def server(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image whose program serves a page at port 8080, after a moment."""
    reference = f"localhost/danube-test-{os.getpid()}:server"
    root = tmp_path_factory.mktemp("server")
    container = podman("create", image, "true")
    archive = root / "server.tar"
    podman("export", "--output", str(archive), container)
    podman("rm", container)
    command = (
        'CMD ["/bin/sh", "-c", "mkdir /w; echo served-$WHAT > /w/index; sleep 1; '
        'exec httpd -f -p 8080 -h /w"]'
    )
    podman("import", "--quiet", "--change", command, str(archive), reference)
    yield reference
    podman("rmi", "--force", reference)


@pytest.mark.parametrize(
    "ready", ["ports=[8080]", "ready='wget -q -O - http://127.0.0.1:8080/index'"]
)
def test_services_are_ready_before_the_step_and_gone_after(
    place: Place, server: str, ready: str
) -> None:
    place.write(
        f"""
web = Service({server!r}, name="web", env={{"WHAT": "well"}}, {ready})
step.run("wget -q -O - http://web:8080/index", services=[web])
"""
    )
    ended = place.run()
    assert ended.status == 0, ended.out + ended.err
    assert "served-well" in danube("logs", "last", cwd=place.root, env=place.env).out
    assert place.left() == []


def test_a_service_that_is_not_ready_in_time_is_named(place: Place, server: str) -> None:
    web = f"Service({server!r}, name='web', ready='exit 1', ready_timeout=2)"
    place.write(f'step.run("true", services=[{web}])')
    ended = place.run()
    assert ended.status == 1
    assert "service `web` was not ready within 2 s" in ended.out + ended.err
    assert place.left() == []


def test_a_service_that_ends_is_named(place: Place) -> None:
    web = f"Service({place.image!r}, name='web', ports=[1])"
    # Without a program of its own the image runs nothing.
    place.write(f'step.run("true", services=[{web}])')
    ended = place.run()
    assert ended.status == 1
    assert "service `web` could not be started" in ended.out + ended.err
    assert place.left() == []


def test_a_service_image_that_is_missing_is_named(place: Place) -> None:
    web = "Service('localhost/danube-there-is-none:1', name='web', ports=[1])"
    place.write(f'step.run("true", services=[{web}])')
    ended = place.run()
    assert ended.status == 1
    assert "of service `web` is not here and cannot be fetched" in ended.out + ended.err


def test_services_of_a_step_without_image_are_refused(place: Place) -> None:
    place.write(f'step.run("true", services=[Service({place.image!r}, name="web")])', image="")
    text = (place.root / "danubefile.py").read_text().replace("(image='')", "")
    (place.root / "danubefile.py").write_text(text)
    ended = place.run()
    assert ended.status == 1
    assert "it has services, but no image" in ended.out + ended.err


def test_a_dry_run_knows_an_image_that_is_here(place: Place, tmp_path: Path, image: str) -> None:
    (place.root / "in").write_text("1")
    place.write('step.run("cat in > out", inputs=["in"], outputs=["out"], name="A")')

    def told() -> tuple[str, str]:
        step = json.loads(place.run("--dry-run", "--json").out)["steps"][0]
        return step["cache"], step["reasons"][0] if step.get("reasons") else ""

    assert told() == ("miss", "it never ran before")
    assert place.run().status == 0
    assert told()[0] == "hit"
    try:
        import_image(tmp_path, image, "two")
        cache, reason = told()
        assert cache == "miss" and "image" in reason
    finally:
        import_image(tmp_path, image, "one")


def test_a_shell_opens_where_a_step_failed(place: Place, server: str) -> None:
    place.write(
        f"""
step.run("echo built > out")
step.run("wget -q -O - http://web:8080/index; echo half > partial; echo $T; exit 6",
         name="test", workdir="sub", env={{"A": "b", "T": secrets.get("TOKEN")}},
         services=[Service({server!r}, name="web", env={{"WHAT": "well"}}, ports=[8080])])
"""
    )
    (place.root / "sub").mkdir()
    (place.root / "sub" / "kept").write_text("")
    job = place.job(place.run("--secret", "TOKEN=hunter2-more"))
    show = "cat /etc/release ../out partial; pwd; echo $A $T; wget -q -O - http://web:8080/index"
    for given, told in ([], "b"), (["--secret", "TOKEN=hunter2-more"], "b hunter2-more"):
        ended = danube("shell", "test", "-c", show, *given, cwd=place.root, env=place.env)
        assert ended.status == 0, ended
        assert ended.out == f"onebuilt\nhalf\n/workspace/sub\n{told}\nserved-well\n", ended
    again = danube(
        "shell", "test", "--job", job, "-c", '"$DANUBE_STEP_SCRIPT"', cwd=place.root, env=place.env
    )
    assert (again.status, again.out) == (6, "served-well\n\n"), again
    listed = podman("ps", "--all", "--format", "{{.Names}}")
    assert f"danube-{job}-shell" not in listed
