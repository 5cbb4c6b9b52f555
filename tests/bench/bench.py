"""What every part of the benchmark needs: our Smartcar, cars, and places for Home Assistants."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Final

from tests.simulator import Car

from .process import HomeProcess
from .smartcar import SmartcarProcess

DOMAIN: Final = "smartcar_charging"
MOST_CARS: Final = 1_000


class Bench:
    """Starts Home Assistants that use one Smartcar."""

    def __init__(self, folder: Path, smartcar: SmartcarProcess) -> None:
        """Take a folder for what they keep."""
        self.folder = folder
        self._started = 0
        self.smartcar = smartcar
        self.cars = [
            Car(make="TESLA", model="Model Y", year=2024) for _ in range(MOST_CARS)
        ]

    @asynccontextmanager
    async def home(self) -> AsyncIterator[HomeProcess]:
        """Start a Home Assistant without an account."""
        self._started += 1
        async with HomeProcess(
            self.folder / str(self._started), self.smartcar.url
        ) as home:
            yield home

    @asynccontextmanager
    async def home_with(self, count: int) -> AsyncIterator[HomeProcess]:
        """Start a Home Assistant that has an account with so many cars."""
        async with self.home() as home:
            await home.add_account(DOMAIN, self.cars[:count])
            yield home


def milliseconds(seconds: Sequence[float]) -> float:
    """Return the median."""
    return 1_000 * median(seconds)
