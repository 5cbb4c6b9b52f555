"""What an answer proves, by the table in docs/architecture.md and in detail."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from custom_components.smartcar_charging.smartcar import (
    AuthenticationError,
    ErrorDetails,
    GoneError,
    RefusedError,
    SmartcarClient,
    SmartcarError,
    UnconfirmedError,
)
from custom_components.smartcar_charging.smartcar.conclusions import (
    conclude,
    read_details,
)
from custom_components.smartcar_charging.smartcar.transport import Answer
from tests.simulator import TESLA, Cut, Fault, Simulator, error_body

from .conftest import TOKEN_PATH, delete

PAGE: Final = Path(__file__).parents[2] / "docs" / "architecture.md"
HEADING: Final = "## What an answer proves\n"

HTML: Final = "<html><body>Not Found</body></html>"
LOST: Final = Fault(cut=Cut.BEFORE_ANSWER)

ERROR: Final[dict[str, Any]] = {
    "type": "VALIDATION",
    "code": "MISSING_PARAMETER",
    "detail": "The header is missing.",
}
SHAPES: Final[dict[str, dict[str, Any]]] = {
    "errors": {"errors": [ERROR]},
    "first_of_errors": {"errors": [ERROR, {"type": "SERVER"}]},
    "errors_before_error": {"errors": [ERROR], "error": {"type": "SERVER"}},
    "error": {"error": ERROR},
    "error_before_flat": {"error": ERROR, "type": "SERVER"},
    "flat": ERROR,
    "status_error": {
        "data": {"attributes": {"status": {"value": "ERROR", "error": ERROR}}}
    },
    "after_empty_ones": {
        "errors": [],
        "error": None,
        "data": {"type": "x", "attributes": {"status": {"error": ERROR}}},
    },
}


@dataclass(frozen=True)
class Row:
    """A row of the table, and answers to a delete for which it holds."""

    name: str
    outcome: str
    faults: tuple[Fault, ...]
    before: tuple[Fault, ...] = ()
    path: str | None = None


PERMISSION: Final = {"type": "PERMISSION"}


def word(value: object) -> Fault:
    """Answer a success with another word for its status."""
    return Fault(merge={"data": {"attributes": {"status": {"value": value}}}})


def not_found(code: object) -> Fault:
    """Answer that something was not found."""
    error = {"type": "RESOURCE_NOT_FOUND", "code": code}
    return Fault(status=404, body={"errors": [error]})


ROWS: Final = (
    Row(
        "None, and nothing was sent",
        "`NotSentError`",
        (Fault(status=500), Fault(status=404, body=HTML)),
        path=TOKEN_PATH,
    ),
    Row("None, though it was sent", "`UnconfirmedError`", (LOST,)),
    Row(
        "2xx, whole, without a trace of an error, status word `SUCCESS`",
        "success",
        (Fault(), Fault(status=202), Fault(merge={"errors": [], "error": None})),
    ),
    Row(
        "2xx, whole, without a trace of an error, any other status word, or none",
        "`UnconfirmedError`",
        (
            word("ERROR"),
            word("FAILED"),
            word("FAILURE"),
            word("PENDING"),
            word("success"),
            word(None),
            Fault(body=HTML),
            Fault(status=204, body=None),
        ),
    ),
    Row("2xx, cut", "`UnconfirmedError`", (Fault(cut=Cut.MID_BODY),)),
    Row(
        "2xx, with an error that can not be read",
        "`UnconfirmedError`",
        (
            Fault(merge={"errors": [None]}),
            Fault(merge={"errors": {"type": "VALIDATION"}}),
            Fault(merge={"errors": "VALIDATION"}),
            Fault(merge={"error": True}),
            Fault(merge={"error": "VALIDATION"}),
            Fault(merge={"error": {"code": "ASLEEP"}}),
            Fault(merge={"data": {"attributes": {"status": {"error": [1]}}}}),
        ),
    ),
    Row(
        "Own, 2xx, beside the status word `SUCCESS`",
        "`UnconfirmedError`",
        (
            Fault(merge={"errors": [{"type": "VALIDATION"}]}),
            Fault(merge={"error": {"type": "AUTHENTICATION"}}),
            Fault(merge={"data": {"attributes": {"status": {"error": PERMISSION}}}}),
        ),
    ),
    Row(
        "Own, 404, `RESOURCE_NOT_FOUND`, no code",
        "`GoneError`",
        (Fault.error(404, "RESOURCE_NOT_FOUND"),),
    ),
    Row(
        "Own, 404, `RESOURCE_NOT_FOUND`, a code that says `SCHEDULE`",
        "`GoneError`",
        (not_found("SCHEDULE_NOT_FOUND"), not_found("CHARGE_SCHEDULE")),
    ),
    Row(
        "Own, 404, `RESOURCE_NOT_FOUND`, any other code",
        "`RefusedError`",
        (
            not_found("VEHICLE_NOT_FOUND"),
            not_found("USER_NOT_FOUND"),
            not_found("CONNECTION_NOT_FOUND"),
            not_found("PATH"),
            not_found("INVALID_PATH"),
            not_found("VERSION"),
            not_found("SIGNAL_NOT_FOUND"),
            not_found("NEW_CODE"),
            not_found(""),
            not_found({"reason": "SCHEDULE_NOT_FOUND"}),
            not_found(404),
        ),
    ),
    Row(
        "Own, `AUTHENTICATION`",
        "`AuthenticationError`",
        (
            Fault.error(401, "AUTHENTICATION", "UNAUTHORIZED"),
            Fault.error(403, "AUTHENTICATION", "ACCESS_DENIED"),
            Fault.error(200, "AUTHENTICATION"),
        ),
    ),
    Row(
        "Own, `SERVER` or `UPSTREAM`",
        "`UnconfirmedError`",
        (
            Fault.error(500, "SERVER", "INTERNAL"),
            Fault.error(502, "UPSTREAM", "NO_RESPONSE"),
            Fault.error(409, "UPSTREAM", "NO_RESPONSE"),
            Fault.error(404, "SERVER", "SCHEDULE_NOT_FOUND"),
            Fault.streamed(0.01, body=error_body(502, "UPSTREAM", "NO_RESPONSE")),
        ),
    ),
    Row(
        "Own, any other documented type",
        "`RefusedError`",
        (
            Fault.error(400, "VALIDATION"),
            Fault.error(400, "CONNECTED_SERVICES_ACCOUNT"),
            Fault.error(403, "PERMISSION"),
            Fault.error(400, "RESOURCE_NOT_FOUND", "SCHEDULE_NOT_FOUND"),
            Fault.error(409, "VEHICLE_STATE", "ASLEEP"),
            Fault.error(429, "RATE_LIMIT", "VEHICLE"),
            Fault.error(430, "BILLING", "INVALID_PLAN"),
            Fault.error(501, "COMPATIBILITY", "VEHICLE_NOT_CAPABLE"),
            Fault.error(200, "VEHICLE_STATE"),
            Fault.error(502, "VEHICLE_STATE"),
        ),
    ),
    Row(
        "Own, a type that is not documented, 401",
        "`AuthenticationError`",
        (Fault.error(401, "NEW"),),
    ),
    Row(
        "Own, a type that is not documented, any other 4xx but 408, or 501",
        "`RefusedError`",
        (
            Fault.error(400, "NEW"),
            Fault.error(404, "NEW", "SCHEDULE_NOT_FOUND"),
            Fault.error(418, "NEW_2"),
            Fault.error(429, "NEW", headers={"Retry-After": "0"}),
            Fault.error(501, "NEW"),
        ),
    ),
    Row(
        "Own, a type that is not documented, any other status",
        "`UnconfirmedError`",
        (
            Fault.error(200, "NEW"),
            Fault.error(302, "NEW"),
            Fault.error(408, "TIMEOUT"),
            Fault.error(500, "NEW"),
            Fault.error(504, "NEW"),
        ),
    ),
    Row(
        "Not own, 401",
        "`AuthenticationError`",
        (
            Fault(status=401),
            Fault(status=401, body=HTML),
            Fault(status=401, body={"error": "invalid_token"}),
        ),
    ),
    Row(
        "Not own, any other status than 2xx and 401",
        "`UnconfirmedError`",
        (
            Fault(status=302, body=None, headers={"Location": "/v3/elsewhere"}),
            Fault(status=400, body={"type": "about:blank", "status": 400}),
            Fault(status=400, body={"errors": [{"type": "validation"}]}),
            Fault(status=400, body={"errors": {"type": "VALIDATION"}}),
            Fault(status=403, body=HTML),
            Fault(status=403, body={"error": "access_denied"}),
            Fault(status=404),
            Fault(status=404, body=HTML),
            Fault(status=404, body={"message": "no Route matched"}),
            Fault(status=404, body={"code": "SCHEDULE_NOT_FOUND"}),
            Fault(
                status=404,
                body=error_body(404, "RESOURCE_NOT_FOUND", "VEHICLE_NOT_FOUND"),
                cut=Cut.MID_BODY,
            ),
            Fault(status=404, body={"type": "RESOURCE_NOT_FOUND", "data": None}),
            Fault(status=409),
            Fault(status=418),
            Fault(status=429, headers={"Retry-After": "0"}),
            Fault(status=430, body=HTML),
            Fault(status=500),
            Fault(status=501, body=HTML),
            Fault(status=504),
        ),
    ),
    Row(
        "To a request that aiohttp repeated by itself: success",
        "success",
        (Fault(),),
        before=(Fault(cut=Cut.BEFORE_ANSWER, executes=False),),
    ),
    Row(
        "To a request that aiohttp repeated by itself: gone",
        "`GoneError`",
        (Fault(), Fault.error(404, "RESOURCE_NOT_FOUND")),
        before=(LOST,),
    ),
    Row(
        "To a request that aiohttp repeated by itself: anything else",
        "`UnconfirmedError`",
        (
            LOST,
            Fault(cut=Cut.MID_BODY),
            Fault.error(401, "AUTHENTICATION"),
            Fault(status=401),
            Fault.error(403, "PERMISSION"),
            not_found("VEHICLE_NOT_FOUND"),
            Fault.error(409, "VEHICLE_STATE"),
            Fault.error(429, "RATE_LIMIT", headers={"Retry-After": "0"}),
            Fault(status=404, body=HTML),
        ),
        before=(LOST,),
    ),
)
CASES: Final = [
    pytest.param(row, fault, id=f"{row.name}-{number}")
    for row in ROWS
    for number, fault in enumerate(row.faults)
]


async def outcome_of_delete(smartcar: SmartcarClient, schedule_id: str) -> str:
    """Return what comes of a delete, in the words of the table."""
    try:
        await delete(smartcar, schedule_id)
    except SmartcarError as err:
        return f"`{type(err).__name__}`"
    return "success"


@pytest.mark.parametrize(("row", "fault"), CASES)
async def test_row_of_the_table_holds(
    simulator: Simulator, smartcar: SmartcarClient, row: Row, fault: Fault
) -> None:
    """The table says what comes of each of these answers to a delete."""
    schedule = simulator.add_schedule(TESLA.vehicle_id, start="08:00", stop="10:00")
    method = "DELETE" if row.path is None else "POST"
    simulator.script(*row.before, method=method, path=row.path)
    simulator.always(fault, method=method, path=row.path)

    assert await outcome_of_delete(smartcar, schedule.id) == row.outcome


def test_table_in_the_docs_has_these_rows() -> None:
    """What is tested is documented, what is documented is tested, in one order."""
    _, _, rest = PAGE.read_text().partition(HEADING)
    section, _, _ = rest.partition("\n## ")
    lines = [line for line in section.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:]]

    assert cells == [[row.name, row.outcome] for row in ROWS]


@pytest.mark.parametrize("status", [403, 404, 409, 418, 429, 430, 501])
async def test_gateways_page_is_no_proof_that_a_schedule_is_still_there_or_gone(
    simulator: Simulator, smartcar: SmartcarClient, status: int
) -> None:
    """The car did it, and something in between answered with a page of its own."""
    schedule = simulator.add_schedule(TESLA.vehicle_id, start="08:00", stop="10:00")
    simulator.script(Fault(status=status, body=HTML, executes=True), method="DELETE")

    with pytest.raises(UnconfirmedError):
        await delete(smartcar, schedule.id)

    assert simulator.schedules(TESLA.vehicle_id) == []
    assert len(simulator.deletes) == 1


@pytest.mark.parametrize(
    "body",
    [
        None,
        HTML,
        {"message": "no Route matched"},
        {"errors": [{"type": "NEW", "code": "SCHEDULE_NOT_FOUND"}]},
        {"errors": [{"type": "RESOURCE_NOT_FOUND", "code": "USER_NOT_FOUND"}]},
        {"errors": [{"type": "RESOURCE_NOT_FOUND", "code": "VEHICLE_NOT_FOUND"}]},
    ],
)
async def test_gateways_404_is_no_proof_that_a_schedule_is_gone(
    simulator: Simulator, smartcar: SmartcarClient, body: Any
) -> None:
    """Nor is Smartcar's own about something else."""
    schedule = simulator.add_schedule(TESLA.vehicle_id, start="08:00", stop="10:00")
    simulator.script(Fault(status=404, body=body), method="DELETE")

    with pytest.raises(SmartcarError) as caught:
        await delete(smartcar, schedule.id)

    assert not isinstance(caught.value, GoneError)
    assert simulator.schedules(TESLA.vehicle_id) == [schedule]


