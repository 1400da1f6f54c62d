"""Kernel *linear*: the exact optimum of a car whose problem is convex, in one pass over its steps.

It holds where no step pays for charging and discharging at once (export · η_d − wear ≤ import / η_c), no least power is
asked for, and the car does not arrive above its maximum with leave to discharge. Wishes come before money: the energy is kept
at the floor, and at departure at what is asked, as far as charging at full power from arrival on would reach.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch.cars import CarStays
from parkwatt.plan.batch.compiled import compiled
from parkwatt.plan.batch.outcome import Outcome, money_of, write_powers
from parkwatt.plan.batch.rankings import PriceOrders, new_rankings, slot_with
from parkwatt.plan.batch.segments import Bounds, fill


@compiled
def plan_linear(
    rows: NDArray[np.int64],
    cars: CarStays,
    orders: PriceOrders,
    duration_h: FloatArray,
    outcome: Outcome,
) -> None:
    """Plan ``rows`` of the stays; results go into ``outcome``."""
    # Taken apart, as arrays inside a tuple are counted anew at each use.
    from_step, to_step, at_arrival, at_departure, energy_min, energy_max, charge_max = cars[:7]
    discharge_max, _, _, charge_efficiency, discharge_efficiency, wear, value, price_row = cars[7:]
    cost, energy_kwh_end, power_kw, group, power_kw_sum = outcome
    steps = len(duration_h)
    kept, per_hour = new_rankings(steps), 1.0 / duration_h
    gain_kwh, up_kwh, keep_kwh = np.empty(steps), np.empty(steps), np.empty(steps)
    left_kwh, words = np.empty(2 * steps), np.zeros((2 * steps + 63) // 64, np.uint64)
    for row in rows:
        first, last = from_step[row], to_step[row]
        charge_factor, discharge_factor = 1.0 / charge_efficiency[row], discharge_efficiency[row]
        slot = slot_with(price_row[row], charge_factor, discharge_factor, wear[row], orders, kept)
        arrival_kwh = at_arrival[row]
        # Above its maximum it may not charge, and one that may not discharge keeps what it has.
        may_charge = arrival_kwh <= energy_max[row]
        up_kw = charge_max[row] * charge_efficiency[row] if may_charge else 0.0
        down_kw = discharge_max[row] / discharge_factor
        for step in range(first, last):
            hours = duration_h[step]
            up_kwh[step] = up_kw * hours
            keep_kwh[step] = down_kw * hours
            gain_kwh[step] = -down_kw * hours
        up_slope, keep_slope = kept.up_slope[slot], kept.keep_slope[slot]
        end_kwh = fill(
            first,
            last,
            Bounds(
                arrival_kwh,
                max(energy_max[row], arrival_kwh),
                energy_min[row],
                at_departure[row],
                value[row],
            ),
            gain_kwh,
            up_kwh,
            keep_kwh,
            left_kwh,
            words,
            up_slope,
            keep_slope,
            kept.charge_rank[slot],
            kept.keep_rank[slot],
            kept.place_of[slot],
        )
        money = money_of(first, last, gain_kwh, up_slope, keep_slope)
        cost[row] = money - value[row] * end_kwh
        energy_kwh_end[row] = end_kwh
        write_powers(
            row,
            first,
            last,
            gain_kwh,
            charge_factor,
            discharge_factor,
            per_hour,
            power_kw,
            power_kw_sum[group[row]],
        )
