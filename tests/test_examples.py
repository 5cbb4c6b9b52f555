"""The examples in YAML work as pasted, in a Home Assistant of each language."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.persistent_notification import (
    Notification,
    UpdateType,
    async_register_callback,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.smartcar_charging.const import DOMAIN
from tests.actions import device_id, run_script, set_schedule
from tests.conftest import make_entry
from tests.examples import CAR_ON_PAGES, Example, examples_on_pages
from tests.simulator import TESLA, VOLVO, Fault, Simulator
from tests.texts import INTEGRATION

LANGUAGES: Final = sorted(
    path.stem for path in (INTEGRATION / "translations").iterdir()
)
EXAMPLES: Final = {example.name: example for example in examples_on_pages()}
# The car's part of the entity ids of the car that the examples are pasted for.
CAR: Final = "volvo_ex40_2025"


async def some_turns_of_the_loop() -> None:
    """Let everything run that needs neither a timer nor a thread."""
    for _ in range(50):
        await asyncio.sleep(0)


@dataclass(frozen=True, kw_only=True)
class Home:
    """A Home Assistant with one car, and what it told."""

    hass: HomeAssistant
    freezer: FrozenDateTimeFactory
    simulator: Simulator
    told: list[Notification]

    async def paste(self, component: str, example: Example) -> None:
        """Set up an automation or a script, and expect that it was accepted."""
        content = example.for_car(CAR)
        pasted: Any = {"pasted": content} if component == "script" else [content]
        assert await async_setup_component(self.hass, component, {component: pasted})
        await self.hass.async_block_till_done()
        (state,) = self.hass.states.async_all(component)
        assert state.state != "unavailable"

    async def run_pasted_script(self) -> None:
        """Run the script that was pasted."""
        await self.hass.services.async_call("script", "pasted", blocking=True)

    async def at(self, wall: str) -> None:
        """Let it be that time at home: timers that are due by then run."""
        self.fire(wall)
        await self.hass.async_block_till_done(wait_background_tasks=True)

    async def while_it_waits_at(self, wall: str) -> None:
        """Let it be that time while an automation waits for a later one."""
        await some_turns_of_the_loop()
        self.fire(wall)
        await some_turns_of_the_loop()

    def fire(self, wall: str) -> None:
        """Set the clock, and fire the timers that are due."""
        zone = dt_util.get_default_time_zone()
        instant = dt_util.parse_datetime(wall, raise_on_error=True)
        self.freezer.move_to(instant.replace(tzinfo=zone))
        async_fire_time_changed(self.hass)

    @property
    def sent(self) -> list[tuple[str, str]]:
        """The windows that Smartcar was sent, in order."""
        bodies = [
            request.json["data"]["attributes"] for request in self.simulator.creates
        ]
        return [(body["startTime"], body["stopTime"]) for body in bodies]


@pytest.fixture(params=LANGUAGES)
async def home(
    request: pytest.FixtureRequest,
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
) -> AsyncIterator[Home]:
    """Return a Home Assistant that was always in this language, on a Thursday.

    What was pasted is switched off at the end.
    """
    hass.config.language = request.param
    assert await async_setup_component(hass, "persistent_notification", {})
    entry = make_entry(VOLVO)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    told: list[Notification] = []

    @callback
    def collect(kind: UpdateType, changed: dict[str, Notification]) -> None:
        """Keep what is shown."""
        told.extend(changed.values())

    async_register_callback(hass, collect)
    home = Home(hass=hass, freezer=freezer, simulator=simulator, told=told)
    await home.at("2026-11-26T12:00:00")
    yield home
    for automation in hass.states.async_entity_ids("automation"):
        await hass.services.async_call(
            "automation", "turn_off", {"entity_id": automation}, blocking=True
        )


async def show_card(home: Home, example: Example) -> None:
    """Look for the entities of a card."""
    content = example.for_car(CAR)
    rows = [row["entity"] for row in content["entities"] if "entity" in row]
    known = er.async_get(home.hass).entities
    assert {known[row].platform for row in rows} == {DOMAIN}


async def set_for_the_only_car(home: Home, example: Example) -> None:
    """Set a schedule without a device."""
    await run_script(home.hass, [example.for_car(CAR)])
    assert home.sent == [("23:30", "05:30")]


async def set_for_one_of_several_cars(home: Home, example: Example) -> None:
    """Set a schedule with a device and coordinates, beside another one."""
    other = make_entry(TESLA, data={"access_token": home.simulator.issue_token()})
    other.add_to_hass(home.hass)
    assert await home.hass.config_entries.async_setup(other.entry_id)
    await home.hass.async_block_till_done(wait_background_tasks=True)
    place = example.for_car(CAR)["data"]["location"]
    device = device_id(home.hass, VOLVO)
    await set_schedule(home.hass, device_id=device, location=place)
    await run_script(home.hass, [example.for_car(CAR)])
    assert home.sent[1:] == [("22:00", "06:15")]
    assert f"/vehicles/{VOLVO.vehicle_id}/" in home.simulator.creates[-1].path
    assert len(home.simulator.schedules(VOLVO.vehicle_id)) == 2


async def delete_at_home(home: Home, example: Example) -> None:
    """Delete what was set."""
    await set_schedule(home.hass)
    await run_script(home.hass, [example.for_car(CAR)])
    assert home.simulator.schedules(VOLVO.vehicle_id) == []


async def show_schedules(home: Home, example: Example) -> None:
    """Show what was set, and what was read."""
    await set_schedule(home.hass)
    await home.paste("script", example)
    await home.run_pasted_script()
    (notification,) = home.told
    assert notification["title"] == "Charge schedules"
    assert notification["message"].startswith("- 23:30 to 05:30, on the car: ")


async def set_by_the_day(home: Home, example: Example) -> None:
    """Wait for Friday, Saturday and Sunday."""
    await home.paste("automation", example)
    await home.at("2026-11-26T18:00:00")
    assert home.sent == []
    await home.at("2026-11-27T18:00:00")
    assert home.sent == [("21:00", "09:00")]
    await home.at("2026-11-28T18:00:00")
    assert len(home.sent) == 1
    await home.at("2026-11-29T18:00:00")
    assert home.sent == [("21:00", "09:00"), ("23:30", "05:30")]


async def set_by_helpers(home: Home, example: Example) -> None:
    """Change both helpers within a minute."""
    helper = {"has_date": False, "has_time": True}
    helpers = {"charge_start": helper, "charge_stop": helper}
    assert await async_setup_component(
        home.hass, "input_datetime", {"input_datetime": helpers}
    )
    await home.paste("automation", example)
    for name, time in (("charge_start", "22:15:00"), ("charge_stop", "06:45:00")):
        data = {"entity_id": f"input_datetime.{name}", "time": time}
        await home.hass.services.async_call(
            "input_datetime", "set_datetime", data, blocking=True
        )
    await home.while_it_waits_at("2026-11-26T12:00:30")
    assert home.sent == []
    await home.at("2026-11-26T12:01:31")
    assert home.sent == [("22:15", "06:45")]


async def tell_of_each_command(home: Home, example: Example) -> None:
    """Send one that succeeds, and one that nobody confirms."""
    await home.paste("automation", example)
    await set_schedule(home.hass)
    await home.hass.async_block_till_done()
    assert home.told == []
    home.simulator.script(Fault.error(500, "SERVER", "INTERNAL", "Out of order."))
    with pytest.raises(HomeAssistantError):
        await set_schedule(home.hass)
    await home.hass.async_block_till_done()
    (notification,) = home.told
    assert notification["title"] == "Charge schedule: unconfirmed"
    assert notification["message"].split("\n")[0] == "Out of order."


async def tell_where_it_is_called(home: Home, example: Example) -> None:
    """Run it with success, and without."""
    await home.paste("script", example)
    await home.run_pasted_script()
    home.simulator.script(Fault.error(409, "VEHICLE_STATE", "ASLEEP"))
    await home.run_pasted_script()
    done, failed = home.told
    assert done["message"].startswith("From 23:30 to 05:30.")
    assert "The sensor says failed." in failed["message"]


type Run = Callable[[Home, Example], Awaitable[None]]

_ACTION: Final = f"{DOMAIN}.set_daily_charge_schedule"
RUNS: Final[dict[str, Run]] = {
    "Tesla Model Y": show_card,
    f"{_ACTION}: start_time, stop_time": set_for_the_only_car,
    f"{_ACTION}: device_id, location, replace, start_time, stop_time": (
        set_for_one_of_several_cars
    ),
    f"{DOMAIN}.delete_charge_schedule: zone": delete_at_home,
    "Show the charge schedules": show_schedules,
    "Charge window for the night tariff": set_by_the_day,
    "Charge window from the dashboard": set_by_helpers,
    "Tell me when a charge schedule is not confirmed": tell_of_each_command,
    "Set the charge window and tell what became of it": tell_where_it_is_called,
}


@pytest.mark.parametrize("name", RUNS)
async def test_example_works_as_pasted(home: Home, name: str) -> None:
    """Its entities exist, and it does what the page says."""
    example = EXAMPLES[name]
    await RUNS[name](home, example)
    there = set(home.hass.states.async_entity_ids())
    assert example.entity_ids(CAR) - there == set()


def test_every_example_is_run() -> None:
    """None is on a page that this does not try, and no two have one name."""
    assert len(EXAMPLES) == len(examples_on_pages())
    assert EXAMPLES.keys() == RUNS.keys()


@pytest.mark.parametrize(
    "name", [name for name, example in EXAMPLES.items() if example.names_a_car]
)
def test_page_says_what_to_replace(name: str) -> None:
    """In the text around the example itself."""
    assert f"Replace `{CAR_ON_PAGES}`" in EXAMPLES[name].section
