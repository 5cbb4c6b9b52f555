"""What a removed car leaves, and that the user hears of it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
import resource
import threading
from typing import Any, Final

from homeassistant.components.persistent_notification import (
    Notification,
    UpdateType,
    async_register_callback,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.actions import delete_schedule, sensor, set_schedule
from tests.conftest import make_entry
from tests.ledgers import (
    IN_PROGRESS,
    ON_CAR,
    file_of,
    file_with,
    files_of_ours,
    issues_of_ours,
    path_of,
    start_with,
)
from tests.simulator import TESLA, VOLVO, Fault, Simulator

CREATE: Final = "/charge-schedules/daily"
# Cars that are in no account any more.
FORMER: Final = "01M885XP8N85FK7AQH6ZT2W2JN"
FORMER_TOO: Final = "01M885XP8N85FK7AQH6ZT2W2JP"


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
    """With window, place and id, and those that may be there too; nothing is sent."""
    first = await set_schedule(hass)
    simulator.script(Fault.error(500, "SERVER", "INTERNAL"))
    with pytest.raises(HomeAssistantError):
        await set_schedule(
            hass, start_time="00:00", location={"latitude": 1.0, "longitude": 2.0}
        )
    requests = len(simulator.creates) + len(simulator.deletes)
    await remove(hass, entry)
    (notification,) = notifications
    assert notification["title"] == (
        "Tesla Model Y 2024 was removed, but schedules may still be on it"
    )
    assert (
        f"- 23:30–05:30 (test home), {first['schedule_id']}\n"
        "- 00:00–05:30 (1.00000, 2.00000)"
    ) in notification["text"]
    assert len(simulator.creates) + len(simulator.deletes) == requests
    assert files_of_ours(hass) == []


@REMOVALS
async def test_a_schedule_without_an_id_is_listed(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    notifications: list[dict[str, str]],
    remove: Removal,
) -> None:
    """It is on the car, and nobody but the user can remove it."""
    simulator.script(Fault.without_id(), path=CREATE)
    await set_schedule(hass)
    await remove(hass, entry)
    (notification,) = notifications
    assert "- 23:30–05:30 (test home)" in notification["text"]
    assert issues_of_ours(hass) == []


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


@REMOVALS
async def test_a_create_under_way_is_listed(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    notifications: list[dict[str, str]],
    remove: Removal,
) -> None:
    """Its schedule may be on the car."""
    simulator.script(Fault(hold=asyncio.Event()), path=CREATE)
    call = hass.async_create_task(set_schedule(hass))
    await simulator.wait_for_request(path=CREATE)
    await remove(hass, entry)
    with pytest.raises(HomeAssistantError):
        await call
    (notification,) = notifications
    assert "- 23:30–05:30 (test home)" in notification["text"]


@pytest.mark.parametrize("remove", [remove_entry, remove_car_while_unloaded])
async def test_a_create_that_a_power_cut_ended_is_listed(
    hass: HomeAssistant,
    simulator: Simulator,
    notifications: list[dict[str, str]],
    remove: Removal,
) -> None:
    """Also if its account was not loaded any more."""
    entry, _asides = await start_with(hass, file_with())
    assert await hass.config_entries.async_unload(entry.entry_id)
    file_of(hass, entry).write_text(file_with(name="Car", commands=[IN_PROGRESS]))
    await remove(hass, entry)
    (notification,) = notifications
    assert "- 22:00–23:00 (test home)" in notification["text"]


@pytest.mark.parametrize("remove", [remove_car, remove_entry])
async def test_what_could_not_be_saved_is_listed(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    notifications: list[dict[str, str]],
    remove: Removal,
) -> None:
    """What Home Assistant has in memory counts, not what is on a full disk."""
    hold = asyncio.Event()
    simulator.script(Fault(hold=hold), path=CREATE)
    call = hass.async_create_task(set_schedule(hass))
    await simulator.wait_for_request(path=CREATE)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        hold.set()
        response = await call
        await remove(hass, entry)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    (notification,) = notifications
    assert response["schedule_id"] in notification["text"]
    assert files_of_ours(hass) == []


@REMOVALS
async def test_a_renamed_car_is_called_by_its_new_name(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    notifications: list[dict[str, str]],
    remove: Removal,
) -> None:
    """As the user knows it, also without a command since."""
    await set_schedule(hass)
    (subentry,) = entry.subentries.values()
    hass.config_entries.async_update_subentry(entry, subentry, title="Family car")
    await hass.async_block_till_done()
    await remove(hass, entry)
    assert notifications[0]["title"].startswith("Family car was removed")


async def test_a_file_that_cannot_be_removed_keeps_nothing_from_loading(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    notifications: list[dict[str, str]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Neither a car nor the removal of other files; the log tells of it."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    for key in (FORMER, FORMER_TOO):
        path_of(hass, key).write_text(file_with(name=key, schedules=[ON_CAR]))
    stays = path_of(hass, FORMER)
    (stays.parent / f"{stays.name}.set_aside.20260101T000000").mkdir()
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert sensor(hass).state == "unknown"
    assert [notification["title"][:26] for notification in notifications] == [
        FORMER,
        FORMER_TOO,
    ]
    assert stays.exists()
    assert not path_of(hass, FORMER_TOO).exists()
    assert "The record of a removed car could not go" in caplog.text
    assert FORMER not in caplog.text


def write(path: Path) -> None:
    """Make a file that could be a car's."""
    path.write_text(file_with(name="Not a car", schedules=[ON_CAR]))


