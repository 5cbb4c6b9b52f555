"""A person sets a car's schedule on its device page, and sees what became of it."""

from playwright.async_api import Page, expect
import pytest

from tests.simulator import TESLA, Fault, Simulator

from .person import (
    draft_time,
    kinds_of_controls,
    message,
    open_device,
    open_device_in_any_language,
    part_of_device,
    press,
    visible_names,
)
from .pictures import keep_picture, take_picture


async def test_draft_is_sent(page: Page, car: str, simulator: Simulator) -> None:
    """Two times and a zone are sent by one press, and the page shows what is set."""
    await page.set_viewport_size({"width": 1280, "height": 1080})
    await open_device(page, car)
    await draft_time(page, "New start time", "23:30")
    await draft_time(page, "New stop time", "05:30")
    await page.locator("hui-select-entity-row").filter(has_text="New zone").click()
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
    await draft_time(page, "New start time", "23:30")
    await draft_time(page, "New stop time", "05:30")
    await press(page, "Send to car")
    await expect(
        message(page, f"{car} did not take the command in its present state")
    ).to_be_visible()
    await expect(part_of_device(page, "Sensors")).to_contain_text("Failed")


@pytest.mark.parametrize("language", ["de", "en", "fr", "nb", "nl", "sv"])
async def test_rows_are_told_apart_in_three_columns(
    page: Page, car: str, language: str
) -> None:
    """On a page of 1280 pixels, no two are cut to the same letters."""
    await page.set_viewport_size({"width": 1280, "height": 1080})
    await open_device_in_any_language(page, car)
    names = await visible_names(page)
    await keep_picture(f"device-{language}", page.locator("ha-config-device-page"))
    assert len({name.casefold() for name in names}) == len(names) == 8


@pytest.mark.parametrize(
    ("language", "names", "kinds"),
    [
        (
            "de",
            [
                "Neuer Beginn",
                "Neues Ende",
                "Senden ans Fahrzeug",
                "Vom Fahrzeug entfernen",
            ],
            ["select", "time", "time", "button", "button"],
        ),
        (
            "en",
            ["New start time", "New stop time", "Send to car", "Take schedule off car"],
            ["time", "time", "select", "button", "button"],
        ),
    ],
)
async def test_controls_lead_from_the_draft_to_sending(
    page: Page, car: str, names: list[str], kinds: list[str]
) -> None:
    """Sending comes after what is to be sent, and removing comes last."""
    await open_device_in_any_language(page, car)
    assert (await visible_names(page))[:4] == names
    assert await kinds_of_controls(page) == kinds
