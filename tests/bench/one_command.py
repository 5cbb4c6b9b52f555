"""One command: beside Home Assistant's own means, beside the bare request, and with more and more cars."""

from collections import defaultdict
from contextlib import AsyncExitStack
from typing import Final

from .bench import Bench, milliseconds
from .process import HomeProcess
from .results import Result

_WAYS: Final = ("action", "rest_command", "aiohttp")
_FLEETS: Final = (1, 10, 100, 1_000)
_ROUNDS: Final = 20
_SLOW_ROUNDS: Final = 3
_COMMANDS: Final = 10
_ONCE: Final = 50
# A car gets a command now and then: between two of them the processor does something else, or sleeps.
_PAUSE: Final = 0.02
_SLOW_CAR: Final = 0.2


async def measure(bench: Bench) -> list[Result]:
    """Measure one command, then the same in larger and larger fleets."""
    return [*await _beside_others(bench), *await _in_fleets(bench)]


async def _beside_others(bench: Bench) -> list[Result]:
    """Send the same request in three ways, by turns, so that a busy moment hits all of them."""
    results = []
    async with bench.home_with(1) as home:
        await bench.smartcar.behave(create_mode="replace_same_id")
        seldom = await _take_turns(home, _ROUNDS, _PAUSE)
        results += [
            _compare(
                "One command now and then: CPU of the event loop",
                seldom["loop"],
                goal=1.5,
            ),
            _compare("… CPU of all threads", seldom["process"]),
            _compare("… until it is done", seldom["wall"], goal=2),
        ]
        writes = await home.ask("time_writes", count=_ONCE, pause=_PAUSE)
        of_writes = {
            "until done": milliseconds(writes["wall"]),
            "CPU of the event loop": milliseconds(writes["loop"]),
        }
        results.append(
            Result(
                what="… of that, its two durable writes", values=of_writes, unit="ms"
            )
        )
        blocks = {
            way: await home.ask("time_blocks", way=way, count=_ONCE, pause=_PAUSE)
            for way in _WAYS
        }
        longest = {way: milliseconds(took) for way, took in blocks.items()}
        results.append(
            Result(
                what="… longest time it blocks the event loop",
                values=longest,
                unit="ms",
            )
        )
        often = await _take_turns(home, _ROUNDS, pause=0)
        results += [
            _compare(
                "Many commands without a pause, each: CPU of the event loop",
                often["loop"],
            ),
            _compare("… until it is done", often["wall"]),
        ]
        await bench.smartcar.behave(
            create_mode="replace_same_id", fault={"delay": _SLOW_CAR, "always": True}
        )
        slow = await _take_turns(home, _SLOW_ROUNDS, _PAUSE)
        results.append(
            _compare(
                "One command to a car that takes 200 ms: until it is done",
                slow["wall"],
                goal=2,
            )
        )
    return results


async def _take_turns(
    home: HomeProcess, rounds: int, pause: float
) -> dict[str, dict[str, list[float]]]:
    """Send some commands in each way, again and again; return what was measured, by its kind and the way."""
    took: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for _ in range(rounds):
        for way in _WAYS:
            for kind, seconds in (
                await home.ask("time_commands", way=way, count=_COMMANDS, pause=pause)
            ).items():
                took[kind][way] += seconds
    return took


def _compare(
    what: str, took: dict[str, list[float]], goal: float | None = None
) -> Result:
    """Return the medians, and how many times as long as Home Assistant's own action ours takes."""
    medians = {way: milliseconds(took[way]) for way in _WAYS}
    ratio = medians["action"] / medians["rest_command"]
    return Result(
        what=what,
        values=medians,
        unit="ms",
        figure=ratio,
        goal=goal,
        figure_unit="× rest_command",
    )


async def _in_fleets(bench: Bench) -> list[Result]:
    """Send to one of 1, 10, 100 and 1,000 cars, by turns: every fleet has a Home Assistant of its own."""
    await bench.smartcar.behave(create_mode="replace_same_id")
    wall: dict[int, list[float]] = defaultdict(list)
    cpu: dict[int, list[float]] = defaultdict(list)
    async with AsyncExitStack() as stack:
        homes = {
            count: await stack.enter_async_context(bench.home_with(count))
            for count in _FLEETS
        }
        for _ in range(_ROUNDS):
            for count, home in homes.items():
                took = await home.ask(
                    "time_commands", way="action", count=_COMMANDS, pause=_PAUSE
                )
                wall[count] += took["wall"]
                cpu[count] += took["loop"]
    results = []
    for name, took_by in (("CPU of the event loop", cpu), ("until it is done", wall)):
        medians = {count: milliseconds(took_by[count]) for count in _FLEETS}
        results.append(
            Result(
                what=f"One command to one of so many cars: {name}",
                values={f"{count:,}:": value for count, value in medians.items()},
                unit="ms",
                figure=medians[_FLEETS[-1]] / medians[1],
                goal=1.1,
                figure_unit="× one car",
            )
        )
    return results
