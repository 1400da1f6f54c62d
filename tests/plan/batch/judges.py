"""Who judges batch plans: a linear program of one car, written down once more, and the plan that follows from powers."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array

from parkwatt.domain.plan import Plan
from parkwatt.domain.problem import Problem
from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch import BatchPlan, BatchPrices, CarStays
from parkwatt.plan.batch.planner import problem_of
from tests.plan.made_plan import plan_of


def least_cost(cars: CarStays, prices: BatchPrices, row: int) -> float:
    """The optimum of a stay as a linear program in HiGHS. Variables: charge, discharge (kWh at the charger), energy after.

    No plan holds more at any time than charging at full power does, so the wishes are lower bounds of that at most.
    """
    steps = slice(int(cars.from_step[row]), int(cars.to_step[row]))
    hours, price_row = prices.duration_h[steps], int(cars.price_row[row])
    count, arrival_kwh = len(hours), float(cars.energy_kwh_at_arrival[row])
    ceiling_kwh = max(float(cars.energy_kwh_max[row]), arrival_kwh)
    into, out = float(cars.charge_efficiency[row]), float(cars.discharge_efficiency[row])
    full_kwh = hours * cars.charge_kw_max[row]
    if arrival_kwh > cars.energy_kwh_max[row]:
        full_kwh = np.zeros(count)
    most_kwh = np.minimum(arrival_kwh + into * np.cumsum(full_kwh), ceiling_kwh)
    least_kwh = np.minimum(cars.energy_kwh_min[row], most_kwh)
    if not np.isnan(cars.energy_kwh_at_departure[row]):
        least_kwh[-1] = max(least_kwh[-1], min(cars.energy_kwh_at_departure[row], most_kwh[-1]))
    cost = np.zeros(3 * count)
    cost[:count] = prices.import_per_kwh[price_row, steps]
    cost[count : 2 * count] = (
        cars.wear_price_per_kwh[row] / out - prices.export_per_kwh[price_row, steps]
    )
    cost[-1] -= cars.energy_value_per_kwh[row]
    step, ones = np.arange(count), np.ones(count)
    rows = np.concatenate([step, step, step, step[1:]])
    columns = np.concatenate([step, count + step, 2 * count + step, 2 * count + step[:-1]])
    entries = np.concatenate([-into * ones, ones / out, ones, -ones[1:]])
    start = np.zeros(count)
    start[0] = arrival_kwh
    upper = np.concatenate([full_kwh, hours * cars.discharge_kw_max[row], ceiling_kwh * ones])
    lower = np.concatenate([np.zeros(2 * count), least_kwh])
    found = linprog(
        cost,
        A_eq=coo_array((entries, (rows, columns)), shape=(count, 3 * count)).tocsr(),
        b_eq=start,
        bounds=np.stack([lower, upper], axis=1),
        method="highs-ds",
        options={"primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9},
    )
    assert found.success, found.message
    return float(found.fun)


def judged(cars: CarStays, prices: BatchPrices, batch: BatchPlan, row: int) -> tuple[Problem, Plan]:
    """A stay as a problem, and the plan that its powers make."""
    assert batch.power_kw is not None
    problem = problem_of(cars, prices, row)
    powers_kw: FloatArray = batch.power_kw[row].astype(np.float64)
    here = slice(int(cars.from_step[row]), int(cars.to_step[row]))
    assert not powers_kw[: here.start].any()
    assert not powers_kw[here.stop :].any()
    return problem, plan_of(problem, np.zeros(problem.step_count), [powers_kw[here]])
