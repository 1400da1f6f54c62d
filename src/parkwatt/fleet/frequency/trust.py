"""Which cars may hold a reserve: those whose meters show what they were told."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_OFF_KW: Final = 0.5
_OFF_SHARE: Final = 0.1
_STRIKES: Final = 3
_OUT_S: Final = 1800.0


class Trust(NamedTuple):
    """[N] ``strikes``: readings in a row that were off; ``out_until_s``: until when a car holds nothing."""

    strikes: NDArray[np.int64]
    out_until_s: FloatArray

    def takes_part(self, now_s: float) -> BoolArray:
        """[N] who may hold a reserve."""
        return self.out_until_s <= now_s


def begin(count: int) -> Trust:
    """Everyone is trusted."""
    return Trust(np.zeros(count, np.int64), np.full(count, -np.inf))


def looked(
    trust: Trust, read_kw: FloatArray, low_kw: FloatArray, high_kw: FloatArray, now_s: float
) -> Trust:
    """After a look at readings [N] (NaN: none, which says nothing), held against the least and the most that a car that does
    as it is told could have shown.

    Three in a row that are off by more than 0.5 kW or a tenth: it is out for half an hour, and then tried again. A charger
    that is out is not waited for: what it held is shared among others with the next look.
    """
    may_kw = np.maximum(_OFF_KW, _OFF_SHARE * np.maximum(np.abs(low_kw), np.abs(high_kw)))
    off = (read_kw < low_kw - may_kw) | (read_kw > high_kw + may_kw)
    strikes = np.where(np.isnan(read_kw), trust.strikes, np.where(off, trust.strikes + 1, 0))
    out = strikes >= _STRIKES
    return Trust(np.where(out, 0, strikes), np.where(out, now_s + _OUT_S, trust.out_until_s))
