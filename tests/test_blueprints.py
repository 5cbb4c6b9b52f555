"""The blueprints, run in Home Assistant against the simulator."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.automation.config import AUTOMATION_BLUEPRINT_SCHEMA
from homeassistant.components.blueprint.models import Blueprint
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util.yaml import load_yaml_dict, parse_yaml
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_mock_service,
)

from tests.actions import delete_schedule, set_schedule
from tests.blueprints import (
    FOLDER,
    HOUR,
    QUARTER,
    Prices,
    Stage,
    add_price_entries,
    cheap_between,
)
from tests.simulator import TESLA, Cut, Fault, Simulator

CHEAPEST = "cheapest_window_tonight.yaml"
NOT_CONFIRMED = "not_confirmed_by.yaml"
WEEKEND = "weekday_and_weekend_windows.yaml"

CREATE = "/charge-schedules/daily"
ASLEEP = Fault.error(409, "VEHICLE_STATE", "ASLEEP", "The car is asleep.")
NOT_CAPABLE = Fault.error(
    501, "COMPATIBILITY", "MAKE_NOT_COMPATIBLE", "Not this car.", resolution=None
)
LOST = Fault(cut=Cut.BEFORE_ANSWER)
ON_THE_CAR = "Set from Home Assistant and still there: 23:30–05:30."
NOT_ON_THE_CAR = "No window set from Home Assistant is there."
CAR_ASLEEP = "The last command was not carried out: The car is asleep."
LOOK_AT_THE_CAR = (
    "It may be on the car. Look in the car's app before you send it again."
)
STILL = "The window 23:30–05:30 still applies."
NONE_APPLIES = "No window set from Home Assistant applies here."


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
    assert stage.told[0].data["title"] == "Charge window of Tesla Model Y 2024"


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
    for evening in ("2026-11-22", "2026-11-23", "2026-11-24"):
        await stage.at(f"{evening}T12:00:00")
        await stage.at(f"{evening}T20:30:00")
        await stage.at(f"{evening}T21:30:00")
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
            {"location": {"latitude": 52.3731, "longitude": 4.8926}},
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
                "It is not known whether the car took the window 01:00–05:00. "
                f"{LOOK_AT_THE_CAR}"
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
    ("blueprint", "inputs", "message"),
    [
        (
            CHEAPEST,
            {"source": "tibber"},
            "Which window still applies is not known: the car is not available.",
        ),
        (
            NOT_CONFIRMED,
            {"by": "20:30:00"},
            "the car is not available in Home Assistant.",
        ),
        (
            WEEKEND,
            {"evening_time": "20:30:00"},
            "The automation's trace and the log tell why.",
        ),
    ],
)
async def test_car_that_is_not_available(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    stage: Stage,
    prices: Prices,
    blueprint: str,
    inputs: dict[str, Any],
    message: str,
) -> None:
    """Nothing can be sent or known, and it says so."""
    await stage.set_up(blueprint, **inputs)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await stage.at("2026-11-22T20:30:00")
    assert stage.sent == []
    assert [told[-len(message) :] for told in stage.messages] == [message]


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
    assert stage.messages[0].endswith("Look in the car's app for what is set.")


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


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (ASLEEP, "The window 23:30–05:30 was not set: The car is asleep."),
        (
            LOST,
            (
                "It is not known whether the car took the window 23:30–05:30. "
                f"{LOOK_AT_THE_CAR}"
            ),
        ),
    ],
)
async def test_weekday_window_that_failed_is_sent_on_the_next_evening(
    stage: Stage, fault: Fault, message: str
) -> None:
    """It is told, and not repeated before."""
    stage.simulator.script(fault, path=CREATE)
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
    inputs: dict[str, dict[str, Any]] = {
        CHEAPEST: {"source": "tibber", "evening_time": "21:00:00"},
        NOT_CONFIRMED: {"by": "21:00:00"},
        WEEKEND: {"evening_time": "21:00:00"},
    }
    stage.simulator.always(NOT_CAPABLE, path=CREATE)
    texts = async_mock_service(hass, "notify", "phone")
    tell = [
        {
            "action": "notify.phone",
            "data": {"title": "{{ title }}", "message": "{{ message }}"},
        }
    ]
    await stage.set_up(blueprint, tell=tell, **inputs[blueprint])
    await stage.at("2026-11-22T21:00:00")
    assert stage.messages == []
    assert [
        "Tesla Model Y 2024" in text.data["title"] and len(text.data["message"]) > 20
        for text in texts
    ] == [True]
