"""The tested Home Assistant is the one that was meant and that users are told of."""

import ast
import json
import re
from typing import Final

from homeassistant.util.yaml import load_yaml_dict
import pytest
import voluptuous as vol

from tests import conftest
from tests.blueprints import FOLDER
from tests.files import README, REPOSITORY
from tests.versions import version_of

_STUB: Final = REPOSITORY / "script/stubs/voluptuous/__init__.pyi"


def month(version: str) -> str:
    """Return a version without what changes within a month."""
    return ".".join(version.split(".")[:2])


def test_floor_is_what_hacs_and_the_blueprints_ask_for() -> None:
    """Neither installs on anything older than what is tested."""
    blueprints = (load_yaml_dict(path)["blueprint"] for path in FOLDER.iterdir())
    asked = [blueprint["homeassistant"]["min_version"] for blueprint in blueprints]
    asked.append(json.loads((REPOSITORY / "hacs.json").read_text())["homeassistant"])
    assert {month(version) for version in asked} == {month(version_of("floor"))}


def test_readme_names_what_is_tested() -> None:
    """Whoever reads it is told the versions that are pinned."""
    line = re.compile(
        r"^\*\*Home Assistant\*\* (\S+) or newer\. .* (\S+) and (\S+), .* (\S+)\.$",
        re.MULTILINE,
    )
    (said,) = line.findall(README)
    pinned = [version_of(name) for name in ("floor", "newest", "next")]
    assert list(said) == [month(pinned[0]), *pinned]


@pytest.mark.parametrize("meant", ["newest", "floor"])
def test_a_run_on_another_home_assistant_ends(
    pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch, meant: str
) -> None:
    """It says which one was meant, and which one it got."""
    monkeypatch.setattr(pytestconfig.option, "ha", meant)
    monkeypatch.setattr(conftest, "__version__", version_of(meant))
    conftest.pytest_configure(pytestconfig)
    monkeypatch.setattr(conftest, "__version__", "2025.12.0")
    with pytest.raises(
        pytest.UsageError,
        match=rf"{re.escape(version_of(meant))}, not 2025\.12\.0",
    ):
        conftest.pytest_configure(pytestconfig)


def test_voluptuous_is_what_the_type_checker_is_told() -> None:
    """The stub names nothing that is missing, also where these are probatio's."""
    (imported,) = (
        node
        for node in ast.parse(_STUB.read_text()).body
        if isinstance(node, ast.ImportFrom)
    )
    assert [name.name for name in imported.names if not hasattr(vol, name.name)] == []
