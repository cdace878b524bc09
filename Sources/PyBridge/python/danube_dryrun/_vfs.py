"""The repository as a file system: what `open`, `os`, `pathlib` and `glob` see in a dry run.

The process cannot open files. A module put in the place of `posix`, below everything that the
standard library offers, asks the compiler instead; the repository is the current directory,
`/workspace`. There is nothing else, and nothing can be written.
"""

from __future__ import annotations

import builtins
import sys

import _io
import posix as _real

from ._refused import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

ROOT = "/workspace"
NOT_FOUND, IS_FOLDER, NOT_FOLDER, READ_ONLY, TOO_LONG = 2, 21, 20, 30, 36
_PATH_MAX = 4096
_FOLDER_MODE, _FILE_MODE, _PROGRAM_MODE = 0o040755, 0o100644, 0o100755
# The folder that holds the repository, and nothing else.
ABOVE = object()


class OutsideError(Refused, FileNotFoundError):
    """A path outside of the repository."""

    def __init__(self, path: Any) -> None:
        shown = path.decode("utf-8", "replace") if isinstance(path, bytes) else str(path)
        Refused.__init__(
            self,
            "DNB707",
            f"`{shown}` is outside of the repository",
            "A danubefile reads files of its repository only; do this in a step.",
        )
        FileNotFoundError.__init__(self, NOT_FOUND, "No such file or directory", shown)


class WriteError(Refused, PermissionError):
    """An attempt to change a file."""

    def __init__(self, what: str) -> None:
        Refused.__init__(
            self,
            "DNB706",
            f"{what} would change files, which a dry run cannot do",
            "Change files in a step: each step gets the workspace that the one before it left.",
        )
        PermissionError.__init__(self, READ_ONLY, "Read-only file system", what)


