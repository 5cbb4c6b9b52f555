"""What became of the last command to each car, and what is set on it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .account import SmartcarChargingConfigEntry
from .command_details import Teller, describe_command
from .entity import VehicleEntity, VehicleEntityDescription, add_to_each_vehicle
from .models import VehicleState, Verdict
from .schedule_details import ZoneFinder, describe_details
from .vehicle import SmartcarVehicle

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class SmartcarSensorDescription(SensorEntityDescription, VehicleEntityDescription):
    """Describes a sensor of a car."""

    value_fn: Callable[[VehicleState], str | None]
    attributes_fn: Callable[[HomeAssistant, VehicleState], dict[str, Any] | None]
    tells_zones: bool = False


def _verdict(state: VehicleState) -> str | None:
    """Return the verdict of the last command; unknown before the first one."""
    command = state.last_command
    return None if command is None else command.verdict.value


def _command_attributes(
    _hass: HomeAssistant, state: VehicleState
) -> dict[str, Any] | None:
    """Return what is told of the last command."""
    command = state.last_command
    return None if command is None else describe_command(command, Teller.ATTRIBUTES)


def _window(state: VehicleState) -> str:
    """Return the window that was set last and that no newer one replaces."""
    window = "none"
    for schedule in state.set_schedules:
        if not schedule.is_superseded:
            window = str(schedule.window)
    return window


def _schedule_attributes(hass: HomeAssistant, state: VehicleState) -> dict[str, Any]:
    """Return all that is on the car, or may be, so that none piles up unseen."""
    finder = ZoneFinder(hass)
    schedules = [describe_details(own, finder) for own in state.set_schedules]
    possible = [describe_details(own, finder) for own in state.possible_schedules]
    return {
        "count": len(schedules),
        "schedules": schedules,
        "possible_schedules": possible,
        "unsettled_zones": finder.zones_of_any(state.unsettled_schedules),
        "record_lost_at": _text_of(state.record_lost_at),
    }


def _text_of(moment: datetime | None) -> str | None:
    """Return a moment as text."""
    return None if moment is None else moment.isoformat()


SENSORS: Final = (
    SmartcarSensorDescription(
        key="last_execution",
        device_class=SensorDeviceClass.ENUM,
        options=[verdict.value for verdict in Verdict],
        part_fn=lambda state: state.last_command,
        value_fn=_verdict,
        attributes_fn=_command_attributes,
    ),
    SmartcarSensorDescription(
        key="charge_schedule",
        part_fn=lambda state: (state.schedules, state.record_lost_at),
        value_fn=_window,
        attributes_fn=_schedule_attributes,
        tells_zones=True,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: SmartcarChargingConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of every car."""

    def create_sensors(vehicle: SmartcarVehicle) -> list[Entity]:
        """Return the sensors of a car."""
        return [SmartcarSensor(vehicle, description) for description in SENSORS]

    add_to_each_vehicle(entry, async_add_entities, create_sensors)


class SmartcarSensor(VehicleEntity, SensorEntity):
    """A sensor of a car."""

    entity_description: SmartcarSensorDescription
    _unrecorded_attributes = frozenset({"location", "schedules", "possible_schedules"})

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the car, and where zones are, if the sensor tells of them."""
        await super().async_added_to_hass()
        if self.entity_description.tells_zones:
            self._async_follow_zones()

    @property
    @override
    def native_value(self) -> str | None:
        """The value."""
        return self.entity_description.value_fn(self.coordinator.data)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any] | None:
        """What else is known."""
        return self.entity_description.attributes_fn(self.hass, self.coordinator.data)
