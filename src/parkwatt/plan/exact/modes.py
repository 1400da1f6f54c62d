"""Binary columns, only for what is not convex.

*On.* With a minimum power, ``a[t] = 1`` where the battery charges, in [min, max], and discharge is 0 there; likewise ``b[t]``
where it discharges; with both, ``a + b ≤ 1``. With neither, ``a[t]`` stands only in steps in which charging and discharging
at once could pay (burning energy at a negative price).

*Direction.* ``z[t] = 1``: the connection may import, else export. Needed only where export pays more than import costs.

*Phase.* A stay that starts below the floor may discharge only from the instant on at which the floor is reached, and
one that starts above the maximum may charge only from the instant on at which it is within. ``f[t]`` is 0
before and 1 from then on.

A power is held by its binary through the most that is possible in that very step (`StorageStay.charge_kw_most` and its like):
the smaller that number, the closer the relaxation is to the truth, and the fewer nodes the solver needs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.problem import Problem
from parkwatt.domain.record import FloatArray
from parkwatt.plan.exact.builder import Builder, IndexArray, Places
from parkwatt.plan.exact.connection import Connection
from parkwatt.plan.exact.storage import StayColumns, StorageStay

BoolArray = NDArray[np.bool_]


def steps_where_burning_may_pay(problem: Problem) -> BoolArray:
    """[T] steps in which losing energy by charging and discharging at once could lower the cost or an excess.

    Netting the two lowers the power drawn and keeps the battery's energy. That never hurts where more power has a price and
    surplus can be left unused: import and export price ≥ 0, and surplus sun curtailable or without an export limit.
    """
    site = problem.site
    burning = (site.import_price_per_kwh < 0) | (site.export_price_per_kwh < 0)
    if site.export_limit_kw is not None and not site.solar_curtailable:
        burning |= site.solar_kw > site.load_kw
    return burning


def steps_where_export_is_dearer(problem: Problem, connection: Connection) -> BoolArray:
    """[T] steps in which buying and selling at once would pay and both are possible."""
    site = problem.site
    dearer = site.export_price_per_kwh > site.import_price_per_kwh
    return dearer & (connection.import_kw_most > 0) & (connection.export_kw_most > 0)


def add_direction(builder: Builder, connection: Connection, steps: BoolArray) -> slice:
    """Never import and export at once in ``steps``: import ≤ most·z, export ≤ most·(1 − z). The columns z."""
    at = _numbers(steps)
    count = len(at)
    importing = builder.columns(count, upper=1.0, integer=True)
    import_kw, export_kw = connection.import_kw_most[at], connection.export_kw_most[at]
    import_rows = builder.rows(count, upper=0.0)
    builder.entries(import_rows, importing, -import_kw)
    export_rows = builder.rows(count, upper=export_kw)
    builder.entries(export_rows, importing, export_kw)
    for rows, flows in (
        (import_rows, (connection.imported, connection.import_over)),
        (export_rows, (connection.exported, connection.export_over)),
    ):
        for flow in flows:
            if flow is not None:
                builder.entries(rows, _numbers(steps, flow), 1.0)
    return importing


def add_on(builder: Builder, item: StorageStay, columns: StayColumns, exclusive: BoolArray) -> None:
    """Minimum powers, and no charging and discharging at once where ``exclusive`` (steps of the whole horizon)."""
    storage = item.storage
    charge = (columns.charge, item.charge_kw_most)
    minimum_charge = storage.charge_kw_min > 0 and storage.charge_kw_max > 0
    charging = _semicontinuous(builder, *charge, storage.charge_kw_min) if minimum_charge else None
    if columns.discharge is None:
        return
    discharge = (columns.discharge, item.discharge_kw_most)
    if storage.discharge_kw_min > 0:
        discharging = _semicontinuous(builder, *discharge, storage.discharge_kw_min)
        if charging is None:
            _off_where(builder, *charge, discharging)
        else:
            one_of_both = builder.rows(item.step_count, upper=1.0)
            builder.entries(one_of_both, charging, 1.0)
            builder.entries(one_of_both, discharging, 1.0)
    elif charging is not None:
        _off_where(builder, *discharge, charging)
    else:
        apart = exclusive[item.steps]
        on = builder.columns(int(apart.sum()), upper=1.0, integer=True)
        most_kw = item.charge_kw_most[apart]
        _at_most(builder, _numbers(apart, columns.charge), on, most_kw)
        most_kw = item.discharge_kw_most[apart]
        _off_where(builder, _numbers(apart, columns.discharge), most_kw, on)


def add_phase(builder: Builder, item: StorageStay, columns: StayColumns) -> None:
    """Nothing in the wrong direction before the stay is between floor and maximum; only where both directions exist."""
    if columns.discharge is None or not (item.starts_below or item.starts_above):
        return
    storage, count = item.storage, item.step_count
    arrival = item.stay.energy_kwh_at_arrival
    within = builder.columns(count, upper=1.0, integer=True)
    monotone = builder.rows(count - 1, lower=0.0)
    builder.entries(monotone, slice(within.start + 1, within.stop), 1.0)
    builder.entries(monotone, slice(within.start, within.stop - 1), -1.0)
    # ``within[t]`` speaks of the instant t + 1: it allows the wrong direction from the next step on.
    rows = builder.rows(
        count,
        lower=arrival if item.starts_below else -np.inf,
        upper=arrival if item.starts_above else np.inf,
    )
    builder.entries(rows, columns.energy, 1.0)
    if item.starts_below:
        builder.entries(rows, within, arrival - storage.energy_kwh_min)
        wrong, most_kw = columns.discharge, item.discharge_kw_most
    else:
        builder.entries(rows, within, arrival - storage.energy_kwh_max)
        wrong, most_kw = columns.charge, item.charge_kw_most
    _at_most(
        builder,
        slice(wrong.start + 1, wrong.stop),
        slice(within.start, within.stop - 1),
        most_kw[1:],
    )


def _semicontinuous(builder: Builder, power: slice, most_kw: FloatArray, least_kw: float) -> slice:
    """Columns that are 1 where the power is in [least, most], and 0 where it is 0."""
    count = len(most_kw)
    on = builder.columns(count, upper=1.0, integer=True)
    _at_most(builder, power, on, most_kw)
    at_least = builder.rows(count, lower=0.0)
    builder.entries(at_least, power, 1.0)
    builder.entries(at_least, on, -least_kw)
    return on


def _at_most(builder: Builder, power: Places, on: slice, most_kw: FloatArray) -> None:
    """power ≤ most·on."""
    rows = builder.rows(len(most_kw), upper=0.0)
    builder.entries(rows, power, 1.0)
    builder.entries(rows, on, -most_kw)


def _off_where(builder: Builder, power: Places, most_kw: FloatArray, on: slice) -> None:
    """power ≤ most·(1 − on)."""
    rows = builder.rows(len(most_kw), upper=most_kw)
    builder.entries(rows, power, 1.0)
    builder.entries(rows, on, most_kw)


def _numbers(steps: BoolArray, block: slice = slice(0, None)) -> IndexArray:
    """The numbers of the columns of a block, one a step, in the marked steps."""
    return np.flatnonzero(steps).astype(np.int32) + np.int32(block.start)
