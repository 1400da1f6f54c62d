"""`plan`: a problem in, the cheapest plan out, with its violations and reasons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from parkwatt.domain.plan import BatteryPlan, Plan, StayPlan, VehiclePlan
from parkwatt.domain.problem import Problem
from parkwatt.domain.record import FloatArray
from parkwatt.plan.exact.costs import cost_of
from parkwatt.plan.exact.explain import explain
from parkwatt.plan.exact.flows import Flows
from parkwatt.plan.exact.optimise import Optimum, optimise
from parkwatt.plan.exact.storage import StorageStay, storage_stays
from parkwatt.plan.exact.violations import shortfall_kwh, violations_of

# For each mixed-integer solve. Problems of one site end in a fraction of this; when it is reached, the best plan found counts.
TIME_LIMIT_S = 20.0


def plan(problem: Problem, *, time_limit_s: float = TIME_LIMIT_S) -> Plan:
    """The plan of least cost that meets the wishes in their order: limits, floors, departures, money.

    ``problem`` must be well formed (`parkwatt.io.contract` sees to that). ``time_limit_s`` bounds each mixed-integer solve.
    A plan always exists. Raises SolverError where the solver fails numerically.
    """
    return plan_priced(problem, time_limit_s=time_limit_s).plan


def _as_plan(problem: Problem, items: list[StorageStay], optimum: Optimum) -> Plan:
    flows = optimum.flows
    violations = tuple(violations_of(problem, items, flows))
    batteries = tuple(
        BatteryPlan(item.storage.id, flows.power_kw[index], flows.energy_kwh[index])
        for index, item in enumerate(items)
        if not item.is_vehicle
    )
    return Plan(
        status="best_effort" if violations else "optimal",
        cost_parts=cost_of(problem, items, flows),
        import_kw=flows.import_kw,
        export_kw=flows.export_kw,
        solar_used_kw=flows.solar_used_kw,
        batteries=batteries,
        vehicles=_vehicle_plans(problem, items, flows),
        violations=violations,
        reasons=tuple(explain(problem, items, flows, optimum.stored_value_per_kwh)),
    )


def _vehicle_plans(
    problem: Problem, items: list[StorageStay], flows: Flows
) -> tuple[VehiclePlan, ...]:
    powers = [np.zeros(problem.step_count) for _ in problem.vehicles]
    stays: list[list[StayPlan]] = [[] for _ in problem.vehicles]
    for item, power, energy in zip(items, flows.power_kw, flows.energy_kwh, strict=True):
        if item.is_vehicle:
            powers[item.owner_index][item.steps] = power
            stays[item.owner_index].append(StayPlan(energy, shortfall_kwh(item, energy)))
    return tuple(
        VehiclePlan(vehicle.id, powers[index], tuple(stays[index]))
        for index, vehicle in enumerate(problem.vehicles)
    )


@dataclass(frozen=True, slots=True, eq=False)
class PricedPlan:
    """A plan with the prices that it implies.

    ``stored_value_per_kwh``: for each stay in the order of the problem [n] what one more kWh in the battery is worth at the
    end of each step; None where unknown.
    """

    plan: Plan
    stored_value_per_kwh: list[FloatArray] | None


def plan_priced(problem: Problem, *, time_limit_s: float = TIME_LIMIT_S) -> PricedPlan:
    """`plan` with what energy is worth in each battery, for a site that follows the plan.

    Raises SolverError where the solver fails numerically.
    """
    items = storage_stays(problem)
    optimum = optimise(problem, items, ties=True, time_limit_s=time_limit_s)
    return PricedPlan(_as_plan(problem, items, optimum), optimum.stored_value_per_kwh)


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """A plan for one vehicle in numbers only, for a controller that replans often.

    ``power_kw``, ``grid_kw``: [T], positive = charge, import. ``stored_value_per_kwh``: [T] what one more kWh in the battery
    is worth at the end of each step; None where unknown.
    """

    power_kw: FloatArray
    grid_kw: FloatArray
    stored_value_per_kwh: FloatArray | None


def look_ahead(problem: Problem, *, time_limit_s: float = TIME_LIMIT_S) -> Outlook:
    """The same optimum as `plan`, for a problem with one vehicle that stays for the whole horizon, without words.

    Raises SolverError where the solver fails numerically.
    """
    items = storage_stays(problem)
    optimum = optimise(problem, items, ties=True, time_limit_s=time_limit_s)
    flows, stored = optimum.flows, optimum.stored_value_per_kwh
    return Outlook(
        flows.power_kw[0], flows.import_kw - flows.export_kw, None if stored is None else stored[0]
    )
