"""What survives a restart or a power cut: one private file for each car.

Home Assistant's own store swallows errors of writing and defers while stopping; a ledger has to know.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
import logging
from pathlib import Path
import shutil
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.json import save_json
from homeassistant.helpers.singleton import singleton
from homeassistant.helpers.storage import STORAGE_DIR
from homeassistant.util import dt as dt_util
from homeassistant.util.json import load_json
import voluptuous as vol

from .const import DOMAIN
from .records import Action, Draft, OwnSchedule, PossibleSchedule, Record, Verdict

_LOGGER = logging.getLogger(__name__)

_VERSION: Final = 1
_EXECUTIONS_KEPT: Final = 10

# With more threads at the disk, a thousand cars at once take longer: they keep the event loop from running.
_MOST_WRITING: Final = 4


@singleton(f"{DOMAIN}_writing")
def _writing(hass: HomeAssistant) -> asyncio.Semaphore:
    """Return the turns of all cars at the disk."""
    return asyncio.Semaphore(_MOST_WRITING)


async def async_set_aside(hass: HomeAssistant, path: str) -> bool:
    """Copy a file that can not be read in full to another name, before it is written anew; return whether it is."""
    aside = f"{path}.set_aside.{dt_util.utcnow():%Y%m%dT%H%M%S}"
    try:
        await hass.async_add_executor_job(shutil.copy2, path, aside)
    except OSError as err:
        _LOGGER.warning(
            "A stored record could not be read in full, nor be copied before it is replaced: %s",
            err,
        )
        return False
    _LOGGER.warning(
        "A stored record could not be read in full; what it was is kept as %s", aside
    )
    return True


async def async_stored_keys(hass: HomeAssistant) -> set[str]:
    """Return the keys of all cars of which something is kept."""

    def keys() -> set[str]:
        """Look at the names of the files, copies included."""
        return {
            path.name.split(".")[1]
            for path in Path(hass.config.path(STORAGE_DIR)).glob(f"{DOMAIN}.*")
        }

    return await hass.async_add_executor_job(keys)


async def async_remove_files(hass: HomeAssistant, key: str) -> None:
    """Remove all that is kept of a car."""

    def remove() -> None:
        """Remove the store and the copies of what could not be read."""
        for path in Path(hass.config.path(STORAGE_DIR)).glob(f"{DOMAIN}.{key}*"):
            path.unlink(missing_ok=True)

    await hass.async_add_executor_job(remove)


class Ledger:
    """The last executions of a car, the schedules set on it, and those that are possibly on it."""

    def __init__(self, hass: HomeAssistant, key: str, vehicle_name: str = "") -> None:
        """Take the key that tells this car's file from the others, and what to call the car once it is removed."""
        self._hass = hass
        self._key = f"{DOMAIN}.{key}"
        self._path = hass.config.path(STORAGE_DIR, self._key)
        self._saving = asyncio.Lock()
        self.is_damaged = False
        self.vehicle_name = vehicle_name
        self.executions: list[Record] = []
        self.schedules: list[OwnSchedule] = []
        self.possible: list[PossibleSchedule] = []
        self.draft = Draft()

    @property
    def last_execution(self) -> Record | None:
        """The record of the last command."""
        return self.executions[-1] if self.executions else None

    async def async_load(self) -> None:
        """Read what is stored; a file that is not as it should be gives what can be read of it."""
        absent: list[Any] = []
        try:
            content: Any = await self._hass.async_add_executor_job(
                load_json, self._path, absent
            )
        except HomeAssistantError as err:
            _LOGGER.debug(
                "The file could not be read: %s", type(err.__cause__).__name__
            )
            content = "unreadable"
        if content is absent:
            return
        content = content if isinstance(content, dict) else {}
        data = content.get("data")
        if isinstance(data, dict):
            self.vehicle_name = self.vehicle_name or str(
                data.get("vehicle_name") or "?"
            )
        executions, executions_whole = _read(data, "executions", Record.from_dict)
        schedules, schedules_whole = _read(data, "schedules", OwnSchedule.from_dict)
        possible, possible_whole = _read(data, "possible", PossibleSchedule.from_dict)
        drafts, draft_whole = _read(data, "draft", Draft.from_dict, default=[])
        self.executions, self.schedules, self.possible = executions, schedules, possible
        self.draft = next(iter(drafts), self.draft)
        self.is_damaged = not (
            executions_whole and schedules_whole and possible_whole and draft_whole
        )
        # What a newer version wrote may hold more than this one knows to look for.
        is_replaced = self.is_damaged or content.get("version") != _VERSION
        if is_replaced and await async_set_aside(self._hass, self._path):
            await self.async_save()

    async def async_save(self) -> bool:
        """Write everything; return whether it is on disk for certain.

        A caller who is cancelled does not cut it off: the thread would go on, and might undo what is written later.
        """
        return await asyncio.shield(
            self._hass.async_create_task(self._async_save(), eager_start=True)
        )

    async def async_finish(self) -> None:
        """Return when no write is under way."""
        async with self._saving:
            return

    async def _async_save(self) -> bool:
        """Write everything, after what is being written."""
        async with self._saving:
            data = {
                "vehicle_name": self.vehicle_name,
                "executions": tuple(self.executions),
                "schedules": tuple(self.schedules),
                "possible": tuple(self.possible),
                "draft": (self.draft,),
            }
            content = {
                "version": _VERSION,
                "minor_version": 1,
                "key": self._key,
                "data": data,
            }
            try:
                async with _writing(self._hass):
                    await self._hass.async_add_executor_job(self._write, content)
            except (HomeAssistantError, OSError, RuntimeError) as err:
                _LOGGER.debug("The file could not be written: %s", type(err).__name__)
                return False
            return True

    def _write(self, content: dict[str, Any]) -> None:
        """Write the file, all or nothing, and wait until the disk has it."""
        Path(self._path).parent.mkdir(exist_ok=True)
        save_json(self._path, content, private=True, atomic_writes=True)

    async def async_begin(self, record: Record) -> bool:
        """Put a command on record before it is sent; without a record on disk it must not be sent."""
        before = self.executions
        self.executions = [*before, record][-_EXECUTIONS_KEPT:]
        if await self.async_save():
            return True
        self.executions = before
        # What may be on the disk nevertheless, or be written at the end of a stop, would count as sent.
        await self.async_save()
        return False

    def conclude(self, record: Record) -> None:
        """Replace the record of the command under way by what became of it, and of the car with it."""
        place = self.executions[-1].place
        self.executions[-1] = record
        if record.action is not Action.CREATE or record.verdict is Verdict.FAILED:
            return
        if place is None or record.start_time is None or record.stop_time is None:
            return
        # The place is the one that was asked for: the next set will ask for that one again.
        sent = PossibleSchedule(
            place=place,
            start_time=record.start_time,
            stop_time=record.stop_time,
            sent_at=record.begun_at,
        )
        if record.verdict is Verdict.SUCCESS and record.schedule_id is not None:
            self.add(sent.known_as(record.schedule_id))
        else:
            self.possible.append(sent)

    def adopt(self, possible: PossibleSchedule, schedule_id: str) -> None:
        """Take a schedule that turned out to be on the car for one of Home Assistant's own."""
        self.possible.remove(possible)
        self.add(possible.known_as(schedule_id))

    def add(self, schedule: OwnSchedule) -> None:
        """Note a schedule that is on the car now."""
        self.forget(schedule.schedule_id)
        self.schedules.append(schedule)

    def forget(self, schedule_id: str) -> None:
        """Drop a schedule that is no longer on the car."""
        self.schedules = [
            schedule
            for schedule in self.schedules
            if schedule.schedule_id != schedule_id
        ]

    def note_failed_delete(self, schedule_id: str) -> None:
        """Count a delete that failed: the schedule stays."""
        self.schedules = [
            replace(schedule, failed_deletes=schedule.failed_deletes + 1)
            if schedule.schedule_id == schedule_id
            else schedule
            for schedule in self.schedules
        ]


def _read[T](
    data: Any, name: str, read_one: Callable[[Any], T], default: Any = None
) -> tuple[list[T], bool]:
    """Return the readable values of a stored list, and whether that is all of it."""
    values = data.get(name, default) if isinstance(data, dict) else None
    if not isinstance(values, list):
        return [], False
    read: list[T] = []
    for value in values:
        try:
            read.append(read_one(value))
        except vol.Invalid:
            continue
    return read, len(read) == len(values)
