"""Cars planned by workers of Ray: as good as by threads, and no worker that is killed changes anything of it."""

from __future__ import annotations

import os
import signal
import threading
import warnings
from collections.abc import Iterator

import numpy as np
import psutil
import pytest

from parkwatt.domain.errors import InputError
from parkwatt.plan.batch import MissPrices
from parkwatt.plan.coordinate import Coordinated, FleetProblem, coordinate
from parkwatt.plan.coordinate.engine import Engine
from parkwatt.plan.coordinate.ray_engine import RayEngine, RayWorkers, WorkerLostError
from tests.plan.coordinate.fleets import fleet
from tests.plan.coordinate.test_coordinate import (
    assert_followable,
    assert_wishes_met,
    assert_within_limits,
    changed,
)

pytestmark = pytest.mark.xdist_group("ray")
GAP = 1e-3


@pytest.fixture(scope="module")
def workers() -> Iterator[RayWorkers]:
    """Ray with two workers on this machine, for all tests here."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    with warnings.catch_warnings():
        # Ray leaves files and processes to be collected as they may.
        warnings.simplefilter("ignore", ResourceWarning)
        with RayWorkers(2) as made:
            yield made


class Watched:
    """Engines of Ray that can be told of from outside of a search."""

    def __init__(self, workers: RayWorkers) -> None:
        self._workers = workers
        self.made: list[RayEngine] = []

    def __call__(
        self, problem: FleetProblem, miss: MissPrices, *, remembers: bool, least_saved: float
    ) -> Engine:
        engine = self._workers(problem, miss, remembers=remembers, least_saved=least_saved)
        assert isinstance(engine, RayEngine)
        self.made.append(engine)
        return engine


class Killer:
    """Kills each worker of Ray that it sees come up, so many times."""

    def __init__(self, times: int) -> None:
        self.killed = 0
        self._times, self._ends = times, threading.Event()
        self._thread = threading.Thread(target=self._hunt)

    def __enter__(self) -> Killer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()

    def _hunt(self) -> None:
        done: set[int] = set()
        while self.killed < self._times and not self._ends.wait(0.02):
            for one in psutil.Process().children(recursive=True):
                if one.pid not in done and _is_worker(one) and self.killed < self._times:
                    done.add(one.pid)
                    os.kill(one.pid, signal.SIGKILL)
                    self.killed += 1


def _is_worker(process: psutil.Process) -> bool:
    try:
        return bool("_Holder" in " ".join(process.cmdline()))
    except psutil.Error:
        return False


def assert_same(found: Coordinated, other: Coordinated) -> None:
    """To the bit."""
    assert np.array_equal(found.power_kw, other.power_kw)
    assert np.array_equal(found.node_per_kwh, other.node_per_kwh)
    assert found.rounds == other.rounds
    assert (found.cost, found.bound) == (other.cost, other.bound)


def assert_planned(problem: FleetProblem, found: Coordinated) -> None:
    assert_followable(problem, found)
    assert_wishes_met(problem, found)
    assert_within_limits(problem, found)
    assert found.gap <= GAP


@pytest.mark.parametrize(("count", "feeders"), [(1500, 3), (13_000, 2)])
def test_the_result_is_that_of_threads_within_the_gap(
    workers: RayWorkers, count: int, feeders: int
) -> None:
    problem = fleet(3, count, feeders=feeders)
    found, here = coordinate(problem, engine_of=workers), coordinate(problem)
    assert_planned(problem, found)
    assert found.cost == pytest.approx(here.cost, rel=2 * GAP)
    # Each is above the other's bound.
    assert min(found.cost, here.cost) >= max(found.bound, here.bound) - 1e-9


def test_a_plan_begins_warm_and_small_fleets_do(workers: RayWorkers) -> None:
    problem = fleet(6, 1200, feeders=2)
    cold = coordinate(problem, engine_of=workers)
    later = changed(problem, 1)
    assert_planned(later, coordinate(later, warm=cold.warm, engine_of=workers))
    # There are fewer cars than workers.
    one = fleet(2, 1)
    assert_followable(one, coordinate(one, engine_of=workers))


def test_a_worker_killed_between_rounds_changes_nothing(workers: RayWorkers) -> None:
    problem = fleet(4, 1500, feeders=3)
    calm = coordinate(problem, engine_of=workers)
    watched, rounds = Watched(workers), []

    def killing(bound: float, cost: float) -> None:
        rounds.append((bound, cost))
        if len(rounds) in (1, 3):
            process_id = watched.made[-1].process_ids()[len(rounds) == 3]
            assert process_id is not None
            os.kill(process_id, signal.SIGKILL)

    found = coordinate(problem, engine_of=watched, report=killing)
    assert len(rounds) > 3
    assert_same(found, calm)


def test_workers_killed_at_work_and_while_they_are_begun_anew_change_nothing(
    workers: RayWorkers,
) -> None:
    problem = fleet(6, 1500, feeders=2)
    cold = coordinate(problem, engine_of=workers)
    later = changed(problem, 2)
    calm = coordinate(later, warm=cold.warm, engine_of=workers)
    with Killer(times=4) as killer:
        found = coordinate(later, warm=cold.warm, engine_of=workers)
        assert killer.killed == 4
    assert_same(found, calm)


def test_workers_are_kept_from_plan_to_plan(workers: RayWorkers) -> None:
    seen: list[tuple[int | None, ...]] = []
    for seed in (6, 7):
        watched = Watched(workers)

        def looking(_bound: float, _cost: float, made: list[RayEngine] = watched.made) -> None:
            seen.append(tuple(sorted(made[-1].process_ids(), key=str)))

        coordinate(fleet(seed, 400), engine_of=watched, report=looking)
    assert len(set(seen)) == 1
    assert len(seen[0]) == 2


def test_no_worker_is_no_engine() -> None:
    with pytest.raises(InputError, match="workers: must be at least 1, got 0"):
        RayWorkers(0)


def test_workers_that_are_always_lost_are_told(workers: RayWorkers) -> None:
    with Killer(times=1000) as killer, pytest.raises(WorkerLostError, match="5 times in a row"):
        coordinate(fleet(6, 1500), engine_of=workers)
    assert killer.killed >= 5
