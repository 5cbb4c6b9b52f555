"""Requests: what goes over the wire, for whom, and within which limits."""

import asyncio
from datetime import time

import aiohttp
import pytest

from custom_components.smartcar_charging.smartcar import (
    ClientCredentials,
    InvalidIdError,
    NotSentError,
    RefusedError,
    SmartcarClient,
    client,
    create_trace_config,
)
from tests.simulator import TESLA, VOLVO, Fault, ReceivedRequest, Simulator

from .conftest import SCHEDULE, create, delete, paths

# What aiohttp adds to every request.
TRANSPORT_HEADERS = {
    "Host",
    "Accept",
    "Accept-Encoding",
    "User-Agent",
    "Content-Length",
}

NO_IDS = [
    ".",
    "..",
    "a/b",
    "",
    "a" * 129,
    "a\n",
    "\n",
    "a b",
    "a?b",
    "a#b",
    "%2e%2e",
    "ä",
    "٣",
    "a\x00",
]


def special_headers(request: ReceivedRequest) -> dict[str, str]:
    """Return the headers that are the client's own."""
    return {
        name: value
        for name, value in request.headers.items()
        if name not in TRANSPORT_HEADERS
    }


async def test_create_is_the_official_request(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """A create is what the documentation shows, and nothing else."""
    await create(smartcar)

    (request,) = simulator.creates
    assert request.method == "POST"
    assert request.path == f"/v3/vehicles/{TESLA.vehicle_id}/charge-schedules/daily"
    assert request.query == {}
    assert special_headers(request) == {
        "Authorization": f"Bearer {simulator.tokens_minted[0]}",
        "sc-user-id": TESLA.user_id,
        "Content-Type": "application/json",
    }
    assert request.json == {
        "data": {
            "attributes": {
                "location": {"latitude": 37.7749, "longitude": -122.4194},
                "startTime": "08:00",
                "stopTime": "10:00",
            }
        }
    }


async def test_create_returns_the_execution(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """A success tells all that Smartcar said."""
    execution = await create(smartcar)

    (schedule,) = simulator.schedules(TESLA.vehicle_id)
    assert execution.schedule_id == schedule.id
    assert (execution.action, execution.schedule_type, execution.status) == (
        "create",
        "daily",
        "SUCCESS",
    )
    assert (execution.location, execution.start_time, execution.stop_time) == (
        SCHEDULE.location,
        time(8),
        time(10),
    )
    assert execution.execution_mode == "sync"
    assert execution.duration_seconds == 2
    assert execution.request_id


async def test_delete_has_no_body(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """A delete names the schedule in its path and brings nothing else."""
    schedule_id = (await create(smartcar)).schedule_id or ""

    execution = await delete(smartcar, schedule_id)

    (request,) = simulator.deletes
    assert request.method == "DELETE"
    assert (
        request.path
        == f"/v3/vehicles/{TESLA.vehicle_id}/charge-schedules/{schedule_id}"
    )
    assert request.query == {}
    assert special_headers(request) == {
        "Authorization": f"Bearer {simulator.tokens_minted[0]}",
        "sc-user-id": TESLA.user_id,
    }
    assert request.body == b""
    assert (execution.action, execution.schedule_id) == ("delete", schedule_id)
    assert simulator.schedules(TESLA.vehicle_id) == []


async def test_a_command_is_one_request(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """A command costs one billable request, and a free one for the token."""
    await create(smartcar)

    assert paths(simulator) == [
        "/oauth2/token",
        f"/v3/vehicles/{TESLA.vehicle_id}/charge-schedules/daily",
    ]


async def test_each_user_has_their_own_ids(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """Commands for two users at once bear each their own ids, and share the token."""
    await asyncio.gather(create(smartcar, TESLA), create(smartcar, VOLVO))

    sent = {
        (request.path.split("/")[3], request.headers["sc-user-id"])
        for request in simulator.creates
    }
    assert sent == {
        (TESLA.vehicle_id, TESLA.user_id),
        (VOLVO.vehicle_id, VOLVO.user_id),
    }
    assert len(simulator.tokens_minted) == 1
    assert (
        len(simulator.schedules(TESLA.vehicle_id))
        == len(simulator.schedules(VOLVO.vehicle_id))
        == 1
    )


async def test_wrong_user_is_refused(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """Smartcar's refusal of another user's car comes through with its reason."""
    with pytest.raises(
        RefusedError, match="RESOURCE_NOT_FOUND/VEHICLE_NOT_FOUND"
    ) as caught:
        await smartcar.async_create_daily_schedule(
            TESLA.vehicle_id, VOLVO.user_id, SCHEDULE
        )

    assert type(caught.value) is RefusedError
    assert caught.value.details.http_status == 404


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("no_id", NO_IDS)
async def test_what_is_no_id_is_never_sent(
    simulator: Simulator, smartcar: SmartcarClient, no_id: str, number: int
) -> None:
    """What can not be an id is refused before anything is sent, and not repeated."""
    good = "A-z_0" + "9" * 123
    commands = [
        lambda: smartcar.async_create_daily_schedule(no_id, good, SCHEDULE),
        lambda: smartcar.async_create_daily_schedule(good, no_id, SCHEDULE),
        lambda: smartcar.async_delete_schedule(no_id, good, good),
        lambda: smartcar.async_delete_schedule(good, no_id, good),
        lambda: smartcar.async_delete_schedule(good, good, no_id),
    ]

    with pytest.raises(InvalidIdError) as caught:
        await commands[number]()

    assert (
        str(caught.value)
        == "this can not be a Smartcar id: letters, digits, '-' and '_', "
        "at most 128 of them"
    )
    assert simulator.requests == []


async def test_longest_id_is_sent(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """An id may have 128 characters of all allowed kinds."""
    longest = "A-z_0" + "9" * 123

    with pytest.raises(RefusedError):
        await smartcar.async_delete_schedule(longest, longest, longest)

    (request,) = simulator.deletes
    assert request.path == f"/v3/vehicles/{longest}/charge-schedules/{longest}"
    assert request.headers["sc-user-id"] == longest


def test_repr_names_the_class_only(smartcar: SmartcarClient) -> None:
    """A client's repr holds nothing of its credentials."""
    assert repr(smartcar) == "SmartcarClient()"


def test_limits_are_the_documented_ones() -> None:
    """A command may stream for more than 175 s; connecting has limits of its own."""
    command, query = client.COMMAND_TIMEOUT, client.QUERY_TIMEOUT
    assert (
        command.total,
        command.connect,
        command.sock_connect,
        command.sock_read,
    ) == (330, 30, 30, None)
    assert query.total == 30


async def test_time_out_while_waiting_for_a_connection_is_not_sent(
    simulator: Simulator, pasted: SmartcarClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that never got a connection was not sent, and Smartcar agrees."""
    held = asyncio.Event()
    simulator.script(Fault(hold=held))
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=1),
        trace_configs=[create_trace_config()],
    ) as session:
        smartcar = SmartcarClient(session, pasted.auth)
        first = asyncio.create_task(create(smartcar, VOLVO))
        await simulator.wait_for_request()
        monkeypatch.setattr(
            client, "COMMAND_TIMEOUT", aiohttp.ClientTimeout(total=60, connect=0.05)
        )

        with pytest.raises(NotSentError, match="ConnectionTimeoutError"):
            await create(smartcar)

        held.set()
        await first
    assert len(simulator.creates) == 1
    assert simulator.schedules(TESLA.vehicle_id) == []


async def test_caller_that_gives_up_is_cancelled(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """A cancellation passes through; it is no verdict."""
    simulator.script(Fault(hold=asyncio.Event()), path="/daily")
    command = asyncio.create_task(create(smartcar))
    await simulator.wait_for_request(path="/daily")

    command.cancel()

    with pytest.raises(asyncio.CancelledError):
        await command


@pytest.mark.parametrize("count", [0, 2])
async def test_session_that_does_not_count_its_sendings_is_not_taken(
    credentials: ClientCredentials, count: int
) -> None:
    """Without it, "not sent" would be claimed without proof; twice is no count."""
    trace_configs = [aiohttp.TraceConfig()]
    trace_configs.extend(create_trace_config() for _ in range(count))
    async with aiohttp.ClientSession(trace_configs=trace_configs) as session:
        with pytest.raises(ValueError, match="create_trace_config"):
            SmartcarClient(session, credentials)


async def test_requests_of_others_in_the_session_are_not_counted(
    simulator: Simulator, session: aiohttp.ClientSession
) -> None:
    """Who passes no transmission along is let through."""
    async with session.get(simulator.url) as response:
        assert response.status == 401
