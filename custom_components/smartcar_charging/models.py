"""What Home Assistant knows of a car, as values, and how one follows another."""

from dataclasses import dataclass, field, replace
from datetime import datetime, time
from enum import StrEnum
from typing import Final, override

from homeassistant.util.location import distance

from .smartcar import (
    ErrorDetails,
    Execution,
    Location,
    NotSentError,
    SmartcarError,
    UnconfirmedError,
)

MAX_COMMANDS_KEPT: Final = 10
MAX_DELETE_ATTEMPTS: Final = 3
MAX_POSSIBLE_SCHEDULES: Final = 100
SAME_PLACE_METERS: Final = 100

MINUTES_OF_A_DAY: Final = 24 * 60
# No degree of latitude is shorter.
_METERS_OF_A_DEGREE: Final = 110_000


class Action(StrEnum):
    """What a command does, in Smartcar's words."""

    CREATE = "create"
    DELETE = "delete"


class Outcome(StrEnum):
    """How a command ended."""

    SUCCESS = "success"
    REFUSED = "refused"
    NOT_SENT = "not_sent"
    UNCONFIRMED = "unconfirmed"

    @classmethod
    def of_error(cls, error: SmartcarError) -> Outcome:
        """Return how a command ended that raised this error."""
        if isinstance(error, UnconfirmedError):
            return cls.UNCONFIRMED
        if isinstance(error, NotSentError):
            return cls.NOT_SENT
        return cls.REFUSED


class Verdict(StrEnum):
    """What the user is told of a command."""

    IN_PROGRESS = "in_progress"
    SUCCESS = "success"
    FAILED = "failed"
    UNCONFIRMED = "unconfirmed"


_VERDICTS: Final = {
    None: Verdict.IN_PROGRESS,
    Outcome.SUCCESS: Verdict.SUCCESS,
    Outcome.REFUSED: Verdict.FAILED,
    Outcome.NOT_SENT: Verdict.FAILED,
    Outcome.UNCONFIRMED: Verdict.UNCONFIRMED,
}


class Doubt(StrEnum):
    """Why the user has to settle how a schedule stands.

    The first three leave it possibly on the car: its create or its delete was sent
    without a clear answer, or a stop of Home Assistant came before the answer. With the
    other two it is on the car, but nobody knows its id: Smartcar told none, or the user
    has seen the schedule there.
    """

    NO_ANSWER = "no_answer"
    STOPPED = "stopped"
    DELETE = "delete"
    WITHOUT_ID = "without_id"
    SEEN = "seen"


class Standing(StrEnum):
    """How a schedule stands on the car; a newer one replaces a superseded one."""

    ON_CAR = "on_car"
    POSSIBLE = "possibly_on_car"
    SUPERSEDED = "superseded"


_POSSIBLE: Final = frozenset({Doubt.NO_ANSWER, Doubt.STOPPED, Doubt.DELETE})


@dataclass(frozen=True, kw_only=True, slots=True)
class DailyWindow:
    """The time of day in which a car may charge; it may cross midnight."""

    start_time: time
    stop_time: time

    @override
    def __str__(self) -> str:
        """Return the window as people write it."""
        return f"{time_text(self.start_time)}–{time_text(self.stop_time)}"

    @property
    def duration_minutes(self) -> int:
        """The length of the window."""
        minutes = minute_of_day(self.stop_time) - minute_of_day(self.start_time)
        return minutes % MINUTES_OF_A_DAY

    @property
    def crosses_midnight(self) -> bool:
        """Whether the window ends on the next day."""
        return self.stop_time < self.start_time


def time_text(moment: time) -> str:
    """Return a time of day as people and Smartcar write it."""
    return moment.isoformat(timespec="minutes")


