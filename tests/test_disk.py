"""A disk that takes no writes for a while, by several ways that stop even root."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
import resource
import shutil
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.smartcar_charging.ledger import WRITE_RETRY_SECONDS
from tests.actions import (
    CHARGE_SCHEDULE,
    NEW_START,
    delete_schedule,
    edit_time,
    edit_zone,
    reload,
    sensor,
    set_schedule,
    shown,
)
from tests.ledgers import (
    file_of,
    file_with,
    issues_of_ours,
    start_with,
    stored,
    stored_outcomes,
    stored_with,
)
from tests.simulator import TESLA, Fault, Simulator

type Trouble = Callable[[Path], AbstractContextManager[None]]
type Remedy = Callable[
    [HomeAssistant, MockConfigEntry, FrozenDateTimeFactory], Awaitable[None]
]

CREATE: Final = "/charge-schedules/daily"
NOT_SAVED: Final = (
    "Home Assistant could not save this result yet, and tries again; if it is cut off "
    "before, the command will count as unconfirmed."
)


@contextmanager
def full_disk(path: Path) -> Iterator[None]:
    """Let files be made, but not get any content: the system refuses every byte."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@contextmanager
def no_folder(path: Path) -> Iterator[None]:
    """Let nothing be made or read: a file is where the folder should be."""
    aside = path.parent.with_name("aside")
    path.parent.rename(aside)
    path.parent.touch()
    try:
        yield
    finally:
        path.parent.unlink()
        aside.rename(path.parent)


@contextmanager
def no_replacing(path: Path) -> Iterator[None]:
    """Let files be made, but not take the place of ours: a folder is there."""
    aside = path.with_name("aside")
    path.rename(aside)
    path.mkdir()
    try:
        yield
    finally:
        path.rmdir()
        aside.rename(path)


@contextmanager
def read_only(path: Path) -> Iterator[None]:
    """Let the folder be one in which nobody can make a file."""
    aside = path.parent.with_name("aside")
    path.parent.rename(aside)
    path.parent.symlink_to("/proc/self")
    try:
        yield
    finally:
        path.parent.unlink()
        aside.rename(path.parent)


TROUBLES: Final = pytest.mark.parametrize(
    "trouble", [full_disk, no_folder, no_replacing, read_only]
)


