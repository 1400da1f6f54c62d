"""The bound: no strategy costs less, and it keeps the same laws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.site.outcome import StrategyName
from parkwatt.site.study.account import account
from parkwatt.site.study.foresight import with_foresight
from parkwatt.site.study.inputs import PlugIn, StudyInputs
from parkwatt.site.study.replay import Replay, ReplayState
from tests.site.made import plain_inputs, random_inputs

sites = st.builds(random_inputs, st.integers(0, 10_000))


@settings(max_examples=25)
@given(inputs=sites, strategy=st.sampled_from(["charge_at_once", "smart", "v2h", "v2g"]))
def test_no_strategy_costs_less_than_the_bound(inputs: StudyInputs, strategy: StrategyName) -> None:
    """Of those that bring the drivers as much: money comes after promises."""
    best = with_foresight(inputs)
    bound = account(inputs, "foresight", best.power_kw, best.energy_kwh, best.departures)
    state = ReplayState.at_start(inputs)
    Replay(inputs, strategy).run(state)
    result = account(inputs, strategy, state.power_kw, state.energy_kwh, state.departures)
    if result.shortfall_kwh <= bound.shortfall_kwh + 1e-6:
        # What the solver leaves open is relative.
        assert result.net_cost >= bound.net_cost - 1e-5 - 2e-5 * abs(bound.net_cost)


@settings(max_examples=25)
@given(inputs=sites)
def test_the_bound_keeps_to_what_the_car_can_do(inputs: StudyInputs) -> None:
    """Energy follows power, within the car's powers and the limits; no discharge below the floor."""
    state, car = with_foresight(inputs), inputs.car
    assert state.next_stay == len(inputs.plug_ins) == len(state.departures)
    for plug_in in inputs.plug_ins:
        steps = slice(plug_in.arrival_step, plug_in.departure_step)
        power = state.power_kw[steps]
        energy = state.energy_kwh[plug_in.arrival_step : plug_in.departure_step + 1]
        change = np.where(
            power > 0, power * car.charge_efficiency, power / car.discharge_efficiency
        )
        np.testing.assert_allclose(np.diff(energy), change * inputs.grid.step_h, atol=1e-5)
        assert power.max() <= car.charge_kw_max + 1e-6
        assert power.min() >= -car.discharge_kw_max - 1e-6
        assert energy.min() >= min(inputs.energy_kwh_on_road_min, car.energy_kwh_min) - 1e-5
        below = energy[1:] < car.energy_kwh_min - 1e-4
        assert (power[below] >= -1e-3).all()
    if inputs.import_limit_kw is not None:
        imported = inputs.load_kw - inputs.solar_kw + state.power_kw
        over = (imported > inputs.import_limit_kw + 1e-5) & (state.power_kw > 1e-5)
        assert not over.any()


@settings(max_examples=25)
@given(inputs=sites)
def test_the_bound_buys_on_the_road_only_what_it_must(inputs: StudyInputs) -> None:
    state = with_foresight(inputs)
    for plug_in, departed in zip(inputs.plug_ins, state.departures, strict=True):
        if departed.public_kwh > 1e-4:
            arrival = state.energy_kwh[plug_in.arrival_step]
            assert arrival == pytest.approx(inputs.energy_kwh_on_road_min, abs=1e-4)


def test_a_departure_out_of_reach_of_the_limit_gets_what_the_limit_leaves() -> None:
    """A load of 2 to 4 kW under a limit of 3 kW leaves 1 kW in two of four hours."""
    stay = PlugIn(0, 4, energy_kwh_used=15.0, energy_kwh_asked=40.0)
    load = np.array([2.0, 4.0, 2.0, 4.0])
    state = with_foresight(plain_inputs(4, (stay,), load_kw=load, import_limit_kw=3.0))
    np.testing.assert_allclose(state.power_kw, [1, 0, 1, 0], atol=1e-6)
    assert state.energy_kwh_now == pytest.approx(7)


def test_nothing_is_earned_by_import_and_export_at_once() -> None:
    """Export earns more than import costs: the battery may sell in one hour and buy in the other, 10 kWh each."""
    stay = PlugIn(0, 2, energy_kwh_used=0.0, energy_kwh_asked=20.0)
    prices = {
        "import_price_per_kwh": np.full(2, 0.2),
        "export_price_per_kwh": np.full(2, 0.3),
    }
    inputs = plain_inputs(2, (stay,), **prices)
    state = with_foresight(inputs)
    result = account(inputs, "foresight", state.power_kw, state.energy_kwh, state.departures)
    assert result.net_cost == pytest.approx(10 * 0.2 - 10 * 0.3)


def test_nothing_is_earned_by_charge_and_discharge_at_once() -> None:
    """Paid to import, a lossy battery that is full can only make room first: 8 kWh out of it, then 10 to fill it."""
    inputs = plain_inputs(
        2,
        (PlugIn(0, 2, energy_kwh_used=0.0, energy_kwh_asked=50.0),),
        import_price_per_kwh=np.full(2, -0.1),
        export_price_per_kwh=np.full(2, -0.1),
        energy_kwh_at_start=50.0,
    )
    car = replace(inputs.car, charge_efficiency=0.8)
    inputs = replace(inputs, car=car)
    state = with_foresight(inputs)
    np.testing.assert_allclose(state.power_kw, [-8, 10], atol=1e-5)
    result = account(inputs, "foresight", state.power_kw, state.energy_kwh, state.departures)
    assert result.net_cost == pytest.approx(8 * 0.1 - 10 * 0.1)


def test_the_bound_by_hand() -> None:
    """Two hours at 0.1 fill the battery, one at 0.6 sells from it; a kWh kept at the end is worth a quarter's price."""
    price = np.array([0.1, 0.1, 0.1, 0.1, 0.6, 0.3, 0.3, 0.3])
    stay = PlugIn(0, 8, energy_kwh_used=0.0, energy_kwh_asked=30.0)
    inputs = plain_inputs(8, (stay,), import_price_per_kwh=price, export_price_per_kwh=price - 0.02)
    state = with_foresight(inputs)
    assert state.power_kw.sum() == pytest.approx(10)
    assert state.power_kw[4] == pytest.approx(-10)
    result = account(inputs, "foresight", state.power_kw, state.energy_kwh, state.departures)
    # 20 kWh for 0.1 and 10 kWh sold at 0.58 are better than 10 kWh for 0.1.
    sold_at_the_peak = 20 * 0.1 - 10 * 0.58
    assert result.energy_cost <= sold_at_the_peak + 1e-6
