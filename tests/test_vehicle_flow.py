"""Cars: how one is found, and how more are added to an account, changed and removed."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
import json
from pathlib import Path
from typing import Any

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    ConfigEntry,
    ConfigEntryState,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.smartcar_charging.const import DOMAIN
from tests.conftest import make_entry
from tests.flows import (
    API_CREDENTIALS,
    WAYS_OUT,
    WRONG_IDS,
    Dialog,
    device_of,
    ids_of,
    last_token,
    sensor_of,
    set_schedule,
)
from tests.simulator import DEMO_CLIENT_ID, TESLA, VOLVO, Car, Cut, Fault, Simulator
from tests.texts import INTEGRATION

# What adds the Volvo, by the form that is open.
ENTERED = {"vehicle": {"vehicle": VOLVO.connection_id}, "vehicle_ids": ids_of(VOLVO)}
REJECTED = Fault.error(401, "AUTHENTICATION", "UNAUTHORIZED")
UNANSWERED = Fault(cut=Cut.BEFORE_ANSWER)

SECOND_TESLA = replace(
    TESLA, vehicle_id="car-2222", user_id="user-3333", connection_id="connection-4444"
)
READ_ONLY = ("read_charge", "read_vehicle_info")
NO_PERMISSION = "the permission control_charge is missing"
UNKNOWN_MAKE = "this make is not known to take daily schedules"


@pytest.fixture
def connected(simulator: Simulator) -> Callable[..., None]:
    """Return how exactly these cars get connected; one may be connected twice."""

    def connect(*cars: Car) -> None:
        """Answer with these connections, all of them live."""
        simulator.always(Fault(merge={"data": []}), path="/connections")
        simulator.always(
            Fault(merge={"data": [connection_of(car) for car in cars]}),
            path=lambda request: request.query.get("filter[vehicle.mode]") == "live",
        )

    return connect


@pytest.fixture
def no_cars(simulator: Simulator) -> None:
    """Let the application have no connection."""
    simulator.remove_car(TESLA.vehicle_id)
    simulator.remove_car(VOLVO.vehicle_id)


def connection_of(car: Car) -> dict[str, Any]:
    """Return a connection as Smartcar tells of it."""
    return {
        "id": car.connection_id,
        "attributes": {"permissions": list(car.permissions), "vehicle": car.attributes},
        "relationships": {
            "vehicle": {"data": {"id": car.vehicle_id}},
            "user": {"data": {"id": car.user_id}},
        },
    }


def cars_of(entry: ConfigEntry) -> dict[str, str]:
    """Return the ids of the account's cars and of their users."""
    return {
        subentry.data["vehicle_id"]: subentry.data["user_id"]
        for subentry in entry.subentries.values()
    }


# The words


@pytest.mark.parametrize(
    "path", (INTEGRATION / "translations").iterdir(), ids=lambda path: path.stem
)
def test_both_flows_say_the_same_in_the_same_words(path: Path) -> None:
    """Only rejected credentials are another matter: an account has them already."""
    words = json.loads(path.read_text())
    flow, car_flow = words["config"], words["config_subentries"]["vehicle"]
    for kind, own in (("error", {"invalid_auth"}), ("step", {"reconfigure"})):
        shared = (flow[kind].keys() & car_flow[kind].keys()) - own
        assert len(shared) > 3
        for key in shared:
            assert flow[kind][key] == car_flow[kind][key]
    for key in flow["abort"].keys() & car_flow["abort"].keys() - {
        "reconfigure_successful"
    }:
        assert flow["abort"][key] == car_flow["abort"][key]
    for key in car_flow["abort"].keys() & car_flow["error"].keys():
        assert car_flow["abort"][key] == car_flow["error"][key]


# The list of cars


