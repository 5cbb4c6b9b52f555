"""Prints what Home Assistant's base parts ask for beyond its package.

Home Assistant would install this by itself at its start. Without it the user
interface does not come up, since some entity platforms can not even be listed.
"""

import json
from pathlib import Path

import homeassistant
from homeassistant.const import Platform

_COMPONENTS = Path(homeassistant.__path__[0]) / "components"
_CONFIGURED = (
    "api",
    "automation",
    "config",
    "frontend",
    "history",
    "logbook",
    "script",
)


def requirements(component: str, seen: set[str]) -> set[str]:
    """Return the requirements of a component and of those that it depends on."""
    if component in seen:
        return set()
    seen.add(component)
    manifest = json.loads((_COMPONENTS / component / "manifest.json").read_text())
    found = set(manifest.get("requirements", ()))
    for dependency in manifest.get("dependencies", ()):
        found |= requirements(dependency, seen)
    return found


def main() -> None:
    """Print one requirement on each line."""
    seen: set[str] = set()
    found: set[str] = set()
    for component in (*_CONFIGURED, *Platform):
        found |= requirements(component, seen)
    print("\n".join(sorted(found)))


if __name__ == "__main__":
    main()
