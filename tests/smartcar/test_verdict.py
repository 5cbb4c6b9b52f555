"""The verdict: what the answer to a command proves."""

from typing import Any

import aiohttp
import pytest

from custom_components.smartcar_charging.smartcar import (
    AuthenticationError,
    Location,
    RefusedError,
    SmartcarClient,
    SmartcarError,
    UnconfirmedError,
    client,
)
from tests.simulator import REMOVED, TESLA, Cut, Fault, Simulator

from .conftest import EXECUTION, create

UNREADABLE = {
    "empty": None,
    "html": "<html><body>502 Bad Gateway</body></html>",
    "truncated": '{"data": {"attributes": {"status": {"value": "SUCC',
    "list": [EXECUTION],
    "text": '"SUCCESS"',
    "number": "200",
    "null": "null",
    "not_utf8": b'{"data": "\xff\xfe"}',
    "deeply_nested": "[" * 200_000,
    "too_large": b'{"data": "' + b"a" * 1024 * 1024 + b'"}',
}


@pytest.mark.parametrize("status", [200, 202, 302, 404, 429, 500, 504])
@pytest.mark.parametrize(
    ("error_type", "raised"),
    [("VALIDATION", RefusedError), ("UPSTREAM", UnconfirmedError)],
    ids=str,
)
@pytest.mark.parametrize(
    "shape", ["errors", "errors_object", "error", "flat", "status_error"]
)
async def test_type_decides_before_the_status(
    *,
    simulator: Simulator,
    smartcar: SmartcarClient,
    shape: str,
    error_type: str,
    raised: type[SmartcarError],
    status: int,
) -> None:
    """A documented error type decides, wherever the body has it and whatever the status line says."""
    error = {"type": error_type, "code": "SOME_CODE", "detail": "Some detail."}
    bodies: dict[str, dict[str, Any]] = {
        "errors": {"errors": [error, {"type": "BILLING"}]},
        "errors_object": {"errors": error},
        "error": {"error": error},
        "flat": error,
        "status_error": {
            "data": {"attributes": {"status": {"value": "ERROR", "error": error}}}
        },
    }
    simulator.script(Fault(status=status, body=bodies[shape]), path="/daily")

    with pytest.raises(raised) as caught:
        await create(smartcar)

    assert type(caught.value) is raised
    assert str(caught.value) == f"{error_type}/SOME_CODE: Some detail."
    assert caught.value.details.http_status == status
    assert len(simulator.creates) == 1


@pytest.mark.parametrize(
    ("status", "raised"),
    [
        (200, UnconfirmedError),
        (202, UnconfirmedError),
        (400, RefusedError),
        (401, AuthenticationError),
        (404, RefusedError),
        (430, RefusedError),
        (500, UnconfirmedError),
        (501, RefusedError),
        (503, UnconfirmedError),
    ],
)
@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_status_decides_where_the_body_says_nothing(
    simulator: Simulator,
    pasted: SmartcarClient,
    body: Any,
    status: int,
    raised: type[SmartcarError],
) -> None:
    """Of a body that can not be read, only the status counts, and it never proves a success."""
    simulator.script(Fault(status=status, body=body))

    with pytest.raises(raised) as caught:
        await create(pasted)

    assert type(caught.value) is raised
    assert caught.value.details.http_status == status
    assert len(simulator.creates) == 1


@pytest.mark.parametrize(
    ("status", "body", "raised", "text"),
    [
        (401, {"error": "invalid_token"}, AuthenticationError, "invalid_token"),
        (403, {"error": "access_denied"}, RefusedError, "access_denied"),
        (
            409,
            {"errors": [{"type": "NEW_TYPE", "title": "New"}]},
            RefusedError,
            "NEW_TYPE: New",
        ),
        (
            200,
            {"errors": [{"type": "NEW_TYPE", "title": "New"}]},
            UnconfirmedError,
            "NEW_TYPE: New",
        ),
        (
            500,
            {"errors": [{"type": "NEW_TYPE", "title": "New"}]},
            UnconfirmedError,
            "NEW_TYPE: New",
        ),
        (
            501,
            {"errors": [{"type": "NEW_TYPE", "title": "New"}]},
            RefusedError,
            "NEW_TYPE: New",
        ),
        (400, {"errors": [None]}, RefusedError, "HTTP 400"),
        (400, {"errors": "none"}, RefusedError, "HTTP 400"),
        (200, {"errors": [None]}, UnconfirmedError, "HTTP 200"),
        (200, {"error": True}, UnconfirmedError, "HTTP 200"),
        (
            403,
            {"type": "AUTHENTICATION", "code": "ACCESS_DENIED"},
            AuthenticationError,
            "AUTHENTICATION/ACCESS_DENIED",
        ),
        (401, {"type": "PERMISSION"}, RefusedError, "PERMISSION"),
        (401, {"type": "SERVER"}, UnconfirmedError, "SERVER"),
    ],
)
async def test_other_errors_are_judged_by_type_then_status(
    *,
    simulator: Simulator,
    pasted: SmartcarClient,
    status: int,
    body: dict[str, Any],
    raised: type[SmartcarError],
    text: str,
) -> None:
    """OAuth's errors, unknown types and odd shapes are judged by the same rule."""
    simulator.script(Fault(status=status, body=body))

    with pytest.raises(raised) as caught:
        await create(pasted)

    assert type(caught.value) is raised
    assert str(caught.value) == text


