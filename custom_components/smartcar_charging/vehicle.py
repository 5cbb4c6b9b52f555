"""The heart: one command at a time for each car; sends, judges, records, replaces, tells its listeners."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from homeassistant.core import callback

from .commands import Commands, Outcome
from .records import Draft, OwnSchedule, Place, PossibleSchedule, Record, Verdict
from .smartcar import DailySchedule, TimersReading, UnconfirmedError


class Vehicle(Commands):
    """A car, and what Home Assistant knows of its charge schedules."""

    @property
    def last_execution(self) -> Record | None:
        """The record of the last command, under way or ended."""
        return self._ledger.last_execution

    @property
    def is_damaged(self) -> bool:
        """Whether a part of what was on record of this car could not be read."""
        return self._ledger.is_damaged

    @property
    def draft(self) -> Draft:
        """The window that the user prepares."""
        return self._ledger.draft

    @property
    def is_busy(self) -> bool:
        """Whether a command runs or waits."""
        return self._turns.is_busy

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

    @callback
    def rename(self, name: str) -> None:
        """Call the car something else, here and in what is kept of it."""
        self.name = self._ledger.vehicle_name = name

    async def async_load(self) -> None:
        """Read the ledger; a command that it says is under way was cut off by a stop."""
        await self._ledger.async_load()
        last = self._ledger.last_execution
        if last is not None and last.verdict is Verdict.IN_PROGRESS:
            outcome = await self._async_fail(
                last,
                UnconfirmedError("Home Assistant stopped while waiting for the answer"),
            )
            # Nobody listens yet: who comes first will hear it.
            self.verdicts.keep(outcome.record)

    async def async_stop(self) -> None:
        """End the command under way as unconfirmed, send none of those that wait, and finish the ledger."""
        await self._turns.async_stop()
        await self._ledger.async_finish()

    async def async_set_daily_schedule(
        self, schedule: DailySchedule, zone: str | None, *, replaces: bool
    ) -> Outcome:
        """Set a schedule, then remove the older ones that Home Assistant set for the same place."""
        return await self._async_take_turn(
            lambda: self._async_set(
                schedule,
                Place(zone=zone, location=schedule.location),
                replaces=replaces,
            )
        )

    async def async_delete_schedule(self, schedule_id: str) -> Outcome:
        """Delete one schedule, whoever set it."""
        return await self._async_take_turn(lambda: self._async_delete((schedule_id,)))

    async def async_delete_schedules_at(self, place: Place) -> Outcome:
        """Delete the schedules that Home Assistant set for the place."""
        return await self._async_take_turn(lambda: self._async_delete_at(place))

    async def async_read_timers(self) -> TimersReading:
        """Ask Smartcar what it last read of the car's timers: billable, and changes nothing."""
        return await self._async_ask(
            self._client.async_get_charge_timers(self.vehicle_id, self.user_id)
        )

    async def async_edit_draft(self, **changes: str) -> None:
        """Change the window that the user prepares; nothing is sent."""
        self._ledger.draft = replace(self._ledger.draft, **changes, is_edited=True)
        await self._async_save()

    async def async_forget_possible(self, possible: PossibleSchedule) -> None:
        """Take the user's word that this schedule is not on the car, or not any more."""
        self._ledger.possible.remove(possible)
        await self._async_save()

    async def async_adopt(self, possible: PossibleSchedule, schedule_id: str) -> None:
        """Take a schedule found on the car for the one that was sent: it will be replaced like any other."""
        self._ledger.adopt(possible, schedule_id)
        await self._async_save()

    async def _async_take_turn(
        self, command: Callable[[], Coroutine[Any, Any, Outcome]]
    ) -> Outcome:
        """Run a command in its turn; raise what the one who asked should hear."""
        outcome = await self._turns.async_run(command, self.name)
        if outcome.error is not None:
            raise outcome.error
        return outcome
