"""What the integration costs, measured in one run: `script/bench`."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Mapping
import json
from pathlib import Path
import shutil
import time
from typing import Final

from . import REPOSITORY, at_once, beside, cost, one_command, start, stores
from .bench import DOMAIN, Bench
from .results import Result, as_json, machine, table
from .smartcar import SmartcarProcess

type _Measure = Callable[[Bench], Awaitable[list[Result]]]

# Not a temporary folder: those are often in memory, and the disk is measured, too.
_FOLDER: Final = REPOSITORY / ".bench"
_PARTS: Final[Mapping[str, _Measure]] = {
    "one_command": one_command.measure,
    "at_once": at_once.measure,
    "start": start.measure,
    "cost": cost.measure,
    "stores": stores.measure,
}


async def _run(parts: Mapping[str, _Measure]) -> list[Result]:
    """Measure the parts one after another."""
    shutil.rmtree(_FOLDER, ignore_errors=True)
    results: list[Result] = []
    async with SmartcarProcess() as smartcar:
        bench = Bench(_FOLDER, smartcar)
        await smartcar.add_cars(bench.cars)
        for name, measure in parts.items():
            started_at = time.monotonic()
            print(f"Measuring {name} ...", end=" ", flush=True)
            results += await measure(bench)
            print(f"{time.monotonic() - started_at:.0f} s", flush=True)
    return results


def _parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"of {', '.join(_PARTS)}; default: all"
    )
    parser.add_argument(
        "--beside",
        type=Path,
        metavar="DIR",
        help="another checkout of this repository: only compare one_command with it",
    )
    parser.add_argument(
        "--json",
        type=Path,
        default=_FOLDER / "results.json",
        help="file for the numbers",
    )
    return parser


def _chosen_parts(
    parser: argparse.ArgumentParser, options: argparse.Namespace
) -> Mapping[str, _Measure]:
    """Return what the command line asks for; end the program if that makes no sense."""
    unknown = set(options.parts) - set(_PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    if options.beside is None:
        return {name: _PARTS[name] for name in options.parts or _PARTS}
    if set(options.parts) - {"one_command"}:
        parser.error("only one_command can be compared with another checkout")
    checkout: Path = options.beside.resolve()
    if not (checkout / "custom_components" / DOMAIN).is_dir():
        parser.error(f"no checkout of this repository: {checkout}")

    async def compare(bench: Bench) -> list[Result]:
        """Compare one command with the other checkout's."""
        return await beside.measure(bench, checkout)

    return {"one_command beside another checkout": compare}


def main() -> None:
    """Measure, show the table, and write the JSON file."""
    parser = _parser()
    options = parser.parse_args()
    results = asyncio.run(_run(_chosen_parts(parser, options)))
    facts = [f"{name.replace('_', ' ')} {fact}" for name, fact in machine().items()]
    print(f"\n{', '.join(facts)}\n")
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
