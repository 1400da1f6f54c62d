"""Runs: the unbroken spans in which a battery charges, discharges or rests, with their means and extremes.

The price of a kWh charged is what the connection pays for it: the import price, or, where the sun covers it, the export price
that is given up; in a rest it is what a kWh would have cost. A kWh discharged brings the import price that it saves, or the
export price. Means and extremes are taken for
all runs of a stay at once: a plan is explained at each replan.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.problem import Problem
from parkwatt.domain.record import FloatArray
from parkwatt.plan.exact.flows import TOLERANCE, Flows
from parkwatt.plan.exact.storage import StorageStay


class Run(NamedTuple):
    """Steps [first, end) of a stay with one direction (+1 charge, 0 rest, −1 discharge), and its means and extremes.

    Prices in currency per kWh, weighted by energy (by time in a rest), powers by time. ``charge_price_per_kwh_elsewhere``:
    the mean over the rest of the stay, None where the run is all of it. ``stored_value_per_kwh``: None where unknown.
    ``from_sun``: charged without import while the sun shone. ``sells``: something was exported.
    """

    first: int
    end: int
    direction: int
    power_kw: float
    energy_kwh_before: float
    energy_kwh_after: float
    charge_price_per_kwh: float
    charge_price_per_kwh_at_first: float
    charge_price_per_kwh_elsewhere: float | None
    discharge_price_per_kwh: float
    export_price_per_kwh_best: float
    stored_value_per_kwh: float | None
    import_kw_highest: float
    from_sun: bool
    sells: bool


def runs_of(
    problem: Problem,
    item: StorageStay,
    flows: Flows,
    index: int,
    stored_value_per_kwh: FloatArray | None,
) -> list[Run]:
    """All runs of stay ``index`` of the flows, in the order of time.

    ``stored_value_per_kwh``: [n] what one more kWh in the battery is worth, None where unknown.
    """
    power_kw = flows.power_kw[index]
    direction = np.where(power_kw > TOLERANCE, 1, np.where(power_kw < -TOLERANCE, -1, 0))
    firsts = np.concatenate(([0], np.flatnonzero(np.diff(direction)) + 1))
    series = _series(problem, item, flows, power_kw, stored_value_per_kwh)
    return list(
        _runs(direction, firsts, flows.energy_kwh[index], series, stored_value_per_kwh is not None)
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Series:
    """[n] each: what a stay's runs are summed up from."""

    weight_kwh: FloatArray
    duration_h: FloatArray
    power_kw: FloatArray
    charge_price_per_kwh: FloatArray
    discharge_price_per_kwh: FloatArray
    stored_value_per_kwh: FloatArray
    export_price_per_kwh: FloatArray
    import_kw: FloatArray
    export_kw: FloatArray
    solar_used_kw: FloatArray


def _series(
    problem: Problem,
    item: StorageStay,
    flows: Flows,
    power_kw: FloatArray,
    stored_value_per_kwh: FloatArray | None,
) -> _Series:
    site, steps = problem.site, item.steps
    import_kw, export_kw = flows.import_kw[steps], flows.export_kw[steps]
    buy, sell = site.import_price_per_kwh[steps], site.export_price_per_kwh[steps]
    duration_h = problem.duration_h[steps]
    solar_used_kw = flows.solar_used_kw[steps]
    moved_kw = np.abs(power_kw)
    sun_to_spare = (export_kw > TOLERANCE) | (solar_used_kw < site.solar_kw[steps] - TOLERANCE)
    from_sun = (import_kw <= TOLERANCE) & ((power_kw > TOLERANCE) | sun_to_spare)
    return _Series(
        weight_kwh=np.where(moved_kw > TOLERANCE, moved_kw, 1.0) * duration_h,
        duration_h=duration_h,
        power_kw=power_kw,
        charge_price_per_kwh=np.where(from_sun, sell, buy),
        discharge_price_per_kwh=np.where(export_kw > TOLERANCE, sell, buy),
        stored_value_per_kwh=buy if stored_value_per_kwh is None else stored_value_per_kwh,
        export_price_per_kwh=sell,
        import_kw=import_kw,
        export_kw=export_kw,
        solar_used_kw=solar_used_kw,
    )


def _runs(
    direction: NDArray[np.int64],
    firsts: NDArray[np.int64],
    energy_kwh: FloatArray,
    series: _Series,
    value_known: bool,
) -> Iterator[Run]:
    weight = series.weight_kwh
    sums = np.add.reduceat(
        np.stack(
            (
                weight,
                weight * series.charge_price_per_kwh,
                weight * series.discharge_price_per_kwh,
                weight * series.stored_value_per_kwh,
                series.duration_h,
                series.duration_h * series.power_kw,
                series.duration_h * series.charge_price_per_kwh,
            )
        ),
        firsts,
        axis=1,
    )
    highest = np.maximum.reduceat(
        np.stack(
            (series.export_price_per_kwh, series.import_kw, series.export_kw, series.solar_used_kw)
        ),
        firsts,
        axis=1,
    ).T.tolist()
    ends = np.append(firsts[1:], len(direction))
    others = len(direction) - (ends - firsts)
    powers_kw = (sums[5] / sums[4]).tolist()
    means = (sums[1:4] / sums[0]).T.tolist()
    other_h = np.where(others > 0, sums[4].sum() - sums[4], 1.0)
    elsewhere = ((sums[6].sum() - sums[6]) / other_h).tolist()
    for position, (first, end) in enumerate(zip(firsts.tolist(), ends.tolist(), strict=True)):
        charged_at, discharged_at, stored_value = means[position]
        sell_best, import_highest, export_highest, solar_highest = highest[position]
        yield Run(
            first=first,
            end=end,
            direction=int(direction[first]),
            power_kw=powers_kw[position],
            energy_kwh_before=float(energy_kwh[first]),
            energy_kwh_after=float(energy_kwh[end]),
            charge_price_per_kwh=charged_at,
            charge_price_per_kwh_at_first=float(series.charge_price_per_kwh[first]),
            charge_price_per_kwh_elsewhere=elsewhere[position] if others[position] else None,
            discharge_price_per_kwh=discharged_at,
            export_price_per_kwh_best=sell_best,
            stored_value_per_kwh=stored_value if value_known else None,
            import_kw_highest=import_highest,
            from_sun=solar_highest > TOLERANCE and import_highest <= TOLERANCE,
            sells=export_highest > TOLERANCE,
        )
