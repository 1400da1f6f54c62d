"""How sure a forecast is: what a pool came to on days before, as shares of what had been expected of those.

The shares of earlier days are what a day's share is drawn from: a bound that k of n of them fall below holds with a probability
of at least 1 − k / (n + 1) where days may be exchanged for one another (split conformal prediction: Vovk, Gammerman and Shafer
2005, Algorithmic Learning in a Random World). Days may not always be exchanged: so a margin follows what was missed (after
Gibbs and Candès 2021, Adaptive conformal inference under distribution shift, there on the probability, here on the bound
itself).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
_LOOK_BACK_DAYS: Final = 56
LEAST_DAYS: Final = 28
# What is aimed at is a little less than what may be missed, so that few days do not decide.
_AIMS_AT: Final = 0.5
_FOLLOWS: Final = 0.2
_MARGIN_FIRST: Final = 0.75
_MARGIN_LEAST: Final = 0.3
_LITTLE: Final = 1e-9


class Shares:
    """What came of what was expected: for each of C quantities that are forecast together (blocks of a day, or steps), a share
    a day. Days are taken in in order, when they are over.
    """

    def __init__(self, count: int, missed_share: float) -> None:
        self._shares: list[FloatArray] = []
        self._count = count
        self._missed_share = missed_share
        self._margin = _MARGIN_FIRST

    def learn(self, expected: FloatArray, came: FloatArray) -> None:
        """Take in a day: [C] what had been expected, and what came. What was expected to be nothing says nothing (NaN)."""
        before = self.factors()
        some = expected > _LITTLE
        share = np.where(some, came / np.where(some, expected, 1.0), np.nan)
        self._shares.append(np.asarray(share, float))
        if before is None:
            return
        judged = some & (before > 0.0)
        if judged.any():
            missed = float((share[judged] < before[judged] - _LITTLE).mean())
            follows = self._margin + _FOLLOWS * (_AIMS_AT * self._missed_share - missed)
            self._margin = float(np.clip(follows, _MARGIN_LEAST, 1.0))

    def factors(self) -> FloatArray | None:
        """[C] by what to multiply what is expected, so that less comes with at most the probability that was asked for; None:
        too few days are known.
        """
        found = self.quantiles(self._missed_share)
        return None if found is None else found * self._margin

    def quantiles(self, probability: float) -> FloatArray | None:
        """[C] the share below which a day falls with at most ``probability``; 0 where too few days are known for it."""
        past = self.past()
        if past is None:
            return None
        past = np.sort(past, axis=0)  # NaN last
        known = (~np.isnan(past)).sum(axis=0)
        place = np.floor((known + 1) * probability).astype(np.int64) - 1
        found = past[np.clip(place, 0, len(past) - 1), np.arange(self._count)]
        return np.asarray(np.where((place < 0) | (known < LEAST_DAYS), 0.0, found))

    def past(self) -> FloatArray | None:
        """[n, C] the shares that count; None: too few."""
        if len(self._shares) < LEAST_DAYS:
            return None
        return np.array(self._shares[-_LOOK_BACK_DAYS:])
