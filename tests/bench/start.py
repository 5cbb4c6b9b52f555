"""What the set-up takes: time and memory for each car, and time to import."""

import asyncio
from pathlib import Path
import re
from statistics import median
import sys
from typing import Final

from .bench import DOMAIN, Bench
from .results import Result

_FLEETS: Final = (1, 100, 1_000)
_IMPORTS: Final = 15
_REPOSITORY: Final = Path(__file__).resolve().parent.parent.parent

# A Home Assistant without us has these in memory when it sets up integrations; calendars come only with somebody.
_WITHOUT_US: Final = """
import importlib, pkgutil, sys
from homeassistant import bootstrap
from homeassistant.components import button, event, persistent_notification, repairs, select, sensor, time, zone
from homeassistant.helpers import entity_platform, translation
"""
_WITH_US: Final = """
sys.stderr.write("-- from here on it is us --\\n")
import custom_components.smartcar_charging as us
for module in pkgutil.walk_packages(us.__path__, us.__name__ + "."):
    importlib.import_module(module.name)
"""
_LINE: Final = re.compile(r"import time:\s*(\d+) \|\s*\d+ \| *(\S+)")


async def measure(bench: Bench) -> list[Result]:
    """Set up entries of several sizes, ours and one that does nothing; then import."""
    results = []
    for count in _FLEETS:
        took = {}
        for domain in (DOMAIN, "trivial"):
            async with bench.home() as home:
                took[domain] = await home.add_account(domain, bench.cars[:count])
        ours, trivial = took[DOMAIN], took["trivial"]
        if ours["entities"] != trivial["entities"]:
            raise RuntimeError(f"{ours['entities']:.0f} entities beside {trivial['entities']:.0f}")
        for title, key, factor, unit in (("set-up", "seconds", 1_000, "ms"), ("memory", "bytes", 1 / 1024, "KiB")):
            for name, figures in (("ours", ours), ("nine entities that do nothing", trivial)):
                what = f"{count:,} cars, {title} for each: {name}"
                results.append(Result(what=what, value=figures[key] * factor / count, unit=unit))
    own, all_ = await _import_times()
    results.append(Result(what="Import: our own modules", value=own, unit="ms"))
    results.append(Result(what="Import: with all that comes along", value=all_, unit="ms", goal=30))
    return results


async def _import_times() -> tuple[float, float]:
    """Return how many milliseconds our modules add to a start, alone and with what only they need."""
    own, all_ = [], []
    for _ in range(_IMPORTS):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-X", "importtime", "-c", _WITHOUT_US + _WITH_US),
            cwd=_REPOSITORY,
            stderr=asyncio.subprocess.PIPE,
        )
        _, output = await process.communicate()
        _before, _, after = output.decode().partition("-- from here on it is us --")
        times = [(int(microseconds), name) for microseconds, name in _LINE.findall(after)]
        own.append(sum(time for time, name in times if DOMAIN in name) / 1_000)
        all_.append(sum(time for time, _name in times) / 1_000)
    return median(own), median(all_)
