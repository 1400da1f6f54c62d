"""The way through the levels from a car's own energy: the forward pass of the kernel *levels*."""

from __future__ import annotations

from typing import Final

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch.compiled import compiled, inlined
from parkwatt.plan.batch.level_costs import Car, Grid, end_cost, level_kwh_of
from parkwatt.plan.batch.rankings import Ranking

_ROUNDING: Final = 1e-9


@inlined
def _cost_from(car: Car, grid: Grid, step: int, energy_kwh: float, level_kwh: float) -> float:
    """The least cost to come from an energy at the end of a step: between two levels, or what the end counts."""
    if step == car.last - 1:
        return end_cost(car, energy_kwh)
    costs = grid.costs[step + 1]
    place = (energy_kwh - car.floor_kwh) / level_kwh
    whole = min(max(int(place), 0), len(costs) - 2)
    share = place - whole
    return float(costs[whole]) * (1.0 - share) + float(costs[whole + 1]) * share


@compiled
def _best_move(
    car: Car, grid: Grid, step: int, low_kwh: float, high_kwh: float, slope: float
) -> tuple[float, float]:
    """The cheapest energy in [``low_kwh``, ``high_kwh``] to go to, and its cost: an end, a level between, what is asked.

    ``slope``: what a kWh more in the battery costs in this step; the cost is that of going there from no energy.
    """
    level_kwh = level_kwh_of(car, grid)
    best_kwh, best_cost = (
        high_kwh,
        _cost_from(car, grid, step, high_kwh, level_kwh) + slope * high_kwh,
    )
    cost = _cost_from(car, grid, step, low_kwh, level_kwh) + slope * low_kwh
    if cost < best_cost:
        best_kwh, best_cost = low_kwh, cost
    if step == car.last - 1:
        if low_kwh < car.asked_kwh < high_kwh:
            cost = end_cost(car, car.asked_kwh) + slope * car.asked_kwh
            if cost < best_cost:
                best_kwh, best_cost = car.asked_kwh, cost
        return best_kwh, best_cost
    costs = grid.costs[step + 1]
    first = max(int(np.ceil((low_kwh - car.floor_kwh) / level_kwh)), 0)
    last = min(int(np.floor((high_kwh - car.floor_kwh) / level_kwh)), len(costs) - 1)
    for level in range(first, last + 1):
        to_kwh = car.floor_kwh + level_kwh * level
        cost = float(costs[level]) + slope * to_kwh
        if cost < best_cost:
            best_kwh, best_cost = to_kwh, cost
    return best_kwh, best_cost


@compiled
def move_on(
    car: Car, grid: Grid, ranking: Ranking, duration_h: FloatArray, gain_kwh: FloatArray
) -> float:
    """Go from arrival to end by the least costs; returns the energy at the end. ``gain_kwh``: gets what each step adds."""
    energy_kwh, level_kwh = car.arrival_kwh, level_kwh_of(car, grid)
    for step in range(car.first, car.last):
        hours, to_kwh = duration_h[step], energy_kwh
        below = energy_kwh < car.floor_kwh - _ROUNDING
        # Below the floor it charges, if it can.
        least_cost = np.inf if below else _cost_from(car, grid, step, energy_kwh, level_kwh)
        low = energy_kwh + car.least_up * hours
        high = min(energy_kwh + car.most_up * hours, car.cap_kwh)
        if below:
            low = max(low, min(high, car.floor_kwh))
        if high > energy_kwh + _ROUNDING and high >= low:
            slope = ranking.up_slope[step]
            moved_kwh, cost = _best_move(car, grid, step, low, high, slope)
            if cost - slope * energy_kwh < least_cost:
                to_kwh, least_cost = moved_kwh, cost - slope * energy_kwh
        low = max(energy_kwh - car.most_down * hours, car.floor_kwh)
        high = energy_kwh - car.least_down * hours
        if not below and low < energy_kwh - _ROUNDING and low <= high:
            slope = ranking.keep_slope[step]
            moved_kwh, cost = _best_move(car, grid, step, low, high, slope)
            if cost - slope * energy_kwh < least_cost:
                to_kwh = moved_kwh
        gain_kwh[step] = to_kwh - energy_kwh
        energy_kwh = to_kwh
    return energy_kwh
