"""A fleet that holds back a reserve: bound and cost enclose the joint optimum, and what is held back can be given."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import block_diag, csr_matrix, hstack, vstack

from parkwatt.domain.errors import InputError
from parkwatt.domain.record import FloatArray
from parkwatt.plan.coordinate import Coordinated, FleetProblem, Reserve, coordinate
from tests.plan.coordinate.fleets import fleet
from tests.plan.coordinate.test_coordinate import (
    assert_followable,
    assert_wishes_met,
    assert_within_limits,
    changed,
)

STEPS = 24


def with_reserve(
    problem: FleetProblem, share: float, short_per_kwh: float, hours_h: float = 0.5
) -> FleetProblem:
    """The same, which holds back a share of what all cars could draw, but for some hours; a tenth of them do not take part."""
    cars, steps = problem.cars, problem.step_count
    asked_kw = np.full(steps, share * cars.charge_kw_max.sum())
    asked_kw[: steps // 6] = 0.0
    member = np.arange(cars.stay_count) % 10 != 0
    price = np.full(steps, short_per_kwh)
    # All wishes fit below such limits, so that the linear program needs no price for exceeding them.
    nodes = problem.nodes._replace(import_limit_kw=1.4 * problem.nodes.import_limit_kw)
    reserve = Reserve(asked_kw, 0.7 * asked_kw, hours_h, price, member)
    return replace(problem, nodes=nodes, reserve=reserve)


def joint_optimum(problem: FleetProblem) -> float:
    """Of all cars, nodes and the reserve in one linear program, built here from the meaning of the fields."""
    cars, reserve, steps = problem.cars, problem.reserve, problem.step_count
    assert reserve is not None
    may = reserve.member & (cars.energy_kwh_at_arrival >= cars.energy_kwh_min)
    found = []
    for row in range(cars.stay_count):
        car = {name: getattr(cars, name)[row] for name in cars._fields}
        found.append(_car(car, problem.prices.duration_h, reserve.hours_h, bool(may[row])))
    base = problem.nodes.base_kw.copy()
    for node in range(problem.node_count - 1, 0, -1):
        base[problem.nodes.parent[node]] += base[node]
    pool = 6 * steps + problem.node_count

    def beside(of_cars: Any, of_pool: Any) -> Any:
        return hstack((of_cars, csr_matrix(of_pool)))

    of_cars = block_diag([one["rows"] for one in found])
    grows = block_diag([one["grows"] for one in found])
    rows, most = _shared_rows(problem, found, base, beside)
    rows.append(beside(of_cars, np.zeros((of_cars.shape[0], pool))))
    most.append(np.concatenate([one["most"] for one in found]))
    equals, value = _market_rows(problem, found, base, beside)
    equals.append(beside(grows, np.zeros((grows.shape[0], pool))))
    value.append(np.zeros(grows.shape[0]))
    lower = np.concatenate([*(one["lower"] for one in found), np.zeros(pool)])
    upper = np.concatenate([*(one["upper"] for one in found), np.full(pool, np.inf)])
    solved = linprog(
        np.concatenate([*(one["cost"] for one in found), _pool_cost(problem, reserve)]),
        vstack(rows).tocsr(),
        np.concatenate(most),
        vstack(equals).tocsr(),
        np.concatenate(value),
        np.stack((lower, upper), axis=1),
        method="highs",
    )
    assert solved.status == 0, solved.message
    return float(solved.fun)


def _pool_cost(problem: FleetProblem, reserve: Reserve) -> FloatArray:
    """Of the pool's columns: bought, sold, more, less, short up and down [T each], peak of each node."""
    market = problem.market
    kinds = (
        market.import_per_kwh,
        -market.export_per_kwh,
        market.more_per_kwh,
        market.less_per_kwh,
        reserve.short_per_kwh,
        reserve.short_per_kwh,
    )
    hours = np.concatenate([one * problem.prices.duration_h for one in kinds])
    return np.concatenate((hours, problem.nodes.demand_charge_per_kw))


def _pool_columns(problem: FleetProblem, **signs: tuple[int, float]) -> FloatArray:
    """[T, columns] with a sign where the columns of the pool at a place begin."""
    steps = problem.step_count
    found = np.zeros((steps, 6 * steps + problem.node_count))
    for place, sign in signs.values():
        found[:, place * steps : (place + 1) * steps] = sign * np.eye(steps)
    return found


