"""From the blend of groups to a real plan for each car, whose sum is the blend's but for what one car draws.

1. Each car takes one of the plans that its group blends, in the group's shares, spread evenly over cars that are alike.
2. Some thousand cars choose again, one after another, the plan that brings the sums closest to the blend's.
3. Some hundred cars are planned together, exactly, with all others fixed: they take up what is left, to the limits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch import BatchPlan, BatchPrices, plan_batch
from parkwatt.plan.batch.compiled import compiled
from parkwatt.plan.coordinate.clusters import Clusters
from parkwatt.plan.coordinate.joint import rows_of, solve_joint
from parkwatt.plan.coordinate.money import costs_of
from parkwatt.plan.coordinate.oracle import Answer, Oracle
from parkwatt.plan.coordinate.problem import FleetProblem, IntArray, holds

PowerArray = NDArray[np.float32]

_GOLDEN: Final = 0.6180339887498949
_LEAST_SHARE: Final = 1e-7
_CHOOSING: Final = 2000
_LINEAR: Final = 0
_PASSES: Final = 3
# What a kWh that differs from the blend counts while cars choose again, of what a kWh above a limit costs.
_REST: Final = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What groups told at prices: ``node_per_kwh`` [K, T]."""

    node_per_kwh: FloatArray
    answer: Answer


class Recovery:
    """The plans among which each car can choose."""

    def __init__(self, oracle: Oracle, told: list[Told], share: FloatArray, threads: int) -> None:
        """``share``: [C, J] of each group's plans in the blend."""
        active = np.flatnonzero(share.max(axis=0) > _LEAST_SHARE)
        self._told, self._share = [told[one] for one in active], share[:, active]
        tables = [oracle.prices_at(one.node_per_kwh) for one in self._told]
        self._prices = BatchPrices(
            np.concatenate([one.import_per_kwh for one in tables]),
            np.concatenate([one.export_per_kwh for one in tables]),
            tables[0].duration_h,
        )
        self._oracle, self._threads = oracle, threads
        self.count = len(active)

    def blended_kw(self) -> FloatArray:
        """[C, T] what each group draws in the blend."""
        powers = np.stack([one.answer.power_kw for one in self._told])
        return np.asarray(np.einsum("cj,jct->ct", self._share, powers))

    def spread(self, clusters: Clusters) -> IntArray:
        """[N] a plan for each car: of those that are alike, in the shares of their group."""
        bounds = np.cumsum(self._share, axis=1) / self._share.sum(axis=1, keepdims=True)
        place = np.empty(len(clusters.order))
        place[clusters.order] = np.arange(len(clusters.order))
        even = (place * _GOLDEN) % 1.0
        chosen = (even[:, None] >= bounds[clusters.of_stay]).sum(axis=1)
        return np.asarray(np.minimum(chosen, self.count - 1), np.int64)

    def plans(self, rows: IntArray, chosen: IntArray) -> BatchPlan:
        """The plans of some cars. ``chosen``: which, for each of ``rows``."""
        row_of_price = chosen * len(self._oracle.pair_node) + self._oracle.pair[rows]
        cars = self._oracle.cars.take(rows)._replace(price_row=row_of_price)
        return plan_batch(cars, self._prices, threads=self._threads)

    def costs(self, rows: IntArray, power_kw: PowerArray, node_per_kwh: FloatArray) -> FloatArray:
        """What plans of some cars cost at prices of the nodes, [R] for ``power_kw`` [R, T]."""
        cars = self._oracle.cars.take(rows)._replace(price_row=self._oracle.pair[rows])
        return costs_of(cars, self._oracle.prices_at(node_per_kwh), power_kw, np.empty(len(rows)))


def recover(
    problem: FleetProblem,
    recovery: Recovery,
    clusters: Clusters,
    *,
    node_per_kwh: FloatArray,
    together: int,
    over_per_kwh: float,
) -> PowerArray:
    """A plan for each stay: [N, T]. ``node_per_kwh``: [K, T] the best prices. ``together``: how many take up what is left."""
    rest_per_kwh = over_per_kwh * _REST
    count = problem.cars.stay_count
    everybody = np.arange(count)
    plan = recovery.plans(everybody, recovery.spread(clusters))
    power_kw = cast("PowerArray", plan.power_kw)
    below = holds(problem.nodes.parent).T.astype(float)
    rest_kw = below[:, clusters.node] @ recovery.blended_kw()
    rest_kw -= below @ sums_by_node(problem, power_kw)
    mixed = np.random.default_rng(1).permutation(count)
    again = np.sort(mixed[:_CHOOSING])
    each = np.tile(np.arange(recovery.count), len(again))
    offered = cast("PowerArray", recovery.plans(np.repeat(again, recovery.count), each).power_kw)
    options = offered.reshape(len(again), recovery.count, -1)
    costs = recovery.costs(np.repeat(again, recovery.count), offered, node_per_kwh)
    for _ in range(_PASSES):
        _choose_again(
            again,
            problem.node,
            problem.nodes.parent,
            options,
            costs.reshape(len(again), recovery.count),
            power_kw,
            rest_kw,
            problem.prices.duration_h,
            rest_per_kwh,
        )
    linear = mixed[plan.kernel[mixed] == _LINEAR]
    last = np.sort(linear[-together:])
    others_kw = power_kw.copy()
    others_kw[last] = 0.0
    base_kw = problem.nodes.base_kw + sums_by_node(problem, others_kw)
    joint = solve_joint(rows_of(problem, last, base_kw), over_per_kwh)
    power_kw[last[joint.valid]] = joint.power_kw[joint.valid]
    return power_kw


def sums_by_node(problem: FleetProblem, power_kw: PowerArray) -> FloatArray:
    """[K, T] what the cars at each node draw, without those below it."""
    sums = np.zeros((problem.node_count, problem.step_count))
    _add_up(problem.node, power_kw, sums)
    return sums


@compiled
def _add_up(node: IntArray, power_kw: PowerArray, sums: FloatArray) -> None:
    for row in range(len(node)):
        for step in range(power_kw.shape[1]):
            sums[node[row], step] += power_kw[row, step]


@compiled
def _choose_again(
    rows: IntArray,
    node: IntArray,
    parent: IntArray,
    options: PowerArray,
    costs: FloatArray,
    power_kw: PowerArray,
    rest_kw: FloatArray,
    duration_h: FloatArray,
    rest_per_kwh: float,
) -> None:
    """Let each of ``rows`` take the option that costs least, with what it leaves of ``rest_kw`` [K, T]; both powers change.

    ``options``: [R, A, T]; ``costs``: [R, A] at the last prices; ``rest_per_kwh``: what a kWh of the rest counts.
    """
    steps = rest_kw.shape[1]
    for place in range(len(rows)):
        row = rows[place]
        best, best_cost = 0, np.inf
        for option in range(options.shape[1]):
            rest, one = 0.0, node[row]
            while one >= 0:
                for step in range(steps):
                    left = rest_kw[one, step] - options[place, option, step] + power_kw[row, step]
                    rest += abs(left) * duration_h[step]
                one = parent[one]
            cost = costs[place, option] + rest * rest_per_kwh
            if cost < best_cost:
                best, best_cost = option, cost
        one = node[row]
        while one >= 0:
            for step in range(steps):
                rest_kw[one, step] -= options[place, best, step] - power_kw[row, step]
            one = parent[one]
        for step in range(steps):
            power_kw[row, step] = options[place, best, step]
