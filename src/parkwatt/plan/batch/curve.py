"""A value function as a curve of straight pieces, whose slopes change with the energy too, and the plan that follows from it.

Let V(e) be the least cost at which a car can hold the energy e now: convex, of straight pieces, here as their edges in kWh and
their slopes, lowest energy first. Unlike in `segments`, what a piece costs may change after it came in: above some energy
charging slows (taper), or holding costs. So pieces are not decided as they leave, but a step of time changes the curve:

1. Discharging moves the pieces of a slope below the step's price down, and puts one at that price in the gap.
2. Charging moves those of a slope above the step's price up, and puts one in the gap. Where less power is taken the higher the
   step ends, pieces come out shorter and steeper.
3. Bounds cut the curve; a price of holding, or of being below the floor, tilts what lies beyond an energy.

Of each step only two energies are kept, where the moved pieces began: whoever ends above the one has charged, whoever ends
below the other has discharged. From the best end backwards they give the plan.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch.compiled import compiled, inlined
from parkwatt.plan.batch.outcome import IntArray
from parkwatt.plan.batch.reserve import Tilts

# Far below what a meter counts, far above what the arithmetic of a day's steps loses.
_ROUNDING_KWH = 1e-9
# Places have no sign: Numba then does not look whether they count from the end.
NONE, ONE, TWO = np.uint64(0), np.uint64(1), np.uint64(2)


class Bends(NamedTuple):
    """What a car's problem is made of beside its steps; energies in kWh in the battery.

    Above ``taper_from_kwh`` a step brings ``taper_per_h`` · hours less for each kWh that it ends higher. ``bottom_kwh`` is kept
    as far as it can be reached. Each kWh above ``holding_from_kwh`` costs ``holding_price_per_kwh_h``, each below ``floor_kwh``
    ``floor_price_per_kwh_h`` (0: nothing). ``asked_kwh`` (NaN: nothing) at the end, each kWh less at ``missing_price_per_kwh``.
    """

    arrival_kwh: float
    bottom_kwh: float
    cap_kwh: float
    asked_kwh: float
    value_per_kwh: float
    missing_price_per_kwh: float
    taper_from_kwh: float
    taper_per_h: float
    holding_from_kwh: float
    holding_price_per_kwh_h: float
    floor_kwh: float
    floor_price_per_kwh_h: float


class Curve(NamedTuple):
    """Room to work. ``edge_kwh``, ``slope``: pieces between an edge and the one before. ``low_turn_kwh``, ``high_turn_kwh``:
    [T] below which a step has discharged, and above which it has charged. ``ends``: [2] places of the first and the last edge.
    """

    edge_kwh: FloatArray
    slope: FloatArray
    low_turn_kwh: FloatArray
    high_turn_kwh: FloatArray
    ends: IntArray


class Steps(NamedTuple):
    """[T] each: what a step adds at least, how much more by charging, how much less by discharging (kWh in the battery)."""

    base_kwh: FloatArray
    up_kwh: FloatArray
    keep_kwh: FloatArray


@compiled
def new_curve(steps: int) -> Curve:
    """Room for T ``steps``: each adds at most four edges at either side."""
    room = 8 * steps + 8
    return Curve(
        np.empty(room), np.empty(room), np.empty(steps), np.empty(steps), np.zeros(2, np.int64)
    )


@compiled
def new_steps(steps: int) -> Steps:
    """T steps in which nothing can be done."""
    return Steps(np.zeros(steps), np.zeros(steps), np.zeros(steps))


@inlined
def _count_above(values: FloatArray, first: np.uint64, end: np.uint64, bound: float) -> np.uint64:
    """How many of the places [first, end) are above a bound. Counting many is faster than looking for the first."""
    found = NONE
    for one in range(first, end):
        found += np.uint64(values[one] > bound)
    return found


@inlined
def _discharge(
    low: np.uint64,
    high: np.uint64,
    most_kwh: float,
    per_kwh: float,
    edge: FloatArray,
    slope: FloatArray,
) -> float:
    """Allow discharging at a price; the curve then begins one place lower. Returns where it begins to pay."""
    place = low
    while place < high and slope[place + ONE] < per_kwh:
        place += ONE
    turn: float = edge[place]
    for one in range(low, place + ONE):
        edge[one - ONE] = edge[one] - most_kwh
        slope[one - ONE] = slope[one]
    slope[place] = per_kwh
    return turn


@inlined
def _charge(
    low: np.uint64,
    high: np.uint64,
    most_kwh: float,
    per_kwh: float,
    taper_from: float,
    taper: float,
    edge: FloatArray,
    slope: FloatArray,
) -> tuple[np.uint64, float]:
    """Allow charging at a price; returns the last place and where charging begins to pay.

    ``taper``: how much less can be charged for each kWh that the step ends above ``taper_from``.
    """
    place = high - _count_above(slope, low + ONE, high + ONE, per_kwh)
    turn, slowed = edge[place], high + ONE
    if taper > 0.0:
        whole_to = taper_from - most_kwh
        shrink, shift = 1.0 / (1.0 + taper), most_kwh + taper * taper_from
        while slowed > place + ONE and edge[slowed - ONE] > whole_to:
            slowed -= ONE
        if turn > whole_to:
            for back in range(high - place):
                one = high - back
                edge[one + ONE] = (edge[one] + shift) * shrink
                slope[one + ONE] = slope[one] + taper * (slope[one] - per_kwh)
            edge[place + ONE] = (turn + shift) * shrink
            slope[place + ONE] = per_kwh
            return high + ONE, turn
        if slowed <= high:
            for back in range(high + ONE - slowed):
                one = high - back
                edge[one + TWO] = (edge[one] + shift) * shrink
                slope[one + TWO] = slope[one] + taper * (slope[one] - per_kwh)
            edge[slowed + ONE] = taper_from
            slope[slowed + ONE] = slope[slowed]
            high += ONE
    for back in range(slowed - ONE - place):
        one = slowed - ONE - back
        edge[one + ONE] = edge[one] + most_kwh
        slope[one + ONE] = slope[one]
    edge[place + ONE] = turn + most_kwh
    slope[place + ONE] = per_kwh
    return high + ONE, turn


@inlined
def _cut(
    low: np.uint64, high: np.uint64, bottom: float, cap: float, edge: FloatArray
) -> tuple[np.uint64, np.uint64]:
    """Leave no energy above a cap, nor below a bottom as far as the curve reaches it; returns both ends' places."""
    if edge[high] > cap:
        while high > low and edge[high - ONE] >= cap:
            high -= ONE
        edge[high] = cap
    least = min(bottom, edge[high])
    if edge[low] < least:
        while low < high and edge[low + ONE] <= least:
            low += ONE
        edge[low] = least
    return low, high


