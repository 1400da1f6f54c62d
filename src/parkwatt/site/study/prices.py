"""What a planner knows of prices at a moment: those published, and beyond them a guess from the days before.

The guess for a step is the mean, over the seven days before, of the same time of day as far as it was published. A kWh left in
the battery is worth what filling it will cost: the price of the cheaper hours, read off the same days.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray
from parkwatt.site.study.inputs import StudyInputs

_DAYS_BACK = 7
# Filling takes a few of a day's hours, and the planner finds the cheap ones: a kWh left is worth the price that this share
# of the hours lies below.
_REFILL_SHARE = 0.2


class KnownPrices:
    """Prices of a study as they were known at any step of it."""

    def __init__(self, inputs: StudyInputs) -> None:
        self._inputs = inputs
        self._steps_per_day = 86_400 // inputs.grid.step_s
        self._buy = inputs.import_price_per_kwh
        self._sell = inputs.export_price_per_kwh
        surplus = inputs.solar_kw > inputs.load_kw + inputs.car.charge_kw_max / 2
        # What charging costs: the import price, or the export price that is given up while the sun shines.
        self._refill = np.where(surplus, self._sell, self._buy)
        self._worth: tuple[int, float] = (-1, 0.0)

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
        buy, sell = (
            self._with_guess(prices, first, last, known) for prices in (self._buy, self._sell)
        )
        return _means(buy, edges - first), _means(sell, edges - first)

    def _with_guess(self, prices: FloatArray, first: int, last: int, known: int) -> FloatArray:
        published = prices[first : min(known, last)]
        beyond = np.arange(max(known, first), last)
        if not len(beyond):
            return published
        back = np.arange(1, _DAYS_BACK + 2)[:, np.newaxis] * self._steps_per_day
        source = beyond[np.newaxis, :] - back
        usable = (source >= 0) & (source < known)
        values = np.where(usable, prices[np.clip(source, 0, len(prices) - 1)], 0.0)
        counts = usable.sum(axis=0)
        fallback = float(prices[max(0, known - self._steps_per_day) : known].mean())
        guess = np.where(counts > 0, values.sum(axis=0) / np.maximum(counts, 1), fallback)
        return np.concatenate((published, guess))

    def refill_price_per_kwh(self, step: int) -> float:
        """What a kWh (AC) is expected to cost when the battery is filled some time later; reread once a day."""
        day = step // self._steps_per_day
        if self._worth[0] != day:
            known = self.known_until_step(step)
            past = self._refill[max(0, step - _DAYS_BACK * self._steps_per_day) : step]
            published = self._buy[step:known]
            window = np.concatenate((past, published))
            self._worth = (day, float(np.quantile(window, _REFILL_SHARE)))
        return self._worth[1]


def _means(values: FloatArray, edges: NDArray[np.int64]) -> FloatArray:
    """The mean between each two edges."""
    return np.add.reduceat(values, edges[:-1]) / np.diff(edges)
