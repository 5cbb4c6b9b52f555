"""Reading the timers on a car: the request, and what comes of its answers."""

from datetime import UTC, datetime, time
from typing import Any, Final

import aiohttp
import pytest

from custom_components.smartcar_charging.smartcar import (
    AccessToken,
    AuthenticationError,
    ChargeTimer,
    ClientCredentials,
    GoneError,
    InvalidIdError,
    Location,
    NotSentError,
    RefusedError,
    SmartcarClient,
    SmartcarError,
    TimersReading,
    TimerWindow,
    UnconfirmedError,
)
from custom_components.smartcar_charging.smartcar.reading import as_moment
from tests.simulator import REMOVED, TESLA, Cut, Fault, Simulator

from .conftest import TOKEN_PATH, Clock, Serving, create, hanging_up
from .test_client import NO_IDS, special_headers

TIMERS_PATH: Final = "/signals/charge-chargetimers"
NEW_YEAR: Final = datetime(2026, 1, 1, tzinfo=UTC)

# A timer as the documentation describes it.
TIMER: Final[dict[str, Any]] = {
    "type": "LOCATION",
    "scheduleType": "WEEKLY",
    "scheduleId": "sched_abc123",
    "condition": {"name": "Home", "latitude": 37.7749, "longitude": -122.4194},
    "schedules": [
        {"start": "08:00:00", "end": "10:00:00", "days": ["MONDAY", "SUNDAY"]}
    ],
    "departureTimers": [],
    "isOEMOptimizationEnabled": False,
}


async def read(smartcar: SmartcarClient) -> TimersReading:
    """Read the timers on the Tesla."""
    return await smartcar.async_get_charge_timers(TESLA.vehicle_id, TESLA.user_id)


def body(values: object = (), **meta: object) -> dict[str, Any]:
    """Return an answer with these timers, read at these times."""
    values = list(values) if isinstance(values, tuple) else values
    return {"data": {"attributes": {"body": {"values": values}}, "meta": meta}}


# Moments


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00.000Z",
        "2026-01-01T01:30:00+01:30",
        "2025-12-31T16:00:00-08:00",
        "20260101T000000Z",
        1767225600,
        1767225600.0,
        1767225600000,
    ],
)
def test_moment_is_an_instant_in_utc(value: object) -> None:
    """Smartcar writes ISO 8601 with any offset, and epochs in s or in ms."""
    moment = as_moment(value)

    assert moment == NEW_YEAR
    assert moment is not None
    assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (-1, datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (99_999_999_999, datetime(5138, 11, 16, 9, 46, 39, tzinfo=UTC)),
        (100_000_000_000, datetime(1973, 3, 3, 9, 46, 40, tzinfo=UTC)),
    ],
)
def test_large_number_counts_as_milliseconds(value: int, moment: datetime) -> None:
    """No car was read in the year 5138: from there on a number means milliseconds."""
    assert as_moment(value) == moment


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        "",
        "yesterday",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-13-01T00:00:00Z",
        "2026-01-01T25:00:00Z",
        "1767225600",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "\ud800",
        999_999_999_999_999,
        -99_999_999_999_999,
        -1e14,
        10**400,
        float("nan"),
        float("inf"),
        [1767225600],
        {"value": 1767225600},
        b"2026-01-01T00:00:00Z",
    ],
)
def test_anything_else_is_no_moment(value: object) -> None:
    """Without an offset it could be any of a day's; and nothing raises."""
    assert as_moment(value) is None


# Timers


def test_timer_says_what_the_documentation_says() -> None:
    """Words in lower case, as an execution has them; times as `HH:MM`."""
    assert ChargeTimer.from_value(TIMER) == ChargeTimer(
        type="LOCATION",
        schedule_type="weekly",
        schedule_id="sched_abc123",
        location=Location(latitude=37.7749, longitude=-122.4194),
        windows=(
            TimerWindow(
                start_time=time(8), stop_time=time(10), days=("MONDAY", "SUNDAY")
            ),
        ),
    )


