"""The server itself: it listens, lets faults have their way and sends."""

import asyncio
from dataclasses import dataclass, field
import socket
import struct
from types import TracebackType
from typing import Any, Final, Self
from uuid import uuid4
from weakref import WeakSet

from aiohttp import web

from .answers import Answer
from .api import Cloud
from .cars import Vehicle
from .control import add_control_routes
from .demo import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, TESLA, VOLVO
from .faults import Cut, Fault, Faults
from .received import Inbox, ReceivedRequest

_HOST: Final = "127.0.0.1"
_SHUTDOWN_TIMEOUT: Final = 0.1
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


def _demo_applications() -> dict[str, str]:
    """Return the one application that is known when nothing else is said."""
    return {DEMO_CLIENT_ID: DEMO_CLIENT_SECRET}


@dataclass(kw_only=True, eq=False)
class Simulator(Cloud, Faults, Inbox):
    """Smartcar's V3 API on a local port: `async with Simulator() as simulator:`."""

    applications: dict[str, str] = field(default_factory=_demo_applications)
    port: int = 0
    _runner: web.AppRunner | None = field(default=None, init=False, repr=False)
    _handlers: WeakSet[asyncio.Task[Any]] = field(
        default_factory=WeakSet, init=False, repr=False
    )

    @property
    def url(self) -> str:
        """Return the base of all addresses: below it are /oauth2 and /v3."""
        return f"http://{_HOST}:{self.port}"

    async def start(self) -> None:
        """Listen; without a port the system gives one, which stays after a stop."""
        app = web.Application()
        add_control_routes(app, self)
        app.router.add_route("*", "/{path:.*}", self._serve)
        # A client that goes away ends its handler: nothing waits for nobody.
        self._runner = web.AppRunner(
            app,
            access_log=None,
            handler_cancellation=True,
            shutdown_timeout=_SHUTDOWN_TIMEOUT,
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, _HOST, self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening and cut off what is still held; `start` may follow."""
        # The runner's time-out never comes in a test that froze the clock.
        for handler in self._handlers:
            handler.cancel()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        await self.stop()

    def add_demo_cars(self) -> list[Vehicle]:
        """Connect the Tesla and the Volvo, whose timers are read for every request."""
        vehicles = [self.add_car(car) for car in (TESLA, VOLVO)]
        for vehicle in vehicles:
            vehicle.timers_live = True
        return vehicles

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        """Take in a request, do what it asks, then answer as the fault says."""
        if (handler := asyncio.current_task()) is not None:
            self._handlers.add(handler)
        received = await ReceivedRequest.read(request)
        self.requests.append(received)
        fault = self.take_fault(received)
        answer = self._answer_with(fault, received)
        await self.announce()
        if fault.hold is not None:
            await fault.hold.wait()
        await asyncio.sleep(fault.delay)
        return await _send(request, answer, fault)

    def _answer_with(self, fault: Fault, received: ReceivedRequest) -> Answer:
        """Return the answer as the fault wants it, with its effect or without."""
        if fault.takes_effect:
            answer = self.answer(received)
        elif fault.replaces:
            return fault.replacement()
        else:
            answer = self._answer_without_effect(received)
        return fault.replacement() if fault.replaces else fault.changed(answer)

    def _answer_without_effect(self, received: ReceivedRequest) -> Answer:
        """Answer as if it had been done."""
        before = {
            vehicle_id: dict(vehicle.schedules)
            for vehicle_id, vehicle in self.vehicles.items()
        }
        answer = self.answer(received)
        for vehicle_id, schedules in before.items():
            self.vehicles[vehicle_id].schedules = schedules
        return answer


async def _send(
    request: web.Request, answer: Answer, fault: Fault
) -> web.StreamResponse:
    """Send an answer whole, in chunks, or cut off."""
    if fault.cut is Cut.BEFORE_ANSWER:
        _abort(request, reset=True)
        return web.Response()
    request_id = str(uuid4())
    body = answer.encoded(request_id)
    headers = {
        "SC-Request-Id": request_id,
        "Content-Type": answer.content_type,
        **fault.headers,
    }
    if not fault.chunks and fault.cut is None:
        return web.Response(status=answer.status, body=body, headers=headers)

    response = web.StreamResponse(status=answer.status, headers=headers)
    if fault.chunks:
        response.enable_chunked_encoding()
        chunks = fault.chunks
    else:
        response.content_length = len(body) + 1
        chunks = ((0, body),)
    await response.prepare(request)
    for seconds, chunk in chunks:
        await asyncio.sleep(seconds)
        await response.write(body if chunk is None else chunk)
    if fault.cut is Cut.MID_BODY:
        _abort(request)
    else:
        await response.write_eof()
    return response


def _abort(request: web.Request, *, reset: bool = False) -> None:
    """Close the connection at once; a reset cannot be taken for an orderly end."""
    if (transport := request.transport) is None:
        return
    if reset:
        transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE
        )
    transport.abort()
