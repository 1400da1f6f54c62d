"""Where the cars of a fleet are planned: in this process, or in several (`parkwatt.plan.coordinate.ray_engine`).

An engine holds the cars. A round sends it prices and what is drawn at each node, and brings back what its cars draw; nothing
that grows with the number of cars is exchanged before the end.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch import MissPrices
from parkwatt.plan.coordinate.balance import Balance
from parkwatt.plan.coordinate.moves import PowerArray
from parkwatt.plan.coordinate.node_costs import NodeCosts
from parkwatt.plan.coordinate.problem import BoolArray, FleetProblem, IntArray
from parkwatt.plan.coordinate.shard import Reply, Shard

# Fewer cars are not worth a thread of their own.
_SHARD_CARS: Final = 10_000


class Engine(Protocol):
    """Plans the cars of a fleet."""

    def begin_with(self, power_kw: PowerArray, keeps: BoolArray) -> None:
        """Take plans [N, T] that can be followed as the first, of those that keep them [N]."""

    def go_round(
        self, costs: NodeCosts, balance: Balance, expected_kw: FloatArray | None
    ) -> FloatArray:
        """Let every car move; returns [K, T] what all cars at and below each node draw then. The balance stays as it is.

        ``expected_kw``: [K, T] what it has for these cars where they have no plans yet.
        """

    def best(self, node_per_kwh: FloatArray) -> Reply:
        """What all cars would do, each alone, at prices of the nodes [K, T]."""

    def own_cost(self) -> float:
        """What the plans cost at the cars' own prices, missed wishes included."""

    def power_kw(self) -> PowerArray:
        """[N, T] the plans."""

    def close(self) -> None:
        """Give back what it holds of threads, processes and memory."""


class EngineOf(Protocol):
    """Makes engines for a fleet, which decides where its cars are planned."""

    def __call__(
        self, problem: FleetProblem, miss: MissPrices, *, remembers: bool, least_saved: float
    ) -> Engine:
        """An engine of all cars, each of which stands for itself; the arguments as in `Shard`."""


def in_process(threads: int) -> EngineOf:
    """Engines that are threads of this process."""

    def made(
        problem: FleetProblem, miss: MissPrices, *, remembers: bool, least_saved: float
    ) -> Engine:
        weight = np.ones(problem.cars.stay_count)
        return InProcess(
            problem, weight, miss, threads=threads, remembers=remembers, least_saved=least_saved
        )

    return made


class OneOpen:
    """Makes engines one after another: the one before is closed when the next is made, the last at the end."""

    def __init__(self, engine_of: EngineOf) -> None:
        self._engine_of = engine_of
        self._open: Engine | None = None

    def __call__(
        self, problem: FleetProblem, miss: MissPrices, *, remembers: bool, least_saved: float
    ) -> Engine:
        """See `EngineOf`."""
        self.close()
        engine = self._engine_of(problem, miss, remembers=remembers, least_saved=least_saved)
        self._open = engine
        return engine

    def close(self) -> None:
        """Close the engine that is open, if any is."""
        engine, self._open = self._open, None
        if engine is not None:
            engine.close()


class InProcess:
    """Threads of this process, each with a part of the cars."""

    def __init__(
        self,
        problem: FleetProblem,
        weight: FloatArray,
        miss: MissPrices,
        *,
        threads: int,
        remembers: bool,
        least_saved: float,
        rows: IntArray | None = None,
    ) -> None:
        """``weight``: [n] for how many cars each of ``rows`` (all) stands. The rest as in `Shard`."""
        rows = np.arange(problem.cars.stay_count) if rows is None else rows
        count = min(threads, max(1, len(rows) // _SHARD_CARS))
        self._of_shard = split(problem, rows, count)
        self._shards = [
            Shard(
                problem,
                rows[places],
                weight[places],
                miss,
                threads=1 if count > 1 else threads,
                remembers=remembers,
                least_saved=least_saved,
                seed=one,
            )
            for one, places in enumerate(self._of_shard)
        ]
        below = [shard.weight_below() for shard in self._shards]
        self._scales = scales(below)
        self._steps = problem.step_count
        self._pool = ThreadPoolExecutor(count)

    def begin_with(self, power_kw: PowerArray, keeps: BoolArray) -> None:
        """See `Engine`."""
        for shard, places in zip(self._shards, self._of_shard, strict=True):
            shard.begin_with(power_kw[places], keeps[places])

    def go_round(
        self, costs: NodeCosts, balance: Balance, expected_kw: FloatArray | None
    ) -> FloatArray:
        """See `Engine`."""

        def turn(place: int) -> FloatArray:
            return self._shards[place].turn(costs, balance, self._scales[place], expected_kw)

        drawn_kw = list(self._pool.map(turn, range(len(self._shards))))
        return np.asarray(np.sum(drawn_kw, axis=0))

    def best(self, node_per_kwh: FloatArray) -> Reply:
        """See `Engine`."""
        return total(list(self._pool.map(lambda one: one.best(node_per_kwh), self._shards)))

    def own_cost(self) -> float:
        """See `Engine`."""
        return float(sum(self._pool.map(lambda one: one.own_cost(), self._shards)))

    def power_kw(self) -> PowerArray:
        """See `Engine`."""
        count = sum(len(places) for places in self._of_shard)
        found = np.zeros((count, self._steps), np.float32)
        for shard, places in zip(self._shards, self._of_shard, strict=True):
            found[places] = shard.power_kw
        return found

    def close(self) -> None:
        """See `Engine`."""
        self._pool.shutdown()


def total(replies: list[Reply]) -> Reply:
    """What all shards would do."""
    return Reply(
        sum(one.cost for one in replies), np.sum([one.drawn_kw for one in replies], axis=0)
    )


def split(problem: FleetProblem, rows: IntArray, count: int) -> list[IntArray]:
    """The places within ``rows`` of each of ``count`` shards: cars of the same node together, and alike as far as a node is
    split.
    """
    if count == 1:
        return [np.arange(len(rows))]
    cars = problem.cars
    order = np.lexsort((cars.to_step[rows], cars.from_step[rows], problem.node[rows]))
    node = problem.node[rows][order]
    # A node larger than a shard is dealt out, so that each shard sees what is typical of it.
    starts = np.searchsorted(node, np.arange(problem.node_count + 1))
    shards: list[list[IntArray]] = [[] for _ in range(count)]
    filled = np.zeros(count)
    for one in range(problem.node_count):
        places = order[starts[one] : starts[one + 1]]
        if len(places) * count > len(rows):
            for shard in range(count):
                shards[shard].append(places[shard::count])
                filled[shard] += len(places) / count
        elif len(places):
            shard = int(np.argmin(filled))
            shards[shard].append(places)
            filled[shard] += len(places)
    return [np.concatenate(one) for one in shards if one]


def scales(weight_below: list[FloatArray]) -> list[FloatArray]:
    """For each shard [K] how many times its own cars are at and below each node, in all shards."""
    total = np.sum(weight_below, axis=0)
    return [np.where(own > 0.0, total / np.where(own > 0.0, own, 1.0), 1.0) for own in weight_below]
