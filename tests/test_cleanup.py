"""Unloading, reloading, removing and stopping leave nothing behind, whatever is going on just then."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from itertools import chain, repeat
import os
import threading
from typing import Any, Final

from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE as FINAL_WRITE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
from homeassistant.helpers.json import save_json
from homeassistant.util.async_ import get_scheduled_timer_handles
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.plugins import long_repr_strings

from custom_components.smartcar_charging.const import DOMAIN
from tests.actions import NEW_START, edit_time, sensor, set_schedule
from tests.conftest import make_entry
from tests.simulator import VOLVO, Fault, ReceivedRequest, Simulator
from tests.test_init import stores
from tests.test_ledger import store_of, stored


class SlowDisk:
    """A disk at which a thread waits."""

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self.go_on = threading.Event()
        self._is_waiting = threading.Event()

    def wait(self) -> None:
        """Wait, in a thread."""
        self._is_waiting.set()
        self.go_on.wait()

    async def is_waiting(self) -> None:
        """Return when a thread waits."""
        while not self._is_waiting.is_set():
            await asyncio.sleep(0)


type End = Callable[[HomeAssistant, MockConfigEntry], Coroutine[Any, Any, None]]

CREATE: Final = "/charge-schedules/daily"
VOLVO_SENSOR: Final = "sensor.volvo_ex40_2025_last_execution"


def is_delete(request: ReceivedRequest) -> bool:
    """Whether this is a request to delete a schedule."""
    return request.method == "DELETE"


def listeners(hass: HomeAssistant) -> dict[str, int]:
    """Return how many listen to each event; Home Assistant's registries wait for the final write now and then."""
    return {
        str(event): count
        for event, count in hass.bus.async_listeners().items()
        if event != FINAL_WRITE
    }


def ours_at_work(hass: HomeAssistant) -> list[str]:
    """Return the tasks and timers that run code of ours."""
    with long_repr_strings():
        tasks = [
            repr(task)
            for task in asyncio.all_tasks(hass.loop)
            if task is not asyncio.current_task()
        ]
        timers = [
            repr(handle)
            for handle in get_scheduled_timer_handles(hass.loop)
            if not handle.cancelled()
        ]
    return [text for text in tasks + timers if "custom_components" in text]


