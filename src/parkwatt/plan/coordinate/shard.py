"""Some of a fleet's cars with their plans: they answer to prices, and move towards better plans when prices change."""

from __future__ import annotations

from typing import Final, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch import BatchPrices, MissPrices, ReservePrices, plan_batch
from parkwatt.plan.batch.kernels import LINEAR_KERNEL, choose_kernels
from parkwatt.plan.batch.reserve import terms_of
from parkwatt.plan.coordinate.balance import Balance, refresh
from parkwatt.plan.coordinate.money import costs_of, drawn_by_cars
from parkwatt.plan.coordinate.moves import (
    Mixtures,
    PowerArray,
    Stays,
    mix,
    mixed_power_kw,
    reply,
    take_up,
)
from parkwatt.plan.coordinate.node_costs import NodeCosts
from parkwatt.plan.coordinate.problem import (
    BoolArray,
    FleetProblem,
    IntArray,
    down_the_tree,
    up_the_tree,
)

# In so many parts do the cars of a shard move; between them peaks are found anew.
_PARTS: Final = 20
# So many cars that need another kernel get their offers at once.
_AT_ONCE, _EXPECTED_PARTS = 50, 1000
# How many plans a car mixes where it remembers them, and how often it moves between them for each time that it asks for a new
# one.
_PLANS: Final = 6
_MIXES: Final = 4
_NO_OFFERS: Final = np.zeros((0, 0), np.float32)


class Reply(NamedTuple):
    """``cost`` of all cars' best plans, missed wishes included, and their sums in those plans: ``drawn_kw`` [K, T]."""

    cost: float
    drawn_kw: FloatArray


