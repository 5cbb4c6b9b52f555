"""A person settles what Home Assistant can not know."""

import json
from typing import Any

from playwright.async_api import Page, expect
import pytest

from tests.home import HomeAssistantApi
from tests.simulator import TESLA, Cut, Fault, Simulator
from tests.texts import INTEGRATION

from .person import (
    dialog_of_flow,
    draft_time,
    message,
    open_device,
    part_of_device,
    press,
)
from .pictures import keep_picture, take_picture


async def test_possible_schedule_is_found(
    page: Page, car: str, simulator: Simulator
) -> None:
    """A schedule set without an answer is an issue; Smartcar finds it; it is kept."""
    simulator.script(Fault(cut=Cut.BEFORE_ANSWER), method="POST")
    await open_device(page, car)
    await draft_time(page, "New start time", "23:30")
    await draft_time(page, "New stop time", "05:30")
    await press(page, "Send to car")
    await expect(
        message(page, f"It is not known whether {car} took the charge schedule")
    ).to_be_visible()

    await page.goto("/config/repairs")
    issue = page.get_by_text(f"{car}: a charge schedule needs your answer")
    await issue.click()
    dialog = dialog_of_flow(page)
    await expect(dialog).to_contain_text("If the car took it, it repeats every day")
    await take_picture("repair", dialog.get_by_role("dialog"))
    await dialog.get_by_text("Ask Smartcar (one request)").click()
    await expect(dialog).to_contain_text("The schedule is on the car")
    await dialog.get_by_text("Keep it").click()
    await expect(dialog).to_contain_text("The issue is repaired!")
    await dialog.get_by_role("button", name="Finish").click()
    await expect(issue).to_be_hidden()
    await open_device(page, car)
    await expect(part_of_device(page, "Sensors")).to_contain_text("23:30–05:30")


async def leave_three_open(home: HomeAssistantApi, simulator: Simulator) -> None:
    """Have two schedules set, one of them twice, and one deleted without an answer."""
    executed = Fault.error(500, "SERVER", "INTERNAL", executes=True)
    await home.call_action(
        "smartcar_charging",
        "set_daily_charge_schedule",
        start_time="12:00",
        stop_time="14:00",
        zone="zone.work",
    )
    simulator.script(Fault(cut=Cut.BEFORE_ANSWER), executed, executed, method="POST")
    simulator.script(executed, method="DELETE")
    for start_time, stop_time in (
        ("23:30", "05:30"),
        ("23:30", "05:30"),
        ("01:00", "04:00"),
    ):
        with pytest.raises(RuntimeError):
            await home.call_action(
                "smartcar_charging",
                "set_daily_charge_schedule",
                start_time=start_time,
                stop_time=stop_time,
            )
    with pytest.raises(RuntimeError):
        await home.call_action(
            "smartcar_charging", "delete_charge_schedule", zone="zone.work"
        )


def words_of_dialog(language: str) -> Any:
    """Return the words of the dialog about unsettled schedules."""
    path = INTEGRATION / "translations" / f"{language}.json"
    return json.loads(path.read_text())["issues"]["unsettled_schedules"]


@pytest.mark.parametrize("language", ["de", "en"])
async def test_several_possible_schedules_are_settled_in_one_dialog(
    page: Page, car: str, home: HomeAssistantApi, simulator: Simulator, language: str
) -> None:
    """They are listed; one request says which are there; the rest is asked about."""
    await leave_three_open(home, simulator)
    words = words_of_dialog(language)
    steps, progress = words["fix_flow"]["step"], words["fix_flow"]["progress"]
    await page.goto("/config/repairs")
    issue = page.get_by_text(words["title"].format(vehicle=car))
    await issue.click()
    dialog = dialog_of_flow(page)

    async def choose(step: str, option: str) -> None:
        """See a page, and choose what it offers."""
        await expect(dialog).to_contain_text(steps[step]["title"])
        await keep_picture(f"repair-{language}-{step}", dialog.get_by_role("dialog"))
        await dialog.get_by_text(steps[step]["menu_options"][option]).click()

    await expect(dialog).to_contain_text("2 × 23:30–05:30")
    simulator.script(Fault.slow(2), method="GET")
    await choose("list", "read_car")
    await expect(dialog).to_contain_text(progress["read_car"])
    await keep_picture(f"repair-{language}-progress", dialog.get_by_role("dialog"))
    await choose("found", "adopt")
    simulator.script(
        Fault.error(409, "VEHICLE_STATE", "ASLEEP", "The car sleeps."), method="DELETE"
    )
    await choose("found", "remove")
    await choose("remove_failed", "back")
    await choose("found", "remove")
    await choose("unclear", "later")
    await expect(dialog).to_contain_text(words["fix_flow"]["abort"]["left_open"])
    await keep_picture(f"repair-{language}-end", dialog.get_by_role("dialog"))
    await page.keyboard.press("Escape")
    assert len(simulator.received("GET", "/signals/charge-chargetimers")) == 1

    await page.reload()
    await issue.click()
    await choose("delete", "not_there")
    await expect(dialog.locator("step-flow-create-entry")).to_be_visible()
    assert len(simulator.schedules(TESLA.vehicle_id)) == 2
