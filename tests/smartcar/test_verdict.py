"""The verdict: what the answer to a command proves."""

from dataclasses import replace
from datetime import time
from typing import Any

import aiohttp
import pytest

from custom_components.smartcar_charging.smartcar import (
    AuthenticationError,
    Location,
    SmartcarClient,
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


@pytest.mark.parametrize("status", [200, 202, 400, 404, 430, 500, 501, 503])
@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_body_that_can_not_be_read_proves_nothing(
    simulator: Simulator, pasted: SmartcarClient, body: Any, status: int
) -> None:
    """Whatever the status: it may be that of a gateway in between."""
    simulator.script(Fault(status=status, body=body))

    with pytest.raises(UnconfirmedError) as caught:
        await create(pasted)

    assert caught.value.details.http_status == status
    assert len(simulator.creates) == 1


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_any_401_is_a_rejected_token(
    simulator: Simulator, pasted: SmartcarClient, body: Any
) -> None:
    """Whoever rejects the token did not let the command through."""
    simulator.script(Fault(status=401, body=body))

    with pytest.raises(AuthenticationError) as caught:
        await create(pasted)

    assert caught.value.auth is pasted.auth
    assert len(simulator.creates) == 1


@pytest.mark.parametrize(
    "merge",
    [
        {"data": {"attributes": {"status": {"error": {"type": "VEHICLE_STATE"}}}}},
        {"errors": [{"type": "VEHICLE_STATE"}]},
        {"error": {"type": "VEHICLE_STATE"}},
    ],
)
async def test_error_beside_a_success_proves_nothing(
    simulator: Simulator, smartcar: SmartcarClient, merge: dict[str, Any]
) -> None:
    """An answer that contradicts itself is neither a success nor a refusal."""
    simulator.script(Fault(merge=merge), path="/daily")

    with pytest.raises(UnconfirmedError, match="VEHICLE_STATE"):
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
    ("value", "message"),
    [
        ("ERROR", "the answer says 'ERROR'"),
        ("FAILED", "the answer says 'FAILED'"),
        ("FAILURE", "the answer says 'FAILURE'"),
        ("PENDING", "the answer says 'PENDING'"),
        ("IN_PROGRESS", "the answer says 'IN_PROGRESS'"),
        ("success", "the answer says 'success'"),
        ("SUCCESSFUL", "the answer says 'SUCCESSFUL'"),
        ("", "the answer says no status"),
        (REMOVED, "the answer says no status"),
        (None, "the answer says no status"),
        (1, "the answer says no status"),
        (True, "the answer says no status"),
        (["SUCCESS"], "the answer says no status"),
    ],
)
@pytest.mark.parametrize("status", [200, 202])
async def test_any_word_but_success_is_unconfirmed(
    simulator: Simulator,
    smartcar: SmartcarClient,
    status: int,
    value: object,
    message: str,
) -> None:
    """A word for a failure proves nothing either, without an error object beside it."""
    merge = {"data": {"attributes": {"status": {"value": value}}}}
    simulator.script(Fault(status=status, merge=merge), path="/daily")

    with pytest.raises(UnconfirmedError) as caught:
        await create(smartcar)

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
    """A 202 whose stream ends in an upstream error is not a failure."""
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
    """A command whose answer did not come was sent exactly once."""
    monkeypatch.setattr(client, "COMMAND_TIMEOUT", aiohttp.ClientTimeout(total=limit))
    simulator.script(fault)

    with pytest.raises(UnconfirmedError) as caught:
        await create(pasted)

    assert str(caught.value) == text
    assert len(simulator.creates) == 1
    assert len(simulator.schedules(TESLA.vehicle_id)) == 1


async def test_refusal_that_was_cut_is_unconfirmed(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """Without its body, nobody knows whose refusal it is."""
    fault = Fault.error(403, "PERMISSION")
    simulator.script(replace(fault, cut=Cut.MID_BODY), path="/daily")

    with pytest.raises(UnconfirmedError, match="HTTP 403"):
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
    """The link tells the id where the attribute is missing."""
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
    assert (execution.start_time, execution.stop_time) == (time(8, 5), time(10, 15))
