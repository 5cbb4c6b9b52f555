"""Our Smartcar as a process of its own, steered over its control routes."""

import asyncio
from dataclasses import asdict
import sys
from types import TracebackType
from typing import Any, Self

import aiohttp

from tests.simulator import Car

from . import REPOSITORY


class SmartcarProcess:
    """`async with SmartcarProcess() as smartcar: smartcar.url`."""

    url = ""

    async def __aenter__(self) -> Self:
        """Start it, and learn its address."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.simulator",
            "--port",
            "0",
            cwd=REPOSITORY,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        self.url = (await self._process.stdout.readline()).decode().split()[-1]
        self._session = aiohttp.ClientSession(base_url=self.url)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it."""
        await self._session.close()
        self._process.terminate()
        await self._process.wait()

    async def add_cars(self, cars: list[Car]) -> None:
        """Connect cars."""
        for car in cars:
            await self._send("POST", "/simulator/cars", asdict(car))

    async def behave(self, **scenario: Any) -> None:
        """Forget all faults, then follow a scenario."""
        await self._send("POST", "/simulator/scenario", {"behave": True, **scenario})

    async def schedules(self, car: Car) -> list[dict[str, Any]]:
        """Return the schedules that are on a car."""
        path = f"/simulator/vehicles/{car.vehicle_id}/schedules"
        schedules: list[dict[str, Any]] = await self._send("GET", path)
        return schedules

    async def take_requests(self) -> list[dict[str, Any]]:
        """Return what was received since the last time."""
        requests: list[dict[str, Any]] = await self._send(
            "DELETE", "/simulator/requests"
        )
        return requests

    async def _send(self, method: str, path: str, body: Any = None) -> Any:
        """Use a control route."""
        async with self._session.request(method, path, json=body) as response:
            response.raise_for_status()
            return await response.json()
