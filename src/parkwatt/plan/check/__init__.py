"""The independent judge of plans: recomputes everything from the problem alone.

Shares no code with the planner, on purpose: where both agree, two independent readings of the
contract (docs/reference/contract.md) agree. The plan's powers are taken as the decision; every
other number in the plan must follow from them and the problem:

1. form: lengths, ids and finite numbers (a plan that fails here is judged no further);
2. the site: the balance of each step, curtailment, never import and export at once;
3. batteries: power bounds, minimum powers, the energy that follows from the powers, its bounds;
4. money: each part of the cost;
5. wishes: which were missed, where and by how much, against what the plan names; its status;
6. reasons: each belongs to a run of the plan and tells its power.

Whether a cheaper plan exists is not judged. Powers and energies hold within the tolerance (kW, kWh);
money within the tolerance times its amount or the dearest price, where one of them is above 1.
"""

from parkwatt.domain.plan import Plan
from parkwatt.domain.problem import Problem
from parkwatt.plan.check.battery import check_battery
from parkwatt.plan.check.form import check_form
from parkwatt.plan.check.money import check_cost, cost_parts
from parkwatt.plan.check.reasons import check_reasons
from parkwatt.plan.check.report import TOLERANCE, CheckReport, Findings
from parkwatt.plan.check.site import check_site
from parkwatt.plan.check.spans import spans_of
from parkwatt.plan.check.violations import check_violations

__all__ = ["TOLERANCE", "CheckReport", "check"]


def check(
    problem: Problem,
    plan: Plan,
    *,
    stated_cost: float | None = None,
    tolerance: float = TOLERANCE,
) -> CheckReport:
    """Judge ``plan`` as an answer to ``problem``.

    ``stated_cost``: the cost written beside the parts in a plan's JSON, where there is one (a
    `Plan` adds it up itself). ``tolerance``: in kW and kWh, and in currency (relative above 1).
    Returns a report with every fault found; raises nothing for a bad plan.
    """
    findings = Findings(tolerance)
    check_form(problem, plan, findings)
    if findings.found:
        return CheckReport(tuple(findings.found), None)
    spans = spans_of(problem, plan)
    check_site(problem, plan, findings)
    for span in spans:
        check_battery(span, problem.duration_h, findings)
    parts = cost_parts(problem, plan, spans)
    check_cost(problem, plan, parts, stated_cost, findings)
    check_violations(problem, plan, spans, findings)
    check_reasons(plan, spans, problem.duration_h, findings)
    return CheckReport(tuple(findings.found), parts)
