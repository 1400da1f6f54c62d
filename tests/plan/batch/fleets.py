"""Random fleets from a generator: believable ones, and ones of nonsense sizes that are valid all the same."""

from __future__ import annotations

from typing import Any

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch import BatchPrices, CarStays

STEPS_H = (0.25, 0.5, 1.0)
SIZES = (0.0, 1e-3, 0.7, 1.0, 7.4, 11.0, 55.5, 1e3, 1e5)
PRICE_ROWS = 4
# What a car without taper and holding price has.
NO_BENDS = {
    "taper_from_kwh": np.inf,
    "taper_kw_at_max": 0.0,
    "holding_price_per_kwh_h": 0.0,
    "holding_from_kwh": 0.0,
}


def fleet_of(count: int, **given: Any) -> CarStays:
    """``count`` equal stays in steps [0, 4), with fields replaced by what is given (a number or an array)."""
    fields: dict[str, Any] = {
        "from_step": 0,
        "to_step": 4,
        "energy_kwh_at_arrival": 20.0,
        "energy_kwh_at_departure": np.nan,
        "energy_kwh_min": 10.0,
        "energy_kwh_max": 60.0,
        "charge_kw_max": 10.0,
        "discharge_kw_max": 0.0,
        "charge_kw_min": 0.0,
        "discharge_kw_min": 0.0,
        "charge_efficiency": 0.9,
        "discharge_efficiency": 0.9,
        "wear_price_per_kwh": 0.0,
        "energy_value_per_kwh": 0.0,
        "price_row": 0,
        **NO_BENDS,
    }
    fields.update(given)
    whole = {"from_step", "to_step", "price_row"}
    arrays: dict[str, Any] = {
        name: np.array(np.broadcast_to(value, count), np.int64 if name in whole else np.float64)
        for name, value in fields.items()
    }
    return CarStays(**arrays)


def without_bends(count: int) -> dict[str, FloatArray]:
    """The fields of taper and holding price, of cars that have neither."""
    return {name: np.full(count, value) for name, value in NO_BENDS.items()}


def bent(rng: np.random.Generator, cars: CarStays) -> CarStays:
    """The same cars, most with a taper, a holding price or both; some taper from 0 kWh, some to no power at all."""
    count, maximum_kwh = cars.stay_count, cars.energy_kwh_max
    slows, holds = rng.random(count) < 0.7, rng.random(count) < 0.6
    return cars._replace(
        taper_from_kwh=np.where(
            slows, rng.choice([0.0, 0.4, 0.6, 0.8, 0.95, 1.0], count) * maximum_kwh, np.inf
        ),
        taper_kw_at_max=rng.choice([0.0, 0.1, 0.4, 1.0], count) * cars.charge_kw_max,
        holding_price_per_kwh_h=np.where(holds, rng.choice([1e-4, 3e-3, 0.05], count), 0.0),
        holding_from_kwh=rng.choice([0.0, 0.3, 0.5, 0.8, 1.2], count) * maximum_kwh,
    )


def prices_of(
    import_per_kwh: list[float], export_per_kwh: list[float] | None = None, hours: float = 1.0
) -> BatchPrices:
    """One row of prices; without export prices nothing is paid for export."""
    bought = np.array([import_per_kwh])
    sold = np.full_like(bought, -1.0) if export_per_kwh is None else np.array([export_per_kwh])
    return BatchPrices(bought, sold, np.full(bought.shape[1], hours))


def convex_prices(rng: np.random.Generator, steps: int) -> BatchPrices:
    """Prices at which no car of `random_cars` gains by charging and discharging at once; some below 0, many equal."""
    bought = 0.15 + rng.normal(0.0, 0.15, (PRICE_ROWS, steps))
    bought[1] = np.round(bought[1], 1)  # ties
    bought[2] = 0.2
    bought[3] = np.repeat(bought[3, ::4], 4)[:steps]  # hourly prices in quarter hours
    # export · η_d ≤ import / η_c holds for all efficiencies from 0.8 to 1.
    sold = np.where(bought > 0.0, rng.uniform(0.2, 1.0, bought.shape) * bought, 1.6 * bought)
    return BatchPrices(bought, sold, rng.choice(STEPS_H, steps))


