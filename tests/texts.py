"""Watches what reaches the user, and compares it with the words there are for it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
import json
from pathlib import Path
import re
import string
from typing import Any, Final

from homeassistant.components import persistent_notification
from homeassistant.components.repairs import RepairsFlow
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import ServiceRegistry, callback
from homeassistant.data_entry_flow import FlowManager, FlowResultType
from homeassistant.exceptions import HomeAssistantError, ServiceNotSupported
from homeassistant.helpers.issue_registry import IssueRegistry
from homeassistant.helpers.selector import SelectSelector
import pytest
import voluptuous as vol

from custom_components.smartcar_charging.const import DOMAIN

INTEGRATION: Final = Path(__file__).parent.parent / "custom_components" / DOMAIN
ENGLISH: Final[dict[str, Any]] = json.loads(
    (INTEGRATION / "translations" / "en.json").read_text()
)

type Noting = Callable[[], AbstractContextManager[None]]


def watch(monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """Fail what shows something without its words; return what was found.

    That is a form, an error, an issue or a notification. Home Assistant catches errors
    in many places, such as a script that goes on after an action that failed.
    """
    found: list[Exception] = []
    noting = partial(noted, found)
    watch_flows(monkeypatch, noting)
    watch_actions(monkeypatch, noting)
    watch_set_up(monkeypatch, noting)
    watch_issues(monkeypatch, noting)
    watch_notifications(monkeypatch, noting)
    return found


@contextmanager
def noted(found: list[Exception]) -> Iterator[None]:
    """Note what a comparison finds, a key that is not there among it."""
    try:
        yield
    except Exception as error:
        found.append(error)
        raise


def placeholders(*texts: str) -> set[str]:
    """Return the names of the gaps in texts."""
    return {
        name
        for text in texts
        for _, name, _, _ in string.Formatter().parse(text)
        if name is not None
    }


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
        (key,) = [key for key in ENGLISH["issues"] if flow.issue_id.startswith(key)]
        section = ENGLISH["issues"][key]["fix_flow"]
    elif handler == DOMAIN:
        section = ENGLISH["config"]
    elif isinstance(handler, tuple):
        section = ENGLISH["config_subentries"][handler[1]]
    return section


def words_of_result(section: Mapping[str, Any], result: Mapping[str, Any]) -> list[str]:
    """Return the words for what a flow shows, after a check for too many or too few."""
    if result["type"] is FlowResultType.ABORT:
        return [section["abort"][result["reason"]]]
    if result["type"] is FlowResultType.CREATE_ENTRY:
        return [
            section["create_entry"][key] for key in [result.get("description")] if key
        ]
    if result["type"] is FlowResultType.SHOW_PROGRESS:
        return [section["progress"][result["progress_action"]]]
    if result["type"] is FlowResultType.SHOW_PROGRESS_DONE:
        return []
    step, errors = section["step"][result["step_id"]], result.get("errors") or {}
    assert step["title"]
    if result["type"] is FlowResultType.FORM:
        fields = {str(field) for field in result["data_schema"].schema}
        assert (
            fields == set(step.get("data", ())) == set(step.get("data_description", ()))
        )
        assert set(errors) <= fields | {"base"}
        check_options(result["data_schema"].schema.values())
    else:
        # A page about a schedule offers what that schedule allows.
        assert set(result["menu_options"]) <= set(step["menu_options"])
        assert set(step.get("menu_option_descriptions", ())) <= set(
            step["menu_options"]
        )
    return [*strings(step), *(section["error"][error] for error in errors.values())]


def check_step(flow: Any, result: Mapping[str, Any]) -> None:
    """Compare with its words what a flow shows, and its title while it waits."""
    if section := section_of(flow):
        # More may be given than there are gaps: one form serves several steps.
        words = words_of_result(section, result)
        assert placeholders(*words) <= set(result.get("description_placeholders") or ())
        assert placeholders(section.get("flow_title", "")) <= set(
            flow.context.get("title_placeholders") or ()
        )


def check_options(fields: Iterable[Any]) -> None:
    """Compare, both ways, the options without a label with the words for them."""
    lists: list[Any] = [
        field.config for field in fields if isinstance(field, SelectSelector)
    ]
    for config in lists:
        bare = {
            option["value"]
            for option in config["options"]
            if option["label"] == option["value"]
        }
        assert bare == set(ENGLISH["selector"][config["translation_key"]]["options"])


def check_error(error: Exception) -> None:
    """Compare an error with its words: what fills the gaps is all that is given."""
    assert isinstance(error, HomeAssistantError)
    assert error.translation_domain == DOMAIN
    assert error.translation_key is not None
    message = ENGLISH["exceptions"][error.translation_key]["message"]
    assert placeholders(message) == set(error.translation_placeholders or ())
    # Home Assistant leaves out the full stop at the end.
    assert str(error) == message.format(
        **(error.translation_placeholders or {})
    ).rstrip(".")


def check_reason(entry: ConfigEntry) -> None:
    """Compare the reason why an account was not set up with an error's words."""
    if entry.reason is not None:
        assert entry.error_reason_translation_key is not None, entry.reason
        message = ENGLISH["exceptions"][entry.error_reason_translation_key]["message"]
        assert placeholders(message) == set(
            entry.error_reason_translation_placeholders or ()
        )


