"""The window that a user prepares on the device page, and the two buttons."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from tests.actions import (
    CHARGE_SCHEDULE,
    NEW_START,
    NEW_STOP,
    REMOVE,
    SEND,
    ZONE,
    delete_schedule,
    edit_time,
    edit_zone,
    press,
    reload,
    sensor,
    set_schedule,
    shown,
)
from tests.conftest import make_entry
from tests.ledgers import file_of, stored
from tests.simulator import TESLA, Fault, Simulator

WORK: Final = {"latitude": 1.5, "longitude": 2.5, "friendly_name": "Work"}
HOME: Final = "test home"
INCOMPLETE: Final = (
    "Nothing was sent to Tesla Model Y 2024: set New start time and New stop time"
)

type Zones = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
async def zones(
    hass: HomeAssistant, entry: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> Zones:
    """Return how a user adds, changes and removes zones.

    The user does so under Settings > Areas, labels & zones.
    """
    client = await hass_ws_client(hass)

    async def command(kind: str, **data: Any) -> dict[str, Any]:
        """Send what the frontend sends; return the zone."""
        await client.send_json_auto_id({"type": f"zone/{kind}", **data})
        answer = await client.receive_json()
        assert answer["success"], answer
        await hass.async_block_till_done()
        return dict(answer["result"] or {})

    return command


def draft(hass: HomeAssistant) -> tuple[str, str, str]:
    """Return what the device page shows as the window to be sent."""
    start, stop, zone = (
        shown(hass, entity_id).state for entity_id in (NEW_START, NEW_STOP, ZONE)
    )
    return start, stop, zone


async def edit(hass: HomeAssistant, start: str, stop: str) -> None:
    """Prepare a window."""
    await edit_time(hass, NEW_START, start)
    await edit_time(hass, NEW_STOP, stop)


def sent(simulator: Simulator) -> list[tuple[str, str, float]]:
    """Return the windows that were sent, with the latitude."""
    attributes = [request.json["data"]["attributes"] for request in simulator.creates]
    return [
        (sent["startTime"], sent["stopTime"], sent["location"]["latitude"])
        for sent in attributes
    ]


async def set_up(hass: HomeAssistant) -> None:
    """Set up an account with its car."""
    entry = make_entry(TESLA)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)


def test_draft_is_empty_at_first_and_for_home(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """There is nothing that somebody could send by mistake."""
    assert draft(hass) == ("unknown", "unknown", HOME)


async def test_editing_sends_nothing(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """It is local and free, and no command."""
    before = len(simulator.requests)
    hass.states.async_set("zone.work", "0", WORK)
    await edit(hass, "22:15:00", "06:45:00")
    await edit_zone(hass, "Work")
    assert draft(hass) == ("22:15:00", "06:45:00", "Work")
    assert len(simulator.requests) == before
    assert sensor(hass).state == "unknown"
    assert shown(hass, CHARGE_SCHEDULE).state == "none"


async def test_draft_survives_a_restart(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """It is on the disk as soon as it is made, and still an unsent edit afterwards."""
    hass.states.async_set("zone.work", "0", WORK)
    await edit(hass, "22:15", "06:45")
    await edit_zone(hass, "Work")
    assert stored(hass, entry)["draft"] == {
        "start_time": "22:15:00",
        "stop_time": "06:45:00",
        "zone": "zone.work",
        "is_edited": True,
    }
    await reload(hass, entry)
    assert draft(hass) == ("22:15:00", "06:45:00", "Work")
    await set_schedule(hass)
    assert draft(hass) == ("22:15:00", "06:45:00", "Work")


@pytest.mark.parametrize(
    ("language", "entity_id", "name"),
    [
        ("en", NEW_START, "New start time"),
        ("en", NEW_STOP, "New stop time"),
        ("de", NEW_START, "Neuer Beginn"),
        ("fr", NEW_STOP, "Nouvelle fin"),
    ],
)
async def test_seconds_are_refused(
    hass: HomeAssistant, simulator: Simulator, language: str, entity_id: str, name: str
) -> None:
    """By the name that the page gives to the time, in Home Assistant's language."""
    hass.config.language = language
    await set_up(hass)
    with pytest.raises(ServiceValidationError) as caught:
        await edit_time(hass, entity_id, "22:15:30")
    assert caught.value.translation_key == "seconds_not_supported"
    assert caught.value.translation_placeholders == {"field": name, "time": "22:15:30"}
    assert shown(hass, entity_id).state == "unknown"


