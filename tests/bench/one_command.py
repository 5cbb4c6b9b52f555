"""One command: beside Home Assistant's own means, beside the bare request, and with more and more cars."""

from collections import defaultdict
from contextlib import AsyncExitStack
from typing import Final

from .bench import Bench, milliseconds
from .results import Result

_WAYS: Final = ("action", "rest_command", "aiohttp")
_FLEETS: Final = (1, 10, 100, 1_000)
_ROUNDS: Final = 20
_COMMANDS: Final = 10
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
        for title, pause, delay in (
            ("now and then", _PAUSE, 0),
            ("without a pause", 0, 0),
            ("to a car that answers after 200 ms", _PAUSE, _SLOW_CAR),
        ):
            await bench.smartcar.behave(create_mode="replace_same_id", fault={"delay": delay, "always": True})
            wall: dict[str, list[float]] = defaultdict(list)
            cpu: dict[str, list[float]] = defaultdict(list)
            for _ in range(_ROUNDS if delay == 0 else 2):
                for way in _WAYS:
                    took = await home.ask("time_commands", way=way, count=_COMMANDS, pause=pause)
                    wall[way] += took["wall"]
                    cpu[way] += took["cpu"]
            results += _compare(f"One command {title}", wall, cpu)
        await bench.smartcar.behave(create_mode="replace_same_id")
        writes = await home.ask("time_writes", count=50, pause=_PAUSE)
        results.append(Result(what="Of that, its two durable writes", value=milliseconds(writes), unit="ms"))
        for way in _WAYS:
            longest = await home.ask("time_blocks", way=way, count=50, pause=_PAUSE)
            what = f"Longest that one command blocks the event loop: {way}"
            results.append(Result(what=what, value=milliseconds(longest), unit="ms"))
    return results


def _compare(title: str, wall: dict[str, list[float]], cpu: dict[str, list[float]]) -> list[Result]:
    """Return the medians, and the ratios that have a goal."""
    results = []
    for name, took, goal in (("event loop's CPU", cpu, 1.5), ("wall time", wall, 2.0)):
        medians = {way: milliseconds(took[way]) for way in _WAYS}
        results += [Result(what=f"{title}, {name}: {way}", value=value, unit="ms") for way, value in medians.items()]
        ratio = medians["action"] / medians["rest_command"]
        results.append(Result(what=f"{title}, {name}: action / rest_command", value=ratio, unit="×", goal=goal))
    return results


async def _in_fleets(bench: Bench) -> list[Result]:
    """Send to one of 1, 10, 100 and 1,000 cars, by turns: every fleet is a Home Assistant of its own."""
    await bench.smartcar.behave(create_mode="replace_same_id")
    wall: dict[int, list[float]] = defaultdict(list)
    cpu: dict[int, list[float]] = defaultdict(list)
    async with AsyncExitStack() as stack:
        homes = {count: await stack.enter_async_context(bench.home_with(count)) for count in _FLEETS}
        for _ in range(_ROUNDS):
            for count, home in homes.items():
                took = await home.ask("time_commands", way="action", count=_COMMANDS, pause=_PAUSE)
                wall[count] += took["wall"]
                cpu[count] += took["cpu"]
    results = []
    for name, took_by in (("event loop's CPU", cpu), ("wall time", wall)):
        alone = milliseconds(took_by[1])
        for count in _FLEETS:
            what = f"One command to one of {count:,} cars, {name}"
            results.append(Result(what=what, value=milliseconds(took_by[count]), unit="ms"))
        ratio = milliseconds(took_by[_FLEETS[-1]]) / alone
        results.append(Result(what=f"One of 1,000 cars / one alone, {name}", value=ratio, unit="×", goal=1.1))
    return results
