"""What Smartcar answers when it behaves, at each of its endpoints."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import json
import re
from typing import Any, Final
from urllib.parse import parse_qs, urlencode
from uuid import uuid4

from .answers import Answer, RefusedError
from .cars import Car, Cars, Schedule, Vehicle
from .received import ReceivedRequest
from .tokens import Token, Tokens

TOKEN_PATH: Final = "/oauth2/token"

_CAPABLE_MAKES: Final = {"tesla", "volvo"}
_TIME: Final = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d", re.ASCII)
_MAX_PAGE_SIZE: Final = 100
_DEFAULT_QUERY: Final = {
    "filter[userId]": "",
    "filter[vehicleId]": "",
    "filter[vehicle.mode]": "live",
    "page[number]": "1",
    "page[size]": "10",
}


@dataclass(kw_only=True, eq=False)
class Cloud(Cars, Tokens):
    """Everything the API answers from."""

    def answer(self, request: ReceivedRequest) -> Answer:
        """Do what a request asks and answer it."""
        if (request.method, request.path) == ("POST", TOKEN_PATH):
            return _token(self, request)
        try:
            return self._vehicle_api(request)
        except RefusedError as refused:
            return refused.answer

    def _vehicle_api(self, request: ReceivedRequest) -> Answer:
        """Answer a request to the vehicle API."""
        scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
        token = self.valid_token(bearer)
        if scheme != "Bearer" or token is None:
            raise RefusedError(
                401,
                "AUTHENTICATION",
                "UNAUTHORIZED",
                "The Authorization token is missing or invalid.",
            )
        for method, pattern, endpoint in _ENDPOINTS:
            if method == request.method and (match := pattern.fullmatch(request.path)):
                return endpoint(
                    self, _Call(request=request, token=token, **match.groupdict())
                )
        raise RefusedError(
            404,
            "RESOURCE_NOT_FOUND",
            "INVALID_PATH",
            "The requested path does not exist.",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Call:
    """A request that may use the API, with the ids from its path."""

    request: ReceivedRequest
    token: Token
    vehicle_id: str = ""
    schedule_id: str = ""

    def sees(self, car: Car) -> bool:
        """Tell whether the caller's application has this connection."""
        return car.application in (None, self.token.application)


def _token(cloud: Cloud, request: ReceivedRequest) -> Answer:
    """Mint a token for client credentials; errors are OAuth's, not Smartcar's."""
    form = {
        key: values[0]
        for key, values in parse_qs(request.body.decode("utf-8", "replace")).items()
    }
    is_form = _content_type(request) == "application/x-www-form-urlencoded"
    is_complete = {"grant_type", "client_id", "client_secret"} <= form.keys()
    if not is_form or not is_complete or form["grant_type"] != "client_credentials":
        return Answer(status=400, body={"error": "invalid_request"})
    token = cloud.mint_token(form["client_id"], form["client_secret"])
    if token is None:
        return Answer(status=401, body={"error": "invalid_client"})
    return Answer(
        body={
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": int(cloud.token_lifetime),
        }
    )


def _connections(cloud: Cloud, call: _Call) -> Answer:
    """List the connections, filtered and paged."""
    query = _DEFAULT_QUERY | call.request.query
    number, size = (_page_value(query[f"page[{name}]"]) for name in ("number", "size"))
    if query.keys() != _DEFAULT_QUERY.keys() or size > _MAX_PAGE_SIZE:
        raise _invalid("The query has an unknown parameter or too large a page.")
    if query["filter[vehicle.mode]"] not in ("live", "simulated"):
        raise _invalid("filter[vehicle.mode] must be live or simulated.")
    found = [
        _connection(car)
        for vehicle in cloud.vehicles.values()
        for car in vehicle.connections
        if call.sees(car)
        and car.mode == query["filter[vehicle.mode]"]
        and query["filter[userId]"] in ("", car.user_id)
        and query["filter[vehicleId]"] in ("", car.vehicle_id)
    ]
    following = urlencode(
        call.request.query | {"page[number]": number + 1, "page[size]": size}
    )
    return Answer(
        body={
            "data": found[(number - 1) * size : number * size],
            "meta": {"pageNumber": number, "pageSize": size, "totalCount": len(found)},
            "links": {
                "next": f"/connections?{following}"
                if number * size < len(found)
                else None
            },
        }
    )


