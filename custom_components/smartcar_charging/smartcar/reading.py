"""Tolerant readers of JSON values: what is not of the wanted kind counts as missing."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

MAX_TEXT_LENGTH: Final = 100
MAX_NUMBER: Final = 1e15
MIN_MILLISECONDS: Final = 1e11


def member(value: Any, *path: str) -> Any:
    """Return what is at the end of a path of keys; None where the path breaks off."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def as_list(value: Any) -> Sequence[Any]:
    """Return the value if it is a list, else an empty one."""
    if isinstance(value, list):
        return value
    return ()


def as_text(value: Any, *, max_length: int = MAX_TEXT_LENGTH) -> str | None:
    """Return a text that says something: on one line, and cut to the length."""
    if not isinstance(value, str):
        return None
    # Headers and JSON escapes can hold lone surrogates, which no file takes.
    writable = value.encode(errors="replace").decode()
    one_line = " ".join(writable.split())
    return one_line[:max_length] or None


def as_texts(value: Any) -> tuple[str, ...]:
    """Return the texts in a list."""
    texts = []
    for item in as_list(value):
        text = as_text(item)
        if text is not None:
            texts.append(text)
    return tuple(texts)


def as_number(value: Any) -> float | None:
    """Return the value if it is a finite number of a sane size."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # A comparison with NaN is false.
    if -MAX_NUMBER < value < MAX_NUMBER:
        return value
    return None


def as_moment(value: Any) -> datetime | None:
    """Return an instant: ISO 8601 with an offset, or an epoch in s or ms, as UTC."""
    try:
        seconds = as_number(value)
        if seconds is not None:
            if seconds >= MIN_MILLISECONDS:
                seconds = seconds / 1000
            return datetime.fromtimestamp(seconds, UTC)
        if not isinstance(value, str):
            return None
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            return None
        return moment.astimezone(UTC)
    except OSError, OverflowError, ValueError:
        return None
