"""States of a car, how they come about, and any that could, without Home Assistant."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final

from hypothesis import strategies as st

from custom_components.smartcar_charging.models import (
    Action,
    Command,
    DailyWindow,
    Doubt,
    Draft,
    Place,
    Standing,
    VehicleState,
)
from custom_components.smartcar_charging.smartcar import (
    ErrorDetails,
    Execution,
    Location,
    NotSentError,
    RefusedError,
    SmartcarError,
    UnconfirmedError,
)

NOW: Final = datetime(2026, 3, 2, 21, 0, tzinfo=UTC)
SOON: Final = NOW + timedelta(minutes=1)
LATER: Final = NOW + timedelta(hours=1)

NIGHT: Final = DailyWindow(start_time=time(23, 30), stop_time=time(5, 30))
NOON: Final = DailyWindow(start_time=time(12, 0), stop_time=time(14, 0))

HOME: Final = Place(zone="zone.home", location=Location(latitude=52.52, longitude=13.4))
# About 56 m from home.
GARAGE: Final = Place(
    zone="zone.garage", location=Location(latitude=52.5205, longitude=13.4)
)
# About 1.1 km from home.
HOME_ELSEWHERE: Final = Place(
    zone="zone.home", location=Location(latitude=52.53, longitude=13.4)
)
WORK: Final = Place(
    zone="zone.work", location=Location(latitude=48.14, longitude=11.58)
)
COORDINATES: Final = Place(zone=None, location=HOME.location)

CAR: Final = VehicleState(name="Tesla Model Y 2024")

_PLACES: Final = (HOME, GARAGE, HOME_ELSEWHERE, WORK, COORDINATES)
_IDS: Final = ("sched_1", "sched_2", "sched_3")
_ERRORS: Final = (UnconfirmedError, UnconfirmedError, RefusedError, NotSentError)
_MAX_CHANGES: Final = 30


def create(
    place: Place = HOME, window: DailyWindow = NIGHT, begun_at: datetime = NOW
) -> Command:
    """Return a create that begins."""
    return Command(action=Action.CREATE, begun_at=begun_at, place=place, window=window)


def delete(schedule_id: str, begun_at: datetime = NOW) -> Command:
    """Return a delete that begins."""
    return Command(action=Action.DELETE, begun_at=begun_at, schedule_id=schedule_id)


def created(
    state: VehicleState,
    schedule_id: str | None,
    place: Place = HOME,
    window: DailyWindow = NIGHT,
    *,
    supersedes: bool = True,
) -> VehicleState:
    """Return the state after a create that succeeded."""
    execution = Execution(status="SUCCESS", schedule_id=schedule_id)
    begun = state.begin(create(place, window))
    return begun.end_created(execution, SOON, supersedes=supersedes)


def failed(
    state: VehicleState, command: Command, error: SmartcarError, at: datetime = SOON
) -> VehicleState:
    """Return the state after a command that ended with an error."""
    return state.begin(command).end_failed(error, at)


def unconfirmed(
    state: VehicleState,
    command: Command,
    at: datetime = SOON,
    doubt: Doubt = Doubt.NO_ANSWER,
) -> VehicleState:
    """Return the state after a command whose outcome was not heard."""
    return state.begin(command).end_failed(UnconfirmedError("no answer"), at, doubt)


def seen(state: VehicleState, command: Command) -> VehicleState:
    """Return the state after the user saw what an unconfirmed create left."""
    sent = unconfirmed(state, command)
    return sent.confirm(sent.schedules[-1])


def standings(state: VehicleState) -> dict[str | None, Standing]:
    """Return how the schedules stand, by their ids."""
    return {own.schedule_id: own.standing for own in state.schedules}


def doubts(state: VehicleState) -> list[Doubt | None]:
    """Return what is doubtful about each schedule."""
    return [own.doubt for own in state.schedules]


@dataclass(frozen=True, kw_only=True)
class Step:
    """A change of a state.

    `may_drop` is the id of a schedule that is proven or said to be gone, `may_settle`
    how many without an id the change may settle, `created_id` what it proves to be new.
    """

    change: str
    before: VehicleState
    after: VehicleState
    may_drop: str | None = None
    may_settle: int = 0
    created_id: str | None = None


type _Change = Callable[[_Draw, VehicleState], Step]


@dataclass(frozen=True, kw_only=True)
class _Draw:
    """Draws values for changes; `at` is the moment of the change."""

    draw: st.DrawFn
    executions: st.SearchStrategy[Execution]
    errors: st.SearchStrategy[ErrorDetails]
    at: datetime

    def one_of[T](self, values: Sequence[T]) -> T:
        """Return one of these values."""
        return self.draw(st.sampled_from(values))


def _begin_create(values: _Draw, state: VehicleState) -> Step:
    """Begin a create."""
    window = values.one_of((NIGHT, NOON))
    command = create(values.one_of(_PLACES), window, values.at)
    return Step(change="begin", before=state, after=state.begin(command))


def _begin_delete(values: _Draw, state: VehicleState) -> Step:
    """Begin a delete, of a schedule that is known or not."""
    command = delete(values.one_of(_IDS), values.at)
    return Step(change="begin", before=state, after=state.begin(command))


def _take_back(values: _Draw, state: VehicleState) -> Step:
    """Take back the command under way."""
    return Step(change="take back", before=state, after=state.take_back())


def _succeed(values: _Draw, state: VehicleState) -> Step:
    """End the command under way with a proven success."""
    execution = values.draw(values.executions)
    command = state.commands[-1]
    if command.action is Action.DELETE:
        after = state.end_deleted(execution, values.at)
        dropped = command.schedule_id
        return Step(change="delete", before=state, after=after, may_drop=dropped)
    supersedes = values.one_of((True, False))
    after = state.end_created(execution, values.at, supersedes=supersedes)
    created_id = execution.schedule_id
    return Step(change="create", before=state, after=after, created_id=created_id)


def _fail(values: _Draw, state: VehicleState) -> Step:
    """End the command under way without success."""
    kind = values.one_of(
        (UnconfirmedError, UnconfirmedError, RefusedError, NotSentError)
    )
    error = kind(values.draw(values.errors))
    doubt = values.one_of((Doubt.NO_ANSWER, Doubt.NO_ANSWER, Doubt.STOPPED))
    after = state.end_failed(error, values.at, doubt)
    return Step(change="fail", before=state, after=after)


def _interrupt(values: _Draw, state: VehicleState) -> Step:
    """Start after a stop that cut off what was under way, if anything was."""
    return Step(
        change="interrupt", before=state, after=state.end_interrupted(values.at)
    )


def _forget(values: _Draw, state: VehicleState) -> Step:
    """Take the user's word that a schedule is not there."""
    schedule = values.one_of(state.schedules)
    is_unidentified = schedule.schedule_id is None
    return Step(
        change="forget",
        before=state,
        after=state.forget(schedule),
        may_drop=schedule.schedule_id,
        may_settle=schedule.count if is_unidentified else 0,
    )


