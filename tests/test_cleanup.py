"""Unloading, reloading, removing and stopping leave nothing behind, at any time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
import threading
from typing import Any, Final

from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE as FINAL_WRITE
from homeassistant.core import Event, HomeAssistant, callback
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
from tests.actions import (
    NEW_START,
    call_action,
    device_id,
    edit_time,
    sensor,
    set_schedule,
)
from tests.conftest import make_entry
from tests.ledgers import (
    file_of,
    files_of_ours,
    issues_of_ours,
    path_of,
    reading_held,
    stored,
    stored_outcomes,
    stored_with,
)
from tests.simulator import TESLA, VOLVO, Fault, Simulator

type End = Callable[[HomeAssistant, MockConfigEntry], Coroutine[Any, Any, None]]


class SlowDisk:
    """A disk whose writes can be held, before they begin and before they return."""

    def __init__(self) -> None:
        """Initialize a disk that holds nothing."""
        self.may_begin = threading.Event()
        self.may_return = threading.Event()
        self._held = 0
        self.release()

    def release(self) -> None:
        """Hold nothing any more."""
        self.may_begin.set()
        self.may_return.set()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save what the ledger has, in its thread."""
        self._wait(self.may_begin)
        save_json(*args, **kwargs)
        self._wait(self.may_return)

    async def until_it_holds_a_write(self) -> None:
        """Return when a thread waits."""
        while not self._held:
            await asyncio.sleep(0)

    def _wait(self, gate: threading.Event) -> None:
        """Wait until a gate is open."""
        self._held += 1
        gate.wait()
        self._held -= 1


CREATE: Final = "/charge-schedules/daily"
VOLVO_SENSOR: Final = "sensor.volvo_ex40_2025_last_execution"


def listeners(hass: HomeAssistant) -> dict[str, int]:
    """Return how many listen to each event, but for the final write.

    Home Assistant's registries wait for that one now and then.
    """
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