def minute_of_day(moment: time) -> int:
    """Return how many minutes after midnight a time of day is."""
    return moment.hour * 60 + moment.minute


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a schedule applies: coordinates, and the zone that they were taken from."""

    zone: str | None
    location: Location = field(repr=False)

    def is_same(self, other: Place) -> bool:
        """Whether both are one place, whatever zones they were taken from."""
        degrees = abs(self.location.latitude - other.location.latitude)
        if degrees * _METERS_OF_A_DEGREE > SAME_PLACE_METERS:
            # Most places end here: a distance takes a hundred times as long.
            return False
        meters = self.meters_to(other.location)
        return meters is not None and meters <= SAME_PLACE_METERS

    def meters_to(self, location: Location) -> float | None:
        """Return how far away a location is."""
        return distance(
            self.location.latitude,
            self.location.longitude,
            location.latitude,
            location.longitude,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """A schedule that Home Assistant sent, from that moment until it is gone.

    `asked` is the window that was asked for, `window` the one that Smartcar says it
    set, if it said so. `count` is more than one for equal ones without an id. A
    superseded one is to be removed, whatever was doubtful about it before.
    """

    place: Place
    asked: DailyWindow
    window: DailyWindow
    sent_at: datetime
    ended_at: datetime
    schedule_id: str | None = None
    doubt: Doubt | None = None
    is_superseded: bool = False
    count: int = 1
    delete_attempts: int = 0

    @property
    def standing(self) -> Standing:
        """How the schedule stands on the car."""
        if self.is_superseded:
            return Standing.SUPERSEDED
        return Standing.POSSIBLE if self.doubt in _POSSIBLE else Standing.ON_CAR

    @property
    def is_proven(self) -> bool:
        """Whether the schedule was provably set, or seen on the car."""
        return self.schedule_id is not None or self.standing is Standing.ON_CAR

    def is_equal(self, other: Schedule) -> bool:
        """Whether both are alike but for when they were sent."""
        mine = (self.asked, self.window, self.schedule_id, self.doubt)
        theirs = (other.asked, other.window, other.schedule_id, other.doubt)
        return mine == theirs and self.place.is_same(other.place)


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """One command: what was asked, and what came back.

    `schedule_id` is the schedule that is to be deleted. The end of a command is told as
    an event at once; `is_told` is False for one that a stop cut off, until it is told.
    """

    action: Action
    begun_at: datetime
    place: Place | None = None
    window: DailyWindow | None = None
    schedule_id: str | None = None
    outcome: Outcome | None = None
    ended_at: datetime | None = None
    execution: Execution | None = None
    error: ErrorDetails | None = None
    is_told: bool = True

    @property
    def verdict(self) -> Verdict:
        """What the user is told of the command."""
        return _VERDICTS[self.outcome]

    @property
    def affected_schedule_id(self) -> str | None:
        """The schedule that was created or is to be deleted."""
        if self.schedule_id is None and self.execution is not None:
            return self.execution.schedule_id
        return self.schedule_id

    @property
    def location_set(self) -> Location | None:
        """The location that Smartcar says it set, else the one asked for."""
        if self.execution is not None and self.execution.location is not None:
            return self.execution.location
        return None if self.place is None else self.place.location

    @property
    def window_set(self) -> DailyWindow | None:
        """The window that Smartcar says it set, else the one asked for."""
        if self.window is None or self.execution is None:
            return self.window
        return DailyWindow(
            start_time=self.execution.start_time or self.window.start_time,
            stop_time=self.execution.stop_time or self.window.stop_time,
        )

    def succeeded(self, execution: Execution, ended_at: datetime) -> Command:
        """Return the command as one that provably succeeded."""
        return replace(
            self, outcome=Outcome.SUCCESS, execution=execution, ended_at=ended_at
        )

    def failed(self, error: SmartcarError, ended_at: datetime) -> Command:
        """Return the command as one that did not succeed, or not provably."""
        outcome = Outcome.of_error(error)
        return replace(self, outcome=outcome, error=error.details, ended_at=ended_at)

    def as_schedule(self, doubt: Doubt | None = None) -> Schedule:
        """Return the schedule that an ended create left on the car, or may have."""
        if self.place is None or self.window is None or self.window_set is None:
            raise ValueError("a create has a place and a window")
        return Schedule(
            place=self.place,
            asked=self.window,
            window=self.window_set,
            sent_at=self.begun_at,
            ended_at=self.ended_at or self.begun_at,
            schedule_id=self.affected_schedule_id,
            doubt=doubt,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """The window that the user prepares on the device page."""

    start_time: time | None = None
    stop_time: time | None = None
    zone: str = "zone.home"
    is_edited: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class VehicleState:
    """All that Home Assistant knows of a car.

    `record_lost_at` is when a damaged file was found, until the user has confirmed it.
    """

    name: str
    commands: tuple[Command, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    draft: Draft = Draft()
    record_lost_at: datetime | None = None

    @property
    def is_record_lost(self) -> bool:
        """Whether a part of the record is lost, and the user has not confirmed it."""
        return self.record_lost_at is not None

    @property
    def last_command(self) -> Command | None:
        """The last command, under way or ended."""
        return self.commands[-1] if self.commands else None

    @property
    def untold_commands(self) -> tuple[Command, ...]:
        """The commands whose end was not told as an event."""
        return tuple(command for command in self.commands if not command.is_told)

    @property
    def identified_schedules(self) -> tuple[Schedule, ...]:
        """The schedules whose id is known, in the order in which they were set."""
        return tuple(own for own in self.schedules if own.schedule_id is not None)

    @property
    def unidentified_schedules(self) -> tuple[Schedule, ...]:
        """The schedules on the car, or possibly, under an id that nobody knows."""
        return tuple(own for own in self.schedules if own.schedule_id is None)

    @property
    def set_schedules(self) -> tuple[Schedule, ...]:
        """The schedules that were provably set, in the order in which they were."""
        return tuple(own for own in self.schedules if own.is_proven)

    @property
    def possible_schedules(self) -> tuple[Schedule, ...]:
        """The schedules of which it is not proven that they were ever set."""
        return tuple(own for own in self.schedules if not own.is_proven)

    @property
    def unsettled_schedules(self) -> tuple[Schedule, ...]:
        """The schedules of which the user has to say how they stand."""
        return tuple(own for own in self.schedules if own.doubt is not None)

    def with_standing(self, standing: Standing) -> tuple[Schedule, ...]:
        """Return the schedules that stand like this."""
        return tuple(own for own in self.schedules if own.standing is standing)

    def identified_at(self, place: Place) -> tuple[Schedule, ...]:
        """Return the schedules with a known id that are at a place."""
        return tuple(
            own for own in self.identified_schedules if own.place.is_same(place)
        )

    def find(self, schedule_id: str | None) -> Schedule | None:
        """Return the schedule with a known id."""
        for schedule in self.identified_schedules:
            if schedule.schedule_id == schedule_id:
                return schedule
        return None

    def renamed(self, name: str) -> VehicleState:
        """Call the car something else."""
        return replace(self, name=name)

    def with_loss_confirmed(self) -> VehicleState:
        """Note that the user knows of the lost record."""
        return replace(self, record_lost_at=None)

    def with_all_told(self) -> VehicleState:
        """Note that the end of every command was told."""
        commands = tuple(replace(command, is_told=True) for command in self.commands)
        return replace(self, commands=commands)

    def with_draft(self, draft: Draft) -> VehicleState:
        """Note what the user prepares."""
        return replace(self, draft=replace(draft, is_edited=True))

    def begin(self, command: Command) -> VehicleState:
        """Put a command on record."""
        return replace(self, commands=(*self.commands, command))

    def take_back(self) -> VehicleState:
        """Take back the command under way, which was not sent."""
        return replace(self, commands=self.commands[:-1])

    def end_created(
        self, execution: Execution, ended_at: datetime, *, supersedes: bool
    ) -> VehicleState:
        """End a create that provably succeeded, and with it what it supersedes.

        Without the new id nothing is superseded: an older schedule could be the new one
        under its former name.
        """
        command = self._last_begun.succeeded(execution, ended_at)
        state = self._with_end(command)._with_draft_sent(command)
        if execution.schedule_id is None:
            return state._with_unidentified(command, Doubt.WITHOUT_ID)
        created = command.as_schedule()
        state = state.without(execution.schedule_id)
        if supersedes:
            for older in state.identified_at(created.place):
                superseded = replace(older, is_superseded=True, doubt=None)
                state = state._exchange(older, superseded)
        return replace(state, schedules=(*state.schedules, created))

    def end_deleted(self, execution: Execution, ended_at: datetime) -> VehicleState:
        """End a delete that provably succeeded."""
        command = self._last_begun.succeeded(execution, ended_at)
        return self._with_end(command).without(command.schedule_id)

    def end_failed(
        self,
        error: SmartcarError,
        ended_at: datetime,
        doubt: Doubt = Doubt.NO_ANSWER,
    ) -> VehicleState:
        """End a command that did not succeed, or not provably; `doubt` says why not."""
        command = self._last_begun.failed(error, ended_at)
        state = self._with_end(command)
        if command.outcome is not Outcome.UNCONFIRMED:
            return state
        if command.action is Action.CREATE:
            return state._with_unidentified(command, doubt)
        return state._with_doubtful_delete(command)

    def end_interrupted(self, ended_at: datetime) -> VehicleState:
        """End a command that a stop of Home Assistant cut off without a trace."""
        if self.last_command is None or self.last_command.outcome is not None:
            return self
        error = UnconfirmedError("Home Assistant stopped while waiting for the answer")
        ended = self.end_failed(error, ended_at, Doubt.STOPPED)
        return ended._with_end(replace(ended.commands[-1], is_told=False))

    def without(self, schedule_id: str | None) -> VehicleState:
        """Drop a schedule that is no longer on the car."""
        schedule = self.find(schedule_id)
        return self if schedule is None else self.forget(schedule)

    def forget(self, schedule: Schedule) -> VehicleState:
        """Drop a schedule that is not on the car, however often it counts."""
        return self._exchange(schedule)

    def with_failed_delete(self, schedule_id: str) -> VehicleState:
        """Count a try to remove a superseded schedule."""
        schedule = self.find(schedule_id)
        if schedule is None:
            return self
        attempts = schedule.delete_attempts + 1
        return self._exchange(schedule, replace(schedule, delete_attempts=attempts))

    def adopt(self, possible: Schedule, schedule_id: str) -> VehicleState:
        """Take a schedule found on the car for one of those that were sent."""
        if possible not in self.schedules:
            return self
        found = replace(possible, doubt=None, schedule_id=schedule_id, count=1)
        state = self.without(schedule_id)
        if possible.count == 1:
            return state._exchange(possible, found)
        rest = replace(possible, count=possible.count - 1)
        return state._exchange(possible, rest, found)

    def confirm(self, schedule: Schedule) -> VehicleState:
        """Take a schedule for one that is on the car, even if its id is not known."""
        doubt = Doubt.SEEN if schedule.schedule_id is None else None
        return self._exchange(schedule, replace(schedule, doubt=doubt))

    @property
    def _last_begun(self) -> Command:
        """The command under way, which is about to end."""
        if self.last_command is None or self.last_command.outcome is not None:
            raise ValueError("no command is under way")
        return self.last_command

    def _exchange(self, old: Schedule, *new: Schedule) -> VehicleState:
        """Put other schedules, or none, in the place of one."""
        schedules: list[Schedule] = []
        for schedule in self.schedules:
            if schedule == old:
                schedules += new
            else:
                schedules.append(schedule)
        return replace(self, schedules=tuple(schedules))

    def _with_end(self, command: Command) -> VehicleState:
        """Replace the command under way by its end."""
        commands = (*self.commands[:-1], command)
        return replace(self, commands=commands[-MAX_COMMANDS_KEPT:])

    def _with_draft_sent(self, command: Command) -> VehicleState:
        """Show what was set as the draft, unless the user prepares something else."""
        window, place = command.window, command.place
        if window is None or place is None:
            return self
        sent = Draft(
            start_time=window.start_time,
            stop_time=window.stop_time,
            zone=place.zone or self.draft.zone,
        )
        if self.draft.is_edited and replace(self.draft, is_edited=False) != sent:
            return self
        return replace(self, draft=sent)

    def _with_unidentified(self, command: Command, doubt: Doubt) -> VehicleState:
        """Add what a create left on the car, or may have; equal ones are counted."""
        left = command.as_schedule(doubt)
        state = self
        for schedule in self.unidentified_schedules:
            if schedule.is_equal(left):
                # The first place stays, lest it moves away from it step by step.
                left = replace(left, place=schedule.place, count=schedule.count + 1)
                state = self.forget(schedule)
                break
        return replace(state, schedules=(*state.schedules, left))

    def _with_doubtful_delete(self, command: Command) -> VehicleState:
        """Note a delete without proof; a superseded schedule is still to be removed."""
        schedule = self.find(command.schedule_id)
        if schedule is None or schedule.is_superseded:
            return self
        ended_at = command.ended_at or command.begun_at
        doubtful = replace(schedule, doubt=Doubt.DELETE, ended_at=ended_at)
        return self._exchange(schedule, doubtful)
