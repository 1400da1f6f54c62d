"""The kernel *levels* comes close to an independent MILP, and misses no wish that the MILP meets.

HYPOTHESIS_PROFILE=nightly compares a thousand problems.
"""

from __future__ import annotations

import os
from functools import cache

import numpy as np
import pytest

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch import KERNEL_NAMES, plan_batch
from tests.plan import oracle
from tests.plan.batch.fleets import any_prices, fleet_of, prices_of, random_cars
from tests.plan.batch.judges import judged

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
FLEETS = range(250 if NIGHTLY else 20)
CARS, STEPS_MAX = 4, 24
# Of the mean cost; and of one car's, of at least 1 in currency: a full car has less room than lies between two levels.
MEAN_GAP, ONE_GAP = 5e-4, 0.1
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
