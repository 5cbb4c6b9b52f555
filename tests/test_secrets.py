"""Secrets and private things stay so, whatever happens and wherever it is told."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
import json
import logging
from pathlib import Path
import re
import traceback
from typing import Any, Final, override

from homeassistant.components import persistent_notification
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import (
    EVENT_HOMEASSISTANT_FINAL_WRITE,
    EVENT_LOGGING_CHANGED,
    MATCH_ALL,
)
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.components.diagnostics import (
    _get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.smartcar_charging.const import DOMAIN
from custom_components.smartcar_charging.smartcar import client
from tests.actions import call_action
from tests.flows import API_CREDENTIALS, Dialog, device_of
from tests.simulator import (
    DEMO_CLIENT_SECRET,
    TESLA,
    VOLVO,
    Cut,
    Fault,
    ReceivedRequest,
    Simulator,
)
from tests.smartcar.conftest import Answering, RawServer, hanging_up

WRONG_SECRET: Final = "wrong-secret-9d1f0c7a"
NEW_SECRET: Final = "new-secret-4e8b2a6f"
ANOTHER_TOKEN: Final = "another-token-7c2e9b4d"
ELSEWHERE: Final = {"latitude": 48.858222, "longitude": 2.2945}

# Who and where the user is; the last two are home and another place.
PRIVATE: Final = (
    TESLA.vehicle_id,
    TESLA.user_id,
    VOLVO.vehicle_id,
    VOLVO.user_id,
    "32.87",
    "117.22",
    "48.858",
    "2.2945",
)

# The seconds of a time of day can look like a latitude.
TIME_OF_DAY: Final = re.compile(r"\d\d:\d\d:\d\d\.\d+")

# Where tokens and secrets may be, and why; nowhere else.
SECRETS_MAY_BE_IN: Final = {
    "entry data": "what the user entered has to be kept, and no other place keeps it",
    "file .storage/core.config_entries": (
        "the same on the disk, readable for Home Assistant's user only"
    ),
}

# Where ids of cars and users, and coordinates, may be, and why; nowhere else, so not in
# our own logs or diagnostics.
PRIVATE_THINGS_MAY_BE_IN: Final = {
    "entry data": "the ids that the user entered or chose",
    "form": "the user reads why Smartcar gave no list of cars, in its own words",
    "file .storage/core.config_entries": "the same on the disk",
    "file .storage/core.device_registry": "devices are identified by the vehicle id",
    "file .storage/core.entity_registry": "unique ids begin with the vehicle id",
    f"file .storage/{DOMAIN}.*": (
        "the ledger has to know which place a schedule is for; the file is private"
    ),
    "state zone.home": "Home Assistant's own",
    "state *.tesla_model_y_2024_*": (
        "the user sees what was set; the recorder leaves the place out"
    ),
    "state *.volvo_ex40_2025_*": "the same of the other car",
    "event state_changed": "both kinds of states",
    "event call_service": "the user's own input",
    "event device_registry_updated": "devices are identified by the vehicle id",
    "issue": (
        "a place without a zone has no other name; the user has to find the schedule "
        "in the car's app"
    ),
    "notification": "the same, after the car was removed",
    "error": "Smartcar's own reason, for the user who asked",
    "response": "the user asked for it",
    "record": (
        "what a car is known by, what was set on it, and Smartcar's own reason, "
        "in memory"
    ),
    "log homeassistant.*": (
        "Home Assistant shows every event when debugging is on, those above included"
    ),
    "log asyncio": "Python shows what callbacks are called with when debugging is on",
}


@dataclass(kw_only=True)
class Told:
    """All that was told, and where."""

    texts: list[tuple[str, str]] = field(default_factory=list)

    def add(self, place: str, *parts: object) -> None:
        """Take down what a place tells, without times of day."""
        self.texts.append(
            (place, TIME_OF_DAY.sub("", " ".join(str(part) for part in parts)))
        )

    def add_error(self, error: BaseException | None) -> None:
        """Take down an error and all that led to it, in every form it could have."""
        seen: list[BaseException] = []
        found = [error]
        while found:
            one = found.pop()
            if one is not None and one not in seen:
                seen.append(one)
                found += [one.__cause__, one.__context__]
                self.add(
                    "error",
                    *traceback.format_exception(one),
                    repr(one),
                    repr(one.args),
                    repr(vars(one)),
                )

    def places_of(self, *needles: str) -> set[str]:
        """Return the places that tell any of these."""
        return {
            place
            for place, text in self.texts
            if any(needle in text for needle in needles)
        }


class Listening(logging.Handler):
    """Takes down every record of every logger as it comes, with what it was made of."""

    def __init__(self, told: Told) -> None:
        """Take where to write it."""
        super().__init__(logging.DEBUG)
        self._told = told

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Take down one record."""
        place = f"log {record.name}"
        self._told.add(
            place,
            record.getMessage(),
            repr(record.msg),
            repr(record.args),
            record.exc_text,
        )
        if record.exc_info:
            self._told.add(
                place,
                *traceback.format_exception(*record.exc_info),
                repr(record.exc_info[1]),
            )