async def unload(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Unload the entry."""
    assert await hass.config_entries.async_unload(entry.entry_id)


async def reload(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Reload the entry."""
    assert await hass.config_entries.async_reload(entry.entry_id)


async def remove(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Remove the entry."""
    assert await hass.config_entries.async_remove(entry.entry_id)


def errors_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was logged as an error."""
    return [
        record.getMessage() for record in caplog.records if record.levelname == "ERROR"
    ]


async def add_volvo(hass: HomeAssistant, entry: MockConfigEntry) -> Callable[[], None]:
    """Add the second car, whose store can not be read to its end before the returned function is called."""
    (subentry,) = make_entry(VOLVO).subentries.values()
    store = store_of(hass, entry).with_name(f"{DOMAIN}.{subentry.subentry_id}")
    store.parent.mkdir(exist_ok=True)
    os.mkfifo(store)
    pipe = store.open("r+b", buffering=0)
    assert hass.config_entries.async_add_subentry(entry, subentry)
    await asyncio.sleep(0.1)

    def feed() -> None:
        """Let the one who reads go on, with a store that is empty; who comes later finds none."""
        store.unlink()
        pipe.write(b"{}")
        pipe.close()

    return feed


async def test_reloading_twenty_times_grows_nothing(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Not the listeners on the bus, not those of the entry, not the tasks, the timers or the stores."""
    await set_schedule(hass)
    await reload(hass, entry)
    await hass.async_block_till_done(wait_background_tasks=True)
    before, tasks, files = (
        listeners(hass),
        len(asyncio.all_tasks(hass.loop)),
        stores(hass),
    )
    for _ in range(20):
        await reload(hass, entry)
        await hass.async_block_till_done(wait_background_tasks=True)
    assert listeners(hass) == before
    assert len(entry.update_listeners) == 1
    assert len(asyncio.all_tasks(hass.loop)) == tasks
    assert ours_at_work(hass) == []
    assert stores(hass) == files
    assert (await set_schedule(hass))["status"] == "SUCCESS"
    assert (len(simulator.creates), len(simulator.deletes)) == (2, 1)


@pytest.mark.parametrize("end", [unload, remove])
async def test_an_entry_that_ends_leaves_no_listener_task_or_timer(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, end: End
) -> None:
    """What was there before the account is there after it, and no more."""
    await unload(hass, entry)
    await hass.async_block_till_done(wait_background_tasks=True)
    before = listeners(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await set_schedule(hass)
    await set_schedule(hass, start_time="00:00")
    await end(hass, entry)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert listeners(hass) == before
    assert entry.update_listeners == []
    assert ours_at_work(hass) == []


@pytest.mark.parametrize("end", [unload, reload])
async def test_an_end_returns_after_the_last_write(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, end: End
) -> None:
    """What the caller hears is on the disk at once, and nothing of the command goes on."""
    simulator.script(Fault(hold=asyncio.Event()), path=CREATE)
    call = hass.async_create_task(set_schedule(hass))
    await simulator.wait_for_request(path=CREATE)
    await end(hass, entry)
    data = stored(hass, entry)
    assert (data["executions"][-1]["verdict"], len(data["possible"])) == (
        "unconfirmed",
        1,
    )
    with pytest.raises(HomeAssistantError, match="It is not known whether") as caught:
        await call
    assert caught.value.translation_key == "create_unconfirmed"
    await hass.async_block_till_done(wait_background_tasks=True)
    assert ours_at_work(hass) == []
    assert stored(hass, entry) == data
    assert len(simulator.creates) == 1


async def test_an_end_while_replacing_returns_after_the_last_write(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The success is on the disk, and so is the delete that nobody heard the end of."""
    first = await set_schedule(hass)
    simulator.script(Fault(hold=asyncio.Event()), path=is_delete)
    call = hass.async_create_task(set_schedule(hass, start_time="00:00"))
    await simulator.wait_for_request(path=is_delete)
    await unload(hass, entry)
    data = stored(hass, entry)
    assert data["executions"][-1]["verdict"] == "success"
    assert data["schedules"][0]["schedule_id"] == first["schedule_id"]
    assert (await call)["not_replaced_schedule_ids"] == [first["schedule_id"]]
    assert ours_at_work(hass) == []
    assert stored(hass, entry) == data


async def test_the_second_of_two_sets_is_not_sent_when_unloaded_in_between(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The first is unconfirmed, the second hears that nothing was sent, and a third works after the next setup."""
    simulator.script(Fault(hold=asyncio.Event()), path=CREATE)
    first = hass.async_create_task(set_schedule(hass))
    await simulator.wait_for_request(path=CREATE)
    second = hass.async_create_task(set_schedule(hass, start_time="00:00"))
    await reload(hass, entry)
    third = await set_schedule(hass, start_time="01:00")
    errors = await asyncio.gather(first, second, return_exceptions=True)
    assert [getattr(error, "translation_key", None) for error in errors] == [
        "create_unconfirmed",
        "stopped",
    ]
    assert [
        request.json["data"]["attributes"]["startTime"] for request in simulator.creates
    ] == ["23:30", "01:00"]
    assert [own["schedule_id"] for own in stored(hass, entry)["schedules"]] == [
        third["schedule_id"]
    ]


@pytest.fixture
def slow_disk(
    entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SlowDisk]:
    """Let the first write begin only when somebody lets it."""
    disk = SlowDisk()
    waits: Iterator[Callable[[], object]] = chain([disk.wait], repeat(bool))

    def wait_and_save(*args: Any, **kwargs: Any) -> None:
        """Wait, if this is the first, then save."""
        next(waits)()
        save_json(*args, **kwargs)

    monkeypatch.setattr(
        "custom_components.smartcar_charging.ledger.save_json", wait_and_save
    )
    yield disk
    disk.go_on.set()


@pytest.fixture
def disk(
    entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> Iterator[threading.Event]:
    """Let a write end only when the event is set, although the file is there already."""
    event = threading.Event()

    def save_and_wait(*args: Any, **kwargs: Any) -> None:
        """Save, then wait."""
        save_json(*args, **kwargs)
        event.wait()

    monkeypatch.setattr(
        "custom_components.smartcar_charging.ledger.save_json", save_and_wait
    )
    yield event
    event.set()


async def some_turns_of_the_loop() -> None:
    """Let everything run that waits for nothing else."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_an_edit_that_was_cut_off_does_not_undo_the_record_of_a_command(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    slow_disk: SlowDisk,
) -> None:
    """Its thread can not be cut off, so the command waits for it: what is sent is on record, whatever comes."""
    hold = asyncio.Event()
    simulator.script(Fault(hold=hold), path=CREATE)
    edit = hass.async_create_task(edit_time(hass, NEW_START, "21:00"))
    await slow_disk.is_waiting()
    edit.cancel()
    call = hass.async_create_task(set_schedule(hass))
    await some_turns_of_the_loop()
    assert simulator.creates == []
    slow_disk.go_on.set()
    await simulator.wait_for_request(path=CREATE)
    assert [record["verdict"] for record in stored(hass, entry)["executions"]] == [
        "in_progress"
    ]
    hold.set()
    await call
    assert [record["verdict"] for record in stored(hass, entry)["executions"]] == [
        "success"
    ]


async def test_a_removal_waits_for_an_edit(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    slow_disk: SlowDisk,
) -> None:
    """Otherwise its thread would leave a file of a car that is gone."""
    edit = hass.async_create_task(edit_time(hass, NEW_START, "21:00"))
    await slow_disk.is_waiting()
    removing = hass.async_create_task(remove(hass, entry))
    await some_turns_of_the_loop()
    slow_disk.go_on.set()
    await asyncio.gather(edit, removing)
    assert stores(hass) == []


async def stop(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Stop Home Assistant."""
    await hass.async_stop()


@pytest.mark.parametrize("end", [unload, stop])
async def test_a_command_that_begins_just_before_an_end_is_not_sent(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    disk: threading.Event,
    end: End,
) -> None:
    """It is on record already, so the record says that nothing was sent."""
    call = hass.async_create_task(set_schedule(hass))
    while not store_of(hass, entry).exists():
        await asyncio.sleep(0)
    ending = hass.loop.create_task(end(hass, entry))
    await some_turns_of_the_loop()
    disk.set()
    await ending
    with pytest.raises(HomeAssistantError, match="Nothing was sent"):
        await call
    data = stored(hass, entry)
    assert ([record["verdict"] for record in data["executions"]], data["possible"]) == (
        ["failed"],
        [],
    )
    assert simulator.creates == []


@pytest.mark.parametrize("end", [unload, remove])
async def test_a_car_that_is_added_while_the_entry_ends_ends_with_it(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    end: End,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The listener that reads the car's store just then adds nothing to an entry that is not loaded."""
    feed = await add_volvo(hass, entry)
    hass.config_entries.async_update_entry(
        entry, title="One more change, which waits for the first"
    )
    ending = hass.async_create_task(end(hass, entry))
    await asyncio.sleep(0.1)
    feed()
    await ending
    await hass.async_block_till_done(wait_background_tasks=True)
    assert {state.state for state in hass.states.async_all("sensor")} <= {"unavailable"}
    assert entry.update_listeners == []
    assert ours_at_work(hass) == []
    assert errors_in(caplog) == []


async def test_a_car_that_is_added_while_the_entry_reloads_is_there_once(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """By the listener that was at work or by the setup, but not by both."""
    feed = await add_volvo(hass, entry)
    reloading = hass.async_create_task(reload(hass, entry))
    await asyncio.sleep(0.1)
    feed()
    await reloading
    await hass.async_block_till_done(wait_background_tasks=True)
    assert (sensor(hass).state, hass.states.is_state(VOLVO_SENSOR, "unknown")) == (
        "unknown",
        True,
    )
    assert len(entry.update_listeners) == 1
    assert errors_in(caplog) == []


async def test_a_car_that_is_removed_just_before_its_entry_leaves_no_store(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The write that ends its command does not come after the files are gone."""
    simulator.script(Fault(hold=asyncio.Event()), path=CREATE)
    call = hass.async_create_task(set_schedule(hass))
    await simulator.wait_for_request(path=CREATE)
    hass.config_entries.async_remove_subentry(entry, next(iter(entry.subentries)))
    await remove(hass, entry)
    assert stores(hass) == []
    with pytest.raises(HomeAssistantError, match="It is not known whether"):
        await call
    await hass.async_block_till_done(wait_background_tasks=True)
    assert stores(hass) == []
    assert ours_at_work(hass) == []
    assert errors_in(caplog) == []


async def test_an_entry_that_is_removed_during_a_command_leaves_nothing(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """No store, device, entity, state or issue."""
    simulator.script(Fault(hold=asyncio.Event()), path=CREATE)
    call = hass.async_create_task(set_schedule(hass))
    await simulator.wait_for_request(path=CREATE)
    await remove(hass, entry)
    assert stores(hass) == []
    with pytest.raises(HomeAssistantError, match="It is not known whether"):
        await call
    await hass.async_block_till_done(wait_background_tasks=True)
    assert (stores(hass), hass.states.async_all("sensor")) == ([], [])
    assert er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id) == []
    assert dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id) == []
    assert [
        issue for domain, issue in ir.async_get(hass).issues if domain == DOMAIN
    ] == []
    assert ours_at_work(hass) == []


async def test_an_unload_while_the_credentials_are_checked_ends_the_check(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """A cloud that does not answer holds nothing up."""
    simulator.revoke_tokens()
    simulator.script(Fault(hold=asyncio.Event()), Fault(hold=asyncio.Event()))
    await reload(hass, entry)
    await simulator.wait_for_request(3)
    assert len(ours_at_work(hass)) > 0
    await unload(hass, entry)
    await asyncio.sleep(0)
    assert ours_at_work(hass) == []


async def test_a_stop_of_home_assistant_ends_an_idle_entry_at_once(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Nothing is written, nothing is sent, nothing stays."""
    await set_schedule(hass)
    written, sent = store_of(hass, entry).stat().st_mtime_ns, len(simulator.requests)
    async with asyncio.timeout(5):
        await hass.async_stop(force=True)
    assert (store_of(hass, entry).stat().st_mtime_ns, len(simulator.requests)) == (
        written,
        sent,
    )
    assert ours_at_work(hass) == []


async def test_a_stop_of_home_assistant_writes_the_end_of_a_command(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The whole stop, with the write that Home Assistant puts off to its end."""
    simulator.script(Fault(hold=asyncio.Event()), path=CREATE)
    call = hass.async_create_task(set_schedule(hass))
    await simulator.wait_for_request(path=CREATE)
    async with asyncio.timeout(5):
        await hass.async_stop(force=True)
    with pytest.raises(HomeAssistantError, match="It is not known whether"):
        await call
    data = stored(hass, entry)
    assert (data["executions"][-1]["verdict"], len(data["possible"])) == (
        "unconfirmed",
        1,
    )
    assert ours_at_work(hass) == []
    assert sensor(hass).state == "unconfirmed"
