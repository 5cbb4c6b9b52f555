"""What does not heal by itself: the repair issues of a car, derived from its state."""

from collections.abc import Mapping
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .errors import REFUSALS, describe_schedule, reason_of, trouble_of
from .models import MAX_DELETE_ATTEMPTS, Standing, VehicleState, Verdict
from .vehicle import SmartcarVehicle

OLD_SCHEDULE: Final = "old_schedule"
POSSIBLY_ON_CAR: Final = "possibly_on_car"
RECORD_DAMAGED: Final = "record_damaged"

_FIXABLE: Final = frozenset({POSSIBLY_ON_CAR, RECORD_DAMAGED})
_LASTING: Final = tuple(trouble.key for trouble in REFUSALS.values() if trouble.lasts)
ALL_ISSUES: Final = (POSSIBLY_ON_CAR, OLD_SCHEDULE, RECORD_DAMAGED, *_LASTING)


@callback
def async_update_issues(hass: HomeAssistant, vehicle: SmartcarVehicle) -> None:
    """Raise the issues that there are, and withdraw those that are no more."""
    present = _present_issues(hass, vehicle)
    for key in ALL_ISSUES:
        issue_id = f"{key}_{vehicle.key}"
        if key not in present:
            ir.async_delete_issue(hass, DOMAIN, issue_id)
            continue
        severity = ir.IssueSeverity.WARNING
        if key == RECORD_DAMAGED:
            severity = ir.IssueSeverity.ERROR
        ir.async_create_issue(
            hass,
            DOMAIN,
            issue_id,
            data={"subentry_id": vehicle.key},
            is_fixable=key in _FIXABLE,
            severity=severity,
            translation_key=key,
            translation_placeholders={"vehicle": vehicle.data.name, **present[key]},
        )


@callback
def async_withdraw_issues(hass: HomeAssistant, key: str) -> None:
    """Withdraw all issues of a car that is not loaded any more."""
    for issue in ALL_ISSUES:
        ir.async_delete_issue(hass, DOMAIN, f"{issue}_{key}")


def _present_issues(
    hass: HomeAssistant, vehicle: SmartcarVehicle
) -> dict[str, Mapping[str, str]]:
    """Return the issues that there are, with what fills the gaps in their words."""
    state = vehicle.data
    present: dict[str, Mapping[str, str]] = _lasting_refusals(state)
    if state.with_standing(Standing.POSSIBLE):
        # The dialog tells which ones.
        present[POSSIBLY_ON_CAR] = {}
    superseded = state.with_standing(Standing.SUPERSEDED)
    if superseded and not vehicle.is_replacing:
        lines = [f"- {describe_schedule(hass, schedule)}" for schedule in superseded]
        present[OLD_SCHEDULE] = {
            "schedules": "\n".join(lines),
            "max_delete_attempts": str(MAX_DELETE_ATTEMPTS),
        }
    if state.is_record_lost:
        present[RECORD_DAMAGED] = {}
    return present


def _lasting_refusals(state: VehicleState) -> dict[str, Mapping[str, str]]:
    """Return the refusals since the last success that the user has to settle."""
    refusals: dict[str, Mapping[str, str]] = {}
    for command in state.commands:
        if command.verdict is Verdict.SUCCESS:
            refusals.clear()
        trouble = trouble_of(command)
        if trouble is not None and trouble.lasts:
            refusals[trouble.key] = {"reason": reason_of(command)}
    return refusals
