"""A record that is out of reach, or half written, when something else happens."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
import json
from pathlib import Path

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.persistent_notification import (
    _async_get_or_create_notifications,
)
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.smartcar_charging import SECONDS_UNTIL_AUTOMATIONS_ARE_ARMED
from custom_components.smartcar_charging.ledger import Ledger
from tests.actions import (
    CHARGE_SCHEDULE,
    call_action,
    delete_schedule,
    sensor,
    set_schedule,
    shown,
)
from tests.conftest import make_entry
from tests.ledgers import (
    IN_PROGRESS,
    ON_CAR,
    asides_of,
    file_of,
    file_with,
    issues_of_ours,
    start_with,
    stored,
    stored_with,
)
from tests.simulator import Fault, ReceivedRequest, Simulator


@contextmanager
def dangling_link(path: Path) -> Iterator[None]:
    """Let the file be a link to one that is not there just now."""
    elsewhere = path.with_name("elsewhere")
    path.rename(elsewhere.with_name("moved_away"))
    path.symlink_to(elsewhere)
    try:
        yield
    finally:
        path.unlink()
        elsewhere.with_name("moved_away").rename(path)


async def test_link_to_nowhere_is_not_an_empty_record(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The car is unavailable, and what it knew comes back with the file."""
    await set_schedule(hass)
    assert await hass.config_entries.async_unload(entry.entry_id)
    with dangling_link(file_of(hass, entry)):
        assert await hass.config_entries.async_setup(entry.entry_id)
        assert shown(hass, CHARGE_SCHEDULE).state == "unavailable"
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert shown(hass, CHARGE_SCHEDULE).state == "23:30–05:30"


