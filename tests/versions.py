"""Which Home Assistant is `newest`, `floor` and `next`: pyproject.toml pins them."""

from pathlib import Path
import tomllib
from typing import Final

_PROJECT: Final = Path(__file__).resolve().parent.parent / "pyproject.toml"
_PIN: Final = "homeassistant=="


def version_of(name: str) -> str:
    """Return the version that has a name; any other name is a version itself."""
    groups = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["dependency-groups"]
    (pin,) = (
        pin for pin in groups.get(name, [f"{_PIN}{name}"]) if pin.startswith(_PIN)
    )
    return str(pin.removeprefix(_PIN))
