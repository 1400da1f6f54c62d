"""Why a car gets the power it gets, from the journal alone: what the plan wanted, what the guard changed, what both knew.

The journal is searched backwards from the time that is asked about, in spans that grow, so that an answer about a minute ago
does not read a year.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from parkwatt.app.api.home_words import home_event_words
from parkwatt.app.api.reasons import seq_before
from parkwatt.app.api.site_words import (
    REST_KW,
    clock,
    departure_words,
    direction,
    energy_kwh_at,
    event_words,
    next_change,
)
from parkwatt.app.up.why_home import HomeKnown, explain_home, home_known_at
from parkwatt.domain.journal import JournalDamaged
from parkwatt.domain.site import event as site_event
from parkwatt.domain.site.event import (
    Measured,
    PlanAdopted,
    PromiseAtRisk,
    SetpointDecided,
    SiteEvent,
    SourceChanged,
    StayBegan,
    StayEnded,
    WishesSet,
)
from parkwatt.domain.site.live_plan import LivePlan
from parkwatt.domain.site.wish import Departure, Wishes
from parkwatt.io.store.reader import JournalReader
from parkwatt.site.live.settings import CarSettings

_US: Final = 1_000_000
_SPANS_S: Final = (3600, 6 * 3600, 86_400, 7 * 86_400, 60 * 86_400)
_KINDS: Final = tuple(sorted(site_event.KINDS - {"site.snapshot", "site.interval"}))
_DECISIONS_MAX: Final = 6
_OF_A_CAR = (SetpointDecided, PromiseAtRisk, WishesSet, StayBegan, StayEnded)


@dataclass(slots=True)
class Known:
    """The last event of each kind before the time that is asked about, each with when it was recorded."""

    plan: tuple[PlanAdopted, int] | None = None
    decided: tuple[SetpointDecided, int] | None = None
    stay: StayBegan | StayEnded | None = None
    wishes: WishesSet | None = None
    risk: PromiseAtRisk | None = None
    measured: tuple[Measured, int] | None = None
    asked: Departure | None = None
    sources: dict[str, SourceChanged] = field(default_factory=dict)
    decisions: list[tuple[SetpointDecided, int]] = field(default_factory=list)


def last_time_unix_us(journal: Path) -> int:
    """When the last entry was recorded; 0 for an empty journal."""
    reader = JournalReader(journal)
    seq = reader.last()[0]
    return next((entry.recorded_unix_us for entry in reader.read(after_seq=seq - 1)), 0)


def known_at(journal: Path, car_id: str, at_unix_us: int) -> Known:
    """What the journal says of a car up to a time.

    Raises InputError where there is no journal, JournalDamaged where an entry cannot be read.
    """
    reader = JournalReader(journal)
    known = Known()
    for span_s in _SPANS_S:
        from_unix_us = at_unix_us - span_s * _US
        known = Known()
        entries = reader.read(
            after_seq=seq_before(reader, from_unix_us),
            subject=site_event.SUBJECT,
            kinds=_KINDS,
            from_unix_us=from_unix_us,
            until_unix_us=at_unix_us + 1,
        )
        for entry in entries:
            if entry.payload is None:
                continue
            try:
                event = site_event.decode(entry.payload)
            except msgspec.ValidationError as error:
                raise JournalDamaged(f"entry {entry.seq} is no {entry.kind}: {error}") from error
            _take(known, event, entry.recorded_unix_us, car_id)
        if known.plan is not None and known.decided is not None and known.stay is not None:
            break
    return known


def _take(known: Known, event: SiteEvent, recorded_unix_us: int, car_id: str) -> None:
    if isinstance(event, PlanAdopted):
        known.plan = (event, recorded_unix_us)
    elif isinstance(event, Measured):
        known.measured = (event, recorded_unix_us)
    elif isinstance(event, SourceChanged):
        known.sources[event.source] = event
    elif isinstance(event, _OF_A_CAR) and event.car_id == car_id:
        _take_of_car(known, event, recorded_unix_us)
    elif isinstance(event, site_event.DepartureAsked) and event.car_id == car_id:
        known.asked = event.departure


def _take_of_car(known: Known, event: SiteEvent, recorded_unix_us: int) -> None:
    if isinstance(event, SetpointDecided):
        known.decided = (event, recorded_unix_us)
        if not event.following:
            known.decisions = [*known.decisions, (event, recorded_unix_us)][-_DECISIONS_MAX:]
    elif isinstance(event, StayBegan | StayEnded):
        known.stay, known.risk = event, None
    elif isinstance(event, WishesSet):
        known.wishes = event
    elif isinstance(event, PromiseAtRisk):
        known.risk = event


def explain(
    known: Known, home: HomeKnown, car: CarSettings, at_unix_us: int, zone: ZoneInfo
) -> Iterator[str]:
    """Why, in lines; the first is the answer in short. What happened to the home's backup is told among the decisions."""
    if known.stay is None or isinstance(known.stay, StayEnded):
        yield f"{car.car_id} is away: nothing is decided for it"
        yield from _before_lines([], home, at_unix_us // _US, zone)
        return
    now_unix_s = at_unix_us // _US
    plan = None if known.plan is None else known.plan[0].plan
    wishes = car.wishes if known.wishes is None else known.wishes.wishes
    yield from _decided_lines(known, car, at_unix_us, zone)
    if wishes.mode in ("now", "off"):
        yield f"  plan: not followed in mode {wishes.mode}"
        plan = None
    else:
        yield from _plan_lines(known, plan, car.car_id, now_unix_s, zone)
    if known.decided is not None and known.decided[0].power_kw <= REST_KW and plan is not None:
        yield from _not_charging_lines(plan, car.car_id, now_unix_s, zone)
    yield from _input_lines(known, wishes, car, plan, now_unix_s, zone)
    yield from _before_lines(known.decisions[:-1], home, now_unix_s, zone)


def _before_lines(
    decisions: Sequence[tuple[SetpointDecided, int]],
    home: HomeKnown,
    now_unix_s: int,
    zone: ZoneInfo,
) -> Iterator[str]:
    """What was decided for the car and happened to the home, the last first."""
    told = [(at_unix_us, event_words(one, at_unix_us, zone)) for one, at_unix_us in decisions]
    told += [
        (at_unix_us, home_event_words(one, at_unix_us, zone)) for one, at_unix_us in home.events
    ]
    if told:
        yield "  before that:"
    told.sort(key=lambda one: one[0])  # what was recorded at one time stays in the journal's order
    for at_unix_us, words in told[::-1]:
        yield f"    {clock(at_unix_us / _US, now_unix_s, zone)}  {words}"


def _decided_lines(
    known: Known, car: CarSettings, at_unix_us: int, zone: ZoneInfo
) -> Iterator[str]:
    if known.decided is None:
        yield f"{car.car_id}: nothing was decided yet"
        return
    decided, recorded_unix_us = known.decided
    at = clock(recorded_unix_us / _US, at_unix_us // _US, zone)
    yield f"{car.car_id}: {_power_words(decided.power_kw)}, decided {at}"
    yield f"  reason: {decided.reason}"
    if recorded_unix_us + decided.lease_s * _US < at_unix_us:
        default_kw = f"{car.default_kw:g} kW"
        yield f"  its lease is over: the charger charges for its driver with at most {default_kw}"
    for change in decided.changes:
        yield f"  the guard changed {change.from_kw:+.2f} to {change.to_kw:+.2f} kW: {change.message}"


def _power_words(power_kw: float) -> str:
    words = {1: "charging with", -1: "giving", 0: "resting"}[direction(power_kw)]
    return words if not direction(power_kw) else f"{words} {abs(power_kw):.2f} kW"


def _plan_lines(
    known: Known, plan: LivePlan | None, car_id: str, now_unix_s: int, zone: ZoneInfo
) -> Iterator[str]:
    if plan is None or known.plan is None:
        yield "  plan: none yet"
        return
    made = clock(plan.made_unix_s, now_unix_s, zone)
    yield f"  plan: of {made}, because {known.plan[0].because}"
    for reason in plan.reasons:
        if reason.car_id == car_id and reason.from_unix_s <= now_unix_s < reason.until_unix_s:
            until = clock(reason.until_unix_s, now_unix_s, zone)
            yield f"    until {until}: {reason.message}"
    following = next(
        (one for one in plan.reasons if one.car_id == car_id and one.from_unix_s > now_unix_s), None
    )
    if following is not None:
        start = clock(following.from_unix_s, now_unix_s, zone)
        yield f"    then from {start}: {following.message}"


def _not_charging_lines(
    plan: LivePlan, car_id: str, now_unix_s: int, zone: ZoneInfo
) -> Iterator[str]:
    """Why it does not charge now: when it will, and what a kWh costs then."""
    step, part = plan.step_at(now_unix_s), plan.car(car_id)
    if step is None or part is None:
        return
    for index in range(step + 1, len(part.power_kw)):
        if part.power_kw[index] > REST_KW:
            start = clock(plan.edges_unix_s[index], now_unix_s, zone)
            then, now = plan.import_price_per_kwh[index], plan.import_price_per_kwh[step]
            yield (
                f"  not charging now: it is planned from {start}, when a kWh costs {then:.4g} "
                f"{plan.currency}; now it costs {now:.4g}"
            )
            return
    yield "  not charging now: the plan needs no more for as far as it looks"


def _input_lines(
    known: Known,
    wishes: Wishes,
    car: CarSettings,
    plan: LivePlan | None,
    now_unix_s: int,
    zone: ZoneInfo,
) -> Iterator[str]:
    yield "  what was known:"
    yield (
        f"    mode {wishes.mode}, floor {wishes.floor_soc:.0%}, target {wishes.target_soc:.0%}, "
        f"discharging {'agreed' if wishes.consents else 'not agreed'}"
    )
    if known.measured is not None:
        yield f"    {_measured_words(known.measured[0], car)}"
    departure = _departure_words(known, plan, car, now_unix_s, zone)
    if departure:
        yield f"    {departure}"
    if known.risk is not None:
        yield f"    {known.risk.message}"
    if plan is not None and (step := plan.step_at(now_unix_s)) is not None:
        bought, sold = plan.import_price_per_kwh[step], plan.export_price_per_kwh[step]
        known_until = ""
        if plan.price_known_until_unix_s < plan.edges_unix_s[-1]:
            until = clock(plan.price_known_until_unix_s, now_unix_s, zone)
            known_until = f"; prices are known until {until}"
        yield f"    a kWh costs {bought:.4g} {plan.currency} and earns {sold:.4g}{known_until}"
        stored = None if (part := plan.car(car.car_id)) is None else part.stored_value_per_kwh
        if stored is not None:
            yield f"    one more kWh in the battery is worth {stored[step]:.4g} {plan.currency}"
        if (change := next_change(plan, car.car_id, now_unix_s)) is not None:
            yield f"    the plan changes at {clock(change[0], now_unix_s, zone)}"
    for source in known.sources.values():
        if not source.ok:
            yield f"    {source.source} gives nothing: {source.reason}"


def _measured_words(measured: Measured, car: CarSettings) -> str:
    words = []
    for name, power_kw in (
        ("grid", measured.grid_kw),
        ("house", measured.load_kw),
        ("sun", measured.solar_kw),
    ):
        if power_kw is not None:
            words.append(f"{name} {power_kw:.2f} kW")
    minute = measured.cars.get(car.car_id)
    if minute is not None and minute.energy_kwh is not None:
        soc = minute.energy_kwh / car.capacity_kwh
        words.append(f"{minute.energy_kwh:.1f} kWh ({soc:.0%}) in the battery")
    return ", ".join(words) or "no meter told anything"


def _departure_words(
    known: Known, plan: LivePlan | None, car: CarSettings, now_unix_s: int, zone: ZoneInfo
) -> str:
    part = None if plan is None else plan.car(car.car_id)
    if known.asked is not None and known.asked.departs_unix_s > now_unix_s:
        departure = f"wanted {departure_words(known.asked, now_unix_s, zone)}"
    elif part is not None and part.departs_unix_s is not None:
        departure = f"wanted {clock(part.departs_unix_s, now_unix_s, zone)}"
    else:
        return ""
    if plan is None or part is None or part.departs_unix_s is None or part.energy_kwh_asked is None:
        return departure
    expected_kwh = energy_kwh_at(plan, part, part.departs_unix_s)
    planned = "" if expected_kwh is None else f", planned are {expected_kwh:.1f} kWh"
    return f"{departure} with {part.energy_kwh_asked:.1f} kWh{planned}"


def explain_all(
    journal: Path,
    cars: Sequence[CarSettings],
    at_unix_us: int,
    zone: ZoneInfo,
    *,
    has_backup: bool = False,
) -> Iterator[str]:
    """Why, for the home's backup and each of the cars."""
    home = home_known_at(journal, at_unix_us) if has_backup else HomeKnown()
    yield from explain_home(home, at_unix_us, zone)
    for car in cars:
        yield from explain(known_at(journal, car.car_id, at_unix_us), home, car, at_unix_us, zone)
