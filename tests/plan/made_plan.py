"""A whole plan from decisions alone: powers and solar are given, every other number follows.

Written a second time, beside planner and checker: tests make plans with it by hand and by oracle.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from parkwatt.domain.plan import (
    BatteryPlan,
    CostParts,
    Plan,
    StayPlan,
    VehiclePlan,
    Violation,
    ViolationKind,
)
from parkwatt.domain.problem import Problem, SiteProblem, Stay, Storage
from parkwatt.domain.record import FloatArray

MISSED_FROM = 1e-5


def plan_of(problem: Problem, solar_used_kw: FloatArray, powers_kw: Sequence[FloatArray]) -> Plan:
    """The plan with these decisions, without reasons.

    ``powers_kw``: one array for each stationary battery, then for each stay of each vehicle, over its
    own steps.
    """
    used_kw: FloatArray = np.clip(solar_used_kw, 0.0, problem.site.solar_kw)
    solar_used_kw = np.round(used_kw, 9)
    given = iter([np.round(power_kw, 9) for power_kw in powers_kw])
    step_h = problem.duration_h
    net_kw = problem.site.load_kw - solar_used_kw
    wear, end_value = 0.0, 0.0
    batteries: list[BatteryPlan] = []
    for battery in problem.batteries:
        power_kw = next(given)
        energy_kwh = _energy_kwh(battery, battery.energy_kwh_at_start, power_kw, step_h)
        net_kw = net_kw + power_kw
        wear += _wear(battery, power_kw, energy_kwh, step_h)
        end_value -= battery.energy_value_per_kwh * float(energy_kwh[-1])
        batteries.append(BatteryPlan(battery.id, power_kw, energy_kwh))
    vehicles: list[VehiclePlan] = []
    for vehicle in problem.vehicles:
        whole_kw = np.zeros(problem.step_count)
        stays: list[StayPlan] = []
        for stay in vehicle.stays:
            power_kw, hours = next(given), step_h[stay.from_step : stay.to_step]
            energy_kwh = _energy_kwh(vehicle, stay.energy_kwh_at_arrival, power_kw, hours)
            whole_kw[stay.from_step : stay.to_step] = power_kw
            wear += _wear(vehicle, power_kw, energy_kwh, hours)
            end_value -= stay.energy_value_per_kwh * float(energy_kwh[-1])
            stays.append(StayPlan(energy_kwh, _shortfall_kwh(stay, energy_kwh)))
        net_kw = net_kw + whole_kw
        vehicles.append(VehiclePlan(vehicle.id, whole_kw, tuple(stays)))
    import_kw, export_kw = np.maximum(net_kw, 0.0), np.maximum(-net_kw, 0.0)
    violations = (
        *_over(problem.site, import_kw, export_kw),
        *_missed(problem, batteries, vehicles),
    )
    return Plan(
        status="best_effort" if violations else "optimal",
        cost_parts=_cost_parts(problem, import_kw, export_kw, wear, end_value),
        import_kw=import_kw,
        export_kw=export_kw,
        solar_used_kw=solar_used_kw,
        batteries=tuple(batteries),
        vehicles=tuple(vehicles),
        violations=violations,
    )


def resting_plan(problem: Problem) -> Plan:
    """The plan in which no battery moves and all the sun is used: valid for every problem."""
    spans = [problem.step_count for _ in problem.batteries]
    spans += [s.to_step - s.from_step for vehicle in problem.vehicles for s in vehicle.stays]
    return plan_of(problem, problem.site.solar_kw, [np.zeros(length) for length in spans])


def _energy_kwh(
    storage: Storage, start_kwh: float, power_kw: FloatArray, step_h: FloatArray
) -> FloatArray:
    energy_kwh = [start_kwh]
    for power, hours in zip(power_kw.tolist(), step_h.tolist(), strict=True):
        factor = storage.charge_efficiency if power > 0 else 1.0 / storage.discharge_efficiency
        energy_kwh.append(energy_kwh[-1] + hours * power * factor)
    return np.array(energy_kwh)


def _wear(
    storage: Storage, power_kw: FloatArray, energy_kwh: FloatArray, step_h: FloatArray
) -> float:
    cost = 0.0
    for index, hours in enumerate(step_h.tolist()):
        if power_kw[index] < 0:
            out_kwh = -hours * power_kw[index] / storage.discharge_efficiency
            cost += storage.wear_price_per_kwh * out_kwh
        held_kwh = max(0.0, energy_kwh[index + 1] - storage.holding_from_kwh)
        cost += storage.holding_price_per_kwh_h * hours * held_kwh
    return float(cost)


def _cost_parts(
    problem: Problem, import_kw: FloatArray, export_kw: FloatArray, wear: float, end_value: float
) -> CostParts:
    site = problem.site
    money = site.import_price_per_kwh * import_kw - site.export_price_per_kwh * export_kw
    new_peak_kw = max(0.0, float(import_kw.max()) - site.peak_so_far_kw)
    return CostParts(
        energy=float(problem.duration_h @ money),
        demand=site.demand_charge_per_kw * new_peak_kw,
        wear=wear,
        end_value=end_value,
    )


def _shortfall_kwh(stay: Stay, energy_kwh: FloatArray) -> float:
    if stay.energy_kwh_at_departure is None:
        return 0.0
    first = stay.to_step if stay.ready_from_step is None else stay.ready_from_step
    asked_kwh = stay.energy_kwh_at_departure
    leaving = energy_kwh[first - stay.from_step :].tolist()
    missing_kwh = [asked_kwh - kwh for kwh in leaving if asked_kwh - kwh > MISSED_FROM]
    return float(sum(missing_kwh) / len(leaving))


def _over(site: SiteProblem, import_kw: FloatArray, export_kw: FloatArray) -> Iterator[Violation]:
    series: tuple[tuple[ViolationKind, FloatArray, float | None], ...] = (
        ("import_limit", import_kw, site.import_limit_kw),
        ("export_limit", export_kw, site.export_limit_kw),
    )
    for kind, power_kw, limit_kw in series:
        if limit_kw is None:
            continue
        run: list[float] = []
        for step, excess_kw in enumerate([*(power_kw - limit_kw).tolist(), 0.0]):
            if excess_kw > MISSED_FROM:
                run.append(excess_kw)
            elif run:
                yield Violation(kind, None, step - len(run), max(run), "kW", "over the limit")
                run = []


def _missed(
    problem: Problem, batteries: Sequence[BatteryPlan], vehicles: Sequence[VehiclePlan]
) -> Iterator[Violation]:
    for battery, planned in zip(problem.batteries, batteries, strict=True):
        yield from _under_floor(battery, 0, planned.energy_kwh)
    for vehicle, driven in zip(problem.vehicles, vehicles, strict=True):
        for stay, stay_plan in zip(vehicle.stays, driven.stays, strict=True):
            yield from _under_floor(vehicle, stay.from_step, stay_plan.energy_kwh)
            missing_kwh = stay_plan.shortfall_kwh
            if missing_kwh > MISSED_FROM:
                step = stay.to_step
                yield Violation("departure", vehicle.id, step, missing_kwh, "kWh", "leaves short")


def _under_floor(storage: Storage, first: int, energy_kwh: FloatArray) -> Iterator[Violation]:
    deficits_kwh = [storage.energy_kwh_min - kwh for kwh in energy_kwh.tolist()[1:]]
    if max(deficits_kwh) <= MISSED_FROM:
        return
    instants = range(first + 1, first + len(energy_kwh))
    low = [t for t, kwh in zip(instants, deficits_kwh, strict=True) if kwh > MISSED_FROM]
    again = min(low[-1] + 1, instants[-1])
    yield Violation("floor", storage.id, again, max(deficits_kwh), "kWh", "below the floor")
