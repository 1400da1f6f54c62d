"""The accounts of small cases by hand: money, wear, flows, promises, months."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from parkwatt.domain.series import TimeGrid
from parkwatt.domain.tariff import DemandCharge
from parkwatt.site.study.account import account, meter_flows, stored_price_per_kwh
from parkwatt.site.study.inputs import PlugIn
from parkwatt.site.study.replay import Departed
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
