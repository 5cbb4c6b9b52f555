"""One set of credentials and its cars, while loaded; and what a removed car leaves."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
import logging
from typing import Any

import aiohttp
from homeassistant.components import persistent_notification
from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import CONF_ACCESS_TOKEN, CONF_CLIENT_ID, CONF_CLIENT_SECRET
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.aiohttp_client import async_create_clientsession
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util

from .const import (
    CONF_MAKE,
    CONF_MODEL,
    CONF_USER_ID,
    CONF_VEHICLE_ID,
    CONF_YEAR,
    DASHBOARD_URL,
    DOMAIN,
)
from .errors import describe_schedule
from .issues import VehicleIssues, docs_url
from .ledger import (
    LedgerUnreadableError,
    async_keys_not_in_use,
    async_read_state,
    async_remove_record,
)
from .models import VehicleState
from .smartcar import (
    AccessToken,
    Auth,
    AuthenticationError,
    ClientCredentials,
    SmartcarClient,
    SmartcarError,
    create_trace_config,
)
from .vehicle import SmartcarVehicle

_LOGGER = logging.getLogger(__name__)

type SmartcarChargingConfigEntry = ConfigEntry[Account]
type VehicleListener = Callable[[str, SmartcarVehicle], None]


def create_auth(session: aiohttp.ClientSession, data: Mapping[str, Any]) -> Auth:
    """Return where the tokens come from: API credentials, or a pasted token."""
    if CONF_CLIENT_ID in data:
        return ClientCredentials(
            session, data[CONF_CLIENT_ID], data[CONF_CLIENT_SECRET]
        )
    return AccessToken(data[CONF_ACCESS_TOKEN])


def create_session(
    hass: HomeAssistant, *, auto_cleanup: bool = True
) -> aiohttp.ClientSession:
    """Return a session of ours on Home Assistant's shared connections."""
    return async_create_clientsession(
        hass, auto_cleanup=auto_cleanup, trace_configs=[create_trace_config()]
    )


def find_vehicle(hass: HomeAssistant, key: str) -> SmartcarVehicle | None:
    """Return the car of a subentry that is loaded now."""
    entries: list[SmartcarChargingConfigEntry]
    entries = hass.config_entries.async_loaded_entries(DOMAIN)
    for entry in entries:
        vehicle = entry.runtime_data.vehicles.get(key)
        if vehicle is not None:
            return vehicle
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownVehicle:
    """A car that is set up, loaded or not; without a device if it never was."""

    key: str
    name: str
    device_id: str | None


def find_known_vehicles(hass: HomeAssistant) -> list[KnownVehicle]:
    """Return all cars that are set up, as the user calls them."""
    known = []
    registry = dr.async_get(hass)
    for entry in hass.config_entries.async_entries(DOMAIN):
        devices = dr.async_entries_for_config_entry(registry, entry.entry_id)
        for key, subentry in entry.subentries.items():
            name, device_id = subentry.title, None
            device = _find_device(devices, subentry)
            if device is not None:
                name, device_id = device.name_by_user or name, device.id
            known.append(KnownVehicle(key=key, name=name, device_id=device_id))
    return known


def _find_device(
    devices: list[dr.DeviceEntry], subentry: ConfigSubentry
) -> dr.DeviceEntry | None:
    """Return the device of a car; not by its subentry, which old devices do not say."""
    identifier = (DOMAIN, subentry.data[CONF_VEHICLE_ID])
    for device in devices:
        if identifier in device.identifiers:
            return device
    return None


