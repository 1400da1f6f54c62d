"""What is proposed for each car: by its mode, its floor, its plan, and what the house really uses."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.site.live_plan import CarPlan, LivePlan, PlanReason
from parkwatt.domain.site.observation import ChargerSeen
from parkwatt.domain.site.wish import Departure, Mode, Wishes
from parkwatt.site.guard.facts import Proposal
from parkwatt.site.live.cars import CarView, view
from parkwatt.site.live.estimate import Estimate
from parkwatt.site.live.proposing import Now, propose
from parkwatt.site.live.settings import CarSettings, SiteSettings
from parkwatt.site.live.state import CarState
from tests.site.live.world import BEGIN_UNIX_S, US, site_settings, storage

_HOME = Wishes(mode="home", floor_soc=0.2, target_soc=0.8, consents=True)
_SITE = site_settings(_HOME)


def _car(
    wishes: Wishes = _HOME,
    *,
    energy_kwh: float | None = 36.0,
    name: str = "car",
    charger_id: str = "CP-1",
    departs_with: float | None = None,
    here: bool = True,
) -> CarView:
    settings = CarSettings(
        storage=replace(storage(), id=name),
        charger_id=charger_id,
        wishes=wishes,
        charger_discharges=True,
    )
    now_unix_us = BEGIN_UNIX_S * US
    seen = ChargerSeen(
        charger_id, 1, connected=True, plugged_in=here, transaction_id="T" if here else None
    )
    estimate = None if energy_kwh is None else Estimate(energy_kwh, 0.3, now_unix_us)
    state = CarState()
    if departs_with is not None:
        state.asked = Departure(BEGIN_UNIX_S + 36_000, "asked", target_soc=departs_with)
    return view(settings, state, seen, estimate, _SITE, now_unix_us)


def _plan(power_kw: float, *names: str, stored: float = 0.2) -> LivePlan:
    cars = tuple(CarPlan(name, (power_kw,), (36.0, 36.0), (stored,)) for name in names or ("car",))
    reasons = (PlanReason("car", BEGIN_UNIX_S, BEGIN_UNIX_S + 900, power_kw, "cheap now"),)
    return LivePlan(
        made_unix_s=BEGIN_UNIX_S,
        edges_unix_s=(BEGIN_UNIX_S, BEGIN_UNIX_S + 900),
        currency="EUR",
        grid_kw=(max(1.0 + power_kw, 0.0),),
        load_kw=(1.0,),
        solar_kw=(0.0,),
        import_price_per_kwh=(0.4,),
        export_price_per_kwh=(0.05,),
        price_known_until_unix_s=BEGIN_UNIX_S + 900,
        cost=0.0,
        cars=cars,
        reasons=reasons,
    )


def _now(base_kw: float | None = 1.0, plan: LivePlan | None = None, buy: float = 0.4) -> Now:
    return Now(BEGIN_UNIX_S, base_kw, buy, 0.05, plan)


def _one(car: CarView, now: Now, site: SiteSettings = _SITE) -> Proposal:
    (proposal,) = propose([car], now, site)
    return proposal


def test_a_car_that_is_away_is_proposed_nothing() -> None:
    assert propose([_car(here=False)], _now(), _SITE) == []


def test_off_is_off_and_now_is_now() -> None:
    off, now = (msgspec.structs.replace(_HOME, mode=mode) for mode in ("off", "now"))
    plan = _plan(-3.0)
    assert _one(_car(off), _now(plan=plan)).power_kw == 0.0
    proposal = _one(_car(now), _now(plan=plan))
    assert (proposal.power_kw, proposal.reason) == (11.0, "charging at once up to 80%")
    full = _one(_car(now, energy_kwh=48.0), _now(plan=plan))
    assert (full.power_kw, full.reason) == (0.0, "full: 80% reached")
    further = _one(_car(now, energy_kwh=48.0, departs_with=1.0), _now(plan=plan))
    assert further.power_kw == 11.0


def test_below_its_floor_a_car_charges_at_once() -> None:
    proposal = _one(_car(energy_kwh=11.0), _now(plan=_plan(-3.0)))
    assert proposal.power_kw == 11.0
    assert "below its floor of 20%" in proposal.reason


def test_without_a_plan_a_car_waits() -> None:
    proposal = _one(_car(), _now())
    assert (proposal.power_kw, proposal.reason) == (0.0, "waiting for a plan")


@pytest.mark.parametrize(("planned_kw", "proposed_kw"), [(4.0, 4.0), (-4.0, 0.0)])
def test_without_a_meter_a_plan_only_charges(planned_kw: float, proposed_kw: float) -> None:
    assert _one(_car(), _now(None, _plan(planned_kw))).power_kw == proposed_kw


@given(base_kw=st.floats(0.1, 9.0))
def test_the_house_is_run_to_nearly_zero_whatever_it_uses(base_kw: float) -> None:
    proposal = _one(_car(), _now(base_kw, _plan(-1.0)))
    assert proposal.power_kw == pytest.approx(-max(base_kw - 0.02, 0.0), abs=1e-6)
    assert proposal.following


@given(
    base_kw=st.floats(-8.0, 12.0),
    planned_kw=st.floats(-11.0, 11.0),
    energy_kwh=st.floats(0.0, 60.0),
    buy=st.floats(-0.2, 1.0),
    stored=st.floats(-0.2, 1.0),
    mode=st.sampled_from(("smart", "home")),
)
def test_no_proposal_feeds_in_from_the_battery_or_overdraws_it(
    base_kw: float, planned_kw: float, energy_kwh: float, buy: float, stored: float, mode: Mode
) -> None:
    car = _car(msgspec.structs.replace(_HOME, mode=mode), energy_kwh=energy_kwh)
    plan = _plan(planned_kw, stored=stored)
    power_kw = _one(car, _now(base_kw, plan, buy)).power_kw
    assert power_kw is not None
    assert -11.0 <= power_kw <= 11.0
    assert power_kw >= -max(base_kw, 0.0) - 1e-9
    if mode == "smart" or energy_kwh <= 12.0:
        assert power_kw >= 0.0
    if energy_kwh >= 60.0:
        assert power_kw <= 0.0


def test_two_cars_do_not_both_give_what_the_house_uses() -> None:
    cars = [_car(name="one"), _car(name="two", charger_id="CP-2")]
    proposals = propose(cars, _now(3.0, _plan(-1.5, "one", "two")), _SITE)
    total_kw = sum(proposal.power_kw or 0.0 for proposal in proposals)
    assert total_kw == pytest.approx(-2.98, abs=0.01)
    assert [proposal.charger_id for proposal in proposals] == ["CP-1", "CP-2"]


def test_a_car_that_charges_at_once_may_be_fed_by_another() -> None:
    now = msgspec.structs.replace(_HOME, mode="now")
    cars = [_car(name="one"), _car(now, name="two", charger_id="CP-2")]
    first, second = propose(cars, _now(1.0, _plan(-1.0, "one", "two")), _SITE)
    assert second.power_kw == 11.0
    assert first.power_kw is not None
    assert -11.0 <= first.power_kw <= 0.0


def test_the_reason_is_the_plans_and_says_what_differs() -> None:
    as_planned = _one(_car(), _now(1.0, _plan(-1.0)))
    assert as_planned.reason == "until 18:15: cheap now"
    more = _one(_car(), _now(3.0, _plan(-1.0)))
    assert more.reason.startswith("running the house from the car, which uses more than forecast")
    less = _one(_car(), _now(0.3, _plan(-1.0)))
    assert less.reason.startswith("giving less than planned")
