"""Courses of the sun: past days, those like the forecast first; the forecast alone where no days are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.record import FloatArray
from parkwatt.home.observation import SolarAhead
from parkwatt.home.sun import solar_courses

HOUR_S = 3600
DAY_S = 24 * HOUR_S
BEGIN_S = 1_700_006_400
NOW_S = BEGIN_S + 15 * DAY_S
SHAPE = np.clip(np.sin((np.arange(96) - 24) / 48 * np.pi), 0.0, None)
# The first days were dull, the last ones sunny.
SIZES = tuple(0.5 + 0.3 * day for day in range(15))
PAST_KW = tuple(float(size * kw) for size in SIZES for kw in SHAPE)
PAST = SolarAhead(past_kw=PAST_KW, past_end_unix_s=NOW_S)


def _forecast(size: float, days: int = 1) -> SolarAhead:
    """With steps as a plan has them: one that is cut, quarter hours, then hours."""
    edges = [
        NOW_S,
        NOW_S + 300,
        NOW_S + 900,
        *range(NOW_S + HOUR_S, NOW_S + days * DAY_S + 1, HOUR_S),
    ]
    middle_s = (np.array(edges[:-1]) + np.array(edges[1:])) // 2 - NOW_S
    power_kw = size * SHAPE[middle_s % DAY_S // 900]
    return replace(PAST, edges_unix_s=tuple(edges), power_kw=tuple(power_kw.tolist()))


def _daily_kwh(courses: FloatArray) -> FloatArray:
    return np.asarray(courses.reshape(len(courses), -1, 96).sum(axis=2) / 4)


@given(st.integers(0, 3 * DAY_S), st.integers(1, 700), st.integers(1, 40), st.integers(0, 9))
def test_courses_are_past_days_at_their_time_of_day(
    later_s: int, step_count: int, count: int, seed: int
) -> None:
    courses = solar_courses(_forecast(2.0, 2), NOW_S + later_s, step_count, count, seed)
    assert courses.shape == (count, step_count)
    assert (courses >= 0).all()
    shape = SHAPE[(later_s // 900 + np.arange(step_count)) % 96]
    assert (courses[:, shape == 0] == 0).all()
    assert (courses <= max(SIZES) * shape + 1e-9).all()


def test_days_that_nobody_forecast_take_any_past_day() -> None:
    daily = _daily_kwh(solar_courses(PAST, NOW_S, 7 * 96, 300))
    usual = np.mean(SIZES) * SHAPE.sum() / 4
    assert daily.mean(axis=0) == pytest.approx(np.full(7, usual), rel=0.1)
    assert np.quantile(daily, 0.9) > 2 * np.quantile(daily, 0.1)


def test_a_day_forecast_dull_or_sunny_is_so_in_the_courses_and_the_next_ones_are_not() -> None:
    usual, dull, sunny = (
        _daily_kwh(solar_courses(one, NOW_S, 2 * 96, 300)).mean(axis=0)
        for one in (PAST, _forecast(0.5), _forecast(4.5))
    )
    assert dull[0] < 0.8 * usual[0] < usual[0] < 0.9 * sunny[0]
    assert dull[1] == pytest.approx(usual[1], rel=0.1)
    assert sunny[1] == pytest.approx(usual[1], rel=0.1)


def test_a_forecast_beyond_all_past_days_takes_the_nearest() -> None:
    daily = _daily_kwh(solar_courses(_forecast(1000.0), NOW_S, 96, 100))
    assert daily.min() == pytest.approx(max(SIZES) * SHAPE.sum() / 4)


def test_without_enough_days_the_forecast_is_the_course_over_its_own_steps() -> None:
    """The plan's steps are of many lengths; beyond it there is no sun."""
    few = replace(_forecast(2.0), past_kw=PAST_KW[-4 * 96 :])
    courses = solar_courses(few, NOW_S, 2 * 96, 50)
    assert courses.shape == (1, 192)
    noon = 48
    assert courses[0, noon] == pytest.approx(2.0, rel=0.05)
    assert _daily_kwh(courses)[0, 0] == pytest.approx(2.0 * SHAPE.sum() / 4, rel=0.05)
    assert (courses[0, 96:] == 0).all()


def test_a_past_day_with_a_gap_is_not_taken() -> None:
    """Nor is one that a meter which is silent since the outage did not see."""
    gap = list[float | None](PAST_KW)
    gap[14 * 96 + 40] = None
    courses = solar_courses(replace(PAST, past_kw=tuple(gap)), NOW_S, 96, 300)
    assert courses.max() <= SIZES[13] + 1e-9
    later = solar_courses(PAST, NOW_S + DAY_S, 96, 300)
    assert later.shape == (300, 96)
    assert later.max() == pytest.approx(SIZES[14], rel=0.01)
