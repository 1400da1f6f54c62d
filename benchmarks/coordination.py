"""Cars that share limits and a market: this planner's coordination, and HiGHS on the joint program of the same cars.

HiGHS takes minutes for 10,000 cars, so its figure here is of 1,000; docs/modelling/coordination.md has the one of 10,000.
"""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Figure, time_once_s
from parkwatt.plan.coordinate import Coordinated, FleetProblem, coordinate
from parkwatt.plan.coordinate.joint import Joint, solve_joint
from tests.plan.coordinate.fleets import fleet

GAP, SEED, STEPS, COMPARED, EXCESS_PER_KWH = 1e-3, 1, 96, 1000, 30.0
# What is small for a set-point, and the fleets of which that is told how many change.
CHANGED_KW, CALM_CARS = 0.1, 10_000
SIZES = ((COMPARED, 0), (10_000, 0), (10_000, 20), (100_000, 0))


def figures() -> list[Figure]:
    """Seconds to a proven gap of 0.1 %, by the number of cars and feeders."""
    threads = os.cpu_count() or 1
    for count, feeders in ((400, 2), (13_000, 2)):
        coordinate(fleet(SEED, count, steps=24, feeders=feeders), threads=threads)
    found = [_figure(count, feeders, threads) for count, feeders in SIZES]
    return [*found, *(_calm_figure(feeders, threads) for feeders in (0, 20))]


def _calm_figure(feeders: int, threads: int) -> Figure:
    """Set-points that change from one plan to the next when little did: of a warm plan, and of one from the beginning."""
    problem = fleet(SEED, CALM_CARS, steps=STEPS, feeders=feeders)
    later, same = _a_little_later(problem)
    before = coordinate(problem, gap=GAP, threads=threads)
    warm = coordinate(later, gap=GAP, threads=threads, warm=before.warm)
    cold = coordinate(later, gap=GAP, threads=threads)
    cars, steps = problem.cars, np.arange(STEPS)
    there = (steps >= cars.from_step[:, None]) & (steps < cars.to_step[:, None]) & same[:, None]
    changed_warm, changed_cold = (
        100 * float((np.abs(one.power_kw - before.power_kw) > CHANGED_KW)[there].mean())
        for one in (warm, cold)
    )
    name = (
        f"{CALM_CARS:,} cars below {feeders or 'no'} feeders: set-points that a warm plan changes"
    )
    baseline = f"from the beginning: {changed_cold:.1f} %"
    return Figure(name, changed_warm, "%", baseline, changed_cold / changed_warm)


def _a_little_later(problem: FleetProblem) -> tuple[FleetProblem, NDArray[np.bool_]]:
    """Prices 1 % up, energies by up to 0.5 kWh off, every fiftieth car another one; and [N] which cars are the same."""
    rng, count, market = np.random.default_rng(SEED), problem.cars.stay_count, problem.market
    same = rng.random(count) >= 0.02
    energy_kwh = problem.cars.energy_kwh_at_arrival + rng.uniform(-0.5, 0.5, count)
    cars = problem.cars._replace(
        energy_kwh_at_arrival=np.clip(energy_kwh, 0.0, problem.cars.energy_kwh_max)
    )
    others = fleet(SEED + 1, count, steps=STEPS).cars
    cars = type(cars)._make(
        np.where(same, mine, theirs) for mine, theirs in zip(cars, others, strict=True)
    )
    dearer = market._replace(
        import_per_kwh=market.import_per_kwh * 1.01, export_per_kwh=market.export_per_kwh * 1.01
    )
    return FleetProblem(cars, problem.prices, problem.node, problem.nodes, dearer), same


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
