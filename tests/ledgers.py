"""The files in which Home Assistant keeps what it knows of the cars."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
import json
import os
from pathlib import Path
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.smartcar_charging.const import DOMAIN
from tests.conftest import make_entry
from tests.simulator import TESLA

PLACE: Final = {
    "zone": "zone.home",
    "location": {"latitude": 32.87336, "longitude": -117.22743},
}
WINDOW: Final = {"start_time": "22:00:00", "stop_time": "23:00:00"}
EMPTY_DRAFT: Final = {
    "start_time": None,
    "stop_time": None,
    "zone": "zone.home",
    "is_edited": False,
}
# A create that is under way.
IN_PROGRESS: Final = {
    "action": "create",
    "begun_at": "2026-11-01T00:00:00+00:00",
    "place": PLACE,
    "window": WINDOW,
    "schedule_id": None,
    "outcome": None,
    "ended_at": None,
    "execution": None,
    "error": None,
    "is_told": True,
}
_ON_CAR: Final = frozenset({None, "without_id", "seen"})
# A schedule that is on the car.
ON_CAR: Final = {
    "place": PLACE,
    "asked": WINDOW,
    "window": WINDOW,
    "sent_at": "2026-11-01T00:00:00+00:00",
    "ended_at": "2026-11-01T00:00:05+00:00",
    "schedule_id": "sched_old",
    "doubt": None,
    "is_superseded": False,
    "count": 1,
    "delete_attempts": 0,
}


def path_of(hass: HomeAssistant, subentry_id: str) -> Path:
    """Return where the file of a subentry's car is."""
    return Path(hass.config.path(".storage", f"{DOMAIN}.{subentry_id}"))


def file_of(hass: HomeAssistant, entry: MockConfigEntry) -> Path:
    """Return the file of the only car of an account."""
    (subentry_id,) = entry.subentries
    return path_of(hass, subentry_id)


def stored(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, Any]:
    """Return what the file of the only car of an account holds."""
    data: dict[str, Any] = json.loads(file_of(hass, entry).read_text())["data"]
    return data


def standing_of(schedule: Mapping[str, Any]) -> str:
    """Return how a stored schedule stands on the car."""
    if schedule["is_superseded"]:
        return "superseded"
    return "on_car" if schedule["doubt"] in _ON_CAR else "possibly_on_car"


def stored_with(
    hass: HomeAssistant, entry: MockConfigEntry, standing: str
) -> list[dict[str, Any]]:
    """Return the stored schedules that stand like this."""
    schedules = stored(hass, entry)["schedules"]
    return [own for own in schedules if standing_of(own) == standing]


def stored_outcomes(hass: HomeAssistant, entry: MockConfigEntry) -> list[str | None]:
    """Return how the stored commands ended; None stands for one under way."""
    return [command["outcome"] for command in stored(hass, entry)["commands"]]


def file_with(**parts: Any) -> str:
    """Return the content of a car's file, with these parts instead of empty ones."""
    empty: dict[str, Any] = {
        "name": "Tesla Model Y 2024",
        "commands": [],
        "schedules": [],
        "draft": EMPTY_DRAFT,
        "record_lost_at": None,
    }
    return json.dumps({"version": 2, "data": empty | parts})


def asides_of(hass: HomeAssistant, entry: MockConfigEntry) -> list[Path]:
    """Return what was set aside of the file of the only car of an account."""
    path = file_of(hass, entry)
    return sorted(path.parent.glob(f"{path.name}.set_aside.*"))


async def start_with(
    hass: HomeAssistant, content: str
) -> tuple[MockConfigEntry, list[Path]]:
    """Start with this in the car's file; return its account and what was set aside."""
    entry = make_entry(TESLA)
    path = file_of(hass, entry)
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return entry, asides_of(hass, entry)


@contextmanager
def reading_held(path: Path) -> Iterator[None]:
    """Let who reads a car's file wait; who comes later finds no file."""
    path.parent.mkdir(exist_ok=True)
    os.mkfifo(path)
    with path.open("r+b", buffering=0) as pipe:
        try:
            yield
        finally:
            path.unlink()
            pipe.write(b"{}")


def files_of_ours(hass: HomeAssistant) -> list[Path]:
    """Return all files that begin with the name of the integration."""
    return sorted(Path(hass.config.path(".storage")).glob(f"{DOMAIN}.*"))


def issues_of_ours(hass: HomeAssistant) -> list[str]:
    """Return which repair issues of ours there are."""
    return sorted(
        str(issue.translation_key)
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == DOMAIN
    )


def issue_id_of(hass: HomeAssistant, key: str) -> str:
    """Return the id of the only repair issue of ours of this kind."""
    (issue_id,) = (
        issue.issue_id
        for issue in ir.async_get(hass).issues.values()
        if (issue.domain, issue.translation_key) == (DOMAIN, key)
    )
    return issue_id
