"""Naming what could not be met. What a violation's step and amount mean is fixed in docs/reference/contract.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from parkwatt.domain.plan import Violation
from parkwatt.domain.problem import Problem
from parkwatt.domain.record import FloatArray
from parkwatt.plan.exact.flows import Flows
from parkwatt.plan.exact.storage import StorageStay

# kW and kWh: the contract's least amount that is worth a word. Rounding and the solver's tolerance stay below it.
NAMED_FROM = 1e-5


def shortfall_kwh(item: StorageStay, energy_kwh: FloatArray) -> float:
    """kWh missing at departure; the mean over the instants at which the driver may leave. ``energy_kwh``: [n+1]."""
    asked = item.stay.energy_kwh_at_departure
    if asked is None:
        return 0.0
    missing = np.maximum(asked - energy_kwh[item.ready_offset :], 0.0)
    missing[missing <= NAMED_FROM] = 0.0
    return float(missing.mean())


def violations_of(problem: Problem, items: list[StorageStay], flows: Flows) -> Iterator[Violation]:
    """Each wish that the flows do not meet: limits, then floors, then departures."""
    site = problem.site
    yield from _over_limit("import_limit", flows.import_kw, site.import_limit_kw)
    yield from _over_limit("export_limit", flows.export_kw, site.export_limit_kw)
    for item, energy_kwh in zip(items, flows.energy_kwh, strict=True):
        below_kwh = item.storage.energy_kwh_min - energy_kwh[1:]
        if item.starts_below and below_kwh.max() > NAMED_FROM:
            yield _below_floor(item, below_kwh)
    for item, energy_kwh in zip(items, flows.energy_kwh, strict=True):
        missing_kwh = shortfall_kwh(item, energy_kwh)
        if missing_kwh > NAMED_FROM:
            yield _short_at_departure(item, missing_kwh)


def _over_limit(
    kind: Literal["import_limit", "export_limit"], flow_kw: FloatArray, limit_kw: float | None
) -> Iterator[Violation]:
    if limit_kw is None:
        return
    over = flow_kw > limit_kw + NAMED_FROM
    edges = np.flatnonzero(np.diff(np.concatenate(([False], over, [False])).astype(np.int8)))
    word = "import" if kind == "import_limit" else "export"
    for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        amount = float(flow_kw[first:end].max() - limit_kw)
        message = (
            f"{word} goes {amount:.2f} kW over the limit of {limit_kw:g} kW: what cannot be shifted needs more "
            "than the connection has"
        )
        yield Violation(kind, None, first, amount, "kW", message)


def _below_floor(item: StorageStay, below_kwh: FloatArray) -> Violation:
    # Energy only rises until the floor is reached, so the worst instant after arrival is the first.
    amount = float(below_kwh.max())
    still = np.flatnonzero(below_kwh > NAMED_FROM)
    step = item.stay.from_step + min(int(still[-1]) + 2, item.step_count)
    kept = int(still[-1]) + 1 < item.step_count
    floor = item.storage.energy_kwh_min
    message = (
        f"{item.storage.id} is up to {amount:.1f} kWh below its floor of {floor:.1f} kWh after "
        + (
            "plugging in; it charges first until the floor is reached"
            if kept
            else "plugging in, to the end of the stay"
        )
    )
    return Violation("floor", item.storage.id, step, amount, "kWh", message)


def _short_at_departure(item: StorageStay, missing_kwh: float) -> Violation:
    asked = item.stay.energy_kwh_at_departure or 0.0
    most = float(item.best_kwh[-1])
    if most < asked:
        why = f"even charging at full power all the time reaches {most:.1f} kWh"
    else:
        why = "limits and floors come first and leave no room for more"
    message = (
        f"{item.storage.id} leaves with {asked - missing_kwh:.1f} kWh instead of {asked:.1f} kWh, "
        f"{missing_kwh:.1f} kWh short: {why}"
    )
    return Violation("departure", item.storage.id, item.stay.to_step, missing_kwh, "kWh", message)
