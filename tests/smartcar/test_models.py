"""The values that go to Smartcar and come from it."""

from datetime import time
from typing import Any

import pytest

from custom_components.smartcar_charging.smartcar import (
    Connection,
    DailySchedule,
    Execution,
    Location,
    is_valid_id,
)

from .conftest import EXECUTION, SCHEDULE

GARBAGE: list[Any] = [
    None,
    5,
    True,
    "text",
    [],
    [1],
    {},
    {"data": None},
    {"data": []},
    {"data": {"attributes": "x"}},
]
HOME = Location(latitude=37.7749, longitude=-122.4194)


def attributes(**values: Any) -> dict[str, Any]:
    """Return an answer with these attributes."""
    return {"data": {"attributes": values}}


def test_documented_answer_is_read_whole() -> None:
    """Nothing of what Smartcar documents is lost."""
    assert Execution.from_body(EXECUTION, request_id="request") == Execution(
        execution_id="exec_9876543210",
        schedule_id="sched_abc123",
        action="create",
        schedule_type="daily",
        status="SUCCESS",
        execution_mode="sync",
        location=HOME,
        start_time=time(8),
        stop_time=time(10),
        executed_at="2024-01-01T12:00:00Z",
        completed_at="2024-01-01T12:00:02Z",
        duration_seconds=2,
        request_id="request",
    )


@pytest.mark.parametrize("body", GARBAGE)
def test_garbage_is_an_execution_of_which_nothing_is_known(body: Any) -> None:
    """Reading an execution never raises."""
    assert Execution.from_body(body) == Execution()


@pytest.mark.parametrize(
    ("link", "schedule_id"),
    [
        ("/vehicles/car/charge-schedules/sched_1", "sched_1"),
        ("/v3/vehicles/car/charge-schedules/daily/sched_1", "sched_1"),
        (
            "https://vehicle.api.smartcar.com/v3/vehicles/car/charge-schedules/sched_1",
            "sched_1",
        ),
        ("/vehicles/car/charge-schedules/", None),
        ("/vehicles/car/charge-schedules", None),
        ("/vehicles/car", None),
        ("/vehicles/car/charge-schedules/..", None),
        ("/vehicles/car/charge-schedules/a?b", None),
        ("sched_1", None),
        ("", None),
        (None, None),
        (5, None),
        ({"href": "/charge-schedules/sched_1"}, None),
    ],
)
@pytest.mark.parametrize("own_id", [None, "", "..", 5, "a" * 129])
def test_link_tells_the_id_where_the_attribute_does_not(
    own_id: object, link: object, schedule_id: str | None
) -> None:
    """An id is only taken from a link to a schedule, and only if it is one."""
    body = {"data": {"attributes": {"scheduleId": own_id}, "links": {"schedule": link}}}

    assert Execution.from_body(body).schedule_id == schedule_id


def test_attribute_goes_before_the_link() -> None:
    """The id that Smartcar names is the schedule's."""
    body = {
        "data": {
            "attributes": {"scheduleId": "named"},
            "links": {"schedule": "/charge-schedules/linked"},
        }
    }

    assert Execution.from_body(body).schedule_id == "named"


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("00:00", time(0)),
        ("23:59", time(23, 59)),
        ("08:00:00", time(8)),
        ("08:00:00.000", None),
        ("08:00:30", None),
        ("24:00", None),
        ("12:60", None),
        ("8:00", None),
        ("08:00\n", None),
        ("08:00Z", None),
        ("٠٨:٠٠", None),
        (8, None),
        (None, None),
    ],
)
def test_only_a_whole_minute_is_a_time(value: object, moment: time | None) -> None:
    """A time is shown only if it is one."""
    execution = Execution.from_body(
        attributes(parameters={"startTime": value, "stopTime": value})
    )

    assert (execution.start_time, execution.stop_time) == (moment, moment)


@pytest.mark.parametrize(
    ("value", "location"),
    [
        ({"latitude": 37.7749, "longitude": -122.4194}, HOME),
        (
            {"latitude": -90, "longitude": 180, "radius": 5},
            Location(latitude=-90, longitude=180),
        ),
        ({"latitude": 0, "longitude": 0}, Location(latitude=0, longitude=0)),
        ({"latitude": 90.1, "longitude": 0}, None),
        ({"latitude": 0, "longitude": -180.1}, None),
        ({"latitude": "37", "longitude": 0}, None),
        ({"latitude": True, "longitude": 0}, None),
        ({"latitude": float("nan"), "longitude": 0}, None),
        ({"latitude": 37}, None),
        ({"longitude": 37}, None),
        ([37, -122], None),
        (None, None),
    ],
)
def test_only_a_place_on_earth_is_a_place(
    value: object, location: Location | None
) -> None:
    """A place is shown only if it is one."""
    assert Location.from_dict(value) == location
    assert (
        Execution.from_body(attributes(parameters={"location": value})).location
        == location
    )


