"""The two commands of the device page: send what was prepared, remove what was set."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .account import SmartcarChargingConfigEntry
from .entity import VehicleEntity, VehicleEntityDescription, add_to_each_vehicle
from .errors import vehicle_error
from .inputs import resolve_place_of_schedules, resolve_place_of_zone, resolve_window
from .vehicle import SmartcarVehicle

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class SmartcarButtonDescription(ButtonEntityDescription, VehicleEntityDescription):
    """Describes a button of a car."""

    press_fn: Callable[[HomeAssistant, SmartcarVehicle], Awaitable[object]]


async def _async_send(hass: HomeAssistant, vehicle: SmartcarVehicle) -> None:
    """Send the drafted window for the drafted zone."""
    draft = vehicle.data.draft
    if draft.start_time is None or draft.stop_time is None:
        raise vehicle_error("draft_incomplete", vehicle.data.name)
    window = resolve_window(draft.start_time, draft.stop_time)
    place = resolve_place_of_zone(hass, draft.zone)
    await vehicle.async_set_daily_schedule(place, window, supersedes=True)


async def _async_remove(hass: HomeAssistant, vehicle: SmartcarVehicle) -> None:
    """Remove what Home Assistant has set at the drafted zone."""
    place = resolve_place_of_schedules(hass, vehicle, vehicle.data.draft.zone)
    await vehicle.async_delete_schedules_at(place)


BUTTONS: Final = (
    SmartcarButtonDescription(key="send_to_car", press_fn=_async_send),
    SmartcarButtonDescription(key="remove_charge_schedule", press_fn=_async_remove),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: SmartcarChargingConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the buttons of every car."""

    def create_buttons(vehicle: SmartcarVehicle) -> list[Entity]:
        """Return the buttons of a car."""
        return [SmartcarButton(vehicle, description) for description in BUTTONS]

    add_to_each_vehicle(entry, async_add_entities, create_buttons)


class SmartcarButton(VehicleEntity, ButtonEntity):
    """One press, one command; none while another runs: that is rarely meant."""

    entity_description: SmartcarButtonDescription

    @override
    async def async_press(self) -> None:
        """Run the command, and return when its outcome is known."""
        vehicle = self.coordinator
        if vehicle.is_busy:
            raise vehicle_error("command_running", vehicle.data.name)
        await self.entity_description.press_fn(self.hass, vehicle)
