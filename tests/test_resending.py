"""Sending again, and tokens, as the user meets them.

What the sensor says meanwhile, and who is asked to sign in.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace

import aiohttp
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.smartcar_charging.const import DOMAIN
from custom_components.smartcar_charging.smartcar import auth, client
from tests.actions import device_id, sensor, set_schedule
from tests.conftest import make_entry
from tests.flows import Dialog, last_token
from tests.ledgers import issues_of_ours
from tests.simulator import TESLA, Car, Fault, Simulator
from tests.smartcar.conftest import Clock
from tests.texts import ENGLISH

TOKENS = "/oauth2/token"


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What makes a command wait."""

    simulator: Simulator
    clock: Clock


class Pauses:
    """The client's pauses: noted, and over when a test says so."""

    def __init__(self) -> None:
        """Begin with none."""
        self.seconds: list[float] = []
        self.begun = asyncio.Event()
        self.over = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        """Wait for the test."""
        self.seconds.append(seconds)
        self.begun.set()
        await self.over.wait()


@pytest.fixture
async def pauses(monkeypatch: pytest.MonkeyPatch) -> Pauses:
    """Take the place of the client's pauses."""
    pauses = Pauses()
    monkeypatch.setattr(client, "asyncio", SimpleNamespace(sleep=pauses.sleep))
    return pauses


