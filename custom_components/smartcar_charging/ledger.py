"""What survives a restart or a power cut: one private file for each car.

It is not one of Home Assistant's stores: those hide errors of writing, and defer while
stopping. A ledger has to know what is on the disk.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
import logging
from pathlib import Path
import re
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.json import save_json
from homeassistant.helpers.storage import STORAGE_DIR
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey
from homeassistant.util.json import json_loads

from .const import DOMAIN
from .models import VehicleState
from .stored_state import as_content, from_content

_LOGGER = logging.getLogger(__name__)

WRITE_RETRY_SECONDS: Final = 60

_ASIDE: Final = "set_aside"
# The keys are those of Home Assistant's subentries: 26 characters of its ULIDs.
_FILE_NAME: Final = re.compile(rf"{DOMAIN}\.([0-9A-Z]{{26}})(?:\.{_ASIDE}\..+)?")

# What could not be written at the end of a ledger, for the next one of the same car.
_UNWRITTEN: HassKey[dict[str, VehicleState]] = HassKey(f"{DOMAIN}_unwritten")
# The keys of the cars whose files are in use.
_IN_USE: HassKey[set[str]] = HassKey(f"{DOMAIN}_ledgers_in_use")


class LedgerUnreadableError(Exception):
    """The file is there and cannot be opened: nobody knows what is in it."""


class Ledger:
    """Writes the states of one car, and knows what is on the disk."""

    def __init__(self, hass: HomeAssistant, key: str) -> None:
        """Initialize the ledger of the car with this key."""
        self._hass = hass
        self._key = key
        self._path = _path(hass, key)
        self._lock = asyncio.Lock()
        self._unwritten: VehicleState | None = None
        self._cancel_retry: CALLBACK_TYPE | None = None
        self._is_ended = False
        hass.data.setdefault(_IN_USE, set()).add(key)

    async def async_read(self) -> VehicleState | None:
        """Return the state on record, None if there is none.

        Raises LedgerUnreadableError if the file cannot be opened.
        """
        unwritten = self._hass.data.get(_UNWRITTEN, {}).pop(self._key, None)
        if unwritten is not None:
            self._unwritten = unwritten
            await self._async_write()
            return unwritten
        async with self._lock:
            read = self._hass.async_add_executor_job(_read, self._path)
            state, is_on_disk = await read
            if not is_on_disk:
                self._unwritten = state
        await self._async_write()
        return state

    async def async_write(self, state: VehicleState) -> bool:
        """Write a state; return whether it, or a later one, is on the disk for certain.

        What could not be written is tried again by itself. A caller who is cancelled
        does not cut the write off: its thread would go on, and might undo a later one.
        """
        if self._is_ended:
            raise RuntimeError("the ledger of this car has ended")
        self._unwritten = state
        task = self._hass.async_create_task(self._async_write(), eager_start=True)
        return await asyncio.shield(task)

    async def async_end(self) -> None:
        """Finish the last write; what is still unwritten is left to the next ledger."""
        self._is_ended = True
        await self._async_write()
        self._unschedule_retry()
        if self._unwritten is not None:
            unwritten = self._hass.data.setdefault(_UNWRITTEN, {})
            unwritten[self._key] = self._unwritten
        self._hass.data[_IN_USE].discard(self._key)

    async def _async_write(self) -> bool:
        """Write the newest state, after what is being written."""
        async with self._lock:
            state = self._unwritten
            if state is None:
                return True
            self._unschedule_retry()
            try:
                await self._hass.async_add_executor_job(_write, self._path, state)
            except (HomeAssistantError, OSError, RuntimeError) as err:
                _LOGGER.debug("A record was not written: %s", type(err).__name__)
                self._schedule_retry()
                return False
            if self._unwritten is state:
                self._unwritten = None
            return True

    @callback
    def _schedule_retry(self) -> None:
        """Try again later."""
        job = HassJob(self._async_retry, cancel_on_shutdown=True)
        self._cancel_retry = async_call_later(self._hass, WRITE_RETRY_SECONDS, job)

    @callback
    def _unschedule_retry(self) -> None:
        """Try no more by itself."""
        if self._cancel_retry is not None:
            self._cancel_retry()
            self._cancel_retry = None

    async def _async_retry(self, _now: datetime) -> None:
        """Write what could not be written before."""
        self._cancel_retry = None
        await self._async_write()


async def async_read_state(hass: HomeAssistant, key: str) -> VehicleState | None:
    """Return what is known of a car that is not loaded, from memory or from its file.

    Raises LedgerUnreadableError if the file cannot be opened.
    """
    unwritten = hass.data.get(_UNWRITTEN, {}).get(key)
    if unwritten is not None:
        return unwritten
    state, _is_on_disk = await hass.async_add_executor_job(_read, _path(hass, key))
    return state


async def async_keys_not_in_use(hass: HomeAssistant) -> set[str]:
    """Return the keys of the cars that have a file which no ledger uses."""
    folder = Path(hass.config.path(STORAGE_DIR))
    keys = await hass.async_add_executor_job(_list_keys, folder)
    unwritten = hass.data.get(_UNWRITTEN)
    if unwritten is not None:
        keys |= set(unwritten)
    in_use = hass.data.get(_IN_USE)
    return keys - in_use if in_use else keys


async def async_remove_record(hass: HomeAssistant, key: str) -> None:
    """Remove the file of a car and what was set aside of it; raise OSError if not."""
    await hass.async_add_executor_job(_remove, _path(hass, key))
    hass.data.get(_UNWRITTEN, {}).pop(key, None)


def _path(hass: HomeAssistant, key: str) -> Path:
    """Return the path of a car's file."""
    return Path(hass.config.path(STORAGE_DIR, f"{DOMAIN}.{key}"))


