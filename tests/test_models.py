"""What Home Assistant knows of a car, and how one state follows another."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import time

from hypothesis import given, settings
import pytest

from custom_components.smartcar_charging.models import (
    MAX_COMMANDS_KEPT,
    SAME_PLACE_METERS,
    Command,
    DailyWindow,
    Doubt,
    Draft,
    Outcome,
    Place,
    Standing,
    VehicleState,
    Verdict,
)
from custom_components.smartcar_charging.smartcar import (
    AuthenticationError,
    Execution,
    Location,
    NotSentError,
    RefusedError,
    SmartcarError,
    UnconfirmedError,
)
from tests.states import (
    CAR,
    COORDINATES,
    GARAGE,
    HOME,
    HOME_ELSEWHERE,
    LATER,
    NIGHT,
    NOON,
    NOW,
    SOON,
    WORK,
    Step,
    create,
    created,
    delete,
    doubts,
    failed,
    histories,
    seen,
    standings,
    unconfirmed,
)

# The same examples each time, so that no change fails for what it did not do.
ANY_ORDER = settings(max_examples=100, deadline=None, derandomize=True, database=None)

ROUNDED = DailyWindow(start_time=time(23, 45), stop_time=NIGHT.stop_time)


@pytest.fixture(autouse=True)
def custom_integrations() -> None:
    """Start no Home Assistant: all of this is plain values."""


@pytest.mark.parametrize(
    ("latitude", "meters", "is_same"),
    [
        (52.52, 0, True),
        (52.52089866, SAME_PLACE_METERS, True),
        (52.52089867, SAME_PLACE_METERS + 0.001, False),
    ],
)
def test_same_place_is_within_the_limit(
    latitude: float, meters: float, is_same: bool
) -> None:
    """What is exactly as far as the limit is the same, and a millimetre more is not."""
    other = replace(HOME, location=Location(latitude=latitude, longitude=13.4))
    assert HOME.meters_to(other.location) == pytest.approx(meters, abs=1e-6)
    assert HOME.is_same(other) is is_same


@pytest.mark.parametrize(
    ("other", "is_same"),
    [(COORDINATES, True), (GARAGE, True), (HOME_ELSEWHERE, False), (WORK, False)],
)
def test_same_place_is_about_coordinates_and_not_zones(
    other: Place, is_same: bool
) -> None:
    """A zone that was moved, or whose id another one took over, is another place."""
    assert HOME.is_same(other) is is_same


def test_the_other_end_of_the_earth_is_another_place() -> None:
    """The formula for distances has no result there."""
    opposite = Location(latitude=-52.52, longitude=-166.6)
    assert HOME.meters_to(opposite) is None
    assert not HOME.is_same(Place(zone=None, location=opposite))
    on_the_equator, across = (
        Place(zone=None, location=Location(latitude=0, longitude=longitude))
        for longitude in (0, 179.9)
    )
    assert not on_the_equator.is_same(across)


@pytest.mark.parametrize(
    ("window", "words", "minutes", "crosses_midnight"),
    [(NIGHT, "23:30–05:30", 360, True), (NOON, "12:00–14:00", 120, False)],
)
def test_window_may_cross_midnight(
    window: DailyWindow, words: str, minutes: int, crosses_midnight: bool
) -> None:
    """Its length is never negative."""
    assert str(window) == words
    assert window.duration_minutes == minutes
    assert window.crosses_midnight is crosses_midnight


@pytest.mark.parametrize(
    ("execution", "window", "location"),
    [
        (None, NIGHT, HOME.location),
        (Execution(), NIGHT, HOME.location),
        (Execution(start_time=ROUNDED.start_time), ROUNDED, HOME.location),
        (Execution(location=WORK.location), NIGHT, WORK.location),
    ],
)
def test_what_was_set_is_what_smartcar_says_else_what_was_asked(
    execution: Execution | None, window: DailyWindow, location: Location
) -> None:
    """Each part by itself."""
    command = replace(create(), execution=execution)
    assert command.window_set == window
    assert command.location_set == location


def test_delete_of_an_unknown_schedule_has_no_place_and_no_window() -> None:
    """Nothing is made up for it, and no schedule can come of it."""
    command = delete("sched_1")
    assert command.location_set is None
    assert command.window_set is None
    with pytest.raises(ValueError, match="place and a window"):
        CAR.begin(command).end_created(Execution(), SOON, supersedes=True)


def test_command_under_way_is_in_progress() -> None:
    """It is the last command, and nothing else changes with it."""
    state = created(CAR, "sched_1")
    begun = state.begin(delete("sched_1"))
    assert begun.last_command is not None
    assert begun.last_command.verdict is Verdict.IN_PROGRESS
    assert begun.schedules == state.schedules


@pytest.mark.parametrize("number", [0, 1, MAX_COMMANDS_KEPT])
def test_taking_a_command_back_loses_nothing(number: int) -> None:
    """With as many commands on record as are kept, none is dropped at the beginning."""
    state = CAR
    for _ in range(number):
        state = created(state, "sched_1")
    assert state.begin(delete("sched_1")).take_back() == state


def test_change_while_a_command_begins_survives_its_taking_back() -> None:
    """It is the command that is taken back, and not what was done meanwhile."""
    draft = Draft(start_time=NOON.start_time)
    state = CAR.begin(create()).with_draft(draft).take_back()
    assert state == CAR.with_draft(draft)


def test_only_the_last_commands_are_kept() -> None:
    """The oldest goes when a new one ends."""
    state = CAR
    for number in range(MAX_COMMANDS_KEPT + 1):
        state = created(state, f"sched_{number}")
    assert len(state.commands) == MAX_COMMANDS_KEPT
    assert state.commands[0].affected_schedule_id == "sched_1"
    assert len(state.begin(create()).commands) == MAX_COMMANDS_KEPT + 1


@pytest.mark.parametrize("state", [CAR, created(CAR, "sched_1")])
def test_what_is_not_under_way_can_not_end(state: VehicleState) -> None:
    """A command has one end, and nothing has one that did not begin."""
    with pytest.raises(ValueError, match="no command is under way"):
        state.end_deleted(Execution(), SOON)


def test_created_schedule_is_on_the_car() -> None:
    """With the window that was asked, the one that was set, and when."""
    execution = Execution(schedule_id="sched_1", start_time=ROUNDED.start_time)
    state = CAR.begin(create()).end_created(execution, SOON, supersedes=True)
    (schedule,) = state.schedules
    assert schedule.standing is Standing.ON_CAR
    assert schedule.schedule_id == "sched_1"
    assert schedule.place == HOME
    assert (schedule.asked, schedule.window) == (NIGHT, ROUNDED)
    assert (schedule.sent_at, schedule.ended_at) == (NOW, SOON)
    assert state.last_command is not None
    assert state.last_command.verdict is Verdict.SUCCESS
    assert state.last_command.execution == execution
    assert state.last_command.ended_at == SOON


@pytest.mark.parametrize(
    ("place", "standing"),
    [
        (HOME, Standing.SUPERSEDED),
        (GARAGE, Standing.SUPERSEDED),
        (COORDINATES, Standing.SUPERSEDED),
        (HOME_ELSEWHERE, Standing.ON_CAR),
        (WORK, Standing.ON_CAR),
    ],
)
def test_create_supersedes_what_is_at_its_place(
    place: Place, standing: Standing
) -> None:
    """In the same change as its success, so that both are on the disk or neither is."""
    state = created(created(CAR, "sched_old"), "sched_new", place)
    assert standings(state) == {"sched_old": standing, "sched_new": Standing.ON_CAR}


def test_create_supersedes_what_a_delete_may_have_left() -> None:
    """Its id is known: deleting it again is safe."""
    doubtful = unconfirmed(created(CAR, "sched_old"), delete("sched_old"))
    assert standings(created(doubtful, "sched_new")) == {
        "sched_old": Standing.SUPERSEDED,
        "sched_new": Standing.ON_CAR,
    }


def test_schedules_are_found_by_how_they_stand() -> None:
    """In the order in which they were set."""
    state = unconfirmed(created(created(CAR, "sched_1"), "sched_2"), create())
    assert [len(state.with_standing(standing)) for standing in Standing] == [1, 1, 1]
    assert state.with_standing(Standing.SUPERSEDED) == state.schedules[:1]


def test_create_beside_others_supersedes_nothing() -> None:
    """That is what `replace: false` asks for."""
    state = created(created(CAR, "sched_old"), "sched_new", supersedes=False)
    assert set(standings(state).values()) == {Standing.ON_CAR}


@pytest.mark.parametrize(
    "state",
    [
        unconfirmed(CAR, create()),
        unconfirmed(CAR, create(), doubt=Doubt.STOPPED),
        created(CAR, None),
        seen(CAR, create()),
    ],
    ids=lambda state: str(state.schedules[0].doubt),
)
def test_create_settles_nothing_that_has_no_id(state: VehicleState) -> None:
    """Nothing can remove it, so it is neither superseded nor dropped."""
    later = created(state, "sched_new")
    assert later.unidentified_schedules == state.schedules
    assert later.unsettled_schedules == state.schedules


def test_create_without_an_id_is_on_the_car_and_supersedes_nothing() -> None:
    """An older schedule could be the new one under its former name."""
    state = created(created(CAR, "sched_old"), None)
    assert standings(state) == {"sched_old": Standing.ON_CAR, None: Standing.ON_CAR}
    assert doubts(state) == [None, Doubt.WITHOUT_ID]
    assert state.set_schedules == state.schedules
    assert state.possible_schedules == ()
    assert state.unsettled_schedules == state.schedules[1:]
    assert state.last_command is not None
    assert state.last_command.verdict is Verdict.SUCCESS


def test_create_without_an_id_makes_no_doubt_of_a_delete_certain() -> None:
    """What may have been removed already is not replaced either."""
    state = unconfirmed(created(CAR, "sched_old"), delete("sched_old"))
    assert doubts(created(state, None)) == [Doubt.DELETE, Doubt.WITHOUT_ID]


@pytest.mark.parametrize(
    ("state", "doubt", "is_set"),
    [
        (unconfirmed(CAR, create()), Doubt.NO_ANSWER, False),
        (unconfirmed(CAR, create(), doubt=Doubt.STOPPED), Doubt.STOPPED, False),
        (
            unconfirmed(created(CAR, "sched_1"), delete("sched_1")),
            Doubt.DELETE,
            True,
        ),
        (created(CAR, None), Doubt.WITHOUT_ID, True),
        (seen(CAR, create()), Doubt.SEEN, True),
        (created(CAR, "sched_1"), None, True),
    ],
    ids=lambda value: str(value) if isinstance(value, Doubt) else "",
)
def test_schedule_is_set_or_possible_by_what_is_doubtful(
    state: VehicleState, doubt: Doubt | None, is_set: bool
) -> None:
    """One whose delete was not heard of was set before; one that was seen is there."""
    (schedule,) = state.schedules
    assert schedule.doubt is doubt
    assert state.set_schedules == (schedule,) * is_set
    assert state.possible_schedules == (schedule,) * (not is_set)
    assert state.unsettled_schedules == (schedule,) * (doubt is not None)


def test_proven_delete_at_a_place_claims_nothing_without_an_id_gone() -> None:
    """What was deleted is one id; the others at the place may well be there."""
    state = unconfirmed(created(created(CAR, "sched_1"), None), create(window=NOON))
    ended = state.begin(delete("sched_1")).end_deleted(Execution(), SOON)
    assert ended.schedules == state.schedules[1:]
    assert ended.identified_at(HOME) == ()


def test_create_that_returns_a_known_id_is_that_schedule() -> None:
    """It is there once, on the car, and the newest."""
    older = created(created(CAR, "sched_1"), "sched_2", WORK)
    state = created(older, "sched_1", window=NOON)
    assert [own.schedule_id for own in state.schedules] == ["sched_2", "sched_1"]
    assert state.schedules[-1].window == NOON
    assert state.schedules[-1].standing is Standing.ON_CAR


def test_proven_delete_drops_only_its_schedule() -> None:
    """Another one, and what nobody knows the id of, stay."""
    state = unconfirmed(created(created(CAR, "sched_1"), "sched_2", WORK), create())
    ended = state.begin(delete("sched_1")).end_deleted(Execution(), SOON)
    assert standings(ended) == {"sched_2": Standing.ON_CAR, None: Standing.POSSIBLE}


def test_proven_delete_of_an_unknown_schedule_drops_nothing() -> None:
    """It was set elsewhere."""
    state = created(CAR, "sched_1")
    ended = state.begin(delete("elsewhere")).end_deleted(Execution(), SOON)
    assert ended.schedules == state.schedules


@pytest.mark.parametrize("command", [create(), delete("sched_1")])
@pytest.mark.parametrize(
    ("error", "outcome", "verdict"),
    [
        (RefusedError("no"), Outcome.REFUSED, Verdict.FAILED),
        (AuthenticationError("who?"), Outcome.REFUSED, Verdict.FAILED),
        (NotSentError("no connection"), Outcome.NOT_SENT, Verdict.FAILED),
        (UnconfirmedError("?"), Outcome.UNCONFIRMED, Verdict.UNCONFIRMED),
    ],
)
def test_command_without_success_keeps_its_error(
    command: Command, error: SmartcarError, outcome: Outcome, verdict: Verdict
) -> None:
    """And says which of the three other ends it had."""
    ended = failed(created(CAR, "sched_1"), command, error).commands[-1]
    assert ended.outcome is outcome
    assert ended.verdict is verdict
    assert ended.error == error.details
    assert ended.ended_at == SOON
    assert ended.is_told


@pytest.mark.parametrize("command", [create(), delete("sched_1")])
@pytest.mark.parametrize("error", [RefusedError("no"), NotSentError("no connection")])
def test_proven_failure_changes_no_schedule(
    command: Command, error: SmartcarError
) -> None:
    """What was there still is, and nothing else is."""
    state = created(CAR, "sched_1")
    assert failed(state, command, error).schedules == state.schedules


def test_unconfirmed_create_is_possibly_on_the_car() -> None:
    """It supersedes nothing, and has no id."""
    state = unconfirmed(created(CAR, "sched_old"), create(window=NOON))
    assert standings(state) == {"sched_old": Standing.ON_CAR, None: Standing.POSSIBLE}
    (possible,) = state.possible_schedules
    assert (possible.place, possible.window, possible.count) == (HOME, NOON, 1)
    assert possible.ended_at == SOON


def test_equal_possible_schedules_are_one_with_a_count_and_the_latest_end() -> None:
    """Also from another zone at the same place."""
    state = unconfirmed(CAR, create())
    state = unconfirmed(state, create(GARAGE))
    state = unconfirmed(state, create(), LATER)
    (possible,) = state.schedules
    assert possible.count == 3
    assert possible.ended_at == LATER


def test_successes_without_an_id_that_are_equal_are_one_with_a_count() -> None:
    """As often as Smartcar said that it set one."""
    (schedule,) = created(created(CAR, None), None, GARAGE).schedules
    assert (schedule.count, schedule.place) == (2, HOME)
    assert schedule.standing is Standing.ON_CAR


def test_schedules_without_an_id_are_equal_only_if_alike_in_doubt() -> None:
    """What may be there must not make uncertain what is, nor the other way round."""
    state = seen(created(CAR, None), create())
    for doubt in (Doubt.NO_ANSWER, Doubt.STOPPED, Doubt.NO_ANSWER):
        state = unconfirmed(state, create(), doubt=doubt)
    counts = {own.doubt: own.count for own in created(state, None).schedules}
    assert counts == {
        Doubt.WITHOUT_ID: 2,
        Doubt.SEEN: 1,
        Doubt.NO_ANSWER: 2,
        Doubt.STOPPED: 1,
    }


@pytest.mark.parametrize(
    "send",
    [lambda state: created(state, None), lambda state: unconfirmed(state, create())],
    ids=["without an id", "without an answer"],
)
def test_schedule_that_is_counted_is_the_newest(
    send: Callable[[VehicleState], VehicleState],
) -> None:
    """What was set last is the last in the list: its window is the one that is told."""
    state = send(created(send(CAR), "sched_1", WORK, NOON))
    told = [(own.schedule_id, own.count) for own in state.schedules]
    assert told == [("sched_1", 1), (None, 2)]


def test_possible_schedules_that_are_counted_do_not_wander() -> None:
    """The first place stays: step by step, others could lead far away from it."""
    state = unconfirmed(CAR, create())
    assert unconfirmed(state, create(GARAGE)).schedules[0].place == HOME


def test_possible_schedule_that_was_set_otherwise_is_kept_apart() -> None:
    """Smartcar said that it rounded one of two: that timer is another one."""
    rounded = Execution(start_time=ROUNDED.start_time)
    state = CAR.begin(create()).end_created(rounded, SOON, supersedes=True)
    state = unconfirmed(state, create())
    assert [own.window for own in state.schedules] == [ROUNDED, NIGHT]


@pytest.mark.parametrize("other", [create(window=NOON), create(WORK)])
def test_different_possible_schedules_are_kept_apart(other: Command) -> None:
    """Another window or another place is another timer on the car."""
    state = unconfirmed(unconfirmed(CAR, create()), other)
    assert [own.count for own in state.schedules] == [1, 1]


def test_possible_schedule_is_not_counted_with_one_that_is_on_the_car() -> None:
    """A car may well have both."""
    state = unconfirmed(created(CAR, "sched_1"), create())
    assert [own.count for own in state.schedules] == [1, 1]


def test_unconfirmed_delete_makes_a_schedule_possible() -> None:
    """Its id stays known, and its end is that of the delete."""
    doubtful = unconfirmed(created(CAR, "sched_1"), delete("sched_1"), LATER)
    assert standings(doubtful) == {"sched_1": Standing.POSSIBLE}
    assert doubts(doubtful) == [Doubt.DELETE]
    assert doubtful.schedules[0].ended_at == LATER


def test_unconfirmed_delete_of_a_superseded_schedule_leaves_it_superseded() -> None:
    """It is still to be removed."""
    state = created(created(CAR, "sched_old"), "sched_new")
    doubtful = unconfirmed(state, delete("sched_old"), LATER)
    assert doubtful.schedules == state.schedules


def test_unconfirmed_delete_of_an_unknown_schedule_adds_nothing() -> None:
    """It was set elsewhere: nothing is known of it."""
    assert unconfirmed(CAR, delete("elsewhere")).schedules == ()


def test_interrupted_command_is_unconfirmed_and_not_told() -> None:
    """Home Assistant was cut off: nobody could hear of the end."""
    state = CAR.begin(create()).end_interrupted(SOON)
    (command,) = state.commands
    assert command.verdict is Verdict.UNCONFIRMED
    assert state.untold_commands == (command,)
    assert standings(state) == {None: Standing.POSSIBLE}
    assert doubts(state) == [Doubt.STOPPED]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (created(CAR, "sched_1"), [Doubt.DELETE]),
        (created(created(CAR, "sched_1"), "sched_2"), [None, None]),
    ],
    ids=["on the car", "superseded"],
)
def test_interrupted_delete_is_as_doubtful_as_one_without_an_answer(
    state: VehicleState, expected: list[Doubt | None]
) -> None:
    """Its id is known either way; a superseded one is still to be removed."""
    ended = state.begin(delete("sched_1")).end_interrupted(LATER)
    assert doubts(ended) == expected
    assert [own.is_superseded for own in ended.schedules] == [
        own.is_superseded for own in state.schedules
    ]


def test_interrupted_command_is_told_once() -> None:
    """Then nothing is left to be told."""
    state = CAR.begin(create()).end_interrupted(SOON).with_all_told()
    assert state.untold_commands == ()


@pytest.mark.parametrize("state", [CAR, created(CAR, "sched_1")])
def test_stop_while_nothing_is_under_way_interrupts_nothing(
    state: VehicleState,
) -> None:
    """The state is what it was."""
    assert state.end_interrupted(LATER) == state


@pytest.mark.parametrize(("sent", "left"), [(1, []), (3, [2])])
def test_adopted_schedule_is_one_of_those_that_were_sent(
    sent: int, left: list[int]
) -> None:
    """The others stay possibly on the car."""
    state = CAR
    for _ in range(sent):
        state = unconfirmed(state, create())
    state = state.adopt(state.schedules[0], "sched_found")
    assert standings(state).pop("sched_found") is Standing.ON_CAR
    assert [own.count for own in state.identified_schedules] == [1]
    assert [own.count for own in state.unidentified_schedules] == left


def test_adopted_schedule_is_known_once() -> None:
    """Also if another command made its id known while the user was asked."""
    state = unconfirmed(created(CAR, "sched_1", WORK), create())
    state = state.adopt(state.schedules[-1], "sched_1")
    assert standings(state) == {"sched_1": Standing.ON_CAR}
    assert state.schedules[0].place == HOME


def test_adopting_what_was_settled_meanwhile_changes_nothing() -> None:
    """A dialog may be older than the state."""
    state = unconfirmed(created(CAR, "sched_1"), create())
    (possible,) = state.unidentified_schedules
    settled = state.forget(possible)
    assert settled.adopt(possible, "sched_1") == settled


def test_forgotten_schedule_is_gone_however_often_it_counts() -> None:
    """The user has looked: it is not on the car."""
    state = unconfirmed(unconfirmed(CAR, create()), create())
    assert state.forget(state.schedules[0]).schedules == ()


def test_forgetting_what_has_changed_meanwhile_changes_nothing() -> None:
    """What the user answered was not about one more that was sent since."""
    older = unconfirmed(CAR, create())
    state = unconfirmed(older, create(), LATER)
    assert state.forget(older.schedules[0]) == state


def test_confirmed_schedule_is_on_the_car() -> None:
    """Its delete was not proven, and now it is known to be there."""
    state = unconfirmed(created(CAR, "sched_1"), delete("sched_1"))
    state = state.confirm(state.schedules[0])
    assert standings(state) == {"sched_1": Standing.ON_CAR}
    assert doubts(state) == [None]


@pytest.mark.parametrize(
    "state",
    [
        unconfirmed(unconfirmed(CAR, create()), create()),
        unconfirmed(CAR, create(), doubt=Doubt.STOPPED),
        created(CAR, None),
    ],
    ids=lambda state: str(state.schedules[0].doubt),
)
def test_confirmed_schedule_without_an_id_was_seen(state: VehicleState) -> None:
    """It is on the car, and stays in question until its id is known or it is gone."""
    (before,) = state.schedules
    (after,) = state.confirm(before).schedules
    assert after == replace(before, doubt=Doubt.SEEN)
    assert after.standing is Standing.ON_CAR


def test_confirming_what_was_settled_meanwhile_changes_nothing() -> None:
    """A dialog may be older than the state."""
    state = unconfirmed(CAR, create())
    (possible,) = state.schedules
    settled = state.forget(possible)
    assert settled.confirm(possible) == settled


@pytest.mark.parametrize("state", [created(CAR, None), seen(CAR, create())])
def test_adopted_schedule_is_settled(state: VehicleState) -> None:
    """Its id is known from then on, so that it can be replaced."""
    state = state.adopt(state.schedules[0], "sched_found")
    assert state.unsettled_schedules == ()
    assert standings(created(state, "sched_new")) == {
        "sched_found": Standing.SUPERSEDED,
        "sched_new": Standing.ON_CAR,
    }


def test_tries_to_delete_a_schedule_are_counted() -> None:
    """Those of an unknown one are not."""
    state = created(CAR, "sched_1").with_failed_delete("elsewhere")
    state = state.with_failed_delete("sched_1").with_failed_delete("sched_1")
    assert [own.delete_attempts for own in state.schedules] == [2]


SENT = Draft(start_time=NIGHT.start_time, stop_time=NIGHT.stop_time)
AT_WORK = replace(SENT, zone="zone.work")
ANOTHER = Draft(start_time=NOON.start_time, stop_time=NOON.stop_time)


@pytest.mark.parametrize(
    ("prepared", "shown"),
    [
        (SENT, SENT),
        (ANOTHER, replace(ANOTHER, is_edited=True)),
        (
            replace(SENT, zone="zone.work"),
            replace(SENT, zone="zone.work", is_edited=True),
        ),
        (Draft(), replace(Draft(), is_edited=True)),
    ],
)
def test_draft_that_is_prepared_is_kept_until_it_is_sent(
    prepared: Draft, shown: Draft
) -> None:
    """What an automation sets does not undo what a person is about to set."""
    assert created(CAR.with_draft(prepared), "sched_1").draft == shown


def test_draft_shows_what_was_sent_last() -> None:
    """Unless the user prepares something; coordinates leave the zone as it was."""
    state = created(created(CAR, "sched_1"), "sched_2", WORK, NOON)
    assert state.draft == replace(ANOTHER, zone="zone.work")
    assert created(state, "sched_3", COORDINATES).draft.zone == "zone.work"


def test_draft_shows_no_command_that_did_not_succeed() -> None:
    """Nor a delete."""
    state = created(CAR, "sched_1")
    ended = unconfirmed(unconfirmed(state, create(WORK, NOON)), delete("sched_1"))
    assert ended.draft == state.draft


def test_renaming_and_confirming_a_loss_change_nothing_else() -> None:
    """Each is a change of one part."""
    state = replace(created(CAR, "sched_1"), record_lost_at=NOW)
    assert state.is_record_lost
    assert state.renamed("Ours") == replace(state, name="Ours")
    assert state.with_loss_confirmed() == replace(state, record_lost_at=None)


@given(history=histories())
@ANY_ORDER
def test_no_id_is_there_twice(history: Sequence[Step]) -> None:
    """A schedule with a known id is one schedule."""
    for step in history:
        ids = [own.schedule_id for own in step.after.identified_schedules]
        assert len(ids) == len(set(ids))
        assert {own.count for own in step.after.identified_schedules} <= {1}


@given(history=histories())
@ANY_ORDER
def test_what_has_no_id_is_in_doubt(history: Sequence[Step]) -> None:
    """With an id only a delete can be; and what is to be removed is in no doubt."""
    for step in history:
        for own in step.after.unidentified_schedules:
            assert own.doubt not in (None, Doubt.DELETE)
            assert not own.is_superseded
            assert own.count >= 1
        for own in step.after.identified_schedules:
            assert own.doubt in (None, Doubt.DELETE)
            assert not (own.is_superseded and own.doubt)


@given(history=histories())
@ANY_ORDER
def test_every_schedule_is_set_or_possible(history: Sequence[Step]) -> None:
    """And never both: what is told in two lists would count twice."""
    for step in history:
        state = step.after
        told = (*state.set_schedules, *state.possible_schedules)
        assert sorted(map(hash, told)) == sorted(map(hash, state.schedules))
        standing = {own.standing for own in state.possible_schedules}
        assert standing <= {Standing.POSSIBLE}


@given(history=histories())
@ANY_ORDER
def test_nothing_that_was_set_becomes_merely_possible(
    history: Sequence[Step],
) -> None:
    """What is proven stays proven, until it is gone."""
    for step in history:
        before, after = (
            sum(own.count for own in state.set_schedules if own.schedule_id is None)
            for state in (step.before, step.after)
        )
        assert before - after <= step.may_settle
        assert {own.schedule_id for own in step.after.possible_schedules} <= {None}


@given(history=histories())
@ANY_ORDER
def test_nothing_leaves_without_a_proof_or_the_users_word(
    history: Sequence[Step],
) -> None:
    """Only a proven delete, the user, or a reading takes a schedule off the list."""
    for step in history:
        before, after = step.before, step.after
        ids_before = {own.schedule_id for own in before.identified_schedules}
        ids_after = {own.schedule_id for own in after.identified_schedules}
        assert ids_before - ids_after <= {step.may_drop}
        count_before = sum(own.count for own in before.unidentified_schedules)
        count_after = sum(own.count for own in after.unidentified_schedules)
        assert count_before - count_after in {0, -1, step.may_settle}


@given(history=histories())
@ANY_ORDER
def test_the_newest_one_is_never_superseded(history: Sequence[Step]) -> None:
    """Whatever a create supersedes, it is not what it has just set."""
    newest: str | None = None
    for step in history:
        newest = step.created_id or newest
        assert standings(step.after).get(newest) is not Standing.SUPERSEDED


@given(history=histories())
@ANY_ORDER
def test_only_the_last_command_is_under_way_and_few_are_kept(
    history: Sequence[Step],
) -> None:
    """The limit holds for those that ended."""
    for step in history:
        outcomes = [command.outcome for command in step.after.commands]
        assert None not in outcomes[:-1]
        assert len(outcomes) - outcomes.count(None) <= MAX_COMMANDS_KEPT


@given(history=histories())
@ANY_ORDER
def test_states_are_values(history: Sequence[Step]) -> None:
    """Nothing in a state can be changed in place, or it would have no hash."""
    assert all(isinstance(hash(step.after), int) for step in history)