class Account:
    """The client that uses the entry's credentials, and the cars of its subentries."""

    def __init__(self, hass: HomeAssistant, entry: SmartcarChargingConfigEntry) -> None:
        """Initialize the client; nothing is sent."""
        self._hass = hass
        self._entry = entry
        self._credentials = entry.data
        self._session = create_session(hass)
        auth = create_auth(self._session, entry.data)
        self._client = SmartcarClient(self._session, auth)
        self._vehicle_listeners: list[VehicleListener] = []
        self._unsubscribe: dict[str, CALLBACK_TYPE] = {}
        self._issues: dict[str, VehicleIssues] = {}
        self._lock = asyncio.Lock()
        self._is_stopped = False
        self.vehicles: dict[str, SmartcarVehicle] = {}
        self.vehicles_by_device: dict[str, SmartcarVehicle] = {}
        entry.async_on_unload(
            hass.bus.async_listen(
                dr.EVENT_DEVICE_REGISTRY_UPDATED, self._async_device_updated
            )
        )

    async def async_sync(self) -> None:
        """Take over what changed in the entry; only cars that changed are touched."""
        self._async_take_over_credentials()
        async with self._lock:
            if self._is_stopped:
                return
            for key in set(self.vehicles) - set(self._entry.subentries):
                await self._async_remove_vehicle(key)
            await async_forget_removed_cars(self._hass)
            for key in tuple(self._entry.subentries):
                await self._async_add_or_update_vehicle(key)

    @callback
    def _async_take_over_credentials(self) -> None:
        """Use the entry's credentials, and the cars' users, from the next sending on.

        Without waiting, even for the lock: one without the other reaches no car.
        """
        if self._credentials != self._entry.data:
            self._credentials = self._entry.data
            self._client.auth = create_auth(self._session, self._entry.data)
        for key, vehicle in self.vehicles.items():
            subentry = self._entry.subentries.get(key)
            if subentry is not None:
                vehicle.user_id = subentry.data[CONF_USER_ID]

    async def async_stop(self) -> None:
        """End the commands of all cars, and take no more cars."""
        self._is_stopped = True
        # A car that is just being added or removed belongs to this as well.
        async with self._lock:
            stops = [vehicle.async_stop() for vehicle in self.vehicles.values()]
            await asyncio.gather(*stops)

    @callback
    def async_withdraw_issues(self) -> None:
        """Take back the repair issues, which only loaded cars can have."""
        for key in self.vehicles:
            self._stop_issues(key)

    async def async_tell_untold(self) -> None:
        """Tell the end of the commands that a stop cut off."""
        for vehicle in tuple(self.vehicles.values()):
            await vehicle.async_tell_untold()

    @property
    def token_age(self) -> float | None:
        """How old the token in use is, in seconds; unknown for a pasted one."""
        return self._client.auth.token_age

    async def async_check_credentials(self) -> None:
        """Ask Smartcar, free of charge, whether it accepts the credentials."""
        try:
            await self._client.async_check_credentials()
        except AuthenticationError as err:
            self._async_credentials_rejected(err)
        except SmartcarError as err:
            _LOGGER.debug("The credentials could not be checked: %s", err.loggable)

    @callback
    def async_add_vehicle_listener(self, listener: VehicleListener) -> None:
        """Call the listener for every car, those of today and those to come."""
        self._vehicle_listeners.append(listener)
        for key, vehicle in self.vehicles.items():
            listener(key, vehicle)

    async def _async_add_or_update_vehicle(self, key: str) -> None:
        """Bring a car, and its device, in line with its subentry."""
        subentry = self._entry.subentries.get(key)
        if subentry is None:
            return
        device = self._async_update_device(subentry)
        if key in self.vehicles:
            return
        vehicle = SmartcarVehicle(
            self._hass,
            self._entry,
            self._client,
            key=key,
            name=device.name_by_user or subentry.title,
            vehicle_id=subentry.data[CONF_VEHICLE_ID],
            user_id=subentry.data[CONF_USER_ID],
            on_rejected_credentials=self._async_credentials_rejected,
        )
        await vehicle.async_load()
        if key not in self._entry.subentries:
            await vehicle.async_stop()
            return
        # The user may have changed while the record was read.
        vehicle.user_id = subentry.data[CONF_USER_ID]
        self.vehicles[key] = vehicle
        self.vehicles_by_device[device.id] = vehicle
        # It may have been renamed meanwhile.
        self._async_follow_name(device.id)
        self._issues[key] = issues = VehicleIssues(self._hass, vehicle)
        self._unsubscribe[key] = vehicle.async_add_listener(issues.async_update)
        issues.async_update()
        for listener in self._vehicle_listeners:
            listener(key, vehicle)

    @callback
    def _async_update_device(self, subentry: ConfigSubentry) -> dr.DeviceEntry:
        """Register a car's device, or update what its subentry says of it."""
        year = subentry.data.get(CONF_YEAR)
        return dr.async_get(self._hass).async_get_or_create(
            config_entry_id=self._entry.entry_id,
            config_subentry_id=subentry.subentry_id,
            identifiers={(DOMAIN, subentry.data[CONF_VEHICLE_ID])},
            name=subentry.title,
            manufacturer=subentry.data.get(CONF_MAKE),
            model=subentry.data.get(CONF_MODEL),
            model_id=None if year is None else str(year),
            configuration_url=DASHBOARD_URL,
        )

    @callback
    def _async_device_updated(
        self, event: Event[dr.EventDeviceRegistryUpdatedData]
    ) -> None:
        """Take over the name of a device that was updated."""
        self._async_follow_name(event.data["device_id"])

    @callback
    def _async_follow_name(self, device_id: str) -> None:
        """Call a car as its device is called now.

        It is in the car's state and on its way to the disk when this returns: with a
        car that is removed, its device is gone before anybody hears of it.
        """
        vehicle = self.vehicles_by_device.get(device_id)
        device = dr.async_get(self._hass).async_get(device_id)
        if vehicle is None or device is None:
            return
        name = device.name_by_user or str(device.name)
        self._hass.async_create_task(vehicle.async_rename(name), f"{DOMAIN} rename")

    async def _async_remove_vehicle(self, key: str) -> None:
        """Stop a car that was removed."""
        vehicle = self.vehicles.pop(key)
        for device_id, other in tuple(self.vehicles_by_device.items()):
            if other is vehicle:
                del self.vehicles_by_device[device_id]
        await vehicle.async_stop()
        self._stop_issues(key)

    @callback
    def _stop_issues(self, key: str) -> None:
        """Withdraw the issues of a car, and raise none any more."""
        self._unsubscribe.pop(key)()
        self._issues.pop(key).async_withdraw()

    @callback
    def _async_credentials_rejected(self, error: AuthenticationError) -> None:
        """Ask the user for other credentials, if those in use were rejected."""
        entry = self._hass.config_entries.async_get_entry(self._entry.entry_id)
        if entry is not None and error.auth is self._client.auth:
            entry.async_start_reauth(self._hass)


