"""services.yaml and icons.json, by the rules of hassfest."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from homeassistant.const import Platform
from homeassistant.helpers import config_validation as cv, selector
from homeassistant.util.yaml import load_yaml_dict
import pytest
import voluptuous as vol

from tests.files import ICONS, SERVICES, fields
from tests.texts import INTEGRATION

# Names and descriptions are texts: they are in the translations. A filter is for the
# fields of an entity's actions.
FIELD: Final = vol.Schema(
    {
        vol.Optional("required"): True,
        vol.Optional("default"): vol.NotIn([None]),
        vol.Required("example"): vol.NotIn([None]),
        vol.Required("selector"): selector.validate_selector,
    }
)
SECTION: Final = vol.Schema(
    {vol.Optional("collapsed"): bool, vol.Required("fields"): {cv.slug: FIELD}}
)
SERVICES_SCHEMA: Final = vol.Schema(
    {cv.slug: {vol.Required("fields"): {cv.slug: vol.Any(SECTION, FIELD)}}}
)

ICON: Final = vol.All(str, vol.Match("mdi:[a-z0-9]+(-[a-z0-9]+)*$"))
STATE_ICONS: Final = {
    vol.Required("default"): ICON,
    vol.Required("state"): {cv.slug: ICON},
}
ICONS_SCHEMA: Final = vol.Schema(
    {
        vol.Required("entity"): {
            vol.In(list(Platform)): {
                cv.slug: {
                    vol.Required("default"): ICON,
                    vol.Optional("state"): {cv.slug: ICON},
                    vol.Optional("state_attributes"): {cv.slug: STATE_ICONS},
                }
            }
        },
        vol.Required("services"): {
            cv.slug: {
                vol.Required("service"): ICON,
                vol.Optional("sections"): {cv.slug: ICON},
            }
        },
    }
)


def icons_of_states(icons: Mapping[str, Any]) -> Iterator[tuple[str, set[str]]]:
    """Return each default icon, with those of the states beside it."""
    if "default" in icons:
        yield icons["default"], set(icons.get("state", {}).values())
    for below in icons.values():
        if isinstance(below, Mapping):
            yield from icons_of_states(below)


def test_services_have_the_shape_that_home_assistant_wants(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Each field has an example and a known selector, and no key is there twice."""
    SERVICES_SCHEMA(SERVICES)
    load_yaml_dict(INTEGRATION / "services.yaml")
    assert not caplog.records


@pytest.mark.parametrize("action", SERVICES)
def test_a_field_is_in_one_section_only(action: str) -> None:
    """Otherwise the form would ask for it twice."""
    assert set(Counter(name for name, _ in fields(SERVICES[action])).values()) == {1}


def test_icons_have_the_shape_that_home_assistant_wants() -> None:
    """Names of Material Design Icons, and nothing else."""
    ICONS_SCHEMA(ICONS)


def test_no_state_has_its_default_icon() -> None:
    """It need not be said twice."""
    assert not [
        default for default, states in icons_of_states(ICONS) if default in states
    ]
