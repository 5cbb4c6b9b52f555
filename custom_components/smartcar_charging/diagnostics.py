"""What support needs to know, without anything that tells who or where the user is."""

from typing import Any, Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_CLIENT_ID
from homeassistant.core import HomeAssistant

from .account import SmartcarChargingConfigEntry
from .command_details import Teller, describe_command
from .const import CONF_MAKE, CONF_MODEL, CONF_YEAR
from .models import Standing
from .vehicle import SmartcarVehicle

# Chosen, not redacted: what is not named here cannot slip out.
_TOLD_OF_A_CAR: Final = (CONF_MAKE, CONF_MODEL, CONF_YEAR)


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: SmartcarChargingConfigEntry
) -> dict[str, Any]:
    """Return the state of an account and its cars; Home Assistant adds the versions."""
    credentials = "access_token"
    if CONF_CLIENT_ID in entry.data:
        credentials = "api_credentials"
    told: dict[str, Any] = {"credentials": credentials, "state": entry.state.value}
    if entry.state is ConfigEntryState.LOADED:
        account = entry.runtime_data
        told["token_age_seconds"] = account.token_age
        told["cars"] = [
            _vehicle_diagnostics(entry, vehicle)
            for vehicle in account.vehicles.values()
        ]
    return told


def _vehicle_diagnostics(
    entry: SmartcarChargingConfigEntry, vehicle: SmartcarVehicle
) -> dict[str, Any]:
    """Return what car it is, how its schedules stand, and its last commands."""
    state = vehicle.data
    told: dict[str, Any] = {}
    subentry = entry.subentries.get(vehicle.key)
    if subentry is not None:
        told = {key: subentry.data.get(key) for key in _TOLD_OF_A_CAR}
    told["schedules"] = {
        standing.value: len(state.with_standing(standing)) for standing in Standing
    }
    told["is_record_readable"] = vehicle.last_update_success
    told["is_record_lost"] = state.is_record_lost
    told["executions"] = [
        describe_command(command, Teller.DIAGNOSTICS) for command in state.commands
    ]
    return told
