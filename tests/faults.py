"""The rows of the fault table: what can go wrong, and what has to come of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
import json
from typing import Any, Final

from tests.fault_stage import Arrange, lasting
from tests.simulator import REMOVED, TESLA, Fault


@dataclass(frozen=True, kw_only=True, slots=True)
class Expected:
    """What the caller, the server, the sensor and the ledger must tell of a command.

    `doubts` are those about the schedules that are on record then.
    """

    verdict: str
    key: str | None
    creates: int
    can_retry: bool
    doubts: tuple[str | None, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A fault and what must come of it."""

    name: str
    arrange: Arrange
    expected: Expected


def success(*, creates: int = 1, knows_the_id: bool = True) -> Expected:
    """Expect a success; what is on the car without an id is for the user to settle."""
    return Expected(
        verdict="success",
        key=None,
        creates=creates,
        can_retry=False,
        doubts=(None,) if knows_the_id else ("without_id",),
    )


def failed(key: str, *, creates: int = 1, can_retry: bool = False) -> Expected:
    """Expect that the caller hears why nothing was set, and nothing is recorded."""
    return Expected(
        verdict="failed",
        key=key,
        creates=creates,
        can_retry=can_retry,
        doubts=(),
    )


def unconfirmed(*, creates: int = 1) -> Expected:
    """Expect that the caller is told to look: it is possibly on the car."""
    return Expected(
        verdict="unconfirmed",
        key="create_unconfirmed",
        creates=creates,
        can_retry=False,
        doubts=("no_answer",),
    )


REJECTED: Final = failed("authentication_failed")
REJECTED_TWICE: Final = failed("authentication_failed", creates=2)
LIMITED: Final = failed("rate_limited", can_retry=True)
LOST: Final = unconfirmed()
NOT_CONNECTED: Final = failed("not_sent", creates=0, can_retry=True)
NOT_NOW: Final = failed("refused_by_vehicle", can_retry=True)

# Every documented error: status, type, code, and what comes of it.
DOCUMENTED: Final[tuple[tuple[int, str, str | None, Expected], ...]] = (
    (400, "VALIDATION", "INVALID_INPUT_FORMAT", failed("refused")),
    (
        400,
        "CONNECTED_SERVICES_ACCOUNT",
        "VIRTUAL_KEY_REQUIRED",
        failed("car_maker_account"),
    ),
    (401, "AUTHENTICATION", "UNAUTHORIZED", REJECTED_TWICE),
    (403, "AUTHENTICATION", "ACCESS_DENIED", REJECTED),
    (403, "PERMISSION", None, failed("permission_missing")),
    (404, "RESOURCE_NOT_FOUND", "VEHICLE_NOT_FOUND", failed("not_found_at_smartcar")),
    (409, "VEHICLE_STATE", "ASLEEP", NOT_NOW),
    (429, "RATE_LIMIT", "SMARTCAR_API", LIMITED),
    (430, "BILLING", "INVALID_PLAN", failed("refused_by_plan")),
    (500, "SERVER", "INTERNAL", unconfirmed()),
    (501, "COMPATIBILITY", "VEHICLE_NOT_CAPABLE", failed("not_compatible")),
    (502, "UPSTREAM", "NO_RESPONSE", unconfirmed()),
)

# What a status proves by itself, where the body holds no error object of Smartcar's:
# it may be that of a gateway in between.
BY_STATUS: Final[Mapping[int, Expected]] = {
    200: unconfirmed(),
    202: unconfirmed(),
    400: unconfirmed(),
    401: REJECTED_TWICE,
    403: unconfirmed(),
    404: unconfirmed(),
    409: unconfirmed(),
    418: unconfirmed(),
    429: unconfirmed(),
    430: unconfirmed(),
    500: unconfirmed(),
    501: unconfirmed(),
    502: unconfirmed(),
    504: unconfirmed(),
    599: unconfirmed(),
}

REDIRECTS: Final = (301, 302, 303, 307, 308)

SAYS_NOTHING: Final[Mapping[str, Any]] = {
    "empty": None,
    "gateways": {"message": "no Route matched with those values"},
    "problem": {"type": "about:blank", "title": "Not Found", "code": "E1"},
    "code_without_type": {"errors": [{"code": "SCHEDULE_NOT_FOUND"}]},
    "html": "<html><body><h1>Service Unavailable</h1></body></html>",
    "truncated": '{"data": {"attributes": {"status": {"value": "SUCCESS',
    "list": '[{"data": {"attributes": {"status": {"value": "SUCCESS"}}}}]',
    "huge": b'{"data": "' + b"a" * 1024 * 1024 + b'"}',
}