@inlined
def _tilt_above(
    low: np.uint64,
    high: np.uint64,
    from_kwh: float,
    per_kwh: float,
    edge: FloatArray,
    slope: FloatArray,
) -> np.uint64:
    """Each kWh above an energy costs more; returns the last place."""
    first = high + ONE
    while first > low and edge[first - ONE] > from_kwh:
        first -= ONE
    if first > high:
        return high
    if first == low or edge[first - ONE] == from_kwh:
        for one in range(max(first, low + ONE), high + ONE):
            slope[one] += per_kwh
        return high
    # The price begins in the piece that ends at the first edge above.
    for back in range(high + ONE - first):
        at = high - back
        edge[at + ONE] = edge[at]
        slope[at + ONE] = slope[at] + per_kwh
    edge[first] = from_kwh
    return high + ONE


@inlined
def _tilt_below(
    low: np.uint64,
    high: np.uint64,
    to_kwh: float,
    per_kwh: float,
    edge: FloatArray,
    slope: FloatArray,
) -> np.uint64:
    """Each kWh below an energy costs more; returns the first place."""
    place = low + ONE
    while place <= high and edge[place] <= to_kwh:
        slope[place] -= per_kwh
        place += ONE
    if place > high or edge[place - ONE] >= to_kwh:
        return low
    for one in range(low, place):
        edge[one - ONE] = edge[one]
        slope[one - ONE] = slope[one]
    edge[place - ONE] = to_kwh
    slope[place - ONE] = slope[place] - per_kwh
    return low - ONE


