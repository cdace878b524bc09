"""What holds once the evaluator's process is sealed, tried from native code and from Python."""

from __future__ import annotations

import ctypes
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys

import bridge_driver
import pytest

SOURCES = bridge_driver.ROOT / "Sources/CSandbox"
PARTS = ("seal", "filter", "landlock", "root", "capabilities")


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """seal_probe.c, linked with the project's own seal."""
    built = tmp_path_factory.mktemp("probe") / "probe"
    here = pathlib.Path(__file__).parent
    subprocess.run(
        [
            "cc",
            "-O1",
            "-I",
            SOURCES / "include",
            here / "seal_probe.c",
            *(SOURCES / f"{part}.c" for part in PARTS),
            "-o",
            built,
        ],
        check=True,
    )
    return built


def run_probe(probe: pathlib.Path, test: str) -> tuple[str, int]:
    """Output and wait status of one of the probe's tests."""
    program = probe.with_name(f"probe-{test}")
    shutil.copy(probe, program)
    return bridge_driver.run_program(program)


def test_every_other_system_call_is_refused(probe: pathlib.Path) -> None:
    assert run_probe(probe, "all") == ("DONE\n", 0)


def test_allowed_calls_are_refused_with_other_arguments(probe: pathlib.Path) -> None:
    assert run_probe(probe, "arguments") == ("DONE\n", 0)


@pytest.mark.parametrize("test", ["exec", "ptrace", "x32", "i386"])
def test_calls_that_only_an_attack_makes_kill_the_process(probe: pathlib.Path, test: str) -> None:
    output, status = run_probe(probe, test)
    assert output == "" and os.WTERMSIG(status) == signal.SIGSYS


@pytest.mark.parametrize("test", ["crash", "abort"])
def test_a_crash_ends_the_process_at_once(probe: pathlib.Path, test: str) -> None:
    assert os.WTERMSIG(run_probe(probe, test)[1]) == signal.SIGSEGV


def test_sealing_takes_less_than_two_milliseconds(probe: pathlib.Path) -> None:
    times = [int(run_probe(probe, "layers")[0].split("NANOSECONDS ")[1]) for _ in range(10)]
    assert min(times) < 2_000_000


# Starts the probe beside it as the bridge is started, and prints what it wrote to the channel.
STARTS_PROBE = """
import ctypes, os, pathlib, socket
place = pathlib.Path(__file__).parent
library = ctypes.CDLL(str(place / "spawn.so"))
ours, theirs = socket.socketpair()
pid = ctypes.c_int()
program = os.fsencode(place / "probe-layers")
assert library.danube_spawn_on(program, theirs.fileno(), ctypes.byref(pid)) == 0
theirs.close()
while data := ours.recv(65536):
    print(data.decode(), end="")
os.waitpid(pid.value, 0)
"""


