"""What a caller means: which car, place and window; or why it cannot be meant."""

from collections import Counter
from datetime import time
import re
from typing import Any, Final

from homeassistant.components.zone import ENTITY_ID_HOME
from homeassistant.components.zone.const import DOMAIN as ZONE_DOMAIN
from homeassistant.const import (
    ATTR_DEVICE_ID,
    ATTR_LATITUDE,
    ATTR_LOCATION,
    ATTR_LONGITUDE,
    CONF_ZONE,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.translation import async_get_translations

from .account import (
    KnownVehicle,
    SmartcarChargingConfigEntry,
    find_known_vehicles,
    find_vehicle,
)
from .const import DOMAIN
from .errors import input_error
from .models import DailyWindow, Place, time_text
from .smartcar import Location
from .vehicle import SmartcarVehicle

_TIME: Final = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?")


async def async_resolve_time(
    hass: HomeAssistant, data: dict[str, Any], field: str
) -> time:
    """Return a time of day in hours and minutes."""
    value = data[field]
    name = await _async_name_of_field(hass, field)
    if isinstance(value, int) and not isinstance(value, bool):
        raise input_error("time_needs_quotes", field=name)
    if isinstance(value, str) and _TIME.fullmatch(value):
        value = time.fromisoformat(value)
    if not isinstance(value, time) or value.tzinfo is not None:
        raise input_error("not_a_time", field=name, value=str(value))
    check_minutes(value, name)
    return value


def check_minutes(moment: time, name: str) -> None:
    """Refuse a time with seconds; the name is that of its field on the page."""
    if moment.second or moment.microsecond:
        raise input_error("seconds_not_supported", field=name, time=moment.isoformat())


async def _async_name_of_field(hass: HomeAssistant, field: str) -> str:
    """Return what the action's form calls a field, in Home Assistant's language."""
    language = hass.config.language
    words = await async_get_translations(hass, language, "services", [DOMAIN])
    fields = f"component.{DOMAIN}.services.set_daily_charge_schedule.fields"
    return words[f"{fields}.{field}.name"]


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
    given = data[ATTR_LOCATION]
    location = Location.from_dict(
        {
            ATTR_LATITUDE: _as_number(given[ATTR_LATITUDE]),
            ATTR_LONGITUDE: _as_number(given[ATTR_LONGITUDE]),
        }
    )
    if location is None:
        raise input_error("location_out_of_range")
    return Place(zone=None, location=location)


def _as_number(value: Any) -> float | None:
    """Return a number, also one that is written as a text."""
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except OverflowError, TypeError, ValueError:
        return None


def resolve_place_of_zone(hass: HomeAssistant, zone: str) -> Place:
    """Return where a zone is now."""
    state = hass.states.get(zone)
    if state is None or state.domain != ZONE_DOMAIN:
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


def resolve_vehicle(hass: HomeAssistant, data: dict[str, Any]) -> SmartcarVehicle:
    """Return the car that is meant; without a device, the only one that is set up."""
    if ATTR_DEVICE_ID not in data:
        return _resolve_only_vehicle(hass)
    device_ids = {device_id for device_id in data[ATTR_DEVICE_ID] if device_id}
    if not device_ids:
        # A template that found nothing does not mean the only car.
        raise input_error("no_device_given")
    if len(device_ids) > 1:
        raise input_error("several_devices")
    (device_id,) = device_ids
    loaded: list[SmartcarChargingConfigEntry]
    loaded = hass.config_entries.async_loaded_entries(DOMAIN)
    for entry in loaded:
        vehicle = entry.runtime_data.vehicles_by_device.get(device_id)
        if vehicle is not None:
            return vehicle
    raise _device_error(hass, device_id)


def _resolve_only_vehicle(hass: HomeAssistant) -> SmartcarVehicle:
    """Return the only car; those of accounts that are not loaded count too."""
    known = find_known_vehicles(hass)
    if not known:
        raise input_error("no_vehicle")
    if len(known) > 1:
        raise input_error("which_vehicle", vehicles=", ".join(_told_apart(known)))
    vehicle = find_vehicle(hass, known[0].key)
    if vehicle is None:
        raise input_error("not_loaded", vehicle=known[0].name)
    return vehicle


def _told_apart(known: list[KnownVehicle]) -> list[str]:
    """Return the names of cars, with the device's id where two are alike."""
    count = Counter(vehicle.name for vehicle in known)
    names = [
        vehicle.name
        if count[vehicle.name] == 1
        else f"{vehicle.name} ({ATTR_DEVICE_ID}: {vehicle.device_id})"
        for vehicle in known
    ]
    return sorted(names)


def _device_error(hass: HomeAssistant, device_id: str) -> ServiceValidationError:
    """Return why this device cannot take the action."""
    device = dr.async_get(hass).async_get(device_id)
    if device is None:
        return input_error("device_not_found")
    name = device.name_by_user or device.name or device_id
    if any(identifier[0] == DOMAIN for identifier in device.identifiers):
        return input_error("not_loaded", vehicle=name)
    return input_error("not_a_vehicle", device=name)
