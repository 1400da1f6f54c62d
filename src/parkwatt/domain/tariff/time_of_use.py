"""Prices that depend on the season, the day of the week, holidays and the local time of day.

The periods stand in order, and the first that applies sets the price. Between two readings of the
local clock at which some period begins or ends, nothing changes; so the price over any edges is
exact: cut the time at those readings, look up each piece once, and take the time-weighted mean of
the pieces between two edges.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.calendar import (
    DAY_S,
    clock_change_times_unix_s,
    local_clock,
    month_day_of,
)
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import IntervalSeries, TimeArray

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class YearSpan:
    """Days of each year from one to another, both included, each as month × 100 + day; may run
    across new year.
    """

    first: int
    last: int

    def holds(self, month_day: TimeArray) -> BoolArray:
        """[N] whether each day (month × 100 + day) lies in the span."""
        if self.first <= self.last:
            return (month_day >= self.first) & (month_day <= self.last)
        return (month_day >= self.first) | (month_day <= self.last)


@dataclass(frozen=True, slots=True)
class PricePeriod:
    """A price and when it applies, all conditions together.

    ``year_spans``: in any of them (none: all year). ``weekdays``: 0 is Monday. ``holidays``: True
    only on holidays, False never on them, None either way. ``from_s`` to ``to_s``: seconds of the
    local clock since midnight; where from is later than to, the period has a part after midnight,
    which belongs to the calendar day on which it lies.
    """

    price_per_kwh: float
    year_spans: tuple[YearSpan, ...] = ()
    weekdays: frozenset[int] = frozenset(range(7))
    holidays: bool | None = None
    from_s: int = 0
    to_s: int = DAY_S

    def applies(
        self, month_day: TimeArray, weekday: TimeArray, is_holiday: BoolArray, second: TimeArray
    ) -> BoolArray:
        """[N] whether the period applies on each local day and second of the day."""
        if self.from_s < self.to_s:
            result = (second >= self.from_s) & (second < self.to_s)
        else:
            result = (second >= self.from_s) | (second < self.to_s)
        result = result & np.isin(weekday, list(self.weekdays))
        if self.year_spans:
            result = result & np.any([span.holds(month_day) for span in self.year_spans], axis=0)
        if self.holidays is not None:
            result = result & (is_holiday == self.holidays)
        return np.asarray(result, dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class UncoveredTime:
    """A time at which no period applies: ``month_day`` as month × 100 + day, ``weekday`` 0 =
    Monday.
    """

    month_day: int
    weekday: int
    is_holiday: bool
    from_s: int
    to_s: int


@dataclass(frozen=True, slots=True)
class TimeOfUsePrice:
    """The price of the first period that applies, else ``otherwise_per_kwh`` (None: the periods
    cover all times).

    ``holidays``: days since 1970-01-01.
    """

    periods: tuple[PricePeriod, ...]
    time_zone: ZoneInfo
    otherwise_per_kwh: float | None = None
    holidays: frozenset[int] = frozenset()

    def over(self, edges_unix_s: TimeArray) -> FloatArray:
        """[len(edges) − 1] the mean price between two edges; NaN where a part has no price."""
        if len(edges_unix_s) < 2:
            return np.zeros(0)
        changes = clock_change_times_unix_s(
            int(edges_unix_s[0]), int(edges_unix_s[-1]), self._readings(), self.time_zone
        )
        cuts = np.union1d(edges_unix_s, changes)
        starts, durations = cuts[:-1], np.diff(cuts)
        prices = self._at(starts)
        first_piece = np.searchsorted(starts, edges_unix_s[:-1])
        totals = np.add.reduceat(prices * durations, first_piece)
        means: FloatArray = totals / np.diff(edges_unix_s)
        # A step of a single piece has that very price, not one that went through a sum.
        pieces = np.diff(np.append(first_piece, len(starts)))
        return np.where(pieces == 1, prices[first_piece], means)

    def known_until_unix_s(self, now_unix_s: int) -> int | None:  # noqa: ARG002 - at all times
        """None: known for all time."""
        return None

    def with_feeds(self, series: Mapping[str, IntervalSeries]) -> TimeOfUsePrice:  # noqa: ARG002 - has none
        """Itself: it has no feed."""
        return self

    def _readings(self) -> tuple[int, ...]:
        """The seconds of the day at which the price may change; midnight always, as a new day
        begins.
        """
        edges = {0} | {
            edge % DAY_S for period in self.periods for edge in (period.from_s, period.to_s)
        }
        return tuple(sorted(edges))

    def _at(self, time_unix_s: TimeArray) -> FloatArray:
        clock = local_clock(time_unix_s, self.time_zone)
        is_holiday = np.isin(clock.day, list(self.holidays))
        return self._lookup(clock.month_day, clock.weekday, is_holiday, clock.second_of_day)

    def _lookup(
        self, month_day: TimeArray, weekday: TimeArray, is_holiday: BoolArray, second: TimeArray
    ) -> FloatArray:
        otherwise = np.nan if self.otherwise_per_kwh is None else self.otherwise_per_kwh
        prices = np.full(len(second), otherwise)
        for period in reversed(self.periods):
            prices[period.applies(month_day, weekday, is_holiday, second)] = period.price_per_kwh
        return prices

    def uncovered(self) -> UncoveredTime | None:
        """A time without a price, or None: looked for on every day of the year, weekday and kind
        of day.
        """
        if self.otherwise_per_kwh is not None:
            return None
        leap_year = np.arange(730, 730 + 366)  # 1972, days since 1970-01-01
        readings = np.array(self._readings(), dtype=np.int64)
        days, weekdays, holidays, seconds = (
            axis.ravel()
            for axis in np.meshgrid(
                leap_year, np.arange(7), np.array([False, True]), readings, indexing="ij"
            )
        )
        month_days = month_day_of(days)
        prices = self._lookup(month_days, weekdays, holidays.astype(np.bool_), seconds)
        gaps = np.flatnonzero(np.isnan(prices))
        if not len(gaps):
            return None
        gap = gaps[0]
        later = readings[readings > seconds[gap]]
        return UncoveredTime(
            int(month_days[gap]),
            int(weekdays[gap]),
            bool(holidays[gap]),
            int(seconds[gap]),
            int(later[0]) if len(later) else DAY_S,
        )
