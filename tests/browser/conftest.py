"""A real Home Assistant, our Smartcar, and a person who is logged in."""

from collections.abc import AsyncIterator, Generator
import os
import re
import shutil
import socket
from typing import Final

from playwright.async_api import Browser, Page, StorageState, async_playwright, expect
import pytest

from tests.home import HomeAssistantApi, HomeAssistantProcess
from tests.simulator import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, TESLA, Simulator
from tests.versions import version_of

from . import KEPT, TIMEOUT
from .person import log_in

_CHROMIUM_OPTIONS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
)
_DOMAIN: Final = "smartcar_charging"
_ENTRIES: Final = "/api/config/config_entries/entry"
_FLOWS: Final = "/api/config/config_entries/flow"
_USUAL_LANGUAGE: Final = "en"
_FAILED: Final = pytest.StashKey[bool]()

expect.set_options(timeout=TIMEOUT * 1000)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run say which Home Assistant it means."""
    parser.addoption(
        "--ha", default="newest", help="the Home Assistant that it has to be"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember that a test failed, so that its page is kept."""
    report = yield
    item.stash[_FAILED] = report.failed or item.stash.get(_FAILED, False)
    return report


@pytest.fixture(scope="session", autouse=True)
def kept() -> None:
    """Begin without what earlier runs left."""
    shutil.rmtree(KEPT, ignore_errors=True)
    KEPT.mkdir()


@pytest.fixture(scope="session")
async def simulator() -> AsyncIterator[Simulator]:
    """Start our Smartcar."""
    async with Simulator() as running:
        running.add_demo_cars()
        yield running


@pytest.fixture(scope="session")
async def home(
    pytestconfig: pytest.Config, simulator: Simulator, kept: None
) -> AsyncIterator[HomeAssistantApi]:
    """Start Home Assistant, and be signed in at its API."""
    version = version_of(pytestconfig.getoption("--ha"))
    process = HomeAssistantProcess(KEPT / "home", _free_port(), simulator.url)
    process.prepare()
    try:
        await process.start(3 * TIMEOUT)
        async with HomeAssistantApi(process.url) as api:
            await api.onboard("demo", "demo")
            await api.wait_until_running(3 * TIMEOUT)
            assert (await api.get("/api/config"))["version"] == version
            await api.show_24_hours(_USUAL_LANGUAGE)
            await api.command(
                "zone/create",
                name="Work",
                latitude=52.3105,
                longitude=4.7683,
                radius=100,
            )
            await api.tidy_up()
            yield api
    finally:
        await process.stop()


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Start the browser that `script/test-browser` found, else Playwright's own."""
    async with async_playwright() as playwright:
        chromium = os.environ.get("CHROMIUM") or None
        yield await playwright.chromium.launch(
            executable_path=chromium, args=_CHROMIUM_OPTIONS
        )


@pytest.fixture(scope="session")
async def logged_in(browser: Browser, home: HomeAssistantApi) -> StorageState:
    """Log in once, as a person does, and return what the browser remembers of it."""
    page = await browser.new_page(base_url=home.url)
    await log_in(page)
    state = await page.context.storage_state()
    await page.context.close()
    return state


@pytest.fixture
async def page(
    request: pytest.FixtureRequest,
    browser: Browser,
    home: HomeAssistantApi,
    logged_in: StorageState,
) -> AsyncIterator[Page]:
    """Open a window of a logged-in person; what it showed is kept if the test fails."""
    context = await browser.new_context(
        base_url=home.url,
        storage_state=logged_in,
        viewport={"width": 1280, "height": 900},
        timezone_id="Europe/Amsterdam",
        reduced_motion="reduce",
    )
    context.set_default_timeout(TIMEOUT * 1000)
    await context.tracing.start(snapshots=True, sources=True)
    page = await context.new_page()
    yield page
    if request.node.stash.get(_FAILED, False):
        name = re.sub(r"\W+", "-", request.node.name)
        await page.screenshot(path=KEPT / f"{name}.png")
        await context.tracing.stop(path=KEPT / f"{name}.zip")
    await context.close()


@pytest.fixture(autouse=True)
async def tidy_home(
    home: HomeAssistantApi, simulator: Simulator
) -> AsyncIterator[None]:
    """Leave neither cars nor messages to the next test."""
    yield
    simulator.behave()
    simulator.requests.clear()
    for vehicle in simulator.vehicles.values():
        vehicle.schedules.clear()
    for entry in await home.get(f"{_ENTRIES}?domain={_DOMAIN}"):
        await home.delete(f"{_ENTRIES}/{entry['entry_id']}")
    await home.tidy_up()


@pytest.fixture
def language() -> str:
    """Return the language of home and person; tests may choose others."""
    return _USUAL_LANGUAGE


@pytest.fixture
async def speaking(home: HomeAssistantApi, language: str) -> AsyncIterator[None]:
    """Have Home Assistant name things, and a page show them, in a language."""
    await home.command("config/core/update", language=language)
    await home.show_24_hours(language)
    yield
    await home.command("config/core/update", language=_USUAL_LANGUAGE)
    await home.show_24_hours(_USUAL_LANGUAGE)


@pytest.fixture
async def car(home: HomeAssistantApi, speaking: None, tidy_home: None) -> str:
    """Connect the Tesla, and return the name of its device."""
    step = await home.post(_FLOWS, handler=_DOMAIN)
    flow = f"{_FLOWS}/{step['flow_id']}"
    await home.post(flow, next_step_id="api_credentials")
    await home.post(flow, client_id=DEMO_CLIENT_ID, client_secret=DEMO_CLIENT_SECRET)
    await home.post(flow, vehicle=TESLA.connection_id)
    return "Tesla Model Y 2024"


def _free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
