"""What a reading of a car's timers proves of the schedules that Home Assistant sent, and what it does not."""

from collections.abc import Collection
from datetime import timedelta
from enum import StrEnum
from typing import Final

from .records import OwnSchedule, Place, PossibleSchedule
from .smartcar import ChargeTimer, TimersReading, as_moment

# A create that was carried out shows in a reading of so much later, whatever the car was doing.
_SETTLES_AFTER: Final = timedelta(minutes=10)


class Presence(StrEnum):
    """Whether a schedule is on the car."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


def is_older(
    reading: TimersReading, sent_at: str, *, by: timedelta = timedelta(0)
) -> bool:
    """Whether the reading may be from before the moment; one of unknown age always may."""
    moment = as_moment(sent_at)
    return reading.read_at is None or moment is None or reading.read_at < moment + by


def presence(reading: TimersReading | None, schedule: OwnSchedule) -> Presence:
    """Return what the reading proves of a schedule with a known id."""
    if reading is None or is_older(reading, schedule.set_at):
        return Presence.UNKNOWN
    if any(timer.schedule_id == schedule.schedule_id for timer in reading.timers):
        return Presence.YES
    # A timer without an id could be any of them.
    if any(
        timer.schedule_id is None and _matches(timer, schedule)
        for timer in reading.timers
    ):
        return Presence.UNKNOWN
    return (
        Presence.UNKNOWN
        if is_older(reading, schedule.set_at, by=_SETTLES_AFTER)
        else Presence.NO
    )


def find_sent(
    reading: TimersReading, schedule: PossibleSchedule, known_ids: Collection[str]
) -> str | None:
    """Return the id of a daily timer with that window and place that nobody knew of."""
    for timer in reading.timers:
        if (
            timer.schedule_id is not None
            and timer.schedule_id not in known_ids
            and _matches(timer, schedule)
        ):
            return timer.schedule_id
    return None


def proves_absence(reading: TimersReading, schedule: PossibleSchedule) -> bool:
    """Whether a reading in which the schedule was not found says that it is not on the car."""
    # A timer without an id could be it.
    could_be_it = any(
        timer.schedule_id is None and _matches(timer, schedule)
        for timer in reading.timers
    )
    return not could_be_it and not is_older(
        reading, schedule.sent_at, by=_SETTLES_AFTER
    )


def _matches(timer: ChargeTimer, schedule: OwnSchedule | PossibleSchedule) -> bool:
    """Whether the timer is a daily one with this window at this place."""
    return (
        timer.schedule_type == "daily"
        and timer.location is not None
        and Place(zone=None, location=timer.location).is_same(schedule.place)
        and any(
            (window.start_time, window.stop_time)
            == (schedule.start_time, schedule.stop_time)
            for window in timer.windows
        )
    )
