"""Our answers to Home Assistant's Integration Quality Scale.

Each is held against the product by a test of its name.
"""

import ast
from collections.abc import Iterator
import importlib
import inspect
import re
import sys
import tomllib
from typing import Any, Final

from homeassistant import components
from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigEntryState
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import async_get_platforms
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import load_yaml_dict
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.smartcar_charging import repairs
from custom_components.smartcar_charging.account import Account
from custom_components.smartcar_charging.config_flow import SmartcarChargingConfigFlow
from custom_components.smartcar_charging.const import DOMAIN
from custom_components.smartcar_charging.diagnostics import (
    async_get_config_entry_diagnostics,
)
from custom_components.smartcar_charging.entity import VehicleEntity
from custom_components.smartcar_charging.smartcar import SmartcarClient
from custom_components.smartcar_charging.vehicle import SmartcarVehicle
from tests.actions import SENSOR, set_schedule, shown
from tests.conftest import make_entry
from tests.files import ICONS, MANIFEST, README, REPOSITORY, SERVICES
from tests.flows import API_CREDENTIALS, Dialog
from tests.ledgers import file_of
from tests.simulator import (
    DEMO_CLIENT_ID,
    DEMO_CLIENT_SECRET,
    TESLA,
    VOLVO,
    Fault,
    Simulator,
)
from tests.texts import ENGLISH, INTEGRATION

SCALE: Final = (INTEGRATION / "quality_scale.yaml").read_text()
RULES: Final[dict[str, Any]] = load_yaml_dict(INTEGRATION / "quality_scale.yaml")[
    "rules"
]
PYPROJECT: Final = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
FLOWS: Final = [ENGLISH["config"], *ENGLISH["config_subentries"].values()]
ACTIONS: Final = ENGLISH["services"]
SET_UP: Final = ENGLISH["config"]["step"]
CODE: Final = {
    path.relative_to(INTEGRATION).as_posix(): path.read_text()
    for path in INTEGRATION.rglob("*.py")
}
PLATFORMS: Final = sorted(
    set(Platform) & {path.stem for path in INTEGRATION.glob("*.py")}
)

TIERS: Final = {
    "Bronze": """
        action-setup appropriate-polling brands common-modules config-flow-test-coverage
        config-flow dependency-transparency docs-actions docs-conditions
        docs-high-level-description docs-installation-instructions
        docs-removal-instructions docs-triggers entity-event-setup entity-unique-id
        has-entity-name runtime-data test-before-configure test-before-setup
        unique-config-entry
    """,
    "Silver": """
        action-exceptions config-entry-unloading docs-configuration-parameters
        docs-installation-parameters entity-unavailable integration-owner
        log-when-unavailable parallel-updates reauthentication-flow test-coverage
    """,
    "Gold": """
        devices diagnostics discovery-update-info discovery docs-data-update
        docs-examples docs-known-limitations docs-supported-devices
        docs-supported-functions docs-troubleshooting docs-use-cases dynamic-devices
        entity-category entity-device-class entity-disabled-by-default
        entity-translations exception-translations icon-translations
        reconfiguration-flow repair-issues stale-devices
    """,
    "Platinum": "async-dependency inject-websession strict-typing",
}
ANSWER: Final = vol.Schema(
    vol.Any(
        "done",
        {
            vol.Required("status"): vol.In(["done", "exempt"]),
            vol.Required("comment"): vol.Match(r".+\.$"),
        },
    )
)

