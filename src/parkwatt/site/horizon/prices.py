"""What a planner knows of prices at a moment: those published, and beyond them a guess from the days before.

The guess is `parkwatt.forecast.price`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeArray, TimeGrid
from parkwatt.forecast.price import PriceForecaster


class KnownPrices:
    """Prices of a site as they are known at any moment.

    ``grid``: of the prices; it begins at a whole hour. ``import_price_per_kwh``, ``export_price_per_kwh``: [T].
    ``known_until_unix_s``: maps a time to the time up to which prices were published then (None: all of the grid).
    """

    def __init__(
        self,
        grid: TimeGrid,
        import_price_per_kwh: FloatArray,
        export_price_per_kwh: FloatArray,
        known_until_unix_s: Callable[[int], int | None],
        time_zone: str,
        holidays: frozenset[date] = frozenset(),
    ) -> None:
        self.grid = grid
        self._known_until_unix_s = known_until_unix_s
        self._buy, self._sell = import_price_per_kwh, export_price_per_kwh
        self._buy_forecaster = PriceForecaster(grid, self._buy, time_zone, holidays)
        self._sell_forecaster = PriceForecaster(grid, self._sell, time_zone, holidays)

    def known_until_step(self, now_unix_s: int) -> int:
        """The first step of the grid whose price is not yet published at ``now``; the present one's always is."""
        known_s = self._known_until_unix_s(now_unix_s)
        if known_s is None:
            return self.grid.step_count
        known = min(self.grid.index(known_s), self.grid.step_count)
        return max(known, self.grid.index(now_unix_s) + 1)

    def over(self, now_unix_s: int, edges_unix_s: TimeArray) -> tuple[FloatArray, FloatArray]:
        """Import and export prices [S] between ``edges_unix_s`` [S+1], as known at ``now``."""
        first = self.grid.index(int(edges_unix_s[0]))
        end = self.grid.index(int(edges_unix_s[-1]) - 1) + 1
        known = self.known_until_step(now_unix_s)
        buy = self._with_guess(self._buy_forecaster, self._buy, first, end, known)
        sell = self._with_guess(self._sell_forecaster, self._sell, first, end, known)
        first_s = self.grid.start_unix_s + first * self.grid.step_s
        edges = edges_unix_s - first_s
        return _means(buy, self.grid.step_s, edges), _means(sell, self.grid.step_s, edges)

    def import_price_of_steps(self, now_unix_s: int, first: int, end: int) -> FloatArray:
        """[end − first] import prices of steps of the grid, as known at ``now``."""
        known = self.known_until_step(now_unix_s)
        return self._with_guess(self._buy_forecaster, self._buy, first, end, known)

    def _with_guess(
        self, forecaster: PriceForecaster, prices: FloatArray, first: int, end: int, known: int
    ) -> FloatArray:
        if end <= known:
            return prices[first:end]
        guess = forecaster.beyond(known, end - known)
        return np.concatenate((prices[first:known], guess[max(first - known, 0) :]))


def _means(values: FloatArray, step_s: int, edges_s: TimeArray) -> FloatArray:
    """[S] the time-weighted mean of ``values`` between ``edges_s`` [S+1].

    Values are ``step_s`` long each; edges count from the start of the first.
    """
    boundaries = np.arange(edges_s[0] // step_s + 1, -(-edges_s[-1] // step_s)) * step_s
    cuts = np.union1d(edges_s, boundaries)
    weights = np.diff(cuts) / step_s
    totals = np.add.reduceat(
        values[cuts[:-1] // step_s] * weights, np.searchsorted(cuts, edges_s[:-1])
    )
    return np.asarray(totals / (np.diff(edges_s) / step_s))
