"""What is on the disk before a command is sent, and what is made of a disk that is not as it should be."""

import asyncio
import json
from pathlib import Path
import threading
import time
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.json import save_json
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.smartcar_charging.const import DOMAIN
from tests.actions import (
    CALENDAR,
    CHARGE_SCHEDULE,
    device_id,
    sensor,
    set_schedule,
    shown,
)
from tests.conftest import make_entry
from tests.simulator import TESLA, Car, Fault, Simulator


def store_of(hass: HomeAssistant, entry: MockConfigEntry) -> Path:
    """Return the file that is kept of the only car."""
    (subentry_id,) = entry.subentries
    return Path(hass.config.path(".storage", f"{DOMAIN}.{subentry_id}"))


def stored(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, Any]:
    """Return what is on the disk."""
    data: dict[str, Any] = json.loads(store_of(hass, entry).read_text())["data"]
    return data


async def start_with(
    hass: HomeAssistant, content: str
) -> tuple[MockConfigEntry, list[Path]]:
    """Start with this on the disk; return the entry and what was set aside."""
    entry = make_entry(TESLA)
    path = store_of(hass, entry)
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return entry, sorted(path.parent.glob(f"{path.name}.*"))


def file_with(data: Any, version: int = 1) -> str:
    """Return the content of a store."""
    return json.dumps(
        {"version": version, "minor_version": 1, "key": "any", "data": data}
    )


def damage_issues(hass: HomeAssistant) -> int:
    """Return how many issues of a damaged file there are."""
    issues = ir.async_get(hass).issues.values()
    return sum(
        issue.translation_key == "record_damaged" and issue.is_persistent
        for issue in issues
    )


SCHEDULE = {
    "schedule_id": "sched_old",
    "place": {"zone": "zone.home", "location": {"latitude": 1.0, "longitude": 2.0}},
    "start_time": "22:00",
    "stop_time": "23:00",
    "set_at": "2026-11-01T00:00:00+00:00",
    "failed_deletes": 0,
}
IN_PROGRESS = {
    "verdict": "in_progress",
    "action": "create",
    "begun_at": "2026-11-01T00:00:00+00:00",
    "zone": "zone.home",
    "location": {"latitude": 1.0, "longitude": 2.0},
    "start_time": "22:00",
    "stop_time": "23:00",
}


