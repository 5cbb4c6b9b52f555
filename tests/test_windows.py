"""When a daily window is, anywhere in the world and on every day of the year."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings, strategies as st
import pytest

from custom_components.smartcar_charging.models import (
    MINUTES_OF_A_DAY,
    DailyWindow,
    minute_of_day,
)
from custom_components.smartcar_charging.windows import (
    Window,
    current_or_next,
    windows_between,
    with_offset,
)

BEGIN: Final = datetime(2005, 1, 1, tzinfo=UTC)
DAY: Final = timedelta(days=1)

# The same examples each time, so that nobody's change fails for what it did not do.
ANYWHERE: Final = settings(
    max_examples=300, deadline=None, derandomize=True, database=None
)

# Half an hour, midnight, the other half of the world, a day that was left out, and a
# winter that is the summer.
ODD_ZONES: Final = (
    "Africa/Casablanca",
    "America/Havana",
    "America/Santiago",
    "America/St_Johns",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Europe/Amsterdam",
    "Europe/Dublin",
    "Pacific/Apia",
    "UTC",
)
zones: Final = st.sampled_from(ODD_ZONES).map(ZoneInfo) | st.timezones()
instants: Final = st.integers(0, 33 * 365 * 24 * 60).map(
    lambda minutes: BEGIN + timedelta(minutes=minutes)
)
times: Final = st.times().map(lambda moment: moment.replace(second=0, microsecond=0))
daily_windows: Final = st.lists(times, min_size=2, max_size=2, unique=True).map(
    lambda ends: DailyWindow(start_time=ends[0], stop_time=ends[1])
)


def a_window(start: str, stop: str) -> DailyWindow:
    """Return the daily window between two times of day."""
    return DailyWindow(
        start_time=time.fromisoformat(start), stop_time=time.fromisoformat(stop)
    )


def between(
    daily: DailyWindow, zone: ZoneInfo, begin: datetime, end: datetime
) -> list[Window]:
    """Return the windows between two instants."""
    return list(windows_between(daily, zone, begin, end))


def wall_clock(instant: datetime, zone: ZoneInfo) -> time:
    """Return what clocks show."""
    return instant.astimezone(zone).time()


def duration(daily: DailyWindow) -> timedelta:
    """Return how long a window is on the clock."""
    return timedelta(minutes=daily.duration_minutes)


@given(daily=daily_windows, zone=zones, begin=instants, days=st.integers(0, 10))
@ANYWHERE
def test_windows_are_in_order_and_do_not_overlap(
    daily: DailyWindow, zone: ZoneInfo, begin: datetime, days: int
) -> None:
    """And all of them touch the time that was asked for."""
    end = begin + days * DAY
    found = between(daily, zone, begin, end)
    assert all(window.start < window.end for window in found)
    assert all(first.end <= second.start for first, second in pairwise(found))
    assert all(window.end > begin and window.start < end for window in found)


@given(daily=daily_windows, zone=zones, begin=instants)
@ANYWHERE
def test_windows_are_as_long_as_the_clock_says_but_for_its_changes(
    daily: DailyWindow, zone: ZoneInfo, begin: datetime
) -> None:
    """Between times that clocks show, a change shortens or lengthens it exactly."""
    for window in between(daily, zone, begin, begin + 7 * DAY):
        assume(wall_clock(window.start, zone) == daily.start_time)
        assume(wall_clock(window.end, zone) == daily.stop_time)
        before, after = (
            instant.astimezone(zone).utcoffset()
            for instant in (window.start, window.end)
        )
        assert before is not None
        assert after is not None
        assert window.end - window.start == duration(daily) - (after - before)
        assert (window.start.utcoffset(), window.end.utcoffset()) == (before, after)


@given(daily=daily_windows, zone=zones, now=instants)
@ANYWHERE
def test_window_is_open_when_the_clock_is_inside_of_it(
    daily: DailyWindow, zone: ZoneInfo, now: datetime
) -> None:
    """On days without a clock change nearby; if not open, it is the very next one."""
    offsets = {
        (now + hours * DAY / 4).astimezone(zone).utcoffset() for hours in range(-8, 9)
    }
    assume(len(offsets) == 1)
    window = current_or_next(daily, zone, now)
    clock = wall_clock(now, zone)
    since_start = minute_of_day(clock) - minute_of_day(daily.start_time)
    is_open = since_start % MINUTES_OF_A_DAY < daily.duration_minutes
    assert (window.start <= now) is is_open
    assert now < window.end
    assert window.start <= now + DAY


@given(daily=daily_windows, zone=zones, now=instants)
@ANYWHERE
def test_current_or_next_is_the_first_that_has_not_ended(
    daily: DailyWindow, zone: ZoneInfo, now: datetime
) -> None:
    """On every day, also when the next day's window lies in the spring gap."""
    window = current_or_next(daily, zone, now)
    found = between(daily, zone, now - 3 * DAY, now + 3 * DAY)
    assert window == next(other for other in found if other.end > now)


