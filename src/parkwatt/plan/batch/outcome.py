"""From what each step adds to a battery to powers at its charger and money."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch.compiled import compiled, inlined

IntArray = NDArray[np.int64]
PowerArray = NDArray[np.float32]


class Outcome(NamedTuple):
    """Where results go. ``cost``, ``energy_kwh_end``, ``below_floor_kwh_h``: [N]. ``power_kw``: [N, T] or empty.
    ``power_kw_sum``: [G, T] of the groups that ``group`` [N] names.
    """

    cost: FloatArray
    energy_kwh_end: FloatArray
    below_floor_kwh_h: FloatArray
    power_kw: PowerArray
    group: IntArray
    power_kw_sum: FloatArray


@inlined
def money_of(
    first: Any, last: Any, gain_kwh: FloatArray, up_slope: FloatArray, keep_slope: FloatArray
) -> float:
    """Energy and wear of what each step adds to the battery."""
    money = 0.0
    for step in range(first, last):
        gained = gain_kwh[step]
        money += gained * (up_slope[step] if gained >= 0.0 else keep_slope[step])
    return money


@compiled
def below_floor_of(
    first: Any,
    last: Any,
    arrival_kwh: float,
    floor_kwh: float,
    gain_kwh: FloatArray,
    duration_h: FloatArray,
) -> float:
    """The kWh·h below the floor at the ends of steps. ``gain_kwh``: [T] what each step adds."""
    energy_kwh, below_kwh_h = arrival_kwh, 0.0
    if arrival_kwh < floor_kwh:
        for step in range(first, last):
            energy_kwh += gain_kwh[step]
            below_kwh_h += duration_h[step] * max(floor_kwh - energy_kwh, 0.0)
    return below_kwh_h


@inlined
def write_powers(
    row: Any,
    first: Any,
    last: Any,
    gain_kwh: FloatArray,
    charge_factor: float,
    discharge_factor: float,
    per_hour: FloatArray,
    power_kw: PowerArray,
    power_kw_sum: FloatArray,
) -> None:
    """Write a car's powers and add them to its group's.

    ``per_hour``: [T] 1 / duration. ``power_kw``: [N, T] or empty. ``power_kw_sum``: [T] of its group.
    """
    if len(power_kw) > 0:
        for step in range(first, last):
            gained = gain_kwh[step]
            power = gained * (charge_factor if gained >= 0.0 else discharge_factor) * per_hour[step]
            power_kw_sum[step] += power
            power_kw[row, step] = power
    else:
        for step in range(first, last):
            gained = gain_kwh[step]
            power = gained * (charge_factor if gained >= 0.0 else discharge_factor) * per_hour[step]
            power_kw_sum[step] += power
