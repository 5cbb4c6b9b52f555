"""Calls of the actions, as an automation makes them."""

from typing import Any, Final

from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import device_registry as dr, entity_registry as er

from custom_components.smartcar_charging.const import DOMAIN
from tests.simulator import Car

SENSOR: Final = "sensor.tesla_model_y_2024_last_execution"


def device_id(hass: HomeAssistant, car: Car) -> str:
    """Return the device of a car."""
    entity_id = er.async_get(hass).async_get_entity_id("sensor", DOMAIN, f"{car.vehicle_id}_last_execution")
    assert entity_id is not None
    entity = er.async_get(hass).async_get(entity_id)
    assert entity is not None
    assert entity.device_id is not None
    assert dr.async_get(hass).async_get(entity.device_id) is not None
    return entity.device_id


def sensor(hass: HomeAssistant) -> State:
    """Return what the sensor of the first car shows."""
    state = hass.states.get(SENSOR)
    assert state is not None
    return state


async def call_action(hass: HomeAssistant, action: str, data: dict[str, Any]) -> dict[str, Any]:
    """Call an action of ours, and return its response."""
    response = await hass.services.async_call(DOMAIN, action, data, blocking=True, return_response=True)
    assert response is not None
    return dict(response)


async def set_schedule(hass: HomeAssistant, **data: Any) -> dict[str, Any]:
    """Set a schedule; without other times, the window of a night tariff."""
    return await call_action(hass, "set_daily_charge_schedule", {"start_time": "23:30", "stop_time": "05:30", **data})


async def delete_schedule(hass: HomeAssistant, **data: Any) -> dict[str, Any]:
    """Delete schedules."""
    return await call_action(hass, "delete_charge_schedule", data)
