"""Planning cars that share limits: the problem from the files, the planner's answer, and what it comes to.

All that is asked of `parkwatt.plan.coordinate` goes through here.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from parkwatt.app.fleet.engine import Workers
from parkwatt.app.fleet.planning import batch_prices, cars_of
from parkwatt.domain.errors import InputError, InputFault
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeGrid
from parkwatt.io.fleet_files.columns import FleetRows
from parkwatt.io.fleet_files.limits import NodeTree
from parkwatt.io.fleet_files.prices import FleetPrices
from parkwatt.plan.batch import BatchPrices, MissPrices
from parkwatt.plan.coordinate import FleetProblem, Market, Nodes, Reserve, Warm, coordinate
from parkwatt.plan.coordinate.money import costs_of, sums_by_node
from parkwatt.plan.coordinate.problem import up_the_tree

KERNEL: Final = "together"
# What rounding of powers to 32 bits can add up to is not told as exceeding a limit, or as missing at departure.
_TOLERANCE_KW: Final = 1e-3
_TOLERANCE_KWH: Final = 1e-3
_TOLERANCE: Final = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class TogetherPlan:
    """The plan of N stays below K nodes over T steps.

    ``cost``: of the fleet and the pool; ``bound``: which no plan is below; ``gap``: proven, relative. ``car_cost``,
    ``energy_kwh_end``, ``shortfall_kwh``: [N]. ``power_kw``: [N, T]. ``node_per_kwh``, ``drawn_kw``: [K, T], each node's own
    price, and what all below it draws. ``market_per_kwh``: [T] what the pool pays itself, which is part of its price.
    ``reserve_kw``, ``reserve_per_kwh``: [2, T] what is held back up and down, and what a kWh of it is worth; [0, T] without a
    reserve. ``peak_per_kwh``: [K, T] of each node's price the part for demand charges, None: unknown. ``rounds``: bound and
    cost after each.
    """

    rows: FleetRows
    tree: NodeTree
    price_names: tuple[str, ...]
    market_per_kwh: FloatArray
    cost: float
    bound: float
    gap: float
    car_cost: FloatArray
    energy_kwh_end: FloatArray
    shortfall_kwh: FloatArray
    power_kw: NDArray[np.float32]
    node_per_kwh: FloatArray
    drawn_kw: FloatArray
    reserve_kw: FloatArray
    reserve_per_kwh: FloatArray
    peak_per_kwh: FloatArray | None
    rounds: tuple[tuple[float, float], ...]

    def columns(self) -> dict[str, NDArray[Any]]:
        """What the plan's file holds of each stay, but for its powers."""
        return {
            "car_id": self.rows.car_id,
            "row": self.rows.place,
            "cost": self.car_cost,
            "energy_kwh_end": self.energy_kwh_end,
            "shortfall_kwh": self.shortfall_kwh,
            "kernel": np.full(len(self.car_cost), KERNEL, dtype=object),
            "node": np.array(self.tree.names, dtype=object)[self.rows.node],
            "price_row": np.array(self.price_names, dtype=object)[self.rows.price_row],
            "from_step": self.rows.from_step,
            "to_step": self.rows.to_step,
            "charge_kw_max": self.rows.numbers["charge_kw_max"],
        }

    def node_columns(self, grid: TimeGrid) -> dict[str, NDArray[Any]]:
        """What the nodes' file holds: a row for each node and step."""
        tree, steps = self.tree, grid.step_count
        peak = self.peak_per_kwh
        peak = np.full(self.drawn_kw.shape, np.nan) if peak is None else peak
        parents = [tree.names[one] if one >= 0 else "" for one in tree.parent.tolist()]
        columns = {
            "start": np.tile(grid.starts_unix_s(), len(tree.names)),
            "node": np.repeat(np.array(tree.names, dtype=object), steps),
            "parent": np.repeat(np.array(parents, dtype=object), steps),
            "drawn_kw": np.ravel(self.drawn_kw),
            "import_limit_kw": np.ravel(tree.import_limit_kw),
            "export_limit_kw": np.ravel(tree.export_limit_kw),
            "price_per_kwh": np.ravel(self.node_per_kwh),
            "base_kw": np.ravel(tree.base_kw),
            "market_per_kwh": np.pad(self.market_per_kwh, (0, (len(tree.names) - 1) * steps)),
            "peak_per_kwh": np.ravel(peak),
        }
        for one, name in enumerate(("up", "down") if len(self.reserve_kw) else ()):
            rest = (0, (len(tree.names) - 1) * steps)
            columns[f"reserve_{name}_kw"] = np.pad(self.reserve_kw[one], rest)
            columns[f"reserve_{name}_per_kwh"] = np.pad(self.reserve_per_kwh[one], rest)
        return columns

    def reserve_missing_kw(self) -> FloatArray:
        """[2, T] what is missing of the reserve; 0 where that is rounding; [0, T] without one."""
        reserve = self.tree.reserve
        if reserve is None:
            return self.reserve_kw
        asked_kw = np.stack((reserve.up_kw, reserve.down_kw))
        missing_kw = np.maximum(asked_kw - self.reserve_kw, 0.0)
        told = missing_kw > np.maximum(_TOLERANCE_KW, _TOLERANCE * asked_kw)
        return np.where(told, missing_kw, 0.0)

    def excess_kw(self) -> FloatArray:
        """[K, T] by how much each node is above its limit in either direction; 0 where that is rounding."""
        tree = self.tree
        more = np.maximum(
            self.drawn_kw - tree.import_limit_kw, -self.drawn_kw - tree.export_limit_kw
        )
        told = more > np.maximum(_TOLERANCE_KW, _TOLERANCE * np.abs(self.drawn_kw))
        return np.where(told, more, 0.0)

    def sums_kw(self, power_kw: NDArray[np.float32]) -> FloatArray:
        """[K, T] what each node and all below it would draw at some powers [N, T] of the stays."""
        rows, tree = self.rows, self.tree
        own_kw = sums_by_node(rows.node, np.ones(len(power_kw)), power_kw, len(tree.names))
        return up_the_tree(tree.parent, tree.base_kw + own_kw)

    def energy_kwh(self, step_h: float) -> tuple[float, float]:
        """Charged, and given back, at the chargers."""
        charged = float(np.maximum(self.power_kw, 0.0).sum(dtype=np.float64)) * step_h
        return charged, charged - float(self.power_kw.sum(dtype=np.float64)) * step_h


