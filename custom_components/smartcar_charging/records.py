"""What is remembered of a car: its executions, and the schedules that Home Assistant set on it."""

from dataclasses import dataclass, field, replace
from datetime import time
from enum import StrEnum
from typing import Any, Final, Self

from homeassistant.util.location import distance
import voluptuous as vol

from .smartcar import (
    DailySchedule,
    Execution,
    Location,
    NotSentError,
    SmartcarError,
    UnconfirmedError,
    is_valid_id,
)

_SAME_PLACE_METRES: Final = 100

_TEXTS_OF_A_RECORD: Final = (
    "zone",
    "schedule_type",
    "schedule_id",
    "execution_id",
    "status",
    "execution_mode",
    "executed_at",
    "completed_at",
    "error_type",
    "error_code",
    "error_kind",
    "error_message",
    "request_id",
)


class Verdict(StrEnum):
    """What became of a command; success is never said without proof."""

    IN_PROGRESS = "in_progress"
    SUCCESS = "success"
    FAILED = "failed"
    UNCONFIRMED = "unconfirmed"


class Action(StrEnum):
    """What a command does, in Smartcar's words."""

    CREATE = "create"
    DELETE = "delete"


def _location(value: Any) -> Location:
    """Validate a stored place."""
    if (location := Location.from_dict(value)) is None:
        raise vol.Invalid("not a place")
    return location


def _time(value: str) -> str:
    """Validate a stored time of day: entities would trip over anything else."""
    return f"{time.fromisoformat(value):%H:%M}"


def _id(value: Any) -> str:
    """Validate a stored id."""
    if not is_valid_id(value):
        raise vol.Invalid("not an id")
    return str(value)


class _Stored:
    """A dataclass that can be stored and read back; Home Assistant writes dataclasses as JSON by itself."""

    __slots__ = ()
    _SCHEMA: vol.Schema

    @classmethod
    def from_dict(cls, value: Any) -> Self:
        """Read the value back; raise vol.Invalid if it is not one."""
        return cls(**cls._SCHEMA(value))


