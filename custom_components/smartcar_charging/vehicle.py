"""The heart: one command at a time for each car; sends, judges, records, replaces, tells its listeners."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
import logging
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .ledger import Ledger
from .messages import command_error, vehicle_error
from .records import Action, OwnSchedule, Place, PossibleSchedule, Record, Verdict
from .smartcar import (
    AuthenticationError,
    DailySchedule,
    Execution,
    NotSentError,
    RefusedError,
    SmartcarClient,
    SmartcarError,
    TimersReading,
    UnconfirmedError,
)
from .turns import Turns

_LOGGER = logging.getLogger(__name__)

_MOST_DELETES: Final = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a command came to, for the one who asked for it."""

    record: Record
    error: HomeAssistantError | None = None
    removed: tuple[str, ...] = ()
    not_removed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class Vehicle:
    """A car, and what Home Assistant knows of its charge schedules."""

    def __init__(
        self,
        hass: HomeAssistant,
        client: SmartcarClient,
        ledger: Ledger,
        *,
        vehicle_id: str,
        user_id: str,
        name: str,
        on_rejected_credentials: Callable[[], None],
    ) -> None:
        """Take what the car needs; nothing is loaded or sent yet."""
        self._hass = hass
        self._client = client
        self._ledger = ledger
        self._on_rejected_credentials = on_rejected_credentials
        self.vehicle_id = vehicle_id
        self.user_id = user_id
        self.name = name
        self._listeners: set[CALLBACK_TYPE] = set()
        self._turns: Turns[Outcome] = Turns(hass)

    @property
    def last_execution(self) -> Record | None:
        """The record of the last command, under way or ended."""
        return self._ledger.last_execution

    @property
    def schedules(self) -> tuple[OwnSchedule, ...]:
        """The schedules that Home Assistant set and that are, as far as it knows, still on the car."""
        return tuple(self._ledger.schedules)

    @property
    def possible(self) -> tuple[PossibleSchedule, ...]:
        """The schedules that may be on the car under an id that nobody knows."""
        return tuple(self._ledger.possible)

    @property
    def executions(self) -> tuple[Record, ...]:
        """The records of the last commands, oldest first."""
        return tuple(self._ledger.executions)

    def schedules_at(self, place: Place) -> tuple[OwnSchedule, ...]:
        """Return those of the schedules that are for this place."""
        return tuple(schedule for schedule in self._ledger.schedules if schedule.place.is_same(place))

    @callback
    def rename(self, name: str) -> None:
        """Call the car something else, here and in what is kept of it."""
        self.name = self._ledger.vehicle_name = name

    @callback
    def async_add_listener(self, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call the listener whenever something changed; return how to stop that."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    async def async_load(self) -> None:
        """Read the ledger; a command that it says is under way was cut off by a stop."""
        await self._ledger.async_load()
        last = self._ledger.last_execution
        if last is not None and last.verdict is Verdict.IN_PROGRESS:
            await self._async_fail(last, UnconfirmedError("Home Assistant stopped while waiting for the answer"))

    async def async_stop(self) -> None:
        """End the command under way as unconfirmed, send none of those that wait, and finish the ledger."""
        await self._turns.async_stop()

    async def async_set_daily_schedule(self, schedule: DailySchedule, zone: str | None, *, replaces: bool) -> Outcome:
        """Set a schedule, then remove the older ones that Home Assistant set for the same place."""
        return await self._async_take_turn(
            lambda: self._async_set(schedule, Place(zone=zone, location=schedule.location), replaces=replaces)
        )

    async def async_delete_schedule(self, schedule_id: str) -> Outcome:
        """Delete one schedule, whoever set it."""
        return await self._async_take_turn(lambda: self._async_delete((schedule_id,)))

    async def async_delete_schedules_at(self, place: Place) -> Outcome:
        """Delete the schedules that Home Assistant set for the place."""
        return await self._async_take_turn(lambda: self._async_delete_at(place))

    async def async_read_timers(self) -> TimersReading:
        """Ask Smartcar what it last read of the car's timers: billable, and changes nothing."""
        try:
            return await self._client.async_get_charge_timers(self.vehicle_id, self.user_id)
        except AuthenticationError:
            self._on_rejected_credentials()
            raise

    async def async_forget_possible(self, possible: PossibleSchedule) -> None:
        """Take the user's word that this schedule is not on the car, or not any more."""
        self._ledger.possible.remove(possible)
        await self._async_save()

    async def async_adopt(self, possible: PossibleSchedule, schedule_id: str) -> None:
        """Take a schedule found on the car for the one that was sent: it will be replaced like any other."""
        self._ledger.adopt(possible, schedule_id)
        await self._async_save()

    async def _async_take_turn(self, command: Callable[[], Coroutine[Any, Any, Outcome]]) -> Outcome:
        """Run a command in its turn; raise what the one who asked should hear."""
        outcome = await self._turns.async_run(command, self.name)
        if outcome.error is not None:
            raise outcome.error
        return outcome

    async def _async_set(self, schedule: DailySchedule, place: Place, *, replaces: bool) -> Outcome:
        """Create the schedule; only after a proven success remove what it replaces."""
        record = await self._async_begin(
            Action.CREATE,
            schedule_type="daily",
            zone=place.zone,
            location=place.location,
            start_time=schedule.start_time,
            stop_time=schedule.stop_time,
        )
        try:
            execution = await self._async_send(
                self._client.async_create_daily_schedule(self.vehicle_id, self.user_id, schedule)
            )
        except SmartcarError as err:
            return await self._async_fail(record, err)

        older = [own for own in self.schedules_at(place) if own.schedule_id != execution.schedule_id]
        done = record.succeeded(execution)
        warnings = done.differences_from(schedule)
        for warning in warnings:
            _LOGGER.warning("%s: %s", self.name, warning)
        if done.schedule_id is None:
            warnings.append("Smartcar did not tell the id of the new schedule, so it can not be replaced later.")
        warnings += await self._async_conclude(done)

        # Without the new id, an old one could be the same schedule under its former name.
        removed = await self._async_replace(older) if replaces and done.schedule_id is not None else []
        kept = [own.schedule_id for own in older if own.schedule_id not in removed] if replaces else []
        return Outcome(record=done, removed=tuple(removed), not_removed=tuple(kept), warnings=tuple(warnings))

    async def _async_replace(self, older: list[OwnSchedule]) -> list[str]:
        """Delete the schedules that a new one replaces; one that can not be deleted stays in the ledger."""
        removed = []
        for own in older:
            if own.failed_deletes >= _MOST_DELETES:
                continue
            try:
                await self._async_remove(own.schedule_id)
            except NotSentError as err:
                _LOGGER.warning("%s: an earlier schedule could not be removed: %s", self.name, err.loggable)
            except SmartcarError as err:
                _LOGGER.warning("%s: an earlier schedule could not be removed: %s", self.name, err.loggable)
                self._ledger.note_failed_delete(own.schedule_id)
            else:
                removed.append(own.schedule_id)
            await self._async_save()
        return removed

    async def _async_delete_at(self, place: Place) -> Outcome:
        """Delete what is there when the turn comes."""
        if not (schedules := self.schedules_at(place)):
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="nothing_to_delete",
                translation_placeholders={"vehicle": self.name, "zone": str(place.zone)},
            )
        return await self._async_delete(tuple(schedule.schedule_id for schedule in schedules))

    async def _async_delete(self, schedule_ids: tuple[str, ...]) -> Outcome:
        """Delete schedules one after another; the first that fails ends it, and the rest stays."""
        first, *rest = schedule_ids
        outcome = await self._async_delete_one(first)
        if outcome.error is not None or not rest:
            return replace(outcome, not_removed=outcome.not_removed + tuple(rest))
        others = await self._async_delete(tuple(rest))
        return replace(others, removed=outcome.removed + others.removed, warnings=outcome.warnings + others.warnings)

    async def _async_delete_one(self, schedule_id: str) -> Outcome:
        """Delete a schedule; one that is already gone is as good as deleted."""
        own = next((own for own in self._ledger.schedules if own.schedule_id == schedule_id), None)
        known = (
            {
                "schedule_type": "daily",
                "zone": own.place.zone,
                "location": own.place.location,
                "start_time": own.start_time,
                "stop_time": own.stop_time,
            }
            if own is not None
            else {}
        )
        record = await self._async_begin(Action.DELETE, schedule_id=schedule_id, **known)
        try:
            execution = await self._async_remove(schedule_id)
        except SmartcarError as err:
            return replace(await self._async_fail(record, err), not_removed=(schedule_id,))
        warnings = [] if execution.status else ["Smartcar knows no such schedule: it was already gone."]
        record = record.succeeded(execution)
        warnings += await self._async_conclude(record)
        return Outcome(record=record, removed=(schedule_id,), warnings=tuple(warnings))

    async def _async_remove(self, schedule_id: str) -> Execution:
        """Delete a schedule from the car and the ledger; an execution without a status says that it was gone."""
        try:
            execution = await self._async_send(
                self._client.async_delete_schedule(self.vehicle_id, self.user_id, schedule_id)
            )
        except RefusedError as err:
            if not err.details.is_not_there:
                raise
            execution = Execution(request_id=err.details.request_id)
        self._ledger.forget(schedule_id)
        return execution

    async def _async_send(self, request: Coroutine[Any, Any, Execution]) -> Execution:
        """Wait for a command's answer; rejected credentials are somebody's business above."""
        try:
            return await self._turns.async_send(request)
        except AuthenticationError:
            self._on_rejected_credentials()
            raise

    async def _async_begin(self, action: Action, **details: Any) -> Record:
        """Put the command on record; what can not be recorded is not sent."""
        record = Record(verdict=Verdict.IN_PROGRESS, action=action, begun_at=dt_util.utcnow().isoformat(), **details)
        if not await self._ledger.async_begin(record):
            raise vehicle_error("not_recorded", self.name)
        self._async_tell()
        return record

    async def _async_fail(self, record: Record, error: SmartcarError) -> Outcome:
        """Record what went wrong."""
        record = record.ended(error)
        await self._async_conclude(record)
        return Outcome(record=record, error=command_error(self._hass, error, record.action, self.name, self.schedules))

    async def _async_conclude(self, record: Record) -> list[str]:
        """Replace the record under way by its end, and say so if that is not on disk."""
        self._ledger.conclude(record)
        if await self._async_save():
            return []
        return ["Home Assistant could not save this result; after a restart it will count as unconfirmed."]

    async def _async_save(self) -> bool:
        """Write the ledger, and tell that it changed."""
        is_saved = await self._ledger.async_save()
        self._async_tell()
        return is_saved

    @callback
    def _async_tell(self) -> None:
        """Tell the listeners that something changed."""
        for listener in tuple(self._listeners):
            listener()
