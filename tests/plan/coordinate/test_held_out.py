"""Fleets that the planner was not made with: each plan is valid to a checker of its own, and the optimum of a program of its
own lies between bound and cost. HYPOTHESIS_PROFILE=nightly compares hundreds of fleets.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from parkwatt.plan.coordinate import Coordinated, FleetProblem, coordinate
from tests.plan.coordinate.checker import faults_of_plan, faults_of_wishes, turnover
from tests.plan.coordinate.held_out_fleets import held_out
from tests.plan.coordinate.joint_optimum import Optimum, least_excess_kwh, optimum

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
GAP = 1e-3
# What rounding may be, of what all energy would cost: powers are single precision, and solvers have tolerances.
ROUNDING = 2e-6
# Best answers of cars that would charge and discharge at once are not proven to be their best, and so is the bound.
UNPROVEN = 1e-3
WHOLE_NUMBERS_CARS = 20


def judge(problem: FleetProblem, found: Coordinated) -> Optimum | None:
    """What holds for each plan, and what a gap promises that is reached. Returns the optimum; None: wishes do not fit."""
    assert faults_of_plan(problem, found) == []
    least, reached = optimum(problem), found.gap <= GAP
    if least is None:
        # A car that arrives below a floor that does not fit below the limits may leave too much above them
        # (docs/modelling/coordination.md, limits).
        cars, least_kwh = problem.cars, least_excess_kwh(problem)
        if reached and (cars.energy_kwh_at_arrival >= cars.energy_kwh_min).all():
            assert found.excess_kwh <= least_kwh + 1e-3 * (1.0 + least_kwh)
        assert found.excess_kwh >= least_kwh - 1e-3 * (1.0 + least_kwh)
        return None
    missed = faults_of_wishes(problem, found)
    scale = turnover(problem, found.power_kw)
    unproven = UNPROVEN if may_do_both(problem) else 0.0
    # Allowing both directions at once only makes a plan cheaper, so that no real plan is below this either.
    assert missed or found.cost >= least.cost - ROUNDING * scale
    if not least.is_exact and problem.cars.stay_count <= WHOLE_NUMBERS_CARS:
        whole = optimum(problem, one_direction=True)
        assert whole is not None, "what fits in one direction fits in both"
        least = whole
    if least.is_exact:
        assert found.bound <= least.cost + (ROUNDING + unproven) * scale
    if reached:
        assert missed == []
        if least.is_exact:
            assert found.cost <= least.cost + 2.0 * GAP * abs(least.cost) + ROUNDING * scale
    return least


def may_do_both(problem: FleetProblem) -> bool:
    """Whether a node's price may be below 0, as it can where prices are or export is limited."""
    prices, market = problem.prices, problem.market
    lowest = min(float(one.min()) for one in (prices.export_per_kwh, market.export_per_kwh))
    return lowest < 0.0 or bool(np.isfinite(problem.nodes.export_limit_kw).any())


def searched(problem: FleetProblem) -> Coordinated:
    """A plan by rounds of prices, although these are so few cars that one program would do."""
    # The package's function has the module's name.
    module = importlib.import_module("parkwatt.plan.coordinate.coordinate")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_JOINT_CARS", 0)
        return coordinate(problem, gap=GAP)


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 60), negative=st.booleans())
@settings(max_examples=400 if NIGHTLY else 25)
def test_plans_of_few_cars(seed: int, count: int, negative: bool) -> None:
    problem = held_out(seed, count, negative=negative)
    found = coordinate(problem, gap=GAP)
    least = judge(problem, found)
    # One program plans all of them, where no car would do both at once.
    assert least is None or not least.is_exact or faults_of_wishes(problem, found) == []


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(20, 200), negative=st.booleans())
@settings(max_examples=400 if NIGHTLY else 20)
def test_plans_of_few_cars_that_are_searched(seed: int, count: int, negative: bool) -> None:
    problem = held_out(seed, count, negative=negative)
    judge(problem, searched(problem))


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(201, 400))
@settings(max_examples=100 if NIGHTLY else 5)
def test_plans_of_some_hundred_cars(seed: int, count: int) -> None:
    problem = held_out(seed, count)
    judge(problem, coordinate(problem, gap=GAP))


