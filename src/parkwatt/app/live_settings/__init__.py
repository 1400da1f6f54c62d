"""What a site's TOML file says to `parkwatt up` (docs/guides/live.md): read and checked as a whole, nothing opened yet."""

from parkwatt.app.live_settings.settings import (
    CarSources,
    LiveSettings,
    load_live_settings,
    read_live_settings,
)

__all__ = ["CarSources", "LiveSettings", "load_live_settings", "read_live_settings"]
