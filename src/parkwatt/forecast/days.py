"""A history laid out as days by time of day, so that a profile is a weighted mean over rows.

Each step of the grid falls into one cell: the row is its day, the column its time of day, both of the step's last second
on the wall clock (so that a row is complete, and nothing of it is in the future, as soon as its day is over). In the
repeated hour of a 25-hour day two steps share a cell, which then holds their mean; the skipped hour of a 23-hour day
leaves cells empty, like any other gap.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeArray, TimeGrid
from parkwatt.forecast.local_time import DAY_S, HOUR_S, LocalClock

IntArray = NDArray[np.int64]


class DayTable:
    """Rows of days, columns of time of day.

    ``value_kw``: [D, C] with 0 where unknown; ``known``: [D, C] 1.0 where known, else 0.0; ``first_day``: the local day of
    row 0. ``fixed_offset_s`` lays days by a constant offset from UTC (the sun keeps no summer time) instead of the wall clock.
    Raises ValueError where lengths differ or the grid's step does not divide a day.
    """

    def __init__(
        self,
        grid: TimeGrid,
        power_kw: FloatArray,
        clock: LocalClock,
        fixed_offset_s: int | None = None,
    ) -> None:
        if len(power_kw) != grid.step_count:
            raise ValueError(f"history must have {grid.step_count} values, got {len(power_kw)}")
        if DAY_S % grid.step_s:
            raise ValueError(f"step_s must divide a day, got {grid.step_s}")
        self._clock = clock
        self._fixed_offset_s = fixed_offset_s
        self._step_s = grid.step_s
        self.column_count = DAY_S // grid.step_s
        days, columns = self.cells(grid.starts_unix_s())
        self.first_day = int(days[0]) if len(days) else 0
        self.day_count = int(days[-1]) - self.first_day + 1 if len(days) else 0
        self._fill(days, columns, power_kw)

    def _fill(self, days: IntArray, columns: IntArray, power_kw: FloatArray) -> None:
        known = np.isfinite(power_kw)
        shape = (self.day_count, self.column_count)
        cells = ((days - self.first_day) * self.column_count + columns)[known]
        size = self.day_count * self.column_count
        count = np.bincount(cells, minlength=size).astype(np.float64)
        total = np.bincount(cells, weights=power_kw[known], minlength=size)
        self.value_kw: FloatArray = (total / np.maximum(count, 1.0)).reshape(shape)
        self.known: FloatArray = np.minimum(count, 1.0).reshape(shape)

    def local_s(self, times_unix_s: TimeArray) -> TimeArray:
        """[N] seconds on the clock that lays out the days."""
        if self._fixed_offset_s is not None:
            return times_unix_s + self._fixed_offset_s
        return self._clock.local_s(times_unix_s)

    def cells(self, starts_unix_s: TimeArray) -> tuple[IntArray, IntArray]:
        """([N] local day, [N] column) of the steps that start at ``starts_unix_s``."""
        last_s = self.local_s(starts_unix_s + (self._step_s - 1))
        days = last_s // DAY_S
        return days, (last_s - days * DAY_S) // self._step_s

    def day_of(self, time_unix_s: int) -> int:
        """The local day that holds an instant."""
        if self._fixed_offset_s is not None:
            return (time_unix_s + self._fixed_offset_s) // DAY_S
        return self._clock.scalar_local_s(time_unix_s) // DAY_S

    def rows_before(self, day: int, row_count_max: int) -> slice:
        """The rows of at most ``row_count_max`` days before ``day``; rows are consecutive days."""
        stop = min(max(day - self.first_day, 0), self.day_count)
        start = min(max(day - self.first_day - row_count_max, 0), stop)
        return slice(start, stop)

    def ages_of(self, rows: slice, day: int) -> FloatArray:
        """[R] how many days before ``day`` each row lies (1 = yesterday)."""
        return day - self.first_day - np.arange(rows.start, rows.stop, dtype=np.float64)


def weighted_quantiles(
    values: FloatArray, weights: FloatArray, probabilities: FloatArray
) -> FloatArray:
    """[Q, C] the quantiles down each column of ``values`` [N, C] with ``weights`` [N, C]; NaN where no weight is left.

    A value of weight w that starts at cumulated weight W stands at probability (W + w/2) / total (Hazen's plotting
    position); between positions the quantile is linear, beyond the outer ones it is the extreme value.
    """
    order = np.argsort(values, axis=0)
    ordered = np.take_along_axis(values, order, axis=0)
    mass = np.take_along_axis(weights, order, axis=0)
    total = mass.sum(axis=0)
    position = (np.cumsum(mass, axis=0) - mass / 2) / np.where(total > 0, total, np.nan)
    result = np.full((len(probabilities), values.shape[1]), np.nan)
    for column in np.flatnonzero(total > 0):
        used = mass[:, column] > 0
        result[:, column] = np.interp(probabilities, position[used, column], ordered[used, column])
    return result


def neighbours(step_s: int) -> list[int]:
    """Column shifts that reach an hour to each side, at most five: finer neighbours tell little that is new."""
    reach = HOUR_S // step_s
    stride = max(-(-reach // 2), 1)
    return [shift for shift in range(-reach, reach + 1) if shift % stride == 0]
