"""A fleet's plan is one that cars and nodes can follow, and its bound and cost enclose the joint optimum."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.domain.errors import InputError
from parkwatt.domain.record import FloatArray
from parkwatt.plan.coordinate import (
    Coordinated,
    FleetProblem,
    Warm,
    coordinate,
    no_market,
    one_limit,
)
from parkwatt.plan.coordinate.joint import solve_joint
from parkwatt.plan.coordinate.problem import up_the_tree
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
    """Each car within its powers, its stay and its battery."""
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
    assert found.energy_kwh_end == pytest.approx(energy[:, -1], abs=ROUNDING_KWH)
    missing = np.maximum(np.nan_to_num(cars.energy_kwh_at_departure) - energy[:, -1], 0.0)
    assert found.shortfall_kwh == pytest.approx(missing, abs=ROUNDING_KWH)


def assert_wishes_met(problem: FleetProblem, found: Coordinated) -> None:
    """Each car leaves with what it asked for, if that was possible, and is at its floor as soon as it can be."""
    cars, energy = problem.cars, energies(problem, found)
    asked = np.minimum(np.nan_to_num(cars.energy_kwh_at_departure), possible_kwh(problem))
    assert (energy[:, -1] >= asked - ROUNDING_KWH).all()
    edges = np.concatenate(([0.0], np.cumsum(problem.prices.duration_h)))
    since_h = np.maximum(edges[None, :] - edges[cars.from_step][:, None], 0.0)
    best = energy[:, :1] + since_h * (cars.charge_kw_max * cars.charge_efficiency)[:, None]
    there = np.arange(len(edges)) <= cars.to_step[:, None]
    kept = energy >= np.minimum(best, cars.energy_kwh_min[:, None]) - ROUNDING_KWH
    assert (kept | ~there).all()


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
    assert_wishes_met(problem, found)
    assert_within_limits(problem, found)
    joint = solve_joint(problem, EXCESS_PER_KWH)
    slack = 1e-6 * abs(joint.bound)
    assert found.bound <= joint.bound + slack
    assert joint.valid.all()
    assert found.cost >= joint.bound - slack
    assert found.gap <= 1e-3
    # The limits are not for show: they bind.
    drawn_kw = problem.nodes.base_kw.copy()
    np.add.at(drawn_kw, problem.node, joint.power_kw)
    drawn_kw = up_the_tree(problem.nodes.parent, drawn_kw)
    assert (drawn_kw >= problem.nodes.import_limit_kw * 0.9999).sum() >= 5


@given(seed=st.integers(0, 10_000), count=st.integers(1, 60), feeders=st.integers(0, 4))
@settings(max_examples=25)
def test_small_fleets_are_planned_exactly(seed: int, count: int, feeders: int) -> None:
    problem = fleet(seed, count, steps=24, feeders=feeders)
    found = coordinate(problem, gap=1e-4)
    assert_followable(problem, found)
    joint = solve_joint(problem, EXCESS_PER_KWH)
    drawn = problem.nodes.base_kw.copy()
    np.add.at(drawn, problem.node, joint.power_kw)
    drawn = up_the_tree(problem.nodes.parent, drawn)
    nodes = problem.nodes
    over = np.maximum(drawn - nodes.import_limit_kw, -drawn - nodes.export_limit_kw).max()
    if over < 1e-6:
        # All wishes fit below all limits.
        assert_wishes_met(problem, found)
        assert_within_limits(problem, found)
        # Powers are told in single precision; a bound may be near 0.
        assert abs(found.cost - joint.bound) <= 1e-3 * abs(joint.bound) + 2e-3
        assert found.bound <= joint.bound + 1e-6 * abs(joint.bound) + 1e-6
    else:
        # Less can be exceeded than by keeping all wishes.
        kept_kwh = np.maximum(drawn - nodes.import_limit_kw, 0.0).sum()
        kept_kwh += np.maximum(-drawn - nodes.export_limit_kw, 0.0).sum()
        assert found.excess_kwh <= kept_kwh + 1e-3


def changed(problem: FleetProblem, seed: int) -> FleetProblem:
    """The same a little later: other energies at arrival, more load, dearer."""
    rng, cars, market = np.random.default_rng(seed), problem.cars, problem.market
    energy_kwh = cars.energy_kwh_at_arrival + rng.uniform(-1.0, 1.0, cars.stay_count)
    return FleetProblem(
        cars._replace(energy_kwh_at_arrival=np.clip(energy_kwh, 0.0, cars.energy_kwh_max)),
        problem.prices,
        problem.node,
        problem.nodes._replace(base_kw=problem.nodes.base_kw * 1.01),
        market._replace(
            import_per_kwh=market.import_per_kwh * 1.02, export_per_kwh=market.export_per_kwh * 1.02
        ),
    )


def test_a_warm_plan_is_as_good() -> None:
    problem = fleet(6, 3000, feeders=2)
    cold = coordinate(problem)
    later = changed(problem, 1)
    warm, afresh = coordinate(later, warm=cold.warm), coordinate(later)
    assert_followable(later, warm)
    assert_wishes_met(later, warm)
    assert_within_limits(later, warm)
    assert max(warm.gap, afresh.gap) <= 1e-3
    assert warm.cost == pytest.approx(afresh.cost, rel=2e-3)
    # Each is above the other's bound.
    assert min(warm.cost, afresh.cost) >= max(warm.bound, afresh.bound) - 1e-9


def test_with_nothing_changed_hardly_any_car_is_touched() -> None:
    problem = fleet(6, 9000, steps=24)
    cold = coordinate(problem)
    again = coordinate(problem, warm=cold.warm)
    assert again.gap <= 1e-3
    assert len(again.rounds) <= 3
    touched = (np.abs(again.power_kw - cold.power_kw) > 0.01).any(axis=1).mean()
    assert touched < 0.3


def test_prices_alone_can_begin_a_plan() -> None:
    problem = fleet(6, 1000, feeders=2)
    cold = coordinate(problem)
    again = coordinate(problem, warm=Warm(cold.node_per_kwh))
    assert again.gap <= 1e-3
    assert again.cost == pytest.approx(cold.cost, rel=2e-3)


def test_a_search_that_is_stopped_ends_with_a_plan() -> None:
    problem = fleet(12, 2000, feeders=3)
    found = coordinate(problem, gap=1e-9, stop=lambda: True)
    assert_followable(problem, found)
    assert found.bound <= found.cost
    assert len(found.rounds) <= 20


def test_a_large_fleet_goes_by_its_sample() -> None:
    problem = fleet(7, 90_000, steps=24, feeders=2)
    found = coordinate(problem, threads=2)
    assert_followable(problem, found)
    assert_wishes_met(problem, found)
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
    # A least power costs; how well is proven, not by how much exactly (docs/modelling/coordination.md).
    assert found.bound >= relaxed.bound - 4e-2 * abs(relaxed.bound)
    assert found.cost <= relaxed.cost + 5e-2 * abs(relaxed.cost)
    assert found.excess_kwh < 1e-3 * np.abs(found.drawn_kw).sum() * 0.5


def test_limits_that_cannot_hold_are_named() -> None:
    problem = fleet(9, 400)
    nodes = problem.nodes._replace(import_limit_kw=np.full((1, 48), 10.0))
    cars = problem.cars._replace(discharge_kw_max=np.zeros(400))
    tight = FleetProblem(cars, problem.prices, problem.node, nodes, problem.market)
    found = coordinate(tight)
    assert_followable(tight, found)
    # The load alone is above the limit in most steps. Limits come first, so that cars add nothing to it.
    alone_kwh = np.maximum(problem.nodes.base_kw - 10.0, 0.0).sum() * 0.5
    assert alone_kwh > 1000.0
    assert found.excess_kwh == pytest.approx(alone_kwh, rel=1e-3)
    assert found.shortfall_kwh.sum() > 100.0
    assert found.gap <= 1e-3


def test_limits_come_before_floors_and_departures() -> None:
    problem = fleet(13, 400)
    steps, cars = 48, problem.cars
    # All begin below their floors, and only a fifth of what they ask for fits below the limit.
    low = cars._replace(
        energy_kwh_at_arrival=0.05 * cars.energy_kwh_max,
        energy_kwh_at_departure=0.9 * cars.energy_kwh_max,
    )
    nodes = one_limit(steps, import_limit_kw=150.0)
    tight = FleetProblem(low, problem.prices, problem.node, nodes, problem.market)
    found = coordinate(tight)
    assert (found.drawn_kw <= 150.0 * (1 + 1e-6)).all()
    assert found.excess_kwh == 0.0
    assert found.shortfall_kwh.sum() > 1000.0
    # What may be drawn is drawn while cars are below their floors, but for what a search leaves over.
    energy = energies(tight, found)
    there = (np.arange(steps) >= low.from_step[:, None]) & (np.arange(steps) < low.to_step[:, None])
    waiting = (there & (energy[:, :-1] < low.energy_kwh_min[:, None] - 0.5)).sum(axis=0)
    drawn_kw = found.drawn_kw[0][waiting > 40]
    assert drawn_kw.mean() > 140.0
    assert (drawn_kw > 110.0).all()


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


def test_without_cars_the_nodes_cost_what_they_draw() -> None:
    problem = fleet(11, 10, feeders=2)
    nobody = FleetProblem(
        problem.cars.take(slice(0, 0)),
        problem.prices,
        problem.node[:0],
        problem.nodes,
        problem.market,
    )
    found = coordinate(nobody)
    assert found.gap == 0.0
    assert found.drawn_kw == pytest.approx(up_the_tree(problem.nodes.parent, problem.nodes.base_kw))


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
