"""The local clock and calendar of each step, for formulas that follow people's days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeArray, TimeGrid, unix_s

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class LocalTime:
    """For each of T steps: ``hour`` of the local day (0 ≤ hour < 24), ``weekday`` (0 = Monday), ``day_of_year`` (1 … 366)
    and ``day`` (0 for the first day of the span); all [T].
    """

    hour: FloatArray
    weekday: IntArray
    day_of_year: IntArray
    day: IntArray

    @property
    def winter(self) -> FloatArray:
        """[T] 1 in mid January, −1 in mid July, a cosine between."""
        return winter_of(self.day_of_year)


def winter_of(day_of_year: IntArray) -> FloatArray:
    """1 in mid January, −1 in mid July, a cosine between."""
    result: FloatArray = np.cos(2.0 * np.pi * (day_of_year - 15) / 365.25)
    return result


def bump(hour: FloatArray, centre_h: float | FloatArray, width_h: float) -> FloatArray:
    """A bell of height 1 around ``centre_h`` on the clock of 24 hours; ``width_h`` is its standard deviation."""
    distance_h = (hour - centre_h + 12.0) % 24.0 - 12.0
    result: FloatArray = np.exp(-0.5 * (distance_h / width_h) ** 2)
    return result


def midnight_unix_s(day: date, zone: ZoneInfo) -> int:
    """When the local ``day`` begins."""
    return unix_s(datetime(day.year, day.month, day.day, tzinfo=zone))


def grid_of_days(start: date, days: int, step_s: int, zone: ZoneInfo) -> TimeGrid:
    """The steps of ``days`` local days from ``start``: with a clock change a day has 23 or 25 hours."""
    first = midnight_unix_s(start, zone)
    end = midnight_unix_s(start + timedelta(days=days), zone)
    return TimeGrid(first, step_s, (end - first) // step_s)


def local_time(starts_unix_s: TimeArray, zone: ZoneInfo) -> LocalTime:
    """The local clock at each time. The clock changes on full hours, so each hour is asked once."""
    hours, inverse = np.unique(starts_unix_s // 3600, return_inverse=True)
    stamps = [datetime.fromtimestamp(hour * 3600, zone) for hour in hours.tolist()]
    clock = np.array([time.hour for time in stamps], dtype=np.int64)
    ordinal = np.array([time.toordinal() for time in stamps], dtype=np.int64)
    day_of_year = np.array([time.timetuple().tm_yday for time in stamps], dtype=np.int64)
    weekday = np.array([time.weekday() for time in stamps], dtype=np.int64)
    within_hour = (starts_unix_s % 3600) / 3600.0
    return LocalTime(
        hour=clock[inverse] + within_hour,
        weekday=weekday[inverse],
        day_of_year=day_of_year[inverse],
        day=ordinal[inverse] - int(ordinal[0]),
    )


def wandering(random: np.random.Generator, count: int, memory: float) -> FloatArray:
    """[count] a first-order autoregressive series of mean 0 and standard deviation 1; ``memory`` is its correlation
    from one value to the next.
    """
    shocks = (random.standard_normal(count) * np.sqrt(1.0 - memory * memory)).tolist()
    values = np.empty(count)
    value = float(random.standard_normal())
    for index, shock in enumerate(shocks):
        value = memory * value + shock
        values[index] = value
    return values
