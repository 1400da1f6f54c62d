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
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from parkwatt.domain.errors import InputError, InputFault
from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch import MissPrices
from parkwatt.plan.batch.kernels import LINEAR_KERNEL
from parkwatt.plan.coordinate.balance import Balance, new_balance
from parkwatt.plan.coordinate.engine import Engine, EngineOf, InProcess, OneOpen, in_process
from parkwatt.plan.coordinate.joint import solve_joint
from parkwatt.plan.coordinate.money import (
    Penalties,
    costs_of,
    energies_at_end,
    excess_kwh,
    follow,
    nodes_cost,
    penalties_of,
    reachable,
    reserve_cost,
    reserve_short_kwh,
    sums_of_plans,
    unavoidable_cost,
)
from parkwatt.plan.coordinate.moves import PowerArray
from parkwatt.plan.coordinate.problem import (
    FleetProblem,
    IntArray,
    raise_if_malformed,
)
from parkwatt.plan.coordinate.program import reach
from parkwatt.plan.coordinate.repair import repair
from parkwatt.plan.coordinate.search import (
    Search,
    Warm,
    both_costs,
    sums_without_cars,
    warm_of,
)
from parkwatt.plan.coordinate.shard import kernels_of

# So few cars are planned in one linear program.
_JOINT_CARS: Final = 200
# A sample has so many cars, and so many of each node. From how many times as many cars on it is worth it.
_SAMPLE, _SAMPLE_OF_NODE, _SAMPLE_FROM = 4000, 60, 3
# How often a sample is told by how much the fleet differs.
_CORRECTIONS: Final = 2
# Cars remember plans where so few share a node, in fleets of so many at most.
_FEW_AT_NODE, _FEW, _REMEMBER_MOST = 2000, 8000, 300_000
# Fleets of so many at most remember plans from the beginning, where they begin with earlier plans.
_REMEMBER_WARM: Final = 15_000
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

# The share of the gap at which plans are finished and looked at.
_CLOSE: Final = 0.9

Report = Callable[[float, float], None]


@dataclass(frozen=True, slots=True, eq=False)
class Coordinated:
    """A fleet's plan.

    ``power_kw``: [N, T]. ``cost``: of these powers; ``bound``: which no plan is below, in which missed wishes cost
    ``missed_cost`` here and limits are exceeded by ``excess_kwh`` at ``excess_per_kwh``. ``node_per_kwh``: [K, T] what a kWh
    less at a node is worth. ``drawn_kw``: [K, T] at each node, all below it included. ``reserve_kw``: [2, T] what is held back
    up and down, [0, T] without a reserve; ``reserve_per_kwh``: the same shape, what a kW and hour of it is worth;
    ``reserve_short_kwh``: what is missing of it, whose price is part of ``cost``. ``energy_kwh_end``, ``shortfall_kwh``: [N].
    ``rounds``: bound and cost after each. ``warm``: to begin the next plan with.
    """

    power_kw: PowerArray
    cost: float
    bound: float
    missed_cost: float
    excess_kwh: float
    excess_per_kwh: float
    node_per_kwh: FloatArray
    drawn_kw: FloatArray
    reserve_kw: FloatArray
    reserve_per_kwh: FloatArray
    reserve_short_kwh: float
    energy_kwh_end: FloatArray
    shortfall_kwh: FloatArray
    rounds: tuple[tuple[float, float], ...]
    warm: Warm

    @property
    def gap(self) -> float:
        """By how much the cost, what limits are exceeded by included, can be above the least, relative to the bound."""
        cost = self.cost + self.missed_cost + self.excess_kwh * self.excess_per_kwh
        return (cost - self.bound) / max(abs(self.bound), 1e-9)


class _Wanted(NamedTuple):
    """When a search may end: at a gap relative to the bound, or in money."""

    gap: float
    money: float

    def at(self, bound: float) -> float:
        """The relative gap that is enough at a bound."""
        return max(self.gap, self.money / max(abs(bound), 1e-9))


