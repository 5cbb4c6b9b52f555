"""One command at a time for each car, in order, and owned by the car: callers only wait for it."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.util.async_ import create_eager_task

from .messages import vehicle_error
from .smartcar import NotSentError, UnconfirmedError

_MOST_WAITING: Final = 3


class Turns[T]:
    """Runs commands one after another; only `async_stop` cuts one off."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Start with nobody waiting."""
        self._hass = hass
        self._turn = asyncio.Lock()
        self._commands: set[asyncio.Task[T]] = set()
        self._request: asyncio.Task[Any] | None = None
        self._is_stopped = False

    @property
    def is_busy(self) -> bool:
        """Whether a command runs or waits."""
        return bool(self._commands)

    async def async_run(
        self, command: Callable[[], Coroutine[Any, Any, T]], vehicle: str
    ) -> T:
        """Run the command when its turn comes; a caller who is cancelled takes back only what has not begun."""
        if len(self._commands) > _MOST_WAITING:
            raise vehicle_error("busy", vehicle)
        has_begun = asyncio.Event()
        task = self._hass.loop.create_task(
            self._async_in_turn(command, vehicle, has_begun)
        )
        self._commands.add(task)
        task.add_done_callback(self._commands.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if not has_begun.is_set():
                task.cancel()
            raise

    async def async_send[R](self, request: Coroutine[Any, Any, R]) -> R:
        """Wait for a request of the command under way: the one thing that a stop may cut off."""
        if self._is_stopped:
            request.close()
            raise NotSentError("the car was unloaded")
        self._request = task = create_eager_task(request, loop=self._hass.loop)
        try:
            return await task
        except asyncio.CancelledError as err:
            raise UnconfirmedError(
                "Home Assistant stopped waiting for the answer"
            ) from err
        finally:
            self._request = None

    async def async_stop(self) -> None:
        """Cut off the request under way, turn away those who wait, and return when all of it is recorded."""
        self._is_stopped = True
        if self._request is not None:
            self._request.cancel()
        if self._commands:
            await asyncio.wait(self._commands)

    async def _async_in_turn(
        self,
        command: Callable[[], Coroutine[Any, Any, T]],
        vehicle: str,
        has_begun: asyncio.Event,
    ) -> T:
        """Wait for the commands before this one."""
        async with self._turn:
            if self._is_stopped:
                raise vehicle_error("stopped", vehicle)
            has_begun.set()
            return await command()
