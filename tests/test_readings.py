"""What a reading of a car's timers proves, and what it does not."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.smartcar_charging.models import (
    Action,
    Command,
    DailyWindow,
    Doubt,
    Place,
    Schedule,
    VehicleState,
)
from custom_components.smartcar_charging.readings import (
    MAX_CLOCK_DIFFERENCE,
    MAX_ROUNDING_MINUTES,
    SETTLING_TIME,
    Finding,
    Presence,
    find,
    presence,
    settle,
)
from custom_components.smartcar_charging.smartcar import (
    ChargeTimer,
    Execution,
    Location,
    TimersReading,
    UnconfirmedError,
)

SENT_AT: Final = datetime(2026, 11, 3, 20, 0, tzinfo=UTC)
# The car was asleep, and Smartcar waited for it.
ENDED_AT: Final = SENT_AT + timedelta(minutes=6)
SETTLED_AT: Final = ENDED_AT + SETTLING_TIME
NOW: Final = SENT_AT + timedelta(days=1)
MOMENT: Final = timedelta(milliseconds=1)

NIGHT: Final = DailyWindow(start_time=time(23, 30), stop_time=time(5, 30))
HOME: Final = Place(
    zone="zone.home", location=Location(latitude=32.87336, longitude=-117.22743)
)
# 300 m, and 1.1 km.
DOWN_THE_ROAD: Final = {"latitude": 32.87606, "longitude": -117.22743}
IN_THE_NEXT_TOWN: Final = {"latitude": 32.88326, "longitude": -117.22743}

WEEK: Final = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY")
WEEKEND: Final = ("SATURDAY", "SUNDAY")
TIMES: Final = {"start": "23:30:00", "end": "05:30:00"}

# The same examples each time, so that nobody's change fails for what it did not do.
ALWAYS_THE_SAME: Final = settings(
    max_examples=400, deadline=None, derandomize=True, database=None
)

# A timer as Smartcar documents it, under an id that nobody knows.
OURS: Final[dict[str, Any]] = {
    "type": "LOCATION",
    "scheduleType": "DAILY",
    "scheduleId": "sched_new",
    "condition": {"name": "Home", **HOME.location.as_dict()},
    "schedules": [{**TIMES, "days": [*WEEK, *WEEKEND]}],
}

# A schedule whose delete was not proven: its id is known.
DELETED: Final = Schedule(
    place=HOME,
    asked=NIGHT,
    window=NIGHT,
    sent_at=SENT_AT,
    ended_at=ENDED_AT,
    schedule_id="sched_deleted",
    doubt=Doubt.DELETE,
)
# A schedule that is on the car by all that is known.
OWN: Final = replace(DELETED, doubt=None)
# A schedule that was sent once, without an answer.
SENT: Final = replace(DELETED, schedule_id=None, doubt=Doubt.NO_ANSWER)
# Those without an id, by what is doubtful about them.
WITHOUT_ID: Final = [
    replace(SENT, doubt=doubt)
    for doubt in (Doubt.NO_ANSWER, Doubt.STOPPED, Doubt.WITHOUT_ID, Doubt.SEEN)
]


def without(timer: dict[str, Any], *keys: str) -> dict[str, Any]:
    """Return a timer that lacks some members."""
    return {key: value for key, value in timer.items() if key not in keys}


def with_window(**changes: Any) -> dict[str, Any]:
    """Return a timer whose window is another."""
    return {**OURS, "schedules": [{**OURS["schedules"][0], **changes}]}


def a_reading(
    *timers: Any,
    status: str | None = "SUCCESS",
    retrieved_at: datetime | None = SETTLED_AT,
    oem_updated_at: datetime | None = None,
) -> TimersReading:
    """Return a reading with these timers."""
    return TimersReading(
        timers=tuple(ChargeTimer.from_value(timer) for timer in timers),
        status=status,
        retrieved_at=retrieved_at,
        oem_updated_at=oem_updated_at,
    )


def a_state(*schedules: Schedule) -> VehicleState:
    """Return the state of a car of which this is known."""
    return VehicleState(name="Tesla", schedules=schedules)


def is_absent(reading: TimersReading, *, now: datetime = NOW) -> bool:
    """Return whether a reading proves absence, with the id known and unknown alike."""
    state = a_state(SENT, DELETED)
    finding = find(reading, SENT, state, now)
    is_absent = finding.is_rest_absent and not finding.found_ids
    assert (presence(reading, DELETED, state, now) is Presence.NO) is is_absent
    return is_absent


# Which timers may be ours


@pytest.mark.parametrize(
    "timer",
    [
        OURS,
        without(OURS, "scheduleId"),
        {**OURS, "scheduleId": "not/an/id"},
        without({**OURS, "type": "GLOBAL"}, "condition", "scheduleType", "scheduleId"),
        {**OURS, "condition": {"name": "Home"}},
        {**OURS, "condition": {"name": "Home", "latitude": 91, "longitude": 0}},
        {**OURS, "condition": {"name": "Home", **DOWN_THE_ROAD}},
        without(OURS, "scheduleType"),
        {**OURS, "scheduleType": "EVERY_DAY"},
        {**OURS, "scheduleType": "WEEKLY"},
        with_window(days=["MONDAY"]),
        {**with_window(days=[]), "scheduleType": "WEEKLY"},
        {**with_window(days=["DAILY"]), "scheduleType": "WEEKLY"},
        {
            **with_window(days=["mon", "tue", "wed", "thu", "fri", "sat", "sun"]),
            "scheduleType": "WEEKLY",
        },
        {
            **OURS,
            "scheduleType": "WEEKLY",
            "schedules": [{**TIMES, "days": [*WEEK]}, {**TIMES, "days": [*WEEKEND]}],
        },
        {
            **OURS,
            "scheduleType": "WEEKLY",
            "schedules": [{**TIMES, "days": [day]} for day in (*WEEK, *WEEKEND)],
        },
        with_window(start="23:30:00Z"),
        with_window(start="23:30:00.000"),
        with_window(start="11:30 PM"),
        with_window(start="23:45", end="05:15"),
        with_window(start="23:40", end="05:30"),
        with_window(end=None),
        {**OURS, "schedules": []},
        without(OURS, "schedules"),
        {**OURS, "schedules": [{"start": "12:00", "end": "13:00"}, {**TIMES}]},
        None,
        {},
    ],
    ids=[
        "another id",
        "no id",
        "garbled id",
        "global without a place",
        "place by name only",
        "place that is none",
        "place 300 m away",
        "no type",
        "unknown type",
        "weekly on all days",
        "daily on one day",
        "no days",
        "no weekday",
        "all days in short",
        "all days in two windows",
        "all days in seven windows",
        "UTC",
        "milliseconds",
        "afternoon",
        "rounded by a quarter",
        "rounded start",
        "no end",
        "empty windows",
        "no windows",
        "one of two windows",
        "no timer",
        "empty timer",
    ],
)
def test_timer_that_may_be_ours_is_no_proof_of_absence(timer: Any) -> None:
    """Whatever is unclear could be ours, in a maker's own way of writing it."""
    assert is_absent(a_reading())
    assert not is_absent(a_reading(timer))


