"""Cars planned in several processes, on one machine or many, which Ray starts and finds room for.

Each worker holds a shard of the cars: they are sent to it once. A round sends prices and sums [K, T] and brings sums back. A
worker that is lost is begun anew: what it was sent before is kept here and sent again. A shard does the same with the same,
so nothing of the result shows it, where both took their compiled code from the same disk. Needs the extra ``ray``.
"""

from __future__ import annotations

import importlib
import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, NamedTuple, Self, TypeVar

import numpy as np

from parkwatt.domain.errors import InputError, InputFault, ParkwattError
from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch import MissPrices
from parkwatt.plan.coordinate.balance import Balance
from parkwatt.plan.coordinate.compiling import compile_kernels
from parkwatt.plan.coordinate.engine import Engine, scales, split, total
from parkwatt.plan.coordinate.moves import PowerArray
from parkwatt.plan.coordinate.node_costs import NodeCosts
from parkwatt.plan.coordinate.problem import BoolArray, FleetProblem, IntArray
from parkwatt.plan.coordinate.shard import Reply, Shard

# So often is one answer asked of a worker that is lost each time.
_TRIES: Final = 5
# Workers are there after so many seconds, or Ray has no CPU for them.
_START_S: Final = 60.0
# What Ray's store of a machine holds beside cars and plans, which are each in it once while they are sent.
_STORE_BYTES: Final = 256 * 1024**2

_Arrays = TypeVar("_Arrays", bound=tuple[Any, ...])


class RayMissingError(ParkwattError):
    """Ray is not installed."""

    def __init__(self) -> None:
        super().__init__("planning with Ray needs one more package: pip install 'parkwatt[ray]'")


class WorkerLostError(ParkwattError):
    """A worker was lost each time that it was begun, or never found room."""

    def __init__(self, what: str) -> None:
        super().__init__(f"workers of Ray: {what}")


class RayWorkers:
    """Makes engines whose cars are planned by ``workers`` of Ray; None: one for each CPU there is.

    A context: inside of it Ray runs, started here for its time alone where neither an ``address`` is given nor Ray runs in
    this process; workers are kept from one plan to the next. ``store_bytes``: what a Ray that is started here keeps for sending
    cars and plans; None: Ray's own choice.
    Ray tells its makers of its use unless the environment has ``RAY_USAGE_STATS_ENABLED=0``, as the command line sees to.
    """

    def __init__(
        self, workers: int | None = None, address: str | None = None, store_bytes: int | None = None
    ) -> None:
        """Raises: InputError where there is to be no worker, RayMissingError without Ray."""
        if workers is not None and workers < 1:
            raise InputError([InputFault("workers", "must be at least 1", workers)])
        self._ray = _load("ray")
        self._workers, self._address, self._store_bytes = workers, address, store_bytes
        self._is_ours = False
        self._idle: list[Any] = []

    def __enter__(self) -> Self:
        """Raises: InputError where no Ray answers at the address."""
        compile_kernels()
        if self._ray.is_initialized():
            return self
        quiet = {"log_to_driver": False, "logging_level": "ERROR"}
        if self._address is None:
            self._ray.init(
                address="local",
                num_cpus=self._workers,
                include_dashboard=False,
                object_store_memory=self._store_bytes,
                **quiet,
            )
        else:
            try:
                self._ray.init(address=self._address, **quiet)
            except (ConnectionError, ValueError, RuntimeError) as error:
                rule = "must be that of a Ray cluster that answers"
                raise InputError([InputFault("ray address", rule, self._address)]) from error
        self._is_ours = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop Ray, or leave the cluster, where it was not there before."""
        for actor in self._idle:
            self._ray.kill(actor)
        self._idle = []
        if self._is_ours:
            self._ray.shutdown()
            self._is_ours = False

    def __call__(
        self, problem: FleetProblem, miss: MissPrices, *, remembers: bool, least_saved: float
    ) -> Engine:
        """See `EngineOf`. Raises WorkerLostError where there is no room."""
        workers = self._workers or max(1, int(self._ray.cluster_resources().get("CPU", 1)))
        return RayEngine(problem, miss, workers, self, remembers=remembers, least_saved=least_saved)

    def take(self) -> Any:
        """A worker that is idle, or a new one."""
        return self._idle.pop() if self._idle else self.begin(1)

    def begin(self, cpu_count: int) -> Any:
        """A new worker, for which Ray keeps so many CPUs."""
        holder = self._ray.remote(max_restarts=0, max_task_retries=0)(_Holder)
        return holder.options(num_cpus=cpu_count).remote()

    def give_back(self, actor: Any) -> None:
        """It is idle from now on; its cars are let go."""
        actor.let_go.remote()
        self._idle.append(actor)


def store_bytes(car_count: int, step_count: int, bytes_of_car: int = 256) -> int:
    """What Ray's store should hold to send so many cars, and to bring back their powers."""
    return _STORE_BYTES + car_count * (bytes_of_car + 4 * step_count)


