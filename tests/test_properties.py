"""What holds for every answer and for every call, whoever thought of it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
import json
import re
from types import SimpleNamespace
from typing import Any, Final

import aiohttp
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.json import prepare_save_json
from hypothesis import HealthCheck, given, settings, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.smartcar_charging.records import Action, Record, Verdict
from custom_components.smartcar_charging.smartcar import (
    ClientCredentials,
    Execution,
    RefusedError,
    SmartcarClient,
    SmartcarError,
    TimersReading,
    UnconfirmedError,
    client,
)
from custom_components.smartcar_charging.smartcar.errors import error_from, read_error
from tests.actions import call_action, device_id
from tests.simulator import (
    DEMO_CLIENT_ID,
    DEMO_CLIENT_SECRET,
    TESLA,
    Cut,
    Fault,
    ReceivedRequest,
    Simulator,
)
from tests.smartcar.conftest import EXECUTION, create, delete
from tests.strategies import THE_CAR, answers, calls, conversations, json_values, near

CONNECTIONS: Final[dict[str, Any]] = {
    "data": [
        {
            "id": "connection",
            "attributes": {
                "permissions": ["control_charge"],
                "vehicle": {"make": "TESLA", "year": 2024},
            },
            "relationships": {
                "vehicle": {"data": {"id": "vehicle"}},
                "user": {"data": {"id": "user"}},
            },
        }
    ],
    "meta": {"pageNumber": 1, "pageSize": 10, "totalCount": 1},
    "links": {"next": None},
}
TIMERS: Final[dict[str, Any]] = {
    "data": {
        "attributes": {
            "status": {"value": "SUCCESS"},
            "body": {
                "values": [
                    {
                        "type": "LOCATION",
                        "scheduleType": "DAILY",
                        "scheduleId": "sched_abc123",
                        "condition": {
                            "name": "Home",
                            "latitude": 37.7749,
                            "longitude": -122.4194,
                        },
                        "schedules": [
                            {"start": "08:00:00", "end": "10:00:00", "days": ["MONDAY"]}
                        ],
                    }
                ]
            },
        },
        "meta": {
            "oemUpdatedAt": "2026-01-01T00:00:00.000Z",
            "retrievedAt": "2026-01-01T00:00:00.000Z",
        },
    }
}
TOKEN: Final = {"access_token": "a token", "token_type": "Bearer", "expires_in": 3600}

# The same examples each time, so that nobody's change fails for what it did not do; and one world for all of them.
ON_THE_WIRE: Final = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
IN_MEMORY: Final = settings(ON_THE_WIRE, max_examples=500)


def value_of(body: bytes) -> Any:
    """Return the JSON value, if it is one."""
    try:
        return json.loads(body)
    except ValueError, RecursionError:
        return None


def is_success(status: int, value: Any) -> bool:
    """Tell, from the documentation alone, whether an answer proves a success."""
    match value:
        case {"data": {"attributes": {"status": {"value": str(word)} as said}}}:
            errors = (value.get("errors"), value.get("error"), said.get("error"))
            return 200 <= status < 300 and word.strip() == "SUCCESS" and not any(errors)
    return False


def proves_success(answer: Fault) -> bool:
    """Tell whether an answer proves a success as it arrives: a 204 has no body, and what is not gzip is none."""
    is_whole = (
        answer.cut is None
        and answer.status != 204
        and "Content-Encoding" not in answer.headers
    )
    return (
        is_whole
        and isinstance(answer.body, bytes)
        and is_success(answer.status or 200, value_of(answer.body))
    )


@given(status=st.integers(100, 999), value=json_values | near(EXECUTION))
@IN_MEMORY
def test_only_a_success_has_no_error_and_the_word(status: int, value: Any) -> None:
    """The readers take any JSON, and what they say of it is what the documentation says."""
    details, execution = (
        read_error(value, http_status=status),
        Execution.from_body(value),
    )
    assert (details is None and execution.status == "SUCCESS") is is_success(
        status, value
    )
    raised = error_from(details) if details else None
    assert raised is None or isinstance(raised, RefusedError | UnconfirmedError)


@given(value=near(EXECUTION))
@IN_MEMORY
def test_every_execution_can_be_recorded(value: Any) -> None:
    """What Smartcar says, whatever it is, can be written down and read back the same."""
    record = Record(verdict=Verdict.IN_PROGRESS, action=Action.CREATE, begun_at="now")
    done = record.succeeded(Execution.from_body(value))
    _mode, written = prepare_save_json({"record": done})
    assert Record.from_dict(json.loads(written)["record"]) == done


@pytest.fixture
async def session(socket_enabled: None) -> AsyncIterator[aiohttp.ClientSession]:
    """Return a session, as Home Assistant would lend it."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def smartcar(simulator: Simulator, session: aiohttp.ClientSession) -> SmartcarClient:
    """Return a client that mints its tokens."""
    return SmartcarClient(
        session, ClientCredentials(session, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET)
    )


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let the client's pauses pass at once, and note how long they would have been."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        """Note a pause."""
        slept.append(seconds)

    monkeypatch.setattr(client, "asyncio", SimpleNamespace(sleep=sleep))
    return slept


