"""A cache elsewhere beside that of the machine: a real master, a real nginx, servers that lie."""

from __future__ import annotations

import hashlib
import http.server
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cli import DEADLINE
from master import Master, git
from master import repository as master_repository
from programs import program
from runs import MODES, Place

NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ }}
http {{
    access_log {folder}/access.log; client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/t1; fastcgi_temp_path {folder}/t2; uwsgi_temp_path {folder}/t3;
    scgi_temp_path {folder}/t4; client_max_body_size 0;
    server {{
        listen 127.0.0.1:{port};
        root {folder}/files;
        location / {{ dav_methods PUT; create_full_put_path on; }}
    }}
}}
"""


@dataclass
class Elsewhere:
    """A cache elsewhere.

    Attributes:
        files: Where it keeps what it is given.
    """

    url: str
    files: Path
    token: str = ""


@dataclass
class Machine:
    """A machine with a copy of the repository, and a cache of its own."""

    place: Place
    elsewhere: Elsewhere
    variables: dict[str, str] = field(default_factory=dict)

    def run(self, mode: str, *more: str, status: int = 0) -> str:
        """Runs, and gives what was printed."""
        self.place.variables = {
            "DANUBE_REMOTE_CACHE": self.elsewhere.url,
            "DANUBE_REMOTE_CACHE_TOKEN": self.elsewhere.token,
            **self.variables,
        }
        ended = self.place.run(mode, *more)
        assert ended.status == status, ended.out + ended.err
        return ended.out + ended.err


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@pytest.fixture(params=["master", "nginx"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Elsewhere]:
    folder = tmp_path / "elsewhere"
    if request.param == "master":
        with Master(folder / "data") as master:
            yield Elsewhere(f"http://127.0.0.1:{master.port}", master.data, master.token)
        return
    (folder / "files").mkdir(parents=True)
    port = free_port()
    (folder / "conf").write_text(NGINX.format(folder=folder, port=port))
    nginx = program("nginx", "scripts/unpack-programs")
    process = subprocess.Popen(
        [nginx, "-p", folder, "-c", folder / "conf"], stderr=subprocess.DEVNULL
    )
    try:
        wait_for_port(port, process)
        yield Elsewhere(f"http://127.0.0.1:{port}", folder / "files")
    finally:
        process.kill()
        process.wait(DEADLINE)


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Waits until somebody listens."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        assert process.poll() is None
        with socket.socket() as asking:
            if asking.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("nobody listens")


class Pair:
    """Two machines whose repositories are alike.

    Attributes:
        root: Where both are.
    """

    def __init__(self, root: Path, elsewhere: Elsewhere) -> None:
        self.root = root
        self.first = Machine(Place(root / "first"), elsewhere)
        self.second = Machine(Place(root / "second"), elsewhere)

    def write(self, body: str, **files: str) -> None:
        """Writes both repositories."""
        for machine in (self.first, self.second):
            machine.place.write(body)
            for name, text in files.items():
                machine.place.put(name, text)

    @property
    def ran(self) -> list[str]:
        """The steps that ran on any of them."""
        file = self.root / "ran"
        return file.read_text().split() if file.exists() else []

    def step(self, name: str, script: str, more: str) -> str:
        """A step that notes that it ran."""
        whole = f"echo {name} >> {self.root}/ran; {script}"
        return f"step.run({whole!r}, name={name!r}, {more})"


@pytest.fixture
def pair(tmp_path: Path, elsewhere: Elsewhere) -> Pair:
    return Pair(tmp_path, elsewhere)


@pytest.mark.parametrize("mode", MODES)
def test_another_machine_runs_nothing(pair: Pair, mode: str) -> None:
    make = "echo it is made; mkdir -p out/empty && cp a out/b && ln -sf b out/c && chmod 755 out/b"
    pair.write(
        "\n".join(
            [
                pair.step("make", make, 'inputs=["a"], outputs=["out/"]'),
                "text = "
                + pair.step("say", "cat out/b", 'inputs=["out/"], outputs=[], capture=True'),
                'step.run(f"test {text} = text && test -x out/b && test -L out/c", name="check")',
                'step.run("test -d out/empty", name="check folder")',
            ]
        ),
        a="text",
    )
    pair.first.run(mode)
    assert pair.ran == ["make", "say"]
    out = pair.second.run(mode)
    assert pair.ran == ["make", "say"]
    # What it printed comes with it.
    assert "it is made" in out
    # Now it is here, and nobody is asked.
    pair.second.elsewhere = Elsewhere("http://127.0.0.1:9", pair.root)
    assert "warning" not in pair.second.run(mode)
    assert pair.ran == ["make", "say"]


def test_many_files_come_over(pair: Pair) -> None:
    make = "mkdir out; i=0; while [ $i -lt 1500 ]; do echo $i > out/$i; i=$((i+1)); done"
    count = "test $(ls out | wc -l) = 1500 && test $(cat out/1234) = 1234"
    pair.write(
        pair.step("make", make, 'inputs=["a"], outputs=["out/"]')
        + f"\nstep.run({count!r}, name='count')",
        a="1",
    )
    pair.first.run("isolated")
    pair.second.run("isolated")
    assert pair.ran == ["make"]


def test_nothing_is_sent_that_should_not_be(pair: Pair) -> None:
    canary = f"canary{os.urandom(8).hex()}"
    body = (
        'step.run("echo $TOKEN > out; echo $TOKEN", name="secret", inputs=["a"], outputs=["out"], '
        'env={"TOKEN": secrets.get("TOKEN")})'
    )
    pair.write(body, a="1")
    for machine in (pair.first, pair.second):
        machine.run("isolated", "--secret", f"TOKEN={canary}")
    sent = [file for file in pair.first.elsewhere.files.rglob("*") if file.is_file()]
    assert not any(canary.encode() in file.read_bytes() for file in sent)
    pair.write(pair.step("make", "echo 1 > out", 'inputs=["a"], outputs=["out"]'), a="1")
    pair.first.run("isolated", "--no-upload")
    pair.second.run("isolated", "--no-cache")
    pair.second.variables = {"DANUBE_REMOTE_CACHE_UPLOAD": "no"}
    pair.second.run("isolated")
    assert pair.ran == ["make"] * 3


def test_a_token_that_is_not_let_in_is_said_and_the_run_goes_on(tmp_path: Path) -> None:
    with Master(tmp_path / "data") as master:
        pair = Pair(tmp_path, Elsewhere(f"http://127.0.0.1:{master.port}", master.data, "wrong"))
        pair.write(pair.step("make", "echo 1 > out", 'inputs=["a"], outputs=["out"]'), a="1")
        out = pair.first.run("isolated")
        assert "it answers 401: the token is not let in" in out
        assert pair.ran == ["make"]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://x", "is not the address of a cache"),
        ("http://me:word@x", "has no user in it"),
        ("http://192.0.2.1", "would receive the token without encryption"),
    ],
)
def test_an_address_that_is_none_is_refused(tmp_path: Path, url: str, said: str) -> None:
    pair = Pair(tmp_path, Elsewhere(url, tmp_path, "token"))
    pair.write(pair.step("make", "true", 'inputs=["a"], outputs=[]'), a="1")
    assert said in pair.first.run("isolated", status=2)
    assert pair.ran == []


# A server that keeps what it is given, and answers as it is told.
Answering = Callable[["Liar", str], bool]


class Liar(http.server.BaseHTTPRequestHandler):
    """A cache that can be told to answer wrongly.

    Attributes:
        kept: What it was given, by its path.
        lie: Answers a `GET` in its own way, or gives `False`.
    """

    protocol_version = "HTTP/1.1"
    kept: dict[str, bytes]
    lie: Answering

    def do_GET(self) -> None:
        if self.lie(self.path):
            return
        self.answer(200 if self.path in self.kept else 404, self.kept.get(self.path, b""))

    def do_HEAD(self) -> None:
        self.answer(200 if self.path in self.kept else 404, b"")

    def do_PUT(self) -> None:
        self.kept[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(201, b"")

    def answer(self, status: int, body: bytes, length: int | None = None) -> None:
        """Sends an answer, with a length of its own if that is wanted."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def liar() -> Iterator[tuple[type[Liar], str]]:
    class Own(Liar):
        kept: dict[str, bytes] = {}

        @staticmethod
        def lie(_: str) -> bool:  # type: ignore[override]
            return False

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Own)
    server.daemon_threads = True
    # Clients that were lied to hang up.
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Own, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def is_content(handler: Liar, path: str) -> bool:
    return path.startswith("/cas/") and path in handler.kept


