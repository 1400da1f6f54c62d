"""Stages come in order, hold what was reached, and agree with and without binaries."""

import numpy as np
import pytest

from parkwatt.domain.problem import Problem
from parkwatt.plan.exact.formulation import Formulation, formulate
from parkwatt.plan.exact.stages import linear_stages, whole_stages
from parkwatt.plan.exact.storage import storage_stays
from tests.plan.exact.made_problem import car, problem, stay


def soft(made: Problem) -> Formulation:
    """The problem's soft form with every binary."""
    everywhere = np.ones(made.step_count, dtype=bool)
    return formulate(made, storage_stays(made), soft=True, exclusive=everywhere)


@pytest.fixture
def crowded() -> Problem:
    """A load above the limit, a car below its floor, and one that asks for more than is left."""
    low = car(stay(3, 0.0), id="low")
    asks = car(stay(3, 20.0, 45.0), id="asks", charge_kw_min=2.0, discharge_kw_max=0.0)
    return problem([0.3, 0.2, 0.1], low, asks, load_kw=[9.0, 1.0, 1.0], import_limit_kw=6.0)


def test_each_wish_reaches_its_least(crowded: Problem) -> None:
    form = soft(crowded)
    stages = linear_stages(form)
    assert stages is not None
    assert [wish.name for wish in form.wishes] == ["limits", "floors", "departures"]
    # Load alone is 3 kW over in step 0; the low car then has 10, 5 and 0 kWh to its floor; nothing is left for the other.
    np.testing.assert_allclose(stages.reached, [3.0, 15.0, 25.0], atol=1e-6)


def test_money_spends_nothing_of_a_wish(crowded: Problem) -> None:
    form = soft(crowded)
    stages = linear_stages(form)
    assert stages is not None
    for wish, reached in zip(form.wishes, stages.reached, strict=True):
        missed = float(form.wish_objective(wish) @ stages.solution.values)
        assert missed == pytest.approx(reached, abs=1e-9)


def test_binaries_meet_the_same_wishes_where_they_can(crowded: Problem) -> None:
    form = soft(crowded)
    stages, whole = (
        linear_stages(form),
        whole_stages(form, time_limit_s=20.0),
    )
    assert stages is not None
    assert whole is not None
    integers = whole.values[form.program.integer.astype(bool)]
    np.testing.assert_allclose(integers, np.round(integers), atol=1e-6)
    # With the binaries fixed, the linear stages take back the slack that the mixed-integer ones need.
    closed = linear_stages(form.with_integers(whole.values))
    assert closed is not None
    np.testing.assert_allclose(closed.reached, stages.reached, atol=1e-6)


def test_what_binaries_make_unreachable_is_missed_in_the_order_of_wishes() -> None:
    """The floor needs 3 kW, the charger gives at least 4, and the limit leaves 3."""
    low = car(stay(2, 7.0), charge_kw_min=4.0, discharge_kw_max=0.0)
    form = soft(problem([0.1, 0.1], low, load_kw=[2.0, 2.0], import_limit_kw=5.0))
    whole = whole_stages(form, time_limit_s=20.0)
    assert whole is not None
    missed = [float(form.wish_objective(wish) @ whole.values) for wish in form.wishes]
    np.testing.assert_allclose(missed, [0.0, 6.0], atol=1e-6)


def test_a_hard_form_that_cannot_be_met_has_no_stages() -> None:
    made = problem([0.1], car(stay(1, 20.0, 30.0)), import_limit_kw=5.0)
    form = formulate(made, storage_stays(made), soft=False, exclusive=None)
    assert linear_stages(form) is None


def test_doing_nothing_is_a_plan_of_the_soft_form(crowded: Problem) -> None:
    """The mixed-integer solves start from it."""
    form = soft(crowded)
    assert linear_stages(form.with_integers(form.idle)) is not None
