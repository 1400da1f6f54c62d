"""Each car as its control sees it in one step: what is wished, how much is in it, when it is wanted, what it may do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from parkwatt.domain.problem import Storage
from parkwatt.domain.site.observation import ChargerSeen, GridSeen, OutageReserve
from parkwatt.domain.site.wish import Departure, Trip, Wishes
from parkwatt.site.guard.facts import CarFacts, Interconnection, ReadyBy
from parkwatt.site.live.departures import energy_kwh_asked, next_departure
from parkwatt.site.live.estimate import Estimate
from parkwatt.site.live.settings import CarSettings, SiteSettings
from parkwatt.site.live.state import CarState
from parkwatt.site.live.taper import taper_h

_US: Final = 1_000_000
# What should have been ready before is asked for within this and twice this.
_SOON_S: Final = 900
# A car whose charge nobody tells is taken to have used this much of its battery.
_UNTOLD_USE_SHARE: Final = 0.4
_ON_GRID: Final = GridSeen()
_DISCHARGING_MODES: Final = frozenset({"home", "grid"})


@dataclass(frozen=True, slots=True)
class CarView:
    """One car now. ``here``: plugged in, with a transaction. ``energy_kwh``: told, or taken where it is not told;
    ``estimate`` None: nobody tells it. ``storage``: bounds for planning and control as wishes and permissions make them.
    ``why_not``: why it does not discharge, empty where it may.
    """

    settings: CarSettings
    state: CarState
    seen: ChargerSeen
    wishes: Wishes
    estimate: Estimate | None
    energy_kwh: float
    departure: Departure | None
    asked_kwh: float | None
    storage: Storage
    why_not: str
    may_export: bool
    reserve: OutageReserve | None = None

    @property
    def car_id(self) -> str:
        """The car's name."""
        return self.settings.car_id

    @property
    def key(self) -> str:
        """Its connection point, as a key."""
        return f"{self.settings.charger_id}/{self.settings.evse_id}"

    @property
    def here(self) -> bool:
        """Whether it can be driven: plugged in, in a transaction."""
        return self.seen.plugged_in and self.seen.transaction_id is not None

    @property
    def is_planned(self) -> bool:
        """Whether a plan decides: the mode neither charges at once nor forbids everything."""
        return self.here and self.wishes.mode not in ("now", "off")


def view(
    settings: CarSettings,
    state: CarState,
    seen: ChargerSeen,
    estimate: Estimate | None,
    site: SiteSettings,
    now_unix_us: int,
    reserve: OutageReserve | None = None,
) -> CarView:
    """The car as it stands. ``reserve``: what it keeps for an outage that was announced."""
    wishes = settings.wishes if state.wishes is None else state.wishes
    departure = departure_of(state, wishes, seen, site, now_unix_us)
    capacity_kwh = settings.capacity_kwh
    asked_kwh = None
    if departure is not None:
        trip = _trip(state, departure)
        asked_kwh = energy_kwh_asked(
            departure, wishes, capacity_kwh, trip, settings.consumption_kwh_per_km
        )
    energy_kwh = estimate.energy_kwh if estimate is not None else _untold_kwh(settings, wishes)
    if reserve is not None:
        reserve = replace(reserve, energy_kwh=min(reserve.energy_kwh, capacity_kwh))
        departure, asked_kwh = _before_outage(
            departure, asked_kwh, reserve, energy_kwh, now_unix_us
        )
    why_not = _why_not(settings, wishes, seen, estimate, site.interconnection)
    return CarView(
        settings=settings,
        state=state,
        seen=seen,
        wishes=wishes,
        estimate=estimate,
        energy_kwh=energy_kwh,
        departure=departure,
        asked_kwh=asked_kwh,
        storage=_storage(
            settings, wishes, seen, asked_kwh, _reserved_kwh(reserve, energy_kwh), not why_not
        ),
        why_not=why_not,
        may_export=wishes.mode == "grid" and site.interconnection == "export" and not why_not,
        reserve=reserve,
    )


