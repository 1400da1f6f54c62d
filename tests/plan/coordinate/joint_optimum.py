"""The least cost of a fleet's problem by a program of its own, built with scipy: what held-out fleets are judged by."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from parkwatt.plan.coordinate import FleetProblem
from tests.plan.coordinate.checker import wishes

_BOTH_KW = 1e-6
_TIME_LIMIT_S = 20.0


@dataclass(slots=True)
class _Program:
    """Columns and rows in the making; ``entries``: row, column, value."""

    cost: list[float] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    whole: list[int] = field(default_factory=list)
    row_lower: list[float] = field(default_factory=list)
    row_upper: list[float] = field(default_factory=list)
    entries: list[tuple[int, int, float]] = field(default_factory=list)

    def column(self, cost: float, lower: float, upper: float, *, whole: bool = False) -> int:
        self.cost.append(cost)
        self.lower.append(lower)
        self.upper.append(upper)
        self.whole.append(int(whole))
        return len(self.cost) - 1

    def row(self, lower: float, upper: float, *terms: tuple[int, float]) -> int:
        place = len(self.row_lower)
        self.row_lower.append(lower)
        self.row_upper.append(upper)
        self.entries += [(place, column, value) for column, value in terms]
        return place


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """``cost``: the least there is, or below it by the solver's tolerance; ``is_exact``: no car charges and discharges at once.
    ``excess_kwh``: by how much limits are exceeded at least.
    """

    cost: float
    is_exact: bool
    excess_kwh: float


def optimum(problem: FleetProblem, *, one_direction: bool = False) -> Optimum | None:
    """The least cost with all limits kept and all wishes met that full power could meet; None where these do not fit together.

    ``one_direction``: by whole numbers no car does both at once; else that is allowed, and ``is_exact`` says if it is done.
    """
    return _solved(problem, one_direction=one_direction, keeps=True)


def least_excess_kwh(problem: FleetProblem) -> float:
    """By how much limits are exceeded at least, whatever is missed of wishes."""
    found = _solved(problem, one_direction=False, keeps=False)
    assert found is not None, "a fleet may always do nothing"
    return found.excess_kwh


def _solved(problem: FleetProblem, *, one_direction: bool, keeps: bool) -> Optimum | None:
    program, hours = _Program(), problem.prices.duration_h
    drawn = _add_nodes(program, problem, keeps=keeps)
    over: list[int] = []
    if not keeps:
        over = _add_excess(program, problem, drawn)
    both = _add_cars(program, problem, drawn, one_direction=one_direction, keeps=keeps)
    if keeps:
        _add_market(program, problem, drawn)
    rows, columns, values = (np.array(one) for one in zip(*program.entries, strict=True))
    shape = (len(program.row_lower), len(program.cost))
    cost = np.array(program.cost)
    if not keeps:
        cost[:] = 0.0
        cost[over] = np.tile(np.repeat(hours[None], problem.node_count, axis=0).ravel(), 2)
    found = milp(
        cost,
        integrality=np.array(program.whole),
        bounds=Bounds(program.lower, program.upper),
        constraints=LinearConstraint(
            csr_array((values, (rows, columns)), shape=shape), program.row_lower, program.row_upper
        ),
        options={"mip_rel_gap": 1e-6, "time_limit": _TIME_LIMIT_S},
    )
    if found.status == 2:
        return None
    assert found.status == 0, found.message
    x = found.x
    is_exact = all(min(x[up], x[down]) <= _BOTH_KW for up, down in both)
    excess_kwh = float(cost[over] @ x[over]) if over else 0.0
    return Optimum(float(found.fun), is_exact, excess_kwh)


def _add_nodes(program: _Program, problem: FleetProblem, *, keeps: bool) -> NDArray[np.int64]:
    """A column for what each node draws in each step; the rows that say so come with what is below it."""
    nodes, steps = problem.nodes, problem.step_count
    drawn = np.empty((problem.node_count, steps), np.int64)
    for node in range(problem.node_count):
        for step in range(steps):
            limits = (-nodes.export_limit_kw[node, step], nodes.import_limit_kw[node, step])
            drawn[node, step] = program.column(0.0, *(limits if keeps else (-np.inf, np.inf)))
    for node in range(problem.node_count):
        below = np.flatnonzero(nodes.parent == node).tolist()
        for step in range(steps):
            base = float(nodes.base_kw[node, step])
            # Cars come in as further entries: this row's number is the column's.
            row = program.row(base, base, (int(drawn[node, step]), 1.0))
            assert row == drawn[node, step]
            program.entries += [(row, int(drawn[one, step]), -1.0) for one in below]
    return drawn


def _add_excess(program: _Program, problem: FleetProblem, drawn: NDArray[np.int64]) -> list[int]:
    over = []
    for sign, limits_kw in (
        (1.0, problem.nodes.import_limit_kw),
        (-1.0, problem.nodes.export_limit_kw),
    ):
        for place, limit_kw in zip(drawn.ravel().tolist(), limits_kw.ravel().tolist(), strict=True):
            beyond = program.column(0.0, 0.0, np.inf)
            program.row(-np.inf, limit_kw, (int(place), sign), (beyond, -1.0))
            over.append(beyond)
    return over


def _add_cars(
    program: _Program,
    problem: FleetProblem,
    drawn: NDArray[np.int64],
    *,
    one_direction: bool,
    keeps: bool,
) -> list[tuple[int, int]]:
    """Columns of each car: charging, discharging, energy after each step. Returns those of both directions."""
    cars, prices = problem.cars, problem.prices
    floors, asked = wishes(problem)
    both = []
    for row in range(cars.stay_count):
        before: int | None = None
        arrival = float(cars.energy_kwh_at_arrival[row])
        tariff, node = int(cars.price_row[row]), int(problem.node[row])
        up_kw, down_kw = float(cars.charge_kw_max[row]), float(cars.discharge_kw_max[row])
        if arrival > cars.energy_kwh_max[row]:
            assert down_kw == 0.0, "such a car could make room, and charge again"
            up_kw = 0.0
        first, end = int(cars.from_step[row]), int(cars.to_step[row])
        for step in range(first, end):
            h = float(prices.duration_h[step])
            worn = float(cars.wear_price_per_kwh[row] / cars.discharge_efficiency[row])
            up = program.column(h * prices.import_per_kwh[tariff, step], 0.0, up_kw)
            down = program.column(h * (worn - prices.export_per_kwh[tariff, step]), 0.0, down_kw)
            least = (
                float(floors[row, step]) if keeps else min(arrival, float(cars.energy_kwh_min[row]))
            )
            worth = 0.0
            if step == end - 1:
                worth = float(cars.energy_value_per_kwh[row])
                least = max(least, float(asked[row])) if keeps else least
            top = max(arrival, float(cars.energy_kwh_max[row]))
            energy = program.column(-worth, least, top)
            terms: list[tuple[int, float]] = [
                (energy, 1.0),
                (up, -h * float(cars.charge_efficiency[row])),
                (down, h / float(cars.discharge_efficiency[row])),
            ]
            known = arrival if before is None else 0.0
            program.row(known, known, *terms, *([] if before is None else [(before, -1.0)]))
            before = energy
            program.entries += [
                (int(drawn[node, step]), up, -1.0),
                (int(drawn[node, step]), down, 1.0),
            ]
            if one_direction and up_kw > 0.0 and down_kw > 0.0:
                charges = program.column(0.0, 0.0, 1.0, whole=True)
                program.row(-np.inf, 0.0, (up, 1.0), (charges, -up_kw))
                program.row(-np.inf, down_kw, (down, 1.0), (charges, down_kw))
            both.append((up, down))
    return both


def _add_market(program: _Program, problem: FleetProblem, drawn: NDArray[np.int64]) -> None:
    market, nodes, hours = problem.market, problem.nodes, problem.prices.duration_h
    for step in range(problem.step_count):
        pool, h = int(drawn[0, step]), float(hours[step])
        bought = program.column(h * market.import_per_kwh[step], 0.0, np.inf)
        sold = program.column(-h * market.export_per_kwh[step], 0.0, np.inf)
        program.row(0.0, 0.0, (pool, 1.0), (bought, -1.0), (sold, 1.0))
        position = float(market.position_kw[step])
        if not np.isnan(position):
            more = program.column(h * market.more_per_kwh[step], 0.0, np.inf)
            less = program.column(h * market.less_per_kwh[step], 0.0, np.inf)
            program.row(position, position, (pool, 1.0), (more, -1.0), (less, 1.0))
    for node in range(problem.node_count):
        if nodes.demand_charge_per_kw[node] > 0.0:
            above = program.column(float(nodes.demand_charge_per_kw[node]), 0.0, np.inf)
            for step in range(problem.step_count):
                so_far = float(nodes.peak_so_far_kw[node])
                program.row(-np.inf, so_far, (int(drawn[node, step]), 1.0), (above, -1.0))
