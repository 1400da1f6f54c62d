"""Plans many cars at once, each alone at its connection: the exact optimum where the problem is convex.

Each row is planned by the kernel that its features ask for, and the plan says which:

- *linear*, where nothing below applies: `plan.batch.linear`;
- *levels*, where the problem is not convex: a least power, or a step that would pay for charging and discharging at once (a
  negative price, export dearer than import): `plan.batch.levels`;
- *solver*, one by one in `plan.exact`: a car above its maximum that may discharge, and one for which *levels* found no
  plan that brings what could be brought at departure.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.errors import InputError, InputFault
from parkwatt.domain.problem import Problem, SiteProblem, Stay, Vehicle
from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch.cars import (
    FAULTS_MAX,
    BatchPrices,
    CarStays,
    IntArray,
    as_kernels_take,
    fault_of_rows,
    raise_if_wrong,
)
from parkwatt.plan.batch.kernels import (
    LEVELS_KERNEL,
    LINEAR_KERNEL,
    SOLVER_KERNEL,
    choose_kernels,
)
from parkwatt.plan.batch.levels import LEVELS, plan_levels
from parkwatt.plan.batch.linear import plan_linear
from parkwatt.plan.batch.outcome import Outcome, PowerArray
from parkwatt.plan.batch.rankings import order
from parkwatt.plan.exact import plan

# So many rows at a time keep all threads busy to the end and cost nothing to hand out.
_CHUNK: Final = 8192
_MISSED_KWH: Final = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class BatchPlan:
    """``cost``: [N] as in the contract (energy, wear, less the end's value). ``energy_kwh_end``: [N] at the end of the stay.

    ``shortfall_kwh``: [N] what is missing of what was asked at departure. ``power_kw``: [N, T], None where only sums were
    asked; ``power_kw_sum``: [G, T] by group. ``kernel``: [N] place in `KERNEL_NAMES`.
    """

    cost: FloatArray
    energy_kwh_end: FloatArray
    shortfall_kwh: FloatArray
    power_kw: PowerArray | None
    power_kw_sum: FloatArray
    kernel: NDArray[np.int8]


def plan_batch(
    cars: CarStays,
    prices: BatchPrices,
    *,
    powers: bool = True,
    group: IntArray | None = None,
    group_count: int = 1,
    threads: int = 1,
    levels: int = LEVELS,
) -> BatchPlan:
    """The cheapest plan of each stay that meets its wishes in their order: floor, departure, money.

    ``powers``: whether each car's powers are kept. ``group``: [N] in 0..``group_count``-1, whose powers are summed; None:
    all are one group. ``levels``: of energy, for what is not convex.
    Raises InputError where a row breaks a rule (`cars.faults_of` tells all), and for options that make no sense.
    """
    raise_if_wrong(cars, prices)
    count = cars.stay_count
    group = np.zeros(count, np.int64) if group is None else group
    _raise_if_wrong(count, group, group_count=group_count, threads=threads, levels=levels)
    cars, prices = cars.as_kernels_take(), prices.as_kernels_take()
    outcome = Outcome(
        np.empty(count),
        np.empty(count),
        np.zeros((count if powers else 0, prices.step_count), np.float32),
        as_kernels_take(group, np.int64),
        np.zeros((group_count, prices.step_count)),
    )
    kernel = np.empty(count, np.int8)
    choose_kernels(cars, prices, kernel)
    orders = order(prices.import_per_kwh, prices.export_per_kwh)

    def linear(rows: IntArray, into: Outcome) -> None:
        plan_linear(rows, cars, orders, prices.duration_h, into)

    def by_levels(rows: IntArray, into: Outcome) -> None:
        plan_levels(rows, cars, orders, prices.duration_h, levels, into)

    _run(linear, np.flatnonzero(kernel == LINEAR_KERNEL), outcome, threads)
    _run(by_levels, np.flatnonzero(kernel == LEVELS_KERNEL), outcome, threads)
    kernel[(kernel == LEVELS_KERNEL) & np.isnan(outcome.cost)] = SOLVER_KERNEL
    for row in np.flatnonzero(kernel == SOLVER_KERNEL):
        _solve(cars, prices, int(row), outcome)
    missing_kwh = cars.energy_kwh_at_departure - outcome.energy_kwh_end
    return BatchPlan(
        cost=outcome.cost,
        energy_kwh_end=outcome.energy_kwh_end,
        shortfall_kwh=np.where(missing_kwh > _MISSED_KWH, missing_kwh, 0.0),
        power_kw=outcome.power_kw if powers else None,
        power_kw_sum=outcome.power_kw_sum,
        kernel=kernel,
    )


def _raise_if_wrong(count: int, group: IntArray, **least_1: int) -> None:
    """Refuse options that make no sense. ``least_1``: those that are at least 1."""
    found = [
        InputFault(name, "must be at least 1", value)
        for name, value in least_1.items()
        if value < 1
    ]
    fault = fault_of_rows("group", group, count, whole=True)
    if fault is not None:
        found.append(fault)
    else:
        last = least_1["group_count"] - 1
        found += [
            InputFault(f"group[{row}]", f"must be in 0..{last}", int(group[row]))
            for row in np.flatnonzero((group < 0) | (group > last))[:FAULTS_MAX]
        ]
    if found:
        raise InputError(found)


def _run(
    kernel: Callable[[IntArray, Outcome], None], rows: IntArray, outcome: Outcome, threads: int
) -> None:
    """Plan rows, some at a time, in threads that share no sum."""

    def run_some(start: int) -> FloatArray:
        into = outcome._replace(power_kw_sum=np.zeros_like(outcome.power_kw_sum))
        kernel(rows[start : start + _CHUNK], into)
        return into.power_kw_sum

    starts = range(0, len(rows), _CHUNK)
    with ThreadPoolExecutor(threads) as pool:
        for power_kw_sum in pool.map(run_some, starts):
            np.add(outcome.power_kw_sum, power_kw_sum, out=outcome.power_kw_sum)


def _solve(cars: CarStays, prices: BatchPrices, row: int, outcome: Outcome) -> None:
    """Plan a row by the exact planner."""
    steps = slice(int(cars.from_step[row]), int(cars.to_step[row]))
    solved = plan(problem_of(cars, prices, row))
    vehicle = solved.vehicles[0]
    outcome.cost[row] = solved.cost
    outcome.energy_kwh_end[row] = vehicle.stays[0].energy_kwh[-1]
    if len(outcome.power_kw):
        outcome.power_kw[row, steps] = vehicle.power_kw
    outcome.power_kw_sum[outcome.group[row], steps] += vehicle.power_kw


def problem_of(cars: CarStays, prices: BatchPrices, row: int) -> Problem:
    """A stay as a problem of the exact planner; its steps begin with the stay's."""
    steps = slice(int(cars.from_step[row]), int(cars.to_step[row]))
    count = steps.stop - steps.start
    asked = float(cars.energy_kwh_at_departure[row])
    price_row = cars.price_row[row]
    stay = Stay(
        from_step=0,
        to_step=count,
        energy_kwh_at_arrival=float(cars.energy_kwh_at_arrival[row]),
        energy_kwh_at_departure=None if np.isnan(asked) else asked,
        energy_value_per_kwh=float(cars.energy_value_per_kwh[row]),
    )
    same: dict[str, Any] = {
        name: float(getattr(cars, name)[row])
        for name in (
            "energy_kwh_min",
            "energy_kwh_max",
            "charge_kw_max",
            "discharge_kw_max",
            "charge_kw_min",
            "discharge_kw_min",
            "charge_efficiency",
            "discharge_efficiency",
            "wear_price_per_kwh",
        )
    }
    site = SiteProblem(
        import_price_per_kwh=prices.import_per_kwh[price_row, steps],
        export_price_per_kwh=prices.export_per_kwh[price_row, steps],
        load_kw=np.zeros(count),
        solar_kw=np.zeros(count),
    )
    return Problem(
        start=datetime(2000, 1, 1, tzinfo=UTC),  # for words only
        duration_h=prices.duration_h[steps],
        currency="EUR",  # for words only
        site=site,
        vehicles=(Vehicle(id=str(row), stays=(stay,), **same),),
    )
