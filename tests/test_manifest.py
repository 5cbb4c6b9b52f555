"""What Home Assistant and HACS read before any of our code runs.

The rules are those of hassfest, and of HACS's own check.
"""

import ast
from collections.abc import Iterator
import json
from pathlib import Path
from typing import Any, Final

from awesomeversion import AwesomeVersion, AwesomeVersionStrategy
from homeassistant.bootstrap import CORE_INTEGRATIONS
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.loader import async_get_integration
from PIL import Image
import pytest
import voluptuous as vol

from custom_components.smartcar_charging.const import DOMAIN
from tests.files import MANIFEST, README, REPOSITORY
from tests.texts import INTEGRATION

JSON_FILES: Final = [REPOSITORY / "hacs.json", *sorted(INTEGRATION.rglob("*.json"))]
HACS: Final[dict[str, Any]] = json.loads((REPOSITORY / "hacs.json").read_text())


# The kinds of versions that hassfest takes.
VERSIONS: Final = [
    AwesomeVersionStrategy.BUILDVER,
    AwesomeVersionStrategy.CALVER,
    AwesomeVersionStrategy.PEP440,
    AwesomeVersionStrategy.SEMVER,
    AwesomeVersionStrategy.SIMPLEVER,
]


def version(value: str) -> str:
    """Validate a version."""
    return str(AwesomeVersion(value, ensure_strategy=VERSIONS))


HTTPS_URL: Final = vol.All(str, vol.Url(), vol.Match("https://"))

# A key that is not here is refused: requirements, for there are none, and a grade,
# which nobody gives us.
MANIFEST_SCHEMA: Final = vol.Schema(
    {
        vol.Required("domain"): DOMAIN,
        vol.Required("name"): "Smartcar Charging",
        vol.Required("codeowners"): vol.All(
            [vol.Match("@[A-Za-z0-9-]+$")], vol.Length(min=1)
        ),
        vol.Required("config_flow"): True,
        vol.Required("dependencies"): [cv.slug],
        vol.Required("documentation"): HTTPS_URL,
        vol.Required("integration_type"): "hub",
        vol.Required("iot_class"): "cloud_push",
        vol.Required("issue_tracker"): HTTPS_URL,
        vol.Required("version"): vol.All(str, version),
    }
)
HACS_SCHEMA: Final = vol.Schema(
    {
        vol.Required("name"): MANIFEST["name"],
        vol.Required("homeassistant"): vol.All(str, version),
    }
)


def imported_integrations(tree: ast.AST) -> Iterator[str]:
    """Return the integrations of Home Assistant that a module needs when it runs."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if (
            isinstance(node, ast.ImportFrom)
            and node.module == "homeassistant.components"
        ):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
            "homeassistant.components."
        ):
            yield str(node.module).split(".")[2]
        yield from imported_integrations(node)


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object, if no key of it would hide another."""
    assert len(dict(pairs)) == len(pairs), [key for key, _ in pairs]
    return dict(pairs)


@pytest.mark.parametrize("path", JSON_FILES, ids=lambda path: path.name)
def test_no_key_hides_another(path: Path) -> None:
    """JSON allows a key twice, and readers take the last one."""
    json.loads(path.read_text(), object_pairs_hook=unique_keys)


def test_manifest_has_what_it_may_have() -> None:
    """The right keys and values; domain and name first, the rest by alphabet."""
    MANIFEST_SCHEMA(MANIFEST)
    assert INTEGRATION.name == DOMAIN
    assert list(MANIFEST) == [
        "domain",
        "name",
        *sorted(set(MANIFEST) - {"domain", "name"}),
    ]


async def test_home_assistant_gives_the_grade_of_all_custom_integrations(
    hass: HomeAssistant,
) -> None:
    """Whatever the manifest might say: so it says nothing."""
    integration = await async_get_integration(hass, DOMAIN)
    assert integration.quality_scale == "custom"
    assert integration.version == MANIFEST["version"]


def test_dependencies_are_the_integrations_that_the_code_needs() -> None:
    """Platforms are left out, and what every Home Assistant loads.

    So are the integrations that we offer something to.
    """
    modules = list(INTEGRATION.rglob("*.py"))
    needed = {
        name
        for path in modules
        for name in imported_integrations(ast.parse(path.read_text()))
    }
    offered = {path.stem for path in INTEGRATION.glob("*.py")}
    assert needed - set(Platform) - offered - CORE_INTEGRATIONS == set(
        MANIFEST["dependencies"]
    )


def test_hacs_finds_what_it_looks_for() -> None:
    """One integration, its description, and the oldest Home Assistant it runs on."""
    HACS_SCHEMA(HACS)
    folders = [
        path
        for path in INTEGRATION.parent.iterdir()
        if path.is_dir() and path.name != "__pycache__"
    ]
    assert folders == [INTEGRATION]
    year, month, _patch = HACS["homeassistant"].split(".")
    assert f"**Home Assistant** {year}.{month} or newer." in README


@pytest.mark.parametrize(("name", "size"), [("icon.png", 256), ("icon@2x.png", 512)])
def test_brand_images_are_as_home_assistant_wants_them(name: str, size: int) -> None:
    """Square PNGs on a transparent ground, with hardly an empty margin."""
    with Image.open(INTEGRATION / "brand" / name) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGBA", (size, size))
        assert image.getchannel("A").getextrema() == (0, 255)
        left, top, right, bottom = image.getbbox() or (0, 0, 0, 0)
        assert max(right - left, bottom - top) > 0.99 * size


def test_there_are_no_other_brand_images() -> None:
    """Home Assistant serves only names that it knows, and takes an icon for a logo."""
    assert sorted(path.name for path in (INTEGRATION / "brand").iterdir()) == [
        "icon.png",
        "icon@2x.png",
    ]
