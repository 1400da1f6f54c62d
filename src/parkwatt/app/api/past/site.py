"""The site's control as it was: what was wished, planned, decided and known, folded from the journal.

All that does not come from readings is as it was to the digit. Powers are the journal's own: means over the minute in which the
moment lies. What stands in no journal is None.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, TypeVar

import msgspec

from parkwatt.app.api.live import LiveCar, LiveSnapshot
from parkwatt.app.api.past.chargers import charger_at
from parkwatt.app.api.past.journal import DAY_US, MINUTE_US, US, PastJournal
from parkwatt.domain.journal import Entry, JournalDamaged
from parkwatt.domain.site import event as site_event
from parkwatt.domain.site.event import (
    CarMinute,
    Measured,
    PlanAdopted,
    SetpointDecided,
    SiteSnapshot,
)
from parkwatt.domain.site.observation import ChargerSeen, seen
from parkwatt.domain.site.reading import SiteReading
from parkwatt.site.live.cars import CarView, view
from parkwatt.site.live.estimate import Estimate, estimate
from parkwatt.site.live.settings import CarSettings, SiteSettings
from parkwatt.site.live.state import STATE_VERSION, SiteState, decode_state

# What makes the state beyond plans, set-points and readings, of which only the last count.
_KINDS: Final = (
    *("wish.set", "wish.departure", "wish.trips", "car.soc", "promise.at_risk"),
    *("prices.received", "source.changed", "stay.began", "stay.ended"),
)
_PLAN_US: Final = 14 * DAY_US
_SETPOINT_US: Final = DAY_US
# Minutes are written down when they are over, and a car's energy with them.
_MINUTES_US: Final = 20 * MINUTE_US
_LATE_US: Final = 2 * MINUTE_US

_Event = TypeVar("_Event")


@dataclass(frozen=True, slots=True)
class PastSite:
    """``snapshot``: as the running site makes one of itself. ``minute``: what its powers are means over; None: not told."""

    snapshot: LiveSnapshot
    minute: Measured | None


def site_at(journal: PastJournal, settings: SiteSettings) -> PastSite:
    """The site at the moment, with the settings of today. Raises JournalDamaged where an entry is not what it says it is."""
    state = _state(journal, settings)
    minutes = _minutes(journal)
    for one in minutes:
        if (one.start_unix_s + one.duration_s) * US <= journal.at_unix_us:
            state.apply(one, journal.at_unix_us, settings.time_zone)
    now_unix_s = journal.at_unix_us // US
    minute = next(
        (
            one
            for one in minutes
            if one.start_unix_s <= now_unix_s < one.start_unix_s + one.duration_s
        ),
        None,
    )
    decided = _decided(journal)
    cars = []
    for car in settings.cars:
        measured = None if minute is None else minute.cars.get(car.car_id)
        cars.append(_car(journal, car, state, settings, measured, decided.get(car.car_id)))
    snapshot = LiveSnapshot(
        step=0,
        now_unix_us=journal.at_unix_us,
        settings=settings,
        reading=SiteReading(),
        tariff=settings.tariff.with_feeds(state.prices.all_series()),
        cars=tuple(cars),
        grid_kw=None if minute is None else minute.grid_kw,
        solar_kw=None if minute is None or not settings.has_solar else minute.solar_kw,
        load_kw=None if minute is None else minute.load_kw,
        plan=state.plan,
        plan_because=state.plan_because,
        sources=dict(state.sources),
    )
    return PastSite(snapshot, minute)


def _state(journal: PastJournal, settings: SiteSettings) -> SiteState:
    state, after_seq = SiteState(), 0
    entry = journal.snapshot(site_event.SNAPSHOT)
    if entry is not None:
        snapshot = read(entry, SiteSnapshot)
        if snapshot.version == STATE_VERSION:
            state, after_seq = decode_state(snapshot.state), entry.seq
    zone = settings.time_zone
    for entry in journal.entries(_KINDS, subject=site_event.SUBJECT, after_seq=after_seq):
        state.apply(_decoded(entry), entry.recorded_unix_us, zone)
    plan = journal.newest("plan.adopted", ago_us=_PLAN_US)
    if plan is not None and plan.seq > after_seq:
        state.apply(read(plan, PlanAdopted), plan.recorded_unix_us, zone)
    return state


def _minutes(journal: PastJournal) -> list[Measured]:
    """The last minutes before the moment, and the one in which it lies."""
    found = journal.entries(
        ("site.measured",),
        subject=site_event.SUBJECT,
        after_seq=journal.seq_ago(_MINUTES_US),
        last_seq=journal.seq_ago(-_LATE_US),
    )
    return [read(entry, Measured) for entry in found]


def _decided(journal: PastJournal) -> dict[str, tuple[SetpointDecided, int]]:
    """The last set-point of each car."""
    found = {}
    for entry in journal.entries(
        ("setpoint.decided",),
        subject=site_event.SUBJECT,
        after_seq=journal.seq_ago(_SETPOINT_US),
    ):
        event = read(entry, SetpointDecided)
        found[event.car_id] = event, entry.recorded_unix_us
    return found


def _car(
    journal: PastJournal,
    settings: CarSettings,
    state: SiteState,
    site: SiteSettings,
    minute: CarMinute | None,
    decided: tuple[SetpointDecided, int] | None,
) -> LiveCar:
    found = _view(journal, settings, state, site)
    power_kw = None if minute is None else minute.power_kw
    if not found.seen.plugged_in:
        power_kw = 0.0
    if decided is None:
        return LiveCar(view=found, power_kw=power_kw)
    event, at_unix_us = decided
    return LiveCar(
        view=found,
        power_kw=power_kw,
        decided=event,
        decided_unix_us=at_unix_us,
        lease_until_unix_us=at_unix_us + event.lease_s * US,
    )


def _view(
    journal: PastJournal, settings: CarSettings, state: SiteState, site: SiteSettings
) -> CarView:
    now_unix_us, car = journal.at_unix_us, state.car(settings.car_id)
    stay_us = 0 if car.stay is None else now_unix_us - car.stay.began.since_unix_s * US
    charger = charger_at(journal, settings.charger_id, max(stay_us, 0))
    told = seen(charger, settings.evse_id)
    if car.stay is not None and not (told.plugged_in and told.transaction_id):
        transaction_id = told.transaction_id or car.stay.began.transaction_id
        told = replace(told, plugged_in=True, transaction_id=transaction_id)
    found = _estimate(settings, told, state, site, now_unix_us)
    return view(settings, car, told, found, site, now_unix_us)


def _estimate(
    settings: CarSettings,
    told: ChargerSeen,
    state: SiteState,
    site: SiteSettings,
    now_unix_us: int,
) -> Estimate | None:
    """What is in the battery: as the charger told it, else as it was noted by the minute."""
    if not told.plugged_in:
        return None
    car = state.car(settings.car_id)
    found = estimate(settings.storage, told, car.soc_told)
    if found is not None and now_unix_us - found.told_unix_us <= site.control.soc_age_s * US:
        return found
    if car.stay is None or car.energy_kwh is None:
        return None
    return Estimate(car.energy_kwh, 0.0, 0)


def read(entry: Entry, kind: type[_Event]) -> _Event:
    """The event in an entry. Raises JournalDamaged where it is another."""
    event = _decoded(entry)
    if not isinstance(event, kind):
        raise JournalDamaged(f"entry {entry.seq} is no {entry.kind}")
    return event


def _decoded(entry: Entry) -> site_event.SiteEvent:
    try:
        return site_event.decode(entry.payload or b"")
    except msgspec.MsgspecError as error:
        raise JournalDamaged(f"entry {entry.seq} is no {entry.kind}: {error}") from error
