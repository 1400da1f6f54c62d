"""Household load from its own history: a profile by time of day and kind of day, blended with the latest deviation.

Profile. At each local midnight the days of the last eight weeks are averaged by time of day for each kind of day
(weekday, Saturday, Sunday or holiday), a day aged a days with weight 2^(−a/half-life). A kind of day that is known on
fewer than `_OWN_DAYS` days borrows from all days in proportion to what it lacks, so that a new house has a forecast on
its second day. The profile is kept until the next midnight: it never sees the day that it forecasts.

Blend. Loads persist: where the last hour ran above its profile, the next will too. With the deviations of the last hour
d₁ and of the last 24 hours d₂₄ (of what is known in them), the mean forecast h hours ahead is

    profile + d₂₄·a₂₄·exp(−h/τ₂₄) + (d₁ − a₂₄·d₂₄)·a₁·exp(−h/τ₁),   never below 0.

Quantiles. The deviations of past days from the profile, of the same time of day ± one hour, give the spread; near now it is
narrower, by sqrt(1 − (a₁·exp(−h/τ₁))²), the share of the spread that the blend does not explain.

The recipe (seasonal profile of about 30 days, measured values blended into the next hours) is that of evcc's optimizer; its
constants were fitted here on half of the homes and checked on the others, see docs/modelling/forecasts.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeArray, TimeGrid
from parkwatt.forecast.days import DayTable, neighbours, weighted_quantiles
from parkwatt.forecast.local_time import DAY_S, HOUR_S, KIND_COUNT, LocalClock
from parkwatt.forecast.power import (
    QUANTILES,
    NativeSteps,
    PowerForecast,
    Quantiles,
    check_quantiles,
)

_WINDOW_DAYS: Final = 56
_HALF_LIFE_DAYS: Final = 12.0
_OWN_DAYS: Final = 3.0
_HOUR_SHARE: Final = 0.6
_HOUR_DECAY_H: Final = 3.0
_DAY_SHARE: Final = 0.5
_DAY_DECAY_H: Final = 48.0


@dataclass(frozen=True, slots=True, eq=False)
class _Profile:
    """What the days before one local midnight teach. ``mean_kw``: [kind · columns + column]."""

    mean_kw: FloatArray
    known_days: float


class LoadForecaster:
    """Forecasts the load of one household.

    ``grid``, ``load_kw`` [T]: the history, NaN where unknown. It may reach past ``now``: the study hands over all it has, and
    a forecast reads only steps that ended by then. ``time_zone``: IANA name; ``holidays`` count as Sundays.
    ``prior_kw``: the load assumed while nothing at all is known (default: unknown, NaN).
    Raises ValueError for a wrong length, a step that does not divide a day, or an unknown zone.
    """

    def __init__(
        self,
        grid: TimeGrid,
        load_kw: FloatArray,
        time_zone: str,
        holidays: Iterable[date] = (),
        prior_kw: float = np.nan,
    ) -> None:
        self._clock = LocalClock.of(time_zone, holidays)
        self._days = DayTable(grid, load_kw, self._clock)
        self._grid = grid
        self._load_kw = np.asarray(load_kw, dtype=np.float64)
        self._prior_kw = prior_kw
        known = np.isfinite(self._load_kw)
        self._known_sum_kw = np.concatenate(([0.0], np.cumsum(np.where(known, load_kw, 0.0))))
        self._known_count = np.concatenate(([0], np.cumsum(known)))
        self._kinds = self._clock.kind_of_day(
            self._days.first_day + np.arange(self._days.day_count, dtype=np.int64)
        )
        self._profiles: dict[int, _Profile] = {}
        self._spreads: dict[tuple[int, Quantiles], FloatArray] = {}

    def forecast(
        self, now_unix_s: int, edges_unix_s: TimeArray, quantiles: Quantiles = QUANTILES
    ) -> PowerForecast:
        """The load of the S steps between ``edges_unix_s`` [S+1], as far as it can be told at ``now_unix_s``.

        Steps may have any length. ``quantiles``: probabilities in (0, 1), rising; () saves their cost. Quantiles of a step
        longer than the history's are means of the finer steps' quantiles, so on the wide side.
        Raises ValueError where edges or quantiles do not rise.
        """
        check_quantiles(quantiles)
        today = self._days.day_of(now_unix_s)
        known_steps = min(max(self._grid.index(now_unix_s), 0), self._grid.step_count)
        profile = self._profile(today, known_steps)
        steps = NativeSteps.covering(self._grid, edges_unix_s)
        starts = steps.starts_unix_s()
        cells = self._profile_cells(starts)
        ahead_h = np.maximum((starts + self._grid.step_s / 2 - now_unix_s) / HOUR_S, 0.0)
        hour_weight = _HOUR_SHARE * np.exp(-ahead_h / _HOUR_DECAY_H)
        mean = profile.mean_kw[cells] + self._blend_kw(profile, known_steps, ahead_h, hour_weight)
        if not quantiles:
            mean_kw = steps.mean_over(np.maximum(mean, 0.0), edges_unix_s)
            return PowerForecast(mean_kw, np.empty((0, len(mean_kw))), profile.known_days)
        spread = self._spread(today, quantiles, profile)[:, cells]
        bands = mean + spread * np.sqrt(1.0 - hour_weight**2)
        both = steps.mean_over(np.maximum(np.vstack((mean, bands)), 0.0), edges_unix_s)
        return PowerForecast(both[0], both[1:], profile.known_days)

    def _profile_cells(self, starts_unix_s: TimeArray) -> TimeArray:
        days, columns = self._days.cells(starts_unix_s)
        first = int(days[0])
        kinds = self._clock.kind_of_day(np.arange(first, int(days[-1]) + 1, dtype=np.int64))
        return kinds[days - first] * self._days.column_count + columns

    def _blend_kw(
        self, profile: _Profile, known_steps: int, ahead_h: FloatArray, hour_weight: FloatArray
    ) -> FloatArray:
        per_hour = max(HOUR_S // self._grid.step_s, 1)
        first = max(known_steps - DAY_S // self._grid.step_s, 0)
        past_starts = self._grid.start_unix_s + self._grid.step_s * np.arange(
            first, known_steps, dtype=np.int64
        )
        if not past_starts.size:
            return np.zeros(len(ahead_h))
        past = profile.mean_kw[self._profile_cells(past_starts)]
        deviation = self._load_kw[first:known_steps] - past
        day_kw = _DAY_SHARE * _known_mean(deviation)
        latest = deviation[-per_hour:]
        result = day_kw * np.exp(-ahead_h / _DAY_DECAY_H)
        if np.isfinite(latest).any():
            result = result + (_known_mean(latest) - day_kw) * hour_weight
        return np.asarray(result)

    def _profile(self, today: int, known_steps: int) -> _Profile:
        if today in self._profiles:
            return self._profiles[today]
        rows = self._days.rows_before(today, _WINDOW_DAYS)
        known = self._days.known[rows]
        if known.any():
            profile = self._learn(rows, today)
            self._profiles[today] = profile
            return profile
        # Not one step in the window: the mean of all that is known by now, which grows by the step, so it is not kept.
        count = int(self._known_count[known_steps])
        flat_kw = float(self._known_sum_kw[known_steps]) / count if count else self._prior_kw
        mean_kw = np.full(KIND_COUNT * self._days.column_count, flat_kw)
        return _Profile(mean_kw, count * self._grid.step_s / DAY_S)

    def _learn(self, rows: slice, today: int) -> _Profile:
        known, value = self._days.known[rows], self._days.value_kw[rows]
        recency = 0.5 ** (self._days.ages_of(rows, today) / _HALF_LIFE_DAYS)
        overall = float((recency @ value).sum() / (recency @ known).sum())
        pooled = _mean_or(recency @ value, recency @ known, np.full(known.shape[1], overall))
        profiles = []
        for kind in range(KIND_COUNT):
            mine = (self._kinds[rows] == kind).astype(np.float64)
            own = _mean_or((recency * mine) @ value, (recency * mine) @ known, pooled)
            share = np.minimum((mine @ known) / _OWN_DAYS, 1.0)
            profiles.append(share * own + (1.0 - share) * pooled)
        return _Profile(np.concatenate(profiles), float(known.sum()) / self._days.column_count)

    def _spread(self, today: int, quantiles: Quantiles, profile: _Profile) -> FloatArray:
        """[Q, kind · columns + column] quantiles of the deviation from the profile, kW (the same for each kind)."""
        key = (today, quantiles)
        if key in self._spreads:
            return self._spreads[key]
        rows = self._days.rows_before(today, _WINDOW_DAYS)
        known, value = self._days.known[rows], self._days.value_kw[rows]
        if not known.any():
            return np.where(np.isnan(profile.mean_kw), np.nan, np.zeros((len(quantiles), 1)))
        columns = self._days.column_count
        residual = value - profile.mean_kw.reshape(KIND_COUNT, columns)[self._kinds[rows]]
        recency = 0.5 ** (self._days.ages_of(rows, today) / _HALF_LIFE_DAYS)
        # Seen from a profile learned without it, a day lies further away: 1/(1 − its share of its kind's weight).
        kind_weight = np.bincount(self._kinds[rows], weights=recency, minlength=KIND_COUNT)
        share = np.minimum(recency / kind_weight[self._kinds[rows]], 0.5)
        residual = residual / (1.0 - share[:, np.newaxis])
        weight = known * recency[:, np.newaxis]
        shifts = neighbours(self._grid.step_s)
        spread = weighted_quantiles(
            np.vstack([np.roll(residual, shift, axis=1) for shift in shifts]),
            np.vstack([np.roll(weight, shift, axis=1) for shift in shifts]),
            np.array(quantiles),
        )
        empty = np.isnan(spread[0])
        if empty.any():  # a time of day that was never seen
            spread[:, empty] = np.nanmean(spread, axis=1, keepdims=True)
        result = np.tile(spread, (1, KIND_COUNT))
        self._spreads[key] = result
        return result


def _known_mean(values: FloatArray) -> float:
    """The mean of what is not NaN; 0 where all is (a deviation of nothing known)."""
    known = values[np.isfinite(values)]
    return float(known.sum()) / len(known) if len(known) else 0.0


def _mean_or(total: FloatArray, weight: FloatArray, otherwise: FloatArray) -> FloatArray:
    """total / weight, or ``otherwise`` where there is no weight."""
    return np.asarray(np.divide(total, weight, out=otherwise.copy(), where=weight > 0))
