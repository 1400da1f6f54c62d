"""A car's best reply to the prices of the moment: kernel *linear* for one car that sees prices nobody else sees."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch.cars import BatchPrices, CarStays, MissPrices
from parkwatt.plan.batch.compiled import compiled, inlined
from parkwatt.plan.batch.rankings import RankArray
from parkwatt.plan.batch.segments import Bounds, WordArray, fill
from parkwatt.plan.coordinate.problem import IntArray

# Prices that differ by less are the same: cars level them out, and their order would be sorted anew for each.
_SAME_PER_KWH = 1e-8


class Room(NamedTuple):
    """Room to work for T steps. ``price_per_kwh``: [T] what the nodes above a car add to its own prices. ``rank_of``: [2T]
    the ranks of charging, ``up_rank``, and of not discharging, ``keep_rank``.
    """

    price_per_kwh: FloatArray
    up_slope: FloatArray
    keep_slope: FloatArray
    up_kwh: FloatArray
    keep_kwh: FloatArray
    gain_kwh: FloatArray
    left_kwh: FloatArray
    words: WordArray
    rank_of: RankArray
    up_rank: RankArray
    keep_rank: RankArray
    step_of: RankArray
    slope_of: FloatArray
    up_steps: IntArray
    keep_steps: IntArray


@compiled
def new_room(steps: int) -> Room:
    """Room for T ``steps``."""
    ranks = np.empty(2 * steps, np.uint16)
    return Room(
        np.empty(steps),
        np.empty(steps + 1),
        np.empty(steps + 1),
        np.empty(steps),
        np.empty(steps),
        np.empty(steps),
        np.empty(2 * steps),
        np.zeros((2 * steps + 63) // 64, np.uint64),
        ranks,
        ranks[:steps],
        ranks[steps:],
        np.empty(2 * steps, np.uint16),
        np.empty(2 * steps),
        np.empty(steps + 1, np.int64),
        np.empty(steps + 1, np.int64),
    )


@inlined
def _sort(order: IntArray, slope: FloatArray) -> None:
    """Sort the steps in ``order`` [T] by slope; they are nearly in order, as prices change little between cars."""
    for place in range(1, len(order)):
        step, before = order[place], place - 1
        while before >= 0 and slope[order[before]] > slope[step] + _SAME_PER_KWH:
            order[before + 1] = order[before]
            before -= 1
        order[before + 1] = step


@inlined
def _merge(begin: int, end: int, up_order: IntArray, keep_order: IntArray, room: Room) -> None:
    """Rank the segments of the steps [begin, end) by slope; of equal ones not discharging comes first.

    Without branches: which of both comes next cannot be foretold.
    """
    up_steps, keep_steps, steps = room.up_steps, room.keep_steps, len(up_order)
    up_count = keep_count = 0
    for place in range(steps):
        step = up_order[place]
        up_steps[up_count] = step
        up_count += (step >= begin) & (step < end)
        step = keep_order[place]
        keep_steps[keep_count] = step
        keep_count += (step >= begin) & (step < end)
    # Each list ends with a step that does not exist and is the dearest.
    up_steps[up_count] = keep_steps[keep_count] = steps
    room.up_slope[steps] = room.keep_slope[steps] = np.inf
    up_at = keep_at = 0
    for rank in range(2 * (end - begin)):
        up, keep = up_steps[up_at], keep_steps[keep_at]
        up_slope, keep_slope = room.up_slope[up], room.keep_slope[keep]
        charging = up_slope < keep_slope
        step = up if charging else keep
        room.slope_of[rank] = up_slope if charging else keep_slope
        room.step_of[rank] = step
        room.rank_of[step if charging else step + steps] = rank
        up_at += charging
        keep_at += 1 - charging


@inlined
def best_reply(
    row: int,
    cars: CarStays,
    prices: BatchPrices,
    miss: MissPrices,
    up_order: IntArray,
    keep_order: IntArray,
    room: Room,
) -> None:
    """Write into ``room.gain_kwh`` what each step of a stay adds to its battery in the best plan at the prices in ``room``.

    ``up_order``, ``keep_order``: [T] the steps as a car before was sorted, to begin with. Where a step would pay for both
    charging and discharging, it does not discharge: such a plan can be followed, though a better one may be.
    """
    begin, end, own = cars.from_step[row], cars.to_step[row], cars.price_row[row]
    into, out, wear = (
        cars.charge_efficiency[row],
        cars.discharge_efficiency[row],
        cars.wear_price_per_kwh[row],
    )
    arrival_kwh = cars.energy_kwh_at_arrival[row]
    up_kw = cars.charge_kw_max[row] * into if arrival_kwh <= cars.energy_kwh_max[row] else 0.0
    keep_kw = cars.discharge_kw_max[row] / out
    steps = len(prices.duration_h)
    for step in range(steps):
        added = room.price_per_kwh[step]
        room.up_slope[step] = (prices.import_per_kwh[own, step] + added) / into
        keep = (prices.export_per_kwh[own, step] + added) * out - wear
        room.keep_slope[step] = min(keep, room.up_slope[step])
    for step in range(begin, end):
        room.up_kwh[step] = up_kw * prices.duration_h[step]
        room.keep_kwh[step] = keep_kw * prices.duration_h[step]
        room.gain_kwh[step] = -room.keep_kwh[step]
    _sort(up_order, room.up_slope)
    _sort(keep_order, room.keep_slope)
    _merge(begin, end, up_order, keep_order, room)
    fill(
        begin,
        end,
        Bounds(
            arrival_kwh,
            max(cars.energy_kwh_max[row], arrival_kwh),
            cars.energy_kwh_min[row],
            cars.energy_kwh_at_departure[row],
            cars.energy_value_per_kwh[row],
            miss.departure_per_kwh,
        ),
        room.gain_kwh,
        room.up_kwh,
        room.keep_kwh,
        room.left_kwh,
        room.words,
        room.up_rank,
        room.keep_rank,
        room.step_of,
        room.slope_of,
    )
