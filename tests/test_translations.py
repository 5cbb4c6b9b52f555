"""Every language says all that English says, with the same gaps."""

from collections.abc import Iterator
import json
from pathlib import Path
from typing import Any

import pytest

from tests.texts import ENGLISH, INTEGRATION, placeholders

LANGUAGES = sorted(path for path in (INTEGRATION / "translations").glob("*.json") if path.stem != "en")


def flat(texts: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Return every text with the path of its key."""
    for key, value in texts.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def test_the_languages_that_the_readme_names_are_there() -> None:
    """German, French, Norwegian, Dutch and Swedish."""
    assert [path.stem for path in LANGUAGES] == ["de", "fr", "nb", "nl", "sv"]


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_keys_and_gaps_are_those_of_english(path: Path) -> None:
    """In the same order, so that files can be read side by side."""
    english, other = dict(flat(ENGLISH)), dict(flat(json.loads(path.read_text())))
    assert list(other) == list(english)
    assert {key: placeholders(text) for key, text in other.items()} == {
        key: placeholders(text) for key, text in english.items()
    }


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_texts_keep_home_assistants_rules(path: Path) -> None:
    """No address, no gap in single quotes, nothing empty or untrimmed, and not English left as it was."""
    english, other = dict(flat(ENGLISH)), dict(flat(json.loads(path.read_text())))
    for text in other.values():
        assert text
        assert text == text.strip()
        assert "://" not in text
        assert not any(f"'{{{gap}}}'" in text for gap in placeholders(text))
    sentences = {key for key, text in english.items() if text.endswith(".")}
    assert not {key for key in sentences if other[key] == english[key]}
