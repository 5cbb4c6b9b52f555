"""The blueprints, run in Home Assistant against the simulator."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.automation.config import AUTOMATION_BLUEPRINT_SCHEMA
from homeassistant.components.blueprint.models import Blueprint
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.util.unit_system import US_CUSTOMARY_SYSTEM
from homeassistant.util.yaml import load_yaml_dict, parse_yaml
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_mock_service,
)

from tests.actions import (
    CHARGE_SCHEDULE,
    EVENT,
    SENSOR,
    delete_schedule,
    device_id,
    reload,
    sensor,
    set_schedule,
    shown,
)
from tests.blueprints import (
    AMSTERDAM,
    FOLDER,
    HOUR,
    QUARTER,
    Disk,
    Prices,
    Stage,
    add_price_entries,
    answer_repair,
    cheap_between,
    disable,
    evening,
)
from tests.conftest import make_entry
from tests.hunts import load
from tests.ledgers import file_of
from tests.simulator import REMOVED, TESLA, VOLVO, Cut, Fault, Simulator

CHEAPEST = "cheapest_window_tonight.yaml"
NOT_CONFIRMED = "not_confirmed_by.yaml"
WEEKEND = "weekday_and_weekend_windows.yaml"

CREATE = "/charge-schedules/daily"
ASLEEP = Fault.error(409, "VEHICLE_STATE", "ASLEEP", "The car is asleep.")
NOT_CAPABLE = Fault.error(
    501, "COMPATIBILITY", "MAKE_NOT_COMPATIBLE", "Not this car.", resolution=None
)
LOST = Fault(cut=Cut.BEFORE_ANSWER)
EXECUTED = Fault.error(500, "SERVER", "INTERNAL", "Out of order.", executes=True)
NOT_DELETED = Fault.error(500, "SERVER", "INTERNAL", "Out of order.")
WITHOUT_ID = Fault(
    merge={"data": {"attributes": {"scheduleId": REMOVED}, "links": REMOVED}}
)
ON_THE_CAR = "Set from Home Assistant: 23:30–05:30."
NOT_ON_THE_CAR = "No window is set from Home Assistant."
CAR_ASLEEP = "The last command was not carried out: The car is asleep."
SETTLE = (
    "Look in the car's app, and answer under Settings > System > Repairs. "
    "Until then this automation sends nothing."
)
NOT_LOADED = (
    "the car is not loaded in Home Assistant. "
    "Look at Smartcar Charging under Settings > Devices & services."
)
STILL = "The window 23:30–05:30 still applies."
NONE_APPLIES = "No window set from Home Assistant applies here."

# What makes all of them look at half past eight; both senders want one window.
INPUTS: dict[str, dict[str, Any]] = {
    CHEAPEST: {"source": "tibber"},
    NOT_CONFIRMED: {"by": "20:30:00"},
    WEEKEND: {
        "evening_time": "20:30:00",
        "weekday_start": "01:00:00",
        "weekday_stop": "05:00:00",
        "weekend_start": "01:00:00",
        "weekend_stop": "05:00:00",
    },
}
WANTED = ("01:00", "05:00")
JUST_BEFORE = "2026-11-22T20:29:59"
HOME = {"latitude": 32.87336, "longitude": -117.22743}
# About 130 m from home: nearer than a tenth of a mile.
NEXT_STREET = {"latitude": 32.87453, "longitude": -117.22743}
AMSTERDAM_CENTRE = {"latitude": 52.3731, "longitude": 4.8926}
OSLO_CENTRE = {"latitude": 59.9139, "longitude": 10.7522}
type Arrange = Callable[[HomeAssistant, Simulator, MockConfigEntry], Awaitable[None]]
SENDERS = pytest.mark.parametrize("sender", [CHEAPEST, WEEKEND])


@pytest.fixture
async def stage(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> AsyncIterator[Stage]:
    """Return a Home Assistant in Amsterdam on a Sunday at noon; end its automation."""
    await hass.config.async_set_time_zone("Europe/Amsterdam")
    stage = Stage(hass, freezer, simulator)
    await stage.at("2026-11-22T12:00:00")
    yield stage
    await hass.services.async_call(
        "automation", "turn_off", {"entity_id": "all"}, blocking=True
    )


@pytest.fixture
def disk(
    hass_config_dir: str, simulator: Simulator, freezer: FrozenDateTimeFactory
) -> Disk:
    """Return the disk of a Home Assistant that is to start."""
    return Disk(
        config_dir=hass_config_dir,
        entry=make_entry(TESLA),
        freezer=freezer,
        simulator=simulator,
    )


@pytest.fixture
def prices(hass: HomeAssistant) -> Prices:
    """Return prices by the hour, low from one to five in the night."""
    add_price_entries(hass)
    prices = Prices(cheap_between(("01:00", "05:00")))
    prices.register(hass)
    return prices


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.stem)
def test_blueprint_is_valid_and_imports_from_its_source(path: Path) -> None:
    """It can be read, also as written after an import; its address is the file's."""
    blueprint = Blueprint(
        load_yaml_dict(path),
        expected_domain="automation",
        schema=AUTOMATION_BLUEPRINT_SCHEMA,
    )
    assert blueprint.validate() is None
    assert parse_yaml(blueprint.yaml()) == blueprint.data
    repository, _, source = blueprint.metadata["source_url"].partition("/blob/main/")
    assert repository.startswith("https://github.com/")
    assert Path(__file__).parent.parent / source == path
    assert all(
        "description" in given or name == "car" or given["name"]
        for name, given in blueprint.inputs.items()
    )


@pytest.mark.parametrize(
    ("source", "step", "cheap", "hours", "expected"),
    [
        ("nordpool", HOUR, ("01:00", "05:00"), 4, ("01:00", "05:00")),
        ("tibber", HOUR, ("01:00", "05:00"), 4, ("01:00", "05:00")),
        ("energyzero", HOUR, ("01:00", "05:00"), 4, ("01:00", "05:00")),
        ("nordpool", QUARTER, ("01:15", "03:45"), 2.5, ("01:15", "03:45")),
        ("tibber", QUARTER, ("01:15", "03:45"), 2.5, ("01:15", "03:45")),
        ("energyzero", QUARTER, ("01:15", "03:45"), 2.5, ("01:15", "03:45")),
        ("tibber", HOUR, ("22:00", "23:00"), 1, ("22:00", "23:00")),
        ("nordpool", QUARTER, ("06:45", "09:00"), 0.25, ("06:45", "07:00")),
        ("energyzero", HOUR, ("23:00", "24:00"), 2.5, ("22:00", "00:30")),
    ],
)
async def test_cheapest_window_is_sent(
    stage: Stage,
    prices: Prices,
    source: str,
    step: timedelta,
    cheap: tuple[str, str],
    hours: float,
    expected: tuple[str, str],
) -> None:
    """It may be at either end of the night, and over midnight.

    Prices are from each integration, by the hour and the quarter.
    """
    prices.of, prices.step = cheap_between(cheap), step
    await stage.set_up(CHEAPEST, source=source, hours_needed=hours)
    await stage.at("2026-11-22T20:29:00")
    assert stage.sent == []
    await stage.at("2026-11-22T20:30:00")
    assert stage.sent == [expected]
    assert stage.messages == []


