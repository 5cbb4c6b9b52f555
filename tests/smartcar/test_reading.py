"""The tolerant readers: what is not of the wanted kind counts as missing."""

import pytest

from custom_components.smartcar_charging.smartcar.reading import (
    as_mapping,
    as_number,
    as_text,
)


@pytest.mark.parametrize("value", [None, [], [("a", 1)], "a", 5, True])
def test_only_an_object_is_a_mapping(value: object) -> None:
    """Anything else is an empty one."""
    assert as_mapping(value) == {}


def test_object_is_itself() -> None:
    """An object is not copied."""
    value = {"a": 1}

    assert as_mapping(value) is value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("text", "text"),
        ("  two\r\n\u2028 lines\t", "two lines"),
        ("x" * 101, "x" * 100),
        ("é" * 100, "é" * 100),
        ("", None),
        (" \n", None),
        ("\udcff\ud800", "??"),
        ("🚗", "🚗"),
        (None, None),
        (5, None),
        (b"text", None),
        (["text"], None),
    ],
)
def test_text_is_one_line_that_can_be_written(value: object, text: str | None) -> None:
    """A text is short, on one line, and free of what no file takes."""
    assert as_text(value) == text


def test_text_may_be_longer_where_wanted() -> None:
    """The length is the reader's choice."""
    assert as_text("x" * 400, longest=300) == "x" * 300


@pytest.mark.parametrize("value", [0, -1, 2.5, 999_999_999_999_999, -1e14])
def test_sane_number_is_itself(value: float) -> None:
    """A number stays as it is."""
    assert as_number(value) == value


@pytest.mark.parametrize(
    "value",
    [
        None,
        "5",
        True,
        False,
        [],
        1e15,
        -1e15,
        10**400,
        float("nan"),
        float("inf"),
        float("-inf"),
    ],
)
def test_anything_else_is_no_number(value: object) -> None:
    """Booleans, texts, and what is endless or insanely large are none."""
    assert as_number(value) is None
