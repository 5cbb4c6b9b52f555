"""A car: runs its commands one after another, judges them, and keeps its state."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import timedelta
import logging
from typing import Any, Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, CoreState, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util import dt as dt_util
from homeassistant.util.async_ import create_eager_task

from .command_queue import CommandQueue
from .const import DOMAIN
from .errors import (
    async_translate_error,
    command_error,
    describe_schedule,
    input_error,
    vehicle_error,
)
from .ledger import Ledger, LedgerUnreadableError
from .models import (
    MAX_DELETE_ATTEMPTS,
    MAX_POSSIBLE_SCHEDULES,
    Action,
    Command,
    DailyWindow,
    Doubt,
    Draft,
    Place,
    Schedule,
    VehicleState,
)
from .smartcar import (
    AuthenticationError,
    DailySchedule,
    Execution,
    GoneError,
    NotSentError,
    SmartcarClient,
    SmartcarError,
    TimersReading,
    Transmission,
    UnconfirmedError,
    is_valid_id,
)

_LOGGER = logging.getLogger(__name__)

LEDGER_RETRY_INTERVAL: Final = timedelta(minutes=1)

_NOT_SAVED: Final = (
    "Home Assistant could not save this result yet, and tries again; if it is cut off "
    "before, the command will count as unconfirmed."
)
_WITHOUT_ID: Final = (
    "Smartcar did not tell the id of the new schedule, so it can not be replaced later."
)
_ALREADY_GONE: Final = "Smartcar knows no such schedule: it was already gone."

type RejectionListener = Callable[[AuthenticationError], None]
type VerdictListener = Callable[[Command], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandResult:
    """What a command came to, for whoever asked for it."""

    command: Command
    removed: tuple[str, ...] = ()
    not_removed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class SmartcarVehicle(DataUpdateCoordinator[VehicleState]):
    """A car, and what Home Assistant knows of its charge schedules.

    There is no interval: nothing is asked that nobody wants to know. Only while the
    car's file cannot be opened, it is tried again once in a while.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        client: SmartcarClient,
        *,
        key: str,
        name: str,
        vehicle_id: str,
        user_id: str,
        on_rejected_credentials: RejectionListener,
    ) -> None:
        """Initialize the car; nothing is read or sent yet."""
        super().__init__(
            hass, _LOGGER, config_entry=entry, name=DOMAIN, always_update=False
        )
        self.data = VehicleState(name=name)
        self.key = key
        self.vehicle_id = vehicle_id
        self.user_id = user_id
        self.is_replacing = False
        self._client = client
        self._on_rejected_credentials = on_rejected_credentials
        self._ledger = Ledger(hass, key)
        self._queue = CommandQueue(hass)
        self._request: asyncio.Task[Execution] | None = None
        self._verdict_listeners: list[VerdictListener] = []
        self._unreadable_reason = ""
        self._is_loaded = False
        self._is_stopped = False

    @property
    def is_busy(self) -> bool:
        """Whether a command runs or waits."""
        return self._queue.is_busy

    @callback
    def async_add_verdict_listener(self, listener: VerdictListener) -> CALLBACK_TYPE:
        """Call the listener with every command that ends; return how to stop that."""
        self._verdict_listeners.append(listener)
        return lambda: self._verdict_listeners.remove(listener)

    async def async_load(self) -> None:
        """Read what is on record; without that the car is not available."""
        try:
            self.data = await self._async_read_record()
        except UpdateFailed as err:
            self.update_interval = LEDGER_RETRY_INTERVAL
            self.async_set_update_error(err)

    @override
    async def _async_update_data(self) -> VehicleState:
        """Return the state; a refresh sends nothing."""
        if not self._is_loaded:
            await self._async_read_record()
        if self.update_interval is not None:
            # Not before: a caller who is cancelled ends a refresh without success.
            self.update_interval = None
            # While Home Assistant starts, the account tells it later.
            if self.hass.state is CoreState.running:
                self.hass.async_create_task(
                    self.async_tell_untold(), f"{DOMAIN} tell", eager_start=False
                )
        return self.data

    async def _async_read_record(self) -> VehicleState:
        """Read the file; a command that it has under way was cut off."""
        try:
            on_disk = await self._ledger.async_read()
        except LedgerUnreadableError as err:
            self._unreadable_reason = str(err)
            placeholders = {"vehicle": self.data.name, "reason": str(err)}
            raise UpdateFailed(
                translation_domain=DOMAIN,
                translation_key="record_unreadable",
                translation_placeholders=placeholders,
            ) from err
        name = self.data.name
        state = VehicleState(name=name) if on_disk is None else on_disk.renamed(name)
        state = state.end_interrupted(dt_util.utcnow())
        self.data = state
        self._is_loaded = True
        if state != on_disk and not self._is_stopped:
            await self._ledger.async_write(state)
        return self.data

    async def async_stop(self) -> None:
        """End the command under way, send none that waits, and finish the record."""
        self._is_stopped = True
        if self._request is not None:
            self._request.cancel()
        await self._queue.async_stop()
        await self._ledger.async_end()
        await self.async_shutdown()

    async def async_tell_untold(self) -> None:
        """Tell the end of commands that a stop cut off, once somebody can hear it."""
        untold = self.data.untold_commands
        if self._is_stopped or not untold:
            return
        self.data = self.data.with_all_told()
        for command in untold:
            self._tell(command)
        await self._async_save()

    async def async_set_daily_schedule(
        self, place: Place, window: DailyWindow, *, supersedes: bool
    ) -> CommandResult:
        """Set a schedule, then remove the older ones at the same place."""
        return await self._async_run(
            lambda: self._async_set(place, window, supersedes=supersedes)
        )

    async def async_delete_schedule(self, schedule_id: str) -> CommandResult:
        """Delete one schedule, whoever set it."""
        return await self._async_run(lambda: self._async_delete_all([schedule_id]))

    async def async_delete_schedules_at(self, place: Place) -> CommandResult:
        """Delete the schedules that Home Assistant set at a place."""
        return await self._async_run(lambda: self._async_delete_at(place))

    async def async_read_timers(self) -> TimersReading:
        """Ask what Smartcar last read of the car's timers: one billable request."""
        self._raise_if_not_ready()
        self._raise_if_ids_are_invalid()
        try:
            return await self._client.async_get_charge_timers(
                self.vehicle_id, lambda: self.user_id
            )
        except AuthenticationError as err:
            self._on_rejected_credentials(err)
            raise

    async def async_rename(self, name: str) -> None:
        """Call the car something else, here and on record.

        A car that has stopped has no record to write to: its next load asks the device.
        """
        if name != self.data.name and not self._is_stopped:
            await self._async_change(self.data.renamed(name))

    async def async_edit_draft(self, **changes: Any) -> None:
        """Change the window that the user prepares; nothing is sent."""
        self._raise_if_not_ready()
        draft: Draft = replace(self.data.draft, **changes)
        if not await self._async_change(self.data.with_draft(draft)):
            raise vehicle_error("not_saved", self.data.name)

    async def async_forget(self, *schedules: Schedule) -> None:
        """Take the user's word that schedules are not on the car."""
        self._raise_if_not_ready()
        state = self.data
        for schedule in schedules:
            state = state.forget(schedule)
        await self._async_change(state)

    async def async_adopt(self, schedule: Schedule, schedule_id: str) -> None:
        """Take a schedule found on the car for one that was sent."""
        self._raise_if_not_ready()
        await self._async_change(self.data.adopt(schedule, schedule_id))

    async def async_confirm_presence(self, schedule: Schedule) -> None:
        """Take the user's word that a schedule is on the car."""
        self._raise_if_not_ready()
        await self._async_change(self.data.confirm(schedule))

    async def async_confirm_loss(self) -> None:
        """Note that the user knows of the record that was lost."""
        self._raise_if_not_ready()
        await self._async_change(self.data.with_loss_confirmed())

    def _raise_if_not_ready(self) -> None:
        """Refuse what a stopped car, or one without its record, cannot take."""
        if self._is_stopped:
            raise vehicle_error("stopped", self.data.name)
        if not self._is_loaded:
            reason = self._unreadable_reason
            raise vehicle_error("record_unreadable", self.data.name, reason=reason)

    def _raise_if_ids_are_invalid(self) -> None:
        """Refuse what cannot be sent, because the stored ids were changed by hand."""
        if not is_valid_id(self.vehicle_id) or not is_valid_id(self.user_id):
            raise vehicle_error("invalid_ids", self.data.name)

    async def _async_run(
        self, command: Callable[[], Coroutine[Any, Any, CommandResult]]
    ) -> CommandResult:
        """Run a command when its turn comes."""
        if not self._is_loaded:
            await self.async_refresh()
        self._raise_if_not_ready()
        self._raise_if_ids_are_invalid()
        return await self._queue.async_run(command, self.data.name)

    async def _async_set(
        self, place: Place, window: DailyWindow, *, supersedes: bool
    ) -> CommandResult:
        """Create a schedule; only after a proven success remove what it replaces."""
        if len(self.data.unidentified_schedules) >= MAX_POSSIBLE_SCHEDULES:
            limit = str(MAX_POSSIBLE_SCHEDULES)
            raise vehicle_error("too_many_possible", self.data.name, limit=limit)
        schedule = DailySchedule(
            location=place.location,
            start_time=window.start_time,
            stop_time=window.stop_time,
        )
        begun_at = dt_util.utcnow()
        command = Command(
            action=Action.CREATE, begun_at=begun_at, place=place, window=window
        )
        await self._async_begin(command)
        try:
            execution = await self._async_send(
                self._client.async_create_daily_schedule, schedule
            )
        except SmartcarError as err:
            raise await self._async_fail(err) from err

        ended = self.data.end_created(
            execution, dt_util.utcnow(), supersedes=supersedes
        )
        command = ended.commands[-1]
        warnings = self._differences(command)
        warnings += self._warnings_of_a_moved_zone(place)
        if execution.schedule_id is None:
            warnings.append(_WITHOUT_ID)
        self.is_replacing = supersedes
        try:
            removed: list[str] = []
            if not await self._async_end(ended):
                warnings.append(_NOT_SAVED)
            elif supersedes and execution.schedule_id is not None:
                removed = await self._async_delete_superseded(place)
        finally:
            self.is_replacing = False
            if supersedes:
                self._publish()
        kept: list[str] = []
        if supersedes:
            here = [str(own.schedule_id) for own in self.data.identified_at(place)]
            kept = [own_id for own_id in here if own_id != execution.schedule_id]
        return CommandResult(
            command=command,
            removed=tuple(removed),
            not_removed=tuple(kept),
            warnings=tuple(warnings),
        )

    def _differences(self, command: Command) -> list[str]:
        """Say where Smartcar set something else than it was sent."""
        differences = []
        if command.window_set != command.window:
            differences.append(
                f"Smartcar set the window {command.window_set} instead of "
                f"{command.window}."
            )
        location, place = command.location_set, command.place
        if location and place and not location.is_about(place.location):
            differences.append(
                "Smartcar set the schedule for other coordinates than it was sent."
            )
        for difference in differences:
            _LOGGER.warning("%s: %s", self.data.name, difference)
        return differences

    def _warnings_of_a_moved_zone(self, place: Place) -> list[str]:
        """Name the schedules of a zone that were set before the zone was moved."""
        warnings = []
        for schedule in self.data.identified_schedules:
            is_of_zone = place.zone is not None and schedule.place.zone == place.zone
            if is_of_zone and not schedule.place.is_same(place):
                described = describe_schedule(self.hass, schedule)
                warnings.append(
                    f"This zone was moved. The schedule {described} was set for where "
                    "it was, and is still there: delete it by its id if you do not "
                    "want it any more."
                )
        return warnings

    async def _async_delete_superseded(self, place: Place) -> list[str]:
        """Delete what was replaced at a place; return what was removed."""
        removed = []
        for schedule in self.data.identified_at(place):
            schedule_id = str(schedule.schedule_id)
            if not schedule.is_superseded:
                continue
            if schedule.delete_attempts >= MAX_DELETE_ATTEMPTS:
                continue
            try:
                await self._async_send_delete(schedule_id)
            except SmartcarError as err:
                _LOGGER.warning(
                    "%s: an earlier schedule could not be removed: %s",
                    self.data.name,
                    err.loggable,
                )
                if isinstance(err, NotSentError):
                    continue
                self.data = self.data.with_failed_delete(schedule_id)
            else:
                removed.append(schedule_id)
                self.data = self.data.without(schedule_id)
            self._publish()
            await self._async_save()
        return removed

    async def _async_delete_at(self, place: Place) -> CommandResult:
        """Delete what is at a place when the turn comes."""
        schedules = self.data.identified_at(place)
        schedule_ids = [str(schedule.schedule_id) for schedule in schedules]
        if not schedule_ids:
            raise input_error(
                "nothing_to_delete", vehicle=self.data.name, zone=str(place.zone)
            )
        return await self._async_delete_all(schedule_ids)

    async def _async_delete_all(self, schedule_ids: list[str]) -> CommandResult:
        """Delete schedules one after another; the first that fails ends it."""
        removed: list[str] = []
        warnings: list[str] = []
        for schedule_id in schedule_ids:
            try:
                warnings += await self._async_delete(schedule_id)
            except HomeAssistantError as err:
                if not removed:
                    raise
                raise vehicle_error(
                    "partly_deleted",
                    self.data.name,
                    removed=", ".join(removed),
                    not_removed=", ".join(schedule_ids[len(removed) :]),
                    reason=await async_translate_error(self.hass, err),
                ) from err
            removed.append(schedule_id)
        return CommandResult(
            command=self.data.commands[-1],
            removed=tuple(removed),
            warnings=tuple(warnings),
        )

    async def _async_delete(self, schedule_id: str) -> list[str]:
        """Delete a schedule; one that is already gone is as good as deleted."""
        known = self.data.find(schedule_id)
        command = Command(
            action=Action.DELETE,
            begun_at=dt_util.utcnow(),
            place=None if known is None else known.place,
            window=None if known is None else known.window,
            schedule_id=schedule_id,
        )
        await self._async_begin(command)
        try:
            execution = await self._async_send_delete(schedule_id)
        except SmartcarError as err:
            raise await self._async_fail(err) from err
        warnings = [] if execution.status else [_ALREADY_GONE]
        ended = self.data.end_deleted(execution, dt_util.utcnow())
        if not await self._async_end(ended):
            warnings.append(_NOT_SAVED)
        return warnings

    async def _async_send_delete(self, schedule_id: str) -> Execution:
        """Send a delete; an execution without a status says that it was gone."""
        try:
            return await self._async_send(
                self._client.async_delete_schedule, schedule_id
            )
        except GoneError as err:
            return Execution(request_id=err.details.request_id)

    async def _async_send(
        self, request: Callable[..., Coroutine[Any, Any, Execution]], argument: Any
    ) -> Execution:
        """Send a request of the command under way: what a stop may cut off."""
        if self._is_stopped:
            raise NotSentError("Home Assistant is stopping, or the car was unloaded")
        transmission = Transmission()
        self._request = create_eager_task(
            request(
                self.vehicle_id,
                # Whoever exchanges the credentials may exchange the user with them.
                lambda: self.user_id,
                argument,
                transmission=transmission,
            ),
            loop=self.hass.loop,
        )
        try:
            return await self._request
        except asyncio.CancelledError as err:
            if transmission.is_open:
                raise UnconfirmedError(
                    "Home Assistant stopped waiting for the answer"
                ) from err
            raise NotSentError("Home Assistant stopped before it was sent") from err
        except AuthenticationError as err:
            self._on_rejected_credentials(err)
            raise
        finally:
            self._request = None

    async def _async_begin(self, command: Command) -> None:
        """Put a command on record; what cannot be recorded is not sent."""
        self.data = self.data.begin(command)
        if not await self._ledger.async_write(self.data):
            self.data = self.data.take_back()
            self._publish()
            # What may be on the disk nevertheless would count as sent.
            await self._async_save()
            raise vehicle_error("not_recorded", self.data.name)
        self._publish()

    async def _async_fail(self, error: SmartcarError) -> HomeAssistantError:
        """End the command under way without success; return what its caller hears."""
        doubt = Doubt.STOPPED if self._is_stopped else Doubt.NO_ANSWER
        ended = self.data.end_failed(error, dt_util.utcnow(), doubt)
        await self._async_end(ended)
        return command_error(self.hass, ended.commands[-1], ended)

    async def _async_end(self, ended: VehicleState) -> bool:
        """Tell and record the end of a command; return whether it is on the disk."""
        self.data = ended
        self._publish()
        self._tell(ended.commands[-1])
        return await self._async_save()

    async def _async_change(self, state: VehicleState) -> bool:
        """Record and publish a change that is no command's; return if it is on disk."""
        self.data = state
        is_saved = await self._async_save()
        self._publish()
        return is_saved

    async def _async_save(self) -> bool:
        """Write the state; return whether it is on the disk for certain."""
        if not self._is_loaded:
            return False
        return await self._ledger.async_write(self.data)

    @callback
    def _publish(self) -> None:
        """Show the state, unless the car's entities are about to go."""
        if not self._is_stopped or self._queue.is_busy:
            self.async_update_listeners()

    @callback
    def _tell(self, command: Command) -> None:
        """Tell the end of a command; whoever cannot hear it now counts as told."""
        for listener in tuple(self._verdict_listeners):
            listener(command)
