"""Laws of the solar forecast."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.forecast.local_time import DAY_S
from parkwatt.forecast.power import PersistenceForecaster
from parkwatt.forecast.solar import SolarForecaster
from tests.forecast.made import (
    HOUR_S,
    QUARTER_S,
    START_UNIX_S,
    clear_sky_kw,
    edges_ahead,
    grid_of_days,
)

ZONE = "Europe/Berlin"


def cloudy_kw(days: int, seed: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """[T] clear days, each dimmed by its own clouds, hourly."""
    random = np.random.default_rng(seed)
    dim = np.repeat(random.uniform(0.1, 1.0, days), 24) * random.uniform(0.8, 1.0, days * 24)
    return np.asarray(clear_sky_kw(grid_of_days(days)) * dim)


@given(
    seed=st.integers(0, 1000), now_step=st.integers(0, 20 * 24), now_shift_s=st.integers(0, 3599)
)
def test_no_future_value_changes_the_forecast(seed: int, now_step: int, now_shift_s: int) -> None:
    grid = grid_of_days(21)
    solar = cloudy_kw(21, seed)
    now = START_UNIX_S + now_step * HOUR_S + now_shift_s
    changed = solar.copy()
    changed[grid.starts_unix_s() + HOUR_S > now] = np.random.default_rng(seed).choice([9.0, np.nan])
    edges = edges_ahead(now, 30)
    first = SolarForecaster(grid, solar, "Asia/Kolkata").forecast(now, edges)
    second = SolarForecaster(grid, changed, "Asia/Kolkata").forecast(now, edges)
    np.testing.assert_array_equal(first.mean_kw, second.mean_kw)
    np.testing.assert_array_equal(first.quantile_kw, second.quantile_kw)


@pytest.mark.parametrize("start_unix_s", [START_UNIX_S, START_UNIX_S + 80 * DAY_S])
@pytest.mark.parametrize("step_s", [QUARTER_S, HOUR_S])
def test_clear_days_are_learned_exactly_also_over_a_change_of_clocks(
    start_unix_s: int, step_s: int
) -> None:
    grid = grid_of_days(30, step_s, start_unix_s)
    solar = clear_sky_kw(grid)
    forecaster = SolarForecaster(grid, solar, ZONE)
    for hour in range(5 * 24, 28 * 24, 7):
        first = hour * HOUR_S // step_s
        count = 36 * HOUR_S // step_s
        edges = grid.edges_unix_s()[first : first + count + 1]
        forecast = forecaster.forecast(int(edges[0]), edges)
        np.testing.assert_allclose(forecast.mean_kw, solar[first : first + count], atol=1e-9)


@given(seed=st.integers(0, 1000), factor=st.floats(0.01, 100.0), hour=st.integers(30, 18 * 24))
def test_scaling_the_plant_scales_the_forecast(seed: int, factor: float, hour: int) -> None:
    grid = grid_of_days(20)
    solar = cloudy_kw(20, seed)
    now = START_UNIX_S + hour * HOUR_S
    edges = edges_ahead(now, 30)
    plain = SolarForecaster(grid, solar, ZONE).forecast(now, edges)
    scaled = SolarForecaster(grid, solar * factor, ZONE).forecast(now, edges)
    np.testing.assert_allclose(scaled.mean_kw, plain.mean_kw * factor, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        scaled.quantile_kw, plain.quantile_kw * factor, rtol=1e-9, atol=1e-12
    )


@given(seed=st.integers(0, 1000), hour=st.integers(30, 18 * 24))
def test_quantiles_never_cross_and_nights_are_dark(seed: int, hour: int) -> None:
    grid = grid_of_days(20)
    solar = cloudy_kw(20, seed)
    solar[np.random.default_rng(seed).random(480) < 0.2] = np.nan
    now = START_UNIX_S + hour * HOUR_S
    edges = edges_ahead(now, 30)
    forecast = SolarForecaster(grid, solar, ZONE).forecast(now, edges, (0.05, 0.5, 0.95))
    assert (np.diff(forecast.quantile_kw, axis=0) >= -1e-12).all()
    assert (forecast.mean_kw >= 0.0).all()
    night = (edges[:-1] % DAY_S < 4 * HOUR_S) | (edges[:-1] % DAY_S >= 20 * HOUR_S)
    if hour > 5 * 24:
        np.testing.assert_allclose(forecast.quantile_kw[:, night], 0.0, atol=1e-12)


def test_a_dim_morning_dims_the_afternoon() -> None:
    grid = grid_of_days(20)
    solar = clear_sky_kw(grid)
    now = START_UNIX_S + 15 * DAY_S + 12 * HOUR_S
    bright = SolarForecaster(grid, solar, ZONE).forecast(now, edges_ahead(now, 6)).mean_kw
    solar[grid.index(now) - 6 : grid.index(now)] *= 0.3
    dim = SolarForecaster(grid, solar, ZONE).forecast(now, edges_ahead(now, 6)).mean_kw
    assert dim.sum() < 0.6 * bright.sum()


def test_persistence_of_cloud_beats_yesterday() -> None:
    grid = grid_of_days(120)
    solar = cloudy_kw(120, 1)
    ours, yesterday = SolarForecaster(grid, solar, ZONE), PersistenceForecaster(grid, solar)
    errors = []
    for hour in range(20 * 24, 118 * 24, 5):
        now = START_UNIX_S + hour * HOUR_S
        edges = edges_ahead(now, 24)
        actual = solar[hour : hour + 24]
        errors.append([f.forecast(now, edges, ()).mean_kw - actual for f in (ours, yesterday)])
    squared = np.square(errors).mean(axis=(0, 2))
    assert squared[0] < 0.7 * squared[1]


def test_before_the_first_midnight_nothing_is_known() -> None:
    grid = grid_of_days(3)
    now = START_UNIX_S + 8 * HOUR_S
    forecast = SolarForecaster(grid, clear_sky_kw(grid), "UTC").forecast(now, edges_ahead(now, 6))
    assert forecast.known_days == 0.0
    assert np.isnan(forecast.mean_kw).all()


def test_wrong_length_is_told() -> None:
    with pytest.raises(ValueError, match="48 values"):
        SolarForecaster(grid_of_days(2), np.zeros(3), ZONE)
