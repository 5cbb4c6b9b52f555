"""A disk that takes no writes, by several ways that stop even root, and files that somebody touched by hand."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
import resource
import shutil

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.actions import delete_schedule, sensor, set_schedule
from tests.conftest import make_entry
from tests.simulator import TESLA, Fault, ReceivedRequest, Simulator
from tests.test_ledger import store_of, stored

type Trouble = Callable[[Path], AbstractContextManager[None]]

NOT_SAVED = "Home Assistant could not save this result; after a restart it will count as unconfirmed."


def is_delete(request: ReceivedRequest) -> bool:
    """Whether this is a request to delete a schedule."""
    return request.method == "DELETE"


@contextmanager
def full_disk(store: Path) -> Iterator[None]:
    """Let files be made, but not get any content: the system refuses every byte."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@contextmanager
def no_new_files(store: Path) -> Iterator[None]:
    """Let nothing be made, and nothing be read either: a file is where the folder should be."""
    aside = store.parent.with_name("aside")
    store.parent.rename(aside)
    store.parent.touch()
    try:
        yield
    finally:
        store.parent.unlink()
        aside.rename(store.parent)


@contextmanager
def no_replacing(store: Path) -> Iterator[None]:
    """Let files be made, but not take the store's place: a folder is there."""
    aside = store.with_name("aside")
    store.rename(aside)
    store.mkdir()
    try:
        yield
    finally:
        store.rmdir()
        aside.rename(store)


@contextmanager
def read_only(store: Path) -> Iterator[None]:
    """Let the folder be one in which nobody can make a file."""
    aside = store.parent.with_name("aside")
    store.parent.rename(aside)
    store.parent.symlink_to("/proc/self")
    try:
        yield
    finally:
        store.parent.unlink()
        aside.rename(store.parent)


TROUBLES = [full_disk, read_only, no_new_files, no_replacing]


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_what_can_not_be_recorded_is_not_sent(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, trouble: Trouble
) -> None:
    """The caller hears why, the sensor and the disk stay as they were, and then everything goes on."""
    first = await set_schedule(hass)
    store = store_of(hass, entry)
    before = (sensor(hass), stored(hass, entry), set(store.parent.iterdir()))
    with trouble(store):
        for call in (set_schedule(hass), delete_schedule(hass, zone="zone.home")):
            with pytest.raises(
                HomeAssistantError, match="Check that the disk is not full"
            ) as caught:
                await call
            assert caught.value.translation_key == "not_recorded"
    assert (len(simulator.creates), simulator.deletes) == (1, [])
    assert (sensor(hass), stored(hass, entry), set(store.parent.iterdir())) == before
    second = await set_schedule(hass)
    assert second["replaced_schedule_ids"] == [first["schedule_id"]]
    assert [record["verdict"] for record in stored(hass, entry)["executions"]] == [
        "success",
        "success",
    ]


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_a_success_that_can_not_be_recorded_is_told_and_the_next_start_does_not_know_it(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, trouble: Trouble
) -> None:
    """The caller is told both; what is on the disk is still in progress, which becomes unconfirmed."""
    hold = asyncio.Event()
    simulator.script(Fault(hold=hold))
    call = hass.async_create_task(set_schedule(hass))
    await simulator.wait_for_request(path="/charge-schedules/daily")
    with trouble(store_of(hass, entry)):
        hold.set()
        response = await call
    assert (response["status"], response["warnings"]) == ("SUCCESS", [NOT_SAVED])
    assert (sensor(hass).state, sensor(hass).attributes["schedule_id"]) == (
        "success",
        response["schedule_id"],
    )
    assert stored(hass, entry)["executions"][-1]["verdict"] == "in_progress"

    assert await hass.config_entries.async_reload(entry.entry_id)
    assert (sensor(hass).state, sensor(hass).attributes["schedule_id"]) == (
        "unconfirmed",
        None,
    )
    assert [possible["start_time"] for possible in stored(hass, entry)["possible"]] == [
        "23:30"
    ]
    assert len(simulator.creates) == 1


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_a_success_that_can_not_be_recorded_is_recorded_with_the_next_command(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, trouble: Trouble
) -> None:
    """As long as Home Assistant runs, it knows; and so does the disk as soon as it takes writes again."""
    hold = asyncio.Event()
    simulator.script(Fault(hold=hold))
    call = hass.async_create_task(set_schedule(hass))
    await simulator.wait_for_request(path="/charge-schedules/daily")
    with trouble(store_of(hass, entry)):
        hold.set()
        first = await call
    second = await set_schedule(hass, start_time="00:00")
    assert (second["replaced_schedule_ids"], second["warnings"]) == (
        [first["schedule_id"]],
        [],
    )
    data = stored(hass, entry)
    assert [record["verdict"] for record in data["executions"]] == [
        "success",
        "success",
    ]
    assert [schedule["schedule_id"] for schedule in data["schedules"]] == [
        second["schedule_id"]
    ]


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize(
    ("fault", "key", "state"),
    [
        (Fault.error(409, "VEHICLE_STATE", "ASLEEP"), "refused_by_vehicle", "failed"),
        (Fault.error(500, "SERVER", "INTERNAL"), "create_unconfirmed", "unconfirmed"),
    ],
)
async def test_a_failure_that_can_not_be_recorded_is_told_as_what_it_is(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    trouble: Trouble,
    fault: Fault,
    key: str,
    state: str,
) -> None:
    """The car's answer matters more to the caller than the disk."""
    hold = asyncio.Event()
    simulator.script(
        Fault(hold=hold, status=fault.status, body=fault.body, executes=False)
    )
    call = hass.async_create_task(set_schedule(hass))
    await simulator.wait_for_request(path="/charge-schedules/daily")
    with trouble(store_of(hass, entry)):
        hold.set()
        with pytest.raises(HomeAssistantError) as caught:
            await call
    assert (caught.value.translation_key, sensor(hass).state) == (key, state)


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_replacing_goes_on_when_it_can_not_be_recorded(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, trouble: Trouble
) -> None:
    """Who starts with the older record tries the delete once more, and hears that it is gone."""
    first = await set_schedule(hass)
    hold = asyncio.Event()
    simulator.script(Fault(hold=hold), path=is_delete)
    call = hass.async_create_task(set_schedule(hass, start_time="00:00"))
    await simulator.wait_for_request(path=is_delete)
    with trouble(store_of(hass, entry)):
        hold.set()
        second = await call
    assert (second["status"], second["replaced_schedule_ids"]) == (
        "SUCCESS",
        [first["schedule_id"]],
    )
    assert sensor(hass).state == "success"
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert sensor(hass).state == "success"
    third = await set_schedule(hass, start_time="01:00")
    assert third["replaced_schedule_ids"] == [
        first["schedule_id"],
        second["schedule_id"],
    ]
    assert [schedule.id for schedule in simulator.schedules(TESLA.vehicle_id)] == [
        third["schedule_id"]
    ]


