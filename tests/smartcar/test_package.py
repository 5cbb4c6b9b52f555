"""The package stands by itself: it could be published unchanged."""

import ast
from pathlib import Path
import sys

import pytest

from custom_components.smartcar_charging import smartcar

MODULES = sorted(Path(smartcar.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_nothing_of_home_assistant_is_imported(module: Path) -> None:
    """The client needs aiohttp, the standard library and itself, and nothing above it."""
    nodes = list(ast.walk(ast.parse(module.read_text())))
    imports = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    names = [*imports, *(node.module or "" for node in froms if node.level == 0)]

    assert {name.partition(".")[0] for name in names} <= {*sys.stdlib_module_names, "aiohttp"}
    assert {node.level for node in froms} <= {0, 1}


def test_public_names_exist() -> None:
    """What the package offers is there, in order."""
    assert smartcar.__all__ == sorted(smartcar.__all__)
    assert all(hasattr(smartcar, name) for name in smartcar.__all__)
