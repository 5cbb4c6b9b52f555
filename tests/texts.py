"""Watches what reaches the user, and compares it with the words there are for it."""

from collections.abc import Mapping
import json
from pathlib import Path
import string
from typing import Any, Final

from homeassistant.components.repairs import RepairsFlow
from homeassistant.core import ServiceRegistry
from homeassistant.data_entry_flow import FlowManager, FlowResultType
from homeassistant.exceptions import HomeAssistantError, ServiceNotSupported
import pytest

from custom_components.smartcar_charging.const import DOMAIN

INTEGRATION: Final = Path(__file__).parent.parent / "custom_components" / DOMAIN
ENGLISH: Final[dict[str, Any]] = json.loads((INTEGRATION / "translations" / "en.json").read_text())


def placeholders(text: str) -> set[str]:
    """Return the names of the gaps in a text."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def strings(texts: Any) -> list[str]:
    """Return all texts below a key."""
    if isinstance(texts, str):
        return [texts]
    return [text for value in texts.values() for text in strings(value)]


def section_of(flow: Any) -> Mapping[str, Any] | None:
    """Return the words of a flow of ours."""
    section: Mapping[str, Any] | None = None
    handler = flow.handler
    if isinstance(flow, RepairsFlow):
        section = ENGLISH["issues"][flow.issue_id.rpartition("_")[0]]["fix_flow"]
    elif handler == DOMAIN:
        section = ENGLISH["config"]
    elif isinstance(handler, tuple):
        section = ENGLISH["config_subentries"][handler[1]]
    return section


def check_result(section: Mapping[str, Any], result: Mapping[str, Any]) -> None:
    """Compare what a flow shows with its words, both ways."""
    if result["type"] is FlowResultType.ABORT:
        assert result["reason"] in section["abort"]
    if result["type"] not in (FlowResultType.FORM, FlowResultType.MENU):
        return
    step = section["step"][result["step_id"]]
    errors = [section["error"][error] for error in (result.get("errors") or {}).values()]
    assert step["title"]
    if result["type"] is FlowResultType.FORM:
        fields = {str(field) for field in result["data_schema"].schema}
        assert fields == set(step["data"]) == set(step["data_description"])
        assert set(result.get("errors") or ()) <= fields | {"base"}
    else:
        assert set(result["menu_options"]) == set(step["menu_options"])
    gaps = {gap for text in [*strings(step), *errors] for gap in placeholders(text)}
    assert gaps <= set(result["description_placeholders"] or ())


def check_error(error: HomeAssistantError) -> None:
    """Compare an error with its words: every gap is filled, and nothing is given that has no gap."""
    assert error.translation_domain == DOMAIN
    assert error.translation_key is not None
    message = ENGLISH["exceptions"][error.translation_key]["message"]
    assert placeholders(message) == set(error.translation_placeholders or ())
    # Home Assistant leaves out the full stop at the end.
    assert str(error) == message.format(**(error.translation_placeholders or {})).rstrip(".")


def watch_flows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check every step of our flows."""
    handle = FlowManager._async_handle_step  # there is no public place where all steps pass

    async def watched(manager: Any, flow: Any, *args: Any) -> Any:
        """Let the step run, then look at it."""
        result = await handle(manager, flow, *args)
        if section := section_of(flow):
            check_result(section, result)
        return result

    monkeypatch.setattr(FlowManager, "_async_handle_step", watched)


def watch_actions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check every error of our actions."""
    call = ServiceRegistry.async_call

    async def watched(registry: ServiceRegistry, domain: str, *args: Any, **kwargs: Any) -> Any:
        """Let the action run, then look at its error."""
        try:
            return await call(registry, domain, *args, **kwargs)
        except ServiceNotSupported:
            # Home Assistant itself says that an entity can not do this.
            raise
        except HomeAssistantError as error:
            check_error(error)
            raise

    monkeypatch.setattr(ServiceRegistry, "async_call", watched)
