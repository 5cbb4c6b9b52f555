"""The actions, from the call to the wire and back."""

from datetime import time
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.smartcar_charging.const import DOMAIN
from tests.actions import delete_schedule, device_id, sensor, set_schedule
from tests.conftest import make_entry
from tests.simulator import REMOVED, TESLA, VOLVO, Fault, Simulator

HOME = {"latitude": 32.87336, "longitude": -117.22743}


async def test_request_is_the_official_one(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Method, path, the three headers, and the body with nothing else in it."""
    await set_schedule(hass)
    (request,) = simulator.creates
    assert request.method == "POST"
    assert request.path == f"/v3/vehicles/{TESLA.vehicle_id}/charge-schedules/daily"
    assert request.query == {}
    assert request.headers["Authorization"] == f"Bearer {simulator.tokens_minted[-1]}"
    assert request.headers["sc-user-id"] == TESLA.user_id
    assert request.headers["Content-Type"] == "application/json"
    attributes = {"location": HOME, "startTime": "23:30", "stopTime": "05:30"}
    assert request.json == {"data": {"attributes": attributes}}


async def test_response_says_what_smartcar_said(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Every documented key, from Smartcar's own answer, and when it came."""
    response = await set_schedule(hass)
    (schedule,) = simulator.schedules(TESLA.vehicle_id)
    executed_at = response.pop("executed_at")
    completed_at = response.pop("completed_at")
    assert executed_at < completed_at
    assert response.pop("execution_id").startswith("exec_")
    assert len(response.pop("request_id")) == 36
    assert response == {
        "schedule_id": schedule.id,
        "action": "create",
        "schedule_type": "daily",
        "status": "SUCCESS",
        "execution_mode": "sync",
        "duration_seconds": 2,
        "ended_at": dt_util.utcnow().isoformat(),
        "location": HOME,
        "start_time": "23:30",
        "stop_time": "05:30",
        "duration_minutes": 360,
        "crosses_midnight": True,
        "replaced_schedule_ids": [],
        "not_replaced_schedule_ids": [],
        "warnings": [],
    }


async def test_response_is_optional(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """An automation that does not ask for it just sets the schedule."""
    data = {"start_time": "01:00", "stop_time": "04:45"}
    await hass.services.async_call(
        DOMAIN, "set_daily_charge_schedule", data, blocking=True
    )
    (schedule,) = simulator.schedules(TESLA.vehicle_id)
    assert (schedule.start, schedule.stop) == ("01:00", "04:45")


@pytest.mark.parametrize(
    ("start", "stop", "minutes", "crosses"),
    [
        ("01:00", "04:45", 225, False),
        ("23:30", "05:30", 360, True),
        ("22:00", "00:00", 120, True),
        ("00:00", "23:59", 1439, False),
        ("00:01", "00:00", 1439, True),
    ],
)
async def test_window_is_measured(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    start: str,
    stop: str,
    minutes: int,
    crosses: bool,
) -> None:
    """A window over midnight ends on the next day."""
    response = await set_schedule(hass, start_time=start, stop_time=stop)
    assert response["duration_minutes"] == minutes
    assert response["crosses_midnight"] == crosses


async def test_times_with_zero_seconds_are_sent_without(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Time selectors and input_datetime give seconds; Smartcar takes none."""
    await set_schedule(hass, start_time="23:30:00", stop_time="05:30:00")
    attributes = simulator.creates[0].json["data"]["attributes"]
    assert (attributes["startTime"], attributes["stopTime"]) == ("23:30", "05:30")


async def test_zone_gives_its_coordinates_at_the_time_of_the_call(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """A zone that moved is sent where it is now."""
    hass.states.async_set("zone.work", "0", {"latitude": 1.5, "longitude": 2.5})
    await set_schedule(hass, zone="zone.work")
    hass.states.async_set("zone.work", "0", {"latitude": 3.5, "longitude": -4.5})
    await set_schedule(hass, zone="zone.work")
    sent = [
        request.json["data"]["attributes"]["location"] for request in simulator.creates
    ]
    assert sent == [
        {"latitude": 1.5, "longitude": 2.5},
        {"latitude": 3.5, "longitude": -4.5},
    ]


async def test_location_is_sent_without_its_radius(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Location selectors may add a radius, which Smartcar does not know."""
    await set_schedule(
        hass, location={"latitude": "52.5", "longitude": 13, "radius": 100}
    )
    sent = simulator.creates[0].json["data"]["attributes"]["location"]
    assert sent == {"latitude": 52.5, "longitude": 13.0}


@pytest.mark.parametrize(
    "data",
    [
        {"start_time": "24:00"},
        {"start_time": "7:30"},
        {"start_time": "23:60"},
        {"start_time": "23:30:60"},
        {"start_time": "half past ten"},
        {"start_time": ""},
        {"start_time": None},
        {"start_time": True},
        {"start_time": 23.5},
        {"start_time": "٢٣:٣٠"},
        {"start_time": "23:30\n"},
        {"location": "home"},
        {"location": {"latitude": 1}},
        {"location": {"latitude": True, "longitude": 1}},
        {"location": {"latitude": "north", "longitude": 1}},
        {"location": {"latitude": None, "longitude": 1}},
        {"location": {"latitude": 10**400, "longitude": 1}},
        {"location": {"latitude": 1, "longitude": 1, "altitude": 1}},
        {"zone": "person.demo"},
        {"replace": "perhaps"},
        {"charge_limit": 80},
    ],
)
async def test_wrong_shape_is_the_schemas_own_error(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    data: dict[str, Any],
) -> None:
    """What is not even of the right kind is refused before the action runs."""
    with pytest.raises(vol.Invalid):
        await set_schedule(hass, **data)
    assert simulator.creates == []


@pytest.mark.parametrize("missing", ["start_time", "stop_time"])
async def test_both_times_are_required(
    hass: HomeAssistant, entry: MockConfigEntry, missing: str
) -> None:
    """There is no default window."""
    data = {"start_time": "23:30", "stop_time": "05:30"}
    del data[missing]
    with pytest.raises(vol.Invalid):
        await hass.services.async_call(
            DOMAIN, "set_daily_charge_schedule", data, blocking=True
        )


@pytest.mark.parametrize(
    ("data", "key", "message"),
    [
        ({"start_time": "05:30"}, "equal_times", "Start and stop are both 05:30"),
        (
            {"start_time": 1410},
            "time_needs_quotes",
            "The start_time arrived as a number",
        ),
        ({"stop_time": 330}, "time_needs_quotes", "The stop_time arrived as a number"),
        (
            {"stop_time": "05:30:15"},
            "seconds_not_supported",
            "The stop_time 05:30:15 has seconds",
        ),
        ({"zone": "zone.nowhere"}, "zone_not_found", "There is no zone zone.nowhere"),
        (
            {"zone": "zone.blank"},
            "zone_without_coordinates",
            "The zone zone.blank has no coordinates",
        ),
        (
            {"zone": "zone.home", "location": HOME},
            "zone_and_location",
            "Both a zone and a location",
        ),
        (
            {"location": {"latitude": 90.5, "longitude": 0}},
            "location_out_of_range",
            "not on Earth",
        ),
        (
            {"location": {"latitude": 0, "longitude": -180.5}},
            "location_out_of_range",
            "not on Earth",
        ),
        (
            {"location": {"latitude": "nan", "longitude": 0}},
            "location_out_of_range",
            "not on Earth",
        ),
        (
            {"location": {"latitude": 0, "longitude": "inf"}},
            "location_out_of_range",
            "not on Earth",
        ),
        (
            {"device_id": "unknown"},
            "device_not_found",
            "There is no device with this ID",
        ),
    ],
)
async def test_input_without_meaning_is_refused_before_sending(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    data: dict[str, Any],
    key: str,
    message: str,
) -> None:
    """The error says so in the user's language, and nothing is sent or recorded."""
    hass.states.async_set("zone.blank", "0", {"latitude": None})
    with pytest.raises(ServiceValidationError, match=message) as caught:
        await set_schedule(hass, **data)
    assert caught.value.translation_domain == DOMAIN
    assert caught.value.translation_key == key
    assert simulator.creates == []
    assert sensor(hass).state == "unknown"


async def test_foreign_device_is_refused(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """A device of another integration is named in the error."""
    other = MockConfigEntry(domain="other")
    other.add_to_hass(hass)
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=other.entry_id,
        identifiers={("other", "1")},
        name="Washing machine",
    )
    with pytest.raises(ServiceValidationError, match="Washing machine is not a car"):
        await set_schedule(hass, device_id=device.id)
    assert simulator.creates == []


async def test_device_of_an_unloaded_entry_is_refused(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The car is named, and the user is told where to look."""
    device = device_id(hass, TESLA)
    await hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(
        ServiceValidationError, match="Tesla Model Y 2024 is set up, but not loaded"
    ):
        await set_schedule(hass, device_id=device)
    with pytest.raises(
        ServiceValidationError, match="Tesla Model Y 2024 is set up, but not loaded"
    ):
        await set_schedule(hass)
    assert simulator.creates == []


async def test_without_any_car_the_user_is_told_to_add_one(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The action is there as soon as the integration is."""
    await hass.config_entries.async_remove(entry.entry_id)
    with pytest.raises(ServiceValidationError, match="No car is set up"):
        await set_schedule(hass)


@pytest.mark.parametrize("cars", [[TESLA, VOLVO]])
async def test_with_two_cars_the_device_is_required(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The error names the cars."""
    with pytest.raises(
        ServiceValidationError, match=r"Tesla Model Y 2024, Volvo EX40 2025"
    ):
        await set_schedule(hass)
    assert simulator.creates == []


async def test_a_car_that_is_not_loaded_still_counts(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Else, with an entry disabled, a command without a device hits the wrong car."""
    other = make_entry(
        VOLVO, data={"access_token": "token"}, disabled_by=ConfigEntryDisabler.USER
    )
    other.add_to_hass(hass)
    with pytest.raises(ServiceValidationError, match="Several cars are set up"):
        await set_schedule(hass)
    assert simulator.creates == []


@pytest.mark.parametrize("cars", [[TESLA, VOLVO]])
async def test_each_request_bears_its_own_ids(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Two cars of two users in one entry, one call each."""
    await set_schedule(hass, device_id=device_id(hass, VOLVO))
    await set_schedule(hass, device_id=device_id(hass, TESLA))
    sent = [
        (request.path.split("/")[3], request.headers["sc-user-id"])
        for request in simulator.creates
    ]
    assert sent == [
        (VOLVO.vehicle_id, VOLVO.user_id),
        (TESLA.vehicle_id, TESLA.user_id),
    ]
    assert len(simulator.tokens_minted) == 1


async def test_an_echo_that_differs_is_what_counts(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What Smartcar says it set is recorded and shown, with a warning.

    In the log it has no coordinates.
    """
    elsewhere = {"latitude": 32.9, "longitude": -117.2}
    parameters = {"location": elsewhere, "startTime": "23:00", "stopTime": "06:00"}
    simulator.script(Fault(merge={"data": {"attributes": {"parameters": parameters}}}))
    response = await set_schedule(hass)
    assert response["location"] == elsewhere
    assert response["start_time"] == "23:00"
    assert response["stop_time"] == "06:00"
    assert response["duration_minutes"] == 420
    assert response["warnings"] == [
        "Smartcar set the window 23:00–06:00 instead of 23:30–05:30.",
        "Smartcar set the schedule for other coordinates than it was sent.",
    ]
    state = sensor(hass)
    assert state.state == "success"
    assert state.attributes["start_time"] == "23:00"
    assert state.attributes["location"] == elsewhere
    logged = [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("custom_components")
    ]
    assert f"Tesla Model Y 2024: {response['warnings'][0]}" in logged
    assert not any("32.9" in message or "117" in message for message in logged)


async def test_an_echo_that_is_missing_is_no_difference(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Without an echo, what was sent is what was set."""
    simulator.script(Fault(merge={"data": {"attributes": {"parameters": REMOVED}}}))
    response = await set_schedule(hass)
    assert response["location"] == HOME
    assert response["start_time"] == "23:30"
    assert response["stop_time"] == "05:30"
    assert response["warnings"] == []


async def test_delete_by_id(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """One request, and the response says what went."""
    schedule = (await set_schedule(hass))["schedule_id"]
    response = await delete_schedule(hass, schedule_id=schedule)
    (request,) = simulator.deletes
    assert (
        request.path == f"/v3/vehicles/{TESLA.vehicle_id}/charge-schedules/{schedule}"
    )
    assert (request.headers["sc-user-id"], request.body) == (TESLA.user_id, b"")
    assert simulator.schedules(TESLA.vehicle_id) == []
    assert response["deleted_schedule_ids"] == [schedule]
    assert response["action"] == "delete"
    assert response["status"] == "SUCCESS"
    assert (response["start_time"], response["stop_time"]) == ("23:30", "05:30")
    assert response["location"] == HOME
    assert response["warnings"] == []
    state = sensor(hass)
    assert state.state == "success"
    assert state.attributes["action"] == "delete"
    assert state.attributes["start_time"] == "23:30"


async def test_delete_of_a_schedule_set_elsewhere(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The id is enough, whoever set it."""
    foreign = simulator.add_schedule(
        TESLA.vehicle_id, start="01:00", stop="02:00", latitude=1.0, longitude=1.0
    )
    response = await delete_schedule(hass, schedule_id=foreign.id)
    assert response["deleted_schedule_ids"] == [foreign.id]
    assert simulator.schedules(TESLA.vehicle_id) == []
    assert sensor(hass).attributes["start_time"] is None


async def test_delete_at_a_zone_takes_all_that_home_assistant_set_there(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """One request each; other places, and what was set elsewhere, stay."""
    hass.states.async_set("zone.work", "0", {"latitude": 1.5, "longitude": 2.5})
    first = await set_schedule(hass)
    second = await set_schedule(
        hass, start_time="12:00", stop_time="13:00", replace=False
    )
    work = await set_schedule(hass, zone="zone.work")
    foreign = simulator.add_schedule(
        TESLA.vehicle_id,
        start="01:00",
        stop="02:00",
        latitude=32.8734,
        longitude=-117.2274,
    )
    response = await delete_schedule(hass, zone="zone.home")
    assert response["deleted_schedule_ids"] == [
        first["schedule_id"],
        second["schedule_id"],
    ]
    assert [schedule.id for schedule in simulator.schedules(TESLA.vehicle_id)] == [
        work["schedule_id"],
        foreign.id,
    ]
    with pytest.raises(
        ServiceValidationError,
        match="has set no charge schedule for Tesla Model Y 2024 at zone.home",
    ):
        await delete_schedule(hass, zone="zone.home")


async def test_delete_at_a_zone_that_is_gone(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Schedules outlive the zone they were set for; a zone nobody knows is an error."""
    hass.states.async_set("zone.work", "0", {"latitude": 1.5, "longitude": 2.5})
    await set_schedule(hass)
    work = await set_schedule(hass, zone="zone.work")
    hass.states.async_remove("zone.work")
    response = await delete_schedule(hass, zone="zone.work")
    assert response["deleted_schedule_ids"] == [work["schedule_id"]]
    with pytest.raises(ServiceValidationError, match=r"There is no zone zone\.work"):
        await delete_schedule(hass, zone="zone.work")


async def test_delete_of_what_is_already_gone_is_a_success(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """What was wanted is so; the response says that it was so before."""
    schedule = (await set_schedule(hass))["schedule_id"]
    simulator.vehicles[TESLA.vehicle_id].schedules.clear()
    response = await delete_schedule(hass, schedule_id=schedule)
    assert (response["deleted_schedule_ids"], response["status"]) == ([schedule], None)
    assert response["warnings"] == [
        "Smartcar knows no such schedule: it was already gone."
    ]
    assert sensor(hass).state == "success"


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({}, "schedule_id_or_zone"),
        ({"schedule_id": "sched_1", "zone": "zone.home"}, "schedule_id_or_zone"),
        ({"schedule_id": ".."}, "invalid_schedule_id"),
        ({"schedule_id": "a/b"}, "invalid_schedule_id"),
        ({"schedule_id": ""}, "invalid_schedule_id"),
        ({"schedule_id": "x" * 129}, "invalid_schedule_id"),
        ({"zone": "zone.home"}, "nothing_to_delete"),
        ({"zone": "zone.nowhere"}, "zone_not_found"),
        ({"zone": "zone.home", "device_id": "unknown"}, "device_not_found"),
    ],
)
async def test_delete_without_meaning_is_refused_before_sending(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    data: dict[str, Any],
    key: str,
) -> None:
    """Bad input never reaches Smartcar."""
    with pytest.raises(ServiceValidationError) as caught:
        await delete_schedule(hass, **data)
    assert caught.value.translation_key == key
    assert simulator.deletes == []


async def test_delete_that_fails_half_way_names_what_is_gone_and_what_is_not(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """What was not removed can be tried again."""
    first = (await set_schedule(hass))["schedule_id"]
    second = (await set_schedule(hass, start_time="12:00", replace=False))[
        "schedule_id"
    ]
    simulator.script(
        Fault(),
        Fault.error(409, "VEHICLE_STATE", "ASLEEP", "The car sleeps."),
        path=lambda request: request.method == "DELETE",
    )
    with pytest.raises(HomeAssistantError, match="The car sleeps") as caught:
        await delete_schedule(hass, zone="zone.home")
    assert caught.value.translation_key == "partly_deleted"
    given = caught.value.translation_placeholders
    assert given is not None
    assert (given["removed"], given["not_removed"]) == (first, second)
    assert sensor(hass).attributes["can_retry"] is True
    response = await delete_schedule(hass, zone="zone.home")
    assert response["deleted_schedule_ids"] == [second]
    assert simulator.schedules(TESLA.vehicle_id) == []


async def test_a_time_object_is_a_time(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Python scripts pass times as such."""
    await set_schedule(hass, start_time=time(23, 30), stop_time=time(5, 30))
    assert simulator.creates[0].json["data"]["attributes"]["startTime"] == "23:30"


async def test_two_entries_side_by_side(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Each car is commanded with its own account's credentials."""
    token = simulator.issue_token()
    other = make_entry(VOLVO, data={"access_token": token})
    other.add_to_hass(hass)
    assert await hass.config_entries.async_setup(other.entry_id)
    await set_schedule(hass, device_id=device_id(hass, VOLVO))
    await set_schedule(hass, device_id=device_id(hass, TESLA))
    used = [request.headers["Authorization"] for request in simulator.creates]
    assert used == [f"Bearer {token}", f"Bearer {simulator.tokens_minted[-1]}"]
