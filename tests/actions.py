"""Calls of the actions, as an automation makes them."""

from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component

from custom_components.smartcar_charging.const import DOMAIN
from tests.simulator import Car

SENSOR: Final = "sensor.tesla_model_y_2024_last_execution"
CHARGE_SCHEDULE: Final = "sensor.tesla_model_y_2024_charge_schedule"
CALENDAR: Final = "calendar.tesla_model_y_2024_charge_schedule"
EVENT: Final = "event.tesla_model_y_2024_charge_schedule_execution"
NEW_START: Final = "time.tesla_model_y_2024_new_charge_start"
NEW_STOP: Final = "time.tesla_model_y_2024_new_charge_stop"
ZONE: Final = "select.tesla_model_y_2024_charge_zone"
SEND: Final = "button.tesla_model_y_2024_send_to_car"
REMOVE: Final = "button.tesla_model_y_2024_remove_charge_schedule"


def device_id(hass: HomeAssistant, car: Car) -> str:
    """Return the device of a car."""
    entity_id = er.async_get(hass).async_get_entity_id(
        "sensor", DOMAIN, f"{car.vehicle_id}_last_execution"
    )
    assert entity_id is not None
    entity = er.async_get(hass).async_get(entity_id)
    assert entity is not None
    assert entity.device_id is not None
    assert dr.async_get(hass).async_get(entity.device_id) is not None
    return entity.device_id


def shown(hass: HomeAssistant, entity_id: str) -> State:
    """Return what an entity shows."""
    state = hass.states.get(entity_id)
    assert state is not None
    return state


def sensor(hass: HomeAssistant) -> State:
    """Return what the sensor of the first car shows."""
    return shown(hass, SENSOR)


async def press(hass: HomeAssistant, button: str) -> None:
    """Press a button, and wait for the outcome."""
    await hass.services.async_call(
        "button", "press", {"entity_id": button}, blocking=True
    )


async def edit_time(hass: HomeAssistant, entity_id: str, time: str) -> None:
    """Choose another time on the device page."""
    await hass.services.async_call(
        "time", "set_value", {"entity_id": entity_id, "time": time}, blocking=True
    )


async def edit_zone(hass: HomeAssistant, option: str) -> None:
    """Choose another zone on the device page."""
    await hass.services.async_call(
        "select", "select_option", {"entity_id": ZONE, "option": option}, blocking=True
    )


async def reload(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Unload an account, and set it up from what is stored."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)


async def run_script(hass: HomeAssistant, sequence: list[dict[str, Any]]) -> None:
    """Run steps as a script does, which renders their templates."""
    config = {"script": {"tested": {"sequence": sequence}}}
    assert await async_setup_component(hass, "script", config)
    await hass.services.async_call("script", "tested", blocking=True)


async def call_action(
    hass: HomeAssistant, action: str, data: dict[str, Any]
) -> dict[str, Any]:
    """Call an action of ours, and return its response."""
    response = await hass.services.async_call(
        DOMAIN, action, data, blocking=True, return_response=True
    )
    assert response is not None
    return dict(response)


async def set_schedule(hass: HomeAssistant, **data: Any) -> dict[str, Any]:
    """Set a schedule; without other times, the window of a night tariff."""
    return await call_action(
        hass,
        "set_daily_charge_schedule",
        {"start_time": "23:30", "stop_time": "05:30", **data},
    )


async def delete_schedule(hass: HomeAssistant, **data: Any) -> dict[str, Any]:
    """Delete schedules."""
    return await call_action(hass, "delete_charge_schedule", data)
