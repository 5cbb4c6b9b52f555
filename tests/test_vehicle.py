"""The heart: verdicts, replacing, and commands that somebody or something cuts off."""

import asyncio
from collections.abc import Callable
from typing import Any

from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_track_state_change_event
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.smartcar_charging.const import DOMAIN
from tests.actions import SENSOR, delete_schedule, device_id, sensor, set_schedule
from tests.simulator import (
    REMOVED,
    TESLA,
    VOLVO,
    CreateMode,
    Cut,
    Fault,
    ReceivedRequest,
    Simulator,
)

WITHOUT_ID = {"data": {"attributes": {"scheduleId": REMOVED}, "links": REMOVED}}


def is_delete(request: ReceivedRequest) -> bool:
    """Whether this is a request to delete a schedule."""
    return request.method == "DELETE"


def on_car(simulator: Simulator) -> list[str]:
    """Return the ids of what is on the car."""
    return [schedule.id for schedule in simulator.schedules(TESLA.vehicle_id)]


@pytest.fixture
def seen(hass: HomeAssistant) -> list[str]:
    """Collect the states that the sensor takes."""
    states: list[str] = []

    @callback
    def collect(event: Event[EventStateChangedData]) -> None:
        """Keep the new state."""
        if (state := event.data["new_state"]) is not None:
            states.append(state.state)

    async_track_state_change_event(hass, SENSOR, collect)
    return states