class _Holder:
    """A worker: one shard at a time, in a process of its own."""

    _shard: Shard

    def make(self, problem: FleetProblem, spec: _Spec) -> None:
        """Begin with a shard. ``problem``: of its cars alone."""
        # Arrays that come through Ray's store cannot be written, and kernels would be compiled for them anew.
        problem = FleetProblem(
            _writable(problem.cars),
            _writable(problem.prices),
            problem.node.copy(),
            _writable(problem.nodes),
            problem.market,
            problem.reserve,
        )
        count = problem.cars.stay_count
        self._shard = Shard(
            problem,
            np.arange(count),
            np.ones(count),
            spec.miss,
            threads=1,
            remembers=spec.remembers,
            least_saved=spec.least_saved,
            seed=spec.seed,
        )

    def let_go(self) -> None:
        del self._shard

    def process_id(self) -> int | None:
        return multiprocessing.current_process().pid

    def weight_below(self) -> FloatArray:
        return self._shard.weight_below()

    def begin_with(self, power_kw: PowerArray, keeps: BoolArray) -> None:
        self._shard.begin_with(power_kw.copy(), keeps.copy())

    def turn(
        self, costs: NodeCosts, balance: Balance, scale: FloatArray, expected_kw: FloatArray | None
    ) -> FloatArray:
        expected = None if expected_kw is None else expected_kw.copy()
        return self._shard.turn(_writable(costs), _writable(balance), scale.copy(), expected)

    def best(self, node_per_kwh: FloatArray) -> Reply:
        return self._shard.best(node_per_kwh.copy())

    def own_cost(self) -> float:
        return self._shard.own_cost()

    def power_kw(self) -> PowerArray:
        return self._shard.power_kw


class _Spec(NamedTuple):
    """What a shard is made with, beside its cars."""

    miss: MissPrices
    remembers: bool
    least_saved: float
    seed: int


# A method of a worker, and what makes its arguments: those that grow with the cars are made when they are sent.
_Call = tuple[str, Callable[[], tuple[Any, ...]]]


@dataclass(slots=True)
class _Worker:
    """A worker that can be begun anew. ``told``: what made its shard and changed it so far, in order."""

    actor: Any
    told: list[_Call]

    def ask(self, call: _Call) -> Any:
        """Ray's reference to the answer to come."""
        name, arguments = call
        return getattr(self.actor, name).remote(*arguments())


