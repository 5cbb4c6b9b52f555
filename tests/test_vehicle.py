"""The heart: verdicts, replacing, and commands that somebody or something cuts off."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.event import async_track_state_change_event
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.smartcar_charging.const import DOMAIN
from custom_components.smartcar_charging.smartcar import RefusedError
from tests.actions import (
    CHARGE_SCHEDULE,
    SENSOR,
    delete_schedule,
    device_id,
    sensor,
    set_schedule,
    shown,
)
from tests.ledgers import stored
from tests.simulator import (
    TESLA,
    VOLVO,
    CreateMode,
    Cut,
    Fault,
    ReceivedRequest,
    Simulator,
)

GONE = Fault.error(404, "RESOURCE_NOT_FOUND", "SCHEDULE_NOT_FOUND")
NO_VEHICLE = Fault.error(404, "RESOURCE_NOT_FOUND", "VEHICLE_NOT_FOUND")


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
    """While the car works on it, the sensor says so, with the window asked for."""
    hold = asyncio.Event()
    simulator.script(Fault(hold=hold))
    call = hass.async_create_task(set_schedule(hass))
    await simulator.wait_for_request(path="/charge-schedules/daily")
    state = sensor(hass)
    assert state.state == "in_progress"
    assert state.attributes["start_time"] == "23:30"
    assert state.attributes["schedule_id"] is None
    hold.set()
    response = await call
    assert sensor(hass).state == "success"
    assert sensor(hass).attributes["schedule_id"] == response["schedule_id"]


async def test_smartcars_own_reason_reaches_the_user(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Type, code and text, in the error and on the sensor; the cause is kept."""
    simulator.script(
        Fault.error(409, "VEHICLE_STATE", "IN_MOTION", "The car is being driven.")
    )
    with pytest.raises(
        HomeAssistantError, match=r"VEHICLE_STATE/IN_MOTION: The car is being driven\."
    ) as caught:
        await set_schedule(hass)
    assert isinstance(caught.value.__cause__, RefusedError)
    assert caught.value.translation_domain == DOMAIN
    attributes = sensor(hass).attributes
    assert attributes["error_type"] == "VEHICLE_STATE"
    assert attributes["error_code"] == "IN_MOTION"
    assert attributes["error_message"] == "The car is being driven."
    assert attributes["request_id"] is not None


