"""A value function that is convex and piecewise linear, as a set of segments ordered by their slope.

Let V(e) be the least cost at which a car can hold the energy e now. Between the lowest energy that it can hold, ``low``, and
``low`` + the length of all segments, V is convex: its slopes rise, and which step and direction each comes from is known. A
step of time adds two segments (Minkowski's sum of convex functions): charging in it, and *not* discharging in it, which begins
from ``low`` less all that the step could discharge. A bound on the energy cuts V: at its lower end the cheapest segments are
decided as used, at its upper end the dearest as not used, and what is decided never has to be looked at again. So one pass
forward decides everything, and the segments used are the plan.

Segments are known by their rank among all that can come, so that the set is a bitmap, and its ends are found by counting zeros.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch.compiled import compiled, highest_bit, inlined, lowest_bit
from parkwatt.plan.batch.rankings import RankArray

WordArray = NDArray[np.uint64]

# Far below what a meter counts, far above what the arithmetic of a day's steps loses.
ROUNDING_KWH = 1e-11
ONE, NONE = np.uint64(1), np.uint64(0)


class Bounds(NamedTuple):
    """What holds for the energy: from ``arrival_kwh``, at most ``cap_kwh``, at least ``floor_kwh`` and at the end ``asked_kwh``
    (NaN: nothing) as far as the segments allow, or as far as they are cheaper than what a missing kWh costs; what is left is
    worth ``value_per_kwh``.
    """

    arrival_kwh: float
    cap_kwh: float
    floor_kwh: float
    asked_kwh: float
    value_per_kwh: float
    missing_price_per_kwh: float


@inlined
def cut_dearest(
    over_kwh: float, held: np.uint64, left_kwh: FloatArray, words: WordArray
) -> np.uint64:
    """Take ``over_kwh`` of the dearest out of the set; returns which words hold any still."""
    while held != NONE:
        word = highest_bit(held)
        bits = words[word]
        bit = highest_bit(bits)
        left = left_kwh[word * 64 + bit]
        if left > over_kwh:
            left_kwh[word * 64 + bit] = left - over_kwh
            break
        over_kwh -= left
        bits ^= ONE << np.uint64(bit)
        words[word] = bits
        held ^= np.uint64(bits == NONE) << np.uint64(word)
    return held


@compiled
def _use_up_to(
    most_kwh: float,
    value_per_kwh: float,
    held: np.uint64,
    gain_kwh: FloatArray,
    left_kwh: FloatArray,
    words: WordArray,
    step_of: RankArray,
    slope_of: FloatArray,
) -> tuple[np.uint64, float]:
    """Use the cheapest, up to ``most_kwh`` in all, as far as that is worth more; returns which words hold any still, and
    how much is used.
    """
    rest_kwh = most_kwh
    while held != NONE:
        word = lowest_bit(held)
        bit = lowest_bit(words[word])
        rank = word * 64 + bit
        if slope_of[rank] >= value_per_kwh:
            break
        left = left_kwh[rank]
        if left > rest_kwh:
            left_kwh[rank] = left - rest_kwh
            gain_kwh[step_of[rank]] += rest_kwh
            return held, most_kwh
        gain_kwh[step_of[rank]] += left
        rest_kwh -= left
        words[word] ^= ONE << np.uint64(bit)
        held ^= np.uint64(words[word] == NONE) << np.uint64(word)
    return held, most_kwh - rest_kwh


@inlined
def finish(
    held: np.uint64,
    short_kwh: float,
    missing_price_per_kwh: float,
    value_per_kwh: float,
    gain_kwh: FloatArray,
    left_kwh: FloatArray,
    words: WordArray,
    step_of: RankArray,
    slope_of: FloatArray,
) -> float:
    """Use what is left where energy at the end is worth more, and empty the set; returns how much is used.

    ``short_kwh``: what is missing of what is asked, where a missing kWh has a price; else 0.
    """
    used_kwh = 0.0
    if short_kwh > 0.0:
        held, used_kwh = _use_up_to(
            short_kwh,
            value_per_kwh + missing_price_per_kwh,
            held,
            gain_kwh,
            left_kwh,
            words,
            step_of,
            slope_of,
        )
    while held != NONE:
        word = lowest_bit(held)
        held &= held - ONE
        bits = words[word]
        words[word] = NONE
        while bits != NONE:
            rank = word * 64 + lowest_bit(bits)
            bits &= bits - ONE
            if slope_of[rank] >= value_per_kwh:
                break
            gain_kwh[step_of[rank]] += left_kwh[rank]
            used_kwh += left_kwh[rank]
    return used_kwh


@inlined
def fill(
    first: int,
    last: int,
    bounds: Bounds,
    gain_kwh: FloatArray,
    up_kwh: FloatArray,
    keep_kwh: FloatArray,
    left_kwh: FloatArray,
    words: WordArray,
    charge_rank: RankArray,
    keep_rank: RankArray,
    step_of: RankArray,
    slope_of: FloatArray,
) -> float:
    """Decide all segments of the steps [first, last); returns the energy at the end, NaN where the cap cannot hold.

    ``gain_kwh``: [T] what each step adds to the battery when none of its segments is used; becomes what it adds. ``up_kwh``,
    ``keep_kwh``: [T] lengths of the segments for charging and for not discharging, 0 for none. ``left_kwh`` [2T] and
    ``words``, empty before and after, are room to work. The rest is the car's `rankings.Ranking`.
    """
    low, width, exceeded = bounds.arrival_kwh, 0.0, False
    priced = np.isfinite(bounds.missing_price_per_kwh)
    asked = np.nan if priced else bounds.asked_kwh
    # Which words hold any segment.
    held = NONE
    for step in range(first, last):
        up, keep = up_kwh[step], keep_kwh[step]
        if up > 0.0:
            rank = charge_rank[step]
            left_kwh[rank] = up
            words[rank >> 6] |= ONE << np.uint64(rank & 63)
            held |= ONE << np.uint64(rank >> 6)
        if keep > 0.0:
            rank = keep_rank[step]
            left_kwh[rank] = keep
            words[rank >> 6] |= ONE << np.uint64(rank & 63)
            held |= ONE << np.uint64(rank >> 6)
        low += gain_kwh[step]
        width += up + keep
        # The dearest are not used, where the energy would be above the cap.
        over = low + width - bounds.cap_kwh
        if over > ROUNDING_KWH:
            width -= over
            exceeded = exceeded or width < -ROUNDING_KWH
            width = max(width, 0.0)
            held = cut_dearest(over, held, left_kwh, words)
        # The cheapest are used, where it would be below what is to be kept.
        least = min(bounds.floor_kwh, low + width)
        if step == last - 1 and asked > least:
            least = min(asked, low + width)
        short = least - low
        if short > ROUNDING_KWH:
            low += short
            width -= short
            while short > ROUNDING_KWH and held != NONE:
                word = lowest_bit(held)
                bit = lowest_bit(words[word])
                place = step_of[word * 64 + bit]
                left = left_kwh[word * 64 + bit]
                if left > short:
                    left_kwh[word * 64 + bit] = left - short
                    gain_kwh[place] += short
                    break
                gain_kwh[place] += left
                short -= left
                words[word] ^= ONE << np.uint64(bit)
                held ^= np.uint64(words[word] == NONE) << np.uint64(word)
    low += finish(
        held,
        bounds.asked_kwh - low if priced else 0.0,
        bounds.missing_price_per_kwh,
        bounds.value_per_kwh,
        gain_kwh,
        left_kwh,
        words,
        step_of,
        slope_of,
    )
    return np.nan if exceeded else low
