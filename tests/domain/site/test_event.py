"""What is written to the journal about a site is read back as it was, and told apart by its kind."""

from __future__ import annotations

import msgspec
import pytest

from parkwatt.domain.site import event as events
from parkwatt.domain.site.event import (
    CarInterval,
    CarMinute,
    DepartureAsked,
    GuardChange,
    IntervalClosed,
    Measured,
    PlanAdopted,
    PricesReceived,
    PromiseAtRisk,
    SetpointDecided,
    SiteEvent,
    SiteSnapshot,
    SiteStarted,
    SocTold,
    SourceChanged,
    StayBegan,
    StayEnded,
    TripsRead,
    WishesSet,
)
from parkwatt.domain.site.live_plan import CarPlan, LivePlan, PlanReason
from parkwatt.domain.site.wish import Departure, Trip, Wishes

_LEAVES = Departure(1_700_000_000, "asked", target_soc=0.9, title="to work")
_PLAN = LivePlan(
    made_unix_s=0,
    edges_unix_s=(0, 900, 1800),
    currency="EUR",
    grid_kw=(1.0, -0.5),
    load_kw=(0.4, 0.4),
    solar_kw=(0.0, 0.0),
    import_price_per_kwh=(0.3, 0.2),
    export_price_per_kwh=(0.0, 0.0),
    price_known_until_unix_s=1800,
    cost=-1.5,
    cars=(CarPlan("ida", (0.6, -0.9), (30.0, 30.1, 29.9), (0.2, 0.2)),),
    reasons=(PlanReason("ida", 0, 900, 0.6, "charges"),),
)
_SETPOINT = SetpointDecided(
    *("CP-1", 1, "ida", -1.2, -3.0, 30, "runs the house"),
    changes=(GuardChange("interconnection", -3.0, -1.2, "the house uses 1.2 kW"),),
)
EVENTS: tuple[SiteEvent, ...] = (
    SiteStarted("1.0"),
    WishesSet("ida", Wishes(mode="home", ready_by_s=(27_000, *(None,) * 6)), "api", True),
    DepartureAsked("ida", _LEAVES, "api"),
    DepartureAsked("ida", None, "api"),
    TripsRead("ida", (Trip(10, 20, "lake", distance_km=80.0),), "trips.ics"),
    SocTold("ida", 0.5, 1_700_000_000_000_000, "mqtt", 3.5),
    PricesReceived("import.day_ahead", "energy-charts", 0, 900, (0.1, None, -0.05), ("a hole",)),
    SourceChanged("meter.grid", ok=False, reason="gone"),
    Measured(0, 60, grid_kw=0.1, export_kw=0.0, cars={"ida": CarMinute(-1.2, 30.0, 0.0, 0.02)}),
    IntervalClosed(0, 900, 0.3, 0.0, import_kwh=0.2, cars={"ida": CarInterval(0.5, 0.1, 31.0)}),
    StayBegan("s", "ida", "CP-1", 1, "T", 0, 30.0),
    StayEnded("s", "ida", 900, 31.0, _LEAVES, 54.0, 33.0, 29.0, None, "not possible"),
    PlanAdopted(_PLAN, "new prices are known", 0.12),
    PromiseAtRisk("ida", _LEAVES, 54.0, 33.0, 1_700_003_600, "not possible"),
    _SETPOINT,
    SiteSnapshot(1, msgspec.Raw(b'{"cars":{}}')),
)


@pytest.mark.parametrize("event", EVENTS, ids=events.kind)
def test_an_event_is_read_back_as_it_was(event: SiteEvent) -> None:
    payload = events.encode(event)
    read = events.decode(payload)
    assert events.encode(read) == payload
    assert type(read) is type(event)
    assert events.kind(event) in events.KINDS


def test_every_kind_of_event_is_tried() -> None:
    assert {events.kind(event) for event in EVENTS} == events.KINDS


def test_only_set_points_that_follow_the_meter_may_be_thinned() -> None:
    assert not any(map(events.is_telemetry, EVENTS))
    assert events.is_telemetry(msgspec.structs.replace(_SETPOINT, following=True))


@pytest.mark.parametrize(
    ("now_unix_s", "step"), [(-1, None), (0, 0), (899, 0), (900, 1), (1800, None)]
)
def test_the_step_of_a_plan_that_holds_a_time(now_unix_s: int, step: int | None) -> None:
    assert _PLAN.step_at(now_unix_s) == step


def test_what_is_no_event_of_a_site_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        events.decode(b'{"kind":"site.unheard"}')
