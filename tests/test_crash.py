"""A real Home Assistant, killed or stopped while it waits for a car, and restarted."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
import json
from pathlib import Path
from typing import Any, Final

import aiohttp
from aiohttp.test_utils import unused_port
import pytest

from custom_components.smartcar_charging.const import DOMAIN
from tests.actions import EVENT, NEW_START, SENSOR
from tests.home import HomeAssistantApi, HomeAssistantProcess
from tests.simulator import (
    DEMO_CLIENT_ID,
    DEMO_CLIENT_SECRET,
    TESLA,
    Fault,
    Simulator,
)

# Upper limits for a slow machine; nothing waits for them to pass.
_START_SECONDS: Final = 120
_SECONDS: Final = 30
_STOP_SECONDS: Final = 25

_CREATE: Final = "/charge-schedules/daily"


@pytest.fixture
async def process(
    simulator: Simulator, tmp_path: Path
) -> AsyncIterator[HomeAssistantProcess]:
    """Start a Home Assistant that is new, and end it whatever happens."""
    process = HomeAssistantProcess(tmp_path / "home", unused_port(), simulator.url)
    process.prepare(history=False)
    try:
        await process.start(_START_SECONDS)
        yield process
    finally:
        await process.kill()


@pytest.fixture
async def home(process: HomeAssistantProcess) -> AsyncIterator[HomeAssistantApi]:
    """Sign in, connect the car, and wait until Home Assistant would remember both."""
    async with HomeAssistantApi(process.url) as home:
        await home.onboard("demo", "demo")
        await home.wait_until_running(_START_SECONDS)
        flow = await home.post("/api/config/config_entries/flow", handler=DOMAIN)
        answers: tuple[dict[str, str], ...] = (
            {"next_step_id": "api_credentials"},
            {"client_id": DEMO_CLIENT_ID, "client_secret": DEMO_CLIENT_SECRET},
            {"vehicle": TESLA.connection_id},
        )
        for answer in answers:
            await home.post(
                f"/api/config/config_entries/flow/{flow['flow_id']}", **answer
            )
        await process.wait_until_stored("auth", process.url, _SECONDS)
        await process.wait_until_stored(
            "core.config_entries", TESLA.vehicle_id, _SECONDS
        )
        yield home


async def set_schedule(home: HomeAssistantApi, start: str, stop: str) -> dict[str, Any]:
    """Set a schedule at home, as an automation would."""
    return await home.call_action(
        DOMAIN, "set_daily_charge_schedule", start_time=start, stop_time=stop
    )


async def start_again(
    process: HomeAssistantProcess, home: HomeAssistantApi, simulator: Simulator
) -> dict[str, Any]:
    """Start, wait until a start's background work is done, and return the sensor."""
    checks = len(simulator.received(path="/connections"))
    await process.start(_START_SECONDS)
    await home.wait_until_running(_START_SECONDS)
    async with asyncio.timeout(_SECONDS):
        await simulator.wait_for_request(checks + 1, path="/connections")
    state: dict[str, Any] = await home.get(f"/api/states/{SENSOR}")
    return state


async def issues(home: HomeAssistantApi) -> dict[str, dict[str, str]]:
    """Return the repair issues of ours, with what fills the gaps in their words."""
    listed = (await home.command("repairs/list_issues"))["issues"]
    return {
        issue["translation_key"]: issue["translation_placeholders"]
        for issue in listed
        if issue["domain"] == DOMAIN
    }


def ledger(process: HomeAssistantProcess) -> dict[str, Any]:
    """Return what is on the disk of the only car."""
    (path,) = (process.config_dir / ".storage").glob(f"{DOMAIN}.*")
    data: dict[str, Any] = json.loads(path.read_text())["data"]
    return data


async def told(home: HomeAssistantApi) -> dict[str, Any]:
    """Return what the event entity told last."""
    attributes: dict[str, Any] = (await home.get(f"/api/states/{EVENT}"))["attributes"]
    return attributes


def on_car(simulator: Simulator) -> list[str]:
    """Return the ids of what is on the car."""
    return [schedule.id for schedule in simulator.schedules(TESLA.vehicle_id)]


