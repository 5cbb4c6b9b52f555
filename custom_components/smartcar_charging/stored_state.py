"""How what is known of a car is written to its file, and read back."""

from collections.abc import Callable, Mapping
from datetime import datetime, time
from typing import Any, Final

import voluptuous as vol

from .models import (
    Action,
    Command,
    DailyWindow,
    Doubt,
    Draft,
    Outcome,
    Place,
    Schedule,
    VehicleState,
)
from .smartcar import ErrorDetails, Execution, Location, is_valid_id

VERSION: Final = 2


def as_content(state: VehicleState) -> dict[str, Any]:
    """Return the content of a car's file; Home Assistant writes dataclasses as JSON."""
    return {"version": VERSION, "data": state}


def from_content(content: Any, read_at: datetime) -> tuple[VehicleState, bool]:
    """Read the content of a car's file; return what it holds, and whether it is whole.

    What cannot be read of it, or all of another version's, counts as lost from now on.
    """
    try:
        data = _CONTENT(content)["data"]
    except vol.Invalid:
        return VehicleState(name="", record_lost_at=read_at), False
    commands, are_commands_whole = _read_list(data["commands"], _command)
    schedules, are_schedules_whole = _read_list(data["schedules"], _schedule)
    drafts, is_draft_whole = _read_list([data["draft"]], _DRAFT)
    is_whole = are_commands_whole and are_schedules_whole and is_draft_whole
    state = VehicleState(
        name=data["name"],
        commands=tuple(commands),
        schedules=tuple(schedules),
        draft=drafts[0] if drafts else Draft(),
        record_lost_at=data["record_lost_at"] if is_whole else read_at,
    )
    return state, is_whole


def _read_list(values: list[Any], read: Callable[[Any], Any]) -> tuple[list[Any], bool]:
    """Return the values that can be read, and whether those are all."""
    found = []
    for value in values:
        try:
            found.append(read(value))
        except vol.Invalid:
            continue
    return found, len(found) == len(values)


def _dataclass(kind: type[Any], fields: Mapping[str, Any]) -> Callable[[Any], Any]:
    """Return a validator that makes a dataclass of a mapping."""
    schema = vol.Schema({vol.Required(key): value for key, value in fields.items()})

    def validate(value: Any) -> Any:
        """Validate the mapping, and make the dataclass."""
        return kind(**schema(value))

    return validate


def _if_any(validator: Any) -> Any:
    """Return a validator that also takes nothing."""
    return vol.Any(None, validator)


def _moment(value: Any) -> datetime:
    """Validate an instant."""
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise vol.Invalid("an instant needs an offset")
    return moment


def _time(value: Any) -> time:
    """Validate a time of day."""
    moment = time.fromisoformat(value)
    if moment.tzinfo is not None:
        raise vol.Invalid("a time of day has no offset")
    return moment


def _location(value: Any) -> Location:
    """Validate coordinates."""
    location = Location.from_dict(value)
    if location is None:
        raise vol.Invalid("these are no coordinates")
    return location


def _id(value: Any) -> str:
    """Validate an id of Smartcar's."""
    if not is_valid_id(value):
        raise vol.Invalid("this is no id")
    return str(value)


_TEXT: Final = _if_any(str)
_INSTANT: Final = vol.All(str, _moment)
_TIME: Final = vol.All(str, _time)
_NUMBER: Final = _if_any(vol.Any(int, float))

_CONTENT: Final = vol.Schema(
    {
        vol.Required("version"): vol.Equal(VERSION),
        vol.Required("data"): {
            vol.Required("name"): str,
            vol.Required("commands"): list,
            vol.Required("schedules"): list,
            vol.Required("draft"): dict,
            vol.Required("record_lost_at"): _if_any(_INSTANT),
        },
    }
)

_WINDOW: Final = _dataclass(DailyWindow, {"start_time": _TIME, "stop_time": _TIME})
_PLACE: Final = _dataclass(Place, {"zone": _TEXT, "location": _location})
_EXECUTION: Final = _dataclass(
    Execution,
    {
        "execution_id": _TEXT,
        "schedule_id": _if_any(_id),
        "action": _TEXT,
        "schedule_type": _TEXT,
        "status": _TEXT,
        "execution_mode": _TEXT,
        "location": _if_any(_location),
        "start_time": _if_any(_TIME),
        "stop_time": _if_any(_TIME),
        "executed_at": _TEXT,
        "completed_at": _TEXT,
        "duration_seconds": _NUMBER,
        "request_id": _TEXT,
    },
)
_ERROR: Final = _dataclass(
    ErrorDetails,
    {
        "http_status": _if_any(int),
        "type": _TEXT,
        "code": _TEXT,
        "message": _TEXT,
        "request_id": _TEXT,
        "retry_after": _NUMBER,
    },
)
_COMMAND: Final = _dataclass(
    Command,
    {
        "action": vol.Coerce(Action),
        "begun_at": _INSTANT,
        "place": _if_any(_PLACE),
        "window": _if_any(_WINDOW),
        "schedule_id": _if_any(_id),
        "outcome": _if_any(vol.Coerce(Outcome)),
        "ended_at": _if_any(_INSTANT),
        "execution": _if_any(_EXECUTION),
        "error": _if_any(_ERROR),
        "is_told": bool,
    },
)
_SCHEDULE: Final = _dataclass(
    Schedule,
    {
        "place": _PLACE,
        "asked": _WINDOW,
        "window": _WINDOW,
        "sent_at": _INSTANT,
        "ended_at": _INSTANT,
        "schedule_id": _if_any(_id),
        "doubt": _if_any(vol.Coerce(Doubt)),
        "is_superseded": bool,
        "count": vol.All(int, vol.Range(min=1)),
        "delete_attempts": vol.All(int, vol.Range(min=0)),
    },
)
_DRAFT: Final = _dataclass(
    Draft,
    {
        "start_time": _if_any(_TIME),
        "stop_time": _if_any(_TIME),
        "zone": str,
        "is_edited": bool,
    },
)


def _command(value: Any) -> Command:
    """Validate a command; a create has a place and a window."""
    command: Command = _COMMAND(value)
    is_create = command.action is Action.CREATE
    if is_create and (command.place is None or command.window is None):
        raise vol.Invalid("a create lacks its place or its window")
    return command


def _schedule(value: Any) -> Schedule:
    """Validate a schedule; its doubt says whether its id is known."""
    schedule: Schedule = _SCHEDULE(value)
    has_id = schedule.schedule_id is not None
    needs_id = schedule.doubt in (None, Doubt.DELETE)
    if has_id is not needs_id:
        raise vol.Invalid("a schedule lacks its id, or cannot have one")
    if schedule.is_superseded and schedule.doubt is not None:
        raise vol.Invalid("a superseded schedule is to be removed, without a doubt")
    return schedule