async def test_seconds_are_refused_by_the_name_that_the_user_gave(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """It is the one on the page."""
    er.async_get(hass).async_update_entity(NEW_START, name="Cheap from")
    await hass.async_block_till_done()
    with pytest.raises(ServiceValidationError, match=r"Cheap from .*22:15:30"):
        await edit_time(hass, NEW_START, "22:15:30")


@pytest.mark.parametrize("time", ["22:15", "22:15:00"])
async def test_seconds_of_zero_are_none(
    hass: HomeAssistant, entry: MockConfigEntry, time: str
) -> None:
    """The frontend sends them, and a person need not."""
    await edit_time(hass, NEW_START, time)
    assert shown(hass, NEW_START).state == "22:15:00"


async def test_draft_that_could_not_be_saved_is_told_and_shown(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """The page shows what a press would send, and it is not lost with a reload."""
    file = file_of(hass, entry)
    file.unlink()
    file.mkdir()
    with pytest.raises(HomeAssistantError, match="could not be saved yet") as caught:
        await edit_time(hass, NEW_START, "22:15")
    assert caught.value.translation_key == "not_saved"
    assert draft(hass) == ("22:15:00", "unknown", HOME)
    file.rmdir()
    await reload(hass, entry)
    assert draft(hass) == ("22:15:00", "unknown", HOME)
    assert stored(hass, entry)["draft"]["start_time"] == "22:15:00"


async def test_successful_action_fills_the_draft(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """The next change begins with what is set; coordinates leave the zone as it is."""
    hass.states.async_set("zone.work", "0", WORK)
    await set_schedule(hass, zone="zone.work")
    assert draft(hass) == ("23:30:00", "05:30:00", "Work")
    await set_schedule(
        hass, start_time="00:00", location={"latitude": 3.5, "longitude": 4.5}
    )
    assert draft(hass) == ("00:00:00", "05:30:00", "Work")


async def test_press_sends_one_command(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """For the chosen zone; what was set there before is replaced."""
    hass.states.async_set("zone.work", "0", WORK)
    first = await set_schedule(hass, zone="zone.work")
    await edit(hass, "22:15", "06:45")
    assert len(simulator.creates) == 1
    await press(hass, SEND)
    assert sent(simulator)[1:] == [("22:15", "06:45", 1.5)]
    assert [request.path.rpartition("/")[2] for request in simulator.deletes] == [
        first["schedule_id"]
    ]
    assert sensor(hass).state == "success"
    assert shown(hass, CHARGE_SCHEDULE).state == "22:15–06:45"


async def test_edit_while_the_car_works_is_kept(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """What is prepared next is not overwritten by what was sent before."""
    hold = asyncio.Event()
    simulator.script(Fault(hold=hold))
    await edit(hass, "22:15", "06:45")
    call = hass.async_create_task(press(hass, SEND))
    await simulator.wait_for_request(path="/charge-schedules/daily")
    await edit_time(hass, NEW_START, "21:00")
    hold.set()
    await call
    assert draft(hass) == ("21:00:00", "06:45:00", HOME)
    assert sent(simulator) == [("22:15", "06:45", 32.87336)]


async def no_times(hass: HomeAssistant) -> None:
    """Prepare nothing."""


async def one_time(hass: HomeAssistant) -> None:
    """Prepare half of a window."""
    await edit_time(hass, NEW_START, "22:15")


async def equal_times(hass: HomeAssistant) -> None:
    """Prepare no window."""
    await edit(hass, "22:15", "22:15")


async def vanished_zone(hass: HomeAssistant) -> None:
    """Prepare a window for a zone that goes."""
    hass.states.async_set("zone.work", "0", WORK)
    await edit_zone(hass, "Work")
    await edit(hass, "22:15", "06:45")
    hass.states.async_remove("zone.work")


async def zone_of_nowhere(hass: HomeAssistant) -> None:
    """Prepare a window for a zone without coordinates."""
    hass.states.async_set("zone.work", "0", {"friendly_name": "Work"})
    await edit_zone(hass, "Work")
    await edit(hass, "22:15", "06:45")


@pytest.mark.parametrize(
    ("prepare", "key", "message"),
    [
        (no_times, "draft_incomplete", INCOMPLETE),
        (one_time, "draft_incomplete", INCOMPLETE),
        (
            equal_times,
            "equal_times",
            "Start and stop are both 22:15, which is no window",
        ),
        (vanished_zone, "zone_not_found", r"There is no zone zone\.work"),
        (
            zone_of_nowhere,
            "zone_without_coordinates",
            r"The zone zone\.work has no coordinates",
        ),
    ],
)
async def test_press_refuses_what_can_not_be_meant(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    prepare: Callable[[HomeAssistant], Awaitable[None]],
    key: str,
    message: str,
) -> None:
    """In the words of the action, and before anything is sent."""
    await prepare(hass)
    with pytest.raises(HomeAssistantError, match=message) as caught:
        await press(hass, SEND)
    assert caught.value.translation_key == key
    assert (simulator.creates, sensor(hass).state) == ([], "unknown")


@pytest.mark.parametrize("button", [SEND, REMOVE])
async def test_press_while_a_command_runs_is_refused(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, button: str
) -> None:
    """Nothing more is sent, then or later; afterwards a press works."""
    await set_schedule(hass)
    hold = asyncio.Event()
    simulator.script(Fault(hold=hold))
    first = hass.async_create_task(press(hass, SEND))
    await simulator.wait_for_request(2, path="/charge-schedules/daily")
    with pytest.raises(
        HomeAssistantError, match="Tesla Model Y 2024 is still working on the command"
    ) as caught:
        await press(hass, button)
    assert caught.value.translation_key == "command_running"
    hold.set()
    await first
    assert (len(simulator.creates), len(simulator.deletes)) == (2, 1)
    await press(hass, button)


async def test_two_presses_at_once_are_one_command(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """A nervous finger does not pay twice."""
    await edit(hass, "22:15", "06:45")
    results = await asyncio.gather(
        *(press(hass, SEND) for _ in range(3)), return_exceptions=True
    )
    refused = [result for result in results if isinstance(result, HomeAssistantError)]
    assert [error.translation_key for error in refused] == ["command_running"] * 2
    assert len(simulator.creates) == 1


async def test_remove_takes_what_home_assistant_set_at_the_zone(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """All of it; other places and what was set elsewhere stay."""
    hass.states.async_set("zone.work", "0", WORK)
    foreign = simulator.add_schedule(
        TESLA.vehicle_id, start="01:00", stop="02:00", latitude=1.5, longitude=2.5
    )
    home = await set_schedule(hass)
    for start in ("20:00", "21:00"):
        await set_schedule(hass, zone="zone.work", start_time=start, replace=False)
    assert shown(hass, ZONE).state == "Work"
    await press(hass, REMOVE)
    assert [schedule.id for schedule in simulator.schedules(TESLA.vehicle_id)] == [
        foreign.id,
        home["schedule_id"],
    ]
    assert sensor(hass).state == "success"
    assert sensor(hass).attributes["action"] == "delete"
    assert shown(hass, CHARGE_SCHEDULE).state == "23:30–05:30"


async def test_remove_works_for_a_zone_that_is_gone(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """Schedules outlive the zone that they were set for."""
    hass.states.async_set("zone.work", "0", WORK)
    await set_schedule(hass, zone="zone.work")
    hass.states.async_remove("zone.work")
    await press(hass, REMOVE)
    assert simulator.schedules(TESLA.vehicle_id) == []


async def test_remove_says_so_when_there_is_nothing(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """What is set at another place is not touched."""
    await set_schedule(hass, location={"latitude": 1.5, "longitude": 2.5})
    with pytest.raises(
        ServiceValidationError,
        match=r"Home Assistant has set no charge schedule .* at zone\.home",
    ) as e:
        await press(hass, REMOVE)
    assert e.value.translation_key == "nothing_to_delete"
    assert simulator.deletes == []


async def test_a_press_right_after_one_that_was_refused_is_taken(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """A command that ended at once does not run any more."""
    await edit(hass, "21:00", "22:00")
    with pytest.raises(ServiceValidationError):
        await press(hass, REMOVE)
    await press(hass, SEND)
    assert len(simulator.creates) == 1


async def test_removing_leaves_the_draft(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """So that the window can be sent again."""
    await set_schedule(hass)
    await delete_schedule(hass, zone="zone.home")
    assert draft(hass) == ("23:30:00", "05:30:00", HOME)


async def test_zones_follow_what_the_user_does_with_them(
    hass: HomeAssistant, zones: Zones
) -> None:
    """The chosen one stays chosen under its new name, and is unknown once removed."""
    assert shown(hass, ZONE).attributes["options"] == [HOME]
    work = await zones("create", name="Work", latitude=1.5, longitude=2.5, radius=100)
    assert shown(hass, ZONE).attributes["options"] == [HOME, "Work"]
    await edit_zone(hass, "Work")
    assert shown(hass, ZONE).state == "Work"
    await zones("update", zone_id=work["id"], name="Office")
    assert shown(hass, ZONE).state == "Office"
    assert shown(hass, ZONE).attributes["options"] == ["Office", HOME]
    await zones("delete", zone_id=work["id"])
    assert shown(hass, ZONE).state == "unknown"
    assert shown(hass, ZONE).attributes["options"] == [HOME]


async def test_zones_of_one_name_are_told_apart(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, zones: Zones
) -> None:
    """By their entity ids; the press takes the one that is meant."""
    await zones("create", name="Office", latitude=1.5, longitude=2.5, radius=100)
    second = await zones(
        "create", name="Office", latitude=3.5, longitude=4.5, radius=100
    )
    assert shown(hass, ZONE).attributes["options"] == [
        "Office (zone.office)",
        "Office (zone.office_2)",
        HOME,
    ]
    await edit_zone(hass, "Office (zone.office_2)")
    await edit(hass, "22:15", "06:45")
    await press(hass, SEND)
    assert sent(simulator) == [("22:15", "06:45", 3.5)]
    assert stored(hass, entry)["draft"]["zone"] == "zone.office_2"
    await zones("delete", zone_id=second["id"])
    assert shown(hass, ZONE).state == "unknown"
    assert shown(hass, ZONE).attributes["options"] == ["Office", HOME]


@pytest.mark.parametrize(
    "names",
    [
        ("A", "A", "A (zone.z1)"),
        ("A", "A", "A (zone.z0)", "A (zone.z1)"),
        ("A", "A (zone.z0)", "A (zone.z0) (zone.z1)"),
        ("A", "A", "A (zone.z0)", "A (zone.z0)", "A (zone.z0) (zone.z3)"),
        ("A (zone.z1)", "A", "A (zone.z1) (zone.z0)"),
        ("A (zone.home)", "test home", "test home (zone.home)"),
        (" (zone.z0)", " (zone.z0)", "(zone.z0)", "zone.z0"),
    ],
)
async def test_zones_named_like_labels_can_all_be_chosen(
    hass: HomeAssistant, entry: MockConfigEntry, names: tuple[str, ...]
) -> None:
    """Each option is one zone, whatever somebody calls them."""
    zones = {f"zone.z{number}": name for number, name in enumerate(names)}
    for zone, name in zones.items():
        hass.states.async_set(zone, "0", {**WORK, "friendly_name": name})
    options = shown(hass, ZONE).attributes["options"]
    chosen = []
    for option in options:
        await edit_zone(hass, option)
        assert shown(hass, ZONE).state == option
        chosen.append(stored(hass, entry)["draft"]["zone"])
    assert sorted(chosen) == sorted(["zone.home", *zones])


async def test_moved_zone_is_sent_where_it_is_now(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, zones: Zones
) -> None:
    """The draft keeps the zone, not its coordinates."""
    office = await zones(
        "create", name="Office", latitude=1.5, longitude=2.5, radius=100
    )
    await edit_zone(hass, "Office")
    await edit(hass, "22:15", "06:45")
    await zones("update", zone_id=office["id"], latitude=50.5)
    await press(hass, SEND)
    assert sent(simulator) == [("22:15", "06:45", 50.5)]
