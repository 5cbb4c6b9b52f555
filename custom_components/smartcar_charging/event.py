"""The end of each command, as something that happens: the natural trigger for automations."""

from typing import override

from homeassistant.components.event import EventEntity
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .account import SmartcarChargingConfigEntry
from .entity import VehicleEntity, add_to_each_vehicle, execution_attributes
from .records import Record, Verdict
from .vehicle import Vehicle

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: SmartcarChargingConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the event of every car."""
    add_to_each_vehicle(
        entry, async_add_entities, lambda vehicle: [ExecutionEvent(vehicle)]
    )


class ExecutionEvent(VehicleEntity, EventEntity):
    """A command that ended, one way or another."""

    _unrecorded_attributes = frozenset({"location"})

    def __init__(self, vehicle: Vehicle) -> None:
        """Belong to the car."""
        super().__init__(vehicle, "charge_schedule_execution")
        self._attr_event_types = [
            verdict.value for verdict in Verdict if verdict is not Verdict.IN_PROGRESS
        ]

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the verdicts, beginning with one that a crash left behind."""
        self.async_on_remove(self._vehicle.verdicts.add(self._async_ended))

    @callback
    def _async_ended(self, record: Record) -> None:
        """Tell that a command ended."""
        self._trigger_event(record.verdict, execution_attributes(record))
        self.async_write_ha_state()
