"""Sending again, and tokens, as the user meets them: what the sensor says meanwhile, and who is asked to sign in."""

import asyncio
from types import SimpleNamespace

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.smartcar_charging.const import DOMAIN
from custom_components.smartcar_charging.smartcar import auth, client
from tests.actions import device_id, sensor, set_schedule
from tests.conftest import make_entry
from tests.flows import Dialog, last_token
from tests.simulator import TESLA, VOLVO, Fault, Simulator
from tests.smartcar.conftest import Clock
from tests.texts import ENGLISH

TOKENS = "/oauth2/token"


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
    """Give the tokens' owner and their issuer one clock, which a test can set forward."""
    clock = Clock()
    simulator.clock = clock
    monkeypatch.setattr(auth, "time", SimpleNamespace(monotonic=clock))
    return clock


async def test_sensor_stays_in_progress_while_a_limit_is_waited_for(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, pauses: Pauses
) -> None:
    """A 429 with a short `Retry-After` is not news yet: the command goes on, and succeeds."""
    simulator.script(
        Fault.error(429, "RATE_LIMIT", "VEHICLE", headers={"Retry-After": "60"}),
        path="/daily",
    )
    call = hass.async_create_task(set_schedule(hass))
    await pauses.begun.wait()
    state = sensor(hass)
    assert (
        state.state,
        state.attributes["error_type"],
        state.attributes["can_retry"],
    ) == ("in_progress", None, False)
    assert len(simulator.creates) == 1

    pauses.over.set()
    assert (await call)["status"] == "SUCCESS"
    assert (sensor(hass).state, pauses.seconds, len(simulator.creates)) == (
        "success",
        [60.0],
        2,
    )


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
    assert (sensor(hass).state, len(pauses.seconds), len(simulator.creates)) == (
        "success",
        1,
        1,
    )


async def test_next_command_waits_for_one_that_waits_for_a_limit(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, pauses: Pauses
) -> None:
    """Commands stay in order, pauses included."""
    simulator.script(
        Fault.error(429, "RATE_LIMIT", "VEHICLE", headers={"Retry-After": "1"}),
        path="/daily",
    )
    first = hass.async_create_task(set_schedule(hass, start_time="00:00"))
    await pauses.begun.wait()
    second = hass.async_create_task(set_schedule(hass, start_time="01:00"))
    await asyncio.sleep(0.05)
    assert len(simulator.creates) == 1

    pauses.over.set()
    await asyncio.gather(first, second)
    sent = [
        request.json["data"]["attributes"]["startTime"] for request in simulator.creates
    ]
    assert sent == ["00:00", "00:00", "01:00"]


async def set_on_both(hass: HomeAssistant) -> None:
    """Set a schedule on two cars at once."""
    await asyncio.gather(
        *(set_schedule(hass, device_id=device_id(hass, car)) for car in (TESLA, VOLVO))
    )


@pytest.mark.parametrize("cars", [[TESLA, VOLVO]])
async def test_commands_of_two_cars_that_find_no_token_mint_one(
    hass: HomeAssistant, simulator: Simulator, clock: Clock, entry: MockConfigEntry
) -> None:
    """The token of an hour ago is not tried: nothing is refused, and nothing is sent twice."""
    assert len(simulator.tokens_minted) == 1
    clock.now += 3600
    await set_on_both(hass)
    assert (len(simulator.received(path=TOKENS)), len(simulator.creates)) == (2, 2)


@pytest.mark.parametrize("cars", [[TESLA, VOLVO]])
async def test_commands_of_two_cars_whose_token_is_refused_replace_it_once(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """A token that Smartcar takes back early costs each car a refused request, and both of them one new token."""
    simulator.revoke_tokens()
    await set_on_both(hass)
    assert len(simulator.received(path=TOKENS)) == 2
    assert [len(simulator.schedules(car.vehicle_id)) for car in (TESLA, VOLVO)] == [
        1,
        1,
    ]
    assert hass.config_entries.flow.async_progress() == []


@pytest.mark.parametrize(("age", "minted"), [(3539, 1), (3540, 2), (3599, 2)])
async def test_token_is_not_used_within_its_last_minute(
    hass: HomeAssistant,
    simulator: Simulator,
    clock: Clock,
    entry: MockConfigEntry,
    age: int,
    minted: int,
) -> None:
    """A command that takes a while is not caught out by its token."""
    clock.now += age
    await set_schedule(hass)
    assert (len(simulator.tokens_minted), len(simulator.creates)) == (minted, 1)
    assert last_token(simulator) == simulator.tokens_minted[-1]


async def token_entry(hass: HomeAssistant, simulator: Simulator) -> MockConfigEntry:
    """Set up an account with a pasted token."""
    entry = make_entry(TESLA, data={"access_token": simulator.issue_token()})
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return entry


async def test_refused_pasted_token_is_asked_for_with_the_reason(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """The command was refused and is not sent again; one reauth explains the hour and offers what lasts longer."""
    entry = await token_entry(hass, simulator)
    simulator.revoke_tokens()
    for _ in range(2):
        with pytest.raises(HomeAssistantError, match="Sign in again") as caught:
            await set_schedule(hass)
        assert caught.value.translation_key == "authentication_failed"
    assert len(simulator.creates) == 2
    assert (
        sensor(hass).state,
        sensor(hass).attributes["can_retry"],
        entry.state.value,
    ) == ("failed", False, "loaded")

    dialog = await Dialog.reauth_in_progress(hass, entry)
    assert dialog.step == "reauth_token"
    words = ENGLISH["config"]["step"]["reauth_token"]
    assert "last one hour" in words["description"]
    assert "renew themselves" in words["description"]
    assert dialog.shown["menu_options"][0] == "new_api_credentials"
    assert "recommended" in words["menu_options"]["new_api_credentials"]


async def test_new_token_after_a_refusal_is_used_by_the_next_command(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """The reauth that the command started ends in a command that works, without a reload."""
    entry = await token_entry(hass, simulator)
    simulator.revoke_tokens()
    with pytest.raises(HomeAssistantError, match="Sign in again"):
        await set_schedule(hass)
    dialog = await Dialog.reauth_in_progress(hass, entry)
    await dialog.choose("new_access_token")
    token = simulator.issue_token()
    await dialog.enter({"access_token": token})
    assert (await set_schedule(hass))["status"] == "SUCCESS"
    assert last_token(simulator) == token
    assert hass.config_entries.flow.async_progress_by_handler(DOMAIN) == []


async def test_pasted_token_that_expired_while_home_assistant_was_off_is_asked_for_at_the_start(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """The free check in the background finds out before the night does."""
    entry = make_entry(TESLA, data={"access_token": "expired-long-ago"})
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert (await Dialog.reauth_in_progress(hass, entry)).step == "reauth_token"
    assert (entry.state.value, sensor(hass).state) == ("loaded", "unknown")
    assert simulator.creates == []
