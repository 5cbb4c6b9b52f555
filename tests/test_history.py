"""What the recorder keeps of a car: how many schedules, not where somebody lives."""

from collections.abc import AsyncIterator
import json
import logging
from typing import Any, Final

from homeassistant.components.recorder.history import get_significant_states
from homeassistant.core import HomeAssistant, State
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
from pytest_homeassistant_custom_component.typing import RecorderInstanceContextManager

from tests.actions import CHARGE_SCHEDULE, EVENT, SENSOR, set_schedule, shown
from tests.simulator import Fault, Simulator

SHOWN: Final = (CHARGE_SCHEDULE, EVENT, SENSOR)


@pytest.fixture
async def mock_recorder_before_hass(
    async_test_recorder: RecorderInstanceContextManager,
) -> None:
    """Make the recorder ready before Home Assistant, which loads it first."""


@pytest.fixture(autouse=True)
async def recorder(
    mock_recorder_before_hass: None,
    async_test_recorder: RecorderInstanceContextManager,
    hass: HomeAssistant,
    caplog: pytest.LogCaptureFixture,
) -> AsyncIterator[None]:
    """Run the recorder that Home Assistant has, without a word on each statement."""
    caplog.set_level(logging.WARNING, "sqlalchemy.engine")
    async with async_test_recorder(hass):
        yield


async def recorded(hass: HomeAssistant) -> dict[str, list[State]]:
    """Return the states of the car's entities as the history has them."""
    await async_wait_recording_done(hass)
    states: Any = await get_instance(hass).async_add_executor_job(
        lambda: get_significant_states(
            hass,
            dt_util.utc_from_timestamp(0),
            entity_ids=[*SHOWN],
            significant_changes_only=False,
        )
    )
    return dict(states)


async def test_coordinates_and_schedules_are_not_in_the_history(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Neither of what was set, nor of what may be on the car."""
    await set_schedule(hass)
    simulator.script(Fault.error(500, "SERVER", "INTERNAL"))
    with pytest.raises(HomeAssistantError):
        await set_schedule(hass, start_time="00:15")
    history = await recorded(hass)
    assert set(history) == set(SHOWN)
    for states in history.values():
        words = json.dumps([state.as_dict() for state in states])
        assert "32.87" not in words
        assert "117.22" not in words
    words = json.dumps([state.as_dict() for state in history[CHARGE_SCHEDULE]])
    assert "00:15" not in words
    assert "sched_" not in words


async def test_what_is_open_is_in_the_history(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The window, how many schedules there were, and in which zones one was open."""
    await set_schedule(hass)
    simulator.script(Fault.error(500, "SERVER", "INTERNAL"))
    with pytest.raises(HomeAssistantError):
        await set_schedule(hass, start_time="00:15")
    *_, last = (await recorded(hass))[CHARGE_SCHEDULE]
    assert last.state == shown(hass, CHARGE_SCHEDULE).state == "23:30–05:30"
    assert {"count", "unsettled_zones", "record_lost_at"} <= set(last.attributes)
    assert last.attributes["count"] == 1
    assert last.attributes["unsettled_zones"] == ["zone.home"]
