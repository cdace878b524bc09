"""Text that a stranger wrote. Loaded when there is some."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import SupportsIndex


class Untrusted(str):
    """Text that a stranger wrote, such as the title of a fork's pull request.

    It is a `str`, and what is made of it stays untrusted. Handed to a step in `env={…}` it is
    harmless; inside a script for `/bin/sh` it is a diagnostic, because the shell would run what
    it contains.
    """

    __slots__ = ()

    def __str__(self) -> Untrusted:
        return self

    def __format__(self, spec: str) -> Untrusted:
        return Untrusted(super().__format__(spec))

    def __add__(self, other: str) -> Untrusted:
        return Untrusted(super().__add__(other))

    def __radd__(self, other: str) -> Untrusted:
        return Untrusted(other.__add__(self))

    def __mul__(self, count: SupportsIndex) -> Untrusted:
        return Untrusted(super().__mul__(count))

    def __mod__(self, other: object) -> Untrusted:
        return Untrusted(super().__mod__(other))

    def __rmod__(self, other: str) -> Untrusted:
        return Untrusted(other % super().__str__())

    def __getitem__(self, key: SupportsIndex | slice) -> Untrusted:
        return Untrusted(super().__getitem__(key))

    def lower(self) -> Untrusted:
        return Untrusted(super().lower())

    def upper(self) -> Untrusted:
        return Untrusted(super().upper())

    def strip(self, chars: str | None = None, /) -> Untrusted:
        return Untrusted(super().strip(chars))

    def lstrip(self, chars: str | None = None, /) -> Untrusted:
        return Untrusted(super().lstrip(chars))

    def rstrip(self, chars: str | None = None, /) -> Untrusted:
        return Untrusted(super().rstrip(chars))

    def replace(self, old: str, new: str, count: SupportsIndex = -1, /) -> Untrusted:
        return Untrusted(super().replace(old, new, count))

    def removeprefix(self, prefix: str, /) -> Untrusted:
        return Untrusted(super().removeprefix(prefix))

    def removesuffix(self, suffix: str, /) -> Untrusted:
        return Untrusted(super().removesuffix(suffix))

    def split(self, sep: str | None = None, maxsplit: SupportsIndex = -1) -> list[str]:
        return [Untrusted(part) for part in super().split(sep, maxsplit)]

    def splitlines(self, keepends: bool = False) -> list[str]:
        return [Untrusted(line) for line in super().splitlines(keepends)]
