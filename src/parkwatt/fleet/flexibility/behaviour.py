"""What is expected of each car at each step of a coming day, from its own past and that of the others."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from parkwatt.fleet.flexibility.played import QUANTITIES, STEPS_OF_DAY, DayHeld, Fleet

SingleArray = NDArray[np.float32]
# A day that is four weeks old weighs half.
_HALF_LIFE_DAYS: Final = 28.0
# What others did weighs as much as so many days of a car's own.
_PRIOR_DAYS: Final = 4.0
KINDS_OF_DAY: Final = 2
# So much of what happened on the other kind of day counts, too: short pasts have few weekends.
_OTHER_KIND: Final = 0.15


class Behaviour:
    """Means by kind of day (workday, or weekend and holiday), step and car, older days less and less; the fold of days.

    A car's mean is drawn to that of all cars of its power where it has few days of its own.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        shape = (KINDS_OF_DAY, STEPS_OF_DAY, len(fleet.capacity_kwh))
        self._sums = {name: np.zeros(shape, np.float32) for name in QUANTITIES}
        self._days = np.zeros((KINDS_OF_DAY, len(fleet.capacity_kwh)), np.float32)
        self._last_day = -1

    def learn(self, day: int, kind: int, held: DayHeld) -> None:
        """Take in a day that is over."""
        keep = np.float32(0.5 ** (1.0 / _HALF_LIFE_DAYS))
        member = self._fleet.enrolled_day <= day
        self._last_day = day
        self._days *= keep
        for name, value in held._asdict().items():
            sums = self._sums[name]
            sums *= keep
            for other in range(KINDS_OF_DAY):
                sums[other] += value * np.float32(1.0 if other == kind else _OTHER_KIND)
        for other in range(KINDS_OF_DAY):
            self._days[other] += member * np.float32(1.0 if other == kind else _OTHER_KIND)

    def expected(self, kind: int) -> dict[str, SingleArray]:
        """[96] what all cars that are members by the last day that is known come to, by quantity."""
        member = self._fleet.enrolled_day <= self._last_day
        size = self._fleet.charge_kw_max * member
        days = self._days[kind]
        known = float((days * size).sum())
        found = {}
        for name, sums in self._sums.items():
            # What a kW of charger came to, of all cars and days.
            usual = (
                sums[kind].sum(axis=1, dtype=np.float64) / known
                if known > 0.0
                else np.zeros(STEPS_OF_DAY)
            )
            weight = days / (days + _PRIOR_DAYS)
            own = sums[kind] / np.maximum(days, np.float32(1e-9))
            mine = (own * (weight * member)).sum(axis=1, dtype=np.float64)
            found[name] = np.asarray(
                mine + usual * float(((1.0 - weight) * size).sum()), np.float32
            )
        return found
