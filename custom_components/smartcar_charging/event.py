"""The end of each command, as something that happens: a trigger for automations."""

from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .account import SmartcarChargingConfigEntry
from .command_details import Teller, describe_command
from .entity import VehicleEntity, VehicleEntityDescription, add_to_each_vehicle
from .models import Command, Verdict
from .vehicle import SmartcarVehicle

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class SmartcarEventDescription(EventEntityDescription, VehicleEntityDescription):
    """Describes an event of a car."""


EVENT: Final = SmartcarEventDescription(
    key="charge_schedule_execution",
    event_types=[
        Verdict.SUCCESS.value,
        Verdict.FAILED.value,
        Verdict.UNCONFIRMED.value,
    ],
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: SmartcarChargingConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the event of every car."""

    def create_event(vehicle: SmartcarVehicle) -> list[Entity]:
        """Return the event of a car."""
        return [ExecutionEvent(vehicle, EVENT)]

    add_to_each_vehicle(entry, async_add_entities, create_event)


class ExecutionEvent(VehicleEntity, EventEntity):
    """A command that ended, one way or another."""

    entity_description: SmartcarEventDescription
    _unrecorded_attributes = frozenset({"location"})

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the car, and the ends of its commands."""
        await super().async_added_to_hass()
        self.async_on_remove(
            self.coordinator.async_add_verdict_listener(self._async_ended)
        )

    @callback
    def _async_ended(self, command: Command) -> None:
        """Tell that a command ended."""
        attributes = describe_command(command, Teller.ATTRIBUTES)
        self._trigger_event(command.verdict.value, attributes)
        self.async_write_ha_state()
