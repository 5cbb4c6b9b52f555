"""The actions: shape by schema, then the car, the place and the window; all of it before anything is sent."""

from datetime import time
import re
from typing import Any, Final

from homeassistant.components.zone import ENTITY_ID_HOME
from homeassistant.const import ATTR_DEVICE_ID, ATTR_LATITUDE, ATTR_LOCATION, ATTR_LONGITUDE, CONF_ZONE
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.util.json import JsonObjectType
import voluptuous as vol

from .account import SmartcarChargingConfigEntry
from .const import DOMAIN
from .records import Place, Record
from .smartcar import DailySchedule, Location, is_valid_id
from .vehicle import Vehicle

SERVICE_SET_DAILY_CHARGE_SCHEDULE: Final = "set_daily_charge_schedule"
SERVICE_DELETE_CHARGE_SCHEDULE: Final = "delete_charge_schedule"

ATTR_REPLACE: Final = "replace"
ATTR_SCHEDULE_ID: Final = "schedule_id"
ATTR_START_TIME: Final = "start_time"
ATTR_STOP_TIME: Final = "stop_time"

_TIME: Final = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?")
_MINUTES_OF_A_DAY: Final = 24 * 60


def _time(value: Any) -> str | int:
    """Validate the shape of a time; a number passes, for the handler to explain where it came from."""
    if isinstance(value, time):
        value = value.isoformat()
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise vol.Invalid('expected a time of day such as "23:30"')
    return value


def _coordinate(value: Any) -> float:
    """Validate the shape of a coordinate; the handler judges its meaning."""
    if isinstance(value, bool):
        raise vol.Invalid("expected a number")
    try:
        return float(value)
    except (OverflowError, TypeError, ValueError) as err:
        raise vol.Invalid("expected a number") from err


SET_DAILY_CHARGE_SCHEDULE_SCHEMA: Final = vol.Schema(
    {
        vol.Optional(ATTR_DEVICE_ID): cv.string,
        vol.Optional(CONF_ZONE): cv.entity_domain("zone"),
        # A radius that a location selector adds is dropped: Smartcar takes none.
        vol.Optional(ATTR_LOCATION): vol.Schema(
            {vol.Required(ATTR_LATITUDE): _coordinate, vol.Required(ATTR_LONGITUDE): _coordinate, "radius": object}
        ),
        vol.Required(ATTR_START_TIME): _time,
        vol.Required(ATTR_STOP_TIME): _time,
        vol.Optional(ATTR_REPLACE, default=True): cv.boolean,
    }
)

DELETE_CHARGE_SCHEDULE_SCHEMA: Final = vol.Schema(
    {
        vol.Optional(ATTR_DEVICE_ID): cv.string,
        vol.Optional(ATTR_SCHEDULE_ID): cv.string,
        vol.Optional(CONF_ZONE): cv.entity_domain("zone"),
    }
)


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    hass.services.async_register(
        DOMAIN,
        SERVICE_SET_DAILY_CHARGE_SCHEDULE,
        _async_set_daily_charge_schedule,
        schema=SET_DAILY_CHARGE_SCHEDULE_SCHEMA,
        supports_response=SupportsResponse.OPTIONAL,
    )
    hass.services.async_register(
        DOMAIN,
        SERVICE_DELETE_CHARGE_SCHEDULE,
        _async_delete_charge_schedule,
        schema=DELETE_CHARGE_SCHEDULE_SCHEMA,
        supports_response=SupportsResponse.OPTIONAL,
    )


async def _async_set_daily_charge_schedule(call: ServiceCall) -> ServiceResponse:
    """Set a daily charge schedule."""
    start, stop = _minute(call.data, ATTR_START_TIME), _minute(call.data, ATTR_STOP_TIME)
    if start == stop:
        raise _invalid("equal_times", time=start)
    place = _place(call.hass, call.data)
    vehicle = _vehicle(call.hass, call.data.get(ATTR_DEVICE_ID))
    outcome = await vehicle.async_set_daily_schedule(
        DailySchedule(location=place.location, start_time=start, stop_time=stop),
        place.zone,
        replaces=call.data[ATTR_REPLACE],
    )
    record = outcome.record
    return {
        **_response(record),
        "location": None if record.location is None else {**record.location.as_dict()},
        "start_time": record.start_time,
        "stop_time": record.stop_time,
        **_window(record.start_time or start, record.stop_time or stop),
        "replaced_schedule_ids": list(outcome.removed),
        "not_replaced_schedule_ids": list(outcome.not_removed),
        "warnings": list(outcome.warnings),
    }


