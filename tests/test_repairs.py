"""The way out for what is unsettled on the car, and for a record that is lost."""

import asyncio
from collections.abc import Awaitable, Callable
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
import json
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.repairs import DOMAIN as REPAIRS_DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import (
    EVENT_DATA_ENTRY_FLOW_PROGRESSED,
    FlowResultType,
)
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)

from custom_components.smartcar_charging.const import DOMAIN
from custom_components.smartcar_charging.models import MAX_POSSIBLE_SCHEDULES
from custom_components.smartcar_charging.repairs import REMINDER_DELAYS
from tests.actions import (
    CHARGE_SCHEDULE,
    delete_schedule,
    device_id,
    reload,
    sensor,
    set_schedule,
    shown,
)
from tests.ledgers import (
    file_of,
    files_of_ours,
    issue_id_of,
    issues_of_ours,
    start_with,
    stored,
    stored_with,
)
from tests.simulator import REMOVED, TESLA, CreateMode, Fault, Simulator, Vehicle

TIMERS: Final = "/signals/charge-chargetimers"
LATER: Final = timedelta(hours=1)
NOT_EXECUTED: Final = Fault.error(500, "SERVER", "INTERNAL")
EXECUTED: Final = Fault.error(500, "SERVER", "INTERNAL", executes=True)
ASLEEP: Final = Fault.error(409, "VEHICLE_STATE", "ASLEEP", "The car sleeps.")
WITHOUT_ID: Final = Fault(
    merge={"data": {"attributes": {"scheduleId": REMOVED}, "links": REMOVED}}
)
SOMEWHERE: Final = {"latitude": 52.123456, "longitude": 4.5}

type Arrange = Callable[[HomeAssistant, Simulator, MockConfigEntry], Awaitable[None]]


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
        return str(self.shown.get("step_id", self.shown.get("reason", "finished")))

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
            await self.begin(option)
            await self.wait()

    async def begin(self, option: str) -> None:
        """Choose what is offered; it may take a while."""
        assert option in self.options
        self.shown = await self._manager.async_configure(
            self.shown["flow_id"], {"next_step_id": option}
        )

    async def look(self) -> None:
        """Look again, as the frontend does when it hears that something changed."""
        self.shown = await self._manager.async_configure(self.shown["flow_id"])

    async def wait(self) -> None:
        """Wait until nothing is under way."""
        if self.shown["type"] is FlowResultType.SHOW_PROGRESS:
            await self._hass.async_block_till_done()
            await self.look()

    async def confirm(self) -> None:
        """Submit a form that asks nothing."""
        self.shown = await self._manager.async_configure(self.shown["flow_id"], {})

    async def close(self) -> None:
        """Close the dialog, whatever it shows."""
        self._manager.async_abort(self.shown["flow_id"])
        await self._hass.async_block_till_done()


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


async def set_without_an_id(hass: HomeAssistant, simulator: Simulator) -> None:
    """Set a schedule whose id Smartcar does not tell."""
    simulator.script(WITHOUT_ID)
    await set_schedule(hass)


async def no_answer(
    hass: HomeAssistant, simulator: Simulator, _entry: MockConfigEntry
) -> None:
    """Let a set end without an answer."""
    await send_without_an_answer(hass, simulator, EXECUTED)


