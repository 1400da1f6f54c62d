"""The site in Home Assistant: one device for the site, one for each car, one for what backs up the home."""

from parkwatt.app.up.home_assistant.devices import devices
from parkwatt.app.up.home_assistant.duty import home_assistant

__all__ = ["devices", "home_assistant"]
