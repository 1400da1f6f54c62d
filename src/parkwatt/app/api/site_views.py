"""What the API shows of a running site: pydantic models, made from a snapshot. They are the API's contract (OpenAPI)."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from parkwatt.app.api import site_words
from parkwatt.app.api.live import LiveCar, LiveSnapshot
from parkwatt.app.api.views import at, moment
from parkwatt.domain.series import TimeGrid
from parkwatt.domain.site.event import GuardChange
from parkwatt.domain.site.live_plan import LivePlan
from parkwatt.domain.site.wish import Trip, Wishes

_US: Final = 1_000_000
_QUARTER_S: Final = 900
DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ENOUGH_SHARE: Final = 0.01
ModeName = Literal["now", "smart", "home", "grid", "off"]


class _View(BaseModel):
    model_config = ConfigDict(extra="forbid")


class WishesView(_View):
    """What holds for a car until it is changed."""

    mode: ModeName
    floor_soc: float
    target_soc: float
    highest_soc: float
    ready_by: dict[str, str | None] = Field(description="local time for each day of the week")
    discharge: bool = Field(description="whether the driver agreed to discharging")
    until_departure: bool = Field(description="whether they end when the car leaves")


class DepartureView(_View):
    """The departure that counts next, and whether the car will be ready."""

    departs_at: datetime
    source: str = Field(description="ready_by, asked, trip, car or outage")
    title: str
    asked_soc: float | None
    asked_kwh: float | None
    expected_kwh: float | None = Field(description="by the plan, null where it tells nothing")
    ready: bool | None = Field(description="null where it is not known")
    ready_at: datetime | None = Field(description="when there will be enough")
    message: str


class ChangeView(_View):
    """A rule by which the guard changed a set-point."""

    rule: str
    from_kw: float
    to_kw: float
    message: str


class SetpointView(_View):
    """The last set-point of a car."""

    power_kw: float = Field(description="positive charges, negative discharges")
    proposed_kw: float
    reason: str
    decided_at: datetime
    lease_until: datetime
    changes: list[ChangeView]


class TripView(_View):
    """A trip from the car's calendar."""

    departs_at: datetime
    returns_at: datetime
    title: str
    target_soc: float | None
    distance_km: float | None


class ActivityView(_View):
    """What a car does now."""

    kind: site_words.ActivityKind
    until: datetime | None = Field(description="when the plan changes that, null: not told")
    then: Literal["charging", "giving_back"] | None = Field(
        description="what a car that rests is planned to do then"
    )


class CarView(_View):
    """A car now."""

    car_id: str
    activity: ActivityView
    doing: str = Field(description="what it does and until when, in words")
    charger_id: str
    evse_id: int
    connected: bool
    plugged_in: bool
    since: datetime | None
    power_kw: float | None
    capacity_kwh: float
    energy_kwh: float | None
    energy_kwh_error: float | None = Field(description="how far the truth may lie from it")
    soc: float | None
    soc_told_at: datetime | None
    wishes: WishesView
    departure: DepartureView | None
    discharges: bool
    why_not: str = Field(description="why it does not discharge, empty where it may")
    setpoint: SetpointView | None
    trips: list[TripView]


class SourceView(_View):
    """A price feed, meter, broker or calendar."""

    source: str
    ok: bool
    reason: str


class PriceStepView(_View):
    """Prices of one step, in currency per kWh; null where not known."""

    start: datetime
    end: datetime
    import_price_per_kwh: float | None
    export_price_per_kwh: float | None


class PricesView(_View):
    """Prices from now on."""

    currency: str
    known_until: datetime | None = Field(description="null: for all time")
    steps: list[PriceStepView]


class SiteView(_View):
    """The site now. Powers in kW, null where nothing fresh tells them."""

    name: str
    at: datetime
    time_zone: str
    currency: str
    grid_kw: float | None = Field(description="positive imports")
    solar_kw: float | None
    load_kw: float | None = Field(description="the household without its chargers")
    meter_read_at: datetime | None
    import_limit_kw: float | None
    export_limit_kw: float | None
    interconnection: str
    price_now: PriceStepView
    price_next: PriceStepView | None = Field(description="the next other price that is known")
    prices_known_until: datetime | None
    plan_made_at: datetime | None
    plan_because: str
    cars: list[CarView]
    sources: list[SourceView]
    alarms: list[str]


