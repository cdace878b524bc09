"""Globs over a repository, the same for every back end.

It asks for listings instead of reading the file system, because a dry run has none.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_SPECIAL = frozenset("*?[")


def glob(
    pattern: str, names: Callable[[str], Sequence[str]], is_folder: Callable[[str], bool]
) -> list[str]:
    """Sorted paths that match.

    Args:
        pattern: `*`, `?`, `[a-z]` and `[!a-z]` match within a name; `**` as a whole component
            matches any number of folders. Names that begin with a dot are matched only by a
            component that does. With a trailing `/` only folders are found.
        names: The names in a folder, "" being the root; nothing when it is no folder.
        is_folder: Whether a path is a folder; a symbolic link is none.

    Returns:
        Paths from the root, without trailing slashes.

    Raises:
        ValueError: The pattern is absolute, empty, or has a component `..`.
    """
    components = [part for part in pattern.split("/") if part not in ("", ".")]
    if not components or pattern.startswith("/") or ".." in components:
        raise ValueError(f"bad pattern {pattern!r}: it is a path from the root of the repository")
    found = {""}
    for component in components[:-1]:
        if _SPECIAL.intersection(component):
            found = _step(component, found, names, is_folder)
        else:
            # What is beside a folder that is named decides nothing, so it is not asked for.
            found = {_joined(folder, component) for folder in found}
    found = _step(components[-1], found, names, is_folder)
    if pattern.endswith("/") or components[-1] == "**":
        found = {path for path in found if is_folder(path)}
    return sorted(found - {""})


def _step(
    component: str,
    folders: set[str],
    names: Callable[[str], Sequence[str]],
    is_folder: Callable[[str], bool],
) -> set[str]:
    found: set[str] = set()
    if component == "**":
        waiting = list(folders)
        while waiting:
            folder = waiting.pop()
            if folder in found:
                continue
            found.add(folder)
            below = [_joined(folder, name) for name in names(folder) if name[:1] != "."]
            waiting += [path for path in below if is_folder(path)]
        return found
    for folder in folders:
        for name in names(folder):
            if (name[:1] != "." or component[:1] == ".") and matches(name, component):
                found.add(_joined(folder, name))
    return found


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def matches(name: str, pattern: str) -> bool:
    """Whether a name matches a pattern without slashes.

    Args:
        name: The name.
        pattern: `*`, `?`, `[abc]`, `[a-z]`, `[!a-z]`; everything else stands for itself.
    """
    # Backtracks to the last star only, so the time is bounded by the product of the lengths.
    at, star, retry = 0, -1, 0
    position = 0
    while position < len(name):
        if at < len(pattern) and pattern[at] == "*":
            star, retry = at, position
            at += 1
            continue
        width = _width(pattern, at, name[position]) if at < len(pattern) else 0
        if width:
            at += width
            position += 1
        elif star >= 0:
            retry += 1
            at, position = star + 1, retry
        else:
            return False
    return pattern[at:].strip("*") == ""


def _width(pattern: str, at: int, letter: str) -> int:
    """Length of the pattern's element at `at` when it matches the letter, else 0."""
    if pattern[at] == "?":
        return 1
    end = pattern.find("]", at + 2 + (pattern[at + 1 : at + 2] == "!"))
    if pattern[at] != "[" or end < 0:
        return 1 if pattern[at] == letter else 0
    body = pattern[at + 1 : end]
    negated = body[:1] == "!"
    body = body[1:] if negated else body
    inside = False
    while body:
        if body[1:2] == "-" and len(body) > 2:
            inside |= body[0] <= letter <= body[2]
            body = body[3:]
        else:
            inside |= body[0] == letter
            body = body[1:]
    return end - at + 1 if inside is not negated else 0
