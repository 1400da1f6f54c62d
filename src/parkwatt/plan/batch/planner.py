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
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.errors import InputError, InputFault
from parkwatt.domain.plan import VehiclePlan
from parkwatt.domain.problem import Problem, SiteProblem, Stay, Vehicle
from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch.cars import (
    FAULTS_MAX,
    BatchPrices,
    CarStays,
    IntArray,
    MissPrices,
    as_kernels_take,
    fault_of_rows,
    raise_if_wrong,
)
from parkwatt.plan.batch.curved import plan_curved
from parkwatt.plan.batch.kernels import (
    CURVED_KERNEL,
    LEVELS_KERNEL,
    LINEAR_KERNEL,
    SOLVER_KERNEL,
    choose_kernels,
    tapers,
)
from parkwatt.plan.batch.levels import LEVELS, plan_levels
from parkwatt.plan.batch.linear import plan_linear
from parkwatt.plan.batch.outcome import Outcome, PowerArray
from parkwatt.plan.batch.rankings import order
from parkwatt.plan.batch.reserve import ReservePrices, reserve_faults, terms_of
from parkwatt.plan.exact import plan

# So many rows at a time keep all threads busy to the end and cost nothing to hand out.
_CHUNK: Final = 8192
_MISSED_KWH: Final = 1e-9
_ROUNDING_KW: Final = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class BatchPlan:
    """``cost``: [N] as in the contract (energy, wear, less the end's value), without what missed wishes cost.

    ``energy_kwh_end``: [N] at the end of the stay. ``shortfall_kwh``: [N] what is missing of what was asked at departure.
    ``below_floor_kwh_h``: [N] the kWh·h below the floor, at the ends of steps. ``power_kw``: [N, T], None where only sums
    were asked; ``power_kw_sum``: [G, T] by group. ``kernel``: [N] place in `KERNEL_NAMES`.
    """

    cost: FloatArray
    energy_kwh_end: FloatArray
    shortfall_kwh: FloatArray
    below_floor_kwh_h: FloatArray
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
    miss: MissPrices | None = None,
    reserve: ReservePrices | None = None,
    relaxed: bool = False,
) -> BatchPlan:
    """The cheapest plan of each stay that meets its wishes in their order: floor, departure, money.

    ``powers``: whether each car's powers are kept. ``group``: [N] in 0..``group_count``-1, whose powers are summed; None:
    all are one group. ``levels``: of energy, for what is not convex. ``miss``: prices of missed wishes, which
    then count as money does; None: wishes come before money. ``reserve``: what stays are paid for what they hold back, which
    their costs then have in them. Where that makes charging and discharging at once pay, a member charges; with ``relaxed``
    its cost is one that no plan is below.
    Raises InputError where a row breaks a rule (`cars.faults_of` tells all), and for options that make no sense.
    """
    miss = MissPrices() if miss is None else MissPrices._make(float(price) for price in miss)
    raise_if_wrong(cars, prices, miss)
    count = cars.stay_count
    reserve = _no_reserve(count, prices.step_count) if reserve is None else reserve
    reserve = reserve.as_kernels_take()
    group = np.zeros(count, np.int64) if group is None else group
    _raise_if_wrong(count, group, group_count=group_count, threads=threads, levels=levels)
    cars, prices = _with_reserve(cars, prices, reserve)
    cars, prices = cars.as_kernels_take(), prices.as_kernels_take()
    outcome = Outcome(
        np.empty(count),
        np.empty(count),
        np.zeros(count),
        np.zeros((count if powers else 0, prices.step_count), np.float32),
        as_kernels_take(group, np.int64),
        np.zeros((group_count, prices.step_count)),
    )
    kernel = np.empty(count, np.int8)
    choose_kernels(cars, prices, miss, reserve.member, kernel)
    terms = terms_of(reserve.hours_h, prices.duration_h)
    orders = order(prices.import_per_kwh, prices.export_per_kwh)

    def linear(rows: IntArray, into: Outcome) -> None:
        plan_linear(rows, cars, orders, prices.duration_h, miss, into)

    def curved(rows: IntArray, into: Outcome) -> None:
        plan_curved(rows, cars, orders, prices.duration_h, miss, reserve, terms, relaxed, into)

    def by_levels(rows: IntArray, into: Outcome) -> None:
        plan_levels(rows, cars, orders, prices.duration_h, levels, miss, into)

    _run(linear, np.flatnonzero(kernel == LINEAR_KERNEL), outcome, threads)
    _run(curved, np.flatnonzero(kernel == CURVED_KERNEL), outcome, threads)
    kernel[(kernel == CURVED_KERNEL) & np.isnan(outcome.cost)] = LEVELS_KERNEL
    _run(by_levels, np.flatnonzero(kernel == LEVELS_KERNEL), outcome, threads)
    kernel[(kernel == LEVELS_KERNEL) & np.isnan(outcome.cost)] = SOLVER_KERNEL
    for row in np.flatnonzero(kernel == SOLVER_KERNEL):
        _solve(cars, prices, int(row), miss.departure_per_kwh, outcome)
    missing_kwh = cars.energy_kwh_at_departure - outcome.energy_kwh_end
    return BatchPlan(
        cost=outcome.cost,
        energy_kwh_end=outcome.energy_kwh_end,
        shortfall_kwh=np.where(missing_kwh > _MISSED_KWH, missing_kwh, 0.0),
        below_floor_kwh_h=outcome.below_floor_kwh_h,
        power_kw=outcome.power_kw if powers else None,
        power_kw_sum=outcome.power_kw_sum,
        kernel=kernel,
    )


