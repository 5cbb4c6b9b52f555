"""The way out for a schedule that is possibly on the car."""

from datetime import UTC, datetime, timedelta
from typing import Any

from homeassistant.components.repairs import DOMAIN as REPAIRS_DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.smartcar_charging.const import DOMAIN
from tests.actions import sensor, set_schedule
from tests.simulator import REMOVED, TESLA, Fault, Simulator
from tests.test_ledger import start_with

LATER = timedelta(hours=1)
NOT_EXECUTED = Fault.error(500, "SERVER", "INTERNAL")
EXECUTED = Fault(status=500, body={"errors": [{"type": "SERVER"}]}, executes=True)


class Repair:
    """The dialog that the user opens from Settings > Repairs."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Belong to a Home Assistant."""
        self._manager = hass.data[REPAIRS_DOMAIN]["flow_manager"]
        self._hass = hass
        self.shown: dict[str, Any] = {}

    @property
    def step(self) -> str:
        """What is shown, or how it ended."""
        return str(self.shown.get("step_id", self.shown["type"]))

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

    async def choose(self, option: str) -> None:
        """Choose one of what is offered."""
        assert option in self.shown["menu_options"]
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


async def send_without_an_answer(
    hass: HomeAssistant, simulator: Simulator, fault: Fault, **data: Any
) -> None:
    """Set a schedule of which nobody hears what became of it."""
    simulator.script(fault, path="/charge-schedules/daily")
    with pytest.raises(HomeAssistantError):
        await set_schedule(hass, **data)


def read_car(simulator: Simulator, after: timedelta = LATER) -> None:
    """Let Smartcar read the car's timers so long after now."""
    vehicle = simulator.vehicles[TESLA.vehicle_id]
    vehicle.timers_live = False
    vehicle.read_timers(at=datetime.now(UTC) + after)


def possible_issues(hass: HomeAssistant) -> int:
    """Return how many issues there are."""
    return len(ir.async_get(hass).issues)


async def test_the_user_looked_and_it_is_not_there(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, repair: Repair
) -> None:
    """Forgotten, without a request."""
    await send_without_an_answer(hass, simulator, NOT_EXECUTED)
    requests = len(simulator.requests)
    await repair.open()
    assert repair.step == "possible"
    assert repair.shown["menu_options"] == ["not_there", "read_car"]
    assert repair.gaps["vehicle"] == "Tesla Model Y 2024"
    assert (repair.gaps["window"], repair.gaps["place"]) == ("23:30–05:30", "test home")
    await repair.choose("not_there")
    assert repair.step == "create_entry"
    assert possible_issues(hass) == 0
    assert len(simulator.requests) == requests
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert possible_issues(hass) == 0


async def test_several_are_asked_about_one_by_one(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, repair: Repair
) -> None:
    """The oldest first; one issue for all; who closes the dialog in between goes on later."""
    somewhere = {"latitude": 52.123456, "longitude": 4.5}
    await send_without_an_answer(hass, simulator, NOT_EXECUTED)
    await send_without_an_answer(
        hass, simulator, NOT_EXECUTED, start_time="00:00", location=somewhere
    )
    assert possible_issues(hass) == 1
    await repair.open()
    assert repair.gaps["window"] == "23:30–05:30"
    await repair.choose("not_there")
    assert (repair.step, repair.gaps["window"]) == ("possible", "00:00–05:30")
    assert possible_issues(hass) == 1
    await repair.open()
    assert (repair.gaps["window"], repair.gaps["place"]) == (
        "00:00–05:30",
        "52.12346, 4.50000",
    )
    await repair.choose("not_there")
    assert possible_issues(hass) == 0


async def test_found_and_kept_is_replaced_like_any_other(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, repair: Repair
) -> None:
    """One billable request, and the schedule is Home Assistant's own from then on."""
    await send_without_an_answer(hass, simulator, EXECUTED)
    (schedule,) = simulator.schedules(TESLA.vehicle_id)
    read_car(simulator)
    await repair.open()
    await repair.choose("read_car")
    assert (repair.step, repair.shown["menu_options"]) == ("found", ["adopt", "remove"])
    assert len(simulator.received("GET", "/signals/charge-chargetimers")) == 1
    await repair.choose("adopt")
    assert repair.step == "create_entry"
    assert possible_issues(hass) == 0
    assert (await set_schedule(hass))["replaced_schedule_ids"] == [schedule.id]


async def test_found_and_removed_is_gone(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, repair: Repair
) -> None:
    """By the same command as the delete action sends."""
    await send_without_an_answer(hass, simulator, EXECUTED)
    read_car(simulator)
    await repair.open()
    await repair.choose("read_car")
    await repair.choose("remove")
    assert repair.step == "create_entry"
    assert simulator.schedules(TESLA.vehicle_id) == []
    assert (sensor(hass).state, sensor(hass).attributes["action"]) == (
        "success",
        "delete",
    )
    assert possible_issues(hass) == 0


async def test_a_remove_that_fails_can_be_tried_again_or_left(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, repair: Repair
) -> None:
    """The dialog says why."""
    await send_without_an_answer(hass, simulator, EXECUTED)
    read_car(simulator)
    await repair.open()
    await repair.choose("read_car")
    simulator.script(Fault.error(409, "VEHICLE_STATE", "ASLEEP", "The car sleeps."))
    await repair.choose("remove")
    assert repair.step == "remove_failed"
    assert "The car sleeps." in repair.gaps["reason"]
    await repair.choose("remove")
    assert repair.step == "create_entry"
    assert simulator.schedules(TESLA.vehicle_id) == []