@pytest.mark.parametrize(
    ("by_hour", "hours", "expected"),
    [
        ({2: 0.10, 3: 0.05, 4: 0.05}, 2.5, ("02:30", "05:00")),
        ({2: 0.05, 3: 0.05, 4: 0.10}, 2.5, ("02:00", "04:30")),
        ({23: 0.01, 0: 0.01, 4: -0.50}, 2, ("03:00", "05:00")),
        ({1: -0.10, 2: -0.30, 3: -0.20}, 2, ("02:00", "04:00")),
        ({1: -0.10, 2: 0.90, 3: -0.20}, 3, ("03:00", "06:00")),
        ({}, 4, ("22:00", "02:00")),
    ],
)
async def test_sum_of_the_prices_decides(
    stage: Stage,
    prices: Prices,
    by_hour: dict[int, float],
    hours: float,
    expected: tuple[str, str],
) -> None:
    """Parts of hours and negative prices count; of equal windows it is the first."""
    prices.of = lambda at: by_hour.get(at.hour, 0.30)
    await stage.set_up(CHEAPEST, source="tibber", hours_needed=hours)
    await stage.at("2026-11-22T20:30:00")
    assert stage.sent == [expected]


@pytest.mark.parametrize(
    ("source", "evening", "cheap", "inputs", "expected"),
    [
        ("nordpool", "2027-03-27", ("00:00", "05:00"), {}, ("00:00", "05:00")),
        ("tibber", "2027-03-27", ("00:00", "05:00"), {}, ("00:00", "05:00")),
        ("energyzero", "2027-03-27", ("01:00", "06:00"), {}, ("01:00", "06:00")),
        (
            "tibber",
            "2027-03-27",
            ("01:00", "09:00"),
            {"earliest_start": "02:30:00"},
            ("03:00", "07:00"),
        ),
        (
            "tibber",
            "2027-03-27",
            ("00:00", "03:00"),
            {"ready_by": "02:30:00", "hours_needed": 3},
            ("23:00", "03:00"),
        ),
        ("nordpool", "2027-10-30", ("01:00", "04:00"), {}, ("01:00", "04:00")),
        ("tibber", "2027-10-30", ("02:00", "05:00"), {}, ("01:00", "04:00")),
        ("energyzero", "2027-10-30", ("02:00", "05:00"), {}, ("01:00", "04:00")),
        (
            "tibber",
            "2027-10-30",
            ("02:00", "03:00"),
            {"hours_needed": 2},
            ("22:00", "00:00"),
        ),
    ],
)
async def test_clock_changes(
    stage: Stage,
    prices: Prices,
    source: str,
    evening: str,
    cheap: tuple[str, str],
    inputs: dict[str, Any],
    expected: tuple[str, str],
) -> None:
    """It has the hours that were asked for, and no time that is skipped or twice."""
    prices.of = cheap_between(cheap)
    await stage.at(f"{evening}T12:00:00")
    await stage.set_up(CHEAPEST, source=source, **inputs)
    await stage.at(f"{evening}T20:30:00")
    assert stage.messages == []
    assert stage.sent == [expected]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (
            """{% set night = today_at('22:00') | as_timestamp | int %}
            {% set list = namespace(
                prices=[{'start': 'then', 'price': 1}, {'price': -1}, 7]) %}
            {% for quarter in range(47, -1, -1) %}
              {% set list.prices = list.prices + [{
                'start': (night + quarter * 900) | timestamp_local,
                'price': (quarter - 20.5) | abs | string}] %}
            {% endfor %}
            {{ list.prices }}""",
            [("02:15", "04:15")],
        ),
        (
            """{{ [{'start': today_at('22:00').isoformat(), 'price': 1,
            'end': (today_at('07:00') + timedelta(days=1)).isoformat()}] }}""",
            [("22:00", "00:00")],
        ),
        (
            """{% set list = namespace(prices=[]) %}
            {% for quarter in range(36) if quarter != 30 %}
              {% set at = (today_at('22:00') | as_timestamp + quarter * 900)
                | timestamp_local %}
              {% set list.prices = list.prices + [{'start': at, 'price': quarter}] %}
            {% endfor %}
            {{ list.prices }}""",
            [],
        ),
        ("{{ [{'start': (today_at('22:00') | string)[:19], 'price': 1}] }}", []),
        ("no prices", []),
        ("{{ 42 }}", []),
    ],
)
async def test_prices_from_a_template(
    stage: Stage, template: str, expected: list[tuple[str, str]]
) -> None:
    """In any order, as numbers or texts; what is no price is left out."""
    await stage.set_up(
        CHEAPEST, source="template", price_template=template, hours_needed=2
    )
    await stage.at("2026-11-22T20:30:00")
    assert stage.sent == expected
    assert len(stage.messages) == 1 - len(expected)


@pytest.mark.parametrize(
    ("inputs", "asked"),
    [
        (
            {"source": "nordpool"},
            [
                {
                    "config_entry": "the_entry_of_nordpool",
                    "date": datetime(2026, 11, day, tzinfo=UTC).date(),
                }
                for day in (22, 23)
            ],
        ),
        (
            {"source": "tibber"},
            [
                {
                    "start": "2026-11-22T00:00:00+01:00",
                    "end": "2026-11-24T00:00:00+01:00",
                }
            ],
        ),
        (
            {"source": "energyzero", "energyzero_interval": "quarter"},
            [
                {
                    "config_entry": "the_entry_of_energyzero",
                    "incl_vat": True,
                    "start": "2026-11-22",
                    "end": "2026-11-23",
                    "interval": "quarter",
                }
            ],
        ),
    ],
)
async def test_integrations_are_asked_for_both_days(
    stage: Stage, prices: Prices, inputs: dict[str, Any], asked: list[dict[str, Any]]
) -> None:
    """The entry is found by itself."""
    await stage.set_up(CHEAPEST, **inputs)
    await stage.at("2026-11-22T20:30:00")
    assert prices.asked == asked
    assert stage.sent == [("01:00", "05:00")]


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"source": "nordpool", "area_or_home": "nl"}, [("01:00", "05:00")]),
        ({"source": "nordpool", "area_or_home": "SYS"}, [("22:00", "02:00")]),
        ({"source": "nordpool", "area_or_home": "DK1"}, []),
        (
            {"source": "nordpool", "nordpool_entry": "the_entry_of_nordpool"},
            [("01:00", "05:00")],
        ),
        ({"source": "nordpool", "nordpool_entry": "the_entry_of_energyzero"}, []),
        ({"source": "tibber", "area_or_home": "Home"}, [("01:00", "05:00")]),
        ({"source": "tibber", "area_or_home": "Cabin"}, []),
        (
            {"source": "energyzero", "energyzero_entry": "the_entry_of_energyzero"},
            [("01:00", "05:00")],
        ),
        ({"source": "energyzero", "energyzero_entry": "another"}, []),
    ],
)
async def test_details_of_the_source(
    stage: Stage,
    prices: Prices,
    inputs: dict[str, Any],
    expected: list[tuple[str, str]],
) -> None:
    """What is named is used; nothing else takes the place of what does not exist."""
    await stage.set_up(CHEAPEST, **inputs)
    await stage.at("2026-11-22T20:30:00")
    assert stage.sent == expected
    assert len(stage.messages) == 1 - len(expected)