@pytest.mark.parametrize(
    "timer",
    [
        {**OURS, "condition": IN_THE_NEXT_TOWN},
        {**OURS, "scheduleType": "WEEKLY", "schedules": [{**TIMES, "days": [*WEEK]}]},
        {**with_window(days=["Sat", "Sun"]), "scheduleType": None},
        with_window(start="23:14:00"),
        with_window(start="23:46:00"),
        with_window(end="05:46:00"),
        with_window(start="05:30", end="23:30"),
        without({**with_window(start="12:00"), "type": "GLOBAL"}, "condition"),
        {
            **OURS,
            "scheduleType": "WEEKLY",
            "schedules": [
                {**TIMES, "days": [*WEEK]},
                {"start": "21:00", "end": "09:00", "days": [*WEEKEND]},
            ],
        },
    ],
    ids=[
        "another place",
        "weekly on some days",
        "weekends",
        "earlier start",
        "later start",
        "later end",
        "the other way round",
        "global at other times",
        "other times at weekends",
    ],
)
def test_timer_that_is_clearly_another_is_none_of_ours(timer: Any) -> None:
    """Another place, other times, or some days only."""
    assert is_absent(a_reading(timer, timer))
    assert not is_absent(a_reading(timer, OURS))


@pytest.mark.parametrize(("one", "other"), [("23:55", "00:05"), ("00:05", "23:55")])
def test_times_are_near_across_midnight(one: str, other: str) -> None:
    """Ten minutes lie between 23:55 and 00:05."""
    window = DailyWindow(start_time=time.fromisoformat(one), stop_time=time(5, 30))
    sent = replace(SENT, asked=window, window=window)
    finding = find(a_reading(with_window(start=other)), sent, a_state(sent), NOW)
    assert not finding.is_rest_absent