async def _async_delete_charge_schedule(call: ServiceCall) -> ServiceResponse:
    """Delete one charge schedule, or those that Home Assistant set at a zone."""
    schedule_id: str | None = call.data.get(ATTR_SCHEDULE_ID)
    zone: str | None = call.data.get(CONF_ZONE)
    if (schedule_id is None) == (zone is None):
        raise _invalid("schedule_id_or_zone")
    if schedule_id is not None and not is_valid_id(schedule_id):
        raise _invalid("invalid_schedule_id")
    vehicle = _vehicle(call.hass, call.data.get(ATTR_DEVICE_ID))
    if schedule_id is not None:
        outcome = await vehicle.async_delete_schedule(schedule_id)
    else:
        outcome = await vehicle.async_delete_schedules_at(_place_of_schedules(call.hass, vehicle, str(zone)))
    return {
        **_response(outcome.record),
        "deleted_schedule_ids": list(outcome.removed),
        "warnings": list(outcome.warnings),
    }


def _response(record: Record) -> JsonObjectType:
    """Return what Smartcar said of the execution."""
    return {
        "execution_id": record.execution_id,
        "schedule_id": record.schedule_id,
        "action": record.action.value,
        "schedule_type": record.schedule_type,
        "status": record.status,
        "execution_mode": record.execution_mode,
        "executed_at": record.executed_at,
        "completed_at": record.completed_at,
        "duration_seconds": record.duration_seconds,
        "request_id": record.request_id,
    }


def _window(start: str, stop: str) -> JsonObjectType:
    """Return how long a window is, and whether it ends on the next day."""
    start_minute, stop_minute = (int(text[:2]) * 60 + int(text[3:]) for text in (start, stop))
    return {
        "duration_minutes": (stop_minute - start_minute) % _MINUTES_OF_A_DAY,
        "crosses_midnight": stop_minute < start_minute,
    }


def _minute(data: dict[str, Any], field: str) -> str:
    """Return a time as `HH:MM`."""
    value = data[field]
    if isinstance(value, int):
        raise _invalid("time_needs_quotes", field=field)
    minute, seconds = value[:5], value[5:]
    if seconds not in ("", ":00"):
        raise _invalid("seconds_not_supported", field=field, time=value)
    return str(minute)


def _place(hass: HomeAssistant, data: dict[str, Any]) -> Place:
    """Return where the schedule applies: a zone, coordinates, or else home."""
    if ATTR_LOCATION not in data:
        return _place_of_zone(hass, data.get(CONF_ZONE, ENTITY_ID_HOME))
    if CONF_ZONE in data:
        raise _invalid("zone_and_location")
    if (location := Location.from_dict(data[ATTR_LOCATION])) is None:
        raise _invalid("location_out_of_range")
    return Place(zone=None, location=location)


def _place_of_zone(hass: HomeAssistant, zone: str) -> Place:
    """Return where a zone is now."""
    if (state := hass.states.get(zone)) is None:
        raise _invalid("zone_not_found", zone=zone)
    if (location := Location.from_dict(state.attributes)) is None:
        raise _invalid("zone_without_coordinates", zone=zone)
    return Place(zone=zone, location=location)


def _place_of_schedules(hass: HomeAssistant, vehicle: Vehicle, zone: str) -> Place:
    """Return where a zone is, or was: schedules outlive the zone that they were set for."""
    if hass.states.get(zone) is None:
        for schedule in vehicle.schedules:
            if schedule.place.zone == zone:
                return schedule.place
    return _place_of_zone(hass, zone)


def _vehicle(hass: HomeAssistant, device_id: str | None) -> Vehicle:
    """Return the car that is meant; without a device, the only one that is set up."""
    entries: list[SmartcarChargingConfigEntry] = hass.config_entries.async_entries(DOMAIN)
    loaded: list[SmartcarChargingConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    if device_id is not None:
        for entry in loaded:
            if vehicle := entry.runtime_data.vehicles_by_device.get(device_id):
                return vehicle
        raise _device_error(hass, device_id)
    cars = [(entry, subentry) for entry in entries for subentry in entry.subentries.values()]
    if not cars:
        raise _invalid("no_vehicle")
    if len(cars) > 1:
        raise _invalid("which_vehicle", vehicles=", ".join(sorted(subentry.title for _, subentry in cars)))
    entry, subentry = cars[0]
    if entry not in loaded or not (vehicle := entry.runtime_data.vehicles.get(subentry.subentry_id)):
        raise _invalid("not_loaded", vehicle=subentry.title)
    return vehicle


def _device_error(hass: HomeAssistant, device_id: str) -> ServiceValidationError:
    """Return why this device can not take the action."""
    if (device := dr.async_get(hass).async_get(device_id)) is None:
        return _invalid("device_not_found")
    name = device.name_by_user or device.name or device_id
    if any(identifier[0] == DOMAIN for identifier in device.identifiers):
        return _invalid("not_loaded", vehicle=name)
    return _invalid("not_a_vehicle", device=name)


def _invalid(key: str, **placeholders: str) -> ServiceValidationError:
    """Return the translated error for an input that can not be meant."""
    return ServiceValidationError(translation_domain=DOMAIN, translation_key=key, translation_placeholders=placeholders)
