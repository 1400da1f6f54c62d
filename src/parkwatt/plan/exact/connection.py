"""The grid connection: import, export, solar, limits, and the demand charge.

Columns for each step t (kW): import i, export x, solar used s (where it may be curtailed), and, in the soft form, import and
export over the limit, i° and x°. One balance row for each step:

    i + i° − x − x° + s − Σ charge + Σ discharge = load

The prices apply to i + i° and x + x°. With a demand charge a column `above ≥ 0` is what the highest
i + i° is above the peak so far.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from parkwatt.domain.problem import Problem
from parkwatt.domain.record import FloatArray
from parkwatt.plan.exact.builder import Builder


@dataclass(frozen=True, slots=True, eq=False)
class Connection:
    """Where the connection's columns and rows are. ``import_over``, ``export_over``: None where no limit can be exceeded."""

    imported: slice
    exported: slice
    import_over: slice | None
    export_over: slice | None
    solar_used: slice | None
    balance: slice
    import_kw_most: FloatArray
    export_kw_most: FloatArray


def add_connection(
    builder: Builder,
    problem: Problem,
    charge_kw_most: FloatArray,
    discharge_kw_most: FloatArray,
    *,
    soft: bool,
) -> Connection:
    """Add the connection's blocks.

    ``charge_kw_most``, ``discharge_kw_most``: [T], what all batteries together could take or give. They bound import and
    export from above, which keeps the program bounded even where export pays more than import.
    """
    site = problem.site
    step_count = problem.step_count
    duration_h = problem.duration_h
    buy = site.import_price_per_kwh * duration_h
    sell = site.export_price_per_kwh * duration_h
    import_kw_most = np.maximum(
        site.load_kw - (0.0 if site.solar_curtailable else site.solar_kw), 0.0
    )
    import_kw_most = import_kw_most + charge_kw_most
    export_kw_most = surplus_kw(problem)
    if site.batteries_may_export:
        export_kw_most = export_kw_most + discharge_kw_most
    if not soft:
        import_kw_most = np.minimum(import_kw_most, _limit(site.import_limit_kw))
        export_kw_most = np.minimum(export_kw_most, _limit(site.export_limit_kw))
    imported, import_over = _with_limit(builder, import_kw_most, site.import_limit_kw, buy)
    exported, export_over = _with_limit(builder, export_kw_most, site.export_limit_kw, -sell)
    solar_used = None
    needed = site.load_kw
    if site.solar_curtailable and site.solar_kw.any():
        solar_used = builder.columns(step_count, upper=site.solar_kw)
    elif not site.solar_curtailable:
        needed = site.load_kw - site.solar_kw
    balance = builder.rows(step_count, lower=needed, upper=needed)
    builder.entries(balance, imported, 1.0)
    builder.entries(balance, exported, -1.0)
    if import_over is not None:
        builder.entries(balance, import_over, 1.0)
    if export_over is not None:
        builder.entries(balance, export_over, -1.0)
    if solar_used is not None:
        builder.entries(balance, solar_used, 1.0)
    if site.demand_charge_per_kw > 0:
        _add_peak(builder, problem, imported, import_over)
    return Connection(
        imported,
        exported,
        import_over,
        export_over,
        solar_used,
        balance,
        import_kw_most,
        export_kw_most,
    )


def surplus_kw(problem: Problem) -> FloatArray:
    """[T] what the sun offers beyond the load."""
    return np.maximum(problem.site.solar_kw - problem.site.load_kw, 0.0)


def _with_limit(
    builder: Builder, kw_most: FloatArray, limit_kw: float | None, cost: FloatArray
) -> tuple[slice, slice | None]:
    """A flow's columns up to its limit, and those over the limit where it can be exceeded."""
    within_kw = np.minimum(kw_most, _limit(limit_kw))
    within = builder.columns(len(kw_most), upper=within_kw, cost=cost)
    if not (kw_most > within_kw).any():
        return within, None
    return within, builder.columns(len(kw_most), upper=kw_most - within_kw, cost=cost)


def _limit(limit_kw: float | None) -> float:
    return np.inf if limit_kw is None else limit_kw


def _add_peak(
    builder: Builder, problem: Problem, imported: slice, import_over: slice | None
) -> None:
    site = problem.site
    above = builder.columns(1, cost=site.demand_charge_per_kw)
    under = builder.rows(problem.step_count, upper=site.peak_so_far_kw)
    builder.entries(under, imported, 1.0)
    if import_over is not None:
        builder.entries(under, import_over, 1.0)
    builder.entries(under, above, -1.0)
