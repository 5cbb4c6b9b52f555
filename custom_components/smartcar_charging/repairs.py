"""How the user settles what is unsettled on the car, and confirms a lost record."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from homeassistant.components.repairs import RepairsFlow
from homeassistant.core import HassJob, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util
import voluptuous as vol

from .account import find_vehicle
from .errors import (
    async_translate_error,
    describe_schedule,
    read_error,
    vehicle_error,
)
from .issues import RECORD_DAMAGED, docs_url
from .models import Command, Doubt, Schedule, Standing
from .readings import settle
from .smartcar import SmartcarError, TimersReading
from .vehicle import SmartcarVehicle

if TYPE_CHECKING:
    from homeassistant.components.repairs import RepairsFlowResult

# Seconds after which a browser that has missed the end of something hears of it again.
REMINDER_DELAYS: Final = (1, 3, 10)


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, Any] | None
) -> RepairsFlow:
    """Return the dialog of an issue."""
    key = str((data or {}).get("subentry_id"))
    if issue_id.startswith(RECORD_DAMAGED):
        return RecordDamagedFlow(key)
    return UnsettledSchedulesFlow(key)


class VehicleRepairFlow(RepairsFlow):
    """A dialog about a car, which is looked up anew for each answer."""

    def __init__(self, key: str) -> None:
        """Initialize the dialog about the car of a subentry."""
        self._key = key

    @property
    def _vehicle(self) -> SmartcarVehicle | None:
        """The car that is loaded now, with what is on record of it."""
        vehicle = find_vehicle(self.hass, self._key)
        if vehicle is None or not vehicle.last_update_success:
            return None
        return vehicle


class RecordDamagedFlow(VehicleRepairFlow):
    """Lets the user confirm that a part of what was known is lost."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Say what happened."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Take the confirmation."""
        vehicle = self._vehicle
        if vehicle is None:
            return self.async_abort(reason="not_loaded")
        if user_input is None:
            return self.async_show_form(
                step_id="confirm",
                data_schema=vol.Schema({}),
                description_placeholders={
                    "vehicle": vehicle.data.name,
                    "docs_url": docs_url(self.hass),
                },
            )
        await vehicle.async_confirm_loss()
        return self.async_create_entry(data={})


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """An unsettled schedule, and the id under which it can be removed."""

    schedule: Schedule
    schedule_id: str


class UnsettledSchedulesFlow(VehicleRepairFlow):
    """Settles all schedules of which it is not known how they stand on the car.

    The user answers for all of them at once, asks Smartcar once for all, or goes
    through them one by one. Each answer is judged by the car as it is then.
    """

    def __init__(self, key: str) -> None:
        """Initialize the dialog, with nothing read and nothing answered yet."""
        super().__init__(key)
        # What the page that is shown is about.
        self._shown: tuple[Schedule, ...] = ()
        self._found: Found | None = None
        # What was read, and the last command before that.
        self._reading: TimersReading | None = None
        self._last_command: Command | None = None
        # What was left open since then.
        self._left_open: tuple[Schedule, ...] = ()
        self._is_one_by_one = False
        # What is under way, and why the last of it failed.
        self._task: asyncio.Task[None] | None = None
        self._reason: str | None = None

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Show the next page; without anything unsettled there is none."""
        vehicle = self._vehicle
        if vehicle is None:
            return self.async_abort(reason="not_loaded")
        unsettled = vehicle.data.unsettled_schedules
        if not unsettled:
            return self.async_create_entry(data={})
        if self._reading is not None:
            return self._show_what_was_read(vehicle, self._reading)
        if len(unsettled) > 1 and not self._is_one_by_one:
            options = ["none_there", "read_car", "one_by_one"]
            return self._menu("list", options, unsettled)
        open_schedules = self._without_left_open(unsettled)
        if not open_schedules:
            return self.async_abort(reason="left_open")
        # The pages are called as the doubts.
        return self._ask(str(open_schedules[0].doubt), open_schedules[0])

    # Home Assistant wants a step for each page; each leads on from where the car is.
    async_step_list = async_step_init
    async_step_no_answer = async_step_init
    async_step_stopped = async_step_init
    async_step_delete = async_step_init
    async_step_without_id = async_step_init
    async_step_seen = async_step_init
    async_step_unclear = async_step_init
    async_step_found = async_step_init
    async_step_still_there = async_step_init
    async_step_absent = async_step_init
    async_step_outdated = async_step_init
    async_step_back = async_step_init

    async def async_step_one_by_one(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Go through the schedules one by one."""
        self._is_one_by_one = True
        return await self.async_step_init()

    async def async_step_not_there(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Take the user's word that what was shown is not on the car."""
        vehicle = self._vehicle
        if vehicle is not None:
            await vehicle.async_forget(*self._shown)
        return await self.async_step_init()

    async_step_none_there = async_step_not_there

    async def async_step_there(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Take the user's word that a schedule is on the car."""
        vehicle = self._vehicle
        if vehicle is not None:
            for schedule in self._shown:
                await vehicle.async_confirm_presence(schedule)
                self._left_open += (replace(schedule, doubt=Doubt.SEEN),)
        return await self.async_step_init()

    async def async_step_later(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Leave open what was shown."""
        self._left_open += self._shown
        return await self.async_step_init()

    async def async_step_adopt(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Keep the schedule that was found, as one that Home Assistant set."""
        vehicle, found = self._vehicle, self._found
        if vehicle is None or found is None or not self._is_true(found, vehicle):
            return await self.async_step_init()
        if found.schedule.schedule_id is None:
            await vehicle.async_adopt(found.schedule, found.schedule_id)
        else:
            await vehicle.async_confirm_presence(found.schedule)
        return await self.async_step_init()

    async def async_step_read_car(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask Smartcar for the car's timers, and say meanwhile that it is asked."""
        if self._task is None:
            vehicle = self._vehicle
            if vehicle is None:
                return await self.async_step_init()
            self._task = self.hass.async_create_task(self._async_read(vehicle))
        return self._progress(self._task, "read_car", "read")

    async def async_step_read(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Say what the reading proves, or why there is none."""
        self._task = None
        if self._reason is not None:
            return await self.async_step_read_failed()
        return await self.async_step_init()

    async def async_step_read_failed(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Say why there is no reading."""
        options = ["read_car", "back"]
        reason = str(self._reason)
        return self._menu("read_failed", options, self._shown, reason=reason)

    async def async_step_remove(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Remove the schedule that was found, or whose delete was not proven."""
        if self._task is None:
            vehicle, found = self._vehicle, self._found
            if vehicle is None or found is None or not self._is_true(found, vehicle):
                return await self.async_step_init()
            if found.schedule.schedule_id is None:
                # From now on its id is known, whatever becomes of the delete.
                await vehicle.async_adopt(found.schedule, found.schedule_id)
            work = self._async_remove(vehicle, found.schedule_id)
            self._task = self.hass.async_create_task(work)
        return self._progress(self._task, "remove", "removed")

    async def async_step_removed(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Go on after a schedule was removed, or say why it was not."""
        self._task = None
        if self._reason is not None:
            return await self.async_step_remove_failed()
        return await self.async_step_init()

    async def async_step_remove_failed(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Say why it is not proven that a schedule was removed."""
        options = ["remove", "back"]
        about = (self._shown, self._found)
        return self._menu("remove_failed", options, *about, reason=str(self._reason))

    async def _async_read(self, vehicle: SmartcarVehicle) -> None:
        """Read the car's timers, or note why that failed."""
        self._reason = None
        if vehicle.is_busy:
            # What that command does could be taken for what is asked about.
            error = vehicle_error("command_running", vehicle.data.name)
            await self._async_note_failure(error)
            return
        last_command = vehicle.data.last_command
        try:
            self._reading = await vehicle.async_read_timers()
        except SmartcarError as err:
            await self._async_note_failure(read_error(err, vehicle.data.name))
        except HomeAssistantError as err:
            await self._async_note_failure(err)
        else:
            self._last_command = last_command
            self._left_open = ()

    async def _async_remove(self, vehicle: SmartcarVehicle, schedule_id: str) -> None:
        """Remove a schedule, or note why that failed."""
        self._reason = None
        try:
            await vehicle.async_delete_schedule(schedule_id)
        except HomeAssistantError as err:
            self._note_own_command(vehicle)
            known = vehicle.data.find(schedule_id)
            if known is not None:
                self._found = Found(schedule=known, schedule_id=schedule_id)
            await self._async_note_failure(err)
        else:
            self._note_own_command(vehicle)
            if self._reading is not None:
                # It is not there any more, and none of those still in question.
                self._reading = self._reading.without(schedule_id)

    async def _async_note_failure(self, error: HomeAssistantError) -> None:
        """Note the words for what went wrong."""
        self._reason = await async_translate_error(self.hass, error)

    def _progress(
        self, task: asyncio.Task[None], step_id: str, next_step_id: str
    ) -> RepairsFlowResult:
        """Say what is under way, until it has ended."""
        if task.done():
            # Home Assistant tells it once, and a browser may not listen yet.
            for delay in REMINDER_DELAYS:
                job = HassJob(self._async_remind, cancel_on_shutdown=True)
                async_call_later(self.hass, delay, job)
            return self.async_show_progress_done(next_step_id=next_step_id)
        return self.async_show_progress(
            step_id=step_id, progress_action=step_id, progress_task=task
        )

    @callback
    def _async_remind(self, _now: datetime) -> None:
        """Tell the browser that something has ended, until it has looked."""
        if self._task is not None:
            self.async_notify_flow_changed()

    def _is_current(self, vehicle: SmartcarVehicle) -> bool:
        """Whether no command came since the reading, which would not be in it."""
        return self._last_command == vehicle.data.last_command

    def _is_true(self, found: Found, vehicle: SmartcarVehicle) -> bool:
        """Whether what was found is still in question, and still there."""
        if found.schedule not in vehicle.data.schedules:
            return False
        return found.schedule.schedule_id is not None or self._is_current(vehicle)

    def _note_own_command(self, vehicle: SmartcarVehicle) -> None:
        """Go on with the reading, if no other command came since."""
        earlier = vehicle.data.commands[:-1]
        if self._last_command == (earlier[-1] if earlier else None):
            self._last_command = vehicle.data.last_command

    def _without_left_open(self, schedules: Iterable[Schedule]) -> list[Schedule]:
        """Return the schedules that the user has not left open in this dialog."""
        return [own for own in schedules if own not in self._left_open]

    def _show_what_was_read(
        self, vehicle: SmartcarVehicle, reading: TimersReading
    ) -> RepairsFlowResult:
        """Say what a reading proves: first what was found, then what is not there."""
        if not self._is_current(vehicle):
            self._reading = None
            return self._menu("outdated", ["read_car", "back"], self._shown)
        open_schedules = self._without_left_open(vehicle.data.unsettled_schedules)
        if not open_schedules:
            return self.async_abort(reason="left_open")
        read_at = _local(reading.read_at)
        absent = []
        for schedule in open_schedules:
            finding = settle(reading, schedule, vehicle.data, dt_util.utcnow())
            if finding.found_ids:
                found = Found(schedule=schedule, schedule_id=finding.found_ids[0])
                step_id = "found" if schedule.schedule_id is None else "still_there"
                options = ["adopt", "remove"]
                return self._menu(step_id, options, [schedule], found, read_at=read_at)
            if finding.is_rest_absent:
                absent.append(schedule)
        if absent:
            options = ["none_there", "later"]
            return self._menu("absent", options, absent, read_at=read_at)
        return self._ask("unclear", open_schedules[0], read_at=read_at)

    def _ask(
        self, step_id: str, schedule: Schedule, **placeholders: str
    ) -> RepairsFlowResult:
        """Ask about a schedule of which nothing is proven."""
        found = None
        options = ["not_there"]
        if schedule.standing is Standing.POSSIBLE:
            options.append("there")
        if schedule.schedule_id is not None:
            found = Found(schedule=schedule, schedule_id=schedule.schedule_id)
            options.append("remove")
        options += ["read_car", "later"]
        return self._menu(step_id, options, [schedule], found, **placeholders)

    def _menu(
        self,
        step_id: str,
        options: list[str],
        shown: Sequence[Schedule],
        found: Found | None = None,
        **placeholders: str,
    ) -> RepairsFlowResult:
        """Show a page, and note what it is about."""
        vehicle = self._vehicle
        if vehicle is None:
            return self.async_abort(reason="not_loaded")
        self._shown, self._found = tuple(shown), found
        lines = [
            f"- {describe_schedule(self.hass, own)}, {_local(own.sent_at)}"
            for own in shown
        ]
        return self.async_show_menu(
            step_id=step_id,
            menu_options=options,
            description_placeholders={
                "vehicle": vehicle.data.name,
                "schedule": describe_schedule(self.hass, shown[0]),
                "sent_at": _local(shown[0].sent_at),
                "schedules": "\n".join(lines),
                "docs_url": docs_url(self.hass),
                **placeholders,
            },
        )


def _local(moment: datetime | None) -> str:
    """Return a moment on the user's clock."""
    return "?" if moment is None else f"{dt_util.as_local(moment):%Y-%m-%d %H:%M}"
