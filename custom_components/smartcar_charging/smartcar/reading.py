"""Tolerant readers of JSON values: what is not of the wanted kind counts as missing."""

from collections.abc import Mapping
from typing import Any, Final

_EMPTY: Final[Mapping[str, Any]] = {}
_LARGEST_NUMBER: Final = 1e15


def as_mapping(value: Any) -> Mapping[str, Any]:
    """Return the value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else _EMPTY


def as_text(value: Any, *, longest: int = 100) -> str | None:
    """Return the value on one line and of bearable length, if it is a text that says something."""
    if not isinstance(value, str):
        return None
    # Headers and JSON escapes can hold lone surrogates, which no file takes: a record with one could not be written.
    writable = value.encode(errors="replace").decode()
    return " ".join(writable.split())[:longest] or None


def as_number(value: Any) -> float | None:
    """Return the value if it is a finite number of a sane size."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _LARGEST_NUMBER:
        return None
    return value