async def test_sensor_goes_from_in_progress_to_success(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """While the car works on it, the sensor says so, with the window that was asked for."""
    hold = asyncio.Event()
    simulator.script(Fault(hold=hold))
    call = hass.async_create_task(set_schedule(hass))
    await simulator.wait_for_request(path="/charge-schedules/daily")
    state = sensor(hass)
    assert (
        state.state,
        state.attributes["start_time"],
        state.attributes["schedule_id"],
    ) == (
        "in_progress",
        "23:30",
        None,
    )
    hold.set()
    response = await call
    assert (sensor(hass).state, sensor(hass).attributes["schedule_id"]) == (
        "success",
        response["schedule_id"],
    )


@pytest.mark.parametrize(
    ("fault", "verdict", "key", "retry"),
    [
        (
            Fault.error(400, "VALIDATION", "INVALID_INPUT_FORMAT"),
            "failed",
            "refused",
            False,
        ),
        (
            Fault.error(400, "CONNECTED_SERVICES_ACCOUNT", "VIRTUAL_KEY_REQUIRED"),
            "failed",
            "car_maker_account",
            False,
        ),
        (Fault.error(403, "PERMISSION"), "failed", "permission_missing", False),
        (
            Fault.error(404, "RESOURCE_NOT_FOUND", "VEHICLE_NOT_FOUND"),
            "failed",
            "not_found_at_smartcar",
            False,
        ),
        (
            Fault.error(409, "VEHICLE_STATE", "ASLEEP"),
            "failed",
            "refused_by_vehicle",
            True,
        ),
        (Fault.error(429, "RATE_LIMIT", "VEHICLE"), "failed", "rate_limited", True),
        (
            Fault.error(430, "BILLING", "INVALID_PLAN"),
            "failed",
            "refused_by_plan",
            False,
        ),
        (
            Fault.error(501, "COMPATIBILITY", "VEHICLE_NOT_CAPABLE"),
            "failed",
            "not_compatible",
            False,
        ),
        (
            Fault.error(500, "SERVER", "INTERNAL"),
            "unconfirmed",
            "create_unconfirmed",
            False,
        ),
        (
            Fault.error(502, "UPSTREAM", "NO_RESPONSE"),
            "unconfirmed",
            "create_unconfirmed",
            False,
        ),
        (Fault.error(504, "SOMETHING_NEW"), "unconfirmed", "create_unconfirmed", False),
        (Fault(cut=Cut.BEFORE_ANSWER), "unconfirmed", "create_unconfirmed", False),
        (Fault(cut=Cut.MID_BODY), "unconfirmed", "create_unconfirmed", False),
        (
            Fault(merge={"data": {"attributes": {"status": {"value": "PENDING"}}}}),
            "unconfirmed",
            "create_unconfirmed",
            False,
        ),
    ],
)
async def test_what_is_no_proven_success_is_an_error(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    fault: Fault,
    verdict: str,
    key: str,
    retry: bool,
) -> None:
    """The caller hears what happened, to which car and why; the sensor keeps it; nothing is sent twice."""
    simulator.script(fault, path="/charge-schedules/daily")
    with pytest.raises(HomeAssistantError, match="Tesla Model Y 2024") as caught:
        await set_schedule(hass)
    assert (caught.value.translation_domain, caught.value.translation_key) == (
        DOMAIN,
        key,
    )
    state = sensor(hass)
    assert (state.state, state.attributes["can_retry"], state.attributes["action"]) == (
        verdict,
        retry,
        "create",
    )
    assert state.attributes["request_id"] or fault.cut is Cut.BEFORE_ANSWER
    assert len(simulator.creates) == 1


async def test_smartcars_own_reason_reaches_the_user(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Type, code and text, in the error and on the sensor."""
    simulator.script(
        Fault.error(409, "VEHICLE_STATE", "IN_MOTION", "The car is being driven.")
    )
    with pytest.raises(
        HomeAssistantError, match=r"VEHICLE_STATE/IN_MOTION: The car is being driven\."
    ):
        await set_schedule(hass)
    attributes = sensor(hass).attributes
    assert (
        attributes["error_type"],
        attributes["error_code"],
        attributes["error_message"],
    ) == (
        "VEHICLE_STATE",
        "IN_MOTION",
        "The car is being driven.",
    )


async def test_no_connection_is_a_failure_that_may_pass(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Nothing was sent, so nothing is unclear."""
    await simulator.stop()
    with pytest.raises(
        HomeAssistantError, match="Nothing was sent to Tesla Model Y 2024"
    ) as caught:
        await set_schedule(hass)
    assert caught.value.translation_key == "not_sent"
    assert (sensor(hass).state, sensor(hass).attributes["can_retry"]) == (
        "failed",
        True,
    )
    await simulator.start()
    assert (await set_schedule(hass))["status"] == "SUCCESS"
    assert sensor(hass).attributes["error_message"] is None


async def test_rejected_credentials_start_reauth(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The command fails, the user is asked to sign in again, and everything stays loaded."""
    simulator.revoke_tokens()
    simulator.applications.clear()
    with pytest.raises(HomeAssistantError, match="Sign in again") as caught:
        await set_schedule(hass)
    assert caught.value.translation_key == "authentication_failed"
    (flow,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert flow["context"]["source"] == "reauth"
    assert (sensor(hass).state, entry.state.value) == ("failed", "loaded")


async def test_set_replaces_what_was_set_for_the_place(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Create first, then delete; schedules set elsewhere and for other places stay."""
    hass.states.async_set("zone.work", "0", {"latitude": 1.5, "longitude": 2.5})
    foreign = simulator.add_schedule(
        TESLA.vehicle_id, start="01:00", stop="02:00", latitude=1.0, longitude=1.0
    )
    work = await set_schedule(hass, zone="zone.work")
    first = await set_schedule(hass)
    second = await set_schedule(hass, start_time="00:00", stop_time="06:00")
    assert (second["replaced_schedule_ids"], second["not_replaced_schedule_ids"]) == (
        [first["schedule_id"]],
        [],
    )
    assert on_car(simulator) == [foreign.id, work["schedule_id"], second["schedule_id"]]
    methods = [
        request.method
        for request in simulator.received(path=lambda r: "charge-schedules" in r.path)
    ]
    assert methods == ["POST", "POST", "POST", "DELETE"]
    assert sensor(hass).attributes["schedule_id"] == second["schedule_id"]


async def test_without_replace_both_stay(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The next set that replaces takes them all."""
    first = await set_schedule(hass)
    second = await set_schedule(
        hass, start_time="12:00", stop_time="13:00", replace=False
    )
    assert (second["replaced_schedule_ids"], second["not_replaced_schedule_ids"]) == (
        [],
        [],
    )
    assert on_car(simulator) == [first["schedule_id"], second["schedule_id"]]
    third = await set_schedule(hass)
    assert third["replaced_schedule_ids"] == [
        first["schedule_id"],
        second["schedule_id"],
    ]
    assert on_car(simulator) == [third["schedule_id"]]


@pytest.mark.parametrize(
    ("first", "second", "replaced"),
    [
        (
            {"location": {"latitude": 52.0, "longitude": 4.0}},
            {"location": {"latitude": 52.0008, "longitude": 4.0}},
            1,
        ),
        (
            {"location": {"latitude": 52.0, "longitude": 4.0}},
            {"location": {"latitude": 52.0010, "longitude": 4.0}},
            0,
        ),
        (
            {"location": {"latitude": 32.87336, "longitude": -117.22743}},
            {"zone": "zone.home"},
            1,
        ),
        (
            {"location": {"latitude": 0.0, "longitude": 0.0}},
            {"location": {"latitude": 0.1, "longitude": 179.9}},
            0,
        ),
    ],
)
async def test_same_place_is_within_100_metres(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    first: dict[str, Any],
    second: dict[str, Any],
    replaced: int,
) -> None:
    """Whether it was given as coordinates or as a zone."""
    await set_schedule(hass, **first)
    assert (
        len((await set_schedule(hass, **second))["replaced_schedule_ids"]) == replaced
    )


async def test_same_zone_is_the_same_place_wherever_it_moved(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Who moves house does not want the old window to stay."""
    hass.states.async_set("zone.work", "0", {"latitude": 1.5, "longitude": 2.5})
    first = await set_schedule(hass, zone="zone.work")
    hass.states.async_set("zone.work", "0", {"latitude": 50.5, "longitude": 2.5})
    assert (await set_schedule(hass, zone="zone.work"))["replaced_schedule_ids"] == [
        first["schedule_id"]
    ]


async def test_the_id_just_returned_is_never_deleted(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Smartcar may replace under the same id."""
    simulator.create_mode = CreateMode.REPLACE_SAME_ID
    first = await set_schedule(hass)
    second = await set_schedule(hass, start_time="00:00", stop_time="06:00")
    assert first["schedule_id"] == second["schedule_id"]
    assert (second["replaced_schedule_ids"], second["not_replaced_schedule_ids"]) == (
        [],
        [],
    )
    assert simulator.deletes == []
    assert on_car(simulator) == [second["schedule_id"]]


async def test_what_smartcar_replaced_by_itself_counts_as_replaced(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The delete finds nothing: gone is gone."""
    simulator.create_mode = CreateMode.REPLACE_NEW_ID
    first = await set_schedule(hass)
    second = await set_schedule(hass)
    assert second["replaced_schedule_ids"] == [first["schedule_id"]]
    assert (await set_schedule(hass))["replaced_schedule_ids"] == [
        second["schedule_id"]
    ]


@pytest.mark.parametrize("mode", [CreateMode.REFUSE_OVERLAP, CreateMode.REFUSE_FULL])
async def test_a_refused_create_deletes_nothing(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, mode: CreateMode
) -> None:
    """The old window goes on working."""
    first = await set_schedule(hass)
    for hour in range(9):
        simulator.add_schedule(
            TESLA.vehicle_id,
            start=f"0{hour}:00",
            stop=f"0{hour}:30",
            latitude=9,
            longitude=9,
        )
    simulator.create_mode = mode
    with pytest.raises(HomeAssistantError, match="delete_charge_schedule") as caught:
        await set_schedule(hass, start_time="23:00")
    assert caught.value.translation_key == "refused_beside_others"
    assert f"23:30–05:30 (test home), {first['schedule_id']}" in str(caught.value)
    assert simulator.deletes == []
    assert first["schedule_id"] in on_car(simulator)


@pytest.mark.parametrize(
    "fault",
    [Fault.error(500, "SERVER", "INTERNAL"), Fault(cut=Cut.BEFORE_ANSWER)],
    ids=["500", "cut"],
)
async def test_an_unconfirmed_create_deletes_nothing(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, fault: Fault
) -> None:
    """Without proof of the new one, the old one has to stay."""
    first = await set_schedule(hass)
    simulator.script(fault)
    with pytest.raises(HomeAssistantError, match="It is not known whether"):
        await set_schedule(hass)
    assert simulator.deletes == []
    assert first["schedule_id"] in on_car(simulator)


async def test_without_the_new_id_nothing_is_deleted(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The old id could be the new schedule: the response says what stayed, and why."""
    first = await set_schedule(hass)
    simulator.script(Fault(merge=WITHOUT_ID))
    second = await set_schedule(hass)
    assert second["schedule_id"] is None
    assert (second["replaced_schedule_ids"], second["not_replaced_schedule_ids"]) == (
        [],
        [first["schedule_id"]],
    )
    assert second["warnings"] == [
        "Smartcar did not tell the id of the new schedule, so it can not be replaced later."
    ]
    assert simulator.deletes == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault.error(404, "RESOURCE_NOT_FOUND", "VEHICLE_NOT_FOUND"),
        Fault.error(409, "VEHICLE_STATE", "ASLEEP"),
        Fault.error(500, "SERVER", "INTERNAL"),
    ],
    ids=["404", "409", "500"],
)
async def test_an_old_schedule_that_can_not_be_removed_is_tried_again_with_the_next_set(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, fault: Fault
) -> None:
    """It is reported, does not turn the success into a failure, and goes the next time."""
    first = await set_schedule(hass)
    simulator.script(fault, path=is_delete)
    second = await set_schedule(hass)
    assert (second["replaced_schedule_ids"], second["not_replaced_schedule_ids"]) == (
        [],
        [first["schedule_id"]],
    )
    assert (sensor(hass).state, sensor(hass).attributes["error_type"]) == (
        "success",
        None,
    )
    third = await set_schedule(hass)
    assert third["replaced_schedule_ids"] == [
        first["schedule_id"],
        second["schedule_id"],
    ]
    assert on_car(simulator) == [third["schedule_id"]]


async def test_an_old_schedule_is_tried_three_times_at_most(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Each try costs the user money; after that it is reported, and left."""
    first = await set_schedule(hass)
    old = f"/{first['schedule_id']}"
    simulator.always(Fault.error(409, "VEHICLE_STATE", "ASLEEP"), path=old)
    responses = [await set_schedule(hass) for _ in range(5)]
    assert all(
        response["not_replaced_schedule_ids"] == [first["schedule_id"]]
        for response in responses
    )
    assert len(simulator.received("DELETE", old)) == 3


async def test_commands_to_one_car_run_one_after_another(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """In the order of the calls; three may wait, the next caller hears that the car is busy."""
    hold = asyncio.Event()
    simulator.script(Fault(hold=hold))
    calls = [
        hass.async_create_task(set_schedule(hass, start_time=f"0{hour}:00"))
        for hour in range(4)
    ]
    await simulator.wait_for_request(path="/charge-schedules/daily")
    await asyncio.sleep(0)
    with pytest.raises(
        HomeAssistantError, match="Tesla Model Y 2024 is busy"
    ) as caught:
        await set_schedule(hass)
    assert caught.value.translation_key == "busy"
    assert len(simulator.creates) == 1
    hold.set()
    await asyncio.gather(*calls)
    sent = [
        request.json["data"]["attributes"]["startTime"] for request in simulator.creates
    ]
    assert sent == ["00:00", "01:00", "02:00", "03:00"]
    assert len(on_car(simulator)) == 1


@pytest.mark.parametrize("cars", [[TESLA, VOLVO]])
async def test_different_cars_run_side_by_side(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """One car that takes minutes does not hold up another."""
    hold = asyncio.Event()
    simulator.script(Fault(hold=hold))
    slow = hass.async_create_task(set_schedule(hass, device_id=device_id(hass, TESLA)))
    await simulator.wait_for_request(path="/charge-schedules/daily")
    assert (await set_schedule(hass, device_id=device_id(hass, VOLVO)))[
        "status"
    ] == "SUCCESS"
    assert sensor(hass).state == "in_progress"
    hold.set()
    assert (await slow)["status"] == "SUCCESS"


async def test_a_caller_cancelled_after_sending_does_not_abandon_the_command(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """An automation in restart mode: the verdict is recorded, and the replacing finished."""
    await set_schedule(hass)
    hold = asyncio.Event()
    simulator.script(Fault(hold=hold))
    call = hass.async_create_task(set_schedule(hass, start_time="00:00"))
    await simulator.wait_for_request(2, path="/charge-schedules/daily")
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    hold.set()
    # The next command waits for the one that goes on.
    await set_schedule(hass, start_time="01:00")
    (schedule,) = simulator.schedules(TESLA.vehicle_id)
    assert schedule.start == "01:00"
    assert [
        request.method
        for request in simulator.received(path=lambda r: "charge-schedules" in r.path)
    ] == [
        "POST",
        "POST",
        "DELETE",
        "POST",
        "DELETE",
    ]


async def test_a_caller_cancelled_while_waiting_sends_nothing(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """What has not begun is taken back."""
    hold = asyncio.Event()
    simulator.script(Fault(hold=hold))
    first = hass.async_create_task(set_schedule(hass))
    await simulator.wait_for_request(path="/charge-schedules/daily")
    waiting = hass.async_create_task(set_schedule(hass, start_time="00:00"))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    hold.set()
    await first
    assert len(simulator.creates) == 1


async def unload(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Unload the entry."""
    assert await hass.config_entries.async_unload(entry.entry_id)


async def stop(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Stop Home Assistant."""
    await hass.async_stop()


@pytest.mark.parametrize("end", [unload, stop])
async def test_an_end_while_waiting_is_unconfirmed(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    seen: list[str],
    end: Callable[[HomeAssistant, MockConfigEntry], Any],
) -> None:
    """The caller hears it, who waits is told that nothing was sent, and the sensor says it before it goes."""
    simulator.script(Fault(hold=asyncio.Event()))
    first = hass.async_create_task(set_schedule(hass))
    await simulator.wait_for_request(path="/charge-schedules/daily")
    waiting = hass.async_create_task(set_schedule(hass, start_time="00:00"))
    await asyncio.sleep(0)
    await end(hass, entry)
    with pytest.raises(HomeAssistantError, match="It is not known whether") as caught:
        await first
    assert caught.value.translation_key == "create_unconfirmed"
    with pytest.raises(
        HomeAssistantError, match="Nothing was sent to Tesla Model Y 2024"
    ) as caught:
        await waiting
    assert caught.value.translation_key == "stopped"
    assert len(simulator.creates) == 1
    assert seen[:2] == ["in_progress", "unconfirmed"]


async def test_an_end_while_replacing_keeps_the_success(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The new schedule is set; the old one is removed after the next start, with the next set."""
    hass.states.async_set("zone.work", "0", {"latitude": 1.5, "longitude": 2.5})
    old = [
        (await set_schedule(hass, start_time=f"0{hour}:00", replace=False))[
            "schedule_id"
        ]
        for hour in range(2)
    ]
    simulator.script(Fault(hold=asyncio.Event(), executes=False), path=is_delete)
    call = hass.async_create_task(set_schedule(hass))
    await simulator.wait_for_request(path=is_delete)
    await unload(hass, entry)
    response = await call
    assert response["not_replaced_schedule_ids"] == old
    assert len(simulator.deletes) == 1
    await hass.config_entries.async_setup(entry.entry_id)
    assert sensor(hass).state == "success"
    again = await set_schedule(hass)
    assert again["replaced_schedule_ids"] == [*old, response["schedule_id"]]


async def test_an_unconfirmed_delete_says_so(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The schedule stays known, so that the delete can be repeated by the user."""
    schedule = (await set_schedule(hass))["schedule_id"]
    simulator.script(Fault.error(500, "SERVER", "INTERNAL"), path=is_delete)
    with pytest.raises(
        HomeAssistantError, match="It is not known whether Tesla Model Y 2024 removed"
    ) as caught:
        await delete_schedule(hass, zone="zone.home")
    assert caught.value.translation_key == "delete_unconfirmed"
    assert (sensor(hass).state, sensor(hass).attributes["action"]) == (
        "unconfirmed",
        "delete",
    )
    response = await delete_schedule(hass, zone="zone.home")
    assert response["deleted_schedule_ids"] == [schedule]


async def test_a_delete_that_the_http_library_repeated_is_a_success(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """On a connection that turned out dead, aiohttp sends a DELETE again by itself: the second one finds nothing."""
    first = await set_schedule(hass)
    simulator.script(Fault(cut=Cut.BEFORE_ANSWER), path=is_delete)
    second = await set_schedule(hass)
    assert (second["replaced_schedule_ids"], second["not_replaced_schedule_ids"]) == (
        [first["schedule_id"]],
        [],
    )
    assert [request.path.rpartition("/")[2] for request in simulator.deletes] == [
        first["schedule_id"]
    ] * 2


async def test_rejected_credentials_while_replacing_start_reauth(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The success stays one."""
    first = await set_schedule(hass)
    simulator.always(Fault.error(401, "AUTHENTICATION", "UNAUTHORIZED"), path=is_delete)
    second = await set_schedule(hass)
    assert (second["status"], second["not_replaced_schedule_ids"]) == (
        "SUCCESS",
        [first["schedule_id"]],
    )
    assert len(hass.config_entries.flow.async_progress_by_handler(DOMAIN)) == 1
