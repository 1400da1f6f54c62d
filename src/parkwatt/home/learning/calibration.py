"""How much wider than its past days a home's courses must be, learned from the home itself (split conformal prediction).

At up to 48 past moments, spread over the history, the energy of the next 12, 24 and 72 hours is told from what was known then,
for each set of tiers, and held against what was used. The score of a case is how far the outcome lies from the median, in
units of the band's own half (P50 to P90 above, P10 to P50 below), both as logarithms: 1 is the band's edge. The spread is
the score that 85 % of the cases do not exceed, with the finite sample's correction (n + 1)/n, as in Lei et al. 2018
(Distribution-free predictive inference for regression). That is five points more than lie between P10 and P90, since what
is to come differs from the past by more than the past's parts from each other (seasons, new habits), which conformal
prediction does not know of. To the cases belong four of score 3 that nobody measured: with little history the band is wider.

A course's power is then scaled, step by step, by (its energy so far / the median energy so far)^(spread − 1), so that its
energy lies about `spread` times as far from the median, as a logarithm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.home.learning.days import DAY_HOURS, CircuitDays

COVERED_SHARE: Final = 0.85
_HORIZONS_H: Final = (12, 24, 72)
_ORIGINS_MAX: Final = 48
_FIRST_DAYS: Final = 10
_COUNT: Final = 64
_SEED: Final = 20_240
_IMAGINED_COUNT: Final = 4
_IMAGINED_SCORE: Final = 3.0
_SPREAD_MIN: Final = 0.7
_SPREAD_MAX: Final = 3.0
_KNOWN_SHARE_MIN: Final = 0.9
_LEAST_KWH: Final = 0.05
_TOTAL_OVER_H: Final = 6.0
_SCALE_MAX: Final = 4.0


@dataclass(frozen=True, slots=True)
class Origin:
    """A moment in the table of days."""

    row: int
    hour: int


Told = Callable[[Origin, int, int, int], FloatArray]


def learned_spread(days: CircuitDays, tiers: FloatArray, told: Told) -> float:
    """The factor on the courses' spread.

    ``tiers`` [S, C]: sets of circuits. ``told(origin, hours, count, seed)``: the courses [N, C, hours] kW of a past moment.
    """
    if not tiers.shape[1]:
        return 1.0
    horizon = max(_HORIZONS_H)
    series = days.hourly_kw()
    last = days.today * DAY_HOURS - horizon
    first = _FIRST_DAYS * DAY_HOURS
    scores: list[float] = [_IMAGINED_SCORE] * _IMAGINED_COUNT
    if last > first:
        # 29 hours apart at least, so that each time of day has its turn.
        step = max((last - first) // _ORIGINS_MAX, DAY_HOURS + 5)
        for place in range(first, last, step):
            truth = series[place : place + horizon]
            if np.isfinite(truth).mean() >= _KNOWN_SHARE_MIN:
                origin = Origin(place // DAY_HOURS, place % DAY_HOURS)
                courses = told(origin, horizon, _COUNT, _SEED + place)
                scores += _scores(courses, truth.T, tiers)
    scores.sort()
    rank = int(np.ceil((len(scores) + 1) * COVERED_SHARE))
    return float(np.clip(scores[min(rank, len(scores)) - 1], _SPREAD_MIN, _SPREAD_MAX))


def _scores(courses_kw: FloatArray, truth_kw: FloatArray, tiers: FloatArray) -> list[float]:
    known = np.isfinite(truth_kw)
    happened = tiers @ np.cumsum(np.where(known, truth_kw, 0.0), axis=1)
    told = np.einsum("sc,nch->nsh", tiers, np.cumsum(courses_kw * known, axis=2))
    found = []
    for hours in _HORIZONS_H:
        for number in range(len(tiers)):
            outcome = float(happened[number, hours - 1])
            low, middle, high = np.quantile(told[:, number, hours - 1], (0.1, 0.5, 0.9))
            if middle > _LEAST_KWH and outcome > _LEAST_KWH:
                edge = high if outcome > middle else max(low, _LEAST_KWH)
                width = abs(float(np.log(edge / middle)))
                found.append(abs(float(np.log(outcome / middle))) / max(width, 0.01))
    return found


def spread_out(power_kw: FloatArray, step_h: FloatArray, spread: float) -> FloatArray:
    """Courses [N, C, T] of which the energy up to each step lies ``spread`` times as far from its median.

    ``step_h``: [T]. The first `_TOTAL_OVER_H` hours count as one, lest a kettle that boils first decide on the rest.
    """
    energy_kwh = np.cumsum(power_kw.sum(axis=1) * step_h, axis=1)
    first = min(int(np.searchsorted(np.cumsum(step_h), _TOTAL_OVER_H)), len(step_h) - 1)
    energy_kwh[:, :first] = energy_kwh[:, first : first + 1]
    middle_kwh = np.maximum(np.median(energy_kwh, axis=0), _LEAST_KWH)
    apart = np.clip(energy_kwh / middle_kwh, 1 / _SCALE_MAX, _SCALE_MAX)
    return np.asarray(power_kw * (apart ** (spread - 1.0))[:, np.newaxis, :])
