"""A client for Smartcar's charge schedules; it knows nothing of Home Assistant."""

from .auth import AccessToken, ClientCredentials
from .auth_protocol import Auth
from .client import SmartcarClient
from .errors import (
    AuthenticationError,
    ErrorDetails,
    ErrorType,
    GoneError,
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
    TimerWindow,
    is_valid_id,
)
from .transport import Transmission, create_trace_config

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
    "GoneError",
    "InvalidIdError",
    "Location",
    "NotSentError",
    "RefusedError",
    "SmartcarClient",
    "SmartcarError",
    "TimerWindow",
    "TimersReading",
    "Transmission",
    "UnconfirmedError",
    "create_trace_config",
    "is_valid_id",
]