def test_global_timer_has_neither_id_nor_place() -> None:
    """One that was set in the car applies everywhere."""
    timer = ChargeTimer.from_value(
        {"type": "GLOBAL", "condition": None, "schedules": TIMER["schedules"]}
    )

    assert (timer.type, timer.schedule_type, timer.schedule_id, timer.location) == (
        "GLOBAL",
        None,
        None,
        None,
    )
    assert len(timer.windows) == 1


@pytest.mark.parametrize("value", [None, [], "LOCATION", 5, True, {}])
def test_value_that_is_no_timer_is_one_that_says_nothing(value: object) -> None:
    """It is on the list, so something is there."""
    assert ChargeTimer.from_value(value) == ChargeTimer(
        type=None, schedule_type=None, schedule_id=None, location=None, windows=()
    )


@pytest.mark.parametrize(
    ("changes", "attribute"),
    [
        ({"type": 5}, "type"),
        ({"scheduleType": None}, "schedule_type"),
        ({"scheduleType": ["DAILY"]}, "schedule_type"),
        ({"scheduleId": 5}, "schedule_id"),
        ({"scheduleId": ".."}, "schedule_id"),
        ({"condition": "home"}, "location"),
        ({"condition": {"latitude": 37.7}}, "location"),
        ({"condition": {"latitude": "37.7", "longitude": 0}}, "location"),
        ({"condition": {"latitude": 91, "longitude": 0}}, "location"),
        ({"condition": {"latitude": True, "longitude": 0}}, "location"),
    ],
)
def test_what_a_timer_garbles_is_missing(
    changes: dict[str, Any], attribute: str
) -> None:
    """The rest of it stays."""
    timer = ChargeTimer.from_value({**TIMER, **changes})

    assert getattr(timer, attribute) is None
    assert timer.windows == ChargeTimer.from_value(TIMER).windows


@pytest.mark.parametrize(
    ("schedules", "windows"),
    [
        (None, ()),
        ("08:00", ()),
        ({"start": "08:00"}, ()),
        ([], ()),
        ([None], (TimerWindow(start_time=None, stop_time=None),)),
        (
            [{"start": "08:00", "end": "10:00:00"}],
            (TimerWindow(start_time=time(8), stop_time=time(10)),),
        ),
        (
            [{"start": "8:00:00", "end": 600, "days": "MONDAY"}],
            (TimerWindow(start_time=None, stop_time=None),),
        ),
        (
            [{"start": "08:00:00Z", "end": "10:00:00.000"}],
            (TimerWindow(start_time=None, stop_time=None),),
        ),
        (
            [{"start": "08:00:30", "end": "24:00:00"}],
            (TimerWindow(start_time=None, stop_time=None),),
        ),
        (
            [{"days": ["MONDAY", 2, None, ""]}],
            (TimerWindow(start_time=None, stop_time=None, days=("MONDAY",)),),
        ),
    ],
)
def test_window_tells_what_is_readable_of_it(
    schedules: object, windows: tuple[TimerWindow, ...]
) -> None:
    """A time with seconds is not rounded: it would not be the car's."""
    assert ChargeTimer.from_value({**TIMER, "schedules": schedules}).windows == windows


def test_place_of_a_timer_is_not_in_its_repr() -> None:
    """It may be somebody's home."""
    assert "37.7" not in repr(ChargeTimer.from_value(TIMER))


# Readings


