"""The form of a plan: every series has its length, every id its place, every number is finite."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from parkwatt.domain.errors import Description
from parkwatt.domain.plan import Plan
from parkwatt.domain.problem import Problem
from parkwatt.domain.record import FloatArray
from parkwatt.plan.check.report import Findings


def check_form(problem: Problem, plan: Plan, findings: Findings) -> None:
    """Note what keeps the plan from being computed with."""
    step_count = problem.step_count
    for name in ("import_kw", "export_kw", "solar_used_kw"):
        _series(name, getattr(plan, name), step_count, findings)
    for name in ("energy", "demand", "wear", "end_value"):
        _number(f"cost_parts.{name}", getattr(plan.cost_parts, name), findings)
    _ids("batteries", [b.id for b in plan.batteries], [b.id for b in problem.batteries], findings)
    _ids("vehicles", [v.id for v in plan.vehicles], [v.id for v in problem.vehicles], findings)
    for index, battery in enumerate(plan.batteries):
        _series(f"batteries[{index}].power_kw", battery.power_kw, step_count, findings)
        _series(f"batteries[{index}].energy_kwh", battery.energy_kwh, step_count + 1, findings)
    for index, (planned, vehicle) in enumerate(zip(plan.vehicles, problem.vehicles, strict=False)):
        path = f"vehicles[{index}]"
        _series(f"{path}.power_kw", planned.power_kw, step_count, findings)
        if len(planned.stays) != len(vehicle.stays):
            rule = f"must have {len(vehicle.stays)} entries, as in the problem"
            findings.add(f"{path}.stays", rule, len(planned.stays))
        for place, (stay_plan, stay) in enumerate(zip(planned.stays, vehicle.stays, strict=False)):
            length = stay.to_step - stay.from_step + 1
            _series(f"{path}.stays[{place}].energy_kwh", stay_plan.energy_kwh, length, findings)
            _number(f"{path}.stays[{place}].shortfall_kwh", stay_plan.shortfall_kwh, findings)
    for index, violation in enumerate(plan.violations):
        _number(f"violations[{index}].amount", violation.amount, findings)
    for index, reason in enumerate(plan.reasons):
        _number(f"reasons[{index}].power_kw", reason.power_kw, findings)


def _series(field: str, values: FloatArray, length: int, findings: Findings) -> None:
    if np.shape(values) != (length,):
        findings.add(field, f"must have {length} values", Description(f"shape {np.shape(values)}"))
        return
    findings.none_of(field, ~np.isfinite(values), values, "must be finite")


def _number(field: str, value: float, findings: Findings) -> None:
    if not math.isfinite(value):
        findings.add(field, "must be finite", value)


def _ids(field: str, found: Sequence[str], expected: Sequence[str], findings: Findings) -> None:
    if list(found) != list(expected):
        rule = f"must be for {', '.join(expected) or 'none'}, in the problem's order"
        findings.add(field, rule, Description(", ".join(found) or "none"))