@pytest.mark.parametrize(
    ("start", "found"), [("00:00", ("sched_new",)), ("23:30", ()), ("00:10", ())]
)
def test_only_the_window_that_smartcar_said_it_set_is_found(
    start: str, found: tuple[str, ...]
) -> None:
    """A success without an id says what the car made of what it was asked."""
    window = DailyWindow(start_time=time(0), stop_time=NIGHT.stop_time)
    sent = replace(SENT, window=window)
    finding = find(a_reading(with_window(start=start)), sent, a_state(sent), NOW)
    assert finding.found_ids == found
    assert finding.is_rest_absent is (found != ())


@given(
    start=st.integers(-MAX_ROUNDING_MINUTES, MAX_ROUNDING_MINUTES),
    stop=st.integers(-MAX_ROUNDING_MINUTES, MAX_ROUNDING_MINUTES),
    pattern=st.sampled_from(["%H:%M", "%H:%M:00", "%H:%M:00Z", "%H:%M:00.000", "%M"]),
    days=st.sampled_from([[], ["ALL"], [*WEEK, *WEEKEND], ["MO", "TU"], [1, 2], None]),
    north=st.floats(-0.008, 0.008),
    changes=st.dictionaries(
        st.sampled_from(["type", "scheduleType", "scheduleId", "departureTimers"]),
        st.none() | st.text(max_size=9) | st.sampled_from(["GLOBAL", "WEEKLY"]),
    ),
    others=st.lists(st.just({**OURS, "condition": IN_THE_NEXT_TOWN}), max_size=2),
)
@ALWAYS_THE_SAME
def test_our_schedule_however_it_is_written_is_no_proof_of_absence(
    start: int,
    stop: int,
    pattern: str,
    days: Any,
    north: float,
    changes: dict[str, Any],
    others: list[Any],
) -> None:
    """A maker may round, call a daily timer what it likes, and leave out the rest."""
    ends = (
        datetime.combine(NOW.date(), end) + timedelta(minutes=minutes)
        for end, minutes in ((NIGHT.start_time, start), (NIGHT.stop_time, stop))
    )
    written = dict(
        zip(("start", "end"), (f"{end:{pattern}}" for end in ends), strict=True)
    )
    place = {"latitude": HOME.location.latitude + north, "longitude": -117.22743}
    window = {**written, "days": days}
    timer = {**OURS, **changes, "condition": place, "schedules": [window]}
    assert not is_absent(a_reading(*others, timer))


# Which readings prove absence


