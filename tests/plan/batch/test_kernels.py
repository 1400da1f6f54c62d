"""A car's features choose its kernel, and the plan says which."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from parkwatt.plan.batch import KERNEL_NAMES, BatchPrices, MissPrices, plan_batch
from tests.plan.batch.fleets import fleet_of, prices_of

DAY = prices_of([0.3, 0.2, 0.3, 0.4], [0.1, 0.1, 0.2, 0.2])
BELOW_ZERO = prices_of([0.3, -0.2, 0.3, 0.4], [0.1, -0.2, 0.2, 0.2])
EXPORT_DEARER = prices_of([0.3, 0.2, 0.3, 0.4], [0.1, 0.5, 0.2, 0.2])


@pytest.mark.parametrize(
    ("prices", "given", "name"),
    [
        (DAY, {}, "linear"),
        (DAY, {"discharge_kw_max": 10.0}, "linear"),
        (DAY, {"charge_kw_min": 1.0}, "levels"),
        (DAY, {"discharge_kw_max": 10.0, "discharge_kw_min": 1.0}, "levels"),
        (BELOW_ZERO, {}, "linear"),
        (BELOW_ZERO, {"discharge_kw_max": 10.0}, "levels"),
        (BELOW_ZERO, {"discharge_kw_max": 10.0, "charge_kw_max": 0.0}, "linear"),
        (BELOW_ZERO, {"discharge_kw_max": 10.0, "from_step": 2}, "linear"),
        (BELOW_ZERO, {"discharge_kw_max": 10.0, "wear_price_per_kwh": 0.1}, "linear"),
        (EXPORT_DEARER, {"discharge_kw_max": 10.0}, "levels"),
        (DAY, {"energy_kwh_at_arrival": 70.0}, "linear"),
        (DAY, {"taper_from_kwh": 50.0}, "curved"),
        (DAY, {"taper_from_kwh": 60.0}, "linear"),
        (DAY, {"taper_from_kwh": 50.0, "taper_kw_at_max": 10.0}, "linear"),
        (DAY, {"holding_price_per_kwh_h": 0.01}, "curved"),
        (DAY, {"holding_price_per_kwh_h": 0.01, "energy_kwh_at_arrival": 70.0}, "curved"),
        (DAY, {"taper_from_kwh": 50.0, "charge_kw_min": 1.0}, "levels"),
        (BELOW_ZERO, {"discharge_kw_max": 10.0, "taper_from_kwh": 50.0}, "levels"),
        (DAY, {"energy_kwh_at_arrival": 70.0, "discharge_kw_max": 10.0}, "solver"),
    ],
)
def test_which_kernel(prices: BatchPrices, given: dict[str, Any], name: str) -> None:
    batch = plan_batch(fleet_of(1, **given), prices)
    assert KERNEL_NAMES[batch.kernel[0]] == name
    assert np.isfinite(batch.cost[0])


def test_a_price_of_the_floor_counts_for_cars_that_arrive_below_it() -> None:
    cars = fleet_of(2, energy_kwh_at_arrival=[5.0, 15.0])
    batch = plan_batch(cars, DAY, miss=MissPrices(floor_per_kwh_h=0.1))
    assert [KERNEL_NAMES[kernel] for kernel in batch.kernel] == ["curved", "linear"]
