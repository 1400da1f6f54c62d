"""Kernel *levels*: cars whose problem is not convex, by dynamic programming over levels of energy, then polished exactly.

What is not convex is which way a step goes: a least power, or a step that would pay for charging and discharging at once. So
dynamic programming decides only that, on a grid of energies between floor and maximum, with moves by whole levels and moves
at the least and at full power in between (`level_costs`). The forward pass follows the car's own energy, not the grid's
(`level_moves`). Then, with each step's direction held, what is left is convex and `segments.fill` solves it exactly; of both
plans the cheaper counts, with charging moved to earlier steps of the same price (`earlier`).

A car below its floor charges at full power until it is reached, which is the least sum of kWh below it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch.cars import CarStays
from parkwatt.plan.batch.compiled import compiled
from parkwatt.plan.batch.earlier import charge_earlier
from parkwatt.plan.batch.level_costs import Car, costs_back, end_cost, new_grid
from parkwatt.plan.batch.level_moves import move_on
from parkwatt.plan.batch.outcome import Outcome, money_of, write_powers
from parkwatt.plan.batch.rankings import (
    PriceOrders,
    Ranking,
    new_rankings,
    ranking_in,
    slot_with,
)
from parkwatt.plan.batch.segments import Bounds, fill

LEVELS: Final = 128
# What a missing kWh counts, in units of the largest slope of a car's problem.
_MISSING: Final = 100.0
_LEAST_SLOPE: Final = 0.01
_ROUNDING: Final = 1e-9
_MISSED_KWH: Final = 1e-6


@compiled
def plan_levels(
    rows: NDArray[np.int64],
    cars: CarStays,
    orders: PriceOrders,
    duration_h: FloatArray,
    levels: int,
    outcome: Outcome,
) -> None:
    """Plan ``rows`` of the stays, none of which arrives above its maximum; results go into ``outcome``.

    A stay that gets less at departure than full power from arrival on would bring has NaN as its cost, and no powers.
    """
    steps = len(duration_h)
    kept, grid, per_hour = new_rankings(steps), new_grid(steps, levels), 1.0 / duration_h
    coarse_kwh, fine_kwh = np.zeros(steps), np.zeros(steps)
    for row in rows:
        charge_factor, discharge_factor = (
            1.0 / cars.charge_efficiency[row],
            cars.discharge_efficiency[row],
        )
        wear = cars.wear_price_per_kwh[row]
        slot = slot_with(cars.price_row[row], charge_factor, discharge_factor, wear, orders, kept)
        ranking = ranking_in(slot, kept)
        car = _car(row, cars, duration_h, ranking)
        costs_back(car, grid, ranking, duration_h)
        coarse_end_kwh = move_on(car, grid, ranking, duration_h, coarse_kwh)
        coarse_cost = money_of(
            car.first, car.last, coarse_kwh, ranking.up_slope, ranking.keep_slope
        )
        coarse_cost += end_cost(car, coarse_end_kwh)
        gain_kwh, end_kwh = fine_kwh, _polish(car, coarse_kwh, fine_kwh, duration_h, ranking)
        cost = money_of(
            car.first, car.last, gain_kwh, ranking.up_slope, ranking.keep_slope
        ) + end_cost(car, end_kwh)
        if not cost <= coarse_cost:
            gain_kwh, end_kwh, cost = coarse_kwh, coarse_end_kwh, coarse_cost
        charge_earlier(car, ranking, duration_h, gain_kwh)
        missed = car.asked_kwh - end_kwh > _MISSED_KWH
        outcome.energy_kwh_end[row] = end_kwh
        outcome.cost[row] = np.nan if missed else cost
        if not missed:
            write_powers(
                row,
                car.first,
                car.last,
                gain_kwh,
                charge_factor,
                discharge_factor,
                per_hour,
                outcome.power_kw,
                outcome.power_kw_sum[outcome.group[row]],
            )


@compiled
def _car(row: int, cars: CarStays, duration_h: FloatArray, ranking: Ranking) -> Car:
    """A row as the kernel sees it."""
    first, last, value = cars.from_step[row], cars.to_step[row], cars.energy_value_per_kwh[row]
    most_up = cars.charge_kw_max[row] * cars.charge_efficiency[row]
    hours, slope = 0.0, max(abs(value), _LEAST_SLOPE)
    for step in range(first, last):
        hours += duration_h[step]
        slope = max(slope, abs(ranking.up_slope[step]), abs(ranking.keep_slope[step]))
    arrival_kwh, cap_kwh = cars.energy_kwh_at_arrival[row], cars.energy_kwh_max[row]
    asked_kwh = cars.energy_kwh_at_departure[row]
    if np.isnan(asked_kwh):
        asked_kwh = 0.0
    return Car(
        first,
        last,
        arrival_kwh,
        cars.energy_kwh_min[row],
        cap_kwh,
        min(asked_kwh, arrival_kwh + most_up * hours, cap_kwh),
        value,
        _MISSING * slope,
        cars.charge_kw_min[row] * cars.charge_efficiency[row],
        most_up,
        cars.discharge_kw_min[row] / cars.discharge_efficiency[row],
        cars.discharge_kw_max[row] / cars.discharge_efficiency[row],
    )


@compiled
def _polish(
    car: Car,
    coarse_kwh: FloatArray,
    fine_kwh: FloatArray,
    duration_h: FloatArray,
    ranking: Ranking,
) -> float:
    """Solve exactly with each step's direction held; returns the energy at the end, NaN where that does not hold the bounds.

    ``coarse_kwh``: [T] what each step adds, whose sign is held; ``fine_kwh``: gets what it is to add.
    """
    steps = len(duration_h)
    up_kwh, keep_kwh = np.zeros(steps), np.zeros(steps)
    left_kwh, words = np.empty(2 * steps), np.zeros((2 * steps + 63) // 64, np.uint64)
    for step in range(car.first, car.last):
        hours, gained = duration_h[step], coarse_kwh[step]
        fine_kwh[step] = 0.0
        if gained > 0.0:
            fine_kwh[step] = car.least_up * hours
            up_kwh[step] = (car.most_up - car.least_up) * hours
        elif gained < 0.0:
            fine_kwh[step] = -car.most_down * hours
            keep_kwh[step] = (car.most_down - car.least_down) * hours
    end_kwh = fill(
        car.first,
        car.last,
        Bounds(car.arrival_kwh, car.cap_kwh, car.floor_kwh, car.asked_kwh, car.value_per_kwh),
        fine_kwh,
        up_kwh,
        keep_kwh,
        left_kwh,
        words,
        ranking.charge_rank,
        ranking.keep_rank,
        ranking.step_of,
        ranking.slope_of,
    )
    energy_kwh = car.arrival_kwh
    for step in range(car.first, car.last):
        after = energy_kwh + fine_kwh[step]
        if after > car.cap_kwh + _ROUNDING or after < min(car.floor_kwh, energy_kwh) - _ROUNDING:
            return np.nan
        energy_kwh = after
    return end_kwh
