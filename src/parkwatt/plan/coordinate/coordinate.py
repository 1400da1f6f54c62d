"""Plans cars that share limits and a market: prices go down, sums of power come up, until the gap is proven.

Each round, every car moves towards its best plan at the prices that the moves before it left (`moves`); prices rise with what
is drawn (`balance`), and are the duals of the next round. At them, the sum of all cars' best answers and the nodes' part of
the dual is a bound that no plan is below. Cars have a plan that they can follow at any time; the search ends when its cost is
close to the bound and no limit is exceeded.

Two levels: a sample of a large fleet, each car of which stands for many, finds prices that are almost right at almost no
cost. Then the whole fleet needs some rounds only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from parkwatt.domain.errors import InputError, InputFault
from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch import MissPrices
from parkwatt.plan.batch.kernels import LINEAR_KERNEL
from parkwatt.plan.coordinate.balance import Balance, learn, new_balance, refresh, stiffen
from parkwatt.plan.coordinate.engine import Engine, InProcess
from parkwatt.plan.coordinate.joint import solve_joint
from parkwatt.plan.coordinate.money import (
    KEPT,
    Penalties,
    costs_of,
    energies_at_end,
    excess_kwh,
    follow,
    nodes_cost,
    penalties_of,
    reachable,
    sums_by_node,
    unavoidable_cost,
)
from parkwatt.plan.coordinate.moves import PowerArray
from parkwatt.plan.coordinate.node_costs import NodeCosts, dual_value, node_costs
from parkwatt.plan.coordinate.problem import (
    FleetProblem,
    IntArray,
    down_the_tree,
    raise_if_malformed,
    up_the_tree,
)
from parkwatt.plan.coordinate.program import reach
from parkwatt.plan.coordinate.repair import repair
from parkwatt.plan.coordinate.shard import kernels_of

# So few cars are planned in one linear program.
_JOINT_CARS: Final = 200
# A sample has so many cars, and so many of each node. From how many times as many cars on it is worth it.
_SAMPLE, _SAMPLE_OF_NODE, _SAMPLE_FROM = 4000, 60, 3
# How often a sample is told by how much the fleet differs.
_CORRECTIONS: Final = 2
# Cars remember plans where so few share a node, in fleets of so many at most.
_FEW_AT_NODE, _FEW, _REMEMBER_MOST = 2000, 8000, 300_000
# By how much prices rise, over the range of what cars can draw, in units of the dearest price.
_STIFFNESS: Final = 20.0
_ROUNDS: Final = 200
# So many rounds that bring hardly anything are the last.
_STALLED: Final = 30
_MISSED_KWH: Final = 1e-3
# After so many rounds in vain cars begin to remember plans.
_PATIENCE: Final = 12
# After so many more rounds nothing more is done about limits that are exceeded when time is up.
_REPAIRS: Final = 12

# What exceeds limits by less, of what is drawn at all nodes, is shifted at the end.
_SHIFTED: Final = 1e-4
# Prices that are so many times what a missing kWh costs at departure show that floors do not fit below limits.
_SCARCE: Final = 2.0
# The share of the gap at which plans are finished and looked at.
_CLOSE: Final = 0.9

Report = Callable[[float, float], None]
EngineOf = Callable[[FleetProblem, MissPrices, float], Engine]


@dataclass(frozen=True, slots=True, eq=False)
class Warm:
    """What an earlier plan knows. ``node_per_kwh``: [K, T] prices; ``peak_per_kwh``: [K, T] of that for demand charges, None:
    unknown; ``power_kw``: [N, T] plans of the stays, 0 where there was none, None: unknown. ``import_per_kwh``: [T] what the
    pool paid then.
    """

    node_per_kwh: FloatArray
    peak_per_kwh: FloatArray | None = None
    power_kw: PowerArray | None = None
    import_per_kwh: FloatArray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Coordinated:
    """A fleet's plan.

    ``power_kw``: [N, T]. ``cost``: of these powers; ``bound``: which no plan is below, in which missed wishes cost
    ``missed_cost`` here and limits are exceeded by ``excess_kwh`` at ``excess_per_kwh``. ``node_per_kwh``: [K, T] what a kWh
    less at a node is worth. ``drawn_kw``: [K, T] at each node, all below it included. ``energy_kwh_end``, ``shortfall_kwh``:
    [N]. ``rounds``: bound and cost after each. ``warm``: to begin the next plan with.
    """

    power_kw: PowerArray
    cost: float
    bound: float
    missed_cost: float
    excess_kwh: float
    excess_per_kwh: float
    node_per_kwh: FloatArray
    drawn_kw: FloatArray
    energy_kwh_end: FloatArray
    shortfall_kwh: FloatArray
    rounds: tuple[tuple[float, float], ...]
    warm: Warm

    @property
    def gap(self) -> float:
        """By how much the cost, what limits are exceeded by included, can be above the least, relative to the bound."""
        cost = self.cost + self.missed_cost + self.excess_kwh * self.excess_per_kwh
        return (cost - self.bound) / max(abs(self.bound), 1e-9)


class _Search:
    """Rounds over some cars of a problem, from prices and what is expected to be drawn."""

    def __init__(
        self, problem: FleetProblem, engine: Engine, penalties: Penalties, balance: Balance
    ) -> None:
        self.problem, self.engine, self.balance = problem, engine, balance
        self._over, self._dearest = penalties.over_per_kwh, penalties.dearest_per_kwh
        self._departure = penalties.miss.departure_per_kwh
        self._costs, self._true = _both_costs(problem, penalties)
        self._base_kw = up_the_tree(problem.nodes.parent, problem.nodes.base_kw)
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
        above = down_the_tree(self.problem.nodes.parent, np.abs(self.balance.price_per_kwh))
        return not self.shifts and bool(above.max() > _SCARCE * self._departure)

    def may_exceed_less(self, drawn_kw: FloatArray) -> bool:
        """Whether a limit is exceeded by what is drawn [K, T], while its price is not yet what exceeding costs."""
        nodes = self.problem.nodes
        over = (drawn_kw > nodes.import_limit_kw * KEPT) | (
            -drawn_kw > nodes.export_limit_kw * KEPT
        )
        return bool((over & (np.abs(self.balance.dual_per_kwh) < 0.5 * self._over)).any())

    @property
    def warm(self) -> Warm:
        """To begin another search with."""
        balance = self.balance
        prices = balance.dual_per_kwh + balance.peak_dual_per_kwh
        market = self.problem.market
        power_kw = self.engine.power_kw()
        return Warm(prices, balance.peak_dual_per_kwh, power_kw, market.import_per_kwh)

    def go_round(self, expected_kw: FloatArray | None = None) -> None:
        """Let all cars move once, and find bound and cost."""
        refresh(self._costs, self.balance)
        drawn_kw = self.engine.go_round(self._costs, self.balance, expected_kw)
        self.balance.drawn_kw[:] = self._base_kw + drawn_kw
        refresh(self._costs, self.balance)
        learn(self._costs, self.balance)
        stiffen(self._costs, self.balance, self._over, self._dearest)
        self.look()

    def add_load(self, load_kw: FloatArray) -> None:
        """Let other loads at and below each node draw so much more, [K, T]."""
        parent, own_kw = self.problem.nodes.parent, load_kw.copy()
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
        self.excess_kwh = excess_kwh(self.problem, self.balance.drawn_kw)
        self.cost = self.engine.own_cost() - self.constant
        self.cost += nodes_cost(self.problem, self.balance.drawn_kw)
        # What is left of a sum that exceeds a limit is shifted at the end, at such a cost; much is not.
        width_kwh = self._costs.duration_h @ np.abs(self.balance.drawn_kw).sum(axis=0)
        self.shifts = bool(self.excess_kwh <= _SHIFTED * width_kwh)
        self.cost += self.excess_kwh * (self._dearest if self.shifts else self._over)
        self.rounds.append((self.bound, self.cost))


def coordinate(
    problem: FleetProblem,
    *,
    gap: float = 1e-3,
    threads: int = 1,
    warm: Warm | None = None,
    report: Report = lambda _bound, _cost: None,
    stop: Callable[[], bool] = lambda: False,
    engine_of: EngineOf | None = None,
) -> Coordinated:
    """Plan a fleet to a proven ``gap``, or as close as some hundred rounds come.

    ``warm``: what an earlier plan of much the same fleet knows. ``stop``: is asked after each round whether to end with what
    was found. ``report``: is told bound and cost after each round, missed wishes and excess included. ``engine_of``: where
    the cars of a fleet are planned, from the problem, prices of missed wishes and the least that is worth a move; None: here,
    with ``threads``. Raises InputError where the problem breaks a rule, SolverError where HiGHS gives up.
    """
    raise_if_malformed(problem)
    _raise_if_odd(problem, warm, gap)
    asked, problem = problem, reachable(problem)
    penalties = penalties_of(problem)
    # Floors come first of all, as long as limits leave room for it: such cars are planned faster.
    penalties = penalties._replace(miss=penalties.miss._replace(floor_per_kwh_h=np.inf))
    if problem.cars.stay_count == 0:
        return _without_cars(problem, penalties)
    if engine_of is None and problem.cars.stay_count <= _JOINT_CARS:
        exact = _by_program(asked, problem, penalties, gap)
        if exact is not None:
            report(exact.bound, exact.cost)
            return exact
    search = _begin(problem, penalties, warm, gap, threads, engine_of, stop)
    best: Coordinated | None = None
    least_gap, since = np.inf, 0
    for done in range(_ROUNDS):
        report(search.bound, search.cost)
        if search.gap <= _CLOSE * gap:
            found = _finished(asked, search, penalties)
            best = found if best is None or found.gap < best.gap else best
            if best.gap <= gap and not search.may_exceed_less(found.drawn_kw):
                return best
        if search.gap < 0.95 * least_gap:
            least_gap, since = search.gap, done
        if stop() or done - since > _STALLED:
            break
        if done == _PATIENCE and engine_of is None:
            search = _remembering(search, penalties, threads)
        search.go_round()
        if search.scarce and np.isinf(penalties.miss.floor_per_kwh_h):
            penalties = penalties_of(problem)
            search = _begin(problem, penalties, search.warm, gap, threads, engine_of, stop)
    return _last(asked, search, penalties, best)


def _last(
    asked: FleetProblem, search: _Search, penalties: Penalties, best: Coordinated | None
) -> Coordinated:
    """The better of the best plan so far and that of now, which gets some more rounds where it exceeds limits by much."""
    for _ in range(_REPAIRS):
        if best is not None or search.shifts:
            break
        search.balance.stiffness[:] *= 2.0
        search.go_round()
    found = _finished(asked, search, penalties)
    return found if best is None or found.gap < best.gap else best


def _by_program(
    asked: FleetProblem, problem: FleetProblem, penalties: Penalties, gap: float
) -> Coordinated | None:
    """The joint program's optimum; None where it does not know what cars ask, or not all wishes fit below the limits."""
    if (kernels_of(problem, MissPrices()) != LINEAR_KERNEL).any():
        return None
    joint = solve_joint(problem, penalties.over_per_kwh)
    power_kw = joint.power_kw.astype(np.float32)
    found = _told(asked, problem, penalties, power_kw, joint.bound, joint.node_per_kwh)
    fits = found.excess_kwh * penalties.over_per_kwh < gap * abs(joint.bound)
    return found if joint.valid.all() and fits else None


