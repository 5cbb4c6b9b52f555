"""Accounts: their set-up with a first car, and the exchange of their credentials."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
import logging
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, UnknownFlow
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.smartcar_charging.const import DOMAIN
from tests.conftest import make_entry
from tests.flows import (
    API_CREDENTIALS,
    OTHER_CREDENTIALS,
    WAYS_OUT,
    WRONG_IDS,
    Dialog,
    device_of,
    ids_of,
    last_token,
    reauth_flows,
    reauth_issues,
    sensor_of,
    set_schedule,
)
from tests.ledgers import path_of, reading_held
from tests.simulator import (
    DEMO_CLIENT_ID,
    DEMO_CLIENT_SECRET,
    TESLA,
    VOLVO,
    Car,
    Cut,
    Fault,
    Simulator,
)

APPLICATION_ID = "0b7e8c5a-93d1-4f6e-8a2b-1c4d5e6f7a8b"
REJECTED = Fault.error(401, "AUTHENTICATION", "UNAUTHORIZED")
ROTATED = {**API_CREDENTIALS, "client_secret": "rotated"}
# A token's application and a user who connected the Tesla to it.
OLD_PAIR = (DEMO_CLIENT_ID, TESLA.user_id)
NEW_PAIR = (OTHER_CREDENTIALS["client_id"], "user-of-the-other")
BOTH_WAYS = pytest.mark.parametrize("source", ["reauth", "reconfigure"])

TOLD = "The simulator was told to answer this."
REFUSED_LISTS = [
    (Fault.error(403, "PERMISSION"), "not_allowed", f"PERMISSION: {TOLD}"),
    (Fault.error(430, "BILLING", "X"), "refused_by_plan", f"BILLING/X: {TOLD}"),
    (Fault(status=430, body="<html>"), "refused_by_plan", "HTTP 430"),
    (Fault.error(429, "RATE_LIMIT"), "rate_limited", f"RATE_LIMIT: {TOLD}"),
    (Fault(status=429, body="<html>"), "rate_limited", "HTTP 429"),
    (
        Fault(status=503, body="<html>", headers={"Retry-After": "3600"}),
        "rate_limited",
        "HTTP 503",
    ),
    (Fault.error(400, "VALIDATION"), "refused", f"VALIDATION: {TOLD}"),
]
FAILED_LISTS = [
    pytest.param(Fault.error(500, "SERVER"), id="server error"),
    pytest.param(Fault(status=403, body="<html>"), id="a page of a gateway"),
    pytest.param(Fault(body="<html>"), id="unreadable"),
    pytest.param(Fault(cut=Cut.MID_BODY), id="cut off"),
    pytest.param(Fault(cut=Cut.BEFORE_ANSWER), id="no answer"),
]


@pytest.fixture
def token(simulator: Simulator) -> str:
    """Return an access token as Smartcar's dashboard would show it."""
    return simulator.issue_token(DEMO_CLIENT_ID)


@pytest.fixture
async def token_entry(hass: HomeAssistant, token: str) -> MockConfigEntry:
    """Set up an account with an access token and the Tesla."""
    entry = make_entry(TESLA, data={"access_token": token})
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, title="Smartcar (access token)")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return entry


@pytest.fixture
def other_application(simulator: Simulator) -> None:
    """Let there be another application, which sees all cars too."""
    client_id = OTHER_CREDENTIALS["client_id"]
    simulator.applications[client_id] = OTHER_CREDENTIALS["client_secret"]


@pytest.fixture
def users_elsewhere(simulator: Simulator, other_application: None) -> None:
    """Let both cars belong to another user in the other application."""
    for car in (TESLA, VOLVO):
        simulator.add_car(replace(car, application=DEMO_CLIENT_ID))
        client_id, user_id = NEW_PAIR
        simulator.connect_too(replace(car, user_id=user_id, application=client_id))


def users_of(entry: MockConfigEntry) -> dict[str, str]:
    """Return through whom the account's cars are reached."""
    return {
        subentry.data["vehicle_id"]: subentry.data["user_id"]
        for subentry in entry.subentries.values()
    }


def pairs(
    simulator: Simulator, path: str = "/charge-schedules/daily"
) -> list[tuple[str | None, str]]:
    """Return whose token and which user each command, or question, bore."""
    found = []
    for request in simulator.received(path=path):
        token = simulator.valid_token(request.headers["Authorization"][7:])
        assert token is not None
        found.append((token.application, request.headers["sc-user-id"]))
    return found


def accounts(hass: HomeAssistant) -> list[dict[str, Any]]:
    """Return the credentials of all accounts."""
    return [dict(entry.data) for entry in hass.config_entries.async_entries(DOMAIN)]


# Setting up


async def test_menu_offers_both_kinds_of_credentials(hass: HomeAssistant) -> None:
    """The user chooses first how to sign in, the recommended way on top."""
    shown = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": "user"}
    )
    assert shown["type"] is FlowResultType.MENU
    assert shown["step_id"] == "user"
    assert shown["menu_options"] == ["api_credentials", "access_token"]


