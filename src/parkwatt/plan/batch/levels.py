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
from parkwatt.plan.batch.cars import CarStays, MissPrices
from parkwatt.plan.batch.compiled import compiled
from parkwatt.plan.batch.curve import reached_kwh, standing_cost
from parkwatt.plan.batch.curved import bends_of
from parkwatt.plan.batch.earlier import charge_earlier
from parkwatt.plan.batch.level_costs import Car, costs_back, new_grid
from parkwatt.plan.batch.level_moves import charge_at_once, move_on
from parkwatt.plan.batch.level_polish import in_all, new_room, polish
from parkwatt.plan.batch.outcome import Outcome, below_floor_of, money_of, write_powers
from parkwatt.plan.batch.rankings import (
    PriceOrders,
    Ranking,
    new_rankings,
    ranking_in,
    slot_with,
)

LEVELS: Final = 128
# What a missing kWh counts, in units of the largest slope of a car's problem.
_MISSING: Final = 100.0
_LEAST_SLOPE: Final = 0.01
_MISSED_KWH: Final = 1e-6


@compiled
def plan_levels(
    rows: NDArray[np.int64],
    cars: CarStays,
    orders: PriceOrders,
    duration_h: FloatArray,
    levels: int,
    miss: MissPrices,
    outcome: Outcome,
) -> None:
    """Plan ``rows`` of the stays, none of which arrives above its maximum; results go into ``outcome``.

    A stay without bends that gets less at departure than full power from arrival on would bring, where that has no price, has
    NaN as its cost, and no powers.
    """
    steps = len(duration_h)
    kept, grid, per_hour = new_rankings(steps), new_grid(steps, levels), 1.0 / duration_h
    coarse_kwh, fine_kwh, room = np.zeros(steps), np.zeros(steps), new_room(steps)
    at_once_kwh, surest_gain_kwh = np.zeros(steps), np.zeros(steps)
    for row in rows:
        charge_factor, discharge_factor = (
            1.0 / cars.charge_efficiency[row],
            cars.discharge_efficiency[row],
        )
        wear = cars.wear_price_per_kwh[row]
        slot = slot_with(cars.price_row[row], charge_factor, discharge_factor, wear, orders, kept)
        ranking = ranking_in(slot, kept)
        car = car_of(row, cars, duration_h, ranking, miss)
        costs_back(car, grid, ranking, duration_h)
        end_kwh = move_on(car, grid, ranking, duration_h, coarse_kwh)
        cost = in_all(car, coarse_kwh, end_kwh, duration_h, ranking)
        gain_kwh, polished_kwh = (
            fine_kwh,
            polish(car, coarse_kwh, fine_kwh, duration_h, ranking, room),
        )
        polished_cost = in_all(car, fine_kwh, polished_kwh, duration_h, ranking)
        if polished_cost <= cost:
            end_kwh, cost = polished_kwh, polished_cost
        else:
            gain_kwh = coarse_kwh
        hard = np.isinf(miss.departure_per_kwh)
        if not car.bent:
            charge_earlier(car, ranking, duration_h, gain_kwh)
        elif hard and car.asked_kwh - end_kwh > _MISSED_KWH:
            charge_at_once(car, duration_h, at_once_kwh)
            surest_kwh = polish(car, at_once_kwh, surest_gain_kwh, duration_h, ranking, room)
            if surest_kwh > end_kwh:
                gain_kwh, end_kwh = surest_gain_kwh, surest_kwh
        missed = hard and not car.bent and car.asked_kwh - end_kwh > _MISSED_KWH
        outcome.energy_kwh_end[row] = end_kwh
        outcome.cost[row] = np.nan
        if not missed:
            money = money_of(car.first, car.last, gain_kwh, ranking.up_slope, ranking.keep_slope)
            money += standing_cost(car.first, car.last, car.bends, duration_h, gain_kwh)
            outcome.cost[row] = money - car.value_per_kwh * end_kwh
            outcome.below_floor_kwh_h[row] = below_floor_of(
                car.first, car.last, car.arrival_kwh, car.floor_kwh, gain_kwh, duration_h
            )
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
def car_of(
    row: int, cars: CarStays, duration_h: FloatArray, ranking: Ranking, miss: MissPrices
) -> Car:
    """A row as the kernel sees it."""
    first, last, value = cars.from_step[row], cars.to_step[row], cars.energy_value_per_kwh[row]
    bends, most_up = (
        bends_of(row, cars, miss),
        cars.charge_kw_max[row] * cars.charge_efficiency[row],
    )
    hours, slope, best_kwh = 0.0, max(abs(value), _LEAST_SLOPE), bends.arrival_kwh
    for step in range(first, last):
        hours += duration_h[step]
        slope = max(slope, abs(ranking.up_slope[step]), abs(ranking.keep_slope[step]))
        best_kwh = reached_kwh(bends, best_kwh, most_up * duration_h[step], duration_h[step])
    held, below = bends.holding_price_per_kwh_h, bends.floor_price_per_kwh_h
    slope = max(slope, held * hours, below * hours)
    asked_kwh = 0.0 if np.isnan(bends.asked_kwh) else bends.asked_kwh
    return Car(
        first,
        last,
        bends.arrival_kwh,
        bends.floor_kwh,
        bends.cap_kwh,
        min(asked_kwh, best_kwh),
        value,
        _MISSING * slope if np.isinf(miss.departure_per_kwh) else miss.departure_per_kwh,
        cars.charge_kw_min[row] * cars.charge_efficiency[row],
        most_up,
        cars.discharge_kw_min[row] / cars.discharge_efficiency[row],
        cars.discharge_kw_max[row] / cars.discharge_efficiency[row],
        bends.bottom_kwh,
        bends.taper_per_h > 0.0 or held > 0.0 or below > 0.0,
        bends,
    )
