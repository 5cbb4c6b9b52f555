"""The client by itself, and what stands below HTTP: names, clocks, raw sockets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import time
import socket
import ssl
from types import SimpleNamespace
from typing import Any, Final, override

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
import pytest

from custom_components.smartcar_charging.smartcar import (
    AccessToken,
    ClientCredentials,
    DailySchedule,
    Execution,
    Location,
    SmartcarClient,
    Transmission,
    auth,
    client,
    create_trace_config,
)
from tests.simulator import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, TESLA, Car, Simulator

TOKEN_PATH: Final = "/oauth2/token"

SCHEDULE: Final = DailySchedule(
    location=Location(latitude=37.7749, longitude=-122.4194),
    start_time=time(8),
    stop_time=time(10),
)

# The answer as the documentation shows it.
EXECUTION: Final[dict[str, Any]] = {
    "data": {
        "id": "exec_9876543210",
        "type": "charge-schedule-execution",
        "attributes": {
            "action": "create",
            "scheduleType": "daily",
            "status": {"value": "SUCCESS"},
            "executionMode": "sync",
            "scheduleId": "sched_abc123",
            "parameters": {
                "location": {"latitude": 37.7749, "longitude": -122.4194},
                "startTime": "08:00",
                "stopTime": "10:00",
            },
        },
        "links": {"schedule": "/vehicles/vid_abc/charge-schedules/sched_abc123"},
        "meta": {
            "executedAt": "2024-01-01T12:00:00Z",
            "completedAt": "2024-01-01T12:00:02Z",
            "durationInSeconds": 2,
        },
    }
}


async def create(
    smartcar: SmartcarClient,
    car: Car = TESLA,
    *,
    transmission: Transmission | None = None,
) -> Execution:
    """Set the schedule of these tests on a car."""
    return await smartcar.async_create_daily_schedule(
        car.vehicle_id, car.user_id, SCHEDULE, transmission=transmission
    )


async def delete(
    smartcar: SmartcarClient,
    schedule_id: str,
    *,
    transmission: Transmission | None = None,
) -> Execution:
    """Delete a schedule from the Tesla."""
    return await smartcar.async_delete_schedule(
        TESLA.vehicle_id, TESLA.user_id, schedule_id, transmission=transmission
    )


@pytest.fixture(autouse=True)
def custom_integrations() -> None:
    """Start no Home Assistant: the client knows nothing of one."""


@pytest.fixture
async def session(socket_enabled: None) -> AsyncIterator[aiohttp.ClientSession]:
    """Return a session that counts its sendings, as Home Assistant would make it."""
    async with aiohttp.ClientSession(trace_configs=[create_trace_config()]) as session:
        yield session


@pytest.fixture
def credentials(session: aiohttp.ClientSession) -> ClientCredentials:
    """Return the credentials that the simulator knows."""
    return ClientCredentials(session, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET)


@pytest.fixture
def smartcar(
    simulator: Simulator, session: aiohttp.ClientSession, credentials: ClientCredentials
) -> SmartcarClient:
    """Return a client that mints its tokens."""
    return SmartcarClient(session, credentials)


@pytest.fixture
def pasted(simulator: Simulator, session: aiohttp.ClientSession) -> SmartcarClient:
    """Return a client with a pasted token."""
    return SmartcarClient(session, AccessToken(simulator.issue_token()))


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        """Begin somewhere."""
        self.now = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


@pytest.fixture
def clock(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Give the tokens' owner and their issuer one clock, which is not the loop's."""
    clock = Clock()
    simulator.clock = clock
    monkeypatch.setattr(auth, "time", SimpleNamespace(monotonic=clock))
    return clock


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let the client's pauses pass at once, and note how long they would have been."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        """Note a pause."""
        slept.append(seconds)

    monkeypatch.setattr(client, "asyncio", SimpleNamespace(sleep=sleep))
    return slept


async def nothing() -> None:
    """Do nothing when a name is looked up."""


class Resolver(AbstractResolver):
    """Finds every name on this machine; before each answer something may happen."""

    def __init__(self, *steps: Callable[[], Awaitable[None]]) -> None:
        """Take what happens on the first look-up, the second, and so on."""
        self.steps = steps
        self.look_ups = 0

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Count the look-up, do its step, and answer."""
        step = self.steps[self.look_ups]
        self.look_ups += 1
        await step()
        return [
            ResolveResult(
                hostname=host,
                host="127.0.0.1",
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=0,
            )
        ]

    @override
    async def close(self) -> None:
        """Hold nothing that needs closing."""


type Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
type Serving = Callable[..., Awaitable[RawServer]]


class RawServer:
    """Listens below HTTP: takes one request on each connection, and does anything."""

    def __init__(self, answering: Answering) -> None:
        """Take what to do with a connection."""
        self.heads: list[bytes] = []
        self.url = ""
        self._answering = answering
        self._server: asyncio.Server | None = None

    async def start(self, context: ssl.SSLContext | None) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", 0, ssl=context
        )
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def stop(self) -> None:
        """Refuse further connections."""
        if self._server is not None:
            self._server.close()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Note the request's head, answer, and hang up."""
        self.heads.append(await reader.readuntil(b"\r\n\r\n"))
        await self._answering(reader, writer)
        writer.close()


def sending(reply: bytes) -> Answering:
    """Answer with these bytes, and wait until the client hangs up."""

    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Send, and stay."""
        writer.write(reply)
        with suppress(ConnectionError):
            await reader.read()

    return answer


def hanging_up(reply: bytes = b"") -> Answering:
    """Answer with these bytes, and hang up."""

    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Send, and leave."""
        writer.write(reply)

    return answer


@pytest.fixture
async def serve(socket_enabled: None) -> AsyncIterator[Serving]:
    """Return how to start a raw server; all of them stop after the test."""
    servers: list[RawServer] = []

    async def start(
        answering: Answering, context: ssl.SSLContext | None = None
    ) -> RawServer:
        """Start a raw server."""
        servers.append(RawServer(answering))
        await servers[-1].start(context)
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def paths(simulator: Simulator) -> Sequence[str]:
    """Return the paths of all requests that arrived, tokens included."""
    return [request.path for request in simulator.requests]