def _page_value(text: str) -> int:
    """Return a positive number from the query."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise _invalid("page[number] and page[size] must be positive numbers.")
    return int(text)


def _connection(car: Car) -> dict[str, Any]:
    """Return a connection of a car."""
    return {
        "id": car.connection_id,
        "type": "connection",
        "attributes": {"permissions": list(car.permissions), "vehicle": car.attributes},
        "relationships": {
            "vehicle": {"data": {"id": car.vehicle_id, "type": "vehicle"}},
            "user": {"data": {"id": car.user_id, "type": "user"}},
        },
        "meta": {"createdAt": car.connected_at},
    }


def _vehicle(cloud: Cloud, call: _Call) -> Answer:
    """Tell what a vehicle is."""
    user_id = call.request.headers.get("sc-user-id")
    vehicle = cloud.vehicles.get(call.vehicle_id)
    if vehicle is None or not any(
        call.sees(car) and user_id in (None, car.user_id) for car in vehicle.connections
    ):
        raise _vehicle_not_found()
    return Answer(
        body={
            "data": {
                "id": call.vehicle_id,
                "type": "vehicle",
                "attributes": vehicle.car.attributes,
                "links": {"self": f"/vehicles/{call.vehicle_id}"},
            }
        }
    )


def _create(cloud: Cloud, call: _Call) -> Answer:
    """Create a daily charge schedule."""
    vehicle = _commanded(cloud, call)
    schedule = vehicle.create(_read_schedule(call.request), cloud.create_mode)
    attributes = {"scheduleId": schedule.id, "parameters": schedule.parameters}
    links = {"schedule": f"/vehicles/{call.vehicle_id}/charge-schedules/{schedule.id}"}
    return _execution("create", schedule, attributes, {"links": links})


def _delete(cloud: Cloud, call: _Call) -> Answer:
    """Delete a charge schedule."""
    vehicle = _commanded(cloud, call)
    schedule = vehicle.schedules.pop(call.schedule_id, None)
    if schedule is None:
        raise RefusedError(
            404,
            "RESOURCE_NOT_FOUND",
            "SCHEDULE_NOT_FOUND",
            "The vehicle has no such charge schedule.",
        )
    return _execution("delete", schedule, {"scheduleId": schedule.id}, {})


def _timers(cloud: Cloud, call: _Call) -> Answer:
    """Tell what Smartcar's store knows of the timers on the car."""
    vehicle = _users_vehicle(cloud, call, "read_charge")
    if vehicle.timers_live and vehicle.timers_error is None:
        vehicle.read_timers()
    if vehicle.timers_error is None and vehicle.timers_read_at is None:
        raise RefusedError(
            404,
            "RESOURCE_NOT_FOUND",
            "SIGNAL_NOT_FOUND",
            "There is no reading of this signal yet.",
        )
    attributes: dict[str, Any] = {
        "code": "charge-chargetimers",
        "name": "ChargeTimers",
        "group": "Charge",
    }
    if vehicle.timers_signal_status is not None:
        attributes["status"] = vehicle.timers_signal_status
    if vehicle.timers_read_at is not None:
        values = [schedule.timer for schedule in vehicle.timers]
        attributes["body"] = {"values": values + vehicle.timers_extra}
    path = f"/vehicles/{call.vehicle_id}"
    links = {"self": f"{path}/signals/charge-chargetimers", "vehicle": path}
    signal = {
        "id": "charge-chargetimers",
        "type": "signal",
        "attributes": attributes,
        "meta": vehicle.timers_signal_meta,
        "links": links,
    }
    return Answer(body={"data": signal})


def _users_vehicle(cloud: Cloud, call: _Call, permission: str) -> Vehicle:
    """Return the vehicle if the header's user connected it with this permission."""
    user_id = call.request.headers.get("sc-user-id")
    if not user_id:
        raise RefusedError(
            400, "VALIDATION", "MISSING_PARAMETER", "The header sc-user-id is required."
        )
    vehicle = cloud.vehicles.get(call.vehicle_id)
    connections = [] if vehicle is None else vehicle.connections
    of_user = [car for car in connections if call.sees(car) and car.user_id == user_id]
    if vehicle is None or not of_user:
        raise _vehicle_not_found()
    if permission not in of_user[0].permissions:
        raise RefusedError(
            403,
            "PERMISSION",
            None,
            f"Your application does not have the permission {permission}.",
        )
    return vehicle