def _list_keys(folder: Path) -> set[str]:
    """Return the keys of the files of ours, and of nothing else."""
    keys = set()
    for path in folder.glob(f"{DOMAIN}.*"):
        match = _FILE_NAME.fullmatch(path.name)
        if match is not None and path.is_file():
            keys.add(match[1])
    return keys


def _asides(path: Path) -> Iterable[Path]:
    """Return what was set aside of a car's file."""
    return path.parent.glob(f"{path.name}.{_ASIDE}.*")


def _remove(path: Path) -> None:
    """Remove a file and what was set aside of it."""
    for aside in _asides(path):
        aside.unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def _read(path: Path) -> tuple[VehicleState | None, bool]:
    """Read a file; return what it held, and whether it still does.

    What is not a whole record is set aside.
    """
    try:
        content: Any = json_loads(path.read_bytes())
    except FileNotFoundError as err:
        if path.is_symlink():
            raise LedgerUnreadableError(type(err).__name__) from err
        return _read_newest_aside(path)
    except OSError as err:
        raise LedgerUnreadableError(type(err).__name__) from err
    except ValueError:
        content = None
    state, is_whole = from_content(content, dt_util.utcnow())
    if not is_whole:
        _set_aside(path)
    return state, is_whole


def _read_newest_aside(path: Path) -> tuple[VehicleState | None, bool]:
    """Return what can be read of a file that was set aside just before a power cut."""
    try:
        asides = sorted(_asides(path), key=lambda aside: aside.stat().st_mtime_ns)
        if not asides:
            return None, True
        content: Any = json_loads(asides[-1].read_bytes())
    except OSError as err:
        raise LedgerUnreadableError(type(err).__name__) from err
    except ValueError:
        content = None
    found_at = dt_util.utcnow()
    state, _is_whole = from_content(content, found_at)
    return replace(state, record_lost_at=found_at), False


def _set_aside(path: Path) -> None:
    """Give a file another name that is not taken."""
    base = f"{path.name}.{_ASIDE}.{dt_util.utcnow():%Y%m%dT%H%M%S}"
    aside = path.with_name(base)
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{base}.{number}")
    try:
        path.rename(aside)
    except FileNotFoundError:
        # Somebody else has taken it away meanwhile.
        return
    except OSError as err:
        raise LedgerUnreadableError(type(err).__name__) from err
    _LOGGER.warning("A record could not be read in full; it is kept as %s", aside)


def _write(path: Path, state: VehicleState) -> None:
    """Write a file, all or nothing, and wait until the disk has it."""
    path.parent.mkdir(exist_ok=True)
    save_json(str(path), as_content(state), private=True, atomic_writes=True)
