"""The running plan's cost from now on: never below the new one's, equal where nothing changed, None where it cannot be kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.domain.series import TimeGrid
from parkwatt.forecast.power import GivenForecaster
from parkwatt.plan.exact.storage import storage_stays
from parkwatt.site.live.planning import make_plan, pose
from parkwatt.site.live.planning_kept import follow
from parkwatt.site.live.request import PlanRequest
from tests.site.live.made_request import NOONS, one_car, one_request, random_request

# So that no solve ends for the time it took.
_PATIENT_S = 30.0


@settings(max_examples=60)
@given(seed=st.integers(0, 1_000_000), later_s=st.sampled_from([0, 30, 437, 900, 5000]))
def test_keeping_never_costs_less_than_the_new_plan(seed: int, later_s: int) -> None:
    request = random_request(seed)
    running = make_plan(request).plan
    later = random_request(seed, now_unix_s=request.now_unix_s + later_s)
    planned = make_plan(replace(later, running=running), time_limit_s=_PATIENT_S)
    if planned.running_cost is not None:
        cost = planned.plan.cost
        assert planned.running_cost >= cost - 1e-4 * (1.0 + abs(cost))


@settings(max_examples=40)
@given(seed=st.integers(0, 1_000_000))
def test_a_plan_kept_at_once_costs_what_it_costs(seed: int) -> None:
    request = random_request(seed)
    first = make_plan(request, time_limit_s=_PATIENT_S).plan
    planned = make_plan(replace(request, running=first), time_limit_s=_PATIENT_S)
    assert planned.plan.cost == pytest.approx(first.cost)
    # Powers are told in thousandths of a watt.
    assert planned.running_cost == pytest.approx(first.cost, rel=1e-4, abs=2e-3)


def quiet_request(**fields: object) -> PlanRequest:
    """Nothing but the clock changes: load and worth of energy stay what they are."""
    return one_request(one_car(), known_stays={"car": ()}, **fields)


@pytest.mark.parametrize("later_s", [900, 1300, 3600])
def test_a_plan_that_comes_true_is_kept(later_s: int) -> None:
    running = make_plan(quiet_request()).plan
    now_s = NOONS[0] + later_s
    energy_kwh = float(np.interp(now_s, running.edges_unix_s, running.cars[0].energy_kwh))
    later = quiet_request(now_unix_s=now_s, running=running)
    planned = make_plan(replace(later, cars=(one_car(energy_kwh=energy_kwh),)))
    assert planned.running_cost == pytest.approx(planned.plan.cost, abs=2e-3)


def test_new_knowledge_makes_keeping_dear_by_hand() -> None:
    """The sun now forecast would charge 20 kWh for nothing; the kept plan buys them in the night for 10 cents."""
    running = make_plan(quiet_request()).plan
    sun = np.zeros(400)
    sun[4:24] = 11.5
    forecaster = GivenForecaster(TimeGrid(NOONS[0], 900, 400), sun)
    later = quiet_request(running=running, solar_forecaster=forecaster)
    free = replace(later.tariff, export_price=replace(later.tariff.export_price, components=()))
    planned = make_plan(replace(later, tariff=free))
    assert planned.running_cost is not None
    bought_kwh = 20 / 0.93
    assert planned.running_cost - planned.plan.cost > 0.1 * bought_kwh


def test_a_kept_plan_that_would_miss_a_wish_costs_far_more() -> None:
    running = make_plan(quiet_request()).plan
    planned = make_plan(replace(quiet_request(running=running), cars=(one_car(energy_kwh=18.0),)))
    assert planned.running_cost is not None
    assert planned.running_cost > planned.plan.cost + 2.0


def test_it_cannot_be_kept_for_other_cars_departures_or_wishes() -> None:
    running = make_plan(quiet_request()).plan
    same = quiet_request(running=running)
    assert make_plan(same).running_cost is not None
    other = one_car(car_id="other", storage=replace(one_car().storage, id="other"))
    for cars in (
        (),
        (other,),
        (one_car(), other),
        (one_car(departs_unix_s=NOONS[0] + 18 * 3600),),
        (one_car(departs_unix_s=None),),
        (one_car(energy_kwh_asked=44.0),),
        (one_car(energy_kwh_asked=None),),
    ):
        assert make_plan(replace(same, cars=cars)).running_cost is None


def test_it_cannot_be_kept_before_it_begins_or_where_its_end_is_near() -> None:
    running = make_plan(quiet_request()).plan
    earlier = quiet_request(now_unix_s=NOONS[0] - 1, running=running)
    assert make_plan(earlier).running_cost is None
    short = make_plan(quiet_request(horizon_h=1.0)).plan
    assert make_plan(quiet_request(running=short)).running_cost is None
    longer = make_plan(quiet_request(horizon_h=2.0)).plan
    assert make_plan(quiet_request(running=longer)).running_cost is not None


@settings(max_examples=60)
@given(seed=st.integers(0, 1_000_000))
def test_what_is_followed_stays_within_battery_and_connection(seed: int) -> None:
    """Whatever is wanted, and however wild."""
    chance = np.random.default_rng(seed)
    problem = pose(random_request(seed)).problem
    items = storage_stays(problem)
    wanted = [chance.normal(0, 15, item.step_count) for item in items]
    flows = follow(problem, items, wanted, peak_kw=0.0)
    site = problem.site
    for item, power, energy in zip(items, flows.power_kw, flows.energy_kwh, strict=True):
        storage = item.storage
        assert power.max() <= storage.charge_kw_max + 1e-9
        assert power.min() >= -storage.discharge_kw_max - 1e-9
        assert energy.max() <= max(storage.energy_kwh_max, energy[0]) + 1e-6
        assert energy.min() >= min(storage.energy_kwh_min, energy[0]) - 1e-6
    charging = sum(np.maximum(power.sum(), 0.0) for power in flows.power_kw)
    if site.import_limit_kw is not None and charging > 0:
        alone_kw = np.maximum(site.load_kw - site.solar_kw, 0.0)
        most_kw = np.maximum(site.import_limit_kw, alone_kw)
        over = flows.import_kw > most_kw + 1e-6
        assert not over.any() or site.import_price_per_kwh[over].max() < 0
    if not site.batteries_may_export:
        surplus_kw = np.maximum(site.solar_kw - site.load_kw, 0.0)
        assert (flows.export_kw <= surplus_kw + 1e-6).all()
    net_kw = site.load_kw - flows.solar_used_kw
    for item, power in zip(items, flows.power_kw, strict=True):
        net_kw[item.steps] += power
    np.testing.assert_allclose(flows.import_kw - flows.export_kw, net_kw, atol=1e-9)
