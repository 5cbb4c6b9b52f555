"""Smartcar Charging sets a car's daily charge schedule, and tells what became of it."""

from datetime import datetime
from typing import Final

from homeassistant.const import Platform
from homeassistant.core import CoreState, HassJob, HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.start import async_at_started
from homeassistant.helpers.typing import ConfigType

from .account import Account, SmartcarChargingConfigEntry, async_forget_removed_cars
from .const import DOMAIN
from .services import async_setup_services

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)

# Some Home Assistants arm automations only when they have started.
SECONDS_UNTIL_AUTOMATIONS_ARE_ARMED: Final = 5

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
    # Before anything is waited for: a car may be added meanwhile.
    entry.async_on_unload(entry.add_update_listener(_async_entry_updated))
    await account.async_sync()
    await hass.config_entries.async_forward_entry_setups(entry, _PLATFORMS)
    # Before the stop event: with it, Home Assistant already notes which events it
    # restores after the next start.
    stop = HassJob(account.async_stop)
    entry.async_on_unload(hass.async_add_shutdown_job(stop))
    _tell_untold_when_heard(hass, entry)
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
    await async_forget_removed_cars(hass)


async def _async_entry_updated(
    hass: HomeAssistant, entry: SmartcarChargingConfigEntry
) -> None:
    """Take over changed credentials and cars without a reload."""
    await entry.runtime_data.async_sync()


def _tell_untold_when_heard(
    hass: HomeAssistant, entry: SmartcarChargingConfigEntry
) -> None:
    """Tell what a stop cut off, once automations can hear it."""
    account = entry.runtime_data
    was_running = hass.state is CoreState.running

    async def tell(_now: datetime) -> None:
        """Tell it."""
        await account.async_tell_untold()

    async def started(_hass: HomeAssistant) -> None:
        """Tell it, at once if automations are armed."""
        if was_running:
            await account.async_tell_untold()
            return
        job = HassJob(tell, cancel_on_shutdown=True)
        delay = SECONDS_UNTIL_AUTOMATIONS_ARE_ARMED
        entry.async_on_unload(async_call_later(hass, delay, job))

    entry.async_on_unload(async_at_started(hass, started))
