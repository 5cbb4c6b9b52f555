"""The files that tell others of the integration."""

import json
from typing import Any, Final

from homeassistant.util.yaml import load_yaml_dict

from tests.texts import INTEGRATION

REPOSITORY: Final = INTEGRATION.parent.parent
README: Final = (REPOSITORY / "README.md").read_text()
MANIFEST: Final[dict[str, Any]] = json.loads((INTEGRATION / "manifest.json").read_text())
ICONS: Final[dict[str, Any]] = json.loads((INTEGRATION / "icons.json").read_text())
SERVICES: Final[dict[str, Any]] = load_yaml_dict(INTEGRATION / "services.yaml")
