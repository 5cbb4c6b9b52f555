"""What a command does, step by step: record, send, judge, record again, and remove what it replaces."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
import logging
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .ledger import Ledger
from .listeners import Listeners
from .messages import command_error, vehicle_error
from .records import Action, Draft, OwnSchedule, Place, Record, Verdict
from .smartcar import (
    AuthenticationError,
    DailySchedule,
    Execution,
    NotSentError,
    RefusedError,
    SmartcarClient,
    SmartcarError,
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


class Commands:
    """The commands of one car; they run in the car's turns, and tell those who listen."""

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
        self.changes: Listeners[[]] = Listeners()
        self.verdicts: Listeners[[Record]] = Listeners()
        self._turns: Turns[Outcome] = Turns(hass)

    def schedules_at(self, place: Place) -> tuple[OwnSchedule, ...]:
        """Return those of the schedules that are for this place."""
        return tuple(
            schedule
            for schedule in self._ledger.schedules
            if schedule.place.is_same(place)
        )

    async def _async_set(
        self, schedule: DailySchedule, place: Place, *, replaces: bool
    ) -> Outcome:
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
                self._client.async_create_daily_schedule(
                    self.vehicle_id, self.user_id, schedule
                )
            )
        except SmartcarError as err:
            return await self._async_fail(record, err)

        older = [
            own
            for own in self.schedules_at(place)
            if own.schedule_id != execution.schedule_id
        ]
        done = record.succeeded(execution)
        warnings = done.differences_from(schedule)
        for warning in warnings:
            _LOGGER.warning("%s: %s", self.name, warning)
        if done.schedule_id is None:
            warnings.append(
                "Smartcar did not tell the id of the new schedule, so it can not be replaced later."
            )
        self._fill_draft(schedule, place.zone)
        warnings += await self._async_conclude(done)

        # Without the new id, an old one could be the same schedule under its former name.
        removed = (
            await self._async_replace(older)
            if replaces and done.schedule_id is not None
            else []
        )
        kept = (
            [own.schedule_id for own in older if own.schedule_id not in removed]
            if replaces
            else []
        )
        return Outcome(
            record=done,
            removed=tuple(removed),
            not_removed=tuple(kept),
            warnings=tuple(warnings),
        )

    def _fill_draft(self, schedule: DailySchedule, zone: str | None) -> None:
        """Show what was set on the device page, unless the user is preparing something else there."""
        draft = self._ledger.draft
        sent = Draft(
            start_time=schedule.start_time,
            stop_time=schedule.stop_time,
            zone=zone or draft.zone,
        )
        if not draft.is_edited or replace(draft, is_edited=False) == sent:
            self._ledger.draft = sent

    async def _async_replace(self, older: list[OwnSchedule]) -> list[str]:
        """Delete the schedules that a new one replaces; one that can not be deleted stays in the ledger."""
        removed = []
        for own in older:
            if own.failed_deletes >= _MOST_DELETES:
                continue
            try:
                await self._async_remove(own.schedule_id)
            except NotSentError as err:
                _LOGGER.warning(
                    "%s: an earlier schedule could not be removed: %s",
                    self.name,
                    err.loggable,
                )
            except SmartcarError as err:
                _LOGGER.warning(
                    "%s: an earlier schedule could not be removed: %s",
                    self.name,
                    err.loggable,
                )
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
                translation_placeholders={
                    "vehicle": self.name,
                    "zone": str(place.zone),
                },
            )
        return await self._async_delete(
            tuple(schedule.schedule_id for schedule in schedules)
        )

    async def _async_delete(self, schedule_ids: tuple[str, ...]) -> Outcome:
        """Delete schedules one after another; the first that fails ends it, and the rest stays."""
        first, *rest = schedule_ids
        outcome = await self._async_delete_one(first)
        if outcome.error is not None or not rest:
            return replace(outcome, not_removed=outcome.not_removed + tuple(rest))
        others = await self._async_delete(tuple(rest))
        return replace(
            others,
            removed=outcome.removed + others.removed,
            warnings=outcome.warnings + others.warnings,
        )

    async def _async_delete_one(self, schedule_id: str) -> Outcome:
        """Delete a schedule; one that is already gone is as good as deleted."""
        own = next(
            (own for own in self._ledger.schedules if own.schedule_id == schedule_id),
            None,
        )
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
        record = await self._async_begin(
            Action.DELETE, schedule_id=schedule_id, **known
        )
        try:
            execution = await self._async_remove(schedule_id)
        except SmartcarError as err:
            return replace(
                await self._async_fail(record, err), not_removed=(schedule_id,)
            )
        warnings = (
            []
            if execution.status
            else ["Smartcar knows no such schedule: it was already gone."]
        )
        record = record.succeeded(execution)
        warnings += await self._async_conclude(record)
        return Outcome(record=record, removed=(schedule_id,), warnings=tuple(warnings))

    async def _async_remove(self, schedule_id: str) -> Execution:
        """Delete a schedule from the car and the ledger; an execution without a status says that it was gone."""
        try:
            execution = await self._async_send(
                self._client.async_delete_schedule(
                    self.vehicle_id, self.user_id, schedule_id
                )
            )
        except RefusedError as err:
            if not err.details.is_not_there:
                raise
            execution = Execution(request_id=err.details.request_id)
        self._ledger.forget(schedule_id)
        return execution

    async def _async_send(self, request: Coroutine[Any, Any, Execution]) -> Execution:
        """Wait for a command's answer."""
        return await self._async_ask(self._turns.async_send(request))

    async def _async_ask[T](self, request: Coroutine[Any, Any, T]) -> T:
        """Wait for an answer; rejected credentials are somebody's business above."""
        try:
            return await request
        except AuthenticationError:
            self._on_rejected_credentials()
            raise

    async def _async_begin(self, action: Action, **details: Any) -> Record:
        """Put the command on record; what can not be recorded is not sent."""
        record = Record(
            verdict=Verdict.IN_PROGRESS,
            action=action,
            begun_at=dt_util.utcnow().isoformat(),
            **details,
        )
        if not await self._ledger.async_begin(record):
            raise vehicle_error("not_recorded", self.name)
        self.changes.call()
        return record

    async def _async_fail(self, record: Record, error: SmartcarError) -> Outcome:
        """Record what went wrong."""
        record = record.ended(error)
        await self._async_conclude(record)
        return Outcome(
            record=record,
            error=command_error(
                self._hass, error, record.action, self.name, self._ledger.schedules
            ),
        )

    async def _async_conclude(self, record: Record) -> list[str]:
        """Replace the record under way by its end, and say so if that is not on disk."""
        self._ledger.conclude(record)
        is_saved = await self._async_save()
        self.verdicts.call(record)
        if is_saved:
            return []
        return [
            "Home Assistant could not save this result; after a restart it will count as unconfirmed."
        ]

    async def _async_save(self) -> bool:
        """Write the ledger, and tell that it changed."""
        is_saved = await self._ledger.async_save()
        self.changes.call()
        return is_saved
