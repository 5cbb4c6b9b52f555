"""The zone of the window to be sent: a draft, until it is."""

from typing import override

from homeassistant.components.select import SelectEntity
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.event import TrackStates, async_track_state_change_filtered

from .account import SmartcarChargingConfigEntry
from .entity import FollowingEntity, add_to_each_vehicle
from .vehicle import Vehicle

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: SmartcarChargingConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the zone of every car."""
    add_to_each_vehicle(
        entry, async_add_entities, lambda vehicle: [ZoneSelect(vehicle)]
    )


class ZoneSelect(FollowingEntity, SelectEntity):
    """Chooses among the zones that Home Assistant knows now; what is kept is the entity id."""

    def __init__(self, vehicle: Vehicle) -> None:
        """Belong to the car."""
        super().__init__(vehicle, "charge_zone", lambda car: car.draft.zone)

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the vehicle, and the zones as they come, go and change their names."""
        await super().async_added_to_hass()

        @callback
        def zones_changed(_event: Event[EventStateChangedData]) -> None:
            """Show the zones that there are now."""
            self.async_write_ha_state()

        tracker = async_track_state_change_filtered(
            self.hass, TrackStates(False, set(), {"zone"}), zones_changed
        )
        self.async_on_remove(tracker.async_remove)

    @property
    @override
    def options(self) -> list[str]:
        """The names of the zones, two alike told apart by their entity ids."""
        return sorted(self._names.values(), key=str.casefold)

    @property
    @override
    def current_option(self) -> str | None:
        """The drafted zone; unknown if it is gone."""
        return self._names.get(self._vehicle.draft.zone)

    @override
    async def async_select_option(self, option: str) -> None:
        """Draft another zone."""
        zone = next(zone for zone, name in self._names.items() if name == option)
        await self._vehicle.async_edit_draft(zone=zone)

    @property
    def _names(self) -> dict[str, str]:
        """What each zone is called here."""
        zones = {
            state.entity_id: state.name for state in self.hass.states.async_all("zone")
        }
        names = list(zones.values())
        return {
            zone: name if names.count(name) == 1 else f"{name} ({zone})"
            for zone, name in zones.items()
        }
