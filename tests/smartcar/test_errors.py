"""Errors: what they stand for, and what they say."""

import pytest

from custom_components.smartcar_charging.smartcar import (
    AuthenticationError,
    ErrorDetails,
    ErrorType,
    GoneError,
    InvalidIdError,
    NotSentError,
    RefusedError,
    SmartcarError,
    UnconfirmedError,
)


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
    ("status", "kind"),
    [
        (None, None),
        (200, None),
        (400, None),
        (401, ErrorType.AUTHENTICATION),
        (403, ErrorType.PERMISSION),
        (404, ErrorType.RESOURCE_NOT_FOUND),
        (409, ErrorType.VEHICLE_STATE),
        (418, None),
        (429, ErrorType.RATE_LIMIT),
        (430, ErrorType.BILLING),
        (500, None),
        (501, ErrorType.COMPATIBILITY),
        (504, None),
    ],
)
def test_status_tells_the_kind_without_a_documented_type(
    status: int | None, kind: ErrorType | None, error_type: str | None
) -> None:
    """The kind is what people are told, where Smartcar has no word for it."""
    assert ErrorDetails(http_status=status, type=error_type).kind is kind


@pytest.mark.parametrize("error_type", ErrorType)
def test_documented_type_is_the_kind(error_type: ErrorType) -> None:
    """Whatever the status says."""
    assert ErrorDetails(http_status=403, type=str(error_type)).kind is error_type


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
    """One except clause catches all, and one all refusals."""
    assert {InvalidIdError, NotSentError, RefusedError, UnconfirmedError} == {
        *SmartcarError.__subclasses__()
    }
    assert {*RefusedError.__subclasses__()} == {AuthenticationError, GoneError}
    assert issubclass(InvalidIdError, ValueError)


def test_log_has_the_reason_without_smartcars_free_text() -> None:
    """The text for people may say who and where."""
    details = ErrorDetails(type="VALIDATION", message="Jane's car in Elm Street")

    assert RefusedError(details).loggable == "VALIDATION"
    assert NotSentError("no connection").loggable == "no connection"
