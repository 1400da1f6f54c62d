"""How far one car may charge and discharge now, rule by rule, each with its reason in a driver's words."""

from __future__ import annotations

import math
from dataclasses import dataclass

from parkwatt.site.guard.facts import CarFacts
from parkwatt.site.guard.readiness import Need, discharge_kw_kept_ready
from parkwatt.site.guard.room import Limit
from parkwatt.site.guard.settings import GuardSettings
from parkwatt.site.guard.words import hours, kw, kwh

_S_PER_H = 3600.0


@dataclass(slots=True)
class Cap:
    """The most in one direction, as a magnitude in kW, by one rule."""

    rule: str
    most_kw: float
    reason: str


def charge_caps(car: CarFacts, left_kw: float, binding: Limit | None) -> list[Cap]:
    """What bounds charging; the last word last."""
    caps = []
    if not car.may_charge:
        caps.append(Cap("mode", 0.0, "its driver switched it off"))
    most_kw = max(car.charge_kw_max, 0.0)
    caps.append(Cap("charger", most_kw, f"charger and car take at most {kw(most_kw)}"))
    if binding is not None:
        caps.append(Cap(binding.rule, left_kw, binding.reason))
    return caps


def discharge_caps(
    car: CarFacts,
    need: Need,
    still_kw: float,
    left_kw: float,
    binding: Limit | None,
    settings: GuardSettings,
) -> list[Cap]:
    """What bounds discharging; the last word last. ``still_kw``: what it may still discharge with until it has settled."""
    caps = [_consent(car), _floor(car, still_kw, settings), _ready(car, need, settings)]
    most_kw = max(car.discharge_kw_max, 0.0)
    caps.append(Cap("charger", most_kw, f"charger and car give at most {kw(most_kw)}"))
    if binding is not None:
        caps.append(Cap(binding.rule, left_kw, binding.reason))
    return [cap for cap in caps if cap is not None]


def _consent(car: CarFacts) -> Cap | None:
    if car.may_discharge:
        return None
    return Cap("consent", 0.0, car.why_not or "its driver has not consented to discharging")


def _floor(car: CarFacts, still_kw: float, settings: GuardSettings) -> Cap | None:
    """Even if nobody could tell the charger anything until the lease ends, the floor holds."""
    if car.energy_kwh is None:
        if car.driven_by_hand:
            return None
        return Cap("floor", 0.0, "nobody tells how much is in its battery")
    spare_kwh = car.energy_kwh - max(car.energy_kwh_error, 0.0) - car.floor_kwh
    spare_kwh = max(spare_kwh, 0.0) * car.discharge_efficiency
    spare_kwh -= still_kw * settings.settle_s / _S_PER_H
    most_kw = max(spare_kwh, 0.0) * _S_PER_H / settings.lease_discharge_s
    within = f" (within {kwh(car.energy_kwh_error)})" if car.energy_kwh_error > 0 else ""
    reason = f"{kwh(car.energy_kwh)}{within} are in the battery and {kwh(car.floor_kwh)} stay there"
    return Cap("floor", most_kw, reason)


def _ready(car: CarFacts, need: Need, settings: GuardSettings) -> Cap | None:
    most_kw = discharge_kw_kept_ready(car, need, settings.lease_discharge_s, settings)
    if math.isinf(most_kw):
        return None
    return Cap("ready", most_kw, ready_reason(car, need))


def ready_reason(car: CarFacts, need: Need) -> str:
    """What the departure asks for."""
    asked_kwh = 0.0 if car.ready is None else car.ready.energy_kwh
    when = f"in {hours(need.left_h)}" if need.left_h > 0 else "now"
    if need.missing_kwh <= 0:
        return f"{kwh(asked_kwh)} must be in the battery {when}, and little more is"
    return f"{kwh(need.missing_kwh)} are missing to the {kwh(asked_kwh)} asked for {when}"
