"""What is kept on the disk does not grow with the number of commands."""

from typing import Final

from .bench import Bench, milliseconds
from .process import HomeProcess
from .results import Result

_FEW: Final = 20
_MANY: Final = 10_000
_NIGHTS: Final = 365


async def measure(bench: Bench) -> list[Result]:
    """Set a schedule ten thousand times, as automations do; then a year of nights whose outcome nobody heard."""
    results = []
    async with bench.home_with(1) as home:
        await bench.smartcar.behave(create_mode="add")
        await home.ask("set_many", count=_FEW)
        small = await _look(home, f"after {_FEW} executions")
        await home.ask("set_many", count=_MANY - _FEW)
        large = await _look(home, f"after {_MANY:,} executions")
        results += [*small, *large]
        ratio = large[0].value / small[0].value
        results.append(Result(what=f"File of a car: {_MANY:,} / {_FEW} executions", value=ratio, unit="×", goal=1.1))
        fault = {"status": 500, "body": "", "executes": True, "always": True, "path": "/charge-schedules/daily"}
        await bench.smartcar.behave(fault=fault)
        await home.ask("fail_to_set_schedule", count=_NIGHTS)
        await bench.smartcar.behave()
        results += await _look(home, f"after {_NIGHTS} more that stayed unconfirmed")
    return results


async def _look(home: HomeProcess, when: str) -> list[Result]:
    """Return how large the file of the car is, and how long one command waits for its durable writes."""
    writes = await home.ask("time_writes", count=30)
    return [
        Result(what=f"File of a car {when}", value=home.bytes_of_stores() / 1024, unit="KiB"),
        Result(what=f"Two durable writes {when}", value=milliseconds(writes), unit="ms"),
    ]