@given(daily=daily_windows, zone=zones, begin=instants)
@ANYWHERE
def test_what_is_asked_for_in_parts_is_the_same_as_in_whole(
    daily: DailyWindow, zone: ZoneInfo, begin: datetime
) -> None:
    """A calendar that shows a day at a time shows what one with weeks does."""
    parts = [
        between(daily, zone, begin + day * DAY, begin + (day + 1) * DAY)
        for day in range(7)
    ]
    assert {window for part in parts for window in part} == set(
        between(daily, zone, begin, begin + 7 * DAY)
    )


@given(
    daily=daily_windows,
    zone=zones,
    hours_left=st.integers(0, 10 * 24),
    hours=st.integers(0, 10 * 24),
)
@ANYWHERE
def test_windows_end_before_dates_run_out(
    daily: DailyWindow, zone: ZoneInfo, hours_left: int, hours: int
) -> None:
    """Until some days before that, they are as on any other day."""
    last = datetime.max.replace(tzinfo=UTC)
    begin = last - timedelta(hours=hours_left)
    end = begin + timedelta(hours=min(hours, hours_left))
    found = between(daily, zone, begin, end)
    assert all(window.end > begin and window.start < end for window in found)
    days_before_the_last = (min(end, last - 3 * DAY) - begin) // DAY
    assert len(found) >= days_before_the_last - 1


@given(daily=daily_windows, zone=zones, begin=instants, minutes=st.integers(1, 3000))
@ANYWHERE
def test_rest_of_a_window_ends_with_it(
    daily: DailyWindow, zone: ZoneInfo, begin: datetime, minutes: int
) -> None:
    """It begins at a moment within the window, or with it."""
    moment = with_offset(begin + timedelta(minutes=minutes), zone)
    for window in between(daily, zone, moment, moment + 2 * DAY):
        rest = window.after(moment)
        assert rest.end == window.end
        assert rest.start == max(window.start, moment)
        assert rest.start < rest.end


SPRING: Final = "2027-03-28"  # 02:00 becomes 03:00 in Amsterdam
AUTUMN: Final = "2027-10-31"  # 03:00 becomes 02:00


