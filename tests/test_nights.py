"""The blueprints through many nights that an adversary disturbs."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
import logging

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.blueprints import Prices, Stage
from tests.night_rules import broken_rules
from tests.nights import CARS, House
from tests.simulator import Car, Simulator


@pytest.fixture
def cars() -> list[Car]:
    """Return a car for each blueprint that sends."""
    return [*CARS.values()]


@pytest.fixture
async def house(
    request: pytest.FixtureRequest,
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    simulator: Simulator,
    entry: MockConfigEntry,
) -> AsyncIterator[House]:
    """Return a house whose nights are drawn with the seed of this run."""
    seed = request.config.getoption("--seed")
    house = House(Stage(hass, freezer, simulator), entry, Prices(), seed)
    await house.set_up()
    logging.getLogger().addHandler(house.complaints)
    yield house
    logging.getLogger().removeHandler(house.complaints)
    await hass.services.async_call(
        "automation", "turn_off", {"entity_id": "all"}, blocking=True
    )


async def live(house: House, first: date, count: int) -> None:
    """Live through nights; the first that breaks a rule fails the test."""
    for number in range(count):
        night = await house.live_through(first + timedelta(days=number))
        broken = broken_rules(house, night)
        assert not broken, house.story(night, broken)


@pytest.mark.parametrize(
    "first", [date(2027, 3, 8), date(2027, 10, 11)], ids=["spring", "autumn"]
)
async def test_rules_hold_after_every_night(house: House, first: date) -> None:
    """Thirty nights around each change of the clocks."""
    await live(house, first, 30)


@pytest.mark.year
async def test_rules_hold_through_a_year(house: House) -> None:
    """All nights of a year, with both changes of the clocks."""
    await live(house, date(2027, 1, 1), 365)
