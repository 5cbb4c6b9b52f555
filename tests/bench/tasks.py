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
from homeassistant.core import HomeAssistant, State
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util import dt as dt_util
import psutil
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.smartcar_charging.const import DOMAIN
from custom_components.smartcar_charging.ledger import Ledger
from tests.simulator import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET

_ACTION: Final = "set_daily_charge_schedule"
_ENTITIES_PER_CAR: Final = 9
_MAX_AT_ONE_CAR: Final = 4  # one at work, and the most that may wait
_HOURS_OF_A_DAY: Final = 24
# Each command changes the window, as people do: the same one again would leave most
# entities as they are.
_WINDOWS: Final = (
    {"start_time": "23:30", "stop_time": "05:30"},
    {"start_time": "00:15", "stop_time": "06:00"},
)
# The ledger's method that writes to the disk: its name, and that in older checkouts.
_WRITE_METHODS: Final = ("async_write", "async_save")


class Tasks:
    """The tasks, which take and return what JSON can hold."""

    def __init__(self, hass: HomeAssistant, smartcar_url: str) -> None:
        """Take a Home Assistant without an account, and our Smartcar's address."""
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
        """Set up an entry with these cars; return what that took, and what it holds."""
        entry = _make_entry(domain, cars)
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
            devices = {}
            for device_id, vehicle in entry.runtime_data.vehicles_by_device.items():
                devices[vehicle.vehicle_id] = device_id
            self._cars = cars
            self._devices = [devices[car["vehicle_id"]] for car in cars]
        return {"seconds": seconds, "bytes": held, "entities": len(entities)}

    async def time_commands(
        self, way: str, count: int, pause: float = 0
    ) -> dict[str, Any]:
        """Send commands to the first car; return how long each took, and its CPU."""
        send = await self._way(way)
        took: dict[str, list[float]] = {"wall": [], "loop": [], "process": []}
        for _ in range(count):
            await asyncio.sleep(pause)
            started_at = time.perf_counter()
            loop = time.thread_time()
            process = time.process_time()
            await send(0)
            took["wall"].append(time.perf_counter() - started_at)
            await self._hass.async_block_till_done()
            took["loop"].append(time.thread_time() - loop)
            took["process"].append(time.process_time() - process)
        return took

    async def time_blocks(self, way: str, count: int, pause: float) -> list[float]:
        """Send commands; return how long each kept the event loop from all else."""
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
        """Send commands; return how long the durable writes of each took, and the CPU.

        The CPU is that of the event loop. Both are 0 in a checkout whose ledger writes
        with a method of another name.
        """
        waited: list[float] = []
        loop: list[float] = []
        with _timed_writes(waited, loop):
            for _ in range(count):
                await asyncio.sleep(pause)
                waited.append(0)
                loop.append(0)
                await self._set(0)
        return {"wall": waited, "loop": loop}

    async def watch_yaml_package(self) -> dict[str, Any]:
        """Set a schedule with the YAML package; return its response and its sensors."""
        send = await self._way("yaml_package")
        response = await send(0)
        await self._hass.async_block_till_done()
        execution = self._state("sensor.yaml_last_execution")
        return {
            "response": response,
            "last_execution": execution.state,
            "schedule_id": execution.attributes["schedule_id"],
            "charge_schedule": self._state("sensor.yaml_charge_schedule").state,
        }

    async def at_once(self, way: str) -> dict[str, float]:
        """Send a command to every car at once; return how long all of it took."""
        send = await self._way(way)
        started_at = time.perf_counter()
        await asyncio.gather(*(send(number) for number in range(len(self._cars))))
        return {"seconds": time.perf_counter() - started_at}

    async def to_one_car(self, count: int) -> dict[str, float]:
        """Send commands to one car, as many at once as may wait; return the time."""
        room = asyncio.Semaphore(_MAX_AT_ONE_CAR)

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
        for hour in range(_HOURS_OF_A_DAY + 1):
            async_fire_time_changed(self._hass, now + timedelta(hours=hour))
            await self._hass.async_block_till_done(wait_background_tasks=True)

    async def set_many(self, count: int) -> None:
        """Set schedules that replace each other, every one another window."""
        for number in range(count):
            start_time = f"{20 + number % 4}:{number % 60:02}"
            await self._set(0, replace=True, start_time=start_time)

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
            "yaml_package": self._yaml_package,
            "rest_command": self._rest_command,
            "aiohttp": self._bare,
        }[name]

    async def _set(self, number: int, **data: Any) -> Any:
        """Set a schedule with our action."""
        usual = {"device_id": self._devices[number], "replace": False}
        return await self._call(DOMAIN, **{**usual, **next(self._windows), **data})

    async def _yaml_package(self, number: int) -> Any:
        """Set a schedule with the script of the YAML package."""
        return await self._call("script", **self._request(number))

    async def _rest_command(self, number: int) -> Any:
        """Set a schedule with nothing but the rest_command of the YAML package."""
        return await self._call("rest_command", **self._request(number))

    async def _call(self, domain: str, **data: Any) -> Any:
        """Call the action of that name that a domain has."""
        return await self._hass.services.async_call(
            domain, _ACTION, data, blocking=True, return_response=True
        )

    def _request(self, number: int) -> dict[str, Any]:
        """Return what the YAML package wants to know for a request."""
        car = self._cars[number]
        return {
            "vehicle_id": car["vehicle_id"],
            "user_id": car["user_id"],
            "token": self._token,
            **next(self._windows),
        }

    async def _bare(self, number: int) -> Any:
        """Set a schedule with nothing but aiohttp, on Home Assistant's own session."""
        request = self._request(number)
        home = self._hass.config
        attributes = {
            "location": {"latitude": home.latitude, "longitude": home.longitude},
            "startTime": request["start_time"],
            "stopTime": request["stop_time"],
        }
        async with self._session.post(
            f"{self._url}/v3/vehicles/{request['vehicle_id']}/charge-schedules/daily",
            headers={
                "Authorization": f"Bearer {request['token']}",
                "sc-user-id": request["user_id"],
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

    def _state(self, entity_id: str) -> State:
        """Return the state of an entity; raise RuntimeError if there is none."""
        state = self._hass.states.get(entity_id)
        if state is None:
            raise RuntimeError(f"no such entity: {entity_id}")
        return state


def _make_entry(domain: str, cars: list[dict[str, Any]]) -> ConfigEntry:
    """Return an entry with a subentry for every car."""
    subentries = []
    for number, car in enumerate(cars):
        data = {
            key: car[key] for key in ("vehicle_id", "user_id", "make", "model", "year")
        }
        subentry = ConfigSubentryData(
            subentry_type="vehicle",
            title=f"Car {number}",
            unique_id=car["vehicle_id"],
            data=MappingProxyType(data),
        )
        subentries.append(subentry)
    return ConfigEntry(
        domain=domain,
        title=domain,
        data={
            CONF_CLIENT_ID: DEMO_CLIENT_ID,
            CONF_CLIENT_SECRET: DEMO_CLIENT_SECRET,
            "entities": _ENTITIES_PER_CAR,
        },
        version=1,
        minor_version=1,
        source="user",
        unique_id=domain,
        options={},
        discovery_keys=MappingProxyType({}),
        subentries_data=subentries,
    )


def _resident_bytes() -> int:
    """Return how much memory this process holds."""
    gc.collect()
    held: int = psutil.Process().memory_info().rss
    return held


@contextmanager
def _timed_writes(waited: list[float], loop: list[float]) -> Iterator[None]:
    """Add what every durable write of the ledger takes to the last of the numbers."""
    name = next((name for name in _WRITE_METHODS if hasattr(Ledger, name)), None)
    if name is None:
        yield
        return
    write = getattr(Ledger, name)

    async def timed(*arguments: Any) -> Any:
        """Write, and note how long it took."""
        started_at = time.perf_counter()
        cpu = time.thread_time()
        result = await write(*arguments)
        waited[-1] += time.perf_counter() - started_at
        loop[-1] += time.thread_time() - cpu
        return result

    with patch.object(Ledger, name, timed):
        yield


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
