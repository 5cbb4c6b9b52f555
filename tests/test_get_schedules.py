"""The action that compares what Home Assistant set with what is on the car."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import json
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant, SupportsResponse
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.smartcar_charging.const import DOMAIN
from tests.actions import SENSOR, call_action, device_id, set_schedule
from tests.ledgers import file_of
from tests.simulator import (
    REMOVED,
    TESLA,
    VOLVO,
    Car,
    Cut,
    Fault,
    Schedule,
    Simulator,
    Vehicle,
)

HOME: Final = {"latitude": 32.87336, "longitude": -117.22743}
TIMERS_PATH: Final = "/signals/charge-chargetimers"
EVERY_DAY: Final = [
    "MONDAY",
    "TUESDAY",
    "WEDNESDAY",
    "THURSDAY",
    "FRIDAY",
    "SATURDAY",
    "SUNDAY",
]
EVENING: Final = datetime(2026, 11, 3, 20, 0, tzinfo=UTC)
ASLEEP: Final = {
    "type": "VEHICLE_STATE",
    "code": "ASLEEP",
    "description": "The car sleeps.",
}

# The schedule of these tests as a timer that Smartcar does not know by an id.
WITHOUT_ID: Final[dict[str, Any]] = {
    "type": "LOCATION",
    "scheduleType": "DAILY",
    "condition": {"name": "Home", **HOME},
    "schedules": [{"start": "23:30:00", "end": "05:30:00", "days": EVERY_DAY}],
}


async def get_schedules(hass: HomeAssistant, **data: Any) -> dict[str, Any]:
    """Compare."""
    return await call_action(hass, "get_charge_schedules", data)


def on_vehicle(response: dict[str, Any]) -> list[str]:
    """Return of each schedule of Home Assistant's whether it is on the car."""
    return [own["on_vehicle"] for own in response["set_by_home_assistant"]]


def answer_with(simulator: Simulator, *values: Any) -> None:
    """Let the car have these timers, read now."""
    simulator.always(
        Fault(merge={"data": {"attributes": {"body": {"values": [*values]}}}}),
        path=TIMERS_PATH,
    )


@pytest.fixture
def tesla(simulator: Simulator) -> Vehicle:
    """Return the Tesla, of which Smartcar reads only what a test tells it to."""
    vehicle = simulator.vehicles[TESLA.vehicle_id]
    vehicle.timers_live = False
    return vehicle


