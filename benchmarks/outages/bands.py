"""Whether the band of hours left holds: what was forecast against what happened with the same circuits on.

A forecast is made at the outage's start and every six hours of it, for the circuits that are on then and a car that stays.
The outcome is lived on with these circuits, past the outage's end, until the car is at its floor. It counts where the
home's data go on without a gap for a quarter longer than the 90th percentile says; whether it counts is known before the
outcome is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.outages.cars import DISCHARGE_EFFICIENCY, STANDBY_KW
from benchmarks.outages.homes import STEP_S, Home
from parkwatt.forecast.local_time import HOUR_S

EVERY_S: Final = 6 * HOUR_S


@dataclass(frozen=True, slots=True)
class BandCheck:
    """Hours left as forecast ``ahead_s`` after the outage began, and as they came."""

    ahead_s: int
    hours_p10: float
    hours_p50: float
    hours_p90: float
    outcome_h: float

    @property
    def is_covered(self) -> bool:
        """Whether the outcome lies in the band."""
        return self.hours_p10 <= self.outcome_h <= self.hours_p90

    @property
    def width(self) -> float:
        """The band's width over its median."""
        return (self.hours_p90 - self.hours_p10) / self.hours_p50


def hours_lived(
    home: Home, at_unix_s: int, on: NDArray[np.bool_], usable_kwh: float, hours_max: float
) -> float | None:
    """Hours from a time on until ``usable_kwh`` of the battery are gone, at most ``hours_max``.

    None where the data have a gap before ``hours_max``.
    """
    first = home.grid.index(at_unix_s)
    steps = -(-int(hours_max * HOUR_S) // STEP_S)
    load_kw = home.power_kw[:, first : first + steps]
    solar_kw = home.solar_kw[first : first + steps]
    if load_kw.shape[1] < steps or not np.isfinite(load_kw.sum(axis=0) + solar_kw).all():
        return None
    net_kw = np.maximum(load_kw[on].sum(axis=0) + STANDBY_KW - solar_kw, 0.0)
    drained_kwh = np.cumsum(home.grid.step_h * net_kw / DISCHARGE_EFFICIENCY)
    drained_kwh = np.concatenate(([0.0], drained_kwh))
    hours = float(np.interp(usable_kwh, drained_kwh, np.arange(steps + 1) * home.grid.step_h))
    return min(hours, hours_max)