@pytest.mark.parametrize(
    "status", ["ERROR", "PENDING", "success", "SUCCESS_WITH_WARNINGS", None]
)
def test_other_status_than_success_proves_no_absence(status: str | None) -> None:
    """An empty list beside an error is no reading."""
    assert not is_absent(a_reading(status=status))


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        ({"retrieved_at": SETTLED_AT}, True),
        ({"retrieved_at": SETTLED_AT - MOMENT}, False),
        ({"retrieved_at": SENT_AT + SETTLING_TIME}, False),
        ({"retrieved_at": NOW, "oem_updated_at": SETTLED_AT}, True),
        ({"retrieved_at": NOW, "oem_updated_at": SETTLED_AT - MOMENT}, False),
        ({"retrieved_at": SETTLED_AT - MOMENT, "oem_updated_at": NOW}, False),
        ({"retrieved_at": None, "oem_updated_at": NOW}, False),
        ({"retrieved_at": None, "oem_updated_at": None}, False),
        ({"retrieved_at": NOW + MAX_CLOCK_DIFFERENCE}, True),
        ({"retrieved_at": NOW + MAX_CLOCK_DIFFERENCE + MOMENT}, False),
        ({"retrieved_at": NOW + timedelta(hours=2)}, False),
        ({"retrieved_at": NOW, "oem_updated_at": NOW + timedelta(hours=2)}, False),
    ],
    ids=[
        "settled",
        "not yet settled",
        "settled since it was sent, not since it ended",
        "both dates settled",
        "older at the maker",
        "older at Smartcar",
        "only the maker's date",
        "no date",
        "a clock that is a little ahead",
        "a clock that is ahead by more",
        "local time as UTC",
        "the maker's local time as UTC",
    ],
)
def test_only_a_settled_reading_that_is_not_of_the_future_proves_absence(
    dates: dict[str, Any], expected: bool
) -> None:
    """Ten minutes are counted from the end of the command, by Smartcar's own date."""
    assert is_absent(a_reading(**dates)) is expected


def test_end_of_the_command_is_when_its_answer_was_heard() -> None:
    """Token, pauses and Smartcar's waiting for the car lie between."""
    command = Command(action=Action.CREATE, begun_at=SENT_AT, place=HOME, window=NIGHT)
    begun = a_state().begin(command)
    state = begun.end_failed(UnconfirmedError("cut"), ENDED_AT)
    (sent,) = state.schedules
    assert (sent.sent_at, sent.ended_at) == (SENT_AT, ENDED_AT)


# Which readings prove presence


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        ({"retrieved_at": ENDED_AT}, Presence.YES),
        ({"retrieved_at": ENDED_AT - MOMENT}, Presence.UNKNOWN),
        ({"retrieved_at": None, "oem_updated_at": ENDED_AT}, Presence.YES),
        ({"retrieved_at": NOW, "oem_updated_at": SENT_AT}, Presence.UNKNOWN),
        ({"retrieved_at": None}, Presence.UNKNOWN),
    ],
)
def test_id_in_a_reading_from_after_the_command_is_there(
    dates: dict[str, Any], expected: Presence
) -> None:
    """Whatever else the timer says, and whatever the reading's status is."""
    timer = {"scheduleId": OWN.schedule_id}
    reading = a_reading(timer, status="ERROR", **dates)
    assert presence(reading, OWN, a_state(OWN), NOW) is expected


@pytest.mark.parametrize("schedule", [DELETED, SENT], ids=["id", "no id"])
def test_without_a_reading_nothing_is_known(schedule: Schedule) -> None:
    """The question was refused."""
    assert presence(None, schedule, a_state(schedule), NOW) is Presence.UNKNOWN


@pytest.mark.parametrize("schedule", WITHOUT_ID, ids=lambda own: str(own.doubt))
@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        (a_reading(OURS), Presence.YES),
        (a_reading(OURS, retrieved_at=ENDED_AT), Presence.YES),
        (a_reading(OURS, status="ERROR"), Presence.YES),
        (a_reading(OURS, retrieved_at=ENDED_AT - MOMENT), Presence.UNKNOWN),
        (a_reading(OURS, retrieved_at=None), Presence.UNKNOWN),
        (a_reading(without(OURS, "scheduleId")), Presence.UNKNOWN),
        (a_reading(with_window(start="23:31")), Presence.UNKNOWN),
        (a_reading({**OURS, "condition": DOWN_THE_ROAD}), Presence.UNKNOWN),
        (a_reading({**OURS, "scheduleId": "sched_deleted"}), Presence.NO),
        (
            a_reading({**without(OURS, "scheduleId"), "condition": IN_THE_NEXT_TOWN}),
            Presence.NO,
        ),
        (a_reading(), Presence.NO),
        (a_reading(status="ERROR"), Presence.UNKNOWN),
    ],
    ids=[
        "there",
        "there at once",
        "there beside an error",
        "older",
        "no date",
        "timer without an id",
        "rounded",
        "300 m away",
        "timer that is known by its id",
        "timer without an id elsewhere",
        "nothing",
        "nothing beside an error",
    ],
)
def test_schedule_without_an_id_is_there_by_window_and_place(
    schedule: Schedule, reading: TimersReading, expected: Presence
) -> None:
    """By a timer that nobody knows; whatever is near it proves neither."""
    state = a_state(schedule, DELETED)
    assert presence(reading, schedule, state, NOW) is expected


