"""What is around the code.

Links lead somewhere, forms can be filled in, and the address can be changed.
"""

from collections.abc import Iterator
import json
import os
from pathlib import Path
import re
import shutil
import subprocess
import sys
import tomllib
from typing import Any, Final
from urllib.parse import unquote

from homeassistant.util.yaml import load_yaml_dict
import pytest

from tests.files import MANIFEST, README, SERVICES, fields
from tests.texts import INTEGRATION

ROOT: Final = INTEGRATION.parent.parent
PAGES: Final = sorted(
    (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob(".github/*.md"))
)
TEMPLATES: Final = ROOT / ".github" / "ISSUE_TEMPLATE"
FORMS: Final[dict[str, dict[str, Any]]] = {
    path.stem: load_yaml_dict(path)
    for path in sorted(TEMPLATES.glob("*.yml"))
    if path.stem != "config"
}
ADDRESS: Final = str(MANIFEST["documentation"]).removeprefix("https://github.com/")
PROMISED: Final = ("token", "secret", "ID of a car or a user", "coordinate")
# In two parts: together they would be an address here too.
NEW_ADDRESS: Final = "/".join(("NEW-OWNER", "NEW-NAME"))  # noqa: FLY002
# Environments, caches and the like begin with a dot too.
HIDDEN: Final = (".ci", ".gitattributes", ".github", ".gitignore")


@pytest.fixture(autouse=True)
def custom_integrations() -> None:
    """Start no Home Assistant: all of this is read."""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the repository that a script may change."""
    copy = tmp_path / "repository"
    shutil.copytree(ROOT, copy, ignore=made_by_machines)
    run(copy, "git", "init", "--quiet")
    run(copy, "git", "add", ".")
    return copy


def made_by_machines(_folder: str, names: list[str]) -> set[str]:
    """Return the names in a folder that are not worth copying."""
    hidden = {name for name in names if name.startswith(".") and name not in HIDDEN}
    return hidden | {"__pycache__", "htmlcov"}


def run(folder: Path, *command: str) -> None:
    """Run a command in a folder, whatever git was told about another one."""
    environment = {"PATH": os.environ["PATH"]}
    subprocess.run(  # noqa: S603  # our own
        command, cwd=folder, env=environment, check=True, capture_output=True
    )


def set_repository(copy: Path, address: str) -> dict[Path, str]:
    """Set the address; return all texts, with what is quoted in links made plain."""
    run(copy, sys.executable, "script/set_repository", address)
    return {path.relative_to(copy): unquote(path.read_text()) for path in texts(copy)}


def texts(folder: Path) -> Iterator[Path]:
    """Return the files that people write.

    Left out are pictures, and the script that replaces the address.
    """
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if (
            path.is_file()
            and inside.parts[0] != ".git"
            and path.suffix != ".png"
            and path.name != "set_repository"
        ):
            yield path


def prose(page: Path) -> str:
    """Return a page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    slugs = [
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles
    ]
    numbers = [slugs[:at].count(slug) for at, slug in enumerate(slugs)]
    return {
        f"{slug}-{number}" if number else slug
        for slug, number in zip(slugs, numbers, strict=True)
    }


def links(page: Path) -> Iterator[str]:
    """Return the links and pictures of a page that are within the repository."""
    for link, picture in re.findall(
        r"\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"", prose(page)
    ):
        if "://" not in link + picture:
            yield link or picture


def check_target(start: Path, link: str) -> None:
    """Fail unless a link from this place leads to a file, and to a heading in it."""
    name, _, anchor = link.partition("#")
    target = start.parent / name if name else start
    assert target.exists()
    assert not anchor or anchor in anchors(target)


@pytest.mark.parametrize(
    ("page", "link"),
    [(page.relative_to(ROOT), link) for page in PAGES for link in links(page)],
    ids=str,
)
def test_every_link_within_the_repository_leads_somewhere(
    page: Path, link: str
) -> None:
    """To a file that is there, and a heading that is in it."""
    check_target(ROOT / page, link)


def test_every_address_of_a_file_of_ours_leads_somewhere(copy: Path) -> None:
    """In forms, blueprints and their badges, where a link has to be a whole address."""
    found = {
        link
        for path in texts(copy)
        for link in re.findall(
            rf"https://github\.com/{re.escape(ADDRESS)}/blob/main/([\w./#-]*\w)",
            unquote(path.read_text()),
        )
    }
    assert found
    for link in found:
        check_target(ROOT / "README.md", link)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_is_named_is_there(page: Path) -> None:
    """Tests, scripts and documents are called by their paths, some by a pattern."""
    named = re.findall(
        r"`((?:\.github|blueprints|docs|script|tests)/[^`\s]*)", prose(page)
    )
    assert [name for name in named if not any(ROOT.glob(name))] == []