async def test_in_progress_is_on_disk_before_the_request_is_sent(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """A power cut while the car thinks is known of afterwards."""
    hold = asyncio.Event()
    simulator.script(Fault(hold=hold))
    call = hass.async_create_task(set_schedule(hass))
    await simulator.wait_for_request(path="/charge-schedules/daily")
    assert stored(hass, entry)["executions"][-1]["verdict"] == "in_progress"
    hold.set()
    response = await call
    data = stored(hass, entry)
    assert data["executions"][-1]["verdict"] == "success"
    assert [schedule["schedule_id"] for schedule in data["schedules"]] == [
        response["schedule_id"]
    ]


async def test_what_can_not_be_recorded_is_not_sent(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A disk that takes no writes: the caller hears it, the sensor keeps what it showed."""
    await set_schedule(hass)
    before = sensor(hass)
    path = store_of(hass, entry)
    path.unlink()
    path.mkdir()
    with pytest.raises(
        HomeAssistantError, match="Check that the disk is not full"
    ) as caught:
        await set_schedule(hass)
    assert caught.value.translation_key == "not_recorded"
    assert len(simulator.creates) == 1
    assert sensor(hass) is before
    path.rmdir()
    await set_schedule(hass)
    assert [record["verdict"] for record in stored(hass, entry)["executions"]] == [
        "success",
        "success",
    ]


async def test_a_success_that_can_not_be_recorded_is_a_success_with_a_warning(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The car has it, so the caller is told; after a restart it would count as unconfirmed."""
    hold = asyncio.Event()
    simulator.script(Fault(hold=hold))
    call = hass.async_create_task(set_schedule(hass))
    await simulator.wait_for_request(path="/charge-schedules/daily")
    path = store_of(hass, entry)
    path.unlink()
    path.mkdir()
    hold.set()
    response = await call
    assert response["status"] == "SUCCESS"
    assert response["warnings"] == [
        "Home Assistant could not save this result; after a restart it will count as unconfirmed."
    ]
    assert sensor(hass).state == "success"


async def test_in_progress_at_the_start_becomes_unconfirmed(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Home Assistant was cut off while waiting: the create is possibly on the car."""
    entry, aside = await start_with(
        hass, file_with({"executions": [IN_PROGRESS], "schedules": [], "possible": []})
    )
    assert sensor(hass).state == "unconfirmed"
    assert (
        sensor(hass).attributes["error_message"]
        == "Home Assistant stopped while waiting for the answer"
    )
    data = stored(hass, entry)
    assert data["executions"][-1]["verdict"] == "unconfirmed"
    assert data["possible"] == [
        {
            "place": {
                "zone": "zone.home",
                "location": {"latitude": 1.0, "longitude": 2.0},
            },
            "start_time": "22:00",
            "stop_time": "23:00",
            "sent_at": "2026-11-01T00:00:00+00:00",
        }
    ]
    assert aside == []
    assert simulator.creates == []


@pytest.mark.parametrize("missing", ["location", "start_time", "stop_time"])
async def test_in_progress_without_a_place_or_a_window_is_only_unconfirmed(
    hass: HomeAssistant, simulator: Simulator, missing: str
) -> None:
    """A record edited by hand: there is nothing to look for on the car."""
    entry, _aside = await start_with(
        hass,
        file_with(
            {
                "executions": [{**IN_PROGRESS, missing: None}],
                "schedules": [],
                "possible": [],
            }
        ),
    )
    assert sensor(hass).state == "unconfirmed"
    assert stored(hass, entry)["possible"] == []


async def test_only_the_last_ten_executions_are_kept(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """The store does not grow with the years."""
    for minute in range(12):
        await set_schedule(hass, start_time=f"00:{minute:02}")
    starts = [record["start_time"] for record in stored(hass, entry)["executions"]]
    assert starts == [f"00:{minute:02}" for minute in range(2, 12)]
    assert len(stored(hass, entry)["schedules"]) == 1


@pytest.mark.parametrize(
    "content",
    [
        file_with(["not", "an", "object"]),
        file_with({}),
        file_with({"executions": {}, "schedules": None, "possible": 7}),
        file_with(
            {
                "executions": [{"verdict": "perhaps"}],
                "schedules": [{}],
                "possible": [None],
            }
        ),
        file_with(
            {
                "executions": [{**IN_PROGRESS, "start_time": "later"}],
                "schedules": [],
                "possible": [],
            }
        ),
        json.dumps({"data": {}}),
        json.dumps([1, 2, 3]),
        json.dumps("text"),
        json.dumps(None),
    ],
)
async def test_a_store_of_the_wrong_shape_is_set_aside(
    hass: HomeAssistant,
    simulator: Simulator,
    content: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Setup goes on, the file is kept under another name, and the log says so."""
    _entry, aside = await start_with(hass, content)
    assert sensor(hass).state == "unknown"
    assert [path.read_text() for path in aside] == [content]
    assert "could not be read in full" in caplog.text
    assert damage_issues(hass) == 1
    assert (await set_schedule(hass))["status"] == "SUCCESS"


async def test_what_can_be_read_is_kept(
    hass: HomeAssistant, simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """One broken schedule does not lose the others, nor any entity."""
    broken = {**SCHEDULE, "schedule_id": "../x"}
    nowhere = {
        **SCHEDULE,
        "place": {"zone": None, "location": {"latitude": 100, "longitude": 2}},
    }
    never = {**SCHEDULE, "schedule_id": "sched_never", "stop_time": "25:00"}
    number = {**SCHEDULE, "schedule_id": "sched_number", "start_time": 1410}
    content = file_with(
        {
            "executions": [],
            "schedules": [broken, SCHEDULE, nowhere, never, number],
            "possible": [],
        }
    )
    _entry, aside = await start_with(hass, content)
    assert [path.read_text() for path in aside] == [content]
    assert shown(hass, CHARGE_SCHEDULE).state == "22:00–23:00"
    assert shown(hass, CALENDAR).attributes["message"] == "Charge window · test home"
    response = await set_schedule(hass, zone="zone.home")
    assert response["replaced_schedule_ids"] == ["sched_old"]


async def test_a_store_of_a_newer_version_is_read_as_far_as_it_is_understood(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Who goes back a version keeps the schedules, and the newer file."""
    schedule = {**SCHEDULE, "colour": "green"}
    content = file_with(
        {"executions": [], "schedules": [schedule], "possible": [], "more": 1},
        version=3,
    )
    entry, aside = await start_with(hass, content)
    assert [path.read_text() for path in aside] == [content]
    assert [kept["schedule_id"] for kept in stored(hass, entry)["schedules"]] == [
        "sched_old"
    ]
    assert damage_issues(hass) == 0


async def test_a_file_is_set_aside_once(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """It is written anew at once, so that the next starts find nothing wrong; the issue stays until it was seen."""
    entry, aside = await start_with(hass, file_with({"executions": 7}))
    for _ in range(3):
        assert await hass.config_entries.async_reload(entry.entry_id)
    assert sorted(store_of(hass, entry).parent.glob(f"{DOMAIN}.*.*")) == aside
    assert damage_issues(hass) == 1


async def test_the_issue_of_a_damaged_file_goes_with_the_car(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """So do the file and its copy."""
    entry, _aside = await start_with(hass, file_with({"executions": 7}))
    assert await hass.config_entries.async_remove(entry.entry_id)
    assert damage_issues(hass) == 0
    assert list(store_of(hass, entry).parent.glob(f"{DOMAIN}.*")) == []


async def test_a_store_that_can_not_even_be_copied_does_not_prevent_the_start(
    hass: HomeAssistant, simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """A folder in its place: the start goes on, and the log says so."""
    entry = make_entry(TESLA)
    store_of(hass, entry).mkdir(parents=True)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert sensor(hass).state == "unknown"
    assert "nor be copied" in caplog.text
    with pytest.raises(HomeAssistantError, match="could not write to its storage"):
        await set_schedule(hass)


@pytest.mark.parametrize(
    "cars",
    [[Car(make="TESLA", model="Model 3", year=year) for year in range(2018, 2026)]],
)
async def test_four_cars_write_at_once_and_no_more(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    cars: list[Car],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each write waits here for three others, so less would never end; more would keep Home Assistant from running."""
    four = threading.Barrier(4, timeout=10)
    at_work: list[object] = []
    most = 0

    def save_with_three_others(*args: Any, **kwargs: Any) -> None:
        """Save, and count how many do so just now."""
        nonlocal most
        at_work.append(args)
        most = max(most, len(at_work))
        four.wait()
        time.sleep(0.05)  # in which a fifth would come
        save_json(*args, **kwargs)
        at_work.remove(args)

    monkeypatch.setattr(
        "custom_components.smartcar_charging.ledger.save_json", save_with_three_others
    )
    for car in cars:
        simulator.add_car(car)
    await asyncio.gather(
        *(set_schedule(hass, device_id=device_id(hass, car)) for car in cars)
    )
    assert (most, len(simulator.creates)) == (4, 8)
