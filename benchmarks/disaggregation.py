"""One set-point of a pool shared among a million cars, and the same by sorting the levels at which cars reach their bounds."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Figure, time_pair_s
from parkwatt.fleet.disaggregate import PoolCars, disaggregate

CARS, REPEAT, SEED = 1_000_000, 7, 0
# Where targets are in what the pool can do, and by how much a command differs from the one before.
PLACES, STEP = (0.2, 0.5, 0.8), 0.02


def figures() -> list[Figure]:
    """Milliseconds for a command, from nothing and after another one, against a sort."""
    cars, threads = pool(np.random.default_rng(SEED), CARS), os.cpu_count() or 1
    low, high = float(cars.low_kw.sum()), float(cars.high_kw.sum())
    targets = [low + place * (high - low) for place in PLACES]
    before = [
        disaggregate(cars, one - STEP * (high - low), threads=threads).level for one in targets
    ]

    def ours() -> None:
        for target_kw in targets:
            disaggregate(cars, target_kw, threads=threads)

    def after_another() -> None:
        for target_kw, level in zip(targets, before, strict=True):
            disaggregate(cars, target_kw, begin_at=level, threads=threads)

    def sorted_levels() -> None:
        for target_kw in targets:
            by_sorting(cars, target_kw)

    found = []
    for name, work in (("from nothing", ours), ("after another one", after_another)):
        ours_s, theirs_s = time_pair_s(work, sorted_levels, REPEAT)
        ours_ms, theirs_ms = (1e3 * one / len(targets) for one in (ours_s, theirs_s))
        title = f"a set-point shared among {CARS:,} cars, {name}"
        found.append(
            Figure(title, ours_ms, "ms", f"by sorting: {theirs_ms:.0f} ms", theirs_ms / ours_ms)
        )
    return found


def pool(rng: np.random.Generator, count: int) -> PoolCars:
    """Half of the cars can give; chargers of three sizes; weights of all kinds."""
    low = np.where(rng.random(count) < 0.5, -11.0, 0.0)
    high = rng.choice([7.4, 11.0, 22.0], count)
    planned = np.clip(rng.choice([0.0, 0.0, 7.4, 11.0, -5.0], count), low, high)
    weight = rng.uniform(0.2, 3.0, count)
    return PoolCars(*(one.astype(np.float32) for one in (planned, low, high, weight)))


def by_sorting(cars: PoolCars, target_kw: float) -> NDArray[np.float64]:
    """The same by the levels at which cars reach their bounds, in order, and the sum at each of them."""
    planned, low, high, weight = (one.astype(np.float64) for one in cars)
    bends = np.concatenate(((low - planned) / weight, (high - planned) / weight))
    rises = np.concatenate((weight, -weight))
    order = np.argsort(bends)
    at, slope = bends[order], np.cumsum(rises[order])
    total = low.sum() + np.concatenate(([0.0], np.cumsum(slope[:-1] * np.diff(at))))
    place = int(np.searchsorted(total, target_kw)) - 1
    level = at[place] + (target_kw - total[place]) / slope[place]
    return np.asarray(np.clip(planned + weight * level, low, high))
