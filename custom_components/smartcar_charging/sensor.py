"""The last execution of each car."""

from typing import Any, Final, override

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .account import SmartcarChargingConfigEntry
from .entity import VehicleEntity
from .records import Verdict
from .vehicle import Vehicle

PARALLEL_UPDATES = 0

_ATTRIBUTES: Final = (
    "action",
    "execution_id",
    "schedule_id",
    "schedule_type",
    "start_time",
    "stop_time",
    "execution_mode",
    "executed_at",
    "completed_at",
    "duration_seconds",
    "error_type",
    "error_code",
    "error_message",
    "can_retry",
    "request_id",
)


async def async_setup_entry(
    hass: HomeAssistant, entry: SmartcarChargingConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors of every car."""

    @callback
    def add_vehicle(subentry_id: str, vehicle: Vehicle) -> None:
        """Add the sensors of a car."""
        async_add_entities([LastExecutionSensor(vehicle)], config_subentry_id=subentry_id)

    entry.runtime_data.async_add_vehicle_listener(add_vehicle)


class LastExecutionSensor(VehicleEntity, SensorEntity):
    """What became of the last command."""

    _attr_device_class = SensorDeviceClass.ENUM
    _unrecorded_attributes = frozenset({"location"})

    def __init__(self, vehicle: Vehicle) -> None:
        """Belong to the car."""
        super().__init__(vehicle, "last_execution")
        self._attr_options = [verdict.value for verdict in Verdict]

    @property
    @override
    def native_value(self) -> str | None:
        """The verdict; unknown before the first command."""
        record = self._vehicle.last_execution
        return None if record is None else record.verdict

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any] | None:
        """What Smartcar said of the command."""
        if (record := self._vehicle.last_execution) is None:
            return None
        return {
            **{attribute: getattr(record, attribute) for attribute in _ATTRIBUTES},
            "location": None if record.location is None else record.location.as_dict(),
        }
