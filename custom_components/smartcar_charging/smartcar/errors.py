"""What can go wrong at Smartcar."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, override

from .auth_protocol import Auth


class ErrorType(StrEnum):
    """The error types that Smartcar documents."""

    AUTHENTICATION = "AUTHENTICATION"
    BILLING = "BILLING"
    COMPATIBILITY = "COMPATIBILITY"
    CONNECTED_SERVICES_ACCOUNT = "CONNECTED_SERVICES_ACCOUNT"
    PERMISSION = "PERMISSION"
    RATE_LIMIT = "RATE_LIMIT"
    RESOURCE_NOT_FOUND = "RESOURCE_NOT_FOUND"
    SERVER = "SERVER"
    UPSTREAM = "UPSTREAM"
    VALIDATION = "VALIDATION"
    VEHICLE_STATE = "VEHICLE_STATE"


# For an error without a documented type.
_TYPE_OF_STATUS: Final[Mapping[int, ErrorType]] = {
    401: ErrorType.AUTHENTICATION,
    403: ErrorType.PERMISSION,
    404: ErrorType.RESOURCE_NOT_FOUND,
    409: ErrorType.VEHICLE_STATE,
    429: ErrorType.RATE_LIMIT,
    430: ErrorType.BILLING,
    501: ErrorType.COMPATIBILITY,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorDetails:
    """What an answer says about an error; each part may be missing.

    A `type` is there only if the answer holds an error object of Smartcar's own;
    `code` and `message` may also be those of a gateway in between.
    """

    http_status: int | None = None
    type: str | None = None
    code: str | None = None
    message: str | None = None
    request_id: str | None = None
    retry_after: float | None = None

    @property
    def kind(self) -> ErrorType | None:
        """The documented type, else what the HTTP status stands for."""
        if self.type is not None and self.type in ErrorType:
            return ErrorType(self.type)
        if self.http_status is None:
            return None
        return _TYPE_OF_STATUS.get(self.http_status)

    @property
    def name(self) -> str | None:
        """The type and the code, else the HTTP status; None for a reason of ours."""
        if self.type and self.code:
            return f"{self.type}/{self.code}"
        if self.type or self.code:
            return self.type or self.code
        if self.http_status is None:
            return None
        return f"HTTP {self.http_status}"

    @override
    def __str__(self) -> str:
        """Return Smartcar's own reason, for people."""
        name = self.name
        if name and self.message:
            return f"{name}: {self.message}"
        return name or self.message or "no reason given"


class SmartcarError(Exception):
    """Base of all errors of this client; `details` is what Smartcar said, if it did."""

    def __init__(self, reason: str | ErrorDetails) -> None:
        """Take Smartcar's details, or a reason of our own."""
        if isinstance(reason, str):
            reason = ErrorDetails(message=reason)
        self.details = reason
        super().__init__(str(reason))

    @property
    def loggable(self) -> str:
        """The reason without Smartcar's free text, which may say who and where."""
        return self.details.name or str(self)


class InvalidIdError(SmartcarError, ValueError):
    """An id that can not be one: refused before anything was sent."""


class NotSentError(SmartcarError):
    """No connection was made, or no token was to be had: nothing was sent."""


class RefusedError(SmartcarError):
    """Smartcar or the car provably refused: nothing was changed."""


class AuthenticationError(RefusedError):
    """The token, or the credentials that get one, were rejected.

    `auth` is who gave the token that was rejected, or could not get one.
    """

    auth: Auth | None = None


class GoneError(RefusedError):
    """Smartcar says that what was asked for does not exist."""


class UnconfirmedError(SmartcarError):
    """The request was sent, but its outcome was not heard."""