class PlanStepView(_View):
    """One step of the plan; powers are means, energies at the step's end, by the car's name."""

    start: datetime
    end: datetime
    grid_kw: float
    load_kw: float
    solar_kw: float
    import_price_per_kwh: float
    export_price_per_kwh: float
    car_kw: dict[str, float]
    car_kwh: dict[str, float]


class PlanReasonView(_View):
    """Why a car does what it does between two times."""

    car_id: str
    start: datetime
    end: datetime
    power_kw: float
    message: str


class PlanView(_View):
    """The plan that the site follows."""

    made_at: datetime
    because: str
    currency: str
    cost: float
    prices_known_until: datetime = Field(description="beyond it prices are a guess")
    steps: list[PlanStepView]
    reasons: list[PlanReasonView]
    risks: list[str]


def site_view(snapshot: LiveSnapshot, alarms: list[str]) -> SiteView:
    """The whole site. ``alarms``: all of them."""
    settings, plan = snapshot.settings, snapshot.plan
    now_unix_s = snapshot.now_unix_us // _US
    prices = prices_view(snapshot, 36)
    first = prices.steps[0]
    return SiteView(
        name=settings.name,
        at=moment(snapshot.now_unix_us),
        time_zone=str(settings.time_zone),
        currency=snapshot.tariff.currency,
        grid_kw=snapshot.grid_kw,
        solar_kw=snapshot.solar_kw,
        load_kw=snapshot.load_kw,
        meter_read_at=at(max(snapshot.reading.grid_unix_us, snapshot.reading.load_unix_us)),
        import_limit_kw=settings.import_limit_kw,
        export_limit_kw=settings.export_limit_kw,
        interconnection=settings.interconnection,
        price_now=first,
        price_next=next((step for step in prices.steps[1:] if _differ(step, first)), None),
        prices_known_until=_known_until(snapshot, now_unix_s),
        plan_made_at=None if plan is None else moment(plan.made_unix_s * _US),
        plan_because=snapshot.plan_because,
        cars=[car_view(car, snapshot) for car in snapshot.cars],
        sources=[
            SourceView(source=one.source, ok=one.ok, reason=one.reason)
            for one in sorted(snapshot.sources.values(), key=lambda one: one.source)
        ],
        alarms=alarms,
    )


def _differ(one: PriceStepView, other: PriceStepView) -> bool:
    known = one.import_price_per_kwh is not None
    return known and (one.import_price_per_kwh, one.export_price_per_kwh) != (
        other.import_price_per_kwh,
        other.export_price_per_kwh,
    )


def car_view(car: LiveCar, snapshot: LiveSnapshot) -> CarView:
    """A car."""
    view, state = car.view, car.view.state
    estimate, capacity_kwh = view.estimate, view.settings.capacity_kwh
    return CarView(
        car_id=view.car_id,
        activity=_activity_view(site_words.activity(car, snapshot)),
        doing=site_words.doing(car, snapshot),
        charger_id=view.settings.charger_id,
        evse_id=view.settings.evse_id,
        connected=view.seen.connected,
        plugged_in=view.seen.plugged_in,
        since=None if state.stay is None else moment(state.stay.began.since_unix_s * _US),
        power_kw=car.power_kw,
        capacity_kwh=capacity_kwh,
        energy_kwh=None if estimate is None else estimate.energy_kwh,
        energy_kwh_error=None if estimate is None else estimate.error_kwh,
        soc=None if estimate is None else estimate.energy_kwh / capacity_kwh,
        soc_told_at=None if estimate is None else moment(estimate.told_unix_us),
        wishes=wishes_view(view.wishes, until_departure=state.wishes_end),
        departure=_departure_view(car, snapshot),
        discharges=not view.why_not,
        why_not=view.why_not,
        setpoint=_setpoint_view(car),
        trips=[_trip_view(trip) for trip in state.trips],
    )


