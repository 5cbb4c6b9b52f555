"""Accounts: their set-up with a first car, and the exchange of their credentials."""

import asyncio
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
    WRONG_IDS,
    Dialog,
    ids_of,
    last_token,
    sensor_of,
    set_schedule,
)
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
API_CREDENTIALS_STEP = {
    "reauth": "reauth_confirm",
    "reconfigure": "new_api_credentials",
}
BOTH_WAYS = pytest.mark.parametrize("source", ["reauth", "reconfigure"])

FAILED_LISTS = [
    pytest.param(Fault.error(500, "SERVER"), id="server error"),
    pytest.param(Fault.error(403, "PERMISSION"), id="refused"),
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


async def test_access_token_and_ids_make_an_account(
    hass: HomeAssistant, simulator: Simulator, token: str
) -> None:
    """One form is enough; the entry has no unique id, since nothing of it lasts."""
    dialog = await Dialog.new_account(hass, "access_token")
    assert (dialog.step, dialog.errors, dialog.prefilled) == ("access_token", {}, {})
    await dialog.enter({"access_token": token, **ids_of(VOLVO)})

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
    ids = {field: f" {value} " for field, value in ids_of(TESLA).items()}
    await dialog.enter({"access_token": pasted.format(token), **ids})
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
    await dialog.enter({"access_token": token, **ids_of(TESLA)})
    assert (dialog.step, dialog.errors) == ("access_token", {"base": "cannot_connect"})
    assert accounts(hass) == []

    await simulator.start()
    await dialog.enter({"access_token": token, **ids_of(TESLA)})
    assert accounts(hass) == [{"access_token": token}]


@pytest.mark.parametrize("wrong", ["expired", "not a token", "tök"])
async def test_wrong_token_can_be_corrected(
    hass: HomeAssistant, simulator: Simulator, token: str, wrong: str
) -> None:
    """The ids stay in the form, the token does not."""
    dialog = await Dialog.new_account(hass, "access_token")
    await dialog.enter({"access_token": wrong, **ids_of(TESLA)})
    assert dialog.step == "access_token"
    assert dialog.errors == {"access_token": "invalid_auth"}
    assert dialog.prefilled == ids_of(TESLA)

    await dialog.enter({"access_token": token, **ids_of(TESLA)})
    assert dialog.entry.data == {"access_token": token}


@pytest.mark.parametrize(("mistake", "errors"), WRONG_IDS)
async def test_wrong_ids_beside_a_token_can_be_corrected(
    hass: HomeAssistant,
    simulator: Simulator,
    token: str,
    mistake: dict[str, str],
    errors: dict[str, str],
) -> None:
    """The error stands on the id that is wrong; the token has to be pasted again."""
    dialog = await Dialog.new_account(hass, "access_token")
    entered = {**ids_of(TESLA), **mistake}
    await dialog.enter({"access_token": token, **entered})
    assert (dialog.step, dialog.errors) == ("access_token", errors)
    assert dialog.prefilled == entered

    await dialog.enter({"access_token": token, **ids_of(TESLA)})
    assert dialog.entry.data == {"access_token": token}


async def test_what_can_not_be_an_id_is_not_asked_for(
    hass: HomeAssistant, simulator: Simulator, token: str
) -> None:
    """Such a form is answered without a request."""
    dialog = await Dialog.new_account(hass, "access_token")
    await dialog.enter(
        {"access_token": token, "vehicle_id": "..", "user_id": TESLA.user_id}
    )
    assert dialog.errors == {"vehicle_id": "invalid_id"}
    assert simulator.requests == []


@pytest.mark.parametrize("fault", FAILED_LISTS)
async def test_token_can_be_sent_again_after_a_failure(
    hass: HomeAssistant, simulator: Simulator, token: str, fault: Fault
) -> None:
    """The ids stay in the form, and the token is good for another try."""
    dialog = await Dialog.new_account(hass, "access_token")
    simulator.always(fault, path="/connections")
    await dialog.enter({"access_token": token, **ids_of(TESLA)})
    assert (dialog.step, dialog.errors) == ("access_token", {"base": "cannot_connect"})
    assert dialog.prefilled == ids_of(TESLA)

    simulator.behave()
    await dialog.enter({"access_token": token, **ids_of(TESLA)})
    assert dialog.entry.data == {"access_token": token}


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


async def test_car_is_set_up_only_once(
    hass: HomeAssistant, token: str, entry: MockConfigEntry
) -> None:
    """A car of one account can not be the first car of another."""
    dialog = await Dialog.new_account(hass, "access_token")
    await dialog.enter({"access_token": token, **ids_of(TESLA)})
    assert dialog.abort_reason == "already_configured"
    assert accounts(hass) == [API_CREDENTIALS]


async def test_first_of_two_flows_gets_the_car(hass: HomeAssistant, token: str) -> None:
    """The other one, at its last step too, ends; what the first made stays."""
    slower = await Dialog.list_of_cars(hass)
    quicker = await Dialog.new_account(hass, "access_token")
    await quicker.enter({"access_token": token, **ids_of(TESLA)})
    await slower.choose_car(TESLA)
    assert slower.abort_reason == "already_configured"
    assert accounts(hass) == [{"access_token": token}]
    assert quicker.entry.state is ConfigEntryState.LOADED


async def test_car_chosen_twice_at_the_same_moment_is_set_up_once(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Both wait for the same answer; still only one makes an account."""
    dialogs = [await Dialog.new_account(hass, "access_token") for _ in range(2)]
    entered = [
        {"access_token": simulator.issue_token(), **ids_of(TESLA)} for _ in dialogs
    ]
    await asyncio.gather(
        *(dialog.enter(values) for dialog, values in zip(dialogs, entered, strict=True))
    )
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
    await moving.choose("new_api_credentials")
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
    assert list(first.labels) == [TESLA.connection_id, "enter_ids"]
    await first.choose_car(TESLA)
    second = await Dialog.new_account(hass, "api_credentials")
    await second.enter(OTHER_CREDENTIALS)
    assert list(second.labels) == [VOLVO.connection_id, "enter_ids"]
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
    rotated = {**API_CREDENTIALS, "client_secret": "rotated"}
    simulator.applications[DEMO_CLIENT_ID] = rotated["client_secret"]
    simulator.revoke_tokens()
    with pytest.raises(HomeAssistantError):
        await set_schedule(hass)

    dialog = await Dialog.reauth_in_progress(hass, entry)
    assert (dialog.step, dialog.errors) == ("reauth_confirm", {})
    assert dialog.prefilled == {"client_id": DEMO_CLIENT_ID}
    await dialog.enter(API_CREDENTIALS)
    assert dialog.errors == {"client_secret": "invalid_auth"}
    await dialog.enter(rotated)
    assert dialog.abort_reason == "reauth_successful"
    assert entry.data == rotated
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
    assert dialog.shown["menu_options"] == ["new_api_credentials", "new_access_token"]
    await dialog.choose("new_access_token")
    assert dialog.step == "new_access_token"
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
    await dialog.choose("new_api_credentials")
    assert dialog.step == "new_api_credentials"
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
    await dialog.choose("new_api_credentials")
    await dialog.enter(API_CREDENTIALS)
    assert token_entry.title == title_after


@BOTH_WAYS
@pytest.mark.usefixtures("other_application")
async def test_account_moves_to_an_application_that_has_its_cars(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, source: str
) -> None:
    """The unique id follows, and the next action bears a token of that application."""
    account = entry.runtime_data
    dialog = await Dialog.new_credentials(hass, entry, source)
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
    dialog = await Dialog.new_credentials(hass, entry, source)
    await dialog.enter(OTHER_CREDENTIALS)
    assert dialog.errors == {"client_id": "other_application"}
    assert dialog.step == API_CREDENTIALS_STEP[source]
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
    """A car that is disconnected for the moment does not keep a rotated secret out."""
    simulator.remove_car(TESLA.vehicle_id)
    rotated = {**API_CREDENTIALS, "client_secret": "rotated"}
    simulator.applications[DEMO_CLIENT_ID] = rotated["client_secret"]
    dialog = await Dialog.new_credentials(hass, entry, source)
    await dialog.enter(rotated)
    assert dialog.abort_reason == f"{source}_successful"
    assert entry.data == rotated


@BOTH_WAYS
async def test_token_of_an_application_without_the_car_is_refused(
    hass: HomeAssistant, simulator: Simulator, token_entry: MockConfigEntry, source: str
) -> None:
    """A token of the car's application is taken in its place."""
    simulator.add_car(replace(TESLA, application=DEMO_CLIENT_ID))
    dialog = await Dialog.new_credentials(hass, token_entry, source)
    await dialog.choose("new_access_token")
    await dialog.enter({"access_token": simulator.issue_token("client_other")})
    assert dialog.step == "new_access_token"
    assert dialog.errors == {"access_token": "other_application"}
    assert dialog.shown["description_placeholders"]["vehicles"] == "Tesla Model Y 2024"
    assert dialog.prefilled == {}

    token = simulator.issue_token(DEMO_CLIENT_ID)
    await dialog.enter({"access_token": token})
    assert dialog.abort_reason == f"{source}_successful"
    assert token_entry.data == {"access_token": token}


@BOTH_WAYS
@pytest.mark.usefixtures("other_application")
async def test_client_id_of_another_account_is_refused(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, source: str
) -> None:
    """One application is one account."""
    other = make_entry(VOLVO, data={"access_token": simulator.issue_token()})
    other.add_to_hass(hass)
    dialog = await Dialog.new_credentials(hass, other, source)
    await dialog.choose("new_api_credentials")
    await dialog.enter(API_CREDENTIALS)
    assert dialog.abort_reason == "already_configured"
    assert "access_token" in other.data
    assert entry.data == API_CREDENTIALS


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
        await dialog.choose("new_api_credentials")
    await asyncio.gather(*(dialog.enter(API_CREDENTIALS) for dialog in dialogs))
    assert {dialog.abort_reason for dialog in dialogs} == {
        "reconfigure_successful",
        "already_configured",
    }
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
    dialog = await Dialog.new_credentials(hass, entry, source)
    entered = {**API_CREDENTIALS, **mistake}
    await dialog.enter(entered)
    assert (dialog.step, dialog.errors) == (API_CREDENTIALS_STEP[source], errors)
    assert dialog.prefilled == {"client_id": entered["client_id"]}
    assert entry.data == API_CREDENTIALS

    await dialog.enter(API_CREDENTIALS)
    assert dialog.abort_reason == f"{source}_successful"


@BOTH_WAYS
async def test_new_api_credentials_can_be_sent_again_with_a_network(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, source: str
) -> None:
    """No field is to blame while Smartcar can not be reached."""
    dialog = await Dialog.new_credentials(hass, entry, source)
    await simulator.stop()
    await dialog.enter(API_CREDENTIALS)
    assert dialog.step == API_CREDENTIALS_STEP[source]
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
    await dialog.choose("new_access_token")
    await dialog.enter({"access_token": "mistyped"})
    assert dialog.step == "new_access_token"
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
    await dialog.choose("new_access_token")
    await simulator.stop()
    await dialog.enter({"access_token": token})
    assert dialog.step == "new_access_token"
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
    await dialog.choose("new_access_token")
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
        ("access_token", {"access_token": "mistyped", **ids_of(TESLA)}, ids_of(TESLA)),
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
    await dialog.enter({"access_token": token, **ids_of(TESLA)})
    entry = dialog.entry
    dialog = await Dialog.new_credentials(hass, entry, "reauth")
    await dialog.choose("new_api_credentials")
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
    await dialog.enter({"access_token": token, **ids_of(TESLA)})
    await dialog.enter({"access_token": token, **ids_of(TESLA)})
    await dialog.enter({"access_token": token, **ids_of(TESLA)})
    entry = dialog.entry
    await hass.async_block_till_done(wait_background_tasks=True)
    dialog = await Dialog.new_credentials(hass, entry, "reconfigure")
    await dialog.choose("new_api_credentials")
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
