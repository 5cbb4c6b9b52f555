"""The way out for a schedule that is possibly on the car: the user looks, or Smartcar is asked."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from homeassistant.components.repairs import ConfirmRepairFlow, RepairsFlow
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from .account import find_vehicle
from .issues import RECORD_DAMAGED
from .messages import describe_place
from .records import PossibleSchedule
from .smartcar import SmartcarError, as_moment
from .timers import find_sent, is_older, proves_absence
from .vehicle import Vehicle

if TYPE_CHECKING:
    from homeassistant.components.repairs import RepairsFlowResult


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Return the flow for a fixable issue: to be confirmed, or schedules that are possibly on a car."""
    if issue_id.startswith(RECORD_DAMAGED):
        return ConfirmRepairFlow()
    if vehicle := find_vehicle(hass, str((data or {}).get("subentry_id"))):
        return PossiblyOnCarFlow(vehicle)
    return SettledFlow()


class SettledFlow(RepairsFlow):
    """Closes an issue of a car that is not there any more."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask nothing."""
        return self.async_create_entry(data={})


class PossiblyOnCarFlow(RepairsFlow):
    """Goes through the schedules that are possibly on the car, one by one."""

    def __init__(self, vehicle: Vehicle) -> None:
        """Begin with the oldest."""
        self._vehicle = vehicle
        self._schedule: PossibleSchedule | None = None
        self._found = ""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask about the next schedule; without one, all is repaired."""
        self._schedule = next(iter(self._vehicle.possible), None)
        if self._schedule is None:
            return self.async_create_entry(data={})
        return self._menu("possible", "not_there", "read_car")

    # Home Assistant wants a step for each menu; a choice leads on from there by itself.
    async_step_possible = async_step_init
    async_step_read_failed = async_step_init
    async_step_proves_nothing = async_step_init
    async_step_found = async_step_init
    async_step_not_found = async_step_init
    async_step_remove_failed = async_step_init

    async def async_step_not_there(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Take the user's word for it."""
        if self._schedule in self._vehicle.possible:
            await self._vehicle.async_forget_possible(self._schedule)
        return await self.async_step_init()

    async def async_step_read_car(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask Smartcar for the car's timers, and say what they prove."""
        if self._schedule not in self._vehicle.possible:
            return await self.async_step_init()
        try:
            reading = await self._vehicle.async_read_timers()
        except SmartcarError as err:
            return self._menu("read_failed", "read_car", "not_there", reason=str(err))
        read_at = _local(reading.read_at)
        if is_older(reading, self._schedule.sent_at):
            return self._menu(
                "proves_nothing", "read_car", "not_there", read_at=read_at
            )
        if found := find_sent(
            reading,
            self._schedule,
            [own.schedule_id for own in self._vehicle.schedules],
        ):
            self._found = found
            return self._menu("found", "adopt", "remove", read_at=read_at)
        if proves_absence(reading, self._schedule):
            return self._menu("not_found", "not_there", "read_car", read_at=read_at)
        return self._menu("proves_nothing", "read_car", "not_there", read_at=read_at)

    async def async_step_adopt(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Keep the schedule that was found, as one that Home Assistant set."""
        if self._schedule in self._vehicle.possible:
            await self._vehicle.async_adopt(self._schedule, self._found)
        return await self.async_step_init()

    async def async_step_remove(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Remove the schedule that was found."""
        try:
            await self._vehicle.async_delete_schedule(self._found)
        except HomeAssistantError as err:
            return self._menu("remove_failed", "remove", "adopt", reason=str(err))
        return await self.async_step_not_there()

    def _menu(
        self, step_id: str, *options: str, **placeholders: str
    ) -> RepairsFlowResult:
        """Say what is known of the schedule, and offer what can be done."""
        schedule = self._schedule
        if TYPE_CHECKING:
            assert schedule is not None
        return self.async_show_menu(
            step_id=step_id,
            menu_options=list(options),
            description_placeholders={
                "vehicle": self._vehicle.name,
                "window": f"{schedule.start_time}–{schedule.stop_time}",
                "place": describe_place(self.hass, schedule.place),
                "sent_at": _local(as_moment(schedule.sent_at)),
                **placeholders,
            },
        )


def _local(moment: datetime | None) -> str:
    """Return a moment on the user's clock."""
    return "?" if moment is None else f"{dt_util.as_local(moment):%Y-%m-%d %H:%M}"
