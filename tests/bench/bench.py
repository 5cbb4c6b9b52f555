"""What every part of the benchmark needs: Smartcar, cars, and Home Assistants."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Final

from tests.simulator import Car

from . import REPOSITORY
from .process import HomeProcess
from .smartcar import SmartcarProcess

DOMAIN: Final = "smartcar_charging"
MAX_CARS: Final = 1_000
_TRIVIAL: Final = Path(__file__).parent / "trivial"


class Bench:
    """Starts Home Assistants that use one Smartcar."""

    def __init__(self, folder: Path, smartcar: SmartcarProcess) -> None:
        """Take the folder in which the Home Assistants keep their files."""
        self.folder = folder
        self.smartcar = smartcar
        self.cars: list[Car] = []
        for _ in range(MAX_CARS):
            self.cars.append(Car(make="TESLA", model="Model Y", year=2024))
        self._started = 0

    @asynccontextmanager
    async def home(self, checkout: Path = REPOSITORY) -> AsyncIterator[HomeProcess]:
        """Start a Home Assistant with a checkout's integration, without an account."""
        self._started += 1
        folder = self.folder / str(self._started)
        integrations = self._link_integrations(checkout)
        async with HomeProcess(folder, integrations, self.smartcar.url) as home:
            yield home

    @asynccontextmanager
    async def home_with(
        self, count: int, checkout: Path = REPOSITORY
    ) -> AsyncIterator[HomeProcess]:
        """Start a Home Assistant that has an account with so many cars."""
        async with self.home(checkout) as home:
            await home.add_account(DOMAIN, self.cars[:count])
            yield home

    def _link_integrations(self, checkout: Path) -> Path:
        """Return a folder from which Python imports a checkout's integration."""
        folder = self.folder / ("this" if checkout == REPOSITORY else "other")
        integrations = folder / "custom_components"
        if not integrations.exists():
            integrations.mkdir(parents=True)
            for source in (checkout / "custom_components" / DOMAIN, _TRIVIAL):
                (integrations / source.name).symlink_to(source)
        return folder


def milliseconds(seconds: Sequence[float]) -> float:
    """Return the median in milliseconds."""
    return 1_000 * median(seconds)