def link(path: Path) -> None:
    """Make a link to a file that is not there."""
    path.symlink_to("nowhere")


@pytest.mark.parametrize(
    ("name", "make"),
    [
        (f"smartcar_charging.{FORMER}.bak", write),
        (f"smartcar_charging.{FORMER}~", write),
        (f"smartcar_charging.{FORMER.lower()}", write),
        ("smartcar_charging.notes", write),
        (f"smartcar_charging_more.{FORMER}", write),
        (f"smartcar_charging.{FORMER}", Path.mkdir),
        (f"smartcar_charging.{FORMER}", link),
    ],
)
@pytest.mark.parametrize("remove", [remove_entry, remove_car_while_unloaded])
async def test_what_is_no_file_of_a_car_stays(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    notifications: list[dict[str, str]],
    name: str,
    make: Callable[[Path], Any],
    remove: Removal,
) -> None:
    """A user's copy, a folder and the like; nothing is told of it."""
    path = file_of(hass, entry).with_name(name)
    make(path)
    await remove(hass, entry)
    assert files_of_ours(hass) == [path] * name.startswith("smartcar_charging.")
    assert path.lstat()
    assert entry.state.value in {"loaded", "not_loaded"}
    assert notifications == []


@pytest.mark.parametrize("touch", [Path.exists, Path.unlink])
async def test_what_was_set_aside_goes_with_the_car(
    hass: HomeAssistant, simulator: Simulator, touch: Callable[[Path], Any]
) -> None:
    """Also if nothing could be written since: it tells where the user is."""
    entry, asides = await start_with(hass, "{")
    assert len(asides) == 1
    assert await hass.config_entries.async_unload(entry.entry_id)
    touch(file_of(hass, entry))
    foreign = file_of(hass, entry).with_name("smartcar.other")
    foreign.write_text("{}")
    await remove_entry(hass, entry)
    assert files_of_ours(hass) == []
    assert issues_of_ours(hass) == []
    assert foreign.exists()


async def test_a_car_that_is_added_while_files_are_looked_for_keeps_its_own(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    notifications: list[dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is not taken for a car that is in no account."""
    gate = threading.Event()
    glob = Path.glob

    def slow_glob(path: Path, pattern: str) -> Any:
        """Look for files when the gate is open."""
        gate.wait()
        return glob(path, pattern)

    monkeypatch.setattr(Path, "glob", slow_glob)
    hass.config_entries.async_update_entry(entry, title="One more change")
    await asyncio.sleep(0)
    other = make_entry(VOLVO)
    other.add_to_hass(hass)
    write(file_of(hass, other))
    gate.set()
    await hass.async_block_till_done()
    assert file_of(hass, other).exists()
    assert notifications == []


async def test_a_car_keeps_its_file_when_another_account_is_removed(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Whether or not it is loaded."""
    other = make_entry(VOLVO)
    other.add_to_hass(hass)
    write(file_of(hass, other))
    await remove_entry(hass, entry)
    assert files_of_ours(hass) == [file_of(hass, other)]
    assert TESLA.vehicle_id not in file_of(hass, other).read_text()
