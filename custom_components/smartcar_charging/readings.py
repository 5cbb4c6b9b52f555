"""What a reading of a car's timers proves of the schedules that Home Assistant sent."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final

from .models import (
    MINUTES_OF_A_DAY,
    DailyWindow,
    Place,
    Schedule,
    VehicleState,
    minute_of_day,
)
from .smartcar import ChargeTimer, Location, TimersReading, TimerWindow

# What a command did shows in a reading of so much later, whatever the car was doing.
SETTLING_TIME: Final = timedelta(minutes=10)
# A clock of Smartcar's may be ahead by as much; more is a local time taken for UTC.
MAX_CLOCK_DIFFERENCE: Final = timedelta(minutes=1)
# A car may round what it was sent: only a timer that differs by more is another one.
MAX_ROUNDING_MINUTES: Final = 15
MAX_ROUNDING_METERS: Final = 1000

_WEEKDAYS: Final = frozenset({"MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"})


class Presence(StrEnum):
    """Whether a schedule is on the car."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What a reading says of a schedule that is to be found.

    `found_ids` are those of timers that can be it, as many as it counts at most.
    `is_rest_absent`: whatever was not found is provably not on the car.
    """

    found_ids: tuple[str, ...]
    is_rest_absent: bool


def is_older(reading: TimersReading, moment: datetime) -> bool:
    """Whether a reading may be from before a moment; of an unknown age it may."""
    return reading.read_at is None or reading.read_at < moment


def presence(
    reading: TimersReading | None,
    schedule: Schedule,
    state: VehicleState,
    now: datetime,
) -> Presence:
    """Return what a reading proves of a schedule."""
    if reading is None or is_older(reading, schedule.ended_at):
        return Presence.UNKNOWN
    if schedule.schedule_id is None:
        finding = find(reading, schedule, state, now)
        if finding.found_ids:
            return Presence.YES
        return Presence.NO if finding.is_rest_absent else Presence.UNKNOWN
    for timer in reading.timers:
        if timer.schedule_id == schedule.schedule_id:
            return Presence.YES
    unknown = _unknown_timers(reading, state, now)
    if _proves_absence(reading, schedule, unknown, now):
        return Presence.NO
    return Presence.UNKNOWN


def is_settled(reading: TimersReading, schedule: Schedule, now: datetime) -> bool:
    """Whether a reading is from so long after a command that its effect shows."""
    for moment in (reading.retrieved_at, reading.oem_updated_at):
        if moment is not None and moment > now + MAX_CLOCK_DIFFERENCE:
            return False
    return not is_older(reading, schedule.ended_at + SETTLING_TIME)


def find(
    reading: TimersReading, wanted: Schedule, state: VehicleState, now: datetime
) -> Finding:
    """Return what a reading says of a schedule whose id is not known.

    One timer stands for one schedule only, whichever of several equal ones it is.
    """
    unknown = _unknown_timers(reading, state, now)
    found_ids: list[str] = []
    rest = []
    for timer in unknown:
        is_wanted = len(found_ids) < wanted.count and _is_match(timer, wanted)
        if is_wanted and timer.schedule_id is not None:
            found_ids.append(timer.schedule_id)
        else:
            rest.append(timer)
    if is_older(reading, wanted.sent_at):
        return Finding(found_ids=(), is_rest_absent=False)
    is_rest_absent = _proves_absence(reading, wanted, rest, now)
    return Finding(found_ids=tuple(found_ids), is_rest_absent=is_rest_absent)


def settle(
    reading: TimersReading, schedule: Schedule, state: VehicleState, now: datetime
) -> Finding:
    """Return what a reading says of an unsettled schedule.

    One whose delete was doubtful is found only if the delete would show by now.
    """
    if schedule.schedule_id is None:
        return find(reading, schedule, state, now)
    proven = presence(reading, schedule, state, now)
    found_ids: tuple[str, ...] = ()
    if proven is Presence.YES and is_settled(reading, schedule, now):
        found_ids = (schedule.schedule_id,)
    return Finding(found_ids=found_ids, is_rest_absent=proven is Presence.NO)


def _unknown_timers(
    reading: TimersReading, state: VehicleState, now: datetime
) -> list[ChargeTimer]:
    """Return the timers of which nobody knows which they are."""
    return [
        timer for timer in reading.timers if not _is_known(timer, reading, state, now)
    ]


def _is_known(
    timer: ChargeTimer, reading: TimersReading, state: VehicleState, now: datetime
) -> bool:
    """Whether a timer is a schedule with a known id, and was not changed since.

    Smartcar may replace a schedule by itself and keep its id: then the timer is what
    was sent later.
    """
    schedule = state.find(timer.schedule_id)
    if schedule is None:
        return False
    is_changed = _is_clearly_another(timer, schedule)
    return not (is_changed and is_settled(reading, schedule, now))


def _proves_absence(
    reading: TimersReading,
    schedule: Schedule,
    timers: Iterable[ChargeTimer],
    now: datetime,
) -> bool:
    """Whether a reading proves that a schedule is none of these timers, nor elsewhere.

    Smartcar's own date counts, and no other one may contradict it.
    """
    if reading.status != "SUCCESS" or reading.retrieved_at is None:
        return False
    if not is_settled(reading, schedule, now):
        return False
    return all(_is_clearly_another(timer, schedule) for timer in timers)


def _is_match(timer: ChargeTimer, schedule: Schedule) -> bool:
    """Whether a timer is a daily one with this window at this place."""
    if timer.schedule_type != "daily" or timer.location is None:
        return False
    if not Place(zone=None, location=timer.location).is_same(schedule.place):
        return False
    # Not the window that was asked for, if Smartcar said that it set another.
    wanted = (schedule.window.start_time, schedule.window.stop_time)
    return any(
        (window.start_time, window.stop_time) == wanted for window in timer.windows
    )


def _is_clearly_another(timer: ChargeTimer, schedule: Schedule) -> bool:
    """Whether a timer cannot be this schedule, even if the car rounds."""
    if _is_elsewhere(timer.location, schedule.place):
        return True
    if not timer.windows:
        return False
    wanted = (schedule.asked, schedule.window)
    similar = [
        window for window in timer.windows if not _is_at_other_times(window, wanted)
    ]
    if not similar:
        return True
    return timer.schedule_type != "daily" and _leave_out_a_day(similar)


def _is_elsewhere(location: Location | None, place: Place) -> bool:
    """Whether a timer is for a place that is surely another one."""
    if location is None:
        return False
    meters = place.meters_to(location)
    return meters is not None and meters > MAX_ROUNDING_METERS


def _is_at_other_times(window: TimerWindow, wanted: Iterable[DailyWindow]) -> bool:
    """Whether a window of a timer begins or ends at clearly other times."""
    if window.start_time is None or window.stop_time is None:
        return False
    for other in wanted:
        start = _minutes_between(window.start_time, other.start_time)
        stop = _minutes_between(window.stop_time, other.stop_time)
        if max(start, stop) <= MAX_ROUNDING_MINUTES:
            return False
    return True


def _leave_out_a_day(windows: Iterable[TimerWindow]) -> bool:
    """Whether windows name their days, and together not all of them."""
    all_days: set[str] = set()
    for window in windows:
        days = {day[:3].upper() for day in window.days}
        # No days, or a word that is no weekday, say nothing.
        if not days or not days <= _WEEKDAYS:
            return False
        all_days |= days
    return all_days < _WEEKDAYS


def _minutes_between(one: time, other: time) -> int:
    """Return how far two times of day are apart, across midnight if that is less."""
    minutes = abs(minute_of_day(one) - minute_of_day(other))
    return min(minutes, MINUTES_OF_A_DAY - minutes)
