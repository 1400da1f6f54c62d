"""How often a car was there, and what its trips took: nothing later than now is read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.series import TimeGrid
from parkwatt.site.horizon.knowledge import PastUse

_DAY_S = 86_400
_GRID = TimeGrid(1_717_365_600, 3600, 10 * 24)


def past_use(plugged: np.ndarray) -> PastUse:
    """A car that came on days 1, 3 and 5 after 4, 6 and 11 kWh."""
    arrivals = _GRID.start_unix_s + np.array([1, 3, 5]) * _DAY_S
    return PastUse(_GRID, plugged, arrivals, np.array([4.0, 6.0, 11.0]))


def test_the_share_of_days_on_which_it_was_there_by_hand() -> None:
    """Eight days are behind; it was there at 06:00 on the last two, and a week ago (which counts for three)."""
    plugged = np.zeros(_GRID.step_count)
    plugged[[1 * 24 + 6, 6 * 24 + 6, 7 * 24 + 6]] = 1.0
    now_s = _GRID.start_unix_s + 8 * _DAY_S
    at = np.array([now_s + 6 * 3600, now_s + 7 * 3600])
    found = past_use(plugged).available(now_s, at)
    assert found == pytest.approx([(1 + 1 + 3 + 0.6) / (7 + 3 + 1), 0.6 / 11])


def test_before_anything_is_known_it_is_there_six_hours_out_of_ten() -> None:
    now_s = _GRID.start_unix_s
    found = past_use(np.ones(_GRID.step_count)).available(now_s, now_s + np.arange(24) * 3600)
    assert found == pytest.approx([0.6] * 24)


@given(seed=st.integers(0, 1000), hour=st.integers(0, 239), ahead=st.integers(0, 100))
def test_what_comes_after_now_is_not_read(seed: int, hour: int, ahead: int) -> None:
    plugged = np.random.default_rng(seed).integers(0, 2, _GRID.step_count).astype(np.float64)
    now_s = _GRID.start_unix_s + hour * 3600
    later = plugged.copy()
    later[hour:] = 1.0 - later[hour:]
    at = now_s + ahead * 3600 + np.arange(24) * 3600
    np.testing.assert_array_equal(
        past_use(plugged).available(now_s, at), past_use(later).available(now_s, at)
    )


def test_trips_are_known_once_the_car_is_back() -> None:
    past = past_use(np.zeros(_GRID.step_count))
    start_s = _GRID.start_unix_s
    assert past.usually_used_kwh(start_s) is None
    assert past.usually_used_kwh(start_s + 1 * _DAY_S) == 4.0
    assert past.usually_used_kwh(start_s + 4 * _DAY_S) == 5.0
    assert past.usually_used_kwh(start_s + 9 * _DAY_S) == 7.0