@pytest.mark.parametrize(
    ("source", "known_until"),
    [
        ("nordpool", "2026-11-22T23:00:00"),
        ("tibber", "2026-11-22T23:00:00"),
        ("energyzero", "2026-11-22T23:00:00"),
        ("nordpool", "2026-11-22T12:00:00"),
        ("tibber", "2026-11-23T05:00:00"),
    ],
)
async def test_missing_prices_change_nothing(
    hass: HomeAssistant, stage: Stage, prices: Prices, source: str, known_until: str
) -> None:
    """It says so, with the window that still applies."""
    prices.known_until = datetime.fromisoformat(f"{known_until}+00:00")
    await set_schedule(hass)
    await stage.set_up(CHEAPEST, source=source)
    await stage.at("2026-11-22T20:30:00")
    assert stage.sent == [("23:30", "05:30")]
    assert stage.messages == [
        (
            "Nothing was changed, because there is no complete list of prices "
            f"from 22:00 to 07:00. {STILL}"
        )
    ]
    assert stage.told[0]["title"] == "Charge window of Tesla Model Y 2024"


async def test_hours_that_do_not_fit_change_nothing(
    stage: Stage, prices: Prices
) -> None:
    """It says so, also that no window applies."""
    await stage.set_up(CHEAPEST, source="tibber", hours_needed=9.5)
    await stage.at("2026-11-22T20:30:00")
    assert stage.sent == []
    assert stage.messages == [
        (
            "Nothing was changed, because 9.5 hours do not fit from 22:00 to 07:00. "
            f"{NONE_APPLIES}"
        )
    ]


async def test_same_window_is_not_sent_again(stage: Stage, prices: Prices) -> None:
    """It is sent once on the first evening, and once on the first with new prices."""
    await stage.set_up(CHEAPEST, source="tibber")
    for day in ("2026-11-22", "2026-11-23", "2026-11-24"):
        await stage.at(f"{day}T12:00:00")
        await stage.at(f"{day}T20:30:00")
        await stage.at(f"{day}T21:30:00")
    assert stage.sent == [("01:00", "05:00")]

    prices.of = cheap_between(("02:00", "06:00"))
    await stage.at("2026-11-25T12:00:00")
    await stage.at("2026-11-25T20:30:00")
    assert stage.sent == [("01:00", "05:00"), ("02:00", "06:00")]
    assert [
        schedule.start for schedule in stage.simulator.schedules(TESLA.vehicle_id)
    ] == ["02:00"]
    assert stage.messages == []


@pytest.mark.parametrize(
    ("window", "where", "is_open"),
    [
        (("20:00", "21:00"), {}, True),
        (("20:30", "05:30"), {}, True),
        (("21:00", "20:31"), {}, True),
        (
            ("20:00", "21:00"),
            {"location": {"latitude": 32.87336, "longitude": -117.2274}},
            True,
        ),
        (
            ("20:00", "21:00"),
            {"location": AMSTERDAM_CENTRE},
            False,
        ),
        (("19:00", "20:30"), {}, False),
        (("20:31", "20:30"), {}, False),
    ],
)
async def test_open_window_is_not_changed(
    hass: HomeAssistant,
    stage: Stage,
    prices: Prices,
    window: tuple[str, str],
    where: dict[str, Any],
    is_open: bool,
) -> None:
    """A window that is open at the zone stays, no price is asked for; it says so."""
    await set_schedule(hass, start_time=window[0], stop_time=window[1], **where)
    await stage.set_up(CHEAPEST, source="tibber")
    await stage.at("2026-11-22T20:30:00")
    assert len(stage.sent) == 2 - is_open
    assert len(prices.asked) == 1 - is_open
    told = ["is open right now" in message for message in stage.messages]
    assert told == [True] * is_open


async def test_failure_that_may_pass_is_retried_three_times(
    stage: Stage, prices: Prices
) -> None:
    """A quarter of an hour apart, and then it is told."""
    stage.simulator.always(ASLEEP, path=CREATE)
    await stage.set_up(CHEAPEST, source="tibber")
    for tries, time in enumerate(("20:30:00", "20:45:00", "21:00:00"), 1):
        await stage.delayed_at(f"2026-11-22T{time}")
        assert stage.sent == [("01:00", "05:00")] * tries
    assert stage.messages == []
    await stage.at("2026-11-22T21:15:00")
    assert stage.sent == [("01:00", "05:00")] * 4
    assert stage.messages == [
        f"The window 01:00–05:00 was not set: The car is asleep. {NONE_APPLIES}"
    ]
    await stage.at("2026-11-22T21:30:00")
    assert len(stage.sent) == 4


async def test_retry_that_succeeds_is_the_last(stage: Stage, prices: Prices) -> None:
    """Nothing is told."""
    stage.simulator.script(ASLEEP, path=CREATE)
    await stage.set_up(CHEAPEST, source="tibber")
    await stage.delayed_at("2026-11-22T20:30:00")
    await stage.at("2026-11-22T20:45:00")
    await stage.at("2026-11-22T21:00:00")
    assert stage.sent == [("01:00", "05:00")] * 2
    assert stage.messages == []


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (
            LOST,
            (
                "It is not known whether the car took the window 01:00–05:00: "
                f"it may be on the car. {SETTLE}"
            ),
        ),
        (NOT_CAPABLE, "The window 01:00–05:00 was not set: Not this car."),
    ],
)
async def test_what_must_not_be_repeated_is_sent_once(
    stage: Stage, prices: Prices, fault: Fault, message: str
) -> None:
    """A command that may have reached the car, or can not succeed; it says which."""
    stage.simulator.always(fault, path=CREATE)
    await stage.set_up(CHEAPEST, source="tibber")
    for time in ("20:30:00", "20:45:00", "21:00:00"):
        await stage.at(f"2026-11-22T{time}")
    assert len(stage.sent) == 1
    assert [told[: len(message)] for told in stage.messages] == [message]


@pytest.mark.parametrize("window", [("03:00", "04:00"), ("20:40", "23:00")])
async def test_another_command_ends_the_retries(
    hass: HomeAssistant, stage: Stage, prices: Prices, window: tuple[str, str]
) -> None:
    """What somebody set in the meantime stays, open or not."""
    stage.simulator.script(ASLEEP, path=CREATE)
    await stage.set_up(CHEAPEST, source="tibber")
    await stage.delayed_at("2026-11-22T20:30:00")
    stage.freezer.tick(60)
    await set_schedule(hass, start_time=window[0], stop_time=window[1])
    await stage.at("2026-11-22T20:45:00")
    assert stage.sent == [("01:00", "05:00"), window]
    assert stage.messages[0].endswith(f"The window {'–'.join(window)} still applies.")


async def test_window_that_opened_ends_the_retries(
    hass: HomeAssistant, stage: Stage, prices: Prices
) -> None:
    """The car may be charging by then."""
    await set_schedule(hass, start_time="20:40", stop_time="23:00")
    stage.simulator.script(ASLEEP, path=CREATE)
    await stage.set_up(CHEAPEST, source="tibber")
    await stage.delayed_at("2026-11-22T20:30:00")
    await stage.at("2026-11-22T20:45:00")
    assert stage.sent == [("20:40", "23:00"), ("01:00", "05:00")]
    assert len(stage.messages) == 1


async def test_refusal_is_not_mistaken_for_an_old_failure(
    hass: HomeAssistant, stage: Stage, prices: Prices
) -> None:
    """The sensor still shows that an earlier command may be repeated."""
    stage.simulator.script(ASLEEP, path=CREATE)
    with suppress(HomeAssistantError):
        await set_schedule(hass, start_time="01:00", stop_time="05:00")
    await stage.set_up(CHEAPEST, source="tibber", zone="zone.vanished")
    await stage.at("2026-11-22T20:30:00")
    assert len(stage.sent) == 1
    assert stage.messages == [
        (
            "The window 01:00–05:00 was not sent. "
            f"The automation's trace and the log tell why. {NONE_APPLIES}"
        )
    ]


