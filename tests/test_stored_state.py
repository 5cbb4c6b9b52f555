"""What is written of a car's state is read back; what is no record is told apart."""

from collections.abc import Sequence
from dataclasses import replace
import json
from typing import Any, Final

from homeassistant.helpers.json import prepare_save_json
from homeassistant.util.json import json_loads
from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.smartcar_charging.models import (
    Doubt,
    Draft,
    Standing,
    VehicleState,
)
from custom_components.smartcar_charging.smartcar import ErrorDetails, Execution
from custom_components.smartcar_charging.smartcar.conclusions import read_details
from custom_components.smartcar_charging.smartcar.transport import Answer
from custom_components.smartcar_charging.stored_state import (
    VERSION,
    as_content,
    from_content,
)
from tests.simulator import REMOVED
from tests.smartcar.conftest import EXECUTION
from tests.states import (
    CAR,
    LATER,
    NOON,
    NOW,
    WORK,
    Step,
    create,
    created,
    delete,
    histories,
    seen,
    unconfirmed,
)
from tests.strategies import changed, json_values, near, places

# The same examples each time, so that no change fails for what it did not do.
ANY_STATE: Final = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

# One schedule of each standing, one with an execution, one with an error.
FULL: Final = unconfirmed(
    created(created(CAR, "sched_old"), "sched_new"), create()
).begin(delete("sched_new"))

# What can be so of a schedule: its doubt, its id, and whether it is superseded.
TRUE: Final = frozenset(
    {
        (None, "sched_1", False),
        (None, "sched_1", True),
        ("delete", "sched_1", False),
        ("no_answer", None, False),
        ("stopped", None, False),
        ("without_id", None, False),
        ("seen", None, False),
    }
)

ERROR: Final = {
    "errors": [{"type": "SERVER", "code": "INTERNAL", "detail": "Something."}]
}


@pytest.fixture(autouse=True)
def custom_integrations() -> None:
    """Start no Home Assistant: all of this is plain values."""


def written(state: VehicleState) -> Any:
    """Return the content of the file that Home Assistant writes of a state."""
    _, text = prepare_save_json(as_content(state))
    return json_loads(text)


def value_of(text: str) -> Any:
    """Return the content of a file, None if it is no JSON that Home Assistant reads."""
    try:
        return json_loads(text)
    except ValueError:
        return None


def damaged(*path: str | int, value: Any) -> Any:
    """Return the content of a full file with something else in one place."""
    return changed(written(FULL), ("data", *path), value)


def read_error(body: Any) -> ErrorDetails:
    """Return what the client makes of a 500 with a body."""
    details = read_details(
        Answer(
            status=500,
            body=body,
            is_whole=True,
            sends=1,
            request_id=None,
            retry_after=30.0,
        )
    )
    assert details is not None
    return details


@st.composite
def executions(draw: st.DrawFn) -> Execution:
    """Return what the client makes of an answer near the documented one."""
    request_id = draw(st.none() | st.text(max_size=5))
    return Execution.from_body(draw(near(EXECUTION)), request_id=request_id)


def one_of_each() -> VehicleState:
    """Return what is known of a car with a schedule of each doubt, and settled ones."""
    state = created(CAR, "sched_1", WORK)
    state = unconfirmed(state, create())
    state = unconfirmed(state, create(), doubt=Doubt.STOPPED)
    state = unconfirmed(state, delete("sched_1"))
    state = created(state, None)
    state = seen(state, create(window=NOON))
    return created(created(state, "sched_old"), "sched_new")


@given(history=histories(executions(), near(ERROR).map(read_error)))
@ANY_STATE
def test_every_state_is_read_back_as_it_was(history: Sequence[Step]) -> None:
    """Whatever Smartcar answered, and in whatever order things happened."""
    state = history[-1].after
    assert from_content(written(state), NOW) == (state, True)


def test_empty_state_is_read_back() -> None:
    """A car of which nothing is known yet."""
    assert from_content(written(CAR), NOW) == (CAR, True)


def test_every_doubt_is_read_back() -> None:
    """As what it was, beside what is superseded and what is in no doubt."""
    state = one_of_each()
    assert {own.doubt for own in state.schedules} == {*Doubt, None}
    assert {own.standing for own in state.schedules} == set(Standing)
    assert from_content(written(state), LATER) == (state, True)