@pytest.fixture
async def own(
    hass: HomeAssistant, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> str:
    """Set a schedule at home that evening, wait half an hour, and return its id."""
    freezer.move_to(EVENING)
    response = await set_schedule(hass)
    freezer.move_to(EVENING + timedelta(minutes=30))
    return str(response["schedule_id"])


# The request and the whole answer


async def test_one_billable_request_and_nothing_else(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Method, path and headers, and no other request."""
    await set_schedule(hass)
    simulator.requests.clear()
    await get_schedules(hass)
    (request,) = simulator.requests
    signal = "signals/charge-chargetimers"
    assert request.method == "GET"
    assert request.path == f"/v3/vehicles/{TESLA.vehicle_id}/{signal}"
    assert request.query == {}
    assert request.body == b""
    assert request.headers["Authorization"] == f"Bearer {simulator.tokens_minted[-1]}"
    assert request.headers["sc-user-id"] == TESLA.user_id


async def test_response_is_complete(
    hass: HomeAssistant, entry: MockConfigEntry, own: str
) -> None:
    """What was set, what is there, and when that was read."""
    assert await get_schedules(hass) == {
        "set_by_home_assistant": [
            {
                "schedule_id": own,
                "standing": "on_car",
                "start_time": "23:30",
                "stop_time": "05:30",
                "asked_start_time": "23:30",
                "asked_stop_time": "05:30",
                "zone": "zone.home",
                "zones": ["zone.home"],
                "location": HOME,
                "sent_at": EVENING.isoformat(),
                "ended_at": EVENING.isoformat(),
                "count": 1,
                "on_vehicle": "yes",
            }
        ],
        "possibly_on_vehicle": [],
        "on_vehicle": [
            {
                "type": "LOCATION",
                "schedule_type": "daily",
                "schedule_id": own,
                "location": HOME,
                "windows": [
                    {"start_time": "23:30", "stop_time": "05:30", "days": EVERY_DAY}
                ],
            }
        ],
        "on_vehicle_reason": None,
        "read_at": "2026-11-03T20:30:00+00:00",
        "age_minutes": 0,
    }


async def test_without_any_schedule_the_lists_are_empty(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """A car without timers is not a car that could not be read."""
    response = await get_schedules(hass)
    assert response["set_by_home_assistant"] == []
    assert response["possibly_on_vehicle"] == []
    assert (response["on_vehicle"], response["on_vehicle_reason"]) == ([], None)


async def test_schedule_without_a_zone_has_its_coordinates(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """It was set by location."""
    await set_schedule(hass, location={"latitude": 1.5, "longitude": 2.5})
    (schedule,) = (await get_schedules(hass))["set_by_home_assistant"]
    assert schedule["zone"] is None
    assert schedule["location"] == {"latitude": 1.5, "longitude": 2.5}


# Whether a schedule is on the car


@pytest.mark.parametrize(
    ("is_there", "read_after", "expected"),
    [
        (True, timedelta(milliseconds=-1), "unknown"),
        (True, timedelta(0), "yes"),
        (False, timedelta(minutes=9, seconds=59), "unknown"),
        (False, timedelta(minutes=10), "no"),
    ],
)
async def test_schedule_is_on_the_car_or_not_by_a_reading_of_later(
    hass: HomeAssistant,
    tesla: Vehicle,
    own: str,
    is_there: bool,
    read_after: timedelta,
    expected: str,
) -> None:
    """What was set shows at once at the earliest, and within ten minutes."""
    tesla.schedules = dict([*tesla.schedules.items()][: int(is_there)])
    tesla.read_timers(at=EVENING + read_after)
    assert on_vehicle(await get_schedules(hass)) == [expected]


async def test_ten_minutes_are_counted_from_the_end_of_the_command(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    tesla: Vehicle,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Smartcar may wait minutes for the car before the schedule is on it."""
    freezer.move_to(EVENING)
    hold = asyncio.Event()
    simulator.script(Fault(hold=hold), path="/daily")
    call = hass.async_create_task(set_schedule(hass))
    await simulator.wait_for_request(path="/daily")
    freezer.tick(timedelta(minutes=5))
    hold.set()
    await call
    tesla.schedules.clear()
    tesla.read_timers(at=EVENING + timedelta(minutes=12))
    freezer.tick(timedelta(hours=1))
    assert on_vehicle(await get_schedules(hass)) == ["unknown"]
    tesla.read_timers(at=EVENING + timedelta(minutes=15))
    assert on_vehicle(await get_schedules(hass)) == ["no"]


@pytest.mark.parametrize("status", ["ERROR", "PENDING", None])
async def test_empty_reading_of_another_status_proves_nothing(
    hass: HomeAssistant, tesla: Vehicle, own: str, status: str | None
) -> None:
    """No timers beside a status that is no success are not a car without timers."""
    tesla.schedules.clear()
    tesla.read_timers()
    tesla.timers_status = status
    assert on_vehicle(await get_schedules(hass)) == ["unknown"]


@pytest.mark.parametrize(
    ("meta", "read_at"),
    [
        ({}, None),
        ({"oemUpdatedAt": "?", "retrievedAt": ""}, None),
        ({"oemUpdatedAt": "2026-11-03T20:25:00Z"}, "2026-11-03T20:25:00+00:00"),
        ({"retrievedAt": "2026-11-03T22:30:00Z"}, "2026-11-03T22:30:00+00:00"),
    ],
    ids=["no date", "garbled", "only the maker's", "of the future"],
)
async def test_reading_without_a_date_of_smartcars_own_proves_no_absence(
    hass: HomeAssistant, tesla: Vehicle, own: str, meta: Any, read_at: str | None
) -> None:
    """Its date is told as it is; a local time that is written as UTC is no date."""
    tesla.schedules.clear()
    tesla.read_timers()
    tesla.timers_meta = meta
    response = await get_schedules(hass)
    assert on_vehicle(response) == ["unknown"]
    assert response["read_at"] == read_at
    assert response["on_vehicle"] == []


async def test_timer_that_may_be_the_schedule_is_no_proof_of_absence(
    hass: HomeAssistant, tesla: Vehicle, own: str
) -> None:
    """A maker that rounds, writes UTC, and knows places by their names only."""
    tesla.schedules.clear()
    tesla.read_timers()
    window = {"start": "23:30:00Z", "end": "05:30:00Z"}
    condition = {"name": "Home"}
    tesla.timers_extra = [{**WITHOUT_ID, "condition": condition, "schedules": [window]}]
    assert on_vehicle(await get_schedules(hass)) == ["unknown"]


async def test_each_schedule_is_judged_by_itself(
    hass: HomeAssistant, tesla: Vehicle, own: str, freezer: FrozenDateTimeFactory
) -> None:
    """One is there, one was removed in the car's app, one set after the reading."""
    removed = await set_schedule(
        hass, start_time="12:00", stop_time="13:00", replace=False
    )
    del tesla.schedules[removed["schedule_id"]]
    freezer.tick(timedelta(hours=1))
    tesla.read_timers()
    freezer.tick(timedelta(hours=1))
    await set_schedule(hass, start_time="14:00", stop_time="15:00", replace=False)
    assert on_vehicle(await get_schedules(hass)) == ["yes", "no", "unknown"]


@pytest.mark.parametrize(
    "fault",
    [
        Fault.error(500, "SERVER", "INTERNAL", executes=True),
        Fault(cut=Cut.BEFORE_ANSWER),
    ],
    ids=["500", "cut"],
)
async def test_unconfirmed_create_is_possibly_on_the_car(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    fault: Fault,
) -> None:
    """It is apart from what was set, even while a timer on the car looks the same."""
    freezer.move_to(EVENING)
    simulator.script(fault, path="/daily")
    with pytest.raises(HomeAssistantError):
        await set_schedule(hass)
    freezer.tick(timedelta(hours=1))
    response = await get_schedules(hass)
    assert response["possibly_on_vehicle"] == [
        {
            "schedule_id": None,
            "standing": "possibly_on_car",
            "start_time": "23:30",
            "stop_time": "05:30",
            "asked_start_time": "23:30",
            "asked_stop_time": "05:30",
            "zone": "zone.home",
            "zones": ["zone.home"],
            "location": HOME,
            "sent_at": EVENING.isoformat(),
            "ended_at": EVENING.isoformat(),
            "count": 1,
        }
    ]
    assert response["set_by_home_assistant"] == []
    assert len(response["on_vehicle"]) == 1


async def test_success_without_an_id_is_among_what_was_set(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """It is provably on the car, though nobody knows its id."""
    simulator.script(Fault.without_id(), path="/daily")
    await set_schedule(hass)
    response = await get_schedules(hass)
    assert response["possibly_on_vehicle"] == []
    (schedule,) = response["set_by_home_assistant"]
    assert (schedule["schedule_id"], schedule["standing"]) == (None, "on_car")
    assert (schedule["start_time"], schedule["count"]) == ("23:30", 1)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "unknown"),
        ({"scheduleId": "sched_1"}, "yes"),
        ({"scheduleId": "sched_1", "condition": {"latitude": 9, "longitude": 9}}, "no"),
        ({"condition": {"latitude": 9, "longitude": 9}}, "no"),
        ({"schedules": [{"start": "23:31:00", "end": "05:30:00"}]}, "unknown"),
        (
            {
                "scheduleId": "sched_1",
                "schedules": [{"start": "23:31:00", "end": "05:30:00"}],
            },
            "unknown",
        ),
        ({"schedules": [{"start": "12:00:00", "end": "13:00:00"}]}, "no"),
    ],
    ids=[
        "no id",
        "an id that nobody knows",
        "elsewhere",
        "elsewhere, without an id",
        "rounded, without an id",
        "rounded",
        "at other times, without an id",
    ],
)
async def test_schedule_without_an_id_is_there_by_window_and_place(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    changes: dict[str, Any],
    expected: str,
) -> None:
    """A timer without an id could be anybody's, and is no proof of it."""
    freezer.move_to(EVENING)
    simulator.script(Fault.without_id(), path="/daily")
    await set_schedule(hass)
    freezer.tick(timedelta(minutes=30))
    answer_with(simulator, {**WITHOUT_ID, **changes})
    assert on_vehicle(await get_schedules(hass)) == [expected]