@pytest.fixture
def clock(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Give the tokens' owner and issuer one clock, which a test can set forward."""
    clock = Clock()
    simulator.clock = clock
    monkeypatch.setattr(auth, "time", SimpleNamespace(monotonic=clock))
    return clock


async def test_sensor_stays_in_progress_while_a_limit_is_waited_for(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, pauses: Pauses
) -> None:
    """A 429 with a short `Retry-After` is no news yet: the command succeeds."""
    simulator.script(
        Fault.error(429, "RATE_LIMIT", "VEHICLE", headers={"Retry-After": "60"}),
        path="/daily",
    )
    call = hass.async_create_task(set_schedule(hass))
    await pauses.begun.wait()
    state = sensor(hass)
    assert state.state == "in_progress"
    assert state.attributes["error_type"] is None
    assert state.attributes["can_retry"] is False
    assert len(simulator.creates) == 1

    pauses.over.set()
    assert (await call)["status"] == "SUCCESS"
    assert sensor(hass).state == "success"
    assert pauses.seconds == [60.0]
    assert len(simulator.creates) == 2


async def test_sensor_stays_in_progress_while_a_connection_is_tried_again(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, pauses: Pauses
) -> None:
    """A server that is back in time gets the command once."""
    await simulator.stop()
    call = hass.async_create_task(set_schedule(hass))
    await pauses.begun.wait()
    assert sensor(hass).state == "in_progress"

    await simulator.start()
    pauses.over.set()
    assert (await call)["status"] == "SUCCESS"
    assert sensor(hass).state == "success"
    assert len(pauses.seconds) == 1
    assert len(simulator.creates) == 1


async def test_six_cars_wait_together_for_a_token_endpoint_that_hangs(
    hass: HomeAssistant,
    simulator: Simulator,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Three time-outs in all, and not three for each of them."""
    cars = [Car(make="tesla", model=f"Model {n}", year=2024) for n in range(6)]
    entry = await loaded(hass, make_entry(*cars))
    clock.now += 3600
    monkeypatch.setattr(auth, "TOKEN_TIMEOUT", aiohttp.ClientTimeout(total=0.05))
    simulator.always(Fault.slow(60), path=TOKENS)
    calls = [set_schedule(hass, device_id=device_id(hass, car)) for car in cars]
    errors = await asyncio.gather(*calls, return_exceptions=True)
    assert [getattr(error, "translation_key", None) for error in errors] == [
        "not_sent"
    ] * len(cars)
    assert len(simulator.received(path=TOKENS)) == 1 + 3
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_token_endpoint_that_asks_to_wait_is_left_alone(
    hass: HomeAssistant, simulator: Simulator, clock: Clock, entry: MockConfigEntry
) -> None:
    """Until then no command asks it again."""
    clock.now += 3600
    simulator.script(Fault(status=429, headers={"Retry-After": "120"}), path=TOKENS)
    for passed in (0, 59):
        clock.now += passed
        with pytest.raises(HomeAssistantError) as caught:
            await set_schedule(hass)
        assert caught.value.translation_key == "not_sent"
    assert len(simulator.received(path=TOKENS)) == 2
    clock.now += 61
    assert (await set_schedule(hass))["status"] == "SUCCESS"
    assert len(simulator.received(path=TOKENS)) == 3


async def wait_for_a_limit(stage: Waiting) -> None:
    """Have Smartcar's limit wait for a minute."""
    limit = Fault.error(429, "RATE_LIMIT", "VEHICLE", headers={"Retry-After": "60"})
    stage.simulator.script(limit, path="/daily")


async def wait_between_connections(stage: Waiting) -> None:
    """Have nobody listen."""
    await stage.simulator.stop()


async def wait_for_a_token(stage: Waiting) -> None:
    """Have no token, and an endpoint that is out of order."""
    stage.clock.now += 3600
    stage.simulator.always(Fault(status=500), path=TOKENS)


async def wait_for_another_token(stage: Waiting) -> None:
    """Have a token that is rejected, and an endpoint that is out of order."""
    stage.simulator.revoke_tokens()
    stage.simulator.always(Fault(status=500), path=TOKENS)


@pytest.mark.parametrize(
    "arrange",
    [
        wait_for_a_limit,
        wait_between_connections,
        wait_for_a_token,
        wait_for_another_token,
    ],
)
async def test_end_while_nothing_is_out_is_a_failure_without_an_issue(
    hass: HomeAssistant,
    simulator: Simulator,
    clock: Clock,
    entry: MockConfigEntry,
    pauses: Pauses,
    arrange: Callable[[Waiting], Awaitable[None]],
) -> None:
    """Who restarts because the internet is down has nothing to look after."""
    await arrange(Waiting(simulator=simulator, clock=clock))
    call = hass.async_create_task(set_schedule(hass))
    await pauses.begun.wait()
    assert await hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(HomeAssistantError) as caught:
        await call
    assert caught.value.translation_key == "not_sent"
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert (sensor(hass).state, issues_of_ours(hass)) == ("failed", [])
    assert sensor(hass).attributes["can_retry"] is True
    assert simulator.schedules(TESLA.vehicle_id) == []


async def loaded(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    """Set up an account."""
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return entry


async def token_entry(hass: HomeAssistant, simulator: Simulator) -> MockConfigEntry:
    """Set up an account with a pasted token."""
    data = {"access_token": simulator.issue_token()}
    return await loaded(hass, make_entry(TESLA, data=data))


async def test_late_rejection_of_exchanged_credentials_is_no_news(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """The command goes out with the new ones, and nobody is asked for others."""
    entry = await token_entry(hass, simulator)
    hold = asyncio.Event()
    late = Fault.error(401, "AUTHENTICATION", "UNAUTHORIZED")
    simulator.script(replace(late, hold=hold), path="/daily")
    call = hass.loop.create_task(set_schedule(hass))
    await simulator.wait_for_request(path="/daily")
    token = simulator.issue_token()
    hass.config_entries.async_update_entry(entry, data={"access_token": token})
    await hass.async_block_till_done()
    hold.set()
    assert (await call)["status"] == "SUCCESS"
    assert (last_token(simulator), len(simulator.creates)) == (token, 2)
    assert hass.config_entries.flow.async_progress() == []


async def test_refused_pasted_token_is_asked_for_with_the_reason(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """The command was refused and is not sent again.

    One reauth explains the hour and offers what lasts longer.
    """
    entry = await token_entry(hass, simulator)
    simulator.revoke_tokens()
    for _ in range(2):
        with pytest.raises(HomeAssistantError, match="Sign in again") as caught:
            await set_schedule(hass)
        assert caught.value.translation_key == "authentication_failed"
    assert len(simulator.creates) == 2
    assert sensor(hass).state == "failed"
    assert sensor(hass).attributes["can_retry"] is False
    assert entry.state.value == "loaded"

    dialog = await Dialog.reauth_in_progress(hass, entry)
    assert dialog.step == "reauth_token"
    words = ENGLISH["config"]["step"]["reauth_token"]
    assert "last one hour" in words["description"]
    assert "renew themselves" in words["description"]
    assert dialog.shown["menu_options"][0] == "api_credentials"
    assert "recommended" in words["menu_options"]["api_credentials"]


async def test_new_token_after_a_refusal_is_used_by_the_next_command(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """After the reauth that the command started, one works without a reload."""
    entry = await token_entry(hass, simulator)
    simulator.revoke_tokens()
    with pytest.raises(HomeAssistantError, match="Sign in again"):
        await set_schedule(hass)
    dialog = await Dialog.reauth_in_progress(hass, entry)
    await dialog.choose("access_token")
    token = simulator.issue_token()
    await dialog.enter({"access_token": token})
    assert (await set_schedule(hass))["status"] == "SUCCESS"
    assert last_token(simulator) == token
    assert hass.config_entries.flow.async_progress_by_handler(DOMAIN) == []


async def test_pasted_token_that_expired_while_off_is_asked_for_at_the_start(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """The free check in the background finds out before the night does."""
    data = {"access_token": "expired-long-ago"}
    entry = await loaded(hass, make_entry(TESLA, data=data))
    assert (await Dialog.reauth_in_progress(hass, entry)).step == "reauth_token"
    assert (entry.state.value, sensor(hass).state) == ("loaded", "unknown")
    assert simulator.creates == []
