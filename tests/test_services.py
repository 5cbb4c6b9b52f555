"""The actions, from the call to the wire and back."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, time
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_mock_service,
)
import voluptuous as vol

from custom_components.smartcar_charging.const import DOMAIN
from custom_components.smartcar_charging.smartcar import client
from tests.actions import (
    call_action,
    delete_schedule,
    device_id,
    run_script,
    sensor,
    set_schedule,
)
from tests.conftest import make_entry
from tests.simulator import (
    REMOVED,
    TESLA,
    VOLVO,
    Car,
    Fault,
    ReceivedRequest,
    Simulator,
)

HOME = {"latitude": 32.87336, "longitude": -117.22743}


def is_delete(request: ReceivedRequest) -> bool:
    """Whether a request deletes a schedule."""
    return request.method == "DELETE"


async def three_schedules(hass: HomeAssistant) -> list[str]:
    """Set three schedules at home, and return their ids in that order."""
    return [
        (await set_schedule(hass, start_time=start, replace=False))["schedule_id"]
        for start in ("23:30", "12:00", "13:00")
    ]


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
        {"device_id": {"id": "of a car"}},
        {"location": "home"},
        {"location": {"latitude": 1}},
        {"location": {"latitude": 1, "longitude": 1, "altitude": 1}},
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
            "Start time arrived as a number",
        ),
        ({"stop_time": 330}, "time_needs_quotes", "Stop time arrived as a number"),
        (
            {"stop_time": "05:30:15"},
            "seconds_not_supported",
            r"Stop time has seconds \(05:30:15\)",
        ),
        (
            {"start_time": time(23, 30, 0, 1)},
            "seconds_not_supported",
            r"Start time has seconds \(23:30:00.000001\)",
        ),
        ({"zone": "zone.nowhere"}, "zone_not_found", "There is no zone zone.nowhere"),
        ({"zone": "person.demo"}, "zone_not_found", "There is no zone person.demo"),
        ({"zone": None}, "zone_not_found", "There is no zone none"),
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
        *[
            (
                {"location": {"latitude": latitude, "longitude": 1}},
                "location_out_of_range",
                "not on Earth",
            )
            for latitude in (True, "north", None, 10**400)
        ],
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
    hass.states.async_set("person.demo", "home", {"latitude": 1.5, "longitude": 2.5})
    with pytest.raises(ServiceValidationError, match=message) as caught:
        await set_schedule(hass, **data)
    assert caught.value.translation_domain == DOMAIN
    assert caught.value.translation_key == key
    assert simulator.creates == []
    assert sensor(hass).state == "unknown"


@pytest.mark.parametrize(
    "value",
    [
        "24:00",
        "7:30",
        "23:60",
        "23:30:60",
        "half past ten",
        "unavailable",
        "",
        None,
        True,
        23.5,
        "٢٣:٣٠",
        "23:30\n",
        ["23:30"],
        time(23, 30, tzinfo=UTC),
    ],
)
async def test_what_is_no_time_is_refused_in_words(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    value: Any,
) -> None:
    """Home Assistant's own error for a shape would reach nobody."""
    with pytest.raises(ServiceValidationError, match="is no time of day") as caught:
        await set_schedule(hass, start_time=value)
    assert caught.value.translation_key == "not_a_time"
    assert simulator.creates == []


@pytest.mark.parametrize(
    ("language", "start", "stop"),
    [
        ("en", "Start time", "Stop time"),
        ("de", "Startzeit", "Endzeit"),
        ("fr", "Heure de début", "Heure de fin"),
        ("nl", "Starttijd", "Eindtijd"),
        ("nb", "Starttid", "Sluttid"),
        ("sv", "Starttid", "Sluttid"),
    ],
)
@pytest.mark.parametrize("value", ["23:30:15", 1410, "9:00"])
async def test_error_names_a_field_as_the_form_does(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    language: str,
    start: str,
    stop: str,
    value: Any,
) -> None:
    """In Home Assistant's language, not by its key in YAML."""
    await hass.config.async_update(language=language)
    await hass.async_block_till_done()
    for field, name in (("start_time", start), ("stop_time", stop)):
        with pytest.raises(ServiceValidationError) as caught:
            await set_schedule(hass, **{field: value})
        given = caught.value.translation_placeholders
        assert given is not None
        assert given["field"] == name


type Action = Callable[[HomeAssistant, Any], Awaitable[dict[str, Any]]]


async def set_one(hass: HomeAssistant, device: Any) -> dict[str, Any]:
    """Set a schedule on a car."""
    return await set_schedule(hass, device_id=device)


