"""A site's control in a small physical world: wishes, floors, departures, lost meters and links, and the fold of it all."""

from __future__ import annotations

import msgspec
import pytest

from parkwatt.domain.site import event as events
from parkwatt.domain.site.event import (
    DepartureAsked,
    IntervalClosed,
    PlanAdopted,
    PromiseAtRisk,
    SetpointDecided,
    SiteStarted,
    StayBegan,
    StayEnded,
    WishesSet,
)
from parkwatt.domain.site.wish import Departure, Mode, Wishes
from parkwatt.site.live.state import SiteState, decode_state, encode_state
from tests.site.live.world import BEGIN_UNIX_S, Car, World, evening_tariff, site_settings

_HOME = Wishes(mode="home", floor_soc=0.2, target_soc=0.8, consents=True)


def _world(wishes: Wishes = _HOME, energy_kwh: float = 45.0, load_kw: float = 1.5) -> World:
    return World(
        site_settings(wishes, evening_tariff()), Car(energy_kwh=energy_kwh), lambda _: load_kw
    )


def test_the_house_is_run_from_the_car_while_power_is_dear() -> None:
    world = _world()
    world.run(120.0)
    assert world.car.power_kw == pytest.approx(-1.5, abs=0.1)
    assert [type(event) for event in world.events[:1]] == [StayBegan]
    plans = [event for event in world.events if isinstance(event, PlanAdopted)]
    assert plans
    assert plans[0].plan.car("car") is not None


@pytest.mark.parametrize(
    ("mode", "lowest_kw", "highest_kw"), [("now", 8.0, 11.1), ("off", -0.01, 0.01)]
)
def test_a_wish_changes_the_power_within_two_seconds(
    mode: Mode, lowest_kw: float, highest_kw: float
) -> None:
    world = _world(energy_kwh=45.0)
    world.run(120.0)
    world.take(WishesSet("car", msgspec.structs.replace(_HOME, mode=mode), "api"))
    decided_before = sum(isinstance(event, SetpointDecided) for event in world.events)
    world.run(2.0)
    decided = [event for event in world.events if isinstance(event, SetpointDecided)]
    assert len(decided) > decided_before
    assert lowest_kw <= decided[-1].power_kw <= highest_kw
    world.run(5.0)
    assert lowest_kw <= world.car.power_kw <= highest_kw


def test_wishes_until_departure_give_way_to_those_before() -> None:
    world = _world(energy_kwh=30.0)
    world.run(60.0)
    now = msgspec.structs.replace(_HOME, mode="now")
    world.take(WishesSet("car", now, "api", until_departure=True))
    world.run(30.0)
    modes = [world.controller.cars[0].wishes.mode]
    world.car.plugged_in = False
    world.run(150.0)
    modes.append(world.controller.cars[0].wishes.mode)
    assert modes == ["now", "home"]
    assert any(isinstance(event, StayEnded) for event in world.events)


def test_below_its_floor_a_car_is_charged_at_once() -> None:
    world = _world(energy_kwh=8.0)
    world.run(60.0)
    assert world.car.power_kw > 8.0
    last = [event for event in world.events if isinstance(event, SetpointDecided)][-1]
    assert "below its floor of 20%" in last.reason


def test_without_consent_nothing_is_discharged() -> None:
    world = _world(msgspec.structs.replace(_HOME, consents=False))
    world.run(600.0)
    assert world.car.export_kwh == 0.0


def test_a_meter_that_falls_silent_ends_discharging() -> None:
    world = _world()
    world.run(120.0)
    assert world.car.power_kw < -1.0
    world.meter_fails = True
    world.run(60.0)
    assert world.car.power_kw >= 0.0
    world.meter_fails = False
    world.run(180.0)
    assert world.car.power_kw < -1.0


def test_a_lost_link_ends_discharging_with_the_lease() -> None:
    world = _world()
    world.run(120.0)
    world.car.linked = False
    world.run(40.0)
    assert world.car.power_kw >= 0.0


def test_a_departure_asked_late_is_kept_when_it_is_possible() -> None:
    world = _world(energy_kwh=30.0)
    world.run(60.0)
    departs = BEGIN_UNIX_S + 2 * 3600
    world.take(DepartureAsked("car", Departure(departs, "asked", target_soc=0.7), "api"))
    world.meter_s = world.charger_meter_s = 5.0
    world.run(2 * 3600 - 60.0 - 30.0)
    assert world.car.energy_kwh >= 0.7 * 60 - 0.4
    world.car.plugged_in = False
    world.run(180.0)
    (ended,) = [event for event in world.events if isinstance(event, StayEnded)]
    assert ended.kept is True
    assert not any(isinstance(event, PromiseAtRisk) for event in world.events)


def test_what_is_not_possible_is_told_at_once_and_done_as_far_as_it_goes() -> None:
    world = _world(energy_kwh=15.0)
    world.run(60.0)
    departs = BEGIN_UNIX_S + 3600
    world.take(DepartureAsked("car", Departure(departs, "asked", target_soc=0.9), "api"))
    world.run(3.0)
    (risk,) = [event for event in world.events if isinstance(event, PromiseAtRisk)]
    assert risk.energy_kwh_asked == pytest.approx(54.0)
    assert 23.0 < risk.energy_kwh_possible < 27.0
    assert risk.ready_unix_s is not None
    assert risk.ready_unix_s > departs
    world.run(30.0)
    assert world.car.power_kw > 10.0


def test_quarter_hours_add_up_to_what_flowed() -> None:
    world = _world(load_kw=2.0)
    world.run(3700.0)
    closed = [event for event in world.events if isinstance(event, IntervalClosed)]
    whole = [event for event in closed if event.coverage > 0.99]
    assert len(whole) >= 3
    for event in whole[1:]:
        assert event.load_kwh == pytest.approx(0.5, abs=0.02)
        assert event.import_price_per_kwh == pytest.approx(0.40)
        car = event.cars["car"]
        net_kwh = (event.import_kwh or 0.0) - (event.export_kwh or 0.0)
        assert net_kwh == pytest.approx(0.5 + car.in_kwh - car.out_kwh, abs=0.02)


def test_the_state_is_the_fold_of_the_events() -> None:
    world = _world()
    world.take(SiteStarted("0"))
    world.run(1000.0)
    world.take(WishesSet("car", msgspec.structs.replace(_HOME, mode="smart"), "api"))
    world.run(1000.0)
    world.car.plugged_in = False
    world.run(300.0)
    folded = SiteState()
    for event, at_unix_us in zip(world.events, world.event_times, strict=True):
        read = events.decode(events.encode(event))
        assert read == event
        folded.apply(read, at_unix_us, world.settings.time_zone)
    assert encode_state(folded) == encode_state(world.controller.state)
    assert encode_state(decode_state(encode_state(folded))) == encode_state(folded)