def _market_rows(
    problem: FleetProblem, found: list[dict[str, Any]], base: FloatArray, beside: Any
) -> tuple[list[Any], list[FloatArray]]:
    """What is drawn is bought or sold, and differs from the position by more or less."""
    drawn, position_kw = hstack([one["power"] for one in found]), problem.market.position_kw
    bought = ~np.isnan(position_kw)
    meter = beside(drawn, _pool_columns(problem, buys=(0, -1.0), sells=(1, 1.0)))
    deviates = beside(drawn, _pool_columns(problem, more=(2, -1.0), less=(3, 1.0)))
    values = [-base[0], (np.nan_to_num(position_kw) - base[0])[bought]]
    return [meter, deviates.tocsr()[bought]], values


def _shared_rows(
    problem: FleetProblem, found: list[dict[str, Any]], base: FloatArray, beside: Any
) -> tuple[list[Any], list[FloatArray]]:
    """Limits and peaks of nodes, and the reserve."""
    nodes, steps, reserve = problem.nodes, problem.step_count, problem.reserve
    assert reserve is not None
    below = np.eye(problem.node_count, dtype=bool)
    for node in range(1, problem.node_count):
        below[node] |= below[nodes.parent[node]]
    rows, most = [], []
    for node in range(problem.node_count):
        counts = below[problem.node, node].astype(float)
        here = hstack([one["power"] * counts[i] for i, one in enumerate(found)])
        for sign, limit in ((1.0, nodes.import_limit_kw), (-1.0, nodes.export_limit_kw)):
            if np.isfinite(limit[node]).all():
                rows.append(beside(sign * here, _pool_columns(problem)))
                most.append(limit[node] - sign * base[node])
        peak = _pool_columns(problem)
        peak[:, 6 * steps + node] = -1.0
        rows.append(beside(here, peak))
        most.append(nodes.peak_so_far_kw[node] - base[node])
    for place, name, asked in ((4, "up", reserve.up_kw), (5, "down", reserve.down_kw)):
        held = hstack([one[name] for one in found])
        rows.append(beside(-held, _pool_columns(problem, short=(place, -1.0))))
        most.append(-asked)
    return rows, most


def _car(car: dict[str, Any], hours: FloatArray, h: float, member: bool) -> dict[str, Any]:
    """Columns of a car: charge, discharge [T], energy at edges [T + 1], up and down [T]; rows as in tests/plan/batch."""
    t, edges = len(hours), np.concatenate(([0.0], np.cumsum(hours)))
    first, last = int(car["from_step"]), int(car["to_step"])
    there = (np.arange(t) >= first) & (np.arange(t) < last)
    into, out = car["charge_efficiency"], car["discharge_efficiency"]
    since = np.clip(edges - edges[first], 0.0, edges[last] - edges[first])
    top = max(car["energy_kwh_max"], car["energy_kwh_at_arrival"])
    full = np.minimum(car["energy_kwh_at_arrival"] + since * car["charge_kw_max"] * into, top)
    asked = float(np.nan_to_num(car["energy_kwh_at_departure"]))
    least = np.minimum(car["energy_kwh_min"], full)
    least[last:] = np.maximum(least[last:], min(asked, full[last]))
    rest = np.maximum(edges[last] - edges[:-1] - h, 0.0)
    asked = min(asked, full[last])
    needed = np.maximum(car["energy_kwh_min"], asked - car["charge_kw_max"] * into * rest)
    one, nothing, energy = np.eye(t), np.zeros((t, t)), np.eye(t, t + 1)
    power = np.hstack((one, -one, 0 * energy, nothing, nothing))
    before = np.hstack((nothing, nothing, energy, nothing, nothing))
    up = np.hstack((nothing, nothing, 0 * energy, one, nothing))
    down = np.hstack((nothing, nothing, 0 * energy, nothing, one))
    holds = there & member
    # What is not held back has rows too, which bind nothing: a block of sparse rows keeps its columns only if it has any.
    holding = np.tile(holds, 5)[:, None]
    rows = holding * np.vstack(
        [
            up - power,
            up - power - before * out / h,
            up - power - before / into / h,
            down + power,
            down + power + before / into / h,
        ]
    )
    most = np.tile(holds, 5) * np.concatenate(
        (
            np.full(t, car["discharge_kw_max"]),
            -needed * out / h,
            -needed / into / h,
            np.full(t, car["charge_kw_max"]),
            np.full(t, car["energy_kwh_max"] / into / h),
        )
    )
    gains = np.hstack((-into * np.diag(hours), np.diag(hours) / out))
    grows = np.hstack((gains, np.eye(t, t + 1, 1) - energy, nothing, nothing))
    end = np.append(np.zeros(t), -car["energy_value_per_kwh"])
    worn = car["wear_price_per_kwh"] / out * hours
    least[: first + 1] = car["energy_kwh_at_arrival"]
    ceiling = np.full(t + 1, top)
    ceiling[: first + 1] = car["energy_kwh_at_arrival"]
    free = np.where(holds, np.inf, 0.0)
    return {
        "rows": csr_matrix(rows),
        "most": most,
        "grows": csr_matrix(grows),
        "cost": np.concatenate((np.zeros(t), worn, end, np.zeros(2 * t))),
        "lower": np.concatenate((np.zeros(2 * t), least, -free, -free)),
        "upper": np.concatenate(
            (there * car["charge_kw_max"], there * car["discharge_kw_max"], ceiling, free, free)
        ),
        "power": csr_matrix(power),
        "up": csr_matrix(up),
        "down": csr_matrix(down),
    }


