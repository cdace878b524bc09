"""Determinism: the same inputs give the same plan.

Time is the trigger's, `random` is seeded, and what would differ from run to run is refused with a
hint. None of this contains hostile code: the operating system does (docs/security-model.md).
"""

from __future__ import annotations

import sys

from . import _imports, _stubs
from ._refused import Refused
from ._vfs import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_NANO = 1_000_000_000


class _State:
    """What the guards keep between paths."""

    seed = 0
    seeded = 0
    now = 0.0
    random: Any = None


def _refuse(code: str, message: str, hint: str) -> Callable[..., Any]:
    def refused(*_: Any, **__: Any) -> Any:
        raise Refused(code, message, hint)

    return refused


def _guard_time(time: Any) -> None:
    now = _State.now
    nanoseconds = int(now * _NANO)

    def constant(value: Any) -> Callable[..., Any]:
        return lambda *_: value

    for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time"):
        setattr(time, name, constant(now))
        setattr(time, name + "_ns", constant(nanoseconds))
    time.clock_gettime = constant(now)
    time.clock_gettime_ns = constant(nanoseconds)
    gmtime, localtime = time.gmtime, time.localtime
    strftime, asctime = time.strftime, time.asctime

    # The process's time zone is UTC: the two differ in the zone's name only.
    def broken_down(seconds: Any = None) -> Any:
        return localtime(now if seconds is None else seconds)

    time.gmtime = lambda seconds=None: gmtime(now if seconds is None else seconds)
    time.localtime = broken_down
    time.strftime = lambda form, t=None: strftime(form, broken_down() if t is None else t)
    time.asctime = lambda t=None: asctime(broken_down() if t is None else t)
    time.ctime = lambda seconds=None: asctime(broken_down(seconds))
    time.sleep = _refuse(
        "DNB701",
        "time.sleep() would only delay the compilation",
        "Wait in a step (`sleep 10`), or give the step `retries`.",
    )


def _guard_thread(thread: Any) -> None:
    thread.start_new_thread = thread.start_new = _refuse(
        "DNB705",
        "A danubefile cannot start threads",
        "Use `with parallel():` for steps that run side by side.",
    )


def _guard_random(random: Any) -> None:
    seed = random.Random.seed

    def seed_fixed(self: Any, a: Any = None, version: int = 2) -> None:
        """Seeds as always, but from the compilation's own seed where none is given."""
        if a is None:
            _State.seeded += 1
            a = _State.seed * 1_000_003 + _State.seeded
        seed(self, a, version)

    random.Random.seed = seed_fixed
    instance = random._inst
    random.seed = instance.seed
    random.SystemRandom = _refuse(
        "DNB702",
        "SystemRandom gives other numbers each time",
        "Use `random`, which is seeded, or make the number in a step.",
    )
    _State.random = instance
    instance.seed(_State.seed)


def _guard_uuid(uuid: Any) -> None:
    hint = "Use uuid.uuid5() over `ctx.job_id`, or make the identifier in a step (uuidgen)."
    for name in ("uuid1", "uuid4", "getnode"):
        setattr(uuid, name, _refuse("DNB702", f"uuid.{name}() gives another value each time", hint))


def _guard_shutil(shutil: Any) -> None:
    for name in ("which", "disk_usage"):
        setattr(
            shutil,
            name,
            _refuse(
                "DNB708",
                f"shutil.{name}() would tell of this machine, not of the step's",
                "Ask in the step's script, for example with `command -v`.",
            ),
        )


def _guard_platform(platform: Any) -> None:
    # Some of it reads the interpreter's file or runs a program.
    platform.libc_ver = lambda *_, **__: ("glibc", "")
    platform.processor = lambda: ""
    platform._Processor.get = staticmethod(lambda: "")
    platform.architecture = lambda *_, **__: ("64bit", "ELF")
    platform.freedesktop_os_release = _refuse(
        "DNB708", "This would tell of this machine, not of the step's", "Ask in the step's script."
    )


def _guard_logging(logging: Any) -> None:
    logging.logProcesses = logging.logThreads = logging.logMultiprocessing = False


_EVENTS = (
    ("socket.", "DNB703", "uses the network, which a danubefile does not have"),
    ("subprocess.", "DNB704", "starts a process"),
    ("time.sleep", "DNB701", "would only delay the compilation"),
    ("ctypes.", "DNB708", "runs native code"),
)


def audited(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuses an audit event of those that the bridge passes on."""
    for prefix, code, what in _EVENTS:
        if event.startswith(prefix):
            break
    else:
        process = event.startswith(
            ("os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.kill", "os.system", "pty.")
        )
        code, what = (
            ("DNB704", "starts or touches processes")
            if process
            else ("DNB708", "needs the host, which a dry run does not have")
        )
    raise HostError(code, f"{event} {what}", "Do this in a step.")


_TABLE = {
    "random": _guard_random,
    "uuid": _guard_uuid,
    "shutil": _guard_shutil,
    "platform": _guard_platform,
    "logging": _guard_logging,
}


def install(settings: dict[str, Any]) -> None:
    """Puts the guards in place. `settings` has "time", "seed" and "audit"."""
    _State.now = float(settings.get("time", 0.0))
    _State.seed = int(settings.get("seed", 0))
    _imports.guards.update(_TABLE)
    _imports.stubs.update(_stubs.TABLE)
    _guard_time(sys.modules["time"])
    _guard_thread(sys.modules["_thread"])
    for name, guard in _TABLE.items():
        if name in sys.modules:
            guard(sys.modules[name])
    if settings.get("audit"):
        import _danube_channel

        _danube_channel.audit(audited)


def reset() -> None:
    """Before each path: random numbers and the environment start anew."""
    _State.seeded = 0
    if _State.random is not None:
        _State.random.seed(_State.seed)
    os: Any = sys.modules.get("os")
    if os is not None:
        os.environ.clear()