@pytest.mark.parametrize(
    ("blueprint", "message"),
    [
        (CHEAPEST, f"Nothing was sent: {NOT_LOADED}"),
        (WEEKEND, f"Nothing was sent: {NOT_LOADED}"),
        (
            NOT_CONFIRMED,
            f"It is not known whether a charge schedule was confirmed: {NOT_LOADED}",
        ),
    ],
)
async def test_car_that_is_not_loaded(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    stage: Stage,
    prices: Prices,
    blueprint: str,
    message: str,
) -> None:
    """Nothing is sent or known, and it says so; also when the car was removed."""
    await stage.set_up(blueprint, **INPUTS[blueprint])
    assert await hass.config_entries.async_unload(entry.entry_id)
    await stage.at("2026-11-22T20:30:00")
    await hass.config_entries.async_remove(entry.entry_id)
    await stage.at("2026-11-23T20:30:00")
    assert stage.sent == []
    assert stage.messages == [message] * 2
    assert stage.told[1]["title"].endswith(" of a car")


@pytest.mark.parametrize(
    ("faults", "messages"),
    [
        ([Fault()], []),
        ([ASLEEP, Fault()], []),
        (
            [ASLEEP],
            [f"{CAR_ASLEEP} {NOT_ON_THE_CAR}"],
        ),
        (
            [Fault(), ASLEEP],
            [f"{CAR_ASLEEP} {ON_THE_CAR}"],
        ),
        ([], [f"No charge schedule was sent in the last 12 hours. {NOT_ON_THE_CAR}"]),
    ],
)
async def test_not_confirmed_by(
    hass: HomeAssistant, stage: Stage, faults: list[Fault], messages: list[str]
) -> None:
    """The last command decides: all but a confirmation is told, also that none was."""
    await stage.set_up(NOT_CONFIRMED)
    await stage.at("2026-11-22T20:30:00")
    stage.simulator.script(*faults, path=CREATE)
    for _ in faults:
        with suppress(HomeAssistantError):
            await set_schedule(hass)
    await stage.at("2026-11-22T21:44:00")
    assert stage.messages == []
    await stage.at("2026-11-22T21:45:00")
    assert stage.messages == messages


async def test_not_confirmed_by_tells_of_an_unknown_outcome(
    hass: HomeAssistant, stage: Stage
) -> None:
    """The car's app has to be looked at."""
    await stage.set_up(NOT_CONFIRMED)
    stage.simulator.script(LOST, path=CREATE)
    with suppress(HomeAssistantError):
        await set_schedule(hass)
    await stage.at("2026-11-22T21:45:00")
    assert [message.partition(":")[0] for message in stage.messages] == [
        "It is not known whether the last command reached the car"
    ]
    assert stage.messages[0].endswith(
        " Look in the car's app for what is set. "
        "No window is certainly set from Home Assistant. "
        "Possibly on the car: 23:30–05:30. See Settings > System > Repairs."
    )


async def test_not_confirmed_by_tells_of_a_command_under_way(
    hass: HomeAssistant, stage: Stage
) -> None:
    """It may take minutes; until then, nothing is confirmed."""
    hold = asyncio.Event()
    stage.simulator.script(Fault(hold=hold), path=CREATE)
    await stage.set_up(NOT_CONFIRMED)
    await stage.at("2026-11-22T21:44:00")
    command = hass.async_create_background_task(set_schedule(hass), "command")
    await stage.simulator.wait_for_request(method="POST", path=CREATE)
    stage.fire("2026-11-22T21:45:00")
    await hass.async_block_till_done()
    assert stage.messages == [
        f"The last command is still under way, and not confirmed yet. {NOT_ON_THE_CAR}"
    ]
    hold.set()
    await command


async def test_not_confirmed_by_tells_of_a_removed_schedule(
    hass: HomeAssistant, stage: Stage
) -> None:
    """A confirmed delete confirms no schedule."""
    await stage.set_up(NOT_CONFIRMED)
    await set_schedule(hass)
    await delete_schedule(hass, zone="zone.home")
    await stage.at("2026-11-22T21:45:00")
    assert stage.messages == [f"The last command removed a schedule. {NOT_ON_THE_CAR}"]


@pytest.mark.parametrize(
    ("inputs", "count"),
    [
        ({}, 1),
        ({"hours_before": 24}, 0),
        ({"nothing_sent_counts": False}, 0),
        ({"tell": []}, 0),
    ],
)
async def test_not_confirmed_by_counts_the_hours_before(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    stage: Stage,
    inputs: dict[str, Any],
    count: int,
) -> None:
    """A success of the evening before does not count, even after a reload."""
    await stage.at("2026-11-22T22:00:00")
    await set_schedule(hass)
    await stage.at("2026-11-23T12:00:00")
    assert await hass.config_entries.async_reload(entry.entry_id)
    await stage.set_up(NOT_CONFIRMED, **inputs)
    await stage.at("2026-11-23T21:45:00")
    assert (
        stage.messages
        == [f"No charge schedule was sent in the last 12 hours. {ON_THE_CAR}"][:count]
    )


async def test_weekday_and_weekend_windows(stage: Stage) -> None:
    """The weekend's on Friday evening, the weekdays' on Sunday, none in between."""
    await stage.set_up(WEEKEND)
    windows = []
    for day in range(22, 31):
        await stage.at(f"2026-11-{day}T17:59:00")
        before = len(stage.sent)
        await stage.at(f"2026-11-{day}T18:00:00")
        windows.append(stage.sent[before:])
    weekdays, weekend = [("23:30", "05:30")], [("21:00", "09:00")]
    sunday_to_saturday = [weekdays, [], [], [], [], weekend, []]
    assert windows == [*sunday_to_saturday, weekdays, []]
    assert [
        schedule.start for schedule in stage.simulator.schedules(TESLA.vehicle_id)
    ] == ["23:30"]
    assert stage.messages == []


async def test_weekend_of_other_days(stage: Stage) -> None:
    """The window is set on the evening before each of them."""
    await stage.set_up(
        WEEKEND, weekend_days=["2"], weekend_start="13:00:00", weekend_stop="15:00:00"
    )
    for day in (22, 23, 24):
        await stage.at(f"2026-11-{day}T18:00:00")
    assert stage.sent == [("23:30", "05:30"), ("13:00", "15:00"), ("23:30", "05:30")]


async def test_weekday_window_that_failed_is_sent_on_the_next_evening(
    stage: Stage,
) -> None:
    """It is told, and not repeated before."""
    message = "The window 23:30–05:30 was not set: The car is asleep."
    stage.simulator.script(ASLEEP, path=CREATE)
    await stage.set_up(WEEKEND)
    await stage.at("2026-11-22T18:00:00")
    await stage.at("2026-11-22T22:00:00")
    assert len(stage.sent) == 1
    assert stage.messages == [message]
    await stage.at("2026-11-23T18:00:00")
    assert stage.sent == [("23:30", "05:30")] * 2
    assert stage.messages == [message]


