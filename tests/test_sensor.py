"""The sensor, as it looks."""

import json
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from syrupy.assertion import SnapshotAssertion
from syrupy.filters import props

from tests.actions import SENSOR, sensor, set_schedule
from tests.simulator import TESLA, Fault, Simulator

CHANGES_EACH_TIME = props(
    "completed_at", "executed_at", "execution_id", "request_id", "schedule_id"
)


def attributes(hass: HomeAssistant) -> Any:
    """Return the attributes as the frontend gets them."""
    return json.loads(sensor(hass).as_dict_json)["attributes"]


def test_registered_as(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """The unique id is the vehicle's, so that the entity survives a new account."""
    registered = er.async_get(hass).async_get(SENSOR)
    assert registered is not None
    assert registered.unique_id == f"{TESLA.vehicle_id}_last_execution"
    assert registered.translation_key == "last_execution"
    assert registered.config_subentry_id in entry.subentries


async def test_unknown_before_the_first_command(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """There is nothing to say yet."""
    assert sensor(hass).state == "unknown"
    assert "action" not in sensor(hass).attributes


async def test_after_a_success(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    snapshot: SnapshotAssertion,
) -> None:
    """All that Smartcar said, and when it came."""
    freezer.move_to("2026-11-22T12:00:00+00:00")
    await set_schedule(hass)
    assert sensor(hass).state == "success"
    assert attributes(hass) == snapshot(exclude=CHANGES_EACH_TIME)


async def test_after_a_failure(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    snapshot: SnapshotAssertion,
) -> None:
    """What was asked for, and why and when it was refused."""
    freezer.move_to("2026-11-22T12:00:00+00:00")
    simulator.script(
        Fault.error(409, "VEHICLE_STATE", "ASLEEP", "The car is asleep."),
        path="/charge-schedules/daily",
    )
    with pytest.raises(Exception, match="ASLEEP"):
        await set_schedule(hass)
    assert sensor(hass).state == "failed"
    assert attributes(hass) == snapshot(exclude=CHANGES_EACH_TIME)


async def test_location_is_not_recorded(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Where somebody lives does not belong in a history."""
    await set_schedule(hass)
    unrecorded = sensor(hass).state_info
    assert unrecorded is not None
    assert "location" in unrecorded["unrecorded_attributes"]
