"""What a year's use costs a battery, by the ageing model run over the year's history of charge (docs/modelling/wear.md)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray
from parkwatt.fleet.year.drivers import MINUTES_OF_DAY, YearDays
from parkwatt.plan.wear import Cell, simulate_ageing
from parkwatt.plan.wear.price import END_OF_LIFE_FRACTION, SERVICE_YEARS

_DAYS_OF_YEAR: Final = 365.0
_MEAN_C: Final = 12.0
_SWING_C: Final = 10.0
_WARMEST_DAY: Final = 200


def climate_c(days: YearDays, first_day_of_year: int) -> FloatArray:
    """[S + 1] the battery's temperature: 12 °C, ± 10 °C over the year, warmest in the middle of July."""
    day = first_day_of_year + np.arange(days.step_count + 1) * days.step_minutes / MINUTES_OF_DAY
    return np.asarray(_MEAN_C + _SWING_C * np.cos(2 * np.pi * (day - _WARMEST_DAY) / _DAYS_OF_YEAR))


def wear_of_year(
    energy_kwh: NDArray[np.float32],
    days: YearDays,
    temperature_c: FloatArray,
    cell: Cell,
    energy_kwh_max: float,
    pack_price_per_kwh: float,
) -> float:
    """Currency for these days: the capacity that ten years of them take, for their part of the ten years, at the price of a
    pack that is worth nothing at 70 %.

    ``energy_kwh``: [S + 1] in the battery.
    """
    time_s = np.asarray(np.arange(len(energy_kwh)) * (days.step_minutes * 60.0), np.float64)
    soc: FloatArray = np.asarray(energy_kwh / energy_kwh_max, dtype=np.float64)
    soc = np.minimum(np.maximum(soc, 0.0), 1.0)
    aged = simulate_ageing(cell, time_s, soc, temperature_c, SERVICE_YEARS)
    left = np.interp(SERVICE_YEARS * _DAYS_OF_YEAR, aged.time_days, aged.capacity_fraction)
    worth = energy_kwh_max * pack_price_per_kwh / (1.0 - END_OF_LIFE_FRACTION)
    part = days.day_count / (SERVICE_YEARS * _DAYS_OF_YEAR)
    return float((1.0 - left) * part * worth)