def check_issue(key: str, given: Iterable[str], *, is_fixable: bool) -> None:
    """Compare an issue with its words: what can be fixed has a dialog for them."""
    words = ENGLISH["issues"][key]
    assert is_fixable == ("fix_flow" in words)
    assert placeholders(words["title"], words.get("description", "")) == set(given)


def is_filled(words: str, text: str) -> bool:
    """Whether a text is made of these words, with something in each gap."""
    pattern = "".join(
        re.escape(literal) + ("" if name is None else "(?s:.+)")
        for literal, name, _, _ in string.Formatter().parse(words)
    )
    is_open = any(f"{{{gap}}}" in text for gap in placeholders(words))
    return re.fullmatch(pattern, text) is not None and not is_open


def check_notification(title: str, message: str) -> None:
    """Compare a notification with the issues' words: it has those of one."""
    assert any(
        is_filled(words["title"], title)
        and is_filled(words.get("description", ""), message)
        for words in ENGLISH["issues"].values()
    ), (title, message)


def watch_flows(monkeypatch: pytest.MonkeyPatch, noting: Noting) -> None:
    """Check every step of our flows."""
    # There is no public place where all steps pass.
    handle = FlowManager._async_handle_step

    async def watched(manager: Any, flow: Any, *args: Any) -> Any:
        """Let the step run, then look at it."""
        result = await handle(manager, flow, *args)
        with noting():
            check_step(flow, result)
        return result

    monkeypatch.setattr(FlowManager, "_async_handle_step", watched)


def watch_actions(monkeypatch: pytest.MonkeyPatch, noting: Noting) -> None:
    """Check every error of an action, ours or one of our entities."""
    call = ServiceRegistry.async_call

    async def watched(
        registry: ServiceRegistry, domain: str, *args: Any, **kwargs: Any
    ) -> Any:
        """Let the action run, then look at its error."""
        try:
            return await call(registry, domain, *args, **kwargs)
        except ServiceNotSupported, vol.Invalid:
            # Home Assistant itself says that an entity can not do this, or that the
            # shape is wrong.
            raise
        except Exception as error:
            with noting():
                check_error(error)
            raise

    monkeypatch.setattr(ServiceRegistry, "async_call", watched)


def watch_set_up(monkeypatch: pytest.MonkeyPatch, noting: Noting) -> None:
    """Check the reason that an account shows when it could not be set up."""
    set_up = ConfigEntry.async_setup

    async def watched(entry: ConfigEntry, *args: Any, **kwargs: Any) -> None:
        """Let the account be set up, then look at why it was not."""
        await set_up(entry, *args, **kwargs)
        if entry.domain == DOMAIN:
            with noting():
                check_reason(entry)

    monkeypatch.setattr(ConfigEntry, "async_setup", watched)


def watch_issues(monkeypatch: pytest.MonkeyPatch, noting: Noting) -> None:
    """Check every repair issue of ours."""
    create = IssueRegistry.async_get_or_create

    def watched(
        registry: IssueRegistry, domain: str, issue_id: str, **kwargs: Any
    ) -> Any:
        """Look at the issue, then let it be raised."""
        if domain == DOMAIN:
            with noting():
                given = kwargs["translation_placeholders"] or ()
                check_issue(
                    kwargs["translation_key"], given, is_fixable=kwargs["is_fixable"]
                )
        return create(registry, domain, issue_id, **kwargs)

    monkeypatch.setattr(IssueRegistry, "async_get_or_create", watched)


def watch_notifications(monkeypatch: pytest.MonkeyPatch, noting: Noting) -> None:
    """Check every notification of ours, which have the words of an issue."""
    create = persistent_notification.async_create

    @callback
    def watched(
        hass: Any,
        message: str,
        title: str | None = None,
        notification_id: str | None = None,
    ) -> None:
        """Look at the notification, then let it be shown."""
        if notification_id is not None and notification_id.startswith(DOMAIN):
            with noting():
                check_notification(str(title), message)
        create(hass, message, title, notification_id)

    monkeypatch.setattr(persistent_notification, "async_create", watched)
