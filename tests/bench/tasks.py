"""What the measured Home Assistant can be asked to do."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
import gc
from itertools import cycle
import time
from types import MappingProxyType
from typing import Any, Final
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntry, ConfigSubentryData
from homeassistant.const import CONF_CLIENT_ID, CONF_CLIENT_SECRET
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util import dt as dt_util
import psutil
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.smartcar_charging.const import DOMAIN
from custom_components.smartcar_charging.ledger import Ledger
from tests.simulator import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET

_ENTITIES_OF_A_CAR: Final = 9
_MOST_AT_ONE_CAR: Final = 4  # one at work, and the most that may wait
# Each command changes the window, as people do: the same one again would leave most entities as they are.
_WINDOWS: Final = (
    {"start_time": "23:30", "stop_time": "05:30"},
    {"start_time": "00:15", "stop_time": "06:00"},
)


def _resident_bytes() -> int:
    """Return how much memory this process holds."""
    gc.collect()
    held: int = psutil.Process().memory_info().rss
    return held


class Tasks:
    """All of them return what JSON can hold."""

    def __init__(self, hass: HomeAssistant, smartcar_url: str) -> None:
        """Begin without an account."""
        self._hass = hass
        self._url = smartcar_url
        self._session = async_get_clientsession(hass)
        self._cars: list[dict[str, Any]] = []
        self._devices: list[str] = []
        self._token = ""
        self._windows = cycle(_WINDOWS)

    async def add_account(
        self, domain: str, cars: list[dict[str, Any]]
    ) -> dict[str, float]:
        """Set up an entry with these cars; return how long that took, and what it holds."""
        subentries = [
            ConfigSubentryData(
                subentry_type="vehicle",
                title=f"Car {number}",
                unique_id=car["vehicle_id"],
                data=MappingProxyType(
                    {
                        key: car[key]
                        for key in ("vehicle_id", "user_id", "make", "model", "year")
                    }
                ),
            )
            for number, car in enumerate(cars)
        ]
        entry = ConfigEntry(
            domain=domain,
            title=domain,
            data={
                CONF_CLIENT_ID: DEMO_CLIENT_ID,
                CONF_CLIENT_SECRET: DEMO_CLIENT_SECRET,
                "entities": _ENTITIES_OF_A_CAR,
            },
            version=1,
            minor_version=1,
            source="user",
            unique_id=domain,
            options={},
            discovery_keys=MappingProxyType({}),
            subentries_data=subentries,
        )
        before = _resident_bytes()
        started_at = time.perf_counter()
        await self._hass.config_entries.async_add(entry)
        await self._hass.async_block_till_done()
        seconds = time.perf_counter() - started_at
        await self._hass.async_block_till_done(wait_background_tasks=True)
        held = _resident_bytes() - before
        entities = er.async_entries_for_config_entry(
            er.async_get(self._hass), entry.entry_id
        )
        if domain == DOMAIN:
            self._cars = cars
            loaded = entry.runtime_data.vehicles_by_device.items()
            devices = {vehicle.vehicle_id: device for device, vehicle in loaded}
            self._devices = [devices[car["vehicle_id"]] for car in cars]
        return {"seconds": seconds, "bytes": held, "entities": len(entities)}

    async def time_commands(
        self, way: str, count: int, pause: float = 0
    ) -> dict[str, Any]:
        """Send one command after another to the first car; return how long each took, and the CPU that it took."""
        send = await self._way(way)
        took: dict[str, list[float]] = {"wall": [], "loop": [], "process": []}
        for _ in range(count):
            await asyncio.sleep(pause)
            started_at, loop, process = (
                time.perf_counter(),
                time.thread_time(),
                time.process_time(),
            )
            await send(0)
            took["wall"].append(time.perf_counter() - started_at)
            await self._hass.async_block_till_done()
            took["loop"].append(time.thread_time() - loop)
            took["process"].append(time.process_time() - process)
        return took

    async def time_blocks(self, way: str, count: int, pause: float) -> list[float]:
        """Send commands; return for each the longest that the event loop did nothing else."""
        send = await self._way(way)
        longest = []
        with _stopwatch() as durations:
            for _ in range(count):
                await asyncio.sleep(pause)
                durations.clear()
                await send(0)
                await self._hass.async_block_till_done()
                longest.append(max(durations))
        return longest

    async def time_writes(self, count: int, pause: float = 0) -> dict[str, list[float]]:
        """Send commands; return for each how long its durable writes took, and the event loop's CPU for them."""
        save = Ledger.async_save
        waited: list[float] = []
        loop: list[float] = []

        async def timed(ledger: Ledger) -> bool:
            """Write, and note how long it took."""
            started_at, cpu = time.perf_counter(), time.thread_time()
            is_saved = await save(ledger)
            waited[-1] += time.perf_counter() - started_at
            loop[-1] += time.thread_time() - cpu
            return is_saved

        with patch.object(Ledger, "async_save", timed):
            for _ in range(count):
                await asyncio.sleep(pause)
                waited.append(0)
                loop.append(0)
                await self._set(0)
        return {"wall": waited, "loop": loop}

    async def at_once(self, way: str) -> dict[str, float]:
        """Send a command to every car at once; return how long all of it took."""
        send = await self._way(way)
        started_at = time.perf_counter()
        await asyncio.gather(*(send(number) for number in range(len(self._cars))))
        return {"seconds": time.perf_counter() - started_at}

    async def to_one_car(self, count: int) -> dict[str, float]:
        """Send commands to one car, always as many at once as it lets wait; return how long all of it took."""
        room = asyncio.Semaphore(_MOST_AT_ONE_CAR)

        async def send() -> None:
            """Send when there is room."""
            async with room:
                await self._set(0)

        started_at = time.perf_counter()
        await asyncio.gather(*(send() for _ in range(count)))
        return {"seconds": time.perf_counter() - started_at}

    async def pass_a_day(self) -> None:
        """Let everything happen that is due within a day."""
        now = dt_util.utcnow()
        for hour in range(25):
            async_fire_time_changed(self._hass, now + timedelta(hours=hour))
            await self._hass.async_block_till_done(wait_background_tasks=True)

    async def set_many(self, count: int) -> None:
        """Set schedules that replace each other, every one another window."""
        for number in range(count):
            await self._set(
                0, replace=True, start_time=f"{20 + number % 4}:{number % 60:02}"
            )

    async def fail_to_set_schedule(self, count: int = 1) -> None:
        """Set schedules that Smartcar is told not to take."""
        for _ in range(count):
            try:
                await self._set(0)
            except HomeAssistantError:
                continue
            raise RuntimeError("that was not meant to succeed")

    async def _way(self, name: str) -> Callable[[int], Awaitable[Any]]:
        """Return a way to set a schedule; those that are not ours need a token."""
        self._token = self._token or await self._mint()
        return {
            "action": self._set,
            "rest_command": self._rest_command,
            "aiohttp": self._bare,
        }[name]

    async def _set(self, number: int, **data: Any) -> Any:
        """Set a schedule with our action."""
        return await self._hass.services.async_call(
            DOMAIN,
            "set_daily_charge_schedule",
            {
                "device_id": self._devices[number],
                "replace": False,
                **next(self._windows),
                **data,
            },
            blocking=True,
            return_response=True,
        )

    async def _rest_command(self, number: int) -> Any:
        """Set it with Home Assistant's own action for any web service."""
        car = self._cars[number]
        return await self._hass.services.async_call(
            "rest_command",
            "set_daily_charge_schedule",
            {
                "vehicle_id": car["vehicle_id"],
                "user_id": car["user_id"],
                "token": self._token,
                **next(self._windows),
            },
            blocking=True,
            return_response=True,
        )

    async def _bare(self, number: int) -> Any:
        """Set it with nothing but aiohttp, on Home Assistant's shared session."""
        car = self._cars[number]
        home, window = self._hass.config, next(self._windows)
        attributes = {
            "location": {"latitude": home.latitude, "longitude": home.longitude},
            "startTime": window["start_time"],
            "stopTime": window["stop_time"],
        }
        async with self._session.post(
            f"{self._url}/v3/vehicles/{car['vehicle_id']}/charge-schedules/daily",
            headers={
                "Authorization": f"Bearer {self._token}",
                "sc-user-id": car["user_id"],
            },
            json={"data": {"attributes": attributes}},
        ) as response:
            return await response.json()

    async def _mint(self) -> str:
        """Return a token of the benchmark's own."""
        form = {
            "grant_type": "client_credentials",
            "client_id": DEMO_CLIENT_ID,
            "client_secret": DEMO_CLIENT_SECRET,
        }
        async with self._session.post(
            f"{self._url}/oauth2/token", data=form
        ) as response:
            token: str = (await response.json())["access_token"]
            return token


@contextmanager
def _stopwatch() -> Iterator[list[float]]:
    """Time every single thing that the event loop runs."""
    durations: list[float] = []
    run = asyncio.Handle._run

    def timed(handle: asyncio.Handle) -> None:
        """Run it, and note how long it took."""
        started_at = time.perf_counter()
        run(handle)
        durations.append(time.perf_counter() - started_at)

    with patch.object(asyncio.Handle, "_run", timed):
        yield durations
