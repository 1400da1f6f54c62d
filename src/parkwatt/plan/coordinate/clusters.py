"""Cars in some tens of groups: each group's plans are blended as one, so that the master stays small."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch.cars import CarStays
from parkwatt.plan.coordinate.problem import FleetProblem, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """``of_stay``: [N] its group. ``node``: [C] where a group's cars are. ``weight``: [C] how many cars of the fleet one of its
    cars stands for. ``order``: [N] stays by group and, within it, by how alike they are.
    """

    of_stay: IntArray
    node: IntArray
    weight: FloatArray
    order: IntArray

    @property
    def count(self) -> int:
        """C."""
        return len(self.node)


def cluster(problem: FleetProblem, wanted: int) -> Clusters:
    """Group the stays by node, departure and how much charge is asked; about ``wanted`` groups, at least one a node."""
    cars, count = problem.cars, problem.cars.stay_count
    order = np.lexsort((_asked_kwh(cars), cars.from_step, cars.to_step, problem.node))
    of_stay = np.empty(count, np.int64)
    nodes: list[int] = []
    for node in np.unique(problem.node):
        members = order[problem.node[order] == node]
        parts = max(1, round(wanted * len(members) / count))
        for part in np.array_split(members, min(parts, len(members))):
            of_stay[part] = len(nodes)
            nodes.append(int(node))
    return Clusters(of_stay, np.array(nodes), np.ones(len(nodes)), order)


def sample(clusters: Clusters, wanted: int, random: np.random.Generator) -> IntArray:
    """Some of the stays, evenly over each group's order, at least one of each group."""
    share = min(1.0, wanted / len(clusters.of_stay))
    places = np.arange(len(clusters.of_stay)) * share + random.random()
    taken = np.floor(places[1:]) > np.floor(places[:-1])
    rows = clusters.order[np.concatenate(([True], taken))]
    left_out = np.setdiff1d(np.arange(clusters.count), clusters.of_stay[rows])
    first = [clusters.order[np.argmax(clusters.of_stay[clusters.order] == one)] for one in left_out]
    return np.concatenate((rows, np.array(first, np.int64)))


def of_sample(clusters: Clusters, rows: IntArray) -> Clusters:
    """The same groups for a sample, each car of which stands for more."""
    of_stay = clusters.of_stay[rows]
    whole = np.bincount(clusters.of_stay, minlength=clusters.count)
    some = np.bincount(of_stay, minlength=clusters.count)
    return Clusters(of_stay, clusters.node, whole / some, np.arange(len(rows)))


def _asked_kwh(cars: CarStays) -> FloatArray:
    asked = np.nan_to_num(cars.energy_kwh_at_departure, nan=0.0)
    return np.maximum(asked - cars.energy_kwh_at_arrival, 0.0)