def problem_of(rows: FleetRows, known: FleetPrices, tree: NodeTree) -> FleetProblem:
    """The planner's problem. Raises InputError where the pool is to pay and cars have different prices."""
    steps = known.grid.step_count
    prices, nothing = batch_prices(known), np.zeros(steps)
    pool_import = pool_export = nothing
    if tree.pool_pays:
        if len(known.names) > 1:
            rule = "must be one tariff where the pool pays"
            raise InputError([InputFault("prices, price_row", rule, len(known.names))])
        pool_import, pool_export = prices.import_per_kwh[0], prices.export_per_kwh[0]
        prices = BatchPrices(nothing[None], nothing[None], prices.duration_h)
    market = Market(
        pool_import,
        pool_export,
        tree.position_kw,
        np.full(steps, tree.position_more_per_kwh),
        np.full(steps, tree.position_less_per_kwh),
    )
    nodes = Nodes(
        tree.parent,
        tree.base_kw,
        tree.import_limit_kw,
        tree.export_limit_kw,
        tree.demand_charge_per_kw,
        tree.peak_so_far_kw,
    )
    return FleetProblem(cars_of(rows), prices, rows.node, nodes, market, _reserve_of(tree, rows))


def _reserve_of(tree: NodeTree, rows: FleetRows) -> Reserve | None:
    """All cars that can hold back a part of it."""
    asked = tree.reserve
    if asked is None:
        return None
    everybody = np.ones(len(rows.place), np.bool_)
    short = np.full_like(asked.up_kw, asked.short_per_kwh)
    return Reserve(asked.up_kw, asked.down_kw, asked.hours_h, short, everybody)


def plan_together(
    rows: FleetRows,
    known: FleetPrices,
    tree: NodeTree,
    *,
    gap: float,
    gap_money: float = 0.0,
    threads: int,
    time_limit_s: float | None,
    report: Callable[[float, float], None],
    warm: Warm | None = None,
    workers: Workers | None = None,
) -> TogetherPlan:
    """Plan rows in which nothing is wrong, to a proven ``gap``, or one of ``gap_money``, where that is reached.

    ``report``: is told bound and cost after each round; ``warm``: what an earlier plan knows; ``workers``: of Ray, None:
    threads. Raises InputError, SolverError, RayMissingError, WorkerLostError.
    """
    problem = problem_of(rows, known, tree)
    rounds: list[tuple[float, float]] = []

    def told(bound: float, cost: float) -> None:
        rounds.append((bound, cost))
        report(bound, cost)

    until = math.inf if time_limit_s is None else time.monotonic() + time_limit_s
    engines = nullcontext() if workers is None else workers.engines(problem)
    with engines as engine_of:
        found = coordinate(
            problem,
            gap=gap,
            gap_money=gap_money,
            threads=threads,
            warm=warm,
            report=told,
            stop=lambda: time.monotonic() > until,
            engine_of=engine_of,
        )
    costs = costs_of(problem.cars, problem.prices, MissPrices(), found.power_kw)
    return TogetherPlan(
        rows=rows,
        tree=tree,
        price_names=known.names,
        market_per_kwh=problem.market.import_per_kwh,
        cost=found.cost,
        bound=found.bound,
        gap=found.gap,
        car_cost=costs,
        energy_kwh_end=found.energy_kwh_end,
        shortfall_kwh=np.where(found.shortfall_kwh > _TOLERANCE_KWH, found.shortfall_kwh, 0.0),
        power_kw=found.power_kw,
        node_per_kwh=found.node_per_kwh,
        drawn_kw=found.drawn_kw,
        reserve_kw=found.reserve_kw,
        reserve_per_kwh=found.reserve_per_kwh,
        peak_per_kwh=found.warm.peak_per_kwh,
        rounds=tuple(rounds),
    )
