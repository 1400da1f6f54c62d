"""Which kernel plans a stay."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from parkwatt.plan.batch.cars import BatchPrices, CarStays, MissPrices
from parkwatt.plan.batch.compiled import compiled, inlined

KERNEL_NAMES: Final = ("linear", "curved", "levels", "solver")
LINEAR_KERNEL: Final = 0
CURVED_KERNEL: Final = 1
LEVELS_KERNEL: Final = 2
SOLVER_KERNEL: Final = 3


@compiled
def _pays_both_ways(row: int, cars: CarStays, prices: BatchPrices) -> bool:
    """Whether a step pays for charging and discharging at once."""
    price_row, wear = cars.price_row[row], cars.wear_price_per_kwh[row]
    charge_factor, discharge_factor = (
        1.0 / cars.charge_efficiency[row],
        cars.discharge_efficiency[row],
    )
    for step in range(cars.from_step[row], cars.to_step[row]):
        gained = prices.export_per_kwh[price_row, step] * discharge_factor - wear
        if gained > prices.import_per_kwh[price_row, step] * charge_factor:
            return True
    return False


@compiled
def _plain_prices(prices: BatchPrices) -> NDArray[np.bool_]:
    """[P] whether import is never below 0 nor below export: then no car gains by both ways at once."""
    plain = np.ones(len(prices.import_per_kwh), np.bool_)
    for price_row in range(len(plain)):
        for step in range(len(prices.duration_h)):
            bought = prices.import_per_kwh[price_row, step]
            if bought < 0.0 or prices.export_per_kwh[price_row, step] > bought:
                plain[price_row] = False
    return plain


@inlined
def tapers(from_kwh: float, maximum_kwh: float, at_maximum_kw: float, full_kw: float) -> bool:
    """Whether a car's charging slows."""
    return from_kwh < maximum_kwh and at_maximum_kw < full_kw


@compiled
def choose_kernels(
    cars: CarStays,
    prices: BatchPrices,
    miss: MissPrices,
    member: NDArray[np.bool_],
    kernel: NDArray[np.int8],
) -> None:
    """Write the kernel of each stay, a place in `KERNEL_NAMES`. ``member``: [N] which hold back a reserve."""
    plain, floor_has_price = _plain_prices(prices), np.isfinite(miss.floor_per_kwh_h)
    for row in range(len(kernel)):
        discharges = cars.discharge_kw_max[row] > 0.0
        slows = tapers(
            cars.taper_from_kwh[row],
            cars.energy_kwh_max[row],
            cars.taper_kw_at_max[row],
            cars.charge_kw_max[row],
        )
        waits = floor_has_price and cars.energy_kwh_at_arrival[row] < cars.energy_kwh_min[row]
        bent = member[row] or slows or waits or cars.holding_price_per_kwh_h[row] > 0.0
        kernel[row] = CURVED_KERNEL if bent else LINEAR_KERNEL
        if cars.energy_kwh_at_arrival[row] > cars.energy_kwh_max[row]:
            if discharges:
                kernel[row] = SOLVER_KERNEL
        elif not member[row] and (
            cars.charge_kw_min[row] > 0.0
            or cars.discharge_kw_min[row] > 0.0
            or (
                discharges
                and cars.charge_kw_max[row] > 0.0
                and not plain[cars.price_row[row]]
                and _pays_both_ways(row, cars, prices)
            )
        ):
            kernel[row] = LEVELS_KERNEL
