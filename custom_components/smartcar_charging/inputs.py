"""What a caller means: which car, place and window; or why it cannot be meant."""

from datetime import time
from typing import Any

from homeassistant.components.zone import ENTITY_ID_HOME
from homeassistant.const import ATTR_LOCATION, CONF_ZONE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr

from .account import SmartcarChargingConfigEntry, find_vehicle
from .const import DOMAIN
from .errors import input_error
from .models import DailyWindow, Place, time_text
from .smartcar import Location
from .vehicle import SmartcarVehicle


def resolve_time(data: dict[str, Any], field: str) -> time:
    """Return a time of day in hours and minutes."""
    value = data[field]
    if isinstance(value, int):
        raise input_error("time_needs_quotes", field=field)
    moment = time.fromisoformat(value)
    check_minutes(moment, field)
    return moment


def check_minutes(moment: time, field: str) -> None:
    """Refuse a time with seconds."""
    if moment.second or moment.microsecond:
        raise input_error("seconds_not_supported", field=field, time=moment.isoformat())


def resolve_window(start_time: time, stop_time: time) -> DailyWindow:
    """Return the window between two times of day."""
    if start_time == stop_time:
        raise input_error("equal_times", time=time_text(start_time))
    return DailyWindow(start_time=start_time, stop_time=stop_time)


def resolve_place(hass: HomeAssistant, data: dict[str, Any]) -> Place:
    """Return where a schedule applies: a zone, coordinates, or else home."""
    if ATTR_LOCATION not in data:
        return resolve_place_of_zone(hass, data.get(CONF_ZONE, ENTITY_ID_HOME))
    if CONF_ZONE in data:
        raise input_error("zone_and_location")
    location = Location.from_dict(data[ATTR_LOCATION])
    if location is None:
        raise input_error("location_out_of_range")
    return Place(zone=None, location=location)


def resolve_place_of_zone(hass: HomeAssistant, zone: str) -> Place:
    """Return where a zone is now."""
    state = hass.states.get(zone)
    if state is None:
        raise input_error("zone_not_found", zone=zone)
    location = Location.from_dict(state.attributes)
    if location is None:
        raise input_error("zone_without_coordinates", zone=zone)
    return Place(zone=zone, location=location)


def resolve_place_of_schedules(
    hass: HomeAssistant, vehicle: SmartcarVehicle, zone: str
) -> Place:
    """Return where a zone is, or was: schedules outlive the zone of their place."""
    if hass.states.get(zone) is None:
        for schedule in vehicle.data.identified_schedules:
            if schedule.place.zone == zone:
                return schedule.place
    return resolve_place_of_zone(hass, zone)


def resolve_vehicle(hass: HomeAssistant, device_id: str | None) -> SmartcarVehicle:
    """Return the car that is meant; without a device, the only one that is set up."""
    if device_id is not None:
        loaded: list[SmartcarChargingConfigEntry]
        loaded = hass.config_entries.async_loaded_entries(DOMAIN)
        for entry in loaded:
            vehicle = entry.runtime_data.vehicles_by_device.get(device_id)
            if vehicle is not None:
                return vehicle
        raise _device_error(hass, device_id)
    titles: dict[str, str] = {}
    for entry in hass.config_entries.async_entries(DOMAIN):
        for subentry in entry.subentries.values():
            titles[subentry.subentry_id] = subentry.title
    if not titles:
        raise input_error("no_vehicle")
    if len(titles) > 1:
        raise input_error("which_vehicle", vehicles=", ".join(sorted(titles.values())))
    ((key, title),) = titles.items()
    vehicle = find_vehicle(hass, key)
    if vehicle is not None:
        return vehicle
    raise input_error("not_loaded", vehicle=title)


def _device_error(hass: HomeAssistant, device_id: str) -> ServiceValidationError:
    """Return why this device cannot take the action."""
    device = dr.async_get(hass).async_get(device_id)
    if device is None:
        return input_error("device_not_found")
    name = device.name_by_user or device.name or device_id
    if any(identifier[0] == DOMAIN for identifier in device.identifiers):
        return input_error("not_loaded", vehicle=name)
    return input_error("not_a_vehicle", device=name)
