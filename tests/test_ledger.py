"""What is on the disk at which moment, and what is made of a file at the start."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
import json
import os
from pathlib import Path
import resource
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.json import save_json
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.smartcar_charging.ledger import Ledger
from custom_components.smartcar_charging.models import VehicleState
from custom_components.smartcar_charging.vehicle import LEDGER_RETRY_INTERVAL
from tests.actions import (
    CALENDAR,
    CHARGE_SCHEDULE,
    EVENT,
    NEW_START,
    SENSOR,
    delete_schedule,
    edit_time,
    reload,
    sensor,
    set_schedule,
    shown,
)
from tests.ledgers import (
    EMPTY_DRAFT,
    IN_PROGRESS,
    ON_CAR,
    PLACE,
    asides_of,
    file_of,
    file_with,
    issues_of_ours,
    path_of,
    standing_of,
    start_with,
    stored,
    stored_outcomes,
    stored_with,
)
from tests.simulator import TESLA, Cut, Fault, ReceivedRequest, Simulator

type Obstacle = Callable[[Path], AbstractContextManager[None]]
type Restart = Callable[[HomeAssistant, MockConfigEntry], Awaitable[None]]
type Remedy = Callable[[HomeAssistant, FrozenDateTimeFactory], Awaitable[None]]

SAVE_JSON: Final = "custom_components.smartcar_charging.ledger.save_json"
KEY: Final = "01M885XP8N85FK7AQH6ZT2W2JN"
DELETED: Final = {**IN_PROGRESS, "action": "delete", "schedule_id": "sched_old"}


async def test_a_command_is_on_the_disk_before_its_request_arrives(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """A power cut while the car thinks is known of afterwards."""
    at_arrival: list[Any] = []

    def note_the_disk(request: ReceivedRequest) -> bool:
        """Note the last command on the disk just when a request arrives."""
        command = stored(hass, entry)["commands"][-1]
        at_arrival.append((command["action"], command["outcome"]))
        return False

    for method in ("POST", "DELETE"):
        simulator.always(Fault(), method=method, path=note_the_disk)
    await set_schedule(hass)
    await delete_schedule(hass, zone="zone.home")
    assert at_arrival == [("create", None), ("delete", None)]
    assert stored_outcomes(hass, entry) == ["success", "success"]
    assert stored(hass, entry)["schedules"] == []


async def test_a_success_and_what_it_supersedes_are_one_write(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They are on the disk together or not at all, and before the first delete."""
    await set_schedule(hass)
    versions: list[Any] = []

    def save_and_note(*args: Any, **kwargs: Any) -> None:
        """Save, and note what is on the disk now."""
        save_json(*args, **kwargs)
        data = stored(hass, entry)
        standings = [standing_of(schedule) for schedule in data["schedules"]]
        versions.append((data["commands"][-1]["outcome"], standings))

    monkeypatch.setattr(SAVE_JSON, save_and_note)
    await set_schedule(hass, start_time="00:00")
    assert versions == [
        (None, ["on_car"]),
        ("success", ["superseded", "on_car"]),
        ("success", ["on_car"]),
    ]


async def test_a_write_is_private_atomic_and_durable(
    hass: HomeAssistant, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new content is on the disk before it takes the place of the old one."""
    path = file_of(hass, entry)
    steps: list[tuple[str, Path]] = []
    sync, rename = os.fsync, os.rename

    def note_sync(descriptor: int) -> None:
        """Note what is brought to the disk."""
        sync(descriptor)
        steps.append(("synced", Path(f"/proc/self/fd/{descriptor}").readlink()))

    def note_rename(source: str, target: str) -> None:
        """Note what takes a place."""
        rename(source, target)
        steps.append(("renamed", Path(target)))

    monkeypatch.setattr("atomicwrites._proper_fsync", note_sync)
    monkeypatch.setattr(os, "rename", note_rename)
    await edit_time(hass, NEW_START, "22:15")
    (first, new), *rest = steps
    assert (first, new.parent) == ("synced", path.parent)
    assert rest == [("renamed", path), ("synced", path.parent)]
    assert path.stat().st_mode & 0o077 == 0
    assert TESLA.vehicle_id not in path.name


async def power_cut(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Start again from what is on the disk at this moment."""
    content = file_of(hass, entry).read_bytes()
    assert await hass.config_entries.async_unload(entry.entry_id)
    file_of(hass, entry).write_bytes(content)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)