@pytest.mark.parametrize(
    ("meta", "read_at"),
    [
        (
            {
                "oemUpdatedAt": "2026-01-01T00:00:00Z",
                "retrievedAt": "2026-01-02T00:00:00Z",
            },
            NEW_YEAR,
        ),
        (
            {
                "oemUpdatedAt": "2026-01-02T00:00:00Z",
                "retrievedAt": "2026-01-01T00:00:00Z",
            },
            NEW_YEAR,
        ),
        (
            {"oemUpdatedAt": 1767225600000, "retrievedAt": "2026-01-01T01:00:00+00:30"},
            NEW_YEAR,
        ),
        ({"oemUpdatedAt": "2026-01-01T00:00:00Z"}, NEW_YEAR),
        ({"retrievedAt": "2026-01-01T00:00:00Z"}, NEW_YEAR),
        ({"oemUpdatedAt": None, "retrievedAt": "2026-01-01T00:00:00Z"}, NEW_YEAR),
        ({"oemUpdatedAt": "2026-01-01T00:00:00", "retrievedAt": "lately"}, None),
        ({"updatedAt": "2026-01-01T00:00:00Z"}, None),
        ({}, None),
    ],
)
def test_reading_is_as_old_as_the_older_of_its_times(
    meta: dict[str, object], read_at: datetime | None
) -> None:
    """Smartcar may have fetched lately what the maker's cloud has known for long."""
    reading = TimersReading.from_body(body(**meta))

    assert reading is not None
    assert (reading.timers, reading.read_at) == ((), read_at)


def test_reading_tells_both_times_and_its_status() -> None:
    """Which of them proves what is not the client's to say."""
    answer = body(oemUpdatedAt=1767225600, retrievedAt="2026-01-02T00:00:00Z")
    answer["data"]["attributes"]["status"] = {"value": "PENDING"}

    assert TimersReading.from_body(answer) == TimersReading(
        timers=(),
        status="PENDING",
        retrieved_at=datetime(2026, 1, 2, tzinfo=UTC),
        oem_updated_at=NEW_YEAR,
    )


@pytest.mark.parametrize("status", [None, "SUCCESS", [], {"value": 5}, {"value": ""}])
def test_reading_without_a_status_has_none(status: object) -> None:
    """It is taken for no word in particular."""
    answer = body()
    answer["data"]["attributes"]["status"] = status

    reading = TimersReading.from_body(answer)

    assert reading is not None
    assert reading.status is None


@pytest.mark.parametrize("meta", [None, [], "now", 5])
def test_reading_without_times_is_of_unknown_age(meta: object) -> None:
    """Its timers are told all the same."""
    answer = body((TIMER,))
    answer["data"]["meta"] = meta

    reading = TimersReading.from_body(answer)

    assert reading is not None
    assert (len(reading.timers), reading.read_at) == (1, None)


def test_reading_has_all_timers_in_order() -> None:
    """What can not be read is counted too."""
    reading = TimersReading.from_body(body((TIMER, None, {"type": "GLOBAL"})))

    assert reading is not None
    assert [timer.type for timer in reading.timers] == ["LOCATION", None, "GLOBAL"]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        "text",
        5,
        {},
        {"data": None},
        {"data": {"attributes": {"status": {"value": "ERROR"}}}},
        {"data": {"attributes": {"body": None}}},
        {"data": {"attributes": {"body": {}}}},
        body(None),
        body({"0": TIMER}),
        body("none"),
    ],
)
def test_answer_without_a_list_is_no_reading(answer: object) -> None:
    """Taken for an empty list, it would prove that nothing is on the car."""
    assert TimersReading.from_body(answer) is None


# The request


