"""The way out for what is possibly on the car, and for a record that is lost."""

import asyncio
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
import json
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.repairs import DOMAIN as REPAIRS_DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.smartcar_charging.const import DOMAIN
from custom_components.smartcar_charging.models import MAX_POSSIBLE_SCHEDULES
from tests.actions import call_action, delete_schedule, reload, sensor, set_schedule
from tests.ledgers import (
    file_of,
    files_of_ours,
    issues_of_ours,
    start_with,
    stored,
    stored_with,
)
from tests.simulator import TESLA, CreateMode, Fault, Simulator, Vehicle

TIMERS: Final = "/signals/charge-chargetimers"
LATER: Final = timedelta(hours=1)
NOT_EXECUTED: Final = Fault.error(500, "SERVER", "INTERNAL")
EXECUTED: Final = Fault.error(500, "SERVER", "INTERNAL", executes=True)
ASLEEP: Final = Fault.error(409, "VEHICLE_STATE", "ASLEEP", "The car sleeps.")
SOMEWHERE: Final = {"latitude": 52.123456, "longitude": 4.5}


class Repair:
    """The dialog that the user opens from Settings > Repairs."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Initialize a dialog that is not open yet."""
        self._manager = hass.data[REPAIRS_DOMAIN]["flow_manager"]
        self._hass = hass
        self.shown: dict[str, Any] = {}

    @property
    def step(self) -> str:
        """What is shown, or how it ended."""
        return str(self.shown.get("step_id", self.shown["type"]))

    @property
    def options(self) -> list[str]:
        """What can be chosen."""
        return list(self.shown["menu_options"])

    @property
    def gaps(self) -> dict[str, str]:
        """What fills the gaps in the words."""
        return dict(self.shown["description_placeholders"])

    async def open(self) -> None:
        """Open the only issue that can be fixed."""
        (issue,) = [
            issue
            for issue in ir.async_get(self._hass).issues.values()
            if issue.is_fixable
        ]
        self.shown = await self._manager.async_init(
            DOMAIN,
            context={"issue_id": issue.issue_id},
            data={"issue_id": issue.issue_id},
        )

    async def choose(self, *options: str) -> None:
        """Choose one of what is offered, and one of what is offered then."""
        for option in options:
            assert option in self.options
            self.shown = await self._manager.async_configure(
                self.shown["flow_id"], {"next_step_id": option}
            )

    async def confirm(self) -> None:
        """Submit a form that asks nothing."""
        self.shown = await self._manager.async_configure(self.shown["flow_id"], {})


@pytest.fixture
async def repair(hass: HomeAssistant) -> Repair:
    """Have repairs set up, as the frontend does."""
    assert await async_setup_component(hass, REPAIRS_DOMAIN, {})
    return Repair(hass)


@pytest.fixture
def tesla(simulator: Simulator) -> Vehicle:
    """Return the Tesla."""
    return simulator.vehicles[TESLA.vehicle_id]


async def send_without_an_answer(
    hass: HomeAssistant, simulator: Simulator, *faults: Fault, **data: Any
) -> None:
    """Set a schedule, once for each fault, and hear nothing of what became of it."""
    for fault in faults:
        simulator.script(fault, path="/charge-schedules/daily")
        with pytest.raises(HomeAssistantError):
            await set_schedule(hass, **data)


async def delete_without_an_answer(
    hass: HomeAssistant, simulator: Simulator, fault: Fault
) -> str:
    """Set a schedule, and hear nothing of what became of its delete."""
    schedule_id = str((await set_schedule(hass))["schedule_id"])
    simulator.script(fault, method="DELETE")
    with pytest.raises(HomeAssistantError):
        await delete_schedule(hass, schedule_id=schedule_id)
    return schedule_id


def on_car(simulator: Simulator) -> set[str]:
    """Return the ids of what is on the car."""
    return {schedule.id for schedule in simulator.schedules(TESLA.vehicle_id)}