def test_the_readme_has_every_action_and_field() -> None:
    """By the names that automations use."""
    assert [
        action for action in SERVICES if f"`smartcar_charging.{action}`" not in README
    ] == []
    assert {
        name
        for action in SERVICES.values()
        for name, _ in fields(action)
        if f"| `{name}` |" not in README
    } == set()


@pytest.mark.parametrize("form", FORMS)
def test_forms_have_what_github_wants(form: str) -> None:
    """A name, a description, and fields with ids and labels of their own.

    GitHub shows a broken form to nobody.
    """
    assert (
        {"name", "description", "body"}
        <= FORMS[form].keys()
        <= {"name", "description", "labels", "body"}
    )
    asked = [field for field in FORMS[form]["body"] if field["type"] != "markdown"]
    for names in (
        [field["id"] for field in asked],
        [field["attributes"]["label"] for field in asked],
    ):
        assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize(
    ("form", "required"),
    [
        (
            "bug",
            [
                "version",
                "home-assistant",
                "car",
                "done",
                "expected",
                "happened",
                "diagnostics",
            ],
        ),
        (
            "api_fact",
            ["question", "certainty", "sent", "answered", "car", "plan", "date"],
        ),
        ("feature", ["wanted"]),
    ],
)
def test_forms_ask_for_what_an_answer_needs(form: str, required: list[str]) -> None:
    """And for the promise that nothing secret or private is in it."""
    body = FORMS[form]["body"]
    assert [
        field["id"] for field in body if field.get("validations", {}).get("required")
    ] == required
    promise = body[-1]["attributes"]["options"][0]
    assert promise["required"]
    assert [word for word in PROMISED if word not in promise["label"]] == []


def test_every_form_is_asked_for_something() -> None:
    """A new form belongs into the table above; no issue goes without a form."""
    assert FORMS.keys() == {"bug", "api_fact", "feature"}
    assert load_yaml_dict(TEMPLATES / "config.yml")["blank_issues_enabled"] is False


def test_the_form_for_facts_has_the_open_questions() -> None:
    """Those of docs/smartcar-api.md, in their order."""
    table = (
        (ROOT / "docs" / "smartcar-api.md")
        .read_text()
        .partition("\n## Open questions\n")[2]
    )
    questions = [
        question.replace("`", "")
        for question in re.findall(r"^\| (.+?\?) \|", table, re.MULTILINE)
    ]
    (field,) = (
        field for field in FORMS["api_fact"]["body"] if field.get("id") == "question"
    )
    assert questions
    assert field["attributes"]["options"] == [*questions, "Another one"]


def test_the_address_can_be_changed_everywhere_and_back(copy: Path) -> None:
    """No place is forgotten, and no other one touched."""
    before = set_repository(copy, ADDRESS)
    owner = ADDRESS.partition("/")[0]

    after = set_repository(copy, NEW_ADDRESS)
    assert [
        path
        for path, text in after.items()
        if re.search(rf"\b{re.escape(ADDRESS)}\b|\bowner={owner}\b|@{owner}\b", text)
    ] == []
    assert before.keys() == after.keys()
    changed = {path.parts[0] for path, text in after.items() if text != before[path]}
    assert changed >= {
        ".github",
        "README.md",
        "SECURITY.md",
        "blueprints",
        "custom_components",
    }
    assert set_repository(copy, ADDRESS) == before


def test_a_release_waits_for_every_check() -> None:
    """The job that drafts it is the last one; the others are all the checks."""
    jobs = load_yaml_dict(ROOT / ".github" / "workflows" / "release.yaml")["jobs"]
    release = jobs.pop("draft")
    assert sorted(release["needs"]) == sorted(jobs)
    checks = {path.name for path in (ROOT / ".github" / "workflows").iterdir()} - {
        "release.yaml"
    }
    assert {job["uses"] for job in jobs.values()} == {
        f"./.github/workflows/{check}" for check in checks
    }


def test_there_is_one_version() -> None:
    """The manifest's is what Home Assistant shows, and releases are tagged with it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == MANIFEST["version"]
    assert json.loads((ROOT / "hacs.json").read_text())["name"] == MANIFEST["name"]
