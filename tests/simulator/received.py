"""What the simulator was sent."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
import json
import time
from typing import Any

from aiohttp import web
from multidict import CIMultiDictProxy

type PathMatch = str | Callable[[ReceivedRequest], bool] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceivedRequest:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: CIMultiDictProxy[str]
    body: bytes
    received_at: float = field(default_factory=time.monotonic)

    @classmethod
    async def read(cls, request: web.Request) -> ReceivedRequest:
        """Read a request to its end; the path stays as it was sent."""
        return cls(
            method=request.method,
            path=request.raw_path.partition("?")[0],
            query=dict(request.query),
            headers=request.headers,
            body=await request.read(),
        )

    @property
    def json(self) -> Any:
        """Return the body read as JSON."""
        return json.loads(self.body)

    def matches(self, method: str | None, path: PathMatch) -> bool:
        """Tell whether the method is this, and the path ends so or fits."""
        if method is not None and self.method != method:
            return False
        if callable(path):
            return path(self)
        return path is None or self.path.endswith(path)


@dataclass(kw_only=True, eq=False)
class Inbox:
    """All requests in order of arrival."""

    requests: list[ReceivedRequest] = field(default_factory=list, init=False)
    _arrival: asyncio.Condition = field(
        default_factory=asyncio.Condition, init=False, repr=False
    )

    def received(
        self, method: str | None = None, path: PathMatch = None
    ) -> list[ReceivedRequest]:
        """Return the requests with this method and end of path (or predicate)."""
        return [request for request in self.requests if request.matches(method, path)]

    @property
    def creates(self) -> list[ReceivedRequest]:
        """Return the requests to create a daily schedule."""
        return self.received("POST", "/charge-schedules/daily")

    @property
    def deletes(self) -> list[ReceivedRequest]:
        """Return the requests to delete a schedule."""
        return self.received(
            "DELETE", lambda request: "/charge-schedules/" in request.path
        )

    async def wait_for_request(
        self, count: int = 1, *, method: str | None = None, path: PathMatch = None
    ) -> ReceivedRequest:
        """Wait until so many matching requests have arrived; return the last."""
        async with self._arrival:
            await self._arrival.wait_for(
                lambda: len(self.received(method, path)) >= count
            )
        return self.received(method, path)[count - 1]

    async def announce(self) -> None:
        """Wake those who wait for a request."""
        async with self._arrival:
            self._arrival.notify_all()