async def remove_car(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Remove the car from its account."""
    hass.config_entries.async_remove_subentry(entry, next(iter(entry.subentries)))
    await hass.async_block_till_done()


def errors_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was logged as an error."""
    return [
        record.getMessage() for record in caplog.records if record.levelname == "ERROR"
    ]


@asynccontextmanager
async def volvo_being_added(
    hass: HomeAssistant, entry: MockConfigEntry
) -> AsyncIterator[None]:
    """Add the second car; who reads its file has to wait."""
    (subentry,) = make_entry(VOLVO).subentries.values()
    with reading_held(path_of(hass, subentry.subentry_id)):
        assert hass.config_entries.async_add_subentry(entry, subentry)
        await asyncio.sleep(0.1)
        yield


async def test_reloading_twenty_times_grows_nothing(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Neither listeners, on the bus or the entry, nor tasks, timers or stores."""
    await set_schedule(hass)
    await reload(hass, entry)
    await hass.async_block_till_done(wait_background_tasks=True)
    before, files = listeners(hass), files_of_ours(hass)
    tasks = len(asyncio.all_tasks(hass.loop))
    for _ in range(20):
        await reload(hass, entry)
        await hass.async_block_till_done(wait_background_tasks=True)
    assert listeners(hass) == before
    assert len(entry.update_listeners) == 1
    assert len(asyncio.all_tasks(hass.loop)) == tasks
    assert ours_at_work(hass) == []
    assert files_of_ours(hass) == files
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
    """What the caller hears is on the disk, and nothing of the command goes on."""
    simulator.script(Fault(hold=asyncio.Event()), path=CREATE)
    call = hass.async_create_task(set_schedule(hass))
    await simulator.wait_for_request(path=CREATE)
    await end(hass, entry)
    data = stored(hass, entry)
    assert stored_outcomes(hass, entry) == ["unconfirmed"]
    assert len(stored_with(hass, entry, "possibly_on_car")) == 1
    with pytest.raises(HomeAssistantError, match="It is not known whether") as caught:
        await call
    assert caught.value.translation_key == "create_unconfirmed"
    await hass.async_block_till_done(wait_background_tasks=True)
    assert ours_at_work(hass) == []
    assert stored(hass, entry) == data
    assert len(simulator.creates) == 1


async def test_the_second_of_two_sets_is_not_sent_when_unloaded_in_between(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The first is unconfirmed, the second not sent, a third works after setup."""
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
    (schedule,) = stored_with(hass, entry, "on_car")
    assert schedule["schedule_id"] == third["schedule_id"]


@pytest.fixture
def slow_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowDisk]:
    """Have a disk whose writes can be held."""
    disk = SlowDisk()
    monkeypatch.setattr(
        "custom_components.smartcar_charging.ledger.save_json", disk.save
    )
    yield disk
    disk.release()


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
    """Its thread can not be cut off, so the command waits, and is on record."""
    hold = asyncio.Event()
    simulator.script(Fault(hold=hold), path=CREATE)
    slow_disk.may_begin.clear()
    edit = hass.async_create_task(edit_time(hass, NEW_START, "21:00"))
    await slow_disk.until_it_holds_a_write()
    edit.cancel()
    call = hass.async_create_task(set_schedule(hass))
    await some_turns_of_the_loop()
    assert simulator.creates == []
    slow_disk.release()
    await simulator.wait_for_request(path=CREATE)
    assert stored_outcomes(hass, entry) == [None]
    hold.set()
    await call
    assert stored_outcomes(hass, entry) == ["success"]
    assert stored(hass, entry)["draft"]["start_time"] == "21:00:00"


async def test_a_caller_who_goes_while_the_command_is_recorded_stops_nothing(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    slow_disk: SlowDisk,
) -> None:
    """The command has begun, so it is sent, judged and recorded."""
    slow_disk.may_begin.clear()
    call = hass.async_create_task(set_schedule(hass))
    await slow_disk.until_it_holds_a_write()
    call.cancel()
    await asyncio.wait([call])
    slow_disk.release()
    while stored_outcomes(hass, entry) != ["success"]:
        await asyncio.sleep(0)
    assert len(stored_with(hass, entry, "on_car")) == 1


@pytest.mark.parametrize(("end", "files"), [(unload, 1), (remove, 0)])
async def test_an_end_waits_for_an_edit(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    slow_disk: SlowDisk,
    end: End,
    files: int,
) -> None:
    """Otherwise its thread would write into the next life, or leave a removed file."""
    slow_disk.may_begin.clear()
    edit = hass.async_create_task(edit_time(hass, NEW_START, "21:00"))
    await slow_disk.until_it_holds_a_write()
    ending = hass.async_create_task(end(hass, entry))
    await some_turns_of_the_loop()
    assert not ending.done()
    slow_disk.release()
    await asyncio.gather(edit, ending)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert len(files_of_ours(hass)) == files


async def test_a_file_that_is_in_use_is_not_removed_by_another_account(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    slow_disk: SlowDisk,
) -> None:
    """The car is in no account any more, and still has something to write."""
    other = make_entry(VOLVO)
    other.add_to_hass(hass)
    assert await hass.config_entries.async_setup(other.entry_id)
    path = file_of(hass, entry)
    slow_disk.may_begin.clear()
    edit = hass.async_create_task(edit_time(hass, NEW_START, "21:00"))
    await slow_disk.until_it_holds_a_write()
    hass.config_entries.async_remove_subentry(entry, next(iter(entry.subentries)))
    hass.config_entries.async_update_entry(other, title="One more change")
    await asyncio.sleep(0.1)
    assert path.exists()
    slow_disk.release()
    await edit
    await hass.async_block_till_done()
    assert files_of_ours(hass) == [file_of(hass, other)]


@pytest.mark.parametrize("end", [remove, remove_car])
async def test_an_edit_that_ends_with_its_car_brings_no_issue_back(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    slow_disk: SlowDisk,
    end: End,
) -> None:
    """What is shown after its write is shown of a car that is no more."""
    simulator.script(Fault.error(500, "SERVER", "INTERNAL"))
    with pytest.raises(HomeAssistantError):
        await set_schedule(hass)
    assert issues_of_ours(hass) == ["unsettled_schedules"]
    slow_disk.may_return.clear()
    edit = hass.async_create_task(edit_time(hass, NEW_START, "21:00"))
    await slow_disk.until_it_holds_a_write()
    ending = hass.async_create_task(end(hass, entry))
    await some_turns_of_the_loop()
    slow_disk.release()
    await asyncio.gather(edit, ending)
    await hass.async_block_till_done()
    assert issues_of_ours(hass) == []
    assert files_of_ours(hass) == []


async def stop(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Stop Home Assistant."""
    await hass.async_stop()


@pytest.mark.parametrize("end", [unload, stop])
async def test_a_command_that_begins_just_before_an_end_is_not_sent(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    slow_disk: SlowDisk,
    end: End,
) -> None:
    """It is on record already, so the record says that nothing was sent."""
    slow_disk.may_return.clear()
    call = hass.async_create_task(set_schedule(hass))
    await slow_disk.until_it_holds_a_write()
    ending = hass.loop.create_task(end(hass, entry))
    await some_turns_of_the_loop()
    slow_disk.release()
    await ending
    with pytest.raises(HomeAssistantError, match="Nothing was sent"):
        await call
    assert stored_outcomes(hass, entry) == ["not_sent"]
    assert stored(hass, entry)["schedules"] == []
    assert simulator.creates == []


@pytest.mark.parametrize("end", [unload, remove])
async def test_a_car_that_is_added_while_the_entry_ends_ends_with_it(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    end: End,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The listener that reads its store adds nothing to an entry not loaded."""
    async with volvo_being_added(hass, entry):
        hass.config_entries.async_update_entry(
            entry, title="One more change, which waits for the first"
        )
        ending = hass.async_create_task(end(hass, entry))
        await asyncio.sleep(0.1)
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
    async with volvo_being_added(hass, entry):
        reloading = hass.async_create_task(reload(hass, entry))
        await asyncio.sleep(0.1)
    await reloading
    await hass.async_block_till_done(wait_background_tasks=True)
    assert sensor(hass).state == "unknown"
    assert hass.states.is_state(VOLVO_SENSOR, "unknown")
    assert len(entry.update_listeners) == 1
    assert errors_in(caplog) == []


async def test_an_unload_while_the_file_is_opened_again_sends_nothing(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It waits for the thread that reads, and what was read begins nothing."""
    path = file_of(hass, entry)
    await unload(hass, entry)
    path.unlink()
    path.mkdir()
    assert await hass.config_entries.async_setup(entry.entry_id)
    path.rmdir()
    caplog.clear()
    with reading_held(path):
        call = hass.async_create_task(set_schedule(hass))
        await asyncio.sleep(0.1)
        ending = hass.async_create_task(unload(hass, entry))
        await asyncio.sleep(0.1)
        assert not ending.done()
    await ending
    with pytest.raises(HomeAssistantError) as caught:
        await call
    assert caught.value.translation_key == "stopped"
    assert simulator.creates == []
    assert errors_in(caplog) == []
    assert ours_at_work(hass) == []


@pytest.mark.parametrize(("removed", "left"), [(0, 1), (1, 0)])
async def test_a_car_that_is_removed_while_a_file_is_read_breaks_nothing(
    hass: HomeAssistant,
    simulator: Simulator,
    caplog: pytest.LogCaptureFixture,
    removed: int,
    left: int,
) -> None:
    """Its own or that of the car before it: the other one is loaded."""
    cars = (VOLVO, TESLA)
    entry = make_entry(*cars)
    keys = tuple(entry.subentries)
    entry.add_to_hass(hass)
    with reading_held(path_of(hass, keys[0])):
        setup = hass.config_entries.async_setup(entry.entry_id)
        setting_up = hass.async_create_task(setup)
        await asyncio.sleep(0.1)
        hass.config_entries.async_remove_subentry(entry, keys[removed])
        await asyncio.sleep(0.1)
    assert await setting_up
    await hass.async_block_till_done(wait_background_tasks=True)
    await set_schedule(hass)
    assert cars[left].vehicle_id in simulator.creates[-1].path
    assert len(hass.states.async_all("event")) == 1
    assert not path_of(hass, keys[removed]).exists()
    assert errors_in(caplog) == []


async def test_a_car_that_is_removed_while_its_new_name_is_saved_breaks_nothing(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    slow_disk: SlowDisk,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """There is no device to be renamed any more."""
    (subentry,) = entry.subentries.values()
    slow_disk.may_begin.clear()
    hass.config_entries.async_update_subentry(entry, subentry, title="Family car")
    await slow_disk.until_it_holds_a_write()
    hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)
    slow_disk.release()
    await hass.async_block_till_done()
    assert files_of_ours(hass) == []
    assert dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id) == []
    assert errors_in(caplog) == []


async def test_a_car_that_is_added_while_the_platforms_are_set_up_is_loaded_at_once(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """It is not noticed only with the next change."""
    entry = make_entry(TESLA)
    (subentry,) = make_entry(VOLVO).subentries.values()
    entry.add_to_hass(hass)

    @callback
    def add_the_volvo(_event: Event[Any]) -> None:
        """Add the second car when the first entity of the first one is registered."""
        hass.config_entries.async_add_subentry(entry, subentry)

    hass.bus.async_listen_once(er.EVENT_ENTITY_REGISTRY_UPDATED, add_the_volvo)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert sensor(hass).state == "unknown"
    assert hass.states.is_state(VOLVO_SENSOR, "unknown")
    await set_schedule(hass, device_id=device_id(hass, VOLVO))


async def test_a_question_that_is_refused_after_its_account_was_removed_is_an_error(
    hass: HomeAssistant, simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """There is nobody left to sign in, and nobody is asked to."""
    entry = make_entry(TESLA, data={"access_token": simulator.issue_token()})
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    hold = asyncio.Event()
    refusal = Fault.error(401, "AUTHENTICATION", "UNAUTHORIZED")
    held = Fault(hold=hold, status=401, body=refusal.body)
    simulator.script(held, path="/charge-chargetimers")
    call = hass.async_create_task(call_action(hass, "get_charge_schedules", {}))
    await simulator.wait_for_request(path="/charge-chargetimers")
    await remove(hass, entry)
    hold.set()
    with pytest.raises(HomeAssistantError) as caught:
        await call
    assert caught.value.translation_key == "authentication_failed"
    await hass.async_block_till_done(wait_background_tasks=True)
    assert hass.config_entries.flow.async_progress() == []
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
    assert files_of_ours(hass) == []
    with pytest.raises(HomeAssistantError, match="It is not known whether"):
        await call
    await hass.async_block_till_done(wait_background_tasks=True)
    assert files_of_ours(hass) == []
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
    assert files_of_ours(hass) == []
    with pytest.raises(HomeAssistantError, match="It is not known whether"):
        await call
    await hass.async_block_till_done(wait_background_tasks=True)
    assert (files_of_ours(hass), hass.states.async_all("sensor")) == ([], [])
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
    written, sent = file_of(hass, entry).stat().st_mtime_ns, len(simulator.requests)
    async with asyncio.timeout(5):
        await hass.async_stop(force=True)
    assert file_of(hass, entry).stat().st_mtime_ns == written
    assert len(simulator.requests) == sent
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
    assert stored_outcomes(hass, entry) == ["unconfirmed"]
    assert len(stored_with(hass, entry, "possibly_on_car")) == 1
    assert ours_at_work(hass) == []
    assert sensor(hass).state == "unconfirmed"
