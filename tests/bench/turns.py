"""Send commands by turns, so that a busy moment of the machine hits all ways alike."""

from collections import defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from itertools import batched
from statistics import median, quantiles
from typing import Final

from .bench import milliseconds
from .process import HomeProcess
from .results import Result

ROUNDS: Final = 20
COMMANDS_PER_TURN: Final = 10
# A car gets a command now and then; in between, the processor does something else.
PAUSE_SECONDS: Final = 0.02

# Seconds of every command, by what was measured ("wall", "loop", "process") and sender.
type Took[SenderKey: Hashable] = dict[str, dict[SenderKey, list[float]]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sender:
    """A Home Assistant, and the way in which it sends."""

    home: HomeProcess
    way: str = "action"


async def take_turns[SenderKey: Hashable](
    senders: Mapping[SenderKey, Sender],
    *,
    rounds: int = ROUNDS,
    pause: float = PAUSE_SECONDS,
) -> Took[SenderKey]:
    """Let every sender send some commands in every round; return what they took."""
    took: Took[SenderKey] = defaultdict(lambda: defaultdict(list))
    order = list(senders.items())
    for _ in range(rounds):
        for key, sender in order:
            turn = await sender.home.ask(
                "time_commands", way=sender.way, count=COMMANDS_PER_TURN, pause=pause
            )
            for kind, seconds in turn.items():
                took[kind][key] += seconds
        # What runs right after another one may profit or suffer from it.
        order.reverse()
    return took


def compare(
    what: str,
    took: Mapping[str, list[float]],
    ours: str,
    rival: str,
    *,
    goal: float | None = None,
    information: str | None = None,
) -> Result:
    """Return the medians, and how many times as much as the rival's ours is.

    The one named as information is compared in the same way, without a goal.
    """
    medians = {key: milliseconds(seconds) for key, seconds in took.items()}
    others = {}
    if information is not None:
        others[f"× {information}"] = medians[ours] / medians[information]
    return Result(
        what=what,
        values=medians,
        unit="ms",
        figure=medians[ours] / medians[rival],
        figure_unit=f"× {rival}",
        spread=_quartiles(took[ours], took[rival]),
        others=others,
        goal=goal,
    )


def _quartiles(ours: list[float], rivals: list[float]) -> tuple[float, float]:
    """Return between which ratios the middle half of the rounds lies."""
    ratios = []
    for our_turn, rivals_turn in zip(
        batched(ours, COMMANDS_PER_TURN, strict=True),
        batched(rivals, COMMANDS_PER_TURN, strict=True),
        strict=True,
    ):
        ratios.append(median(our_turn) / median(rivals_turn))
    lower, _, upper = quantiles(ratios, n=4)
    return lower, upper
