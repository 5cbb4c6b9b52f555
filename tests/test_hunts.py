"""A command disturbed at every turn of the event loop: what is said of it is so."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import ExitStack, suppress
from datetime import timedelta
import os
from typing import Any

from homeassistant.components.persistent_notification import (
    Notification,
    UpdateType,
    async_register_callback,
)
from homeassistant.components.repairs import DOMAIN as REPAIRS_DOMAIN
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.smartcar_charging.const import DOMAIN
from tests.actions import NEW_START, delete_schedule, edit_time, sensor, set_schedule
from tests.conftest import make_entry
from tests.hunts import (
    Caller,
    Judge,
    Response,
    at_every_turn,
    count_turns,
    disturbed,
    full_disk,
    heard,
    home,
    load,
    set_next,
    unless,
    with_same_ids,
)
from tests.ledgers import file_of, issue_id_of, stored
from tests.simulator import TESLA, Fault, Schedule, Simulator

type Command = Callable[[HomeAssistant, int], Coroutine[Any, Any, Response]]


@pytest.fixture(autouse=True)
async def fast(enable_event_loop_debug: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing wait for the disk, and the event loop do no turns for debugging."""
    monkeypatch.setattr(os, "fsync", lambda _file: None)
    asyncio.get_running_loop().set_debug(False)


async def replace(hass: HomeAssistant, turn: int = 200) -> Response:
    """Set a schedule in a window of its own, at a place where there is one."""
    start = f"{turn // 60:02}:{turn % 60:02}"
    return await set_schedule(hass, start_time=start, stop_time="06:00")


async def delete_all(hass: HomeAssistant, turn: int = 200) -> Response:
    """Delete the schedules of a zone."""
    return await delete_schedule(hass, zone="zone.home")


async def set_one_more(hass: HomeAssistant) -> None:
    """Set a schedule that replaces none."""
    await set_schedule(hass, start_time="12:00", stop_time="13:00", replace=False)


@pytest.mark.parametrize("command", [replace, delete_all])
async def test_unload_at_every_turn_leaves_nothing_untold(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, command: Command
) -> None:
    """Also while a token is minted, and between the deletes."""

    async def unload(_caller: Caller) -> None:
        """Unload the account."""
        assert await hass.config_entries.async_unload(entry.entry_id)

    for _ in range(2):
        await set_one_more(hass)
    simulator.revoke_tokens()
    turns = await count_turns(command(hass, 0))
    await set_next(hass, entry, simulator)
    found = []
    for turn in range(turns + 1):
        await set_one_more(hass)
        judge = Judge(hass, entry, simulator)
        simulator.revoke_tokens()
        told = await disturbed(command(hass, turn), turn, unload)
        problems = judge.of_all(stored(hass, entry), told)
        await load(hass, entry)
        problems += await set_next(hass, entry, simulator)
        found += [f"{turn}: {told}: {problem}" for problem in problems]
    assert found == []


@pytest.mark.parametrize("expected_lingering_timers", [True])
async def test_stop_at_every_turn_leaves_nothing_untold(
    simulator: Simulator, hass_config_dir: str
) -> None:
    """What the next start makes of it is explained, too."""

    async def stop(_caller: Caller) -> None:
        """Stop this Home Assistant."""
        await hass.async_stop()

    first = make_entry(TESLA)
    async with home(hass_config_dir) as hass:
        first.add_to_hass(hass)
        await load(hass, first)
        await set_one_more(hass)
        simulator.revoke_tokens()
        turns = await count_turns(replace(hass))
        await hass.async_stop()
    found = []
    for turn in range(turns + 1):
        async with home(hass_config_dir) as hass:
            entry = with_same_ids(first)
            entry.add_to_hass(hass)
            await load(hass, entry)
            problems = await set_next(hass, entry, simulator)
            judge = Judge(hass, entry, simulator)
            simulator.revoke_tokens()
            told = await disturbed(replace(hass, turn), turn, stop)
            problems += judge.of_all(stored(hass, entry), told)
        found += [f"{turn}: {told}: {problem}" for problem in problems]
    assert found == []


