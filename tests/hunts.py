"""What it takes to disturb a command at every turn, and to judge what came of it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
import resource
from typing import Any, Final
from unittest.mock import patch

from homeassistant import loader
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_test_home_assistant,
)

from custom_components.smartcar_charging.const import DOMAIN
from tests.actions import set_schedule
from tests.ledgers import standing_of, stored
from tests.simulator import TESLA, Simulator
from tests.simulator.api import TOKEN_PATH

# How the last command on record ended, by what its caller heard; None: it did not
# begin.
ENDS: Final[dict[str, set[str | None]]] = {
    "SUCCESS": {"success"},
    "cancelled": {"success"},
    "create_unconfirmed": {"unconfirmed"},
    "delete_unconfirmed": {"unconfirmed"},
    "not_recorded": {None},
    "not_sent": {"not_sent"},
    "partly_deleted": {"not_sent", "unconfirmed", "success"},
    "stopped": {None},
}

type Response = dict[str, Any]
type Caller = asyncio.Task[str]
type Disturb = Callable[[Caller], Coroutine[Any, Any, object]]


@contextmanager
def at_every_turn(look: Callable[[int], None]) -> Iterator[None]:
    """Look on before the event loop's next turn, and after each one that it does."""
    turns = 0
    run = asyncio.Handle._run

    def looked_at(handle: asyncio.Handle) -> None:
        """Do one turn, and look on."""
        nonlocal turns
        run(handle)
        turns += 1
        look(turns)

    look(turns)
    with patch.object(asyncio.Handle, "_run", looked_at):
        yield


async def heard(call: Coroutine[Any, Any, Response]) -> str:
    """Return what a caller hears: a status, or the key of an error."""
    try:
        response = await call
    except HomeAssistantError as err:
        return str(err.translation_key)
    except asyncio.CancelledError:
        return "cancelled"
    return str(response["status"])


async def count_turns(call: Coroutine[Any, Any, Response]) -> int:
    """Return how many turns a command takes that nobody disturbs."""
    counted = 0

    def count(turn: int) -> None:
        """Keep the number of turns."""
        nonlocal counted
        counted = turn

    with at_every_turn(count):
        assert await asyncio.create_task(heard(call)) == "SUCCESS"
    return counted


async def disturbed(
    call: Coroutine[Any, Any, Response], turn: int, disturb: Disturb
) -> str:
    """Disturb a command after so many turns; return what its caller heard.

    One that ended before is disturbed at its end.
    """
    loop = asyncio.get_running_loop()
    caller: Caller = asyncio.eager_task_factory(loop, heard(call))
    disturbing: list[asyncio.Task[object]] = []

    def act_at(now: int) -> None:
        """Disturb it if this is the turn."""
        if now == turn:
            disturbing.append(asyncio.eager_task_factory(loop, disturb(caller)))

    with at_every_turn(act_at):
        await asyncio.wait([caller])
    if not disturbing:
        act_at(turn)
    await disturbing[0]
    return caller.result()


@contextmanager
def full_disk() -> Iterator[None]:
    """Let files be made, but not get any content: the system refuses every byte."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@asynccontextmanager
async def home(config_dir: str) -> AsyncIterator[HomeAssistant]:
    """Run another Home Assistant on a disk, until somebody stops it."""
    loop = asyncio.get_running_loop()
    async with async_test_home_assistant(loop, config_dir=config_dir) as hass:
        hass.data.pop(loader.DATA_CUSTOM_COMPONENTS)
        yield hass


async def load(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Set up an account."""
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)


def unless(is_right: bool, problem: str) -> list[str]:
    """Return the problem, unless there is none."""
    return [] if is_right else [problem]


def on_car(simulator: Simulator) -> list[str]:
    """Return the ids of what is on the car."""
    return [schedule.id for schedule in simulator.schedules(TESLA.vehicle_id)]


