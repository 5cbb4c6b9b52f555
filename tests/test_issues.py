"""Repair issues: what does not heal by itself, and how it goes away."""

import asyncio
from datetime import timedelta
import re

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.smartcar_charging.const import DOMAIN
from custom_components.smartcar_charging.errors import UNCONFIRMED
from custom_components.smartcar_charging.issues import docs_url
from custom_components.smartcar_charging.models import Action
from tests.actions import delete_schedule, device_id, reload, sensor, set_schedule
from tests.conftest import make_entry
from tests.hunts import home, load, with_same_ids
from tests.ledgers import file_of, start_with
from tests.simulator import (
    REMOVED,
    TESLA,
    VOLVO,
    Cut,
    Fault,
    ReceivedRequest,
    Simulator,
)
from tests.texts import ENGLISH, INTEGRATION

PERMISSION = Fault.error(
    403, "PERMISSION", None, "The permission control_charge is missing."
)
INVALID_PLAN = Fault.error(430, "BILLING", "INVALID_PLAN", "Not in your plan.")
NO_ANSWER = Fault(cut=Cut.BEFORE_ANSWER)
MINUTE = timedelta(minutes=1)
SOMEWHERE = {"latitude": 52.123456, "longitude": 4.5}
README = INTEGRATION.parent.parent / "README.md"


def is_delete(request: ReceivedRequest) -> bool:
    """Whether this is a request to delete a schedule."""
    return request.method == "DELETE"


def issues(hass: HomeAssistant) -> dict[str, ir.IssueEntry]:
    """Return our issues by their cause."""
    return {
        str(issue.translation_key): issue
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == DOMAIN
    }


def ignore(hass: HomeAssistant, cause: str) -> None:
    """Ignore an issue, as the user does."""
    issue_id = issues(hass)[cause].issue_id
    ir.async_ignore_issue(hass, DOMAIN, issue_id, True)
    assert issues(hass)[cause].dismissed_version is not None


async def refused(
    hass: HomeAssistant, simulator: Simulator, fault: Fault
) -> HomeAssistantError:
    """Let a set be refused; return the error that its caller hears."""
    simulator.script(fault, path="/charge-schedules/daily")
    with pytest.raises(HomeAssistantError) as caught:
        await set_schedule(hass)
    return caught.value


@pytest.mark.parametrize(
    ("fault", "cause"),
    [(PERMISSION, "permission_missing"), (INVALID_PLAN, "refused_by_plan")],
)
async def test_what_the_user_has_to_settle_is_an_issue_until_the_next_success(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    fault: Fault,
    cause: str,
) -> None:
    """There is one for a car and a cause, also after a restart.

    Another failure does not hide it.
    """
    await refused(hass, simulator, fault)
    await refused(hass, simulator, fault)
    await refused(hass, simulator, Fault.error(409, "VEHICLE_STATE", "ASLEEP"))
    assert set(issues(hass)) == {cause}
    issue = issues(hass)[cause]
    assert (issue.is_fixable, issue.severity) == (False, ir.IssueSeverity.WARNING)
    assert str(issue.learn_more_url).endswith("#repair-issues")
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["vehicle"] == "Tesla Model Y 2024"

    assert await hass.config_entries.async_unload(entry.entry_id)
    assert issues(hass) == {}
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert set(issues(hass)) == {cause}

    await set_schedule(hass)
    assert issues(hass) == {}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (PERMISSION, "PERMISSION: The permission control_charge is missing."),
        (INVALID_PLAN, "BILLING/INVALID_PLAN: Not in your plan."),
    ],
)
async def test_smartcars_reason_is_the_same_in_the_error_and_in_the_issue(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    fault: Fault,
    reason: str,
) -> None:
    """So that the user can look it up."""
    error = await refused(hass, simulator, fault)
    (issue,) = issues(hass).values()
    for told in (error, issue):
        assert told.translation_placeholders == {
            "vehicle": "Tesla Model Y 2024",
            "reason": reason,
        }