@pytest.mark.parametrize("restart", [power_cut, reload])
async def test_a_replace_that_was_cut_short_is_told_and_the_next_set_ends_it(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, restart: Restart
) -> None:
    """All that was to be removed is named, not only the one whose delete was out."""
    old_ids = []
    for start in ("20:00", "21:00", "22:00"):
        response = await set_schedule(hass, start_time=start, replace=False)
        old_ids.append(response["schedule_id"])
    simulator.script(Fault(hold=asyncio.Event(), executes=False), method="DELETE")
    call = hass.async_create_task(set_schedule(hass))
    await simulator.wait_for_request(method="DELETE")
    assert issues_of_ours(hass) == []
    await restart(hass, entry)

    assert (await call)["not_replaced_schedule_ids"] == old_ids
    assert sensor(hass).state == "success"
    (issue,) = ir.async_get(hass).issues.values()
    assert issue.translation_key == "old_schedule"
    told = (issue.translation_placeholders or {})["schedules"]
    assert [old_id in told for old_id in old_ids] == [True] * 3
    assert len(simulator.deletes) == 1

    last = await set_schedule(hass, start_time="01:00")
    assert last["replaced_schedule_ids"][:3] == old_ids
    assert issues_of_ours(hass) == []
    assert [schedule.id for schedule in simulator.schedules(TESLA.vehicle_id)] == [
        last["schedule_id"]
    ]


def lose_the_connection(simulator: Simulator) -> None:
    """Let the connection break at every delete."""
    fault = Fault(cut=Cut.BEFORE_ANSWER, executes=False)
    simulator.always(fault, method="DELETE")


def take_the_token(simulator: Simulator) -> None:
    """Let no delete go out: the token is void, and no other is to be had."""
    simulator.revoke_tokens()
    simulator.always(Fault(status=503), path="/oauth2/token")


@pytest.mark.parametrize("trouble", [lose_the_connection, take_the_token])
async def test_a_replace_without_a_connection_is_told_until_a_set_ends_it(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    trouble: Callable[[Simulator], None],
) -> None:
    """Whether or not a delete went out: two windows are on the car."""
    first = await set_schedule(hass)
    hold = asyncio.Event()
    simulator.script(Fault(hold=hold), path="/charge-schedules/daily")
    call = hass.async_create_task(set_schedule(hass, start_time="00:00"))
    await simulator.wait_for_request(2, path="/charge-schedules/daily")
    trouble(simulator)
    hold.set()
    assert (await call)["not_replaced_schedule_ids"] == [first["schedule_id"]]
    assert issues_of_ours(hass) == ["old_schedule"]
    await reload(hass, entry)
    assert issues_of_ours(hass) == ["old_schedule"]

    simulator.behave()
    await set_schedule(hass, start_time="01:00")
    assert issues_of_ours(hass) == []
    assert len(simulator.schedules(TESLA.vehicle_id)) == 1


@pytest.mark.parametrize(
    ("command", "schedules", "schedule_id", "doubt"),
    [(IN_PROGRESS, [], None, "stopped"), (DELETED, [ON_CAR], "sched_old", "delete")],
    ids=["create", "delete"],
)
async def test_a_command_under_way_at_the_start_is_unconfirmed(
    hass: HomeAssistant,
    simulator: Simulator,
    command: dict[str, Any],
    schedules: list[Any],
    schedule_id: str | None,
    doubt: str,
) -> None:
    """Its schedule is possibly on the car, and nothing is sent again."""
    content = file_with(commands=[command], schedules=schedules)
    entry, asides = await start_with(hass, content)
    assert sensor(hass).state == "unconfirmed"
    reason = "Home Assistant stopped while waiting for the answer"
    assert sensor(hass).attributes["error_message"] == reason
    assert stored_outcomes(hass, entry) == ["unconfirmed"]
    (possible,) = stored_with(hass, entry, "possibly_on_car")
    assert (possible["place"], possible["schedule_id"]) == (PLACE, schedule_id)
    assert possible["doubt"] == doubt
    assert issues_of_ours(hass) == ["unsettled_schedules"]
    assert (asides, simulator.creates, simulator.deletes) == ([], [], [])


# What makes a record is in test_stored_state.py; here is one of each kind.
NO_RECORDS: Final = {
    "empty": "",
    "cut": "{",
    "version 0.1.0": json.dumps({"version": 1, "data": {"executions": []}}),
    "command": file_with(commands=[{**IN_PROGRESS, "place": None}]),
    "draft": file_with(draft={**EMPTY_DRAFT, "start_time": "25:00:00"}),
}


