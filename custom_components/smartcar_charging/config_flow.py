"""How an account and its cars are set up, and how credentials are exchanged."""

from collections.abc import Mapping
import re
from typing import Any, Final, override

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_ACCESS_TOKEN, CONF_CLIENT_ID, CONF_CLIENT_SECRET
from homeassistant.core import callback
from homeassistant.helpers.selector import (
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol

from .const import CONF_USER_ID, CONF_VEHICLE_ID, DOMAIN, SUBENTRY_TYPE_VEHICLE
from .smartcar import Connection
from .vehicle_steps import (
    DASHBOARD_URL,
    VEHICLE_IDS_SCHEMA,
    VehicleSteps,
    find_connection,
    invalid_ids,
    is_configured,
    vehicle_data,
    vehicle_title,
)

_SECRET: Final = TextSelector(
    TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off")
)
_API_CREDENTIALS_SCHEMA: Final = vol.Schema(
    {vol.Required(CONF_CLIENT_ID): str, vol.Required(CONF_CLIENT_SECRET): _SECRET}
)
_NEW_TOKEN_SCHEMA: Final = vol.Schema({vol.Required(CONF_ACCESS_TOKEN): _SECRET})
_ACCESS_TOKEN_SCHEMA: Final = _NEW_TOKEN_SCHEMA.extend(VEHICLE_IDS_SCHEMA.schema)
_USER_SCHEMA: Final = vol.Schema({vol.Required(CONF_USER_ID): str})

_NEW_CREDENTIALS: Final = ["new_api_credentials", "new_access_token"]

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_BEARER: Final = re.compile(r"^bearer\s+", re.IGNORECASE)
_SECRETS: Final = frozenset({CONF_ACCESS_TOKEN, CONF_CLIENT_SECRET})
_PLACEHOLDERS: Final = {"dashboard_url": DASHBOARD_URL}


class SmartcarChargingConfigFlow(
    VehicleSteps[ConfigFlowResult], ConfigFlow, domain=DOMAIN
):
    """Sets up an account with its first car, and exchanges its credentials later."""

    VERSION = 1

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Cars can be added to every account."""
        return {SUBENTRY_TYPE_VEHICLE: VehicleSubentryFlow}

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the user choose the kind of credentials."""
        return self.async_show_menu(
            step_id="user", menu_options=["api_credentials", "access_token"]
        )

    async def async_step_api_credentials(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take API credentials, and look for cars."""
        if user_input is None:
            return self._form("api_credentials", _API_CREDENTIALS_SCHEMA, None, {})
        self._credentials = _stripped(user_input)
        if errors := _wrong_client_id(self._credentials):
            return await self._async_search_failed(errors)
        await self.async_set_unique_id(
            self._credentials[CONF_CLIENT_ID], raise_on_progress=False
        )
        self._abort_if_unique_id_configured()
        return await self.async_step_search()

    @override
    async def _async_search_failed(self, errors: dict[str, str]) -> ConfigFlowResult:
        """Ask for the API credentials again."""
        return self._form(
            "api_credentials", _API_CREDENTIALS_SCHEMA, self._credentials, errors
        )

    async def async_step_access_token(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take a token and the ids of a car."""
        errors: dict[str, str] = {}
        if user_input is not None:
            user_input = _stripped(user_input)
            ids = {
                field: user_input[field] for field in (CONF_VEHICLE_ID, CONF_USER_ID)
            }
            self._credentials = {CONF_ACCESS_TOKEN: user_input[CONF_ACCESS_TOKEN]}
            if not (errors := invalid_ids(ids) or await self._async_connect()):
                chosen = find_connection(self._connections, ids)
                if isinstance(chosen, Connection):
                    return self._finish(chosen)
                errors = chosen
        return self._form("access_token", _ACCESS_TOKEN_SCHEMA, user_input, errors)

    @override
    def _finish(self, connection: Connection) -> ConfigFlowResult:
        """Create the entry with its first car."""
        # Another flow may have been quicker.
        self._abort_if_unique_id_configured()
        if is_configured(self.hass, connection.vehicle_id):
            return self.async_abort(reason="already_configured")
        return self.async_create_entry(
            title=_title(self._credentials),
            data=self._credentials,
            subentries=[
                {
                    "subentry_type": SUBENTRY_TYPE_VEHICLE,
                    "title": vehicle_title(connection),
                    "unique_id": connection.vehicle_id,
                    "data": vehicle_data(connection),
                }
            ],
        )

    async def async_step_reauth(
        self, entry_data: Mapping[str, Any]
    ) -> ConfigFlowResult:
        """Smartcar rejected the credentials."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for others."""
        if CONF_CLIENT_ID in self._entry_to_update.data:
            return await self._async_take_api_credentials("reauth_confirm", user_input)
        return await self.async_step_reauth_token()

    async def async_step_reauth_token(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say that tokens expire, and offer what does not."""
        return self.async_show_menu(
            step_id="reauth_token", menu_options=_NEW_CREDENTIALS
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take other credentials at the user's wish."""
        if CONF_CLIENT_ID in self._entry_to_update.data:
            return await self.async_step_new_api_credentials()
        return self.async_show_menu(
            step_id="reconfigure", menu_options=_NEW_CREDENTIALS
        )

    async def async_step_new_api_credentials(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take API credentials for an account that exists."""
        return await self._async_take_api_credentials("new_api_credentials", user_input)

    async def _async_take_api_credentials(
        self, step_id: str, user_input: dict[str, Any] | None
    ) -> ConfigFlowResult:
        """Exchange the account's credentials for API credentials."""
        entry = self._entry_to_update
        if user_input is None:
            return self._form(step_id, _API_CREDENTIALS_SCHEMA, entry.data, {})
        self._credentials = _stripped(user_input)
        client_id = self._credentials[CONF_CLIENT_ID]
        errors = _wrong_client_id(self._credentials) or await self._async_connect()
        # Not before that request: meanwhile another flow may have been quicker.
        if any(
            other.data.get(CONF_CLIENT_ID) == client_id
            and other.entry_id != entry.entry_id
            for other in self._async_current_entries()
        ):
            return self.async_abort(reason="already_configured")
        if not errors and client_id != entry.data.get(CONF_CLIENT_ID):
            errors = self._errors_for_unknown_cars(CONF_CLIENT_ID)
        if errors:
            return self._form(
                step_id, _API_CREDENTIALS_SCHEMA, self._credentials, errors
            )
        return self._update(client_id)

    async def async_step_new_access_token(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take another token for an account that exists."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._credentials = _stripped(user_input)
            if not (
                errors := await self._async_connect()
                or self._errors_for_unknown_cars(CONF_ACCESS_TOKEN)
            ):
                return self._update(None)
        return self._form("new_access_token", _NEW_TOKEN_SCHEMA, None, errors)

    @property
    def _entry_to_update(self) -> ConfigEntry:
        """The account whose credentials are exchanged."""
        return (
            self._get_reauth_entry()
            if self.source == SOURCE_REAUTH
            else self._get_reconfigure_entry()
        )

    @property
    def _unknown_cars(self) -> list[str]:
        """The account's cars that the new credentials do not know."""
        known = {connection.vehicle_id for connection in self._connections}
        return [
            subentry.title
            for subentry in self._entry_to_update.subentries.values()
            if subentry.data[CONF_VEHICLE_ID] not in known
        ]

    def _errors_for_unknown_cars(self, field: str) -> dict[str, str]:
        """Refuse credentials of another application: it does not reach the cars."""
        return {field: "other_application"} if self._unknown_cars else {}

    def _update(self, unique_id: str | None) -> ConfigFlowResult:
        """Exchange the credentials; the loaded account takes them over by itself."""
        entry = self._entry_to_update
        is_named_by_us = entry.title == _title(entry.data)
        return self.async_update_and_abort(
            entry,
            unique_id=unique_id,
            title=_title(self._credentials) if is_named_by_us else entry.title,
            data=self._credentials,
        )

    def _form(
        self,
        step_id: str,
        schema: vol.Schema,
        values: Mapping[str, Any] | None,
        errors: dict[str, str],
    ) -> ConfigFlowResult:
        """Show a form with what was entered before, except for secrets."""
        shown = {
            key: value for key, value in (values or {}).items() if key not in _SECRETS
        }
        if errors.get("base") == "invalid_auth":
            field = (
                CONF_CLIENT_SECRET
                if CONF_CLIENT_SECRET in schema.schema
                else CONF_ACCESS_TOKEN
            )
            errors = {field: "invalid_auth"}
        vehicles = (
            ", ".join(self._unknown_cars)
            if "other_application" in errors.values()
            else ""
        )
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, shown),
            errors=errors,
            description_placeholders={**_PLACEHOLDERS, "vehicles": vehicles},
        )


class VehicleSubentryFlow(VehicleSteps[SubentryFlowResult], ConfigSubentryFlow):
    """Adds a car to an account, and changes whose connection it is reached through."""

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Look for cars with the account's credentials."""
        return await self.async_step_search()

    @override
    async def _async_connect(self) -> dict[str, str]:
        """Use the account's credentials; a flow of its own asks for rejected ones."""
        entry = self._get_entry()
        self._credentials = entry.data
        errors = await super()._async_connect()
        if errors.get("base") == "invalid_auth":
            entry.async_start_reauth(self.hass)
        return errors

    @override
    async def _async_search_failed(self, errors: dict[str, str]) -> SubentryFlowResult:
        """Give up: what is missing is not asked for here."""
        return self.async_abort(reason=errors["base"])

    @override
    def _finish(self, connection: Connection) -> SubentryFlowResult:
        """Add the car."""
        if is_configured(self.hass, connection.vehicle_id):
            return self.async_abort(reason="already_configured")
        return self.async_create_entry(
            title=vehicle_title(connection),
            data=vehicle_data(connection),
            unique_id=connection.vehicle_id,
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Change the user id."""
        entry, subentry = self._get_entry(), self._get_reconfigure_subentry()
        errors: dict[str, str] = {}
        if user_input is not None:
            user_input = _stripped(user_input)
            if not (errors := invalid_ids(user_input) or await self._async_connect()):
                chosen = find_connection(
                    self._connections, {**subentry.data, **user_input}
                )
                if isinstance(chosen, Connection):
                    return self.async_update_and_abort(
                        entry, subentry, data_updates=user_input
                    )
                errors = chosen if CONF_USER_ID in chosen else {"base": "not_connected"}
        return self.async_show_form(
            step_id="reconfigure",
            data_schema=self.add_suggested_values_to_schema(
                _USER_SCHEMA, user_input or subentry.data
            ),
            errors=errors,
            description_placeholders={**_PLACEHOLDERS, "vehicle": subentry.title},
        )


def _stripped(user_input: Mapping[str, str]) -> dict[str, str]:
    """Return the values without white space, and a token without its scheme."""
    return {
        key: _BEARER.sub("", value.strip())
        if key == CONF_ACCESS_TOKEN
        else value.strip()
        for key, value in user_input.items()
    }


def _wrong_client_id(credentials: Mapping[str, str]) -> dict[str, str]:
    """Recognise the Application ID, which stands beside the client id."""
    return (
        {CONF_CLIENT_ID: "application_id"}
        if _UUID.fullmatch(credentials[CONF_CLIENT_ID])
        else {}
    )


def _title(credentials: Mapping[str, str]) -> str:
    """Return what an account is called until the user calls it something else."""
    if client_id := credentials.get(CONF_CLIENT_ID):
        return f"Smartcar (…{client_id[-4:]})"
    return "Smartcar (access token)"
