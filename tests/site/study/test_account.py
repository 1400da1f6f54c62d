"""The accounts of small cases by hand: money, wear, flows, promises, months."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from parkwatt.domain.series import TimeGrid
from parkwatt.domain.tariff import DemandCharge
from parkwatt.site.study.account import account, meter_flows, stored_price_per_kwh
from parkwatt.site.study.inputs import PlugIn, StudyInputs
from parkwatt.site.study.replay import Departed, Replay, ReplayState
from tests.site.made import plain_inputs, random_inputs

_STAY = (PlugIn(0, 4, energy_kwh_used=0.0, energy_kwh_asked=30.0),)


def test_money_by_hand() -> None:
    inputs = plain_inputs(
        4,
        _STAY,
        import_price_per_kwh=np.array([0.1, 0.2, 0.3, 0.4]),
        export_price_per_kwh=np.array([0.05, 0.05, 0.05, 0.3]),
        load_kw=np.array([1.0, 1.0, 1.0, 1.0]),
        solar_kw=np.array([0.0, 4.0, 0.0, 0.0]),
        demand_charge=DemandCharge(price_per_kw_month=2.0, minimum_kw=1.0),
        public_price_per_kwh=0.6,
    )
    car = replace(
        inputs.car,
        wear_price_per_kwh=0.1,
        discharge_efficiency=0.8,
        holding_price_per_kwh_h=0.01,
        holding_from_kwh=28.0,
    )
    inputs = replace(inputs, car=car)
    power = np.array([10.0, 0.0, 0.0, -4.0])
    energy = np.array([20.0, 30.0, 30.0, 30.0, 25.0])
    departed = Departed(4, 30.0, 25.0, energy_kwh_possible=28.0, public_kwh=2.0)
    result = account(inputs, "v2g", power, energy, [departed])

    assert result.import_kw.tolist() == [11, 0, 1, 0]
    assert result.export_kw.tolist() == [0, 3, 0, 3]
    energy_cost = 11 * 0.1 - 3 * 0.05 + 0.3 - 3 * 0.3 + 2 * 0.6
    assert result.energy_cost == pytest.approx(energy_cost)
    assert result.demand_cost == pytest.approx(11 * 2.0)
    assert result.wear_cost == pytest.approx(4 / 0.8 * 0.1 + 3 * 2 * 0.01)
    assert stored_price_per_kwh(inputs) == pytest.approx(0.175)  # a quarter of 0.1 … 0.4
    assert result.stored_value == pytest.approx(5 * 0.175)
    assert result.net_cost == pytest.approx(energy_cost + 22 - 0.875 + 0.56)
    assert (result.bought_kwh, result.sold_kwh, result.discharged_kwh) == (12, 6, 4)
    assert (result.import_peak_kw, result.public_kwh) == (11, 2)
    assert result.self_consumption == pytest.approx(0.25)
    assert (result.departure_count, result.missed_count) == (1, 1)
    assert (result.shortfall_kwh, result.shortfall_kwh_avoidable) == (5, 3)
    (month,) = result.months
    assert month.month == "2024-06"
    assert month.energy_cost + 1.2 == pytest.approx(energy_cost)


def test_sun_is_left_unused_where_export_costs_or_has_no_room() -> None:
    inputs = plain_inputs(
        4,
        _STAY,
        export_price_per_kwh=np.array([0.1, -0.1, 0.1, -0.1]),
        solar_kw=np.full(4, 5.0),
        export_limit_kw=3.0,
    )
    nothing = np.zeros(4)
    assert meter_flows(inputs, nothing)[1].tolist() == [3, 0, 3, 0]
    assert meter_flows(inputs, nothing)[2].tolist() == [3, 0, 3, 0]
    bound = replace(inputs, solar_curtailable=False)
    assert meter_flows(bound, nothing)[1].tolist() == [3, 3, 3, 3]
    free = replace(bound, export_limit_kw=None)
    assert meter_flows(free, nothing)[1].tolist() == [5, 5, 5, 5]


def test_a_peak_is_paid_in_each_month() -> None:
    inputs = plain_inputs(96, (), demand_charge=DemandCharge(10.0, 2.0))
    inputs = replace(
        inputs, grid=TimeGrid(1_719_612_000, 3600, 96)
    )  # two days of June, two of July
    power = np.zeros(96)
    power[[10, 50, 60]] = [7.0, 1.0, 1.5]
    energy = np.full(97, 20.0)
    result = account(inputs, "smart", power, energy, [])
    assert [month.month for month in result.months] == ["2024-06", "2024-07"]
    assert [month.demand_cost for month in result.months] == [70.0, 20.0]  # at least 2 kW
    assert result.self_consumption is None


@pytest.mark.parametrize("seed", range(5))
def test_months_add_up_to_the_whole(seed: int) -> None:
    inputs = random_inputs(seed)
    power = np.random.default_rng(seed).normal(0, 5, inputs.grid.step_count)
    energy = np.full(inputs.grid.step_count + 1, inputs.energy_kwh_at_start)
    result = account(inputs, "v2g", power, energy, [])
    bought, sold, _ = meter_flows(inputs, power)
    paid = (
        bought @ inputs.import_price_per_kwh - sold @ inputs.export_price_per_kwh
    ) * inputs.grid.step_h
    assert sum(month.energy_cost for month in result.months) == pytest.approx(paid)
    assert result.energy_cost == pytest.approx(paid)
    assert result.stored_value == 0


def missed(inputs: StudyInputs, departures: list[Departed]) -> int:
    """How many of ``departures`` count as missed, of a car that did nothing."""
    count = inputs.grid.step_count
    return account(
        inputs, "smart", np.zeros(count), np.full(count + 1, 20.0), departures
    ).missed_count


_TWO_STAYS = (PlugIn(0, 4, 0.0, 40.0), PlugIn(6, 10, energy_kwh_used=12.0, energy_kwh_asked=40.0))


@pytest.mark.parametrize(
    ("energy_kwh", "possible_kwh", "declared", "learned"),
    [
        (40.0, 50.0, 0, 0),  # as asked
        (30.0, 50.0, 1, 0),  # less than asked; the trip of 12 and the reserve of 3 kWh were there
        (14.0, 50.0, 1, 1),  # a kWh lacked for the trip too
        (14.0, 14.0, 0, 0),  # no more was possible
        (14.9, 15.0, 1, 1),
        (14.97, 50.0, 1, 0),  # a third of a kilometre
        (39.97, 50.0, 0, 0),
    ],
)
def test_missed_is_what_was_asked_where_declared_and_what_the_trip_needed_where_learned(
    energy_kwh: float, possible_kwh: float, declared: int, learned: int
) -> None:
    inputs = plain_inputs(12, _TWO_STAYS, energy_kwh_on_road_min=3.0)
    departures = [Departed(4, 40.0, energy_kwh, possible_kwh, 0.0)]
    assert missed(inputs, departures) == declared
    assert missed(replace(inputs, trips_known=True), departures) == declared
    assert missed(replace(inputs, early_probability=0.02), departures) == learned


def test_where_learned_a_trip_counts_though_nothing_was_asked_and_the_last_departure_has_none() -> (
    None
):
    inputs = plain_inputs(12, _TWO_STAYS, energy_kwh_on_road_min=3.0)
    learned = replace(inputs, early_probability=0.02)
    first, last = Departed(4, None, 10.0, 50.0, 0.0), Departed(10, 40.0, 5.0, 50.0, 0.0)
    assert missed(learned, [first]) == 1
    assert missed(learned, [first, last]) == 1
    assert missed(inputs, [first, last]) == 1  # the last: it asked for 40


def test_the_shortfall_is_told_against_what_was_asked_in_each_mode() -> None:
    inputs = plain_inputs(12, _TWO_STAYS, early_probability=0.02)
    departed = Departed(4, 40.0, 30.0, energy_kwh_possible=36.0, public_kwh=0.0)
    result = account(inputs, "smart", np.zeros(12), np.full(13, 20.0), [departed])
    assert (result.departure_count, result.missed_count) == (1, 0)
    assert (result.shortfall_kwh, result.shortfall_kwh_avoidable) == (10, 6)


# The car leaves at 2 and is back at 2: the energy after the trip stands where that before it would.
_BACK_TO_BACK = (PlugIn(0, 2, 0.0, None), PlugIn(2, 4, energy_kwh_used=9.0, energy_kwh_asked=None))


def test_a_trip_within_the_step_of_a_departure_breaks_no_floor() -> None:
    inputs = plain_inputs(4, _BACK_TO_BACK)
    power = np.array([0.0, -5.0, 4.0, 0.0])
    energy = np.array([20.0, 20.0, 6.0, 10.0, 10.0])  # 15 at the departure, 6 back from the trip
    assert account(inputs, "v2g", power, energy, []).below_floor_kwh_h == 0
    deeper = np.array([0.0, -10.0, 4.0, 0.0])
    low = np.array([18.0, 18.0, 0.0, 4.0, 4.0])  # 8 at the departure: 2 below the floor
    assert account(inputs, "v2g", deeper, low, []).below_floor_kwh_h == pytest.approx(2)


def test_a_replay_back_to_back_is_judged_before_the_trip_and_pays_for_holding_until_then() -> None:
    price = np.array([0.1, 0.9, 0.1, 0.1])
    inputs = plain_inputs(
        4, _BACK_TO_BACK, import_price_per_kwh=price, export_price_per_kwh=price - 0.05
    )
    state = ReplayState.at_start(inputs)
    assert Replay(inputs, "v2g").run(state)
    assert state.power_kw[1] == pytest.approx(-10)
    result = account(inputs, "v2g", state.power_kw, state.energy_kwh, state.departures)
    assert state.energy_kwh[2] < state.departures[0].energy_kwh
    assert result.below_floor_kwh_h == 0
    dear = replace(
        inputs.car, holding_price_per_kwh_h=0.01, holding_from_kwh=inputs.car.energy_kwh_min
    )
    held = account(
        replace(inputs, car=dear), "v2g", np.zeros(4), np.array([20.0, 20, 11, 11, 11]), []
    )
    assert held.wear_cost == pytest.approx(0.01 * (10 + 10 + 1 + 1))
