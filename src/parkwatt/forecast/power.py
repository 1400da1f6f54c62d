"""What a power forecast is, and how values on a regular grid become means over steps of any length."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Protocol

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeArray, TimeGrid

_DAY_S: Final = 86_400

Quantiles = tuple[float, ...]
QUANTILES: Quantiles = (0.1, 0.5, 0.9)


@dataclass(frozen=True, slots=True, eq=False)
class PowerForecast:
    """Forecast power over S steps.

    ``mean_kw``: [S] the expected mean power of each step; ``quantile_kw``: [Q, S] one row for each asked quantile, never
    crossing; ``known_days``: days' worth of measurements that stand behind it. At 0 nothing is known and all is NaN
    (or the prior that the forecaster was given).
    """

    mean_kw: FloatArray
    quantile_kw: FloatArray
    known_days: float


class PowerForecaster(Protocol):
    """Whatever forecasts a power: load, solar, from history or given."""

    def forecast(
        self, now_unix_s: int, edges_unix_s: TimeArray, quantiles: Quantiles = QUANTILES
    ) -> PowerForecast:
        """The forecast, made at ``now_unix_s``, of the S steps between ``edges_unix_s`` [S+1]."""
        ...


@dataclass(frozen=True, slots=True)
class NativeSteps:
    """The steps of a history's grid, run on past its end where needed, that cover a span of time."""

    first: int
    count: int
    first_start_unix_s: int
    step_s: int

    @classmethod
    def covering(cls, grid: TimeGrid, edges_unix_s: TimeArray) -> NativeSteps:
        """The grid's steps that cover all of ``edges_unix_s`` [S+1].

        Raises ValueError for fewer than two edges, or edges that do not rise.
        """
        if len(edges_unix_s) < 2:
            raise ValueError("edges_unix_s must hold at least two times")
        if (edges_unix_s[1:] <= edges_unix_s[:-1]).any():
            raise ValueError("edges_unix_s must rise")
        first = grid.index(int(edges_unix_s[0]))
        last = grid.index(int(edges_unix_s[-1]) - 1)
        return cls(first, last - first + 1, grid.start_unix_s + first * grid.step_s, grid.step_s)

    def starts_unix_s(self) -> TimeArray:
        """[N] the start of each native step."""
        return self.first_start_unix_s + self.step_s * np.arange(self.count, dtype=np.int64)

    def mean_over(self, values: FloatArray, edges_unix_s: TimeArray) -> FloatArray:
        """[..., S] the time-weighted means of ``values`` [..., N] between the edges [S+1].

        A NaN in ``values`` makes the steps that it touches NaN, and no others.
        """
        position = (edges_unix_s - self.first_start_unix_s) / self.step_s
        unknown = np.isnan(values)
        if unknown.any():
            means = self._mean(np.where(unknown, 0.0, values), position)
            means[self._mean(unknown.astype(np.float64), position) > 1e-9] = np.nan
            return means
        return self._mean(values, position)

    def _mean(self, values: FloatArray, position: FloatArray) -> FloatArray:
        total = np.zeros((*values.shape[:-1], self.count + 1))
        np.cumsum(values, axis=-1, out=total[..., 1:])
        whole = np.minimum(position.astype(np.int64), self.count - 1)
        part = position - whole
        integral = total[..., whole] + part * values[..., whole]
        return np.asarray(np.diff(integral, axis=-1) / np.diff(position))


def check_quantiles(quantiles: Quantiles) -> None:
    """Raise ValueError unless the probabilities rise within (0, 1)."""
    if any(not 0.0 < probability < 1.0 for probability in quantiles) or any(
        high <= low for low, high in pairwise(quantiles)
    ):
        raise ValueError(f"quantiles must rise within (0, 1), got {quantiles}")


class GivenForecaster:
    """A series that the user says is a forecast (or the truth itself, for the bound with perfect foresight).

    ``power_kw``: [T] on ``grid``, NaN = not known. Steps outside the grid are NaN. All quantiles equal the series.
    Raises ValueError where the length is not the grid's.
    """

    def __init__(self, grid: TimeGrid, power_kw: FloatArray) -> None:
        if len(power_kw) != grid.step_count:
            raise ValueError(f"power_kw must have {grid.step_count} values, got {len(power_kw)}")
        self._grid = grid
        self._power_kw = power_kw
        self._known_days = float(np.isfinite(power_kw).sum()) * grid.step_s / _DAY_S

    def forecast(
        self, now_unix_s: int, edges_unix_s: TimeArray, quantiles: Quantiles = QUANTILES
    ) -> PowerForecast:
        """The given series' means; ``now_unix_s`` does not matter, it was all given beforehand."""
        del now_unix_s
        steps = NativeSteps.covering(self._grid, edges_unix_s)
        values = np.full(steps.count, np.nan)
        low, high = max(steps.first, 0), min(steps.first + steps.count, self._grid.step_count)
        if low < high:
            values[low - steps.first : high - steps.first] = self._power_kw[low:high]
        mean = steps.mean_over(values, edges_unix_s)
        return PowerForecast(mean, np.tile(mean, (len(quantiles), 1)), self._known_days)


class PersistenceForecaster:
    """The same time yesterday, or a day earlier for each day on which that is not known: the yardstick.

    ``grid``, ``power_kw`` [T]: the history, NaN where unknown; reads only steps that ended by ``now``, and looks back
    ``days_back_max`` days at most. Raises ValueError for a wrong length or a step that does not divide a day.
    """

    def __init__(self, grid: TimeGrid, power_kw: FloatArray, days_back_max: int = 7) -> None:
        if len(power_kw) != grid.step_count:
            raise ValueError(f"power_kw must have {grid.step_count} values, got {len(power_kw)}")
        if _DAY_S % grid.step_s:
            raise ValueError(f"step_s must divide a day, got {grid.step_s}")
        self._grid = grid
        self._power_kw = np.asarray(power_kw, dtype=np.float64)
        self._days_back_max = days_back_max

    def forecast(
        self, now_unix_s: int, edges_unix_s: TimeArray, quantiles: Quantiles = QUANTILES
    ) -> PowerForecast:
        """The latest known values, repeated by whole days of 24 hours; all quantiles equal the mean."""
        check_quantiles(quantiles)
        steps = NativeSteps.covering(self._grid, edges_unix_s)
        per_day = _DAY_S // self._grid.step_s
        stop = min(max(self._grid.index(now_unix_s), 0), self._grid.step_count)
        wanted = steps.first + np.arange(steps.count, dtype=np.int64)
        # Back by whole days to the last one that is over at ``stop``.
        source = wanted - per_day * np.maximum(-((stop - 1 - wanted) // per_day), 1)
        values = np.full(steps.count, np.nan)
        for _ in range(self._days_back_max):
            missing = np.isnan(values) & (source >= 0)
            values[missing] = self._power_kw[source[missing]]
            source = source - per_day
        mean = steps.mean_over(values, edges_unix_s)
        known_days = float(np.isfinite(values).any())
        return PowerForecast(mean, np.tile(mean, (len(quantiles), 1)), known_days)