@pytest.mark.parametrize(
    ("zone", "day", "times", "start", "end"),
    [
        (
            "Europe/Amsterdam",
            SPRING,
            ("02:30", "05:00"),
            f"{SPRING}T03:00+02:00",
            f"{SPRING}T05:00+02:00",
        ),
        (
            "Europe/Amsterdam",
            SPRING,
            ("01:00", "02:30"),
            f"{SPRING}T01:00+01:00",
            f"{SPRING}T03:00+02:00",
        ),
        (
            "Europe/Amsterdam",
            SPRING,
            ("01:00", "03:00"),
            f"{SPRING}T01:00+01:00",
            f"{SPRING}T03:00+02:00",
        ),
        (
            "Europe/Amsterdam",
            SPRING,
            ("02:59", "03:01"),
            f"{SPRING}T03:00+02:00",
            f"{SPRING}T03:01+02:00",
        ),
        (
            "Europe/Amsterdam",
            "2027-03-27",
            ("23:30", "05:30"),
            "2027-03-27T23:30+01:00",
            f"{SPRING}T05:30+02:00",
        ),
        (
            "Europe/Amsterdam",
            "2027-03-27",
            ("23:30", "02:30"),
            "2027-03-27T23:30+01:00",
            f"{SPRING}T03:00+02:00",
        ),
        (
            "Europe/Amsterdam",
            AUTUMN,
            ("02:30", "05:00"),
            f"{AUTUMN}T02:30+02:00",
            f"{AUTUMN}T05:00+01:00",
        ),
        (
            "Europe/Amsterdam",
            AUTUMN,
            ("01:00", "02:30"),
            f"{AUTUMN}T01:00+02:00",
            f"{AUTUMN}T02:30+02:00",
        ),
        (
            "Europe/Amsterdam",
            AUTUMN,
            ("02:10", "02:50"),
            f"{AUTUMN}T02:10+02:00",
            f"{AUTUMN}T02:50+02:00",
        ),
        (
            "Europe/Amsterdam",
            AUTUMN,
            ("02:30", "02:10"),
            f"{AUTUMN}T02:30+02:00",
            "2027-11-01T02:10+01:00",
        ),
        (
            "Europe/Amsterdam",
            "2027-10-30",
            ("23:30", "05:30"),
            "2027-10-30T23:30+02:00",
            f"{AUTUMN}T05:30+01:00",
        ),
        (
            "Australia/Lord_Howe",
            "2027-10-03",
            ("02:10", "04:00"),
            "2027-10-03T02:30+11:00",
            "2027-10-03T04:00+11:00",
        ),
        (
            "America/New_York",
            "2027-03-14",
            ("02:15", "06:00"),
            "2027-03-14T03:00-04:00",
            "2027-03-14T06:00-04:00",
        ),
        (
            "America/Santiago",
            "2027-09-05",
            ("00:15", "06:00"),
            "2027-09-05T01:00-03:00",
            "2027-09-05T06:00-03:00",
        ),
        (
            "America/Havana",
            "2027-03-13",
            ("23:00", "00:00"),
            "2027-03-13T23:00-05:00",
            "2027-03-14T01:00-04:00",
        ),
        (
            "Asia/Kathmandu",
            "2027-03-28",
            ("23:30", "05:30"),
            "2027-03-28T23:30+05:45",
            "2027-03-29T05:30+05:45",
        ),
        (
            "Pacific/Apia",
            "2011-12-29",
            ("23:30", "05:30"),
            "2011-12-29T23:30-10:00",
            "2011-12-31T00:00+14:00",
        ),
        (
            "Pacific/Apia",
            "2011-12-30",
            ("23:30", "05:30"),
            "2011-12-31T00:00+14:00",
            "2011-12-31T05:30+14:00",
        ),
    ],
)
def test_window_on_the_day_that_clocks_change(
    zone: str, day: str, times: tuple[str, str], start: str, end: str
) -> None:
    """The first of two hours in autumn; in spring, the end of the gap for its times."""
    begin = datetime.fromisoformat(f"{day}T00:00").replace(tzinfo=ZoneInfo(zone))
    window = next(
        window
        for window in between(a_window(*times), ZoneInfo(zone), begin, begin + 3 * DAY)
        if window.start >= begin
    )
    assert window.start.isoformat(timespec="minutes") == start
    assert window.end.isoformat(timespec="minutes") == end


@pytest.mark.parametrize(
    ("zone", "day", "times"),
    [
        ("Europe/Amsterdam", SPRING, ("02:10", "02:50")),
        ("Europe/Amsterdam", SPRING, ("02:00", "03:00")),
        ("Australia/Lord_Howe", "2027-10-03", ("02:10", "02:20")),
        ("Pacific/Apia", "2011-12-30", ("01:00", "05:00")),
    ],
)
def test_window_that_lies_in_the_gap_is_left_out(
    zone: str, day: str, times: tuple[str, str]
) -> None:
    """That hour does not happen, and the next window is a day later."""
    place = ZoneInfo(zone)
    begin = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=place) - DAY
    days = [
        f"{window.start:%Y-%m-%d}"
        for window in between(a_window(*times), place, begin, begin + 3 * DAY)
    ]
    assert day not in days
    following = current_or_next(a_window(*times), place, begin)
    assert f"{following.start:%Y-%m-%d}" == days[0] > day
