"""The nodes' part of a linear program: balances, limits, money. Powers and money are scaled to be about 1."""

from __future__ import annotations

from dataclasses import dataclass, field

import highspy
import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.plan.coordinate.problem import FleetProblem, IntArray, up_the_tree

_INFINITE = highspy.kHighsInf


@dataclass(slots=True, eq=False)
class NodeProgram:
    """``row_of``: [K, T] the balance's row, -1 where nothing can bind. ``power_kw``, ``money``: what 1 is in the program."""

    row_of: IntArray
    power_kw: float
    money: float
    duration_h: FloatArray
    cost: list[float] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    row_lower: list[float] = field(default_factory=list)
    row_upper: list[float] = field(default_factory=list)
    entries_of_row: list[list[tuple[int, float]]] = field(default_factory=list)

    @property
    def column_count(self) -> int:
        """Columns of the nodes; those of the cars follow."""
        return len(self.cost)

    def column(self, cost: float = 0.0, lower: float = 0.0, upper: float = _INFINITE) -> int:
        """A new column."""
        self.cost.append(cost)
        self.lower.append(lower)
        self.upper.append(upper)
        return len(self.cost) - 1

    def row(self, entries: list[tuple[int, float]], lower: float, upper: float) -> int:
        """A new row; returns its place."""
        self.entries_of_row.append(entries)
        self.row_lower.append(lower)
        self.row_upper.append(upper)
        return len(self.row_lower) - 1

    def prices(self, row_dual: FloatArray) -> FloatArray:
        """[K, T] per kWh, from the duals of all rows."""
        found = np.where(self.row_of >= 0, -row_dual[np.maximum(self.row_of, 0)], 0.0)
        return found * self.money / self.power_kw / self.duration_h

    def pass_to(self, highs: highspy.Highs) -> None:
        """Give the columns and rows to HiGHS."""
        starts = np.cumsum([0] + [len(one) for one in self.entries_of_row])
        columns = [column for one in self.entries_of_row for column, _ in one]
        values = [value for one in self.entries_of_row for _, value in one]
        count, rows = len(self.cost), len(self.row_lower)
        highs.passModel(
            count,
            rows,
            len(values),
            int(highspy.MatrixFormat.kRowwise),
            int(highspy.ObjSense.kMinimize),
            0.0,
            np.array(self.cost),
            np.array(self.lower),
            np.array(self.upper),
            np.array(self.row_lower),
            np.array(self.row_upper),
            starts.astype(np.int32),
            np.array(columns, np.int32),
            np.array(values, float),
            np.zeros(count, np.int32),
        )


def node_program(problem: FleetProblem, over_per_kwh: float, power_kw: float) -> NodeProgram:
    """The nodes of a problem.

    ``over_per_kwh``: what it costs to exceed a limit. ``power_kw``: what 1 is in the program; its rows hold to 1e-7
    of it or better.
    """
    low_kw, high_kw = reach(problem)
    market, nodes, hours = problem.market, problem.nodes, problem.prices.duration_h
    base_kw = up_the_tree(nodes.parent, nodes.base_kw)
    binds = (high_kw > nodes.import_limit_kw) | (-low_kw > nodes.export_limit_kw)
    binds[nodes.demand_charge_per_kw > 0] = True
    pays = (
        (market.import_per_kwh != 0) | (market.export_per_kwh != 0) | ~np.isnan(market.position_kw)
    )
    binds[0] |= pays
    dearest = max(
        0.01,
        float(np.abs(problem.prices.import_per_kwh).max()),
        float(np.abs(market.import_per_kwh).max()),
    )
    program = NodeProgram(
        np.full(binds.shape, -1),
        power_kw,
        power_kw * dearest * float(hours.mean()),
        hours,
    )
    unit = program.power_kw / program.money
    for node in np.flatnonzero(binds.any(axis=1)):
        peak = None
        if nodes.demand_charge_per_kw[node] > 0:
            peak = program.column(float(nodes.demand_charge_per_kw[node]) * unit)
        for step in np.flatnonzero(binds[node]):
            drawn = _balance(
                program, problem, int(node), int(step), float(base_kw[node, step]), over_per_kwh
            )
            if peak is not None:
                so_far = float(nodes.peak_so_far_kw[node]) / program.power_kw
                program.row([*drawn, (peak, -1.0)], -_INFINITE, so_far)
            if node == 0 and not np.isnan(market.position_kw[step]):
                more = program.column(float(market.more_per_kwh[step] * hours[step]) * unit)
                less = program.column(float(market.less_per_kwh[step] * hours[step]) * unit)
                bought = float(market.position_kw[step]) / program.power_kw
                program.row([*drawn, (more, -1.0), (less, 1.0)], bought, bought)
    return program


def _balance(
    program: NodeProgram,
    problem: FleetProblem,
    node: int,
    step: int,
    base_kw: float,
    over_per_kwh: float,
) -> list[tuple[int, float]]:
    """The balance of a node in a step; returns the columns that make up what it draws, with their signs."""
    nodes, market, hours = problem.nodes, problem.market, float(problem.prices.duration_h[step])
    unit = program.power_kw / program.money
    most_in = float(nodes.import_limit_kw[node, step]) / program.power_kw
    most_out = float(nodes.export_limit_kw[node, step]) / program.power_kw
    buys, sells = 0.0, 0.0
    if node == 0:
        buys = float(market.import_per_kwh[step]) * hours
        sells = float(market.export_per_kwh[step]) * hours
    if buys == sells:
        drawn = [(program.column(buys * unit, -most_out, most_in), 1.0)]
    else:
        drawn = [
            (program.column(buys * unit, 0.0, most_in), 1.0),
            (program.column(-sells * unit, 0.0, most_out), -1.0),
        ]
    for sign, limit, paid in ((1.0, most_in, buys), (-1.0, most_out, -sells)):
        if np.isfinite(limit):
            column = program.column((paid + over_per_kwh * hours) * unit)
            drawn.append((column, sign))
    row = program.row(
        [(column, -sign) for column, sign in drawn],
        -base_kw / program.power_kw,
        -base_kw / program.power_kw,
    )
    program.row_of[node, step] = row
    return drawn


def reach(problem: FleetProblem) -> tuple[FloatArray, FloatArray]:
    """[K, T] the least and the most that could be drawn at each node, by all cars that are there."""
    cars, steps, count = problem.cars, problem.step_count, problem.node_count
    parent, found = problem.nodes.parent, []
    for power_kw in (-cars.discharge_kw_max, cars.charge_kw_max):
        change = np.zeros((count, steps + 1))
        np.add.at(change, (problem.node, cars.from_step), power_kw)
        np.add.at(change, (problem.node, cars.to_step), -power_kw)
        own_kw = np.cumsum(change, axis=1)[:, :steps] + problem.nodes.base_kw
        found.append(up_the_tree(parent, own_kw))
    return found[0], found[1]