def _adopt(values: _Draw, state: VehicleState) -> Step:
    """Take a schedule on the car for one without an id."""
    schedule = values.one_of(state.unidentified_schedules)
    after = state.adopt(schedule, values.one_of(_IDS))
    return Step(change="adopt", before=state, after=after, may_settle=1)


def _confirm(values: _Draw, state: VehicleState) -> Step:
    """Take the user's word that an unsettled schedule is there."""
    schedule = values.one_of(state.unsettled_schedules)
    return Step(change="confirm", before=state, after=state.confirm(schedule))


def _count_delete(values: _Draw, state: VehicleState) -> Step:
    """Count a try to remove a schedule, known or not."""
    after = state.with_failed_delete(values.one_of(_IDS))
    return Step(change="failed delete", before=state, after=after)


def _edit_draft(values: _Draw, state: VehicleState) -> Step:
    """Prepare another window."""
    draft = Draft(
        start_time=values.one_of((None, NIGHT.start_time, NOON.start_time)),
        stop_time=values.one_of((None, NIGHT.stop_time, NOON.stop_time)),
        zone=values.one_of(("zone.home", "zone.work")),
    )
    return Step(change="edit", before=state, after=state.with_draft(draft))


def _tell(values: _Draw, state: VehicleState) -> Step:
    """Tell what a stop cut off."""
    return Step(change="tell", before=state, after=state.with_all_told())


def _rename(values: _Draw, state: VehicleState) -> Step:
    """Call the car something else."""
    name = values.one_of(("Tesla", "Ours", ""))
    return Step(change="rename", before=state, after=state.renamed(name))


def _confirm_loss(values: _Draw, state: VehicleState) -> Step:
    """Confirm that a record was lost."""
    return Step(change="loss", before=state, after=state.with_loss_confirmed())


def _possible_changes(state: VehicleState) -> list[_Change]:
    """Return the changes that can follow; what commands do comes most often."""
    changes: list[_Change] = [
        _interrupt,
        _count_delete,
        _edit_draft,
        _tell,
        _rename,
        _confirm_loss,
    ]
    last = state.last_command
    if last is None or last.outcome is not None:
        changes += [_begin_create] * 6 + [_begin_delete] * 3
    else:
        changes += [_succeed] * 6 + [_fail] * 6 + [_take_back]
    if state.schedules:
        changes.append(_forget)
    if state.unidentified_schedules:
        changes += [_adopt] * 2
    if state.unsettled_schedules:
        changes.append(_confirm)
    return changes


_plain_executions: Final = st.builds(
    Execution,
    status=st.just("SUCCESS"),
    schedule_id=st.sampled_from((None, *_IDS)),
    start_time=st.sampled_from((None, NIGHT.start_time, time(23, 45))),
)
_plain_errors: Final = st.builds(ErrorDetails, http_status=st.sampled_from((None, 500)))


@st.composite
def histories(
    draw: st.DrawFn,
    executions: st.SearchStrategy[Execution] = _plain_executions,
    errors: st.SearchStrategy[ErrorDetails] = _plain_errors,
) -> list[Step]:
    """Return changes of a car's state that follow one another, in any order."""
    state = VehicleState(
        name="Tesla", record_lost_at=draw(st.sampled_from((None, NOW)))
    )
    steps: list[Step] = []
    for number in range(draw(st.integers(1, _MAX_CHANGES))):
        values = _Draw(
            draw=draw,
            executions=executions,
            errors=errors,
            at=NOW + timedelta(minutes=number),
        )
        change = values.one_of(_possible_changes(state))
        step = change(values, state)
        steps.append(step)
        state = step.after
    return steps
