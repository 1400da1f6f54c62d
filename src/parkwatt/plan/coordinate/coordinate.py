"""Plans cars that share limits and a market: prices go down, sums of power come up, until the gap is proven.

Two levels: a sample of the fleet, each car of which stands for many, finds prices that are almost right at almost no cost; then
the whole fleet answers at those that its blend uses, and at as many more as the gap needs. Each round gives a bound that no
plan is below (each car's best at the prices, and the nodes' part of the dual) and a blend that real plans follow.

Prices are smoothed towards those of the best bound so far (P. Wentges, 1997), for the master's own jump about.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, cast

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch.kernels import LINEAR_KERNEL, choose_kernels
from parkwatt.plan.coordinate.clusters import Clusters, cluster, of_sample, sample
from parkwatt.plan.coordinate.joint import rows_of, solve_joint
from parkwatt.plan.coordinate.master import Master
from parkwatt.plan.coordinate.money import costs_of, excess_kwh, nodes_cost
from parkwatt.plan.coordinate.oracle import Answer, Oracle
from parkwatt.plan.coordinate.problem import FleetProblem, holds, raise_if_malformed
from parkwatt.plan.coordinate.recover import PowerArray, Recovery, Told, recover, sums_by_node

# Fewer cars are planned in one linear program.
JOINT_CARS: Final = 300
_GROUPS: Final = 20
_SMOOTHING: Final = 0.6
# Sizes of the samples, the gap that each is to reach, and from how many times as many cars on a sample is worth it.
_SAMPLES: Final = ((100, 1e-2), (2000, 5e-4), (20_000, 2e-4))
_SAMPLE_FROM: Final = 4
# From so many cars on a sample's prices are as good as the fleet's own, and this share takes up what the sample did not see.
_LARGE: Final = 80_000
_SWINGING: Final = 0.1
_ROUNDS: Final = 300
_TRIES: Final = 4
_TOGETHER: Final = 100
_LEAST_SHARE: Final = 1e-7
# What a kWh above a limit costs, in units of the dearest price; far more than moving it to another time.
_EXCESS: Final = 100.0

Report = Callable[[float, float], None]


@dataclass(frozen=True, slots=True, eq=False)
class Coordinated:
    """A fleet's plan.

    ``power_kw``: [N, T]. ``cost``: of these powers; ``bound``: which no plan is below; limits are exceeded by ``excess_kwh`` at
    ``excess_per_kwh``. ``node_per_kwh``: [K, T] what a kWh less at a node is worth. ``drawn_kw``: [K, T] at each node, all
    below it included. ``energy_kwh_end``, ``shortfall_kwh``: [N]. ``warm``: prices to begin the next plan with.
    """

    power_kw: PowerArray
    cost: float
    bound: float
    excess_kwh: float
    excess_per_kwh: float
    node_per_kwh: FloatArray
    drawn_kw: FloatArray
    energy_kwh_end: FloatArray
    shortfall_kwh: FloatArray
    warm: tuple[FloatArray, ...]

    @property
    def gap(self) -> float:
        """By how much the cost, what limits are exceeded by included, can be above the least, relative to the bound."""
        cost = self.cost + self.excess_kwh * self.excess_per_kwh
        return (cost - self.bound) / max(abs(self.bound), 1e-9)


@dataclass(slots=True, eq=False)
class Search:
    """What was told so far; the best bound and its prices; cost and shares of the last blend."""

    told: list[Told] = field(default_factory=list)
    bound: float = -np.inf
    node_per_kwh: FloatArray = field(default_factory=lambda: np.empty((0, 0)))
    node_value: float = 0.0
    cost: float = np.inf
    share: FloatArray = field(default_factory=lambda: np.empty((0, 0)))

    @classmethod
    def at(cls, prices: list[FloatArray]) -> Search:
        """One that has not begun, and is to begin at some prices."""
        nothing = Answer(np.empty((0, 0)), np.empty(0), np.empty(0))
        return cls([Told(one, nothing) for one in prices], share=np.ones((1, len(prices))))

    @property
    def gap(self) -> float:
        """Of the blend, relative to the bound."""
        if not np.isfinite(self.bound):
            return np.inf
        return (self.cost - self.bound) / max(abs(self.bound), 1e-9)

    @property
    def used(self) -> list[FloatArray]:
        """The prices of the plans that are blended."""
        active = np.flatnonzero(self.share.max(axis=0) > _LEAST_SHARE)
        return [self.told[one].node_per_kwh for one in active]


def coordinate(
    problem: FleetProblem,
    *,
    gap: float = 1e-3,
    threads: int = 1,
    warm: tuple[FloatArray, ...] = (),
    report: Report = lambda _bound, _cost: None,
) -> Coordinated:
    """Plan a fleet to a proven ``gap``, or as close as some hundred rounds come.

    ``warm``: prices [K, T] of an earlier plan. ``report``: is told bound and cost after each round.
    Raises InputError where the problem breaks a rule, SolverError where HiGHS gives up.
    """
    raise_if_malformed(problem)
    over_per_kwh = _EXCESS * _dearest(problem)
    if problem.cars.stay_count <= JOINT_CARS and _all_linear(problem):
        joint = solve_joint(problem, over_per_kwh)
        if joint.valid.all():
            power_kw = joint.power_kw.astype(np.float32)
            return _told(problem, power_kw, joint.bound, joint.node_per_kwh, warm)
    groups = cluster(problem, _GROUPS)
    sampled = _from_samples(problem, groups, over_per_kwh, list(warm), threads)
    if problem.cars.stay_count >= _LARGE:
        like_sample = _like_its_sample(problem, groups, sampled, gap, threads)
        if like_sample.gap <= gap:
            return like_sample
    start = sampled.used
    oracle = Oracle(problem, np.arange(problem.cars.stay_count), groups, threads=threads)
    search, master = Search(), Master(problem, groups, over_per_kwh)
    for node_per_kwh in start:
        _tell(search, master, node_per_kwh, oracle)
    wanted, together, found = gap / 2.0, _TOGETHER, []
    for _ in range(_TRIES):
        converge(search, oracle, master, wanted, report)
        recovery = Recovery(oracle, search.told, search.share, threads)
        power_kw = recover(
            problem,
            recovery,
            groups,
            node_per_kwh=search.node_per_kwh,
            together=together,
            over_per_kwh=over_per_kwh,
        )
        used = tuple(search.used)
        found.append(_told(problem, power_kw, search.bound, search.node_per_kwh, used))
        if found[-1].gap <= gap:
            break
        wanted, together = min(wanted, search.gap) / 2.0, together * 2
    return min(found, key=lambda one: one.gap)


def _from_samples(
    problem: FleetProblem,
    groups: Clusters,
    over_per_kwh: float,
    start: list[FloatArray],
    threads: int,
) -> Search:
    """Prices that are almost right, from ever larger samples of the fleet; the last of them only, where ``start`` is given."""
    sizes = [one for one in _SAMPLES if one[0] * _SAMPLE_FROM <= problem.cars.stay_count]
    if start:
        sizes = [one for one in sizes[-1:] if problem.cars.stay_count >= _LARGE]
    search = Search.at(start or [np.zeros((problem.node_count, problem.step_count))])
    for size, gap in sizes:
        rows = sample(groups, size, np.random.default_rng(size))
        some = of_sample(groups, rows)
        oracle = Oracle(problem, rows, some, threads=threads)
        master = Master(problem, some, over_per_kwh)
        start, search = search.used, Search()
        for node_per_kwh in start:
            _tell(search, master, node_per_kwh, oracle)
        converge(search, oracle, master, gap, lambda _bound, _cost: None)
    return search


def _like_its_sample(
    problem: FleetProblem, groups: Clusters, sampled: Search, gap: float, threads: int
) -> Coordinated:
    """Each car takes a plan as its group's sample did; some of them, planned anew, take up what differs."""
    count = problem.cars.stay_count
    oracle = Oracle(problem, np.arange(count), groups, threads=threads)
    bound = float(oracle.ask(sampled.node_per_kwh).priced.sum()) + sampled.node_value
    recovery = Recovery(oracle, sampled.told, sampled.share, threads)
    chosen = recovery.plans(np.arange(count), recovery.spread(groups))
    power_kw = cast("PowerArray", chosen.power_kw)
    rows = sample(groups, int(_SWINGING * count), np.random.default_rng(0))
    power_kw[rows] = 0.0
    base_kw = problem.nodes.base_kw + sums_by_node(problem, power_kw)
    warm = tuple(sampled.used)
    swinging = coordinate(
        rows_of(problem, rows, base_kw), gap=gap / 4.0, threads=threads, warm=warm
    )
    power_kw[rows] = swinging.power_kw
    return _told(problem, power_kw, bound, sampled.node_per_kwh, warm)


