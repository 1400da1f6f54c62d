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
from parkwatt.plan.batch.compiled import highest_bit, inlined, lowest_bit
from parkwatt.plan.batch.rankings import RankArray

WordArray = NDArray[np.uint64]

# Far below what a meter counts, far above what the arithmetic of a day's steps loses.
_ROUNDING_KWH = 1e-11
_ONE, _NONE = np.uint64(1), np.uint64(0)


class Bounds(NamedTuple):
    """What holds for the energy: from ``arrival_kwh``, at most ``cap_kwh``, at least ``floor_kwh`` and at the end ``asked_kwh``
    (NaN: nothing) as far as the segments allow; what is left is worth ``value_per_kwh``.
    """

    arrival_kwh: float
    cap_kwh: float
    floor_kwh: float
    asked_kwh: float
    value_per_kwh: float


@inlined
def _finish(
    held: np.uint64,
    value_per_kwh: float,
    gain_kwh: FloatArray,
    left_kwh: FloatArray,
    words: WordArray,
    up_slope: FloatArray,
    keep_slope: FloatArray,
    place_of: RankArray,
) -> float:
    """Use what is left where energy at the end is worth more, and empty the set; returns how much is used."""
    steps, used_kwh = len(gain_kwh), 0.0
    while held != _NONE:
        word = lowest_bit(held)
        held &= held - _ONE
        bits = words[word]
        words[word] = _NONE
        while bits != _NONE:
            rank = word * 64 + lowest_bit(bits)
            bits &= bits - _ONE
            place = place_of[rank]
            slope = keep_slope[place] if place < steps else up_slope[place - steps]
            if slope >= value_per_kwh:
                break
            gain_kwh[place if place < steps else place - steps] += left_kwh[rank]
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
    up_slope: FloatArray,
    keep_slope: FloatArray,
    charge_rank: RankArray,
    keep_rank: RankArray,
    place_of: RankArray,
) -> float:
    """Decide all segments of the steps [first, last); returns the energy at the end, NaN where the cap cannot hold.

    ``gain_kwh``: [T] what each step adds to the battery when none of its segments is used; becomes what it adds. ``up_kwh``,
    ``keep_kwh``: [T] lengths of the segments for charging and for not discharging, 0 for none. ``left_kwh`` [2T] and
    ``words``, empty before and after, are room to work. The rest is the car's `rankings.Ranking`.
    """
    steps = len(gain_kwh)
    low, width, exceeded = bounds.arrival_kwh, 0.0, False
    # Which words hold any segment.
    held = _NONE
    for step in range(first, last):
        up, keep = up_kwh[step], keep_kwh[step]
        if up > 0.0:
            rank = charge_rank[step]
            left_kwh[rank] = up
            words[rank >> 6] |= _ONE << np.uint64(rank & 63)
            held |= _ONE << np.uint64(rank >> 6)
        if keep > 0.0:
            rank = keep_rank[step]
            left_kwh[rank] = keep
            words[rank >> 6] |= _ONE << np.uint64(rank & 63)
            held |= _ONE << np.uint64(rank >> 6)
        low += gain_kwh[step]
        width += up + keep
        # The dearest are not used, where the energy would be above the cap.
        over = low + width - bounds.cap_kwh
        if over > _ROUNDING_KWH:
            width -= over
            exceeded = exceeded or width < -_ROUNDING_KWH
            width = max(width, 0.0)
            while over > _ROUNDING_KWH and held != _NONE:
                word = highest_bit(held)
                bit = highest_bit(words[word])
                left = left_kwh[word * 64 + bit]
                if left > over:
                    left_kwh[word * 64 + bit] = left - over
                    break
                over -= left
                words[word] ^= _ONE << np.uint64(bit)
                held ^= np.uint64(words[word] == _NONE) << np.uint64(word)
        # The cheapest are used, where it would be below what is to be kept.
        least = min(bounds.floor_kwh, low + width)
        if step == last - 1 and bounds.asked_kwh > least:
            least = min(bounds.asked_kwh, low + width)
        short = least - low
        if short > _ROUNDING_KWH:
            low += short
            width -= short
            while short > _ROUNDING_KWH and held != _NONE:
                word = lowest_bit(held)
                bit = lowest_bit(words[word])
                place = place_of[word * 64 + bit]
                place = place if place < steps else place - steps
                left = left_kwh[word * 64 + bit]
                if left > short:
                    left_kwh[word * 64 + bit] = left - short
                    gain_kwh[place] += short
                    break
                gain_kwh[place] += left
                short -= left
                words[word] ^= _ONE << np.uint64(bit)
                held ^= np.uint64(words[word] == _NONE) << np.uint64(word)
    low += _finish(
        held, bounds.value_per_kwh, gain_kwh, left_kwh, words, up_slope, keep_slope, place_of
    )
    return np.nan if exceeded else low
