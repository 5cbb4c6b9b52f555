"""A person looks at the calendar."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from playwright.async_api import Page, expect

from tests.home import HomeAssistantApi

from .pictures import keep_picture, take_picture

AMSTERDAM: Final = ZoneInfo("Europe/Amsterdam")


async def test_calendar_of_a_schedule_that_was_set_today(
    page: Page, car: str, home: HomeAssistantApi
) -> None:
    """No window is before today, and the first one begins today."""
    await home.call_action(
        "smartcar_charging",
        "set_daily_charge_schedule",
        start_time="23:30",
        stop_time="05:30",
    )
    await page.goto("/calendar")
    event = page.get_by_text("Charge window · Home")
    await expect(event.first).to_be_visible()
    days = page.locator("[data-date]").filter(has=event)
    dates = await days.evaluate_all("days => days.map(day => day.dataset.date)")
    assert min(dates) == f"{datetime.now(AMSTERDAM):%Y-%m-%d}"
    assert len(dates) == len(set(dates)) > 1
    await keep_picture("calendar-today", page.locator("ha-full-calendar"))


async def test_window_is_in_calendar(
    page: Page, car: str, home: HomeAssistantApi
) -> None:
    """It stands there over midnight, and says what it is and what it is not."""
    await home.call_action(
        "smartcar_charging",
        "set_daily_charge_schedule",
        start_time="23:30",
        stop_time="05:30",
    )
    await page.goto("/calendar")
    await page.get_by_role("button", name="Next").click()
    event = page.get_by_text("Charge window · Home").first
    await expect(event).to_be_visible()
    await expect(page.get_by_text("23:30").first).to_be_visible()
    await take_picture(
        "calendar",
        page.locator("ha-full-calendar"),
        until=page.get_by_role("row").nth(4),
    )
    await event.click()
    await expect(page.get_by_text("Set from Home Assistant.")).to_be_visible()
