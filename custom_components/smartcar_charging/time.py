"""The times of the window to be sent: a draft, until it is."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import time
from typing import Final, override

from homeassistant.components.time import TimeEntity, TimeEntityDescription
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .account import SmartcarChargingConfigEntry
from .entity import VehicleEntity, VehicleEntityDescription, add_to_each_vehicle
from .inputs import check_minutes
from .models import Draft
from .vehicle import SmartcarVehicle

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class SmartcarTimeDescription(TimeEntityDescription, VehicleEntityDescription):
    """Describes one end of the drafted window."""

    field: str
    value_fn: Callable[[Draft], time | None]


TIMES: Final = (
    SmartcarTimeDescription(
        key="new_charge_start",
        field="start_time",
        part_fn=lambda state: state.draft.start_time,
        value_fn=lambda draft: draft.start_time,
    ),
    SmartcarTimeDescription(
        key="new_charge_stop",
        field="stop_time",
        part_fn=lambda state: state.draft.stop_time,
        value_fn=lambda draft: draft.stop_time,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: SmartcarChargingConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the times of every car."""

    def create_times(vehicle: SmartcarVehicle) -> list[Entity]:
        """Return the times of a car."""
        return [DraftTime(vehicle, description) for description in TIMES]

    add_to_each_vehicle(entry, async_add_entities, create_times)


class DraftTime(VehicleEntity, TimeEntity):
    """One end of the window to be sent; editing it sends nothing."""

    entity_description: SmartcarTimeDescription

    @property
    @override
    def native_value(self) -> time | None:
        """The drafted time."""
        return self.entity_description.value_fn(self.coordinator.data.draft)

    @override
    async def async_set_value(self, value: time) -> None:
        """Draft another time."""
        check_minutes(value, self._name_on_page())
        field = self.entity_description.field
        await self.coordinator.async_edit_draft(**{field: value})

    def _name_on_page(self) -> str:
        """Return what the user calls the time, else what the device page calls it."""
        entity = self.registry_entry
        name_by_user = None if entity is None else entity.name
        return name_by_user or str(self.name)
