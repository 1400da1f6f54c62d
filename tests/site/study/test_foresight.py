"""The bound: no strategy costs less, and it keeps the same laws."""

from __future__ import annotations

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

sites = st.builds(
    random_inputs, st.integers(0, 10_000), import_limit=st.just(False), convex_prices=st.just(True)
)


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
        assert result.net_cost >= bound.net_cost - 1e-5


@settings(max_examples=15)
@given(inputs=sites)
def test_the_bound_takes_no_energy_from_nothing(inputs: StudyInputs) -> None:
    """It may lose more than the efficiencies say: where sun must be fed in at a cost, burning some pays."""
    state, car = with_foresight(inputs), inputs.car
    assert state.next_stay == len(inputs.plug_ins) == len(state.departures)
    for plug_in in inputs.plug_ins:
        steps = slice(plug_in.arrival_step, plug_in.departure_step)
        power = state.power_kw[steps]
        energy = state.energy_kwh[plug_in.arrival_step : plug_in.departure_step + 1]
        change = np.where(
            power > 0, power * car.charge_efficiency, power / car.discharge_efficiency
        )
        assert (np.diff(energy) <= change * inputs.grid.step_h + 1e-6).all()
        assert power.max() <= car.charge_kw_max + 1e-6
        assert power.min() >= -car.discharge_kw_max - 1e-6


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
