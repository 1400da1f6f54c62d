"""The laws of a replay, over random sites: balance, floor, promises, what each strategy may do, no look ahead, resume."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.site.outcome import StrategyName
from parkwatt.site.study.account import account, meter_flows
from parkwatt.site.study.inputs import PlugIn, StudyInputs, connected
from parkwatt.site.study.replay import Replay, ReplayState
from tests.site.made import plain_inputs, random_inputs, with_series

_TINY = 1e-6
_STRATEGIES: tuple[StrategyName, ...] = ("charge_at_once", "smart", "v2h", "v2g")

sites = st.builds(random_inputs, st.integers(0, 10_000))
strategies = st.sampled_from(_STRATEGIES)
few = settings(max_examples=12)


def replayed(inputs: StudyInputs, strategy: StrategyName) -> ReplayState:
    """The finished replay."""
    state = ReplayState.at_start(inputs)
    assert Replay(inputs, strategy).run(state)
    return state


@few
@given(inputs=sites, strategy=strategies)
def test_energy_is_conserved_within_its_bounds(inputs: StudyInputs, strategy: StrategyName) -> None:
    state, car, step_h = replayed(inputs, strategy), inputs.car, inputs.grid.step_h
    charged = np.maximum(state.power_kw, 0) * car.charge_efficiency * step_h
    given_back = np.maximum(-state.power_kw, 0) / car.discharge_efficiency * step_h
    change = np.diff(state.energy_kwh)
    there = connected(inputs) > 0
    arrivals = [p.arrival_step for p in inputs.plug_ins if p.arrival_step > 0]
    before_arrival = np.zeros(len(change), dtype=bool)
    before_arrival[[step - 1 for step in arrivals]] = True
    np.testing.assert_allclose(
        change[~before_arrival], (charged - given_back)[~before_arrival], atol=1e-9
    )
    assert (state.power_kw[~there] == 0).all()
    now = inputs.energy_kwh_at_start
    for plug_in, departed in zip(inputs.plug_ins, state.departures, strict=True):
        arrived = now - plug_in.energy_kwh_used + departed.public_kwh
        assert state.energy_kwh[plug_in.arrival_step] == pytest.approx(arrived)
        assert arrived >= inputs.energy_kwh_on_road_min - _TINY
        now = departed.energy_kwh
    highest = max(car.energy_kwh_max, inputs.energy_kwh_at_start)
    assert state.energy_kwh.max() <= highest + _TINY


@few
@given(inputs=sites, strategy=strategies)
def test_the_flows_at_the_meter_balance(inputs: StudyInputs, strategy: StrategyName) -> None:
    state = replayed(inputs, strategy)
    bought, sold, used = meter_flows(inputs, state.power_kw)
    np.testing.assert_allclose(bought - sold, inputs.load_kw - used + state.power_kw, atol=1e-9)
    assert min(bought.min(), sold.min(), used.min()) >= 0
    assert (np.minimum(bought, sold) == 0).all()
    assert (used <= inputs.solar_kw + _TINY).all()
    if inputs.import_limit_kw is not None:
        most = np.maximum(inputs.import_limit_kw, inputs.load_kw - inputs.solar_kw)
        assert (bought <= most + _TINY).all()
    if inputs.export_limit_kw is not None:
        assert (sold <= inputs.export_limit_kw + _TINY).all()


@few
@given(inputs=sites, strategy=strategies)
def test_no_discharge_below_the_floor(inputs: StudyInputs, strategy: StrategyName) -> None:
    state = replayed(inputs, strategy)
    discharging = state.power_kw < 0
    assert (state.energy_kwh[1:][discharging] >= inputs.car.energy_kwh_min - _TINY).all()
    result = account(inputs, strategy, state.power_kw, state.energy_kwh, state.departures)
    assert result.below_floor_kwh_h == 0


# A charger's least power cannot always put in the last kWh, and a limit leaves room that depends on a load yet unknown.
plain_sites = st.builds(
    random_inputs, st.integers(0, 10_000), least_powers=st.just(False), import_limit=st.just(False)
)


@settings(max_examples=20)
@given(inputs=plain_sites, strategy=strategies)
def test_no_departure_is_missed_that_was_possible(
    inputs: StudyInputs, strategy: StrategyName
) -> None:
    state = replayed(inputs, strategy)
    result = account(inputs, strategy, state.power_kw, state.energy_kwh, state.departures)
    assert result.shortfall_kwh_avoidable == pytest.approx(0, abs=1e-6)
    assert result.missed_count == 0


@few
@given(inputs=sites)
def test_smart_charging_never_gives_back_and_v2h_never_sells_from_the_battery(
    inputs: StudyInputs,
) -> None:
    for strategy in ("charge_at_once", "smart"):
        assert (replayed(inputs, strategy).power_kw >= 0).all()
    power = replayed(inputs, "v2h").power_kw
    house_kw = np.maximum(inputs.load_kw - inputs.solar_kw, 0)
    assert (-power <= house_kw + _TINY).all()


@few
@given(
    inputs=sites,
    strategy=strategies,
    share=st.floats(0.1, 0.9),
    seed=st.integers(0, 1000),
    departures=st.sampled_from(["declared", "learned"]),
)
def test_what_is_not_known_yet_changes_nothing(
    inputs: StudyInputs, strategy: StrategyName, share: float, seed: int, departures: str
) -> None:
    """Load and sun that differ from a step on, prices that differ from the last published one on, and later sessions."""
    if departures == "learned":
        inputs = replace(inputs, early_probability=0.1)
    chance = np.random.default_rng(seed)
    step = int(share * inputs.grid.step_count)
    now_s = inputs.grid.start_unix_s + step * inputs.grid.step_s
    published_s = inputs.prices_known_until(now_s)
    assert published_s is not None
    unpublished = max(inputs.grid.index(published_s), step + 1)
    price, load, solar = (
        series.copy() for series in (inputs.import_price_per_kwh, inputs.load_kw, inputs.solar_kw)
    )
    price[unpublished:] += chance.normal(0, 0.2, len(price[unpublished:]))
    load[step + 1 :] *= chance.uniform(0, 3, len(load[step + 1 :]))
    solar[step + 1 :] *= chance.uniform(0, 2, len(solar[step + 1 :]))
    other = with_series(inputs, price, load, solar)
    later = tuple(
        replace(p, energy_kwh_used=p.energy_kwh_used * 0.7) if p.arrival_step > step else p
        for p in inputs.plug_ins
    )
    other = replace(other, plug_ins=later)
    np.testing.assert_allclose(
        replayed(other, strategy).power_kw[: step + 1],
        replayed(inputs, strategy).power_kw[: step + 1],
        atol=1e-7,
    )


@few
@given(inputs=sites, strategy=strategies, stay_count_max=st.integers(1, 4))
def test_a_replay_that_stops_after_any_stay_goes_on_to_the_same_end(
    inputs: StudyInputs, strategy: StrategyName, stay_count_max: int
) -> None:
    whole = replayed(inputs, strategy)
    state = ReplayState.at_start(inputs)
    reached: list[int] = []
    while not Replay(inputs, strategy).run(
        state, stay_count_max=stay_count_max, on_stay=reached.append
    ):
        pass
    assert reached == [plug_in.departure_step for plug_in in inputs.plug_ins]
    np.testing.assert_array_equal(state.power_kw, whole.power_kw)
    np.testing.assert_array_equal(state.energy_kwh, whole.energy_kwh)
    assert state.departures == whole.departures


def test_charging_at_once_by_hand() -> None:
    stay = PlugIn(1, 6, energy_kwh_used=5.0, energy_kwh_asked=40.0)
    state = replayed(plain_inputs(8, (stay,)), "charge_at_once")
    assert state.power_kw.tolist() == [0, 10, 10, 5, 0, 0, 0, 0]
    assert state.energy_kwh.tolist() == [20, 15, 25, 35, 40, 40, 40, 40, 40]
    assert state.departures[0].energy_kwh_possible == 50


def test_smart_charging_takes_the_cheapest_hours_by_hand() -> None:
    stay = PlugIn(0, 6, energy_kwh_used=0.0, energy_kwh_asked=40.0)
    price = np.array([0.5, 0.4, 0.1, 0.3, 0.2, 0.6, 0.3, 0.3])
    inputs = plain_inputs(8, (stay,), import_price_per_kwh=price)
    assert replayed(inputs, "smart").power_kw.tolist() == pytest.approx([0, 0, 10, 0, 10, 0, 0, 0])


def test_what_a_trip_needs_beyond_the_battery_is_charged_on_the_road() -> None:
    stays = (PlugIn(0, 2, 0.0, None), PlugIn(4, 8, 75.0, None))
    inputs = plain_inputs(8, stays, energy_kwh_on_road_min=3.0)
    state = replayed(inputs, "charge_at_once")
    assert state.energy_kwh.tolist() == [20, 30, 40, 40, 3, 13, 23, 33, 43]
    assert [departed.public_kwh for departed in state.departures] == [0, 38]


@pytest.mark.parametrize("strategy", _STRATEGIES)
def test_the_cases_learned_and_calendar_run_to_the_end(strategy: StrategyName) -> None:
    inputs = random_inputs(7, days=6)
    learned = replayed(replace(inputs, early_probability=0.02), strategy)
    calendar = replayed(replace(inputs, trips_known=True), strategy)
    assert len(learned.departures) == len(calendar.departures) == len(inputs.plug_ins)
