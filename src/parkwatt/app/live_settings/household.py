"""The table [household]: what a house uses and its roof yields as its owner says, until the meters have told a week.

[household]
kwh_per_year = 3500           without cars and heating
heat_pump_kwh_per_year = 4000
solar_kw_peak = 8.2
roof_azimuth_deg = 180       clockwise from north: 90 east, 180 south, 270 west
roof_tilt_deg = 35
latitude_deg, longitude_deg   without them, the main town of the tariff's time zone
"""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from parkwatt.domain.record import Record
from parkwatt.forecast.power import PowerForecaster
from parkwatt.forecast.standard import StandardLoad, StandardSun
from parkwatt.io.zone_places import place_of

_KWH_MAX = 1_000_000.0
_KW_MAX = 10_000.0


@dataclass(frozen=True, slots=True)
class HouseholdGuess:
    """What is taken for load and sun before they are known; None where nothing was said."""

    load: PowerForecaster | None = None
    solar: PowerForecaster | None = None


def read_household(
    record: Record, time_zone: ZoneInfo, *, measures_load: bool, measures_sun: bool
) -> HouseholdGuess:
    """The guesses of the table ``record``; after faults they must not be used.

    Where the grid is measured and the sun is not, the measured load is less the sun already: then the sun is not guessed.
    """
    used_kwh = record.number("kwh_per_year", minimum=0.0, maximum=_KWH_MAX)
    heat_kwh = record.number("heat_pump_kwh_per_year", 0.0, minimum=0.0, maximum=_KWH_MAX)
    peak_kw = record.number("solar_kw_peak", 0.0, minimum=0.0, maximum=_KW_MAX)
    azimuth_deg = record.number("roof_azimuth_deg", 180.0, minimum=0.0, maximum=360.0)
    tilt_deg = record.number("roof_tilt_deg", 35.0, minimum=0.0, maximum=90.0)
    place = place_of(str(time_zone))
    north, east = (None, None) if place is None else place
    if peak_kw == 0.0:
        north, east = 0.0, 0.0
    latitude_deg = record.number("latitude_deg", north, minimum=-90.0, maximum=90.0)
    longitude_deg = record.number("longitude_deg", east, minimum=-180.0, maximum=180.0)
    record.finish()
    load = StandardLoad(used_kwh, heat_kwh, str(time_zone))
    if peak_kw == 0.0 or (measures_load and not measures_sun):
        return HouseholdGuess(load)
    sun = StandardSun(peak_kw, azimuth_deg, tilt_deg, latitude_deg, longitude_deg)
    return HouseholdGuess(load, sun)