async def delete_one(hass: HomeAssistant, device: Any) -> dict[str, Any]:
    """Delete a schedule on a car."""
    return await delete_schedule(hass, device_id=device, schedule_id="sched_1")


async def get_all(hass: HomeAssistant, device: Any) -> dict[str, Any]:
    """Ask for the schedules on a car."""
    return await call_action(hass, "get_charge_schedules", {"device_id": device})


EACH_ACTION = pytest.mark.parametrize("action", [set_one, delete_one, get_all])


@EACH_ACTION
@pytest.mark.parametrize("cars", [[TESLA, VOLVO]])
@pytest.mark.parametrize("times", [1, 2])
async def test_a_list_of_one_device_is_that_device(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    action: Action,
    times: int,
) -> None:
    """A target in YAML always gives a list; the same car twice is one car."""
    await action(hass, [device_id(hass, VOLVO)] * times)
    assert f"/vehicles/{VOLVO.vehicle_id}/" in simulator.requests[-1].path


@EACH_ACTION
@pytest.mark.parametrize("cars", [[TESLA, VOLVO]])
async def test_several_devices_are_refused(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, action: Action
) -> None:
    """Each car has a response and an error of its own."""
    before = len(simulator.requests)
    with pytest.raises(ServiceValidationError, match="one car at a time") as caught:
        await action(hass, [device_id(hass, TESLA), device_id(hass, VOLVO)])
    assert caught.value.translation_key == "several_devices"
    assert len(simulator.requests) == before


@EACH_ACTION
@pytest.mark.parametrize("device", [[], None, "", [None], [""]])
async def test_no_device_is_not_the_only_car(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    action: Action,
    device: Any,
) -> None:
    """A template that found no device means none, so none is commanded."""
    before = len(simulator.requests)
    with pytest.raises(ServiceValidationError, match="names no device") as caught:
        await action(hass, device)
    assert caught.value.translation_key == "no_device_given"
    assert len(simulator.requests) == before


@pytest.mark.parametrize("cars", [[TESLA, VOLVO]])
@pytest.mark.parametrize(
    "device",
    [
        "{{ states('input_text.car') }}",
        "{{ [states('input_text.car')] }}",
        ["{{ states('input_text.car') }}"],
    ],
)
async def test_target_in_yaml_chooses_the_car(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, device: Any
) -> None:
    """As a template, as one that gives a list, and as a list."""
    hass.states.async_set("input_text.car", device_id(hass, VOLVO))
    step = {
        "action": f"{DOMAIN}.set_daily_charge_schedule",
        "target": {"device_id": device},
        "data": {"start_time": "23:30", "stop_time": "05:30"},
    }
    await run_script(hass, [step])
    assert f"/vehicles/{VOLVO.vehicle_id}/" in simulator.creates[-1].path


@pytest.mark.parametrize("cars", [[TESLA, VOLVO]])
@pytest.mark.parametrize(
    "wrong",
    [
        {"device_id": ["{{ states('input_text.car') }}", "another"]},
        {"device_id": "{{ device_id('sensor.misspelt') }}"},
        {"device_id": "{{ [] }}"},
        {"device_id": "{{ states('input_text.car') }}", "start_time": "9:00"},
        {"device_id": "{{ states('input_text.car') }}", "stop_time": "{{ none }}"},
        {"device_id": "{{ states('input_text.car') }}", "zone": "{{ none }}"},
        {
            "device_id": "{{ states('input_text.car') }}",
            "location": {"latitude": "{{ none }}", "longitude": 1},
        },
    ],
)
async def test_continue_on_error_goes_on_after_misuse(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    wrong: dict[str, Any],
) -> None:
    """An error of the schema would end the script in spite of it."""
    hass.states.async_set("input_text.car", device_id(hass, VOLVO))
    told = async_mock_service(hass, "persistent_notification", "create")
    step = {
        "action": f"{DOMAIN}.set_daily_charge_schedule",
        "continue_on_error": True,
        "data": {"start_time": "23:30", "stop_time": "05:30", **wrong},
    }
    tell = {"action": "persistent_notification.create", "data": {"message": "Done"}}
    await run_script(hass, [step, tell])
    assert len(told) == 1
    assert simulator.creates == []


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
        ({"schedule_id": " "}, "invalid_schedule_id"),
        ({"schedule_id": "sched 1"}, "invalid_schedule_id"),
        ({"schedule_id": None}, "invalid_schedule_id"),
        ({"schedule_id": None, "zone": "zone.home"}, "schedule_id_or_zone"),
        ({"schedule_id": "x" * 129}, "invalid_schedule_id"),
        ({"zone": "zone.home"}, "nothing_to_delete"),
        ({"zone": "zone.nowhere"}, "zone_not_found"),
        ({"zone": "person.demo"}, "zone_not_found"),
        ({"zone": None}, "zone_not_found"),
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


