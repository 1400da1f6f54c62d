"""Cars that share limits and a market: this planner's coordination, and HiGHS on the joint program of the same cars.

HiGHS takes minutes for 10,000 cars, so its figure here is of 1,000; docs/modelling/coordination.md has the one of 10,000.
"""

from __future__ import annotations

import os

from benchmarks.harness import Figure, time_once_s
from parkwatt.plan.coordinate import Coordinated, FleetProblem, coordinate
from parkwatt.plan.coordinate.joint import Joint, solve_joint
from tests.plan.coordinate.fleets import fleet

GAP, SEED, STEPS, COMPARED, EXCESS_PER_KWH = 1e-3, 1, 96, 1000, 30.0
SIZES = ((COMPARED, 0), (10_000, 0), (10_000, 20), (100_000, 0))


def figures() -> list[Figure]:
    """Seconds to a proven gap of 0.1 %, by the number of cars and feeders."""
    threads = os.cpu_count() or 1
    for count, feeders in ((400, 2), (13_000, 2)):
        coordinate(fleet(SEED, count, steps=24, feeders=feeders), threads=threads)
    return [_figure(count, feeders, threads) for count, feeders in SIZES]


def _figure(count: int, feeders: int, threads: int) -> Figure:
    problem = fleet(SEED, count, steps=STEPS, feeders=feeders)
    found: list[Coordinated] = []
    seconds = time_once_s(lambda: found.append(coordinate(problem, gap=GAP, threads=threads)))
    name = f"{count:,} cars below {feeders or 'no'} feeders, coordinated"
    baseline = f"proven gap {100 * found[0].gap:.3f} %"
    ratio = None
    if count == COMPARED:
        theirs_s = _joint_s(problem)
        baseline += f"; HiGHS, joint program: {theirs_s:.1f} s"
        ratio = theirs_s / seconds
    return Figure(name, seconds, "s", baseline, ratio)


def _joint_s(problem: FleetProblem) -> float:
    kept: list[Joint] = []
    return time_once_s(lambda: kept.append(solve_joint(problem, EXCESS_PER_KWH)))
