"""The examples in YAML on the pages, as a user pastes them for a car of theirs."""

from dataclasses import dataclass
import re
from typing import Any, Final

from homeassistant.util.yaml import parse_yaml

from tests.files import REPOSITORY

# The car's part of the entity ids in the examples.
CAR_ON_PAGES: Final = "tesla_model_y_2024"

_HEADING: Final = re.compile(r"^#+ .*$", re.MULTILINE)
_EXAMPLE: Final = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ENTITY_ID: Final = re.compile(
    r"\b(?:button|calendar|event|input_datetime|select|sensor|time|zone)\.[a-z0-9_]+"
)


@dataclass(frozen=True, kw_only=True)
class Example:
    """A block of YAML; `section` is the text around it."""

    section: str
    text: str

    @property
    def name(self) -> str:
        """What tells the example apart: its alias, its title, or what it calls."""
        content = self.for_car(CAR_ON_PAGES)
        for key in ("alias", "title"):
            if key in content:
                return str(content[key])
        return f"{content['action']}: {', '.join(sorted(content['data']))}"

    @property
    def names_a_car(self) -> bool:
        """Whether a part of it has to be replaced."""
        return CAR_ON_PAGES in self.text

    def for_car(self, car: str) -> dict[str, Any]:
        """Return the content, with the car's part of the entity ids replaced."""
        content = parse_yaml(self.text.replace(CAR_ON_PAGES, car))
        assert isinstance(content, dict)
        return content

    def entity_ids(self, car: str) -> set[str]:
        """Return the entities that it names, also in templates."""
        return set(_ENTITY_ID.findall(self.text.replace(CAR_ON_PAGES, car)))


def examples_on_pages() -> list[Example]:
    """Return all examples on the pages, in their order."""
    pages = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
    examples: list[Example] = []
    for page in pages:
        for section in _HEADING.split(page.read_text()):
            around = _EXAMPLE.sub("", section)
            examples += [
                Example(section=around, text=text) for text in _EXAMPLE.findall(section)
            ]
    return examples
