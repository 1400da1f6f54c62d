"""Solar power: the sun's place in the sky, a clear sky, and clouds that come and go.

Geometry: declination after Cooper (1969), equation of time after Spencer (1971). Clear sky: direct light after Meinel
(1976) through the air mass of Kasten and Young (1989), and a tenth of it scattered. Clouds: a share of the clear sky's
light for each day that remembers the day before, and a finer flicker within the day.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from parkwatt.app.demo.local_time import LocalTime, wandering, winter_of
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeArray

_SOLAR_CONSTANT_KW_PER_M2 = 1.353  # as used by Meinel
_SCATTERED_SHARE = 0.1
_CLOUD_MEMORY_BY_DAY = 0.45
_CLOUD_MEMORY_BY_STEP = 0.9


@dataclass(frozen=True, slots=True)
class Roof:
    """A solar roof that faces south. ``efficiency``: from light on the panel to AC, heat, dirt and inverter included."""

    rated_kw: float = 5.0
    tilt_deg: float = 35.0
    latitude_deg: float = 52.1
    longitude_deg: float = 5.1
    efficiency: float = 0.82


def daily_clearness(random: np.random.Generator, first_day_of_year: int, days: int) -> FloatArray:
    """[days] the share of a clear sky's light that reaches the ground, 0.1 … 1; lower in winter."""
    day_of_year = (first_day_of_year - 1 + np.arange(days, dtype=np.int64)) % 365 + 1
    mood = (
        wandering(random, days, _CLOUD_MEMORY_BY_DAY) * 1.15 + 0.2 - 0.75 * winter_of(day_of_year)
    )
    clearness: FloatArray = 0.1 + 0.9 / (1.0 + np.exp(-mood))
    return clearness


def solar_power_kw(
    random: np.random.Generator,
    starts_unix_s: TimeArray,
    step_s: int,
    local: LocalTime,
    clearness: FloatArray,
    roof: Roof,
) -> FloatArray:
    """[T] mean power of each step, kW ≥ 0."""
    clear_kw = clear_sky_kw(starts_unix_s + step_s // 2, local, roof)
    day = clearness[local.day]
    # Broken clouds flicker most; a clear day and a dull day are both steady.
    flicker = wandering(random, len(day), _CLOUD_MEMORY_BY_STEP) * 0.9 * day * (1.0 - day)
    power_kw: FloatArray = clear_kw * np.clip(day + flicker, 0.05, 1.0)
    return power_kw


def clear_sky_kw(times_unix_s: TimeArray, local: LocalTime, roof: Roof) -> FloatArray:
    """[T] what the roof would give under a clear sky at each time, kW."""
    angle = 2.0 * np.pi * (local.day_of_year - 1) / 365.0
    equation_of_time_min = 229.2 * (
        0.000075
        + 0.001868 * np.cos(angle)
        - 0.032077 * np.sin(angle)
        - 0.014615 * np.cos(2 * angle)
        - 0.04089 * np.sin(2 * angle)
    )
    utc_hour = (times_unix_s % 86_400) / 3600.0
    solar_hour = utc_hour + roof.longitude_deg / 15.0 + equation_of_time_min / 60.0
    hour_angle = np.pi / 12.0 * (solar_hour - 12.0)
    declination = np.radians(23.45) * np.sin(2 * np.pi * (284 + local.day_of_year) / 365.0)
    latitude, tilt = np.radians(roof.latitude_deg), np.radians(roof.tilt_deg)

    def height_sine(latitude_rad: float) -> FloatArray:
        result: FloatArray = np.sin(latitude_rad) * np.sin(declination) + np.cos(
            latitude_rad
        ) * np.cos(declination) * np.cos(hour_angle)
        return result

    sine = height_sine(latitude)
    height_deg = np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0)))
    is_up = height_deg > 0.0
    above = np.where(is_up, height_deg, 0.0)
    air_mass = 1.0 / (np.maximum(sine, 0.0) + 0.50572 * (above + 6.07995) ** -1.6364)
    direct = np.where(is_up, _SOLAR_CONSTANT_KW_PER_M2 * 0.7 ** (air_mass**0.678), 0.0)
    # A panel tilted south sees the sun as level ground does that much further south.
    on_panel = direct * np.maximum(height_sine(latitude - tilt), 0.0)
    scattered = _SCATTERED_SHARE * direct * (1.0 + np.cos(tilt)) / 2.0
    power_kw: FloatArray = roof.rated_kw * roof.efficiency * (on_panel + scattered)
    return np.minimum(power_kw, roof.rated_kw)
