"""Prices beyond those that are published: what tomorrow's auction will probably bring.

For each day ahead the days before it teach, the nearer and the more alike (working day or free day) the more. Two things
are learned apart, because a planner lives on the spread within a day and the mean of many days has too little of it:

- *when* it is cheap: the mean price at each time of day puts the times in order;
- *how* cheap: the mean of the days' sorted prices, cheapest with cheapest, gives the values, which are dealt out in that order.

Only published prices are used. Where nothing is known yet, the mean of what is known stands for all.
"""

from __future__ import annotations

from datetime import date

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeArray, TimeGrid
from parkwatt.forecast.local_time import DAY_S, LocalClock

_DAYS_BACK = 21
_HALF_LIFE_DAYS = 2.0
_OTHER_KIND_OF_DAY = 0.25


class PriceForecaster:
    """Guesses the prices of a grid beyond any step up to which they are published.

    ``price_per_kwh``: [T] on ``grid``, whose steps must divide a day. ``time_zone``: IANA name; ``holidays``: local dates.
    Raises ValueError where the lengths differ or a step does not divide a day.
    """

    def __init__(
        self,
        grid: TimeGrid,
        price_per_kwh: FloatArray,
        time_zone: str,
        holidays: frozenset[date] = frozenset(),
    ) -> None:
        if len(price_per_kwh) != grid.step_count:
            raise ValueError("price must have one value a step")
        if DAY_S % grid.step_s:
            raise ValueError(f"steps of {grid.step_s} s do not divide a day")
        self._grid = grid
        self._price_per_kwh = price_per_kwh
        self._clock = LocalClock.of(time_zone, holidays)
        self._steps_per_day = DAY_S // grid.step_s
        self._guessed: tuple[int, FloatArray] = (-1, np.zeros(0))

    def beyond(self, known_step: int, step_count: int) -> FloatArray:
        """[step_count] the guess for the steps from ``known_step`` on, from the prices before it."""
        if self._guessed[0] != known_step or len(self._guessed[1]) < step_count:
            days = -(-step_count // self._steps_per_day)
            guess = [self._day(known_step, ahead) for ahead in range(days)]
            self._guessed = (known_step, np.concatenate(guess) if guess else np.zeros(0))
        return self._guessed[1][:step_count]

    def _day(self, known_step: int, ahead: int) -> FloatArray:
        """The guess for the 24 hours that begin ``ahead`` days after the last published price."""
        per_day = self._steps_per_day
        count = min(known_step // per_day, _DAYS_BACK)
        if count == 0:
            known = self._price_per_kwh[:known_step]
            return np.full(per_day, float(known.mean()) if len(known) else 0.0)
        past = self._price_per_kwh[known_step - count * per_day : known_step].reshape(
            count, per_day
        )
        noon = known_step + per_day // 2
        kinds = self._kinds(noon + per_day * np.arange(-count, ahead + 1))
        age_days = np.arange(count, 0, -1)
        weight = 0.5 ** (age_days / _HALF_LIFE_DAYS)
        weight = np.where(kinds[:count] == kinds[-1], weight, weight * _OTHER_KIND_OF_DAY)
        weight /= weight.sum()
        guess = np.empty(per_day)
        guess[np.argsort(weight @ past, kind="stable")] = weight @ np.sort(past, axis=1)
        return guess

    def _kinds(self, steps: TimeArray) -> TimeArray:
        times = self._grid.start_unix_s + steps * self._grid.step_s
        return self._clock.kind_of_day(self._clock.local_s(times) // DAY_S)