@dataclass(frozen=True, kw_only=True, slots=True)
class Record(_Stored):
    """One command, and what became of it."""

    verdict: Verdict
    action: Action
    begun_at: str
    zone: str | None = None
    location: Location | None = None
    start_time: str | None = None
    stop_time: str | None = None
    schedule_type: str | None = None
    schedule_id: str | None = None
    execution_id: str | None = None
    status: str | None = None
    execution_mode: str | None = None
    executed_at: str | None = None
    completed_at: str | None = None
    duration_seconds: float | None = None
    error_type: str | None = None
    error_code: str | None = None
    error_kind: str | None = None
    error_message: str | None = None
    can_retry: bool = False
    request_id: str | None = None

    @property
    def place(self) -> Place | None:
        """Where the schedule applies; None for a delete of a schedule that nobody knew."""
        return (
            None
            if self.location is None
            else Place(zone=self.zone, location=self.location)
        )

    def succeeded(self, execution: Execution) -> Record:
        """Return the record of a success: what Smartcar says it did, else what was asked for."""
        return replace(
            self,
            verdict=Verdict.SUCCESS,
            schedule_id=self.schedule_id or execution.schedule_id,
            schedule_type=execution.schedule_type or self.schedule_type,
            location=execution.location or self.location,
            start_time=execution.start_time or self.start_time,
            stop_time=execution.stop_time or self.stop_time,
            execution_id=execution.execution_id,
            status=execution.status,
            execution_mode=execution.execution_mode,
            executed_at=execution.executed_at,
            completed_at=execution.completed_at,
            duration_seconds=execution.duration_seconds,
            request_id=execution.request_id,
        )

    def differences_from(self, schedule: DailySchedule) -> list[str]:
        """Say where Smartcar set something else than it was sent."""
        differences = []
        sent, done = (
            f"{schedule.start_time}–{schedule.stop_time}",
            f"{self.start_time}–{self.stop_time}",
        )
        if done != sent:
            differences.append(f"Smartcar set the window {done} instead of {sent}.")
        if self.location is not None and not self.location.is_about(schedule.location):
            differences.append(
                "Smartcar set the schedule for other coordinates than it was sent."
            )
        return differences

    def ended(self, error: SmartcarError) -> Record:
        """Return the record of a command that did not succeed: failed only where that is proven."""
        is_unconfirmed = isinstance(error, UnconfirmedError)
        details = error.details
        return replace(
            self,
            verdict=Verdict.UNCONFIRMED if is_unconfirmed else Verdict.FAILED,
            error_type=details.type,
            error_code=details.code,
            error_kind=details.kind,
            error_message=details.message,
            can_retry=isinstance(error, NotSentError)
            or (not is_unconfirmed and details.can_retry),
            request_id=details.request_id,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Place(_Stored):
    """Where a schedule applies: coordinates, and the zone that they were taken from."""

    zone: str | None
    location: Location = field(repr=False)

    def is_same(self, other: Place) -> bool:
        """Whether a car would take both for one place."""
        if self.zone is not None and self.zone == other.zone:
            return True
        metres = distance(
            self.location.latitude,
            self.location.longitude,
            other.location.latitude,
            other.location.longitude,
        )
        return metres is not None and metres <= _SAME_PLACE_METRES


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnSchedule(_Stored):
    """A schedule that Home Assistant set and that is, as far as it knows, still on the car."""

    schedule_id: str
    place: Place
    start_time: str
    stop_time: str
    set_at: str
    failed_deletes: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class PossibleSchedule(_Stored):
    """A schedule that may be on the car: its create was sent, and nobody knows its outcome or its id."""

    place: Place
    start_time: str
    stop_time: str
    sent_at: str

    def known_as(self, schedule_id: str) -> OwnSchedule:
        """Return the schedule that it is, now that its id is known."""
        return OwnSchedule(
            schedule_id=schedule_id,
            place=self.place,
            start_time=self.start_time,
            stop_time=self.stop_time,
            set_at=self.sent_at,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft(_Stored):
    """The window that the user prepares on the device page; nothing of it is sent before the user says so."""

    start_time: str | None = None
    stop_time: str | None = None
    zone: str = "zone.home"
    is_edited: bool = False


_TEXT: Final = vol.Any(None, str)
_NUMBER: Final = vol.Any(None, int, float)
_TIME: Final = vol.All(str, _time)
_TIME_IF_ANY: Final = vol.Any(None, _TIME)
_WINDOW: Final = {vol.Required("start_time"): _TIME, vol.Required("stop_time"): _TIME}

Record._SCHEMA = vol.Schema(
    {
        vol.Required("verdict"): vol.Coerce(Verdict),
        vol.Required("action"): vol.Coerce(Action),
        vol.Required("begun_at"): str,
        "location": vol.Any(None, _location),
        "start_time": _TIME_IF_ANY,
        "stop_time": _TIME_IF_ANY,
        "duration_seconds": _NUMBER,
        "can_retry": bool,
        **dict.fromkeys(_TEXTS_OF_A_RECORD, _TEXT),
    },
    extra=vol.REMOVE_EXTRA,
)
Place._SCHEMA = vol.Schema(
    {vol.Required("zone"): _TEXT, vol.Required("location"): _location},
    extra=vol.REMOVE_EXTRA,
)
OwnSchedule._SCHEMA = vol.Schema(
    {
        vol.Required("schedule_id"): _id,
        vol.Required("place"): Place.from_dict,
        **_WINDOW,
        vol.Required("set_at"): str,
        "failed_deletes": int,
    },
    extra=vol.REMOVE_EXTRA,
)
PossibleSchedule._SCHEMA = vol.Schema(
    {vol.Required("place"): Place.from_dict, **_WINDOW, vol.Required("sent_at"): str},
    extra=vol.REMOVE_EXTRA,
)
Draft._SCHEMA = vol.Schema(
    {
        "start_time": _TIME_IF_ANY,
        "stop_time": _TIME_IF_ANY,
        "zone": str,
        "is_edited": bool,
    },
    extra=vol.REMOVE_EXTRA,
)