@pytest.mark.parametrize("blueprint", [CHEAPEST, NOT_CONFIRMED, WEEKEND])
async def test_user_chooses_how_to_be_told(
    hass: HomeAssistant, stage: Stage, prices: Prices, blueprint: str
) -> None:
    """Any action can say the title and the message."""
    stage.simulator.always(NOT_CAPABLE, path=CREATE)
    texts = async_mock_service(hass, "notify", "phone")
    tell = [
        {
            "action": "notify.phone",
            "data": {"title": "{{ title }}", "message": "{{ message }}"},
        }
    ]
    await stage.set_up(blueprint, tell=tell, **INPUTS[blueprint])
    await stage.at("2026-11-22T20:30:00")
    assert stage.messages == []
    assert [
        "Tesla Model Y 2024" in text.data["title"] and len(text.data["message"]) > 20
        for text in texts
    ] == [True]


@SENDERS
@pytest.mark.parametrize("fault", [EXECUTED, LOST])
async def test_what_may_be_on_the_car_is_not_sent_again(
    stage: Stage, prices: Prices, sender: str, fault: Fault
) -> None:
    """Until the repair is answered; it is told when it happens, and when it holds.

    Once on the next evening, then weekly. An evening that held dismisses nothing.
    """
    stage.simulator.always(fault, path=CREATE)
    await stage.set_up(sender, **INPUTS[sender])
    for day in range(16):
        await stage.at(evening(day))
        assert stage.shown == stage.messages[-1:]
    assert stage.sent == [WANTED]
    assert len(stage.simulator.schedules(TESLA.vehicle_id)) == 1
    assert stage.days_told == [0, 1, 7, 14]
    assert stage.messages[0].startswith("It is not known whether the car took")
    holding = f"Nothing was sent: the window 01:00–05:00 may be on the car. {SETTLE}"
    assert stage.messages[1:] == [holding] * 3

    stage.simulator.behave()
    await answer_repair(stage.hass, "not_there")
    await stage.settle()
    assert stage.sent == [WANTED]
    await stage.at(evening(16))
    assert stage.sent == [WANTED] * 2
    assert stage.shown == []


@SENDERS
async def test_each_new_matter_is_told(
    stage: Stage, prices: Prices, sender: str
) -> None:
    """Also one that comes while an older one is there, whoever sent it."""
    await stage.set_up(sender, **INPUTS[sender])
    stage.simulator.always(LOST, path=CREATE)
    for day in range(6):
        await stage.at(evening(day))
    assert stage.days_told == [0, 1]
    with suppress(HomeAssistantError):
        await set_schedule(stage.hass)
    await stage.at(evening(6))
    await stage.at(evening(7))
    assert stage.days_told == [0, 1, 6]
    assert "the window 01:00–05:00 and 23:30–05:30 may be" in stage.messages[-1]


async def test_answer_that_is_lost_on_a_friday_holds_the_week(stage: Stage) -> None:
    """One window more is on the car, and not three: also a user who sees it holds."""
    await stage.set_up(WEEKEND, evening_time="20:30:00")
    await stage.at(evening())
    stage.simulator.script(EXECUTED, path=CREATE)
    for day in range(1, 12):
        await stage.at(evening(day))
    assert stage.sent == [("23:30", "05:30"), ("21:00", "09:00")]
    assert stage.days_told == [5, 6]
    await answer_repair(stage.hass, "there")
    await stage.at(evening(12))
    assert len(stage.sent) == 2
    assert stage.days_told == [5, 6, 12]
    stage.simulator.vehicles[TESLA.vehicle_id].schedules.popitem()
    await answer_repair(stage.hass, "not_there")
    await stage.at(evening(13))
    assert stage.sent[2:] == [("21:00", "09:00")]
    assert len(stage.simulator.schedules(TESLA.vehicle_id)) == 1
    assert stage.shown == []


async def put_zone(hass: HomeAssistant, zone: str, place: dict[str, float]) -> None:
    """Put a zone to a place, as Home Assistant does."""
    hass.states.async_set(zone, "0", {**place, "radius": 100, "passive": False})
    await hass.async_block_till_done()


def sets(start: str, stop: str) -> Fault:
    """Let the car set another window than it was sent."""
    parameters = {"startTime": start, "stopTime": stop}
    return Fault(merge={"data": {"attributes": {"parameters": parameters}}})


async def leave_unanswered(
    hass: HomeAssistant, simulator: Simulator, **data: Any
) -> None:
    """Set a schedule whose answer is lost."""
    simulator.script(LOST, path=CREATE)
    with suppress(HomeAssistantError):
        await set_schedule(hass, **data)