@compiled
def _hold_back(
    low: np.uint64,
    high: np.uint64,
    step: np.uint64,
    tilts: Tilts,
    edge: FloatArray,
    slope: FloatArray,
) -> tuple[np.uint64, np.uint64]:
    """Price the energies at a step's end by what can be held back with them; returns both ends' places."""
    if tilts.low_per_kwh[step] > 0.0:
        per_kwh = tilts.low_per_kwh[step]
        low = _tilt_below(low, high, tilts.low_kwh[step], per_kwh, edge, slope)
    if tilts.needed_per_kwh[step] > 0.0:
        per_kwh = tilts.needed_per_kwh[step]
        low = _tilt_below(low, high, tilts.needed_kwh[step], per_kwh, edge, slope)
    if tilts.high_per_kwh[step] > 0.0:
        per_kwh = tilts.high_per_kwh[step]
        high = _tilt_above(low, high, tilts.high_kwh[step], per_kwh, edge, slope)
    return low, high


@compiled
def draw(
    first: int,
    last: int,
    bends: Bends,
    steps: Steps,
    duration_h: FloatArray,
    up_slope: FloatArray,
    keep_slope: FloatArray,
    tilts: Tilts,
    held: bool,
    curve: Curve,
) -> bool:
    """Change the curve by the steps [first, last); returns False where the bounds cannot hold.

    ``tilts``: what energies cost at the end of each step, of no length for nothing. ``held``: whether each step has one way
    only; then one that discharges ends at the floor or above.
    """
    edge, slope, low_turn, high_turn, ends = curve
    base_kwh, up_kwh, keep_kwh = steps
    low = high = np.uint64(4 * len(duration_h) + 3)
    holds_back = len(tilts.low_kwh) > 0
    edge[low] = bends.arrival_kwh
    for step in range(np.uint64(first), np.uint64(last)):
        hours, base = duration_h[step], base_kwh[step]
        most_up, cap = up_kwh[step], bends.cap_kwh
        if base != 0.0:
            for one in range(low, high + ONE):
                edge[one] += base
        if keep_kwh[step] > 0.0:
            low_turn[step] = _discharge(low, high, keep_kwh[step], keep_slope[step], edge, slope)
            low -= ONE
        if most_up > 0.0:
            taper = bends.taper_per_h * hours
            high, high_turn[step] = _charge(
                low, high, most_up, up_slope[step], bends.taper_from_kwh, taper, edge, slope
            )
        if base > 0.0 and bends.taper_per_h > 0.0:
            # Where it ends higher, not even the least power is taken.
            cap = min(cap, bends.taper_from_kwh + most_up / (bends.taper_per_h * hours))
        if edge[low] > cap + _ROUNDING_KWH:
            return False
        keeps_floor = held and (keep_kwh[step] > 0.0 or base < 0.0)
        bottom = bends.floor_kwh if keeps_floor else bends.bottom_kwh
        low, high = _cut(low, high, bottom, cap, edge)
        if bends.holding_price_per_kwh_h > 0.0:
            per_kwh = bends.holding_price_per_kwh_h * hours
            high = _tilt_above(low, high, bends.holding_from_kwh, per_kwh, edge, slope)
        if bends.floor_price_per_kwh_h > 0.0:
            per_kwh = bends.floor_price_per_kwh_h * hours
            low = _tilt_below(low, high, bends.floor_kwh, per_kwh, edge, slope)
        if holds_back:
            low, high = _hold_back(low, high, np.uint64(step), tilts, edge, slope)
    ends[0], ends[1] = low, high
    return True


