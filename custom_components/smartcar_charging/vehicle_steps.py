"""Which car? The steps that both flows share."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
import logging
from typing import Any, ClassVar, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowHandler, FlowResult
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
from homeassistant.helpers.translation import async_get_translations
import voluptuous as vol

from .account import create_auth, create_session
from .const import (
    CONF_MAKE,
    CONF_MODEL,
    CONF_USER_ID,
    CONF_VEHICLE_ID,
    CONF_YEAR,
    DASHBOARD_URL,
    DOMAIN,
)
from .smartcar import (
    AuthenticationError,
    Connection,
    ErrorType,
    RefusedError,
    SmartcarClient,
    SmartcarError,
    is_valid_id,
)

_LOGGER = logging.getLogger(__name__)

CONF_VEHICLE: Final = "vehicle"
ENTER_IDS: Final = "enter_ids"
SEARCH_AGAIN: Final = "search_again"

# The end of an id, where that is enough to tell two apart.
_ID_TAIL_LENGTH: Final = 4

_VEHICLE_IDS_SCHEMA: Final = vol.Schema(
    {vol.Required(CONF_VEHICLE_ID): str, vol.Required(CONF_USER_ID): str}
)


class VehicleSteps[ResultT: FlowResult[Any, Any]](FlowHandler[Any, ResultT, Any]):
    """The steps from a list of the connected cars to the one that is added."""

    # Whether rejected credentials are entered again in this flow.
    _asks_for_credentials: ClassVar[bool]

    _credentials: Mapping[str, Any]
    _connections: list[Connection]
    _entered: Connection
    _reason = ""
    _users = ""

    @abstractmethod
    def _finish(self, connection: Connection) -> ResultT:
        """End the flow with the chosen car."""

    @abstractmethod
    async def _async_search_failed(self, errors: dict[str, str]) -> ResultT:
        """Say that the connections could not be listed."""

    @property
    def _placeholders(self) -> dict[str, str]:
        """What fills the gaps in the words of forms and their errors."""
        return {
            "dashboard_url": DASHBOARD_URL,
            "reason": self._reason,
            "users": self._users,
        }

    async def async_step_search(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """List the connections, and offer what there is."""
        if errors := await self._async_connect():
            return await self._async_search_failed(errors)
        return await self._async_show_vehicles({})

    async def async_step_no_vehicles(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Tell how a car is connected at Smartcar."""
        return self.async_show_menu(
            step_id="no_vehicles",
            menu_options=["search", "vehicle_ids"],
            description_placeholders=self._placeholders,
        )

    async def async_step_vehicle(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Take the choice of a car, if it is still connected."""
        if user_input is None:
            return await self._async_show_vehicles({})
        choice = user_input[CONF_VEHICLE]
        if choice == ENTER_IDS:
            return await self.async_step_vehicle_ids()
        # The list may have grown old in an open form.
        errors = await self._async_connect()
        if self._are_credentials_to_be_entered(errors):
            return await self._async_search_failed(errors)
        if not errors and choice != SEARCH_AGAIN:
            for connection in self._connections:
                if connection.connection_id == choice:
                    return self._finish(connection)
            errors = {CONF_VEHICLE: "connection_gone"}
        return await self._async_show_vehicles(errors)

    async def _async_show_vehicles(self, errors: dict[str, str]) -> ResultT:
        """Show the list of cars, or how one gets into it."""
        if not self._connections:
            return await self.async_step_no_vehicles()
        selector = SelectSelector(
            SelectSelectorConfig(
                options=await _async_vehicle_options(self.hass, self._connections),
                mode=SelectSelectorMode.LIST,
                translation_key=CONF_VEHICLE,
            )
        )
        return self.async_show_form(
            step_id="vehicle",
            data_schema=vol.Schema({vol.Required(CONF_VEHICLE): selector}),
            errors=errors,
            description_placeholders=self._placeholders,
        )

    async def async_step_vehicle_ids(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Let the user enter the ids of a connected car."""
        errors: dict[str, str] = {}
        if user_input is not None:
            user_input = {key: value.strip() for key, value in user_input.items()}
            errors = invalid_ids(user_input) or await self._async_connect()
            if self._are_credentials_to_be_entered(errors):
                return await self._async_search_failed(errors)
            if not errors:
                vehicle_id, user_id = user_input.values()
                found = connections_by_user(self._connections, vehicle_id)
                if user_id in found:
                    return await self._async_take_entered(found[user_id])
                errors = self._wrong_ids(found)
                if len(found) == 1:
                    user_input[CONF_USER_ID] = self._users
        return self.async_show_form(
            step_id="vehicle_ids",
            data_schema=self.add_suggested_values_to_schema(
                _VEHICLE_IDS_SCHEMA, user_input
            ),
            errors=errors,
            description_placeholders=self._placeholders,
        )

    async def _async_take_entered(self, connection: Connection) -> ResultT:
        """Finish with a car that no list warned of, unless there is cause to warn."""
        is_set_up = account_of(self.hass, connection.vehicle_id) is not None
        if is_set_up or not _obstacles(connection):
            return self._finish(connection)
        self._entered = connection
        return await self.async_step_confirm_vehicle()

    async def async_step_confirm_vehicle(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Tell what stands in the way of a car whose ids were entered."""
        hints = await _async_words(self.hass, "vehicle_hint")
        lines = [f"- {hints[obstacle]}" for obstacle in _obstacles(self._entered)]
        return self.async_show_menu(
            step_id="confirm_vehicle",
            menu_options=["add_anyway", "vehicle_ids"],
            description_placeholders={
                "vehicle": vehicle_title(self._entered),
                "hints": "\n".join(lines),
            },
        )

    async def async_step_add_anyway(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Finish with a car that the user was warned of."""
        return self._finish(self._entered)

    async def _async_connect(self) -> dict[str, str]:
        """List the connections with the flow's credentials, free of charge.

        The session takes no requests afterwards: an attempt leaves nothing behind.
        """
        session = create_session(self.hass, auto_cleanup=False)
        client = SmartcarClient(session, create_auth(session, self._credentials))
        try:
            self._connections = await client.async_get_connections()
        except SmartcarError as err:
            _LOGGER.debug("The connections could not be listed: %s", err.loggable)
            self._reason = str(err)
            return {"base": _error_of_list(err)}
        finally:
            session.detach()
        return {}

    def _are_credentials_to_be_entered(self, errors: Mapping[str, str]) -> bool:
        """Whether these errors are settled by other credentials, here in the flow."""
        return self._asks_for_credentials and errors.get("base") == "invalid_auth"

    def _wrong_ids(self, found: Mapping[str, Connection]) -> dict[str, str]:
        """Return which id is wrong, with the users that are not for the error."""
        self._users = ", ".join(found)
        if not found:
            return {CONF_VEHICLE_ID: "vehicle_not_found"}
        if len(found) == 1:
            return {CONF_USER_ID: "wrong_user"}
        return {CONF_USER_ID: "wrong_user_of_several"}


def invalid_ids(ids: Mapping[str, str]) -> dict[str, str]:
    """Return an error for each value that can not be an id."""
    return {
        field: "invalid_id" for field, value in ids.items() if not is_valid_id(value)
    }


def connections_by_user(
    connections: Iterable[Connection], vehicle_id: str
) -> dict[str, Connection]:
    """Return the connections of a car by the users who made them."""
    return {
        connection.user_id: connection
        for connection in connections
        if connection.vehicle_id == vehicle_id
    }


def account_of(hass: HomeAssistant, vehicle_id: str) -> ConfigEntry | None:
    """Return the account in which the car is set up, loaded or not."""
    for entry in hass.config_entries.async_entries(DOMAIN):
        for subentry in entry.subentries.values():
            if subentry.data[CONF_VEHICLE_ID] == vehicle_id:
                return entry
    return None


def vehicle_data(connection: Connection) -> dict[str, Any]:
    """Return what is kept of a chosen car."""
    return {
        CONF_VEHICLE_ID: connection.vehicle_id,
        CONF_USER_ID: connection.user_id,
        CONF_MAKE: _readable(connection.make),
        CONF_MODEL: connection.model,
        CONF_YEAR: connection.year,
    }


def vehicle_title(connection: Connection) -> str:
    """Return what the car is called until the user calls it something else."""
    parts = (_readable(connection.make), connection.model, connection.year)
    return " ".join(str(part) for part in parts if part) or "Car"


async def async_user_selector(
    hass: HomeAssistant, found: Mapping[str, Connection], *, may_be_typed: bool
) -> SelectSelector:
    """Return the choice among the users who connected a car."""
    words = await _async_words(hass, "user_label")
    options = []
    for user_id, connection in found.items():
        label = f"{words['user']} {user_id}"
        if connection.lacks_control_charge:
            hints = await _async_words(hass, "vehicle_hint")
            label = f"{label} – {hints['missing_permission']}"
        options.append(SelectOptionDict(value=user_id, label=label))
    options.append(SelectOptionDict(value=SEARCH_AGAIN, label=SEARCH_AGAIN))
    return SelectSelector(
        SelectSelectorConfig(
            options=options,
            custom_value=may_be_typed,
            mode=SelectSelectorMode.LIST,
            translation_key="user",
        )
    )


def _error_of_list(error: SmartcarError) -> str:
    """Return what it means that Smartcar gave no list of connections."""
    kind = error.details.kind
    if isinstance(error, AuthenticationError):
        return "invalid_auth"
    if kind is ErrorType.RATE_LIMIT or error.details.retry_after is not None:
        return "rate_limited"
    if kind is ErrorType.BILLING:
        return "refused_by_plan"
    if not isinstance(error, RefusedError):
        return "cannot_connect"
    if kind is ErrorType.PERMISSION:
        return "not_allowed"
    return "refused"


def _readable(make: str | None) -> str | None:
    """Return a make as people write it: Smartcar says TESLA, but also BMW."""
    return (
        make.replace("_", " ").title()
        if make and make.isupper() and len(make) > 3
        else make
    )


async def _async_vehicle_options(
    hass: HomeAssistant, connections: list[Connection]
) -> list[SelectOptionDict]:
    """Return a label for each connection, and the ways out of the list."""
    hints = await _async_words(hass, "vehicle_hint")
    # The form preselects the first: that should be a car that can still be added.
    connections = sorted(
        connections,
        key=lambda connection: account_of(hass, connection.vehicle_id) is not None,
    )
    titles = [vehicle_title(connection) for connection in connections]
    options = []
    for connection, title in zip(connections, titles, strict=True):
        label = title
        if titles.count(title) > 1:
            car = connection.vehicle_id[-_ID_TAIL_LENGTH:]
            user = connection.user_id[-_ID_TAIL_LENGTH:]
            label = f"{title} (…{car}, …{user})"
        if account_of(hass, connection.vehicle_id) is not None:
            label = f"{label} – {hints['already_configured']}"
        for obstacle in _obstacles(connection):
            label = f"{label} – {hints[obstacle]}"
        options.append(SelectOptionDict(value=connection.connection_id, label=label))
    ways_out = [
        SelectOptionDict(value=value, label=value)
        for value in (SEARCH_AGAIN, ENTER_IDS)
    ]
    return [*options, *ways_out]


async def _async_words(hass: HomeAssistant, selector: str) -> dict[str, str]:
    """Return the words for the options of a selector."""
    words = await async_get_translations(
        hass, hass.config.language, "selector", [DOMAIN]
    )
    prefix = f"component.{DOMAIN}.selector.{selector}.options."
    return {
        key.removeprefix(prefix): text
        for key, text in words.items()
        if key.startswith(prefix)
    }


def _obstacles(connection: Connection) -> list[str]:
    """Return what probably keeps a car from taking charge schedules."""
    obstacles = []
    if connection.lacks_control_charge:
        obstacles.append("missing_permission")
    if connection.make is not None and not connection.make_takes_daily_schedules:
        obstacles.append("make_unknown")
    return obstacles