@pytest.mark.parametrize("space", [" {}", "{} ", "\t{}\n"])
async def test_white_space_around_a_schedule_id_is_dropped(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, space: str
) -> None:
    """What is copied from a page often brings some."""
    schedule = (await set_schedule(hass))["schedule_id"]
    response = await delete_schedule(hass, schedule_id=space.format(schedule))
    assert response["deleted_schedule_ids"] == [schedule]
    assert simulator.schedules(TESLA.vehicle_id) == []


REFUSED = (Fault.error(409, "VEHICLE_STATE", "ASLEEP", "The car sleeps."),)
LOST = (Fault.error(500, "SERVER", "INTERNAL"),)
REJECTED = (Fault.error(401, "AUTHENTICATION", "UNAUTHORIZED"),) * 2


@pytest.mark.parametrize(
    ("faults", "reason"),
    [
        (REFUSED, "did not take the command in its present state"),
        (LOST, "It is not known whether Tesla Model Y 2024 removed"),
        (REJECTED, "Smartcar rejected the credentials"),
    ],
)
async def test_delete_that_fails_half_way_names_what_is_gone_and_what_is_not(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    faults: tuple[Fault, ...],
    reason: str,
) -> None:
    """The second of three fails, so the third is not tried; all can be tried again."""
    first, second, third = await three_schedules(hass)
    simulator.script(Fault(), *faults, path=is_delete)
    with pytest.raises(HomeAssistantError, match=reason) as caught:
        await delete_schedule(hass, zone="zone.home")
    assert caught.value.translation_key == "partly_deleted"
    given = caught.value.translation_placeholders
    assert given is not None
    assert given["removed"] == first
    assert given["not_removed"] == f"{second}, {third}"
    response = await delete_schedule(hass, zone="zone.home")
    assert response["deleted_schedule_ids"] == [second, third]
    assert simulator.schedules(TESLA.vehicle_id) == []


async def test_delete_that_is_not_sent_half_way_names_what_is_gone(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The network ends after the first of three."""
    first, second, third = await three_schedules(hass)
    hold = asyncio.Event()
    simulator.script(Fault(hold=hold), path=is_delete)
    call = hass.async_create_task(delete_schedule(hass, zone="zone.home"))
    await simulator.wait_for_request(path=is_delete)
    monkeypatch.setattr(client, "API_URL", "http://127.0.0.1:9/v3")
    hold.set()
    with pytest.raises(
        HomeAssistantError, match="Smartcar could not be reached"
    ) as caught:
        await call
    given = caught.value.translation_placeholders
    assert given is not None
    assert given["removed"] == first
    assert given["not_removed"] == f"{second}, {third}"
    assert len(simulator.deletes) == 1


@pytest.mark.parametrize(
    ("language", "reason"),
    [
        ("en", "did not take the command in its present state"),
        ("de", "hat den Befehl im aktuellen Zustand nicht angenommen"),
    ],
)
async def test_reason_of_a_part_that_is_left_is_in_the_same_language(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    language: str,
    reason: str,
) -> None:
    """An English sentence in the middle of another language explains nothing."""
    await hass.config.async_update(language=language)
    await hass.async_block_till_done()
    await three_schedules(hass)
    simulator.script(Fault(), *REFUSED, path=is_delete)
    with pytest.raises(HomeAssistantError) as caught:
        await delete_schedule(hass, zone="zone.home")
    given = caught.value.translation_placeholders
    assert given is not None
    assert reason in given["reason"]
    assert "VEHICLE_STATE/ASLEEP: The car sleeps." in given["reason"]


@pytest.mark.parametrize(
    "car", [replace(TESLA, vehicle_id="a/b"), replace(TESLA, user_id="two words")]
)
@pytest.mark.parametrize("action", [set_one, delete_one, get_all])
async def test_ids_that_can_not_be_some_are_told_as_that(
    hass: HomeAssistant, simulator: Simulator, car: Car, action: Action
) -> None:
    """Nothing was sent, so Smartcar refused nothing."""
    entry = make_entry(car)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    before = len(simulator.requests)
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    with pytest.raises(HomeAssistantError, match="Nothing was sent") as caught:
        await action(hass, device.id)
    assert caught.value.translation_key == "invalid_ids"
    assert len(simulator.requests) == before
    assert sensor(hass).state == "unknown"


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
