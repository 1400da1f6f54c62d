"""Means over steps of any length, given series and persistence."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.series import IntervalSeries
from parkwatt.forecast.local_time import DAY_S
from parkwatt.forecast.power import GivenForecaster, NativeSteps, PersistenceForecaster
from tests.forecast.made import HOUR_S, START_UNIX_S, edges_ahead, grid_of_days, noisy_load_kw


@given(
    cuts=st.lists(st.integers(0, 2 * DAY_S), min_size=2, max_size=20, unique=True),
    seed=st.integers(0, 100),
    gap=st.integers(0, 47),
)
def test_means_agree_with_those_of_an_interval_series(cuts: list[int], seed: int, gap: int) -> None:
    grid = grid_of_days(2)
    values = noisy_load_kw(grid, seed)
    values[gap] = np.nan
    edges = START_UNIX_S + np.array(sorted(cuts), dtype=np.int64)
    starts = grid.starts_unix_s()
    expected = IntervalSeries(starts, starts + HOUR_S, values).mean_over(edges)
    forecast = GivenForecaster(grid, values).forecast(START_UNIX_S, edges)
    # The series forgives half a second of gap; a grid of whole seconds never has less than one.
    np.testing.assert_allclose(forecast.mean_kw, expected, rtol=1e-9)
    np.testing.assert_array_equal(forecast.quantile_kw[0], forecast.mean_kw)


def test_native_steps_average_each_row() -> None:
    grid = grid_of_days(1)
    steps = NativeSteps.covering(grid, edges_ahead(START_UNIX_S, 4))
    rows = np.array([[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 4.0, 4.0]])
    halves = START_UNIX_S + np.array([0, 2, 4], dtype=np.int64) * HOUR_S
    np.testing.assert_allclose(steps.mean_over(rows, halves), [[1.5, 3.5], [0.0, 4.0]])


def test_a_given_series_is_unknown_outside_itself() -> None:
    grid = grid_of_days(1)
    edges = edges_ahead(grid.end_unix_s - 2 * HOUR_S, 4)
    forecast = GivenForecaster(grid, np.ones(24)).forecast(START_UNIX_S, edges, ())
    np.testing.assert_array_equal(forecast.mean_kw, [1.0, 1.0, np.nan, np.nan])
    assert forecast.quantile_kw.shape == (0, 4)


@given(now_step=st.integers(0, 5 * 24), seed=st.integers(0, 100))
def test_persistence_reads_the_past_only_and_repeats_it(now_step: int, seed: int) -> None:
    grid = grid_of_days(6)
    values = noisy_load_kw(grid, seed)
    values[now_step:] = 99.0
    now = START_UNIX_S + now_step * HOUR_S
    forecast = PersistenceForecaster(grid, values).forecast(now, edges_ahead(now, 30), ())
    assert not (forecast.mean_kw == 99.0).any()
    if now_step >= 24:
        np.testing.assert_allclose(forecast.mean_kw[:24], values[now_step - 24 : now_step])


def test_persistence_looks_a_day_further_back_over_a_gap() -> None:
    grid = grid_of_days(5)
    values = noisy_load_kw(grid, 1)
    now = START_UNIX_S + 3 * DAY_S
    values[50] = np.nan
    mean_kw = PersistenceForecaster(grid, values).forecast(now, edges_ahead(now, 24)).mean_kw
    assert mean_kw[2] == pytest.approx(values[26])
    assert mean_kw[3] == pytest.approx(values[51])


def test_wrong_lengths_and_edges_are_told() -> None:
    grid = grid_of_days(1)
    with pytest.raises(ValueError, match="24 values"):
        GivenForecaster(grid, np.ones(3))
    with pytest.raises(ValueError, match="24 values"):
        PersistenceForecaster(grid, np.ones(3))
    with pytest.raises(ValueError, match="two times"):
        GivenForecaster(grid, np.ones(24)).forecast(0, np.array([START_UNIX_S]))
