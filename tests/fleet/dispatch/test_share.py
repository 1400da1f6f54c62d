"""Who takes how much: the sum is met, and nobody is told less than his charger does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.fleet.disaggregate import PoolCars
from parkwatt.fleet.dispatch.share import share


def single(array: np.ndarray) -> np.ndarray:
    return np.asarray(array, np.float32)


def pool(rng: np.random.Generator, count: int) -> tuple[PoolCars, np.ndarray]:
    charge = rng.choice([7.4, 11.0], count)
    gives = rng.random(count) < 0.7
    planned = np.where(rng.random(count) < 0.3, charge, 0.0)
    cars = PoolCars(
        *map(single, (planned, np.where(gives, -charge, 0.0), charge, rng.uniform(0.2, 2.0, count)))
    )
    return cars, single(np.where(charge > 8.0, 4.14, 1.38))


@given(seed=st.integers(0, 2**32 - 1), place=st.floats(0.0, 1.0))
@settings(max_examples=150, deadline=None)
def test_the_sum_is_met_and_nobody_is_below_the_least_power(seed: int, place: float) -> None:
    cars, least_kw = pool(np.random.default_rng(seed), 60)
    low, high = float(cars.low_kw.sum()), float(cars.high_kw.sum())
    aim_kw = low + place * (high - low)
    found = share(cars, cars.planned_kw, least_kw, aim_kw, still_kw=0.5, turn=0)
    assert (found.power_kw >= cars.low_kw).all()
    assert (found.power_kw <= cars.high_kw).all()
    size_kw = np.abs(found.power_kw)
    assert ((size_kw < 2e-3) | (size_kw >= least_kw - 2e-3)).all()
    # At the ends there is a hole that no choice of cars fills; else the sum is met.
    assert float(found.power_kw.sum()) == pytest.approx(aim_kw, abs=4.2)
    assert abs(found.missing_kw) <= 4.2


@given(
    seed=st.integers(0, 2**32 - 1), steps=st.lists(st.floats(-40.0, 40.0), min_size=1, max_size=30)
)
@settings(max_examples=60, deadline=None)
def test_small_corrections_move_few_and_start_nobody(seed: int, steps: list[float]) -> None:
    cars, least_kw = pool(np.random.default_rng(seed), 400)
    aim_kw = 0.5 * float(cars.low_kw.sum())
    stands_kw, turn = cars.planned_kw, 0
    first = share(cars, stands_kw, least_kw, aim_kw, still_kw=5.0, turn=turn)
    stands_kw, turn = first.power_kw, first.turn
    for step in steps:
        aim_kw += step
        before_kw = stands_kw
        found = share(cars, stands_kw, least_kw, aim_kw, still_kw=5.0, turn=turn)
        stands_kw, turn = found.power_kw, found.turn
        assert float(stands_kw.sum()) == pytest.approx(aim_kw, abs=9.5)
        size_kw = np.abs(stands_kw)
        assert ((size_kw < 2e-3) | (size_kw >= least_kw - 2e-3)).all()
        moved = np.abs(stands_kw - before_kw) > 1e-3
        assert moved.mean() <= 0.6
        # In a small correction nobody turns round or starts.
        if moved.mean() < 0.1:
            assert (np.sign(stands_kw) == np.sign(before_kw)).all()


def test_who_runs_goes_on_running() -> None:
    cars = PoolCars(
        *map(single, (np.zeros(10), -11.0 * np.ones(10), 11.0 * np.ones(10), np.ones(10)))
    )
    least_kw = single(np.full(10, 4.14))
    stands_kw = single(np.where(np.arange(10) == 7, -5.0, 0.0))
    found = share(cars, stands_kw, least_kw, -9.0, still_kw=0.01, turn=0)
    assert found.power_kw[7] <= -4.14
    assert (found.power_kw < -1.0).sum() == 2
    assert float(found.power_kw.sum()) == pytest.approx(-9.0)
