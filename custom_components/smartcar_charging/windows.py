"""When a daily window is, in real time: across midnight, and across both clock changes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo


@dataclass(frozen=True, slots=True)
class Window:
    """From one instant to another, with the offset from UTC that clocks show there: such instants compare rightly."""

    start: datetime
    end: datetime


def windows_between(
    start_time: str, stop_time: str, zone: tzinfo, begin: datetime, end: datetime
) -> Iterator[Window]:
    """Return the daily windows that touch the time between two instants, in order."""
    start, stop = time.fromisoformat(start_time), time.fromisoformat(stop_time)
    day = begin.astimezone(zone).date() - timedelta(days=1)
    while (window := _window_of(day, start, stop, zone)).start < end:
        # A window that lies in the spring gap altogether does not happen on that day.
        if window.end > begin and window.end > window.start:
            yield window
        day += timedelta(days=1)


def current_or_next(
    start_time: str, stop_time: str, zone: tzinfo, now: datetime
) -> Window:
    """Return the window that is open, else the next one."""
    return next(
        windows_between(start_time, stop_time, zone, now, now + timedelta(days=3))
    )


def _window_of(day: date, start: time, stop: time, zone: tzinfo) -> Window:
    """Return the window that begins on a day."""
    last_day = day if start < stop else day + timedelta(days=1)
    return Window(_instant(day, start, zone), _instant(last_day, stop, zone))


def _instant(day: date, wall: time, zone: tzinfo) -> datetime:
    """Return when clocks show a time: the first of two in autumn, and the gap's end for one in the spring gap."""
    local = datetime.combine(day, wall, zone)
    instant = local.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        instant = _end_of_gap(instant, zone)
    offset = instant.astimezone(zone).utcoffset() or timedelta(0)
    return instant.astimezone(timezone(offset))


def _end_of_gap(after: datetime, zone: tzinfo) -> datetime:
    """Return the instant at which the clocks were put forward, shortly before another one."""
    offset = after.astimezone(zone).utcoffset()
    instant = after.replace(second=0, microsecond=0)
    while (instant - timedelta(minutes=1)).astimezone(zone).utcoffset() == offset:
        instant -= timedelta(minutes=1)
    return instant