class Judge:
    """Compares what Home Assistant says of a command with what the car really has.

    Each command has a window of its own, so that nothing stands for another.
    """

    def __init__(
        self, hass: HomeAssistant, entry: MockConfigEntry, simulator: Simulator
    ) -> None:
        """Begin before the command."""
        self._simulator = simulator
        self._known = [
            command["begun_at"] for command in stored(hass, entry)["commands"]
        ]
        simulator.requests.clear()

    def of_all(self, data: dict[str, Any], heard: str) -> list[str]:
        """Return what is wrong with a record, a caller's answer, or what was sent."""
        return [
            *self.contradictions(data),
            *self.wrongly_heard(data, heard),
            *self.sent_twice(),
        ]

    def contradictions(self, data: dict[str, Any]) -> list[str]:
        """Return where the file of a car does not say what is so."""
        there = on_car(self._simulator)
        found = self.unexplained(data)
        for schedule in data["schedules"]:
            is_claimed = standing_of(schedule) == "on_car"
            if is_claimed and schedule["schedule_id"] not in there:
                found.append(f"not on the car: {schedule['schedule_id']}")
        for command in self._new_commands(data):
            if self._is_wrong(command):
                found.append(f"{command['action']} ended {command['outcome']}")
        return found

    def unexplained(self, data: dict[str, Any]) -> list[str]:
        """Return what is on the car, and neither known by its id nor possibly there."""
        known = {schedule["schedule_id"] for schedule in data["schedules"]}
        possible: Counter[str] = Counter()
        for schedule in data["schedules"]:
            if schedule["schedule_id"] is None:
                possible[schedule["asked"]["start_time"][:5]] += schedule["count"]
        there = self._simulator.schedules(TESLA.vehicle_id)
        strangers = Counter(one.start for one in there if one.id not in known)
        strangers -= possible
        return [f"not explained: {start}" for start in strangers.elements()]

    def untold(self, text: str) -> list[str]:
        """Return what is on the car, and not in what is told of a removed one."""
        found = []
        for one in self._simulator.schedules(TESLA.vehicle_id):
            words = f"{one.start}–{one.stop} (test home)"
            found += unless(one.id in text or words in text, f"not told: {words}")
        return found

    def sent_twice(self) -> list[str]:
        """Return the commands that were sent again, though not with another token."""
        sent: Counter[str] = Counter()
        for request in [*self._simulator.creates, *self._simulator.deletes]:
            token = request.headers["Authorization"]
            sent[f"{request.method} {request.path} {request.body!r} {token}"] += 1
        return [f"sent twice: {command}" for command, n in sent.items() if n > 1]

    def wrongly_heard(self, data: dict[str, Any], heard: str) -> list[str]:
        """Return what a caller heard, if the last command on record ended otherwise."""
        outcomes = [None, *(one["outcome"] for one in self._new_commands(data))]
        is_right = outcomes[-1] in ENDS[heard]
        return unless(is_right, f"heard {heard}, but it ended {outcomes[-1]}")

    def _new_commands(self, data: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the commands on record that were not there before."""
        return [one for one in data["commands"] if one["begun_at"] not in self._known]

    def _is_wrong(self, command: dict[str, Any]) -> bool:
        """Whether a command did not end as the record says."""
        if command["action"] == "delete":
            is_done = command["schedule_id"] not in on_car(self._simulator)
            name = command["schedule_id"]
        else:
            name = command["window"]["start_time"][:5]
            schedules = self._simulator.schedules(TESLA.vehicle_id)
            is_done = name in [schedule.start for schedule in schedules]
        is_right = {
            "not_sent": not is_done,
            "refused": not is_done,
            "success": is_done,
            "unconfirmed": self._may_be_out(name),
        }
        return not is_right.get(command["outcome"], False)

    def _may_be_out(self, name: str) -> bool:
        """Whether a command was sent, and its token not rejected: none was asked for.

        Its name is what its request has in it.
        """
        out = [
            request.path != TOKEN_PATH
            for request in self._simulator.requests
            if request.path == TOKEN_PATH or name in f"{request.path} {request.body!r}"
        ]
        return [False, *out][-1]


async def set_next(
    hass: HomeAssistant, entry: MockConfigEntry, simulator: Simulator
) -> list[str]:
    """Set a schedule; return what is wrong with it, or with what it replaced."""
    response = await set_schedule(hass, start_time="22:00", stop_time="23:00")
    data = stored(hass, entry)
    known = [schedule["schedule_id"] for schedule in data["schedules"]]
    identified = [schedule_id for schedule_id in known if schedule_id is not None]
    new_id = response["schedule_id"]
    is_success = data["commands"][-1]["outcome"] == "success"
    return [
        *unless(identified == [new_id], f"the next set left {identified}"),
        *unless(new_id in on_car(simulator), "the next set is not on the car"),
        *unless(is_success, "the next set is no success"),
    ]


def with_same_ids(entry: MockConfigEntry) -> MockConfigEntry:
    """Return the same account, as another Home Assistant loads it."""
    return MockConfigEntry(
        domain=DOMAIN,
        title=entry.title,
        data=entry.data,
        unique_id=entry.unique_id,
        entry_id=entry.entry_id,
        subentries_data=[one.as_dict() for one in entry.subentries.values()],
    )
