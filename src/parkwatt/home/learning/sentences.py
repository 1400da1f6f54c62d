"""What was learned about each circuit, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.home.circuit import Circuit
from parkwatt.domain.record import FloatArray
from parkwatt.forecast.local_time import WEEKDAY
from parkwatt.home.learning.days import DAY_HOURS, CircuitDays

_STEADY_RATIO: Final = 2.0  # the busiest three hours against the mean
_MOST_SHARE: Final = 0.5  # of a day's energy, in its busiest hours
_KINDS_APART: Final = 1.5
_KIND_DAYS_MIN: Final = 4
_SEASON_DAYS_MIN: Final = 30
_SEASONS_APART: Final = 1.5
_WINTER: Final = (11, 12, 1, 2, 3)


def sentences(
    circuits: Sequence[Circuit],
    days: CircuitDays,
    known_days: NDArray[np.int64],
    known_days_min: int,
) -> tuple[str, ...]:
    """A sentence for each circuit."""
    found = []
    for number, circuit in enumerate(circuits):
        name = circuit.name[:1].upper() + circuit.name[1:]
        known = int(known_days[number])
        if known < known_days_min:
            found.append(
                f"{name}: not known yet ({known} of {known_days_min} days measured); "
                "a typical use with a wide band stands in."
            )
            continue
        rows = np.flatnonzero(days.known[: days.today, number])
        found.append(f"{name}: {_use(days.filled_kw[rows, :, number], rows, days)}.")
    return tuple(found)


def _use(power_kw: FloatArray, rows: NDArray[np.int64], days: CircuitDays) -> str:
    daily = power_kw.sum(axis=1)
    energy_kwh = float(daily.mean())
    if energy_kwh < 0.005:
        return "used nothing so far"
    words = f"{_figure(energy_kwh)} kWh a day, {_when(power_kw.mean(axis=0))}"
    weekday = days.kinds[rows] == WEEKDAY
    if min(weekday.sum(), (~weekday).sum()) >= _KIND_DAYS_MIN:
        on_weekdays, at_weekends = float(daily[weekday].mean()), float(daily[~weekday].mean())
        if on_weekdays > _KINDS_APART * at_weekends:
            words += f", more on weekdays ({_figure(on_weekdays)}) than at weekends ({_figure(at_weekends)})"
        elif at_weekends > _KINDS_APART * on_weekdays:
            words += f", more at weekends ({_figure(at_weekends)}) than on weekdays ({_figure(on_weekdays)})"
    return words + _season(daily, days.first_day + rows)


def _season(daily: FloatArray, day_numbers: NDArray[np.int64]) -> str:
    months = day_numbers.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12 + 1
    cold = np.isin(months, _WINTER)
    if min(cold.sum(), (~cold).sum()) < _SEASON_DAYS_MIN:
        return ""
    in_cold, in_warm = float(daily[cold].mean()), float(daily[~cold].mean())
    if max(in_cold, in_warm) < _SEASONS_APART * min(in_cold, in_warm):
        return ""
    return f", {_figure(in_cold)} from November to March and {_figure(in_warm)} in the other months"


def _when(by_hour: FloatArray) -> str:
    """The hours that hold most of a day's energy; "day and night" where none stand out."""
    if by_hour.max() * 3 <= _STEADY_RATIO * 3 * by_hour.mean():
        return "day and night"
    around = np.concatenate((by_hour, by_hour))
    for hours in range(1, DAY_HOURS):
        sums = np.convolve(around, np.ones(hours), "valid")[:DAY_HOURS]
        start = int(np.argmax(sums))
        if sums[start] >= _MOST_SHARE * by_hour.sum():
            return f"mostly from {start} to {(start + hours) % DAY_HOURS} h"
    return "day and night"


def _figure(energy_kwh: float) -> str:
    return f"{energy_kwh:.2f}" if energy_kwh < 1 else f"{energy_kwh:.1f}"