async def stop_in_the_middle(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Let a stop cut off a set."""
    simulator.script(Fault(hold=asyncio.Event()), path=CREATE)
    command = hass.async_create_task(set_schedule(hass))
    await simulator.wait_for_request(path=CREATE)
    await reload(hass, entry)
    with suppress(HomeAssistantError):
        await command


async def lose_the_answer(
    hass: HomeAssistant, simulator: Simulator, _entry: MockConfigEntry
) -> None:
    """Let a set end without an answer."""
    await leave_unanswered(hass, simulator)


async def lose_it_in_another_zone_there(
    hass: HomeAssistant, simulator: Simulator, _entry: MockConfigEntry
) -> None:
    """Let a set for a zone at the same place end without an answer."""
    await put_zone(hass, "zone.garage", HOME)
    await leave_unanswered(hass, simulator, zone="zone.garage")


async def leave_a_delete_open(
    hass: HomeAssistant, simulator: Simulator, _entry: MockConfigEntry
) -> None:
    """Let a delete end without proof."""
    await set_schedule(hass)
    simulator.script(NOT_DELETED, method="DELETE")
    with suppress(HomeAssistantError):
        await delete_schedule(hass, zone="zone.home")


async def set_without_an_id(
    hass: HomeAssistant, simulator: Simulator, _entry: MockConfigEntry
) -> None:
    """Set a schedule whose id Smartcar does not tell."""
    simulator.script(WITHOUT_ID, path=CREATE)
    await set_schedule(hass)


async def damage_the_record(
    hass: HomeAssistant, _simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Load a file that is damaged."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    file_of(hass, entry).write_text("{")
    await load(hass, entry)


@SENDERS
@pytest.mark.parametrize(
    ("arrange", "answers"),
    [
        (lose_the_answer, ["not_there"]),
        (lose_it_in_another_zone_there, ["not_there"]),
        (stop_in_the_middle, ["not_there"]),
        (leave_a_delete_open, ["there"]),
        (set_without_an_id, ["not_there"]),
        (damage_the_record, []),
    ],
)
async def test_what_is_not_settled_holds(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    stage: Stage,
    prices: Prices,
    sender: str,
    arrange: Arrange,
    answers: list[str],
) -> None:
    """Whatever it is, and until it is answered; it says so."""
    await arrange(hass, stage.simulator, entry)
    before = len(stage.sent)
    await stage.set_up(sender, **INPUTS[sender])
    await stage.at(evening())
    await stage.at(evening(1))
    assert len(stage.sent) == before
    (message,) = stage.messages
    assert message.startswith("Nothing was sent: ")
    assert message.endswith(SETTLE)
    await answer_repair(hass, *answers)
    await stage.at(evening(2))
    assert stage.sent[before:] == [WANTED]
    assert stage.shown == []


@SENDERS
async def test_what_may_be_elsewhere_holds_nothing(
    hass: HomeAssistant, stage: Stage, prices: Prices, sender: str
) -> None:
    """Another place, and the one from which the zone was moved."""
    await leave_unanswered(hass, stage.simulator, location=AMSTERDAM_CENTRE)
    await stage.set_up(sender, **INPUTS[sender])
    await stage.at(evening())
    assert stage.sent[1:] == [WANTED]
    await leave_unanswered(hass, stage.simulator)
    await put_zone(hass, "zone.home", OSLO_CENTRE)
    await stage.at(evening(1))
    assert stage.sent[3:] == [WANTED]
    assert stage.messages == []


@SENDERS
@pytest.mark.parametrize(
    ("fault", "answers"), [(WITHOUT_ID, []), (EXECUTED, ["there"])]
)
async def test_what_is_there_without_an_id_is_set_if_it_is_wanted(
    stage: Stage, prices: Prices, sender: str, fault: Fault, answers: list[str]
) -> None:
    """It is not sent again, and nothing is told."""
    stage.simulator.script(fault, path=CREATE)
    await stage.set_up(sender, **INPUTS[sender])
    await stage.at(evening())
    for answer in answers:
        await answer_repair(stage.hass, answer)
    told = len(stage.messages)
    for day in (1, 2, 3):
        await stage.at(evening(day))
        assert stage.shown == []
    assert stage.sent == [WANTED]
    assert len(stage.messages) == told


@SENDERS
async def test_success_without_an_id_beside_an_older_window_is_not_repeated(
    hass: HomeAssistant, stage: Stage, prices: Prices, sender: str
) -> None:
    """The older one could not be removed: both are told, and nothing more is sent."""
    await set_schedule(hass)
    stage.simulator.always(WITHOUT_ID, path=CREATE)
    await stage.set_up(sender, **INPUTS[sender])
    for day in range(5):
        await stage.at(evening(day))
    assert stage.sent == [("23:30", "05:30"), WANTED]
    assert len(stage.simulator.schedules(TESLA.vehicle_id)) == 2
    assert stage.days_told == [0, 1]
    assert "An older one may still be on the car too" in stage.messages[0]


@SENDERS
async def test_old_window_that_could_not_be_removed_is_told(
    hass: HomeAssistant, stage: Stage, prices: Prices, sender: str
) -> None:
    """As long as it may be there, the notification stays."""
    await set_schedule(hass)
    stage.simulator.always(NOT_DELETED, method="DELETE")
    await stage.set_up(sender, **INPUTS[sender])
    await stage.at(evening())
    await stage.at(evening(1))
    assert stage.sent[1:] == [WANTED]
    assert stage.shown == [
        (
            "The window 01:00–05:00 was set. An older one may still be on the car too: "
            "it is not proven that it was removed. See Settings > System > Repairs."
        )
    ]
    stage.simulator.behave()
    await delete_schedule(hass, zone="zone.home")
    await stage.at(evening(2))
    assert stage.sent[2:] == [WANTED]
    assert stage.shown == []


@SENDERS
async def test_notification_goes_when_an_evening_went_well(
    stage: Stage, prices: Prices, sender: str
) -> None:
    """Not before."""
    stage.simulator.script(NOT_CAPABLE, NOT_CAPABLE, path=CREATE)
    await stage.set_up(sender, **INPUTS[sender])
    for day in (0, 1):
        await stage.at(evening(day))
        (message,) = stage.shown
        assert message.startswith("The window 01:00–05:00 was not set: Not this car.")
    await stage.at(evening(2))
    assert stage.shown == []


@SENDERS
@pytest.mark.parametrize(("fault", "count"), [(LOST, 0), (ASLEEP, 1), (Fault(), 1)])
async def test_command_under_way_is_waited_for(
    hass: HomeAssistant,
    stage: Stage,
    prices: Prices,
    sender: str,
    fault: Fault,
    count: int,
) -> None:
    """What it leaves on the car decides whether something is sent."""
    hold = asyncio.Event()
    stage.simulator.script(replace(fault, hold=hold), path=CREATE)
    await stage.set_up(sender, **INPUTS[sender])
    await stage.at(JUST_BEFORE)
    command = hass.async_create_background_task(set_schedule(hass), "command")
    await stage.simulator.wait_for_request(method="POST", path=CREATE)
    stage.fire(evening())
    assert shown(hass, "automation.tested").attributes["current"] == 1
    hold.set()
    with suppress(HomeAssistantError):
        await command
    await stage.settle()
    assert stage.sent[1:] == [WANTED] * count
    assert len(stage.messages) == 1 - count


@SENDERS
async def test_command_that_does_not_end_holds(
    hass: HomeAssistant, stage: Stage, prices: Prices, sender: str
) -> None:
    """It is waited for a quarter of an hour, and told."""
    hass.states.async_set(SENSOR, "in_progress", sensor(hass).attributes)
    await stage.set_up(sender, **INPUTS[sender])
    stage.fire(evening())
    assert stage.messages == []
    await stage.at("2026-11-22T20:45:00")
    assert stage.messages == ["Nothing was sent: another command is under way."]
    assert stage.sent == []


@SENDERS
async def test_outcome_that_another_command_hides_is_not_known(
    hass: HomeAssistant, stage: Stage, prices: Prices, sender: str
) -> None:
    """It is not told that nothing was sent."""
    hold, next_hold = asyncio.Event(), asyncio.Event()
    stage.simulator.script(replace(LOST, hold=hold), Fault(hold=next_hold), path=CREATE)
    await stage.set_up(sender, **INPUTS[sender])
    stage.fire(evening())
    await stage.simulator.wait_for_request(method="POST", path=CREATE)
    command = hass.async_create_background_task(set_schedule(hass), "command")
    hold.set()
    await stage.simulator.wait_for_request(2, method="POST", path=CREATE)
    next_hold.set()
    await command
    await stage.settle()
    assert stage.sent == [WANTED, ("23:30", "05:30")]
    (message,) = stage.messages
    assert message.startswith("It is not known ")


@SENDERS
async def test_missing_charge_schedule_sends_nothing(
    hass: HomeAssistant, stage: Stage, prices: Prices, sender: str
) -> None:
    """Not blind: what is set is not known, and it says so."""
    await set_schedule(hass, start_time="20:00", stop_time="21:00")
    await stage.set_up(sender, **INPUTS[sender])
    await disable(hass, CHARGE_SCHEDULE)
    for day in range(3):
        await stage.at(evening(day))
    assert len(stage.sent) == 1
    (message,) = set(stage.messages)
    assert 'entity "Charge schedule" is disabled' in message


@SENDERS
@pytest.mark.parametrize("fault", [LOST, NOT_CAPABLE])
async def test_missing_last_execution_is_named(
    hass: HomeAssistant, stage: Stage, prices: Prices, sender: str, fault: Fault
) -> None:
    """Without it, what became of a command is not known: it may be on the car."""
    stage.simulator.script(fault, path=CREATE)
    await stage.set_up(sender, **INPUTS[sender])
    await disable(hass, SENSOR)
    await stage.at(evening())
    assert stage.sent == [WANTED]
    (message,) = stage.messages
    assert message.startswith("It is not known what became of the window 01:00–05:00")
    assert 'entity "Last execution" is disabled' in message


@SENDERS
async def test_sensors_that_are_not_available_send_nothing(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    stage: Stage,
    prices: Prices,
    sender: str,
) -> None:
    """While the file of the car can not be opened."""
    await stage.set_up(sender, **INPUTS[sender])
    assert await hass.config_entries.async_unload(entry.entry_id)
    path = file_of(hass, entry)
    path.unlink(missing_ok=True)
    path.mkdir()
    await load(hass, entry)
    await stage.at(evening())
    assert stage.sent == []
    (message,) = stage.messages
    assert 'entity "Charge schedule" is not available' in message


def link_helpers(hass: HomeAssistant) -> None:
    """Link helpers to the car's device, which are found first and look like ours."""
    for key, state, attributes in (
        ("a", "success", {"device_class": "enum", "options": ["success"]}),
        ("b", "none", {"schedules": [], "possible_schedules": []}),
    ):
        helper = er.async_get(hass).async_get_or_create(
            "sensor",
            "template",
            key,
            suggested_object_id=f"aa_{key}",
            device_id=device_id(hass, TESLA),
        )
        hass.states.async_set(helper.entity_id, state, attributes)


def rename_entities(hass: HomeAssistant) -> None:
    """Give our entities other names and ids, as a person does."""
    for number, entity_id in enumerate((CHARGE_SCHEDULE, EVENT, SENSOR)):
        domain, _, _ = entity_id.partition(".")
        er.async_get(hass).async_update_entity(
            entity_id, name=f"Mine {number}", new_entity_id=f"{domain}.mine_{number}"
        )


def use_us_units(hass: HomeAssistant) -> None:
    """Measure in miles."""
    hass.config.units = US_CUSTOMARY_SYSTEM


@SENDERS
@pytest.mark.parametrize("change", [link_helpers, rename_entities, use_us_units])
async def test_own_entities_are_found_and_trusted(
    hass: HomeAssistant,
    stage: Stage,
    prices: Prices,
    sender: str,
    change: Callable[[HomeAssistant], None],
) -> None:
    """A window 130 m away is none of this place; then an answer is lost."""
    start, stop = WANTED
    await set_schedule(hass, start_time=start, stop_time=stop, location=NEXT_STREET)
    await stage.set_up(sender, **INPUTS[sender])
    change(hass)
    await hass.async_block_till_done()
    await stage.at(evening())
    await stage.at(evening(1))
    assert stage.sent[1:] == [WANTED]
    await delete_schedule(hass, zone="zone.home")
    stage.simulator.script(LOST, path=CREATE)
    await stage.at(evening(2))
    await stage.at(evening(3))
    assert stage.sent[2:] == [WANTED]
    assert stage.messages[0].startswith("It is not known whether the car took")


@SENDERS
@pytest.mark.parametrize("cars", [[TESLA, VOLVO]])
async def test_another_car_is_another_matter(
    hass: HomeAssistant, stage: Stage, prices: Prices, sender: str
) -> None:
    """What may be on one holds nothing for the other."""
    tesla, volvo = device_id(hass, TESLA), device_id(hass, VOLVO)
    await leave_unanswered(hass, stage.simulator, device_id=tesla)
    await stage.set_up(sender, car=volvo, **INPUTS[sender])
    await stage.at(evening())
    await stage.at(evening(1))
    assert len(stage.sent) == 2
    assert VOLVO.vehicle_id in stage.simulator.creates[1].path
    assert stage.messages == []


@SENDERS
async def test_car_that_rounds_is_sent_a_window_once(
    stage: Stage, prices: Prices, sender: str
) -> None:
    """What was asked for decides whether it is set."""
    stage.simulator.always(sets("01:10", "05:10"), path=CREATE)
    await stage.set_up(sender, **INPUTS[sender])
    for day in range(5):
        await stage.at(evening(day))
    assert stage.sent == [WANTED]
    assert stage.messages == []


@pytest.mark.parametrize(
    ("asked", "set_by_car", "is_open"),
    [
        (("20:40", "21:40"), ("20:30", "21:30"), True),
        (("20:30", "21:30"), ("20:40", "21:40"), False),
    ],
)
async def test_window_is_open_when_the_car_says_so(
    hass: HomeAssistant,
    stage: Stage,
    prices: Prices,
    asked: tuple[str, str],
    set_by_car: tuple[str, str],
    is_open: bool,
) -> None:
    """What was set decides, not what was asked for."""
    stage.simulator.script(sets(*set_by_car), path=CREATE)
    await set_schedule(hass, start_time=asked[0], stop_time=asked[1])
    await stage.set_up(CHEAPEST, source="tibber")
    await stage.at(evening())
    assert len(stage.sent) == 2 - is_open
    told = [f"window {'–'.join(set_by_car)} is open" in one for one in stage.messages]
    assert told == [True] * is_open


@SENDERS
async def test_run_by_hand_does_the_same(
    hass: HomeAssistant, stage: Stage, prices: Prices, sender: str
) -> None:
    """Conditions are skipped, and there is no trigger; it always tells why it holds."""
    await leave_unanswered(hass, stage.simulator)
    await stage.set_up(sender, **INPUTS[sender])
    await stage.run_by_hand()
    await stage.run_by_hand()
    assert len(stage.sent) == 1
    assert len(stage.messages) == 2
    await answer_repair(hass, "not_there")
    await stage.run_by_hand()
    assert stage.sent[1:] == [WANTED]
    assert stage.shown == []


async def test_not_confirmed_by_runs_by_hand(hass: HomeAssistant, stage: Stage) -> None:
    """At any time."""
    await stage.set_up(NOT_CONFIRMED)
    await stage.run_by_hand()
    await set_schedule(hass)
    await stage.run_by_hand()
    assert len(stage.messages) == 1
    assert stage.shown == []


@pytest.mark.parametrize(
    ("entity_ids", "fault", "messages"),
    [
        ([SENSOR], ASLEEP, [f"{CAR_ASLEEP} {NOT_ON_THE_CAR}"]),
        ([SENSOR], Fault(), []),
        ([EVENT], ASLEEP, [f"{CAR_ASLEEP} {NOT_ON_THE_CAR}"]),
        ([EVENT], Fault(), []),
        (
            [SENSOR, EVENT],
            Fault(),
            [
                (
                    "It is not known whether a charge schedule was confirmed: "
                    f'the entity "Last execution" is disabled or missing. {ON_THE_CAR}'
                )
            ],
        ),
        (
            [CHARGE_SCHEDULE],
            ASLEEP,
            [
                (
                    f"{CAR_ASLEEP} Which windows are set is not known: the entity "
                    '"Charge schedule" is disabled or missing.'
                )
            ],
        ),
    ],
)
async def test_not_confirmed_by_without_an_entity(
    hass: HomeAssistant,
    stage: Stage,
    entity_ids: list[str],
    fault: Fault,
    messages: list[str],
) -> None:
    """The event stands for the sensor, and it for the event; helpers for none."""
    await disable(hass, *entity_ids)
    link_helpers(hass)
    await stage.set_up(NOT_CONFIRMED)
    await stage.at("2026-11-22T20:00:00")
    stage.simulator.script(fault, path=CREATE)
    with suppress(HomeAssistantError):
        await set_schedule(hass)
    await stage.at("2026-11-22T21:45:00")
    assert stage.messages == messages


async def test_not_confirmed_by_tells_what_else_may_be_there(
    hass: HomeAssistant, entry: MockConfigEntry, stage: Stage
) -> None:
    """Though the last schedule was confirmed; it goes when all is settled."""
    await stage.set_up(NOT_CONFIRMED)
    stage.simulator.script(NOT_DELETED, NOT_DELETED, method="DELETE")
    await set_schedule(hass)
    await set_schedule(hass, start_time="22:00")
    await leave_unanswered(hass, stage.simulator, start_time="21:00")
    await set_schedule(hass, start_time="23:00")
    await stage.at("2026-11-22T21:45:00")
    assert stage.shown == [
        (
            "The last schedule was confirmed. Set from Home Assistant: 23:00–05:30. "
            "Possibly on the car: 21:00–05:30. "
            "To be removed, but perhaps still there: 23:30–05:30. "
            "See Settings > System > Repairs."
        )
    ]
    await answer_repair(hass, "not_there")
    await stage.at("2026-11-23T20:00:00")
    await set_schedule(hass)
    await stage.at("2026-11-23T21:45:00")
    assert stage.shown == []
    assert len(stage.messages) == 1
    await damage_the_record(hass, stage.simulator, entry)
    await stage.at("2026-11-24T21:45:00")
    assert stage.shown == [
        (
            "No charge schedule was sent in the last 12 hours. "
            "No window is certainly set from Home Assistant. "
            "A part of what Home Assistant knew of the car is lost. "
            "See Settings > System > Repairs."
        )
    ]


async def test_not_confirmed_by_hears_of_a_power_cut(disk: Disk) -> None:
    """The event goes back to what was saved before; the sensor does not."""
    cut = disk.started("2026-11-22T20:00:00", NOT_CONFIRMED, ends_orderly=False)
    async with cut as stage:
        await set_schedule(stage.hass)
        await stage.save_states()
        await stage.at("2026-11-22T20:10:00")
        await leave_unanswered(stage.hass, disk.simulator)
    async with disk.started("2026-11-22T20:15:00", NOT_CONFIRMED) as stage:
        assert shown(stage.hass, EVENT).attributes["event_type"] == "success"
        await stage.at("2026-11-22T21:45:00")
        assert [message[:56] for message in stage.messages] == [
            "It is not known whether the last command reached the car"
        ]


async def test_not_confirmed_by_hears_of_a_lost_record(disk: Disk) -> None:
    """The sensor knows nothing any more; the event does."""
    async with disk.started("2026-11-22T20:00:00", NOT_CONFIRMED) as stage:
        await leave_unanswered(stage.hass, disk.simulator)
    file_of(stage.hass, disk.entry).write_text("{")
    async with disk.started("2026-11-22T20:15:00", NOT_CONFIRMED) as stage:
        assert shown(stage.hass, SENSOR).state == "unknown"
        await stage.at("2026-11-22T21:45:00")
        assert [message[:56] for message in stage.messages] == [
            "It is not known whether the last command reached the car"
        ]


async def test_evening_that_was_missed_is_made_up_for(disk: Disk) -> None:
    """At the next start, once; not for an automation that never ran."""
    async with disk.started("2026-11-26T17:59:59", WEEKEND) as stage:
        await stage.at("2026-11-26T18:00:00")
        assert stage.sent == [("23:30", "05:30")]
    async with disk.started("2026-11-27T17:00:00", WEEKEND) as stage:
        assert len(stage.sent) == 1
    for time in ("18:01:00", "18:02:00"):
        async with disk.started(f"2026-11-27T{time}", WEEKEND) as stage:
            assert stage.sent[1:] == [("21:00", "09:00")]
            assert stage.messages == []


async def test_automation_that_never_ran_has_missed_nothing(disk: Disk) -> None:
    """It waits for its first evening."""
    for time in ("17:59:00", "18:01:00"):
        async with disk.started(f"2026-11-27T{time}", WEEKEND) as stage:
            assert stage.sent == []
            assert stage.messages == []


async def test_missed_evening_waits_while_a_window_is_open(disk: Disk) -> None:
    """It says so, and the next evening time sends what is right then."""
    async with disk.started("2026-11-26T17:59:59", WEEKEND) as stage:
        await stage.at("2026-11-26T18:00:00")
    async with disk.started("2026-11-27T23:30:00", WEEKEND) as stage:
        assert len(stage.sent) == 1
        assert ["is open right now" in message for message in stage.messages] == [True]
        await stage.at("2026-11-28T18:00:00")
        assert stage.sent[1:] == [("21:00", "09:00")]
        assert stage.shown == []


async def test_evening_before_a_power_cut_is_not_sent_again(disk: Disk) -> None:
    """The automation does not know any more that it ran; the car's record does."""
    cut = disk.started("2026-11-26T17:59:59", WEEKEND, ends_orderly=False)
    async with cut as stage:
        await stage.at("2026-11-26T18:00:00")
        await stage.save_states()
        await stage.at("2026-11-27T18:00:00")
        assert len(stage.sent) == 2
    async with disk.started("2026-11-27T18:05:00", WEEKEND) as stage:
        assert len(stage.sent) == 2
        assert stage.messages == []


@SENDERS
async def test_evening_that_a_stop_cut_off_holds(disk: Disk, sender: str) -> None:
    """Nothing is sent at the start, nor later, before it is settled; it is told."""
    offer = Prices(cheap_between(WANTED)).register
    disk.simulator.script(Fault(hold=asyncio.Event()), path=CREATE)
    inputs = INPUTS[sender]
    async with disk.started(JUST_BEFORE, sender, prepare=offer, **inputs) as stage:
        stage.fire(evening())
        await disk.simulator.wait_for_request(method="POST", path=CREATE)
    later = "2026-11-22T20:32:00"
    async with disk.started(later, sender, prepare=offer, **inputs) as stage:
        assert stage.messages == []
        for day in range(1, 4):
            await stage.at(evening(day))
        assert stage.sent == [WANTED]
        assert stage.days_told == [1]


@pytest.mark.parametrize(
    ("evening_time", "weekend_windows_at"),
    [
        ("00:30:00", ["28", "29"]),
        ("11:59:00", ["28", "29"]),
        ("12:00:00", ["27", "28"]),
        ("23:59:00", ["27", "28"]),
    ],
)
async def test_day_of_an_evening_time(
    stage: Stage, evening_time: str, weekend_windows_at: list[str]
) -> None:
    """Before noon it sets the window of that day, from noon on that of the next."""
    await stage.set_up(
        WEEKEND, evening_time=evening_time, weekend_start="13:00", weekend_stop="15:00"
    )
    windows = {}
    for day in range(26, 31):
        await stage.at(f"2026-11-{day}T{evening_time}")
        windows[str(day)] = stage.sent[-1]
    weekend = [day for day, window in windows.items() if window == ("13:00", "15:00")]
    assert weekend == weekend_windows_at


@pytest.mark.parametrize(
    ("sunday", "windows"),
    [
        ("2027-03-28", [("23:30", "05:30")]),
        ("2027-10-31", [("23:30", "05:30"), ("21:00", "09:00"), ("23:30", "05:30")]),
    ],
)
async def test_evening_time_at_a_clock_change(
    stage: Stage, sunday: str, windows: list[tuple[str, str]]
) -> None:
    """A time that clocks show twice sends once.

    Home Assistant leaves out one that they skip; the next evening is right again.
    """
    first = datetime.fromisoformat(sunday) - timedelta(days=1)
    await stage.at(f"{first:%Y-%m-%d}T00:00:00")
    await stage.set_up(WEEKEND, evening_time="02:30:00", weekend_days=["7"])
    instant = first.replace(tzinfo=AMSTERDAM).astimezone(UTC)
    for half_hour in range(3 * 48):
        await stage.at((instant + half_hour * timedelta(minutes=30)).isoformat())
    assert stage.sent == windows
    assert stage.messages == []
