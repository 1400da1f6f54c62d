"""Solar yield from its own history: the last days' profile, scaled by how today went so far.

Profile. By time of day, the recency-weighted mean m of the last 15 days, and their highest value c as the clear-sky
ceiling. Days are laid out by one fixed offset from UTC, since the sun keeps no summer time.

Today. r = (Σ yield + s) / (Σ m + s) over today's sunlit steps so far, the latest weighing most, with s a share of a day's
yield so that the first rays of dawn decide nothing. The forecast h hours ahead is

    min(c, m·(1 + (r − 1)·a·exp(−h/τ))),   at least 0.

Quantiles are the past days' deviations from m at that time of day ± one hour, relative to m, narrowed near now by
sqrt(1 − (b·exp(−h/τ_b))²), and never above c.

Where nothing is known yet the forecast is NaN and `known_days` is 0. A weather
service's forecast, turned into power by `solar_power_from_irradiance`, is better beyond a few hours; give it to
`GivenForecaster`.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeArray, TimeGrid
from parkwatt.forecast.days import DayTable, neighbours, weighted_quantiles
from parkwatt.forecast.local_time import DAY_S, HOUR_S, LocalClock
from parkwatt.forecast.power import (
    QUANTILES,
    NativeSteps,
    PowerForecast,
    Quantiles,
    check_quantiles,
)

_WINDOW_DAYS: Final = 15
_HALF_LIFE_DAYS: Final = 6.0
_SO_FAR_HALF_LIFE_H: Final = 3.0
_PRIOR_SHARE_OF_DAY: Final = 0.02
_TODAY_SHARE: Final = 1.0
_TODAY_DECAY_H: Final = 24.0
_EXPLAINED_SHARE: Final = 0.8  # of the spread, now
_EXPLAINED_DECAY_H: Final = 5.0


class SolarForecaster:
    """Forecasts the yield of one solar plant from its history.

    ``grid``, ``solar_kw`` [T] ≥ 0: the history, NaN where unknown; it may reach past ``now``, a forecast reads only steps that
    ended by then. ``time_zone``: IANA name, so that a day ends at night.
    Raises ValueError for a wrong length, a step that does not divide a day, or an unknown zone.
    """

    def __init__(self, grid: TimeGrid, solar_kw: FloatArray, time_zone: str) -> None:
        clock = LocalClock.of(time_zone)
        offset_s = int(clock.offset_s(np.array([grid.start_unix_s]))[0])
        self._days = DayTable(grid, solar_kw, clock, fixed_offset_s=offset_s)
        self._grid = grid
        self._solar_kw = np.asarray(solar_kw, dtype=np.float64)
        self._profiles: dict[int, tuple[FloatArray, FloatArray]] = {}
        self._spreads: dict[tuple[int, Quantiles], FloatArray] = {}

    def forecast(
        self, now_unix_s: int, edges_unix_s: TimeArray, quantiles: Quantiles = QUANTILES
    ) -> PowerForecast:
        """The yield of the S steps between ``edges_unix_s`` [S+1], as far as it can be told at ``now_unix_s``.

        ``quantiles``: probabilities in (0, 1), rising; () saves their cost.
        Raises ValueError where edges or quantiles do not rise.
        """
        check_quantiles(quantiles)
        today = self._days.day_of(now_unix_s)
        mean_profile, ceiling = self._profile(today)
        steps = NativeSteps.covering(self._grid, edges_unix_s)
        starts = steps.starts_unix_s()
        columns = self._days.cells(starts)[1]
        ahead_h = np.maximum((starts + self._grid.step_s / 2 - now_unix_s) / HOUR_S, 0.0)
        weight = _TODAY_SHARE * np.exp(-ahead_h / _TODAY_DECAY_H)
        scale = 1.0 + (self._today_ratio(now_unix_s, today, mean_profile) - 1.0) * weight
        top = ceiling[columns]
        mean = np.clip(mean_profile[columns] * scale, 0.0, top)
        known_days = self._known_days(today)
        if not quantiles:
            mean_kw = steps.mean_over(mean, edges_unix_s)
            return PowerForecast(mean_kw, np.empty((0, len(mean_kw))), known_days)
        spread = self._spread(today, quantiles, mean_profile)[:, columns]
        explained = _EXPLAINED_SHARE * np.exp(-ahead_h / _EXPLAINED_DECAY_H)
        bands = np.clip(mean + spread * np.sqrt(1.0 - explained**2), 0.0, top)
        both = steps.mean_over(np.vstack((mean, bands)), edges_unix_s)
        return PowerForecast(both[0], both[1:], known_days)

    def _known_days(self, today: int) -> float:
        known = self._days.known[self._days.rows_before(today, _WINDOW_DAYS)]
        return float(known.sum()) / self._days.column_count

    def _profile(self, today: int) -> tuple[FloatArray, FloatArray]:
        """([C] mean, [C] ceiling) of the days before ``today``."""
        if today not in self._profiles:
            rows = self._days.rows_before(today, _WINDOW_DAYS)
            known, value = self._days.known[rows], self._days.value_kw[rows]
            recency = 0.5 ** (self._days.ages_of(rows, today) / _HALF_LIFE_DAYS)
            weight = recency @ known
            unknown = np.full(self._days.column_count, np.nan)
            mean = np.divide(recency @ value, weight, out=unknown, where=weight > 0)
            mean = _bridge(mean) if weight.any() else mean
            ceiling = np.maximum(value.max(axis=0, initial=0.0), mean)
            self._profiles[today] = (mean, ceiling)
        return self._profiles[today]

    def _today_ratio(self, now_unix_s: int, today: int, mean_profile: FloatArray) -> float:
        """Today's yield so far over the profile's, shrunk towards 1; 1 in the morning and where nothing is known."""
        stop = min(max(self._grid.index(now_unix_s), 0), self._grid.step_count)
        first = max(stop - DAY_S // self._grid.step_s, 0)
        starts = self._grid.start_unix_s + self._grid.step_s * np.arange(
            first, stop, dtype=np.int64
        )
        days, columns = self._days.cells(starts)
        actual, usual = self._solar_kw[first:stop], mean_profile[columns]
        used = (days == today) & np.isfinite(actual) & np.isfinite(usual)
        if not used.any():
            return 1.0
        age_h = (now_unix_s - starts[used]) / HOUR_S
        recency = 0.5 ** (age_h / _SO_FAR_HALF_LIFE_H)
        shrink = _PRIOR_SHARE_OF_DAY * float(np.nansum(mean_profile))
        shrink *= self._grid.step_s / HOUR_S
        usual_kwh = float(recency @ usual[used]) * self._grid.step_s / HOUR_S
        actual_kwh = float(recency @ actual[used]) * self._grid.step_s / HOUR_S
        if usual_kwh + shrink <= 0.0:
            return 1.0
        return (actual_kwh + shrink) / (usual_kwh + shrink)

    def _spread(self, today: int, quantiles: Quantiles, mean_profile: FloatArray) -> FloatArray:
        """[Q, C] quantiles of the past days' deviation from the profile, kW.

        Neighbouring times of day join in relative to their own profile: 15 days alone are few.
        """
        key = (today, quantiles)
        if key not in self._spreads:
            rows = self._days.rows_before(today, _WINDOW_DAYS)
            recency = 0.5 ** (self._days.ages_of(rows, today) / _HALF_LIFE_DAYS)
            weight = self._days.known[rows] * recency[:, np.newaxis] * (mean_profile > 0.0)
            usual = np.where(mean_profile > 0.0, mean_profile, 1.0)
            relative = self._days.value_kw[rows] / usual - 1.0
            if weight.any():
                shifts = neighbours(self._grid.step_s)
                spread = weighted_quantiles(
                    np.vstack([np.roll(relative, shift, axis=1) for shift in shifts]),
                    np.vstack([np.roll(weight, shift, axis=1) for shift in shifts]),
                    np.array(quantiles),
                )
                spread = np.where(np.isnan(spread), 0.0, spread * mean_profile)
            else:
                spread = np.zeros((len(quantiles), self._days.column_count))
            self._spreads[key] = spread
        return self._spreads[key]


def _bridge(profile: FloatArray) -> FloatArray:
    """The profile with unknown times of day drawn as straight lines between their neighbours, around midnight too."""
    known = np.flatnonzero(np.isfinite(profile))
    every = np.arange(len(profile))
    return np.interp(every, known, profile[known], period=len(profile))