# The chapter of the README that answers a rule, and what it has to speak of.
DOCS: Final = {
    "docs-actions": (
        "Actions",
        [
            *SERVICES,
            *(f"`{name}`" for words in ACTIONS.values() for name in words["fields"]),
        ],
    ),
    "docs-data-update": (
        "The device page",
        ["### How it keeps up to date", "Nothing is polled"],
    ),
    "docs-examples": (
        "Automations",
        ["### Blueprints", "triggers:", "conditions:", "actions:"],
    ),
    "docs-high-level-description": (
        "Smartcar Charging for Home Assistant",
        ["[Smartcar](https://smartcar.com), a"],
    ),
    "docs-installation-instructions": (
        "Install",
        ["### With HACS", "### By hand", "3. Restart Home Assistant."],
    ),
    "docs-installation-parameters": (
        "Find your credentials",
        [
            label
            for step in ("api_credentials", "access_token")
            for label in SET_UP[step]["data"].values()
        ],
    ),
    "docs-known-limitations": ("Known limits", ["**Quota.**", "**Slow cars.**"]),
    "docs-removal-instructions": (
        "Remove",
        ["**Settings > Devices & services", "HACS"],
    ),
    "docs-supported-devices": ("Before you start", ["**Tesla**", "**Volvo**"]),
    "docs-supported-functions": (
        "The device page",
        [
            f"{domain}.…_{key}"
            for domain, entities in ENGLISH["entity"].items()
            for key in entities
        ],
    ),
    "docs-troubleshooting": (
        "Troubleshooting",
        ["### When you call an action", "### When you set up", "What to do"],
    ),
    "docs-use-cases": (
        "What it is good for",
        ["blueprint", "weekend", "It is not made"],
    ),
}

# What Home Assistant shows to a person when it is raised.
ERRORS: Final = (
    "ConfigEntryAuthFailed",
    "ConfigEntryError",
    "ConfigEntryNotReady",
    "HomeAssistantError",
    "ServiceValidationError",
)
EACH_CAR: Final = pytest.mark.parametrize("cars", [[TESLA, VOLVO]])


@pytest.fixture
async def offline_entry(hass: HomeAssistant, simulator: Simulator) -> MockConfigEntry:
    """Set up an account while Smartcar can not be reached."""
    await simulator.stop()
    entry = make_entry(TESLA)
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return entry


def entities(hass: HomeAssistant) -> list[Entity]:
    """Return all of our entities."""
    found = [
        entity
        for platform in async_get_platforms(hass, DOMAIN)
        for entity in platform.entities.values()
    ]
    assert found
    return found


def registered(hass: HomeAssistant, entry: MockConfigEntry) -> list[er.RegistryEntry]:
    """Return all of our entities as Home Assistant has them on record."""
    return er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)


def devices(hass: HomeAssistant, entry: MockConfigEntry) -> list[dr.DeviceEntry]:
    """Return the devices of an account."""
    return dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)


def calls(code: str) -> Iterator[ast.Call]:
    """Return the calls in a piece of code."""
    return (node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call))


def test_every_rule_is_answered_in_order() -> None:
    """Tier by tier."""
    _, *pieces = re.split(r"^  # (\w+)\n", SCALE, flags=re.MULTILINE)
    tiers = zip(pieces[::2], pieces[1::2], strict=True)
    answered = {
        tier: re.findall("^  ([a-z-]+):", text, re.MULTILINE) for tier, text in tiers
    }
    assert answered == {tier: rules.split() for tier, rules in TIERS.items()}
    assert list(RULES) == " ".join(TIERS.values()).split()


