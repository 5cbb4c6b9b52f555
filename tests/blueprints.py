"""The blueprints in a Home Assistant, with times and prices that tests choose."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
import shutil
from time import sleep
from typing import Any, Final
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
)
from homeassistant.exceptions import ServiceNotSupported
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from homeassistant.util.async_ import get_scheduled_timer_handles
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    async_mock_service,
)
import voluptuous as vol

from tests.actions import device_id
from tests.simulator import TESLA, Simulator

FOLDER: Final = Path(__file__).parent.parent / "blueprints/automation/smartcar_charging"
AMSTERDAM: Final = ZoneInfo("Europe/Amsterdam")
# Nord Pool's days begin at midnight in Oslo, whose clocks are Amsterdam's.
OSLO: Final = ZoneInfo("Europe/Oslo")
QUARTER: Final = timedelta(minutes=15)
HOUR: Final = timedelta(hours=1)
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass
class Stage:
    """A Home Assistant with one automation of a blueprint, and what it told."""

    hass: HomeAssistant
    freezer: FrozenDateTimeFactory
    simulator: Simulator
    told: list[ServiceCall] = field(default_factory=list)

    async def set_up(self, blueprint: str, **inputs: Any) -> None:
        """Import the repository's blueprint, and make an automation of it."""
        target = Path(self.hass.config.path("blueprints/automation/smartcar_charging"))
        shutil.copytree(FOLDER, target, dirs_exist_ok=True)
        self.told = async_mock_service(self.hass, "persistent_notification", "create")
        automation = {
            "id": "tested",
            "alias": "Tested",
            "use_blueprint": {
                "path": f"smartcar_charging/{blueprint}",
                "input": {"car": device_id(self.hass, TESLA), **inputs},
            },
        }
        assert await async_setup_component(
            self.hass, "automation", {"automation": [automation]}
        )
        await self.hass.async_block_till_done()
        state = self.hass.states.get("automation.tested")
        assert state is not None
        assert state.state == "on"

    async def at(self, wall: str) -> None:
        """Let it be that time in Amsterdam: timers that are due by then run."""
        self.fire(wall)
        await self.hass.async_block_till_done(wait_background_tasks=True)

    async def delayed_at(self, wall: str) -> None:
        """Let it be that time, and wait until the automation waits a quarter hour."""
        self.fire(wall)
        for _ in range(1000):
            timers = [
                timer.when() - self.hass.loop.time()
                for timer in get_scheduled_timer_handles(self.hass.loop)
            ]
            if any(
                abs(seconds - QUARTER.total_seconds()) < 0.001 for seconds in timers
            ):
                return
            await self.hass.async_add_executor_job(sleep, 0.005)
        raise TimeoutError

    def fire(self, wall: str) -> None:
        """Set the clock, and fire the timers that are due."""
        instant = datetime.fromisoformat(wall).replace(tzinfo=AMSTERDAM).astimezone(UTC)
        self.freezer.move_to(instant)
        async_fire_time_changed(self.hass, instant)

    @property
    def sent(self) -> list[tuple[str, str]]:
        """The windows that Smartcar was sent, in order."""
        bodies = [
            request.json["data"]["attributes"] for request in self.simulator.creates
        ]
        return [(body["startTime"], body["stopTime"]) for body in bodies]

    @property
    def messages(self) -> list[str]:
        """What was told, in order."""
        return [call.data["message"] for call in self.told]


