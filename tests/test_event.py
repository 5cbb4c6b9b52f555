"""The end of each command as an event: once for each, before anything goes away."""

import asyncio
from collections.abc import Awaitable, Callable
import json

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import (
    CoreState,
    Event,
    EventStateChangedData,
    HomeAssistant,
    State,
    callback,
)
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import (
    TrackStates,
    async_track_state_added_domain,
    async_track_state_change_filtered,
)
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.smartcar_charging import SECONDS_UNTIL_AUTOMATIONS_ARE_ARMED
from tests.actions import EVENT, delete_schedule, reload, sensor, set_schedule, shown
from tests.ledgers import IN_PROGRESS, file_with, start_with
from tests.simulator import Fault, Simulator

NO_EVENT = ("unavailable", "unknown")
NOT_OF_A_COMMAND = {
    "event_type",
    "event_types",
    "friendly_name",
    "device_class",
    "options",
}


@pytest.fixture
def fired(hass: HomeAssistant) -> list[str]:
    """Collect the type whenever an event entity shows another moment."""
    types: list[str] = []
    moments = set(NO_EVENT)

    @callback
    def collect(event: Event[EventStateChangedData]) -> None:
        """Keep the type of a moment that is new."""
        if (
            state := event.data["new_state"]
        ) is not None and state.state not in moments:
            moments.add(state.state)
            types.append(state.attributes["event_type"])

    async_track_state_change_filtered(
        hass, TrackStates(False, set(), {"event"}), collect
    )
    async_track_state_added_domain(hass, "event", collect)
    return types


def details(state: State) -> dict[str, object]:
    """Return what a state says of a command, as the frontend gets it."""
    attributes: dict[str, object] = json.loads(state.as_dict_json)["attributes"]
    return {
        name: value
        for name, value in attributes.items()
        if name not in NOT_OF_A_COMMAND
    }


def test_nothing_before_the_first_command(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """The types are known, so that an automation can be made."""
    state = shown(hass, EVENT)
    assert (state.state, state.attributes["event_type"]) == ("unknown", None)
    assert state.attributes["event_types"] == ["success", "failed", "unconfirmed"]


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        (Fault.error(409, "VEHICLE_STATE", "ASLEEP", "The car is asleep."), "failed"),
        (Fault.error(502, "UPSTREAM", "NO_RESPONSE"), "unconfirmed"),
    ],
)
async def test_command_that_did_not_succeed_fires(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    fired: list[str],
    fault: Fault,
    verdict: str,
) -> None:
    """Once, with what the sensor says."""
    simulator.script(fault)
    with pytest.raises(HomeAssistantError):
        await set_schedule(hass)
    assert fired == [verdict]
    assert details(shown(hass, EVENT)) == details(sensor(hass))


async def test_success_fires(
    hass: HomeAssistant, entry: MockConfigEntry, fired: list[str]
) -> None:
    """With the schedule's id and the rest of the sensor's details."""
    response = await set_schedule(hass)
    assert fired == ["success"]
    assert details(shown(hass, EVENT)) == details(sensor(hass))
    assert shown(hass, EVENT).attributes["schedule_id"] == response["schedule_id"]


async def test_each_command_fires(
    hass: HomeAssistant, entry: MockConfigEntry, fired: list[str]
) -> None:
    """Also if it ends like the one before; the deletes that follow a set do not."""
    for _ in range(2):
        await set_schedule(hass)
    await delete_schedule(hass, zone="zone.home")
    assert fired == ["success"] * 3
    assert shown(hass, EVENT).attributes["action"] == "delete"


async def test_command_under_way_does_not_fire(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, fired: list[str]
) -> None:
    """Only its end does."""
    hold = asyncio.Event()
    simulator.script(Fault(hold=hold))
    call = hass.async_create_task(set_schedule(hass))
    await simulator.wait_for_request(path="/charge-schedules/daily")
    assert (sensor(hass).state, fired) == ("in_progress", [])
    hold.set()
    await call
    assert fired == ["success"]


async def test_call_that_is_refused_before_it_begins_does_not_fire(
    hass: HomeAssistant, entry: MockConfigEntry, fired: list[str]
) -> None:
    """Nothing happened to the car."""
    with pytest.raises(HomeAssistantError):
        await delete_schedule(hass, zone="zone.home")
    assert fired == []