def _commanded(cloud: Cloud, call: _Call) -> Vehicle:
    """Return the vehicle if it can be given charge schedules by this user."""
    vehicle = _users_vehicle(cloud, call, "control_charge")
    if vehicle.car.make.lower() not in _CAPABLE_MAKES:
        raise RefusedError(
            501,
            "COMPATIBILITY",
            "VEHICLE_NOT_CAPABLE",
            "The vehicle cannot be given charge schedules.",
        )
    return vehicle


def _read_schedule(request: ReceivedRequest) -> Schedule:
    """Return the schedule in a body of exactly the documented shape."""
    if _content_type(request) != "application/json":
        raise _invalid("The Content-Type must be application/json.")
    try:
        body = json.loads(request.body)
    except ValueError as err:
        raise _invalid("The body is not JSON.") from err
    match body:
        case {
            "data": {
                "attributes": {
                    "location": {
                        "latitude": int() | float() as latitude,
                        "longitude": int() | float() as longitude,
                    },
                    "startTime": str(start),
                    "stopTime": str(stop),
                }
            }
        }:
            schedule = Schedule(
                latitude=latitude, longitude=longitude, start=start, stop=stop
            )
        case _:
            raise _invalid("The body lacks a field, or one has the wrong type.")
    # A pattern lets extra fields pass, and booleans, which are numbers to Python.
    if body != {"data": {"attributes": schedule.parameters}}:
        raise _invalid("The body has a field that is not known here.")
    if isinstance(latitude, bool) or isinstance(longitude, bool):
        raise _invalid("latitude and longitude must be numbers.")
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise _invalid("The location is not on Earth.")
    if not _TIME.fullmatch(start) or not _TIME.fullmatch(stop):
        raise _invalid("startTime and stopTime must have the format HH:MM.")
    return schedule


def _execution(
    action: str, schedule: Schedule, attributes: dict[str, Any], extra: dict[str, Any]
) -> Answer:
    """Return a command's successful execution."""
    completed_at = datetime.now(UTC).replace(microsecond=0)
    data = {
        "id": f"exec_{uuid4().hex}",
        "type": "charge-schedule-execution",
        "attributes": {
            "action": action,
            "scheduleType": schedule.schedule_type.lower(),
            "status": {"value": "SUCCESS"},
            "executionMode": "sync",
            **attributes,
        },
        **extra,
        "meta": {
            "executedAt": f"{completed_at - timedelta(seconds=2):%Y-%m-%dT%H:%M:%SZ}",
            "completedAt": f"{completed_at:%Y-%m-%dT%H:%M:%SZ}",
            "durationInSeconds": 2,
        },
    }
    return Answer(body={"data": data})


def _content_type(request: ReceivedRequest) -> str:
    """Return the body's type without its parameters."""
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _invalid(detail: str) -> RefusedError:
    """Return the refusal of malformed input."""
    return RefusedError(400, "VALIDATION", "INVALID_INPUT_FORMAT", detail)


def _vehicle_not_found() -> RefusedError:
    """Return the refusal of a vehicle that is unknown here or to this user."""
    return RefusedError(
        404, "RESOURCE_NOT_FOUND", "VEHICLE_NOT_FOUND", "The vehicle was not found."
    )


_VEHICLE_PATH: Final = "/v3/vehicles/(?P<vehicle_id>[^/]+)"
_ENDPOINTS: Final[
    list[tuple[str, re.Pattern[str], Callable[[Cloud, _Call], Answer]]]
] = [
    ("GET", re.compile("/v3/connections"), _connections),
    ("GET", re.compile(_VEHICLE_PATH), _vehicle),
    ("POST", re.compile(f"{_VEHICLE_PATH}/charge-schedules/daily"), _create),
    (
        "DELETE",
        re.compile(f"{_VEHICLE_PATH}/charge-schedules/(?P<schedule_id>[^/]+)"),
        _delete,
    ),
    ("GET", re.compile(f"{_VEHICLE_PATH}/signals/charge-chargetimers"), _timers),
]
