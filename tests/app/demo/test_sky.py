"""The clear sky against what astronomy says."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from parkwatt.app.demo.local_time import local_time
from parkwatt.app.demo.sky import Roof, clear_sky_kw
from parkwatt.domain.series import unix_s

FLAT = Roof(rated_kw=5.0, tilt_deg=0.0, latitude_deg=52.1, longitude_deg=0.0, efficiency=1.0)


def _day(month: int, day: int, roof: Roof) -> tuple[np.ndarray, np.ndarray]:
    """Hours of the UTC day, and clear-sky power at each minute."""
    start = unix_s(datetime(2024, month, day, tzinfo=UTC))
    times = start + 60 * np.arange(1440, dtype=np.int64)
    return np.arange(1440) / 60, clear_sky_kw(times, local_time(times, ZoneInfo("UTC")), roof)


@pytest.mark.parametrize(
    ("month", "day", "daylight_h"),
    [(6, 21, 16.6), (12, 21, 7.8), (3, 20, 12.0)],  # at 52.1° N, from sunrise equation
)
def test_daylight(month: int, day: int, daylight_h: float) -> None:
    hours, power_kw = _day(month, day, FLAT)
    lit = hours[power_kw > 0]
    assert lit[-1] - lit[0] == pytest.approx(daylight_h, abs=0.35)


@pytest.mark.parametrize(("month", "day", "minutes"), [(2, 11, 14.2), (11, 3, -16.4)])
def test_noon_follows_the_equation_of_time(month: int, day: int, minutes: float) -> None:
    hours, power_kw = _day(month, day, FLAT)
    lit = hours[power_kw > 0]
    assert (lit[0] + lit[-1]) / 2 == pytest.approx(12 + minutes / 60, abs=0.06)


def test_east_is_earlier_and_tilt_helps_in_winter() -> None:
    east = Roof(tilt_deg=0.0, longitude_deg=15.0)
    hours, power_kw = _day(3, 20, east)
    assert hours[power_kw.argmax()] == pytest.approx(11.1, abs=0.2)
    tilted, flat = Roof(longitude_deg=0.0), Roof(tilt_deg=0.0, longitude_deg=0.0)
    assert _day(12, 21, tilted)[1].sum() > 1.8 * _day(12, 21, flat)[1].sum()
