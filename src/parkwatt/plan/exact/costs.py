"""What flows cost, in the parts that the contract names. The formula is the contract's; see docs/modelling/planner.md."""

from __future__ import annotations

import numpy as np

from parkwatt.domain.plan import CostParts
from parkwatt.domain.problem import Problem
from parkwatt.plan.exact.flows import Flows
from parkwatt.plan.exact.storage import StorageStay


def cost_of(problem: Problem, items: list[StorageStay], flows: Flows) -> CostParts:
    """The cost of the flows, in the problem's currency."""
    site, duration_h = problem.site, problem.duration_h
    bought = site.import_price_per_kwh * flows.import_kw
    sold = site.export_price_per_kwh * flows.export_kw
    peak_kw = max(float(flows.import_kw.max()) - site.peak_so_far_kw, 0.0)
    wear = end_value = 0.0
    for item, power, energy in zip(items, flows.power_kw, flows.energy_kwh, strict=True):
        storage = item.storage
        step_h = duration_h[item.steps]
        if storage.wear_price_per_kwh:
            discharged = np.minimum(power, 0.0) @ step_h
            wear -= storage.wear_price_per_kwh * float(discharged) / storage.discharge_efficiency
        if storage.holding_price_per_kwh_h:
            held = np.maximum(energy[1:] - storage.holding_from_kwh, 0.0)
            wear += storage.holding_price_per_kwh_h * float(held @ step_h)
        end_value -= item.stay.energy_value_per_kwh * float(energy[-1])
        for energy_kwh, drop_per_kwh in item.stay.end_value_drops:
            end_value += drop_per_kwh * max(float(energy[-1]) - energy_kwh, 0.0)
    return CostParts(
        energy=float((bought - sold) @ duration_h),
        demand=site.demand_charge_per_kw * peak_kw,
        wear=wear,
        end_value=end_value,
    )