def assert_can_be_given(problem: FleetProblem, found: Coordinated) -> None:
    """Each car gives and takes for itself what is counted, and is at its floor and at what it asked for after that."""
    reserve, cars, hours = problem.reserve, problem.cars, problem.prices.duration_h
    assert reserve is not None
    up, down = np.zeros(problem.step_count), np.zeros(problem.step_count)
    edges = np.concatenate(([0.0], np.cumsum(hours)))
    h = reserve.hours_h
    for row in np.flatnonzero(reserve.member):
        energy, into = cars.energy_kwh_at_arrival[row], cars.charge_efficiency[row]
        out, most = cars.discharge_efficiency[row], cars.charge_kw_max[row]
        for step in range(cars.from_step[row], cars.to_step[row]):
            power = float(found.power_kw[row, step])
            # The least power that leaves enough after these hours, and the most that there is room for.
            rest = max(edges[cars.to_step[row]] - edges[step] - h, 0.0)
            asked = np.nan_to_num(cars.energy_kwh_at_departure[row])
            asked = min(asked, found.energy_kwh_end[row])
            needed = max(cars.energy_kwh_min[row], asked - most * into * rest)
            spare = energy - needed
            least = -min(cars.discharge_kw_max[row], spare * out / h) if spare > 0 else 0.0
            least = least if spare > 0 else -spare / into / h
            up[step] += max(power - least, 0.0)
            room = (cars.energy_kwh_max[row] - energy) / into / h
            down[step] += max(min(most, room) - power, 0.0)
            energy += hours[step] * (power * into if power > 0 else power / out)
    short = found.reserve_short_kwh
    for held, asked_kw in ((up, reserve.up_kw), (down, reserve.down_kw)):
        missing_kwh = hours @ np.maximum(asked_kw * (1 - 1e-6) - held, 0.0)
        assert missing_kwh <= short + 1e-2


@pytest.mark.parametrize(
    ("seed", "count", "feeders", "share", "short_per_kwh", "gap"),
    # 60 cars settle slowly, and in the second fleet half of what is asked for cannot be held back.
    [(1, 60, 0, 0.2, 1.0, 1e-2), (2, 60, 3, 0.4, 1.0, 2e-2), (3, 250, 2, 0.3, 0.02, 1e-3)],
)
def test_bound_and_cost_enclose_the_joint_optimum(
    seed: int, count: int, feeders: int, share: float, short_per_kwh: float, gap: float
) -> None:
    problem = with_reserve(fleet(seed, count, steps=STEPS, feeders=feeders), share, short_per_kwh)
    found, optimum = coordinate(problem), joint_optimum(problem)
    assert_followable(problem, found)
    assert_within_limits(problem, found)
    assert_can_be_given(problem, found)
    slack = 1e-6 * abs(optimum) + 1e-6
    assert found.bound <= optimum + slack
    assert found.cost + found.missed_cost >= optimum - slack
    assert found.gap <= gap
    # The reserve is not for show: without it the fleet is cheaper.
    assert coordinate(replace(problem, reserve=None)).cost < found.bound


