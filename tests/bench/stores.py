"""What is kept on the disk does not grow with the number of commands."""

from typing import Final

from .bench import Bench, milliseconds
from .process import HomeProcess
from .results import Result

_FEW: Final = 20
_MANY: Final = 10_000
_NIGHTS: Final = 365
_WRITES: Final = 30
_MAX_GROWTH: Final = 1.1


async def measure(bench: Bench) -> list[Result]:
    """Set a schedule ten thousand times, and then for a year without an answer."""
    sizes: dict[str, float] = {}
    writes: dict[str, float] = {}

    async def look(home: HomeProcess, when: str) -> None:
        """Note the size of the car's file, and how long two durable writes take."""
        sizes[when] = home.bytes_of_stores() / 1024
        took = await home.ask("time_writes", count=_WRITES)
        writes[when] = milliseconds(took["wall"])

    async with bench.home_with(1) as home:
        await bench.smartcar.behave(create_mode="add")
        await home.ask("set_many", count=_FEW)
        await look(home, f"{_FEW} executions")
        await home.ask("set_many", count=_MANY - _FEW)
        await look(home, f"{_MANY:,} executions")
        fault = {
            "status": 500,
            "body": "",
            "executes": True,
            "always": True,
            "path": "/charge-schedules/daily",
        }
        await bench.smartcar.behave(fault=fault)
        await home.ask("fail_to_set_schedule", count=_NIGHTS)
        await bench.smartcar.behave()
        await look(home, f"{_NIGHTS} more that nobody confirmed or settled")
    few, many, _ = sizes.values()
    return [
        Result(
            what="File of a car after",
            values=sizes,
            unit="KiB",
            figure=many / few,
            figure_unit="× the first",
            goal=_MAX_GROWTH,
        ),
        Result(what="Two durable writes after", values=writes, unit="ms"),
    ]
