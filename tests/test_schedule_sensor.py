"""What Home Assistant knows to be set on a car: the newest window, and all of them."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.actions import (
    CHARGE_SCHEDULE,
    call_action,
    delete_schedule,
    reload,
    set_schedule,
    shown,
)
from tests.ledgers import file_of, file_with, issues_of_ours, start_with, stored
from tests.simulator import TESLA, CreateMode, Fault, Simulator

HOME: Final = {"latitude": 32.87336, "longitude": -117.22743}
# About 90 m and 110 m north of home.
NEAR: Final = {**HOME, "latitude": 32.87417}
NOT_NEAR: Final = {**HOME, "latitude": 32.87435}
ELSEWHERE: Final = {"latitude": 1.5, "longitude": 2.5}
EVENING: Final = datetime(2026, 11, 3, 20, 0, tzinfo=UTC)
NO_ANSWER: Final = Fault.error(500, "SERVER", "INTERNAL")

type Leave = Callable[[HomeAssistant, Simulator], Awaitable[None]]


def on_sensor(hass: HomeAssistant) -> tuple[str, list[Any]]:
    """Return the window, and the ids of all schedules; the count is theirs."""
    state = shown(hass, CHARGE_SCHEDULE)
    ids = [schedule["schedule_id"] for schedule in state.attributes["schedules"]]
    assert state.attributes["count"] == len(ids)
    return state.state, ids


def attribute(hass: HomeAssistant, name: str) -> Any:
    """Return an attribute of the sensor."""
    return shown(hass, CHARGE_SCHEDULE).attributes[name]


def zones(hass: HomeAssistant) -> list[list[str]]:
    """Return the zones of each schedule, set or possible."""
    schedules = [
        *attribute(hass, "schedules"),
        *attribute(hass, "possible_schedules"),
    ]
    return [schedule["zones"] for schedule in schedules]


async def put_zone(hass: HomeAssistant, zone: str, place: dict[str, Any]) -> None:
    """Put a zone to a place, as Home Assistant does, and let who listens hear it."""
    hass.states.async_set(zone, "0", {**place, "radius": 100, "passive": False})
    await hass.async_block_till_done()


async def set_unheard(hass: HomeAssistant, simulator: Simulator, **data: Any) -> None:
    """Set a schedule whose outcome nobody hears."""
    simulator.script(NO_ANSWER, path="/charge-schedules/daily")
    with pytest.raises(HomeAssistantError, match="It is not known whether"):
        await set_schedule(hass, **data)


def standings(hass: HomeAssistant) -> list[str]:
    """Return how the schedules stand on the car."""
    schedules = shown(hass, CHARGE_SCHEDULE).attributes["schedules"]
    return [schedule["standing"] for schedule in schedules]


async def test_none_without_a_schedule(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Schedules that were set elsewhere are not Home Assistant's to tell of."""
    simulator.add_schedule(TESLA.vehicle_id, start="01:00", stop="02:00")
    await reload(hass, entry)
    assert on_sensor(hass) == ("none", [])


