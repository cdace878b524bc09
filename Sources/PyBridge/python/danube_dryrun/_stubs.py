"""Modules that can be imported, since helpers often do, but whose use is refused."""

from __future__ import annotations

from ._refused import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def _function(module: Any, name: str, code: str, what: str, hint: str) -> None:
    def refused(*_: Any, **__: Any) -> Any:
        raise Refused(code, f"{module.__name__}.{name}() {what}", hint)

    refused.__name__ = refused.__qualname__ = name
    refused.__module__ = module.__name__
    setattr(module, name, refused)


def _class(module: Any, name: str, code: str, what: str, hint: str) -> None:
    """A class, since annotations and `except` clauses name it."""

    def refused(cls: type, *_: Any, **__: Any) -> Any:
        raise Refused(code, f"{module.__name__}.{name}() {what}", hint)

    setattr(
        module,
        name,
        type(
            name,
            (),
            {
                "__new__": refused,
                "__module__": module.__name__,
                "__class_getitem__": classmethod(lambda cls, _: cls),
            },
        ),
    )


def _subprocess(module: Any) -> None:
    what = "starts a process, and a danubefile has none"
    hint = "Use step.run(…); with capture=True it gives the output."
    for name in (
        "run",
        "call",
        "check_call",
        "check_output",
        "getoutput",
        "getstatusoutput",
        "list2cmdline",
    ):
        _function(module, name, "DNB704", what, hint)
    _class(module, "Popen", "DNB704", what, hint)
    _class(module, "CompletedProcess", "DNB704", what, hint)
    module.PIPE, module.STDOUT, module.DEVNULL = -1, -2, -3

    class SubprocessError(Exception):
        """Base of what this module raises."""

    class CalledProcessError(SubprocessError):
        """A command failed."""

    class TimeoutExpired(SubprocessError):
        """A command took too long."""

    for one in (SubprocessError, CalledProcessError, TimeoutExpired):
        one.__module__ = module.__name__
        one.__qualname__ = one.__name__
        setattr(module, one.__name__, one)


def _socket(module: Any) -> None:
    what = "uses the network, and a danubefile has none"
    hint = "Do this in a step, for example with curl."
    _class(module, "socket", "DNB703", what, hint)
    for name in (
        "create_connection",
        "create_server",
        "socketpair",
        "getaddrinfo",
        "getfqdn",
        "gethostbyname",
        "gethostbyaddr",
        "gethostname",
        "getnameinfo",
        "fromfd",
    ):
        _function(module, name, "DNB703", what, hint)
    module.AF_UNIX, module.AF_INET, module.AF_INET6 = 1, 2, 10
    module.SOCK_STREAM, module.SOCK_DGRAM = 1, 2
    module.error = OSError
    module.timeout = TimeoutError
    module.gaierror = type("gaierror", (OSError,), {"__module__": "socket"})
    module.herror = type("herror", (OSError,), {"__module__": "socket"})


def _secrets(module: Any) -> None:
    what = "gives another value each time"
    hint = "Make the value in a step; for a stored secret: `from danube import secrets`."
    for name in ("choice", "randbelow", "randbits", "token_bytes", "token_hex", "token_urlsafe"):
        _function(module, name, "DNB702", what, hint)
    _class(module, "SystemRandom", "DNB702", what, hint)

    def compare_digest(a: Any, b: Any) -> bool:
        """Whether two strings are equal, as `hmac.compare_digest`."""
        return bool(a == b)

    module.compare_digest = compare_digest


def _tempfile(module: Any) -> None:
    what = "makes a file, and a danubefile writes none"
    hint = "Use mktemp in a step's script."
    for name in ("mkstemp", "mkdtemp", "mktemp", "gettempdir", "gettempdirb", "gettempprefix"):
        _function(module, name, "DNB706", what, hint)
    for name in (
        "TemporaryFile",
        "NamedTemporaryFile",
        "SpooledTemporaryFile",
        "TemporaryDirectory",
    ):
        _class(module, name, "DNB706", what, hint)


TABLE: dict[str, Callable[[Any], None]] = {
    "subprocess": _subprocess,
    "socket": _socket,
    "secrets": _secrets,
    "tempfile": _tempfile,
}
