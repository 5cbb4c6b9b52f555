"""The two commands of the device page: send what was prepared, remove what was set."""

from collections.abc import Awaitable, Callable
from typing import override

from homeassistant.components.button import ButtonEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .account import SmartcarChargingConfigEntry
from .entity import VehicleEntity, add_to_each_vehicle
from .inputs import check_window, resolve_place_of_schedules, resolve_place_of_zone
from .messages import vehicle_error
from .smartcar import DailySchedule
from .vehicle import Vehicle

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: SmartcarChargingConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the buttons of every car."""
    add_to_each_vehicle(
        entry,
        async_add_entities,
        lambda vehicle: [
            CommandButton(vehicle, "send_to_car", _async_send),
            CommandButton(vehicle, "remove_charge_schedule", _async_remove),
        ],
    )


class CommandButton(VehicleEntity, ButtonEntity):
    """One press, one command; none while another runs, since a second press is rarely meant."""

    def __init__(
        self,
        vehicle: Vehicle,
        key: str,
        command: Callable[[HomeAssistant, Vehicle], Awaitable[object]],
    ) -> None:
        """Belong to the car."""
        super().__init__(vehicle, key)
        self._command = command

    @override
    async def async_press(self) -> None:
        """Run the command, and return when its outcome is known."""
        if self._vehicle.is_busy:
            raise vehicle_error("command_running", self._vehicle.name)
        await self._command(self.hass, self._vehicle)


async def _async_send(hass: HomeAssistant, vehicle: Vehicle) -> None:
    """Send the drafted window for the drafted zone."""
    draft = vehicle.draft
    if draft.start_time is None or draft.stop_time is None:
        raise vehicle_error("draft_incomplete", vehicle.name)
    check_window(draft.start_time, draft.stop_time)
    place = resolve_place_of_zone(hass, draft.zone)
    schedule = DailySchedule(
        location=place.location, start_time=draft.start_time, stop_time=draft.stop_time
    )
    await vehicle.async_set_daily_schedule(schedule, place.zone, replaces=True)


async def _async_remove(hass: HomeAssistant, vehicle: Vehicle) -> None:
    """Remove what Home Assistant has set at the drafted zone."""
    await vehicle.async_delete_schedules_at(
        resolve_place_of_schedules(hass, vehicle, vehicle.draft.zone)
    )
