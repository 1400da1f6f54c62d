"""The site in each step: the balance, curtailment, one direction at a time, nobody where no car
is."""

from __future__ import annotations

import numpy as np

from parkwatt.domain.plan import Plan
from parkwatt.domain.problem import Problem
from parkwatt.plan.check.report import Findings


def check_site(problem: Problem, plan: Plan, findings: Findings) -> None:
    """Note each series of the site that does not follow from the batteries' powers."""
    _check_solar(problem, plan, findings)
    _check_away(problem, plan, findings)
    site = problem.site
    net_kw = site.load_kw - plan.solar_used_kw
    for battery in plan.batteries:
        net_kw = net_kw + battery.power_kw
    for vehicle in plan.vehicles:
        net_kw = net_kw + vehicle.power_kw
    # Never both at once: import and export are the two sides of the net power.
    why = "load − solar used + batteries' power, import and export never both"
    findings.equal_series("import_kw", plan.import_kw, np.maximum(net_kw, 0.0), why)
    findings.equal_series("export_kw", plan.export_kw, np.maximum(-net_kw, 0.0), why)
    if not site.batteries_may_export:
        surplus_kw = np.maximum(site.solar_kw - site.load_kw, 0.0)
        wrong = plan.export_kw > surplus_kw + findings.tolerance
        rule = "must be at most solar_kw − load_kw: batteries may not export"
        findings.none_of("export_kw", wrong, plan.export_kw, rule)


def _check_solar(problem: Problem, plan: Plan, findings: Findings) -> None:
    site, used_kw = problem.site, plan.solar_used_kw
    if not site.solar_curtailable:
        why = "all that the sun offers: it cannot be curtailed"
        findings.equal_series("solar_used_kw", used_kw, site.solar_kw, why)
        return
    outside = (used_kw < -findings.tolerance) | (used_kw > site.solar_kw + findings.tolerance)
    rule = "must be from 0 to what the sun offers (solar_kw)"
    findings.none_of("solar_used_kw", outside, used_kw, rule)


def _check_away(problem: Problem, plan: Plan, findings: Findings) -> None:
    for index, (vehicle, planned) in enumerate(zip(problem.vehicles, plan.vehicles, strict=True)):
        away = np.ones(problem.step_count, dtype=bool)
        for stay in vehicle.stays:
            away[stay.from_step : stay.to_step] = False
        wrong = away & (np.abs(planned.power_kw) > findings.tolerance)
        findings.none_of(
            f"vehicles[{index}].power_kw", wrong, planned.power_kw, "must be 0 outside stays"
        )
