"""What Ray costs: the same fleet planned by threads and by workers of Ray on this machine, `python -m benchmarks.ray_overhead`.

It takes minutes and gigabytes, so it is not among the benchmarks that run without a name.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from collections.abc import Callable

import psutil

from parkwatt.plan.coordinate import Coordinated, FleetProblem, coordinate
from parkwatt.plan.coordinate.ray_engine import RayWorkers, store_bytes
from tests.plan.coordinate.fleets import fleet

SEED, STEPS, WARM_UP_CARS = 1, 96, 13_000


class Memory:
    """The most that processes hold while it runs, pages that they share counted once for each sharer in part (PSS)."""

    def __init__(self) -> None:
        self.here_gb = self.all_gb = 0.0
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()

    def _look(self) -> None:
        me = psutil.Process()
        while not self._ends.wait(1.0):
            here = _pss_gb(me)
            everyone = here + sum(_pss_gb(one) for one in me.children(recursive=True))
            self.here_gb, self.all_gb = max(self.here_gb, here), max(self.all_gb, everyone)


def _pss_gb(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss) / 1e9
    except psutil.Error:
        return 0.0


def timed(name: str, search: Callable[[], Coordinated]) -> None:
    """Print what a search took and came to."""
    with Memory() as memory:
        began_s = time.monotonic()
        found = search()
        seconds = time.monotonic() - began_s
    print(
        f"{name}: {seconds:.1f} s, gap {100 * found.gap:.3f} %, cost {found.cost:.4f}, {len(found.rounds)} rounds; "
        f"most memory: this process {memory.here_gb:.2f} GB, with all workers {memory.all_gb:.2f} GB",
        flush=True,
    )


def by_ray(problem: FleetProblem, workers: int, threads: int) -> Coordinated:
    """The start and the end of Ray included."""
    kept = store_bytes(problem.cars.stay_count, problem.step_count)
    with RayWorkers(workers, store_bytes=kept) as engine_of:
        return coordinate(problem, threads=threads, report=tell, engine_of=engine_of)


def tell(bound: float, cost: float) -> None:
    """A line of progress for a round."""
    print(f"  bound {bound:.3f}, cost {cost:.3f}", file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Measure; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ray_overhead", description=__doc__)
    parser.add_argument("--cars", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args(arguments)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    coordinate(fleet(SEED, WARM_UP_CARS, steps=24), threads=given.workers)
    problem = fleet(SEED, given.cars, steps=STEPS)
    print(f"{given.cars:,} cars, {STEPS} steps", flush=True)
    timed(
        f"{given.workers} threads",
        lambda: coordinate(problem, threads=given.workers, report=tell),
    )
    timed(
        f"Ray, {given.workers} workers",
        lambda: by_ray(problem, given.workers, given.workers),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