@dataclass(frozen=True, slots=True)
class _How:
    """What `coordinate` was asked to go by."""

    wanted: _Wanted
    threads: int
    engine_of: EngineOf
    report: Report
    stop: Callable[[], bool]


def coordinate(
    problem: FleetProblem,
    *,
    gap: float = 1e-3,
    gap_money: float = 0.0,
    threads: int = 1,
    warm: Warm | None = None,
    report: Report = lambda _bound, _cost: None,
    stop: Callable[[], bool] = lambda: False,
    engine_of: EngineOf | None = None,
) -> Coordinated:
    """Plan a fleet to a proven ``gap``, or as close as some hundred rounds come.

    ``gap_money``: a distance from the bound, in currency, that is as good: a cost near 0 may never come close to it relatively.
    ``warm``: what an earlier plan of much the same fleet knows. ``stop``: is asked after each round whether to end with what
    was found. ``report``: is told bound and cost after each round, missed wishes and excess included. ``engine_of``: where
    the cars of a fleet are planned; None: here, with ``threads``. Raises InputError where the problem breaks a rule,
    SolverError where HiGHS gives up.
    """
    raise_if_malformed(problem)
    _raise_if_odd(problem, warm, gap, gap_money)
    asked, problem = problem, reachable(problem)
    penalties = penalties_of(problem)
    # Floors come first of all, as long as limits leave room for it: such cars are planned faster.
    penalties = penalties._replace(miss=penalties.miss._replace(floor_per_kwh_h=np.inf))
    if problem.cars.stay_count == 0:
        return _without_cars(problem, penalties)
    small = problem.cars.stay_count <= _JOINT_CARS and problem.reserve is None
    if engine_of is None and small:
        exact = _by_program(asked, problem, penalties, gap)
        if exact is not None:
            report(exact.bound, exact.cost)
            return exact
    with closing(OneOpen(engine_of or in_process(threads))) as engines:
        how = _How(_Wanted(gap, gap_money), threads, engines, report, stop)
        return _searched(asked, problem, penalties, warm, how)


def _searched(
    asked: FleetProblem,
    problem: FleetProblem,
    penalties: Penalties,
    warm: Warm | None,
    how: _How,
) -> Coordinated:
    """Rounds until a plan is close enough, time is up, or nothing comes of them."""
    search = _begin(problem, penalties, warm, how)
    best: Coordinated | None = None
    least_gap, since = np.inf, 0
    for done in range(_ROUNDS):
        how.report(search.bound, search.cost)
        enough = how.wanted.at(search.bound)
        if search.gap <= _CLOSE * enough:
            found = _finished(asked, search, penalties)
            best = found if best is None or found.gap < best.gap else best
            if best.gap <= enough and not search.may_exceed_less(found.drawn_kw):
                return best
        if search.gap < 0.95 * least_gap:
            least_gap, since = search.gap, done
        if how.stop() or done - since > _STALLED:
            break
        if done == _PATIENCE:
            search = _remembering(search, penalties, how.engine_of)
        search.go_round()
        if search.scarce and np.isinf(penalties.miss.floor_per_kwh_h):
            penalties = penalties_of(problem)
            search = _begin(problem, penalties, search.warm, how)
    return _last(asked, search, penalties, best)