async def kill(process: HomeAssistantProcess) -> None:
    """End it as a power cut would."""
    await process.kill()


async def stop(process: HomeAssistantProcess) -> None:
    """End it as the system would: it does so soon, and by itself."""
    async with asyncio.timeout(_STOP_SECONDS):
        assert await process.stop() == 0


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (kill, "Home Assistant stopped while waiting for the answer"),
        (stop, "Home Assistant stopped waiting for the answer"),
    ],
)
async def test_an_end_during_a_create_is_unconfirmed_after_the_next_start(
    simulator: Simulator,
    process: HomeAssistantProcess,
    home: HomeAssistantApi,
    end: Callable[[HomeAssistantProcess], Awaitable[None]],
    reason: str,
) -> None:
    """The caller hears no success, nothing is sent again, and what was known stays."""
    first = await set_schedule(home, "23:30", "05:30")
    simulator.script(Fault(hold=asyncio.Event()), path=_CREATE)
    call = asyncio.create_task(set_schedule(home, "00:15", "06:00"))
    async with asyncio.timeout(_SECONDS):
        await simulator.wait_for_request(2, path=_CREATE)
    assert ledger(process)["commands"][-1]["outcome"] is None
    await end(process)
    with pytest.raises((RuntimeError, aiohttp.ClientError)):
        await call

    sensor = await start_again(process, home, simulator)
    attributes = sensor["attributes"]
    assert sensor["state"] == "unconfirmed"
    assert attributes["error_message"] == reason
    assert attributes["can_retry"] is False
    assert (attributes["start_time"], attributes["schedule_id"]) == ("00:15", None)
    async with asyncio.timeout(_SECONDS):
        while (event := await told(home))["event_type"] != "unconfirmed":
            await asyncio.sleep(0.2)
    assert event["error_message"] == reason
    assert event["start_time"] == "00:15"
    assert (await home.get(f"/api/states/{NEW_START}"))["state"] == "23:30:00"
    stored = ledger(process)
    assert [command["outcome"] for command in stored["commands"]] == [
        "success",
        "unconfirmed",
    ]
    known, possible = stored["schedules"]
    assert known["schedule_id"] == first["schedule_id"]
    assert (known["doubt"], possible["doubt"]) == (None, "stopped")
    assert possible["window"] == {"start_time": "00:15:00", "stop_time": "06:00:00"}
    assert list(await issues(home)) == ["unsettled_schedules"]
    assert (len(simulator.creates), simulator.deletes) == (2, [])

    third = await set_schedule(home, "01:00", "07:00")
    assert third["replaced_schedule_ids"] == [first["schedule_id"]]
    assert len(simulator.creates) == 3
    # What nobody knows the id of is still there, which is why it is remembered.
    _unknown, last = on_car(simulator)
    assert last == third["schedule_id"]


async def test_a_kill_while_replacing_is_told_and_the_next_set_makes_it_good(
    simulator: Simulator, process: HomeAssistantProcess, home: HomeAssistantApi
) -> None:
    """The new schedule is known, and so is that the old one is still to be removed."""
    first = await set_schedule(home, "23:30", "05:30")
    fault = Fault(hold=asyncio.Event(), executes=False)
    simulator.script(fault, method="DELETE")
    call = asyncio.create_task(set_schedule(home, "00:15", "06:00"))
    async with asyncio.timeout(_SECONDS):
        await simulator.wait_for_request(method="DELETE")
    (_first, second) = on_car(simulator)
    await process.kill()
    with pytest.raises(aiohttp.ClientError):
        await call

    sensor = await start_again(process, home, simulator)
    assert (sensor["state"], sensor["attributes"]["schedule_id"]) == ("success", second)
    told_of = await issues(home)
    assert list(told_of) == ["old_schedule"]
    assert first["schedule_id"] in told_of["old_schedule"]["schedules"]
    assert (len(simulator.creates), len(simulator.deletes)) == (2, 1)

    third = await set_schedule(home, "01:00", "07:00")
    assert third["replaced_schedule_ids"] == [first["schedule_id"], second]
    assert on_car(simulator) == [third["schedule_id"]]
    assert await issues(home) == {}