async def outcome_of(request: Awaitable[Any]) -> Any:
    """Return what a request gives back, or the error of ours that it raises; any other fails the test."""
    try:
        return await request
    except SmartcarError as error:
        return error


@given(scripted=conversations(EXECUTION))
@ON_THE_WIRE
async def test_every_answer_is_judged_and_no_create_is_doubled(
    simulator: Simulator,
    smartcar: SmartcarClient,
    slept: list[float],
    scripted: Sequence[Fault],
) -> None:
    """Success has its proof in the last answer, and each one before it was a 401 or a 429."""
    simulator.behave()
    simulator.requests.clear()
    slept.clear()
    simulator.script(*scripted, path="/daily")

    outcome = await outcome_of(create(smartcar))

    *before, last = scripted[: len(simulator.creates)]
    assert isinstance(outcome, Execution | RefusedError | UnconfirmedError)
    assert isinstance(outcome, Execution) is proves_success(last)
    assert sorted(answer.status or 0 for answer in before) in (
        [],
        [401],
        [429],
        [401, 429],
    )
    assert all(answer.cut is not Cut.BEFORE_ANSWER for answer in before)
    assert len(slept) == sum(answer.status == 429 for answer in before)
    assert all(0 <= seconds <= 60 for seconds in slept)


@pytest.mark.parametrize(
    ("documented", "path", "ask"),
    [
        (EXECUTION, "/sched_1", lambda smartcar: delete(smartcar, "sched_1")),
        (CONNECTIONS, "/connections", SmartcarClient.async_get_connections),
        (
            TIMERS,
            "/charge-chargetimers",
            lambda smartcar: smartcar.async_get_charge_timers("vehicle", "user"),
        ),
        (TOKEN, "/oauth2/token", lambda smartcar: smartcar.auth.async_get_token()),
    ],
    ids=["delete", "connections", "timers", "token"],
)
@given(data=st.data())
@settings(ON_THE_WIRE, max_examples=100)
async def test_every_answer_to_any_question_is_read_or_an_error_of_ours(
    simulator: Simulator,
    smartcar: SmartcarClient,
    documented: dict[str, Any],
    path: str,
    ask: Callable[[SmartcarClient], Awaitable[Any]],
    data: st.DataObject,
) -> None:
    """Nothing foreign is raised, whatever comes."""
    simulator.behave()
    simulator.always(data.draw(answers(documented)), path=path)
    assert isinstance(
        await outcome_of(ask(smartcar)),
        Execution | TimersReading | list | str | SmartcarError,
    )


def is_well_formed(request: ReceivedRequest) -> bool:
    """Tell whether a request is one that the documentation shows."""
    match json.loads(request.body, parse_constant=lambda word: word):
        case {
            "data": {
                "attributes": {
                    "location": {
                        "latitude": float(latitude),
                        "longitude": float(longitude),
                        **more,
                    },
                    "startTime": str(start),
                    "stopTime": str(stop),
                    **others,
                },
            }
        }:
            return (
                request.path
                == f"/v3/vehicles/{TESLA.vehicle_id}/charge-schedules/daily"
                and request.headers["sc-user-id"] == TESLA.user_id
                and request.headers["Content-Type"] == "application/json"
                and not (more or others or start == stop)
                and all(
                    re.fullmatch("([01][0-9]|2[0-3]):[0-5][0-9]", time)
                    for time in (start, stop)
                )
                and abs(latitude) <= 90
                and abs(longitude) <= 180
            )
    return False


def for_the_car(hass: HomeAssistant, data: dict[str, Any]) -> dict[str, Any]:
    """Return a call with the device's id where the car is meant."""
    return (
        data | {"device_id": device_id(hass, TESLA)}
        if data.get("device_id") == THE_CAR
        else data
    )


async def was_taken(hass: HomeAssistant, data: dict[str, Any]) -> bool:
    """Call the action; return whether it took the input; any other error fails the test."""
    try:
        response = await call_action(hass, "set_daily_charge_schedule", data)
    except vol.Invalid, ServiceValidationError:
        return False
    assert response["status"] == "SUCCESS"
    return True


@given(data=calls())
@settings(ON_THE_WIRE, max_examples=400)
async def test_every_call_is_refused_or_becomes_a_well_formed_request(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    data: dict[str, Any],
) -> None:
    """What is not refused for its shape or its meaning is sent once, as documented; what is refused is not sent."""
    hass.states.async_set("zone.work", "0", {"latitude": 1.5, "longitude": 2.5})
    hass.states.async_set("zone.blank", "0", {"latitude": None})
    hass.states.async_set("zone.far", "0", {"latitude": 91, "longitude": 0})
    simulator.requests.clear()

    taken = await was_taken(hass, for_the_car(hass, data))

    assert [is_well_formed(request) for request in simulator.creates] == [True] * taken
    assert len(simulator.requests) == len(simulator.creates) + len(simulator.deletes)