async def test_not_found_in_a_later_reading_is_not_there(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, repair: Repair
) -> None:
    """The user confirms what the reading says; other schedules on the car are none of this."""
    known = await set_schedule(hass)
    for stop in ("06:00", "05:30"):
        simulator.add_schedule(
            TESLA.vehicle_id, start="23:30", stop=stop, latitude=1.0, longitude=1.0
        )
    simulator.add_schedule(TESLA.vehicle_id, start="23:30", stop="05:30")
    await send_without_an_answer(hass, simulator, NOT_EXECUTED)
    read_car(simulator)
    await repair.open()
    await repair.choose("read_car")
    assert (repair.step, repair.shown["menu_options"]) == (
        "not_found",
        ["not_there", "read_car"],
    )
    await repair.choose("not_there")
    assert repair.step == "create_entry"
    assert known["schedule_id"] in [
        schedule.id for schedule in simulator.schedules(TESLA.vehicle_id)
    ]


@pytest.mark.parametrize(
    ("fault", "after"),
    [(NOT_EXECUTED, timedelta(minutes=5)), (NOT_EXECUTED, -LATER), (EXECUTED, -LATER)],
    ids=["too soon", "older", "older although there"],
)
async def test_a_reading_that_is_too_old_proves_nothing(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    repair: Repair,
    fault: Fault,
    after: timedelta,
) -> None:
    """The dialog says so, and offers to look again."""
    await send_without_an_answer(hass, simulator, fault)
    read_car(simulator, after)
    await repair.open()
    await repair.choose("read_car")
    assert (repair.step, repair.shown["menu_options"]) == (
        "proves_nothing",
        ["read_car", "not_there"],
    )
    assert repair.gaps["read_at"].startswith("20")
    read_car(simulator)
    await repair.choose("read_car")
    assert repair.step in ("found", "not_found")


async def test_a_reading_of_unknown_age_proves_nothing(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, repair: Repair
) -> None:
    """Even if the schedule is in it."""
    await send_without_an_answer(hass, simulator, EXECUTED)
    read_car(simulator)
    simulator.script(
        Fault(merge={"data": {"meta": REMOVED}}), path="/signals/charge-chargetimers"
    )
    await repair.open()
    await repair.choose("read_car")
    assert (repair.step, repair.gaps["read_at"]) == ("proves_nothing", "?")


async def test_a_timer_without_an_id_proves_nothing(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, repair: Repair
) -> None:
    """It could be the schedule, and could not be removed by anybody but the user."""
    await send_without_an_answer(hass, simulator, EXECUTED)
    read_car(simulator)
    home = {"name": "Home", "latitude": 32.87336, "longitude": -117.22743}
    window = {"start": "23:30:00", "end": "05:30:00", "days": []}
    timer = {
        "type": "LOCATION",
        "scheduleType": "DAILY",
        "condition": home,
        "schedules": [window],
    }
    values = {"data": {"attributes": {"body": {"values": [timer]}}}}
    simulator.script(Fault(merge=values), path="/signals/charge-chargetimers")
    await repair.open()
    await repair.choose("read_car")
    assert repair.step == "proves_nothing"


async def test_a_reading_that_fails_says_why(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, repair: Repair
) -> None:
    """Nothing is forgotten for that."""
    await send_without_an_answer(hass, simulator, NOT_EXECUTED)
    simulator.script(
        Fault.error(403, "PERMISSION", None, "read_charge is missing."),
        path="/charge-chargetimers",
    )
    await repair.open()
    await repair.choose("read_car")
    assert repair.step == "read_failed"
    assert repair.gaps["reason"] == "PERMISSION: read_charge is missing."
    assert possible_issues(hass) == 1
    await repair.choose("not_there")
    assert possible_issues(hass) == 0


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
    assert simulator.received("GET", "/signals/charge-chargetimers") == []


async def test_what_was_adopted_in_another_window_is_adopted_once(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, repair: Repair
) -> None:
    """Two browser tabs again."""
    await send_without_an_answer(hass, simulator, EXECUTED)
    read_car(simulator)
    other = Repair(hass)
    for dialog in (other, repair):
        await dialog.open()
        await dialog.choose("read_car")
    await other.choose("adopt")
    await repair.choose("adopt")
    assert repair.step == "create_entry"
    assert len((await set_schedule(hass))["replaced_schedule_ids"]) == 1


async def test_a_damaged_file_is_told_until_the_user_has_seen_it(
    hass: HomeAssistant, simulator: Simulator, repair: Repair
) -> None:
    """A dialog without a question: it says what to look for in the car's app."""
    entry, _aside = await start_with(hass, "{")
    await repair.open()
    assert (repair.step, repair.gaps) == ("confirm", {"vehicle": "Tesla Model Y 2024"})
    await repair.confirm()
    assert repair.step == "create_entry"
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert not [
        issue for issue in ir.async_get(hass).issues.values() if issue.domain == DOMAIN
    ]


async def test_an_issue_of_a_car_that_is_gone_closes(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, repair: Repair
) -> None:
    """It was opened just before the car was removed."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        "possibly_on_car_gone",
        data={"subentry_id": "gone"},
        is_fixable=True,
        severity=ir.IssueSeverity.WARNING,
        translation_key="possibly_on_car",
        translation_placeholders={"vehicle": "Tesla Model Y 2024"},
    )
    await repair.open()
    assert repair.step == "create_entry"
    assert possible_issues(hass) == 0