def any_prices(rng: np.random.Generator, steps: int) -> BatchPrices:
    """Prices of both signs, export dearer than import here and there."""
    bought = 0.1 + rng.normal(0.0, 0.15, (PRICE_ROWS, steps))
    return BatchPrices(
        bought, bought + rng.normal(-0.05, 0.1, bought.shape), rng.choice(STEPS_H, steps)
    )


def random_cars(
    rng: np.random.Generator, count: int, steps: int, *, least_power: bool = False
) -> CarStays:
    """Believable cars with every edge: windows of one step, no charging, above the maximum, wishes out of reach."""
    first = rng.integers(0, steps, count)
    last = np.where(
        rng.random(count) < 0.1,
        first + 1,
        first + 1 + rng.integers(0, steps, count) % (steps - first),
    )
    maximum_kwh = rng.uniform(20.0, 90.0, count)
    arrival_kwh = rng.uniform(0.05, 1.0, count) * maximum_kwh
    above = rng.random(count) < 0.05
    discharge_kw_max = np.where(above, 0.0, rng.choice([0.0, 3.7, 11.0, 22.0], count))
    charge_kw_max = rng.choice([0.0, 3.7, 7.4, 11.0, 22.0], count, p=[0.05, 0.2, 0.25, 0.25, 0.25])
    asked_kwh = rng.uniform(0.3, 1.1, count) * maximum_kwh
    return CarStays(
        from_step=first,
        to_step=last,
        energy_kwh_at_arrival=np.where(above, 1.1 * maximum_kwh, arrival_kwh),
        energy_kwh_at_departure=np.where(rng.random(count) < 0.7, asked_kwh, np.nan),
        energy_kwh_min=rng.choice([0.0, 0.1, 0.3], count) * maximum_kwh,
        energy_kwh_max=maximum_kwh,
        charge_kw_max=charge_kw_max,
        discharge_kw_max=discharge_kw_max,
        charge_kw_min=charge_kw_max * (rng.choice([0.0, 0.2, 0.5], count) if least_power else 0.0),
        discharge_kw_min=discharge_kw_max * (rng.choice([0.0, 0.2], count) if least_power else 0.0),
        charge_efficiency=rng.choice([0.8, 0.9, 0.93, 1.0], count),
        discharge_efficiency=rng.choice([0.8, 0.9, 0.93, 1.0], count),
        wear_price_per_kwh=rng.choice([0.0, 0.02, 0.05], count),
        energy_value_per_kwh=rng.choice([0.0, 0.1, 0.2, -0.05], count),
        price_row=rng.integers(0, PRICE_ROWS, count),
        **without_bends(count),
    )


def nonsense_cars(rng: np.random.Generator, count: int, steps: int) -> CarStays:
    """Any sizes that break no rule: a battery of 1 Wh at 100 MW, a floor at the maximum, a least power that never fits."""
    first = rng.integers(0, steps, count)

    def sizes() -> FloatArray:
        return rng.choice(SIZES, count)

    floor_kwh, charge_kw_max, discharge_kw_max = sizes(), sizes(), sizes()
    return CarStays(
        from_step=first,
        to_step=first + 1 + rng.integers(0, steps, count) % (steps - first),
        energy_kwh_at_arrival=sizes(),
        energy_kwh_at_departure=np.where(rng.random(count) < 0.7, sizes(), np.nan),
        energy_kwh_min=floor_kwh,
        energy_kwh_max=np.maximum(floor_kwh, sizes()),
        charge_kw_max=charge_kw_max,
        discharge_kw_max=discharge_kw_max,
        charge_kw_min=np.minimum(charge_kw_max, sizes() * (rng.random(count) < 0.3)),
        discharge_kw_min=np.minimum(discharge_kw_max, sizes() * (rng.random(count) < 0.3)),
        charge_efficiency=rng.choice([0.01, 0.5, 0.9, 1.0], count),
        discharge_efficiency=rng.choice([0.01, 0.5, 0.9, 1.0], count),
        wear_price_per_kwh=rng.choice([0.0, 0.02, 10.0], count),
        energy_value_per_kwh=rng.choice([0.0, 0.2, -3.0, 50.0], count),
        price_row=rng.integers(0, PRICE_ROWS, count),
        **without_bends(count),
    )
