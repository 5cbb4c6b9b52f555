"""Commands wait for their turn, and belong to the car once they have begun."""

import asyncio
from collections.abc import Awaitable, Callable
import gc
import logging

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.smartcar_charging.command_queue import (
    MAX_QUEUED_COMMANDS,
    CommandQueue,
)

WAITING = range(1, MAX_QUEUED_COMMANDS + 1)


@pytest.fixture(autouse=True)
def custom_integrations() -> None:
    """Set up nothing: a queue needs only the event loop."""


@pytest.fixture
def queue(hass: HomeAssistant) -> CommandQueue:
    """Return an empty queue."""
    return CommandQueue(hass)


class Road:
    """Commands that each take until they are let through, and what became of them."""

    def __init__(self, queue: CommandQueue) -> None:
        """Begin with none."""
        self.seen: list[str] = []
        self._queue = queue
        self._gates: dict[int, asyncio.Event] = {}
        self.at_end: Callable[[], object] = lambda: None

    async def call(
        self, number: int, error: Exception | None = None
    ) -> asyncio.Task[int]:
        """Call a command, and return its caller, who waits by then."""
        self._gates[number] = asyncio.Event()

        async def command() -> int:
            """Return the number, or raise the error, when the gate opens."""
            self.seen.append(f"begin {number}")
            await self._gates[number].wait()
            self.seen.append(f"end {number}")
            self.at_end()
            if error is not None:
                raise error
            return number

        caller = asyncio.create_task(self._queue.async_run(command, "Tesla"))
        await settle()
        return caller

    async def let_through(self, *numbers: int) -> None:
        """Open gates, and wait until nothing moves any more."""
        for number in numbers:
            self._gates[number].set()
        await settle()


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
def road(queue: CommandQueue) -> Road:
    """Return a road through the queue."""
    return Road(queue)


async def key_of(caller: Awaitable[int]) -> str | None:
    """Return the key of the error that a caller hears."""
    with pytest.raises(HomeAssistantError) as error:
        await caller
    return error.value.translation_key


async def test_commands_run_one_at_a_time_in_the_order_of_their_calls(
    road: Road,
) -> None:
    """Each caller hears of its own command."""
    callers = [await road.call(number) for number in range(3)]
    await road.let_through(2, 1)
    assert road.seen == ["begin 0"]
    await road.let_through(0)
    assert await asyncio.gather(*callers) == [0, 1, 2]
    assert road.seen == [
        f"{what} {number}" for number in range(3) for what in ("begin", "end")
    ]


async def test_one_command_runs_and_as_many_wait_as_the_limit_says(road: Road) -> None:
    """One more is refused, and never runs."""
    callers = [await road.call(0), *[await road.call(number) for number in WAITING]]
    with pytest.raises(HomeAssistantError) as error:
        await (await road.call(99))
    assert error.value.translation_key == "busy"
    assert error.value.translation_placeholders == {
        "vehicle": "Tesla",
        "max_queued_commands": str(MAX_QUEUED_COMMANDS),
    }
    await road.let_through(0, *WAITING)
    assert await asyncio.gather(*callers) == [0, *WAITING]
    assert "begin 99" not in road.seen


async def test_caller_who_goes_before_the_turn_takes_the_command_back(
    road: Road,
) -> None:
    """It never runs, and those behind it do."""
    await road.call(0)
    waiting = await road.call(1)
    behind = await road.call(2)
    waiting.cancel()
    await road.let_through(0, 1, 2)
    assert await behind == 2
    assert waiting.cancelled()
    assert "begin 1" not in road.seen


async def test_command_that_is_taken_back_makes_room_at_once(road: Road) -> None:
    """Only what really waits counts: who restarts an automation calls again."""
    await road.call(0)
    callers = [await road.call(number) for number in WAITING]
    callers[0].cancel()
    another = await road.call(99)
    await road.let_through(0, *WAITING, 99)
    assert await another == 99


async def test_caller_who_goes_when_the_turn_comes_keeps_nobody_waiting(
    road: Road,
) -> None:
    """Nobody has the turn then, and the next one gets it."""
    await road.call(0)
    leaving = await road.call(1)
    behind = await road.call(2)
    road.at_end = leaving.cancel
    await road.let_through(0, 2)
    assert await behind == 2
    assert "begin 1" not in road.seen


async def test_caller_who_goes_after_the_beginning_stops_nothing(
    queue: CommandQueue, road: Road
) -> None:
    """The command is the car's, and the next one waits for it."""
    gone = await road.call(0)
    behind = await road.call(1)
    gone.cancel()
    await settle()
    assert gone.cancelled()
    assert queue.is_busy
    assert road.seen == ["begin 0"]
    await road.let_through(0, 1)
    assert await behind == 1
    assert road.seen == ["begin 0", "end 0", "begin 1", "end 1"]


async def test_command_that_ends_at_once_was_never_in_the_way(
    queue: CommandQueue,
) -> None:
    """Its result comes in the caller's own turn of the event loop."""

    async def command() -> int:
        """End at once."""
        assert not queue.is_busy
        return 1

    later: list[str] = []
    asyncio.get_running_loop().call_soon(later.append, "the next turn")
    assert await queue.async_run(command, "Tesla") == 1
    assert later == []
    assert not queue.is_busy


async def test_error_reaches_its_caller_and_no_other(road: Road) -> None:
    """The very error, whose cause is still known."""
    cause = OSError("why")
    error = HomeAssistantError("what")
    error.__cause__ = cause
    failing = await road.call(0, error)
    behind = await road.call(1)
    await road.let_through(0, 1)
    with pytest.raises(HomeAssistantError, match="what") as raised:
        await failing
    assert raised.value.__cause__ is cause
    assert await behind == 1


async def test_error_whose_caller_has_gone_is_no_alarm_in_the_log(
    road: Road, caplog: pytest.LogCaptureFixture
) -> None:
    """The sensor tells of it; a traceback would look like a fault."""
    gone = await road.call(0, HomeAssistantError("what"))
    gone.cancel()
    await road.let_through(0)
    del gone
    gc.collect()
    await settle()
    assert "end 0" in road.seen
    assert not [record for record in caplog.records if record.levelno > logging.DEBUG]


async def test_error_that_nobody_expected_is_in_the_log(
    road: Road, caplog: pytest.LogCaptureFixture
) -> None:
    """Though its caller has gone."""
    gone = await road.call(0, ZeroDivisionError("a mistake"))
    gone.cancel()
    await road.let_through(0)
    assert "a mistake" in caplog.text


async def test_stop_turns_away_what_waits_and_waits_for_what_runs(
    queue: CommandQueue, road: Road
) -> None:
    """What runs ends by itself, or by whoever owns its request."""
    running = await road.call(0)
    waiting = await road.call(1)
    stopping = asyncio.create_task(queue.async_stop())
    await settle()
    assert not stopping.done()
    await road.let_through(0, 1)
    assert await running == 0
    assert await key_of(waiting) == "stopped"
    await stopping
    assert not queue.is_busy
    assert "begin 1" not in road.seen


async def test_nothing_runs_after_a_stop(queue: CommandQueue, road: Road) -> None:
    """Not even when nothing was there to be stopped."""
    await queue.async_stop()
    assert await key_of(await road.call(0)) == "stopped"
    assert road.seen == []
