"""What a person does again and again."""

from typing import Final

from playwright.async_api import Locator, Page, expect

# What is left of the names of a device page's rows: a text that is too long is cut.
_VISIBLE_NAMES: Final = """rows => rows.map(row => {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = getComputedStyle(row).font;
  const fits = text => pen.measureText(text).width <= row.getBoundingClientRect().width;
  const name = row.innerText.trim();
  if (fits(name)) return name;
  let end = name.length;
  while (!fits(name.slice(0, end) + "…")) end -= 1;
  return name.slice(0, end);
})"""


async def log_in(page: Page) -> None:
    """Open Home Assistant, and log in."""
    await page.goto("/")
    await page.get_by_label("Username").fill("demo")
    await page.get_by_role("textbox", name="Password").fill("demo")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("link", name="Settings")).to_be_visible()


async def open_device(page: Page, car: str) -> None:
    """Find the car's page from the integration's."""
    await open_device_in_any_language(page, car)
    await expect(part_of_device(page, "Controls")).to_be_visible()


async def open_device_in_any_language(page: Page, car: str) -> None:
    """Find the car's page from the integration's, whatever its cards are called."""
    await page.goto("/config/integrations/integration/smartcar_charging")
    await page.locator("ha-config-entry-device-row").filter(has_text=car).click()
    await expect(page.locator("hui-time-entity-row")).to_have_count(2)
    await expect(page.locator("hui-event-entity-row")).to_be_visible()


async def visible_names(page: Page) -> list[str]:
    """Return what can be read of the names of a device's entities, in their order.

    That of a choice is within it, and is not among them.
    """
    rows = page.locator("ha-device-entities-card hui-generic-entity-row .info")
    names: list[str] = await rows.evaluate_all(_VISIBLE_NAMES)
    return names


def part_of_device(page: Page, title: str) -> Locator:
    """Return one of the cards of entities on a device page."""
    return page.locator("ha-device-entities-card").filter(
        has=page.get_by_role("heading", name=title)
    )


async def kinds_of_controls(page: Page) -> list[str]:
    """Return which kinds of entities a person can touch on a device page, in order."""
    rows = page.locator("ha-device-entities-card").first.locator(
        "hui-time-entity-row, hui-select-entity-row, hui-button-entity-row"
    )
    tags: list[str] = await rows.evaluate_all("rows => rows.map(row => row.localName)")
    return [tag.removeprefix("hui-").removesuffix("-entity-row") for tag in tags]


async def draft_time(page: Page, name: str, time: str) -> None:
    """Type a time on the device page."""
    row = page.locator("hui-time-entity-row").filter(has_text=name)
    hours, minutes = (row.get_by_role("spinbutton", name=unit) for unit in ("hh", "mm"))
    await hours.fill(time[:2])
    await hours.press("Tab")
    # What is typed is kept at once, and comes back: only then may the rest be typed.
    await expect(minutes).not_to_have_value("")
    await minutes.fill(time[3:])
    await minutes.press("Tab")


async def press(page: Page, name: str) -> None:
    """Press a button on the device page."""
    row = page.locator("hui-button-entity-row").filter(has_text=name)
    await row.get_by_role("button", name="Press").click()


async def start_set_up(page: Page) -> None:
    """Begin to add the integration, as the README's button does."""
    await page.goto("/config/integrations/dashboard/add?domain=smartcar_charging")
    await page.get_by_role("button", name="OK").click()


async def finish(page: Page, car: str) -> None:
    """End the set-up of a car, and see it among the integration's."""
    dialog = dialog_of_flow(page)
    await expect(dialog.get_by_role("textbox", name="Device name")).to_have_value(car)
    await dialog.get_by_role("button", name="Skip and finish").click()
    await open_device(page, car)


def message(page: Page, text: str) -> Locator:
    """Return the message that pops up at the lower edge."""
    return page.locator("notification-manager .message").filter(has_text=text)


def dialog_of_flow(page: Page) -> Locator:
    """Return the dialog of a form in steps."""
    return page.locator("dialog-data-entry-flow")


async def choose(page: Page, text: str) -> None:
    """Search in an open list, and choose what was found."""
    options = page.get_by_role("dialog", name="Select option")
    await options.get_by_role("textbox").fill(text)
    await options.get_by_text(text, exact=True).click()


def field_of_action(page: Page, name: str) -> Locator:
    """Return the row of a field in an action's form."""
    return page.locator("ha-service-control ha-settings-row").filter(
        has=page.get_by_text(name, exact=True)
    )


async def fill_action_time(page: Page, name: str, time: str) -> None:
    """Type a time into an action's form."""
    row = field_of_action(page, name)
    await row.get_by_role("spinbutton", name="hh").fill(time[:2])
    await row.get_by_role("spinbutton", name="mm").fill(time[3:])


async def tick(page: Page, name: str) -> None:
    """Tick an optional field of an action's form, so that it can be filled."""
    row = field_of_action(page, name)
    await row.locator("ha-checkbox").click()
    await expect(row.get_by_role("checkbox")).to_be_checked()
