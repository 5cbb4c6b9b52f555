"""The list of connected cars, and the free check of the credentials."""

from typing import Any

import pytest

from custom_components.smartcar_charging.smartcar import (
    AuthenticationError,
    Connection,
    RefusedError,
    SmartcarClient,
    SmartcarError,
    UnconfirmedError,
    client,
)
from tests.simulator import REMOVED, TESLA, VOLVO, Car, Fault, Simulator

from .conftest import paths

SIMULATED = Car(
    make="VOLVO",
    model="EX30",
    year=2025,
    mode="simulated",
    permissions=("read_charge",),
)


def resource(
    connection_id: object = "connection",
    vehicle_id: object = "car",
    user_id: object = "user",
) -> Any:
    """Return a connection as Smartcar lists it, or with something else for an id."""
    return {
        "id": connection_id,
        "type": "connection",
        "relationships": {
            "vehicle": {"data": {"id": vehicle_id}},
            "user": {"data": {"id": user_id}},
        },
    }


async def test_connections_are_the_official_request(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """The list is asked for by mode and page, with the token and no user."""
    await smartcar.async_get_connections()

    live, simulated = simulator.received("GET")
    assert live.path == simulated.path == "/v3/connections"
    assert live.query == {
        "filter[vehicle.mode]": "live",
        "page[number]": "1",
        "page[size]": "100",
    }
    assert simulated.query == {
        "filter[vehicle.mode]": "simulated",
        "page[number]": "1",
        "page[size]": "100",
    }
    assert live.headers["Authorization"] == f"Bearer {simulator.tokens_minted[0]}"
    assert "sc-user-id" not in live.headers
    assert live.body == b""


async def test_live_cars_come_before_simulated_ones(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """All connected cars are listed, with what is known of them."""
    simulator.add_car(SIMULATED)

    tesla, volvo, simulated = await smartcar.async_get_connections()

    assert tesla == Connection(
        connection_id=TESLA.connection_id,
        vehicle_id=TESLA.vehicle_id,
        user_id=TESLA.user_id,
        permissions=frozenset({"control_charge", "read_charge", "read_vehicle_info"}),
        make="TESLA",
        model="Model Y",
        year=2024,
    )
    assert (volvo.vehicle_id, volvo.lacks_control_charge) == (VOLVO.vehicle_id, False)
    assert (simulated.vehicle_id, simulated.lacks_control_charge) == (
        SIMULATED.vehicle_id,
        True,
    )


@pytest.mark.parametrize(
    ("told", "lacks"),
    [
        ({"permissions": ["control_charge"]}, False),
        ({"permissions": ["read_charge"]}, True),
        ({"permissions": []}, True),
        ({"permissions": ["read_charge", 5]}, False),
        ({"permissions": "read_charge"}, False),
        ({"permissions": None}, False),
        ({}, False),
    ],
)
async def test_permission_is_lacking_only_if_others_are_told(
    simulator: Simulator, smartcar: SmartcarClient, told: dict[str, Any], lacks: bool
) -> None:
    """What is not told, or garbled, is unknown."""
    body = {"data": [{**resource(), "attributes": told}]}
    simulator.always(Fault(body=body), path="/connections")

    (connection,) = await smartcar.async_get_connections()

    assert connection.lacks_control_charge is lacks


async def test_all_pages_are_read(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """More cars than fit on a page are all listed, once each."""
    for _ in range(248):
        simulator.add_car(Car(make="TESLA", model="Model 3", year=2023))

    connections = await smartcar.async_get_connections()

    assert [connection.vehicle_id for connection in connections] == list(
        simulator.vehicles
    )
    assert [request.query["page[number]"] for request in simulator.received("GET")] == [
        "1",
        "2",
        "3",
        "1",
    ]


@pytest.mark.parametrize(
    "merge",
    [
        {"links": REMOVED},
        {"links": None},
        {"meta": REMOVED},
        {"meta": {"totalCount": None}},
    ],
)
async def test_link_or_count_alone_lead_to_the_next_page(
    simulator: Simulator, smartcar: SmartcarClient, merge: dict[str, Any]
) -> None:
    """Either sign of a further page is enough."""
    simulator.always(Fault(merge=merge), path="/connections")
    for _ in range(100):
        simulator.add_car(Car(make="TESLA", model="Model 3", year=2023))

    assert len(await smartcar.async_get_connections()) == 102


@pytest.mark.parametrize(
    "merge",
    [
        {"links": REMOVED, "meta": REMOVED},
        {"links": [], "meta": {"totalCount": "many"}},
    ],
)
async def test_no_sign_of_a_further_page_ends_the_list(
    simulator: Simulator, smartcar: SmartcarClient, merge: dict[str, Any]
) -> None:
    """Without link and count the page is the last one."""
    simulator.always(Fault(merge=merge), path="/connections")

    assert len(await smartcar.async_get_connections()) == 2
    assert len(simulator.received("GET")) == 2


async def test_full_page_that_is_the_last_ends_the_list(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """A hundred cars are one page."""
    for _ in range(98):
        simulator.add_car(Car(make="TESLA", model="Model 3", year=2023))

    assert len(await smartcar.async_get_connections()) == 100
    assert len(simulator.received("GET")) == 2


async def test_repeated_page_ends_the_list(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """A server that gives the same page for ever is asked twice for each mode."""
    body = {"data": [resource()], "links": {"next": "/connections"}}
    simulator.always(Fault(body=body), path="/connections")

    await smartcar.async_get_connections()

    assert len(simulator.received("GET")) == 4


async def test_list_without_end_is_ended(
    simulator: Simulator, smartcar: SmartcarClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is a last page, whatever the server says."""
    monkeypatch.setattr(client, "MAX_PAGES", 2)
    for _ in range(300):
        simulator.add_car(Car(make="TESLA", model="Model 3", year=2023))

    assert len(await smartcar.async_get_connections()) == 200


async def test_garbage_among_the_resources_is_skipped(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """What names no car and user by valid ids is not a connection."""
    garbage: list[Any] = [
        None,
        5,
        "car",
        [],
        {},
        {"id": "x", "relationships": []},
        {"id": "x", "relationships": {"vehicle": 1}},
    ]
    bad_ids = [
        resource(connection_id=5),
        resource(vehicle_id=".."),
        resource(user_id="a/b"),
        resource(user_id=None),
    ]
    simulator.script(
        Fault(body={"data": [*garbage, *bad_ids, resource()]}), path="/connections"
    )

    (connection,) = await smartcar.async_get_connections()

    assert connection == Connection(
        connection_id="connection", vehicle_id="car", user_id="user"
    )


@pytest.mark.parametrize(
    "body",
    [
        None,
        "<html>",
        "[]",
        "null",
        {"data": None},
        {"data": {"id": "x"}},
        {"data": "cars"},
        {},
        "[" * 200_000,
    ],
)
async def test_list_that_is_none_is_unconfirmed(
    simulator: Simulator, smartcar: SmartcarClient, body: Any
) -> None:
    """An answer that holds no list is not taken for an account without cars."""
    simulator.script(Fault(body=body), path="/connections")

    with pytest.raises(UnconfirmedError, match="could not be read"):
        await smartcar.async_get_connections()


async def test_no_cars_is_an_empty_list(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """An account without cars is fine."""
    simulator.vehicles.clear()

    assert await smartcar.async_get_connections() == []


async def test_check_of_credentials_is_free_and_small(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """The check asks for one connection, which costs nothing."""
    await smartcar.async_check_credentials()

    assert paths(simulator) == ["/oauth2/token", "/v3/connections"]
    assert simulator.requests[1].query == {"page[number]": "1", "page[size]": "1"}


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        (Fault.error(401, "AUTHENTICATION", "UNAUTHORIZED"), AuthenticationError),
        (Fault.error(403, "PERMISSION"), RefusedError),
        (Fault.error(500, "SERVER", "INTERNAL"), UnconfirmedError),
    ],
)
async def test_check_of_credentials_says_what_is_wrong(
    simulator: Simulator,
    pasted: SmartcarClient,
    fault: Fault,
    raised: type[SmartcarError],
) -> None:
    """A check that fails raises what Smartcar answered."""
    simulator.script(fault)

    with pytest.raises(raised) as caught:
        await pasted.async_check_credentials()

    assert type(caught.value) is raised


async def test_a_car_in_both_modes_is_listed_once(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """A server that does not heed the filter would else double every car."""
    simulator.always(
        Fault(body={"data": [resource()], "links": {"next": None}}), path="/connections"
    )

    assert [
        connection.vehicle_id for connection in await smartcar.async_get_connections()
    ] == ["car"]
