"""Runs code that the parent gives inside the sealed process, and tells what became of it.

For the tests of the seal: no danubefile, no recording. `("selftest", source)` in the configuration
asks for it; the answer is one `D` frame of (kind of the exception or None, its text).
"""

from __future__ import annotations

import marshal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def run(channel: Any, configuration: dict[str, Any]) -> None:
    """Executes the given source with everything installed that a danubefile would meet."""
    from . import _guard, _imports, _vfs

    def ask(*request: Any) -> Any:
        channel.send(b"Q", marshal.dumps(request, 2))
        return marshal.loads(channel.recv()[1])

    files = _vfs.install(ask)
    _imports.install(ask)
    _guard.install(configuration)
    report: list[str] = []
    # The channel itself, for the tests of what native code could do with it.
    names = {
        "__name__": "__danubefile__",
        "report": report.append,
        "files": files,
        "channel": channel,
        "reset": _imports.reset,
    }
    kind, text, code = None, "", ""
    try:
        exec(compile(configuration["selftest"], "danubefile.py", "exec"), names)
    except BaseException as error:
        kind, text = type(error).__name__, str(error)
        code = getattr(error, "code", "")
    result = (kind, text, code if isinstance(code, str) else "", tuple(map(str, report)))
    channel.send(b"D", marshal.dumps(result, 2))
