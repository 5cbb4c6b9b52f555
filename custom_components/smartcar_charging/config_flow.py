"""How an account and its cars are set up, and how credentials are exchanged."""

from collections.abc import Mapping
import re
from typing import Any, Final, override

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_USER,
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentry,
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
    SEARCH_AGAIN,
    VehicleSteps,
    account_of,
    async_user_selector,
    connections_by_user,
    invalid_ids,
    vehicle_data,
    vehicle_title,
)

_SECRET: Final = TextSelector(
    TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off")
)
_API_CREDENTIALS_SCHEMA: Final = vol.Schema(
    {vol.Required(CONF_CLIENT_ID): str, vol.Required(CONF_CLIENT_SECRET): _SECRET}
)
_ACCESS_TOKEN_SCHEMA: Final = vol.Schema({vol.Required(CONF_ACCESS_TOKEN): _SECRET})

_KINDS_OF_CREDENTIALS: Final = ["api_credentials", "access_token"]

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_BEARER: Final = re.compile(r"^bearer\s+", re.IGNORECASE)


class SmartcarChargingConfigFlow(
    VehicleSteps[ConfigFlowResult], ConfigFlow, domain=DOMAIN
):
    """Sets up an account with its first car, and exchanges its credentials later."""

    VERSION = 1

    _asks_for_credentials = True

    _account = ""
    _vehicles = ""
    _rejected: Mapping[str, Any]

    def __init__(self) -> None:
        """Initialize the flow; no user is chosen for any car."""
        self._chosen_users: dict[str, str] = {}

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
        return self.async_show_menu(step_id="user", menu_options=_KINDS_OF_CREDENTIALS)

    async def async_step_reauth(
        self, entry_data: Mapping[str, Any]
    ) -> ConfigFlowResult:
        """Smartcar rejected the credentials."""
        self._rejected = entry_data
        if self._is_settled:
            return self.async_abort(reason="reauth_successful")
        if CONF_CLIENT_ID in entry_data:
            return await self.async_step_reauth_confirm()
        return await self.async_step_reauth_token()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say that the client secret is no longer accepted."""
        if user_input is not None:
            return await self.async_step_api_credentials()
        return self.async_show_form(
            step_id="reauth_confirm",
            data_schema=vol.Schema({}),
            description_placeholders=self._placeholders,
            last_step=False,
        )

    async def async_step_reauth_token(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say that tokens expire, and offer what does not."""
        return self.async_show_menu(
            step_id="reauth_token", menu_options=_KINDS_OF_CREDENTIALS
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take other credentials at the user's wish."""
        if CONF_CLIENT_ID in self._entry_to_update.data:
            return await self.async_step_api_credentials()
        return self.async_show_menu(
            step_id="reconfigure", menu_options=_KINDS_OF_CREDENTIALS
        )

    async def async_step_api_credentials(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take API credentials, of an account that is new or exists."""
        if user_input is None:
            known = {} if self.source == SOURCE_USER else self._entry_to_update.data
            return self._show_api_credentials(known, {})
        self._credentials = _stripped(user_input)
        client_id = self._credentials[CONF_CLIENT_ID]
        if _UUID.fullmatch(client_id):
            # It stands beside the client id.
            errors = {CONF_CLIENT_ID: "application_id"}
            return self._show_api_credentials(self._credentials, errors)
        if self.source != SOURCE_USER:
            return await self._async_exchange()
        await self.async_set_unique_id(client_id, raise_on_progress=False)
        self._abort_if_unique_id_configured()
        return await self.async_step_search()

    async def async_step_access_token(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take an access token, for an account that is new or exists."""
        if user_input is None:
            return self._show_access_token({})
        self._credentials = _stripped(user_input)
        if self.source != SOURCE_USER:
            return await self._async_exchange()
        return await self.async_step_search()

    @override
    async def _async_search_failed(self, errors: dict[str, str]) -> ConfigFlowResult:
        """Ask for the credentials again, of the same kind."""
        is_rejected = errors.get("base") == "invalid_auth"
        if CONF_CLIENT_ID in self._credentials:
            if is_rejected:
                errors = {CONF_CLIENT_SECRET: "invalid_auth"}
            return self._show_api_credentials(self._credentials, errors)
        if is_rejected:
            errors = {CONF_ACCESS_TOKEN: "invalid_auth"}
        return self._show_access_token(errors)

    def _show_api_credentials(
        self, known: Mapping[str, Any], errors: dict[str, str]
    ) -> ConfigFlowResult:
        """Show the form for API credentials; a secret is not shown again."""
        shown = {key: value for key, value in known.items() if key == CONF_CLIENT_ID}
        schema = self.add_suggested_values_to_schema(_API_CREDENTIALS_SCHEMA, shown)
        return self.async_show_form(
            step_id="api_credentials",
            data_schema=schema,
            errors=errors,
            description_placeholders=self._placeholders,
        )

    def _show_access_token(self, errors: dict[str, str]) -> ConfigFlowResult:
        """Show the form for a token, always empty."""
        return self.async_show_form(
            step_id="access_token",
            data_schema=_ACCESS_TOKEN_SCHEMA,
            errors=errors,
            description_placeholders=self._placeholders,
        )

    @property
    @override
    def _placeholders(self) -> dict[str, str]:
        """What fills the gaps in the words of forms and their errors."""
        return {
            **super()._placeholders,
            "account": self._account,
            "vehicles": self._vehicles,
        }

    @override
    def _finish(self, connection: Connection) -> ConfigFlowResult:
        """Create the entry with its first car."""
        # Another flow may have been quicker.
        self._abort_if_unique_id_configured()
        title = vehicle_title(connection)
        account = account_of(self.hass, connection.vehicle_id)
        if account is not None:
            reason = "vehicle_configured"
            if CONF_CLIENT_ID in self._credentials and _has_token(account):
                reason = "has_token_account"
            placeholders = {"vehicle": title, "account": account.title}
            return self.async_abort(
                reason=reason, description_placeholders=placeholders
            )
        return self.async_create_entry(
            title=_title(self._credentials),
            data=self._credentials,
            subentries=[
                {
                    "subentry_type": SUBENTRY_TYPE_VEHICLE,
                    "title": title,
                    "unique_id": connection.vehicle_id,
                    "data": vehicle_data(connection),
                }
            ],
        )

    @property
    def _entry_to_update(self) -> ConfigEntry:
        """The account whose credentials are exchanged."""
        return (
            self._get_reauth_entry()
            if self.source == SOURCE_REAUTH
            else self._get_reconfigure_entry()
        )

    @property
    def _is_settled(self) -> bool:
        """Whether the credentials that were rejected are no longer in use."""
        return (
            self.source == SOURCE_REAUTH
            and self._entry_to_update.data != self._rejected
        )

    async def _async_exchange(self) -> ConfigFlowResult:
        """Exchange the credentials, if they reach the account's cars."""
        entry = self._entry_to_update
        errors = await self._async_connect()
        # From here on without waiting: what was found is what is changed.
        if self._is_settled:
            return self.async_abort(reason="reauth_successful")
        errors = errors or self._errors_of_account(entry)
        if errors:
            return await self._async_search_failed(errors)
        subentry = self._next_to_be_asked(entry)
        if subentry is not None:
            return await self._async_ask_for_user(subentry)
        self._take_over(entry)
        if self._unknown_cars:
            return self.async_abort(
                reason="cars_not_connected", description_placeholders=self._placeholders
            )
        return self.async_abort(reason=f"{self.source}_successful")

    async def async_step_car_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take whose connection a car is reached through."""
        subentry = self._next_to_be_asked(self._entry_to_update)
        if subentry is not None:
            if user_input is None:
                return await self._async_ask_for_user(subentry)
            if user_input[CONF_USER_ID] != SEARCH_AGAIN:
                self._chosen_users[subentry.subentry_id] = user_input[CONF_USER_ID]
        return await self._async_exchange()

    async def _async_ask_for_user(self, subentry: ConfigSubentry) -> ConfigFlowResult:
        """Ask whose connection a car is reached through with the new credentials."""
        found = connections_by_user(self._connections, subentry.data[CONF_VEHICLE_ID])
        selector = await async_user_selector(self.hass, found, may_be_typed=False)
        return self.async_show_form(
            step_id="car_user",
            data_schema=vol.Schema({vol.Required(CONF_USER_ID): selector}),
            description_placeholders={
                **self._placeholders,
                "vehicle": subentry.title,
            },
        )

    def _errors_of_account(self, entry: ConfigEntry) -> dict[str, str]:
        """Refuse credentials that are another account's, or do not reach the cars."""
        unknown = self._unknown_cars
        self._vehicles = ", ".join(unknown)
        client_id = self._credentials.get(CONF_CLIENT_ID)
        if client_id is None:
            return {CONF_ACCESS_TOKEN: "other_application"} if unknown else {}
        for other in self._async_current_entries():
            is_other = other.entry_id != entry.entry_id
            if is_other and other.data.get(CONF_CLIENT_ID) == client_id:
                self._account = other.title
                return {CONF_CLIENT_ID: "other_account"}
        if unknown and client_id != entry.data.get(CONF_CLIENT_ID):
            return {CONF_CLIENT_ID: "other_application"}
        return {}

    @property
    def _unknown_cars(self) -> list[str]:
        """The account's cars that the new credentials do not know."""
        known = {connection.vehicle_id for connection in self._connections}
        return [
            subentry.title
            for subentry in self._entry_to_update.subentries.values()
            if subentry.data[CONF_VEHICLE_ID] not in known
        ]

    def _users_of(self, subentry: ConfigSubentry) -> list[str]:
        """Return who a car may be reached through: one user, if that is clear."""
        found = connections_by_user(self._connections, subentry.data[CONF_VEHICLE_ID])
        known = (
            self._chosen_users.get(subentry.subentry_id),
            subentry.data[CONF_USER_ID],
        )
        for user_id in known:
            if user_id in found:
                return [user_id]
        return list(found)

    def _next_to_be_asked(self, entry: ConfigEntry) -> ConfigSubentry | None:
        """Return the first car that can be reached through several users."""
        for subentry in entry.subentries.values():
            if len(self._users_of(subentry)) > 1:
                return subentry
        return None

    @callback
    def _take_over(self, entry: ConfigEntry) -> None:
        """Exchange the credentials and the cars' users in one turn of the event loop.

        The loaded account takes them over by itself, in the same turn.
        """
        is_named_by_us = entry.title == _title(entry.data)
        for subentry in entry.subentries.values():
            users = self._users_of(subentry)
            if users:
                data = {**subentry.data, CONF_USER_ID: users[0]}
                self.hass.config_entries.async_update_subentry(
                    entry, subentry, data=data
                )
        self.hass.config_entries.async_update_entry(
            entry,
            unique_id=self._credentials.get(CONF_CLIENT_ID),
            title=_title(self._credentials) if is_named_by_us else entry.title,
            data=self._credentials,
        )
        # What was rejected is not in use any more.
        for flow in tuple(entry.async_get_active_flows(self.hass, {SOURCE_REAUTH})):
            if flow["flow_id"] != self.flow_id:
                self.hass.config_entries.flow.async_abort(flow["flow_id"])


class VehicleSubentryFlow(VehicleSteps[SubentryFlowResult], ConfigSubentryFlow):
    """Adds a car to an account, and changes whose connection it is reached through."""

    _asks_for_credentials = False

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
        is_rejected = errors.get("base") == "invalid_auth"
        # Others may have been entered meanwhile.
        if is_rejected and entry.data == self._credentials:
            entry.async_start_reauth(self.hass)
        return errors

    @override
    async def _async_search_failed(self, errors: dict[str, str]) -> SubentryFlowResult:
        """Give up: what is missing is not asked for here."""
        return self.async_abort(
            reason=errors["base"], description_placeholders=self._placeholders
        )

    @override
    def _finish(self, connection: Connection) -> SubentryFlowResult:
        """Add the car."""
        title = vehicle_title(connection)
        account = account_of(self.hass, connection.vehicle_id)
        if account is not None:
            placeholders = {"vehicle": title, "account": account.title}
            return self.async_abort(
                reason="vehicle_configured", description_placeholders=placeholders
            )
        return self.async_create_entry(
            title=title,
            data=vehicle_data(connection),
            unique_id=connection.vehicle_id,
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Change through which user the car is reached."""
        entry, subentry = self._get_entry(), self._get_reconfigure_subentry()
        errors: dict[str, str] = {}
        entered: str | None = None
        if user_input is not None and user_input[CONF_USER_ID] != SEARCH_AGAIN:
            entered = str(user_input[CONF_USER_ID]).strip()
            errors = invalid_ids({CONF_USER_ID: entered})
        found: dict[str, Connection] = {}
        list_errors = await self._async_connect()
        if not list_errors:
            vehicle_id = subentry.data[CONF_VEHICLE_ID]
            found = connections_by_user(self._connections, vehicle_id)
            if not found:
                list_errors = {"base": "not_connected"}
        errors |= list_errors
        if entered is not None and not errors:
            if entered in found:
                return self.async_update_and_abort(
                    entry, subentry, data_updates={CONF_USER_ID: entered}
                )
            errors = self._wrong_ids(found)
        return await self._async_show_users(subentry, found, entered, errors)

    async def _async_show_users(
        self,
        subentry: ConfigSubentry,
        found: Mapping[str, Connection],
        entered: str | None,
        errors: dict[str, str],
    ) -> SubentryFlowResult:
        """Show whose connection a car is reached through, and who else there is."""
        field: Any = str
        suggested: dict[str, str] = {
            CONF_USER_ID: subentry.data[CONF_USER_ID] if entered is None else entered
        }
        if found:
            field = await async_user_selector(self.hass, found, may_be_typed=True)
        is_wrong = found and suggested[CONF_USER_ID] not in found
        if is_wrong and errors.get(CONF_USER_ID) != "invalid_id":
            # Where there is only one user, there is nothing to choose.
            suggested = {}
            if len(found) == 1:
                suggested[CONF_USER_ID] = next(iter(found))
        schema = vol.Schema({vol.Required(CONF_USER_ID): field})
        return self.async_show_form(
            step_id="reconfigure",
            data_schema=self.add_suggested_values_to_schema(schema, suggested),
            errors=errors,
            description_placeholders={
                **self._placeholders,
                "vehicle": subentry.title,
            },
        )


def _stripped(user_input: Mapping[str, str]) -> dict[str, str]:
    """Return the values without white space, and a token without its scheme."""
    return {
        key: _BEARER.sub("", value.strip())
        if key == CONF_ACCESS_TOKEN
        else value.strip()
        for key, value in user_input.items()
    }


def _has_token(account: ConfigEntry) -> bool:
    """Whether an account has a pasted token, which can move to API credentials."""
    return CONF_ACCESS_TOKEN in account.data


def _title(credentials: Mapping[str, str]) -> str:
    """Return what an account is called until the user calls it something else."""
    if client_id := credentials.get(CONF_CLIENT_ID):
        return f"Smartcar (…{client_id[-4:]})"
    return "Smartcar (access token)"
