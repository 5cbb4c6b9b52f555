"""The entities of a car: their names and owner, and that they come and go with it."""

import json
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from syrupy.assertion import SnapshotAssertion

from tests.actions import NEW_START, device_id, edit_time, press, set_schedule, shown
from tests.simulator import TESLA, VOLVO, Simulator

BOTH_CARS = pytest.mark.parametrize("cars", [[TESLA, VOLVO]])


def states_of(hass: HomeAssistant, car: str) -> dict[str, Any]:
    """Return what the frontend shows of a car, by entity."""
    return {
        state.entity_id: json.loads(state.as_dict_json)
        for state in hass.states.async_all()
        if state.entity_id.split(".")[1].startswith(car)
    }


async def test_entities_of_a_car(
    hass: HomeAssistant, entry: MockConfigEntry, snapshot: SnapshotAssertion
) -> None:
    """Names, keys, categories and unique ids.

    The unique ids are the vehicle's, so that entities survive a new account.
    """
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    assert {entity.config_subentry_id for entity in entities} == set(entry.subentries)
    assert {entity.device_id for entity in entities} == {device_id(hass, TESLA)}
    assert {
        entity.entity_id: {
            "name": entity.original_name,
            "translation_key": entity.translation_key,
            "unique_id": entity.unique_id,
            "category": None
            if entity.entity_category is None
            else entity.entity_category.value,
            "is_enabled": entity.disabled_by is None,
            "is_visible": entity.hidden_by is None,
        }
        for entity in sorted(entities, key=lambda entity: entity.entity_id)
    } == snapshot


async def test_entities_do_not_depend_on_the_cloud(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """What Home Assistant knows by itself is there while Smartcar is not."""
    await simulator.stop()
    await edit_time(hass, NEW_START, "22:15")
    states = states_of(hass, "tesla")
    assert len(states) == 9
    assert "unavailable" not in {state["state"] for state in states.values()}


@BOTH_CARS
async def test_cars_do_not_mix(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """What is drafted, sent and set for one is not seen at the other."""
    untouched = states_of(hass, "tesla")
    await edit_time(hass, "time.volvo_ex40_2025_new_charge_start", "22:15")
    await edit_time(hass, "time.volvo_ex40_2025_new_charge_stop", "06:45")
    await press(hass, "button.volvo_ex40_2025_send_to_car")
    await set_schedule(hass, device_id=device_id(hass, VOLVO), replace=False)
    assert states_of(hass, "tesla") == untouched
    assert simulator.schedules(TESLA.vehicle_id) == []
    assert (
        shown(hass, "sensor.volvo_ex40_2025_charge_schedule").attributes["count"] == 2
    )
    await press(hass, "button.volvo_ex40_2025_remove_charge_schedule")
    assert shown(hass, "sensor.volvo_ex40_2025_charge_schedule").state == "none"


@BOTH_CARS
async def test_removed_car_takes_its_entities_along(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """The other car keeps all of its own."""
    other = states_of(hass, "volvo")
    (tesla,) = [
        s.subentry_id
        for s in entry.subentries.values()
        if s.unique_id == TESLA.vehicle_id
    ]
    hass.config_entries.async_remove_subentry(entry, tesla)
    await hass.async_block_till_done()
    assert states_of(hass, "tesla") == {}
    assert states_of(hass, "volvo") == other
    left = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    assert {entity.entity_id for entity in left} == set(other)