# What is on the car


async def test_timers_of_all_kinds_are_told(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, own: str
) -> None:
    """Also those set elsewhere, in their order, with what each of them has."""
    daily = simulator.add_schedule(
        TESLA.vehicle_id, start="01:00", stop="02:00", latitude=1.5, longitude=2.5
    )
    weekly = simulator.add_schedule(
        TESLA.vehicle_id,
        start="22:00",
        stop="00:00",
        latitude=1.5,
        longitude=2.5,
        schedule_type="WEEKLY",
        days=("SATURDAY", "SUNDAY"),
    )
    simulator.add_schedule(TESLA.vehicle_id, start="03:00", stop="04:00")
    response = await get_schedules(hass)
    assert [timer["schedule_id"] for timer in response["on_vehicle"]] == [
        own,
        daily.id,
        weekly.id,
        None,
    ]
    assert response["on_vehicle"][2:] == [
        {
            "type": "LOCATION",
            "schedule_type": "weekly",
            "schedule_id": weekly.id,
            "location": {"latitude": 1.5, "longitude": 2.5},
            "windows": [
                {
                    "start_time": "22:00",
                    "stop_time": "00:00",
                    "days": ["SATURDAY", "SUNDAY"],
                }
            ],
        },
        {
            "type": "GLOBAL",
            "schedule_type": None,
            "schedule_id": None,
            "location": None,
            "windows": [
                {"start_time": "03:00", "stop_time": "04:00", "days": EVERY_DAY}
            ],
        },
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"scheduleId": 5}, {"schedule_id": None}),
        ({"scheduleId": ".."}, {"schedule_id": None}),
        ({"type": None}, {"type": None}),
        ({"type": "OF A NEW\nKIND"}, {"type": "OF A NEW KIND"}),
        ({"scheduleType": "WORKWEEK"}, {"schedule_type": "workweek"}),
        ({"scheduleType": 7}, {"schedule_type": None}),
        ({"condition": {"latitude": 91, "longitude": 0}}, {"location": None}),
        ({"condition": "home"}, {"location": None}),
        ({"schedules": None}, {"windows": []}),
        (
            {"schedules": [5]},
            {"windows": [{"start_time": None, "stop_time": None, "days": []}]},
        ),
        (
            {"schedules": [{"start": "23:30:15", "end": "05:30:00", "days": "MONDAY"}]},
            {"windows": [{"start_time": None, "stop_time": "05:30", "days": []}]},
        ),
    ],
)
async def test_what_a_timer_garbles_is_null(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    changes: dict[str, Any],
    told: dict[str, Any],
) -> None:
    """The rest of it is told."""
    whole = {
        "type": "LOCATION",
        "schedule_type": "daily",
        "schedule_id": "sched_1",
        "location": HOME,
        "windows": [{"start_time": "23:30", "stop_time": "05:30", "days": EVERY_DAY}],
    }
    answer_with(simulator, {**WITHOUT_ID, "scheduleId": "sched_1", **changes})
    assert (await get_schedules(hass))["on_vehicle"] == [{**whole, **told}]