async def test_caller_that_goes_at_any_turn_takes_nothing_along(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The command goes on, and so does its record."""
    (vehicle,) = entry.runtime_data.vehicles.values()

    async def cancel(caller: Caller) -> None:
        """Go away, and let the car go on."""
        caller.cancel()
        while vehicle.is_busy:
            await asyncio.sleep(0)

    await set_one_more(hass)
    turns = await count_turns(replace(hass))
    found = []
    for turn in range(turns + 1):
        judge = Judge(hass, entry, simulator)
        told = await disturbed(replace(hass, turn), turn, cancel)
        problems = judge.of_all(stored(hass, entry), told)
        problems += await set_next(hass, entry, simulator)
        found += [f"{turn}: {told}: {problem}" for problem in problems]
    assert found == []


async def test_removal_at_every_turn_tells_what_stays_on_the_car(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The notification names it; the file is gone, and the car can be added again."""
    told_of: list[str] = []

    @callback
    def listen(_kind: UpdateType, changed: dict[str, Notification]) -> None:
        """Keep the words of a notification."""
        told_of.extend(shown["message"] for shown in changed.values())

    async def remove(_caller: Caller) -> None:
        """Remove the car."""
        hass.config_entries.async_remove_subentry(entry, next(iter(entry.subentries)))
        await hass.async_block_till_done()

    async_register_callback(hass, listen)
    await set_one_more(hass)
    turns = await count_turns(replace(hass))
    found = []
    for turn in range(turns + 1):
        told_of.clear()
        path = file_of(hass, entry)
        judge = Judge(hass, entry, simulator)
        told = await disturbed(replace(hass, turn), turn, remove)
        problems = judge.sent_twice() + judge.untold(" ".join(told_of))
        (subentry,) = make_entry(TESLA).subentries.values()
        hass.config_entries.async_add_subentry(entry, subentry)
        await hass.async_block_till_done()
        simulator.vehicles[TESLA.vehicle_id].schedules.clear()
        problems += await set_next(hass, entry, simulator)
        found += [f"{turn}: {told}: {problem}" for problem in problems]
        assert not path.exists()
    assert found == []


async def test_edit_at_every_turn_is_kept_and_so_is_the_end(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Neither is written over the other."""

    async def edit(_caller: Caller) -> None:
        """Prepare another window, which is a new one for each turn."""
        await edit_time(hass, NEW_START, f"02:{turn}")

    await set_one_more(hass)
    turns = await count_turns(replace(hass))
    found = []
    for turn in range(turns + 1):
        judge = Judge(hass, entry, simulator)
        told = await disturbed(replace(hass, turn), turn, edit)
        data = stored(hass, entry)
        problems = judge.of_all(data, told)
        is_kept = data["draft"]["start_time"] == f"02:{turn:02}:00"
        problems += unless(is_kept, f"the draft is {data['draft']}")
        is_told = (told, sensor(hass).state) == ("SUCCESS", "success")
        problems += unless(is_told, sensor(hass).state)
        found += [f"{turn}: {told}: {problem}" for problem in problems]
    assert found == []


@pytest.mark.parametrize(
    ("is_there", "readings", "answer", "kept"),
    [(False, 0, "not_there", 0), (True, 1, "adopt", 1)],
)
async def test_answer_at_every_turn_loses_nothing(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    is_there: bool,
    readings: int,
    answer: str,
    kept: int,
) -> None:
    """It is about a schedule elsewhere: it counts, or the user is asked again."""
    assert await async_setup_component(hass, REPAIRS_DOMAIN, {})
    manager = hass.data[REPAIRS_DOMAIN]["flow_manager"]
    tesla = simulator.vehicles[TESLA.vehicle_id]
    tesla.timers_live = False

    async def choose(option: str) -> None:
        """Choose one of what is offered."""
        await manager.async_configure(flow_id, {"next_step_id": option})

    async def read_car() -> None:
        """Ask Smartcar, and wait for what it says."""
        await choose("read_car")
        await hass.async_block_till_done()
        await manager.async_configure(flow_id)

    async def settle(_caller: Caller) -> None:
        """Give the answer."""
        await choose(answer)

    await set_one_more(hass)
    turns = await count_turns(replace(hass))
    found = []
    for turn in range(turns + 1):
        simulator.script(
            Fault.error(500, "SERVER", executes=is_there),
            path="/charge-schedules/daily",
        )
        where = {"latitude": 1.0, "longitude": float(turn)}
        assert await heard(set_schedule(hass, location=where)) == "create_unconfirmed"
        issue: Any = {"issue_id": issue_id_of(hass, "unsettled_schedules")}
        flow = await manager.async_init(DOMAIN, context=issue, data=issue)
        flow_id = flow["flow_id"]
        tesla.read_timers(at=dt_util.utcnow() + timedelta(hours=1))
        for _ in range(readings):
            await read_car()
        judge = Judge(hass, entry, simulator)
        told = await disturbed(replace(hass, turn), turn, settle)
        data = stored(hass, entry)
        problems = judge.of_all(data, told)
        number = len(data["schedules"])
        problems += unless(number == 1 + kept * (turn + 1), f"there are {number}")
        found += [f"{turn}: {told}: {problem}" for problem in problems]
    assert found == []


async def test_power_cut_at_any_turn_leaves_nothing_untold(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """What the disk has at that moment explains what the car has then."""
    await set_one_more(hass)
    judge = Judge(hass, entry, simulator)
    path = file_of(hass, entry)
    tesla = simulator.vehicles[TESLA.vehicle_id]
    moments: dict[tuple[bytes, tuple[str, ...]], dict[str, Schedule]] = {}

    def look(_turn: int) -> None:
        """Keep what is on the disk and on the car, if it is anything new."""
        moment = (path.read_bytes(), tuple(tesla.schedules))
        moments.setdefault(moment, dict(tesla.schedules))

    simulator.revoke_tokens()
    with at_every_turn(look):
        await asyncio.create_task(replace(hass))
        await asyncio.create_task(delete_all(hass))
    found = []
    for (content, _ids), schedules in moments.items():
        await hass.config_entries.async_unload(entry.entry_id)
        path.write_bytes(content)
        tesla.schedules = dict(schedules)
        await load(hass, entry)
        problems = judge.unexplained(stored(hass, entry))
        problems += await set_next(hass, entry, simulator)
        found += [f"{content!r}: {problem}" for problem in problems]
    assert found == []
    # Before, in between and after: a create, the delete of the older one, a delete.
    assert len(moments) >= 9


async def test_disk_full_from_any_turn_on_hides_nothing(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """A power cut then leaves what explains the car; with room again, all is saved."""
    closing = ExitStack()

    async def fill(_caller: Caller) -> None:
        """Fill the disk, and try to prepare another window."""
        closing.enter_context(full_disk())
        with suppress(HomeAssistantError):
            await edit_time(hass, NEW_START, "03:33")

    await set_one_more(hass)
    turns = await count_turns(replace(hass))
    path = file_of(hass, entry)
    found = []
    for turn in range(turns + 1):
        judge = Judge(hass, entry, simulator)
        with closing:
            told = await disturbed(replace(hass, turn), turn, fill)
        left = path.read_bytes()
        problems = unless(sensor(hass).state != "in_progress", "it shows no end")
        await hass.config_entries.async_unload(entry.entry_id)
        problems += judge.of_all(stored(hass, entry), told)
        path.write_bytes(left)
        await load(hass, entry)
        problems += judge.unexplained(stored(hass, entry))
        problems += await set_next(hass, entry, simulator)
        found += [f"{turn}: {told}: {problem}" for problem in problems]
    assert found == []
