"""The tolerant readers: what is not of the wanted kind counts as missing."""

from typing import Any

import pytest

from custom_components.smartcar_charging.smartcar.reading import (
    as_list,
    as_number,
    as_text,
    as_texts,
    member,
)


@pytest.mark.parametrize("value", [None, [], [("a", 1)], "a", 5, True, {}, {"b": 1}])
def test_member_of_anything_else_is_none(value: object) -> None:
    """A path breaks off where there is no object, or no such key."""
    assert member(value, "a") is None
    assert member({"a": value}, "a", "a") is None


def test_member_is_at_the_end_of_the_path() -> None:
    """A path leads through objects."""
    value: Any = {"a": {"b": [1]}}

    assert member(value, "a", "b") == [1]
    assert member(value) is value


@pytest.mark.parametrize("value", [None, {}, "ab", 5, (1, 2)])
def test_only_a_list_is_a_list(value: object) -> None:
    """Anything else is an empty one."""
    assert list(as_list(value)) == []
    assert as_texts(value) == ()


def test_texts_are_those_in_a_list() -> None:
    """What is no text, or says nothing, is left out."""
    assert as_list([1]) == [1]
    assert as_texts(["a", 5, None, " ", " b\n"]) == ("a", "b")


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
    assert as_text("x" * 400, max_length=300) == "x" * 300


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
