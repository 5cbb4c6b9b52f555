"""Nights of a house with two cars in time-lapse, and an adversary who disturbs them.

The blueprints run in a real Home Assistant, and speak to the simulator by real HTTP.
All that happens is drawn with a seed: the same seed is the same run.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
import logging
from pathlib import Path
from random import Random
import re
import shutil
from time import sleep
from typing import Any, Final, override

from homeassistant.components.repairs import DOMAIN as REPAIRS_DOMAIN
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_CALL_SERVICE, Platform
from homeassistant.core import Event as BusEvent, HomeAssistant, callback
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util.async_ import get_scheduled_timer_handles
from homeassistant.util.location import distance
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.smartcar_charging.const import DOMAIN
from custom_components.smartcar_charging.models import SAME_PLACE_METERS
from tests.actions import device_id
from tests.blueprints import AMSTERDAM, FOLDER, QUARTER, Prices, Stage
from tests.ledgers import path_of
from tests.simulator import (
    REMOVED,
    TESLA,
    VOLVO,
    CreateMode,
    Cut,
    Fault,
    ReceivedRequest,
    Schedule,
    Vehicle,
)
from tests.simulator.api import TOKEN_PATH

CARS: Final = {"Tesla": TESLA, "Volvo": VOLVO}
SENDERS: Final = {"cheapest": "Tesla", "weekday": "Volvo"}
WEEKDAYS, WEEKEND = "23:15–05:45", "21:45–08:45"
# What the user sets by hand: some of it is what the blueprints set, too.
OWN_WINDOWS: Final = (WEEKDAYS, WEEKEND, "01:00–04:45", "22:00–01:45", "12:30–14:00")

# How long a request waits that Smartcar asks to come again soon.
RETRY_AFTER: Final = timedelta(seconds=37)
PAUSES: Final = (QUARTER, RETRY_AFTER)

SHARE_OF_ROUGH_NIGHTS: Final = 0.6
# After so many pages the user closes a dialog.
MAX_PAGES: Final = 8
# No act sends more of a kind.
MAX_REQUESTS: Final = 2 * MAX_PAGES

CONNECTIONS: Final = "/connections"
# The answers in a dialog that send something.
METHODS: Final = {"read_car": "GET", "remove": "DELETE"}
_ID: Final = re.compile(r"sched_\w+")
_WINDOW: Final = re.compile(r"\d\d:\d\d–\d\d:\d\d")

type Window = str
type Location = tuple[float, float]

# Where the zone may be: at home, at two places near it that are far from each other,
# and in another town.
PLACES: Final[dict[str, Location]] = {
    "at home": (52.3731, 4.8926),
    "70 m to the north": (52.37373, 4.8926),
    "70 m to the south": (52.37247, 4.8926),
    "in another town": (52.0907, 5.1214),
}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What becomes of a request at Smartcar.

    `is_repeated`: the request is sent once more at once. `may_pass`: it was refused,
    and may be sent again later.
    """

    name: str
    weight: int
    fault: Fault = field(default_factory=Fault)
    is_repeated: bool = False
    may_pass: bool = False


PAGE: Final = "<html>Bad gateway</html>"
GOOD: Final = Answer(name="good", weight=30)
_LOST_AFTER: Final = Fault(cut=Cut.BEFORE_ANSWER)
_LOST_BEFORE: Final = Fault(cut=Cut.BEFORE_ANSWER, executes=False)
_WITHOUT_ID: Final = Fault(
    merge={"data": {"attributes": {"scheduleId": REMOVED}, "links": REMOVED}}
)
_PENDING: Final = Fault(
    merge={"data": {"attributes": {"status": {"value": "PENDING"}}}}
)
_SOON: Final = {"Retry-After": f"{RETRY_AFTER.total_seconds():.0f}"}

