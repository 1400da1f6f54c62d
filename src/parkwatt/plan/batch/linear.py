"""Kernel *linear*: the exact optimum of a car whose problem is convex, in one pass over its steps.

It holds where no step pays for charging and discharging at once (export · η_d − wear ≤ import / η_c), no least power is
asked for, and the car does not arrive above its maximum with leave to discharge. Wishes come before money: the energy is kept
at the floor, and at departure at what is asked, as far as charging at full power from arrival on would reach.
"""

from __future__ import annotations

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch.cars import CarStays, IntArray
from parkwatt.plan.batch.compiled import compiled, highest_bit, lowest_bit
from parkwatt.plan.batch.outcome import Outcome, money_of, write_powers
from parkwatt.plan.batch.rankings import PriceOrders, new_rankings, slot_with
from parkwatt.plan.batch.segments import NONE, ONE, ROUNDING_KWH, finish


@compiled
def plan_linear(
    rows: IntArray, cars: CarStays, orders: PriceOrders, duration_h: FloatArray, outcome: Outcome
) -> None:
    """Plan ``rows`` of the stays; results go into ``outcome``.

    Above its maximum a car may not charge, and one that may not discharge keeps what it has. Places have no sign: Numba then
    does not look whether they count from the end.
    """
    from_step, to_step, at_arrival, at_departure, energy_min, energy_max, charge_max = cars[:7]
    discharge_max, _, _, charge_efficiency, discharge_efficiency, wear, value, price_row = cars[7:]
    cost, energy_kwh_end, power_kw, group, power_kw_sum = outcome
    steps = len(duration_h)
    kept, per_hour = new_rankings(steps), 1.0 / duration_h
    _, up_slopes, keep_slopes, charge_ranks, keep_ranks, steps_of, slopes_of = kept
    gain_kwh, left_kwh = np.empty(steps), np.empty(2 * steps)
    words, held = np.zeros((2 * steps + 63) // 64, np.uint64), NONE
    for row in rows.view(np.uint64):
        first, last = np.uint64(from_step[row]), np.uint64(to_step[row])
        charge_factor, discharge_factor = 1.0 / charge_efficiency[row], discharge_efficiency[row]
        slot = slot_with(price_row[row], charge_factor, discharge_factor, wear[row], orders, kept)
        low, width, floor, asked = at_arrival[row], 0.0, energy_min[row], at_departure[row]
        cap, worth = max(energy_max[row], low), value[row]
        up_kw = charge_max[row] * charge_efficiency[row] if low <= energy_max[row] else 0.0
        down_kw = discharge_max[row] / discharge_factor
        for step in range(first, last):
            up, keep = up_kw * duration_h[step], down_kw * duration_h[step]
            gain_kwh[step] = -keep
            if up > 0.0:
                rank = charge_ranks[slot, step]
                left_kwh[rank] = up
                words[rank >> 6] |= ONE << np.uint64(rank & 63)
                held |= ONE << np.uint64(rank >> 6)
            if keep > 0.0:
                rank = keep_ranks[slot, step]
                left_kwh[rank] = keep
                words[rank >> 6] |= ONE << np.uint64(rank & 63)
                held |= ONE << np.uint64(rank >> 6)
            low -= keep
            width += up + keep
            over = low + width - cap
            if over > ROUNDING_KWH:
                width -= over
                while held != NONE:
                    word = highest_bit(held)
                    bits = words[word]
                    bit = highest_bit(bits)
                    left = left_kwh[word * 64 + bit]
                    if left > over:
                        left_kwh[word * 64 + bit] = left - over
                        break
                    over -= left
                    bits ^= ONE << np.uint64(bit)
                    words[word] = bits
                    held ^= np.uint64(bits == NONE) << np.uint64(word)
            least = min(floor, low + width)
            if step == last - ONE and asked > least:
                least = min(asked, low + width)
            short = least - low
            if short > ROUNDING_KWH:
                low += short
                width -= short
                while held != NONE:
                    word = lowest_bit(held)
                    bits = words[word]
                    bit = lowest_bit(bits)
                    rank = word * 64 + bit
                    at = steps_of[slot, rank]
                    left = left_kwh[rank]
                    if left > short:
                        left_kwh[rank] = left - short
                        gain_kwh[at] += short
                        break
                    gain_kwh[at] += left
                    short -= left
                    bits ^= ONE << np.uint64(bit)
                    words[word] = bits
                    held ^= np.uint64(bits == NONE) << np.uint64(word)
        low += finish(held, worth, gain_kwh, left_kwh, words, steps_of[slot], slopes_of[slot])
        held, sums_kw = NONE, power_kw_sum[group[row]]
        money = money_of(first, last, gain_kwh, up_slopes[slot], keep_slopes[slot])
        cost[row], energy_kwh_end[row] = money - worth * low, low
        write_powers(
            row, first, last, gain_kwh, charge_factor, discharge_factor, per_hour, power_kw, sums_kw
        )
