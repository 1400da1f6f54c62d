"""The way through the levels from a car's own energy: the forward pass of the kernel *levels*."""

from __future__ import annotations

from typing import Final

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch.compiled import compiled, inlined
from parkwatt.plan.batch.level_costs import Car, Grid, end_cost, level_kwh_of
from parkwatt.plan.batch.rankings import Ranking

_ROUNDING: Final = 1e-9
# Of the cost, what may be given away in all for charging earlier and moving less. Costs are known to some 1e-7 of them.
_TIE: Final = 1e-5


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
    last = min(int((high_kwh - car.floor_kwh) / level_kwh), len(costs) - 1)
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
    """Go from arrival to end by the least costs; returns the energy at the end. ``gain_kwh``: gets what each step adds.

    Of ways that cost the same, charging comes first, as much as the step allows, and discharging last.
    """
    energy_kwh, level_kwh, spare = car.arrival_kwh, level_kwh_of(car, grid), -1.0
    for step in range(car.first, car.last):
        hours, up_slope, keep_slope = (
            duration_h[step],
            ranking.up_slope[step],
            ranking.keep_slope[step],
        )
        below = energy_kwh < car.floor_kwh - _ROUNDING
        # Below the floor it charges, if it can.
        stay_cost = np.inf if below else _cost_from(car, grid, step, energy_kwh, level_kwh)
        up_kwh, up_cost, full_cost = energy_kwh, np.inf, np.inf
        low = energy_kwh + car.least_up * hours
        high = min(energy_kwh + car.most_up * hours, car.cap_kwh)
        if below:
            low = max(low, min(high, car.floor_kwh))
        if high > energy_kwh + _ROUNDING and high >= low:
            up_kwh, up_cost = _best_move(car, grid, step, low, high, up_slope)
            up_cost -= up_slope * energy_kwh
            full_cost = _cost_from(car, grid, step, high, level_kwh)
            full_cost += up_slope * (high - energy_kwh)
        down_kwh, down_cost = energy_kwh, np.inf
        low_down = max(energy_kwh - car.most_down * hours, car.floor_kwh)
        high_down = energy_kwh - car.least_down * hours
        if not below and low_down < energy_kwh - _ROUNDING and low_down <= high_down:
            down_kwh, down_cost = _best_move(car, grid, step, low_down, high_down, keep_slope)
            down_cost -= keep_slope * energy_kwh
        least_cost = min(stay_cost, up_cost, down_cost)
        if spare < 0.0:
            spare = _TIE * abs(least_cost) if least_cost < np.inf else 0.0
        to_kwh, cost = energy_kwh, stay_cost
        if full_cost <= least_cost + spare:
            to_kwh, cost = high, full_cost
        elif up_cost <= least_cost + spare:
            to_kwh, cost = up_kwh, up_cost
        elif stay_cost > least_cost + spare:
            to_kwh, cost = down_kwh, down_cost
        spare = max(spare - (cost - least_cost), 0.0) if least_cost < np.inf else spare
        gain_kwh[step] = to_kwh - energy_kwh
        energy_kwh = to_kwh
    return energy_kwh
