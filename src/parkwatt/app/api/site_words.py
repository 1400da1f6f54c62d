"""What a site does and why, in a driver's words: local times, kW and per cents. Also for `parkwatt why` beside no server."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from parkwatt.app.api.live import LiveCar, LiveSnapshot
from parkwatt.domain.site.event import (
    DepartureAsked,
    IntervalClosed,
    PlanAdopted,
    PricesReceived,
    PromiseAtRisk,
    SetpointDecided,
    SiteEvent,
    SiteStarted,
    SocTold,
    SourceChanged,
    StayBegan,
    StayEnded,
    TripsRead,
    WishesSet,
)
from parkwatt.domain.site.live_plan import CarPlan, LivePlan
from parkwatt.domain.site.wish import Departure

_US: Final = 1_000_000
# Less power than this is none.
REST_KW: Final = 0.05
# Feeding in less than this is the meter's noise and the control's lag.
_EXPORT_KW: Final = 0.2
_WEEK: Final = timedelta(days=6)
_SOURCES: Final = {
    "ready_by": "the weekly time",
    "asked": "named by the driver",
    "trip": "from the calendar",
    "car": "told by the car",
    "outage": "an outage that was announced",
}


def local(unix_s: float, zone: ZoneInfo) -> datetime:
    """The time by the site's clock."""
    return datetime.fromtimestamp(unix_s, tz=zone)


def clock(unix_s: float, now_unix_s: float, zone: ZoneInfo) -> str:
    """A time as one says it: 22:40, tomorrow 07:30, Fri 07:30, 2026-11-22 07:30."""
    at, now = local(unix_s, zone), local(now_unix_s, zone)
    days = (at.date() - now.date()).days
    if days == 0:
        return f"{at:%H:%M}"
    if days == 1:
        return f"tomorrow {at:%H:%M}"
    if days == -1:
        return f"yesterday {at:%H:%M}"
    if timedelta(0) < at - now < _WEEK:
        return f"{at:%a %H:%M}"
    return f"{at:%Y-%m-%d %H:%M}"


ActivityKind = Literal[
    "unlinked",
    "away",
    "faulted",
    "waiting",
    "unknown",
    "charging",
    "running_house",
    "feeding_in",
    "resting",
]


@dataclass(frozen=True, slots=True)
class Activity:
    """What a car does now. ``until_unix_s``: when the plan changes that, None where it does not tell; ``then``: to what, where
    the car rests now: 1 charging, −1 giving back.
    """

    kind: ActivityKind
    power_kw: float | None = None
    until_unix_s: int | None = None
    then: int = 0


