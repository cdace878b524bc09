"""Source text of the repository, as Python and as a reviewer must see it."""

from __future__ import annotations

TYPE_CHECKING = False

_BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"


class SourceError(Exception):
    """A file that is refused before it is parsed."""

    def __init__(self, code: str, message: str, hint: str, line: int, column: int) -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint
        self.line = line
        self.column = column


def decode(data: bytes, filename: str) -> str:
    """The text of a source file, which must be UTF-8 and show what it does.

    Raises SourceError.
    """
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        raise SourceError(
            "DNB102", f"`{filename}` is not UTF-8", "Save the file as UTF-8.", line, column
        ) from None
    for number, line_text in enumerate(text.split("\n", 2)[:2], 1):
        cookie = _cookie(line_text)
        if cookie not in (None, "utf-8", "utf8"):
            raise SourceError(
                "DNB102",
                f"The file declares the encoding `{cookie}`; only UTF-8 is read",
                "Remove the coding comment and save the file as UTF-8.",
                number,
                1,
            )
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise SourceError("DNB101", "The file contains a NUL byte", "Remove it.", line, 1)
    if not text.isascii():
        for index, character in enumerate(text):
            if character in _BIDI:
                start = text.rfind("\n", 0, index) + 1
                raise SourceError(
                    "DNB114",
                    f"U+{ord(character):04X} changes the direction of text, so that what is read "
                    "is not what runs",
                    "Remove the character.",
                    text.count("\n", 0, index) + 1,
                    len(text[start:index].encode()) + 1,
                )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _cookie(line: str) -> str | None:
    """Encoding that a line declares (PEP 263)."""
    stripped = line.lstrip(" \t\f")
    if not stripped.startswith("#"):
        return None
    at = stripped.find("coding")
    if at < 0 or stripped[at + 6 : at + 7] not in (":", "="):
        return None
    name = stripped[at + 7 :].lstrip(" \t")
    end = 0
    while end < len(name) and (name[end].isalnum() or name[end] in "-_."):
        end += 1
    return name[:end].lower().replace("_", "-") or None
