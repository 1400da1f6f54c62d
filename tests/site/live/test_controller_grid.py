"""A site's control when the grid fails and comes back: what users of other programs were hurt by must not happen."""

from __future__ import annotations

import pytest

from parkwatt.domain.site.event import PlanAdopted, SetpointDecided
from parkwatt.domain.site.observation import GridSeen, OutageReserve
from parkwatt.domain.site.wish import Wishes
from tests.site.live.world import US, Car, World, evening_tariff, site_settings

_HOME = Wishes(mode="home", floor_soc=0.2, target_soc=0.8, consents=True)
_GONE = GridSeen(condition="absent")


def _world(wishes: Wishes = _HOME, energy_kwh: float = 45.0) -> World:
    world = World(
        site_settings(wishes, evening_tariff()), Car(energy_kwh=energy_kwh), lambda _: 1.5
    )
    world.run(120.0)
    return world


def _decided(world: World) -> list[SetpointDecided]:
    return [event for event in world.events if isinstance(event, SetpointDecided)]


def test_a_car_that_charges_stops_at_once_when_the_grid_is_gone() -> None:
    """The car must not empty the home's battery at the last current that it was told."""
    world = _world(Wishes(mode="now"), energy_kwh=20.0)
    assert world.car.power_kw > 8.0
    world.grid = _GONE
    world.run(5.0)
    assert world.car.power_kw == pytest.approx(0.0, abs=0.05)
    world.run(600.0)
    assert world.car.power_kw == pytest.approx(0.0, abs=0.05)
    assert "grid is gone" in _decided(world)[-1].reason


def test_power_alone_never_tells_an_outage() -> None:
    """Nothing flows at the meter while the sun covers the house: that is no outage."""
    world = World(
        site_settings(_HOME, evening_tariff()), Car(energy_kwh=45.0), lambda _: 1.5, lambda _: 1.5
    )
    world.run(300.0)
    assert not any("grid is gone" in decided.reason for decided in _decided(world))


def test_the_car_that_carries_the_house_is_released() -> None:
    """No hold that was written keeps the backup dark."""
    world = _world()
    assert world.car.power_kw == pytest.approx(-1.5, abs=0.1)
    world.grid = GridSeen(condition="absent", source_car_id="car")
    world.run(4.0)
    last = _decided(world)[-1]
    assert last.lease_s == 0
    assert "its inverter follows the house" in last.reason
    told = len(_decided(world))
    world.run(600.0)
    again = _decided(world)[told:]
    assert 0 < len(again) <= 11
    assert all(decided.lease_s == 0 and decided.following for decided in again)


def test_no_plan_is_made_during_an_outage_and_a_new_one_when_the_grid_is_back() -> None:
    world = _world()
    world.grid = _GONE
    world.run(2.0)
    asked = world.requests
    world.run(1200.0)
    assert world.requests == asked
    world.grid = GridSeen(returned_unix_us=world.now_unix_us)
    world.run(5.0)
    assert world.requests > asked
    plans = [event for event in world.events if isinstance(event, PlanAdopted)]
    assert "the grid is back" in plans[-1].because


def test_the_new_plan_counts_even_where_it_is_no_better_than_the_one_before_the_outage() -> None:
    world = _world()
    world.grid = _GONE
    world.run(10.0)
    returned_unix_us = world.now_unix_us
    world.grid = GridSeen(returned_unix_us=returned_unix_us)
    world.run(10.0)
    plan = world.controller.state.plan
    assert plan is not None
    assert plan.made_unix_s * US >= returned_unix_us - US
    assert "waiting for a plan" not in _decided(world)[-1].reason


def test_a_car_at_its_target_is_not_charged_when_the_grid_returns() -> None:
    """Neither by its charger's default, nor by a plan from before."""
    world = _world(Wishes(mode="now", target_soc=0.8), energy_kwh=48.2)
    world.grid = _GONE
    world.run(300.0)
    energy_kwh = world.car.energy_kwh
    world.grid = GridSeen(returned_unix_us=world.now_unix_us, return_kw=0.0)
    world.run(30.0)
    world.grid = GridSeen(returned_unix_us=world.now_unix_us - 30 * US)
    world.run(600.0)
    assert world.car.energy_kwh == pytest.approx(energy_kwh, abs=0.01)


def test_charging_resumes_along_the_ramp() -> None:
    world = _world(Wishes(mode="now"), energy_kwh=20.0)
    world.grid = _GONE
    world.run(60.0)
    returned = world.now_unix_us
    for return_kw in (1.0, 4.0, 8.0):
        world.grid = GridSeen(returned_unix_us=returned, return_kw=return_kw)
        world.run(30.0)
        assert world.car.power_kw == pytest.approx(return_kw, abs=0.1)
    world.grid = GridSeen(returned_unix_us=returned)
    world.run(30.0)
    assert world.car.power_kw > 8.0


def test_what_was_asked_for_is_charged_from_the_island_and_no_more() -> None:
    world = _world(Wishes(mode="smart"), energy_kwh=20.0)
    world.grid = GridSeen(condition="absent", may_charge=frozenset({"car"}), island_kw=2.5)
    world.run(60.0)
    assert world.car.power_kw == pytest.approx(2.5, abs=0.1)


def test_a_grid_of_which_nothing_is_known_stops_the_discharge_and_nothing_else() -> None:
    world = _world()
    assert world.car.power_kw < -1.0
    world.grid = GridSeen(condition="unknown", before="present")
    world.run(10.0)
    assert world.car.power_kw == pytest.approx(0.0, abs=0.05)
    now = _world(Wishes(mode="now"), energy_kwh=20.0)
    now.grid = GridSeen(condition="unknown", before="present")
    now.run(60.0)
    assert now.car.power_kw > 8.0


def test_a_reserve_for_an_announced_outage_is_kept_and_charged_by_its_time() -> None:
    world = _world(energy_kwh=45.0)
    by_unix_s = world.now_unix_us // US + 7200
    world.grid = GridSeen(reserves={"car": OutageReserve(52.0, by_unix_s)})
    world.run(60.0)
    assert world.car.power_kw >= -0.05, "what is to be kept is not given"
    world.run(7200.0)
    assert world.car.energy_kwh >= 51.5


def test_a_reserve_whose_time_has_come_is_charged_as_soon_as_can_be() -> None:
    """A storm that is announced at short notice leaves no time to wait for."""
    world = _world(energy_kwh=45.0)
    world.grid = GridSeen(reserves={"car": OutageReserve(52.0, world.now_unix_us // US)})
    world.run(300.0)
    assert world.car.power_kw > 5.0
    world.run(5400.0)
    assert world.car.energy_kwh >= 51.5
