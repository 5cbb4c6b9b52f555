"""What the entities of a car have in common."""

from collections.abc import Callable
from typing import Any, Final, override

from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .account import SmartcarChargingConfigEntry
from .const import DOMAIN
from .records import Record
from .vehicle import Vehicle

_ATTRIBUTES_OF_AN_EXECUTION: Final = (
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


class VehicleEntity(Entity):
    """Belongs to a car; it does not depend on the cloud."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, vehicle: Vehicle, key: str) -> None:
        """Belong to the car's device."""
        self._vehicle = vehicle
        self._attr_translation_key = key
        self._attr_unique_id = f"{vehicle.vehicle_id}_{key}"
        self._attr_device_info = DeviceInfo(identifiers={(DOMAIN, vehicle.vehicle_id)})


class FollowingEntity(VehicleEntity):
    """Shows a part of what the vehicle knows, at once when that part changes."""

    def __init__(
        self, vehicle: Vehicle, key: str, part: Callable[[Vehicle], object]
    ) -> None:
        """Belong to the car's device, and show this part."""
        super().__init__(vehicle, key)
        self._part = part
        self._shown: object = None

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the vehicle."""
        self._shown = self._part(self._vehicle)
        self.async_on_remove(self._vehicle.changes.add(self._async_vehicle_changed))

    @callback
    def _async_vehicle_changed(self) -> None:
        """Write the state only if the part is another: a command changes the vehicle several times."""
        if (part := self._part(self._vehicle)) != self._shown:
            self._shown = part
            self.async_write_ha_state()


@callback
def add_to_each_vehicle(
    entry: SmartcarChargingConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    make: Callable[[Vehicle], list[Entity]],
) -> None:
    """Add the entities of a platform to every car of an account, those of today and those to come."""

    @callback
    def add(subentry_id: str, vehicle: Vehicle) -> None:
        """Add the entities of a car."""
        async_add_entities(make(vehicle), config_subentry_id=subentry_id)

    entry.runtime_data.async_add_vehicle_listener(add)


def execution_attributes(record: Record) -> dict[str, Any]:
    """Return what Smartcar said of a command; `location` is not for the history."""
    return {
        **{
            attribute: getattr(record, attribute)
            for attribute in _ATTRIBUTES_OF_AN_EXECUTION
        },
        "location": None if record.location is None else record.location.as_dict(),
    }
