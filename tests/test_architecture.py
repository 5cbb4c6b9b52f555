"""The code is built as docs/architecture.md says, in its table and in its picture."""

import ast
from collections import Counter
from graphlib import TopologicalSorter
from importlib.util import resolve_name
from itertools import chain, pairwise, product
import re
import sys
from typing import Final

from homeassistant.const import Platform
import pytest

from tests.texts import INTEGRATION

PAGE: Final = (INTEGRATION.parent.parent / "docs" / "architecture.md").read_text()
PACKAGE: Final = f"{INTEGRATION.parent.name}.{INTEGRATION.name}"

# By their names below the package's own: "account", "smartcar", "smartcar.client".
MODULES: Final = {
    ".".join(path.relative_to(INTEGRATION).with_suffix("").parts).removesuffix(
        ".__init__"
    ): path
    for path in sorted(INTEGRATION.rglob("*.py"))
}
PLATFORMS: Final = sorted(MODULES.keys() & set(Platform))
CLIENT: Final = sorted(name for name in MODULES if name.partition(".")[0] == "smartcar")
THE_REST: Final = sorted(MODULES.keys() - set(CLIENT))
# What decides, and what is remembered: values and functions of them.
PURE: Final = ("models", "readings", "stored_state", "windows")


@pytest.fixture(autouse=True)
def custom_integrations() -> None:
    """Start no Home Assistant: all of this is read."""


def imported(module: str) -> set[str]:
    """Return the full names that a module imports, anywhere and for whatever."""
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
    """Return the node of every module, and where each node's arrows lead to.

    A node has the name of its module, unless its first mention says in brackets of
    which modules it is.
    """
    nodes: dict[str, str] = {}
    arrows: dict[str, set[str]] = {}
    package = ""
    picture = PAGE.partition("```mermaid\nflowchart TD\n")[2].partition("```")[0]
    for line in picture.splitlines():
        if inside := re.search(r'subgraph \w+\["(\w+/)"\]', line):
            package = inside[1].replace("/", ".")
        elif "-->" in line:
            places = [
                re.findall(r"(\w+)(?:\[([\w, ]+)\])?", place)
                for place in line.split("-->")
            ]
            for node, label in chain(*places):
                is_mentioned = node in arrows
                arrows.setdefault(node, set())
                if is_mentioned and not label:
                    continue
                for module in (label or node).split(", "):
                    name = f"{package}{module}".removesuffix(".__init__")
                    nodes.setdefault(name, node)
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
    """The client could be published as it is: it knows nothing of Home Assistant."""
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
def test_platforms_import_nothing_of_the_client(platform: str) -> None:
    """What a person sees and touches is the car's business, and not Smartcar's."""
    assert "smartcar" not in used(platform)


@pytest.mark.parametrize("module", PURE)
def test_what_decides_is_plain_values(module: str) -> None:
    """It has no event loop, no disk and no clock: it is told what the time is."""
    tree = ast.parse(MODULES[module].read_text())
    read = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not read & {"now", "utcnow", "today"}
    others = {name for name in imported(module) if not name.startswith(f"{PACKAGE}.")}
    others -= {"homeassistant.util.location.distance", "voluptuous"}
    assert {name.partition(".")[0] for name in others} <= {
        "collections",
        "dataclasses",
        "datetime",
        "enum",
        "typing",
    }


def test_limits_are_those_of_the_code() -> None:
    """Each is a constant of this name in this file, with this value."""
    cell = r"`([^`|]+)`"
    rows = re.findall(rf"^\| {cell} \| {cell} \| {cell} \|", PAGE, re.MULTILINE)
    assert rows
    code = {file: (INTEGRATION / file).read_text() for _, file, _ in rows}
    assert not [
        name
        for name, file, value in rows
        if f"\n{name}: Final = {value}\n" not in code[file]
    ]
