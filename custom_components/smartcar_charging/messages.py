"""What a person is told: what happened, why, and what to do next."""

from collections.abc import Iterable, Mapping
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .const import DOMAIN
from .records import Action, OwnSchedule, Place, PossibleSchedule
from .smartcar import (
    AuthenticationError,
    ErrorType,
    NotSentError,
    SmartcarError,
    UnconfirmedError,
)

# What Smartcar refuses, by the key of its words.
REFUSALS: Final[Mapping[str | None, str]] = {
    ErrorType.AUTHENTICATION: "authentication_failed",
    ErrorType.BILLING: "refused_by_plan",
    ErrorType.COMPATIBILITY: "not_compatible",
    ErrorType.CONNECTED_SERVICES_ACCOUNT: "car_maker_account",
    ErrorType.PERMISSION: "permission_missing",
    ErrorType.RATE_LIMIT: "rate_limited",
    ErrorType.RESOURCE_NOT_FOUND: "not_found_at_smartcar",
    ErrorType.VEHICLE_STATE: "refused_by_vehicle",
}

# Nobody knows how Smartcar says that schedules overlap or are too many: a create may mean that with these.
_MAY_BE_ABOUT_OTHER_SCHEDULES: Final = frozenset(
    {ErrorType.VALIDATION, ErrorType.VEHICLE_STATE, None}
)
_NOT_ABOUT_OTHER_SCHEDULES: Final = frozenset(
    {
        "ASLEEP",
        "CHARGING_PLUG_NOT_CONNECTED",
        "INVALID_INPUT_FORMAT",
        "IN_MOTION",
        "MISSING_PARAMETER",
        "UNREACHABLE",
    }
)


def command_error(
    hass: HomeAssistant,
    error: SmartcarError,
    action: Action,
    vehicle: str,
    schedules: Iterable[OwnSchedule],
) -> HomeAssistantError:
    """Return the translated error for a command that did not succeed."""
    reason = str(error)
    if isinstance(error, UnconfirmedError):
        key = "create_unconfirmed" if action is Action.CREATE else "delete_unconfirmed"
        return vehicle_error(key, vehicle, reason=reason)
    if isinstance(error, NotSentError):
        return vehicle_error("not_sent", vehicle, reason=reason)
    details = error.details
    if (
        action is Action.CREATE
        and details.kind in _MAY_BE_ABOUT_OTHER_SCHEDULES
        and details.code not in _NOT_ABOUT_OTHER_SCHEDULES
        and (
            known := ", ".join(
                describe_schedule(hass, schedule) for schedule in schedules
            )
        )
    ):
        return vehicle_error(
            "refused_beside_others", vehicle, reason=reason, schedules=known
        )
    return vehicle_error(REFUSALS.get(details.kind, "refused"), vehicle, reason=reason)


def read_error(error: SmartcarError, vehicle: str) -> HomeAssistantError:
    """Return the translated error for a question that was not answered; nothing was changed by asking."""
    key = (
        "authentication_failed"
        if isinstance(error, AuthenticationError)
        else "not_read"
    )
    return vehicle_error(key, vehicle, reason=str(error))


def vehicle_error(key: str, vehicle: str, **placeholders: str) -> HomeAssistantError:
    """Return a translated error that names the car."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders={"vehicle": vehicle, **placeholders},
    )


def describe_place(hass: HomeAssistant, place: Place) -> str:
    """Return what a person calls the place."""
    if place.zone is None:
        return f"{place.location.latitude:.5f}, {place.location.longitude:.5f}"
    state = hass.states.get(place.zone)
    return place.zone if state is None else state.name


def describe_schedule(
    hass: HomeAssistant, schedule: OwnSchedule | PossibleSchedule
) -> str:
    """Return the window, the place, and the id if it is known."""
    words = f"{schedule.start_time}–{schedule.stop_time} ({describe_place(hass, schedule.place)})"
    return (
        f"{words}, {schedule.schedule_id}"
        if isinstance(schedule, OwnSchedule)
        else words
    )