async def wait(
    hass: HomeAssistant, _entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    """Wait until it is tried again."""
    freezer.tick(timedelta(seconds=WRITE_RETRY_SECONDS + 1))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()


async def stop(
    hass: HomeAssistant, _entry: MockConfigEntry, _freezer: FrozenDateTimeFactory
) -> None:
    """Stop Home Assistant."""
    await hass.async_stop(force=True)


async def unload(
    hass: HomeAssistant, entry: MockConfigEntry, _freezer: FrozenDateTimeFactory
) -> None:
    """Unload the account."""
    assert await hass.config_entries.async_unload(entry.entry_id)


async def next_command(
    hass: HomeAssistant, _entry: MockConfigEntry, _freezer: FrozenDateTimeFactory
) -> None:
    """Send another command, which is refused."""
    with pytest.raises(HomeAssistantError):
        await delete_schedule(hass, schedule_id="sched_1")


async def set_until_it_is_out(
    hass: HomeAssistant, simulator: Simulator, fault: Fault
) -> asyncio.Task[dict[str, Any]]:
    """Begin to set a schedule, and return when the request has arrived."""
    count = len(simulator.creates) + 1
    simulator.script(fault, path=CREATE)
    call = hass.async_create_task(set_schedule(hass))
    await simulator.wait_for_request(count, path=CREATE)
    return call


@TROUBLES
async def test_what_cannot_be_recorded_is_not_sent(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    trouble: Trouble,
) -> None:
    """The caller hears why, sensor and disk stay as they were, and then all goes on."""
    first = await set_schedule(hass)
    path = file_of(hass, entry)
    before = (sensor(hass), stored(hass, entry), set(path.parent.iterdir()))
    with trouble(path):
        for call in (set_schedule(hass), delete_schedule(hass, zone="zone.home")):
            with pytest.raises(HomeAssistantError) as caught:
                await call
            assert caught.value.translation_key == "not_recorded"
    assert (len(simulator.creates), simulator.deletes) == (1, [])
    await wait(hass, entry, freezer)
    assert (sensor(hass), stored(hass, entry), set(path.parent.iterdir())) == before
    second = await set_schedule(hass)
    assert second["replaced_schedule_ids"] == [first["schedule_id"]]
    assert stored_outcomes(hass, entry) == ["success", "success"]


@TROUBLES
async def test_a_success_that_cannot_be_saved_is_told_and_saved_later(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    trouble: Trouble,
) -> None:
    """By itself, as soon as the disk takes it; until then it is tried over and over."""
    hold = asyncio.Event()
    call = await set_until_it_is_out(hass, simulator, Fault(hold=hold))
    with trouble(file_of(hass, entry)):
        hold.set()
        response = await call
        await wait(hass, entry, freezer)
    assert sensor(hass).state == "success"
    assert stored_outcomes(hass, entry) == [None]

    await wait(hass, entry, freezer)
    assert stored_outcomes(hass, entry) == ["success"]
    (schedule,) = stored_with(hass, entry, "on_car")
    assert schedule["schedule_id"] == response["schedule_id"]
    assert (response["status"], response["warnings"]) == ("SUCCESS", [NOT_SAVED])


@pytest.mark.parametrize("remedy", [stop, unload, next_command])
async def test_a_success_that_could_not_be_saved_is_saved_at_the_next_occasion(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    remedy: Remedy,
) -> None:
    """An orderly stop is one, hours before the timer or seconds."""
    hold = asyncio.Event()
    call = await set_until_it_is_out(hass, simulator, Fault(hold=hold))
    with full_disk(file_of(hass, entry)):
        hold.set()
        response = await call
    simulator.script(Fault.error(409, "VEHICLE_STATE", "ASLEEP"), method="DELETE")
    await remedy(hass, entry, freezer)
    assert stored_outcomes(hass, entry)[0] == "success"
    (schedule,) = stored_with(hass, entry, "on_car")
    assert schedule["schedule_id"] == response["schedule_id"]


@TROUBLES
async def test_what_is_not_saved_at_the_unload_is_known_at_the_next_load(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    trouble: Trouble,
) -> None:
    """It is handed on in memory, and still tried again by itself."""
    hold = asyncio.Event()
    call = await set_until_it_is_out(hass, simulator, Fault(hold=hold))
    with trouble(file_of(hass, entry)):
        hold.set()
        first = await call
        for _ in range(2):
            await reload(hass, entry)
        assert sensor(hass).attributes["schedule_id"] == first["schedule_id"]
        assert shown(hass, CHARGE_SCHEDULE).state == "23:30–05:30"
    assert stored_outcomes(hass, entry) == [None]
    await wait(hass, entry, freezer)
    assert stored_outcomes(hass, entry) == ["success"]
    assert issues_of_ours(hass) == []
    second = await set_schedule(hass)
    assert second["replaced_schedule_ids"] == [first["schedule_id"]]


@pytest.mark.parametrize(
    ("fault", "key", "state"),
    [
        (Fault.error(409, "VEHICLE_STATE", "ASLEEP"), "refused_by_vehicle", "failed"),
        (Fault.error(500, "SERVER", "INTERNAL"), "create_unconfirmed", "unconfirmed"),
    ],
    ids=["refused", "unconfirmed"],
)
async def test_a_failure_that_cannot_be_saved_is_told_as_what_it_is(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    fault: Fault,
    key: str,
    state: str,
) -> None:
    """The car's answer matters more to the caller than the disk."""
    hold = asyncio.Event()
    held = Fault(hold=hold, status=fault.status, body=fault.body, executes=False)
    call = await set_until_it_is_out(hass, simulator, held)
    with full_disk(file_of(hass, entry)):
        hold.set()
        with pytest.raises(HomeAssistantError) as caught:
            await call
    assert (caught.value.translation_key, sensor(hass).state) == (key, state)


@TROUBLES
async def test_replacing_goes_on_when_it_cannot_be_saved(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, trouble: Trouble
) -> None:
    """What is removed is removed, and nothing of it is told as left."""
    first = await set_schedule(hass)
    hold = asyncio.Event()
    simulator.script(Fault(hold=hold), method="DELETE")
    call = hass.async_create_task(set_schedule(hass, start_time="00:00"))
    await simulator.wait_for_request(method="DELETE")
    with trouble(file_of(hass, entry)):
        hold.set()
        second = await call
    assert second["replaced_schedule_ids"] == [first["schedule_id"]]
    assert issues_of_ours(hass) == []
    await reload(hass, entry)
    assert issues_of_ours(hass) == []
    (schedule,) = stored(hass, entry)["schedules"]
    assert schedule["schedule_id"] == second["schedule_id"]


async def test_a_start_with_a_full_disk_shows_what_can_be_read(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The car is there, sends nothing, and works as soon as the disk does."""
    await set_schedule(hass)
    assert await hass.config_entries.async_unload(entry.entry_id)
    with full_disk(file_of(hass, entry)):
        assert await hass.config_entries.async_setup(entry.entry_id)
        assert sensor(hass).state == "success"
        with pytest.raises(HomeAssistantError):
            await set_schedule(hass)
    assert (await set_schedule(hass))["status"] == "SUCCESS"
    assert len(simulator.creates) == 2


async def test_a_loss_found_with_a_full_disk_is_told_after_a_restart_too(
    hass: HomeAssistant, simulator: Simulator, freezer: FrozenDateTimeFactory
) -> None:
    """The file was set aside, and what could be read of it is written later."""
    entry, _asides = await start_with(hass, file_with())
    assert await hass.config_entries.async_unload(entry.entry_id)
    file_of(hass, entry).write_text(file_with(name="Car", commands=[None]))
    with full_disk(file_of(hass, entry)):
        assert await hass.config_entries.async_setup(entry.entry_id)
        assert issues_of_ours(hass) == ["record_damaged"]
    await wait(hass, entry, freezer)
    assert stored(hass, entry)["record_lost_at"]


async def edit_start(hass: HomeAssistant) -> None:
    """Prepare another start."""
    await edit_time(hass, NEW_START, "22:15")


async def choose_zone(hass: HomeAssistant) -> None:
    """Prepare another zone."""
    hass.states.async_set("zone.work", "0", {"latitude": 1, "longitude": 2})
    await edit_zone(hass, "work")


@pytest.mark.parametrize("edit", [edit_start, choose_zone])
async def test_a_draft_that_cannot_be_saved_is_an_error_and_saved_later(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    edit: Callable[[HomeAssistant], Awaitable[None]],
) -> None:
    """Who prepares a window hears that it may be gone after a restart."""
    with full_disk(file_of(hass, entry)), pytest.raises(HomeAssistantError) as caught:
        await edit(hass)
    assert caught.value.translation_key == "not_saved"
    assert not stored(hass, entry)["draft"]["is_edited"]
    await wait(hass, entry, freezer)
    assert stored(hass, entry)["draft"]["is_edited"]


async def test_an_edit_beside_a_command_that_is_taken_back_shows_no_command(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The sensor is not in progress without anything under way."""
    with full_disk(file_of(hass, entry)):
        results = await asyncio.gather(
            edit_start(hass), set_schedule(hass), return_exceptions=True
        )
    assert sensor(hass).state == "unknown"
    assert [getattr(result, "translation_key", None) for result in results] == [
        "not_saved",
        "not_recorded",
    ]
    assert shown(hass, NEW_START).state == "22:15:00"
    await edit_time(hass, NEW_START, "22:30")
    assert stored(hass, entry)["commands"] == []
    assert simulator.creates == []


async def test_a_caller_who_has_gone_and_a_full_disk_leave_no_traceback(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nobody is there to hear it, and that is no error of ours."""
    with full_disk(file_of(hass, entry)):
        calls = [
            hass.loop.create_task(set_schedule(hass)),
            hass.loop.create_task(edit_start(hass)),
        ]
        await asyncio.sleep(0)
        for call in calls:
            call.cancel()
        await asyncio.wait(calls)
        await hass.async_block_till_done()
    errors = {record.name for record in caplog.records if record.levelname == "ERROR"}
    # Home Assistant itself logs that it could not save.
    assert errors <= {"homeassistant.util.file"}
    assert "shielded" not in caplog.text
    assert (sensor(hass).state, simulator.creates) == ("unknown", [])


def remove(path: Path) -> None:
    """Remove the file."""
    path.unlink()


def remove_folder(path: Path) -> None:
    """Remove all that Home Assistant keeps."""
    shutil.rmtree(path.parent)


def cut(path: Path) -> None:
    """Leave half of the file."""
    path.write_bytes(path.read_bytes()[:100])


@pytest.mark.parametrize("touch", [remove, remove_folder, cut])
async def test_a_file_touched_between_two_commands_is_written_anew(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    touch: Callable[[Path], None],
) -> None:
    """Home Assistant knows all of it, and so does the disk again."""
    first = await set_schedule(hass)
    touch(file_of(hass, entry))
    second = await set_schedule(hass)
    assert second["replaced_schedule_ids"] == [first["schedule_id"]]
    assert stored_outcomes(hass, entry) == ["success", "success"]
    assert [schedule.id for schedule in simulator.schedules(TESLA.vehicle_id)] == [
        second["schedule_id"]
    ]