@pytest.mark.parametrize("trouble", [full_disk, no_replacing])
async def test_a_start_with_a_disk_in_trouble_shows_what_can_be_read(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, trouble: Trouble
) -> None:
    """The car is there, sends nothing, and works as soon as the disk does."""
    await set_schedule(hass)
    assert await hass.config_entries.async_unload(entry.entry_id)
    with trouble(store_of(hass, entry)):
        assert await hass.config_entries.async_setup(entry.entry_id)
        assert sensor(hass).state in {"success", "unknown"}
        with pytest.raises(HomeAssistantError, match="Check that the disk is not full"):
            await set_schedule(hass)
    assert (await set_schedule(hass))["status"] == "SUCCESS"
    assert len(simulator.creates) == 2


def remove(store: Path) -> None:
    """Remove the file."""
    store.unlink()


def remove_folder(store: Path) -> None:
    """Remove all that Home Assistant keeps."""
    shutil.rmtree(store.parent)


def cut(store: Path) -> None:
    """Leave half of the file."""
    store.write_bytes(store.read_bytes()[:100])


def wrong_shape(store: Path) -> None:
    """Put JSON there that is no store."""
    store.write_text("[1, 2]")


def newer(store: Path) -> None:
    """Put a store there that a newer version wrote."""
    store.write_text(
        '{"version": 7, "minor_version": 1, "key": "any", "data": {"more": 1}}'
    )


BY_HAND = [remove, remove_folder, cut, wrong_shape, newer]


@pytest.mark.parametrize("touch", BY_HAND)
async def test_a_store_touched_between_two_commands_is_written_anew(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    touch: Callable[[Path], None],
) -> None:
    """What Home Assistant knows is in its memory: the second set replaces the first, and all is on the disk again."""
    first = await set_schedule(hass)
    touch(store_of(hass, entry))
    second = await set_schedule(hass)
    assert (second["replaced_schedule_ids"], second["warnings"]) == (
        [first["schedule_id"]],
        [],
    )
    data = stored(hass, entry)
    assert [record["schedule_id"] for record in data["executions"]] == [
        first["schedule_id"],
        second["schedule_id"],
    ]
    assert [schedule["schedule_id"] for schedule in data["schedules"]] == [
        second["schedule_id"]
    ]


@pytest.mark.parametrize("touch", BY_HAND)
async def test_a_store_touched_while_the_disk_is_full_is_refused_in_our_words(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    touch: Callable[[Path], None],
) -> None:
    """Whatever the check of what was written finds there, the caller hears that nothing was sent."""
    await set_schedule(hass)
    touch(store_of(hass, entry))
    with full_disk(store_of(hass, entry)), pytest.raises(HomeAssistantError) as caught:
        await set_schedule(hass)
    assert caught.value.translation_key == "not_recorded"
    assert len(simulator.creates) == 1
    assert (await set_schedule(hass))["status"] == "SUCCESS"


async def test_a_broken_store_that_can_not_be_moved_does_not_prevent_the_start(
    hass: HomeAssistant, simulator: Simulator, freezer: FrozenDateTimeFactory
) -> None:
    """Home Assistant wants to rename a file that is no JSON: where that fails, the car is there all the same."""
    entry = make_entry(TESLA)
    path = store_of(hass, entry)
    path.parent.mkdir()
    path.write_text("{")
    freezer.move_to("2026-11-22T12:00:00+00:00")
    path.with_name(f"{path.name}.corrupt.2026-11-22T12:00:00+00:00").mkdir()
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert sensor(hass).state == "unknown"
    assert (await set_schedule(hass))["status"] == "SUCCESS"
