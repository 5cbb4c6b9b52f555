"""Plain values that go to Smartcar and come from it."""

from dataclasses import dataclass, field, replace
from datetime import datetime, time
import re
from typing import Any, Final, Self

from .errors import InvalidIdError
from .reading import as_list, as_moment, as_number, as_text, as_texts, member

MAX_LATITUDE: Final = 90
MAX_LONGITUDE: Final = 180
# Degrees: about a metre.
MAX_ROUNDING: Final = 1e-5

# The makes that the commands overview lists. The list can grow: warn, never block.
MAKES_WITH_DAILY_SCHEDULES: Final = frozenset({"tesla", "volvo"})
PERMISSION_CONTROL_CHARGE: Final = "control_charge"

# No dots: `.` and `..` would change a path however they are quoted.
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])(?::00)?")


def is_valid_id(value: object) -> bool:
    """Whether this can be an id of Smartcar's."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def check_id(value: str) -> str:
    """Return the id, or raise InvalidIdError, which does not repeat it."""
    if not is_valid_id(value):
        raise InvalidIdError(
            "this can not be a Smartcar id: letters, digits, '-' and '_', "
            "at most 128 of them"
        )
    return value


@dataclass(frozen=True, kw_only=True, slots=True)
class Location:
    """A place in decimal degrees; not in reprs, since it may be somebody's home."""

    latitude: float = field(repr=False)
    longitude: float = field(repr=False)

    def as_dict(self) -> dict[str, float]:
        """Return the place as Smartcar and Home Assistant both write it."""
        return {"latitude": self.latitude, "longitude": self.longitude}

    def is_about(self, other: Location) -> bool:
        """Whether both are one place, but for rounding."""
        north = abs(self.latitude - other.latitude)
        east = abs(self.longitude - other.longitude)
        return north < MAX_ROUNDING and east < MAX_ROUNDING

    @classmethod
    def from_dict(cls, value: Any) -> Self | None:
        """Read a place, if it is one."""
        latitude = as_number(member(value, "latitude"))
        longitude = as_number(member(value, "longitude"))
        if latitude is None or longitude is None:
            return None
        if abs(latitude) > MAX_LATITUDE or abs(longitude) > MAX_LONGITUDE:
            return None
        return cls(latitude=latitude, longitude=longitude)


@dataclass(frozen=True, kw_only=True, slots=True)
class DailySchedule:
    """A window that repeats daily at a place, presumably in wall-clock time there."""

    location: Location
    start_time: time
    stop_time: time

    def as_body(self) -> dict[str, Any]:
        """Return the request body, as the documentation shows it."""
        attributes = {
            "location": self.location.as_dict(),
            "startTime": f"{self.start_time:%H:%M}",
            "stopTime": f"{self.stop_time:%H:%M}",
        }
        return {"data": {"attributes": attributes}}


