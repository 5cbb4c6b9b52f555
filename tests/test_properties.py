"""What holds for every answer and for every call, whoever thought of it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
import json
import re
from types import SimpleNamespace
from typing import Any, Final

import aiohttp
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from hypothesis import HealthCheck, given, settings, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.smartcar_charging.smartcar import (
    AuthenticationError,
    ClientCredentials,
    Execution,
    GoneError,
    RefusedError,
    SmartcarClient,
    SmartcarError,
    TimersReading,
    UnconfirmedError,
    client,
    create_trace_config,
)
from custom_components.smartcar_charging.smartcar.conclusions import conclude
from custom_components.smartcar_charging.smartcar.transport import Answer
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

# The same examples each time, so that no change fails for what it did not do.
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


# An oracle, from the documentation alone: docs/architecture.md, "What an answer proves"

BY_TYPE: Final[dict[str | None, type[SmartcarError]]] = {
    "AUTHENTICATION": AuthenticationError,
    "BILLING": RefusedError,
    "COMPATIBILITY": RefusedError,
    "CONNECTED_SERVICES_ACCOUNT": RefusedError,
    "PERMISSION": RefusedError,
    "RATE_LIMIT": RefusedError,
    "RESOURCE_NOT_FOUND": RefusedError,
    "SERVER": UnconfirmedError,
    "UPSTREAM": UnconfirmedError,
    "VALIDATION": RefusedError,
    "VEHICLE_STATE": RefusedError,
}


def error_in(value: Any) -> Any:
    """Return what stands in the place of an error object, or None."""
    match value:
        case {"errors": [first, *_]}:
            return first or "unreadable"
        case {"errors": errors} if errors:
            return "unreadable"
        case {"error": error} if error:
            return error
        case {"data": {"attributes": {"status": {"error": error}}}} if error:
            return error
        case {"type": _} | {"code": _} if "data" not in value:
            return value if value.get("type") or value.get("code") else None
    return None


def type_in(error: Any) -> str | None:
    """Return the type that makes an error object Smartcar's own."""
    match error:
        case {"type": str(error_type)} if re.fullmatch("[A-Z][A-Z0-9_]*", error_type):
            return error_type
    return None


def says_gone(status: int, error: Any) -> bool:
    """Tell whether Smartcar's own 404 is about the schedule."""
    match error:
        case {"type": "RESOURCE_NOT_FOUND", "code": None}:
            return status == 404
        case {"type": "RESOURCE_NOT_FOUND", "code": str(code)}:
            return status == 404 and "SCHEDULE" in code
        case {"type": "RESOURCE_NOT_FOUND", **others}:
            return status == 404 and "code" not in others
    return False


def proven(status: int, value: Any, sends: int = 1) -> type[SmartcarError] | None:
    """Return what an answer proves: None where it accepts the request."""
    error = error_in(value)
    if error is None and 200 <= status < 300:
        return None
    if says_gone(status, error):
        return GoneError
    if sends > 1 or (200 <= status < 300 and says_success(value)):
        return UnconfirmedError
    error_type = type_in(error)
    if error_type in BY_TYPE:
        return BY_TYPE[error_type]
    if status == 401:
        return AuthenticationError
    may_refuse = (400 <= status < 500 and status != 408) or status == 501
    is_refusal = error_type is not None and may_refuse
    return RefusedError if is_refusal else UnconfirmedError


def says_success(value: Any) -> bool:
    """Tell whether the status word of an answer is that of a success."""
    match value:
        case {"data": {"attributes": {"status": {"value": str(word)}}}}:
            return word.strip() == "SUCCESS"
    return False


def is_success(status: int, value: Any) -> bool:
    """Tell whether an answer proves a success."""
    return says_success(value) and proven(status, value) is None


def heard(answer: Fault) -> Any:
    """Return the JSON of an answer as it arrives: what is not gzip is none."""
    is_whole = answer.cut is None and "Content-Encoding" not in answer.headers
    if is_whole and answer.status not in (204, 304):
        assert isinstance(answer.body, bytes)
        return value_of(answer.body)
    return None