def _activity_view(activity: site_words.Activity) -> ActivityView:
    until, then = activity.until_unix_s, activity.then
    return ActivityView(
        kind=activity.kind,
        until=None if until is None else moment(until * _US),
        then=None if not then else ("charging" if then > 0 else "giving_back"),
    )


def wishes_view(wishes: Wishes, *, until_departure: bool) -> WishesView:
    """A driver's wishes."""
    return WishesView(
        mode=wishes.mode,
        floor_soc=wishes.floor_soc,
        target_soc=wishes.target_soc,
        highest_soc=wishes.highest_soc,
        ready_by={
            day: None if second is None else f"{second // 3600:02d}:{second % 3600 // 60:02d}"
            for day, second in zip(DAYS, wishes.ready_by_s, strict=True)
        },
        discharge=wishes.consents,
        until_departure=until_departure,
    )


def _departure_view(car: LiveCar, snapshot: LiveSnapshot) -> DepartureView | None:
    departure, asked_kwh = car.view.departure, car.view.asked_kwh
    if departure is None:
        return None
    expected_kwh, ready_unix_s = _expected(car, snapshot)
    ready, message = _readiness(car, expected_kwh)
    capacity_kwh = car.view.settings.capacity_kwh
    return DepartureView(
        departs_at=moment(departure.departs_unix_s * _US),
        source=departure.source,
        title=departure.title,
        asked_soc=None if asked_kwh is None else asked_kwh / capacity_kwh,
        asked_kwh=asked_kwh,
        expected_kwh=expected_kwh,
        ready=ready,
        ready_at=None if ready_unix_s is None else moment(ready_unix_s * _US),
        message=message,
    )


def _expected(car: LiveCar, snapshot: LiveSnapshot) -> tuple[float | None, int | None]:
    """What the battery will hold at the departure, and when it will hold enough."""
    view = car.view
    departure, asked_kwh = view.departure, view.asked_kwh
    if departure is None or asked_kwh is None or view.estimate is None or not view.here:
        return None, None
    now_unix_s = snapshot.now_unix_us // _US
    storage, energy_kwh = view.storage, view.estimate.energy_kwh
    if energy_kwh >= asked_kwh and view.wishes.mode in ("now", "off"):
        return energy_kwh, now_unix_s
    if view.wishes.mode == "now":
        rate_kw = storage.charge_kw_max * storage.charge_efficiency
        ready_unix_s = now_unix_s + math.ceil((asked_kwh - energy_kwh) / rate_kw * 3600)
        hours = max(departure.departs_unix_s - now_unix_s, 0) / 3600
        return min(energy_kwh + rate_kw * hours, asked_kwh), ready_unix_s
    part = None if snapshot.plan is None else snapshot.plan.car(view.car_id)
    if snapshot.plan is None or part is None:
        return None, None
    expected_kwh = site_words.energy_kwh_at(snapshot.plan, part, departure.departs_unix_s)
    enough_kwh = asked_kwh - _ENOUGH_SHARE * view.settings.capacity_kwh
    for edge_unix_s, planned_kwh in zip(snapshot.plan.edges_unix_s, part.energy_kwh, strict=True):
        if edge_unix_s >= now_unix_s and planned_kwh >= enough_kwh:
            return expected_kwh, edge_unix_s
    return expected_kwh, None


def _readiness(car: LiveCar, expected_kwh: float | None) -> tuple[bool | None, str]:
    view, risk = car.view, car.view.state.risk
    capacity_kwh = view.settings.capacity_kwh
    if not view.here:
        return None, "not plugged in"
    if view.estimate is None:
        return None, "nobody tells its state of charge"
    departure, asked_kwh = view.departure, view.asked_kwh
    concerns = risk is not None and risk.departure == departure
    if risk is not None and concerns:
        return False, risk.message
    if expected_kwh is None or asked_kwh is None:
        return None, "no plan reaches that far yet"
    if expected_kwh < asked_kwh - _ENOUGH_SHARE * capacity_kwh:
        soc, asked_soc = expected_kwh / capacity_kwh, asked_kwh / capacity_kwh
        return False, f"asked were {asked_soc:.0%}; there will be about {soc:.0%}"
    return True, f"will be ready with {asked_kwh / capacity_kwh:.0%}"


