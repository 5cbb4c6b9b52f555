"""What does not heal by itself: the repair issues of a car, derived from its state."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.loader import async_get_loaded_integration

from .const import DOMAIN
from .errors import describe_schedule, reason_of, trouble_of
from .models import MAX_DELETE_ATTEMPTS, Schedule, Standing, VehicleState, Verdict
from .vehicle import SmartcarVehicle

OLD_SCHEDULE: Final = "old_schedule"
RECORD_DAMAGED: Final = "record_damaged"
UNSETTLED_SCHEDULES: Final = "unsettled_schedules"

_FIXABLE: Final = frozenset({RECORD_DAMAGED, UNSETTLED_SCHEDULES})


@dataclass(frozen=True, kw_only=True, slots=True)
class Issue:
    """A repair issue that there is.

    `newest` is the moment of its newest matter: whoever ignored the issue did not know
    of that one, and is shown another issue.
    """

    key: str
    placeholders: Mapping[str, str]
    newest: datetime | None = None


def docs_url(hass: HomeAssistant) -> str:
    """Return where the documentation tells of repair issues."""
    return f"{async_get_loaded_integration(hass, DOMAIN).documentation}#repair-issues"


class VehicleIssues:
    """Keeps the repair issues of a car in line with its state."""

    def __init__(self, hass: HomeAssistant, vehicle: SmartcarVehicle) -> None:
        """Initialize without issues."""
        self._hass = hass
        self._vehicle = vehicle
        self._raised: set[str] = set()

    @callback
    def async_update(self) -> None:
        """Raise the issues that there are, and withdraw those that are no more."""
        if self._vehicle.is_replacing:
            # What is just being removed may be gone when that has ended.
            return
        present = {
            self._id_of(issue): issue
            for issue in _present_issues(self._hass, self._vehicle.data)
        }
        self._withdraw(self._raised - present.keys())
        self._raised = set(present)
        for issue_id, issue in present.items():
            self._raise(issue_id, issue)

    @callback
    def async_withdraw(self) -> None:
        """Withdraw all issues: the car is not loaded any more."""
        self._withdraw(self._raised)
        self._raised = set()

    def _id_of(self, issue: Issue) -> str:
        """Return the id of an issue, which changes with its newest matter."""
        issue_id = f"{issue.key}_{self._vehicle.key}"
        if issue.newest is None:
            return issue_id
        return f"{issue_id}_{issue.newest.timestamp():.0f}"

    def _raise(self, issue_id: str, issue: Issue) -> None:
        """Raise an issue, or update its words."""
        severity = ir.IssueSeverity.WARNING
        if issue.key == RECORD_DAMAGED:
            severity = ir.IssueSeverity.ERROR
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            issue_id,
            data={"subentry_id": self._vehicle.key},
            is_fixable=issue.key in _FIXABLE,
            learn_more_url=docs_url(self._hass),
            severity=severity,
            translation_key=issue.key,
            translation_placeholders={
                "vehicle": self._vehicle.data.name,
                **issue.placeholders,
            },
        )

    def _withdraw(self, issue_ids: Iterable[str]) -> None:
        """Withdraw issues."""
        for issue_id in issue_ids:
            ir.async_delete_issue(self._hass, DOMAIN, issue_id)


def _present_issues(hass: HomeAssistant, state: VehicleState) -> list[Issue]:
    """Return the issues that there are, with what fills the gaps in their words."""
    present = _lasting_refusals(state)
    unsettled = state.unsettled_schedules
    if unsettled:
        # The dialog tells which ones.
        newest = _newest(unsettled)
        present.append(Issue(key=UNSETTLED_SCHEDULES, placeholders={}, newest=newest))
    superseded = state.with_standing(Standing.SUPERSEDED)
    if superseded:
        lines = [f"- {describe_schedule(hass, schedule)}" for schedule in superseded]
        placeholders = {
            "schedules": "\n".join(lines),
            "max_delete_attempts": str(MAX_DELETE_ATTEMPTS),
        }
        newest = _newest(superseded)
        present.append(
            Issue(key=OLD_SCHEDULE, placeholders=placeholders, newest=newest)
        )
    if state.is_record_lost:
        lost_at = state.record_lost_at
        present.append(Issue(key=RECORD_DAMAGED, placeholders={}, newest=lost_at))
    return present


def _newest(schedules: Iterable[Schedule]) -> datetime:
    """Return when the last command of these schedules ended."""
    return max(schedule.ended_at for schedule in schedules)


def _lasting_refusals(state: VehicleState) -> list[Issue]:
    """Return the refusals since the last success that the user has to settle."""
    refusals: dict[str, Issue] = {}
    for command in state.commands:
        if command.verdict is Verdict.SUCCESS:
            refusals.clear()
        trouble = trouble_of(command)
        if trouble is not None and trouble.lasts:
            placeholders = {"reason": reason_of(command)}
            refusals[trouble.key] = Issue(key=trouble.key, placeholders=placeholders)
    return list(refusals.values())
