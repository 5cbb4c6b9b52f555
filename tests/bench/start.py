"""What the set-up takes: time and memory for each car, and time to import."""

import asyncio
from pathlib import Path
import re
from statistics import median
import sys
from typing import Final

from . import REPOSITORY
from .bench import DOMAIN, Bench
from .process import with_bytecode
from .results import Result

_FLEETS: Final = (1, 100, 1_000)
_IMPORTS: Final = 15

# A Home Assistant without us has these in memory when it sets up integrations; calendars come only with somebody.
_WITHOUT_US: Final = """
import sys
from homeassistant import bootstrap
from homeassistant.components import button, event, persistent_notification, repairs, select, sensor, time, zone
from homeassistant.helpers import entity_platform, translation
sys.stderr.write("-- from here on it is us --\\n")
"""
# As statements: an import by a function is not in Python's list.
_WITH_US: Final = "\n".join(
    f"import custom_components.{DOMAIN}.{path.stem}"
    for path in sorted((REPOSITORY / "custom_components" / DOMAIN).glob("[a-z]*.py"))
)
_LINE: Final = re.compile(r"import time:\s*(\d+) \|\s*\d+ \| *(\S+)")


async def measure(bench: Bench) -> list[Result]:
    """Set up entries of several sizes, ours and one that does nothing; then import."""
    took: dict[str, dict[int, dict[str, float]]] = {DOMAIN: {}, "trivial": {}}
    for count in _FLEETS:
        for domain, by_count in took.items():
            async with bench.home() as home:
                by_count[count] = await home.add_account(domain, bench.cars[:count])
    if any(
        took[DOMAIN][count]["entities"] != took["trivial"][count]["entities"]
        for count in _FLEETS
    ):
        raise RuntimeError("both must have as many entities")
    results = [
        Result(
            what=f"{title} for each of so many cars: {name}",
            values={
                f"{count:,}:": figures[key] * factor / count
                for count, figures in took[domain].items()
            },
            unit=unit,
        )
        for title, key, factor, unit in (
            ("Set-up", "seconds", 1_000, "ms"),
            ("Memory", "bytes", 1 / 1024, "KiB"),
        )
        for name, domain in (
            ("this integration", DOMAIN),
            ("as many entities that do nothing", "trivial"),
        )
    ]
    own, others = await _import_times(bench.folder)
    return [
        *results,
        Result(
            what="Import at the start of Home Assistant",
            values={
                "own modules": own,
                "the calendar component, if nobody else has one": others,
            },
            unit="ms",
            figure=own + others,
            goal=30,
            figure_unit="ms",
        ),
    ]


async def _import_times(folder: Path) -> tuple[float, float]:
    """Return how many milliseconds our modules add to a start, and what they bring along; the first one compiles."""
    own, others = [], []
    for _ in range(1 + _IMPORTS):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-X", "importtime", "-c", _WITHOUT_US + _WITH_US),
            cwd=REPOSITORY,
            env=with_bytecode(folder),
            stderr=asyncio.subprocess.PIPE,
        )
        _, output = await process.communicate()
        _before, _, after = output.decode().partition("-- from here on it is us --")
        times = [
            (int(microseconds), name) for microseconds, name in _LINE.findall(after)
        ]
        own.append(sum(time for time, name in times if DOMAIN in name) / 1_000)
        others.append(sum(time for time, name in times if DOMAIN not in name) / 1_000)
    return median(own[1:]), median(others[1:])