async def test_window_place_and_id(
    hass: HomeAssistant, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    """Everything that tells one schedule from another, and nothing in question."""
    freezer.move_to(EVENING)
    response = await set_schedule(hass)
    state = shown(hass, CHARGE_SCHEDULE)
    assert state.state == "23:30–05:30"
    assert state.attributes["schedules"] == [
        {
            "schedule_id": response["schedule_id"],
            "standing": "on_car",
            "start_time": "23:30",
            "stop_time": "05:30",
            "asked_start_time": "23:30",
            "asked_stop_time": "05:30",
            "zone": "zone.home",
            "zones": ["zone.home"],
            "location": HOME,
            "sent_at": EVENING.isoformat(),
            "ended_at": EVENING.isoformat(),
            "count": 1,
        }
    ]
    assert state.attributes["possible_schedules"] == []
    assert state.attributes["unsettled_zones"] == []
    assert state.attributes["record_lost_at"] is None


async def test_place_without_a_zone(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Coordinates alone."""
    await set_schedule(hass, location=ELSEWHERE)
    (schedule,) = attribute(hass, "schedules")
    assert (schedule["zone"], schedule["zones"]) == (None, [])
    assert schedule["location"] == ELSEWHERE


async def test_replaced_schedule_goes(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Only the new one is left."""
    await set_schedule(hass)
    second = await set_schedule(hass, start_time="00:00", stop_time="06:00")
    assert on_sensor(hass) == ("00:00–06:00", [second["schedule_id"]])


async def test_schedule_under_the_same_id_is_one(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Smartcar may replace by itself."""
    simulator.create_mode = CreateMode.REPLACE_SAME_ID
    await set_schedule(hass)
    second = await set_schedule(hass, start_time="00:00", stop_time="06:00")
    assert on_sensor(hass) == ("00:00–06:00", [second["schedule_id"]])


async def test_schedules_that_pile_up_are_seen(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """In the order of setting; deleting the newest shows the one before it."""
    starts = ("21:00", "22:00", "23:00")
    ids = [
        (await set_schedule(hass, start_time=start, replace=False))["schedule_id"]
        for start in starts
    ]
    assert on_sensor(hass) == ("23:00–05:30", ids)
    await delete_schedule(hass, schedule_id=ids[2])
    assert on_sensor(hass) == ("22:00–05:30", ids[:2])
    await delete_schedule(hass, zone="zone.home")
    assert on_sensor(hass) == ("none", [])


async def test_old_schedule_that_could_not_be_removed_is_seen(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """It is still on the car, but it is not the window that is wanted."""
    first = await set_schedule(hass)
    simulator.script(Fault.error(409, "VEHICLE_STATE", "ASLEEP"), method="DELETE")
    second = await set_schedule(hass, start_time="00:00")
    assert on_sensor(hass) == (
        "00:00–05:30",
        [first["schedule_id"], second["schedule_id"]],
    )
    assert standings(hass) == ["superseded", "on_car"]
    await delete_schedule(hass, schedule_id=second["schedule_id"])
    assert on_sensor(hass) == ("none", [first["schedule_id"]])


async def test_schedule_whose_delete_is_not_proven_is_seen(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """It may be on the car, until somebody knows better."""
    own = await set_schedule(hass)
    simulator.script(Fault.error(500, "SERVER", "INTERNAL"), method="DELETE")
    with pytest.raises(HomeAssistantError):
        await delete_schedule(hass, zone="zone.home")
    assert on_sensor(hass) == ("23:30–05:30", [own["schedule_id"]])
    assert standings(hass) == ["possibly_on_car"]
    assert attribute(hass, "possible_schedules") == []
    assert attribute(hass, "unsettled_zones") == ["zone.home"]


async def test_superseded_schedule_whose_delete_is_not_proven_stays_superseded(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """It is still to be removed, and nothing about it is for the user to settle."""
    await set_schedule(hass)
    simulator.always(NO_ANSWER, method="DELETE")
    await set_schedule(hass, start_time="00:00")
    assert standings(hass) == ["superseded", "on_car"]
    with pytest.raises(HomeAssistantError):
        await delete_schedule(hass, zone="zone.home")
    assert standings(hass) == ["superseded", "on_car"]
    assert attribute(hass, "unsettled_zones") == []
    assert issues_of_ours(hass) == ["old_schedule"]


async def test_refused_schedule_is_not_shown(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The last proven one stays, and nothing is in question."""
    first = await set_schedule(hass)
    simulator.script(Fault.error(409, "VEHICLE_STATE", "ASLEEP"))
    with pytest.raises(HomeAssistantError):
        await set_schedule(hass, start_time="00:00")
    assert on_sensor(hass) == ("23:30–05:30", [first["schedule_id"]])
    assert attribute(hass, "possible_schedules") == []
    assert attribute(hass, "unsettled_zones") == []


async def test_possible_schedule_is_told_apart_from_those_that_were_set(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """With all that is told of one; the window is that of the last proven one."""
    first = await set_schedule(hass)
    freezer.move_to(EVENING)
    await set_unheard(hass, simulator, start_time="00:00")
    assert on_sensor(hass) == ("23:30–05:30", [first["schedule_id"]])
    assert attribute(hass, "possible_schedules") == [
        {
            "schedule_id": None,
            "standing": "possibly_on_car",
            "start_time": "00:00",
            "stop_time": "05:30",
            "asked_start_time": "00:00",
            "asked_stop_time": "05:30",
            "zone": "zone.home",
            "zones": ["zone.home"],
            "location": HOME,
            "sent_at": EVENING.isoformat(),
            "ended_at": EVENING.isoformat(),
            "count": 1,
        }
    ]
    assert attribute(hass, "unsettled_zones") == ["zone.home"]
    assert issues_of_ours(hass) == ["unsettled_schedules"]


async def test_equal_possible_schedules_are_one_with_a_count(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """They are as many as were sent."""
    for start_time in ("23:30", "00:00", "23:30"):
        await set_unheard(hass, simulator, start_time=start_time)
    possible = attribute(hass, "possible_schedules")
    counts = [(own["start_time"], own["count"]) for own in possible]
    assert counts == [("00:00", 1), ("23:30", 2)]
    assert on_sensor(hass) == ("none", [])


async def test_success_without_an_id_is_on_the_car_from_the_start(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Its window is told, it does not count as possible, and the user is asked."""
    simulator.script(Fault.without_id(), path="/charge-schedules/daily")
    await set_schedule(hass)
    assert on_sensor(hass) == ("23:30–05:30", [None])
    assert standings(hass) == ["on_car"]
    assert attribute(hass, "possible_schedules") == []
    assert attribute(hass, "unsettled_zones") == ["zone.home"]
    assert issues_of_ours(hass) == ["unsettled_schedules"]


async def test_schedule_without_an_id_stays_whatever_is_set_or_deleted(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Nobody can remove it by an id, so it is never superseded, nor claimed gone."""
    simulator.script(Fault.without_id(), path="/charge-schedules/daily")
    await set_schedule(hass)
    second = await set_schedule(hass, start_time="00:00")
    assert second["replaced_schedule_ids"] == []
    assert on_sensor(hass) == ("00:00–05:30", [None, second["schedule_id"]])
    assert standings(hass) == ["on_car", "on_car"]
    response = await delete_schedule(hass, zone="zone.home")
    assert response["deleted_schedule_ids"] == [second["schedule_id"]]
    assert on_sensor(hass) == ("23:30–05:30", [None])
    with pytest.raises(ServiceValidationError) as caught:
        await delete_schedule(hass, zone="zone.home")
    assert caught.value.translation_key == "nothing_to_delete"
    assert on_sensor(hass) == ("23:30–05:30", [None])
    assert [schedule.start for schedule in simulator.schedules(TESLA.vehicle_id)] == [
        "23:30"
    ]


async def test_what_was_set_last_without_an_id_is_the_window(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Also if an equal one was set before: then another window was set in between."""
    for start_time in ("23:30", "00:00", "23:30"):
        simulator.script(Fault.without_id(), path="/charge-schedules/daily")
        await set_schedule(hass, start_time=start_time)
    assert on_sensor(hass) == ("23:30–05:30", [None, None])
    counts = [own["count"] for own in attribute(hass, "schedules")]
    assert counts == [1, 2]


async def test_schedule_that_was_seen_is_shown_as_set(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """By the user's word: it is on the car, and stays in question."""
    await set_unheard(hass, simulator)
    (seen,) = stored(hass, entry)["schedules"]
    assert await hass.config_entries.async_unload(entry.entry_id)
    content = file_with(schedules=[{**seen, "doubt": "seen"}])
    file_of(hass, entry).write_text(content)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert on_sensor(hass) == ("23:30–05:30", [None])
    assert attribute(hass, "possible_schedules") == []
    assert attribute(hass, "unsettled_zones") == ["zone.home"]


async def test_lost_record_is_told_with_its_moment(
    hass: HomeAssistant, simulator: Simulator, freezer: FrozenDateTimeFactory
) -> None:
    """Until the user has confirmed it: something may be on the car unknown."""
    freezer.move_to(EVENING)
    await start_with(hass, "{")
    assert on_sensor(hass) == ("none", [])
    assert attribute(hass, "record_lost_at") == EVENING.isoformat()


async def test_window_is_what_smartcar_says_it_set(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """A car may know only coarser steps; what was asked for is told beside it."""
    simulator.script(
        Fault(merge={"data": {"attributes": {"parameters": {"startTime": "23:15"}}}})
    )
    await set_schedule(hass)
    assert shown(hass, CHARGE_SCHEDULE).state == "23:15–05:30"
    (schedule,) = attribute(hass, "schedules")
    assert (schedule["start_time"], schedule["stop_time"]) == ("23:15", "05:30")
    asked = (schedule["asked_start_time"], schedule["asked_stop_time"])
    assert asked == ("23:30", "05:30")


# Which zones are where a schedule applies


async def test_zones_are_those_at_its_place_by_coordinates(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Several may overlap; a radius, and where the name came from, do not matter."""
    await put_zone(hass, "zone.drive", NEAR)
    await put_zone(hass, "zone.corner", NOT_NEAR)
    await put_zone(
        hass, "zone.antipode", {"latitude": -32.87336, "longitude": 62.77257}
    )
    hass.states.async_set("zone.blank", "0", {"latitude": None, "longitude": None})
    hass.states.async_set("zone.bare", "0")
    await set_schedule(hass)
    await set_schedule(hass, location=NOT_NEAR, replace=False)
    assert zones(hass) == [["zone.drive", "zone.home"], ["zone.corner", "zone.drive"]]


async def test_zone_that_another_place_took_over_is_not_told(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """It was set for that zone, but does not apply there any more."""
    await put_zone(hass, "zone.work", NOT_NEAR)
    await set_schedule(hass, zone="zone.work")
    assert zones(hass) == [["zone.work"]]
    await put_zone(hass, "zone.work", ELSEWHERE)
    (schedule,) = attribute(hass, "schedules")
    assert (schedule["zone"], schedule["zones"]) == ("zone.work", [])


async def leave_possible(hass: HomeAssistant, simulator: Simulator) -> None:
    """Leave a schedule possibly on the car."""
    await set_unheard(hass, simulator, zone="zone.work")


async def leave_without_id(hass: HomeAssistant, simulator: Simulator) -> None:
    """Leave a schedule on the car whose id nobody knows."""
    simulator.script(Fault.without_id(), path="/charge-schedules/daily")
    await set_schedule(hass, zone="zone.work")


async def leave_doubtful(hass: HomeAssistant, simulator: Simulator) -> None:
    """Leave a schedule whose delete is not proven."""
    await set_schedule(hass, zone="zone.work")
    simulator.script(NO_ANSWER, method="DELETE")
    with pytest.raises(HomeAssistantError):
        await delete_schedule(hass, zone="zone.work")


async def leave_settled(hass: HomeAssistant, simulator: Simulator) -> None:
    """Leave a schedule on the car of which nothing is in question."""
    await set_schedule(hass, zone="zone.work")


@pytest.mark.parametrize(
    ("leave", "is_settled"),
    [
        (leave_possible, False),
        (leave_without_id, False),
        (leave_doubtful, False),
        (leave_settled, True),
    ],
)
async def test_zones_follow_what_people_do_to_zones(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    leave: Leave,
    is_settled: bool,
) -> None:
    """At once and without a command: moved away and back, removed, and a new one."""
    await put_zone(hass, "zone.work", NOT_NEAR)
    await leave(hass, simulator)
    commands = len(simulator.requests)
    told = []
    unsettled = []
    for zone, place in (
        ("zone.work", ELSEWHERE),
        ("zone.work", NOT_NEAR),
        ("zone.new", NOT_NEAR),
        ("zone.work", ELSEWHERE),
    ):
        await put_zone(hass, zone, place)
        told += zones(hass)
        unsettled.append(attribute(hass, "unsettled_zones"))
    assert told == [[], ["zone.work"], ["zone.new", "zone.work"], ["zone.new"]]
    assert unsettled == ([[]] * 4 if is_settled else told)
    hass.states.async_remove("zone.new")
    await hass.async_block_till_done()
    assert zones(hass) == [[]]
    assert attribute(hass, "unsettled_zones") == []
    assert len(simulator.requests) == commands


async def test_people_who_come_and_go_change_nothing(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """A zone counts them, which says nothing of where it is."""
    await set_schedule(hass)
    before = shown(hass, CHARGE_SCHEDULE)
    zone = shown(hass, "zone.home")
    hass.states.async_set("zone.home", "1", zone.attributes)
    hass.states.async_set("person.anybody", "home", HOME)
    await hass.async_block_till_done()
    assert shown(hass, CHARGE_SCHEDULE) is before


async def test_zones_are_told_anew_after_a_reload(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """A zone may have moved while nobody looked."""
    await put_zone(hass, "zone.work", NOT_NEAR)
    await set_schedule(hass, zone="zone.work")
    assert await hass.config_entries.async_unload(entry.entry_id)
    await put_zone(hass, "zone.work", ELSEWHERE)
    await put_zone(hass, "zone.new", NOT_NEAR)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert zones(hass) == [["zone.new"]]


async def test_removed_car_follows_no_zones(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """What is written of it then would come back as a state without an entity."""
    await set_schedule(hass)
    hass.config_entries.async_remove_subentry(entry, next(iter(entry.subentries)))
    await hass.async_block_till_done()
    await put_zone(hass, "zone.home", ELSEWHERE)
    assert hass.states.get(CHARGE_SCHEDULE) is None


async def test_same_after_a_reload(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """From the disk, without a request that costs."""
    await set_schedule(hass)
    before = shown(hass, CHARGE_SCHEDULE)
    await reload(hass, entry)
    after = shown(hass, CHARGE_SCHEDULE)
    assert (after.state, after.attributes) == (before.state, before.attributes)
    assert len(simulator.creates) == 1


async def test_asking_the_car_does_not_change_it(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """The sensor tells what Home Assistant set, whatever the car has."""
    await set_schedule(hass)
    before = shown(hass, CHARGE_SCHEDULE)
    await call_action(hass, "get_charge_schedules", {})
    assert shown(hass, CHARGE_SCHEDULE) is before
