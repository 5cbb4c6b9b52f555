"""Smartcar Charging: sets a car's daily charge schedule, and tells the truth about what became of it."""

from homeassistant.const import Platform
from homeassistant.core import HassJob, HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.typing import ConfigType

from .account import Account, SmartcarChargingConfigEntry
from .const import DOMAIN
from .removal import async_forget_removed_cars
from .services import async_setup_services

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)

_PLATFORMS = [
    Platform.BUTTON,
    Platform.CALENDAR,
    Platform.EVENT,
    Platform.SELECT,
    Platform.SENSOR,
    Platform.TIME,
]


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register the actions, whether or not an account is loaded."""
    async_setup_services(hass)
    return True


async def async_setup_entry(
    hass: HomeAssistant, entry: SmartcarChargingConfigEntry
) -> bool:
    """Load the cars from what is stored; the cloud is not needed for that."""
    entry.runtime_data = account = Account(hass, entry)
    await account.async_sync()
    await hass.config_entries.async_forward_entry_setups(entry, _PLATFORMS)
    entry.async_on_unload(entry.add_update_listener(_async_entry_updated))
    # Before the stop event: with it, Home Assistant already notes which events it restores after the next start.
    entry.async_on_unload(hass.async_add_shutdown_job(HassJob(account.async_stop)))
    entry.async_create_background_task(
        hass, account.async_check_credentials(), f"{DOMAIN} credentials check"
    )
    return True


async def async_unload_entry(
    hass: HomeAssistant, entry: SmartcarChargingConfigEntry
) -> bool:
    """End the commands under way, then unload the entities."""
    await entry.runtime_data.async_stop()
    entry.runtime_data.async_withdraw_issues()
    return await hass.config_entries.async_unload_platforms(entry, _PLATFORMS)


async def async_remove_entry(
    hass: HomeAssistant, entry: SmartcarChargingConfigEntry
) -> None:
    """Forget what was recorded of the cars."""
    await async_forget_removed_cars(hass, but=entry.entry_id)


async def _async_entry_updated(
    hass: HomeAssistant, entry: SmartcarChargingConfigEntry
) -> None:
    """Take over changed credentials and cars without a reload."""
    await entry.runtime_data.async_sync()
