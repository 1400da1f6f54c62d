"""What accounts need to know, from the settings of a running site."""

from __future__ import annotations

from parkwatt.site.account import AccountSettings, CarAccountSettings
from parkwatt.site.live.settings import SiteSettings


def account_settings(site: SiteSettings) -> AccountSettings:
    """The account's part of a site's settings."""
    return AccountSettings(
        site_name=site.name,
        time_zone=site.time_zone,
        tariff=site.tariff,
        cars=tuple(
            CarAccountSettings(
                charger_id=car.charger_id,
                evse_id=car.evse_id,
                storage=car.storage,
                floor_soc=car.wishes.floor_soc,
                cell_id=car.cell_id,
                temperature_c=car.temperature_c,
            )
            for car in site.cars
        ),
        import_limit_kw=site.import_limit_kw,
        export_limit_kw=site.export_limit_kw,
    )