def damaged(handler: Liar, path: str) -> bool:
    if not is_content(handler, path):
        return False
    body = bytearray(handler.kept[path])
    body[-1] ^= 1
    handler.answer(200, bytes(body))
    return True


def cut(handler: Liar, path: str) -> bool:
    if path not in handler.kept:
        return False
    handler.answer(200, handler.kept[path][:-1], len(handler.kept[path]))
    handler.close_connection = True
    return True


def short(handler: Liar, path: str) -> bool:
    if path not in handler.kept:
        return False
    handler.answer(200, handler.kept[path][:-1])
    return True


def endless(handler: Liar, path: str) -> bool:
    if path not in handler.kept:
        return False
    handler.answer(200, b"x" * (5 << 20), 1 << 40)
    handler.close_connection = True
    return True


def random_bytes(handler: Liar, path: str) -> bool:
    handler.answer(200, os.urandom(300))
    return True


def broken(handler: Liar, path: str) -> bool:
    handler.answer(500, b"")
    return True


def redirected(handler: Liar, path: str) -> bool:
    handler.send_response(302)
    handler.send_header("Location", "http://127.0.0.1:1/")
    handler.send_header("Content-Length", "0")
    handler.end_headers()
    return True


def no_http(handler: Liar, path: str) -> bool:
    handler.wfile.write(b"\0\1\2 hello\r\n\r\n")
    handler.close_connection = True
    return True


