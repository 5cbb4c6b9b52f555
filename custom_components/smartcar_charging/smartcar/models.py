"""Plain values that go to Smartcar and come from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
import re
from typing import Any, Final, Self

from .errors import InvalidIdError
from .reading import as_list, as_mapping, as_moment, as_number, as_text

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_TIME: Final = re.compile(r"((?:[01][0-9]|2[0-3]):[0-5][0-9])(?::00)?")

_ROUNDING: Final = 1e-5

# The makes that the commands overview lists for daily schedules. The list can grow: warn, never block.
MAKES_WITH_DAILY_SCHEDULES: Final = frozenset({"tesla", "volvo"})
PERMISSION_CONTROL_CHARGE: Final = "control_charge"


def is_valid_id(value: object) -> bool:
    """Whether this can be an id of Smartcar's; `.` and `..` would change a path however they are quoted."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def check_id(value: str) -> str:
    """Return the id, or raise InvalidIdError, which does not repeat it."""
    if not is_valid_id(value):
        raise InvalidIdError(
            "this can not be a Smartcar id: letters, digits, '-' and '_', at most 128 of them"
        )
    return value


@dataclass(frozen=True, kw_only=True, slots=True)
class Location:
    """A place in decimal degrees; kept out of reprs, since it may be somebody's home."""

    latitude: float = field(repr=False)
    longitude: float = field(repr=False)

    def as_dict(self) -> dict[str, float]:
        """Return the place as Smartcar and Home Assistant both write it."""
        return {"latitude": self.latitude, "longitude": self.longitude}

    def is_about(self, other: Location) -> bool:
        """Whether both are one place, but for rounding."""
        return (
            abs(self.latitude - other.latitude) < _ROUNDING
            and abs(self.longitude - other.longitude) < _ROUNDING
        )

    @classmethod
    def from_dict(cls, value: Any) -> Self | None:
        """Read a place, if it is one."""
        value = as_mapping(value)
        latitude, longitude = (
            as_number(value.get("latitude")),
            as_number(value.get("longitude")),
        )
        if (
            latitude is None
            or longitude is None
            or abs(latitude) > 90
            or abs(longitude) > 180
        ):
            return None
        return cls(latitude=latitude, longitude=longitude)


@dataclass(frozen=True, kw_only=True, slots=True)
class DailySchedule:
    """A charge window that repeats daily at a place; times are `HH:MM`, presumably wall clock at the car."""

    location: Location
    start_time: str
    stop_time: str

    def as_body(self) -> dict[str, Any]:
        """Return the request body, as the documentation shows it."""
        attributes = {
            "location": self.location.as_dict(),
            "startTime": self.start_time,
            "stopTime": self.stop_time,
        }
        return {"data": {"attributes": attributes}}