@pytest.mark.parametrize(
    ("error_type", "key", "lasts", "can_retry"),
    [
        ("AUTHENTICATION", "authentication_failed", False, False),
        ("BILLING", "refused_by_plan", True, False),
        ("COMPATIBILITY", "not_compatible", True, False),
        (
            "CONNECTED_SERVICES_ACCOUNT",
            "car_maker_account",
            True,
            False,
        ),
        ("PERMISSION", "permission_missing", True, False),
        ("RATE_LIMIT", "rate_limited", False, True),
        ("RESOURCE_NOT_FOUND", "not_found_at_smartcar", False, False),
        ("SOMETHING_NEW", "refused", False, False),
        ("VALIDATION", "refused", False, False),
        ("VEHICLE_STATE", "refused_by_vehicle", False, True),
    ],
)
async def test_words_issue_and_another_try_follow_from_the_type_of_the_error(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    error_type: str,
    key: str,
    lasts: bool,
    can_retry: bool,
) -> None:
    """What may pass is no issue: the caller hears it, and the sensor shows it."""
    error = await refused(hass, simulator, Fault.error(400, error_type))
    assert error.translation_key == key
    assert list(issues(hass)) == [key] * lasts
    assert sensor(hass).attributes["can_retry"] is can_retry


@pytest.mark.parametrize("action", Action)
def test_each_action_has_its_words_for_an_unclear_end(action: Action) -> None:
    """No other action is told that it may have set a schedule, or removed one."""
    trouble = UNCONFIRMED[action]
    assert trouble.key == f"{action.value}_unconfirmed"
    assert trouble.key in ENGLISH["exceptions"]