async def stopped(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Let a stop cut off a set."""
    simulator.script(Fault(hold=asyncio.Event()))
    call = hass.async_create_task(set_schedule(hass))
    await simulator.wait_for_request(path="/charge-schedules/daily")
    await reload(hass, entry)
    with pytest.raises(HomeAssistantError):
        await call


async def delete(
    hass: HomeAssistant, simulator: Simulator, _entry: MockConfigEntry
) -> None:
    """Let a delete end without an answer."""
    await delete_without_an_answer(hass, simulator, NOT_EXECUTED)


async def without_id(
    hass: HomeAssistant, simulator: Simulator, _entry: MockConfigEntry
) -> None:
    """Let a set succeed without an id."""
    await set_without_an_id(hass, simulator)


async def seen(
    hass: HomeAssistant, simulator: Simulator, _entry: MockConfigEntry
) -> None:
    """Let a set end without an answer, and the user see it on the car."""
    await send_without_an_answer(hass, simulator, EXECUTED)
    dialog = Repair(hass)
    await dialog.open()
    await dialog.choose("there")


def on_car(simulator: Simulator) -> set[str]:
    """Return the ids of what is on the car."""
    return {schedule.id for schedule in simulator.schedules(TESLA.vehicle_id)}


def set_by_home_assistant(hass: HomeAssistant, entry: MockConfigEntry) -> set[str]:
    """Return the ids of what Home Assistant knows to be on the car."""
    return {own["schedule_id"] for own in stored_with(hass, entry, "on_car")}


def counts(hass: HomeAssistant, entry: MockConfigEntry) -> list[int]:
    """Return how often each schedule counts that is possibly on the car."""
    return [own["count"] for own in stored_with(hass, entry, "possibly_on_car")]


# One schedule


@pytest.mark.parametrize(
    ("arrange", "step", "options"),
    [
        (no_answer, "no_answer", ["not_there", "there", "read_car", "later"]),
        (stopped, "stopped", ["not_there", "there", "read_car", "later"]),
        (delete, "delete", ["not_there", "there", "remove", "read_car", "later"]),
        (without_id, "without_id", ["not_there", "read_car", "later"]),
        (seen, "seen", ["not_there", "read_car", "later"]),
    ],
)
async def test_page_says_what_happened_and_offers_what_helps(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    arrange: Arrange,
    step: str,
    options: list[str],
) -> None:
    """Whether a schedule is there can be answered each time, without a request."""
    await arrange(hass, simulator, entry)
    (schedule,) = stored(hass, entry)["schedules"]
    requests = len(simulator.requests)
    await repair.open()
    assert (repair.step, repair.options) == (step, options)
    assert repair.gaps["vehicle"] == "Tesla Model Y 2024"
    assert repair.gaps["schedule"].startswith("23:30–05:30 (test home)")
    assert (schedule["schedule_id"] or "") in repair.gaps["schedule"]
    assert repair.gaps["docs_url"].endswith("#repair-issues")
    await repair.look()
    assert repair.step == step
    await repair.choose("not_there")
    assert repair.step == "finished"
    assert issues_of_ours(hass) == []
    assert len(simulator.requests) == requests
    await reload(hass, entry)
    assert issues_of_ours(hass) == []
    assert stored(hass, entry)["schedules"] == []


async def test_what_is_left_open_stays_an_issue(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, repair: Repair
) -> None:
    """The dialog ends, and can be opened again."""
    await send_without_an_answer(hass, simulator, NOT_EXECUTED)
    await repair.open()
    await repair.choose("later")
    assert repair.step == "left_open"
    assert counts(hass, entry) == [1]
    await repair.open()
    assert repair.step == "no_answer"


async def test_what_the_user_has_seen_stays_listed_without_an_id(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    freezer: FrozenDateTimeFactory,
) -> None:
    """It is told as set, and stays an issue until it is gone or its id is known."""
    await seen(hass, simulator, entry)
    await reload(hass, entry)
    assert issues_of_ours(hass) == ["unsettled_schedules"]
    (told,) = shown(hass, CHARGE_SCHEDULE).attributes["schedules"]
    assert (told["standing"], told["schedule_id"]) == ("on_car", None)
    freezer.tick(LATER)
    await repair.open()
    await repair.choose("read_car", "adopt")
    assert repair.step == "finished"
    assert issues_of_ours(hass) == []
    assert set_by_home_assistant(hass, entry) == on_car(simulator)


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
    assert repair.step == "finished"
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
    assert repair.step == "finished"
    assert on_car(simulator) == set()
    assert (sensor(hass).state, sensor(hass).attributes["action"]) == (
        "success",
        "delete",
    )
    assert issues_of_ours(hass) == []
    assert stored(hass, entry)["schedules"] == []


@pytest.mark.parametrize(
    ("fault", "option", "then", "left"),
    [
        (ASLEEP, "remove", "finished", 0),
        (ASLEEP, "back", "finished", 1),
        (NOT_EXECUTED, "remove", "finished", 0),
        (NOT_EXECUTED, "back", "unclear", 1),
    ],
)
async def test_remove_that_fails_can_be_tried_again(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    freezer: FrozenDateTimeFactory,
    fault: Fault,
    option: str,
    then: str,
    left: int,
) -> None:
    """The dialog says why, and the id is known from then on.

    Who goes back after a refusal keeps it; without an answer it is asked about.
    """
    await send_without_an_answer(hass, simulator, EXECUTED)
    freezer.tick(LATER)
    await repair.open()
    await repair.choose("read_car")
    simulator.script(fault, method="DELETE")
    await repair.choose("remove")
    assert (repair.step, repair.options) == ("remove_failed", ["remove", "back"])
    assert "Tesla Model Y 2024" in repair.gaps["reason"]
    await repair.look()
    assert repair.step == "remove_failed"
    (schedule,) = stored(hass, entry)["schedules"]
    assert {schedule["schedule_id"]} == on_car(simulator)
    await repair.choose(option)
    assert repair.step == then
    assert len(on_car(simulator)) == left


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
    assert (repair.step, repair.options) == ("absent", ["none_there", "later"])
    assert repair.gaps["schedules"].startswith("- 22:00–05:30 (test home), 20")
    await repair.choose("none_there")
    assert repair.step == "finished"
    assert set_by_home_assistant(hass, entry) == {known["schedule_id"]}


async def test_user_may_doubt_what_a_reading_says(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Nothing is forgotten without a word of the user's."""
    await send_without_an_answer(hass, simulator, NOT_EXECUTED)
    freezer.tick(LATER)
    await repair.open()
    await repair.choose("read_car", "later")
    assert repair.step == "left_open"
    assert counts(hass, entry) == [1]


@pytest.mark.parametrize(
    ("fault", "then"), [(EXECUTED, "found"), (NOT_EXECUTED, "absent")]
)
async def test_reading_that_settles_nothing_can_be_asked_for_again(
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
    assert repair.step == "unclear"
    assert repair.options == ["not_there", "there", "read_car", "later"]
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
    assert repair.step == "unclear"


@pytest.mark.parametrize(
    ("start", "stop", "step"),
    [
        ("23:45", "05:45", "unclear"),
        ("23:15", "05:15", "unclear"),
        ("23:46", "05:30", "absent"),
        ("23:30", "05:14", "absent"),
    ],
)
async def test_timer_within_a_quarter_of_an_hour_could_be_it(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    freezer: FrozenDateTimeFactory,
    start: str,
    stop: str,
    step: str,
) -> None:
    """A car may round: it is not said to be absent while an unknown one is alike."""
    await send_without_an_answer(hass, simulator, NOT_EXECUTED)
    place = stored(hass, entry)["schedules"][0]["place"]["location"]
    simulator.add_schedule(TESLA.vehicle_id, start=start, stop=stop, **place)
    freezer.tick(LATER)
    await repair.open()
    await repair.choose("read_car")
    assert repair.step == step


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "The schedules on Tesla Model Y 2024 could not be read"),
        ("de", "Die Ladepläne von Tesla Model Y 2024 konnten nicht ausgelesen werden"),
    ],
)
async def test_reading_that_fails_says_why(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    language: str,
    words: str,
) -> None:
    """In Home Assistant's language; nothing is forgotten for that."""
    hass.config.language = language
    await send_without_an_answer(hass, simulator, NOT_EXECUTED)
    simulator.script(
        Fault.error(403, "PERMISSION", None, "read_charge is missing."), path=TIMERS
    )
    await repair.open()
    await repair.choose("read_car")
    assert (repair.step, repair.options) == ("read_failed", ["read_car", "back"])
    reason = f"{words} (PERMISSION: read_charge is missing.)"
    assert repair.gaps["reason"].startswith(reason)
    await repair.look()
    assert repair.step == "read_failed"
    assert counts(hass, entry) == [1]
    await repair.choose("back", "not_there")
    assert issues_of_ours(hass) == []