@pytest.mark.parametrize("content", NO_RECORDS.values(), ids=NO_RECORDS.keys())
async def test_content_that_is_no_record_is_set_aside(
    hass: HomeAssistant, simulator: Simulator, content: str
) -> None:
    """The car works, the file is kept under another name, and the user is told."""
    entry, asides = await start_with(hass, content)
    assert sensor(hass).state == "unknown"
    assert shown(hass, NEW_START).state == "unknown"
    assert [path.read_text() for path in asides] == [content]
    assert issues_of_ours(hass) == ["record_damaged"]
    assert stored(hass, entry)["record_lost_at"] is not None
    assert (await set_schedule(hass))["status"] == "SUCCESS"


async def test_what_can_be_read_is_kept(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """In the file too: after the next start it would be gone."""
    damaged = [
        {**ON_CAR, "schedule_id": "../x"},
        {**ON_CAR, "schedule_id": None},
        {**ON_CAR, "doubt": "seen"},
        {**ON_CAR, "doubt": "delete", "is_superseded": True},
    ]
    content = file_with(schedules=[*damaged, ON_CAR, None])
    entry, asides = await start_with(hass, content)
    assert [path.read_text() for path in asides] == [content]
    assert issues_of_ours(hass) == ["record_damaged"]
    assert stored(hass, entry)["schedules"] == [ON_CAR]
    assert shown(hass, CHARGE_SCHEDULE).state == "22:00–23:00"
    assert shown(hass, CALENDAR).attributes["message"] == "Charge window · test home"


async def test_a_file_is_set_aside_once_and_told_until_it_is_confirmed(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """It is written anew at once, so that the next starts find nothing wrong."""
    entry, asides = await start_with(hass, file_with(commands=7))
    for _ in range(3):
        await reload(hass, entry)
    assert asides_of(hass, entry) == asides
    assert issues_of_ours(hass) == ["record_damaged"]


async def test_a_file_is_set_aside_under_a_name_that_is_not_taken(
    hass: HomeAssistant, simulator: Simulator, freezer: FrozenDateTimeFactory
) -> None:
    """What was set aside in the same second stays what it is."""
    entry, _asides = await start_with(hass, "1")
    for content in ("2", "3"):
        assert await hass.config_entries.async_unload(entry.entry_id)
        file_of(hass, entry).write_text(content)
        assert await hass.config_entries.async_setup(entry.entry_id)
    assert [path.read_text() for path in asides_of(hass, entry)] == ["1", "2", "3"]


async def test_a_loss_is_told_after_a_power_cut_before_the_new_file(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """What was set aside says that there was a record."""
    entry, asides = await start_with(hass, "{")
    assert await hass.config_entries.async_unload(entry.entry_id)
    file_of(hass, entry).unlink()
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert issues_of_ours(hass) == ["record_damaged"]
    assert stored(hass, entry)["record_lost_at"] is not None
    assert asides_of(hass, entry) == asides


@contextmanager
def loop_of_links(path: Path) -> Iterator[None]:
    """Put a link in the file's place that leads to itself."""
    aside = path.with_name("aside")
    path.rename(aside)
    path.symlink_to(path)
    yield
    assert path.is_symlink()
    path.unlink()
    aside.rename(path)


@contextmanager
def folder_in_its_place(path: Path) -> Iterator[None]:
    """Put a folder in the file's place."""
    aside = path.with_name("aside")
    path.rename(aside)
    path.mkdir()
    yield
    path.rmdir()
    aside.rename(path)


@contextmanager
def no_more_open_files(path: Path) -> Iterator[None]:
    """Let no more files be opened than are open now."""
    content = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    next_descriptor = os.dup(0)
    os.close(next_descriptor)
    resource.setrlimit(resource.RLIMIT_NOFILE, (next_descriptor, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert path.read_bytes() == content


@contextmanager
def no_renaming(path: Path) -> Iterator[None]:
    """Damage the file, and let nothing be renamed, so that it cannot be set aside."""
    content = path.read_bytes()
    path.write_text("{")
    with pytest.MonkeyPatch.context() as monkeypatch:

        def refuse(_path: Path, _target: Path) -> None:
            """Refuse, as a disk that is read-only."""
            raise PermissionError

        monkeypatch.setattr(Path, "rename", refuse)
        yield
    assert path.read_text() == "{"
    path.write_bytes(content)


OBSTACLES: Final = [
    loop_of_links,
    folder_in_its_place,
    no_more_open_files,
    no_renaming,
]


@pytest.mark.parametrize("obstacle", OBSTACLES)
async def test_a_file_that_cannot_be_opened_stays_as_it_is(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    obstacle: Obstacle,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The car is not available, takes no command and no edit, and the log says why."""
    await set_schedule(hass)
    assert await hass.config_entries.async_unload(entry.entry_id)
    before = stored(hass, entry)
    with obstacle(file_of(hass, entry)):
        assert await hass.config_entries.async_setup(entry.entry_id)
        for entity_id in (SENSOR, CHARGE_SCHEDULE, NEW_START):
            assert shown(hass, entity_id).state == "unavailable"
        for call in (set_schedule(hass), delete_schedule(hass, schedule_id="sched_1")):
            with pytest.raises(HomeAssistantError) as caught:
                await call
            assert caught.value.translation_key == "record_unreadable"
        await edit_time(hass, NEW_START, "22:15")
        assert await hass.config_entries.async_unload(entry.entry_id)
    assert (len(simulator.creates), simulator.deletes) == (1, [])
    said = [record.getMessage() for record in caplog.records]
    assert sum("cannot open it" in text for text in said) == 1
    assert stored(hass, entry) == before
    assert asides_of(hass, entry) == []


async def wait(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, interval: timedelta
) -> None:
    """Let a time pass, and what was to come in it."""
    freezer.tick(interval + timedelta(seconds=2))
    async_fire_time_changed(hass)
    await hass.async_block_till_done(wait_background_tasks=True)


async def wait_a_minute(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    """Wait until it is tried again."""
    await wait(hass, freezer, LEDGER_RETRY_INTERVAL)


async def update_entity(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    """Ask Home Assistant to look again, which it does every ten seconds at most."""
    assert await async_setup_component(hass, "homeassistant", {})
    data = {"entity_id": CHARGE_SCHEDULE}
    await hass.services.async_call(
        "homeassistant", "update_entity", data, blocking=True
    )
    await wait(hass, freezer, timedelta(seconds=10))


@pytest.mark.parametrize("remedy", [wait_a_minute, update_entity])
async def test_a_file_that_can_be_opened_again_is_read(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    remedy: Remedy,
) -> None:
    """By a timer, and when somebody asks; then all is as it was, and costs nothing."""
    await set_schedule(hass)
    before = (sensor(hass).attributes, shown(hass, CHARGE_SCHEDULE).attributes)
    assert await hass.config_entries.async_unload(entry.entry_id)
    with loop_of_links(file_of(hass, entry)):
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
        requests = len(simulator.requests)
        await remedy(hass, freezer)
        assert sensor(hass).state == "unavailable"
    await remedy(hass, freezer)
    after = (sensor(hass).attributes, shown(hass, CHARGE_SCHEDULE).attributes)
    assert after == before
    await wait_a_minute(hass, freezer)
    assert len(simulator.requests) == requests


async def test_commands_that_find_the_file_together_are_both_kept(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The second to read the file does not undo what the first one has begun."""
    first = await set_schedule(hass)
    assert await hass.config_entries.async_unload(entry.entry_id)
    with loop_of_links(file_of(hass, entry)):
        assert await hass.config_entries.async_setup(entry.entry_id)
    second, third = await asyncio.gather(
        set_schedule(hass, start_time="00:00"), set_schedule(hass, start_time="01:00")
    )
    assert second["replaced_schedule_ids"] == [first["schedule_id"]]
    assert third["replaced_schedule_ids"] == [second["schedule_id"]]
    assert stored_outcomes(hass, entry) == ["success"] * 3


async def test_a_command_found_in_a_file_that_could_not_be_opened_is_told(
    hass: HomeAssistant, simulator: Simulator, freezer: FrozenDateTimeFactory
) -> None:
    """Its end is an event as soon as it is known."""
    entry, _asides = await start_with(hass, file_with())
    assert await hass.config_entries.async_unload(entry.entry_id)
    file_of(hass, entry).write_text(file_with(commands=[IN_PROGRESS]))
    with loop_of_links(file_of(hass, entry)):
        assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_a_minute(hass, freezer)
    assert shown(hass, EVENT).attributes["event_type"] == "unconfirmed"
    assert [command["is_told"] for command in stored(hass, entry)["commands"]] == [True]


async def test_a_write_after_the_end_is_refused(hass: HomeAssistant) -> None:
    """It would bring a removed file back, or undo what a newer ledger wrote."""
    ledger = Ledger(hass, KEY)
    path = path_of(hass, KEY)
    assert await ledger.async_write(VehicleState(name="Car"))
    await ledger.async_end()
    path.unlink()
    with pytest.raises(RuntimeError, match="has ended"):
        await ledger.async_write(VehicleState(name="Car"))
    await hass.async_block_till_done()
    assert not path.exists()
