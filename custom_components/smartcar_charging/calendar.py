"""The schedules that Home Assistant has set on a car, as a calendar."""

from collections.abc import Iterable
from datetime import datetime, tzinfo
from typing import Any, override

from homeassistant.components.calendar import CalendarEntity, CalendarEvent
from homeassistant.const import EVENT_CORE_CONFIG_UPDATE
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util

from .account import SmartcarChargingConfigEntry
from .const import DOMAIN
from .entity import FollowingEntity, add_to_each_vehicle
from .messages import describe_place
from .records import OwnSchedule
from .vehicle import Vehicle
from .windows import Window, current_or_next, windows_between

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: SmartcarChargingConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the calendar of every car."""
    words = await async_get_translations(hass, hass.config.language, "common", [DOMAIN])
    summary = words[f"component.{DOMAIN}.common.charge_window"]
    description = words[f"component.{DOMAIN}.common.set_from_home_assistant"]

    add_to_each_vehicle(
        entry,
        async_add_entities,
        lambda vehicle: [ScheduleCalendar(vehicle, summary, description)],
    )


class InstantEvent(CalendarEvent):
    """An event whose beginning and end compare as instants: wall clocks of one zone do not, when they are put back."""

    @property
    @override
    def start_datetime_local(self) -> datetime:
        """The beginning, with the offset that clocks show then."""
        return (
            self.start
            if isinstance(self.start, datetime)
            else super().start_datetime_local
        )

    @property
    @override
    def end_datetime_local(self) -> datetime:
        """The end, with the offset that clocks show then."""
        return (
            self.end if isinstance(self.end, datetime) else super().end_datetime_local
        )


class ScheduleCalendar(FollowingEntity, CalendarEntity):
    """What Home Assistant has set and not deleted or replaced; it is not whether the car charges."""

    def __init__(self, vehicle: Vehicle, summary: str, description: str) -> None:
        """Belong to the car; the words are Home Assistant's language."""
        super().__init__(
            vehicle, "charge_schedule", lambda car: self._texts(car.schedules)
        )
        self._summary = summary
        self._description = description
        self._found: CalendarEvent | None = None
        self._found_for: object = None
        self._found_at = self._found_until = dt_util.utcnow()

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the vehicle, and Home Assistant's time zone."""
        await super().async_added_to_hass()

        @callback
        def config_changed(_event: Event[Any]) -> None:
            """Show when the windows are now."""
            self.async_write_ha_state()

        self.async_on_remove(
            self.hass.bus.async_listen(EVENT_CORE_CONFIG_UPDATE, config_changed)
        )

    @property
    @override
    def event(self) -> CalendarEvent | None:
        """The window that is open, else the next one; Home Assistant asks several times for one state."""
        now, zone = dt_util.utcnow(), dt_util.get_default_time_zone()
        found_for = (self._texts(self._vehicle.schedules), zone)
        if (
            found_for != self._found_for
            or not self._found_at <= now < self._found_until
        ):
            self._found = self._find(now, zone)
            self._found_for, self._found_at = found_for, now
            self._found_until = (
                now if self._found is None else self._found.end_datetime_local
            )
        return self._found

    def _find(self, now: datetime, zone: tzinfo) -> CalendarEvent | None:
        """Return the window that is open, else the next one."""
        windows = [
            (
                current_or_next(schedule.start_time, schedule.stop_time, zone, now),
                schedule,
            )
            for schedule in self._vehicle.schedules
        ]
        if not windows:
            return None
        window, schedule = min(
            windows, key=lambda found: (found[0].start, found[0].end)
        )
        return self._event(schedule, window)

    @override
    async def async_get_events(
        self, hass: HomeAssistant, start_date: datetime, end_date: datetime
    ) -> list[CalendarEvent]:
        """Return the windows that touch the time between two instants, in order."""
        zone = dt_util.get_default_time_zone()
        events = [
            self._event(schedule, window)
            for schedule in self._vehicle.schedules
            for window in windows_between(
                schedule.start_time, schedule.stop_time, zone, start_date, end_date
            )
        ]
        return sorted(events, key=_span)

    def _texts(self, schedules: Iterable[OwnSchedule]) -> list[tuple[str, ...]]:
        """Return all that is shown of schedules, but for the days."""
        return [
            (own.schedule_id, own.start_time, own.stop_time, self._text(own))
            for own in schedules
        ]

    def _text(self, schedule: OwnSchedule) -> str:
        """Return what a window is called."""
        return f"{self._summary} · {describe_place(self.hass, schedule.place)}"

    def _event(self, schedule: OwnSchedule, window: Window) -> CalendarEvent:
        """Return a window as an event."""
        return InstantEvent(
            start=window.start,
            end=window.end,
            summary=self._text(schedule),
            description=self._description,
            uid=f"{schedule.schedule_id}_{window.start:%Y%m%d}",
        )


def _span(event: CalendarEvent) -> tuple[datetime, datetime]:
    """Return from when to when an event is."""
    return event.start_datetime_local, event.end_datetime_local
