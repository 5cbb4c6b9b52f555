"""A real Home Assistant with a real disk, and our Smartcar behind real HTTP."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from homeassistant.const import CONF_CLIENT_ID, CONF_CLIENT_SECRET, __version__
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
from syrupy.assertion import SnapshotAssertion

from custom_components.smartcar_charging.const import DOMAIN
from custom_components.smartcar_charging.smartcar import auth, client
from tests import deprecations, texts
from tests.simulator import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, TESLA, Car, Simulator
from tests.versions import version_of


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run say which Home Assistant it means."""
    parser.addoption(
        "--ha",
        choices=("newest", "floor"),
        help="end at once if this is not the Home Assistant",
    )
    parser.addoption(
        "--seed", type=int, default=1, help="which nights tests/test_nights.py draws"
    )


def pytest_configure(config: pytest.Config) -> None:
    """End a run that got another Home Assistant than it meant."""
    meant = config.getoption("--ha")
    if meant is not None and version_of(meant) != __version__:
        raise pytest.UsageError(
            f"the {meant} is Home Assistant {version_of(meant)}, not {__version__}"
        )


def pytest_report_header() -> str:
    """Tell the version at the beginning of a run."""
    return f"Home Assistant {__version__}"


@pytest.fixture(autouse=True)
def complaints() -> Iterator[list[str]]:
    """Fail every test in which Home Assistant complains about the integration."""
    with deprecations.listen() as heard:
        yield heard
    assert heard == []


@pytest.fixture(autouse=True)
def custom_integrations(
    complaints: list[str], enable_custom_integrations: None
) -> None:
    """Let Home Assistant find the integration, while its complaints are heard."""


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Compare as Home Assistant's own tests do: two packages define this fixture."""
    return snapshot.use_extension(HomeAssistantSnapshotExtension)


@pytest.fixture
def hass_storage() -> dict[str, Any]:
    """Leave Home Assistant's storage real: a restart is half of what we test."""
    return {}


@pytest.fixture
def hass_config_dir(tmp_path: Path) -> str:
    """Give each test a disk of its own."""
    integrations = Path(__file__).parent.parent / "custom_components"
    (tmp_path / "custom_components").symlink_to(integrations, target_is_directory=True)
    return str(tmp_path)


@pytest.fixture
async def simulator(
    socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Simulator]:
    """Start our Smartcar, and point the client to it."""
    async with Simulator() as running:
        running.add_demo_cars()
        monkeypatch.setattr(client, "API_URL", f"{running.url}/v3")
        monkeypatch.setattr(auth, "TOKEN_URL", f"{running.url}/oauth2/token")
        monkeypatch.setattr(client, "RETRY_DELAYS", (0.0, 0.0))
        yield running


def make_entry(
    *cars: Car, data: dict[str, Any] | None = None, **kwargs: Any
) -> MockConfigEntry:
    """Return an entry as the config flow would make it."""
    return MockConfigEntry(
        domain=DOMAIN,
        title="Smartcar",
        data=data
        or {CONF_CLIENT_ID: DEMO_CLIENT_ID, CONF_CLIENT_SECRET: DEMO_CLIENT_SECRET},
        unique_id=None if data else DEMO_CLIENT_ID,
        subentries_data=[
            {
                "subentry_type": "vehicle",
                "title": f"{car.make.title()} {car.model} {car.year}",
                "unique_id": car.vehicle_id,
                "data": {
                    "vehicle_id": car.vehicle_id,
                    "user_id": car.user_id,
                    "make": car.make.title(),
                    "model": car.model,
                    "year": car.year,
                },
            }
            for car in cars
        ],
        **kwargs,
    )


@pytest.fixture
def cars() -> list[Car]:
    """Return the cars of the entry; tests may choose others."""
    return [TESLA]


@pytest.fixture
async def entry(
    hass: HomeAssistant, simulator: Simulator, cars: list[Car]
) -> MockConfigEntry:
    """Set up an account with its cars, and wait for the check of its credentials."""
    entry = make_entry(*cars)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return entry


@pytest.fixture(autouse=True)
def no_traffic_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Point the client nowhere, unless a test starts our Smartcar."""
    monkeypatch.setattr(client, "API_URL", "http://127.0.0.1:9/v3")
    monkeypatch.setattr(auth, "TOKEN_URL", "http://127.0.0.1:9/oauth2/token")


@pytest.fixture(autouse=True)
def texts_are_complete(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail every test in which the user gets no words, or words with a gap."""
    found = texts.watch(monkeypatch)
    yield
    assert not found