def _last(
    asked: FleetProblem, search: Search, penalties: Penalties, best: Coordinated | None
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
    """The joint program's optimum; None where it does not know what cars ask, or cars could not follow it."""
    if (kernels_of(problem, MissPrices()) != LINEAR_KERNEL).any():
        return None
    found = _programmed(asked, problem, penalties, None)
    if found is not None and found.excess_kwh * penalties.over_per_kwh < gap * abs(found.bound):
        return found
    # Not all wishes fit below the limits, which come first.
    found = _programmed(asked, problem, penalties_of(problem), penalties_of(problem).miss)
    return found if found is not None and found.gap <= gap else None


def _programmed(
    asked: FleetProblem, problem: FleetProblem, penalties: Penalties, miss: MissPrices | None
) -> Coordinated | None:
    """As `_by_program`, with prices of missed wishes or without."""
    joint = solve_joint(problem, penalties.over_per_kwh, miss)
    if not joint.valid.all():
        return None
    power_kw = joint.power_kw.astype(np.float32)
    return _told(asked, problem, penalties, power_kw, joint.bound, joint.node_per_kwh)


def _without_cars(problem: FleetProblem, penalties: Penalties) -> Coordinated:
    nothing = np.zeros((0, problem.step_count), np.float32)
    prices = np.zeros((problem.sum_count, problem.step_count))
    found = _told(problem, problem, penalties, nothing, 0.0, prices)
    return replace(found, bound=found.cost + found.excess_kwh * found.excess_per_kwh)


def _begin(
    problem: FleetProblem,
    penalties: Penalties,
    warm: Warm | None,
    how: _How,
) -> Search:
    """The first round of all cars: from an earlier plan, or from what a sample found."""
    count = problem.cars.stay_count
    has_plans = warm is not None and warm.power_kw is not None
    at_node = count / problem.node_count
    remembers = count <= _FEW or (count <= _REMEMBER_MOST and at_node <= _FEW_AT_NODE)
    least = penalties.least_saved * (10.0 if has_plans else 1.0)
    remembers = remembers or (has_plans and count <= _REMEMBER_WARM)
    engine = how.engine_of(problem, penalties.miss, remembers=remembers, least_saved=least)
    balance, expected_kw = _balance(problem, penalties, warm), None
    if not has_plans and count >= _SAMPLE * _SAMPLE_FROM:
        balance, expected_kw = _from_sample(problem, penalties, engine, balance, how)
    search = Search(problem, engine, penalties, balance)
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
    kept_kw, other_kw = (
        sums_of_plans(problem, followed_kw, some.astype(float)) for some in (keeps, ~keeps)
    )
    balance.drawn_kw[:] += kept_kw + other_kw
    return other_kw, bool(keeps.all())


def _from_sample(
    problem: FleetProblem,
    penalties: Penalties,
    fleet: Engine,
    balance: Balance,
    how: _How,
) -> tuple[Balance, FloatArray]:
    """Prices that are almost right, and [K, T] what all cars are expected to draw, from some of the cars.

    What the fleet and its sample would do at the same prices differs by chance; the sample is given the difference as a load.
    """
    rows, weight = _some(problem)
    engine = InProcess(
        problem,
        weight,
        penalties.miss,
        threads=how.threads,
        remembers=True,
        least_saved=penalties.least_saved,
        rows=rows,
    )
    with closing(engine):
        search = Search(problem, engine, penalties, balance)
        search.constant = unavoidable_cost(problem, penalties.miss, rows, weight)
        differs_kw = np.zeros_like(balance.drawn_kw)
        for correction in range(_CORRECTIONS + 1):
            if correction > 0:
                now = fleet.best(search.prices).drawn_kw - engine.best(search.prices).drawn_kw
                search.add_load(now - differs_kw)
                differs_kw = now
            for _ in range(_ROUNDS // 4):
                search.go_round()
                if search.gap <= how.wanted.at(search.bound) / 4.0 or how.stop():
                    break
    balance = search.balance
    base_kw = sums_without_cars(problem)
    # The fleet moves in smaller steps than its sample, whose last prices are kept.
    stiffness = _stiffness(problem, penalties)[:, None] + np.zeros(problem.step_count)
    return balance._replace(stiffness=stiffness), balance.drawn_kw - base_kw


def _remembering(search: Search, penalties: Penalties, engine_of: EngineOf) -> Search:
    """Go on with cars that remember plans, where memory allows; else as before."""
    problem = search.problem
    if problem.cars.stay_count > _REMEMBER_MOST:
        return search
    power_kw = search.engine.power_kw()
    least = penalties.least_saved
    engine = engine_of(problem, penalties.miss, remembers=True, least_saved=least)
    engine.begin_with(power_kw, np.ones(len(power_kw), np.bool_))
    found = Search(problem, engine, penalties, search.balance)
    found.constant, found.bound = search.constant, search.bound
    found.prices, found.peak_prices = search.prices, search.peak_prices
    found.rounds = search.rounds
    return found


def _finished(asked: FleetProblem, search: Search, penalties: Penalties) -> Coordinated:
    """The plans of now, with what exceeds limits shifted. ``asked``: the problem with all wishes."""
    problem = search.problem
    power_kw = search.engine.power_kw()
    if search.excess_kwh > 0.0:
        power_kw = power_kw.copy()
        plain = kernels_of(problem, penalties.miss) == LINEAR_KERNEL
        repair(problem, power_kw, plain, search.prices[: problem.node_count])
    return _told(asked, problem, penalties, power_kw, search.bound, search.prices, search)


def _balance(problem: FleetProblem, penalties: Penalties, warm: Warm | None) -> Balance:
    costs, _ = both_costs(problem, penalties)
    balance = new_balance(costs, sums_without_cars(problem), _stiffness(problem, penalties))
    if warm is not None:
        nodes = problem.node_count
        if warm.peak_per_kwh is not None:
            charge = problem.nodes.demand_charge_per_kw[:, None]
            paid = warm.peak_per_kwh @ problem.prices.duration_h
            share = np.minimum(1.0, charge / np.maximum(paid[:, None], 1e-12))
            balance.peak_dual_per_kwh[:nodes] = warm.peak_per_kwh * share
        dual = problem.with_reserve_rows(warm.node_per_kwh) - balance.peak_dual_per_kwh
        if warm.reserve_per_kwh is not None and problem.reserve is not None:
            dual[nodes:] = -warm.reserve_per_kwh
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
    if problem.reserve is not None:
        rows = np.flatnonzero(problem.members)
        at_pool = np.zeros(len(rows), np.int64)
        low_kw, high_kw = reach(replace(problem, cars=problem.cars.take(rows), node=at_pool))
        width_kw = np.append(width_kw, np.full(2, max((high_kw - low_kw)[0].max(), 1.0)))
    return np.asarray(_STIFFNESS * penalties.dearest_per_kwh / width_kw)


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
    sum_per_kwh: FloatArray,
    search: Search | None = None,
) -> Coordinated:
    """What a plan comes to, from its powers. ``sum_per_kwh``: [K, T] prices of the sums."""
    cars, prices, nodes = problem.cars, problem.prices, problem.node_count
    ones = np.ones(len(power_kw))
    sums_kw = sums_without_cars(problem) + sums_of_plans(problem, power_kw, ones)
    drawn_kw, held_kw = sums_kw[:nodes], sums_kw[nodes:]
    energy_kwh_end = energies_at_end(cars, prices.duration_h, power_kw)
    own = float(costs_of(cars, prices, MissPrices(), power_kw).sum())
    priced = float(costs_of(cars, prices, penalties.miss, power_kw).sum())
    missing_kwh = np.nan_to_num(asked.cars.energy_kwh_at_departure) - energy_kwh_end
    cost = own + nodes_cost(problem, drawn_kw) + reserve_cost(problem, held_kw)
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
        node_per_kwh=sum_per_kwh[:nodes],
        drawn_kw=drawn_kw,
        reserve_kw=held_kw,
        reserve_per_kwh=-sum_per_kwh[nodes:],
        reserve_short_kwh=float(reserve_short_kwh(problem, held_kw).sum()),
        energy_kwh_end=energy_kwh_end,
        shortfall_kwh=np.maximum(missing_kwh, 0.0),
        rounds=((bound, cost),) if search is None else tuple(search.rounds),
        warm=warm_of(problem, sum_per_kwh, peak, power_kw),
    )


def _raise_if_odd(problem: FleetProblem, warm: Warm | None, gap: float, gap_money: float) -> None:
    faults = []
    if not gap_money >= 0.0:
        faults.append(InputFault("gap_money", "must be at least 0", gap_money))
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