def activity(car: LiveCar, snapshot: LiveSnapshot) -> Activity:
    """What the car does now, and until when as far as the plan goes on in the same direction."""
    seen = car.view.seen
    if not seen.connected:
        return Activity("unlinked")
    if not seen.plugged_in:
        return Activity("away")
    if seen.faulted:
        return Activity("faulted")
    if not car.view.here:
        return Activity("waiting")
    power_kw = car.power_kw
    if power_kw is None:
        return Activity("unknown")
    kind, plan = _kind(power_kw, snapshot), snapshot.plan
    if car.view.wishes.mode in ("off", "now") or plan is None:
        return Activity(kind, power_kw)
    change = next_change(plan, car.view.car_id, snapshot.now_unix_us // _US)
    if change is None or direction(power_kw) != change[1]:
        return Activity(kind, power_kw)
    return Activity(kind, power_kw, change[0], 0 if direction(power_kw) else change[2])


def _kind(power_kw: float, snapshot: LiveSnapshot) -> ActivityKind:
    if power_kw > REST_KW:
        return "charging"
    if power_kw < -REST_KW:
        feeds_in = snapshot.grid_kw is not None and snapshot.grid_kw < -_EXPORT_KW
        return "feeding_in" if feeds_in else "running_house"
    return "resting"


_DOING: Final[dict[ActivityKind, str]] = {
    "unlinked": "no link to its charger {charger_id}",
    "away": "away",
    "faulted": "its charger {charger_id} tells a fault",
    "waiting": "plugged in, but its charger has not started to charge yet",
    "unknown": "plugged in; its power is not known",
    "charging": "charging with {power_kw:.1f} kW",
    "feeding_in": "feeding in from the car with {power_kw:.1f} kW",
    "running_house": "running the house from the car with {power_kw:.1f} kW",
    "resting": "resting",
}


def doing(car: LiveCar, snapshot: LiveSnapshot) -> str:
    """What the car does now and until when: "running the house from the car with 1.9 kW until 22:40"."""
    now = activity(car, snapshot)
    words = _DOING[now.kind].format(
        charger_id=car.view.seen.charger_id, power_kw=abs(now.power_kw or 0.0)
    )
    if now.power_kw is not None and car.view.wishes.mode == "off":
        return f"{words}: switched off"
    if now.until_unix_s is None:
        return words
    until = clock(now.until_unix_s, snapshot.now_unix_us // _US, snapshot.settings.time_zone)
    if not now.then:
        return f"{words} until {until}"
    then = "charge" if now.then > 0 else "give back"
    return f"{words}; planned to {then} from {until}"


def direction(power_kw: float) -> int:
    """1 charging, −1 discharging, 0 at rest."""
    return 0 if abs(power_kw) <= REST_KW else (1 if power_kw > 0 else -1)


def next_change(plan: LivePlan, car_id: str, now_unix_s: int) -> tuple[int, int, int] | None:
    """When the plan's direction for a car changes, from what to what; None where it does not, or there is no such plan."""
    part, step = plan.car(car_id), plan.step_at(now_unix_s)
    if part is None or step is None:
        return None
    first = direction(part.power_kw[step])
    for index in range(step + 1, len(part.power_kw)):
        then = direction(part.power_kw[index])
        if then != first:
            return plan.edges_unix_s[index], first, then
    return None


def energy_kwh_at(plan: LivePlan, part: CarPlan, at_unix_s: int) -> float | None:
    """What the plan has in the car's battery at a time; None beyond its end, and before its beginning."""
    if at_unix_s == plan.edges_unix_s[-1]:
        return part.energy_kwh[-1]
    step = plan.step_at(at_unix_s)
    if step is None:
        return None
    start, end = plan.edges_unix_s[step], plan.edges_unix_s[step + 1]
    share = (at_unix_s - start) / (end - start)
    return part.energy_kwh[step] * (1.0 - share) + part.energy_kwh[step + 1] * share


def departure_words(departure: Departure, now_unix_s: int, zone: ZoneInfo) -> str:
    """When it is wanted and who says so."""
    title = f" “{departure.title}”" if departure.title else ""
    source = f"{_SOURCES[departure.source]}{title}"
    return f"{clock(departure.departs_unix_s, now_unix_s, zone)} ({source})"


def event_words(event: SiteEvent, recorded_unix_us: int, zone: ZoneInfo) -> str:
    """One entry of the journal in a sentence."""
    now_unix_s = recorded_unix_us // _US
    if isinstance(event, SetpointDecided):
        asked = ""
        if abs(event.power_kw - event.proposed_kw) > REST_KW:
            asked = f", asked were {event.proposed_kw:+.2f} kW"
        return f"{event.car_id}: {event.power_kw:+.2f} kW{asked}: {event.reason}"
    if isinstance(event, PlanAdopted):
        saves = ""
        if event.gain is not None:
            saves = f", better than the one before by {event.gain:.2f} {event.plan.currency}"
        return f"a new plan{saves}: {event.because}"
    if isinstance(event, PromiseAtRisk):
        return f"{event.car_id}: {event.message}"
    if isinstance(event, WishesSet | DepartureAsked | TripsRead | SocTold):
        return _wish_words(event, now_unix_s, zone)
    if isinstance(event, StayBegan):
        known = "" if event.energy_kwh is None else f" with {event.energy_kwh:.1f} kWh"
        return f"{event.car_id} was plugged in{known} at {event.charger_id}"
    if isinstance(event, StayEnded):
        known = "" if event.energy_kwh is None else f" with {event.energy_kwh:.1f} kWh"
        return f"{event.car_id} left{known}: {event.reason}"
    return _other_words(event, now_unix_s, zone)


def _wish_words(
    event: WishesSet | DepartureAsked | TripsRead | SocTold, now_unix_s: int, zone: ZoneInfo
) -> str:
    if isinstance(event, WishesSet):
        wishes = event.wishes
        end = " until its departure" if event.until_departure else ""
        return (
            f"{event.car_id}: mode {wishes.mode}{end}, floor {wishes.floor_soc:.0%}, "
            f"target {wishes.target_soc:.0%} ({event.origin})"
        )
    if isinstance(event, DepartureAsked):
        if event.departure is None:
            return f"{event.car_id}: the named departure was taken back ({event.origin})"
        at = clock(event.departure.departs_unix_s, now_unix_s, zone)
        return f"{event.car_id}: wanted at {at} ({event.origin})"
    if isinstance(event, TripsRead):
        return f"{event.car_id}: {len(event.trips)} trips ahead in its calendar"
    return f"{event.car_id}: {event.soc:.0%} in its battery ({event.origin})"


def _other_words(event: SiteEvent, now_unix_s: int, zone: ZoneInfo) -> str:
    if isinstance(event, PricesReceived):
        end_unix_s = event.start_unix_s + event.step_s * len(event.price_per_kwh)
        notes = f"; {'; '.join(event.notes)}" if event.notes else ""
        until = clock(end_unix_s, now_unix_s, zone)
        return f"prices of {event.feed} until {until} from {event.source}{notes}"
    if isinstance(event, SourceChanged):
        reason = f": {event.reason}" if event.reason else ""
        return f"{event.source} {'works again' if event.ok else 'gives nothing'}{reason}"
    if isinstance(event, SiteStarted):
        return f"Parkwatt {event.version} began to run the site"
    if isinstance(event, IntervalClosed):
        taken = "unknown" if event.import_kwh is None else f"{event.import_kwh:.2f} kWh"
        given = "unknown" if event.export_kwh is None else f"{event.export_kwh:.2f} kWh"
        return f"a quarter of an hour: import {taken}, export {given}"
    return "a reading"
