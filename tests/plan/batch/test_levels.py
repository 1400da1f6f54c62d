"""The kernel *levels* comes close to an independent MILP, and misses no wish that the MILP meets.

HYPOTHESIS_PROFILE=nightly compares a thousand problems.
"""

from __future__ import annotations

import os
from functools import cache
from itertools import product

import numpy as np
import pytest

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch import KERNEL_NAMES, BatchPrices, CarStays, MissPrices, plan_batch
from parkwatt.plan.batch.level_polish import in_all as in_all_of
from parkwatt.plan.batch.level_polish import new_room, polish
from parkwatt.plan.batch.levels import car_of
from parkwatt.plan.batch.rankings import new_rankings, order, ranking_in, slot_with
from tests.plan import oracle
from tests.plan.batch.fleets import (
    any_prices,
    bent,
    convex_prices,
    fleet_of,
    prices_of,
    random_cars,
)
from tests.plan.batch.judges import in_all, judged

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
FLEETS = range(250 if NIGHTLY else 20)
CARS, STEPS_MAX = 4, 24
# Of the mean cost; and of one car's, of at least 1 in currency: a full car has less room than lies between two levels.
MEAN_GAP, ONE_GAP = 5e-4, 0.1
# The largest that was seen: a departure out of reach, and early power that brings next to nothing of it.
ONE_BENT_GAP = 0.3
MISSED_KWH = 1e-4


@cache
def gaps_of(seed: int) -> FloatArray:
    """[n, 4] of each car of a fleet planned by levels: cost above the optimum, optimum, more kWh short, more kWh·h too low."""
    rng = np.random.default_rng(seed)
    steps = int(rng.integers(1, STEPS_MAX + 1))
    prices = any_prices(rng, steps)
    cars = random_cars(rng, CARS, steps, least_power=True)
    batch = plan_batch(cars, prices)
    found = []
    for row in np.flatnonzero(batch.kernel == KERNEL_NAMES.index("levels")):
        problem, plan = judged(cars, prices, batch, int(row))
        best, energy_kwh = oracle.solve(problem), plan.vehicles[0].stays[0].energy_kwh
        below_kwh_h = problem.duration_h @ np.maximum(
            cars.energy_kwh_min[row] - energy_kwh[1:], 0.0
        )
        found.append(
            (
                batch.cost[row] - best.plan.cost,
                best.plan.cost,
                batch.shortfall_kwh[row] - best.shortfall_kwh,
                below_kwh_h - best.floor_deficit_kwh_h,
            )
        )
    return np.array(found).reshape(-1, 4)


@pytest.mark.parametrize("seed", FLEETS)
def test_wishes_are_met_as_the_oracle_meets_them(seed: int) -> None:
    gaps = gaps_of(seed)
    assert np.all(np.abs(gaps[:, 2:]) <= MISSED_KWH)
    assert np.all(gaps[:, 0] >= -1e-4)  # nothing is below the optimum
    assert np.all(gaps[:, 0] <= ONE_GAP * np.maximum(np.abs(gaps[:, 1]), 1.0))


def test_the_mean_gap_is_small() -> None:
    gaps = np.concatenate([gaps_of(seed) for seed in FLEETS])
    assert len(gaps) > 2 * len(FLEETS)
    assert gaps[:, 0].mean() <= MEAN_GAP * np.abs(gaps[:, 1]).mean()


@pytest.mark.parametrize(
    "miss",
    [MissPrices(), MissPrices(0.3), MissPrices(0.3, 0.1)],
    ids=["hard", "soft", "soft floor"],
)
def test_with_bends_the_gap_to_the_exact_kernel_is_small(miss: MissPrices) -> None:
    """Of cars with a least power of next to nothing, which levels plans, to the same without one."""
    gaps, costs = [], []
    for seed in FLEETS:
        rng = np.random.default_rng(seed)
        steps = int(rng.integers(1, STEPS_MAX + 1))
        prices, cars = convex_prices(rng, steps), bent(rng, random_cars(rng, 10, steps))
        exact = plan_batch(cars, prices, miss=miss)
        least_kw = np.where(cars.charge_kw_max > 0.0, 1e-9, 0.0)
        found = plan_batch(cars._replace(charge_kw_min=least_kw), prices, miss=miss)
        rows = (exact.kernel == KERNEL_NAMES.index("curved")) & (
            found.kernel == KERNEL_NAMES.index("levels")
        )
        assert found.shortfall_kwh[rows] == pytest.approx(
            exact.shortfall_kwh[rows], abs=MISSED_KWH if np.isinf(miss[0]) else np.inf
        )
        gaps.append((in_all(found, miss) - in_all(exact, miss))[rows])
        costs.append(np.abs(in_all(exact, miss))[rows])
    gap, cost = np.concatenate(gaps), np.concatenate(costs)
    assert len(gap) > 3 * len(FLEETS)
    assert np.all(gap >= -1e-6 * np.maximum(cost, 1.0))
    assert np.all(gap <= ONE_BENT_GAP * np.maximum(cost, 1.0))
    assert gap.mean() <= MEAN_GAP * cost.mean()


