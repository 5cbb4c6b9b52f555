"""What became of the last command to each car, and what is set on it."""

from typing import Any, override

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .account import SmartcarChargingConfigEntry
from .entity import FollowingEntity, add_to_each_vehicle, execution_attributes
from .records import Verdict
from .vehicle import Vehicle

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: SmartcarChargingConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of every car."""
    add_to_each_vehicle(
        entry,
        async_add_entities,
        lambda vehicle: [LastExecutionSensor(vehicle), ChargeScheduleSensor(vehicle)],
    )


class LastExecutionSensor(FollowingEntity, SensorEntity):
    """What became of the last command."""

    _attr_device_class = SensorDeviceClass.ENUM
    _unrecorded_attributes = frozenset({"location"})

    def __init__(self, vehicle: Vehicle) -> None:
        """Belong to the car."""
        super().__init__(vehicle, "last_execution", lambda car: car.last_execution)
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
        record = self._vehicle.last_execution
        return None if record is None else execution_attributes(record)


class ChargeScheduleSensor(FollowingEntity, SensorEntity):
    """The window last set from Home Assistant and still there, and all others, so that none piles up unseen."""

    _unrecorded_attributes = frozenset({"schedules"})

    def __init__(self, vehicle: Vehicle) -> None:
        """Belong to the car."""
        super().__init__(vehicle, "charge_schedule", _shown_schedules)

    @property
    @override
    def native_value(self) -> str:
        """The window."""
        schedules = self._vehicle.schedules
        return (
            f"{schedules[-1].start_time}–{schedules[-1].stop_time}"
            if schedules
            else "none"
        )

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """All that Home Assistant has set, in the order in which it did."""
        shown = _shown_schedules(self._vehicle)
        return {"count": len(shown), "schedules": shown}


def _shown_schedules(vehicle: Vehicle) -> list[dict[str, Any]]:
    """Return what is shown of the schedules."""
    return [
        {
            "schedule_id": schedule.schedule_id,
            "start_time": schedule.start_time,
            "stop_time": schedule.stop_time,
            "zone": schedule.place.zone,
            "location": schedule.place.location.as_dict(),
        }
        for schedule in vehicle.schedules
    ]
