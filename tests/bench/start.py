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

_MAX_IMPORT_MILLISECONDS: Final = 30
_MARK: Final = "-- from here on it is us --"
# A Home Assistant without us has these in memory when it sets up integrations; the
# calendar component comes only with somebody who wants it.
_WITHOUT_US: Final = f"""
import sys
from homeassistant import bootstrap
from homeassistant.components import button, event, persistent_notification, repairs
from homeassistant.components import select, sensor, time, zone
from homeassistant.helpers import entity_platform, translation
sys.stderr.write("{_MARK}\\n")
"""
_LINE: Final = re.compile(r"import time:\s*(\d+) \|\s*\d+ \| *(\S+)")


async def measure(bench: Bench) -> list[Result]:
    """Set up entries of several sizes, ours and one that does nothing; then import."""
    ours: dict[int, dict[str, float]] = {}
    trivial: dict[int, dict[str, float]] = {}
    for count in _FLEETS:
        for domain, took in ((DOMAIN, ours), ("trivial", trivial)):
            async with bench.home() as home:
                took[count] = await home.add_account(domain, bench.cars[:count])
        if ours[count]["entities"] != trivial[count]["entities"]:
            raise RuntimeError("both must have as many entities")
    own, others = await _import_times(bench.folder)
    this, nothing = "this integration", "as many entities that do nothing"
    return [
        _set_up(this, ours),
        _set_up(nothing, trivial),
        _memory(this, ours),
        _memory(nothing, trivial),
        Result(
            what="Import at the start of Home Assistant",
            values={
                "own modules": own,
                "the calendar component, if nobody else has one": others,
            },
            unit="ms",
            figure=own + others,
            figure_unit="ms",
            goal=_MAX_IMPORT_MILLISECONDS,
        ),
    ]


def _set_up(name: str, took: dict[int, dict[str, float]]) -> Result:
    """Return how long the set-up took for each car."""
    values = {}
    for count, figures in took.items():
        values[f"{count:,}:"] = 1_000 * figures["seconds"] / count
    what = f"Set-up for each of so many cars: {name}"
    return Result(what=what, values=values, unit="ms")


def _memory(name: str, took: dict[int, dict[str, float]]) -> Result:
    """Return how much memory each car holds."""
    values = {}
    for count, figures in took.items():
        values[f"{count:,}:"] = figures["bytes"] / 1024 / count
    what = f"Memory for each of so many cars: {name}"
    return Result(what=what, values=values, unit="KiB")


async def _import_times(folder: Path) -> tuple[float, float]:
    """Return how many milliseconds our modules add to a start, and what they bring."""
    own, others = [], []
    for number in range(1 + _IMPORTS):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-X",
            "importtime",
            "-c",
            _WITHOUT_US + _import_statements(),
            cwd=REPOSITORY,
            env=with_bytecode(folder),
            stderr=asyncio.subprocess.PIPE,
        )
        _, output = await process.communicate()
        if number == 0:
            continue  # Python compiles the modules then
        own_microseconds = others_microseconds = 0
        _, _, after = output.decode().partition(_MARK)
        for microseconds, name in _LINE.findall(after):
            if DOMAIN in name:
                own_microseconds += int(microseconds)
            else:
                others_microseconds += int(microseconds)
        own.append(own_microseconds / 1_000)
        others.append(others_microseconds / 1_000)
    return median(own), median(others)


def _import_statements() -> str:
    """Return statements, as an import by a function is not in Python's list."""
    modules = (REPOSITORY / "custom_components" / DOMAIN).glob("[a-z]*.py")
    names = sorted(path.stem for path in modules)
    return "\n".join(f"import custom_components.{DOMAIN}.{name}" for name in names)
