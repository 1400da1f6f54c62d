"""What asks for a new plan, how often it is heard, and what the planner is told."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from parkwatt.domain.site.event import IntervalClosed, StayBegan, StayEnded
from parkwatt.domain.site.live_plan import CarPlan, LivePlan
from parkwatt.domain.site.observation import ChargerSeen
from parkwatt.domain.site.wish import Departure, Wishes
from parkwatt.site.live.cars import CarView, view
from parkwatt.site.live.estimate import Estimate
from parkwatt.site.live.request import PlanRequest
from parkwatt.site.live.requesting import PlanTrigger, plan_request
from parkwatt.site.live.state import CarState, SiteState
from tests.site.live.world import BEGIN_UNIX_S, US, ZONE, flat_tariff, site_settings

_SMART = Wishes(mode="smart", floor_soc=0.1, target_soc=0.8)
_QUARTER = 900
# On a quarter of an hour's edge.
_BEGIN = BEGIN_UNIX_S - BEGIN_UNIX_S % _QUARTER


def _car(
    wishes: Wishes = _SMART,
    *,
    here: bool = True,
    energy_kwh: float = 30.0,
    state: CarState | None = None,
    now_s: float = 0.0,
) -> CarView:
    site = site_settings(wishes)
    seen = ChargerSeen(
        "CP-1", 1, connected=True, plugged_in=here, transaction_id="T" if here else None
    )
    now_unix_us = round((_BEGIN + now_s) * US)
    estimate = Estimate(energy_kwh, 0.3, now_unix_us)
    state = CarState() if state is None else state
    return view(site.cars[0], state, seen, estimate, site, now_unix_us)


def _plan(load_kw: float = 1.0, steps: int = 8) -> LivePlan:
    flat = (0.0,) * steps
    return LivePlan(
        made_unix_s=_BEGIN,
        edges_unix_s=tuple(_BEGIN + _QUARTER * index for index in range(steps + 1)),
        currency="EUR",
        grid_kw=flat,
        load_kw=(load_kw,) * steps,
        solar_kw=flat,
        import_price_per_kwh=flat,
        export_price_per_kwh=flat,
        price_known_until_unix_s=_BEGIN,
        cost=0.0,
        cars=(CarPlan("car", flat, (30.0,) * (steps + 1)),),
    )


def _look(
    trigger: PlanTrigger, cars: list[CarView], state: SiteState, now_s: float, base_kw: float = 1.0
) -> str | None:
    now_unix_us = round((_BEGIN + now_s) * US)
    trigger.look(cars, state, base_kw, _QUARTER, 1.0, now_unix_us)
    return trigger.take(now_unix_us)


def _planned(at_s: float = 0.0) -> tuple[PlanTrigger, SiteState]:
    """A trigger whose plan is there."""
    trigger, state = PlanTrigger(), SiteState(plan=_plan())
    _look(trigger, [_car()], state, at_s)
    trigger.made(round((_BEGIN + at_s) * US))
    return trigger, state


def test_without_a_plan_one_is_asked_for_once() -> None:
    trigger, state = PlanTrigger(), SiteState()
    assert _look(trigger, [_car()], state, 0.0) == "there is no plan yet"
    assert _look(trigger, [_car()], state, 2.0) is None
    # One that does not come is asked for again.
    assert _look(trigger, [_car()], state, 130.0) == "there is no plan yet"


def test_a_plan_that_is_followed_is_left_for_a_quarter_of_an_hour() -> None:
    trigger, state = _planned()
    for now_s in range(2, 900, 2):
        assert _look(trigger, [_car()], state, float(now_s)) is None
    assert _look(trigger, [_car()], state, 900.0) == "15 minutes are over"


def test_a_plan_that_is_over_is_replaced() -> None:
    trigger, state = _planned()
    assert "the plan is over" in (_look(trigger, [_car()], state, 8 * 900.0) or "")


@pytest.mark.parametrize(
    ("after", "because"),
    [
        (_car(here=False), None),
        (_car(msgspec.structs.replace(_SMART, target_soc=0.9)), "the wishes for car changed"),
        (
            _car(state=CarState(asked=Departure(_BEGIN + 7200, "asked"))),
            "the next departure of car changed",
        ),
    ],
)
def test_what_changes_at_the_car_asks_for_a_plan(after: CarView, because: str | None) -> None:
    trigger, state = _planned()
    assert _look(trigger, [after], state, 30.0) == because


def test_a_car_that_comes_asks_for_a_plan() -> None:
    trigger, state = PlanTrigger(), SiteState(plan=_plan())
    _look(trigger, [_car(here=False)], state, 0.0)
    trigger.made(_BEGIN * US)
    assert _look(trigger, [_car()], state, 20.0) == "car was plugged in"


def test_without_a_car_that_is_planned_nothing_is_asked() -> None:
    trigger = PlanTrigger()
    trigger.want("new prices are known")
    off = _car(msgspec.structs.replace(_SMART, mode="off"))
    assert _look(trigger, [off], SiteState(), 0.0) is None
    assert trigger.wanted == []


def test_a_load_off_its_forecast_asks_after_five_minutes() -> None:
    trigger, state = _planned()
    for now_s in range(10, 311, 10):
        assert _look(trigger, [_car()], state, float(now_s), base_kw=3.5) is None
    because = _look(trigger, [_car()], state, 320.0, base_kw=3.5)
    assert because == "load and sun are 2.5 kW off the forecast"


def test_a_kettle_asks_for_nothing() -> None:
    trigger, state = _planned()
    for now_s in range(10, 890, 10):
        is_on = now_s % 300 < 200
        assert _look(trigger, [_car()], state, float(now_s), base_kw=3.5 if is_on else 1.0) is None


def test_a_battery_off_its_plan_asks_for_a_new_one() -> None:
    trigger, state = _planned()
    assert _look(trigger, [_car(energy_kwh=26.0)], state, 200.0) is None
    assert _look(trigger, [_car(energy_kwh=26.0)], state, 310.0) == "car is 4.0 kWh off its plan"


def test_while_a_plan_is_made_no_other_is_asked_for() -> None:
    trigger, state = _planned()
    trigger.want("new prices are known")
    assert _look(trigger, [_car()], state, 20.0) == "new prices are known"
    trigger.want("the program was started")
    assert _look(trigger, [_car()], state, 22.0) is None
    trigger.made((_BEGIN + 23) * US)
    assert _look(trigger, [_car()], state, 24.0) == "the program was started"


# What the planner is told.


def _request(
    state: SiteState, cars: list[CarView], *, has_solar: bool = False, now_s: float = 0.0
) -> PlanRequest:
    settings = site_settings(_SMART, has_solar=has_solar)
    return plan_request(state, cars, flat_tariff(), settings, round((_BEGIN + now_s) * US))


def test_a_site_that_has_just_begun_knows_nothing() -> None:
    request = _request(SiteState(), [_car()], has_solar=True)
    assert np.isnan(request.load_kw).all()
    assert np.isnan(request.solar_kw).all()
    assert request.history.step_count == len(request.load_kw)
    assert len(request.habits["car"].arrival_unix_s) == 0


def test_gaps_in_the_history_are_unknown_and_no_sun_is_none() -> None:
    state = SiteState()
    for index in (0, 3):
        at = _BEGIN - 3600 + index * 900
        state.apply(IntervalClosed(at, 900, load_kwh=0.5), at * US, ZONE)
    request = _request(state, [_car()])
    assert request.load_kw.tolist()[::3] == [2.0, 2.0]
    assert np.isnan(request.load_kw[1:3]).all()
    assert request.solar_kw.tolist() == [0.0] * 4
    assert request.history.start_unix_s == _BEGIN - 3600


def test_a_car_that_charges_at_once_is_told_as_a_load() -> None:
    now = msgspec.structs.replace(_SMART, mode="now")
    request = _request(SiteState(), [_car(now)])
    assert request.cars == ()
    assert request.fixed_kw == 11.0
    # 18 kWh are missing.
    assert request.fixed_until_unix_s - _BEGIN == pytest.approx(18 / (11 * 0.93) * 3600, abs=1)
    full = _request(SiteState(), [_car(now, energy_kwh=50.0)])
    assert full.fixed_kw == 0.0


def test_a_driver_who_is_late_may_come_any_minute() -> None:
    departure = Departure(_BEGIN, "asked", target_soc=0.7)
    state = CarState(asked=departure)
    early = _request(SiteState(), [_car(state=state, now_s=-600.0)], now_s=-600.0)
    assert early.cars[0].departs_unix_s == _BEGIN
    late = _request(SiteState(), [_car(state=state, now_s=1800.0)], now_s=1800.0)
    assert late.cars[0].departs_unix_s == _BEGIN + 1800 + 1800
    assert late.cars[0].energy_kwh_asked == pytest.approx(42.0)


def test_habits_are_the_stays_that_were() -> None:
    state = SiteState()
    for day in range(3):
        arrives = _BEGIN - (3 - day) * 86_400
        state.apply(StayBegan(f"s{day}", "car", "CP-1", 1, "T", arrives, 20.0), arrives * US, ZONE)
        state.apply(StayEnded(f"s{day}", "car", arrives + 40_000, 48.0), arrives * US, ZONE)
    state.apply(StayBegan("s3", "car", "CP-1", 1, "T", _BEGIN - 60, 25.0), _BEGIN * US, ZONE)
    request = _request(state, [replace(_car(), state=state.car("car"))])
    habits = request.habits["car"]
    assert habits.arrival_unix_s.tolist() == [_BEGIN - n * 86_400 for n in (3, 2, 1)]
    assert np.isnan(habits.energy_kwh_used[0])
    assert habits.energy_kwh_used.tolist()[1:] == [28.0, 28.0]
    assert request.cars[0].used_kwh == 23.0
    assert request.cars[0].since_unix_s == _BEGIN - 60
