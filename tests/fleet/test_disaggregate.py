"""One set-point of a pool, shared among its cars: the sum is met, bounds hold, and all leave their plans alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.disaggregation import by_sorting, pool
from parkwatt.domain.errors import InputError
from parkwatt.fleet.disaggregate import Disaggregated, PoolCars, disaggregate


def cars_of(rng: np.random.Generator, count: int) -> PoolCars:
    """Some give and take, some only charge, some stay as they are; several have equal numbers."""
    low = rng.choice([-11.0, -7.4, 0.0, 2.0], count)
    high = low + rng.choice([0.0, 3.7, 11.0, 22.0], count)
    planned = rng.choice([-5.0, 0.0, 7.4, 11.0], count)
    weight = rng.choice([0.0, 0.5, 1.0, 3.0], count) * rng.choice([1.0, 0.9], count)
    return PoolCars(*(one.astype(np.float32) for one in (planned, low, high, weight)))


def reach_kw(cars: PoolCars) -> tuple[float, float]:
    stays = np.clip(cars.planned_kw, cars.low_kw, cars.high_kw)
    moves = cars.weight > 0
    least = np.where(moves, cars.low_kw, stays).sum(dtype=np.float64)
    return float(least), float(np.where(moves, cars.high_kw, stays).sum(dtype=np.float64))


def assert_shared(cars: PoolCars, target_kw: float, found: Disaggregated) -> None:
    least, most = reach_kw(cars)
    total = float(found.power_kw.sum(dtype=np.float64))
    size = float(np.abs(found.power_kw).sum(dtype=np.float64)) + abs(target_kw)
    assert total + found.missing_kw == pytest.approx(target_kw, abs=2e-6 * size + 1e-6)
    assert total == pytest.approx(np.clip(target_kw, least, most), abs=2e-6 * size + 1e-6)
    assert (found.power_kw >= cars.low_kw).all()
    assert (found.power_kw <= cars.high_kw).all()
    stays = np.clip(cars.planned_kw, cars.low_kw, cars.high_kw)
    assert (found.power_kw[cars.weight == 0] == stays[cars.weight == 0]).all()
    # Who is between its bounds leaves its plan by the same level, times its weight; who is at one could not go on.
    inside = (found.power_kw > cars.low_kw) & (found.power_kw < cars.high_kw) & (cars.weight > 0)
    moved = found.power_kw[inside] - cars.planned_kw[inside]
    assert moved == pytest.approx(cars.weight[inside] * found.level, abs=1e-4, rel=1e-4)


@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.one_of(st.integers(1, 40), st.integers(4000, 30_000)),
    place=st.floats(-0.2, 1.2),
)
@settings(max_examples=60, deadline=None)
def test_the_sum_is_met_and_all_leave_their_plans_alike(
    seed: int, count: int, place: float
) -> None:
    cars = cars_of(np.random.default_rng(seed), count)
    least, most = reach_kw(cars)
    target_kw = least + place * (most - least + 1.0)
    assert_shared(cars, target_kw, disaggregate(cars, target_kw))


@given(seed=st.integers(0, 2**32 - 1), places=st.tuples(st.floats(0, 1), st.floats(0, 1)))
@settings(max_examples=30, deadline=None)
def test_a_higher_target_lowers_no_car(seed: int, places: tuple[float, float]) -> None:
    cars = cars_of(np.random.default_rng(seed), 300)
    least, most = reach_kw(cars)
    lower, higher = (least + one * (most - least) for one in sorted(places))
    below, above = disaggregate(cars, lower), disaggregate(cars, higher)
    assert (above.power_kw >= below.power_kw - 1e-3).all()


@pytest.mark.parametrize("place", [0.05, 0.4, 0.6, 0.95])
def test_it_is_the_same_as_by_sorting(place: float) -> None:
    cars = pool(np.random.default_rng(4), 20_000)
    least, most = reach_kw(cars)
    target_kw = least + place * (most - least)
    found = disaggregate(cars, target_kw, begin_at=3.0)
    assert found.power_kw == pytest.approx(by_sorting(cars, target_kw), abs=1e-4)


def test_threads_come_to_the_same_and_a_guess_that_misses_does_no_harm() -> None:
    cars = cars_of(np.random.default_rng(1), 250_000)
    # The sample takes every 61st car: here just these are unlike all others.
    cars.planned_kw[::61] = 11.0
    cars.high_kw[::61] = 11.0
    least, most = reach_kw(cars)
    for place in (0.1, 0.5, 0.9):
        target_kw = least + place * (most - least)
        one, two = disaggregate(cars, target_kw), disaggregate(cars, target_kw, threads=2)
        assert_shared(cars, target_kw, one)
        assert two.power_kw == pytest.approx(one.power_kw, abs=1e-3)


def test_a_pool_without_cars_misses_all() -> None:
    nobody = PoolCars(*(np.zeros(0, np.float32) for _ in range(4)))
    assert disaggregate(nobody, -5.0).missing_kw == -5.0
    assert disaggregate(nobody, 0.0).missing_kw == 0.0


def test_cars_that_all_stay_are_not_moved() -> None:
    some = cars_of(np.random.default_rng(2), 50)
    cars = some._replace(weight=np.zeros(50, np.float32))
    assert_shared(cars, 1000.0, disaggregate(cars, 1000.0))


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("planned_kw", np.nan, "planned_kw[3]: must be finite"),
        ("planned_kw", -np.inf, "planned_kw[3]: must be finite"),
        ("low_kw", np.nan, "low_kw[3]: must be finite"),
        ("low_kw", -np.inf, "low_kw[3]: must be finite"),
        ("low_kw", 50.0, "low_kw[3]: must be at most high_kw, got 50.0"),
        ("high_kw", np.inf, "high_kw[3]: must be finite"),
        ("weight", -1.0, "weight[3]: must be at least 0, got -1.0"),
        ("weight", np.inf, "weight[3]: must be finite"),
        ("weight", np.nan, "weight[3]: must be finite"),
    ],
)
def test_what_is_wrong_is_told_by_car(name: str, value: float, told: str) -> None:
    cars = cars_of(np.random.default_rng(3), 10)
    getattr(cars, name)[3] = value
    with pytest.raises(InputError) as found:
        disaggregate(cars, 5.0)
    assert any(told in str(fault) for fault in found.value.faults), found.value.faults


def test_shapes_and_targets_that_are_wrong() -> None:
    cars = cars_of(np.random.default_rng(3), 10)
    with pytest.raises(InputError, match="high_kw: must have shape"):
        disaggregate(cars._replace(high_kw=np.zeros(3, np.float32)), 5.0)
    with pytest.raises(InputError, match="target_kw: must be finite"):
        disaggregate(cars, float("nan"))