async def test_nothing_is_asked_of_a_car_without_its_record(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """An answer would say that nothing is set, and cost a request."""
    await set_schedule(hass)
    assert await hass.config_entries.async_unload(entry.entry_id)
    with dangling_link(file_of(hass, entry)):
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
        requests = len(simulator.requests)
        with pytest.raises(HomeAssistantError, match="cannot open it"):
            await call_action(hass, "get_charge_schedules", {})
    assert len(simulator.requests) == requests


async def test_car_renamed_while_its_record_is_out_of_reach_keeps_its_new_name(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The record does not bring the old one back."""
    await set_schedule(hass)
    assert await hass.config_entries.async_unload(entry.entry_id)
    (subentry,) = entry.subentries.values()
    with dangling_link(file_of(hass, entry)):
        assert await hass.config_entries.async_setup(entry.entry_id)
        hass.config_entries.async_update_subentry(entry, subentry, title="The red one")
        await hass.async_block_till_done()
    freezer.tick(timedelta(minutes=2))
    async_fire_time_changed(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert shown(hass, CHARGE_SCHEDULE).state == "23:30–05:30"
    assert stored(hass, entry)["name"] == "The red one"


async def test_command_found_late_is_told_when_automations_are_armed(
    hass: HomeAssistant, simulator: Simulator, freezer: FrozenDateTimeFactory
) -> None:
    """The file becomes readable while Home Assistant still starts."""
    entry, _aside = await start_with(hass, file_with(commands=[IN_PROGRESS]))
    assert await hass.config_entries.async_unload(entry.entry_id)
    file_of(hass, entry).write_text(file_with(commands=[IN_PROGRESS]))
    hass.set_state(CoreState.starting)
    with dangling_link(file_of(hass, entry)):
        assert await hass.config_entries.async_setup(entry.entry_id)
    freezer.tick(timedelta(minutes=2))
    async_fire_time_changed(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert sensor(hass).state == "unconfirmed"
    assert stored(hass, entry)["commands"][-1]["is_told"] is False
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await hass.async_block_till_done()
    freezer.tick(timedelta(seconds=SECONDS_UNTIL_AUTOMATIONS_ARE_ARMED + 1))
    async_fire_time_changed(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert stored(hass, entry)["commands"][-1]["is_told"] is True


async def test_caller_who_goes_while_the_record_is_read_harms_nobody(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The car becomes available by the timer, and what was cut off is told."""
    entry, _aside = await start_with(hass, file_with(commands=[IN_PROGRESS]))
    assert await hass.config_entries.async_unload(entry.entry_id)
    path = file_of(hass, entry)
    path.write_text(file_with(commands=[IN_PROGRESS]))
    with dangling_link(path):
        assert await hass.config_entries.async_setup(entry.entry_id)
        assert sensor(hass).state == "unavailable"
    is_writing = asyncio.Event()

    async def never_write(ledger: Ledger, state: object) -> bool:
        """Wait until the caller has gone."""
        is_writing.set()
        await asyncio.Event().wait()
        return True

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Ledger, "async_write", never_write)
        call = hass.async_create_task(set_schedule(hass))
        await is_writing.wait()
        call.cancel()
        await asyncio.wait([call])
    freezer.tick(timedelta(minutes=2))
    async_fire_time_changed(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert sensor(hass).state == "unconfirmed"
    assert stored(hass, entry)["commands"][-1]["is_told"] is True
    assert issues_of_ours(hass) == ["unsettled_schedules"]
    assert simulator.creates == []


async def test_what_was_readable_survives_a_power_cut_after_the_set_aside(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Only the draft was damaged: the schedule is known, and will be replaced."""
    damaged = file_with(schedules=[ON_CAR], draft={"zone": 5})
    entry, asides = await start_with(hass, damaged)
    assert await hass.config_entries.async_unload(entry.entry_id)
    file_of(hass, entry).unlink()
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert shown(hass, CHARGE_SCHEDULE).state == "22:00–23:00"
    assert issues_of_ours(hass) == ["record_damaged"]
    assert asides_of(hass, entry) == asides


async def test_unreadable_file_is_told_after_a_power_cut_too(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Nothing of it can be read, and the user hears that it is lost."""
    entry, asides = await start_with(hass, "{")
    assert await hass.config_entries.async_unload(entry.entry_id)
    file_of(hass, entry).unlink()
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert issues_of_ours(hass) == ["record_damaged"]
    assert asides_of(hass, entry) == asides


async def test_set_aside_file_that_cannot_be_opened_is_waited_for(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """It may hold what is on the car: that is not "nothing"."""
    entry, (aside,) = await start_with(hass, "{")
    assert await hass.config_entries.async_unload(entry.entry_id)
    file_of(hass, entry).unlink()
    aside.unlink()
    aside.mkdir()
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert shown(hass, CHARGE_SCHEDULE).state == "unavailable"


def is_delete(request: ReceivedRequest) -> bool:
    """Whether this is a request to delete a schedule."""
    return request.method == "DELETE"


async def test_nothing_is_deleted_that_is_not_superseded_on_the_disk(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a power cut, nobody would know that it is gone."""
    first = await set_schedule(hass)
    hold = asyncio.Event()
    simulator.script(Fault(hold=hold), path="/daily")
    call = hass.async_create_task(set_schedule(hass, start_time="00:00"))
    await simulator.wait_for_request(2, path="/daily")

    async def full_disk(ledger: Ledger) -> bool:
        """Write nothing."""
        return False

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Ledger, "_async_write", full_disk)
        hold.set()
        second = await call
    assert simulator.received(path=is_delete) == []
    assert second["not_replaced_schedule_ids"] == [first["schedule_id"]]
    assert len(second["warnings"]) == 1
    third = await set_schedule(hass, start_time="01:00")
    assert len(third["replaced_schedule_ids"]) == 2
    assert stored_with(hass, entry, "superseded") == []


async def test_delete_that_cannot_be_saved_says_so(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is a success all the same."""
    first = await set_schedule(hass)
    hold = asyncio.Event()
    simulator.script(Fault(hold=hold), path=is_delete)
    call = hass.async_create_task(delete_schedule(hass, zone="zone.home"))
    await simulator.wait_for_request(path=is_delete)

    async def full_disk(ledger: Ledger) -> bool:
        """Write nothing."""
        return False

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Ledger, "_async_write", full_disk)
        hold.set()
        response = await call
    assert response["deleted_schedule_ids"] == [first["schedule_id"]]
    assert len(response["warnings"]) == 1


async def test_removed_car_names_what_is_there_twice_and_what_is_lost(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """The notification is the last that the user hears of them."""
    twice = ON_CAR | {"schedule_id": None, "doubt": "no_answer", "count": 2}
    content = file_with(schedules=[twice], record_lost_at="2026-11-01T00:00:00+00:00")
    entry, _aside = await start_with(hass, content)
    assert await hass.config_entries.async_remove(entry.entry_id)
    ((_id, notification),) = _async_get_or_create_notifications(hass).items()
    assert "2 × 22:00–23:00" in notification["message"]
    assert "is lost" in notification["message"]


async def test_only_car_is_found_beside_an_account_without_one(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """In whatever order the accounts are loaded."""
    empty = make_entry(data={"access_token": simulator.issue_token()})
    empty.add_to_hass(hass)
    assert await hass.config_entries.async_setup(empty.entry_id)
    await start_with(hass, file_with())
    assert (await set_schedule(hass))["status"] == "SUCCESS"


async def test_refresh_of_a_readable_record_sends_nothing(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Nor does it change what is known."""
    await set_schedule(hass)
    before, requests = file_of(hass, entry).read_text(), len(simulator.requests)
    (vehicle,) = entry.runtime_data.vehicles.values()
    assert isinstance(vehicle, DataUpdateCoordinator)
    await vehicle.async_refresh()
    assert len(simulator.requests) == requests
    assert json.loads(file_of(hass, entry).read_text()) == json.loads(before)
