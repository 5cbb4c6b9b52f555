"""What the integration costs, measured in one run: `python -m tests.bench`, or `script/bench`."""

import argparse
import asyncio
from collections.abc import Sequence
import json
from pathlib import Path
import shutil
import time
from typing import Final

from . import REPOSITORY, at_once, cost, one_command, start, stores
from .bench import Bench
from .results import Result, as_json, machine, table
from .smartcar import SmartcarProcess

# Not a temporary folder: those are often in memory, and the disk is a part of what is measured.
_FOLDER: Final = REPOSITORY / ".bench"
_PARTS: Final = {
    "one_command": one_command.measure,
    "at_once": at_once.measure,
    "start": start.measure,
    "cost": cost.measure,
    "stores": stores.measure,
}


async def run(parts: Sequence[str]) -> list[Result]:
    """Measure the parts one after another."""
    shutil.rmtree(_FOLDER, ignore_errors=True)
    results: list[Result] = []
    async with SmartcarProcess() as smartcar:
        bench = Bench(_FOLDER, smartcar)
        await smartcar.add_cars(bench.cars)
        for part in parts:
            started_at = time.monotonic()
            print(f"Measuring {part} ...", end=" ", flush=True)
            results += await _PARTS[part](bench)
            print(f"{time.monotonic() - started_at:.0f} s", flush=True)
    return results


def main() -> None:
    """Measure, show the table, and write the JSON file."""
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"of {', '.join(_PARTS)}; default: all"
    )
    parser.add_argument(
        "--json",
        type=Path,
        default=_FOLDER / "results.json",
        help="file for the numbers",
    )
    options = parser.parse_args()
    if unknown := set(options.parts) - set(_PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    results = asyncio.run(run(options.parts or list(_PARTS)))
    print(
        f"\n{', '.join(f'{key.replace("_", " ")} {value}' for key, value in machine().items())}\n"
    )
    print(table(results))
    missed = [result for result in results if result.is_met is False]
    print(f"\n{len(missed)} goals missed." if missed else "\nAll goals met.")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(as_json(results), indent=2) + "\n")
    print(f"The numbers are in {options.json}.")
    if any(result.is_exact for result in missed):
        parser.exit(1, "One of them does not depend on the machine.\n")


if __name__ == "__main__":
    main()
