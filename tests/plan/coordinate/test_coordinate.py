"""A fleet's plan is one that cars and nodes can follow, and its bound and cost enclose the joint optimum."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.domain.errors import InputError
from parkwatt.domain.record import FloatArray
from parkwatt.plan.coordinate import Coordinated, FleetProblem, coordinate, no_market, one_limit
from parkwatt.plan.coordinate.joint import solve_joint
from tests.plan.coordinate.fleets import fleet

# Powers are single precision: so much may an energy be off after a day of them.
ROUNDING_KWH = 1e-3
EXCESS_PER_KWH = 100.0


def energies(problem: FleetProblem, found: Coordinated) -> FloatArray:
    """[N, T+1] what follows from the arrival and the powers alone."""
    cars, hours = problem.cars, problem.prices.duration_h
    power = found.power_kw.astype(float)
    gain = np.maximum(power, 0) * cars.charge_efficiency[:, None]
    gain -= np.maximum(-power, 0) / cars.discharge_efficiency[:, None]
    before = cars.energy_kwh_at_arrival[:, None]
    return np.hstack((before, before + np.cumsum(gain * hours, axis=1)))


def possible_kwh(problem: FleetProblem) -> FloatArray:
    """[N] what full power from arrival on would bring by departure."""
    cars = problem.cars
    edges = np.concatenate(([0.0], np.cumsum(problem.prices.duration_h)))
    stayed = edges[cars.to_step] - edges[cars.from_step]
    full = cars.energy_kwh_at_arrival + stayed * cars.charge_kw_max * cars.charge_efficiency
    return np.minimum(full, np.maximum(cars.energy_kwh_max, cars.energy_kwh_at_arrival))


def assert_followable(problem: FleetProblem, found: Coordinated) -> None:
    """Each car within its powers, its stay and its battery, with what it asked for, if that was possible."""
    cars, steps = problem.cars, np.arange(problem.step_count)
    there = (steps >= cars.from_step[:, None]) & (steps < cars.to_step[:, None])
    assert not found.power_kw[~there].any()
    assert (found.power_kw <= cars.charge_kw_max[:, None] + 1e-4).all()
    assert (found.power_kw >= -cars.discharge_kw_max[:, None] - 1e-4).all()
    idle = np.abs(found.power_kw) < 1e-5
    assert (
        idle | (found.power_kw < 0) | (found.power_kw >= cars.charge_kw_min[:, None] - 1e-4)
    ).all()
    assert (
        idle | (found.power_kw > 0) | (-found.power_kw >= cars.discharge_kw_min[:, None] - 1e-4)
    ).all()
    energy = energies(problem, found)
    assert (energy <= np.maximum(cars.energy_kwh_max, energy[:, 0])[:, None] + ROUNDING_KWH).all()
    floor = np.minimum(cars.energy_kwh_min[:, None], energy[:, :-1])
    assert (energy[:, 1:] >= floor - ROUNDING_KWH).all()
    asked = np.minimum(np.nan_to_num(cars.energy_kwh_at_departure), possible_kwh(problem))
    assert (energy[:, -1] >= asked - ROUNDING_KWH).all()
    assert found.energy_kwh_end == pytest.approx(energy[:, -1], abs=ROUNDING_KWH)


def assert_within_limits(problem: FleetProblem, found: Coordinated) -> None:
    """What is drawn at each node is the sum below it, and its limits hold to 1e-6 of them."""
    nodes = problem.nodes
    drawn = nodes.base_kw.astype(float).copy()
    np.add.at(drawn, problem.node, found.power_kw.astype(float))
    for node in range(problem.node_count - 1, 0, -1):
        drawn[nodes.parent[node]] += drawn[node]
    assert found.drawn_kw == pytest.approx(drawn, rel=1e-6, abs=1e-3)
    assert (drawn <= nodes.import_limit_kw * (1 + 1e-6) + 1e-5).all()
    assert (-drawn <= nodes.export_limit_kw * (1 + 1e-6) + 1e-5).all()
    assert found.excess_kwh < 1e-4


@pytest.mark.parametrize(("seed", "feeders"), [(1, 0), (2, 0), (3, 3), (4, 5), (5, 8)])
def test_bound_and_cost_enclose_the_joint_optimum(seed: int, feeders: int) -> None:
    problem = fleet(seed, 500, feeders=feeders)
    found = coordinate(problem)
    assert_followable(problem, found)
    assert_within_limits(problem, found)
    joint = solve_joint(problem, EXCESS_PER_KWH)
    slack = 1e-6 * abs(joint.bound)
    assert found.bound <= joint.bound + slack
    assert joint.valid.all()
    assert found.cost >= joint.bound - slack
    assert found.gap <= 1e-3
    # The limits are not for show: they bind.
    tight = found.drawn_kw >= problem.nodes.import_limit_kw * 0.9999
    assert tight.sum() >= 5


@given(seed=st.integers(0, 10_000), count=st.integers(1, 60), feeders=st.integers(0, 4))
@settings(max_examples=15)
def test_small_fleets_are_planned_exactly(seed: int, count: int, feeders: int) -> None:
    problem = fleet(seed, count, steps=24, feeders=feeders)
    found = coordinate(problem)
    assert_followable(problem, found)
    if found.excess_kwh < 1e-4:
        assert_within_limits(problem, found)
        # Powers are told in single precision; a bound may be near 0.
        assert found.cost - found.bound <= 1e-4 * abs(found.bound) + 1e-3


def test_a_warm_plan_is_as_good() -> None:
    problem = fleet(6, 3000, feeders=2)
    cold = coordinate(problem)
    changed = FleetProblem(
        problem.cars._replace(energy_kwh_at_arrival=problem.cars.energy_kwh_at_arrival + 0.5),
        problem.prices,
        problem.node,
        problem.nodes._replace(base_kw=problem.nodes.base_kw * 1.01),
        problem.market,
    )
    rounds: list[float] = []
    warm = coordinate(changed, warm=cold.warm, report=lambda bound, _: rounds.append(bound))
    again: list[float] = []
    afresh = coordinate(changed, report=lambda bound, _: again.append(bound))
    assert_followable(changed, warm)
    assert_within_limits(changed, warm)
    assert max(warm.gap, afresh.gap) <= 1e-3
    assert warm.cost == pytest.approx(afresh.cost, rel=2e-3)


def test_a_large_fleet_goes_by_its_sample() -> None:
    problem = fleet(7, 90_000, steps=24, feeders=2)
    found = coordinate(problem, threads=2)
    assert_followable(problem, found)
    assert_within_limits(problem, found)
    assert found.gap <= 1e-3


def test_cars_with_a_least_power_keep_it() -> None:
    problem = fleet(8, 1500, feeders=2)
    cars = problem.cars
    least = cars._replace(
        charge_kw_min=np.full(1500, 4.1),
        discharge_kw_min=np.where(cars.discharge_kw_max > 0, 2.0, 0.0),
    )
    mixed = FleetProblem(least, problem.prices, problem.node, problem.nodes, problem.market)
    found = coordinate(mixed)
    assert_followable(mixed, found)
    relaxed = coordinate(problem)
    assert found.bound >= relaxed.bound - 2e-3 * abs(relaxed.bound)


def test_limits_that_cannot_hold_are_named() -> None:
    problem = fleet(9, 400)
    nodes = problem.nodes._replace(import_limit_kw=np.full((1, 48), 10.0))
    tight = FleetProblem(problem.cars, problem.prices, problem.node, nodes, problem.market)
    found = coordinate(tight)
    assert_followable(tight, found)
    assert found.excess_kwh > 100.0
    assert found.gap <= 1e-3


def test_without_limits_each_car_has_its_own_best_plan() -> None:
    problem = fleet(10, 400)
    own = problem.prices._replace(
        import_per_kwh=problem.market.import_per_kwh[None],
        export_per_kwh=problem.market.export_per_kwh[None],
    )
    free = FleetProblem(problem.cars, own, problem.node, one_limit(48), no_market(48))
    found = coordinate(free)
    assert found.gap <= 1e-4
    assert not found.node_per_kwh.any()


def test_what_is_wrong_is_told_by_field() -> None:
    problem = fleet(11, 10, feeders=2)
    nodes = problem.nodes._replace(
        parent=np.array([-1, 2, 1]), import_limit_kw=-problem.nodes.import_limit_kw
    )
    market = problem.market._replace(export_per_kwh=problem.market.import_per_kwh + 0.1)
    wrong = FleetProblem(problem.cars, problem.prices, problem.node + 5, nodes, market)
    with pytest.raises(InputError) as told:
        coordinate(wrong)
    fields = {fault.field for fault in told.value.faults}
    assert fields == {"import_limit_kw", "parent", "node", "import_per_kwh"}
