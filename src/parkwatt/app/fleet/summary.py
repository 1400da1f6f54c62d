"""What a fleet's plan comes to, in words."""

from __future__ import annotations

import numpy as np

from parkwatt.app.fleet.planning import FleetPlan
from parkwatt.app.report.number_text import number_text
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import utc
from parkwatt.io.fleet_files.prices import FleetPrices
from parkwatt.plan.batch import KERNEL_NAMES


def summary(planned: FleetPlan, known: FleetPrices, elapsed_s: float) -> str:
    """A few lines: what was planned, what it costs, what is missing, how it was solved."""
    grid = known.grid
    stays, cars = len(planned.cost), len(set(planned.rows.car_id.tolist()))
    begins, ends = utc(grid.start_unix_s), utc(grid.end_unix_s)
    span = f"{begins:%Y-%m-%d %H:%M} to {ends:%Y-%m-%d %H:%M} UTC"
    charged, given_back = (
        number_text(energy, 1) for energy in (planned.charged_kwh, planned.discharged_kwh)
    )
    lines = [
        f"planned {counted(stays, 'stay')} of {counted(cars, 'car')} in {elapsed_s:.1f} s",
        f"span: {grid.step_count} steps of {grid.step_s / 60:g} minutes, {span}",
        f"cost: {number_text(float(planned.cost.sum()), 2)}, in the currency of the prices",
        f"energy: {charged} kWh charged, {given_back} kWh given back",
        missing_words(planned.shortfall_kwh),
        f"solved by: {_kernels(planned)}",
    ]
    return "\n".join(lines)


def missing_words(shortfall_kwh: FloatArray) -> str:
    """How many stays lack what was asked, and how much of it."""
    short = int((shortfall_kwh > 0).sum())
    if not short:
        return "departures: each car has what was asked"
    missing = number_text(float(shortfall_kwh.sum()), 1)
    return f"departures: {counted(short, 'stay')} cannot have what was asked; {missing} kWh are missing in all"


def _kernels(planned: FleetPlan) -> str:
    counts = np.bincount(planned.kernel, minlength=len(KERNEL_NAMES)).tolist()
    named = zip(KERNEL_NAMES, counts, strict=True)
    return ", ".join(f"{name} {counted(count, 'stay')}" for name, count in named if count)


def counted(count: int, word: str) -> str:
    """The count with its word, in the plural where that is due."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"
