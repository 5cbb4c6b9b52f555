"""A client for the charge schedules of the Smartcar V3 API; it knows nothing of Home Assistant."""

from .auth import AccessToken, Auth, ClientCredentials
from .client import SmartcarClient
from .errors import (
    AuthenticationError,
    ErrorDetails,
    ErrorType,
    InvalidIdError,
    NotSentError,
    RefusedError,
    SmartcarError,
    UnconfirmedError,
)
from .models import (
    ChargeTimer,
    Connection,
    DailySchedule,
    Execution,
    Location,
    TimersReading,
    is_valid_id,
)
from .reading import as_moment

__all__ = [
    "AccessToken",
    "Auth",
    "AuthenticationError",
    "ChargeTimer",
    "ClientCredentials",
    "Connection",
    "DailySchedule",
    "ErrorDetails",
    "ErrorType",
    "Execution",
    "InvalidIdError",
    "Location",
    "NotSentError",
    "RefusedError",
    "SmartcarClient",
    "SmartcarError",
    "TimersReading",
    "UnconfirmedError",
    "as_moment",
    "is_valid_id",
]