@pytest.mark.parametrize(
    ("timers", "retrieved_at", "expected"),
    [
        ([], SETTLED_AT, Finding(found_ids=(), is_rest_absent=True)),
        ([], SETTLED_AT - MOMENT, Finding(found_ids=(), is_rest_absent=False)),
        (
            [{"scheduleId": "sched_deleted"}],
            SETTLED_AT,
            Finding(found_ids=("sched_deleted",), is_rest_absent=False),
        ),
        (
            [{"scheduleId": "sched_deleted"}],
            SETTLED_AT - MOMENT,
            Finding(found_ids=(), is_rest_absent=False),
        ),
        ([OURS], SETTLED_AT, Finding(found_ids=(), is_rest_absent=False)),
    ],
    ids=[
        "gone",
        "gone, but too soon",
        "still there",
        "still there, but too soon",
        "perhaps under another id",
    ],
)
def test_delete_without_an_answer_is_settled_by_a_later_reading(
    timers: list[Any], retrieved_at: datetime, expected: Finding
) -> None:
    """A timer that is there just after the delete may be gone a minute later."""
    reading = a_reading(*timers, retrieved_at=retrieved_at)
    assert settle(reading, DELETED, a_state(DELETED), NOW) == expected


@pytest.mark.parametrize("schedule", WITHOUT_ID, ids=lambda own: str(own.doubt))
@pytest.mark.parametrize("timers", [[], [OURS], [without(OURS, "scheduleId")]])
def test_schedule_without_an_id_is_settled_by_what_is_found(
    schedule: Schedule, timers: list[Any]
) -> None:
    """Whatever was doubtful about it: one that was seen may be gone since."""
    reading, state = a_reading(*timers), a_state(schedule)
    found = find(reading, schedule, state, NOW)
    assert settle(reading, schedule, state, NOW) == found


@pytest.mark.parametrize(
    "reading",
    [
        a_reading(OURS, retrieved_at=SENT_AT - MOMENT),
        a_reading(OURS, retrieved_at=None),
        a_reading({**OURS, "scheduleId": None}),
        a_reading({**OURS, "scheduleId": "sched_deleted"}),
        a_reading({**OURS, "scheduleType": "WEEKLY"}),
        a_reading({**OURS, "condition": DOWN_THE_ROAD}),
        a_reading(with_window(start="23:31")),
    ],
    ids=["older", "no date", "no id", "known id", "weekly", "300 m away", "rounded"],
)
def test_timer_that_is_not_surely_ours_is_not_found(reading: TimersReading) -> None:
    """It could be somebody else's, and is not offered to be removed."""
    assert find(reading, SENT, a_state(SENT, DELETED), NOW).found_ids == ()


# Several that are equal


@pytest.mark.parametrize(
    ("on_car", "found", "is_rest_absent"),
    [(0, 0, True), (1, 1, True), (3, 3, True), (4, 3, False)],
)
def test_one_timer_stands_for_one_of_several_equal_ones(
    on_car: int, found: int, is_rest_absent: bool
) -> None:
    """Of three that were sent; a fourth timer is not theirs, and could be any."""
    sent = replace(SENT, count=3)
    ids = [f"sched_{number}" for number in range(on_car)]
    timers = [{**OURS, "scheduleId": schedule_id} for schedule_id in ids]
    finding = find(a_reading(*timers), sent, a_state(sent), NOW)
    assert finding.found_ids == tuple(ids[:found])
    assert finding.is_rest_absent is is_rest_absent


