"""What a call of an action means: which car, which place, which time; or why it can not mean anything."""

from typing import Any

from homeassistant.components.zone import ENTITY_ID_HOME
from homeassistant.const import ATTR_LOCATION, CONF_ZONE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr

from .account import SmartcarChargingConfigEntry
from .const import DOMAIN
from .records import Place
from .smartcar import Location
from .vehicle import Vehicle


def resolve_time(data: dict[str, Any], field: str) -> str:
    """Return a time as `HH:MM`."""
    value = data[field]
    if isinstance(value, int):
        raise invalid_input("time_needs_quotes", field=field)
    minute, seconds = value[:5], value[5:]
    if seconds not in ("", ":00"):
        raise invalid_input("seconds_not_supported", field=field, time=value)
    return str(minute)


def check_window(start: str, stop: str) -> None:
    """Refuse a window that is none."""
    if start == stop:
        raise invalid_input("equal_times", time=start)


def resolve_place(hass: HomeAssistant, data: dict[str, Any]) -> Place:
    """Return where the schedule applies: a zone, coordinates, or else home."""
    if ATTR_LOCATION not in data:
        return resolve_place_of_zone(hass, data.get(CONF_ZONE, ENTITY_ID_HOME))
    if CONF_ZONE in data:
        raise invalid_input("zone_and_location")
    if (location := Location.from_dict(data[ATTR_LOCATION])) is None:
        raise invalid_input("location_out_of_range")
    return Place(zone=None, location=location)


def resolve_place_of_zone(hass: HomeAssistant, zone: str) -> Place:
    """Return where a zone is now."""
    if (state := hass.states.get(zone)) is None:
        raise invalid_input("zone_not_found", zone=zone)
    if (location := Location.from_dict(state.attributes)) is None:
        raise invalid_input("zone_without_coordinates", zone=zone)
    return Place(zone=zone, location=location)


def resolve_place_of_schedules(
    hass: HomeAssistant, vehicle: Vehicle, zone: str
) -> Place:
    """Return where a zone is, or was: schedules outlive the zone that they were set for."""
    if hass.states.get(zone) is None:
        for schedule in vehicle.schedules:
            if schedule.place.zone == zone:
                return schedule.place
    return resolve_place_of_zone(hass, zone)


def resolve_vehicle(hass: HomeAssistant, device_id: str | None) -> Vehicle:
    """Return the car that is meant; without a device, the only one that is set up."""
    entries: list[SmartcarChargingConfigEntry] = hass.config_entries.async_entries(
        DOMAIN
    )
    loaded: list[SmartcarChargingConfigEntry] = (
        hass.config_entries.async_loaded_entries(DOMAIN)
    )
    if device_id is not None:
        for entry in loaded:
            if vehicle := entry.runtime_data.vehicles_by_device.get(device_id):
                return vehicle
        raise _device_error(hass, device_id)
    cars = [
        (entry, subentry) for entry in entries for subentry in entry.subentries.values()
    ]
    if not cars:
        raise invalid_input("no_vehicle")
    if len(cars) > 1:
        raise invalid_input(
            "which_vehicle",
            vehicles=", ".join(sorted(subentry.title for _, subentry in cars)),
        )
    entry, subentry = cars[0]
    if entry not in loaded or not (
        vehicle := entry.runtime_data.vehicles.get(subentry.subentry_id)
    ):
        raise invalid_input("not_loaded", vehicle=subentry.title)
    return vehicle


def _device_error(hass: HomeAssistant, device_id: str) -> ServiceValidationError:
    """Return why this device can not take the action."""
    if (device := dr.async_get(hass).async_get(device_id)) is None:
        return invalid_input("device_not_found")
    name = device.name_by_user or device.name or device_id
    if any(identifier[0] == DOMAIN for identifier in device.identifiers):
        return invalid_input("not_loaded", vehicle=name)
    return invalid_input("not_a_vehicle", device=name)


def invalid_input(key: str, **placeholders: str) -> ServiceValidationError:
    """Return the translated error for an input that can not be meant."""
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=placeholders,
    )