@pytest.mark.parametrize(
    ("latitude", "longitude", "is_about"),
    [
        (37.7749, -122.4194, True),
        (37.774905, -122.419405, True),
        (37.77492, -122.4194, False),
        (37.7749, -122.41938, False),
    ],
)
def test_places_are_alike_but_for_rounding(
    latitude: float, longitude: float, is_about: bool
) -> None:
    """A metre is rounding, and two are not."""
    assert HOME.is_about(Location(latitude=latitude, longitude=longitude)) is is_about


def test_schedule_is_written_as_documented() -> None:
    """The body has what the documentation shows, and nothing else."""
    assert SCHEDULE.as_body() == {
        "data": {
            "attributes": {
                "location": {"latitude": 37.7749, "longitude": -122.4194},
                "startTime": "08:00",
                "stopTime": "10:00",
            }
        }
    }


def test_place_is_kept_out_of_reprs() -> None:
    """Whoever prints a schedule or an execution does not tell where somebody lives."""
    schedule = DailySchedule(location=HOME, start_time=time(8), stop_time=time(10))

    assert repr(HOME) == "Location()"
    assert "37.7" not in repr(schedule) + repr(Execution.from_body(EXECUTION))


def test_connection_is_read_whole() -> None:
    """A connection tells the car, its user, and what the user granted."""
    connection = Connection.from_resource(
        {
            "id": "connection",
            "attributes": {
                "permissions": ["control_charge", "read_charge"],
                "vehicle": {"make": "TESLA", "model": "Model S", "year": 2014},
            },
            "relationships": {
                "vehicle": {"data": {"id": "car"}},
                "user": {"data": {"id": "user"}},
            },
        }
    )

    assert connection == Connection(
        connection_id="connection",
        vehicle_id="car",
        user_id="user",
        permissions=frozenset({"control_charge", "read_charge"}),
        make="TESLA",
        model="Model S",
        year=2014,
    )
    assert not connection.lacks_control_charge


@pytest.mark.parametrize(
    "vehicle",
    [None, [], {"make": 5, "model": None, "year": "2014"}, {"year": float("nan")}],
)
@pytest.mark.parametrize(
    "permissions",
    [None, "control_charge", {"control_charge": True}, [["control_charge"]]],
)
def test_connection_needs_only_its_ids(vehicle: object, permissions: object) -> None:
    """What is missing or garbled beside the ids is unknown."""
    resource = {
        "id": "connection",
        "attributes": {"permissions": permissions, "vehicle": vehicle},
        "relationships": {
            "vehicle": {"data": {"id": "car"}},
            "user": {"data": {"id": "user"}},
        },
    }

    connection = Connection.from_resource(resource)

    assert connection == Connection(
        connection_id="connection", vehicle_id="car", user_id="user"
    )
    assert not connection.lacks_control_charge


@pytest.mark.parametrize("resource", GARBAGE)
def test_garbage_is_no_connection(resource: Any) -> None:
    """Reading a connection never raises."""
    assert Connection.from_resource(resource) is None


@pytest.mark.parametrize(
    ("make", "takes"),
    [
        ("TESLA", True),
        ("Tesla", True),
        ("VOLVO", True),
        ("volvo", True),
        ("BMW", False),
        ("", False),
        (None, False),
    ],
)
def test_documented_makes_are_known_in_any_case(make: str | None, takes: bool) -> None:
    """Smartcar writes makes in more than one way."""
    connection = Connection(
        connection_id="connection", vehicle_id="car", user_id="user", make=make
    )

    assert connection.make_takes_daily_schedules is takes


@pytest.mark.parametrize(
    "value", ["a", "A-z_09", "36ab27d0-fd9d-4455-823a-ce30af709ffc", "-", "a" * 128]
)
def test_ids_are_letters_digits_and_two_signs(value: str) -> None:
    """What Smartcar uses for ids is one."""
    assert is_valid_id(value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        ".",
        "..",
        "a.b",
        "a/b",
        "a b",
        "a\n",
        "ä",
        "٣",
        "a" * 129,
        None,
        5,
        b"a",
        ["a"],
    ],
)
def test_nothing_else_is_an_id(value: object) -> None:
    """What could change a path is none."""
    assert not is_valid_id(value)