def _setpoint_view(car: LiveCar) -> SetpointView | None:
    decided = car.decided
    if decided is None:
        return None
    return SetpointView(
        power_kw=decided.power_kw,
        proposed_kw=decided.proposed_kw,
        reason=decided.reason,
        decided_at=moment(car.decided_unix_us),
        lease_until=moment(car.lease_until_unix_us),
        changes=[change_view(change) for change in decided.changes],
    )


def change_view(change: GuardChange) -> ChangeView:
    """What the guard changed."""
    return ChangeView(
        rule=change.rule, from_kw=change.from_kw, to_kw=change.to_kw, message=change.message
    )


def _trip_view(trip: Trip) -> TripView:
    return TripView(
        departs_at=moment(trip.departs_unix_s * _US),
        returns_at=moment(trip.returns_unix_s * _US),
        title=trip.title,
        target_soc=trip.target_soc,
        distance_km=trip.distance_km,
    )


def _known_until(snapshot: LiveSnapshot, now_unix_s: int) -> datetime | None:
    until_unix_s = snapshot.tariff.known_until_unix_s(now_unix_s)
    return None if until_unix_s is None else moment(until_unix_s * _US)


def prices_view(snapshot: LiveSnapshot, hours: int) -> PricesView:
    """Prices of so many hours, in quarters of an hour from the one that runs."""
    now_unix_s = snapshot.now_unix_us // _US
    grid = TimeGrid(now_unix_s - now_unix_s % _QUARTER_S, _QUARTER_S, hours * 4)
    edges = grid.edges_unix_s().tolist()
    buy = snapshot.tariff.import_price_on(grid).tolist()
    sell = snapshot.tariff.export_price_on(grid).tolist()
    known_until = _known_until(snapshot, now_unix_s)
    steps = [
        PriceStepView(
            start=moment(edges[index] * _US),
            end=moment(edges[index + 1] * _US),
            import_price_per_kwh=_number(buy[index]),
            export_price_per_kwh=_number(sell[index]),
        )
        for index in range(grid.step_count)
    ]
    if known_until is not None:
        steps = steps[:1] + [step for step in steps[1:] if step.start < known_until]
    return PricesView(currency=snapshot.tariff.currency, known_until=known_until, steps=steps)


def _number(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None


def plan_view(plan: LivePlan, because: str) -> PlanView:
    """The plan."""
    edges = [moment(edge * _US) for edge in plan.edges_unix_s]
    return PlanView(
        made_at=moment(plan.made_unix_s * _US),
        because=because,
        currency=plan.currency,
        cost=plan.cost,
        prices_known_until=moment(plan.price_known_until_unix_s * _US),
        steps=[
            PlanStepView(
                start=edges[index],
                end=edges[index + 1],
                grid_kw=plan.grid_kw[index],
                load_kw=plan.load_kw[index],
                solar_kw=plan.solar_kw[index],
                import_price_per_kwh=plan.import_price_per_kwh[index],
                export_price_per_kwh=plan.export_price_per_kwh[index],
                car_kw={car.car_id: car.power_kw[index] for car in plan.cars},
                car_kwh={car.car_id: car.energy_kwh[index + 1] for car in plan.cars},
            )
            for index in range(len(plan.grid_kw))
        ],
        reasons=[
            PlanReasonView(
                car_id=reason.car_id,
                start=moment(reason.from_unix_s * _US),
                end=moment(reason.until_unix_s * _US),
                power_kw=reason.power_kw,
                message=reason.message,
            )
            for reason in plan.reasons
        ],
        risks=list(plan.risks),
    )
