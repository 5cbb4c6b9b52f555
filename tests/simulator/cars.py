"""Which cars are connected and which charge schedules are on them."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import uuid4

from .answers import RefusedError

MAX_SCHEDULES: Final = 10
_DAY: Final = 24 * 60
_DAYS: Final = (
    "MONDAY",
    "TUESDAY",
    "WEDNESDAY",
    "THURSDAY",
    "FRIDAY",
    "SATURDAY",
    "SUNDAY",
)


class CreateMode(StrEnum):
    """What creating a schedule does to those that are on the car."""

    ADD = "add"
    REPLACE_NEW_ID = "replace_new_id"
    REPLACE_SAME_ID = "replace_same_id"
    REFUSE_OVERLAP = "refuse_overlap"
    REFUSE_FULL = "refuse_full"


def _new_id() -> str:
    """Return an id as Smartcar's vehicles and users have."""
    return str(uuid4())


@dataclass(frozen=True, kw_only=True, slots=True)
class Car:
    """A car as its user connected it.

    `application` is the only one that sees it; None: all do.
    """

    vehicle_id: str = field(default_factory=_new_id)
    user_id: str = field(default_factory=_new_id)
    connection_id: str = field(default_factory=_new_id)
    make: str
    model: str
    year: int
    powertrain_type: str = "BEV"
    mode: str = "live"
    permissions: tuple[str, ...] = (
        "control_charge",
        "read_charge",
        "read_vehicle_info",
    )
    application: str | None = None
    connected_at: str = "2025-05-03T02:45:45.349Z"

    @property
    def attributes(self) -> dict[str, Any]:
        """Return what the API tells of the vehicle."""
        return {
            "make": self.make,
            "model": self.model,
            "year": self.year,
            "powertrainType": self.powertrain_type,
            "mode": self.mode,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """A charge window on the car, times HH:MM; without coordinates for everywhere."""

    id: str = field(default_factory=lambda: f"sched_{uuid4().hex}")
    latitude: float | None
    longitude: float | None
    start: str
    stop: str
    schedule_type: str = "DAILY"
    days: tuple[str, ...] = _DAYS
    name: str | None = None

    @property
    def place(self) -> tuple[float | None, float | None]:
        """Return where it applies."""
        return self.latitude, self.longitude

    @property
    def parameters(self) -> dict[str, Any]:
        """Return what an execution echoes."""
        location = {"latitude": self.latitude, "longitude": self.longitude}
        return {"location": location, "startTime": self.start, "stopTime": self.stop}

    @property
    def timer(self) -> dict[str, Any]:
        """Return what the charge timers signal tells of it."""
        timer = {
            "schedules": [
                {
                    "start": f"{self.start}:00",
                    "end": f"{self.stop}:00",
                    "days": list(self.days),
                }
            ],
            "departureTimers": [],
            "isOEMOptimizationEnabled": False,
        }
        if self.latitude is None:
            return {"type": "GLOBAL", "condition": None, **timer}
        condition = {
            "name": self.name,
            "latitude": self.latitude,
            "longitude": self.longitude,
        }
        return {
            "type": "LOCATION",
            "scheduleType": self.schedule_type,
            "scheduleId": self.id,
            "condition": condition,
            **timer,
        }

    def overlaps(self, other: Schedule) -> bool:
        """Tell whether both charge at some time of the day at the same place."""
        return self.place == other.place and any(
            start < other_stop and other_start < stop
            for start, stop in self._minutes()
            for other_start, other_stop in other._minutes()
        )

    def _minutes(self) -> list[tuple[int, int]]:
        """Return the window as minutes of one day: two parts over midnight."""
        start, stop = (
            int(time[:2]) * 60 + int(time[3:]) for time in (self.start, self.stop)
        )
        return [(start, stop)] if start < stop else [(start, _DAY), (0, stop)]


@dataclass(kw_only=True, slots=True)
class Vehicle:
    """A connected car, what is on it, and what Smartcar's store has of its timers.

    `other_connections` are those that other users made, or the same one for another
    application: the same car with their ids.

    `timers_read_at` is when the store was filled; None: never. `timers_live` fills it
    anew for every request. `timers_oem_updated_at` is when the maker's cloud read the
    car; None: at the same time. `timers_meta` is the whole of the signal's `meta`
    instead of these two times, as it is.

    `timers_status` is the signal's status word; None: it has no status at all.
    `timers_error` makes it ERROR, with this error object beside the old reading.

    `timers_extra` are values of the list of timers as they are, after those in the
    store: whatever shape a maker may give them. `Schedule.timer` is the documented one,
    to begin with.
    """

    car: Car
    other_connections: list[Car] = field(default_factory=list)
    schedules: dict[str, Schedule] = field(default_factory=dict)
    timers: list[Schedule] = field(default_factory=list)
    timers_read_at: datetime | None = None
    timers_oem_updated_at: datetime | None = None
    timers_meta: dict[str, Any] | None = None
    timers_live: bool = False
    timers_status: str | None = "SUCCESS"
    timers_error: dict[str, Any] | None = None
    timers_extra: list[Any] = field(default_factory=list)

    @property
    def connections(self) -> list[Car]:
        """Return the car as each of its users connected it."""
        return [self.car, *self.other_connections]

    def read_timers(self, at: datetime | None = None) -> None:
        """Fill Smartcar's store with what is on the car, now or at the given time."""
        self.timers = list(self.schedules.values())
        self.timers_read_at = at or datetime.now(UTC)

    @property
    def timers_signal_status(self) -> dict[str, Any] | None:
        """Return the status of the charge timers signal."""
        if self.timers_error is not None:
            return {"value": "ERROR", "error": self.timers_error}
        if self.timers_status is None:
            return None
        return {"value": self.timers_status}

    @property
    def timers_signal_meta(self) -> dict[str, Any]:
        """Return the times of the charge timers signal."""
        if self.timers_meta is not None:
            return self.timers_meta
        if self.timers_read_at is None:
            return {}
        oem_updated_at = self.timers_oem_updated_at or self.timers_read_at
        return {
            "oemUpdatedAt": _written(oem_updated_at),
            "retrievedAt": _written(self.timers_read_at),
        }

    def create(self, schedule: Schedule, mode: CreateMode) -> Schedule:
        """Put a schedule on the car as the mode says and return it as it is there."""
        same_place = [
            other for other in self.schedules.values() if other.place == schedule.place
        ]
        if mode is CreateMode.REFUSE_FULL and len(self.schedules) >= MAX_SCHEDULES:
            detail = f"The vehicle can not hold more than {MAX_SCHEDULES} schedules."
            raise RefusedError(409, "VEHICLE_STATE", "SCHEDULE_LIMIT_REACHED", detail)
        if mode is CreateMode.REFUSE_OVERLAP and any(
            schedule.overlaps(other) for other in same_place
        ):
            detail = "The charge schedule overlaps with another one at this location."
            raise RefusedError(409, "VEHICLE_STATE", "SCHEDULE_CONFLICT", detail)
        if mode is CreateMode.REPLACE_SAME_ID and same_place:
            schedule = replace(schedule, id=same_place[0].id)
        if mode in (CreateMode.REPLACE_NEW_ID, CreateMode.REPLACE_SAME_ID):
            for other in same_place:
                del self.schedules[other.id]
        self.schedules[schedule.id] = schedule
        return schedule


def _written(moment: datetime) -> str:
    """Return a time as signals have it."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


@dataclass(kw_only=True, eq=False)
class Cars:
    """All vehicles by id."""

    create_mode: CreateMode = CreateMode.ADD
    vehicles: dict[str, Vehicle] = field(default_factory=dict, init=False)

    def add_car(self, car: Car) -> Vehicle:
        """Connect a car, or connect it again: what is on it stays."""
        if car.vehicle_id in self.vehicles:
            self.vehicles[car.vehicle_id].car = car
        else:
            self.vehicles[car.vehicle_id] = Vehicle(car=car)
        return self.vehicles[car.vehicle_id]

    def connect_too(self, car: Car) -> None:
        """Connect a car that is connected already once more; both connections work."""
        self.vehicles[car.vehicle_id].other_connections.append(car)

    def remove_car(self, vehicle_id: str) -> None:
        """Disconnect a car."""
        del self.vehicles[vehicle_id]

    def schedules(self, vehicle_id: str) -> list[Schedule]:
        """Return what is on the car now."""
        return list(self.vehicles[vehicle_id].schedules.values())

    def add_schedule(
        self,
        vehicle_id: str,
        *,
        start: str,
        stop: str,
        latitude: float | None = None,
        longitude: float | None = None,
        schedule_type: str = "DAILY",
        days: tuple[str, ...] = _DAYS,
        name: str | None = None,
    ) -> Schedule:
        """Put a schedule on the car that was made elsewhere, in its app for example."""
        schedule = Schedule(
            latitude=latitude,
            longitude=longitude,
            start=start,
            stop=stop,
            schedule_type=schedule_type,
            days=days,
            name=name,
        )
        return self.vehicles[vehicle_id].create(schedule, CreateMode.ADD)
