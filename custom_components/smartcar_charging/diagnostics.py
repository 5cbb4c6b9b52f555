"""What support needs to know, without anything that tells who or where the user is."""

from typing import Any, Final

from homeassistant.const import CONF_CLIENT_ID
from homeassistant.core import HomeAssistant

from .account import SmartcarChargingConfigEntry
from .const import CONF_MAKE, CONF_MODEL, CONF_YEAR
from .records import Record
from .vehicle import Vehicle

# Chosen, not redacted: what is not named here can not slip out.
_TOLD_OF_A_CAR: Final = (CONF_MAKE, CONF_MODEL, CONF_YEAR)
_TOLD_OF_AN_EXECUTION: Final = (
    "action",
    "begun_at",
    "can_retry",
    "completed_at",
    "duration_seconds",
    "error_code",
    "error_kind",
    "error_type",
    "executed_at",
    "execution_mode",
    "request_id",
    "schedule_type",
    "status",
    "verdict",
)


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: SmartcarChargingConfigEntry
) -> dict[str, Any]:
    """Return the state of an account and its cars; Home Assistant adds the versions."""
    account = entry.runtime_data
    return {
        "credentials": "api_credentials"
        if CONF_CLIENT_ID in entry.data
        else "access_token",
        "token_age_seconds": account.token_age,
        "cars": [
            {
                **{
                    key: entry.subentries[subentry_id].data.get(key)
                    for key in _TOLD_OF_A_CAR
                },
                **_vehicle_diagnostics(vehicle),
            }
            for subentry_id, vehicle in account.vehicles.items()
        ],
    }


def _vehicle_diagnostics(vehicle: Vehicle) -> dict[str, Any]:
    """Return how many schedules there are, and the last verdicts."""
    return {
        "schedules": len(vehicle.schedules),
        "schedules_that_could_not_be_removed": sum(
            bool(own.failed_deletes) for own in vehicle.schedules
        ),
        "schedules_possibly_on_car": len(vehicle.possible),
        "executions": [_execution_diagnostics(record) for record in vehicle.executions],
    }


def _execution_diagnostics(record: Record) -> dict[str, Any]:
    """Return an execution without its ids, place, and Smartcar's free text."""
    return {key: getattr(record, key) for key in _TOLD_OF_AN_EXECUTION}
