"""What the entities of a car have in common."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import override

from homeassistant.core import Event, EventStateChangedData, callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.event import TrackStates, async_track_state_change_filtered
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .account import SmartcarChargingConfigEntry
from .const import DOMAIN
from .models import VehicleState
from .vehicle import SmartcarVehicle


@dataclass(frozen=True, kw_only=True)
class VehicleEntityDescription(EntityDescription):
    """Describes an entity of a car; `part_fn` returns what it shows of the state."""

    part_fn: Callable[[VehicleState], object] = lambda state: None


class VehicleEntity(CoordinatorEntity[SmartcarVehicle]):
    """An entity of a car; it does not depend on the cloud."""

    _attr_has_entity_name = True
    entity_description: VehicleEntityDescription

    def __init__(
        self, vehicle: SmartcarVehicle, description: VehicleEntityDescription
    ) -> None:
        """Initialize the entity on the device of its car."""
        super().__init__(vehicle)
        self.entity_description = description
        self._attr_translation_key = description.key
        self._attr_unique_id = f"{vehicle.vehicle_id}_{description.key}"
        self._attr_device_info = DeviceInfo(identifiers={(DOMAIN, vehicle.vehicle_id)})
        self._written: object = None

    @property
    @override
    def suggested_object_id(self) -> str:
        """How the entity id ends, in every language: by the key, not by the name."""
        return self.entity_description.key

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the car."""
        await super().async_added_to_hass()
        self._written = self._shown()

    @callback
    def _async_follow_zones(self) -> None:
        """Write the state when a zone comes, goes, moves or changes its name."""

        @callback
        def zones_changed(_event: Event[EventStateChangedData]) -> None:
            """Write the state with the zones that there are now."""
            self.async_write_ha_state()

        tracker = async_track_state_change_filtered(
            self.hass, TrackStates(False, set(), {"zone"}), zones_changed
        )
        self.async_on_remove(tracker.async_remove)

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Write the state if it is another: a command changes the car several times."""
        shown = self._shown()
        if shown != self._written:
            self._written = shown
            self.async_write_ha_state()

    def _shown(self) -> object:
        """Return what the state is made of."""
        return self.available, self.entity_description.part_fn(self.coordinator.data)


@callback
def add_to_each_vehicle(
    entry: SmartcarChargingConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    create_entities: Callable[[SmartcarVehicle], list[Entity]],
) -> None:
    """Add the entities of a platform to every car, those of today and those to come."""

    @callback
    def add(key: str, vehicle: SmartcarVehicle) -> None:
        """Add the entities of a car."""
        async_add_entities(create_entities(vehicle), config_subentry_id=key)

    entry.runtime_data.async_add_vehicle_listener(add)
