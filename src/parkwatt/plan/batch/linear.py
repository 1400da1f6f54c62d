"""Kernel *linear*: the exact optimum of a car whose problem is convex, in one pass over its steps.

It holds where no step pays for charging and discharging at once (export · η_d − wear ≤ import / η_c), no least power is
asked for, and the car does not arrive above its maximum with leave to discharge. Wishes come before money: the energy is kept
at the floor, and at departure at what is asked, as far as charging at full power from arrival on would reach. Where a kWh
missing at departure has a price, energy is worth that much more up to what is asked, which leaves the end's cost convex.
"""

from __future__ import annotations

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch.cars import CarStays, IntArray, MissPrices
from parkwatt.plan.batch.compiled import compiled, highest_bit, lowest_bit
from parkwatt.plan.batch.outcome import Outcome, below_floor_of, money_of, write_powers
from parkwatt.plan.batch.rankings import PriceOrders, new_rankings, slot_with
from parkwatt.plan.batch.segments import NONE, ONE, ROUNDING_KWH, finish


@compiled
def plan_linear(
    rows: IntArray,
    cars: CarStays,
    orders: PriceOrders,
    duration_h: FloatArray,
    miss: MissPrices,
    outcome: Outcome,
) -> None:
    """Plan ``rows`` of the stays into ``outcome``. Places have no sign: Numba would look whether they count from the end."""
    from_step, to_step, at_arrival, at_departure, energy_min, energy_max, charge_max = cars[:7]
    discharge_max, _, _, charge_efficiency, efficiency_out, wear, value, zone = cars[7:15]
    cost, energy_kwh_end, below, power_kw, group, sums_kw = outcome
    steps, missing_price, priced = len(duration_h), miss[0], np.isfinite(miss[0])
    kept, per_hour, gain_kwh = new_rankings(steps), 1.0 / duration_h, np.empty(steps)
    left_kwh, words = np.empty(2 * steps), np.zeros((2 * steps + 63) // 64, np.uint64)
    _, up_slopes, keep_slopes, charge_ranks, keep_ranks, steps_of, slopes_of = kept
    for row in rows.view(np.uint64):
        first, last, out = np.uint64(from_step[row]), np.uint64(to_step[row]), efficiency_out[row]
        into, down_kw = 1.0 / charge_efficiency[row], discharge_max[row] / out
        slot = slot_with(zone[row], into, out, wear[row], orders, kept)
        low, width, held, floor = at_arrival[row], 0.0, NONE, energy_min[row]
        cap, worth, asked = max(energy_max[row], low), value[row], at_departure[row]
        up_kw = charge_max[row] * charge_efficiency[row] if low <= energy_max[row] else 0.0
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
            low, width = low - keep, width + up + keep
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
            if step == last - ONE and asked > least and not priced:
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
        short, of_slot, slopes = asked - low if priced else 0.0, steps_of[slot], slopes_of[slot]
        low += finish(held, short, missing_price, worth, gain_kwh, left_kwh, words, of_slot, slopes)
        money = money_of(first, last, gain_kwh, up_slopes[slot], keep_slopes[slot])
        cost[row], energy_kwh_end[row] = money - worth * low, low
        below[row] = below_floor_of(first, last, at_arrival[row], floor, gain_kwh, duration_h)
        write_powers(row, first, last, gain_kwh, into, out, per_hour, power_kw, sums_kw[group[row]])
