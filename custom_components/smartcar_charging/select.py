"""The zone of the window to be sent: a draft, until it is."""

from collections import Counter
from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.select import SelectEntity, SelectEntityDescription
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .account import SmartcarChargingConfigEntry
from .entity import VehicleEntity, VehicleEntityDescription, add_to_each_vehicle
from .vehicle import SmartcarVehicle

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class SmartcarSelectDescription(SelectEntityDescription, VehicleEntityDescription):
    """Describes a choice of a car."""


ZONE: Final = SmartcarSelectDescription(
    key="charge_zone", part_fn=lambda state: state.draft.zone
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: SmartcarChargingConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the zone of every car."""

    def create_select(vehicle: SmartcarVehicle) -> list[Entity]:
        """Return the choice of a car's zone."""
        return [ZoneSelect(vehicle, ZONE)]

    add_to_each_vehicle(entry, async_add_entities, create_select)


class ZoneSelect(VehicleEntity, SelectEntity):
    """Chooses among the zones that there are now; what is kept is the entity id."""

    entity_description: SmartcarSelectDescription

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the car, and the zones as they come, go and change their names."""
        await super().async_added_to_hass()
        self._async_follow_zones()

    @property
    @override
    def options(self) -> list[str]:
        """The names of the zones."""
        return sorted(self._names().values(), key=str.casefold)

    @property
    @override
    def current_option(self) -> str | None:
        """The drafted zone; unknown if it is gone."""
        return self._names().get(self.coordinator.data.draft.zone)

    @override
    async def async_select_option(self, option: str) -> None:
        """Draft another zone."""
        zones = {name: zone for zone, name in self._names().items()}
        await self.coordinator.async_edit_draft(zone=zones[option])

    def _names(self) -> dict[str, str]:
        """Return what each zone is called; two alike are told apart by their ids.

        So is one whose own name ends like that: it could be taken for another.
        """
        states = self.hass.states.async_all("zone")
        uses = Counter(state.name for state in states)
        suffixes = tuple(f" ({state.entity_id})" for state in states)
        names = {}
        for state in states:
            name = state.name
            if uses[name] > 1 or name.endswith(suffixes):
                name = f"{name} ({state.entity_id})"
            names[state.entity_id] = name
        return names
