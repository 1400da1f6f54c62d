"""The kernel *linear* finds the optimum of HiGHS, charges early among equal prices, and does not care how time is cut.

HYPOTHESIS_PROFILE=nightly compares more than ten thousand problems.
"""

from __future__ import annotations

import os

import numpy as np
import pytest

from parkwatt.plan.batch import KERNEL_NAMES, BatchPrices, MissPrices, plan_batch
from tests.plan.batch.fleets import convex_prices, fleet_of, prices_of, random_cars
from tests.plan.batch.judges import least_cost

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
CARS = 50
FLEETS = 240 if NIGHTLY else 10
RELATIVE = 1e-6


@pytest.mark.parametrize("seed", range(FLEETS))
def test_costs_are_those_of_a_linear_program(seed: int) -> None:
    rng = np.random.default_rng(seed)
    steps = int(rng.integers(1, 97))
    prices, cars = convex_prices(rng, steps), random_cars(rng, CARS, steps)
    batch = plan_batch(cars, prices)
    assert {KERNEL_NAMES[kernel] for kernel in batch.kernel} == {"linear"}
    expected = np.array([least_cost(cars, prices, row) for row in range(CARS)])
    assert np.all(np.abs(batch.cost - expected) <= RELATIVE * np.maximum(np.abs(expected), 0.01))


@pytest.mark.parametrize("seed", range(FLEETS))
def test_a_price_of_missing_energy_counts_as_money_does(seed: int) -> None:
    rng = np.random.default_rng(1000 + seed)
    steps = int(rng.integers(1, 97))
    prices, cars = convex_prices(rng, steps), random_cars(rng, CARS, steps)
    miss = MissPrices(departure_per_kwh=float(rng.choice([0.0, 0.05, 0.2, 0.5, 3.0])))
    batch = plan_batch(cars, prices, miss=miss)
    found = batch.cost + miss.departure_per_kwh * batch.shortfall_kwh
    expected = np.array([least_cost(cars, prices, row, miss) for row in range(CARS)])
    assert np.all(np.abs(found - expected) <= RELATIVE * np.maximum(np.abs(expected), 0.01))


def test_a_car_is_charged_as_long_as_a_missing_kwh_costs_more() -> None:
    cars = fleet_of(1, energy_kwh_at_departure=45.0, charge_efficiency=1.0)
    batch = plan_batch(
        cars, prices_of([0.4, 0.1, 0.2, 0.3]), miss=MissPrices(departure_per_kwh=0.25)
    )
    assert batch.power_kw is not None
    assert batch.power_kw[0] == pytest.approx([0.0, 10.0, 10.0, 0.0])
    assert batch.shortfall_kwh == pytest.approx([5.0])
    assert batch.cost == pytest.approx([3.0])


def test_as_many_steps_as_there_may_be() -> None:
    rng = np.random.default_rng(1)
    steps = 2048
    prices, cars = convex_prices(rng, steps), random_cars(rng, 4, steps)
    cars = cars._replace(from_step=np.zeros(4, np.int64), to_step=np.full(4, steps))
    expected = [least_cost(cars, prices, row) for row in range(4)]
    assert plan_batch(cars, prices).cost == pytest.approx(expected, rel=RELATIVE)


@pytest.mark.parametrize("seed", range(10))
def test_what_is_missing_at_departure_is_the_least(seed: int) -> None:
    rng = np.random.default_rng(seed)
    prices, cars = convex_prices(rng, 24), random_cars(rng, CARS, 24)
    hours = np.array(
        [prices.duration_h[first:last].sum() for first, last in zip(*cars[:2], strict=True)]
    )
    full_kwh = cars.energy_kwh_at_arrival + hours * cars.charge_kw_max * cars.charge_efficiency
    most_kwh = np.where(
        cars.energy_kwh_at_arrival > cars.energy_kwh_max,
        cars.energy_kwh_at_arrival,
        np.minimum(full_kwh, cars.energy_kwh_max),
    )
    expected = np.maximum(np.nan_to_num(cars.energy_kwh_at_departure) - most_kwh, 0.0)
    assert expected.any()
    assert plan_batch(cars, prices).shortfall_kwh == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_two_half_steps_are_one_step(seed: int) -> None:
    rng = np.random.default_rng(seed)
    prices, cars = convex_prices(rng, 30), random_cars(rng, CARS, 30)
    halves = BatchPrices(
        np.repeat(prices.import_per_kwh, 2, axis=1),
        np.repeat(prices.export_per_kwh, 2, axis=1),
        np.repeat(prices.duration_h / 2.0, 2),
    )
    whole = plan_batch(cars, prices)
    half = plan_batch(cars._replace(from_step=2 * cars.from_step, to_step=2 * cars.to_step), halves)
    assert half.cost == pytest.approx(whole.cost, rel=1e-9, abs=1e-9)
    assert half.shortfall_kwh == pytest.approx(whole.shortfall_kwh, abs=1e-9)


def test_of_equal_prices_the_earlier_step_charges() -> None:
    cars = fleet_of(1, energy_kwh_at_departure=35.0)
    batch = plan_batch(cars, prices_of([0.3, 0.3, 0.3, 0.3]))
    assert batch.power_kw is not None
    assert batch.power_kw[0] == pytest.approx([10.0, 15.0 / 0.9 - 10.0, 0.0, 0.0])


def test_a_car_does_not_move_what_gains_nothing() -> None:
    cars = fleet_of(1, charge_efficiency=1.0, discharge_efficiency=1.0, discharge_kw_max=10.0)
    batch = plan_batch(cars, prices_of([0.3] * 4, [0.3] * 4))
    assert batch.power_kw is not None
    assert (batch.power_kw[0] < 0.0).any()  # what is left is worth 0, so it is sold
    kept = plan_batch(
        cars._replace(energy_value_per_kwh=np.array([0.3])), prices_of([0.3] * 4, [0.3] * 4)
    )
    assert kept.power_kw is not None
    assert (kept.power_kw[0] >= 0.0).all() or (kept.power_kw[0] <= 0.0).all()


def test_a_car_below_its_floor_charges_first_at_any_price() -> None:
    cars = fleet_of(1, energy_kwh_at_arrival=0.0, discharge_kw_max=10.0)
    batch = plan_batch(cars, prices_of([9.0, 9.0, 0.1, 0.1], [8.0, 8.0, 0.0, 0.0]))
    assert batch.power_kw is not None
    assert batch.power_kw[0] == pytest.approx([10.0, 1.0 / 0.9, 0.0, 0.0])


def test_a_car_above_its_maximum_that_may_not_discharge_keeps_what_it_has() -> None:
    cars = fleet_of(1, energy_kwh_at_arrival=70.0, energy_kwh_at_departure=80.0)
    batch = plan_batch(cars, prices_of([-1.0] * 4))
    assert batch.power_kw is not None
    assert not batch.power_kw.any()
    assert batch.energy_kwh_end[0] == 70.0
    assert batch.shortfall_kwh[0] == 10.0


def test_a_charger_without_power_leaves_the_car_as_it_is() -> None:
    cars = fleet_of(1, charge_kw_max=0.0, energy_kwh_at_arrival=5.0, energy_kwh_at_departure=50.0)
    batch = plan_batch(cars, prices_of([-1.0] * 4))
    assert batch.shortfall_kwh[0] == 45.0
    assert batch.cost[0] == 0.0
