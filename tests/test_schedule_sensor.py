"""What Home Assistant knows to be set on a car: the newest window, and all of them."""

from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
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
from tests.simulator import TESLA, CreateMode, Fault, Simulator

HOME: Final = {"latitude": 32.87336, "longitude": -117.22743}


def on_sensor(hass: HomeAssistant) -> tuple[str, list[Any]]:
    """Return the window, and the ids of all schedules; the count is theirs."""
    state = shown(hass, CHARGE_SCHEDULE)
    ids = [schedule["schedule_id"] for schedule in state.attributes["schedules"]]
    assert state.attributes["count"] == len(ids)
    return state.state, ids


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


async def test_window_place_and_id(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Everything that tells one schedule from another."""
    response = await set_schedule(hass)
    state = shown(hass, CHARGE_SCHEDULE)
    assert state.state == "23:30–05:30"
    assert state.attributes["schedules"] == [
        {
            "schedule_id": response["schedule_id"],
            "start_time": "23:30",
            "stop_time": "05:30",
            "zone": "zone.home",
            "location": HOME,
            "standing": "on_car",
        }
    ]


async def test_place_without_a_zone(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Coordinates alone."""
    await set_schedule(hass, location={"latitude": 1.5, "longitude": 2.5})
    (schedule,) = shown(hass, CHARGE_SCHEDULE).attributes["schedules"]
    assert schedule["zone"] is None
    assert schedule["location"] == {"latitude": 1.5, "longitude": 2.5}


async def test_schedules_are_not_recorded(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Where somebody lives does not belong in a history; how many there are does."""
    await set_schedule(hass)
    info = shown(hass, CHARGE_SCHEDULE).state_info
    assert info is not None
    assert "schedules" in info["unrecorded_attributes"]
    assert "count" not in info["unrecorded_attributes"]


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


@pytest.mark.parametrize(
    "fault",
    [
        Fault.error(409, "VEHICLE_STATE", "ASLEEP"),
        Fault.error(500, "SERVER", "INTERNAL"),
    ],
    ids=["409", "500"],
)
async def test_what_is_not_proven_to_be_set_is_not_shown(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, fault: Fault
) -> None:
    """The last proven one stays."""
    first = await set_schedule(hass)
    simulator.script(fault)
    with pytest.raises(HomeAssistantError):
        await set_schedule(hass, start_time="00:00")
    assert on_sensor(hass) == ("23:30–05:30", [first["schedule_id"]])


async def test_window_is_what_smartcar_says_it_set(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """A car may know only coarser steps."""
    simulator.script(
        Fault(merge={"data": {"attributes": {"parameters": {"startTime": "23:15"}}}})
    )
    await set_schedule(hass)
    assert shown(hass, CHARGE_SCHEDULE).state == "23:15–05:30"


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