@pytest.mark.parametrize("doubt", [*Doubt, None])
@pytest.mark.parametrize("schedule_id", ["sched_1", None])
@pytest.mark.parametrize("is_superseded", [False, True])
def test_schedule_that_contradicts_itself_is_damaged(
    doubt: Doubt | None, schedule_id: str | None, is_superseded: bool
) -> None:
    """It is dropped alone, and the user is told that something is lost."""
    content = written(created(created(CAR, "sched_old", WORK), "sched_1"))
    said = {
        "doubt": doubt,
        "schedule_id": schedule_id,
        "is_superseded": is_superseded,
    }
    content["data"]["schedules"][1] |= said
    is_true = (doubt, schedule_id, is_superseded) in TRUE
    state, is_whole = from_content(content, LATER)
    assert is_whole is is_true
    assert len(state.schedules) == 1 + is_true
    assert state.schedules[0].schedule_id == "sched_old"
    assert state.is_record_lost is not is_true


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {},
        {"version": VERSION},
        {"version": VERSION, "data": None},
        {"version": VERSION + 1, "data": written(FULL)["data"]},
        {"version": str(VERSION), "data": written(FULL)["data"]},
        {"version": 1, "minor_version": 1, "key": "any", "data": {"schedules": []}},
        {**written(FULL), "key": "any"},
        damaged("commands", value={}),
        damaged("schedules", value=None),
        damaged("draft", value=[]),
        damaged("record_lost_at", value=False),
        damaged("record_lost_at", value="2026-03-02T21:00:00"),
        damaged("name", value=None),
        damaged("anything", value=1),
    ],
)
def test_other_content_is_no_record(content: Any) -> None:
    """Another version's too, that of 0.1.0 among them: nothing of it is guessed."""
    assert from_content(content, NOW) == (
        VehicleState(name="", record_lost_at=NOW),
        False,
    )


@pytest.mark.parametrize("value", [{"no": "value"}, REMOVED])
def test_damaged_part_is_dropped_alone(value: Any) -> None:
    """Whichever member of a command or a schedule is no value, or is missing."""
    for path in (path[1:] for path in places(written(FULL)) if len(path) > 3):
        key, index, *_ = path
        state, is_whole = from_content(damaged(*path, value=value), NOW)
        kept = written(FULL)["data"]
        del kept[key][index]
        assert (path, is_whole) == (path, False)
        assert written(state)["data"] == {**kept, "record_lost_at": NOW.isoformat()}


def test_damaged_draft_is_an_empty_one() -> None:
    """The user prepares it anew."""
    state, is_whole = from_content(damaged("draft", "zone", value=None), NOW)
    assert not is_whole
    assert state == replace(FULL, draft=Draft(), record_lost_at=NOW)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("commands", 0, "place"), None),
        (("commands", 0, "window"), None),
        (("commands", 0, "action"), "start"),
        (("commands", 0, "outcome"), "unknown"),
        (("commands", 0, "begun_at"), "2026-03-02T21:00:00"),
        (("commands", 0, "ended_at"), "yesterday"),
        (("commands", 0, "window", "start_time"), "23:30+01:00"),
        (("commands", 0, "window", "start_time"), "24:00:01"),
        (("commands", 0, "something"), "more"),
        (("commands", 3, "schedule_id"), "a/b"),
        (("schedules", 0, "schedule_id"), None),
        (("schedules", 1, "schedule_id"), None),
        (("schedules", 1, "doubt"), "elsewhere"),
        (("schedules", 1, "is_superseded"), None),
        (("schedules", 1, "standing"), "on_car"),
        (("schedules", 1, "place", "location", "latitude"), 91),
        (("schedules", 2, "count"), 0),
        (("schedules", 2, "delete_attempts"), -1),
    ],
    ids=str,
)
def test_part_that_can_not_be_true_is_dropped(
    path: tuple[str | int, ...], value: Any
) -> None:
    """A create has a place and a window, and what is known to be there has an id."""
    key, index, *_ = path
    state, is_whole = from_content(damaged(*path, value=value), NOW)
    kept = written(FULL)["data"]
    del kept[key][index]
    assert not is_whole
    assert written(state)["data"] == {**kept, "record_lost_at": NOW.isoformat()}


def test_lost_record_stays_lost_until_it_is_confirmed() -> None:
    """A restart does not forget it; the file itself is whole."""
    lost = replace(FULL, record_lost_at=NOW)
    assert from_content(written(lost), LATER) == (lost, True)


def test_record_of_which_more_is_lost_is_lost_from_then_on() -> None:
    """Who knows of the first loss does not know of the second."""
    content = written(replace(FULL, record_lost_at=NOW))
    content["data"]["schedules"][0]["count"] = 0
    state, is_whole = from_content(content, LATER)
    assert (state.record_lost_at, is_whole) == (LATER, False)


@given(content=(json_values | near(written(FULL))).map(json.dumps).map(value_of))
@ANY_STATE
def test_what_was_read_of_any_content_can_be_written(content: Any) -> None:
    """Nothing is raised, and what is left of it is a whole record from then on."""
    state, is_whole = from_content(content, NOW)
    assert is_whole or state.is_record_lost
    assert from_content(written(state), NOW) == (state, True)
