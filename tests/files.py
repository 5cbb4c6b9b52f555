"""The files that tell others of the integration."""

from collections.abc import Iterator, Mapping
import json
from typing import Any, Final

from homeassistant.util.yaml import load_yaml_dict

from tests.texts import INTEGRATION

REPOSITORY: Final = INTEGRATION.parent.parent
README: Final = (REPOSITORY / "README.md").read_text()
MANIFEST: Final[dict[str, Any]] = json.loads(
    (INTEGRATION / "manifest.json").read_text()
)
ICONS: Final[dict[str, Any]] = json.loads((INTEGRATION / "icons.json").read_text())
SERVICES: Final[dict[str, Any]] = load_yaml_dict(INTEGRATION / "services.yaml")


def fields(action: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Return the fields of an action, those in sections too."""
    for name, field in action["fields"].items():
        if "fields" in field:
            yield from field["fields"].items()
        else:
            yield name, field
