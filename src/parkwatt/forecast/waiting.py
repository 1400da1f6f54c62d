"""How long a spell (the car plugged in, or away) still lasts: a hazard learned from similar past spells.

Past spells are laid over the current one in two ways: with the same time on the wall clock (who leaves at 07:30
leaves at 07:30, however late the car came home) and with the same duration (a short stop is a short stop at any hour).
Each carries a weight: alike in the hour of its start, in the kind of the next day, in the weekday, and recent. The
weights that end in each quarter of an hour, smoothed, are the expected ends d; those that last until it are the
spells at risk R. The chance to end in a quarter that has been reached is

    q = (d + c·q₀) / (R + c)

with q₀ the habit of a population at that hour and kind of day, worth c spells. It is the posterior mean of a hazard with
a conjugate (Beta) prior: a short history leans on the population and so is wide; a long one still leaves the chance of
an early end above zero, however regular it was (the least of 50 past ends is no 1 % quantile); and that the spell has
lasted until now needs no formula of its own, since only what is still at risk counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeArray
from parkwatt.forecast.local_time import DAY_S, HOUR_S, WEEKDAY, LocalClock, weekday

BIN_S: Final = 900
_HORIZON_BINS: Final = 7 * DAY_S // BIN_S
_LEAD_BINS: Final = 8  # before now: what is smoothed from there over now belongs to now
_SPELLS_MAX: Final = 500  # the latest are kept: older habits are long forgotten

# A day of spells turns at 04:00: who comes home at 01:00 belongs to the evening before.
_TURN_S: Final = 4 * HOUR_S

_PRIOR_SPELLS: Final = 1.0
_HALF_LIFE_DAYS: Final = 120.0
_START_SCALE_S: Final = 1.5 * HOUR_S
_OTHER_NEXT_KIND: Final = 0.1
_OTHER_WEEKDAY: Final = 0.85
_DURATION_SHARE: Final = 0.1
_SMOOTHING_BINS: Final = 1


@dataclass(frozen=True, slots=True, eq=False)
class WaitingTime:
    """The distribution of when the current spell ends.

    ``edges_local_s``: [B+1] seconds on the local wall clock, from now on; ``cdf``: [B+1] the chance that it has ended by then.
    """

    clock: LocalClock
    edges_local_s: TimeArray
    cdf: FloatArray

    def quantile_unix_s(self, probability: float) -> int:
        """The instant by which the spell has ended with ``probability``; the horizon's end (7 days) where that is later."""
        place = int(self.cdf.searchsorted(probability))
        if place == 0:
            return self.clock.unix_s(int(self.edges_local_s[0]))
        if place == len(self.cdf):
            return self.clock.unix_s(int(self.edges_local_s[-1]))
        low, high = float(self.cdf[place - 1]), float(self.cdf[place])
        part = (probability - low) / (high - low)
        return self.clock.unix_s(int(self.edges_local_s[place - 1]) + int(part * BIN_S))

    def probability_by(self, times_unix_s: TimeArray) -> FloatArray:
        """[N] the chance that the spell has ended by each instant."""
        local = self.clock.local_s(times_unix_s)
        return np.asarray(np.interp(local, self.edges_local_s, self.cdf), dtype=np.float64)


