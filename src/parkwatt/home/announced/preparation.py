"""What to do about announced outages: hold energy back, and have it by a time.

For each spell the need is found (`parkwatt.home.announced.need`), the largest counts, and it is laid on the batteries in their
order. From the moment that a spell is near enough, no battery is discharged below its share for money; by some time before the
spell's start it is to hold it. Where the batteries together cannot hold the need, they are filled, and it is told how long the
house would last. Where nothing is known of the house's use, they are filled as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

import numpy as np

from parkwatt.home.announced.announcements import AnnouncedState, Spell, spells
from parkwatt.home.announced.length import OutageLength
from parkwatt.home.announced.need import Demand, FloatArray, lasts_s, outage_needs


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncedSettings:
    """``standby_kw``: of gateway and inverter. ``restart_kwh``: what they need to start again, kept in any case.

    ``lead_s``: by how much an outage may begin early. ``overrun_s``: by how much a planned one may end late. ``notice_s``: a
    spell that starts later is not prepared for yet. ``probability_min``: what is less probable does not count.
    ``lasts_quantile``: 0.1: in nine of ten courses the house lasts through the outage.
    """

    standby_kw: float = 0.1
    restart_kwh: float = 0.5
    lead_s: int = 3600
    overrun_s: int = 7200
    notice_s: int = 48 * 3600
    probability_min: float = 0.2
    lasts_quantile: float = 0.1
    round_trip_efficiency: float = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A battery that can hold energy for the house: not below ``floor_kwh``, not above ``capacity_kwh``."""

    battery_id: str
    floor_kwh: float
    capacity_kwh: float
    discharge_efficiency: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What one battery is to hold, its floor included, and by when: a ready-by for the plan, a floor for the guard."""

    battery_id: str
    energy_kwh: float
    ready_unix_s: int
    until_unix_s: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """``need_kwh``: at the house's side; None where it is not known. ``reserve_kwh``: as much of it as the batteries hold.

    ``lasts_hours``: how long the house lasts with it from the spell's start on, at P10, up to the outage's end; None: unknown.
    ``holdings``: one for each battery that is to hold more than its floor. ``reason``: in words.
    """

    spell: Spell
    need_kwh: float | None
    reserve_kwh: float
    lasts_hours: float | None
    holdings: tuple[Holding, ...]
    reason: str


def reach_unix_s(
    state: AnnouncedState, length: OutageLength, settings: AnnouncedSettings, now_unix_s: int
) -> int:
    """How far into the future the demand must be known for `prepare`; ``now`` where nothing is announced."""
    near = _near(state, settings, now_unix_s)
    return max((_end_unix_s(one, length, settings) for one in near), default=now_unix_s)


def prepare(
    state: AnnouncedState,
    demand: Demand | None,
    holders: Sequence[Holder],
    length: OutageLength,
    settings: AnnouncedSettings,
    now_unix_s: int,
    time_zone: tzinfo = UTC,
) -> Preparation | None:
    """What to hold back for the spell that needs most; None where none is near.

    ``demand``: from ``now`` or before to `reach_unix_s`; None: it is not known yet. ``holders``: in the order in which they
    are to be filled; batteries that will not be at home are not among them. ``length``: of an outage in a storm.
    ``time_zone``: for the words. What is held is held by the earliest spell's start and to the latest one's end.

    Raises ValueError where the demand does not cover the spells.
    """
    near = _near(state, settings, now_unix_s)
    if not near:
        return None
    full_kwh = sum(_deliverable_kwh(one) for one in holders)
    until_unix_s = max(_end_unix_s(one, length, settings) for one in near)
    if demand is None:
        need, reserve_kwh = _Need(near[0], None, None, None), full_kwh
    else:
        if demand.start_unix_s > now_unix_s or demand.end_unix_s < until_unix_s:
            raise ValueError("the demand does not cover the announced outages")
        taken_kwh = demand.taken_kwh(settings.standby_kw, settings.round_trip_efficiency)
        look = _Look(demand, taken_kwh, length, settings, now_unix_s, full_kwh)
        need = max((look.need(one) for one in near), key=lambda one: one.weight_kwh(full_kwh))
        reserve_kwh = need.reserve_kwh(full_kwh)
    reason = _words(need, full_kwh, length, settings, time_zone)
    ready_unix_s = max(now_unix_s, near[0].start_unix_s - settings.lead_s)
    return Preparation(
        spell=need.spell,
        need_kwh=need.start_kwh,
        reserve_kwh=reserve_kwh,
        lasts_hours=need.lasts_hours,
        holdings=_holdings(holders, reserve_kwh, ready_unix_s, until_unix_s, reason),
        reason=reason,
    )


@dataclass(frozen=True, slots=True)
class _Need:
    """What one spell needs, restart included; all None where the demand is unknown."""

    spell: Spell
    start_kwh: float | None
    peak_kwh: float | None
    lasts_hours: float | None

    def reserve_kwh(self, full_kwh: float) -> float:
        """What is held: the need, or all where no amount suffices."""
        if self.start_kwh is None or self.peak_kwh is None or self.peak_kwh > full_kwh:
            return full_kwh
        return self.start_kwh

    def weight_kwh(self, full_kwh: float) -> tuple[float, float]:
        """What spells are compared by: what they hold, then what they would take."""
        return self.reserve_kwh(full_kwh), self.peak_kwh or 0.0


@dataclass(frozen=True, slots=True)
class _Look:
    """All that a look at one spell needs."""

    demand: Demand
    taken_kwh: FloatArray
    length: OutageLength
    settings: AnnouncedSettings
    now_unix_s: int
    full_kwh: float

    def need(self, spell: Spell) -> _Need:
        """What the spell needs in all but the worst ``lasts_quantile`` of courses, and how long the house then lasts."""
        start_unix_s = max(spell.start_unix_s - self.settings.lead_s, self.now_unix_s)
        whole = self._steps(start_unix_s, _end_unix_s(spell, self.length, self.settings))
        steps = whole.stop - whole.start
        step_count = steps
        if spell.outage == "storm":
            step_count = min(steps, math.ceil(self.length.duration_s / self.demand.step_s))
        needs = outage_needs(self.taken_kwh[:, whole], steps - step_count + 1, step_count)
        restart_kwh, quantile = self.settings.restart_kwh, 1.0 - self.settings.lasts_quantile
        start_kwh, peak_kwh = (
            float(np.quantile(one, quantile, method="higher")) + restart_kwh
            for one in (needs.start_kwh, needs.peak_kwh)
        )
        need = _Need(spell, start_kwh, peak_kwh, None)
        return replace(need, lasts_hours=self._lasts_hours(spell, need.reserve_kwh(self.full_kwh)))

    def _lasts_hours(self, spell: Spell, reserve_kwh: float) -> float:
        start_unix_s = max(spell.start_unix_s, self.now_unix_s)
        end_unix_s = spell.end_unix_s
        if spell.outage == "storm":
            end_unix_s = start_unix_s + math.ceil(self.length.duration_s)
        taken_kwh = self.taken_kwh[:, self._steps(start_unix_s, end_unix_s)]
        stored_kwh, capacity_kwh = (
            max(0.0, one - self.settings.restart_kwh) for one in (reserve_kwh, self.full_kwh)
        )
        carried_s = lasts_s(taken_kwh, self.demand.step_s, stored_kwh, capacity_kwh)
        lasting_s = np.quantile(carried_s, self.settings.lasts_quantile, method="lower")
        return float(lasting_s) / 3600.0

    def _steps(self, from_unix_s: int, until_unix_s: int) -> slice:
        """The steps that a time touches."""
        start_unix_s, step_s = self.demand.start_unix_s, self.demand.step_s
        first, last = from_unix_s - start_unix_s, until_unix_s - start_unix_s
        return slice(first // step_s, -(-last // step_s))


def _near(state: AnnouncedState, settings: AnnouncedSettings, now_unix_s: int) -> tuple[Spell, ...]:
    """The spells that are prepared for now, by their start."""
    latest_unix_s = now_unix_s + settings.notice_s
    standing = spells(state, now_unix_s, settings.probability_min)
    return tuple(one for one in standing if one.start_unix_s <= latest_unix_s)


def _end_unix_s(spell: Spell, length: OutageLength, settings: AnnouncedSettings) -> int:
    """When the last outage of a spell may be over."""
    if spell.outage == "planned":
        return spell.end_unix_s + settings.overrun_s
    return spell.end_unix_s + math.ceil(length.duration_s)


def _deliverable_kwh(holder: Holder) -> float:
    """What a full battery gives to the house."""
    return max(0.0, holder.capacity_kwh - holder.floor_kwh) * holder.discharge_efficiency


def _holdings(
    holders: Sequence[Holder],
    reserve_kwh: float,
    ready_unix_s: int,
    until_unix_s: int,
    reason: str,
) -> tuple[Holding, ...]:
    """The reserve laid on the batteries, one after the other."""
    left_kwh, holdings = reserve_kwh, []
    for one in holders:
        share_kwh = min(left_kwh, _deliverable_kwh(one))
        if share_kwh <= 0.0:
            continue
        left_kwh -= share_kwh
        energy_kwh = min(one.floor_kwh + share_kwh / one.discharge_efficiency, one.capacity_kwh)
        holdings.append(
            Holding(
                battery_id=one.battery_id,
                energy_kwh=energy_kwh,
                ready_unix_s=ready_unix_s,
                until_unix_s=until_unix_s,
                reason=reason,
            )
        )
    return tuple(holdings)


def _words(
    need: _Need,
    full_kwh: float,
    length: OutageLength,
    settings: AnnouncedSettings,
    time_zone: tzinfo,
) -> str:
    """Why so much is held."""
    spell = need.spell
    start, end = (
        f"{datetime.fromtimestamp(one, time_zone):%a %H:%M}"
        for one in (spell.start_unix_s, spell.end_unix_s)
    )
    origins = " and ".join(spell.origins)
    if spell.outage == "planned":
        what = f"a planned outage from {start} to {end} ({origins})"
    else:
        what = f"a storm from {start} to {end} ({origins}), an outage taken to last {length.reason}"
    if need.start_kwh is None or need.peak_kwh is None:
        return f"{what}: what the house uses is not known yet, so the batteries are filled"
    surely = f"in {1.0 - settings.lasts_quantile:.0%} of courses"
    if need.peak_kwh > full_kwh:
        lasts = f"the house would last at least {need.lasts_hours or 0.0:.0f} h {surely}"
        return f"{what}: {need.peak_kwh:.1f} kWh are needed and the batteries give {full_kwh:.1f} kWh; {lasts}"
    return f"{what}: {need.start_kwh:.1f} kWh are held back, enough {surely}"
