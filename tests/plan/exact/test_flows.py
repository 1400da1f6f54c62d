"""From columns to powers: netted without loss, and honest about rules that a relaxation broke."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.record import FloatArray
from parkwatt.plan.exact.costs import cost_of
from parkwatt.plan.exact.flows import Flows, meets_rules, read_flows
from parkwatt.plan.exact.formulation import formulate
from parkwatt.plan.exact.storage import storage_stays
from tests.plan.exact.made_problem import car, problem, stay


@given(charge_kw=st.floats(0.0, 10.0), discharge_kw=st.floats(0.0, 10.0))
def test_netting_keeps_the_energy_and_draws_no_more(charge_kw: float, discharge_kw: float) -> None:
    vehicle = car(stay(1, 30.0), charge_efficiency=0.9, discharge_efficiency=0.8)
    made = problem([0.1], vehicle)
    form = formulate(made, storage_stays(made), soft=False, exclusive=None)
    values = np.zeros_like(form.program.cost)
    columns = form.stays[0]
    assert columns.discharge is not None
    values[columns.charge], values[columns.discharge] = charge_kw, discharge_kw
    flows = read_flows(made, form, values)
    gained_kwh = charge_kw * 0.9 - discharge_kw / 0.8
    assert flows.energy_kwh[0][-1] - 30.0 == pytest.approx(gained_kwh, abs=3e-6)
    assert flows.power_kw[0][0] <= charge_kw - discharge_kw + 2e-6


def flows_of(power_kw: list[float], energy_kwh: list[float]) -> Flows:
    """One car's flows with nothing else at the connection."""
    power: FloatArray = np.array(power_kw)
    return Flows(
        [power],
        [np.array(energy_kwh)],
        np.maximum(power, 0.0),
        np.maximum(-power, 0.0),
        np.zeros_like(power),
    )


@pytest.mark.parametrize(
    ("arrival_kwh", "power_kw", "energy_kwh", "kept"),
    [
        (20.0, [4.0, -3.0], [20.0, 24.0, 21.0], True),
        (20.0, [3.0, 0.0], [20.0, 23.0, 23.0], False),  # charges below its minimum
        (20.0, [0.0, -2.0], [20.0, 20.0, 18.0], False),  # discharges below its minimum
        (5.0, [-3.0, 4.0], [5.0, 2.0, 6.0], False),  # discharges below the floor
        (55.0, [4.0, 0.0], [55.0, 59.0, 59.0], False),  # charges above the maximum
        (20.0, [9.0, 0.0], [20.0, 29.0, 29.0], False),  # over the import limit
    ],
)
def test_broken_rules_are_found(
    arrival_kwh: float, power_kw: list[float], energy_kwh: list[float], kept: bool
) -> None:
    vehicle = car(stay(2, arrival_kwh), charge_kw_min=4.0, discharge_kw_min=3.0)
    made = problem([0.1, 0.1], vehicle, import_limit_kw=8.0)
    assert meets_rules(made, storage_stays(made), flows_of(power_kw, energy_kwh), 0.0) is kept


def test_a_battery_that_may_not_export_is_found_out() -> None:
    made = problem([0.1, 0.1], car(stay(2, 20.0)), batteries_may_export=False)
    flows = flows_of([0.0, -4.0], [20.0, 20.0, 16.0])
    assert not meets_rules(made, storage_stays(made), flows, 0.0)


def test_the_parts_of_a_cost() -> None:
    vehicle = car(
        stay(2, 20.0, energy_value_per_kwh=0.2),
        discharge_efficiency=0.8,
        wear_price_per_kwh=0.04,
        holding_price_per_kwh_h=0.01,
        holding_from_kwh=22.0,
    )
    made = problem(
        [0.3, 0.3], vehicle, sell=[0.1, 0.1], demand_charge_per_kw=2.0, peak_so_far_kw=3.0
    )
    parts = cost_of(made, storage_stays(made), flows_of([8.0, -4.0], [20.0, 28.0, 23.0]))
    assert parts.energy == pytest.approx(8 * 0.3 - 4 * 0.1)
    assert parts.demand == pytest.approx(2.0 * 5.0)
    assert parts.wear == pytest.approx(0.04 * 4 / 0.8 + 0.01 * (6.0 + 1.0))
    assert parts.end_value == pytest.approx(-0.2 * 23.0)
