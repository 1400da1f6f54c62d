"""From a fleet's rows to its plan, some rows at a time, so that progress can be told and memory stays bounded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from parkwatt.app.fleet.progress import FleetProgress
from parkwatt.domain.errors import InputFault
from parkwatt.domain.record import FloatArray
from parkwatt.io.fleet_files.columns import FleetRows
from parkwatt.io.fleet_files.prices import FleetPrices
from parkwatt.plan.batch import KERNEL_NAMES, BatchPrices, CarStays, faults_of, plan_batch

# So many powers at a time are some tenths of a second of work, and 50 MB.
_CHUNK_CELLS: Final = 12_582_912
_CHUNK_ROWS_MIN: Final = 8192


@dataclass(frozen=True, slots=True, eq=False)
class FleetPlan:
    """The plan of N stays. ``power_kw``: [N, T], None where it was not asked for; ``kernel``: [N] place in `KERNEL_NAMES`.

    ``charged_kwh``, ``discharged_kwh``: of all stays together, at the chargers.
    """

    rows: FleetRows
    cost: FloatArray
    energy_kwh_end: FloatArray
    shortfall_kwh: FloatArray
    kernel: NDArray[np.int8]
    power_kw: NDArray[np.float32] | None
    charged_kwh: float
    discharged_kwh: float

    def columns(self) -> dict[str, NDArray[Any]]:
        """What the plan's file holds of each stay, but for its powers."""
        return {
            "car_id": self.rows.car_id,
            "row": self.rows.place,
            "cost": self.cost,
            "energy_kwh_end": self.energy_kwh_end,
            "shortfall_kwh": self.shortfall_kwh,
            "kernel": np.array(KERNEL_NAMES, dtype=object)[self.kernel],
        }


def row_faults(
    rows: FleetRows, known: FleetPrices
) -> tuple[list[tuple[int, InputFault]], FleetRows]:
    """What the planner finds wrong, by the row in the file; and the rows that are right."""
    wrong = faults_of(cars_of(rows), batch_prices(known))
    if not wrong:
        return [], rows
    right = np.ones(len(rows.place), dtype=np.bool_)
    right[[index for index, _ in wrong]] = False
    told = [
        (int(rows.place[i]), InputFault(fault.field.split("[")[0], fault.rule, fault.value))
        for i, fault in wrong
    ]
    return told, rows.take(right)


def plan_rows(
    rows: FleetRows,
    known: FleetPrices,
    threads: int,
    *,
    keeps_powers: bool,
    progress: FleetProgress,
) -> FleetPlan:
    """Plan rows in which nothing is wrong."""
    count, prices = len(rows.place), batch_prices(known)
    cars = cars_of(rows)
    cost, energy_kwh_end, shortfall_kwh = np.empty(count), np.empty(count), np.empty(count)
    kernel = np.empty(count, dtype=np.int8)
    power_kw = np.empty((count, prices.step_count), np.float32) if keeps_powers else None
    charged_kwh = discharged_kwh = 0.0
    progress.begin("Planning", count)
    chunk = max(_CHUNK_CELLS // prices.step_count, _CHUNK_ROWS_MIN)
    for start in range(0, count, chunk):
        part = slice(start, start + chunk)
        planned = plan_batch(cars.take(part), prices, threads=threads)
        cost[part], energy_kwh_end[part] = planned.cost, planned.energy_kwh_end
        shortfall_kwh[part], kernel[part] = planned.shortfall_kwh, planned.kernel
        powers = planned.power_kw
        if powers is None:  # cannot be: they were asked for
            raise AssertionError("plan_batch gave no powers")
        net_kwh = float((powers.sum(axis=0, dtype=np.float64) * prices.duration_h).sum())
        taken_kw = np.maximum(powers, 0.0).sum(axis=0, dtype=np.float64)
        taken_kwh = float((taken_kw * prices.duration_h).sum())
        charged_kwh += taken_kwh
        discharged_kwh += taken_kwh - net_kwh
        if power_kw is not None:
            power_kw[part] = powers
        progress.advance(len(planned.cost))
    return FleetPlan(
        rows,
        cost,
        energy_kwh_end,
        shortfall_kwh,
        kernel,
        power_kw,
        charged_kwh,
        discharged_kwh,
    )


def batch_prices(known: FleetPrices) -> BatchPrices:
    """The prices as the planner takes them."""
    durations_h = np.full(known.grid.step_count, known.grid.step_h)
    return BatchPrices(known.import_price_per_kwh, known.export_price_per_kwh, durations_h)


def cars_of(rows: FleetRows) -> CarStays:
    """The stays as the planner takes them."""
    return CarStays(
        from_step=rows.from_step,
        to_step=rows.to_step,
        price_row=rows.price_row,
        **rows.numbers,
    )
