"""A Home Assistant to be measured: a process that is asked, a line at a time, to do something and tell what it took."""

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

_LONGEST_LINE: Final = 2**26


def with_bytecode(folder: Path) -> dict[str, str]:
    """Return an environment in which Python compiles a module only once, as an installed Home Assistant does."""
    return {
        **os.environ,
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
    }


class HomeProcess:
    """`async with HomeProcess(folder, smartcar_url) as home: await home.ask("time_commands", ...)`."""

    def __init__(self, folder: Path, smartcar_url: str) -> None:
        """Take a folder for what it keeps, and the address of our Smartcar."""
        self._folder = folder
        self._smartcar_url = smartcar_url

    async def __aenter__(self) -> Self:
        """Start it, and wait until it runs."""
        self._folder.mkdir(parents=True)
        self._log = (self._folder / "output.log").open("wb")
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.bench.worker", str(self._folder), self._smartcar_url),
            cwd=REPOSITORY,
            env=with_bytecode(self._folder.parent),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=self._log,
            limit=_LONGEST_LINE,
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
        """Have something done, and return what it took."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([task, arguments]).encode() + b"\n")
        await self._process.stdin.drain()
        return await self._answer()

    async def add_account(self, domain: str, cars: Sequence[Car]) -> dict[str, float]:
        """Set up an entry with these cars."""
        result: dict[str, float] = await self.ask(
            "add_account", domain=domain, cars=[asdict(car) for car in cars]
        )
        return result

    def bytes_of_stores(self) -> int:
        """Return how much is kept of the cars."""
        return sum(
            path.stat().st_size
            for path in (self._folder / ".storage").glob("smartcar_charging.*")
        )

    async def _answer(self) -> Any:
        """Read the next answer."""
        assert self._process.stdout is not None
        if not (line := await self._process.stdout.readline()):
            raise RuntimeError(
                f"Home Assistant ended:\n{(self._folder / 'output.log').read_text()[-4000:]}"
            )
        return json.loads(line)
