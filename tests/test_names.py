"""A car is called as the user calls its device: in errors, issues and notifications."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import timedelta
import resource
from typing import Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.persistent_notification import (
    Notification,
    UpdateType,
    async_register_callback,
)
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.smartcar_charging.const import DOMAIN
from custom_components.smartcar_charging.ledger import WRITE_RETRY_SECONDS
from tests.actions import device_id, reload, sensor, set_schedule
from tests.conftest import make_entry
from tests.ledgers import file_of, reading_held, stored
from tests.simulator import TESLA, VOLVO, Fault, Simulator

CREATE: Final = "/charge-schedules/daily"
ASLEEP: Final = Fault.error(409, "VEHICLE_STATE", "ASLEEP")
NO_ANSWER: Final = Fault.error(500, "SERVER", "INTERNAL")
# Another car of the same make, model and year.
SECOND: Final = replace(TESLA, vehicle_id="vehicle-second", user_id="user-second")


@pytest.fixture
def notices(hass: HomeAssistant) -> list[str]:
    """Collect the titles of the notifications that are left."""
    titles: list[str] = []

    @callback
    def collect(_kind: UpdateType, changed: dict[str, Notification]) -> None:
        """Keep what is shown."""
        titles.extend(shown["title"] or "" for shown in changed.values())

    async_register_callback(hass, collect)
    return titles


def rename(hass: HomeAssistant, device: str, name: str | None) -> None:
    """Give the device of a car a name, as on its page."""
    dr.async_get(hass).async_update_device(device, name_by_user=name)


def names_in_issues(hass: HomeAssistant) -> set[str]:
    """Return what the car is called in the repair issues."""
    return {
        str((issue.translation_placeholders or {})["vehicle"])
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == DOMAIN
    }


async def name_in_error(hass: HomeAssistant) -> str:
    """Return what a car is called when it is asleep."""
    with pytest.raises(HomeAssistantError) as caught:
        await set_schedule(hass)
    given = caught.value.translation_placeholders
    assert given is not None
    return given["vehicle"]


async def test_new_name_is_used_at_once(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """In the issue that is there already, in the next error, and on the disk."""
    simulator.script(NO_ANSWER, ASLEEP)
    with pytest.raises(HomeAssistantError):
        await set_schedule(hass)
    assert names_in_issues(hass) == {"Tesla Model Y 2024"}
    rename(hass, device_id(hass, TESLA), "Anna's car")
    await hass.async_block_till_done()
    assert names_in_issues(hass) == {"Anna's car"}
    assert await name_in_error(hass) == "Anna's car"
    assert stored(hass, entry)["name"] == "Anna's car"


async def test_name_that_is_taken_back_gives_the_car_its_own(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """That of the subentry, which can change meanwhile."""
    (subentry,) = entry.subentries.values()
    device = device_id(hass, TESLA)
    rename(hass, device, "Anna's car")
    hass.config_entries.async_update_subentry(entry, subentry, title="Family car")
    await hass.async_block_till_done()
    simulator.script(ASLEEP, ASLEEP)
    assert await name_in_error(hass) == "Anna's car"
    rename(hass, device, None)
    await hass.async_block_till_done()
    assert await name_in_error(hass) == "Family car"


async def test_log_calls_the_car_by_its_new_name(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A name with the signs of a format is a name."""
    name = "{vehicle} %s"
    rename(hass, device_id(hass, TESLA), name)
    await set_schedule(hass)
    simulator.script(Fault(), ASLEEP)
    await set_schedule(hass, start_time="22:00")
    assert f"{name}: an earlier schedule could not be removed" in caplog.text


@pytest.mark.parametrize("name", ["Anna's car", None])
async def test_car_that_is_renamed_while_unloaded_is_loaded_with_that_name(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
    name: str | None,
) -> None:
    """The device knows it; who is unloaded listens to nothing."""
    device = device_id(hass, TESLA)
    rename(hass, device, "The former name")
    await hass.async_block_till_done()
    assert await hass.config_entries.async_unload(entry.entry_id)
    rename(hass, device, name)
    await hass.async_block_till_done()
    assert stored(hass, entry)["name"] == "The former name"
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert stored(hass, entry)["name"] == (name or "Tesla Model Y 2024")
    assert "Error" not in caplog.text


