"""Truthful under every fault: one table, from the action to the wire and back."""

from contextlib import AsyncExitStack

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.actions import sensor, set_schedule
from tests.fault_stage import Stage
from tests.fault_wire import again_rows, stream_rows, wire_rows
from tests.faults import (
    Expected,
    Row,
    answer_rows,
    documented_rows,
    silent_rows,
    word_rows,
)
from tests.ledgers import stored, stored_outcomes
from tests.simulator import TESLA, Simulator

VERDICTS = {
    "success": "success",
    "refused": "failed",
    "not_sent": "failed",
    "unconfirmed": "unconfirmed",
}
ROWS = (
    *documented_rows(),
    *silent_rows(),
    *word_rows(),
    *answer_rows(),
    *again_rows(),
    *stream_rows(),
    *wire_rows(),
)


async def heard_by_the_caller(hass: HomeAssistant) -> str | None:
    """Set a schedule; return the error's key, or None for a success."""
    try:
        response = await set_schedule(hass)
    except HomeAssistantError as error:
        return error.translation_key
    assert response["status"] == "SUCCESS"
    return None


def test_every_row_has_a_name_of_its_own() -> None:
    """No row hides another."""
    assert len({row.name for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_nothing_is_lost_and_nothing_doubled(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    row: Row,
) -> None:
    """Caller, server, sensor and file tell one story, and the next command works."""
    with monkeypatch.context() as meanwhile:
        async with AsyncExitStack() as closing:
            stage = Stage(
                hass=hass, simulator=simulator, monkeypatch=meanwhile, closing=closing
            )
            await row.arrange(stage)
            key = await heard_by_the_caller(hass)

    shown, schedules = sensor(hass), stored(hass, entry)["schedules"]
    known = {own["schedule_id"] for own in schedules} - {None}
    assert row.expected == Expected(
        verdict=shown.state,
        key=key,
        creates=stage.creates,
        can_retry=shown.attributes["can_retry"],
        doubts=tuple(own["doubt"] for own in schedules),
    )
    assert [VERDICTS[str(outcome)] for outcome in stored_outcomes(hass, entry)] == [
        row.expected.verdict
    ]
    assert known <= {schedule.id for schedule in simulator.schedules(TESLA.vehicle_id)}

    simulator.behave()
    response = await set_schedule(hass)
    assert (response["status"], sensor(hass).state) == ("SUCCESS", "success")
    assert set(response["replaced_schedule_ids"]) == known