def _without_cars(problem: FleetProblem, penalties: Penalties) -> Coordinated:
    nothing = np.zeros((0, problem.step_count), np.float32)
    prices = np.zeros((problem.node_count, problem.step_count))
    found = _told(problem, problem, penalties, nothing, 0.0, prices)
    return replace(found, bound=found.cost + found.excess_kwh * found.excess_per_kwh)


def _begin(
    problem: FleetProblem,
    penalties: Penalties,
    warm: Warm | None,
    gap: float,
    threads: int,
    engine_of: EngineOf | None,
    stop: Callable[[], bool],
) -> _Search:
    """The first round of all cars: from an earlier plan, or from what a sample found."""
    count = problem.cars.stay_count
    has_plans = warm is not None and warm.power_kw is not None
    at_node = count / problem.node_count
    remembers = count <= _FEW or (count <= _REMEMBER_MOST and at_node <= _FEW_AT_NODE)
    least = penalties.least_saved * (10.0 if has_plans else 1.0)
    if engine_of is not None:
        engine = engine_of(problem, penalties.miss, least)
    else:
        engine = InProcess(
            problem,
            np.ones(count),
            penalties.miss,
            threads=threads,
            remembers=remembers and not has_plans,
            least_saved=least,
        )
    balance, expected_kw = _balance(problem, penalties, warm), None
    if not has_plans and count >= _SAMPLE * _SAMPLE_FROM:
        balance, expected_kw = _from_sample(problem, penalties, engine, balance, gap, threads, stop)
    search = _Search(problem, engine, penalties, balance)
    everybody, ones = np.arange(count), np.ones(count)
    search.constant = unavoidable_cost(problem, penalties.miss, everybody, ones)
    if warm is not None and warm.power_kw is not None:
        expected_kw, has_all = _go_on(problem, engine, balance, warm.power_kw)
        if has_all:
            # Its bound may be as good as it was, and so may its plans.
            search.look()
            return search
    search.go_round(expected_kw)
    return search