@pytest.mark.parametrize(
    ("ended_at", "found"),
    [
        (SENT_AT - timedelta(days=1), ("sched_new",)),
        (SETTLED_AT - SETTLING_TIME + MOMENT, ()),
    ],
    ids=["changed since", "changed by what was set last"],
)
def test_timer_that_was_changed_under_its_id_is_what_was_sent_later(
    ended_at: datetime, found: tuple[str, ...]
) -> None:
    """A car may replace by itself and keep the id."""
    other = DailyWindow(start_time=time(1), stop_time=time(4))
    own = replace(
        DELETED,
        asked=other,
        window=other,
        sent_at=ended_at,
        ended_at=ended_at,
        doubt=None,
        schedule_id="sched_new",
    )
    state = a_state(own, SENT)
    assert find(a_reading(OURS), SENT, state, NOW).found_ids == found
    adopted = state.adopt(SENT, "sched_new")
    assert [schedule.window for schedule in adopted.schedules] == [NIGHT]


# Nothing that is on the car is ever forgotten


@dataclass(frozen=True, kw_only=True)
class Sending:
    """A create without proof, and what became of it on the car.

    `appears_after` is when it is on the car, `timer_id` what it is called there. The
    car never rounds it to what another one was to be: nobody could tell them apart.
    """

    place: Place
    window: DailyWindow
    echo: DailyWindow | None
    ended_after: timedelta
    is_on_car: bool
    appears_after: timedelta
    rounded_by: int
    timer_id: str | None

    @property
    def timer(self) -> dict[str, Any]:
        """The timer that it is on the car."""
        window = self.echo or self.window
        start = datetime.combine(NOW.date(), window.start_time)
        start += timedelta(minutes=self.rounded_by)
        return {
            **OURS,
            "scheduleId": self.timer_id,
            "condition": self.place.location.as_dict(),
            "schedules": [{"start": f"{start:%H:%M}", "end": f"{window.stop_time}"}],
        }


def north_of_home(meters: int) -> Place:
    """Return a place so far from home."""
    latitude = HOME.location.latitude + meters / 111_200
    location = Location(latitude=latitude, longitude=HOME.location.longitude)
    return Place(zone=None, location=location)


PLAIN: Final = Sending(
    place=HOME,
    window=NIGHT,
    echo=None,
    ended_after=timedelta(0),
    is_on_car=True,
    appears_after=timedelta(0),
    rounded_by=0,
    timer_id=None,
)

minutes: Final = st.integers(0, 15).map(lambda number: timedelta(minutes=number))
places: Final = st.sampled_from([0, 0, 0, 60, 120, 180, 2000]).map(north_of_home)
windows: Final = st.sampled_from([time(23), time(23, 10), time(23, 30), time(0)]).map(
    lambda start: DailyWindow(start_time=start, stop_time=time(5, 30))
)
sendings: Final = st.builds(
    Sending,
    place=places,
    window=windows,
    echo=st.none() | st.none() | windows,
    ended_after=minutes,
    is_on_car=st.booleans(),
    appears_after=minutes,
    rounded_by=st.sampled_from([0, 0, 0, 5, -15]),
    timer_id=st.none() | st.uuids().map(str) | st.uuids().map(str),
)
# What somebody else has set: never the twin of ours, since its minutes are odd ones.
foreign_timers: Final = st.builds(
    lambda start, schedule_id, place, kind: {
        **OURS,
        "scheduleType": kind,
        "scheduleId": schedule_id,
        "condition": place.location.as_dict(),
        "schedules": [{"start": start, "end": "05:30"}],
    },
    start=st.sampled_from(["23:33", "12:33", "00:03"]),
    schedule_id=st.none() | st.uuids().map(str),
    place=places,
    kind=st.sampled_from(["DAILY", "WEEKLY", None]),
)


