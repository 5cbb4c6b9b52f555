"""Every language says what English says, with the same gaps, by hassfest's rules."""

from collections.abc import Iterator
import json
from pathlib import Path
import re
from typing import Any, Final

from homeassistant.const import Platform
from homeassistant.helpers import config_validation as cv
import pytest
import voluptuous as vol

from tests.texts import ENGLISH, INTEGRATION, placeholders, strings

FILES = sorted((INTEGRATION / "translations").iterdir())
LANGUAGES = [path for path in FILES if path.stem != "en"]
EACH_FILE = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
EACH_LANGUAGE = pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)

_ADDRESS: Final = re.compile(r"\w://|\bwww\.", re.IGNORECASE)


def text_with_gaps(value: Any) -> str:
    """Validate a text that the code fills.

    It has no HTML, no address, no reference to another text, and no gap in quotes.
    """
    text = cv.string_with_no_html(value)
    gaps = placeholders(text)
    if not text.strip() or text.strip() != value:
        raise vol.Invalid("this is no text, or there is white space around it")
    if _ADDRESS.search(text):
        raise vol.Invalid("an address belongs into a gap")
    if "[%" in text:
        raise vol.Invalid("only Home Assistant's own texts can refer to others")
    if not all(gap.isidentifier() for gap in gaps):
        raise vol.Invalid("the name of a gap is not a name")
    if any(f"'{{{gap}}}'" in text for gap in gaps):
        raise vol.Invalid("a gap in single quotes is not filled")
    return text


def text(value: Any) -> str:
    """Validate a text that nobody fills."""
    if placeholders(str(value)):
        raise vol.Invalid("nobody fills a gap here")
    return text_with_gaps(value)


def key(value: Any) -> str:
    """Validate a key."""
    if not re.fullmatch("[a-z0-9]+(_[a-z0-9]+)*", value):
        raise vol.Invalid("a key has lower-case letters, digits and single underscores")
    return str(value)


STEP: Final = {
    vol.Required("title"): text,
    vol.Optional("description"): text_with_gaps,
    vol.Optional("data"): {key: text},
    vol.Optional("data_description"): {key: text},
    vol.Optional("menu_options"): {key: text},
    vol.Optional("menu_option_descriptions"): {key: text},
}
STEPS: Final = {vol.Required("step"): {key: STEP}}
FLOW: Final = {
    **STEPS,
    vol.Required("error"): {key: text_with_gaps},
    vol.Required("abort"): {key: text_with_gaps},
}
MAX_LETTERS_OF_CHOICE: Final = 60
# Too early, too soon, no time, a wrong time, incomplete, and a timer that is alike.
CAUSES: Final = 6
STATES: Final = {vol.Required("name"): text, vol.Optional("state"): {key: text}}
NAMED: Final = {vol.Required("name"): text, vol.Required("description"): text}
SCHEMA: Final = vol.Schema(
    {
        vol.Required("common"): {key: text},
        vol.Required("config"): FLOW,
        vol.Required("config_subentries"): {
            key: {
                **FLOW,
                vol.Required("entry_type"): text,
                vol.Required("initiate_flow"): {vol.Required("user"): text, key: text},
            }
        },
        vol.Required("entity"): {
            vol.In(list(Platform)): {
                key: {**STATES, vol.Optional("state_attributes"): {key: STATES}}
            }
        },
        vol.Required("exceptions"): {key: {vol.Required("message"): text_with_gaps}},
        vol.Required("issues"): {
            key: {
                vol.Required("title"): text_with_gaps,
                vol.Exclusive("description", "body"): text_with_gaps,
                vol.Exclusive("fix_flow", "body"): {
                    **STEPS,
                    vol.Optional("progress"): {key: text},
                    vol.Required("abort"): {key: text},
                },
            }
        },
        vol.Required("selector"): {key: {vol.Required("options"): {key: text}}},
        vol.Required("services"): {
            key: {
                **NAMED,
                vol.Required("fields"): {key: NAMED},
                vol.Optional("sections"): {key: {vol.Required("name"): text}},
            }
        },
    }
)


def flat(texts: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Return every text with the path of its key."""
    for key, value in texts.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def pages_of_repairs(path: Path) -> list[dict[str, Any]]:
    """Return the pages of all dialogs about repairs in a language."""
    issues = json.loads(path.read_text())["issues"]
    flows = [issue["fix_flow"] for issue in issues.values() if "fix_flow" in issue]
    return [page for flow in flows for page in flow["step"].values()]


def test_the_languages_that_the_readme_names_are_there() -> None:
    """German, French, Norwegian, Dutch and Swedish."""
    assert [path.name for path in LANGUAGES] == [
        "de.json",
        "fr.json",
        "nb.json",
        "nl.json",
        "sv.json",
    ]


@EACH_FILE
def test_texts_keep_home_assistants_rules(path: Path) -> None:
    """No stray key at any level, and each text as the place that shows it takes it."""
    SCHEMA(json.loads(path.read_text()))


@EACH_LANGUAGE
def test_keys_and_gaps_are_those_of_english(path: Path) -> None:
    """In the same order, so that files can be read side by side."""
    english, other = dict(flat(ENGLISH)), dict(flat(json.loads(path.read_text())))
    assert list(other) == list(english)
    assert {key: placeholders(text) for key, text in other.items()} == {
        key: placeholders(text) for key, text in english.items()
    }


@EACH_LANGUAGE
def test_nothing_was_left_in_english(path: Path) -> None:
    """No sentence is the same in two languages."""
    english, other = dict(flat(ENGLISH)), dict(flat(json.loads(path.read_text())))
    sentences = {key for key, text in english.items() if text.endswith(".")}
    assert not {key for key in sentences if other[key] == english[key]}


@EACH_FILE
def test_pages_of_repairs_link_to_the_documentation(path: Path) -> None:
    """Home Assistant shows no link of its own in a dialog, nor in a notification."""
    issues = json.loads(path.read_text())["issues"]
    pages = [issues["left_on_car"], *pages_of_repairs(path)]
    assert [page for page in pages if "]({docs_url})" not in page["description"]] == []


@EACH_FILE
def test_choices_of_repairs_are_not_cut(path: Path) -> None:
    """A row of a menu has no room for more, and what it costs stands at the end."""
    pages = pages_of_repairs(path)
    choices = [text for page in pages for text in strings(page.get("menu_options", {}))]
    assert [choice for choice in choices if len(choice) > MAX_LETTERS_OF_CHOICE] == []


@pytest.mark.parametrize(
    ("language", "word"),
    [
        ("de", "oder"),
        ("en", "or"),
        ("fr", "ou"),
        ("nb", "eller"),
        ("nl", "of"),
        ("sv", "eller"),
    ],
)
def test_all_causes_of_an_unclear_reading_are_named(language: str, word: str) -> None:
    """Who pays for another one has to know that it may be in vain."""
    texts = json.loads((INTEGRATION / "translations" / f"{language}.json").read_text())
    steps = texts["issues"]["unsettled_schedules"]["fix_flow"]["step"]
    causes = steps["unclear"]["description"].split("\n\n")[1]
    assert len(re.findall(rf"\b{word}\b", causes)) == CAUSES - 1
