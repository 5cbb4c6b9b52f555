"""What was measured, as a table for people and as JSON for programs."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
import os
import platform
from typing import Any

from homeassistant.const import __version__ as home_assistant_version


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """One line of the table; a goal is an upper limit."""

    what: str
    value: float
    unit: str
    goal: float | None = None

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        return None if self.goal is None else self.value <= self.goal

    @property
    def cells(self) -> tuple[str, ...]:
        """What the table shows."""
        goal = "" if self.goal is None else f"≤ {_number(self.goal)} {self.unit}".strip()
        verdict = {None: "", True: "met", False: "**missed**"}[self.is_met]
        return self.what, f"{_number(self.value)} {self.unit}".strip(), goal, verdict


def _number(value: float) -> str:
    """Return a number with three digits that count, without an exponent."""
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def table(results: Iterable[Result]) -> str:
    """Return the table in Markdown."""
    lines = [("What", "Measured", "Goal", ""), ("---", "---", "---", "---"), *(result.cells for result in results)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


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
    return {"machine": machine(), "results": [{**asdict(result), "is_met": result.is_met} for result in results]}