# What may become of a create or a delete.
_COMMON: Final = (
    GOOD,
    Answer(name="cut off after it acted", weight=2, fault=Fault(cut=Cut.MID_BODY)),
    Answer(name="pending", weight=2, fault=_PENDING),
    Answer(
        name="asleep",
        weight=8,
        fault=Fault.error(409, "VEHICLE_STATE", "ASLEEP"),
        may_pass=True,
    ),
    Answer(
        name="not capable", weight=1, fault=Fault.error(501, "COMPATIBILITY", "MAKE")
    ),
    Answer(name="no permission", weight=1, fault=Fault.error(403, "PERMISSION")),
    Answer(name="not in the plan", weight=1, fault=Fault.error(430, "BILLING", "PLAN")),
    Answer(
        name="500 though it acted",
        weight=5,
        fault=Fault.error(500, "SERVER", "INTERNAL", executes=True),
    ),
    Answer(name="500", weight=2, fault=Fault.error(500, "SERVER", "INTERNAL")),
    Answer(
        name="a gateway's page though it acted",
        weight=3,
        fault=Fault(status=504, body=PAGE, executes=True),
    ),
    Answer(name="a gateway's page", weight=2, fault=Fault(status=502, body=PAGE)),
    Answer(
        name="a portal's page",
        weight=1,
        fault=Fault(status=200, body=PAGE, executes=False),
    ),
    Answer(
        name="token rejected",
        weight=2,
        fault=Fault.error(401, "AUTHENTICATION"),
        is_repeated=True,
    ),
    Answer(name="429", weight=2, fault=Fault.error(429, "RATE_LIMIT"), may_pass=True),
    Answer(
        name="429 for a moment",
        weight=2,
        fault=Fault.error(429, "RATE_LIMIT", headers=_SOON),
        is_repeated=True,
        may_pass=True,
    ),
    Answer(name="a gateway's 429", weight=1, fault=Fault(status=429, body=PAGE)),
)
CREATE_ANSWERS: Final = (
    *_COMMON,
    Answer(name="lost after it acted", weight=6, fault=_LOST_AFTER),
    Answer(name="lost before it acted", weight=4, fault=_LOST_BEFORE),
    Answer(name="without an id", weight=4, fault=_WITHOUT_ID),
)
# A delete or a question whose connection broke is sent once more by aiohttp.
DELETE_ANSWERS: Final = (
    *_COMMON,
    Answer(name="lost after it acted", weight=6, fault=_LOST_AFTER, is_repeated=True),
    Answer(name="lost before it acted", weight=4, fault=_LOST_BEFORE, is_repeated=True),
)
READ_ANSWERS: Final = (
    GOOD,
    Answer(name="lost", weight=3, fault=_LOST_BEFORE, is_repeated=True),
    Answer(name="no permission", weight=3, fault=Fault.error(403, "PERMISSION")),
    Answer(name="500", weight=3, fault=Fault.error(500, "SERVER", "INTERNAL")),
)


@dataclass(kw_only=True, slots=True)
class RoundingVehicle(Vehicle):
    """A car that rounds the times of a schedule, down to a multiple of minutes.

    `asked` are the windows that its schedules were sent with.
    """

    rounds_to: int = 1
    asked: dict[str, Window] = field(default_factory=dict)

    @override
    def create(self, schedule: Schedule, mode: CreateMode) -> Schedule:
        """Put a schedule on the car with rounded times."""
        rounded = replace(
            schedule,
            start=self._rounded(schedule.start),
            stop=self._rounded(schedule.stop),
        )
        self.asked[schedule.id] = window_of(schedule)
        # Not super(): a dataclass with slots is another class than the one of its body.
        return Vehicle.create(self, rounded, mode)

    def _rounded(self, moment: str) -> str:
        """Return a rounded time of day."""
        minute = int(moment[3:])
        return f"{moment[:3]}{minute - minute % self.rounds_to:02}"


def window_of(schedule: Schedule) -> Window:
    """Return the window that is on the car."""
    return f"{schedule.start}–{schedule.stop}"


def is_near(one: Location, other: Location) -> bool:
    """Whether two locations are one place."""
    meters = distance(*one, *other)
    return meters is not None and meters <= SAME_PLACE_METERS


@dataclass(frozen=True, kw_only=True)
class Told:
    """A schedule as Home Assistant tells of it."""

    schedule_id: str | None
    standing: str
    window: Window
    asked: Window
    location: Location
    count: int

    @classmethod
    def of(cls, details: dict[str, Any]) -> Told:
        """Read what the sensor tells."""
        place = details["location"]
        return cls(
            schedule_id=details["schedule_id"],
            standing=details["standing"],
            window=f"{details['start_time']}–{details['stop_time']}",
            asked=f"{details['asked_start_time']}–{details['asked_stop_time']}",
            location=(place["latitude"], place["longitude"]),
            count=details["count"],
        )

    @property
    def is_unsettled(self) -> bool:
        """Whether the user has to say how it stands: nobody knows, or not its id."""
        if self.standing == "superseded":
            return False
        return self.schedule_id is None or self.standing == "possibly_on_car"