@pytest.mark.parametrize(
    ("cars", "labels"),
    [
        pytest.param(
            [TESLA, VOLVO], ["Tesla Model Y 2024", "Volvo EX40 2025"], id="plain"
        ),
        pytest.param(
            [TESLA, SECOND_TESLA, VOLVO],
            [
                "Tesla Model Y 2024 (…9ffc, …1e0f)",
                "Tesla Model Y 2024 (…2222, …3333)",
                "Volvo EX40 2025",
            ],
            id="two alike",
        ),
        pytest.param(
            [TESLA, replace(SECOND_TESLA, vehicle_id=TESLA.vehicle_id)],
            ["Tesla Model Y 2024 (…9ffc, …1e0f)", "Tesla Model Y 2024 (…9ffc, …3333)"],
            id="one car, two users",
        ),
        pytest.param(
            [replace(TESLA, mode="simulated")], ["Tesla Model Y 2024"], id="simulated"
        ),
        pytest.param(
            [replace(TESLA, permissions=READ_ONLY)],
            [f"Tesla Model Y 2024 – {NO_PERMISSION}"],
            id="no permission",
        ),
        pytest.param(
            [replace(TESLA, make="LAND_ROVER", model="Range Rover")],
            [f"Land Rover Range Rover 2024 – {UNKNOWN_MAKE}"],
            id="make not known",
        ),
        pytest.param(
            [replace(TESLA, make="BMW", model="i4", permissions=())],
            [f"BMW i4 2024 – {NO_PERMISSION} – {UNKNOWN_MAKE}"],
            id="two hints",
        ),
        pytest.param(
            [replace(TESLA, make="", model="", year=0)], ["Car"], id="nothing known"
        ),
        pytest.param(
            [
                replace(TESLA, make="", model="", year=0),
                replace(SECOND_TESLA, make="", model="", year=0),
            ],
            ["Car (…9ffc, …1e0f)", "Car (…2222, …3333)"],
            id="nothing known of two",
        ),
    ],
)
async def test_list_tells_cars_apart_and_what_stands_in_their_way(
    hass: HomeAssistant,
    connected: Callable[..., None],
    cars: list[Car],
    labels: list[str],
) -> None:
    """Each connection has a label of its own; the last two lead out of the list."""
    connected(*cars)
    dialog = await Dialog.list_of_cars(hass)
    assert dialog.step == "vehicle"
    expected = dict(zip([car.connection_id for car in cars], labels, strict=True))
    assert dialog.labels == {**expected, **WAYS_OUT}


@pytest.mark.parametrize(
    "told", [{}, {"permissions": None}, {"permissions": "control_charge"}]
)
async def test_permissions_that_are_not_told_are_not_missing(
    hass: HomeAssistant, simulator: Simulator, told: dict[str, Any]
) -> None:
    """Only a list without the one that is needed says so."""
    connection = connection_of(TESLA)
    del connection["attributes"]["permissions"]
    connection["attributes"] |= told
    simulator.always(Fault(merge={"data": [connection]}), path="/connections")
    dialog = await Dialog.list_of_cars(hass)
    assert dialog.labels == {TESLA.connection_id: "Tesla Model Y 2024", **WAYS_OUT}
    await dialog.enter_ids(TESLA)
    assert dialog.entry.data == API_CREDENTIALS


