"""The blueprints in a Home Assistant, with times and prices that tests choose."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
import logging
from pathlib import Path
import shutil
from time import sleep
from typing import Any, Final, override
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import EVENT_CALL_SERVICE, EVENT_HOMEASSISTANT_CLOSE
from homeassistant.core import (
    CoreState,
    Event,
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import ServiceNotSupported
from homeassistant.helpers import (
    config_validation as cv,
    entity_registry as er,
    issue_registry as ir,
    restore_state as rs,
)
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from homeassistant.util.async_ import get_scheduled_timer_handles
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
import voluptuous as vol

from custom_components.smartcar_charging.const import DOMAIN
from tests.actions import device_id
from tests.hunts import home, load, with_same_ids
from tests.simulator import TESLA, Simulator

FOLDER: Final = Path(__file__).parent.parent / "blueprints/automation/smartcar_charging"
AMSTERDAM: Final = ZoneInfo("Europe/Amsterdam")
# Nord Pool's days begin at midnight in Oslo, whose clocks are Amsterdam's.
OSLO: Final = ZoneInfo("Europe/Oslo")
QUARTER: Final = timedelta(minutes=15)
HOUR: Final = timedelta(hours=1)
_FIRST_SUNDAY: Final = date(2026, 11, 22)
_NEVER: Final = datetime.max.replace(tzinfo=UTC)
# What becomes of a command is known later than its automation was triggered.
_MOMENT: Final = timedelta(milliseconds=100)
_LOGGERS: Final = ("homeassistant.components.automation", "homeassistant.helpers")
# An action that fails is a part of the play.
_FAILED_ACTION: Final = "Error for call_service"


class Complaints(logging.Handler):
    """Notes what Home Assistant has to say about an automation and its templates."""

    def __init__(self) -> None:
        """Initialize with nothing said."""
        super().__init__(logging.WARNING)
        self.heard: list[str] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Note what is said."""
        if _FAILED_ACTION not in record.getMessage():
            self.heard.append(record.getMessage())

    def listen(self, hass: HomeAssistant) -> None:
        """Listen until Home Assistant ends."""

        @callback
        def stop(_event: Event[Any]) -> None:
            """Do not listen any more."""
            for name in _LOGGERS:
                logging.getLogger(name).removeHandler(self)

        for name in _LOGGERS:
            logging.getLogger(name).addHandler(self)
        hass.bus.async_listen_once(EVENT_HOMEASSISTANT_CLOSE, stop)


@dataclass
class Stage:
    """A Home Assistant with one automation of a blueprint, and what it told."""

    hass: HomeAssistant
    freezer: FrozenDateTimeFactory
    simulator: Simulator
    told: list[dict[str, Any]] = field(default_factory=list)
    told_at: list[datetime] = field(default_factory=list)
    complaints: Complaints = field(default_factory=Complaints)

    async def set_up(self, blueprint: str, **inputs: Any) -> None:
        """Import the repository's blueprint, and make an automation of it."""
        target = Path(self.hass.config.path("blueprints/automation/smartcar_charging"))
        shutil.copytree(FOLDER, target, dirs_exist_ok=True)
        assert await async_setup_component(self.hass, "persistent_notification", {})
        self.hass.bus.async_listen(EVENT_CALL_SERVICE, self._note)
        self.complaints.listen(self.hass)
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
        await self.settle()

    async def run_by_hand(self) -> None:
        """Run the automation's actions, as a person does from its menu."""
        data = {"entity_id": "automation.tested"}
        await self.hass.services.async_call("automation", "trigger", data)
        await self.settle()

    async def settle(self) -> None:
        """Wait until nothing runs; no automation was cut short by a mistake."""
        await self.hass.async_block_till_done(wait_background_tasks=True)
        assert self.complaints.heard == []

    async def save_states(self) -> None:
        """Save what entities show, as Home Assistant does once in a while."""
        await rs.async_get(self.hass).async_dump_states()

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
        instant = _instant(wall)
        self.freezer.move_to(instant)
        async_fire_time_changed(self.hass, instant)
        self.freezer.tick(_MOMENT)

    @callback
    def _note(self, event: Event[Any]) -> None:
        """Note what is told in a notification."""
        called = (event.data["domain"], event.data["service"])
        if called == ("persistent_notification", "create"):
            self.told.append(event.data["service_data"])
            self.told_at.append(dt_util.now())

    @property
    def shown(self) -> list[str]:
        """The messages of the notifications that are there now."""
        notifications = self.hass.data.get("persistent_notification", {})
        return [notification["message"] for notification in notifications.values()]

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
        return [told["message"] for told in self.told]

    @property
    def days_told(self) -> list[int]:
        """How many days after the first Sunday something was told, in order."""
        return [(at.date() - _FIRST_SUNDAY).days for at in self.told_at]


def _instant(wall: str) -> datetime:
    """Return the instant of a time in Amsterdam, or of one that says where."""
    moment = datetime.fromisoformat(wall)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=AMSTERDAM)
    return moment.astimezone(UTC)


def _nothing(_hass: HomeAssistant) -> None:
    """Prepare nothing."""


@dataclass(frozen=True, kw_only=True)
class Disk:
    """What a Home Assistant leaves for its next start."""

    config_dir: str
    entry: MockConfigEntry
    freezer: FrozenDateTimeFactory
    simulator: Simulator

    @asynccontextmanager
    async def started(
        self,
        wall: str,
        blueprint: str,
        *,
        prepare: Callable[[HomeAssistant], None] = _nothing,
        ends_orderly: bool = True,
        **inputs: Any,
    ) -> AsyncIterator[Stage]:
        """Start a Home Assistant with an automation at that time; stop it at the end.

        Without an orderly end, what entities showed is not saved. What it has planned
        for later ends with it.
        """
        async with home(self.config_dir) as hass:
            hass.set_state(CoreState.not_running)
            await hass.config.async_set_time_zone("Europe/Amsterdam")
            await rs.async_get(hass).async_load()
            stage = Stage(hass, self.freezer, self.simulator)
            self.freezer.move_to(_instant(wall))
            entry = with_same_ids(self.entry)
            entry.add_to_hass(hass)
            await load(hass, entry)
            prepare(hass)
            await stage.set_up(blueprint, **inputs)
            await hass.async_start()
            await stage.settle()
            yield stage
            if ends_orderly:
                await stage.save_states()
            await hass.async_stop(force=True)
            for timer in get_scheduled_timer_handles(hass.loop):
                timer.cancel()


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


def evening(days: int = 0) -> str:
    """Return half past eight in the evening, so many days after the first Sunday."""
    return f"{_FIRST_SUNDAY + timedelta(days=days)}T20:30:00"


async def answer_repair(hass: HomeAssistant, *options: str) -> None:
    """Open the only repair that can be fixed, and choose these; without, confirm it."""
    assert await async_setup_component(hass, "repairs", {})
    manager: Any = hass.data["repairs"]["flow_manager"]
    (issue_id,) = [
        issue.issue_id
        for issue in ir.async_get(hass).issues.values()
        if issue.is_fixable
    ]
    about = {"issue_id": issue_id}
    flow = await manager.async_init(DOMAIN, context=about, data=about)
    answers = [{"next_step_id": option} for option in options] or [{}]
    for answer in answers:
        flow = await manager.async_configure(flow["flow_id"], answer)


async def disable(hass: HomeAssistant, *entity_ids: str) -> None:
    """Disable entities, as a person does."""
    for entity_id in entity_ids:
        er.async_get(hass).async_update_entity(
            entity_id, disabled_by=er.RegistryEntryDisabler.USER
        )
    await hass.async_block_till_done()


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
