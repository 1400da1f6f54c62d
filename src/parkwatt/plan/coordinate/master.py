"""The master: how each group blends the plans that it has told, so that the nodes' limits hold at the least cost.

    minimise   Σ_c Σ_j λ_cj cost_cj + what the nodes pay         over λ ≥ 0, Σ_j λ_cj = 1 for each group c
    where      Σ_{c below n} Σ_j λ_cj power_cj[t] + base_n[t] = import_n[t] − export_n[t]      for each node n and step t

Its duals are prices at the nodes, at which groups are asked for further plans (Dantzig and Wolfe's decomposition). Only
nodes and steps are in it that can bind: where the limit is below what all cars together can draw or give, or power costs
something. A limit may be exceeded at a price far above all others, so that there is always a blend.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import highspy
import numpy as np

from parkwatt.domain.errors import SolverError
from parkwatt.domain.record import FloatArray
from parkwatt.plan.coordinate.clusters import Clusters
from parkwatt.plan.coordinate.oracle import Answer
from parkwatt.plan.coordinate.problem import FleetProblem, holds
from parkwatt.plan.coordinate.program import node_program

_TOLERANCE: Final = 1e-9
# HiGHS's number for it.
_PRIMAL_SIMPLEX: Final = 4


@dataclass(frozen=True, slots=True, eq=False)
class Blend:
    """A solution of the master.

    ``cost``: of the blend, exceeded limits included. ``share``: [C, J] of each group's plans. ``node_per_kwh``: [K, T] prices
    of the nodes; ``node_value``: the nodes' part of the dual bound at these prices.
    """

    cost: float
    share: FloatArray
    node_per_kwh: FloatArray
    node_value: float


class Master:
    """A linear program that grows by a plan of each group at a time."""

    def __init__(self, problem: FleetProblem, clusters: Clusters, over_per_kwh: float) -> None:
        self._clusters = clusters
        self._program = node_program(problem, clusters.count, over_per_kwh)
        self._below = holds(problem.nodes.parent)
        self._highs = highspy.Highs()
        for option, value in (
            ("output_flag", False),
            ("threads", 1),
            ("random_seed", 1),
            ("presolve", "off"),
            # A new column leaves the last blend feasible, so the primal simplex goes on from it.
            ("simplex_strategy", _PRIMAL_SIMPLEX),
            ("primal_feasibility_tolerance", _TOLERANCE),
            ("dual_feasibility_tolerance", _TOLERANCE),
        ):
            self._highs.setOptionValue(option, value)
        self._program.pass_to(self._highs)
        self._columns = 0

    def add(self, answer: Answer) -> None:
        """Add a plan of each group."""
        program, count = self._program, self._clusters.count
        starts, rows, values = [], [], []
        filled = 0
        for group in range(count):
            own_rows, own_values = program.entries(
                self._below[self._clusters.node[group]], answer.power_kw[group]
            )
            starts.append(filled)
            rows.append(np.concatenate(([group], own_rows)))
            values.append(np.concatenate(([1.0], own_values)))
            filled += len(rows[-1])
        self._highs.addCols(
            count,
            answer.cost / program.money,
            np.zeros(count),
            np.full(count, highspy.kHighsInf),
            filled,
            np.array(starts, np.int32),
            np.concatenate(rows).astype(np.int32),
            np.concatenate(values),
        )
        self._columns += 1

    def solve(self) -> Blend:
        """The cheapest blend of all plans told so far. Raises SolverError where HiGHS gives up."""
        self._highs.run()
        if self._highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            self._highs.clearSolver()
            self._highs.run()
        status = self._highs.getModelStatus()
        if status != highspy.HighsModelStatus.kOptimal:
            raise SolverError("master", self._highs.modelStatusToString(status))
        solution, program = self._highs.getSolution(), self._program
        values, duals = np.array(solution.col_value), np.array(solution.row_dual)
        count = self._clusters.count
        share = values[program.column_count :].reshape(self._columns, count).T
        cost = self._highs.getObjectiveValue() * program.money
        return Blend(
            cost=cost,
            share=share,
            node_per_kwh=program.prices(duals),
            node_value=cost - float(duals[:count].sum()) * program.money,
        )
