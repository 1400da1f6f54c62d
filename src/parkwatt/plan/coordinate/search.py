"""Rounds over some cars of a problem: bound, cost and prices after each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.plan.coordinate.balance import Balance, learn, refresh, stiffen
from parkwatt.plan.coordinate.engine import Engine
from parkwatt.plan.coordinate.money import (
    KEPT,
    Penalties,
    excess_kwh,
    nodes_cost,
    reserve_cost,
)
from parkwatt.plan.coordinate.moves import PowerArray
from parkwatt.plan.coordinate.node_costs import NodeCosts, dual_value, node_costs
from parkwatt.plan.coordinate.problem import FleetProblem, down_the_tree, up_the_tree

# What exceeds limits by less, of what is drawn at all nodes, is shifted at the end.
_SHIFTED: Final = 1e-4
# Prices that are so many times what a missing kWh costs at departure show that floors do not fit below limits.
_SCARCE: Final = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Warm:
    """What an earlier plan knows. ``node_per_kwh``: [K, T] prices; ``peak_per_kwh``: [K, T] of that for demand charges, None:
    unknown; ``power_kw``: [N, T] plans of the stays, 0 where there was none, None: unknown. ``import_per_kwh``: [T] what the
    pool paid then. ``reserve_per_kwh``: [2, T] what a kW that is held back was worth, up and down, None: unknown.
    """

    node_per_kwh: FloatArray
    peak_per_kwh: FloatArray | None = None
    power_kw: PowerArray | None = None
    import_per_kwh: FloatArray | None = None
    reserve_per_kwh: FloatArray | None = None


class Search:
    """Rounds over some cars of a problem, from prices and what is expected to be drawn."""

    def __init__(
        self, problem: FleetProblem, engine: Engine, penalties: Penalties, balance: Balance
    ) -> None:
        self.problem, self.engine, self.balance = problem, engine, balance
        self._over, self._dearest = penalties.over_per_kwh, penalties.most_per_kwh
        self._departure = penalties.miss.departure_per_kwh
        self._costs, self._true = both_costs(problem, penalties)
        self._base_kw = sums_without_cars(problem)
        self.constant, self.shifts = 0.0, False
        self.bound, self.cost, self.excess_kwh = -np.inf, np.inf, np.inf
        self.prices = balance.dual_per_kwh + balance.peak_dual_per_kwh
        self.peak_prices = balance.peak_dual_per_kwh.copy()
        self.rounds: list[tuple[float, float]] = []

    @property
    def gap(self) -> float:
        """Of the plans of now, relative to the best bound."""
        if not np.isfinite(self.bound):
            return np.inf
        return (self.cost - self.bound) / max(abs(self.bound), 1e-9)

    @property
    def scarce(self) -> bool:
        """Whether prices are above what a departure is worth, so that floors have to wait for limits."""
        prices = np.abs(self.balance.price_per_kwh[: self.problem.node_count])
        above = down_the_tree(self.problem.nodes.parent, prices)
        return not self.shifts and bool(above.max() > _SCARCE * self._departure)

    def may_exceed_less(self, drawn_kw: FloatArray) -> bool:
        """Whether a limit is exceeded by what is drawn [K, T], while its price is not yet what exceeding costs."""
        nodes = self.problem.nodes
        over = (drawn_kw > nodes.import_limit_kw * KEPT) | (
            -drawn_kw > nodes.export_limit_kw * KEPT
        )
        prices = np.abs(self.balance.dual_per_kwh[: self.problem.node_count])
        return bool((over & (prices < 0.5 * self._over)).any())

    @property
    def warm(self) -> Warm:
        """To begin another search with."""
        balance = self.balance
        prices = balance.dual_per_kwh + balance.peak_dual_per_kwh
        return warm_of(self.problem, prices, balance.peak_dual_per_kwh, self.engine.power_kw())

    def go_round(self, expected_kw: FloatArray | None = None) -> None:
        """Let all cars move once, and find bound and cost."""
        refresh(self._costs, self.balance)
        drawn_kw = self.engine.go_round(self._costs, self.balance, expected_kw)
        self.balance.drawn_kw[:] = self._base_kw + drawn_kw
        refresh(self._costs, self.balance)
        learn(self._costs, self.balance)
        stiffen(self._costs, self.balance, self._dearest)
        self.look()

    def add_load(self, load_kw: FloatArray) -> None:
        """Let all sums be so much more, [K, T] as those of cars."""
        parent, own_kw = self.problem.nodes.parent, load_kw[: self.problem.node_count].copy()
        for node in range(1, len(parent)):
            own_kw[parent[node]] -= load_kw[node]
        nodes = self.problem.nodes
        self.problem = replace(self.problem, nodes=nodes._replace(base_kw=nodes.base_kw + own_kw))
        self._base_kw = self._base_kw + load_kw
        self.balance.drawn_kw[:] += load_kw
        self.bound = -np.inf

    def look(self) -> None:
        """Find bound and cost at the duals and plans of now."""
        dual, peak = self.balance.dual_per_kwh, self.balance.peak_dual_per_kwh
        bound = self.engine.best(dual + peak).cost - self.constant
        bound += dual_value(self._true, dual, peak, self._base_kw)
        if bound > self.bound:
            self.bound, self.prices, self.peak_prices = bound, dual + peak, peak.copy()
        nodes = self.problem.node_count
        drawn_kw, held_kw = self.balance.drawn_kw[:nodes], self.balance.drawn_kw[nodes:]
        self.excess_kwh = excess_kwh(self.problem, drawn_kw)
        self.cost = self.engine.own_cost() - self.constant
        self.cost += nodes_cost(self.problem, drawn_kw) + reserve_cost(self.problem, held_kw)
        # What is left of a sum that exceeds a limit is shifted at the end, at such a cost; much is not.
        width_kwh = self._costs.duration_h @ np.abs(drawn_kw).sum(axis=0)
        self.shifts = bool(self.excess_kwh <= _SHIFTED * width_kwh)
        self.cost += self.excess_kwh * (self._dearest if self.shifts else self._over)
        self.rounds.append((self.bound, self.cost))


def sums_without_cars(problem: FleetProblem) -> FloatArray:
    """[K, T] the sums without cars."""
    return problem.with_reserve_rows(up_the_tree(problem.nodes.parent, problem.nodes.base_kw))


def warm_of(
    problem: FleetProblem,
    prices: FloatArray,
    demand_per_kwh: FloatArray | None,
    power_kw: PowerArray,
) -> Warm:
    """What the next plan may begin with, from prices [K, T] of the sums."""
    nodes, paid = problem.node_count, problem.market.import_per_kwh
    peak_per_kwh = None if demand_per_kwh is None else demand_per_kwh[:nodes]
    return Warm(prices[:nodes], peak_per_kwh, power_kw, paid, -prices[nodes:])


def both_costs(problem: FleetProblem, penalties: Penalties) -> tuple[NodeCosts, NodeCosts]:
    """With a margin to each limit, and as they are."""
    over = penalties.over_per_kwh
    return node_costs(problem, over, margin=True), node_costs(problem, over, margin=False)
