"""A person sets a car's schedule on its device page, and sees what became of it."""

from playwright.async_api import Page, expect

from tests.simulator import TESLA, Fault, Simulator

from .person import draft_time, message, open_device, part_of_device, press
from .pictures import take_picture


async def test_draft_is_sent(page: Page, car: str, simulator: Simulator) -> None:
    """Two times and a zone are sent by one press, and the page shows what is set."""
    await page.set_viewport_size({"width": 1200, "height": 1080})
    await open_device(page, car)
    await draft_time(page, "New charge start", "23:30")
    await draft_time(page, "New charge stop", "05:30")
    await page.locator("hui-select-entity-row").filter(has_text="Charge zone").click()
    await page.get_by_role("menuitem", name="Work").click()
    await expect(part_of_device(page, "Controls")).to_contain_text("Work")
    assert not simulator.creates
    await press(page, "Send to car")
    sensors = part_of_device(page, "Sensors")
    await expect(sensors).to_contain_text("23:30–05:30")
    await expect(sensors).to_contain_text("Success")
    (schedule,) = simulator.schedules(TESLA.vehicle_id)
    assert schedule.start == "23:30"
    assert schedule.stop == "05:30"
    assert schedule.place == (52.3105, 4.7683)
    await take_picture("device", page.locator("ha-config-device-page"))


async def test_refusal_is_told(page: Page, car: str, simulator: Simulator) -> None:
    """The press says that the car refused, and why; the sensor says that it failed."""
    simulator.always(
        Fault.error(409, "VEHICLE_STATE", "ASLEEP", "The vehicle is asleep."),
        method="POST",
    )
    await open_device(page, car)
    await draft_time(page, "New charge start", "23:30")
    await draft_time(page, "New charge stop", "05:30")
    await press(page, "Send to car")
    await expect(
        message(page, f"{car} did not take the command in its present state")
    ).to_be_visible()
    await expect(part_of_device(page, "Sensors")).to_contain_text("Failed")
