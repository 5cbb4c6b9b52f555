"""What can go wrong with a command, and the words for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.translation import async_get_translations

from .const import DOMAIN
from .models import Action, Command, Outcome, Place, Schedule, VehicleState
from .smartcar import AuthenticationError, ErrorType, SmartcarError


@dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    """What a kind of error means for the user.

    `key` is that of its words. `lasts`: it stays until the user has done something, and
    has a repair issue until then. `can_retry`: the same command may succeed later.
    """

    key: str
    lasts: bool = False
    can_retry: bool = False


NOT_SENT: Final = Trouble(key="not_sent", can_retry=True)
REFUSED: Final = Trouble(key="refused")
UNCONFIRMED: Final[Mapping[Action, Trouble]] = {
    Action.CREATE: Trouble(key="create_unconfirmed"),
    Action.DELETE: Trouble(key="delete_unconfirmed"),
}
# A refusal, by Smartcar's type of error; any other is `REFUSED`.
REFUSALS: Final[Mapping[str | None, Trouble]] = {
    ErrorType.AUTHENTICATION: Trouble(key="authentication_failed"),
    ErrorType.BILLING: Trouble(key="refused_by_plan", lasts=True),
    ErrorType.COMPATIBILITY: Trouble(key="not_compatible", lasts=True),
    ErrorType.CONNECTED_SERVICES_ACCOUNT: Trouble(key="car_maker_account", lasts=True),
    ErrorType.PERMISSION: Trouble(key="permission_missing", lasts=True),
    ErrorType.RATE_LIMIT: Trouble(key="rate_limited", can_retry=True),
    ErrorType.RESOURCE_NOT_FOUND: Trouble(key="not_found_at_smartcar"),
    ErrorType.VEHICLE_STATE: Trouble(key="refused_by_vehicle", can_retry=True),
}

# Nobody knows how Smartcar says that schedules overlap or are too many.
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


def trouble_of(command: Command) -> Trouble | None:
    """Return what went wrong with a command; None if nothing did, or not yet."""
    if command.error is None or command.outcome is None:
        return None
    if command.outcome is Outcome.UNCONFIRMED:
        return UNCONFIRMED[command.action]
    if command.outcome is Outcome.NOT_SENT:
        return NOT_SENT
    known = REFUSALS.get(command.error.type)
    return known or REFUSALS.get(command.error.kind, REFUSED)


def reason_of(command: Command) -> str:
    """Return Smartcar's own reason for the end of a command."""
    return str(command.error)


def command_error(
    hass: HomeAssistant, command: Command, state: VehicleState
) -> HomeAssistantError:
    """Return the translated error for a command that did not succeed."""
    trouble = trouble_of(command) or REFUSED
    reason = reason_of(command)
    if _may_be_about_other_schedules(command) and state.set_schedules:
        known = [describe_schedule(hass, schedule) for schedule in state.set_schedules]
        return vehicle_error(
            "refused_beside_others",
            state.name,
            reason=reason,
            schedules=", ".join(known),
        )
    return vehicle_error(trouble.key, state.name, reason=reason)


def _may_be_about_other_schedules(command: Command) -> bool:
    """Whether a create may have been refused because of schedules that are there."""
    return (
        command.action is Action.CREATE
        and command.outcome is Outcome.REFUSED
        and command.error is not None
        and command.error.kind in _MAY_BE_ABOUT_OTHER_SCHEDULES
        and command.error.code not in _NOT_ABOUT_OTHER_SCHEDULES
    )


def read_error(error: SmartcarError, vehicle: str) -> HomeAssistantError:
    """Return the translated error for a reading that was not made."""
    key = "not_read"
    if isinstance(error, AuthenticationError):
        key = "authentication_failed"
    return vehicle_error(key, vehicle, reason=str(error))


def vehicle_error(key: str, vehicle: str, **placeholders: str) -> HomeAssistantError:
    """Return a translated error that names the car."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders={"vehicle": vehicle, **placeholders},
    )


def input_error(key: str, **placeholders: str) -> ServiceValidationError:
    """Return the translated error for an input that cannot be meant."""
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=placeholders,
    )


async def async_translate_error(hass: HomeAssistant, error: HomeAssistantError) -> str:
    """Return an error of ours in Home Assistant's language, without its full stop."""
    language = hass.config.language
    words = await async_get_translations(hass, language, "exceptions", [DOMAIN])
    message = words[f"component.{DOMAIN}.exceptions.{error.translation_key}.message"]
    return message.rstrip(".").format(**(error.translation_placeholders or {}))


def describe_place(hass: HomeAssistant, place: Place) -> str:
    """Return what a person calls a place."""
    if place.zone is None:
        return f"{place.location.latitude:.5f}, {place.location.longitude:.5f}"
    state = hass.states.get(place.zone)
    return place.zone if state is None else state.name


def describe_schedule(hass: HomeAssistant, schedule: Schedule) -> str:
    """Return the window, the place, and the id and the number where they matter."""
    words = f"{schedule.window} ({describe_place(hass, schedule.place)})"
    if schedule.count > 1:
        words = f"{schedule.count} × {words}"
    if schedule.schedule_id is None:
        return words
    return f"{words}, {schedule.schedule_id}"
