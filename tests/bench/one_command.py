"""One command: beside Home Assistant's own means, and with more and more cars."""

from contextlib import AsyncExitStack
from typing import Final

from .bench import Bench, milliseconds
from .process import HomeProcess
from .results import Result
from .turns import PAUSE_SECONDS, Sender, Took, compare, take_turns

_OURS: Final = "action"
# The rival does the same job in YAML; the other two only send the same request.
_RIVAL: Final = "yaml_package"
_REQUEST_ONLY: Final = "rest_command"
_WAYS: Final = (_OURS, _RIVAL, _REQUEST_ONLY, "aiohttp")
_FLEETS: Final = (1, 10, 100, 1_000)
_COMMANDS: Final = 50
_SLOW_ROUNDS: Final = 3
_SLOW_CAR_SECONDS: Final = 0.2
_MAX_LOOP_RATIO: Final = 0.6
_MAX_SLOW_CAR_RATIO: Final = 1.1
_MAX_FLEET_RATIO: Final = 1.1


async def measure(bench: Bench) -> list[Result]:
    """Measure one command, then the same in larger and larger fleets."""
    return [*await _beside_others(bench), *await _in_fleets(bench)]


async def _beside_others(bench: Bench) -> list[Result]:
    """Send the same request in all ways, by turns."""
    async with bench.home_with(1) as home:
        await bench.smartcar.behave(create_mode="replace_same_id")
        await _check_yaml_package(bench, home)
        senders = {way: Sender(home=home, way=way) for way in _WAYS}
        seldom = await take_turns(senders)
        writes = await _time_writes(home)
        blocks = await _time_blocks(home)
        often = await take_turns(senders, pause=0)
        slow = {"delay": _SLOW_CAR_SECONDS, "always": True}
        await bench.smartcar.behave(create_mode="replace_same_id", fault=slow)
        slowly = await take_turns(senders, rounds=_SLOW_ROUNDS)
    return [
        _compare(
            "One command now and then: CPU of the event loop",
            seldom["loop"],
            goal=_MAX_LOOP_RATIO,
        ),
        _compare("… CPU of all threads", seldom["process"]),
        _compare("… until it is done", seldom["wall"]),
        writes,
        blocks,
        _compare(
            "Many commands without a pause, each: CPU of the event loop",
            often["loop"],
        ),
        _compare("… CPU of all threads", often["process"]),
        _compare("… until it is done", often["wall"]),
        _compare(
            "One command to a car that takes 200 ms: until it is done",
            slowly["wall"],
            goal=_MAX_SLOW_CAR_RATIO,
        ),
    ]


def _compare(
    what: str, took: dict[str, list[float]], goal: float | None = None
) -> Result:
    """Compare our action with the YAML package, and for information rest_command."""
    return compare(what, took, _OURS, _RIVAL, goal=goal, information=_REQUEST_ONLY)


async def _check_yaml_package(bench: Bench, home: HomeProcess) -> None:
    """Raise RuntimeError unless the YAML package does its whole job."""
    seen = await home.ask("watch_yaml_package")
    windows = {}
    for schedule in await bench.smartcar.schedules(bench.cars[0]):
        windows[schedule["id"]] = f"{schedule['start']}-{schedule['stop']}"
    schedule_id = seen["response"]["schedule_id"]
    expected = {
        "response": {"schedule_id": schedule_id, "status": "SUCCESS"},
        "last_execution": "success",
        "schedule_id": schedule_id,
        "charge_schedule": windows.get(schedule_id, "not on the car"),
    }
    if seen != expected:
        raise RuntimeError(f"the YAML package shows {seen} instead of {expected}")


async def _time_writes(home: HomeProcess) -> Result:
    """Measure how much of a command its durable writes are."""
    writes = await home.ask("time_writes", count=_COMMANDS, pause=PAUSE_SECONDS)
    values = {
        "until done": milliseconds(writes["wall"]),
        "CPU of the event loop": milliseconds(writes["loop"]),
    }
    return Result(what="… of that, its two durable writes", values=values, unit="ms")


async def _time_blocks(home: HomeProcess) -> Result:
    """Measure how long a command keeps the event loop from anything else."""
    longest = {}
    for way in _WAYS:
        blocks = await home.ask(
            "time_blocks", way=way, count=_COMMANDS, pause=PAUSE_SECONDS
        )
        longest[way] = milliseconds(blocks)
    return Result(
        what="… longest time it blocks the event loop", values=longest, unit="ms"
    )


async def _in_fleets(bench: Bench) -> list[Result]:
    """Send to one of more and more cars, by turns, each fleet in a Home Assistant."""
    await bench.smartcar.behave(create_mode="replace_same_id")
    async with AsyncExitStack() as stack:
        senders = {}
        for count in _FLEETS:
            home = await stack.enter_async_context(bench.home_with(count))
            senders[count] = Sender(home=home)
        took = await take_turns(senders)
    return [
        _flatness("CPU of the event loop", "loop", took),
        _flatness("until it is done", "wall", took),
    ]


def _flatness(name: str, kind: str, took: Took[int]) -> Result:
    """Return how much more a command takes in the largest fleet than with one car."""
    values = {}
    for count, seconds in took[kind].items():
        values[f"{count:,}:"] = milliseconds(seconds)
    smallest = milliseconds(took[kind][_FLEETS[0]])
    largest = milliseconds(took[kind][_FLEETS[-1]])
    return Result(
        what=f"One command to one of so many cars: {name}",
        values=values,
        unit="ms",
        figure=largest / smallest,
        figure_unit="× one car",
        goal=_MAX_FLEET_RATIO,
    )