class HostError(Refused, PermissionError):
    """Something that only the host could do or tell."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        Refused.__init__(self, code, message, hint)
        PermissionError.__init__(self, 1, message)


class Repository:
    """Reads of the repository, each asked of the compiler once."""

    def __init__(self, ask: Callable[..., Any]) -> None:
        self._ask = ask
        self._known: dict[tuple[str, str], Any] = {}
        self.folder = ROOT

    def _answer(self, verb: str, path: str) -> Any:
        if len(path) >= _PATH_MAX:
            return ("error", TOO_LONG, "File name too long")
        try:
            path.encode()
        except UnicodeEncodeError:
            # Names that are not UTF-8 are not served.
            return ("absent",)
        key = (verb, path)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._ask(verb, path)
        return found

    def _checked(self, verb: str, path: str, shown: Any) -> Any:
        answer = self._answer(verb, path)
        if answer[0] == "ok":
            return answer
        if answer[0] == "absent":
            raise FileNotFoundError(NOT_FOUND, "No such file or directory", shown)
        raise OSError(answer[1], answer[2], shown)

    def locate(self, path: Any) -> Any:
        """Path from the repository's root, ABOVE for the folder that holds it.

        Raises OutsideError.
        """
        text = _real.fspath(path)
        if isinstance(text, bytes):
            text = text.decode("utf-8", "surrogateescape")
        if "\0" in text:
            raise ValueError("embedded null byte")
        if not text:
            raise FileNotFoundError(NOT_FOUND, "No such file or directory", text)
        full = text if text[0] == "/" else f"{self.folder}/{text}"
        normal: str = _real._path_normpath(full)  # type: ignore[attr-defined]
        if normal == ROOT:
            return ""
        if normal.startswith(ROOT + "/"):
            return normal[len(ROOT) + 1 :]
        if normal in ("/", "//"):
            return ABOVE
        raise OutsideError(path)

    def read(self, path: Any) -> bytes:
        """Content of a file. Raises OSError."""
        place = self.locate(path)
        if place is ABOVE or place == "":
            raise IsADirectoryError(IS_FOLDER, "Is a directory", path)
        return self._checked("read", place, path)[1]  # type: ignore[no-any-return]

    def content(self, place: str) -> bytes | None:
        """Content of a file by its path from the root, None where there is none."""
        answer = self._answer("read", place)
        return answer[1] if answer[0] == "ok" else None

    def kind(self, place: str) -> str | None:
        """ "file" or "dir" by the path from the root, None where there is nothing."""
        if not place:
            return "dir"
        answer = self._answer("stat", place)
        return answer[1] if answer[0] == "ok" else None

    def status(self, path: Any) -> Any:
        """What `os.stat` answers. Owners and times are the same for all files."""
        place = self.locate(path)
        if place is ABOVE or place == "":
            return _real.stat_result((_FOLDER_MODE, 1, 1, 2, 0, 0, 0, 0, 0, 0))
        _, kind, size, executable = self._checked("stat", place, path)
        size = size if type(size) is int else int(size[1])
        if kind == "dir":
            mode = _FOLDER_MODE
        else:
            mode = _PROGRAM_MODE if executable else _FILE_MODE
        return _real.stat_result((mode, 1, 1, 1, 0, 0, size, 0, 0, 0))

    def names(self, path: Any) -> list[str]:
        """Sorted names in a folder. Raises OSError."""
        place = self.locate(path)
        if place is ABOVE:
            return [ROOT[1:]]
        if place and self._checked("stat", place, path)[1] != "dir":
            raise NotADirectoryError(NOT_FOLDER, "Not a directory", path)
        return list(self._checked("list", place, path)[1])

    # What the `danube` package asks: paths are from the repository's root.

    def read_bytes(self, path: str) -> bytes:
        """Content of a file, for `files.read_bytes`."""
        return self.read(self._rooted(path))

    def exists(self, path: str) -> bool:
        """Whether a path is there, for `files.exists`."""
        try:
            self.status(self._rooted(path))
        except OSError:
            return False
        return True

    def glob(self, pattern: str) -> list[str]:
        """Paths that match, for `files.glob`."""
        from danube._glob import glob

        return glob(pattern, self._names_or_none, lambda path: self.kind(path) == "dir")

    def _names_or_none(self, place: str) -> list[str]:
        answer = self._answer("list", place)
        return list(answer[1]) if answer[0] == "ok" else []

    @staticmethod
    def _rooted(path: Any) -> str:
        text = _real.fspath(path)
        return text if text[:1] == "/" else f"{ROOT}/{text}"


class _File(_io.BytesIO):
    """A file opened for reading."""

    def __init__(self, content: bytes, name: Any, mode: str) -> None:
        super().__init__(content)
        self.name = name
        self.mode = mode

    def writable(self) -> bool:
        return False

    def write(self, _: Any) -> int:
        raise _io.UnsupportedOperation("not writable")

    def truncate(self, _: Any = None) -> int:
        raise _io.UnsupportedOperation("not writable")

    def fileno(self) -> int:
        raise _io.UnsupportedOperation("fileno")


def _opener(files: Repository) -> Callable[..., Any]:
    def open(
        file: Any,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        closefd: bool = True,
        opener: Any = None,
    ) -> Any:
        """Opens a file of the repository for reading."""
        if not isinstance(mode, str):
            raise TypeError("open() argument 'mode' must be str")
        if set(mode) - set("rwaxbt+") or len(set(mode) & set("rwax")) != 1:
            raise ValueError(f"invalid mode: {mode!r}")
        if isinstance(file, int):
            raise HostError(
                "DNB708",
                f"open({file}) uses a file descriptor, and a dry run has none",
                "Open a file of the repository by its path.",
            )
        if set(mode) & set("wax+"):
            files.locate(file)
            raise WriteError(f"open({_real.fspath(file)!r}, {mode!r})")
        binary = "b" in mode
        if binary and (encoding or errors or newline):
            raise ValueError("binary mode doesn't take an encoding, errors or newline argument")
        raw = _File(files.read(file), file, mode)
        if binary:
            return raw
        text = _io.TextIOWrapper(raw, encoding or "utf-8", errors, newline)
        text.mode = mode
        return text

    return open


_installed: Repository | None = None


def install(ask: Callable[..., Any]) -> Repository:
    """Puts the repository in the place of the host's files. `ask(verb, path)` asks the compiler."""
    global _installed
    from ._posix import substitute

    files = Repository(ask)
    opener = _opener(files)
    sys.modules["posix"] = substitute(files)
    builtins.open = opener
    for name in ("io", "_io"):
        module: Any = sys.modules[name]
        module.open = opener
        module.open_code = lambda path: opener(path, "rb")
    _installed = files
    return files


def reset() -> None:
    """Before each path: the current directory is the repository again."""
    if _installed is not None:
        _installed.folder = ROOT


def installed() -> Repository:
    """The repository that was installed."""
    assert _installed is not None
    return _installed
