"""A person fills an action's form, and reads its response."""

from playwright.async_api import Page, expect

from tests.simulator import Simulator

from .person import choose, field_of_action, fill_action_time, tick
from .pictures import take_picture


async def test_form_of_action(page: Page, car: str, simulator: Simulator) -> None:
    """Selectors fill in car, times and zone, and the response tells the window."""
    await page.set_viewport_size({"width": 1280, "height": 1600})
    await page.goto("/config/developer-tools/action")
    await page.locator("ha-service-picker").click()
    await choose(page, "smartcar_charging.set_daily_charge_schedule")
    await fill_action_time(page, "Start time", "23:30")
    await fill_action_time(page, "Stop time", "05:30")
    await tick(page, "Car")
    await page.get_by_text("Select a device").click()
    await choose(page, car)
    await tick(page, "Zone")
    await page.get_by_text("Select an entity").click()
    await choose(page, "Home")
    card = page.locator("ha-card").filter(has=page.locator("ha-service-control"))
    await take_picture("action", card, until=field_of_action(page, "Location"))
    await page.get_by_role("button", name="Perform action").click()
    response = page.locator("ha-yaml-editor").filter(has_text="execution_id")
    await expect(response).to_contain_text("crosses_midnight: true")
    await expect(response).to_contain_text("status: SUCCESS")
    assert len(simulator.creates) == 1
