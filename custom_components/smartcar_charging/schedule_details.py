"""What is told of a schedule: by the sensor, and by a response."""

from collections.abc import Iterable
from typing import Any

from homeassistant.core import HomeAssistant

from .models import Place, Schedule, time_text
from .smartcar import Location


class ZoneFinder:
    """Finds the zones that are now where schedules apply: by coordinates alone."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Initialize with the zones as they are now."""
        self._zones: dict[str, Place] = {}
        # Many schedules are at one place, and a distance is expensive.
        self._found: dict[Location, list[str]] = {}
        for state in hass.states.async_all("zone"):
            zone = state.entity_id
            location = Location.from_dict(state.attributes)
            if location is not None:
                self._zones[zone] = Place(zone=zone, location=location)

    def zones_of(self, schedule: Schedule) -> list[str]:
        """Return the zones that are where a schedule applies."""
        place = schedule.place
        if place.location not in self._found:
            zones = [zone for zone, at in self._zones.items() if at.is_same(place)]
            self._found[place.location] = sorted(zones)
        return [*self._found[place.location]]

    def zones_of_any(self, schedules: Iterable[Schedule]) -> list[str]:
        """Return the zones that are where at least one of these schedules applies."""
        zones: set[str] = set()
        for schedule in schedules:
            zones.update(self.zones_of(schedule))
        return sorted(zones)


def describe_details(schedule: Schedule, finder: ZoneFinder) -> dict[str, Any]:
    """Return what is told of a schedule, as JSON has it."""
    return {
        "schedule_id": schedule.schedule_id,
        "standing": schedule.standing.value,
        "start_time": time_text(schedule.window.start_time),
        "stop_time": time_text(schedule.window.stop_time),
        "asked_start_time": time_text(schedule.asked.start_time),
        "asked_stop_time": time_text(schedule.asked.stop_time),
        "zone": schedule.place.zone,
        "zones": finder.zones_of(schedule),
        "location": schedule.place.location.as_dict(),
        "sent_at": schedule.sent_at.isoformat(),
        "ended_at": schedule.ended_at.isoformat(),
        "count": schedule.count,
    }