async def test_reading_is_the_official_request(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """A read is one billable request, and a free one for the token."""
    reading = await read(smartcar)

    token, request = simulator.requests
    assert token.path == TOKEN_PATH
    assert (request.method, request.query, request.body) == ("GET", {}, b"")
    assert (
        request.path == f"/v3/vehicles/{TESLA.vehicle_id}/signals/charge-chargetimers"
    )
    assert special_headers(request) == {
        "Authorization": f"Bearer {simulator.tokens_minted[0]}",
        "sc-user-id": TESLA.user_id,
    }
    assert reading.timers == ()


async def test_reading_has_the_schedule_that_was_set(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """A create and a read-back agree on id, place and window."""
    execution = await create(smartcar)

    (timer,) = (await read(smartcar)).timers

    assert (timer.schedule_id, timer.schedule_type) == (execution.schedule_id, "daily")
    assert timer.location == execution.location
    assert [(window.start_time, window.stop_time) for window in timer.windows] == [
        (time(8), time(10))
    ]


@pytest.mark.parametrize("number", range(2))
@pytest.mark.parametrize("no_id", NO_IDS)
async def test_reading_of_what_is_no_id_is_never_sent(
    simulator: Simulator, smartcar: SmartcarClient, no_id: str, number: int
) -> None:
    """What can not be an id is refused before anything is sent, and not repeated."""
    ids = ["good", "good"]
    ids[number] = no_id

    with pytest.raises(InvalidIdError) as caught:
        await smartcar.async_get_charge_timers(*ids)

    assert (
        str(caught.value)
        == "this can not be a Smartcar id: letters, digits, '-' and '_', "
        "at most 128 of them"
    )
    assert simulator.requests == []


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.error(401, "AUTHENTICATION", "UNAUTHORIZED"), AuthenticationError),
        (Fault.error(403, "PERMISSION"), RefusedError),
        (Fault.error(404, "RESOURCE_NOT_FOUND", "SIGNAL_NOT_FOUND"), RefusedError),
        (Fault.error(404, "RESOURCE_NOT_FOUND"), GoneError),
        (Fault(status=404), UnconfirmedError),
        (Fault(status=403, body="<html>"), UnconfirmedError),
        (Fault(merge={"errors": ["odd"]}), UnconfirmedError),
        (Fault.error(429, "RATE_LIMIT", "VEHICLE"), RefusedError),
        (Fault.error(430, "BILLING", "INVALID_PLAN"), RefusedError),
        (Fault.error(200, "COMPATIBILITY", "VEHICLE_NOT_CAPABLE"), RefusedError),
        (Fault.error(500, "SERVER", "INTERNAL"), UnconfirmedError),
        (Fault.error(502, "UPSTREAM", "NO_RESPONSE"), UnconfirmedError),
        (Fault(status=504), UnconfirmedError),
        (
            Fault(status=302, headers={"Location": "/elsewhere"}, body=""),
            UnconfirmedError,
        ),
        (Fault(body="<html>"), UnconfirmedError),
        (Fault(body=None), UnconfirmedError),
        (Fault(body="[]"), UnconfirmedError),
        (Fault(body='{"data": '), UnconfirmedError),
        (Fault(merge={"data": {"attributes": {"body": REMOVED}}}), UnconfirmedError),
        (Fault(cut=Cut.MID_BODY), UnconfirmedError),
        (Fault(cut=Cut.BEFORE_ANSWER), UnconfirmedError),
    ],
    ids=lambda value: (
        value.__name__
        if isinstance(value, type)
        else f"{value.status}-{value.body!s:.60}"
    ),
)
async def test_each_failure_is_of_its_kind(
    simulator: Simulator,
    smartcar: SmartcarClient,
    fault: Fault,
    error: type[SmartcarError],
) -> None:
    """A question that is not answered says why, in the terms of the commands."""
    simulator.always(fault, path=TIMERS_PATH)

    with pytest.raises(SmartcarError) as caught:
        await read(smartcar)

    assert type(caught.value) is error


