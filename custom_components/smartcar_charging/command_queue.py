"""One command at a time for each car, in order, and owned by the car."""

import asyncio
from collections.abc import Callable, Coroutine
import logging
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util.async_ import create_eager_task

from .errors import vehicle_error

_LOGGER = logging.getLogger(__name__)

MAX_QUEUED_COMMANDS: Final = 3


class CommandQueue:
    """Runs commands one after another; callers only wait for them."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Initialize an empty queue."""
        self._hass = hass
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._begun: asyncio.Task[Any] | None = None
        self._is_stopped = False

    @property
    def is_busy(self) -> bool:
        """Whether a command runs or waits."""
        return bool(self._tasks)

    async def async_run[T](
        self, command: Callable[[], Coroutine[Any, Any, T]], vehicle: str
    ) -> T:
        """Run a command when its turn comes, and return its result.

        A caller who is cancelled takes back only a command that has not begun.
        """
        if len(self._tasks) > MAX_QUEUED_COMMANDS:
            limit = str(MAX_QUEUED_COMMANDS)
            raise vehicle_error("busy", vehicle, max_queued_commands=limit)
        in_turn = self._async_in_turn(command, vehicle)
        task = create_eager_task(in_turn, loop=self._hass.loop)
        if task.done():
            return task.result()
        self._tasks.add(task)
        task.add_done_callback(self._async_ended)
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            if task is not self._begun:
                self._tasks.discard(task)
                task.cancel()
            raise
        return task.result()

    async def async_stop(self) -> None:
        """Turn away the commands that wait, and return when the one that runs ended."""
        self._is_stopped = True
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _async_in_turn[T](
        self, command: Callable[[], Coroutine[Any, Any, T]], vehicle: str
    ) -> T:
        """Wait for the commands before this one, then run it."""
        async with self._lock:
            if self._is_stopped:
                raise vehicle_error("stopped", vehicle)
            self._begun = asyncio.current_task()
            try:
                return await command()
            finally:
                self._begun = None

    @callback
    def _async_ended(self, task: asyncio.Task[Any]) -> None:
        """Forget a command; its error is heard even if the caller has gone."""
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, HomeAssistantError):
            _LOGGER.debug("A command ended with the error %s", error.translation_key)
        elif error is not None:
            _LOGGER.error("A command ended with an unexpected error", exc_info=error)
