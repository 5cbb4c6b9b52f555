"""What can go wrong at Smartcar, and the one reader of its error bodies."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, override

from .reading import as_mapping, as_text

_MESSAGE_KEYS: Final = ("detail", "description", "title")
_MESSAGE_LENGTH: Final = 300


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


# With these the command may have reached the car all the same.
_OUTCOME_UNKNOWN: Final = frozenset({ErrorType.SERVER, ErrorType.UPSTREAM})

# A 404 with one of these is about the car or the path, and says nothing of what was asked for.
_ABOUT_SOMETHING_ELSE: Final = frozenset(
    {"VEHICLE_NOT_FOUND", "PATH", "INVALID_PATH", "VERSION"}
)

# For an error without a type that we know.
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
    """What an answer says about an error; each part may be missing."""

    http_status: int | None = None
    type: str | None = None
    code: str | None = None
    message: str | None = None
    request_id: str | None = None
    retry_after: float | None = None

    @property
    def known_type(self) -> ErrorType | None:
        """The documented type, if it is one."""
        return (
            ErrorType(self.type)
            if self.type is not None and self.type in ErrorType
            else None
        )

    @property
    def kind(self) -> ErrorType | None:
        """The documented type, else what the HTTP status stands for."""
        return self.known_type or _TYPE_OF_STATUS.get(self.http_status or 0)

    @property
    def proves_refusal(self) -> bool:
        """Whether this proves that nothing was changed: the type decides before the status."""
        if known := self.known_type:
            return known not in _OUTCOME_UNKNOWN
        status = self.http_status or 0
        return 400 <= status < 500 or status == 501

    @property
    def can_retry(self) -> bool:
        """Whether the same command, refused now, may be accepted later."""
        return self.kind in (ErrorType.VEHICLE_STATE, ErrorType.RATE_LIMIT)

    @property
    def is_not_there(self) -> bool:
        """Whether this says that the schedule, or the reading, that was asked for does not exist."""
        return (
            self.http_status == 404
            and self.kind is ErrorType.RESOURCE_NOT_FOUND
            and self.code not in _ABOUT_SOMETHING_ELSE
        )

    @property
    def name(self) -> str | None:
        """The type and the code, else the HTTP status; None for a reason of our own."""
        if parts := [part for part in (self.type, self.code) if part]:
            return "/".join(parts)
        return None if self.http_status is None else f"HTTP {self.http_status}"

    @override
    def __str__(self) -> str:
        """Return Smartcar's own reason, for people."""
        return (
            ": ".join(part for part in (self.name, self.message) if part)
            or "no reason given"
        )


class SmartcarError(Exception):
    """Base of all errors of this client; `details` is what Smartcar said, if it said anything."""

    def __init__(self, reason: str | ErrorDetails) -> None:
        """Take Smartcar's details, or a reason of our own."""
        self.details = (
            reason if isinstance(reason, ErrorDetails) else ErrorDetails(message=reason)
        )
        super().__init__(str(self.details))

    @property
    def loggable(self) -> str:
        """The reason without Smartcar's free text, which may say who and where."""
        return self.details.name or str(self)


class InvalidIdError(SmartcarError, ValueError):
    """An id that can not be one: refused before anything was sent."""


class NotSentError(SmartcarError):
    """No connection was made, or no token was to be had: the command was not sent."""


class RefusedError(SmartcarError):
    """Smartcar or the car provably refused: nothing was changed."""


class AuthenticationError(RefusedError):
    """The token, or the credentials that get one, were rejected."""


class UnconfirmedError(SmartcarError):
    """The request was sent, but its outcome was not heard."""


def error_from(details: ErrorDetails) -> SmartcarError:
    """Return the exception that stands for these details."""
    if not details.proves_refusal:
        return UnconfirmedError(details)
    if details.kind is ErrorType.AUTHENTICATION:
        return AuthenticationError(details)
    return RefusedError(details)


def read_error(
    body: Any,
    *,
    http_status: int,
    request_id: str | None = None,
    retry_after: float | None = None,
) -> ErrorDetails | None:
    """Read an error out of a body of any shape; None where a 2xx answer has none.

    The shapes, in this order: `errors[0]`, `error`, a flat object with `type` or `code`,
    `data.attributes.status.error`, and OAuth's `{"error": "invalid_client"}`.
    """
    found = _find_error(body)
    if found is None and 200 <= http_status < 300:
        return None
    error = found or {}
    meta = as_mapping(as_mapping(error.get("meta")).get("debug"))
    return ErrorDetails(
        http_status=http_status,
        type=as_text(error.get("type")),
        code=as_text(error.get("code")),
        message=next(
            filter(
                None,
                (
                    as_text(error.get(key), longest=_MESSAGE_LENGTH)
                    for key in _MESSAGE_KEYS
                ),
            ),
            None,
        ),
        request_id=request_id or as_text(meta.get("requestId")),
        retry_after=retry_after,
    )


def _find_error(body: Any) -> Mapping[str, Any] | None:
    """Return the first error object in the body."""
    if not isinstance(body, dict):
        return None
    if errors := body.get("errors"):
        return as_mapping(errors[0] if isinstance(errors, list) else errors)
    if error := body.get("error"):
        return error if isinstance(error, dict) else {"code": error}
    # A resource also has a type; only an error has no data beside it.
    if "data" not in body and (body.get("type") or body.get("code")):
        return body
    status = as_mapping(
        as_mapping(as_mapping(body.get("data")).get("attributes")).get("status")
    )
    if error := status.get("error"):
        return as_mapping(error)
    return None