async def test_renamed_device_of_others_changes_nothing(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Neither the name of a car nor its file."""
    other = MockConfigEntry(domain="other")
    other.add_to_hass(hass)
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=other.entry_id, identifiers={("other", "1")}, name="Washer"
    )
    rename(hass, device.id, "Washing machine")
    await hass.async_block_till_done()
    simulator.script(ASLEEP)
    assert await name_in_error(hass) == "Tesla Model Y 2024"


async def remove_car(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Remove the car from its account."""
    hass.config_entries.async_remove_subentry(entry, next(iter(entry.subentries)))
    await hass.async_block_till_done()


async def remove_entry(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Remove the account."""
    await hass.config_entries.async_remove(entry.entry_id)


async def reload_and_remove_car(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Reload the account, then remove the car."""
    await reload(hass, entry)
    await remove_car(hass, entry)


type Removal = Callable[[HomeAssistant, MockConfigEntry], Awaitable[None]]
REMOVALS = pytest.mark.parametrize(
    "remove", [remove_car, remove_entry, reload_and_remove_car]
)


@contextmanager
def full_disk() -> Iterator[None]:
    """Let the system refuse every byte."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@contextmanager
def healthy_disk() -> Iterator[None]:
    """Let the disk take everything."""
    yield


@REMOVALS
@pytest.mark.parametrize("disk", [healthy_disk, full_disk])
async def test_car_that_is_renamed_just_before_its_removal_is_told_by_that_name(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    notices: list[str],
    remove: Removal,
    disk: Callable[[], AbstractContextManager[None]],
) -> None:
    """Its device is gone before anybody hears of the removal."""
    await set_schedule(hass)
    device = device_id(hass, TESLA)
    with disk():
        rename(hass, device, "Anna's car")
        await remove(hass, entry)
    assert [title.partition(" was removed")[0] for title in notices] == ["Anna's car"]


async def test_name_that_a_full_disk_refused_is_saved_later(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """It is used at once, and tried again by itself."""
    await set_schedule(hass)
    with full_disk():
        rename(hass, device_id(hass, TESLA), "Anna's car")
        await hass.async_block_till_done()
    assert stored(hass, entry)["name"] == "Tesla Model Y 2024"
    simulator.script(ASLEEP)
    freezer.tick(timedelta(seconds=WRITE_RETRY_SECONDS + 1))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert stored(hass, entry)["name"] == "Anna's car"
    assert await name_in_error(hass) == "Anna's car"


async def test_name_given_while_the_record_cannot_be_opened_is_kept(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Nothing is written over the record, and its old name does not come back."""
    await set_schedule(hass)
    assert await hass.config_entries.async_unload(entry.entry_id)
    path = file_of(hass, entry)
    content = path.read_text()
    path.unlink()
    path.mkdir()
    assert await hass.config_entries.async_setup(entry.entry_id)
    rename(hass, device_id(hass, TESLA), "Anna's car")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert await name_in_error(hass) == "Anna's car"
    path.rmdir()
    path.write_text(content)
    freezer.tick(timedelta(minutes=2))
    async_fire_time_changed(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert stored(hass, entry)["name"] == "Anna's car"
    assert len(stored(hass, entry)["schedules"]) == 1


async def test_name_given_while_the_record_is_read_is_kept(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The device is there already, the car is not yet."""
    await set_schedule(hass)
    device = device_id(hass, TESLA)
    assert await hass.config_entries.async_unload(entry.entry_id)
    path = file_of(hass, entry)
    path.unlink()
    with reading_held(path):
        loading = hass.config_entries.async_setup(entry.entry_id)
        setting_up = hass.async_create_task(loading)
        await asyncio.sleep(0.1)
        rename(hass, device, "Anna's car")
    assert await setting_up
    await hass.async_block_till_done(wait_background_tasks=True)
    assert stored(hass, entry)["name"] == "Anna's car"


@pytest.mark.parametrize(
    ("fault", "outcome"), [(Fault(), "success"), (ASLEEP, "failed")]
)
async def test_name_given_while_a_command_runs_changes_nothing_of_it(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    fault: Fault,
    outcome: str,
) -> None:
    """Its end is recorded, and the name stays."""
    hold = asyncio.Event()
    simulator.script(replace(fault, hold=hold), path=CREATE)
    call = hass.async_create_task(set_schedule(hass))
    await simulator.wait_for_request(path=CREATE)
    rename(hass, device_id(hass, TESLA), "Anna's car")
    assert sensor(hass).state == "in_progress"
    hold.set()
    await asyncio.wait([call])
    await hass.async_block_till_done()
    assert sensor(hass).state == outcome
    assert stored(hass, entry)["name"] == "Anna's car"
    assert "Tesla Model Y" not in str(call.exception())
    assert len(simulator.creates) == 1


async def test_name_given_while_the_account_unloads_breaks_nothing(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The record has ended, or is about to; the next load asks the device."""
    simulator.script(Fault(hold=asyncio.Event()), path=CREATE)
    call = hass.async_create_task(set_schedule(hass))
    await simulator.wait_for_request(path=CREATE)
    unloading = hass.config_entries.async_unload(entry.entry_id)
    ending = hass.async_create_task(unloading)
    rename(hass, device_id(hass, TESLA), "Anna's car")
    assert await ending
    await asyncio.wait([call])
    assert isinstance(call.exception(), HomeAssistantError)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert names_in_issues(hass) == {"Anna's car"}
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("cars", [[TESLA, SECOND]])
async def test_cars_are_told_apart_by_the_names_of_their_devices(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """That is how the list of devices calls them."""
    rename(hass, device_id(hass, TESLA), "Anna's car")
    rename(hass, device_id(hass, SECOND), "Ben's car")
    with pytest.raises(
        ServiceValidationError,
        match=r"Several cars are set up: Anna's car, Ben's car\.",
    ):
        await set_schedule(hass)


@pytest.mark.parametrize("cars", [[TESLA, VOLVO, SECOND]])
async def test_cars_with_one_name_are_told_apart_by_their_devices(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """A device's id is what YAML needs; a name that is alone needs none."""
    tesla, second = device_id(hass, TESLA), device_id(hass, SECOND)
    with pytest.raises(ServiceValidationError) as caught:
        await set_schedule(hass)
    given = caught.value.translation_placeholders
    assert given is not None
    assert given["vehicles"].split(", ") == [
        *sorted(f"Tesla Model Y 2024 (device_id: {own})" for own in (tesla, second)),
        "Volvo EX40 2025",
    ]


async def test_cars_that_are_not_loaded_are_called_by_the_same_names(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """One was loaded once and has a device; the other never was."""
    rename(hass, device_id(hass, TESLA), "Anna's car")
    await hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(ServiceValidationError, match="Anna's car is set up, but not"):
        await set_schedule(hass)
    for car in (SECOND, VOLVO):
        other = make_entry(
            car,
            data={"access_token": car.vehicle_id},
            disabled_by=ConfigEntryDisabler.USER,
        )
        other.add_to_hass(hass)
    with pytest.raises(
        ServiceValidationError,
        match="up: Anna's car, Tesla Model Y 2024, Volvo EX40 2025",
    ):
        await set_schedule(hass)


async def test_car_that_is_added_again_has_the_name_that_its_device_gets_back(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Home Assistant remembers the names of removed devices."""
    rename(hass, device_id(hass, TESLA), "Anna's car")
    (subentry,) = entry.subentries.values()
    await remove_car(hass, entry)
    hass.config_entries.async_add_subentry(entry, subentry)
    await hass.async_block_till_done(wait_background_tasks=True)
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert device.name_by_user == "Anna's car"
    simulator.script(ASLEEP)
    assert await name_in_error(hass) == "Anna's car"
