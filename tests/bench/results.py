"""What was measured, as a table for people and as JSON for programs."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
import os
import platform
from typing import Any, Final

from homeassistant.const import __version__ as home_assistant_version

_HEAD: Final = (
    "| What | Measured | Compared (middle half of the rounds) | Goal |",
    "| --- | --- | --- | --- |",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """One line of the table: values of one kind, and a figure made of them.

    The spread is between which figures the middle half of the rounds lies, and the
    others are figures for information only. The goal is the most that the figure may
    be. An exact figure does not depend on the machine.
    """

    what: str
    values: Mapping[str, float]
    unit: str = ""
    figure: float | None = None
    figure_unit: str = ""
    spread: tuple[float, float] | None = None
    others: Mapping[str, float] = field(default_factory=dict)
    goal: float | None = None
    is_exact: bool = False

    @property
    def is_met(self) -> bool | None:
        """Return whether the goal is reached, or None if there is none."""
        if self.figure is None or self.goal is None:
            return None
        return self.figure <= self.goal

    @property
    def row(self) -> str:
        """Return the line of the table in Markdown."""
        values = " · ".join(
            f"{name} {_number(value, self.unit)}" for name, value in self.values.items()
        )
        return f"| {self.what} | {values} | {self._compared} | {self._judged} |"

    @property
    def _compared(self) -> str:
        """Return the figures as a text."""
        if self.figure is None:
            return ""
        text = _number(self.figure, self.figure_unit)
        if self.spread is not None:
            lower, upper = self.spread
            text += f" ({_number(lower)} to {_number(upper)})"
        for unit, figure in self.others.items():
            text += f", {_number(figure, unit)}"
        return text

    @property
    def _judged(self) -> str:
        """Return the goal, and whether it is met, as a text."""
        if self.goal is None:
            return ""
        verdict = "met" if self.is_met else "**missed**"
        return f"at most {_number(self.goal)}: {verdict}"


def _number(value: float, unit: str = "") -> str:
    """Return a number with three digits that count, without an exponent."""
    if abs(value) >= 100 or value == int(value):
        digits = f"{value:,.0f}"
    else:
        digits = f"{value:.3g}"
    return f"{digits} {unit}".strip()


def table(results: Iterable[Result]) -> str:
    """Return the table in Markdown."""
    return "\n".join([*_HEAD, *(result.row for result in results)])


def machine() -> dict[str, Any]:
    """Return what the numbers were measured on."""
    return {
        "home_assistant": home_assistant_version,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processors": os.process_cpu_count(),
    }


def as_json(results: Iterable[Result]) -> dict[str, Any]:
    """Return everything as JSON can hold it."""
    rows = [{**asdict(result), "is_met": result.is_met} for result in results]
    return {"machine": machine(), "results": rows}
