"""One set of credentials and its cars, while they are loaded."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
import logging
from typing import Any

import aiohttp
from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import CONF_ACCESS_TOKEN, CONF_CLIENT_ID, CONF_CLIENT_SECRET
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from .const import (
    CONF_MAKE,
    CONF_MODEL,
    CONF_USER_ID,
    CONF_VEHICLE_ID,
    CONF_YEAR,
    DOMAIN,
)
from .issues import async_report_damage, async_update_issues, async_withdraw_issues
from .ledger import Ledger
from .removal import async_forget_removed_cars
from .smartcar import (
    AccessToken,
    Auth,
    AuthenticationError,
    ClientCredentials,
    SmartcarClient,
    SmartcarError,
)
from .vehicle import Vehicle

_LOGGER = logging.getLogger(__name__)

type SmartcarChargingConfigEntry = ConfigEntry[Account]
type VehicleListener = Callable[[str, Vehicle], None]


def auth_from(session: aiohttp.ClientSession, data: Mapping[str, Any]) -> Auth:
    """Return where the tokens come from: API credentials, or a pasted token."""
    if CONF_CLIENT_ID in data:
        return ClientCredentials(
            session, data[CONF_CLIENT_ID], data[CONF_CLIENT_SECRET]
        )
    return AccessToken(data[CONF_ACCESS_TOKEN])


def find_vehicle(hass: HomeAssistant, subentry_id: str) -> Vehicle | None:
    """Return a car that is loaded."""
    entries: list[SmartcarChargingConfigEntry] = (
        hass.config_entries.async_loaded_entries(DOMAIN)
    )
    return next(
        (
            vehicle
            for entry in entries
            if (vehicle := entry.runtime_data.vehicles.get(subentry_id)) is not None
        ),
        None,
    )


class Account:
    """The client that speaks with the entry's credentials, and a vehicle for each of its subentries."""

    def __init__(self, hass: HomeAssistant, entry: SmartcarChargingConfigEntry) -> None:
        """Make the client; nothing is sent."""
        self._hass = hass
        self._entry = entry
        self._credentials = entry.data
        self._session = async_get_clientsession(hass)
        self._client = SmartcarClient(
            self._session, auth_from(self._session, entry.data)
        )
        self._vehicle_listeners: list[VehicleListener] = []
        self._sync = asyncio.Lock()
        self._is_stopped = False
        self.vehicles: dict[str, Vehicle] = {}
        self.vehicles_by_device: dict[str, Vehicle] = {}

    async def async_sync(self) -> None:
        """Take over what changed in the entry: credentials in place, and only the cars that came, went or changed."""
        async with self._sync:
            if self._is_stopped:
                return
            if self._credentials != self._entry.data:
                self._credentials = self._entry.data
                self._client.auth = auth_from(self._session, self._entry.data)
            subentries = self._entry.subentries
            for subentry_id in self.vehicles.keys() - subentries.keys():
                await self._async_remove_vehicle(subentry_id)
            await async_forget_removed_cars(self._hass)
            for subentry_id, subentry in subentries.items():
                await self._async_add_or_update_vehicle(subentry_id, subentry)

    async def async_stop(self) -> None:
        """End the commands of all cars, and take no more cars; return when what became of them is written."""
        self._is_stopped = True
        # A car that is just being added or removed belongs to this as well.
        async with self._sync:
            await asyncio.gather(
                *(vehicle.async_stop() for vehicle in self.vehicles.values())
            )

    @callback
    def async_withdraw_issues(self) -> None:
        """Take back the repair issues, which only loaded cars can have."""
        for subentry_id in self.vehicles:
            async_withdraw_issues(self._hass, subentry_id)

    @property
    def token_age(self) -> float | None:
        """How old the token in use is, in seconds; unknown for a pasted one."""
        return self._client.auth.token_age

    async def async_check_credentials(self) -> None:
        """Ask Smartcar, free of charge, whether it accepts the credentials; being offline is no news."""
        try:
            await self._client.async_check_credentials()
        except AuthenticationError:
            self._async_start_reauth()
        except SmartcarError as err:
            _LOGGER.debug("The credentials could not be checked: %s", err.loggable)

    @callback
    def async_add_vehicle_listener(self, listener: VehicleListener) -> None:
        """Call the listener for every car, those of today and those to come."""
        self._vehicle_listeners.append(listener)
        for subentry_id, vehicle in self.vehicles.items():
            listener(subentry_id, vehicle)

    async def _async_add_or_update_vehicle(
        self, subentry_id: str, subentry: ConfigSubentry
    ) -> None:
        """Bring the car, and its device, in line with its subentry."""
        is_new = subentry_id not in self.vehicles
        if is_new:
            vehicle = Vehicle(
                self._hass,
                self._client,
                Ledger(self._hass, subentry_id, subentry.title),
                vehicle_id=subentry.data[CONF_VEHICLE_ID],
                user_id=subentry.data[CONF_USER_ID],
                name=subentry.title,
                on_rejected_credentials=self._async_start_reauth,
            )
            await vehicle.async_load()
            if vehicle.is_damaged:
                async_report_damage(self._hass, subentry_id, vehicle)
            self.vehicles[subentry_id] = vehicle
        vehicle = self.vehicles[subentry_id]
        vehicle.user_id = subentry.data[CONF_USER_ID]
        vehicle.rename(subentry.title)
        device = dr.async_get(self._hass).async_get_or_create(
            config_entry_id=self._entry.entry_id,
            config_subentry_id=subentry_id,
            identifiers={(DOMAIN, vehicle.vehicle_id)},
            name=subentry.title,
            manufacturer=subentry.data.get(CONF_MAKE),
            model=subentry.data.get(CONF_MODEL),
            model_id=None
            if (year := subentry.data.get(CONF_YEAR)) is None
            else str(year),
        )
        self.vehicles_by_device[device.id] = vehicle
        async_update_issues(self._hass, subentry_id, vehicle)
        if is_new:
            vehicle.changes.add(
                partial(async_update_issues, self._hass, subentry_id, vehicle)
            )
            for listener in self._vehicle_listeners:
                listener(subentry_id, vehicle)

    async def _async_remove_vehicle(self, subentry_id: str) -> None:
        """Stop a car that was removed."""
        vehicle = self.vehicles.pop(subentry_id)
        self.vehicles_by_device = {
            device_id: other
            for device_id, other in self.vehicles_by_device.items()
            if other is not vehicle
        }
        await vehicle.async_stop()
        async_withdraw_issues(self._hass, subentry_id)

    @callback
    def _async_start_reauth(self) -> None:
        """Ask the user for other credentials."""
        self._entry.async_start_reauth(self._hass)