@dataclass(frozen=True, kw_only=True)
class OnCar:
    """A schedule as it is on the car; `asked` is what it was sent with."""

    schedule_id: str
    window: Window
    asked: Window
    location: Location


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A request that arrived at Smartcar, and what became of it there.

    `subject` is the window of a create, or the id of what is to be deleted.
    """

    kind: str
    subject: str
    answer: Answer


@dataclass(kw_only=True)
class Act:
    """Something that may send: what was so before, and what was sent.

    `asked_for` counts what the user asked for in so many words, by the method.
    """

    name: str
    car: str
    zone_at: Location
    told_before: list[Told] | None
    on_car_before: list[OnCar]
    sent: list[Sent] = field(default_factory=list)
    asked_for: Counter[str] = field(default_factory=Counter)


@dataclass(kw_only=True)
class Night:
    """What happened from a noon to the next morning."""

    day: date
    history: list[str] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    messages: list[tuple[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class Complaints(logging.Handler):
    """Keeps what Home Assistant logs that an automation must not bring about."""

    # A step that goes on after an error of an action.
    _EXPECTED: Final = "Error executing script. Error for call_service"

    def __init__(self) -> None:
        """Initialize without any."""
        super().__init__(logging.WARNING)
        self.heard: list[str] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Keep an error, and what a template says of itself."""
        text = f"{record.name}: {record.getMessage()}"
        is_template = record.name.startswith("homeassistant.helpers.template")
        is_error = record.levelno >= logging.ERROR and self._EXPECTED not in text
        is_ours = record.name.startswith(("homeassistant.", "custom_components."))
        if is_ours and (is_error or is_template):
            self.heard.append(text)