async def test_nothing_is_asked_with_ids_that_can_not_be_smartcars(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, repair: Repair
) -> None:
    """They were changed by hand; the dialog says what to do."""
    await send_without_an_answer(hass, simulator, NOT_EXECUTED)
    (car,) = entry.subentries.values()
    hass.config_entries.async_update_subentry(
        entry, car, data={**car.data, "user_id": "../users"}
    )
    await hass.async_block_till_done()
    requests = len(simulator.requests)
    await repair.open()
    await repair.choose("read_car")
    assert repair.step == "read_failed"
    assert "add it again" in repair.gaps["reason"]
    assert len(simulator.requests) == requests


async def test_nothing_is_asked_while_a_command_is_under_way(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, repair: Repair
) -> None:
    """What that command does could be taken for what is asked about."""
    await send_without_an_answer(hass, simulator, NOT_EXECUTED)
    await repair.open()
    hold = asyncio.Event()
    simulator.script(Fault(hold=hold))
    call = hass.async_create_task(set_schedule(hass))
    await simulator.wait_for_request(path="/charge-schedules/daily")
    await repair.begin("read_car")
    await repair.look()
    assert repair.step == "read_failed"
    assert "still working on the command" in repair.gaps["reason"]
    assert simulator.received("GET", TIMERS) == []
    hold.set()
    await call


