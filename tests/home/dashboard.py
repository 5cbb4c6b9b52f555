"""The README's dashboard card, put where a person sees it."""

from pathlib import Path
import re
from typing import Any, Final

from homeassistant.util.yaml import parse_yaml

from .api import HomeAssistantApi

_README: Final = Path(__file__).resolve().parent.parent.parent / "README.md"
_CARD: Final = re.compile(
    r"^## Dashboard\n.*?^```yaml\n(.*?)^```$", re.DOTALL | re.MULTILINE
)
_PATH: Final = "the-car"


def read_card() -> Any:
    """Return the card of the README's section about dashboards."""
    found = _CARD.search(_README.read_text(encoding="utf-8"))
    if found is None:
        raise RuntimeError("README.md has no card in a section named Dashboard")
    return parse_yaml(found[1])


async def show_card(home: HomeAssistantApi) -> str:
    """Make a dashboard of the card, have it opened first, and return its address."""
    await home.command(
        "lovelace/dashboards/create",
        url_path=_PATH,
        title="Car",
        icon="mdi:ev-station",
        mode="storage",
    )
    await home.command(
        "lovelace/config/save",
        url_path=_PATH,
        config={"views": [{"cards": [read_card()]}]},
    )
    await home.command(
        "frontend/set_system_data", key="core", value={"default_panel": _PATH}
    )
    return f"{home.url}/{_PATH}"
