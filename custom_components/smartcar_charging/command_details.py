"""What is told of a command: by the sensor, the event, a response and diagnostics."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from .errors import trouble_of
from .models import Command, time_text


class Teller(StrEnum):
    """Who tells of a command."""

    ATTRIBUTES = "attributes"
    RESPONSE = "response"
    DIAGNOSTICS = "diagnostics"


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandDetail:
    """One thing that is told of a command, and by whom."""

    key: str
    value_fn: Callable[[Command], Any]
    tellers: frozenset[Teller]


def describe_command(command: Command, teller: Teller) -> dict[str, Any]:
    """Return what somebody tells of a command, as JSON has it."""
    return {detail.key: detail.value_fn(command) for detail in _DETAILS_OF[teller]}


def _of_execution(name: str) -> Callable[[Command], Any]:
    """Return how to read something that Smartcar said of an execution."""
    return lambda command: getattr(command.execution, name, None)


def _of_error(name: str) -> Callable[[Command], Any]:
    """Return how to read something that was said of an error."""
    return lambda command: getattr(command.error, name, None)


def _schedule_type(command: Command) -> str | None:
    """Return the type of the schedule; those of Home Assistant are daily."""
    if command.execution is not None and command.execution.schedule_type is not None:
        return command.execution.schedule_type
    return None if command.place is None else "daily"


def _start_time(command: Command) -> str | None:
    """Return when the window begins."""
    window = command.window_set
    return None if window is None else time_text(window.start_time)


def _stop_time(command: Command) -> str | None:
    """Return when the window ends."""
    window = command.window_set
    return None if window is None else time_text(window.stop_time)


def _location(command: Command) -> dict[str, float] | None:
    """Return the coordinates."""
    location = command.location_set
    return None if location is None else location.as_dict()


def _ended_at(command: Command) -> str | None:
    """Return when Home Assistant knew of the end."""
    return None if command.ended_at is None else command.ended_at.isoformat()


def _request_id(command: Command) -> str | None:
    """Return Smartcar's id of the request, which its support asks for."""
    source = command.execution or command.error
    return None if source is None else source.request_id


def _can_retry(command: Command) -> bool:
    """Whether the same command may succeed later."""
    trouble = trouble_of(command)
    return trouble is not None and trouble.can_retry


_EVERYBODY: Final = frozenset(Teller)
_USERS: Final = frozenset({Teller.ATTRIBUTES, Teller.RESPONSE})
_NOT_RESPONSE: Final = frozenset({Teller.ATTRIBUTES, Teller.DIAGNOSTICS})
_DIAGNOSTICS: Final = frozenset({Teller.DIAGNOSTICS})

# Diagnostics tell no ids of schedules, no place, and nothing of Smartcar's free text.
_DETAILS: Final = (
    CommandDetail(
        key="verdict",
        value_fn=lambda command: command.verdict.value,
        tellers=_DIAGNOSTICS,
    ),
    CommandDetail(
        key="begun_at",
        value_fn=lambda command: command.begun_at.isoformat(),
        tellers=_DIAGNOSTICS,
    ),
    CommandDetail(
        key="action",
        value_fn=lambda command: command.action.value,
        tellers=_EVERYBODY,
    ),
    CommandDetail(
        key="execution_id", value_fn=_of_execution("execution_id"), tellers=_USERS
    ),
    CommandDetail(
        key="schedule_id",
        value_fn=lambda command: command.affected_schedule_id,
        tellers=_USERS,
    ),
    CommandDetail(key="schedule_type", value_fn=_schedule_type, tellers=_EVERYBODY),
    CommandDetail(
        key="status",
        value_fn=_of_execution("status"),
        tellers=frozenset({Teller.RESPONSE, Teller.DIAGNOSTICS}),
    ),
    CommandDetail(key="start_time", value_fn=_start_time, tellers=_USERS),
    CommandDetail(key="stop_time", value_fn=_stop_time, tellers=_USERS),
    CommandDetail(key="location", value_fn=_location, tellers=_USERS),
    CommandDetail(
        key="execution_mode",
        value_fn=_of_execution("execution_mode"),
        tellers=_EVERYBODY,
    ),
    CommandDetail(
        key="executed_at", value_fn=_of_execution("executed_at"), tellers=_EVERYBODY
    ),
    CommandDetail(
        key="completed_at", value_fn=_of_execution("completed_at"), tellers=_EVERYBODY
    ),
    CommandDetail(
        key="duration_seconds",
        value_fn=_of_execution("duration_seconds"),
        tellers=_EVERYBODY,
    ),
    CommandDetail(key="ended_at", value_fn=_ended_at, tellers=_EVERYBODY),
    CommandDetail(key="error_type", value_fn=_of_error("type"), tellers=_NOT_RESPONSE),
    CommandDetail(key="error_code", value_fn=_of_error("code"), tellers=_NOT_RESPONSE),
    CommandDetail(
        key="error_message",
        value_fn=_of_error("message"),
        tellers=frozenset({Teller.ATTRIBUTES}),
    ),
    CommandDetail(
        key="error_kind",
        value_fn=_of_error("kind"),
        tellers=_DIAGNOSTICS,
    ),
    CommandDetail(key="can_retry", value_fn=_can_retry, tellers=_NOT_RESPONSE),
    CommandDetail(key="request_id", value_fn=_request_id, tellers=_EVERYBODY),
)
_DETAILS_OF: Final = {
    teller: [detail for detail in _DETAILS if teller in detail.tellers]
    for teller in Teller
}