class RayEngine:
    """Workers of Ray, each with a part of the cars."""

    def __init__(
        self,
        problem: FleetProblem,
        miss: MissPrices,
        count: int,
        pool: RayWorkers,
        *,
        remembers: bool,
        least_saved: float,
    ) -> None:
        """``count`` workers out of a ``pool``. The rest as in `Shard`. Raises WorkerLostError where they never come up."""
        self._ray, errors = _load("ray"), _load("ray.exceptions")
        self._lost = (
            errors.RayActorError,
            errors.WorkerCrashedError,
            errors.NodeDiedError,
            errors.OutOfMemoryError,
            errors.ObjectLostError,
        )
        cars, self._steps, self._pool = problem.cars.stay_count, problem.step_count, pool
        self._of_worker = split(problem, np.arange(cars), max(1, min(count, cars)))
        self._costs: tuple[NodeCosts, Any] | None = None
        self._workers = [_Worker(pool.take(), []) for _ in self._of_worker]

        def make(seed: int, places: IntArray) -> _Call:
            spec = _Spec(miss, remembers, least_saved, seed)
            return "make", lambda: (_part(problem, places), spec)

        try:
            self._wait()
            self._all([make(*one) for one in enumerate(self._of_worker)], changes=True)
            below: list[FloatArray] = self._all(self._same("weight_below"))
        except BaseException:
            self.close()
            raise
        self._scales = scales(below)

    def process_ids(self) -> list[int | None]:
        """Of the workers, on their machines."""
        return self._all(self._same("process_id"))

    def begin_with(self, power_kw: PowerArray, keeps: BoolArray) -> None:
        """See `Engine`. The arrays are kept for workers that are lost, so they must not change."""

        def part(places: IntArray) -> _Call:
            return "begin_with", lambda: (power_kw[places], keeps[places])

        self._all([part(places) for places in self._of_worker], changes=True)

    def go_round(
        self, costs: NodeCosts, balance: Balance, expected_kw: FloatArray | None
    ) -> FloatArray:
        """See `Engine`."""
        # The same costs hold for all rounds of a search: they are sent once.
        if self._costs is None or self._costs[0] is not costs:
            self._costs = (costs, self._ray.put(costs))
        sent, now = self._costs[1], self._ray.put(balance)
        expected = None if expected_kw is None else self._ray.put(expected_kw)

        def turn(scale: FloatArray) -> _Call:
            return "turn", lambda: (sent, now, scale, expected)

        drawn_kw = self._all([turn(scale) for scale in self._scales], changes=True)
        return np.asarray(np.sum(drawn_kw, axis=0))

    def best(self, node_per_kwh: FloatArray) -> Reply:
        """See `Engine`."""
        return total(self._all(self._same("best", self._ray.put(node_per_kwh))))

    def own_cost(self) -> float:
        """See `Engine`."""
        return float(sum(self._all(self._same("own_cost"))))

    def power_kw(self) -> PowerArray:
        """See `Engine`."""
        count = sum(len(places) for places in self._of_worker)
        found = np.zeros((count, self._steps), np.float32)
        call = self._same("power_kw")[0]
        # One after another, so that the store holds one shard's at a time.
        for worker, places in zip(self._workers, self._of_worker, strict=True):
            found[places] = self._answer(worker, call, worker.ask(call))
        return found

    def close(self) -> None:
        """See `Engine`."""
        for worker in self._workers:
            self._pool.give_back(worker.actor)
        self._workers = []

    def _same(self, name: str, *arguments: Any) -> list[_Call]:
        return [(name, lambda: arguments)] * len(self._of_worker)

    def _wait(self) -> None:
        """Until all workers are there; one that is lost already is found when it is asked.

        Where Ray has no CPU for one, as those of a machine that is gone are still counted as taken, it shares one.
        """
        for is_last in (False, True):
            refs = [worker.actor.process_id.remote() for worker in self._workers]
            ready, late = self._ray.wait(refs, num_returns=len(refs), timeout=_START_S)
            if late and is_last:
                raise WorkerLostError(
                    f"{len(ready)} of {len(refs)} came up within {_START_S:.0f} s"
                )
            for worker, ref in zip(self._workers, refs, strict=True):
                if ref in late:
                    self._ray.kill(worker.actor)
                    worker.actor = self._pool.begin(0)

    def _all(self, calls: list[_Call], *, changes: bool = False) -> list[Any]:
        """The answers of all workers, which work at the same time. ``changes``: whether this changes their shards."""
        asked = [
            (worker, call, worker.ask(call))
            for worker, call in zip(self._workers, calls, strict=True)
        ]
        found = [self._answer(*one) for one in asked]
        if changes:
            for worker, call, _ in asked:
                worker.told.append(call)
        return found

    def _answer(self, worker: _Worker, call: _Call, ref: Any) -> Any:
        """The answer to a call that was asked. A worker that is lost is begun anew, told what it was told, and asked again."""
        refs, tried = [ref], 1
        while True:
            try:
                return self._ray.get(refs)[-1]
            except self._lost as lost:
                if tried == _TRIES:
                    told = f"one was lost {_TRIES} times in a row: {lost}"
                    raise WorkerLostError(told) from lost
            # It may be out of reach and not dead.
            self._ray.kill(worker.actor)
            worker.actor, tried = self._pool.begin(0), tried + 1
            refs = [worker.ask(one) for one in [*worker.told, call]]


def _part(problem: FleetProblem, places: IntArray) -> FleetProblem:
    cars, node, reserve = problem.cars.take(places), problem.node[places], problem.reserve
    if reserve is not None:
        reserve = reserve._replace(member=reserve.member[places])
    return FleetProblem(cars, problem.prices, node, problem.nodes, problem.market, reserve)


def _writable(arrays: _Arrays) -> _Arrays:
    """The same in memory of this process."""
    make: Callable[..., _Arrays] = type(arrays)._make  # type: ignore[attr-defined]
    return make(np.array(one) for one in arrays)


def _load(name: str) -> Any:
    """A module of Ray, whose types say too little to be of use."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise RayMissingError from error
