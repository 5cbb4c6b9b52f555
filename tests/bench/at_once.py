"""A thousand commands to a thousand cars at once, and many to one car."""

from itertools import pairwise
from statistics import median
from typing import Final

from .bench import MAX_CARS, Bench
from .results import Result

_DELAY_SECONDS: Final = 0.2
# Home Assistant's shared session opens at most so many connections to one host.
_MAX_CONNECTIONS: Final = 100
_BEST_SECONDS: Final = MAX_CARS / _MAX_CONNECTIONS * _DELAY_SECONDS
_MAX_SECONDS: Final = 1.3 * _BEST_SECONDS
_ROUNDS: Final = 5
_TO_ONE_CAR: Final = 20
_WAYS: Final = ("action", "rest_command", "aiohttp")


async def measure(bench: Bench) -> list[Result]:
    """Send to all cars at once in three ways, by turns; then to one car."""
    await bench.smartcar.behave(
        create_mode="replace_same_id", fault={"delay": _DELAY_SECONDS, "always": True}
    )
    took: dict[str, list[float]] = {way: [] for way in _WAYS}
    async with bench.home_with(MAX_CARS) as home:
        for _ in range(_ROUNDS):
            for way in _WAYS:
                answer = await home.ask("at_once", way=way)
                took[way].append(answer["seconds"])
        await bench.smartcar.take_requests()
        queued = await home.ask("to_one_car", count=_TO_ONE_CAR)
        requests = await bench.smartcar.take_requests()
    if len(requests) != _TO_ONE_CAR:
        raise RuntimeError(f"{len(requests)} requests for {_TO_ONE_CAR} commands")
    arrivals = [request["received_at"] for request in requests]
    medians = {way: median(seconds) for way, seconds in took.items()}
    return [
        Result(
            what=f"{MAX_CARS:,} commands to {MAX_CARS:,} cars at once, 200 ms each "
            f"({_BEST_SECONDS:g} s at best)",
            values=medians,
            unit="s",
            figure=medians["action"],
            figure_unit="s",
            goal=_MAX_SECONDS,
        ),
        Result(
            what=f"{_TO_ONE_CAR} commands to one car, 200 ms each",
            values={"all": queued["seconds"]},
            unit="s",
            figure=_count_too_early(arrivals),
            figure_unit="sent before the one before was answered",
            goal=0,
        ),
    ]


def _count_too_early(arrivals: list[float]) -> int:
    """Return how many requests arrived before the one before was answered."""
    too_early = 0
    for earlier, later in pairwise(sorted(arrivals)):
        if later - earlier < _DELAY_SECONDS:
            too_early += 1
    return too_early
