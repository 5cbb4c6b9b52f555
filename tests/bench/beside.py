"""One command of this checkout beside one of another checkout, such as an older one."""

from collections import defaultdict
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from . import REPOSITORY
from .bench import Bench
from .results import Result
from .turns import Sender, Took, compare, take_turns

# No two processes are equally fast, even with the same code.
_STARTS: Final = 6
_ROUNDS_PER_START: Final = 15
# "At most what it was": the same code, measured against itself, stays within this.
_MAX_RATIO: Final = 1.05
_NOW: Final = "now"
_BEFORE: Final = "before"


async def measure(bench: Bench, checkout: Path) -> list[Result]:
    """Send the same commands through the action of both checkouts, by turns."""
    await bench.smartcar.behave(create_mode="replace_same_id")
    took: Took[str] = defaultdict(lambda: defaultdict(list))
    checkouts = [(_NOW, REPOSITORY), (_BEFORE, checkout)]
    for _ in range(_STARTS):
        async with AsyncExitStack() as stack:
            senders = {}
            for name, place in checkouts:
                home = await stack.enter_async_context(bench.home_with(1, place))
                senders[name] = Sender(home=home)
            await take_turns(senders, rounds=1)  # to warm up
            start = await take_turns(senders, rounds=_ROUNDS_PER_START)
        checkouts.reverse()
        for kind, seconds_by_sender in start.items():
            for sender, seconds in seconds_by_sender.items():
                took[kind][sender] += seconds
    results = []
    for what, kind in (
        ("One command now and then: CPU of the event loop", "loop"),
        ("… CPU of all threads", "process"),
        ("… until it is done", "wall"),
    ):
        results.append(compare(what, took[kind], _NOW, _BEFORE, goal=_MAX_RATIO))
    return results
