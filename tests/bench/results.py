"""What was measured, as a table for people and as JSON for programs."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
import os
import platform
from typing import Any

from homeassistant.const import __version__ as home_assistant_version


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """One line of the table: some values of one kind, and the figure that is compared with an upper limit.

    An exact one does not depend on the machine.
    """

    what: str
    values: Mapping[str, float]
    unit: str = ""
    figure: float | None = None
    goal: float | None = None
    figure_unit: str = ""
    is_exact: bool = False

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        return (
            None
            if self.figure is None or self.goal is None
            else self.figure <= self.goal
        )

    @property
    def cells(self) -> tuple[str, ...]:
        """What the table shows."""
        values = " · ".join(
            f"{name} {_number(value, self.unit)}" for name, value in self.values.items()
        )
        if self.figure is None or self.goal is None:
            return self.what, values, "", ""
        figure, goal = (
            _number(number, self.figure_unit) for number in (self.figure, self.goal)
        )
        return (
            self.what,
            values,
            f"{figure}, at most {goal}",
            "met" if self.is_met else "**missed**",
        )


def _number(value: float, unit: str) -> str:
    """Return a number with three digits that count, without an exponent."""
    digits = (
        f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
    )
    return f"{digits} {unit}".strip()


def table(results: Iterable[Result]) -> str:
    """Return the table in Markdown."""
    head = [("What", "Measured", "Goal", ""), ("---", "---", "---", "---")]
    return "\n".join(
        f"| {' | '.join(cells)} |"
        for cells in [*head, *(result.cells for result in results)]
    )


def machine() -> dict[str, Any]:
    """Return what the numbers were measured on."""
    return {
        "home_assistant": home_assistant_version,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processors": os.process_cpu_count(),
    }


def as_json(results: Iterable[Result]) -> dict[str, Any]:
    """Return all of it."""
    return {
        "machine": machine(),
        "results": [{**asdict(result), "is_met": result.is_met} for result in results],
    }
