"""How long it lasts: hours left by circuits, tiers and choices, from many courses of what may come.

Hours are those in which the home has power, until energy first runs out. Hours in which it is dark because its only
source is away count neither as lasting nor as the end. Where the forecast's horizon is reached, the hours are *at least*
that many.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from parkwatt.domain.home.circuit import Circuit, Tier
from parkwatt.home.runtime.hours import Hours, figure
from parkwatt.home.runtime.request import RuntimeRequest
from parkwatt.home.runtime.variants import Variants

TIERS: Final[tuple[Tier, ...]] = ("must_have", "nice_to_have", "not_needed")
_GAINS_TOLD: Final = 3
_GAIN_TOLD_H: Final = 0.1


@dataclass(frozen=True, slots=True)
class Gain:
    """By how much longer the middle course lasts without a circuit or tier that is on. ``at_least``: to the horizon."""

    circuit_id: str
    hours_p50: float
    at_least: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """How long a home lasts from ``at_unix_s`` on.

    ``usable_kwh``: at the home's side now, above what is kept. ``hours``: with the circuits that are on. ``by_tier``: with
    those that must stay only; with those nice to have too; with all. ``gains``: the greatest first; ``tier_gains``: without all
    of a tier that are on. ``costs``: what each circuit that is off would cost the middle course, were it on.
    ``mobility_costs_hours``: what drivers' needs cost it; None where none has any. ``away_h``: for how long of the middle
    course the home is dark meanwhile since its source is away. ``unknown``: the circuits that are not known yet. ``words``: all
    that in sentences.
    """

    at_unix_s: int
    usable_kwh: float
    hours: Hours
    by_tier: Mapping[Tier, Hours]
    gains: tuple[Gain, ...]
    tier_gains: Mapping[Tier, Gain]
    costs: tuple[Gain, ...]
    mobility_costs_hours: float | None
    away_h: float
    unknown: tuple[str, ...]
    words: tuple[str, ...] = ()

    @property
    def hours_p10(self) -> float:
        """The hours that nine of ten courses reach."""
        return self.hours.p10_h

    @property
    def hours_p50(self) -> float:
        """The hours of the middle course."""
        return self.hours.p50_h

    @property
    def hours_p90(self) -> float:
        """The hours that one of ten courses reaches."""
        return self.hours.p90_h


def forecast_runtime(request: RuntimeRequest, count: int = 200, seed: int = 0) -> Runtime:
    """How long the home lasts, over ``count`` courses; the same for the same seed."""
    variants = Variants.of(request, count, seed)
    circuits = request.use.circuits
    now_on = np.array([one.circuit_id not in request.off for one in circuits], dtype=np.bool_)
    own = np.eye(len(circuits), dtype=np.bool_)
    of_tier = np.array([[one.tier == tier for one in circuits] for tier in TIERS], dtype=np.bool_)
    # As it is; the same with nothing kept for drivers; the three tiers; each circuit switched; each tier off.
    on = np.vstack(
        (now_on, now_on, request.use.tiers() > 0, now_on[np.newaxis] ^ own, now_on & ~of_tier)
    )
    keeps = np.ones(len(on), dtype=np.bool_)
    keeps[1] = False
    keeps[2] = request.mobility is None or request.mobility.firm
    courses = variants.run(on, keeps, until_dark=True)
    hours = [
        Hours.of(lasted, reached)
        for lasted, reached in zip(courses.lasted_h, courses.reached, strict=True)
    ]
    switched = [
        Gain(circuit.circuit_id, one.p50_h - hours[0].p50_h, one.at_least)
        for circuit, one in zip(circuits, hours[5:-3], strict=True)
    ]
    gains = [one for one, on_now in zip(switched, now_on, strict=True) if on_now]
    tier_gains = {
        tier: Gain(tier, one.p50_h - hours[0].p50_h, one.at_least)
        for tier, one, placed in zip(TIERS, hours[-3:], of_tier, strict=True)
        if bool((placed & now_on).any())
    }
    runtime = Runtime(
        at_unix_s=request.at_unix_s,
        usable_kwh=variants.usable_kwh(),
        hours=hours[0],
        by_tier=dict(zip(TIERS, hours[2:5], strict=True)),
        gains=tuple(sorted(gains, key=lambda one: -one.hours_p50)),
        tier_gains=tier_gains,
        costs=tuple(
            Gain(one.circuit_id, -one.hours_p50, hours[0].at_least)
            for one, on_now in zip(switched, now_on, strict=True)
            if not on_now
        ),
        mobility_costs_hours=hours[1].p50_h - hours[0].p50_h if variants.drivers_need() else None,
        away_h=float(np.median(courses.away_h[0])),
        unknown=tuple(one.circuit_id for one in circuits if not request.use.knows(one.circuit_id)),
    )
    return replace(runtime, words=_words(runtime, circuits))


def _words(runtime: Runtime, circuits: tuple[Circuit, ...]) -> tuple[str, ...]:
    names = {one.circuit_id: one.name for one in circuits}
    found = [f"{runtime.usable_kwh:.1f} kWh usable: {runtime.hours.words()}."]
    if runtime.away_h > 0:
        found.append(f"Dark for {figure(runtime.away_h)} h meanwhile: its source is away.")
    found.append(
        f"Only what must stay on: {runtime.by_tier['must_have'].words()}; "
        f"with what is nice to have: {runtime.by_tier['nice_to_have'].words()}."
    )
    for gain in runtime.gains[:_GAINS_TOLD]:
        if gain.hours_p50 >= _GAIN_TOLD_H:
            more = "at least " if gain.at_least else ""
            found.append(f"Switch off the {names[gain.circuit_id]}: {more}+{gain.hours_p50:.1f} h.")
    if runtime.mobility_costs_hours is not None:
        costs_h = runtime.mobility_costs_hours
        price = "no time" if costs_h < _GAIN_TOLD_H / 2 else f"{costs_h:.1f} h"
        found.append(f"What is kept for driving costs {price}.")
    if runtime.unknown:
        listed = ", ".join(names[one] for one in runtime.unknown)
        found.append(f"Not known yet, so the band is wide: {listed}.")
    return tuple(found)