@dataclass
class Prices:
    """What the electricity costs; `known_until` is the end of the published prices."""

    of: Callable[[datetime], float] = lambda _: 0.25
    step: timedelta = HOUR
    known_until: datetime = _NEVER
    asked: list[dict[str, Any]] = field(default_factory=list)

    def between(
        self, begin: datetime, end: datetime
    ) -> Iterator[tuple[datetime, datetime, float]]:
        """Return the steps with their beginning, end and price."""
        at, end = begin.astimezone(UTC), min(end.astimezone(UTC), self.known_until)
        while at < end:
            yield at, at + self.step, self.of(at.astimezone(AMSTERDAM))
            at += self.step

    def register(self, hass: HomeAssistant) -> None:
        """Offer the three integrations' actions, with their fields and responses."""
        for domain, action, schema, respond in (
            ("nordpool", "get_prices_for_date", NORDPOOL_SCHEMA, self._nordpool),
            ("tibber", "get_prices", TIBBER_SCHEMA, self._tibber),
            ("energyzero", "get_energy_prices", ENERGYZERO_SCHEMA, self._energyzero),
        ):

            async def handle(
                call: ServiceCall,
                respond: Callable[[ServiceCall], ServiceResponse] = respond,
            ) -> ServiceResponse:
                """Note what was asked, and answer."""
                self.asked.append(dict(call.data))
                return respond(call)

            hass.services.async_register(
                domain, action, handle, schema, SupportsResponse.ONLY
            )

    def _nordpool(self, call: ServiceCall) -> ServiceResponse:
        """Answer with a day of Nord Pool, areas by name.

        As homeassistant/components/nordpool/services.py does.
        """
        _check_entry(call, "nordpool")
        day: date = call.data["date"]
        slots = self.between(
            _midnight(day, OSLO), _midnight(day + timedelta(days=1), OSLO)
        )
        prices: list[Any] = [
            {"start": begin.isoformat(), "end": end.isoformat(), "price": price * 1000}
            for begin, end, price in slots
        ]
        return {"NL": prices, "SYS": [{**price, "price": 0.0} for price in prices]}

    def _tibber(self, call: ServiceCall) -> ServiceResponse:
        """Answer with homes by name, without the ends.

        As homeassistant/components/tibber/services.py does.
        """
        begin, end = (
            dt_util.as_local(datetime.fromisoformat(call.data[name]))
            for name in ("start", "end")
        )
        prices: list[Any] = [
            {
                "start_time": at.astimezone(AMSTERDAM).isoformat(
                    timespec="milliseconds"
                ),
                "price": price,
            }
            for at, _, price in self.between(begin, end)
        ]
        return {"prices": {"Home": prices, "Cabin": []}}

    def _energyzero(self, call: ServiceCall) -> ServiceResponse:
        """Answer in UTC, without the ends.

        As homeassistant/components/energyzero/services.py did in 2026.3.
        """
        _check_entry(call, "energyzero")
        days = [date.fromisoformat(call.data[name]) for name in ("start", "end")]
        step = self.step
        if call.data.get("interval") == "quarter":
            self.step = QUARTER
        slots = list(
            self.between(
                _midnight(days[0], AMSTERDAM),
                _midnight(days[1] + timedelta(days=1), AMSTERDAM),
            )
        )
        self.step = step
        return {
            "prices": [
                {"timestamp": str(begin), "price": price} for begin, _, price in slots
            ]
        }


NORDPOOL_SCHEMA: Final = vol.Schema(
    {vol.Required("config_entry"): str, vol.Required("date"): cv.date}
)
TIBBER_SCHEMA: Final = vol.Schema(
    {vol.Optional("start"): str, vol.Optional("end"): str}
)
ENERGYZERO_SCHEMA: Final = vol.Schema(
    {
        vol.Required("config_entry"): str,
        vol.Required("incl_vat"): bool,
        vol.Optional("start"): str,
        vol.Optional("end"): str,
        vol.Optional("interval"): vol.In(("hour", "quarter")),
    }
)


def add_price_entries(hass: HomeAssistant) -> None:
    """Set up Nord Pool and EnergyZero as far as the blueprint looks for them."""
    for domain in ("nordpool", "energyzero"):
        entry = MockConfigEntry(
            domain=domain, title=domain, entry_id=f"the_entry_of_{domain}"
        )
        entry.add_to_hass(hass)
        er.async_get(hass).async_get_or_create(
            "sensor", domain, "price", config_entry=entry
        )


def _check_entry(call: ServiceCall, domain: str) -> None:
    """Refuse an entry of something else."""
    entry = call.hass.config_entries.async_get_entry(call.data["config_entry"])
    if entry is None or entry.domain != domain:
        # The tests watch the words of all errors. Of Home Assistant's own, they let
        # only this one pass.
        raise ServiceNotSupported(domain, call.service, call.data["config_entry"])


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the beginning of a day."""
    return datetime.combine(day, time(), zone)


def cheap_between(*spans: tuple[str, str]) -> Callable[[datetime], float]:
    """Return prices that are low in spans of the day, none over midnight."""
    return lambda at: (
        0.05 if any(start <= f"{at:%H:%M}" < stop for start, stop in spans) else 0.30
    )