async def async_forget_removed_cars(hass: HomeAssistant) -> None:
    """Forget the cars that are in no entry; one that is being removed is none any more.

    The files are looked for first: a car that is added meanwhile is not among them.
    """
    keys = await async_keys_not_in_use(hass)
    for entry in hass.config_entries.async_entries(DOMAIN):
        keys -= set(entry.subentries)
    for key in sorted(keys):
        try:
            state = await async_read_state(hass, key)
            await _async_notify(hass, key, state or VehicleState(name=""))
            await async_remove_record(hass, key)
        except (LedgerUnreadableError, OSError) as err:
            # One that stays harms nobody, and is tried again at the next start.
            name = type(err).__name__
            _LOGGER.warning("The record of a removed car could not go: %s", name)


async def _async_notify(hass: HomeAssistant, key: str, state: VehicleState) -> None:
    """Leave a notification of the schedules that are on a removed car, or may be."""
    state = state.end_interrupted(dt_util.utcnow())
    if not state.schedules and not state.is_record_lost:
        return
    words = await async_get_translations(hass, hass.config.language, "issues", [DOMAIN])
    issues = f"component.{DOMAIN}.issues"
    name = state.name or "?"
    left = [f"- {describe_schedule(hass, schedule)}" for schedule in state.schedules]
    if state.is_record_lost:
        lost = words[f"{issues}.record_damaged.title"]
        left.append(f"- {lost.format(vehicle=name)}")
    placeholders = {
        "vehicle": name,
        "schedules": "\n".join(left),
        "docs_url": docs_url(hass),
    }
    prefix = f"{issues}.left_on_car"
    persistent_notification.async_create(
        hass,
        words[f"{prefix}.description"].format(**placeholders),
        words[f"{prefix}.title"].format(**placeholders),
        f"{DOMAIN}_left_on_{key}",
    )
