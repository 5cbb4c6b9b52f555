"""Diagnostics: what support needs, and nothing that tells who or where the user is."""

import asyncio
from collections.abc import Awaitable, Callable
import json
from typing import Any, Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from syrupy.assertion import SnapshotAssertion
from syrupy.filters import props

from tests.actions import delete_schedule, device_id, set_schedule
from tests.conftest import make_entry
from tests.ledgers import file_of, path_of, reading_held
from tests.simulator import (
    DEMO_CLIENT_ID,
    DEMO_CLIENT_SECRET,
    TESLA,
    VOLVO,
    Fault,
    Simulator,
)

type Download = Callable[[MockConfigEntry], Awaitable[dict[str, Any]]]

CHANGES_EACH_TIME: Final = props(
    "begun_at",
    "completed_at",
    "ended_at",
    "executed_at",
    "request_id",
    "token_age_seconds",
)
PRIVATE: Final = {
    "vehicle id": TESLA.vehicle_id,
    "other vehicle id": VOLVO.vehicle_id,
    "user id": TESLA.user_id,
    "other user id": VOLVO.user_id,
    "connection id": TESLA.connection_id,
    "client id": DEMO_CLIENT_ID,
    "client secret": DEMO_CLIENT_SECRET,
    "latitude": "32.87",
    "longitude": "117.22",
    "other latitude": "48.858",
    "other longitude": "2.2945",
    "zone": "zone.home",
    "name of the zone": "test home",
    "schedule ids": "sched_",
    "execution ids": "exec_",
}
TELLTALE: Final = (
    f"Vehicle {TESLA.vehicle_id} of user {TESLA.user_id} has schedule sched_1 of "
    "exec_1 at 48.858222, 2.294500."
)


@pytest.fixture
async def download(
    hass: HomeAssistant, hass_client: ClientSessionGenerator
) -> Download:
    """Return how a user downloads diagnostics: the whole file."""
    assert await async_setup_component(hass, "diagnostics", {})

    async def download(entry: MockConfigEntry) -> dict[str, Any]:
        """Download the diagnostics of an account."""
        client = await hass_client()
        response = await client.get(f"/api/diagnostics/config_entry/{entry.entry_id}")
        assert response.status == 200
        file: dict[str, Any] = await response.json()
        return file

    return download


def private_parts(simulator: Simulator, file: dict[str, Any]) -> list[str]:
    """Return what the file should not tell, by its name."""
    text = json.dumps(file)
    tokens = {
        f"token {number}": token for number, token in enumerate(simulator.tokens_minted)
    }
    return [name for name, part in (PRIVATE | tokens).items() if part in text]


async def refused(
    hass: HomeAssistant, simulator: Simulator, fault: Fault, **data: Any
) -> None:
    """Let a set not succeed."""
    simulator.script(fault, path="/daily")
    with pytest.raises(HomeAssistantError):
        await set_schedule(hass, **data)


async def test_before_the_first_command(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    download: Download,
    snapshot: SnapshotAssertion,
) -> None:
    """The car, and that nothing happened yet; Home Assistant adds both versions."""
    file = await download(entry)
    assert file["data"] == snapshot(exclude=CHANGES_EACH_TIME)
    assert file["home_assistant"]["version"]
    assert file["custom_components"]["smartcar_charging"]["version"]


async def test_after_a_success(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    download: Download,
    snapshot: SnapshotAssertion,
) -> None:
    """The verdict, with the request id under which Smartcar knows it."""
    response = await set_schedule(hass)
    file = await download(entry)
    assert file["data"] == snapshot(exclude=CHANGES_EACH_TIME)
    (execution,) = file["data"]["cars"][0]["executions"]
    assert execution["request_id"] == response["request_id"]
    assert execution["executed_at"] == response["executed_at"]
    assert private_parts(simulator, file) == []


async def test_after_a_failure_whose_text_tells_all(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    download: Download,
    snapshot: SnapshotAssertion,
) -> None:
    """Type, code and request id are told; Smartcar's sentences are not."""
    await refused(hass, simulator, Fault.error(403, "PERMISSION", "MISSING", TELLTALE))
    file = await download(entry)
    assert file["data"] == snapshot(exclude=CHANGES_EACH_TIME)
    assert [issue["issue_id"].rpartition("_")[0] for issue in file["issues"]] == [
        "permission_missing"
    ]
    assert file["data"]["cars"][0]["executions"][0]["request_id"]
    assert private_parts(simulator, file) == []


async def test_after_an_unconfirmed_create(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    download: Download,
    snapshot: SnapshotAssertion,
) -> None:
    """That a schedule may be on the car is a number."""
    await refused(
        hass,
        simulator,
        Fault.error(502, "UPSTREAM", "NO_RESPONSE", TELLTALE, executes=True),
    )
    file = await download(entry)
    assert file["data"] == snapshot(exclude=CHANGES_EACH_TIME)
    assert private_parts(simulator, file) == []


