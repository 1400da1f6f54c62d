"""What each car can and may do until the next command, and how much of a command it takes.

A set-point may hold for as long as its lease, so bounds are such that after it a driver's wishes can still be met:

    kept(t)   =  max(floor, asked − charge_kw_max · η_c · (ready_at − t))         what the battery has to hold at t
    low_kw    =  the least power after which energy ≥ kept at the end of the hold; charge_kw_max for a car that holds less
    high_kw   =  the most power after which energy ≤ full at the end of the hold

What was promised to a driver comes before what was promised to the pool.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.errors import InputError, InputFault
from parkwatt.fleet.disaggregate import PowerArray
from parkwatt.plan.batch.compiled import compiled

BoolArray = NDArray[np.bool_]
# Of what a car could give, as much is kept in a weight however much it gave before.
_LEAST_WEIGHT = 1e-3
_HOUR_S = 3600.0


class Batteries(NamedTuple):
    """N cars that are plugged in; arrays [N] in single precision.

    ``energy_kwh``: in the battery, NaN: unknown. ``floor_kwh``: below it nothing is given; ``full_kwh``: above it nothing is
    taken. ``asked_kwh``: wanted by ``ready_s`` (seconds from now; infinite where nobody told). ``charge_kw_max``: at the
    charger;
    ``discharge_kw_max`` ≥ 0: 0 where the car, the charger, the connection or the driver does not allow it. ``least_kw``: below
    it the charger rests, 0: it has no such power.
    """

    energy_kwh: PowerArray
    floor_kwh: PowerArray
    full_kwh: PowerArray
    asked_kwh: PowerArray
    ready_s: PowerArray
    charge_kw_max: PowerArray
    discharge_kw_max: PowerArray
    charge_efficiency: PowerArray
    discharge_efficiency: PowerArray
    least_kw: PowerArray


class Bounds(NamedTuple):
    """``low_kw`` ≤ ``high_kw``: [N], positive: from the grid. ``above_kwh``: [N] what is in the battery above what has to
    be.
    """

    low_kw: PowerArray
    high_kw: PowerArray
    above_kwh: PowerArray
    least_kw: PowerArray


def bounds(batteries: Batteries, *, hold_s: float, early_s: float) -> Bounds:
    """What cars can and may do for ``hold_s`` seconds, ready by ``early_s`` seconds before they leave.

    A car of unknown energy charges as it likes (0 to its most) and gives nothing. Raises InputError where arrays differ in
    shape, or ``hold_s`` is not above 0.
    """
    batteries = Batteries(*(np.require(one, np.float32, ["C", "W"]) for one in batteries))
    shape = batteries.energy_kwh.shape
    faults = [
        InputFault(name, f"must have shape {shape}", array.shape)
        for name, array in zip(batteries._fields, batteries, strict=True)
        if array.ndim != 1 or array.shape != shape
    ]
    if not hold_s > 0.0:
        faults.append(InputFault("hold_s", "must be above 0", hold_s))
    if faults:
        raise InputError(faults)
    low_kw, high_kw, above_kwh = (np.empty(shape, np.float32) for _ in range(3))
    found = Bounds(low_kw, high_kw, above_kwh, batteries.least_kw)
    _bounds(batteries, hold_s / _HOUR_S, early_s / _HOUR_S, found)
    return found


@compiled
def _bounds(batteries: Batteries, hold_h: float, early_h: float, found: Bounds) -> None:
    energy, floor, full, asked, ready_s, charge_max, discharge_max, into, out_of, _ = batteries
    low_kw, high_kw, above_kwh, _ = found
    for one in range(len(energy)):
        most = float(charge_max[one])
        has = float(energy[one])
        if np.isnan(has):
            low_kw[one], high_kw[one], above_kwh[one] = 0.0, most, 0.0
            continue
        efficiency = float(into[one])
        left_h = max(float(ready_s[one]) / _HOUR_S - early_h - hold_h, 0.0)
        wanted = min(float(asked[one]), float(full[one]))
        # Infinite time needs no charge yet; 0 times it is no number.
        late = wanted - most * efficiency * left_h if left_h < np.inf and most > 0.0 else -np.inf
        kept = max(float(floor[one]), late)
        above = has - kept
        # Less than full power would be enough for some while, but chargers rest below 6 A.
        low = most
        if above >= 0.0:
            low = max(-float(discharge_max[one]), -above * float(out_of[one]) / hold_h)
        room = max(float(full[one]) - has, 0.0) / (efficiency * hold_h)
        high = min(most, room)
        low_kw[one], high_kw[one], above_kwh[one] = min(low, high), high, above


def weights(
    batteries: Batteries,
    found: Bounds,
    *,
    given_kwh: PowerArray,
    wear_per_kwh: PowerArray,
    down: bool,
) -> PowerArray:
    """[N] how much more than others each car leaves its plan.

    The power it has to move by, times the share of its battery that is free in that direction; half of that for one that gave
    as much as the mean, or wears as much. So charges even out, and neither always the same cars nor the most sensitive
    ones do the work. ``down``: the pool is to draw less than planned. ``given_kwh``: [N] what each gave lately;
    ``wear_per_kwh``: [N] what a kWh costs its battery.
    """
    span_kwh = np.maximum(batteries.full_kwh - batteries.floor_kwh, 1e-3)
    room_kwh = batteries.full_kwh - batteries.energy_kwh
    free = np.clip((found.above_kwh if down else room_kwh) / span_kwh, 0.0, 1.0)
    spared = 1.0 + _by_mean(given_kwh) + (_by_mean(wear_per_kwh) if down else 0.0)
    weight = (found.high_kw - found.low_kw) * np.maximum(free / spared, _LEAST_WEIGHT)
    weight = np.where(np.isnan(batteries.energy_kwh), 0.0, weight)
    return weight.astype(np.float32)


def _by_mean(amounts: PowerArray) -> PowerArray:
    mean = float(amounts.mean(dtype=np.float64)) if amounts.size else 0.0
    return amounts / np.float32(mean) if mean > 0.0 else np.zeros_like(amounts)