def without_contents(handler: Liar, path: str) -> bool:
    if not path.startswith("/cas/"):
        return False
    handler.answer(404, b"")
    return True


LIES = [
    damaged, cut, short, endless, random_bytes, broken, redirected, no_http, without_contents,
]  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("mode", MODES)
def test_no_lie_is_believed(
    tmp_path: Path, liar: tuple[type[Liar], str], lie: Answering, mode: str
) -> None:
    server, url = liar
    pair = Pair(tmp_path, Elsewhere(url, tmp_path))
    script = "mkdir -p out; for i in 1 2 3; do cat a > out/$i; echo $i >> out/$i; done; echo said"
    pair.write(
        pair.step("make", script, 'inputs=["a"], outputs=["out/"]')
        + """\nstep.run("test $(cat out/* | md5sum | cut -c1-8) = SUM", name="check")""".replace(
            "SUM", hashlib.md5(b"a1\na2\na3\n").hexdigest()[:8]
        ),
        a="a",
    )
    pair.first.run(mode)
    assert pair.ran == ["make"] and server.kept
    server.lie = lie  # type: ignore[assignment]
    out = pair.second.run(mode)
    assert pair.ran == ["make"] * 2, out


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def field_of(number: int, value: bytes) -> bytes:
    """A field with bytes, in protobuf."""
    return varint(number << 3 | 2) + varint(len(value)) + value


def digest_of(content: bytes) -> bytes:
    """A `Digest` message."""
    digest = hashlib.sha256(content).hexdigest().encode()
    return field_of(1, digest) + b"\x10" + varint(len(content))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "path", ["other", ".git/hooks/post-checkout", "out/.git/config", "../out", "out"]
)
def test_a_result_writes_only_what_its_step_does(
    tmp_path: Path, liar: tuple[type[Liar], str], mode: str, path: str
) -> None:
    server, url = liar
    pair = Pair(tmp_path, Elsewhere(url, tmp_path))
    step = pair.step("make", "mkdir -p out; cp a out/b", 'inputs=["a"], outputs=["out/"]')
    pair.write(step, a="a")
    pair.first.run(mode)
    content = b"#!/bin/sh\ntouch /tmp/taken\n"
    # A folder in a folder in the root, as the path says.
    *folders, name = path.split("/")
    file = field_of(1, name.encode()) + field_of(2, digest_of(content)) + b"\x20\x01"
    node = field_of(1, file)
    children = []
    for folder in reversed(folders):
        children.append(node)
        node = field_of(2, field_of(1, folder.encode()) + field_of(2, digest_of(node)))
    tree = field_of(1, node) + b"".join(field_of(2, child) for child in children)
    result = field_of(3, field_of(3, digest_of(tree)))
    for key in [key for key in server.kept if key.startswith("/ac/")]:
        server.kept[key] = result
    for body in (tree, content):
        server.kept[f"/cas/{hashlib.sha256(body).hexdigest()}"] = body
    out = pair.second.run(mode)
    root = pair.second.place.repository
    assert pair.ran == ["make"] * 2
    # What is no name of a file makes a tree none.
    assert ("paths that the step does not write" in out) == (path != "../out")
    assert not (root / path).is_file()
    if mode == "in-place":
        assert (root / "out/b").read_text() == "a"