# What the word in `data.attributes.status.value` proves under a 2xx.
WORDS: Final[Mapping[str, tuple[Any, Expected]]] = {
    "SUCCESS": ("SUCCESS", success()),
    "ERROR": ("ERROR", unconfirmed()),
    "FAILED": ("FAILED", unconfirmed()),
    "FAILURE": ("FAILURE", unconfirmed()),
    "PENDING": ("PENDING", unconfirmed()),
    "IN_PROGRESS": ("IN_PROGRESS", unconfirmed()),
    "unknown_word": ("QUEUED", unconfirmed()),
    "lower_case": ("success", unconfirmed()),
    "missing": (REMOVED, unconfirmed()),
    "null": (None, unconfirmed()),
    "number": (200, unconfirmed()),
    "true": (True, unconfirmed()),
    "list": (["SUCCESS"], unconfirmed()),
}


def shapes(error_type: str, code: str | None) -> Mapping[str, Any]:
    """Return an error in every shape that Smartcar is known to use."""
    error = {"type": error_type, "code": code, "detail": "Some detail."}
    return {
        "errors": {"errors": [error]},
        "error": {"error": error},
        "flat": error,
        "status_error": {
            "data": {"attributes": {"status": {"value": "ERROR", "error": error}}}
        },
    }


def refusal(status: int, body: Any, expected: Expected) -> Fault:
    """Answer this; where the outcome is unknown, the car did it, which is worse."""
    return Fault(status=status, body=body, executes=expected.verdict == "unconfirmed")


def documented_rows() -> Iterator[Row]:
    """Return each documented error in each shape, and under a success's statuses."""
    for status, error_type, code, expected in DOCUMENTED:
        bodies = shapes(error_type, code)
        for shape, body in bodies.items():
            name = f"{status}-{error_type}-{shape}"
            yield Row(
                name=name,
                arrange=lasting(refusal(status, body, expected)),
                expected=expected,
            )
        # Only a 401 by its status line is about the token, and sent again.
        once = REJECTED if expected is REJECTED_TWICE else expected
        beside = refusal(200, bodies["status_error"], once)
        yield Row(
            name=f"200-{error_type}-{code}", arrange=lasting(beside), expected=once
        )
        streamed = Fault.streamed(
            0.01, body=bodies["errors"], executes=once.verdict == "unconfirmed"
        )
        yield Row(
            name=f"202-streamed-{error_type}-{code}",
            arrange=lasting(streamed),
            expected=once,
        )


def silent_rows() -> Iterator[Row]:
    """Return each status with each body that says nothing."""
    for status, expected in BY_STATUS.items():
        for shape, body in SAYS_NOTHING.items():
            yield Row(
                name=f"{status}-{shape}",
                arrange=lasting(refusal(status, body, expected)),
                expected=expected,
            )


def word_rows() -> Iterator[Row]:
    """Return each word for the status, in an answer that is otherwise a success."""
    for name, (word, expected) in WORDS.items():
        merge = {"data": {"attributes": {"status": {"value": word}}}}
        fault = Fault(merge=merge, executes=expected.verdict != "failed")
        yield Row(name=f"200-status-{name}", arrange=lasting(fault), expected=expected)


def execution(**attributes: Any) -> Fault:
    """Answer a success in which these attributes are different."""
    return Fault(merge={"data": {"attributes": attributes}})