@pytest.fixture
async def told(hass: HomeAssistant) -> AsyncIterator[Told]:
    """Listen to all loggers, with debugging on, and to all events."""
    told = Told()
    loggers = [
        logging.root,
        *(logging.getLogger(name) for name in list(logging.root.manager.loggerDict)),
    ]
    levels = [(logger, logger.level) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    handler = Listening(told)
    logging.root.addHandler(handler)

    @callback
    def listen(event: Event[Any]) -> None:
        """Take down an event."""
        told.add(
            f"event {event.event_type}",
            json.dumps(event.as_dict(), default=repr),
            repr(event.data),
        )

    @callback
    def notice(_: object, notifications: Mapping[str, Any]) -> None:
        """Take down notifications."""
        told.add("notification", notifications)

    # In debug mode, asyncio shows what a callback was called with, if it took longer
    # than this.
    hass.loop.set_debug(True)
    hass.loop.slow_callback_duration = 0
    # Home Assistant looks up once whether it is to show events.
    hass.bus.async_fire(EVENT_LOGGING_CHANGED)
    stop_listening = hass.bus.async_listen(MATCH_ALL, listen)
    stop_noticing = persistent_notification.async_register_callback(hass, notice)
    yield told
    stop_listening()
    stop_noticing()
    hass.loop.set_debug(False)
    logging.root.removeHandler(handler)
    for logger, level in levels:
        logger.setLevel(level)


type Answer = Callable[[str], Fault]


def sentence(secret: str) -> str:
    """Return what a careless server could say."""
    return (
        f"No to {secret} for {TESLA.vehicle_id} of {TESLA.user_id} at "
        "48.858222, 2.294500 and 32.87336, -117.22743."
    )


def secrets_of(simulator: Simulator, *others: str) -> list[str]:
    """Return all secrets, by their beginnings and ends: a part of one is too much."""
    known = [
        DEMO_CLIENT_SECRET,
        WRONG_SECRET,
        NEW_SECRET,
        ANOTHER_TOKEN,
        *simulator.tokens_minted,
        *others,
    ]
    return [part for secret in known for part in (secret[:12], secret[-12:])]


def not_allowed(places: set[str], allowed: Mapping[str, str]) -> list[str]:
    """Return the places that no pattern allows."""
    return sorted(
        place
        for place in places
        if not any(fnmatch(place, pattern) for pattern in allowed)
    )


def not_needed(places: set[str], allowed: Mapping[str, str]) -> list[str]:
    """Return the patterns that allow what does not happen."""
    return sorted(
        pattern
        for pattern in allowed
        if not any(fnmatch(place, pattern) for place in places)
    )


async def call(hass: HomeAssistant, told: Told, action: str, **data: Any) -> None:
    """Call an action, and take down its response or its error."""
    try:
        told.add("response", await call_action(hass, action, data))
    except HomeAssistantError as error:
        told.add_error(error)


async def set_schedule(hass: HomeAssistant, told: Told, **data: Any) -> None:
    """Set a schedule on the Tesla."""
    times = {"start_time": "23:30", "stop_time": "05:30"}
    await call(
        hass,
        told,
        "set_daily_charge_schedule",
        **{"device_id": device_of(hass, TESLA), **times, **data},
    )


async def set_up(hass: HomeAssistant) -> Dialog:
    """Set up an account with API credentials and the Tesla."""
    dialog = await Dialog.list_of_cars(hass)
    await dialog.choose_car(TESLA)
    await hass.async_block_till_done(wait_background_tasks=True)
    return dialog


async def look_up(
    hass: HomeAssistant, told: Told, hass_client: ClientSessionGenerator
) -> None:
    """Take down what there is to be looked at: entries, states, issues, diagnostics."""
    await hass.async_block_till_done(wait_background_tasks=True)
    for state in hass.states.async_all():
        told.add(f"state {state.entity_id}", state.as_dict(), repr(state))
    for issue in ir.async_get(hass).issues.values():
        told.add("issue", issue)
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        told.add("entry", entry, entry.title, entry.runtime_data)
        told.add("entry data", dict(entry.data), entry.subentries)
        for vehicle in entry.runtime_data.vehicles.values():
            told.add("record", vars(vehicle), vehicle.data)
        told.add(
            "diagnostics",
            json.dumps(
                await _get_diagnostics_for_config_entry(hass, hass_client, entry)
            ),
        )


async def read_files(hass: HomeAssistant, told: Told) -> None:
    """Take down what is on the disk at the end."""
    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await hass.async_block_till_done()
    files = Path(hass.config.path(".storage"))
    for path in await hass.async_add_executor_job(lambda: list(files.iterdir())):
        told.add(f"file .storage/{path.name}", path.read_text())


def is_delete(request: ReceivedRequest) -> bool:
    """Whether this is a request to delete a schedule."""
    return request.method == "DELETE"


def refusal(status: int, error_type: str) -> Answer:
    """Refuse, and repeat the secret in every text."""
    return lambda secret: Fault.error(
        status, error_type, f"CODE_{secret}", sentence(secret)
    )


REFUSED_CLIENT: Final = Fault(
    status=401,
    body={"error": f"no {WRONG_SECRET}", "error_description": sentence(WRONG_SECRET)},
)


def escaped(secret: str) -> str:
    """Return an error that says the secret, with none of its letters as they are."""
    letters = "".join(f"\\u{ord(letter):04x}" for letter in f"/{secret}/")
    return f'{{"errors": [{{"type": "VALIDATION", "detail": "{letters}"}}]}}'


ANSWERS: Final[dict[str, Answer]] = {
    **{
        f"{status} {error_type}": refusal(status, error_type)
        for status, error_type in (
            (400, "VALIDATION"),
            (401, "AUTHENTICATION"),
            (404, "RESOURCE_NOT_FOUND"),
            (502, "UPSTREAM"),
            (202, "UPSTREAM"),
            (418, "TEAPOT"),
        )
    },
    "request id": lambda secret: Fault(
        status=409, body={}, headers={"SC-Request-Id": f"id {secret}"}
    ),
    "escaped": lambda secret: Fault(status=400, body=escaped(secret)),
    "flat error": lambda secret: Fault(
        status=400, body={"type": secret, "code": secret, "description": secret}
    ),
    "OAuth error": lambda secret: Fault(
        status=401, body={"error": secret, "error_description": secret}
    ),
    "HTML": lambda secret: Fault(status=500, body=f"<html>{sentence(secret)}</html>"),
    "no JSON": lambda secret: Fault(body=sentence(secret)),
    "other JSON": lambda secret: Fault(
        body={"data": {"id": secret, "attributes": secret}}
    ),
    "status word": lambda secret: Fault(
        merge={"data": {"attributes": {"status": {"value": f"PENDING {secret}"}}}}
    ),
    "failure word": lambda secret: Fault(
        merge={"data": {"attributes": {"status": {"value": "ERROR", "error": secret}}}}
    ),
    "success": lambda secret: Fault(
        merge={
            "data": {
                "id": f"exec_{secret}",
                "attributes": {"executionMode": secret, "scheduleId": secret},
            }
        }
    ),
    "half": lambda secret: Fault(body=sentence(secret), cut=Cut.MID_BODY),
    "nothing": lambda _: Fault(cut=Cut.BEFORE_ANSWER),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
async def test_no_answer_brings_a_secret_out(
    hass: HomeAssistant,
    simulator: Simulator,
    told: Told,
    hass_client: ClientSessionGenerator,
    answer: Answer,
) -> None:
    """Smartcar may repeat the token, the ids and the place in its answer.

    It may do so to a set, a replacing, a read, a delete.
    """
    dialog = await set_up(hass)
    await set_schedule(hass, told)
    fault = answer(simulator.tokens_minted[-1])

    simulator.script(fault, path=is_delete)
    await set_schedule(hass, told, start_time="00:00")
    simulator.script(fault, path="/signals/charge-chargetimers")
    await call(hass, told, "get_charge_schedules")
    simulator.script(fault, path=is_delete)
    await call(hass, told, "delete_charge_schedule", zone="zone.home")
    simulator.script(fault, path="/charge-schedules/daily")
    await set_schedule(hass, told, location=ELSEWHERE)
    # Other credentials objects mint other tokens; from here on it is always the same.
    simulator.always(Fault(merge={"access_token": ANOTHER_TOKEN}), path="/oauth2/token")
    simulator.always(answer(ANOTHER_TOKEN), path="/connections")
    await hass.config_entries.async_reload(dialog.entry.entry_id)
    await look_up(hass, told, hass_client)
    told.add("form", (await Dialog.new_car(hass, dialog.entry)).shown)
    simulator.always(answer(DEMO_CLIENT_SECRET), path="/oauth2/token")
    await hass.config_entries.async_reload(dialog.entry.entry_id)
    await set_schedule(hass, told)
    await look_up(hass, told, hass_client)
    await read_files(hass, told)

    assert not_allowed(told.places_of(*secrets_of(simulator)), SECRETS_MAY_BE_IN) == []
    assert not_allowed(told.places_of(*PRIVATE), PRIVATE_THINGS_MAY_BE_IN) == []


@pytest.mark.parametrize(
    "answering",
    [
        hanging_up(),
        hanging_up(b"SSH-2.0-OpenSSH_9.9\r\n\r\n"),
        hanging_up(b"HTTP/1.1 200 OK\r\nContent-Le"),
        hanging_up(
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Length: 8\r\n\r\n"
        ),
        hanging_up(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 10_000 + b"\r\n\r\n"),
        hanging_up(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno length\r\n"
        ),
        hanging_up(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
            b"Content-Length: 4\r\n\r\nabcd"
        ),
    ],
    ids=[
        "hung up",
        "not HTTP",
        "half the headers",
        "two lengths",
        "long header",
        "no chunk",
        "not gzip",
    ],
)
async def test_no_breakdown_brings_a_secret_out(
    hass: HomeAssistant,
    simulator: Simulator,
    told: Told,
    hass_client: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
    answering: Answering,
) -> None:
    """The HTTP library's own errors hold requests.

    Those have the token in their headers, and the secret in their form.
    """
    await set_up(hass)
    await set_schedule(hass, told)
    server = RawServer(answering)
    await server.start(None)
    monkeypatch.setattr(client, "API_URL", server.url)
    await set_schedule(hass, told, start_time="00:00")
    await call(hass, told, "get_charge_schedules")
    simulator.revoke_tokens()
    monkeypatch.setattr(
        "custom_components.smartcar_charging.smartcar.auth.TOKEN_URL", server.url
    )
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    await hass.config_entries.async_reload(entry.entry_id)
    await set_schedule(hass, told, start_time="01:00")
    server.stop()
    await look_up(hass, told, hass_client)
    await read_files(hass, told)

    assert len(told.places_of("error")) > 0
    assert not_allowed(told.places_of(*secrets_of(simulator)), SECRETS_MAY_BE_IN) == []
    assert not_allowed(told.places_of(*PRIVATE), PRIVATE_THINGS_MAY_BE_IN) == []


async def set_up_both(
    hass: HomeAssistant, simulator: Simulator, told: Told, token: str
) -> list[ConfigEntry]:
    """Set up an account of each kind, with wrong credentials first."""
    dialog = await Dialog.new_account(hass, "api_credentials")
    simulator.script(REFUSED_CLIENT, path="/oauth2/token")
    await dialog.enter({**API_CREDENTIALS, "client_secret": WRONG_SECRET})
    told.add("form", dialog.shown)
    await dialog.enter(API_CREDENTIALS)
    await dialog.choose_car(TESLA)
    other = await Dialog.new_account(hass, "access_token")
    await other.enter({"access_token": ANOTHER_TOKEN})
    told.add("form", other.shown)
    simulator.script(refusal(418, "TEAPOT")(token), path="/connections")
    await other.enter({"access_token": token})
    told.add("form", other.shown)
    await other.enter({"access_token": token})
    await other.enter_ids(VOLVO)
    return [dialog.entry, other.entry]


async def use_both(hass: HomeAssistant, simulator: Simulator, told: Told) -> None:
    """Use both cars; one schedule can not be removed, of another nothing is known."""
    await set_schedule(hass, told)
    await set_schedule(hass, told, device_id=device_of(hass, VOLVO), location=ELSEWHERE)
    await set_schedule(hass, told, location=ELSEWHERE)
    simulator.script(
        refusal(409, "VEHICLE_STATE")(simulator.tokens_minted[-1]), path=is_delete
    )
    await set_schedule(hass, told, location=ELSEWHERE, start_time="00:00")
    simulator.script(
        refusal(502, "UPSTREAM")(simulator.tokens_minted[-1]), path="/daily"
    )
    await set_schedule(hass, told, location=ELSEWHERE)
    await call(hass, told, "get_charge_schedules", device_id=device_of(hass, TESLA))


async def exchange_secret(
    hass: HomeAssistant, simulator: Simulator, told: Told, entry: ConfigEntry
) -> None:
    """Let a token and its successor be rejected, then what the user enters first."""
    tokens = (simulator.tokens_minted[-1], ANOTHER_TOKEN)
    simulator.script(
        *(refusal(401, "AUTHENTICATION")(token) for token in tokens), path="/daily"
    )
    simulator.script(Fault(merge={"access_token": ANOTHER_TOKEN}), path="/oauth2/token")
    await set_schedule(hass, told)
    dialog = await Dialog.reauth_in_progress(hass, entry)
    told.add("form", dialog.shown)
    await dialog.confirm()
    told.add("form", dialog.shown)
    simulator.script(REFUSED_CLIENT, path="/oauth2/token")
    await dialog.enter({**API_CREDENTIALS, "client_secret": WRONG_SECRET})
    told.add("form", dialog.shown)
    simulator.applications[API_CREDENTIALS["client_id"]] = NEW_SECRET
    await dialog.enter({**API_CREDENTIALS, "client_secret": NEW_SECRET})
    told.add("form", dialog.shown)
    assert dialog.abort_reason == "reauth_successful"


async def exchange_token(
    hass: HomeAssistant,
    simulator: Simulator,
    told: Told,
    entry: ConfigEntry,
    tokens: tuple[str, str],
) -> None:
    """Let a pasted token end, and enter another one."""
    before, after = tokens
    simulator.script(refusal(401, "AUTHENTICATION")(before), path="/daily")
    await set_schedule(hass, told, device_id=device_of(hass, VOLVO))
    dialog = await Dialog.reauth_in_progress(hass, entry)
    await dialog.choose("access_token")
    await dialog.enter({"access_token": after})
    told.add("form", dialog.shown)
    assert dialog.abort_reason == "reauth_successful"


async def test_whole_life_of_two_accounts_brings_nothing_out(
    hass: HomeAssistant,
    simulator: Simulator,
    told: Told,
    hass_client: ClientSessionGenerator,
) -> None:
    """Set-up, use, new credentials, reload, removal; the exceptions are all needed."""
    tokens = (simulator.issue_token(), simulator.issue_token())
    account, account_of_token = await set_up_both(hass, simulator, told, tokens[0])
    await use_both(hass, simulator, told)
    await look_up(hass, told, hass_client)
    await exchange_secret(hass, simulator, told, account)
    await exchange_token(hass, simulator, told, account_of_token, tokens)
    await call(
        hass,
        told,
        "delete_charge_schedule",
        device_id=device_of(hass, TESLA),
        zone="zone.home",
    )
    await look_up(hass, told, hass_client)

    await hass.config_entries.async_unload(account.entry_id)
    simulator.script(refusal(500, "SERVER")(NEW_SECRET), path="/oauth2/token")
    await hass.config_entries.async_setup(account.entry_id)
    await look_up(hass, told, hass_client)
    await read_files(hass, told)
    await hass.config_entries.async_remove(account.entry_id)
    await hass.config_entries.async_remove(account_of_token.entry_id)
    await look_up(hass, told, hass_client)

    secret = told.places_of(*secrets_of(simulator, *tokens))
    assert not_allowed(secret, SECRETS_MAY_BE_IN) == []
    assert not_needed(secret, SECRETS_MAY_BE_IN) == []
    private = told.places_of(*PRIVATE)
    assert not_allowed(private, PRIVATE_THINGS_MAY_BE_IN) == []
    assert not_needed(private, PRIVATE_THINGS_MAY_BE_IN) == []


async def test_leak_would_be_found(
    hass: HomeAssistant, simulator: Simulator, told: Told
) -> None:
    """The listener hears what it has to hear."""
    token = simulator.issue_token()
    logging.getLogger(f"custom_components.{DOMAIN}.vehicle").debug(
        "Sent %s", {"token": token}
    )
    logging.getLogger("somebody.else").debug("Sent", exc_info=ValueError(token))
    hass.bus.async_fire("leak", {"car": VOLVO.vehicle_id, "token": token})
    persistent_notification.async_create(hass, token)
    told.add_error(hidden(token))
    await hass.async_block_till_done()

    found = told.places_of(token)
    assert not_allowed(found, SECRETS_MAY_BE_IN) == [
        "error",
        "event leak",
        f"log custom_components.{DOMAIN}.vehicle",
        "log homeassistant.core",
        "log somebody.else",
        "notification",
    ]
    assert "event leak" in not_allowed(
        told.places_of(*PRIVATE), PRIVATE_THINGS_MAY_BE_IN
    )


def hidden(secret: str) -> Exception:
    """Return an error that has a secret far below."""
    error = ValueError("outer")
    error.__context__ = KeyError("inner")
    error.__context__.__cause__ = OSError(secret)
    return error