async def test_rejected_credentials_start_reauth(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The command fails, the user has to sign in again, and all stays loaded."""
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
    assert second["replaced_schedule_ids"] == [first["schedule_id"]]
    assert second["not_replaced_schedule_ids"] == []
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
    assert second["replaced_schedule_ids"] == []
    assert second["not_replaced_schedule_ids"] == []
    assert on_car(simulator) == [first["schedule_id"], second["schedule_id"]]
    third = await set_schedule(hass)
    assert third["replaced_schedule_ids"] == [
        first["schedule_id"],
        second["schedule_id"],
    ]
    assert on_car(simulator) == [third["schedule_id"]]


async def test_zone_that_moved_leaves_its_schedule_behind_and_names_it(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Another zone may have taken the id over: nothing is removed by its name."""
    hass.states.async_set("zone.work", "0", {"latitude": 1.5, "longitude": 2.5})
    first = await set_schedule(hass, zone="zone.work")
    hass.states.async_set("zone.work", "0", {"latitude": 50.5, "longitude": 2.5})
    second = await set_schedule(hass, zone="zone.work")
    assert second["replaced_schedule_ids"] == []
    (warning,) = second["warnings"]
    assert first["schedule_id"] in warning
    response = await delete_schedule(hass, zone="zone.work")
    assert response["deleted_schedule_ids"] == [second["schedule_id"]]
    assert on_car(simulator) == [first["schedule_id"]]
    with pytest.raises(ServiceValidationError) as caught:
        await delete_schedule(hass, zone="zone.work")
    assert caught.value.translation_key == "nothing_to_delete"


async def test_the_id_just_returned_is_never_deleted(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Smartcar may replace under the same id."""
    simulator.create_mode = CreateMode.REPLACE_SAME_ID
    first = await set_schedule(hass)
    second = await set_schedule(hass, start_time="00:00", stop_time="06:00")
    assert first["schedule_id"] == second["schedule_id"]
    assert second["replaced_schedule_ids"] == []
    assert second["not_replaced_schedule_ids"] == []
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
    simulator.script(Fault.without_id())
    second = await set_schedule(hass)
    assert second["schedule_id"] is None
    assert second["replaced_schedule_ids"] == []
    assert second["not_replaced_schedule_ids"] == [first["schedule_id"]]
    assert second["warnings"] == [
        (
            "Smartcar did not tell the id of the new schedule, "
            "so it can not be replaced later."
        )
    ]
    assert simulator.deletes == []
    listed = shown(hass, CHARGE_SCHEDULE).attributes["schedules"]
    told = [(own["schedule_id"], own["standing"]) for own in listed]
    assert told == [(first["schedule_id"], "on_car"), (None, "on_car")]


async def test_an_old_schedule_that_can_not_be_removed_goes_with_the_next_set(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """That it stayed is reported, and does not make the success a failure."""
    first = await set_schedule(hass)
    simulator.script(Fault.error(409, "VEHICLE_STATE", "ASLEEP"), path=is_delete)
    second = await set_schedule(hass)
    assert second["replaced_schedule_ids"] == []
    assert second["not_replaced_schedule_ids"] == [first["schedule_id"]]
    assert sensor(hass).state == "success"
    assert sensor(hass).attributes["error_type"] is None
    third = await set_schedule(hass)
    assert third["replaced_schedule_ids"] == [
        first["schedule_id"],
        second["schedule_id"],
    ]
    assert on_car(simulator) == [third["schedule_id"]]


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        (Fault(status=404), "unconfirmed"),
        (Fault(status=404, body=""), "unconfirmed"),
        (Fault(status=404, body="<html>Not Found</html>"), "unconfirmed"),
        (Fault(status=404, body={"message": "no Route matched"}), "unconfirmed"),
        (Fault(status=404, body={"code": "SCHEDULE_NOT_FOUND"}), "unconfirmed"),
        (replace(GONE, cut=Cut.MID_BODY), "unconfirmed"),
        (replace(NO_VEHICLE, cut=Cut.MID_BODY), "unconfirmed"),
        (NO_VEHICLE, "failed"),
        (Fault.error(404, "RESOURCE_NOT_FOUND", "USER_NOT_FOUND"), "failed"),
        (Fault.error(404, "RESOURCE_NOT_FOUND", "CONNECTION_NOT_FOUND"), "failed"),
        (Fault.error(404, "SOMETHING_NEW"), "failed"),
    ],
)
async def test_404_that_is_not_about_the_schedule_does_not_say_that_it_is_gone(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    fault: Fault,
    verdict: str,
) -> None:
    """Neither to who deletes it nor to who replaces it: it is still listed."""
    first = (await set_schedule(hass))["schedule_id"]
    simulator.always(fault, path=is_delete)
    with pytest.raises(HomeAssistantError):
        await delete_schedule(hass, zone="zone.home")
    assert sensor(hass).state == verdict
    second = await set_schedule(hass)
    assert second["replaced_schedule_ids"] == []
    assert second["not_replaced_schedule_ids"] == [first]
    listed = shown(hass, CHARGE_SCHEDULE).attributes["schedules"]
    assert [schedule["schedule_id"] for schedule in listed] == on_car(simulator)


@pytest.mark.parametrize(
    "refusal",
    [
        Fault.error(401, "AUTHENTICATION", "UNAUTHORIZED"),
        Fault.error(403, "PERMISSION"),
        Fault.error(409, "VEHICLE_STATE", "ASLEEP"),
        Fault.error(429, "RATE_LIMIT", "VEHICLE", headers={"Retry-After": "0"}),
    ],
    ids=["401", "403", "409", "429"],
)
async def test_refusal_of_a_delete_that_aiohttp_repeated_is_unconfirmed(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, refusal: Fault
) -> None:
    """The first one was carried out, unheard: it is asked about, and not sent again."""
    schedule_id = (await set_schedule(hass))["schedule_id"]
    simulator.script(Fault(cut=Cut.BEFORE_ANSWER), refusal, path=is_delete)
    with pytest.raises(HomeAssistantError) as caught:
        await delete_schedule(hass, schedule_id=schedule_id)
    assert caught.value.translation_key == "delete_unconfirmed"
    assert (sensor(hass).state, len(simulator.deletes)) == ("unconfirmed", 2)
    (schedule,) = shown(hass, CHARGE_SCHEDULE).attributes["schedules"]
    assert schedule["standing"] == "possibly_on_car"
    assert hass.config_entries.flow.async_progress() == []


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
    """The caller hears it, and the sensor says it before it goes.

    Who waits is told that nothing was sent.
    """
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
    assert [own["doubt"] for own in stored(hass, entry)["schedules"]] == ["stopped"]


@pytest.mark.parametrize("end", [unload, stop])
async def test_an_end_while_a_delete_is_out_leaves_a_doubtful_delete(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    end: Callable[[HomeAssistant, MockConfigEntry], Any],
) -> None:
    """Its id is known, whatever cut it off: deleting it again is safe."""
    await set_schedule(hass)
    simulator.script(Fault(hold=asyncio.Event()), path=is_delete)
    call = hass.async_create_task(delete_schedule(hass, zone="zone.home"))
    await simulator.wait_for_request(path=is_delete)
    await end(hass, entry)
    with pytest.raises(HomeAssistantError) as caught:
        await call
    assert caught.value.translation_key == "delete_unconfirmed"
    assert [own["doubt"] for own in stored(hass, entry)["schedules"]] == ["delete"]


@pytest.mark.parametrize("end", [unload, stop])
async def test_answer_that_came_before_an_end_is_not_one_that_a_stop_cut_off(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    end: Callable[[HomeAssistant, MockConfigEntry], Any],
) -> None:
    """The user is told what happened: an answer that proves nothing."""
    simulator.script(Fault.error(500, "SERVER", "INTERNAL"))
    with pytest.raises(HomeAssistantError):
        await set_schedule(hass)
    await end(hass, entry)
    assert [own["doubt"] for own in stored(hass, entry)["schedules"]] == ["no_answer"]


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
    assert sensor(hass).state == "unconfirmed"
    assert sensor(hass).attributes["action"] == "delete"
    response = await delete_schedule(hass, zone="zone.home")
    assert response["deleted_schedule_ids"] == [schedule]


async def test_rejected_credentials_while_replacing_start_reauth(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The success stays one."""
    first = await set_schedule(hass)
    simulator.always(Fault.error(401, "AUTHENTICATION", "UNAUTHORIZED"), path=is_delete)
    second = await set_schedule(hass)
    assert second["status"] == "SUCCESS"
    assert second["not_replaced_schedule_ids"] == [first["schedule_id"]]
    assert len(hass.config_entries.flow.async_progress_by_handler(DOMAIN)) == 1


async def test_without_the_new_id_no_superseded_schedule_is_deleted_either(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """It could be the new one, under its former name."""
    first = await set_schedule(hass)
    simulator.script(Fault.error(409, "VEHICLE_STATE", "ASLEEP"), path=is_delete)
    second = await set_schedule(hass, start_time="22:00")
    assert second["not_replaced_schedule_ids"] == [first["schedule_id"]]
    deletes = len(simulator.deletes)
    simulator.script(Fault.without_id(), path="/daily")
    third = await set_schedule(hass, start_time="21:00")
    assert third["replaced_schedule_ids"] == []
    assert len(simulator.deletes) == deletes
