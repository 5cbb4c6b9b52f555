"""What does not heal by itself: the repair issues of a car, always as its ledger has it."""

from collections.abc import Iterable, Mapping
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .messages import REFUSALS, describe_schedule
from .records import Record, Verdict
from .smartcar import ErrorType
from .vehicle import Vehicle

POSSIBLY_ON_CAR: Final = "possibly_on_car"
OLD_SCHEDULE: Final = "old_schedule"
RECORD_DAMAGED: Final = "record_damaged"

# Refusals that stay until the user does something, at Smartcar or at the car maker.
_LASTING: Final = frozenset(
    {
        ErrorType.BILLING,
        ErrorType.COMPATIBILITY,
        ErrorType.CONNECTED_SERVICES_ACCOUNT,
        ErrorType.PERMISSION,
    }
)
ALL_CAUSES: Final = (
    POSSIBLY_ON_CAR,
    OLD_SCHEDULE,
    *(REFUSALS[kind] for kind in sorted(_LASTING)),
)


@callback
def async_update_issues(
    hass: HomeAssistant, subentry_id: str, vehicle: Vehicle
) -> None:
    """Raise the issues that there are, one for each cause, and withdraw those that are no more."""
    present = _present(hass, vehicle)
    for cause in ALL_CAUSES:
        if cause not in present:
            ir.async_delete_issue(hass, DOMAIN, f"{cause}_{subentry_id}")
            continue
        ir.async_create_issue(
            hass,
            DOMAIN,
            f"{cause}_{subentry_id}",
            data={"subentry_id": subentry_id},
            is_fixable=cause == POSSIBLY_ON_CAR,
            severity=ir.IssueSeverity.WARNING,
            translation_key=cause,
            translation_placeholders={"vehicle": vehicle.name, **present[cause]},
        )


@callback
def async_report_damage(
    hass: HomeAssistant, subentry_id: str, vehicle: Vehicle
) -> None:
    """Raise the issue of a record that could not be read in full: it stays until the user has seen it."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{RECORD_DAMAGED}_{subentry_id}",
        is_fixable=True,
        is_persistent=True,
        severity=ir.IssueSeverity.ERROR,
        translation_key=RECORD_DAMAGED,
        translation_placeholders={"vehicle": vehicle.name},
    )


@callback
def async_forget_damage(hass: HomeAssistant, subentry_id: str) -> None:
    """Withdraw that issue with its car."""
    ir.async_delete_issue(hass, DOMAIN, f"{RECORD_DAMAGED}_{subentry_id}")


@callback
def async_withdraw_issues(hass: HomeAssistant, subentry_id: str) -> None:
    """Withdraw all issues of a car that is not loaded any more."""
    for cause in ALL_CAUSES:
        ir.async_delete_issue(hass, DOMAIN, f"{cause}_{subentry_id}")


def _present(hass: HomeAssistant, vehicle: Vehicle) -> dict[str, Mapping[str, str]]:
    """Return the causes that there are, with what fills the gaps in their words."""
    present: dict[str, Mapping[str, str]] = {
        REFUSALS[record.error_kind]: {"reason": _reason(record)}
        for record in _since_the_last_success(vehicle.executions)
        if record.error_kind in _LASTING
    }
    if vehicle.possible:
        # Its dialog tells which ones.
        present[POSSIBLY_ON_CAR] = {}
    if left := [schedule for schedule in vehicle.schedules if schedule.failed_deletes]:
        present[OLD_SCHEDULE] = {
            "schedules": "\n".join(
                f"- {describe_schedule(hass, schedule)}" for schedule in left
            )
        }
    return present


def _since_the_last_success(executions: Iterable[Record]) -> list[Record]:
    """Return the commands after the last one that proved that all is well."""
    since: list[Record] = []
    for record in executions:
        since = [] if record.verdict is Verdict.SUCCESS else [*since, record]
    return since


def _reason(record: Record) -> str:
    """Return Smartcar's own reason."""
    return (
        ": ".join(
            filter(None, (record.error_code or record.error_type, record.error_message))
        )
        or "-"
    )
