"""The schedules that Home Assistant has set on a car, as a calendar."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from heapq import merge
from itertools import islice
from typing import Any, Final, override

from homeassistant.components.calendar import (
    CalendarEntity,
    CalendarEntityDescription,
    CalendarEvent,
)
from homeassistant.const import EVENT_CORE_CONFIG_UPDATE
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util

from .account import SmartcarChargingConfigEntry
from .const import DOMAIN
from .entity import VehicleEntity, VehicleEntityDescription, add_to_each_vehicle
from .errors import describe_place
from .models import Schedule
from .vehicle import SmartcarVehicle
from .windows import Window, current_or_next, windows_between, with_offset

PARALLEL_UPDATES = 0

# Together, they keep a call below 50 ms of the event loop.
MAX_CALENDAR_RANGE: Final = timedelta(days=366)
MAX_CALENDAR_WINDOWS: Final = 400


@dataclass(frozen=True, kw_only=True)
class SmartcarCalendarDescription(CalendarEntityDescription, VehicleEntityDescription):
    """Describes the calendar of a car."""


CALENDAR: Final = SmartcarCalendarDescription(
    key="charge_schedule", part_fn=lambda state: state.set_schedules
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: SmartcarChargingConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the calendar of every car."""
    language = hass.config.language
    words = await async_get_translations(hass, language, "common", [DOMAIN])
    summary = words[f"component.{DOMAIN}.common.charge_window"]
    description = words[f"component.{DOMAIN}.common.set_from_home_assistant"]

    def create_calendar(vehicle: SmartcarVehicle) -> list[Entity]:
        """Return the calendar of a car."""
        return [ScheduleCalendar(vehicle, summary, description)]

    add_to_each_vehicle(entry, async_add_entities, create_calendar)


class InstantEvent(CalendarEvent):
    """An event whose beginning and end compare as instants.

    Wall clocks of one zone do not compare rightly when they are put back.
    """

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


class ScheduleCalendar(VehicleEntity, CalendarEntity):
    """What Home Assistant has set; it is not whether the car charges."""

    entity_description: SmartcarCalendarDescription

    def __init__(
        self, vehicle: SmartcarVehicle, summary: str, description: str
    ) -> None:
        """Initialize the calendar with words in Home Assistant's language."""
        super().__init__(vehicle, CALENDAR)
        self._summary = summary
        self._description = description
        self._found: CalendarEvent | None = None
        self._found_for: object = None
        self._found_at = self._found_until = dt_util.utcnow()

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the car, and Home Assistant's time zone."""
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
        """The window that is open, else the next one."""
        now, zone = dt_util.utcnow(), dt_util.get_default_time_zone()
        schedules = self.coordinator.data.set_schedules
        places = [describe_place(self.hass, schedule.place) for schedule in schedules]
        found_for = (schedules, places, zone)
        # Home Assistant asks several times for one state, and an event is expensive.
        if (
            self._found_for != found_for
            or not self._found_at <= now < self._found_until
        ):
            self._found = self._find(schedules, zone, now)
            self._found_for, self._found_at = found_for, now
            self._found_until = now
            if self._found is not None:
                self._found_until = self._found.end_datetime_local
        return self._found

    def _find(
        self, schedules: Iterable[Schedule], zone: tzinfo, now: datetime
    ) -> CalendarEvent | None:
        """Return the window that is open, else the next one."""
        windows: dict[Schedule, Window] = {}
        for schedule in schedules:
            set_at = _set_at(schedule, zone, now)
            window = current_or_next(schedule.window, zone, max(now, set_at))
            windows[schedule] = window.after(set_at)
        if not windows:
            return None
        schedule, window = min(windows.items(), key=lambda found: found[1])
        return self._event(schedule, window)

    @override
    async def async_get_events(
        self, hass: HomeAssistant, start_date: datetime, end_date: datetime
    ) -> list[CalendarEvent]:
        """Return the windows that touch the time between two instants, in order.

        Only the first of them if the time is long: an event is expensive.
        """
        now, zone = dt_util.utcnow(), dt_util.get_default_time_zone()
        schedules = self.coordinator.data.set_schedules
        moments = [_set_at(schedule, zone, now) for schedule in schedules]
        begin = max(start_date, min(moments, default=start_date))
        end = end_date
        if end - begin > MAX_CALENDAR_RANGE:
            end = begin + MAX_CALENDAR_RANGE
        found = [
            _windows_since(schedule, zone, set_at, begin, end)
            for schedule, set_at in zip(schedules, moments, strict=True)
        ]
        in_order = merge(*found, key=lambda pair: pair[0])
        first = islice(in_order, MAX_CALENDAR_WINDOWS)
        return [self._event(schedule, window) for window, schedule in first]

    def _event(self, schedule: Schedule, window: Window) -> CalendarEvent:
        """Return a window as an event."""
        return InstantEvent(
            start=window.start,
            end=window.end,
            summary=f"{self._summary} · {describe_place(self.hass, schedule.place)}",
            description=self._description,
        )


def _set_at(schedule: Schedule, zone: tzinfo, now: datetime) -> datetime:
    """Return from when on a schedule's windows are; they were not before it was set.

    A moment to come was told by a clock that has been put back since.
    """
    moment = min(schedule.sent_at, now)
    return with_offset(moment.replace(microsecond=0), zone)


def _windows_since(
    schedule: Schedule, zone: tzinfo, set_at: datetime, begin: datetime, end: datetime
) -> Iterator[tuple[Window, Schedule]]:
    """Return the windows of a schedule between two instants, since it was set."""
    for window in windows_between(schedule.window, zone, max(begin, set_at), end):
        yield window.after(set_at), schedule