@compiled
def best_end(bends: Bends, curve: Curve) -> float:
    """The cheapest energy to end with, where what is left has a value and what is missing a price."""
    edge, slope, low = curve.edge_kwh, curve.slope, curve.ends[0]
    high, asked = curve.ends[1], bends.asked_kwh
    priced = np.isfinite(bends.missing_price_per_kwh)
    dearest = bends.value_per_kwh + bends.missing_price_per_kwh if priced else 0.0
    energy_kwh = edge[low]
    for place in range(low + 1, high + 1):
        if slope[place] < bends.value_per_kwh:
            energy_kwh = edge[place]
        elif priced and energy_kwh < asked and slope[place] < dearest:
            energy_kwh = min(edge[place], asked)
        else:
            break
    if not priced and asked > energy_kwh:
        energy_kwh = min(asked, edge[high])
    return float(energy_kwh)


@compiled
def follow_back(
    first: int,
    last: int,
    end_kwh: float,
    bends: Bends,
    steps: Steps,
    duration_h: FloatArray,
    up_slope: FloatArray,
    keep_slope: FloatArray,
    curve: Curve,
    gain_kwh: FloatArray,
) -> tuple[float, float, bool]:
    """Write into ``gain_kwh`` [T] what each step adds on the cheapest way to ``end_kwh``.

    Returns what energy, wear and holding cost, the kWh·h below the floor, and whether the way discharges to below it.
    """
    base_kwh, up_kwh, keep_kwh = steps
    low_turn, high_turn = curve.low_turn_kwh, curve.high_turn_kwh
    after, money, held_kwh_h, below_kwh_h, discharges_below = end_kwh, 0.0, 0.0, 0.0, False
    for step in range(last - 1, first - 1, -1):
        before, hours, turn = after, duration_h[step], high_turn[step]
        if up_kwh[step] > 0.0 and after > turn:
            most = up_kwh[step]
            if after > bends.taper_from_kwh:
                most -= bends.taper_per_h * hours * (after - bends.taper_from_kwh)
            before = turn if after - turn <= most else after - most
        turn = low_turn[step]
        if keep_kwh[step] > 0.0 and before < turn:
            before = turn if turn - before <= keep_kwh[step] else before + keep_kwh[step]
        before -= base_kwh[step]
        gained = after - before
        gain_kwh[step] = gained
        money += gained * (up_slope[step] if gained >= 0.0 else keep_slope[step])
        held_kwh_h += hours * max(after - bends.holding_from_kwh, 0.0)
        if after < bends.floor_kwh - _ROUNDING_KWH:
            below_kwh_h += hours * (bends.floor_kwh - after)
            discharges_below = discharges_below or gained < -_ROUNDING_KWH
        after = before
    return money + held_kwh_h * bends.holding_price_per_kwh_h, below_kwh_h, discharges_below


@inlined
def reached_kwh(bends: Bends, energy_kwh: float, most_kwh: float, hours: float) -> float:
    """Where a step ends that charges with all that is taken. ``most_kwh``: without taper."""
    top_kwh = energy_kwh + most_kwh
    if top_kwh > bends.taper_from_kwh:
        taper = bends.taper_per_h * hours
        top_kwh = max(energy_kwh, (top_kwh + taper * bends.taper_from_kwh) / (1.0 + taper))
    return min(top_kwh, bends.cap_kwh)


@compiled
def standing_cost(
    first: int, last: int, bends: Bends, duration_h: FloatArray, gain_kwh: FloatArray
) -> float:
    """What it costs to hold energy, in all steps of a plan."""
    cost, energy_kwh = 0.0, bends.arrival_kwh
    for step in range(first, last):
        energy_kwh += gain_kwh[step]
        cost += duration_h[step] * max(energy_kwh - bends.holding_from_kwh, 0.0)
    return cost * bends.holding_price_per_kwh_h
