"""What a person is told when a command did not succeed: what happened, why, and what to do next."""

from collections.abc import Mapping
from typing import Final

from homeassistant.exceptions import HomeAssistantError

from .const import DOMAIN
from .records import Action
from .smartcar import ErrorType, NotSentError, SmartcarError, UnconfirmedError

_REFUSALS: Final[Mapping[ErrorType | None, str]] = {
    ErrorType.AUTHENTICATION: "authentication_failed",
    ErrorType.BILLING: "refused_by_plan",
    ErrorType.COMPATIBILITY: "not_compatible",
    ErrorType.CONNECTED_SERVICES_ACCOUNT: "car_maker_account",
    ErrorType.PERMISSION: "permission_missing",
    ErrorType.RATE_LIMIT: "rate_limited",
    ErrorType.RESOURCE_NOT_FOUND: "not_found_at_smartcar",
    ErrorType.VEHICLE_STATE: "refused_by_vehicle",
}


def command_error(error: SmartcarError, action: Action, vehicle: str) -> HomeAssistantError:
    """Return the translated error for a command that did not succeed."""
    if isinstance(error, UnconfirmedError):
        key = "create_unconfirmed" if action is Action.CREATE else "delete_unconfirmed"
    elif isinstance(error, NotSentError):
        key = "not_sent"
    else:
        key = _REFUSALS.get(error.details.kind, "refused")
    return vehicle_error(key, vehicle, reason=str(error))


def vehicle_error(key: str, vehicle: str, **placeholders: str) -> HomeAssistantError:
    """Return a translated error that names the car."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders={"vehicle": vehicle, **placeholders},
    )
