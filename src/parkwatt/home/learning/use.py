"""What a home's circuits will use, as courses drawn from what they used: the learned part of how long it lasts.

`LearnedUse.scenarios` puts whole past days together (see `analogues`), starts them from what runs now, and spreads them so that
the home's own past would have been covered (see `calibration`). A circuit with d < 7 known days is not known yet: it
follows its past in d of 7 courses and a typical use with a wide band in the others (see `typical`).

What runs now lasts by habit: with ρ the correlation of a circuit's power from one hour to the next, learned, a course is
moved by ρ^(hours ahead) times what it lacks now, and never below 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.home.circuit import Circuit
from parkwatt.domain.record import FloatArray
from parkwatt.forecast.local_time import HOUR_S, LocalClock
from parkwatt.home.learning.analogues import Analogues
from parkwatt.home.learning.calibration import Origin, learned_spread, spread_out
from parkwatt.home.learning.days import DAY_HOURS, CircuitDays
from parkwatt.home.learning.history import CircuitHistory
from parkwatt.home.learning.sentences import sentences
from parkwatt.home.learning.typical import typical_kw

KNOWN_DAYS_MIN: Final = 7
_PERSISTENCE_MAX: Final = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class LearnedUse:
    """The use of ``circuits`` in a home, as far as it was known at ``now_unix_s``.

    ``spread``: by how much wider than the past days the courses are, learned. ``persistence``: [C] correlation of an hour with
    the one before.
    """

    circuits: tuple[Circuit, ...]
    days: CircuitDays
    now_unix_s: int
    spread: float
    persistence: FloatArray

    @classmethod
    def of(
        cls,
        history: CircuitHistory,
        circuits: Sequence[Circuit],
        time_zone: str,
        now_unix_s: int,
        holidays: Iterable[date] = (),
    ) -> Self:
        """Learns from all hours that ended by ``now_unix_s``. Takes some tenths of a second: once an hour is enough.

        ``holidays``: local dates that count as Sundays. Raises ValueError for an unknown time zone.
        """
        clock = LocalClock.of(time_zone, holidays)
        days = CircuitDays.of(history, [one.circuit_id for one in circuits], clock, now_unix_s)
        plain = cls(tuple(circuits), days, now_unix_s, 1.0, _persistence(days))
        return replace(plain, spread=learned_spread(days, plain.tiers(), plain.past_kw))

    @property
    def known_days(self) -> NDArray[np.int64]:
        """[C] on how many days each circuit was measured."""
        return np.asarray(self.days.known[: self.days.today].sum(axis=0), dtype=np.int64)

    def knows(self, circuit_id: str) -> bool:
        """Whether a circuit was measured on at least seven days."""
        ids = [one.circuit_id for one in self.circuits]
        return bool(self.known_days[ids.index(circuit_id)] >= KNOWN_DAYS_MIN)

    def words(self) -> tuple[str, ...]:
        """What was learned, a sentence a circuit, and what is not known yet."""
        return sentences(self.circuits, self.days, self.known_days, KNOWN_DAYS_MIN)

    def tiers(self) -> FloatArray:
        """[3, C] must-have, with nice-to-have, all: 1.0 where a circuit belongs."""
        ranks = {"must_have": 0, "nice_to_have": 1, "not_needed": 2}
        own = np.array([ranks[one.tier] for one in self.circuits], dtype=np.int64)
        return (own[np.newaxis] <= np.arange(3)[:, np.newaxis]).astype(np.float64)

    def scenarios(
        self,
        start_unix_s: int,
        step_s: int,
        step_count: int,
        count: int,
        seed: int,
        running_kw: Mapping[str, float] | None = None,
    ) -> FloatArray:
        """[count, C, step_count] kW: courses of each circuit were it on all the time, from ``start_unix_s`` on.

        ``running_kw``: by circuit, the mean power of the last hour where it was on; without it the history's last hour counts.
        """
        starts = start_unix_s + step_s * np.arange(step_count, dtype=np.int64)
        return self.courses_kw(starts + step_s // 2, start_unix_s, count, seed, running_kw)

    def courses_kw(
        self,
        times_unix_s: NDArray[np.int64],
        start_unix_s: int,
        count: int,
        seed: int,
        running_kw: Mapping[str, float] | None = None,
    ) -> FloatArray:
        """[count, C, T] kW at ``times_unix_s`` [T], none before ``start_unix_s``: `scenarios` for steps of any lengths."""
        running = np.array(
            [(running_kw or {}).get(one.circuit_id, np.nan) for one in self.circuits]
        )
        place = self.days.cells(np.array([start_unix_s]))
        today, hour = int(place[0][0]), int(place[1][0])
        # What is asked for a later day starts from nothing that is known: no hour is recent.
        origin = Origin(min(today, self.days.today), hour if today == self.days.today else 0)
        recent = self._recent_kw(origin, running, start_unix_s)
        random = np.random.default_rng(seed)
        cells = self.days.cells(times_unix_s)
        power_kw = self._drawn_kw(origin, cells, recent, count, random)
        ahead_h: FloatArray = (times_unix_s - start_unix_s) / float(HOUR_S)
        power_kw = self._carried_on(power_kw, recent[-1], ahead_h)
        power_kw = spread_out(power_kw, _lengths_h(times_unix_s), self.spread)
        return self._with_unknown(power_kw, count, random)

    def past_kw(self, origin: Origin, hours: int, count: int, seed: int) -> FloatArray:
        """[count, C, hours] kW: what would have been drawn at a past hour, without spread."""
        first = origin.row * DAY_HOURS + origin.hour
        places = first + np.arange(hours, dtype=np.int64)
        cells = places // DAY_HOURS, places % DAY_HOURS
        recent = self._measured(first)
        random = np.random.default_rng(seed)
        power_kw = self._drawn_kw(origin, cells, recent, count, random)
        return self._carried_on(power_kw, recent[-1], np.arange(hours, dtype=np.float64) + 0.5)

    def _measured(self, first: int) -> FloatArray:
        """[24, C] the hours before hour ``first`` of the table."""
        series = self.days.hourly_kw()
        recent = np.full((DAY_HOURS, len(self.circuits)), np.nan)
        before = series[max(first - DAY_HOURS, 0) : first]
        if len(before):
            recent[-len(before) :] = before
        return recent

    def _recent_kw(self, origin: Origin, running: FloatArray, start_unix_s: int) -> FloatArray:
        recent = self._measured(origin.row * DAY_HOURS + origin.hour)
        if start_unix_s - self.now_unix_s >= 2 * HOUR_S:
            recent[:] = np.nan  # the last hours of the history are not the last hours
        recent[-1] = np.where(np.isfinite(running), running, recent[-1])
        return recent

    def _drawn_kw(
        self,
        origin: Origin,
        cells: tuple[NDArray[np.int64], NDArray[np.int64]],
        recent_kw: FloatArray,
        count: int,
        random: np.random.Generator,
    ) -> FloatArray:
        """[count, C, T] what the days drawn used in each step; 0 for circuits that are known on no day."""
        coming = np.arange(int(cells[0][0]), int(cells[0][-1]) + 1, dtype=np.int64)
        kinds = self.days.clock.kind_of_day(self.days.first_day + coming)
        analogues = Analogues(self.days, origin.row, origin.hour, recent_kw)
        rows = analogues.draw(kinds.tolist(), count, random)
        power_kw = np.empty((count, len(self.circuits), len(cells[0])))
        for circuit in range(len(self.circuits)):
            own = rows[:, cells[0] - coming[0], circuit]
            found = self.days.filled_kw[np.maximum(own, 0), cells[1], circuit]
            power_kw[:, circuit] = np.where(own >= 0, found, 0.0)
        return power_kw

    def _carried_on(
        self, power_kw: FloatArray, last_kw: FloatArray, ahead_h: FloatArray
    ) -> FloatArray:
        """Moved towards what ran last, as long as that lasts by habit."""
        lacks = np.where(np.isfinite(last_kw), last_kw - power_kw[:, :, 0], 0.0)
        fades = self.persistence[:, np.newaxis] ** (ahead_h[np.newaxis] + 0.5)
        return np.maximum(power_kw + lacks[:, :, np.newaxis] * fades, 0.0)

    def _with_unknown(
        self, power_kw: FloatArray, count: int, random: np.random.Generator
    ) -> FloatArray:
        known = np.minimum(self.known_days / KNOWN_DAYS_MIN, 1.0)
        if (known >= 1.0).all():
            return power_kw
        typical = typical_kw(self.circuits, count, random)[:, :, np.newaxis]
        order = random.permutation(count)
        follows_past = (order[:, np.newaxis] < np.round(known * count))[:, :, np.newaxis]
        return np.where(follows_past, power_kw, typical)


def _lengths_h(times_unix_s: NDArray[np.int64]) -> FloatArray:
    """[T] about how long each step is, from the moments that stand for them."""
    apart_h: FloatArray = np.diff(times_unix_s) / float(HOUR_S)
    return np.append(apart_h, apart_h[-1:] if len(apart_h) else 1.0)


def _persistence(days: CircuitDays) -> FloatArray:
    """[C] correlation from hour to hour of what is above or below the usual at that hour; 0 where unknown."""
    circuits = days.known.shape[1]
    result = np.zeros(circuits)
    for circuit in range(circuits):
        measured = days.measured_kw[:, :, circuit]
        with np.errstate(invalid="ignore"):
            known = np.isfinite(measured)
            usual = np.where(known, measured, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        apart = (measured - usual).ravel()
        both = np.isfinite(apart[1:]) & np.isfinite(apart[:-1])
        if both.sum() >= 2 * DAY_HOURS and np.std(apart[1:][both]) > 0:
            before, after = apart[:-1][both], apart[1:][both]
            if np.std(before) > 0:
                result[circuit] = float(np.corrcoef(before, after)[0, 1])
    return np.clip(result, 0.0, _PERSISTENCE_MAX)
