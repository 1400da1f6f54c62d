"""What cannot be met is named once, with its amount, its place and a sentence."""

import pytest

from parkwatt.domain.plan import Violation
from parkwatt.domain.problem import Problem
from parkwatt.plan.exact import plan
from tests.plan.exact.made_problem import car, problem, stay


def only(made: Problem) -> Violation:
    """The only violation of the problem's plan."""
    found = plan(made)
    assert found.status == "best_effort"
    (violation,) = found.violations
    return violation


def test_a_departure_out_of_reach_tells_what_full_power_reaches() -> None:
    violation = only(problem([0.1] * 2, car(stay(2, 20.0, 48.0))))
    assert (violation.kind, violation.id, violation.step) == ("departure", "ev", 2)
    assert violation.amount == pytest.approx(8.0)
    assert violation.unit == "kWh"
    assert violation.message == (
        "ev leaves with 40.0 kWh instead of 48.0 kWh, 8.0 kWh short: "
        "even charging at full power all the time reaches 40.0 kWh"
    )


def test_a_departure_that_a_limit_prevents_names_the_limit() -> None:
    violation = only(problem([0.1] * 2, car(stay(2, 20.0, 40.0)), import_limit_kw=6.0))
    assert violation.amount == pytest.approx(8.0)
    assert violation.message.endswith("limits and floors come first and leave no room for more")


def test_a_driver_who_may_leave_early_misses_the_mean_of_what_is_missing() -> None:
    violation = only(problem([0.1] * 3, car(stay(3, 20.0, 45.0, ready_from_step=1))))
    assert violation.step == 3
    # 15, 5 and 0 kWh are missing after one, two and three hours.
    assert violation.amount == pytest.approx(20.0 / 3)


def test_a_floor_names_the_instant_from_which_it_is_kept() -> None:
    violation = only(problem([0.1] * 4, car(stay(4, 1.0), energy_kwh_min=25.0)))
    assert (violation.kind, violation.step, violation.unit) == ("floor", 3, "kWh")
    assert violation.amount == pytest.approx(14.0)
    assert violation.message == (
        "ev is up to 14.0 kWh below its floor of 25.0 kWh after plugging in; "
        "it charges first until the floor is reached"
    )


def test_a_floor_that_is_never_reached_names_the_end_of_the_stay() -> None:
    violation = only(problem([0.1] * 3, car(stay(2, 1.0), energy_kwh_min=45.0)))
    assert violation.step == 2
    assert violation.amount == pytest.approx(34.0)
    assert violation.message.endswith("to the end of the stay")


def test_a_floor_reached_within_the_first_step_is_no_violation() -> None:
    assert plan(problem([0.1] * 2, car(stay(2, 5.0)))).violations == ()


def test_each_unbroken_run_over_a_limit_is_one_violation_with_its_largest_excess() -> None:
    load_kw = [6.0, 8.0, 1.0, 7.0]
    found = plan(problem([0.1] * 4, load_kw=load_kw, import_limit_kw=5.0))
    told = [(v.kind, v.id, v.step, v.unit) for v in found.violations]
    assert told == [("import_limit", None, 0, "kW"), ("import_limit", None, 3, "kW")]
    assert [v.amount for v in found.violations] == [pytest.approx(3.0), pytest.approx(2.0)]
    assert found.violations[0].message.startswith("import goes 3.00 kW over the limit of 5 kW")


def test_sun_that_must_be_fed_in_can_be_over_the_export_limit() -> None:
    violation = only(
        problem([0.1], solar_kw=[7.0], load_kw=[1.0], solar_curtailable=False, export_limit_kw=4.0)
    )
    assert violation.kind == "export_limit"
    assert violation.amount == pytest.approx(2.0)


def test_sun_that_may_be_left_unused_keeps_the_export_limit() -> None:
    found = plan(problem([0.1], sell=[0.1], solar_kw=[7.0], load_kw=[1.0], export_limit_kw=4.0))
    assert found.violations == ()
    assert found.solar_used_kw[0] == pytest.approx(5.0)


def test_a_wish_that_is_met_is_not_named() -> None:
    found = plan(problem([0.1] * 3, car(stay(3, 20.0, 50.0)), import_limit_kw=10.0))
    assert (found.status, found.violations) == ("optimal", ())
