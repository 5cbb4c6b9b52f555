"""A Home Assistant to be measured: a process that does what it is asked to."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
import json
import os
from pathlib import Path
import sys
from types import TracebackType
from typing import Any, Final, Self

from tests.simulator import Car

from . import REPOSITORY

_MAX_LINE_BYTES: Final = 2**26
_LOG_CHARACTERS: Final = 4_000


def with_bytecode(folder: Path) -> dict[str, str]:
    """Return an environment in which Python compiles every module only once.

    It does so in an installed Home Assistant, too.
    """
    return {
        **os.environ,
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
    }


class HomeProcess:
    """`async with HomeProcess(...) as home: await home.ask("time_commands", ...)`."""

    def __init__(self, folder: Path, integrations: Path, smartcar_url: str) -> None:
        """Take its folder, that of the integrations, and our Smartcar's address."""
        self._folder = folder
        self._integrations = integrations
        self._smartcar_url = smartcar_url

    async def __aenter__(self) -> Self:
        """Start it, and wait until it runs."""
        self._folder.mkdir(parents=True)
        self._log = (self._folder / "output.log").open("wb")
        environment = with_bytecode(self._folder.parent)
        # With -P the current folder, which has an integration too, is not the first.
        environment["PYTHONPATH"] = f"{self._integrations}{os.pathsep}{REPOSITORY}"
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "tests.bench.worker",
            str(self._folder),
            self._smartcar_url,
            cwd=REPOSITORY,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=self._log,
            limit=_MAX_LINE_BYTES,
        )
        await self._answer()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        self._log.close()

    async def ask(self, task: str, **arguments: Any) -> Any:
        """Have one of the worker's tasks done, and return its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([task, arguments]).encode() + b"\n")
        await self._process.stdin.drain()
        return await self._answer()

    async def add_account(self, domain: str, cars: Sequence[Car]) -> dict[str, float]:
        """Set up an entry with these cars."""
        described = [asdict(car) for car in cars]
        result: dict[str, float] = await self.ask(
            "add_account", domain=domain, cars=described
        )
        return result

    def bytes_of_stores(self) -> int:
        """Return how much is kept of the cars."""
        total = 0
        for path in (self._folder / ".storage").glob("smartcar_charging.*"):
            total += path.stat().st_size
        return total

    async def _answer(self) -> Any:
        """Read the next answer; raise RuntimeError if Home Assistant has ended."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            log = (self._folder / "output.log").read_text()
            raise RuntimeError(f"Home Assistant ended:\n{log[-_LOG_CHARACTERS:]}")
        return json.loads(line)
