"""Which past days stand for the coming ones: whole days are drawn, all circuits together, for what goes together stays so.

The weight of a past day for a coming one is the product of

- age and season: 2^(−age / 90 d) · exp(−½·(distance in the year / 21 d)²);
- kind of day: 1 for the same (weekday, Saturday, Sunday or holiday), 0.3 between Saturday and Sunday, else 0.1;
- the share of circuits known on it;
- for the day of now: how like the last 3 and 24 hours before this hour were, exp(−½·(difference / half a standard deviation)²)
  each, at least 0.02. Where that leaves fewer than eight days' worth of weight, (Σw)² / Σw², or half of what there was, its
  root is taken, and again, and at last none of it: a few days that fit by chance are no band.

The second and each later day of a course is the day that followed the one drawn, four times of five, where it is of the
same kind: cold spells and holidays last. Otherwise it is drawn anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray
from parkwatt.forecast.local_time import SATURDAY, SUNDAY
from parkwatt.home.learning.days import DAY_HOURS, CircuitDays

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_HALF_LIFE_DAYS: Final = 90.0
_SEASON_DAYS: Final = 21.0
_YEAR_DAYS: Final = 365.25
_WEEKEND_WEIGHT: Final = 0.3
_OTHER_KIND_WEIGHT: Final = 0.1
_LIKENESS_MIN: Final = 0.02
_BANDWIDTH: Final = 0.5
_DAYS_WORTH_MIN: Final = 8.0
_LIKENESS_POWERS: Final = (1.0, 0.5, 0.25, 0.125)
_FOLLOWS_SHARE: Final = 0.8
_LOOKS_BACK_HOURS: Final = (3, 24)


@dataclass(frozen=True, slots=True, eq=False)
class Analogues:
    """Draws past days as at hour ``hour`` of row ``today``: rows before it are over, and no other is read.

    ``recent_kw``: [24, C] the last 24 hours, the latest at the end, NaN where unknown.
    """

    days: CircuitDays
    today: int
    hour: int
    recent_kw: FloatArray

    def draw(self, kinds: Sequence[int], count: int, random: np.random.Generator) -> IntArray:
        """[count, J, C] for each course, each of J coming days (the first is today) and each circuit a past row.

        A circuit that is unknown on the course's day has another day of its own. -1 where a circuit is known on none.
        """
        known = self.days.known[: self.today]
        if not known.any():
            return np.full((count, len(kinds), known.shape[1]), -1, dtype=np.int64)
        likeness = self._likeness()
        rows = np.empty((count, len(kinds), known.shape[1]), dtype=np.int64)
        joint = np.empty((count, 0), dtype=np.int64)
        for number, kind in enumerate(kinds):
            weights = self._weights(number, kind)
            if number == 0:
                weights = _tempered(weights, likeness)
            drawn = _choice(weights * known.mean(axis=1), count, random)
            if number:
                drawn = self._following(joint[:, -1], drawn, kind, known, random)
            joint = np.column_stack((joint, drawn))
            rows[:, number] = _own_days(drawn, weights, known, random)
        return rows

    def _weights(self, ahead: int, kind: int) -> FloatArray:
        age = self.today - np.arange(self.today, dtype=np.float64)
        apart = np.abs(age + ahead) % _YEAR_DAYS
        apart = np.minimum(apart, _YEAR_DAYS - apart)
        weights = 0.5 ** (age / _HALF_LIFE_DAYS) * np.exp(-0.5 * (apart / _SEASON_DAYS) ** 2)
        past = self.days.kinds[: self.today]
        weekend = (past >= SATURDAY) & (kind in (SATURDAY, SUNDAY))
        of_kind = np.where(weekend, _WEEKEND_WEIGHT, _OTHER_KIND_WEIGHT)
        return np.asarray(weights * np.where(past == kind, 1.0, of_kind) + 1e-12)

    def _likeness(self) -> FloatArray:
        """[today] how like the hours before this hour of past days were to the last ones."""
        result = np.ones(self.today)
        seen = np.isfinite(self.recent_kw).sum(axis=0) >= DAY_HOURS // 2
        if self.today < 2 or not seen.any():
            return result
        total = self.days.filled_kw[: self.today + 1][:, :, seen].sum(axis=2).ravel()
        cumulated = np.concatenate(([0.0], np.cumsum(total)))
        ends = np.arange(self.today) * DAY_HOURS + self.hour
        whole: BoolArray = np.all(self.days.known[: self.today][:, seen], axis=1)
        whole[1:] &= whole[:-1].copy()
        whole[0] = False
        if whole.sum() < 2:
            return result
        for hours in _LOOKS_BACK_HOURS:
            recent = self.recent_kw[-hours:][:, seen]
            if not np.isfinite(recent).all():
                continue
            past = cumulated[ends] - cumulated[np.maximum(ends - hours, 0)]
            spread = float(np.std(past[whole])) * _BANDWIDTH
            if spread > 0:
                apart = (past - float(recent.sum())) / spread
                kernel = np.maximum(np.exp(-0.5 * apart**2), _LIKENESS_MIN)
                result *= np.where(whole, kernel, _LIKENESS_MIN)
        return result

    def _following(
        self,
        before: IntArray,
        drawn: IntArray,
        kind: int,
        known: BoolArray,
        random: np.random.Generator,
    ) -> IntArray:
        following = np.minimum(before + 1, self.today - 1)
        fits = (before + 1 < self.today) & (self.days.kinds[following] == kind)
        fits &= known[following].any(axis=1) & (random.random(len(before)) < _FOLLOWS_SHARE)
        return np.where(fits, following, drawn)


def _tempered(weights: FloatArray, likeness: FloatArray) -> FloatArray:
    """``weights`` times as much of the likeness as leaves enough days."""
    enough = min(_DAYS_WORTH_MIN, _days_worth(weights) / 2)
    for power in _LIKENESS_POWERS:
        both = weights * likeness**power
        if _days_worth(both) >= enough:
            return np.asarray(both)
    return weights


def _days_worth(weights: FloatArray) -> float:
    """Kish's effective sample size."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def _choice(weights: FloatArray, count: int, random: np.random.Generator) -> IntArray:
    """[count] places by weight, spread evenly over the cumulated weight (systematic sampling), in random order."""
    cumulated = np.cumsum(weights)
    if not cumulated.size or cumulated[-1] <= 0:
        return np.full(count, -1, dtype=np.int64)
    points = (np.arange(count) + random.random()) / count * cumulated[-1]
    places = np.searchsorted(cumulated, points, side="right")
    return random.permutation(np.minimum(places, len(weights) - 1)).astype(np.int64)


def _own_days(
    drawn: IntArray, weights: FloatArray, known: BoolArray, random: np.random.Generator
) -> IntArray:
    """[count, C] the row drawn, or another where a circuit is unknown on it."""
    rows = np.repeat(drawn[:, np.newaxis], known.shape[1], axis=1)
    for circuit in range(known.shape[1]):
        lacking = ~known[drawn, circuit]
        if lacking.any():
            rows[lacking, circuit] = _choice(
                weights * known[:, circuit], int(lacking.sum()), random
            )
    return rows