@dataclass(frozen=True, kw_only=True, slots=True)
class Execution:
    """What Smartcar says of a command; what it leaves out, or garbles, is None."""

    execution_id: str | None = None
    schedule_id: str | None = None
    action: str | None = None
    schedule_type: str | None = None
    status: str | None = None
    execution_mode: str | None = None
    location: Location | None = None
    start_time: time | None = None
    stop_time: time | None = None
    executed_at: str | None = None
    completed_at: str | None = None
    duration_seconds: float | None = None
    request_id: str | None = None

    @classmethod
    def from_body(cls, body: Any, *, request_id: str | None = None) -> Self:
        """Read an execution out of an answer; never raises, whatever the body is."""
        data = member(body, "data")
        attributes = member(data, "attributes")
        parameters = member(attributes, "parameters")
        meta = member(data, "meta")
        schedule_id = _as_id(member(attributes, "scheduleId"))
        if schedule_id is None:
            schedule_id = _id_from_link(member(data, "links", "schedule"))
        return cls(
            execution_id=as_text(member(data, "id")),
            schedule_id=schedule_id,
            action=as_text(member(attributes, "action")),
            schedule_type=as_text(member(attributes, "scheduleType")),
            status=as_text(member(attributes, "status", "value")),
            execution_mode=as_text(member(attributes, "executionMode")),
            location=Location.from_dict(member(parameters, "location")),
            start_time=_as_time(member(parameters, "startTime")),
            stop_time=_as_time(member(parameters, "stopTime")),
            executed_at=as_text(member(meta, "executedAt")),
            completed_at=as_text(member(meta, "completedAt")),
            duration_seconds=as_number(member(meta, "durationInSeconds")),
            request_id=request_id,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """A car that a user has connected to the application.

    No `permissions` mean that none were told.
    """

    connection_id: str
    vehicle_id: str
    user_id: str
    permissions: frozenset[str] | None = None
    make: str | None = None
    model: str | None = None
    year: int | None = None

    @property
    def lacks_control_charge(self) -> bool:
        """Whether Smartcar told permissions without the one for charge schedules."""
        if self.permissions is None:
            return False
        return PERMISSION_CONTROL_CHARGE not in self.permissions

    @property
    def make_takes_daily_schedules(self) -> bool:
        """Whether the make is documented to take daily schedules."""
        if self.make is None:
            return False
        return self.make.casefold() in MAKES_WITH_DAILY_SCHEDULES

    @classmethod
    def from_resource(cls, resource: Any) -> Self | None:
        """Read a connection, if it names a car and a user by valid ids."""
        relationships = member(resource, "relationships")
        connection_id = _as_id(member(resource, "id"))
        vehicle_id = _as_id(member(relationships, "vehicle", "data", "id"))
        user_id = _as_id(member(relationships, "user", "data", "id"))
        if connection_id is None or vehicle_id is None or user_id is None:
            return None
        attributes = member(resource, "attributes")
        vehicle = member(attributes, "vehicle")
        year = as_number(member(vehicle, "year"))
        if year is not None:
            year = int(year)
        return cls(
            connection_id=connection_id,
            vehicle_id=vehicle_id,
            user_id=user_id,
            permissions=_as_permissions(member(attributes, "permissions")),
            make=as_text(member(vehicle, "make")),
            model=as_text(member(vehicle, "model")),
            year=year,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class TimerWindow:
    """When a timer lets the car charge; no days mean that none were told."""

    start_time: time | None
    stop_time: time | None
    days: tuple[str, ...] = ()

    @classmethod
    def from_value(cls, value: Any) -> Self:
        """Read a window; a time that it does not say is None."""
        return cls(
            start_time=_as_time(member(value, "start")),
            stop_time=_as_time(member(value, "end")),
            days=as_texts(member(value, "days")),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ChargeTimer:
    """A timer on the car, whoever set it; its `schedule_type` is casefolded."""

    type: str | None
    schedule_type: str | None
    schedule_id: str | None
    location: Location | None
    windows: tuple[TimerWindow, ...]

    @classmethod
    def from_value(cls, value: Any) -> Self:
        """Read a timer; what it does not say is None."""
        schedule_type = as_text(member(value, "scheduleType"))
        if schedule_type is not None:
            schedule_type = schedule_type.casefold()
        windows = map(TimerWindow.from_value, as_list(member(value, "schedules")))
        return cls(
            type=as_text(member(value, "type")),
            schedule_type=schedule_type,
            schedule_id=_as_id(member(value, "scheduleId")),
            location=Location.from_dict(member(value, "condition")),
            windows=tuple(windows),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class TimersReading:
    """The timers on the car, as Smartcar last read them; None is unknown.

    `retrieved_at` is when Smartcar fetched them from the maker's cloud,
    `oem_updated_at` since when that cloud has had them.
    """

    timers: tuple[ChargeTimer, ...]
    status: str | None
    retrieved_at: datetime | None
    oem_updated_at: datetime | None

    @property
    def read_at(self) -> datetime | None:
        """The older of both times: what was fetched lately may have been old there."""
        if self.retrieved_at is None:
            return self.oem_updated_at
        if self.oem_updated_at is None:
            return self.retrieved_at
        return min(self.retrieved_at, self.oem_updated_at)

    def without(self, schedule_id: str) -> Self:
        """Return the reading without a timer that was removed since."""
        timers = [timer for timer in self.timers if timer.schedule_id != schedule_id]
        return replace(self, timers=tuple(timers))

    @classmethod
    def from_body(cls, body: Any) -> Self | None:
        """Read the signal, if it has a list of timers; never raises."""
        data = member(body, "data")
        values = member(data, "attributes", "body", "values")
        # No list is not an empty one, which can prove that a schedule is not there.
        if not isinstance(values, list):
            return None
        return cls(
            timers=tuple(map(ChargeTimer.from_value, values)),
            status=as_text(member(data, "attributes", "status", "value")),
            retrieved_at=as_moment(member(data, "meta", "retrievedAt")),
            oem_updated_at=as_moment(member(data, "meta", "oemUpdatedAt")),
        )


def _as_id(value: Any) -> str | None:
    """Return the value if it is a valid id."""
    if is_valid_id(value):
        return str(value)
    return None


def _as_permissions(value: Any) -> frozenset[str] | None:
    """Return the permissions, if they are a list of texts."""
    texts = as_texts(value)
    if isinstance(value, list) and len(texts) == len(value):
        return frozenset(texts)
    return None


def _as_time(value: Any) -> time | None:
    """Return a time of day, if it is one of whole minutes."""
    if not isinstance(value, str):
        return None
    match = _TIME.fullmatch(value)
    if match is None:
        return None
    return time(int(match[1]), int(match[2]))


def _id_from_link(link: Any) -> str | None:
    """Return the last segment of the link to a schedule: its id."""
    if not isinstance(link, str):
        return None
    collection, _, schedule_id = link.rpartition("/")
    if "/charge-schedules" not in collection:
        return None
    return _as_id(schedule_id)
