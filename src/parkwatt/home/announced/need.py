"""The energy that an outage takes, over many courses of load and sun.

Backwards from the outage's end: what must be in the battery at the start of a step is what must be there at its end, plus
what the house takes in it, less what the sun gives; never less than nothing, for sun that comes too early helps nobody.
Surplus sun goes through the battery and comes back less its losses. Where the battery would have to hold more later than at
the start, and more than it can, no energy at the start suffices: hence the peak. All energies are at the house's side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

# A need that is just met is met, whatever the order of the sums.
_ROUNDING_KWH: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Demand:
    """Courses of what the house would take and the sun would give, in steps of ``step_s`` from ``start_unix_s`` on.

    ``load_kw``, ``solar_kw``: [courses, steps]; no solar is None. Circuits that are shed in an outage are not in it.
    """

    start_unix_s: int
    step_s: int
    load_kw: FloatArray
    solar_kw: FloatArray | None = None

    def __post_init__(self) -> None:
        """Raises ValueError where the shapes do not fit, there is no course, or a power is negative or unknown."""
        arrays = [self.load_kw] if self.solar_kw is None else [self.load_kw, self.solar_kw]
        if self.load_kw.ndim != 2 or self.load_kw.size == 0 or self.step_s <= 0:
            raise ValueError("a demand has courses and steps")
        if any(one.shape != self.load_kw.shape for one in arrays):
            raise ValueError("load_kw and solar_kw have the same courses and steps")
        if not all(bool(np.all(one >= 0.0) and np.all(np.isfinite(one))) for one in arrays):
            raise ValueError("powers are known and not negative")

    @property
    def end_unix_s(self) -> int:
        """The end of the last step."""
        return self.start_unix_s + self.step_s * int(self.load_kw.shape[1])

    def taken_kwh(self, standby_kw: float, round_trip_efficiency: float) -> FloatArray:
        """What each step takes from the battery; negative: what it brings. [courses, steps]"""
        solar_kw = 0.0 if self.solar_kw is None else self.solar_kw
        net_kw = self.load_kw + standby_kw - solar_kw
        stored_kw = np.where(net_kw < 0.0, net_kw * round_trip_efficiency, net_kw)
        return np.asarray(stored_kw * (self.step_s / 3600.0), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Needs:
    """By course [courses]: what must be in the battery at an outage's start, and the most that must ever be in it."""

    start_kwh: FloatArray
    peak_kwh: FloatArray


def outage_needs(taken_kwh: FloatArray, start_count: int, step_count: int) -> Needs:
    """The most that any outage of ``step_count`` steps needs that starts with one of the first ``start_count``.

    ``taken_kwh``: [courses, steps], of exactly ``start_count + step_count - 1`` steps. Raises ValueError otherwise.
    """
    courses, steps = taken_kwh.shape
    if steps != start_count + step_count - 1:
        raise ValueError("the outages that are looked at take all steps, and no more")
    need_kwh = np.zeros((courses, start_count))
    peak_kwh = np.zeros(courses)
    for step in range(step_count - 1, -1, -1):
        need_kwh = np.maximum(0.0, need_kwh + taken_kwh[:, step : step + start_count])
        peak_kwh = np.maximum(peak_kwh, need_kwh.max(axis=1))
    return Needs(np.asarray(need_kwh.max(axis=1), dtype=np.float64), peak_kwh)


def lasts_s(
    taken_kwh: FloatArray, step_s: int, stored_kwh: float, capacity_kwh: float
) -> FloatArray:
    """How long ``stored_kwh`` carries the house from the first step on, at most to the last. -> [courses]

    What the sun brings is stored up to ``capacity_kwh``.
    """
    courses, steps = taken_kwh.shape
    left_kwh, carried_s = np.full(courses, stored_kwh), np.zeros(courses)
    is_on = np.ones(courses, dtype=bool)
    for step in range(steps):
        taken = taken_kwh[:, step]
        share = np.where(taken > left_kwh + _ROUNDING_KWH, left_kwh / np.maximum(taken, 1e-12), 1.0)
        carried_s += np.where(is_on, share * step_s, 0.0)
        is_on &= share >= 1.0
        left_kwh = np.clip(left_kwh - taken, 0.0, capacity_kwh)
    return carried_s