async def test_api_credentials_and_a_chosen_car_make_an_account(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """The entry has the credentials, its first subentry the car."""
    dialog = await Dialog.new_account(hass, "api_credentials")
    assert (dialog.step, dialog.errors, dialog.prefilled) == ("api_credentials", {}, {})
    await dialog.enter(API_CREDENTIALS)
    assert dialog.step == "vehicle"
    await dialog.choose_car(TESLA)

    entry = dialog.entry
    assert entry.title == "Smartcar (…9a88)"
    assert entry.data == API_CREDENTIALS
    assert entry.unique_id == DEMO_CLIENT_ID
    (subentry,) = entry.subentries.values()
    assert (subentry.subentry_type, subentry.unique_id) == ("vehicle", TESLA.vehicle_id)
    assert subentry.title == "Tesla Model Y 2024"
    assert subentry.data == {
        **ids_of(TESLA),
        "make": "Tesla",
        "model": "Model Y",
        "year": 2024,
    }


async def test_access_token_and_a_chosen_car_make_an_account(
    hass: HomeAssistant, simulator: Simulator, token: str
) -> None:
    """The entry has no unique id, since nothing of a token lasts."""
    dialog = await Dialog.new_account(hass, "access_token")
    assert (dialog.step, dialog.errors, dialog.prefilled) == ("access_token", {}, {})
    await dialog.enter({"access_token": token})
    assert dialog.step == "vehicle"
    await dialog.choose_car(VOLVO)

    entry = dialog.entry
    assert entry.title == "Smartcar (access token)"
    assert entry.data == {"access_token": token}
    assert entry.unique_id is None
    (subentry,) = entry.subentries.values()
    assert subentry.unique_id == VOLVO.vehicle_id
    assert subentry.title == "Volvo EX40 2025"
    assert subentry.data == {
        **ids_of(VOLVO),
        "make": "Volvo",
        "model": "EX40",
        "year": 2025,
    }


async def test_car_works_as_soon_as_the_form_closes(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """The sensor is there, and an action reaches the car."""
    dialog = await Dialog.list_of_cars(hass)
    await dialog.choose_car(TESLA)
    assert hass.states.get(sensor_of(hass, TESLA)) is not None

    await set_schedule(hass, TESLA)
    assert simulator.creates[-1].headers["sc-user-id"] == TESLA.user_id
    assert last_token(simulator) in simulator.tokens_minted
    assert [
        (schedule.start, schedule.stop)
        for schedule in simulator.schedules(TESLA.vehicle_id)
    ] == [("23:30", "05:30")]


async def test_white_space_around_api_credentials_is_dropped(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Copying often takes a blank or a line end along."""
    dialog = await Dialog.new_account(hass, "api_credentials")
    await dialog.enter(
        {
            "client_id": f" {DEMO_CLIENT_ID}\n",
            "client_secret": f"\t{DEMO_CLIENT_SECRET} ",
        }
    )
    await dialog.choose_car(TESLA)
    assert dialog.entry.data == API_CREDENTIALS


@pytest.mark.parametrize("pasted", [" {} \n", "Bearer {}", "  bearer   {} "])
async def test_scheme_and_white_space_around_a_token_are_dropped(
    hass: HomeAssistant, simulator: Simulator, token: str, pasted: str
) -> None:
    """A token is often copied out of a header."""
    dialog = await Dialog.new_account(hass, "access_token")
    await dialog.enter({"access_token": pasted.format(token)})
    await dialog.choose_car(TESLA)
    assert dialog.entry.data == {"access_token": token}
    await set_schedule(hass, TESLA)
    assert last_token(simulator) == token


# What can go wrong while setting up


@pytest.mark.parametrize(
    ("mistake", "errors"),
    [
        ({"client_secret": "mistyped"}, {"client_secret": "invalid_auth"}),
        ({"client_id": "client_mistyped"}, {"client_secret": "invalid_auth"}),
        ({"client_id": APPLICATION_ID}, {"client_id": "application_id"}),
        ({"client_id": APPLICATION_ID.upper()}, {"client_id": "application_id"}),
    ],
)
async def test_wrong_api_credentials_can_be_corrected(
    hass: HomeAssistant,
    simulator: Simulator,
    mistake: dict[str, str],
    errors: dict[str, str],
) -> None:
    """The wrong field has the error; the client id stays, the secret does not."""
    dialog = await Dialog.new_account(hass, "api_credentials")
    entered = {**API_CREDENTIALS, **mistake}
    await dialog.enter(entered)
    assert (dialog.step, dialog.errors) == ("api_credentials", errors)
    assert dialog.prefilled == {"client_id": entered["client_id"]}

    await dialog.enter(API_CREDENTIALS)
    await dialog.choose_car(TESLA)
    assert dialog.entry.data == API_CREDENTIALS
    assert dialog.entry.unique_id == DEMO_CLIENT_ID


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("/oauth2/token", Fault(status=500)),
        ("/oauth2/token", Fault(body="<html>")),
        ("/connections", Fault.error(500, "SERVER")),
        ("/connections", Fault(cut=Cut.MID_BODY)),
    ],
)
async def test_api_credentials_can_be_sent_again_after_a_failure(
    hass: HomeAssistant, simulator: Simulator, path: str, fault: Fault
) -> None:
    """No field is to blame while Smartcar does not answer as it should."""
    dialog = await Dialog.new_account(hass, "api_credentials")
    simulator.always(fault, path=path)
    await dialog.enter(API_CREDENTIALS)
    assert dialog.step == "api_credentials"
    assert dialog.errors == {"base": "cannot_connect"}
    assert dialog.prefilled == {"client_id": DEMO_CLIENT_ID}

    simulator.behave()
    await dialog.enter(API_CREDENTIALS)
    await dialog.choose_car(TESLA)
    assert dialog.entry.data == API_CREDENTIALS


async def test_api_credentials_can_be_sent_again_with_a_network(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """A refused connection leaves nothing behind."""
    dialog = await Dialog.new_account(hass, "api_credentials")
    await simulator.stop()
    await dialog.enter(API_CREDENTIALS)
    assert dialog.step == "api_credentials"
    assert dialog.errors == {"base": "cannot_connect"}
    assert accounts(hass) == []

    await simulator.start()
    await dialog.enter(API_CREDENTIALS)
    await dialog.choose_car(TESLA)
    assert accounts(hass) == [API_CREDENTIALS]


async def test_token_can_be_sent_again_with_a_network(
    hass: HomeAssistant, simulator: Simulator, token: str
) -> None:
    """A refused connection leaves nothing behind."""
    dialog = await Dialog.new_account(hass, "access_token")
    await simulator.stop()
    await dialog.enter({"access_token": token})
    assert (dialog.step, dialog.errors) == ("access_token", {"base": "cannot_connect"})
    assert accounts(hass) == []

    await simulator.start()
    await dialog.enter({"access_token": token})
    await dialog.choose_car(TESLA)
    assert accounts(hass) == [{"access_token": token}]


@pytest.mark.parametrize("wrong", ["expired", "not a token", "tök"])
async def test_wrong_token_can_be_corrected(
    hass: HomeAssistant, simulator: Simulator, token: str, wrong: str
) -> None:
    """The form is empty again."""
    dialog = await Dialog.new_account(hass, "access_token")
    await dialog.enter({"access_token": wrong})
    assert dialog.step == "access_token"
    assert dialog.errors == {"access_token": "invalid_auth"}
    assert dialog.prefilled == {}

    await dialog.enter({"access_token": token})
    await dialog.choose_car(TESLA)
    assert dialog.entry.data == {"access_token": token}


@pytest.mark.parametrize(("mistake", "errors"), WRONG_IDS)
async def test_wrong_ids_after_a_token_can_be_corrected(
    hass: HomeAssistant,
    simulator: Simulator,
    token: str,
    mistake: dict[str, str],
    errors: dict[str, str],
) -> None:
    """The error stands on the id that is wrong; the token is not asked for again."""
    dialog = await Dialog.new_account(hass, "access_token")
    await dialog.enter({"access_token": token})
    await dialog.enter({"vehicle": "enter_ids"})
    entered = {**ids_of(TESLA), **mistake}
    await dialog.enter(entered)
    assert (dialog.step, dialog.errors) == ("vehicle_ids", errors)
    assert dialog.prefilled == entered

    await dialog.enter(ids_of(TESLA))
    assert dialog.entry.data == {"access_token": token}


@pytest.mark.parametrize(
    "choice",
    [
        [{"vehicle": TESLA.connection_id}],
        [{"vehicle": "enter_ids"}, ids_of(TESLA)],
    ],
)
async def test_token_that_ends_before_a_car_is_chosen_is_asked_for_again(
    hass: HomeAssistant, simulator: Simulator, token: str, choice: list[dict[str, str]]
) -> None:
    """Neither the list nor the form for ids is a dead end."""
    dialog = await Dialog.new_account(hass, "access_token")
    await dialog.enter({"access_token": token})
    simulator.revoke_tokens()
    for values in choice:
        await dialog.enter(values)
    assert dialog.step == "access_token"
    assert dialog.errors == {"access_token": "invalid_auth"}

    await dialog.enter({"access_token": simulator.issue_token()})
    await dialog.choose_car(TESLA)
    assert len(accounts(hass)) == 1


async def test_what_can_not_be_an_id_is_not_asked_for(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Such a form is answered without a request."""
    dialog = await Dialog.list_of_cars(hass)
    await dialog.enter({"vehicle": "enter_ids"})
    simulator.requests.clear()
    await dialog.enter({"vehicle_id": "..", "user_id": TESLA.user_id})
    assert dialog.errors == {"vehicle_id": "invalid_id"}
    assert simulator.requests == []


@pytest.mark.parametrize("fault", FAILED_LISTS)
async def test_token_can_be_sent_again_after_a_failure(
    hass: HomeAssistant, simulator: Simulator, token: str, fault: Fault
) -> None:
    """Nothing proves that Smartcar refused, and the token is good for another try."""
    dialog = await Dialog.new_account(hass, "access_token")
    simulator.always(fault, path="/connections")
    await dialog.enter({"access_token": token})
    assert (dialog.step, dialog.errors) == ("access_token", {"base": "cannot_connect"})

    simulator.behave()
    await dialog.enter({"access_token": token})
    await dialog.choose_car(TESLA)
    assert dialog.entry.data == {"access_token": token}


@pytest.mark.parametrize(("fault", "error", "reason"), REFUSED_LISTS)
async def test_refused_list_is_told_as_what_it_is(
    hass: HomeAssistant,
    simulator: Simulator,
    fault: Fault,
    error: str,
    reason: str,
) -> None:
    """With Smartcar's own reason; it is no matter of the connection."""
    dialog = await Dialog.new_account(hass, "api_credentials")
    simulator.always(fault, path="/connections")
    await dialog.enter(API_CREDENTIALS)
    assert (dialog.step, dialog.errors) == ("api_credentials", {"base": error})
    assert dialog.told["reason"] == reason

    simulator.behave()
    await dialog.enter(API_CREDENTIALS)
    await dialog.choose_car(TESLA)
    assert dialog.entry.data == API_CREDENTIALS


async def test_token_endpoint_that_asks_to_wait_is_told_as_that(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Another try at once would be one too many."""
    dialog = await Dialog.new_account(hass, "api_credentials")
    busy = Fault(status=429, headers={"Retry-After": "3600"})
    simulator.always(busy, path="/oauth2/token")
    await dialog.enter(API_CREDENTIALS)
    assert dialog.errors == {"base": "rate_limited"}
    assert dialog.told["reason"] == "no access token: HTTP 429"

    simulator.behave()
    await dialog.enter(API_CREDENTIALS)
    await dialog.choose_car(TESLA)
    assert dialog.entry.data == API_CREDENTIALS


async def test_reason_holds_no_secret(
    hass: HomeAssistant, simulator: Simulator, token: str
) -> None:
    """What Smartcar repeats of the token is masked before a form shows it."""
    dialog = await Dialog.new_account(hass, "access_token")
    echo = Fault.error(403, "PERMISSION", detail=f"Not with {token}.")
    simulator.script(echo, path="/connections")
    await dialog.enter({"access_token": token})
    assert dialog.errors == {"base": "not_allowed"}
    assert dialog.told["reason"] == "PERMISSION: Not with ***."
    assert token not in repr(dialog.shown)


# What is set up already


async def test_client_id_is_set_up_only_once(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """More cars belong to the account that is there; nothing is sent to know that."""
    simulator.requests.clear()
    dialog = await Dialog.list_of_cars(hass)
    assert dialog.abort_reason == "already_configured"
    assert simulator.requests == []
    assert accounts(hass) == [API_CREDENTIALS]


@pytest.mark.parametrize("way", [Dialog.choose_car, Dialog.enter_ids])
async def test_car_is_set_up_only_once(
    hass: HomeAssistant,
    token: str,
    entry: MockConfigEntry,
    way: Callable[[Dialog, Car], Coroutine[Any, Any, None]],
) -> None:
    """A car of one account can not be the first car of another."""
    dialog = await Dialog.new_account(hass, "access_token")
    await dialog.enter({"access_token": token})
    await way(dialog, TESLA)
    assert dialog.abort_reason == "vehicle_configured"
    assert dialog.told["vehicle"] == "Tesla Model Y 2024"
    assert dialog.told["account"] == "Smartcar"
    assert accounts(hass) == [API_CREDENTIALS]


async def test_api_credentials_beside_a_token_lead_to_reconfigure(
    hass: HomeAssistant, simulator: Simulator, token_entry: MockConfigEntry
) -> None:
    """The car that was tried out keeps its account, which can move; it is named."""
    dialog = await Dialog.list_of_cars(hass)
    await dialog.choose_car(TESLA)
    assert dialog.abort_reason == "has_token_account"
    assert dialog.told["vehicle"] == "Tesla Model Y 2024"
    assert dialog.told["account"] == "Smartcar (access token)"

    dialog = await Dialog.new_credentials(hass, token_entry, "reconfigure")
    await dialog.choose("api_credentials")
    await dialog.enter(API_CREDENTIALS)
    assert accounts(hass) == [API_CREDENTIALS]


async def test_first_of_two_flows_gets_the_car(hass: HomeAssistant, token: str) -> None:
    """The other one, at its last step too, ends; what the first made stays."""
    slower = await Dialog.list_of_cars(hass)
    quicker = await Dialog.new_account(hass, "access_token")
    await quicker.enter({"access_token": token})
    await quicker.choose_car(TESLA)
    await slower.choose_car(TESLA)
    assert slower.abort_reason == "has_token_account"
    assert accounts(hass) == [{"access_token": token}]
    assert quicker.entry.state is ConfigEntryState.LOADED


async def test_car_chosen_twice_at_the_same_moment_is_set_up_once(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Both wait for the same answer; still only one makes an account."""
    dialogs = [await Dialog.new_account(hass, "access_token") for _ in range(2)]
    for dialog in dialogs:
        await dialog.enter({"access_token": simulator.issue_token()})
    await asyncio.gather(*(dialog.choose_car(TESLA) for dialog in dialogs))
    assert {dialog.shown["type"] for dialog in dialogs} == {
        FlowResultType.ABORT,
        FlowResultType.CREATE_ENTRY,
    }
    assert len(accounts(hass)) == 1


async def test_second_flow_for_a_client_id_is_closed_by_the_first(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Only one of two lists for the same application can be used."""
    slower, quicker = await Dialog.list_of_cars(hass), await Dialog.list_of_cars(hass)
    await quicker.choose_car(TESLA)
    with pytest.raises(UnknownFlow):
        await slower.choose_car(VOLVO)
    assert accounts(hass) == [API_CREDENTIALS]


async def test_client_id_that_another_account_took_meanwhile_is_refused(
    hass: HomeAssistant, simulator: Simulator, token_entry: MockConfigEntry
) -> None:
    """An account moved to these API credentials meanwhile, and is not replaced."""
    listing = await Dialog.list_of_cars(hass)
    moving = await Dialog.new_credentials(hass, token_entry, "reconfigure")
    await moving.choose("api_credentials")
    await moving.enter(API_CREDENTIALS)
    await listing.choose_car(VOLVO)
    assert listing.abort_reason == "already_configured"
    assert hass.config_entries.async_entries(DOMAIN) == [token_entry]


@pytest.mark.usefixtures("other_application")
async def test_two_applications_live_side_by_side(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Each account offers its own cars, and its commands bear its own token."""
    simulator.add_car(replace(TESLA, application=DEMO_CLIENT_ID))
    simulator.add_car(replace(VOLVO, application=OTHER_CREDENTIALS["client_id"]))
    first = await Dialog.list_of_cars(hass)
    assert list(first.labels) == [TESLA.connection_id, *WAYS_OUT]
    await first.choose_car(TESLA)
    second = await Dialog.new_account(hass, "api_credentials")
    await second.enter(OTHER_CREDENTIALS)
    assert list(second.labels) == [VOLVO.connection_id, *WAYS_OUT]
    await second.choose_car(VOLVO)
    assert accounts(hass) == [API_CREDENTIALS, OTHER_CREDENTIALS]

    await set_schedule(hass, VOLVO)
    await set_schedule(hass, TESLA)
    tokens = [
        simulator.valid_token(request.headers["Authorization"][7:])
        for request in simulator.creates
    ]
    assert [token and token.application for token in tokens] == [
        OTHER_CREDENTIALS["client_id"],
        DEMO_CLIENT_ID,
    ]


# Other credentials for an account


async def test_rejected_credentials_are_asked_for_and_used_at_once(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The secret was rotated: the action that fails opens the form, the next works."""
    account = entry.runtime_data
    simulator.applications[DEMO_CLIENT_ID] = ROTATED["client_secret"]
    simulator.revoke_tokens()
    with pytest.raises(HomeAssistantError):
        await set_schedule(hass)

    dialog = await Dialog.reauth_in_progress(hass, entry)
    assert dialog.step == "reauth_confirm"
    await dialog.confirm()
    assert (dialog.step, dialog.errors) == ("api_credentials", {})
    assert dialog.prefilled == {"client_id": DEMO_CLIENT_ID}
    await dialog.enter(API_CREDENTIALS)
    assert dialog.errors == {"client_secret": "invalid_auth"}
    await dialog.enter(ROTATED)
    assert dialog.abort_reason == "reauth_successful"
    assert entry.data == ROTATED
    assert entry.unique_id == DEMO_CLIENT_ID

    await set_schedule(hass)
    assert last_token(simulator) == simulator.tokens_minted[-1]
    assert (
        b"client_secret=rotated" in simulator.received("POST", "/oauth2/token")[-1].body
    )
    assert entry.runtime_data is account
    assert hass.config_entries.flow.async_progress() == []


@BOTH_WAYS
async def test_new_token_is_used_without_a_reload(
    hass: HomeAssistant, simulator: Simulator, token_entry: MockConfigEntry, source: str
) -> None:
    """Only the credentials change; the car and its entity do not notice."""
    account, state = token_entry.runtime_data, hass.states.get(sensor_of(hass, TESLA))
    simulator.revoke_tokens()
    token = simulator.issue_token(DEMO_CLIENT_ID)
    dialog = await Dialog.new_credentials(hass, token_entry, source)
    assert (
        dialog.step == {"reauth": "reauth_token", "reconfigure": "reconfigure"}[source]
    )
    assert dialog.shown["menu_options"] == ["api_credentials", "access_token"]
    await dialog.choose("access_token")
    assert dialog.step == "access_token"
    assert dialog.errors == {}
    assert dialog.prefilled == {}
    await dialog.enter({"access_token": f" Bearer {token} "})
    assert dialog.abort_reason == f"{source}_successful"
    assert token_entry.data == {"access_token": token}
    assert token_entry.unique_id is None
    assert token_entry.title == "Smartcar (access token)"
    assert hass.states.get(sensor_of(hass, TESLA)) is state

    await set_schedule(hass)
    assert last_token(simulator) == token
    assert token_entry.runtime_data is account


@BOTH_WAYS
async def test_token_account_moves_to_api_credentials(
    hass: HomeAssistant, simulator: Simulator, token_entry: MockConfigEntry, source: str
) -> None:
    """It gets the unique id, and the next action bears a minted token."""
    account, state = token_entry.runtime_data, hass.states.get(sensor_of(hass, TESLA))
    dialog = await Dialog.new_credentials(hass, token_entry, source)
    await dialog.choose("api_credentials")
    assert dialog.step == "api_credentials"
    assert dialog.errors == {}
    assert dialog.prefilled == {}
    await dialog.enter(API_CREDENTIALS)
    assert dialog.abort_reason == f"{source}_successful"
    assert token_entry.data == API_CREDENTIALS
    assert token_entry.unique_id == DEMO_CLIENT_ID
    assert hass.states.get(sensor_of(hass, TESLA)) is state

    await set_schedule(hass)
    assert last_token(simulator) == simulator.tokens_minted[-1]
    assert token_entry.runtime_data is account


@BOTH_WAYS
@pytest.mark.parametrize(
    ("title", "title_after"),
    [("Smartcar (access token)", "Smartcar (…9a88)"), ("My cars", "My cars")],
)
async def test_title_follows_the_credentials_unless_the_user_chose_it(
    hass: HomeAssistant,
    token_entry: MockConfigEntry,
    source: str,
    title: str,
    title_after: str,
) -> None:
    """Only our own words are replaced by others."""
    hass.config_entries.async_update_entry(token_entry, title=title)
    dialog = await Dialog.new_credentials(hass, token_entry, source)
    await dialog.choose("api_credentials")
    await dialog.enter(API_CREDENTIALS)
    assert token_entry.title == title_after


@BOTH_WAYS
@pytest.mark.usefixtures("other_application")
async def test_account_moves_to_an_application_that_has_its_cars(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, source: str
) -> None:
    """The unique id follows, and the next action bears a token of that application."""
    account = entry.runtime_data
    dialog = await Dialog.new_api_credentials(hass, entry, source)
    await dialog.enter(OTHER_CREDENTIALS)
    assert dialog.abort_reason == f"{source}_successful"
    assert entry.data == OTHER_CREDENTIALS
    assert entry.unique_id == OTHER_CREDENTIALS["client_id"]

    await set_schedule(hass)
    assert last_token(simulator) == simulator.tokens_minted[-1]
    assert (
        b"client_id=client_other"
        in simulator.received("POST", "/oauth2/token")[-1].body
    )
    assert entry.runtime_data is account


@BOTH_WAYS
@pytest.mark.usefixtures("other_application")
@pytest.mark.parametrize("cars", [[TESLA, VOLVO]])
@pytest.mark.parametrize(
    "missing",
    [
        {"Volvo EX40 2025": VOLVO},
        {"Tesla Model Y 2024": TESLA, "Volvo EX40 2025": VOLVO},
    ],
)
async def test_application_that_lacks_a_car_is_refused_by_name(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    source: str,
    missing: dict[str, Car],
) -> None:
    """Commands would never reach those cars; the form names them, and stays open."""
    for car in missing.values():
        simulator.add_car(replace(car, application=DEMO_CLIENT_ID))
    dialog = await Dialog.new_api_credentials(hass, entry, source)
    await dialog.enter(OTHER_CREDENTIALS)
    assert dialog.errors == {"client_id": "other_application"}
    assert dialog.step == "api_credentials"
    assert dialog.shown["description_placeholders"]["vehicles"] == ", ".join(missing)
    assert dialog.prefilled == {"client_id": OTHER_CREDENTIALS["client_id"]}
    assert entry.data == API_CREDENTIALS

    for car in missing.values():
        simulator.add_car(car)
    await dialog.enter(OTHER_CREDENTIALS)
    assert dialog.abort_reason == f"{source}_successful"
    assert entry.data == OTHER_CREDENTIALS


@BOTH_WAYS
async def test_own_application_is_accepted_though_it_lacks_a_car(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, source: str
) -> None:
    """A car that is disconnected does not keep a rotated secret out; it is told."""
    simulator.remove_car(TESLA.vehicle_id)
    simulator.applications[DEMO_CLIENT_ID] = ROTATED["client_secret"]
    dialog = await Dialog.new_api_credentials(hass, entry, source)
    await dialog.enter(ROTATED)
    assert dialog.abort_reason == "cars_not_connected"
    assert dialog.told["vehicles"] == "Tesla Model Y 2024"
    assert entry.data == ROTATED


@BOTH_WAYS
async def test_token_of_an_application_without_the_car_is_refused(
    hass: HomeAssistant, simulator: Simulator, token_entry: MockConfigEntry, source: str
) -> None:
    """A token of the car's application is taken in its place."""
    simulator.add_car(replace(TESLA, application=DEMO_CLIENT_ID))
    dialog = await Dialog.new_credentials(hass, token_entry, source)
    await dialog.choose("access_token")
    await dialog.enter({"access_token": simulator.issue_token("client_other")})
    assert dialog.step == "access_token"
    assert dialog.errors == {"access_token": "other_application"}
    assert dialog.shown["description_placeholders"]["vehicles"] == "Tesla Model Y 2024"
    assert dialog.prefilled == {}

    token = simulator.issue_token(DEMO_CLIENT_ID)
    await dialog.enter({"access_token": token})
    assert dialog.abort_reason == f"{source}_successful"
    assert token_entry.data == {"access_token": token}


@BOTH_WAYS
@pytest.mark.usefixtures("other_application")
async def test_client_id_of_another_account_is_an_error_of_the_field(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, source: str
) -> None:
    """One application is one account, which is named; others can still be entered."""
    token = simulator.issue_token()
    other = make_entry(VOLVO, data={"access_token": token})
    other.add_to_hass(hass)
    dialog = await Dialog.new_credentials(hass, other, source)
    await dialog.choose("api_credentials")
    await dialog.enter(API_CREDENTIALS)
    assert dialog.step == "api_credentials"
    assert dialog.errors == {"client_id": "other_account"}
    assert dialog.told["account"] == "Smartcar"
    assert dialog.prefilled == {"client_id": DEMO_CLIENT_ID}
    assert accounts(hass) == [API_CREDENTIALS, {"access_token": token}]

    await dialog.enter(OTHER_CREDENTIALS)
    assert dialog.abort_reason == f"{source}_successful"
    assert accounts(hass) == [API_CREDENTIALS, OTHER_CREDENTIALS]


@pytest.mark.usefixtures("other_application")
async def test_credentials_of_another_account_leave_the_alarm(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """As long as no command of the car can work, the prompt and its issue stay."""
    other = make_entry(VOLVO, data={"access_token": "expired"})
    other.add_to_hass(hass)
    assert await hass.config_entries.async_setup(other.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    dialog = await Dialog.reauth_in_progress(hass, other)
    await dialog.choose("api_credentials")
    await dialog.enter(API_CREDENTIALS)
    assert dialog.errors == {"client_id": "other_account"}
    assert len(reauth_flows(hass)) == len(reauth_issues(hass)) == 1

    await dialog.enter(OTHER_CREDENTIALS)
    assert dialog.abort_reason == "reauth_successful"
    assert reauth_flows(hass) == reauth_issues(hass) == []


async def test_two_accounts_can_not_take_the_same_client_id_at_the_same_moment(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Both wait for the same answer; still only one moves."""
    entries = [
        make_entry(car, data={"access_token": simulator.issue_token()})
        for car in (TESLA, VOLVO)
    ]
    for entry in entries:
        entry.add_to_hass(hass)
    dialogs = [
        await Dialog.new_credentials(hass, entry, "reconfigure") for entry in entries
    ]
    for dialog in dialogs:
        await dialog.choose("api_credentials")
    await asyncio.gather(*(dialog.enter(API_CREDENTIALS) for dialog in dialogs))
    assert [dialog.shown["type"] for dialog in dialogs].count(FlowResultType.FORM) == 1
    assert sorted(entry.data == API_CREDENTIALS for entry in entries) == [False, True]


@BOTH_WAYS
@pytest.mark.parametrize(
    ("mistake", "errors"),
    [
        ({"client_secret": "mistyped"}, {"client_secret": "invalid_auth"}),
        ({"client_id": APPLICATION_ID}, {"client_id": "application_id"}),
    ],
)
async def test_wrong_new_api_credentials_can_be_corrected(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    source: str,
    mistake: dict[str, str],
    errors: dict[str, str],
) -> None:
    """The account keeps what it has until something better is entered."""
    dialog = await Dialog.new_api_credentials(hass, entry, source)
    entered = {**API_CREDENTIALS, **mistake}
    await dialog.enter(entered)
    assert (dialog.step, dialog.errors) == ("api_credentials", errors)
    assert dialog.prefilled == {"client_id": entered["client_id"]}
    assert entry.data == API_CREDENTIALS

    await dialog.enter(API_CREDENTIALS)
    assert dialog.abort_reason == f"{source}_successful"


@BOTH_WAYS
async def test_new_api_credentials_can_be_sent_again_with_a_network(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, source: str
) -> None:
    """No field is to blame while Smartcar can not be reached."""
    dialog = await Dialog.new_api_credentials(hass, entry, source)
    await simulator.stop()
    await dialog.enter(API_CREDENTIALS)
    assert dialog.step == "api_credentials"
    assert dialog.errors == {"base": "cannot_connect"}
    assert dialog.prefilled == {"client_id": DEMO_CLIENT_ID}

    await simulator.start()
    await dialog.enter(API_CREDENTIALS)
    assert dialog.abort_reason == f"{source}_successful"


@BOTH_WAYS
async def test_wrong_new_token_can_be_corrected(
    hass: HomeAssistant, simulator: Simulator, token_entry: MockConfigEntry, source: str
) -> None:
    """The form is empty again, and the account keeps its token until a good one."""
    before, token = token_entry.data, simulator.issue_token()
    dialog = await Dialog.new_credentials(hass, token_entry, source)
    await dialog.choose("access_token")
    await dialog.enter({"access_token": "mistyped"})
    assert dialog.step == "access_token"
    assert dialog.errors == {"access_token": "invalid_auth"}
    assert dialog.prefilled == {}
    assert token_entry.data == before

    await dialog.enter({"access_token": token})
    assert dialog.abort_reason == f"{source}_successful"
    assert token_entry.data == {"access_token": token}


@BOTH_WAYS
async def test_new_token_can_be_sent_again_with_a_network(
    hass: HomeAssistant, simulator: Simulator, token_entry: MockConfigEntry, source: str
) -> None:
    """No field is to blame while Smartcar can not be reached."""
    token = simulator.issue_token()
    dialog = await Dialog.new_credentials(hass, token_entry, source)
    await dialog.choose("access_token")
    await simulator.stop()
    await dialog.enter({"access_token": token})
    assert dialog.step == "access_token"
    assert dialog.errors == {"base": "cannot_connect"}
    assert dialog.prefilled == {}

    await simulator.start()
    await dialog.enter({"access_token": token})
    assert dialog.abort_reason == f"{source}_successful"
    assert token_entry.data == {"access_token": token}


@BOTH_WAYS
async def test_credentials_can_be_exchanged_while_the_account_is_not_loaded(
    hass: HomeAssistant, simulator: Simulator, token_entry: MockConfigEntry, source: str
) -> None:
    """It uses them when it is loaded again."""
    assert await hass.config_entries.async_unload(token_entry.entry_id)
    token = simulator.issue_token()
    dialog = await Dialog.new_credentials(hass, token_entry, source)
    await dialog.choose("access_token")
    await dialog.enter({"access_token": token})
    assert dialog.abort_reason == f"{source}_successful"

    assert await hass.config_entries.async_setup(token_entry.entry_id)
    await set_schedule(hass)
    assert last_token(simulator) == token


# Of all flows


@pytest.mark.parametrize(
    ("kind", "entered", "shown_again"),
    [
        (
            "api_credentials",
            {"client_id": "client_x", "client_secret": "mistyped"},
            {"client_id": "client_x"},
        ),
        ("access_token", {"access_token": "mistyped"}, {}),
    ],
)
async def test_no_secret_is_shown_again(
    hass: HomeAssistant,
    simulator: Simulator,
    kind: str,
    entered: dict[str, str],
    shown_again: dict[str, str],
) -> None:
    """Neither in its field nor anywhere else in what goes to the browser."""
    dialog = await Dialog.new_account(hass, kind)
    await dialog.enter(entered)
    assert dialog.prefilled == shown_again
    assert "mistyped" not in repr(dialog.shown)


@pytest.mark.usefixtures("other_application")
async def test_flows_ask_only_for_what_is_free(
    hass: HomeAssistant, simulator: Simulator, token: str
) -> None:
    """All flows together send nothing but token requests and lists of connections."""
    dialog = await Dialog.new_account(hass, "access_token")
    await dialog.enter({"access_token": token})
    await dialog.choose_car(TESLA)
    entry = dialog.entry
    dialog = await Dialog.new_credentials(hass, entry, "reauth")
    await dialog.choose("api_credentials")
    await dialog.enter(API_CREDENTIALS)
    dialog = await Dialog.new_credentials(hass, entry, "reconfigure")
    await dialog.enter(OTHER_CREDENTIALS)
    dialog = await Dialog.new_car(hass, entry)
    await dialog.choose_car(VOLVO)
    dialog = await Dialog.new_user(hass, entry)
    await dialog.enter({"user_id": TESLA.user_id})
    await hass.async_block_till_done(wait_background_tasks=True)

    assert len(entry.subentries) == 2
    assert {(request.method, request.path) for request in simulator.requests} == {
        ("POST", "/oauth2/token"),
        ("GET", "/v3/connections"),
    }


async def test_secrets_do_not_reach_the_log(
    hass: HomeAssistant,
    simulator: Simulator,
    token: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not even at the level debug, and not when something fails."""
    caplog.set_level(logging.DEBUG)
    dialog = await Dialog.new_account(hass, "access_token")
    simulator.script(
        Fault.error(500, "SERVER", detail=f"no {token}"), REJECTED, path="/connections"
    )
    for _ in range(3):
        await dialog.enter({"access_token": token})
    await dialog.choose_car(TESLA)
    entry = dialog.entry
    await hass.async_block_till_done(wait_background_tasks=True)
    dialog = await Dialog.new_credentials(hass, entry, "reconfigure")
    await dialog.choose("api_credentials")
    simulator.script(
        Fault(
            status=400,
            body={"error": "invalid_client", "error_description": DEMO_CLIENT_SECRET},
        )
    )
    await dialog.enter(API_CREDENTIALS)
    await dialog.enter(API_CREDENTIALS)
    assert entry.data == API_CREDENTIALS
    await set_schedule(hass)

    assert "The connections could not be listed" in caplog.text
    secrets = [token, DEMO_CLIENT_SECRET, *simulator.tokens_minted]
    assert [secret for secret in secrets if secret in caplog.text] == []


# The prompt to sign in again


@pytest.fixture
async def prompted(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> MockConfigEntry:
    """Let a command find out that the account's secret was rotated."""
    simulator.applications[DEMO_CLIENT_ID] = ROTATED["client_secret"]
    simulator.revoke_tokens()
    with pytest.raises(HomeAssistantError):
        await set_schedule(hass)
    await hass.async_block_till_done()
    assert len(reauth_flows(hass)) == len(reauth_issues(hass)) == 1
    return entry


async def test_reconfigure_ends_the_prompt_to_sign_in(
    hass: HomeAssistant, simulator: Simulator, prompted: MockConfigEntry
) -> None:
    """It asks for what has just been entered; its repair issue goes with it."""
    dialog = await Dialog.new_api_credentials(hass, prompted, "reconfigure")
    await dialog.enter({**API_CREDENTIALS, "client_secret": "mistyped"})
    assert len(reauth_flows(hass)) == len(reauth_issues(hass)) == 1

    await dialog.enter(ROTATED)
    assert dialog.abort_reason == "reconfigure_successful"
    await set_schedule(hass)
    await hass.async_block_till_done()
    assert reauth_flows(hass) == reauth_issues(hass) == []


async def test_move_to_api_credentials_ends_the_prompt_for_a_token(
    hass: HomeAssistant, simulator: Simulator, token_entry: MockConfigEntry
) -> None:
    """No token can take the place of what renews itself by a stale prompt."""
    simulator.revoke_tokens()
    with pytest.raises(HomeAssistantError):
        await set_schedule(hass)
    await hass.async_block_till_done()
    assert len(reauth_flows(hass)) == len(reauth_issues(hass)) == 1

    dialog = await Dialog.new_credentials(hass, token_entry, "reconfigure")
    await dialog.choose("api_credentials")
    await dialog.enter(API_CREDENTIALS)
    assert dialog.abort_reason == "reconfigure_successful"
    await set_schedule(hass)
    await hass.async_block_till_done()
    assert reauth_flows(hass) == reauth_issues(hass) == []


async def test_prompt_of_another_account_stays(
    hass: HomeAssistant, simulator: Simulator, prompted: MockConfigEntry
) -> None:
    """What is settled is this account's sign-in."""
    other = make_entry(VOLVO, data={"access_token": simulator.issue_token()})
    other.add_to_hass(hass)
    dialog = await Dialog.new_credentials(hass, other, "reconfigure")
    await dialog.choose("access_token")
    await dialog.enter({"access_token": simulator.issue_token()})
    assert dialog.abort_reason == "reconfigure_successful"
    assert reauth_flows(hass)[0]["context"]["entry_id"] == prompted.entry_id
    assert len(reauth_issues(hass)) == 1


async def test_prompt_for_what_is_not_in_use_any_more_does_not_open(
    hass: HomeAssistant, simulator: Simulator, token_entry: MockConfigEntry
) -> None:
    """Home Assistant began to start it just before the credentials were exchanged."""
    context: Any = {"source": "reauth", "entry_id": token_entry.entry_id}
    rejected = dict(token_entry.data)
    dialog = await Dialog.new_credentials(hass, token_entry, "reconfigure")
    await dialog.choose("api_credentials")
    await dialog.enter(API_CREDENTIALS)
    late = await hass.config_entries.flow.async_init(
        DOMAIN, context=context, data=rejected
    )
    assert (late["type"], late["reason"]) == (
        FlowResultType.ABORT,
        "reauth_successful",
    )


async def test_prompt_that_was_overtaken_changes_nothing(
    hass: HomeAssistant, simulator: Simulator, token_entry: MockConfigEntry
) -> None:
    """Its answer is still on the way when others are in use already."""
    hold, token = asyncio.Event(), simulator.issue_token()
    slower = await Dialog.new_credentials(hass, token_entry, "reauth")
    await slower.choose("access_token")
    simulator.script(Fault(hold=hold), path="/connections")
    entering = hass.async_create_task(slower.enter({"access_token": token}))
    await simulator.wait_for_request(path="/connections", count=2)

    quicker = await Dialog.new_credentials(hass, token_entry, "reconfigure")
    await quicker.choose("api_credentials")
    await quicker.enter(API_CREDENTIALS)
    hold.set()
    await entering
    assert slower.abort_reason == "reauth_successful"
    assert token_entry.data == API_CREDENTIALS


async def test_late_rejection_of_a_list_does_not_ask_to_sign_in(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The list was asked for with credentials that have been exchanged since."""
    hold = asyncio.Event()
    simulator.applications[DEMO_CLIENT_ID] = ROTATED["client_secret"]
    refused = Fault(status=401, body={"error": "invalid_client"}, hold=hold)
    simulator.script(refused, path="/oauth2/token")
    simulator.requests.clear()
    adding = hass.async_create_task(Dialog.new_car(hass, entry))
    await simulator.wait_for_request(path="/oauth2/token")

    dialog = await Dialog.new_api_credentials(hass, entry, "reconfigure")
    await dialog.enter(ROTATED)
    hold.set()
    assert (await adding).abort_reason == "invalid_auth"
    await hass.async_block_till_done()
    assert reauth_flows(hass) == reauth_issues(hass) == []


# Other users of the cars


@BOTH_WAYS
@pytest.mark.usefixtures("users_elsewhere")
async def test_user_under_the_new_credentials_is_taken_over(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, source: str
) -> None:
    """Where there is one choice, it is made: "in use" means that commands work."""
    dialog = await Dialog.new_api_credentials(hass, entry, source)
    await dialog.enter(OTHER_CREDENTIALS)
    assert dialog.abort_reason == f"{source}_successful"
    assert entry.data == OTHER_CREDENTIALS
    assert users_of(entry) == {TESLA.vehicle_id: "user-of-the-other"}

    await set_schedule(hass)
    assert pairs(simulator) == [("client_other", "user-of-the-other")]


@BOTH_WAYS
async def test_user_is_taken_over_with_a_new_token_too(
    hass: HomeAssistant, simulator: Simulator, token_entry: MockConfigEntry, source: str
) -> None:
    """The car was connected again by somebody else since the last token."""
    simulator.add_car(replace(TESLA, user_id="somebody-else"))
    dialog = await Dialog.new_credentials(hass, token_entry, source)
    await dialog.choose("access_token")
    await dialog.enter({"access_token": simulator.issue_token()})
    assert dialog.abort_reason == f"{source}_successful"
    assert users_of(token_entry) == {TESLA.vehicle_id: "somebody-else"}
    await set_schedule(hass)
    assert len(simulator.schedules(TESLA.vehicle_id)) == 1


@BOTH_WAYS
@pytest.mark.parametrize("cars", [[TESLA, VOLVO]])
@pytest.mark.usefixtures("users_elsewhere")
async def test_user_is_asked_for_where_there_are_several(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, source: str
) -> None:
    """Car by car, and only where none of them is in use; until then nothing changes."""
    for car in (TESLA, VOLVO):
        read_only = replace(
            car,
            user_id=f"second-{car.model[-1]}",
            connection_id=f"second-{car.model[-1]}",
            permissions=("read_charge",),
            application="client_other",
        )
        simulator.connect_too(read_only)
    dialog = await Dialog.new_api_credentials(hass, entry, source)
    await dialog.enter(OTHER_CREDENTIALS)
    assert dialog.step == "car_user"
    assert dialog.told["vehicle"] == "Tesla Model Y 2024"
    assert dialog.users == {
        "user-of-the-other": "User user-of-the-other",
        "second-Y": "User second-Y – the permission control_charge is missing",
        "search_again": "search_again",
    }
    await dialog.reopen()
    assert dialog.told["vehicle"] == "Tesla Model Y 2024"
    await dialog.enter({"user_id": "user-of-the-other"})
    assert dialog.told["vehicle"] == "Volvo EX40 2025"
    await dialog.enter({"user_id": "search_again"})
    assert dialog.told["vehicle"] == "Volvo EX40 2025"
    assert entry.data == API_CREDENTIALS
    assert users_of(entry) == {
        TESLA.vehicle_id: TESLA.user_id,
        VOLVO.vehicle_id: VOLVO.user_id,
    }
    await dialog.enter({"user_id": "second-0"})
    assert dialog.abort_reason == f"{source}_successful"
    assert entry.data == OTHER_CREDENTIALS
    assert users_of(entry) == {
        TESLA.vehicle_id: "user-of-the-other",
        VOLVO.vehicle_id: "second-0",
    }
    await set_schedule(hass)
    assert pairs(simulator) == [("client_other", "user-of-the-other")]


@pytest.mark.usefixtures("users_elsewhere")
async def test_user_that_is_one_of_several_is_kept(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """What works is not asked about."""
    again = replace(TESLA, connection_id="again", application="client_other")
    simulator.connect_too(again)
    dialog = await Dialog.new_api_credentials(hass, entry, "reconfigure")
    await dialog.enter(OTHER_CREDENTIALS)
    assert dialog.abort_reason == "reconfigure_successful"
    assert users_of(entry) == {TESLA.vehicle_id: TESLA.user_id}
    await set_schedule(hass)
    assert pairs(simulator) == [("client_other", TESLA.user_id)]


@pytest.fixture
async def asked(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    users_elsewhere: None,
) -> Dialog:
    """Enter credentials under which the Tesla belongs to two users."""
    second = replace(TESLA, user_id="second", connection_id="second")
    simulator.connect_too(replace(second, application="client_other"))
    dialog = await Dialog.new_api_credentials(hass, entry, "reconfigure")
    await dialog.enter(OTHER_CREDENTIALS)
    assert dialog.step == "car_user"
    return dialog


@pytest.mark.parametrize("cars", [[TESLA, VOLVO]])
async def test_users_are_looked_up_again_when_one_is_chosen(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, asked: Dialog
) -> None:
    """The chosen one is gone: the only one that is left is taken."""
    simulator.vehicles[TESLA.vehicle_id].other_connections.pop()
    await asked.enter({"user_id": "second"})
    assert asked.abort_reason == "reconfigure_successful"
    assert users_of(entry)[TESLA.vehicle_id] == "user-of-the-other"


async def test_question_about_a_car_that_is_removed_meanwhile_ends(
    hass: HomeAssistant, entry: MockConfigEntry, asked: Dialog
) -> None:
    """The credentials are exchanged all the same."""
    hass.config_entries.async_remove_subentry(entry, next(iter(entry.subentries)))
    await asked.enter({"user_id": "second"})
    assert asked.abort_reason == "reconfigure_successful"
    assert entry.data == OTHER_CREDENTIALS
    assert users_of(entry) == {}


async def test_question_can_be_answered_again_after_a_failure(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, asked: Dialog
) -> None:
    """The form for the credentials tells what went wrong, and the answer is kept."""
    simulator.always(Fault.error(500, "SERVER"), path="/connections")
    await asked.enter({"user_id": "second"})
    assert (asked.step, asked.errors) == ("api_credentials", {"base": "cannot_connect"})
    assert entry.data == API_CREDENTIALS

    simulator.behave()
    await asked.enter(OTHER_CREDENTIALS)
    assert asked.abort_reason == "reconfigure_successful"
    assert users_of(entry) == {TESLA.vehicle_id: "second"}


@pytest.mark.usefixtures("users_elsewhere")
async def test_commands_in_the_queue_go_with_the_new_pair(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The one that is out ends with the old token and user, the next with the new."""
    hold = asyncio.Event()
    simulator.script(Fault(hold=hold), path="/daily")
    commands = [hass.async_create_task(set_schedule(hass)) for _ in range(3)]
    await simulator.wait_for_request(path="/daily")
    dialog = await Dialog.new_api_credentials(hass, entry, "reconfigure")
    await dialog.enter(OTHER_CREDENTIALS)
    hold.set()
    await asyncio.gather(*commands)
    assert pairs(simulator) == [OLD_PAIR, NEW_PAIR, NEW_PAIR]


@pytest.mark.usefixtures("users_elsewhere")
async def test_new_pair_is_used_while_the_account_is_busy(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """A car is just being added: neither it nor the first one has half of the pair."""
    (subentry,) = make_entry(VOLVO).subentries.values()
    with reading_held(path_of(hass, subentry.subentry_id)):
        hass.config_entries.async_add_subentry(entry, subentry)
        await asyncio.sleep(0.1)
        dialog = await Dialog.new_api_credentials(hass, entry, "reconfigure")
        await dialog.enter(OTHER_CREDENTIALS)
        assert dialog.abort_reason == "reconfigure_successful"
        await set_schedule(hass)
    await hass.async_block_till_done()
    await set_schedule(hass, VOLVO)
    assert pairs(simulator) == [NEW_PAIR, NEW_PAIR]


async def exchanged(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Enter the credentials of the other application, and hear that they are in use."""
    dialog = await Dialog.new_api_credentials(hass, entry, "reconfigure")
    await dialog.enter(OTHER_CREDENTIALS)
    assert dialog.abort_reason == "reconfigure_successful"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Fault(), id="had"),
        pytest.param(Fault(status=500), id="not had"),
        pytest.param(
            Fault(status=400, body={"error": "invalid_client"}), id="rejected"
        ),
    ],
)
@pytest.mark.usefixtures("users_elsewhere")
async def test_command_that_waits_for_its_token_goes_with_the_new_pair(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, answer: Fault
) -> None:
    """Whatever becomes of the old credentials' token."""
    hold = asyncio.Event()
    simulator.always(Fault(merge={"expires_in": 0}), path="/oauth2/token")
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    simulator.requests.clear()
    simulator.script(replace(answer, hold=hold), path="/oauth2/token")
    command = hass.async_create_task(set_schedule(hass))
    await simulator.wait_for_request(path="/oauth2/token")
    await exchanged(hass, entry)
    hold.set()
    await command
    assert pairs(simulator) == [NEW_PAIR]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Fault.error(401, "AUTHENTICATION", "UNAUTHORIZED"), id="rejected"),
        pytest.param(
            Fault.error(429, "RATE_LIMIT", headers={"Retry-After": "1"}), id="limited"
        ),
    ],
)
@pytest.mark.usefixtures("users_elsewhere")
async def test_command_that_is_sent_again_goes_with_the_new_pair(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, answer: Fault
) -> None:
    """Its first sending was provably refused, with the pair of then."""
    hold = asyncio.Event()
    simulator.script(replace(answer, hold=hold), path="/daily")
    command = hass.async_create_task(set_schedule(hass))
    await simulator.wait_for_request(path="/daily")
    await exchanged(hass, entry)
    hold.set()
    await command
    assert pairs(simulator) == [OLD_PAIR, NEW_PAIR]
    assert len(simulator.schedules(TESLA.vehicle_id)) == 1


@pytest.mark.usefixtures("users_elsewhere")
async def test_reading_that_is_sent_again_goes_with_the_new_pair(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """A question is about the same car through the same user as a command."""
    hold = asyncio.Event()
    timers = "/charge-chargetimers"
    simulator.script(replace(REJECTED, hold=hold), path=timers)
    data = {"device_id": device_of(hass, TESLA)}
    reading = hass.async_create_task(
        hass.services.async_call(
            DOMAIN, "get_charge_schedules", data, blocking=True, return_response=True
        )
    )
    await simulator.wait_for_request(path=timers)
    await exchanged(hass, entry)
    hold.set()
    await reading
    assert pairs(simulator, timers) == [OLD_PAIR, NEW_PAIR]