def set_by_home_assistant(hass: HomeAssistant, entry: MockConfigEntry) -> set[str]:
    """Return the ids of what Home Assistant knows to be on the car."""
    return {own["schedule_id"] for own in stored_with(hass, entry, "on_car")}


def counts(hass: HomeAssistant, entry: MockConfigEntry) -> list[int]:
    """Return how often each schedule counts that is possibly on the car."""
    return [own["count"] for own in stored_with(hass, entry, "possibly_on_car")]


# A create without proof


async def test_the_user_looked_and_it_is_not_there(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, repair: Repair
) -> None:
    """Forgotten, without a request, and also after a restart."""
    await send_without_an_answer(hass, simulator, NOT_EXECUTED)
    requests = len(simulator.requests)
    await repair.open()
    assert (repair.step, repair.options) == ("possible", ["not_there", "read_car"])
    assert repair.gaps["vehicle"] == "Tesla Model Y 2024"
    assert (repair.gaps["window"], repair.gaps["place"]) == ("23:30–05:30", "test home")
    await repair.choose("not_there")
    assert repair.step == "create_entry"
    assert issues_of_ours(hass) == []
    assert len(simulator.requests) == requests
    await reload(hass, entry)
    assert issues_of_ours(hass) == []


async def test_different_ones_are_asked_about_one_by_one(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, repair: Repair
) -> None:
    """The oldest first; who closes the dialog in between goes on later."""
    await send_without_an_answer(hass, simulator, NOT_EXECUTED)
    await send_without_an_answer(
        hass, simulator, NOT_EXECUTED, start_time="00:00", location=SOMEWHERE
    )
    assert issues_of_ours(hass) == ["possibly_on_car"]
    await repair.open()
    assert repair.gaps["window"] == "23:30–05:30"
    await repair.choose("not_there")
    assert (repair.step, repair.gaps["window"]) == ("possible", "00:00–05:30")
    assert issues_of_ours(hass) == ["possibly_on_car"]
    await repair.open()
    assert (repair.gaps["window"], repair.gaps["place"]) == (
        "00:00–05:30",
        "52.12346, 4.50000",
    )
    await repair.choose("not_there")
    assert issues_of_ours(hass) == []


async def test_found_and_kept_is_replaced_like_any_other(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    freezer: FrozenDateTimeFactory,
) -> None:
    """One billable request, and the schedule is Home Assistant's own from then on."""
    await send_without_an_answer(hass, simulator, EXECUTED)
    freezer.tick(LATER)
    await repair.open()
    await repair.choose("read_car")
    assert (repair.step, repair.options) == ("found", ["adopt", "remove"])
    assert len(simulator.received("GET", TIMERS)) == 1
    await repair.choose("adopt")
    assert repair.step == "create_entry"
    assert issues_of_ours(hass) == []
    assert set_by_home_assistant(hass, entry) == on_car(simulator)
    (found,) = on_car(simulator)
    assert (await set_schedule(hass))["replaced_schedule_ids"] == [found]


async def test_found_and_removed_is_gone(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    freezer: FrozenDateTimeFactory,
) -> None:
    """By the same command as the delete action sends."""
    await send_without_an_answer(hass, simulator, EXECUTED)
    freezer.tick(LATER)
    await repair.open()
    await repair.choose("read_car", "remove")
    assert repair.step == "create_entry"
    assert on_car(simulator) == set()
    assert (sensor(hass).state, sensor(hass).attributes["action"]) == (
        "success",
        "delete",
    )
    assert issues_of_ours(hass) == []
    assert stored(hass, entry)["schedules"] == []


@pytest.mark.parametrize("fault", [ASLEEP, NOT_EXECUTED], ids=["409", "500"])
@pytest.mark.parametrize(("option", "left"), [("remove", 0), ("adopt", 1)])
async def test_remove_that_fails_can_be_tried_again_or_left(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    freezer: FrozenDateTimeFactory,
    fault: Fault,
    option: str,
    left: int,
) -> None:
    """The dialog says why, and the id is known from then on."""
    await send_without_an_answer(hass, simulator, EXECUTED)
    freezer.tick(LATER)
    await repair.open()
    await repair.choose("read_car")
    simulator.script(fault, method="DELETE")
    await repair.choose("remove")
    assert (repair.step, repair.options) == ("remove_failed", ["remove", "adopt"])
    assert repair.gaps["reason"] != ""
    (schedule,) = stored(hass, entry)["schedules"]
    assert {schedule["schedule_id"]} == on_car(simulator)
    await repair.choose(option)
    assert repair.step == "create_entry"
    assert len(on_car(simulator)) == left
    assert set_by_home_assistant(hass, entry) == on_car(simulator)


