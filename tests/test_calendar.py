"""The windows that Home Assistant has set, as a calendar: when they are and are not."""

from datetime import datetime
from typing import Any, Final

from aiohttp.test_utils import TestClient
from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceNotSupported
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.smartcar_charging.calendar import (
    MAX_CALENDAR_RANGE,
    MAX_CALENDAR_WINDOWS,
)
from tests.actions import (
    CALENDAR,
    NEW_START,
    delete_schedule,
    edit_time,
    reload,
    set_schedule,
    shown,
)
from tests.simulator import REMOVED, Fault, Simulator

SPRING: Final = "2027-03-28"  # 02:00 becomes 03:00 in Amsterdam
AUTUMN: Final = "2027-10-31"  # 03:00 becomes 02:00
NOT_CHARGING_STATE: Final = (
    "Set from Home Assistant. It is when the car may charge, not whether it does."
)
WITHOUT_ID: Final = {"data": {"attributes": {"scheduleId": REMOVED}, "links": REMOVED}}


@pytest.fixture
async def amsterdam(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Live in the Netherlands."""
    await hass.config.async_update(time_zone="Europe/Amsterdam")


async def be_at(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, moment: str
) -> None:
    """Let time pass until a moment."""
    freezer.move_to(datetime.fromisoformat(moment))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()


async def events(hass: HomeAssistant, begin: str, end: str) -> list[dict[str, Any]]:
    """Return what the calendar has between two moments, as an automation gets it."""
    data = {"entity_id": CALENDAR, "start_date_time": begin, "end_date_time": end}
    response: Any = await hass.services.async_call(
        "calendar", "get_events", data, blocking=True, return_response=True
    )
    return list(response[CALENDAR]["events"])


async def spans(hass: HomeAssistant, begin: str, end: str) -> list[tuple[str, str]]:
    """Return from when to when the events are."""
    return [(event["start"], event["end"]) for event in await events(hass, begin, end)]


@pytest.mark.usefixtures("amsterdam")
async def test_without_a_schedule_there_is_nothing(hass: HomeAssistant) -> None:
    """Off, and empty."""
    assert shown(hass, CALENDAR).state == "off"
    assert shown(hass, CALENDAR).attributes.get("start_time") is None
    assert (
        await events(hass, "2027-01-01T00:00:00+01:00", "2027-01-08T00:00:00+01:00")
        == []
    )


@pytest.mark.usefixtures("amsterdam")
async def test_window_is_a_daily_event(hass: HomeAssistant) -> None:
    """With the place in its title, and a description that says what it is not."""
    await set_schedule(hass, start_time="01:00", stop_time="05:30")
    two_days = ("2027-01-01T00:00:00+01:00", "2027-01-03T00:00:00+01:00")
    assert await events(hass, *two_days) == [
        {
            "start": f"2027-01-0{day}T01:00:00+01:00",
            "end": f"2027-01-0{day}T05:30:00+01:00",
            "summary": "Charge window · test home",
            "description": NOT_CHARGING_STATE,
        }
        for day in (1, 2)
    ]


@pytest.mark.usefixtures("amsterdam")
async def test_window_over_midnight_is_one_event(hass: HomeAssistant) -> None:
    """Also when only a part of it is asked for."""
    await set_schedule(hass)
    night = ("2027-01-01T23:30:00+01:00", "2027-01-02T05:30:00+01:00")
    assert await spans(
        hass, "2027-01-01T12:00:00+01:00", "2027-01-02T12:00:00+01:00"
    ) == [night]
    assert await spans(
        hass, "2027-01-02T00:00:00+01:00", "2027-01-02T12:00:00+01:00"
    ) == [night]
    assert await spans(
        hass, "2027-01-01T12:00:00+01:00", "2027-01-01T23:31:00+01:00"
    ) == [night]
    assert (
        await spans(hass, "2027-01-02T05:30:00+01:00", "2027-01-02T23:30:00+01:00")
        == []
    )


@pytest.mark.usefixtures("amsterdam")
async def test_all_schedules_are_there_in_order(hass: HomeAssistant) -> None:
    """Of all places; a lost zone goes by its id, what is no zone by coordinates."""
    hass.states.async_set(
        "zone.work", "0", {"latitude": 1.5, "longitude": 2.5, "friendly_name": "Work"}
    )
    await set_schedule(hass)
    await set_schedule(hass, zone="zone.work", start_time="09:00", stop_time="17:00")
    await set_schedule(
        hass,
        location={"latitude": 3.5, "longitude": 4.5},
        start_time="18:00",
        stop_time="19:00",
    )
    day = ("2027-01-01T06:00:00+01:00", "2027-01-02T06:00:00+01:00")
    titles = [
        event["summary"].removeprefix("Charge window · ")
        for event in await events(hass, *day)
    ]
    assert titles == ["Work", "3.50000, 4.50000", "test home"]
    hass.states.async_remove("zone.work")
    assert (await events(hass, *day))[0]["summary"] == "Charge window · zone.work"


@pytest.mark.usefixtures("amsterdam")
async def test_only_what_is_still_set_is_there(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Not what was replaced, deleted, only drafted, or possibly set."""
    day = ("2027-01-01T06:00:00+01:00", "2027-01-02T06:00:00+01:00")
    await set_schedule(hass)
    await set_schedule(hass, start_time="22:00")
    await edit_time(hass, NEW_START, "21:00")
    simulator.script(Fault.error(500, "SERVER", "INTERNAL"))
    with pytest.raises(Exception, match="It is not known whether"):
        await set_schedule(hass, start_time="20:00")
    assert await spans(hass, *day) == [
        ("2027-01-01T22:00:00+01:00", "2027-01-02T05:30:00+01:00")
    ]
    await delete_schedule(hass, zone="zone.home")
    assert await spans(hass, *day) == []
    assert shown(hass, CALENDAR).state == "off"


@pytest.mark.usefixtures("amsterdam")
async def test_calendar_is_read_only(hass: HomeAssistant) -> None:
    """A window is set by the action and the button, where its outcome is heard."""
    assert "supported_features" not in shown(hass, CALENDAR).attributes
    data = {
        "entity_id": CALENDAR,
        "summary": "Charge",
        "start_date_time": "2027-01-01T01:00:00+01:00",
        "end_date_time": "2027-01-01T02:00:00+01:00",
    }
    with pytest.raises(ServiceNotSupported):
        await hass.services.async_call("calendar", "create_event", data, blocking=True)


@pytest.mark.usefixtures("amsterdam")
@pytest.mark.parametrize(
    ("begin", "start", "stop", "moments"),
    [
        (
            "2027-01-01T12:00:00+01:00",
            "23:30",
            "05:30",
            [
                ("2027-01-01T23:29:59+01:00", "off"),
                ("2027-01-01T23:30:00+01:00", "on"),
                ("2027-01-02T00:00:00+01:00", "on"),
                ("2027-01-02T05:29:59+01:00", "on"),
                ("2027-01-02T05:30:00+01:00", "off"),
                ("2027-01-02T23:30:00+01:00", "on"),
            ],
        ),
        (
            f"{SPRING}T00:00:00+01:00",
            "02:30",
            "05:00",
            [
                (f"{SPRING}T01:59:59+01:00", "off"),
                (f"{SPRING}T03:00:00+02:00", "on"),
                (f"{SPRING}T04:59:59+02:00", "on"),
                (f"{SPRING}T05:00:00+02:00", "off"),
                ("2027-03-29T02:29:59+02:00", "off"),
                ("2027-03-29T02:30:00+02:00", "on"),
            ],
        ),
        (
            "2027-03-27T00:00:00+01:00",
            "02:10",
            "02:50",
            [
                ("2027-03-27T02:10:00+01:00", "on"),
                ("2027-03-27T02:50:00+01:00", "off"),
                (f"{SPRING}T01:59:59+01:00", "off"),
                (f"{SPRING}T03:00:00+02:00", "off"),
                (f"{SPRING}T03:10:00+02:00", "off"),
                ("2027-03-29T02:10:00+02:00", "on"),
            ],
        ),
        (
            f"{AUTUMN}T00:00:00+02:00",
            "01:00",
            "02:30",
            [
                (f"{AUTUMN}T02:29:59+02:00", "on"),
                (f"{AUTUMN}T02:30:00+02:00", "off"),
                (f"{AUTUMN}T02:00:00+01:00", "off"),
                (f"{AUTUMN}T02:29:59+01:00", "off"),
                (f"{AUTUMN}T02:30:00+01:00", "off"),
            ],
        ),
        (
            f"{AUTUMN}T00:00:00+02:00",
            "02:30",
            "05:00",
            [
                (f"{AUTUMN}T02:29:59+02:00", "off"),
                (f"{AUTUMN}T02:30:00+02:00", "on"),
                (f"{AUTUMN}T02:00:00+01:00", "on"),
                (f"{AUTUMN}T02:30:00+01:00", "on"),
                (f"{AUTUMN}T04:59:59+01:00", "on"),
                (f"{AUTUMN}T05:00:00+01:00", "off"),
            ],
        ),
    ],
    ids=[
        "midnight",
        "spring, start in the gap",
        "spring, all in the gap",
        "autumn, end twice",
        "autumn, start twice",
    ],
)
async def test_on_exactly_while_inside_a_window(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    begin: str,
    start: str,
    stop: str,
    moments: list[tuple[str, str]],
) -> None:
    """By itself and when looked at; by instants, for clocks repeat in autumn."""
    await be_at(hass, freezer, begin)
    await set_schedule(hass, start_time=start, stop_time=stop)
    by_itself, looked_at = [], []
    for number, (moment, _) in enumerate(moments):
        await be_at(hass, freezer, moment)
        by_itself.append((moment, shown(hass, CALENDAR).state))
        # Something else on the device page changes, and the entities write what they
        # know.
        await edit_time(hass, NEW_START, f"20:0{number}")
        looked_at.append((moment, shown(hass, CALENDAR).state))
    assert by_itself == looked_at == moments


@pytest.mark.usefixtures("amsterdam")
async def test_next_window_is_shown_while_none_is_open(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """Of several, the one that begins first."""
    await be_at(hass, freezer, "2027-01-01T12:00:00+01:00")
    await set_schedule(hass)
    await set_schedule(hass, start_time="13:00", stop_time="14:00", replace=False)
    state = shown(hass, CALENDAR)
    assert state.state == "off"
    assert state.attributes["start_time"] == "2027-01-01 13:00:00"
    assert state.attributes["end_time"] == "2027-01-01 14:00:00"
    assert state.attributes["message"] == "Charge window · test home"
    assert state.attributes["description"] == NOT_CHARGING_STATE
    await be_at(hass, freezer, "2027-01-01T14:00:00+01:00")
    state = shown(hass, CALENDAR)
    assert state.state == "off"
    assert state.attributes["start_time"] == "2027-01-01 23:30:00"


@pytest.mark.usefixtures("amsterdam")
async def test_windows_that_overlap_are_one_time_of_on(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """From the first start to the last end."""
    await be_at(hass, freezer, "2027-01-01T12:00:00+01:00")
    await set_schedule(hass, start_time="21:00", stop_time="23:00")
    await set_schedule(hass, start_time="22:00", stop_time="01:00", replace=False)
    states = {}
    for moment in ("20:59", "21:00", "22:30", "23:00", "23:59"):
        await be_at(hass, freezer, f"2027-01-01T{moment}:00+01:00")
        states[moment] = shown(hass, CALENDAR).state
    assert states == {
        "20:59": "off",
        "21:00": "on",
        "22:30": "on",
        "23:00": "on",
        "23:59": "on",
    }
    await be_at(hass, freezer, "2027-01-02T01:00:00+01:00")
    assert shown(hass, CALENDAR).state == "off"


@pytest.mark.usefixtures("amsterdam")
async def test_a_clock_that_is_put_back_is_followed(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """What was the next window then is not the next one any more."""
    await be_at(hass, freezer, "2027-01-08T12:00:00+01:00")
    await set_schedule(hass)
    assert shown(hass, CALENDAR).attributes["start_time"] == "2027-01-08 23:30:00"
    await be_at(hass, freezer, "2027-01-01T12:00:00+01:00")
    await hass.config.async_update(elevation=3)
    await hass.async_block_till_done()
    assert shown(hass, CALENDAR).attributes["start_time"] == "2027-01-01 23:30:00"


@pytest.mark.usefixtures("amsterdam")
async def test_the_calendar_calls_a_zone_what_it_is_called_now(
    hass: HomeAssistant,
) -> None:
    """At the latest with the next command, also when the window stays the same."""
    await set_schedule(hass)
    home = shown(hass, "zone.home")
    hass.states.async_set(
        "zone.home", home.state, {**home.attributes, "friendly_name": "The nest"}
    )
    await set_schedule(hass)
    assert shown(hass, CALENDAR).attributes["message"] == "Charge window · The nest"


@pytest.mark.usefixtures("amsterdam")
async def test_other_time_zone_moves_the_windows(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """At once, when the user changes it."""
    await be_at(hass, freezer, "2027-01-01T12:00:00+01:00")
    await set_schedule(hass, start_time="13:00", stop_time="14:00")
    assert shown(hass, CALENDAR).attributes["start_time"] == "2027-01-01 13:00:00"
    await hass.config.async_update(time_zone="Asia/Tokyo")
    await hass.async_block_till_done()
    assert shown(hass, CALENDAR).attributes["start_time"] == "2027-01-02 13:00:00"
    assert await spans(
        hass, "2027-01-02T00:00:00+09:00", "2027-01-03T00:00:00+09:00"
    ) == [("2027-01-02T13:00:00+09:00", "2027-01-02T14:00:00+09:00")]
    await be_at(hass, freezer, "2027-01-02T13:00:00+09:00")
    assert shown(hass, CALENDAR).state == "on"


@pytest.mark.usefixtures("amsterdam")
async def test_same_after_a_reload(
    hass: HomeAssistant, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    """The state goes on to change by itself."""
    await be_at(hass, freezer, "2027-01-01T12:00:00+01:00")
    await set_schedule(hass)
    before = shown(hass, CALENDAR)
    await reload(hass, entry)
    assert shown(hass, CALENDAR).state == before.state
    assert shown(hass, CALENDAR).attributes == before.attributes
    await be_at(hass, freezer, "2027-01-01T23:30:00+01:00")
    assert shown(hass, CALENDAR).state == "on"


async def seen_by_a_page(
    client: TestClient[Any, Any], begin: str, end: str
) -> list[dict[str, Any]]:
    """Return what the calendar has between two moments, as the frontend gets it."""
    path = f"/api/calendars/{CALENDAR}"
    response = await client.get(path, params={"start": begin, "end": end})
    assert response.status == 200
    found: list[dict[str, Any]] = await response.json()
    return found


@pytest.mark.usefixtures("amsterdam")
async def test_no_window_is_before_its_schedule_was_set(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """Nor the one that had begun on the clock and ended before."""
    await be_at(hass, freezer, "2027-01-20T06:00:00+01:00")
    await set_schedule(hass)
    assert await spans(
        hass, "2027-01-01T00:00:00+01:00", "2027-01-22T00:00:00+01:00"
    ) == [
        ("2027-01-20T23:30:00+01:00", "2027-01-21T05:30:00+01:00"),
        ("2027-01-21T23:30:00+01:00", "2027-01-22T05:30:00+01:00"),
    ]
    assert (
        await events(hass, "2027-01-01T00:00:00+01:00", "2027-01-20T23:30:00+01:00")
        == []
    )


@pytest.mark.usefixtures("amsterdam")
async def test_window_that_is_open_when_it_is_set_begins_then(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """The state, the list and what was there before tell the same."""
    await be_at(hass, freezer, "2027-01-20T01:10:20.123456+01:00")
    await set_schedule(hass)
    state = shown(hass, CALENDAR)
    assert state.state == "on"
    assert state.attributes["start_time"] == "2027-01-20 01:10:20"
    assert state.attributes["end_time"] == "2027-01-20 05:30:00"
    assert await spans(
        hass, "2027-01-01T00:00:00+01:00", "2027-01-20T12:00:00+01:00"
    ) == [("2027-01-20T01:10:20+01:00", "2027-01-20T05:30:00+01:00")]
    await be_at(hass, freezer, "2027-01-21T00:00:00+01:00")
    assert shown(hass, CALENDAR).attributes["start_time"] == "2027-01-20 23:30:00"


@pytest.mark.usefixtures("amsterdam")
async def test_schedule_set_in_the_hour_that_comes_twice_begins_in_the_right_one(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """The second 02:15 of the night is later than the first 02:45."""
    await be_at(hass, freezer, f"{AUTUMN}T02:15:00+01:00")
    await set_schedule(hass, start_time="02:00", stop_time="05:00")
    assert await spans(
        hass, f"{AUTUMN}T02:45:00+02:00", f"{AUTUMN}T12:00:00+01:00"
    ) == [(f"{AUTUMN}T02:15:00+01:00", f"{AUTUMN}T05:00:00+01:00")]
    assert shown(hass, CALENDAR).state == "on"


@pytest.mark.usefixtures("amsterdam")
async def test_each_schedule_is_there_since_it_was_set(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """Also a second one for the same window."""
    await be_at(hass, freezer, "2027-01-20T12:00:00+01:00")
    await set_schedule(hass, start_time="13:00", stop_time="14:00")
    await be_at(hass, freezer, "2027-01-21T13:30:00+01:00")
    await set_schedule(hass, start_time="13:00", stop_time="14:00", replace=False)
    assert await spans(
        hass, "2027-01-20T00:00:00+01:00", "2027-01-22T00:00:00+01:00"
    ) == [
        ("2027-01-20T13:00:00+01:00", "2027-01-20T14:00:00+01:00"),
        ("2027-01-21T13:00:00+01:00", "2027-01-21T14:00:00+01:00"),
        ("2027-01-21T13:30:00+01:00", "2027-01-21T14:00:00+01:00"),
    ]


@pytest.mark.usefixtures("amsterdam")
async def test_clock_that_is_put_back_hides_no_window_to_come(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """A schedule cannot have been set later than now."""
    await be_at(hass, freezer, "2030-01-01T12:00:00+01:00")
    await set_schedule(hass)
    await be_at(hass, freezer, "2027-01-20T12:00:00+01:00")
    assert await spans(
        hass, "2027-01-19T00:00:00+01:00", "2027-01-21T00:00:00+01:00"
    ) == [("2027-01-20T23:30:00+01:00", "2027-01-21T05:30:00+01:00")]


@pytest.mark.usefixtures("amsterdam")
async def test_schedule_whose_id_is_not_known_is_there(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """It was provably set, and the car charges by it."""
    simulator.script(Fault(merge=WITHOUT_ID))
    await set_schedule(hass)
    (event,) = await events(
        hass, "2027-01-01T12:00:00+01:00", "2027-01-02T12:00:00+01:00"
    )
    assert event == {
        "start": "2027-01-01T23:30:00+01:00",
        "end": "2027-01-02T05:30:00+01:00",
        "summary": "Charge window · test home",
        "description": NOT_CHARGING_STATE,
    }
    assert shown(hass, CALENDAR).attributes["message"] == "Charge window · test home"


async def set_several(hass: HomeAssistant, number: int) -> None:
    """Set windows of which each ends when the next one begins."""
    for hour in range(number):
        await set_schedule(
            hass,
            start_time=f"{hour:02}:00",
            stop_time=f"{hour + 1:02}:00",
            replace=False,
        )


@pytest.mark.usefixtures("amsterdam")
@pytest.mark.parametrize(
    ("schedules", "windows", "days"),
    [(1, 366, 366), (3, 400, 134), (10, 400, 40)],
)
async def test_long_range_is_cut(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    schedules: int,
    windows: int,
    days: int,
) -> None:
    """By days and by windows, from when the first schedule was set: today is in it."""
    await be_at(hass, freezer, "2027-01-20T00:00:00+01:00")
    await set_several(hass, schedules)
    found = await spans(hass, "1970-01-01T00:00:00+01:00", "2070-01-01T00:00:00+01:00")
    starts = [start for start, _ in found]
    assert len(found) == windows <= MAX_CALENDAR_WINDOWS
    assert starts == sorted(starts)
    assert starts[0] == "2027-01-20T00:00:00+01:00"
    assert len({start[:10] for start in starts}) == days <= MAX_CALENDAR_RANGE.days


@pytest.mark.usefixtures("amsterdam")
async def test_what_is_not_long_is_not_cut(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """A page of a month, with several schedules."""
    await be_at(hass, freezer, "2027-01-20T00:00:00+01:00")
    await set_several(hass, 9)
    found = await spans(hass, "2028-02-01T00:00:00+01:00", "2028-03-14T00:00:00+01:00")
    assert len(found) == 9 * 42


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize(
    "time_zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"]
)
@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("0001-01-02T00:00:00Z", "0001-01-03T00:00:00Z"),
        ("0001-01-02T00:00:00Z", "9999-12-30T00:00:00Z"),
        ("9999-12-27T00:00:00Z", "9999-12-30T23:00:00Z"),
    ],
)
async def test_first_and_last_years_are_no_error(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    time_zone: str,
    begin: str,
    end: str,
) -> None:
    """Wherever in the world, for a person and for an automation."""
    await hass.config.async_update(time_zone=time_zone)
    await set_schedule(hass)
    seen = await seen_by_a_page(await hass_client(), begin, end)
    assert [
        (event["start"]["dateTime"], event["end"]["dateTime"]) for event in seen
    ] == await spans(hass, begin, end)


@pytest.mark.usefixtures("amsterdam")
async def test_windows_go_on_until_the_last_days_of_the_calendar(
    hass: HomeAssistant,
) -> None:
    """The very last ones are left out, where dates run out."""
    await set_schedule(hass)
    found = await spans(hass, "9999-12-20T00:00:00+01:00", "9999-12-31T20:00:00+01:00")
    assert found[0] == ("9999-12-19T23:30:00+01:00", "9999-12-20T05:30:00+01:00")
    assert "9999-12-28" <= found[-1][1] < "9999-12-30"
