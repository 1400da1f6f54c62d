"""A home's backup as its control needs it, from the site's file."""

from __future__ import annotations

from typing import Final

from parkwatt.app.live_settings.backup import BackupSettings
from parkwatt.home.announced import AnnouncedSettings
from parkwatt.home.island import IslandSettings
from parkwatt.home.settings import HomeBattery, HomeGenerator, HomeSettings
from parkwatt.site.live.settings import SiteSettings

# How long an outage by storm is taken to last where no feed's settings say so.
_OUTAGE_H: Final = 24.0


def home_settings(backup: BackupSettings, site: SiteSettings) -> HomeSettings:
    """The settings of the home's control."""
    island = IslandSettings(
        grid_code=backup.grid_code,
        abilities=backup.abilities,
        confirm_s=backup.confirm_s,
        dead_s=backup.dead_s,
        answer_s=backup.answer_s,
        source_answer_s=backup.source_answer_s,
        reading_age_s=backup.reading_age_s,
        lease_s=backup.lease_s,
        restart_waits_s=backup.restart_waits_s,
    )
    announced = AnnouncedSettings(standby_kw=backup.standby_kw, restart_kwh=backup.restart_kwh)
    expected_h = _OUTAGE_H if backup.alerts is None else backup.alerts.outage_hours
    return HomeSettings(
        time_zone=site.time_zone,
        island=island,
        source_car_id=backup.car_id,
        floor_soc=backup.floor_soc,
        continuous_kw=backup.continuous_kw,
        surge_kw=backup.surge_kw,
        spacing_s=backup.spacing_s,
        standby_kw=backup.standby_kw,
        restart_kwh=backup.restart_kwh,
        return_kw_max=sum(car.storage.charge_kw_max for car in site.cars),
        circuits=tuple(one.circuit for one in backup.circuits),
        battery=_battery(backup),
        generator=_generator(backup),
        announced=announced,
        expected_outage_s=expected_h * 3600.0,
        test_s_max=backup.test_minutes_max * 60,
        forecast_s=backup.forecast_s,
    )


def _battery(backup: BackupSettings) -> HomeBattery | None:
    one = backup.battery
    if one is None:
        return None
    return HomeBattery(
        battery_id=one.battery_id,
        capacity_kwh=one.capacity_kwh,
        floor_kwh=one.floor_soc * one.capacity_kwh,
        discharge_kw_max=one.discharge_kw_max,
        discharge_efficiency=one.discharge_efficiency,
    )


def _generator(backup: BackupSettings) -> HomeGenerator | None:
    one = backup.generator
    if one is None:
        return None
    return HomeGenerator(
        power_kw_max=one.power_kw_max,
        fuel_kwh=one.fuel_kwh,
        warm_up_s=one.warm_up_s,
        cool_down_s=one.cool_down_s,
        switchable=one.device is not None,
    )
