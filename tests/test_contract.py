"""Code, services.yaml, icons and translations, held against each other both ways."""

import ast
from collections.abc import Mapping
import re
import string
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.service import async_get_all_descriptions
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.smartcar_charging import errors, issues, repairs, services
from custom_components.smartcar_charging.config_flow import (
    SmartcarChargingConfigFlow,
    VehicleSubentryFlow,
)
from custom_components.smartcar_charging.const import DOMAIN
from custom_components.smartcar_charging.models import Action, Verdict
from tests.actions import CHARGE_SCHEDULE, EVENT, SENSOR, set_schedule, shown
from tests.files import ICONS, README, SERVICES, fields
from tests.texts import ENGLISH, INTEGRATION

SCHEMAS: Final = {
    services.SERVICE_SET_DAILY_CHARGE_SCHEDULE: (
        services.SET_DAILY_CHARGE_SCHEDULE_SCHEMA
    ),
    services.SERVICE_DELETE_CHARGE_SCHEDULE: services.DELETE_CHARGE_SCHEDULE_SCHEMA,
    services.SERVICE_GET_CHARGE_SCHEDULES: services.GET_CHARGE_SCHEDULES_SCHEMA,
}
NAMED_BY_HOME_ASSISTANT: Final = {
    "device_class",
    "event_types",
    "friendly_name",
    "options",
}
# Home Assistant's own flow helpers end with these.
HELPERS_REASONS: Final = {
    "already_configured",
    "reauth_successful",
    "reconfigure_successful",
}
EACH_FLOW: Final = pytest.mark.parametrize(
    ("flow", "section"),
    [
        (SmartcarChargingConfigFlow, ENGLISH["config"]),
        (VehicleSubentryFlow, ENGLISH["config_subentries"]["vehicle"]),
        (
            repairs.UnsettledSchedulesFlow,
            ENGLISH["issues"][issues.UNSETTLED_SCHEDULES]["fix_flow"],
        ),
        (
            repairs.RecordDamagedFlow,
            ENGLISH["issues"][issues.RECORD_DAMAGED]["fix_flow"],
        ),
    ],
)


