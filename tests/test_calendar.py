"""The windows that Home Assistant has set, as a calendar: when they are and are not."""

from datetime import datetime
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceNotSupported
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
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
from tests.simulator import Fault, Simulator

SPRING: Final = "2027-03-28"  # 02:00 becomes 03:00 in Amsterdam
AUTUMN: Final = "2027-10-31"  # 03:00 becomes 02:00
NOT_CHARGING_STATE: Final = (
    "Set from Home Assistant. It is when the car may charge, not whether it does."
)


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
        hass, "2027-01-01T00:00:00+09:00", "2027-01-02T00:00:00+09:00"
    ) == [("2027-01-01T13:00:00+09:00", "2027-01-01T14:00:00+09:00")]
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
