"""How the user settles what is possibly on the car, and confirms a lost record."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from homeassistant.components.repairs import RepairsFlow
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
import voluptuous as vol

from .account import find_vehicle
from .errors import describe_place
from .issues import RECORD_DAMAGED
from .models import Command, Schedule, Standing
from .readings import Finding, Presence, find, is_settled, presence
from .smartcar import SmartcarError, TimersReading
from .vehicle import SmartcarVehicle

if TYPE_CHECKING:
    from homeassistant.components.repairs import RepairsFlowResult


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, Any] | None
) -> RepairsFlow:
    """Return the dialog of an issue."""
    key = str((data or {}).get("subentry_id"))
    if issue_id.startswith(RECORD_DAMAGED):
        return RecordDamagedFlow(key)
    return PossiblyOnCarFlow(key)


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
                description_placeholders={"vehicle": vehicle.data.name},
            )
        await vehicle.async_confirm_loss()
        return self.async_create_entry(data={})


class PossiblyOnCarFlow(VehicleRepairFlow):
    """Goes through the schedules that are possibly on the car, one by one.

    One reading answers for all of them: it is billed once.
    """

    def __init__(self, key: str) -> None:
        """Initialize the dialog, with nothing read yet."""
        super().__init__(key)
        self._schedule: Schedule | None = None
        self._reading: TimersReading | None = None
        self._last_command: Command | None = None
        self._found_id: str | None = None

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask about the next schedule; without one, all is settled."""
        vehicle = self._vehicle
        if vehicle is None:
            return self.async_abort(reason="not_loaded")
        possible = vehicle.data.with_standing(Standing.POSSIBLE)
        if not possible:
            return self.async_create_entry(data={})
        if self._last_command != vehicle.data.last_command:
            # What this command did is not in the reading.
            self._reading = None
        if self._reading is not None:
            return self._show_what_was_read(vehicle, possible, self._reading)
        self._schedule = possible[0]
        return self._ask()

    # Home Assistant wants a step for each menu; a choice leads on from there.
    async_step_possible = async_step_init
    async_step_delete_unconfirmed = async_step_init
    async_step_read_failed = async_step_init
    async_step_proves_nothing = async_step_init
    async_step_found = async_step_init
    async_step_not_found = async_step_init
    async_step_still_there = async_step_init
    async_step_remove_failed = async_step_init

    async def async_step_not_there(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Take the user's word for it."""
        vehicle = self._vehicle_of_the_question()
        if vehicle is not None and self._schedule is not None:
            await vehicle.async_forget(self._schedule)
        return await self.async_step_init()

    async def async_step_read_car(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask Smartcar for the car's timers, and say what they prove."""
        vehicle = self._vehicle_of_the_question()
        if vehicle is None:
            return await self.async_step_init()
        last_command = vehicle.data.last_command
        try:
            self._reading = await vehicle.async_read_timers()
        except SmartcarError as err:
            return self._menu("read_failed", "read_car", "not_there", reason=str(err))
        self._last_command = last_command
        return await self.async_step_init()

    async def async_step_adopt(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Keep the schedule that was found, as one that Home Assistant set."""
        vehicle = self._vehicle_of_what_was_found()
        if vehicle is None or self._schedule is None or self._found_id is None:
            return await self.async_step_init()
        if self._schedule.schedule_id is None:
            await vehicle.async_adopt(self._schedule, self._found_id)
        else:
            await vehicle.async_confirm_presence(self._schedule)
        return await self.async_step_init()

    async def async_step_remove(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Remove the schedule that was found, or whose delete was not proven."""
        vehicle = self._vehicle_of_what_was_found()
        if vehicle is None or self._schedule is None or self._found_id is None:
            return await self.async_step_init()
        if self._schedule.schedule_id is None:
            # From now on its id is known, whatever becomes of the delete.
            await vehicle.async_adopt(self._schedule, self._found_id)
        try:
            await vehicle.async_delete_schedule(self._found_id)
        except HomeAssistantError as err:
            self._note_own_command(vehicle)
            self._schedule = vehicle.data.find(self._found_id)
            return self._menu("remove_failed", "remove", "adopt", reason=str(err))
        self._note_own_command(vehicle)
        if self._reading is not None:
            # It is not there any more, and none of those that are still in question.
            self._reading = self._reading.without(self._found_id)
        return await self.async_step_init()

    def _vehicle_of_the_question(self) -> SmartcarVehicle | None:
        """Return the car that is loaded now, if the schedule is still in question."""
        vehicle = self._vehicle
        if vehicle is None or self._schedule not in vehicle.data.schedules:
            return None
        return vehicle

    def _vehicle_of_what_was_found(self) -> SmartcarVehicle | None:
        """Return the car that is loaded now, if what was found is still true."""
        vehicle = self._vehicle_of_the_question()
        if vehicle is None or self._schedule is None:
            return None
        is_stale = self._last_command != vehicle.data.last_command
        if is_stale and self._schedule.schedule_id is None:
            return None
        return vehicle

    def _note_own_command(self, vehicle: SmartcarVehicle) -> None:
        """Go on with the reading, if no other command came since."""
        earlier = vehicle.data.commands[:-1]
        if self._last_command == (earlier[-1] if earlier else None):
            self._last_command = vehicle.data.last_command

    def _ask(self) -> RepairsFlowResult:
        """Ask about the schedule, of which nothing was read yet."""
        if self._schedule is not None and self._schedule.schedule_id is not None:
            self._found_id = self._schedule.schedule_id
            return self._menu("delete_unconfirmed", "not_there", "remove", "read_car")
        return self._menu("possible", "not_there", "read_car")

    def _show_what_was_read(
        self,
        vehicle: SmartcarVehicle,
        possible: Iterable[Schedule],
        reading: TimersReading,
    ) -> RepairsFlowResult:
        """Say what a reading proves, first of those of which it proves anything."""
        findings = [
            (schedule, _find(reading, schedule, vehicle)) for schedule in possible
        ]
        proven = [
            (schedule, finding)
            for schedule, finding in findings
            if finding.found_ids or finding.is_rest_absent
        ]
        schedule, finding = (proven or findings)[0]
        self._schedule = schedule
        read_at = _local(reading.read_at)
        if finding.found_ids:
            self._found_id = finding.found_ids[0]
            step = "found" if schedule.schedule_id is None else "still_there"
            return self._menu(step, "adopt", "remove", read_at=read_at)
        if finding.is_rest_absent:
            return self._menu("not_found", "not_there", "read_car", read_at=read_at)
        return self._menu("proves_nothing", "read_car", "not_there", read_at=read_at)

    def _menu(
        self, step_id: str, *options: str, **placeholders: str
    ) -> RepairsFlowResult:
        """Say what is known of the schedule, and offer what can be done."""
        vehicle, schedule = self._vehicle, self._schedule
        if vehicle is None or schedule is None:
            return self.async_abort(reason="not_loaded")
        return self.async_show_menu(
            step_id=step_id,
            menu_options=list(options),
            description_placeholders={
                "vehicle": vehicle.data.name,
                "window": str(schedule.asked),
                "place": describe_place(self.hass, schedule.place),
                "sent_at": _local(schedule.sent_at),
                **placeholders,
            },
        )


def _find(
    reading: TimersReading, schedule: Schedule, vehicle: SmartcarVehicle
) -> Finding:
    """Return what a reading says of a schedule, whether its id is known or not."""
    now = dt_util.utcnow()
    if schedule.schedule_id is None:
        return find(reading, schedule, vehicle.data, now)
    proven = presence(reading, schedule, vehicle.data, now)
    found_ids: tuple[str, ...] = ()
    if proven is Presence.YES and is_settled(reading, schedule, now):
        found_ids = (schedule.schedule_id,)
    return Finding(found_ids=found_ids, is_rest_absent=proven is Presence.NO)


def _local(moment: datetime | None) -> str:
    """Return a moment on the user's clock."""
    return "?" if moment is None else f"{dt_util.as_local(moment):%Y-%m-%d %H:%M}"
