"""What happens to the records of a car that is set up no more: the user hears what it leaves on the car."""

from homeassistant.components import persistent_notification
from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from .const import DOMAIN
from .issues import async_forget_damage
from .ledger import Ledger, async_remove_files, async_stored_keys
from .messages import describe_schedule


async def async_forget_removed_cars(
    hass: HomeAssistant, but: str | None = None
) -> None:
    """Forget the cars that are in no entry, or only in the one that is being removed, however that came about."""
    entries = hass.config_entries.async_entries(DOMAIN)
    present = {
        key for entry in entries if entry.entry_id != but for key in entry.subentries
    }
    for key in sorted(await async_stored_keys(hass) - present):
        ledger = Ledger(hass, key)
        await ledger.async_load()
        await _async_notify(hass, ledger, key)
        await async_remove_files(hass, key)
        async_forget_damage(hass, key)


async def _async_notify(hass: HomeAssistant, ledger: Ledger, key: str) -> None:
    """Leave a notification if schedules set from Home Assistant are still on the car, or may be."""
    left = [describe_schedule(hass, schedule) for schedule in ledger.schedules]
    left += [describe_schedule(hass, schedule) for schedule in ledger.possible]
    if not left:
        return
    words = await async_get_translations(hass, hass.config.language, "issues", [DOMAIN])
    prefix = f"component.{DOMAIN}.issues.left_on_car"
    gaps = {
        "vehicle": ledger.vehicle_name,
        "schedules": "\n".join(f"- {schedule}" for schedule in left),
    }
    persistent_notification.async_create(
        hass,
        words[f"{prefix}.description"].format(**gaps),
        words[f"{prefix}.title"].format(**gaps),
        f"{DOMAIN}_left_on_{key}",
    )