def judged(answer: Fault) -> type[SmartcarError | Execution]:
    """Return what has to come of a create whose last answer this is."""
    value = heard(answer)
    status = answer.status or 200
    if answer.cut is Cut.BEFORE_ANSWER:
        return UnconfirmedError
    if is_success(status, value):
        return Execution
    return proven(status, value) or UnconfirmedError


def may_be_sent_again(answer: Fault) -> bool:
    """Tell whether an answer is a rejected token, or Smartcar's own limit."""
    status, error = answer.status, error_in(heard(answer))
    if status == 429 and type_in(error) == "RATE_LIMIT":
        return True
    return status == 401 and judged(answer) is AuthenticationError


def conclusion(answer: Answer) -> type[Exception] | None:
    """Return the type of what is concluded from an answer."""
    try:
        conclude(answer)
    except SmartcarError as error:
        return type(error)
    return None


@given(
    status=st.sampled_from((200, 401, 404, 404, 409, 429, 501)) | st.integers(100, 999),
    value=json_values | near(EXECUTION) | near({"errors": [{"code": None}]}),
    sends=st.integers(1, 2),
)
@IN_MEMORY
def test_conclusion_is_what_the_documentation_says(
    status: int, value: Any, sends: int
) -> None:
    """No false success, no false "gone", no false "failed", for any JSON."""
    answer = Answer(
        status=status,
        body=value,
        is_whole=True,
        sends=sends,
        request_id=None,
        retry_after=None,
    )
    concluded = conclusion(answer)
    assert concluded is proven(status, value, sends)
    is_accepted = concluded is None and Execution.from_body(value).status == "SUCCESS"
    assert is_accepted is is_success(status, value)


@pytest.fixture
async def session(socket_enabled: None) -> AsyncIterator[aiohttp.ClientSession]:
    """Return a session that counts its sendings, as Home Assistant would make it."""
    async with aiohttp.ClientSession(trace_configs=[create_trace_config()]) as session:
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
    """Return what a request gives back, or the error of ours that it raises."""
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
    """The last answer decides, and each one before it provably was a refusal."""
    simulator.behave()
    simulator.requests.clear()
    slept.clear()
    simulator.script(*scripted, path="/daily")

    outcome = await outcome_of(create(smartcar))

    *before, last = scripted[: len(simulator.creates)]
    assert type(outcome) is judged(last)
    assert all(may_be_sent_again(answer) for answer in before)
    assert sorted(answer.status or 0 for answer in before) in (
        [],
        [401],
        [429],
        [401, 429],
    )
    assert len(slept) == sum(answer.status == 429 for answer in before)
    assert all(0 <= seconds <= 60 for seconds in slept)


@given(scripted=conversations(EXECUTION))
@ON_THE_WIRE
async def test_every_answer_to_a_delete_proves_what_is_said(
    simulator: Simulator, smartcar: SmartcarClient, scripted: Sequence[Fault]
) -> None:
    """A "failed" was heard of all that was sent; a "gone" or success of the last."""
    simulator.behave()
    simulator.requests.clear()
    simulator.script(*scripted, method="DELETE")

    outcome = await outcome_of(delete(smartcar, "sched_1"))

    answered = [*scripted, Fault(status=404, body=b"")][: len(simulator.deletes)]
    proofs = [judged(answer) for answer in answered]
    assert isinstance(outcome, Execution | RefusedError | UnconfirmedError)
    assert type(outcome) in (UnconfirmedError, proofs[-1])
    is_failed = isinstance(outcome, RefusedError) and type(outcome) is not GoneError
    assert not is_failed or not any(
        answer.cut is Cut.BEFORE_ANSWER for answer in answered
    )


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
    """Call the action; return whether it took the input."""
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
    """What is taken is sent once, as documented; what is refused is not sent."""
    hass.states.async_set("zone.work", "0", {"latitude": 1.5, "longitude": 2.5})
    hass.states.async_set("zone.blank", "0", {"latitude": None})
    hass.states.async_set("zone.far", "0", {"latitude": 91, "longitude": 0})
    simulator.requests.clear()

    taken = await was_taken(hass, for_the_car(hass, data))

    assert [is_well_formed(request) for request in simulator.creates] == [True] * taken
    assert len(simulator.requests) == len(simulator.creates) + len(simulator.deletes)