async def test_list_has_live_cars_first_then_simulated_ones(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Smartcar's simulated cars can be tried out like real ones."""
    simulator.add_car(replace(SECOND_TESLA, mode="simulated"))
    simulator.remove_car(TESLA.vehicle_id)
    dialog = await Dialog.list_of_cars(hass)
    assert list(dialog.labels) == [
        VOLVO.connection_id,
        SECOND_TESLA.connection_id,
        *WAYS_OUT,
    ]


async def test_car_without_make_model_and_year_can_be_set_up(
    hass: HomeAssistant, simulator: Simulator, connected: Callable[..., None]
) -> None:
    """No part of an id is in what it is called."""
    connected(replace(TESLA, make="", model="", year=0))
    dialog = await Dialog.list_of_cars(hass)
    await dialog.choose_car(TESLA)
    (subentry,) = dialog.entry.subentries.values()
    assert subentry.title == "Car"
    await set_schedule(hass)
    assert len(simulator.schedules(TESLA.vehicle_id)) == 1


@pytest.mark.parametrize(
    "car", [TESLA, replace(SECOND_TESLA, vehicle_id=TESLA.vehicle_id)]
)
async def test_user_is_chosen_with_the_car(
    hass: HomeAssistant, connected: Callable[..., None], car: Car
) -> None:
    """Of one car with two users, the chosen connection counts."""
    connected(TESLA, replace(SECOND_TESLA, vehicle_id=TESLA.vehicle_id))
    dialog = await Dialog.list_of_cars(hass)
    await dialog.choose_car(car)
    (subentry,) = dialog.entry.subentries.values()
    assert subentry.data["vehicle_id"] == TESLA.vehicle_id
    assert subentry.data["user_id"] == car.user_id


async def test_list_can_be_asked_for_again(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """A car that was connected beside the open form is then in it."""
    simulator.remove_car(VOLVO.vehicle_id)
    dialog = await Dialog.list_of_cars(hass)
    assert list(dialog.labels) == [TESLA.connection_id, *WAYS_OUT]
    simulator.add_car(VOLVO)
    await dialog.reopen()
    assert list(dialog.labels) == [TESLA.connection_id, *WAYS_OUT]
    await dialog.search_again()
    assert (dialog.step, dialog.errors) == ("vehicle", {})
    await dialog.choose_car(VOLVO)
    (subentry,) = dialog.entry.subentries.values()
    assert subentry.unique_id == VOLVO.vehicle_id


async def test_car_that_was_disconnected_since_is_not_set_up(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """The list is a new one, from which another car can be chosen."""
    dialog = await Dialog.list_of_cars(hass)
    simulator.remove_car(TESLA.vehicle_id)
    await dialog.choose_car(TESLA)
    assert (dialog.step, dialog.errors) == ("vehicle", {"vehicle": "connection_gone"})
    assert list(dialog.labels) == [VOLVO.connection_id, *WAYS_OUT]

    await dialog.choose_car(VOLVO)
    (subentry,) = dialog.entry.subentries.values()
    assert subentry.unique_id == VOLVO.vehicle_id


async def test_last_car_that_was_disconnected_since_leads_to_what_to_do(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """There is no list without cars."""
    simulator.remove_car(VOLVO.vehicle_id)
    dialog = await Dialog.list_of_cars(hass)
    simulator.remove_car(TESLA.vehicle_id)
    await dialog.choose_car(TESLA)
    assert dialog.step == "no_vehicles"
    simulator.add_car(TESLA)
    await dialog.choose("search")
    await dialog.choose_car(TESLA)
    assert dialog.entry.data == API_CREDENTIALS


async def test_car_that_was_connected_anew_since_is_set_up_with_its_new_user(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """The chosen connection is no more; the new list has the one that there is."""
    dialog = await Dialog.list_of_cars(hass)
    anew = replace(TESLA, connection_id="anew", user_id="somebody-else")
    simulator.add_car(anew)
    await dialog.choose_car(TESLA)
    assert dialog.errors == {"vehicle": "connection_gone"}
    await dialog.choose_car(anew)
    assert cars_of(dialog.entry) == {TESLA.vehicle_id: "somebody-else"}


@pytest.mark.parametrize("choice", [TESLA.connection_id, "search_again"])
async def test_choice_can_be_made_again_after_a_failure(
    hass: HomeAssistant, simulator: Simulator, choice: str
) -> None:
    """The list stays as it was while Smartcar does not answer."""
    dialog = await Dialog.list_of_cars(hass)
    simulator.always(UNANSWERED, path="/connections")
    await dialog.enter({"vehicle": choice})
    assert (dialog.step, dialog.errors) == ("vehicle", {"base": "cannot_connect"})
    assert list(dialog.labels) == [
        TESLA.connection_id,
        VOLVO.connection_id,
        *WAYS_OUT,
    ]

    simulator.behave()
    await dialog.choose_car(TESLA)
    assert dialog.entry.data == API_CREDENTIALS


# The ids, entered by hand


@pytest.mark.parametrize(
    "car", [TESLA, replace(SECOND_TESLA, vehicle_id=TESLA.vehicle_id)]
)
async def test_ids_can_be_entered_in_place_of_the_list(
    hass: HomeAssistant, connected: Callable[..., None], car: Car
) -> None:
    """They name a car and its user just as well; white space around is dropped."""
    connected(TESLA, replace(SECOND_TESLA, vehicle_id=TESLA.vehicle_id))
    dialog = await Dialog.list_of_cars(hass)
    await dialog.enter({"vehicle": "enter_ids"})
    assert (dialog.step, dialog.errors, dialog.prefilled) == ("vehicle_ids", {}, {})
    await dialog.enter({field: f" {value}\n" for field, value in ids_of(car).items()})
    (subentry,) = dialog.entry.subentries.values()
    assert subentry.title == "Tesla Model Y 2024"
    assert subentry.data == {
        **ids_of(car),
        "make": "Tesla",
        "model": "Model Y",
        "year": 2024,
    }


@pytest.mark.parametrize(("mistake", "errors"), WRONG_IDS)
async def test_wrong_ids_can_be_corrected(
    hass: HomeAssistant,
    simulator: Simulator,
    mistake: dict[str, str],
    errors: dict[str, str],
) -> None:
    """The error stands on the id that is wrong, and what was entered stays."""
    dialog = await Dialog.list_of_cars(hass)
    await dialog.enter({"vehicle": "enter_ids"})
    entered = {**ids_of(TESLA), **mistake}
    await dialog.enter(entered)
    assert dialog.step == "vehicle_ids"
    assert dialog.errors == errors
    assert dialog.prefilled == entered

    await dialog.enter(ids_of(TESLA))
    assert dialog.entry.data == API_CREDENTIALS


async def test_known_car_with_another_user_offers_that_user(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """His ID is in the form already, which only needs to be sent again."""
    dialog = await Dialog.list_of_cars(hass)
    await dialog.enter({"vehicle": "enter_ids"})
    await dialog.enter({**ids_of(TESLA), "user_id": VOLVO.user_id})
    assert dialog.step == "vehicle_ids"
    assert dialog.errors == {"user_id": "wrong_user"}
    assert dialog.prefilled == ids_of(TESLA)
    await dialog.enter(dialog.prefilled)
    assert cars_of(dialog.entry) == {TESLA.vehicle_id: TESLA.user_id}


async def test_known_car_with_several_other_users_names_them(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """None of them is filled in, since that would be a guess."""
    simulator.connect_too(replace(TESLA, user_id="second", connection_id="second"))
    dialog = await Dialog.list_of_cars(hass)
    await dialog.enter({"vehicle": "enter_ids"})
    entered = {**ids_of(TESLA), "user_id": VOLVO.user_id}
    await dialog.enter(entered)
    assert dialog.errors == {"user_id": "wrong_user_of_several"}
    assert dialog.told["users"] == f"{TESLA.user_id}, second"
    assert dialog.prefilled == entered
    await dialog.enter({**ids_of(TESLA), "user_id": "second"})
    assert cars_of(dialog.entry) == {TESLA.vehicle_id: "second"}


@pytest.mark.parametrize(
    ("car", "title", "hints"),
    [
        (
            replace(TESLA, permissions=READ_ONLY),
            "Tesla Model Y 2024",
            f"- {NO_PERMISSION}",
        ),
        (replace(TESLA, make="BMW", model="i4"), "BMW i4 2024", f"- {UNKNOWN_MAKE}"),
        (
            replace(TESLA, make="BMW", model="i4", permissions=()),
            "BMW i4 2024",
            f"- {NO_PERMISSION}\n- {UNKNOWN_MAKE}",
        ),
    ],
)
async def test_typed_car_is_warned_of_and_can_be_added_anyway(
    hass: HomeAssistant, simulator: Simulator, car: Car, title: str, hints: str
) -> None:
    """No list has shown what stands in its way; the ids can also be left."""
    simulator.add_car(car)
    dialog = await Dialog.list_of_cars(hass)
    await dialog.enter_ids(car)
    assert (dialog.shown["type"], dialog.step) == (
        FlowResultType.MENU,
        "confirm_vehicle",
    )
    await dialog.reopen()
    assert (dialog.told["vehicle"], dialog.told["hints"]) == (title, hints)
    await dialog.choose("vehicle_ids")
    assert (dialog.step, dialog.prefilled) == ("vehicle_ids", {})
    await dialog.enter(ids_of(car))
    await dialog.choose("add_anyway")
    assert cars_of(dialog.entry) == {TESLA.vehicle_id: TESLA.user_id}


async def test_ids_can_be_sent_again_after_a_failure(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """No field is to blame while Smartcar can not be reached."""
    dialog = await Dialog.list_of_cars(hass)
    await dialog.enter({"vehicle": "enter_ids"})
    simulator.always(UNANSWERED, path="/connections")
    await dialog.enter(ids_of(TESLA))
    assert (dialog.step, dialog.errors) == ("vehicle_ids", {"base": "cannot_connect"})
    assert dialog.prefilled == ids_of(TESLA)

    simulator.behave()
    await dialog.enter(ids_of(TESLA))
    assert dialog.entry.data == API_CREDENTIALS


# No car


@pytest.mark.usefixtures("no_cars")
async def test_car_that_is_connected_meanwhile_is_found(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Without a car, the menu tells what to do, and searches as often as wanted."""
    dialog = await Dialog.list_of_cars(hass)
    assert (dialog.shown["type"], dialog.step) == (FlowResultType.MENU, "no_vehicles")
    assert dialog.shown["menu_options"] == ["search", "vehicle_ids"]
    assert dialog.told["dashboard_url"] == "https://dashboard.smartcar.com"
    await dialog.choose("search")
    assert dialog.step == "no_vehicles"

    simulator.add_car(TESLA)
    await dialog.choose("search")
    assert dialog.step == "vehicle"
    await dialog.choose_car(TESLA)
    assert dialog.entry.data == API_CREDENTIALS


@pytest.mark.usefixtures("no_cars")
async def test_ids_can_be_entered_where_there_is_no_car(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """A car that is connected meanwhile is then known."""
    dialog = await Dialog.list_of_cars(hass)
    await dialog.choose("vehicle_ids")
    assert (dialog.step, dialog.errors, dialog.prefilled) == ("vehicle_ids", {}, {})
    await dialog.enter(ids_of(TESLA))
    assert dialog.errors == {"vehicle_id": "vehicle_not_found"}

    simulator.add_car(TESLA)
    await dialog.enter(ids_of(TESLA))
    assert dialog.entry.data == API_CREDENTIALS


@pytest.mark.usefixtures("no_cars")
@pytest.mark.parametrize(
    ("fault", "errors"),
    [
        (REJECTED, {"client_secret": "invalid_auth"}),
        (UNANSWERED, {"base": "cannot_connect"}),
    ],
)
async def test_search_that_fails_leads_back_to_the_credentials(
    hass: HomeAssistant, simulator: Simulator, fault: Fault, errors: dict[str, str]
) -> None:
    """They are what may be wrong; sent again they lead to the list."""
    dialog = await Dialog.list_of_cars(hass)
    simulator.add_car(TESLA)
    simulator.always(fault, path="/connections")
    await dialog.choose("search")
    assert (dialog.step, dialog.errors) == ("api_credentials", errors)
    assert dialog.prefilled == {"client_id": DEMO_CLIENT_ID}

    simulator.behave()
    await dialog.enter(API_CREDENTIALS)
    await dialog.choose_car(TESLA)
    assert dialog.entry.data == API_CREDENTIALS


# One more car


@pytest.mark.parametrize("way", [Dialog.choose_car, Dialog.enter_ids])
async def test_second_car_joins_without_touching_the_first(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    way: Callable[[Dialog, Car], Coroutine[Any, Any, None]],
) -> None:
    """It works at once with its own ids; the first one's entity is not written anew."""
    account, state = entry.runtime_data, hass.states.get(sensor_of(hass, TESLA))
    dialog = await Dialog.new_car(hass, entry)
    assert dialog.step == "vehicle"
    assert dialog.labels == {
        TESLA.connection_id: "Tesla Model Y 2024 – already set up",
        VOLVO.connection_id: "Volvo EX40 2025",
        **WAYS_OUT,
    }
    await way(dialog, VOLVO)
    assert dialog.shown["type"] is FlowResultType.CREATE_ENTRY
    first, second = entry.subentries.values()
    assert (first.unique_id, second.unique_id) == (TESLA.vehicle_id, VOLVO.vehicle_id)
    assert (second.subentry_type, second.title) == ("vehicle", "Volvo EX40 2025")
    assert second.data == {
        **ids_of(VOLVO),
        "make": "Volvo",
        "model": "EX40",
        "year": 2025,
    }

    await hass.async_block_till_done()
    await set_schedule(hass, VOLVO)
    (request,) = simulator.creates
    assert request.path.split("/")[3] == VOLVO.vehicle_id
    assert request.headers["sc-user-id"] == VOLVO.user_id
    assert hass.states.get(sensor_of(hass, TESLA)) is state
    assert entry.runtime_data is account


async def test_list_begins_with_a_car_that_can_be_added(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """The form preselects the first; those which are set up already come last."""
    dialog = await Dialog.new_car(hass, entry)
    assert list(dialog.labels) == [
        VOLVO.connection_id,
        TESLA.connection_id,
        *WAYS_OUT,
    ]


@pytest.mark.parametrize("way", [Dialog.choose_car, Dialog.enter_ids])
async def test_car_of_the_account_is_not_added_again(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    way: Callable[[Dialog, Car], Coroutine[Any, Any, None]],
) -> None:
    """Whichever way it is chosen."""
    dialog = await Dialog.new_car(hass, entry)
    await way(dialog, TESLA)
    assert dialog.abort_reason == "vehicle_configured"
    assert dialog.told["vehicle"] == "Tesla Model Y 2024"
    assert len(entry.subentries) == 1


async def test_car_of_another_account_is_not_added(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """A car has one account, loaded or not."""
    other = make_entry(VOLVO, data={"access_token": simulator.issue_token()})
    other.add_to_hass(hass)
    dialog = await Dialog.new_car(hass, entry)
    assert dialog.labels[VOLVO.connection_id] == "Volvo EX40 2025 – already set up"
    hass.config_entries.async_update_entry(other, title="Cars for a trial")
    await dialog.choose_car(VOLVO)
    assert dialog.abort_reason == "vehicle_configured"
    assert dialog.told["account"] == "Cars for a trial"
    assert list(cars_of(entry)) == [TESLA.vehicle_id]
    assert list(cars_of(other)) == [VOLVO.vehicle_id]


async def test_car_added_by_two_flows_is_added_once(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Both were at their last step, and both wait for the same answer."""
    dialogs = [await Dialog.new_car(hass, entry) for _ in range(2)]
    await asyncio.gather(*(dialog.enter_ids(VOLVO) for dialog in dialogs))
    assert {dialog.shown["type"] for dialog in dialogs} == {
        FlowResultType.ABORT,
        FlowResultType.CREATE_ENTRY,
    }
    assert list(cars_of(entry)) == [TESLA.vehicle_id, VOLVO.vehicle_id]


async def test_car_can_be_added_while_the_account_is_not_loaded(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """It is there when the account is loaded again."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    dialog = await Dialog.new_car(hass, entry)
    await dialog.choose_car(VOLVO)
    assert dialog.shown["type"] is FlowResultType.CREATE_ENTRY
    assert entry.state is ConfigEntryState.NOT_LOADED

    assert await hass.config_entries.async_setup(entry.entry_id)
    await set_schedule(hass, VOLVO)
    assert simulator.creates[-1].headers["sc-user-id"] == VOLVO.user_id


@pytest.mark.parametrize(("mistake", "errors"), WRONG_IDS)
async def test_wrong_ids_of_one_more_car_can_be_corrected(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    mistake: dict[str, str],
    errors: dict[str, str],
) -> None:
    """As with the first car."""
    simulator.add_car(SECOND_TESLA)
    dialog = await Dialog.new_car(hass, entry)
    await dialog.enter({"vehicle": "enter_ids"})
    entered = {**ids_of(SECOND_TESLA), **mistake}
    await dialog.enter(entered)
    assert dialog.step == "vehicle_ids"
    assert dialog.errors == errors
    assert dialog.prefilled == entered

    await dialog.enter(ids_of(SECOND_TESLA))
    assert dialog.shown["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.usefixtures("no_cars")
async def test_one_more_car_is_searched_for_again(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Where there is none, the menu leads on as it does for the first car."""
    dialog = await Dialog.new_car(hass, entry)
    assert (dialog.shown["type"], dialog.step) == (FlowResultType.MENU, "no_vehicles")
    assert dialog.shown["menu_options"] == ["search", "vehicle_ids"]
    simulator.add_car(VOLVO)
    await dialog.choose("search")
    await dialog.choose_car(VOLVO)
    assert list(cars_of(entry)) == [TESLA.vehicle_id, VOLVO.vehicle_id]


# Trouble with the account's credentials


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault.error(500, "SERVER"), "cannot_connect"),
        (UNANSWERED, "cannot_connect"),
        (Fault.error(403, "PERMISSION"), "not_allowed"),
        (Fault.error(429, "RATE_LIMIT"), "rate_limited"),
        (Fault.error(430, "BILLING"), "refused_by_plan"),
        (Fault.error(400, "VALIDATION"), "refused"),
    ],
)
async def test_list_that_can_not_be_had_ends_the_flow(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    fault: Fault,
    reason: str,
) -> None:
    """There is nothing to choose from; the account is not blamed."""
    simulator.always(fault, path="/connections")
    dialog = await Dialog.new_car(hass, entry)
    assert dialog.abort_reason == reason
    assert list(entry.async_get_active_flows(hass, {SOURCE_REAUTH})) == []


async def test_rejected_credentials_end_the_flow_and_are_asked_for(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """With new ones the car can be added."""
    simulator.applications[DEMO_CLIENT_ID] = "rotated"
    simulator.revoke_tokens()
    dialog = await Dialog.new_car(hass, entry)
    assert dialog.abort_reason == "invalid_auth"

    reauth = await Dialog.reauth_in_progress(hass, entry)
    await reauth.confirm()
    await reauth.enter({"client_id": DEMO_CLIENT_ID, "client_secret": "rotated"})
    dialog = await Dialog.new_car(hass, entry)
    await dialog.choose_car(VOLVO)
    assert list(cars_of(entry)) == [TESLA.vehicle_id, VOLVO.vehicle_id]


@pytest.mark.parametrize("way", [Dialog.choose_car, Dialog.enter_ids])
async def test_open_form_takes_over_credentials_that_were_exchanged_meanwhile(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    way: Callable[[Dialog, Car], Coroutine[Any, Any, None]],
) -> None:
    """What the error asks for is done beside the open form, which is sent again."""
    dialog = await Dialog.new_car(hass, entry)
    simulator.applications[DEMO_CLIENT_ID] = "rotated"
    simulator.revoke_tokens()
    await way(dialog, VOLVO)
    assert dialog.errors == {"base": "invalid_auth"}

    reauth = await Dialog.reauth_in_progress(hass, entry)
    await reauth.confirm()
    await reauth.enter({"client_id": DEMO_CLIENT_ID, "client_secret": "rotated"})
    await dialog.enter(ENTERED[dialog.step])
    assert list(cars_of(entry)) == [TESLA.vehicle_id, VOLVO.vehicle_id]


async def test_expired_token_is_asked_for_when_the_user_is_changed(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """The form stays open meanwhile, and works with the new token."""
    entry = make_entry(TESLA, data={"access_token": simulator.issue_token()})
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    simulator.revoke_tokens()
    dialog = await Dialog.new_user(hass, entry)
    assert (dialog.step, dialog.errors) == ("reconfigure", {"base": "invalid_auth"})

    reauth = await Dialog.reauth_in_progress(hass, entry)
    await reauth.choose("access_token")
    token = simulator.issue_token()
    await reauth.enter({"access_token": token})
    await dialog.enter({"user_id": TESLA.user_id})
    assert dialog.abort_reason == "reconfigure_successful"
    await set_schedule(hass)
    assert last_token(simulator) == token


# Another user


@pytest.mark.parametrize("cars", [[TESLA, VOLVO]])
async def test_changed_user_is_in_the_next_command(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, cars: list[Car]
) -> None:
    """The car was connected again by somebody else.

    The other car keeps its user, and nothing is reloaded.
    """
    account = entry.runtime_data
    states = [hass.states.get(sensor_of(hass, car)) for car in cars]
    simulator.add_car(
        replace(TESLA, user_id="somebody-else", connection_id="another-connection")
    )
    dialog = await Dialog.new_user(hass, entry)
    assert (dialog.step, dialog.errors) == ("reconfigure", {})
    assert dialog.prefilled == {"user_id": "somebody-else"}
    assert dialog.users == {
        "somebody-else": "User somebody-else",
        "search_again": "search_again",
    }
    assert dialog.told["vehicle"] == "Tesla Model Y 2024"
    await dialog.enter(dialog.prefilled)
    assert dialog.abort_reason == "reconfigure_successful"
    assert cars_of(entry) == {
        TESLA.vehicle_id: "somebody-else",
        VOLVO.vehicle_id: VOLVO.user_id,
    }
    first = next(iter(entry.subentries.values()))
    assert (first.title, first.unique_id) == ("Tesla Model Y 2024", TESLA.vehicle_id)
    assert first.data == {
        "vehicle_id": TESLA.vehicle_id,
        "user_id": "somebody-else",
        "make": "Tesla",
        "model": "Model Y",
        "year": 2024,
    }
    assert [hass.states.get(sensor_of(hass, car)) for car in cars] == states

    await set_schedule(hass, TESLA)
    await set_schedule(hass, VOLVO)
    assert [request.headers["sc-user-id"] for request in simulator.creates] == [
        "somebody-else",
        VOLVO.user_id,
    ]
    assert entry.runtime_data is account


async def test_user_is_chosen_among_those_who_connected_the_car(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The one in use is preselected; who connected it meanwhile is searched for."""
    dialog = await Dialog.new_user(hass, entry)
    assert list(dialog.users) == [TESLA.user_id, "search_again"]
    assert dialog.prefilled == {"user_id": TESLA.user_id}
    second = replace(TESLA, user_id="second", connection_id="second")
    simulator.connect_too(replace(second, permissions=READ_ONLY))
    await dialog.enter({"user_id": "search_again"})
    assert (dialog.step, dialog.errors) == ("reconfigure", {})
    assert dialog.prefilled == {"user_id": TESLA.user_id}
    assert dialog.users == {
        TESLA.user_id: f"User {TESLA.user_id}",
        "second": f"User second – {NO_PERMISSION}",
        "search_again": "search_again",
    }
    await dialog.enter({"user_id": "second"})
    assert dialog.abort_reason == "reconfigure_successful"
    assert cars_of(entry) == {TESLA.vehicle_id: "second"}


@pytest.mark.parametrize(
    ("user_id", "errors", "prefilled"),
    [
        ("two words", {"user_id": "invalid_id"}, {"user_id": "two words"}),
        (VOLVO.user_id, {"user_id": "wrong_user"}, {"user_id": TESLA.user_id}),
    ],
)
async def test_wrong_user_can_be_corrected(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    user_id: str,
    errors: dict[str, str],
    prefilled: dict[str, str],
) -> None:
    """The car keeps its user until a right one is typed or chosen."""
    dialog = await Dialog.new_user(hass, entry)
    await dialog.enter({"user_id": user_id})
    assert dialog.step == "reconfigure"
    assert dialog.errors == errors
    assert dialog.prefilled == prefilled
    assert cars_of(entry) == {TESLA.vehicle_id: TESLA.user_id}

    simulator.add_car(replace(TESLA, user_id="somebody-else"))
    await dialog.enter({"user_id": " somebody-else "})
    assert dialog.abort_reason == "reconfigure_successful"
    assert cars_of(entry) == {TESLA.vehicle_id: "somebody-else"}


async def test_wrong_user_of_a_car_with_several_is_not_guessed(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """None is preselected where the one in use has gone, either."""
    for user_id in ("first", "second"):
        other = replace(TESLA, user_id=user_id, connection_id=user_id)
        simulator.connect_too(other)
    vehicle = simulator.vehicles[TESLA.vehicle_id]
    vehicle.car = vehicle.other_connections.pop()
    dialog = await Dialog.new_user(hass, entry)
    assert (dialog.errors, dialog.prefilled) == ({}, {})
    await dialog.enter({"user_id": "typed"})
    assert dialog.errors == {"user_id": "wrong_user_of_several"}
    assert dialog.told["users"] == "second, first"
    assert dialog.prefilled == {}
    await dialog.enter({"user_id": "first"})
    assert dialog.abort_reason == "reconfigure_successful"
    assert cars_of(entry) == {TESLA.vehicle_id: "first"}


async def test_user_of_a_car_that_is_not_connected_can_not_be_changed(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """No user id would be right; the error names the car.

    It goes when the car is connected again.
    """
    simulator.remove_car(TESLA.vehicle_id)
    dialog = await Dialog.new_user(hass, entry)
    for _ in range(2):
        assert dialog.step == "reconfigure"
        assert dialog.errors == {"base": "not_connected"}
        assert dialog.told["vehicle"] == "Tesla Model Y 2024"
        await dialog.enter({"user_id": "somebody-else"})

    simulator.add_car(replace(TESLA, user_id="somebody-else"))
    await dialog.enter({"user_id": "somebody-else"})
    assert dialog.abort_reason == "reconfigure_successful"


async def test_user_can_be_typed_and_sent_again_with_a_network(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Without the list the form is one for text; what was entered stays in it."""
    await simulator.stop()
    dialog = await Dialog.new_user(hass, entry)
    assert (dialog.step, dialog.errors) == ("reconfigure", {"base": "cannot_connect"})
    assert dialog.prefilled == {"user_id": TESLA.user_id}
    await dialog.enter({"user_id": "somebody-else"})
    assert (dialog.step, dialog.errors) == ("reconfigure", {"base": "cannot_connect"})
    assert dialog.prefilled == {"user_id": "somebody-else"}

    await simulator.start()
    simulator.add_car(replace(TESLA, user_id="somebody-else"))
    await dialog.enter({"user_id": "somebody-else"})
    assert dialog.abort_reason == "reconfigure_successful"


async def test_user_can_be_changed_while_the_account_is_not_loaded(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The car has its new user when the account is loaded again."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    simulator.add_car(replace(TESLA, user_id="somebody-else"))
    dialog = await Dialog.new_user(hass, entry)
    await dialog.enter({"user_id": "somebody-else"})
    assert dialog.abort_reason == "reconfigure_successful"

    assert await hass.config_entries.async_setup(entry.entry_id)
    await set_schedule(hass)
    assert simulator.creates[-1].headers["sc-user-id"] == "somebody-else"


# One car less


@pytest.mark.parametrize("cars", [[TESLA, VOLVO]])
async def test_removed_car_leaves_nothing_behind(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, cars: list[Car]
) -> None:
    """Its device, its entity and its record go; the other car stays as it is."""
    for car in cars:
        await set_schedule(hass, car)
    tesla, volvo = entry.subentries
    records = {
        key: Path(hass.config.path(".storage", f"{DOMAIN}.{key}"))
        for key in (tesla, volvo)
    }
    assert all(record.exists() for record in records.values())
    sensor, device = sensor_of(hass, TESLA), device_of(hass, TESLA)
    account, state = entry.runtime_data, hass.states.get(sensor_of(hass, VOLVO))

    hass.config_entries.async_remove_subentry(entry, tesla)
    await hass.async_block_till_done()
    assert dr.async_get(hass).async_get(device) is None
    assert er.async_get(hass).async_get(sensor) is None
    assert hass.states.get(sensor) is None
    assert not records[tesla].exists()

    assert records[volvo].exists()
    assert hass.states.get(sensor_of(hass, VOLVO)) is state
    await set_schedule(hass, VOLVO)
    assert entry.runtime_data is account


async def test_removed_car_can_be_added_again(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """It starts without a record, and works."""
    await set_schedule(hass)
    hass.config_entries.async_remove_subentry(entry, next(iter(entry.subentries)))
    await hass.async_block_till_done()
    dialog = await Dialog.new_car(hass, entry)
    await dialog.choose_car(TESLA)
    await hass.async_block_till_done()
    state = hass.states.get(sensor_of(hass, TESLA))
    assert state is not None
    assert state.state == "unknown"
    await set_schedule(hass)
    assert len(simulator.creates) == 2