@pytest.mark.parametrize("user", [0, 1000])
def test_layers_hold_for_root_and_for_others(probe: pathlib.Path, user: int) -> None:
    if os.getuid() != 0:
        pytest.skip("changing the user needs root")
    # Another user need not be able to read the checkout, or the tools that this user has.
    place = pathlib.Path("/var/tmp") / f"danube-probe-{os.getpid()}-{user}"
    place.mkdir()
    try:
        shutil.copy(probe, place / "probe-layers")
        shutil.copy(bridge_driver.spawn_library_file(), place / "spawn.so")
        (place / "start.py").write_text(STARTS_PROBE)
        place.chmod(0o755)
        (place / "spawn.so").chmod(0o755)
        done = subprocess.run(
            [
                "setpriv",
                "--reuid",
                str(user),
                "--regid",
                str(user),
                "--clear-groups",
                "/usr/bin/python3",
                "-ISB",
                str(place / "start.py"),
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
        )
    finally:
        shutil.rmtree(place)
    assert done.returncode == 0, done.stderr
    layers = [line.split("|") for line in done.stdout.splitlines() if "|" in line]
    assert len(layers) == 13
    assert [layer for layer in layers if layer[1] != "1"] == []


def selftest(code: str, **options: object) -> bridge_driver.Result:
    settings = {"file": "danubefile.py", "time": 1.7e9, "seed": 1, "audit": False, **options}
    return bridge_driver.evaluate({**settings, "selftest": code})


REAL = (
    "import sys\nload = sys.modules['_frozen_importlib'].BuiltinImporter.load_module\n"
    "sys.modules.pop('posix')\nposix = load('posix')\n"
)


@pytest.mark.parametrize("audit", [False, True])
@pytest.mark.parametrize(
    "call",
    [
        "posix.open('/etc/passwd', 0)",
        "posix.open('/workspace/x', 65)",
        "posix.stat('/')",
        "posix.listdir('/')",
        "posix.fork()",
        # Without a shell it gives a status and no exception: -1, or 127 as the shell's own.
        "{False: 'ran'}[posix.system('id') in (-1, 127 << 8)]",
        "posix.kill(1, 9)",
        "posix.kill(posix.getppid(), 9)",
        "posix.chroot('/')",
        "posix.memfd_create('x')",
        "posix.pipe()",
        "posix.setuid(0)",
        "posix.urandom(1)",
        "posix.write(1, b'x')",
        "posix.write(4, b'x')",
        "posix.dup(3)",
        "posix.unlink('/x')",
        "load('_socket').socket()",
        "load('_signal').raise_signal(19)",
        "load('_thread').start_new_thread(print, ())",
        "load('select').epoll()",
        "load('_posixsubprocess').fork_exec",
        "load('fcntl').fcntl(3, 1)",
        "sys.modules['_io'].FileIO('/etc/passwd')",
        "__import__('ctypes')",
    ],
)
def test_the_real_modules_reach_nothing(call: str, audit: bool) -> None:
    if call.endswith("fork_exec"):
        call += (
            "([b'/bin/true'], [b'/bin/true'], True, (), None, None, -1, -1, -1, -1, -1, -1, "
            "-1, -1, False, False, -1, None, None, None, -1, None, False)"
        )
    result = selftest(REAL + f"report({call})", audit=audit)
    assert result.exit == 0
    kind, _, _, reports = result.last(b"D")
    assert kind is not None and not reports


def test_execve_kills() -> None:
    result = selftest(REAL + "posix.execv('/bin/true', ['true'])")
    assert result.signal == signal.SIGSYS


def test_memory_is_bounded() -> None:
    result = selftest("x = bytearray(600 << 20)")
    assert result.last(b"D")[0] == "MemoryError"
    assert selftest("x = bytearray(100 << 20)").last(b"D")[0] is None
    assert selftest("x = bytearray(100 << 20)", memory=64 << 20).last(b"D")[0] == "MemoryError"


def test_cpu_time_is_bounded_even_without_the_parent() -> None:
    result = selftest("while True: pass", cpu_seconds=1)
    assert result.signal == signal.SIGKILL and result.seconds < 5


def test_the_environment_and_command_line_tell_nothing() -> None:
    result = selftest("import os, sys\nreport((dict(os.environ), sys.argv, sys.executable))")
    assert result.last(b"D")[3] == ("({}, [], '')",)


def test_atexit_handlers_do_not_run() -> None:
    code = "import atexit\natexit.register(lambda: channel.send(b'T', b'N'))"
    assert [kind for kind, _ in selftest(code).frames] == [b"D"]


def test_the_process_dies_with_its_parent() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import bridge_driver as b, os\n"
        "def greeted(pid):\n    print(pid, flush=True)\n    os._exit(0)\n"
        "b.evaluate({'file': 'f', 'selftest': 'while True: pass'}, during=greeted)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(pathlib.Path(__file__).parent)],
        capture_output=True,
        text=True,
        check=True,
    )
    pid = int(done.stdout)
    for _ in range(100):
        status = pathlib.Path(f"/proc/{pid}/status")
        if not status.exists() or "State:\tZ" in status.read_text():
            return
        signal.sigtimedwait([], 0.02)
    pytest.fail("the evaluator outlived its parent")


def test_what_is_not_a_configuration_is_refused() -> None:
    ours, theirs = socket.socketpair()
    pid = ctypes.c_int()
    path = os.fsencode(bridge_driver.bridge_path())
    library = bridge_driver.spawn_library()
    assert library.danube_spawn_on(path, theirs.fileno(), ctypes.byref(pid)) == 0
    theirs.close()
    with ours:
        ours.sendall(b"\x05\0\0\0C(\xff\xff\xff")
        assert ours.recv(100) == b""
    assert os.WEXITSTATUS(os.waitpid(pid.value, 0)[1]) == 74