def answer_rows() -> Iterator[Row]:
    """Return what else an answer can look like."""
    known, plan = {"type": "VEHICLE_STATE", "code": "ASLEEP"}, {"type": "BILLING"}
    far = {"location": {"latitude": 1.0, "longitude": 2.0}}
    large = json.dumps({"errors": [{"type": "VALIDATION", "detail": "a" * 900_000}]})
    # To where it would be a second create.
    redirect = {"Location": f"/v3/vehicles/{TESLA.vehicle_id}/charge-schedules/daily"}
    for name, fault, expected in (
        ("success", Fault(), success()),
        ("201", Fault(status=201), success()),
        ("204", Fault(status=204, body=None), LOST),
        *(
            (f"{code}-redirect", Fault(status=code, body=None, headers=redirect), LOST)
            for code in REDIRECTS
        ),
        (
            "404-SUCCESS",
            Fault(
                status=404,
                body={"data": {"attributes": {"status": {"value": "SUCCESS"}}}},
            ),
            LOST,
        ),
        (
            "500-SUCCESS",
            Fault(
                status=500,
                body={"data": {"attributes": {"status": {"value": "SUCCESS"}}}},
            ),
            LOST,
        ),
        (
            "success-beside-errors",
            Fault(merge={"errors": [known]}),
            LOST,
        ),
        (
            "success-beside-error",
            Fault(merge={"error": known}),
            LOST,
        ),
        (
            "success-beside-status-error",
            execution(status={"error": {"type": "UPSTREAM"}}),
            LOST,
        ),
        ("success-beside-unreadable-error", Fault(merge={"errors": [None]}), LOST),
        ("success-beside-errors-object", Fault(merge={"errors": known}), LOST),
        ("success-beside-error-text", Fault(merge={"error": "ASLEEP"}), LOST),
        (
            "success-beside-unreadable-status-error",
            execution(status={"error": True}),
            LOST,
        ),
        (
            "success-beside-no-error",
            Fault(merge={"errors": [], "error": None}),
            success(),
        ),
        (
            "first-of-two-errors",
            Fault(status=400, body={"errors": [known, plan]}),
            NOT_NOW,
        ),
        ("200-deeply-nested", Fault(body="[" * 200_000), LOST),
        ("large-error", Fault(status=400, body=large), failed("refused")),
        (
            "oauth-error",
            Fault(status=403, body={"error": "access_denied"}, executes=True),
            LOST,
        ),
        ("unknown-type-400", Fault.error(400, "NEW"), failed("refused")),
        ("unknown-type-409", Fault.error(409, "NEW"), NOT_NOW),
        ("unknown-type-501", Fault.error(501, "NEW"), failed("not_compatible")),
        (
            "no-schedule-to-create",
            Fault.error(404, "RESOURCE_NOT_FOUND", "SCHEDULE_NOT_FOUND"),
            failed("not_found_at_smartcar"),
        ),
        (
            "lower-case-type",
            Fault.error(400, "validation", executes=True),
            LOST,
        ),
        ("unknown-type-200", Fault(body={"errors": [{"type": "NEW"}]}), LOST),
        ("unknown-type-504", Fault.error(504, "NEW", executes=True), LOST),
        ("400-SERVER", Fault.error(400, "SERVER", executes=True), LOST),
        ("409-UPSTREAM", Fault.error(409, "UPSTREAM", executes=True), LOST),
        ("401-UPSTREAM", Fault.error(401, "UPSTREAM", executes=True), LOST),
        (
            "401-PERMISSION",
            Fault.error(401, "PERMISSION"),
            failed("permission_missing"),
        ),
        ("500-VALIDATION", Fault.error(500, "VALIDATION"), failed("refused")),
        ("502-VEHICLE_STATE", Fault.error(502, "VEHICLE_STATE"), NOT_NOW),
        ("504-BILLING", Fault.error(504, "BILLING"), failed("refused_by_plan")),
        ("302-RATE_LIMIT", Fault.error(302, "RATE_LIMIT"), LIMITED),
        ("id-from-the-link", execution(scheduleId=REMOVED), success()),
        ("id-wrong-link-right", execution(scheduleId=5), success()),
        ("no-id", Fault.without_id(), success(knows_the_id=False)),
        ("id-that-climbs", with_id("../../connections"), success(knows_the_id=False)),
        ("id-of-the-wrong-type", with_id({"id": "sched"}), success(knows_the_id=False)),
        (
            "other-window",
            execution(parameters={"startTime": "23:45", "stopTime": "05:15"}),
            success(),
        ),
        ("other-place", execution(parameters=far), success()),
        ("no-echo", execution(parameters=REMOVED), success()),
        (
            "times-of-the-wrong-type",
            execution(parameters={"startTime": 1410, "stopTime": ["05:30"]}),
            success(),
        ),
        (
            "place-of-the-wrong-type",
            execution(parameters={"location": "home"}),
            success(),
        ),
        (
            "place-not-on-earth",
            execution(parameters={"location": {"latitude": 91}}),
            success(),
        ),
        (
            "ids-of-the-wrong-type",
            Fault(merge={"data": {"id": 5, "type": None, "meta": [1]}}),
            success(),
        ),
        ("no-attributes", Fault(merge={"data": {"attributes": REMOVED}}), LOST),
        ("data-is-a-list", Fault(merge={"data": [1]}), LOST),
    ):
        yield Row(name=name, arrange=lasting(fault), expected=expected)


def with_id(schedule_id: Any) -> Fault:
    """Answer a success that tells its id nowhere else than in the attribute."""
    return Fault(
        merge={"data": {"attributes": {"scheduleId": schedule_id}, "links": REMOVED}}
    )
