"""The kernel *curved* finds the optimum of HiGHS with taper, holding price and prices of missed wishes.

HYPOTHESIS_PROFILE=nightly compares more than ten thousand problems.
"""

from __future__ import annotations

import os

import numpy as np
import pytest

from parkwatt.plan.batch import KERNEL_NAMES, BatchPrices, CarStays, MissPrices, plan_batch
from tests.plan.batch.fleets import bent, convex_prices, fleet_of, prices_of, random_cars
from tests.plan.batch.judges import in_all, least_cost, most_kwh_of

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
CARS = 50
FLEETS = 240 if NIGHTLY else 10
RELATIVE = 1e-6
SPARED = 1e-4
CURVED = KERNEL_NAMES.index("curved")
MISS = (
    MissPrices(),
    MissPrices(departure_per_kwh=0.3),
    MissPrices(floor_per_kwh_h=0.02),
    MissPrices(0.1, 0.3),
    MissPrices(2.0, 5.0),
)


def assert_optimal(cars: CarStays, prices: BatchPrices, miss: MissPrices) -> None:
    """Of each car that a convex kernel planned; at most one in ten is another's."""
    batch = plan_batch(cars, prices, miss=miss)
    found = in_all(batch, miss)
    rows = np.flatnonzero(batch.kernel <= CURVED)
    assert len(rows) >= 0.9 * cars.stay_count
    assert (batch.kernel == CURVED).any()
    expected = np.array([least_cost(cars, prices, int(row), miss) for row in rows])
    more, room = found[rows] - expected, RELATIVE * np.maximum(np.abs(expected), 0.01)
    # Where a wish is out of reach, early power may bring next to nothing of it (less than 1e-11 kWh), and cost a little.
    spared = np.where(
        (batch.shortfall_kwh[rows] > 0.0) & np.isinf(miss.departure_per_kwh), SPARED, 0.0
    )
    assert np.all((more <= room) & (more >= -room - spared))


@pytest.mark.parametrize("seed", range(FLEETS))
def test_costs_are_those_of_a_linear_program(seed: int) -> None:
    rng = np.random.default_rng(seed)
    steps = int(rng.integers(1, 97))
    prices, cars = convex_prices(rng, steps), bent(rng, random_cars(rng, CARS, steps))
    assert_optimal(cars, prices, MISS[seed % len(MISS)])


@pytest.mark.parametrize("seed", range(5))
def test_what_is_missing_at_departure_is_the_least(seed: int) -> None:
    rng = np.random.default_rng(2000 + seed)
    prices, cars = convex_prices(rng, 24), bent(rng, random_cars(rng, CARS, 24))
    batch = plan_batch(cars, prices)
    best_kwh = [
        most_kwh_of(cars, prices.duration_h[first:last], row)[-1]
        for row, (first, last) in enumerate(zip(*cars[:2], strict=True))
    ]
    expected = np.maximum(np.nan_to_num(cars.energy_kwh_at_departure) - best_kwh, 0.0)
    assert (expected[batch.kernel == CURVED] > 1e-3).any()
    assert batch.shortfall_kwh == pytest.approx(expected, abs=1e-6)


def test_a_step_takes_what_the_car_takes_at_its_end() -> None:
    """From 40 kWh on 10 kW fall to 0 at 60: after an hour from 40, p = 10 − (p · 1 h) / 2."""
    cars = fleet_of(
        1,
        energy_kwh_at_arrival=40.0,
        energy_kwh_at_departure=60.0,
        charge_efficiency=1.0,
        taper_from_kwh=40.0,
        taper_kw_at_max=0.0,
    )
    batch = plan_batch(cars, prices_of([0.3] * 4))
    assert batch.power_kw is not None
    expected = 20.0 * (1.0 - np.array([1.0, 2.0 / 3.0, 4.0 / 9.0, 8.0 / 27.0, 16.0 / 81.0]))
    assert batch.power_kw[0] == pytest.approx(np.diff(expected), rel=1e-6)
    assert batch.shortfall_kwh == pytest.approx([20.0 * 16.0 / 81.0])


def test_what_is_dear_to_hold_is_charged_late() -> None:
    held = {"holding_price_per_kwh_h": 0.001, "holding_from_kwh": 30.0}
    cars = fleet_of(1, energy_kwh_at_departure=38.0, charge_efficiency=1.0, **held)
    batch = plan_batch(cars, prices_of([0.3] * 4))
    assert batch.power_kw is not None
    assert batch.power_kw[0] == pytest.approx([10.0, 0.0, 0.0, 8.0])
    assert batch.cost == pytest.approx([18.0 * 0.3 + 0.008])


def test_a_car_below_its_floor_waits_while_power_is_dearer() -> None:
    cars = fleet_of(1, energy_kwh_at_arrival=5.0, charge_efficiency=1.0)
    prices = prices_of([0.9, 0.5, 0.2, 0.9])
    waits = plan_batch(cars, prices, miss=MissPrices(floor_per_kwh_h=0.25))
    hurries = plan_batch(cars, prices)
    assert waits.power_kw is not None
    assert hurries.power_kw is not None
    assert waits.power_kw[0] == pytest.approx([0.0, 0.0, 5.0, 0.0])
    assert waits.below_floor_kwh_h == pytest.approx([10.0])
    assert hurries.power_kw[0] == pytest.approx([5.0, 0.0, 0.0, 0.0])


def test_a_car_that_waits_for_its_floor_does_not_discharge() -> None:
    """Selling at 0.9 what was bought at 0.1 would pay more than being 1 kWh below the floor costs."""
    cars = fleet_of(1, energy_kwh_at_arrival=5.0, discharge_kw_max=10.0, energy_value_per_kwh=0.5)
    prices = prices_of([0.1, 0.95, 0.95, 0.95], [0.0, 0.9, 0.9, 0.9])
    batch = plan_batch(cars, prices, miss=MissPrices(floor_per_kwh_h=0.01))
    assert KERNEL_NAMES[batch.kernel[0]] == "levels"
    assert batch.power_kw is not None
    assert batch.power_kw[0, 0] == pytest.approx(10.0)
    assert batch.energy_kwh_end[0] >= 10.0 - 1e-6