# Several of them


async def test_all_are_listed_and_forgotten_by_one_word(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, repair: Repair
) -> None:
    """Sixty tries of an automation overnight are one line; no request is sent."""
    schedule_id = await delete_without_an_answer(hass, simulator, EXECUTED)
    await send_without_an_answer(hass, simulator, *[NOT_EXECUTED] * 60)
    await send_without_an_answer(hass, simulator, NOT_EXECUTED, location=SOMEWHERE)
    assert issues_of_ours(hass) == ["unsettled_schedules"]
    requests = len(simulator.requests)
    await repair.open()
    assert repair.step == "list"
    assert repair.options == ["none_there", "read_car", "one_by_one"]
    lines = [line.rpartition(", ")[0] for line in repair.gaps["schedules"].split("\n")]
    assert lines == [
        f"- 23:30–05:30 (test home), {schedule_id}",
        "- 60 × 23:30–05:30 (test home)",
        "- 23:30–05:30 (52.12346, 4.50000)",
    ]
    await repair.choose("none_there")
    assert repair.step == "finished"
    assert issues_of_ours(hass) == []
    assert stored(hass, entry)["schedules"] == []
    assert len(simulator.requests) == requests


async def test_each_can_be_answered_for_alone(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The oldest first; a reading then also answers for what was left open."""
    await send_without_an_answer(hass, simulator, EXECUTED)
    await send_without_an_answer(hass, simulator, NOT_EXECUTED, start_time="12:00")
    await send_without_an_answer(hass, simulator, EXECUTED, start_time="00:00")
    freezer.tick(LATER)
    await repair.open()
    await repair.choose("one_by_one")
    assert (repair.step, repair.gaps["schedule"][:5]) == ("no_answer", "23:30")
    await repair.choose("there")
    assert (repair.step, repair.gaps["schedule"][:5]) == ("no_answer", "12:00")
    await repair.choose("not_there")
    assert (repair.step, repair.gaps["schedule"][:5]) == ("no_answer", "00:00")
    await repair.choose("read_car")
    assert (repair.step, repair.gaps["schedule"][:5]) == ("found", "23:30")
    await repair.choose("adopt")
    assert (repair.step, repair.gaps["schedule"][:5]) == ("found", "00:00")
    await repair.choose("adopt")
    assert repair.step == "finished"
    assert set_by_home_assistant(hass, entry) == on_car(simulator)


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
    for option in ("adopt", "adopt", "adopt", "none_there"):
        await repair.choose(option)
        steps.append(repair.step)
    assert steps == ["found", "found", "found", "absent", "finished"]
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
    assert repair.step == "finished"
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
    await repair.choose("read_car")
    assert (repair.step, repair.gaps["schedule"][:5]) == ("found", "23:30")
    await repair.choose("adopt")
    assert (repair.step, repair.gaps["schedule"][:5]) == ("unclear", "22:00")
    await repair.choose("there")
    assert repair.step == "left_open"
    assert issues_of_ours(hass) == ["unsettled_schedules"]


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
    await repair.choose("one_by_one", "not_there")
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
    await delete_without_an_answer(hass, simulator, fault)
    await repair.open()
    await repair.choose("remove")
    assert repair.step == "finished"
    assert on_car(simulator) == set()
    assert stored(hass, entry)["schedules"] == []
    assert issues_of_ours(hass) == []


async def test_deleted_without_proof_that_the_user_has_seen_is_set(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, repair: Repair
) -> None:
    """Its id is known, so nothing is left to settle."""
    schedule_id = await delete_without_an_answer(hass, simulator, NOT_EXECUTED)
    await repair.open()
    await repair.choose("there")
    assert repair.step == "finished"
    assert issues_of_ours(hass) == []
    assert set_by_home_assistant(hass, entry) == {schedule_id}


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
    assert repair.step == "unclear"
    assert repair.options == ["not_there", "there", "remove", "read_car", "later"]
    freezer.tick(LATER)
    await repair.choose("read_car")
    assert (repair.step, repair.options) == ("still_there", ["adopt", "remove"])
    await repair.choose(option)
    assert repair.step == "finished"
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
    assert repair.step == "absent"
    await repair.choose("none_there")
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
    assert repair.step == "unclear"
    await repair.choose("not_there")
    assert (repair.step, repair.gaps["schedule"][:11]) == ("unclear", "12:00–05:30")


# While something is under way


@pytest.mark.parametrize(
    ("option", "then"), [("read_car", "unclear"), ("remove", "finished")]
)
async def test_dialog_says_what_is_under_way_until_it_has_ended(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    option: str,
    then: str,
) -> None:
    """Whoever looks meanwhile is told the same, and nothing is sent twice."""
    await delete_without_an_answer(hass, simulator, NOT_EXECUTED)
    await repair.open()
    hold = asyncio.Event()
    simulator.script(Fault(hold=hold))
    requests = len(simulator.requests)
    await repair.begin(option)
    await simulator.wait_for_request(requests + 1)
    for _ in range(2):
        await repair.look()
        assert repair.shown["type"] is FlowResultType.SHOW_PROGRESS
        assert repair.shown["progress_action"] == option
    hold.set()
    await repair.wait()
    assert repair.step == then
    assert len(simulator.requests) == requests + 1


async def test_browser_that_did_not_listen_yet_hears_of_the_end_once_more(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A quick answer comes before the browser has subscribed; then it hears no more."""
    await send_without_an_answer(hass, simulator, NOT_EXECUTED)
    await repair.open()
    told = async_capture_events(hass, EVENT_DATA_ENTRY_FLOW_PROGRESSED)
    await repair.begin("read_car")
    await hass.async_block_till_done()
    assert len(told) == 1
    freezer.tick(min(REMINDER_DELAYS))
    async_fire_time_changed(hass)
    assert len(told) == 2
    await repair.look()
    assert repair.step == "unclear"
    freezer.tick(max(REMINDER_DELAYS))
    async_fire_time_changed(hass)
    assert len(told) == 2


async def test_reading_ends_when_the_dialog_is_closed(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, repair: Repair
) -> None:
    """Nothing changes, and the dialog can be opened again."""
    await send_without_an_answer(hass, simulator, NOT_EXECUTED)
    await repair.open()
    simulator.script(Fault(hold=asyncio.Event()), path=TIMERS)
    await repair.begin("read_car")
    await simulator.wait_for_request(path=TIMERS)
    await repair.close()
    assert counts(hass, entry) == [1]
    await repair.open()
    await repair.choose("not_there")
    assert issues_of_ours(hass) == []


async def test_remove_goes_on_when_the_dialog_is_closed(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    freezer: FrozenDateTimeFactory,
) -> None:
    """It was sent: what became of it is told like that of any command."""
    await send_without_an_answer(hass, simulator, EXECUTED)
    freezer.tick(LATER)
    await repair.open()
    await repair.choose("read_car")
    hold = asyncio.Event()
    simulator.script(Fault(hold=hold), method="DELETE")
    await repair.begin("remove")
    await simulator.wait_for_request(method="DELETE")
    await repair.close()
    hold.set()
    # One that is called now waits until the one under way has ended.
    response = await set_schedule(hass)
    assert on_car(simulator) == {response["schedule_id"]}
    assert set_by_home_assistant(hass, entry) == on_car(simulator)
    assert issues_of_ours(hass) == []


@pytest.mark.parametrize(
    ("options", "last", "method"),
    [((), "read_car", "GET"), (("read_car",), "remove", "DELETE")],
)
async def test_what_is_settled_in_another_window_meanwhile_is_settled(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    freezer: FrozenDateTimeFactory,
    options: tuple[str, ...],
    last: str,
    method: str,
) -> None:
    """One dialog finishes while the other one waits, which then finishes as well."""
    await send_without_an_answer(hass, simulator, EXECUTED)
    freezer.tick(LATER)
    other = Repair(hass)
    await other.open()
    await repair.open()
    await repair.choose(*options)
    hold = asyncio.Event()
    simulator.script(Fault(hold=hold), method=method)
    requests = len(simulator.received(method))
    await repair.begin(last)
    await simulator.wait_for_request(requests + 1, method=method)
    await other.choose("not_there")
    assert other.step == "finished"
    hold.set()
    await repair.wait()
    assert repair.step == "finished"
    assert issues_of_ours(hass) == []
    assert stored(hass, entry)["schedules"] == []


async def test_remove_that_fails_is_not_tried_again_once_the_user_says_it_is_gone(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, repair: Repair
) -> None:
    """In another tab, while the first one waits."""
    await delete_without_an_answer(hass, simulator, EXECUTED)
    other = Repair(hass)
    await other.open()
    await repair.open()
    hold = asyncio.Event()
    simulator.script(replace(ASLEEP, hold=hold), method="DELETE")
    await repair.begin("remove")
    await simulator.wait_for_request(2, method="DELETE")
    await other.choose("not_there")
    hold.set()
    await repair.wait()
    assert repair.step == "remove_failed"
    await repair.choose("remove")
    assert repair.step == "finished"
    assert len(simulator.received("DELETE")) == 2


# A dialog that is older than what happened


@pytest.mark.parametrize("option", ["not_there", "there", "read_car", "later"])
async def test_what_was_settled_in_another_window_is_not_asked_again(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    option: str,
) -> None:
    """Two browser tabs with the same dialog: the later answer changes nothing."""
    await send_without_an_answer(hass, simulator, NOT_EXECUTED)
    other = Repair(hass)
    await other.open()
    await repair.open()
    await other.choose("not_there")
    await repair.choose(option)
    assert repair.step == "finished"
    assert stored(hass, entry)["schedules"] == []


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
    assert repair.step == "finished"
    assert set_by_home_assistant(hass, entry) == on_car(simulator)


@pytest.mark.parametrize("option", ["adopt", "remove"])
async def test_reading_from_before_another_command_is_out_of_date(
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
    assert (repair.step, repair.options) == ("outdated", ["read_car", "back"])
    await repair.choose("read_car", option)
    assert repair.step == "finished"
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
    assert repair.step == "outdated"
    assert set_by_home_assistant(hass, entry) == set()
    freezer.tick(LATER)
    await repair.choose("back", "read_car")
    assert repair.step == "absent"


async def test_remove_of_a_schedule_that_another_one_replaced_meanwhile_is_not_sent(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A car may give the new one the id of the old one."""
    simulator.create_mode = CreateMode.REPLACE_SAME_ID
    await delete_without_an_answer(hass, simulator, NOT_EXECUTED)
    freezer.tick(LATER)
    await repair.open()
    await set_schedule(hass, start_time="12:00")
    await repair.choose("remove")
    assert repair.step == "finished"
    assert set_by_home_assistant(hass, entry) == on_car(simulator)
    assert len(on_car(simulator)) == 1


async def test_what_was_sent_again_meanwhile_is_asked_about_again(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, repair: Repair
) -> None:
    """The user looked before that."""
    await send_without_an_answer(hass, simulator, NOT_EXECUTED)
    await repair.open()
    await send_without_an_answer(hass, simulator, EXECUTED)
    await repair.choose("not_there")
    assert repair.step == "no_answer"
    assert repair.gaps["schedule"].startswith("2 × 23:30")
    assert counts(hass, entry) == [2]


@pytest.mark.parametrize(
    ("answer", "end"), [("not_there", "finished"), ("later", "left_open")]
)
async def test_new_matter_is_asked_about_in_a_dialog_that_is_older(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    freezer: FrozenDateTimeFactory,
    answer: str,
    end: str,
) -> None:
    """It has an issue of its own id, which the end of the old dialog does not take."""
    await send_without_an_answer(hass, simulator, NOT_EXECUTED)
    old_id = issue_id_of(hass, "unsettled_schedules")
    await repair.open()
    freezer.tick(LATER)
    await send_without_an_answer(hass, simulator, NOT_EXECUTED, start_time="12:00")
    new_id = issue_id_of(hass, "unsettled_schedules")
    assert new_id != old_id
    await repair.choose("not_there")
    assert (repair.step, repair.gaps["schedule"][:5]) == ("no_answer", "12:00")
    assert issue_id_of(hass, "unsettled_schedules") == new_id
    await repair.choose(answer)
    assert repair.step == end
    assert issues_of_ours(hass) == ["unsettled_schedules"] * (end == "left_open")


async def test_dialog_calls_the_car_as_the_user_does_now(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, repair: Repair
) -> None:
    """Also one that was opened before."""
    await send_without_an_answer(hass, simulator, NOT_EXECUTED)
    await repair.open()
    device = device_id(hass, TESLA)
    dr.async_get(hass).async_update_device(device, name_by_user="The red one")
    await hass.async_block_till_done()
    await repair.look()
    assert repair.gaps["vehicle"] == "The red one"
    issue = ir.async_get(hass).async_get_issue(
        DOMAIN, issue_id_of(hass, "unsettled_schedules")
    )
    assert issue is not None
    assert issue.translation_placeholders == {"vehicle": "The red one"}


@pytest.mark.parametrize(
    ("options", "last"), [((), "not_there"), (("read_car",), "none_there")]
)
async def test_dialog_that_is_older_than_a_reload_loses_no_schedule(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    freezer: FrozenDateTimeFactory,
    options: tuple[str, ...],
    last: str,
) -> None:
    """It works on the car that is loaded when the user answers."""
    await send_without_an_answer(hass, simulator, NOT_EXECUTED, start_time="12:00")
    freezer.tick(LATER)
    await repair.open()
    await repair.choose(*options)
    await reload(hass, entry)
    await set_schedule(hass)
    await repair.choose(last)
    assert repair.step == "finished"
    assert counts(hass, entry) == []
    assert set_by_home_assistant(hass, entry) == on_car(simulator)
    (first,) = on_car(simulator)
    assert (await set_schedule(hass))["replaced_schedule_ids"] == [first]


@pytest.mark.parametrize(("option", "left"), [("adopt", 1), ("remove", 0)])
async def test_what_was_found_before_a_reload_is_still_kept_or_removed(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    freezer: FrozenDateTimeFactory,
    option: str,
    left: int,
) -> None:
    """Also after the next reload."""
    await send_without_an_answer(hass, simulator, EXECUTED)
    freezer.tick(LATER)
    await repair.open()
    await repair.choose("read_car")
    await reload(hass, entry)
    await repair.choose(option)
    assert repair.step == "finished"
    await reload(hass, entry)
    assert set_by_home_assistant(hass, entry) == on_car(simulator)
    assert len(on_car(simulator)) == left


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
    assert repair.step == "not_loaded"
    assert files_of_ours(hass) == []
    assert len(simulator.requests) == requests
    assert issues_of_ours(hass) == []


@pytest.mark.parametrize("fault", [ASLEEP, Fault()], ids=["refused", "read"])
async def test_car_that_is_unloaded_while_it_is_read_is_not_loaded(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    fault: Fault,
) -> None:
    """Whatever the answer was: what it is about may have changed."""
    await send_without_an_answer(hass, simulator, NOT_EXECUTED)
    await repair.open()
    hold = asyncio.Event()
    simulator.script(replace(fault, hold=hold), path=TIMERS)
    await repair.begin("read_car")
    await simulator.wait_for_request(path=TIMERS)
    assert await hass.config_entries.async_unload(entry.entry_id)
    hold.set()
    await repair.wait()
    assert repair.step == "not_loaded"
    assert counts(hass, entry) == [1]


@pytest.mark.parametrize("option", ["not_there", "there", "later", "read_car"])
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
    assert repair.step == "not_loaded"
    path.rmdir()
    aside.rename(path)
    await reload(hass, entry)
    assert counts(hass, entry) == [1]
    assert issues_of_ours(hass) == ["unsettled_schedules"]


# A schedule that a car replaced by itself


@pytest.mark.parametrize(("option", "left"), [("adopt", 1), ("remove", 0)])
async def test_schedule_that_took_the_place_and_the_id_of_another_is_found(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    freezer: FrozenDateTimeFactory,
    option: str,
    left: int,
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
    await repair.choose(option)
    assert repair.step == "finished"
    starts = [own["window"]["start_time"] for own in stored(hass, entry)["schedules"]]
    assert starts == ["12:00:00"] * left
    assert set_by_home_assistant(hass, entry) == on_car(simulator)


# A record that is lost


async def test_damaged_record_is_told_until_the_user_has_seen_it(
    hass: HomeAssistant, simulator: Simulator, repair: Repair
) -> None:
    """A dialog without a question: it says what to look for in the car's app."""
    entry, _aside = await start_with(hass, "{")
    await reload(hass, entry)
    assert issues_of_ours(hass) == ["record_damaged"]
    await repair.open()
    assert (repair.step, repair.gaps["vehicle"]) == ("confirm", "Tesla Model Y 2024")
    assert repair.gaps["docs_url"].endswith("#repair-issues")
    await repair.confirm()
    assert repair.step == "finished"
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
    assert repair.step == "not_loaded"
    assert files_of_ours(hass) == []
