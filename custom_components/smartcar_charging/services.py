"""The actions: their shape, and what they answer."""

from datetime import time
import re
from typing import Any, Final

from homeassistant.const import (
    ATTR_DEVICE_ID,
    ATTR_LATITUDE,
    ATTR_LOCATION,
    ATTR_LONGITUDE,
    CONF_ZONE,
)
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType, JsonValueType
import voluptuous as vol

from .command_details import Teller, describe_command
from .const import DOMAIN
from .errors import input_error, read_error
from .inputs import (
    resolve_place,
    resolve_place_of_schedules,
    resolve_time,
    resolve_vehicle,
    resolve_window,
)
from .models import Schedule, VehicleState, time_text
from .readings import presence
from .smartcar import (
    AuthenticationError,
    ChargeTimer,
    RefusedError,
    SmartcarError,
    TimersReading,
    TimerWindow,
    is_valid_id,
)

SERVICE_SET_DAILY_CHARGE_SCHEDULE: Final = "set_daily_charge_schedule"
SERVICE_DELETE_CHARGE_SCHEDULE: Final = "delete_charge_schedule"
SERVICE_GET_CHARGE_SCHEDULES: Final = "get_charge_schedules"

ATTR_REPLACE: Final = "replace"
ATTR_SCHEDULE_ID: Final = "schedule_id"
ATTR_START_TIME: Final = "start_time"
ATTR_STOP_TIME: Final = "stop_time"

_TIME: Final = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?")


def _time(value: Any) -> str | int:
    """Validate the shape of a time; the handler explains a number."""
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


# Home Assistant's own validator trips over what is neither a text nor a list.
_ZONE: Final = vol.All(cv.string, cv.entity_domain("zone"))

