"""What a battery holds, from charge sessions: the energy that was metered over the rise of its state of charge.

A *rise* is a span of one stay in which the state of charge only rose and nothing was given. What the charger metered meanwhile,
less the charging loss, over the rise is the capacity. Over all rises Σ energy / Σ rise: long rises count by their length, and a
rise that is off by a few per cents of one charge moves little.

The error is twice the standard error of that ratio, by how the rises scatter about it (W. G. Cochran, Sampling Techniques, 3rd
ed., 1977, section 6.4), at least what whole per cents cost by rounding alone, together with 2 % for the charging loss, which is
that of the settings and never seen apart from the capacity.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from parkwatt.site.account.curve import Curve
from parkwatt.site.account.soc import SocReadings

_US: Final = 1_000_000
# Shorter rises say little: whole per cents are rounded at both ends.
RISE_LEAST: Final = 0.1
# So many rises, of so many full charges together, are asked for before anything is told.
RISES_LEAST: Final = 4
CHARGES_LEAST: Final = 1.0
# A rise whose capacity lies further off the median is a false state of charge.
_OFF_SHARE: Final = 0.3
_GIVEN_KWH: Final = 0.02
_GUESSED_SHARE: Final = 0.05
# Two ends, each rounded to a per cent: the standard deviation of their difference.
_ROUNDED: Final = 0.01 * math.sqrt(2.0 / 12.0)
_EFFICIENCY_SHARE: Final = 0.02


@dataclass(frozen=True, slots=True)
class SocRise:
    """One rise. ``metered_kwh``: at the charger."""

    start_unix_s: int
    end_unix_s: int
    soc_from: float
    soc_to: float
    metered_kwh: float

    @property
    def rise(self) -> float:
        """By how much the charge rose."""
        return self.soc_to - self.soc_from


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """``capacity_kwh``, within ``error_kwh`` in 19 of 20 cases; both None where there is too little to tell: not known yet.

    ``rise_count``: how many charge sessions it stands on, of ``charges`` full charges together.
    """

    capacity_kwh: float | None = None
    error_kwh: float | None = None
    rise_count: int = 0
    charges: float = 0.0


def soc_rises(
    told: SocReadings,
    spans_unix_s: Sequence[tuple[int, int]],
    imported: Curve | None,
    exported: Curve | None,
) -> list[SocRise]:
    """The rises within these stays, in order of time; ``imported``, ``exported``: what passed at the charger."""
    if imported is None or not imported.known:
        return []
    at = np.array(told.at_unix_us, dtype=np.int64)
    soc = np.array(told.soc, dtype=np.float64)
    found: list[SocRise] = []
    for start_unix_s, end_unix_s in sorted(spans_unix_s):
        first, last = np.searchsorted(at, [start_unix_s * _US, end_unix_s * _US + _US]).tolist()
        if last - first > 1:
            found += _rises(at[first:last], soc[first:last], imported, exported)
    return found


def _rises(
    at: NDArray[np.int64], soc: NDArray[np.float64], imported: Curve, exported: Curve | None
) -> list[SocRise]:
    """The rises of one stay."""
    metered = imported.until_us(at)
    guessed = imported.guessed_until_us(at)
    given = np.zeros(len(at)) if exported is None else exported.until_us(at)
    ends_here = (np.diff(soc) < -1e-9) | (np.diff(given) > _GIVEN_KWH)
    bounds = [0, *(np.flatnonzero(ends_here) + 1).tolist(), len(at)]
    found = []
    for begin, end in pairwise(bounds):
        # What goes in once the highest charge is shown (balancing, a full battery) belongs to no rise.
        top = begin + int(np.argmax(soc[begin:end]))
        rise = SocRise(
            int(at[begin] // _US),
            int(at[top] // _US),
            float(soc[begin]),
            float(soc[top]),
            float(metered[top] - metered[begin]),
        )
        sure = float(guessed[top] - guessed[begin]) <= _GUESSED_SHARE * rise.metered_kwh
        if rise.rise >= RISE_LEAST and rise.metered_kwh > 0 and sure:
            found.append(rise)
    return found


def estimated_capacity(rises: Iterable[SocRise], charge_efficiency: float) -> Capacity:
    """The capacity that the rises tell."""
    kept = _plausible(list(rises))
    rise = np.array([one.rise for one in kept])
    energy_kwh = np.array([one.metered_kwh for one in kept]) * charge_efficiency
    count, charges = len(kept), float(rise.sum())
    if count < RISES_LEAST or charges < CHARGES_LEAST:
        return Capacity(rise_count=count, charges=charges)
    capacity_kwh = float(energy_kwh.sum()) / charges
    off_kwh = energy_kwh - capacity_kwh * rise
    scatter_kwh = math.sqrt(count / (count - 1) * float(off_kwh @ off_kwh)) / charges
    rounding_kwh = capacity_kwh * _ROUNDED * math.sqrt(count) / charges
    error_kwh = math.hypot(2.0 * max(scatter_kwh, rounding_kwh), _EFFICIENCY_SHARE * capacity_kwh)
    return Capacity(
        capacity_kwh=capacity_kwh, error_kwh=error_kwh, rise_count=count, charges=charges
    )


def _plausible(rises: list[SocRise]) -> list[SocRise]:
    if not rises:
        return []
    ratios = [one.metered_kwh / one.rise for one in rises]
    middle = float(np.median(ratios))
    pairs = zip(rises, ratios, strict=True)
    return [one for one, ratio in pairs if abs(ratio - middle) <= _OFF_SHARE * middle]
