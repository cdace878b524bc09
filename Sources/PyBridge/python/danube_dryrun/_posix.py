"""The module in the place of `posix`, the floor that `os`, `pathlib` and `glob` stand on."""

from __future__ import annotations

import sys

import posix as _real

from ._vfs import ABOVE, NOT_FOLDER, ROOT, HostError, Repository, WriteError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

_PROCESS = "fork forkpty execv execve posix_spawn posix_spawnp system wait wait3 wait4 waitid " \
    "waitpid kill killpg pidfd_open abort"
_WRITE = "chmod chown lchown link mkdir mkfifo mknod remove rename replace rmdir symlink " \
    "truncate unlink utime setxattr removexattr write writev pwrite pwritev ftruncate fchmod " \
    "fchown chroot memfd_create copy_file_range sendfile sync fsync fdatasync"
_COPIED = "WCOREDUMP WEXITSTATUS WIFCONTINUED WIFEXITED WIFSIGNALED WIFSTOPPED WSTOPSIG WTERMSIG " \
    "_exit _path_normpath fspath major makedev minor strerror waitstatus_to_exitcode"


class _Entry:
    """What `os.scandir` yields."""

    def __init__(self, files: Repository, folder: str, name: str) -> None:
        self._files = files
        self.name = name
        self.path = f"{folder}{name}" if folder[-1:] == "/" else f"{folder}/{name}"

    def _mode(self) -> int:
        return self._files.status(self.path).st_mode & 0o170000  # type: ignore[no-any-return]

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        return self._mode() == 0o040000

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        return self._mode() == 0o100000

    def is_symlink(self) -> bool:
        return False

    def stat(self, *, follow_symlinks: bool = True) -> Any:
        return self._files.status(self.path)

    def inode(self) -> int:
        return 1

    def __fspath__(self) -> str:
        return self.path

    def __repr__(self) -> str:
        return f"<DirEntry {self.name!r}>"


class _Scan:
    """The iterator of `os.scandir`."""

    def __init__(self, entries: list[_Entry]) -> None:
        self._entries = iter(entries)

    def __iter__(self) -> Iterator[_Entry]:
        return self._entries

    def __next__(self) -> _Entry:
        return next(self._entries)

    def __enter__(self) -> _Scan:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the iteration."""
        self._entries = iter(())


def _refusing(name: str) -> Callable[..., Any]:
    if name in _PROCESS.split():
        code, what = "DNB704", "starts or touches processes"
        hint = "Commands run in steps: step.run(…)."
    elif name in ("urandom", "getrandom"):
        code, what, hint = "DNB702", "gives other bytes each time", (
            "Make the value in a step, or derive it from `ctx.commit_sha`.")
    elif name in ("cpu_count", "sched_getaffinity", "getloadavg"):
        code, what, hint = "DNB708", "would tell of this machine, not of the step's", (
            "Ask in the step's script: $(nproc).")
    else:
        code, what, hint = "DNB708", "asks the host, which a dry run cannot", (
            "Do this in a step.")
    is_write = name in _WRITE.split()

    def refused(*_: Any, **__: Any) -> Any:
        if is_write:
            raise WriteError(f"os.{name}()")
        raise HostError(code, f"os.{name}() {what}", hint)

    refused.__name__ = name
    return refused


def _served(files: Repository) -> dict[str, Any]:
    """The functions of `posix` that have an answer."""
    uname = _real.uname_result(("Linux", "danube", "", "", "x86_64"))

    def access(path: Any, mode: int, **_: Any) -> bool:
        try:
            status = files.status(path)
        except OSError:
            return False
        return not mode & 2 and (not mode & 1 or bool(status.st_mode & 0o111))

    def stat(path: Any, *, dir_fd: Any = None, follow_symlinks: bool = True) -> Any:
        if isinstance(path, int) or dir_fd is not None:
            raise OSError(9, "Bad file descriptor")
        return files.status(path)

    def listdir(path: Any = None) -> list[Any]:
        path = "." if path is None else path
        names = files.names(path)
        return [name.encode() for name in names] if isinstance(path, bytes) else names

    def scandir(path: Any = None) -> _Scan:
        folder = "." if path is None else _real.fspath(path)
        if isinstance(folder, bytes):
            folder = folder.decode("utf-8", "surrogateescape")
        return _Scan([_Entry(files, folder, name) for name in files.names(folder)])

    def readlink(path: Any, *, dir_fd: Any = None) -> str:
        files.status(path)
        raise OSError(22, "Invalid argument", path)

    def chdir(path: Any) -> None:
        place = files.locate(path)
        if place is ABOVE or files.kind(place) != "dir":
            raise NotADirectoryError(NOT_FOLDER, "Not a directory", path)
        files.folder = f"{ROOT}/{place}" if place else ROOT

    def open(path: Any, flags: int, mode: int = 0o777, *, dir_fd: Any = None) -> int:
        files.locate(path)
        if flags & 0o1103:
            raise WriteError(f"os.open({path!r})")
        raise HostError("DNB708", "os.open() gives a file descriptor, and a dry run has none",
                        "Use open() instead.")

    return {
        "access": access, "stat": stat, "lstat": stat, "listdir": listdir, "scandir": scandir,
        "readlink": readlink, "chdir": chdir, "open": open, "getcwd": lambda: files.folder,
        "getcwdb": lambda: files.folder.encode(), "isatty": lambda descriptor: False,
        "close": lambda descriptor: None, "closerange": lambda low, high: None,
        "putenv": lambda name, value: None, "unsetenv": lambda name: None,
        "register_at_fork": lambda **_: None, "uname": lambda: uname, "environ": {},
        "device_encoding": lambda descriptor: None, "DirEntry": _Entry, "_have_functions": [],
    }


def substitute(files: Repository) -> Any:
    """A module with the names of `posix`, answered by the repository or refused."""
    module = type(sys)("posix", "The repository, in the place of the operating system.")
    served = _served(files)
    for name, value in vars(_real).items():
        if name in served:
            setattr(module, name, served[name])
        elif callable(value) and not isinstance(value, type):
            setattr(module, name, value if name in _COPIED.split() else _refusing(name))
        elif name[:2] != "__":
            setattr(module, name, value)
    return module
