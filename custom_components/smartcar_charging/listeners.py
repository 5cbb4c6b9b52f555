"""Calling back those who want to hear of something."""

from collections.abc import Callable

from homeassistant.core import CALLBACK_TYPE, callback


class Listeners[**P]:
    """Knows nothing of those who listen but how to call them."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._listeners: list[Callable[P, None]] = []
        self._kept: Callable[[Callable[P, None]], None] | None = None

    @callback
    def add(self, listener: Callable[P, None]) -> CALLBACK_TYPE:
        """Call the listener from now on, and first with what was kept; return how to stop that."""
        self._listeners.append(listener)
        if self._kept is not None:
            kept, self._kept = self._kept, None
            kept(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def call(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Call everybody."""
        for listener in tuple(self._listeners):
            listener(*args, **kwargs)

    @callback
    def keep(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Keep this for the first one who comes."""
        self._kept = lambda listener: listener(*args, **kwargs)