SET_DAILY_CHARGE_SCHEDULE_SCHEMA: Final = vol.Schema(
    {
        vol.Optional(ATTR_DEVICE_ID): cv.string,
        vol.Optional(CONF_ZONE): _ZONE,
        # A radius that a location selector adds is dropped: Smartcar takes none.
        vol.Optional(ATTR_LOCATION): vol.Schema(
            {
                vol.Required(ATTR_LATITUDE): _coordinate,
                vol.Required(ATTR_LONGITUDE): _coordinate,
                "radius": object,
            }
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
        vol.Optional(CONF_ZONE): _ZONE,
    }
)

GET_CHARGE_SCHEDULES_SCHEMA: Final = vol.Schema(
    {vol.Optional(ATTR_DEVICE_ID): cv.string}
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
    hass.services.async_register(
        DOMAIN,
        SERVICE_GET_CHARGE_SCHEDULES,
        _async_get_charge_schedules,
        schema=GET_CHARGE_SCHEDULES_SCHEMA,
        supports_response=SupportsResponse.ONLY,
    )


async def _async_set_daily_charge_schedule(call: ServiceCall) -> ServiceResponse:
    """Set a daily charge schedule."""
    window = resolve_window(
        resolve_time(call.data, ATTR_START_TIME),
        resolve_time(call.data, ATTR_STOP_TIME),
    )
    place = resolve_place(call.hass, call.data)
    vehicle = resolve_vehicle(call.hass, call.data.get(ATTR_DEVICE_ID))
    result = await vehicle.async_set_daily_schedule(
        place, window, supersedes=call.data[ATTR_REPLACE]
    )
    window_set = result.command.window_set or window
    return {
        **describe_command(result.command, Teller.RESPONSE),
        "duration_minutes": window_set.duration_minutes,
        "crosses_midnight": window_set.crosses_midnight,
        "replaced_schedule_ids": list(result.removed),
        "not_replaced_schedule_ids": list(result.not_removed),
        "warnings": list(result.warnings),
    }


async def _async_delete_charge_schedule(call: ServiceCall) -> ServiceResponse:
    """Delete one charge schedule, or those that Home Assistant set at a zone."""
    schedule_id: str | None = call.data.get(ATTR_SCHEDULE_ID)
    zone: str | None = call.data.get(CONF_ZONE)
    if (schedule_id is None) == (zone is None):
        raise input_error("schedule_id_or_zone")
    if schedule_id is not None and not is_valid_id(schedule_id):
        raise input_error("invalid_schedule_id")
    vehicle = resolve_vehicle(call.hass, call.data.get(ATTR_DEVICE_ID))
    if schedule_id is not None:
        result = await vehicle.async_delete_schedule(schedule_id)
    else:
        place = resolve_place_of_schedules(call.hass, vehicle, str(zone))
        result = await vehicle.async_delete_schedules_at(place)
    return {
        **describe_command(result.command, Teller.RESPONSE),
        "deleted_schedule_ids": list(result.removed),
        "warnings": list(result.warnings),
    }


async def _async_get_charge_schedules(call: ServiceCall) -> ServiceResponse:
    """Tell what Home Assistant set, and what Smartcar last read from the car."""
    vehicle = resolve_vehicle(call.hass, call.data.get(ATTR_DEVICE_ID))
    reading: TimersReading | None = None
    reason: str | None = None
    try:
        reading = await vehicle.async_read_timers()
    except AuthenticationError as err:
        raise read_error(err, vehicle.data.name) from err
    except RefusedError as err:
        # Without a reading there is still something to tell.
        reason = str(err)
    except SmartcarError as err:
        raise read_error(err, vehicle.data.name) from err
    return {
        **_describe_state(vehicle.data, reading),
        **_describe_reading(reading),
        "on_vehicle_reason": reason,
    }


def _describe_state(
    state: VehicleState, reading: TimersReading | None
) -> JsonObjectType:
    """Return what Home Assistant sent, and what a reading proves of it."""
    now = dt_util.utcnow()
    identified: list[JsonValueType] = [
        {
            **_describe_schedule(schedule),
            "schedule_id": schedule.schedule_id,
            "set_at": schedule.sent_at.isoformat(),
            "standing": schedule.standing.value,
            "on_vehicle": presence(reading, schedule, state, now).value,
        }
        for schedule in state.identified_schedules
    ]
    unidentified: list[JsonValueType] = [
        {
            **_describe_schedule(schedule),
            "sent_at": schedule.sent_at.isoformat(),
            "count": schedule.count,
        }
        for schedule in state.unidentified_schedules
    ]
    return {"set_by_home_assistant": identified, "possibly_on_vehicle": unidentified}


def _describe_schedule(schedule: Schedule) -> JsonObjectType:
    """Return the window and the place of a schedule."""
    return {
        "start_time": time_text(schedule.window.start_time),
        "stop_time": time_text(schedule.window.stop_time),
        "zone": schedule.place.zone,
        "location": {**schedule.place.location.as_dict()},
    }


def _describe_reading(reading: TimersReading | None) -> JsonObjectType:
    """Return the timers that Smartcar read, and how old the reading is."""
    if reading is None:
        return {"on_vehicle": None, "read_at": None, "age_minutes": None}
    told: JsonObjectType = {
        "on_vehicle": [_describe_timer(timer) for timer in reading.timers],
        "read_at": None,
        "age_minutes": None,
    }
    if reading.read_at is not None:
        age = dt_util.utcnow() - reading.read_at
        told["read_at"] = reading.read_at.isoformat()
        told["age_minutes"] = round(age.total_seconds() / 60)
    return told


def _describe_timer(timer: ChargeTimer) -> JsonObjectType:
    """Return a timer as Smartcar read it."""
    location: JsonObjectType | None = None
    if timer.location is not None:
        location = {**timer.location.as_dict()}
    return {
        "type": timer.type,
        "schedule_type": timer.schedule_type,
        "schedule_id": timer.schedule_id,
        "location": location,
        "windows": [_describe_window(window) for window in timer.windows],
    }


def _describe_window(window: TimerWindow) -> JsonObjectType:
    """Return a window of a timer; a time that cannot be read is None."""
    start, stop = window.start_time, window.stop_time
    return {
        "start_time": None if start is None else time_text(start),
        "stop_time": None if stop is None else time_text(stop),
        "days": list(window.days),
    }