async def test_not_found_in_a_later_reading_is_not_there(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The user confirms what the reading says; other schedules are none of this."""
    known = await set_schedule(hass)
    simulator.add_schedule(
        TESLA.vehicle_id, start="23:30", stop="05:30", latitude=1.0, longitude=1.0
    )
    await send_without_an_answer(hass, simulator, NOT_EXECUTED, start_time="22:00")
    freezer.tick(LATER)
    await repair.open()
    await repair.choose("read_car")
    assert (repair.step, repair.options) == ("not_found", ["not_there", "read_car"])
    await repair.choose("not_there")
    assert repair.step == "create_entry"
    assert set_by_home_assistant(hass, entry) == {known["schedule_id"]}


@pytest.mark.parametrize(
    ("fault", "then"), [(EXECUTED, "found"), (NOT_EXECUTED, "not_found")]
)
async def test_reading_that_proves_nothing_can_be_asked_for_again(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    simulator: Simulator,
    tesla: Vehicle,
    repair: Repair,
    freezer: FrozenDateTimeFactory,
    fault: Fault,
    then: str,
) -> None:
    """Nothing is forgotten for one that is older than the command."""
    tesla.read_timers()
    tesla.timers_live = False
    freezer.tick(LATER)
    await send_without_an_answer(hass, simulator, fault)
    await repair.open()
    await repair.choose("read_car")
    assert repair.step == "proves_nothing"
    assert repair.options == ["read_car", "not_there"]
    assert repair.gaps["read_at"].startswith("20")
    assert counts(hass, entry) == [1]
    freezer.tick(LATER)
    tesla.timers_live = True
    await repair.choose("read_car")
    assert repair.step == then


@pytest.mark.parametrize("status", ["ERROR", "PENDING", None])
async def test_reading_of_another_status_does_not_say_that_it_is_not_there(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    simulator: Simulator,
    tesla: Vehicle,
    repair: Repair,
    freezer: FrozenDateTimeFactory,
    status: str | None,
) -> None:
    """An empty list beside a status that is no success says nothing."""
    await send_without_an_answer(hass, simulator, NOT_EXECUTED)
    freezer.tick(LATER)
    tesla.timers_status = status
    await repair.open()
    await repair.choose("read_car")
    assert repair.step == "proves_nothing"


async def test_reading_that_fails_says_why(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, repair: Repair
) -> None:
    """Nothing is forgotten for that."""
    await send_without_an_answer(hass, simulator, NOT_EXECUTED)
    simulator.script(
        Fault.error(403, "PERMISSION", None, "read_charge is missing."), path=TIMERS
    )
    await repair.open()
    await repair.choose("read_car")
    assert repair.step == "read_failed"
    assert repair.gaps["reason"] == "PERMISSION: read_charge is missing."
    assert counts(hass, entry) == [1]
    await repair.choose("not_there")
    assert issues_of_ours(hass) == []


# Many of them


async def test_many_equal_ones_are_one_entry_and_one_question(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, repair: Repair
) -> None:
    """Sixty tries of an automation overnight, and a single word of the user's."""
    await send_without_an_answer(hass, simulator, *[NOT_EXECUTED] * 60)
    response = await call_action(hass, "get_charge_schedules", {})
    assert [own["count"] for own in response["possibly_on_vehicle"]] == [60]
    assert counts(hass, entry) == [60]
    await repair.open()
    await repair.choose("not_there")
    assert repair.step == "create_entry"
    assert issues_of_ours(hass) == []
    assert stored(hass, entry)["schedules"] == []


async def test_one_reading_answers_for_all(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Of five equal ones two are on the car, and one of two others."""
    faults = (NOT_EXECUTED, EXECUTED, NOT_EXECUTED, EXECUTED, NOT_EXECUTED)
    await send_without_an_answer(hass, simulator, *faults)
    await send_without_an_answer(hass, simulator, NOT_EXECUTED, start_time="12:00")
    await send_without_an_answer(hass, simulator, EXECUTED, location=SOMEWHERE)
    assert counts(hass, entry) == [5, 1, 1]
    freezer.tick(LATER)
    await repair.open()
    await repair.choose("read_car")
    steps = [repair.step]
    for option in ("adopt", "adopt", "not_there", "not_there", "adopt"):
        await repair.choose(option)
        steps.append(repair.step)
    assert steps[:3] == ["found", "found", "not_found"]
    assert steps[3:] == ["not_found", "found", "create_entry"]
    assert len(simulator.received("GET", TIMERS)) == 1
    assert set_by_home_assistant(hass, entry) == on_car(simulator)
    assert counts(hass, entry) == []


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (("remove", "remove", "remove"), 0),
        (("remove", "adopt", "remove"), 1),
        (("adopt", "remove", "adopt"), 2),
    ],
)
async def test_equal_ones_that_are_removed_one_by_one_leave_none_behind(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    freezer: FrozenDateTimeFactory,
    options: tuple[str, ...],
    left: int,
) -> None:
    """What was removed is in the reading still, and must not stand for another one."""
    await send_without_an_answer(hass, simulator, *[EXECUTED] * 3)
    freezer.tick(LATER)
    await repair.open()
    await repair.choose("read_car", *options)
    assert repair.step == "create_entry"
    assert len(on_car(simulator)) == left
    assert set_by_home_assistant(hass, entry) == on_car(simulator)
    assert len(simulator.received("GET", TIMERS)) == 1


async def test_reading_settles_what_it_proves_beside_what_it_does_not(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    tesla: Vehicle,
    repair: Repair,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The first could be a timer without an id; the second is there."""
    await send_without_an_answer(hass, simulator, NOT_EXECUTED, start_time="22:00")
    await send_without_an_answer(hass, simulator, EXECUTED)
    (schedule,) = simulator.schedules(TESLA.vehicle_id)
    window = {"start": "22:00", "end": "05:30"}
    tesla.timers_extra = [{**schedule.timer, "scheduleId": None, "schedules": [window]}]
    freezer.tick(LATER)
    await repair.open()
    assert repair.gaps["window"] == "22:00–05:30"
    await repair.choose("read_car")
    assert (repair.step, repair.gaps["window"]) == ("found", "23:30–05:30")
    await repair.choose("adopt")
    assert (repair.step, repair.gaps["window"]) == ("proves_nothing", "22:00–05:30")
    assert set_by_home_assistant(hass, entry) == on_car(simulator)


async def test_when_too_many_are_possible_nothing_more_is_sent(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, repair: Repair
) -> None:
    """It goes on when one of them is settled."""
    await send_without_an_answer(hass, simulator, NOT_EXECUTED)
    path = file_of(hass, entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    content = json.loads(path.read_text())
    (possible,) = content["data"]["schedules"]
    for number in range(1, MAX_POSSIBLE_SCHEDULES):
        another = deepcopy(possible)
        another["asked"]["start_time"] = f"{number // 60:02}:{number % 60:02}:00"
        content["data"]["schedules"].append(another)
    path.write_text(json.dumps(content))
    assert await hass.config_entries.async_setup(entry.entry_id)
    with pytest.raises(HomeAssistantError) as caught:
        await set_schedule(hass, start_time="12:00")
    assert caught.value.translation_key == "too_many_possible"
    assert len(simulator.creates) == 1
    assert len(counts(hass, entry)) == MAX_POSSIBLE_SCHEDULES
    await repair.open()
    await repair.choose("not_there")
    await set_schedule(hass, start_time="12:00")
    assert len(simulator.creates) == 2


# A delete without proof


@pytest.mark.parametrize("fault", [EXECUTED, NOT_EXECUTED], ids=["gone", "there"])
async def test_deleted_without_proof_can_be_removed_again(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    fault: Fault,
) -> None:
    """That is safe: if it is gone, nothing happens."""
    schedule_id = await delete_without_an_answer(hass, simulator, fault)
    (possible,) = stored_with(hass, entry, "possibly_on_car")
    assert possible["schedule_id"] == schedule_id
    await repair.open()
    assert repair.step == "delete_unconfirmed"
    assert repair.options == ["not_there", "remove", "read_car"]
    await repair.choose("remove")
    assert repair.step == "create_entry"
    assert on_car(simulator) == set()
    assert stored(hass, entry)["schedules"] == []
    assert issues_of_ours(hass) == []


async def test_deleted_without_proof_is_forgotten_by_the_users_word(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, repair: Repair
) -> None:
    """Without a request."""
    await delete_without_an_answer(hass, simulator, EXECUTED)
    requests = len(simulator.requests)
    await repair.open()
    await repair.choose("not_there")
    assert repair.step == "create_entry"
    assert stored(hass, entry)["schedules"] == []
    assert len(simulator.requests) == requests


@pytest.mark.parametrize(("option", "left"), [("adopt", 1), ("remove", 0)])
async def test_deleted_without_proof_that_is_still_there_is_kept_or_removed(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    freezer: FrozenDateTimeFactory,
    option: str,
    left: int,
) -> None:
    """By its id, in a reading of some time after."""
    await delete_without_an_answer(hass, simulator, NOT_EXECUTED)
    await repair.open()
    await repair.choose("read_car")
    assert repair.step == "proves_nothing"
    freezer.tick(LATER)
    await repair.choose("read_car")
    assert (repair.step, repair.options) == ("still_there", ["adopt", "remove"])
    await repair.choose(option)
    assert repair.step == "create_entry"
    assert len(on_car(simulator)) == left
    assert set_by_home_assistant(hass, entry) == on_car(simulator)
    assert issues_of_ours(hass) == []


async def test_deleted_without_proof_that_is_not_in_a_reading_is_gone(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The user confirms what the reading says."""
    await delete_without_an_answer(hass, simulator, EXECUTED)
    freezer.tick(LATER)
    await repair.open()
    await repair.choose("read_car")
    assert repair.step == "not_found"
    await repair.choose("not_there")
    assert stored(hass, entry)["schedules"] == []


async def test_reading_dated_in_the_future_settles_nothing(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    tesla: Vehicle,
    repair: Repair,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A maker's local time as UTC: it may be from before the delete, or the create."""
    tesla.timers_live = False
    schedule_id = str((await set_schedule(hass))["schedule_id"])
    freezer.tick(LATER)
    tesla.read_timers()
    assert tesla.timers_read_at is not None
    tesla.timers_read_at += 3 * LATER
    freezer.tick(LATER)
    simulator.script(EXECUTED, method="DELETE")
    with pytest.raises(HomeAssistantError):
        await delete_schedule(hass, schedule_id=schedule_id)
    await send_without_an_answer(hass, simulator, NOT_EXECUTED, start_time="12:00")
    await repair.open()
    await repair.choose("read_car")
    assert repair.step == "proves_nothing"
    await repair.choose("not_there")
    assert (repair.step, repair.gaps["window"]) == ("proves_nothing", "12:00–05:30")


# A dialog that is older than what happened


@pytest.mark.parametrize("option", ["not_there", "read_car"])
async def test_what_was_settled_in_another_window_is_not_asked_again(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    option: str,
) -> None:
    """Two browser tabs with the same dialog."""
    await send_without_an_answer(hass, simulator, NOT_EXECUTED)
    other = Repair(hass)
    await other.open()
    await repair.open()
    await other.choose("not_there")
    await repair.choose(option)
    assert repair.step == "create_entry"
    assert simulator.received("GET", TIMERS) == []


async def test_what_was_adopted_in_another_window_is_adopted_once(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Two browser tabs again."""
    await send_without_an_answer(hass, simulator, EXECUTED)
    freezer.tick(LATER)
    other = Repair(hass)
    for dialog in (other, repair):
        await dialog.open()
        await dialog.choose("read_car")
    await other.choose("adopt")
    await repair.choose("adopt")
    assert repair.step == "create_entry"
    assert set_by_home_assistant(hass, entry) == on_car(simulator)


@pytest.mark.parametrize("option", ["adopt", "remove"])
async def test_reading_from_before_another_command_finds_nothing_any_more(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    freezer: FrozenDateTimeFactory,
    option: str,
) -> None:
    """Of two equal ones, the other tab removes the one that this tab has found."""
    await send_without_an_answer(hass, simulator, EXECUTED, EXECUTED)
    freezer.tick(LATER)
    other = Repair(hass)
    for dialog in (other, repair):
        await dialog.open()
        await dialog.choose("read_car")
    await other.choose("remove")
    await repair.choose(option)
    assert repair.step == "possible"
    await repair.choose("read_car", option)
    assert repair.step == "create_entry"
    assert set_by_home_assistant(hass, entry) == on_car(simulator)


@pytest.mark.parametrize("option", ["adopt", "remove"])
async def test_what_was_deleted_by_the_action_meanwhile_is_not_found_any_more(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    freezer: FrozenDateTimeFactory,
    option: str,
) -> None:
    """By the id that get_charge_schedules tells."""
    await send_without_an_answer(hass, simulator, EXECUTED)
    freezer.tick(LATER)
    await repair.open()
    await repair.choose("read_car")
    (found,) = on_car(simulator)
    await delete_schedule(hass, schedule_id=found)
    await repair.choose(option)
    assert repair.step == "possible"
    assert set_by_home_assistant(hass, entry) == set()
    freezer.tick(LATER)
    await repair.choose("read_car")
    assert repair.step == "not_found"


async def test_what_was_sent_again_meanwhile_is_asked_about_again(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, repair: Repair
) -> None:
    """The user looked before that."""
    await send_without_an_answer(hass, simulator, NOT_EXECUTED)
    await repair.open()
    await send_without_an_answer(hass, simulator, EXECUTED)
    await repair.choose("not_there")
    assert repair.step == "possible"
    assert counts(hass, entry) == [2]


@pytest.mark.parametrize("options", [(), ("read_car",)], ids=["asked", "read"])
async def test_dialog_that_is_older_than_a_reload_loses_no_schedule(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    freezer: FrozenDateTimeFactory,
    options: tuple[str, ...],
) -> None:
    """It works on the car that is loaded when the user answers."""
    await send_without_an_answer(hass, simulator, NOT_EXECUTED, start_time="12:00")
    freezer.tick(LATER)
    await repair.open()
    await repair.choose(*options)
    await reload(hass, entry)
    await set_schedule(hass)
    await repair.choose("not_there")
    assert repair.step == "create_entry"
    assert counts(hass, entry) == []
    assert set_by_home_assistant(hass, entry) == on_car(simulator)
    (first,) = on_car(simulator)
    assert (await set_schedule(hass))["replaced_schedule_ids"] == [first]


async def test_keep_in_a_dialog_that_is_older_than_a_reload_is_kept(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Also after the next reload."""
    await send_without_an_answer(hass, simulator, EXECUTED)
    freezer.tick(LATER)
    await repair.open()
    await repair.choose("read_car")
    await reload(hass, entry)
    await repair.choose("adopt")
    assert repair.step == "create_entry"
    await reload(hass, entry)
    assert (await set_schedule(hass))["replaced_schedule_ids"] != []
    assert len(on_car(simulator)) == 1


@pytest.mark.parametrize("option", ["adopt", "remove"])
async def test_dialog_of_a_removed_account_changes_nothing(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    freezer: FrozenDateTimeFactory,
    option: str,
) -> None:
    """No file comes back, and nothing is sent."""
    await send_without_an_answer(hass, simulator, EXECUTED)
    freezer.tick(LATER)
    await repair.open()
    await repair.choose("read_car")
    assert await hass.config_entries.async_remove(entry.entry_id)
    requests = len(simulator.requests)
    await repair.choose(option)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert (repair.step, repair.shown["reason"]) == ("abort", "not_loaded")
    assert files_of_ours(hass) == []
    assert len(simulator.requests) == requests
    assert issues_of_ours(hass) == []


async def test_car_that_is_unloaded_while_it_is_read_is_not_loaded(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, repair: Repair
) -> None:
    """Whatever the answer was: what it is about may have changed."""
    await send_without_an_answer(hass, simulator, NOT_EXECUTED)
    await repair.open()
    hold = asyncio.Event()
    simulator.script(replace(ASLEEP, hold=hold), path=TIMERS)
    answer = hass.async_create_task(repair.choose("read_car"))
    await simulator.wait_for_request(path=TIMERS)
    assert await hass.config_entries.async_unload(entry.entry_id)
    hold.set()
    await answer
    assert (repair.step, repair.shown["reason"]) == ("abort", "not_loaded")
    assert counts(hass, entry) == [1]


@pytest.mark.parametrize("option", ["not_there", "read_car"])
async def test_dialog_of_a_car_whose_file_cannot_be_opened_settles_nothing(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    option: str,
) -> None:
    """It does not say that all is settled, while nobody knows what is on record."""
    await send_without_an_answer(hass, simulator, NOT_EXECUTED)
    await repair.open()
    path = file_of(hass, entry)
    aside = path.with_name("aside")
    assert await hass.config_entries.async_unload(entry.entry_id)
    path.rename(aside)
    path.mkdir()
    assert await hass.config_entries.async_setup(entry.entry_id)
    await repair.choose(option)
    assert (repair.step, repair.shown["reason"]) == ("abort", "not_loaded")
    path.rmdir()
    aside.rename(path)
    await reload(hass, entry)
    assert counts(hass, entry) == [1]
    assert issues_of_ours(hass) == ["possibly_on_car"]


# A schedule that a car replaced by itself


async def test_schedule_that_took_the_place_and_the_id_of_another_is_found(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    freezer: FrozenDateTimeFactory,
) -> None:
    """It is on the car, under an id that Home Assistant has for an older window."""
    simulator.create_mode = CreateMode.REPLACE_SAME_ID
    await set_schedule(hass)
    freezer.tick(LATER)
    await send_without_an_answer(hass, simulator, EXECUTED, start_time="12:00")
    freezer.tick(LATER)
    await repair.open()
    await repair.choose("read_car")
    assert repair.step == "found"
    await repair.choose("adopt")
    assert repair.step == "create_entry"
    (kept,) = stored(hass, entry)["schedules"]
    assert (kept["window"]["start_time"], {kept["schedule_id"]}) == (
        "12:00:00",
        on_car(simulator),
    )


# A record that is lost


async def test_damaged_record_is_told_until_the_user_has_seen_it(
    hass: HomeAssistant, simulator: Simulator, repair: Repair
) -> None:
    """A dialog without a question: it says what to look for in the car's app."""
    entry, _aside = await start_with(hass, "{")
    await reload(hass, entry)
    assert issues_of_ours(hass) == ["record_damaged"]
    await repair.open()
    assert (repair.step, repair.gaps) == ("confirm", {"vehicle": "Tesla Model Y 2024"})
    await repair.confirm()
    assert repair.step == "create_entry"
    await reload(hass, entry)
    assert issues_of_ours(hass) == []


async def test_damaged_record_of_a_removed_account_is_not_written_anew(
    hass: HomeAssistant, simulator: Simulator, repair: Repair
) -> None:
    """The dialog was open when the account was removed."""
    entry, _aside = await start_with(hass, "{")
    await repair.open()
    assert await hass.config_entries.async_remove(entry.entry_id)
    await repair.confirm()
    assert (repair.step, repair.shown["reason"]) == ("abort", "not_loaded")
    assert files_of_ours(hass) == []
