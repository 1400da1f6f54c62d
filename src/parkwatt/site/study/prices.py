"""What a planner knows of prices at a moment: those published, and beyond them a guess from the days before.

The guess is `parkwatt.forecast.price`'s. A kWh left in the battery is worth what the next filling will cost: that takes the
cheapest hours in which the car is usually there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray
from parkwatt.forecast.price import PriceForecaster
from parkwatt.site.study.inputs import StudyInputs, connected

_DAYS_OF_HABIT = 28
_TRIPS_BACK = 20
# Before anything is known of the car's habits it is taken to be there six hours out of ten.
_AVAILABLE_AT_FIRST = 0.6
# The dearest hour of a filling is saved by the first kWh, the cheapest by the last; a value between them stands for all.
_FILL_SHARE = 0.75


class KnownPrices:
    """Prices of a study as they were known at any step of it."""

    def __init__(self, inputs: StudyInputs) -> None:
        self._inputs = inputs
        self._steps_per_day = 86_400 // inputs.grid.step_s
        self._buy = inputs.import_price_per_kwh
        self._sell = inputs.export_price_per_kwh
        zone = str(inputs.time_zone)
        self._buy_forecaster = PriceForecaster(inputs.grid, self._buy, zone, inputs.holidays)
        self._sell_forecaster = PriceForecaster(inputs.grid, self._sell, zone, inputs.holidays)
        self._plugged = connected(inputs)
        self._back = np.arange(1, _DAYS_OF_HABIT + 1) * self._steps_per_day
        self._back_weight = np.where(np.arange(1, _DAYS_OF_HABIT + 1) % 7 == 0, 3.0, 1.0)
        self._arrivals = np.array([p.arrival_step for p in inputs.plug_ins], dtype=np.int64)
        self._used_kwh = np.array([p.energy_kwh_used for p in inputs.plug_ins])

    def known_until_step(self, step: int) -> int:
        """The first step whose price is not yet published at the start of ``step``."""
        grid = self._inputs.grid
        known_s = self._inputs.prices_known_until(grid.start_unix_s + step * grid.step_s)
        if known_s is None:
            return grid.step_count
        return max(min(grid.index(known_s), grid.step_count), step + 1)

    def over(self, step: int, edges: NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
        """Import and export prices [S] between ``edges`` [S+1] (steps of the grid), as known at the start of ``step``."""
        first, last = int(edges[0]), int(edges[-1])
        known = self.known_until_step(step)
        buy = self._with_guess(self._buy_forecaster, self._buy, first, last, known)
        sell = self._with_guess(self._sell_forecaster, self._sell, first, last, known)
        return _means(buy, edges - first), _means(sell, edges - first)

    def _with_guess(
        self, forecaster: PriceForecaster, prices: FloatArray, first: int, last: int, known: int
    ) -> FloatArray:
        if last <= known:
            return prices[first:last]
        guess = forecaster.beyond(known, last - known)
        return np.concatenate((prices[first:known], guess[max(first - known, 0) :]))

    def refill_price_per_kwh(self, step: int, after_step: int) -> float:
        """What the next filling of the battery, after ``after_step``, is expected to cost per kWh (AC), seen from ``step``.

        The dearest of the hours that the filling needs: a kWh more in the battery saves that one.
        """
        inputs = self._inputs
        end = min(after_step + self._steps_per_day, inputs.grid.step_count)
        first = min(after_step, end - self._steps_per_day)
        first = max(first, 0)
        known = self.known_until_step(step)
        prices = self._with_guess(self._buy_forecaster, self._buy, first, end, known)
        order = np.argsort(prices, kind="stable")
        available = self._available(step, first, end)
        per_step = inputs.car.charge_kw_max * inputs.car.charge_efficiency * inputs.grid.step_h
        filled = np.cumsum(available[order]) * per_step
        place = int(np.searchsorted(filled, self.usually_used_kwh(step) * _FILL_SHARE))
        return float(prices[order[min(place, len(order) - 1)]])

    def _available(self, step: int, first: int, end: int) -> FloatArray:
        """[end − first] how often the car was plugged in at this time of day, and more so on this weekday."""
        source = np.arange(first, end)[np.newaxis, :] - self._back[:, np.newaxis]
        usable = (source >= 0) & (source < step)
        plugged = np.where(usable, self._plugged[np.clip(source, 0, None)], 0.0)
        weight = np.where(usable, self._back_weight[:, np.newaxis], 0.0)
        total = (plugged * weight).sum(axis=0) + _AVAILABLE_AT_FIRST
        return np.asarray(total / (weight.sum(axis=0) + 1.0), dtype=np.float64)

    def usually_used_kwh(self, step: int) -> float:
        """The mean of the trips before the last arrivals; a fifth of the battery before the first."""
        known = int(np.searchsorted(self._arrivals, step, side="right"))
        recent = self._used_kwh[max(0, known - _TRIPS_BACK) : known]
        return float(recent.mean()) if len(recent) else 0.2 * self._inputs.car.energy_kwh_max


def _means(values: FloatArray, edges: NDArray[np.int64]) -> FloatArray:
    """The mean between each two edges."""
    return np.add.reduceat(values, edges[:-1]) / np.diff(edges)