def _no_reserve(count: int, steps: int) -> ReservePrices:
    """Nobody holds back anything."""
    return ReservePrices(np.zeros(steps), np.zeros(steps), 1.0, np.zeros(count, np.bool_))


def _with_reserve(
    cars: CarStays, prices: BatchPrices, reserve: ReservePrices
) -> tuple[CarStays, BatchPrices]:
    """Members see prices of their own: drawing more holds back more up, and less down.

    Raises: InputError where the reserve breaks a rule.
    """
    faults = reserve_faults(reserve, cars, prices.step_count)
    if faults:
        raise InputError(faults)
    if not reserve.member.any():
        return cars, prices
    added = reserve.down_per_kwh - reserve.up_per_kwh
    rows = len(prices.import_per_kwh)
    of_members = cars.price_row + np.where(reserve.member, rows, 0)
    return cars._replace(price_row=of_members), BatchPrices(
        np.vstack((prices.import_per_kwh, prices.import_per_kwh + added)),
        np.vstack((prices.export_per_kwh, prices.export_per_kwh + added)),
        prices.duration_h,
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


def _solve(
    cars: CarStays, prices: BatchPrices, row: int, missing_per_kwh: float, outcome: Outcome
) -> None:
    """Plan a row by the exact planner."""
    steps = slice(int(cars.from_step[row]), int(cars.to_step[row]))
    problem = problem_of(cars, prices, row)
    asked_kwh, worth_more = float(cars.energy_kwh_at_departure[row]), 0.0
    if asked_kwh > 0.0 and np.isfinite(missing_per_kwh):
        problem, worth_more = _with_worth_to(problem, asked_kwh, missing_per_kwh), missing_per_kwh
    solved = plan(problem)
    if _charges_too_fast(cars, row, solved.vehicles[0]):
        vehicle = replace(problem.vehicles[0], charge_kw_max=0.0, charge_kw_min=0.0)
        solved = plan(replace(problem, vehicles=(vehicle,)))
    planned = solved.vehicles[0]
    energy_kwh = planned.stays[0].energy_kwh
    below_kwh = np.maximum(cars.energy_kwh_min[row] - energy_kwh[1:], 0.0)
    end_kwh = float(energy_kwh[-1])
    outcome.cost[row] = solved.cost + worth_more * min(end_kwh, asked_kwh)
    outcome.energy_kwh_end[row] = end_kwh
    outcome.below_floor_kwh_h[row] = prices.duration_h[steps] @ below_kwh
    if len(outcome.power_kw):
        outcome.power_kw[row, steps] = planned.power_kw
    outcome.power_kw_sum[outcome.group[row], steps] += planned.power_kw


def _charges_too_fast(cars: CarStays, row: int, planned: VehiclePlan) -> bool:
    """Whether a plan charges with more than is taken at a step's end: of taper the exact planner does not know."""
    from_kwh, maximum_kwh = cars.taper_from_kwh[row], cars.energy_kwh_max[row]
    at_maximum_kw, full_kw = cars.taper_kw_at_max[row], cars.charge_kw_max[row]
    if not tapers(from_kwh, maximum_kwh, at_maximum_kw, full_kw):
        return False
    above_kwh = np.maximum(planned.stays[0].energy_kwh[1:] - from_kwh, 0.0)
    most_kw = full_kw - (full_kw - at_maximum_kw) / (maximum_kwh - from_kwh) * above_kwh
    return bool((planned.power_kw > np.maximum(most_kw, 0.0) + _ROUNDING_KW).any())


def _with_worth_to(problem: Problem, asked_kwh: float, worth_more: float) -> Problem:
    """The same where nothing is asked at departure, and each kWh up to ``asked_kwh`` is worth more."""
    vehicle = problem.vehicles[0]
    stay = replace(
        vehicle.stays[0],
        energy_kwh_at_departure=None,
        energy_value_per_kwh=vehicle.stays[0].energy_value_per_kwh + worth_more,
        end_value_drops=((asked_kwh, worth_more),) if worth_more else (),
    )
    return replace(problem, vehicles=(replace(vehicle, stays=(stay,)),))


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
            "holding_price_per_kwh_h",
            "holding_from_kwh",
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
