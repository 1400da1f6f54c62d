"""What all cars would do at prices for each node: the sum of power and the cost of each group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch import BatchPlan, BatchPrices, CarStays, plan_batch
from parkwatt.plan.coordinate.clusters import Clusters
from parkwatt.plan.coordinate.problem import FleetProblem, IntArray, holds


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """``power_kw``: [C, T] and ``cost``: [C] of each group, without the nodes' prices; ``priced``: [C] with them."""

    power_kw: FloatArray
    cost: FloatArray
    priced: FloatArray


class Oracle:
    """Answers for some of a fleet's stays."""

    def __init__(
        self, problem: FleetProblem, rows: IntArray, clusters: Clusters, *, threads: int
    ) -> None:
        """``rows``: the stays, in the order of ``clusters``."""
        self._prices, self._threads, self._clusters = problem.prices, threads, clusters
        cars = problem.cars.take(rows)
        own, node = cars.price_row, problem.node[rows]
        # A row of prices for each pair of own prices and node that occurs.
        pairs, self.pair = np.unique(
            node * len(problem.prices.import_per_kwh) + own, return_inverse=True
        )
        self.pair_node, self.pair_own = np.divmod(pairs, len(problem.prices.import_per_kwh))
        self.cars = cars
        self._below = holds(problem.nodes.parent)

    def prices_at(self, node_per_kwh: FloatArray) -> BatchPrices:
        """What each pair of own prices and node sees. ``node_per_kwh``: [K, T] prices of the nodes."""
        added = (self._below.astype(float) @ node_per_kwh)[self.pair_node]
        return BatchPrices(
            self._prices.import_per_kwh[self.pair_own] + added,
            self._prices.export_per_kwh[self.pair_own] + added,
            self._prices.duration_h,
        )

    def ask(self, node_per_kwh: FloatArray) -> Answer:
        """The groups' answer to prices. ``node_per_kwh``: [K, T], per kWh, 0 for none."""
        clusters = self._clusters
        plan = plan_batch(
            self.cars._replace(price_row=self.pair),
            self.prices_at(node_per_kwh),
            powers=False,
            group=clusters.of_stay,
            group_count=clusters.count,
            threads=self._threads,
        )
        priced = np.bincount(clusters.of_stay, weights=plan.cost, minlength=clusters.count)
        added = (self._below.astype(float) @ node_per_kwh)[clusters.node]
        paid = (added * plan.power_kw_sum) @ self._prices.duration_h
        weight = clusters.weight
        return Answer(
            plan.power_kw_sum * weight[:, None], (priced - paid) * weight, priced * weight
        )

    def plans(self, cars: CarStays, prices: BatchPrices) -> BatchPlan:
        """Plans with powers at prices of their own."""
        return plan_batch(cars, prices, threads=self._threads)