class House:
    """A Home Assistant with the automations of both cars, and those who disturb it."""

    def __init__(
        self, stage: Stage, entry: MockConfigEntry, prices: Prices, seed: int
    ) -> None:
        """Initialize the house; nothing has happened yet."""
        self.hass: HomeAssistant = stage.hass
        self.stage = stage
        self.simulator = stage.simulator
        self.entry = entry
        self.prices = prices
        self.random = Random(seed)
        self.complaints = Complaints()
        self.seed = seed
        self.delete_tries: Counter[str] = Counter()
        self.night = self._before = Night(day=date.min)
        self.zone_at = PLACES["at home"]
        self._wall = datetime.combine(date(2027, 1, 1), time(12))
        self._paused_until: float | None = None
        self._cheap_hour = 1
        self._end_of_prices = prices.known_until
        self._is_rough = False
        self._scripted: dict[str, list[Answer]] = {}

    async def set_up(self) -> None:
        """Put the cars on the street, and make the automations."""
        for car in CARS.values():
            self.simulator.vehicles[car.vehicle_id] = RoundingVehicle(
                car=car, timers_live=True
            )
        self.prices.of = self._price
        self.prices.register(self.hass)
        await self.hass.config.async_set_time_zone("Europe/Amsterdam")
        await self._move_zone("at home")
        target = Path(self.hass.config.path("blueprints/automation/smartcar_charging"))
        await self.hass.async_add_executor_job(shutil.copytree, FOLDER, target)
        for component in ("persistent_notification", REPAIRS_DOMAIN):
            assert await async_setup_component(self.hass, component, {})
        self.hass.bus.async_listen(EVENT_CALL_SERVICE, self._note_message)
        automations = [
            self._automation(
                "Tesla", "cheapest_window_tonight", source="tibber", hours_needed=3.75
            ),
            self._automation(
                "Volvo",
                "weekday_and_weekend_windows",
                weekday_start=f"{WEEKDAYS[:5]}:00",
                weekday_stop=f"{WEEKDAYS[-5:]}:00",
                weekend_start=f"{WEEKEND[:5]}:00",
                weekend_stop=f"{WEEKEND[-5:]}:00",
            ),
            self._automation("Tesla", "not_confirmed_by"),
            self._automation("Volvo", "not_confirmed_by"),
        ]
        config = {"automation": automations}
        assert await async_setup_component(self.hass, "automation", config)
        await self.hass.async_block_till_done()

    def _automation(self, car: str, blueprint: str, **inputs: Any) -> dict[str, Any]:
        """Return an automation of a blueprint for a car."""
        name = f"{blueprint}_{car.lower()}"
        return {
            "id": name,
            "alias": name,
            "use_blueprint": {
                "path": f"smartcar_charging/{blueprint}.yaml",
                "input": {"car": device_id(self.hass, CARS[car]), **inputs},
            },
        }

    async def live_through(self, day: date) -> Night:
        """Let a noon, an evening and a night pass."""
        self._before = self.night
        self.night = Night(day=day)
        self._wall = datetime.combine(day, time(12))
        self._is_rough = self.random.random() < SHARE_OF_ROUGH_NIGHTS
        await self._go_to("12:00:00")
        self._draw_prices()
        await self._let_happen(DAY, 2)
        await self.evening("weekday", "18:00:00")
        await self.evening("cheapest", "20:30:00")
        await self._look("21:45:00")
        await self._go_to("22:00:00")
        await self.load()
        await self._let_happen(DAY, 1)
        self._wall += timedelta(days=1)
        await self._go_to("09:30:00")
        self.night.problems += self.complaints.heard
        self.complaints.heard.clear()
        return self.night

    def story(self, night: Night, broken: Sequence[str]) -> str:
        """Tell what is wrong after a night, what happened, and how to see it again."""
        lines = ["", *broken, "", *self._before.history, *night.history, ""]
        for car in CARS:
            lines.append(f"told of {car}: {self.told(car)}")
            lines.append(f"on {car}: {self.on_car(car)}")
            lines.append(f"issues of {car}: {self.issues(car)}")
        return "\n".join([*lines, f"--seed={self.seed}"])

    def note(self, text: str) -> None:
        """Add to the history of the night."""
        self.night.history.append(f"{self._wall:%a %Y-%m-%d %H:%M:%S}  {text}")

    # What there is to see

    def told(self, car: str) -> list[Told] | None:
        """Return what Home Assistant tells of a car; None while nothing is told."""
        entity_id = self._entity(car, "charge_schedule")
        state = self.hass.states.get(entity_id)
        if state is None or state.state == "unavailable":
            return None
        details = state.attributes["schedules"] + state.attributes["possible_schedules"]
        return [Told.of(one) for one in details]

    def wanted(self, sender: str, day: date) -> Window | None:
        """Return the window that a blueprint is to set in an evening; None: who knows.

        Not where the clocks change: the blueprint's own tests tell that.
        """
        if sender == "weekday":
            return WEEKEND if (day + timedelta(days=1)).isoweekday() > 5 else WEEKDAYS
        noons = [
            datetime.combine(day, time(12), AMSTERDAM) + timedelta(days=days)
            for days in (0, 1)
        ]
        if noons[0].utcoffset() != noons[1].utcoffset():
            return None
        start = self._cheap_hour
        return f"{start:02}:00–{(start + 3) % 24:02}:45"

    def last_execution(self, car: str) -> dict[str, Any] | None:
        """Return what is told of a car's last command; None while nothing is told."""
        state = self.hass.states.get(self._entity(car, "last_execution"))
        if state is None or state.state == "unavailable":
            return None
        return {"verdict": state.state, **state.attributes}

    def on_car(self, car: str) -> list[OnCar]:
        """Return what is on a car."""
        vehicle = self._vehicle(car)
        found = []
        for schedule in vehicle.schedules.values():
            assert schedule.latitude is not None
            assert schedule.longitude is not None
            found.append(
                OnCar(
                    schedule_id=schedule.id,
                    window=window_of(schedule),
                    asked=vehicle.asked[schedule.id],
                    location=(schedule.latitude, schedule.longitude),
                )
            )
        return found

    def issues(self, car: str) -> list[str]:
        """Return the repair issues of a car that the user sees."""
        key = self._subentry(car)
        return [
            str(issue.translation_key)
            for issue in ir.async_get(self.hass).issues.values()
            if issue.domain == DOMAIN
            and issue.active
            and issue.dismissed_version is None
            and (issue.data or {}).get("subentry_id") == key
        ]

    # The clock

    async def _go_to(self, at: str) -> None:
        """Let it be that time of the day, and wait until nothing is under way."""
        self._wall = datetime.combine(self._wall.date(), time.fromisoformat(at))
        await self._move()

    async def _pause(self, pause: timedelta) -> None:
        """Let so much time pass."""
        self._wall += pause
        await self._move()

    async def _move(self) -> None:
        """Move the clock."""
        self.stage.fire(self._wall.isoformat())
        await self._settle()

    async def _settle(self) -> None:
        """Wait until nothing is under way, or all that is waits for time to pass."""
        done = self.hass.async_block_till_done(wait_background_tasks=True)
        idle = asyncio.create_task(done)
        while not idle.done():
            self._paused_until = self._end_of_pause()
            if self._paused_until is not None:
                idle.cancel()
                return
            # In frozen time, only another thread can wait.
            await self.hass.loop.run_in_executor(None, sleep, 0.001)
        self._paused_until = None

    def _end_of_pause(self) -> float | None:
        """Return until when an automation or a request waits, if one does."""
        now = self.hass.loop.time()
        for timer in get_scheduled_timer_handles(self.hass.loop):
            if timer.cancelled():
                continue
            if timer.when() == self._paused_until:
                return self._paused_until
            for pause in PAUSES:
                if abs(timer.when() - now - pause.total_seconds()) < 0.001:
                    return timer.when()
        return None

    async def _pass_pauses(self) -> None:
        """Let the time pass that an automation or a request waits for."""
        while self._paused_until is not None:
            seconds = self._paused_until - self.hass.loop.time()
            await self._pause(timedelta(seconds=seconds))

    # What happens by itself

    async def evening(self, sender: str, at: str) -> None:
        """Let the time come at which a blueprint sends."""
        self._script()
        (event,) = await self._let_happen(EVENING, 1)
        act = self._begin(sender, SENDERS[sender])
        method = self.random.choice(["POST", "DELETE"])
        is_power_cut = self.random.random() < 0.5
        stopping = asyncio.create_task(self._stop(method, is_power_cut=is_power_cut))
        if event is BAD_MOMENT:
            hold = Fault(hold=asyncio.Event())
            held = Answer(name="cut off by a stop", weight=0, fault=hold)
            self._scripted[method].insert(0, held)
            self._send_script()
        else:
            stopping.cancel()
        await self._go_to(at)
        while self._paused_until is not None:
            seconds = self._paused_until - self.hass.loop.time()
            if event is IN_A_PAUSE and seconds == QUARTER.total_seconds():
                await self._pause(timedelta(minutes=7))
                self._collect(act)
                await self._let_happen(PAUSE, 1)
            else:
                await self._pause(timedelta(seconds=seconds))
        if event is BAD_MOMENT and self.simulator.received(method, _is_command):
            await stopping
            await self._settle()
        stopping.cancel()
        self._end(act)

    async def _stop(self, method: str, *, is_power_cut: bool) -> None:
        """Stop the account, or cut the power, as soon as a request is out."""
        await self.simulator.wait_for_request(method=method, path=_is_command)
        words = "the power is cut" if is_power_cut else "the account is reloaded"
        self.note(f"{words} while a {method} is out")
        await self._restart(is_power_cut=is_power_cut)

    async def _look(self, at: str) -> None:
        """Let the time come at which the not-confirmed blueprint looks."""
        self._script()
        acts = [self._begin("not confirmed", car) for car in CARS]
        await self._go_to(at)
        for act in acts:
            self._end(act)

    # What the adversary does

    async def _let_happen(self, events: Sequence[Event], count: int) -> list[Event]:
        """Draw events by their weights, and let them happen."""
        weights = [event.weight for event in events]
        drawn = self.random.choices(events, weights, k=count)
        for event in drawn:
            if event is not NOTHING:
                self.note(event.name)
            await event.happen(self)
            await self._settle()
        return drawn

    def _draw_answers(self, answers: Sequence[Answer], count: int) -> list[Answer]:
        """Draw what becomes of the next requests."""
        if not self._is_rough:
            return [GOOD] * count
        weights = [answer.weight for answer in answers]
        return self.random.choices(answers, weights, k=count)

    def _script(self) -> None:
        """Tell Smartcar what is to become of the next requests."""
        self._scripted = {
            "POST": self._draw_answers(CREATE_ANSWERS, MAX_REQUESTS),
            "DELETE": self._draw_answers(DELETE_ANSWERS, MAX_REQUESTS),
            "GET": self._draw_answers(READ_ANSWERS, MAX_REQUESTS),
        }
        for vehicle in map(self._vehicle, CARS):
            vehicle.rounds_to = self.random.choice([1, 1, 30]) if self._is_rough else 1
        self._send_script()

    def _send_script(self) -> None:
        """Tell the simulator what is scripted."""
        self.simulator.behave()
        for method, answers in self._scripted.items():
            faults = [answer.fault for answer in answers]
            self.simulator.script(*faults, method=method, path=_is_command)

    def _draw_prices(self) -> None:
        """Let the cheap hours be others than yesterday, on some days."""
        if self.random.random() < 0.5:
            self._cheap_hour = self.random.choice([22, 23, 0, 1, 2, 3])

    def _price(self, at: datetime) -> float:
        """Return the price of an instant."""
        return 0.05 + (at.hour - self._cheap_hour) % 24 / 100

    # What is sent

    def _begin(self, name: str, car: str) -> Act:
        """Begin something that may send to a car."""
        self.simulator.requests.clear()
        return Act(
            name=name,
            car=car,
            zone_at=self.zone_at,
            told_before=self.told(car),
            on_car_before=self.on_car(car),
        )

    def _collect(self, act: Act) -> None:
        """Note what was sent since."""
        for request in self.simulator.received(path=_is_command):
            answer = self._scripted[request.method].pop(0)
            sent = Sent(kind=request.method, subject=_subject(request), answer=answer)
            act.sent.append(sent)
            words = f"{sent.kind} {act.car} {sent.subject}: {answer.name}"
            self.note(f"{act.name}: {words}")
        self.simulator.requests.clear()

    def _end(self, act: Act) -> None:
        """Note what was sent, and put it to the night's acts."""
        self._collect(act)
        self.night.acts.append(act)
        if not act.asked_for["DELETE"]:
            for sent in act.sent:
                is_counted = sent.kind == "DELETE" and not sent.answer.is_repeated
                self.delete_tries[sent.subject] += is_counted and sent.answer.weight > 0

    @callback
    def _note_message(self, event: BusEvent[Any]) -> None:
        """Note what is told in a notification."""
        called = (event.data["domain"], event.data["service"])
        if called == ("persistent_notification", "create"):
            data = event.data["service_data"]
            (car,) = [name for name in CARS if name in data["title"]]
            self.night.messages.append((car, data["message"]))
            self.note(f"told of {car}: {data['message']}")

    # What the household does

    async def reload(self) -> None:
        """Unload the account, and load it again."""
        await self._restart(is_power_cut=False)

    async def cut_power(self) -> None:
        """Start again from the disk."""
        await self._restart(is_power_cut=True)

    async def _restart(self, *, is_power_cut: bool) -> None:
        """Unload and load; after a power cut with what was on the disk before."""
        paths = [path_of(self.hass, self._subentry(car)) for car in CARS]
        contents = {path: path.read_bytes() for path in paths if path.exists()}
        await self.unload()
        for path, content in contents.items():
            if is_power_cut:
                path.write_bytes(content)
        await self.load()

    async def load(self) -> None:
        """Load the account, unless it is; wait for the check of its credentials."""
        if self.entry.state is ConfigEntryState.LOADED:
            return
        checks = len(self.simulator.received(path=CONNECTIONS))
        assert await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.simulator.wait_for_request(checks + 1, path=CONNECTIONS)

    async def unload(self) -> None:
        """Unload the account."""
        await self.hass.config_entries.async_unload(self.entry.entry_id)

    async def refuse_tokens(self) -> None:
        """Let no token be had for a while."""
        self.simulator.always(Fault(status=503), path=TOKEN_PATH)

    async def move_zone(self) -> None:
        """Move the home zone to another place."""
        await self._move_zone(self.random.choice([*PLACES]))

    async def move_zone_home(self) -> None:
        """Move the home zone to where it was at first."""
        await self._move_zone("at home")

    async def disable_entity(self) -> None:
        """Disable a sensor that blueprints look at."""
        car = self.random.choice([*CARS])
        key = self.random.choice(["charge_schedule", "last_execution"])
        self._enable(car, key, er.RegistryEntryDisabler.USER)

    async def enable_entities(self) -> None:
        """Enable all sensors; Home Assistant loads the account again soon after."""
        for car in CARS:
            for key in ("charge_schedule", "last_execution"):
                self._enable(car, key, None)
        await self._pause(timedelta(seconds=31))

    def _enable(
        self, car: str, key: str, disabled_by: er.RegistryEntryDisabler | None
    ) -> None:
        """Enable or disable a sensor."""
        entity_id = self._entity(car, key)
        entity = er.async_get(self.hass).async_get(entity_id)
        assert entity is not None
        if entity.disabled_by is not disabled_by:
            self.note(f"{entity_id}: disabled by {disabled_by}")
            er.async_get(self.hass).async_update_entity(
                entity_id, disabled_by=disabled_by
            )

    async def read_once(self) -> None:
        """Let Smartcar read the cars now, and not again for a while."""
        for vehicle in map(self._vehicle, CARS):
            vehicle.read_timers()
            vehicle.timers_live = False

    async def read_always(self) -> None:
        """Let Smartcar read the cars whenever it is asked."""
        for vehicle in map(self._vehicle, CARS):
            vehicle.timers_live = True

    async def hide_prices(self) -> None:
        """Let the prices of tomorrow and later not be known."""
        midnight = datetime.combine(self._wall, time(), AMSTERDAM)
        self.prices.known_until = midnight + timedelta(days=1)

    async def show_prices(self) -> None:
        """Let the prices of all nights be known."""
        self.prices.known_until = self._end_of_prices

    # What the user does

    async def set_window(self) -> None:
        """Set a window by the action."""
        car, window = self.random.choice([*CARS]), self.random.choice(OWN_WINDOWS)
        data = {"zone": "zone.home", "start_time": window[:5], "stop_time": window[-5:]}
        await self._call(car, "set", "set_daily_charge_schedule", data, POST=1)

    async def remove_here(self) -> None:
        """Remove by the action what is set at the zone."""
        car = self.random.choice([*CARS])
        here = [one for one in self.on_car(car) if is_near(one.location, self.zone_at)]
        gone = [
            own
            for own in self.told(car) or ()
            if own.schedule_id not in {one.schedule_id for one in here}
        ]
        count = len(here) + len(gone)
        data = {"zone": "zone.home"}
        await self._call(car, "remove", "delete_charge_schedule", data, DELETE=count)

    async def remove_old(self) -> None:
        """Remove by the action what a newer schedule replaced, but is still there."""
        for car in CARS:
            for own in self.told(car) or ():
                if own.standing == "superseded":
                    data = {"schedule_id": own.schedule_id}
                    action = "delete_charge_schedule"
                    await self._call(car, "remove old", action, data, DELETE=1)

    async def _call(
        self, car: str, name: str, action: str, data: dict[str, Any], **asked_for: int
    ) -> None:
        """Call an action, whatever comes of it."""
        act = self._begin_by_hand(f"user: {name}", car)
        act.asked_for.update(asked_for)
        self.note(f"{car}: {action} {data}")
        data = {"device_id": device_id(self.hass, CARS[car]), **data}
        call = self.hass.services.async_call(DOMAIN, action, data, blocking=True)
        with suppress(HomeAssistantError):
            await self._until(call)
        self._end(act)

    async def answer_repairs(self) -> None:
        """Answer what is asked about the cars, by what is on them."""
        for car in CARS:
            for issue_id in self._unsettled_issues(car):
                act = self._begin_by_hand("user: repair", car)
                await self._until(self._talk(act, issue_id))
                self._end(act)

    async def _talk(self, act: Act, issue_id: str) -> None:
        """Go through the dialog of an issue."""
        manager = self.hass.data[REPAIRS_DOMAIN]["flow_manager"]
        data = {"issue_id": issue_id}
        shown = await manager.async_init(DOMAIN, context=data, data=data)
        for _ in range(MAX_PAGES):
            choice = self._true_answer(act.car, shown)
            act.asked_for.update([METHODS.get(choice, choice)])
            self.note(f"repair of {act.car}, {shown['step_id']}: {choice}")
            shown = await manager.async_configure(
                shown["flow_id"], {"next_step_id": choice}
            )
            if shown["type"] is FlowResultType.SHOW_PROGRESS:
                await self.hass.async_block_till_done()
                shown = await manager.async_configure(shown["flow_id"])
            if shown["type"] is not FlowResultType.MENU:
                return
        manager.async_abort(shown["flow_id"])

    def _true_answer(self, car: str, shown: dict[str, Any]) -> str:
        """Choose one of the answers that are true of what is on the car."""
        lines = shown["description_placeholders"]["schedules"].splitlines()
        are_there = any(self._is_there(car, line) for line in lines)
        false = ("not_there", "none_there") if are_there else ("there",)
        true: list[str] = [
            option for option in shown["menu_options"] if option not in false
        ]
        return self.random.choice(true)

    def _is_there(self, car: str, line: str) -> bool:
        """Whether what a line of the dialog names is on the car, by its app."""
        schedule_id, window = _ID.search(line), _WINDOW.search(line)
        assert window is not None
        known = {own.schedule_id for own in self.told(car) or ()}
        for one in self.on_car(car):
            if schedule_id is not None:
                if one.schedule_id == schedule_id[0]:
                    return True
            elif one.schedule_id not in known and window[0] in (one.asked, one.window):
                return True
        return False

    def _begin_by_hand(self, name: str, car: str) -> Act:
        """Begin something that the user does."""
        self._script()
        return self._begin(name, car)

    async def _until(self, work: Coroutine[Any, Any, Any]) -> None:
        """Wait for what the user does; let the time pass for which a request waits."""
        task = asyncio.create_task(work)
        while not task.done():
            now = self.hass.loop.time()
            for timer in get_scheduled_timer_handles(self.hass.loop):
                seconds = timer.when() - now
                if abs(seconds - RETRY_AFTER.total_seconds()) < 0.001:
                    self._wall += RETRY_AFTER
                    self.stage.fire(self._wall.isoformat())
                    break
            await self.hass.loop.run_in_executor(None, sleep, 0.001)
        await task

    async def _move_zone(self, place: str) -> None:
        """Move the home zone."""
        self.zone_at = PLACES[place]
        latitude, longitude = self.zone_at
        await self.hass.config.async_update(latitude=latitude, longitude=longitude)
        await self.hass.async_block_till_done()

    def _subentry(self, car: str) -> str:
        """Return the key of a car."""
        (key,) = [
            key
            for key, subentry in self.entry.subentries.items()
            if subentry.unique_id == CARS[car].vehicle_id
        ]
        return key

    def _vehicle(self, car: str) -> RoundingVehicle:
        """Return the simulated car."""
        vehicle = self.simulator.vehicles[CARS[car].vehicle_id]
        assert isinstance(vehicle, RoundingVehicle)
        return vehicle

    def _entity(self, car: str, key: str) -> str:
        """Return a sensor of a car."""
        entity_id = er.async_get(self.hass).async_get_entity_id(
            Platform.SENSOR, DOMAIN, f"{CARS[car].vehicle_id}_{key}"
        )
        assert entity_id is not None
        return entity_id

    def _unsettled_issues(self, car: str) -> list[str]:
        """Return the ids of the issues that ask what is on a car."""
        key = self._subentry(car)
        return [
            issue.issue_id
            for issue in ir.async_get(self.hass).issues.values()
            if issue.translation_key == "unsettled_schedules"
            and (issue.data or {}).get("subentry_id") == key
        ]


