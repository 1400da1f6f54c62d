"""Who judges batch plans: a linear program of one car, written down once more, and the plan that follows from powers."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import block_array, diags_array, eye_array

from parkwatt.domain.plan import Plan
from parkwatt.domain.problem import Problem
from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch import BatchPlan, BatchPrices, CarStays, MissPrices
from parkwatt.plan.batch.planner import problem_of
from tests.plan.made_plan import plan_of

NO_PRICES = MissPrices()


def taper_of(cars: CarStays, row: int) -> tuple[float, float]:
    """From which energy on a car charges with less, and by how many kW less for each kWh more."""
    span_kwh = float(cars.energy_kwh_max[row] - cars.taper_from_kwh[row])
    falls_kw = float(cars.charge_kw_max[row] - cars.taper_kw_at_max[row])
    return (float(cars.taper_from_kwh[row]), falls_kw / span_kwh) if span_kwh > 0 else (np.inf, 0.0)


def most_kwh_of(cars: CarStays, hours: FloatArray, row: int) -> FloatArray:
    """[n] the energy after each step, when the car charges with all it takes from arrival on.

    A step's power is what is taken at its end: p = charge_kw_max − kw_per_kwh · (e + into · hours · p − from).
    """
    from_kwh, kw_per_kwh = taper_of(cars, row)
    into, energy_kwh = float(cars.charge_efficiency[row]), float(cars.energy_kwh_at_arrival[row])
    full_kw, cap_kwh = float(cars.charge_kw_max[row]), float(cars.energy_kwh_max[row])
    found = []
    for step_h in hours:
        if energy_kwh < cap_kwh:
            power_kw = full_kw
            if energy_kwh + into * step_h * full_kw > from_kwh:
                power_kw = full_kw - kw_per_kwh * (energy_kwh - from_kwh)
                power_kw /= 1.0 + kw_per_kwh * into * step_h
            energy_kwh = min(energy_kwh + into * step_h * power_kw, cap_kwh)
        found.append(energy_kwh)
    return np.array(found)


def in_all(batch: BatchPlan, miss: MissPrices) -> FloatArray:
    """[N] cost with what missed wishes cost, where they have a price."""
    cost = batch.cost.copy()
    for price, missed in zip(miss, (batch.shortfall_kwh, batch.below_floor_kwh_h), strict=True):
        cost += price * missed if np.isfinite(price) else 0.0
    return cost


def least_cost(
    cars: CarStays, prices: BatchPrices, row: int, miss: MissPrices = NO_PRICES
) -> float:
    """The optimum of a stay as a linear program in HiGHS, what missed wishes cost included.

    Variables: charge, discharge (kWh at the charger), energy after each step, what of it is held, what is below the floor, and
    what is missing at departure. No plan holds more than charging with all that is taken does: wishes are bounds of that.
    """
    steps = slice(int(cars.from_step[row]), int(cars.to_step[row]))
    hours, price_row = prices.duration_h[steps], int(cars.price_row[row])
    count, arrival_kwh = len(hours), float(cars.energy_kwh_at_arrival[row])
    ceiling_kwh = max(float(cars.energy_kwh_max[row]), arrival_kwh)
    into, out = float(cars.charge_efficiency[row]), float(cars.discharge_efficiency[row])
    above = arrival_kwh > cars.energy_kwh_max[row]
    full_kwh = hours * cars.charge_kw_max[row] * (not above)
    best_kwh, floor_kwh = most_kwh_of(cars, hours, row), float(cars.energy_kwh_min[row])
    least_kwh = np.minimum(floor_kwh, best_kwh)
    waits = arrival_kwh < floor_kwh and np.isfinite(miss.floor_per_kwh_h)
    if waits:
        least_kwh[:] = arrival_kwh
    asked_kwh = float(cars.energy_kwh_at_departure[row])
    if np.isnan(asked_kwh):
        asked_kwh = 0.0
    out_of_reach = best_kwh[-1] <= min(asked_kwh, np.nextafter(ceiling_kwh, 0.0)) and not above
    if out_of_reach and np.isinf(miss.departure_per_kwh):
        return _cost_of_all(cars, prices, row, best_kwh, miss)
    if np.isinf(miss.departure_per_kwh):
        least_kwh[-1] = max(least_kwh[-1], min(asked_kwh, best_kwh[-1]))
        asked_kwh = 0.0
    worth = np.zeros(count)
    worth[-1] = -cars.energy_value_per_kwh[row]
    cost = [
        prices.import_per_kwh[price_row, steps],
        cars.wear_price_per_kwh[row] / out - prices.export_per_kwh[price_row, steps],
        worth,
        cars.holding_price_per_kwh_h[row] * hours,
        (miss.floor_per_kwh_h if waits else 0.0) * hours,
        [0.0 if np.isinf(miss.departure_per_kwh) else miss.departure_per_kwh],
    ]
    nothing, more = np.zeros(count), np.full(count, np.inf)
    upper = [
        full_kwh,
        hours * cars.discharge_kw_max[row],
        np.full(count, ceiling_kwh),
        more,
        more,
        [np.inf],
    ]
    from_kwh, kw_per_kwh = taper_of(cars, row)
    if above or not kw_per_kwh:
        from_kwh, kw_per_kwh = 0.0, 0.0
    one, last = eye_array(count), np.zeros((1, count))
    last[0, -1] = -1.0
    # What is taken at the end of a step; what is held; what is below; what is missing.
    limits = [
        [one, 0 * one, kw_per_kwh * diags_array(hours), None, None, None],
        [None, None, one, -one, None, None],
        [None, None, -one, None, -one, None],
        [None, None, last, None, None, -np.ones((1, 1))],
    ]
    found = linprog(
        np.concatenate(cost),
        A_ub=block_array(limits).tocsr(),
        b_ub=np.concatenate(
            [
                full_kwh + kw_per_kwh * hours * from_kwh,
                np.full(count, cars.holding_from_kwh[row]),
                np.full(count, -floor_kwh),
                [-asked_kwh],
            ]
        ),
        A_eq=_recursion(count, into, out),
        b_eq=np.concatenate([[arrival_kwh], nothing[1:]]),
        bounds=np.stack(
            [
                np.concatenate([nothing, nothing, least_kwh, nothing, nothing, [0.0]]),
                np.concatenate(upper),
            ],
            axis=1,
        ),
        method="highs-ds",
        options={"primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9},
    )
    assert found.success, found.message
    return float(found.fun)


def _cost_of_all(
    cars: CarStays, prices: BatchPrices, row: int, best_kwh: FloatArray, miss: MissPrices
) -> float:
    """Of charging with all that is taken, the only plan where what is asked is out of reach: HiGHS loses it in tolerances."""
    steps = slice(int(cars.from_step[row]), int(cars.to_step[row]))
    gained_kwh = np.diff(best_kwh, prepend=cars.energy_kwh_at_arrival[row])
    price = prices.import_per_kwh[cars.price_row[row], steps]
    held_kwh = np.maximum(best_kwh - cars.holding_from_kwh[row], 0.0)
    below_kwh = np.maximum(cars.energy_kwh_min[row] - best_kwh, 0.0)
    floor_price = miss.floor_per_kwh_h if np.isfinite(miss.floor_per_kwh_h) else 0.0
    standing = cars.holding_price_per_kwh_h[row] * held_kwh + floor_price * below_kwh
    cost = price @ gained_kwh / cars.charge_efficiency[row] + prices.duration_h[steps] @ standing
    return float(cost - cars.energy_value_per_kwh[row] * best_kwh[-1])


def _recursion(count: int, into: float, out: float) -> Any:
    """e[t] − e[t−1] − into · c[t] + d[t] / out, for the variables of `least_cost`."""
    one = eye_array(count)
    return block_array(
        [
            [
                -into * one,
                one / out,
                one - eye_array(count, k=-1),
                0 * one,
                0 * one,
                np.zeros((count, 1)),
            ]
        ]
    ).tocsr()


def judged(cars: CarStays, prices: BatchPrices, batch: BatchPlan, row: int) -> tuple[Problem, Plan]:
    """A stay as a problem, and the plan that its powers make."""
    assert batch.power_kw is not None
    problem = problem_of(cars, prices, row)
    powers_kw: FloatArray = batch.power_kw[row].astype(np.float64)
    here = slice(int(cars.from_step[row]), int(cars.to_step[row]))
    assert not powers_kw[: here.start].any()
    assert not powers_kw[here.stop :].any()
    return problem, plan_of(problem, np.zeros(problem.step_count), [powers_kw[here]])
