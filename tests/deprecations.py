"""Hears what Home Assistant says against the integration.

It says that the integration uses something which is going away, or blocks. Such words
are only logged. Python's own warnings are errors in the tests: see `filterwarnings` in
pyproject.toml.
"""

from collections.abc import Iterator
from contextlib import contextmanager
import logging
import re
from typing import Final, override

from custom_components.smartcar_charging.const import DOMAIN

_COMPLAINT: Final = re.compile(r"\b(deprecated|Detected)\b")


class _Listener(logging.Handler):
    """Keeps the complaints among all that is logged."""

    def __init__(self) -> None:
        """Begin without any."""
        super().__init__(logging.WARNING)
        self.complaints: list[str] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Keep a complaint; the integration is named in its text, or by the logger."""
        text = f"{record.name}: {record.getMessage()}"
        if DOMAIN in text and _COMPLAINT.search(text):
            self.complaints.append(text)


@contextmanager
def listen() -> Iterator[list[str]]:
    """Collect the complaints until the end of the context."""
    listener = _Listener()
    logging.getLogger().addHandler(listener)
    try:
        yield listener.complaints
    finally:
        logging.getLogger().removeHandler(listener)
