"""What a removed car leaves, and that the user hears of it."""

from collections.abc import Awaitable, Callable

from homeassistant.components.persistent_notification import (
    Notification,
    UpdateType,
    async_register_callback,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.actions import delete_schedule, set_schedule
from tests.simulator import Fault, Simulator


@pytest.fixture
def notifications(hass: HomeAssistant) -> list[dict[str, str]]:
    """Collect the notifications that are left."""
    left: list[dict[str, str]] = []

    @callback
    def collect(_kind: UpdateType, changed: dict[str, Notification]) -> None:
        """Keep what is shown."""
        left.extend(
            {"title": shown["title"] or "", "text": shown["message"]}
            for shown in changed.values()
        )

    async_register_callback(hass, collect)
    return left


async def remove_car(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Remove the car from its account."""
    hass.config_entries.async_remove_subentry(entry, next(iter(entry.subentries)))
    await hass.async_block_till_done()


async def remove_entry(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Remove the account."""
    await hass.config_entries.async_remove(entry.entry_id)


async def remove_car_while_unloaded(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Remove the car while nobody looks, then load the account."""
    await hass.config_entries.async_unload(entry.entry_id)
    await remove_car(hass, entry)
    await hass.config_entries.async_setup(entry.entry_id)


type Removal = Callable[[HomeAssistant, MockConfigEntry], Awaitable[None]]
REMOVALS = pytest.mark.parametrize(
    "remove", [remove_car, remove_entry, remove_car_while_unloaded]
)


@REMOVALS
async def test_schedules_left_on_the_car_are_listed(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    notifications: list[dict[str, str]],
    remove: Removal,
) -> None:
    """With window, place and id, and those that are only possibly there too; nothing is sent."""
    first = await set_schedule(hass)
    simulator.script(Fault.error(500, "SERVER", "INTERNAL"))
    with pytest.raises(HomeAssistantError):
        await set_schedule(
            hass, start_time="00:00", location={"latitude": 1.0, "longitude": 2.0}
        )
    requests = len(simulator.creates) + len(simulator.deletes)
    await remove(hass, entry)
    (notification,) = notifications
    assert (
        notification["title"]
        == "Tesla Model Y 2024 was removed, but schedules may still be on it"
    )
    assert (
        f"- 23:30–05:30 (test home), {first['schedule_id']}\n- 00:00–05:30 (1.00000, 2.00000)"
        in notification["text"]
    )
    assert len(simulator.creates) + len(simulator.deletes) == requests


@REMOVALS
async def test_a_car_without_schedules_goes_silently(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    notifications: list[dict[str, str]],
    remove: Removal,
) -> None:
    """Who removed them first, as the README says, is not bothered."""
    await set_schedule(hass)
    await delete_schedule(hass, zone="zone.home")
    await remove(hass, entry)
    assert notifications == []


async def test_a_renamed_car_is_called_by_its_new_name(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    notifications: list[dict[str, str]],
) -> None:
    """As the user knows it."""
    (subentry,) = entry.subentries.values()
    hass.config_entries.async_update_subentry(entry, subentry, title="Family car")
    await hass.async_block_till_done()
    await set_schedule(hass)
    await remove_entry(hass, entry)
    assert notifications[0]["title"].startswith("Family car was removed")