@dataclass(frozen=True, kw_only=True, slots=True)
class Execution:
    """What Smartcar says of a command that succeeded; what it leaves out, or garbles, is None."""

    execution_id: str | None = None
    schedule_id: str | None = None
    action: str | None = None
    schedule_type: str | None = None
    status: str | None = None
    execution_mode: str | None = None
    location: Location | None = None
    start_time: str | None = None
    stop_time: str | None = None
    executed_at: str | None = None
    completed_at: str | None = None
    duration_seconds: float | None = None
    request_id: str | None = None

    @classmethod
    def from_body(cls, body: Any, *, request_id: str | None = None) -> Self:
        """Read an execution out of an answer; never raises, whatever the body is."""
        data = as_mapping(as_mapping(body).get("data"))
        attributes = as_mapping(data.get("attributes"))
        parameters = as_mapping(attributes.get("parameters"))
        meta = as_mapping(data.get("meta"))
        return cls(
            execution_id=as_text(data.get("id")),
            schedule_id=_valid_id(attributes.get("scheduleId"))
            or _id_from_link(as_mapping(data.get("links"))),
            action=as_text(attributes.get("action")),
            schedule_type=as_text(attributes.get("scheduleType")),
            status=as_text(as_mapping(attributes.get("status")).get("value")),
            execution_mode=as_text(attributes.get("executionMode")),
            location=Location.from_dict(parameters.get("location")),
            start_time=_time(parameters.get("startTime")),
            stop_time=_time(parameters.get("stopTime")),
            executed_at=as_text(meta.get("executedAt")),
            completed_at=as_text(meta.get("completedAt")),
            duration_seconds=as_number(meta.get("durationInSeconds")),
            request_id=request_id,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """A car that a user has connected to the application."""

    connection_id: str
    vehicle_id: str
    user_id: str
    permissions: frozenset[str] = frozenset()
    make: str | None = None
    model: str | None = None
    year: int | None = None

    @property
    def can_control_charge(self) -> bool:
        """Whether the user granted what charge schedules need."""
        return PERMISSION_CONTROL_CHARGE in self.permissions

    @property
    def make_takes_daily_schedules(self) -> bool:
        """Whether the make is documented to take daily schedules."""
        return (self.make or "").casefold() in MAKES_WITH_DAILY_SCHEDULES

    @classmethod
    def from_resource(cls, resource: Any) -> Self | None:
        """Read a connection, if it names a car and a user by valid ids."""
        resource = as_mapping(resource)
        relationships = as_mapping(resource.get("relationships"))
        attributes = as_mapping(resource.get("attributes"))
        vehicle = as_mapping(attributes.get("vehicle"))
        year = as_number(vehicle.get("year"))
        connection_id = _valid_id(resource.get("id"))
        vehicle_id = _related_id(relationships, "vehicle")
        user_id = _related_id(relationships, "user")
        if connection_id is None or vehicle_id is None or user_id is None:
            return None
        return cls(
            connection_id=connection_id,
            vehicle_id=vehicle_id,
            user_id=user_id,
            permissions=frozenset(
                filter(None, map(as_text, as_list(attributes.get("permissions"))))
            ),
            make=as_text(vehicle.get("make")),
            model=as_text(vehicle.get("model")),
            year=int(year) if year is not None else None,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ChargeWindow:
    """When a timer lets the car charge; no days mean that none were told."""

    start_time: str | None
    stop_time: str | None
    days: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ChargeTimer:
    """A timer on the car, whoever set it."""

    type: str | None
    schedule_type: str | None
    schedule_id: str | None
    location: Location | None
    windows: tuple[ChargeWindow, ...]

    @classmethod
    def from_value(cls, value: Any) -> Self:
        """Read a timer; what it does not say is None."""
        timer = as_mapping(value)
        schedule_type = as_text(timer.get("scheduleType"))
        return cls(
            type=as_text(timer.get("type")),
            schedule_type=None if schedule_type is None else schedule_type.casefold(),
            schedule_id=_valid_id(timer.get("scheduleId")),
            location=Location.from_dict(timer.get("condition")),
            windows=tuple(
                ChargeWindow(
                    start_time=_time(as_mapping(window).get("start")),
                    stop_time=_time(as_mapping(window).get("end")),
                    days=tuple(
                        filter(
                            None, map(as_text, as_list(as_mapping(window).get("days")))
                        )
                    ),
                )
                for window in as_list(timer.get("schedules"))
            ),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class TimersReading:
    """The timers on the car, as they were at a moment; None is an unknown one."""

    timers: tuple[ChargeTimer, ...]
    read_at: datetime | None

    @classmethod
    def from_body(cls, body: Any) -> Self | None:
        """Read the charge timers signal, if it has a list of timers; never raises, whatever the body is."""
        data = as_mapping(as_mapping(body).get("data"))
        meta = as_mapping(data.get("meta"))
        values = as_mapping(as_mapping(data.get("attributes")).get("body")).get(
            "values"
        )
        # No list is not the same as an empty one, which proves that a schedule is not on the car.
        if not isinstance(values, list):
            return None
        # Smartcar may have fetched lately what the maker's cloud has known for long: the older of both counts.
        moments = [
            moment
            for key in ("oemUpdatedAt", "retrievedAt")
            if (moment := as_moment(meta.get(key)))
        ]
        return cls(
            timers=tuple(ChargeTimer.from_value(value) for value in values),
            read_at=min(moments, default=None),
        )


def _valid_id(value: Any) -> str | None:
    """Return the value if it is a valid id."""
    return value if is_valid_id(value) else None


def _time(value: Any) -> str | None:
    """Return a wall-clock time as `HH:MM`, if it is one."""
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    return match[1] if match else None


def _related_id(relationships: Mapping[str, Any], name: str) -> str | None:
    """Return the id of a related resource."""
    return _valid_id(
        as_mapping(as_mapping(relationships.get(name)).get("data")).get("id")
    )


def _id_from_link(links: Mapping[str, Any]) -> str | None:
    """Return the last segment of the link to the schedule: the id, where `scheduleId` is missing."""
    link = links.get("schedule")
    if not isinstance(link, str):
        return None
    collection, _, last = link.rpartition("/")
    return _valid_id(last) if "/charge-schedules" in collection else None