def constants() -> set[str]:
    """Return every text that stands in the code."""
    return {
        node.value
        for path in INTEGRATION.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def sections(action: Mapping[str, Any]) -> set[str]:
    """Return the sections of an action."""
    return {name for name, field in action["fields"].items() if "fields" in field}


async def test_the_same_actions_everywhere(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Registered, described, named, and with an icon."""
    registered = set(hass.services.async_services_for_domain(DOMAIN))
    assert (
        registered
        == set(SCHEMAS)
        == set(SERVICES)
        == set(ENGLISH["services"])
        == set(ICONS["services"])
    )


@pytest.mark.parametrize("action", SCHEMAS)
def test_the_same_fields_everywhere(action: str) -> None:
    """The schema takes what the form offers, and every field has its words."""
    schema = SCHEMAS[action].schema
    described = dict(fields(SERVICES[action]))
    assert (
        {str(key) for key in schema}
        == set(described)
        == set(ENGLISH["services"][action]["fields"])
    )
    required = {str(key) for key in schema if isinstance(key, vol.Required)}
    assert required == {
        name for name, field in described.items() if field.get("required")
    }
    assert sections(SERVICES[action]) == set(
        ENGLISH["services"][action].get("sections", ())
    )
    assert sections(SERVICES[action]) == set(
        ICONS["services"][action].get("sections", ())
    )


async def test_home_assistant_reads_our_descriptions(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """The response is optional, and the fields arrive in the frontend."""
    descriptions = (await async_get_all_descriptions(hass))[DOMAIN]
    assert set(descriptions) == set(SCHEMAS)
    optional = {
        name: description["response"]["optional"]
        for name, description in descriptions.items()
    }
    assert optional == {
        "delete_charge_schedule": True,
        "get_charge_schedules": False,
        "set_daily_charge_schedule": True,
    }


def test_every_error_is_used() -> None:
    """Every test watches that a used one exists, and the gaps in its words."""
    assert set(ENGLISH["exceptions"]) <= constants()


def test_every_trouble_has_its_words() -> None:
    """Whatever Smartcar refuses, and whatever is not confirmed of any command."""
    assert set(errors.UNCONFIRMED) == set(Action)
    troubles = {*errors.REFUSALS.values(), *errors.UNCONFIRMED.values()}
    troubles |= {errors.NOT_SENT, errors.REFUSED}
    assert {trouble.key for trouble in troubles} <= set(ENGLISH["exceptions"])


@EACH_FLOW
def test_every_word_of_the_flows_is_used(
    flow: type, section: Mapping[str, Any]
) -> None:
    """That every used one exists is watched in every test."""
    assert set(section.get("error", ())) <= constants()
    assert set(section.get("progress", ())) <= constants()
    assert set(section["abort"]) <= constants() | HELPERS_REASONS


@EACH_FLOW
def test_every_step_has_words_and_every_word_a_step(
    flow: type, section: Mapping[str, Any]
) -> None:
    """`search` only looks, and `reauth` only leads on."""
    steps = {
        name.removeprefix("async_step_")
        for cls in flow.__mro__
        if DOMAIN in cls.__module__
        for name in vars(cls)
    }
    assert set(section["step"]) <= steps
    targets = {
        target
        for step in section["step"].values()
        for target in step.get("menu_options", ())
    }
    assert targets <= steps


async def test_the_same_entities_everywhere(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Every entity has a name, an icon, and words for its states."""
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    keys = {(entity.domain, entity.translation_key) for entity in entities}
    assert keys == {
        (domain, key) for domain, named in ENGLISH["entity"].items() for key in named
    }
    assert keys == {
        (domain, key) for domain, icons in ICONS["entity"].items() for key in icons
    }


def test_every_issue_is_used() -> None:
    """Those of refusals have the same key as the error that the caller hears."""
    lasting = {trouble.key for trouble in errors.REFUSALS.values() if trouble.lasts}
    assert set(ENGLISH["issues"]) == {
        issues.OLD_SCHEDULE,
        issues.RECORD_DAMAGED,
        issues.UNSETTLED_SCHEDULES,
        "left_on_car",
        *lasting,
    }


def test_every_verdict_has_its_words_and_icon() -> None:
    """And there are no others; what is under way has not happened, and is no event."""
    words, icons = ENGLISH["entity"], ICONS["entity"]
    verdicts = {verdict.value for verdict in Verdict}
    assert verdicts == set(words["sensor"]["last_execution"]["state"])
    assert verdicts == set(icons["sensor"]["last_execution"]["state"])
    event = words["event"]["charge_schedule_execution"]["state_attributes"]
    types = event["event_type"]["state"]
    assert verdicts - {Verdict.IN_PROGRESS} == set(types)
    assert types.items() <= words["sensor"]["last_execution"]["state"].items()
    event = icons["event"]["charge_schedule_execution"]["state_attributes"]
    assert set(types) == set(event["event_type"]["state"])


@pytest.mark.parametrize(
    ("domain", "key"),
    [("sensor", "last_execution"), ("event", "charge_schedule_execution")],
)
def test_every_action_has_its_words(domain: str, key: str) -> None:
    """As a value of an attribute."""
    words = ENGLISH["entity"][domain][key]["state_attributes"]["action"]["state"]
    assert {action.value for action in Action} == set(words)


def test_no_schedule_has_its_word_and_icon() -> None:
    """The other states are windows."""
    words = ENGLISH["entity"]["sensor"]["charge_schedule"]["state"]
    assert (
        {"none"}
        == set(words)
        == set(ICONS["entity"]["sensor"]["charge_schedule"]["state"])
    )
    assert "none" in constants()


@pytest.mark.parametrize("entity_id", [SENSOR, CHARGE_SCHEDULE, EVENT])
async def test_every_attribute_has_its_name(
    hass: HomeAssistant, entry: MockConfigEntry, entity_id: str
) -> None:
    """Those that Home Assistant adds have theirs from it."""
    await set_schedule(hass)
    registered = er.async_get(hass).async_get(entity_id)
    assert registered is not None
    words = ENGLISH["entity"][registered.domain][registered.translation_key]
    named = set(words["state_attributes"])
    assert set(shown(hass, entity_id).attributes) - NAMED_BY_HOME_ASSISTANT == named


def test_every_common_text_is_used() -> None:
    """The calendar's, which are texts of the backend."""
    used = {
        text.rpartition(".common.")[2] for text in constants() if ".common." in text
    }
    assert set(ENGLISH["common"]) == used


def test_every_hint_is_used() -> None:
    """The hints beside a car are texts of the backend."""
    assert set(ENGLISH["selector"]["vehicle_hint"]["options"]) <= constants()
    assert set(ENGLISH["selector"]["vehicle"]["options"]) <= constants()


@pytest.mark.parametrize("key", ENGLISH["exceptions"])
def test_every_error_is_explained_in_the_readme(key: str) -> None:
    """By its own words, so that who searches for what they saw finds it."""
    message = ENGLISH["exceptions"][key]["message"]
    first_words = next(
        text
        for text, *_ in string.Formatter().parse(message)
        if len(text) > len(" is ")
    )
    assert re.split(r"[.,(:]", first_words)[0].strip()[:20] in README


def test_the_product_can_not_be_pointed_elsewhere() -> None:
    """The two hosts are constants, and nothing in the environment is read."""
    code = "".join(path.read_text() for path in INTEGRATION.rglob("*.py"))
    assert {text for text in constants() if re.match("https?:", text)} == {
        "https://dashboard.smartcar.com",
        "https://iam.smartcar.com/oauth2/token",
        "https://vehicle.api.smartcar.com/v3",
    }
    assert "environ" not in code
    assert "getenv" not in code