def test_a_reserve_that_can_be_held_is_held() -> None:
    problem = with_reserve(fleet(6, 2000, steps=STEPS, feeders=3), 0.22, 2.0)
    found = coordinate(problem, threads=2)
    reserve = problem.reserve
    assert reserve is not None
    assert_followable(problem, found)
    assert_wishes_met(problem, found)
    assert_within_limits(problem, found)
    assert_can_be_given(problem, found)
    assert found.gap <= 1e-3
    assert found.reserve_short_kwh <= 1e-3 * problem.prices.duration_h @ reserve.up_kw
    assert found.reserve_kw.shape == found.reserve_per_kwh.shape == (2, STEPS)
    # A kW is worth something where no more is held than asked, and nothing elsewhere.
    spare = found.reserve_kw[0] > 1.01 * reserve.up_kw
    assert (found.reserve_per_kwh[0][~spare] > 1e-3).any()
    assert (found.reserve_per_kwh[0][spare] < 1e-2).all()


def test_no_more_is_held_back_than_it_is_worth() -> None:
    plain = fleet(6, 1000, steps=STEPS)
    some = coordinate(with_reserve(plain, 0.3, 0.002))
    more = coordinate(with_reserve(plain, 0.3, 0.2))
    assert max(some.gap, more.gap) <= 1e-3
    assert some.reserve_short_kwh > 2.0 * more.reserve_short_kwh
    assert (some.reserve_per_kwh <= 0.002 + 1e-9).all()


def test_a_warm_plan_with_a_reserve_is_as_good() -> None:
    problem = with_reserve(fleet(9, 1500, steps=STEPS, feeders=2), 0.1, 1.0)
    cold, later = coordinate(problem), changed(problem, 3)
    later = replace(later, reserve=problem.reserve)
    warm, afresh = coordinate(later, warm=cold.warm), coordinate(later)
    assert_followable(later, warm)
    assert_can_be_given(later, warm)
    assert max(warm.gap, afresh.gap) <= 1e-3
    assert min(warm.cost, afresh.cost) >= max(warm.bound, afresh.bound) - 1e-6


def test_a_large_fleet_with_a_reserve_goes_by_its_sample() -> None:
    problem = with_reserve(fleet(7, 21_000, steps=STEPS, feeders=2), 0.1, 1.0)
    found = coordinate(problem, threads=2)
    assert_followable(problem, found)
    assert_wishes_met(problem, found)
    assert_within_limits(problem, found)
    assert found.gap <= 1e-3


def test_cars_that_taper_or_have_a_least_power_are_planned_beside() -> None:
    problem = with_reserve(fleet(8, 600, steps=STEPS), 0.1, 1.0)
    cars, odd = problem.cars, np.arange(600) % 3
    cars = cars._replace(
        charge_kw_min=np.where(odd == 1, 4.1, 0.0),
        taper_from_kwh=np.where(odd == 2, 0.8 * cars.energy_kwh_max, np.inf),
        taper_kw_at_max=np.where(odd == 2, 2.0, cars.taper_kw_at_max),
    )
    mixed = replace(problem, cars=cars)
    found = coordinate(mixed)
    assert_followable(mixed, found)
    assert_can_be_given(mixed, found)
    assert not (mixed.members & (odd == 1)).any()
    assert found.bound <= found.cost + found.missed_cost


def test_a_reserve_that_is_wrong_is_told_by_field() -> None:
    problem = with_reserve(fleet(8, 20, steps=STEPS), 0.1, 1.0)
    assert problem.reserve is not None
    wrong = problem.reserve._replace(
        up_kw=np.zeros(3),
        hours_h=0.0,
        short_per_kwh=-np.ones(STEPS),
        member=np.ones(19, np.bool_),
    )
    with pytest.raises(InputError) as told:
        coordinate(replace(problem, reserve=wrong))
    fields = {fault.field for fault in told.value.faults}
    names = ("up_kw", "hours_h", "short_per_kwh", "member")
    assert fields == {f"reserve.{name}" for name in names}