def _is_command(request: ReceivedRequest) -> bool:
    """Whether a request is about a car: what Smartcar counts."""
    return "/vehicles/" in request.path


def _subject(request: ReceivedRequest) -> str:
    """Return what a request is about."""
    if request.method == "POST":
        body = request.json["data"]["attributes"]
        return f"{body['startTime']}–{body['stopTime']}"
    return request.path.rpartition("/")[2]


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that may happen, and how often."""

    name: str
    weight: int
    happen: Callable[[House], Awaitable[None]]


async def _nothing(_house: House) -> None:
    """Let nothing happen."""


NOTHING: Final = Event(name="nothing", weight=20, happen=_nothing)
BAD_MOMENT: Final = Event(name="a bad moment", weight=4, happen=_nothing)
IN_A_PAUSE: Final = Event(name="something in a pause", weight=6, happen=_nothing)

# What may happen at noon and late in the evening.
DAY: Final = (
    NOTHING,
    Event(name="the user answers repairs", weight=10, happen=House.answer_repairs),
    Event(name="the user sets a window", weight=2, happen=House.set_window),
    Event(name="the user removes what is here", weight=1, happen=House.remove_here),
    Event(name="the user removes what is old", weight=3, happen=House.remove_old),
    Event(name="the account is reloaded", weight=2, happen=House.reload),
    Event(name="the power is cut", weight=2, happen=House.cut_power),
    Event(name="the zone moves", weight=2, happen=House.move_zone),
    Event(name="the zone moves home", weight=2, happen=House.move_zone_home),
    Event(name="an entity is disabled", weight=3, happen=House.disable_entity),
    Event(name="all entities are enabled", weight=6, happen=House.enable_entities),
    Event(name="Smartcar reads the cars once", weight=2, happen=House.read_once),
    Event(name="Smartcar reads the cars", weight=2, happen=House.read_always),
    Event(name="prices are not known", weight=1, happen=House.hide_prices),
    Event(name="prices are known", weight=3, happen=House.show_prices),
)
# What may happen when a blueprint is about to send.
EVENING: Final = (
    NOTHING,
    BAD_MOMENT,
    IN_A_PAUSE,
    Event(name="no token is to be had", weight=2, happen=House.refuse_tokens),
    Event(name="the account is unloaded", weight=1, happen=House.unload),
)
# What may happen while a blueprint waits for its next try.
PAUSE: Final = (
    NOTHING,
    Event(name="the user sets a window", weight=10, happen=House.set_window),
    Event(name="the account is reloaded", weight=10, happen=House.reload),
    Event(name="the power is cut", weight=5, happen=House.cut_power),
    Event(name="the zone moves", weight=5, happen=House.move_zone),
)