async def test_cut_404_about_the_car_is_no_proof_that_a_schedule_is_gone(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """The code that would say what was not found is lost with the body."""
    body = error_body(404, "RESOURCE_NOT_FOUND", "VEHICLE_NOT_FOUND")
    fault = Fault(status=404, body=body, cut=Cut.MID_BODY)
    simulator.script(fault, method="DELETE")

    with pytest.raises(UnconfirmedError, match="HTTP 404"):
        await delete(smartcar, "sched_1")


def answer(
    body: Any, status: int = 404, *, is_whole: bool = True, sends: int = 1
) -> Answer:
    """Return an answer with this body."""
    return Answer(
        status=status,
        body=body,
        is_whole=is_whole,
        sends=sends,
        request_id=None,
        retry_after=None,
    )


def test_answer_that_did_not_come_whole_is_never_gone() -> None:
    """Whatever was read of it."""
    with pytest.raises(RefusedError) as caught:
        conclude(answer(error_body(404, "RESOURCE_NOT_FOUND"), is_whole=False))

    assert type(caught.value) is RefusedError


@pytest.mark.parametrize("body", SHAPES.values(), ids=SHAPES.keys())
@pytest.mark.parametrize("status", [200, 400])
def test_every_shape_is_read(status: int, body: dict[str, Any]) -> None:
    """An error is found in each of its places, and the first of them counts."""
    assert read_details(answer(body, status)) == ErrorDetails(
        http_status=status,
        type="VALIDATION",
        code="MISSING_PARAMETER",
        message="The header is missing.",
    )


def test_documented_body_is_read_whole() -> None:
    """Everything that Smartcar says of an error is kept."""
    told = Answer(
        status=409,
        body=error_body(409, "VEHICLE_STATE", "ASLEEP", "The vehicle sleeps."),
        is_whole=True,
        sends=1,
        request_id=None,
        retry_after=5,
    )

    assert read_details(told) == ErrorDetails(
        http_status=409,
        type="VEHICLE_STATE",
        code="ASLEEP",
        message="The vehicle sleeps.",
        request_id="{requestId}",
        retry_after=5,
    )


@pytest.mark.parametrize(
    "body",
    [
        None,
        5,
        "error",
        [],
        [ERROR],
        {},
        {"errors": None},
        {"errors": []},
        {"error": ""},
        {"type": "", "code": None},
        {"data": None, "type": "VALIDATION"},
        {
            "data": {
                "type": "charge-schedule-execution",
                "attributes": {"status": {"value": "SUCCESS"}},
            }
        },
        {"data": {"attributes": {"status": "ERROR"}}},
        {"data": {"attributes": {"status": {"error": None}}}},
        {"data": [ERROR]},
    ],
)
def test_no_error_is_read_from_anything_else(body: Any) -> None:
    """A 2xx has no error then, and any other status says nothing but itself."""
    assert read_details(answer(body, 200)) is None
    assert read_details(answer(body, 299)) is None
    assert read_details(answer(body, 199)) == ErrorDetails(http_status=199)
    assert read_details(answer(body, 300)) == ErrorDetails(http_status=300)
    assert read_details(answer(body, 404)) == ErrorDetails(http_status=404)


@pytest.mark.parametrize(
    "error_type",
    [
        "about:blank",
        "validation",
        "Validation",
        "VALIDATION ",
        "VALIDATION\n",
        "_VALIDATION",
        "4XX",
        "",
        None,
        5,
        ["VALIDATION"],
    ],
)
def test_only_an_upper_case_word_makes_an_error_smartcars_own(
    error_type: object,
) -> None:
    """What else is said is kept for people to read."""
    error = {"type": error_type, "code": "CODE", "title": "Title"}

    assert read_details(answer({"errors": [error]})) == ErrorDetails(
        http_status=404, code="CODE", message="Title"
    )


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            {"detail": "detail", "description": "description", "title": "title"},
            "detail",
        ),
        (
            {"detail": None, "description": "description", "title": "title"},
            "description",
        ),
        ({"detail": " ", "title": "title"}, "title"),
        ({"detail": ["x"], "title": 5}, None),
        ({"detail": "two\n\tlines "}, "two lines"),
        ({"detail": "x" * 1000}, "x" * 300),
        ({"detail": "lone \ud800 surrogate"}, "lone ? surrogate"),
    ],
)
def test_message_is_the_first_that_says_something(
    error: dict[str, Any], expected: str | None
) -> None:
    """The reason is one line of bearable length that can be stored."""
    details = read_details(answer({"error": {"type": "VALIDATION", **error}}, 400))

    assert details is not None
    assert details.message == expected


@pytest.mark.parametrize("status", [200, 302, 401, 404, 409, 500])
@pytest.mark.parametrize(
    ("error_type", "raised"),
    [
        ("AUTHENTICATION", AuthenticationError),
        ("BILLING", RefusedError),
        ("COMPATIBILITY", RefusedError),
        ("CONNECTED_SERVICES_ACCOUNT", RefusedError),
        ("PERMISSION", RefusedError),
        ("RATE_LIMIT", RefusedError),
        ("SERVER", UnconfirmedError),
        ("UPSTREAM", UnconfirmedError),
        ("VALIDATION", RefusedError),
        ("VEHICLE_STATE", RefusedError),
    ],
)
def test_documented_type_decides_before_the_status(
    error_type: str, raised: type[SmartcarError], status: int
) -> None:
    """A documented type means the same with every status."""
    with pytest.raises(SmartcarError) as caught:
        conclude(answer({"errors": [{"type": error_type}]}, status))

    assert type(caught.value) is raised
    assert caught.value.details.kind == error_type
