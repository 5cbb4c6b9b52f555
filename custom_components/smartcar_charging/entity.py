"""What the entities of a car have in common."""

from typing import override

from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity

from .const import DOMAIN
from .vehicle import Vehicle


class VehicleEntity(Entity):
    """Shows what the vehicle knows, at once when it changes; it does not depend on the cloud."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, vehicle: Vehicle, key: str) -> None:
        """Belong to the car's device."""
        self._vehicle = vehicle
        self._attr_translation_key = key
        self._attr_unique_id = f"{vehicle.vehicle_id}_{key}"
        self._attr_device_info = DeviceInfo(identifiers={(DOMAIN, vehicle.vehicle_id)})

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the vehicle."""
        self.async_on_remove(self._vehicle.async_add_listener(self.async_write_ha_state))
