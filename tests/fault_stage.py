"""Where a fault comes from: Smartcar's answers, its tokens, or the wire below."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
import socket
import struct
import time
from types import SimpleNamespace
from typing import Final

import aiohttp
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
import pytest

from custom_components.smartcar_charging.smartcar import auth, client
from tests.simulator import Fault, Simulator
from tests.smartcar.conftest import Answering, RawServer, Resolver

_IMPATIENT: Final = aiohttp.ClientTimeout(total=0.5, connect=0.2, sock_connect=0.2)
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


@dataclass(kw_only=True)
class Stage:
    """What a fault may change; all of it is undone afterwards."""

    hass: HomeAssistant
    simulator: Simulator
    monkeypatch: pytest.MonkeyPatch
    closing: AsyncExitStack
    servers: list[RawServer] = field(default_factory=list)

    @property
    def creates(self) -> int:
        """Return how many requests to create a schedule reached a server."""
        return len(self.simulator.creates) + sum(
            len(server.heads) for server in self.servers
        )

    def turn_to(self, url: str) -> None:
        """Let commands go to another server."""
        self.monkeypatch.setattr(client, "API_URL", f"{url}/v3")

    def hurry(self) -> None:
        """Let a command wait for half a second only."""
        self.monkeypatch.setattr(client, "COMMAND_TIMEOUT", _IMPATIENT)


type Arrange = Callable[[Stage], Awaitable[None]]
type Step = Callable[[], Awaitable[None]]
type Connected = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def lasting(fault: Fault) -> Arrange:
    """Answer so to every create: one that is sent again would meet it again."""

    async def arrange(stage: Stage) -> None:
        """Set the answer up."""
        stage.simulator.always(fault, path="/daily")

    return arrange


def in_turn(*faults: Fault) -> Arrange:
    """Answer so to one create after another, and properly to the one after the last."""

    async def arrange(stage: Stage) -> None:
        """Set the answers up."""
        stage.simulator.script(*faults, path="/daily")

    return arrange


def too_slow(fault: Fault) -> Arrange:
    """Answer so, to a client in a hurry."""

    async def arrange(stage: Stage) -> None:
        """Set the answer up."""
        stage.hurry()
        stage.simulator.always(fault, path="/daily")

    return arrange


def without_a_token(fault: Fault) -> Arrange:
    """Let the present token be too old, and answer so to those who want another."""

    async def arrange(stage: Stage) -> None:
        """Set the tokens' clock forward."""
        later = SimpleNamespace(monotonic=lambda: time.monotonic() + 3600)
        stage.monkeypatch.setattr(auth, "time", later)
        stage.simulator.always(fault, path="/oauth2/token")

    return arrange


def with_a_rejected_token(fault: Fault) -> Arrange:
    """Let the present token be revoked, and answer so to those who want another."""

    async def arrange(stage: Stage) -> None:
        """Revoke all tokens."""
        stage.simulator.revoke_tokens()
        stage.simulator.always(fault, path="/oauth2/token")

    return arrange


def raw(answering: Answering) -> Arrange:
    """Take the request as bytes, and do this with the connection."""

    async def arrange(stage: Stage) -> None:
        """Start a server that is none of HTTP."""
        stage.hurry()
        server = RawServer(answering)
        await server.start(None)
        stage.closing.callback(server.stop)
        stage.servers.append(server)
        stage.turn_to(server.url)

    return arrange


def found_by_name(step: Step) -> Arrange:
    """Let the server's name be looked up, with this happening each time."""

    async def arrange(stage: Stage) -> None:
        """Give the connections a resolver of ours, and the server a name."""
        stage.hurry()
        resolver = Resolver(step, step, step)
        stage.monkeypatch.setattr(
            async_get_clientsession(stage.hass).connector, "_resolver", resolver
        )
        stage.turn_to(f"http://smartcar.test:{stage.simulator.port}")

    return arrange


async def fail() -> None:
    """Find no such name."""
    raise OSError("no such name")


async def never() -> None:
    """Find nothing, for ever."""
    await asyncio.Event().wait()


def connected(on_connection: Connected, scheme: str) -> Arrange:
    """Do this with every connection, before anything of a request was read."""

    async def arrange(stage: Stage) -> None:
        """Listen."""
        stage.hurry()
        server = await asyncio.start_server(on_connection, "127.0.0.1", 0)
        stage.closing.callback(server.close)
        stage.turn_to(f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}")

    return arrange


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Break the connection, so that it can not be taken for an orderly end."""
    writer.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE
    )
    writer.transport.abort()


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """End the connection."""
    writer.close()


async def stay_silent(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Say nothing until the other side is gone."""
    with suppress(ConnectionError):
        await reader.read()
    writer.close()


async def nobody_listens(stage: Stage) -> None:
    """Turn to a port that refuses."""
    await connected(hang_up, "http")(stage)
    await stage.closing.aclose()


async def nobody_accepts(stage: Stage) -> None:
    """Turn to a port whose queue is full: to connect takes for ever."""
    stage.hurry()
    listener = stage.closing.enter_context(socket.socket())
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    address = listener.getsockname()
    for _ in range(4):
        waiting = stage.closing.enter_context(socket.socket())
        waiting.setblocking(False)
        waiting.connect_ex(address)
    stage.turn_to(f"http://127.0.0.1:{address[1]}")


async def not_tls(stage: Stage) -> None:
    """Turn to a server that speaks HTTP where TLS is wanted."""
    stage.turn_to(f"https://127.0.0.1:{stage.simulator.port}")


async def restarted(stage: Stage) -> None:
    """Stop the server and start it again: what was connected is no more."""
    await stage.simulator.stop()
    await stage.simulator.start()
