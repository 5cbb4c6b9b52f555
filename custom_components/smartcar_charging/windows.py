"""When a daily window is in real time: over midnight, and over both clock changes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Final

from .models import DailyWindow

# No two windows are further apart, whatever a clock change leaves out.
MAX_DAYS_BETWEEN: Final = 3

# A window ends up to a day later, and a clock may be ahead by another: beyond this
# instant, dates run out.
_LAST: Final = datetime.max.replace(tzinfo=UTC) - timedelta(days=3)


@dataclass(frozen=True, order=True, slots=True)
class Window:
    """From one instant to another, with the offset from UTC that clocks show there.

    Such instants compare rightly.
    """

    start: datetime
    end: datetime

    def after(self, moment: datetime) -> Window:
        """Return what of the window is after a moment."""
        return Window(max(self.start, moment), self.end)


def windows_between(
    daily: DailyWindow, zone: tzinfo, begin: datetime, end: datetime
) -> Iterator[Window]:
    """Return the windows that touch the time between two instants, in order."""
    day = min(begin, _LAST).astimezone(zone).date() - timedelta(days=1)
    last = min(end, _LAST)
    window = _window_of(day, daily, zone)
    while window.start < last:
        # A window that lies in the spring gap altogether does not happen on that day.
        if window.end > begin and window.end > window.start:
            yield window
        day += timedelta(days=1)
        window = _window_of(day, daily, zone)


def current_or_next(daily: DailyWindow, zone: tzinfo, now: datetime) -> Window:
    """Return the window that is open, else the next one."""
    until = now + timedelta(days=MAX_DAYS_BETWEEN)
    return next(windows_between(daily, zone, now, until))


def with_offset(instant: datetime, zone: tzinfo) -> datetime:
    """Return an instant with the offset from UTC that clocks show then."""
    offset = instant.astimezone(zone).utcoffset() or timedelta(0)
    return instant.astimezone(timezone(offset))


def _window_of(day: date, daily: DailyWindow, zone: tzinfo) -> Window:
    """Return the window that begins on a day."""
    last_day = day + timedelta(days=1) if daily.crosses_midnight else day
    return Window(
        _instant(day, daily.start_time, zone), _instant(last_day, daily.stop_time, zone)
    )


def _instant(day: date, wall: time, zone: tzinfo) -> datetime:
    """Return when clocks show a time.

    That is the first of two in autumn, and the end of the gap for one in spring's gap.
    """
    local = datetime.combine(day, wall, zone)
    instant = local.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        instant = _end_of_gap(instant, zone)
    return with_offset(instant, zone)


def _end_of_gap(after: datetime, zone: tzinfo) -> datetime:
    """Return when clocks were put forward, shortly before another instant."""
    offset = after.astimezone(zone).utcoffset()
    instant = after.replace(second=0, microsecond=0)
    while (instant - timedelta(minutes=1)).astimezone(zone).utcoffset() == offset:
        instant -= timedelta(minutes=1)
    return instant
