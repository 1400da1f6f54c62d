"""Values over time: a regular grid of steps, and a series of intervals that need not be regular.

Times are whole seconds since 1970 UTC in int64 arrays (``*_unix_s``): arithmetic is exact and a day of 23 or 25 hours
is nothing special. Intervals are half-open, [start, end). NaN in a series means unknown, never zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray

TimeArray = NDArray[np.int64]


def unix_s(time: datetime) -> int:
    """Whole seconds since 1970 UTC of an aware time.

    Raises ValueError for a naive time: it would silently be taken for the machine's own zone.
    """
    if time.tzinfo is None:
        raise ValueError(f"time must be aware, got {time.isoformat()}")
    return int(time.timestamp())


def utc(time_unix_s: int) -> datetime:
    """The aware UTC time of ``time_unix_s``."""
    return datetime.fromtimestamp(int(time_unix_s), tz=UTC)


@dataclass(frozen=True, slots=True)
class TimeGrid:
    """``step_count`` steps of ``step_s`` seconds from ``start_unix_s``."""

    start_unix_s: int
    step_s: int
    step_count: int

    @property
    def step_h(self) -> float:
        """Hours of one step."""
        return self.step_s / 3600.0

    @property
    def end_unix_s(self) -> int:
        """The end of the last step."""
        return self.start_unix_s + self.step_s * self.step_count

    def edges_unix_s(self) -> TimeArray:
        """[T+1] the start of each step and the end of the last."""
        return self.start_unix_s + self.step_s * np.arange(self.step_count + 1, dtype=np.int64)

    def starts_unix_s(self) -> TimeArray:
        """[T] the start of each step."""
        return self.edges_unix_s()[:-1]

    def index(self, time_unix_s: int) -> int:
        """The step that holds the time (below 0 or ≥ step_count: outside)."""
        return (time_unix_s - self.start_unix_s) // self.step_s


@dataclass(frozen=True, slots=True, eq=False)
class IntervalSeries:
    """A value for each of N intervals, sorted and not overlapping; gaps are allowed.

    ``start_unix_s``, ``end_unix_s``: [N]; ``values``: [N], a mean over the interval (a power, a price), NaN = unknown.
    Raises ValueError where lengths differ, an interval is empty, or two overlap or are out of order.
    """

    start_unix_s: TimeArray
    end_unix_s: TimeArray
    values: FloatArray

    def __post_init__(self) -> None:
        if not len(self.start_unix_s) == len(self.end_unix_s) == len(self.values):
            raise ValueError("start, end and values must have the same length")
        if np.any(self.end_unix_s <= self.start_unix_s):
            raise ValueError("each interval must end after it starts")
        if np.any(self.start_unix_s[1:] < self.end_unix_s[:-1]):
            raise ValueError("intervals must be in order of time and must not overlap")

    def shifted(self, shift_s: int) -> IntervalSeries:
        """The same values ``shift_s`` seconds later."""
        return IntervalSeries(self.start_unix_s + shift_s, self.end_unix_s + shift_s, self.values)

    def scaled(self, factor: float) -> IntervalSeries:
        """All values times ``factor``."""
        return IntervalSeries(self.start_unix_s, self.end_unix_s, self.values * factor)

    def mean_over(self, edges_unix_s: TimeArray) -> FloatArray:
        """[len(edges) − 1] the time-weighted mean over each span between two edges.

        NaN where any part of the span is in a gap or unknown: half a price is not a price.
        """
        known = np.isfinite(self.values)
        starts, ends = self.start_unix_s[known], self.end_unix_s[known]
        values = self.values[known]
        if not len(values):
            return np.full(len(edges_unix_s) - 1, np.nan)
        # The integral of the series and of its cover, as piecewise linear functions of time, read at the edges.
        durations = (ends - starts).astype(np.float64)
        knots = np.column_stack((starts, ends)).ravel()
        integral = np.concatenate(([0.0], np.cumsum(durations * values)))
        cover = np.concatenate(([0.0], np.cumsum(durations)))
        integral_at_knots = np.column_stack((integral[:-1], integral[1:])).ravel()
        cover_at_knots = np.column_stack((cover[:-1], cover[1:])).ravel()
        integral_at_edges = np.interp(edges_unix_s, knots, integral_at_knots)
        cover_at_edges = np.interp(edges_unix_s, knots, cover_at_knots)
        spans = np.diff(edges_unix_s).astype(np.float64)
        covered = np.diff(cover_at_edges)
        whole = covered >= spans - 0.5  # seconds; interpolation rounds
        means = np.full(len(spans), np.nan)
        np.divide(np.diff(integral_at_edges), covered, out=means, where=whole & (covered > 0))
        return means

    def on(self, grid: TimeGrid) -> FloatArray:
        """[T] the mean over each step of the grid, NaN where not wholly known."""
        return self.mean_over(grid.edges_unix_s())
