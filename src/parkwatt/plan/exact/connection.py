"""The grid connection: import, export, solar, limits, and the demand charge.

Columns for each step t (kW): import i, export x, solar used s (where it may be curtailed), and, in the soft
form, import and export
over the limit, i° and x°. One balance row for each step:

    i + i° − x − x° + s − Σ charge + Σ discharge = load

The prices apply to i + i° and x + x°. With a demand charge a column `peak ≥ peak so far` is at least each i + i°.
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
    imported, import_over = _with_limit(
        builder, import_kw_most, site.import_limit_kw, buy, soft=soft
    )
    exported, export_over = _with_limit(
        builder, export_kw_most, site.export_limit_kw, -sell, soft=soft
    )
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
    builder: Builder, kw_most: FloatArray, limit_kw: float | None, cost: FloatArray, *, soft: bool
) -> tuple[slice, slice | None]:
    """A flow's columns up to its limit, and those over the limit where the form is soft and the limit can bind."""
    if limit_kw is None or not (kw_most > limit_kw).any():
        return builder.columns(len(kw_most), upper=kw_most, cost=cost), None
    within = builder.columns(len(kw_most), upper=np.minimum(kw_most, limit_kw), cost=cost)
    if not soft:
        return within, None
    over = builder.columns(len(kw_most), upper=np.maximum(kw_most - limit_kw, 0.0), cost=cost)
    return within, over


def _add_peak(
    builder: Builder, problem: Problem, imported: slice, import_over: slice | None
) -> None:
    site = problem.site
    peak = builder.columns(1, lower=site.peak_so_far_kw, cost=site.demand_charge_per_kw)
    under = builder.rows(problem.step_count, upper=0.0)
    builder.entries(under, imported, 1.0)
    if import_over is not None:
        builder.entries(under, import_over, 1.0)
    builder.entries(under, peak, -1.0)