@pytest.mark.parametrize("seed", [101, 102, 103, 104])
def test_a_search_reaches_its_gap(seed: int) -> None:
    problem = held_out(seed, 300)
    found = coordinate(problem, gap=GAP)
    least = judge(problem, found)
    assert least is not None, "these fit"
    assert least.is_exact
    assert found.gap <= GAP
    assert found.cost - least.cost <= GAP * abs(least.cost)


@pytest.mark.parametrize(
    ("seed", "count"),
    [(337, 1), (6, 1), (394, 5), (212, 30), (15, 34), (24, 34), (32, 26)],
)
def test_few_cars_whose_wishes_do_not_fit_are_planned_exactly(seed: int, count: int) -> None:
    problem = held_out(seed, count)
    found = coordinate(problem)
    assert faults_of_plan(problem, found) == []
    assert abs(found.gap) <= 1e-4
    assert optimum(problem) is None, "these fit"
    assert found.excess_kwh == pytest.approx(least_excess_kwh(problem), rel=1e-4, abs=2e-3)


def test_fleets_are_as_varied_as_they_say() -> None:
    problems = [held_out(seed, 60) for seed in range(60)]
    fitting = [optimum(one) for one in problems[:30]]
    assert sum(one is not None for one in fitting) >= 15
    assert sum(one is None for one in fitting) >= 2
    assert {_depth(one.nodes.parent) for one in problems} == {1, 2, 3, 4}
    assert any(np.isfinite(one.nodes.export_limit_kw[1:]).any() for one in problems)
    assert any((one.nodes.demand_charge_per_kw > 0).sum() > 1 for one in problems)
    assert any(len(set(one.prices.duration_h.tolist())) > 1 for one in problems)
    assert any(len(one.prices.import_per_kwh) > 1 for one in problems)
    empty = [set(range(one.node_count)) - set(one.node.tolist()) for one in problems]
    assert sum(bool(one) for one in empty) > 20
    inner = [set(one.nodes.parent[1:].tolist()) & set(one.node.tolist()) for one in problems]
    assert sum(bool(one) for one in inner) > 10


def _depth(parent: NDArray[np.int64]) -> int:
    depth = [1]
    for above in parent[1:].tolist():
        depth.append(depth[int(above)] + 1)
    return max(depth)


def _more_power(problem: FleetProblem, found: Coordinated) -> Coordinated:
    power_kw = found.power_kw.copy()
    power_kw[0, problem.cars.from_step[0]] = 2.0 * problem.cars.charge_kw_max[0]
    return replace(found, power_kw=power_kw)


def _power_while_away(problem: FleetProblem, found: Coordinated) -> Coordinated:
    power_kw, cars = found.power_kw.copy(), problem.cars
    away = int(np.flatnonzero(cars.to_step < problem.step_count)[0])
    power_kw[away, -1] = 1.0
    return replace(found, power_kw=power_kw)


def _no_power(_problem: FleetProblem, found: Coordinated) -> Coordinated:
    return replace(found, power_kw=np.zeros_like(found.power_kw))


def _cheaper(_problem: FleetProblem, found: Coordinated) -> Coordinated:
    return replace(found, cost=found.cost * 1.001 - 0.1)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (_more_power, "a car charges with more than it can"),
        (_power_while_away, "a car has power while it is away"),
        (_no_power, "drawn_kw is not the sum below each node"),
        (_cheaper, "cost is "),
    ],
)
def test_the_checker_finds_what_is_wrong(
    wrong: Callable[[FleetProblem, Coordinated], Coordinated], told: str
) -> None:
    problem = held_out(101, 40)
    found = coordinate(problem)
    assert faults_of_plan(problem, found) == []
    assert any(told in one for one in faults_of_plan(problem, wrong(problem, found)))


def test_the_checker_finds_what_is_missed() -> None:
    problem = held_out(101, 40)
    idle = _no_power(problem, coordinate(problem))
    assert any("leave with less" in one for one in faults_of_wishes(problem, idle))
    nothing = problem.nodes._replace(import_limit_kw=np.zeros_like(problem.nodes.base_kw))
    full = replace(problem, nodes=nothing)
    assert "an import limit is exceeded" in faults_of_wishes(full, coordinate(problem))
