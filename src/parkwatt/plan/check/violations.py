"""Which wishes a plan misses, where and by how much; and whether it says so itself.

What is named, and how, is fixed in docs/reference/contract.md ("What is named").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from parkwatt.domain.errors import Description
from parkwatt.domain.plan import Plan, Violation, ViolationKind
from parkwatt.domain.problem import Problem
from parkwatt.domain.record import FloatArray
from parkwatt.plan.check.battery import missing_at_departure_kwh
from parkwatt.plan.check.report import Findings
from parkwatt.plan.check.spans import Span

_UNITS = {"departure": "kWh", "floor": "kWh", "import_limit": "kW", "export_limit": "kW"}


@dataclass(frozen=True, slots=True)
class Miss:
    """A missed wish as the checker sees it; the fields are those of `Violation`."""

    kind: ViolationKind
    id: str | None
    step: int
    amount: float


def expected_violations(
    problem: Problem, plan: Plan, spans: Sequence[Span], missed_from: float
) -> list[Miss]:
    """Every wish that the plan's powers and energies miss by more than ``missed_from`` (kW, kWh)."""
    site = problem.site
    misses = [
        *_limit_misses("import_limit", plan.import_kw, site.import_limit_kw, missed_from),
        *_limit_misses("export_limit", plan.export_kw, site.export_limit_kw, missed_from),
    ]
    for span in spans:
        misses += _floor_misses(span, missed_from)
        missing_kwh = missing_at_departure_kwh(span, missed_from)
        if missing_kwh > missed_from:
            misses.append(Miss("departure", span.storage.id, span.to_step, missing_kwh))
    return misses


def check_violations(
    problem: Problem, plan: Plan, spans: Sequence[Span], findings: Findings
) -> None:
    """Note each miss that is not named, each named one that is none, wrong amounts and status."""
    expected = {
        (miss.kind, miss.id, miss.step): miss
        for miss in expected_violations(problem, plan, spans, findings.missed_from)
    }
    for index, violation in enumerate(plan.violations):
        path = f"violations[{index}]"
        miss = expected.pop((violation.kind, violation.id, violation.step), None)
        if miss is None:
            findings.add(path, "must name a wish that is missed, once", _told(violation))
            continue
        findings.equal(f"{path}.amount", violation.amount, miss.amount)
        unit = _UNITS[violation.kind]
        if violation.unit != unit:
            findings.add(f"{path}.unit", f"must be {unit}", violation.unit)
    for miss in expected.values():
        rule = f"must name this missed wish ({miss.amount:.9g} {_UNITS[miss.kind]})"
        findings.add("violations", rule, _told(miss))
    right_status = "best_effort" if plan.violations else "optimal"
    if plan.status != right_status:
        rule = f"must be {right_status}, with {len(plan.violations)} violations named"
        findings.add("status", rule, plan.status)


def _told(miss: Miss | Violation) -> Description:
    return Description(f"{miss.kind} of {miss.id or 'the site'} at step {miss.step}")


def _limit_misses(
    kind: ViolationKind, power_kw: FloatArray, limit_kw: float | None, missed_from: float
) -> Iterator[Miss]:
    if limit_kw is None:
        return
    excess_kw = power_kw - limit_kw
    over = np.concatenate(([False], excess_kw > missed_from, [False]))
    edges = np.flatnonzero(over[1:] != over[:-1])
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        yield Miss(kind, None, int(first), float(np.max(excess_kw[first:end])))


def _floor_misses(span: Span, missed_from: float) -> Iterator[Miss]:
    below_kwh = span.storage.energy_kwh_min - span.energy_kwh[1:]
    below = np.flatnonzero(below_kwh > missed_from)
    if below.size:
        # below[i] belongs to instant i + 1 of the span; the one after it keeps the floor again.
        kept_again = min(span.from_step + int(below[-1]) + 2, span.to_step)
        yield Miss("floor", span.storage.id, kept_again, float(np.max(below_kwh)))
