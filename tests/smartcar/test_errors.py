"""Errors: how they are read, what they mean, and what they say."""

from typing import Any

import pytest

from custom_components.smartcar_charging.smartcar import (
    AuthenticationError,
    ErrorDetails,
    ErrorType,
    InvalidIdError,
    NotSentError,
    RefusedError,
    SmartcarError,
    UnconfirmedError,
)
from custom_components.smartcar_charging.smartcar.errors import error_from, read_error
from tests.simulator import error_body

ERROR = {
    "type": "VALIDATION",
    "code": "MISSING_PARAMETER",
    "detail": "The header is missing.",
}


@pytest.mark.parametrize(
    "body",
    [
        {"errors": [ERROR]},
        {"errors": [ERROR, {"type": "SERVER"}], "error": {"type": "SERVER"}},
        {"errors": ERROR},
        {"error": ERROR},
        {"error": ERROR, "type": "SERVER"},
        ERROR,
        {"data": {"attributes": {"status": {"value": "ERROR", "error": ERROR}}}},
        {
            "errors": [],
            "error": None,
            "data": {"type": "x", "attributes": {"status": {"error": ERROR}}},
        },
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_every_shape_is_read(status: int, body: dict[str, Any]) -> None:
    """An error is found in each of its places, and the first of them counts."""
    assert read_error(body, http_status=status) == ErrorDetails(
        http_status=status,
        type="VALIDATION",
        code="MISSING_PARAMETER",
        message="The header is missing.",
    )


def test_documented_body_is_read_whole() -> None:
    """Everything that Smartcar says of an error is kept."""
    body = error_body(409, "VEHICLE_STATE", "ASLEEP", "The vehicle sleeps.")

    assert read_error(body, http_status=409, retry_after=5) == ErrorDetails(
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
    """A success without an error has none, and an error status without a body speaks for itself."""
    assert read_error(body, http_status=200) is None
    assert read_error(body, http_status=299) is None
    assert read_error(body, http_status=199) == ErrorDetails(http_status=199)
    assert read_error(body, http_status=300) == ErrorDetails(http_status=300)
    assert read_error(body, http_status=404) == ErrorDetails(http_status=404)


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
    details = read_error({"error": {"type": "VALIDATION", **error}}, http_status=400)

    assert details is not None
    assert details.message == expected


@pytest.mark.parametrize(
    "error",
    [
        None,
        5,
        "text",
        [],
        {"type": 5, "code": ["x"], "meta": "x"},
        {"meta": {"debug": 1}},
    ],
)
def test_error_of_another_shape_is_still_one(error: Any) -> None:
    """An error that can not be read is one of which nothing is known."""
    assert read_error({"errors": [error]}, http_status=200) == ErrorDetails(
        http_status=200
    )


def test_oauth_error_is_a_code() -> None:
    """OAuth has a word where Smartcar has an object."""
    assert read_error({"error": "invalid_client"}, http_status=401) == ErrorDetails(
        http_status=401, code="invalid_client"
    )


@pytest.mark.parametrize(
    ("error_type", "raised"),
    [
        ("AUTHENTICATION", AuthenticationError),
        ("BILLING", RefusedError),
        ("COMPATIBILITY", RefusedError),
        ("CONNECTED_SERVICES_ACCOUNT", RefusedError),
        ("PERMISSION", RefusedError),
        ("RATE_LIMIT", RefusedError),
        ("RESOURCE_NOT_FOUND", RefusedError),
        ("SERVER", UnconfirmedError),
        ("UPSTREAM", UnconfirmedError),
        ("VALIDATION", RefusedError),
        ("VEHICLE_STATE", RefusedError),
    ],
)
@pytest.mark.parametrize("status", [None, 200, 302, 404, 500])
def test_known_type_decides(
    error_type: str, raised: type[SmartcarError], status: int | None
) -> None:
    """A documented type means the same with every status."""
    details = ErrorDetails(type=error_type, http_status=status)

    assert type(error_from(details)) is raised
    assert details.kind == details.known_type == error_type


def test_every_known_type_is_documented() -> None:
    """The closed set is what the API page lists."""
    assert {*ErrorType} == {
        "AUTHENTICATION",
        "BILLING",
        "COMPATIBILITY",
        "CONNECTED_SERVICES_ACCOUNT",
        "PERMISSION",
        "RATE_LIMIT",
        "RESOURCE_NOT_FOUND",
        "SERVER",
        "UPSTREAM",
        "VALIDATION",
        "VEHICLE_STATE",
    }


@pytest.mark.parametrize("error_type", [None, "NEW_TYPE", "validation"])
@pytest.mark.parametrize(
    ("status", "raised", "kind"),
    [
        (None, UnconfirmedError, None),
        (200, UnconfirmedError, None),
        (202, UnconfirmedError, None),
        (302, UnconfirmedError, None),
        (399, UnconfirmedError, None),
        (400, RefusedError, None),
        (401, AuthenticationError, ErrorType.AUTHENTICATION),
        (403, RefusedError, ErrorType.PERMISSION),
        (404, RefusedError, ErrorType.RESOURCE_NOT_FOUND),
        (409, RefusedError, ErrorType.VEHICLE_STATE),
        (418, RefusedError, None),
        (429, RefusedError, ErrorType.RATE_LIMIT),
        (430, RefusedError, ErrorType.BILLING),
        (499, RefusedError, None),
        (500, UnconfirmedError, None),
        (501, RefusedError, ErrorType.COMPATIBILITY),
        (502, UnconfirmedError, None),
        (504, UnconfirmedError, None),
        (999, UnconfirmedError, None),
    ],
)
def test_status_decides_without_a_known_type(
    status: int | None,
    raised: type[SmartcarError],
    kind: ErrorType | None,
    error_type: str | None,
) -> None:
    """Of an unknown type, 4xx and 501 prove a refusal, and nothing else does."""
    details = ErrorDetails(http_status=status, type=error_type)

    assert type(error_from(details)) is raised
    assert details.known_type is None
    assert details.kind is kind


@pytest.mark.parametrize(
    ("details", "can_retry"),
    [
        (ErrorDetails(type="VEHICLE_STATE"), True),
        (ErrorDetails(type="RATE_LIMIT"), True),
        (ErrorDetails(http_status=409), True),
        (ErrorDetails(http_status=429), True),
        (ErrorDetails(http_status=429, type="BILLING"), False),
        (ErrorDetails(type="UPSTREAM"), False),
        (ErrorDetails(), False),
    ],
)
def test_only_states_and_limits_pass(details: ErrorDetails, can_retry: bool) -> None:
    """A refusal may pass by itself if it is about the car's state or a limit."""
    assert details.can_retry is can_retry


@pytest.mark.parametrize("error_type", [None, "RESOURCE_NOT_FOUND", "NEW_TYPE"])
@pytest.mark.parametrize(
    ("code", "is_gone"),
    [
        (None, True),
        ("SCHEDULE_NOT_FOUND", True),
        ("NEW_CODE", True),
        ("VEHICLE_NOT_FOUND", False),
        ("PATH", False),
        ("INVALID_PATH", False),
        ("VERSION", False),
    ],
)
def test_404_says_that_the_is_not_there_unless_it_is_about_something_else(
    error_type: str | None, code: str | None, is_gone: bool
) -> None:
    """A car or path that was not found says nothing of the schedule."""
    assert (
        ErrorDetails(http_status=404, type=error_type, code=code).is_not_there
        is is_gone
    )


@pytest.mark.parametrize(
    "details",
    [
        ErrorDetails(http_status=404, type="PERMISSION"),
        ErrorDetails(http_status=404, type="UPSTREAM"),
        ErrorDetails(http_status=400, type="RESOURCE_NOT_FOUND"),
        ErrorDetails(http_status=200, type="RESOURCE_NOT_FOUND"),
        ErrorDetails(type="RESOURCE_NOT_FOUND"),
        ErrorDetails(),
    ],
)
def test_nothing_but_a_404_about_a_resource_says_so(details: ErrorDetails) -> None:
    """A schedule is not taken for gone on less."""
    assert not details.is_not_there


@pytest.mark.parametrize(
    ("details", "text"),
    [
        (ErrorDetails(), "no reason given"),
        (ErrorDetails(http_status=502), "HTTP 502"),
        (
            ErrorDetails(http_status=502, message="Bad gateway."),
            "HTTP 502: Bad gateway.",
        ),
        (ErrorDetails(http_status=409, type="VEHICLE_STATE"), "VEHICLE_STATE"),
        (ErrorDetails(http_status=409, code="ASLEEP"), "ASLEEP"),
        (
            ErrorDetails(type="VEHICLE_STATE", code="ASLEEP", message="It sleeps."),
            "VEHICLE_STATE/ASLEEP: It sleeps.",
        ),
        (ErrorDetails(message="no connection"), "no connection"),
    ],
)
def test_text_is_the_reason(details: ErrorDetails, text: str) -> None:
    """An error says what Smartcar said, and the status only where it said nothing."""
    assert str(details) == text
    assert str(RefusedError(details)) == text


def test_reason_of_our_own_is_a_message() -> None:
    """An error without an answer has details too."""
    error = NotSentError("no connection")

    assert error.details == ErrorDetails(message="no connection")
    assert str(error) == "no connection"


def test_tree_has_one_root() -> None:
    """One except clause catches all, and one all refusals; only a proof is a refusal."""
    assert {InvalidIdError, NotSentError, RefusedError, UnconfirmedError} == {
        *SmartcarError.__subclasses__()
    }
    assert RefusedError.__subclasses__() == [AuthenticationError]
    assert issubclass(InvalidIdError, ValueError)
