"""The times of the window to be sent: a draft, until it is."""

from datetime import time
from typing import Literal, override

from homeassistant.components.time import TimeEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .account import SmartcarChargingConfigEntry
from .entity import FollowingEntity, add_to_each_vehicle
from .inputs import invalid_input
from .vehicle import Vehicle

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: SmartcarChargingConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the times of every car."""
    add_to_each_vehicle(
        entry,
        async_add_entities,
        lambda vehicle: [
            DraftTime(vehicle, "new_charge_start", "start_time"),
            DraftTime(vehicle, "new_charge_stop", "stop_time"),
        ],
    )


class DraftTime(FollowingEntity, TimeEntity):
    """One end of the window to be sent; editing it sends nothing."""

    def __init__(
        self, vehicle: Vehicle, key: str, field: Literal["start_time", "stop_time"]
    ) -> None:
        """Belong to the car."""
        super().__init__(vehicle, key, lambda car: getattr(car.draft, field))
        self._field: Literal["start_time", "stop_time"] = field

    @property
    @override
    def native_value(self) -> time | None:
        """The drafted time."""
        value = getattr(self._vehicle.draft, self._field)
        return None if value is None else time.fromisoformat(value)

    @override
    async def async_set_value(self, value: time) -> None:
        """Draft another time."""
        if value.second or value.microsecond:
            raise invalid_input(
                "seconds_not_supported", field=self._field, time=value.isoformat()
            )
        await self._vehicle.async_edit_draft(**{self._field: f"{value:%H:%M}"})