def cost_of_the_best_ways(cars: CarStays, prices: BatchPrices, row: int, miss: MissPrices) -> float:
    """The least cost, missed wishes included, over all ways to charge, rest or discharge in each step of a short stay."""
    steps = prices.step_count
    kept = new_rankings(steps)
    charge_factor, out = 1.0 / cars.charge_efficiency[row], cars.discharge_efficiency[row]
    orders = order(prices.import_per_kwh, prices.export_per_kwh)
    slot = slot_with(
        cars.price_row[row], charge_factor, out, cars.wear_price_per_kwh[row], orders, kept
    )
    ranking, room = ranking_in(slot, kept), new_room(steps)
    car = car_of(row, cars, prices.duration_h, ranking, miss)
    ways, gain_kwh, best = np.zeros(steps), np.zeros(steps), np.inf
    for chosen in product((1.0, 0.0, -1.0), repeat=car.last - car.first):
        ways[car.first : car.last] = chosen
        end_kwh = polish(car, ways, gain_kwh, prices.duration_h, ranking, room)
        if not np.isnan(end_kwh):
            best = min(best, in_all_of(car, gain_kwh, end_kwh, prices.duration_h, ranking))
    # The kernel's own cost leaves out what no plan can bring.
    out_of_reach_kwh = np.nan_to_num(cars.energy_kwh_at_departure[row]) - car.asked_kwh
    return best + miss.departure_per_kwh * float(out_of_reach_kwh)


def test_with_bends_and_least_power_the_ways_are_nearly_the_best() -> None:
    miss, gaps, costs = MissPrices(0.5, 0.2), [], []
    for seed in range(3 * len(FLEETS)):
        rng = np.random.default_rng(seed)
        steps = int(rng.integers(1, 6))
        prices = any_prices(rng, steps)
        cars = bent(rng, random_cars(rng, CARS, steps, least_power=True)).as_kernels_take()
        batch = plan_batch(cars, prices, miss=miss)
        for row in np.flatnonzero(batch.kernel == KERNEL_NAMES.index("levels")):
            costs.append(cost_of_the_best_ways(cars, prices, int(row), miss))
            gaps.append(in_all(batch, miss)[row] - costs[-1])
    assert len(gaps) > 2 * len(FLEETS)
    assert min(gaps) >= -1e-6
    assert np.mean(gaps) <= 1e-4 * np.abs(costs).mean()


def test_least_power_is_kept() -> None:
    cars = fleet_of(1, charge_kw_min=6.0, energy_kwh_at_departure=24.5)
    batch = plan_batch(cars, prices_of([0.3, 0.2, 0.3, 0.3]))
    assert batch.power_kw is not None
    assert batch.power_kw[0] == pytest.approx([0.0, 6.0, 0.0, 0.0])


def test_energy_is_not_burnt_at_negative_prices() -> None:
    """Charging and discharging at once would be paid here; a full car has nothing to gain in one step."""
    cars = fleet_of(1, energy_kwh_at_arrival=60.0, discharge_kw_max=10.0, to_step=1)
    batch = plan_batch(cars, prices_of([-0.5] * 4, [-0.5] * 4))
    assert KERNEL_NAMES[batch.kernel[0]] == "levels"
    assert batch.power_kw is not None
    assert not batch.power_kw.any()
    assert batch.cost[0] == 0.0


def test_of_equal_prices_the_earlier_step_charges() -> None:
    cars = fleet_of(1, charge_kw_min=6.0, energy_kwh_at_departure=38.0)
    batch = plan_batch(cars, prices_of([0.3, 0.3, 0.3, 0.3]))
    assert KERNEL_NAMES[batch.kernel[0]] == "levels"
    assert batch.power_kw is not None
    assert batch.power_kw[0] == pytest.approx([10.0, 10.0, 0.0, 0.0])