def test_nobody_there_is_said_once_and_the_run_goes_on(tmp_path: Path) -> None:
    pair = Pair(tmp_path, Elsewhere(f"http://127.0.0.1:{free_port()}", tmp_path))
    steps = [
        pair.step(f"make{i}", f"echo > out{i}", f'inputs=["a"], outputs=["out{i}"]')
        for i in range(20)
    ]
    pair.write("\n".join(steps), a="1")
    out = pair.first.run("isolated")
    assert out.count("it cannot be reached") == 1
    assert len(pair.ran) == 20


def test_a_server_that_says_nothing_does_not_keep_a_person(
    tmp_path: Path, liar: tuple[type[Liar], str]
) -> None:
    server, url = liar
    begun = threading.Event()
    over = threading.Event()

    def silent(handler: Liar, path: str) -> bool:
        begun.set()
        over.wait(DEADLINE)
        return False

    server.lie = silent  # type: ignore[assignment]
    pair = Pair(tmp_path, Elsewhere(url, tmp_path))
    pair.write(pair.step("make", "true", 'inputs=["a"], outputs=[]'), a="1")
    place = pair.first.place
    place.variables = {"DANUBE_REMOTE_CACHE": url}
    try:
        with place.running("isolated") as process:
            assert begun.wait(DEADLINE)
            process.send_signal(signal.SIGINT)
            process.wait(15)
            assert process.returncode == 1 and process.stdout is not None
            assert b"was not used" not in process.stdout.read()
    finally:
        over.set()
    assert pair.ran == []
    assert place.left == []


def test_bazel_shares_results_by_a_master(tmp_path: Path) -> None:
    bazel = program("bazel", "scripts/install-prerequisites test")
    root = tmp_path / "project"
    root.mkdir()
    (root / "WORKSPACE").write_text("")
    (root / "BUILD").write_text(
        'genrule(name = "made", srcs = ["in"], outs = ["out"],\n'
        f"    cmd = \"echo ran >> {tmp_path}/ran; tr a-z A-Z < $< > $@\")\n"
    )
    (root / "in").write_text("text")
    with Master(tmp_path / "data") as master:
        for number in (1, 2):
            ended = subprocess.run(
                [
                    bazel, f"--output_user_root={tmp_path}/bazel{number}", "--batch", "build",
                    "--noshow_progress", "--spawn_strategy=local",
                    f"--remote_cache=http://127.0.0.1:{master.port}",
                    f"--remote_header=Authorization=Bearer {master.token}", "//:made",
                ],
                cwd=root, capture_output=True, text=True, timeout=600,
            )  # fmt: skip
            assert ended.returncode == 0, ended.stderr
            assert (root / "bazel-bin/out").read_text() == "TEXT"
        assert "1 remote cache hit" in ended.stderr, ended.stderr
    assert (tmp_path / "ran").read_text() == "ran\n"


def test_jobs_of_masters_share_results(tmp_path: Path, elsewhere: Elsewhere) -> None:
    script = f"echo ran >> {tmp_path}/ran; cp a out; cat {tmp_path}/*/data/remote.token || true"
    place = master_repository(
        tmp_path / "repository", f"step.run({script!r}, name='x', inputs=['a'], outputs=['out'])"
    )
    (place / "a").write_text("text")
    git(place, "add", "-A")
    git(place, "commit", "-q", "-m", "a")
    for number in (1, 2):
        data = tmp_path / f"master{number}" / "data"
        data.mkdir(parents=True)
        token = data / "remote.token"
        token.write_text(elsewhere.token)
        token.chmod(0o600)
        lines = [f'remote = "{elsewhere.url}"']
        if elsewhere.token:
            lines.append(f'remote_token = "{token}"')
        with Master(data, "\n".join(["[cache]", *lines])) as master:
            job = master.run(place)
            assert job["state"] == "success", job
            log = master.ask("GET", f"/api/v1/jobs/{job['id']}/logs").body
            # No step sees what lets in.
            assert not elsewhere.token or elsewhere.token.encode() not in log
    assert (tmp_path / "ran").read_text() == "ran\n"


def test_a_job_says_why_a_cache_elsewhere_is_not_used(tmp_path: Path) -> None:
    place = master_repository(
        tmp_path / "repository", "step.run('true', name='x', inputs=['*'], outputs=[])"
    )
    token = tmp_path / "token"
    token.write_text("secret")
    token.chmod(0o644)
    lines = ["[cache]", 'remote = "http://127.0.0.1:9"', f'remote_token = "{token}"']
    with Master(tmp_path / "data", "\n".join(lines)) as master:
        job = master.run(place)
        assert job["state"] == "success"
