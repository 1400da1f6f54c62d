"""Whether each reason belongs to a run of the plan and tells its power.

A run is the longest unbroken span of steps, within one stay or horizon, in which a battery charges,
or discharges, or rests.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from parkwatt.domain.errors import Description
from parkwatt.domain.plan import Plan
from parkwatt.domain.record import FloatArray
from parkwatt.plan.check.report import Findings
from parkwatt.plan.check.spans import Span

_Run = tuple[str, int, int]


def check_reasons(
    plan: Plan, spans: Sequence[Span], duration_h: FloatArray, findings: Findings
) -> None:
    """Note each reason that belongs to no run, belongs to one that has a reason, or misstates
    it."""
    mean_power_kw = {
        run: power_kw
        for span in spans
        for run, power_kw in _runs(span, duration_h, findings.tolerance)
    }
    for index, reason in enumerate(plan.reasons):
        path = f"reasons[{index}]"
        expected_kw = mean_power_kw.pop((reason.id, reason.from_step, reason.to_step), None)
        if expected_kw is None:
            told = Description(f"{reason.id} in steps {reason.from_step} to {reason.to_step}")
            findings.add(path, "must belong to a run of its battery, one to each", told)
        else:
            findings.equal(f"{path}.power_kw", reason.power_kw, expected_kw)


def _runs(span: Span, duration_h: FloatArray, tolerance: float) -> Iterator[tuple[_Run, float]]:
    """Each run of the span, and its mean power in kW."""
    doing = np.sign(span.power_kw) * (np.abs(span.power_kw) > tolerance)
    changes = np.flatnonzero(doing[1:] != doing[:-1]) + 1
    edges = [0, *changes.tolist(), len(doing)]
    for first, end in pairwise(edges):
        weights = duration_h[span.from_step + first : span.from_step + end]
        mean_kw = float(np.average(span.power_kw[first:end], weights=weights))
        yield (span.storage.id, span.from_step + first, span.from_step + end), mean_kw
