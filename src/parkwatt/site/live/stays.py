"""Stays: when a car came and left, and whether it left with what was asked.

What was possible is counted while the stay lasts: from when something is asked for, the energy that charging at full
power within
the connection's limit would have brought. A departure is kept when the car holds what was asked or what was possible.
"""

from __future__ import annotations

from typing import Final

import msgspec

from parkwatt.domain.site.event import CarMinute, Measured, PromiseAtRisk, StayBegan, StayEnded
from parkwatt.domain.site.wish import Departure
from parkwatt.site.live.cars import CarView
from parkwatt.site.live.settings import SiteSettings
from parkwatt.site.live.state import SiteState, StayState
from parkwatt.site.live.taper import reachable_kwh, share_of_power, taper_h

_US: Final = 1_000_000
# A car that seems gone for less than this was there: chargers reboot, links fall.
GONE_US: Final = 90 * _US
# What is missing may be no more than a share of the battery before a promise counts as broken: cars tell whole per cents.
_SHORT_SHARE: Final = 0.01
_FULL_SHARE: Final = 0.995


def began(car: CarView, now_unix_us: int) -> StayBegan:
    """The car was plugged in."""
    started_unix_us = car.seen.started_unix_us or now_unix_us
    since_unix_us = (
        started_unix_us if 0 <= now_unix_us - started_unix_us < 3600 * _US else now_unix_us
    )
    return StayBegan(
        stay_id=f"{car.car_id}-{since_unix_us // _US}",
        car_id=car.car_id,
        charger_id=car.settings.charger_id,
        evse_id=car.settings.evse_id,
        transaction_id=car.seen.transaction_id or "",
        since_unix_s=since_unix_us // _US,
        energy_kwh=None if car.estimate is None else round(car.estimate.energy_kwh, 3),
    )


def ended(car: CarView, stay: StayState, at_unix_us: int, departure: Departure | None) -> StayEnded:
    """The car left. ``departure``: what counted when it left."""
    energy_kwh = car.state.energy_kwh
    asked_kwh = None if stay.asked_for is None else stay.asked_for[1]
    kept, reason = _kept(car, stay, energy_kwh, at_unix_us, departure)
    return StayEnded(
        stay_id=stay.began.stay_id,
        car_id=car.car_id,
        at_unix_s=at_unix_us // _US,
        energy_kwh=energy_kwh,
        departure=departure,
        energy_kwh_asked=asked_kwh if departure is not None else None,
        energy_kwh_possible=stay.possible_kwh if departure is not None else None,
        energy_kwh_lowest=stay.lowest_kwh,
        kept=kept,
        reason=reason,
    )


def _kept(
    car: CarView,
    stay: StayState,
    energy_kwh: float | None,
    at_unix_us: int,
    departure: Departure | None,
) -> tuple[bool | None, str]:
    if departure is None or stay.asked_for is None:
        return None, "nothing was asked for this departure"
    asked_kwh = stay.asked_for[1]
    if energy_kwh is None:
        return None, "nobody told the car's state of charge"
    short_kwh = asked_kwh - energy_kwh
    tolerance_kwh = _SHORT_SHARE * car.settings.capacity_kwh + 1e-6
    if short_kwh <= tolerance_kwh:
        return True, f"left with {energy_kwh:.1f} kWh, asked were {asked_kwh:.1f} kWh"
    possible_kwh = stay.possible_kwh
    if possible_kwh is not None and energy_kwh >= possible_kwh - tolerance_kwh:
        return None, f"{short_kwh:.1f} kWh short: more was not possible since it was asked"
    early_s = departure.departs_unix_s - at_unix_us // _US
    if early_s > 60:
        return (
            None,
            f"left {early_s // 60} minutes before it was to be ready, {short_kwh:.1f} kWh short",
        )
    return False, f"{short_kwh:.1f} kWh short of {asked_kwh:.1f} kWh, though it was possible"


