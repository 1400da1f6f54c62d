"""The cost of a plan, part by part, from its powers and energies.

energy    = Σ Δ·(import_price·import − export_price·export)
demand    = demand_charge · max(0, max import − peak so far)
wear      = Σ wear_price · Δ·discharge/discharge_efficiency
            + Σ Δ·holding_price · max(0, energy[t+1] − holding_from)      during stays
end_value = − Σ energy_value · energy at the end of the stay or horizon
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from parkwatt.domain.plan import CostParts, Plan
from parkwatt.domain.problem import Problem
from parkwatt.domain.record import FloatArray
from parkwatt.plan.check.report import Findings
from parkwatt.plan.check.spans import Span


def cost_parts(problem: Problem, plan: Plan, spans: Sequence[Span]) -> CostParts:
    """The parts of the cost as they follow from the plan's powers and energies."""
    site = problem.site
    bought = problem.duration_h * site.import_price_per_kwh * plan.import_kw
    sold = problem.duration_h * site.export_price_per_kwh * plan.export_kw
    new_peak_kw = max(0.0, float(np.max(plan.import_kw)) - site.peak_so_far_kw)
    return CostParts(
        energy=float(np.sum(bought) - np.sum(sold)),
        demand=site.demand_charge_per_kw * new_peak_kw,
        wear=sum(_wear_cost(span, problem.duration_h) for span in spans),
        end_value=0.0
        - sum(span.energy_value_per_kwh * float(span.energy_kwh[-1]) for span in spans),
    )


def check_cost(
    problem: Problem,
    plan: Plan,
    expected: CostParts,
    stated_cost: float | None,
    findings: Findings,
) -> None:
    """Note each part of the cost, and the sum, that differs from ``expected``."""
    dearest = _dearest(problem)
    for name in ("energy", "demand", "wear", "end_value"):
        found, right = getattr(plan.cost_parts, name), getattr(expected, name)
        findings.equal(f"cost_parts.{name}", found, right, max(dearest, abs(right)))
    if stated_cost is not None:
        findings.equal("cost", stated_cost, expected.total, max(dearest, abs(expected.total)))


def _dearest(problem: Problem) -> float:
    """The dearest price, at least 1: what rounding a power or an energy can cost grows with it."""
    site = problem.site
    prices = [
        1.0,
        float(np.max(np.abs(site.import_price_per_kwh))),
        float(np.max(np.abs(site.export_price_per_kwh))),
        site.demand_charge_per_kw,
    ]
    for battery in problem.batteries:
        prices += [battery.wear_price_per_kwh, abs(battery.energy_value_per_kwh)]
    for vehicle in problem.vehicles:
        prices.append(vehicle.wear_price_per_kwh)
        prices += [abs(stay.energy_value_per_kwh) for stay in vehicle.stays]
    return max(prices)


def _wear_cost(span: Span, duration_h: FloatArray) -> float:
    storage = span.storage
    step_h = duration_h[span.from_step : span.to_step]
    out_kwh = step_h * np.maximum(-span.power_kw, 0.0) / storage.discharge_efficiency
    held_kwh = np.maximum(span.energy_kwh[1:] - storage.holding_from_kwh, 0.0)
    return float(
        storage.wear_price_per_kwh * np.sum(out_kwh)
        + storage.holding_price_per_kwh_h * np.sum(step_h * held_kwh)
    )