def test_home_assistant_has_no_other_rules() -> None:
    """As its own integrations answer them."""
    (folder,) = components.__path__
    theirs = load_yaml_dict(f"{folder}/peblar/quality_scale.yaml")["rules"]
    assert set(theirs) <= set(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_every_answer_is_done_or_exempt_with_a_reason(rule: str) -> None:
    """Nothing is left to do."""
    ANSWER(RULES[rule])


def test_every_answer_is_checked() -> None:
    """By a test that is named after its rule, or by a chapter of the README."""
    tests = {
        name.removeprefix("test_").replace("_", "-")
        for name in globals()
        if name.startswith("test_")
    }
    assert set(RULES) <= tests | set(DOCS)


@pytest.mark.parametrize("rule", DOCS)
def test_docs(rule: str) -> None:
    """The README has a chapter that answers the rule."""
    title, words = DOCS[rule]
    _, *pieces = re.split(r"^##? (.+)\n", README, flags=re.MULTILINE)
    chapter = dict(zip(pieces[::2], pieces[1::2], strict=True))[title].lower()
    assert not [word for word in words if word.lower() not in chapter]


async def test_action_setup(hass: HomeAssistant) -> None:
    """The actions are there without an account."""
    assert await async_setup_component(hass, DOMAIN, {})
    assert set(hass.services.async_services_for_domain(DOMAIN)) == set(SERVICES)


async def test_appropriate_polling(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """There is none."""
    assert not any(entity.should_poll for entity in entities(hass))


def test_brands() -> None:
    """They are served from here; tests/test_manifest.py looks at them."""
    assert (INTEGRATION / "brand" / "icon.png").is_file()


async def test_common_modules(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """All entities have the base of entity.py, and a car of vehicle.py."""
    for entity in entities(hass):
        assert isinstance(entity, VehicleEntity)
        assert isinstance(entity.coordinator, SmartcarVehicle)


def test_config_flow_test_coverage() -> None:
    """Every step, error and end of the flows is named where they are tested."""
    tests = "".join(
        (REPOSITORY / "tests" / f"{name}.py").read_text()
        for name in ("flows", "test_config_flow", "test_vehicle_flow")
    )
    keys = {
        key
        for flow in FLOWS
        for part in ("step", "error", "abort")
        for key in flow[part]
    }
    assert not [key for key in keys if f'"{key}"' not in tests]


def test_config_flow() -> None:
    """It is set up in the user interface, where each field tells what is wanted."""
    assert MANIFEST["config_flow"]
    steps = [step for flow in FLOWS for step in flow["step"].values()]
    assert all(
        step.get("data", {}).keys() == step.get("data_description", {}).keys()
        for step in steps
    )


def test_dependency_transparency() -> None:
    """There are no dependencies."""
    assert "requirements" not in MANIFEST


def test_docs_conditions() -> None:
    """There are no conditions to tell of."""
    assert not [*INTEGRATION.glob("*condition*")]


def test_docs_triggers() -> None:
    """There are no triggers to tell of."""
    assert not [*INTEGRATION.glob("*trigger*")]


def test_entity_event_setup() -> None:
    """Entities subscribe when they are added, and at no other time.

    One of them helps with that.
    """
    functions = [
        node
        for name in ("entity", *PLATFORMS)
        for node in ast.walk(ast.parse(CODE[f"{name}.py"]))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    subscribes = re.compile(
        r"async_track_\w+\(|\.async_listen\(|\.async_add_verdict_listener\("
    )
    assert {
        node.name for node in functions if subscribes.search(ast.unparse(node))
    } == {"async_added_to_hass", "_async_follow_zones"}


@EACH_CAR
async def test_entity_unique_id(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Every entity of each car has one.

    Home Assistant would leave out a second entity with the same, and keep none without.
    """
    assert len(registered(hass, entry)) == 2 * sum(
        len(named) for named in ENGLISH["entity"].values()
    )


async def test_has_entity_name(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Of every entity."""
    assert all(entity.has_entity_name for entity in entities(hass))


async def test_runtime_data(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """In the entry; only what is not of one loading is elsewhere."""
    assert isinstance(entry.runtime_data, Account)
    assert DOMAIN not in hass.data


async def test_test_before_configure(hass: HomeAssistant, simulator: Simulator) -> None:
    """Credentials that Smartcar rejects make no entry."""
    dialog = await Dialog.new_account(hass, "api_credentials")
    await dialog.enter({"client_id": DEMO_CLIENT_ID, "client_secret": "wrong"})
    assert dialog.errors == {"client_secret": "invalid_auth"}
    assert not hass.config_entries.async_entries(DOMAIN)


async def test_test_before_setup(hass: HomeAssistant, simulator: Simulator) -> None:
    """It needs no success; a rejection starts reauthentication all the same."""
    simulator.applications[DEMO_CLIENT_ID] = "another secret"
    entry = make_entry(TESLA)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.state is ConfigEntryState.LOADED
    assert (await Dialog.reauth_in_progress(hass, entry)).step == "reauth_confirm"


async def test_unique_config_entry(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """The same application is not set up twice."""
    dialog = await Dialog.new_account(hass, "api_credentials")
    await dialog.enter(API_CREDENTIALS)
    assert dialog.abort_reason == "already_configured"


async def test_action_exceptions(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
) -> None:
    """One kind for what was meant wrongly, another for what went wrong."""
    with pytest.raises(ServiceValidationError):
        await set_schedule(hass, stop_time="23:30")
    simulator.script(Fault.error(409, "VEHICLE_STATE", "ASLEEP"))
    with pytest.raises(HomeAssistantError) as failed:
        await set_schedule(hass)
    assert failed.type is HomeAssistantError


async def test_config_entry_unloading(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """The account goes, and its entities with it."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert entry.state is ConfigEntryState.NOT_LOADED
    assert shown(hass, SENSOR).state == "unavailable"


async def test_docs_configuration_parameters(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """There are no options to tell of."""
    assert not SmartcarChargingConfigFlow.async_supports_options_flow(entry)


async def test_entity_unavailable(
    hass: HomeAssistant, offline_entry: MockConfigEntry
) -> None:
    """None is, without the cloud; all are, without what is on record of the car."""
    assert all(entity.available for entity in entities(hass))
    assert await hass.config_entries.async_unload(offline_entry.entry_id)
    path = file_of(hass, offline_entry)
    path.unlink(missing_ok=True)
    path.mkdir()
    assert await hass.config_entries.async_setup(offline_entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not any(entity.available for entity in entities(hass))


def test_integration_owner() -> None:
    """The manifest names who looks after it."""
    assert MANIFEST["codeowners"]


async def test_log_when_unavailable(
    hass: HomeAssistant,
    offline_entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """There is nothing to tell: no connection was lost."""
    records = [*caplog.get_records("setup"), *caplog.records]
    assert not [
        record
        for record in records
        if DOMAIN in record.name and record.levelname not in ("DEBUG", "INFO")
    ]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_parallel_updates(platform: str) -> None:
    """Each platform says how many."""
    module = importlib.import_module(f"custom_components.{DOMAIN}.{platform}")
    assert module.PARALLEL_UPDATES == 0


async def test_reauthentication_flow(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """It asks for new credentials."""
    entry.async_start_reauth(hass)
    assert (await Dialog.reauth_in_progress(hass, entry)).step == "reauth_confirm"


def test_test_coverage() -> None:
    """All branches of all files, or the test run fails."""
    coverage = PYPROJECT["tool"]["coverage"]
    assert coverage["run"] == {
        "branch": True,
        "source": [f"custom_components/{DOMAIN}"],
    }
    assert coverage["report"]["fail_under"] == 100
    assert not coverage["report"].keys() & {"exclude_also", "exclude_lines", "omit"}
    assert "no cover" not in "".join(CODE.values())


@EACH_CAR
async def test_devices(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """One for each car."""
    known = {(device.manufacturer, device.model) for device in devices(hass, entry)}
    assert known == {("Tesla", TESLA.model), ("Volvo", VOLVO.model)}


async def test_diagnostics(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Without secrets and ids."""
    told = str(await async_get_config_entry_diagnostics(hass, entry))
    private = (DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, TESLA.vehicle_id, TESLA.user_id)
    assert not [text for text in private if text in told]


def test_discovery() -> None:
    """Nothing to discover is named, and no step waits for it."""
    kinds = {"bluetooth", "dhcp", "homekit", "mqtt", "ssdp", "usb", "zeroconf"}
    assert not kinds & MANIFEST.keys()
    assert not [
        kind
        for kind in kinds
        if f"async_step_{kind}" in vars(SmartcarChargingConfigFlow)
    ]


test_discovery_update_info = test_discovery


async def test_dynamic_devices(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """A car that the user adds is there without a reload."""
    account = entry.runtime_data
    dialog = await Dialog.new_car(hass, entry)
    await dialog.choose_car(VOLVO)
    await hass.async_block_till_done()
    assert len(devices(hass, entry)) == 2
    assert entry.runtime_data is account


async def test_entity_category(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """None has one."""
    assert {entity.entity_category for entity in entities(hass)} == {None}


async def test_entity_device_class(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """The only sensor with a closed set of states says so; no other class fits."""
    classes = {
        entity.entity_id: entity.device_class
        for entity in entities(hass)
        if entity.device_class
    }
    assert classes == {SENSOR: "enum"}


async def test_entity_disabled_by_default(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """None is."""
    assert {entity.disabled_by for entity in registered(hass, entry)} == {None}


async def test_entity_translations(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Every name is a text."""
    assert all(
        str(entity.translation_key) in ENGLISH["entity"][entity.domain]
        for entity in registered(hass, entry)
    )


def test_exception_translations() -> None:
    """No error that Home Assistant shows is raised with words of its own."""
    shown_errors = [
        call
        for code in CODE.values()
        for call in calls(code)
        if ast.unparse(call.func) in ERRORS
    ]
    assert shown_errors
    assert not [
        ast.unparse(call)
        for call in shown_errors
        if call.args
        or {"translation_domain", "translation_key"}
        - {keyword.arg for keyword in call.keywords}
    ]


async def test_icon_translations(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Every icon is in icons.json, and none in the code."""
    assert all(
        str(entity.translation_key) in ICONS["entity"][entity.domain]
        for entity in registered(hass, entry)
    )
    assert {entity.original_icon for entity in registered(hass, entry)} == {None}


async def test_reconfiguration_flow(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Credentials can be exchanged at any time."""
    dialog = await Dialog.new_credentials(hass, entry, SOURCE_RECONFIGURE)
    assert dialog.step == "api_credentials"


def test_repair_issues() -> None:
    """Each tells what to do, or has a dialog that does it."""
    words = ENGLISH["issues"].values()
    assert all({"description", "fix_flow"} & text.keys() for text in words)
    assert inspect.iscoroutinefunction(repairs.async_create_fix_flow)


async def test_stale_devices(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """The device of a car that is removed goes with it."""
    assert hass.config_entries.async_remove_subentry(
        entry, next(iter(entry.subentries))
    )
    await hass.async_block_till_done()
    assert not devices(hass, entry)


def test_async_dependency() -> None:
    """The client waits for nothing but asyncio: it needs aiohttp and Python alone."""
    modules = [
        ast.parse(code) for name, code in CODE.items() if name.startswith("smartcar/")
    ]
    imports = [
        node
        for module in modules
        for node in ast.walk(module)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    absolute = [
        str(node.module)
        for node in imports
        if isinstance(node, ast.ImportFrom) and not node.level
    ]
    named = [
        alias.name
        for node in imports
        if isinstance(node, ast.Import)
        for alias in node.names
    ]
    assert {
        name.split(".")[0] for name in [*absolute, *named]
    } - sys.stdlib_module_names == {"aiohttp"}
    assert not {"http.client", "requests", "socket", "urllib.request"} & {
        *absolute,
        *named,
    }


def test_inject_websession() -> None:
    """The client is given Home Assistant's session, and makes none."""
    assert "session" in inspect.signature(SmartcarClient).parameters
    assert not [
        call
        for code in CODE.values()
        for call in calls(code)
        if "ClientSession" in ast.unparse(call.func)
    ]


def test_strict_typing() -> None:
    """All of it, the entry with its runtime data among it."""
    mypy = PYPROJECT["tool"]["mypy"]
    assert mypy["strict"]
    assert "custom_components" in mypy["files"]
    signature = (
        r"async def async_(?:setup|unload|remove)_entry\("
        r"\s*hass: HomeAssistant,\s+entry: (\w+)"
    )
    set_ups = re.findall(signature, "".join(CODE.values()))
    assert len(set_ups) == len(PLATFORMS) + 3
    assert set(set_ups) == {"SmartcarChargingConfigEntry"}