def after_sending(state: VehicleState, sending: Sending, at: datetime) -> VehicleState:
    """Return what Home Assistant knows after a create without proof of its own."""
    command = Command(
        action=Action.CREATE,
        begun_at=at,
        place=sending.place,
        window=sending.window,
    )
    begun = state.begin(command)
    ended_at = at + sending.ended_after
    if sending.echo is None:
        return begun.end_failed(UnconfirmedError("no answer"), ended_at)
    execution = Execution(
        status="SUCCESS",
        start_time=sending.echo.start_time,
        stop_time=sending.echo.stop_time,
    )
    return begun.end_created(execution, ended_at, supersedes=True)


def test_equal_ones_that_were_set_differently_are_not_one() -> None:
    """What Smartcar said of the first is not lost by the second."""
    late = DailyWindow(start_time=time(0, 30), stop_time=NIGHT.stop_time)
    heard = replace(PLAIN, echo=late)
    state = a_state()
    for number, sending in enumerate((heard, PLAIN, heard, PLAIN)):
        state = after_sending(state, sending, SENT_AT + timedelta(hours=number))
    counts = {left.window: left.count for left in state.schedules}
    assert counts == {late: 2, NIGHT: 2}


def test_equal_ones_stay_where_the_first_was() -> None:
    """A place that wanders must not lead away from what is on the car, step by step."""
    state = a_state()
    for number in range(20):
        sending = replace(PLAIN, place=north_of_home(number * 80))
        state = after_sending(state, sending, SENT_AT)
    reading = a_reading({**PLAIN.timer, "scheduleId": None})
    findings = [find(reading, left, state, NOW) for left in state.schedules]
    assert findings[0].is_rest_absent is False
    assert sum(left.count for left in state.schedules) == 20


def after_reading(
    state: VehicleState, reading: TimersReading, now: datetime
) -> VehicleState:
    """Adopt whatever is found, and forget whatever is provably absent."""
    for possible in state.unidentified_schedules:
        left = possible
        finding = settle(reading, left, state, now)
        for schedule_id in finding.found_ids:
            state = state.adopt(left, schedule_id)
            left = replace(left, count=left.count - 1)
        if finding.is_rest_absent and left.count:
            state = state.forget(left)
    return state


@given(
    sent=st.lists(sendings, min_size=1, max_size=6),
    foreign=st.lists(foreign_timers, max_size=2),
    read_after=st.lists(st.integers(0, 120), min_size=1, max_size=3),
    dated_ahead=st.sampled_from([timedelta(0), timedelta(0), timedelta(hours=3)]),
    order=st.randoms(use_true_random=False),
)
@ALWAYS_THE_SAME
def test_nothing_that_is_on_the_car_is_ever_forgotten(
    sent: Sequence[Sending],
    foreign: list[dict[str, Any]],
    read_after: list[int],
    dated_ahead: timedelta,
    order: Any,
) -> None:
    """Whatever was sent, whatever arrived, and whenever the car is read."""
    state = a_state()
    begun_at = SENT_AT
    on_car: list[tuple[datetime, Sending]] = []
    for sending in sent:
        state = after_sending(state, sending, begun_at)
        delay = min(sending.appears_after, sending.ended_after + SETTLING_TIME)
        if sending.is_on_car:
            on_car.append((begun_at + delay, sending))
        begun_at += sending.ended_after + timedelta(minutes=1)
    for number in sorted(read_after):
        read_at = SENT_AT + timedelta(minutes=number)
        timers = [sending.timer for at, sending in on_car if at <= read_at] + foreign
        order.shuffle(timers)
        reading = a_reading(*timers, retrieved_at=read_at + dated_ahead)
        state = after_reading(state, reading, max(read_at, begun_at))
    known = {schedule.schedule_id for schedule in state.identified_schedules}
    unknown = [sending for _, sending in on_car if sending.timer_id not in known]
    assert sum(left.count for left in state.unidentified_schedules) >= len(unknown)