def converge(search: Search, oracle: Oracle, master: Master, gap: float, report: Report) -> None:
    """Ask for plans until the gap of the blend is small enough; there is at least one plan of each group."""
    for _ in range(_ROUNDS):
        blend = master.solve()
        search.cost, search.share = blend.cost, blend.share
        if search.gap <= gap:
            return
        node_per_kwh, node_value = blend.node_per_kwh, blend.node_value
        if np.isfinite(search.bound):
            rest = 1.0 - _SMOOTHING
            node_per_kwh = _SMOOTHING * search.node_per_kwh + rest * node_per_kwh
            # The nodes' part of the dual is concave, so the mean of two values is below that of the mean.
            node_value = _SMOOTHING * search.node_value + rest * node_value
        answer = _tell(search, master, node_per_kwh, oracle).answer
        bound = float(answer.priced.sum()) + node_value
        if bound > search.bound:
            search.bound, search.node_per_kwh = bound, node_per_kwh
            search.node_value = node_value
        report(search.bound, blend.cost)


def _tell(search: Search, master: Master, node_per_kwh: FloatArray, oracle: Oracle) -> Told:
    told = Told(node_per_kwh, oracle.ask(node_per_kwh))
    master.add(told.answer)
    search.told.append(told)
    return told


def _told(
    problem: FleetProblem,
    power_kw: PowerArray,
    bound: float,
    node_per_kwh: FloatArray,
    warm: tuple[FloatArray, ...],
) -> Coordinated:
    """What a plan comes to, from its powers."""
    cars = problem.cars
    energy_kwh_end = np.empty(cars.stay_count)
    costs = costs_of(cars, problem.prices, power_kw, energy_kwh_end)
    below = holds(problem.nodes.parent).T.astype(float)
    drawn_kw = below @ (sums_by_node(problem, power_kw) + problem.nodes.base_kw)
    missing_kwh = np.nan_to_num(cars.energy_kwh_at_departure) - energy_kwh_end
    return Coordinated(
        power_kw=power_kw,
        cost=float(costs.sum()) + nodes_cost(problem, drawn_kw),
        bound=bound,
        excess_kwh=excess_kwh(problem, drawn_kw),
        excess_per_kwh=_EXCESS * _dearest(problem),
        node_per_kwh=node_per_kwh,
        drawn_kw=drawn_kw,
        energy_kwh_end=energy_kwh_end,
        shortfall_kwh=np.maximum(missing_kwh, 0.0),
        warm=warm,
    )


def _all_linear(problem: FleetProblem) -> bool:
    kernel = np.empty(problem.cars.stay_count, np.int8)
    choose_kernels(problem.cars, problem.prices, kernel)
    return bool((kernel == LINEAR_KERNEL).all())


def _dearest(problem: FleetProblem) -> float:
    """The largest price of any kind."""
    kinds = (
        problem.prices.import_per_kwh,
        problem.prices.export_per_kwh,
        problem.market.import_per_kwh,
        problem.market.export_per_kwh,
        problem.market.more_per_kwh,
        problem.market.less_per_kwh,
    )
    return max(0.01, *(float(np.abs(one).max()) for one in kinds))
