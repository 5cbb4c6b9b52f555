"""A real Home Assistant as a process of its own, spoken to as a browser does."""

from .api import HomeAssistantApi
from .process import HomeAssistantProcess

__all__ = ["HomeAssistantApi", "HomeAssistantProcess"]
