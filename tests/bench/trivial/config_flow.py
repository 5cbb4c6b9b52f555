"""Home Assistant wants one for every entry; nobody ever walks it."""

from homeassistant.config_entries import ConfigFlow


class TrivialConfigFlow(ConfigFlow, domain="trivial"):
    """A config flow without steps."""
