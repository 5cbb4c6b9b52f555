"""The actions, from the call to the wire and back."""

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.simulator import TESLA, VOLVO, Simulator


async def test_request_is_the_official_one(hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry) -> None:
    response = await hass.services.async_call(
        "smartcar_charging",
        "set_daily_charge_schedule",
        {"start_time": "23:30", "stop_time": "05:30:00"},
        blocking=True,
        return_response=True,
    )
    print(response)
    print(simulator.creates)
    print(hass.states.async_all())