async def test_several_causes_stand_side_by_side(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The next success settles them all."""
    await refused(hass, simulator, PERMISSION)
    await refused(hass, simulator, INVALID_PLAN)
    assert set(issues(hass)) == {"permission_missing", "refused_by_plan"}
    await set_schedule(hass)
    assert issues(hass) == {}


@pytest.mark.parametrize("cars", [[TESLA, VOLVO]])
async def test_each_car_has_its_own(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """A success of one says nothing of the other; a removed one has none."""
    for car in (TESLA, VOLVO):
        simulator.script(PERMISSION, path="/charge-schedules/daily")
        with pytest.raises(HomeAssistantError):
            await set_schedule(hass, device_id=device_id(hass, car))
    assert len(ir.async_get(hass).issues) == 2
    await set_schedule(hass, device_id=device_id(hass, TESLA))
    (issue,) = ir.async_get(hass).issues.values()
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["vehicle"] == "Volvo EX40 2025"
    (volvo,) = [
        s.subentry_id
        for s in entry.subentries.values()
        if s.unique_id == VOLVO.vehicle_id
    ]
    hass.config_entries.async_remove_subentry(entry, volvo)
    await hass.async_block_till_done()
    assert ir.async_get(hass).issues == {}


async def test_an_old_schedule_that_stays_is_an_issue_until_it_is_gone(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """It lists window, place and id; it goes with the next delete that succeeds."""
    first = await set_schedule(hass)
    simulator.script(Fault.error(409, "VEHICLE_STATE", "ASLEEP"), path=is_delete)
    await set_schedule(hass, start_time="00:00")
    assert set(issues(hass)) == {"old_schedule"}
    given = issues(hass)["old_schedule"].translation_placeholders
    assert given is not None
    assert given["schedules"] == f"- 23:30–05:30 (test home), {first['schedule_id']}"
    await set_schedule(hass, start_time="01:00")
    assert issues(hass) == {}


async def test_an_old_schedule_removed_by_hand_is_settled_by_the_delete_action(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """As the issue says: after three tries Home Assistant does not look again."""
    first = await set_schedule(hass)
    simulator.always(
        Fault.error(409, "VEHICLE_STATE", "ASLEEP"), path=f"/{first['schedule_id']}"
    )
    for _ in range(4):
        await set_schedule(hass)
    simulator.behave()
    simulator.vehicles[TESLA.vehicle_id].schedules.pop(first["schedule_id"])
    await set_schedule(hass)
    assert set(issues(hass)) == {"old_schedule"}
    await delete_schedule(hass, schedule_id=first["schedule_id"])
    assert issues(hass) == {}


@pytest.mark.parametrize(
    "fault",
    [
        Fault(cut=Cut.BEFORE_ANSWER),
        Fault.error(500, "SERVER", "INTERNAL"),
        Fault.error(202, "UPSTREAM", "NO_RESPONSE"),
    ],
    ids=["cut", "500", "streamed"],
)
async def test_an_unconfirmed_create_needs_an_answer(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, fault: Fault
) -> None:
    """The issue stays through a restart and a later success, until the user looks."""
    await refused(hass, simulator, fault)
    await set_schedule(hass, start_time="00:00")
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert issues(hass)["unsettled_schedules"].is_fixable


async def test_a_success_without_an_id_needs_an_answer(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """It is there for certain, but Home Assistant could not replace it."""
    simulator.script(
        Fault(merge={"data": {"attributes": {"scheduleId": REMOVED}, "links": REMOVED}})
    )
    await set_schedule(hass)
    assert set(issues(hass)) == {"unsettled_schedules"}


async def test_a_create_cut_off_by_a_stop_needs_an_answer(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The next start asks about it."""
    simulator.script(Fault(hold=asyncio.Event()))
    call = hass.async_create_task(set_schedule(hass))
    await simulator.wait_for_request(path="/charge-schedules/daily")
    assert await hass.config_entries.async_reload(entry.entry_id)
    with pytest.raises(HomeAssistantError):
        await call
    assert set(issues(hass)) == {"unsettled_schedules"}


async def test_an_unconfirmed_delete_needs_an_answer(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Nobody knows whether it is gone; it can be deleted again."""
    await set_schedule(hass)
    simulator.script(Fault.error(500, "SERVER", "INTERNAL"), path=is_delete)
    with pytest.raises(HomeAssistantError):
        await delete_schedule(hass, zone="zone.home")
    assert set(issues(hass)) == {"unsettled_schedules"}
    await delete_schedule(hass, zone="zone.home")
    assert issues(hass) == {}


# An entity of core's that stops with Home Assistant leaves its timer.
@pytest.mark.parametrize("expected_lingering_timers", [True])
async def test_a_new_matter_shows_an_ignored_issue_again(
    hass_config_dir: str, simulator: Simulator, freezer: FrozenDateTimeFactory
) -> None:
    """A restart alone does not: Home Assistant keeps what was ignored, by its id."""
    first = make_entry(TESLA)
    async with home(hass_config_dir) as hass:
        first.add_to_hass(hass)
        await load(hass, first)
        await refused(hass, simulator, NO_ANSWER)
        before = issues(hass)["unsettled_schedules"].issue_id
        await hass.async_stop()
    async with home(hass_config_dir) as hass:
        entry = with_same_ids(first)
        entry.add_to_hass(hass)
        await load(hass, entry)
        assert issues(hass)["unsettled_schedules"].issue_id == before
        ignore(hass, "unsettled_schedules")
        await set_schedule(hass, start_time="00:00")
        assert issues(hass)["unsettled_schedules"].dismissed_version is not None
        freezer.tick(MINUTE)
        await refused(hass, simulator, NO_ANSWER)
        assert issues(hass)["unsettled_schedules"].dismissed_version is None
        await hass.async_stop()


async def test_another_old_schedule_shows_an_ignored_issue_again(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The same one, which is tried again, does not."""
    simulator.always(Fault.error(409, "VEHICLE_STATE", "ASLEEP"), path=is_delete)
    await set_schedule(hass)
    freezer.tick(MINUTE)
    await set_schedule(hass, start_time="00:00")
    ignore(hass, "old_schedule")
    await set_schedule(hass, location=SOMEWHERE)
    assert issues(hass)["old_schedule"].dismissed_version is not None
    freezer.tick(MINUTE)
    await set_schedule(hass, start_time="01:00")
    assert issues(hass)["old_schedule"].dismissed_version is None


async def test_another_loss_of_the_record_has_an_issue_of_its_own(
    hass: HomeAssistant, simulator: Simulator, freezer: FrozenDateTimeFactory
) -> None:
    """Who ignored the first one does not know of it."""
    entry, _aside = await start_with(hass, "{")
    first = issues(hass)["record_damaged"].issue_id
    await reload(hass, entry)
    assert issues(hass)["record_damaged"].issue_id == first
    assert await hass.config_entries.async_unload(entry.entry_id)
    file_of(hass, entry).write_text("{")
    freezer.tick(MINUTE)
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert issues(hass)["record_damaged"].issue_id != first


async def test_issues_follow_the_name_of_the_car(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Each calls it as the user does now."""
    await refused(hass, simulator, PERMISSION)
    await refused(hass, simulator, NO_ANSWER)
    device = device_id(hass, TESLA)
    dr.async_get(hass).async_update_device(device, name_by_user="The red one")
    await hass.async_block_till_done()
    assert set(issues(hass)) == {"permission_missing", "unsettled_schedules"}
    given = [issue.translation_placeholders or {} for issue in issues(hass).values()]
    assert [gaps["vehicle"] for gaps in given] == ["The red one"] * 2


async def test_link_of_an_issue_leads_to_a_section_of_the_readme(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """The documentation is this repository's front page."""
    anchor = docs_url(hass).partition("#")[2]
    headings = re.findall(r"^#+ (.+)$", README.read_text(), re.MULTILINE)
    assert anchor in {heading.lower().replace(" ", "-") for heading in headings}
