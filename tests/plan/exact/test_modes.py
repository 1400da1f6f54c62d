"""Binaries stand only where the problem is not convex, and there they hold."""

import numpy as np
import pytest

from parkwatt.domain.problem import Problem
from parkwatt.plan.exact import plan
from parkwatt.plan.exact.formulation import formulate
from parkwatt.plan.exact.modes import steps_where_burning_may_pay
from parkwatt.plan.exact.storage import storage_stays
from tests.plan.exact.made_problem import car, problem, stay


def binaries(made: Problem) -> int:
    """How many whole columns the problem's mixed form has."""
    burning = steps_where_burning_may_pay(made)
    form = formulate(made, storage_stays(made), soft=False, exclusive=burning)
    return int(form.program.integer.sum())


def test_a_convex_problem_has_no_binaries() -> None:
    made = problem(
        [0.3, 0.1, 0.2, 0.4],
        car(stay(4, 20.0, 40.0)),
        sell=[0.1, 0.1, 0.2, 0.1],
        solar_kw=[0.0, 5.0, 0.0, 0.0],
        demand_charge_per_kw=5.0,
        import_limit_kw=17.0,
    )
    assert binaries(made) == 0


def test_negative_prices_set_charge_and_discharge_apart_where_both_exist() -> None:
    prices, sell = [0.1, -0.1, 0.1, 0.1], [0.0, -0.2, 0.0, 0.0]
    made = problem(prices, car(stay(4, 20.0)), sell=sell)
    assert steps_where_burning_may_pay(made).tolist() == [False, True, False, False]
    assert binaries(made) == 1
    assert binaries(problem(prices, car(stay(4, 20.0), discharge_kw_max=0.0), sell=sell)) == 0


def test_dear_export_needs_a_direction_only_where_both_directions_are_possible() -> None:
    prices, sell = [0.1, 0.1, 0.1, 0.1], [0.2, 0.0, 0.2, 0.2]
    assert binaries(problem(prices, car(stay(3, 20.0)), sell=sell)) == 2
    assert binaries(problem(prices, car(stay(3, 20.0), discharge_kw_max=0.0), sell=sell)) == 0


@pytest.mark.parametrize(
    ("charge_kw_min", "discharge_kw_min", "expected"), [(2.0, 0.0, 4), (0.0, 2.0, 4), (2.0, 2.0, 8)]
)
def test_minimum_powers_need_a_binary_a_step_and_direction(
    charge_kw_min: float, discharge_kw_min: float, expected: int
) -> None:
    vehicle = car(stay(4, 20.0), charge_kw_min=charge_kw_min, discharge_kw_min=discharge_kw_min)
    assert binaries(problem([0.1] * 4, vehicle)) == expected


@pytest.mark.parametrize("arrival_kwh", [5.0, 55.0])
def test_a_stay_that_starts_outside_needs_to_know_when_it_is_within(arrival_kwh: float) -> None:
    assert binaries(problem([0.1] * 4, car(stay(4, arrival_kwh)))) == 4
    one_way = car(stay(4, arrival_kwh), discharge_kw_max=0.0)
    assert binaries(problem([0.1] * 4, one_way)) == 0


def test_a_minimum_power_is_kept_or_nothing_is_done() -> None:
    made = problem([0.1, 0.2, 0.3], car(stay(3, 20.0, 33.0), charge_kw_min=4.0))
    power_kw = plan(made).vehicles[0].power_kw
    np.testing.assert_allclose(power_kw, [9.0, 4.0, 0.0], atol=1e-6)


def test_no_energy_is_burnt_where_taking_power_is_paid_for() -> None:
    vehicle = car(stay(2, 45.0), charge_efficiency=0.9, discharge_efficiency=0.9)
    made = problem([-0.2, -0.2], vehicle, sell=[-0.3, -0.3])
    power_kw = plan(made).vehicles[0].power_kw
    assert power_kw.sum() == pytest.approx(5.0 / 0.9)


def test_nothing_is_bought_to_be_sold_at_once() -> None:
    found = plan(problem([0.1, 0.1], sell=[0.5, 0.5], load_kw=[1.0, 2.0]))
    np.testing.assert_allclose(found.import_kw, [1.0, 2.0])
    assert found.export_kw.max() == 0.0


def test_below_the_floor_it_charges_first_even_where_selling_pays_more() -> None:
    made = problem([0.1, 0.1, 0.1], car(stay(3, 5.0)), sell=[0.9, 0.9, 0.9])
    found = plan(made)
    assert found.vehicles[0].power_kw[0] > 0
    assert found.vehicles[0].stays[0].energy_kwh[1:].min() >= 10.0 - 1e-6
    assert found.violations == ()


def test_above_the_maximum_it_may_only_discharge() -> None:
    found = plan(problem([-0.1, -0.1, 0.3], car(stay(3, 55.0)), sell=[-0.2, -0.2, 0.2]))
    power_kw = found.vehicles[0].power_kw
    assert (power_kw[:2] <= 0).all()
