"""What is known of a site, of a car and of its present stay, when a plan is made."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from parkwatt.domain.problem import Storage
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeArray, TimeGrid
from parkwatt.forecast.power import PowerForecaster
from parkwatt.forecast.presence import PresenceModel
from parkwatt.site.horizon.prices import KnownPrices

_DAY_S = 86_400
_DAYS_OF_HABIT = 28
_TRIPS_BACK = 20
# Before anything is known of the car's habits it is taken to be there six hours out of ten.
_AVAILABLE_AT_FIRST = 0.6


@dataclass(frozen=True, slots=True, eq=False)
class SiteAhead:
    """A site. ``end_unix_s``: nothing is looked at beyond. ``near_s``: at the start of a plan, in the prices' own steps;
    from there on it goes by the hour, up to ``horizon_s``.
    """

    currency: str
    time_zone: ZoneInfo
    prices: KnownPrices
    load_forecaster: PowerForecaster
    solar_forecaster: PowerForecaster
    end_unix_s: int
    near_s: int
    horizon_s: int
    solar_curtailable: bool = True
    import_limit_kw: float | None = None
    export_limit_kw: float | None = None
    demand_charge_per_kw: float = 0.0

    @property
    def grid(self) -> TimeGrid:
        """The grid of the prices, whose steps the plan keeps near now; it begins at a whole hour."""
        return self.prices.grid

    @property
    def hour_s(self) -> int:
        """A step of the plan far ahead: an hour, or the prices' step where that is longer."""
        return max(3600 // self.grid.step_s, 1) * self.grid.step_s

    def floor_unix_s(self, time_unix_s: int) -> int:
        """The last edge of the grid at or before the time."""
        grid = self.grid
        return grid.start_unix_s + grid.index(time_unix_s) * grid.step_s

    def horizon_end_unix_s(self, now_unix_s: int) -> int:
        """Where a plan made at ``now`` ends at the latest."""
        return min(self.floor_unix_s(now_unix_s) + self.horizon_s, self.end_unix_s)


@dataclass(frozen=True, slots=True)
class StayAhead:
    """A stay to come. ``energy_kwh_used``: what the trip before it takes; ``energy_kwh_asked``: None: nothing."""

    arrival_unix_s: int
    departure_unix_s: int
    energy_kwh_used: float
    energy_kwh_asked: float | None


@dataclass(frozen=True, slots=True, eq=False)
class PastUse:
    """When a car was plugged in and what its trips took.

    ``plugged``: [T] 1.0 where it was, on ``grid``. ``arrival_unix_s``: [N] rising; ``used_kwh``: [N] by the trip before each.
    What lies after the time at which it is read is not looked at.
    """

    grid: TimeGrid
    plugged: FloatArray
    arrival_unix_s: TimeArray
    used_kwh: FloatArray

    def available(self, now_unix_s: int, starts_unix_s: TimeArray) -> FloatArray:
        """[N] how often the car was there at the times of day of ``starts_unix_s`` [N], and more so on that weekday."""
        days = np.arange(1, _DAYS_OF_HABIT + 1)
        source_s = starts_unix_s[np.newaxis, :] - (days * _DAY_S)[:, np.newaxis]
        usable = (source_s >= self.grid.start_unix_s) & (source_s < now_unix_s)
        usable &= source_s < self.grid.end_unix_s
        step = (source_s - self.grid.start_unix_s) // self.grid.step_s
        plugged = np.where(usable, self.plugged[np.where(usable, step, 0)], 0.0)
        weight = np.where(usable, np.where(days % 7 == 0, 3.0, 1.0)[:, np.newaxis], 0.0)
        total = (plugged * weight).sum(axis=0) + _AVAILABLE_AT_FIRST
        return np.asarray(total / (weight.sum(axis=0) + 1.0), dtype=np.float64)

    def usually_used_kwh(self, now_unix_s: int) -> float | None:
        """The mean of the trips before the last arrivals; None before the first."""
        known = int(np.searchsorted(self.arrival_unix_s, now_unix_s, side="right"))
        recent = self.used_kwh[max(0, known - _TRIPS_BACK) : known]
        return float(recent.mean()) if len(recent) else None


@dataclass(frozen=True, slots=True, eq=False)
class CarAhead:
    """A car. ``storage``: as its plan may use it.

    ``presence``: its habits, None where nothing is known. ``early_probability``: None where its departure is declared;
    otherwise it is learned too, and a reserve that covers all trips but this share is there at once.
    ``stays_known``: all stays to come, where a calendar tells them; None: expected from the habits.
    """

    storage: Storage
    past: PastUse
    presence: PresenceModel | None = None
    early_probability: float | None = None
    stays_known: tuple[StayAhead, ...] | None = None
    energy_kwh_on_road_min: float = 0.0
    may_export: bool = False
