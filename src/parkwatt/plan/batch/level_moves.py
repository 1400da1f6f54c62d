"""The way through the levels from a car's own energy: the forward pass of the kernel *levels*."""

from __future__ import annotations

from typing import Final

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch.compiled import compiled, inlined
from parkwatt.plan.batch.curve import reached_kwh
from parkwatt.plan.batch.level_costs import Car, Grid, end_cost, level_kwh_of, standing_per_h
from parkwatt.plan.batch.rankings import Ranking

_ROUNDING: Final = 1e-9


@inlined
def _cost_from(
    car: Car, grid: Grid, step: int, hours: float, energy_kwh: float, level_kwh: float
) -> float:
    """The least cost to come from an energy at the end of a step: between two levels, or what the end counts.

    Standing there through the step counts too.
    """
    if step == car.last - 1:
        return end_cost(car, energy_kwh) + hours * standing_per_h(car, energy_kwh)
    costs = grid.costs[step + 1]
    place = (energy_kwh - car.bottom_kwh) / level_kwh
    whole = min(max(int(place), 0), len(costs) - 2)
    share = place - whole
    return float(costs[whole]) * (1.0 - share) + float(costs[whole + 1]) * share


@compiled
def _best_move(
    car: Car,
    grid: Grid,
    step: int,
    hours: float,
    low_kwh: float,
    high_kwh: float,
    slope: float,
) -> tuple[float, float]:
    """The cheapest energy in [``low_kwh``, ``high_kwh``] to go to, and its cost: an end, a level between, or a bend.

    ``slope``: what a kWh more in the battery costs in this step; the cost is that of going there from no energy.
    """
    level_kwh = level_kwh_of(car, grid)
    best_kwh, best_cost = (
        high_kwh,
        _cost_from(car, grid, step, hours, high_kwh, level_kwh) + slope * high_kwh,
    )
    cost = _cost_from(car, grid, step, hours, low_kwh, level_kwh) + slope * low_kwh
    if cost < best_cost:
        best_kwh, best_cost = low_kwh, cost
    if step == car.last - 1:
        for to_kwh in (car.asked_kwh, car.bends.floor_kwh, car.bends.holding_from_kwh):
            if low_kwh < to_kwh < high_kwh:
                cost = _cost_from(car, grid, step, hours, to_kwh, level_kwh) + slope * to_kwh
                if cost < best_cost:
                    best_kwh, best_cost = to_kwh, cost
        return best_kwh, best_cost
    costs = grid.costs[step + 1]
    first = max(int(np.ceil((low_kwh - car.bottom_kwh) / level_kwh)), 0)
    last = min(int(np.floor((high_kwh - car.bottom_kwh) / level_kwh)), len(costs) - 1)
    for level in range(first, last + 1):
        to_kwh = car.bottom_kwh + level_kwh * level
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
        # Below the floor it charges, if it can, and where that has no price.
        least_cost, hurries = np.inf, energy_kwh < car.bottom_kwh - _ROUNDING
        if not hurries:
            least_cost = _cost_from(car, grid, step, hours, energy_kwh, level_kwh)
        low = energy_kwh + car.least_up * hours
        high = reached_kwh(car.bends, energy_kwh, car.most_up * hours, hours)
        if hurries:
            low = max(low, min(high, car.floor_kwh))
        if high > energy_kwh + _ROUNDING and high >= low:
            slope = ranking.up_slope[step]
            moved_kwh, cost = _best_move(car, grid, step, hours, low, high, slope)
            if cost - slope * energy_kwh < least_cost:
                to_kwh, least_cost = moved_kwh, cost - slope * energy_kwh
        low = max(energy_kwh - car.most_down * hours, car.floor_kwh)
        high = energy_kwh - car.least_down * hours
        if not below and low < energy_kwh - _ROUNDING and low <= high:
            slope = ranking.keep_slope[step]
            moved_kwh, cost = _best_move(car, grid, step, hours, low, high, slope)
            if cost - slope * energy_kwh < least_cost:
                to_kwh = moved_kwh
        gain_kwh[step] = to_kwh - energy_kwh
        energy_kwh = to_kwh
    return energy_kwh


@compiled
def charge_at_once(car: Car, duration_h: FloatArray, gain_kwh: FloatArray) -> None:
    """Charge with all that is taken from arrival on, until what is asked is there. ``gain_kwh``: gets what each step adds."""
    energy_kwh = car.arrival_kwh
    for step in range(car.first, car.last):
        hours = duration_h[step]
        high = reached_kwh(car.bends, energy_kwh, car.most_up * hours, hours)
        charges = (
            energy_kwh < car.asked_kwh - _ROUNDING and high >= energy_kwh + car.least_up * hours
        )
        gain_kwh[step] = high - energy_kwh if charges else 0.0
        energy_kwh += gain_kwh[step]
