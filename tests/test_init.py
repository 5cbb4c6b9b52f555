"""Starting, restarting, being offline, and leaving nothing behind."""

import asyncio
from datetime import timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import CONF_CLIENT_ID, CONF_CLIENT_SECRET
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.smartcar_charging.const import DOMAIN
from tests.actions import SENSOR, device_id, sensor, set_schedule
from tests.conftest import make_entry
from tests.ledgers import files_of_ours
from tests.simulator import DEMO_CLIENT_ID, TESLA, VOLVO, Fault, Simulator


def billable(simulator: Simulator) -> list[str]:
    """Return the requests that Smartcar counts against a plan."""
    return [
        request.path for request in simulator.requests if "/vehicles/" in request.path
    ]


async def test_setup_and_an_idle_day_cost_nothing(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """One token, one free look at the connections, and then silence."""
    assert [request.path for request in simulator.requests] == [
        "/oauth2/token",
        "/v3/connections",
    ]
    for _ in range(24):
        freezer.tick(timedelta(hours=1))
        async_fire_time_changed(hass)
        await hass.async_block_till_done(wait_background_tasks=True)
    assert len(simulator.requests) == 2
    assert billable(simulator) == []


async def test_restart_without_network_shows_the_last_execution(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Same state and attributes; with network again, a set replaces the first."""
    first = await set_schedule(hass)
    before = sensor(hass)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await simulator.stop()
    assert sensor(hass).state == "unavailable"

    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert sensor(hass).state == before.state
    assert sensor(hass).attributes == before.attributes
    assert entry.state.value == "loaded"
    assert hass.config_entries.flow.async_progress() == []

    await simulator.start()
    second = await set_schedule(hass, start_time="00:00")
    assert second["replaced_schedule_ids"] == [first["schedule_id"]]


async def test_rejected_credentials_at_the_start_ask_for_others_and_stay_loaded(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """The cars are there, the user is asked to sign in again."""
    entry = make_entry(
        TESLA,
        data={CONF_CLIENT_ID: DEMO_CLIENT_ID, CONF_CLIENT_SECRET: "an old secret"},
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    (flow,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert flow["context"]["source"] == "reauth"
    assert entry.state.value == "loaded"
    assert sensor(hass).state == "unknown"


async def test_a_cloud_in_trouble_is_no_news(
    hass: HomeAssistant, simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """Setup succeeds without a word when Smartcar does not answer as it should."""
    simulator.always(Fault.error(500, "SERVER", "INTERNAL"), path="/connections")
    entry = make_entry(TESLA)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.state.value == "loaded"
    assert hass.config_entries.flow.async_progress() == []
    ours = [
        record
        for record in caplog.records
        if record.name.startswith("custom_components")
    ]
    assert {record.levelname for record in ours} <= {"DEBUG"}


async def test_setup_does_not_wait_for_the_cloud(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """The check of the credentials runs in the background, and ends with the entry."""
    simulator.always(Fault(hold=asyncio.Event()))
    entry = make_entry(TESLA)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert sensor(hass).state == "unknown"
    await simulator.wait_for_request()
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)


@pytest.mark.parametrize("cars", [[TESLA, VOLVO]])
async def test_removing_a_car_removes_what_was_kept_of_it(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Its device, entities and file; the other car does not notice."""
    await set_schedule(hass, device_id=device_id(hass, TESLA))
    await set_schedule(hass, device_id=device_id(hass, VOLVO))
    volvo = hass.states.get("sensor.volvo_ex40_2025_last_execution")
    assert len(files_of_ours(hass)) == 2
    (tesla,) = [
        s.subentry_id
        for s in entry.subentries.values()
        if s.unique_id == TESLA.vehicle_id
    ]
    assert hass.config_entries.async_remove_subentry(entry, tesla)
    await hass.async_block_till_done()
    assert hass.states.get(SENSOR) is None
    assert hass.states.get("sensor.volvo_ex40_2025_last_execution") is volvo
    assert [
        device.name
        for device in dr.async_entries_for_config_entry(
            dr.async_get(hass), entry.entry_id
        )
    ] == ["Volvo EX40 2025"]
    assert len(files_of_ours(hass)) == 1
    # Now that one car is left, no device has to be given.
    await set_schedule(hass)
    assert simulator.creates[-1].path.split("/")[3] == VOLVO.vehicle_id


async def test_a_renamed_car_renames_its_device(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """At once, and in the messages too."""
    account = entry.runtime_data
    (subentry,) = entry.subentries.values()
    hass.config_entries.async_update_subentry(entry, subentry, title="Family car")
    await hass.async_block_till_done()
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert device.name == "Family car"
    simulator.script(Fault.error(409, "VEHICLE_STATE", "ASLEEP"))
    with pytest.raises(Exception, match="Family car did not take the command"):
        await set_schedule(hass)
    assert entry.runtime_data is account


async def test_device_says_what_the_car_is(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Make, model and year, from Smartcar's connection."""
    device = dr.async_get(hass).async_get(device_id(hass, TESLA))
    assert isinstance(device, dr.DeviceEntry)
    assert device.name == "Tesla Model Y 2024"
    assert device.manufacturer == "Tesla"
    assert device.model == "Model Y"
    assert device.model_id == "2024"
