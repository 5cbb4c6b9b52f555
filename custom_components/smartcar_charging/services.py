"""The actions: their shape, and what they answer."""

from typing import Final

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
    async_resolve_time,
    resolve_place,
    resolve_place_of_schedules,
    resolve_vehicle,
    resolve_window,
)
from .models import VehicleState, time_text
from .readings import presence
from .schedule_details import ZoneFinder, describe_details
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

# The schemas only tell what is there. What it means is judged in the handlers: an error
# of a schema ends an automation in spite of `continue_on_error`, and its words reach
# nobody. A target in YAML gives a list, and a template that found nothing gives None.
_DEVICES: Final = vol.All(cv.ensure_list, [vol.Any(None, cv.string)])
_STRIPPED: Final = vol.All(cv.string, str.strip)
_ZONE: Final = vol.All(vol.Coerce(str), str.lower)

SET_DAILY_CHARGE_SCHEDULE_SCHEMA: Final = vol.Schema(
    {
        vol.Optional(ATTR_DEVICE_ID): _DEVICES,
        vol.Optional(CONF_ZONE): _ZONE,
        # A radius that a location selector adds is dropped: Smartcar takes none.
        vol.Optional(ATTR_LOCATION): vol.Schema(
            {
                vol.Required(ATTR_LATITUDE): object,
                vol.Required(ATTR_LONGITUDE): object,
                "radius": object,
            }
        ),
        vol.Required(ATTR_START_TIME): object,
        vol.Required(ATTR_STOP_TIME): object,
        vol.Optional(ATTR_REPLACE, default=True): cv.boolean,
    }
)

DELETE_CHARGE_SCHEDULE_SCHEMA: Final = vol.Schema(
    {
        vol.Optional(ATTR_DEVICE_ID): _DEVICES,
        vol.Optional(ATTR_SCHEDULE_ID): vol.Any(None, _STRIPPED),
        vol.Optional(CONF_ZONE): _ZONE,
    }
)

GET_CHARGE_SCHEDULES_SCHEMA: Final = vol.Schema(
    {vol.Optional(ATTR_DEVICE_ID): _DEVICES}
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
        await async_resolve_time(call.hass, call.data, ATTR_START_TIME),
        await async_resolve_time(call.hass, call.data, ATTR_STOP_TIME),
    )
    place = resolve_place(call.hass, call.data)
    vehicle = resolve_vehicle(call.hass, call.data)
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
    is_by_id = ATTR_SCHEDULE_ID in call.data
    if is_by_id == (CONF_ZONE in call.data):
        raise input_error("schedule_id_or_zone")
    if is_by_id and not is_valid_id(call.data[ATTR_SCHEDULE_ID]):
        raise input_error("invalid_schedule_id")
    vehicle = resolve_vehicle(call.hass, call.data)
    if is_by_id:
        result = await vehicle.async_delete_schedule(call.data[ATTR_SCHEDULE_ID])
    else:
        place = resolve_place_of_schedules(call.hass, vehicle, call.data[CONF_ZONE])
        result = await vehicle.async_delete_schedules_at(place)
    return {
        **describe_command(result.command, Teller.RESPONSE),
        "deleted_schedule_ids": list(result.removed),
        "warnings": list(result.warnings),
    }


async def _async_get_charge_schedules(call: ServiceCall) -> ServiceResponse:
    """Tell what Home Assistant set, and what Smartcar last read from the car."""
    vehicle = resolve_vehicle(call.hass, call.data)
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
        **_describe_state(call.hass, vehicle.data, reading),
        **_describe_reading(reading),
        "on_vehicle_reason": reason,
    }


def _describe_state(
    hass: HomeAssistant, state: VehicleState, reading: TimersReading | None
) -> JsonObjectType:
    """Return what Home Assistant sent, and what a reading proves of it."""
    now, finder = dt_util.utcnow(), ZoneFinder(hass)
    set_schedules: list[JsonValueType] = [
        {
            **describe_details(schedule, finder),
            "on_vehicle": presence(reading, schedule, state, now).value,
        }
        for schedule in state.set_schedules
    ]
    possible: list[JsonValueType] = [
        describe_details(schedule, finder) for schedule in state.possible_schedules
    ]
    return {"set_by_home_assistant": set_schedules, "possibly_on_vehicle": possible}


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
