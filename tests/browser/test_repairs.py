"""A person settles what Home Assistant can not know."""

from playwright.async_api import Page, expect

from tests.simulator import Cut, Fault, Simulator

from .person import (
    dialog_of_flow,
    draft_time,
    message,
    open_device,
    part_of_device,
    press,
)
from .pictures import take_picture


async def test_possible_schedule_is_found(
    page: Page, car: str, simulator: Simulator
) -> None:
    """A schedule set without an answer is an issue; Smartcar finds it; it is kept."""
    simulator.script(Fault(cut=Cut.BEFORE_ANSWER), method="POST")
    await open_device(page, car)
    await draft_time(page, "New charge start", "23:30")
    await draft_time(page, "New charge stop", "05:30")
    await press(page, "Send to car")
    await expect(
        message(page, f"It is not known whether {car} took the charge schedule")
    ).to_be_visible()

    await page.goto("/config/repairs")
    issue = page.get_by_text(f"{car}: a charge schedule may or may not be set")
    await issue.click()
    dialog = dialog_of_flow(page)
    await expect(dialog).to_contain_text("If the car took it, it repeats every day")
    await take_picture("repair", dialog.get_by_role("dialog"))
    await dialog.get_by_text("Ask Smartcar what is on the car").click()
    await expect(dialog).to_contain_text("The schedule is on the car")
    await dialog.get_by_text("Keep it").click()
    await expect(dialog).to_contain_text("The issue is repaired!")
    await dialog.get_by_role("button", name="Finish").click()
    await expect(issue).to_be_hidden()
    await open_device(page, car)
    await expect(part_of_device(page, "Sensors")).to_contain_text("23:30–05:30")