@pytest.mark.parametrize(
    "merge",
    [
        {"data": {"attributes": {"status": {"error": {"type": "VEHICLE_STATE"}}}}},
        {"errors": [{"type": "VEHICLE_STATE"}]},
        {"error": {"type": "VEHICLE_STATE"}},
    ],
)
async def test_error_beside_a_success_is_no_success(
    simulator: Simulator, smartcar: SmartcarClient, merge: dict[str, Any]
) -> None:
    """The word SUCCESS proves nothing where an error stands beside it."""
    simulator.script(Fault(merge=merge), path="/daily")

    with pytest.raises(RefusedError, match="VEHICLE_STATE"):
        await create(smartcar)


@pytest.mark.parametrize(
    "merge", [{"errors": []}, {"error": None}, {"type": "charge-schedule-execution"}]
)
async def test_empty_error_is_none(
    simulator: Simulator, smartcar: SmartcarClient, merge: dict[str, Any]
) -> None:
    """An empty place for errors does not undo a success."""
    simulator.script(Fault(merge=merge), path="/daily")

    assert (await create(smartcar)).status == "SUCCESS"


@pytest.mark.parametrize(
    ("value", "raised", "message"),
    [
        ("ERROR", RefusedError, "the answer says 'ERROR'"),
        ("FAILED", RefusedError, "the answer says 'FAILED'"),
        ("FAILURE", RefusedError, "the answer says 'FAILURE'"),
        ("PENDING", UnconfirmedError, "the answer says 'PENDING'"),
        ("IN_PROGRESS", UnconfirmedError, "the answer says 'IN_PROGRESS'"),
        ("success", UnconfirmedError, "the answer says 'success'"),
        ("SUCCESSFUL", UnconfirmedError, "the answer says 'SUCCESSFUL'"),
        ("", UnconfirmedError, "the answer says no status"),
        (REMOVED, UnconfirmedError, "the answer says no status"),
        (None, UnconfirmedError, "the answer says no status"),
        (1, UnconfirmedError, "the answer says no status"),
        (True, UnconfirmedError, "the answer says no status"),
        (["SUCCESS"], UnconfirmedError, "the answer says no status"),
    ],
)
@pytest.mark.parametrize("status", [200, 202])
async def test_only_the_word_success_is_success(
    *,
    simulator: Simulator,
    smartcar: SmartcarClient,
    status: int,
    value: object,
    raised: type[SmartcarError],
    message: str,
) -> None:
    """Failure has three words, success has one, and anything else is unconfirmed."""
    merge = {"data": {"attributes": {"status": {"value": value}}}}
    simulator.script(Fault(status=status, merge=merge), path="/daily")

    with pytest.raises(raised) as caught:
        await create(smartcar)

    assert type(caught.value) is raised
    assert str(caught.value) == f"HTTP {status}: {message}"
    assert caught.value.details.request_id
    assert len(simulator.creates) == 1


@pytest.mark.parametrize(
    "merge",
    [
        {"data": {"attributes": {"status": "SUCCESS"}}},
        {"data": {"attributes": None}},
        {"data": REMOVED},
    ],
)
async def test_status_of_another_shape_is_unconfirmed(
    simulator: Simulator, smartcar: SmartcarClient, merge: dict[str, Any]
) -> None:
    """A status that is not where the documentation has it proves nothing."""
    simulator.script(Fault(merge=merge), path="/daily")

    with pytest.raises(UnconfirmedError, match="no status"):
        await create(smartcar)