async def test_never_read_car_has_no_reading(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """It is told from a car that Smartcar does not know."""
    simulator.vehicles[TESLA.vehicle_id].timers_live = False
    with pytest.raises(RefusedError) as never_read:
        await read(smartcar)
    simulator.remove_car(TESLA.vehicle_id)
    with pytest.raises(RefusedError) as unknown:
        await read(smartcar)

    assert never_read.value.details.code == "SIGNAL_NOT_FOUND"
    assert unknown.value.details.code == "VEHICLE_NOT_FOUND"


async def test_signal_with_an_error_is_no_reading(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """Smartcar's reason comes through, and the old body beside it does not."""
    vehicle = simulator.vehicles[TESLA.vehicle_id]
    vehicle.read_timers()
    vehicle.timers_error = {"type": "VEHICLE_STATE", "code": "ASLEEP"}

    with pytest.raises(RefusedError, match="VEHICLE_STATE/ASLEEP"):
        await read(smartcar)


async def test_reading_without_a_connection_was_not_sent(
    simulator: Simulator, pasted: SmartcarClient
) -> None:
    """Nobody was asked."""
    await simulator.stop()

    with pytest.raises(NotSentError, match="no connection to Smartcar"):
        await read(pasted)


async def test_token_rejected_once_is_replaced(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """A read is sent again with a new token, as a command is."""
    simulator.script(Fault.error(401, "AUTHENTICATION"), path=TIMERS_PATH)

    await read(smartcar)

    assert (
        len(simulator.tokens_minted) == len(simulator.received("GET", TIMERS_PATH)) == 2
    )


async def test_error_leads_to_no_headers(
    serve: Serving, pasted: SmartcarClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not HTTP makes aiohttp raise an error that holds the token."""
    server = await serve(hanging_up(b"SSH-2.0-OpenSSH_9.9\r\n\r\n"))
    monkeypatch.setattr(
        "custom_components.smartcar_charging.smartcar.client.API_URL", server.url
    )

    with pytest.raises(
        UnconfirmedError, match="the answer could not be read"
    ) as caught:
        await read(pasted)

    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


# The token's age


async def test_age_of_a_minted_token_counts_from_when_it_was_asked_for(
    simulator: Simulator, credentials: ClientCredentials, clock: Clock
) -> None:
    """There is none before the first token, and none after one was rejected."""
    assert credentials.token_age is None
    token = await credentials.async_get_token()
    assert credentials.token_age == 0
    clock.now += 3000
    assert credentials.token_age == 3000
    clock.now += 600
    assert await credentials.async_get_token() != token
    assert credentials.token_age == 0
    credentials.discard(await credentials.async_get_token())
    assert credentials.token_age is None


async def test_failed_minting_leaves_no_age(
    simulator: Simulator, session: aiohttp.ClientSession
) -> None:
    """There is no token to be of any age."""
    credentials = ClientCredentials(session, "client_unknown", "secret")

    with pytest.raises(AuthenticationError):
        await credentials.async_get_token()

    assert credentials.token_age is None


def test_age_of_a_pasted_token_is_unknown() -> None:
    """Nobody told when it was minted."""
    assert AccessToken("token").token_age is None


# What the simulator can be told to answer


async def test_simulated_signal_has_the_times_and_the_status_it_was_told(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """Tests of what a reading proves need all of them."""
    vehicle = simulator.vehicles[TESLA.vehicle_id]
    vehicle.timers_live = False
    vehicle.read_timers(NEW_YEAR)
    vehicle.timers_oem_updated_at = datetime(2025, 12, 31, tzinfo=UTC)
    vehicle.timers_status = "PENDING"
    vehicle.timers_extra = [{"type": "GLOBAL"}, None]

    reading = await read(smartcar)

    assert (reading.status, reading.retrieved_at) == ("PENDING", NEW_YEAR)
    assert reading.oem_updated_at == datetime(2025, 12, 31, tzinfo=UTC)
    assert [timer.type for timer in reading.timers] == ["GLOBAL", None]


async def test_simulated_signal_may_lack_its_times_and_its_status(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """Nobody knows whether Smartcar always tells them."""
    vehicle = simulator.vehicles[TESLA.vehicle_id]
    vehicle.timers_meta = {"retrievedAt": "2026-01-01T00:00:00Z"}
    vehicle.timers_status = None

    reading = await read(smartcar)

    assert (reading.status, reading.retrieved_at) == (None, NEW_YEAR)
    assert (reading.oem_updated_at, reading.read_at) == (None, NEW_YEAR)
