"""Which cars must charge now so that they are ready, and which go first.

A car is charged with all it can once its slack is gone: what is left of the time when the energy that is missing were
charged without a pause. That is the least that keeps the departure possible, and it is asked for as late as a small
margin allows. Cars that share a limit can each have slack and together none: for each limit the cars are added up in
the order of their departures, and where the sum has no slack, all that were added up so far must charge. Serving the
earliest departure first keeps all of them if anything does, as long as the limit and not the single cars bound the
power (earliest deadline first; W. A. Horn, Naval Research Logistics 21, 1974).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from parkwatt.site.guard.facts import CarFacts, SiteFacts
from parkwatt.site.guard.known import Doing
from parkwatt.site.guard.room import Limit, Room
from parkwatt.site.guard.settings import GuardSettings
from parkwatt.site.guard.state import PointState

_US_PER_H = 3.6e9
_S_PER_H = 3600.0
# Less is not worth to begin for: estimates move by this much.
_MISSING_KWH = 0.1


class Urgency(IntEnum):
    """How much a car needs the power: its slack is gone; it must charge, since it began to or has no slack together with
    others; it needs some later; it needs nothing.
    """

    NO_SLACK = 0
    MUST = 1
    LATER = 2
    NONE = 3


@dataclass(slots=True)
class Need:
    """What a car needs for its departure. ``missing_kwh`` in the battery, ``left_h`` until then, ``rate_kw`` at the
    charger.
    """

    missing_kwh: float = 0.0
    left_h: float = math.inf
    rate_kw: float = 0.0
    slack_h: float = math.inf
    urgency: Urgency = Urgency.NONE
    began: bool = False

    @property
    def is_urgent(self) -> bool:
        """Whether it must be charged now."""
        return self.urgency <= Urgency.MUST


def needs(
    cars: Mapping[str, CarFacts],
    points: Mapping[str, PointState],
    room: Room,
    site: SiteFacts,
    settings: GuardSettings,
    now_unix_us: int,
) -> dict[str, Need]:
    """Each car's need; those that may not charge, or of whose energy nothing is known, have none."""
    lasting = _lasting(room, site, settings)
    found = {}
    for key, car in cars.items():
        point = points.get(key)
        began = point is not None and point.must_charge
        found[key] = _need(car, room, key, lasting, settings, now_unix_us, began=began)
    _together(found, cars, room, lasting, settings)
    return found


def _lasting(room: Room, site: SiteFacts, settings: GuardSettings) -> dict[int, float]:
    """What each limit leaves over the time to come: as much as now, and at least a part of the whole."""
    # That the grid has just come back is over in minutes.
    whole = {"import": site.import_limit_kw, "phase": site.fuse_a, "return": math.inf}
    found = {}
    for limit in room.limits:
        least = settings.ready_room_share * (whole.get(limit.rule) or limit.most)
        found[id(limit)] = max(limit.most - limit.used, least)
    return found


def _need(
    car: CarFacts,
    room: Room,
    key: str,
    lasting: dict[int, float],
    settings: GuardSettings,
    now_unix_us: int,
    *,
    began: bool,
) -> Need:
    ready, energy_kwh = car.ready, car.energy_kwh
    if ready is None or energy_kwh is None or not car.may_charge:
        return Need()
    rate_kw = car.charge_kw_max
    for share in room.shares[key]:
        rate_kw = min(rate_kw, lasting[id(share.limit)] / share.per_kw)
    left_h = (ready.at_unix_us - now_unix_us) / _US_PER_H
    missing_kwh = min(ready.energy_kwh, car.energy_kwh_max) - energy_kwh
    need = Need(missing_kwh, left_h, rate_kw)
    if missing_kwh <= (0.0 if began else _MISSING_KWH) or rate_kw <= 0:
        return need
    takes_h = missing_kwh / (rate_kw * car.charge_efficiency)
    need.slack_h, need.began = left_h - takes_h, began
    need.urgency = Urgency.LATER
    if need.slack_h <= _margin_h(takes_h, settings, began=began):
        gone = need.slack_h <= _margin_h(takes_h, settings, began=False)
        need.urgency = Urgency.NO_SLACK if gone else Urgency.MUST
    return need


def _margin_h(takes_h: float, settings: GuardSettings, *, began: bool) -> float:
    """The slack below which it must be charged."""
    if began:
        return takes_h * settings.ready_end_share + settings.ready_end_s / _S_PER_H
    return takes_h * settings.ready_margin_share + settings.ready_margin_s / _S_PER_H


def _together(
    found: dict[str, Need],
    cars: Mapping[str, CarFacts],
    room: Room,
    lasting: dict[int, float],
    settings: GuardSettings,
) -> None:
    needing = [key for key, need in found.items() if need.urgency < Urgency.NONE]
    if len(needing) < 2:
        return
    needing.sort(key=lambda key: found[key].left_h)
    for limit in room.limits:
        _together_in(limit, lasting[id(limit)], needing, found, cars, room, settings)


def _together_in(
    limit: Limit,
    lasting: float,
    needing: list[str],
    found: dict[str, Need],
    cars: Mapping[str, CarFacts],
    room: Room,
    settings: GuardSettings,
) -> None:
    demand_h = 0.0
    seen: list[str] = []
    for key in needing:
        per_kw = next((share.per_kw for share in room.shares[key] if share.limit is limit), None)
        if per_kw is None:
            continue
        need, seen = found[key], [*seen, key]
        demand_h += per_kw * need.missing_kwh / cars[key].charge_efficiency
        takes_h = demand_h / lasting if lasting > 0 else math.inf
        began = any(found[each].began for each in seen)
        margin_h = _margin_h(takes_h, settings, began=began)
        if len(seen) > 1 and need.left_h - takes_h <= margin_h:
            for earlier in seen:
                found[earlier].urgency = min(found[earlier].urgency, Urgency.MUST)


def order(
    keys: list[str],
    found: Mapping[str, Need],
    doing: Mapping[str, Doing],
    settings: GuardSettings,
) -> list[str]:
    """The cars in the order in which they get what they share.

    Those that must charge by their departures; those that need something by their slack, where one that charges stays
    first until another's is clearly less; then as they were proposed.
    """
    stays_h = settings.stays_first_s / _S_PER_H

    def rank(key: str) -> tuple[int, float]:
        need = found[key]
        if need.is_urgent:
            return need.urgency, need.left_h
        if need.urgency == Urgency.LATER:
            return need.urgency, need.slack_h - (stays_h if doing[key].now_kw > 0 else 0.0)
        return need.urgency, 0.0

    return sorted(keys, key=rank)


def discharge_kw_kept_ready(
    car: CarFacts, need: Need, lease_s: int, settings: GuardSettings
) -> float:
    """The most that may be discharged over a whole lease with the departure still possible."""
    if car.ready is None or car.energy_kwh is None or not car.may_charge:
        return math.inf
    if need.is_urgent:
        return 0.0
    lease_h = lease_s / _S_PER_H
    charges_h = need.left_h - lease_h - settings.ready_margin_s / _S_PER_H
    charges_h = max(charges_h / (1.0 + settings.ready_margin_share), 0.0)
    spare_kwh = charges_h * need.rate_kw * car.charge_efficiency - need.missing_kwh
    return max(spare_kwh, 0.0) * car.discharge_efficiency / lease_h
