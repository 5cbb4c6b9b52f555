"""A person uses the README's card."""

from playwright.async_api import Page, expect

from tests.home import HomeAssistantApi
from tests.home.dashboard import show_card
from tests.simulator import TESLA, Simulator

from .person import draft_time, press
from .pictures import take_picture


async def test_card_of_the_readme(
    page: Page, car: str, home: HomeAssistantApi, simulator: Simulator
) -> None:
    """The card shows what is set, and sends what is typed into it."""
    await page.goto(await show_card(home))
    card = page.locator("hui-entities-card")
    await expect(
        card.locator("hui-sensor-entity-row").filter(has_text="Set now")
    ).to_contain_text("None")
    await draft_time(page, "Start", "23:30")
    await draft_time(page, "Stop", "05:30")
    await press(page, "Send to car")
    await expect(card).to_contain_text("23:30–05:30")
    await expect(card).to_contain_text("Success")
    await expect(card).not_to_contain_text("Entity not found")
    assert [schedule.start for schedule in simulator.schedules(TESLA.vehicle_id)] == [
        "23:30"
    ]
    await take_picture("card", card)

    await press(page, "Remove")
    await expect(
        card.locator("hui-sensor-entity-row").filter(has_text="Set now")
    ).to_contain_text("None")
    assert not simulator.schedules(TESLA.vehicle_id)
