"""The actions: shape by schema, then the car, the place and the window; all of it before anything is sent."""

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
from homeassistant.util.json import JsonObjectType
import voluptuous as vol

from .const import DOMAIN
from .inputs import (
    check_window,
    invalid_input,
    resolve_place,
    resolve_place_of_schedules,
    resolve_time,
    resolve_vehicle,
)
from .messages import read_error
from .records import OwnSchedule, PossibleSchedule, Record
from .smartcar import (
    AuthenticationError,
    ChargeTimer,
    DailySchedule,
    RefusedError,
    SmartcarError,
    TimersReading,
    is_valid_id,
)
from .timers import presence

SERVICE_SET_DAILY_CHARGE_SCHEDULE: Final = "set_daily_charge_schedule"
SERVICE_DELETE_CHARGE_SCHEDULE: Final = "delete_charge_schedule"
SERVICE_GET_CHARGE_SCHEDULES: Final = "get_charge_schedules"

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
    start, stop = (
        resolve_time(call.data, ATTR_START_TIME),
        resolve_time(call.data, ATTR_STOP_TIME),
    )
    check_window(start, stop)
    place = resolve_place(call.hass, call.data)
    vehicle = resolve_vehicle(call.hass, call.data.get(ATTR_DEVICE_ID))
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
        raise invalid_input("schedule_id_or_zone")
    if schedule_id is not None and not is_valid_id(schedule_id):
        raise invalid_input("invalid_schedule_id")
    vehicle = resolve_vehicle(call.hass, call.data.get(ATTR_DEVICE_ID))
    if schedule_id is not None:
        outcome = await vehicle.async_delete_schedule(schedule_id)
    else:
        outcome = await vehicle.async_delete_schedules_at(
            resolve_place_of_schedules(call.hass, vehicle, str(zone))
        )
    return {
        **_response(outcome.record),
        "deleted_schedule_ids": list(outcome.removed),
        "warnings": list(outcome.warnings),
    }


async def _async_get_charge_schedules(call: ServiceCall) -> ServiceResponse:
    """Compare what Home Assistant set with what Smartcar last read from the car; changes nothing."""
    vehicle = resolve_vehicle(call.hass, call.data.get(ATTR_DEVICE_ID))
    reading: TimersReading | None = None
    reason: str | None = None
    try:
        reading = await vehicle.async_read_timers()
    except RefusedError as err:
        if isinstance(err, AuthenticationError):
            raise read_error(err, vehicle.name) from err
        # Without a reading there is still something to tell.
        reason = str(err)
    except SmartcarError as err:
        raise read_error(err, vehicle.name) from err
    read_at = None if reading is None else reading.read_at
    return {
        "set_by_home_assistant": [
            {
                **_sent(own),
                "schedule_id": own.schedule_id,
                "set_at": own.set_at,
                "on_vehicle": presence(reading, own),
            }
            for own in vehicle.schedules
        ],
        "possibly_on_vehicle": [
            {**_sent(possible), "sent_at": possible.sent_at}
            for possible in vehicle.possible
        ],
        "on_vehicle": None
        if reading is None
        else [_timer(timer) for timer in reading.timers],
        "on_vehicle_reason": reason,
        "read_at": None if read_at is None else read_at.isoformat(),
        "age_minutes": None
        if read_at is None
        else round((dt_util.utcnow() - read_at).total_seconds() / 60),
    }


def _sent(schedule: OwnSchedule | PossibleSchedule) -> JsonObjectType:
    """Return what was sent."""
    return {
        "start_time": schedule.start_time,
        "stop_time": schedule.stop_time,
        "zone": schedule.place.zone,
        "location": {**schedule.place.location.as_dict()},
    }


def _timer(timer: ChargeTimer) -> JsonObjectType:
    """Return a timer as Smartcar read it."""
    return {
        "type": timer.type,
        "schedule_type": timer.schedule_type,
        "schedule_id": timer.schedule_id,
        "location": None if timer.location is None else {**timer.location.as_dict()},
        "windows": [
            {
                "start_time": window.start_time,
                "stop_time": window.stop_time,
                "days": list(window.days),
            }
            for window in timer.windows
        ],
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
    start_minute, stop_minute = (
        int(text[:2]) * 60 + int(text[3:]) for text in (start, stop)
    )
    return {
        "duration_minutes": (stop_minute - start_minute) % _MINUTES_OF_A_DAY,
        "crosses_midnight": stop_minute < start_minute,
    }
