"""Histories for forecast tests, made by formula."""

from datetime import UTC, datetime

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeArray, TimeGrid, unix_s
from parkwatt.forecast.local_time import DAY_S, LocalClock

# A Monday.
START_UNIX_S = unix_s(datetime(2024, 1, 1, tzinfo=UTC))
QUARTER_S = 900
HOUR_S = 3600


def grid_of_days(days: int, step_s: int = HOUR_S, start_unix_s: int = START_UNIX_S) -> TimeGrid:
    """A grid of whole days of 24 hours."""
    return TimeGrid(start_unix_s, step_s, days * DAY_S // step_s)


def weekly_load_kw(grid: TimeGrid, clock: LocalClock) -> FloatArray:
    """[T] a load that depends on the kind of day and the local hour alone."""
    local_s = clock.local_s(grid.starts_unix_s())
    kind = clock.kind_of_day(local_s // DAY_S)
    hour = (local_s % DAY_S) // HOUR_S
    return np.asarray(0.3 + 0.05 * hour + 0.4 * kind * ((hour > 8) & (hour < 20)), dtype=np.float64)


def noisy_load_kw(grid: TimeGrid, seed: int) -> FloatArray:
    """[T] a load with a daily shape and lumps."""
    random = np.random.default_rng(seed)
    hour = (grid.starts_unix_s() % DAY_S) / HOUR_S
    shape = 0.4 + 0.3 * np.cos((hour - 19.0) / 24.0 * 2.0 * np.pi)
    return np.asarray(shape + random.gamma(0.5, 0.6, grid.step_count), dtype=np.float64)


def clear_sky_kw(grid: TimeGrid, peak_kw: float = 5.0) -> FloatArray:
    """[T] the same clear day over and over, sun from 06:00 to 18:00 UTC."""
    hour = ((grid.starts_unix_s() + grid.step_s / 2) % DAY_S) / HOUR_S
    return np.asarray(peak_kw * np.maximum(np.sin((hour - 6.0) / 12.0 * np.pi), 0.0))


def edges_ahead(now_unix_s: int, hours: int, step_s: int = HOUR_S) -> TimeArray:
    """[S+1] the edges of the next hours' steps."""
    return now_unix_s + step_s * np.arange(hours * HOUR_S // step_s + 1, dtype=np.int64)


def sessions(
    count: int, seed: int, leave_spread_h: float = 0.5
) -> tuple[TimeArray, TimeArray, FloatArray]:
    """([N] arrival, [N] departure, unix s, [N] energy, kWh): home at 18 h, off at 07:30 h UTC, daily, with spreads."""
    random = np.random.default_rng(seed)
    midnight = START_UNIX_S + DAY_S * np.arange(count, dtype=np.int64)
    arrival = midnight + np.round((18.0 + random.normal(0.0, 1.0, count)) * HOUR_S).astype(np.int64)
    leave_h = 31.5 + random.normal(0.0, leave_spread_h, count).clip(-6.0, 6.0)
    departure = midnight + np.round(leave_h * HOUR_S).astype(np.int64)
    return arrival, departure, np.asarray(random.gamma(4.0, 2.5, count))
