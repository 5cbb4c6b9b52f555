"""Tolerant readers of JSON values: what is not of the wanted kind counts as missing."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

_MILLISECONDS_FROM: Final = 1e11
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
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not abs(value) < _LARGEST_NUMBER
    ):
        return None
    return value


def as_list(value: Any) -> Sequence[Any]:
    """Return the value if it is a list, else an empty one."""
    return value if isinstance(value, list) else ()


def as_moment(value: Any) -> datetime | None:
    """Return an instant: Smartcar writes ISO 8601, and epochs in seconds or milliseconds."""
    try:
        if (number := as_number(value)) is not None:
            return datetime.fromtimestamp(
                number / 1000 if number >= _MILLISECONDS_FROM else number, UTC
            )
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        return (
            None if moment is None or moment.tzinfo is None else moment.astimezone(UTC)
        )
    except OSError, OverflowError, ValueError:
        return None