async def test_location_is_not_recorded(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Where somebody lives does not belong in a history."""
    await set_schedule(hass)
    info = shown(hass, EVENT).state_info
    assert info is not None
    assert "location" in info["unrecorded_attributes"]


async def test_verdict_after_a_crash_fires_once(
    hass: HomeAssistant, simulator: Simulator, fired: list[str]
) -> None:
    """As soon as there is an entity to do so, and never again."""
    entry, _aside = await start_with(hass, file_with(commands=[IN_PROGRESS]))
    assert fired == ["unconfirmed"]
    assert details(shown(hass, EVENT)) == details(sensor(hass))
    before = shown(hass, EVENT)
    await reload(hass, entry)
    assert fired == ["unconfirmed"]
    assert shown(hass, EVENT).state == before.state


async def test_verdict_after_a_crash_fires_when_automations_are_armed(
    hass: HomeAssistant,
    simulator: Simulator,
    fired: list[str],
    freezer: FrozenDateTimeFactory,
) -> None:
    """That is some seconds after Home Assistant has started: before, nobody hears."""
    hass.set_state(CoreState.starting)
    await start_with(hass, file_with(commands=[IN_PROGRESS]))
    assert (sensor(hass).state, fired) == ("unconfirmed", [])
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await hass.async_block_till_done()
    assert fired == []
    freezer.tick(SECONDS_UNTIL_AUTOMATIONS_ARE_ARMED)
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert fired == ["unconfirmed"]


async def test_disabled_entity_fires_nothing_when_it_is_enabled(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, fired: list[str]
) -> None:
    """What it could not tell counts as told, also of a command that a stop cut off."""
    registry = er.async_get(hass)
    registry.async_update_entity(EVENT, disabled_by=er.RegistryEntryDisabler.USER)
    await reload(hass, entry)
    simulator.script(Fault(hold=asyncio.Event()), path="/charge-schedules/daily")
    call = hass.async_create_task(set_schedule(hass))
    await simulator.wait_for_request(path="/charge-schedules/daily")
    await reload(hass, entry)
    with pytest.raises(HomeAssistantError):
        await call
    registry.async_update_entity(EVENT, disabled_by=None)
    await reload(hass, entry)
    assert (shown(hass, EVENT).state, fired) == ("unknown", [])


async def test_renamed_entity_fires_each_verdict_once(
    hass: HomeAssistant, simulator: Simulator, fired: list[str]
) -> None:
    """Neither the one after the crash again, nor a later one twice."""
    await start_with(hass, file_with(commands=[IN_PROGRESS]))
    before = shown(hass, EVENT)
    er.async_get(hass).async_update_entity(EVENT, new_entity_id="event.my_car")
    await hass.async_block_till_done()
    assert shown(hass, "event.my_car").state == before.state
    await set_schedule(hass)
    assert fired == ["unconfirmed", "success"]


async def unload(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Unload the account."""
    assert await hass.config_entries.async_unload(entry.entry_id)


async def stop(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Stop Home Assistant."""
    await hass.async_stop()


@pytest.mark.parametrize("end", [unload, stop])
async def test_command_that_an_end_cuts_off_fires_before_the_entity_goes(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    fired: list[str],
    end: Callable[[HomeAssistant, MockConfigEntry], Awaitable[None]],
) -> None:
    """So that an automation can still tell the user."""
    simulator.script(Fault(hold=asyncio.Event()))
    call = hass.async_create_task(set_schedule(hass))
    await simulator.wait_for_request(path="/charge-schedules/daily")
    await end(hass, entry)
    with pytest.raises(HomeAssistantError, match="It is not known whether"):
        await call
    assert fired == ["unconfirmed"]


async def test_last_event_is_there_after_a_restart(
    hass: HomeAssistant, entry: MockConfigEntry, fired: list[str]
) -> None:
    """The same moment and details: nothing fires again."""
    await set_schedule(hass)
    before = shown(hass, EVENT)
    await reload(hass, entry)
    after = shown(hass, EVENT)
    assert (after.state, details(after)) == (before.state, details(before))
    assert fired == ["success"]
