"""The entities of a car: their names and owner, and that they come and go with it."""

import json
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.translation import async_get_translations
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from syrupy.assertion import SnapshotAssertion

from custom_components.smartcar_charging.const import DOMAIN
from tests.actions import NEW_START, device_id, edit_time, press, set_schedule, shown
from tests.conftest import make_entry
from tests.simulator import TESLA, VOLVO, Simulator

LANGUAGES: Final = pytest.mark.parametrize(
    "language", ["de", "en", "fr", "nb", "nl", "sv"]
)
# A row with two numbers leaves so many on a device page that is 1280 pixels wide.
VISIBLE_LETTERS: Final = 14
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


async def set_up(hass: HomeAssistant, language: str) -> dict[str, er.RegistryEntry]:
    """Set up a car in a language; return its entities by their keys."""
    hass.config.language = language
    entry = make_entry(TESLA)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return {f"{own.domain}.{own.translation_key}": own for own in entities}


@LANGUAGES
async def test_entity_ids_end_alike_in_every_language(
    hass: HomeAssistant, simulator: Simulator, language: str
) -> None:
    """What somebody copies from a page or a forum finds its entities."""
    found = await set_up(hass, language)
    assert sorted(own.entity_id for own in found.values()) == [
        "button.tesla_model_y_2024_remove_charge_schedule",
        "button.tesla_model_y_2024_send_to_car",
        "calendar.tesla_model_y_2024_charge_schedule",
        "event.tesla_model_y_2024_charge_schedule_execution",
        "select.tesla_model_y_2024_charge_zone",
        "sensor.tesla_model_y_2024_charge_schedule",
        "sensor.tesla_model_y_2024_last_execution",
        "time.tesla_model_y_2024_new_charge_start",
        "time.tesla_model_y_2024_new_charge_stop",
    ]


async def test_entity_ids_begin_with_the_name_that_the_user_gave_the_car(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """The device's part stays the user's when entity ids are made anew."""
    dr.async_get(hass).async_update_device(device_id(hass, TESLA), name_by_user="Rosi")
    await hass.async_block_till_done()
    registry = er.async_get(hass)
    entity = registry.async_get("time.tesla_model_y_2024_new_charge_start")
    assert entity is not None
    assert registry.async_regenerate_entity_id(entity) == "time.rosi_new_charge_start"


@LANGUAGES
async def test_names_are_told_apart_by_what_a_narrow_page_shows(
    hass: HomeAssistant, simulator: Simulator, language: str
) -> None:
    """No two of a car are called alike, or cut to the same letters."""
    found = await set_up(hass, language)
    names = [str(own.original_name).casefold() for own in found.values()]
    assert len({name[:VISIBLE_LETTERS] for name in names}) == len(found) == 9


@LANGUAGES
async def test_controls_lead_from_the_draft_to_sending_and_then_to_removing(
    hass: HomeAssistant, simulator: Simulator, language: str
) -> None:
    """The frontend puts them in the order of their names."""
    found = await set_up(hass, language)
    names = {key: str(own.original_name) for key, own in found.items()}
    start, stop = names["time.new_charge_start"], names["time.new_charge_stop"]
    zone = names["select.charge_zone"]
    send, remove = names["button.send_to_car"], names["button.remove_charge_schedule"]
    assert start < stop
    assert max(start, stop, zone) < send < remove


@LANGUAGES
async def test_error_names_the_times_as_the_page_does(
    hass: HomeAssistant, simulator: Simulator, language: str
) -> None:
    """Who is told to set them first can find them."""
    found = await set_up(hass, language)
    words = await async_get_translations(hass, language, "exceptions", [DOMAIN])
    message = words[f"component.{DOMAIN}.exceptions.draft_incomplete.message"]
    assert str(found["time.new_charge_start"].original_name) in message
    assert str(found["time.new_charge_stop"].original_name) in message


async def test_device_leads_to_the_dashboard_of_smartcar(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Where the car's connection, the plan and the requests are."""
    device = dr.async_get(hass).async_get(device_id(hass, TESLA))
    assert isinstance(device, dr.DeviceEntry)
    assert device.configuration_url == "https://dashboard.smartcar.com"


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
