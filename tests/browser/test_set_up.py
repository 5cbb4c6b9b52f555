"""A person connects a car, makes one mistake on the way, and recovers."""

from playwright.async_api import Page, expect

from tests.simulator import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, TESLA, VOLVO, Simulator

from .person import dialog_of_flow, finish, start_set_up
from .pictures import take_picture


async def test_api_credentials(page: Page) -> None:
    """The Application ID is refused with a hint; the client ID leads to the cars."""
    await start_set_up(page)
    dialog = dialog_of_flow(page)
    await dialog.get_by_text("Recommended: a client ID and a client secret").click()
    client_id, secret = (
        dialog.get_by_role("textbox", name=name)
        for name in ("Client ID", "Client secret")
    )
    await expect(secret).to_be_visible()
    await take_picture("set-up", dialog.get_by_role("dialog"))
    await client_id.fill("8a9b6c1e-4d2f-4b7a-9c3e-1f0d5a6b7c8d")
    await secret.fill(DEMO_CLIENT_SECRET)
    await dialog.get_by_role("button", name="Submit").click()
    await expect(dialog.get_by_text("This is the Application ID.")).to_be_visible()

    await client_id.fill(DEMO_CLIENT_ID)
    await secret.fill(DEMO_CLIENT_SECRET)
    await dialog.get_by_role("button", name="Submit").click()
    await dialog.get_by_text("Volvo EX40 2025").click()
    await dialog.get_by_role("button", name="Submit").click()
    await finish(page, "Volvo EX40 2025")


async def test_access_token(page: Page, simulator: Simulator) -> None:
    """The ID of another user is refused; the right one is offered, and is enough."""
    await start_set_up(page)
    dialog = dialog_of_flow(page)
    await dialog.get_by_text("To try it out: a token lasts one hour.").click()
    await dialog.get_by_role("textbox", name="Access token").fill(
        simulator.issue_token()
    )
    await dialog.get_by_role("button", name="Submit").click()
    await dialog.get_by_text("Enter the IDs myself").click()
    await dialog.get_by_role("button", name="Submit").click()
    await dialog.get_by_role("textbox", name="Vehicle ID").fill(TESLA.vehicle_id)
    user_id = dialog.get_by_role("textbox", name="User ID")
    await user_id.fill(VOLVO.user_id)
    await dialog.get_by_role("button", name="Submit").click()
    await expect(dialog).to_contain_text("This car was connected by another user,")

    # The right one is filled in already.
    await expect(user_id).to_have_value(TESLA.user_id)
    await dialog.get_by_role("button", name="Submit").click()
    await finish(page, "Tesla Model Y 2024")
