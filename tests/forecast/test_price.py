"""Prices beyond publication: from published prices only, with the order and the spread of past days."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeGrid
from parkwatt.forecast.price import PriceForecaster

MONDAY_UNIX_S = 1_704_067_200  # 2024-01-01 00:00 UTC
PER_DAY = 24


def forecaster(
    price_per_kwh: FloatArray, holidays: frozenset[date] = frozenset()
) -> PriceForecaster:
    grid = TimeGrid(MONDAY_UNIX_S, 3600, len(price_per_kwh))
    return PriceForecaster(grid, price_per_kwh, "UTC", holidays)


def prices(seed: int, days: int) -> FloatArray:
    return np.random.default_rng(seed).normal(0.1, 0.05, days * PER_DAY)


@given(seed=st.integers(0, 1000), known=st.integers(0, 10 * PER_DAY), scale=st.floats(-9, 9))
def test_what_is_not_published_is_not_read(seed: int, known: int, scale: float) -> None:
    real = prices(seed, 12)
    other = real.copy()
    other[known:] *= scale
    guess = forecaster(real).beyond(known, 40)
    np.testing.assert_array_equal(guess, forecaster(other).beyond(known, 40))


@given(seed=st.integers(0, 1000), step_count=st.integers(1, 96))
def test_days_that_are_all_alike_go_on(seed: int, step_count: int) -> None:
    day = prices(seed, 1)
    guess = forecaster(np.tile(day, 10)).beyond(9 * PER_DAY, step_count)
    np.testing.assert_allclose(guess, np.tile(day, 4)[:step_count])


@given(seed=st.integers(0, 1000))
def test_the_guess_keeps_the_spread_of_days_whose_dear_hour_moves(seed: int) -> None:
    random = np.random.default_rng(seed)
    days = np.full((14, PER_DAY), 0.1)
    days[np.arange(14), random.integers(0, PER_DAY, 14)] = 0.5
    guess = forecaster(days.ravel()).beyond(14 * PER_DAY, PER_DAY)
    assert guess.max() == pytest.approx(0.5)
    assert guess.min() == pytest.approx(0.1)


def test_the_guess_scales_with_the_prices() -> None:
    real = prices(3, 10)
    guess = forecaster(real).beyond(200, 60)
    np.testing.assert_allclose(forecaster(7 * real).beyond(200, 60), 7 * guess)


def test_a_free_day_is_guessed_from_free_days() -> None:
    days = np.full((12, PER_DAY), 0.3)
    days[[5, 6]] = 0.1  # the first weekend; day 12 is a Saturday
    price = np.concatenate((days.ravel(), np.zeros(2 * PER_DAY)))
    friday = forecaster(price).beyond(11 * PER_DAY, PER_DAY)
    saturday = forecaster(price).beyond(12 * PER_DAY, PER_DAY)
    assert saturday.mean() < friday.mean()
    as_holiday = forecaster(price, frozenset({date(2024, 1, 12)})).beyond(11 * PER_DAY, PER_DAY)
    assert as_holiday.mean() < friday.mean()


def test_less_than_a_day_gives_its_mean_and_nothing_known_gives_zero() -> None:
    price = prices(1, 3)
    np.testing.assert_allclose(forecaster(price).beyond(5, 30), price[:5].mean())
    np.testing.assert_array_equal(forecaster(price).beyond(0, 30), 0.0)


def test_a_wrong_length_or_step_is_an_error() -> None:
    with pytest.raises(ValueError, match="one value a step"):
        PriceForecaster(TimeGrid(0, 3600, 5), np.zeros(4), "UTC")
    with pytest.raises(ValueError, match="do not divide a day"):
        PriceForecaster(TimeGrid(0, 7000, 4), np.zeros(4), "UTC")