def _go_on(
    problem: FleetProblem, engine: Engine, balance: Balance, power_kw: PowerArray
) -> tuple[FloatArray, bool]:
    """Keep earlier plans [N, T] where they still bring what is asked; returns [K, T] what the other cars are expected to draw,
    and whether there are none.
    """
    cars, hours = problem.cars, problem.prices.duration_h
    followed_kw = follow(cars, hours, power_kw)
    end_kwh = energies_at_end(cars, hours, followed_kw)
    keeps = ~(cars.energy_kwh_at_departure > end_kwh + _MISSED_KWH)
    engine.begin_with(followed_kw, keeps)
    drawn_kw = []
    for some in (keeps, ~keeps):
        own = sums_by_node(problem.node, some.astype(float), followed_kw, problem.node_count)
        drawn_kw.append(up_the_tree(problem.nodes.parent, own))
    balance.drawn_kw[:] += drawn_kw[0] + drawn_kw[1]
    return drawn_kw[1], bool(keeps.all())


def _from_sample(
    problem: FleetProblem,
    penalties: Penalties,
    fleet: Engine,
    balance: Balance,
    gap: float,
    threads: int,
    stop: Callable[[], bool],
) -> tuple[Balance, FloatArray]:
    """Prices that are almost right, and [K, T] what all cars are expected to draw, from some of the cars.

    What the fleet and its sample would do at the same prices differs by chance; the sample is given the difference as a load.
    """
    rows, weight = _some(problem)
    engine = InProcess(
        problem,
        weight,
        penalties.miss,
        threads=threads,
        remembers=True,
        least_saved=penalties.least_saved,
        rows=rows,
    )
    search = _Search(problem, engine, penalties, balance)
    search.constant = unavoidable_cost(problem, penalties.miss, rows, weight)
    differs_kw = np.zeros_like(balance.drawn_kw)
    for correction in range(_CORRECTIONS + 1):
        if correction > 0:
            now = fleet.best(search.prices).drawn_kw - engine.best(search.prices).drawn_kw
            search.add_load(now - differs_kw)
            differs_kw = now
        for _ in range(_ROUNDS // 4):
            search.go_round()
            if search.gap <= gap / 4.0 or stop():
                break
    balance = search.balance
    base_kw = up_the_tree(problem.nodes.parent, problem.nodes.base_kw)
    # The fleet moves in smaller steps than its sample, whose last prices are kept.
    stiffness = _stiffness(problem, penalties)[:, None] + np.zeros(problem.step_count)
    return balance._replace(stiffness=stiffness), balance.drawn_kw - base_kw


def _remembering(search: _Search, penalties: Penalties, threads: int) -> _Search:
    """Go on with cars that remember plans, where memory allows; else as before."""
    problem = search.problem
    if problem.cars.stay_count > _REMEMBER_MOST:
        return search
    power_kw = search.engine.power_kw()
    engine = InProcess(
        problem,
        np.ones(problem.cars.stay_count),
        penalties.miss,
        threads=threads,
        remembers=True,
        least_saved=penalties.least_saved,
    )
    engine.begin_with(power_kw, np.ones(len(power_kw), np.bool_))
    found = _Search(problem, engine, penalties, search.balance)
    found.constant, found.bound = search.constant, search.bound
    found.prices, found.peak_prices = search.prices, search.peak_prices
    found.rounds = search.rounds
    return found


def _finished(asked: FleetProblem, search: _Search, penalties: Penalties) -> Coordinated:
    """The plans of now, with what exceeds limits shifted. ``asked``: the problem with all wishes."""
    problem = search.problem
    power_kw = search.engine.power_kw()
    if search.excess_kwh > 0.0:
        power_kw = power_kw.copy()
        plain = kernels_of(problem, penalties.miss) == LINEAR_KERNEL
        repair(problem, power_kw, plain, search.prices)
    return _told(asked, problem, penalties, power_kw, search.bound, search.prices, search)


def _balance(problem: FleetProblem, penalties: Penalties, warm: Warm | None) -> Balance:
    costs, _ = _both_costs(problem, penalties)
    base_kw = up_the_tree(problem.nodes.parent, problem.nodes.base_kw)
    balance = new_balance(costs, base_kw, _stiffness(problem, penalties))
    if warm is not None:
        if warm.peak_per_kwh is not None:
            charge = problem.nodes.demand_charge_per_kw[:, None]
            paid = warm.peak_per_kwh @ problem.prices.duration_h
            share = np.minimum(1.0, charge / np.maximum(paid[:, None], 1e-12))
            balance.peak_dual_per_kwh[:] = warm.peak_per_kwh * share
        dual = warm.node_per_kwh - balance.peak_dual_per_kwh
        if warm.import_per_kwh is not None:
            dual[0] += problem.market.import_per_kwh - warm.import_per_kwh
        balance.dual_per_kwh[:] = np.clip(
            dual,
            costs.slope_per_kwh[0],
            costs.slope_per_kwh[-1],
        )
    return balance


def _stiffness(problem: FleetProblem, penalties: Penalties) -> FloatArray:
    """[K] by how much prices rise per kW at first."""
    low_kw, high_kw = reach(problem)
    width_kw = np.maximum((high_kw - low_kw).max(axis=1), 1.0)
    return np.asarray(_STIFFNESS * penalties.dearest_per_kwh / width_kw)


def _both_costs(problem: FleetProblem, penalties: Penalties) -> tuple[NodeCosts, NodeCosts]:
    """With a margin to each limit, and as they are."""
    over = penalties.over_per_kwh
    return node_costs(problem, over, margin=True), node_costs(problem, over, margin=False)


def _some(problem: FleetProblem) -> tuple[IntArray, FloatArray]:
    """A sample of the stays, evenly over those that are alike at each node, and for how many each stands."""
    cars, random = problem.cars, np.random.default_rng(0)
    asked = np.nan_to_num(cars.energy_kwh_at_departure - cars.energy_kwh_at_arrival)
    order = np.lexsort((asked, cars.from_step, cars.to_step, problem.node))
    starts = np.searchsorted(problem.node[order], np.arange(problem.node_count + 1))
    rows, weight = [], []
    for node in range(problem.node_count):
        places = order[starts[node] : starts[node + 1]]
        wanted = max(_SAMPLE_OF_NODE, _SAMPLE * len(places) // len(order))
        if wanted < len(places):
            at = (np.arange(wanted) + random.random(wanted)) * (len(places) / wanted)
            chosen = places[at.astype(np.int64)]
        else:
            chosen = places
        rows.append(chosen)
        weight.append(np.full(len(chosen), len(places) / max(len(chosen), 1)))
    return np.concatenate(rows), np.concatenate(weight)


def _told(
    asked: FleetProblem,
    problem: FleetProblem,
    penalties: Penalties,
    power_kw: PowerArray,
    bound: float,
    node_per_kwh: FloatArray,
    search: _Search | None = None,
) -> Coordinated:
    """What a plan comes to, from its powers."""
    cars, prices = problem.cars, problem.prices
    ones = np.ones(len(power_kw))
    own_kw = sums_by_node(problem.node, ones, power_kw, problem.node_count)
    drawn_kw = up_the_tree(problem.nodes.parent, problem.nodes.base_kw + own_kw)
    energy_kwh_end = energies_at_end(cars, prices.duration_h, power_kw)
    own = float(costs_of(cars, prices, MissPrices(), power_kw).sum())
    priced = float(costs_of(cars, prices, penalties.miss, power_kw).sum())
    missing_kwh = np.nan_to_num(asked.cars.energy_kwh_at_departure) - energy_kwh_end
    cost = own + nodes_cost(problem, drawn_kw)
    missed_cost = priced - own
    missed_cost -= unavoidable_cost(problem, penalties.miss, np.arange(cars.stay_count), ones)
    peak = None if search is None else search.peak_prices
    return Coordinated(
        power_kw=power_kw,
        cost=cost,
        bound=bound,
        missed_cost=max(missed_cost, 0.0),
        excess_kwh=excess_kwh(problem, drawn_kw),
        excess_per_kwh=penalties.over_per_kwh,
        node_per_kwh=node_per_kwh,
        drawn_kw=drawn_kw,
        energy_kwh_end=energy_kwh_end,
        shortfall_kwh=np.maximum(missing_kwh, 0.0),
        rounds=((bound, cost),) if search is None else tuple(search.rounds),
        warm=Warm(node_per_kwh, peak, power_kw, problem.market.import_per_kwh),
    )


def _raise_if_odd(problem: FleetProblem, warm: Warm | None, gap: float) -> None:
    faults = []
    if not gap > 0.0:
        faults.append(InputFault("gap", "must be above 0", gap))
    if warm is not None:
        shape = (problem.node_count, problem.step_count)
        for name, array, wanted in (
            ("warm.node_per_kwh", warm.node_per_kwh, shape),
            ("warm.peak_per_kwh", warm.peak_per_kwh, shape),
            ("warm.import_per_kwh", warm.import_per_kwh, shape[1:]),
            ("warm.power_kw", warm.power_kw, (problem.cars.stay_count, problem.step_count)),
        ):
            if array is not None and (array.shape != wanted or not np.isfinite(array).all()):
                faults.append(
                    InputFault(name, f"must be finite and of shape {wanted}", array.shape)
                )
    if faults:
        raise InputError(faults)
