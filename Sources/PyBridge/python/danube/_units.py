"""Durations and quantities as danubefiles write them. Not needed, so not loaded, by a dry run."""

from __future__ import annotations

_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_BYTES = {
    "": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40,
}  # fmt: skip


def seconds(value: float | str) -> float:
    """Seconds of a duration: a number of them, or text such as "90s", "10m", "1h30m".

    Args:
        value: The duration. Units of text are d, h, m, s, ms, from large to small.

    Raises:
        TypeError: It is neither number nor text.
        ValueError: It is not positive, or not written like this.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        total = float(value)
    elif isinstance(value, str):
        total = _parsed(value)
    else:
        raise TypeError(f"a duration is a number of seconds or text, not {type(value).__name__}")
    if not 0 < total < float("inf"):
        raise ValueError(f"a duration must be more than 0: {value!r}")
    return total


def _parsed(text: str) -> float:
    total, rest, allowed = 0.0, text, list(_SECONDS)
    while rest:
        number, rest = _split(rest, "0123456789.")
        unit, rest = _split(rest, "dhms")
        if unit not in allowed or not _is_number(number):
            raise ValueError(f"bad duration {text!r}: write seconds, or text like \"1h30m\"")
        allowed = allowed[allowed.index(unit) + 1 :]
        total += float(number) * _SECONDS[unit]
    return total


def cpu_milli(value: float | str) -> int:
    """Thousandths of a core: of `0.5`, `"2"` or `"500m"`.

    Args:
        value: Cores as a number, or text with an optional `m` for thousandths.

    Raises:
        ValueError: It is not positive, or not written like this.
    """
    text = str(value)
    number, unit = _split(text, "0123456789.")
    if unit not in ("", "m") or not _is_number(number):
        raise ValueError(f"bad cpu {value!r}: write cores such as 0.5 or thousandths as \"500m\"")
    milli = round(float(number) * (1 if unit else 1000))
    if milli <= 0:
        raise ValueError(f"cpu must be more than 0: {value!r}")
    return milli


def size_bytes(value: int | str) -> int:
    """Bytes of `1048576`, `"512Mi"`, `"2Gi"` or `"1.5G"`.

    Args:
        value: Bytes as a number, or text with a unit: k M G T (thousands), Ki Mi Gi Ti (1024).

    Raises:
        ValueError: It is not positive, or not written like this.
    """
    number, unit = _split(str(value), "0123456789.")
    if unit not in _BYTES or not _is_number(number):
        raise ValueError(f"bad size {value!r}: write bytes, or a unit as in \"512Mi\" or \"2Gi\"")
    size = round(float(number) * _BYTES[unit])
    if size <= 0:
        raise ValueError(f"a size must be more than 0: {value!r}")
    return size


def _split(text: str, letters: str) -> tuple[str, str]:
    rest = text.lstrip(letters)
    return text[: len(text) - len(rest)], rest


def _is_number(text: str) -> bool:
    return text.count(".") <= 1 and text.strip(".") != ""