@pytest.mark.parametrize("value", [None, [], "LOCATION", 5, {}])
async def test_value_that_is_no_timer_is_told_as_one_without_words(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, value: Any
) -> None:
    """Something is on the car, and nobody knows what."""
    answer_with(simulator, value)
    (timer,) = (await get_schedules(hass))["on_vehicle"]
    assert timer == {
        "type": None,
        "schedule_type": None,
        "schedule_id": None,
        "location": None,
        "windows": [],
    }


# How old that is


@pytest.mark.parametrize(
    ("age", "minutes"),
    [
        (timedelta(0), 0),
        (timedelta(seconds=29), 0),
        (timedelta(seconds=31), 1),
        (timedelta(minutes=90), 90),
        (timedelta(days=1, seconds=1), 1440),
    ],
)
async def test_age_is_told_in_minutes(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    tesla: Vehicle,
    freezer: FrozenDateTimeFactory,
    age: timedelta,
    minutes: int,
) -> None:
    """It grows while Smartcar does not read the car anew."""
    freezer.move_to(EVENING)
    tesla.read_timers()
    freezer.tick(age)
    response = await get_schedules(hass)
    assert response["read_at"] == "2026-11-03T20:00:00+00:00"
    assert response["age_minutes"] == minutes


async def test_older_of_two_times_counts(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """What Smartcar retrieved just now, the maker may have known since yesterday.

    An offset is no difference.
    """
    freezer.move_to(EVENING)
    simulator.script(
        Fault(merge={"data": {"meta": {"oemUpdatedAt": "2026-11-02T21:00:00+01:00"}}}),
        path=TIMERS_PATH,
    )
    response = await get_schedules(hass)
    assert response["read_at"] == "2026-11-02T20:00:00+00:00"
    assert response["age_minutes"] == 1440


# Without a reading


def never_read(simulator: Simulator) -> None:
    """Let Smartcar never have read the car."""
    simulator.vehicles[TESLA.vehicle_id].timers_live = False


def not_permitted(simulator: Simulator) -> None:
    """Let the user not have granted what reading needs."""
    simulator.add_car(replace(TESLA, permissions=("control_charge",)))


def asleep(simulator: Simulator) -> None:
    """Let the signal be an error that still carries an old reading."""
    simulator.vehicles[TESLA.vehicle_id].read_timers()
    simulator.vehicles[TESLA.vehicle_id].timers_error = ASLEEP


def not_capable(simulator: Simulator) -> None:
    """Let the car have no such signal."""
    simulator.always(
        Fault.error(501, "COMPATIBILITY", "VEHICLE_NOT_CAPABLE", "No such signal."),
        path=TIMERS_PATH,
    )


def over_quota(simulator: Simulator) -> None:
    """Let the plan be used up."""
    simulator.always(
        Fault.error(430, "BILLING", "INVALID_PLAN", "No more."), path=TIMERS_PATH
    )


@pytest.mark.parametrize(
    ("arrange", "reason"),
    [
        (
            never_read,
            (
                "RESOURCE_NOT_FOUND/SIGNAL_NOT_FOUND: "
                "There is no reading of this signal yet."
            ),
        ),
        (
            not_permitted,
            "PERMISSION: Your application does not have the permission read_charge.",
        ),
        (asleep, "VEHICLE_STATE/ASLEEP: The car sleeps."),
        (not_capable, "COMPATIBILITY/VEHICLE_NOT_CAPABLE: No such signal."),
        (over_quota, "BILLING/INVALID_PLAN: No more."),
    ],
)
async def test_refused_reading_is_null_with_a_reason(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    own: str,
    arrange: Any,
    reason: str,
) -> None:
    """What Home Assistant set is told, and nobody knows whether it is there."""
    arrange(simulator)
    response = await get_schedules(hass)
    assert (response["on_vehicle"], response["on_vehicle_reason"]) == (None, reason)
    assert (response["read_at"], response["age_minutes"]) == (None, None)
    assert [
        schedule["schedule_id"] for schedule in response["set_by_home_assistant"]
    ] == [own]
    assert on_vehicle(response) == ["unknown"]


@pytest.mark.parametrize(
    "fault",
    [
        Fault.error(500, "SERVER", "INTERNAL"),
        Fault.error(200, "UPSTREAM", "NO_RESPONSE"),
        Fault(status=504),
        Fault(status=430),
        Fault(body="<html>"),
        Fault(merge={"data": {"attributes": {"body": REMOVED}}}),
        Fault(cut=Cut.BEFORE_ANSWER),
        Fault(cut=Cut.MID_BODY),
    ],
    ids=[
        "500",
        "upstream",
        "504",
        "430 without words",
        "html",
        "no list",
        "cut",
        "half",
    ],
)
async def test_unanswered_question_is_an_error(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    own: str,
    fault: Fault,
) -> None:
    """It says that nothing was changed, and the next question is answered."""
    simulator.always(fault, path=TIMERS_PATH)
    with pytest.raises(
        HomeAssistantError, match="could not be read .* Nothing was changed"
    ) as caught:
        await get_schedules(hass)
    assert caught.value.translation_key == "not_read"
    simulator.behave()
    assert on_vehicle(await get_schedules(hass)) == ["yes"]


async def test_without_a_connection_it_is_an_error(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The reason is told."""
    await simulator.stop()
    with pytest.raises(HomeAssistantError, match="ClientConnectorError") as caught:
        await get_schedules(hass)
    assert caught.value.translation_key == "not_read"
    assert hass.config_entries.flow.async_progress() == []


async def test_rejected_credentials_start_reauth(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """As with a command, one new token is tried first."""
    simulator.always(
        Fault.error(401, "AUTHENTICATION", "UNAUTHORIZED"), path=TIMERS_PATH
    )
    with pytest.raises(HomeAssistantError, match="Sign in again") as caught:
        await get_schedules(hass)
    assert caught.value.translation_key == "authentication_failed"
    assert len(simulator.received("GET", TIMERS_PATH)) == 2
    await hass.async_block_till_done()
    (flow,) = hass.config_entries.flow.async_progress()
    assert (flow["handler"], flow["context"]["source"]) == (DOMAIN, "reauth")


# What it leaves alone


def on_car(vehicle: Vehicle) -> dict[str, Schedule]:
    """Return what is on the car."""
    return dict(vehicle.schedules)


@pytest.mark.parametrize(
    "fault",
    [Fault(), Fault.error(403, "PERMISSION"), Fault(merge={"data": {"meta": REMOVED}})],
)
async def test_asking_changes_nothing(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    own: str,
    fault: Fault,
) -> None:
    """No record, no entity and not the car; not even when a schedule is found gone."""
    await set_schedule(hass, start_time="12:00", stop_time="13:00", replace=False)
    simulator.vehicles[TESLA.vehicle_id].schedules.pop(own)
    states, stored, present = (
        {state.entity_id: state for state in hass.states.async_all()},
        file_of(hass, entry).read_bytes(),
        on_car(simulator.vehicles[TESLA.vehicle_id]),
    )
    simulator.script(fault, path=TIMERS_PATH)
    await get_schedules(hass)
    await hass.async_block_till_done()
    assert {state.entity_id: state for state in hass.states.async_all()} == states
    assert states[SENSOR].state == "success"
    assert file_of(hass, entry).read_bytes() == stored
    assert json.loads(stored)["data"]["schedules"][0]["schedule_id"] == own
    assert on_car(simulator.vehicles[TESLA.vehicle_id]) == present


# Which car, and how it is called


@pytest.mark.parametrize("cars", [[TESLA, VOLVO]])
@pytest.mark.parametrize("car", [TESLA, VOLVO])
async def test_each_car_is_asked_with_its_own_ids(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, car: Car
) -> None:
    """And told of by its own records."""
    other = await set_schedule(
        hass, device_id=device_id(hass, VOLVO), start_time="01:00"
    )
    mine = await set_schedule(hass, device_id=device_id(hass, TESLA))
    response = await get_schedules(hass, device_id=device_id(hass, car))
    (request,) = simulator.received("GET", TIMERS_PATH)
    assert request.path.split("/")[3] == car.vehicle_id
    assert request.headers["sc-user-id"] == car.user_id
    ids = {TESLA: mine["schedule_id"], VOLVO: other["schedule_id"]}
    assert [
        schedule["schedule_id"] for schedule in response["set_by_home_assistant"]
    ] == [ids[car]]
    assert [timer["schedule_id"] for timer in response["on_vehicle"]] == [ids[car]]


@pytest.mark.parametrize("cars", [[TESLA, VOLVO]])
@pytest.mark.parametrize(
    ("data", "key"),
    [({}, "which_vehicle"), ({"device_id": "unknown"}, "device_not_found")],
)
async def test_car_that_can_not_be_meant_is_refused_before_asking(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    data: dict[str, str],
    key: str,
) -> None:
    """A wrong question costs nothing."""
    with pytest.raises(ServiceValidationError) as caught:
        await get_schedules(hass, **data)
    assert caught.value.translation_key == key
    assert simulator.received("GET", TIMERS_PATH) == []


async def test_call_that_takes_no_response_is_refused(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    hass_client: ClientSessionGenerator,
) -> None:
    """Home Assistant spends no request on an answer that nobody hears."""
    assert (
        hass.services.supports_response(DOMAIN, "get_charge_schedules")
        is SupportsResponse.ONLY
    )
    assert await async_setup_component(hass, "api", {})
    client = await hass_client()
    unheard = await client.post(f"/api/services/{DOMAIN}/get_charge_schedules", json={})
    assert unheard.status == 400
    assert simulator.received("GET", TIMERS_PATH) == []
    heard = await client.post(
        f"/api/services/{DOMAIN}/get_charge_schedules?return_response", json={}
    )
    assert (await heard.json())["service_response"]["on_vehicle"] == []