async def test_streamed_success_is_success(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """A 202 is judged by the outcome that follows it on the open connection."""
    simulator.script(
        Fault(status=202, chunks=((0, b" \n"), (0.05, None))), path="/daily"
    )

    assert (await create(smartcar)).status == "SUCCESS"


async def test_streamed_no_response_is_unconfirmed(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """A 202 whose stream ends in an upstream error is not a failure: the car may have heard it."""
    body = {"errors": [{"type": "UPSTREAM", "code": "NO_RESPONSE"}]}
    simulator.script(Fault.streamed(0.05, body=body, executes=True), path="/daily")

    with pytest.raises(UnconfirmedError, match="UPSTREAM/NO_RESPONSE"):
        await create(smartcar)

    assert len(simulator.schedules(TESLA.vehicle_id)) == 1


async def test_status_without_content_is_unconfirmed(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """A 204 proves nothing."""
    simulator.script(Fault(status=204, body=None), path="/daily")

    with pytest.raises(UnconfirmedError, match="HTTP 204: the answer says no status"):
        await create(smartcar)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
async def test_redirect_is_not_followed(
    simulator: Simulator, smartcar: SmartcarClient, status: int
) -> None:
    """A command goes where it was sent and nowhere else."""
    simulator.script(
        Fault(
            status=status, body=None, headers={"Location": f"{simulator.url}/v3/other"}
        ),
        path="/daily",
    )

    with pytest.raises(UnconfirmedError, match=f"HTTP {status}"):
        await create(smartcar)

    assert len(simulator.creates) == 1
    assert simulator.received(path="/other") == []


@pytest.mark.parametrize(
    ("fault", "limit", "text"),
    [
        (
            Fault(cut=Cut.BEFORE_ANSWER),
            30,
            "the connection was lost before an answer came (ClientOSError)",
        ),
        (Fault(cut=Cut.MID_BODY), 30, "HTTP 200: the answer did not come whole"),
        (
            Fault.streamed(0.02, cut=Cut.MID_BODY),
            30,
            "HTTP 202: the answer did not come whole",
        ),
        (
            Fault(status=202, chunks=((0, b"{"), (60, None))),
            0.3,
            "HTTP 202: the answer did not come whole",
        ),
        (Fault.slow(60), 0.3, "no answer within the time limit"),
    ],
    ids=["cut", "cut_body", "cut_stream", "slow_stream", "slow"],
)
async def test_unheard_outcome_is_unconfirmed_and_never_sent_again(
    *,
    simulator: Simulator,
    pasted: SmartcarClient,
    monkeypatch: pytest.MonkeyPatch,
    fault: Fault,
    limit: float,
    text: str,
) -> None:
    """A command that reached the car, and whose answer did not come, was sent exactly once."""
    monkeypatch.setattr(client, "_COMMAND_TIMEOUT", aiohttp.ClientTimeout(total=limit))
    simulator.script(fault)

    with pytest.raises(UnconfirmedError) as caught:
        await create(pasted)

    assert str(caught.value) == text
    assert len(simulator.creates) == 1
    assert len(simulator.schedules(TESLA.vehicle_id)) == 1


async def test_refusal_that_was_cut_is_a_refusal(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """The status line of a refusal is proof enough."""
    simulator.script(Fault(status=403, body="<html>", cut=Cut.MID_BODY), path="/daily")

    with pytest.raises(RefusedError, match="HTTP 403"):
        await create(smartcar)


@pytest.mark.parametrize(
    ("merge", "schedule_id"),
    [
        (
            {
                "data": {
                    "links": {"schedule": "/vehicles/x/charge-schedules/sched_link"}
                }
            },
            "sched_link",
        ),
        ({"data": {"links": REMOVED}}, None),
        ({"data": {"links": None}}, None),
        ({"data": {"links": {"schedule": 5}}}, None),
    ],
)
async def test_success_without_schedule_id_is_success(
    simulator: Simulator,
    smartcar: SmartcarClient,
    merge: dict[str, Any],
    schedule_id: str | None,
) -> None:
    """The link tells the id where the attribute is missing; without both it is unknown."""
    merge["data"]["attributes"] = {"scheduleId": REMOVED}
    simulator.script(Fault(merge=merge), path="/daily")

    assert (await create(smartcar)).schedule_id == schedule_id


async def test_wrong_types_in_the_echo_leave_a_success(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """What is garbled beside a proven success is missing, and no more."""
    attributes = {
        "parameters": {"location": "here", "startTime": 8, "stopTime": "25:00"},
        "executionMode": [],
    }
    merge = {"data": {"id": 5, "attributes": attributes, "meta": ["now"]}}
    simulator.script(Fault(merge=merge), path="/daily")

    execution = await create(smartcar)

    assert execution.status == "SUCCESS"
    assert execution.schedule_id
    assert execution.location is None
    assert (execution.execution_id, execution.start_time, execution.stop_time) == (
        None,
        None,
        None,
    )
    assert (
        execution.execution_mode,
        execution.executed_at,
        execution.duration_seconds,
    ) == (None, None, None)


async def test_echo_is_what_smartcar_says(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """Where the echo differs from what was sent, the echo is returned."""
    parameters = {
        "location": {"latitude": 37, "longitude": -122},
        "startTime": "08:05:00",
        "stopTime": "10:15",
    }
    simulator.script(
        Fault(merge={"data": {"attributes": {"parameters": parameters}}}), path="/daily"
    )

    execution = await create(smartcar)

    assert execution.location == Location(latitude=37, longitude=-122)
    assert (execution.start_time, execution.stop_time) == ("08:05", "10:15")
