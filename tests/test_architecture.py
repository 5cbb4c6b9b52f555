"""The code is built as docs/architecture.md says, in its table and in its picture."""

import ast
from collections import Counter
from graphlib import TopologicalSorter
from importlib.util import resolve_name
from itertools import chain, pairwise, product
from pathlib import Path
import re
import sys
from typing import Final

from homeassistant.const import Platform
import pytest

from custom_components.smartcar_charging import smartcar
from tests.texts import INTEGRATION

PAGE: Final = (INTEGRATION.parent.parent / "docs" / "architecture.md").read_text()
PACKAGE: Final = f"{INTEGRATION.parent.name}.{INTEGRATION.name}"

# By the name under which Python imports them, without the package's own: "account", "smartcar", "smartcar.client".
MODULES: Final = {
    ".".join(path.relative_to(INTEGRATION).with_suffix("").parts).removesuffix(
        ".__init__"
    ): path
    for path in sorted(INTEGRATION.rglob("*.py"))
}
PLATFORMS: Final = sorted(MODULES.keys() & set(Platform))
CLIENT: Final = sorted(name for name in MODULES if name.partition(".")[0] == "smartcar")
THE_REST: Final = sorted(MODULES.keys() - set(CLIENT))


@pytest.fixture(autouse=True)
def custom_integrations() -> None:
    """Start no Home Assistant: all of this is read."""


def imported(module: str) -> set[str]:
    """Return the full names that a module imports, also within functions and for type checking only."""
    path = MODULES[module]
    package = ".".join((PACKAGE, *path.relative_to(INTEGRATION).parent.parts))
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            names |= {f"{base}.{alias.name}" for alias in node.names}
    return names


def used(module: str) -> set[str]:
    """Return the modules of ours that a module imports, or imports something from."""
    ours = {
        name.removeprefix(f"{PACKAGE}.")
        for name in imported(module)
        if name.startswith(f"{PACKAGE}.")
    }
    return {name if name in MODULES else name.rpartition(".")[0] for name in ours}


def read_picture() -> tuple[dict[str, str], dict[str, set[str]]]:
    """Return the node of every module, and the nodes that each node's arrows lead to."""
    nodes: dict[str, str] = {}
    arrows: dict[str, set[str]] = {}
    package = ""
    for line in (
        PAGE.partition("```mermaid\nflowchart TD\n")[2].partition("```")[0].splitlines()
    ):
        if inside := re.search(r'subgraph \w+\["(\w+/)"\]', line):
            package = inside[1].replace("/", ".")
        elif "-->" in line:
            places = [
                re.findall(r"(\w+)(?:\[([\w, ]+)\])?", place)
                for place in line.split("-->")
            ]
            for node, label in chain(*places):
                arrows.setdefault(node, set())
                for module in (label or node).split(", "):
                    nodes.setdefault(
                        f"{package}{module}".removesuffix(".__init__"), node
                    )
            for uppers, lowers in pairwise(places):
                for (upper, _), (lower, _) in product(uppers, lowers):
                    arrows[upper].add(lower)
    return nodes, arrows


NODES, ARROWS = read_picture()


def below(node: str) -> set[str]:
    """Return a node and all that its arrows lead to, directly or by way of others."""
    return {node}.union(*(below(lower) for lower in ARROWS[node]))


def test_every_module_has_one_row_in_the_table() -> None:
    """And no row is for a module that is not there."""
    cells = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    files = Counter(
        file for cell in cells for file in re.findall(r"`([\w/]+\.py)`", cell)
    )
    assert files == Counter(
        path.relative_to(INTEGRATION).as_posix() for path in MODULES.values()
    )


def test_every_module_is_in_the_picture() -> None:
    """And nothing else is."""
    assert sorted(NODES) == sorted(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_imports_follow_the_arrows(module: str) -> None:
    """A module imports only what the picture has below it, or beside it in one box."""
    assert {NODES[name] for name in used(module)} <= below(NODES[module])


@pytest.mark.parametrize(
    ("upper", "lower"),
    [(upper, lower) for upper in ARROWS for lower in sorted(ARROWS[upper])],
)
def test_every_arrow_is_an_import(upper: str, lower: str) -> None:
    """The picture promises nothing that the code does not do."""
    assert lower in {
        NODES[name]
        for module, node in NODES.items()
        if node == upper
        for name in used(module)
    }


def test_imports_run_one_way() -> None:
    """No module leads back to itself, within a box of the picture neither."""
    TopologicalSorter({module: used(module) for module in MODULES}).prepare()


@pytest.mark.parametrize(
    ("module", "libraries"),
    [
        *((module, {"aiohttp"}) for module in CLIENT),
        *((module, {"aiohttp", "homeassistant", "voluptuous"}) for module in THE_REST),
    ],
)
def test_nothing_else_is_needed(module: str, libraries: set[str]) -> None:
    """The client could be published as it is: it knows no Home Assistant, and nothing of the integration."""
    others = {name for name in imported(module) if not name.startswith(f"{PACKAGE}.")}
    assert {name.partition(".")[0] for name in others} <= {
        *sys.stdlib_module_names,
        *libraries,
    }


@pytest.mark.parametrize("module", CLIENT)
def test_the_client_knows_nothing_above_it(module: str) -> None:
    """Its modules import only each other."""
    assert used(module) <= set(CLIENT)


@pytest.mark.parametrize("module", THE_REST)
def test_the_client_is_imported_as_a_whole(module: str) -> None:
    """Which file of it has what is its own affair."""
    assert not used(module) & (set(CLIENT) - {"smartcar"})


@pytest.mark.parametrize("platform", PLATFORMS)
def test_platforms_import_no_client(platform: str) -> None:
    """They may build a value, such as a schedule; sending it is the vehicle's business."""
    prefix = f"{PACKAGE}.smartcar."
    values = {
        name.removeprefix(prefix)
        for name in imported(platform)
        if name.startswith(prefix)
    }
    assert {getattr(smartcar, name).__module__ for name in values} <= {
        f"{prefix}models"
    }


@pytest.mark.parametrize("path", MODULES.values(), ids=MODULES)
def test_no_module_is_long(path: Path) -> None:
    """A file answers one question, and 300 lines are enough for any."""
    assert len(path.read_text().splitlines()) <= 300
