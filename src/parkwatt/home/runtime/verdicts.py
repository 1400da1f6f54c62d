"""Which circuits may stay on so that those that must stay have power to the end.

The measure is the hours in which the home would be dark for lack of energy before the outage's end. A circuit may stay on
where, in all but `RISK` of the courses, it adds none to what they are with the must-have circuits alone; so sun that would be
curtailed may always be used, and where even the must-have circuits cannot last, nothing may shorten them further. What
drivers need is kept throughout, unless it is not firm: then only must-have circuits may take it.

1. Circuits are taken in by rank: nice to have before not needed, and the smaller use before the greater. A circuit stays
   where it may stay *until the end* together with those taken in before it.
2. A nice-to-have circuit for which that is too much may stay *for now* where two hours of it (four, where it is off now, so
   that it does not flap) still leave the must-have circuits theirs.
3. What then is left may not: a person is asked before it is switched on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.home.circuit import Circuit
from parkwatt.domain.record import FloatArray
from parkwatt.forecast.local_time import HOUR_S
from parkwatt.home.runtime.hours import figure
from parkwatt.home.runtime.outage_length import UNPLANNED, OutageLengths
from parkwatt.home.runtime.request import HORIZON_S_MAX, RuntimeRequest
from parkwatt.home.runtime.variants import Variants

BoolArray = NDArray[np.bool_]

RISK: Final = 0.05
_LASTS_SHARE: Final = 0.95
_LEFT_H_MIN: Final = 24.0
_SLACK_H: Final = 0.05
_FOR_NOW_S: Final = 2 * HOUR_S
_FOR_NOW_IF_OFF_S: Final = 4 * HOUR_S


@dataclass(frozen=True, slots=True)
class EnergyVerdict:
    """Whether a circuit may be on. ``asks``: it would break the reserve, so a person decides. ``reason``: with numbers.

    ``costs_hours``: how much shorter the must-have circuits would have power in the middle course, were it on to the end.
    """

    allowed: bool
    asks: bool
    reason: str
    costs_hours: float = 0.0


def expected_end(
    at_unix_s: int, since_unix_s: int | None, lengths: OutageLengths = UNPLANNED
) -> int:
    """The end to reckon with where nobody told one: 19 of 20 outages that went on as long were over by then; a day at least.

    ``since_unix_s``: when it began; None: it has not.
    """
    elapsed_h = 0.0 if since_unix_s is None else max(at_unix_s - since_unix_s, 0) / HOUR_S
    left_h = lengths.total_h(elapsed_h, _LASTS_SHARE) - elapsed_h
    return at_unix_s + round(max(left_h, _LEFT_H_MIN) * HOUR_S)


def energy_verdicts(
    request: RuntimeRequest,
    expected_end_unix_s: int | None,
    *,
    since_unix_s: int | None = None,
    lengths: OutageLengths = UNPLANNED,
    count: int = 200,
    seed: int = 0,
) -> dict[str, EnergyVerdict]:
    """By circuit, must-have ones too (always allowed).

    ``expected_end_unix_s``: the planned end; None: unknown, and `expected_end` of ``since_unix_s`` and ``lengths`` is taken.
    """
    end = expected_end_unix_s
    if end is None:
        end = expected_end(request.at_unix_s, since_unix_s, lengths)
    left_s = min(max(end - request.at_unix_s, HOUR_S), HORIZON_S_MAX)
    variants = Variants.of(replace(request, horizon_s=left_s), count, seed)
    return _Verdicts(variants, left_s / HOUR_S).all()


class _Verdicts:
    def __init__(self, variants: Variants, end_h: float) -> None:
        self._variants = variants
        self._circuits = variants.request.use.circuits
        self._end_h = end_h
        self._must = np.array([_must_stay(one) for one in self._circuits], dtype=np.bool_)
        firm = variants.request.mobility is None or variants.request.mobility.firm
        base = variants.run(self._must[np.newaxis], np.array([firm]))
        # Held against the must-have circuits alone, with the same kept for drivers.
        self._base_dark_h = base.dark_h[0]
        if not firm:
            kept = variants.run(self._must[np.newaxis], np.array([True]))
            self._base_dark_h = kept.dark_h[0]
        self._must_h = float(np.quantile(base.lasted_h[0] + base.away_h[0], RISK))

    def all(self) -> dict[str, EnergyVerdict]:
        order = self._order()
        on, until_end = self._until_end(order)
        rest = [place for place in order if place not in until_end]
        costs = self._costs_h(on, rest)
        for_now = self._for_now(on, [p for p in rest if self._circuits[p].tier == "nice_to_have"])
        found = {}
        for place, circuit in enumerate(self._circuits):
            if self._must[place]:
                verdict = EnergyVerdict(True, False, self._must_words())
            elif place in until_end:
                verdict = EnergyVerdict(True, False, self._end_words("with it on to the end"))
            elif place in for_now:
                verdict = EnergyVerdict(
                    True, False, self._end_words("with it on for now"), costs[place]
                )
            else:
                verdict = EnergyVerdict(False, True, self._cost_words(costs[place]), costs[place])
            found[circuit.circuit_id] = verdict
        return found

    def _order(self) -> list[int]:
        use_kwh = np.einsum("tcn,t->c", self._variants.power_kw, self._variants.step_h)
        places = np.flatnonzero(~self._must).tolist()
        return sorted(
            places, key=lambda p: (self._circuits[p].tier == "not_needed", float(use_kwh[p]))
        )

    def _until_end(self, order: list[int]) -> tuple[BoolArray, set[int]]:
        """What is on to the end: all prefixes of the order at once, and again behind the first that is too much."""
        on, taken = self._must.copy(), set[int]()
        rest = list(order)
        while rest:
            trials = np.repeat(on[np.newaxis], len(rest), axis=0)
            for number in range(len(rest)):
                trials[number, rest[: number + 1]] = True
            fits = self._fits(trials)
            good = int(np.argmin(fits)) if not fits.all() else len(rest)
            taken.update(rest[:good])
            on[rest[:good]] = True
            rest = rest[good + 1 :]
        return on, taken

    def _fits(self, trials: BoolArray) -> BoolArray:
        courses = self._variants.run(trials, np.ones(len(trials), dtype=np.bool_))
        return self._adds_nothing(courses.dark_h)

    def _adds_nothing(self, dark_h: FloatArray) -> BoolArray:
        added_h = np.quantile(dark_h - self._base_dark_h, 1.0 - RISK, axis=1)
        return np.asarray(added_h <= _SLACK_H)

    def _for_now(self, on: BoolArray, places: list[int]) -> set[int]:
        """Of ``places``, in their order, those that may be on for the next hours, all together."""
        now_on, taken = on.copy(), set[int]()
        for place in places:
            trial = now_on.copy()
            trial[place] = True
            is_off = self._circuits[place].circuit_id in self._variants.request.off
            ahead_s = _FOR_NOW_IF_OFF_S if is_off else _FOR_NOW_S
            keeps = np.ones(1, dtype=np.bool_)
            courses = self._variants.run_for_now(on, trial[np.newaxis], ahead_s, keeps)
            if self._adds_nothing(courses.dark_h)[0]:
                now_on = trial
                taken.add(place)
        return taken

    def _costs_h(self, on: BoolArray, places: list[int]) -> dict[int, float]:
        if not places:
            return {}
        trials = np.repeat(on[np.newaxis], len(places), axis=0)
        trials[np.arange(len(places)), places] = True
        dark_h = self._variants.run(trials, np.ones(len(places), dtype=np.bool_)).dark_h
        added = np.median(dark_h - self._base_dark_h, axis=1)
        return dict(zip(places, np.maximum(added, 0.0).tolist(), strict=True))

    def _must_words(self) -> str:
        return f"must stay: lasts {self._must_hours()} of {figure(self._end_h)} h"

    def _end_words(self, how: str) -> str:
        return (
            f"{how}, what must stay still has power as long as without it: "
            f"{self._must_hours()} of {figure(self._end_h)} h"
        )

    def _cost_words(self, costs_h: float) -> str:
        if costs_h >= _SLACK_H:
            return (
                f"on to the end it would cost what must stay {figure(costs_h)} h of the "
                f"{figure(self._end_h)} h to come"
            )
        return (
            f"in more than one of twenty courses it would cost what must stay some of the "
            f"{figure(self._end_h)} h to come"
        )

    def _must_hours(self) -> str:
        return figure(min(self._must_h, self._end_h))


def _must_stay(circuit: Circuit) -> bool:
    """Nobody can or may switch it off."""
    return circuit.tier == "must_have" or circuit.medical or not circuit.switchable
