"""Which car? The steps that both flows share."""

from abc import abstractmethod
from collections.abc import Mapping
import logging
from typing import Any, Final

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
    DOMAIN,
)
from .smartcar import (
    AuthenticationError,
    Connection,
    SmartcarClient,
    SmartcarError,
    is_valid_id,
)

_LOGGER = logging.getLogger(__name__)

CONF_VEHICLE: Final = "vehicle"
ENTER_IDS: Final = "enter_ids"

DASHBOARD_URL: Final = "https://dashboard.smartcar.com"

VEHICLE_IDS_SCHEMA: Final = vol.Schema(
    {vol.Required(CONF_VEHICLE_ID): str, vol.Required(CONF_USER_ID): str}
)


class VehicleSteps[ResultT: FlowResult[Any, Any]](FlowHandler[Any, ResultT, Any]):
    """The steps `vehicle`, `vehicle_ids` and `no_vehicles`."""

    _credentials: Mapping[str, Any]
    _connections: list[Connection]

    @abstractmethod
    def _finish(self, connection: Connection) -> ResultT:
        """End the flow with the chosen car."""

    @abstractmethod
    async def _async_search_failed(self, errors: dict[str, str]) -> ResultT:
        """Say that the connections could not be listed."""

    async def async_step_search(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """List the connections, and offer what there is."""
        if errors := await self._async_connect():
            return await self._async_search_failed(errors)
        return await (
            self.async_step_vehicle()
            if self._connections
            else self.async_step_no_vehicles()
        )

    async def async_step_no_vehicles(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Tell how a car is connected at Smartcar."""
        return self.async_show_menu(
            step_id="no_vehicles",
            menu_options=["search", "vehicle_ids"],
            description_placeholders={"dashboard_url": DASHBOARD_URL},
        )

    async def async_step_vehicle(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Let the user choose one of the connected cars."""
        if user_input is not None:
            if user_input[CONF_VEHICLE] == ENTER_IDS:
                return await self.async_step_vehicle_ids()
            return self._finish(
                next(
                    c
                    for c in self._connections
                    if c.connection_id == user_input[CONF_VEHICLE]
                )
            )
        options = await _async_options(self.hass, self._connections)
        selector = SelectSelector(
            SelectSelectorConfig(
                options=options,
                mode=SelectSelectorMode.LIST,
                translation_key=CONF_VEHICLE,
            )
        )
        return self.async_show_form(
            step_id="vehicle",
            data_schema=vol.Schema({vol.Required(CONF_VEHICLE): selector}),
        )

    async def async_step_vehicle_ids(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Let the user enter the ids of a connected car."""
        errors: dict[str, str] = {}
        if user_input is not None:
            user_input = {key: value.strip() for key, value in user_input.items()}
            if not (errors := invalid_ids(user_input) or await self._async_connect()):
                chosen = find_connection(self._connections, user_input)
                if isinstance(chosen, Connection):
                    return self._finish(chosen)
                errors = chosen
        return self.async_show_form(
            step_id="vehicle_ids",
            data_schema=self.add_suggested_values_to_schema(
                VEHICLE_IDS_SCHEMA, user_input
            ),
            errors=errors,
            description_placeholders={"dashboard_url": DASHBOARD_URL},
        )

    async def _async_connect(self) -> dict[str, str]:
        """List the connections, which is free; return what went wrong."""
        session = create_session(self.hass, auto_cleanup=False)
        client = SmartcarClient(session, create_auth(session, self._credentials))
        try:
            self._connections = await client.async_get_connections()
        except AuthenticationError:
            return {"base": "invalid_auth"}
        except SmartcarError as err:
            _LOGGER.debug("The connections could not be listed: %s", err.loggable)
            return {"base": "cannot_connect"}
        finally:
            session.detach()
        return {}


def invalid_ids(ids: Mapping[str, str]) -> dict[str, str]:
    """Return an error for each value that can not be an id."""
    return {
        field: "invalid_id" for field, value in ids.items() if not is_valid_id(value)
    }


def find_connection(
    connections: list[Connection], ids: Mapping[str, str]
) -> Connection | dict[str, str]:
    """Return the connection that has these ids, else which of them is wrong."""
    of_vehicle = [
        connection
        for connection in connections
        if connection.vehicle_id == ids[CONF_VEHICLE_ID]
    ]
    if not of_vehicle:
        return {CONF_VEHICLE_ID: "vehicle_not_found"}
    of_user = [
        connection
        for connection in of_vehicle
        if connection.user_id == ids[CONF_USER_ID]
    ]
    return of_user[0] if of_user else {CONF_USER_ID: "wrong_user"}


def is_configured(hass: HomeAssistant, vehicle_id: str) -> bool:
    """Whether the car is set up, in any entry."""
    return any(
        subentry.data[CONF_VEHICLE_ID] == vehicle_id
        for entry in hass.config_entries.async_entries(DOMAIN)
        for subentry in entry.subentries.values()
    )


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
    return (
        " ".join(str(part) for part in parts if part)
        or f"Car …{connection.vehicle_id[-4:]}"
    )


def _readable(make: str | None) -> str | None:
    """Return a make as people write it: Smartcar says TESLA, but also BMW."""
    return (
        make.replace("_", " ").title()
        if make and make.isupper() and len(make) > 3
        else make
    )


async def _async_options(
    hass: HomeAssistant, connections: list[Connection]
) -> list[SelectOptionDict]:
    """Return a label for each connection, and the way out of the list."""
    words = await async_get_translations(
        hass, hass.config.language, "selector", [DOMAIN]
    )
    # The form preselects the first: that should be a car that can still be added.
    connections = sorted(
        connections, key=lambda connection: is_configured(hass, connection.vehicle_id)
    )
    titles = [vehicle_title(connection) for connection in connections]
    options = []
    for connection, title in zip(connections, titles, strict=True):
        is_alike = titles.count(title) > 1
        ids = (
            f" (…{connection.vehicle_id[-4:]}, …{connection.user_id[-4:]})"
            if is_alike
            else ""
        )
        hints = [
            words[f"component.{DOMAIN}.selector.vehicle_hint.options.{hint}"]
            for hint in _hints(hass, connection)
        ]
        label = " – ".join([f"{title}{ids}", *hints])
        options.append(SelectOptionDict(value=connection.connection_id, label=label))
    return [*options, SelectOptionDict(value=ENTER_IDS, label=ENTER_IDS)]


def _hints(hass: HomeAssistant, connection: Connection) -> list[str]:
    """Return what the user should know of a car before choosing it."""
    hints = {
        "already_configured": is_configured(hass, connection.vehicle_id),
        "missing_permission": not connection.can_control_charge,
        "make_unknown": not connection.make_takes_daily_schedules,
    }
    return [hint for hint, applies in hints.items() if applies]