async def test_after_a_replacement_that_left_the_old_one(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    download: Download,
    snapshot: SnapshotAssertion,
) -> None:
    """Both are counted, as is the failed delete; no place is told, home or other."""
    await set_schedule(hass, location={"latitude": 48.858222, "longitude": 2.2945})
    await set_schedule(hass)
    simulator.script(
        Fault.error(409, "VEHICLE_STATE", "ASLEEP", TELLTALE), method="DELETE"
    )
    await set_schedule(hass, start_time="00:00")
    file = await download(entry)
    assert file["data"]["cars"][0] == snapshot(exclude=CHANGES_EACH_TIME)
    assert private_parts(simulator, file) == []


@pytest.mark.parametrize("cars", [[TESLA, VOLVO]])
async def test_each_car_tells_its_own(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    download: Download,
) -> None:
    """A car is known by make, model and year."""
    volvo = device_id(hass, VOLVO)
    schedule = await set_schedule(hass, device_id=volvo)
    await delete_schedule(hass, device_id=volvo, schedule_id=schedule["schedule_id"])
    file = await download(entry)
    told = [
        (car["make"], car["model"], car["year"], len(car["executions"]))
        for car in file["data"]["cars"]
    ]
    assert told == [("Tesla", "Model Y", 2024, 0), ("Volvo", "EX40", 2025, 2)]
    assert private_parts(simulator, file) == []


async def test_age_of_a_minted_token_is_told(
    hass: HomeAssistant, entry: MockConfigEntry, download: Download
) -> None:
    """So that support sees whether it was ever renewed."""
    assert 0 <= (await download(entry))["data"]["token_age_seconds"] < 60


async def test_pasted_token_is_told_as_such(
    hass: HomeAssistant, simulator: Simulator, download: Download
) -> None:
    """Its age is not known, and it is not shown."""
    token = simulator.issue_token()
    entry = make_entry(TESLA, data={"access_token": token})
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await set_schedule(hass)
    file = await download(entry)
    assert file["data"]["credentials"] == "access_token"
    assert file["data"]["token_age_seconds"] is None
    assert token not in json.dumps(file)
    assert private_parts(simulator, file) == []


async def test_car_that_was_added_by_its_ids_only(
    hass: HomeAssistant, simulator: Simulator, download: Download
) -> None:
    """What is not known of it is null, not an error."""
    entry = MockConfigEntry(
        domain="smartcar_charging",
        data={"client_id": DEMO_CLIENT_ID, "client_secret": DEMO_CLIENT_SECRET},
        subentries_data=[
            {
                "subentry_type": "vehicle",
                "title": "Car",
                "unique_id": TESLA.vehicle_id,
                "data": {"vehicle_id": TESLA.vehicle_id, "user_id": TESLA.user_id},
            }
        ],
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    (car,) = (await download(entry))["data"]["cars"]
    assert (car["make"], car["model"], car["year"]) == (None, None, None)


@pytest.mark.parametrize(
    "state", [state for state in ConfigEntryState if state != ConfigEntryState.LOADED]
)
async def test_account_that_is_not_loaded_tells_its_state(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    download: Download,
    state: ConfigEntryState,
) -> None:
    """That is when people ask for help."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    entry.mock_state(hass, state)
    file = await download(entry)
    assert file["data"] == {"credentials": "api_credentials", "state": state.value}
    assert private_parts(simulator, file) == []
    entry.mock_state(hass, ConfigEntryState.NOT_LOADED)


async def test_account_that_is_being_set_up_tells_its_state(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    download: Download,
) -> None:
    """Its cars are not told before all of them are there."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    file_of(hass, entry).unlink()
    with reading_held(file_of(hass, entry)):
        setting_up = hass.async_create_task(
            hass.config_entries.async_setup(entry.entry_id)
        )
        await asyncio.sleep(0.1)
        file = await download(entry)
    assert file["data"] == {
        "credentials": "api_credentials",
        "state": "setup_in_progress",
    }
    assert await setting_up


async def test_car_whose_removal_waits_is_told_without_what_is_gone(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    download: Download,
) -> None:
    """Another car is being added, and the removal has to wait for that."""
    (tesla,) = entry.subentries
    (subentry,) = make_entry(VOLVO).subentries.values()
    with reading_held(path_of(hass, subentry.subentry_id)):
        hass.config_entries.async_add_subentry(entry, subentry)
        await asyncio.sleep(0.1)
        hass.config_entries.async_remove_subentry(entry, tesla)
        (car,) = (await download(entry))["data"]["cars"]
    assert ("make" in car, car["executions"]) == (False, [])
    await hass.async_block_till_done()
    (car,) = (await download(entry))["data"]["cars"]
    assert car["make"] == "Volvo"


async def test_record_that_cannot_be_read_is_told(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    download: Download,
) -> None:
    """It is why the car is not available."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    file_of(hass, entry).unlink()
    file_of(hass, entry).mkdir()
    assert await hass.config_entries.async_setup(entry.entry_id)
    (car,) = (await download(entry))["data"]["cars"]
    assert (car["is_record_readable"], car["is_record_lost"]) == (False, False)
