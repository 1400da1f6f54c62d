"""Among equal costs: charge early and in one go, discharge late, and cycle nothing for nothing."""

import numpy as np
import pytest

from parkwatt.plan.exact import plan
from tests.plan.exact.made_problem import car, problem, stay


def test_at_a_flat_price_charging_is_packed_at_the_beginning() -> None:
    found = plan(problem([0.2] * 6, car(stay(6, 20.0, 45.0))))
    np.testing.assert_allclose(found.vehicles[0].power_kw, [10, 10, 5, 0, 0, 0], atol=1e-6)


def test_of_equally_cheap_steps_the_earlier_are_taken() -> None:
    found = plan(problem([0.3, 0.1, 0.3, 0.1, 0.1], car(stay(5, 20.0, 35.0))))
    np.testing.assert_allclose(found.vehicles[0].power_kw, [0, 10, 0, 5, 0], atol=1e-6)


def test_nothing_is_cycled_where_nothing_is_gained() -> None:
    made = problem([0.2] * 4, car(stay(4, 30.0, 30.0)), sell=[0.2] * 4)
    np.testing.assert_allclose(plan(made).vehicles[0].power_kw, 0.0, atol=1e-6)


def test_of_equally_dear_steps_the_later_are_served_from_the_battery() -> None:
    made = problem([0.3, 0.3, 0.3], car(stay(3, 14.0)), load_kw=[4.0, 4.0, 4.0])
    np.testing.assert_allclose(plan(made).vehicles[0].power_kw, [0, 0, -4], atol=1e-6)


def test_ties_never_cost_anything() -> None:
    prices = [0.30, 0.1000001, 0.1, 0.1]
    found = plan(problem(prices, car(stay(4, 20.0, 40.0))))
    assert found.cost == pytest.approx(20 * 0.1, abs=1e-9)
    np.testing.assert_allclose(found.vehicles[0].power_kw, [0, 0, 10, 10], atol=1e-6)


def test_ties_are_broken_where_a_minimum_power_needs_binaries() -> None:
    found = plan(problem([0.2] * 5, car(stay(5, 20.0, 45.0), charge_kw_min=4.0)))
    np.testing.assert_allclose(found.vehicles[0].power_kw, [10, 10, 5, 0, 0], atol=1e-6)


def test_ties_are_broken_where_a_wish_cannot_be_met() -> None:
    made = problem([0.2] * 4, car(stay(4, 20.0, 50.0)), load_kw=[0, 0, 3, 3], import_limit_kw=8.0)
    found = plan(made)
    np.testing.assert_allclose(found.vehicles[0].power_kw, [8, 8, 5, 5], atol=1e-6)
    assert [violation.amount for violation in found.violations] == [pytest.approx(4.0)]
