"""A thousand commands to a thousand cars at once, and many to one car."""

from itertools import pairwise
from statistics import median
from typing import Final

from .bench import MOST_CARS, Bench
from .results import Result

_SECONDS_AT_THE_SERVER: Final = 0.2
# Home Assistant's shared session opens at most so many connections to one host.
_CONNECTIONS: Final = 100
_LIMIT: Final = MOST_CARS / _CONNECTIONS * _SECONDS_AT_THE_SERVER
_REPEATS: Final = 5
_TO_ONE_CAR: Final = 20


async def measure(bench: Bench) -> list[Result]:
    """Send to all cars at once in three ways, by turns; then to one car."""
    await bench.smartcar.behave(
        create_mode="replace_same_id",
        fault={"delay": _SECONDS_AT_THE_SERVER, "always": True},
    )
    took: dict[str, list[float]] = {"action": [], "rest_command": [], "aiohttp": []}
    async with bench.home_with(MOST_CARS) as home:
        for _ in range(_REPEATS):
            for way, seconds in took.items():
                seconds.append((await home.ask("at_once", way=way))["seconds"])
        await bench.smartcar.take_requests()
        queued = await home.ask("to_one_car", count=_TO_ONE_CAR)
        requests = await bench.smartcar.take_requests()
    if len(requests) != _TO_ONE_CAR:
        raise RuntimeError(f"{len(requests)} requests for {_TO_ONE_CAR} commands")
    medians = {way: median(seconds) for way, seconds in took.items()}
    arrivals = sorted(request["received_at"] for request in requests)
    too_early = sum(
        later - earlier < _SECONDS_AT_THE_SERVER
        for earlier, later in pairwise(arrivals)
    )
    return [
        Result(
            what=f"{MOST_CARS:,} commands to {MOST_CARS:,} cars at once, 200 ms each ({_LIMIT:g} s at best)",
            values=medians,
            unit="s",
            figure=medians["action"],
            goal=1.3 * _LIMIT,
            figure_unit="s",
        ),
        Result(
            what=f"{_TO_ONE_CAR} commands to one car, 200 ms each",
            values={"all": queued["seconds"]},
            unit="s",
            figure=too_early,
            goal=0,
            figure_unit="sent before the one before was answered",
        ),
    ]