def _before_outage(
    departure: Departure | None,
    asked_kwh: float | None,
    reserve: OutageReserve,
    energy_kwh: float,
    now_unix_us: int,
) -> tuple[Departure | None, float | None]:
    """An outage ahead asks for energy as a departure does, where it comes before the next one.

    Once its time has come, what is missing is asked for soon: in whole steps, so that a plan lasts a while.
    """
    now_unix_s = now_unix_us // _US
    if reserve.by_unix_s <= now_unix_s and energy_kwh >= reserve.energy_kwh:
        return departure, asked_kwh
    soon_unix_s = (now_unix_s // _SOON_S + 2) * _SOON_S
    at_unix_s = reserve.by_unix_s if reserve.by_unix_s > now_unix_s else soon_unix_s
    if departure is None:
        return Departure(at_unix_s, "outage"), reserve.energy_kwh
    if now_unix_s < departure.departs_unix_s < at_unix_s:
        return departure, asked_kwh
    return Departure(at_unix_s, "outage"), max(reserve.energy_kwh, asked_kwh or 0.0)


def _reserved_kwh(reserve: OutageReserve | None, energy_kwh: float) -> float:
    """What of the reserve is there: that much stays. The rest is charged by its time, not at once."""
    return 0.0 if reserve is None else min(reserve.energy_kwh, max(energy_kwh, 0.0))


def departure_of(
    state: CarState,
    wishes: Wishes,
    seen: ChargerSeen,
    site: SiteSettings,
    now_unix_us: int,
) -> Departure | None:
    """The departure that counts now."""
    told_unix_us = None if seen.needs is None else seen.needs.departure_unix_us
    since_unix_s = 0 if state.stay is None else state.stay.began.since_unix_s
    return next_departure(
        wishes,
        now_unix_us // _US,
        site.time_zone,
        since_unix_s=since_unix_s,
        asked=state.asked,
        trips=state.trips,
        told_unix_s=None if told_unix_us is None else told_unix_us // _US,
    )


def _trip(state: CarState, departure: Departure) -> Trip | None:
    if departure.source != "trip":
        return None
    return next(
        (trip for trip in state.trips if trip.departs_unix_s == departure.departs_unix_s), None
    )


def _untold_kwh(settings: CarSettings, wishes: Wishes) -> float:
    target_kwh = wishes.target_soc * settings.capacity_kwh
    return max(target_kwh - _UNTOLD_USE_SHARE * settings.capacity_kwh, 0.0)


def _why_not(
    settings: CarSettings,
    wishes: Wishes,
    seen: ChargerSeen,
    estimate: Estimate | None,
    interconnection: Interconnection,
) -> str:
    """Why the car does not discharge, in words; empty where it may."""
    if wishes.mode not in _DISCHARGING_MODES:
        return f"the mode is {wishes.mode}"
    if not wishes.consents:
        return "its driver has not consented to discharging"
    if not settings.charger_discharges or settings.storage.discharge_kw_max <= 0:
        return "its charger is not set up to discharge"
    if interconnection == "backup_only":
        return "this connection is for backup only: nothing is discharged while the grid is there"
    if estimate is None:
        return "nobody tells its state of charge"
    if seen.needs is not None and not seen.needs.bidirectional:
        return "car and charger did not agree on discharging"
    return ""


def _storage(
    settings: CarSettings,
    wishes: Wishes,
    seen: ChargerSeen,
    asked_kwh: float | None,
    reserved_kwh: float,
    discharges: bool,
) -> Storage:
    capacity_kwh = settings.capacity_kwh
    charge_kw, discharge_kw = power_limits_kw(settings, seen)
    highest_kwh = max(wishes.highest_soc * capacity_kwh, asked_kwh or 0.0)
    return replace(
        settings.storage,
        energy_kwh_min=min(max(wishes.floor_soc * capacity_kwh, reserved_kwh), highest_kwh),
        energy_kwh_max=highest_kwh,
        charge_kw_max=charge_kw,
        charge_kw_min=min(settings.storage.charge_kw_min, charge_kw),
        discharge_kw_max=discharge_kw if discharges else 0.0,
        discharge_kw_min=min(settings.storage.discharge_kw_min, discharge_kw)
        if discharges
        else 0.0,
    )


def power_limits_kw(settings: CarSettings, seen: ChargerSeen) -> tuple[float, float]:
    """Most that charger and car can charge and discharge now, as they and others who limit them say."""
    charge_kw, discharge_kw = settings.storage.charge_kw_max, settings.storage.discharge_kw_max
    if seen.needs is not None:
        if seen.needs.charge_kw_max is not None:
            charge_kw = min(charge_kw, seen.needs.charge_kw_max)
        if seen.needs.discharge_kw_max is not None:
            discharge_kw = min(discharge_kw, seen.needs.discharge_kw_max)
    if seen.limit_kw is not None:
        charge_kw, discharge_kw = (
            min(charge_kw, max(seen.limit_kw, 0.0)),
            min(discharge_kw, abs(seen.limit_kw)),
        )
    return charge_kw, discharge_kw


def facts_of(car: CarView, measured_kw: float | None, grid: GridSeen = _ON_GRID) -> CarFacts:
    """What the guard is told of the car."""
    settings, storage = car.settings, car.settings.storage
    charge_kw, discharge_kw = power_limits_kw(settings, car.seen)
    estimate = car.estimate
    ready = None
    if car.departure is not None and car.asked_kwh is not None and estimate is not None:
        rate_kw = charge_kw * storage.charge_efficiency
        earlier_h = taper_h(car.energy_kwh, car.asked_kwh, settings.capacity_kwh, rate_kw)
        at_unix_s = car.departure.departs_unix_s - round(earlier_h * 3600)
        ready = ReadyBy(at_unix_s * _US, car.asked_kwh)
    return CarFacts(
        charger_id=settings.charger_id,
        evse_id=settings.evse_id,
        car_id=car.car_id,
        linked=car.seen.connected,
        plugged_in=car.here,
        charge_kw_max=charge_kw,
        discharge_kw_max=discharge_kw,
        charge_kw_min=min(storage.charge_kw_min, charge_kw),
        discharge_kw_min=min(storage.discharge_kw_min, discharge_kw),
        charge_efficiency=storage.charge_efficiency,
        discharge_efficiency=storage.discharge_efficiency,
        energy_kwh=None if estimate is None else estimate.energy_kwh,
        energy_kwh_error=0.0 if estimate is None else estimate.error_kwh,
        floor_kwh=max(
            car.wishes.floor_soc * settings.capacity_kwh,
            0.0 if car.reserve is None else car.reserve.energy_kwh,
        ),
        energy_kwh_max=settings.capacity_kwh,
        may_charge=car.wishes.mode != "off",
        may_discharge=not car.why_not,
        why_not=car.why_not,
        may_export=car.may_export,
        ready=ready,
        phases=settings.phases,
        voltage_v=settings.voltage_v,
        measured_kw=measured_kw,
        default_kw=settings.default_kw,
        circuit=settings.circuit,
        forms_island=car.car_id == grid.source_car_id,
        island_charge=car.car_id in grid.may_charge,
    )