class Shard:
    """Some stays of a problem, with a plan for each after the first round."""

    def __init__(
        self,
        problem: FleetProblem,
        rows: IntArray,
        weight: FloatArray,
        miss: MissPrices,
        *,
        threads: int,
        remembers: bool,
        least_saved: float,
        seed: int = 0,
    ) -> None:
        """``rows``: [n] which stays; ``weight``: [n] for how many cars each stands. ``remembers``: whether cars remember plans.
        ``least_saved``: a car that would save less stays as it is.
        """
        cars, node = problem.cars.take(rows).as_kernels_take(), problem.node[rows]
        self._cars = cars
        if np.isfinite(miss.floor_per_kwh_h):
            # Between a plan that waits below the floor and one that discharges above it lies none that can be followed, so
            # cars that may have to wait do not discharge; the bound goes by all that they may do.
            waits = cars.energy_kwh_at_arrival < cars.energy_kwh_min
            cars = cars._replace(discharge_kw_max=np.where(waits, 0.0, cars.discharge_kw_max))
        self._threads, self._parent = threads, problem.nodes.parent.astype(np.int64)
        own_count, steps = len(problem.prices.import_per_kwh), problem.step_count
        hours_h = 1.0 if problem.reserve is None else problem.reserve.hours_h
        pairs, pair = np.unique(node * own_count + cars.price_row, return_inverse=True)
        self._pair_node, self._pair_own = np.divmod(pairs, own_count)
        self.stays = Stays(
            cars,
            problem.prices.as_kernels_take(),
            MissPrices._make(float(price) for price in miss),
            node.astype(np.int64),
            weight.astype(float),
            pair.astype(np.int64),
            np.tile(np.arange(steps), (2, len(pairs), 1)),
            (cars.charge_kw_min > 0.0) | (cars.discharge_kw_min > 0.0),
            least_saved,
            problem.members[rows],
            problem.node_count,
            terms_of(hours_h, problem.prices.duration_h),
        )
        self._holds_back = bool(self.stays.member.any())
        self._alone = (kernels_of(problem, miss)[rows] == LINEAR_KERNEL) & ~self.stays.member
        self._sum_count = problem.sum_count
        self._parts = max(_PARTS, int((~self._alone).sum()) // _AT_ONCE)
        self._power_kw: PowerArray = np.zeros((len(rows), steps), np.float32)
        places = _PLANS if remembers else 0
        self._mixtures = Mixtures(
            np.zeros((len(rows) if remembers else 0, places, steps), np.float32),
            np.zeros((len(rows), places)),
            np.zeros((len(rows), places)),
        )
        self._remembers, self._random = remembers, np.random.default_rng(seed)
        self._has_plan = np.zeros(len(rows), np.bool_)

    @property
    def count(self) -> int:
        """n."""
        return len(self.stays.node)

    @property
    def power_kw(self) -> PowerArray:
        """[n, T] the plans, 0 before the first round."""
        if self._remembers:
            mixed_power_kw(self._mixtures, self.stays.cars, self._power_kw)
        return self._power_kw

    def begin_with(self, power_kw: PowerArray, keeps: BoolArray) -> None:
        """Take plans [n, T] that can be followed as the first, of those that keep them [n]."""
        self._power_kw[keeps] = power_kw[keeps]
        self._has_plan[:] = keeps
        if self._remembers:
            mixtures, stays = self._mixtures, self.stays
            mixtures.power_kw[:, 0] = power_kw
            mixtures.cost[:, 0] = costs_of(stays.cars, stays.prices, stays.miss, power_kw)
            mixtures.share[:, 0] = keeps & ~stays.whole

    def weight_below(self) -> FloatArray:
        """[K] for how many cars those at and below each node stand, or those that hold back a reserve."""
        own = np.bincount(self.stays.node, self.stays.weight, len(self._parent))
        below = up_the_tree(self._parent, np.asarray(own, float)[:, None])[:, 0]
        members = self.stays.weight[self.stays.member].sum()
        return np.concatenate((below, np.full(self._sum_count - len(below), members)))

    def best(self, node_per_kwh: FloatArray) -> Reply:
        """What all cars would do, each alone, at prices [K, T] of the sums."""
        miss, weight = self.stays.miss, self.stays.weight
        same = bool((weight == 1.0).all()) and not self._holds_back
        plan = plan_batch(
            self._cars._replace(price_row=self.stays.pair),
            self._prices_at(node_per_kwh),
            powers=not same,
            group=self.stays.node,
            group_count=len(self._parent),
            threads=self._threads,
            miss=miss,
            reserve=self._reserve_at(node_per_kwh, slice(None)),
            relaxed=True,
        )
        cost = plan.cost
        for missed, price in (
            (plan.shortfall_kwh, miss.departure_per_kwh),
            (plan.below_floor_kwh_h, miss.floor_per_kwh_h),
        ):
            if np.isfinite(price):
                cost = cost + missed * price
        if plan.power_kw is not None:
            drawn_kw = self._sums_of(plan.power_kw)
        else:
            drawn_kw = up_the_tree(self._parent, plan.power_kw_sum)
            unknown = np.zeros((self._sum_count - len(drawn_kw), drawn_kw.shape[1]))
            drawn_kw = np.vstack((drawn_kw, unknown))
        return Reply(float(weight @ cost), drawn_kw)

    def own_cost(self) -> float:
        """What the plans cost at the cars' own prices, missed wishes included."""
        stays = self.stays
        costs = costs_of(stays.cars, stays.prices, stays.miss, self.power_kw)
        return float(stays.weight @ costs)

    def drawn_kw(self) -> FloatArray:
        """[K, T] what the cars at and below each node draw, and hold back."""
        return self._sums_of(self.power_kw)

    def _sums_of(self, power_kw: PowerArray) -> FloatArray:
        stays = self.stays
        member = stays.member if self._sum_count > len(self._parent) else None
        return drawn_by_cars(
            stays.node, stays.weight, stays.cars, self._parent, power_kw, stays.terms, member
        )

    def turn(
        self,
        costs: NodeCosts,
        balance: Balance,
        scale: FloatArray,
        expected_kw: FloatArray | None = None,
    ) -> FloatArray:
        """Let every car move towards its best plan at the prices of the moment; returns what all draw then, as `drawn_kw`.

        ``scale``: [K] as in `Balance`. ``expected_kw``: [K, T] what the balance already has for the whole fleet, where its
        cars have no plans yet. The balance stays as it is.
        """
        own = balance._replace(
            drawn_kw=balance.drawn_kw.copy(),
            price_per_kwh=balance.price_per_kwh.copy(),
            peak_kw=balance.peak_kw.copy(),
            scale=scale,
        )
        first, parts = not self._has_plan.all(), self._parts
        if first and expected_kw is not None:
            # What is expected of cars is taken out just before they take it up.
            parts = max(parts, min(self.count // _AT_ONCE, _EXPECTED_PARTS))
        for rows in np.array_split(self._random.permutation(self.count), parts):
            if first and expected_kw is not None:
                own.drawn_kw[:] -= expected_kw / parts
            refresh(costs, own)
            self._move(rows[self._alone[rows]], costs, own)
            self._move_with_offers(rows[~self._alone[rows]], costs, own)
        self._has_plan[:] = True
        for _ in range(_MIXES * (self._remembers and not first)):
            refresh(costs, own)
            rows = self._random.permutation(self.count)
            mix(rows, _NO_OFFERS, self._mixtures, self.stays, False, costs, own)
        return self.drawn_kw()

    def _move(self, rows: IntArray, costs: NodeCosts, balance: Balance) -> None:
        """Move cars that *linear* plans, each at prices of its own."""
        if self._remembers:
            mix(rows, _NO_OFFERS, self._mixtures, self.stays, True, costs, balance)
        else:
            reply(rows, self._power_kw, self._has_plan, self.stays, costs, balance)

    def _move_with_offers(self, rows: IntArray, costs: NodeCosts, balance: Balance) -> None:
        """Move all others; all at the same prices."""
        if not len(rows):
            return
        offer = plan_batch(
            self.stays.cars.take(rows)._replace(price_row=self.stays.pair[rows]),
            self._prices_at(balance.price_per_kwh),
            threads=self._threads,
            miss=self.stays.miss,
            reserve=self._reserve_at(balance.price_per_kwh, rows),
        )
        offered_kw = cast("PowerArray", offer.power_kw)
        mixes = ~self.stays.whole[rows] & self._remembers
        if mixes.any():
            offers_kw = offered_kw[mixes]
            mix(rows[mixes], offers_kw, self._mixtures, self.stays, True, costs, balance)
        if not mixes.all():
            rows, offered_kw = rows[~mixes], offered_kw[~mixes]
            has_plan = self._has_plan
            take_up(rows, offered_kw, self._power_kw, has_plan, self.stays, costs, balance)

    def _reserve_at(self, per_kwh: FloatArray, rows: IntArray | slice) -> ReservePrices | None:
        """What some stays are paid for what they hold back, at prices [K, T] of the sums."""
        if not self._holds_back:
            return None
        up, down = np.maximum(-per_kwh[len(self._parent) :], 0.0)
        return ReservePrices(up, down, self.stays.terms.hours_h, self.stays.member[rows])

    def _prices_at(self, node_per_kwh: FloatArray) -> BatchPrices:
        """What each pair of own prices and node sees."""
        node_per_kwh = node_per_kwh[: len(self._parent)]
        added = down_the_tree(self._parent, node_per_kwh)[self._pair_node]
        prices = self.stays.prices
        return BatchPrices(
            prices.import_per_kwh[self._pair_own] + added,
            prices.export_per_kwh[self._pair_own] + added,
            prices.duration_h,
        )


def kernels_of(problem: FleetProblem, miss: MissPrices) -> NDArray[np.int8]:
    """[N] which kernel plans a stay where nodes have no prices: a place in `KERNEL_NAMES`."""
    kernel = np.empty(problem.cars.stay_count, np.int8)
    nothing = np.zeros_like(problem.prices.import_per_kwh)
    free = BatchPrices(nothing, nothing, problem.prices.duration_h).as_kernels_take()
    prices = MissPrices._make(float(price) for price in miss)
    nobody = np.zeros(problem.cars.stay_count, np.bool_)
    choose_kernels(problem.cars.as_kernels_take(), free, prices, nobody, kernel)
    return kernel