class Spells:
    """Past spells of one car, and the waiting time that they teach.

    ``start_unix_s``, ``end_unix_s``: [N], each ends after it starts. ``hazard_per_h``: [2, 24] the population's chance per hour
    to end, on weekdays and on other days, by local hour.
    """

    def __init__(
        self,
        start_unix_s: TimeArray,
        end_unix_s: TimeArray,
        clock: LocalClock,
        hazard_per_h: FloatArray,
    ) -> None:
        order = np.argsort(end_unix_s, kind="stable")
        start, end = start_unix_s[order], end_unix_s[order]
        self._clock = clock
        self._end_unix_s = end
        turned_s = clock.local_s(start) - _TURN_S
        self._day = turned_s // DAY_S
        self._start_s = turned_s - self._day * DAY_S
        self._end_s = clock.local_s(end) - _TURN_S - self._day * DAY_S
        self._duration_s = end - start
        self._next_free = clock.kind_of_day(self._day + 1) != WEEKDAY
        self._weekday = weekday(self._day)
        self._hazard = -np.expm1(-hazard_per_h * (BIN_S / HOUR_S)).ravel()

    def known(self, now_unix_s: int) -> int:
        """How many spells had ended by ``now``."""
        return int(self._end_unix_s.searchsorted(now_unix_s, side="right"))

    def waiting(
        self, now_unix_s: int, since_unix_s: int, known_at_unix_s: int | None = None
    ) -> WaitingTime:
        """When the spell that began at ``since_unix_s`` and lasts at ``now_unix_s`` will end.

        ``known_at_unix_s``: what had ended by then teaches; earlier than ``now`` where the spell itself is still expected.
        """
        now_local_s = self._clock.scalar_local_s(now_unix_s)
        edges = now_local_s + BIN_S * np.arange(_HORIZON_BINS + 1, dtype=np.int64)
        known = self.known(now_unix_s if known_at_unix_s is None else known_at_unix_s)
        ends, at_risk = self._ends_and_at_risk(known, now_unix_s, now_local_s, since_unix_s)
        habit = self._habit(edges[:-1])
        chance = (ends + _PRIOR_SPELLS * habit) / (at_risk + _PRIOR_SPELLS)
        cdf = np.zeros(_HORIZON_BINS + 1)
        cdf[1:] = 1.0 - np.cumprod(1.0 - chance)
        return WaitingTime(self._clock, edges, cdf)

    def _habit(self, local_s: TimeArray) -> FloatArray:
        days = local_s // DAY_S
        first = int(days[0])
        kinds = self._clock.kind_of_day(np.arange(first, int(days[-1]) + 1, dtype=np.int64))
        hours = (local_s - days * DAY_S) // HOUR_S
        index = np.where(kinds[days - first] != WEEKDAY, 24, 0) + hours
        return np.asarray(self._hazard[index], dtype=np.float64)

    def _ends_and_at_risk(
        self, stop: int, now_unix_s: int, now_local_s: int, since_unix_s: int
    ) -> tuple[FloatArray, FloatArray]:
        """([B] smoothed weight that ends in each bin, [B] weight that lasts until its start), of the first ``stop``."""
        recent = slice(max(stop - _SPELLS_MAX, 0), stop)
        since_s = self._clock.scalar_local_s(since_unix_s) - _TURN_S
        day, start_s = divmod(since_s, DAY_S)
        weight = self._weights(recent, day, start_s)
        by_clock_s = self._end_s[recent] + (day * DAY_S + _TURN_S - now_local_s)
        by_duration_s = self._duration_s[recent] - (now_unix_s - since_unix_s)
        bins = np.concatenate((by_clock_s, by_duration_s)) // BIN_S + _LEAD_BINS
        weights = np.concatenate(((1.0 - _DURATION_SHARE) * weight, _DURATION_SHARE * weight))
        ahead = bins >= 0
        last = _LEAD_BINS + _HORIZON_BINS  # holds whatever ends past the horizon
        size = last + 1
        count = np.bincount(np.minimum(bins[ahead], last), weights[ahead], minlength=size)
        smooth = np.convolve(count, _KERNEL, mode="same")
        at_risk = np.cumsum(smooth[::-1])[::-1]
        return smooth[_LEAD_BINS:last], at_risk[_LEAD_BINS:last]

    def _weights(self, recent: slice, day: int, start_s: int) -> FloatArray:
        """[N] how much each past spell is like one that starts ``start_s`` into ``day``; 1 = just like it, today."""
        days = np.array([day, day + 1], dtype=np.int64)
        next_free = self._clock.kind_of_day(days)[1] != WEEKDAY
        weight = 0.5 ** ((day - self._day[recent]) / _HALF_LIFE_DAYS)
        weight *= np.exp(-np.abs(self._start_s[recent] - start_s) / _START_SCALE_S)
        weight *= np.where(self._next_free[recent] == next_free, 1.0, _OTHER_NEXT_KIND)
        weight *= np.where(self._weekday[recent] == weekday(days)[0], 1.0, _OTHER_WEEKDAY)
        return np.asarray(weight)


def _triangle(half_width: int) -> FloatArray:
    """A triangular kernel of total weight 1 over 2·half_width + 1 bins."""
    rise = half_width + 1.0 - np.abs(np.arange(-half_width, half_width + 1))
    return np.asarray(rise / rise.sum())


_KERNEL: Final = _triangle(_SMOOTHING_BINS)
