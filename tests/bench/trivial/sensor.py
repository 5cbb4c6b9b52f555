"""As many entities for each car as the real integration has, and nothing in them."""

from homeassistant.components.sensor import SensorEntity
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the entities of every car."""
    for subentry_id, subentry in entry.subentries.items():
        numbers = range(entry.data["entities"])
        async_add_entities(
            (TrivialSensor(subentry_id, subentry.title, number) for number in numbers),
            config_subentry_id=subentry_id,
        )


class TrivialSensor(SensorEntity):
    """A sensor whose state never changes."""

    _attr_has_entity_name = True
    _attr_should_poll = False
    _attr_native_value = "nothing"

    def __init__(self, subentry_id: str, car: str, number: int) -> None:
        """Initialize the sensor on the car's device."""
        self._attr_name = f"Number {number}"
        self._attr_unique_id = f"{subentry_id}_{number}"
        self._attr_device_info = DeviceInfo(
            identifiers={("trivial", subentry_id)}, name=car
        )