def with_possible(
    car: CarView, stay: StayState, minute: CarMinute, measured: Measured, site: SiteSettings
) -> CarMinute:
    """The car's minute with what was asked and what was possible by its end; begun anew where something else is asked."""
    energy_kwh = minute.energy_kwh
    if energy_kwh is None and stay.asked_for is not None:
        # Nobody tells its energy just now, or it is about to leave: what was asked stands.
        return msgspec.structs.replace(
            minute,
            departs_unix_s=stay.asked_for[0],
            asked_kwh=stay.asked_for[1],
            possible_kwh=stay.possible_kwh,
        )
    if car.departure is None or car.asked_kwh is None or energy_kwh is None:
        return minute
    departs_unix_s, asked_kwh = car.departure.departs_unix_s, round(car.asked_kwh, 3)
    before, possible_kwh = stay.asked_for, stay.possible_kwh
    if before is None or possible_kwh is None:
        possible_kwh = energy_kwh
    elif departs_unix_s < before[0] or asked_kwh > before[1]:
        # More, or earlier: it is asked of what is there now.
        possible_kwh = energy_kwh
    power_kw = car.storage.charge_kw_max
    if site.import_limit_kw is not None and measured.load_kw is not None:
        base_kw = measured.load_kw - (measured.solar_kw or 0.0)
        power_kw = min(power_kw, max(site.import_limit_kw - base_kw, 0.0))
    power_kw *= share_of_power(possible_kwh / car.settings.capacity_kwh)
    gained_kwh = power_kw * measured.duration_s / 3600.0 * car.storage.charge_efficiency
    highest_kwh = car.settings.capacity_kwh * _FULL_SHARE
    possible_kwh = min(max(possible_kwh, energy_kwh) + gained_kwh, highest_kwh)
    return msgspec.structs.replace(
        minute,
        departs_unix_s=departs_unix_s,
        asked_kwh=asked_kwh,
        possible_kwh=round(possible_kwh, 3),
    )


def at_risk(
    car: CarView, site: SiteSettings, base_kw: float | None, now_unix_us: int
) -> PromiseAtRisk | None:
    """What is asked is not possible any more: told with how much there can be, and when there would be enough."""
    departure, asked_kwh = car.departure, car.asked_kwh
    if departure is None or asked_kwh is None or car.estimate is None or car.wishes.mode == "off":
        return None
    now_unix_s = now_unix_us // _US
    left_h = (departure.departs_unix_s - now_unix_s) / 3600.0
    missing_kwh = asked_kwh - car.energy_kwh
    if left_h <= 0 or missing_kwh <= _SHORT_SHARE * car.settings.capacity_kwh:
        return None
    power_kw = car.storage.charge_kw_max
    if site.import_limit_kw is not None and base_kw is not None:
        power_kw = min(power_kw, max(site.import_limit_kw - base_kw, 0.0))
    rate_kw = power_kw * car.storage.charge_efficiency
    possible_kwh = reachable_kwh(car.energy_kwh, car.settings.capacity_kwh, rate_kw, left_h)
    if possible_kwh >= asked_kwh - _SHORT_SHARE * car.settings.capacity_kwh:
        return None
    ready_unix_s = None
    if rate_kw > 0:
        needed_h = missing_kwh / rate_kw
        needed_h += taper_h(car.energy_kwh, asked_kwh, car.settings.capacity_kwh, rate_kw)
        ready_unix_s = now_unix_s + round(needed_h * 3600)
    soc, asked_soc = possible_kwh / car.settings.capacity_kwh, asked_kwh / car.settings.capacity_kwh
    message = f"{asked_soc:.0%} is not possible by then: there will be about {soc:.0%}"
    return PromiseAtRisk(
        car_id=car.car_id,
        departure=departure,
        energy_kwh_asked=round(asked_kwh, 2),
        energy_kwh_possible=round(possible_kwh, 2),
        ready_unix_s=ready_unix_s,
        message=message,
    )


def is_new_risk(state: SiteState, risk: PromiseAtRisk) -> bool:
    """Whether the driver was not told the like already."""
    known = state.car(risk.car_id).risk
    if known is None or known.departure != risk.departure:
        return True
    return known.energy_kwh_asked != risk.energy_kwh_asked
